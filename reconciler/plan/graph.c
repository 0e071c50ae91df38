/* graph.c - the topology of a stack in one of three formats. */
#include "reconciler/plan/graph.h"

#include "reconciler/base/limits.h"
#include "reconciler/plan/graph_topology.h"

void graph_render(struct buf *out, const struct desired *desired, const struct plan *plan,
                  enum graph_format format)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_ARENA_BYTES);
    struct topology t;
    if (a == NULL || !topology_build(a, desired, plan, &t)) {
        out->failed = true;
        return;
    }
    switch (format) {
    case GRAPH_DOT: graph_write_dot(out, &t); return;
    case GRAPH_MERMAID: graph_write_mermaid(out, &t); return;
    case GRAPH_SVG:
        if (!graph_write_svg(out, &t, desired->stack.name, a)) out->failed = true;
        return;
    }
    ASSERT(false);
}

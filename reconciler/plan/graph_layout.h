/* graph_layout.h - where the nodes of a drawing go, in pixels. Private to graph.
 *
 *              ( Internet )
 *            [eip1]     [eip2]
 *   +- Vpc ----------------------------+
 *   | +- VSwitch ---+  +- VSwitch ---+ |
 *   | | [nat] [ecs] |  | [nat] [ecs] | |
 *   | +-------------+  +-------------+ |
 *   |   [table]          [table]       |
 *   +----------------------------------+
 *   [what lies in no VPC of the stack]
 */
#pragma once

#include "reconciler/plan/graph_topology.h"

struct place {
    int x, y, w, h;
};

enum { LAYOUT_CHAR = 7, LAYOUT_MARGIN = 30, LAYOUT_PAD = 20 };

struct layout {
    struct place *places; /* per node */
    int width, height;
    int item_w, item_h; /* of everything that is no box */
};

MUST_CHECK bool layout_build(struct arena *a, const struct topology *t, struct layout *out);

static inline int place_center_x(struct place p)
{
    return p.x + p.w / 2;
}

static inline int place_center_y(struct place p)
{
    return p.y + p.h / 2;
}

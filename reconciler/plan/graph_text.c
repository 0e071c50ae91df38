/* graph_text.c - the drawing for Graphviz and for Mermaid, which place things themselves. */
#include "reconciler/plan/graph_topology.h"

#include "reconciler/base/buf.h"

#include <string.h>

static const char *const action_colors[N_ACTIONS] = {
    [ACTION_CREATE] = "#2e7d32", [ACTION_UPDATE] = "#b26a00", [ACTION_REPLACE] = "#c62828",
    [ACTION_DELETE] = "#c62828", [ACTION_ADOPT] = "#1565c0",  [ACTION_FORGET] = "#757575",
};

static bool is_box(const struct topology *t, uint32_t node)
{
    return t->nodes[node].type == NODE_VPC || t->nodes[node].type == NODE_VSWITCH;
}

/* ---- Graphviz ---- */

/* In a quoted string, quotes and backslashes are escaped; the rest is safe on a terminal already. */
static void put_dot_text(struct buf *out, struct text t)
{
    CLEANUP(buf_fini) struct buf safe;
    buf_init(&safe, SIZE_MAX / 2);
    buf_put_escaped(&safe, t);
    for (size_t i = 0; i < safe.len; i++) {
        if (safe.ptr[i] == '"' || safe.ptr[i] == '\\') buf_putc(out, '\\');
        buf_putc(out, safe.ptr[i]);
    }
    if (!buf_ok(&safe)) out->failed = true;
}

static void put_dot_label(struct buf *out, const struct node *n)
{
    const char *word = graph_action_word(n->action);
    buf_puts(out, "label=\"");
    put_dot_text(out, n->title);
    if (n->detail.len > 0) {
        buf_puts(out, "\\n");
        put_dot_text(out, n->detail);
    }
    if (word != NULL) buf_printf(out, "\\n(%s)", word);
    buf_putc(out, '"');
    if (action_colors[n->action] != NULL)
        buf_printf(out, " color=\"%s\" penwidth=2", action_colors[n->action]);
}

/* Lines cannot end at a cluster, so each has a point that stands for it. Boxes nest two deep at most. */
static void put_dot_node(struct buf *out, const struct topology *t, uint32_t i, size_t indent)
{
    static const char *const shapes[] = {
        [NODE_INTERNET] = "ellipse", [NODE_GATEWAY] = "box3d", [NODE_INSTANCE] = "component",
        [NODE_EIP] = "oval",         [NODE_TABLE] = "note",    [NODE_OTHER] = "plaintext",
        [NODE_VPC] = NULL,           [NODE_VSWITCH] = NULL,
    };
    const struct node *n = &t->nodes[i];
    buf_fill(out, ' ', indent);
    if (!is_box(t, i)) {
        buf_printf(out, "n%u [shape=%s ", i, shapes[n->type]);
        put_dot_label(out, n);
        if (n->external) buf_puts(out, " style=dashed");
        buf_puts(out, "];\n");
        return;
    }
    buf_printf(out, "subgraph cluster_n%u {\n", i);
    buf_fill(out, ' ', indent + 2);
    buf_puts(out, "graph [");
    put_dot_label(out, n);
    buf_printf(out, " style=\"rounded%s\"];\n", n->external ? ",dashed" : "");
    buf_fill(out, ' ', indent + 2);
    buf_printf(out, "n%u [shape=point style=invis];\n", i);
    for (uint32_t child = n->first_child; child != NODE_NONE; child = t->nodes[child].next)
        put_dot_node(out, t, child, indent + 2);
    buf_fill(out, ' ', indent);
    buf_puts(out, "}\n");
}

static void put_dot_link(struct buf *out, const struct topology *t, const struct link *l)
{
    static const char *const styles[N_LINES] = {
        [LINE_PUBLIC] = "dir=none", [LINE_BOUND] = "dir=none",    [LINE_SNAT] = "style=solid",
        [LINE_DNAT] = "style=bold", [LINE_ROUTE] = "style=solid", [LINE_TABLE] = "style=dotted dir=none",
    };
    buf_printf(out, "  n%u -> n%u [%s", l->from, l->to, styles[l->type]);
    if (l->label.len > 0) {
        buf_puts(out, " label=\"");
        put_dot_text(out, l->label);
        buf_putc(out, '"');
    }
    if (is_box(t, l->from)) buf_printf(out, " ltail=cluster_n%u", l->from);
    if (is_box(t, l->to)) buf_printf(out, " lhead=cluster_n%u", l->to);
    if (action_colors[l->action] != NULL) buf_printf(out, " color=\"%s\"", action_colors[l->action]);
    buf_puts(out, "];\n");
}

void graph_write_dot(struct buf *out, const struct topology *t)
{
    buf_puts(out, "digraph headgate {\n"
                  "  graph [compound=true fontname=\"sans-serif\" nodesep=0.5 ranksep=0.8];\n"
                  "  node [fontname=\"sans-serif\" fontsize=11];\n"
                  "  edge [fontname=\"sans-serif\" fontsize=9];\n");
    for (uint32_t i = t->has_internet ? 0 : 1; i < t->n_nodes; i++)
        if (t->nodes[i].parent == NODE_NONE) put_dot_node(out, t, i, 2);
    for (uint32_t i = 0; i < t->n_links; i++) put_dot_link(out, t, &t->links[i]);
    buf_puts(out, "}\n");
}

/* ---- Mermaid ---- */

/* Mermaid reads labels as HTML and Markdown; what could be either goes as a character reference. */
static void put_mermaid_text(struct buf *out, struct text t)
{
    CLEANUP(buf_fini) struct buf safe;
    buf_init(&safe, SIZE_MAX / 2);
    buf_put_escaped(&safe, t);
    for (size_t i = 0; i < safe.len; i++) {
        char c = safe.ptr[i];
        if (strchr("\"#<>&`*_\\|[](){};", c) != NULL)
            buf_printf(out, "#%d;", c);
        else
            buf_putc(out, c);
    }
    if (!buf_ok(&safe)) out->failed = true;
}

static void put_mermaid_label(struct buf *out, const struct node *n)
{
    const char *word = graph_action_word(n->action);
    buf_putc(out, '"');
    put_mermaid_text(out, n->title);
    if (n->detail.len > 0) {
        buf_puts(out, "<br/>");
        put_mermaid_text(out, n->detail);
    }
    if (word != NULL) buf_printf(out, "<br/>%s", word);
    buf_putc(out, '"');
}

static void put_mermaid_node(struct buf *out, const struct topology *t, uint32_t i, size_t indent)
{
    static const char *const brackets[][2] = {
        [NODE_INTERNET] = {"((", "))"}, [NODE_VPC] = {"[", "]"},      [NODE_VSWITCH] = {"[", "]"},
        [NODE_GATEWAY] = {"{{", "}}"},  [NODE_INSTANCE] = {"[", "]"}, [NODE_EIP] = {"([", "])"},
        [NODE_TABLE] = {"[/", "/]"},    [NODE_OTHER] = {"[", "]"},
    };
    const struct node *n = &t->nodes[i];
    buf_fill(out, ' ', indent);
    buf_printf(out, "%sn%u%s", is_box(t, i) ? "subgraph " : "", i, brackets[n->type][0]);
    put_mermaid_label(out, n);
    buf_printf(out, "%s\n", brackets[n->type][1]);
    if (!is_box(t, i)) return;
    for (uint32_t child = n->first_child; child != NODE_NONE; child = t->nodes[child].next)
        put_mermaid_node(out, t, child, indent + 2);
    buf_fill(out, ' ', indent);
    buf_puts(out, "end\n");
}

static void put_mermaid_link(struct buf *out, const struct link *l)
{
    static const char *const arrows[N_LINES] = {
        [LINE_PUBLIC] = "---", [LINE_BOUND] = "---", [LINE_SNAT] = "-->",
        [LINE_DNAT] = "==>",   [LINE_ROUTE] = "-->", [LINE_TABLE] = "-.-",
    };
    buf_printf(out, "  n%u %s", l->from, arrows[l->type]);
    if (l->label.len > 0) {
        buf_puts(out, "|\"");
        put_mermaid_text(out, l->label);
        buf_puts(out, "\"|");
    }
    buf_printf(out, " n%u\n", l->to);
}

/* Mermaid draws a mark by class. */
static void put_mermaid_classes(struct buf *out, const struct topology *t)
{
    for (int a = 0; a < N_ACTIONS; a++) {
        bool any = false;
        for (uint32_t i = 0; i < t->n_nodes && action_colors[a] != NULL; i++) {
            if (t->nodes[i].action != (enum action)a) continue;
            buf_printf(out, "%sn%u", any ? "," : "  class ", i);
            any = true;
        }
        if (any)
            buf_printf(out, " %s\n  classDef %s stroke:%s,stroke-width:2px\n", action_name((enum action)a),
                       action_name((enum action)a), action_colors[a]);
    }
}

void graph_write_mermaid(struct buf *out, const struct topology *t)
{
    buf_puts(out, "flowchart TB\n");
    for (uint32_t i = t->has_internet ? 0 : 1; i < t->n_nodes; i++)
        if (t->nodes[i].parent == NODE_NONE) put_mermaid_node(out, t, i, 2);
    for (uint32_t i = 0; i < t->n_links; i++) put_mermaid_link(out, &t->links[i]);
    put_mermaid_classes(out, t);
}

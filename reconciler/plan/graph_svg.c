/* graph_svg.c - the drawing as a picture, without any other program. */
#include "reconciler/plan/graph_topology.h"

#include "reconciler/base/buf.h"
#include "reconciler/plan/graph_layout.h"
#include "reconciler/plan/graph_route.h"

#include <string.h>

static const struct {
    const char *name, *color, *dash;
    bool arrow, thick;
} line_styles[N_LINES] = {
    [LINE_PUBLIC] = {"public address", "#78909c", NULL, false, false},
    [LINE_BOUND] = {"bound to", "#37474f", NULL, false, true},
    [LINE_SNAT] = {"SNAT", "#1565c0", NULL, true, false},
    [LINE_DNAT] = {"DNAT", "#7b1fa2", NULL, true, false},
    [LINE_ROUTE] = {"route", "#2e7d32", NULL, true, false},
    [LINE_TABLE] = {"applies route table", "#8d6e63", "5 4", false, false},
};

static const struct {
    const char *fill, *stroke;
    int radius;
} node_styles[] = {
    [NODE_INTERNET] = {"#eceff1", "#78909c", 28}, [NODE_VPC] = {"#f7fbf7", "#81a883", 10},
    [NODE_VSWITCH] = {"#eaf2fb", "#8fb3d9", 8},   [NODE_GATEWAY] = {"#fff3e0", "#ef6c00", 5},
    [NODE_INSTANCE] = {"#ffffff", "#455a64", 5},  [NODE_EIP] = {"#e0f2f1", "#00796b", 24},
    [NODE_TABLE] = {"#efebe9", "#8d6e63", 2},     [NODE_OTHER] = {"#ffffff", "#9e9e9e", 2},
};

static const struct {
    const char *color, *mark;
} action_styles[N_ACTIONS] = {
    [ACTION_CREATE] = {"#2e7d32", "+"},    [ACTION_UPDATE] = {"#b26a00", "~"},
    [ACTION_REPLACE] = {"#c62828", "-/+"}, [ACTION_DELETE] = {"#c62828", "-"},
    [ACTION_ADOPT] = {"#1565c0", "="},     [ACTION_FORGET] = {"#757575", "."},
};

/* ---- text ---- */

/* XML has no way to write control characters, U+FFFE and U+FFFF at all. */
static void put_xml(struct buf *out, struct text t)
{
    CLEANUP(buf_fini) struct buf safe;
    buf_init(&safe, SIZE_MAX / 2);
    buf_put_escaped(&safe, t);
    for (size_t i = 0; i < safe.len; i++) {
        const char *c = safe.ptr + i;
        bool noncharacter =
            i + 2 < safe.len && (memcmp(c, "\xef\xbf\xbe", 3) == 0 || memcmp(c, "\xef\xbf\xbf", 3) == 0);
        if (noncharacter) {
            buf_puts(out, "\xef\xbf\xbd");
            i += 2;
        } else if (*c == '&') {
            buf_puts(out, "&amp;");
        } else if (*c == '<') {
            buf_puts(out, "&lt;");
        } else if (*c == '>') {
            buf_puts(out, "&gt;");
        } else if (*c == '"') {
            buf_puts(out, "&quot;");
        } else {
            buf_putc(out, *c);
        }
    }
    if (!buf_ok(&safe)) out->failed = true;
}

/* As much of it as fits, cut between characters. */
static void put_cut(struct buf *out, struct text t, int width)
{
    size_t limit = (size_t)MAX_OF(width / LAYOUT_CHAR, 4);
    if (t.len <= limit) {
        put_xml(out, t);
        return;
    }
    size_t n = limit - 1;
    while (n > 0 && ((unsigned char)t.ptr[n] & 0xc0) == 0x80) n--;
    put_xml(out, (struct text){t.ptr, n});
    buf_puts(out, "…");
}

static void put_tooltip(struct buf *out, const struct node *n)
{
    const char *word = graph_action_word(n->action);
    buf_puts(out, "<title>");
    put_xml(out, n->title);
    if (n->detail.len > 0) {
        buf_puts(out, ": ");
        put_xml(out, n->detail);
    }
    if (word != NULL) buf_printf(out, " (%s)", word);
    buf_puts(out, "</title>");
}

/* ---- nodes ---- */

static void put_rect(struct buf *out, const struct node *n, struct place p)
{
    const char *marked = action_styles[n->action].color;
    buf_printf(out,
               "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\" fill=\"%s\" stroke=\"%s\"%s%s/>",
               p.x, p.y, p.w, p.h, node_styles[n->type].radius, node_styles[n->type].fill,
               marked != NULL ? marked : node_styles[n->type].stroke,
               marked != NULL ? " stroke-width=\"2.5\"" : "", n->external ? " stroke-dasharray=\"6 4\"" : "");
}

static void put_mark(struct buf *out, const struct node *n, struct place p, int y)
{
    const char *word = graph_action_word(n->action);
    if (word == NULL) return;
    int w = (int)(strlen(word) + strlen(action_styles[n->action].mark) + 1) * 6 + 10;
    buf_printf(out,
               "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"16\" rx=\"8\" fill=\"%s\"/>"
               "<text x=\"%d\" y=\"%d\" class=\"m\">%s %s</text>",
               p.x + p.w - w - 6, y - 8, w, action_styles[n->action].color, p.x + p.w - w / 2 - 6, y + 4,
               action_styles[n->action].mark, word);
}

static void put_line_of_text(struct buf *out, const char *class, int x, int y, struct text t, int width)
{
    buf_printf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, x, y);
    put_cut(out, t, width);
    buf_puts(out, "</text>");
}

/* Titles of vSwitches stand at the right, away from the lines to their gateways. */
static void put_box(struct buf *out, const struct topology *t, uint32_t i, struct place p)
{
    const struct node *n = &t->nodes[i];
    bool right = n->first_child != NODE_NONE && t->nodes[n->first_child].type == NODE_GATEWAY;
    int x = right ? p.x + p.w - 12 : p.x + 12;
    buf_puts(out, "<g>");
    put_tooltip(out, n);
    put_rect(out, n, p);
    put_line_of_text(out, right ? "t e" : "t", x, p.y + 22, n->title, p.w - 24);
    put_line_of_text(out, right ? "d e" : "d", x, p.y + 38, n->detail, p.w - 24);
    put_mark(out, n, p, p.y);
    buf_puts(out, "</g>\n");
}

static void put_item(struct buf *out, const struct node *n, struct place p)
{
    bool two = n->detail.len > 0;
    buf_puts(out, "<g>");
    put_tooltip(out, n);
    put_rect(out, n, p);
    put_line_of_text(out, "t c", place_center_x(p), place_center_y(p) + (two ? -3 : 5), n->title, p.w - 12);
    if (two) put_line_of_text(out, "d c", place_center_x(p), place_center_y(p) + 14, n->detail, p.w - 12);
    put_mark(out, n, p, p.y + p.h);
    buf_puts(out, "</g>\n");
}

/* ---- lines ---- */

static void put_curve(struct buf *out, const struct link *l, const struct curve *c)
{
    buf_printf(out, "<path d=\"M%d %dC%d %d %d %d %d %d\" class=\"l\" stroke=\"%s\"", c->x[0], c->y[0],
               c->x[1], c->y[1], c->x[2], c->y[2], c->x[3], c->y[3], line_styles[l->type].color);
    if (line_styles[l->type].thick) buf_puts(out, " style=\"stroke-width:2.5\"");
    if (line_styles[l->type].dash != NULL)
        buf_printf(out, " stroke-dasharray=\"%s\"", line_styles[l->type].dash);
    if (line_styles[l->type].arrow) buf_printf(out, " marker-end=\"url(#a%d)\"", (int)l->type);
    buf_puts(out, "/>\n");
}

static void put_label(struct buf *out, const struct link *l, const struct curve *c)
{
    if (l->label.len == 0) return;
    bool marked = action_styles[l->action].mark != NULL;
    int w = label_width(l->label) + (marked ? 14 : 0) + 4;
    buf_printf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"14\" rx=\"3\" class=\"b\"/>",
               c->label_x - w / 2, c->label_y - 7, w);
    buf_printf(out, "<text class=\"n\" x=\"%d\" y=\"%d\" style=\"fill:%s\">", c->label_x, c->label_y + 4,
               line_styles[l->type].color);
    if (marked) buf_printf(out, "%s ", action_styles[l->action].mark);
    put_xml(out, l->label);
    buf_puts(out, "</text>\n");
}

static void put_legend(struct buf *out, const struct topology *t, int y)
{
    bool used[N_LINES] = {0};
    for (uint32_t i = 0; i < t->n_links; i++) used[t->links[i].type] = true;
    int x = LAYOUT_MARGIN;
    for (int k = 0; k < N_LINES; k++) {
        if (!used[k]) continue;
        struct curve c = {.x = {x, x + 10, x + 20, x + 32}, .y = {y, y, y, y}};
        put_curve(out, &(struct link){.type = (enum line_type)k}, &c);
        buf_printf(out, "<text class=\"d\" x=\"%d\" y=\"%d\">%s</text>\n", x + 40, y + 4,
                   line_styles[k].name);
        x += 60 + (int)strlen(line_styles[k].name) * LAYOUT_CHAR;
    }
}

static void put_head(struct buf *out, struct text stack, int width, int height)
{
    buf_printf(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n",
        width, height, width, height);
    buf_puts(out, "<title>Network of stack ");
    put_xml(out, stack);
    buf_puts(out, "</title>\n<style>\n"
                  "text{font-family:'DejaVu Sans',Verdana,sans-serif;fill:#263238}\n"
                  ".t{font-size:12px;font-weight:bold}.d{font-size:11px;fill:#546e7a}\n"
                  ".c{text-anchor:middle}.e{text-anchor:end}.h{font-size:17px;font-weight:bold}\n"
                  ".m{font-size:10px;font-weight:bold;fill:#fff;text-anchor:middle}\n"
                  ".l{fill:none;stroke-width:1.6}\n"
                  ".n{font-size:10.5px;text-anchor:middle}.b{fill:#fff;fill-opacity:.88}\n"
                  "</style>\n<defs>\n");
    for (int k = 0; k < N_LINES; k++)
        if (line_styles[k].arrow)
            buf_printf(
                out,
                "<marker id=\"a%d\" viewBox=\"0 0 10 10\" refX=\"10\" refY=\"5\" markerWidth=\"7\" "
                "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L10 5L0 10z\" fill=\"%s\"/></marker>\n",
                k, line_styles[k].color);
    buf_printf(
        out,
        "</defs>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n<text class=\"h\" x=\"%d\" y=\"38\">",
        width, height, LAYOUT_MARGIN);
    put_xml(out, stack);
    buf_puts(out, "</text>\n");
}

static bool is_box(const struct node *n)
{
    return n->type == NODE_VPC || n->type == NODE_VSWITCH;
}

/* Boxes first, the outer ones before the inner ones; then lines, what they end at, and labels on top. */
bool graph_write_svg(struct buf *out, const struct topology *t, struct text stack, struct arena *a)
{
    struct layout l;
    if (!layout_build(a, t, &l)) return false;
    struct curve *curves = route_links(a, t, &l);
    if (curves == NULL) return false;
    put_head(out, stack, MAX_OF(l.width, 760), l.height + (t->n_links > 0 ? 24 : 0));
    for (int pass = NODE_VPC; pass <= NODE_VSWITCH; pass++)
        for (uint32_t i = 0; i < t->n_nodes; i++)
            if (t->nodes[i].type == (enum node_type)pass) put_box(out, t, i, l.places[i]);
    for (uint32_t i = 0; i < t->n_links; i++) put_curve(out, &t->links[i], &curves[i]);
    for (uint32_t i = t->has_internet ? 0 : 1; i < t->n_nodes; i++)
        if (!is_box(&t->nodes[i])) put_item(out, &t->nodes[i], l.places[i]);
    for (uint32_t i = 0; i < t->n_links; i++) put_label(out, &t->links[i], &curves[i]);
    put_legend(out, t, l.height);
    buf_puts(out, "</svg>\n");
    return true;
}

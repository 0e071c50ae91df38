/* graph_route.c - the way that the lines of a drawing take. */
#include "reconciler/plan/graph_route.h"

#include <stdlib.h>

enum { LABEL_CHAR = 6, LABEL_H = 14, SEARCH_LIMIT = 4000000 };

enum side { SIDE_TOP, SIDE_BOTTOM, SIDE_LEFT, SIDE_RIGHT, SIDE_HEAD /* a box's upper edge, from inside */ };

/* Where one end of a link touches its node. */
struct end {
    uint32_t link, node;
    bool arrives;
    enum side side;
    int key; /* where the other end is, along this side */
};

int label_width(struct text label)
{
    return (int)MIN_OF(label.len, (size_t)200) * LABEL_CHAR;
}

static bool contains(struct place outer, struct place inner)
{
    return outer.x <= inner.x && outer.y <= inner.y && outer.x + outer.w >= inner.x + inner.w &&
           outer.y + outer.h >= inner.y + inner.h;
}

enum way { WAY_ANY, WAY_DOWN, WAY_ACROSS };

/* The Internet is above all; the gateways of a vSwitch are at the left of what else is in it. */
static enum way way_of(const struct topology *t, const struct link *link)
{
    if (link->type == LINE_PUBLIC) return WAY_DOWN;
    uint32_t parent = t->nodes[link->from].parent;
    bool siblings = parent != NODE_NONE && parent == t->nodes[link->to].parent;
    return siblings && t->nodes[parent].type == NODE_VSWITCH ? WAY_ACROSS : WAY_ANY;
}

/* The sides that face each other. */
static void choose_sides(struct place from, struct place to, enum way way, enum side *leaves,
                         enum side *arrives)
{
    int below = to.y - (from.y + from.h), above = from.y - (to.y + to.h);
    int right = to.x - (from.x + from.w), left = from.x - (to.x + to.w);
    if (way == WAY_DOWN) {
        *leaves = SIDE_BOTTOM;
        *arrives = SIDE_TOP;
    } else if (contains(from, to)) {
        *leaves = SIDE_HEAD;
        *arrives = SIDE_LEFT;
    } else if (way != WAY_ACROSS && below > 0 && below >= MAX_OF(left, right) / 4) {
        *leaves = SIDE_BOTTOM;
        *arrives = SIDE_TOP;
    } else if (way != WAY_ACROSS && above > 0 && above >= MAX_OF(left, right) / 4) {
        *leaves = SIDE_TOP;
        *arrives = SIDE_BOTTOM;
    } else if (right >= left) {
        *leaves = SIDE_RIGHT;
        *arrives = SIDE_LEFT;
    } else {
        *leaves = SIDE_LEFT;
        *arrives = SIDE_RIGHT;
    }
}

static int compare_ends(const void *a, const void *b)
{
    const struct end *x = a, *y = b;
    if (x->node != y->node) return x->node < y->node ? -1 : 1;
    if (x->side != y->side) return x->side < y->side ? -1 : 1;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    if (x->link != y->link) return x->link < y->link ? -1 : 1;
    return (int)x->arrives - (int)y->arrives;
}

static bool is_horizontal(enum side side)
{
    return side == SIDE_TOP || side == SIDE_BOTTOM || side == SIDE_HEAD;
}

/* The end's point and the control point in front of it. */
static void set_end(struct curve *c, const struct end *e, struct place p, int numerator, int denominator,
                    int reach)
{
    static const int away_x[] = {[SIDE_LEFT] = -1, [SIDE_RIGHT] = 1};
    static const int away_y[] = {
        [SIDE_TOP] = -1, [SIDE_BOTTOM] = 1, [SIDE_LEFT] = 0, [SIDE_RIGHT] = 0, [SIDE_HEAD] = 1};
    int dx = is_horizontal(e->side) ? 0 : away_x[e->side], dy = away_y[e->side];
    int point = e->arrives ? 3 : 0, control = e->arrives ? 2 : 1;
    if (is_horizontal(e->side)) {
        c->x[point] = p.x + (int)((int64_t)p.w * numerator / denominator);
        c->y[point] = p.y + (e->side == SIDE_BOTTOM ? p.h : 0);
    } else {
        c->x[point] = p.x + (e->side == SIDE_RIGHT ? p.w : 0);
        c->y[point] = p.y + (int)((int64_t)p.h * numerator / denominator);
    }
    c->x[control] = c->x[point] + dx * reach;
    c->y[control] = c->y[point] + dy * reach;
}

static bool is_inner(const struct topology *t, const struct layout *l, uint32_t link)
{
    const struct link *k = &t->links[link];
    return k->from != k->to && contains(l->places[k->from], l->places[k->to]);
}

/* Half of the way between the nodes, so that curves leave straight. */
static int reach_of(struct place a, struct place b, enum side side)
{
    int distance = is_horizontal(side) ? abs(place_center_y(a) - place_center_y(b)) - (a.h + b.h) / 2
                                       : abs(place_center_x(a) - place_center_x(b)) - (a.w + b.w) / 2;
    return MAX_OF(distance / 2, 24);
}

/* Ends of one side are spread evenly; the left half of a gateway's upper side is for its own vSwitch. */
static void set_ends(const struct topology *t, const struct layout *l, const struct end *ends, uint32_t n,
                     struct curve *curves)
{
    for (uint32_t first = 0, last; first < n; first = last) {
        for (last = first + 1;
             last < n && ends[last].node == ends[first].node && ends[last].side == ends[first].side;)
            last++;
        for (uint32_t i = first; i < last; i++) {
            const struct link *link = &t->links[ends[i].link];
            uint32_t other = ends[i].arrives ? link->from : link->to;
            int reach = reach_of(l->places[ends[i].node], l->places[other], ends[i].side);
            uint32_t skipped = ends[i].side == SIDE_TOP && t->nodes[ends[i].node].type == NODE_GATEWAY
                                   ? last - first + 1
                                   : 0;
            set_end(&curves[ends[i].link], &ends[i], l->places[ends[i].node], (int)(i - first + 1 + skipped),
                    (int)(last - first + 1 + skipped), reach);
        }
    }
}

/* A line from a vSwitch to a gateway in it is a short arrow from the vSwitch's edge: the upper one, or the
 * left one where another gateway stands above. */
static void straighten(const struct topology *t, const struct layout *l, struct curve *curves)
{
    for (uint32_t i = 0; i < t->n_links; i++) {
        struct place from = l->places[t->links[i].from], to = l->places[t->links[i].to];
        if (!is_inner(t, l, i)) continue;
        bool from_above = to.y - from.y < 2 * to.h;
        struct curve *c = &curves[i];
        c->x[0] = c->x[1] = from_above ? to.x + 14 : from.x;
        c->y[0] = c->y[1] = from_above ? from.y : place_center_y(to);
        c->x[2] = c->x[3] = from_above ? to.x + 14 : to.x;
        c->y[2] = c->y[3] = from_above ? to.y : place_center_y(to);
        c->label_x = to.x + (from_above ? 22 : 0) + label_width(t->links[i].label) / 2;
        c->label_y = to.y - (from_above ? 22 : 12);
    }
}

/* ---- labels ---- */

static int at(const int p[4], int percent)
{
    int64_t s = percent, r = 100 - percent;
    return (int)((r * r * r * p[0] + 3 * r * r * s * p[1] + 3 * r * s * s * p[2] + s * s * s * p[3]) /
                 1000000);
}

static bool overlaps(struct place a, struct place b)
{
    return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

static struct place label_place(const struct curve *c, struct text label)
{
    int w = label_width(label);
    return (struct place){c->label_x - w / 2, c->label_y - LABEL_H / 2, w, LABEL_H};
}

static bool is_free(const struct topology *t, const struct layout *l, const struct curve *curves,
                    uint32_t link)
{
    struct place label = label_place(&curves[link], t->links[link].label);
    for (uint32_t i = 0; i < t->n_nodes; i++)
        if (t->nodes[i].type != NODE_VPC && t->nodes[i].type != NODE_VSWITCH && overlaps(label, l->places[i]))
            return false;
    for (uint32_t i = 0; i < link; i++)
        if (t->links[i].label.len > 0 && overlaps(label, label_place(&curves[i], t->links[i].label)))
            return false;
    return true;
}

/* Tries places along the line. Drawings that nobody can read as a whole are not searched. */
static void place_labels(const struct topology *t, const struct layout *l, struct curve *curves)
{
    static const int tries[] = {50, 42, 58, 34, 66, 26, 74, 18, 82};
    bool search = (uint64_t)t->n_links * (t->n_nodes + t->n_links) < SEARCH_LIMIT;
    for (uint32_t i = 0; i < t->n_links; i++) {
        struct curve *c = &curves[i];
        if (t->links[i].label.len == 0 || contains(l->places[t->links[i].from], l->places[t->links[i].to]))
            continue;
        for (size_t k = 0; k < N_ELEMENTS(tries); k++) {
            c->label_x = at(c->x, tries[k]);
            c->label_y = at(c->y, tries[k]) - 1;
            if (!search || is_free(t, l, curves, i)) break;
            if (k + 1 == N_ELEMENTS(tries)) {
                c->label_x = at(c->x, 50);
                c->label_y = at(c->y, 50);
            }
        }
    }
}

struct curve *route_links(struct arena *a, const struct topology *t, const struct layout *l)
{
    struct curve *curves = arena_array_of(a, t->n_links, struct curve);
    struct end *ends = arena_array_of(a, 2 * (size_t)t->n_links, struct end);
    if (curves == NULL || ends == NULL) return NULL;
    for (uint32_t i = 0; i < t->n_links; i++) {
        const struct link *link = &t->links[i];
        struct place from = l->places[link->from], to = l->places[link->to];
        enum side leaves, arrives;
        choose_sides(from, to, way_of(t, link), &leaves, &arrives);
        bool horizontal = is_horizontal(leaves);
        ends[2 * i] =
            (struct end){i, link->from, false, leaves, horizontal ? place_center_x(to) : place_center_y(to)};
        ends[2 * i + 1] = (struct end){i, link->to, true, arrives,
                                       horizontal ? place_center_x(from) : place_center_y(from)};
    }
    qsort(ends, 2 * (size_t)t->n_links, sizeof *ends, compare_ends);
    set_ends(t, l, ends, 2 * t->n_links, curves);
    straighten(t, l, curves);
    place_labels(t, l, curves);
    return curves;
}

/* graph_layout.c - where the nodes of a drawing go.
 *
 * Bottom-up for sizes, top-down for positions: boxes first; then EIPs above and route tables below what they
 * belong to, moved apart where they would overlap. Linear, but for the sorting of rows. */
#include "reconciler/plan/graph_layout.h"

#include <stdlib.h>

enum {
    ITEM_H = 48,
    ITEM_GAP = 28,      /* between items above each other */
    COLUMN_GAP = 28,    /* between columns of instances */
    GATEWAY_GAP = 170,  /* between gateways and instances: labels of DNAT lines */
    BOX_HEAD = 62,      /* room for a box's title and the lines that come in above */
    VSWITCH_GAP_X = 80, /* between vSwitches */
    VSWITCH_GAP_Y = 100,
    TABLE_GAP = 110, /* between vSwitches and route tables: labels of routes */
    ROW_GAP = 40,    /* between items of a row */
    VPC_GAP = 60,
    INTERNET_W = 170,
    INTERNET_H = 56,
    BAND_GAP = 70, /* between Internet, EIPs and VPCs */
    MIN_ITEM_W = 150,
    MAX_ITEM_W = 300,
};

struct placer {
    const struct topology *t;
    struct layout *l;
    struct wish *wishes; /* room for one row of items */
    int *column_x;       /* room for the columns of one VPC: widths first, then left edges */
    uint32_t *anchor;    /* per node: what it is to stand above or below, or NODE_NONE */
};

static bool is_box(const struct node *n)
{
    return n->type == NODE_VPC || n->type == NODE_VSWITCH;
}

/* The number of columns for n things so that they are about as wide as high; few stay in one row. */
static int columns_for(int n)
{
    if (n <= 4) return MAX_OF(n, 1);
    int columns = 4;
    while (columns * columns < n) columns++;
    return columns;
}

/* ---- rows of items ---- */

struct wish {
    uint32_t node;
    int x; /* the centre that it would like */
};

static int compare_wishes(const void *a, const void *b)
{
    const struct wish *x = a, *y = b;
    if (x->x != y->x) return x->x < y->x ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

/* Places items from 'left' on, within about 'width', each as near to its wish as its neighbours let it;
 * returns the height used. */
static int place_row(struct placer *p, uint32_t n, int left, int width, int top)
{
    if (n == 0) return 0;
    int step = p->l->item_w + ROW_GAP;
    uint32_t per_row = (uint32_t)MAX_OF((width + ROW_GAP) / step, columns_for((int)n));
    qsort(p->wishes, n, sizeof *p->wishes, compare_wishes);
    bool one_row = n <= per_row;
    int next = left;
    for (uint32_t i = 0; i < n; i++) {
        struct place *place = &p->l->places[p->wishes[i].node];
        int rest = (int)(n - i) * step - ROW_GAP; /* what is still to come must fit, too */
        int x = MAX_OF(next, MIN_OF(p->wishes[i].x - p->l->item_w / 2, left + MAX_OF(width, rest) - rest));
        if (!one_row) x = left + (int)(i % per_row) * step;
        int row = one_row ? 0 : (int)(i / per_row);
        *place = (struct place){x, top + row * (ITEM_H + ITEM_GAP), p->l->item_w, ITEM_H};
        next = x + step;
    }
    int rows = one_row ? 1 : (int)((n + per_row - 1) / per_row);
    return rows * (ITEM_H + ITEM_GAP) - ITEM_GAP;
}

static int wish_of(const struct placer *p, uint32_t node)
{
    uint32_t anchor = p->anchor[node];
    if (anchor == NODE_NONE) return INT32_MAX / 2;
    /* Lines come to a gateway at the right half of its upper side. */
    struct place place = p->l->places[anchor];
    return p->t->nodes[anchor].type == NODE_GATEWAY ? place.x + place.w * 3 / 4 : place_center_x(place);
}

/* ---- sizes ---- */

static int title_width(const struct node *n)
{
    return (int)MIN_OF(MAX_OF(n->title.len, n->detail.len), (size_t)48) * LAYOUT_CHAR;
}

static int item_width(const struct topology *t)
{
    int width = MIN_ITEM_W;
    for (uint32_t i = 0; i < t->n_nodes; i++)
        if (!is_box(&t->nodes[i])) width = MAX_OF(width, title_width(&t->nodes[i]) + 30);
    return MIN_OF(width, MAX_ITEM_W);
}

/* Gateways stand in a column of their own, at the left. */
struct vswitch_grid {
    int n_gateways, n_others, rows, columns;
};

static struct vswitch_grid grid_of(const struct topology *t, const struct node *vswitch)
{
    struct vswitch_grid g = {0};
    for (uint32_t c = vswitch->first_child; c != NODE_NONE; c = t->nodes[c].next)
        *(t->nodes[c].type == NODE_GATEWAY ? &g.n_gateways : &g.n_others) += 1;
    int square = g.n_others <= 4 ? g.n_others : columns_for(g.n_others);
    g.rows = MAX_OF(MAX_OF(g.n_gateways, square), 1);
    g.columns = (g.n_others + g.rows - 1) / g.rows;
    return g;
}

static void size_vswitch(struct placer *p, uint32_t i)
{
    const struct node *n = &p->t->nodes[i];
    struct vswitch_grid g = grid_of(p->t, n);
    int w = g.columns * (p->l->item_w + COLUMN_GAP) - (g.columns > 0 ? COLUMN_GAP : 0);
    if (g.n_gateways > 0) w += p->l->item_w + (g.columns > 0 ? GATEWAY_GAP : title_width(n) + LAYOUT_PAD);
    p->l->places[i].w = MAX_OF(w, title_width(n)) + 2 * LAYOUT_PAD;
    p->l->places[i].h = BOX_HEAD + g.rows * (ITEM_H + ITEM_GAP) - ITEM_GAP + LAYOUT_PAD;
}

/* ---- positions ---- */

static void place_in_vswitch(struct placer *p, uint32_t i)
{
    const struct node *n = &p->t->nodes[i];
    struct place box = p->l->places[i];
    struct vswitch_grid g = grid_of(p->t, n);
    int left = box.x + LAYOUT_PAD, others = left + (g.n_gateways > 0 ? p->l->item_w + GATEWAY_GAP : 0);
    int n_gateways = 0, n_others = 0;
    for (uint32_t c = n->first_child; c != NODE_NONE; c = p->t->nodes[c].next) {
        bool gateway = p->t->nodes[c].type == NODE_GATEWAY;
        int row = gateway ? n_gateways++ : n_others % g.rows;
        int column = gateway ? 0 : n_others++ / g.rows;
        p->l->places[c] = (struct place){(gateway ? left : others) + column * (p->l->item_w + COLUMN_GAP),
                                         box.y + BOX_HEAD + row * (ITEM_H + ITEM_GAP), p->l->item_w, ITEM_H};
    }
}

/* Places the vSwitches of a VPC in a grid, each column as wide as its widest; returns the grid's width, and
 * its lower end in *bottom. */
static int place_vswitches(struct placer *p, const struct node *vpc, int left, int top, int *bottom)
{
    int n = 0, k = 0, row_h = 0, x = left;
    for (uint32_t c = vpc->first_child; c != NODE_NONE; c = p->t->nodes[c].next)
        n += p->t->nodes[c].type == NODE_VSWITCH;
    *bottom = top;
    if (n == 0) return 0;
    int columns = columns_for(n);
    for (int i = 0; i < columns; i++) p->column_x[i] = 0;
    for (uint32_t c = vpc->first_child; c != NODE_NONE; c = p->t->nodes[c].next) {
        if (p->t->nodes[c].type != NODE_VSWITCH) continue;
        int *width = &p->column_x[k++ % columns];
        *width = MAX_OF(*width, p->l->places[c].w);
    }
    for (int i = 0; i < columns; i++) {
        int width = p->column_x[i];
        p->column_x[i] = x;
        x += width + VSWITCH_GAP_X;
    }
    k = 0;
    for (uint32_t c = vpc->first_child; c != NODE_NONE; c = p->t->nodes[c].next) {
        if (p->t->nodes[c].type != NODE_VSWITCH) continue;
        if (k > 0 && k % columns == 0) {
            top += row_h + VSWITCH_GAP_Y;
            row_h = 0;
        }
        struct place *place = &p->l->places[c];
        place->x = p->column_x[k++ % columns];
        place->y = top;
        row_h = MAX_OF(row_h, place->h);
        *bottom = top + row_h;
        place_in_vswitch(p, c);
    }
    return x - VSWITCH_GAP_X - left;
}

/* Places a VPC's contents with its upper left corner at x, y, and sizes it. */
static void place_vpc(struct placer *p, uint32_t i, int x, int y)
{
    const struct node *n = &p->t->nodes[i];
    uint32_t n_items = 0;
    int top = y + BOX_HEAD, bottom;
    int inner = place_vswitches(p, n, x + LAYOUT_PAD, top, &bottom);
    inner = MAX_OF(inner, title_width(n));
    for (uint32_t c = n->first_child; c != NODE_NONE; c = p->t->nodes[c].next)
        if (p->t->nodes[c].type != NODE_VSWITCH) p->wishes[n_items++] = (struct wish){c, wish_of(p, c)};
    if (bottom > top && n_items > 0) bottom += TABLE_GAP;
    bottom += place_row(p, n_items, x + LAYOUT_PAD, inner, bottom);
    for (uint32_t c = n->first_child; c != NODE_NONE; c = p->t->nodes[c].next)
        inner = MAX_OF(inner, p->l->places[c].x + p->l->places[c].w - x - LAYOUT_PAD);
    p->l->places[i] = (struct place){x, y, inner + 2 * LAYOUT_PAD, bottom + LAYOUT_PAD - y};
}

/* The boxes that lie in no other, in rows; returns the lower end. */
static int place_boxes(struct placer *p, int top)
{
    int n_boxes = 0, k = 0, x = LAYOUT_MARGIN, bottom = top;
    for (uint32_t i = 0; i < p->t->n_nodes; i++)
        n_boxes += is_box(&p->t->nodes[i]) && p->t->nodes[i].parent == NODE_NONE;
    int columns = columns_for(n_boxes);
    for (uint32_t i = 0; i < p->t->n_nodes; i++) {
        if (!is_box(&p->t->nodes[i]) || p->t->nodes[i].parent != NODE_NONE) continue;
        if (k > 0 && k % columns == 0) {
            x = LAYOUT_MARGIN;
            top = bottom + VPC_GAP;
        }
        k++;
        struct place *place = &p->l->places[i];
        if (p->t->nodes[i].type == NODE_VPC) {
            place_vpc(p, i, x, top);
        } else {
            place->x = x;
            place->y = top;
            place_in_vswitch(p, i);
        }
        x += place->w + VPC_GAP;
        bottom = MAX_OF(bottom, place->y + place->h);
        p->l->width = MAX_OF(p->l->width, x - VPC_GAP + LAYOUT_MARGIN);
    }
    return bottom;
}

/* A row of items that lie in no box: the EIPs, or all others. Returns the height used. */
static int place_loose(struct placer *p, bool eips, int top)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < p->t->n_nodes; i++) {
        const struct node *node = &p->t->nodes[i];
        if (node->parent != NODE_NONE || is_box(node) || (node->type == NODE_EIP) != eips) continue;
        p->wishes[n++] = (struct wish){i, wish_of(p, i)};
    }
    int h = place_row(p, n, LAYOUT_MARGIN, p->l->width - 2 * LAYOUT_MARGIN, top);
    for (uint32_t i = 0; i < n; i++) {
        struct place place = p->l->places[p->wishes[i].node];
        p->l->width = MAX_OF(p->l->width, place.x + place.w + LAYOUT_MARGIN);
    }
    return h;
}

/* What each EIP and route table is to stand near: the first that it is bound to, or applies to. */
static void find_anchors(struct placer *p)
{
    for (uint32_t i = 0; i < p->t->n_nodes; i++) p->anchor[i] = NODE_NONE;
    for (uint32_t i = 0; i < p->t->n_links; i++) {
        const struct link *l = &p->t->links[i];
        if (l->type == LINE_BOUND && p->anchor[l->from] == NODE_NONE) p->anchor[l->from] = l->to;
        if (l->type == LINE_TABLE && p->anchor[l->to] == NODE_NONE) p->anchor[l->to] = l->from;
    }
}

/* Above the middle of the EIPs. */
static void place_internet(struct placer *p, int top)
{
    int left = INT32_MAX, right = 0;
    for (uint32_t i = 1; i < p->t->n_nodes; i++) {
        if (p->t->nodes[i].type != NODE_EIP) continue;
        left = MIN_OF(left, p->l->places[i].x);
        right = MAX_OF(right, p->l->places[i].x + p->l->places[i].w);
    }
    p->l->places[0] = (struct place){MAX_OF(left + (right - left - INTERNET_W) / 2, LAYOUT_MARGIN), top,
                                     INTERNET_W, INTERNET_H};
}

static int count_eips(const struct topology *t)
{
    int n = 0;
    for (uint32_t i = 0; i < t->n_nodes; i++) n += t->nodes[i].type == NODE_EIP;
    return n;
}

bool layout_build(struct arena *a, const struct topology *t, struct layout *out)
{
    *out = (struct layout){.item_w = item_width(t), .item_h = ITEM_H, .width = 480};
    out->places = arena_array_of(a, t->n_nodes, struct place);
    struct placer p = {.t = t, .l = out};
    p.wishes = arena_array_of(a, t->n_nodes, struct wish);
    p.anchor = arena_array_of(a, t->n_nodes, uint32_t);
    p.column_x = arena_array_of(a, (size_t)t->n_nodes + 4, int);
    if (p.column_x == NULL || out->places == NULL || p.wishes == NULL || p.anchor == NULL) return false;
    find_anchors(&p);
    for (uint32_t i = 0; i < t->n_nodes; i++)
        if (t->nodes[i].type == NODE_VSWITCH) size_vswitch(&p, i);

    /* EIPs are placed after the boxes that they stand above, so their height is needed first. */
    int top = LAYOUT_MARGIN + 40, n_eips = count_eips(t);
    int eips_top = top + (t->has_internet ? INTERNET_H + BAND_GAP : 0);
    int bottom = place_boxes(&p, eips_top);
    if (n_eips > 0) {
        int shift = place_loose(&p, true, eips_top) + BAND_GAP;
        for (uint32_t i = 1; i < t->n_nodes; i++)
            if (t->nodes[i].type != NODE_EIP) out->places[i].y += shift;
        bottom += shift;
    }
    int loose = place_loose(&p, false, bottom + BAND_GAP);
    if (loose > 0) bottom += BAND_GAP + loose;
    if (t->has_internet) place_internet(&p, top);
    out->height = bottom + LAYOUT_MARGIN;
    return true;
}

/* graph_route.h - the way that the lines of a drawing take. Private to graph. */
#pragma once

#include "reconciler/plan/graph_layout.h"

/* A cubic curve, and where its label goes. */
struct curve {
    int x[4], y[4];
    int label_x, label_y; /* the label's centre */
};

/* One curve per link: it leaves and arrives at the sides that face each other, apart from other lines there,
 * and its label lies, where there is room, on no item and no other label. NULL when out of memory. */
struct curve *route_links(struct arena *a, const struct topology *t, const struct layout *l);
/* The width of a label in pixels. */
int label_width(struct text label);

/* graph_topology.h - nodes and lines of the drawing, before any format. Private to graph. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/plan/plan.h"

enum { NODE_NONE = UINT32_MAX };

enum node_type {
    NODE_INTERNET,
    NODE_VPC,
    NODE_VSWITCH,
    NODE_GATEWAY,
    NODE_INSTANCE,
    NODE_EIP,
    NODE_TABLE,
    NODE_OTHER
};

struct node {
    enum node_type type;
    uint32_t parent;    /* the box that it lies in, or NODE_NONE */
    enum action action; /* ACTION_NONE without a plan */
    struct text title; /* "NatGateway/nat1", or the cloud's id of what is not in the manifests; not escaped */
    struct text detail;                     /* "192.168.1.0/24, cn-hangzhou-h", or empty */
    bool external;                          /* not in the manifests */
    uint32_t first_child, last_child, next; /* what lies in it, and its next sibling, or NODE_NONE */
};

enum line_type { LINE_PUBLIC, LINE_BOUND, LINE_SNAT, LINE_DNAT, LINE_ROUTE, LINE_TABLE, N_LINES };

struct link {
    enum line_type type;
    uint32_t from, to;
    enum action action;
    struct text label; /* not escaped */
};

/* Belongs to an arena and borrows from desired. Parents stand before what they hold; boxes nest two deep at
 * most: a VPC, and vSwitches in it. Node 0 is the Internet. */
struct topology {
    struct node *nodes;
    struct link *links;
    uint32_t n_nodes, n_links;
    bool has_internet; /* something leads to it */
};

MUST_CHECK bool topology_build(struct arena *a, const struct desired *desired, const struct plan *plan,
                               struct topology *out);

/* The word for an action on a drawing ("create"), NULL for none. */
const char *graph_action_word(enum action a);

struct buf;
void graph_write_dot(struct buf *out, const struct topology *t);
void graph_write_mermaid(struct buf *out, const struct topology *t);
MUST_CHECK bool graph_write_svg(struct buf *out, const struct topology *t, struct text stack,
                                struct arena *a);

/* graph_topology.c - which nodes and lines a stack has.
 *
 * Nodes come in the order of containment (VPCs, vSwitches, what lies in them, what lies beside), so that a
 * node's parent always has a smaller index. */
#include "reconciler/plan/graph_topology.h"

#include "reconciler/base/hash.h"

/* What the manifests refer to without having it. */
struct external {
    struct text key; /* "Vpc vpc-123" */
    uint32_t node;
    UT_hash_handle hh;
};

struct builder {
    struct arena *arena;
    const struct desired *desired;
    const struct plan *plan;
    struct topology *t;
    size_t node_capacity, link_capacity;
    uint32_t *node_of;  /* per desired resource, or NODE_NONE */
    uint8_t *action_of; /* per desired resource */
    struct external *externals;
    uint32_t internet;
    bool ok;
};

const char *graph_action_word(enum action a)
{
    return a == ACTION_NONE || a == ACTION_READ ? NULL : action_name(a);
}

static struct text label(struct builder *b, const char *s)
{
    if (s == NULL) b->ok = false;
    return text_of(s);
}

static uint32_t add_node(struct builder *b, struct node node)
{
    struct topology *t = b->t;
    if (!arena_grow(b->arena, &t->nodes, sizeof *t->nodes, t->n_nodes, &b->node_capacity)) {
        b->ok = false;
        return NODE_NONE;
    }
    node.first_child = node.last_child = node.next = NODE_NONE;
    t->nodes[t->n_nodes] = node;
    return t->n_nodes++;
}

static void add_link(struct builder *b, struct link link)
{
    struct topology *t = b->t;
    if (link.from == NODE_NONE || link.to == NODE_NONE) return;
    if (!arena_grow(b->arena, &t->links, sizeof *t->links, t->n_links, &b->link_capacity)) {
        b->ok = false;
        return;
    }
    t->links[t->n_links++] = link;
}

/* ---- what a reference leads to ---- */

static enum node_type type_of(enum kind kind)
{
    switch (kind) {
    case KIND_VPC: return NODE_VPC;
    case KIND_VSWITCH: return NODE_VSWITCH;
    case KIND_NAT_GATEWAY: return NODE_GATEWAY;
    case KIND_INSTANCE: return NODE_INSTANCE;
    case KIND_EIP: return NODE_EIP;
    case KIND_ROUTE_TABLE: return NODE_TABLE;
    default: return NODE_OTHER;
    }
}

static uint32_t external_node(struct builder *b, enum kind kind, struct text name)
{
    const char *key = arena_printf(b->arena, "%s " TEXT_FMT, kind_info(kind)->name, TEXT_ARG(name));
    struct text k = label(b, key);
    if (key == NULL) return NODE_NONE;
    struct external *e = NULL;
    HASH_FIND(hh, b->externals, k.ptr, k.len, e);
    if (e != NULL) return e->node;
    e = arena_new_of(b->arena, struct external);
    if (e == NULL) {
        b->ok = false;
        return NODE_NONE;
    }
    *e = (struct external){.key = k};
    e->node =
        add_node(b, (struct node){.type = type_of(kind), .parent = NODE_NONE, .title = k, .external = true});
    hash_oom_flag = false;
    HASH_ADD_KEYPTR(hh, b->externals, e->key.ptr, e->key.len, e);
    if (hash_oom_flag) b->ok = false;
    return e->node;
}

/* The node of a reference; NODE_NONE when it is not given. */
static uint32_t node_of(struct builder *b, enum kind kind, struct value v)
{
    if (v.state != VALUE_SET) return NODE_NONE;
    switch ((enum ref_form)v.form) {
    case REF_LOCAL: ASSERT(v.u.num >= 0 && v.u.num < (int64_t)b->desired->n); return b->node_of[v.u.num];
    case REF_NAME: {
        uint32_t i = desired_find(b->desired, kind, value_as_text(v));
        return i == UINT32_MAX ? NODE_NONE : b->node_of[i];
    }
    case REF_ID: return external_node(b, kind, value_as_text(v));
    case REF_LOOKUP:
        return external_node(b, kind,
                             value_is_set(v.u.items[0]) ? value_as_text(v.u.items[0]) : TEXT("(by tags)"));
    case REF_NONE: break;
    }
    return NODE_NONE;
}

static uint32_t field_node(struct builder *b, const struct resource *r, uint8_t field)
{
    return node_of(b, kind_info(r->kind)->fields[field].ref, r->values[field]);
}

static const char *field_text(const struct resource *r, uint8_t field)
{
    return value_is_set(r->values[field]) ? r->values[field].u.text : NULL;
}

/* ---- nodes ---- */

/* Up to two facts, joined by a comma. */
static struct text join(struct builder *b, const char *first, const char *second)
{
    if (first == NULL || second == NULL) return text_of(first != NULL ? first : second);
    return label(b, arena_printf(b->arena, "%s, %s", first, second));
}

static struct text detail_of(struct builder *b, const struct resource *r)
{
    const struct value *v = r->values;
    switch (r->kind) {
    case KIND_VPC: return join(b, field_text(r, VPC_CIDR), NULL);
    case KIND_VSWITCH: return join(b, field_text(r, VSW_CIDR), field_text(r, VSW_ZONE));
    case KIND_INSTANCE: return join(b, field_text(r, INS_PRIVATE_IP), field_text(r, INS_TYPE));
    case KIND_NAT_GATEWAY: return join(b, field_text(r, NAT_NETWORK), field_text(r, NAT_SPEC));
    case KIND_EIP:
        if (!value_is_set(v[EIP_BANDWIDTH])) return join(b, field_text(r, EIP_CHARGE), NULL);
        return join(b, arena_printf(b->arena, "%lld Mbit/s", (long long)v[EIP_BANDWIDTH].u.num),
                    field_text(r, EIP_CHARGE));
    case KIND_ROUTE_TABLE:
        return value_is_set(v[RTB_SYSTEM]) && v[RTB_SYSTEM].u.num != 0 ? TEXT("system") : (struct text){0};
    default: return (struct text){0};
    }
}

static uint32_t parent_of(struct builder *b, const struct resource *r)
{
    static const uint8_t nearest[N_KINDS] = {
        [KIND_VPC] = FIELD_NO,         [KIND_VSWITCH] = VSW_VPC,
        [KIND_INSTANCE] = INS_VSWITCH, [KIND_NAT_GATEWAY] = NAT_VSWITCH,
        [KIND_EIP] = FIELD_NO,         [KIND_ROUTE_TABLE] = RTB_VPC,
    };
    uint8_t field = nearest[r->kind];
    uint32_t parent = field == FIELD_NO ? NODE_NONE : field_node(b, r, field);
    return parent == NODE_NONE && r->kind == KIND_NAT_GATEWAY ? field_node(b, r, NAT_VPC) : parent;
}

static void nodes_of_kind(struct builder *b, enum kind kind)
{
    for (uint32_t i = 0; i < b->desired->n && b->ok; i++) {
        const struct resource *r = &b->desired->items[i];
        if (r->kind != kind) continue;
        const char *title = arena_printf(b->arena, "%s/" TEXT_FMT, kind_info(kind)->name, TEXT_ARG(r->name));
        struct node node = {.type = type_of(kind),
                            .parent = parent_of(b, r),
                            .action = (enum action)b->action_of[i],
                            .title = label(b, title),
                            .detail = detail_of(b, r)};
        b->node_of[i] = add_node(b, node);
    }
}

/* ---- lines ---- */

static struct text short_name(const struct builder *b, uint32_t node)
{
    struct text t = b->t->nodes[node].title, head, rest = t;
    char separator = b->t->nodes[node].external ? ' ' : '/';
    return text_cut(&rest, separator, &head) && rest.ptr != NULL ? rest : t;
}

/* "eip1, eip2"; empty when there is none. */
static struct text names_of_list(struct builder *b, const struct resource *r, uint8_t field)
{
    struct value v = r->values[field];
    const char *names = "";
    for (uint32_t i = 0; v.state == VALUE_SET && i < v.n; i++) {
        if (i == 3) {
            names = arena_printf(b->arena, "%s and %u more", names, v.n - i);
            break;
        }
        uint32_t node = node_of(b, kind_info(r->kind)->fields[field].ref, v.u.items[i]);
        if (node == NODE_NONE) continue;
        struct text name = short_name(b, node);
        names = arena_printf(b->arena, "%s%s" TEXT_FMT, names, i == 0 ? "" : ", ", TEXT_ARG(name));
        if (names == NULL) break;
    }
    return label(b, names);
}

static void lines_of_binding(struct builder *b, const struct resource *r, struct link link)
{
    link.type = LINE_BOUND;
    link.from = field_node(b, r, EAS_EIP);
    link.to = field_node(b, r, EAS_NAT);
    if (link.to == NODE_NONE) link.to = field_node(b, r, EAS_INSTANCE);
    add_link(b, link);
}

static void lines_of_snat(struct builder *b, const struct resource *r, struct link link)
{
    struct text eips = names_of_list(b, r, SNAT_EIPS);
    link.type = LINE_SNAT;
    link.to = field_node(b, r, SNAT_NAT);
    link.from = field_node(b, r, SNAT_VSWITCH);
    if (link.from == NODE_NONE) link.from = field_node(b, r, SNAT_INSTANCE);
    if (link.from == NODE_NONE && value_is_set(r->values[SNAT_CIDR])) {
        link.from = external_node(b, KIND_SNAT_ENTRY, value_as_text(r->values[SNAT_CIDR]));
        if (link.from != NODE_NONE && link.to != NODE_NONE) {
            struct node *block = &b->t->nodes[link.from];
            block->title = value_as_text(r->values[SNAT_CIDR]);
        }
    }
    link.label = label(b, arena_printf(b->arena, "SNAT as " TEXT_FMT, TEXT_ARG(eips)));
    add_link(b, link);
}

static void lines_of_dnat(struct builder *b, const struct resource *r, struct link link)
{
    uint32_t eip = field_node(b, r, DNAT_EIP);
    const char *protocol = field_text(r, DNAT_PROTOCOL), *outside = field_text(r, DNAT_EXTERNAL_PORT);
    const char *inside = field_text(r, DNAT_INTERNAL_PORT), *ip = field_text(r, DNAT_TARGET_IP);
    link.type = LINE_DNAT;
    link.from = field_node(b, r, DNAT_NAT);
    link.to = field_node(b, r, DNAT_TARGET_INSTANCE);
    if (link.to == NODE_NONE && ip != NULL) {
        link.to = external_node(b, KIND_DNAT_ENTRY, text_of(ip));
        if (link.to != NODE_NONE) b->t->nodes[link.to].title = text_of(ip);
    }
    struct text name = eip == NODE_NONE ? (struct text){"", 0} : short_name(b, eip);
    link.label = label(b, arena_printf(b->arena, "DNAT " TEXT_FMT " %s/%s to %s", TEXT_ARG(name),
                                       protocol == NULL ? "tcp" : protocol, outside == NULL ? "any" : outside,
                                       inside == NULL ? "any" : inside));
    add_link(b, link);
}

static void lines_of_route(struct builder *b, const struct resource *r, struct link link)
{
    link.type = LINE_ROUTE;
    link.from = field_node(b, r, RTE_TABLE);
    link.to = field_node(b, r, RTE_HOP_NAT);
    if (link.to == NODE_NONE) link.to = field_node(b, r, RTE_HOP_INSTANCE);
    link.label =
        value_is_set(r->values[RTE_DESTINATION]) ? value_as_text(r->values[RTE_DESTINATION]) : TEXT("");
    add_link(b, link);
}

static void lines_of_resource(struct builder *b, uint32_t i)
{
    const struct resource *r = &b->desired->items[i];
    struct link link = {.action = (enum action)b->action_of[i], .label = TEXT("")};
    switch (r->kind) {
    case KIND_EIP:
        link.type = LINE_PUBLIC;
        link.from = b->internet;
        link.to = b->node_of[i];
        add_link(b, link);
        return;
    case KIND_EIP_ASSOCIATION: lines_of_binding(b, r, link); return;
    case KIND_SNAT_ENTRY: lines_of_snat(b, r, link); return;
    case KIND_DNAT_ENTRY: lines_of_dnat(b, r, link); return;
    case KIND_ROUTE_ENTRY: lines_of_route(b, r, link); return;
    case KIND_ROUTE_TABLE_ASSOCIATION:
        link.type = LINE_TABLE;
        link.from = field_node(b, r, RTA_VSWITCH);
        link.to = field_node(b, r, RTA_TABLE);
        add_link(b, link);
        return;
    default: return;
    }
}

/* ---- all of it ---- */

/* Addresses that exist already lead to the Internet, too. */
static void lines_of_externals(struct builder *b)
{
    for (uint32_t i = 0; i < b->t->n_nodes && b->ok; i++)
        if (b->t->nodes[i].external && b->t->nodes[i].type == NODE_EIP)
            add_link(b, (struct link){.type = LINE_PUBLIC, .from = b->internet, .to = i, .label = TEXT("")});
}

static void chain_children(struct topology *t)
{
    for (uint32_t i = 0; i < t->n_nodes; i++) {
        if (t->nodes[i].parent == NODE_NONE) continue;
        struct node *parent = &t->nodes[t->nodes[i].parent];
        if (parent->last_child == NODE_NONE)
            parent->first_child = i;
        else
            t->nodes[parent->last_child].next = i;
        parent->last_child = i;
    }
}

static bool prepare(struct builder *b)
{
    b->node_of = arena_array_of(b->arena, b->desired->n, uint32_t);
    b->action_of = arena_array_of(b->arena, b->desired->n, uint8_t);
    if (b->node_of == NULL || b->action_of == NULL) return false;
    for (uint32_t i = 0; i < b->desired->n; i++) b->node_of[i] = NODE_NONE;
    for (uint32_t i = 0; b->plan != NULL && i < b->plan->n_changes; i++) {
        const struct change *c = &b->plan->changes[i];
        if (c->desired_index < b->desired->n) b->action_of[c->desired_index] = (uint8_t)c->action;
    }
    return true;
}

bool topology_build(struct arena *a, const struct desired *desired, const struct plan *plan,
                    struct topology *out)
{
    static const enum kind order[] = {KIND_VPC,      KIND_VSWITCH, KIND_NAT_GATEWAY,
                                      KIND_INSTANCE, KIND_EIP,     KIND_ROUTE_TABLE};
    *out = (struct topology){0};
    struct builder b = {.arena = a, .desired = desired, .plan = plan, .t = out, .ok = true};
    if (!prepare(&b)) return false;
    b.internet =
        add_node(&b, (struct node){.type = NODE_INTERNET, .parent = NODE_NONE, .title = TEXT("Internet")});
    for (size_t k = 0; k < N_ELEMENTS(order); k++) nodes_of_kind(&b, order[k]);
    for (uint32_t i = 0; i < desired->n && b.ok; i++) lines_of_resource(&b, i);
    lines_of_externals(&b);
    HASH_CLEAR(hh, b.externals);
    for (uint32_t i = 0; i < out->n_links; i++) out->has_internet |= out->links[i].type == LINE_PUBLIC;
    chain_children(out);
    return b.ok;
}

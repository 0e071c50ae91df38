/* order.c - changes become steps, steps get their order.
 *
 * Hard edges come from references (a child is made after its parent, and deleted before it) and from the
 * cloud's implicit order (an SNAT or DNAT entry needs its EIP bound to the gateway). Soft edges choose, among
 * orders that the cloud allows, the one that never leaves traffic without a way: routes into a table before
 * the table is associated, the SNAT entry before the route that leads to its gateway; and the reverse on the
 * way down.  Source: api-behaviour 9 */
#include "reconciler/base/ip.h"
#include "reconciler/plan/build.h"

#include <string.h>

enum { NO_STEP = UINT32_MAX };

/* A multimap from a 64-bit key to steps: filled, sorted, looked up. */
struct pair {
    uint64_t key;
    uint32_t step;
};
struct pairs {
    struct pair *items;
    size_t n, capacity;
};

struct pending_edge {
    uint32_t step, after;
    bool soft;
};

struct order {
    struct build *b;
    struct step *steps;
    size_t n_steps, steps_capacity;
    uint32_t *delete_step, *apply_step; /* per change; NO_STEP */
    struct pending_edge *edges;
    size_t n_edges, edges_capacity;
    struct edge *attached;     /* to the steps, in their order */
    struct pairs deleted;      /* (kind, id) of what goes -> delete step */
    struct pairs routes_in;    /* table (desired index) -> create steps of its routes */
    struct pairs snat_of;      /* gateway (desired index) -> create steps of its SNAT entries */
    struct pairs binding_of;   /* EIP (desired index) -> create step of its association */
    struct pairs gone_routes;  /* table id -> delete steps of its routes */
    struct pairs gone_snat;    /* gateway id -> delete steps of its SNAT entries */
    struct pairs gone_binding; /* EIP id -> delete step of its association */
    struct pairs gone_vswitch; /* VPC id -> delete steps of its vSwitches */
    struct pairs updated;      /* (kind, id) of what changes in place -> its step */
    struct pairs at_address;   /* (kind, address of an instance) -> steps of those that leave it */
};

static void put(struct order *o, struct pairs *p, uint64_t key, uint32_t step)
{
    if (!arena_grow(o->b->arena, &p->items, sizeof *p->items, p->n, &p->capacity)) {
        o->b->out_of_memory = true;
        return;
    }
    p->items[p->n++] = (struct pair){key, step};
}

static int compare_pairs(const void *pa, const void *pb)
{
    const struct pair *a = pa, *b = pb;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return a->step < b->step ? -1 : a->step > b->step;
}

static void sort_pairs(struct pairs *p)
{
    if (p->n > 1) qsort(p->items, p->n, sizeof *p->items, compare_pairs);
}

/* The first pair with this key; p->n when there is none. */
static size_t first_pair(const struct pairs *p, uint64_t key)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->items[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t id_key(enum kind kind, struct value id)
{
    return text_hash(value_as_text(id)) * 31 + (uint64_t)kind;
}

static void add_edge(struct order *o, uint32_t step, uint32_t after, bool soft)
{
    if (step == NO_STEP || after == NO_STEP || step == after) return;
    if (!arena_grow(o->b->arena, &o->edges, sizeof *o->edges, o->n_edges, &o->edges_capacity)) {
        o->b->out_of_memory = true;
        return;
    }
    o->edges[o->n_edges++] = (struct pending_edge){step, after, soft};
}

/* 'step' after each step of a key. */
static void after_all(struct order *o, uint32_t step, const struct pairs *p, uint64_t key, bool soft)
{
    for (size_t k = first_pair(p, key); k < p->n && p->items[k].key == key; k++)
        add_edge(o, step, p->items[k].step, soft);
}

/* ---- addresses of instances ---- */

/* A field of an object; unset when it is not known. */
static struct value field_of(const struct order *o, enum kind kind, struct value id, uint8_t field)
{
    const struct object *object = value_is_set(id) ? world_find(o->b->world, kind, value_as_text(id)) : NULL;
    return object == NULL ? (struct value){0} : object->values[field];
}

/* A reference as it is now: also what is about to be replaced has an id until then. */
static struct value ref_now(const struct order *o, const struct change *c, uint8_t field)
{
    struct value v = c->desired->values[field];
    if (value_is_set(c->values[field]) || v.state != VALUE_SET || v.form != REF_LOCAL)
        return c->values[field];
    const struct object *target = o->b->bindings[v.u.num].object;
    return target == NULL ? (struct value){0} : value_id(target->id);
}

static uint64_t address_key(struct value vpc, struct value ip)
{
    return value_is_set(vpc) && value_is_set(ip) ? id_key(KIND_VPC, vpc) * 31 + text_hash(value_as_text(ip))
                                                 : 0;
}

/* The private address that something has, is bound to or leads to; 0: none, or not known. */
static uint64_t address_of_object(const struct order *o, const struct object *object)
{
    const struct value *v = object->values;
    switch (object->kind) {
    case KIND_INSTANCE: return address_key(v[INS_VPC], v[INS_PRIVATE_IP]);
    case KIND_EIP_ASSOCIATION:
        return address_key(field_of(o, KIND_INSTANCE, v[EAS_INSTANCE], INS_VPC),
                           field_of(o, KIND_INSTANCE, v[EAS_INSTANCE], INS_PRIVATE_IP));
    case KIND_DNAT_ENTRY:
        return address_key(field_of(o, KIND_NAT_GATEWAY, v[DNAT_NAT], NAT_VPC), v[DNAT_TARGET_IP]);
    default: return 0;
    }
}

/* The same of what is planned. */
static uint64_t address_of_change(const struct order *o, const struct change *c)
{
    struct value ip, instance;
    switch (c->kind) {
    case KIND_INSTANCE:
        return address_key(field_of(o, KIND_VSWITCH, ref_now(o, c, INS_VSWITCH), VSW_VPC),
                           c->values[INS_PRIVATE_IP]);
    case KIND_EIP_ASSOCIATION:
        instance = ref_now(o, c, EAS_INSTANCE);
        return address_key(field_of(o, KIND_INSTANCE, instance, INS_VPC),
                           field_of(o, KIND_INSTANCE, instance, INS_PRIVATE_IP));
    case KIND_DNAT_ENTRY:
        ip = c->values[DNAT_TARGET_IP];
        if (!value_is_set(ip))
            ip = field_of(o, KIND_INSTANCE, ref_now(o, c, DNAT_TARGET_INSTANCE), INS_PRIVATE_IP);
        return address_key(field_of(o, KIND_NAT_GATEWAY, ref_now(o, c, DNAT_NAT), NAT_VPC), ip);
    default: return 0;
    }
}

static void index_address(struct order *o, const struct change *c, uint32_t step)
{
    uint64_t key = address_of_object(o, c->observed);
    if (key != 0) put(o, &o->at_address, key * 31 + (uint64_t)c->kind, step);
}

/* An address has one instance. An instance has one EIP, or DNAT entries that lead to it.
 * Source: AssociateEipAddress and CreateForwardEntry, BIND_INSTANCE_HAVE_PORTMAP_OR_BIND_EIP */
static void edges_of_address(struct order *o, const struct change *c, uint32_t step)
{
    uint64_t key = address_of_change(o, c);
    if (key == 0) return;
    if (c->kind == KIND_INSTANCE) after_all(o, step, &o->at_address, key * 31 + KIND_INSTANCE, false);
    if (c->kind != KIND_INSTANCE) after_all(o, step, &o->at_address, key * 31 + KIND_EIP_ASSOCIATION, false);
    if (c->kind == KIND_EIP_ASSOCIATION)
        after_all(o, step, &o->at_address, key * 31 + KIND_DNAT_ENTRY, false);
}

/* ---- steps ---- */

static uint32_t add_step(struct order *o, uint32_t change, enum verb verb)
{
    if (!arena_grow(o->b->arena, &o->steps, sizeof *o->steps, o->n_steps, &o->steps_capacity)) {
        o->b->out_of_memory = true;
        return NO_STEP;
    }
    o->steps[o->n_steps] = (struct step){.change = change, .verb = verb};
    return (uint32_t)o->n_steps++;
}

static void make_steps(struct order *o)
{
    struct build *b = o->b;
    for (uint32_t k = 0; k < b->n_changes && !b->out_of_memory; k++) {
        const struct change *c = &b->changes[k];
        o->delete_step[k] = o->apply_step[k] = NO_STEP;
        switch (c->action) {
        case ACTION_CREATE: o->apply_step[k] = add_step(o, k, VERB_CREATE); break;
        case ACTION_UPDATE:
        case ACTION_ADOPT: o->apply_step[k] = add_step(o, k, VERB_UPDATE); break;
        case ACTION_DELETE: o->delete_step[k] = add_step(o, k, VERB_DELETE); break;
        case ACTION_REPLACE:
            o->delete_step[k] = add_step(o, k, VERB_DELETE);
            o->apply_step[k] = add_step(o, k, VERB_CREATE);
            if (c->create_first)
                add_edge(o, o->delete_step[k], o->apply_step[k], false);
            else
                add_edge(o, o->apply_step[k], o->delete_step[k], false);
            break;
        case ACTION_READ: /* a step only to wait for it */
            if (c->observed->phase == PHASE_PENDING) o->apply_step[k] = add_step(o, k, VERB_UPDATE);
            break;
        case ACTION_FORGET: /* a step only to take our tags away */
            if (change_disowns(c, b->options->stack)) (void)add_step(o, k, VERB_UPDATE);
            break;
        case ACTION_NONE:
        case N_ACTIONS: break;
        }
    }
}

/* ---- indexes of what others wait for ---- */

static void index_created(struct order *o, const struct change *c, uint32_t step)
{
    const struct value *v = c->desired->values;
    if (c->kind == KIND_ROUTE_ENTRY && v[RTE_TABLE].form == REF_LOCAL)
        put(o, &o->routes_in, (uint64_t)v[RTE_TABLE].u.num, step);
    if (c->kind == KIND_SNAT_ENTRY && v[SNAT_NAT].form == REF_LOCAL)
        put(o, &o->snat_of, (uint64_t)v[SNAT_NAT].u.num, step);
    if (c->kind == KIND_EIP_ASSOCIATION && v[EAS_EIP].form == REF_LOCAL)
        put(o, &o->binding_of, (uint64_t)v[EAS_EIP].u.num, step);
}

static void index_deleted(struct order *o, const struct change *c, uint32_t step)
{
    const struct value *v = c->observed->values;
    put(o, &o->deleted, id_key(c->kind, value_cstr(c->observed->id)), step);
    if (c->kind == KIND_ROUTE_ENTRY) put(o, &o->gone_routes, id_key(KIND_ROUTE_TABLE, v[RTE_TABLE]), step);
    if (c->kind == KIND_SNAT_ENTRY) put(o, &o->gone_snat, id_key(KIND_NAT_GATEWAY, v[SNAT_NAT]), step);
    if (c->kind == KIND_EIP_ASSOCIATION) put(o, &o->gone_binding, id_key(KIND_EIP, v[EAS_EIP]), step);
    if (c->kind == KIND_VSWITCH) put(o, &o->gone_vswitch, id_key(KIND_VPC, v[VSW_VPC]), step);
}

static void make_indexes(struct order *o)
{
    for (uint32_t k = 0; k < o->b->n_changes; k++) {
        const struct change *c = &o->b->changes[k];
        if (o->apply_step[k] != NO_STEP) index_created(o, c, o->apply_step[k]);
        if (c->action == ACTION_UPDATE || (c->action == ACTION_ADOPT && c->n_diffs > 0))
            put(o, &o->updated, id_key(c->kind, value_cstr(c->observed->id)), o->apply_step[k]);
        if (o->delete_step[k] != NO_STEP) {
            index_deleted(o, c, o->delete_step[k]);
            index_address(o, c, o->delete_step[k]);
        } else if (o->apply_step[k] != NO_STEP && c->observed != NULL &&
                   address_of_change(o, c) != address_of_object(o, c->observed)) {
            index_address(o, c, o->apply_step[k]);
        }
    }
    struct pairs *all[] = {&o->deleted,   &o->routes_in,    &o->snat_of,      &o->binding_of, &o->gone_routes,
                           &o->gone_snat, &o->gone_binding, &o->gone_vswitch, &o->updated,    &o->at_address};
    for (size_t k = 0; k < N_ELEMENTS(all); k++) sort_pairs(all[k]);
}

/* ---- edges ---- */

static void after_target(struct order *o, uint32_t step, struct value v)
{
    if (v.state != VALUE_SET || v.form != REF_LOCAL) return;
    uint32_t change = o->b->bindings[v.u.num].change;
    if (change != UINT32_MAX) add_edge(o, step, o->apply_step[change], false);
}

/* Made or changed after all that it refers to. */
static void edges_of_apply(struct order *o, const struct change *c, uint32_t step)
{
    const struct kind_info *info = kind_info(c->kind);
    const struct value *v = c->desired->values;
    for (uint8_t f = 0; f < info->n_fields; f++) {
        if (info->fields[f].type == FIELD_REF) after_target(o, step, v[f]);
        if (info->fields[f].type == FIELD_REF_LIST && v[f].state == VALUE_SET)
            for (uint32_t k = 0; k < v[f].n; k++) after_target(o, step, v[f].u.items[k]);
    }
    if (c->kind == KIND_SNAT_ENTRY && v[SNAT_EIPS].state == VALUE_SET)
        for (uint32_t k = 0; k < v[SNAT_EIPS].n; k++)
            if (v[SNAT_EIPS].u.items[k].form == REF_LOCAL)
                after_all(o, step, &o->binding_of, (uint64_t)v[SNAT_EIPS].u.items[k].u.num, false);
    if (c->kind == KIND_DNAT_ENTRY && v[DNAT_EIP].form == REF_LOCAL)
        after_all(o, step, &o->binding_of, (uint64_t)v[DNAT_EIP].u.num, false);
    if (c->kind == KIND_ROUTE_TABLE_ASSOCIATION && v[RTA_TABLE].form == REF_LOCAL)
        after_all(o, step, &o->routes_in, (uint64_t)v[RTA_TABLE].u.num, true);
    if (c->kind == KIND_ROUTE_ENTRY && v[RTE_HOP_NAT].form == REF_LOCAL)
        after_all(o, step, &o->snat_of, (uint64_t)v[RTE_HOP_NAT].u.num, true);
    bool is_made = c->action == ACTION_CREATE || c->action == ACTION_REPLACE;
    if (c->kind == KIND_VSWITCH && is_made && value_is_set(c->values[VSW_VPC])) {
        /* A block can be taken again when its old owner is gone. */
        uint64_t key = id_key(KIND_VPC, c->values[VSW_VPC]);
        struct cidr mine, other;
        for (size_t k = first_pair(&o->gone_vswitch, key);
             k < o->gone_vswitch.n && o->gone_vswitch.items[k].key == key; k++) {
            uint32_t gone = o->gone_vswitch.items[k].step;
            struct value old = o->b->changes[o->steps[gone].change].observed->values[VSW_CIDR];
            if (cidr_parse(value_as_text(v[VSW_CIDR]), &mine) == IP_OK &&
                cidr_parse(value_as_text(old), &other) == IP_OK && cidr_overlaps(mine, other))
                add_edge(o, step, gone, false);
        }
    }
}

/* What goes waits for all that refers to it now, be that deleted or changed to refer to something else. */
static void edges_of_leaving(struct order *o, const struct change *c, uint32_t step, bool deleted)
{
    const struct kind_info *info = kind_info(c->kind);
    const struct value *v = c->observed->values;
    for (uint8_t f = 0; f < info->n_fields; f++) {
        const struct value *items = &v[f];
        uint32_t n = 1;
        if (info->fields[f].type == FIELD_REF_LIST && v[f].state == VALUE_SET)
            items = v[f].u.items, n = v[f].n;
        else if (info->fields[f].type != FIELD_REF)
            continue;
        for (uint32_t k = 0; k < n; k++) {
            if (!value_is_set(items[k])) continue;
            uint64_t key = id_key(info->fields[f].ref, items[k]);
            for (size_t p = first_pair(&o->deleted, key); p < o->deleted.n && o->deleted.items[p].key == key;
                 p++)
                add_edge(o, o->deleted.items[p].step, step, false);
        }
    }
    /* The entry goes before the binding of its address. */
    if (c->kind == KIND_SNAT_ENTRY && value_is_set(v[SNAT_EIPS]))
        for (uint32_t k = 0; k < v[SNAT_EIPS].n; k++) {
            uint64_t key = id_key(KIND_EIP, v[SNAT_EIPS].u.items[k]);
            for (size_t p = first_pair(&o->gone_binding, key);
                 p < o->gone_binding.n && o->gone_binding.items[p].key == key; p++)
                add_edge(o, o->gone_binding.items[p].step, step, false);
        }
    if (c->kind == KIND_DNAT_ENTRY && value_is_set(v[DNAT_EIP])) {
        uint64_t key = id_key(KIND_EIP, v[DNAT_EIP]);
        for (size_t p = first_pair(&o->gone_binding, key);
             p < o->gone_binding.n && o->gone_binding.items[p].key == key; p++)
            add_edge(o, o->gone_binding.items[p].step, step, false);
    }
    if (!deleted) return;
    /* Soft: first the association, then the routes of its table; first the route, then the SNAT entries that
     * it led to. */
    if (c->kind == KIND_ROUTE_TABLE_ASSOCIATION && value_is_set(v[RTA_TABLE])) {
        uint64_t key = id_key(KIND_ROUTE_TABLE, v[RTA_TABLE]);
        for (size_t p = first_pair(&o->gone_routes, key);
             p < o->gone_routes.n && o->gone_routes.items[p].key == key; p++)
            add_edge(o, o->gone_routes.items[p].step, step, true);
    }
    if (c->kind == KIND_ROUTE_ENTRY && value_is_set(v[RTE_HOP_NAT])) {
        uint64_t key = id_key(KIND_NAT_GATEWAY, v[RTE_HOP_NAT]);
        for (size_t p = first_pair(&o->gone_snat, key);
             p < o->gone_snat.n && o->gone_snat.items[p].key == key; p++)
            add_edge(o, o->gone_snat.items[p].step, step, true);
    }
}

/* A natural key can be taken when who has it now has left it. */
static void edges_of_key(struct order *o, const struct change *c, uint32_t step)
{
    const struct object *holder = world_find_key(o->b->world, c->kind, c->values);
    if (holder == NULL || holder == c->observed) return;
    uint64_t key = id_key(c->kind, value_cstr(holder->id));
    after_all(o, step, &o->deleted, key, false);
    after_all(o, step, &o->updated, key, false);
}

/* What an interrupted run has left of a resource goes before that is made: the state has one place for
 * either.
 */
static void edges_of_left_behind(struct order *o, const struct change *c, uint32_t step)
{
    struct text base = plan_base_name(c->name);
    uint32_t i = base.len == c->name.len ? UINT32_MAX : desired_find(o->b->desired, c->kind, base);
    uint32_t own = i == UINT32_MAX ? UINT32_MAX : o->b->bindings[i].change;
    if (own == UINT32_MAX) return;
    enum action action = o->b->changes[own].action;
    if (action == ACTION_CREATE || action == ACTION_REPLACE) add_edge(o, o->apply_step[own], step, false);
}

static void make_edges(struct order *o)
{
    for (uint32_t k = 0; k < o->b->n_changes && !o->b->out_of_memory; k++) {
        const struct change *c = &o->b->changes[k];
        if (o->apply_step[k] != NO_STEP) edges_of_apply(o, c, o->apply_step[k]);
        if (o->apply_step[k] != NO_STEP) edges_of_key(o, c, o->apply_step[k]);
        if (o->apply_step[k] != NO_STEP) edges_of_address(o, c, o->apply_step[k]);
        if (o->delete_step[k] != NO_STEP) edges_of_left_behind(o, c, o->delete_step[k]);
        if (o->delete_step[k] != NO_STEP)
            edges_of_leaving(o, c, o->delete_step[k], true);
        else if (o->apply_step[k] != NO_STEP && c->observed != NULL)
            edges_of_leaving(o, c, o->apply_step[k], false);
    }
}

/* ---- the graph ---- */

static int compare_edges(const void *pa, const void *pb)
{
    const struct pending_edge *a = pa, *b = pb;
    if (a->step != b->step) return a->step < b->step ? -1 : 1;
    if (a->after != b->after) return a->after < b->after ? -1 : 1;
    return (int)a->soft - (int)b->soft; /* hard first: that one is kept */
}

static enum err_code attach_edges(struct order *o)
{
    if (o->n_edges > 1) qsort(o->edges, o->n_edges, sizeof *o->edges, compare_edges);
    struct edge *all = o->attached = arena_array_of(o->b->arena, o->n_edges, struct edge);
    if (all == NULL) return err_nomem(o->b->err);
    size_t n = 0;
    for (size_t k = 0; k < o->n_edges; k++) {
        const struct pending_edge *e = &o->edges[k];
        if (k > 0 && e->step == o->edges[k - 1].step && e->after == o->edges[k - 1].after) continue;
        struct step *s = &o->steps[e->step];
        if (s->n_after == 0) s->after = &all[n];
        all[n++] = (struct edge){e->after, e->soft};
        s->n_after++;
    }
    return ERR_OK;
}

/* Steps in an order in which each comes after what it waits for; returns how many could be ordered. */
static uint32_t topological(const struct order *o, uint32_t *sorted, uint32_t *n_waiting,
                            uint32_t *users_start, uint32_t *users)
{
    uint32_t n = (uint32_t)o->n_steps;
    memset(users_start, 0, (n + 1) * sizeof *users_start);
    for (uint32_t s = 0; s < n; s++)
        for (uint32_t k = 0; k < o->steps[s].n_after; k++) users_start[o->steps[s].after[k].step + 1]++;
    for (uint32_t s = 0; s < n; s++) users_start[s + 1] += users_start[s];
    uint32_t *fill = n_waiting; /* used as a cursor first */
    memcpy(fill, users_start, n * sizeof *fill);
    for (uint32_t s = 0; s < n; s++)
        for (uint32_t k = 0; k < o->steps[s].n_after; k++) users[fill[o->steps[s].after[k].step]++] = s;
    uint32_t n_sorted = 0;
    for (uint32_t s = 0; s < n; s++) {
        n_waiting[s] = o->steps[s].n_after;
        if (n_waiting[s] == 0) sorted[n_sorted++] = s;
    }
    for (uint32_t at = 0; at < n_sorted; at++)
        for (uint32_t k = users_start[sorted[at]]; k < users_start[sorted[at] + 1]; k++)
            if (--n_waiting[users[k]] == 0) sorted[n_sorted++] = users[k];
    return n_sorted;
}

/* Marks the steps that lie on a cycle, or between two: 'n_waiting' is positive for those that could not be
 * ordered, which are these and all that come after them; the latter are taken off from the end. */
static bool *mark_cycles(const struct order *o, const uint32_t *n_waiting)
{
    uint32_t n = (uint32_t)o->n_steps, n_ends = 0;
    bool *marked = arena_array_of(o->b->arena, n, bool);
    uint32_t *n_users = arena_array_of(o->b->arena, n, uint32_t);
    uint32_t *ends = arena_array_of(o->b->arena, n, uint32_t);
    if (marked == NULL || n_users == NULL || ends == NULL) return NULL;
    for (uint32_t s = 0; s < n; s++) {
        marked[s] = n_waiting[s] > 0;
        for (uint32_t k = 0; marked[s] && k < o->steps[s].n_after; k++) n_users[o->steps[s].after[k].step]++;
    }
    for (uint32_t s = 0; s < n; s++)
        if (marked[s] && n_users[s] == 0) ends[n_ends++] = s;
    while (n_ends > 0) {
        const struct step *end = &o->steps[ends[--n_ends]];
        marked[end - o->steps] = false;
        for (uint32_t k = 0; k < end->n_after; k++) {
            uint32_t before = end->after[k].step;
            if (--n_users[before] == 0 && marked[before]) ends[n_ends++] = before;
        }
    }
    return marked;
}

/* What is only preferred gives way where it would go round in circles. False when nothing could. */
static bool drop_soft_edges(struct order *o, const bool *marked)
{
    size_t at = 0, n_dropped = 0;
    for (uint32_t s = 0; s < o->n_steps; s++) {
        uint32_t n_after = o->steps[s].n_after, n_kept = 0;
        struct edge *after = &o->attached[at]; /* edges are attached in the order of their steps */
        at += n_after;
        for (uint32_t k = 0; k < n_after; k++)
            if (!after[k].soft || !marked[s] || !marked[after[k].step]) after[n_kept++] = after[k];
        n_dropped += n_after - n_kept;
        o->steps[s].n_after = n_kept;
    }
    return n_dropped > 0;
}

/* Entries on a cycle go before their new ones come: a route that would be led from one gateway to the next is
 * taken away first when the next can only be made where the one has been. Returns how many were turned. */
static uint32_t turn_entries(struct order *o, const bool *marked)
{
    uint32_t n = 0;
    for (uint32_t s = 0; s < o->n_steps; s++) {
        struct change *c = &o->b->changes[o->steps[s].change];
        bool in_place = c->action == ACTION_UPDATE && !c->desired->lifecycle->prevent_destroy;
        bool create_first = c->action == ACTION_REPLACE && c->create_first;
        if (!marked[s] || kind_is_taggable(c->kind) || !(in_place || create_first)) continue;
        c->action = ACTION_REPLACE;
        c->create_first = false;
        c->old = NULL;
        if (in_place) c->reason = REASON_PARENT_REPLACED;
        enum disruption d = c->kind == KIND_SECURITY_GROUP_RULE ? DISRUPTION_BRIEF : DISRUPTION_OUTAGE;
        c->disruption = MAX_OF(c->disruption, d);
        n++;
    }
    o->b->n_turned += n;
    return n;
}

static enum err_code report_cycle(struct order *o, const uint32_t *n_waiting)
{
    struct build *b = o->b;
    char names[400] = "";
    size_t len = 0, n = 0;
    for (uint32_t s = 0; s < o->n_steps && n < 6; s++) {
        if (n_waiting[s] == 0) continue;
        const struct change *c = &b->changes[o->steps[s].change];
        char address[RESOURCE_ADDRESS_SIZE];
        int m = snprintf(names + len, sizeof names - len, "%s%s of %s", n == 0 ? "" : ", ",
                         verb_name(o->steps[s].verb), address_format(c->kind, c->name, address));
        if (m < 0 || (size_t)m >= sizeof names - len) break;
        len += (size_t)m;
        n++;
    }
    return err_set(b->err, ERR_CONFLICT,
                   "these changes wait for each other; apply them in two goes (--target): %s", names);
}

/* What the engine will ask the cloud for, as far as it is known now. */
static struct goal goal_of(const struct build *b, const struct step *s)
{
    const struct change *c = &b->changes[s->change];
    const struct kind_info *info = kind_info(c->kind);
    bool tagged = c->recorded != NULL && info->tags_field != FIELD_NO;
    uint64_t changed = 0;
    for (uint32_t k = 0; k < c->n_diffs; k++) changed |= (uint64_t)1 << c->diffs[k].field;
    uint64_t ignored = c->desired == NULL ? 0 : c->desired->lifecycle->ignore_changes;
    if (c->action == ACTION_UPDATE && c->desired->lifecycle->management == MANAGE_DETECT) ignored |= ~changed;
    return (struct goal){.verb = s->verb,
                         .kind = c->kind,
                         .values = s->verb == VERB_DELETE ? NULL : c->values,
                         .set_fields = c->set_fields,
                         .reset_fields = c->reset_fields,
                         .ignore_fields = ignored,
                         .owned_tags = tagged ? &c->recorded->values[info->tags_field] : NULL,
                         .observed = s->verb == VERB_CREATE ? NULL : c->observed,
                         .world = b->world,
                         .stack = b->options->stack,
                         .name = c->name,
                         .disown = c->action == ACTION_FORGET,
                         .protect = c->desired != NULL && c->desired->lifecycle->prevent_destroy,
                         .unseen_fields = changed};
}

static uint32_t count_requests(const struct build *b, const struct step *s)
{
    struct goal goal = goal_of(b, s);
    if (b->changes[s->change].action == ACTION_READ) return 0;
    return b->cloud->n_requests == NULL ? 1 : b->cloud->n_requests(b->cloud, &goal, b->arena);
}

/* Depth, longest remaining path and the plan's critical path. */
static void measure(struct order *o, const uint32_t *sorted)
{
    struct build *b = o->b;
    uint32_t n = (uint32_t)o->n_steps;
    for (uint32_t at = 0; at < n; at++) {
        struct step *s = &o->steps[sorted[at]];
        for (uint32_t k = 0; k < s->n_after; k++)
            s->depth = MAX_OF(s->depth, o->steps[s->after[k].step].depth + 1);
    }
    for (uint32_t at = n; at-- > 0;) {
        struct step *s = &o->steps[sorted[at]];
        int64_t shortest = 0, typical = 0, deadline = 0;
        b->cloud->durations(b->cloud, b->changes[s->change].kind, s->verb, &shortest, &typical, &deadline);
        s->path_ms += typical;
        for (uint32_t k = 0; k < s->n_after; k++) {
            struct step *before = &o->steps[s->after[k].step];
            before->path_ms = MAX_OF(before->path_ms, s->path_ms);
        }
        b->plan.critical_ms = MAX_OF(b->plan.critical_ms, s->path_ms);
    }
    b->plan.critical_ms = (int64_t)((double)b->plan.critical_ms * b->cloud->time_scale);
    for (uint32_t k = 0; k < n; k++) b->plan.n_calls += count_requests(b, &o->steps[k]);
}

/* One attempt. *again: entries were turned, and with that the steps are others. */
static enum err_code try_order(struct build *b, bool *again)
{
    struct order o = {.b = b};
    *again = false;
    o.delete_step = arena_array_of(b->arena, b->n_changes, uint32_t);
    o.apply_step = arena_array_of(b->arena, b->n_changes, uint32_t);
    if (o.delete_step == NULL || o.apply_step == NULL) return err_nomem(b->err);
    make_steps(&o);
    make_indexes(&o);
    make_edges(&o);
    if (b->out_of_memory) return err_nomem(b->err);
    enum err_code code = attach_edges(&o);
    if (code != ERR_OK) return code;
    uint32_t *sorted = arena_array_of(b->arena, o.n_steps, uint32_t);
    uint32_t *n_waiting = arena_array_of(b->arena, o.n_steps, uint32_t);
    uint32_t *users_start = arena_array_of(b->arena, o.n_steps + 1, uint32_t);
    uint32_t *users = arena_array_of(b->arena, o.n_edges, uint32_t);
    if (sorted == NULL || n_waiting == NULL || users_start == NULL || users == NULL) return err_nomem(b->err);
    if (topological(&o, sorted, n_waiting, users_start, users) < o.n_steps) {
        const bool *marked = mark_cycles(&o, n_waiting);
        if (marked == NULL) return err_nomem(b->err);
        bool dropped = drop_soft_edges(&o, marked);
        if (!dropped || topological(&o, sorted, n_waiting, users_start, users) < o.n_steps) {
            if ((marked = mark_cycles(&o, n_waiting)) == NULL) return err_nomem(b->err);
            *again = turn_entries(&o, marked) > 0;
            return *again ? ERR_OK : report_cycle(&o, n_waiting);
        }
    }
    measure(&o, sorted);
    b->plan.steps = o.steps;
    b->plan.n_steps = (uint32_t)o.n_steps;
    return ERR_OK;
}

enum err_code order_steps(struct build *b)
{
    enum err_code code;
    bool again;
    do { /* each time fewer entries are left to be turned */
        code = try_order(b, &again);
    } while (code == ERR_OK && again);
    return code;
}

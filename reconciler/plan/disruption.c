/* disruption.c - how traffic suffers while a change is carried out, and whose traffic. */
#include "reconciler/plan/build.h"

#include <string.h>

/* How traffic suffers when a resource of a kind is replaced or deleted. */
static const struct {
    enum disruption replaced, replaced_create_first, deleted;
} kind_disruption[N_KINDS] = {
    [KIND_VPC] = {DISRUPTION_OUTAGE, DISRUPTION_OUTAGE, DISRUPTION_OUTAGE},
    [KIND_VSWITCH] = {DISRUPTION_OUTAGE, DISRUPTION_OUTAGE, DISRUPTION_OUTAGE},
    [KIND_SECURITY_GROUP] = {DISRUPTION_BRIEF, DISRUPTION_BRIEF, DISRUPTION_NONE},
    [KIND_SECURITY_GROUP_RULE] = {DISRUPTION_BRIEF, DISRUPTION_NONE, DISRUPTION_BRIEF},
    [KIND_INSTANCE] = {DISRUPTION_OUTAGE, DISRUPTION_OUTAGE, DISRUPTION_OUTAGE},
    [KIND_NAT_GATEWAY] = {DISRUPTION_OUTAGE, DISRUPTION_BRIEF, DISRUPTION_OUTAGE},
    [KIND_EIP] = {DISRUPTION_EGRESS, DISRUPTION_EGRESS, DISRUPTION_EGRESS},
    [KIND_EIP_ASSOCIATION] = {DISRUPTION_OUTAGE, DISRUPTION_OUTAGE, DISRUPTION_OUTAGE},
    [KIND_SNAT_ENTRY] = {DISRUPTION_OUTAGE, DISRUPTION_OUTAGE, DISRUPTION_OUTAGE},
    [KIND_DNAT_ENTRY] = {DISRUPTION_OUTAGE, DISRUPTION_OUTAGE, DISRUPTION_OUTAGE},
    [KIND_ROUTE_TABLE] = {DISRUPTION_BRIEF, DISRUPTION_BRIEF, DISRUPTION_NONE},
    [KIND_ROUTE_ENTRY] = {DISRUPTION_OUTAGE, DISRUPTION_BRIEF, DISRUPTION_OUTAGE},
    [KIND_ROUTE_TABLE_ASSOCIATION] = {DISRUPTION_OUTAGE, DISRUPTION_BRIEF, DISRUPTION_OUTAGE},
};

enum disruption disruption_of_replace(enum kind kind, bool create_first)
{
    return create_first ? kind_disruption[kind].replaced_create_first : kind_disruption[kind].replaced;
}

enum disruption disruption_of_delete(enum kind kind)
{
    return kind_disruption[kind].deleted;
}

/* Where the resources of a kind begin, or would. */
static uint32_t first_of_kind(const struct desired *d, enum kind kind)
{
    uint32_t low = 0, high = d->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (d->items[middle].kind < kind)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- where traffic leaves from ---- */

/* The EIPs that traffic leaves from by way of a next hop, as far as they are known. */
struct exits {
    const char *ids[64];
    uint32_t n;
    bool known; /* all of them */
};

static bool has_exit(const struct exits *e, const char *id)
{
    for (uint32_t k = 0; k < e->n; k++)
        if (strcmp(e->ids[k], id) == 0) return true;
    return false;
}

static void add_exit(struct exits *e, const char *id)
{
    if (id != NULL && has_exit(e, id)) return;
    e->known = e->known && id != NULL && e->n < N_ELEMENTS(e->ids);
    if (e->known) e->ids[e->n++] = id;
}

/* Traffic leaves from other addresses after than before: known, not feared. */
static bool exits_differ(const struct exits *before, const struct exits *after)
{
    if (!before->known || !after->known || before->n == 0 || after->n == 0) return false;
    for (uint32_t k = 0; k < before->n; k++)
        if (!has_exit(after, before->ids[k])) return true;
    for (uint32_t k = 0; k < after->n; k++)
        if (!has_exit(before, after->ids[k])) return true;
    return false;
}

/* An SNAT entry: by which gateway to which EIPs. */
struct way_out {
    struct value nat, eips;
};

static int compare_ways(const void *a, const void *b)
{
    return value_compare(FIELD_REF, ((const struct way_out *)a)->nat, ((const struct way_out *)b)->nat);
}

static bool add_way(struct build *b, struct ways_out *w, size_t *capacity, struct value nat,
                    struct value eips)
{
    if (nat.state != VALUE_SET || eips.state != VALUE_SET) return true;
    if (!arena_grow(b->arena, &w->items, sizeof *w->items, w->n, capacity)) {
        b->out_of_memory = true;
        return false;
    }
    w->items[w->n++] = (struct way_out){nat, eips};
    return true;
}

/* Sorts the entries that are there, and those that will be, by their gateway: once, when first asked for. */
static void index_ways(struct build *b)
{
    const struct desired *d = b->desired;
    size_t cursor = 0, now_capacity = 0, then_capacity = 0;
    if (b->ways_indexed) return;
    b->ways_indexed = true;
    for (const struct object *o; (o = world_next(b->world, KIND_SNAT_ENTRY, &cursor)) != NULL;)
        if (!add_way(b, &b->ways_now, &now_capacity, o->values[SNAT_NAT], o->values[SNAT_EIPS])) return;
    for (uint32_t i = first_of_kind(d, KIND_SNAT_ENTRY); i < d->n && d->items[i].kind == KIND_SNAT_ENTRY; i++)
        if (!add_way(b, &b->ways_then, &then_capacity, d->items[i].values[SNAT_NAT],
                     d->items[i].values[SNAT_EIPS]))
            return;
    if (b->ways_now.n > 1) qsort(b->ways_now.items, b->ways_now.n, sizeof(struct way_out), compare_ways);
    if (b->ways_then.n > 1) qsort(b->ways_then.items, b->ways_then.n, sizeof(struct way_out), compare_ways);
}

/* What an EIP is, or will be: its id, "" for one that is to be made, NULL when that is not known. */
static const char *exit_of(const struct build *b, struct value eip)
{
    if (eip.state != VALUE_SET) return NULL;
    if (eip.form == REF_ID) return eip.u.text;
    if (eip.form != REF_LOCAL) return NULL;
    const struct binding *binding = &b->bindings[eip.u.num];
    return binding->fresh || binding->object == NULL ? "" : binding->object->id;
}

/* The EIPs of all entries of a gateway. */
static void add_exits(const struct build *b, const struct ways_out *ways, struct value nat, struct exits *out)
{
    size_t low = 0, high = ways->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (value_compare(FIELD_REF, ways->items[middle].nat, nat) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < ways->n && out->known && value_equal(FIELD_REF, ways->items[low].nat, nat); low++)
        for (uint32_t k = 0; k < ways->items[low].eips.n; k++)
            add_exit(out, exit_of(b, ways->items[low].eips.u.items[k]));
}

/* By way of what is there now: a gateway's SNAT entries, or an instance's own EIP. */
static void exits_now(const struct build *b, const struct value *hops, struct exits *out)
{
    *out = (struct exits){.known = true};
    if (value_is_set(hops[RTE_HOP_NAT])) add_exits(b, &b->ways_now, hops[RTE_HOP_NAT], out);
    if (!value_is_set(hops[RTE_HOP_INSTANCE])) return;
    const struct object *instance =
        world_find(b->world, KIND_INSTANCE, value_as_text(hops[RTE_HOP_INSTANCE]));
    if (instance != NULL && value_is_set(instance->values[INS_EIP]))
        add_exit(out, instance->values[INS_EIP].u.text);
}

/* By way of the next hop as it will be: of a gateway in the manifests, its entries there. */
static void exits_then(const struct build *b, uint32_t route, const struct value *values, struct exits *out)
{
    struct value hop = b->desired->items[route].values[RTE_HOP_NAT];
    if (hop.state != VALUE_SET || hop.form != REF_LOCAL) {
        exits_now(b, values, out);
        return;
    }
    *out = (struct exits){.known = true};
    add_exits(b, &b->ways_then, hop, out);
}

/* A route that leads elsewhere interrupts flows, and changes their address only where the two ways out have
 * other ones. */
static enum disruption route_disruption(struct build *b, uint32_t i, const struct value *values,
                                        const struct object *o)
{
    struct exits before, after;
    index_ways(b);
    exits_now(b, o->values, &before);
    exits_then(b, i, values, &after);
    return exits_differ(&before, &after) ? DISRUPTION_EGRESS : DISRUPTION_BRIEF;
}

/* ---- changes ---- */

enum disruption disruption_of_update(struct build *b, uint32_t i, const struct value *values,
                                     const struct object *o, const struct comparison *cmp)
{
    enum kind kind = b->desired->items[i].kind;
    enum disruption worst = DISRUPTION_NONE;
    for (uint32_t k = 0; k < cmp->n_diffs; k++) {
        uint8_t field = cmp->diffs[k].field;
        uint32_t flags = kind_info(kind)->fields[field].flags;
        enum disruption d = (flags & FIELD_EGRESS) != 0   ? DISRUPTION_EGRESS
                            : (flags & FIELD_OUTAGE) != 0 ? DISRUPTION_BRIEF
                                                          : DISRUPTION_NONE;
        if (kind == KIND_ROUTE_ENTRY && (field == RTE_HOP_NAT || field == RTE_HOP_INSTANCE))
            d = route_disruption(b, i, values, o);
        worst = MAX_OF(worst, d);
    }
    return worst;
}

void disruption_of_gateways(struct build *b)
{
    for (size_t k = 0; k < b->n_changes; k++) {
        const struct change *c = &b->changes[k];
        uint8_t field = kind_field(c->kind, TEXT("natGateway"));
        if (field == FIELD_NO || c->desired == NULL) continue;
        struct value nat = c->desired->values[field];
        if (nat.state != VALUE_SET || nat.form != REF_LOCAL) continue;
        uint32_t at = b->bindings[nat.u.num].change;
        if (at == UINT32_MAX || b->changes[at].action != ACTION_REPLACE) continue;
        b->changes[at].disruption = MAX_OF(b->changes[at].disruption, c->disruption);
    }
}

void disruption_name_affected(struct build *b, struct change *c)
{
    enum { MAX_AFFECTED = 20 };
    if (c->disruption == DISRUPTION_NONE || c->desired == NULL) return;
    struct text *names = arena_array_of(b->arena, MAX_AFFECTED, struct text);
    if (names == NULL) return;
    uint8_t field = c->kind == KIND_SNAT_ENTRY                ? SNAT_VSWITCH
                    : c->kind == KIND_ROUTE_TABLE_ASSOCIATION ? RTA_VSWITCH
                                                              : FIELD_NO;
    struct value v = field == FIELD_NO ? (struct value){0} : c->desired->values[field];
    if (v.form == REF_LOCAL) names[c->n_affected++] = b->desired->items[v.u.num].name;
    if (c->kind == KIND_ROUTE_ENTRY)
        for (uint32_t i = first_of_kind(b->desired, KIND_ROUTE_TABLE_ASSOCIATION);
             i < b->desired->n && c->n_affected < MAX_AFFECTED; i++) {
            const struct resource *r = &b->desired->items[i];
            if (r->kind == KIND_ROUTE_TABLE_ASSOCIATION && r->values[RTA_VSWITCH].form == REF_LOCAL &&
                value_equal(FIELD_REF, r->values[RTA_TABLE], c->desired->values[RTE_TABLE]))
                names[c->n_affected++] = b->desired->items[r->values[RTA_VSWITCH].u.num].name;
        }
    c->affected = names;
}

/* disruption.c - how traffic suffers while a change is carried out, and whose traffic. */
#include "reconciler/plan/build.h"

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

enum disruption disruption_of_update(enum kind kind, const struct field_diff *diffs, uint32_t n)
{
    enum disruption worst = DISRUPTION_NONE;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t flags = kind_info(kind)->fields[diffs[k].field].flags;
        enum disruption d = (flags & FIELD_EGRESS) != 0   ? DISRUPTION_EGRESS
                            : (flags & FIELD_OUTAGE) != 0 ? DISRUPTION_BRIEF
                                                          : DISRUPTION_NONE;
        worst = MAX_OF(worst, d);
    }
    return worst;
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

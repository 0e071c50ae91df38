/* check_nat.c - an EIP serves the gateway that it is bound to, and one purpose where that excludes others. */
#include "reconciler/manifest/check.h"

/* What is known of each EIP of the stack, by index from first[KIND_EIP]. */
struct eip_use {
    uint32_t association; /* index + 1 of an EipAssociation; 0: none */
    uint32_t mapping;     /* index + 1 of a DNAT entry with any port; 0: none */
};

static struct eip_use *use_of(const struct view *v, struct eip_use *uses, struct value eip)
{
    if (eip.state != VALUE_SET || eip.form != REF_LOCAL) return NULL;
    return &uses[(uint32_t)eip.u.num - v->first[KIND_EIP]];
}

static bool is_mapping(const struct view *v, uint32_t i)
{
    const struct value *port = view_value(v, i, DNAT_EXTERNAL_PORT);
    return port->state == VALUE_SET && text_is(value_as_text(*port), "any");
}

static struct eip_use *collect(struct view *v)
{
    struct eip_use *uses = view_alloc(v, v->first[KIND_EIP + 1] - v->first[KIND_EIP], sizeof *uses);
    if (uses == NULL) return NULL;
    FOR_KIND(v, KIND_EIP_ASSOCIATION, i)
    {
        struct eip_use *use = use_of(v, uses, *view_value(v, i, EAS_EIP));
        if (use != NULL && use->association == 0) use->association = i + 1;
    }
    FOR_KIND(v, KIND_DNAT_ENTRY, i)
    {
        struct eip_use *use = use_of(v, uses, *view_value(v, i, DNAT_EIP));
        if (use != NULL && use->mapping == 0 && is_mapping(v, i)) use->mapping = i + 1;
    }
    return uses;
}

/* The entry's EIP must be bound to the entry's gateway.  Source: CreateSnatEntry, SnatIp; CreateForwardEntry,
 * ExternalIp */
static void check_bound(struct view *v, uint32_t i, uint8_t field, struct value gateway, struct value eip,
                        const struct eip_use *use)
{
    if (gateway.state != VALUE_SET || view_is_observed(v, i)) return;
    uint32_t e = (uint32_t)eip.u.num;
    if (use->association == 0) {
        if (view_is_observed(v, e) || gateway.form != REF_LOCAL || v->l->incomplete) return;
        COMPLAIN_OF(v, i, field, "add an EipAssociation of the two",
                    "the EIP `" TEXT_FMT "` is not bound to the NAT gateway `" TEXT_FMT "`", NAME_OF(v, e),
                    NAME_OF(v, (uint32_t)gateway.u.num));
        return;
    }
    uint32_t a = use->association - 1;
    struct value bound = *view_value(v, a, EAS_NAT), instance = *view_value(v, a, EAS_INSTANCE);
    const char *to = NULL;
    if (instance.state == VALUE_SET)
        to = "an instance";
    else if (view_same_target(v, bound, gateway) == 0)
        to = "another NAT gateway";
    if (to != NULL)
        COMPLAIN_OF(v, i, field, "use an EIP that is bound to the gateway of the entry",
                    "the EIP `" TEXT_FMT "` is bound to %s by `" TEXT_FMT "` at %s", NAME_OF(v, e), to,
                    NAME_OF(v, a), view_place(v, a));
}

static void check_snat(struct view *v, uint32_t i, struct eip_use *uses)
{
    struct value eips = *view_value(v, i, SNAT_EIPS), gateway = *view_value(v, i, SNAT_NAT);
    for (uint32_t k = 0; eips.state == VALUE_SET && k < eips.n; k++) {
        const struct eip_use *use = use_of(v, uses, eips.u.items[k]);
        if (use == NULL) continue;
        check_bound(v, i, SNAT_EIPS, gateway, eips.u.items[k], use);
        if (use->mapping != 0)
            COMPLAIN_OF(v, i, SNAT_EIPS, "an EIP with any port mapped to one target serves nothing else",
                        "the EIP `" TEXT_FMT "` is taken as a whole by the DnatEntry `" TEXT_FMT "` at %s",
                        NAME_OF(v, (uint32_t)eips.u.items[k].u.num), NAME_OF(v, use->mapping - 1),
                        view_place(v, use->mapping - 1));
    }
}

void check_nat(struct view *v)
{
    struct eip_use *uses = collect(v);
    if (uses == NULL) return;
    FOR_KIND(v, KIND_SNAT_ENTRY, i) check_snat(v, i, uses);
    FOR_KIND(v, KIND_DNAT_ENTRY, i)
    {
        struct value eip = *view_value(v, i, DNAT_EIP);
        const struct eip_use *use = use_of(v, uses, eip);
        if (use != NULL) check_bound(v, i, DNAT_EIP, *view_value(v, i, DNAT_NAT), eip, use);
    }
}

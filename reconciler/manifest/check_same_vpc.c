/* check_same_vpc.c - what a resource joins must lie in one VPC. */
#include "reconciler/manifest/check.h"

/* Two fields of a kind that lead to the same VPC. */
static const struct {
    enum kind kind;
    uint8_t a, b;
} pairs[] = {
    {KIND_INSTANCE, INS_VSWITCH, INS_GROUPS},          {KIND_NAT_GATEWAY, NAT_VPC, NAT_VSWITCH},
    {KIND_SNAT_ENTRY, SNAT_NAT, SNAT_VSWITCH},         {KIND_SNAT_ENTRY, SNAT_NAT, SNAT_INSTANCE},
    {KIND_DNAT_ENTRY, DNAT_NAT, DNAT_TARGET_INSTANCE}, {KIND_ROUTE_ENTRY, RTE_TABLE, RTE_HOP_NAT},
    {KIND_ROUTE_ENTRY, RTE_TABLE, RTE_HOP_INSTANCE},   {KIND_ROUTE_TABLE_ASSOCIATION, RTA_TABLE, RTA_VSWITCH},
};

/* The VPC of what a reference leads to; a reference to a VPC is that VPC. */
static struct value vpc_behind(const struct view *v, enum kind ref_kind, struct value ref)
{
    if (ref.state != VALUE_SET || ref_kind == KIND_VPC) return ref;
    return ref.form == REF_LOCAL ? view_vpc_of(v, (uint32_t)ref.u.num) : (struct value){0};
}

static const char *ref_text(const struct view *v, struct value ref)
{
    if (ref.form == REF_LOCAL) return v->d->items[ref.u.num].name.ptr;
    return ref.form == REF_ID ? ref.u.text : "";
}

static void check_pair(struct view *v, uint32_t i, const struct field *fa, struct value a, uint8_t b,
                       const struct field *fb, struct value ref)
{
    struct value vpc_a = vpc_behind(v, fa->ref, a), vpc_b = vpc_behind(v, fb->ref, ref);
    if (view_same_target(v, vpc_a, vpc_b) != 0) return;
    COMPLAIN_OF(v, i, b, "both must be in one VPC",
                "`%s`: the %s `%s` is in the VPC `%s`, but `%s` in the VPC `%s`", fb->name,
                kind_info(fb->ref)->name, ref_text(v, ref), ref_text(v, vpc_b), fa->name, ref_text(v, vpc_a));
}

static void check_row(struct view *v, size_t row)
{
    const struct kind_info *info = kind_info(pairs[row].kind);
    const struct field *fa = &info->fields[pairs[row].a], *fb = &info->fields[pairs[row].b];
    FOR_KIND(v, pairs[row].kind, i)
    {
        struct value a = *view_value(v, i, pairs[row].a), b = *view_value(v, i, pairs[row].b);
        if (a.state != VALUE_SET || b.state != VALUE_SET) continue;
        if (fb->type == FIELD_REF) {
            check_pair(v, i, fa, a, pairs[row].b, fb, b);
            continue;
        }
        for (uint32_t k = 0; k < b.n; k++) check_pair(v, i, fa, a, pairs[row].b, fb, b.u.items[k]);
    }
}

void check_same_vpc(struct view *v)
{
    for (size_t row = 0; row < N_ELEMENTS(pairs); row++) check_row(v, row);
}

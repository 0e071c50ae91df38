/* check_blocks.c - address blocks: VPCs, the vSwitches in them, the addresses in those. */
#include "reconciler/manifest/check.h"

#include <stdlib.h>

/* Source: CreateVpc, CidrBlock: these and their subsets are refused. */
static const struct {
    struct cidr block;
    const char *text;
} forbidden[] = {
    {{0x64400000u, 10}, "100.64.0.0/10"},
    {{0xe0000000u, 4}, "224.0.0.0/4"},
    {{0x7f000000u, 8}, "127.0.0.0/8"},
    {{0xa9fe0000u, 16}, "169.254.0.0/16"},
};

static void check_forbidden(struct view *v, uint32_t i, uint8_t field, struct cidr c)
{
    char text[CIDR_TEXT_SIZE];
    for (size_t k = 0; k < N_ELEMENTS(forbidden); k++)
        if (cidr_contains(forbidden[k].block, c))
            COMPLAIN_OF(v, i, field, "use a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
                        "`%s`: %s lies in %s, which a VPC cannot have", kind_vpc.fields[field].name,
                        cidr_format(c, text), forbidden[k].text);
}

static bool item_cidr(struct value list, uint32_t k, struct cidr *out)
{
    return cidr_parse(value_as_text(list.u.items[k]), out) == IP_OK;
}

static void check_vpc(struct view *v, uint32_t i)
{
    struct cidr primary, c;
    bool has_primary = view_cidr(v, i, VPC_CIDR, &primary);
    char text[CIDR_TEXT_SIZE], other[CIDR_TEXT_SIZE];
    if (has_primary) check_forbidden(v, i, VPC_CIDR, primary);
    struct value list = *view_value(v, i, VPC_SECONDARY);
    for (uint32_t k = 0; list.state == VALUE_SET && k < list.n; k++) {
        if (!item_cidr(list, k, &c)) continue;
        check_forbidden(v, i, VPC_SECONDARY, c);
        if (has_primary && cidr_overlaps(primary, c))
            COMPLAIN_OF(v, i, VPC_SECONDARY, NULL, "`secondaryCidrBlocks`: %s overlaps the primary block %s",
                        cidr_format(c, text), cidr_format(primary, other));
    }
}

/* Whether a block lies in one of a VPC's: 1, 0, or -1 when the VPC's are not all known. */
static int vpc_contains(const struct view *v, struct value vpc, struct cidr c)
{
    struct cidr outer;
    if (vpc.state != VALUE_SET || vpc.form != REF_LOCAL) return -1;
    uint32_t i = (uint32_t)vpc.u.num;
    if (!view_cidr(v, i, VPC_CIDR, &outer)) return -1;
    if (cidr_contains(outer, c)) return 1;
    struct value list = *view_value(v, i, VPC_SECONDARY);
    if (list.state != VALUE_SET)
        return view_is_observed(v, i) || v->marks[i][VPC_SECONDARY].line > 0 ? -1 : 0;
    for (uint32_t k = 0; k < list.n; k++)
        if (item_cidr(list, k, &outer) && cidr_contains(outer, c)) return 1;
    return 0;
}

static int compare_blocks(const void *a, const void *b)
{
    const struct block *x = a, *y = b;
    int order = value_compare(FIELD_REF, x->vpc, y->vpc);
    if (order == 0) order = cidr_compare(x->cidr, y->cidr);
    return order != 0 ? order : x->i < y->i ? -1 : x->i > y->i;
}

static void collect_vswitches(struct view *v)
{
    v->blocks = view_alloc(v, v->first[KIND_VSWITCH + 1] - v->first[KIND_VSWITCH], sizeof *v->blocks);
    if (v->blocks == NULL) return;
    FOR_KIND(v, KIND_VSWITCH, i)
    {
        struct block b = {.vpc = *view_value(v, i, VSW_VPC), .i = i};
        if (b.vpc.state == VALUE_SET && view_cidr(v, i, VSW_CIDR, &b.cidr)) v->blocks[v->n_blocks++] = b;
    }
    qsort(v->blocks, v->n_blocks, sizeof *v->blocks, compare_blocks);
}

static void check_vswitches(struct view *v)
{
    char text[CIDR_TEXT_SIZE], other[CIDR_TEXT_SIZE];
    const struct block *reach = NULL; /* of those before, the one that ends last */
    for (uint32_t k = 0; k < v->n_blocks; k++) {
        const struct block *b = &v->blocks[k];
        if (vpc_contains(v, b->vpc, b->cidr) == 0)
            COMPLAIN_OF(v, b->i, VSW_CIDR, "give it a part of the VPC's block, or the VPC a secondary block",
                        "`cidrBlock`: %s is not inside the blocks of the VPC `" TEXT_FMT "`",
                        cidr_format(b->cidr, text), NAME_OF(v, (uint32_t)b->vpc.u.num));
        if (reach != NULL && value_compare(FIELD_REF, reach->vpc, b->vpc) != 0) reach = NULL;
        if (reach != NULL && b->cidr.base <= cidr_last(reach->cidr))
            COMPLAIN_OF(v, b->i, VSW_CIDR, "vSwitches of one VPC may not overlap",
                        "`cidrBlock`: %s overlaps %s of the vSwitch `" TEXT_FMT "` at %s",
                        cidr_format(b->cidr, text), cidr_format(reach->cidr, other), NAME_OF(v, reach->i),
                        view_place(v, reach->i));
        if (reach == NULL || cidr_last(b->cidr) > cidr_last(reach->cidr)) reach = b;
    }
}

/* The first address and the last three of a vSwitch are the cloud's.  Source: CreateVSwitch, CidrBlock */
static void check_instance(struct view *v, uint32_t i)
{
    const struct value *given = view_value(v, i, INS_PRIVATE_IP);
    uint32_t ip, vswitch = view_local(v, i, INS_VSWITCH);
    struct cidr c;
    char text[CIDR_TEXT_SIZE];
    if (given->state != VALUE_SET || vswitch == UINT32_MAX || !view_cidr(v, vswitch, VSW_CIDR, &c) ||
        ip_parse(value_as_text(*given), &ip) != IP_OK)
        return;
    if (!cidr_has(c, ip))
        COMPLAIN_OF(v, i, INS_PRIVATE_IP, NULL,
                    "`privateIp`: %s is not inside %s of the vSwitch `" TEXT_FMT "`", given->u.text,
                    cidr_format(c, text), NAME_OF(v, vswitch));
    else if (ip == c.base || ip > cidr_last(c) - 3)
        COMPLAIN_OF(v, i, INS_PRIVATE_IP, "the first address and the last three of a vSwitch are reserved",
                    "`privateIp`: %s is reserved in %s", given->u.text, cidr_format(c, text));
}

/* Source: CreateForwardEntry, InternalIp */
static void check_target(struct view *v, uint32_t i)
{
    const struct value *target = view_value(v, i, DNAT_TARGET_IP);
    struct cidr c = {.bits = 32};
    if (target->state != VALUE_SET || ip_parse(value_as_text(*target), &c.base) != IP_OK) return;
    struct value vpc = view_vpc_of(v, i);
    if (vpc_contains(v, vpc, c) == 0)
        COMPLAIN_OF(v, i, DNAT_TARGET_IP, NULL,
                    "`target.ip`: %s is not inside the blocks of the VPC `" TEXT_FMT "`", target->u.text,
                    NAME_OF(v, (uint32_t)vpc.u.num));
}

void check_blocks(struct view *v)
{
    FOR_KIND(v, KIND_VPC, i) check_vpc(v, i);
    collect_vswitches(v);
    if (v->l->out_of_memory) return;
    check_vswitches(v);
    FOR_KIND(v, KIND_INSTANCE, i) check_instance(v, i);
    FOR_KIND(v, KIND_DNAT_ENTRY, i) check_target(v, i);
}

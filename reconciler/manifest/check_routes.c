/* check_routes.c - route tables, their entries, and what regions have of them. */
#include "reconciler/manifest/check.h"

#include <stdlib.h>
#include <string.h>

/* Regions that are said to have no custom route tables. The cloud decides: a warning.  Source: the cloud's
 * tutorial on two NAT gateways in one VPC (2021); later pages do not say so any more. */
static const char *const regions_without_custom_tables[] = {"cn-beijing", "cn-shenzhen", "cn-hangzhou"};

static bool is_system(const struct view *v, uint32_t table)
{
    const struct value *system = view_value(v, table, RTB_SYSTEM);
    return system->state == VALUE_SET && system->u.num;
}

static void warn_of_region(struct view *v)
{
    const char *region = v->d->stack.region;
    size_t k = 0;
    while (k < N_ELEMENTS(regions_without_custom_tables) &&
           (region == NULL || strcmp(region, regions_without_custom_tables[k]) != 0))
        k++;
    if (k == N_ELEMENTS(regions_without_custom_tables)) return;
    FOR_KIND(v, KIND_ROUTE_TABLE, i)
    {
        if (is_system(v, i) || view_is_observed(v, i)) continue;
        view_enter(v, i);
        (void)diags_add(v->l->diags, SEVERITY_WARNING, v->d->items[i].pos, load_address(v->l),
                        "if it refuses, use the VPC's own table: `system: true`",
                        "the region %s may have no custom route tables; the cloud decides", region);
        return; /* once is enough */
    }
}

/* The vSwitch of a VPC whose block the destination equals or lies in; blocks do not overlap, so it is the one
 * that begins last before it. */
static const struct block *vswitch_around(const struct view *v, struct value vpc, struct cidr c)
{
    uint32_t low = 0, high = v->n_blocks;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct block *b = &v->blocks[middle];
        int order = value_compare(FIELD_REF, b->vpc, vpc);
        if (order == 0) order = b->cidr.base <= c.base ? -1 : 1;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return NULL;
    const struct block *b = &v->blocks[low - 1];
    return value_compare(FIELD_REF, b->vpc, vpc) == 0 && cidr_contains(b->cidr, c) ? b : NULL;
}

/* Source: CreateRouteEntry, DestinationCidrBlock */
static void check_entry(struct view *v, uint32_t i)
{
    struct cidr c;
    char text[CIDR_TEXT_SIZE], other[CIDR_TEXT_SIZE];
    if (!view_cidr(v, i, RTE_DESTINATION, &c)) return;
    if (c.base == 0x64400000u && c.bits == 10)
        COMPLAIN_OF(v, i, RTE_DESTINATION, NULL, "`destination`: %s is a route of the cloud itself",
                    cidr_format(c, text));
    struct value vpc = view_vpc_of(v, i);
    const struct block *b = vpc.state == VALUE_SET ? vswitch_around(v, vpc, c) : NULL;
    if (b != NULL)
        COMPLAIN_OF(v, i, RTE_DESTINATION, "traffic inside a VPC is routed by the cloud itself",
                    "`destination`: %s is %s %s of the vSwitch `" TEXT_FMT "`", cidr_format(c, text),
                    b->cidr.bits == c.bits ? "equal to" : "inside", cidr_format(b->cidr, other),
                    NAME_OF(v, b->i));
}

struct system_table {
    struct value vpc;
    uint32_t i;
};

static int compare_tables(const void *a, const void *b)
{
    const struct system_table *x = a, *y = b;
    int order = value_compare(FIELD_REF, x->vpc, y->vpc);
    return order != 0 ? order : x->i < y->i ? -1 : x->i > y->i;
}

static void check_system_tables(struct view *v)
{
    uint32_t n = 0;
    struct system_table *list =
        view_alloc(v, v->first[KIND_ROUTE_TABLE + 1] - v->first[KIND_ROUTE_TABLE], sizeof *list);
    if (list == NULL) return;
    FOR_KIND(v, KIND_ROUTE_TABLE, i)
    if (is_system(v, i) && view_value(v, i, RTB_VPC)->state == VALUE_SET)
        list[n++] = (struct system_table){*view_value(v, i, RTB_VPC), i};
    qsort(list, n, sizeof *list, compare_tables);
    for (uint32_t k = 1; k < n; k++)
        if (value_compare(FIELD_REF, list[k - 1].vpc, list[k].vpc) == 0)
            COMPLAIN_OF(v, list[k].i, RTB_SYSTEM,
                        "a VPC has one system table: put all routes into one resource",
                        "a second system table of the VPC; the first is `" TEXT_FMT "` at %s",
                        NAME_OF(v, list[k - 1].i), view_place(v, list[k - 1].i));
}

static void check_association(struct view *v, uint32_t i)
{
    uint32_t table = view_local(v, i, RTA_TABLE);
    if (table != UINT32_MAX && is_system(v, table))
        COMPLAIN_OF(v, i, RTA_TABLE, "a vSwitch without a custom table uses the system table by itself",
                    "the system table `" TEXT_FMT "` cannot be associated", NAME_OF(v, table));
}

void check_routes(struct view *v)
{
    FOR_KIND(v, KIND_ROUTE_ENTRY, i) check_entry(v, i);
    FOR_KIND(v, KIND_ROUTE_TABLE_ASSOCIATION, i) check_association(v, i);
    check_system_tables(v);
    warn_of_region(v);
}

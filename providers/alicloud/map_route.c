/* map_route.c - RouteTable, RouteEntry and RouteTableAssociation.  Source: api-behaviour 5.8 to 5.10 */
#include "providers/alicloud/mapping.h"

#include <string.h>

enum { ATTRIBUTES = 1 };

static const char *const ready[] = {"Available", "Created", NULL};
static const char *const deleting[] = {"Deleting", NULL};

/* ---- tables ---- */

static const struct field_map table_fields[RTB_N] = {
    [RTB_VPC] = {.create = "VpcId", .path = "VpcId"},
    [RTB_SYSTEM] = {0}, /* read_table() */
    [RTB_NAME] = {.create = "RouteTableName",
                  .modify = "RouteTableName",
                  .by = ATTRIBUTES,
                  .path = "RouteTableName"},
    [RTB_DESCRIPTION] = {.create = "Description",
                         .modify = "Description",
                         .by = ATTRIBUTES,
                         .path = "Description"},
    [RTB_TAGS] = {0},
    [RTB_ROUTES] = {0},
    [RTB_VSWITCHES] = {0},
};

/* The VPC's own table is not made but found: a look-up whose answer has its id. */
static enum next find_system_table(const struct cloud *c, const struct goal *g, struct request *out,
                                   struct err *err)
{
    const char *vpc = ref_id(g->values[RTB_VPC]);
    if (vpc == NULL) {
        (void)err_set(err, ERR_STALE, "the VPC of the system route table is not known yet");
        return NEXT_ERROR;
    }
    begin_request(c, g, "DescribeRouteTableList", out);
    request_add(out, "VpcId", vpc);
    request_add(out, "RouteTableType", "System");
    request_add(out, "PageNumber", "1");
    request_add(out, "PageSize", "50");
    return end_request(out, err);
}

static enum next create_table(const struct cloud *c, const struct goal *g, struct request *out,
                              struct err *err)
{
    if (value_is_set(g->values[RTB_SYSTEM]) && g->values[RTB_SYSTEM].u.num)
        return find_system_table(c, g, out, err);
    return next_generic_create(c, g, out, err);
}

/* A VPC's own object learns which table is its system's. */
static void tell_vpc(struct reading *r, const struct object *table)
{
    const char *id = ref_id(table->values[RTB_VPC]);
    const struct object *known =
        id == NULL || r->world == NULL ? NULL : world_find(r->world, KIND_VPC, text_of(id));
    if (known == NULL || value_is_set(known->values[VPC_SYSTEM_TABLE])) return;
    struct object *vpc = page_add(r, KIND_VPC);
    if (vpc == NULL) return;
    struct value *values = vpc->values;
    memcpy(values, known->values, VPC_N * sizeof *values);
    *vpc = *known;
    vpc->values = values;
    values[VPC_SYSTEM_TABLE] = value_cstr(table->id);
}

static void read_table(struct reading *r, const json_t *item, struct object *o)
{
    o->system = json_text_is(item, "RouteTableType", "System");
    o->values[RTB_SYSTEM] = value_bool(o->system);
    if (o->system) tell_vpc(r, o);
}

static const struct word of_vpcs[] = {{"RouterType", "VRouter"}, {NULL, NULL}};

const struct kind_map map_route_table = {
    .product = "Vpc",
    .fields = table_fields,
    .create = "CreateRouteTable",
    .remove = "DeleteRouteTable",
    .id_param = "RouteTableId",
    .modifies = {[ATTRIBUTES - 1] = {"ModifyRouteTableAttributes", "RouteTableId", NULL, NULL}},
    .list = {.operation = "DescribeRouteTableList",
             .path = "RouterTableList.RouterTableListType",
             .paging = PAGE_NUMBER,
             .size_param = "PageSize",
             .size = 50,
             .ids_param = "RouteTableId",
             .max_ids = 1,
             .fixed = of_vpcs},
    .listed_with = KIND_ROUTE_TABLE,
    .id_path = "RouteTableId",
    .status_path = "Status",
    .ready = ready,
    .deleting = deleting,
    .tag_type = "ROUTETABLE",
    .untag = "UnTagResources",
    .protection = FIELD_NO,
    .durations = {{2000, 5000, 600000}, {1000, 3000, 300000}, {2000, 5000, 300000}},
    .next_create = create_table,
    .read_more = read_table,
};

/* ---- entries ---- */

/* Several next hops (ECMP) read as none: they are not managed.  Source: ModifyRouteEntry has no list */
#define HOP(word)                                                                                            \
    {                                                                                                        \
        .create = "NextHopId", .modify = "NewNextHopId", .by = ATTRIBUTES,                                   \
        .path = "NextHops.NextHop.NextHopId", .type = word, .type_create = "NextHopType",                    \
        .type_modify = "NewNextHopType", .type_path = "NextHops.NextHop.NextHopType"                         \
    }

static const struct field_map entry_fields[RTE_N] = {
    [RTE_TABLE] = {.create = "RouteTableId", .path = "RouteTableId"},
    [RTE_DESTINATION] = {.create = "DestinationCidrBlock", .path = "DestinationCidrBlock"},
    [RTE_HOP_NAT] = HOP("NatGateway"),
    [RTE_HOP_INSTANCE] = HOP("Instance"),
    [RTE_NAME] = {.create = "RouteEntryName",
                  .modify = "RouteEntryName",
                  .by = ATTRIBUTES,
                  .path = "RouteEntryName"},
    [RTE_DESCRIPTION] = {.create = "Description",
                         .modify = "Description",
                         .by = ATTRIBUTES,
                         .path = "Description"},
};

static void read_entry(struct reading *r, const json_t *item, struct object *o)
{
    if (!value_is_set(o->values[RTE_TABLE]) && r->scope->id != NULL) {
        const char *id = arena_strdup(r->arena, r->scope->id);
        if (id == NULL) r->out_of_memory = true;
        o->values[RTE_TABLE] = value_id(id);
    }
    o->system = json_at(item, "Type") != NULL && !json_text_is(item, "Type", "Custom");
}

static const struct word custom[] = {{"RouteEntryType", "Custom"}, {NULL, NULL}};

const struct kind_map map_route_entry = {
    .product = "Vpc",
    .fields = entry_fields,
    .create = "CreateRouteEntry",
    .remove = "DeleteRouteEntry",
    .id_param = "RouteEntryId",
    .modifies = {[ATTRIBUTES - 1] = {"ModifyRouteEntry", "RouteEntryId", NULL, NULL}},
    .list = {.operation = "DescribeRouteEntryList",
             .path = "RouteEntrys.RouteEntry",
             .paging = PAGE_TOKEN,
             .size_param = "MaxResult", /* singular, in this operation alone */
             .size = 100,
             .ids_param = "RouteEntryId",
             .max_ids = 1,
             .scope_param = "RouteTableId",
             .scope_kind = KIND_ROUTE_TABLE,
             .scope_field = RTE_TABLE,
             .fixed = custom},
    .listed_with = KIND_ROUTE_ENTRY,
    .id_path = "RouteEntryId",
    .status_path = "Status",
    .ready = ready,
    .deleting = deleting,
    .protection = FIELD_NO,
    .durations = {{2000, 5000, 600000}, {2000, 5000, 600000}, {2000, 5000, 600000}},
    .read_more = read_entry,
};

/* ---- associations ---- */

/* A change of table is tried directly, so that the system table's routes never apply in between. */
static const struct field_map association_fields[RTA_N] = {
    [RTA_TABLE] = {.create = "RouteTableId", .modify = "RouteTableId", .by = ATTRIBUTES},
    [RTA_VSWITCH] = {.create = "VSwitchId"},
};

const struct kind_map map_route_table_association = {
    .product = "Vpc",
    .fields = association_fields,
    .create = "AssociateRouteTable",
    .remove = "UnassociateRouteTable",
    .id_param = "VSwitchId",
    .remove_fields = UINT64_C(1) << RTA_TABLE,
    .modifies = {[ATTRIBUTES - 1] = {"AssociateRouteTable", "VSwitchId", NULL, NULL}},
    .list = {.operation = "DescribeVSwitches",
             .path = "VSwitches.VSwitch",
             .paging = PAGE_NUMBER,
             .size_param = "PageSize",
             .size = 50,
             .ids_param = "VSwitchId",
             .max_ids = 1},
    .listed_with = KIND_VSWITCH,
    .id_path = "VSwitchId",
    .status_path = "Status",
    .ready = ready,
    .deleting = deleting,
    .protection = FIELD_NO,
    .durations = {{2000, 5000, 300000}, {2000, 5000, 300000}, {2000, 5000, 300000}},
};

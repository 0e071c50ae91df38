/* map_vswitch.c - VSwitch.  Source: api-behaviour 5.2 */
#include "providers/alicloud/mapping.h"

enum { ATTRIBUTE = 1 };

static const struct field_map fields[VSW_N] = {
    [VSW_VPC] = {.create = "VpcId", .path = "VpcId"},
    [VSW_ZONE] = {.create = "ZoneId", .path = "ZoneId"},
    [VSW_CIDR] = {.create = "CidrBlock", .path = "CidrBlock"},
    [VSW_NAME] = {.create = "VSwitchName", .modify = "VSwitchName", .by = ATTRIBUTE, .path = "VSwitchName"},
    [VSW_DESCRIPTION] = {.create = "Description",
                         .modify = "Description",
                         .by = ATTRIBUTE,
                         .path = "Description"},
    [VSW_TAGS] = {0},
    [VSW_ROUTE_TABLE] = {.path = "RouteTable.RouteTableId"},
};

/* A vSwitch in a custom table is a RouteTableAssociation, too. While it changes, the vSwitch is Pending: one
 * that is Pending in the system table may be on its way back there, and its association is gone only when it
 * is Available again. */
static void read_association(struct reading *r, const json_t *item, struct object *o)
{
    bool custom = json_text_is(item, "RouteTable.RouteTableType", "Custom");
    if ((!custom && o->phase == PHASE_READY) || !value_is_set(o->values[VSW_ROUTE_TABLE])) return;
    struct object *a = page_add(r, KIND_ROUTE_TABLE_ASSOCIATION);
    if (a == NULL) return;
    a->id = o->id;
    a->status = o->status;
    a->phase = custom ? o->phase : PHASE_DELETING;
    a->values[RTA_TABLE] = value_id(o->values[VSW_ROUTE_TABLE].u.text);
    a->values[RTA_VSWITCH] = value_id(o->id);
}

static const char *const ready[] = {"Available", NULL};
static const char *const deleting[] = {"Deleting", NULL};

const struct kind_map map_vswitch = {
    .product = "Vpc",
    .fields = fields,
    .create = "CreateVSwitch",
    .remove = "DeleteVSwitch",
    .id_param = "VSwitchId",
    .modifies = {[ATTRIBUTE - 1] = {"ModifyVSwitchAttribute", "VSwitchId", NULL, NULL}},
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
    .tag_type = "VSWITCH",
    .untag = "UnTagResources",
    .protection = FIELD_NO,
    .durations = {{2000, 5000, 300000}, {1000, 3000, 300000}, {2000, 5000, 600000}},
    .read_more = read_association,
};

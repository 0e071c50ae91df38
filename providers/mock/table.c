/* table.c - route tables and which vSwitch uses which. */
#include <string.h>

#include "providers/mock/handlers.h"
#include "providers/mock/shape.h"

static json_t *table_vswitches(const struct entity *e)
{
    return ids_of_children(e, SECOND, E_VSWITCH);
}

static json_t *table_router(const struct entity *e)
{
    const struct entity *vpc = e->links[OWNER].to;
    return json_string_nocheck(vpc == NULL ? "" : entity_get(vpc, A_VPC_ROUTER));
}

static const struct shape table_shape[] = {
    FIELD("RouteTableId", SHAPE_ID, 0),
    FIELD("RouteTableName", SHAPE_ATTR, A_TABLE_NAME),
    FIELD("Description", SHAPE_ATTR, A_TABLE_DESCRIPTION),
    FIELD("RouteTableType", SHAPE_ATTR, A_TABLE_KIND),
    FIELD("AssociateType", SHAPE_ATTR, A_TABLE_ASSOCIATE),
    FIELD("RoutePropagationEnable", SHAPE_FLAG, A_TABLE_PROPAGATION),
    FIELD("ResourceGroupId", SHAPE_ATTR, A_TABLE_GROUP),
    FIELD("VpcId", SHAPE_LINK, OWNER),
    FIELD_MAKE("RouterId", table_router),
    FIELD_TEXT("RouterType", "VRouter"),
    FIELD("Status", SHAPE_STATUS, 0),
    FIELD("CreationTime", SHAPE_TIME, 0),
    FIELD_MAKE("VSwitchIds.VSwitchId", table_vswitches),
    FIELD("GatewayIds.GatewayIds", SHAPE_EMPTY, 0),
    FIELD("Tags.Tag", SHAPE_TAGS, 0),
    END_FIELDS,
};

static const struct filter table_filters[] = {
    {"RouteTableName", FILTER_ATTR, A_TABLE_NAME},
    {"RouteTableType", FILTER_ATTR, A_TABLE_KIND},
    {"ResourceGroupId", FILTER_ATTR, A_TABLE_GROUP},
    END_FILTERS,
};

static const struct list_spec tables = {
    .type = E_TABLE,
    .wrapper = "RouterTableList.RouterTableListType",
    .shape = table_shape,
    .filters = table_filters,
    .default_size = 10,
    .ids_param = "RouteTableId",
    .ignored = (const char *const[]){"RouterType", NULL},
    .narrow = {{"VpcId", E_VPC, OWNER, false}},
};

bool table_list(struct call *c)
{
    return list_entities(c, &tables);
}

/* ---- What others ask ---- */

size_t count_custom_tables(const struct entity *vpc)
{
    size_t n = 0;
    for (EACH_CHILD(table, vpc, OWNER, E_TABLE)) n += entity_is(table, A_TABLE_KIND, "Custom");
    return n;
}

/* Source: CreateRouteTable: a table begins with the cloud's services and the VPC's own vSwitches. */
void table_fill(struct mock *m, struct entity *table, int64_t now_ms)
{
    (void)route_add(m, table, NULL, "100.64.0.0/10", "System", "service", "", now_ms);
    const struct entity *vpc = table->links[OWNER].to;
    for (EACH_CHILD(vswitch, vpc, OWNER, E_VSWITCH))
        (void)route_add(m, table, NULL, entity_get(vswitch, A_VSWITCH_CIDR), "System", "local", "", now_ms);
}

/* ---- Changes ---- */

bool table_create(struct call *c)
{
    struct entity *vpc = need(c, E_VPC, "VpcId");
    if (vpc == NULL || !check_name(c, "RouteTableName", false) || !check_description(c, "Description"))
        return false;
    if (!check_tags(c) || !vpc_is_free(c, vpc, "OperationConflict")) return false;
    if (!within_quota(c, OPT_QUOTA_TABLE, count_custom_tables(vpc), 1))
        return refuse(c, 400, "QuotaExceeded.RouteTable",
                      "The quota of custom route tables in the VPC is reached.");

    struct entity *e = create(c, E_TABLE, ST_PENDING);
    if (e == NULL) return false;
    entity_set(c->s, e, A_TABLE_KIND, "Custom");
    entity_set(c->s, e, A_TABLE_ASSOCIATE, arg_or(c, "AssociateType", "VSwitch"));
    entity_set(c->s, e, A_TABLE_GROUP, entity_get(vpc, A_VPC_GROUP));
    arg_to_attr(c, e, "RouteTableName", A_TABLE_NAME);
    arg_to_attr(c, e, "Description", A_TABLE_DESCRIPTION);
    entity_link(c->s, e, OWNER, vpc);
    table_fill(c->m, e, c->now_ms);
    entity_move(c->s, e, ST_PENDING, ST_AVAILABLE, ready_after(c->m, c->now_ms, TAKES_TABLE), vpc);
    answer_text(c, "RouteTableId", e->id);
    return true;
}

bool table_modify(struct call *c)
{
    struct entity *e = need(c, E_TABLE, "RouteTableId");
    if (e == NULL || !check_name(c, "RouteTableName", false) || !check_description(c, "Description"))
        return false;
    if (e->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectStatus.RouteTable", "Route table %s is %s.", e->id,
                      status_names[e->status]);
    arg_to_attr(c, e, "RouteTableName", A_TABLE_NAME);
    arg_to_attr(c, e, "Description", A_TABLE_DESCRIPTION);
    arg_to_attr(c, e, "RoutePropagationEnable", A_TABLE_PROPAGATION);
    return true;
}

bool table_delete(struct call *c)
{
    struct entity *e = need(c, E_TABLE, "RouteTableId");
    if (e == NULL) return false;
    if (entity_is(e, A_TABLE_KIND, "System"))
        return refuse(c, 400, "OperationDenied", "The system route table cannot be deleted.");
    if (e->status != ST_AVAILABLE && !entity_has_failed(e))
        return refuse(c, 400, "IncorrectRouteTableStatus", "Route table %s is %s.", e->id,
                      status_names[e->status]);
    const struct entity *vswitch = entity_first(e, SECOND, E_VSWITCH);
    if (vswitch != NULL)
        return refuse(c, 400, "DependencyViolation.VSwitch", "vSwitch %s is associated with %s.", vswitch->id,
                      e->id);
    for (EACH_CHILD(route, e, OWNER, E_ROUTE))
        if (entity_is(route, A_ROUTE_KIND, "Custom"))
            return refuse(c, 400, "DependencyViolation.RouteEntry", "Route table %s still has %s.", e->id,
                          route->id);
    struct entity *vpc = e->links[OWNER].to;
    if (!vpc_is_free(c, vpc, "OperationConflict")) return false;
    entity_move(c->s, e, ST_DELETING, ST_GONE, ready_after(c->m, c->now_ms, TAKES_DELETE), vpc);
    return true;
}

/* ---- Association ---- */

static bool check_pair(struct call *c, const struct entity *table, const struct entity *vswitch)
{
    if (vswitch->links[OWNER].to != table->links[OWNER].to)
        return refuse(c, 400, "InvalidVSwitchId.NotInVpc", "vSwitch %s and table %s are in different VPCs.",
                      vswitch->id, table->id);
    if (entity_is(table, A_TABLE_KIND, "System"))
        return refuse(c, 400, "OperationDenied", "The system route table is associated by the cloud itself.");
    if (table->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectStatus.RouteTable", "Route table %s is %s.", table->id,
                      status_names[table->status]);
    if (vswitch->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectVSwitchStatus", "vSwitch %s is not available.", vswitch->id);
    return true;
}

static void change_table(struct call *c, struct entity *vswitch, struct entity *table)
{
    entity_link(c->s, vswitch, SECOND, table);
    entity_move(c->s, vswitch, ST_PENDING, ST_AVAILABLE, ready_after(c->m, c->now_ms, TAKES_ASSOCIATION),
                table->links[OWNER].to);
}

bool table_associate(struct call *c)
{
    struct entity *table = need(c, E_TABLE, "RouteTableId");
    struct entity *vswitch = table == NULL ? NULL : need(c, E_VSWITCH, "VSwitchId");
    if (vswitch == NULL || !check_pair(c, table, vswitch)) return false;
    const struct entity *old = vswitch->links[SECOND].to;
    if (old == table) {
        if (c->m->options[OPT_ASSOCIATE_AGAIN] == 0) return true;
        return refuse(c, 400, "OperationConflict", "vSwitch %s is associated with %s already.", vswitch->id,
                      table->id);
    }
    if (!vpc_is_free(c, table->links[OWNER].to, "OperationConflict")) return false;
    bool custom = old != NULL && entity_is(old, A_TABLE_KIND, "Custom");
    if (custom && c->m->options[OPT_REASSOCIATE] == 0)
        return refuse(c, 400, "OperationUnsupported.VSwitchAssociated",
                      "vSwitch %s is associated with the custom route table %s.", vswitch->id, old->id);
    change_table(c, vswitch, table);
    return true;
}

bool table_unassociate(struct call *c)
{
    struct entity *table = need(c, E_TABLE, "RouteTableId");
    struct entity *vswitch = table == NULL ? NULL : need(c, E_VSWITCH, "VSwitchId");
    if (vswitch == NULL || !check_pair(c, table, vswitch)) return false;
    if (vswitch->links[SECOND].to != table)
        return refuse(c, 400, "OperationUnsupported.NotAssociated", "vSwitch %s is not associated with %s.",
                      vswitch->id, table->id);
    struct entity *vpc = table->links[OWNER].to;
    if (!vpc_is_free(c, vpc, "OperationConflict")) return false;
    change_table(c, vswitch, vpc_system_table(vpc));
    return true;
}

/* instance.c - ECS instances, as far as networks see them. */
#include <string.h>

#include "providers/mock/handlers.h"
#include "providers/mock/shape.h"

enum { MAX_AMOUNT = 100, MAX_DELETED = 100 };

/* ---- Answers ---- */

static json_t *instance_eip(const struct entity *e)
{
    const struct entity *eip = entity_first(e, OWNER, E_EIP);
    json_t *object = json_object();
    int64_t bandwidth = 0;
    if (eip != NULL && !text_to_i64(text_of(entity_get(eip, A_EIP_BANDWIDTH)), 0, INT32_MAX, &bandwidth))
        bandwidth = 0;
    (void)json_object_set_new_nocheck(object, "AllocationId", json_string(eip == NULL ? "" : eip->id));
    (void)json_object_set_new_nocheck(object, "IpAddress",
                                      json_string(eip == NULL ? "" : entity_get(eip, A_EIP_ADDRESS)));
    (void)json_object_set_new_nocheck(object, "InternetChargeType",
                                      json_string(eip == NULL ? "" : entity_get(eip, A_EIP_INTERNET_CHARGE)));
    if (eip != NULL) (void)json_object_set_new_nocheck(object, "Bandwidth", json_integer(bandwidth));
    return object;
}

static json_t *instance_interfaces(const struct entity *e)
{
    const char *ip = entity_get(e, A_INSTANCE_PRIVATE_IP);
    return json_pack("[{s:s, s:s, s:s, s:{s:[{s:s, s:b}]}}]", "NetworkInterfaceId",
                     entity_get(e, A_INSTANCE_ENI), "Type", "Primary", "PrimaryIpAddress", ip,
                     "PrivateIpSets", "PrivateIpSet", "PrivateIpAddress", ip, "Primary", 1);
}

/* One level deeper than the table's paths go. */
static json_t *instance_private_ips(const struct entity *e)
{
    return json_pack("{s:[s]}", "IpAddress", entity_get(e, A_INSTANCE_PRIVATE_IP));
}

static const struct shape instance_shape[] = {
    FIELD("InstanceId", SHAPE_ID, 0),
    FIELD("InstanceName", SHAPE_ATTR, A_INSTANCE_NAME),
    FIELD("Description", SHAPE_ATTR, A_INSTANCE_DESCRIPTION),
    FIELD("HostName", SHAPE_ATTR, A_INSTANCE_HOST),
    FIELD("Status", SHAPE_STATUS, 0),
    FIELD("RegionId", SHAPE_REGION, 0),
    FIELD("ZoneId", SHAPE_ATTR, A_INSTANCE_ZONE),
    FIELD("ImageId", SHAPE_ATTR, A_INSTANCE_IMAGE),
    FIELD("InstanceType", SHAPE_ATTR, A_INSTANCE_TYPE),
    FIELD("InstanceChargeType", SHAPE_ATTR, A_INSTANCE_CHARGE),
    FIELD_TEXT("InstanceNetworkType", "vpc"),
    FIELD("KeyPairName", SHAPE_ATTR, A_INSTANCE_KEY_PAIR),
    FIELD("ResourceGroupId", SHAPE_ATTR, A_INSTANCE_GROUP),
    FIELD("DeletionProtection", SHAPE_FLAG, A_INSTANCE_PROTECTION),
    FIELD("CreationTime", SHAPE_TIME_MIN, 0),
    FIELD("SecurityGroupIds.SecurityGroupId", SHAPE_LIST, A_INSTANCE_GROUPS),
    FIELD("PublicIpAddress.IpAddress", SHAPE_LIST, A_INSTANCE_PUBLIC_IP),
    FIELD("InnerIpAddress.IpAddress", SHAPE_EMPTY, 0),
    FIELD("VpcAttributes.VpcId", SHAPE_LINK, OWNER),
    FIELD("VpcAttributes.VSwitchId", SHAPE_LINK, SECOND),
    FIELD_MAKE("VpcAttributes.PrivateIpAddress", instance_private_ips),
    FIELD_TEXT("VpcAttributes.NatIpAddress", ""),
    FIELD_MAKE("EipAddress", instance_eip),
    FIELD_MAKE("NetworkInterfaces.NetworkInterface", instance_interfaces),
    FIELD("OperationLocks.LockReason", SHAPE_EMPTY, 0),
    FIELD("Tags.Tag", SHAPE_TAG_PAIRS, 0),
    END_FIELDS,
};

static const struct filter instance_filters[] = {
    {"InstanceName", FILTER_ATTR, A_INSTANCE_NAME},
    {"InstanceType", FILTER_ATTR, A_INSTANCE_TYPE},
    {"ImageId", FILTER_ATTR, A_INSTANCE_IMAGE},
    {"ZoneId", FILTER_ATTR, A_INSTANCE_ZONE},
    {"SecurityGroupId", FILTER_ITEM, A_INSTANCE_GROUPS},
    {"ResourceGroupId", FILTER_ATTR, A_INSTANCE_GROUP},
    {"InstanceChargeType", FILTER_ATTR, A_INSTANCE_CHARGE},
    {"Status", FILTER_STATUS, 0},
    END_FILTERS,
};

static const struct list_spec instances = {
    .type = E_INSTANCE,
    .wrapper = "Instances.Instance",
    .shape = instance_shape,
    .filters = instance_filters,
    .paging = BY_TOKEN_OR_PAGE,
    .size_param = "MaxResults",
    .default_size = 10,
    .ids_param = "InstanceIds",
    .ids_are_json = true,
    .ignored = (const char *const[]){"InstanceNetworkType", "NeedSaleCycle", NULL},
    .narrow = {{"VSwitchId", E_VSWITCH, SECOND, false}, {"VpcId", E_VPC, OWNER, false}},
};

bool instance_list(struct call *c)
{
    return list_entities(c, &instances);
}

/* ---- Creation ---- */

/* "SecurityGroupIds.N" and "SecurityGroupId" as a comma list. */
static bool read_groups(struct call *c, const struct entity *vpc, struct buf *list)
{
    const char *single = arg(c, "SecurityGroupId");
    size_t n = 0;
    for (unsigned i = single == NULL ? 1 : 0;; i++) {
        const char *id = i == 0 ? single : argf(c, "SecurityGroupIds.%u", i);
        if (id == NULL) break;
        const struct entity *group = lookup(c, E_GROUP, id);
        if (group == NULL) return refuse_missing(c, E_GROUP, id);
        if (group->links[OWNER].to != vpc)
            return refuse(c, 403, "InvalidSecurityGroupAssociation.NotFound",
                          "Security group %s is in another VPC.", id);
        if (list_has(buf_str(list), id)) continue;
        if (n++ > 0) buf_putc(list, ',');
        buf_puts(list, id);
    }
    if (!within_quota(c, OPT_QUOTA_INSTANCE_GROUP, n, 0))
        return refuse(c, 403, "QuotaExceed.SecurityGroupPerInstance",
                      "An instance cannot be in %zu security groups.", n);
    if (!buf_ok(list)) c->no_memory = true;
    return true;
}

static struct entity *make_instance(struct call *c, struct entity *vswitch, const char *groups,
                                    uint32_t address)
{
    static const struct {
        const char *param;
        int attr;
        const char *otherwise;
    } from_request[] = {
        {"InstanceName", A_INSTANCE_NAME, ""},
        {"Description", A_INSTANCE_DESCRIPTION, ""},
        {"HostName", A_INSTANCE_HOST, ""},
        {"ImageId", A_INSTANCE_IMAGE, "debian_12_x64_20G_alibase"},
        {"InstanceType", A_INSTANCE_TYPE, "ecs.t6-c1m1.large"},
        {"InstanceChargeType", A_INSTANCE_CHARGE, "PostPaid"},
        {"KeyPairName", A_INSTANCE_KEY_PAIR, ""},
        {"ResourceGroupId", A_INSTANCE_GROUP, "rg-default"},
        {"DeletionProtection", A_INSTANCE_PROTECTION, "false"},
    };
    struct entity *e = create(c, E_INSTANCE, ST_PENDING);
    char text[ENTITY_ID_SIZE];
    if (e == NULL) return NULL;
    for (size_t i = 0; i < N_ELEMENTS(from_request); i++)
        entity_set(c->s, e, from_request[i].attr,
                   arg_or(c, from_request[i].param, from_request[i].otherwise));
    if (entity_is(e, A_INSTANCE_NAME, "")) entity_set(c->s, e, A_INSTANCE_NAME, e->id);
    new_id(c->m, "eni", text);
    entity_set(c->s, e, A_INSTANCE_ENI, text);
    entity_set(c->s, e, A_INSTANCE_PRIVATE_IP, ip_format(address, text));
    entity_set(c->s, e, A_INSTANCE_GROUPS, groups);
    entity_set(c->s, e, A_INSTANCE_ZONE, entity_get(vswitch, A_VSWITCH_ZONE));
    entity_link(c->s, e, OWNER, vswitch->links[OWNER].to);
    entity_link(c->s, e, SECOND, vswitch);
    /* A third of the time is Pending, the rest Starting: see instance_settled(). */
    int64_t takes_ms = ready_after(c->m, 0, TAKES_INSTANCE) / 3;
    entity_move(c->s, e, ST_PENDING, ST_STARTING, c->now_ms + MAX_OF(takes_ms, 1), NULL);
    return e;
}

static bool wants_public_address(const struct call *c)
{
    return strcmp(arg_or(c, "InternetMaxBandwidthOut", "0"), "0") != 0;
}

static bool read_amount(struct call *c, const struct entity *vswitch, uint64_t *amount, uint32_t *address)
{
    const char *ip = arg(c, "PrivateIpAddress");
    *address = 0;
    if (!text_to_u64(text_of(arg_or(c, "Amount", "1")), MAX_AMOUNT, amount) || *amount == 0) *amount = 1;
    if (ip != NULL && (ip_parse(text_of(ip), address) != IP_OK || *amount != 1))
        return refuse(c, 400, "InvalidPrivateIpAddress.Malformed", "The private address is not valid.");
    if (ip != NULL && vswitch_take_address(vswitch, *address) == 0)
        return refuse(c, 403, "InvalidPrivateIpAddress.Duplicated", "The private address %s is not free.",
                      ip);
    if (vswitch_n_free(vswitch) < *amount)
        return refuse(c, 403, "InvalidVSwitchId.IpNotEnough", "vSwitch %s has too few addresses.",
                      vswitch->id);
    return true;
}

bool instance_run(struct call *c)
{
    CLEANUP(buf_fini) struct buf groups;
    uint64_t amount;
    uint32_t address;
    buf_init(&groups, 4096);
    if (!check_name(c, "InstanceName", true) || !check_description(c, "Description") || !check_tags(c))
        return false;
    if (arg(c, "VSwitchId") == NULL) return refuse(c, 400, "MissingParameter", "VSwitchId is mandatory.");
    struct entity *vswitch = need(c, E_VSWITCH, "VSwitchId");
    if (vswitch == NULL) return false;
    struct entity *vpc = vswitch->links[OWNER].to;
    if (!read_groups(c, vpc, &groups)) return false;
    if (groups.len == 0) return refuse(c, 400, "MissingParameter", "SecurityGroupId is mandatory.");
    if (vswitch->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectVSwitchStatus", "vSwitch %s is not available.", vswitch->id);
    if (!read_amount(c, vswitch, &amount, &address)) return false;
    if (!within_quota(c, OPT_QUOTA_INSTANCE, count_children(vpc, OWNER, E_INSTANCE), amount))
        return refuse(c, 403, "QuotaExceed.Instance", "The quota of instances in the VPC is reached.");
    if (!call_accept(c)) return false;

    json_t *ids = json_array();
    for (uint64_t i = 0; i < amount; i++) {
        char public_ip[IP_TEXT_SIZE];
        struct entity *e =
            make_instance(c, vswitch, buf_str(&groups), vswitch_take_address(vswitch, address));
        if (e == NULL) break;
        if (wants_public_address(c) && eip_take_address(c, public_ip))
            entity_set(c->s, e, A_INSTANCE_PUBLIC_IP, public_ip);
        (void)json_array_append_new(ids, json_string(e->id));
    }
    answer_put(c, "InstanceIdSets.InstanceIdSet", ids);
    return true;
}

void instance_settled(struct mock *m, struct entity *e, enum status was, int64_t now_ms)
{
    if (e->then == ST_GONE) {
        entity_vanish(m, e, now_ms);
    } else if (was == ST_PENDING) {
        int64_t takes_ms = ready_after(m, 0, TAKES_INSTANCE) * 2 / 3;
        entity_move(&m->store, e, ST_STARTING, ST_RUNNING, now_ms + MAX_OF(takes_ms, 1), NULL);
    } else {
        entity_rest(&m->store, e, e->then);
    }
}

/* ---- Changes ---- */

bool instance_modify(struct call *c)
{
    CLEANUP(buf_fini) struct buf groups;
    buf_init(&groups, 4096);
    struct entity *e = need(c, E_INSTANCE, "InstanceId");
    if (e == NULL || !check_name(c, "InstanceName", true) || !check_description(c, "Description"))
        return false;
    if (!read_groups(c, e->links[OWNER].to, &groups)) return false;
    if (groups.len > 0) entity_set(c->s, e, A_INSTANCE_GROUPS, buf_str(&groups));
    arg_to_attr(c, e, "InstanceName", A_INSTANCE_NAME);
    arg_to_attr(c, e, "Description", A_INSTANCE_DESCRIPTION);
    arg_to_attr(c, e, "HostName", A_INSTANCE_HOST);
    arg_to_attr(c, e, "DeletionProtection", A_INSTANCE_PROTECTION);
    return true;
}

static bool change_power(struct call *c, enum status from, enum status status, enum status then)
{
    struct entity *e = need(c, E_INSTANCE, "InstanceId");
    if (e == NULL) return false;
    if (e->status != from || entity_is_moving(e))
        return refuse(c, 403, "IncorrectInstanceStatus", "Instance %s is %s.", e->id,
                      status_names[e->status]);
    if (!call_accept(c)) return false;
    entity_move(c->s, e, status, then, ready_after(c->m, c->now_ms, TAKES_STOP), NULL);
    return true;
}

bool instance_start(struct call *c)
{
    return change_power(c, ST_STOPPED, ST_STARTING, ST_RUNNING);
}

bool instance_stop(struct call *c)
{
    return change_power(c, ST_RUNNING, ST_STOPPING, ST_STOPPED);
}

/* ---- Deletion ---- */

static bool check_deletable(struct call *c, const struct entity *e)
{
    bool starting = e->status == ST_PENDING || e->status == ST_STARTING;
    if (entity_is(e, A_INSTANCE_PROTECTION, "true"))
        return refuse(c, 403, "InvalidOperation.DeletionProtection", "Deletion protection of %s is on.",
                      e->id);
    if (starting)
        return refuse(c, 403, "IncorrectInstanceStatus.Initializing", "Instance %s is starting.", e->id);
    if (entity_is_moving(e) || (e->status != ST_STOPPED && !arg_is_true(c, "Force")))
        return refuse(c, 403, "IncorrectInstanceStatus", "Instance %s is %s.", e->id,
                      status_names[e->status]);
    const struct entity *vpc = e->links[OWNER].to;
    for (EACH_CHILD(table, vpc, OWNER, E_TABLE))
        for (EACH_CHILD(route, table, OWNER, E_ROUTE))
            if (route_leads_to(route, e->id))
                return refuse(c, 403, "DependencyViolation.RouteEntry", "Route entry %s leads to %s.",
                              route->id, e->id);
    return true;
}

static void delete_instance(struct call *c, struct entity *e)
{
    entity_move(c->s, e, ST_STOPPING, ST_GONE, ready_after(c->m, c->now_ms, TAKES_INSTANCE_DELETE), NULL);
}

bool instance_delete(struct call *c)
{
    struct entity *e = need(c, E_INSTANCE, "InstanceId");
    if (e == NULL || !check_deletable(c, e) || !call_accept(c)) return false;
    delete_instance(c, e);
    return true;
}

bool instance_delete_batch(struct call *c)
{
    unsigned n = 0;
    for (const char *id; (id = argf(c, "InstanceId.%u", n + 1)) != NULL; n++) {
        const struct entity *e = lookup(c, E_INSTANCE, id);
        if (n == MAX_DELETED)
            return refuse(c, 400, "InvalidParameter", "At most %d instances are possible.", MAX_DELETED);
        if (e == NULL)
            return refuse(c, 404, "InvalidInstanceIds.NotFound", "Instance \"%s\" does not exist.", id);
        if (!check_deletable(c, e)) return false;
    }
    if (!call_accept(c)) return false;
    for (unsigned i = 1; i <= n; i++) delete_instance(c, lookup(c, E_INSTANCE, argf(c, "InstanceId.%u", i)));
    return true;
}

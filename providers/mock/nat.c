/* nat.c - NAT gateways, their default route, and deletion protection. */
#include <string.h>

#include "providers/mock/handlers.h"
#include "providers/mock/shape.h"

enum { MODE_NAT_CHANGE_MAX_EIPS = 5 };

/* ---- Answers ---- */

static const char *using_status(const struct entity *eip)
{
    if (eip_is_used_by_snat(eip)) return "UsedBySnatTable";
    return eip_is_used_by_dnat(eip) ? "UsedByForwardTable" : "idle";
}

static json_t *nat_ips(const struct entity *nat)
{
    json_t *array = json_array();
    for (EACH_CHILD(eip, nat, OWNER, E_EIP)) {
        json_t *ip = json_object();
        (void)json_object_set_new_nocheck(ip, "AllocationId", json_string(eip->id));
        (void)json_object_set_new_nocheck(ip, "IpAddress", json_string(entity_get(eip, A_EIP_ADDRESS)));
        (void)json_object_set_new_nocheck(ip, "UsingStatus", json_string(using_status(eip)));
        (void)json_array_append_new(array, ip);
    }
    return array;
}

static json_t *nat_zone(const struct entity *nat)
{
    const struct entity *vswitch = nat->links[SECOND].to;
    return json_string_nocheck(vswitch == NULL ? "" : entity_get(vswitch, A_VSWITCH_ZONE));
}

static json_t *count_snat(const struct entity *nat)
{
    return json_integer((json_int_t)count_children(nat, OWNER, E_SNAT));
}

static json_t *count_dnat(const struct entity *nat)
{
    return json_integer((json_int_t)count_children(nat, OWNER, E_DNAT));
}

#define NAT_COMMON                                                                                           \
    FIELD("NatGatewayId", SHAPE_ID, 0), FIELD("Name", SHAPE_ATTR, A_NAT_NAME),                               \
        FIELD("Description", SHAPE_ATTR, A_NAT_DESCRIPTION), FIELD("Status", SHAPE_STATUS, 0),               \
        FIELD("VpcId", SHAPE_LINK, OWNER), FIELD("RegionId", SHAPE_REGION, 0),                               \
        FIELD("CreationTime", SHAPE_TIME_MIN, 0), FIELD("NatType", SHAPE_ATTR, A_NAT_TYPE),                  \
        FIELD("NetworkType", SHAPE_ATTR, A_NAT_NETWORK), FIELD_TEXT("BusinessStatus", "Normal"),             \
        FIELD("AvailabilityMode", SHAPE_ATTR, A_NAT_AVAILABILITY), FIELD_TEXT("ExpiredTime", ""),            \
        FIELD("EcsMetricEnabled", SHAPE_BOOL, true), FIELD("PrivateLinkEnabled", SHAPE_BOOL, false),         \
        FIELD("ResourceGroupId", SHAPE_ATTR, A_NAT_GROUP)

static const struct shape nat_shape[] = {
    NAT_COMMON,
    FIELD("EipBindMode", SHAPE_ATTR, A_NAT_EIP_MODE),
    FIELD("EnableSessionLog", SHAPE_ATTR, A_NAT_SESSION_LOG),
    FIELD("IcmpReplyEnabled", SHAPE_FLAG, A_NAT_ICMP),
    FIELD("DeletionProtection", SHAPE_FLAG, A_NAT_PROTECTION),
    FIELD("InternetChargeType", SHAPE_ATTR, A_NAT_INTERNET_CHARGE),
    FIELD("InstanceChargeType", SHAPE_ATTR, A_NAT_CHARGE),
    FIELD("Spec", SHAPE_ATTR, A_NAT_SPEC),
    FIELD("AutoPay", SHAPE_BOOL, false),
    FIELD("SecurityProtectionEnabled", SHAPE_BOOL, false),
    FIELD("SnatTableIds.SnatTableId", SHAPE_LIST, A_NAT_SNAT_TABLE),
    FIELD("ForwardTableIds.ForwardTableId", SHAPE_LIST, A_NAT_FORWARD_TABLE),
    FIELD("FullNatTableIds.FullNatTableId", SHAPE_LIST, A_NAT_FULL_TABLE),
    FIELD_MAKE("IpLists.IpList", nat_ips),
    FIELD("NatGatewayPrivateInfo.VswitchId", SHAPE_LINK, SECOND),
    FIELD("NatGatewayPrivateInfo.PrivateIpAddress", SHAPE_ATTR, A_NAT_PRIVATE_IP),
    FIELD("NatGatewayPrivateInfo.EniInstanceId", SHAPE_ATTR, A_NAT_ENI),
    FIELD_MAKE("NatGatewayPrivateInfo.IzNo", nat_zone),
    FIELD("NatGatewayPrivateInfo.MaxBandwidth", SHAPE_NUMBER, 5120),
    FIELD("Tags.Tag", SHAPE_TAG_PAIRS, 0),
    END_FIELDS,
};

static const struct shape nat_attribute_shape[] = {
    NAT_COMMON,
    FIELD("BillingConfig.InternetChargeType", SHAPE_ATTR, A_NAT_INTERNET_CHARGE),
    FIELD("BillingConfig.InstanceChargeType", SHAPE_ATTR, A_NAT_CHARGE),
    FIELD("BillingConfig.Spec", SHAPE_ATTR, A_NAT_SPEC),
    FIELD_TEXT("BillingConfig.AutoPay", "false"), /* a string in this operation */
    FIELD("DeletionProtectionInfo.Enabled", SHAPE_FLAG, A_NAT_PROTECTION),
    FIELD("EnableSessionLog", SHAPE_FLAG, A_NAT_SESSION_LOG),
    FIELD("SnatTable.SnatTableId", SHAPE_ATTR, A_NAT_SNAT_TABLE),
    FIELD_MAKE("SnatTable.SnatEntryCount", count_snat),
    FIELD("ForwardTable.ForwardTableId", SHAPE_ATTR, A_NAT_FORWARD_TABLE),
    FIELD_MAKE("ForwardTable.ForwardEntryCount", count_dnat),
    FIELD("FullNatTable.FullNatTableId", SHAPE_ATTR, A_NAT_FULL_TABLE),
    FIELD_MAKE("IpList", nat_ips),
    FIELD("PrivateInfo.VswitchId", SHAPE_LINK, SECOND),
    FIELD("PrivateInfo.PrivateIpAddress", SHAPE_ATTR, A_NAT_PRIVATE_IP),
    FIELD("PrivateInfo.EniInstanceId", SHAPE_ATTR, A_NAT_ENI),
    FIELD_MAKE("PrivateInfo.IzNo", nat_zone),
    FIELD("PrivateInfo.MaxBandwidth", SHAPE_NUMBER, 5120),
    END_FIELDS,
};

static const struct filter nat_filters[] = {
    {"Name", FILTER_ATTR, A_NAT_NAME},
    {"NatType", FILTER_ATTR, A_NAT_TYPE},
    {"NetworkType", FILTER_ATTR, A_NAT_NETWORK},
    {"InstanceChargeType", FILTER_ATTR, A_NAT_CHARGE},
    {"AvailabilityMode", FILTER_ATTR, A_NAT_AVAILABILITY},
    {"ResourceGroupId", FILTER_ATTR, A_NAT_GROUP},
    {"Spec", FILTER_ATTR, A_NAT_SPEC},
    {"Status", FILTER_STATUS, 0},
    {"ZoneId", FILTER_ZONE, 0},
    END_FILTERS,
};

static const struct list_spec nats = {
    .type = E_NAT,
    .wrapper = "NatGateways.NatGateway",
    .shape = nat_shape,
    .filters = nat_filters,
    .default_size = 10,
    .ids_param = "NatGatewayId",
    .narrow = {{"VpcId", E_VPC, OWNER, false}},
};

bool nat_list(struct call *c)
{
    return list_entities(c, &nats);
}

bool nat_attribute(struct call *c)
{
    const struct entity *nat = need(c, E_NAT, "NatGatewayId");
    if (nat == NULL) return false;
    answer_entity(c, nat, nat_attribute_shape);
    return true;
}

/* ---- Creation ---- */

bool nat_is_available(struct call *c, const struct entity *nat, const char *code)
{
    if (nat->status == ST_AVAILABLE) return true;
    return refuse(c, 400, code, "NAT gateway %s is %s.", nat->id, status_names[nat->status]);
}

static bool check_nat_place(struct call *c, const struct entity *vpc, const struct entity *vswitch)
{
    if (vswitch->links[OWNER].to != vpc)
        return refuse(c, 400, "OperationFailed.VswNotBelongToVpc", "vSwitch %s is not in VPC %s.",
                      vswitch->id, vpc->id);
    if (!vpc_is_free(c, vpc, "TaskConflict")) return false;
    if (vswitch->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectStatus.VSWITCH", "vSwitch %s is not available.", vswitch->id);
    if (!within_quota(c, OPT_QUOTA_NAT, count_children(vpc, OWNER, E_NAT), 1))
        return refuse(c, 400, "QuotaExceeded.NatGateway", "The quota of NAT gateways in the VPC is reached.");
    return true;
}

static void nat_fill(struct call *c, struct entity *nat, uint32_t address)
{
    static const struct {
        const char *param;
        int attr;
        const char *otherwise;
    } from_request[] = {
        {"Name", A_NAT_NAME, ""},
        {"Description", A_NAT_DESCRIPTION, ""},
        {"NatType", A_NAT_TYPE, "Enhanced"},
        {"NetworkType", A_NAT_NETWORK, "internet"},
        {"InternetChargeType", A_NAT_INTERNET_CHARGE, "PayByLcu"},
        {"InstanceChargeType", A_NAT_CHARGE, "PostPaid"},
        {"EipBindMode", A_NAT_EIP_MODE, "MULTI_BINDED"},
        {"IcmpReplyEnabled", A_NAT_ICMP, "true"},
        {"AvailabilityMode", A_NAT_AVAILABILITY, "CrossAZ"},
    };
    static const struct {
        const char *prefix;
        int attr;
    } ids[] = {
        {"stb", A_NAT_SNAT_TABLE},
        {"ftb", A_NAT_FORWARD_TABLE},
        {"fulltb", A_NAT_FULL_TABLE},
        {"eni", A_NAT_ENI},
        /* Taken now, so that it is the same whoever is looking when the gateway becomes available. */
        {"rte", A_NAT_AUTO_ROUTE},
    };
    char text[ENTITY_ID_SIZE];
    for (size_t i = 0; i < N_ELEMENTS(from_request); i++)
        entity_set(c->s, nat, from_request[i].attr,
                   arg_or(c, from_request[i].param, from_request[i].otherwise));
    for (size_t i = 0; i < N_ELEMENTS(ids); i++) {
        new_id(c->m, ids[i].prefix, text);
        entity_set(c->s, nat, ids[i].attr, text);
    }
    entity_set(c->s, nat, A_NAT_PRIVATE_IP, ip_format(address, text));
    entity_set(c->s, nat, A_NAT_PROTECTION, "false");
    entity_set(c->s, nat, A_NAT_SESSION_LOG, "false");
    entity_set(c->s, nat, A_NAT_GROUP, "rg-default");
}

bool nat_create(struct call *c)
{
    if (!check_name(c, "Name", true) || !check_description(c, "Description") || !check_tags(c)) return false;
    struct entity *vpc = need(c, E_VPC, "VpcId");
    if (vpc == NULL) return false;
    if (arg(c, "VSwitchId") == NULL)
        return refuse(c, 400, "MissingParameter", "VSwitchId is mandatory for an enhanced NAT gateway.");
    struct entity *vswitch = need(c, E_VSWITCH, "VSwitchId");
    if (vswitch == NULL || !check_nat_place(c, vpc, vswitch)) return false;
    uint32_t wanted = 0;
    const char *nat_ip = arg(c, "NatIp");
    if (nat_ip != NULL && ip_parse(text_of(nat_ip), &wanted) != IP_OK)
        return refuse(c, 400, "InvalidNatIp.Malformed", "NatIp is not an IPv4 address.");
    uint32_t address = vswitch_take_address(vswitch, wanted);
    if (address == 0)
        return refuse(c, 400, "ZONE_NO_AVAILABLE_IP", "vSwitch %s has no free address.", vswitch->id);

    struct entity *nat = create(c, E_NAT, ST_CREATING);
    if (nat == NULL) return false;
    nat_fill(c, nat, address);
    entity_link(c->s, nat, OWNER, vpc);
    entity_link(c->s, nat, SECOND, vswitch);
    entity_move(c->s, nat, ST_CREATING, ST_AVAILABLE, ready_after(c->m, c->now_ms, TAKES_NAT), NULL);
    answer_text(c, "NatGatewayId", nat->id);
    answer_put(c, "SnatTableIds.SnatTableId", json_pack("[s]", entity_get(nat, A_NAT_SNAT_TABLE)));
    answer_put(c, "ForwardTableIds.ForwardTableId", json_pack("[s]", entity_get(nat, A_NAT_FORWARD_TABLE)));
    answer_put(c, "FullNatTableIds.FullNatTableId", json_pack("[s]", entity_get(nat, A_NAT_FULL_TABLE)));
    return true;
}

/* The cloud adds a default route to the VPC's system table by itself. Whether it does so for a second gateway
 * is not documented: option nat-default-route.  Source: CreateNatGateway */
static void add_default_route(struct mock *m, struct entity *nat, int64_t now_ms)
{
    struct entity *vpc = nat->links[OWNER].to;
    struct entity *table = vpc == NULL ? NULL : vpc_system_table(vpc);
    int64_t when = m->options[OPT_DEFAULT_ROUTE];
    bool wanted = when == DEFAULT_ROUTE_EACH ||
                  (when == DEFAULT_ROUTE_FIRST && vpc != NULL && entity_first(vpc, OWNER, E_NAT) == nat);
    bool possible = table != NULL && entity_is(nat, A_NAT_NETWORK, "internet") &&
                    route_find(table, (struct cidr){0, 0}) == NULL;
    if (!wanted || !possible) {
        entity_set(&m->store, nat, A_NAT_AUTO_ROUTE, "");
        return;
    }
    struct entity *route = route_add(m, table, entity_get(nat, A_NAT_AUTO_ROUTE), "0.0.0.0/0", "Custom",
                                     "NatGateway", nat->id, now_ms);
    if (route != NULL) entity_set(&m->store, route, A_ROUTE_ORIGIN, "cloud");
}

/* ---- Deletion ---- */

static void drop_routes_to(struct mock *m, const struct entity *nat)
{
    const struct entity *vpc = nat->links[OWNER].to;
    if (vpc == NULL) return;
    for (EACH_CHILD(table, vpc, OWNER, E_TABLE)) {
        for (EACH_CHILD_SAFE(route, table, OWNER, E_ROUTE)) {
            bool own = entity_is(route, A_ROUTE_ORIGIN, "cloud");
            bool removed = own || m->options[OPT_NAT_ROUTES] == NAT_ROUTES_REMOVE;
            if (removed && route_leads_to(route, nat->id)) store_remove(&m->store, route);
        }
    }
}

static void drop_contents(struct mock *m, struct entity *nat)
{
    for (EACH_CHILD_SAFE(snat, nat, OWNER, E_SNAT)) store_remove(&m->store, snat);
    for (EACH_CHILD_SAFE(dnat, nat, OWNER, E_DNAT)) store_remove(&m->store, dnat);
    for (EACH_CHILD_SAFE(eip, nat, OWNER, E_EIP)) eip_let_go(m, eip);
}

void nat_clean(struct mock *m, struct entity *nat)
{
    drop_routes_to(m, nat);
    drop_contents(m, nat);
}

void nat_settled(struct mock *m, struct entity *nat, enum status was, int64_t now_ms)
{
    if (was == ST_DELETING) {
        nat_clean(m, nat);
        entity_vanish(m, nat, now_ms);
        return;
    }
    if (was == ST_LINGERING) {
        entity_vanish(m, nat, now_ms);
        return;
    }
    entity_rest(&m->store, nat, nat->then);
    if (was == ST_CREATING) add_default_route(m, nat, now_ms);
}

static bool nat_has_custom_route(struct call *c, const struct entity *nat)
{
    const struct entity *vpc = nat->links[OWNER].to;
    for (EACH_CHILD(table, vpc, OWNER, E_TABLE))
        for (EACH_CHILD(route, table, OWNER, E_ROUTE))
            if (!entity_is(route, A_ROUTE_ORIGIN, "cloud") && route_leads_to(route, nat->id)) {
                (void)refuse(c, 400, "DependencyViolation.RouteEntry",
                             "Route entry %s leads to NAT gateway %s.", route->id, nat->id);
                return true;
            }
    return false;
}

/* Source: DeleteNatGateway, Force */
static bool nat_is_empty(struct call *c, const struct entity *nat)
{
    static const struct {
        enum entity_type type;
        const char *code;
    } inside[] = {
        {E_SNAT, "DependencyViolation.SnatEntry"},
        {E_DNAT, "DependencyViolation.ForwardEntry"},
        {E_EIP, "DependencyViolation.EIPS"},
    };
    for (size_t i = 0; i < N_ELEMENTS(inside); i++) {
        const struct entity *first = entity_first(nat, OWNER, inside[i].type);
        if (first != NULL)
            return refuse(c, 400, inside[i].code, "NAT gateway %s still has %s.", nat->id, first->id);
    }
    return true;
}

bool nat_delete(struct call *c)
{
    struct entity *nat = need(c, E_NAT, "NatGatewayId");
    if (nat == NULL) return false;
    bool deleting = nat->status == ST_DELETING;
    if (!entity_has_failed(nat) &&
        !nat_is_available(c, nat, deleting ? "IncorrectStatus.NatGateway" : "IncorrectStatus.NATGW"))
        return false;
    if (entity_is(nat, A_NAT_PROTECTION, "true"))
        return refuse(c, 400, "InvalidOperation.DeletionProtection", "Deletion protection of %s is on.",
                      nat->id);
    if (nat->n_moving > 0)
        return refuse(c, 400, "OperationConflict", "Something in NAT gateway %s is in transition.", nat->id);
    if (!arg_is_true(c, "Force") && !nat_is_empty(c, nat)) return false;
    if (c->m->options[OPT_NAT_ROUTES] == NAT_ROUTES_REFUSE && nat_has_custom_route(c, nat)) return false;
    entity_move(c->s, nat, ST_DELETING, ST_GONE, ready_after(c->m, c->now_ms, TAKES_NAT_DELETE), NULL);
    return true;
}

/* ---- Changes ---- */

bool nat_modify(struct call *c)
{
    struct entity *nat = need(c, E_NAT, "NatGatewayId");
    if (nat == NULL || !check_name(c, "Name", true) || !check_description(c, "Description")) return false;
    if (!nat_is_available(c, nat, "IncorrectStatus.NATGW")) return false;
    const char *mode = arg(c, "EipBindMode");
    if (mode != NULL && !entity_is(nat, A_NAT_EIP_MODE, mode)) {
        if (strcmp(mode, "NAT") != 0)
            return refuse(c, 400, "OperationUnsupported.EipBindMode",
                          "Only MULTI_BINDED can be changed, to NAT.");
        if (count_children(nat, OWNER, E_EIP) > MODE_NAT_CHANGE_MAX_EIPS)
            return refuse(c, 400, "OperationUnsupported.EipBindMode", "More than %d EIPs are bound.",
                          MODE_NAT_CHANGE_MAX_EIPS);
    }
    arg_to_attr(c, nat, "EipBindMode", A_NAT_EIP_MODE);
    arg_to_attr(c, nat, "Name", A_NAT_NAME);
    arg_to_attr(c, nat, "Description", A_NAT_DESCRIPTION);
    arg_to_attr(c, nat, "IcmpReplyEnabled", A_NAT_ICMP);
    arg_to_attr(c, nat, "EnableSessionLog", A_NAT_SESSION_LOG);
    return true;
}

bool nat_modify_spec(struct call *c)
{
    struct entity *nat = need(c, E_NAT, "NatGatewayId");
    if (nat == NULL || !nat_is_available(c, nat, "IncorrectStatus.NatGateway")) return false;
    if (!entity_is(nat, A_NAT_INTERNET_CHARGE, "PayBySpec"))
        return refuse(c, 400, "OperationUnsupported.PayByLcu",
                      "The size of a PayByLcu gateway cannot be changed.");
    entity_set(c->s, nat, A_NAT_SPEC, arg(c, "Spec"));
    entity_move(c->s, nat, ST_MODIFYING, ST_AVAILABLE, ready_after(c->m, c->now_ms, TAKES_NAT_CHANGE), NULL);
    return true;
}

bool deletion_protection(struct call *c)
{
    const char *kind = arg(c, "Type");
    bool nat = strcmp(kind, "NATGW") == 0;
    if (!nat && strcmp(kind, "EIP") != 0)
        return refuse(c, 400, "OperationUnsupported.Type", "The simulated cloud has no %s.", kind);
    struct entity *e = need(c, nat ? E_NAT : E_EIP, "InstanceId");
    if (e == NULL) return false;
    if (nat && !nat_is_available(c, e, "IncorrectStatus.NATGW")) return false;
    entity_set(c->s, e, nat ? (int)A_NAT_PROTECTION : (int)A_EIP_PROTECTION, arg(c, "ProtectionEnable"));
    return true;
}

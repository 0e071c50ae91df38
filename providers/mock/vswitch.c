/* vswitch.c - vSwitches and the private addresses in them. */
#include <string.h>

#include "providers/mock/handlers.h"
#include "providers/mock/shape.h"

enum {
    VSWITCH_MIN_BITS = 16,
    VSWITCH_MAX_BITS = 29,
    RESERVED_FIRST = 1, /* the first address and the last three are the cloud's own */
    RESERVED_LAST = 3,
};

/* ---- Addresses ---- */

static size_t n_used(const struct entity *vswitch)
{
    return count_children(vswitch, SECOND, E_NAT) + count_children(vswitch, SECOND, E_INSTANCE);
}

size_t vswitch_n_free(const struct entity *vswitch)
{
    size_t size = (size_t)1 << (32 - block_of(vswitch, A_VSWITCH_CIDR).bits);
    size_t used = n_used(vswitch) + RESERVED_FIRST + RESERVED_LAST;
    return size > used ? size - used : 0;
}

static bool address_is_used(const struct entity *vswitch, const char *ip)
{
    for (EACH_CHILD(nat, vswitch, SECOND, E_NAT))
        if (entity_is(nat, A_NAT_PRIVATE_IP, ip)) return true;
    for (EACH_CHILD(instance, vswitch, SECOND, E_INSTANCE))
        if (entity_is(instance, A_INSTANCE_PRIVATE_IP, ip)) return true;
    return false;
}

/* Where to begin looking: behind what was taken last, so that filling a vSwitch does not start over. */
static uint32_t last_taken(const struct entity *vswitch)
{
    uint32_t newest = 0, ip;
    const struct entity *nat = entity_first(vswitch, SECOND, E_NAT);
    const struct entity *instance = entity_first(vswitch, SECOND, E_INSTANCE);
    if (nat != NULL && ip_parse(text_of(entity_get(nat->links[SECOND].prev, A_NAT_PRIVATE_IP)), &ip) == IP_OK)
        newest = ip;
    if (instance != NULL &&
        ip_parse(text_of(entity_get(instance->links[SECOND].prev, A_INSTANCE_PRIVATE_IP)), &ip) == IP_OK)
        newest = MAX_OF(newest, ip);
    return newest;
}

uint32_t vswitch_take_address(const struct entity *vswitch, uint32_t wanted)
{
    struct cidr block = block_of(vswitch, A_VSWITCH_CIDR);
    uint32_t first = block.base + RESERVED_FIRST, last = cidr_last(block) - RESERVED_LAST;
    char text[IP_TEXT_SIZE];
    if (wanted != 0)
        return wanted >= first && wanted <= last && !address_is_used(vswitch, ip_format(wanted, text))
                   ? wanted
                   : 0;
    uint32_t at = last_taken(vswitch);
    for (uint32_t tried = 0; tried <= last - first; tried++) {
        at = at < first || at >= last ? first : at + 1;
        if (!address_is_used(vswitch, ip_format(at, text))) return at;
    }
    return 0;
}

/* ---- Answers ---- */

static json_t *free_addresses(const struct entity *e)
{
    return json_integer((json_int_t)vswitch_n_free(e));
}

static json_t *table_type(const struct entity *e)
{
    const struct entity *table = e->links[SECOND].to;
    return json_string_nocheck(table == NULL ? "" : entity_get(table, A_TABLE_KIND));
}

static const struct shape vswitch_shape[] = {
    FIELD("VSwitchId", SHAPE_ID, 0),
    FIELD("VSwitchName", SHAPE_ATTR, A_VSWITCH_NAME),
    FIELD("Description", SHAPE_ATTR, A_VSWITCH_DESCRIPTION),
    FIELD("VpcId", SHAPE_LINK, OWNER),
    FIELD("ZoneId", SHAPE_ATTR, A_VSWITCH_ZONE),
    FIELD("CidrBlock", SHAPE_ATTR, A_VSWITCH_CIDR),
    FIELD("Status", SHAPE_STATUS, 0),
    FIELD("CreationTime", SHAPE_TIME, 0),
    FIELD_MAKE("AvailableIpAddressCount", free_addresses),
    FIELD("RouteTable.RouteTableId", SHAPE_LINK, SECOND),
    FIELD_MAKE("RouteTable.RouteTableType", table_type),
    FIELD("IsDefault", SHAPE_BOOL, false),
    FIELD("EnabledIpv6", SHAPE_FLAG, A_VSWITCH_IPV6),
    FIELD_TEXT("Ipv6CidrBlock", ""),
    FIELD_TEXT("NetworkAclId", ""),
    FIELD_TEXT("ShareType", ""),
    FIELD_TEXT("ResourceGroupId", "rg-default"),
    FIELD("Tags.Tag", SHAPE_TAGS, 0),
    END_FIELDS,
};

static const struct filter vswitch_filters[] = {
    {"VSwitchName", FILTER_ATTR, A_VSWITCH_NAME},
    {"ZoneId", FILTER_ATTR, A_VSWITCH_ZONE},
    END_FILTERS,
};

static const struct list_spec vswitches = {
    .type = E_VSWITCH,
    .wrapper = "VSwitches.VSwitch",
    .shape = vswitch_shape,
    .filters = vswitch_filters,
    .default_size = 10,
    .ids_param = "VSwitchId",
    .ignored = (const char *const[]){"IsDefault", NULL},
    .narrow = {{"RouteTableId", E_TABLE, SECOND, false}, {"VpcId", E_VPC, OWNER, false}},
};

bool vswitch_list(struct call *c)
{
    return list_entities(c, &vswitches);
}

/* An id that does not exist answers with empty fields, as the cloud does. */
bool vswitch_attributes(struct call *c)
{
    const struct entity *vswitch = lookup(c, E_VSWITCH, arg(c, "VSwitchId"));
    if (vswitch != NULL)
        answer_entity(c, vswitch, vswitch_shape);
    else
        answer_text(c, "VSwitchId", "");
    return true;
}

/* ---- Changes ---- */

static bool check_vswitch_block(struct call *c, const struct entity *vpc, struct cidr block, const char *text)
{
    if (block.bits < VSWITCH_MIN_BITS || block.bits > VSWITCH_MAX_BITS)
        return refuse(c, 400, "InvalidCirdrBlock.MaskLength",
                      "The mask of a vSwitch has to be 16 to 29 bits long.");
    if (!vpc_holds(vpc, block))
        return refuse(c, 400, "InvalidCidrBlock.NotInVpc", "%s does not lie in a CIDR block of VPC %s.", text,
                      vpc->id);
    for (EACH_CHILD(other, vpc, OWNER, E_VSWITCH))
        if (cidr_overlaps(block, block_of(other, A_VSWITCH_CIDR)))
            return refuse(c, 400, "InvalidCidrBlock.Overlapped", "%s overlaps vSwitch %s.", text, other->id);
    for (EACH_CHILD(table, vpc, OWNER, E_TABLE))
        if (route_find(table, block) != NULL)
            return refuse(c, 400, "InvalidCidrBlock.RouteEntry", "%s is the destination of a route.", text);
    return true;
}

bool vswitch_create(struct call *c)
{
    struct entity *vpc = need(c, E_VPC, "VpcId");
    if (vpc == NULL) return false;
    const char *cidr = arg(c, "CidrBlock"), *zone = arg(c, "ZoneId");
    struct cidr block;
    if (!check_name(c, "VSwitchName", false) || !check_description(c, "Description") || !check_tags(c))
        return false;
    if (!zone_exists(c->region, zone))
        return refuse(c, 404, "InvalidZoneId.NotFound", "The specified zone \"%s\" does not exist.", zone);
    if (!parse_block(c, cidr, "InvalidCidrBlock.Malformed", &block)) return false;
    if (!vpc_is_free(c, vpc, "TaskConflict")) return false;
    if (!check_vswitch_block(c, vpc, block, cidr)) return false;
    if (!within_quota(c, OPT_QUOTA_VSWITCH, count_children(vpc, OWNER, E_VSWITCH), 1))
        return refuse(c, 400, "QuotaExceeded.VSwitch", "The quota of vSwitches in the VPC is reached.");

    struct entity *e = create(c, E_VSWITCH, ST_PENDING);
    if (e == NULL) return false;
    entity_set(c->s, e, A_VSWITCH_CIDR, cidr);
    entity_set(c->s, e, A_VSWITCH_ZONE, zone);
    arg_to_attr(c, e, "VSwitchName", A_VSWITCH_NAME);
    arg_to_attr(c, e, "Description", A_VSWITCH_DESCRIPTION);
    entity_link(c->s, e, OWNER, vpc);
    entity_link(c->s, e, SECOND, vpc_system_table(vpc));
    for (EACH_CHILD(table, vpc, OWNER, E_TABLE))
        (void)route_add(c->m, table, NULL, cidr, "System", "local", "", c->now_ms);
    entity_move(c->s, e, ST_PENDING, ST_AVAILABLE, ready_after(c->m, c->now_ms, TAKES_VSWITCH), vpc);
    answer_text(c, "VSwitchId", e->id);
    return true;
}

bool vswitch_modify(struct call *c)
{
    struct entity *e = need(c, E_VSWITCH, "VSwitchId");
    if (e == NULL || !check_name(c, "VSwitchName", false) || !check_description(c, "Description"))
        return false;
    if (e->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectStatus.VSwitch", "The status of vSwitch %s does not support this.",
                      e->id);
    arg_to_attr(c, e, "VSwitchName", A_VSWITCH_NAME);
    arg_to_attr(c, e, "Description", A_VSWITCH_DESCRIPTION);
    arg_to_attr(c, e, "EnableIPv6", A_VSWITCH_IPV6);
    return true;
}

static bool vswitch_is_unused(struct call *c, const struct entity *e)
{
    static const struct {
        enum entity_type type;
        const char *code;
    } users[] = {
        {E_NAT, "DependencyViolation.EnhancedNatgw"},
        {E_SNAT, "DependencyViolation.SnatEntry"},
        {E_INSTANCE, "DependencyViolation"},
    };
    for (size_t i = 0; i < N_ELEMENTS(users); i++) {
        const struct entity *user = entity_first(e, SECOND, users[i].type);
        if (user != NULL)
            return refuse(c, 400, users[i].code, "vSwitch %s is still used by %s.", e->id, user->id);
    }
    const struct entity *table = e->links[SECOND].to;
    if (table != NULL && entity_is(table, A_TABLE_KIND, "Custom"))
        return refuse(c, 400, "DependencyViolation.RouteTable", "vSwitch %s is associated with %s.", e->id,
                      table->id);
    return true;
}

bool vswitch_delete(struct call *c)
{
    struct entity *e = need(c, E_VSWITCH, "VSwitchId");
    if (e == NULL) return false;
    struct entity *vpc = e->links[OWNER].to;
    /* 404 it is, although the vSwitch exists.  Source: DeleteVSwitch, error codes */
    if (e->status != ST_AVAILABLE && !entity_has_failed(e))
        return refuse(c, 404, "IncorrectStatus", "The status of vSwitch %s does not support this operation.",
                      e->id);
    if (!vswitch_is_unused(c, e)) return false;
    if (!vpc_is_free(c, vpc, "OperationDenied.OtherSubnetProcessing") || !call_accept(c)) return false;
    entity_move(c->s, e, ST_PENDING, ST_GONE, ready_after(c->m, c->now_ms, TAKES_DELETE), vpc);
    return true;
}

/* vpc.c - VPCs: their blocks, their router and system route table, and when they may be changed. */
#include <string.h>

#include "providers/mock/handlers.h"
#include "providers/mock/shape.h"

#define DEFAULT_RESOURCE_GROUP "rg-default"

enum { VPC_MIN_BITS = 8, VPC_MAX_BITS = 28, MAX_USER_CIDRS = 3 };

/* ---- Answers ---- */

static json_t *vpc_nat_ids(const struct entity *e)
{
    return ids_of_children(e, OWNER, E_NAT);
}

static json_t *vpc_table_ids(const struct entity *e)
{
    return ids_of_children(e, OWNER, E_TABLE);
}

static json_t *vpc_vswitch_ids(const struct entity *e)
{
    return ids_of_children(e, OWNER, E_VSWITCH);
}

static json_t *vpc_resources(const struct entity *e)
{
    static const struct {
        enum entity_type type;
        const char *name;
    } counted[] = {
        {E_VSWITCH, "VSwitch"}, {E_NAT, "NatGateway"}, {E_TABLE, "RouteTable"}, {E_GROUP, "SecurityGroup"}};
    json_t *array = json_array();
    for (size_t i = 0; i < N_ELEMENTS(counted); i++) {
        json_t *row = json_object();
        json_int_t n = (json_int_t)count_children(e, OWNER, counted[i].type);
        (void)json_object_set_new_nocheck(row, "ResourceType", json_string(counted[i].name));
        (void)json_object_set_new_nocheck(row, "ResourceCount", json_integer(n));
        (void)json_array_append_new(array, row);
    }
    return array;
}

#define VPC_COMMON                                                                                           \
    FIELD("VpcId", SHAPE_ID, 0), FIELD("VpcName", SHAPE_ATTR, A_VPC_NAME),                                   \
        FIELD("Description", SHAPE_ATTR, A_VPC_DESCRIPTION), FIELD("CidrBlock", SHAPE_ATTR, A_VPC_CIDR),     \
        FIELD("Status", SHAPE_STATUS, 0), FIELD("RegionId", SHAPE_REGION, 0),                                \
        FIELD("CreationTime", SHAPE_TIME, 0), FIELD("VRouterId", SHAPE_ATTR, A_VPC_ROUTER),                  \
        FIELD("ResourceGroupId", SHAPE_ATTR, A_VPC_GROUP), FIELD("IsDefault", SHAPE_BOOL, false),            \
        FIELD("EnabledIpv6", SHAPE_FLAG, A_VPC_IPV6), FIELD("Ipv6CidrBlock", SHAPE_ATTR, A_VPC_IPV6_CIDR),   \
        FIELD("SecondaryCidrBlocks.SecondaryCidrBlock", SHAPE_LIST, A_VPC_SECONDARY),                        \
        FIELD("UserCidrs.UserCidr", SHAPE_LIST, A_VPC_USER_CIDR),                                            \
        FIELD_MAKE("VSwitchIds.VSwitchId", vpc_vswitch_ids), FIELD("Tags.Tag", SHAPE_TAGS, 0)

static const struct shape vpc_shape[] = {
    VPC_COMMON,
    FIELD_MAKE("RouterTableIds.RouterTableIds", vpc_table_ids),
    FIELD_MAKE("NatGatewayIds.NatGatewayIds", vpc_nat_ids),
    END_FIELDS,
};

static const struct shape vpc_attribute_shape[] = {
    VPC_COMMON,
    FIELD_MAKE("CloudResources.CloudResourceSetType", vpc_resources),
    FIELD_TEXT("Ipv4GatewayId", ""),
    FIELD("SupportIpv4Gateway", SHAPE_BOOL, true),
    END_FIELDS,
};

static const struct filter vpc_filters[] = {
    {"VpcName", FILTER_ATTR, A_VPC_NAME},
    {"ResourceGroupId", FILTER_ATTR, A_VPC_GROUP},
    END_FILTERS,
};

static const struct list_spec vpcs = {
    .type = E_VPC,
    .wrapper = "Vpcs.Vpc",
    .shape = vpc_shape,
    .filters = vpc_filters,
    .default_size = 10,
    .ids_param = "VpcId",
    .ignored = (const char *const[]){"IsDefault", NULL},
};

bool vpc_list(struct call *c)
{
    if (arg_is_true(c, "IsDefault")) { /* there are no default VPCs here */
        answer_put(c, "Vpcs.Vpc", json_array());
        answer_put(c, "TotalCount", json_integer(0));
        return true;
    }
    return list_entities(c, &vpcs);
}

bool vpc_attribute(struct call *c)
{
    const struct entity *vpc = need(c, E_VPC, "VpcId");
    if (vpc == NULL) return false;
    answer_entity(c, vpc, vpc_attribute_shape);
    return true;
}

/* ---- What others ask ---- */

struct cidr block_of(const struct entity *e, int attr)
{
    struct cidr block;
    enum ip_fault fault = cidr_parse(text_of(entity_get(e, attr)), &block);
    /* Host bits are cleared, which is what is meant. What no request could have set, a hand did: then it is a
     * block that nothing else is in. */
    return fault == IP_OK || fault == IP_HOST_BITS ? block : (struct cidr){UINT32_MAX, 32};
}

size_t vpc_blocks(const struct entity *vpc, struct cidr out[MAX_VPC_BLOCKS])
{
    size_t n = 0;
    out[n++] = block_of(vpc, A_VPC_CIDR);
    struct text rest = text_of(entity_get(vpc, A_VPC_SECONDARY)), item;
    while (n < MAX_VPC_BLOCKS && list_next(&rest, &item))
        if (cidr_parse(item, &out[n]) == IP_OK) n++;
    return n;
}

bool vpc_holds(const struct entity *vpc, struct cidr block)
{
    struct cidr blocks[MAX_VPC_BLOCKS];
    size_t n = vpc_blocks(vpc, blocks);
    for (size_t i = 0; i < n; i++)
        if (cidr_contains(blocks[i], block)) return true;
    return false;
}

struct entity *vpc_system_table(const struct entity *vpc)
{
    for (EACH_CHILD(table, vpc, OWNER, E_TABLE))
        if (entity_is(table, A_TABLE_KIND, "System")) return table;
    return NULL;
}

bool vpc_is_free(struct call *c, const struct entity *vpc, const char *code)
{
    if (vpc->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectVpcStatus", "The status of VPC %s does not support this operation.",
                      vpc->id);
    if (vpc->n_moving > 0)
        return refuse(c, 400, code, "Another task of VPC %s is in progress. Try again later.", vpc->id);
    return true;
}

/* ---- Changes ---- */

/* Source: CreateVpc, CidrBlock */
static bool check_vpc_block(struct call *c, struct cidr block)
{
    static const struct cidr forbidden[] = {
        {0x64400000, 10}, /* 100.64.0.0/10 */
        {0xE0000000, 4},  /* 224.0.0.0/4 */
        {0x7F000000, 8},  /* 127.0.0.0/8 */
        {0xA9FE0000, 16}, /* 169.254.0.0/16 */
    };
    if (block.bits < VPC_MIN_BITS || block.bits > VPC_MAX_BITS)
        return refuse(c, 400, "InvalidCidrBlock.Malformed",
                      "The mask of a VPC's CIDR block has to be 8 to 28 bits long.");
    for (size_t i = 0; i < N_ELEMENTS(forbidden); i++)
        if (cidr_contains(forbidden[i], block))
            return refuse(c, 400, "InvalidCidrBlock.Malformed", "The CIDR block is reserved.");
    return true;
}

static void set_ipv6(struct call *c, struct entity *vpc)
{
    uint64_t n = mix64(c->m->seed, (uint64_t)vpc->seq);
    char block[40];
    (void)snprintf(block, sizeof(block), "2001:db8:%x:%x00::/56", (unsigned)(n >> 48), (unsigned)(n & 0xFF));
    entity_set(c->s, vpc, A_VPC_IPV6, "true");
    entity_set(c->s, vpc, A_VPC_IPV6_CIDR, block);
}

bool vpc_create(struct call *c)
{
    const char *cidr = arg_or(c, "CidrBlock", "172.16.0.0/12");
    struct cidr block;
    if (!check_name(c, "VpcName", false) || !check_description(c, "Description") || !check_tags(c))
        return false;
    if (!parse_block(c, cidr, "InvalidCidrBlock.Malformed", &block) || !check_vpc_block(c, block))
        return false;
    if (list_count(arg_or(c, "UserCidr", "")) > MAX_USER_CIDRS)
        return refuse(c, 400, "InvalidUserCidr.Malformed", "At most %d user CIDR blocks are possible.",
                      MAX_USER_CIDRS);
    if (!within_quota(c, OPT_QUOTA_VPC, c->s->count[E_VPC][c->region], 1))
        return refuse(c, 400, "QuotaExceeded.Vpc", "The quota of VPCs in the region is reached.");
    if (!call_accept(c)) return false;

    struct entity *vpc = create(c, E_VPC, ST_PENDING);
    struct entity *table =
        vpc == NULL ? NULL : add_entity(c->m, E_TABLE, c->region, c->now_ms, NULL, ST_AVAILABLE);
    if (table == NULL) return false;
    char router[ENTITY_ID_SIZE];
    new_id(c->m, "vrt", router);
    entity_set(c->s, vpc, A_VPC_CIDR, cidr);
    entity_set(c->s, vpc, A_VPC_ROUTER, router);
    entity_set(c->s, vpc, A_VPC_GROUP, arg_or(c, "ResourceGroupId", DEFAULT_RESOURCE_GROUP));
    arg_to_attr(c, vpc, "VpcName", A_VPC_NAME);
    arg_to_attr(c, vpc, "Description", A_VPC_DESCRIPTION);
    arg_to_attr(c, vpc, "UserCidr", A_VPC_USER_CIDR);
    arg_to_attr(c, vpc, "EnableDnsHostname", A_VPC_DNS);
    if (arg_is_true(c, "EnableIpv6")) set_ipv6(c, vpc);
    entity_set(c->s, table, A_TABLE_KIND, "System");
    entity_set(c->s, table, A_TABLE_ASSOCIATE, "VSwitch");
    entity_set(c->s, table, A_TABLE_GROUP, entity_get(vpc, A_VPC_GROUP));
    entity_link(c->s, table, OWNER, vpc);
    table_fill(c->m, table, c->now_ms);
    entity_move(c->s, vpc, ST_PENDING, ST_AVAILABLE, ready_after(c->m, c->now_ms, TAKES_VPC), NULL);
    answer_text(c, "VpcId", vpc->id);
    answer_text(c, "VRouterId", router);
    answer_text(c, "RouteTableId", table->id);
    answer_text(c, "ResourceGroupId", entity_get(vpc, A_VPC_GROUP));
    return true;
}

/* A new primary block still has to hold what is in the old one and in no secondary block. */
static bool primary_may_become(const struct entity *vpc, struct cidr block)
{
    struct cidr blocks[MAX_VPC_BLOCKS];
    size_t n = vpc_blocks(vpc, blocks);
    blocks[0] = block;
    for (EACH_CHILD(vswitch, vpc, OWNER, E_VSWITCH)) {
        bool held = false;
        for (size_t i = 0; i < n && !held; i++)
            held = cidr_contains(blocks[i], block_of(vswitch, A_VSWITCH_CIDR));
        if (!held) return false;
    }
    return true;
}

bool vpc_modify(struct call *c)
{
    struct entity *vpc = need(c, E_VPC, "VpcId");
    if (vpc == NULL || !check_name(c, "VpcName", false) || !check_description(c, "Description")) return false;
    const char *cidr = arg(c, "CidrBlock");
    if (vpc->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectVpcStatus", "The status of VPC %s does not support this operation.",
                      vpc->id);
    if (cidr != NULL) {
        struct cidr block;
        if (!vpc_is_free(c, vpc, "OperationConflict")) return false;
        if (!parse_block(c, cidr, "InvalidCidrBlock.Malformed", &block) || !check_vpc_block(c, block))
            return false;
        if (!primary_may_become(vpc, block))
            return refuse(c, 400, "InvalidCidrBlock.NotAllowed",
                          "Addresses in use are outside the new CIDR block.");
    }
    if (!call_accept(c)) return false;
    arg_to_attr(c, vpc, "CidrBlock", A_VPC_CIDR);
    arg_to_attr(c, vpc, "VpcName", A_VPC_NAME);
    arg_to_attr(c, vpc, "Description", A_VPC_DESCRIPTION);
    arg_to_attr(c, vpc, "EnableDnsHostname", A_VPC_DNS);
    if (arg_is_true(c, "EnableIPv6") && !entity_is(vpc, A_VPC_IPV6, "true")) set_ipv6(c, vpc);
    return true;
}

/* Source: DeleteVpc: nothing may be left in it. What lingers counts, too. */
static bool vpc_is_empty(struct call *c, const struct entity *vpc)
{
    static const struct {
        enum entity_type type;
        const char *code;
    } inside[] = {
        {E_VSWITCH, "DependencyViolation.VSwitch"},
        {E_NAT, "DependencyViolation.NatGateway"},
        {E_GROUP, "DependencyViolation.SecurityGroup"},
        {E_INSTANCE, "DependencyViolation.Instance"},
    };
    for (size_t i = 0; i < N_ELEMENTS(inside); i++) {
        const struct entity *first = entity_first(vpc, OWNER, inside[i].type);
        if (first != NULL)
            return refuse(c, 400, inside[i].code, "VPC %s still contains %s.", vpc->id, first->id);
    }
    if (count_custom_tables(vpc) > 0)
        return refuse(c, 400, "DependencyViolation.RouteTable", "VPC %s still contains custom route tables.",
                      vpc->id);
    return true;
}

bool vpc_delete(struct call *c)
{
    struct entity *vpc = need(c, E_VPC, "VpcId");
    if (vpc == NULL) return false;
    if (vpc->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectVpcStatus", "The status of VPC %s does not support this operation.",
                      vpc->id);
    if (!vpc_is_empty(c, vpc) || !call_accept(c)) return false;
    entity_move(c->s, vpc, ST_DELETING, ST_GONE, ready_after(c->m, c->now_ms, TAKES_DELETE), NULL);
    return true;
}

/* ---- Secondary blocks ---- */

bool vpc_add_cidr(struct call *c)
{
    struct entity *vpc = need(c, E_VPC, "VpcId");
    if (vpc == NULL) return false;
    const char *cidr = arg_or(c, "SecondaryCidrBlock", "");
    struct cidr block, blocks[MAX_VPC_BLOCKS];
    if (strcmp(arg_or(c, "IpVersion", "IPV4"), "IPV4") != 0)
        return refuse(c, 400, "OperationUnsupported.Ipv6",
                      "Only IPv4 blocks can be added in the simulated cloud.");
    if (!parse_block(c, cidr, "InvalidCidrBlock.Malformed", &block) || !check_vpc_block(c, block))
        return false;
    if (vpc->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectStatus.Vpc", "The status of VPC %s does not support this operation.",
                      vpc->id);
    if (!vpc_is_free(c, vpc, "OperationConflict")) return false;
    size_t n = vpc_blocks(vpc, blocks);
    for (size_t i = 0; i < n; i++)
        if (cidr_overlaps(blocks[i], block))
            return refuse(c, 400, "InvalidCidrBlock.Overlapped", "%s overlaps another block of the VPC.",
                          cidr);
    if (n == MAX_VPC_BLOCKS || !within_quota(c, OPT_QUOTA_SECONDARY, n - 1, 1))
        return refuse(c, 400, "QuotaExceeded.SecondaryCidrBlock",
                      "The quota of secondary CIDR blocks is reached.");
    (void)list_add(c->s, vpc, A_VPC_SECONDARY, cidr);
    answer_text(c, "CidrBlock", cidr);
    answer_text(c, "IpVersion", "IPV4");
    return true;
}

bool vpc_drop_cidr(struct call *c)
{
    struct entity *vpc = need(c, E_VPC, "VpcId");
    if (vpc == NULL) return false;
    const char *cidr = arg_or(c, "SecondaryCidrBlock", "");
    struct cidr block;
    if (!parse_block(c, cidr, "InvalidCidrBlock.Malformed", &block)) return false;
    if (vpc->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectStatus.Vpc", "The status of VPC %s does not support this operation.",
                      vpc->id);
    if (!list_has(entity_get(vpc, A_VPC_SECONDARY), cidr))
        return refuse(c, 404, "InvalidCidrBlock.NotFound", "%s is not a secondary CIDR block of the VPC.",
                      cidr);
    for (EACH_CHILD(vswitch, vpc, OWNER, E_VSWITCH))
        if (cidr_contains(block, block_of(vswitch, A_VSWITCH_CIDR)))
            return refuse(c, 400, "OperationFailed.CidrInUse", "vSwitch %s lies in %s.", vswitch->id, cidr);
    if (!vpc_is_free(c, vpc, "OperationConflict")) return false;
    list_drop(c->s, vpc, A_VPC_SECONDARY, cidr);
    return true;
}

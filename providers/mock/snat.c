/* snat.c - SNAT entries of a NAT gateway. */
#include <string.h>

#include "providers/mock/handlers.h"
#include "providers/mock/shape.h"

static json_t *snat_table(const struct entity *e)
{
    const struct entity *nat = e->links[OWNER].to;
    return json_string_nocheck(nat == NULL ? "" : entity_get(nat, A_NAT_SNAT_TABLE));
}

static const struct shape snat_shape[] = {
    FIELD("SnatEntryId", SHAPE_ID, 0),
    FIELD("SnatEntryName", SHAPE_ATTR, A_SNAT_NAME),
    FIELD("SnatIp", SHAPE_ATTR, A_SNAT_IP),
    FIELD("SourceCIDR", SHAPE_ATTR, A_SNAT_CIDR),
    FIELD("SourceVSwitchId", SHAPE_LINK, SECOND),
    FIELD("EipAffinity", SHAPE_ATTR, A_SNAT_AFFINITY), /* a string in answers */
    FIELD("NetworkInterfaceId", SHAPE_ATTR, A_SNAT_ENI),
    FIELD("NatGatewayId", SHAPE_LINK, OWNER),
    FIELD_MAKE("SnatTableId", snat_table),
    FIELD("Status", SHAPE_STATUS, 0),
    END_FIELDS,
};

static const struct filter snat_filters[] = {
    {"SnatEntryName", FILTER_ATTR, A_SNAT_NAME},
    {"SnatIp", FILTER_ITEM, A_SNAT_IP},
    {"SourceCIDR", FILTER_ATTR, A_SNAT_CIDR},
    {"SourceVSwitchId", FILTER_LINK, SECOND},
    END_FILTERS,
};

/* ---- The gateway of a call ---- */

static struct entity *need_table(struct call *c)
{
    const char *id = arg_or(c, "SnatTableId", "");
    struct entity *nat = store_find_alias(c->s, id);
    if (entity_is_here(c, nat, E_NAT) && entity_is(nat, A_NAT_SNAT_TABLE, id)) return nat;
    (void)refuse(c, 404, "InvalidSnatTableId.NotFound", "The specified SNAT table \"%s\" does not exist.",
                 id);
    return NULL;
}

static struct entity *need_entry(struct call *c, const struct entity *nat)
{
    struct entity *e = need(c, E_SNAT, "SnatEntryId");
    if (e == NULL || e->links[OWNER].to == nat) return e;
    (void)refuse_missing(c, E_SNAT, e->id);
    return NULL;
}

/* ---- Checks ---- */

/* Source: CreateSnatEntry, SnatIp: addresses of EIPs bound to this gateway. */
static bool check_addresses(struct call *c, const struct entity *nat, const char *list)
{
    struct text rest = text_of(list), item;
    size_t n = list_count(list);
    if (n == 0) return refuse(c, 400, "MissingParameter", "SnatIp is mandatory.");
    if (!within_quota(c, OPT_QUOTA_SNAT_IP, n, 0))
        return refuse(c, 400, "SNAT_IP_POOL_COUNT_TOO_MANY", "An SNAT entry cannot have %zu addresses.", n);
    while (list_next(&rest, &item)) {
        char address[IP_TEXT_SIZE];
        uint32_t ip;
        if (ip_parse(item, &ip) != IP_OK)
            return refuse(c, 400, "InvalidSnatIp.Malformed", "\"" TEXT_FMT "\" is not an address.",
                          TEXT_ARG(item));
        struct entity *eip = nat_eip(c, nat, ip_format(ip, address), "InvalidSnatIp.NotFound");
        if (eip == NULL) return false;
        if (dnat_ip_mapping(nat, address) != NULL)
            return refuse(c, 400, "Forbidden.IpUsedInForwardTable", "%s is used for DNAT IP mapping.",
                          address);
        if (c->m->options[OPT_SHARED_EIP] == 0 && eip_is_used_by_dnat(eip))
            return refuse(c, 400, "Forbidden.IpUsedInForwardTable", "%s is used by a DNAT entry.", address);
    }
    return true;
}

/* A source is the source of one entry only; among overlapping blocks the longest mask wins. */
static bool check_source_is_new(struct call *c, const struct entity *nat, const struct entity *vswitch,
                                struct cidr block)
{
    for (EACH_CHILD(other, nat, OWNER, E_SNAT)) {
        if (other->status == ST_LINGERING) continue;
        if (vswitch != NULL && other->links[SECOND].to == vswitch)
            return refuse(c, 400, "Forbidden.SourceVSwitchId.Duplicated", "vSwitch %s is the source of %s.",
                          vswitch->id, other->id);
        struct cidr used = block_of(other, A_SNAT_CIDR);
        if (vswitch == NULL && other->links[SECOND].to == NULL && cidr_compare(used, block) == 0)
            return refuse(c, 400, "OperationUnsupported.CidrConflict", "The source CIDR is that of %s.",
                          other->id);
    }
    return true;
}

struct snat_source {
    struct entity *vswitch;
    struct cidr block;
    char cidr[CIDR_TEXT_SIZE];
};

/* Source: CreateSnatEntry: exactly one of SourceVSwitchId, SourceCIDR, NetworkInterfaceId. */
static bool read_source(struct call *c, const struct entity *nat, struct snat_source *out)
{
    const char *vswitch_id = arg(c, "SourceVSwitchId"), *cidr = arg(c, "SourceCIDR");
    *out = (struct snat_source){0};
    if (arg(c, "NetworkInterfaceId") != NULL)
        return refuse(c, 400, "OperationUnsupported.NetworkInterface",
                      "The simulated cloud has no such source.");
    if ((vswitch_id == NULL) == (cidr == NULL))
        return refuse(c, 400, "MissingParameter", "Exactly one of SourceVSwitchId and SourceCIDR is needed.");
    if (vswitch_id != NULL) {
        out->vswitch = need(c, E_VSWITCH, "SourceVSwitchId");
        if (out->vswitch == NULL) return false;
        if (out->vswitch->links[OWNER].to != nat->links[OWNER].to)
            return refuse(c, 400, "InvalidSourceVSwitchId.NotInVpc",
                          "vSwitch %s is not in the gateway's VPC.", vswitch_id);
        if (out->vswitch->status != ST_AVAILABLE)
            return refuse(c, 400, "IncorrectVSwitchStatus", "vSwitch %s is not available.", vswitch_id);
        out->block = block_of(out->vswitch, A_VSWITCH_CIDR);
    } else if (!parse_block(c, cidr, "InvalidSourceCIDR.Malformed", &out->block)) {
        return false;
    }
    (void)cidr_format(out->block, out->cidr);
    return check_source_is_new(c, nat, out->vswitch, out->block);
}

/* ---- Operations ---- */

bool snat_create(struct call *c)
{
    struct entity *nat = need_table(c);
    struct snat_source source;
    const char *addresses = arg_or(c, "SnatIp", "");
    if (nat == NULL || !check_name(c, "SnatEntryName", true)) return false;
    if (!nat_is_available(c, nat, "IncorrectStatus.NATGW")) return false;
    if (!check_addresses(c, nat, addresses) || !read_source(c, nat, &source)) return false;
    if (nat->n_moving > 0)
        return refuse(c, 400, "OperationConflict", "Something in NAT gateway %s is in transition.", nat->id);
    if (!within_quota(c, OPT_QUOTA_SNAT, count_children(nat, OWNER, E_SNAT), 1))
        return refuse(c, 400, "Forbidden.SnatEntryCountLimited", "The quota of SNAT entries is reached.");
    if (!call_accept(c)) return false;

    struct entity *e = create(c, E_SNAT, ST_PENDING);
    if (e == NULL) return false;
    entity_set(c->s, e, A_SNAT_IP, addresses);
    entity_set(c->s, e, A_SNAT_CIDR, source.cidr);
    entity_set(c->s, e, A_SNAT_AFFINITY, arg_or(c, "EipAffinity", "0"));
    arg_to_attr(c, e, "SnatEntryName", A_SNAT_NAME);
    entity_link(c->s, e, OWNER, nat);
    entity_link(c->s, e, SECOND, source.vswitch);
    entity_move(c->s, e, ST_PENDING, ST_AVAILABLE, ready_after(c->m, c->now_ms, TAKES_ENTRY), nat);
    answer_text(c, "SnatEntryId", e->id);
    return true;
}

/* While an entry of the gateway is in transition no other can be changed. */
static bool check_entry_is_free(struct call *c, const struct entity *nat, const struct entity *e)
{
    if (!nat_is_available(c, nat, "IncorrectStatus.NATGW")) return false;
    if (e->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorretSnatEntryStatus", "SNAT entry %s is %s.", e->id,
                      status_names[e->status]);
    if (nat->n_moving > 0)
        return refuse(c, 400, "IncorrectStatus.NATGW", "Something in NAT gateway %s is in transition.",
                      nat->id);
    return true;
}

bool snat_modify(struct call *c)
{
    struct entity *nat = need_table(c);
    struct entity *e = nat == NULL ? NULL : need_entry(c, nat);
    if (e == NULL || !check_name(c, "SnatEntryName", true) || !check_entry_is_free(c, nat, e)) return false;
    const char *addresses = arg(c, "SnatIp");
    if (addresses != NULL && !check_addresses(c, nat, addresses)) return false;
    if (!call_accept(c)) return false;
    arg_to_attr(c, e, "SnatIp", A_SNAT_IP);
    arg_to_attr(c, e, "SnatEntryName", A_SNAT_NAME);
    arg_to_attr(c, e, "EipAffinity", A_SNAT_AFFINITY);
    entity_move(c->s, e, ST_PENDING, ST_AVAILABLE, ready_after(c->m, c->now_ms, TAKES_ENTRY), nat);
    return true;
}

bool snat_delete(struct call *c)
{
    struct entity *nat = need_table(c);
    struct entity *e = nat == NULL ? NULL : need_entry(c, nat);
    if (e == NULL || !check_entry_is_free(c, nat, e)) return false;
    entity_move(c->s, e, ST_DELETING, ST_GONE, ready_after(c->m, c->now_ms, TAKES_ENTRY), nat);
    return true;
}

static const struct list_spec snats = {
    .type = E_SNAT,
    .wrapper = "SnatTableEntries.SnatTableEntry",
    .shape = snat_shape,
    .filters = snat_filters,
    .default_size = 10,
    .ids_param = "SnatEntryId",
    .narrow = {{"SnatTableId", E_NAT, OWNER, true}, {"NatGatewayId", E_NAT, OWNER, false}},
};

bool snat_list(struct call *c)
{
    if (arg(c, "SnatTableId") == NULL && arg(c, "NatGatewayId") == NULL && arg(c, "SnatEntryId") == NULL)
        return refuse(c, 400, "MissingParameter", "One of SnatTableId and NatGatewayId is needed.");
    return list_entities(c, &snats);
}

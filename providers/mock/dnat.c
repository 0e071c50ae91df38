/* dnat.c - DNAT (forward) entries of a NAT gateway. */
#include <string.h>
#include <strings.h>

#include "providers/mock/handlers.h"
#include "providers/mock/shape.h"

enum { HIGHEST_PORT_BESIDE_SNAT = 1024 }; /* without PortBreak.  Source: CreateForwardEntry, PortBreak */

static json_t *dnat_table(const struct entity *e)
{
    const struct entity *nat = e->links[OWNER].to;
    return json_string_nocheck(nat == NULL ? "" : entity_get(nat, A_NAT_FORWARD_TABLE));
}

static const struct shape dnat_shape[] = {
    FIELD("ForwardEntryId", SHAPE_ID, 0),
    FIELD("ForwardEntryName", SHAPE_ATTR, A_DNAT_NAME),
    FIELD("ExternalIp", SHAPE_ATTR, A_DNAT_EXTERNAL_IP),
    FIELD("ExternalPort", SHAPE_ATTR, A_DNAT_EXTERNAL_PORT),
    FIELD("InternalIp", SHAPE_ATTR, A_DNAT_INTERNAL_IP),
    FIELD("InternalPort", SHAPE_ATTR, A_DNAT_INTERNAL_PORT),
    FIELD("IpProtocol", SHAPE_ATTR, A_DNAT_PROTOCOL),
    FIELD("NatGatewayId", SHAPE_LINK, OWNER),
    FIELD_MAKE("ForwardTableId", dnat_table),
    FIELD("Status", SHAPE_STATUS, 0),
    END_FIELDS,
};

static const struct filter dnat_filters[] = {
    {"ForwardEntryName", FILTER_ATTR, A_DNAT_NAME},
    {"ExternalIp", FILTER_ATTR, A_DNAT_EXTERNAL_IP},
    {"ExternalPort", FILTER_ATTR, A_DNAT_EXTERNAL_PORT},
    {"InternalIp", FILTER_ATTR, A_DNAT_INTERNAL_IP},
    {"InternalPort", FILTER_ATTR, A_DNAT_INTERNAL_PORT},
    {"IpProtocol", FILTER_ATTR_NOCASE, A_DNAT_PROTOCOL},
    END_FILTERS,
};

static const struct list_spec dnats = {
    .type = E_DNAT,
    .wrapper = "ForwardTableEntries.ForwardTableEntry",
    .shape = dnat_shape,
    .filters = dnat_filters,
    .default_size = 10,
    .ids_param = "ForwardEntryId",
    .narrow = {{"ForwardTableId", E_NAT, OWNER, true}, {"NatGatewayId", E_NAT, OWNER, false}},
};

bool dnat_list(struct call *c)
{
    if (arg(c, "ForwardTableId") == NULL && arg(c, "NatGatewayId") == NULL &&
        arg(c, "ForwardEntryId") == NULL)
        return refuse(c, 400, "MissingParameter", "One of ForwardTableId and NatGatewayId is needed.");
    return list_entities(c, &dnats);
}

/* ---- The gateway of a call ---- */

static struct entity *need_table(struct call *c)
{
    const char *id = arg_or(c, "ForwardTableId", "");
    struct entity *nat = store_find_alias(c->s, id);
    if (entity_is_here(c, nat, E_NAT) && entity_is(nat, A_NAT_FORWARD_TABLE, id)) return nat;
    (void)refuse(c, 404, "InvalidForwardTableId.NotFound",
                 "The specified forward table \"%s\" does not exist.", id);
    return NULL;
}

static struct entity *need_entry(struct call *c, const struct entity *nat)
{
    struct entity *e = need(c, E_DNAT, "ForwardEntryId");
    if (e == NULL || e->links[OWNER].to == nat) return e;
    (void)refuse_missing(c, E_DNAT, e->id);
    return NULL;
}

/* ---- What an entry says ---- */

struct mapping {
    const char *external_ip, *external_port, *internal_ip, *internal_port, *protocol;
    uint16_t external_first, external_last, internal_first, internal_last;
    bool any;
};

static const struct mapping_field {
    const char *param;
    int attr;
    size_t at;
} mapping_fields[] = {
    {"ExternalIp", A_DNAT_EXTERNAL_IP, offsetof(struct mapping, external_ip)},
    {"ExternalPort", A_DNAT_EXTERNAL_PORT, offsetof(struct mapping, external_port)},
    {"InternalIp", A_DNAT_INTERNAL_IP, offsetof(struct mapping, internal_ip)},
    {"InternalPort", A_DNAT_INTERNAL_PORT, offsetof(struct mapping, internal_port)},
    {"IpProtocol", A_DNAT_PROTOCOL, offsetof(struct mapping, protocol)},
};

static bool is_any(const char *text)
{
    return strcasecmp(text, "Any") == 0;
}

static bool read_ports(struct mapping *m)
{
    if (is_any(m->external_port) || is_any(m->internal_port)) {
        m->external_first = m->internal_first = 1;
        m->external_last = m->internal_last = UINT16_MAX;
        return is_any(m->external_port) && is_any(m->internal_port);
    }
    return ports_parse(text_of(m->external_port), 1, &m->external_first, &m->external_last) &&
           ports_parse(text_of(m->internal_port), 1, &m->internal_first, &m->internal_last) &&
           m->external_last - m->external_first == m->internal_last - m->internal_first;
}

static void mapping_of(const struct entity *e, struct mapping *m)
{
    *m = (struct mapping){0};
    for (size_t i = 0; i < N_ELEMENTS(mapping_fields); i++)
        *(const char **)(void *)((char *)m + mapping_fields[i].at) = entity_get(e, mapping_fields[i].attr);
    m->any = is_any(m->protocol);
    (void)read_ports(m); /* it was checked when it came in, or a hand set it: then it matches nothing */
}

/* The request over what the entry says now (NULL: a new one). */
static bool read_mapping(struct call *c, const struct entity *old, struct mapping *m)
{
    *m = (struct mapping){0};
    for (size_t i = 0; i < N_ELEMENTS(mapping_fields); i++) {
        const char *given = arg_or(c, mapping_fields[i].param, "");
        if (given[0] == '\0' && old != NULL) given = entity_get(old, mapping_fields[i].attr);
        *(const char **)(void *)((char *)m + mapping_fields[i].at) = given;
    }
    m->any = is_any(m->protocol);
    if (!read_ports(m))
        return refuse(c, 400, "InvalidPort.Malformed", "External port %s and internal port %s do not fit.",
                      m->external_port, m->internal_port);
    /* Source: CreateForwardEntry: Any goes with Any on both ports and only so. */
    if (m->any != is_any(m->external_port))
        return refuse(c, 400, "InvalidProtocal.ValueNotSupported",
                      "Any is possible only for protocol and ports together.");
    return true;
}

const struct entity *dnat_ip_mapping(const struct entity *nat, const char *address)
{
    for (EACH_CHILD(e, nat, OWNER, E_DNAT))
        if (is_any(entity_get(e, A_DNAT_PROTOCOL)) && entity_is(e, A_DNAT_EXTERNAL_IP, address)) return e;
    return NULL;
}

/* ---- Checks ---- */

static bool overlap(uint16_t a_first, uint16_t a_last, uint16_t b_first, uint16_t b_last)
{
    return a_first <= b_last && b_first <= a_last;
}

static bool check_unique(struct call *c, const struct entity *nat, const struct entity *self,
                         const struct mapping *m)
{
    for (EACH_CHILD(e, nat, OWNER, E_DNAT)) {
        struct mapping o;
        if (e == self || e->status == ST_LINGERING) continue;
        mapping_of(e, &o);
        bool same_protocol = m->any || o.any || strcasecmp(m->protocol, o.protocol) == 0;
        if (strcmp(m->external_ip, o.external_ip) == 0 && same_protocol &&
            overlap(m->external_first, m->external_last, o.external_first, o.external_last))
            return refuse(c, 400, "InvalidForwardEntry.Duplicated",
                          "The external address and port are those of %s.", e->id);
        if (strcmp(m->internal_ip, o.internal_ip) == 0 && same_protocol && m->any == o.any &&
            overlap(m->internal_first, m->internal_last, o.internal_first, o.internal_last))
            return refuse(c, 400, "InvalidForwardEntry.Duplicated",
                          "The internal address and port are those of %s.", e->id);
    }
    return true;
}

static bool check_beside_snat(struct call *c, const struct entity *eip, const struct mapping *m)
{
    if (!eip_is_used_by_snat(eip)) return true;
    bool high = m->external_last > HIGHEST_PORT_BESIDE_SNAT;
    if (m->any || c->m->options[OPT_SHARED_EIP] == 0 || (high && !arg_is_true(c, "PortBreak")))
        return refuse(c, 400, "Forbidden.ExternalIp.UsedInSnatTable", "%s is used by an SNAT entry.",
                      m->external_ip);
    return true;
}

/* Source: CreateForwardEntry, InternalIp: in the VPC, of an instance without an address of its own. */
static bool check_target(struct call *c, const struct entity *nat, const struct mapping *m)
{
    uint32_t ip;
    if (ip_parse(text_of(m->internal_ip), &ip) != IP_OK)
        return refuse(c, 400, "InvalidInternalIp.Malformed", "\"%s\" is not an address.", m->internal_ip);
    const struct entity *vpc = nat->links[OWNER].to;
    if (vpc == NULL || !vpc_holds(vpc, (struct cidr){ip, 32}))
        return refuse(c, 400, "Forbidden.InternalIpOutOfVpcCIDR", "%s is not in the VPC.", m->internal_ip);
    for (EACH_CHILD(instance, vpc, OWNER, E_INSTANCE)) {
        if (!entity_is(instance, A_INSTANCE_PRIVATE_IP, m->internal_ip)) continue;
        if (entity_first(instance, OWNER, E_EIP) != NULL || !entity_is(instance, A_INSTANCE_PUBLIC_IP, ""))
            return refuse(c, 400, "BIND_INSTANCE_HAVE_PORTMAP_OR_BIND_EIP",
                          "Instance %s has an address of its own.", instance->id);
    }
    return true;
}

static bool check_mapping(struct call *c, const struct entity *nat, const struct entity *self,
                          const struct mapping *m)
{
    const struct entity *eip = nat_eip(c, nat, m->external_ip, "InvalidIp.NotInNatgw");
    if (eip == NULL || !check_target(c, nat, m)) return false;
    return check_unique(c, nat, self, m) && check_beside_snat(c, eip, m);
}

static void store_mapping(struct call *c, struct entity *e, const struct mapping *m)
{
    for (size_t i = 0; i < N_ELEMENTS(mapping_fields); i++)
        entity_set(c->s, e, mapping_fields[i].attr,
                   *(const char *const *)(const void *)((const char *)m + mapping_fields[i].at));
    arg_to_attr(c, e, "ForwardEntryName", A_DNAT_NAME);
    arg_to_attr(c, e, "PortBreak", A_DNAT_PORT_BREAK);
}

/* ---- Operations ---- */

bool dnat_create(struct call *c)
{
    struct entity *nat = need_table(c);
    struct mapping m;
    if (nat == NULL || !check_name(c, "ForwardEntryName", true) || !read_mapping(c, NULL, &m)) return false;
    if (!nat_is_available(c, nat, "IncorrectStatus.NATGW")) return false;
    if (!check_mapping(c, nat, NULL, &m)) return false;
    if (nat->n_moving > 0)
        return refuse(c, 400, "OperationConflict", "Something in NAT gateway %s is in transition.", nat->id);
    if (!within_quota(c, OPT_QUOTA_DNAT, count_children(nat, OWNER, E_DNAT), 1))
        return refuse(c, 400, "QuotaExceeded.ForwardEntry", "The quota of DNAT entries is reached.");
    if (!call_accept(c)) return false;

    struct entity *e = create(c, E_DNAT, ST_PENDING);
    if (e == NULL) return false;
    store_mapping(c, e, &m);
    entity_link(c->s, e, OWNER, nat);
    entity_move(c->s, e, ST_PENDING, ST_AVAILABLE, ready_after(c->m, c->now_ms, TAKES_ENTRY), nat);
    answer_text(c, "ForwardEntryId", e->id);
    return true;
}

static bool check_entry_is_free(struct call *c, const struct entity *nat, const struct entity *e,
                                const char *other)
{
    if (!nat_is_available(c, nat, "IncorrectStatus.NATGW")) return false;
    if (e->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorretForwardEntryStatus", "DNAT entry %s is %s.", e->id,
                      status_names[e->status]);
    if (nat->n_moving > 0)
        return refuse(c, 400, other, "Something in NAT gateway %s is in transition.", nat->id);
    return true;
}

bool dnat_modify(struct call *c)
{
    struct entity *nat = need_table(c);
    struct entity *e = nat == NULL ? NULL : need_entry(c, nat);
    struct mapping m;
    if (e == NULL || !check_name(c, "ForwardEntryName", true) || !read_mapping(c, e, &m)) return false;
    if (!check_entry_is_free(c, nat, e, "IncorretForwardEntryStatus")) return false;
    if (!check_mapping(c, nat, e, &m) || !call_accept(c)) return false;
    store_mapping(c, e, &m);
    entity_move(c->s, e, ST_PENDING, ST_AVAILABLE, ready_after(c->m, c->now_ms, TAKES_ENTRY), nat);
    return true;
}

bool dnat_delete(struct call *c)
{
    struct entity *nat = need_table(c);
    struct entity *e = nat == NULL ? NULL : need_entry(c, nat);
    if (e == NULL || !check_entry_is_free(c, nat, e, "OperationConflict")) return false;
    entity_move(c->s, e, ST_DELETING, ST_GONE, ready_after(c->m, c->now_ms, TAKES_ENTRY), nat);
    return true;
}

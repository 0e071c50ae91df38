/* eip.c - elastic IP addresses and what they are bound to. */
#include <string.h>

#include "providers/mock/handlers.h"
#include "providers/mock/shape.h"

enum { QUOTA_MODE_NAT = 50, MAX_BATCH = 50 };

/* ---- Addresses: documentation and benchmark blocks, which nobody can be disturbed by ---- */

static const struct cidr pools[] = {
    {0xCB007100, 24}, /* 203.0.113.0/24 */
    {0xC6336400, 24}, /* 198.51.100.0/24 */
    {0xC6120000, 15}, /* 198.18.0.0/15 */
};

static bool pool_address(uint32_t index, uint32_t *out)
{
    for (size_t i = 0; i < N_ELEMENTS(pools); i++) {
        uint32_t size = cidr_last(pools[i]) - pools[i].base - 1; /* without the first and the last */
        if (index < size) {
            *out = pools[i].base + 1 + index;
            return true;
        }
        index -= size;
    }
    return false;
}

bool eip_take_address(struct call *c, char out[IP_TEXT_SIZE])
{
    for (int round = 0; round < 2; round++) {
        uint32_t ip;
        while (pool_address(c->m->next_address, &ip)) {
            c->m->next_address++;
            c->m->settings_dirty = true;
            if (store_find_alias(c->s, ip_format(ip, out)) == NULL) return true;
        }
        c->m->next_address = 0;
    }
    return refuse(c, 400, "ReserveIpFail", "There is no free address left.");
}

/* ---- Answers ---- */

static json_t *eip_vpc(const struct entity *eip)
{
    const struct entity *to = eip->links[OWNER].to;
    const struct entity *vpc = to == NULL ? NULL : to->links[OWNER].to;
    return json_string_nocheck(vpc == NULL ? "" : vpc->id);
}

static json_t *eip_bound_region(const struct entity *eip)
{
    return json_string_nocheck(eip->links[OWNER].to == NULL ? "" : regions[eip->region].id);
}

static json_t *eip_business(const struct entity *eip)
{
    const char *status = entity_get(eip, A_EIP_BUSINESS);
    return json_string_nocheck(status[0] == '\0' ? "Normal" : status);
}

static json_t *eip_locks(const struct entity *eip)
{
    bool locked = entity_is(eip, A_EIP_BUSINESS, "FinancialLocked");
    return locked ? json_pack("[{s:s}]", "LockReason", "financial") : json_array();
}

static const struct shape eip_shape[] = {
    FIELD("AllocationId", SHAPE_ID, 0),
    FIELD("IpAddress", SHAPE_ATTR, A_EIP_ADDRESS),
    FIELD("Name", SHAPE_ATTR, A_EIP_NAME),
    FIELD("Description", SHAPE_ATTR, A_EIP_DESCRIPTION),
    FIELD("Status", SHAPE_STATUS, 0),
    FIELD("InstanceId", SHAPE_LINK, OWNER),
    FIELD("InstanceType", SHAPE_ATTR, A_EIP_BOUND_TYPE),
    FIELD_MAKE("InstanceRegionId", eip_bound_region),
    FIELD_MAKE("VpcId", eip_vpc),
    FIELD("Bandwidth", SHAPE_ATTR, A_EIP_BANDWIDTH),
    FIELD("EipBandwidth", SHAPE_ATTR, A_EIP_BANDWIDTH),
    FIELD("InternetChargeType", SHAPE_ATTR, A_EIP_INTERNET_CHARGE),
    FIELD("ChargeType", SHAPE_ATTR, A_EIP_CHARGE),
    FIELD("ISP", SHAPE_ATTR, A_EIP_ISP),
    FIELD("Netmode", SHAPE_ATTR, A_EIP_NETMODE),
    FIELD("Zone", SHAPE_ATTR, A_EIP_ZONE),
    FIELD("PublicIpAddressPoolId", SHAPE_ATTR, A_EIP_POOL),
    FIELD("RegionId", SHAPE_REGION, 0),
    FIELD("AllocationTime", SHAPE_TIME, 0),
    FIELD("ResourceGroupId", SHAPE_ATTR, A_EIP_GROUP),
    FIELD("DeletionProtection", SHAPE_FLAG, A_EIP_PROTECTION),
    FIELD_MAKE("BusinessStatus", eip_business),
    FIELD_MAKE("OperationLocks.LockReason", eip_locks),
    FIELD("SecurityProtectionTypes.SecurityProtectionType", SHAPE_LIST, A_EIP_SECURITY),
    FIELD_TEXT("Mode", "NAT"),
    FIELD_TEXT("BandwidthPackageId", ""),
    FIELD_TEXT("BandwidthPackageBandwidth", ""),
    FIELD_TEXT("BandwidthPackageType", ""),
    FIELD_TEXT("ExpiredTime", ""),
    FIELD_TEXT("HDMonitorStatus", "OFF"),
    FIELD_TEXT("HasReservationData", "false"),
    FIELD_TEXT("PrivateIpAddress", ""),
    FIELD_TEXT("SegmentInstanceId", ""),
    FIELD("SecondLimited", SHAPE_BOOL, false),
    FIELD("ServiceManaged", SHAPE_NUMBER, 0),
    FIELD("Tags.Tag", SHAPE_TAGS, 0),
    END_FIELDS,
};

static const struct filter eip_filters[] = {
    {"EipAddress", FILTER_ANY_OF, A_EIP_ADDRESS},
    {"EipName", FILTER_ATTR, A_EIP_NAME},
    {"Status", FILTER_STATUS, 0},
    {"AssociatedInstanceId", FILTER_LINK, OWNER},
    {"AssociatedInstanceType", FILTER_ATTR, A_EIP_BOUND_TYPE},
    {"ChargeType", FILTER_ATTR, A_EIP_CHARGE},
    {"ISP", FILTER_ATTR, A_EIP_ISP},
    {"ResourceGroupId", FILTER_ATTR, A_EIP_GROUP},
    {"PublicIpAddressPoolId", FILTER_ATTR, A_EIP_POOL},
    END_FILTERS,
};

static const struct list_spec eips = {
    .type = E_EIP,
    .wrapper = "EipAddresses.EipAddress",
    .shape = eip_shape,
    .filters = eip_filters,
    .default_size = 10,
    .ids_param = "AllocationId",
    .ignored = (const char *const[]){"IncludeReservationData", NULL},
};

bool eip_list(struct call *c)
{
    return list_entities(c, &eips);
}

/* ---- Life ---- */

/* Source: AllocateEipAddress, Bandwidth */
static bool check_bandwidth(struct call *c, const char *text, const char *charge, const char *internet_charge)
{
    uint64_t most = strcmp(charge, "PrePaid") == 0                 ? 1000
                    : strcmp(internet_charge, "PayByTraffic") == 0 ? 200
                                                                   : 500;
    uint64_t n;
    if (text_to_u64(text_of(text), most, &n) && n >= 1) return true;
    return refuse(c, 400, "InvalidBandwidth.Malformed", "The bandwidth \"%s\" is not within 1 and %u Mbit/s.",
                  text, (unsigned)most);
}

static bool choose_address(struct call *c, char out[IP_TEXT_SIZE])
{
    const char *wanted = arg(c, "IpAddress");
    if (wanted == NULL) return eip_take_address(c, out);
    uint32_t ip;
    if (ip_parse(text_of(wanted), &ip) != IP_OK || store_find_alias(c->s, wanted) != NULL)
        return refuse(c, 400, "ReserveIpFail", "The address %s cannot be had.", wanted);
    (void)ip_format(ip, out);
    return true;
}

bool eip_allocate(struct call *c)
{
    const char *charge = arg_or(c, "InstanceChargeType", "PostPaid");
    const char *internet_charge = arg_or(c, "InternetChargeType", "PayByBandwidth");
    const char *bandwidth = arg_or(c, "Bandwidth", "5");
    char address[IP_TEXT_SIZE];
    if (!check_name(c, "Name", false) || !check_description(c, "Description") || !check_tags(c)) return false;
    if (!check_bandwidth(c, bandwidth, charge, internet_charge)) return false;
    if (!within_quota(c, OPT_QUOTA_EIP, c->s->count[E_EIP][c->region], 1))
        return refuse(c, 400, "QuotaExceeded.Eip", "The quota of EIPs is reached.");
    if (!choose_address(c, address)) return false;

    struct entity *e = create(c, E_EIP, ST_AVAILABLE);
    if (e == NULL) return false;
    entity_set(c->s, e, A_EIP_ADDRESS, address);
    entity_set(c->s, e, A_EIP_BANDWIDTH, bandwidth);
    entity_set(c->s, e, A_EIP_CHARGE, charge);
    entity_set(c->s, e, A_EIP_INTERNET_CHARGE, internet_charge);
    entity_set(c->s, e, A_EIP_ISP, arg_or(c, "ISP", "BGP"));
    entity_set(c->s, e, A_EIP_NETMODE, arg_or(c, "Netmode", "public"));
    entity_set(c->s, e, A_EIP_GROUP, arg_or(c, "ResourceGroupId", "rg-default"));
    entity_set(c->s, e, A_EIP_PROTECTION, "false");
    arg_to_attr(c, e, "Name", A_EIP_NAME);
    arg_to_attr(c, e, "Description", A_EIP_DESCRIPTION);
    arg_to_attr(c, e, "Zone", A_EIP_ZONE);
    arg_to_attr(c, e, "PublicIpAddressPoolId", A_EIP_POOL);
    for (unsigned n = 1; n <= 8; n++) {
        const char *type = argf(c, "SecurityProtectionTypes.%u", n);
        if (type != NULL) (void)list_add(c->s, e, A_EIP_SECURITY, type);
    }
    answer_text(c, "AllocationId", e->id);
    answer_text(c, "EipAddress", address);
    answer_text(c, "ResourceGroupId", entity_get(e, A_EIP_GROUP));
    return true;
}

static bool refuse_eip_status(struct call *c, const struct entity *e)
{
    return refuse(c, 400, "IncorrectEipStatus", "EIP %s is %s.", e->id, status_names[e->status]);
}

bool eip_modify(struct call *c)
{
    struct entity *e = need(c, E_EIP, "AllocationId");
    if (e == NULL || !check_name(c, "Name", false) || !check_description(c, "Description")) return false;
    if (entity_is_moving(e)) return refuse_eip_status(c, e);
    const char *bandwidth = arg(c, "Bandwidth");
    if (bandwidth != NULL &&
        !check_bandwidth(c, bandwidth, entity_get(e, A_EIP_CHARGE), entity_get(e, A_EIP_INTERNET_CHARGE)))
        return false;
    arg_to_attr(c, e, "Name", A_EIP_NAME);
    arg_to_attr(c, e, "Description", A_EIP_DESCRIPTION);
    arg_to_attr(c, e, "Bandwidth", A_EIP_BANDWIDTH);
    return true;
}

bool eip_release(struct call *c)
{
    struct entity *e = lookup(c, E_EIP, arg(c, "AllocationId"));
    if (e == NULL && c->m->options[OPT_RELEASE_MISSING] != 0) return true;
    if (e == NULL) return refuse_missing(c, E_EIP, arg(c, "AllocationId"));
    if (e->status != ST_AVAILABLE) return refuse_eip_status(c, e);
    if (entity_is(e, A_EIP_CHARGE, "PrePaid"))
        return refuse(c, 400, "Forbidden.ChargeTypeIsPrepaid", "A subscription EIP cannot be released.");
    if (entity_is(e, A_EIP_PROTECTION, "true"))
        return refuse(c, 400, "InvalidOperation.DeletionProtection", "Deletion protection of %s is on.",
                      e->id);
    entity_move(c->s, e, ST_RELEASING, ST_GONE, ready_after(c->m, c->now_ms, TAKES_RELEASE), NULL);
    return true;
}

/* ---- Binding ---- */

static bool check_nat_target(struct call *c, const struct entity *nat, size_t n_more)
{
    if (!nat_is_available(c, nat, "IncorrectStatus.NatGateway")) return false;
    if (nat->n_moving > 0)
        return refuse(c, 409, "OperationConflict", "Something in NAT gateway %s is in transition.", nat->id);
    size_t n = count_children(nat, OWNER, E_EIP) + n_more;
    bool mode_nat = entity_is(nat, A_NAT_EIP_MODE, "NAT");
    if (mode_nat ? n > QUOTA_MODE_NAT : !within_quota(c, OPT_QUOTA_NAT_EIP, n, 0))
        return refuse(c, 400, "QuotaExceeded.EipPerNatGateway",
                      "The quota of EIPs of NAT gateway %s is reached.", nat->id);
    return true;
}

static bool is_dnat_target(const struct entity *instance)
{
    const struct entity *vpc = instance->links[OWNER].to;
    if (vpc == NULL) return false;
    for (EACH_CHILD(nat, vpc, OWNER, E_NAT))
        for (EACH_CHILD(dnat, nat, OWNER, E_DNAT))
            if (entity_is(dnat, A_DNAT_INTERNAL_IP, entity_get(instance, A_INSTANCE_PRIVATE_IP))) return true;
    return false;
}

static bool check_instance_target(struct call *c, const struct entity *instance)
{
    if (instance->status != ST_RUNNING && instance->status != ST_STOPPED)
        return refuse(c, 400, "IncorrectInstanceStatus", "Instance %s is %s.", instance->id,
                      status_names[instance->status]);
    if (entity_first(instance, OWNER, E_EIP) != NULL || !entity_is(instance, A_INSTANCE_PUBLIC_IP, "") ||
        is_dnat_target(instance))
        return refuse(c, 400, "BIND_INSTANCE_HAVE_PORTMAP_OR_BIND_EIP",
                      "Instance %s has a DNAT entry or an address.", instance->id);
    return true;
}

static bool check_unbound(struct call *c, const struct entity *e)
{
    if (e->status == ST_AVAILABLE) return true;
    if (e->status == ST_IN_USE && e->links[OWNER].to != NULL)
        return refuse(c, 400, "InvalidAssociation.Duplicated", "EIP %s is bound to %s.", e->id,
                      e->links[OWNER].to->id);
    return refuse_eip_status(c, e);
}

static void bind_eip(struct call *c, struct entity *e, struct entity *target, int64_t ready_at_ms)
{
    bool nat = target->type == E_NAT;
    entity_link(c->s, e, OWNER, target);
    entity_set(c->s, e, A_EIP_BOUND_TYPE, nat ? "Nat" : "EcsInstance");
    entity_move(c->s, e, ST_ASSOCIATING, ST_IN_USE, ready_at_ms, nat ? target : NULL);
}

/* The default is an ECS instance: who forgets InstanceType=Nat is told that there is no such instance.
 * Source: AssociateEipAddress, InstanceType */
static struct entity *find_target(struct call *c, const char *id)
{
    const char *kind = arg_or(c, "InstanceType", "EcsInstance");
    bool nat = strcmp(kind, "Nat") == 0;
    if (!nat && strcmp(kind, "EcsInstance") != 0) {
        (void)refuse(c, 400, "OperationUnsupported.InstanceType", "The simulated cloud has no %s.", kind);
        return NULL;
    }
    struct entity *target = lookup(c, nat ? E_NAT : E_INSTANCE, id);
    if (target == NULL)
        (void)refuse(c, 404, "InvalidInstanId.NotFound", "There is no %s \"%s\" in this region.", kind, id);
    return target;
}

bool eip_associate(struct call *c)
{
    struct entity *e = need(c, E_EIP, "AllocationId");
    struct entity *target = e == NULL ? NULL : find_target(c, arg(c, "InstanceId"));
    if (target == NULL || !check_unbound(c, e)) return false;
    if (!(target->type == E_NAT ? check_nat_target(c, target, 1) : check_instance_target(c, target)))
        return false;
    bind_eip(c, e, target, ready_after(c->m, c->now_ms, TAKES_BIND));
    return true;
}

bool eip_associate_batch(struct call *c)
{
    struct entity *eip[MAX_BATCH];
    size_t n = 0;
    if (strcmp(arg(c, "BindedInstanceType"), "Nat") != 0)
        return refuse(c, 400, "OperationUnsupported.InstanceType",
                      "Only NAT gateways can be bound in a batch here.");
    struct entity *nat = need(c, E_NAT, "BindedInstanceId");
    if (nat == NULL) return false;
    for (const char *id; (id = argf(c, "InstanceIds.%u", (unsigned)n + 1)) != NULL; n++) {
        if (n == MAX_BATCH)
            return refuse(c, 400, "InvalidParameter", "At most %d EIPs can be bound at once.", MAX_BATCH);
        eip[n] = lookup(c, E_EIP, id);
        if (eip[n] == NULL) return refuse_missing(c, E_EIP, id);
        if (!check_unbound(c, eip[n])) return false;
    }
    if (!check_nat_target(c, nat, n)) return false;
    int64_t ready_at_ms = ready_after(c->m, c->now_ms, TAKES_BIND);
    for (size_t i = 0; i < n; i++) bind_eip(c, eip[i], nat, ready_at_ms);
    return true;
}

/* ---- Unbinding ---- */

static const struct entity *snat_entry_of(const struct entity *eip)
{
    const struct entity *nat = eip->links[OWNER].to;
    if (nat == NULL || nat->type != E_NAT) return NULL;
    for (EACH_CHILD(snat, nat, OWNER, E_SNAT))
        if (list_has(entity_get(snat, A_SNAT_IP), entity_get(eip, A_EIP_ADDRESS))) return snat;
    return NULL;
}

static const struct entity *dnat_entry_of(const struct entity *eip)
{
    const struct entity *nat = eip->links[OWNER].to;
    if (nat == NULL || nat->type != E_NAT) return NULL;
    for (EACH_CHILD(dnat, nat, OWNER, E_DNAT))
        if (entity_is(dnat, A_DNAT_EXTERNAL_IP, entity_get(eip, A_EIP_ADDRESS))) return dnat;
    return NULL;
}

bool eip_is_used_by_snat(const struct entity *eip)
{
    return snat_entry_of(eip) != NULL;
}

bool eip_is_used_by_dnat(const struct entity *eip)
{
    return dnat_entry_of(eip) != NULL;
}

const struct entity *eip_entry(const struct entity *eip)
{
    const struct entity *snat = snat_entry_of(eip);
    return snat != NULL ? snat : dnat_entry_of(eip);
}

/* Force takes the entries of the address along, whoever made them.  Source: UnassociateEipAddress, Force */
void eip_drop_entries(struct store *s, const struct entity *eip)
{
    struct entity *nat = eip->links[OWNER].to;
    const char *address = entity_get(eip, A_EIP_ADDRESS);
    if (nat == NULL || nat->type != E_NAT) return;
    for (EACH_CHILD_SAFE(snat, nat, OWNER, E_SNAT)) {
        if (!list_has(entity_get(snat, A_SNAT_IP), address)) continue;
        list_drop(s, snat, A_SNAT_IP, address);
        if (entity_is(snat, A_SNAT_IP, "")) store_remove(s, snat);
    }
    for (EACH_CHILD_SAFE(dnat, nat, OWNER, E_DNAT))
        if (entity_is(dnat, A_DNAT_EXTERNAL_IP, address)) store_remove(s, dnat);
}

static bool check_bound_to_nat(struct call *c, const struct entity *e, const struct entity *nat)
{
    if (!nat_is_available(c, nat, "IncorrectStatus.NatGateway")) return false;
    if (!arg_is_true(c, "Force") && eip_is_used_by_snat(e))
        return refuse(c, 400, "InvalidIpStatus.HasBeenUsedBySnatTable", "EIP %s is used by an SNAT entry.",
                      e->id);
    if (!arg_is_true(c, "Force") && eip_is_used_by_dnat(e))
        return refuse(c, 400, "InvalidIpStatus.HasBeenUsedByForwardEntry", "EIP %s is used by a DNAT entry.",
                      e->id);
    if (nat->n_moving > 0)
        return refuse(c, 409, "OperationConflict", "Something in NAT gateway %s is in transition.", nat->id);
    return true;
}

bool eip_unassociate(struct call *c)
{
    struct entity *e = need(c, E_EIP, "AllocationId");
    if (e == NULL) return false;
    struct entity *target = e->links[OWNER].to;
    if (e->status != ST_IN_USE || target == NULL) return refuse_eip_status(c, e);
    const char *id = arg(c, "InstanceId");
    if (id != NULL && find_target(c, id) != target)
        return refuse(c, 404, "InvalidInstanId.NotFound", "EIP %s is not bound to \"%s\" of this type.",
                      e->id, id);
    bool nat = target->type == E_NAT;
    if (nat && !check_bound_to_nat(c, e, target)) return false;
    if (nat) eip_drop_entries(c->s, e); /* there are none without Force */
    entity_move(c->s, e, ST_UNASSOCIATING, ST_AVAILABLE, ready_after(c->m, c->now_ms, TAKES_BIND),
                nat ? target : NULL);
    return true;
}

void eip_let_go(struct mock *m, struct entity *e)
{
    entity_rest(&m->store, e, ST_AVAILABLE);
    entity_link(&m->store, e, OWNER, NULL);
    entity_set(&m->store, e, A_EIP_BOUND_TYPE, "");
}

void eip_settled(struct mock *m, struct entity *e, enum status was, int64_t now_ms)
{
    if (e->then == ST_GONE) {
        entity_vanish(m, e, now_ms);
        return;
    }
    if (was == ST_UNASSOCIATING)
        eip_let_go(m, e);
    else
        entity_rest(&m->store, e, e->then);
}

struct entity *nat_eip(struct call *c, const struct entity *nat, const char *address,
                       const char *missing_code)
{
    struct entity *e = store_find_alias(c->s, address);
    if (!entity_is_here(c, e, E_EIP) || e->links[OWNER].to != nat) {
        (void)refuse(c, 400, missing_code, "%s is not an address of NAT gateway %s.", address, nat->id);
        return NULL;
    }
    if (e->status == ST_ASSOCIATING) {
        (void)refuse(c, 400, "OperationUnsupported.EipInBinding", "EIP %s is being bound.", e->id);
        return NULL;
    }
    if (e->status != ST_IN_USE) {
        (void)refuse(c, 400, "EIP_NOT_IN_GATEWAY", "EIP %s is %s.", e->id, status_names[e->status]);
        return NULL;
    }
    return e;
}

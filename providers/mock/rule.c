/* rule.c - the rules of security groups: adding what exists succeeds, revoking what does not exist succeeds,
 * revoking an unknown rule id fails. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "providers/mock/handlers.h"
#include "providers/mock/shape.h"

enum { MAX_PERMISSIONS = 100, MAX_PRIORITY = 100 };

static const struct shape rule_shape[] = {
    FIELD("SecurityGroupRuleId", SHAPE_ID, 0),
    FIELD("Direction", SHAPE_ATTR, A_RULE_DIRECTION),
    FIELD("IpProtocol", SHAPE_ATTR, A_RULE_PROTOCOL),
    FIELD("PortRange", SHAPE_ATTR, A_RULE_PORTS),
    FIELD("SourcePortRange", SHAPE_ATTR, A_RULE_SOURCE_PORTS),
    FIELD("Policy", SHAPE_ATTR, A_RULE_POLICY),
    FIELD("Priority", SHAPE_ATTR, A_RULE_PRIORITY),
    FIELD("NicType", SHAPE_ATTR, A_RULE_NIC),
    FIELD("Description", SHAPE_ATTR, A_RULE_DESCRIPTION),
    FIELD("SourceCidrIp", SHAPE_ATTR, A_RULE_SOURCE_CIDR),
    FIELD("DestCidrIp", SHAPE_ATTR, A_RULE_DEST_CIDR),
    FIELD("SourceGroupId", SHAPE_ATTR, A_RULE_SOURCE_GROUP),
    FIELD("DestGroupId", SHAPE_ATTR, A_RULE_DEST_GROUP),
    FIELD("Ipv6SourceCidrIp", SHAPE_ATTR, A_RULE_SOURCE_CIDR6),
    FIELD("Ipv6DestCidrIp", SHAPE_ATTR, A_RULE_DEST_CIDR6),
    FIELD("SourcePrefixListId", SHAPE_ATTR, A_RULE_SOURCE_LIST),
    FIELD("DestPrefixListId", SHAPE_ATTR, A_RULE_DEST_LIST),
    FIELD("CreateTime", SHAPE_TIME, 0),
    END_FIELDS,
};

static const struct filter rule_filters[] = {
    {"Direction", FILTER_ATTR_OR_ALL, A_RULE_DIRECTION},
    END_FILTERS,
};

static const struct list_spec rules = {
    .type = E_RULE,
    .wrapper = "Permissions.Permission",
    .shape = rule_shape,
    .filters = rule_filters,
    .paging = BY_TOKEN,
    .size_param = "MaxResults",
    .without_total = true,
    .default_size = 500,
    .ignored = (const char *const[]){"NicType", "Attribute", NULL},
    .narrow = {{"SecurityGroupId", E_GROUP, OWNER, false}},
};

bool group_attribute(struct call *c)
{
    const struct entity *e = need(c, E_GROUP, "SecurityGroupId");
    if (e == NULL) return false;
    answer_text(c, "SecurityGroupId", e->id);
    answer_text(c, "SecurityGroupName", entity_get(e, A_GROUP_NAME));
    answer_text(c, "Description", entity_get(e, A_GROUP_DESCRIPTION));
    answer_text(c, "InnerAccessPolicy", entity_get(e, A_GROUP_INNER));
    answer_text(c, "VpcId", e->links[OWNER].to->id);
    answer_text(c, "RegionId", regions[e->region].id);
    return list_entities(c, &rules);
}

/* ---- A rule as a request says it ---- */

struct wanted_rule {
    const char *values[N_RULE_ATTRS]; /* NULL: not given */
    char protocol[8], policy[8];
    struct entity *peer; /* a group, or NULL */
};

/* What tells one rule from another; the rest (description) does not. */
static const int key_attrs[] = {
    A_RULE_DIRECTION,   A_RULE_PROTOCOL,    A_RULE_PORTS,        A_RULE_POLICY,       A_RULE_PRIORITY,
    A_RULE_SOURCE_CIDR, A_RULE_DEST_CIDR,   A_RULE_SOURCE_GROUP, A_RULE_DEST_GROUP,   A_RULE_SOURCE_CIDR6,
    A_RULE_DEST_CIDR6,  A_RULE_SOURCE_LIST, A_RULE_DEST_LIST,    A_RULE_SOURCE_PORTS,
};

static const int ingress_peers[] = {A_RULE_SOURCE_CIDR, A_RULE_SOURCE_GROUP, A_RULE_SOURCE_CIDR6,
                                    A_RULE_SOURCE_LIST};
static const int egress_peers[] = {A_RULE_DEST_CIDR, A_RULE_DEST_GROUP, A_RULE_DEST_CIDR6, A_RULE_DEST_LIST};

static bool same_rule(const struct entity *e, const struct wanted_rule *w)
{
    for (size_t i = 0; i < N_ELEMENTS(key_attrs); i++) {
        const char *wanted = w->values[key_attrs[i]];
        if (!entity_is(e, key_attrs[i], wanted == NULL ? "" : wanted)) return false;
    }
    return true;
}

static struct entity *find_rule(const struct entity *group, const struct wanted_rule *w,
                                const struct entity *but)
{
    for (EACH_CHILD(e, group, OWNER, E_RULE))
        if (e != but && same_rule(e, w)) return e;
    return NULL;
}

/* Source: AuthorizeSecurityGroup, Permissions.N.PortRange */
static bool check_ports(struct call *c, const struct wanted_rule *w)
{
    const char *ports = w->values[A_RULE_PORTS];
    bool has_ports = strcmp(w->protocol, "TCP") == 0 || strcmp(w->protocol, "UDP") == 0;
    uint16_t first, last;
    bool valid = ports != NULL &&
                 (has_ports ? strchr(ports, '/') != NULL && ports_parse(text_of(ports), 1, &first, &last)
                            : strcmp(ports, "-1/-1") == 0);
    if (valid) return true;
    return refuse(c, 400, "InvalidParam.PortRange", "The port range \"%s\" does not fit protocol %s.",
                  ports == NULL ? "" : ports, w->protocol);
}

static bool check_peer(struct call *c, struct wanted_rule *w, const struct entity *group, bool egress)
{
    const int *peers = egress ? egress_peers : ingress_peers;
    size_t n = 0;
    for (size_t i = 0; i < N_ELEMENTS(ingress_peers); i++) n += w->values[peers[i]] != NULL;
    if (n != 1)
        return refuse(c, 400, "MissingParameter", "A rule needs exactly one %s.",
                      egress ? "destination" : "source");
    const char *cidr = w->values[egress ? A_RULE_DEST_CIDR : A_RULE_SOURCE_CIDR];
    struct cidr block;
    uint32_t ip;
    if (cidr != NULL && ip_parse(text_of(cidr), &ip) != IP_OK && cidr_parse(text_of(cidr), &block) != IP_OK)
        return refuse(c, 400, egress ? "InvalidParam.DestIp" : "InvalidParam.SourceIp",
                      "\"%s\" is not a CIDR block.", cidr);
    const char *peer = w->values[egress ? A_RULE_DEST_GROUP : A_RULE_SOURCE_GROUP];
    if (peer == NULL) return true;
    w->peer = lookup(c, E_GROUP, peer);
    if (w->peer == NULL || w->peer->links[OWNER].to != group->links[OWNER].to)
        return refuse(c, 404, egress ? "InvalidDestGroupId.NotFound" : "InvalidSourceGroupId.NotFound",
                      "There is no security group \"%s\" in the VPC.", peer);
    if (entity_is(group, A_GROUP_TYPE, "enterprise"))
        return refuse(c, 403, "InvalidSecurityGroupType.ValueNotSupported",
                      "Advanced groups have no groups as peers.");
    return true;
}

static bool check_rule(struct call *c, struct wanted_rule *w, const struct entity *group, bool egress)
{
    uint64_t priority;
    if (w->protocol[0] == '\0') return refuse(c, 400, "MissingParameter", "IpProtocol is mandatory.");
    if (!text_to_u64(text_of(w->values[A_RULE_PRIORITY]), MAX_PRIORITY, &priority) || priority == 0)
        return refuse(c, 400, "InvalidPriority.ValueNotSupported",
                      "The priority \"%s\" is not within 1 and %d.", w->values[A_RULE_PRIORITY],
                      MAX_PRIORITY);
    if (strcmp(w->values[A_RULE_NIC], "intranet") != 0)
        return refuse(c, 400, "InvalidNicType.ValueNotSupported", "Groups in a VPC need NicType intranet.");
    return check_ports(c, w) && check_peer(c, w, group, egress);
}

/* Answers have upper-case protocols and capitalised policies, whatever was sent. */
static void normalise(struct wanted_rule *w)
{
    const char *protocol = w->values[A_RULE_PROTOCOL], *policy = w->values[A_RULE_POLICY];
    if (protocol != NULL && strcasecmp(protocol, "ICMPv6") == 0) {
        (void)snprintf(w->protocol, sizeof(w->protocol), "ICMPv6");
    } else {
        (void)snprintf(w->protocol, sizeof(w->protocol), "%s", protocol == NULL ? "" : protocol);
        for (char *p = w->protocol; *p != '\0'; p++) *p = (char)toupper((unsigned char)*p);
    }
    (void)snprintf(w->policy, sizeof(w->policy), "%s",
                   policy != NULL && strcasecmp(policy, "drop") == 0 ? "Drop" : "Accept");
    w->values[A_RULE_PROTOCOL] = w->protocol;
    w->values[A_RULE_POLICY] = w->policy;
}

/* Reads "Permissions.N.…", or the flat parameters with n = 0. 'over' (or NULL) gives what is not given. */
static void read_rule(const struct call *c, unsigned n, bool egress, const struct entity *over,
                      struct wanted_rule *w)
{
    *w = (struct wanted_rule){0};
    for (int attr = 0; attr < N_RULE_ATTRS; attr++) {
        const char *name = entity_types[E_RULE].attrs[attr];
        const char *value = n == 0 ? arg(c, name) : argf(c, "Permissions.%u.%s", n, name);
        if (value == NULL && over != NULL) value = entity_get(over, attr);
        w->values[attr] = value == NULL || value[0] == '\0' ? NULL : value;
    }
    w->values[A_RULE_DIRECTION] = egress ? "egress" : "ingress";
    if (w->values[A_RULE_PRIORITY] == NULL) w->values[A_RULE_PRIORITY] = "1";
    if (w->values[A_RULE_NIC] == NULL) w->values[A_RULE_NIC] = "intranet";
    normalise(w);
}

static bool has_permission(const struct call *c, unsigned n)
{
    char prefix[32];
    (void)snprintf(prefix, sizeof(prefix), "Permissions.%u.", n);
    return arg_has_prefix(c, prefix);
}

/* The numbers of the rules in a request: 1..n of Permissions, or 0..0 for the flat form. */
static bool rule_numbers(struct call *c, unsigned *first, unsigned *last)
{
    unsigned n = 0;
    while (has_permission(c, n + 1)) n++;
    if (n > MAX_PERMISSIONS)
        return refuse(c, 400, "InvalidParam.Permissions", "At most %d rules are possible.", MAX_PERMISSIONS);
    if (n == 0 && arg(c, "IpProtocol") == NULL)
        return refuse(c, 400, "MissingParameter", "Permissions is mandatory.");
    *first = n == 0 ? 0 : 1;
    *last = n;
    return true;
}

/* ---- Operations ---- */

static void store_rule(struct call *c, struct entity *e, const struct wanted_rule *w)
{
    for (int attr = 0; attr < N_RULE_ATTRS; attr++) entity_set(c->s, e, attr, w->values[attr]);
    entity_link(c->s, e, SECOND, w->peer);
}

static bool check_rule_quotas(struct call *c, const struct entity *group, size_t n_new)
{
    size_t n = count_children(group, OWNER, E_RULE), n_peers = 0;
    for (EACH_CHILD(e, group, OWNER, E_RULE)) n_peers += e->links[SECOND].to != NULL;
    if (!within_quota(c, OPT_QUOTA_RULE, n, n_new) || !within_quota(c, OPT_QUOTA_PEER_RULE, n_peers, 0))
        return refuse(c, 403, "AuthorizationLimitExceed", "The quota of rules of %s is reached.", group->id);
    return true;
}

static bool authorize(struct call *c, bool egress)
{
    struct entity *group = need(c, E_GROUP, "SecurityGroupId");
    unsigned first, last;
    size_t n_new = 0;
    if (group == NULL || !rule_numbers(c, &first, &last)) return false;
    for (unsigned n = first; n <= last; n++) {
        struct wanted_rule w;
        read_rule(c, n, egress, NULL, &w);
        if (!check_rule(c, &w, group, egress)) return false;
        n_new += find_rule(group, &w, NULL) == NULL;
    }
    if (!check_rule_quotas(c, group, n_new)) return false;
    for (unsigned n = first; n <= last; n++) {
        struct wanted_rule w;
        read_rule(c, n, egress, NULL, &w);
        if (!check_rule(c, &w, group, egress)) return false; /* finds the peer; it passed above */
        if (find_rule(group, &w, NULL) != NULL) continue;
        struct entity *e = create(c, E_RULE, ST_NONE);
        if (e == NULL) return false;
        entity_link(c->s, e, OWNER, group);
        store_rule(c, e, &w);
    }
    return true;
}

static struct entity *rule_by_id(struct call *c, const struct entity *group, const char *id, bool egress)
{
    struct entity *e = lookup(c, E_RULE, id);
    bool found = e != NULL && e->links[OWNER].to == group &&
                 entity_is(e, A_RULE_DIRECTION, egress ? "egress" : "ingress");
    if (found) return e;
    (void)refuse(c, 400,
                 egress ? "InvalidSecurityGroupRule.RuleNotExist" : "InvalidParam.SecurityGroupRuleId",
                 "Security group %s has no rule \"%s\".", group->id, id);
    return NULL;
}

static bool revoke(struct call *c, bool egress)
{
    struct entity *group = need(c, E_GROUP, "SecurityGroupId");
    unsigned first, last, n_ids = 0;
    const char *id;
    if (group == NULL) return false;
    for (; (id = argf(c, "SecurityGroupRuleId.%u", n_ids + 1)) != NULL; n_ids++)
        if (rule_by_id(c, group, id, egress) == NULL) return false;
    for (unsigned n = 1; n <= n_ids; n++) {
        struct entity *e = lookup(c, E_RULE, argf(c, "SecurityGroupRuleId.%u", n));
        if (e != NULL) store_remove(c->s, e); /* NULL: the same id twice */
    }
    if (n_ids > 0) return true;
    if (!rule_numbers(c, &first, &last)) return false;
    for (unsigned n = first; n <= last; n++) {
        struct wanted_rule w;
        read_rule(c, n, egress, NULL, &w);
        struct entity *e = find_rule(group, &w, NULL);
        if (e != NULL) store_remove(c->s, e);
    }
    return true;
}

static bool modify(struct call *c, bool egress)
{
    struct entity *group = need(c, E_GROUP, "SecurityGroupId");
    const char *id = arg(c, "SecurityGroupRuleId");
    if (group == NULL) return false;
    if (id == NULL) return refuse(c, 400, "MissingParameter", "SecurityGroupRuleId is mandatory.");
    struct entity *e = rule_by_id(c, group, id, egress);
    if (e == NULL) return false;
    struct wanted_rule w;
    read_rule(c, 0, egress, e, &w);
    if (!check_rule(c, &w, group, egress)) return false;
    if (find_rule(group, &w, e) != NULL)
        return refuse(c, 400, "InvalidSecurityGroupRule.RuleExists", "Security group %s has such a rule.",
                      group->id);
    store_rule(c, e, &w);
    return true;
}

bool rule_authorize(struct call *c)
{
    return authorize(c, false);
}

bool rule_authorize_egress(struct call *c)
{
    return authorize(c, true);
}

bool rule_revoke(struct call *c)
{
    return revoke(c, false);
}

bool rule_revoke_egress(struct call *c)
{
    return revoke(c, true);
}

bool rule_modify(struct call *c)
{
    return modify(c, false);
}

bool rule_modify_egress(struct call *c)
{
    return modify(c, true);
}

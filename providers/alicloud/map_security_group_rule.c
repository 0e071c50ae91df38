/* map_security_group_rule.c - SecurityGroupRule.  Source: api-behaviour 5.11
 *
 * Rules go as Permissions.N.* in a request about their group, whose operation depends on the direction; so
 * requests are built here and not from the table's rows. */
#include "providers/alicloud/mapping.h"
#include "providers/alicloud/rules.h"

#include <string.h>

static const struct word protocols[] = {{"tcp", "TCP"}, {"udp", "UDP"}, {"icmp", "ICMP"},
                                        {"gre", "GRE"}, {"all", "ALL"}, {NULL, NULL}};

/* Rows have answers only; read_peer() does what depends on the direction. */
static const struct field_map fields[SGR_N] = {
    [SGR_GROUP] = {0},
    [SGR_DIRECTION] = {.path = "Direction"},
    [SGR_POLICY] = {.path = "Policy"},
    [SGR_PROTOCOL] = {.path = "IpProtocol", .words = protocols},
    [SGR_PORTS] = {.path = "PortRange"},
    [SGR_PEER_CIDR] = {0},
    [SGR_PEER_GROUP] = {0},
    [SGR_PRIORITY] = {.path = "Priority"},
    [SGR_DESCRIPTION] = {.path = "Description"},
};

const char *rule_operation(enum rule_change change, bool egress)
{
    static const char *const names[2][2] = {
        [RULE_AUTHORIZE] = {"AuthorizeSecurityGroup", "AuthorizeSecurityGroupEgress"},
        [RULE_REVOKE] = {"RevokeSecurityGroup", "RevokeSecurityGroupEgress"},
    };
    return names[change][egress];
}

/* What is desired, observed, or else the kind's initial value. */
static struct value rule_value(const struct goal *g, uint8_t field)
{
    struct value v = goal_value(g, field);
    return v.state != VALUE_UNSET ? v : initial_value(&kind_security_group_rule.fields[field]);
}

bool rule_is_egress(const struct goal *g)
{
    struct value v = rule_value(g, SGR_DIRECTION);
    return value_is_set(v) && text_is(value_as_text(v), "egress");
}

const char *rule_group(const struct goal *g)
{
    return ref_id(goal_value(g, SGR_GROUP));
}

static void add(struct request *out, unsigned n, const char *field, struct text value)
{
    char name[64];
    (void)snprintf(name, sizeof name, "Permissions.%u.%s", n, field);
    request_add_text(out, name, value);
}

/* "80/80", "1/65535" for any port of TCP and UDP, "-1/-1" where there are no ports.
 * Source: AuthorizeSecurityGroup, Permissions.N.PortRange */
static void add_ports(struct request *out, unsigned n, struct text protocol, struct value ports)
{
    struct text t = value_is_set(ports) ? value_as_text(ports) : TEXT("any");
    bool has_ports = text_is(protocol, "tcp") || text_is(protocol, "udp");
    char range[32];
    if (!has_ports)
        (void)snprintf(range, sizeof range, "-1/-1");
    else if (text_is(t, "any"))
        (void)snprintf(range, sizeof range, "1/65535");
    else if (memchr(t.ptr, '/', t.len) != NULL)
        (void)snprintf(range, sizeof range, TEXT_FMT, TEXT_ARG(t));
    else
        (void)snprintf(range, sizeof range, TEXT_FMT "/" TEXT_FMT, TEXT_ARG(t), TEXT_ARG(t));
    add(out, n, "PortRange", text_of(range));
}

enum err_code rule_add(struct request *out, const struct goal *g, unsigned n, struct err *err)
{
    static const struct field_map as_it_is = {0};
    bool egress = rule_is_egress(g);
    struct text protocol = value_as_text(rule_value(g, SGR_PROTOCOL));
    const struct word *w = protocols;
    while (w->ours != NULL && !text_is(protocol, w->ours)) w++;
    add(out, n, "IpProtocol", w->ours == NULL ? protocol : text_of(w->theirs));
    add_ports(out, n, protocol, rule_value(g, SGR_PORTS));
    static const struct {
        uint8_t field;
        const char *param[2]; /* ingress, egress */
    } peers[] = {{SGR_PEER_CIDR, {"SourceCidrIp", "DestCidrIp"}},
                 {SGR_PEER_GROUP, {"SourceGroupId", "DestGroupId"}}};
    char name[64];
    for (size_t i = 0; i < N_ELEMENTS(peers); i++) {
        (void)snprintf(name, sizeof name, "Permissions.%u.%s", n, peers[i].param[egress]);
        enum err_code code = spell_value(out, g, &kind_security_group_rule.fields[peers[i].field], &as_it_is,
                                         name, goal_value(g, peers[i].field), err);
        if (code != ERR_OK) return code;
    }
    add(out, n, "Policy", value_as_text(rule_value(g, SGR_POLICY)));
    (void)snprintf(name, sizeof name, "%lld", (long long)rule_value(g, SGR_PRIORITY).u.num);
    add(out, n, "Priority", text_of(name));
    add(out, n, "NicType", TEXT("intranet")); /* the only one in a VPC */
    struct value description = goal_value(g, SGR_DESCRIPTION);
    if (value_is_set(description) && description.n > 0)
        add(out, n, "Description", value_as_text(description));
    return ERR_OK;
}

static enum next begin_rules(const struct cloud *c, const struct goal *g, const char *operation,
                             struct request *out, struct err *err)
{
    const char *group = rule_group(g);
    if (group == NULL) {
        (void)err_set(err, ERR_STALE, "the security group of the rule is not known yet");
        return NEXT_ERROR;
    }
    begin_request(c, g, operation, out);
    request_add(out, "SecurityGroupId", group);
    return NEXT_REQUEST;
}

static enum next create(const struct cloud *c, const struct goal *g, struct request *out, struct err *err)
{
    if (begin_rules(c, g, rule_operation(RULE_AUTHORIZE, rule_is_egress(g)), out, err) == NEXT_ERROR ||
        rule_add(out, g, 1, err) != ERR_OK)
        return NEXT_ERROR;
    return end_request(out, err);
}

/* Only the description changes in place, and only where the cloud gave the rule an id; it cannot be emptied.
 * Source: ModifySecurityGroupRule */
static bool may_change(uint8_t field, struct value wanted, const struct object *seen)
{
    return field == SGR_DESCRIPTION && has_id_prefix(seen->id, "sgr-") && value_is_set(wanted) &&
           wanted.n > 0;
}

static bool wants_description(const struct cloud *c, const struct goal *g, struct value *wanted)
{
    return field_wanted(g, SGR_DESCRIPTION, wanted) && field_differs(c, g, SGR_DESCRIPTION, *wanted) &&
           may_change(SGR_DESCRIPTION, *wanted, g->observed);
}

static uint32_t count_update(const struct cloud *c, const struct goal *g)
{
    struct value wanted;
    return g->observed != NULL && wants_description(c, g, &wanted);
}

static enum next update(const struct cloud *c, const struct goal *g, struct request *out, struct err *err)
{
    struct value wanted;
    if (!wants_description(c, g, &wanted)) return NEXT_DONE;
    if (begin_rules(c, g, rule_is_egress(g) ? "ModifySecurityGroupEgressRule" : "ModifySecurityGroupRule",
                    out, err) == NEXT_ERROR)
        return NEXT_ERROR;
    request_add(out, "SecurityGroupRuleId", g->observed->id);
    request_add_text(out, "Description", value_as_text(wanted));
    return end_request(out, err);
}

static enum next remove_rule(const struct cloud *c, const struct goal *g, struct request *out,
                             struct err *err)
{
    if (begin_rules(c, g, rule_operation(RULE_REVOKE, rule_is_egress(g)), out, err) == NEXT_ERROR)
        return NEXT_ERROR;
    if (has_id_prefix(g->observed->id, "sgr-"))
        request_add(out, "SecurityGroupRuleId.1", g->observed->id);
    else if (rule_add(out, g, 1, err) != ERR_OK)
        return NEXT_ERROR;
    return end_request(out, err);
}

char *rule_natural_id(const struct value *values, struct arena *arena)
{
    char *id = arena_strdup(arena, "rule");
    for (uint8_t i = 0; id != NULL && i <= SGR_PRIORITY; i++) {
        struct value v = values[i];
        if (i == SGR_PRIORITY)
            id = arena_printf(arena, "%s:%lld", id, (long long)v.u.num);
        else
            id = arena_printf(arena, "%s:" TEXT_FMT, id, value_is_set(v) ? (int)v.n : 0,
                              value_is_set(v) ? v.u.text : "");
    }
    return id;
}

/* The other side is the source of what comes in and the destination of what goes out. */
static void read_rule(struct reading *r, const json_t *item, struct object *o)
{
    static const struct field_map group_maps[] = {{.path = "SourceGroupId"}, {.path = "DestGroupId"}};
    const char *direction = value_is_set(o->values[SGR_DIRECTION]) ? o->values[SGR_DIRECTION].u.text : "";
    bool egress = text_is(text_of(direction), "egress");
    const char *group = r->scope->id != NULL
                            ? arena_strdup(r->arena, r->scope->id)
                            : json_text_at(r->root, "SecurityGroupId", r->arena, &r->out_of_memory);
    if (r->scope->id != NULL && group == NULL) r->out_of_memory = true;
    o->values[SGR_GROUP] = value_id(group);
    const char *cidr =
        json_text_at(item, egress ? "DestCidrIp" : "SourceCidrIp", r->arena, &r->out_of_memory);
    o->values[SGR_PEER_CIDR] = cidr_value(r->arena, cidr, &r->out_of_memory);
    o->values[SGR_PEER_GROUP] =
        read_value(r, &kind_security_group_rule.fields[SGR_PEER_GROUP], &group_maps[egress], item);
    struct text ports = value_is_set(o->values[SGR_PORTS]) ? value_as_text(o->values[SGR_PORTS]) : TEXT("");
    if (ports.len == 0 || text_is(ports, "-1/-1") || text_is(ports, "1/65535"))
        o->values[SGR_PORTS] = value_cstr("any");
    if (!value_is_set(o->values[SGR_PRIORITY])) o->values[SGR_PRIORITY] = value_int(1);
    if (o->id == NULL) o->id = rule_natural_id(o->values, r->arena);
    if (o->id == NULL) r->out_of_memory = true;
}

static const struct word all_rules[] = {{"Direction", "all"}, {"NicType", "intranet"}, {NULL, NULL}};

const struct kind_map map_security_group_rule = {
    .product = "Ecs",
    .fields = fields,
    .create = "AuthorizeSecurityGroup",
    .remove = "RevokeSecurityGroup",
    .id_param = "SecurityGroupRuleId.1",
    .list = {.operation = "DescribeSecurityGroupAttribute",
             .path = "Permissions.Permission",
             .paging = PAGE_TOKEN,
             .size_param = "MaxResults",
             .size = 1000,
             .scope_param = "SecurityGroupId",
             .scope_kind = KIND_SECURITY_GROUP,
             .scope_field = SGR_GROUP,
             .fixed = all_rules},
    .listed_with = KIND_SECURITY_GROUP_RULE,
    .id_path = "SecurityGroupRuleId",
    .protection = FIELD_NO,
    .durations = {{500, 1000, 300000}, {500, 1000, 300000}, {500, 1000, 300000}},
    .next_create = create,
    .next_update = update,
    .count_update = count_update,
    .next_remove = remove_rule,
    .may_change = may_change,
    .read_more = read_rule,
};

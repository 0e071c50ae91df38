/* batch.c - several goals in one request, where the cloud has an operation for it.
 *
 *   routes of one table           CreateRouteEntries, DeleteRouteEntries
 *   EIPs to one gateway           AssociateEipAddressBatch
 *   rules of a group, one way     AuthorizeSecurityGroup…, RevokeSecurityGroup… with Permissions.N */
#include "providers/alicloud/mapping.h"
#include "providers/alicloud/rules.h"

#include <string.h>

static bool is_there(const struct goal *g)
{
    return g->observed != NULL && !g->observed->gone;
}

static bool same_ref(const struct goal *a, const struct goal *b, uint8_t field)
{
    const char *x = ref_id(goal_value(a, field)), *y = ref_id(goal_value(b, field));
    return x != NULL && y != NULL && strcmp(x, y) == 0;
}

/* A create of what is not there, or a delete of what is. */
static bool is_simple(const struct goal *g)
{
    if (g->verb == VERB_CREATE) return !is_there(g);
    return g->verb == VERB_DELETE && is_there(g) && !g->observed->system && !g->observed->locked;
}

/* ---- routes ---- */

static const char *hop_of(const struct goal *g, const char **type)
{
    static const uint8_t hops[] = {RTE_HOP_NAT, RTE_HOP_INSTANCE};
    for (size_t i = 0; i < N_ELEMENTS(hops); i++) {
        const char *id = ref_id(goal_value(g, hops[i]));
        *type = map_route_entry.fields[hops[i]].type;
        if (id != NULL) return id;
    }
    return NULL;
}

static bool may_batch_routes(const struct goal *a, const struct goal *b)
{
    const char *type;
    if (!same_ref(a, b, RTE_TABLE)) return false;
    return a->verb == VERB_DELETE || (hop_of(a, &type) != NULL && hop_of(b, &type) != NULL);
}

static void add_route_part(struct request *out, uint32_t n, const char *part, struct text value)
{
    char name[64];
    (void)snprintf(name, sizeof name, "RouteEntries.%u.%s", (unsigned)n, part);
    request_add_text(out, name, value);
}

static enum err_code add_new_route(struct request *out, uint32_t n, const struct goal *g, struct err *err)
{
    const char *type, *hop = hop_of(g, &type);
    if (hop == NULL) return err_set(err, ERR_STALE, "the next hop of a route is not known yet");
    add_route_part(out, n, "NextHop", text_of(hop));
    add_route_part(out, n, "NextHopType", text_of(type));
    struct value name = g->values[RTE_NAME], description = g->values[RTE_DESCRIPTION];
    if (value_is_set(name))
        add_route_part(out, n, "Name", value_as_text(name));
    else if (name_fits(&map_route_entry, g->name))
        add_route_part(out, n, "Name", g->name);
    if (value_is_set(description)) add_route_part(out, n, "Description", value_as_text(description));
    return ERR_OK;
}

static enum next batch_routes(const struct cloud *c, const struct goal *const *goals, uint32_t n,
                              struct request *out, struct err *err)
{
    bool create = goals[0]->verb == VERB_CREATE;
    begin_request(c, goals[0], create ? "CreateRouteEntries" : "DeleteRouteEntries", out);
    for (uint32_t i = 0; i < n; i++) {
        const struct goal *g = goals[i];
        struct value table = goal_value(g, RTE_TABLE), to = goal_value(g, RTE_DESTINATION);
        if (ref_id(table) == NULL || !value_is_set(to)) {
            (void)err_set(err, ERR_STALE, "the table or destination of a route is not known yet");
            return NEXT_ERROR;
        }
        add_route_part(out, i + 1, "RouteTableId", value_as_text(table));
        add_route_part(out, i + 1, "DstCidrBlock", value_as_text(to));
        if (!create)
            add_route_part(out, i + 1, "RouteEntryId", text_of(g->observed->id));
        else if (add_new_route(out, i + 1, g, err) != ERR_OK)
            return NEXT_ERROR;
    }
    return end_request(out, err);
}

/* ---- EIPs ---- */

static bool may_batch_eips(const struct goal *a, const struct goal *b)
{
    return a->verb == VERB_CREATE && same_ref(a, b, EAS_NAT) && ref_id(a->values[EAS_EIP]) != NULL &&
           ref_id(b->values[EAS_EIP]) != NULL;
}

/* Source: AssociateEipAddressBatch, where InstanceIds are the EIPs and BindedInstanceId the gateway */
static enum next batch_eips(const struct cloud *c, const struct goal *const *goals, uint32_t n,
                            struct request *out, struct err *err)
{
    begin_request(c, goals[0], "AssociateEipAddressBatch", out);
    request_add(out, "BindedInstanceId", ref_id(goals[0]->values[EAS_NAT]));
    request_add(out, "BindedInstanceType", "Nat");
    for (uint32_t i = 0; i < n; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "InstanceIds.%u", (unsigned)i + 1);
        request_add(out, name, ref_id(goals[i]->values[EAS_EIP]));
    }
    return end_request(out, err);
}

/* ---- rules ---- */

static bool may_batch_rules(const struct goal *a, const struct goal *b)
{
    return same_ref(a, b, SGR_GROUP) && rule_is_egress(a) == rule_is_egress(b);
}

static enum next batch_rules(const struct cloud *c, const struct goal *const *goals, uint32_t n,
                             struct request *out, struct err *err)
{
    bool create = goals[0]->verb == VERB_CREATE, by_id = !create;
    for (uint32_t i = 0; i < n && by_id; i++) by_id = has_id_prefix(goals[i]->observed->id, "sgr-");
    enum rule_change change = create ? RULE_AUTHORIZE : RULE_REVOKE;
    begin_request(c, goals[0], rule_operation(change, rule_is_egress(goals[0])), out);
    request_add(out, "SecurityGroupId", rule_group(goals[0]));
    for (uint32_t i = 0; i < n; i++) {
        char name[48];
        (void)snprintf(name, sizeof name, "SecurityGroupRuleId.%u", (unsigned)i + 1);
        if (by_id)
            request_add(out, name, goals[i]->observed->id);
        else if (rule_add(out, goals[i], i + 1, err) != ERR_OK)
            return NEXT_ERROR;
    }
    return end_request(out, err);
}

/* ---- which is which ---- */

static const struct batch {
    bool (*may)(const struct goal *a, const struct goal *b);
    enum next (*build)(const struct cloud *c, const struct goal *const *goals, uint32_t n,
                       struct request *out, struct err *err);
    uint32_t limit;
} batches[N_KINDS] = {
    [KIND_ROUTE_ENTRY] = {may_batch_routes, batch_routes, 50},
    [KIND_EIP_ASSOCIATION] = {may_batch_eips, batch_eips, 50},
    /* The cloud takes 100; a rule has up to 8 parameters, a request LIMIT_API_PARAMS. */
    [KIND_SECURITY_GROUP_RULE] = {may_batch_rules, batch_rules, 80},
};

bool alicloud_may_batch(const struct cloud *c, const struct goal *a, const struct goal *b)
{
    const struct batch *batch = &batches[a->kind];
    (void)c;
    return batch->may != NULL && a->kind == b->kind && a->verb == b->verb && is_simple(a) && is_simple(b) &&
           batch->may(a, b);
}

uint32_t alicloud_batch_limit(const struct cloud *c, const struct goal *g)
{
    (void)c;
    return batches[g->kind].limit == 0 ? 1 : batches[g->kind].limit;
}

enum next alicloud_next_batch(const struct cloud *c, const struct goal *const *goals, uint32_t n,
                              struct arena *arena, struct request *out, struct err *err)
{
    ASSERT(n > 0);
    if (n == 1) return alicloud_next(c, goals[0], arena, out, err);
    ASSERT(n <= alicloud_batch_limit(c, goals[0]));
    *out = (struct request){.arena = arena};
    return batches[goals[0]->kind].build(c, goals, n, out, err);
}

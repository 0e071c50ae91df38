/* keys.c - what must not happen at once, and how long things take.  Source: api-behaviour 7, 8 */
#include "providers/alicloud/mapping.h"

#include <string.h>

/* The id in a goal's reference, as desired or observed. */
static const char *goal_ref(const struct goal *g, uint8_t field)
{
    return ref_id(goal_value(g, field));
}

static const char *own_id(const struct goal *g)
{
    return g->observed == NULL ? NULL : g->observed->id;
}

/* The VPC that an object lies in, by its field that says so. */
static const char *vpc_of(const struct goal *g, enum kind kind, const char *id, uint8_t field)
{
    const struct object *o = id == NULL || g->world == NULL ? NULL : world_find(g->world, kind, text_of(id));
    return o == NULL ? NULL : ref_id(o->values[field]);
}

static const char *vpc_key(const struct goal *g)
{
    const char *vpc;
    switch (g->kind) {
    case KIND_VPC: return own_id(g);
    case KIND_VSWITCH: return goal_ref(g, VSW_VPC);
    case KIND_NAT_GATEWAY: return goal_ref(g, NAT_VPC);
    case KIND_ROUTE_TABLE: return goal_ref(g, RTB_VPC);
    case KIND_ROUTE_ENTRY: return vpc_of(g, KIND_ROUTE_TABLE, goal_ref(g, RTE_TABLE), RTB_VPC);
    case KIND_ROUTE_TABLE_ASSOCIATION:
        vpc = vpc_of(g, KIND_VSWITCH, goal_ref(g, RTA_VSWITCH), VSW_VPC);
        return vpc != NULL ? vpc : vpc_of(g, KIND_ROUTE_TABLE, goal_ref(g, RTA_TABLE), RTB_VPC);
    default: return NULL;
    }
}

static const char *nat_key(const struct goal *g)
{
    switch (g->kind) {
    case KIND_NAT_GATEWAY: return own_id(g);
    case KIND_SNAT_ENTRY: return goal_ref(g, SNAT_NAT);
    case KIND_DNAT_ENTRY: return goal_ref(g, DNAT_NAT);
    case KIND_EIP_ASSOCIATION: return goal_ref(g, EAS_NAT);
    default: return NULL;
    }
}

static const char *eip_key(const struct goal *g)
{
    switch (g->kind) {
    case KIND_EIP: return own_id(g);
    case KIND_EIP_ASSOCIATION: return goal_ref(g, EAS_EIP);
    default: return NULL;
    }
}

static const char *group_key(const struct goal *g)
{
    switch (g->kind) {
    case KIND_SECURITY_GROUP: return own_id(g);
    case KIND_SECURITY_GROUP_RULE: return goal_ref(g, SGR_GROUP);
    default: return NULL;
    }
}

/* A vSwitch whose table changes is Pending, and nothing can be changed on it or put there.
 * Source: AssociateRouteTable; ModifyVSwitchAttribute, IncorrectStatus.VSwitch; CreateSnatEntry,
 * RunInstances, IncorrectVSwitchStatus */
static const char *vswitch_key(const struct goal *g)
{
    switch (g->kind) {
    case KIND_VSWITCH: return own_id(g);
    case KIND_INSTANCE: return goal_ref(g, INS_VSWITCH);
    case KIND_SNAT_ENTRY: return goal_ref(g, SNAT_VSWITCH);
    case KIND_ROUTE_TABLE_ASSOCIATION: return goal_ref(g, RTA_VSWITCH);
    default: return NULL;
    }
}

static const char *instance_key(const struct goal *g)
{
    return g->kind == KIND_INSTANCE ? own_id(g) : NULL;
}

/* In the order of their texts: keys are taken together, and in one order by all. */
static const struct {
    uint32_t flag;
    const char *prefix;
    const char *(*id)(const struct goal *g);
} keys[] = {
    {KEY_INSTANCE, "ecs", instance_key}, {KEY_EIP, "eip", eip_key}, {KEY_NAT, "nat", nat_key},
    {KEY_GROUP, "sg", group_key},        {KEY_VPC, "vpc", vpc_key}, {KEY_VSWITCH, "vsw", vswitch_key},
};

size_t alicloud_serial_keys(const struct cloud *c, const struct goal *g, const struct request *r,
                            struct serial_key out[MAX_SERIAL_KEYS])
{
    const struct operation *op = operation_find(r->operation);
    size_t n = 0;
    (void)c;
    for (size_t i = 0; op != NULL && i < N_ELEMENTS(keys) && n < MAX_SERIAL_KEYS; i++) {
        const char *id = (op->keys & keys[i].flag) ? keys[i].id(g) : NULL;
        if (id == NULL) continue;
        struct serial_key *key = &out[n++];
        (void)snprintf(key->text, sizeof key->text, "%s/%s", keys[i].prefix, id);
        bool only_for_the_call = keys[i].flag == KEY_VSWITCH && g->kind != KIND_ROUTE_TABLE_ASSOCIATION;
        key->until_settled = (op->keys & KEY_SETTLE) != 0 && !only_for_the_call;
    }
    return n;
}

void alicloud_durations(const struct cloud *c, enum kind kind, enum verb verb, int64_t *shortest_ms,
                        int64_t *typical_ms, int64_t *deadline_ms)
{
    const struct duration *d = &map_of(kind)->durations[verb];
    (void)c;
    *shortest_ms = d->shortest_ms;
    *typical_ms = d->typical_ms;
    *deadline_ms = d->deadline_ms;
}

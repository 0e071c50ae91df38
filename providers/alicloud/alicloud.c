/* alicloud.c - the cloud of a region: the tables of all kinds behind the functions of cloud.h. */
#include "providers/alicloud/alicloud.h"

#include "providers/alicloud/mapping.h"

static const struct kind_map *const maps[N_KINDS] = {
    [KIND_VPC] = &map_vpc,
    [KIND_VSWITCH] = &map_vswitch,
    [KIND_SECURITY_GROUP] = &map_security_group,
    [KIND_SECURITY_GROUP_RULE] = &map_security_group_rule,
    [KIND_INSTANCE] = &map_instance,
    [KIND_NAT_GATEWAY] = &map_nat_gateway,
    [KIND_EIP] = &map_eip,
    [KIND_EIP_ASSOCIATION] = &map_eip_association,
    [KIND_SNAT_ENTRY] = &map_snat_entry,
    [KIND_DNAT_ENTRY] = &map_dnat_entry,
    [KIND_ROUTE_TABLE] = &map_route_table,
    [KIND_ROUTE_ENTRY] = &map_route_entry,
    [KIND_ROUTE_TABLE_ASSOCIATION] = &map_route_table_association,
};

const struct kind_map *map_of(enum kind kind)
{
    ASSERT(kind < N_KINDS);
    return maps[kind];
}

const struct cloud *alicloud_cloud(struct arena *arena, const char *region)
{
    struct cloud *c = arena_new_of(arena, struct cloud);
    if (c == NULL) return NULL;
    *c = (struct cloud){
        .name = "alicloud",
        .normalise = alicloud_normalise,
        .next = alicloud_next,
        .n_requests = alicloud_n_requests,
        .serial_keys = alicloud_serial_keys,
        .may_batch = alicloud_may_batch,
        .batch_limit = alicloud_batch_limit,
        .next_batch = alicloud_next_batch,
        .read_outcome = alicloud_read_outcome,
        .list_scope_kind = alicloud_list_scope_kind,
        .list_request = alicloud_list_request,
        .read_page = alicloud_read_page,
        .listed_with = alicloud_listed_with,
        .durations = alicloud_durations,
        .natural_id = alicloud_natural_id,
        .may_appear = alicloud_may_appear,
        .same_value = alicloud_same_value,
        .may_change = alicloud_may_change,
        .region = region,
        .time_scale = 1.0,
    };
    return c;
}

/* map_instance.c - Instance; mostly observed.  Source: api-behaviour 5.12 */
#include "providers/alicloud/mapping.h"

enum { ATTRIBUTE = 1 };

static const struct field_map fields[INS_N] = {
    [INS_VSWITCH] = {.create = "VSwitchId", .path = "VpcAttributes.VSwitchId"},
    [INS_PRIVATE_IP] = {.create = "PrivateIpAddress", .path = "VpcAttributes.PrivateIpAddress.IpAddress"},
    [INS_GROUPS] = {.create = "SecurityGroupIds",
                    .modify = "SecurityGroupIds",
                    .by = ATTRIBUTE,
                    .path = "SecurityGroupIds.SecurityGroupId"},
    [INS_IMAGE] = {.create = "ImageId", .path = "ImageId"},
    [INS_TYPE] = {.create = "InstanceType", .path = "InstanceType"},
    [INS_NAME] = {.create = "InstanceName",
                  .modify = "InstanceName",
                  .by = ATTRIBUTE,
                  .path = "InstanceName"},
    [INS_DESCRIPTION] = {.create = "Description",
                         .modify = "Description",
                         .by = ATTRIBUTE,
                         .path = "Description"},
    [INS_DELETION_PROTECTION] = {.create = "DeletionProtection",
                                 .modify = "DeletionProtection",
                                 .by = ATTRIBUTE,
                                 .path = "DeletionProtection"},
    [INS_TAGS] = {0},
    [INS_VPC] = {.path = "VpcAttributes.VpcId"},
    [INS_EIP] = {.path = "EipAddress.AllocationId"},
    [INS_PUBLIC_IP] = {.path = "PublicIpAddress.IpAddress"},
};

/* The primary interface has the address where the summary has none (an instance that is being made). */
static void read_address(struct reading *r, const json_t *item, struct object *o)
{
    if (value_is_set(o->values[INS_PRIVATE_IP])) return;
    const json_t *interfaces = json_at(item, "NetworkInterfaces.NetworkInterface");
    for (size_t i = 0; i < json_count(interfaces); i++) {
        const json_t *one = json_item(interfaces, i);
        if (json_count(interfaces) > 1 && !json_text_is(one, "Type", "Primary")) continue;
        const char *ip = json_text_at(one, "PrimaryIpAddress", r->arena, &r->out_of_memory);
        if (ip != NULL && ip[0] != '\0') o->values[INS_PRIVATE_IP] = value_cstr(ip);
    }
}

static const char *const ready[] = {"Running", "Stopped", NULL};
static const char *const deleting[] = {"Deleting", "Releasing", NULL};
static const struct word one[] = {{"Amount", "1"}, {NULL, NULL}};
static const struct word by_force[] = {{"Force", "true"}, {NULL, NULL}}; /* also when it is running */

const struct kind_map map_instance = {
    .product = "Ecs",
    .fields = fields,
    .create = "RunInstances",
    .create_fixed = one,
    .remove = "DeleteInstance",
    .id_param = "InstanceId",
    .remove_fixed = by_force,
    .modifies = {[ATTRIBUTE - 1] = {"ModifyInstanceAttribute", "InstanceId", NULL, NULL}},
    .list = {.operation = "DescribeInstances",
             .path = "Instances.Instance",
             .paging = PAGE_TOKEN,
             .size_param = "MaxResults",
             .size = 100,
             .ids_param = "InstanceIds",
             .max_ids = 100,
             .ids_json = true},
    .listed_with = KIND_INSTANCE,
    .id_path = "InstanceId",
    .status_path = "Status",
    .ready = ready,
    .deleting = deleting,
    .tag_type = "instance",
    .untag = "UntagResources",
    .protection = INS_DELETION_PROTECTION,
    .durations = {{15000, 30000, 600000}, {1000, 3000, 600000}, {5000, 20000, 1200000}},
    .read_more = read_address,
};

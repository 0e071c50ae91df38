/* map_security_group.c - SecurityGroup.  Source: api-behaviour 5.11 */
#include "providers/alicloud/mapping.h"

enum { ATTRIBUTE = 1, POLICY, GROUP };

static const struct field_map fields[SG_N] = {
    [SG_VPC] = {.create = "VpcId", .path = "VpcId"},
    [SG_TYPE] = {.create = "SecurityGroupType", .path = "SecurityGroupType", .send_initial = true},
    [SG_INNER_ACCESS] = {.modify = "InnerAccessPolicy", .by = POLICY, .path = "InnerAccessPolicy"},
    [SG_NAME] = {.create = "SecurityGroupName",
                 .modify = "SecurityGroupName",
                 .by = ATTRIBUTE,
                 .path = "SecurityGroupName"},
    [SG_DESCRIPTION] = {.create = "Description",
                        .modify = "Description",
                        .by = ATTRIBUTE,
                        .path = "Description"},
    [SG_RESOURCE_GROUP] = {.create = "ResourceGroupId",
                           .modify = "ResourceGroupId",
                           .by = GROUP,
                           .path = "ResourceGroupId"},
    [SG_TAGS] = {0},
    [SG_RULES] = {0},
};

const struct kind_map map_security_group = {
    .product = "Ecs",
    .fields = fields,
    .create = "CreateSecurityGroup",
    .remove = "DeleteSecurityGroup",
    .id_param = "SecurityGroupId",
    .modifies = {[ATTRIBUTE - 1] = {"ModifySecurityGroupAttribute", "SecurityGroupId", NULL, NULL},
                 [POLICY - 1] = {"ModifySecurityGroupPolicy", "SecurityGroupId", NULL, NULL},
                 [GROUP - 1] = {"JoinResourceGroup", "ResourceId", "ResourceType", "securitygroup"}},
    .list = {.operation = "DescribeSecurityGroups",
             .path = "SecurityGroups.SecurityGroup",
             .paging = PAGE_TOKEN,
             .size_param = "MaxResults",
             .size = 100,
             .ids_param = "SecurityGroupIds",
             .max_ids = 100,
             .ids_json = true},
    .listed_with = KIND_SECURITY_GROUP,
    .id_path = "SecurityGroupId",
    .tag_type = "securitygroup",
    .untag = "UntagResources",
    .protection = FIELD_NO,
    .durations = {{500, 1000, 300000}, {500, 1000, 300000}, {500, 2000, 600000}},
};

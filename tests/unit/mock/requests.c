/* requests.c - validation, tokens, pages, tags, rules of groups: what every request goes through. */
#include "rig.h"

static void requests_are_checked_against_the_metadata(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    refused(&r, "InvalidAction.NotFound", "Vpc", "CreateVpcs", NULL);
    refused(&r, "InvalidProduct.NotFound", "Oss", "PutBucket", NULL);
    refused(&r, "InvalidRegionId.NotFound", "Vpc", "DescribeVpcs", "RegionId", "mars-1", NULL);
    refused(&r, "InvalidParameter.Unknown", "Vpc", "CreateVpc", "CidrBlok", "10.0.0.0/8", NULL);
    refused(&r, "InvalidParameter.Unknown", "Vpc", "CreateVpc", "Tag.0.Key", "a", NULL);
    refused(&r, "InvalidParameter.Unknown", "Vpc", "CreateVpc", "Tag.1.Kee", "a", NULL);
    refused(&r, "InvalidParameter.Unknown", "Vpc", "CreateVpc", "Tag", "a", NULL);
    refused(&r, "MissingParameter", "Vpc", "CreateVSwitch", "VpcId", "vpc-1", "ZoneId", "cn-shanghai-b",
            NULL);
    refused(&r, "MissingParameter", "Vpc", "TagResources", "ResourceType", "VPC", "Tag.1.Key", "a", NULL);
    refused(&r, "InvalidPageSize", "Vpc", "DescribeVpcs", "PageSize", "51", NULL);
    refused(&r, "InvalidPageNumber", "Vpc", "DescribeVpcs", "PageNumber", "one", NULL);
    refused(&r, "InvalidNetworkType", "Vpc", "CreateNatGateway", "VpcId", "v", "NetworkType", "Internet",
            NULL);
    refused(&r, "InvalidDryRun", "Vpc", "CreateVpc", "DryRun", "yes", NULL);
    refused(&r, "InvalidParameter", "Vpc", "CreateVpc", "VpcName", "a", "VpcName", "b", NULL);
    refused(&r, "InvalidParameter", "Vpc", "CreateVpc", "VpcName", "\xff", NULL);
    refused(&r, "InvalidClientToken", "Vpc", "CreateVpc", "ClientToken",
            "0123456789012345678901234567890123456789012345678901234567890123x", NULL);
    refused(&r, "UnsupportedParameter", "Vpc", "DescribeEipAddresses", "LockReason", "financial", NULL);
    rig_close(&r);
}

static void dry_runs_change_nothing(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    refused(&r, "DryRunOperation", "Vpc", "CreateVpc", "DryRun", "true", NULL);
    refused(&r, "DryRunOperation", "Vpc", "DescribeVpcs", "DryRun", "true", NULL);
    refused(&r, "InvalidCidrBlock.Malformed", "Vpc", "CreateVpc", "DryRun", "true", "CidrBlock",
            "10.0.0.0/30", NULL);
    ok(&r, "Vpc", "DescribeVpcs", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 0);
    rig_close(&r);
}

static void a_token_makes_a_request_happen_once(void **state)
{
    (void)state;
    struct rig r;
    char first[64], again[64], request[64];
    rig_open(&r, NULL);
    make(&r, first, "VpcId", "Vpc", "CreateVpc", "ClientToken", "t", "CidrBlock", "10.0.0.0/8", NULL);
    (void)snprintf(request, sizeof(request), "%s", rig_text(&r, "RequestId"));
    make(&r, again, "VpcId", "Vpc", "CreateVpc", "CidrBlock", "10.0.0.0/8", "ClientToken", "t", NULL);
    assert_string_equal(first, again);
    assert_string_equal(rig_text(&r, "RequestId"), request);
    refused(&r, "IdempotentParameterMismatch", "Vpc", "CreateVpc", "ClientToken", "t", "CidrBlock",
            "10.0.0.0/9", NULL);
    ok(&r, "Vpc", "DescribeVpcs", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 1);
    /* Another operation may have the same token; a refusal does not use one up. */
    ok(&r, "Vpc", "AllocateEipAddress", "ClientToken", "t", NULL);
    refused(&r, "InvalidCidrBlock.Malformed", "Vpc", "CreateVpc", "ClientToken", "u", "CidrBlock", "x", NULL);
    ok(&r, "Vpc", "CreateVpc", "ClientToken", "u", NULL);
    /* Before the first answer is there, the second request is told to wait. */
    ok(&r, "Vpc", "CreateVpc", "ClientToken", "w", NULL);
    r.now_ms -= 100;
    refused(&r, "LastTokenProcessing", "Vpc", "CreateVpc", "ClientToken", "w", NULL);
    set_option(&r, "token-memory-ms", "1000");
    r.now_ms += 5000;
    make(&r, again, "VpcId", "Vpc", "CreateVpc", "CidrBlock", "10.0.0.0/8", "ClientToken", "t", NULL);
    assert_string_not_equal(first, again);
    rig_close(&r);
}

static void the_memory_of_tokens_is_bounded(void **state)
{
    (void)state;
    struct rig r;
    char token[32], first[64], again[64];
    rig_open(&r, NULL);
    set_option(&r, "quotas", "off");
    set_option(&r, "tokens", "3");
    make(&r, first, "AllocationId", "Vpc", "AllocateEipAddress", "ClientToken", "0", NULL);
    for (int i = 1; i < 4; i++) {
        (void)snprintf(token, sizeof(token), "%d", i);
        ok(&r, "Vpc", "AllocateEipAddress", "ClientToken", token, NULL);
    }
    make(&r, again, "AllocationId", "Vpc", "AllocateEipAddress", "ClientToken", "0", NULL);
    assert_string_not_equal(first, again);
    rig_close(&r);
}

static void pages_come_by_number_and_by_token(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    char token[64] = "";
    size_t seen = 0, pages = 0;
    rig_open(&r, NULL);
    set_option(&r, "quotas", "off");
    make_net(&r, &n);
    for (int i = 0; i < 23; i++) ok(&r, "Vpc", "AllocateEipAddress", NULL);
    for (int i = 0; i < 23; i++) ok(&r, "Ecs", "CreateSecurityGroup", "VpcId", n.vpc, NULL);
    ok(&r, "Vpc", "DescribeEipAddresses", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 23);
    assert_int_equal(rig_number(&r, "PageSize"), 10);
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(r.answer, "EipAddresses"), "EipAddress")), 10);
    ok(&r, "Vpc", "DescribeEipAddresses", "PageNumber", "3", NULL);
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(r.answer, "EipAddresses"), "EipAddress")), 3);
    ok(&r, "Vpc", "DescribeEipAddresses", "PageNumber", "4", NULL);
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(r.answer, "EipAddresses"), "EipAddress")), 0);
    do {
        ok(&r, "Ecs", "DescribeSecurityGroups", "VpcId", n.vpc, "MaxResults", "10",
           token[0] == '\0' ? NULL : "NextToken", token, NULL);
        seen +=
            json_array_size(json_object_get(json_object_get(r.answer, "SecurityGroups"), "SecurityGroup"));
        (void)snprintf(token, sizeof(token), "%s", rig_text(&r, "NextToken"));
        pages++;
    } while (token[0] != '\0');
    assert_int_equal(seen, 24);
    assert_int_equal(pages, 3);
    refused(&r, "InvalidNextToken", "Ecs", "DescribeSecurityGroups", "NextToken", "garbage", NULL);
    set_option(&r, "deep-page-skip", "throttle");
    ok(&r, "Vpc", "DescribeEipAddresses", "PageNumber", "1", NULL);
    refused(&r, "Throttling.DeepPageSkip", "Vpc", "DescribeEipAddresses", "PageNumber", "3", NULL);
    rig_close(&r);
}

static void lists_filter_by_ids_tags_and_attributes(void **state)
{
    (void)state;
    struct rig r;
    char a[64], b[64], both[160];
    rig_open(&r, NULL);
    make(&r, a, "VpcId", "Vpc", "CreateVpc", "VpcName", "one", "Tag.1.Key", "stack", "Tag.1.Value", "x",
         NULL);
    make(&r, b, "VpcId", "Vpc", "CreateVpc", "VpcName", "two", "Tag.1.Key", "stack", "Tag.1.Value", "y",
         NULL);
    (void)snprintf(both, sizeof(both), "%s,vpc-none,%s", b, a);
    ok(&r, "Vpc", "DescribeVpcs", "VpcId", both, NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 2);
    ok(&r, "Vpc", "DescribeVpcs", "VpcId", "vpc-none", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 0);
    ok(&r, "Vpc", "DescribeVpcs", "Tag.1.Key", "stack", "Tag.1.Value", "y", NULL);
    assert_string_equal(rig_text(&r, "Vpcs.Vpc.0.VpcId"), b);
    ok(&r, "Vpc", "DescribeVpcs", "Tag.1.Key", "stack", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 2);
    ok(&r, "Vpc", "DescribeVpcs", "RegionId", "cn-beijing", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 0);
    ok(&r, "Vpc", "TagResources", "ResourceType", "VPC", "ResourceId.1", a, "Tag.1.Key", "stack",
       "Tag.1.Value", "z", NULL);
    ok(&r, "Vpc", "ListTagResources", "ResourceType", "VPC", "ResourceId.1", a, NULL);
    assert_string_equal(rig_text(&r, "TagResources.TagResource.0.TagValue"), "z");
    ok(&r, "Vpc", "UnTagResources", "ResourceType", "VPC", "ResourceId.1", a, "TagKey.1", "stack", NULL);
    ok(&r, "Vpc", "DescribeVpcs", "Tag.1.Key", "stack", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 1);
    refused(&r, "InvalidTagKey.Malformed", "Vpc", "CreateVpc", "Tag.1.Key", "acs:x", NULL);
    refused(&r, "InvalidParameter", "Ecs", "DescribeInstances", "InstanceIds", "i-1", NULL);
    rig_close(&r);
}

#define PERMISSION                                                                                           \
    "Permissions.1.IpProtocol", "TCP", "Permissions.1.PortRange", "80/80", "Permissions.1.NicType", "intranet"

static void rules_of_groups_are_a_set(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    char rule[64];
    rig_open(&r, NULL);
    make_net(&r, &n);
    for (int i = 0; i < 2; i++)
        ok(&r, "Ecs", "AuthorizeSecurityGroup", "RegionId", "cn-shanghai", "SecurityGroupId", n.sg,
           PERMISSION, "Permissions.1.SourceCidrIp", "203.0.113.1/32", "Permissions.1.Policy", "accept",
           NULL);
    ok(&r, "Ecs", "DescribeSecurityGroupAttribute", "RegionId", "cn-shanghai", "SecurityGroupId", n.sg,
       "Direction", "ingress", NULL);
    assert_int_equal(json_array_size(json_object_get(json_object_get(r.answer, "Permissions"), "Permission")),
                     1);
    assert_string_equal(rig_text(&r, "Permissions.Permission.0.Policy"), "Accept");
    assert_string_equal(rig_text(&r, "Permissions.Permission.0.Priority"), "1");
    (void)snprintf(rule, sizeof(rule), "%s", rig_text(&r, "Permissions.Permission.0.SecurityGroupRuleId"));
    ok(&r, "Ecs", "ModifySecurityGroupRule", "RegionId", "cn-shanghai", "SecurityGroupId", n.sg,
       "SecurityGroupRuleId", rule, "PortRange", "443/443", "Description", "https", NULL);
    refused(&r, "MissingParameter", "Ecs", "AuthorizeSecurityGroup", "SecurityGroupId", n.sg, PERMISSION,
            NULL);
    refused(&r, "InvalidParam.PortRange", "Ecs", "AuthorizeSecurityGroup", "SecurityGroupId", n.sg,
            "Permissions.1.IpProtocol", "ALL", "Permissions.1.PortRange", "80/80",
            "Permissions.1.SourceCidrIp", "0.0.0.0/0", NULL);
    refused(&r, "InvalidSourceGroupId.NotFound", "Ecs", "AuthorizeSecurityGroup", "SecurityGroupId", n.sg,
            PERMISSION, "Permissions.1.SourceGroupId", "sg-none", NULL);
    refused(&r, "InvalidParam.SecurityGroupRuleId", "Ecs", "RevokeSecurityGroup", "SecurityGroupId", n.sg,
            "RegionId", "cn-shanghai", "SecurityGroupRuleId.1", "sgr-none", NULL);
    refused(&r, "InvalidSecurityGroupRule.RuleNotExist", "Ecs", "RevokeSecurityGroupEgress",
            "SecurityGroupId", n.sg, "SecurityGroupRuleId.1", rule, NULL);
    ok(&r, "Ecs", "RevokeSecurityGroup", "SecurityGroupId", n.sg, PERMISSION, "Permissions.1.SourceCidrIp",
       "10.9.9.9", NULL);
    ok(&r, "Ecs", "RevokeSecurityGroup", "SecurityGroupId", n.sg, "SecurityGroupRuleId.1", rule, NULL);
    ok(&r, "Ecs", "DeleteSecurityGroup", "SecurityGroupId", n.sg, NULL);
    rig_close(&r);
}

static void instances_start_stop_and_keep_their_group(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    char id[64], eip[64];
    rig_open(&r, NULL);
    make_net(&r, &n);
    refused(&r, "InvalidPrivateIpAddress.Duplicated", "Ecs", "RunInstances", "VSwitchId", n.vsw1,
            "SecurityGroupId", n.sg, "PrivateIpAddress", "10.0.1.254", NULL);
    make(&r, id, "InstanceIdSets.InstanceIdSet.0", "Ecs", "RunInstances", "VSwitchId", n.vsw1,
         "SecurityGroupId", n.sg, "PrivateIpAddress", "10.0.1.10", "SystemDisk.Size", "40", NULL);
    refused(&r, "IncorrectInstanceStatus.Initializing", "Ecs", "DeleteInstance", "InstanceId", id, "Force",
            "true", NULL);
    settle(&r);
    refused(&r, "DependencyViolation", "Ecs", "DeleteSecurityGroup", "SecurityGroupId", n.sg, NULL);
    refused(&r, "IncorrectInstanceStatus", "Ecs", "DeleteInstance", "InstanceId", id, NULL);
    make(&r, eip, "AllocationId", "Vpc", "AllocateEipAddress", NULL);
    ok(&r, "Vpc", "AssociateEipAddress", "AllocationId", eip, "InstanceId", id, NULL);
    settle(&r);
    ok(&r, "Ecs", "DescribeInstances", NULL);
    assert_string_equal(rig_text(&r, "Instances.Instance.0.EipAddress.AllocationId"), eip);
    ok(&r, "Ecs", "StopInstance", "InstanceId", id, NULL);
    refused(&r, "IncorrectInstanceStatus", "Ecs", "StartInstance", "InstanceId", id, NULL);
    settle(&r);
    ok(&r, "Ecs", "DeleteInstance", "InstanceId", id, NULL);
    settle(&r);
    ok(&r, "Vpc", "DescribeEipAddresses", NULL);
    assert_string_equal(rig_text(&r, "EipAddresses.EipAddress.0.Status"), "Available");
    rig_close(&r);
}

static void the_remaining_operations_answer_in_their_shape(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g;
    rig_open(&r, NULL);
    make_net(&r, &n);
    make_gateway(&r, &n, n.vsw1, &g);
    ok(&r, "Vpc", "DescribeVpcAttribute", "VpcId", n.vpc, NULL);
    ok(&r, "Vpc", "DescribeVSwitchAttributes", "VSwitchId", n.vsw1, NULL);
    ok(&r, "Vpc", "DescribeVSwitchAttributes", "VSwitchId", "vsw-none", NULL);
    assert_string_equal(rig_text(&r, "VSwitchId"), "");
    ok(&r, "Vpc", "GetNatGatewayAttribute", "NatGatewayId", g.id, NULL);
    assert_string_equal(rig_text(&r, "BillingConfig.AutoPay"), "false");
    ok(&r, "Vpc", "DescribeRegions", NULL);
    ok(&r, "Ecs", "DescribeRegions", NULL);
    ok(&r, "Vpc", "DescribeZones", "RegionId", "eu-central-1", NULL);
    ok(&r, "Vpc", "ListEnhanhcedNatGatewayAvailableZones", NULL);
    ok(&r, "Vpc", "ModifyVpcAttribute", "VpcId", n.vpc, "VpcName", "renamed", NULL);
    ok(&r, "Vpc", "AssociateVpcCidrBlock", "VpcId", n.vpc, "SecondaryCidrBlock", "192.168.0.0/16", NULL);
    refused(&r, "InvalidCidrBlock.Overlapped", "Vpc", "AssociateVpcCidrBlock", "VpcId", n.vpc,
            "SecondaryCidrBlock", "192.168.1.0/24", NULL);
    ok(&r, "Vpc", "UnassociateVpcCidrBlock", "VpcId", n.vpc, "SecondaryCidrBlock", "192.168.0.0/16", NULL);
    ok(&r, "Vpc", "ModifyVSwitchAttribute", "VSwitchId", n.vsw1, "VSwitchName", "web", NULL);
    ok(&r, "Vpc", "ModifyNatGatewayAttribute", "NatGatewayId", g.id, "Name", "nat-1", NULL);
    refused(&r, "OperationUnsupported.PayByLcu", "Vpc", "ModifyNatGatewaySpec", "NatGatewayId", g.id, "Spec",
            "Large", NULL);
    ok(&r, "Vpc", "MoveResourceGroup", "ResourceType", "Vpc", "ResourceId", n.vpc, "NewResourceGroupId",
       "rg-2", NULL);
    ok(&r, "Ecs", "JoinResourceGroup", "ResourceType", "securitygroup", "ResourceId", n.sg, "ResourceGroupId",
       "rg-2", NULL);
    ok(&r, "Ecs", "ModifySecurityGroupPolicy", "SecurityGroupId", n.sg, "InnerAccessPolicy", "Drop", NULL);
    ok(&r, "Ecs", "TagResources", "ResourceType", "securitygroup", "ResourceId.1", n.sg, "Tag.1.Key", "a",
       "Tag.1.Value", "b", NULL);
    ok(&r, "Ecs", "ListTagResources", "ResourceType", "securitygroup", "Tag.1.Key", "a", NULL);
    ok(&r, "Ecs", "UntagResources", "ResourceType", "securitygroup", "ResourceId.1", n.sg, "All", "true",
       NULL);
    ok(&r, "Ecs", "DescribeSecurityGroups", "SecurityGroupId", n.sg, NULL);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_checked_against_the_metadata),
        cmocka_unit_test(dry_runs_change_nothing),
        cmocka_unit_test(a_token_makes_a_request_happen_once),
        cmocka_unit_test(the_memory_of_tokens_is_bounded),
        cmocka_unit_test(pages_come_by_number_and_by_token),
        cmocka_unit_test(lists_filter_by_ids_tags_and_attributes),
        cmocka_unit_test(rules_of_groups_are_a_set),
        cmocka_unit_test(instances_start_stop_and_keep_their_group),
        cmocka_unit_test(the_remaining_operations_answer_in_their_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

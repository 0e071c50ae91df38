/* scenario.c - the tutorial's twelve calls, in the order and with the waits of a careful client. */
#include "rig.h"

static void wait_for(struct rig *r, const char *status_path, const char *wanted, const char *operation,
                     const char *filter, const char *id)
{
    for (int polls = 0; polls < 1000; polls++) {
        ok(r, "Vpc", operation, "RegionId", "cn-shanghai", filter, id, NULL);
        if (strcmp(rig_text(r, status_path), wanted) == 0) return;
        r->now_ms += 100;
    }
    fail_msg("%s of %s never became %s", status_path, id, wanted);
}

struct world {
    struct net net;
    char ecs1[64], ecs2[64], ecs2_ip[64], eip1[64], eip2[64], ip1[64], ip2[64];
};

/* What the scenario takes as given. */
static void make_world(struct rig *r, struct world *w)
{
    make_net(r, &w->net);
    make(r, w->ecs1, "InstanceIdSets.InstanceIdSet.0", "Ecs", "RunInstances", "RegionId", "cn-shanghai",
         "VSwitchId", w->net.vsw1, "SecurityGroupId", w->net.sg, NULL);
    make(r, w->ecs2, "InstanceIdSets.InstanceIdSet.0", "Ecs", "RunInstances", "RegionId", "cn-shanghai",
         "VSwitchId", w->net.vsw2, "SecurityGroupId", w->net.sg, NULL);
    make(r, w->eip1, "AllocationId", "Vpc", "AllocateEipAddress", "RegionId", "cn-shanghai", NULL);
    (void)snprintf(w->ip1, 64, "%s", rig_text(r, "EipAddress"));
    make(r, w->eip2, "AllocationId", "Vpc", "AllocateEipAddress", "RegionId", "cn-shanghai", NULL);
    (void)snprintf(w->ip2, 64, "%s", rig_text(r, "EipAddress"));
    settle(r);
    char ids[80];
    (void)snprintf(ids, sizeof(ids), "[\"%s\"]", w->ecs2);
    make(r, w->ecs2_ip, "Instances.Instance.0.VpcAttributes.PrivateIpAddress.IpAddress.0", "Ecs",
         "DescribeInstances", "RegionId", "cn-shanghai", "InstanceIds", ids, NULL);
    assert_string_equal(rig_text(r, "Instances.Instance.0.Status"), "Running");
}

static void connect_vswitch(struct rig *r, const char *vpc, const char *vswitch, const char *gateway)
{
    char table[64], route[64];
    make(r, table, "RouteTableId", "Vpc", "CreateRouteTable", "RegionId", "cn-shanghai", "VpcId", vpc, NULL);
    wait_for(r, "RouterTableList.RouterTableListType.0.Status", "Available", "DescribeRouteTableList",
             "RouteTableId", table);
    make(r, route, "RouteEntryId", "Vpc", "CreateRouteEntry", "RouteTableId", table, "DestinationCidrBlock",
         "0.0.0.0/0", "NextHopType", "NatGateway", "NextHopId", gateway, "RouteEntryName", "Route1", NULL);
    for (;;) {
        ok(r, "Vpc", "DescribeRouteEntryList", "RegionId", "cn-shanghai", "RouteTableId", table,
           "RouteEntryType", "Custom", NULL);
        if (strcmp(rig_text(r, "RouteEntrys.RouteEntry.0.Status"), "Available") == 0) break;
    }
    ok(r, "Vpc", "AssociateRouteTable", "RegionId", "cn-shanghai", "RouteTableId", table, "VSwitchId",
       vswitch, NULL);
    wait_for(r, "VSwitches.VSwitch.0.Status", "Available", "DescribeVSwitches", "VSwitchId", vswitch);
    assert_string_equal(rig_text(r, "VSwitches.VSwitch.0.RouteTable.RouteTableId"), table);
}

static void the_tutorial_runs_without_a_refusal(void **state)
{
    (void)state;
    struct rig r;
    struct world w;
    struct err err;
    char nat1[64], nat2[64], stb1[64], ftb2[64], id[64];
    rig_open(&r, NULL);
    make_world(&r, &w);
    assert_int_equal(mock_ledger_clear(r.mock, &err), ERR_OK);

    make(&r, nat1, "NatGatewayId", "Vpc", "CreateNatGateway", "RegionId", "cn-shanghai", "VpcId", w.net.vpc,
         "VSwitchId", w.net.vsw1, "NatType", "Enhanced", "NetworkType", "internet", "InternetChargeType",
         "PayByLcu", "InstanceChargeType", "PostPaid", "Name", "NAT1", "Tag.1.Key", "stack", "Tag.1.Value",
         "demo", "ClientToken", "t1", NULL);
    (void)snprintf(stb1, 64, "%s", rig_text(&r, "SnatTableIds.SnatTableId.0"));
    make(&r, nat2, "NatGatewayId", "Vpc", "CreateNatGateway", "RegionId", "cn-shanghai", "VpcId", w.net.vpc,
         "VSwitchId", w.net.vsw2, "NatType", "Enhanced", "Name", "NAT2", "ClientToken", "t2", NULL);
    (void)snprintf(ftb2, 64, "%s", rig_text(&r, "ForwardTableIds.ForwardTableId.0"));
    wait_for(&r, "NatGateways.NatGateway.0.Status", "Available", "DescribeNatGateways", "NatGatewayId", nat1);
    wait_for(&r, "NatGateways.NatGateway.0.Status", "Available", "DescribeNatGateways", "NatGatewayId", nat2);

    /* Both at the same time: they are different gateways. */
    ok(&r, "Vpc", "AssociateEipAddress", "AllocationId", w.eip1, "InstanceId", nat1, "InstanceType", "Nat",
       NULL);
    ok(&r, "Vpc", "AssociateEipAddress", "AllocationId", w.eip2, "InstanceId", nat2, "InstanceType", "Nat",
       NULL);
    wait_for(&r, "EipAddresses.EipAddress.0.Status", "InUse", "DescribeEipAddresses", "AllocationId", w.eip1);
    wait_for(&r, "EipAddresses.EipAddress.0.Status", "InUse", "DescribeEipAddresses", "AllocationId", w.eip2);
    make(&r, id, "SnatEntryId", "Vpc", "CreateSnatEntry", "RegionId", "cn-shanghai", "SnatTableId", stb1,
         "SourceVSwitchId", w.net.vsw1, "SnatIp", w.ip1, "SnatEntryName", "web-egress", NULL);
    wait_for(&r, "SnatTableEntries.SnatTableEntry.0.Status", "Available", "DescribeSnatTableEntries",
             "NatGatewayId", nat1);
    assert_string_equal(rig_text(&r, "SnatTableEntries.SnatTableEntry.0.SourceCIDR"), "10.0.1.0/24");
    make(&r, id, "ForwardEntryId", "Vpc", "CreateForwardEntry", "RegionId", "cn-shanghai", "ForwardTableId",
         ftb2, "ExternalIp", w.ip2, "ExternalPort", "80", "IpProtocol", "TCP", "InternalIp", w.ecs2_ip,
         "InternalPort", "80", NULL);
    wait_for(&r, "ForwardTableEntries.ForwardTableEntry.0.Status", "Available", "DescribeForwardTableEntries",
             "NatGatewayId", nat2);
    connect_vswitch(&r, w.net.vpc, w.net.vsw1, nat1);
    connect_vswitch(&r, w.net.vpc, w.net.vsw2, nat2);

    char *changes = ledger_text(&r, true);
    size_t n = 0;
    for (const char *p = changes; (p = strchr(p, '\n')) != NULL; p++) n++;
    assert_int_equal(n, 12);
    assert_null(strstr(changes, " 400"));
    free(changes);
    rig_close(&r);
}

static void the_first_gateway_adds_a_default_route_to_the_system_table(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g1, g2;
    char table[64];
    rig_open(&r, NULL);
    make_net(&r, &n);
    make(&r, table, "RouterTableList.RouterTableListType.0.RouteTableId", "Vpc", "DescribeRouteTableList",
         "RegionId", "cn-shanghai", "VpcId", n.vpc, "RouteTableType", "System", NULL);
    make_gateway(&r, &n, n.vsw1, &g1);
    make_gateway(&r, &n, n.vsw2, &g2);
    ok(&r, "Vpc", "DescribeRouteEntryList", "RegionId", "cn-shanghai", "RouteTableId", table,
       "RouteEntryType", "Custom", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 1);
    assert_string_equal(rig_text(&r, "RouteEntrys.RouteEntry.0.NextHops.NextHop.0.NextHopId"), g1.id);
    ok(&r, "Vpc", "UnassociateEipAddress", "AllocationId", g1.eip, "InstanceId", g1.id, "InstanceType", "Nat",
       NULL);
    settle(&r);
    ok(&r, "Vpc", "DeleteNatGateway", "RegionId", "cn-shanghai", "NatGatewayId", g1.id, NULL);
    settle(&r);
    ok(&r, "Vpc", "DescribeRouteEntryList", "RegionId", "cn-shanghai", "RouteTableId", table,
       "RouteEntryType", "Custom", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 0);
    rig_close(&r);
}

static void everything_can_be_deleted_in_the_reverse_order(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g;
    char snat[64];
    rig_open(&r, NULL);
    make_net(&r, &n);
    make_gateway(&r, &n, n.vsw1, &g);
    make(&r, snat, "SnatEntryId", "Vpc", "CreateSnatEntry", "RegionId", "cn-shanghai", "SnatTableId",
         g.snat_table, "SourceCIDR", "10.0.0.0/16", "SnatIp", g.address, NULL);
    settle(&r);
    refused(&r, "DependencyViolation.VSwitch", "Vpc", "DeleteVpc", "VpcId", n.vpc, NULL);
    refused(&r, "DependencyViolation.EnhancedNatgw", "Vpc", "DeleteVSwitch", "VSwitchId", n.vsw1, NULL);
    refused(&r, "DependencyViolation.SnatEntry", "Vpc", "DeleteNatGateway", "RegionId", "cn-shanghai",
            "NatGatewayId", g.id, NULL);
    refused(&r, "InvalidIpStatus.HasBeenUsedBySnatTable", "Vpc", "UnassociateEipAddress", "AllocationId",
            g.eip, "InstanceId", g.id, "InstanceType", "Nat", NULL);
    refused(&r, "IncorrectEipStatus", "Vpc", "ReleaseEipAddress", "AllocationId", g.eip, NULL);
    ok(&r, "Vpc", "DeleteSnatEntry", "RegionId", "cn-shanghai", "SnatTableId", g.snat_table, "SnatEntryId",
       snat, NULL);
    settle(&r);
    refused(&r, "DependencyViolation.EIPS", "Vpc", "DeleteNatGateway", "RegionId", "cn-shanghai",
            "NatGatewayId", g.id, NULL);
    ok(&r, "Vpc", "UnassociateEipAddress", "AllocationId", g.eip, "InstanceId", g.id, "InstanceType", "Nat",
       NULL);
    settle(&r);
    ok(&r, "Vpc", "ReleaseEipAddress", "AllocationId", g.eip, NULL);
    ok(&r, "Vpc", "DeleteNatGateway", "RegionId", "cn-shanghai", "NatGatewayId", g.id, NULL);
    settle(&r);
    refused(&r, "InvalidAllocationId.NotFound", "Vpc", "ReleaseEipAddress", "AllocationId", g.eip, NULL);
    ok(&r, "Vpc", "DeleteVSwitch", "VSwitchId", n.vsw1, NULL);
    settle(&r);
    ok(&r, "Vpc", "DeleteVSwitch", "VSwitchId", n.vsw2, NULL);
    settle(&r);
    refused(&r, "DependencyViolation.SecurityGroup", "Vpc", "DeleteVpc", "VpcId", n.vpc, NULL);
    ok(&r, "Ecs", "DeleteSecurityGroup", "RegionId", "cn-shanghai", "SecurityGroupId", n.sg, NULL);
    ok(&r, "Vpc", "DeleteVpc", "VpcId", n.vpc, NULL);
    settle(&r);
    ok(&r, "Vpc", "DescribeRouteTableList", "RegionId", "cn-shanghai", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 0);
    refused(&r, "InvalidVpcID.NotFound", "Vpc", "DeleteVpc", "VpcId", n.vpc, NULL);
    rig_close(&r);
}

static void force_takes_entries_and_bindings_along(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g;
    rig_open(&r, NULL);
    make_net(&r, &n);
    make_gateway(&r, &n, n.vsw1, &g);
    ok(&r, "Vpc", "CreateSnatEntry", "RegionId", "cn-shanghai", "SnatTableId", g.snat_table,
       "SourceVSwitchId", n.vsw2, "SnatIp", g.address, NULL);
    settle(&r);
    ok(&r, "Vpc", "DeletionProtection", "RegionId", "cn-shanghai", "InstanceId", g.id, "Type", "NATGW",
       "ProtectionEnable", "true", NULL);
    refused(&r, "InvalidOperation.DeletionProtection", "Vpc", "DeleteNatGateway", "RegionId", "cn-shanghai",
            "NatGatewayId", g.id, "Force", "true", NULL);
    ok(&r, "Vpc", "DeletionProtection", "RegionId", "cn-shanghai", "InstanceId", g.id, "Type", "NATGW",
       "ProtectionEnable", "false", NULL);
    ok(&r, "Vpc", "DeleteNatGateway", "RegionId", "cn-shanghai", "NatGatewayId", g.id, "Force", "true", NULL);
    settle(&r);
    ok(&r, "Vpc", "DescribeEipAddresses", "RegionId", "cn-shanghai", NULL);
    assert_string_equal(rig_text(&r, "EipAddresses.EipAddress.0.Status"), "Available");
    assert_string_equal(rig_text(&r, "EipAddresses.EipAddress.0.InstanceId"), "");
    ok(&r, "Vpc", "DeleteVSwitch", "VSwitchId", n.vsw2, NULL);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tutorial_runs_without_a_refusal),
        cmocka_unit_test(the_first_gateway_adds_a_default_route_to_the_system_table),
        cmocka_unit_test(everything_can_be_deleted_in_the_reverse_order),
        cmocka_unit_test(force_takes_entries_and_bindings_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

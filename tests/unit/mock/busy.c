/* busy.c - what the simulated cloud refuses to do at once, and which choices can be switched. */
#include "rig.h"

/* At the speed of the real cloud, so that a transition outlasts the calls that run into it. */
static void open_at_real_pace(struct rig *r)
{
    struct err err;
    rig_open(r, NULL);
    assert_int_equal(mock_set_pace(r->mock, 1, -1, &err), ERR_OK);
}

static void one_task_at_a_time_in_a_vpc(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g;
    char table[64], system[64];
    open_at_real_pace(&r);
    make_net(&r, &n);
    make_gateway(&r, &n, n.vsw1, &g);
    make(&r, system, "RouterTableList.RouterTableListType.0.RouteTableId", "Vpc", "DescribeRouteTableList",
         "RegionId", "cn-shanghai", "VpcId", n.vpc, NULL);
    make(&r, table, "RouteTableId", "Vpc", "CreateRouteTable", "RegionId", "cn-shanghai", "VpcId", n.vpc,
         NULL);

    refused(&r, "TaskConflict", "Vpc", "CreateVSwitch", "VpcId", n.vpc, "ZoneId", "cn-shanghai-b",
            "CidrBlock", "10.0.3.0/24", NULL);
    refused(&r, "OperationConflict", "Vpc", "CreateRouteTable", "RegionId", "cn-shanghai", "VpcId", n.vpc,
            NULL);
    refused(&r, "TaskConflict", "Vpc", "CreateRouteEntry", "RouteTableId", system, "DestinationCidrBlock",
            "172.16.0.0/12", "NextHopType", "NatGateway", "NextHopId", g.id, NULL);
    refused(&r, "IncorrectStatus.RouteTableStatus", "Vpc", "CreateRouteEntry", "RouteTableId", table,
            "DestinationCidrBlock", "172.16.0.0/12", "NextHopType", "NatGateway", "NextHopId", g.id, NULL);
    refused(&r, "IncorrectStatus.RouteTable", "Vpc", "AssociateRouteTable", "RegionId", "cn-shanghai",
            "RouteTableId", table, "VSwitchId", n.vsw1, NULL);
    refused(&r, "OperationDenied.OtherSubnetProcessing", "Vpc", "DeleteVSwitch", "VSwitchId", n.vsw2, NULL);
    settle(&r);

    ok(&r, "Vpc", "AssociateRouteTable", "RegionId", "cn-shanghai", "RouteTableId", table, "VSwitchId",
       n.vsw2, NULL);
    refused(&r, "IncorrectVSwitchStatus", "Vpc", "AssociateRouteTable", "RegionId", "cn-shanghai",
            "RouteTableId", table, "VSwitchId", n.vsw2, NULL);
    refused(&r, "TaskConflict", "Vpc", "CreateNatGateway", "RegionId", "cn-shanghai", "VpcId", n.vpc,
            "VSwitchId", n.vsw1, NULL);
    rig_close(&r);
}

static void entries_of_one_gateway_wait_for_each_other(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g, other;
    char snat[64];
    open_at_real_pace(&r);
    make_net(&r, &n);
    make_gateway(&r, &n, n.vsw1, &g);
    make_gateway(&r, &n, n.vsw1, &other);
    make(&r, snat, "SnatEntryId", "Vpc", "CreateSnatEntry", "RegionId", "cn-shanghai", "SnatTableId",
         g.snat_table, "SourceVSwitchId", n.vsw1, "SnatIp", g.address, NULL);
    refused(&r, "OperationConflict", "Vpc", "CreateSnatEntry", "RegionId", "cn-shanghai", "SnatTableId",
            g.snat_table, "SourceVSwitchId", n.vsw2, "SnatIp", g.address, NULL);
    refused(&r, "OperationConflict", "Vpc", "CreateForwardEntry", "RegionId", "cn-shanghai", "ForwardTableId",
            g.forward_table, "ExternalIp", g.address, "ExternalPort", "80", "IpProtocol", "TCP", "InternalIp",
            "10.0.2.9", "InternalPort", "80", NULL);
    refused(&r, "IncorretSnatEntryStatus", "Vpc", "DeleteSnatEntry", "RegionId", "cn-shanghai", "SnatTableId",
            g.snat_table, "SnatEntryId", snat, NULL);
    refused(&r, "OperationConflict", "Vpc", "DeleteNatGateway", "RegionId", "cn-shanghai", "NatGatewayId",
            g.id, NULL);
    /* Another gateway of the same VPC is none of its business. */
    ok(&r, "Vpc", "CreateSnatEntry", "RegionId", "cn-shanghai", "SnatTableId", other.snat_table,
       "SourceVSwitchId", n.vsw1, "SnatIp", other.address, NULL);
    settle(&r);
    refused(&r, "Forbidden.SourceVSwitchId.Duplicated", "Vpc", "CreateSnatEntry", "RegionId", "cn-shanghai",
            "SnatTableId", g.snat_table, "SourceVSwitchId", n.vsw1, "SnatIp", g.address, NULL);
    refused(&r, "InvalidSnatIp.NotFound", "Vpc", "CreateSnatEntry", "RegionId", "cn-shanghai", "SnatTableId",
            g.snat_table, "SourceVSwitchId", n.vsw2, "SnatIp", other.address, NULL);
    rig_close(&r);
}

static void an_eip_in_transition_is_left_alone(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g;
    char eip[64], address[64];
    open_at_real_pace(&r);
    make_net(&r, &n);
    make_gateway(&r, &n, n.vsw1, &g);
    make(&r, eip, "AllocationId", "Vpc", "AllocateEipAddress", "RegionId", "cn-shanghai", "Bandwidth", "10",
         NULL);
    (void)snprintf(address, sizeof(address), "%s", rig_text(&r, "EipAddress"));
    refused(&r, "InvalidInstanId.NotFound", "Vpc", "AssociateEipAddress", "AllocationId", eip, "InstanceId",
            g.id, NULL);
    ok(&r, "Vpc", "AssociateEipAddress", "AllocationId", eip, "InstanceId", g.id, "InstanceType", "Nat",
       NULL);
    refused(&r, "IncorrectEipStatus", "Vpc", "ModifyEipAddressAttribute", "AllocationId", eip, "Name", "web",
            NULL);
    refused(&r, "IncorrectEipStatus", "Vpc", "UnassociateEipAddress", "AllocationId", eip, "InstanceId", g.id,
            "InstanceType", "Nat", NULL);
    refused(&r, "OperationUnsupported.EipInBinding", "Vpc", "CreateSnatEntry", "RegionId", "cn-shanghai",
            "SnatTableId", g.snat_table, "SourceVSwitchId", n.vsw1, "SnatIp", address, NULL);
    settle(&r);
    refused(&r, "InvalidAssociation.Duplicated", "Vpc", "AssociateEipAddress", "AllocationId", eip,
            "InstanceId", g.id, "InstanceType", "Nat", NULL);
    ok(&r, "Vpc", "CreateSnatEntry", "RegionId", "cn-shanghai", "SnatTableId", g.snat_table,
       "SourceVSwitchId", n.vsw1, "SnatIp", address, NULL);
    rig_close(&r);
}

static void routes_follow_the_rules_of_destinations(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g;
    char table[64], route[64];
    open_at_real_pace(&r);
    make_net(&r, &n);
    make_gateway(&r, &n, n.vsw1, &g);
    make(&r, table, "RouteTableId", "Vpc", "CreateRouteTable", "RegionId", "cn-shanghai", "VpcId", n.vpc,
         NULL);
    settle(&r);
    const char *bad[][2] = {
        {"10.0.1.0/24", "InvalidCIDRBlock.InVSwitch"},
        {"10.0.1.64/26", "InvalidCIDRBlock.InVSwitch"},
        {"100.64.0.0/10", "InvalidCIDRBlock.Reserved"},
        {"10.0.0.5/16", "InvalidCIDRBlock.Malformed"},
    };
    for (size_t i = 0; i < 4; i++)
        refused(&r, bad[i][1], "Vpc", "CreateRouteEntry", "RouteTableId", table, "DestinationCidrBlock",
                bad[i][0], "NextHopType", "NatGateway", "NextHopId", g.id, NULL);
    make(&r, route, "RouteEntryId", "Vpc", "CreateRouteEntry", "RouteTableId", table, "DestinationCidrBlock",
         "192.0.2.7", "NextHopType", "NatGateway", "NextHopId", g.id, NULL);
    settle(&r);
    refused(&r, "RouterEntryConflict.Duplicated", "Vpc", "CreateRouteEntry", "RouteTableId", table,
            "DestinationCidrBlock", "192.0.2.7/32", "NextHopType", "NatGateway", "NextHopId", g.id, NULL);
    refused(&r, "DependencyViolation.RouteEntry", "Vpc", "DeleteRouteTable", "RegionId", "cn-shanghai",
            "RouteTableId", table, NULL);

    /* A batch succeeds in part. */
    ok(&r, "Vpc", "CreateRouteEntries", "RegionId", "cn-shanghai", "RouteEntries.1.RouteTableId", table,
       "RouteEntries.1.DstCidrBlock", "192.0.2.7/32", "RouteEntries.1.NextHop", g.id,
       "RouteEntries.1.NextHopType", "NatGateway", "RouteEntries.2.RouteTableId", table,
       "RouteEntries.2.DstCidrBlock", "0.0.0.0/0", "RouteEntries.2.NextHop", g.id,
       "RouteEntries.2.NextHopType", "NatGateway", NULL);
    assert_int_equal(rig_number(&r, "SuccessCount"), 1);
    assert_string_equal(rig_text(&r, "FailedRouteEntries.0.FailedCode"), "RouterEntryConflict.Duplicated");
    settle(&r);
    refused(&r, "DependencyViolation.EIPS", "Vpc", "DeleteNatGateway", "RegionId", "cn-shanghai",
            "NatGatewayId", g.id, NULL);
    refused(&r, "DependencyViolation.RouteEntry", "Vpc", "DeleteNatGateway", "RegionId", "cn-shanghai",
            "NatGatewayId", g.id, "Force", "true", NULL);
    ok(&r, "Vpc", "DeleteRouteEntries", "RegionId", "cn-shanghai", "RouteEntries.1.RouteTableId", table,
       "RouteEntries.1.RouteEntryId", route, "RouteEntries.2.RouteTableId", table,
       "RouteEntries.2.DstCidrBlock", "0.0.0.0/0", "RouteEntries.2.NextHop", g.id, NULL);
    assert_int_equal(rig_number(&r, "SuccessCount"), 2);
    settle(&r);
    refused(&r, "InvalidRouteEntry.NotFound", "Vpc", "DeleteRouteEntry", "RouteEntryId", route, NULL);
    ok(&r, "Vpc", "DeleteRouteTable", "RegionId", "cn-shanghai", "RouteTableId", table, NULL);
    rig_close(&r);
}

static void dnat_entries_are_unique_and_exclusive(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g;
    open_at_real_pace(&r);
    make_net(&r, &n);
    make_gateway(&r, &n, n.vsw1, &g);
#define DNAT(port, protocol, ip, inner)                                                                      \
    "Vpc", "CreateForwardEntry", "RegionId", "cn-shanghai", "ForwardTableId", g.forward_table, "ExternalIp", \
        g.address, "ExternalPort", port, "IpProtocol", protocol, "InternalIp", ip, "InternalPort", inner,    \
        NULL
    refused(&r, "InvalidProtocal.ValueNotSupported", DNAT("80", "Any", "10.0.2.9", "80"));
    refused(&r, "InvalidPort.Malformed", DNAT("10/20", "TCP", "10.0.2.9", "10/19"));
    refused(&r, "Forbidden.InternalIpOutOfVpcCIDR", DNAT("80", "TCP", "10.1.0.1", "80"));
    refused(&r, "InvalidIpProtocol", DNAT("80", "ICMP", "10.0.2.9", "80"));
    ok(&r, DNAT("80", "tcp", "10.0.2.9", "8080"));
    settle(&r);
    refused(&r, "InvalidForwardEntry.Duplicated", DNAT("70/90", "TCP", "10.0.2.10", "70/90"));
    refused(&r, "InvalidForwardEntry.Duplicated", DNAT("81", "TCP", "10.0.2.9", "8080"));
    refused(&r, "InvalidForwardEntry.Duplicated", DNAT("Any", "Any", "10.0.2.10", "Any"));
    ok(&r, DNAT("80", "UDP", "10.0.2.9", "8080"));
    rig_close(&r);
}

static void open_choices_can_be_switched(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    char t1[64], t2[64];
    struct err err;
    open_at_real_pace(&r);
    make_net(&r, &n);
    make(&r, t1, "RouteTableId", "Vpc", "CreateRouteTable", "RegionId", "cn-shanghai", "VpcId", n.vpc, NULL);
    settle(&r);
    make(&r, t2, "RouteTableId", "Vpc", "CreateRouteTable", "RegionId", "cn-shanghai", "VpcId", n.vpc, NULL);
    settle(&r);
    ok(&r, "Vpc", "AssociateRouteTable", "RegionId", "cn-shanghai", "RouteTableId", t1, "VSwitchId", n.vsw1,
       NULL);
    settle(&r);
    ok(&r, "Vpc", "AssociateRouteTable", "RegionId", "cn-shanghai", "RouteTableId", t1, "VSwitchId", n.vsw1,
       NULL);
    set_option(&r, "associate-again", "conflict");
    refused(&r, "OperationConflict", "Vpc", "AssociateRouteTable", "RegionId", "cn-shanghai", "RouteTableId",
            t1, "VSwitchId", n.vsw1, NULL);
    set_option(&r, "reassociate-route-table", "refuse");
    refused(&r, "OperationUnsupported.VSwitchAssociated", "Vpc", "AssociateRouteTable", "RegionId",
            "cn-shanghai", "RouteTableId", t2, "VSwitchId", n.vsw1, NULL);
    set_option(&r, "reassociate-route-table", "allow");
    ok(&r, "Vpc", "AssociateRouteTable", "RegionId", "cn-shanghai", "RouteTableId", t2, "VSwitchId", n.vsw1,
       NULL);
    set_option(&r, "release-missing-eip", "success");
    ok(&r, "Vpc", "ReleaseEipAddress", "AllocationId", "eip-none", NULL);
    assert_int_equal(mock_set_option(r.mock, "strictt", "1", &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "strict"));
    assert_int_equal(mock_set_option(r.mock, "strict", "maybe", &err), ERR_INPUT);
    rig_close(&r);
}

static void several_eips_are_bound_at_once_and_entries_change_in_place(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g, h;
    char a[64], b[64], ip_a[64], snat[64], table[64], route[64], both[140];
    open_at_real_pace(&r);
    make_net(&r, &n);
    make_gateway(&r, &n, n.vsw1, &g);
    make_gateway(&r, &n, n.vsw2, &h);
    make(&r, a, "AllocationId", "Vpc", "AllocateEipAddress", NULL);
    (void)snprintf(ip_a, sizeof(ip_a), "%s", rig_text(&r, "EipAddress"));
    make(&r, b, "AllocationId", "Vpc", "AllocateEipAddress", NULL);
    ok(&r, "Vpc", "AssociateEipAddressBatch", "RegionId", "cn-shanghai", "BindedInstanceId", g.id,
       "BindedInstanceType", "Nat", "InstanceIds.1", a, "InstanceIds.2", b, NULL);
    refused(&r, "OperationConflict", "Vpc", "UnassociateEipAddress", "AllocationId", g.eip, "InstanceId",
            g.id, "InstanceType", "Nat", NULL);
    settle(&r);
    ok(&r, "Vpc", "DescribeEipAddresses", "AssociatedInstanceType", "Nat", "AssociatedInstanceId", g.id,
       "Status", "InUse", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 3);

    make(&r, snat, "SnatEntryId", "Vpc", "CreateSnatEntry", "SnatTableId", g.snat_table, "SourceVSwitchId",
         n.vsw1, "SnatIp", g.address, NULL);
    settle(&r);
    (void)snprintf(both, sizeof(both), "%s,%s", g.address, ip_a);
    ok(&r, "Vpc", "ModifySnatEntry", "SnatTableId", g.snat_table, "SnatEntryId", snat, "SnatIp", both,
       "EipAffinity", "1", NULL);
    settle(&r);
    ok(&r, "Vpc", "DescribeSnatTableEntries", "SnatTableId", g.snat_table, NULL);
    assert_string_equal(rig_text(&r, "SnatTableEntries.SnatTableEntry.0.SnatIp"), both);
    assert_string_equal(rig_text(&r, "SnatTableEntries.SnatTableEntry.0.EipAffinity"), "1");
    /* Force takes the address out of the entry and leaves the entry its other one. */
    ok(&r, "Vpc", "UnassociateEipAddress", "AllocationId", a, "InstanceId", g.id, "InstanceType", "Nat",
       "Force", "true", NULL);
    settle(&r);
    ok(&r, "Vpc", "DescribeSnatTableEntries", "SnatTableId", g.snat_table, NULL);
    assert_string_equal(rig_text(&r, "SnatTableEntries.SnatTableEntry.0.SnatIp"), g.address);

    make(&r, table, "RouteTableId", "Vpc", "CreateRouteTable", "VpcId", n.vpc, NULL);
    settle(&r);
    make(&r, route, "RouteEntryId", "Vpc", "CreateRouteEntry", "RouteTableId", table, "DestinationCidrBlock",
         "0.0.0.0/0", "NextHopType", "NatGateway", "NextHopId", g.id, NULL);
    settle(&r);
    ok(&r, "Vpc", "ModifyRouteEntry", "RouteEntryId", route, "NewNextHopType", "NatGateway", "NewNextHopId",
       h.id, NULL);
    settle(&r);
    ok(&r, "Vpc", "DescribeRouteEntryList", "RouteTableId", table, "RouteEntryType", "Custom", NULL);
    assert_string_equal(rig_text(&r, "RouteEntrys.RouteEntry.0.NextHops.NextHop.0.NextHopId"), h.id);
    ok(&r, "Vpc", "CreateRouteEntry", "RouteTableId", table, "DestinationCidrBlock", "192.0.2.0/24",
       "NextHopList.1.NextHopType", "NatGateway", "NextHopList.1.NextHopId", g.id,
       "NextHopList.2.NextHopType", "NatGateway", "NextHopList.2.NextHopId", h.id, NULL);
    settle(&r);
    ok(&r, "Vpc", "DescribeRouteEntryList", "RouteTableId", table, "DestinationCidrBlock", "192.0.2.0/24",
       NULL);
    assert_string_equal(rig_text(&r, "RouteEntrys.RouteEntry.0.NextHops.NextHop.1.NextHopId"), h.id);
    rig_close(&r);
}

static void quotas_rates_and_lags_are_kept(void **state)
{
    (void)state;
    struct rig r;
    open_at_real_pace(&r);
    set_option(&r, "quota-eips", "2");
    ok(&r, "Vpc", "AllocateEipAddress", "RegionId", "cn-shanghai", NULL);
    ok(&r, "Vpc", "AllocateEipAddress", "RegionId", "cn-shanghai", NULL);
    refused(&r, "QuotaExceeded.Eip", "Vpc", "AllocateEipAddress", "RegionId", "cn-shanghai", NULL);
    set_option(&r, "quotas", "off");
    set_option(&r, "list-lag-ms", "1000");
    ok(&r, "Vpc", "AllocateEipAddress", "RegionId", "cn-shanghai", NULL);
    ok(&r, "Vpc", "DescribeEipAddresses", "RegionId", "cn-shanghai", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 2);
    r.now_ms += 1000;
    ok(&r, "Vpc", "DescribeEipAddresses", "RegionId", "cn-shanghai", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 3);
    set_option(&r, "DescribeEipAddresses", "3");
    for (int i = 0; i < 3; i++) ok(&r, "Vpc", "DescribeEipAddresses", "RegionId", "cn-shanghai", NULL);
    refused(&r, "Throttling.User", "Vpc", "DescribeEipAddresses", "RegionId", "cn-shanghai", NULL);
    r.now_ms += 60000;
    ok(&r, "Vpc", "DescribeEipAddresses", "RegionId", "cn-shanghai", NULL);
    rig_close(&r);
}

static void what_is_gone_can_linger(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    char nat[64];
    open_at_real_pace(&r);
    make_net(&r, &n);
    set_option(&r, "linger-ms", "5000");
    make(&r, nat, "NatGatewayId", "Vpc", "CreateNatGateway", "RegionId", "cn-shanghai", "VpcId", n.vpc,
         "VSwitchId", n.vsw1, NULL);
    settle(&r);
    ok(&r, "Vpc", "DeleteNatGateway", "RegionId", "cn-shanghai", "NatGatewayId", nat, NULL);
    r.now_ms = mock_next_transition(r.mock);
    ok(&r, "Vpc", "DescribeNatGateways", "RegionId", "cn-shanghai", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 0);
    refused(&r, "DependencyViolation.EnhancedNatgw", "Vpc", "DeleteVSwitch", "VSwitchId", n.vsw1, NULL);
    r.now_ms += 5000;
    ok(&r, "Vpc", "DeleteVSwitch", "VSwitchId", n.vsw1, NULL);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_task_at_a_time_in_a_vpc),
        cmocka_unit_test(entries_of_one_gateway_wait_for_each_other),
        cmocka_unit_test(an_eip_in_transition_is_left_alone),
        cmocka_unit_test(routes_follow_the_rules_of_destinations),
        cmocka_unit_test(dnat_entries_are_unique_and_exclusive),
        cmocka_unit_test(open_choices_can_be_switched),
        cmocka_unit_test(several_eips_are_bound_at_once_and_entries_change_in_place),
        cmocka_unit_test(quotas_rates_and_lags_are_kept),
        cmocka_unit_test(what_is_gone_can_linger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

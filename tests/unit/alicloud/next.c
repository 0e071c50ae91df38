/* next.c - goals of each kind and the requests that they lead to. */
#include "tests/unit/alicloud/fixture.h"

/* What entries and routes refer to. */
static void put_gateways(struct fixture *f)
{
    put_object(f, KIND_VPC, "vpc-1", "cidrBlock=10.0.0.0/8");
    put_object(f, KIND_NAT_GATEWAY, "ngw-1", "vpc=vpc-1; snatTable=stb-1; forwardTable=ftb-1");
    put_object(f, KIND_EIP, "eip-1", "address=203.0.113.1");
    put_object(f, KIND_EIP, "eip-2", "address=203.0.113.2");
    put_object(f, KIND_ROUTE_TABLE, "vtb-1", "vpc=vpc-1");
    put_object(f, KIND_VSWITCH, "vsw-1", "vpc=vpc-1");
    put_object(f, KIND_INSTANCE, "i-1", "privateIp=10.0.0.7");
}

#define OWNED(kind)                                                                                          \
    " Tag.1.Key=headgate:stack Tag.1.Value=prod Tag.2.Key=headgate:address Tag.2.Value=" kind "/main"

static const struct {
    enum kind kind;
    const char *values, *request;
} creates[] = {
    {KIND_VPC, "cidrBlock=10.0.0.0/8; description=net; resourceGroup=rg-1; tags=env:prod",
     "Vpc CreateVpc RegionId=cn-shanghai ClientToken=tok-1 CidrBlock=10.0.0.0/8 VpcName=main Description=net "
     "ResourceGroupId=rg-1" OWNED("Vpc") " Tag.3.Key=env Tag.3.Value=prod"},
    {KIND_VSWITCH, "vpc=vpc-1; zone=cn-shanghai-b; cidrBlock=10.0.1.0/24; name=other",
     "Vpc CreateVSwitch RegionId=cn-shanghai ClientToken=tok-1 VpcId=vpc-1 ZoneId=cn-shanghai-b "
     "CidrBlock=10.0.1.0/24 VSwitchName=other" OWNED("VSwitch")},
    {KIND_SECURITY_GROUP, "vpc=vpc-1; innerAccess=Drop",
     "Ecs CreateSecurityGroup RegionId=cn-shanghai ClientToken=tok-1 VpcId=vpc-1 SecurityGroupType=normal "
     "SecurityGroupName=main" OWNED("SecurityGroup")},
    {KIND_SECURITY_GROUP_RULE, "securityGroup=sg-1; protocol=tcp; ports=80; peer.cidr=0.0.0.0/0",
     "Ecs AuthorizeSecurityGroup RegionId=cn-shanghai ClientToken=tok-1 SecurityGroupId=sg-1 "
     "Permissions.1.IpProtocol=TCP Permissions.1.PortRange=80/80 Permissions.1.SourceCidrIp=0.0.0.0/0 "
     "Permissions.1.Policy=accept Permissions.1.Priority=1 Permissions.1.NicType=intranet"},
    {KIND_SECURITY_GROUP_RULE,
     "securityGroup=sg-1; direction=egress; policy=drop; protocol=udp; peer.securityGroup=sg-2; priority=7; "
     "description=none out",
     "Ecs AuthorizeSecurityGroupEgress RegionId=cn-shanghai ClientToken=tok-1 SecurityGroupId=sg-1 "
     "Permissions.1.IpProtocol=UDP Permissions.1.PortRange=1/65535 Permissions.1.DestGroupId=sg-2 "
     "Permissions.1.Policy=drop Permissions.1.Priority=7 Permissions.1.NicType=intranet "
     "Permissions.1.Description=none out"},
    {KIND_SECURITY_GROUP_RULE, "securityGroup=sg-1; protocol=icmp; peer.cidr=10.0.0.0/8",
     "Ecs AuthorizeSecurityGroup RegionId=cn-shanghai ClientToken=tok-1 SecurityGroupId=sg-1 "
     "Permissions.1.IpProtocol=ICMP Permissions.1.PortRange=-1/-1 Permissions.1.SourceCidrIp=10.0.0.0/8 "
     "Permissions.1.Policy=accept Permissions.1.Priority=1 Permissions.1.NicType=intranet"},
    {KIND_INSTANCE, "vSwitch=vsw-1; securityGroups=sg-1,sg-2; image=img; instanceType=ecs.t6-c1m1.large",
     "Ecs RunInstances RegionId=cn-shanghai ClientToken=tok-1 Amount=1 VSwitchId=vsw-1 SecurityGroupIds.1=sg-1 "
     "SecurityGroupIds.2=sg-2 ImageId=img InstanceType=ecs.t6-c1m1.large InstanceName=main" OWNED(
         "Instance")},
    {KIND_NAT_GATEWAY, "vpc=vpc-1; vSwitch=vsw-1; spec=Small",
     "Vpc CreateNatGateway RegionId=cn-shanghai ClientToken=tok-1 InstanceChargeType=PostPaid VpcId=vpc-1 "
     "VSwitchId=vsw-1 NatType=Enhanced NetworkType=internet InternetChargeType=PayByLcu Name=main" OWNED(
         "NatGateway")},
    {KIND_NAT_GATEWAY, "vpc=vpc-1; vSwitch=vsw-1; billing=PayBySpec; spec=Medium; icmpReply=false",
     "Vpc CreateNatGateway RegionId=cn-shanghai ClientToken=tok-1 InstanceChargeType=PostPaid VpcId=vpc-1 "
     "VSwitchId=vsw-1 NatType=Enhanced NetworkType=internet InternetChargeType=PayBySpec Spec=Middle "
     "IcmpReplyEnabled=false Name=main" OWNED("NatGateway")},
    {KIND_EIP, "bandwidth=10; deletionProtection=true",
     "Vpc AllocateEipAddress RegionId=cn-shanghai ClientToken=tok-1 Bandwidth=10 "
     "InternetChargeType=PayByTraffic Name=main" OWNED("Eip")},
    {KIND_EIP_ASSOCIATION, "eip=eip-1; natGateway=ngw-1",
     "Vpc AssociateEipAddress RegionId=cn-shanghai ClientToken=tok-1 AllocationId=eip-1 InstanceType=Nat "
     "InstanceId=ngw-1"},
    {KIND_EIP_ASSOCIATION, "eip=eip-1; instance=i-1",
     "Vpc AssociateEipAddress RegionId=cn-shanghai ClientToken=tok-1 AllocationId=eip-1 "
     "InstanceType=EcsInstance InstanceId=i-1"},
    {KIND_SNAT_ENTRY, "natGateway=ngw-1; source.vSwitch=vsw-1; eips=eip-1,eip-2; eipAffinity=true",
     "Vpc CreateSnatEntry RegionId=cn-shanghai ClientToken=tok-1 SnatTableId=stb-1 SourceVSwitchId=vsw-1 "
     "SnatIp=203.0.113.1,203.0.113.2 EipAffinity=1 SnatEntryName=main"},
    {KIND_SNAT_ENTRY, "natGateway=ngw-1; source.cidr=10.0.0.7/32; eips=eip-1",
     "Vpc CreateSnatEntry RegionId=cn-shanghai ClientToken=tok-1 SnatTableId=stb-1 SourceCIDR=10.0.0.7/32 "
     "SnatIp=203.0.113.1 SnatEntryName=main"},
    {KIND_DNAT_ENTRY,
     "natGateway=ngw-1; eip=eip-2; protocol=tcp; externalPort=80; target.ip=10.0.0.7; internalPort=8080; "
     "portBreak=true",
     "Vpc CreateForwardEntry RegionId=cn-shanghai ClientToken=tok-1 ForwardTableId=ftb-1 "
     "ExternalIp=203.0.113.2 IpProtocol=TCP ExternalPort=80 InternalIp=10.0.0.7 InternalPort=8080 "
     "ForwardEntryName=main PortBreak=true"},
    {KIND_DNAT_ENTRY,
     "natGateway=ngw-1; eip=eip-2; protocol=any; externalPort=any; target.ip=10.0.0.7; internalPort=any",
     "Vpc CreateForwardEntry RegionId=cn-shanghai ClientToken=tok-1 ForwardTableId=ftb-1 "
     "ExternalIp=203.0.113.2 IpProtocol=Any ExternalPort=Any InternalIp=10.0.0.7 InternalPort=Any "
     "ForwardEntryName=main"},
    {KIND_ROUTE_TABLE, "vpc=vpc-1",
     "Vpc CreateRouteTable RegionId=cn-shanghai ClientToken=tok-1 VpcId=vpc-1 RouteTableName=main" OWNED(
         "RouteTable")},
    {KIND_ROUTE_TABLE, "vpc=vpc-1; system=true",
     "Vpc DescribeRouteTableList RegionId=cn-shanghai VpcId=vpc-1 RouteTableType=System PageNumber=1 "
     "PageSize=50"},
    {KIND_ROUTE_ENTRY, "routeTable=vtb-1; destination=0.0.0.0/0; nextHop.natGateway=ngw-1",
     "Vpc CreateRouteEntry RegionId=cn-shanghai ClientToken=tok-1 RouteTableId=vtb-1 "
     "DestinationCidrBlock=0.0.0.0/0 NextHopType=NatGateway NextHopId=ngw-1 RouteEntryName=main"},
    {KIND_ROUTE_TABLE_ASSOCIATION, "routeTable=vtb-1; vSwitch=vsw-1",
     "Vpc AssociateRouteTable RegionId=cn-shanghai ClientToken=tok-1 RouteTableId=vtb-1 VSwitchId=vsw-1"},
};

static void what_is_not_there_is_created_with_all_that_the_call_takes(void **state)
{
    struct fixture *f = *state;
    put_gateways(f);
    for (size_t i = 0; i < N_ELEMENTS(creates); i++) {
        struct goal g = make_goal(f, VERB_CREATE, creates[i].kind, "main", creates[i].values);
        assert_string_equal(next_text(f, &g), creates[i].request);
    }
}

/* Observed (the name also of its kind), wanted, and the request that leads there. */
static const struct {
    enum kind kind;
    const char *id, *observed, *wanted, *request;
} updates[] = {
    {KIND_VPC, "vpc-1", "cidrBlock=10.0.0.0/8; name=a; description=x",
     "cidrBlock=10.0.0.0/9; name=b; description=x",
     "Vpc ModifyVpcAttribute RegionId=cn-shanghai VpcId=vpc-1 CidrBlock=10.0.0.0/9 VpcName=b"},
    {KIND_VPC, "vpc-1", "resourceGroup=rg-1", "resourceGroup=rg-2",
     "Vpc MoveResourceGroup RegionId=cn-shanghai ResourceType=Vpc ResourceId=vpc-1 NewResourceGroupId=rg-2"},
    {KIND_VPC, "vpc-1", "secondaryCidrBlocks=172.16.0.0/16", "secondaryCidrBlocks=172.17.0.0/16",
     "Vpc AssociateVpcCidrBlock RegionId=cn-shanghai VpcId=vpc-1 SecondaryCidrBlock=172.17.0.0/16"},
    {KIND_VPC, "vpc-1", "secondaryCidrBlocks=172.16.0.0/16,172.17.0.0/16",
     "secondaryCidrBlocks=172.17.0.0/16",
     "Vpc UnassociateVpcCidrBlock RegionId=cn-shanghai VpcId=vpc-1 SecondaryCidrBlock=172.16.0.0/16"},
    {KIND_VPC, "vpc-1", "tags=env:test,theirs:1", "tags=env:prod,team:net",
     "Vpc TagResources RegionId=cn-shanghai ResourceType=VPC ResourceId.1=vpc-1 Tag.1.Key=env "
     "Tag.1.Value=prod Tag.2.Key=team Tag.2.Value=net"},
    {KIND_VSWITCH, "vsw-1", "description=x",
     "description=", "Vpc ModifyVSwitchAttribute RegionId=cn-shanghai VSwitchId=vsw-1 Description="},
    {KIND_SECURITY_GROUP, "sg-1", "innerAccess=Accept; name=a", "innerAccess=Drop; name=a",
     "Ecs ModifySecurityGroupPolicy RegionId=cn-shanghai ClientToken=tok-1 SecurityGroupId=sg-1 "
     "InnerAccessPolicy=Drop"},
    {KIND_SECURITY_GROUP, "sg-1", "resourceGroup=rg-1", "resourceGroup=rg-2",
     "Ecs JoinResourceGroup RegionId=cn-shanghai ResourceType=securitygroup ResourceId=sg-1 "
     "ResourceGroupId=rg-2"},
    {KIND_SECURITY_GROUP_RULE, "sgr-1", "securityGroup=sg-1; direction=egress; protocol=tcp; description=old",
     "securityGroup=sg-1; direction=egress; protocol=tcp; description=new",
     "Ecs ModifySecurityGroupEgressRule RegionId=cn-shanghai ClientToken=tok-1 SecurityGroupId=sg-1 "
     "SecurityGroupRuleId=sgr-1 Description=new"},
    {KIND_INSTANCE, "i-1", "securityGroups=sg-1; name=a", "securityGroups=sg-1,sg-2; name=b",
     "Ecs ModifyInstanceAttribute InstanceId=i-1 SecurityGroupIds.1=sg-1 "
     "SecurityGroupIds.2=sg-2 InstanceName=b"},
    {KIND_NAT_GATEWAY, "ngw-1", "name=a; eipBindMode=MULTI_BINDED; icmpReply=true",
     "name=b; eipBindMode=NAT; icmpReply=false",
     "Vpc ModifyNatGatewayAttribute RegionId=cn-shanghai NatGatewayId=ngw-1 EipBindMode=NAT "
     "IcmpReplyEnabled=false Name=b"},
    {KIND_NAT_GATEWAY, "ngw-1", "billing=PayBySpec; spec=Small", "spec=Medium",
     "Vpc ModifyNatGatewaySpec RegionId=cn-shanghai ClientToken=tok-1 NatGatewayId=ngw-1 Spec=Middle"},
    {KIND_NAT_GATEWAY, "ngw-1", "deletionProtection=false", "deletionProtection=true",
     "Vpc DeletionProtection RegionId=cn-shanghai ClientToken=tok-1 Type=NATGW InstanceId=ngw-1 "
     "ProtectionEnable=true"},
    {KIND_NAT_GATEWAY, "ngw-1", "billing=PayByLcu", "billing=PayByLcu; spec=Large", "done"},
    {KIND_NAT_GATEWAY, "ngw-1", "eipBindMode=NAT", "eipBindMode=MULTI_BINDED", "error CONFLICT"},
    {KIND_EIP, "eip-1", "bandwidth=5; name=a", "bandwidth=20; name=a",
     "Vpc ModifyEipAddressAttribute RegionId=cn-shanghai AllocationId=eip-1 Bandwidth=20"},
    {KIND_EIP_ASSOCIATION, "eip-1", "eip=eip-1; natGateway=ngw-1", "eip=eip-1; natGateway=ngw-1", "done"},
    {KIND_EIP_ASSOCIATION, "eip-1", "eip=eip-1; natGateway=ngw-9", "eip=eip-1; natGateway=ngw-1",
     "error CONFLICT"},
    {KIND_SNAT_ENTRY, "snat-1", "natGateway=ngw-1; source.vSwitch=vsw-1; eips=eip-1; eipAffinity=false",
     "natGateway=ngw-1; source.vSwitch=vsw-1; eips=eip-1,eip-2; eipAffinity=true",
     "Vpc ModifySnatEntry RegionId=cn-shanghai ClientToken=tok-1 SnatTableId=stb-1 SnatEntryId=snat-1 "
     "SnatIp=203.0.113.1,203.0.113.2 EipAffinity=1"},
    {KIND_DNAT_ENTRY, "fwd-1", "natGateway=ngw-1; eip=eip-1; protocol=tcp; externalPort=80; internalPort=80",
     "natGateway=ngw-1; eip=eip-2; protocol=TCP; externalPort=81; internalPort=80",
     "Vpc ModifyForwardEntry RegionId=cn-shanghai ClientToken=tok-1 ForwardTableId=ftb-1 "
     "ForwardEntryId=fwd-1 ExternalIp=203.0.113.2 ExternalPort=81"},
    {KIND_ROUTE_TABLE, "vtb-1", "name=a", "name=b",
     "Vpc ModifyRouteTableAttributes RegionId=cn-shanghai RouteTableId=vtb-1 RouteTableName=b"},
    {KIND_ROUTE_ENTRY, "rte-1", "routeTable=vtb-1; nextHop.instance=i-1; description=x",
     "routeTable=vtb-1; nextHop.natGateway=ngw-1; description=y",
     "Vpc ModifyRouteEntry RegionId=cn-shanghai RouteEntryId=rte-1 NewNextHopType=NatGateway "
     "NewNextHopId=ngw-1 Description=y"},
    {KIND_ROUTE_TABLE_ASSOCIATION, "vsw-1", "routeTable=vtb-9; vSwitch=vsw-1",
     "routeTable=vtb-1; vSwitch=vsw-1",
     "Vpc AssociateRouteTable RegionId=cn-shanghai ClientToken=tok-1 VSwitchId=vsw-1 RouteTableId=vtb-1"},
};

static void the_first_difference_decides_the_operation_and_all_its_fields_go_with_it(void **state)
{
    struct fixture *f = *state;
    put_gateways(f);
    for (size_t i = 0; i < N_ELEMENTS(updates); i++) {
        struct goal g = make_goal(f, VERB_UPDATE, updates[i].kind, "main", updates[i].wanted);
        struct object *o = put_object(f, updates[i].kind, updates[i].id, updates[i].observed);
        o->owner_stack = g.stack;
        o->owner_name = g.name;
        g.observed = o;
        assert_string_equal(next_text(f, &g), updates[i].request);
        /* What is as wanted needs nothing. */
        uint64_t set;
        o->values = parse_values(f, updates[i].kind, updates[i].wanted, &set);
        assert_string_equal(next_text(f, &g), "done");
        put_gateways(f);
    }
}

static const struct {
    enum kind kind;
    const char *id, *observed, *request;
} deletes[] = {
    {KIND_VPC, "vpc-1", "", "Vpc DeleteVpc RegionId=cn-shanghai ClientToken=tok-1 VpcId=vpc-1"},
    {KIND_VSWITCH, "vsw-1", "", "Vpc DeleteVSwitch RegionId=cn-shanghai VSwitchId=vsw-1"},
    {KIND_SECURITY_GROUP, "sg-1", "", "Ecs DeleteSecurityGroup RegionId=cn-shanghai SecurityGroupId=sg-1"},
    {KIND_SECURITY_GROUP_RULE, "sgr-1", "securityGroup=sg-1; direction=egress; protocol=tcp",
     "Ecs RevokeSecurityGroupEgress RegionId=cn-shanghai ClientToken=tok-1 SecurityGroupId=sg-1 "
     "SecurityGroupRuleId.1=sgr-1"},
    {KIND_SECURITY_GROUP_RULE, "rule:x",
     "securityGroup=sg-1; direction=ingress; policy=accept; protocol=tcp; ports=8000/8080; "
     "peer.cidr=10.0.0.0/8; priority=3",
     "Ecs RevokeSecurityGroup RegionId=cn-shanghai ClientToken=tok-1 SecurityGroupId=sg-1 "
     "Permissions.1.IpProtocol=TCP Permissions.1.PortRange=8000/8080 Permissions.1.SourceCidrIp=10.0.0.0/8 "
     "Permissions.1.Policy=accept Permissions.1.Priority=3 Permissions.1.NicType=intranet"},
    {KIND_INSTANCE, "i-1", "", "Ecs DeleteInstance InstanceId=i-1 Force=true"},
    {KIND_NAT_GATEWAY, "ngw-9", "deletionProtection=false",
     "Vpc DeleteNatGateway RegionId=cn-shanghai NatGatewayId=ngw-9"},
    {KIND_NAT_GATEWAY, "ngw-9", "deletionProtection=true", "error GUARD"},
    {KIND_EIP, "eip-9", "", "Vpc ReleaseEipAddress RegionId=cn-shanghai AllocationId=eip-9"},
    {KIND_EIP, "eip-9", "deletionProtection=true", "error GUARD"},
    {KIND_EIP_ASSOCIATION, "eip-1", "eip=eip-1; natGateway=ngw-1",
     "Vpc UnassociateEipAddress RegionId=cn-shanghai ClientToken=tok-1 AllocationId=eip-1 InstanceType=Nat "
     "InstanceId=ngw-1"},
    {KIND_SNAT_ENTRY, "snat-1", "natGateway=ngw-1",
     "Vpc DeleteSnatEntry RegionId=cn-shanghai ClientToken=tok-1 SnatTableId=stb-1 SnatEntryId=snat-1"},
    {KIND_SNAT_ENTRY, "snat-1", "natGateway=ngw-unknown", "error STALE"},
    {KIND_DNAT_ENTRY, "fwd-1", "natGateway=ngw-1",
     "Vpc DeleteForwardEntry RegionId=cn-shanghai ClientToken=tok-1 ForwardTableId=ftb-1 "
     "ForwardEntryId=fwd-1"},
    {KIND_ROUTE_TABLE, "vtb-1", "", "Vpc DeleteRouteTable RegionId=cn-shanghai RouteTableId=vtb-1"},
    {KIND_ROUTE_ENTRY, "rte-1", "routeTable=vtb-1",
     "Vpc DeleteRouteEntry RegionId=cn-shanghai RouteEntryId=rte-1"},
    {KIND_ROUTE_TABLE_ASSOCIATION, "vsw-1", "routeTable=vtb-1; vSwitch=vsw-1",
     "Vpc UnassociateRouteTable RegionId=cn-shanghai ClientToken=tok-1 VSwitchId=vsw-1 RouteTableId=vtb-1"},
};

static void what_is_there_is_deleted(void **state)
{
    struct fixture *f = *state;
    put_gateways(f);
    for (size_t i = 0; i < N_ELEMENTS(deletes); i++) {
        struct goal g = make_goal(f, VERB_DELETE, deletes[i].kind, "main", NULL);
        g.observed = put_object(f, deletes[i].kind, deletes[i].id, deletes[i].observed);
        assert_string_equal(next_text(f, &g), deletes[i].request);
    }
}

static void what_is_gone_or_the_clouds_own_is_not_deleted(void **state)
{
    struct fixture *f = *state;
    struct goal g = make_goal(f, VERB_DELETE, KIND_ROUTE_TABLE, "main", NULL);
    assert_string_equal(next_text(f, &g), "done");
    struct object *o = put_object(f, KIND_ROUTE_TABLE, "vtb-1", "vpc=vpc-1");
    g.observed = o;
    o->system = true;
    assert_string_equal(next_text(f, &g), "done");
    o->system = false;
    o->gone = true;
    assert_string_equal(next_text(f, &g), "done");
}

static void adoption_adds_ownership_tags_but_never_to_the_system_table(void **state)
{
    struct fixture *f = *state;
    struct goal g = make_goal(f, VERB_UPDATE, KIND_EIP, "main", "bandwidth=5");
    g.observed = put_object(f, KIND_EIP, "eip-1", "bandwidth=5");
    assert_string_equal(
        next_text(f, &g),
        "Vpc TagResources RegionId=cn-shanghai ResourceType=EIP ResourceId.1=eip-1" OWNED("Eip"));
    g = make_goal(f, VERB_CREATE, KIND_ROUTE_TABLE, "main", "vpc=vpc-1; system=true");
    struct object *o = put_object(f, KIND_ROUTE_TABLE, "vtb-1", "vpc=vpc-1; system=true");
    o->system = true;
    g.observed = o;
    assert_string_equal(next_text(f, &g), "done");
}

static void only_tags_that_we_set_are_removed(void **state)
{
    struct fixture *f = *state;
    uint64_t set;
    struct goal g = make_goal(f, VERB_UPDATE, KIND_EIP, "main", "tags=keep:1");
    struct value *owned = parse_values(f, KIND_EIP, "tags=keep:1,drop:2,absent:3", &set);
    struct object *o = put_object(f, KIND_EIP, "eip-1", "tags=keep:1,drop:2,theirs:9");
    o->owner_stack = g.stack;
    o->owner_name = g.name;
    g.observed = o;
    g.owned_tags = &owned[EIP_TAGS];
    assert_string_equal(next_text(f, &g), "Vpc UnTagResources RegionId=cn-shanghai ResourceType=EIP "
                                          "ResourceId.1=eip-1 TagKey.1=drop");
    g.ignore_fields = UINT64_C(1) << EIP_TAGS;
    assert_string_equal(next_text(f, &g), "done");
}

static void ignored_unset_and_immutable_fields_are_not_compared(void **state)
{
    struct fixture *f = *state;
    struct goal g =
        make_goal(f, VERB_UPDATE, KIND_EIP, "main", "bandwidth=9; internetChargeType=PayByTraffic");
    struct object *o = put_object(
        f, KIND_EIP, "eip-1", "bandwidth=5; name=theirs; internetChargeType=PayByBandwidth; description=x");
    o->owner_stack = g.stack;
    o->owner_name = g.name;
    g.observed = o;
    g.ignore_fields = UINT64_C(1) << EIP_BANDWIDTH;
    assert_string_equal(next_text(f, &g), "done");
    g.reset_fields = UINT64_C(1) << EIP_DESCRIPTION;
    assert_string_equal(next_text(f, &g), "Vpc ModifyEipAddressAttribute RegionId=cn-shanghai "
                                          "AllocationId=eip-1 Description=");
    g.reset_fields = 0;
    g.protect = true;
    assert_string_equal(next_text(f, &g), "Vpc DeletionProtection RegionId=cn-shanghai ClientToken=tok-1 "
                                          "Type=EIP InstanceId=eip-1 ProtectionEnable=true");
}

static void a_field_that_is_never_answered_is_sent_when_the_record_differs(void **state)
{
    struct fixture *f = *state;
    put_gateways(f);
    struct goal g = make_goal(f, VERB_UPDATE, KIND_DNAT_ENTRY, "main", "natGateway=ngw-1; portBreak=true");
    g.observed = put_object(f, KIND_DNAT_ENTRY, "fwd-1", "natGateway=ngw-1");
    assert_string_equal(next_text(f, &g), "done");
    g.unseen_fields = UINT64_C(1) << DNAT_PORT_BREAK;
    assert_string_equal(next_text(f, &g), "Vpc ModifyForwardEntry RegionId=cn-shanghai ClientToken=tok-1 "
                                          "ForwardTableId=ftb-1 ForwardEntryId=fwd-1 PortBreak=true");
}

static void what_is_not_known_yet_or_locked_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct goal g = make_goal(f, VERB_CREATE, KIND_VSWITCH, "main", "vpc=?; cidrBlock=10.0.0.0/24");
    assert_string_equal(next_text(f, &g), "error STALE");
    g = make_goal(f, VERB_CREATE, KIND_SNAT_ENTRY, "main", "natGateway=ngw-1; eips=eip-1");
    assert_string_equal(next_text(f, &g), "error STALE");
    put_object(f, KIND_NAT_GATEWAY, "ngw-1", "snatTable=stb-1");
    assert_string_equal(next_text(f, &g), "error STALE"); /* the EIP's address */
    g = make_goal(f, VERB_UPDATE, KIND_EIP, "main", "bandwidth=9");
    assert_string_equal(next_text(f, &g), "error STALE"); /* it is not there */
    struct object *o = put_object(f, KIND_EIP, "eip-1", "bandwidth=5");
    o->locked = true;
    g.observed = o;
    assert_string_equal(next_text(f, &g), "error DENIED");
}

static void a_name_that_the_cloud_would_refuse_is_not_sent(void **state)
{
    struct fixture *f = *state;
    struct goal g = make_goal(f, VERB_CREATE, KIND_NAT_GATEWAY, "web.out", "vpc=vpc-1; vSwitch=vsw-1");
    assert_null(strstr(next_text(f, &g), " Name="));
    g = make_goal(f, VERB_CREATE, KIND_VPC, "web.out", "cidrBlock=10.0.0.0/8");
    assert_non_null(strstr(next_text(f, &g), " VpcName=web.out"));
    g = make_goal(f, VERB_CREATE, KIND_VPC, "1st", "cidrBlock=10.0.0.0/8");
    assert_null(strstr(next_text(f, &g), "VpcName"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(what_is_not_there_is_created_with_all_that_the_call_takes),
        T(the_first_difference_decides_the_operation_and_all_its_fields_go_with_it),
        T(what_is_there_is_deleted),
        T(what_is_gone_or_the_clouds_own_is_not_deleted),
        T(adoption_adds_ownership_tags_but_never_to_the_system_table),
        T(only_tags_that_we_set_are_removed),
        T(ignored_unset_and_immutable_fields_are_not_compared),
        T(a_field_that_is_never_answered_is_sent_when_the_record_differs),
        T(what_is_not_known_yet_or_locked_is_an_error),
        T(a_name_that_the_cloud_would_refuse_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

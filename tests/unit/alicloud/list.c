/* list.c - what is asked for, and answers read into objects. */
#include "tests/unit/alicloud/fixture.h"

static const char *list_text(struct fixture *f, enum kind kind, const char *scope_id, const char *const *ids,
                             uint32_t n_ids, const char *after)
{
    struct scope s = {.kind = kind, .id = scope_id};
    struct request r;
    struct err err = {0};
    if (f->cloud->list_request(f->cloud, &s, ids, n_ids, after, f->arena, &r, &err) != NEXT_REQUEST)
        return "error";
    return dump_request(f, &r);
}

static void lists_ask_for_the_largest_page_and_name_the_parent(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum kind kind;
        const char *scope_id, *after, *request;
    } rows[] = {
        {KIND_VPC, NULL, NULL, "Vpc DescribeVpcs RegionId=cn-shanghai PageNumber=1 PageSize=50"},
        {KIND_VSWITCH, NULL, "3", "Vpc DescribeVSwitches RegionId=cn-shanghai PageNumber=3 PageSize=50"},
        {KIND_SECURITY_GROUP, NULL, NULL, "Ecs DescribeSecurityGroups RegionId=cn-shanghai MaxResults=100"},
        {KIND_SECURITY_GROUP, NULL, "attribute:sg-1",
         "Ecs DescribeSecurityGroupAttribute RegionId=cn-shanghai SecurityGroupId=sg-1 NicType=intranet "
         "MaxResults=10"},
        {KIND_SECURITY_GROUP_RULE, "sg-1", "tok",
         "Ecs DescribeSecurityGroupAttribute RegionId=cn-shanghai SecurityGroupId=sg-1 Direction=all "
         "NicType=intranet NextToken=tok MaxResults=1000"},
        {KIND_SECURITY_GROUP_RULE, NULL, NULL, "error"},
        {KIND_INSTANCE, NULL, NULL, "Ecs DescribeInstances RegionId=cn-shanghai MaxResults=100"},
        {KIND_NAT_GATEWAY, NULL, NULL,
         "Vpc DescribeNatGateways RegionId=cn-shanghai PageNumber=1 PageSize=50"},
        {KIND_EIP, NULL, NULL, "Vpc DescribeEipAddresses RegionId=cn-shanghai PageNumber=1 PageSize=100"},
        {KIND_SNAT_ENTRY, "ngw-1", NULL,
         "Vpc DescribeSnatTableEntries RegionId=cn-shanghai NatGatewayId=ngw-1 PageNumber=1 PageSize=50"},
        {KIND_DNAT_ENTRY, "ngw-1", NULL,
         "Vpc DescribeForwardTableEntries RegionId=cn-shanghai NatGatewayId=ngw-1 PageNumber=1 PageSize=50"},
        {KIND_ROUTE_TABLE, NULL, NULL,
         "Vpc DescribeRouteTableList RegionId=cn-shanghai RouterType=VRouter PageNumber=1 PageSize=50"},
        {KIND_ROUTE_ENTRY, "vtb-1", "tok",
         "Vpc DescribeRouteEntryList RegionId=cn-shanghai RouteTableId=vtb-1 RouteEntryType=Custom "
         "NextToken=tok MaxResult=100"},
    };
    for (size_t i = 0; i < N_ELEMENTS(rows); i++)
        assert_string_equal(list_text(f, rows[i].kind, rows[i].scope_id, NULL, 0, rows[i].after),
                            rows[i].request);
}

static void ids_limit_a_list_where_the_operation_can(void **state)
{
    struct fixture *f = *state;
    static const char *const two[] = {"a-1", "a-2"}, *const odd[] = {"a\"b"};
    assert_non_null(strstr(list_text(f, KIND_EIP, NULL, two, 2, NULL), " AllocationId=a-1,a-2 "));
    assert_non_null(
        strstr(list_text(f, KIND_INSTANCE, NULL, two, 2, NULL), " InstanceIds=[\"a-1\",\"a-2\"] "));
    assert_non_null(strstr(list_text(f, KIND_VSWITCH, NULL, two, 1, NULL), " VSwitchId=a-1 "));
    assert_null(strstr(list_text(f, KIND_VSWITCH, NULL, two, 2, NULL), "VSwitchId"));
    assert_null(strstr(list_text(f, KIND_INSTANCE, NULL, odd, 1, NULL), "InstanceIds"));
}

static void associations_are_listed_with_what_they_belong_to(void **state)
{
    struct fixture *f = *state;
    uint8_t field;
    assert_int_equal(f->cloud->listed_with(f->cloud, KIND_EIP_ASSOCIATION), KIND_EIP);
    assert_int_equal(f->cloud->listed_with(f->cloud, KIND_ROUTE_TABLE_ASSOCIATION), KIND_VSWITCH);
    assert_int_equal(f->cloud->listed_with(f->cloud, KIND_VPC), KIND_VPC);
    assert_int_equal(f->cloud->list_scope_kind(f->cloud, KIND_ROUTE_ENTRY, &field), KIND_ROUTE_TABLE);
    assert_int_equal(field, RTE_TABLE);
    assert_int_equal(f->cloud->list_scope_kind(f->cloud, KIND_SNAT_ENTRY, &field), KIND_NAT_GATEWAY);
    assert_int_equal(f->cloud->list_scope_kind(f->cloud, KIND_SECURITY_GROUP_RULE, &field),
                     KIND_SECURITY_GROUP);
    assert_int_equal(f->cloud->list_scope_kind(f->cloud, KIND_EIP, &field), KIND_NONE);
    assert_int_equal(field, FIELD_NO);
}

static const struct {
    enum kind kind;
    const char *scope_id, *json, *objects;
} answers[] = {
    {KIND_VPC, NULL,
     "{'TotalCount':'1','Vpcs':{'Vpc':[{'VpcId':'vpc-1','Status':'Available','CidrBlock':'10.0.0.0/8',"
     "'VpcName':'a','Description':'','ResourceGroupId':'rg-1','SecondaryCidrBlocks':{'SecondaryCidrBlock':"
     "['172.17.0.0/16','172.16.0.0/16']},'RouterTableIds':{'RouterTableIds':['vtb-s']},'Tags':{'Tag':["
     "{'Key':'headgate:stack','Value':'prod'},{'Key':'headgate:address','Value':'Vpc/main'},"
     "{'Key':'acs:x','Value':'1'},{'Key':'z','Value':''},{'Key':'env','Value':'p'}]}}]}}",
     "Vpc vpc-1 ready of prod/main; cidrBlock=10.0.0.0/8; secondaryCidrBlocks=172.16.0.0/16,172.17.0.0/16; "
     "name=a; description=; resourceGroup=rg-1; tags=env:p,z:; systemRouteTable=vtb-s\n"},
    {KIND_VPC, NULL, /* a map has each key once: else what is recorded could not be read again */
     "{'TotalCount':1,'Vpcs':{'Vpc':[{'VpcId':'vpc-2','Tags':{'Tag':[{'Key':'a','Value':'2'},{'Key':'a',"
     "'Value':'1'},{'Key':'b'}]}}]}}",
     "Vpc vpc-2 ready; tags=a:1,b:\n"},
    {KIND_VSWITCH, NULL,
     "{'TotalCount':2,'VSwitches':{'VSwitch':[{'VSwitchId':'vsw-1','Status':'Pending','VpcId':'vpc-1',"
     "'ZoneId':'cn-shanghai-b','CidrBlock':'10.0.1.0/24','VSwitchName':'w','RouteTable':{'RouteTableId':"
     "'vtb-1','RouteTableType':'Custom'}},{'VSwitchId':'vsw-2','Status':'Available','RouteTable':"
     "{'RouteTableId':'vtb-s','RouteTableType':'System'}}]}}",
     "VSwitch vsw-1 pending; vpc=vpc-1; zone=cn-shanghai-b; cidrBlock=10.0.1.0/24; name=w; tags=; "
     "routeTable=vtb-1\n"
     "RouteTableAssociation vsw-1 pending; routeTable=vtb-1; vSwitch=vsw-1\n"
     "VSwitch vsw-2 ready; tags=; routeTable=vtb-s\n"},
    {KIND_NAT_GATEWAY, NULL,
     "{'NatGateways':{'NatGateway':[{'NatGatewayId':'ngw-1','Status':'Creating','VpcId':'vpc-1','NatType':"
     "'Enhanced','NetworkType':'internet','InternetChargeType':'PayByLcu','Spec':'Small','BusinessStatus':"
     "'Normal','EipBindMode':'MULTI_BINDED','IcmpReplyEnabled':'true','DeletionProtection':false,"
     "'SnatTableIds':{'SnatTableId':['stb-1']},'ForwardTableIds':{'ForwardTableId':['ftb-1']},"
     "'NatGatewayPrivateInfo':{'VswitchId':'vsw-1','PrivateIpAddress':'10.0.1.9'},'Tags':{'Tag':["
     "{'TagKey':'k','TagValue':'v'}]}}]},'TotalCount':1}",
     "NatGateway ngw-1 pending; vpc=vpc-1; vSwitch=vsw-1; type=Enhanced; networkType=internet; "
     "billing=PayByLcu; eipBindMode=MULTI_BINDED; icmpReply=true; deletionProtection=false; tags=k:v; "
     "snatTable=stb-1; forwardTable=ftb-1; privateIp=10.0.1.9\n"},
    {KIND_NAT_GATEWAY, NULL,
     "{'NatGateways':{'NatGateway':[{'NatGatewayId':'ngw-1','Status':'Deleting','InternetChargeType':"
     "'PayBySpec','Spec':'Middle','BusinessStatus':'FinancialLocked'}]},'TotalCount':1}",
     "NatGateway ngw-1 deleting locked; billing=PayBySpec; spec=Medium; tags=\n"},
    {KIND_EIP, NULL,
     "{'EipAddresses':{'EipAddress':[{'AllocationId':'eip-1','Status':'InUse','IpAddress':'203.0.113.1',"
     "'Bandwidth':'10','InternetChargeType':'PayByTraffic','InstanceId':'ngw-1','InstanceType':'Nat',"
     "'Descritpion':'old'},{'AllocationId':'eip-2','Status':'Associating','IpAddress':'203.0.113.2',"
     "'Bandwidth':500,'BandwidthPackageId':'cbwp-1','EipBandwidth':'7','InstanceId':'i-1','InstanceType':"
     "'EcsInstance','OperationLocks':{'LockReason':[{'LockReason':'security'}]}},{'AllocationId':'eip-3',"
     "'Status':'InUse','IpAddress':'203.0.113.3','InstanceId':'lb-1','InstanceType':'SlbInstance'},"
     "{'AllocationId':'eip-4','Status':'Unassociating','InstanceId':'ngw-1','InstanceType':'Nat'}]},"
     "'TotalCount':4}",
     "Eip eip-1 ready; bandwidth=10; internetChargeType=PayByTraffic; description=old; tags=; "
     "address=203.0.113.1; boundTo=ngw-1\n"
     "EipAssociation eip-1 ready; eip=eip-1; natGateway=ngw-1\n"
     "Eip eip-2 pending locked; bandwidth=7; tags=; address=203.0.113.2; boundTo=i-1\n"
     "EipAssociation eip-2 pending locked; eip=eip-2; instance=i-1\n"
     "Eip eip-3 ready; tags=; address=203.0.113.3; boundTo=lb-1\n"
     "Eip eip-4 pending; tags=; boundTo=ngw-1\n"
     "EipAssociation eip-4 deleting; eip=eip-4; natGateway=ngw-1\n"},
    {KIND_SNAT_ENTRY, "ngw-1",
     "{'SnatTableEntries':{'SnatTableEntry':[{'SnatEntryId':'snat-1','Status':'Available','SnatIp':"
     "'203.0.113.2,203.0.113.1','SourceVSwitchId':'vsw-1','SourceCIDR':'10.0.1.0/24','EipAffinity':'1',"
     "'SnatEntryName':'n'},{'SnatEntryId':'snat-2','Status':'Pending','NatGatewayId':'ngw-1','SnatIp':"
     "'198.51.100.1','SourceVSwitchId':'','SourceCIDR':'10.0.0.7','EipAffinity':0}]},'TotalCount':2}",
     "SnatEntry snat-1 ready; natGateway=ngw-1; source.vSwitch=vsw-1; eips=eip-1,eip-2; eipAffinity=true; "
     "name=n\n"
     "SnatEntry snat-2 pending; natGateway=ngw-1; source.cidr=10.0.0.7/32; eips=198.51.100.1; "
     "eipAffinity=false\n"},
    {KIND_DNAT_ENTRY, "ngw-1",
     "{'ForwardTableEntries':{'ForwardTableEntry':[{'ForwardEntryId':'fwd-1','Status':'Available',"
     "'ExternalIp':'203.0.113.1','ExternalPort':'80','IpProtocol':'TCP','InternalIp':'10.0.0.7',"
     "'InternalPort':8080},{'ForwardEntryId':'fwd-2','Status':'Whatever','ExternalIp':'198.51.100.1',"
     "'ExternalPort':'Any','IpProtocol':'any','InternalPort':'Any'}]},'TotalCount':2}",
     "DnatEntry fwd-1 ready; natGateway=ngw-1; eip=eip-1; protocol=tcp; externalPort=80; "
     "target.ip=10.0.0.7; internalPort=8080\n"
     "DnatEntry fwd-2 pending; natGateway=ngw-1; eip=198.51.100.1; protocol=any; externalPort=any; "
     "internalPort=any\n"},
    {KIND_ROUTE_TABLE, NULL,
     "{'RouterTableList':{'RouterTableListType':[{'RouteTableId':'vtb-s','VpcId':'vpc-9','RouteTableType':"
     "'System','Status':'Available'},{'RouteTableId':'vtb-1','VpcId':'vpc-9','RouteTableType':'Custom',"
     "'Status':'Creating','RouteTableName':'t'}]},'TotalCount':2}",
     "RouteTable vtb-s ready system; vpc=vpc-9; system=true; tags=\n"
     "RouteTable vtb-1 pending; vpc=vpc-9; system=false; name=t; tags=\n"},
    {KIND_ROUTE_ENTRY, "vtb-1",
     "{'RouteEntrys':{'RouteEntry':[{'RouteEntryId':'rte-1','Type':'Custom','Status':'Created',"
     "'DestinationCidrBlock':'0.0.0.0/0','NextHops':{'NextHop':[{'NextHopType':'NatGateway','NextHopId':"
     "'ngw-1'}]}},{'RouteEntryId':'rte-2','Type':'System','Status':'Available','DestinationCidrBlock':"
     "'100.64.0.0/10','NextHops':{'NextHop':[{'NextHopType':'service','NextHopId':''}]}},{'RouteEntryId':"
     "'rte-3','Type':'Custom','Status':'Modifying','DestinationCidrBlock':'10.9.0.1','NextHops':{'NextHop':"
     "[{'NextHopType':'Instance','NextHopId':'i-1','Weight':1},{'NextHopType':'Instance','NextHopId':"
     "'i-2'}]}}]},'NextToken':''}",
     "RouteEntry rte-1 ready; routeTable=vtb-1; destination=0.0.0.0/0; nextHop.natGateway=ngw-1\n"
     "RouteEntry rte-2 ready system; routeTable=vtb-1; destination=100.64.0.0/10\n"
     "RouteEntry rte-3 pending; routeTable=vtb-1; destination=10.9.0.1/32\n"},
    {KIND_SECURITY_GROUP, NULL,
     "{'SecurityGroups':{'SecurityGroup':[{'SecurityGroupId':'sg-1','VpcId':'vpc-1','SecurityGroupType':"
     "'normal','SecurityGroupName':'a','Tags':{'Tag':[]}}]},'NextToken':'t2'}",
     "SecurityGroup sg-1 ready; vpc=vpc-1; type=normal; name=a; tags=\nnext t2\n"},
    {KIND_SECURITY_GROUP_RULE, "sg-1",
     "{'InnerAccessPolicy':'Drop','Permissions':{'Permission':[{'SecurityGroupRuleId':'sgr-1','Direction':"
     "'ingress','Policy':'Accept','IpProtocol':'TCP','PortRange':'80/80','SourceCidrIp':'10.0.0.0/8',"
     "'Priority':'2','Description':'d'},{'Direction':'egress','Policy':'Drop','IpProtocol':'ALL',"
     "'PortRange':'-1/-1','DestGroupId':'sg-2','SourceCidrIp':'9.9.9.9/32','Priority':1},"
     "{'SecurityGroupRuleId':'sgr-3','Direction':'ingress','Policy':'Accept','IpProtocol':'UDP','PortRange':"
     "'1/65535','SourceCidrIp':'10.0.0.1'}]}}",
     "SecurityGroupRule sgr-1 ready; securityGroup=sg-1; direction=ingress; policy=accept; protocol=tcp; "
     "ports=80; peer.cidr=10.0.0.0/8; priority=2; description=d\n"
     "SecurityGroupRule rule:sg-1:egress:drop:all:any::sg-2:1 ready; securityGroup=sg-1; direction=egress; "
     "policy=drop; protocol=all; ports=any; peer.securityGroup=sg-2; priority=1\n"
     "SecurityGroupRule sgr-3 ready; securityGroup=sg-1; direction=ingress; policy=accept; protocol=udp; "
     "ports=any; peer.cidr=10.0.0.1/32; priority=1\n"
     "SecurityGroup sg-1 ready; vpc=vpc-1; type=normal; innerAccess=Drop; name=a; tags=\n"},
    {KIND_INSTANCE, NULL,
     "{'Instances':{'Instance':[{'InstanceId':'i-1','Status':'Running','InstanceName':'e','ImageId':'img',"
     "'InstanceType':'ecs.t6','VpcAttributes':{'VpcId':'vpc-1','VSwitchId':'vsw-1','PrivateIpAddress':"
     "{'IpAddress':['10.0.0.7']}},'SecurityGroupIds':{'SecurityGroupId':['sg-2','sg-1']},'EipAddress':"
     "{'AllocationId':'','IpAddress':''},'PublicIpAddress':{'IpAddress':[]},'OperationLocks':{'LockReason':"
     "[]}},{'InstanceId':'i-2','Status':'Starting','NetworkInterfaces':{'NetworkInterface':[{"
     "'PrimaryIpAddress':'10.0.0.8'}]},'EipAddress':{'AllocationId':'eip-1'}}]},'NextToken':null}",
     "Instance i-1 ready; vSwitch=vsw-1; privateIp=10.0.0.7; securityGroups=sg-1,sg-2; image=img; "
     "instanceType=ecs.t6; name=e; tags=; vpc=vpc-1\n"
     "Instance i-2 pending; privateIp=10.0.0.8; tags=; eip=eip-1\n"},
};

/* The tables above write ' for ". */
static const char *json_of(struct fixture *f, const char *text)
{
    char *copy = arena_strdup(f->arena, text);
    for (char *p = copy; *p != '\0'; p++)
        if (*p == '\'') *p = '"';
    return copy;
}

static void answers_become_objects(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < N_ELEMENTS(answers); i++)
        assert_string_equal(page_text(f, answers[i].kind, answers[i].scope_id, json_of(f, answers[i].json)),
                            answers[i].objects);
}

static void a_vpc_learns_its_system_table_from_the_list_of_tables(void **state)
{
    struct fixture *f = *state;
    const char *vpc = "{'TotalCount':1,'Vpcs':{'Vpc':[{'VpcId':'vpc-1','RouterTableIds':{'RouterTableIds':"
                      "['vtb-1','vtb-s']}}]}}";
    assert_string_equal(page_text(f, KIND_VPC, NULL, json_of(f, vpc)), "Vpc vpc-1 ready; tags=\n");
    assert_string_equal(
        page_text(f, KIND_ROUTE_TABLE, NULL,
                  json_of(f, "{'TotalCount':1,'RouterTableList':{'RouterTableListType':[{"
                             "'RouteTableId':'vtb-s','VpcId':'vpc-1','RouteTableType':'System'"
                             "}]}}")),
        "RouteTable vtb-s ready system; vpc=vpc-1; system=true; tags=\n"
        "Vpc vpc-1 ready; tags=; systemRouteTable=vtb-s\n");
    assert_string_equal(page_text(f, KIND_VPC, NULL, json_of(f, vpc)),
                        "Vpc vpc-1 ready; tags=; systemRouteTable=vtb-s\n");
}

static void a_filtered_list_of_groups_goes_on_with_what_it_left_out(void **state)
{
    struct fixture *f = *state;
    static const char *const ids[] = {"sg-1", "sg-2"};
    struct scope s = {.kind = KIND_SECURITY_GROUP};
    struct request r;
    struct page page;
    static const struct {
        const char *json, *objects, *next;
    } pages[] = {
        {"{'SecurityGroups':{'SecurityGroup':[{'SecurityGroupId':'sg-2','Tags':{'Tag':[{'Key':"
         "'headgate:stack','Value':'prod'},{'Key':'headgate:address','Value':'SecurityGroup/b'}]}},"
         "{'SecurityGroupId':'sg-1'}]}}",
         "SecurityGroup sg-2 ready of prod/b; tags=\nSecurityGroup sg-1 ready; tags=\n", "attribute:sg-1"},
        {"{'SecurityGroupId':'sg-1','InnerAccessPolicy':'Drop'}",
         "SecurityGroup sg-1 ready; innerAccess=Drop; tags=\n", "attribute:sg-2"},
        {"{'SecurityGroupId':'sg-2','InnerAccessPolicy':'Accept'}",
         "SecurityGroup sg-2 ready of prod/b; innerAccess=Accept; tags=\n", NULL},
    };
    const char *after = NULL;
    for (size_t i = 0; i < N_ELEMENTS(pages); i++) {
        assert_int_equal(
            f->cloud->list_request(f->cloud, &s, ids, after == NULL ? 2 : 0, after, f->arena, &r, NULL),
            NEXT_REQUEST);
        assert_int_equal(f->cloud->read_page(f->cloud, &s, &r, 200,
                                             (struct body){text_of(json_of(f, pages[i].json)), NULL},
                                             f->world, f->arena, &page, NULL, NULL),
                         ERR_OK);
        buf_reset(&f->dump);
        for (uint32_t k = 0; k < page.n; k++) {
            dump_object(&f->dump, page.objects[k]);
            assert_int_equal(world_put(f->world, page.objects[k], NULL), ERR_OK);
        }
        assert_string_equal(buf_str(&f->dump), pages[i].objects);
        if (pages[i].next == NULL)
            assert_null(page.next);
        else
            assert_string_equal(page.next, pages[i].next);
        after = page.next;
    }
}

/* What follows a page of one vSwitch with this envelope. */
static const char *next_of(struct fixture *f, const char *after, const char *envelope)
{
    struct scope s = {.kind = KIND_VSWITCH};
    struct request r;
    struct page page;
    const char *json = arena_printf(f->arena, "{%s\"VSwitches\":{\"VSwitch\":[{\"VSwitchId\":\"vsw-1\"}]}}",
                                    json_of(f, envelope));
    assert_int_equal(f->cloud->list_request(f->cloud, &s, NULL, 0, after, f->arena, &r, NULL), NEXT_REQUEST);
    assert_int_equal(f->cloud->read_page(f->cloud, &s, &r, 200, (struct body){text_of(json), NULL}, NULL,
                                         f->arena, &page, NULL, NULL),
                     ERR_OK);
    return page.next == NULL ? "end" : page.next;
}

static void pages_end_where_the_total_is_covered(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(next_of(f, NULL, "'TotalCount':51,'PageSize':50,"), "2");
    assert_string_equal(next_of(f, "2", "'TotalCount':51,'PageSize':50,"), "end");
    assert_string_equal(next_of(f, NULL, "'TotalCount':'50',"), "end");
    assert_string_equal(next_of(f, "2", "'TotalCount':51,'PageSize':10,"), "3"); /* it gave less than asked */
    assert_string_equal(next_of(f, NULL, ""), "end");                            /* no total: a short page */
    assert_string_equal(next_of(f, NULL, "'TotalCount':9223372036854775807,'PageSize':-1,"), "2");
}

static void an_answer_that_is_not_a_list_is_an_error_not_an_empty_list(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "",
        "<html>",
        "{'Vpcs':",
        "[]",
        "{}",
        "{'TotalCount':3,'Vpcs':{}}",
        "{'TotalCount':3}",
        "{'Vpcs':{'Vpc':[{'Status':'Available'}]}}",
        "{'Vpcs':{'Vpc':[7]}}",
        "{'Vpcs':{'Vpc':'x'}}",
    };
    for (size_t i = 0; i < N_ELEMENTS(bad); i++)
        assert_memory_equal(page_text(f, KIND_VPC, NULL, json_of(f, bad[i])), "error PROVIDER", 14);
    assert_string_equal(page_text(f, KIND_VPC, NULL, json_of(f, "{'TotalCount':0,'Vpcs':{'Vpc':[]}}")), "");
    assert_string_equal(page_text(f, KIND_VPC, NULL, json_of(f, "{'TotalCount':0}")), "");
}

static void a_token_that_comes_back_ends_the_list_with_an_error(void **state)
{
    struct fixture *f = *state;
    struct scope s = {.kind = KIND_INSTANCE};
    struct request r;
    struct page page;
    const char *json = json_of(f, "{'Instances':{'Instance':[]},'NextToken':'t'}");
    assert_int_equal(f->cloud->list_request(f->cloud, &s, NULL, 0, NULL, f->arena, &r, NULL), NEXT_REQUEST);
    assert_int_equal(f->cloud->read_page(f->cloud, &s, &r, 200, (struct body){text_of(json), NULL}, NULL,
                                         f->arena, &page, NULL, NULL),
                     ERR_OK);
    assert_string_equal(page.next, "t");
    assert_int_equal(f->cloud->list_request(f->cloud, &s, NULL, 0, "t", f->arena, &r, NULL), NEXT_REQUEST);
    assert_int_equal(f->cloud->read_page(f->cloud, &s, &r, 200, (struct body){text_of(json), NULL}, NULL,
                                         f->arena, &page, NULL, NULL),
                     ERR_PROVIDER);
}

static void hostile_items_are_read_without_harm(void **state)
{
    struct fixture *f = *state;
    assert_memory_equal(/* numbers that no machine holds */
                        page_text(f, KIND_EIP, NULL,
                                  "{\"EipAddresses\":{\"EipAddress\":[{\"AllocationId\":1e999}]}}"),
                        "error PROVIDER: DescribeEipAddresses: unknown: {", 48);
    assert_string_equal(
        page_text(f, KIND_EIP, NULL,
                  json_of(f, "{'EipAddresses':{'EipAddress':[{'AllocationId':'eip-1','Status':{},'Bandwidth':"
                             "'99999999999999999999','IpAddress':[],'Tags':{'Tag':[7,{},{'Key':[]},{'Key':"
                             "'a'},{'Key':'headgate:stack','Value':'s'},{'Key':'headgate:address','Value':"
                             "'Vpc/x'}]},'InstanceId':true}]}}")),
        "Eip eip-1 ready; tags=a:; boundTo=true\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(lists_ask_for_the_largest_page_and_name_the_parent),
        T(ids_limit_a_list_where_the_operation_can),
        T(associations_are_listed_with_what_they_belong_to),
        T(answers_become_objects),
        T(a_vpc_learns_its_system_table_from_the_list_of_tables),
        T(a_filtered_list_of_groups_goes_on_with_what_it_left_out),
        T(pages_end_where_the_total_is_covered),
        T(an_answer_that_is_not_a_list_is_an_error_not_an_empty_list),
        T(a_token_that_comes_back_ends_the_list_with_an_error),
        T(hostile_items_are_read_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

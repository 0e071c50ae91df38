/* facts.c - normal forms, keys, batches and durations. */
#include "tests/unit/alicloud/fixture.h"

static const char *normal(struct fixture *f, enum kind kind, const char *text)
{
    uint64_t set, before;
    struct value *values = parse_values(f, kind, text, &set);
    const struct kind_info *info = kind_info(kind);
    before = set;
    assert_int_equal(f->cloud->normalise(f->cloud, kind, values, &set, f->world, f->arena, NULL), ERR_OK);
    buf_reset(&f->dump);
    for (uint8_t i = 0; i < info->n_fields; i++) {
        if (values[i].state == VALUE_UNSET) continue;
        buf_printf(&f->dump, "%s%s%s=", f->dump.len > 0 ? "; " : "", info->fields[i].name,
                   (set >> i & 1) == 0      ? " (default)"
                   : (before >> i & 1) == 0 ? " (made)"
                                            : "");
        dump_value(&f->dump, info->fields[i].type, values[i]);
    }
    return buf_str(&f->dump);
}

static void an_instance_becomes_its_address(void **state)
{
    struct fixture *f = *state;
    put_object(f, KIND_INSTANCE, "i-1", "privateIp=10.0.0.7");
    assert_string_equal(normal(f, KIND_SNAT_ENTRY, "natGateway=ngw-1; source.instance=i-1"),
                        "natGateway=ngw-1; source.cidr (made)=10.0.0.7/32");
    assert_string_equal(normal(f, KIND_SNAT_ENTRY, "source.instance=i-2"), "source.cidr (made)=?");
    assert_string_equal(normal(f, KIND_SNAT_ENTRY, "source.instance=?"), "source.cidr (made)=?");
    assert_string_equal(normal(f, KIND_DNAT_ENTRY, "target.instance=i-1"),
                        "protocol (default)=tcp; target.ip (made)=10.0.0.7");
    assert_string_equal(normal(f, KIND_DNAT_ENTRY, "protocol=udp; target.ip=10.0.0.9"),
                        "protocol=udp; target.ip=10.0.0.9");
}

static void keys_of_rules_have_their_defaults(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(
        normal(f, KIND_SECURITY_GROUP_RULE, "protocol=tcp; ports=1/65535; peer.cidr=0.0.0.0/0"),
        "direction (default)=ingress; policy (default)=accept; protocol=tcp; ports=any; "
        "peer.cidr=0.0.0.0/0; priority (default)=1");
    assert_string_equal(normal(f, KIND_SECURITY_GROUP_RULE, "direction=egress; protocol=icmp; ports=-1/-1"),
                        "direction=egress; policy (default)=accept; protocol=icmp; ports=any; "
                        "priority (default)=1");
}

static void some_different_values_are_the_same(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum kind kind;
        uint8_t field;
        const char *wanted, *seen; /* NULL: unset */
        bool same;
    } rows[] = {
        {KIND_VPC, VPC_DESCRIPTION, "", NULL, true},
        {KIND_VPC, VPC_DESCRIPTION, "a", NULL, false},
        {KIND_VPC, VPC_DESCRIPTION, "a", "b", false},
        {KIND_VPC, VPC_SECONDARY, "", NULL, true},
        {KIND_VPC, VPC_SECONDARY, "10.0.0.0/8", NULL, false},
        {KIND_VPC, VPC_TAGS, "a:1", "a:1,b:2", true},
        {KIND_VPC, VPC_TAGS, "a:1", "a:2", false},
        {KIND_EIP, EIP_DELETION_PROTECTION, "false", NULL, true},
        {KIND_EIP, EIP_DELETION_PROTECTION, "true", NULL, false},
        {KIND_EIP, EIP_DELETION_PROTECTION, "true", "false", false},
        {KIND_NAT_GATEWAY, NAT_SPEC, "Large", NULL, true},
        {KIND_NAT_GATEWAY, NAT_SPEC, "Large", "Small", false},
        {KIND_NAT_GATEWAY, NAT_BILLING, "paybylcu", "PayByLcu", true},
        {KIND_DNAT_ENTRY, DNAT_PROTOCOL, "tcp", "TCP", true},
        {KIND_SECURITY_GROUP, SG_INNER_ACCESS, "Drop", NULL, true}, /* its list does not say */
        {KIND_SECURITY_GROUP, SG_INNER_ACCESS, "Drop", "Accept", false},
        {KIND_VSWITCH, VSW_VPC, "?", "vpc-1", false},
    };
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        enum field_type type = kind_info(rows[i].kind)->fields[rows[i].field].type;
        struct value wanted = parse_value(f, type, text_of(rows[i].wanted)), seen = {0};
        if (rows[i].seen != NULL) seen = parse_value(f, type, text_of(rows[i].seen));
        if (f->cloud->same_value(f->cloud, rows[i].kind, rows[i].field, wanted, seen) != rows[i].same)
            fail_msg("row %zu", i);
    }
}

static const char *keys_text(struct fixture *f, const struct goal *g, const char *operation)
{
    struct request r;
    struct serial_key keys[MAX_SERIAL_KEYS];
    request_init(&r, f->arena, "Vpc", operation);
    size_t n = f->cloud->serial_keys(f->cloud, g, &r, keys);
    buf_reset(&f->dump);
    buf_puts(&f->dump, "");
    for (size_t i = 0; i < n; i++)
        buf_printf(&f->dump, "%s%s%s", i > 0 ? " " : "", keys[i].text, keys[i].until_settled ? "+" : "");
    return buf_str(&f->dump);
}

static void keys_are_sorted_and_say_whether_they_are_held(void **state)
{
    struct fixture *f = *state;
    put_object(f, KIND_ROUTE_TABLE, "vtb-1", "vpc=vpc-1");
    put_object(f, KIND_VSWITCH, "vsw-1", "vpc=vpc-1");
    static const struct {
        enum kind kind;
        const char *values, *operation, *keys;
    } rows[] = {
        {KIND_VPC, "cidrBlock=10.0.0.0/8", "CreateVpc", ""},
        {KIND_VSWITCH, "vpc=vpc-1", "CreateVSwitch", "vpc/vpc-1+"},
        {KIND_NAT_GATEWAY, "vpc=vpc-1", "CreateNatGateway", "vpc/vpc-1"},
        {KIND_EIP, "bandwidth=5", "AllocateEipAddress", ""},
        {KIND_EIP_ASSOCIATION, "eip=eip-1; natGateway=ngw-1", "AssociateEipAddress", "eip/eip-1+ nat/ngw-1+"},
        {KIND_EIP_ASSOCIATION, "eip=eip-1; instance=i-1", "AssociateEipAddress", "eip/eip-1+"},
        {KIND_SNAT_ENTRY, "natGateway=ngw-1", "CreateSnatEntry", "nat/ngw-1+"},
        {KIND_DNAT_ENTRY, "natGateway=ngw-1", "DeleteForwardEntry", "nat/ngw-1+"},
        {KIND_ROUTE_TABLE, "vpc=vpc-1", "CreateRouteTable", "vpc/vpc-1+"},
        {KIND_ROUTE_ENTRY, "routeTable=vtb-1", "CreateRouteEntries", "vpc/vpc-1+"},
        {KIND_ROUTE_TABLE_ASSOCIATION, "vSwitch=vsw-1", "AssociateRouteTable", "vpc/vpc-1+ vsw/vsw-1+"},
        {KIND_ROUTE_TABLE_ASSOCIATION, "vSwitch=vsw-9; routeTable=vtb-1", "AssociateRouteTable",
         "vpc/vpc-1+ vsw/vsw-9+"},
        {KIND_SNAT_ENTRY, "natGateway=ngw-1; source.vSwitch=vsw-1", "CreateSnatEntry",
         "nat/ngw-1+ vsw/vsw-1"},
        {KIND_INSTANCE, "vSwitch=vsw-1", "RunInstances", "vsw/vsw-1"},
        {KIND_SECURITY_GROUP_RULE, "securityGroup=sg-1", "AuthorizeSecurityGroup", "sg/sg-1"},
        {KIND_VPC, "cidrBlock=10.0.0.0/8", "TagResources", ""},
    };
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        struct goal g = make_goal(f, VERB_CREATE, rows[i].kind, "x", rows[i].values);
        assert_string_equal(keys_text(f, &g, rows[i].operation), rows[i].keys);
    }
    struct goal g = make_goal(f, VERB_DELETE, KIND_INSTANCE, "x", NULL);
    g.observed = put_object(f, KIND_INSTANCE, "i-1", "");
    assert_string_equal(keys_text(f, &g, "DeleteInstance"), "ecs/i-1+");
    g = make_goal(f, VERB_DELETE, KIND_VPC, "x", NULL);
    g.observed = put_object(f, KIND_VPC, "vpc-1", "");
    assert_string_equal(keys_text(f, &g, "DeleteVpc"), "vpc/vpc-1+");
}

static const char *batch_text(struct fixture *f, const struct goal *a, const struct goal *b)
{
    struct request r;
    struct err err = {0};
    const struct goal *const goals[] = {a, b};
    if (!f->cloud->may_batch(f->cloud, a, b)) return "no";
    assert_true(f->cloud->batch_limit(f->cloud, a) >= 2);
    if (f->cloud->next_batch(f->cloud, goals, 2, f->arena, &r, &err) != NEXT_REQUEST) return "error";
    return dump_request(f, &r);
}

static void goals_of_one_parent_share_a_request(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum kind kind;
        const char *a, *b, *request;
    } rows[] = {
        {KIND_ROUTE_ENTRY, "routeTable=vtb-1; destination=10.1.0.0/16; nextHop.natGateway=ngw-1",
         "routeTable=vtb-1; destination=10.2.0.0/16; nextHop.instance=i-1; description=d",
         "Vpc CreateRouteEntries RegionId=cn-shanghai RouteEntries.1.RouteTableId=vtb-1 "
         "RouteEntries.1.DstCidrBlock=10.1.0.0/16 RouteEntries.1.NextHop=ngw-1 "
         "RouteEntries.1.NextHopType=NatGateway RouteEntries.1.Name=aa RouteEntries.2.RouteTableId=vtb-1 "
         "RouteEntries.2.DstCidrBlock=10.2.0.0/16 RouteEntries.2.NextHop=i-1 "
         "RouteEntries.2.NextHopType=Instance RouteEntries.2.Name=bb RouteEntries.2.Description=d"},
        {KIND_ROUTE_ENTRY, "routeTable=vtb-1; nextHop.natGateway=ngw-1",
         "routeTable=vtb-2; nextHop.natGateway=ngw-1", "no"},
        {KIND_ROUTE_ENTRY, "routeTable=vtb-1; nextHop.natGateway=?",
         "routeTable=vtb-1; nextHop.natGateway=ngw-1", "no"},
        {KIND_EIP_ASSOCIATION, "eip=eip-1; natGateway=ngw-1", "eip=eip-2; natGateway=ngw-1",
         "Vpc AssociateEipAddressBatch RegionId=cn-shanghai ClientToken=tok-1 BindedInstanceId=ngw-1 "
         "BindedInstanceType=Nat InstanceIds.1=eip-1 InstanceIds.2=eip-2"},
        {KIND_EIP_ASSOCIATION, "eip=eip-1; instance=i-1", "eip=eip-2; instance=i-1", "no"},
        {KIND_SECURITY_GROUP_RULE, "securityGroup=sg-1; protocol=tcp; ports=80; peer.cidr=0.0.0.0/0",
         "securityGroup=sg-1; protocol=all; peer.securityGroup=sg-2",
         "Ecs AuthorizeSecurityGroup RegionId=cn-shanghai ClientToken=tok-1 SecurityGroupId=sg-1 "
         "Permissions.1.IpProtocol=TCP Permissions.1.PortRange=80/80 Permissions.1.SourceCidrIp=0.0.0.0/0 "
         "Permissions.1.Policy=accept Permissions.1.Priority=1 Permissions.1.NicType=intranet "
         "Permissions.2.IpProtocol=ALL Permissions.2.PortRange=-1/-1 Permissions.2.SourceGroupId=sg-2 "
         "Permissions.2.Policy=accept Permissions.2.Priority=1 Permissions.2.NicType=intranet"},
        {KIND_SECURITY_GROUP_RULE, "securityGroup=sg-1; protocol=tcp",
         "securityGroup=sg-1; direction=egress; protocol=tcp", "no"},
        {KIND_VSWITCH, "vpc=vpc-1", "vpc=vpc-1", "no"},
    };
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        struct goal a = make_goal(f, VERB_CREATE, rows[i].kind, "aa", rows[i].a);
        struct goal b = make_goal(f, VERB_CREATE, rows[i].kind, "bb", rows[i].b);
        assert_string_equal(batch_text(f, &a, &b), rows[i].request);
    }
}

static void deletes_share_a_request_too(void **state)
{
    struct fixture *f = *state;
    struct goal a = make_goal(f, VERB_DELETE, KIND_ROUTE_ENTRY, "a", NULL), b = a;
    struct object *x = put_object(f, KIND_ROUTE_ENTRY, "rte-1", "routeTable=vtb-1; destination=10.1.0.0/16");
    a.observed = x;
    b.observed = put_object(f, KIND_ROUTE_ENTRY, "rte-2", "routeTable=vtb-1; destination=10.2.0.0/16");
    assert_string_equal(batch_text(f, &a, &b),
                        "Vpc DeleteRouteEntries RegionId=cn-shanghai RouteEntries.1.RouteTableId=vtb-1 "
                        "RouteEntries.1.DstCidrBlock=10.1.0.0/16 RouteEntries.1.RouteEntryId=rte-1 "
                        "RouteEntries.2.RouteTableId=vtb-1 RouteEntries.2.DstCidrBlock=10.2.0.0/16 "
                        "RouteEntries.2.RouteEntryId=rte-2");
    x->gone = true;
    assert_string_equal(batch_text(f, &a, &b), "no");
    a = b = make_goal(f, VERB_DELETE, KIND_SECURITY_GROUP_RULE, "a", NULL);
    a.observed = put_object(f, KIND_SECURITY_GROUP_RULE, "sgr-1", "securityGroup=sg-1; protocol=tcp");
    b.observed = put_object(f, KIND_SECURITY_GROUP_RULE, "sgr-2", "securityGroup=sg-1; protocol=udp");
    assert_string_equal(batch_text(f, &a, &b),
                        "Ecs RevokeSecurityGroup RegionId=cn-shanghai ClientToken=tok-1 SecurityGroupId=sg-1 "
                        "SecurityGroupRuleId.1=sgr-1 SecurityGroupRuleId.2=sgr-2");
}

static void the_largest_batch_fits_into_a_request(void **state)
{
    struct fixture *f = *state;
    struct goal g =
        make_goal(f, VERB_CREATE, KIND_SECURITY_GROUP_RULE, "a",
                  "securityGroup=sg-1; protocol=tcp; ports=80; peer.cidr=0.0.0.0/0; description=d");
    const struct goal *goals[100];
    uint32_t n = f->cloud->batch_limit(f->cloud, &g);
    struct request r;
    assert_true(n <= 100);
    for (uint32_t i = 0; i < n; i++) goals[i] = &g;
    assert_int_equal(f->cloud->next_batch(f->cloud, goals, n, f->arena, &r, NULL), NEXT_REQUEST);
}

static void natural_ids_and_side_effects_are_known(void **state)
{
    struct fixture *f = *state;
    uint64_t set;
    struct value *v = parse_values(f, KIND_EIP_ASSOCIATION, "eip=eip-1; natGateway=ngw-1", &set);
    assert_string_equal(f->cloud->natural_id(f->cloud, KIND_EIP_ASSOCIATION, v, f->arena), "eip-1");
    v = parse_values(f, KIND_ROUTE_TABLE_ASSOCIATION, "routeTable=vtb-1; vSwitch=vsw-1", &set);
    assert_string_equal(f->cloud->natural_id(f->cloud, KIND_ROUTE_TABLE_ASSOCIATION, v, f->arena), "vsw-1");
    v = parse_values(f, KIND_ROUTE_TABLE_ASSOCIATION, "vSwitch=?", &set);
    assert_null(f->cloud->natural_id(f->cloud, KIND_ROUTE_TABLE_ASSOCIATION, v, f->arena));
    v = parse_values(f, KIND_ROUTE_ENTRY, "routeTable=vtb-s; destination=0.0.0.0/0", &set);
    assert_null(f->cloud->natural_id(f->cloud, KIND_ROUTE_ENTRY, v, f->arena));
    assert_false(f->cloud->may_appear(f->cloud, KIND_ROUTE_ENTRY, v, f->world));
    put_object(f, KIND_VPC, "vpc-1", "systemRouteTable=vtb-s");
    assert_true(f->cloud->may_appear(f->cloud, KIND_ROUTE_ENTRY, v, f->world));
    struct object *table = put_object(f, KIND_ROUTE_TABLE, "vtb-s", "vpc=vpc-1");
    assert_false(f->cloud->may_appear(f->cloud, KIND_ROUTE_ENTRY, v, f->world));
    table->system = true;
    assert_true(f->cloud->may_appear(f->cloud, KIND_ROUTE_ENTRY, v, f->world));
    v = parse_values(f, KIND_ROUTE_ENTRY, "routeTable=vtb-s; destination=10.0.0.0/8", &set);
    assert_false(f->cloud->may_appear(f->cloud, KIND_ROUTE_ENTRY, v, f->world));
}

static void every_kind_has_sensible_durations(void **state)
{
    struct fixture *f = *state;
    for (int k = 0; k < N_KINDS; k++)
        for (int verb = VERB_CREATE; verb <= VERB_DELETE; verb++) {
            int64_t shortest, typical, deadline;
            f->cloud->durations(f->cloud, (enum kind)k, (enum verb)verb, &shortest, &typical, &deadline);
            assert_true(0 < shortest && shortest <= typical && typical < deadline);
        }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(an_instance_becomes_its_address),       T(keys_of_rules_have_their_defaults),
        T(some_different_values_are_the_same),    T(keys_are_sorted_and_say_whether_they_are_held),
        T(goals_of_one_parent_share_a_request),   T(deletes_share_a_request_too),
        T(the_largest_batch_fits_into_a_request), T(natural_ids_and_side_effects_are_known),
        T(every_kind_has_sensible_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

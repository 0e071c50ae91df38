/* good.c - manifests that are right: text in, resources as text out. */
#include "load_text.h"

#define OBSERVE "lifecycle: {management: observe}\n"
#define VPC     HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n---\n"

static void resources_are_sorted_and_references_resolved(void **state)
{
    (void)state;
    assert_resources(
        HEAD("VSwitch", "web") "  vpc: main\n  zone: cn-shanghai-b\n  cidrBlock: 10.1.0.0/24\n---\n" HEAD(
            "Vpc", "zoo") "  cidrBlock: 172.16.0.0/12\n---\n" HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n",
        "Vpc/main cidrBlock=\"10.0.0.0/8\"\n"
        "Vpc/zoo cidrBlock=\"172.16.0.0/12\"\n"
        "VSwitch/web vpc=@main zone=\"cn-shanghai-b\" cidrBlock=\"10.1.0.0/24\"\n");
}

static void references_are_counted(void **state)
{
    (void)state;
    struct loaded t;
    load_text(&t,
              VPC HEAD("RouteTable", "vtb1") "  vpc: main\n---\n" HEAD("RouteTable", "vtb2") "  vpc: main\n");
    assert_int_equal(t.code, ERR_OK);
    assert_int_equal(t.desired.items[0].n_refs_to, 2);
    assert_int_equal(t.desired.items[1].n_refs_to, 0);
    assert_int_equal(desired_find(&t.desired, KIND_ROUTE_TABLE, TEXT("vtb2")), 2);
    loaded_fini(&t);
}

static void null_is_unset_and_false_zero_and_empty_are_set(void **state)
{
    (void)state;
    assert_resources(
        HEAD(
            "Eip",
            "eip1") "  bandwidth: ~\n  description: \"\"\n  deletionProtection: false\n  tags: {}\n  isp: null\n",
        "Eip/eip1 description=\"\" deletionProtection=false tags=[]\n");
}

static void words_addresses_and_ports_become_canonical(void **state)
{
    (void)state;
    assert_resources(
        HEAD("SecurityGroupRule",
             "r1") "  securityGroup: {id: sg-1}\n  direction: EGRESS\n  policy: Drop\n"
                   "  protocol: UDP\n  ports: 80-90\n  peer: {cidr: 0.0.0.0/0}\n  priority: 0x10\n---\n" HEAD(
                       "SecurityGroupRule",
                       "r2") "  securityGroup: {id: sg-1}\n  protocol: tcp\n  ports: 80/80\n"
                             "  peer: {securityGroup: {id: sg-2}}\n---\n" HEAD(
                                 "SecurityGroupRule",
                                 "r3") "  securityGroup: {id: sg-1}\n  protocol: tcp\n  ports: 1/65535\n"
                                       "  peer: {securityGroup: {id: sg-3}}\n",
        "SecurityGroupRule/r1 securityGroup=#sg-1 direction=\"egress\" policy=\"drop\" protocol=\"udp\" "
        "ports=\"80/90\" peer.cidr=\"0.0.0.0/0\" priority=16\n"
        "SecurityGroupRule/r2 securityGroup=#sg-1 direction=\"ingress\" policy=\"accept\" protocol=\"tcp\" "
        "ports=\"80\" peer.securityGroup=#sg-2 priority=1\n"
        "SecurityGroupRule/r3 securityGroup=#sg-1 direction=\"ingress\" policy=\"accept\" protocol=\"tcp\" "
        "ports=\"any\" peer.securityGroup=#sg-3 priority=1\n");
}

static void sets_and_maps_are_sorted_without_repeats(void **state)
{
    (void)state;
    assert_resources(
        HEAD(
            "Vpc",
            "main") "  cidrBlock: 10.0.0.0/8\n  secondaryCidrBlocks: [172.17.0.0/16, 172.16.0.0/16, 172.17.0.0/16]\n"
                    "  tags: {b: 2, a: true}\n---\n" HEAD("Eip", "e2") "  isp: bgp\n---\n" HEAD(
                        "Eip",
                        "e1") "  isp: BGP\n---\n" HEAD("SnatEntry",
                                                       "out") "  natGateway: {id: ngw-1}\n  source: {cidr: 10.0.0.0/8}\n  eips: [{id: eip-9}, {id: eip-1}, {id: eip-9}]\n",
        "Vpc/main cidrBlock=\"10.0.0.0/8\" secondaryCidrBlocks=[\"172.16.0.0/16\" \"172.17.0.0/16\"] "
        "tags=[\"a\" \"true\" \"b\" \"2\"]\n"
        "Eip/e1 isp=\"BGP\"\nEip/e2 isp=\"BGP\"\n"
        "SnatEntry/out natGateway=#ngw-1 source.cidr=\"10.0.0.0/8\" eips=[#eip-1 #eip-9]\n");
}

static void inline_lists_become_resources(void **state)
{
    (void)state;
    assert_resources(
        VPC HEAD("VSwitch", "web") "  vpc: main\n  zone: cn-shanghai-b\n  cidrBlock: 10.1.0.0/24\n---\n" HEAD("NatGateway", "nat1") "  vpc: main\n  vSwitch: web\n---\n" HEAD("Eip", "eip1") "  bandwidth: 5\n---\n" HEAD("EipAssociation", "b1") "  eip: eip1\n  natGateway: nat1\n  snatFor: [web, {id: vsw-x}]\n---\n" HEAD(
            "SnatEntry",
            "more") "  natGateway: nat1\n  source: {vSwitches: [{id: vsw-b}, {id: vsw-a}]}\n  eips: [eip1]\n---\n" HEAD("RouteTable",
                                                                                                                        "vtb1") "  vpc: main\n  routes:\n  - {destination: 0.0.0.0/0, name: Route1, nextHop: {natGateway: nat1}}\n"
                                                                                                                                "  - {destination: 172.16.0.0/12, nextHop: {natGateway: nat1}}\n  vSwitches: [web]\n---\n" HEAD(
                                                                                                                                    "SecurityGroup",
                                                                                                                                    "sg1") "  vpc: main\n  rules:\n  - {protocol: tcp, ports: 80, peer: {cidr: 0.0.0.0/0}}\n"
                                                                                                                                           "  - {protocol: tcp, ports: 80/90, priority: 5, policy: drop, peer: {securityGroup: sg1}}\n"
                                                                                                                                           "  - {protocol: all, name: all-out, direction: egress, peer: {cidr: 0.0.0.0/0}}\n",
        "Vpc/main cidrBlock=\"10.0.0.0/8\"\n"
        "VSwitch/web vpc=@main zone=\"cn-shanghai-b\" cidrBlock=\"10.1.0.0/24\"\n"
        "SecurityGroup/sg1 vpc=@main\n"
        "SecurityGroupRule/sg1.all-out securityGroup=@sg1 direction=\"egress\" policy=\"accept\" protocol=\"all\" "
        "ports=\"any\" peer.cidr=\"0.0.0.0/0\" priority=1\n"
        "SecurityGroupRule/sg1.ingress-tcp-80-0.0.0.0-0 securityGroup=@sg1 direction=\"ingress\" policy=\"accept\" "
        "protocol=\"tcp\" ports=\"80\" peer.cidr=\"0.0.0.0/0\" priority=1\n"
        "SecurityGroupRule/sg1.ingress-tcp-80-90-sg1-drop-p5 securityGroup=@sg1 direction=\"ingress\" policy=\"drop\" "
        "protocol=\"tcp\" ports=\"80/90\" peer.securityGroup=@sg1 priority=5\n"
        "NatGateway/nat1 vpc=@main vSwitch=@web\n"
        "Eip/eip1 bandwidth=5\n"
        "EipAssociation/b1 eip=@eip1 natGateway=@nat1\n"
        "SnatEntry/b1.vsw-x natGateway=@nat1 source.vSwitch=#vsw-x eips=[@eip1]\n"
        "SnatEntry/b1.web natGateway=@nat1 source.vSwitch=@web eips=[@eip1]\n"
        "SnatEntry/more.vsw-a natGateway=@nat1 source.vSwitch=#vsw-a eips=[@eip1]\n"
        "SnatEntry/more.vsw-b natGateway=@nat1 source.vSwitch=#vsw-b eips=[@eip1]\n"
        "RouteTable/vtb1 vpc=@main\n"
        "RouteEntry/vtb1.172.16.0.0-12 routeTable=@vtb1 destination=\"172.16.0.0/12\" nextHop.natGateway=@nat1\n"
        "RouteEntry/vtb1.default routeTable=@vtb1 destination=\"0.0.0.0/0\" nextHop.natGateway=@nat1 name=\"Route1\"\n"
        "RouteTableAssociation/vtb1.web routeTable=@vtb1 vSwitch=@web\n");
}

static void lifecycles_are_read_and_inherited_by_parts(void **state)
{
    (void)state;
    assert_resources(
        HEAD(
            "RouteTable",
            "vtb1") "  vpc: {id: vpc-1}\n  vSwitches: [{name: web}]\nlifecycle:\n  management: detect\n"
                    "  adopt: vtb-123\n  preventDestroy: true\n  onRemoval: orphan\n  renamedFrom: old\n  ignoreChanges: [tags, description]\n---\n" HEAD(
                        "RouteEntry",
                        "r1") "  routeTable: vtb1\n  destination: 0.0.0.0/0\n  nextHop: {instance: {id: i-1}}\n"
                              "lifecycle: {adopt: ifIdentical, ignoreChanges: [nextHop]}\n",
        "RouteTable/vtb1 detect adopt=vtb-123 preventDestroy orphan renamedFrom=old ignore=description ignore=tags vpc=#vpc-1\n"
        "RouteEntry/r1 adopt=ifIdentical ignore=nextHop.natGateway ignore=nextHop.instance routeTable=@vtb1 "
        "destination=\"0.0.0.0/0\" nextHop.instance=#i-1\n"
        "RouteTableAssociation/vtb1.web detect preventDestroy orphan renamedFrom=old.web routeTable=@vtb1 "
        "vSwitch=?(\"web\")\n");
}

static void what_exists_is_observed_by_id_name_tags_or_natural_key(void **state)
{
    (void)state;
    assert_resources(
        HEAD("Vpc", "a1") "  id: vpc-bp1abc\n" OBSERVE "---\n" HEAD(
            "Vpc",
            "a2") "  name: old-vpc\n" OBSERVE
                  "---\n" HEAD("Vpc", "a3") "  tags: {team: net}\n" OBSERVE "---\n" HEAD(
                      "VSwitch",
                      "web") "  vpc: {name: x, tags: {b: c, a: d}}\n  cidrBlock: 10.0.0.0/24\n" OBSERVE
                             "---\n" HEAD("EipAssociation", "b1") "  eip: {id: eip-1}\n" OBSERVE "---\n" HEAD(
                                 "DnatEntry",
                                 "d1") "  natGateway: {id: ngw-1}\n  eip: {id: eip-1}\n  externalPort: 80\n" OBSERVE,
        "Vpc/a1 observe id=vpc-bp1abc\n"
        "Vpc/a2 observe name=\"old-vpc\"\n"
        "Vpc/a3 observe tags=[\"team\" \"net\"]\n"
        "VSwitch/web observe vpc=?(\"x\"[\"a\" \"d\" \"b\" \"c\"]) cidrBlock=\"10.0.0.0/24\"\n"
        "EipAssociation/b1 observe eip=#eip-1\n"
        "DnatEntry/d1 observe natGateway=#ngw-1 eip=#eip-1 protocol=\"tcp\" externalPort=\"80\"\n");
}

static void variables_hold_wherever_the_stack_stands(void **state)
{
    (void)state;
    const struct param_value given[] = {{"MBIT", "7"}};
    const struct source sources[] = {
        {"a.yaml",
         TEXT(HEAD(
             "Eip",
             "eip1") "  bandwidth: ${MBIT}\n  description: \"${A}$${B} ${A}\"\n  deletionProtection: ${YES}\n  isp: ${NONE}\n")},
        {"b.yaml",
         TEXT(HEAD(
             "Stack",
             "prod") "  region: ${REGION}\n  interval: 5m\n  prune: false\n  maxDeletions: 0\n  credentials: ops\n"
                     "  provider: alicloud\n  suspend: true\n  variables: {MBIT: 9, A: x, YES: true, REGION: cn-shanghai, NONE: \"\"}\n")},
    };
    struct loaded t = {.arena = arena_new(LIMIT_ARENA_BYTES)};
    diags_init(&t.diags, t.arena);
    buf_init(&t.text, 1024 * 1024);
    struct manifest_input input = {sources, 2, given, 1};
    t.code = manifest_load(t.arena, &input, &t.diags, &t.desired, &t.err);
    if (t.code != ERR_OK) print_error("%s", print_diags(&t));
    assert_int_equal(t.code, ERR_OK);
    assert_string_equal(print_resources(&t),
                        "Eip/eip1 bandwidth=7 description=\"x${B} x\" deletionProtection=true\n");
    const struct stack *s = &t.desired.stack;
    assert_true(text_is(s->name, "prod"));
    assert_string_equal(s->provider, "alicloud");
    assert_string_equal(s->region, "cn-shanghai");
    assert_string_equal(s->credentials, "ops");
    assert_int_equal(s->interval_ms, 300000);
    assert_int_equal(s->max_deletions, 0);
    assert_false(s->prune);
    assert_true(s->suspend);
    loaded_fini(&t);
}

static void a_quoted_variable_stays_a_text(void **state)
{
    (void)state;
    static const struct bad row = {HEAD("Stack", "prod") "  variables: {MBIT: 9}\n---\n" HEAD(
                                       "Eip", "eip1") "  bandwidth: \"${MBIT}\"\n",
                                   "11:14", "needs an integer, not the text \"9\"", NULL};
    assert_bad(&row);
}

static void without_a_stack_there_are_defaults(void **state)
{
    (void)state;
    struct loaded t;
    load_text(&t, VPC);
    assert_int_equal(t.code, ERR_OK);
    assert_true(text_is(t.desired.stack.name, "default"));
    assert_string_equal(t.desired.stack.provider, "mock");
    assert_null(t.desired.stack.region);
    assert_true(t.desired.stack.prune);
    assert_int_equal(t.desired.stack.max_deletions, -1);
    assert_int_equal(t.desired.stack.pos.line, 0);
    loaded_fini(&t);
}

static void anchors_merge_keys_bom_and_crlf_are_read(void **state)
{
    (void)state;
    assert_resources("\xef\xbb\xbf"
                     "apiVersion: headgate/v1\r\nkind: Eip\r\nmetadata: {name: &n eip1}\r\nspec:\r\n"
                     "  <<: [{bandwidth: 7, isp: BGP_PRO}, {bandwidth: 8, name: *n}]\r\n  isp: BGP\r\n",
                     "Eip/eip1 bandwidth=7 isp=\"BGP\" name=\"eip1\"\n");
    assert_resources(HEAD("Eip", "eip1") "  tags: &t {a: b}\n  name: !!str ab\n---\n# empty\n---\n",
                     "Eip/eip1 name=\"ab\" tags=[\"a\" \"b\"]\n");
}

static void names_may_be_chinese_where_the_cloud_lets_them(void **state)
{
    (void)state;
    assert_resources(HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n  name: 生产-1\n",
                     "Vpc/main cidrBlock=\"10.0.0.0/8\" name=\"生产-1\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resources_are_sorted_and_references_resolved),
        cmocka_unit_test(references_are_counted),
        cmocka_unit_test(null_is_unset_and_false_zero_and_empty_are_set),
        cmocka_unit_test(words_addresses_and_ports_become_canonical),
        cmocka_unit_test(sets_and_maps_are_sorted_without_repeats),
        cmocka_unit_test(inline_lists_become_resources),
        cmocka_unit_test(lifecycles_are_read_and_inherited_by_parts),
        cmocka_unit_test(what_exists_is_observed_by_id_name_tags_or_natural_key),
        cmocka_unit_test(variables_hold_wherever_the_stack_stands),
        cmocka_unit_test(a_quoted_variable_stays_a_text),
        cmocka_unit_test(without_a_stack_there_are_defaults),
        cmocka_unit_test(anchors_merge_keys_bom_and_crlf_are_read),
        cmocka_unit_test(names_may_be_chinese_where_the_cloud_lets_them),
    };
    return cmocka_run_group_tests_name("manifest: good", tests, NULL, NULL);
}

/* bad_fields.c - fields of one resource that are wrong: types, rules, groups, references, inline lists. */
#include "load_text.h"

#define VPC     HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n---\n"          /* 6 lines */
#define VSW     HEAD("VSwitch", "web") "  vpc: main\n  zone: cn-shanghai-b\n" /* 6 lines, cidrBlock to come */
#define GROUP   HEAD("SecurityGroup", "web") "  vpc: main\n"
#define NAT     HEAD("NatGateway", "nat1") "  vpc: {id: vpc-1}\n  vSwitch: {id: vsw-1}\n"
#define OBSERVE "lifecycle: {management: observe}\n"

static void unknown_and_missing_fields(void **state)
{
    (void)state;
    static const struct bad rows[] = {
        {HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n  descripton: xx\n", "6:3",
         "unknown field `descripton`", "did you mean `description`?"},
        {HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n  zzzzzzzzzz: xx\n", "6:3",
         "unknown field `zzzzzzzzzz`", "`headgate explain Vpc` lists the fields"},
        {HEAD("Vpc", "main") "  name: vv\n", "5:3", "the field `cidrBlock` is missing", "Primary IPv4 block"},
        {HEAD("Vpc", "main") "  cidrBlock: null\n", "5:3", "the field `cidrBlock` is missing", NULL},
        {"apiVersion: headgate/v1\nkind: Vpc\nmetadata: {name: main}\n", "1:1",
         "the field `cidrBlock` is missing", NULL},
        {HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n  systemRouteTable: vtb-1\n", "6:3",
         "`systemRouteTable` is set by the cloud", "remove it"},
        {HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n  id: vpc-1\n", "6:7",
         "`id` is for resources that are only observed", "management: observe"},
        {NAT "  spec: Smal\n", "7:9", "`spec`: `Smal` is none of Small, Medium, Large or XLarge.1",
         "did you mean `Small`?"},
    };
    ASSERT_ALL_BAD(rows);
}

static void dotted_fields_are_mappings(void **state)
{
    (void)state;
#define SNAT HEAD("SnatEntry", "out") "  natGateway: {id: ngw-1}\n  eips: [{id: eip-1}]\n"
    static const struct bad rows[] = {
        {SNAT "  source: {vSwitch: {id: vsw-1}}\n  source.cidr: 10.0.0.0/8\n", "8:3",
         "unknown field `source.cidr`", "source: {cidr: …}"},
        {SNAT "  source: {vSwitch: {id: vsw-1}, vSwich: ab}\n", "7:34", "unknown field `source.vSwich`",
         "did you mean `vSwitch`?"},
        {SNAT "  source: {vSwitch: {id: vsw-1}, cidr: 10.0.0.0/8}\n", "7:40",
         "`source.cidr` and another of its group",
         "leave only one of `source.vSwitch`, `source.cidr`, `source.instance`, `source.vSwitches`"},
        {SNAT, "5:3",
         "one of `source.vSwitch`, `source.cidr`, `source.instance`, `source.vSwitches` is needed", NULL},
        {SNAT "  source: {}\n", "5:3", "one of `source.vSwitch`", NULL},
        {SNAT "  source: {vSwitches: []}\n", "7:23", "`source.vSwitches` has 0 items", NULL},
    };
    ASSERT_ALL_BAD(rows);
    static const struct bad scalar = {SNAT "  source: web\n", "5:3", "one of", NULL};
    struct loaded t;
    load_text(&t, scalar.manifest);
    assert_non_null(strstr(print_diags(&t), "a.yaml:7:11: error: SnatEntry/out: `source` needs a mapping"));
    loaded_fini(&t);
}

static void wrong_types_and_ranges(void **state)
{
    (void)state;
#define EIP HEAD("Eip", "eip1")
    static const struct bad rows[] = {
        {EIP "  bandwidth: \"5\"\n", "5:14", "`bandwidth` needs an integer, not the text \"5\"",
         "write 5 without quotes"},
        {EIP "  bandwidth: five\n", "5:14", "`bandwidth` needs an integer, not `five`", NULL},
        {EIP "  bandwidth: 5.0\n", "5:14", "needs an integer, not `5.0`", NULL},
        {EIP "  bandwidth: 99999999999999999999\n", "5:14", "needs an integer", NULL},
        {EIP "  bandwidth: 0\n", "5:14", "`bandwidth` is 0, but must be from 1 to 1000", NULL},
        {EIP "  bandwidth: [5]\n", "5:14", "bandwidth needs a text, not a list", NULL},
        {EIP "  deletionProtection: yes\n", "5:23", "needs true or false, not `yes`", "write true"},
        {EIP "  deletionProtection: Off\n", "5:23", "needs true or false, not `Off`", "write false"},
        {EIP "  deletionProtection: maybe\n", "5:23", "not `maybe`", "write true or false"},
        {EIP "  internetChargeType: PayByTrafic\n", "5:23", "none of PayByBandwidth or PayByTraffic",
         "did you mean `PayByTraffic`?"},
        {EIP "  tags: [a]\n", "5:9", "`tags` needs a mapping of texts to texts", NULL},
        {EIP "  tags: {a: [b]}\n", "5:13", "a needs a text, not a list", NULL},
        {EIP "  tags: {a: null}\n", "5:13", "a needs a text, not nothing", NULL},
        {EIP "  tags: {aliyun-x: b}\n", "5:10", "the tag key `aliyun-x` begins with a reserved word", NULL},
        {EIP "  tags: {\"acs:x\": b}\n", "5:10", "reserved word", NULL},
        {EIP "  tags: {\"headgate:stack\": b}\n", "5:10", "reserved word", NULL},
        {EIP "  tags: {\"\": b}\n", "5:10", "must have 1 to 64 characters", NULL},
        {EIP "  tags: {aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: b}\n", "5:10",
         "1 to 64 characters", NULL},
        {EIP "  name: 1a\n", "5:9", "`name`: `1a` does not begin with a letter", "1 to 128 characters"},
        {EIP "  name: \"a b\"\n", "5:9", "has a character that names may not have", NULL},
        {EIP "  name: \"a\\0\"\n", "5:9", "has a character that names may not have", NULL},
        {EIP "  description: \"a\\0b\"\n", "5:16", "has a NUL character", NULL},
        {EIP "  description: a\n", "5:16", "`a` is too short", "2 to 256"},
        {EIP "  description: 1a\n", "5:16", "does not begin with a letter", NULL},
        {EIP "  resourceGroup: x\n", "5:18", "is not an id", "rg-"},
        {HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n  name: \"http://a\"\n", "6:9", "begins with http://",
         NULL},
        {HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n  description: https://a\n", "6:16",
         "begins with http://", NULL},
        {VPC HEAD("VSwitch", "web") "  vpc: main\n  zone: Shanghai B\n  cidrBlock: 10.1.0.0/24\n", "12:9",
         "`zone`: `Shanghai B` is not a zone id", "cn-shanghai-b"},
    };
    ASSERT_ALL_BAD(rows);
}

static void wrong_blocks_and_ports(void **state)
{
    (void)state;
#define BLOCK HEAD("Vpc", "main") "  cidrBlock: "
#define RULE                                                                                                 \
    HEAD("SecurityGroupRule", "r1")                                                                          \
    "  securityGroup: {id: sg-1}\n  protocol: tcp\n  peer: {cidr: 0.0.0.0/0}\n"
    static const struct bad rows[] = {
        {BLOCK "10.0.0.5/16\n", "5:14", "`10.0.0.5/16` has bits set behind its mask",
         "did you mean `10.0.0.0/16`?"},
        {BLOCK "10.0.0.0/33\n", "5:14", "the mask of `10.0.0.0/33` is longer than 32 bits", NULL},
        {BLOCK "10.0.0.0/7\n", "5:14", "the mask of `10.0.0.0/7` must have 8 to 28 bits", NULL},
        {BLOCK "10.0.0.0/29\n", "5:14", "must have 8 to 28 bits", NULL},
        {BLOCK "10.0.0.0\n", "5:14", "is not an IPv4 block", "an address alone is `10.0.0.0/32`"},
        {BLOCK "10.0.0/8\n", "5:14", "is not an IPv4 block", "as in 10.0.0.0/16"},
        {BLOCK "fd00::/8\n", "5:14", "is IPv6, an IPv4 block is needed", NULL},
        {BLOCK "10.0.0.0/8\n  secondaryCidrBlocks: 10.1.0.0/16\n", "6:24", "needs a list of IPv4 blocks",
         "write [10.1.0.0/16]"},
        {BLOCK "10.0.0.0/8\n  secondaryCidrBlocks: [172.16.0.1/16]\n", "6:25", "has bits set",
         "172.16.0.0/16"},
        {BLOCK "10.0.0.0/8\n  secondaryCidrBlocks: [a, b, c, d, e, f]\n", "6:24", "has 6 items", NULL},
        {BLOCK "10.0.0.0/8\n  secondaryCidrBlocks: [~]\n", "6:25", "has an empty item", NULL},
        {RULE "  ports: 0\n", "8:10", "`0` is not a port", "a port from 1 to 65535"},
        {RULE "  ports: 90/80\n", "8:10", "`90/80` is not a port", "8000/8080, or any"},
        {RULE "  ports: 65536\n", "8:10", "is not a port", NULL},
        {RULE "  ports: -1/-1\n", "8:10", "is not a port", "any"},
        {HEAD("Instance", "ecs1") "  name: ecs1\n  privateIp: ::1\n" OBSERVE, "6:14", "is IPv6", NULL},
        {HEAD("Instance", "ecs1") "  name: ecs1\n  privateIp: 10.0.0.256\n" OBSERVE, "6:14",
         "is not an IPv4 address", NULL},
    };
    ASSERT_ALL_BAD(rows);
}

static void wrong_references(void **state)
{
    (void)state;
#define REF HEAD("VSwitch", "web") "  zone: cn-shanghai-b\n  cidrBlock: 10.1.0.0/24\n  vpc: "
    static const struct bad rows[] = {
        {VPC REF "mian\n", "13:8", "`vpc`: there is no Vpc `mian`", "declare it"},
        {VPC REF "mains\n", "13:8", "`vpc`: there is no Vpc `mains`", "did you mean `main`?"},
        {VPC REF "vpc-bp1abc\n", "13:8", "there is no Vpc `vpc-bp1abc`", "write {id: vpc-bp1abc}"},
        {REF "web\n", "7:8", "`vpc`: `web` is a VSwitch, not a Vpc", NULL},
        {REF "{id: vsw-1}\n", "7:13", "`vsw-1` is not the id of a Vpc", "vpc-"},
        {REF "{}\n", "7:8", "a look-up needs a name or tags", NULL},
        {REF "{id: vpc-1, name: aa}\n", "7:8", "give either the id, or name and tags", NULL},
        {REF "{nam: aa}\n", "7:9", "unknown field `nam` in the reference `vpc`", "did you mean `name`?"},
        {REF "[main]\n", "7:8", "`vpc` refers to one Vpc, not to a list", "without brackets"},
        {HEAD("EipAssociation", "b1") "  eip: {id: eip-1}\n  natGateway: nat9\n", "6:15",
         "there is no NatGateway `nat9`", "{name: nat9}"},
        {HEAD("SnatEntry",
              "out") "  natGateway: {id: ngw-1}\n  source: {cidr: 10.0.0.0/8}\n  eips: [{id: eip-1}, eip9]\n",
         "7:23", "`eips`: there is no Eip `eip9`", NULL},
        {HEAD("SnatEntry", "out") "  natGateway: {id: ngw-1}\n  source: {cidr: 10.0.0.0/8}\n  eips: eip9\n",
         "7:9", "`eips` needs a list of references", "write [eip9]"},
        {HEAD("SnatEntry", "out") "  natGateway: {id: ngw-1}\n  source: {cidr: 10.0.0.0/8}\n  eips: []\n",
         "7:9", "`eips` has 0 items, but must have from 1 to 64", NULL},
    };
    ASSERT_ALL_BAD(rows);
}

static void wrong_inline_lists(void **state)
{
    (void)state;
#define RULES VPC GROUP "  rules:\n  - "
#define TABLE VPC HEAD("RouteTable", "vtb1") "  vpc: main\n"
    static const struct bad rows[] = {
        {RULES "{protocol: tcp, ports: 80}\n", "13:5", "one of `peer.cidr`, `peer.securityGroup` is needed",
         NULL},
        {RULES "{ports: 80, peer: {cidr: 0.0.0.0/0}}\n", "13:5", "the field `protocol` is missing", NULL},
        {RULES "{protocol: tcp, securityGroup: web, peer: {cidr: 0.0.0.0/0}}\n", "13:21",
         "`securityGroup` is given by the resource that the list is in", NULL},
        {RULES "{protocol: tcp, prt: 80, peer: {cidr: 0.0.0.0/0}}\n", "13:21", "unknown field `prt`", NULL},
        {RULES "{protocol: tcp, name: A, peer: {cidr: 0.0.0.0/0}}\n", "13:27", "name `A` is not a name",
         NULL},
        {RULES "{protocol: tcp, peer: {cidr: 0.0.0.0/0}}\n  - {protocol: TCP, peer: {cidr: 0.0.0.0/0}}\n",
         "14:5", "a second SecurityGroupRule `web.ingress-tcp-any-0.0.0.0-0`; the first is at a.yaml:13:5",
         "an item says"},
        {RULES "{protocol: icmp, ports: 80, peer: {cidr: 0.0.0.0/0}}\n", "13:29", "icmp has no ports", "any"},
        {VPC GROUP "  rules: {}\n", "12:10", "`rules` needs a list", NULL},
        {VPC GROUP "  rules: [~]\n", "12:11", "`rules` has an empty item", NULL},
        {TABLE "  vSwitches: [web]\n", "12:15", "`vSwitch`: there is no VSwitch `web`", NULL},
        {TABLE "  routes: [{destination: 0.0.0.0/0}]\n", "12:12",
         "one of `nextHop.natGateway`, `nextHop.instance` is needed", NULL},
        {HEAD("EipAssociation", "b1") "  eip: {id: eip-1}\n  instance: {id: i-1}\n  snatFor: [{id: vsw-1}]\n",
         "7:12", "`snatFor` needs `natGateway`", NULL},
    };
    ASSERT_ALL_BAD(rows);
}

static void observed_resources_must_say_which(void **state)
{
    (void)state;
    static const struct bad rows[] = {
        {"apiVersion: headgate/v1\nkind: Vpc\nmetadata: {name: main}\n" OBSERVE, "1:1",
         "nothing says which Vpc is to be observed", "spec.id, spec.name or spec.tags"},
        {HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n" OBSERVE, "5:3", "nothing says which Vpc", NULL},
        {HEAD("EipAssociation", "b1") "  natGateway: {id: ngw-1}\n" OBSERVE, "5:3",
         "nothing says which EipAssociation", "the fields that identify it"},
        {HEAD("Vpc", "main") "  id: vsw-1\n" OBSERVE, "5:7", "`vsw-1` is not the id of a Vpc", "vpc-"},
        {HEAD("Vpc", "main") "  id: vpc-1\n" OBSERVE "---\n" HEAD("Vpc", "other") "  id: vpc-1\n" OBSERVE,
         "10:18", "two resources have the same id; see `main` at a.yaml:3:18", NULL},
        {HEAD("EipAssociation", "b1") "  id: eip-1\n  eip: {id: eip-1}\n" OBSERVE, "5:3",
         "unknown field `id`", NULL},
    };
    ASSERT_ALL_BAD(rows);
}

static void duplicate_addresses_show_both_places(void **state)
{
    (void)state;
    static const struct bad row = {
        VPC "apiVersion: headgate/v1\nkind: Vpc\nmetadata:\n  name: main\nspec: {cidrBlock: 10.0.0.0/8}\n",
        "10:9", "a second Vpc `main`; the first is at a.yaml:3:18", "rename"};
    assert_bad(&row);
    /* The first is read last: it waits for what the Stack says of its variable. */
    static const struct bad waits = {
        "apiVersion: headgate/v1\nkind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: \"${BLOCK}\"}\n---\n" VPC
        "apiVersion: headgate/v1\nkind: Stack\nmetadata: {name: s}\nspec: {variables: {BLOCK: 10.0.0.0/8}}\n",
        "8:18", "a second Vpc `main`; the first is at a.yaml:3:18", "rename"};
    assert_bad(&waits);
}

static void a_name_that_the_cloud_would_refuse_is_told_with_its_rule(void **state)
{
    (void)state;
    static const struct bad row = {
        "apiVersion: headgate/v1\nkind: Vpc\nmetadata: {name: a}\nspec: {cidrBlock: 10.0.0.0/8}\n", "3:18",
        "as its name in the cloud `a` is too short", "2 to 128 characters"};
    assert_bad(&row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_and_missing_fields),
        cmocka_unit_test(dotted_fields_are_mappings),
        cmocka_unit_test(wrong_types_and_ranges),
        cmocka_unit_test(a_name_that_the_cloud_would_refuse_is_told_with_its_rule),
        cmocka_unit_test(wrong_blocks_and_ports),
        cmocka_unit_test(wrong_references),
        cmocka_unit_test(wrong_inline_lists),
        cmocka_unit_test(observed_resources_must_say_which),
        cmocka_unit_test(duplicate_addresses_show_both_places),
    };
    return cmocka_run_group_tests_name("manifest: bad fields", tests, NULL, NULL);
}

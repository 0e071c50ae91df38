/* bad_stacks.c - resources that are right each by itself and wrong together. */
#include "load_text.h"

/* Each is one line, so that places are easy to count. */
#define DOC(kind, name, spec)                                                                                \
    "--- {apiVersion: headgate/v1, kind: " kind ", metadata: {name: " name "}, spec: {" spec "}}\n"
#define OBSERVED(kind, name, spec)                                                                           \
    "--- {apiVersion: headgate/v1, kind: " kind ", metadata: {name: " name                                   \
    "}, lifecycle: {management: observe}, spec: {" spec "}}\n"
#define VPC                  DOC("Vpc", "main", "cidrBlock: 10.0.0.0/16")
#define VPC2                 DOC("Vpc", "other", "cidrBlock: 172.16.0.0/16")
#define VSW(name, vpc, cidr) DOC("VSwitch", name, "vpc: " vpc ", zone: cn-shanghai-b, cidrBlock: " cidr)
#define NAT(name, vpc, vsw)  DOC("NatGateway", name, "vpc: " vpc ", vSwitch: " vsw)
#define EIP(name)            DOC("Eip", name, "")
#define BIND(name, eip, nat) DOC("EipAssociation", name, "eip: " eip ", natGateway: " nat)
#define GROUP(name, vpc)     DOC("SecurityGroup", name, "vpc: " vpc)
#define ECS(name, more)      DOC("Instance", name, "image: img, instanceType: t6, " more)
#define SNAT(name, nat, source, eips)                                                                        \
    DOC("SnatEntry", name, "natGateway: " nat ", source: {" source "}, eips: [" eips "]")
#define DNAT(name, proto, outer, target, inner)                                                              \
    DOC("DnatEntry", name,                                                                                   \
        "natGateway: nat1, eip: eip1, protocol: " proto ", externalPort: " outer ", target: {" target        \
        "}, internalPort: " inner)
#define TABLE(name, vpc, more) DOC("RouteTable", name, "vpc: " vpc more)
/* 6 lines: a gateway with an EIP. */
#define GATEWAY                                                                                              \
    VPC VSW("web", "main", "10.0.1.0/24") NAT("nat1", "main", "web") EIP("eip1")                             \
        BIND("bind1", "eip1", "nat1") EIP("eip2")

/* The column does not matter in lines as long as these. */
struct wrong {
    const char *manifest;
    unsigned line;
    const char *summary, *help;
};

static void assert_wrong(const struct wrong *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct loaded t;
        load_text(&t, rows[i].manifest);
        const struct diag *d = t.diags.n > 0 ? &t.diags.items[0] : NULL;
        bool ok = t.code == ERR_INPUT && t.diags.n_errors == 1 && d != NULL && d->pos.line == rows[i].line &&
                  d->pos.column > 1 && d->address != NULL && strstr(d->summary, rows[i].summary) != NULL &&
                  (rows[i].help == NULL || (d->help != NULL && strstr(d->help, rows[i].help) != NULL));
        if (!ok)
            print_error("manifest:\n%s\nexpected line %u: %s\ngot code %s:\n%s", rows[i].manifest,
                        rows[i].line, rows[i].summary, err_code_name(t.code), print_diags(&t));
        assert_true(ok);
        loaded_fini(&t);
    }
}
#define ASSERT_WRONG(rows) assert_wrong((rows), N_ELEMENTS(rows))

static void assert_right(const char *manifest)
{
    struct loaded t;
    load_text(&t, manifest);
    if (t.code != ERR_OK) print_error("%s\n%s", manifest, print_diags(&t));
    assert_int_equal(t.code, ERR_OK);
    assert_int_equal(t.diags.n, 0);
    loaded_fini(&t);
}

static void blocks_keep_the_rules_of_the_cloud(void **state)
{
    (void)state;
    static const struct wrong rows[] = {
        {DOC("Vpc", "main", "cidrBlock: 100.64.0.0/12"), 1, "100.64.0.0/12 lies in 100.64.0.0/10",
         "192.168.0.0/16"},
        {DOC("Vpc", "main", "cidrBlock: 224.0.0.0/8"), 1, "lies in 224.0.0.0/4", NULL},
        {DOC("Vpc", "main", "cidrBlock: 127.0.0.0/8"), 1, "lies in 127.0.0.0/8", NULL},
        {DOC("Vpc", "main", "cidrBlock: 169.254.0.0/16"), 1, "lies in 169.254.0.0/16", NULL},
        {DOC("Vpc", "main", "cidrBlock: 10.0.0.0/8, secondaryCidrBlocks: [100.64.0.0/16]"), 1,
         "`secondaryCidrBlocks`: 100.64.0.0/16 lies in", NULL},
        {DOC("Vpc", "main", "cidrBlock: 10.0.0.0/8, secondaryCidrBlocks: [10.1.0.0/16]"), 1,
         "10.1.0.0/16 overlaps the primary block 10.0.0.0/8", NULL},
        {VPC VSW("web", "main", "10.1.0.0/24"), 2, "10.1.0.0/24 is not inside the blocks of the VPC `main`",
         "secondary block"},
        {VPC VSW("web", "main", "10.0.0.0/16") VSW("app", "main", "10.0.4.0/24"), 3,
         "10.0.4.0/24 overlaps 10.0.0.0/16 of the vSwitch `web` at a.yaml:2:", NULL},
        {VPC VSW("web", "main", "10.0.0.0/20") VSW("app", "main", "10.0.1.0/24")
             VSW("db", "main", "10.0.32.0/24") VSW("zz", "main", "10.0.32.0/28"),
         3, "", NULL},
        {VPC VSW("web", "main", "10.0.1.0/24") GROUP("sg1", "main")
             ECS("ecs1", "vSwitch: web, securityGroups: [sg1], privateIp: 10.0.2.1"),
         4, "10.0.2.1 is not inside 10.0.1.0/24 of the vSwitch `web`", NULL},
        {VPC VSW("web", "main", "10.0.1.0/24") GROUP("sg1", "main")
             ECS("ecs1", "vSwitch: web, securityGroups: [sg1], privateIp: 10.0.1.253"),
         4, "10.0.1.253 is reserved in 10.0.1.0/24", "last three"},
        {VPC VSW("web", "main", "10.0.1.0/24") GROUP("sg1", "main")
             ECS("ecs1", "vSwitch: web, securityGroups: [sg1], privateIp: 10.0.1.0"),
         4, "10.0.1.0 is reserved", "first address"},
        {GATEWAY DNAT("d1", "tcp", "80", "ip: 10.1.0.1", "80"), 7,
         "`target.ip`: 10.1.0.1 is not inside the blocks of the VPC `main`", NULL},
    };
    assert_wrong(rows, 8);
    assert_wrong(rows + 9, N_ELEMENTS(rows) - 9);
    struct loaded t; /* each of several overlaps is told */
    load_text(&t, rows[8].manifest);
    assert_int_equal(t.diags.n_errors, 2);
    loaded_fini(&t);
    assert_right(DOC("Vpc", "main", "cidrBlock: 10.0.0.0/16, secondaryCidrBlocks: [10.1.0.0/16]")
                     VSW("web", "main", "10.1.0.0/24"));
    assert_right(VPC VPC2 VSW("web", "main", "10.0.1.0/24") VSW("app", "main", "10.0.2.0/24")
                     VSW("db", "other", "172.16.1.0/24"));
    assert_right(VPC VSW("web", "main", "10.0.1.0/24") GROUP("sg1", "main")
                     ECS("ecs1", "vSwitch: web, securityGroups: [sg1], privateIp: 10.0.1.252"));
    assert_right(OBSERVED("Vpc", "main", "name: old-vpc") VSW("web", "main", "10.1.0.0/24"));
    assert_right(OBSERVED("Vpc", "main", "name: old-vpc, cidrBlock: 10.0.0.0/16")
                     VSW("web", "main", "172.16.0.0/24"));
}

static void what_is_joined_lies_in_one_vpc(void **state)
{
    (void)state;
#define TWO VPC VPC2 VSW("web", "main", "10.0.1.0/24") VSW("app", "other", "172.16.1.0/24")
    static const struct wrong rows[] = {
        {TWO NAT("nat1", "main", "app"), 5,
         "`vSwitch`: the VSwitch `app` is in the VPC `other`, but `vpc` in the VPC `main`", "one VPC"},
        {TWO GROUP("sg1", "other") ECS("ecs1", "vSwitch: web, securityGroups: [sg1]"), 6,
         "`securityGroups`: the SecurityGroup `sg1` is in the VPC `other`", NULL},
        {TWO TABLE("vtb1", "main", ", vSwitches: [app]"), 5,
         "`vSwitch`: the VSwitch `app` is in the VPC `other`", NULL},
        {TWO NAT("nat1", "other", "app")
             TABLE("vtb1", "main", ", routes: [{destination: 0.0.0.0/0, nextHop: {natGateway: nat1}}]"),
         6, "`nextHop.natGateway`: the NatGateway `nat1` is in the VPC `other`", NULL},
        {TWO GROUP("sg1", "other") ECS("ecs1", "vSwitch: app, securityGroups: [sg1]")
             TABLE("vtb1", "main", ", routes: [{destination: 0.0.0.0/0, nextHop: {instance: ecs1}}]"),
         7, "`nextHop.instance`: the Instance `ecs1` is in the VPC `other`", NULL},
        {TWO NAT("nat1", "main", "web") EIP("eip1") BIND("b1", "eip1", "nat1")
             SNAT("out", "nat1", "vSwitch: app", "eip1"),
         8, "`source.vSwitch`: the VSwitch `app` is in the VPC `other`", NULL},
    };
    ASSERT_WRONG(rows);
    assert_right(OBSERVED("Vpc", "va", "name: aa") OBSERVED("Vpc", "vb", "name: aa")
                     OBSERVED("VSwitch", "web", "name: ww, vpc: va") NAT("nat1", "vb", "web"));
}

static void eips_serve_the_gateway_that_they_are_bound_to(void **state)
{
    (void)state;
    static const struct wrong rows[] = {
        {GATEWAY SNAT("out", "nat1", "vSwitch: web", "eip1, eip2"), 7,
         "the EIP `eip2` is not bound to the NAT gateway `nat1`", "EipAssociation"},
        {GATEWAY NAT("nat2", "main", "web") BIND("bind2", "eip2", "nat2")
             SNAT("out", "nat1", "vSwitch: web", "eip2"),
         9, "the EIP `eip2` is bound to another NAT gateway by `bind2` at a.yaml:8:", NULL},
        {GATEWAY NAT("nat2", "main", "web")
             DOC("DnatEntry", "d1",
                 "natGateway: nat2, eip: eip1, externalPort: 80, target: {ip: 10.0.1.9}, internalPort: 80"),
         8, "the EIP `eip1` is bound to another NAT gateway", NULL},
        {GATEWAY GROUP("sg1", "main") ECS("ecs1", "vSwitch: web, securityGroups: [sg1]") DOC(
             "EipAssociation", "b2", "eip: eip2, instance: ecs1") SNAT("out", "nat1", "vSwitch: web", "eip2"),
         10, "is bound to an instance by `b2`", NULL},
        {GATEWAY BIND("bind2", "eip1", "nat1"), 7,
         "the EIP is bound twice; see `bind1` at a.yaml:5:", "one thing at a time"},
        {GATEWAY SNAT("o1", "nat1", "vSwitch: web", "eip1") SNAT("o2", "nat1", "vSwitch: web", "eip1"), 8,
         "the source has two SNAT entries on this gateway; see `o1`", NULL},
        {GATEWAY SNAT("o1", "nat1", "cidr: 10.0.0.0/8", "eip1")
             SNAT("o2", "nat1", "cidr: 10.0.0.0/8", "eip1"),
         8, "the source has two SNAT entries", NULL},
        {GATEWAY DNAT("d1", "any", "any", "ip: 10.0.1.9", "any") SNAT("out", "nat1", "vSwitch: web", "eip1"),
         8, "the EIP `eip1` is taken as a whole by the DnatEntry `d1` at a.yaml:7:", NULL},
        {DOC("Eip", "eip1", "bandwidth: 201"), 1,
         "`bandwidth` is 201, but with PayByTraffic it is at most 200", NULL},
        {DOC("Eip", "eip1", "bandwidth: 501, internetChargeType: PayByBandwidth"), 1,
         "with PayByBandwidth it is at most 500", NULL},
    };
    ASSERT_WRONG(rows);
    assert_right(GATEWAY SNAT("out", "nat1", "vSwitch: web", "eip1"));
    assert_right(GATEWAY SNAT("out", "nat1", "vSwitch: web", "{id: eip-9}"));
    assert_right(GATEWAY OBSERVED("Eip", "eip3", "name: old") SNAT("out", "nat1", "vSwitch: web", "eip3"));
    assert_right(EIP("eip1") SNAT("out", "{id: ngw-1}", "cidr: 10.0.0.0/8", "eip1"));
    assert_right(DOC("Eip", "eip1", "bandwidth: 500, internetChargeType: PayByBandwidth"));
}

static void dnat_ports_do_not_conflict(void **state)
{
    (void)state;
    static const struct wrong rows[] = {
        {GATEWAY DNAT("d1", "tcp", "80", "ip: 10.0.1.9", "80") DNAT("d2", "tcp", "80", "ip: 10.0.1.8", "80"),
         8, "`externalPort` 80/tcp overlaps that of the DnatEntry `d1` at a.yaml:7:", "leads to one target"},
        {GATEWAY DNAT("d1", "tcp", "80/90", "ip: 10.0.1.9", "80/90")
             DNAT("d2", "tcp", "85", "ip: 10.0.1.8", "85"),
         8, "`externalPort` 85/tcp overlaps", NULL},
        {GATEWAY DNAT("d1", "any", "any", "ip: 10.0.1.9", "any")
             DNAT("d2", "tcp", "85", "ip: 10.0.1.8", "85"),
         8, "the EIP is taken as a whole by the DnatEntry `d1`", NULL},
        {GATEWAY DNAT("d1", "tcp", "80", "ip: 10.0.1.9", "80") DNAT("d2", "tcp", "81", "ip: 10.0.1.9", "80"),
         8, "the DnatEntry `d1` at a.yaml:7:", "published once"},
        {GATEWAY DNAT("d1", "tcp", "80/90", "ip: 10.0.1.9", "80/91"), 7,
         "`externalPort` 80/90 and `internalPort` 80/91 differ in size", NULL},
        {GATEWAY DNAT("d1", "tcp", "any", "ip: 10.0.1.9", "any"), 7,
         "the port any needs the protocol any, not tcp", NULL},
        {GATEWAY DNAT("d1", "any", "any", "ip: 10.0.1.9", "80"), 7,
         "with the protocol any both ports must be any", NULL},
        {GATEWAY DNAT("d1", "any", "80", "ip: 10.0.1.9", "80"), 7,
         "with the protocol any both ports must be any", NULL},
        {GATEWAY GROUP("sg1", "main") ECS("ecs1", "vSwitch: web, securityGroups: [sg1], privateIp: 10.0.1.9")
             DNAT("d1", "tcp", "80", "ip: 10.0.1.9", "80") DNAT("d2", "tcp", "81", "instance: ecs1", "80"),
         10, "leads to the same target and `internalPort` 80/tcp", NULL},
        {DOC("SecurityGroupRule", "r1",
             "securityGroup: {id: sg-1}, protocol: gre, ports: 80, peer: {cidr: 0.0.0.0/0}"),
         1, "`ports` is `80`, but gre has no ports", "any"},
        {DOC("SecurityGroupRule", "r1",
             "securityGroup: {id: sg-1}, protocol: tcp, ports: 1/65535, peer: {cidr: 0.0.0.0/0}")
             DOC("SecurityGroupRule", "r2",
                 "securityGroup: {id: sg-1}, protocol: tcp, peer: {cidr: 0.0.0.0/0}"),
         2, "the same rule is given twice; see `r1`", NULL},
    };
    ASSERT_WRONG(rows);
    assert_right(GATEWAY DNAT("d1", "tcp", "80", "ip: 10.0.1.9", "80") DNAT(
        "d2", "udp", "80", "ip: 10.0.1.9", "80") DNAT("d3", "tcp", "81/90", "ip: 10.0.1.9", "181/190"));
}

static void routes_lead_where_the_cloud_lets_them(void **state)
{
    (void)state;
#define WITH_NAT    VPC VSW("web", "main", "10.0.1.0/24") NAT("nat1", "main", "web")
#define ROUTE(dest) "{destination: " dest ", nextHop: {natGateway: nat1}}"
    static const struct wrong rows[] = {
        {WITH_NAT TABLE("vtb1", "main", ", routes: [" ROUTE("10.0.1.0/24") "]"), 4,
         "10.0.1.0/24 is equal to 10.0.1.0/24 of the vSwitch `web`", NULL},
        {WITH_NAT TABLE("vtb1", "main", ", routes: [" ROUTE("10.0.1.128/25") "]"), 4,
         "10.0.1.128/25 is inside 10.0.1.0/24", NULL},
        {WITH_NAT TABLE("vtb1", "main", ", routes: [" ROUTE("100.64.0.0/10") "]"), 4,
         "is a route of the cloud itself", NULL},
        {WITH_NAT TABLE("vtb1", "main", ", routes: [" ROUTE("0.0.0.0/0") "]")
             DOC("RouteEntry", "r1", "routeTable: vtb1, destination: 0.0.0.0/0, nextHop: {natGateway: nat1}"),
         5, "the table has two routes to this destination; see `vtb1.default` at a.yaml:4:", NULL},
        {WITH_NAT TABLE("vtb1", "main", ", vSwitches: [web]") TABLE("vtb2", "main", ", vSwitches: [web]"), 5,
         "the vSwitch is associated with two route tables; see `vtb1.web`", "one route table"},
        {WITH_NAT TABLE("vtb1", "main", ", system: true") TABLE("vtb2", "main", ", system: true"), 5,
         "a second system table of the VPC; the first is `vtb1`", NULL},
        {WITH_NAT TABLE("vtb1", "main", ", system: true, vSwitches: [web]"), 4,
         "the system table `vtb1` cannot be associated", NULL},
    };
    ASSERT_WRONG(rows);
    assert_right(WITH_NAT TABLE(
        "vtb1", "main", ", vSwitches: [web], routes: [" ROUTE("10.0.0.0/16") ", " ROUTE("0.0.0.0/0") "]")
                     TABLE("sys", "main", ", system: true, routes: [" ROUTE("0.0.0.0/0") "]"));
}

static void regions_without_custom_tables_are_a_warning(void **state)
{
    (void)state;
    struct loaded t;
    load_text(&t, DOC("Stack", "prod", "region: cn-beijing") VPC TABLE("vtb1", "main", "")
                      TABLE("vtb2", "main", ""));
    assert_int_equal(t.code, ERR_OK);
    assert_int_equal(t.diags.n_warnings, 1);
    assert_non_null(strstr(t.diags.items[0].summary, "cn-beijing may have no custom route tables"));
    loaded_fini(&t);
    assert_right(DOC("Stack", "prod", "region: cn-shanghai") VPC TABLE("vtb1", "main", ""));
    assert_right(DOC("Stack", "prod", "region: cn-beijing") VPC TABLE("vtb1", "main", ", system: true"));
}

static void what_could_not_be_read_is_not_reported_as_missing(void **state)
{
    (void)state;
    struct loaded t;
    load_text(&t, DOC("Vpcc", "main", "") VSW("web", "main", "10.1.0.0/24"));
    assert_int_equal(t.diags.n_errors, 1);
    loaded_fini(&t);
    load_text(&t, VPC DOC("VSwitch", "web", "vpc: main, zone: cn-shanghai-b, cidrBlock: oops")
                      NAT("nat1", "main", "web"));
    assert_int_equal(t.diags.n_errors, 1);
    loaded_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_keep_the_rules_of_the_cloud),
        cmocka_unit_test(what_is_joined_lies_in_one_vpc),
        cmocka_unit_test(eips_serve_the_gateway_that_they_are_bound_to),
        cmocka_unit_test(dnat_ports_do_not_conflict),
        cmocka_unit_test(routes_lead_where_the_cloud_lets_them),
        cmocka_unit_test(regions_without_custom_tables_are_a_warning),
        cmocka_unit_test(what_could_not_be_read_is_not_reported_as_missing),
    };
    return cmocka_run_group_tests_name("manifest: bad stacks", tests, NULL, NULL);
}

/* disruption.c - what a plan says that traffic will suffer. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

#define DOC(text) "---\napiVersion: headgate/v1\n" text

/* Two gateways, of which 'other' leaves by 'eip'; 'in' is the vSwitch of the first. */
#define NETWORK(in, hop, eip)                                                                                \
    DOC("kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n")                                \
    DOC("kind: VSwitch\nmetadata: {name: front}\n"                                                           \
        "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n")                                  \
    DOC("kind: VSwitch\nmetadata: {name: back}\n"                                                            \
        "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.2.0/24}\n")                                  \
    DOC("kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: " in "}\n")                     \
    DOC("kind: NatGateway\nmetadata: {name: other}\nspec: {vpc: main, vSwitch: back}\n")                     \
    DOC("kind: Eip\nmetadata: {name: eip1}\nspec: {}\n")                                                     \
    DOC("kind: Eip\nmetadata: {name: eip2}\nspec: {}\n")                                                     \
    DOC("kind: RouteTable\nmetadata: {name: table}\nspec:\n  vpc: main\n"                                    \
        "  routes: [{destination: 0.0.0.0/0, nextHop: {" hop "}}]\n")                                        \
    eip
#define SNAT(nat, eip)                                                                                       \
    DOC("kind: EipAssociation\nmetadata: {name: at-" nat "}\nspec: {eip: " eip ", natGateway: " nat "}\n")   \
    DOC("kind: SnatEntry\nmetadata: {name: out-" nat "}\n"                                                   \
        "spec: {natGateway: " nat ", source: {vSwitch: front}, eips: [" eip "]}\n")

/* Brings 'before' about, plans 'after', and compares the class of one change. */
static void expect_class(const char *before, const char *after, const char *address, enum disruption wanted)
{
    CLEANUP(harness_fini) struct harness h;
    enum kind kind;
    struct text name;
    assert_true(address_parse(text_of(address), &kind, &name));
    harness_init(&h);
    harness_manifest(&h, before);
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, after);
    assert_int_equal(harness_plan(&h), ERR_OK);
    for (uint32_t k = 0; k < h.plan->n_changes; k++) {
        const struct change *c = &h.plan->changes[k];
        if (c->kind != kind || !text_equal(c->name, name)) continue;
        assert_string_equal(disruption_name(c->disruption), disruption_name(wanted));
        return;
    }
    fail_msg("%s is not changed:\n%s", address, harness_plan_text(&h, DUMP_CHANGES));
}

static void a_gateway_is_replaced_at_the_cost_of_its_entries(void **state)
{
    (void)state;
    expect_class(NETWORK("front", "natGateway: nat", SNAT("nat", "eip1")),
                 NETWORK("back", "natGateway: nat", SNAT("nat", "eip1")), "NatGateway/nat",
                 DISRUPTION_OUTAGE);
    expect_class(NETWORK("front", "natGateway: nat", ""), NETWORK("back", "natGateway: nat", ""),
                 "NatGateway/nat", DISRUPTION_BRIEF);
    /* The entries of another gateway are no matter. */
    expect_class(NETWORK("front", "natGateway: nat", SNAT("other", "eip1")),
                 NETWORK("back", "natGateway: nat", SNAT("other", "eip1")), "NatGateway/nat",
                 DISRUPTION_BRIEF);
}

static void a_route_to_a_way_out_with_other_addresses_changes_the_egress_address(void **state)
{
    (void)state;
    expect_class(NETWORK("front", "natGateway: nat", SNAT("nat", "eip1") SNAT("other", "eip2")),
                 NETWORK("front", "natGateway: other", SNAT("nat", "eip1") SNAT("other", "eip2")),
                 "RouteEntry/table.default", DISRUPTION_EGRESS);
    /* Also when the other one's entries are still to come. */
    expect_class(NETWORK("front", "natGateway: nat", SNAT("nat", "eip1")),
                 NETWORK("front", "natGateway: other", SNAT("nat", "eip1") SNAT("other", "eip2")),
                 "RouteEntry/table.default", DISRUPTION_EGRESS);
}

static void a_route_to_a_way_out_that_takes_the_address_over_is_brief(void **state)
{
    (void)state;
    expect_class(NETWORK("front", "natGateway: nat", SNAT("nat", "eip1")),
                 NETWORK("front", "natGateway: other", SNAT("other", "eip1")), "RouteEntry/table.default",
                 DISRUPTION_BRIEF);
}

static void what_is_not_known_of_the_egress_address_is_not_claimed(void **state)
{
    (void)state;
    expect_class(NETWORK("front", "natGateway: nat", SNAT("nat", "eip1")),
                 NETWORK("front", "natGateway: other", SNAT("nat", "eip1")), "RouteEntry/table.default",
                 DISRUPTION_BRIEF);
}

#define INSTANCE                                                                                             \
    DOC("kind: SecurityGroup\nmetadata: {name: web}\nspec: {vpc: main}\n")                                   \
    DOC("kind: Instance\nmetadata: {name: ecs}\n"                                                            \
        "spec: {vSwitch: front, securityGroups: [web], image: img, instanceType: ecs.t6}\n")                 \
    DOC("kind: EipAssociation\nmetadata: {name: at-ecs}\nspec: {eip: eip2, instance: ecs}\n")

static void an_instance_leaves_by_its_own_address(void **state)
{
    (void)state;
    expect_class(NETWORK("front", "natGateway: nat", SNAT("nat", "eip1") INSTANCE),
                 NETWORK("front", "instance: ecs", SNAT("nat", "eip1") INSTANCE), "RouteEntry/table.default",
                 DISRUPTION_EGRESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gateway_is_replaced_at_the_cost_of_its_entries),
        cmocka_unit_test(a_route_to_a_way_out_with_other_addresses_changes_the_egress_address),
        cmocka_unit_test(a_route_to_a_way_out_that_takes_the_address_over_is_brief),
        cmocka_unit_test(what_is_not_known_of_the_egress_address_is_not_claimed),
        cmocka_unit_test(an_instance_leaves_by_its_own_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

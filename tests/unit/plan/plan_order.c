/* plan_order.c - the steps of a plan and what each waits for. "~" marks what is only preferred. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

#define DOC "apiVersion: headgate/v1\n"
static const char way_out[] = DOC
    "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC
    "kind: VSwitch\nmetadata: {name: front}\n"
    "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n---\n" DOC
    "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: front}\n---\n" DOC
    "kind: Eip\nmetadata: {name: eip}\nspec: {}\n---\n" DOC
    "kind: EipAssociation\nmetadata: {name: bound}\nspec: {eip: eip, natGateway: nat}\n---\n" DOC
    "kind: SnatEntry\nmetadata: {name: out}\nspec: {natGateway: nat, source: {vSwitch: front}, eips: [eip]}\n---\n" DOC
    "kind: RouteTable\nmetadata: {name: table}\nspec:\n  vpc: main\n  vSwitches: [front]\n"
    "  routes: [{destination: 0.0.0.0/0, nextHop: {natGateway: nat}}]\n";

static void traffic_gets_its_way_before_it_is_sent_there(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, way_out);
    assert_string_equal(
        harness_plan_text(&h, DUMP_STEPS),
        "create Vpc/main\n"
        "create VSwitch/front after create Vpc/main\n"
        "create NatGateway/nat after create Vpc/main, create VSwitch/front\n"
        "create Eip/eip\n"
        "create EipAssociation/bound after create NatGateway/nat, create Eip/eip\n"
        "create SnatEntry/out after create VSwitch/front, create NatGateway/nat, create Eip/eip, "
        "create EipAssociation/bound\n"
        "create RouteTable/table after create Vpc/main\n"
        "create RouteEntry/table.default after create NatGateway/nat, ~create SnatEntry/out, "
        "create RouteTable/table\n"
        "create RouteTableAssociation/table.front after create VSwitch/front, create RouteTable/table, "
        "~create RouteEntry/table.default\n");
}

static void on_the_way_down_traffic_is_led_off_first(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, way_out);
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, DOC "kind: Eip\nmetadata: {name: eip}\nspec: {}\n");
    const char *steps = harness_plan_text(&h, DUMP_STEPS);
    assert_non_null(strstr(steps, "delete RouteTableAssociation/table.front\n"));
    assert_non_null(
        strstr(steps, "delete RouteEntry/table.default after ~delete RouteTableAssociation/table.front\n"));
    assert_non_null(strstr(steps, "delete SnatEntry/out after ~delete RouteEntry/table.default\n"));
    assert_non_null(strstr(steps, "delete EipAssociation/bound after delete SnatEntry/out\n"));
}

static void the_critical_path_is_that_of_the_gateway(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, way_out);
    assert_int_equal(harness_plan(&h), ERR_OK);
    assert_in_range(h.plan->critical_ms, 90000, 150000);
    assert_int_equal(h.plan->n_calls, 9);
    assert_int_equal(h.plan->n_add, 9);
    for (uint32_t s = 0; s < h.plan->n_steps; s++) {
        const struct step *step = &h.plan->steps[s];
        assert_true(step->path_ms <= h.plan->critical_ms);
        for (uint32_t k = 0; k < step->n_after; k++)
            assert_true(h.plan->steps[step->after[k].step].depth < step->depth);
    }
}

static void the_same_snapshots_give_the_same_plan(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    char *first = strdup(harness_plan_text(&h, DUMP_CHANGES | DUMP_STEPS));
    assert_string_equal(harness_plan_text(&h, DUMP_CHANGES | DUMP_STEPS), first);
    free(first);
}

static void a_preference_gives_way_where_it_would_go_in_circles(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, way_out);
    EXPECT_APPLIED(&h, NULL);
    /* The vSwitch is made anew where it was; the gateway moves out of it, and stays the route's next hop. */
    harness_manifest(
        &h, DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC
                "kind: VSwitch\nmetadata: {name: front}\n"
                "spec: {vpc: main, zone: cn-shanghai-g, cidrBlock: 10.0.1.0/24}\n---\n" DOC
                "kind: VSwitch\nmetadata: {name: back}\n"
                "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.2.0/24}\n---\n" DOC
                "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: back}\n---\n" DOC
                "kind: Eip\nmetadata: {name: eip}\nspec: {}\n---\n" DOC
                "kind: EipAssociation\nmetadata: {name: bound}\nspec: {eip: eip, natGateway: nat}\n---\n" DOC
                "kind: SnatEntry\nmetadata: {name: out}\n"
                "spec: {natGateway: nat, source: {vSwitch: front}, eips: [eip]}\n---\n" DOC
                "kind: RouteTable\nmetadata: {name: table}\nspec:\n  vpc: main\n"
                "  routes: [{destination: 0.0.0.0/0, nextHop: {natGateway: nat}}]\n");
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    EXPECT_CONVERGED(&h);
}

static void an_entry_goes_first_where_it_cannot_be_led_over(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, way_out);
    EXPECT_APPLIED(&h, NULL);
    /* Its next hop is a gateway that can be made only where the old one has been. */
    harness_manifest(
        &h, DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC
                "kind: VSwitch\nmetadata: {name: front}\n"
                "spec: {vpc: main, zone: cn-shanghai-g, cidrBlock: 10.0.1.0/24}\n---\n" DOC
                "kind: NatGateway\nmetadata: {name: another}\nspec: {vpc: main, vSwitch: front}\n---\n" DOC
                "kind: RouteTable\nmetadata: {name: table}\nspec:\n  vpc: main\n"
                "  routes: [{destination: 0.0.0.0/0, nextHop: {natGateway: another}}]\n");
    const char *plan = harness_plan_text(&h, DUMP_CHANGES);
    assert_non_null(strstr(plan, "-/+ RouteEntry/table.default (parent replaced)\n"));
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    EXPECT_CONVERGED(&h);
}

/* ---- an instance has one address, or entries that lead to it ---- */

#define SERVER(type, ip)                                                                                     \
    DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC                        \
        "kind: VSwitch\nmetadata: {name: front}\n"                                                           \
        "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n---\n" DOC                          \
        "kind: SecurityGroup\nmetadata: {name: web}\nspec: {vpc: main}\n---\n" DOC                           \
        "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: front}\n---\n" DOC              \
        "kind: Eip\nmetadata: {name: one}\nspec: {}\n---\n" DOC                                              \
        "kind: Eip\nmetadata: {name: two}\nspec: {}\n---\n" DOC                                              \
        "kind: EipAssociation\nmetadata: {name: one-nat}\nspec: {eip: one, natGateway: nat}\n" INSTANCE(     \
            "server", type, ip)
#define INSTANCE(name, type, ip)                                                                             \
    "---\n" DOC "kind: Instance\nmetadata: {name: " name "}\n"                                               \
    "spec: {vSwitch: front, securityGroups: [web], image: any, instanceType: " type ", privateIp: " ip "}\n"
#define PUBLISHED                                                                                            \
    "---\n" DOC "kind: DnatEntry\nmetadata: {name: http}\n"                                                  \
    "spec: {natGateway: nat, eip: one, externalPort: 80, internalPort: 80, target: {instance: server}}\n"
#define BOUND(name, eip)                                                                                     \
    "---\n" DOC "kind: EipAssociation\nmetadata: {name: " name "}\nspec: {eip: " eip ", instance: server}\n"
#define THREE "---\n" DOC "kind: Eip\nmetadata: {name: three}\nspec: {}\n"
#define SMALL "ecs.t6-c1m1.large"
#define LARGE "ecs.t6-c1m2.large"

static void expect_no_refusal(const char *const *manifests, size_t n)
{
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    for (size_t k = 0; k < n; k++) {
        harness_manifest(&h, manifests[k]);
        EXPECT_APPLIED(&h, NULL);
        assert_string_equal(harness_refused(&h), "");
        EXPECT_CONVERGED(&h);
    }
}

static void an_instance_is_left_before_it_is_taken(void **state)
{
    (void)state;
    const char *const published[] = {SERVER(SMALL, "10.0.1.10") THREE PUBLISHED,
                                     SERVER(SMALL, "10.0.1.10") THREE BOUND("direct", "two"),
                                     SERVER(SMALL, "10.0.1.10") THREE BOUND("another", "three"),
                                     SERVER(SMALL, "10.0.1.10") THREE PUBLISHED};
    expect_no_refusal(published, N_ELEMENTS(published));
    const char *const made_anew[] = {SERVER(SMALL, "10.0.1.10") PUBLISHED,
                                     SERVER(LARGE, "10.0.1.10") BOUND("direct", "two"),
                                     SERVER(SMALL, "10.0.1.10") PUBLISHED};
    expect_no_refusal(made_anew, N_ELEMENTS(made_anew));
}

static void an_instance_loses_its_address_before_it_gets_another(void **state)
{
    (void)state;
    const char *const manifests[] = {SERVER(SMALL, "10.0.1.10") THREE BOUND("direct", "two"),
                                     SERVER(SMALL, "10.0.1.10") THREE BOUND("direct", "three")};
    expect_no_refusal(manifests, N_ELEMENTS(manifests));
}

static void private_addresses_are_left_before_they_are_taken(void **state)
{
    (void)state;
    const char *const manifests[] = {
        SERVER(SMALL, "10.0.1.10") INSTANCE("peer", SMALL, "10.0.1.11"),
        SERVER(SMALL, "10.0.1.11") INSTANCE("peer", SMALL, "10.0.1.10"),
    };
    expect_no_refusal(manifests, N_ELEMENTS(manifests));
}

#define NETS                                                                                                 \
    DOC "kind: Vpc\nmetadata: {name: east}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC                        \
        "kind: Vpc\nmetadata: {name: west}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC                        \
        "kind: VSwitch\nmetadata: {name: front}\n"                                                           \
        "spec: {vpc: east, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n"
#define TABLE(name, vpc, front)                                                                              \
    "---\n" DOC "kind: RouteTable\nmetadata: {name: " name "}\nspec: {vpc: " vpc ", vSwitches: [" front "]}\n"

static void a_vswitch_is_led_from_one_table_to_the_next_while_both_are_made_anew(void **state)
{
    (void)state;
    const char *const manifests[] = {NETS TABLE("one", "east", "front") TABLE("two", "west", ""),
                                     NETS TABLE("one", "west", "") TABLE("two", "east", "front")};
    expect_no_refusal(manifests, N_ELEMENTS(manifests));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traffic_gets_its_way_before_it_is_sent_there),
        cmocka_unit_test(on_the_way_down_traffic_is_led_off_first),
        cmocka_unit_test(the_critical_path_is_that_of_the_gateway),
        cmocka_unit_test(the_same_snapshots_give_the_same_plan),
        cmocka_unit_test(a_preference_gives_way_where_it_would_go_in_circles),
        cmocka_unit_test(an_entry_goes_first_where_it_cannot_be_led_over),
        cmocka_unit_test(an_instance_is_left_before_it_is_taken),
        cmocka_unit_test(an_instance_loses_its_address_before_it_gets_another),
        cmocka_unit_test(private_addresses_are_left_before_they_are_taken),
        cmocka_unit_test(a_vswitch_is_led_from_one_table_to_the_next_while_both_are_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

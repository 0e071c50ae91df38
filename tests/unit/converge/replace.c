/* replace.c - replacements with all that hangs on what is replaced: the calls in their order, none refused.
 */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

/* What can be different about the example. */
struct example {
    const char *vpc_cidr, *zone, *front_cidr, *gateway_in, *isp, *table_vpc, *group_type;
};

static const struct example usual = {"10.0.0.0/8", "cn-shanghai-b", "10.0.1.0/24", "front",
                                     "BGP",        "main",          "normal"};

#define DOC "apiVersion: headgate/v1\n"
static void use_example(struct harness *h, const struct example *e)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 1 << 20);
    buf_printf(&b, DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: %s}\n---\n", e->vpc_cidr);
    buf_printf(&b, DOC "kind: Vpc\nmetadata: {name: other}\nspec: {cidrBlock: 192.168.0.0/16}\n---\n");
    buf_printf(
        &b, DOC "kind: VSwitch\nmetadata: {name: front}\nspec: {vpc: main, zone: %s, cidrBlock: %s}\n---\n",
        e->zone, e->front_cidr);
    buf_puts(&b, DOC "kind: VSwitch\nmetadata: {name: back}\n"
                     "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.9.0/24}\n---\n");
    buf_printf(&b,
               DOC "kind: SecurityGroup\nmetadata: {name: web}\nspec:\n  vpc: main\n  type: %s\n  rules:\n"
                   "    - {protocol: tcp, ports: \"80\", peer: {cidr: 0.0.0.0/0}}\n---\n",
               e->group_type);
    buf_puts(&b,
             DOC "kind: Instance\nmetadata: {name: ecs}\n"
                 "spec: {vSwitch: front, securityGroups: [web], image: img, instanceType: ecs.t6}\n---\n");
    buf_printf(&b, DOC "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: %s}\n---\n",
               e->gateway_in);
    buf_printf(&b, DOC "kind: Eip\nmetadata: {name: eip}\nspec: {isp: %s}\n---\n", e->isp);
    buf_puts(&b,
             DOC "kind: EipAssociation\nmetadata: {name: bound}\nspec: {eip: eip, natGateway: nat}\n---\n");
    buf_puts(&b, DOC "kind: SnatEntry\nmetadata: {name: way-out}\n"
                     "spec: {natGateway: nat, source: {vSwitch: front}, eips: [eip]}\n---\n");
    buf_puts(&b, DOC
             "kind: DnatEntry\nmetadata: {name: way-in}\nspec: {natGateway: nat, eip: eip, protocol: tcp, "
             "externalPort: \"80\", target: {instance: ecs}, internalPort: \"80\"}\n---\n");
    bool same = strcmp(e->table_vpc, "main") == 0; /* a gateway of another VPC cannot be its next hop */
    buf_printf(
        &b, DOC "kind: RouteTable\nmetadata: {name: table}\nspec:\n  vpc: %s\n%s", e->table_vpc,
        same ? "  routes:\n    - {destination: 0.0.0.0/0, nextHop: {natGateway: nat}}\n  vSwitches: [front]\n"
             : "");
    harness_manifest(h, buf_str(&b));
}

/* From the usual one to 'e', as planned, without a refused call, and back. */
static void there_and_back(const struct example *e, const char *plan, bool loses_state)
{
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    use_example(&h, &usual);
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    size_t n = harness_count(&h, NULL) - harness_count(&h, "routeentry");
    for (int way = 0; way < 2; way++) {
        use_example(&h, way == 0 ? e : &usual);
        if (loses_state) memory_forget(&h.memory);
        if (way == 0 && plan != NULL) EXPECT_PLAN(&h, plan);
        harness_clear_ledger(&h);
        EXPECT_APPLIED(&h, NULL);
        assert_string_equal(harness_refused(&h), "");
        EXPECT_CONVERGED(&h);
        harness_wait(&h, 600000);
        if (strcmp(e->table_vpc, "main") == 0)
            assert_int_equal(harness_count(&h, NULL) - harness_count(&h, "routeentry"), n);
    }
    harness_clear_ledger(&h);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_string_equal(harness_refused(&h), "");
    harness_wait(&h, 600000);
    assert_int_equal(harness_count(&h, NULL), 0);
}

static struct example with_gateway_in_back(void)
{
    struct example e = usual;
    e.gateway_in = "back";
    return e;
}

static void a_gateway_moves_with_its_entries_and_routes(void **state)
{
    (void)state;
    struct example e = with_gateway_in_back();
    there_and_back(&e,
                   "+/- NatGateway/nat (vSwitch)\n"
                   "-/+ EipAssociation/bound (parent replaced)\n"
                   "-/+ SnatEntry/way-out (parent replaced)\n"
                   "-/+ DnatEntry/way-in (parent replaced)\n"
                   "~ RouteEntry/table.default nextHop.natGateway\n",
                   false);
}

static void a_gateway_moves_when_the_state_is_lost(void **state)
{
    (void)state;
    struct example e = with_gateway_in_back();
    there_and_back(&e, NULL, true);
}

static void the_route_is_led_to_the_new_gateway_before_the_old_one_goes(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    use_example(&h, &usual);
    EXPECT_APPLIED(&h, NULL);
    harness_clear_ledger(&h);
    struct example e = with_gateway_in_back();
    use_example(&h, &e);
    EXPECT_APPLIED(&h, NULL);
    static const char *const order[] = {
        " CreateNatGateway ", " DeleteSnatEntry ",  " UnassociateEipAddress ", " AssociateEipAddress ",
        " CreateSnatEntry ",  " ModifyRouteEntry ", " DeleteNatGateway "};
    const char *at = harness_calls(&h);
    for (size_t k = 0; k < N_ELEMENTS(order); k++) {
        const char *next = strstr(at, order[k]);
        if (next == NULL)
            print_message("%s is not after the one before it in\n%s", order[k], harness_calls(&h));
        assert_non_null(next);
        at = next;
    }
}

static void use_three_gateways(struct harness *h, const char *vswitch)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 1 << 16);
    buf_puts(&b, DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n");
    for (int k = 1; k <= 2; k++)
        buf_printf(&b,
                   "---\n" DOC "kind: VSwitch\nmetadata: {name: vsw%d}\n"
                   "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.%d.0/24}\n",
                   k, k);
    for (int k = 1; k <= 3; k++)
        buf_printf(&b,
                   "---\n" DOC "kind: NatGateway\nmetadata: {name: nat%d}\nspec: {vpc: main, vSwitch: %s}\n",
                   k, vswitch);
    harness_manifest(h, buf_str(&b));
}

/* The new one first is one more than the quota has room for, until another old one is gone. */
static void a_full_quota_is_waited_for_while_something_is_deleted(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    use_three_gateways(&h, "vsw1");
    EXPECT_APPLIED(&h, NULL);
    harness_option(&h, "quota-nat-gateways-per-vpc", "4");
    use_three_gateways(&h, "vsw2");
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    assert_non_null(strstr(harness_refused(&h), "QuotaExceeded.NatGateway"));
    EXPECT_CONVERGED(&h);
    harness_wait(&h, 600000);
    assert_int_equal(harness_count(&h, "natgateway"), 3);
}

/* The old gateway is not deleted any more: its address was still bound when the interrupt came. */
static void nobody_waits_for_room_after_an_interrupt(void **state)
{
    (void)state;
    static const char base[] =
        DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC
            "kind: VSwitch\nmetadata: {name: vsw}\n"
            "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n---\n" DOC
            "kind: Eip\nmetadata: {name: eip}\nspec: {}\n---\n" DOC
            "kind: NatGateway\nmetadata: {name: %s}\nspec: {vpc: main, vSwitch: vsw}\n---\n" DOC
            "kind: EipAssociation\nmetadata: {name: of-%s}\nspec: {eip: eip, natGateway: %s}\n";
    char before[1024], after[1024];
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    (void)snprintf(before, sizeof before, base, "old", "old", "old");
    (void)snprintf(after, sizeof after, base, "new", "new", "new");
    harness_manifest(&h, before);
    EXPECT_APPLIED(&h, NULL);
    harness_option(&h, "quota-nat-gateways-per-vpc", "1");
    harness_manifest(&h, after);
    struct apply_script script = {.interrupt_at_ms = 500};
    assert_int_equal(harness_apply(&h, &script), ERR_CANCELED);
    assert_int_equal(h.summary.n_failed, 0);
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    harness_wait(&h, 600000);
    assert_int_equal(harness_count(&h, "natgateway"), 1);
}

/* Each waits for the deletion that waits for another of them: nothing would ever happen. */
static void a_full_quota_that_no_deletion_helps_is_said(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    use_three_gateways(&h, "vsw1");
    EXPECT_APPLIED(&h, NULL);
    harness_option(&h, "quota-nat-gateways-per-vpc", "3");
    use_three_gateways(&h, "vsw2");
    assert_int_equal(harness_apply(&h, NULL), ERR_LIMIT);
    assert_non_null(strstr(buf_str(&h.progress), "QuotaExceeded.NatGateway"));
    assert_int_equal(h.summary.n_failed, 3);
    assert_int_equal(harness_count(&h, "natgateway"), 3);
    assert_int_equal(h.memory.n_intents, 0);
    harness_option(&h, "quota-nat-gateways-per-vpc", "4");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
}

static void an_address_is_exchanged_without_a_gap(void **state)
{
    (void)state;
    struct example e = usual;
    e.isp = "BGP_PRO";
    there_and_back(&e,
                   "+/- Eip/eip (isp)\n"
                   "+/- EipAssociation/bound (parent replaced)\n"
                   "~ SnatEntry/way-out eips\n"
                   "~ DnatEntry/way-in eip\n",
                   false);
    there_and_back(&e, NULL, true);
}

static void a_vswitch_takes_all_that_lies_in_it_along(void **state)
{
    (void)state;
    struct example e = usual;
    e.zone = "cn-shanghai-g";
    there_and_back(&e,
                   "-/+ VSwitch/front (zone)\n"
                   "-/+ Instance/ecs (parent replaced)\n"
                   "-/+ NatGateway/nat (parent replaced)\n"
                   "-/+ EipAssociation/bound (parent replaced)\n"
                   "-/+ SnatEntry/way-out (parent replaced)\n"
                   "-/+ DnatEntry/way-in (parent replaced)\n"
                   "-/+ RouteEntry/table.default (parent replaced)\n"
                   "-/+ RouteTableAssociation/table.front (parent replaced)\n",
                   false);
    there_and_back(&e, NULL, true);
}

static void a_vswitch_gets_another_block(void **state)
{
    (void)state;
    struct example e = usual;
    e.front_cidr = "10.0.1.0/25";
    there_and_back(&e, NULL, false);
    there_and_back(&e, NULL, true);
}

static void a_group_is_exchanged_under_its_instances(void **state)
{
    (void)state;
    struct example e = usual;
    e.group_type = "enterprise";
    there_and_back(&e,
                   "+/- SecurityGroup/web (type)\n"
                   "+/- SecurityGroupRule/web.ingress-tcp-80-0.0.0.0-0 (parent replaced)\n"
                   "~ Instance/ecs securityGroups\n",
                   false);
    there_and_back(&e, NULL, true);
}

static void a_table_moves_to_another_vpc(void **state)
{
    (void)state;
    struct example e = usual;
    e.table_vpc = "other";
    there_and_back(&e, NULL, false);
}

static void several_things_at_once(void **state)
{
    (void)state;
    struct example e = {"10.0.0.0/8", "cn-shanghai-g", "10.0.1.0/25", "back",
                        "BGP_PRO",    "main",          "enterprise"};
    there_and_back(&e, NULL, false);
    there_and_back(&e, NULL, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gateway_moves_with_its_entries_and_routes),
        cmocka_unit_test(a_gateway_moves_when_the_state_is_lost),
        cmocka_unit_test(the_route_is_led_to_the_new_gateway_before_the_old_one_goes),
        cmocka_unit_test(a_full_quota_is_waited_for_while_something_is_deleted),
        cmocka_unit_test(nobody_waits_for_room_after_an_interrupt),
        cmocka_unit_test(a_full_quota_that_no_deletion_helps_is_said),
        cmocka_unit_test(an_address_is_exchanged_without_a_gap),
        cmocka_unit_test(a_vswitch_takes_all_that_lies_in_it_along),
        cmocka_unit_test(a_vswitch_gets_another_block),
        cmocka_unit_test(a_group_is_exchanged_under_its_instances),
        cmocka_unit_test(a_table_moves_to_another_vpc),
        cmocka_unit_test(several_things_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

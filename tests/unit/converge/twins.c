/* twins.c - what is made beside the one that it replaces carries the same tags, and a number that tells the
 * two apart: neither a crash nor a lost state, nor somebody's copy of the tags, makes headgate delete the
 * wrong one.
 */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

#define DOC      "apiVersion: headgate/v1\n"
#define EIP(isp) DOC "kind: Eip\nmetadata: {name: out}\nspec: {isp: " isp "}\n"

/* A gateway with all that hangs on it; the zone of its vSwitch cannot be changed in place. */
#define NETWORK(vswitch)                                                                                     \
    DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC                        \
        "kind: VSwitch\nmetadata: {name: front}\n"                                                           \
        "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n---\n" DOC                          \
        "kind: VSwitch\nmetadata: {name: back}\n"                                                            \
        "spec: {vpc: main, zone: cn-shanghai-g, cidrBlock: 10.0.2.0/24}\n---\n" DOC                          \
        "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: " vswitch "}\n---\n" DOC        \
        "kind: Eip\nmetadata: {name: out}\nspec: {}\n---\n" DOC                                              \
        "kind: EipAssociation\nmetadata: {name: bound}\nspec: {eip: out, natGateway: nat}\n---\n" DOC        \
        "kind: SnatEntry\nmetadata: {name: front}\n"                                                         \
        "spec: {natGateway: nat, source: {vSwitch: front}, eips: [out]}\n---\n" DOC                          \
        "kind: RouteTable\nmetadata: {name: table}\n"                                                        \
        "spec: {vpc: main, routes: [{destination: 0.0.0.0/0, nextHop: {natGateway: nat}}]}\n"

static void cut_anywhere(const char *before, const char *after, const char *type, const char *address,
                         bool forgets)
{
    for (uint32_t at = 1;; at++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest(&h, before);
        EXPECT_APPLIED(&h, NULL);
        char first[64];
        (void)snprintf(first, sizeof first, "%s", harness_id(&h, address));
        harness_manifest(&h, after);
        struct apply_script script = {.cut_at = at};
        (void)harness_apply(&h, &script);
        if (!h.was_cut) {
            assert_in_range(at, 6, 200);
            return;
        }
        harness_wait(&h, 600000);
        if (forgets) memory_forget(&h.memory);
        EXPECT_APPLIED(&h, NULL);
        EXPECT_CONVERGED(&h);
        harness_wait(&h, 600000);
        assert_int_equal(harness_count(&h, type), 1);
        assert_string_not_equal(harness_id(&h, address), first);
    }
}

static void a_crash_anywhere_leaves_the_new_one(void **state)
{
    (void)state;
    cut_anywhere(EIP("BGP"), EIP("BGP_PRO"), "eip", "Eip/out", false);
}

static void so_it_does_when_the_state_is_lost_as_well(void **state)
{
    (void)state;
    cut_anywhere(EIP("BGP"), EIP("BGP_PRO"), "eip", "Eip/out", true);
}

static void a_gateway_with_its_entries_is_replaced_through_any_crash(void **state)
{
    (void)state;
    cut_anywhere(NETWORK("front"), NETWORK("back"), "natgateway", "NatGateway/nat", false);
}

static void and_through_a_lost_state(void **state)
{
    (void)state;
    cut_anywhere(NETWORK("front"), NETWORK("back"), "natgateway", "NatGateway/nat", true);
}

/* Leaves both of them behind. */
static void interrupt_replacement(struct harness *h)
{
    harness_manifest(h, EIP("BGP"));
    EXPECT_APPLIED(h, NULL);
    harness_manifest(h, EIP("BGP_PRO"));
    for (uint32_t at = 1; harness_count(h, "eip") < 2; at++) {
        struct apply_script script = {.cut_at = at};
        (void)harness_apply(h, &script);
        assert_true(h->was_cut);
    }
    harness_wait(h, 60000);
}

static void the_old_one_is_said_to_be_left_behind(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    interrupt_replacement(&h);
    EXPECT_PLAN(&h, "- Eip/out (left behind)\n");
    h.options.prune = false; /* its end was agreed to when it was replaced */
    EXPECT_PLAN(&h, "- Eip/out (left behind)\n");
}

static void a_third_wish_replaces_the_new_one(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    interrupt_replacement(&h);
    harness_manifest(&h, EIP("BGP"));
    EXPECT_PLAN(&h, "+/- Eip/out (isp)\n- Eip/out (left behind)\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_count(&h, "eip"), 1);
    memory_forget(&h.memory);
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
}

static void destroy_takes_both(void **state)
{
    (void)state;
    for (int forgets = 0; forgets < 2; forgets++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        interrupt_replacement(&h);
        if (forgets) memory_forget(&h.memory);
        assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
        assert_int_equal(harness_count(&h, "eip"), 0);
    }
}

/* ---- somebody's copy ---- */

static void copy_tags(struct harness *h)
{
    const char *params[] = {"ISP",         "BGP",     "Tag.1.Key",   "headgate:stack",
                            "Tag.1.Value", "default", "Tag.2.Key",   "headgate:address",
                            "Tag.2.Value", "Eip/out", "ClientToken", "theirs",
                            NULL};
    const char *id = harness_call(h, "Vpc", "AllocateEipAddress", params, "AllocationId");
    assert_string_not_equal(id, "");
    assert_int_equal(harness_count(h, "eip"), 2);
}

static void a_copy_is_named_and_left_alone(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("BGP"));
    EXPECT_APPLIED(&h, NULL);
    copy_tags(&h);
    const char *plan = harness_plan_text(&h, DUMP_CHANGES);
    assert_non_null(strstr(plan, "warning: Eip/out: eip-"));
    assert_non_null(strstr(plan, "carries the same tags as eip-"));
    assert_null(strstr(plan, "- Eip/out"));
    EXPECT_APPLIED(&h, NULL);
    assert_int_equal(harness_count(&h, "eip"), 2);
}

static void while_there_is_a_copy_nothing_is_replaced(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("BGP"));
    EXPECT_APPLIED(&h, NULL);
    copy_tags(&h);
    harness_manifest(&h, EIP("BGP_PRO"));
    const char *plan = harness_plan_text(&h, DUMP_CHANGES);
    assert_non_null(strstr(plan, "error: Eip/out: cannot be replaced while eip-"));
    assert_int_equal(harness_apply(&h, NULL), ERR_CONFLICT);
    assert_int_equal(harness_count(&h, "eip"), 2);
}

static void a_copy_survives_the_destroy(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("BGP"));
    EXPECT_APPLIED(&h, NULL);
    copy_tags(&h);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_int_equal(harness_count(&h, "eip"), 1);
}

static void without_a_record_a_copy_cannot_be_told(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("BGP"));
    EXPECT_APPLIED(&h, NULL);
    copy_tags(&h);
    memory_forget(&h.memory);
    const char *plan = harness_plan_text(&h, DUMP_CHANGES);
    assert_non_null(strstr(plan, "error: Eip/out: 2 objects are tagged as Eip/out"));
    assert_int_equal(harness_destroy(&h, NULL), ERR_CONFLICT);
    harness_manifest(&h, DOC "kind: Eip\nmetadata: {name: other}\nspec: {}\n"); /* nobody wants either */
    EXPECT_APPLIED(&h, NULL);
    assert_int_equal(harness_count(&h, "eip"), 3);
}

/* Two things under one address, and an intent of its own for each: the harness asks for it at every call. */
static void a_new_one_is_made_while_the_oldest_goes(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("BGP"));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, EIP("BGP_PRO"));
    struct apply_script script = {.fail_operation = "ReleaseEipAddress", .fail_code = "Forbidden.RAM"};
    assert_int_equal(harness_apply(&h, &script), ERR_DENIED);
    harness_manifest(&h, EIP("BGP"));
    EXPECT_PLAN(&h, "+/- Eip/out (isp)\n- Eip/out (left behind)\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    harness_wait(&h, 600000);
    assert_int_equal(harness_count(&h, "eip"), 1);
    assert_int_equal(h.memory.n_intents, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_anywhere_leaves_the_new_one),
        cmocka_unit_test(so_it_does_when_the_state_is_lost_as_well),
        cmocka_unit_test(a_gateway_with_its_entries_is_replaced_through_any_crash),
        cmocka_unit_test(and_through_a_lost_state),
        cmocka_unit_test(the_old_one_is_said_to_be_left_behind),
        cmocka_unit_test(a_third_wish_replaces_the_new_one),
        cmocka_unit_test(a_new_one_is_made_while_the_oldest_goes),
        cmocka_unit_test(destroy_takes_both),
        cmocka_unit_test(a_copy_is_named_and_left_alone),
        cmocka_unit_test(while_there_is_a_copy_nothing_is_replaced),
        cmocka_unit_test(a_copy_survives_the_destroy),
        cmocka_unit_test(without_a_record_a_copy_cannot_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

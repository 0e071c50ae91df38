/* plan_guards.c - what is not deleted: guards, lifecycles, targets; and what a removal does. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

#define DOC  "apiVersion: headgate/v1\n"
#define NEXT "---\n" DOC
#define VPC  DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n"
#define FRONT                                                                                                \
    NEXT "kind: VSwitch\nmetadata: {name: front}\n"                                                          \
         "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n"
#define NAT(lifecycle)                                                                                       \
    NEXT                                                                                                     \
        "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: front}\nlifecycle: {" lifecycle \
        "}\n"
#define EIP(name, more, lifecycle)                                                                           \
    DOC "kind: Eip\nmetadata: {name: " name "}\nspec: {" more "}\nlifecycle: {" lifecycle "}\n"
#define STACK(more) DOC "kind: Stack\nmetadata: {name: test}\nspec: {" more "}\n"

static void begin(struct harness *h, const char *manifest)
{
    harness_init(h);
    harness_manifest(h, manifest);
    EXPECT_APPLIED(h, NULL);
}

/* ---- preventDestroy ---- */

static void prevent_destroy_refuses_a_deletion_even_when_the_manifest_is_gone(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, STACK("") NEXT
          "kind: Eip\nmetadata: {name: keep}\nspec: {}\nlifecycle: {preventDestroy: true}\n" NEXT
          "kind: Eip\nmetadata: {name: other}\nspec: {}\n");
    harness_manifest(&h, STACK("") NEXT "kind: Eip\nmetadata: {name: other}\nspec: {}\n");
    char expected[256];
    (void)snprintf(
        expected, sizeof expected,
        "GUARD: a guard refused the plan\n"
        "error: Eip/keep: Eip/keep [id=%s] may not be destroyed: lifecycle.preventDestroy is set\n",
        harness_id(&h, "Eip/keep"));
    EXPECT_PLAN(&h, expected);
}

static void prevent_destroy_refuses_destroy_and_replacement(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, EIP("eip", "isp: BGP", "preventDestroy: true"));
    assert_int_equal(harness_destroy(&h, NULL), ERR_GUARD);
    harness_manifest(&h, EIP("eip", "isp: BGP_PRO", "preventDestroy: true"));
    EXPECT_PLAN(&h,
                "GUARD: a guard refused the plan\n"
                "error: Eip/eip: Eip/eip would have to be replaced, but lifecycle.preventDestroy is set\n");
    harness_manifest(&h, EIP("eip", "isp: BGP_PRO", ""));
    EXPECT_PLAN(&h,
                "GUARD: a guard refused the plan\n" /* it has to be lifted before, not with it */
                "error: Eip/eip: Eip/eip would have to be replaced, but lifecycle.preventDestroy is set\n");
}

static void prevent_destroy_is_also_the_clouds_protection_and_can_be_lifted(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, EIP("eip", "", "preventDestroy: true"));
    assert_non_null(strstr(harness_calls(&h), " DeletionProtection 200"));
    EXPECT_CONVERGED(&h);
    harness_manifest(&h, EIP("eip", "", ""));
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    harness_clear_ledger(&h);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_string_equal(harness_refused(&h), "");
    assert_int_equal(harness_count(&h, "eip"), 0);
}

static void prevent_destroy_protects_what_exists_already(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, VPC FRONT NAT(""));
    harness_manifest(&h, VPC FRONT NAT("preventDestroy: true"));
    EXPECT_PLAN(&h, "~ NatGateway/nat deletionProtection\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    harness_set(&h, "NatGateway/nat", "DeletionProtection=false");
    EXPECT_DRIFT(&h, "~ NatGateway/nat deletionProtection drift\n! NatGateway/nat deletionProtection\n");
    harness_manifest(&h, VPC FRONT NAT("preventDestroy: false"));
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_int_equal(harness_count(&h, NULL), 0);
}

/* ---- removal ---- */

static void what_is_removed_from_the_manifests_is_deleted(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, EIP("one", "", "") "---\n" EIP("two", "", ""));
    harness_manifest(&h, EIP("one", "", ""));
    EXPECT_PLAN(&h, "- Eip/two\n");
    memory_forget(&h.memory); /* by its tags */
    EXPECT_PLAN(&h, "- Eip/two\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_count(&h, "eip"), 1);
}

static void without_prune_it_stays(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, EIP("one", "", "") "---\n" EIP("two", "", ""));
    harness_manifest(&h, EIP("one", "", ""));
    h.options.prune = false;
    EXPECT_PLAN(&h, "warning: 1 resource of stack \"default\" is no longer in the manifests and stays\n");
}

static void an_orphan_is_forgotten_and_stays(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, EIP("one", "", "") "---\n" EIP("two", "", "onRemoval: orphan"));
    harness_manifest(&h, EIP("one", "", ""));
    EXPECT_PLAN(&h, "x Eip/two (orphan)\n");
    EXPECT_APPLIED(&h, NULL);
    assert_int_equal(harness_count(&h, "eip"), 2);
    assert_int_equal(h.memory.n_records, 1);
    EXPECT_PLAN(&h, "");
}

static void what_is_gone_already_is_forgotten(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, EIP("one", "", "") "---\n" EIP("two", "", ""));
    harness_delete(&h, "Eip/two");
    harness_manifest(&h, EIP("one", "", ""));
    EXPECT_PLAN(&h, "x Eip/two (gone)\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
}

static void parents_and_children_go_in_the_right_order(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, VPC FRONT NAT("") "---\n" EIP("one", "", ""));
    harness_manifest(&h, EIP("one", "", ""));
    EXPECT_PLAN(&h, "- Vpc/main\n- VSwitch/front\n- NatGateway/nat\n");
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    EXPECT_CONVERGED(&h);
}

/* ---- counting guards ---- */

static void more_deletions_than_allowed_are_refused(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, STACK("maxDeletions: 1") "---\n" EIP("one", "", "") "---\n" EIP("two", "", "") "---\n" EIP(
                  "three", "", ""));
    harness_manifest(&h, STACK("maxDeletions: 1") "---\n" EIP("one", "", ""));
    EXPECT_PLAN(&h, "GUARD: a guard refused the plan\n"
                    "error: the plan deletes or replaces 2 resources, more than maxDeletions (1)\n");
    harness_manifest(&h, STACK("maxDeletions: 2") "---\n" EIP("one", "", ""));
    EXPECT_PLAN(&h, "- Eip/three\n- Eip/two\n");
    harness_manifest(&h, STACK("maxDeletions: 0") "---\n" EIP("one", "isp: BGP_PRO", "") "---\n" EIP(
                             "two", "", "") "---\n" EIP("three", "", ""));
    const char *plan = harness_plan_text(&h, DUMP_CHANGES); /* a replacement is a deletion, too */
    assert_non_null(strstr(plan, "more than maxDeletions (0)"));
}

static void an_empty_manifest_deletes_nothing(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, STACK("") "---\n" EIP("one", "", ""));
    harness_manifest(&h, STACK(""));
    EXPECT_PLAN(&h, "GUARD: a guard refused the plan\n"
                    "error: the manifests declare no resource, and 1 would be deleted\n");
    h.options.allow_empty = true;
    EXPECT_PLAN(&h, "- Eip/one\n");
}

/* ---- targets ---- */

static void a_target_comes_with_what_it_needs_and_nothing_else(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, VPC FRONT NAT("") "---\n" EIP("one", "", ""));
    struct text target = TEXT("VSwitch/front");
    h.options.targets = &target;
    h.options.n_targets = 1;
    EXPECT_PLAN(&h, "+ Vpc/main\n+ VSwitch/front\nleft out: NatGateway/nat\nleft out: Eip/one\n");
    EXPECT_APPLIED(&h, NULL);
    h.options.n_targets = 0;
    EXPECT_PLAN(&h, "+ NatGateway/nat\n+ Eip/one\n");
}

#define ENTRY(eip, association)                                                                              \
    NEXT "kind: EipAssociation\nmetadata: {name: bound}\nspec: {eip: " association                           \
         ", natGateway: nat}\n" NEXT "kind: SnatEntry\nmetadata: {name: out}\n"                              \
         "spec: {natGateway: nat, source: {vSwitch: front}, eips: [" eip "]}\n"

static void an_entry_comes_and_stays_with_the_binding_of_its_eip(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    struct text entry = TEXT("SnatEntry/out"), bound = TEXT("EipAssociation/bound");
    harness_manifest(&h, VPC FRONT NAT("") "---\n" EIP("eip", "", "") ENTRY("eip", "eip"));
    h.options.excludes = &bound;
    h.options.n_excludes = 1;
    EXPECT_PLAN(&h, "+ Vpc/main\n+ VSwitch/front\n+ NatGateway/nat\n+ Eip/eip\n"
                    "left out: EipAssociation/bound\nleft out: SnatEntry/out\n");
    h.options.n_excludes = 0;
    h.options.targets = &entry;
    h.options.n_targets = 1;
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    h.options.n_targets = 0;
    EXPECT_CONVERGED(&h);
}

static void so_it_does_with_an_eip_from_outside(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    const char *const params[] = {"Bandwidth", "5", NULL};
    const char *id = harness_call(&h, "Vpc", "AllocateEipAddress", params, "AllocationId");
    char manifest[2048], ref[64];
    (void)snprintf(ref, sizeof ref, "{id: %s}", id);
    (void)snprintf(manifest, sizeof manifest, VPC FRONT NAT("") ENTRY("%s", "%s"), ref, ref);
    harness_manifest(&h, manifest);
    struct text entry = TEXT("SnatEntry/out");
    h.options.targets = &entry;
    h.options.n_targets = 1;
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    h.options.n_targets = 0;
    EXPECT_CONVERGED(&h);
}

static void what_is_not_a_target_is_not_deleted(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, EIP("one", "", "") "---\n" EIP("two", "", ""));
    harness_manifest(&h, EIP("one", "bandwidth: 9", ""));
    struct text target = TEXT("Eip/one");
    h.options.targets = &target;
    h.options.n_targets = 1;
    EXPECT_PLAN(&h, "~ Eip/one bandwidth\nleft out: Eip/two\n");
}

static void what_is_excluded_stays_with_all_that_needs_it(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, VPC FRONT NAT("") "---\n" EIP("one", "", ""));
    struct text exclude = TEXT("VSwitch/*");
    h.options.excludes = &exclude;
    h.options.n_excludes = 1;
    EXPECT_PLAN(&h, "+ Vpc/main\n+ Eip/one\nleft out: VSwitch/front\nleft out: NatGateway/nat\n");
}

#define BACK(block)                                                                                          \
    NEXT "kind: VSwitch\nmetadata: {name: back}\n"                                                           \
         "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: " block "}\n"

static void a_vswitch_does_not_go_where_there_is_no_room_for_the_new_one(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, VPC FRONT BACK("10.0.2.0/24"));
    harness_manifest(&h, VPC BACK("10.0.0.0/22"));
    h.options.prune = false;
    char expected[300];
    (void)snprintf(expected, sizeof expected,
                   "GUARD: a guard refused the plan\n"
                   "warning: 1 resource of stack \"default\" is no longer in the manifests and stays\n"
                   "error: VSwitch/back: its block overlaps that of VSwitch %s (10.0.1.0/24), which stays\n",
                   harness_id(&h, "VSwitch/front"));
    EXPECT_PLAN(&h, expected);
    h.options.prune = true;
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
}

#define BOUND(eip)                                                                                           \
    VPC FRONT NAT("") NEXT "kind: Eip\nmetadata: {name: one}\nspec: {}\n" NEXT                               \
                           "kind: Eip\nmetadata: {name: two}\nspec: {}\n" NEXT                               \
                           "kind: EipAssociation\nmetadata: {name: bound}\n"                                 \
                           "spec: {eip: " eip ", natGateway: nat}\n"

static void a_binding_does_not_go_while_an_entry_that_stays_works_with_it(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, BOUND("one") NEXT "kind: SnatEntry\nmetadata: {name: out}\n"
                                "spec: {natGateway: nat, source: {vSwitch: front}, eips: [one]}\n");
    harness_manifest(&h, BOUND("two"));
    h.options.prune = false;
    const char *plan = harness_plan_text(&h, DUMP_CHANGES);
    assert_non_null(strstr(plan, "error: EipAssociation/bound: SnatEntry/out works with its EIP and stays"));
    h.options.prune = true;
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
}

static void a_replacement_can_be_asked_for(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, VPC FRONT NAT(""));
    struct text replace = TEXT("NatGateway/nat");
    h.options.replaces = &replace;
    h.options.n_replaces = 1;
    EXPECT_PLAN(&h, "+/- NatGateway/nat (requested)\n");
    EXPECT_APPLIED(&h, NULL);
    h.options.n_replaces = 0;
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_count(&h, "natgateway"), 1);
}

/* ---- the table that came with the VPC ---- */

#define TABLE(more) NEXT "kind: RouteTable\nmetadata: {name: table}\nspec: {vpc: main" more "}\n"

static void a_custom_table_does_not_become_the_system_table(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, VPC TABLE(""));
    harness_manifest(&h, VPC TABLE(", system: true"));
    char expected[256];
    (void)snprintf(expected, sizeof expected,
                   "CONFLICT: 1 conflict with what exists\n"
                   "error: RouteTable/table: %s is a custom route table and cannot become a system one\n",
                   harness_id(&h, "RouteTable/table"));
    EXPECT_PLAN(&h, expected);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
}

static void the_system_table_does_not_become_a_custom_table(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    begin(&h, VPC TABLE(", system: true"));
    harness_manifest(&h, VPC TABLE(""));
    char expected[256];
    (void)snprintf(expected, sizeof expected,
                   "CONFLICT: 1 conflict with what exists\n"
                   "error: RouteTable/table: %s is a system route table and cannot become a custom one\n",
                   harness_id(&h, "RouteTable/table"));
    EXPECT_PLAN(&h, expected);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prevent_destroy_refuses_a_deletion_even_when_the_manifest_is_gone),
        cmocka_unit_test(prevent_destroy_refuses_destroy_and_replacement),
        cmocka_unit_test(prevent_destroy_is_also_the_clouds_protection_and_can_be_lifted),
        cmocka_unit_test(prevent_destroy_protects_what_exists_already),
        cmocka_unit_test(what_is_removed_from_the_manifests_is_deleted),
        cmocka_unit_test(without_prune_it_stays),
        cmocka_unit_test(an_orphan_is_forgotten_and_stays),
        cmocka_unit_test(what_is_gone_already_is_forgotten),
        cmocka_unit_test(parents_and_children_go_in_the_right_order),
        cmocka_unit_test(more_deletions_than_allowed_are_refused),
        cmocka_unit_test(an_empty_manifest_deletes_nothing),
        cmocka_unit_test(a_target_comes_with_what_it_needs_and_nothing_else),
        cmocka_unit_test(an_entry_comes_and_stays_with_the_binding_of_its_eip),
        cmocka_unit_test(so_it_does_with_an_eip_from_outside),
        cmocka_unit_test(what_is_not_a_target_is_not_deleted),
        cmocka_unit_test(what_is_excluded_stays_with_all_that_needs_it),
        cmocka_unit_test(a_vswitch_does_not_go_where_there_is_no_room_for_the_new_one),
        cmocka_unit_test(a_binding_does_not_go_while_an_entry_that_stays_works_with_it),
        cmocka_unit_test(a_replacement_can_be_asked_for),
        cmocka_unit_test(a_custom_table_does_not_become_the_system_table),
        cmocka_unit_test(the_system_table_does_not_become_a_custom_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

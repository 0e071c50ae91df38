/* plan_adopt.c - what exists already: whose it is, whether it may be taken over, and what a rename means. */
#include "tests/support/drive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

#define DOC       "apiVersion: headgate/v1\n"
#define VPC(more) DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8" more "}\n"
#define FRONT                                                                                                \
    "---\n" DOC "kind: VSwitch\nmetadata: {name: front}\n"                                                   \
    "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n"
#define EIP(name, more, lifecycle)                                                                           \
    DOC "kind: Eip\nmetadata: {name: " name "}\nspec: {" more "}\nlifecycle: {" lifecycle "}\n"
#define STACK(name) DOC "kind: Stack\nmetadata: {name: " name "}\nspec: {}\n---\n"

static char *keep(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    return copy;
}

static char *stranger_eip(struct harness *h, const char *name, const char *bandwidth)
{
    const char *const params[] = {"Name", name, "Bandwidth", bandwidth, NULL};
    return keep(harness_call(h, "Vpc", "AllocateEipAddress", params, "AllocationId"));
}

/* ---- strangers ---- */

static void a_stranger_of_the_same_name_is_nobody_to_us(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    free(stranger_eip(&h, "eip", "5"));
    harness_manifest(&h, EIP("eip", "", ""));
    EXPECT_PLAN(&h, "+ Eip/eip\n");
    EXPECT_APPLIED(&h, NULL);
    assert_int_equal(harness_count(&h, "eip"), 2);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_int_equal(harness_count(&h, "eip"), 1);
}

static void a_stranger_in_the_place_of_ours_is_a_conflict(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, VPC(""));
    EXPECT_APPLIED(&h, NULL);
    const char *const params[] = {
        "VpcId", harness_id(&h, "Vpc/main"), "ZoneId", "cn-shanghai-b", "CidrBlock", "10.0.1.0/24", NULL};
    char *id = keep(harness_call(&h, "Vpc", "CreateVSwitch", params, "VSwitchId"));
    harness_manifest(&h, VPC("") FRONT);
    char expected[256];
    (void)snprintf(expected, sizeof expected,
                   "CONFLICT: 1 conflict with what exists\n"
                   "error: VSwitch/front: VSwitch/front exists as %s, which headgate did not make\n",
                   id);
    EXPECT_PLAN(&h, expected);
    free(id);
}

static void a_strangers_entry_in_a_parent_of_ours_is_ours_to_keep_or_change(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h,
                     VPC("") "---\n" DOC "kind: SecurityGroup\nmetadata: {name: web}\nspec: {vpc: main}\n");
    EXPECT_APPLIED(&h, NULL);
    const char *const params[] = {"SecurityGroupId",
                                  harness_id(&h, "SecurityGroup/web"),
                                  "Permissions.1.IpProtocol",
                                  "TCP",
                                  "Permissions.1.PortRange",
                                  "80/80",
                                  "Permissions.1.SourceCidrIp",
                                  "0.0.0.0/0",
                                  NULL};
    (void)harness_call(&h, "Ecs", "AuthorizeSecurityGroup", params, "RequestId");
    EXPECT_CONVERGED(&h); /* not desired, not recorded: left alone */
    harness_manifest(&h, VPC("") "---\n" DOC
                                 "kind: SecurityGroup\nmetadata: {name: web}\nspec:\n  vpc: main\n  rules:\n"
                                 "    - {protocol: tcp, ports: \"80\", peer: {cidr: 0.0.0.0/0}}\n");
    EXPECT_PLAN(&h, "");
}

static void what_is_observed_is_not_changed_while_it_is_in_the_making(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    struct request r; /* not harness_call(), which waits until the VPC is ready */
    struct mock_answer answer;
    struct arena *arena = arena_new((size_t)1 << 20);
    assert_non_null(arena);
    request_init(&r, arena, "Vpc", "CreateVpc");
    request_add(&r, "VpcName", "theirs");
    assert_int_equal(mock_call(h.mock, harness_unix_ms(&h), &r, &answer, &h.err), ERR_OK);
    assert_int_equal(answer.http_status, 200);
    free(answer.body);
    arena_free(arena);
    harness_clear_ledger(&h);
    harness_manifest(&h, DOC "kind: Vpc\nmetadata: {name: main}\nspec: {name: theirs}\n"
                             "lifecycle: {management: observe}\n");
    EXPECT_APPLIED(&h, NULL);
    assert_int_equal(harness_n_changing_calls(&h), 0);
    harness_manifest(&h, "apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: eip}\nspec: {}\n");
    EXPECT_APPLIED(&h, NULL);
    assert_int_equal(harness_count(&h, "vpc"), 1); /* forgotten, not ours to delete */
    EXPECT_CONVERGED(&h);
}

/* ---- adoption ---- */

static void adopt_by_id_takes_over_and_changes_what_differs(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    char text[512];
    harness_init(&h);
    char *id = stranger_eip(&h, "theirs", "5");
    (void)snprintf(text, sizeof text, EIP("eip", "bandwidth: 9", "adopt: %s"), id);
    harness_manifest(&h, text);
    EXPECT_PLAN(&h, "> Eip/eip bandwidth\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_string_equal(harness_id(&h, "Eip/eip"), id);
    memory_forget(&h.memory);
    EXPECT_DRIFT(&h, ""); /* it carries our tags now */
    free(id);
}

static void adopt_force_takes_over_by_name(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    char *id = stranger_eip(&h, "eip", "5");
    harness_manifest(&h, EIP("eip", "bandwidth: 9", "adopt: force"));
    EXPECT_PLAN(&h, "> Eip/eip bandwidth\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_string_equal(harness_id(&h, "Eip/eip"), id);
    free(id);
}

static void adopt_if_identical_takes_over_only_what_is_equal(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    char text[256];
    harness_init(&h);
    char *id = stranger_eip(&h, "eip", "5");
    harness_manifest(&h, EIP("eip", "bandwidth: 9", "adopt: ifIdentical"));
    (void)snprintf(text, sizeof text,
                   "CONFLICT: 1 conflict with what exists\n"
                   "error: Eip/eip: Eip/eip exists as %s, is not ours, and differs in `bandwidth`\n",
                   id);
    EXPECT_PLAN(&h, text);
    harness_manifest(&h, EIP("eip", "bandwidth: 5", "adopt: ifIdentical"));
    EXPECT_PLAN(&h, "> Eip/eip\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    free(id);
}

static void two_of_the_same_name_are_never_guessed(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    free(stranger_eip(&h, "eip", "5"));
    free(stranger_eip(&h, "eip", "5"));
    harness_manifest(&h, EIP("eip", "", "adopt: force"));
    EXPECT_PLAN(&h, "+ Eip/eip\n");
}

static void an_id_to_adopt_that_does_not_exist_is_an_error(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("eip", "", "adopt: eip-missing"));
    EXPECT_PLAN(&h, "CONFLICT: 1 conflict with what exists\n"
                    "error: Eip/eip: eip-missing, which Eip/eip should adopt, does not exist\n");
}

/* ---- other stacks ---- */

static void what_another_stack_owns_is_a_conflict(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    char text[512];
    harness_init(&h);
    harness_manifest(&h, STACK("first") EIP("eip", "", ""));
    EXPECT_APPLIED(&h, NULL);
    char *id = keep(harness_id(&h, "Eip/eip"));
    memory_forget(&h.memory); /* the second stack has a state of its own */
    (void)snprintf(text, sizeof text, STACK("second") EIP("mine", "", "adopt: %s"), id);
    harness_manifest(&h, text);
    (void)snprintf(text, sizeof text,
                   "CONFLICT: 1 conflict with what exists\n"
                   "error: Eip/mine: Eip/mine exists as %s and belongs to stack \"first\"\n",
                   id);
    EXPECT_PLAN(&h, text);
    harness_manifest(&h, STACK("second") EIP("eip", "", ""));
    EXPECT_PLAN(&h, "+ Eip/eip\n"); /* a name of another stack is another thing */
    free(id);
}

static void two_that_carry_our_tags_are_quarantined(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("eip", "", ""));
    EXPECT_APPLIED(&h, NULL);
    const char *const params[] = {"Tag.1.Key",        "headgate:stack", "Tag.1.Value", "default", "Tag.2.Key",
                                  "headgate:address", "Tag.2.Value",    "Eip/eip",     NULL};
    (void)harness_call(&h, "Vpc", "AllocateEipAddress", params, "AllocationId");
    memory_forget(&h.memory);
    const char *plan = harness_plan_text(&h, DUMP_CHANGES);
    assert_non_null(strstr(plan, "error: Eip/eip: 2 objects are tagged as Eip/eip"));
    assert_non_null(strstr(plan, "which one is right cannot be guessed"));
}

/* ---- renames ---- */

static void renamed_from_moves_what_is_recorded(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("old", "bandwidth: 7", ""));
    EXPECT_APPLIED(&h, NULL);
    char *id = keep(harness_id(&h, "Eip/old"));
    harness_manifest(&h, EIP("new", "bandwidth: 7", "renamedFrom: old"));
    EXPECT_PLAN(&h, "> Eip/new from Eip/old\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_string_equal(harness_id(&h, "Eip/new"), id);
    assert_string_equal(harness_id(&h, "Eip/old"), "");
    memory_forget(&h.memory);
    EXPECT_DRIFT(&h, ""); /* the tags moved along */
    free(id);
}

static void renamed_from_finds_by_tags_when_the_state_is_lost(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("old", "bandwidth: 7", ""));
    EXPECT_APPLIED(&h, NULL);
    char *id = keep(harness_id(&h, "Eip/old"));
    memory_forget(&h.memory);
    harness_manifest(&h, EIP("new", "bandwidth: 7", "renamedFrom: old"));
    EXPECT_PLAN(&h, "> Eip/new from Eip/old\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_string_equal(harness_id(&h, "Eip/new"), id);
    free(id);
}

static void without_it_a_rename_is_another_thing(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("old", "", ""));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, EIP("new", "", ""));
    EXPECT_PLAN(&h, "+ Eip/new\n- Eip/old\n");
}

static void a_record_moved_by_hand_comes_back_to_what_the_tags_say(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("tagged", "bandwidth: 7", ""));
    EXPECT_APPLIED(&h, NULL);
    char *id = keep(harness_id(&h, "Eip/tagged"));
    memory_move_record(&h.memory, KIND_EIP, "tagged", "elsewhere");
    EXPECT_PLAN(&h, "> Eip/tagged from Eip/elsewhere\n");
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_n_changing_calls(&h), 0);
    assert_string_equal(harness_id(&h, "Eip/tagged"), id);
    assert_string_equal(harness_id(&h, "Eip/elsewhere"), "");
    free(id);
}

static void what_is_recorded_as_another_desired_one_is_not_found_by_its_tags(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("tagged", "", ""));
    EXPECT_APPLIED(&h, NULL);
    char *id = keep(harness_id(&h, "Eip/tagged"));
    memory_move_record(&h.memory, KIND_EIP, "tagged", "moved");
    harness_manifest(&h, EIP("moved", "", "") "---\n" EIP("tagged", "", ""));
    EXPECT_PLAN(&h, "> Eip/moved\n+ Eip/tagged\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_string_equal(harness_id(&h, "Eip/moved"), id);
    assert_int_equal(harness_count(&h, "eip"), 2);
    free(id);
}

#define GROUP(rule)                                                                                          \
    VPC("")                                                                                                  \
    "---\n" DOC "kind: SecurityGroup\nmetadata: {name: web}\nspec: {vpc: main}\n---\n" DOC                   \
    "kind: SecurityGroupRule\nmetadata: {name: " rule "}\n"                                                  \
    "spec: {securityGroup: web, protocol: tcp, ports: \"80\", peer: {cidr: 0.0.0.0/0}}\n"

static void an_entry_is_renamed_without_being_touched(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, GROUP("old"));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, GROUP("new"));
    EXPECT_PLAN(&h, "> SecurityGroupRule/new from SecurityGroupRule/old\n");
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_n_changing_calls(&h), 0);
    assert_string_equal(harness_id(&h, "SecurityGroupRule/old"), "");
}

static void a_vswitch_is_renamed_by_its_block(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, VPC("") FRONT);
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, VPC("") "---\n" DOC "kind: VSwitch\nmetadata: {name: entry}\n"
                                 "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n");
    EXPECT_PLAN(&h, "> VSwitch/entry from VSwitch/front\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
}

#define DNAT(name, port, ip)                                                                                 \
    "---\n" DOC "kind: DnatEntry\nmetadata: {name: " name                                                    \
    "}\nspec: {natGateway: nat, eip: eip, protocol: tcp, "                                                   \
    "externalPort: \"" port "\", target: {ip: " ip "}, internalPort: \"80\"}\n"
#define GATEWAY                                                                                              \
    VPC("")                                                                                                  \
    FRONT "---\n" DOC                                                                                        \
          "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: front}\n---\n" DOC            \
          "kind: Eip\nmetadata: {name: eip}\nspec: {}\n---\n" DOC                                            \
          "kind: EipAssociation\nmetadata: {name: bound}\nspec: {eip: eip, natGateway: nat}\n"

static void a_key_that_another_one_leaves_can_be_taken(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, GATEWAY DNAT("one", "80", "10.0.1.1"));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, GATEWAY DNAT("one", "81", "10.0.1.1") DNAT("another", "80", "10.0.1.2"));
    EXPECT_PLAN(&h, "+ DnatEntry/another\n~ DnatEntry/one externalPort\n");
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    EXPECT_CONVERGED(&h);
}

static void what_swaps_its_keys_goes_before_it_comes_back(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, GATEWAY DNAT("one", "80", "10.0.1.1") DNAT("two", "81", "10.0.1.2"));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, GATEWAY DNAT("one", "81", "10.0.1.1") DNAT("two", "80", "10.0.1.2"));
    EXPECT_PLAN(&h, "-/+ DnatEntry/one (parent replaced)\n-/+ DnatEntry/two (parent replaced)\n");
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    EXPECT_CONVERGED(&h);
}

/* ---- observing ---- */

static void what_is_only_observed_is_found_and_never_touched(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    char *id = stranger_eip(&h, "theirs", "5");
    harness_manifest(&h, EIP("eip", "name: theirs, bandwidth: 9", "management: observe"));
    assert_string_equal(harness_plan_text(&h, DUMP_CHANGES | DUMP_READS), "? Eip/eip\n");
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_string_equal(harness_id(&h, "Eip/eip"), id);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_int_equal(harness_n_changing_calls(&h), 0);
    assert_int_equal(h.memory.n_records, 0);
    free(id);
}

static void what_was_observed_is_taken_over_only_where_that_is_allowed(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    char *id = stranger_eip(&h, "address", "5"), expected[300];
    harness_manifest(&h, EIP("address", "name: address", "management: observe"));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, EIP("address", "", ""));
    (void)snprintf(expected, sizeof expected,
                   "CONFLICT: 1 conflict with what exists\n"
                   "error: Eip/address: Eip/address exists as %s, which headgate did not make\n",
                   id);
    EXPECT_PLAN(&h, expected);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_int_equal(harness_count(&h, "eip"), 1);
    harness_manifest(&h, EIP("address", "name: address", "management: observe"));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, EIP("address", "", "adopt: force"));
    EXPECT_PLAN(&h, "> Eip/address\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    free(id);
}

static void what_another_stack_owns_is_not_ours_for_being_observed(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, STACK("one") EIP("address", "", ""));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, STACK("two") EIP("address", "name: address", "management: observe"));
    memory_forget(&h.memory);
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, STACK("two") EIP("address", "", ""));
    assert_non_null(strstr(harness_plan_text(&h, DUMP_CHANGES), "belongs to stack \"one\""));
}

static void what_is_ours_is_ours_again_after_it_was_observed(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("address", "", "") "---\n" EIP("other", "", ""));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, EIP("address", "name: address", "management: observe") "---\n" EIP("other", "", ""));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, EIP("address", "", "") "---\n" EIP("other", "", ""));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, EIP("other", "", ""));
    EXPECT_PLAN(&h, "- Eip/address\n");
}

static void what_is_to_be_observed_has_to_exist_once(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("eip", "name: theirs", "management: observe"));
    EXPECT_PLAN(&h, "CONFLICT: 1 conflict with what exists\n"
                    "error: Eip/eip: no Eip with name \"theirs\" exists\n");
    free(stranger_eip(&h, "theirs", "5"));
    free(stranger_eip(&h, "theirs", "5"));
    const char *plan = harness_plan_text(&h, DUMP_CHANGES);
    assert_non_null(strstr(plan, "more than one Eip has name \"theirs\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stranger_of_the_same_name_is_nobody_to_us),
        cmocka_unit_test(what_is_observed_is_not_changed_while_it_is_in_the_making),
        cmocka_unit_test(a_stranger_in_the_place_of_ours_is_a_conflict),
        cmocka_unit_test(a_strangers_entry_in_a_parent_of_ours_is_ours_to_keep_or_change),
        cmocka_unit_test(adopt_by_id_takes_over_and_changes_what_differs),
        cmocka_unit_test(adopt_force_takes_over_by_name),
        cmocka_unit_test(adopt_if_identical_takes_over_only_what_is_equal),
        cmocka_unit_test(two_of_the_same_name_are_never_guessed),
        cmocka_unit_test(an_id_to_adopt_that_does_not_exist_is_an_error),
        cmocka_unit_test(what_another_stack_owns_is_a_conflict),
        cmocka_unit_test(two_that_carry_our_tags_are_quarantined),
        cmocka_unit_test(renamed_from_moves_what_is_recorded),
        cmocka_unit_test(renamed_from_finds_by_tags_when_the_state_is_lost),
        cmocka_unit_test(a_record_moved_by_hand_comes_back_to_what_the_tags_say),
        cmocka_unit_test(what_is_recorded_as_another_desired_one_is_not_found_by_its_tags),
        cmocka_unit_test(without_it_a_rename_is_another_thing),
        cmocka_unit_test(an_entry_is_renamed_without_being_touched),
        cmocka_unit_test(a_vswitch_is_renamed_by_its_block),
        cmocka_unit_test(a_key_that_another_one_leaves_can_be_taken),
        cmocka_unit_test(what_swaps_its_keys_goes_before_it_comes_back),
        cmocka_unit_test(what_is_only_observed_is_found_and_never_touched),
        cmocka_unit_test(what_was_observed_is_taken_over_only_where_that_is_allowed),
        cmocka_unit_test(what_another_stack_owns_is_not_ours_for_being_observed),
        cmocka_unit_test(what_is_ours_is_ours_again_after_it_was_observed),
        cmocka_unit_test(what_is_to_be_observed_has_to_exist_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

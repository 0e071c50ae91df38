/* nat_hairpin.c - the scenario that must always work: from nothing to the whole network and back, and on top
 * of what exists. Nothing that headgate does by itself is ever refused by the cloud. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

static void apply_makes_it_without_a_refused_call(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    assert_int_equal(harness_n_changing_calls(&h), 22);
    assert_int_equal(h.summary.n_added, 22);
    assert_int_equal(h.summary.n_retries, 0);
    EXPECT_CONVERGED(&h);
}

static void it_takes_not_much_longer_than_its_longest_chain(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    EXPECT_APPLIED(&h, NULL);
    /* In the simulated cloud a gateway takes up to 120 s, the rest of the chain about 50 s. */
    assert_in_range(h.took_ms, 60000, 200000);
    assert_in_range(h.n_steps, 44, 600);
    assert_in_range(h.summary.n_list_calls, 10, 200);
}

static void destroy_removes_all_without_a_refused_call(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    EXPECT_APPLIED(&h, NULL);
    harness_clear_ledger(&h);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_string_equal(harness_refused(&h), "");
    assert_int_equal(harness_count(&h, NULL), 0);
    assert_int_equal(h.memory.n_records, 0);
    assert_int_equal(h.memory.n_intents, 0);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_int_equal(h.plan->n_changes, 0);
}

static void lost_state_is_rebuilt_by_reading(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    EXPECT_APPLIED(&h, NULL);
    memory_forget(&h.memory);
    EXPECT_DRIFT(&h, "");
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    assert_int_equal(harness_n_changing_calls(&h), 0);
    assert_int_equal(h.memory.n_records, 22);
    EXPECT_CONVERGED(&h);
}

static void destroy_with_lost_state_removes_all(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    EXPECT_APPLIED(&h, NULL);
    memory_forget(&h.memory);
    harness_clear_ledger(&h);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_string_equal(harness_refused(&h), "");
    assert_int_equal(harness_count(&h, NULL), 0);
}

/* ---- on top of what exists ---- */

static char *keep(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    return copy;
}

#define CREATE(h, product, operation, id, ...)                                                               \
    keep(harness_call((h), (product), (operation), (const char *const[]){__VA_ARGS__, NULL}, (id)))

static void make_existing(struct harness *h)
{
    char *vpc =
        CREATE(h, "Vpc", "CreateVpc", "VpcId", "CidrBlock", "192.168.0.0/16", "VpcName", "hairpin-vpc");
    char *vsw[2], *eip[2], *ecs[2];
    vsw[0] = CREATE(h, "Vpc", "CreateVSwitch", "VSwitchId", "VpcId", vpc, "CidrBlock", "192.168.1.0/24",
                    "ZoneId", "cn-shanghai-b", "VSwitchName", "hairpin-vsw1");
    vsw[1] = CREATE(h, "Vpc", "CreateVSwitch", "VSwitchId", "VpcId", vpc, "CidrBlock", "192.168.2.0/24",
                    "ZoneId", "cn-shanghai-g", "VSwitchName", "hairpin-vsw2");
    char *group = CREATE(h, "Ecs", "CreateSecurityGroup", "SecurityGroupId", "VpcId", vpc);
    for (int i = 0; i < 2; i++) {
        eip[i] = CREATE(h, "Vpc", "AllocateEipAddress", "AllocationId", "Name",
                        i == 0 ? "hairpin-eip1" : "hairpin-eip2");
        ecs[i] = CREATE(h, "Ecs", "RunInstances", "InstanceIdSets.InstanceIdSet", "VSwitchId", vsw[i],
                        "SecurityGroupId", group, "ImageId", "img", "InstanceType", "ecs.t6-c1m1.large",
                        "InstanceName", i == 0 ? "hairpin-ecs1" : "hairpin-ecs2", "Amount", "1");
    }
    char *all[] = {vpc, group, vsw[0], vsw[1], eip[0], eip[1], ecs[0], ecs[1]};
    for (size_t i = 0; i < N_ELEMENTS(all); i++) free(all[i]);
}

static void on_top_of_what_exists_it_takes_twelve_calls(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    make_existing(&h);
    harness_clear_ledger(&h);
    harness_manifest_folder(&h, "nat-hairpin-existing");
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    assert_int_equal(harness_n_changing_calls(&h), 12);
    EXPECT_CONVERGED(&h);
}

static void destroy_leaves_what_existed_before(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    make_existing(&h);
    size_t before = harness_count(&h, NULL);
    harness_manifest_folder(&h, "nat-hairpin-existing");
    EXPECT_APPLIED(&h, NULL);
    harness_clear_ledger(&h);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_string_equal(harness_refused(&h), "");
    assert_int_equal(harness_n_changing_calls(&h), 12);
    assert_int_equal(harness_count(&h, NULL), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apply_makes_it_without_a_refused_call),
        cmocka_unit_test(it_takes_not_much_longer_than_its_longest_chain),
        cmocka_unit_test(destroy_removes_all_without_a_refused_call),
        cmocka_unit_test(lost_state_is_rebuilt_by_reading),
        cmocka_unit_test(destroy_with_lost_state_removes_all),
        cmocka_unit_test(on_top_of_what_exists_it_takes_twelve_calls),
        cmocka_unit_test(destroy_leaves_what_existed_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

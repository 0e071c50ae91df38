/* stop.c - interrupts, and a state file that cannot be written: what is in flight is finished and recorded,
 * what is not durable is not called, and the next apply goes on. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

enum { SETTLES_MS = 600000, EVERY_MS = 4500 };

static void go_on_and_check(struct harness *h)
{
    harness_wait(h, SETTLES_MS);
    EXPECT_APPLIED(h, NULL);
    EXPECT_CONVERGED(h);
    assert_int_equal(h->memory.n_intents, 0);
    assert_int_equal(harness_count(h, "vpc"), 1);
    assert_int_equal(harness_count(h, "vswitch"), 2);
    assert_int_equal(harness_count(h, "natgateway"), 2);
    assert_int_equal(harness_count(h, "eip"), 2);
    assert_int_equal(harness_count(h, "instance"), 2);
    assert_int_equal(harness_count(h, "securitygroup"), 1);
}

static void an_interrupt_finishes_what_is_in_flight(void **state)
{
    (void)state;
    for (int64_t at = 10; at < 170000; at += EVERY_MS) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest_folder(&h, "nat-hairpin");
        struct apply_script script = {.interrupt_at_ms = at};
        enum err_code code = harness_apply(&h, &script);
        assert_true(code == ERR_CANCELED || (code == ERR_OK && h.summary.n_skipped == 0));
        assert_int_equal(h.summary.n_failed, 0);
        assert_int_equal(h.summary.n_added + h.summary.n_skipped, 22);
        assert_int_equal(h.memory.n_records, h.summary.n_added); /* all that was begun is recorded */
        assert_int_equal(h.memory.n_intents, 0);
        assert_in_range(h.took_ms, 0, at + 130000);
        go_on_and_check(&h);
    }
}

static void an_interrupt_begins_nothing_new(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    struct apply_script script = {.interrupt_at_ms = 5};
    assert_int_equal(harness_apply(&h, &script), ERR_CANCELED);
    assert_int_equal(h.summary.n_changing_calls, 3); /* the VPC and two addresses */
    assert_true(h.summary.interrupted);
}

static void a_second_interrupt_stops_at_once_and_counts_what_it_leaves(void **state)
{
    (void)state;
    uint32_t n_under_way = 0;
    for (int64_t at = 10; at < 170000; at += EVERY_MS) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest_folder(&h, "nat-hairpin");
        struct apply_script script = {.interrupt_at_ms = at, .interrupt_again_ms = at + 7};
        enum err_code code = harness_apply(&h, &script);
        assert_in_range(h.took_ms, 0, at + 7);
        assert_int_equal(h.summary.n_failed, 0);
        assert_int_equal(h.summary.n_added + h.summary.n_under_way + h.summary.n_skipped, 22);
        assert_int_equal(code, h.summary.n_added == 22 ? ERR_OK : ERR_CANCELED);
        assert_int_equal(h.summary.n_changing_calls, harness_n_changing_calls(&h));
        n_under_way += h.summary.n_under_way;
        go_on_and_check(&h);
    }
    assert_true(n_under_way > 20);
}

static void without_a_durable_intent_no_call_is_made(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    struct apply_script script = {.fail_persist = 1};
    assert_int_equal(harness_apply(&h, &script), ERR_STATE);
    assert_int_equal(harness_n_changing_calls(&h), 0);
    assert_int_equal(h.summary.n_added, 0);
    go_on_and_check(&h);
}

static void a_step_that_is_not_begun_says_why(void **state)
{
    (void)state;
    static const struct {
        enum err_code error;
        const char *words;
    } causes[] = {{ERR_STATE, "the state file could not be written, so the cloud was not called"},
                  {ERR_LOCKED, "the lock was lost, so the cloud was not called"}};
    for (size_t k = 0; k < N_ELEMENTS(causes); k++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest_folder(&h, "nat-hairpin");
        struct apply_script script = {.fail_persist = 1, .persist_error = causes[k].error};
        assert_int_equal(harness_apply(&h, &script), causes[k].error);
        assert_non_null(strstr(buf_str(&h.progress), causes[k].words));
    }
}

static void a_state_that_fails_at_any_write_loses_nothing(void **state)
{
    (void)state;
    uint32_t n_unrecorded = 0;
    for (uint32_t n = 1;; n++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest_folder(&h, "nat-hairpin");
        struct apply_script script = {.fail_persist = n, .persist_ms = 3};
        enum err_code code = harness_apply(&h, &script);
        size_t n_writes = h.memory.n_writes;
        if (code == ERR_OK) {
            assert_in_range(n, 20, 1000);
            assert_in_range(n_unrecorded, 10, n);
            break;
        }
        assert_int_equal(code, ERR_STATE);
        assert_int_equal(n_writes, n - 1);
        assert_int_equal(h.summary.n_changing_calls, harness_n_changing_calls(&h));
        assert_true(h.summary.unrecorded || h.memory.n_records == h.summary.n_added);
        n_unrecorded += h.summary.unrecorded;
        go_on_and_check(&h);
    }
}

static void slow_writes_only_cost_time(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    struct apply_script script = {.persist_ms = 700};
    EXPECT_APPLIED(&h, &script);
    assert_string_equal(harness_refused(&h), "");
    EXPECT_CONVERGED(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interrupt_finishes_what_is_in_flight),
        cmocka_unit_test(an_interrupt_begins_nothing_new),
        cmocka_unit_test(a_second_interrupt_stops_at_once_and_counts_what_it_leaves),
        cmocka_unit_test(without_a_durable_intent_no_call_is_made),
        cmocka_unit_test(a_step_that_is_not_begun_says_why),
        cmocka_unit_test(a_state_that_fails_at_any_write_loses_nothing),
        cmocka_unit_test(slow_writes_only_cost_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

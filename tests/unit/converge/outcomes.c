/* outcomes.c - what the engine makes of each answer, and of none: it ends where an undisturbed run ends, or
 * fails with the right class and carries out what does not depend on it. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/drive.h"
#include "tests/support/expect.h"

enum { SETTLES_MS = 600000 };

/* The operations that make and remove the worked example. */
static const char *const creating[] = {
    "CreateVpc",          "CreateVSwitch",      "CreateSecurityGroup", "AuthorizeSecurityGroup",
    "RunInstances",       "CreateNatGateway",   "AllocateEipAddress",  "AssociateEipAddress",
    "CreateSnatEntry",    "CreateForwardEntry", "CreateRouteTable",    "CreateRouteEntry",
    "AssociateRouteTable"};
static const char *const removing[] = {"DeleteVpc",
                                       "DeleteVSwitch",
                                       "DeleteSecurityGroup",
                                       "RevokeSecurityGroup",
                                       "DeleteInstance",
                                       "DeleteNatGateway",
                                       "ReleaseEipAddress",
                                       "UnassociateEipAddress",
                                       "DeleteSnatEntry",
                                       "DeleteForwardEntry",
                                       "DeleteRouteTable",
                                       "DeleteRouteEntry",
                                       "UnassociateRouteTable"};
static const char *const listing[] = {
    "DescribeVpcs",         "DescribeVSwitches",        "DescribeNatGateways",
    "DescribeEipAddresses", "DescribeSnatTableEntries", "DescribeRouteEntryList"};

/* What passes by itself. */
static const char *const passing[] = {
    "Throttling.User", "ServiceUnavailable", "OperationConflict", "timeout-before", "timeout-after",
    "reset",           "http-500",           "http-503",          "InternalError",  "LastTokenProcessing",
    "TaskConflict"};

static void run(struct harness *h, bool destroy, const char *operation, const char *code, size_t n_expected)
{
    struct apply_script script = {.fail_operation = operation, .fail_code = code, .fail_count = 2};
    enum err_code result = destroy ? harness_destroy(h, &script) : harness_apply(h, &script);
    harness_wait(h, SETTLES_MS);
    size_t n = harness_count(h, NULL);
    if (result != ERR_OK || n != n_expected) {
        print_message("%s answers %s: %s, %zu objects instead of %zu\n", operation, code,
                      err_code_name(result), n, n_expected);
        explain(h, "then");
    }
    assert_int_equal(result, ERR_OK);
    assert_int_equal(n, n_expected);
    assert_int_equal(h->memory.n_intents, 0);
}

static size_t example_size(void)
{
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    EXPECT_APPLIED(&h, NULL);
    harness_wait(&h, SETTLES_MS);
    return harness_count(&h, NULL);
}

static void what_passes_by_itself_is_waited_out_while_creating(void **state)
{
    (void)state;
    size_t n = example_size();
    for (size_t o = 0; o < N_ELEMENTS(creating); o++)
        for (size_t p = 0; p < N_ELEMENTS(passing); p++) {
            CLEANUP(harness_fini) struct harness h;
            harness_init(&h);
            harness_manifest_folder(&h, "nat-hairpin");
            run(&h, false, creating[o], passing[p], n);
            EXPECT_CONVERGED(&h);
        }
}

static void what_passes_by_itself_is_waited_out_while_deleting(void **state)
{
    (void)state;
    for (size_t o = 0; o < N_ELEMENTS(removing); o++)
        for (size_t p = 0; p < N_ELEMENTS(passing); p += 2) {
            CLEANUP(harness_fini) struct harness h;
            harness_init(&h);
            harness_manifest_folder(&h, "nat-hairpin");
            EXPECT_APPLIED(&h, NULL);
            run(&h, true, removing[o], passing[(o + p) % N_ELEMENTS(passing)], 0);
        }
}

static void lists_that_fail_are_asked_again(void **state)
{
    (void)state;
    size_t n = example_size();
    for (size_t o = 0; o < N_ELEMENTS(listing); o++)
        for (size_t p = 0; p < N_ELEMENTS(passing); p += 3) {
            CLEANUP(harness_fini) struct harness h;
            harness_init(&h);
            harness_manifest_folder(&h, "nat-hairpin");
            run(&h, false, listing[o], passing[p], n);
            EXPECT_CONVERGED(&h);
        }
}

#define DOC "apiVersion: headgate/v1\n"
static const char two_branches[] =
    DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC
        "kind: VSwitch\nmetadata: {name: front}\n"
        "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n---\n" DOC
        "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: front}\n---\n" DOC
        "kind: Vpc\nmetadata: {name: other}\nspec: {cidrBlock: 192.168.0.0/16}\n---\n" DOC
        "kind: VSwitch\nmetadata: {name: elsewhere}\n"
        "spec: {vpc: other, zone: cn-shanghai-b, cidrBlock: 192.168.1.0/24}\n";

static const struct final {
    const char *code;
    enum err_code class;
} finals[] = {
    {"Forbidden.RAM", ERR_DENIED},
    {"InsufficientBalance", ERR_DENIED},
    {"QuotaExceeded.Vpc", ERR_LIMIT},
    {"InvalidParameter.Broken", ERR_PROVIDER},
};

static void a_final_refusal_stops_its_branch_only(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_ELEMENTS(finals); k++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest(&h, two_branches);
        struct apply_script script = {.fail_operation = "CreateVpc", .fail_code = finals[k].code};
        assert_int_equal(harness_apply(&h, &script), finals[k].class);
        assert_int_equal(h.summary.n_failed, 1);
        assert_int_equal(h.summary.n_added, 2);
        assert_int_not_equal(h.summary.n_skipped, 0);
        assert_non_null(strstr(buf_str(&h.progress), "skipped create VSwitch/"));
        assert_non_null(strstr(buf_str(&h.progress), finals[k].code));
        assert_int_equal(h.memory.n_intents, 0); /* nothing was done: nothing to look for */
        EXPECT_APPLIED(&h, NULL);                /* and the next apply goes on */
        EXPECT_CONVERGED(&h);
        assert_int_equal(harness_count(&h, "vpc"), 2);
    }
}

static void what_never_ends_being_busy_is_given_up(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, two_branches);
    struct apply_script script = {
        .fail_operation = "CreateNatGateway", .fail_code = "TaskConflict", .fail_count = 100000};
    assert_int_equal(harness_apply(&h, &script), ERR_TIMEOUT);
    assert_in_range(h.took_ms, 300000, 900000);
    assert_in_range(h.summary.n_retries, 10, 100); /* it waits longer each time */
    assert_int_equal(h.summary.n_added, 4);
}

static void what_never_answers_stays_open_and_is_found_by_the_next_apply(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, two_branches);
    struct apply_script script = {
        .fail_operation = "CreateNatGateway", .fail_code = "timeout-before", .fail_count = 100000};
    enum err_code code = harness_apply(&h, &script);
    assert_true(code == ERR_UNKNOWN || code == ERR_TIMEOUT);
    assert_int_equal(h.memory.n_intents, 1);
    struct err err;
    assert_int_equal(mock_reset(h.mock, &err), ERR_OK); /* also forgets the script, and all else */
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
}

static void a_vanished_parent_fails_as_stale_not_as_wrong(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, two_branches);
    EXPECT_APPLIED(&h, NULL);
    char changed[2048];
    (void)snprintf(changed, sizeof changed,
                   "%s---\n" DOC "kind: RouteTable\nmetadata: {name: table}\nspec: {vpc: other}\n",
                   two_branches);
    harness_manifest(&h, changed);
    struct apply_script script = {.fail_operation = "CreateRouteTable", .fail_code = "InvalidVpcId.NotFound"};
    enum err_code code = harness_apply(&h, &script);
    assert_true(code == ERR_PROVIDER || code == ERR_STALE);
    EXPECT_APPLIED(&h, NULL);
}

static void throttling_slows_all_down_and_is_not_answered_with_a_storm(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    struct apply_script script = {.fail_operation = "*", .fail_code = "Throttling.User", .fail_count = 30};
    EXPECT_APPLIED(&h, &script);
    EXPECT_CONVERGED(&h);
    assert_in_range(h.summary.n_retries, 1, 30);
}

static void eventual_lists_are_waited_for(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_option(&h, "list-lag-ms", "3000");
    harness_manifest_folder(&h, "nat-hairpin");
    EXPECT_APPLIED(&h, NULL);
    harness_wait(&h, 10000);
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_n_changing_calls(&h), 22);
}

static void a_lost_answer_behind_a_slow_list_makes_no_second_thing(void **state)
{
    (void)state;
    for (size_t o = 0; o < N_ELEMENTS(creating); o++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_option(&h, "list-lag-ms", "8000");
        harness_manifest_folder(&h, "nat-hairpin");
        struct apply_script script = {.fail_operation = creating[o], .fail_code = "timeout-after"};
        EXPECT_APPLIED(&h, &script);
        harness_wait(&h, SETTLES_MS);
        EXPECT_CONVERGED(&h);
        assert_int_equal(harness_count(&h, "natgateway"), 2);
        assert_int_equal(harness_count(&h, "eip"), 2);
        assert_int_equal(harness_count(&h, "vpc"), 1);
        assert_int_equal(harness_count(&h, "instance"), 2);
        assert_int_equal(harness_count(&h, "securitygroup"), 1);
        assert_int_equal(harness_count(&h, "routetable"), 3);
    }
}

/* The connection ends with the first request still under way; the second, the same, is denied. */
struct detour {
    struct harness *h;
    struct arena *arena;
    struct request first;
    unsigned n;
};

static enum err_code take_detour(void *ctx, int64_t now, const struct request *r, struct mock_answer *answer,
                                 struct err *err)
{
    struct detour *d = ctx;
    static const char denied[] = "{\"RequestId\":\"R\",\"Code\":\"Forbidden.RAM\",\"Message\":\"no\"}";
    if (strcmp(r->operation, "AllocateEipAddress") != 0 || d->n >= 2)
        return mock_call(d->h->mock, now, r, answer, err);
    if (d->n++ == 0) {
        request_init(&d->first, d->arena, r->product, r->operation);
        for (uint32_t k = 0; k < r->n_params; k++)
            request_add(&d->first, r->params[k].name, r->params[k].value);
        *answer = (struct mock_answer){.fault = MOCK_RESET, .latency_ms = 10};
        return ERR_OK;
    }
    *answer =
        (struct mock_answer){.http_status = 403, .body = strdup(denied), .body_size = sizeof denied - 1};
    return answer->body == NULL ? ERR_NOMEM : ERR_OK;
}

static void a_refusal_does_not_settle_an_attempt_whose_end_is_unknown(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    CLEANUP(arena_freep) struct arena *arena = arena_new((size_t)1 << 20);
    struct mock_answer answer;
    struct detour d = {.h = &h, .arena = arena};
    assert_non_null(arena);
    harness_init(&h);
    harness_manifest(&h, "apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: eip}\nspec: {}\n");
    h.call = take_detour;
    h.call_ctx = &d;
    assert_int_equal(harness_apply(&h, NULL), ERR_DENIED);
    assert_int_equal(h.memory.n_intents, 1);
    EXPECT_APPLIED(&h, NULL);
    harness_wait(&h, 1000);
    assert_int_equal(mock_call(h.mock, HARNESS_EPOCH_MS + h.now_ms, &d.first, &answer, &h.err), ERR_OK);
    free(answer.body);
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_count(&h, "eip"), 1);
    assert_int_equal(h.memory.n_intents, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_passes_by_itself_is_waited_out_while_creating),
        cmocka_unit_test(what_passes_by_itself_is_waited_out_while_deleting),
        cmocka_unit_test(lists_that_fail_are_asked_again),
        cmocka_unit_test(a_final_refusal_stops_its_branch_only),
        cmocka_unit_test(what_never_ends_being_busy_is_given_up),
        cmocka_unit_test(a_refusal_does_not_settle_an_attempt_whose_end_is_unknown),
        cmocka_unit_test(what_never_answers_stays_open_and_is_found_by_the_next_apply),
        cmocka_unit_test(a_vanished_parent_fails_as_stale_not_as_wrong),
        cmocka_unit_test(throttling_slows_all_down_and_is_not_answered_with_a_storm),
        cmocka_unit_test(eventual_lists_are_waited_for),
        cmocka_unit_test(a_lost_answer_behind_a_slow_list_makes_no_second_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* lists.c - what a list does not show may be there: it lags, or lost a row. What is recorded or was about to
 * be made is not made a second time for that. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/drive.h"
#include "tests/support/expect.h"

#include <jansson.h>

#define DOC "apiVersion: headgate/v1\n"
#define EIPS                                                                                                 \
    DOC "kind: Eip\nmetadata: {name: one}\nspec: {}\n---\n" DOC "kind: Eip\nmetadata: {name: two}\nspec: {}\n"

static void what_was_made_before_a_crash_is_waited_for_until_it_is_listed(void **state)
{
    (void)state;
    for (uint32_t at = 1;; at++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest(&h, EIPS);
        harness_option(&h, "list-lag-ms", "8000");
        struct apply_script script = {.cut_at = at};
        (void)harness_apply(&h, &script);
        if (!h.was_cut) {
            assert_in_range(at, 6, 100);
            return;
        }
        EXPECT_APPLIED(&h, NULL); /* at once: the lists do not show it yet */
        harness_wait(&h, 60000);
        EXPECT_CONVERGED(&h);
        assert_int_equal(harness_count(&h, "eip"), 2);
        assert_int_equal(h.memory.n_intents, 0);
    }
}

#define EIP(isp) DOC "kind: Eip\nmetadata: {name: one}\nspec: {isp: " isp "}\n"

static void nor_is_it_made_twice_when_it_is_wanted_otherwise_by_then(void **state)
{
    (void)state;
    for (uint32_t at = 1;; at++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest(&h, EIP("BGP"));
        harness_option(&h, "list-lag-ms", "8000");
        struct apply_script script = {.cut_at = at};
        (void)harness_apply(&h, &script);
        if (!h.was_cut) {
            assert_in_range(at, 5, 100);
            return;
        }
        harness_manifest(&h, EIP("BGP_PRO"));
        (void)harness_apply(&h, NULL); /* may find the other one and not be able to change it in place */
        harness_wait(&h, 60000);
        EXPECT_APPLIED(&h, NULL);
        EXPECT_CONVERGED(&h);
        harness_wait(&h, 60000);
        assert_int_equal(harness_count(&h, "eip"), 1);
    }
}

/* Answers to lists of EIPs lack their rows, from the n-th on, so many of them. */
struct forgetful {
    struct harness *h;
    unsigned n_lists, forgets, more;
};

static enum err_code forget_rows(void *ctx, int64_t now, const struct request *r, struct mock_answer *answer,
                                 struct err *err)
{
    struct forgetful *f = ctx;
    enum err_code code = mock_call(f->h->mock, now, r, answer, err);
    if (strcmp(r->operation, "DescribeEipAddresses") != 0 || ++f->n_lists < f->forgets ||
        f->n_lists > f->forgets + f->more)
        return code;
    free(answer->body);
    answer->body = strdup(
        "{\"RequestId\":\"R\",\"TotalCount\":0,\"PageNumber\":1,\"PageSize\":100,\"EipAddresses\":{\"EipAddress\":[]}}");
    assert_non_null(answer->body);
    answer->body_size = strlen(answer->body);
    return code;
}

static void what_is_recorded_and_not_listed_is_looked_for_once_more(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIPS);
    EXPECT_APPLIED(&h, NULL);
    struct forgetful f = {.h = &h, .forgets = 1};
    h.call = forget_rows;
    h.call_ctx = &f;
    EXPECT_CONVERGED(&h);
    assert_int_equal(f.n_lists, 2);
    EXPECT_CONVERGED(&h);
    assert_int_equal(f.n_lists, 3); /* not without need */
}

/* … and a third time, before it is made anew: two lists in a row may have the same gap. */
static void what_two_lists_do_not_show_is_not_made_again(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIPS);
    EXPECT_APPLIED(&h, NULL);
    struct forgetful f = {.h = &h, .forgets = 1, .more = 1};
    h.call = forget_rows;
    h.call_ctx = &f;
    EXPECT_APPLIED(&h, NULL);
    assert_int_equal(harness_count(&h, "eip"), 2);
    EXPECT_CONVERGED(&h);
}

/* The only look at what takes its time is a late one. */
static void a_gap_in_a_late_list_is_no_end(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIPS);
    struct forgetful f = {.h = &h, .forgets = 2, .more = 0};
    h.call = forget_rows;
    h.call_ctx = &f;
    EXPECT_APPLIED(&h, NULL);
    assert_int_equal(harness_count(&h, "eip"), 2);
}

static void what_is_not_seen_for_more_than_a_minute_is_not_made_twice(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIPS);
    harness_option(&h, "list-lag-ms", "90000");
    enum err_code code = harness_apply(&h, NULL);
    assert_int_equal(code, ERR_PROVIDER); /* the cloud gave up on it, for all that is known */
    assert_int_equal(h.memory.n_intents, 2);
    EXPECT_APPLIED(&h, NULL);
    assert_int_equal(harness_count(&h, "eip"), 2);
    harness_option(&h, "list-lag-ms", "0");
    EXPECT_CONVERGED(&h);
}

static void what_somebody_deleted_after_a_crash_is_made_anew(void **state)
{
    (void)state;
    for (uint32_t at = 1;; at++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest(&h, EIP("BGP"));
        struct apply_script script = {.cut_at = at};
        (void)harness_apply(&h, &script);
        if (!h.was_cut) return;
        CLEANUP(buf_fini) struct buf all;
        buf_init(&all, 1 << 20);
        assert_int_equal(mock_list(h.mock, HARNESS_EPOCH_MS + h.now_ms, "eip", true, &all, &h.err), ERR_OK);
        json_auto_t *eips = json_loads(buf_str(&all), 0, NULL);
        for (size_t k = 0; k < json_array_size(eips); k++) {
            const char *id = json_string_value(json_object_get(json_array_get(eips, k), "id"));
            assert_int_equal(mock_delete(h.mock, HARNESS_EPOCH_MS + h.now_ms, id, true, &h.err), ERR_OK);
        }
        EXPECT_APPLIED(&h, NULL); /* the token of the request that is repeated stands for what is gone */
        assert_int_equal(harness_count(&h, "eip"), 1);
        EXPECT_CONVERGED(&h);
    }
}

static void without_a_state_what_is_wanted_is_looked_for_once_more(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h,
                     EIPS "---\n" DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n");
    EXPECT_APPLIED(&h, NULL);
    memory_forget(&h.memory);
    struct forgetful f = {.h = &h, .forgets = 1};
    h.call = forget_rows;
    h.call_ctx = &f;
    EXPECT_PLAN(&h, "");
    assert_int_equal(f.n_lists, 2);
}

#define OUT                                                                                                  \
    DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC                        \
        "kind: VSwitch\nmetadata: {name: front}\n"                                                           \
        "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n---\n" DOC                          \
        "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: front}\n---\n" DOC              \
        "kind: Eip\nmetadata: {name: eip}\nspec: {}\n---\n" DOC                                              \
        "kind: EipAssociation\nmetadata: {name: bound}\nspec: {eip: eip, natGateway: nat}\n---\n" DOC        \
        "kind: SnatEntry\nmetadata: {name: out}\n"                                                           \
        "spec: {natGateway: nat, source: {vSwitch: front}, eips: [eip]}\n"

/* The same entry is made by somebody else right before, and lists lag behind. */
static enum err_code forestall(void *ctx, int64_t now, const struct request *r, struct mock_answer *answer,
                               struct err *err)
{
    struct harness *h = ctx;
    if (strcmp(r->operation, "CreateSnatEntry") == 0 && harness_count(h, "snatentry") == 0) {
        CLEANUP(arena_freep) struct arena *arena = arena_new((size_t)1 << 20);
        struct request theirs;
        assert_non_null(arena);
        request_init(&theirs, arena, r->product, r->operation);
        for (uint32_t k = 0; k < r->n_params; k++)
            if (strcmp(r->params[k].name, "ClientToken") != 0)
                request_add(&theirs, r->params[k].name, r->params[k].value);
        enum err_code code = mock_call(h->mock, now, &theirs, answer, err);
        assert_int_equal(code, ERR_OK);
        free(answer->body);
    }
    return mock_call(h->mock, now, r, answer, err);
}

static void what_exists_is_looked_for_until_it_is_listed(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_option(&h, "list-lag-ms", "5000");
    harness_manifest(&h, OUT);
    h.call = forestall;
    h.call_ctx = &h;
    EXPECT_APPLIED(&h, NULL);
    harness_wait(&h, 60000);
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_count(&h, "snatentry"), 1);
}

/* One list of gateways, the first after a while, is answered by something else. */
struct once {
    struct harness *h;
    const char *after; /* this changing call was made */
    int64_t not_before_ms;
    int status;
    const char *body;
    bool done;
};

static enum err_code answer_once(void *ctx, int64_t now, const struct request *r, struct mock_answer *answer,
                                 struct err *err)
{
    struct once *o = ctx;
    if (o->done || strcmp(r->operation, "DescribeNatGateways") != 0 || o->h->now_ms < o->not_before_ms ||
        strstr(harness_calls(o->h), o->after) == NULL)
        return mock_call(o->h->mock, now, r, answer, err);
    o->done = true;
    *answer = (struct mock_answer){.http_status = o->status, .body = strdup(o->body), .latency_ms = 20};
    assert_non_null(answer->body);
    answer->body_size = strlen(answer->body);
    return ERR_OK;
}

/* Else the vSwitch would be asked to go before the gateway in it has gone. */
static void a_list_that_fails_is_no_end_of_a_deletion(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, OUT);
    EXPECT_APPLIED(&h, NULL);
    harness_clear_ledger(&h);
    struct once o = {.h = &h,
                     .after = " DeleteNatGateway ",
                     .status = 500,
                     .body = "{\"RequestId\":\"R\",\"Code\":\"InternalError\",\"Message\":\"\"}"};
    h.call = answer_once;
    h.call_ctx = &o;
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_true(o.done);
    assert_string_equal(harness_refused(&h), "");
}

/* It was seen before, and accepted longer ago than what is never seen is waited for. */
static void a_gap_after_a_minute_is_no_end_of_a_creation(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, OUT);
    assert_int_equal(mock_set_pace(h.mock, 0.4, -1, &h.err), ERR_OK); /* a gateway takes two minutes */
    struct once o = {.h = &h,
                     .after = " CreateNatGateway ",
                     .not_before_ms = h.now_ms + 90000,
                     .status = 200,
                     .body = "{\"RequestId\":\"R\",\"TotalCount\":0,\"PageNumber\":1,\"PageSize\":50,"
                             "\"NatGateways\":{\"NatGateway\":[]}}"};
    h.call = answer_once;
    h.call_ctx = &o;
    EXPECT_APPLIED(&h, NULL);
    assert_true(o.done);
    EXPECT_CONVERGED(&h);
}

/* ---- an association that changes its table and its name ---- */

#define NETWORK                                                                                              \
    DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC                        \
        "kind: VSwitch\nmetadata: {name: web}\nspec: {vpc: main, zone: cn-shanghai-b, cidrBlock: "           \
        "10.0.1.0/24}\n---\n" DOC
#define TABLE(name)                                                                                          \
    NETWORK "kind: RouteTable\nmetadata: {name: " name "}\nspec: {vpc: main, vSwitches: [web]}\n"

static void a_table_goes_when_its_vswitch_is_given_to_another(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, TABLE("one"));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, TABLE("two"));
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_count(&h, "routetable"), 2); /* and the system's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_made_before_a_crash_is_waited_for_until_it_is_listed),
        cmocka_unit_test(nor_is_it_made_twice_when_it_is_wanted_otherwise_by_then),
        cmocka_unit_test(what_is_recorded_and_not_listed_is_looked_for_once_more),
        cmocka_unit_test(what_two_lists_do_not_show_is_not_made_again),
        cmocka_unit_test(a_gap_in_a_late_list_is_no_end),
        cmocka_unit_test(what_is_not_seen_for_more_than_a_minute_is_not_made_twice),
        cmocka_unit_test(what_somebody_deleted_after_a_crash_is_made_anew),
        cmocka_unit_test(without_a_state_what_is_wanted_is_looked_for_once_more),
        cmocka_unit_test(what_exists_is_looked_for_until_it_is_listed),
        cmocka_unit_test(a_list_that_fails_is_no_end_of_a_deletion),
        cmocka_unit_test(a_gap_after_a_minute_is_no_end_of_a_creation),
        cmocka_unit_test(a_table_goes_when_its_vswitch_is_given_to_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

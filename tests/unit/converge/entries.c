/* entries.c - entries carry no tags: while an old and a new one are both there, both are recorded, and so
 * is what is about to be made, so that none is left behind by a crash, an interrupt or a change of mind. */
#include "tests/support/drive.h"
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

#define DOC "apiVersion: headgate/v1\n"
#define GROUP(port)                                                                                          \
    DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC                        \
        "kind: SecurityGroup\nmetadata: {name: web}\nspec: {vpc: main}\n---\n" DOC                           \
        "kind: SecurityGroupRule\nmetadata: {name: http}\n"                                                  \
        "spec: {securityGroup: web, protocol: tcp, ports: \"" port "\", peer: {cidr: 0.0.0.0/0}}\n"

#define NO_RULE                                                                                              \
    DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC                        \
        "kind: SecurityGroup\nmetadata: {name: web}\nspec: {vpc: main}\n"

/* Applies the change and cuts it at each boundary; then goes on with 'manifest'. */
static void cut_anywhere_then(const char *manifest)
{
    for (uint32_t at = 1;; at++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest(&h, GROUP("80"));
        EXPECT_APPLIED(&h, NULL);
        harness_manifest(&h, GROUP("81"));
        EXPECT_PLAN(&h, "+/- SecurityGroupRule/http (ports)\n");
        struct apply_script script = {.cut_at = at};
        enum err_code code = harness_apply(&h, &script);
        if (!h.was_cut) {
            assert_int_equal(code, ERR_OK);
            assert_in_range(at, 6, 100);
            return;
        }
        harness_manifest(&h, manifest);
        harness_clear_ledger(&h);
        EXPECT_APPLIED(&h, NULL);
        assert_string_equal(harness_refused(&h), "");
        EXPECT_CONVERGED(&h);
        assert_int_equal(harness_count(&h, "securitygrouprule"), 1);
        assert_int_equal(h.memory.n_records, 3);
        assert_int_equal(h.memory.n_intents, 0);
    }
}

static void a_crash_between_the_new_and_the_old_leaves_one(void **state)
{
    (void)state;
    cut_anywhere_then(GROUP("81"));
}

static void so_does_a_crash_and_a_third_wish(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, GROUP("80"));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, GROUP("81"));
    struct apply_script script = {.interrupt_at_ms = 10};
    assert_int_equal(harness_apply(&h, &script), ERR_CANCELED);
    assert_int_equal(harness_count(&h, "securitygrouprule"), 2);
    assert_string_not_equal(harness_id(&h, "SecurityGroupRule/http~old"), "");
    harness_manifest(&h, GROUP("82"));
    EXPECT_PLAN(&h, "+/- SecurityGroupRule/http (ports)\n- SecurityGroupRule/http~old\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_count(&h, "securitygrouprule"), 1);
}

static void a_change_of_mind_goes_back_to_one(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, GROUP("80"));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, GROUP("81"));
    struct apply_script script = {.interrupt_at_ms = 10};
    assert_int_equal(harness_apply(&h, &script), ERR_CANCELED);
    harness_manifest(&h, GROUP("80"));
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_count(&h, "securitygrouprule"), 1);
}

static void when_all_goes_well_nothing_of_it_stays(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, GROUP("80"));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, GROUP("81"));
    EXPECT_APPLIED(&h, NULL);
    assert_int_equal(h.memory.n_records, 3);
    assert_string_equal(harness_id(&h, "SecurityGroupRule/http~old"), "");
}

/* ---- what was about to be made ---- */

#define BARE                                                                                                 \
    DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC                        \
        "kind: VSwitch\nmetadata: {name: front}\n"                                                           \
        "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n"
#define GATEWAY                                                                                              \
    BARE "---\n" DOC "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: front}\n---\n" DOC \
         "kind: Eip\nmetadata: {name: eip}\nspec: {}\n---\n" DOC                                             \
         "kind: RouteTable\nmetadata: {name: table}\nspec: {vpc: main}\n"
#define ENTRIES(source)                                                                                      \
    GATEWAY                                                                                                  \
    "---\n" DOC "kind: EipAssociation\nmetadata: {name: bound}\nspec: {eip: eip, natGateway: nat}\n"         \
    "---\n" DOC "kind: SnatEntry\nmetadata: {name: out}\n"                                                   \
    "spec: {natGateway: nat, source: {cidr: " source "}, eips: [eip]}\n---\n" DOC                            \
    "kind: DnatEntry\nmetadata: {name: in}\n"                                                                \
    "spec: {natGateway: nat, eip: eip, protocol: tcp, externalPort: \"80\", target: {ip: 10.0.1.9}, "        \
    "internalPort: \"80\"}\n---\n" DOC "kind: RouteEntry\nmetadata: {name: default}\n"                       \
    "spec: {routeTable: table, destination: 0.0.0.0/0, nextHop: {natGateway: nat}}\n---\n" DOC               \
    "kind: RouteTableAssociation\nmetadata: {name: front}\n"                                                 \
    "spec: {routeTable: table, vSwitch: front}\n"

static void cut_then_want(const char *wanted, size_t n_records)
{
    for (uint32_t at = 1;; at++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest(&h, GATEWAY);
        EXPECT_APPLIED(&h, NULL);
        harness_manifest(&h, ENTRIES("10.0.1.0/24"));
        struct apply_script script = {.cut_at = at};
        (void)harness_apply(&h, &script);
        if (!h.was_cut) {
            assert_in_range(at, 20, 200);
            return;
        }
        harness_wait(&h, 600000);
        harness_manifest(&h, wanted);
        harness_clear_ledger(&h);
        EXPECT_APPLIED(&h, NULL);
        assert_string_equal(harness_refused(&h), "");
        EXPECT_CONVERGED(&h);
        assert_int_equal(h.memory.n_records, n_records);
        assert_int_equal(h.memory.n_intents, 0);
        assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
        harness_wait(&h, 600000);
        assert_int_equal(harness_count(&h, NULL), 0);
    }
}

static void what_was_made_as_the_process_died_goes_with_its_manifest(void **state)
{
    (void)state;
    cut_then_want(GATEWAY, 5);
}

static void and_with_all_that_it_lies_in(void **state)
{
    (void)state;
    cut_then_want(BARE, 2);
}

static void and_when_it_is_wanted_otherwise(void **state)
{
    (void)state;
    cut_then_want(ENTRIES("10.0.1.128/25"), 10);
}

/* The attempt is noted as made in two hours; it is waited for from now on, and not until then. */
static void a_clock_that_is_set_back_hides_nothing(void **state)
{
    (void)state;
    for (uint32_t at = 1;; at++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest(&h, GATEWAY);
        EXPECT_APPLIED(&h, NULL);
        harness_manifest(&h, ENTRIES("10.0.1.0/24"));
        harness_option(&h, "list-lag-ms", "8000");
        struct apply_script script = {.cut_at = at};
        (void)harness_apply(&h, &script);
        if (!h.was_cut) return;
        h.skew_ms = -7200000;
        harness_manifest(&h, GATEWAY);
        for (int pass = 0; pass < 3; pass++) {
            (void)harness_apply(&h, NULL);
            harness_wait(&h, 70000);
        }
        EXPECT_CONVERGED(&h);
        assert_int_equal(h.memory.n_records, 5);
        assert_int_equal(harness_count(&h, "snatentry") + harness_count(&h, "dnatentry"), 0);
    }
}

static void an_attempt_leaves_no_trace_when_it_was_refused(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, GATEWAY);
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, ENTRIES("10.0.1.0/24"));
    struct apply_script script = {
        .fail_operation = "CreateSnatEntry", .fail_code = "Forbidden.RAM", .fail_count = 100};
    (void)harness_apply(&h, &script);
    assert_int_equal(h.summary.n_failed, 1);
    for (size_t k = 0; k < h.memory.n_records; k++) assert_string_not_equal(h.memory.records[k].id, "");
}

/* After a rule was made, nobody may list any more. */
static enum err_code deny_lists(void *ctx, int64_t now, const struct request *r, struct mock_answer *answer,
                                struct err *err)
{
    struct harness *h = ctx;
    bool lists = strcmp(r->operation, "DescribeSecurityGroupAttribute") == 0;
    if (lists && strstr(harness_calls(h), "AuthorizeSecurityGroup") != NULL) {
        static const char body[] = "{\"RequestId\":\"R\",\"Code\":\"Forbidden.RAM\",\"Message\":\"no\"}";
        *answer =
            (struct mock_answer){.http_status = 403, .body = strdup(body), .body_size = sizeof body - 1};
        return answer->body == NULL ? ERR_NOMEM : ERR_OK;
    }
    return mock_call(h->mock, now, r, answer, err);
}

static void an_attempt_whose_end_cannot_be_seen_stays_known(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, GROUP("80"));
    enum err_code (*usual)(void *, int64_t, const struct request *, struct mock_answer *, struct err *) =
        h.call;
    h.call = deny_lists;
    h.call_ctx = &h;
    assert_int_equal(harness_apply(&h, NULL), ERR_DENIED);
    assert_int_equal(harness_count(&h, "securitygrouprule"), 1);
    assert_int_equal(h.memory.n_records, 3); /* with http~new */
    h.call = usual;
    h.call_ctx = h.mock;
    harness_manifest(&h, GROUP("81"));
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_count(&h, "securitygrouprule"), 1);
}

/* ---- associations, whose ids are made of what they associate ---- */

#define BOUND(first, second)                                                                                 \
    DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC                        \
        "kind: VSwitch\nmetadata: {name: front}\n"                                                           \
        "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n---\n" DOC                          \
        "kind: NatGateway\nmetadata: {name: nat1}\nspec: {vpc: main, vSwitch: front}\n---\n" DOC             \
        "kind: NatGateway\nmetadata: {name: nat2}\nspec: {vpc: main, vSwitch: front}\n---\n" DOC             \
        "kind: Eip\nmetadata: {name: eip1}\nspec: {}\n---\n" DOC                                             \
        "kind: Eip\nmetadata: {name: eip2}\nspec: {}\n---\n" DOC                                             \
        "kind: EipAssociation\nmetadata: {name: one}\nspec: {eip: " first ", natGateway: nat1}\n---\n" DOC   \
        "kind: EipAssociation\nmetadata: {name: two}\nspec: {eip: " second ", natGateway: nat2}\n"

#define PUBLISHED(port)                                                                                      \
    DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC                        \
        "kind: VSwitch\nmetadata: {name: web}\nspec: {vpc: main, zone: cn-shanghai-b, cidrBlock: "           \
        "10.0.1.0/24}\n---\n" DOC "kind: NatGateway\nmetadata: {name: nat}\n"                                \
        "spec: {vpc: main, vSwitch: web}\n---\n" DOC "kind: Eip\nmetadata: {name: eip}\nspec: {}\n---\n" DOC \
        "kind: EipAssociation\nmetadata: {name: bound}\nspec: {eip: eip, natGateway: nat}\n---\n" DOC        \
        "kind: DnatEntry\nmetadata: {name: in}\nspec: {natGateway: nat, eip: eip, protocol: tcp, "           \
        "externalPort: \"" port "\", target: {ip: 10.0.1.9}, internalPort: \"80\"}\n"

/* The lists do not show yet what the dead run made: only its record tells of it. */
static void an_attempt_under_another_key_is_looked_for(void **state)
{
    (void)state;
    for (uint32_t at = 1;; at++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest(&h, PUBLISHED("80"));
        harness_option(&h, "list-lag-ms", "3000");
        struct apply_script script = {.cut_at = at};
        (void)harness_apply(&h, &script);
        if (!h.was_cut) return;
        harness_manifest(&h, PUBLISHED("81"));
        (void)harness_apply(&h, NULL); /* may see it too late: ERR_STALE */
        harness_wait(&h, 60000);
        EXPECT_APPLIED(&h, NULL);
        EXPECT_CONVERGED(&h);
        assert_int_equal(harness_count(&h, "dnatentry"), 1);
    }
}

static void two_addresses_change_places(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, BOUND("eip1", "eip2"));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, BOUND("eip2", "eip1"));
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    assert_int_equal(harness_n_changing_calls(&h), 4);
    EXPECT_CONVERGED(&h);
}

static void two_addresses_change_places_with_a_crash_anywhere(void **state)
{
    (void)state;
    for (uint32_t at = 1;; at++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest(&h, BOUND("eip1", "eip2"));
        EXPECT_APPLIED(&h, NULL);
        harness_manifest(&h, BOUND("eip2", "eip1"));
        struct apply_script script = {.cut_at = at};
        (void)harness_apply(&h, &script);
        if (!h.was_cut) return;
        EXPECT_APPLIED(&h, NULL);
        EXPECT_CONVERGED(&h);
        assert_int_equal(h.memory.n_records, 8);
    }
}

#define UNBOUND                                                                                              \
    DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC                        \
        "kind: VSwitch\nmetadata: {name: front}\n"                                                           \
        "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n---\n" DOC                          \
        "kind: NatGateway\nmetadata: {name: nat1}\nspec: {vpc: main, vSwitch: front}\n---\n" DOC             \
        "kind: NatGateway\nmetadata: {name: nat2}\nspec: {vpc: main, vSwitch: front}\n"

/* It is known to be ours as long as its manifest is there. */
static void what_is_ours_is_recorded_before_it_is_replaced(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, BOUND("eip1", "eip2"));
    EXPECT_APPLIED(&h, NULL);
    memory_forget_record(&h.memory, KIND_EIP_ASSOCIATION, "one");
    memory_forget_record(&h.memory, KIND_EIP_ASSOCIATION, "two");
    harness_manifest(&h, BOUND("eip2", "eip1"));
    struct apply_script script = {
        .fail_operation = "UnassociateEipAddress", .fail_code = "Forbidden.RAM", .fail_count = 2};
    assert_int_equal(harness_apply(&h, &script), ERR_DENIED);
    harness_manifest(&h, UNBOUND);
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_count(&h, "eip"), 0);
}

/* The first request for a rule is lost on its way, as it seems, and kept here. */
struct late {
    struct harness *h;
    struct arena *arena;
    struct request request;
    uint32_t n;
};

static enum err_code hold_the_first(void *ctx, int64_t now, const struct request *r,
                                    struct mock_answer *answer, struct err *err)
{
    struct late *l = ctx;
    if (strcmp(r->operation, "AuthorizeSecurityGroup") != 0 || l->n++ > 0)
        return mock_call(l->h->mock, now, r, answer, err);
    request_init(&l->request, l->arena, r->product, "AuthorizeSecurityGroup");
    for (uint32_t k = 0; k < r->n_params; k++)
        request_add(&l->request, arena_strdup(l->arena, r->params[k].name),
                    arena_strdup(l->arena, r->params[k].value));
    *answer = (struct mock_answer){.fault = MOCK_RESET};
    return ERR_OK;
}

#define TWO_RULES                                                                                            \
    GROUP("80")                                                                                              \
    "---\n" DOC "kind: SecurityGroupRule\nmetadata: {name: https}\n"                                         \
    "spec: {securityGroup: web, protocol: tcp, ports: \"443\", peer: {cidr: 0.0.0.0/0}}\n"

static bool is_recorded(const struct harness *h, struct text name)
{
    for (size_t k = 0; k < h->memory.n_records; k++)
        if (text_equal(h->memory.records[k].name, name)) return true;
    return false;
}

/* Both rules are asked for in one request; later each alone, with tokens of their own. */
/* Its second request made it, nobody wants it any more, it goes; and then the first request comes after all.
 */
static void a_request_that_arrives_when_all_is_over_leaves_nothing(void **state)
{
    (void)state;
    for (uint32_t at = 1, n_made = 0;; at++) {
        CLEANUP(harness_fini) struct harness h;
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
        struct late late = {.h = &h, .arena = arena};
        struct mock_answer answer;
        struct err err;
        harness_init(&h);
        harness_manifest(&h, TWO_RULES);
        h.call = hold_the_first;
        h.call_ctx = &late;
        struct apply_script script = {.cut_at = at};
        (void)harness_apply(&h, &script);
        if (!h.was_cut) {
            assert_in_range(n_made, 1, 100);
            return;
        }
        if (late.n < 2 || !is_recorded(&h, TEXT("http~new")) || !is_recorded(&h, TEXT("https~new"))) continue;
        n_made++;
        harness_manifest(&h, NO_RULE);
        EXPECT_APPLIED(&h, NULL);
        assert_int_equal(mock_call(h.mock, harness_unix_ms(&h), &late.request, &answer, &err), ERR_OK);
        mock_answer_fini(&answer);
        harness_wait(&h, 70000);
        (void)harness_apply(&h, NULL);
        EXPECT_CONVERGED(&h);
        assert_int_equal(harness_count(&h, "securitygrouprule"), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_between_the_new_and_the_old_leaves_one),
        cmocka_unit_test(so_does_a_crash_and_a_third_wish),
        cmocka_unit_test(a_change_of_mind_goes_back_to_one),
        cmocka_unit_test(when_all_goes_well_nothing_of_it_stays),
        cmocka_unit_test(what_was_made_as_the_process_died_goes_with_its_manifest),
        cmocka_unit_test(and_with_all_that_it_lies_in),
        cmocka_unit_test(and_when_it_is_wanted_otherwise),
        cmocka_unit_test(a_clock_that_is_set_back_hides_nothing),
        cmocka_unit_test(an_attempt_leaves_no_trace_when_it_was_refused),
        cmocka_unit_test(an_attempt_whose_end_cannot_be_seen_stays_known),
        cmocka_unit_test(an_attempt_under_another_key_is_looked_for),
        cmocka_unit_test(two_addresses_change_places),
        cmocka_unit_test(what_is_ours_is_recorded_before_it_is_replaced),
        cmocka_unit_test(two_addresses_change_places_with_a_crash_anywhere),
        cmocka_unit_test(a_request_that_arrives_when_all_is_over_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

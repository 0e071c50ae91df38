/* batches.c - several steps in one request; and what must not run at once does not. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

#define DOC "apiVersion: headgate/v1\n"
static const char network[] =
    DOC "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n" DOC
        "kind: VSwitch\nmetadata: {name: front}\n"
        "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n---\n" DOC
        "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: front}\n";

/* The network with 'more' below it. */
static void use_manifest(struct harness *h, const struct buf *more)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 1 << 20);
    buf_puts(&b, network);
    if (more != NULL) buf_put_text(&b, buf_text(more));
    harness_manifest(h, buf_str(&b));
}

static void add_routes(struct buf *b, unsigned n)
{
    buf_puts(b, "---\n" DOC "kind: RouteTable\nmetadata: {name: table}\nspec:\n  vpc: main\n  routes:\n");
    for (unsigned i = 0; i < n; i++)
        buf_printf(b, "    - {destination: 172.16.%u.0/24, nextHop: {natGateway: nat}}\n", i);
}

static void add_rules(struct buf *b, unsigned n)
{
    buf_puts(b, "---\n" DOC "kind: SecurityGroup\nmetadata: {name: web}\nspec:\n  vpc: main\n  rules:\n");
    for (unsigned i = 0; i < n; i++)
        buf_printf(b, "    - {protocol: tcp, ports: \"%u\", peer: {cidr: 0.0.0.0/0}}\n", 1000 + i);
}

static void add_eips(struct buf *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        buf_printf(b,
                   "---\n" DOC "kind: Eip\nmetadata: {name: eip%u}\nspec: {}\n---\n" DOC
                   "kind: EipAssociation\nmetadata: {name: bound%u}\nspec: {eip: eip%u, natGateway: nat}\n",
                   i, i, i);
}

static unsigned count_calls(struct harness *h, const char *operation)
{
    unsigned n = 0;
    char word[80];
    (void)snprintf(word, sizeof word, " %s ", operation);
    for (const char *at = harness_calls(h); (at = strstr(at, word)) != NULL; at++) n++;
    return n;
}

static void sixty_routes_take_two_calls(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    CLEANUP(buf_fini) struct buf more;
    harness_init(&h);
    buf_init(&more, 1 << 20);
    add_routes(&more, 60);
    use_manifest(&h, &more);
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    assert_int_equal(count_calls(&h, "CreateRouteEntries") + count_calls(&h, "CreateRouteEntry"), 2);
    EXPECT_CONVERGED(&h);
    harness_clear_ledger(&h);
    use_manifest(&h, NULL);
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    assert_int_equal(count_calls(&h, "DeleteRouteEntries") + count_calls(&h, "DeleteRouteEntry"), 2);
    EXPECT_CONVERGED(&h);
}

static void rules_of_a_group_take_one_call_each_way(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    CLEANUP(buf_fini) struct buf more;
    harness_init(&h);
    buf_init(&more, 1 << 20);
    add_rules(&more, 40);
    use_manifest(&h, &more);
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    assert_int_equal(count_calls(&h, "AuthorizeSecurityGroup"), 1);
    EXPECT_CONVERGED(&h);
}

static void addresses_of_a_gateway_are_bound_in_one_call(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    CLEANUP(buf_fini) struct buf more;
    harness_init(&h);
    buf_init(&more, 1 << 20);
    add_eips(&more, 8);
    use_manifest(&h, &more);
    EXPECT_APPLIED(&h, NULL);
    assert_string_equal(harness_refused(&h), "");
    assert_int_equal(count_calls(&h, "AssociateEipAddressBatch"), 1);
    assert_int_equal(count_calls(&h, "AssociateEipAddress"), 0);
    EXPECT_CONVERGED(&h);
    harness_clear_ledger(&h);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_string_equal(harness_refused(&h), "");
}

/* Faults of a batch: all of it is done in the end, nothing twice. */
static void a_batch_that_fails_is_made_good(void **state)
{
    (void)state;
    static const char *const operations[] = {"CreateRouteEntries", "AuthorizeSecurityGroup",
                                             "AssociateEipAddressBatch"};
    static const char *const codes[] = {"Throttling",    "TaskConflict", "timeout-before",
                                        "timeout-after", "http-500",     "InvalidParameter"};
    for (size_t o = 0; o < N_ELEMENTS(operations); o++)
        for (size_t k = 0; k < N_ELEMENTS(codes); k++) {
            CLEANUP(harness_fini) struct harness h;
            CLEANUP(buf_fini) struct buf more;
            harness_init(&h);
            buf_init(&more, 1 << 20);
            add_routes(&more, 5);
            add_rules(&more, 5);
            add_eips(&more, 5);
            use_manifest(&h, &more);
            struct apply_script script = {.fail_operation = operations[o], .fail_code = codes[k]};
            EXPECT_APPLIED(&h, &script);
            EXPECT_CONVERGED(&h);
            assert_int_equal(harness_count(&h, "securitygrouprule"), 5);
            assert_int_equal(h.memory.n_intents, 0);
        }
}

static void deletions_in_a_batch_that_fail_are_made_good(void **state)
{
    (void)state;
    static const char *const operations[] = {"DeleteRouteEntries", "RevokeSecurityGroup"};
    static const char *const codes[] = {"Throttling",    "TaskConflict", "timeout-before",
                                        "timeout-after", "http-500",     "InvalidParameter"};
    for (size_t o = 0; o < N_ELEMENTS(operations); o++)
        for (size_t k = 0; k < N_ELEMENTS(codes); k++) {
            CLEANUP(harness_fini) struct harness h;
            CLEANUP(buf_fini) struct buf more;
            harness_init(&h);
            buf_init(&more, 1 << 20);
            add_routes(&more, 5);
            add_rules(&more, 5);
            use_manifest(&h, &more);
            EXPECT_APPLIED(&h, NULL);
            use_manifest(&h, NULL);
            struct apply_script script = {.fail_operation = operations[o], .fail_code = codes[k]};
            EXPECT_APPLIED(&h, &script);
            EXPECT_CONVERGED(&h);
            assert_int_equal(harness_count(&h, "securitygrouprule"), 0);
        }
}

static void many_entries_of_one_gateway_never_meet_each_other(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    CLEANUP(buf_fini) struct buf more;
    harness_init(&h);
    buf_init(&more, 1 << 20);
    add_eips(&more, 3);
    for (unsigned i = 0; i < 12; i++)
        buf_printf(
            &more,
            "---\n" DOC "kind: SnatEntry\nmetadata: {name: out%u}\n"
            "spec: {natGateway: nat, source: {cidr: 10.0.1.%u/32}, eips: [eip%u]}\n---\n" DOC
            "kind: DnatEntry\nmetadata: {name: in%u}\nspec: {natGateway: nat, eip: eip%u, protocol: tcp, "
            "externalPort: \"%u\", target: {ip: 10.0.1.9}, internalPort: \"%u\"}\n",
            i, i + 20, i % 3, i, i % 3, 100 + i, 200 + i);
    use_manifest(&h, &more);
    struct apply_script script = {.parallelism = 50};
    EXPECT_APPLIED(&h, &script);
    assert_string_equal(harness_refused(&h), "");
    EXPECT_CONVERGED(&h);
    harness_clear_ledger(&h);
    assert_int_equal(harness_destroy(&h, &script), ERR_OK);
    assert_string_equal(harness_refused(&h), "");
}

static void one_at_a_time_also_ends(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    struct apply_script script = {.parallelism = 1};
    EXPECT_APPLIED(&h, &script);
    assert_string_equal(harness_refused(&h), "");
    EXPECT_CONVERGED(&h);
}

static void a_slow_rate_is_kept(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    struct apply_script script = {.rate_per_s = 0.5};
    EXPECT_APPLIED(&h, &script);
    double calls = h.summary.n_changing_calls + h.summary.n_list_calls;
    /* It grows with success, up to twice of what it began with. */
    assert_true(calls <= 2 + (double)h.took_ms / 1000.0 * 1.0);
    EXPECT_CONVERGED(&h);
}

static void the_same_events_give_the_same_trace(void **state)
{
    (void)state;
    char *traces[2];
    for (int i = 0; i < 2; i++) {
        CLEANUP(harness_fini) struct harness h;
        harness_init(&h);
        harness_manifest_folder(&h, "nat-hairpin");
        struct apply_script script = {.fail_operation = "*", .fail_code = "Throttling", .fail_count = 7};
        EXPECT_APPLIED(&h, &script);
        traces[i] = strdup(buf_str(&h.trace));
    }
    assert_string_equal(traces[0], traces[1]);
    for (int i = 0; i < 2; i++) free(traces[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixty_routes_take_two_calls),
        cmocka_unit_test(rules_of_a_group_take_one_call_each_way),
        cmocka_unit_test(addresses_of_a_gateway_are_bound_in_one_call),
        cmocka_unit_test(a_batch_that_fails_is_made_good),
        cmocka_unit_test(deletions_in_a_batch_that_fail_are_made_good),
        cmocka_unit_test(many_entries_of_one_gateway_never_meet_each_other),
        cmocka_unit_test(one_at_a_time_also_ends),
        cmocka_unit_test(a_slow_rate_is_kept),
        cmocka_unit_test(the_same_events_give_the_same_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

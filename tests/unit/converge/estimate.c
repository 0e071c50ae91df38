/* estimate.c - the calls that a plan foretells are the calls that an undisturbed apply makes. fields.c looks
 * at each field's change. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

#define DOC(text) "---\napiVersion: headgate/v1\n" text
#define VPC       DOC("kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n")

/* Applies, and returns how many calls the plan said; those made may be no more. */
static uint32_t foretold(struct harness *h, uint32_t *made)
{
    EXPECT_APPLIED(h, NULL);
    assert_int_equal(h->summary.n_retries, 0);
    assert_true(h->summary.n_changing_calls <= h->plan->n_calls);
    *made = h->summary.n_changing_calls;
    return h->plan->n_calls;
}

static void what_a_create_call_cannot_say_counts(void **state)
{
    (void)state;
    static const struct {
        const char *manifest;
        uint32_t n;
    } rows[] = {
        {VPC, 1},
        {DOC("kind: Vpc\nmetadata: {name: main}\n"
             "spec: {cidrBlock: 10.0.0.0/8, secondaryCidrBlocks: [172.16.0.0/16, 192.168.0.0/16]}\n"),
         3},
        {DOC("kind: Eip\nmetadata: {name: a}\nspec: {}\n"), 1},
        {DOC("kind: Eip\nmetadata: {name: a}\nspec: {deletionProtection: true, tags: {a: b}}\n"), 2},
        {DOC("kind: Eip\nmetadata: {name: a}\nspec: {}\nlifecycle: {preventDestroy: true}\n"), 2},
        {VPC DOC("kind: SecurityGroup\nmetadata: {name: web}\nspec: {vpc: main, innerAccess: Drop}\n"), 3},
        {VPC DOC("kind: RouteTable\nmetadata: {name: own}\nspec: {vpc: main, system: true}\n"), 2},
        {VPC DOC("kind: RouteTable\nmetadata: {name: own}\n"
                 "spec: {vpc: main, system: true, description: the own one, tags: {a: b}}\n"),
         4},
    };
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        CLEANUP(harness_fini) struct harness h;
        uint32_t made;
        harness_init(&h);
        harness_manifest(&h, rows[i].manifest);
        uint32_t said = foretold(&h, &made);
        if (said != rows[i].n || made != rows[i].n) fail_msg("row %zu: %u said, %u made", i, said, made);
    }
}

static void several_in_one_call_are_fewer_than_foretold(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    uint32_t made;
    harness_init(&h);
    harness_manifest(&h, VPC DOC("kind: SecurityGroup\nmetadata: {name: web}\nspec:\n  vpc: main\n  rules:\n"
                                 "    - {protocol: tcp, ports: \"80\", peer: {cidr: 10.0.0.0/8}}\n"
                                 "    - {protocol: tcp, ports: \"81\", peer: {cidr: 10.0.0.0/8}}\n"
                                 "    - {protocol: tcp, ports: \"82\", peer: {cidr: 10.0.0.0/8}}\n"));
    assert_int_equal(foretold(&h, &made), 5);
    assert_int_equal(made, 3);
}

static void a_whole_network_comes_and_goes_in_no_more_calls_than_foretold(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    uint32_t made;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    assert_int_equal(foretold(&h, &made), 22);
    assert_int_equal(harness_destroy(&h, NULL), ERR_OK);
    assert_true(h.summary.n_changing_calls <= h.plan->n_calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_create_call_cannot_say_counts),
        cmocka_unit_test(several_in_one_call_are_fewer_than_foretold),
        cmocka_unit_test(a_whole_network_comes_and_goes_in_no_more_calls_than_foretold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* crash.c - kill -9 between any two effects: the next apply, knowing only what was durable, ends where an
 * undisturbed one ends, without a duplicate, an orphan or a person. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

enum { SETTLES_MS = 600000 };

/* How a test comes to the point from which it is cut. */
struct scene {
    const char *folder;        /* or: */
    const char *before, *then; /* manifests: applied undisturbed (may be NULL); then the one that is cut */
    bool destroy;
    bool loses_state; /* the state file dies, too */
};

static void set_up(struct harness *h, const struct scene *s)
{
    harness_init(h);
    if (s->folder != NULL) harness_manifest_folder(h, s->folder);
    if (s->before != NULL) harness_manifest(h, s->before);
    if (s->before != NULL || s->destroy) EXPECT_APPLIED(h, NULL);
    if (s->then != NULL) harness_manifest(h, s->then);
    harness_clear_ledger(h);
}

static enum err_code carry_out(struct harness *h, const struct scene *s, const struct apply_script *script)
{
    return s->destroy ? harness_destroy(h, script) : harness_apply(h, script);
}

/* Cuts at each boundary in turn, and applies again until it is done. */
static void walk(const struct scene *s)
{
    struct harness h;
    set_up(&h, s);
    assert_int_equal(carry_out(&h, s, NULL), ERR_OK);
    harness_wait(&h, SETTLES_MS);
    size_t n_objects = harness_count(&h, NULL);
    uint32_t n_boundaries = h.n_boundaries;
    harness_fini(&h);
    assert_in_range(n_boundaries, 2, 100000);
    for (uint32_t at = 1; at <= n_boundaries; at++) {
        struct apply_script script = {.cut_at = at};
        set_up(&h, s);
        (void)carry_out(&h, s, &script);
        assert_true(h.was_cut);
        if (s->loses_state) memory_forget(&h.memory);
        enum err_code code = carry_out(&h, s, NULL);
        harness_wait(&h, SETTLES_MS); /* what is being deleted already is not waited for */
        if (code != ERR_OK || harness_count(&h, NULL) != n_objects)
            print_message("cut at %u of %u: %s\n", at, n_boundaries, err_code_name(code)),
                explain(&h, "then");
        assert_int_equal(code, ERR_OK);
        if (!s->destroy) EXPECT_CONVERGED(&h);
        assert_int_equal(harness_count(&h, NULL), n_objects);
        assert_int_equal(h.memory.n_intents, 0);
        harness_fini(&h);
    }
}

static void creation_survives_a_crash_anywhere(void **state)
{
    (void)state;
    walk(&(struct scene){.folder = "nat-hairpin"});
}

static void destruction_survives_a_crash_anywhere(void **state)
{
    (void)state;
    walk(&(struct scene){.folder = "nat-hairpin", .destroy = true});
}

static void creation_survives_the_loss_of_its_state_as_well(void **state)
{
    (void)state;
    walk(&(struct scene){.folder = "nat-hairpin", .loses_state = true});
}

#define HEAD "apiVersion: headgate/v1\n"
#define NETWORK                                                                                              \
    HEAD "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/16}\n---\n" HEAD                     \
         "kind: VSwitch\nmetadata: {name: front}\n"                                                          \
         "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n---\n" HEAD                        \
         "kind: VSwitch\nmetadata: {name: back}\n"                                                           \
         "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.2.0/24}\n---\n"

#define GATEWAY(vswitch, isp)                                                                                \
    NETWORK HEAD                                                                                             \
        "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: " vswitch "}\n---\n" HEAD       \
        "kind: Eip\nmetadata: {name: eip}\nspec: {isp: " isp "}\n---\n" HEAD                                 \
        "kind: EipAssociation\nmetadata: {name: bound}\nspec: {eip: eip, natGateway: nat}\n---\n" HEAD       \
        "kind: SnatEntry\nmetadata: {name: out}\n"                                                           \
        "spec: {natGateway: nat, source: {vSwitch: front}, eips: [eip]}\n---\n" HEAD                         \
        "kind: DnatEntry\nmetadata: {name: in}\nspec: {natGateway: nat, eip: eip, protocol: tcp, "           \
        "externalPort: \"80\", target: {ip: 10.0.1.9}, internalPort: \"80\"}\n---\n" HEAD                    \
        "kind: RouteTable\nmetadata: {name: table}\nspec:\n  vpc: main\n  routes:\n"                         \
        "    - {destination: 0.0.0.0/0, nextHop: {natGateway: nat}}\n  vSwitches: [front]\n"

static void replacing_a_gateway_survives_a_crash_anywhere(void **state)
{
    (void)state;
    walk(&(struct scene){.before = GATEWAY("front", "BGP"), .then = GATEWAY("back", "BGP")});
}

static void replacing_an_address_survives_a_crash_anywhere(void **state)
{
    (void)state;
    walk(&(struct scene){.before = GATEWAY("front", "BGP"), .then = GATEWAY("front", "BGP_PRO")});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creation_survives_a_crash_anywhere),
        cmocka_unit_test(destruction_survives_a_crash_anywhere),
        cmocka_unit_test(creation_survives_the_loss_of_its_state_as_well),
        cmocka_unit_test(replacing_a_gateway_survives_a_crash_anywhere),
        cmocka_unit_test(replacing_an_address_survives_a_crash_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

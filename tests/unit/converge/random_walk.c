/* random_walk.c - a stack that changes at random, applied with faults, crashes, interrupts and somebody
 * else's hands in between; after each round an undisturbed apply ends with an empty plan, nothing twice,
 * nothing left.
 *
 * A seed that fails is replayed by its number: HEADGATE_SEED=17 runs that one alone, and prints its
 * manifests. HEADGATE_SEEDS=1000 runs so many. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

enum { N_SEEDS = 60, N_ROUNDS = 5, SETTLES_MS = 600000 };

struct walk {
    struct harness h;
    uint64_t random;
    struct buf yaml;
    bool tells;
    unsigned n_vswitches, n_gateways, n_eips, n_tables, n_groups, n_instances, n_vpcs;
};

static unsigned draw(struct walk *w, unsigned n)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(w->random >> 33) % n;
}

static const char *pick(struct walk *w, const char *a, const char *b)
{
    return draw(w, 2) == 0 ? a : b;
}

static void add(struct walk *w, const char *kind, const char *name, unsigned n)
{
    buf_printf(&w->yaml, "---\napiVersion: headgate/v1\nkind: %s\nmetadata: {name: %s%u}\nspec:\n", kind,
               name, n);
}

/* What both of a name's lives agree on is drawn once a run; the rest anew each round. */
static void write_network(struct walk *w)
{
    buf_puts(&w->yaml,
             "apiVersion: headgate/v1\nkind: Vpc\nmetadata: {name: vpc0}\nspec: {cidrBlock: 10.0.0.0/8}\n");
    w->n_vpcs = 1;
    w->n_vswitches = 1 + draw(w, 3);
    for (unsigned i = 0; i < w->n_vswitches; i++) {
        add(w, "VSwitch", "vsw", i);
        buf_printf(&w->yaml, "  {vpc: vpc0, zone: %s, cidrBlock: 10.0.%u.0/%s, description: %s}\n",
                   pick(w, "cn-shanghai-b", "cn-shanghai-g"), i, draw(w, 4) == 0 ? "25" : "24",
                   pick(w, "some words", "other words"));
    }
}

static void write_groups(struct walk *w)
{
    w->n_groups = 1 + draw(w, 2);
    for (unsigned i = 0; i < w->n_groups; i++) {
        add(w, "SecurityGroup", "web", i);
        buf_printf(&w->yaml, "  vpc: vpc0\n  type: %s\n  rules:\n",
                   draw(w, 5) == 0 ? "enterprise" : "normal");
        unsigned n_rules = 1 + draw(w, 4);
        for (unsigned r = 0; r < n_rules; r++)
            buf_printf(&w->yaml,
                       "    - {protocol: tcp, ports: \"%u\", peer: {cidr: 0.0.0.0/0}, direction: %s}\n",
                       80 + r * 10 + draw(w, 3), pick(w, "ingress", "egress"));
    }
    w->n_instances = draw(w, 3);
    for (unsigned i = 0; i < w->n_instances; i++) {
        add(w, "Instance", "ecs", i);
        buf_printf(&w->yaml,
                   "  {vSwitch: vsw%u, securityGroups: [web%u], image: img, instanceType: ecs.t6}\n",
                   draw(w, w->n_vswitches), draw(w, w->n_groups));
    }
}

/* Each gateway has its own EIP, and entries that use it. */
static void write_gateways(struct walk *w)
{
    w->n_gateways = draw(w, 3);
    w->n_eips = w->n_gateways + draw(w, 2);
    for (unsigned i = 0; i < w->n_eips; i++) {
        add(w, "Eip", "eip", i);
        buf_printf(&w->yaml, "  {bandwidth: %u, isp: %s}\n", 5 + draw(w, 3),
                   draw(w, 5) == 0 ? "BGP_PRO" : "BGP");
    }
    unsigned shift = w->n_gateways == 0 ? 0 : draw(w, w->n_gateways); /* who has which address changes */
    for (unsigned i = 0; i < w->n_gateways; i++) {
        unsigned eip = (i + shift) % w->n_gateways;
        add(w, "NatGateway", "nat", i);
        buf_printf(&w->yaml, "  {vpc: vpc0, vSwitch: vsw%u, description: %s}\n",
                   draw(w, 4) == 0 ? draw(w, w->n_vswitches) : 0, pick(w, "some words", "other words"));
        add(w, "EipAssociation", "bound", i);
        buf_printf(&w->yaml, "  {eip: eip%u, natGateway: nat%u}\n", eip, i);
        for (unsigned v = 0; v < w->n_vswitches; v++)
            if (draw(w, 2) == 0 && v % w->n_gateways == i) {
                add(w, "SnatEntry", "out", v);
                buf_printf(&w->yaml, "  {natGateway: nat%u, source: {vSwitch: vsw%u}, eips: [eip%u]}\n", i, v,
                           eip);
            }
        if (draw(w, 2) == 0) continue;
        add(w, "DnatEntry", "in", i);
        buf_printf(
            &w->yaml,
            "  {natGateway: nat%u, eip: eip%u, protocol: tcp, externalPort: \"%u\", target: {ip: 10.0.0.%u}, "
            "internalPort: \"80\"}\n",
            i, eip, 80 + draw(w, 3), 9 + i);
    }
}

static void write_tables(struct walk *w)
{
    w->n_tables = draw(w, 3);
    for (unsigned i = 0; i < w->n_tables; i++) {
        add(w, "RouteTable", "table", i);
        buf_printf(&w->yaml, "  vpc: vpc0\n  description: %s\n", pick(w, "some words", "other words"));
        if (w->n_gateways > 0)
            buf_printf(&w->yaml, "  routes:\n    - {destination: %s, nextHop: {natGateway: nat%u}}\n",
                       pick(w, "0.0.0.0/0", "172.16.0.0/12"), draw(w, w->n_gateways));
        if (i < w->n_vswitches && draw(w, 3) > 0) buf_printf(&w->yaml, "  vSwitches: [vsw%u]\n", i);
    }
}

static void new_manifest(struct walk *w)
{
    buf_reset(&w->yaml);
    write_network(w);
    write_groups(w);
    write_gateways(w);
    write_tables(w);
    harness_manifest(&w->h, buf_str(&w->yaml));
    if (w->tells) (void)fputs(buf_str(&w->yaml), stderr); /* print_message() cuts */
}

/* Somebody deletes something, with what hangs on it, or writes into it. */
static void meddle(struct walk *w)
{
    if (w->h.memory.n_records == 0) return;
    const struct record *r = &w->h.memory.records[draw(w, (unsigned)w->h.memory.n_records)];
    if (kind_info(r->kind)->id_prefix == NULL) return; /* has no id of its own */
    const char *words = "Description=theirs";
    struct err err;
    bool deletes = draw(w, 2) == 0;
    int64_t now = INT64_C(1700000000000) + w->h.now_ms;
    enum err_code ignored = deletes
                                ? mock_delete(w->h.mock, now, r->id, true, &err) /* gone already, or not so */
                                : mock_set(w->h.mock, now, r->id, &words, 1, &err);
    if (w->tells)
        (void)fprintf(stderr, "somebody %s %s: %s\n", deletes ? "deletes" : "writes into", r->id,
                      err_code_name(ignored));
}

/* A disturbed apply, which may end in any way. */
static void disturb(struct walk *w)
{
    static const char *const codes[] = {"Throttling",    "TaskConflict",  "timeout-before",
                                        "timeout-after", "http-500",      "reset",
                                        "Forbidden.RAM", "InternalError", "QuotaExceeded.X"};
    struct apply_script s = {.persist_ms = draw(w, 3) * 40};
    if (draw(w, 3) == 0) s.cut_at = 1 + draw(w, 80);
    if (draw(w, 3) == 0) s.interrupt_at_ms = 1 + draw(w, 120000);
    if (draw(w, 5) == 0) s.interrupt_again_ms = s.interrupt_at_ms + 1 + draw(w, 20000);
    if (draw(w, 6) == 0) s.fail_persist = 1 + draw(w, 40);
    if (draw(w, 2) == 0) {
        s.fail_operation = "*";
        s.fail_code = codes[draw(w, N_ELEMENTS(codes))];
        s.fail_count = 1 + draw(w, 4);
    }
    if (w->tells)
        print_message("disturbed: cut %u interrupt %lld %lld persist %u fail %s %u\n", s.cut_at,
                      (long long)s.interrupt_at_ms, (long long)s.interrupt_again_ms, s.fail_persist,
                      s.fail_code == NULL ? "" : s.fail_code, s.fail_count);
    if (w->tells) (void)fputs(harness_plan_text(&w->h, DUMP_CHANGES | DUMP_READS | DUMP_DRIFT), stderr);
    enum err_code ignored = harness_apply(&w->h, &s);
    if (w->tells)
        (void)fprintf(stderr, "%s %s\n%s", err_code_name(ignored), w->h.err.msg, buf_str(&w->h.trace));
    struct err err;
    if (s.fail_operation == NULL) return;
    /* What is left of the faults is used up by somebody's calls. */
    for (unsigned k = 0; k < 8; k++) {
        struct mock_answer answer;
        struct request r;
        struct arena *a = arena_new(1 << 16);
        request_init(&r, a, "Vpc", "DescribeVpcs");
        enum err_code code = mock_call(w->h.mock, INT64_C(1700000000000) + w->h.now_ms, &r, &answer, &err);
        assert_int_equal(code, ERR_OK);
        free(answer.body);
        arena_free(a);
    }
}

static void expect_counts(struct walk *w)
{
    harness_wait(&w->h, SETTLES_MS);
    assert_int_equal(harness_count(&w->h, "vpc"), w->n_vpcs);
    assert_int_equal(harness_count(&w->h, "vswitch"), w->n_vswitches);
    assert_int_equal(harness_count(&w->h, "natgateway"), w->n_gateways);
    assert_int_equal(harness_count(&w->h, "eip"), w->n_eips);
    assert_int_equal(harness_count(&w->h, "routetable"), w->n_tables + 1); /* and the system's */
    assert_int_equal(harness_count(&w->h, "securitygroup"), w->n_groups);
    assert_int_equal(harness_count(&w->h, "instance"), w->n_instances);
}

/* Undisturbed. What was left in transition by the disturbance may be refused once; nothing is the second
 * time. */
static void make_good(struct walk *w, uint64_t seed, int round)
{
    harness_wait(&w->h, SETTLES_MS);
    harness_clear_ledger(&w->h);
    if (w->tells)
        (void)fputs(harness_plan_text(&w->h, DUMP_CHANGES | DUMP_READS | DUMP_DRIFT | DUMP_STEPS), stderr);
    enum err_code code = harness_apply(&w->h, NULL);
    if (w->tells) (void)fputs(buf_str(&w->h.trace), stderr);
    const char *refused = harness_refused(&w->h);
    bool left = false;
    if (code != ERR_OK || refused[0] != '\0') {
        print_message("seed %llu round %d: %s\n%s", (unsigned long long)seed, round, err_code_name(code),
                      refused);
        explain(&w->h, "then");
    } else {
        const char *plan = harness_plan_text(&w->h, DUMP_CHANGES | DUMP_READS | DUMP_DRIFT);
        left = plan[0] != '\0';
        if (left) print_message("seed %llu round %d: left\n%s", (unsigned long long)seed, round, plan);
    }
    assert_int_equal(code, ERR_OK);
    assert_string_equal(harness_refused(&w->h), "");
    assert_false(left);
    assert_int_equal(w->h.memory.n_intents, 0);
    expect_counts(w);
    if (draw(w, 3) > 0) return;
    memory_forget(&w->h.memory); /* loses nothing */
    harness_clear_ledger(&w->h);
    EXPECT_APPLIED(&w->h, NULL);
    assert_int_equal(harness_n_changing_calls(&w->h), 0);
    EXPECT_CONVERGED(&w->h);
}

static void walk(uint64_t seed, bool tells)
{
    struct walk w = {.random = seed * 977 + 1, .tells = tells};
    harness_init(&w.h);
    buf_init(&w.yaml, 1 << 20);
    for (int round = 0; round < N_ROUNDS; round++) {
        new_manifest(&w);
        unsigned n = draw(&w, 3);
        for (unsigned k = 0; k < n; k++) {
            disturb(&w);
            if (draw(&w, 3) == 0) meddle(&w);
        }
        make_good(&w, seed, round);
    }
    harness_clear_ledger(&w.h);
    assert_int_equal(harness_destroy(&w.h, NULL), ERR_OK);
    assert_string_equal(harness_refused(&w.h), "");
    harness_wait(&w.h, SETTLES_MS);
    assert_int_equal(harness_count(&w.h, NULL), 0);
    buf_fini(&w.yaml);
    harness_fini(&w.h);
}

static void whatever_happens_the_next_apply_makes_it_good(void **state)
{
    (void)state;
    const char *one = getenv("HEADGATE_SEED");
    uint64_t seed;
    if (one != NULL && text_to_u64(text_of(one), UINT64_MAX, &seed)) {
        walk(seed, true);
        return;
    }
    uint64_t n_seeds = N_SEEDS;
    const char *many = getenv("HEADGATE_SEEDS");
    if (many != NULL && !text_to_u64(text_of(many), UINT64_MAX, &n_seeds))
        fail_msg("HEADGATE_SEEDS is no number");
    for (seed = 1; seed <= n_seeds; seed++) walk(seed, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_the_next_apply_makes_it_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* power.c - the power goes at any moment of two applies: what was promised is there, nothing is half there.
 */
#include "power_fixture.h"

#include "tests/support/expect.h"

enum { N_SEEDS = 2 };

#define HEAD "apiVersion: headgate/v1\n"

/* A network of gateways, addresses, entries and rules; the second one changes, replaces and deletes. */
static const char *network(struct fixture *f, uint32_t n_vswitches, uint32_t n_rules, const char *description)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 1 << 20);
    buf_printf(&b,
               HEAD "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/16, description: %s}\n",
               description);
    for (uint32_t k = 0; k < n_vswitches; k++)
        buf_printf(&b,
                   "---\n" HEAD "kind: VSwitch\nmetadata: {name: w%u}\n"
                   "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.%u.0/24, description: %s}\n",
                   k, k, description);
    for (uint32_t k = 0; k < n_rules; k++)
        buf_printf(&b,
                   "---\n" HEAD "kind: DnatEntry\nmetadata: {name: in%u}\nspec: {natGateway: nat, eip: eip, "
                   "protocol: tcp, externalPort: \"%u\", target: {ip: 10.0.0.9}, internalPort: \"%u\"}\n",
                   k, 8000 + k, 8000 + k);
    buf_puts(&b, "---\n" HEAD "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: w0}\n"
                 "---\n" HEAD "kind: Eip\nmetadata: {name: eip}\nspec: {}\n"
                 "---\n" HEAD "kind: Eip\nmetadata: {name: way-out}\nspec: {}\n"
                 "---\n" HEAD "kind: EipAssociation\nmetadata: {name: out-bound}\n"
                 "spec: {eip: way-out, natGateway: nat}\n"
                 "---\n" HEAD "kind: EipAssociation\nmetadata: {name: bound}\n"
                 "spec: {eip: eip, natGateway: nat}\n"
                 "---\n" HEAD "kind: SnatEntry\nmetadata: {name: out}\n"
                 "spec: {natGateway: nat, source: {vSwitch: w1}, eips: [way-out]}\n"
                 "---\n" HEAD "kind: RouteTable\nmetadata: {name: table}\nspec:\n  vpc: main\n  routes:\n"
                 "    - {destination: 0.0.0.0/0, nextHop: {natGateway: nat}}\n  vSwitches: [w1]\n"
                 "---\n" HEAD "kind: SecurityGroup\nmetadata: {name: web}\nspec:\n  vpc: main\n  rules:\n");
    for (uint32_t k = 0; k < n_rules; k++)
        buf_printf(&b, "    - {protocol: tcp, ports: \"%u\", peer: {cidr: 0.0.0.0/0}}\n", 80 + k);
    const char *kept = arena_strdup(f->arena, buf_str(&b));
    assert_non_null(kept);
    return kept;
}

/* Of two promises around a moment the state is one. */
static void expect_promised(struct rig *r, size_t kept, size_t at, enum power_loss loss, uint64_t seed)
{
    struct fixture *f = r->f;
    const char *report = "";
    CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_ARENA_BYTES);
    assert_non_null(a);
    enum err_code code = store_open(f->path, STORE_READ_WRITE, &f->store, &f->err);
    if (code == ERR_OK) code = store_verify(f->store, a, &report, &f->err);
    uint64_t rows = code == ERR_OK ? hash_rows(f->store) : 0;
    bool good = code == ERR_OK && (rows == r->promises[kept].rows ||
                                   (kept + 1 < r->n_promises && rows == r->promises[kept + 1].rows));
    if (!good)
        fail_msg("cut at %zu (%d, seed %llu), %zu writes promised: %s %s%s", at, (int)loss,
                 (unsigned long long)seed, kept, err_code_name(code), f->err.msg, report);
    rig_close(r);
}

/* Every position of the log from the first promise on, with several ways to lose what was not synced. */
static void cut_everywhere(struct rig *r)
{
    size_t at = 0, kept = 0, n_images = 0;
    uint64_t before[2 + N_SEEDS] = {0};
    struct power_replay *replay = power_replay_new(r->disk);
    do {
        while (kept + 1 < r->n_promises && r->promises[kept + 1].log <= at) kept++;
        for (uint32_t k = 0; k < N_ELEMENTS(before) && at >= r->promises[0].log; k++) {
            enum power_loss loss = k < POWER_LOSES_SOME ? (enum power_loss)k : POWER_LOSES_SOME;
            uint64_t seed = at * N_SEEDS + k, hash = power_cut(replay, loss, seed) + kept;
            bool seen = false;
            for (uint32_t i = 0; i < N_ELEMENTS(before); i++) seen |= before[i] == hash;
            before[k] = hash;
            if (seen) continue; /* the same disk as a moment ago */
            expect_promised(r, kept, at, loss, seed);
            n_images++;
        }
        at++;
    } while (power_replay_step(replay));
    power_replay_free(replay);
    print_message("%zu cut points, %zu different disks, %zu writes\n", at - r->promises[0].log, n_images,
                  r->n_promises);
    assert_true(n_images > r->n_promises);
}

static void expect_applied(struct rig *r, const char *yaml)
{
    enum err_code code = rig_apply(r, yaml);
    if (code != ERR_OK) explain(&r->h, err_code_name(code));
    expect_ok(r->f, code);
}

/* Two applies with a restart in between. */
static void record_applies(struct rig *r, const char *first, const char *second)
{
    struct fixture *f = r->f;
    power_record(r->disk);
    expect_ok(f, rig_open(r));
    promised(r);
    expect_ok(f, store_lock(f->store, DEFAULT_STACK, "apply", NOW_MS, NULL, NULL, &f->err));
    promised(r);
    expect_applied(r, first);
    rig_close(r);
    expect_ok(f, rig_open(r));
    expect_applied(r, second);
    rig_close(r);
}

static void what_was_promised_survives_a_power_cut_anywhere(void **state)
{
    struct rig r;
    rig_init(&r, *state);
    record_applies(&r, network(r.f, 12, 12, "one"), network(r.f, 10, 11, "two"));
    cut_everywhere(&r);
    rig_fini(&r);
}

static void so_it_does_where_there_is_no_log(void **state)
{
    struct rig r;
    rig_init(&r, *state);
    power_no_shared_memory(r.disk);
    record_applies(&r, network(r.f, 2, 1, "one"), network(r.f, 2, 1, "two"));
    cut_everywhere(&r);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATE_TEST(what_was_promised_survives_a_power_cut_anywhere),
        STATE_TEST(so_it_does_where_there_is_no_log),
    };
    return cmocka_run_group_tests_name("state/power", tests, NULL, NULL);
}

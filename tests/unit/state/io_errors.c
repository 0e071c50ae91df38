/* io_errors.c - each operation of the disk fails once, in turn: the store says so, keeps what it has
 * promised, and nothing is begun whose intent it could not keep. */
#include "power_fixture.h"

enum { MAX_OPERATIONS = 5000 };

#define HEAD "apiVersion: headgate/v1\n"

static const char small[] =
    HEAD "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/16}\n---\n" HEAD
         "kind: VSwitch\nmetadata: {name: web}\n"
         "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n---\n" HEAD
         "kind: SecurityGroup\nmetadata: {name: web}\nspec:\n  vpc: main\n  rules:\n"
         "    - {protocol: tcp, ports: \"80\", peer: {cidr: 0.0.0.0/0}}\n";

static const enum power_fault faults[] = {POWER_IO_ERROR, POWER_DISK_FULL};

/* An error that a person can do something with: the path, and what is wrong with it. */
static void expect_told(struct fixture *f, const char *failed, enum err_code code)
{
    if (code != ERR_IO || strstr(f->err.msg, f->path) == NULL)
        fail_msg("%s failed: %s: %s", failed, err_code_name(code), f->err.msg);
    if (strstr(f->err.msg, "disk full, the file is as it was before") == NULL &&
        strstr(f->err.msg, "reading or writing it failed") == NULL &&
        strstr(f->err.msg, "it cannot be opened") == NULL)
        fail_msg("%s failed, which is not clear from: %s", failed, f->err.msg);
}

/* ---- the store alone ---- */

static enum err_code write_record(struct rig *r, const char *name)
{
    struct fixture *f = r->f;
    struct intent intent = {.kind = KIND_VSWITCH,
                            .name = text_of(name),
                            .verb = VERB_CREATE,
                            .operation = "CreateVSwitch",
                            .token = "token",
                            .request_hash = "hash",
                            .generation = 1};
    struct record record = vswitch(f, name, "vsw-1", 1);
    struct write before = {.type = WRITE_INTENT, .intent = &intent};
    struct write after[] = {{.type = WRITE_RECORD, .record = &record},
                            {.type = WRITE_SETTLE_INTENT, .kind = KIND_VSWITCH, .name = text_of(name)}};
    enum err_code code = store_write(f->store, DEFAULT_STACK, &before, 1, &f->err);
    if (code == ERR_OK) promised(r);
    if (code == ERR_OK) code = store_write(f->store, DEFAULT_STACK, after, 2, &f->err);
    if (code == ERR_OK) promised(r);
    return code;
}

/* Opens, writes, reads, closes: as far as it goes. */
static enum err_code session(struct rig *r, int n_records)
{
    struct fixture *f = r->f;
    struct records records;
    enum err_code code = rig_open(r);
    if (code == ERR_OK) code = store_lock(f->store, DEFAULT_STACK, "apply", NOW_MS, NULL, NULL, &f->err);
    if (code == ERR_OK) promised(r);
    for (int k = 0; k < n_records && code == ERR_OK; k++)
        code = write_record(r, arena_printf(f->arena, "web%d", k % 2));
    if (code == ERR_OK) code = store_records(f->store, DEFAULT_STACK, NULL, f->arena, &records, &f->err);
    if (code == ERR_OK) code = store_unlock(f->store, DEFAULT_STACK, &f->err);
    if (code == ERR_OK) promised(r);
    return code;
}

/* The failed store still reads what was promised, and writes again. The write that failed may be there, too:
 * whole, as in the undisturbed session. */
static void expect_usable(struct rig *r, const struct rig *undisturbed)
{
    struct fixture *f = r->f;
    struct records records;
    expect_ok(f, store_records(f->store, DEFAULT_STACK, NULL, f->arena, &records, &f->err));
    uint64_t rows = hash_rows(f->store);
    if (rows != undisturbed->promises[r->n_promises - 1].rows &&
        rows != undisturbed->promises[r->n_promises].rows)
        fail_msg("%s failed: not what was promised", power_failed(r->disk));
    struct record record = vswitch(f, "afterwards", "vsw-2", 1);
    put(f, &record);
    promised(r);
}

/* Opened anew it has what was promised. */
static void expect_kept(struct rig *r)
{
    struct fixture *f = r->f;
    const char *report;
    rig_close(r);
    expect_ok(f, rig_open(r));
    expect_ok(f, store_verify(f->store, f->arena, &report, &f->err));
    if (r->n_promises > 0 && hash_rows(f->store) != r->promises[r->n_promises - 1].rows)
        fail_msg("%s failed: not what was promised after opening it again", power_failed(r->disk));
}

/* A session of which the n-th operation fails; 0: none. False when it has fewer. */
static bool run_session(struct rig *r, bool log, enum power_fault fault, uint64_t n,
                        const struct rig *undisturbed)
{
    struct fixture *f = r->f;
    if (!log) power_no_shared_memory(r->disk);
    expect_ok(f, rig_open(r)); /* making the file is the next test's */
    promised(r);
    rig_close(r);
    power_fail_at(r->disk, fault, n);
    enum err_code code = session(r, log ? 5 : 2);
    bool came = power_failed(r->disk) != NULL;
    if (!came) expect_ok(f, code);
    if (code != ERR_OK) expect_told(f, power_failed(r->disk), code);
    if (code != ERR_OK && f->store != NULL) expect_usable(r, undisturbed);
    if (came) expect_kept(r);
    rig_fini(r);
    assert_int_equal(unlink(f->path), 0);
    return came;
}

static void fail_sessions(struct fixture *f, bool log)
{
    struct rig undisturbed, r;
    rig_init(&undisturbed, f);
    (void)run_session(&undisturbed, log, POWER_IO_ERROR, 0, NULL);
    for (size_t k = 0; k < N_ELEMENTS(faults); k++) {
        uint64_t n = 0;
        do rig_init(&r, f);
        while (run_session(&r, log, faults[k], ++n, &undisturbed));
        assert_in_range(n, 20, MAX_OPERATIONS);
        print_message("%llu operations failed\n", (unsigned long long)n - 1);
    }
}

static void each_operation_of_a_session_may_fail(void **state)
{
    fail_sessions(*state, true);
}

static void so_it_may_where_there_is_no_log(void **state)
{
    fail_sessions(*state, false);
}

/* No file, or a whole one. */
static void each_operation_of_making_the_file_may_fail(void **state)
{
    struct fixture *f = *state;
    for (size_t k = 0; k < N_ELEMENTS(faults); k++) {
        bool came = true;
        for (uint64_t n = 1; came && n < MAX_OPERATIONS; n++) {
            struct rig r;
            rig_init(&r, f);
            power_fail_at(r.disk, faults[k], n);
            enum err_code code = rig_open(&r);
            came = power_failed(r.disk) != NULL;
            if (!came) power_fail_at(r.disk, faults[k], 0);
            if (code != ERR_OK) expect_told(f, power_failed(r.disk), code);
            expect_kept(&r);
            rig_fini(&r);
            assert_int_equal(unlink(f->path), 0);
        }
        assert_false(came);
    }
}

/* A sound file is never told to be damaged because it could not be read. */
static void each_operation_of_verifying_may_fail(void **state)
{
    struct fixture *f = *state;
    struct rig r;
    const char *report;
    rig_init(&r, f);
    expect_ok(f, rig_open(&r));
    for (int k = 0; k < 100; k++) {
        struct record record = vswitch(f, arena_printf(f->arena, "web%d", k), "vsw-1", 1);
        put(f, &record);
    }
    uint64_t n = 0;
    do {
        (void)sqlite3_db_release_memory(r.f->store->db); /* so that it reads again */
        power_fail_at(r.disk, POWER_IO_ERROR, ++n);
        enum err_code code = store_verify(f->store, f->arena, &report, &f->err);
        if (code != ERR_OK) expect_told(f, power_failed(r.disk), code);
        if (code != ERR_OK) assert_null(strstr(report, "check"));
    } while (power_failed(r.disk) != NULL);
    assert_in_range(n, 20, MAX_OPERATIONS);
    rig_fini(&r);
}

/* ---- the engine with it ---- */

struct watched {
    struct rig rig;
    uint32_t n_calls; /* when the write failed */
    bool failed;
};

static enum err_code keep_and_watch(void *ctx, const struct note *notes, size_t n)
{
    struct watched *w = ctx;
    enum err_code code = rig_keep(&w->rig, notes, n);
    if (code != ERR_OK && !w->failed) w->n_calls = harness_n_changing_calls(&w->rig.h);
    w->failed |= code != ERR_OK;
    return code;
}

static bool fail_apply_at(struct fixture *f, enum power_fault fault, uint64_t n)
{
    struct watched w = {.failed = false};
    struct rig *r = &w.rig;
    rig_init(r, f);
    r->h.keep = keep_and_watch;
    r->h.keep_ctx = &w;
    expect_ok(f, rig_open(r));
    promised(r);
    power_fail_at(r->disk, fault, n);
    enum err_code code = rig_apply(r, small);
    bool came = power_failed(r->disk) != NULL;
    if (w.failed) {
        assert_int_not_equal(code, ERR_OK);
        assert_int_equal(harness_n_changing_calls(&r->h), w.n_calls);
    }
    power_fail_at(r->disk, fault, 0);
    /* It is over; the next apply does the rest. */
    expect_ok(f, rig_apply(r, small));
    assert_string_equal(harness_plan_text(&r->h, DUMP_CHANGES), "");
    assert_int_equal(harness_count(&r->h, "vpc"), 1);
    assert_int_equal(harness_count(&r->h, "vswitch"), 1);
    assert_int_equal(harness_count(&r->h, "securitygrouprule"), 1);
    struct intent *intents;
    size_t n_intents;
    expect_ok(f, store_intents(f->store, DEFAULT_STACK, f->arena, &intents, &n_intents, &f->err));
    assert_int_equal(n_intents, 0);
    assert_int_equal(load(f).n, 4);
    rig_fini(r);
    assert_int_equal(unlink(f->path), 0);
    return came;
}

static void no_call_is_made_whose_intent_was_not_stored(void **state)
{
    for (size_t k = 0; k < N_ELEMENTS(faults); k++) {
        uint64_t n = 1;
        while (n < MAX_OPERATIONS && fail_apply_at(*state, faults[k], n)) n++;
        assert_in_range(n, 20, MAX_OPERATIONS - 1);
        print_message("%llu operations failed\n", (unsigned long long)n - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATE_TEST(each_operation_of_a_session_may_fail),
        STATE_TEST(so_it_may_where_there_is_no_log),
        STATE_TEST(each_operation_of_making_the_file_may_fail),
        STATE_TEST(each_operation_of_verifying_may_fail),
        STATE_TEST(no_call_is_made_whose_intent_was_not_stored),
    };
    return cmocka_run_group_tests_name("state/io_errors", tests, NULL, NULL);
}

/* history.c - runs and events are kept, in order, up to their limits. */
#include "fixture.h"

static int64_t begin_run(struct fixture *f, const char *operation)
{
    struct run_row run = {
        .operation = operation, .result = "running", .user = "alice", .started_unix_ms = 1000};
    struct write w = {.type = WRITE_RUN, .run = &run};
    expect_ok(f, store_write(f->store, DEFAULT_STACK, &w, 1, &f->err));
    assert_true(run.id > 0);
    return run.id;
}

static void tell(struct fixture *f, int64_t run, const char *type)
{
    struct event_row event = {.at_unix_ms = 2000,
                              .run = run,
                              .address = "VSwitch/web",
                              .type = type,
                              .message = "line\n\"quoted\" 多",
                              .request_id = "req-1"};
    struct write w = {.type = WRITE_EVENT, .event = &event};
    expect_ok(f, store_write(f->store, DEFAULT_STACK, &w, 1, &f->err));
}

static struct event_row *events_of(struct fixture *f, int64_t run, size_t limit, size_t *n)
{
    struct event_row *events;
    expect_ok(f, store_events(f->store, DEFAULT_STACK, run, limit, f->arena, &events, n, &f->err));
    return events;
}

static struct run_row *runs_of(struct fixture *f, size_t limit, size_t *n)
{
    struct run_row *runs;
    expect_ok(f, store_runs(f->store, DEFAULT_STACK, limit, f->arena, &runs, n, &f->err));
    return runs;
}

static void a_run_is_updated_by_its_id(void **state)
{
    struct fixture *f = *state;
    size_t n;
    open_store(f);
    int64_t first = begin_run(f, "apply"), second = begin_run(f, "destroy");
    assert_true(second > first);
    struct run_row ended = {.id = first,
                            .operation = "apply",
                            .result = "failed",
                            .user = "alice",
                            .manifest_digest = "digest",
                            .started_unix_ms = 1000,
                            .ended_unix_ms = 5000,
                            .n_added = 1,
                            .n_changed = 2,
                            .n_destroyed = 3,
                            .n_failed = UINT32_MAX,
                            .n_calls = 5};
    struct write w = {.type = WRITE_RUN, .run = &ended};
    expect_ok(f, store_write(f->store, DEFAULT_STACK, &w, 1, &f->err));
    reopen(f);
    struct run_row *runs = runs_of(f, SIZE_MAX, &n);
    assert_int_equal(n, 2);
    assert_int_equal(runs[0].id, second); /* the newest first */
    assert_string_equal(runs[0].result, "running");
    assert_string_equal(runs[0].manifest_digest, "");
    assert_int_equal(runs[1].id, first);
    assert_string_equal(runs[1].result, "failed");
    assert_string_equal(runs[1].manifest_digest, "digest");
    assert_int_equal(runs[1].ended_unix_ms, 5000);
    assert_int_equal(runs[1].n_added, 1);
    assert_int_equal(runs[1].n_changed, 2);
    assert_int_equal(runs[1].n_destroyed, 3);
    assert_int_equal(runs[1].n_failed, UINT32_MAX);
    assert_int_equal(runs[1].n_calls, 5);
    (void)runs_of(f, 1, &n);
    assert_int_equal(n, 1);
}

static void events_are_listed_newest_first_of_one_run_or_of_all(void **state)
{
    struct fixture *f = *state;
    size_t n;
    open_store(f);
    int64_t first = begin_run(f, "apply"), second = begin_run(f, "apply");
    tell(f, first, "created");
    tell(f, second, "updated");
    tell(f, first, "deleted");
    tell(f, 0, "drift");
    struct event_row *all = events_of(f, 0, 3, &n);
    assert_int_equal(n, 3);
    assert_string_equal(all[0].type, "drift");
    assert_int_equal(all[0].run, 0);
    assert_string_equal(all[2].type, "updated");
    assert_true(all[0].seq > all[1].seq && all[1].seq > all[2].seq);
    struct event_row *of_first = events_of(f, first, 10, &n);
    assert_int_equal(n, 2);
    assert_string_equal(of_first[0].type, "deleted");
    assert_string_equal(of_first[1].type, "created");
    assert_string_equal(of_first[1].address, "VSwitch/web");
    assert_string_equal(of_first[1].message, "line\n\"quoted\" 多");
    assert_string_equal(of_first[1].request_id, "req-1");
    assert_int_equal(of_first[1].at_unix_ms, 2000);
    (void)events_of(f, 999, 10, &n);
    assert_int_equal(n, 0);
}

static void old_runs_make_room_and_take_their_events_along(void **state)
{
    struct fixture *f = *state;
    size_t n;
    open_store(f);
    int64_t first = begin_run(f, "apply");
    tell(f, first, "created");
    for (int i = 1; i < STORE_KEEP_RUNS; i++) (void)begin_run(f, "apply");
    (void)runs_of(f, SIZE_MAX, &n);
    assert_int_equal(n, STORE_KEEP_RUNS);
    (void)events_of(f, first, 10, &n);
    assert_int_equal(n, 1);
    (void)begin_run(f, "apply");
    struct run_row *runs = runs_of(f, SIZE_MAX, &n);
    assert_int_equal(n, STORE_KEEP_RUNS);
    assert_int_equal(runs[n - 1].id, first + 1);
    (void)events_of(f, 0, 10, &n);
    assert_int_equal(n, 0);
}

static void old_events_make_room_when_a_run_begins(void **state)
{
    struct fixture *f = *state;
    enum { TOO_MANY = 10 };
    size_t n, n_writes = STORE_KEEP_EVENTS + TOO_MANY;
    struct event_row event = {.type = "drift"};
    struct write *writes = arena_array_of(f->arena, n_writes, struct write);
    assert_non_null(writes);
    for (size_t i = 0; i < n_writes; i++) writes[i] = (struct write){.type = WRITE_EVENT, .event = &event};
    open_store(f);
    expect_ok(f, store_write(f->store, DEFAULT_STACK, writes, n_writes, &f->err));
    expect_ok(f, store_write(f->store, TEXT("another"), writes, 1, &f->err));
    (void)begin_run(f, "apply");
    struct event_row *events = events_of(f, 0, SIZE_MAX, &n);
    assert_int_equal(n, STORE_KEEP_EVENTS);
    assert_int_equal(events[n - 1].seq, TOO_MANY + 1);
    expect_ok(f, store_events(f->store, TEXT("another"), 0, 10, f->arena, &events, &n, &f->err));
    assert_int_equal(n, 1);
}

static void an_event_of_an_unknown_run_is_refused_with_all_of_its_write(void **state)
{
    struct fixture *f = *state;
    open_store(f);
    struct record r = vswitch(f, "web", "vsw-1", 1);
    struct event_row event = {.type = "created", .run = 4711};
    struct write writes[] = {{.type = WRITE_RECORD, .record = &r}, {.type = WRITE_EVENT, .event = &event}};
    expect_code(f, store_write(f->store, DEFAULT_STACK, writes, 2, &f->err), ERR_STATE);
    assert_int_equal(load(f).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATE_TEST(a_run_is_updated_by_its_id),
        STATE_TEST(events_are_listed_newest_first_of_one_run_or_of_all),
        STATE_TEST(old_runs_make_room_and_take_their_events_along),
        STATE_TEST(old_events_make_room_when_a_run_begins),
        STATE_TEST(an_event_of_an_unknown_run_is_refused_with_all_of_its_write),
    };
    return cmocka_run_group_tests_name("state/history", tests, NULL, NULL);
}

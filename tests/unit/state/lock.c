/* lock.c - one at a time works on a stack, and the dead do not hold on. */
#include "fixture.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

static enum err_code take(struct fixture *f, struct lock_holder *holder, bool *took_over)
{
    return store_lock(f->store, DEFAULT_STACK, "apply", 1700000000000, holder, took_over, &f->err);
}

/* In a child: opens the store and takes the lock; then the child waits to be killed, or ends at once. Returns
 * its pid when it has the lock. */
enum child_end { CHILD_WAITS, CHILD_DIES };

static pid_t lock_in_child(struct fixture *f, enum child_end end)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct store *s;
        bool took_over;
        struct err err;
        char ok = store_open(f->path, STORE_READ_WRITE, &s, &err) == ERR_OK &&
                  store_lock(s, DEFAULT_STACK, "destroy", 1600000000000, NULL, &took_over, &err) == ERR_OK;
        if (write(ready[1], &ok, 1) != 1) _exit(1);
        while (end == CHILD_WAITS) (void)pause();
        _exit(0); /* as by kill -9: nothing is closed */
    }
    char ok = 0;
    assert_int_equal(read(ready[0], &ok, 1), 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    assert_int_equal(ok, 1);
    if (end == CHILD_DIES) assert_int_equal(waitpid(pid, NULL, 0), pid);
    return pid;
}

static void run_sql(struct fixture *f, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static struct event_row *only_event(struct fixture *f)
{
    struct event_row *events;
    size_t n;
    expect_ok(f, store_events(f->store, DEFAULT_STACK, 0, 10, f->arena, &events, &n, &f->err));
    assert_int_equal(n, 1);
    return events;
}

static void a_lock_is_taken_shown_and_given_back(void **state)
{
    struct fixture *f = *state;
    struct lock_holder mine, seen;
    bool took_over = true, held;
    open_store(f);
    expect_ok(f, store_lock_holder(f->store, DEFAULT_STACK, &seen, &held, &f->err));
    assert_false(held);
    expect_ok(f, take(f, &mine, &took_over));
    assert_false(took_over);
    assert_int_equal(strlen(mine.id), 26);
    assert_int_equal(mine.pid, getpid());
    expect_ok(f, store_lock_holder(f->store, DEFAULT_STACK, &seen, &held, &f->err));
    assert_true(held);
    assert_string_equal(seen.id, mine.id);
    assert_string_equal(seen.operation, "apply");
    assert_int_equal(seen.since_unix_ms, 1700000000000);
    expect_ok(f, store_unlock(f->store, DEFAULT_STACK, &f->err));
    expect_ok(f, store_lock_holder(f->store, DEFAULT_STACK, &seen, &held, &f->err));
    assert_false(held);
    expect_code(f, store_unlock(f->store, DEFAULT_STACK, &f->err), ERR_INPUT);
}

static void locks_do_not_nest_and_stacks_have_their_own(void **state)
{
    struct fixture *f = *state;
    open_store(f);
    expect_ok(f, take(f, NULL, NULL));
    expect_code(f, take(f, NULL, NULL), ERR_LOCKED);
    expect_ok(f, store_lock(f->store, TEXT("another"), "apply", 1, NULL, NULL, &f->err));
    expect_ok(f, store_unlock(f->store, DEFAULT_STACK, &f->err));
    expect_ok(f, store_unlock(f->store, TEXT("another"), &f->err));
}

static void the_lock_of_a_living_process_is_respected(void **state)
{
    struct fixture *f = *state;
    struct lock_holder holder;
    pid_t pid = lock_in_child(f, CHILD_WAITS);
    open_store(f);
    expect_code(f, take(f, &holder, NULL), ERR_LOCKED);
    assert_int_equal(holder.pid, pid);
    assert_string_equal(holder.operation, "destroy");
    expect_message(f, arena_printf(f->arena, "pid %d", pid));
    expect_message(f, holder.host);
    expect_message(f, "since 2020-09-13T12:26:40Z");
    expect_message(f, holder.id);
    expect_message(f, "headgate unlock");
    assert_int_equal(kill(pid, SIGKILL), 0);
    siginfo_t ended; /* nobody has asked for its exit status yet: it still has its pid */
    assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
    bool took_over = false;
    expect_ok(f, take(f, &holder, &took_over));
    assert_true(took_over);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void the_lock_of_a_process_that_died_is_taken_over_with_an_event(void **state)
{
    struct fixture *f = *state;
    bool took_over = false;
    pid_t pid = lock_in_child(f, CHILD_DIES);
    open_store(f);
    expect_ok(f, take(f, NULL, &took_over));
    assert_true(took_over);
    struct event_row *event = only_event(f);
    assert_string_equal(event->type, "lock-taken-over");
    assert_non_null(strstr(event->message, arena_printf(f->arena, "pid %d", pid)));
    assert_int_equal(event->at_unix_ms, 1700000000000);
}

static void a_pid_that_another_process_has_now_is_not_the_holder(void **state)
{
    struct fixture *f = *state;
    bool took_over = false;
    (void)lock_in_child(f, CHILD_DIES);
    /* Our own pid, but begun at another time. */
    run_sql(f, arena_printf(f->arena, "UPDATE locks SET pid = %d, start_ticks = start_ticks + 1000000",
                            getpid()));
    open_store(f);
    expect_ok(f, take(f, NULL, &took_over));
    assert_true(took_over);
}

static void another_boot_means_dead_and_another_host_means_held(void **state)
{
    struct fixture *f = *state;
    bool took_over = false;
    (void)lock_in_child(f, CHILD_DIES);
    run_sql(f, "UPDATE locks SET host = 'elsewhere'");
    open_store(f);
    expect_code(f, take(f, NULL, NULL), ERR_LOCKED);
    expect_message(f, "on elsewhere");
    store_close(f->store);
    pid_t self = getpid();
    char host[65];
    assert_int_equal(gethostname(host, sizeof host), 0);
    run_sql(f, arena_printf(f->arena,
                            "UPDATE locks SET host = '%s', boot_id = 'former', pid = %d, start_ticks = 0",
                            host, self));
    open_store(f);
    expect_ok(f, take(f, NULL, &took_over));
    assert_true(took_over);
}

static void a_lock_is_broken_by_its_id_and_its_holder_notices(void **state)
{
    struct fixture *f = *state;
    struct lock_holder mine;
    open_store(f);
    expect_code(f, store_break_lock(f->store, DEFAULT_STACK, NULL, &f->err), ERR_INPUT);
    expect_ok(f, take(f, &mine, NULL));
    expect_code(f, store_break_lock(f->store, DEFAULT_STACK, "0000", &f->err), ERR_INPUT);
    expect_ok(f, store_break_lock(f->store, DEFAULT_STACK, mine.id, &f->err));
    assert_string_equal(only_event(f)->type, "lock-broken");
    /* Nothing new may begin; what happened is still recorded. */
    struct intent intent = {.kind = KIND_VPC, .name = TEXT("main"), .operation = "CreateVpc"};
    struct write begin = {.type = WRITE_INTENT, .intent = &intent};
    expect_code(f, store_write(f->store, DEFAULT_STACK, &begin, 1, &f->err), ERR_LOCKED);
    struct record r = vswitch(f, "web", "vsw-1", 1);
    put(f, &r);
    assert_int_equal(load(f).n, 1);
    expect_code(f, store_unlock(f->store, DEFAULT_STACK, &f->err), ERR_STALE);
    expect_ok(f, take(f, NULL, NULL));
    expect_ok(f, store_write(f->store, DEFAULT_STACK, &begin, 1, &f->err));
}

static void a_broken_lock_is_not_taken_from_its_next_holder(void **state)
{
    struct fixture *f = *state;
    struct lock_holder holder;
    bool held;
    open_store(f);
    expect_ok(f, take(f, NULL, NULL));
    run_sql(f, "UPDATE locks SET id = 'another', host = 'elsewhere'");
    expect_code(f, store_unlock(f->store, DEFAULT_STACK, &f->err), ERR_STALE);
    expect_ok(f, store_lock_holder(f->store, DEFAULT_STACK, &holder, &held, &f->err));
    assert_true(held);
    assert_string_equal(holder.id, "another");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATE_TEST(a_lock_is_taken_shown_and_given_back),
        STATE_TEST(locks_do_not_nest_and_stacks_have_their_own),
        STATE_TEST(the_lock_of_a_living_process_is_respected),
        STATE_TEST(the_lock_of_a_process_that_died_is_taken_over_with_an_event),
        STATE_TEST(a_pid_that_another_process_has_now_is_not_the_holder),
        STATE_TEST(another_boot_means_dead_and_another_host_means_held),
        STATE_TEST(a_lock_is_broken_by_its_id_and_its_holder_notices),
        STATE_TEST(a_broken_lock_is_not_taken_from_its_next_holder),
    };
    return cmocka_run_group_tests_name("state/lock", tests, NULL, NULL);
}

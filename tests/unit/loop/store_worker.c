/* Writes that go through the thread pool: all of them, in order, each told once. */
#include "reconciler/loop/store_worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_JOBS = 20 };

struct fixture {
    char root[64];
    uv_loop_t loop;
    struct store *store;
    struct store_worker worker;
    struct err err;
    struct job {
        struct store_job base;
        struct write write;
        struct event_row event;
        char message[16];
    } jobs[N_JOBS];
    char trace[1024]; /* what 'done' was told: "0 OK, 1 CANCELED" */
    unsigned n_done, n_closed;
};

static void note(struct fixture *f, struct store_job *j, enum err_code code)
{
    struct job *job = CONTAINER_OF(j, struct job, base);
    size_t len = strlen(f->trace);
    (void)snprintf(f->trace + len, sizeof f->trace - len, "%s%d %s", len == 0 ? "" : ", ",
                   (int)(job - f->jobs), err_code_name(code));
    f->n_done++;
}

static void job_done(struct store_job *j, enum err_code code)
{
    note(j->ctx, j, code);
}

static void worker_closed(struct store_worker *w)
{
    ((struct fixture *)w->ctx)->n_closed++;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    strcpy(f->root, "/tmp/headgate-worker-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    char path[128];
    (void)snprintf(path, sizeof path, "%s/state.db", f->root);
    assert_int_equal(store_open(path, STORE_READ_WRITE, &f->store, &f->err), ERR_OK);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    store_worker_init(&f->worker, &f->loop, f->store);
    f->worker.ctx = f;
    for (int i = 0; i < N_JOBS; i++) {
        struct job *j = &f->jobs[i];
        (void)snprintf(j->message, sizeof j->message, "event %d", i);
        j->event = (struct event_row){
            .at_unix_ms = 1, .address = "", .type = "created", .message = j->message, .request_id = ""};
        j->write = (struct write){.type = WRITE_EVENT, .event = &j->event};
        j->base = (struct store_job){
            .stack = TEXT("test"), .writes = &j->write, .n_writes = 1, .done = job_done, .ctx = f};
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(uv_loop_close(&f->loop), 0);
    store_close(f->store);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", f->root);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static void run(struct fixture *f)
{
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
}

/* The events that are in the store, oldest first: "event 0, event 1". */
static void assert_written(struct fixture *f, const char *expected)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new((size_t)1 << 20);
    struct event_row *events = NULL;
    size_t n = 0, len = 0;
    assert_int_equal(store_events(f->store, TEXT("test"), 0, 100, arena, &events, &n, &f->err), ERR_OK);
    char got[1024] = "";
    while (n-- > 0)
        len += (size_t)snprintf(got + len, sizeof got - len, "%s%s", len == 0 ? "" : ", ", events[n].message);
    assert_string_equal(got, expected);
}

static void a_write_is_durable_when_it_is_done(void **state)
{
    struct fixture *f = *state;
    store_job_start(&f->worker, &f->jobs[0].base);
    assert_int_equal(f->n_done, 0);
    assert_false(store_worker_is_idle(&f->worker));
    run(f);
    assert_string_equal(f->trace, "0 OK");
    assert_true(store_worker_is_idle(&f->worker));
    assert_written(f, "event 0");
}

static void writes_are_carried_out_in_order(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) store_job_start(&f->worker, &f->jobs[i].base);
    run(f);
    assert_string_equal(f->trace, "0 OK, 1 OK, 2 OK, 3 OK");
    assert_written(f, "event 0, event 1, event 2, event 3");
}

static void a_job_without_writes_is_done_in_its_turn(void **state)
{
    struct fixture *f = *state;
    f->jobs[1].base.n_writes = 0;
    f->jobs[1].base.writes = NULL;
    for (int i = 0; i < 3; i++) store_job_start(&f->worker, &f->jobs[i].base);
    run(f);
    assert_string_equal(f->trace, "0 OK, 1 OK, 2 OK");
    assert_written(f, "event 0, event 2");
}

static void a_write_that_fails_tells_why_and_the_next_goes_on(void **state)
{
    struct fixture *f = *state;
    struct store *writable = f->store;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/state.db", f->root);
    struct store *read_only = NULL;
    assert_int_equal(store_open(path, STORE_READ_ONLY, &read_only, &f->err), ERR_OK);
    f->worker.store = read_only;
    store_job_start(&f->worker, &f->jobs[0].base);
    store_job_start(&f->worker, &f->jobs[1].base);
    run(f);
    assert_int_equal(f->n_done, 2);
    assert_null(strstr(f->trace, "OK"));
    assert_true(f->jobs[0].base.err.msg[0] != '\0');
    store_close(read_only);
    f->worker.store = writable;
    store_job_start(&f->worker, &f->jobs[2].base);
    run(f);
    assert_written(f, "event 2");
}

static void a_waiting_job_that_is_canceled_is_not_written(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) store_job_start(&f->worker, &f->jobs[i].base);
    store_job_cancel(&f->jobs[2].base);
    store_job_cancel(&f->jobs[2].base);
    assert_int_equal(f->n_done, 0);
    run(f);
    assert_string_equal(f->trace, "0 OK, 1 OK, 2 CANCELED, 3 OK");
    assert_string_equal(f->jobs[2].base.err.msg, "canceled before it was written");
    assert_written(f, "event 0, event 1, event 3");
    store_job_cancel(&f->jobs[2].base); /* over already */
}

static void canceled_means_not_written_and_ok_means_written(void **state)
{
    struct fixture *f = *state;
    /* Whether the head of the queue was begun is up to the thread pool; what is told is always true. */
    store_job_start(&f->worker, &f->jobs[0].base);
    store_job_cancel(&f->jobs[0].base);
    run(f);
    assert_int_equal(f->n_done, 1);
    assert_written(f, strcmp(f->trace, "0 OK") == 0 ? "event 0" : "");
}

static void start_next(struct store_job *j, enum err_code code)
{
    struct fixture *f = j->ctx;
    note(f, j, code);
    if (f->n_done < 3) store_job_start(&f->worker, j);
}

static void a_job_can_be_started_again_inside_done(void **state)
{
    struct fixture *f = *state;
    f->jobs[0].base.done = start_next;
    store_job_start(&f->worker, &f->jobs[0].base);
    store_job_start(&f->worker, &f->jobs[1].base);
    run(f);
    assert_string_equal(f->trace, "0 OK, 1 OK, 0 OK");
}

static void free_job(struct store_job *j, enum err_code code)
{
    assert_int_equal(code, ERR_OK);
    ((struct fixture *)j->ctx)->n_done++;
    free(j);
}

static void a_job_can_be_freed_inside_done(void **state)
{
    struct fixture *f = *state;
    struct store_job *j = malloc(sizeof *j);
    assert_non_null(j);
    *j = f->jobs[0].base;
    j->done = free_job;
    store_job_start(&f->worker, j);
    run(f);
    assert_int_equal(f->n_done, 1);
}

static void the_end_waits_for_all_jobs(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < N_JOBS; i++) store_job_start(&f->worker, &f->jobs[i].base);
    store_worker_close(&f->worker, worker_closed);
    assert_int_equal(f->n_closed, 0);
    run(f);
    assert_int_equal(f->n_done, N_JOBS);
    assert_int_equal(f->n_closed, 1);
}

static void an_idle_worker_ends_later(void **state)
{
    struct fixture *f = *state;
    store_worker_close(&f->worker, worker_closed);
    assert_int_equal(f->n_closed, 0);
    run(f);
    assert_int_equal(f->n_closed, 1);
}

static void close_worker(struct store_job *j, enum err_code code)
{
    struct fixture *f = j->ctx;
    note(f, j, code);
    assert_true(store_worker_is_idle(&f->worker));
    store_worker_close(&f->worker, worker_closed);
}

static void the_worker_can_be_closed_inside_done(void **state)
{
    struct fixture *f = *state;
    f->jobs[0].base.done = close_worker;
    store_job_start(&f->worker, &f->jobs[0].base);
    run(f);
    assert_string_equal(f->trace, "0 OK");
    assert_int_equal(f->n_closed, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_write_is_durable_when_it_is_done),
        TEST(writes_are_carried_out_in_order),
        TEST(a_job_without_writes_is_done_in_its_turn),
        TEST(a_write_that_fails_tells_why_and_the_next_goes_on),
        TEST(a_waiting_job_that_is_canceled_is_not_written),
        TEST(canceled_means_not_written_and_ok_means_written),
        TEST(a_job_can_be_started_again_inside_done),
        TEST(a_job_can_be_freed_inside_done),
        TEST(the_end_waits_for_all_jobs),
        TEST(an_idle_worker_ends_later),
        TEST(the_worker_can_be_closed_inside_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

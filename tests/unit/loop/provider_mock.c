/* The provider `mock` as a transport: when answers arrive, and what happens when they do not.
 *
 * mock_call() is defined here, in place of the simulator's, so that latency and faults are the test's to say:
 * a request's parameters tell what becomes of it. */
#include "providers/mock/provider_mock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct mock {
    unsigned n_calls;
    int64_t last_unix_ms;
};

static int64_t number_of(const struct request *r, const char *name)
{
    const char *value = request_get(r, name);
    int64_t n = 0;
    if (value != NULL) assert_true(text_to_i64(text_of(value), 0, INT32_MAX, &n));
    return n;
}

enum err_code mock_call(struct mock *m, int64_t now_unix_ms, const struct request *r,
                        struct mock_answer *answer, struct err *err)
{
    m->n_calls++;
    m->last_unix_ms = now_unix_ms;
    if (request_get(r, "Broken") != NULL) return err_set(err, ERR_IO, "the disk is full");
    *answer = (struct mock_answer){.latency_ms = number_of(r, "Latency")};
    if (request_get(r, "LostRequest") != NULL) {
        answer->fault = MOCK_LOST_REQUEST;
    } else if (request_get(r, "LostAnswer") != NULL) {
        answer->fault = MOCK_LOST_ANSWER;
    } else {
        answer->http_status = 200;
        answer->body = strdup("{}");
        answer->body_size = 2;
    }
    return ERR_OK;
}

enum { MAX_SENDS = 8 };

struct fixture {
    uv_loop_t loop;
    struct arena *arena;
    struct cloud cloud;
    struct mock mock;
    struct provider *provider;
    struct call {
        struct send send;
        struct request request;
        struct fixture *fixture;
    } calls[MAX_SENDS];
    char order[64]; /* of the calls that are done: "021" */
    bool closed;
};

static void note_done(struct send *s)
{
    struct call *c = s->ctx;
    struct fixture *f = c->fixture;
    size_t len = strlen(f->order);
    assert_true(len + 1 < sizeof f->order);
    f->order[len] = (char)('0' + (c - f->calls));
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->arena = arena_new((size_t)1 << 20);
    struct err err;
    assert_int_equal(provider_mock_open(&f->loop, &f->cloud, &f->mock, &f->provider, &err), ERR_OK);
    for (int i = 0; i < MAX_SENDS; i++) {
        struct call *c = &f->calls[i];
        request_init(&c->request, f->arena, "Vpc", "CreateVpc");
        c->fixture = f;
        c->send = (struct send){.request = &c->request, .timeout_ms = 5000, .done = note_done, .ctx = c};
    }
    *state = f;
    return 0;
}

static void note_closed(struct provider *p, void *ctx)
{
    ((struct fixture *)ctx)->closed = true;
    p->ops->free(p);
}

static void close_provider(struct fixture *f)
{
    f->provider->ops->close(f->provider, note_closed, f);
    assert_false(f->closed);
}

static void run(struct fixture *f)
{
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (!f->closed) close_provider(f);
    run(f);
    assert_true(f->closed);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    for (int i = 0; i < MAX_SENDS; i++) send_fini(&f->calls[i].send);
    arena_free(f->arena);
    free(f);
    return 0;
}

static struct send *start(struct fixture *f, int i)
{
    struct send *s = &f->calls[i].send;
    f->provider->ops->send_start(f->provider, s);
    return s;
}

static struct send *start_with(struct fixture *f, int i, const char *name, const char *value)
{
    request_add(&f->calls[i].request, name, value);
    return start(f, i);
}

static void an_answer_arrives_later(void **state)
{
    struct fixture *f = *state;
    struct send *s = start(f, 0);
    assert_string_equal(f->order, "");
    assert_int_equal(f->mock.n_calls, 1);
    assert_true(f->mock.last_unix_ms > 1577836800000);
    run(f);
    assert_string_equal(f->order, "0");
    assert_int_equal(s->fate, SEND_ANSWERED);
    assert_int_equal(s->http_status, 200);
    assert_string_equal(s->body, "{}");
    assert_int_equal(s->body_size, 2);
}

static void answers_arrive_when_their_latency_has_passed(void **state)
{
    struct fixture *f = *state;
    uv_update_time(&f->loop);
    uint64_t before = uv_now(&f->loop);
    (void)start_with(f, 0, "Latency", "30");
    (void)start_with(f, 1, "Latency", "10");
    (void)start_with(f, 2, "Latency", "20");
    (void)start_with(f, 3, "Latency", "10");
    run(f);
    assert_string_equal(f->order, "1320");
    assert_true(uv_now(&f->loop) - before >= 30);
}

static void a_lost_request_has_an_unknown_fate(void **state)
{
    struct fixture *f = *state;
    struct send *s = start_with(f, 0, "LostRequest", "yes");
    run(f);
    assert_int_equal(s->fate, SEND_UNKNOWN);
    assert_int_equal(s->err.code, ERR_UNKNOWN);
    assert_string_equal(s->err.msg, "connection reset");
    assert_null(s->body);
}

static void a_lost_answer_looks_the_same(void **state)
{
    struct fixture *f = *state;
    struct send *s = start_with(f, 0, "LostAnswer", "yes");
    run(f);
    assert_int_equal(s->fate, SEND_UNKNOWN);
    assert_string_equal(s->err.msg, "connection reset");
}

static void an_answer_that_comes_too_late_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    f->calls[0].send.timeout_ms = 10;
    struct send *s = start_with(f, 0, "Latency", "1000000");
    run(f);
    assert_int_equal(s->fate, SEND_UNKNOWN);
    assert_string_equal(s->err.msg, "timed out after 10 ms");
    assert_null(s->body);
}

static void without_a_limit_any_answer_is_waited_for(void **state)
{
    struct fixture *f = *state;
    f->calls[0].send.timeout_ms = 0;
    struct send *s = start_with(f, 0, "Latency", "20");
    run(f);
    assert_int_equal(s->fate, SEND_ANSWERED);
}

static void a_failure_of_the_simulator_is_told(void **state)
{
    struct fixture *f = *state;
    struct send *s = start_with(f, 0, "Broken", "yes");
    run(f);
    assert_int_equal(s->fate, SEND_UNKNOWN);
    assert_int_equal(s->err.code, ERR_IO);
    assert_string_equal(s->err.msg, "the simulated cloud failed in CreateVpc: the disk is full");
}

static void a_canceled_request_is_done_once_and_later(void **state)
{
    struct fixture *f = *state;
    struct send *s = start_with(f, 0, "Latency", "1000000");
    (void)start_with(f, 1, "Latency", "5");
    f->calls[0].send.timeout_ms = 0;
    f->provider->ops->send_cancel(f->provider, s);
    f->provider->ops->send_cancel(f->provider, s);
    assert_string_equal(f->order, "");
    run(f);
    assert_string_equal(f->order, "01");
    assert_int_equal(s->fate, SEND_CANCELED);
    assert_int_equal(s->err.code, ERR_CANCELED);
    assert_null(s->body);
}

static void start_again(struct send *s)
{
    struct fixture *f = ((struct call *)s->ctx)->fixture;
    send_fini(s);
    note_done(s);
    if (strlen(f->order) < 5) f->provider->ops->send_start(f->provider, s);
}

static void a_request_can_be_started_again_inside_done(void **state)
{
    struct fixture *f = *state;
    f->calls[0].send.done = start_again;
    (void)start(f, 0);
    (void)start(f, 1);
    run(f);
    assert_string_equal(f->order, "01000");
}

static void cancel_the_other(struct send *s)
{
    struct fixture *f = ((struct call *)s->ctx)->fixture;
    note_done(s);
    f->provider->ops->send_cancel(f->provider, &f->calls[1].send);
}

static void a_request_can_be_canceled_inside_the_done_of_another(void **state)
{
    struct fixture *f = *state;
    f->calls[0].send.done = cancel_the_other;
    (void)start(f, 0);
    struct send *s = start(f, 1); /* due in the same turn */
    run(f);
    assert_string_equal(f->order, "01");
    assert_int_equal(s->fate, SEND_CANCELED);
    assert_null(s->body);
}

static void closing_waits_for_what_is_under_way(void **state)
{
    struct fixture *f = *state;
    struct send *s = start_with(f, 0, "Latency", "20");
    close_provider(f);
    run(f);
    assert_true(f->closed);
    assert_string_equal(f->order, "0");
    assert_int_equal(s->fate, SEND_ANSWERED);
}

static void closing_an_idle_provider_is_told_later(void **state)
{
    struct fixture *f = *state;
    close_provider(f);
    run(f);
    assert_true(f->closed);
}

static void close_and_start_again(struct send *s)
{
    struct fixture *f = ((struct call *)s->ctx)->fixture;
    note_done(s);
    close_provider(f);
    s->done = note_done;
    send_fini(s);
    f->provider->ops->send_start(f->provider, s);
}

static void what_is_started_after_close_is_not_sent(void **state)
{
    struct fixture *f = *state;
    f->calls[0].send.done = close_and_start_again;
    struct send *s = start(f, 0);
    run(f);
    assert_true(f->closed);
    assert_string_equal(f->order, "00");
    assert_int_equal(f->mock.n_calls, 1);
    assert_int_equal(s->fate, SEND_NOT_SENT);
    assert_int_equal(s->err.code, ERR_CANCELED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_arrives_later),
        TEST(answers_arrive_when_their_latency_has_passed),
        TEST(a_lost_request_has_an_unknown_fate),
        TEST(a_lost_answer_looks_the_same),
        TEST(an_answer_that_comes_too_late_is_not_waited_for),
        TEST(without_a_limit_any_answer_is_waited_for),
        TEST(a_failure_of_the_simulator_is_told),
        TEST(a_canceled_request_is_done_once_and_later),
        TEST(a_request_can_be_started_again_inside_done),
        TEST(a_request_can_be_canceled_inside_the_done_of_another),
        TEST(closing_waits_for_what_is_under_way),
        TEST(closing_an_idle_provider_is_told_later),
        TEST(what_is_started_after_close_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

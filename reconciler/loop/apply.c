/* apply.c - the driver of the engine.
 *
 *   OPENING      the run's row is written
 *   RUNNING      events in, effects out
 *   DRAINING     the engine is finished; what was sent comes back or is canceled, the last notes become
 * durable CLOSING_RUN  the run's result is written CLOSING      the timer closes, then 'done' */
#include "reconciler/loop/apply.h"

#include "reconciler/loop/clock.h"
#include "reconciler/loop/fault.h"

#include <string.h>

struct apply_send {
    struct send send;
    struct apply *apply;
    uint32_t call;
    bool changes;
    struct apply_send *next, **link;
};

static void step(struct apply *a, const struct converge_event *ev);

/* ---- ending ---- */

static void on_timer_closed(uv_handle_t *h)
{
    struct apply *a = CONTAINER_OF(h, struct apply, timer);
    note_writes_fini(&a->writes);
    a->state = APPLY_IDLE;
    a->done(a, a->err.code);
}

static void close_apply(struct apply *a)
{
    a->state = APPLY_CLOSING;
    uv_close((uv_handle_t *)&a->timer, on_timer_closed);
}

static void take_store_error(struct apply *a, const struct store_job *j)
{
    if (a->err.code != ERR_OK) return; /* the first one tells most */
    a->err = j->err;
    (void)err_wrap(&a->err, "the state could not be written");
}

static void on_run_closed(struct store_job *j, enum err_code code)
{
    struct apply *a = j->ctx;
    a->job_under_way = false;
    if (code != ERR_OK) take_store_error(a, j);
    close_apply(a);
}

static void submit(struct apply *a, store_job_done_fn *done)
{
    a->job = (struct store_job){
        .stack = a->stack, .writes = a->writes.items, .n_writes = a->writes.n, .done = done, .ctx = a};
    a->job_under_way = true;
    store_job_start(a->worker, &a->job);
}

/* The run's row alone. False when out of memory. */
static bool submit_run(struct apply *a, store_job_done_fn *done)
{
    if (!note_writes_reserve(&a->writes, 1)) return false;
    a->writes.items[0] = (struct write){.type = WRITE_RUN, .run = &a->run};
    a->writes.n = 1;
    submit(a, done);
    return true;
}

static void sum_up(struct apply *a)
{
    converge_summary(a->engine, &a->summary);
    a->summary.unrecorded |= a->unrecorded;
}

/* "interrupted: 2 left under way, 17 not tried" */
static void say_what_is_left(struct apply *a)
{
    const struct converge_summary *s = &a->summary;
    char text[160];
    size_t used = 0;
    const struct {
        uint32_t n;
        const char *what;
    } parts[] = {{s->n_failed, "failed"}, {s->n_under_way, "left under way"}, {s->n_skipped, "not tried"}};
    text[0] = '\0';
    for (size_t k = 0; k < N_ELEMENTS(parts); k++)
        if (parts[k].n > 0)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%u %s", used > 0 ? ", " : "",
                                     parts[k].n, parts[k].what); /* they fit */
    (void)err_set(&a->err, s->worst, "%s%s", s->worst == ERR_CANCELED ? "interrupted: " : "", text);
}

static void close_run(struct apply *a)
{
    sum_up(a);
    if (a->summary.worst != ERR_OK && a->err.code == ERR_OK) say_what_is_left(a);
    a->state = APPLY_CLOSING_RUN;
    a->run.result = a->summary.worst == ERR_OK         ? "succeeded"
                    : a->summary.worst == ERR_CANCELED ? "canceled"
                                                       : "failed";
    a->run.ended_unix_ms = clock_now_unix_ms();
    a->run.n_added = a->summary.n_added;
    a->run.n_changed = a->summary.n_changed;
    a->run.n_destroyed = a->summary.n_destroyed;
    a->run.n_failed = a->summary.n_failed;
    a->run.n_calls = a->summary.n_changing_calls;
    if (submit_run(a, on_run_closed)) return;
    (void)err_nomem(&a->err);
    close_apply(a);
}

static void drain(struct apply *a)
{
    if (a->state == APPLY_RUNNING) {
        a->state = APPLY_DRAINING;
        (void)uv_timer_stop(&a->timer);
        for (struct apply_send *s = a->sends; s != NULL; s = s->next)
            a->provider->ops->send_cancel(a->provider, &s->send);
    }
    if (a->state == APPLY_DRAINING && a->n_sends == 0 && !a->job_under_way) close_run(a);
}

/* ---- effects ---- */

static bool has_intent(const struct note *notes, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (notes[k].type == NOTE_INTENT) return true;
    return false;
}

static void on_persisted(struct store_job *j, enum err_code code)
{
    struct apply *a = j->ctx;
    fault_point(); /* committed */
    a->job_under_way = false;
    if (code != ERR_OK) take_store_error(a, j);
    for (size_t k = 0; k < a->writes.n && code != ERR_OK; k++) {
        enum write_type type = a->writes.items[k].type;
        a->unrecorded |= type == WRITE_RECORD || type == WRITE_FORGET;
    }
    if (a->state != APPLY_RUNNING) {
        drain(a);
        return;
    }
    struct converge_event ev = {.type = EV_PERSISTED, .code = code};
    step(a, &ev);
}

static void persist(struct apply *a, const struct note *notes, size_t n)
{
    if (!note_writes_fill(&a->writes, notes, n, a->run.id, clock_now_unix_ms())) {
        (void)err_nomem(&a->err);
        drain(a);
        return;
    }
    if (has_intent(notes, n)) fault_point(); /* the intent is not stored */
    submit(a, on_persisted);
}

static void on_sent(struct send *send)
{
    struct apply_send *s = CONTAINER_OF(send, struct apply_send, send);
    struct apply *a = s->apply;
    if (s->changes) fault_point(); /* answered, not recorded */
    static const enum call_fate fates[] = {[SEND_ANSWERED] = CALL_ANSWERED,
                                           [SEND_NOT_SENT] = CALL_NOT_SENT,
                                           [SEND_UNKNOWN] = CALL_UNKNOWN,
                                           [SEND_CANCELED] = CALL_UNKNOWN};
    *s->link = s->next;
    if (s->next != NULL) s->next->link = s->link;
    a->n_sends--;
    if (a->state == APPLY_RUNNING) {
        struct converge_event ev = {.type = EV_CALL_DONE,
                                    .call = s->call,
                                    .fate = fates[send->fate],
                                    .http_status = send->http_status,
                                    .body.text = {send->body == NULL ? "" : send->body, send->body_size},
                                    .why = send->err.msg};
        step(a, &ev);
    }
    send_fini(send);
    free(s);
    if (a->state == APPLY_DRAINING) drain(a);
}

static void send_call(struct apply *a, const struct call *call)
{
    struct apply_send *s = calloc(1, sizeof *s);
    if (s == NULL) { /* an intent is open: the next apply looks */
        (void)err_nomem(&a->err);
        drain(a);
        return;
    }
    s->send = (struct send){.request = call->request, .timeout_ms = call->timeout_ms, .done = on_sent};
    s->apply = a;
    s->call = call->id;
    s->changes = call->type == CALL_CHANGE;
    s->next = a->sends;
    s->link = &a->sends;
    if (a->sends != NULL) a->sends->link = &s->next;
    a->sends = s;
    a->n_sends++;
    if (s->changes) fault_point(); /* the intent is durable, the call is not sent */
    a->provider->ops->send_start(a->provider, &s->send);
}

static void on_timer(uv_timer_t *t)
{
    struct apply *a = CONTAINER_OF(t, struct apply, timer);
    if (a->state != APPLY_RUNNING) return;
    struct converge_event ev = {.type = EV_WAKE};
    step(a, &ev);
}

static void step(struct apply *a, const struct converge_event *ev)
{
    struct converge_event now = *ev;
    struct converge_effects effects;
    uv_update_time(a->loop);
    now.now_ms = clock_now_ms();
    now.now_unix_ms = clock_now_unix_ms();
    converge_step(a->engine, &now, &effects);
    if (a->trace != NULL) (void)fputs(effects.trace, a->trace); /* a lost trace line harms nothing */
    for (size_t k = 0; k < effects.n_progress && a->progress != NULL; k++)
        a->progress(a, &effects.progress[k]);
    if (effects.n_persist > 0) persist(a, effects.persist, effects.n_persist);
    for (size_t k = 0; k < effects.n_calls && a->state == APPLY_RUNNING; k++) send_call(a, &effects.calls[k]);
    if (a->state != APPLY_RUNNING) return;
    if (effects.finished) {
        drain(a);
        return;
    }
    if (effects.wake_at_ms == INT64_MAX)
        (void)uv_timer_stop(&a->timer);
    else
        (void)uv_timer_start(&a->timer, on_timer,
                             (uint64_t)MAX_OF(effects.wake_at_ms - now.now_ms, (int64_t)0), 0);
}

/* ---- beginning ---- */

static void on_run_opened(struct store_job *j, enum err_code code)
{
    struct apply *a = j->ctx;
    a->job_under_way = false;
    if (code != ERR_OK) { /* nothing was called, nothing will be */
        take_store_error(a, j);
        sum_up(a);
        close_apply(a);
        return;
    }
    a->state = APPLY_RUNNING;
    struct converge_event ev = {.type = EV_START};
    step(a, &ev);
}

static void on_cannot_start(uv_timer_t *t)
{
    close_apply(CONTAINER_OF(t, struct apply, timer));
}

void apply_start(struct apply *a)
{
    ASSERT(a->state == APPLY_IDLE);
    a->state = APPLY_OPENING;
    a->err = (struct err){0};
    int rc = uv_timer_init(a->loop, &a->timer);
    ASSERT(rc == 0);
    a->run.result = "running";
    a->run.started_unix_ms = clock_now_unix_ms();
    if (submit_run(a, on_run_opened)) return;
    (void)err_nomem(&a->err);
    (void)uv_timer_start(&a->timer, on_cannot_start, 0, 0);
}

void apply_interrupt(struct apply *a)
{
    if (a->state != APPLY_RUNNING) return;
    struct converge_event ev = {.type = EV_INTERRUPT};
    step(a, &ev);
}

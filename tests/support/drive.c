/* drive.c - the engine's effects and events on a virtual clock.
 *
 * What is to come is a list sorted by time: answers, the end of a write, wake-ups, interrupts. The clock
 * jumps from one to the next. Between any two effects lies a boundary, at which a script may cut the run, as
 * kill -9 would. */
#include "tests/support/drive.h"

#include <string.h>

enum { MAX_STEPS = 200000 };

/* Something that will happen. */
struct coming {
    int64_t at_ms;
    uint64_t seq; /* of two at one time the older one comes first */
    enum converge_event_type type;
    struct converge_event event;
    struct mock_answer answer; /* released with it */
    struct coming *next;
};

struct drive {
    struct harness *h;
    const struct apply_script *script;
    struct converge *engine;
    struct coming *queue;
    uint64_t next_seq;
    int64_t wake_at_ms;
    uint32_t n_persists;
    bool finished, cut;
    char undurable[256][65]; /* tokens of intents that are being written */
    size_t n_undurable;
};

static struct coming *come(struct drive *d, int64_t at_ms, struct converge_event event)
{
    struct coming *c = calloc(1, sizeof *c);
    ASSERT(c != NULL);
    *c = (struct coming){.at_ms = at_ms, .seq = d->next_seq++, .type = event.type, .event = event};
    struct coming **link = &d->queue;
    while (*link != NULL && (*link)->at_ms <= at_ms) link = &(*link)->next;
    c->next = *link;
    *link = c;
    return c;
}

/* True when the process dies here. */
static bool boundary(struct drive *d, enum cut_where where)
{
    if (d->cut || ++d->h->n_boundaries != d->script->cut_at) return d->cut;
    d->h->cut_where = where;
    d->cut = true;
    return true;
}

/* No call that changes something leaves before the intent with its token is durable. */
static void check_intent(const struct drive *d, const struct request *r)
{
    const char *token = request_get(r, "ClientToken");
    if (token == NULL) return;
    for (size_t k = 0; k < d->n_undurable; k++) ASSERT(strcmp(d->undurable[k], token) != 0);
    const struct memory *m = &d->h->memory;
    bool noted = false;
    for (size_t k = 0; k < m->n_intents && !noted; k++) noted = strcmp(m->intents[k].token, token) == 0;
    ASSERT(noted);
}

static void persist(struct drive *d, const struct converge_effects *e)
{
    struct harness *h = d->h;
    d->n_persists++;
    if (boundary(d, CUT_BEFORE_WRITE)) return;
    bool fails = d->script->fail_persist > 0 && d->n_persists >= d->script->fail_persist;
    enum err_code error = d->script->persist_error == ERR_OK ? ERR_STATE : d->script->persist_error;
    enum err_code code = fails ? error : ERR_OK;
    if (!fails && h->keep != NULL) code = h->keep(h->keep_ctx, e->persist, e->n_persist);
    if (code == ERR_OK) memory_write(&h->memory, e->persist, e->n_persist);
    if (boundary(d, CUT_AFTER_WRITE)) return;
    for (size_t k = 0; k < e->n_persist; k++)
        if (e->persist[k].type == NOTE_INTENT && d->n_undurable < N_ELEMENTS(d->undurable))
            memcpy(d->undurable[d->n_undurable++], e->persist[k].token, sizeof d->undurable[0]);
    (void)come(d, h->now_ms + d->script->persist_ms,
               (struct converge_event){.type = EV_PERSISTED, .code = code});
}

static enum call_fate fate_of(const struct mock_answer *a)
{
    if (a->fault == MOCK_NO_FAULT) return CALL_ANSWERED;
    return a->fault == MOCK_NOT_SENT ? CALL_NOT_SENT : CALL_UNKNOWN;
}

static void call(struct drive *d, const struct call *c)
{
    struct harness *h = d->h;
    struct mock_answer answer;
    bool changes = c->type == CALL_CHANGE; /* a look leaves nothing behind that a crash could interrupt */
    if (changes && boundary(d, CUT_BEFORE_CALL)) return;
    if (changes) check_intent(d, c->request);
    enum err_code code = h->call(h->call_ctx, harness_unix_ms(h), c->request, &answer, &h->err);
    ASSERT(code == ERR_OK);
    struct converge_event ev = {.type = EV_CALL_DONE,
                                .call = c->id,
                                .fate = fate_of(&answer),
                                .http_status = answer.http_status,
                                .why = answer.fault == MOCK_NO_FAULT ? NULL : "connection reset"};
    bool timed_out = answer.fault == MOCK_LOST_REQUEST || answer.fault == MOCK_LOST_ANSWER;
    int64_t latency = timed_out ? c->timeout_ms : answer.latency_ms;
    struct coming *coming = come(d, h->now_ms + latency, ev);
    coming->answer = answer;
    coming->event.body = body_of(&answer);
    if (changes) (void)boundary(d, CUT_AFTER_CALL);
}

static void tell(struct drive *d, const struct progress *p)
{
    if (p->type != PROGRESS_FAILED && p->type != PROGRESS_SKIPPED) return;
    char address[RESOURCE_ADDRESS_SIZE];
    const struct change *c = &d->h->plan->changes[d->h->plan->steps[p->step].change];
    buf_printf(&d->h->progress, "%s %s %s: %s%s%s\n", p->type == PROGRESS_FAILED ? "failed" : "skipped",
               verb_name(d->h->plan->steps[p->step].verb), address_format(c->kind, c->name, address),
               p->type == PROGRESS_FAILED ? err_code_name(p->err) : "", p->type == PROGRESS_FAILED ? " " : "",
               p->message);
}

static void step(struct drive *d, struct converge_event ev)
{
    struct harness *h = d->h;
    struct converge_effects e;
    if (ev.type == EV_PERSISTED && ev.code == ERR_OK)
        d->n_undurable = 0; /* one write is under way at a time */
    ev.now_ms = h->now_ms;
    ev.now_unix_ms = harness_unix_ms(h) + h->skew_ms;
    h->n_steps++;
    ASSERT(h->n_steps < MAX_STEPS); /* else it turns in circles */
    converge_step(d->engine, &ev, &e);
    buf_puts(&h->trace, e.trace);
    for (size_t k = 0; k < e.n_progress; k++) tell(d, &e.progress[k]);
    d->wake_at_ms = e.wake_at_ms;
    d->finished = e.finished;
    if (e.n_persist > 0) persist(d, &e);
    for (size_t k = 0; k < e.n_calls && !d->cut; k++) call(d, &e.calls[k]);
}

/* The next event: what comes first, or a wake-up. False when nothing will ever come. */
static bool next_event(struct drive *d, struct converge_event *out, struct mock_answer *answer)
{
    struct harness *h = d->h;
    *answer = (struct mock_answer){0};
    if (d->queue == NULL && d->wake_at_ms == INT64_MAX) return false;
    if (d->queue == NULL || d->wake_at_ms < d->queue->at_ms) {
        h->n_wakes++;
        h->now_ms = MAX_OF(h->now_ms, d->wake_at_ms);
        *out = (struct converge_event){.type = EV_WAKE};
        return true;
    }
    struct coming *c = d->queue;
    d->queue = c->next;
    h->now_ms = MAX_OF(h->now_ms, c->at_ms);
    *out = c->event;
    *answer = c->answer;
    free(c);
    return true;
}

static void drop_queue(struct drive *d)
{
    while (d->queue != NULL) {
        struct coming *c = d->queue;
        d->queue = c->next;
        mock_answer_fini(&c->answer);
        free(c);
    }
}

static void run(struct drive *d)
{
    struct harness *h = d->h;
    const struct apply_script *s = d->script;
    int64_t start = h->now_ms;
    if (s->interrupt_at_ms > 0)
        (void)come(d, start + s->interrupt_at_ms, (struct converge_event){.type = EV_INTERRUPT});
    if (s->interrupt_again_ms > 0)
        (void)come(d, start + s->interrupt_again_ms, (struct converge_event){.type = EV_INTERRUPT});
    step(d, (struct converge_event){.type = EV_START});
    while (!d->finished && !d->cut) {
        struct converge_event ev;
        struct mock_answer answer;
        bool more = next_event(d, &ev, &answer);
        if (!more) fprintf(stderr, "the engine waits for nothing:\n%s", buf_str(&h->trace));
        ASSERT(more);
        step(d, ev);
        mock_answer_fini(&answer);
    }
    h->took_ms = h->now_ms - start;
    drop_queue(d);
}

enum err_code drive(struct harness *h, const struct apply_script *script)
{
    char state_id[32];
    (void)snprintf(state_id, sizeof state_id, "test-state-%u", h->memory.n_lives);
    struct converge_options options = {.state_id = text_of(state_id),
                                       .parallelism = script->parallelism,
                                       .rate_per_s = script->rate_per_s,
                                       .seed = 1,
                                       .generations = memory_used(&h->memory, h->arena),
                                       .n_generations = h->memory.n_generations};
    struct drive d = {.h = h, .script = script, .wake_at_ms = INT64_MAX};
    d.engine = converge_new(h->arena, h->plan, &h->desired, h->world, &options);
    ASSERT(d.engine != NULL);
    if (script->fail_operation != NULL)
        harness_fail_next(h, script->fail_operation, script->fail_code, MAX_OF(script->fail_count, 1u));
    h->n_boundaries = h->n_steps = h->n_wakes = 0;
    run(&d);
    h->was_cut = d.cut;
    converge_summary(d.engine, &h->summary);
    converge_free(d.engine);
    return h->summary.worst;
}

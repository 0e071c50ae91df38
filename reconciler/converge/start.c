/* start.c - the next request of a step: built, given a token, joined by others, and put behind its intent. */
#include "reconciler/converge/engine.h"

#include "reconciler/base/digest.h"

#include <string.h>

/* ---- requests and their tokens ---- */

/* Whether this is the request that an intent of an earlier run is about. */
static bool is_open_request(const struct converge *c, uint32_t s, const struct used_generation *g,
                            const char *operation)
{
    const struct run *run = &c->runs[s];
    return c->intent_open[step_of(c, s)->change] && run->n_requests == 0 && g != NULL && g->open &&
           g->operation != NULL && strcmp(g->operation, operation) == 0 &&
           (g->request_hash == NULL || strcmp(g->request_hash, run->request_hash) == 0);
}

/* The token of a request that was not made before, or (after a crash) may have been. */
static bool derive_token(struct converge *c, uint32_t s, const char *operation)
{
    struct run *run = &c->runs[s];
    uint32_t change = step_of(c, s)->change;
    const struct change *ch = &c->plan->changes[change];
    if (!is_open_request(c, s, find_generation(c, ch), operation)) c->generation_of[change]++;
    run->generation = c->generation_of[change];
    char text[RESOURCE_ADDRESS_SIZE], number[16], hex[DIGEST_HEX_SIZE];
    (void)snprintf(number, sizeof number, "%u", run->generation);
    struct digest d;
    digest_init(&d);
    digest_put_text(&d, c->options.state_id);
    digest_put_text(&d, c->plan->stack);
    digest_put_text(&d, text_of(address_format(ch->kind, ch->name, text)));
    digest_put_text(&d, text_of(number));
    if (!digest_hex(&d, hex)) return false;
    (void)snprintf(run->token, sizeof run->token, "hg-%.48s", hex);
    run->token_fresh = true;
    return true;
}

/* A hash of the request without its token. */
static bool hash_request(struct converge *c, const struct request *r, char out[65])
{
    struct request copy = *r;
    struct param *params = arena_array_of(c->arena, copy.n_params, struct param);
    if (params == NULL) return false;
    uint32_t n = 0;
    for (uint32_t k = 0; k < copy.n_params; k++)
        if (strcmp(copy.params[k].name, "ClientToken") != 0) params[n++] = copy.params[k];
    copy.params = params;
    copy.n_params = n;
    return request_hash(&copy, out, &c->err) == ERR_OK;
}

/* A request that is made once more keeps its token; another one gets a new token. */
static bool give_token(struct converge *c, uint32_t s, const struct request *r)
{
    struct run *run = &c->runs[s];
    char hash[sizeof run->request_hash];
    if (!hash_request(c, r, hash)) return false;
    if (run->token_fresh && strcmp(hash, run->request_hash) == 0) return true;
    memcpy(run->request_hash, hash, sizeof hash);
    return derive_token(c, s, r->operation);
}

static enum next build_request(struct converge *c, uint32_t s, struct request *r)
{
    struct goal goal;
    if (!resolve_step(c, s)) return NEXT_ERROR;
    /* What the request says decides about its token: ask once without, then with it. */
    step_goal(c, s, &goal);
    goal.token = "";
    enum next n = c->cloud->next(c->cloud, &goal, c->arena, r, &c->err);
    if (n != NEXT_REQUEST) return n;
    if (!give_token(c, s, r)) {
        c->out_of_memory = true;
        (void)err_nomem(&c->err);
        return NEXT_ERROR;
    }
    goal.token = c->runs[s].token;
    return c->cloud->next(c->cloud, &goal, c->arena, r, &c->err);
}

/* The same request was accepted before and changed nothing that the list shows: wait for the list, then
 * repeat a few times. */
static bool without_effect(struct converge *c, uint32_t s)
{
    enum { MAX_SAME = 3 };
    struct run *run = &c->runs[s];
    if (strcmp(run->request_hash, run->accepted_hash) != 0) {
        run->n_same = 0;
        return false;
    }
    if (c->now_ms - run->accepted_ms < scaled(c, 30000, 500)) {
        run->state = STEP_SETTLING;
        poll_join(c, s, scaled(c, 2000, 5));
        return true;
    }
    if (++run->n_same < MAX_SAME) return false;
    step_fail(c, s, ERR_PROVIDER, "%s was accepted %u times, but did not take effect",
              run->request->operation, run->n_same);
    return true;
}

static bool can_join(struct converge *c, uint32_t first, uint32_t s, const struct goal *a)
{
    struct run *run = &c->runs[s];
    const struct change *change = change_of(c, s);
    if (s == first || !run->in_ready || run->state != STEP_WAITING || run->batch_refused ||
        run->look != LOOK_NOT)
        return false;
    if (change->kind != a->kind || step_of(c, s)->verb != a->verb || run->n_requests > 0 ||
        !resolve_step(c, s))
        return false;
    if (run->id == NULL && step_of(c, s)->verb == VERB_DELETE) {
        run->id = change->observed->id;
        run->observed = change->observed;
    }
    struct goal b;
    step_goal(c, s, &b);
    return c->cloud->may_batch(c->cloud, a, &b);
}

/* Others that may go into the same request; returns their number, the first is 's' itself. */
static uint32_t gather_batch(struct converge *c, uint32_t s, uint32_t *members, struct goal *goals,
                             uint32_t max)
{
    enum { MAX_LOOKED_AT = 512 };
    step_goal(c, s, &goals[0]);
    members[0] = s;
    uint32_t n = 1;
    struct run *run = &c->runs[s];
    if (c->cloud->may_batch == NULL || run->batch_refused || run->n_requests > 0 ||
        goals[0].verb == VERB_UPDATE)
        return 1;
    uint32_t limit = MIN_OF(max, c->cloud->batch_limit(c->cloud, &goals[0]));
    for (size_t k = 0; k < c->ready.n && k < MAX_LOOKED_AT && n < limit; k++) {
        uint32_t other = c->ready.items[k].step;
        if (!can_join(c, s, other, &goals[0])) continue;
        bool twice = false;
        for (uint32_t i = 0; i < n; i++) twice = twice || members[i] == other;
        if (twice) continue;
        step_goal(c, other, &goals[n]);
        members[n++] = other;
    }
    return n;
}

static void send_steps(struct converge *c, const uint32_t *members, uint32_t n, struct request *r)
{
    struct flight *f = arena_new_of(c->arena, struct flight);
    if (f == NULL) {
        c->out_of_memory = true;
        return;
    }
    *f = (struct flight){.id = c->next_flight_id++,
                         .type = CALL_CHANGE,
                         .first_step = members[0],
                         .request = r,
                         .next = c->durable_later};
    hash_oom_flag = false;
    HASH_ADD(hh, c->flights, id, sizeof f->id, f);
    if (hash_oom_flag) c->out_of_memory = true;
    c->durable_later = f;
    c->n_in_flight++;
    c->n_changing_in_flight++;
    c->summary.n_changing_calls++;
    for (uint32_t k = 0; k < n; k++) {
        struct run *run = &c->runs[members[k]];
        uint32_t change = step_of(c, members[k])->change;
        run->state = STEP_INTENT;
        run->in_ready = false;
        run->next_in_flight = k + 1 < n ? members[k + 1] : NO_STEP;
        run->n_requests++;
        int64_t shortest = 0, typical = 0, deadline = 0;
        c->cloud->durations(c->cloud, change_of(c, members[k])->kind, step_of(c, members[k])->verb, &shortest,
                            &typical, &deadline);
        if (run->first_sent_ms == 0) {
            run->first_sent_ms = c->now_ms;
            run->deadline_ms = c->now_ms + scaled(c, deadline, 20000);
        }
        note_intent(c, members[k], r);
        c->intent_open[change] = true;
        if (run->started_ms == 0) {
            run->started_ms = c->now_ms;
            tell(c, members[k], PROGRESS_STARTED, NULL);
        }
        trace(c, members[k], "%s%s", r->operation, n > 1 ? " (batch)" : "");
    }
}

/* One request for several steps, or for one when the batch cannot be built. */
static struct request *batch_request(struct converge *c, uint32_t *members, struct goal *goals, uint32_t *n)
{
    enum { MAX_BATCH = 100 };
    const struct goal *pointers[MAX_BATCH];
    struct request *r = arena_new_of(c->arena, struct request);
    if (r == NULL) return NULL;
    for (uint32_t k = 0; k < *n; k++) pointers[k] = &goals[k];
    if (c->cloud->next_batch(c->cloud, pointers, *n, c->arena, r, &c->err) == NEXT_REQUEST) {
        for (uint32_t k = 1; k < *n; k++) {
            struct run *run = &c->runs[members[k]];
            run->request = r;
            if (!hash_request(c, members[k]) || !derive_token(c, members[k], r->operation)) return NULL;
        }
        return r;
    }
    *n = 1;
    return c->runs[members[0]].request;
}

enum started { STARTED_NOT, STARTED_YES, STARTED_RATE };

/* Looks before the first create where the cloud may have made the thing by itself. */
static bool looks_first(struct converge *c, uint32_t s)
{
    struct run *run = &c->runs[s];
    const struct change *change = change_of(c, s);
    if (step_of(c, s)->verb != VERB_CREATE || run->looked || run->n_requests > 0 ||
        c->cloud->may_appear == NULL)
        return false;
    run->looked = true;
    if (!resolve_step(c, s) || !c->cloud->may_appear(c->cloud, change->kind, run->values, c->world))
        return false;
    run->state = STEP_LOOKING;
    run->look = LOOK_FIRST;
    poll_join(c, s, 0);
    return true;
}

/* What is in transition is not touched: the request would be refused as busy. */
static bool settles_first(struct converge *c, uint32_t s)
{
    struct run *run = &c->runs[s];
    if (run->n_requests > 0 || run->settled_first || run->observed == NULL ||
        run->observed->phase != PHASE_PENDING)
        return false;
    run->settled_first = true;
    int64_t shortest = 0, typical = 0, deadline = 0;
    c->cloud->durations(c->cloud, change_of(c, s)->kind, VERB_CREATE, &shortest, &typical, &deadline);
    run->started_ms = run->first_sent_ms = run->accepted_ms = c->now_ms;
    run->deadline_ms = c->now_ms + scaled(c, deadline, 20000);
    run->state = STEP_SETTLING;
    tell(c, s, PROGRESS_STARTED, NULL);
    trace(c, s, "is %s: wait", run->observed->status);
    poll_join(c, s, 0);
    return true;
}

static enum started start_request(struct converge *c, uint32_t s, int64_t *rate_at)
{
    enum { MAX_BATCH = 100 };
    struct run *run = &c->runs[s];
    struct goal goals[MAX_BATCH];
    uint32_t members[MAX_BATCH];
    struct serial_key keys[MAX_SERIAL_KEYS];
    step_goal(c, s, &goals[0]);
    size_t n_keys = c->cloud->serial_keys(c->cloud, &goals[0], run->request, keys);
    if (!take_keys(c, s, keys, n_keys)) return STARTED_NOT;
    if (!rate_take(c, rate_at)) {
        release_keys(c, s, false);
        return STARTED_RATE;
    }
    uint32_t n = gather_batch(c, s, members, goals, MAX_BATCH);
    struct request *r = n > 1 ? batch_request(c, members, goals, &n) : run->request;
    if (r == NULL) {
        c->out_of_memory = true;
        return STARTED_NOT;
    }
    send_steps(c, members, n, r);
    return STARTED_YES;
}

static enum started try_start(struct converge *c, uint32_t s, int64_t *rate_at)
{
    struct run *run = &c->runs[s];
    const struct change *change = change_of(c, s);
    if (step_of(c, s)->verb != VERB_CREATE && run->n_requests == 0 && run->observed == NULL) {
        run->observed = change->observed;
        run->id = change->observed->id;
    }
    if (c->interrupted && run->n_requests == 0) return STARTED_NOT; /* stays as it is: never begun */
    if (looks_first(c, s) || settles_first(c, s)) return STARTED_YES;
    if (run->request == NULL) {
        struct request *r = arena_new_of(c->arena, struct request);
        enum next n = r == NULL ? NEXT_ERROR : build_request(c, s, r);
        if (n == NEXT_DONE) {
            step_finish(c, s);
            return STARTED_YES;
        }
        if (n == NEXT_ERROR) {
            step_fail(c, s, r == NULL ? ERR_NOMEM : c->err.code, "%s",
                      r == NULL ? "out of memory" : c->err.msg);
            return STARTED_YES;
        }
        run->request = r;
        if (!hash_request(c, s)) {
            step_fail(c, s, ERR_NOMEM, "out of memory");
            return STARTED_YES;
        }
    }
    if (c->interrupted) {
        skip_step(c, s, "interrupted");
        return STARTED_YES;
    }
    if (without_effect(c, s)) return STARTED_YES;
    return start_request(c, s, rate_at);
}


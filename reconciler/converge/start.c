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

/* The token of a request that was not made before, or (after a crash) may have been. The operation is part of
 * it, since an address may have two things under way: the old one's deletion and the new one's creation. */
static bool derive_token(struct converge *c, uint32_t s, const char *operation)
{
    struct run *run = &c->runs[s];
    uint32_t change = step_of(c, s)->change;
    const struct change *ch = &c->plan->changes[change];
    run->resumed = is_open_request(c, s, find_generation(c, change), operation);
    if (!run->resumed) c->generation_of[change]++;
    run->generation = c->generation_of[change];
    char text[RESOURCE_ADDRESS_SIZE], number[16], hex[DIGEST_HEX_SIZE];
    (void)snprintf(number, sizeof number, "%u", run->generation);
    struct digest d;
    digest_init(&d);
    digest_put_text(&d, c->options.state_id);
    digest_put_text(&d, c->plan->stack);
    digest_put_text(&d, text_of(address_format(ch->kind, c->intent_names[change], text)));
    digest_put_text(&d, text_of(number));
    digest_put_text(&d, text_of(operation));
    if (!digest_hex(&d, hex)) return false;
    (void)snprintf(run->token, sizeof run->token, "hg-%.48s", hex);
    run->token_fresh = true;
    return true;
}

/* A hash of the request without its token. */
static bool hash_request(struct converge *c, const struct request *r, char out[65])
{
    struct request copy = *r;
    struct param *params = arena_array_of(c->scratch, copy.n_params, struct param);
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
    arena_reset(c->scratch);
    enum next n = c->cloud->next(c->cloud, &goal, c->scratch, r, &c->err);
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

/* ---- batches ---- */

enum { MAX_BATCH = 100 };

/* Steps that go into one request. */
struct batch {
    uint32_t members[MAX_BATCH];
    struct goal goals[MAX_BATCH];
    uint32_t n;
};

static void observe_planned(struct converge *c, uint32_t s)
{
    struct run *run = &c->runs[s];
    const struct change *change = change_of(c, s);
    if (step_of(c, s)->verb == VERB_CREATE || run->n_requests > 0 || run->observed != NULL) return;
    run->observed = change->observed;
    run->id = change->observed->id;
}

/* The cloud may have made the thing by itself: that is looked for before the first create. */
static bool may_have_appeared(struct converge *c, uint32_t s)
{
    struct run *run = &c->runs[s];
    return step_of(c, s)->verb == VERB_CREATE && !run->looked && run->n_requests == 0 &&
           c->cloud->may_appear != NULL && resolve_step(c, s) &&
           c->cloud->may_appear(c->cloud, change_of(c, s)->kind, run->values, c->world);
}

/* What is recorded and was in no list may be there all the same: lists have gaps. Made again, it would be
 * there twice; so it is looked for once more, right before. Entries cannot be there twice. */
static bool is_said_to_be_gone(const struct converge *c, uint32_t s)
{
    const struct change *change = change_of(c, s);
    const struct run *run = &c->runs[s];
    return step_of(c, s)->verb == VERB_CREATE && !run->looked && run->n_requests == 0 &&
           change->reason == REASON_GONE && kind_is_taggable(change->kind);
}

/* What is in transition is not touched: the request would be refused as busy. */
static bool is_in_transition(const struct run *run)
{
    return run->n_requests == 0 && !run->settled_first && run->observed != NULL &&
           run->observed->phase == PHASE_PENDING;
}

static bool may_join(struct converge *c, const struct batch *batch, uint32_t s, struct goal *goal)
{
    struct run *run = &c->runs[s];
    const struct goal *leader = &batch->goals[0];
    if (s == batch->members[0] || !run->in_ready || run->state != STEP_WAITING || run->batch_refused)
        return false;
    if (change_of(c, s)->kind != leader->kind || step_of(c, s)->verb != leader->verb || !resolve_step(c, s))
        return false;
    observe_planned(c, s);
    if (is_in_transition(run) || may_have_appeared(c, s) || is_said_to_be_gone(c, s)) return false;
    step_goal(c, s, goal);
    return c->cloud->may_batch(c->cloud, leader, goal);
}

/* Others that may go into the same request as the batch's first step. Each takes its keys along. */
static void gather(struct converge *c, struct batch *batch)
{
    enum { MAX_LOOKED_AT = 512 };
    uint32_t leader = batch->members[0];
    const struct request *r = c->runs[leader].request;
    if (c->cloud->may_batch == NULL || c->runs[leader].batch_refused || batch->goals[0].verb == VERB_UPDATE)
        return;
    uint32_t limit = MIN_OF((uint32_t)MAX_BATCH, c->cloud->batch_limit(c->cloud, &batch->goals[0]));
    for (size_t k = 0; k < c->ready.n && k < MAX_LOOKED_AT && batch->n < limit; k++) {
        uint32_t s = c->ready.items[k].step;
        struct goal *goal = &batch->goals[batch->n];
        struct serial_key keys[MAX_SERIAL_KEYS];
        if (!may_join(c, batch, s, goal)) continue;
        if (!share_keys(c, s, leader, keys, c->cloud->serial_keys(c->cloud, goal, r, keys))) continue;
        c->runs[s].in_ready = false; /* and so is not found twice */
        batch->members[batch->n++] = s;
    }
}

/* Lets all but the first go. */
static void disband(struct converge *c, struct batch *batch)
{
    for (uint32_t k = 1; k < batch->n; k++) {
        release_keys(c, batch->members[k], false);
        make_ready(c, batch->members[k]);
    }
    batch->n = 1;
}

/* One request for all members, or for the first when it cannot be built for all. NULL: out of memory. */
static struct request *batch_request(struct converge *c, struct batch *batch)
{
    const struct goal *goals[MAX_BATCH];
    char hash[sizeof c->runs->request_hash];
    struct request *r = arena_new_of(c->arena, struct request);
    if (r == NULL) return NULL;
    for (uint32_t k = 0; k < batch->n; k++) goals[k] = &batch->goals[k];
    if (c->cloud->next_batch(c->cloud, goals, batch->n, c->arena, r, &c->err) != NEXT_REQUEST) {
        disband(c, batch);
        return c->runs[batch->members[0]].request;
    }
    if (!hash_request(c, r, hash)) return NULL;
    for (uint32_t k = 0; k < batch->n; k++) {
        struct run *run = &c->runs[batch->members[k]];
        memcpy(run->request_hash, hash, sizeof hash);
        run->request = r;
        if (k > 0 && !derive_token(c, batch->members[k], r->operation)) return NULL;
    }
    return r;
}

/* ---- sending ---- */

static void begin(struct converge *c, uint32_t s)
{
    struct run *run = &c->runs[s];
    if (run->started_ms != 0) return;
    run->started_ms = c->now_ms;
    tell(c, s, PROGRESS_STARTED, NULL);
}

static void set_deadline(struct converge *c, uint32_t s, enum verb verb)
{
    struct run *run = &c->runs[s];
    int64_t shortest = 0, typical = 0, deadline = 0;
    if (run->first_sent_ms != 0) return;
    c->cloud->durations(c->cloud, change_of(c, s)->kind, verb, &shortest, &typical, &deadline);
    run->first_sent_ms = c->now_ms;
    run->deadline_ms = c->now_ms + scaled(c, deadline, 20000);
}

static void send_steps(struct converge *c, const struct batch *batch, struct request *r)
{
    struct flight *f = arena_new_of(c->arena, struct flight);
    if (f == NULL) {
        c->out_of_memory = true;
        return;
    }
    *f = (struct flight){.id = c->next_flight_id++,
                         .type = CALL_CHANGE,
                         .first_step = batch->members[0],
                         .request = r,
                         .next = c->durable_later};
    hash_oom_flag = false;
    HASH_ADD(hh, c->flights, id, sizeof f->id, f);
    if (hash_oom_flag) c->out_of_memory = true;
    c->durable_later = f;
    c->n_in_flight++;
    c->n_changing_in_flight++;
    c->summary.n_changing_calls++;
    for (uint32_t k = 0; k < batch->n; k++) {
        uint32_t s = batch->members[k];
        struct run *run = &c->runs[s];
        run->state = STEP_INTENT;
        run->in_ready = false;
        run->next_in_flight = k + 1 < batch->n ? batch->members[k + 1] : NO_STEP;
        run->operation = r->operation;
        run->n_requests++;
        set_deadline(c, s, step_of(c, s)->verb);
        note_intent(c, s, r);
        c->intent_open[step_of(c, s)->change] = true;
        begin(c, s);
        trace(c, s, "%s%s", r->operation, batch->n > 1 ? " (batch)" : "");
    }
}

static enum started start_request(struct converge *c, uint32_t s, int64_t *rate_at)
{
    struct batch batch = {.members[0] = s, .n = 1};
    struct serial_key keys[MAX_SERIAL_KEYS];
    step_goal(c, s, &batch.goals[0]);
    size_t n_keys = c->cloud->serial_keys(c->cloud, &batch.goals[0], c->runs[s].request, keys);
    if (!take_keys(c, s, keys, n_keys)) return STARTED_NOT;
    if (!rate_take(c, rate_at)) {
        release_keys(c, s, false);
        return STARTED_RATE;
    }
    gather(c, &batch);
    struct request *r = batch.n > 1 ? batch_request(c, &batch) : c->runs[s].request;
    if (r == NULL) {
        c->out_of_memory = true;
        return STARTED_NOT;
    }
    send_steps(c, &batch, r);
    return STARTED_YES;
}

/* ---- before the first request ---- */

/* An earlier run made it, or was about to make it otherwise (its token does not fit this request), and no
 * list has shown it: lists lag behind creations. Entries are safe without, by their natural keys.  Source:
 * api-behaviour 8 */
static bool is_out_of_sight(const struct converge *c, uint32_t s)
{
    const struct change *change = change_of(c, s);
    const struct run *run = &c->runs[s];
    if (step_of(c, s)->verb != VERB_CREATE || run->looked || run->n_requests > 0 ||
        !c->intent_open[step_of(c, s)->change] || !kind_is_taggable(change->kind))
        return false;
    const struct used_generation *g = find_generation(c, step_of(c, s)->change);
    bool otherwise = run->request != NULL && g != NULL && g->verb == VERB_CREATE && g->request_hash != NULL &&
                     strcmp(g->request_hash, run->request_hash) != 0;
    return change->recorded != NULL || otherwise;
}

/* An interrupted run was making this entry under another key a moment ago, in the same parent, and no list
 * has shown it: once forgotten it would be a stranger's, in the way of this one perhaps. */
static bool is_attempt_out_of_sight(const struct converge *c, uint32_t s)
{
    const struct change *change = change_of(c, s);
    const struct run *run = &c->runs[s];
    const struct record *attempt = change->attempt;
    if (step_of(c, s)->verb != VERB_CREATE || run->looked || run->n_requests > 0 || run->values == NULL ||
        attempt == NULL || kind_is_taggable(change->kind))
        return false;
    const struct kind_info *info = kind_info(change->kind);
    for (uint8_t f = 0; f < info->n_fields; f++)
        if ((info->fields[f].flags & FIELD_PARENT) != 0 &&
            !value_equal(info->fields[f].type, run->values[f], attempt->values[f]))
            return false;
    return c->now_unix_ms - attempt->applied_unix_ms < scaled(c, 60000, 1000);
}

static bool look_for_lost(struct converge *c, uint32_t s)
{
    struct run *run = &c->runs[s];
    if (!is_out_of_sight(c, s) && !is_attempt_out_of_sight(c, s)) return false;
    run->looked = true;
    run->lost_since_ms = c->now_ms;
    run->state = STEP_LOOKING;
    run->look = LOOK_LOST;
    poll_join(c, s, 0);
    return true;
}

static bool looks_first(struct converge *c, uint32_t s)
{
    struct run *run = &c->runs[s];
    if (look_for_lost(c, s)) return true;
    if (!may_have_appeared(c, s) && !is_said_to_be_gone(c, s)) return false;
    run->looked = true;
    run->state = STEP_LOOKING;
    run->look = LOOK_FIRST;
    poll_join(c, s, 0);
    return true;
}

static bool settles_first(struct converge *c, uint32_t s)
{
    struct run *run = &c->runs[s];
    if (!is_in_transition(run)) return false;
    run->settled_first = true;
    set_deadline(c, s, VERB_CREATE);
    run->accepted_ms = c->now_ms;
    run->state = STEP_SETTLING;
    begin(c, s);
    trace(c, s, "is %s: wait", run->observed->status);
    poll_join(c, s, 0);
    return true;
}

/* The cloud knows no further request. What an update was about has to be there then: it is not recorded as
 * applied on the word of the planner. */
static void no_request_left(struct converge *c, uint32_t s)
{
    const struct change *change = change_of(c, s);
    const struct run *run = &c->runs[s];
    const struct field_diff *left = NULL;
    if (step_of(c, s)->verb == VERB_UPDATE && run->values != NULL)
        left = change_left_over(c->cloud, change, run->values, run->observed);
    if (left == NULL)
        step_finish(c, s);
    else
        step_fail(c, s, ERR_PROVIDER,
                  "`%s` of %s differs from what is desired, and no request of the cloud changes it",
                  kind_info(change->kind)->fields[left->field].name, run->observed->id);
}

/* What is not to be changed has a step only to wait for it: next() would still give it our tags. */
static bool ends_after_waiting(struct converge *c, uint32_t s)
{
    const struct change *change = change_of(c, s);
    if (change->action != ACTION_READ || change->desired->lifecycle->management == MANAGE_ENFORCE)
        return false;
    if (c->runs[s].observed == NULL)
        step_fail(c, s, ERR_STALE, "it is gone since the plan was made; plan again");
    else
        step_finish(c, s);
    return true;
}

enum started try_start(struct converge *c, uint32_t s, int64_t *rate_at)
{
    struct run *run = &c->runs[s];
    observe_planned(c, s);
    if (c->interrupted && run->n_requests == 0) return STARTED_NOT; /* stays as it is: never begun */
    if (looks_first(c, s) || settles_first(c, s) || ends_after_waiting(c, s)) return STARTED_YES;
    if (run->request == NULL) {
        struct request *r = arena_new_of(c->arena, struct request);
        if (r == NULL) {
            c->out_of_memory = true;
            return STARTED_NOT;
        }
        switch (build_request(c, s, r)) {
        case NEXT_DONE: no_request_left(c, s); return STARTED_YES;
        case NEXT_ERROR: step_fail(c, s, c->err.code, "%s", c->err.msg); return STARTED_YES;
        case NEXT_REQUEST: run->request = r; break;
        }
    }
    if (c->interrupted) {
        skip_step(c, s, "interrupted");
        return STARTED_YES;
    }
    if (look_for_lost(c, s) || without_effect(c, s)) return STARTED_YES;
    return start_request(c, s, rate_at);
}

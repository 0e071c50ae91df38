/* outcome.c - what an answer does to the steps of its call: a table from outcome to action. */
#include "reconciler/converge/engine.h"

#include <string.h>

/* Whether another change of the plan is about this object: it may still carry the tags that it had. */
static bool is_anothers(const struct converge *c, const struct change *change, const struct object *o)
{
    for (uint32_t k = 0; k < c->plan->n_changes; k++) {
        const struct change *other = &c->plan->changes[k];
        if (other != change && other->observed != NULL && other->kind == o->kind &&
            strcmp(other->observed->id, o->id) == 0)
            return true;
    }
    return false;
}

/* Whether an object with the right tags may be what the change makes, and not what it replaces. */
static bool may_be_new(const struct converge *c, const struct change *change, const struct object *o)
{
    bool has_twin = change->action == ACTION_REPLACE && change->create_first;
    if (change->observed != NULL && strcmp(o->id, change->observed->id) == 0) return false;
    return (!has_twin || o->incarnation == change->incarnation) && !is_anothers(c, change, o);
}

/* The one object with the tags of what a change is to make; NULL when there is none, or several. */
static const struct object *find_tagged(const struct converge *c, const struct change *change)
{
    size_t n = 0, cursor = 0, n_found = 0;
    const struct object *found = NULL;
    const struct object *o = world_find_owned(c->world, c->plan->stack, change->kind, change->name, &n);
    if (n <= 1) return o != NULL && may_be_new(c, change, o) ? o : NULL;
    while ((o = world_next_owned(c->world, c->plan->stack, change->kind, change->name, &cursor)) != NULL) {
        if (!may_be_new(c, change, o)) continue;
        found = o;
        n_found++;
    }
    return n_found == 1 ? found : NULL;
}

const struct object *find_object(struct converge *c, uint32_t s)
{
    const struct change *change = change_of(c, s);
    struct run *run = &c->runs[s];
    if (run->id != NULL) return world_find(c->world, change->kind, text_of(run->id));
    if (step_of(c, s)->verb == VERB_DELETE)
        return world_find(c->world, change->kind, text_of(change->observed->id));
    /* A replacement that is made first must not find the one that it replaces. */
    const struct object *old = change->action == ACTION_REPLACE ? change->observed : NULL;
    if (kind_is_taggable(change->kind)) return find_tagged(c, change);
    const struct object *o = run->values == NULL ? NULL : world_find_key(c->world, change->kind, run->values);
    return o != NULL && old != NULL && strcmp(o->id, old->id) == 0 ? NULL : o;
}

static void look(struct converge *c, uint32_t s, enum look_reason why, int64_t in_ms)
{
    struct run *run = &c->runs[s];
    run->state = STEP_LOOKING;
    run->look = why;
    poll_join(c, s, in_ms);
}

/* ---- actions ---- */

static void remember_object(struct converge *c, uint32_t s, const struct outcome *o)
{
    struct run *run = &c->runs[s];
    const struct change *change = change_of(c, s);
    if (o->id != NULL) run->id = o->id;
    if (run->id == NULL && c->cloud->natural_id != NULL && run->values != NULL)
        run->id = c->cloud->natural_id(c->cloud, change->kind, run->values, c->arena);
    if (o->object == NULL || run->id == NULL) return;
    /* What the answer already tells: id and computed facts, which children may need before a list shows them.
     */
    o->object->phase = PHASE_PENDING;
    o->object->owner_stack = c->plan->stack;
    o->object->owner_name = change->name;
    o->object->incarnation = change->incarnation;
    if (world_put(c->world, o->object, &c->err) != ERR_OK) c->out_of_memory = true;
}

static void accepted(struct converge *c, uint32_t s, const struct outcome *o)
{
    struct run *run = &c->runs[s];
    const struct change *change = change_of(c, s);
    enum verb verb = step_of(c, s)->verb;
    rate_speed_up(c);
    memcpy(run->accepted_hash, run->request_hash, sizeof run->accepted_hash);
    run->request = NULL;
    run->token_fresh = false;
    run->n_attempts = 0;
    run->code = "";
    run->accepted_ms = c->now_ms;
    run->absent_since_ms = 0;
    run->unsure = false;
    if (verb == VERB_CREATE && run->observed == NULL) {
        remember_object(c, s, o);
        if (run->id != NULL) {
            if (change->desired_index != UINT32_MAX) c->bound[change->desired_index] = run->id;
            struct object *seen = world_find(c->world, change->kind, text_of(run->id));
            static const struct value nothing[64];
            struct object known = {
                .kind = change->kind, .id = run->id, .values = (struct value *)(uintptr_t)nothing};
            note_record(c, step_of(c, s)->change, seen != NULL ? seen : &known, run->values, run->set_fields);
            /* The intent stays open until a list shows it: who starts anew before that would make another. */
            settle_attempt(c, step_of(c, s)->change);
        }
    }
    release_keys(c, s, true);
    int64_t shortest = 0, typical = 0, deadline = 0;
    c->cloud->durations(c->cloud, change->kind, verb, &shortest, &typical, &deadline);
    run->state = STEP_SETTLING;
    int64_t first = o->class == OUTCOME_DONE ? 0 : scaled(c, shortest, 2);
    trace(c, s, "%s, look in %lld ms", outcome_name(o->class), (long long)first);
    poll_join(c, s, first);
}

static void retry(struct converge *c, uint32_t s, const struct outcome *o)
{
    struct run *run = &c->runs[s];
    int64_t delay = MAX_OF(o->delay_ms, backoff_ms(c, run->n_attempts));
    c->summary.n_retries++;
    run->n_attempts++;
    /* A server that fails in the middle may have done it all the same. */
    run->unsure = run->unsure || o->under_way || (o->class == OUTCOME_TRANSIENT && o->code[0] != '\0');
    release_keys(c, s, false);
    run->status = outcome_name(o->class);
    trace(c, s, "%s (%s), again in %lld ms", outcome_name(o->class), o->code, (long long)delay);
    if (run->deadline_ms > 0 && c->now_ms + delay > run->deadline_ms) {
        step_fail(c, s, ERR_TIMEOUT, "gave up after %u tries: %s %s", run->n_attempts, o->code, o->message);
        return;
    }
    if (run->n_attempts > 1) tell(c, s, PROGRESS_RETRY, o->code);
    step_again(c, s, delay);
}

static void throttled(struct converge *c, uint32_t s, const struct outcome *o)
{
    rate_slow_down(c);
    retry(c, s, o);
}

static void gone(struct converge *c, uint32_t s, const struct outcome *o)
{
    struct run *run = &c->runs[s];
    if (step_of(c, s)->verb != VERB_DELETE) {
        step_fail(c, s, ERR_STALE, "it, or what it refers to, is gone (%s); plan again", o->code);
        return;
    }
    world_remove(c->world, change_of(c, s)->kind, run->id);
    run->observed = NULL;
    run->request = NULL;
    step_settle(c, s);
}

static void exists(struct converge *c, uint32_t s, const struct outcome *o)
{
    release_keys(c, s, false);
    c->runs[s].batch_refused = true;
    c->runs[s].said = o->message;
    c->runs[s].lost_since_ms = c->now_ms;
    trace(c, s, "exists (%s): look", o->code);
    look(c, s, LOOK_EXISTS, 0);
}

static void unknown(struct converge *c, uint32_t s, const struct outcome *o)
{
    struct run *run = &c->runs[s];
    c->summary.n_retries++;
    run->n_attempts++;
    run->unsure = true;
    release_keys(c, s, false);
    if (run->request != NULL) run->batch_refused = true; /* the same request, not one with others */
    trace(c, s, "unknown (%s): look, then the same request", o->message);
    if (run->deadline_ms > 0 && c->now_ms > run->deadline_ms) {
        step_fail(c, s, ERR_UNKNOWN, "no answer to %u requests; it may exist or not: the next apply looks",
                  run->n_attempts);
        return;
    }
    tell(c, s, PROGRESS_RETRY, o->message);
    look(c, s, LOOK_UNKNOWN, backoff_ms(c, run->n_attempts));
}

/* A reference that this run made a moment ago may not be visible everywhere yet.  Source: api-behaviour 4,
 * step 11 */
static bool is_young_reference(const struct converge *c, uint32_t s, const struct outcome *o)
{
    const struct step *step = step_of(c, s);
    if (!text_ends_with(text_of(o->code), "NotFound")) return false;
    for (uint32_t k = 0; k < step->n_after; k++) {
        const struct run *before = &c->runs[step->after[k].step];
        if (before->state == STEP_DONE && c->now_ms - before->accepted_ms < scaled(c, 60000, 1000))
            return true;
    }
    return false;
}

static void fail_with(struct converge *c, uint32_t s, enum err_code code, const char *operation,
                      const struct outcome *o)
{
    step_fail(c, s, code, "%s: %s: %s", operation, o->code[0] == '\0' ? outcome_name(o->class) : o->code,
              o->message);
}

static void refused(struct converge *c, uint32_t s, const struct outcome *o)
{
    static const enum err_code codes[N_OUTCOMES] = {
        [OUTCOME_DENIED] = ERR_DENIED, [OUTCOME_INVALID] = ERR_PROVIDER, [OUTCOME_QUOTA] = ERR_LIMIT};
    if (o->class == OUTCOME_INVALID && is_young_reference(c, s, o))
        retry(c, s, o);
    else
        fail_with(c, s, codes[o->class], c->runs[s].operation, o);
}

static void no_room(struct converge *c, uint32_t s, const struct outcome *o)
{
    if (step_of(c, s)->verb != VERB_CREATE || !step_waits_for_room(c, s)) {
        refused(c, s, o);
        return;
    }
    c->summary.n_retries++;
    tell(c, s, PROGRESS_RETRY, o->code);
    trace(c, s, "no room (%s), again when something is deleted", o->code);
}

static void (*const actions[N_OUTCOMES])(struct converge *c, uint32_t s, const struct outcome *o) = {
    [OUTCOME_DONE] = accepted,   [OUTCOME_PENDING] = accepted, [OUTCOME_THROTTLED] = throttled,
    [OUTCOME_BUSY] = retry,      [OUTCOME_GONE] = gone,        [OUTCOME_EXISTS] = exists,
    [OUTCOME_UNKNOWN] = unknown, [OUTCOME_DENIED] = refused,   [OUTCOME_INVALID] = refused,
    [OUTCOME_QUOTA] = no_room,   [OUTCOME_TRANSIENT] = retry,
};

/* ---- the answer ---- */

/* A batch that was refused as a whole says nothing about the one or other of its steps: each goes alone. */
static bool is_tried_alone(enum outcome_class class)
{
    return class == OUTCOME_INVALID || class == OUTCOME_QUOTA || class == OUTCOME_EXISTS ||
           class == OUTCOME_GONE;
}

static void alone(struct converge *c, uint32_t s, const struct outcome *o)
{
    struct run *run = &c->runs[s];
    run->batch_refused = true;
    release_keys(c, s, false);
    trace(c, s, "%s (%s) in a batch: alone", outcome_name(o->class), o->code);
    step_again(c, s, 0);
}

static bool failed_in_batch(const struct outcome *o, const char *natural_id)
{
    if (o->failed_items == NULL || natural_id == NULL) return false;
    for (const char *const *item = o->failed_items; *item != NULL; item++)
        if (strcmp(*item, natural_id) == 0) return true;
    return false;
}

/* How a step of a batch is named among the items that failed: by its destination or its id. */
static const char *batch_name(const struct converge *c, uint32_t s)
{
    const struct change *change = change_of(c, s);
    const struct value *values = c->runs[s].values != NULL  ? c->runs[s].values
                                 : change->observed != NULL ? change->observed->values
                                                            : NULL;
    if (change->kind == KIND_ROUTE_ENTRY && values != NULL && value_is_set(values[RTE_DESTINATION]))
        return values[RTE_DESTINATION].u.text;
    return c->runs[s].id;
}

void call_done(struct converge *c, struct flight *f, const struct converge_event *ev)
{
    struct outcome o = {.class = OUTCOME_TRANSIENT,
                        .code = "",
                        .request_id = "",
                        .message = ev->why == NULL ? "no answer" : ev->why};
    bool batch = c->runs[f->first_step].next_in_flight != NO_STEP;
    if (ev->fate == CALL_UNKNOWN)
        o.class = OUTCOME_UNKNOWN;
    else if (ev->fate == CALL_ANSWERED) {
        struct goal goal;
        step_goal(c, f->first_step, &goal);
        c->cloud->read_outcome(c->cloud, batch ? NULL : &goal, f->request, ev->http_status, ev->body,
                               c->arena, &o);
    }
    if (o.delay_ms == 0) o.delay_ms = ev->retry_after_ms;
    for (uint32_t s = f->first_step, next; s != NO_STEP; s = next) {
        struct run *run = &c->runs[s];
        next = run->next_in_flight;
        run->next_in_flight = NO_STEP;
        run->code = o.code;
        run->request_id = o.request_id;
        struct outcome mine = o;
        if (batch) {
            /* The request was all members': the next one is the step's own, or another batch's. */
            run->request = NULL;
            run->token_fresh = false;
            mine.id = NULL;
            mine.object = NULL;
        }
        if (batch && is_tried_alone(o.class)) {
            alone(c, s, &mine);
            continue;
        }
        if (batch && failed_in_batch(&o, batch_name(c, s))) {
            run->batch_refused = true;
            mine.class = OUTCOME_BUSY;
        }
        actions[mine.class](c, s, &mine);
    }
}

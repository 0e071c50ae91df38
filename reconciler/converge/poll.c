/* poll.c - waiting is shared: all steps that wait for objects of one list are served by the same calls. */
#include "reconciler/converge/engine.h"

#include <string.h>

enum { MAX_IDS = 20, MAX_FAULTS = 10 };

/* ---- joining and leaving ---- */

static struct scope scope_of(struct converge *c, uint32_t s)
{
    const struct change *change = change_of(c, s);
    enum kind list = c->cloud->listed_with(c->cloud, change->kind);
    uint8_t field = FIELD_NO;
    enum kind parent = c->cloud->list_scope_kind(c->cloud, list, &field);
    struct scope scope = {.kind = list};
    if (parent == KIND_NONE) return scope;
    /* Deletes and updates know the parent from what is there, creates from what is wanted. */
    const struct run *run = &c->runs[s];
    const struct object *o = run->observed != NULL                ? run->observed
                             : step_of(c, s)->verb == VERB_DELETE ? change->observed
                                                                  : NULL;
    struct value v = o != NULL             ? o->values[field]
                     : run->values != NULL ? run->values[field]
                                           : (struct value){0};
    scope.id = value_is_set(v) ? v.u.text : NULL;
    return scope;
}

static bool same_scope(const struct poll *p, const struct scope *s)
{
    if (p->kind != s->kind || (p->scope_id == NULL) != (s->id == NULL)) return false;
    return s->id == NULL || strcmp(p->scope_id, s->id) == 0;
}

void poll_join(struct converge *c, uint32_t s, int64_t first_in_ms)
{
    struct run *run = &c->runs[s];
    struct scope scope = scope_of(c, s);
    int64_t shortest = 0, typical = 0, deadline = 0;
    c->cloud->durations(c->cloud, change_of(c, s)->kind, step_of(c, s)->verb, &shortest, &typical, &deadline);
    int64_t interval = scaled(c, MIN_OF(MAX_OF(typical / 8, (int64_t)1000), (int64_t)5000), 3);
    struct poll *p = c->polls;
    while (p != NULL && !same_scope(p, &scope)) p = p->next;
    if (p == NULL) {
        p = arena_new_of(c->arena, struct poll);
        if (p == NULL) {
            c->out_of_memory = true;
            return;
        }
        *p = (struct poll){.kind = scope.kind,
                           .scope_id = scope.id,
                           .first_step = NO_STEP,
                           .next_at_ms = INT64_MAX,
                           .interval_ms = interval,
                           .next = c->polls};
        c->polls = p;
    }
    run->poll = p;
    run->poll_first_ms = c->now_ms + first_in_ms;
    run->next_polled = p->first_step;
    p->first_step = s;
    p->interval_ms = MIN_OF(p->interval_ms, interval);
    p->next_at_ms = MIN_OF(p->next_at_ms, run->poll_first_ms);
}

static void drop_if_unused(struct converge *c, struct poll *p)
{
    if (p->first_step != NO_STEP || p->in_flight) return;
    for (struct poll **link = &c->polls; *link != NULL; link = &(*link)->next)
        if (*link == p) {
            *link = p->next;
            return;
        }
}

void poll_leave(struct converge *c, uint32_t s)
{
    struct run *run = &c->runs[s];
    struct poll *p = run->poll;
    if (p == NULL) return;
    for (uint32_t *link = &p->first_step; *link != NO_STEP; link = &c->runs[*link].next_polled)
        if (*link == s) {
            *link = run->next_polled;
            break;
        }
    run->poll = NULL;
    run->next_polled = NO_STEP;
    drop_if_unused(c, p);
}

/* ---- asking ---- */

static void add_call(struct converge *c, struct flight *f, int64_t timeout_ms)
{
    if (c->n_calls == c->calls_capacity) {
        size_t capacity = MAX_OF(c->calls_capacity * 2, (size_t)16);
        struct call *grown = realloc(c->calls, capacity * sizeof *grown);
        if (grown == NULL) {
            c->out_of_memory = true;
            return;
        }
        c->calls = grown;
        c->calls_capacity = capacity;
    }
    c->calls[c->n_calls++] =
        (struct call){.id = f->id, .type = f->type, .request = f->request, .timeout_ms = timeout_ms};
}

/* The ids that the steps of a poll wait for, when all are known and few; 0 otherwise: the whole list. */
static uint32_t wanted_ids(const struct converge *c, const struct poll *p, const char *ids[MAX_IDS])
{
    uint32_t n = 0;
    for (uint32_t s = p->first_step; s != NO_STEP; s = c->runs[s].next_polled) {
        if (c->runs[s].id == NULL || n == MAX_IDS) return 0;
        ids[n++] = c->runs[s].id;
    }
    return n;
}

static void fail_all(struct converge *c, struct poll *p, enum err_code code, const char *why)
{
    for (uint32_t s = p->first_step, next; s != NO_STEP; s = next) {
        next = c->runs[s].next_polled;
        c->runs[s].blind = c->runs[s].n_requests > 0;
        step_fail(c, s, code, "cannot see whether it is ready: %s", why);
    }
}

static void ask(struct converge *c, struct poll *p)
{
    struct flight *f = arena_new_of(c->arena, struct flight);
    struct request *r = arena_new_of(c->arena, struct request);
    if (f == NULL || r == NULL) {
        c->out_of_memory = true;
        return;
    }
    const char *ids[MAX_IDS];
    uint32_t n_ids = p->after != NULL ? 0 : wanted_ids(c, p, ids);
    struct scope scope = {p->kind, p->scope_id};
    if (c->cloud->list_request(c->cloud, &scope, ids, n_ids, p->after, c->arena, r, &c->err) !=
        NEXT_REQUEST) {
        fail_all(c, p, ERR_PROVIDER, c->err.msg);
        return;
    }
    if (p->after == NULL) {
        p->n_seen = 0;
        p->round_at_ms = c->now_ms;
    }
    *f = (struct flight){
        .id = c->next_flight_id++, .type = CALL_LIST, .poll = p, .request = r, .first_step = NO_STEP};
    hash_oom_flag = false;
    HASH_ADD(hh, c->flights, id, sizeof f->id, f);
    if (hash_oom_flag) {
        c->out_of_memory = true;
        return;
    }
    p->in_flight = true;
    c->n_in_flight++;
    c->summary.n_list_calls++;
    add_call(c, f, scaled(c, 30000, 10000));
}

void poll_start_due(struct converge *c)
{
    for (struct poll *p = c->polls, *next; p != NULL; p = next) {
        next = p->next;
        int64_t at;
        if (p->in_flight || p->first_step == NO_STEP || p->next_at_ms > c->now_ms) continue;
        if (!rate_take(c, &at)) {
            p->next_at_ms = at;
            continue;
        }
        ask(c, p);
    }
}

int64_t poll_next_ms(const struct converge *c)
{
    int64_t at = INT64_MAX;
    for (const struct poll *p = c->polls; p != NULL; p = p->next)
        if (!p->in_flight && p->first_step != NO_STEP) at = MIN_OF(at, p->next_at_ms);
    return at;
}

/* ---- what the list says ---- */

static int compare_seen(const void *pa, const void *pb)
{
    const struct object *a = *(struct object *const *)pa, *b = *(struct object *const *)pb;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    return strcmp(a->id, b->id);
}

/* Of an object that was shown twice, the one that is in the world comes first: it came later. */
static int compare_seen_in_world(const void *pa, const void *pb, void *world)
{
    const struct object *a = *(struct object *const *)pa, *b = *(struct object *const *)pb;
    int order = compare_seen(pa, pb);
    if (order != 0 || a == b) return order;
    const struct object *latest = world_find(world, a->kind, text_of(a->id));
    return (latest == b) - (latest == a);
}

/* Sorts what a round has shown, to be looked up; each object once. */
static void sort_seen(struct converge *c, struct poll *p)
{
    size_t n = 0;
    if (p->n_seen > 1) qsort_r(p->seen, p->n_seen, sizeof *p->seen, compare_seen_in_world, c->world);
    for (size_t k = 0; k < p->n_seen; k++)
        if (n == 0 || compare_seen(&p->seen[n - 1], &p->seen[k]) != 0) p->seen[n++] = p->seen[k];
    p->n_seen = n;
}

static const struct object *seen_object(const struct poll *p, enum kind kind, const char *id)
{
    const struct object wanted = {.kind = kind, .id = id}, *key = &wanted;
    struct object *const *found =
        p->n_seen == 0 ? NULL : bsearch(&key, p->seen, p->n_seen, sizeof *p->seen, compare_seen);
    return found == NULL ? NULL : *found;
}

/* What an interrupted run was making under another key has come to sight. */
static const struct object *attempt_seen(const struct converge *c, uint32_t s, const struct poll *p)
{
    const struct change *change = change_of(c, s);
    if (change->attempt == NULL || c->runs[s].look != LOOK_LOST) return NULL;
    const struct object *o = world_find_key(c->world, change->kind, change->attempt->values);
    return o == NULL ? NULL : seen_object(p, o->kind, o->id);
}

static void looked(struct converge *c, uint32_t s, const struct poll *p)
{
    struct run *run = &c->runs[s];
    const struct object *o = find_object(c, s);
    enum look_reason why = run->look;
    if (o != NULL) o = seen_object(p, o->kind, o->id); /* the world may remember more than there is now */
    const struct object *attempt = o == NULL ? attempt_seen(c, s, p) : NULL;
    poll_leave(c, s);
    if (attempt != NULL) {
        run->look = LOOK_NOT;
        run->blind = true; /* what is known of it is kept for the next plan */
        step_fail(c, s, ERR_STALE,
                  "an interrupted run has made it otherwise (%s), as is seen only now; plan again",
                  attempt->id);
        return;
    }
    /* Lists lag behind creations, also behind those that the cloud refers to.  Source: api-behaviour 8 */
    bool may_lag = why == LOOK_LOST || why == LOOK_EXISTS;
    if (o == NULL && may_lag && c->now_ms - run->lost_since_ms < scaled(c, 30000, 500)) {
        poll_join(c, s, scaled(c, 2000, 5));
        return;
    }
    run->look = LOOK_NOT;
    if (o != NULL && o->phase != PHASE_DELETING) {
        trace(c, s, "found %s", o->id);
        run->id = o->id;
        run->observed = o;
        run->unsure = false;
        run->request = NULL; /* what is to be done next depends on what it is like now */
        const struct change *change = change_of(c, s);
        if (change->desired_index != UINT32_MAX && step_of(c, s)->verb != VERB_DELETE)
            c->bound[change->desired_index] = o->id;
    } else if (why == LOOK_EXISTS) {
        step_fail(c, s, ERR_CONFLICT, "something else is in its place: %s: %s",
                  run->code == NULL ? "" : run->code, run->said == NULL ? "" : run->said);
        return;
    } else if (step_of(c, s)->verb == VERB_DELETE) {
        run->observed = NULL;
    }
    if (o != NULL && o->phase == PHASE_PENDING) {
        run->state = STEP_SETTLING;
        run->accepted_ms = c->now_ms;
        poll_join(c, s, scaled(c, 1000, 3));
        return;
    }
    make_ready(c, s);
}

/* What was accepted is not in the list. Lists lag behind creations, and may lack a row for once: absence is
 * not failure at first.  Source: api-behaviour 8 */
static void absent(struct converge *c, uint32_t s)
{
    struct run *run = &c->runs[s];
    if (run->absent_since_ms == 0) run->absent_since_ms = c->now_ms;
    int64_t patience = run->resumed ? scaled(c, 180000, 3000) : scaled(c, 60000, 1000);
    if (c->now_ms - run->absent_since_ms <= patience) return;
    if (run->resumed) {
        /* The answer was the one that an earlier run got, and what it told of is gone: once more, as new. Too
         * early, that would be a second one; hence the patience. */
        trace(c, s, "what an earlier run made is gone: once more");
        run->resumed = run->token_fresh = false;
        run->request = NULL;
        run->id = NULL;
        step_settle(c, s);
        return;
    }
    /* Or they lag very far behind: then the next run repeats the request with its token, and gets what is
     * there already. */
    run->blind = step_of(c, s)->verb == VERB_CREATE;
    step_fail(c, s, ERR_PROVIDER, "the cloud gave up on it: accepted, but not to be seen after %lld s",
              (long long)((c->now_ms - run->accepted_ms) / 1000));
}

static void settled_or_not(struct converge *c, uint32_t s, const struct poll *p)
{
    struct run *run = &c->runs[s];
    const struct change *change = change_of(c, s);
    const struct object *o = run->id == NULL ? find_object(c, s) : seen_object(p, change->kind, run->id);
    /* Before the delete itself is sent, a step only waits for the object to come to rest. */
    bool deleting = step_of(c, s)->verb == VERB_DELETE && run->n_requests > 0;
    run->status = o == NULL ? "" : o->status;
    if (step_of(c, s)->verb == VERB_DELETE && o == NULL) {
        world_remove(c->world, change->kind, run->id);
        run->observed = NULL;
        step_settle(c, s);
        return;
    }
    if (o == NULL) {
        absent(c, s);
        return;
    }
    run->absent_since_ms = 0;
    run->id = o->id;
    if (!deleting && o->phase == PHASE_FAILED)
        step_fail(c, s, ERR_PROVIDER, "the cloud reports status %s", o->status);
    else if (!deleting && o->phase == PHASE_READY) {
        run->observed = o;
        step_settle(c, s);
    }
}

static void round_done(struct converge *c, struct poll *p)
{
    p->after = NULL;
    p->n_faults = 0;
    p->next_at_ms = c->now_ms + p->interval_ms;
    sort_seen(c, p);
    for (uint32_t s = p->first_step, next; s != NO_STEP; s = next) {
        next = c->runs[s].next_polled;
        /* Who joined while the round was under way is not told by it: it may show what was before. */
        if (c->runs[s].poll_first_ms > p->round_at_ms) continue;
        if (c->runs[s].state == STEP_LOOKING)
            looked(c, s, p);
        else
            settled_or_not(c, s, p);
    }
    for (uint32_t s = p->first_step; s != NO_STEP; s = c->runs[s].next_polled)
        if (c->runs[s].poll_first_ms > p->round_at_ms) /* its first look is still to come */
            p->next_at_ms = MIN_OF(p->next_at_ms, MAX_OF(c->runs[s].poll_first_ms, c->now_ms + 1));
    drop_if_unused(c, p);
}

/* The page itself is dropped when it was read: the world keeps what is new in it. */
static bool keep_page(struct converge *c, struct poll *p, const struct page *page)
{
    for (uint32_t k = 0; k < page->n; k++) {
        if (!arena_grow(c->arena, &p->seen, sizeof(struct object *), p->n_seen, &p->seen_capacity) ||
            world_learn(c->world, page->objects[k], &p->seen[p->n_seen], &c->err) != ERR_OK)
            return false;
        p->n_seen++;
    }
    p->after = arena_strdup(c->arena, page->next);
    return p->after != NULL || page->next == NULL;
}

static void page_failed(struct converge *c, struct poll *p, const struct outcome *o, const char *why)
{
    p->after = NULL;
    if (o->class == OUTCOME_GONE) { /* the parent is gone, and all that was in it */
        p->n_seen = 0;
        round_done(c, p);
        return;
    }
    if (o->class == OUTCOME_THROTTLED) rate_slow_down(c);
    c->summary.n_retries++;
    bool final = o->class == OUTCOME_DENIED || o->class == OUTCOME_INVALID;
    if (final || ++p->n_faults > MAX_FAULTS)
        fail_all(c, p, o->class == OUTCOME_DENIED ? ERR_DENIED : ERR_PROVIDER, why);
    else
        p->next_at_ms = c->now_ms + MAX_OF(o->delay_ms, backoff_ms(c, p->n_faults));
    drop_if_unused(c, p);
}

void poll_page(struct converge *c, struct flight *f, const struct converge_event *ev)
{
    struct poll *p = f->poll;
    p->in_flight = false;
    struct page page = {.n = 0};
    struct outcome outcome = {.class = OUTCOME_TRANSIENT, .delay_ms = ev->retry_after_ms};
    if (ev->fate != CALL_ANSWERED) {
        page_failed(c, p, &outcome, ev->why == NULL ? "no answer" : ev->why);
        return;
    }
    struct scope scope = {p->kind, p->scope_id};
    arena_reset(c->scratch);
    if (c->cloud->read_page(c->cloud, &scope, f->request, ev->http_status, ev->body, c->world, c->scratch,
                            &page, &outcome, &c->err) != ERR_OK) {
        if (outcome.delay_ms == 0) outcome.delay_ms = ev->retry_after_ms;
        page_failed(c, p, &outcome, c->err.msg);
        return;
    }
    rate_speed_up(c);
    if (!keep_page(c, p, &page)) {
        c->out_of_memory = true;
        return;
    }
    p->n_pages++;
    if (p->after != NULL)
        p->next_at_ms = c->now_ms;
    else
        round_done(c, p);
}

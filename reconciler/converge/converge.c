/* converge.c - events in, effects out; the life of a step. */
#include "reconciler/converge/engine.h"

#include "reconciler/base/limits.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { USER_SOFT = 1u << 31 };

/* ---- making ---- */

static bool index_users(struct converge *c)
{
    uint32_t n = c->plan->n_steps;
    size_t n_edges = 0;
    for (uint32_t s = 0; s < n; s++) n_edges += c->plan->steps[s].n_after;
    c->users_start = arena_array_of(c->arena, (size_t)n + 1, uint32_t);
    c->users = arena_array_of(c->arena, n_edges, uint32_t);
    uint32_t *fill = arena_array_of(c->arena, (size_t)n + 1, uint32_t);
    if (c->users_start == NULL || c->users == NULL || fill == NULL) return false;
    for (uint32_t s = 0; s < n; s++)
        for (uint32_t k = 0; k < c->plan->steps[s].n_after; k++)
            c->users_start[c->plan->steps[s].after[k].step + 1]++;
    for (uint32_t s = 0; s < n; s++) c->users_start[s + 1] += c->users_start[s];
    memcpy(fill, c->users_start, (size_t)n * sizeof *fill);
    for (uint32_t s = 0; s < n; s++) {
        const struct step *step = &c->plan->steps[s];
        c->runs[s].n_waiting = step->n_after;
        for (uint32_t k = 0; k < step->n_after; k++)
            c->users[fill[step->after[k].step]++] = s | (step->after[k].soft ? USER_SOFT : 0);
    }
    return true;
}

/* What was left behind goes while another change may be about its address: the two have intents, generations
 * and tokens of their own. */
static struct text own_name(struct converge *c, const struct change *change)
{
    if (change->reason != REASON_LEFT_BEHIND || !kind_is_taggable(change->kind)) return change->name;
    return text_of(keep(c, TEXT_FMT "~%s", TEXT_ARG(change->name), change->observed->id));
}

const struct used_generation *find_generation(const struct converge *c, uint32_t change)
{
    size_t low = 0, high = c->options.n_generations;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct used_generation *g = &c->options.generations[middle];
        int order = address_compare(g->kind, g->name, c->plan->changes[change].kind, c->intent_names[change]);
        if (order == 0) return g;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct converge *converge_new(struct arena *arena, const struct plan *plan, const struct desired *desired,
                              struct world *world, const struct converge_options *options)
{
    struct converge *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    *c = (struct converge){.arena = arena,
                           .plan = plan,
                           .desired = desired,
                           .world = world,
                           .cloud = plan->cloud,
                           .options = *options};
    if (c->options.parallelism == 0) c->options.parallelism = 10;
    c->rate_per_s = options->rate_per_s > 0 ? options->rate_per_s : 20;
    c->rate_ceiling = c->rate_per_s * 2;
    c->tokens = c->rate_per_s;
    c->random = options->seed;
    c->next_flight_id = 1;
    c->n_unfinished = plan->n_steps;
    buf_init(&c->trace, (size_t)64 << 20);
    c->runs = arena_array_of(arena, plan->n_steps, struct run);
    c->bound = arena_array_of(arena, desired->n, const char *);
    c->generation_of = arena_array_of(arena, plan->n_changes, uint32_t);
    c->intent_open = arena_array_of(arena, plan->n_changes, bool);
    c->tentative = arena_array_of(arena, plan->n_changes, bool);
    c->intent_names = arena_array_of(arena, plan->n_changes, struct text);
    c->scratch = arena_new(LIMIT_ARENA_BYTES);
    if (c->tentative == NULL || c->intent_names == NULL || c->scratch == NULL || c->runs == NULL ||
        c->bound == NULL || c->generation_of == NULL || c->intent_open == NULL || !index_users(c)) {
        converge_free(c);
        return NULL;
    }
    for (uint32_t s = 0; s < plan->n_steps; s++)
        c->runs[s].next_parked = c->runs[s].next_polled = c->runs[s].next_in_flight = NO_STEP;
    if (desired->n > 0) memcpy(c->bound, plan->bound_ids, desired->n * sizeof *c->bound);
    for (uint32_t k = 0; k < plan->n_changes; k++) {
        c->intent_names[k] = own_name(c, &plan->changes[k]);
        const struct used_generation *g = find_generation(c, k);
        uint32_t recorded = plan->changes[k].recorded == NULL ? 0 : plan->changes[k].recorded->generation;
        c->generation_of[k] = g == NULL ? recorded : MAX_OF(g->generation, recorded);
        c->intent_open[k] = g != NULL && g->open;
        c->tentative[k] = plan->changes[k].tentative;
    }
    return c;
}

void converge_free(struct converge *c)
{
    if (c == NULL) return;
    HASH_CLEAR(hh, c->keys);
    HASH_CLEAR(hh, c->flights);
    buf_fini(&c->trace);
    arena_free(c->scratch);
    free(c->ready.items);
    free(c->timers.items);
    free(c->notes);
    free(c->given);
    free(c->calls);
    free(c->progress);
    free(c);
}

/* ---- goals ---- */

static struct value resolve_now(const struct converge *c, struct value wanted, struct value planned)
{
    if (wanted.state == VALUE_SET && wanted.form == REF_LOCAL) return value_id(c->bound[wanted.u.num]);
    return planned; /* ids and look-ups were resolved when planning */
}

static struct value resolve_list(struct converge *c, struct value wanted, struct value planned)
{
    struct value *items = arena_array_of(c->arena, wanted.n, struct value);
    if (items == NULL) {
        c->out_of_memory = true;
        return planned;
    }
    /* Local references anew; of the others, what planning found (the list was sorted then). */
    uint32_t n = 0;
    for (uint32_t k = 0; k < wanted.n; k++)
        if (wanted.u.items[k].form == REF_LOCAL) items[n++] = value_id(c->bound[wanted.u.items[k].u.num]);
    for (uint32_t k = 0; k < planned.n && n < wanted.n; k++) {
        bool there = planned.u.items[k].state != VALUE_SET;
        for (uint32_t i = 0; i < n && !there; i++)
            there = value_compare(FIELD_REF, items[i], planned.u.items[k]) == 0;
        if (!there) items[n++] = planned.u.items[k];
    }
    return value_list(items, value_sort_set(FIELD_REF_LIST, items, n));
}

bool resolve_step(struct converge *c, uint32_t s)
{
    const struct change *change = change_of(c, s);
    struct run *run = &c->runs[s];
    if (run->values != NULL || change->desired == NULL || step_of(c, s)->verb == VERB_DELETE) return true;
    const struct kind_info *info = kind_info(change->kind);
    struct value *values = arena_array_of(c->arena, info->n_fields, struct value);
    if (values == NULL) return false;
    run->set_fields = 0;
    for (uint8_t f = 0; f < info->n_fields; f++) {
        struct value wanted = change->desired->values[f];
        if (wanted.state != VALUE_UNSET) run->set_fields |= (uint64_t)1 << f;
        values[f] = wanted;
        if (info->fields[f].type == FIELD_REF) values[f] = resolve_now(c, wanted, change->values[f]);
        if (info->fields[f].type == FIELD_REF_LIST && wanted.state == VALUE_SET)
            values[f] = resolve_list(c, wanted, change->values[f]);
    }
    resource_protect(change->desired, values, &run->set_fields);
    if (c->cloud->normalise != NULL && c->cloud->normalise(c->cloud, change->kind, values, &run->set_fields,
                                                           c->world, c->arena, &c->err) != ERR_OK)
        return false;
    run->values = values;
    return true;
}

/* What a change is about, as a set of fields; all fields for one that makes something. */
static uint64_t changed_fields(const struct change *change)
{
    uint64_t fields = 0;
    for (uint32_t k = 0; k < change->n_diffs; k++) fields |= (uint64_t)1 << change->diffs[k].field;
    return fields;
}

static uint64_t unseen_fields(enum kind kind)
{
    const struct kind_info *info = kind_info(kind);
    uint64_t fields = 0;
    for (uint8_t f = 0; f < info->n_fields; f++)
        if ((info->fields[f].flags & FIELD_NOT_RETURNED) != 0) fields |= (uint64_t)1 << f;
    return fields;
}

void step_goal(struct converge *c, uint32_t s, struct goal *out)
{
    const struct change *change = change_of(c, s);
    const struct run *run = &c->runs[s];
    const struct kind_info *info = kind_info(change->kind);
    bool tagged = change->recorded != NULL && info->tags_field != FIELD_NO;
    uint64_t changed = changed_fields(change);
    uint64_t ignored = change->desired == NULL ? 0 : change->desired->lifecycle->ignore_changes;
    if (change->action == ACTION_UPDATE && change->desired->lifecycle->management == MANAGE_DETECT)
        ignored |= ~changed; /* what somebody else changed stays as it is */
    /* No list will tell whether a field took effect that the cloud never answers: it is sent once. */
    uint64_t unseen = run->accepted_hash[0] == '\0' ? changed & unseen_fields(change->kind) : 0;
    *out = (struct goal){.verb = step_of(c, s)->verb,
                         .kind = change->kind,
                         .values = run->values,
                         .set_fields = run->set_fields,
                         .reset_fields = change->reset_fields,
                         .ignore_fields = ignored,
                         .owned_tags = tagged ? &change->recorded->values[info->tags_field] : NULL,
                         .observed = run->observed,
                         .world = c->world,
                         .token = run->token,
                         .stack = c->plan->stack,
                         .name = change->name,
                         .incarnation = change->incarnation,
                         .unseen_fields = unseen,
                         .disown = change->action == ACTION_FORGET,
                         .protect = change->desired != NULL && change->desired->lifecycle->prevent_destroy};
}

/* ---- ends of steps ---- */

/* Tells those who wait for s; a failure takes the hard ones along. */
static void release_users(struct converge *c, uint32_t s, bool failed)
{
    char why[RESOURCE_ADDRESS_SIZE + 32], address[RESOURCE_ADDRESS_SIZE];
    const struct change *change = change_of(c, s);
    (void)snprintf(why, sizeof why, "%s did not succeed",
                   address_format(change->kind, change->name, address));
    for (uint32_t k = c->users_start[s]; k < c->users_start[s + 1]; k++) {
        uint32_t user = c->users[k] & ~USER_SOFT;
        struct run *run = &c->runs[user];
        if (run->state != STEP_BLOCKED) continue;
        if (failed && (c->users[k] & USER_SOFT) == 0)
            skip_step(c, user, why);
        else if (--run->n_waiting == 0)
            make_ready(c, user);
    }
}

static void set_no_room(struct converge *c, uint32_t s, bool no_room)
{
    if (c->runs[s].no_room == no_room) return;
    c->runs[s].no_room = no_room;
    c->n_without_room += no_room ? 1 : UINT32_MAX;
}

/* A deletion has come to its end, well or not: those that a quota refused are tried once more. */
static void try_for_room(struct converge *c, enum kind kind)
{
    if (c->interrupted) return; /* they are skipped */
    for (uint32_t s = 0; s < c->plan->n_steps && c->n_without_room > 0; s++) {
        if (!c->runs[s].no_room || change_of(c, s)->kind != kind) continue;
        set_no_room(c, s, false);
        make_ready(c, s);
    }
}

static bool is_over(const struct converge *c, uint32_t s)
{
    return c->runs[s].state >= STEP_DONE;
}

/* Marks all that waits for s, directly or not. 'stack' has room for each step once. */
static void mark_users(const struct converge *c, uint32_t s, bool *marked, uint32_t *stack)
{
    uint32_t n = 0;
    if (marked[s]) return;
    marked[s] = true;
    stack[n++] = s;
    while (n > 0) {
        uint32_t at = stack[--n];
        for (uint32_t k = c->users_start[at]; k < c->users_start[at + 1]; k++) {
            uint32_t user = c->users[k] & ~USER_SOFT;
            if (marked[user] || is_over(c, user)) continue;
            marked[user] = true;
            stack[n++] = user;
        }
    }
}

/* Whether something of the kind will be deleted without waiting for any that has no room itself. */
static bool is_room_to_come(const struct converge *c, enum kind kind)
{
    uint32_t n = c->plan->n_steps;
    bool *marked = calloc(n, sizeof *marked), found = false;
    uint32_t *stack = calloc(n, sizeof *stack);
    for (uint32_t s = 0; s < n && marked != NULL && stack != NULL; s++)
        if (c->runs[s].no_room) mark_users(c, s, marked, stack);
    for (uint32_t s = 0; s < n && marked != NULL && stack != NULL && !found; s++)
        found = !marked[s] && !is_over(c, s) && step_of(c, s)->verb == VERB_DELETE &&
                change_of(c, s)->kind == kind;
    free(marked);
    free(stack);
    return found;
}

bool step_waits_for_room(struct converge *c, uint32_t s)
{
    struct run *run = &c->runs[s];
    set_no_room(c, s, true);
    if (c->interrupted || !is_room_to_come(c, change_of(c, s)->kind)) {
        set_no_room(c, s, false);
        return false;
    }
    release_keys(c, s, false);
    run->state = STEP_BLOCKED;
    run->first_sent_ms = run->deadline_ms = 0; /* how long the others take does not count */
    return true;
}

static void end_step(struct converge *c, uint32_t s, enum step_state state)
{
    struct run *run = &c->runs[s];
    poll_leave(c, s);
    release_keys(c, s, false);
    set_no_room(c, s, false);
    run->state = state;
    run->request = NULL;
    ASSERT(c->n_unfinished > 0);
    c->n_unfinished--;
    if (step_of(c, s)->verb == VERB_DELETE && c->n_without_room > 0) try_for_room(c, change_of(c, s)->kind);
}

/* Recursion is as deep as the chain of skipped steps: bounded by the number of kinds that lie in each other.
 */
void skip_step(struct converge *c, uint32_t s, const char *why)
{
    end_step(c, s, STEP_SKIPPED);
    c->summary.n_skipped++;
    tell(c, s, PROGRESS_SKIPPED, keep(c, "%s", why));
    trace(c, s, "skipped: %s", why);
    release_users(c, s, true);
}

void settle_attempt(struct converge *c, uint32_t change)
{
    const struct change *ch = &c->plan->changes[change];
    if (c->tentative[change]) note_simple(c, NOTE_FORGET, ch->kind, name_with(c, ch, PLAN_NEW_SUFFIX));
    c->tentative[change] = false;
}

void settle_change(struct converge *c, uint32_t change)
{
    const struct change *ch = &c->plan->changes[change];
    settle_attempt(c, change);
    if (c->intent_open[change]) note_simple(c, NOTE_SETTLE, ch->kind, c->intent_names[change]);
    c->intent_open[change] = false;
}

static void settle_intent(struct converge *c, uint32_t s)
{
    settle_change(c, step_of(c, s)->change);
}

void step_fail(struct converge *c, uint32_t s, enum err_code code, const char *fmt, ...)
{
    char text[900];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); /* cut when too long: for people */
    va_end(args);
    struct run *run = &c->runs[s];
    end_step(c, s, STEP_FAILED);
    c->summary.n_failed++;
    if (c->summary.worst == ERR_OK) c->summary.worst = code;
    const char *message = keep(c, "%s", text);
    /* What may have taken effect, or still will, is not settled by a later refusal: the next run makes the
     * same request again, or looks. Where nothing was sent, the intent is an earlier run's, and no more is
     * known of its call than before. */
    bool told = code != ERR_UNKNOWN && code != ERR_TIMEOUT && !run->blind && !run->unsure;
    if (told && run->n_requests > 0) settle_intent(c, s);
    note_event(c, step_of(c, s)->change, "failed", message, run->request_id);
    tell(c, s, PROGRESS_FAILED, message);
    if (c->n_progress > 0) c->progress[c->n_progress - 1].err = code;
    trace(c, s, "failed: %s", message);
    release_users(c, s, true);
}

static const char *event_word(const struct change *change, enum verb verb)
{
    if (verb == VERB_DELETE) return "deleted";
    if (change->action == ACTION_FORGET) return "forgotten";
    if (change->action == ACTION_ADOPT) return "adopted";
    return verb == VERB_CREATE ? "created" : "updated";
}

static void count_done(struct converge *c, uint32_t s)
{
    const struct change *change = change_of(c, s);
    switch (step_of(c, s)->verb) {
    case VERB_CREATE: c->summary.n_added++; break;
    case VERB_DELETE: c->summary.n_destroyed++; break;
    case VERB_UPDATE:
        if (change->action == ACTION_FORGET) c->summary.n_forgotten++;
        if (change->action == ACTION_ADOPT) c->summary.n_adopted++;
        if (change->action == ACTION_UPDATE || (change->action == ACTION_ADOPT && change->n_diffs > 0))
            c->summary.n_changed++;
        break;
    }
}

/* Whether what is recorded under the address goes with what was deleted: not when that is the old one of two.
 */
static bool is_forgotten(const struct converge *c, const struct change *change)
{
    if (change->action == ACTION_REPLACE) return !change->create_first;
    return change->reason == REASON_DESTROY ||
           desired_find(c->desired, change->kind, change->name) == UINT32_MAX;
}

/* What a dead run was making a moment ago, by more than one request perhaps: one that is still on its way
 * would make it anew, and forgotten it would be a stranger's. The next plan looks once more. */
static bool may_come_again(const struct converge *c, const struct change *change)
{
    const struct record *r = change->recorded;
    return r != NULL && record_is_tentative(r) && !kind_is_taggable(change->kind) &&
           c->now_unix_ms - r->applied_unix_ms < scaled(c, 60000, 1000);
}

void step_finish(struct converge *c, uint32_t s)
{
    const struct change *change = change_of(c, s);
    struct run *run = &c->runs[s];
    enum verb verb = step_of(c, s)->verb;
    bool waited_only = change->action == ACTION_READ;
    if (run->started_ms == 0) {
        run->started_ms = c->now_ms;
        tell(c, s, PROGRESS_STARTED, NULL);
    }
    if (change->action == ACTION_FORGET) {
        note_simple(c, NOTE_FORGET, change->kind, change->name);
    } else if (verb == VERB_DELETE) {
        if (is_forgotten(c, change) && !may_come_again(c, change))
            note_simple(c, NOTE_FORGET, change->kind, change->name);
        if (change->old != NULL)
            note_simple(c, NOTE_FORGET, change->kind, name_with(c, change, PLAN_OLD_SUFFIX));
    } else {
        ASSERT(run->observed != NULL);
        if (change->moved_from.ptr != NULL && change->recorded != NULL)
            note_simple(c, NOTE_FORGET, change->kind, change->moved_from);
        note_record(c, step_of(c, s)->change, run->observed, run->values, run->set_fields);
        c->bound[change->desired_index] = run->observed->id;
        run->id = run->observed->id;
    }
    settle_intent(c, s);
    if (!waited_only)
        note_event(c, step_of(c, s)->change, event_word(change, verb),
                   keep(c, "%s", run->id == NULL ? "" : run->id), run->request_id);
    end_step(c, s, STEP_DONE);
    if (run->accepted_ms == 0) run->accepted_ms = c->now_ms;
    count_done(c, s);
    tell(c, s, PROGRESS_DONE, NULL);
    trace(c, s, "done");
    release_users(c, s, false);
}

void step_again(struct converge *c, uint32_t s, int64_t delay_ms)
{
    wait_until(c, s, c->now_ms + delay_ms);
}

void step_settle(struct converge *c, uint32_t s)
{
    poll_leave(c, s);
    release_keys(c, s, false);
    make_ready(c, s);
}

/* ---- scheduling ---- */

static void move_due_timers(struct converge *c)
{
    while (c->timers.n > 0 && (c->timers.items[0].key <= c->now_ms || c->interrupted)) {
        uint32_t s = heap_pop(&c->timers);
        c->runs[s].in_timer = false;
        if (c->runs[s].state == STEP_WAITING) make_ready(c, s);
    }
}

/* Starts what may start. False when the rate stopped it. */
static bool start_ready(struct converge *c, int64_t *wake_at)
{
    uint32_t deferred = NO_STEP;
    while (c->ready.n > 0 && c->n_changing_in_flight < c->options.parallelism && !c->out_of_memory) {
        uint32_t s = heap_pop(&c->ready);
        struct run *run = &c->runs[s];
        if (!run->in_ready || run->state != STEP_WAITING) continue;
        run->in_ready = false;
        int64_t rate_at = INT64_MAX;
        if (try_start(c, s, &rate_at) == STARTED_RATE) {
            *wake_at = MIN_OF(*wake_at, rate_at);
            deferred = s;
            break;
        }
    }
    if (deferred != NO_STEP) make_ready(c, deferred);
    return deferred == NO_STEP;
}

static bool has_room(const struct converge *c)
{
    return c->ready.n > 0 && c->n_changing_in_flight < c->options.parallelism && !c->out_of_memory;
}

/* A step that ends makes others ready: until nothing more can be started. */
static void schedule(struct converge *c, int64_t *wake_at)
{
    move_due_timers(c);
    do {
        bool may_go_on = start_ready(c, wake_at);
        poll_start_due(c);
        if (!may_go_on) return;
    } while (has_room(c));
}

/* Deadlines of what settles, and the word every ten seconds. */
static void look_at_clocks(struct converge *c, int64_t *wake_at)
{
    enum { TELL_EVERY_MS = 10000 };
    for (struct poll *p = c->polls, *next_poll; p != NULL; p = next_poll) {
        next_poll = p->next;
        for (uint32_t s = p->first_step, next; s != NO_STEP; s = next) {
            struct run *run = &c->runs[s];
            next = run->next_polled;
            if (run->deadline_ms > 0 && c->now_ms >= run->deadline_ms && !p->in_flight) {
                step_fail(c, s, ERR_TIMEOUT, "not %s after %lld s; the cloud's last word: status %s%s%s",
                          step_of(c, s)->verb == VERB_DELETE ? "gone" : "ready",
                          (long long)((c->now_ms - run->first_sent_ms) / 1000),
                          run->status == NULL || run->status[0] == '\0' ? "none" : run->status,
                          run->code == NULL || run->code[0] == '\0' ? "" : ", ",
                          run->code == NULL ? "" : run->code);
                continue;
            }
            if (c->now_ms - run->told_ms >= TELL_EVERY_MS && run->started_ms > 0)
                tell(c, s, PROGRESS_WAITING, NULL);
            if (run->started_ms > 0) *wake_at = MIN_OF(*wake_at, run->told_ms + TELL_EVERY_MS);
            if (run->deadline_ms > 0) *wake_at = MIN_OF(*wake_at, MAX_OF(run->deadline_ms, c->now_ms + 1));
        }
    }
}

/* ---- events ---- */

/* Whether the plan has, or would have, something to do for an address, other than to delete what was left
 * behind: that has intents of its own. */
static bool is_planned(const struct converge *c, const struct used_generation *g)
{
    char address[RESOURCE_ADDRESS_SIZE];
    const struct plan *p = c->plan;
    uint32_t low = 0, high = p->n_changes;
    while (low < high) { /* the first one of the address */
        uint32_t middle = low + (high - low) / 2;
        const struct change *change = &p->changes[middle];
        if (address_compare(change->kind, change->name, g->kind, g->name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < p->n_changes && p->changes[low].kind == g->kind && text_equal(p->changes[low].name, g->name);
         low++)
        if (text_equal(c->intent_names[low], g->name)) return true;
    struct text wanted = text_of(address_format(g->kind, g->name, address));
    for (uint32_t k = 0; k < p->n_left_out; k++)
        if (text_equal(p->left_out[k], wanted)) return true;
    return false;
}

/* Intents of a run that died whose calls took effect: what was planned has found nothing left to do. */
static void settle_what_is_done(struct converge *c)
{
    for (size_t k = 0; k < c->options.n_generations; k++) {
        const struct used_generation *g = &c->options.generations[k];
        if (g->open && !is_planned(c, g)) note_simple(c, NOTE_SETTLE, g->kind, g->name);
    }
}

/* An entry that a dead run was making a moment ago, and that no list shows: lists lag behind creations, and
 * once forgotten it would be a stranger's.  Source: api-behaviour 8 */
static bool may_come_to_sight(const struct converge *c, uint32_t k)
{
    const struct change *change = &c->plan->changes[k];
    if (change->action != ACTION_FORGET || change->observed != NULL || kind_is_taggable(change->kind))
        return false;
    const struct used_generation *g = find_generation(c, k);
    bool unsettled =
        record_is_tentative(change->recorded) || (c->intent_open[k] && g != NULL && g->verb == VERB_CREATE);
    int64_t age = c->now_unix_ms - change->recorded->applied_unix_ms; /* negative: the clock was set back */
    return unsettled && age < scaled(c, 60000, 1000);
}

/* What a clock that was set back has put into the future is as old as this run. */
static void renew(struct converge *c, const struct change *change)
{
    struct record *r = arena_new_of(c->arena, struct record);
    if (change->recorded->applied_unix_ms <= c->now_unix_ms) return;
    if (r == NULL) {
        c->out_of_memory = true;
        return;
    }
    *r = *change->recorded;
    r->applied_unix_ms = c->now_unix_ms;
    note_again(c, r);
}

/* An entry that is ours by where it lies or what it is, and unknown to the state. It is recorded before
 * anything happens to it: once its manifest is gone it would be a stranger's. */
static bool is_ours_unrecorded(const struct change *change)
{
    return (change->action == ACTION_UPDATE || change->action == ACTION_REPLACE) &&
           change->recorded == NULL && !kind_is_taggable(change->kind);
}

static void start(struct converge *c)
{
    c->tokens_at_ms = c->now_ms;
    c->started = true;
    for (uint32_t k = 0; k < c->plan->n_changes; k++) {
        const struct change *change = &c->plan->changes[k];
        if (change->action == ACTION_READ && change->observed->phase != PHASE_PENDING) {
            note_record(c, k, change->observed, change->values, change->set_fields);
            settle_change(c, k);
        } else if (may_come_to_sight(c, k)) {
            renew(c, change); /* the next pass looks again */
        } else if (change->action == ACTION_FORGET && !change_disowns(change, c->plan->stack)) {
            note_simple(c, NOTE_FORGET, change->kind, change->name);
            note_event(c, k, "forgotten", change->recorded->id, "");
            settle_change(c, k);
            c->summary.n_forgotten++;
        } else if (is_ours_unrecorded(change)) {
            note_record(c, k, change->observed, change->observed->values, change->set_fields);
        }
    }
    settle_what_is_done(c);
    for (uint32_t s = 0; s < c->plan->n_steps; s++)
        if (c->runs[s].n_waiting == 0) make_ready(c, s);
}

static void release_durable(struct converge *c)
{
    struct flight *list = c->durable_next, *in_order = NULL;
    c->durable_next = NULL;
    while (list != NULL) {
        struct flight *next = list->next;
        list->next = in_order;
        in_order = list;
        list = next;
    }
    for (struct flight *f = in_order; f != NULL; f = f->next) {
        for (uint32_t s = f->first_step; s != NO_STEP; s = c->runs[s].next_in_flight)
            c->runs[s].state = STEP_CALLING;
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
            (struct call){.id = f->id, .type = CALL_CHANGE, .request = f->request, .timeout_ms = 60000};
    }
}

static bool tells_what_was_done(const struct note *notes, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (notes[k].type == NOTE_RECORD || notes[k].type == NOTE_FORGET) return true;
    return false;
}

/* An intent that could not be made durable: its call is not made, and nothing more is begun. */
static void persist_failed(struct converge *c, enum err_code code)
{
    c->interrupted = true;
    c->summary.unrecorded |= tells_what_was_done(c->given, c->n_given);
    for (struct flight *f = c->durable_next; f != NULL; f = f->next) {
        c->n_in_flight--;
        c->n_changing_in_flight--;
        c->summary.n_changing_calls--;
        HASH_DEL(c->flights, f);
        for (uint32_t s = f->first_step, next; s != NO_STEP; s = next) {
            next = c->runs[s].next_in_flight;
            c->runs[s].next_in_flight = NO_STEP;
            step_fail(c, s, code, "%s, so the cloud was not called",
                      code == ERR_LOCKED ? "the lock was lost" : "the state file could not be written");
        }
    }
    c->durable_next = NULL;
    if (c->summary.worst == ERR_OK) c->summary.worst = code;
}

static void one_call_done(struct converge *c, const struct converge_event *ev)
{
    struct flight *f = NULL;
    HASH_FIND(hh, c->flights, &ev->call, sizeof ev->call, f);
    ASSERT(f != NULL);
    HASH_DEL(c->flights, f);
    c->n_in_flight--;
    if (f->type == CALL_LIST) {
        poll_page(c, f, ev);
        return;
    }
    c->n_changing_in_flight--;
    call_done(c, f, ev);
}

static bool is_active(const struct converge *c, uint32_t s)
{
    enum step_state state = c->runs[s].state;
    return state == STEP_INTENT || state == STEP_CALLING || state == STEP_SETTLING ||
           (state == STEP_LOOKING && c->runs[s].n_requests > 0) ||
           (state == STEP_WAITING && c->runs[s].n_requests > 0);
}

static bool anything_active(const struct converge *c)
{
    for (uint32_t s = 0; s < c->plan->n_steps; s++)
        if (is_active(c, s)) return true;
    return false;
}

/* Interrupted: what was never begun ends as skipped. */
static void skip_the_rest(struct converge *c)
{
    for (uint32_t s = 0; s < c->plan->n_steps; s++) {
        enum step_state state = c->runs[s].state;
        if (state == STEP_DONE || state == STEP_FAILED || state == STEP_SKIPPED || is_active(c, s)) continue;
        end_step(c, s, STEP_SKIPPED);
        c->summary.n_skipped++;
    }
}

static void give_notes(struct converge *c, struct converge_effects *out)
{
    if (c->persisting || c->n_notes == 0) return;
    struct note *notes = c->given;
    size_t capacity = c->given_capacity;
    c->given = c->notes;
    c->given_capacity = c->notes_capacity;
    c->n_given = c->n_notes;
    c->notes = notes;
    c->notes_capacity = capacity;
    c->n_notes = 0;
    c->persisting = true;
    c->durable_next = c->durable_later;
    c->durable_later = NULL;
    out->persist = c->given;
    out->n_persist = c->n_given;
}

void converge_step(struct converge *c, const struct converge_event *ev, struct converge_effects *out)
{
    ASSERT(!c->finished && (c->started || ev->type == EV_START));
    c->now_ms = MAX_OF(ev->now_ms, c->now_ms); /* a clock that goes back stands still for us */
    c->now_unix_ms = ev->now_unix_ms;
    c->n_calls = c->n_progress = 0;
    buf_reset(&c->trace);
    switch (ev->type) {
    case EV_START: start(c); break;
    case EV_PERSISTED:
        ASSERT(c->persisting);
        c->persisting = false;
        if (ev->code == ERR_OK)
            release_durable(c);
        else
            persist_failed(c, ev->code);
        break;
    case EV_CALL_DONE: one_call_done(c, ev); break;
    case EV_INTERRUPT:
        c->aborted = c->interrupted;
        c->interrupted = true;
        c->summary.interrupted = true;
        break;
    case EV_WAKE: break;
    }
    int64_t wake_at = INT64_MAX;
    if (!c->aborted) {
        look_at_clocks(c, &wake_at); /* first: a step that is given up lets others go on */
        schedule(c, &wake_at);
        if (c->interrupted && !anything_active(c)) skip_the_rest(c);
    }
    if (c->timers.n > 0) wake_at = MIN_OF(wake_at, c->timers.items[0].key);
    wake_at = MIN_OF(wake_at, poll_next_ms(c));
    *out = (struct converge_effects){.wake_at_ms = MAX_OF(wake_at, c->now_ms)};
    give_notes(c, out);
    c->finished = c->aborted || c->out_of_memory ||
                  (c->n_unfinished == 0 && !c->persisting && c->n_changing_in_flight == 0);
    out->calls = c->calls;
    out->n_calls = c->finished ? 0 : c->n_calls;
    out->progress = c->progress;
    out->n_progress = c->n_progress;
    out->trace = buf_str(&c->trace);
    out->finished = c->finished;
}

/* What an end before the end has left: steps that something was sent for, and steps that nothing was. */
static void count_unfinished(const struct converge *c, struct converge_summary *out)
{
    for (uint32_t s = 0; s < c->plan->n_steps && c->n_unfinished > 0; s++) {
        const struct run *run = &c->runs[s];
        if (run->state == STEP_DONE || run->state == STEP_FAILED || run->state == STEP_SKIPPED) continue;
        bool sent = is_active(c, s) && (run->state != STEP_INTENT || run->n_requests > 1);
        out->n_under_way += sent;
        out->n_skipped += !sent;
    }
    for (const struct flight *f = c->durable_next; f != NULL; f = f->next) out->n_changing_calls--;
    for (const struct flight *f = c->durable_later; f != NULL; f = f->next) out->n_changing_calls--;
}

void converge_summary(const struct converge *c, struct converge_summary *out)
{
    *out = c->summary;
    count_unfinished(c, out);
    out->unrecorded |= tells_what_was_done(c->notes, c->n_notes);
    out->out_of_memory = c->out_of_memory;
    if (c->out_of_memory) out->worst = ERR_NOMEM;
    if (out->worst == ERR_OK && out->interrupted && out->n_skipped + out->n_under_way > 0)
        out->worst = ERR_CANCELED;
}

enum step_state converge_step_state(const struct converge *c, uint32_t step)
{
    return c->runs[step].state;
}

const char *converge_step_status(const struct converge *c, uint32_t step)
{
    return c->runs[step].status == NULL ? "" : c->runs[step].status;
}

int64_t converge_step_started_ms(const struct converge *c, uint32_t step)
{
    return c->runs[step].started_ms;
}

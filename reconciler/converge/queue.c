/* queue.c - what may start now. */
#include "reconciler/converge/engine.h"

#include <string.h>

/* ---- heaps ---- */

static bool before(struct heap_item a, struct heap_item b)
{
    return a.key != b.key ? a.key < b.key : a.step < b.step;
}

void heap_push(struct converge *c, struct heap *h, int64_t key, uint32_t step)
{
    if (h->n == h->capacity) {
        size_t capacity = MAX_OF(h->capacity * 2, (size_t)64);
        struct heap_item *grown = realloc(h->items, capacity * sizeof *grown);
        if (grown == NULL) {
            c->out_of_memory = true;
            return;
        }
        h->items = grown;
        h->capacity = capacity;
    }
    size_t at = h->n++;
    struct heap_item item = {key, step};
    for (; at > 0 && before(item, h->items[(at - 1) / 2]); at = (at - 1) / 2)
        h->items[at] = h->items[(at - 1) / 2];
    h->items[at] = item;
}

uint32_t heap_pop(struct heap *h)
{
    ASSERT(h->n > 0);
    uint32_t step = h->items[0].step;
    struct heap_item last = h->items[--h->n];
    size_t at = 0;
    for (size_t child = 1; child < h->n; child = 2 * at + 1) {
        if (child + 1 < h->n && before(h->items[child + 1], h->items[child])) child++;
        if (!before(h->items[child], last)) break;
        h->items[at] = h->items[child];
        at = child;
    }
    if (h->n > 0) h->items[at] = last;
    return step;
}

/* Longest remaining path first. */
void make_ready(struct converge *c, uint32_t s)
{
    struct run *run = &c->runs[s];
    if (run->in_ready) return;
    run->state = STEP_WAITING;
    run->in_ready = true;
    heap_push(c, &c->ready, -step_of(c, s)->path_ms, s);
}

void wait_until(struct converge *c, uint32_t s, int64_t at_ms)
{
    struct run *run = &c->runs[s];
    run->state = STEP_WAITING;
    if (run->in_timer) return;
    run->in_timer = true;
    heap_push(c, &c->timers, at_ms, s);
}

/* ---- serial keys ---- */

static struct key *key_of(struct converge *c, const char *text)
{
    struct key *k = NULL;
    HASH_FIND(hh, c->keys, text, strlen(text), k);
    if (k != NULL) return k;
    k = arena_new_of(c->arena, struct key);
    if (k == NULL) {
        c->out_of_memory = true;
        return NULL;
    }
    (void)snprintf(k->text, sizeof k->text, "%s", text);
    k->first_parked = NO_STEP;
    hash_oom_flag = false;
    HASH_ADD_KEYPTR(hh, c->keys, k->text, strlen(k->text), k);
    if (hash_oom_flag) c->out_of_memory = true;
    return hash_oom_flag ? NULL : k;
}

static void park(struct converge *c, uint32_t s, struct key *key)
{
    struct run *run = &c->runs[s];
    if (run->parked) return;
    run->parked = true;
    run->next_parked = key->first_parked;
    key->first_parked = s;
    if (run->waits_for != key) trace(c, s, "waits for %s", key->text);
    run->waits_for = key;
}

/* Takes the keys that are free or held by 'group'; returns the first that is not, else NULL. */
static struct key *take_as(struct converge *c, uint32_t s, uint32_t group, const struct serial_key *keys,
                           size_t n, bool *taken)
{
    struct run *run = &c->runs[s];
    struct key *found[MAX_SERIAL_KEYS];
    ASSERT(n <= MAX_SERIAL_KEYS && run->n_held == 0 && group != 0);
    *taken = false;
    for (size_t k = 0; k < n; k++) {
        found[k] = key_of(c, keys[k].text);
        if (found[k] == NULL) return NULL;
        if (found[k]->group != 0 && found[k]->group != group) return found[k];
    }
    for (size_t k = 0; k < n; k++) {
        found[k]->group = group;
        found[k]->n_holders++;
        run->held[run->n_held] = found[k];
        run->held_until_settled[run->n_held++] = keys[k].until_settled;
    }
    run->group = group;
    run->waits_for = NULL;
    *taken = true;
    return NULL;
}

bool take_keys(struct converge *c, uint32_t s, const struct serial_key *keys, size_t n)
{
    bool taken;
    struct key *busy = take_as(c, s, ++c->next_group, keys, n, &taken);
    if (busy != NULL) park(c, s, busy);
    return taken;
}

bool share_keys(struct converge *c, uint32_t s, uint32_t leader, const struct serial_key *keys, size_t n)
{
    bool taken;
    (void)take_as(c, s, c->runs[leader].group, keys, n, &taken);
    return taken;
}

static void release_key(struct converge *c, struct key *key)
{
    ASSERT(key->n_holders > 0);
    if (--key->n_holders > 0) return;
    key->group = 0;
    uint32_t parked = key->first_parked;
    key->first_parked = NO_STEP;
    while (parked != NO_STEP) {
        uint32_t next = c->runs[parked].next_parked;
        c->runs[parked].parked = false;
        if (c->runs[parked].state == STEP_WAITING) make_ready(c, parked);
        parked = next;
    }
}

void release_keys(struct converge *c, uint32_t s, bool only_call_keys)
{
    struct run *run = &c->runs[s];
    uint32_t kept = 0;
    for (uint32_t k = 0; k < run->n_held; k++) {
        struct key *key = run->held[k];
        if (only_call_keys && run->held_until_settled[k]) {
            run->held[kept] = key;
            run->held_until_settled[kept++] = true;
        } else {
            release_key(c, key);
        }
    }
    run->n_held = kept;
}

/* ---- rate: additive increase, multiplicative decrease ---- */

bool rate_take(struct converge *c, int64_t *at_ms)
{
    double per_ms = c->rate_per_s / 1000.0 / c->cloud->time_scale;
    double burst = MAX_OF(c->rate_per_s, 1.0);
    c->tokens = MIN_OF(burst, c->tokens + (double)(c->now_ms - c->tokens_at_ms) * per_ms);
    c->tokens_at_ms = c->now_ms;
    if (c->tokens >= 1.0) {
        c->tokens -= 1.0;
        return true;
    }
    *at_ms = c->now_ms + 1 + (int64_t)((1.0 - c->tokens) / per_ms);
    return false;
}

void rate_slow_down(struct converge *c)
{
    c->rate_per_s = MAX_OF(c->rate_per_s / 2, 0.2);
    c->tokens = 0;
}

void rate_speed_up(struct converge *c)
{
    c->rate_per_s = MIN_OF(c->rate_per_s + 0.1, c->rate_ceiling);
}

int64_t scaled(const struct converge *c, int64_t ms, int64_t at_least_ms)
{
    return MAX_OF((int64_t)((double)ms * c->cloud->time_scale), at_least_ms);
}

/* 1 s, 2 s, 4 s, … 30 s, each with a random part of a half. */
int64_t backoff_ms(struct converge *c, uint32_t attempt)
{
    int64_t base = (int64_t)1000 << MIN_OF(attempt, 5u);
    base = MIN_OF(base, (int64_t)30000);
    c->random = c->random * 6364136223846793005u + 1442695040888963407u;
    int64_t jitter = (int64_t)(c->random >> 33) % (base / 2 + 1);
    return scaled(c, base / 2 + jitter, 5);
}

/* observe.c - a few lists at a time, each page by page; one timer for all delays.
 *
 *   list:     FREE -> DUE (at a time) -> SENDING -> DUE (next page, repetition, from the start) | FREE (end)
 *   observe:  IDLE -> RUNNING -> [STOPPING: waits for what is being sent] -> CLOSING (the timer) -> IDLE,
 * done
 *
 * advance() alone decides what happens next; callbacks note what came and call it. */
#include "reconciler/loop/observe.h"

#include "reconciler/base/limits.h"
#include "reconciler/plan/plan.h"

#include <string.h>

enum { BACKOFF_MS = 200, BACKOFF_CAP_MS = 10 * 1000 };

enum list_state { LIST_FREE, LIST_DUE, LIST_SENDING };

/* A list being read. */
struct list {
    struct observe *owner;
    enum list_state state;
    const struct scope *scope;
    uint64_t due_ms;
    uint32_t n_tries; /* of this page */
    uint32_t n_relists;
    struct request request;
    struct send send;
    /* Where it stands. */
    uint32_t n_pages;
    const char *after;  /* what the last page said to ask for; NULL: the first page */
    uint64_t total;     /* as the last page said; 0: it did not */
    uint64_t last_page; /* hash of the ids on the last page */
    const char *mark;   /* an earlier 'after': to see it again means to go round in circles */
};

/* What an outcome means to a list: nothing is changed by reading, so whatever is not final may be repeated.
 */
static const struct {
    enum err_code code;
    bool repeat;
} meaning[N_OUTCOMES] = {
    [OUTCOME_DONE] = {ERR_PROVIDER, false}, /* an answer that cannot be read in spite of it */
    [OUTCOME_PENDING] = {ERR_PROVIDER, false}, [OUTCOME_THROTTLED] = {ERR_BUSY, true},
    [OUTCOME_BUSY] = {ERR_BUSY, true},         [OUTCOME_GONE] = {ERR_PROVIDER, false},
    [OUTCOME_EXISTS] = {ERR_PROVIDER, false},  [OUTCOME_UNKNOWN] = {ERR_BUSY, true},
    [OUTCOME_DENIED] = {ERR_DENIED, false},    [OUTCOME_INVALID] = {ERR_PROVIDER, false},
    [OUTCOME_QUOTA] = {ERR_PROVIDER, false},   [OUTCOME_TRANSIENT] = {ERR_BUSY, true},
};

static const struct cloud *cloud_of(const struct observe *o)
{
    return o->provider->cloud;
}

static uint64_t now_of(const struct observe *o)
{
    return uv_now(o->provider->loop);
}

/* ---- the end ---- */

static void timer_closed(uv_handle_t *h)
{
    struct observe *o = h->data;
    arena_free(TAKE(o->scratch));
    o->state = OBSERVE_IDLE;
    o->done(o, o->code); /* may free o, or start it again */
}

static void close_timer(struct observe *o)
{
    ASSERT(o->n_sending == 0);
    o->state = OBSERVE_CLOSING;
    uv_close((uv_handle_t *)&o->timer, timer_closed);
}

/* Ends with an error; o->err is filled. The first one counts. */
static void stop(struct observe *o, enum err_code code)
{
    ASSERT(code != ERR_OK);
    if (o->state != OBSERVE_RUNNING) return;
    o->state = OBSERVE_STOPPING;
    o->code = code;
    (void)uv_timer_stop(&o->timer); /* never fails */
    for (uint32_t i = 0; i < o->n_lists; i++)
        if (o->lists[i].state == LIST_SENDING) o->provider->ops->send_cancel(o->provider, &o->lists[i].send);
    if (o->n_sending == 0) close_timer(o);
}

static void stop_nomem(struct observe *o)
{
    stop(o, err_nomem(&o->err));
}

/* What a list is about, for messages: "DescribeSnatTableEntries (SnatEntry of ngw-1)". */
static void name_list(const struct list *l, char *out, size_t size)
{
    const char *kind = kind_info(l->scope->kind)->name;
    const char *operation = l->request.operation == NULL ? "list" : l->request.operation;
    const char *region = cloud_of(l->owner)->region;
    const char *of = l->scope->id != NULL ? l->scope->id : region != NULL ? region : "the region";
    (void)snprintf(out, size, "%s (%s of %s)", operation, kind, of); /* cut when too long */
}

#define STOP_LIST(l, code, ...)                                                                              \
    do {                                                                                                     \
        char name_[256];                                                                                     \
        name_list((l), name_, sizeof name_);                                                                 \
        (void)err_set(&(l)->owner->err, (code), __VA_ARGS__);                                                \
        stop((l)->owner, err_wrap(&(l)->owner->err, "%s", name_));                                           \
    } while (0)

/* ---- repeating ---- */

/* splitmix64: jitter need not be more random than this. */
static uint64_t next_random(struct observe *o)
{
    uint64_t z = o->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Doubled with each try, half of it by chance, but never less than what the cloud asked for. */
static uint64_t delay_of(struct observe *o, uint32_t n_tries, int64_t asked_ms)
{
    uint64_t delay = (uint64_t)o->backoff_ms << MIN_OF(n_tries - 1, 16u);
    delay = MIN_OF(delay, (uint64_t)MAX_OF(o->backoff_ms, (int64_t)BACKOFF_CAP_MS));
    uint64_t jittered = delay - delay / 2 + next_random(o) % (delay / 2 + 1);
    return MAX_OF(jittered, (uint64_t)MAX_OF(asked_ms, 0));
}

/* Fewer lists at once after a throttled call, one more after each run of calls that went well. */
static void slow_down(struct observe *o, uint64_t delay_ms)
{
    o->n_allowed = MAX_OF(o->n_allowed / 2, 1u);
    o->n_smooth = 0;
    o->pause_until_ms = MAX_OF(o->pause_until_ms, now_of(o) + delay_ms);
}

static void speed_up(struct observe *o)
{
    if (o->n_allowed < o->n_lists && ++o->n_smooth >= o->n_allowed) {
        o->n_allowed++;
        o->n_smooth = 0;
    }
}

/* Decides about a call that brought no page. 'out' tells class, code, words and request id. */
static void repeat_or_stop(struct list *l, const struct outcome *out)
{
    struct observe *o = l->owner;
    ASSERT(out->class < N_OUTCOMES);
    bool asks_too_much = out->delay_ms > OBSERVE_MAX_DELAY_MS;
    if (meaning[out->class].repeat && l->n_tries < OBSERVE_TRIES && !asks_too_much) {
        uint64_t delay = delay_of(o, l->n_tries, out->delay_ms);
        if (out->class == OUTCOME_THROTTLED) slow_down(o, delay);
        o->n_retries++;
        l->state = LIST_DUE;
        l->due_ms = now_of(o) + delay;
        return;
    }
    const char *code = out->code == NULL ? "" : out->code;
    const char *message =
        out->message == NULL || out->message[0] == '\0' ? outcome_name(out->class) : out->message;
    const char *request_id = out->request_id == NULL ? "" : out->request_id;
    char tail[128] = "";
    if (asks_too_much)
        (void)snprintf(tail, sizeof tail, "; it asks to wait %lld s", (long long)out->delay_ms / 1000);
    else if (l->n_tries > 1)
        (void)snprintf(tail, sizeof tail, "; tried %u times", (unsigned)l->n_tries);
    STOP_LIST(l, meaning[out->class].code, "%s%s%s%s%s%s%s", code, code[0] == '\0' ? "" : ": ", message,
              request_id[0] == '\0' ? "" : " (request id ", request_id, request_id[0] == '\0' ? "" : ")",
              tail);
}

/* ---- pages ---- */

static void free_list(struct list *l)
{
    *l = (struct list){.owner = l->owner};
}

static void start_list(struct list *l, const struct scope *scope)
{
    *l = (struct list){.owner = l->owner, .state = LIST_DUE, .scope = scope};
}

/* From the beginning, since it shrinks while it is read. */
static void list_again(struct list *l)
{
    if (l->n_relists == OBSERVE_RELISTS) {
        STOP_LIST(l, ERR_BUSY, "the list keeps shrinking while it is read");
        return;
    }
    uint32_t n_relists = l->n_relists + 1;
    start_list(l, l->scope);
    l->n_relists = n_relists;
}

/* One number for the objects of a page, never 0. */
static uint64_t page_hash(const struct page *page)
{
    uint64_t hash = page->n + 1;
    for (uint32_t i = 0; i < page->n; i++)
        hash = (hash ^ text_hash(text_of(page->objects[i]->id)) ^ page->objects[i]->kind) *
               UINT64_C(0x100000001b3);
    return hash | 1;
}

/* Whether a page shows what was shown already. Brent's way to find a circle: the mark is moved forward at
 * powers of two, so that a circle of any length runs into it. */
static bool repeats(struct list *l, const struct page *page, const char *next, uint64_t hash)
{
    bool same_objects = page->n > 0 && l->n_pages > 0 && hash == l->last_page;
    bool same_next = next != NULL && l->mark != NULL && strcmp(next, l->mark) == 0;
    if ((l->n_pages & (l->n_pages - 1)) == 0) l->mark = next;
    return same_objects || same_next;
}

/* Whether this page was asked for by its number, so that what goes missing before it shifts it. */
static bool is_numbered(const struct list *l)
{
    uint64_t number;
    return l->after != NULL && text_to_u64(text_of(l->after), LIMIT_API_PAGES, &number) &&
           number == l->n_pages + 1;
}

static void put_objects(struct list *l, const struct page *page)
{
    struct observe *o = l->owner;
    for (uint32_t i = 0; i < page->n; i++) {
        struct err err = {0};
        struct object *known;
        enum err_code code = world_learn(o->world, page->objects[i], &known, &err);
        if (code != ERR_OK) {
            STOP_LIST(l, code, "%s", err.msg);
            return;
        }
    }
    o->n_objects += page->n;
}

/* A page that was read: its objects are kept, and what follows is asked for. */
static void take_page(struct list *l, const struct page *page)
{
    struct observe *o = l->owner;
    bool shrunk = is_numbered(l) && page->total > 0 && page->total < l->total;
    uint64_t hash = page_hash(page);
    const char *next = arena_strdup(o->arena, page->next);
    if (next == NULL && page->next != NULL) {
        stop_nomem(o);
        return;
    }
    l->n_tries = 0;
    speed_up(o);
    if (shrunk) {
        list_again(l);
    } else if (repeats(l, page, next, hash)) {
        STOP_LIST(l, ERR_PROVIDER, "the cloud repeats pages: page %u shows what an earlier one did",
                  (unsigned)l->n_pages + 1);
    } else if (l->n_pages + 1 >= LIMIT_API_PAGES && page->next != NULL) {
        STOP_LIST(l, ERR_LIMIT, "the list has more than %d pages", LIMIT_API_PAGES);
    } else {
        l->last_page = hash;
        l->n_pages++;
        l->total = page->total;
        l->after = next;
        put_objects(l, page);
        if (o->state != OBSERVE_RUNNING) return;
        if (page->next == NULL)
            free_list(l);
        else
            l->state = LIST_DUE;
    }
}

static void read_answer(struct list *l, const struct send *s)
{
    struct observe *o = l->owner;
    const struct cloud *c = cloud_of(o);
    struct page page = {0};
    struct outcome out = {0};
    struct err err = {0};
    struct body body = {.text = {s->body == NULL ? "" : s->body, s->body_size}};
    enum err_code code =
        c->read_page(c, l->scope, &l->request, s->http_status, body, o->world, o->scratch, &page, &out, &err);
    if (code == ERR_OK)
        take_page(l, &page);
    else if (code == ERR_NOMEM)
        stop_nomem(o);
    else if (out.class == OUTCOME_GONE && l->scope->id != NULL)
        free_list(l);
    else if (out.class == OUTCOME_DONE || out.class == OUTCOME_PENDING) /* well meant, but not readable */
        STOP_LIST(l, code, "%s", err.msg);
    else
        repeat_or_stop(l, &out);
    arena_reset(o->scratch);
}

/* Whether what kept an answer from coming may be over soon. A transport without credentials, say, stays so.
 */
static bool may_pass(enum err_code code)
{
    return code == ERR_UNKNOWN || code == ERR_BUSY || code == ERR_TIMEOUT;
}

static void advance(struct observe *o);

static void answered(struct send *s)
{
    struct list *l = s->ctx;
    struct observe *o = l->owner;
    struct send sent = *s; /* what is decided may be to use the list, and its send, for something else */
    ASSERT(l->state == LIST_SENDING && o->n_sending > 0);
    o->n_sending--;
    l->state = LIST_FREE; /* until decided */
    if (o->state == OBSERVE_RUNNING) {
        if (sent.fate == SEND_ANSWERED) {
            read_answer(l, &sent);
        } else if (sent.fate == SEND_CANCELED || !may_pass(sent.err.code)) {
            STOP_LIST(l, sent.fate == SEND_CANCELED ? ERR_CANCELED : sent.err.code, "%s", sent.err.msg);
        } else {
            struct outcome out = {.class = OUTCOME_TRANSIENT, .message = sent.err.msg};
            repeat_or_stop(l, &out);
        }
    }
    send_fini(&sent);
    if (o->state == OBSERVE_RUNNING)
        advance(o);
    else if (o->state == OBSERVE_STOPPING && o->n_sending == 0)
        close_timer(o);
}

/* Asks for the page where the list stands. */
static void ask(struct list *l)
{
    struct observe *o = l->owner;
    const struct cloud *c = cloud_of(o);
    struct err err = {0};
    enum next next = NEXT_REQUEST;
    if (l->n_tries == 0) next = c->list_request(c, l->scope, NULL, 0, l->after, o->arena, &l->request, &err);
    if (next == NEXT_DONE) { /* nothing to ask for */
        free_list(l);
    } else if (next == NEXT_ERROR) {
        STOP_LIST(l, err.code, "%s", err.msg);
    } else {
        l->n_tries++;
        l->state = LIST_SENDING;
        l->send =
            (struct send){.request = &l->request, .timeout_ms = o->timeout_ms, .done = answered, .ctx = l};
        o->n_sending++;
        o->n_calls++;
        o->provider->ops->send_start(o->provider, &l->send);
    }
}

/* ---- rounds ---- */

/* The lists of the next round; false at the end of the last one, or when that failed. */
static bool next_round(struct observe *o)
{
    if (o->round + 1 >= PLAN_SCOPE_ROUNDS) {
        close_timer(o);
        return false;
    }
    o->round++;
    o->todo = NULL;
    o->n_todo = o->next_todo = 0;
    observe_scopes_fn *scopes = o->scopes == NULL ? plan_scopes : o->scopes;
    enum err_code code = scopes(o->arena, o->round, o->unmanaged, o->stack, o->desired, o->recorded, o->world,
                                cloud_of(o), &o->todo, &o->n_todo, &o->err);
    if (code != ERR_OK) stop(o, code);
    return code == ERR_OK;
}

static void timer_fired(uv_timer_t *t)
{
    advance(t->data);
}

/* Starts lists and calls that are due, as many as are allowed. Returns how many lists are not at their end;
 * *wake_ms is when the next one is due. */
static uint32_t walk_lists(struct observe *o, uint64_t *wake_ms)
{
    uint32_t n_open = 0;
    for (uint32_t i = 0; i < o->n_lists && o->state == OBSERVE_RUNNING; i++) {
        struct list *l = &o->lists[i];
        if (l->state == LIST_FREE && o->next_todo < o->n_todo) start_list(l, &o->todo[o->next_todo++]);
        uint64_t due = MAX_OF(l->due_ms, o->pause_until_ms);
        if (l->state == LIST_DUE && due <= now_of(o)) {
            if (o->n_sending < o->n_allowed) ask(l);
        } else if (l->state == LIST_DUE) {
            *wake_ms = MIN_OF(*wake_ms, due);
        }
        if (l->state != LIST_FREE) n_open++;
    }
    return n_open;
}

static void advance(struct observe *o)
{
    uint64_t wake_ms;
    for (;;) {
        wake_ms = UINT64_MAX;
        uint32_t n_open = walk_lists(o, &wake_ms);
        if (o->state != OBSERVE_RUNNING) return;
        if (n_open > 0 && (o->next_todo == o->n_todo || n_open == o->n_lists)) break;
        /* Lists that needed no call have left room for others. */
        if (n_open == 0 && o->next_todo == o->n_todo && !next_round(o)) return;
    }
    /* Whoever is due but not allowed comes when an answer does. */
    if (wake_ms != UINT64_MAX) {
        uint64_t now = now_of(o);
        (void)uv_timer_start(&o->timer, timer_fired, wake_ms > now ? wake_ms - now : 0, 0);
    } else {
        (void)uv_timer_stop(&o->timer); /* never fails */
        ASSERT(o->n_sending > 0);
    }
}

void observe_start(struct observe *o)
{
    ASSERT(o->state == OBSERVE_IDLE);
    ASSERT(o->provider != NULL && o->arena != NULL && o->world != NULL && o->done != NULL);
    if (o->concurrency == 0) o->concurrency = OBSERVE_CONCURRENCY;
    if (o->timeout_ms == 0) o->timeout_ms = OBSERVE_TIMEOUT_MS;
    if (o->backoff_ms == 0) o->backoff_ms = BACKOFF_MS;
    o->n_calls = o->n_retries = o->n_objects = 0;
    o->n_sending = o->n_smooth = 0;
    o->round = -1;
    o->todo = NULL;
    o->n_todo = o->next_todo = 0;
    o->pause_until_ms = 0;
    o->random = o->seed;
    o->code = ERR_OK;
    o->err = (struct err){0};
    o->n_lists = o->n_allowed = MIN_OF(o->concurrency, (uint32_t)OBSERVE_MAX_CONCURRENCY);
    int rc = uv_timer_init(o->provider->loop, &o->timer);
    ASSERT(rc == 0); /* touches memory only */
    o->timer.data = o;
    o->state = OBSERVE_RUNNING;
    o->lists = arena_array_of(o->arena, o->n_lists, struct list);
    o->scratch = arena_new(LIMIT_ARENA_BYTES);
    if (o->lists == NULL || o->scratch == NULL) {
        o->n_lists = 0;
        stop_nomem(o);
        return;
    }
    for (uint32_t i = 0; i < o->n_lists; i++) o->lists[i].owner = o;
    (void)uv_timer_start(&o->timer, timer_fired, 0, 0); /* fails without a callback only */
}

void observe_cancel(struct observe *o)
{
    if (o->state == OBSERVE_RUNNING) stop(o, err_set(&o->err, ERR_CANCELED, "canceled"));
}

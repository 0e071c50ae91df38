/* weather.c - what befalls a call between headgate and the simulated cloud. */
#include "tests/simulation/weather.h"

#include "tests/support/drive.h"

#include <jansson.h>
#include <string.h>

/* The last answers to a list, for stale ones. */
struct list_answer {
    struct list_answer *next;
    const char *request;
    struct mock_answer answer;
};

/* A request that the cloud will not have from us. */
struct denied {
    struct denied *next;
    const char *request;
};

enum { SLOW_MS = 25000, RESET_MS = 100, BUSY_LONG_MS = 600000 };

static struct mock_answer copy_answer(const struct mock_answer *a)
{
    struct mock_answer copy = *a;
    json_incref(copy.document);
    if (a->body == NULL) return copy;
    copy.body = malloc(a->body_size + 1);
    ASSERT(copy.body != NULL);
    memcpy(copy.body, a->body, a->body_size + 1);
    return copy;
}

/* The same request, for pages of two. */
static struct request in_small_pages(const struct request *r, struct arena *arena)
{
    struct request small = *r;
    small.params = arena_array_of(arena, r->n_params, struct param);
    ASSERT(small.params != NULL);
    for (uint32_t k = 0; k < r->n_params; k++) {
        small.params[k] = r->params[k];
        if (strcmp(r->params[k].name, "PageSize") == 0) small.params[k].value = "2";
    }
    return small;
}

/* Of an answer that is an error; "" when none came. */
static const char *error_code(const struct mock_answer *a)
{
    static char code[64];
    json_auto_t *root = a->body == NULL ? json_incref(a->document) : json_loads(a->body, 0, NULL);
    const char *text = json_string_value(json_object_get(root, "Code"));
    (void)snprintf(code, sizeof code, "%s", text == NULL ? "" : text);
    return code;
}

static enum err_code deliver(struct weather *w, int64_t now, const struct request *r, struct mock_answer *out,
                             struct err *err)
{
    bool lists = class_of(r->operation) == CLASS_LIST;
    struct request small;
    if (lists && w->small_pages) {
        small = in_small_pages(r, w->arena);
        r = &small;
    }
    enum err_code code = w->as_text ? mock_call(w->h->mock, now, r, out, err)
                                    : mock_call_document(w->h->mock, now, r, out, err);
    if (lists) return code;
    /* What is replaced with the new one first may find no room: no quota can be seen before. */
    uint32_t *n = out->http_status == 200                              ? &w->n_accepted
                  : strncmp(error_code(out), "QuotaExceeded", 13) == 0 ? &w->n_full
                                                                       : &w->n_refused;
    (*n)++;
    return code;
}

/* ---- what may happen to a call ---- */

static void put_body(struct mock_answer *a, int status, const char *text)
{
    int64_t latency_ms = a->latency_ms;
    mock_answer_fini(a);
    a->latency_ms = latency_ms;
    a->http_status = status;
    a->body = strdup(text);
    ASSERT(a->body != NULL);
    a->body_size = strlen(text);
}

static void put_error(struct mock_answer *a, const char *code)
{
    char text[256];
    int status = strncmp(code, "Throttling", 10) == 0      ? 429
                 : strncmp(code, "Forbidden", 9) == 0      ? 403
                 : strcmp(code, "InternalError") == 0      ? 500
                 : strcmp(code, "ServiceUnavailable") == 0 ? 503
                                                           : 400;
    (void)snprintf(text, sizeof text, "{\"RequestId\":\"F\",\"Code\":\"%s\",\"Message\":\"so it was drawn\"}",
                   code);
    put_body(a, status, text);
}

static void lose(struct mock_answer *a)
{
    mock_answer_fini(a);
    a->fault = MOCK_LOST_ANSWER;
}

/* What it is, to be known again. */
static const char *text_of_request(struct weather *w, const struct request *r)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, (size_t)1 << 20);
    buf_puts(&b, r->operation);
    for (uint32_t k = 0; k < r->n_params; k++)
        buf_printf(&b, " %s=%s", r->params[k].name, r->params[k].value);
    const char *kept = arena_strdup(w->arena, buf_str(&b));
    ASSERT(kept != NULL);
    return kept;
}

static struct list_answer *last_list(struct weather *w, const struct request *r)
{
    const char *text = text_of_request(w, r);
    struct list_answer *l = w->lists;
    while (l != NULL && strcmp(l->request, text) != 0) l = l->next;
    if (l != NULL) return l;
    l = arena_new_of(w->arena, struct list_answer);
    ASSERT(l != NULL);
    l->request = text;
    l->next = w->lists;
    w->lists = l;
    return l;
}

/* It comes (once more) to the cloud after this time. */
static void arrive_later(struct weather *w, const struct request *r, int64_t in_ms)
{
    struct late *l = arena_new_of(w->arena, struct late);
    ASSERT(l != NULL);
    *l = (struct late){.due_ms = w->h->now_ms + in_ms, .run = w->n_runs};
    request_init(&l->request, w->arena, arena_strdup(w->arena, r->product),
                 arena_strdup(w->arena, r->operation));
    for (uint32_t k = 0; k < r->n_params; k++)
        request_add(&l->request, arena_strdup(w->arena, r->params[k].name), r->params[k].value);
    struct late **end = &w->late;
    while (*end != NULL) end = &(*end)->next;
    *end = l;
}

/* What is due by now. */
static void deliver_late(struct weather *w, int64_t due_ms)
{
    for (struct late **at = &w->late; *at != NULL;) {
        struct late *l = *at;
        struct mock_answer ignored;
        struct err err;
        if (l->due_ms > due_ms) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        enum err_code code = mock_call(w->h->mock, harness_unix_ms(w->h), &l->request, &ignored, &err);
        ASSERT(code == ERR_OK);
        mock_answer_fini(&ignored);
        w->n_late++;
        if (l->run != w->n_runs) w->counters->events[EVENT_ARRIVES_LATER]++;
    }
}

static void remember_denied(struct weather *w, const struct request *r)
{
    struct denied *d = arena_new_of(w->arena, struct denied);
    ASSERT(d != NULL);
    *d = (struct denied){.request = text_of_request(w, r), .next = w->denied};
    w->denied = d;
}

static void look_for_denied(struct weather *w, const struct request *r)
{
    if (w->denied == NULL) return;
    const char *text = text_of_request(w, r);
    for (const struct denied *d = w->denied; d != NULL; d = d->next)
        if (strcmp(d->request, text) == 0) w->repeated = text;
}

static void end_connection(struct mock_answer *a, bool sent)
{
    mock_answer_fini(a);
    *a = (struct mock_answer){.fault = sent ? MOCK_RESET : MOCK_NOT_SENT, .latency_ms = RESET_MS};
}

/* One of what is recorded is not in lists until the next call. */
static void hide_something(struct weather *w, uint32_t which)
{
    const struct memory *m = &w->h->memory;
    const char *hidden = "HiddenMs=1";
    struct err err;
    if (m->n_records == 0) return;
    const char *id = m->records[which % m->n_records].id;
    enum err_code code = mock_set(w->h->mock, harness_unix_ms(w->h), id, &hidden, 1, &err);
    ASSERT(code == ERR_OK || code == ERR_INPUT); /* it is gone, or has no id of its own */
}

/* The member of the answer that names what an operation made; NULL: it makes nothing that may fail. */
static const char *made_by(const char *operation)
{
    static const char *const made[][2] = {{"CreateNatGateway", "NatGatewayId"},
                                          {"CreateVSwitch", "VSwitchId"},
                                          {"CreateRouteTable", "RouteTableId"}};
    for (size_t k = 0; k < N_ELEMENTS(made); k++)
        if (strcmp(operation, made[k][0]) == 0) return made[k][1];
    return NULL;
}

/* What an accepted call has made is there, and will never be ready. */
static void spoil(struct weather *w, const struct request *r, const struct mock_answer *a)
{
    const char *failed = "Status=CreateFailed";
    struct err err;
    json_auto_t *root = a->body == NULL ? json_incref(a->document) : json_loads(a->body, 0, NULL);
    const char *id = json_string_value(json_object_get(root, made_by(r->operation)));
    if (id == NULL) return; /* it was refused */
    enum err_code code = mock_set(w->h->mock, harness_unix_ms(w->h), id, &failed, 1, &err);
    ASSERT(code == ERR_OK || code == ERR_INPUT); /* an old answer, to its token: it is gone */
    w->spoiled = w->spoiled || code == ERR_OK;
}

/* The array of a list's answer: "Vpcs.Vpc", or right at the top. */
static json_t *rows_of(json_t *document)
{
    const char *name;
    json_t *value, *inner;
    json_object_foreach(document, name, value)
    {
        if (json_is_array(value)) return value;
        json_object_foreach(value, name, inner) if (json_is_array(inner)) return inner;
    }
    return NULL;
}

/* In a document of its own: lists that were answered are shared. */
static void fail_status(struct weather *w, struct mock_answer *a)
{
    if (a->document == NULL) return;
    json_t *own = json_deep_copy(a->document), *rows = rows_of(own);
    ASSERT(own != NULL);
    json_decref(a->document);
    a->document = own;
    if (json_array_size(rows) == 0) return;
    json_t *row = json_array_get(rows, w->n_calls[CLASS_LIST] % json_array_size(rows));
    if (json_object_get(row, "Status") != NULL)
        (void)json_object_set_new(row, "Status", json_string("Failed"));
}

static bool is_entry(const char *operation)
{
    static const char *const operations[] = {"CreateSnatEntry", "CreateForwardEntry", "CreateRouteEntry",
                                             "AssociateEipAddress", "AssociateRouteTable"};
    for (size_t k = 0; k < N_ELEMENTS(operations); k++)
        if (strcmp(operation, operations[k]) == 0) return true;
    return false;
}

/* The same, with a token of somebody's own. */
static void forestall(struct weather *w, int64_t now, const struct request *r)
{
    struct request theirs;
    struct mock_answer ignored;
    struct err err;
    request_init(&theirs, w->arena, r->product, r->operation);
    for (uint32_t k = 0; k < r->n_params; k++)
        if (strcmp(r->params[k].name, "ClientToken") != 0)
            request_add(&theirs, r->params[k].name, r->params[k].value);
    enum err_code code = mock_call(w->h->mock, now, &theirs, &ignored, &err);
    ASSERT(code == ERR_OK);
    mock_answer_fini(&ignored);
}

static enum err_code befall(struct weather *w, const struct fault_point *p, uint32_t nth, int64_t now,
                            const struct request *r, struct mock_answer *out, struct err *err)
{
    *out = (struct mock_answer){.latency_ms = 20};
    enum err_code code = ERR_OK;
    bool as_text = w->as_text;
    switch (p->action) {
    case FAULT_LOST_REQUEST: out->fault = MOCK_LOST_REQUEST; break;
    case FAULT_ERROR:
        put_error(out, p->code);
        if (strncmp(p->code, "Forbidden", 9) == 0 && p->class != CLASS_LIST) remember_denied(w, r);
        break;
    case FAULT_HTTP: put_body(out, atoi(p->code), "<html><body>it does not work</body></html>"); break;
    case FAULT_LOST_ANSWER:
        code = deliver(w, now, r, out, err);
        lose(out);
        break;
    case FAULT_GARBAGE:
        code = deliver(w, now, r, out, err);
        put_body(out, 200, "<html><body>Welcome to the guests' network</body></html>");
        break;
    case FAULT_CUT:
        w->as_text = true;
        code = deliver(w, now, r, out, err);
        w->as_text = as_text;
        out->body_size /= 2;
        out->body[out->body_size] = '\0';
        break;
    case FAULT_TWICE:
        code = deliver(w, now, r, out, err);
        mock_answer_fini(out);
        if (code == ERR_OK) code = deliver(w, now + 1, r, out, err);
        break;
    case FAULT_LATE_TWIN:
        code = deliver(w, now, r, out, err);
        arrive_later(w, r, nth % LATEST_S * 1000);
        break;
    case FAULT_STALE: {
        struct list_answer *l = last_list(w, r);
        if (l->answer.body == NULL && l->answer.document == NULL) return deliver(w, now, r, out, err);
        *out = copy_answer(&l->answer);
        break;
    }
    case FAULT_FAILED_STATUS:
        code = deliver(w, now, r, out, err);
        fail_status(w, out);
        break;
    case FAULT_FORESTALLED:
        if (is_entry(r->operation)) forestall(w, now, r);
        code = deliver(w, now, r, out, err);
        break;
    case FAULT_SLOW:
        code = deliver(w, now, r, out, err);
        out->latency_ms = SLOW_MS;
        break;
    case FAULT_RESET_BEFORE: end_connection(out, true); break;
    case FAULT_RESET_AFTER:
        code = deliver(w, now, r, out, err);
        end_connection(out, true);
        break;
    case FAULT_NOT_SENT: end_connection(out, false); break;
    case FAULT_DELAYED:
        end_connection(out, true);
        arrive_later(w, r, nth * 7 % LATEST_S * 1000);
        break;
    case FAULT_FAILS:
        code = deliver(w, now, r, out, err);
        spoil(w, r, out);
        break;
    case FAULT_BUSY_LONG:
        w->busy_operation = arena_strdup(w->arena, r->operation);
        w->busy_until_ms = w->h->now_ms + BUSY_LONG_MS;
        put_error(out, p->code);
        break;
    case FAULT_VANISHED:
        hide_something(w, nth);
        code = deliver(w, now, r, out, err);
        break;
    }
    return code;
}

/* ---- the calls ---- */

/* Whether a fault is about this operation; those that are not about any wait for one that is. */
static bool suits(const struct fault_point *p, const char *operation)
{
    if (p->action == FAULT_FORESTALLED) return is_entry(operation);
    return p->action != FAULT_FAILS || made_by(operation) != NULL;
}

static const struct fault_point *fault_of(struct weather *w, enum call_class class, const char *operation)
{
    uint32_t nth = ++w->n_calls[class];
    for (unsigned k = 0; k < w->n_faults; k++) {
        const struct fault_point *p = &fault_points[w->faults[k].point];
        struct fault *f = &w->faults[k];
        bool waits = p->action == FAULT_FORESTALLED || p->action == FAULT_FAILS;
        if (p->class != class || nth < f->nth || f->times == 0 || !suits(p, operation)) continue;
        if (!waits && nth >= f->nth + f->times) continue;
        if (nth > f->nth && !waits) w->counters->events[EVENT_OUTAGE]++;
        w->passes = w->passes && f->times == 1;
        if (waits) f->times--;
        w->counters->faults[w->faults[k].point]++;
        w->n_fired++;
        w->passes = w->passes && fault_passes(p);
        return p;
    }
    return NULL;
}

/* Whether a list will be answered by what was answered before. */
static bool is_stale_to_come(const struct weather *w)
{
    for (unsigned k = 0; k < w->n_faults; k++)
        if (fault_points[w->faults[k].point].action == FAULT_STALE &&
            w->faults[k].nth > w->n_calls[CLASS_LIST])
            return true;
    return false;
}

static bool is_later_page(const struct request *r)
{
    for (uint32_t k = 0; k < r->n_params; k++) {
        const struct param *p = &r->params[k];
        if (strcmp(p->name, "NextToken") == 0) return true;
        if (strcmp(p->name, "PageNumber") == 0 && strcmp(p->value, "1") != 0) return true;
    }
    return false;
}

static void remember_list(struct weather *w, const struct request *r, const struct mock_answer *a)
{
    struct list_answer *l = last_list(w, r);
    mock_answer_fini(&l->answer);
    l->answer = copy_answer(a);
}

static enum err_code call(void *ctx, int64_t now, const struct request *r, struct mock_answer *out,
                          struct err *err)
{
    struct weather *w = ctx;
    enum call_class class = class_of(r->operation);
    uint32_t n_changing = w->n_calls[CLASS_CREATE] + w->n_calls[CLASS_BIND] + w->n_calls[CLASS_CHANGE] +
                          w->n_calls[CLASS_DELETE];
    if (class != CLASS_LIST) {
        w->before_change(w->ctx, n_changing + 1);
        look_for_denied(w, r);
    } else if (is_later_page(r)) {
        w->between_pages(w->ctx, ++w->n_pages);
    }
    deliver_late(w, w->h->now_ms);
    const struct fault_point *p = fault_of(w, class, r->operation);
    enum err_code code;
    if (w->busy_operation != NULL && w->h->now_ms < w->busy_until_ms &&
        strcmp(w->busy_operation, r->operation) == 0) {
        *out = (struct mock_answer){.latency_ms = 20};
        put_error(out, "TaskConflict");
        return ERR_OK;
    }
    code = p != NULL ? befall(w, p, w->n_calls[class], now, r, out, err) : deliver(w, now, r, out, err);
    if (class == CLASS_LIST && code == ERR_OK && out->http_status == 200 && is_stale_to_come(w))
        remember_list(w, r, out);
    return code;
}

void weather_init(struct weather *w, struct harness *h, struct counters *counters)
{
    *w = (struct weather){.h = h, .counters = counters, .arena = arena_new((size_t)64 << 20)};
    ASSERT(w->arena != NULL);
    h->call = call;
    h->call_ctx = w;
}

void weather_fini(struct weather *w)
{
    for (struct list_answer *l = w->lists; l != NULL; l = l->next) mock_answer_fini(&l->answer);
    arena_free(w->arena);
}

void weather_begin(struct weather *w)
{
    w->n_faults = w->n_fired = w->n_accepted = w->n_refused = w->n_full = w->n_late = w->n_pages = 0;
    w->small_pages = w->spoiled = false;
    w->passes = true;
    w->busy_operation = NULL;
    w->denied = NULL;
    w->repeated = NULL;
    w->n_runs++;
    memset(w->n_calls, 0, sizeof w->n_calls);
}

void weather_settle(struct weather *w)
{
    deliver_late(w, INT64_MAX);
}

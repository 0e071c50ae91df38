/* weather.c - what befalls a call between headgate and the simulated cloud. */
#include "tests/simulation/weather.h"

#include <jansson.h>
#include <string.h>

/* The last answers to a list, for stale ones. */
struct list_answer {
    struct list_answer *next;
    const char *request;
    struct mock_answer answer;
};

enum { SLOW_MS = 25000 };

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
    if (!lists) *(out->http_status == 200 ? &w->n_accepted : &w->n_refused) += 1;
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

static struct list_answer *last_list(struct weather *w, const struct request *r)
{
    char text[1024];
    size_t n = 0;
    n += (size_t)snprintf(text, sizeof text, "%s", r->operation);
    for (uint32_t k = 0; k < r->n_params && n < sizeof text; k++)
        n += (size_t)snprintf(text + n, sizeof text - n, " %s=%s", r->params[k].name, r->params[k].value);
    struct list_answer *l = w->lists;
    while (l != NULL && strcmp(l->request, text) != 0) l = l->next;
    if (l != NULL) return l;
    l = arena_new_of(w->arena, struct list_answer);
    ASSERT(l != NULL);
    l->request = arena_strdup(w->arena, text);
    l->next = w->lists;
    w->lists = l;
    return l;
}

static void copy_request(struct weather *w, const struct request *r)
{
    request_init(w->late, w->arena, arena_strdup(w->arena, r->product), arena_strdup(w->arena, r->operation));
    for (uint32_t k = 0; k < r->n_params; k++)
        request_add(w->late, arena_strdup(w->arena, r->params[k].name), r->params[k].value);
}

/* A document of its own, to be changed: lists that were answered are shared. */
static json_t *own_document(struct mock_answer *a)
{
    if (a->document == NULL) return NULL;
    json_t *own = json_deep_copy(a->document);
    ASSERT(own != NULL);
    json_decref(a->document);
    a->document = own;
    return own;
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

static size_t some_row(const struct weather *w, const json_t *rows)
{
    return w->n_calls[CLASS_LIST] % json_array_size(rows);
}

static void lose_row(struct weather *w, struct mock_answer *a)
{
    json_t *rows = rows_of(own_document(a));
    if (json_array_size(rows) > 0) (void)json_array_remove(rows, some_row(w, rows));
}

static void fail_status(struct weather *w, struct mock_answer *a)
{
    json_t *rows = rows_of(own_document(a));
    if (json_array_size(rows) == 0) return;
    json_t *row = json_array_get(rows, some_row(w, rows));
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

/* Whether the same request comes again that was refused for good. */
static bool was_denied(const struct weather *w, const struct request *r)
{
    const char *token = request_get(r, "ClientToken");
    return token != NULL && w->denied[0] != '\0' && strcmp(token, w->denied) == 0;
}

static void deny(struct weather *w, const struct request *r, const char *code)
{
    const char *token = request_get(r, "ClientToken");
    bool final = strncmp(code, "Forbidden", 9) == 0 || strncmp(code, "Quota", 5) == 0;
    if (final && token != NULL) (void)snprintf(w->denied, sizeof w->denied, "%s", token);
}

static enum err_code befall(struct weather *w, const struct fault_point *p, int64_t now,
                            const struct request *r, struct mock_answer *out, struct err *err)
{
    *out = (struct mock_answer){.latency_ms = 20};
    enum err_code code = ERR_OK;
    bool as_text = w->as_text;
    switch (p->action) {
    case FAULT_LOST_REQUEST: out->fault = MOCK_LOST_REQUEST; break;
    case FAULT_ERROR:
        put_error(out, p->code);
        deny(w, r, p->code);
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
        w->late = arena_new_of(w->arena, struct request);
        ASSERT(w->late != NULL);
        copy_request(w, r);
        break;
    case FAULT_STALE: {
        struct list_answer *l = last_list(w, r);
        if (l->answer.body == NULL && l->answer.document == NULL) return deliver(w, now, r, out, err);
        *out = copy_answer(&l->answer);
        break;
    }
    case FAULT_RESET_REQUEST: *out = (struct mock_answer){.fault = MOCK_RESET, .latency_ms = 30}; break;
    case FAULT_RESET_ANSWER:
        code = deliver(w, now, r, out, err);
        lose(out);
        out->fault = MOCK_RESET;
        out->latency_ms = 30;
        break;
    case FAULT_ROW_MISSING:
        code = deliver(w, now, r, out, err);
        lose_row(w, out);
        break;
    case FAULT_FAILED_STATUS:
        code = deliver(w, now, r, out, err);
        fail_status(w, out);
        break;
    case FAULT_SHIFTED:
        w->shift(w->ctx);
        code = deliver(w, now, r, out, err);
        break;
    case FAULT_FORESTALLED:
        if (is_entry(r->operation)) forestall(w, now, r);
        code = deliver(w, now, r, out, err);
        break;
    case FAULT_SLOW:
        code = deliver(w, now, r, out, err);
        out->latency_ms = SLOW_MS;
        break;
    }
    return code;
}

/* ---- the calls ---- */

static const struct fault_point *fault_of(struct weather *w, enum call_class class)
{
    uint32_t nth = ++w->n_calls[class];
    for (unsigned k = 0; k < w->n_faults; k++) {
        const struct fault_point *p = &fault_points[w->faults[k].point];
        if (p->class != class || nth < w->faults[k].nth || nth >= w->faults[k].nth + w->faults[k].times)
            continue;
        w->counters->faults[w->faults[k].point]++;
        w->n_fired++;
        return p;
    }
    return NULL;
}

/* Whether a list will be answered by what was answered before. */
static bool is_stale_to_come(const struct weather *w)
{
    for (unsigned k = 0; k < w->n_faults; k++)
        if (fault_points[w->faults[k].point].action == FAULT_STALE &&
            w->faults[k].nth + w->faults[k].times > w->n_calls[CLASS_LIST])
            return true;
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
    if (class != CLASS_LIST && w->meddle_at > 0 && n_changing + 1 == w->meddle_at) w->meddle(w->ctx);
    if (w->late != NULL) {
        struct mock_answer ignored;
        enum err_code code = deliver(w, now, w->late, &ignored, err);
        w->late = NULL;
        if (code != ERR_OK) return code;
        mock_answer_fini(&ignored);
    }
    w->insists = w->insists || was_denied(w, r);
    const struct fault_point *p = fault_of(w, class);
    enum err_code code = p != NULL ? befall(w, p, now, r, out, err) : deliver(w, now, r, out, err);
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

void weather_clear(struct weather *w)
{
    w->late = NULL;
}

void weather_begin(struct weather *w)
{
    w->n_faults = w->n_fired = w->n_accepted = w->n_refused = 0;
    w->meddle_at = 0;
    w->small_pages = false;
    w->denied[0] = '\0';
    w->insists = false;
    memset(w->n_calls, 0, sizeof w->n_calls);
}

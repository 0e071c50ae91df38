/* request.c - building and hashing requests. */
#include "reconciler/model/request.h"

#include "reconciler/base/digest.h"
#include "reconciler/base/limits.h"
#include "reconciler/model/cloud.h"

#include <stdarg.h>
#include <string.h>

void request_init(struct request *r, struct arena *a, const char *product, const char *operation)
{
    *r = (struct request){.arena = a, .product = product, .operation = operation};
}

static void add(struct request *r, const char *name, const char *value)
{
    if (value == NULL || r->n_params >= LIMIT_API_PARAMS ||
        !arena_grow(r->arena, &r->params, sizeof *r->params, r->n_params, &r->capacity)) {
        r->out_of_memory = true;
        return;
    }
    const char *kept = arena_strdup(r->arena, name);
    if (kept == NULL) {
        r->out_of_memory = true;
        return;
    }
    r->params[r->n_params++] = (struct param){kept, value};
}

void request_add(struct request *r, const char *name, const char *value)
{
    if (value != NULL) add(r, name, arena_strdup(r->arena, value));
}

void request_add_text(struct request *r, const char *name, struct text value)
{
    if (value.ptr != NULL) add(r, name, arena_copy(r->arena, value.ptr, value.len));
}

void request_addf(struct request *r, const char *name, const char *fmt, ...)
{
    char value[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(value, sizeof value, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof value)
        r->out_of_memory = true; /* callers format ids and numbers only */
    else
        add(r, name, arena_strdup(r->arena, value));
}

const char *request_get(const struct request *r, const char *name)
{
    for (uint32_t i = 0; i < r->n_params; i++)
        if (strcmp(r->params[i].name, name) == 0) return r->params[i].value;
    return NULL;
}

static int compare_params(const void *a, const void *b)
{
    return strcmp(((const struct param *)a)->name, ((const struct param *)b)->name);
}

enum err_code request_hash(const struct request *r, char out[65], struct err *err)
{
    struct param *sorted = malloc((r->n_params + 1) * sizeof *sorted);
    if (sorted == NULL) return err_nomem(err);
    if (r->n_params > 0) memcpy(sorted, r->params, r->n_params * sizeof *sorted);
    qsort(sorted, r->n_params, sizeof *sorted, compare_params);
    struct digest d;
    digest_init(&d);
    digest_put_text(&d, text_of(r->operation));
    for (uint32_t i = 0; i < r->n_params; i++) {
        digest_put_text(&d, text_of(sorted[i].name));
        digest_put_text(&d, text_of(sorted[i].value));
    }
    free(sorted);
    return digest_hex(&d, out) ? ERR_OK : err_nomem(err);
}

const char *outcome_name(enum outcome_class c)
{
    static const char *const names[N_OUTCOMES] = {
        [OUTCOME_DONE] = "done",       [OUTCOME_PENDING] = "pending",     [OUTCOME_THROTTLED] = "throttled",
        [OUTCOME_BUSY] = "busy",       [OUTCOME_GONE] = "gone",           [OUTCOME_EXISTS] = "exists",
        [OUTCOME_UNKNOWN] = "unknown", [OUTCOME_DENIED] = "denied",       [OUTCOME_INVALID] = "invalid",
        [OUTCOME_QUOTA] = "quota",     [OUTCOME_TRANSIENT] = "transient",
    };
    ASSERT(c < N_OUTCOMES);
    return names[c];
}

const char *verb_name(enum verb v)
{
    static const char *const names[] = {
        [VERB_CREATE] = "create", [VERB_UPDATE] = "update", [VERB_DELETE] = "delete"};
    return names[v];
}

/* faults.c - the script of failures: the next calls of an operation fail as told. */
#include <string.h>

#include "providers/mock/inside.h"

/* Failures of the way to the cloud; anything else is an error code of the cloud itself. */
static const struct {
    const char *name;
    int http_status; /* 0: no answer */
    bool takes_effect;
} connection_faults[] = {
    {"timeout-before", 0, false}, {"timeout-after", 0, true}, {"reset", 0, true},
    {"http-500", 500, false},     {"http-503", 503, false},
};

bool fault_is_connection(const char *code, int *http_status, bool *takes_effect)
{
    for (size_t i = 0; i < N_ELEMENTS(connection_faults); i++) {
        if (strcmp(connection_faults[i].name, code) != 0) continue;
        *http_status = connection_faults[i].http_status;
        *takes_effect = connection_faults[i].takes_effect;
        return true;
    }
    return false;
}

struct fault *fault_for(struct mock *m, const char *operation)
{
    for (struct fault *f = m->faults; f != NULL; f = f->next)
        if (strcmp(f->operation, "*") == 0 || strcmp(f->operation, operation) == 0) return f;
    return NULL;
}

void fault_use(struct mock *m, struct fault *used)
{
    m->faults_dirty = true;
    if (--used->count > 0) return;
    struct fault **at = &m->faults;
    while (*at != used) at = &(*at)->next;
    *at = used->next;
    free(used);
}

bool fault_add(struct mock *m, const char *operation, const char *code, unsigned count)
{
    struct fault *f = calloc(1, sizeof(*f));
    if (f == NULL) return false;
    (void)snprintf(f->operation, sizeof(f->operation), "%s", operation);
    (void)snprintf(f->code, sizeof(f->code), "%s", code);
    f->count = count;
    struct fault **end = &m->faults;
    while (*end != NULL) end = &(*end)->next;
    *end = f;
    m->faults_dirty = true;
    return true;
}

bool fault_code_is_valid(const char *code)
{
    const struct fault *f = NULL;
    return code[0] != '\0' && strlen(code) < sizeof(f->code) && text_is_utf8(text_of(code), NULL);
}

void faults_fini(struct mock *m)
{
    while (m->faults != NULL) {
        struct fault *f = m->faults;
        m->faults = f->next;
        free(f);
    }
}

enum err_code mock_fail_next(struct mock *m, const char *operation, const char *code, unsigned count,
                             struct err *err)
{
    bool known = strcmp(operation, "*") == 0;
    for (size_t i = 0; i < N_OPERATIONS && !known; i++) known = strcmp(operations[i].name, operation) == 0;
    if (!known) return err_set(err, ERR_INPUT, "the simulated cloud has no operation `%s`", operation);
    if (!fault_code_is_valid(code)) return err_set(err, ERR_INPUT, "`%s` is not an error code", code);
    if (count == 0) return err_set(err, ERR_INPUT, "the number of calls that fail has to be at least 1");
    enum err_code e = persist_begin(m, true, err);
    if (e != ERR_OK) return e;
    if (!fault_add(m, operation, code, count)) {
        persist_rollback(m);
        return err_nomem(err);
    }
    return persist_commit(m, err);
}

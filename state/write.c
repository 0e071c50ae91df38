/* write.c - the engine's one atomic write. */
#include "state/store.h"

#include <stdbool.h>

#include "state/sqlite.h"

static enum err_code apply_write(struct store *s, int64_t stack, const struct write *w, struct err *err)
{
    switch (w->type) {
    case WRITE_INTENT: return intent_put(s, stack, w->intent, err);
    case WRITE_SETTLE_INTENT:
        return stmt_run(s, STMT_INTENT_SETTLE,
                        ARGS(ARG_INT(stack), ARG_STR(kind_info(w->kind)->name), ARG_TEXT(w->name)), err);
    case WRITE_RECORD: return record_put(s, stack, w->record, err);
    case WRITE_FORGET: return record_forget(s, stack, w->kind, w->name, err);
    case WRITE_EVENT: return event_put(s, stack, w->event, err);
    case WRITE_RUN: return run_put(s, stack, w->run, err);
    }
    ASSERT(false); /* the enum has no other */
    return ERR_STATE;
}

static bool any_of(const struct write *writes, size_t n, enum write_type a, enum write_type b)
{
    for (size_t i = 0; i < n; i++)
        if (writes[i].type == a || writes[i].type == b) return true;
    return false;
}

static enum err_code write_all(struct store *s, struct text stack, const struct write *writes, size_t n,
                               struct err *err)
{
    CLEANUP(txn_endp) struct store *txn = NULL;
    int64_t id;
    TRY(txn_begin(s, TXN_WRITE, &txn, err));
    TRY(stack_make(s, stack, &id, err));
    if (any_of(writes, n, WRITE_INTENT, WRITE_INTENT)) TRY(lock_check(s, stack, id, err));
    for (size_t i = 0; i < n; i++) TRY(apply_write(s, id, &writes[i], err));
    if (any_of(writes, n, WRITE_RECORD, WRITE_FORGET))
        TRY(stmt_run(s, STMT_STACK_COUNT_WRITE, ARGS(ARG_INT(id)), err));
    return txn_commit(&txn, err);
}

/* The run that this write begins; NULL when none. */
static struct run_row *new_run(const struct write *writes, size_t n)
{
    struct run_row *found = NULL;
    for (size_t i = 0; i < n; i++) {
        if (writes[i].type != WRITE_RUN || writes[i].run->id != 0) continue;
        ASSERT(found == NULL); /* one operation, one run */
        found = writes[i].run;
    }
    return found;
}

enum err_code store_write(struct store *s, struct text stack, const struct write *writes, size_t n,
                          struct err *err)
{
    if (n == 0) return ERR_OK;
    struct run_row *begun = new_run(writes, n);
    enum err_code code = write_all(s, stack, writes, n, err);
    if (code != ERR_OK && begun != NULL) begun->id = 0; /* it may have got one before the failure */
    return code;
}

enum err_code store_serial(struct store *s, struct text stack, int64_t *out, struct err *err)
{
    return stmt_int(s, STMT_STACK_SERIAL, ARGS(ARG_TEXT(stack)), 0, out, err);
}

/* intents.c - calls that are about to be made. */
#include "state/store.h"

#include <string.h>

#include "state/sqlite.h"

static enum err_code verb_of_row(const struct store *s, struct text verb, enum verb *out, struct err *err)
{
    static const enum verb verbs[] = {VERB_CREATE, VERB_UPDATE, VERB_DELETE};
    for (size_t i = 0; i < N_ELEMENTS(verbs); i++) {
        if (!text_is(verb, verb_name(verbs[i]))) continue;
        *out = verbs[i];
        return ERR_OK;
    }
    char verb_shown[SHOWN_SIZE];
    return err_set(err, ERR_STATE, "%s: an intent to `%s` something is not known to this headgate", s->path,
                   shown(verb, verb_shown));
}

/* Columns of STMT_INTENT_LIST. */
static enum err_code read_intent(struct store *s, sqlite3_stmt *row, struct arena *a, struct intent *out,
                                 struct err *err)
{
    TRY(kind_of_row(s, column_slice(row, 1), column_slice(row, 2), &out->kind, err));
    TRY(verb_of_row(s, column_slice(row, 3), &out->verb, err));
    out->seq = sqlite3_column_int64(row, 0);
    out->name = column_text(row, 2, a);
    out->operation = column_str(row, 4, a);
    column_fixed(row, 5, out->token, sizeof out->token);
    column_fixed(row, 6, out->request_hash, sizeof out->request_hash);
    out->generation = (uint32_t)sqlite3_column_int64(row, 7); /* in range: the table checks it */
    out->since_unix_ms = sqlite3_column_int64(row, 8);
    return out->name.ptr == NULL || out->operation == NULL ? err_nomem(err) : ERR_OK;
}

enum err_code store_intents(struct store *s, struct text stack, struct arena *a, struct intent **out,
                            size_t *n, struct err *err)
{
    CLEANUP(stmt_resetp) sqlite3_stmt *row = NULL;
    struct intent *items = NULL;
    size_t count = 0, capacity = 0;
    int64_t id;
    TRY(stack_find(s, stack, &id, err));
    TRY(stmt_start(s, STMT_INTENT_LIST, ARGS(ARG_INT(id)), &row, err));
    for (;;) {
        bool more;
        TRY(stmt_next(s, row, &more, err));
        if (!more) break;
        if (!arena_grow(a, &items, sizeof *items, count, &capacity)) return err_nomem(err);
        TRY(read_intent(s, row, a, &items[count], err));
        count++;
    }
    *out = items;
    *n = count;
    return ERR_OK;
}

enum err_code intent_put(struct store *s, int64_t stack, const struct intent *i, struct err *err)
{
    struct text kind = text_of(kind_info(i->kind)->name);
    /* A replaced one goes to the end of the order: it is a new call. */
    TRY(stmt_run(s, STMT_INTENT_SETTLE, ARGS(ARG_INT(stack), ARG_TEXT(kind), ARG_TEXT(i->name)), err));
    TRY(stmt_run(s, STMT_INTENT_PUT,
                 ARGS(ARG_INT(stack), ARG_TEXT(kind), ARG_TEXT(i->name), ARG_STR(verb_name(i->verb)),
                      ARG_STR(i->operation), ARG_STR(i->token), ARG_STR(i->request_hash),
                      ARG_INT(i->generation), ARG_INT(i->since_unix_ms)),
                 err));
    return stmt_run(s, STMT_GENERATION_RAISE,
                    ARGS(ARG_INT(stack), ARG_TEXT(kind), ARG_TEXT(i->name), ARG_INT(i->generation)), err);
}

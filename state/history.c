/* history.c - runs and events: what was done, when and by whom. */
#include "state/store.h"

#include "state/sqlite.h"

/* A limit as SQLite takes it. */
static int64_t sql_limit(size_t limit)
{
    return limit > INT64_MAX ? INT64_MAX : (int64_t)limit;
}

/* ---- events ---- */

enum err_code event_put(struct store *s, int64_t stack, const struct event_row *e, struct err *err)
{
    return stmt_run(s, STMT_EVENT_PUT,
                    ARGS(ARG_INT(stack), ARG_INT(e->run), ARG_INT(e->at_unix_ms), ARG_STR(e->address),
                         ARG_STR(e->type), ARG_STR(e->message), ARG_STR(e->request_id)),
                    err);
}

/* Columns of STMT_EVENT_LIST and STMT_EVENT_LIST_OF_RUN. */
static bool read_event(sqlite3_stmt *row, struct arena *a, struct event_row *out)
{
    *out = (struct event_row){
        .seq = sqlite3_column_int64(row, 0),
        .at_unix_ms = sqlite3_column_int64(row, 1),
        .run = sqlite3_column_int64(row, 2),
        .address = column_str(row, 3, a),
        .type = column_str(row, 4, a),
        .message = column_str(row, 5, a),
        .request_id = column_str(row, 6, a),
    };
    return out->address != NULL && out->type != NULL && out->message != NULL && out->request_id != NULL;
}

enum err_code store_events(struct store *s, struct text stack, int64_t run, size_t limit, struct arena *a,
                           struct event_row **out, size_t *n, struct err *err)
{
    CLEANUP(stmt_resetp) sqlite3_stmt *row = NULL;
    struct event_row *items = NULL;
    size_t count = 0, capacity = 0;
    int64_t id;
    TRY(stack_find(s, stack, &id, err));
    if (run == 0)
        TRY(stmt_start(s, STMT_EVENT_LIST, ARGS(ARG_INT(id), ARG_INT(sql_limit(limit))), &row, err));
    else
        TRY(stmt_start(s, STMT_EVENT_LIST_OF_RUN, ARGS(ARG_INT(id), ARG_INT(sql_limit(limit)), ARG_INT(run)),
                       &row, err));
    for (;;) {
        bool more;
        TRY(stmt_next(s, row, &more, err));
        if (!more) break;
        if (!arena_grow(a, &items, sizeof *items, count, &capacity)) return err_nomem(err);
        if (!read_event(row, a, &items[count++])) return err_nomem(err);
    }
    *out = items;
    *n = count;
    return ERR_OK;
}

/* ---- runs ---- */

/* Parameters 1 to 12 of STMT_RUN_ADD and STMT_RUN_PUT. */
#define RUN_ARGS(stack, r)                                                                                   \
    ARG_INT(stack), ARG_STR((r)->operation), ARG_STR((r)->result), ARG_STR((r)->user),                       \
        ARG_STR((r)->manifest_digest), ARG_INT((r)->started_unix_ms), ARG_INT((r)->ended_unix_ms),           \
        ARG_INT((r)->n_added), ARG_INT((r)->n_changed), ARG_INT((r)->n_destroyed), ARG_INT((r)->n_failed),   \
        ARG_INT((r)->n_calls)

/* Room for a new run: with an old one go its events. */
static enum err_code prune(struct store *s, int64_t stack, struct err *err)
{
    TRY(stmt_run(s, STMT_RUN_PRUNE, ARGS(ARG_INT(stack), ARG_INT(STORE_KEEP_RUNS - 1)), err));
    return stmt_run(s, STMT_EVENT_PRUNE, ARGS(ARG_INT(stack), ARG_INT(STORE_KEEP_EVENTS)), err);
}

enum err_code run_put(struct store *s, int64_t stack, struct run_row *r, struct err *err)
{
    if (r->id != 0) return stmt_run(s, STMT_RUN_PUT, ARGS(RUN_ARGS(stack, r), ARG_INT(r->id)), err);
    TRY(prune(s, stack, err));
    TRY(stmt_run(s, STMT_RUN_ADD, ARGS(RUN_ARGS(stack, r)), err));
    r->id = sqlite3_last_insert_rowid(s->db);
    return ERR_OK;
}

/* Columns of STMT_RUN_LIST. */
static bool read_run(sqlite3_stmt *row, struct arena *a, struct run_row *out)
{
    *out = (struct run_row){
        .id = sqlite3_column_int64(row, 0),
        .operation = column_str(row, 1, a),
        .result = column_str(row, 2, a),
        .user = column_str(row, 3, a),
        .manifest_digest = column_str(row, 4, a),
        .started_unix_ms = sqlite3_column_int64(row, 5),
        .ended_unix_ms = sqlite3_column_int64(row, 6),
        .n_added = (uint32_t)sqlite3_column_int64(row, 7),
        .n_changed = (uint32_t)sqlite3_column_int64(row, 8),
        .n_destroyed = (uint32_t)sqlite3_column_int64(row, 9),
        .n_failed = (uint32_t)sqlite3_column_int64(row, 10),
        .n_calls = (uint32_t)sqlite3_column_int64(row, 11),
    };
    return out->operation != NULL && out->result != NULL && out->user != NULL && out->manifest_digest != NULL;
}

enum err_code store_runs(struct store *s, struct text stack, size_t limit, struct arena *a,
                         struct run_row **out, size_t *n, struct err *err)
{
    CLEANUP(stmt_resetp) sqlite3_stmt *row = NULL;
    struct run_row *items = NULL;
    size_t count = 0, capacity = 0;
    int64_t id;
    TRY(stack_find(s, stack, &id, err));
    TRY(stmt_start(s, STMT_RUN_LIST, ARGS(ARG_INT(id), ARG_INT(sql_limit(limit))), &row, err));
    for (;;) {
        bool more;
        TRY(stmt_next(s, row, &more, err));
        if (!more) break;
        if (!arena_grow(a, &items, sizeof *items, count, &capacity)) return err_nomem(err);
        if (!read_run(row, a, &items[count++])) return err_nomem(err);
    }
    *out = items;
    *n = count;
    return ERR_OK;
}

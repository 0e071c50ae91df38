/* verify.c - whether all of the state file can be relied on. */
#include "state/store.h"

#include <string.h>

#include "reconciler/base/limits.h"
#include "state/sqlite.h"

enum {
    REPORT_LIMIT = 64 * 1024, /* bytes */
    MAX_FINDINGS = 100,       /* told of each check */
};

static void finalizep(sqlite3_stmt **stmt)
{
    (void)sqlite3_finalize(*stmt); /* repeats step()'s error */
}

/* SQLite's own checks: each row that is not "ok" is a finding. */
static enum err_code check_pragma(struct store *s, const char *pragma, struct buf *report, size_t *n_findings,
                                  struct err *err)
{
    CLEANUP(finalizep) sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(s->db, pragma, -1, &stmt, NULL);
    size_t told = 0;
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(stmt);
        if (rc != SQLITE_ROW || text_is(column_slice(stmt, 0), "ok")) continue;
        TRY(err_unread(err, s->path, column_slice(stmt, 0)));
        if (told++ == MAX_FINDINGS) break;
        char found[SHOWN_SIZE];
        /* foreign_key_check gives the table, the row and the table that it refers to. */
        buf_printf(report, "%s: %s", pragma + strlen("PRAGMA "), shown(column_slice(stmt, 0), found));
        if (sqlite3_column_count(stmt) > 2)
            buf_printf(report, " refers to a row of %s that is missing", shown(column_slice(stmt, 2), found));
        buf_putc(report, '\n');
        ++*n_findings;
    }
    if (rc == SQLITE_DONE || rc == SQLITE_ROW) return ERR_OK;
    return err_sqlite(err, s->db, s->path, "check it");
}

/* What was counted on the way. */
struct tally {
    size_t stacks, records, intents, generations, runs, events;
};

static enum err_code read_stack(struct store *s, struct text stack, struct tally *t, struct err *err)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_ARENA_BYTES);
    if (a == NULL) return err_nomem(err);
    struct records records;
    struct intent *intents;
    struct generation *generations;
    struct run_row *runs;
    struct event_row *events;
    size_t n;
    TRY(store_records(s, stack, NULL, a, &records, err));
    t->records += records.n;
    TRY(store_intents(s, stack, a, &intents, &n, err));
    t->intents += n;
    TRY(store_generations(s, stack, a, &generations, &n, err));
    t->generations += n;
    TRY(store_runs(s, stack, SIZE_MAX, a, &runs, &n, err));
    t->runs += n;
    TRY(store_events(s, stack, 0, SIZE_MAX, a, &events, &n, err));
    t->events += n;
    return ERR_OK;
}

/* Every row through the functions that others read it with. What cannot be read is a finding; only a failure
 * of the machine ends the check. */
static enum err_code read_rows(struct store *s, struct buf *report, struct tally *t, size_t *n_findings,
                               struct err *err)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_ARENA_BYTES);
    if (a == NULL) return err_nomem(err);
    struct text *stacks;
    enum err_code code = store_stacks(s, a, &stacks, &t->stacks, err);
    for (size_t i = 0; code == ERR_OK && i < t->stacks; i++) {
        struct err inner = {0};
        code = read_stack(s, stacks[i], t, &inner);
        if (code == ERR_OK) continue;
        if (code != ERR_STATE) {
            if (err != NULL) *err = inner;
            break;
        }
        char stack_shown[SHOWN_SIZE];
        buf_printf(report, "stack %s: %s\n", shown(stacks[i], stack_shown), inner.msg);
        ++*n_findings;
        code = ERR_OK;
    }
    return code;
}

static void put_tally(struct buf *out, const struct tally *t)
{
    const struct {
        const char *noun;
        size_t n;
    } counts[] = {{"stack", t->stacks},           {"record", t->records}, {"open intent", t->intents},
                  {"generation", t->generations}, {"run", t->runs},       {"event", t->events}};
    for (size_t i = 0; i < N_ELEMENTS(counts); i++)
        buf_printf(out, "%s%zu %s%s", i == 0 ? "ok: " : ", ", counts[i].n, counts[i].noun,
                   counts[i].n == 1 ? "" : "s");
    buf_putc(out, '\n');
}

enum err_code store_verify(struct store *s, struct arena *a, const char **report, struct err *err)
{
    CLEANUP(buf_fini) struct buf b;
    struct tally t = {0};
    size_t n_findings = 0;
    buf_init(&b, REPORT_LIMIT);
    /* A check that cannot even be made tells by its error what is wrong with the file. */
    enum err_code code = check_pragma(s, "PRAGMA integrity_check", &b, &n_findings, err);
    if (code == ERR_OK) code = check_pragma(s, "PRAGMA foreign_key_check", &b, &n_findings, err);
    if (code == ERR_OK) code = read_rows(s, &b, &t, &n_findings, err);
    if (code == ERR_OK && n_findings == 0) put_tally(&b, &t);
    if (code == ERR_STATE && err != NULL) buf_printf(&b, "%s\n", err->msg);
    *report = arena_strdup(a, buf_str(&b));
    if (*report == NULL) {
        *report = "";
        return err_nomem(err);
    }
    if (code != ERR_OK || n_findings == 0) return code;
    return err_set(
        err, ERR_STATE,
        "%s: the state file is damaged (%zu findings); restore a backup, or move it away and run `headgate"
        " state rebuild`",
        s->path, n_findings);
}

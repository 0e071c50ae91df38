/* migrate.c - the tables of the state file, and how an older file gets them.
 *
 *   meta         what is true of the whole file: its id
 *   stacks       a number for each stack's name; serial counts writes to its records
 *   records      one row per recorded resource; given: JSON list of the fields that the manifest set,
 *                fields: JSON object, both by the fields' names (codec.h)
 *   generations  how often an address was created; outlives the record, never goes back
 *   intents      calls that were about to be made and are not settled
 *   runs, events history, bounded
 *   locks        who works on a stack
 *
 * Tables with a composite key have no row ids: a list of a stack's records is then one walk over neighbours,
 * already in order. A new version is a new step at the end; a step that was released is never changed. */
#include "state/migrate.h"

#include "state/sqlite.h"

#include <stdio.h>

static const char version_1[] =
    "CREATE TABLE meta("
    "  key TEXT PRIMARY KEY NOT NULL,"
    "  value TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE stacks("
    "  id INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE,"
    "  serial INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE TABLE records("
    "  stack INTEGER NOT NULL REFERENCES stacks(id),"
    "  kind TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  id TEXT NOT NULL,"
    "  generation INTEGER NOT NULL CHECK(generation BETWEEN 0 AND 4294967295),"
    "  given TEXT NOT NULL,"
    "  fields TEXT NOT NULL,"
    "  prevent_destroy INTEGER NOT NULL CHECK(prevent_destroy IN (0, 1)),"
    "  orphan_on_removal INTEGER NOT NULL CHECK(orphan_on_removal IN (0, 1)),"
    "  observed_only INTEGER NOT NULL CHECK(observed_only IN (0, 1)),"
    "  applied_unix_ms INTEGER NOT NULL,"
    "  incarnation INTEGER NOT NULL CHECK(incarnation BETWEEN 0 AND 4294967295),"
    "  PRIMARY KEY(stack, kind, name)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX records_by_id ON records(kind, id);"
    "CREATE TABLE generations("
    "  stack INTEGER NOT NULL REFERENCES stacks(id),"
    "  kind TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  generation INTEGER NOT NULL CHECK(generation BETWEEN 0 AND 4294967295),"
    "  PRIMARY KEY(stack, kind, name)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE intents("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  stack INTEGER NOT NULL REFERENCES stacks(id),"
    "  kind TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  verb TEXT NOT NULL,"
    "  operation TEXT NOT NULL,"
    "  token TEXT NOT NULL,"
    "  request_hash TEXT NOT NULL,"
    "  generation INTEGER NOT NULL CHECK(generation BETWEEN 0 AND 4294967295),"
    "  since_unix_ms INTEGER NOT NULL,"
    "  UNIQUE(stack, kind, name)"
    ") STRICT;"
    "CREATE TABLE runs("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  stack INTEGER NOT NULL REFERENCES stacks(id),"
    "  operation TEXT NOT NULL,"
    "  result TEXT NOT NULL,"
    "  user TEXT NOT NULL,"
    "  manifest_digest TEXT NOT NULL,"
    "  started_unix_ms INTEGER NOT NULL,"
    "  ended_unix_ms INTEGER NOT NULL,"
    "  n_added INTEGER NOT NULL,"
    "  n_changed INTEGER NOT NULL,"
    "  n_destroyed INTEGER NOT NULL,"
    "  n_failed INTEGER NOT NULL,"
    "  n_calls INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX runs_by_stack ON runs(stack, id);"
    "CREATE TABLE events("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  stack INTEGER NOT NULL REFERENCES stacks(id),"
    "  run INTEGER REFERENCES runs(id) ON DELETE CASCADE,"
    "  at_unix_ms INTEGER NOT NULL,"
    "  address TEXT NOT NULL,"
    "  type TEXT NOT NULL,"
    "  message TEXT NOT NULL,"
    "  request_id TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX events_by_stack ON events(stack, seq);"
    "CREATE INDEX events_by_run ON events(run, seq) WHERE run IS NOT NULL;"
    /* start_ticks: when the process began, so that another one with its pid is not taken for it. */
    "CREATE TABLE locks("
    "  stack INTEGER PRIMARY KEY REFERENCES stacks(id),"
    "  id TEXT NOT NULL,"
    "  operation TEXT NOT NULL,"
    "  host TEXT NOT NULL,"
    "  boot_id TEXT NOT NULL,"
    "  user TEXT NOT NULL,"
    "  pid INTEGER NOT NULL,"
    "  start_ticks INTEGER NOT NULL,"
    "  since_unix_ms INTEGER NOT NULL"
    ") STRICT;";

/* The id is made with the file, in the same transaction. */
static enum err_code give_id(sqlite3 *db, const char *path, struct err *err)
{
    char id[STORE_ID_SIZE], sql[96];
    TRY(random_id(id, err));
    (void)snprintf(sql, sizeof sql, "INSERT INTO meta(key, value) VALUES('id', '%s')", id); /* it fits */
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) return err_sqlite(err, db, path, "create it");
    return ERR_OK;
}

const struct migration store_migrations[STORE_SCHEMA_VERSION] = {
    {version_1, give_id},
};

enum err_code err_newer(struct err *err, const char *path, int64_t found, int known)
{
    return err_set(
        err, ERR_STATE,
        "%s: the state file is from a newer headgate: found version %lld, this headgate knows up to"
        " %d; nothing was changed, use the newer headgate",
        path, (long long)found, known);
}

static void finalizep(sqlite3_stmt **stmt)
{
    (void)sqlite3_finalize(*stmt); /* repeats step()'s error */
}

enum err_code query_int(sqlite3 *db, const char *path, const char *sql, int64_t *out, struct err *err)
{
    CLEANUP(finalizep) sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
        return err_sqlite(err, db, path, "read it");
    *out = sqlite3_column_int64(stmt, 0);
    return ERR_OK;
}

static const char doing[] = "bring it to this version";

static enum err_code run_steps(sqlite3 *db, const char *path, const struct migration *steps, int n_steps,
                               struct err *err)
{
    int64_t version = 0;
    TRY(query_int(db, path, "PRAGMA user_version", &version, err));
    if (version > n_steps) return err_newer(err, path, version, n_steps);
    for (int64_t i = MAX_OF(version, 0); i < n_steps; i++) {
        if (sqlite3_exec(db, steps[i].sql, NULL, NULL, NULL) != SQLITE_OK)
            return err_sqlite(err, db, path, doing);
        if (steps[i].also != NULL) TRY(steps[i].also(db, path, err));
    }
    char mark[96];
    (void)snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                   STORE_APPLICATION_ID, n_steps); /* it fits */
    if (sqlite3_exec(db, mark, NULL, NULL, NULL) != SQLITE_OK) return err_sqlite(err, db, path, doing);
    return ERR_OK;
}

enum err_code migrate(sqlite3 *db, const char *path, const struct migration *steps, int n_steps,
                      struct err *err)
{
    /* Of two that begin at once the second waits here, and then finds the work done. */
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return err_sqlite(err, db, path, doing);
    enum err_code code = run_steps(db, path, steps, n_steps, err);
    if (!sqlite3_get_autocommit(db))
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* should it fail, closing rolls back */
    return code;
}

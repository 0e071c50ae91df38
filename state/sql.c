/* sql.c - the text of every prepared statement. */
#include "state/sql.h"

const char *const sql_of_stmt[N_STMTS] = {
    [STMT_BEGIN] = "BEGIN",
    [STMT_BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE",
    [STMT_COMMIT] = "COMMIT",

    [STMT_STACK_FIND] = "SELECT id FROM stacks WHERE name = ?1",
    [STMT_STACK_ADD] = "INSERT INTO stacks(name) VALUES(?1)",
    [STMT_STACK_LIST] = "SELECT name FROM stacks ORDER BY name",
    [STMT_STACK_SERIAL] = "SELECT serial FROM stacks WHERE name = ?1",
    [STMT_STACK_COUNT_WRITE] = "UPDATE stacks SET serial = serial + 1 WHERE id = ?1",

    /* Rows of one kind are neighbours in the table; kinds sort by our enum, not by their names. So a list
     * walks from kind to kind, one seek each. */
    [STMT_RECORD_NEXT_KIND] =
        "SELECT kind, name FROM records WHERE stack = ?1 AND kind > ?2 ORDER BY kind, name LIMIT 1",
    [STMT_RECORD_COUNT] = "SELECT count(*) FROM records WHERE stack = ?1 AND kind = ?2",
    [STMT_RECORD_LIST] = "SELECT name, id, generation, given, fields, prevent_destroy, orphan_on_removal,"
                         " observed_only, applied_unix_ms, incarnation"
                         " FROM records WHERE stack = ?1 AND kind = ?2 ORDER BY name",
    [STMT_RECORD_PUT] =
        "INSERT INTO records(stack, kind, name, id, generation, given, fields, prevent_destroy,"
        " orphan_on_removal, observed_only, applied_unix_ms, incarnation)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        " ON CONFLICT DO UPDATE SET id = excluded.id, generation = excluded.generation,"
        " given = excluded.given, fields = excluded.fields,"
        " prevent_destroy = excluded.prevent_destroy,"
        " orphan_on_removal = excluded.orphan_on_removal,"
        " observed_only = excluded.observed_only, applied_unix_ms = excluded.applied_unix_ms,"
        " incarnation = excluded.incarnation",
    [STMT_RECORD_DELETE] = "DELETE FROM records WHERE stack = ?1 AND kind = ?2 AND name = ?3",
    [STMT_RECORD_EXISTS] = "SELECT generation FROM records WHERE stack = ?1 AND kind = ?2 AND name = ?3",
    [STMT_RECORD_RENAME] = "UPDATE records SET name = ?4, generation = ?5"
                           " WHERE stack = ?1 AND kind = ?2 AND name = ?3",
    /* Several stacks may observe one object; the one that manages it goes first. */
    [STMT_RECORD_OWNER] = "SELECT s.name, r.name FROM records AS r JOIN stacks AS s ON s.id = r.stack"
                          " WHERE r.kind = ?1 AND r.id = ?2 ORDER BY r.observed_only, s.name, r.name LIMIT 1",

    [STMT_GENERATION_RAISE] = "INSERT INTO generations(stack, kind, name, generation) VALUES(?1, ?2, ?3, ?4)"
                              " ON CONFLICT DO UPDATE SET generation = excluded.generation"
                              " WHERE excluded.generation > generation",
    [STMT_GENERATION_OF] = "SELECT generation FROM generations WHERE stack = ?1 AND kind = ?2 AND name = ?3",
    [STMT_GENERATION_NEXT_KIND] =
        "SELECT kind, name FROM generations WHERE stack = ?1 AND kind > ?2 ORDER BY kind, name LIMIT 1",
    [STMT_GENERATION_LIST] =
        "SELECT name, generation FROM generations WHERE stack = ?1 AND kind = ?2 ORDER BY name",

    [STMT_INTENT_LIST] = "SELECT seq, kind, name, verb, operation, token, request_hash, generation,"
                         " since_unix_ms FROM intents WHERE stack = ?1 ORDER BY seq",
    [STMT_INTENT_PUT] =
        "INSERT INTO intents(stack, kind, name, verb, operation, token, request_hash, generation,"
        " since_unix_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [STMT_INTENT_SETTLE] = "DELETE FROM intents WHERE stack = ?1 AND kind = ?2 AND name = ?3",
    [STMT_INTENT_EXISTS] = "SELECT seq FROM intents WHERE stack = ?1 AND kind = ?2 AND name = ?3",

    [STMT_EVENT_PUT] = "INSERT INTO events(stack, run, at_unix_ms, address, type, message, request_id)"
                       " VALUES(?1, nullif(?2, 0), ?3, ?4, ?5, ?6, ?7)",
    [STMT_EVENT_LIST] = "SELECT seq, at_unix_ms, coalesce(run, 0), address, type, message, request_id"
                        " FROM events WHERE stack = ?1 ORDER BY seq DESC LIMIT ?2",
    [STMT_EVENT_LIST_OF_RUN] = "SELECT seq, at_unix_ms, run, address, type, message, request_id"
                               " FROM events WHERE run = ?3 AND stack = ?1 ORDER BY seq DESC LIMIT ?2",
    [STMT_EVENT_PRUNE] = "DELETE FROM events WHERE stack = ?1 AND seq <="
                         " (SELECT seq FROM events WHERE stack = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
    [STMT_RUN_ADD] = "INSERT INTO runs(stack, operation, result, user, manifest_digest, started_unix_ms,"
                     " ended_unix_ms, n_added, n_changed, n_destroyed, n_failed, n_calls)"
                     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [STMT_RUN_PUT] =
        "INSERT INTO runs(id, stack, operation, result, user, manifest_digest, started_unix_ms,"
        " ended_unix_ms, n_added, n_changed, n_destroyed, n_failed, n_calls)"
        " VALUES(?13, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        " ON CONFLICT(id) DO UPDATE SET operation = excluded.operation, result = excluded.result,"
        " user = excluded.user, manifest_digest = excluded.manifest_digest,"
        " started_unix_ms = excluded.started_unix_ms, ended_unix_ms = excluded.ended_unix_ms,"
        " n_added = excluded.n_added, n_changed = excluded.n_changed,"
        " n_destroyed = excluded.n_destroyed, n_failed = excluded.n_failed,"
        " n_calls = excluded.n_calls WHERE stack = excluded.stack",
    [STMT_RUN_LIST] = "SELECT id, operation, result, user, manifest_digest, started_unix_ms, ended_unix_ms,"
                      " n_added, n_changed, n_destroyed, n_failed, n_calls"
                      " FROM runs WHERE stack = ?1 ORDER BY id DESC LIMIT ?2",
    [STMT_RUN_PRUNE] = "DELETE FROM runs WHERE stack = ?1 AND id <="
                       " (SELECT id FROM runs WHERE stack = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",

    [STMT_LOCK_GET] = "SELECT id, operation, host, boot_id, user, pid, start_ticks, since_unix_ms"
                      " FROM locks WHERE stack = ?1",
    [STMT_LOCK_PUT] = "INSERT INTO locks(stack, id, operation, host, boot_id, user, pid, start_ticks,"
                      " since_unix_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [STMT_LOCK_DELETE] = "DELETE FROM locks WHERE stack = ?1 AND id = ?2",
};

/* open.c - from a path to a checked store, and back.
 *
 *   look at the path -> (create folder and file: create.c) -> connect -> is it ours? -> integrity -> journal,
 * version
 *
 * Nothing is written before the file is known to be ours. */
#include "state/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/migrate.h"
#include "state/sqlite.h"

enum {
    BUSY_TIMEOUT_MS = 5000,
    ENCODED_RECORD_LIMIT = 64 * 1024 * 1024, /* bytes of one record */
    QUICK_CHECK_BELOW_BYTES = 4 * 1024 * 1024,
};

/* ---- one writer per process and file ---- */

/* SQLite's locks hold between processes; two connections of one process would only wait for each other, and
 * up to 3.51.2 they may, rarely, lose a write when both begin the log anew. Readers never write: query_only.
 */
static struct claim {
    struct claim *next;
    const struct store *store;
    dev_t dev;
    ino_t ino;
} * claims;
static pthread_mutex_t claims_mutex = PTHREAD_MUTEX_INITIALIZER;

static enum err_code claim(const struct store *s, const struct stat *file, struct err *err)
{
    struct claim *mine = calloc(1, sizeof *mine);
    if (mine == NULL) return err_nomem(err);
    *mine = (struct claim){.store = s, .dev = file->st_dev, .ino = file->st_ino};
    (void)pthread_mutex_lock(&claims_mutex); /* cannot fail: a plain mutex, not held */
    const struct claim *other = claims;
    while (other != NULL && (other->dev != mine->dev || other->ino != mine->ino)) other = other->next;
    if (other == NULL) {
        mine->next = claims;
        claims = TAKE(mine);
    }
    (void)pthread_mutex_unlock(&claims_mutex);
    free(mine);
    if (other == NULL) return ERR_OK;
    return err_set(err, ERR_BUSY, "%s: the state is open for writing in this process already", s->path);
}

static void unclaim(const struct store *s)
{
    (void)pthread_mutex_lock(&claims_mutex);
    for (struct claim **at = &claims; *at != NULL; at = &(*at)->next) {
        if ((*at)->store != s) continue;
        struct claim *mine = *at;
        *at = mine->next;
        free(mine);
        break;
    }
    (void)pthread_mutex_unlock(&claims_mutex);
}

/* ---- folder and file ---- */

static void freep(char **p)
{
    free(*p);
}

/* What is at the path; it is not opened for that. *size is -1 when there is nothing. A special file tells no
 * size, as those below /proc, and one that was cut to nothing has lost what was in it. */
static enum err_code look_at(const char *path, struct stat *st, int64_t *size, struct err *err)
{
    *size = -1;
    if (stat(path, st) != 0) {
        if (errno == ENOENT) return ERR_OK;
        return err_set(err, ERR_IO, "%s: cannot read the state file: %s", path, strerror(errno));
    }
    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_STATE, "%s: it is not a headgate state file: %s; choose another path", path,
                       S_ISDIR(st->st_mode) ? "it is a folder" : "it is not a regular file");
    if (st->st_size == 0)
        return err_set(
            err, ERR_STATE,
            "%s: it is not a headgate state file: it is empty, and headgate leaves none so; restore"
            " a backup, or remove it and run `headgate state rebuild`",
            path);
    *size = st->st_size;
    return ERR_OK;
}

/* The size of the write-ahead log: above 0 when the last session did not close, or still runs. */
static int64_t wal_size(const char *absolute)
{
    CLEANUP(freep) char *wal = NULL;
    struct stat st;
    if (asprintf(&wal, "%s-wal", absolute) < 0) {
        wal = NULL;
        return 0;
    }
    return stat(wal, &st) == 0 ? (int64_t)st.st_size : -1;
}

static bool folder_is_writable(const char *absolute)
{
    CLEANUP(freep) char *folder = strdup(absolute);
    if (folder == NULL) return true;
    char *slash = strrchr(folder, '/');
    slash[slash == folder ? 1 : 0] = '\0';
    return access(folder, W_OK) == 0;
}

/* ---- the connection ---- */

static enum err_code run_sql(struct store *s, const char *sql, const char *doing, struct err *err)
{
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return err_sqlite(err, s->db, s->path, doing);
    return ERR_OK;
}

void store_disconnect(struct store *s)
{
    for (int i = 0; i < N_STMTS; i++) {
        (void)sqlite3_finalize(s->stmts[i]); /* repeats step()'s error */
        s->stmts[i] = NULL;
    }
    int rc = sqlite3_close(s->db);
    ASSERT(rc == SQLITE_OK); /* it fails only for what was not finalized */
    s->db = NULL;
}

enum err_code store_connect(struct store *s, const char *name, int flags, struct err *err)
{
    flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(name, &s->db, flags, NULL) != SQLITE_OK)
        return err_sqlite(err, s->db, s->path, "open it");
    (void)sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS); /* cannot fail */
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    return run_sql(s, "PRAGMA cell_size_check = ON", "open it", err);
}

/* What SQLite takes only after it has read the file. With a log EXTRA is FULL. Without one a commit is the
 * deletion of the rollback journal, and only EXTRA syncs the folder after it: else a power cut may bring the
 * journal back, and with it what was before the write. */
static enum err_code tune(struct store *s, struct err *err)
{
    return run_sql(s, "PRAGMA synchronous = EXTRA", "open it", err);
}

/* The last resort for a file on a read-only file system: without -shm SQLite cannot read a file in WAL mode,
 * unless it is told that nobody changes it. That holds where nobody can and no log is left. */
static enum err_code connect_immutable(struct store *s, const char *absolute, struct err *err)
{
    CLEANUP(buf_fini) struct buf uri;
    buf_init(&uri, 16 * 1024);
    buf_puts(&uri, "file:");
    for (const char *p = absolute; *p != '\0'; p++) {
        if (strchr("?#%", *p) != NULL)
            buf_printf(&uri, "%%%02X", (unsigned char)*p);
        else
            buf_putc(&uri, *p);
    }
    buf_puts(&uri, "?immutable=1");
    if (!buf_ok(&uri)) return err_nomem(err);
    return store_connect(s, buf_str(&uri), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
}

/* Reads from the file for the first time. */
static enum err_code read_version(struct store *s, int64_t *application, int64_t *version, int64_t *n_tables,
                                  struct err *err)
{
    /* In one transaction: another process may be making the file right now. Closing ends it, too. */
    TRY(run_sql(s, "BEGIN", "read it", err));
    TRY(query_int(s->db, s->path, "PRAGMA application_id", application, err));
    TRY(query_int(s->db, s->path, "PRAGMA user_version", version, err));
    TRY(query_int(s->db, s->path, "SELECT count(*) FROM sqlite_schema", n_tables, err));
    return run_sql(s, "COMMIT", "read it", err);
}

static enum err_code identify(struct store *s, const char *absolute, int64_t *version, struct err *err)
{
    int64_t application, n_tables;
    enum err_code code = read_version(s, &application, version, &n_tables, err);
    if (code == ERR_IO && s->mode == STORE_READ_ONLY && wal_size(absolute) < 0 &&
        !folder_is_writable(absolute)) {
        store_disconnect(s);
        TRY(connect_immutable(s, absolute, err));
        code = read_version(s, &application, version, &n_tables, err);
    }
    if (code != ERR_OK) return code;
    if (application == STORE_APPLICATION_ID && *version > STORE_SCHEMA_VERSION)
        return err_newer(err, s->path, *version, STORE_SCHEMA_VERSION);
    bool empty = application == 0 && *version == 0 && n_tables == 0;
    if (application == STORE_APPLICATION_ID || empty) return ERR_OK;
    return err_set(
        err, ERR_STATE,
        "%s: it is not a headgate state file: it is an SQLite database of something else (application"
        " id 0x%08llx); nothing in it was changed, choose another path for the state",
        s->path, (unsigned long long)application & 0xffffffffu);
}

static enum err_code quick_check(struct store *s, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    enum err_code code = ERR_OK;
    if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW) {
        code = err_sqlite(err, s->db, s->path, "check it");
    } else if (!text_is(column_slice(stmt, 0), "ok")) {
        char found[SHOWN_SIZE];
        code = err_unread(err, s->path, column_slice(stmt, 0));
        if (code == ERR_OK)
            code = err_set(
                err, ERR_STATE,
                "%s: the state file is damaged (%s); it was left as it is: restore a backup, or move it away"
                " and run `headgate state rebuild`",
                s->path, shown(column_slice(stmt, 0), found));
    }
    (void)sqlite3_finalize(stmt); /* repeats step()'s error */
    return code;
}

static enum err_code load_id(struct store *s, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    enum err_code code = ERR_OK;
    int rc = sqlite3_prepare_v2(s->db, "SELECT value FROM meta WHERE key = 'id'", -1, &stmt, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        column_fixed(stmt, 0, s->id, sizeof s->id);
    else if (rc != SQLITE_DONE)
        code = err_sqlite(err, s->db, s->path, "read it");
    (void)sqlite3_finalize(stmt); /* repeats step()'s error */
    if (code != ERR_OK) return code;
    if (strlen(s->id) == STORE_ID_LEN) return ERR_OK;
    return err_set(
        err, ERR_STATE,
        "%s: the state file has no id; restore a backup, or move it away and run `headgate state rebuild`",
        s->path);
}

/* ---- the three ways to open ---- */

static enum err_code open_empty(struct store *s, struct err *err)
{
    TRY(store_connect(s, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err));
    TRY(migrate(s->db, s->path, store_migrations, STORE_SCHEMA_VERSION, err));
    return run_sql(s, "PRAGMA query_only = ON", "open it", err);
}

/* A reader cannot bring an older file to this version; it does so with a copy in memory. */
static enum err_code open_copy(struct store *s, struct err *err)
{
    sqlite3 *file = TAKE(s->db);
    enum err_code code = store_connect(s, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    if (code == ERR_OK) {
        sqlite3_backup *b = sqlite3_backup_init(s->db, "main", file, "main");
        if (b != NULL) (void)sqlite3_backup_step(b, -1); /* told by finish() */
        if (b == NULL || sqlite3_backup_finish(b) != SQLITE_OK)
            code = err_sqlite(err, s->db, s->path, "read it");
    }
    (void)sqlite3_close(file); /* nothing is open on it */
    if (code != ERR_OK) return code;
    /* A database in memory has no log, whatever its header says. */
    TRY(run_sql(s, "PRAGMA journal_mode = MEMORY", "read it", err));
    return migrate(s->db, s->path, store_migrations, STORE_SCHEMA_VERSION, err);
}

static enum err_code open_reader(struct store *s, const char *absolute, bool check, struct err *err)
{
    int64_t version;
    /* A connection that may not write leaves -wal and -shm behind; so it may, as far as the file allows, and
     * query_only keeps it from doing so. */
    TRY(store_connect(s, absolute, SQLITE_OPEN_READWRITE, err));
    TRY(identify(s, absolute, &version, err));
    TRY(tune(s, err));
    if (check) TRY(quick_check(s, err));
    if (version == 0) {
        store_disconnect(s);
        return open_empty(s, err);
    }
    if (version < STORE_SCHEMA_VERSION) TRY(open_copy(s, err));
    TRY(load_id(s, err));
    return run_sql(s, "PRAGMA query_only = ON", "open it", err);
}

/* Where a file system has no shared memory SQLite keeps to its rollback journal: slower, as durable. SQLite's
 * own waiting does not cover this switch when two processes make the file at once. */
static enum err_code use_wal(struct store *s, struct err *err)
{
    enum { PAUSE_MS = 10 };
    for (int waited_ms = 0;; waited_ms += PAUSE_MS) {
        enum err_code code = run_sql(s, "PRAGMA journal_mode = WAL", "open it for writing", err);
        if (code != ERR_BUSY || waited_ms >= BUSY_TIMEOUT_MS) return code;
        (void)sqlite3_sleep(PAUSE_MS); /* at least that long */
    }
}

static enum err_code open_writer(struct store *s, const char *absolute, bool check, struct err *err)
{
    int64_t version;
    if (access(absolute, W_OK) != 0 || !folder_is_writable(absolute))
        return err_set(
            err, ERR_IO,
            "%s: the state is read-only (%s): make the file and its folder writable, or choose another path",
            s->path, strerror(errno));
    TRY(store_connect(s, absolute, SQLITE_OPEN_READWRITE, err));
    TRY(identify(s, absolute, &version, err));
    TRY(tune(s, err));
    if (check) TRY(quick_check(s, err));
    TRY(use_wal(s, err));
    TRY(run_sql(s, "PRAGMA journal_size_limit = 16777216", "open it for writing", err));
    if (version < STORE_SCHEMA_VERSION)
        TRY(migrate(s->db, s->path, store_migrations, STORE_SCHEMA_VERSION, err));
    return load_id(s, err);
}

static enum err_code open_at(struct store *s, struct err *err)
{
    struct stat st;
    int64_t size;
    if (s->mode == STORE_READ_WRITE) TRY(make_folders(s->path, err));
    TRY(look_at(s->path, &st, &size, err));
    if (size < 0 && s->mode == STORE_READ_WRITE) {
        TRY(store_create(s, err));
        TRY(look_at(s->path, &st, &size, err));
    }
    if (s->mode == STORE_READ_WRITE) TRY(claim(s, &st, err));
    if (size < 0 && s->mode == STORE_READ_ONLY) return open_empty(s, err);
    /* An absolute name means the same file after chdir(), and nothing special to SQLite. */
    CLEANUP(freep) char *absolute = realpath(s->path, NULL);
    if (absolute == NULL)
        return err_set(err, ERR_IO, "%s: cannot open the state file: %s", s->path, strerror(errno));
    bool check = size < QUICK_CHECK_BELOW_BYTES || wal_size(absolute) > 0;
    return s->mode == STORE_READ_ONLY ? open_reader(s, absolute, check, err)
                                      : open_writer(s, absolute, check, err);
}

enum err_code store_open(const char *path, enum store_mode mode, struct store **out, struct err *err)
{
    if (path == NULL || path[0] == '\0')
        return err_set(err, ERR_INPUT, "the path of the state file is empty");
    CLEANUP(store_closep) struct store *s = calloc(1, sizeof *s);
    if (s == NULL) return err_nomem(err);
    s->mode = mode;
    buf_init(&s->given, ENCODED_RECORD_LIMIT);
    buf_init(&s->fields, ENCODED_RECORD_LIMIT);
    s->path = strdup(path);
    if (s->path == NULL) return err_nomem(err);
    TRY(open_at(s, err));
    *out = TAKE(s);
    return ERR_OK;
}

void store_close(struct store *s)
{
    if (s == NULL) return;
    if (s->db != NULL) store_disconnect(s);
    unclaim(s);
    lock_forget_all(s);
    buf_fini(&s->given);
    buf_fini(&s->fields);
    free(s->path);
    free(s);
}

void store_closep(struct store **s)
{
    store_close(*s);
}

const char *store_id(const struct store *s)
{
    return s->id;
}

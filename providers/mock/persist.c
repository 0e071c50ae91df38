/* persist.c - the simulated cloud's file.
 *
 * One SQLite database in WAL mode, shared by any number of processes. Memory holds everything; a changing
 * call takes the write lock, reads the file again if another connection wrote meanwhile, and writes the
 * entities that it touched, its token and its line of the ledger in one transaction. Reading calls only look
 * whether the file changed. A simulator's data is not worth an fsync(): synchronous is OFF, so a crash of the
 * machine (not of a process) may cost the last calls.
 *
 *   setting  name, value              counters, pace, options
 *   entity   seq, type, id, body      body: see encode.c
 *   token    n, key, hash, done_ms, body
 *   fault    n, operation, code, count
 *   ledger   n, at_ms, operation, reads, status, code */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "providers/mock/inside.h"

enum {
    APPLICATION_ID = 0x48474D43, /* "HGMC" */
    FILE_VERSION = 1,
    BUSY_TIMEOUT_MS = 15000,
    MAX_BODY = 1 << 20,
};

enum statement {
    SQL_BEGIN_READ,
    SQL_BEGIN_WRITE,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_DATA_VERSION,
    SQL_PUT_ENTITY,
    SQL_DELETE_ENTITY,
    SQL_PUT_SETTING,
    SQL_PUT_TOKEN,
    SQL_PUT_FAULT,
    SQL_PUT_LEDGER,
    N_STATEMENTS,
};

static const char *const statements[N_STATEMENTS] = {
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_DATA_VERSION] = "PRAGMA data_version",
    [SQL_PUT_ENTITY] = "INSERT OR REPLACE INTO entity(seq, type, id, body) VALUES(?, ?, ?, ?)",
    [SQL_DELETE_ENTITY] = "DELETE FROM entity WHERE seq = ?",
    [SQL_PUT_SETTING] = "INSERT OR REPLACE INTO setting(name, value) VALUES(?, ?)",
    [SQL_PUT_TOKEN] = "INSERT OR REPLACE INTO token(key, hash, done_ms, body) VALUES(?, ?, ?, ?)",
    [SQL_PUT_FAULT] = "INSERT INTO fault(operation, code, count) VALUES(?, ?, ?)",
    [SQL_PUT_LEDGER] = "INSERT INTO ledger(at_ms, operation, reads, status, code) VALUES(?, ?, ?, ?, ?)",
};
_Static_assert(N_STATEMENTS <= sizeof(((struct mock *)0)->stmts) / sizeof(sqlite3_stmt *),
               "room for statements");

static const char schema[] =
    "CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE entity(seq INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE token(n INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, hash TEXT NOT NULL,"
    " done_ms INTEGER NOT NULL, body TEXT NOT NULL);"
    "CREATE TABLE fault(n INTEGER PRIMARY KEY, operation TEXT NOT NULL, code TEXT NOT NULL, count INTEGER NOT NULL);"
    "CREATE TABLE ledger(n INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, operation TEXT NOT NULL,"
    " reads INTEGER NOT NULL, status INTEGER NOT NULL, code TEXT NOT NULL);";

/* The one place that translates SQLite's codes. */
static enum err_code err_sqlite(struct err *err, struct mock *m, const char *what)
{
    int code = m->db == NULL ? SQLITE_CANTOPEN : sqlite3_errcode(m->db) & 0xFF;
    enum err_code ours = code == SQLITE_BUSY || code == SQLITE_LOCKED      ? ERR_BUSY
                         : code == SQLITE_NOMEM                            ? ERR_NOMEM
                         : code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? ERR_STATE
                                                                           : ERR_IO;
    return err_set(err, ours, "%s: %s", what, m->db == NULL ? "out of memory" : sqlite3_errmsg(m->db));
}

static enum err_code run(struct mock *m, enum statement s, const char *what, struct err *err)
{
    int rc = sqlite3_step(m->stmts[s]);
    enum err_code e = rc == SQLITE_DONE || rc == SQLITE_ROW ? ERR_OK : err_sqlite(err, m, what);
    (void)sqlite3_reset(m->stmts[s]); /* repeats step()'s error */
    return e;
}

static enum err_code exec(struct mock *m, const char *sql, const char *what, struct err *err)
{
    return sqlite3_exec(m->db, sql, NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : err_sqlite(err, m, what);
}

static void stmt_finalizep(sqlite3_stmt **s)
{
    (void)sqlite3_finalize(*s); /* repeats step()'s error */
}

static enum err_code query_int(struct mock *m, const char *sql, int64_t *out, struct err *err)
{
    CLEANUP(stmt_finalizep) sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(m->db, sql, -1, &s, NULL) != SQLITE_OK || sqlite3_step(s) != SQLITE_ROW)
        return err_sqlite(err, m, "cannot read the simulated cloud's file");
    *out = sqlite3_column_int64(s, 0);
    return ERR_OK;
}

/* ---- Loading ---- */

static void freep(void *p)
{
    free(*(void **)p);
}

static enum err_code load_entities(struct mock *m, struct err *err)
{
    CLEANUP(stmt_finalizep) sqlite3_stmt *s = NULL;
    CLEANUP(freep) struct pending_link *links = NULL;
    int64_t n_rows = 0;
    size_t n = 0;
    enum err_code e = query_int(m, "SELECT count(*) FROM entity", &n_rows, err);
    if (e != ERR_OK) return e;
    links = calloc((size_t)n_rows + 1, sizeof(*links));
    if (links == NULL) return err_nomem(err);
    if (sqlite3_prepare_v2(m->db, "SELECT seq, body FROM entity ORDER BY seq", -1, &s, NULL) != SQLITE_OK)
        return err_sqlite(err, m, "cannot read the objects");
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && n < (size_t)n_rows) {
        const char *body = sqlite3_column_blob(s, 1);
        struct text bytes = {body, body == NULL ? 0 : (size_t)sqlite3_column_bytes(s, 1)};
        e = entity_decode(m, sqlite3_column_int64(s, 0), bytes, &links[n], err);
        if (e != ERR_OK) return e;
        n++;
    }
    if (rc != SQLITE_DONE) return err_sqlite(err, m, "cannot read the objects");
    return entities_link(m, links, n, err);
}

/* Options of an older or newer build are not ours to refuse. */
static bool load_option(struct mock *m, const char *name, const char *value)
{
    for (size_t i = 0; i < N_MOCK_OPTIONS; i++) {
        if (strcmp(option_names[i], name) != 0) continue;
        return text_to_i64(text_of(value), 0, MOCK_MAX_NUMBER, &m->options[i]) &&
               option_is_valid((enum mock_option)i, m->options[i]);
    }
    return true;
}

static bool load_speed(struct mock *m, const char *value)
{
    char *end;
    m->speed = strtod(value, &end);
    return end != value && *end == '\0' && speed_is_valid(m->speed);
}

static bool load_setting(struct mock *m, const char *name, const char *value)
{
    uint64_t n;
    if (strcmp(name, "speed") == 0) return load_speed(m, value);
    if (strcmp(name, "latency") == 0)
        return text_to_i64(text_of(value), 0, INT64_MAX, &m->call_latency_ms) &&
               latency_is_valid(m->call_latency_ms);
    if (strncmp(name, "option ", 7) == 0) return load_option(m, name + 7, value);
    if (strncmp(name, "rate ", 5) == 0) return option_set(m, name + 5, value, NULL) == ERR_OK;
    if (!text_to_u64(text_of(value), UINT64_MAX, &n)) return false;
    if (strcmp(name, "seed") == 0) m->seed = n;
    if (strcmp(name, "ids") == 0) m->n_ids = n;
    if (strcmp(name, "draws") == 0) m->n_draws = n;
    if (strcmp(name, "address") == 0) m->next_address = (uint32_t)n;
    if (strcmp(name, "seq") != 0) return true;
    if (n > MOCK_MAX_NUMBER) return false;
    m->store.next_seq = MAX_OF(m->store.next_seq, (int64_t)n);
    return true;
}

static const char *column_text(sqlite3_stmt *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s, column);
    return text == NULL ? "" : (const char *)text;
}

static bool row_setting(struct mock *m, sqlite3_stmt *s)
{
    return load_setting(m, column_text(s, 0), column_text(s, 1));
}

static bool row_token(struct mock *m, sqlite3_stmt *s)
{
    int64_t done_ms = sqlite3_column_int64(s, 2);
    if (done_ms < -MOCK_MAX_NUMBER || done_ms > MOCK_MAX_NUMBER) return false;
    return token_add(m, column_text(s, 0), column_text(s, 1), done_ms, column_text(s, 3), false);
}

static bool row_fault(struct mock *m, sqlite3_stmt *s)
{
    int64_t count = sqlite3_column_int64(s, 2);
    if (count <= 0 || count > UINT32_MAX) return true;
    return fault_code_is_valid(column_text(s, 1)) &&
           fault_add(m, column_text(s, 0), column_text(s, 1), (unsigned)count);
}

static enum err_code load_rows(struct mock *m, const char *sql, bool (*row)(struct mock *m, sqlite3_stmt *s),
                               struct err *err)
{
    CLEANUP(stmt_finalizep) sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(m->db, sql, -1, &s, NULL) != SQLITE_OK)
        return err_sqlite(err, m, "cannot read the file");
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW)
        if (!row(m, s)) return err_set(err, ERR_STATE, "the simulated cloud's file is damaged: %s", sql);
    return rc == SQLITE_DONE ? ERR_OK : err_sqlite(err, m, "cannot read the file");
}

/* Inside a transaction. */
static enum err_code load(struct mock *m, struct err *err)
{
    mock_forget(m);
    m->store.keeps_dirty = false;
    enum err_code e = load_entities(m, err);
    if (e == ERR_OK) e = load_rows(m, "SELECT name, value FROM setting", row_setting, err);
    if (e == ERR_OK)
        e = load_rows(m, "SELECT key, hash, done_ms, body FROM token ORDER BY n", row_token, err);
    if (e == ERR_OK) e = load_rows(m, "SELECT operation, code, count FROM fault ORDER BY n", row_fault, err);
    m->store.keeps_dirty = true;
    m->faults_dirty = m->settings_dirty = m->options_dirty = false;
    m->loaded = e == ERR_OK;
    return e;
}

static enum err_code read_data_version(struct mock *m, int64_t *out, struct err *err)
{
    sqlite3_stmt *s = m->stmts[SQL_DATA_VERSION];
    bool row = sqlite3_step(s) == SQLITE_ROW;
    if (row) *out = sqlite3_column_int64(s, 0);
    enum err_code e = row ? ERR_OK : err_sqlite(err, m, "cannot read the simulated cloud's file");
    (void)sqlite3_reset(s);
    return e;
}

/* ---- Transactions ---- */

static void leave(struct mock *m)
{
    if (m->in_transaction) (void)run(m, SQL_ROLLBACK, "", NULL); /* nothing is left to be done about it */
    m->in_transaction = m->writing = false;
}

enum err_code persist_begin(struct mock *m, bool write, struct err *err)
{
    if (m->db == NULL) return ERR_OK;
    ASSERT(!m->in_transaction);
    int64_t version = 0;
    if (!write) {
        enum err_code e = read_data_version(m, &version, err);
        if (e != ERR_OK || (m->loaded && version == m->data_version)) return e;
    }
    enum err_code e =
        run(m, write ? SQL_BEGIN_WRITE : SQL_BEGIN_READ, "cannot lock the simulated cloud's file", err);
    if (e != ERR_OK) return e;
    m->in_transaction = true;
    m->writing = write;
    e = read_data_version(m, &version, err);
    if (e == ERR_OK && (!m->loaded || version != m->data_version)) e = load(m, err);
    if (e == ERR_OK) m->data_version = version;
    if (e != ERR_OK || !write) leave(m);
    return e;
}

void persist_rollback(struct mock *m)
{
    if (m->db == NULL) return;
    leave(m);
    m->loaded = false;
}

static enum err_code write_entities(struct mock *m, struct err *err)
{
    CLEANUP(buf_fini) struct buf body;
    struct store *s = &m->store;
    buf_init(&body, MAX_BODY);
    enum err_code e = ERR_OK;
    for (struct entity *at = s->dirty, *next; at != NULL && e == ERR_OK; at = next) {
        next = at->next_dirty == at ? NULL : at->next_dirty;
        at->dirty = false;
        buf_reset(&body);
        entity_encode(&body, at);
        if (!buf_ok(&body)) return err_set(err, ERR_LIMIT, "object %s is too large", at->id);
        sqlite3_stmt *stmt = m->stmts[SQL_PUT_ENTITY];
        (void)sqlite3_bind_int64(stmt, 1, at->seq); /* binding fails only where step() then fails, too */
        (void)sqlite3_bind_text(stmt, 2, entity_types[at->type].name, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(stmt, 3, at->id, -1, SQLITE_STATIC);
        (void)sqlite3_bind_blob64(stmt, 4, body.ptr, body.len, SQLITE_STATIC);
        e = run(m, SQL_PUT_ENTITY, "cannot write an object", err);
    }
    s->dirty = NULL;
    for (size_t i = 0; i < s->n_removed && e == ERR_OK; i++) {
        (void)sqlite3_bind_int64(m->stmts[SQL_DELETE_ENTITY], 1, s->removed[i]);
        e = run(m, SQL_DELETE_ENTITY, "cannot delete an object", err);
    }
    s->n_removed = 0;
    return e;
}

static enum err_code put_setting(struct mock *m, const char *name, const char *value, struct err *err)
{
    (void)sqlite3_bind_text(m->stmts[SQL_PUT_SETTING], 1, name, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_text(m->stmts[SQL_PUT_SETTING], 2, value, -1, SQLITE_TRANSIENT);
    return run(m, SQL_PUT_SETTING, "cannot write the settings", err);
}

static enum err_code put_number_setting(struct mock *m, const char *name, uint64_t n, struct err *err)
{
    char value[24];
    (void)snprintf(value, sizeof(value), "%llu", (unsigned long long)n);
    return put_setting(m, name, value, err);
}

static enum err_code write_counters(struct mock *m, struct err *err)
{
    const struct {
        const char *name;
        uint64_t n;
    } counters[] = {{"ids", m->n_ids},
                    {"draws", m->n_draws},
                    {"address", m->next_address},
                    {"seq", (uint64_t)m->store.next_seq}};
    enum err_code e = ERR_OK;
    for (size_t i = 0; i < N_ELEMENTS(counters) && e == ERR_OK; i++)
        e = put_number_setting(m, counters[i].name, counters[i].n, err);
    m->settings_dirty = false;
    return e;
}

static enum err_code write_options(struct mock *m, struct err *err)
{
    char name[96], value[40];
    (void)snprintf(value, sizeof(value), "%.17g", m->speed);
    enum err_code e = put_setting(m, "speed", value, err);
    if (e == ERR_OK) e = put_number_setting(m, "seed", m->seed, err);
    if (e == ERR_OK) e = put_number_setting(m, "latency", (uint64_t)m->call_latency_ms, err);
    for (size_t i = 0; i < N_MOCK_OPTIONS && e == ERR_OK; i++) {
        (void)snprintf(name, sizeof(name), "option %s", option_names[i]);
        e = put_number_setting(m, name, (uint64_t)m->options[i], err);
    }
    for (size_t i = 0; i < N_OPERATIONS && e == ERR_OK; i++) {
        (void)snprintf(name, sizeof(name), "rate %s", operations[i].name);
        if (m->rates[i].limit > 0) e = put_number_setting(m, name, m->rates[i].limit, err);
    }
    m->options_dirty = false;
    return e;
}

static enum err_code write_tokens(struct mock *m, struct err *err)
{
    enum err_code e = ERR_OK;
    sqlite3_stmt *s = m->stmts[SQL_PUT_TOKEN];
    for (struct token_memory *t = m->new_tokens; t != NULL && e == ERR_OK; t = t->next_new) {
        (void)sqlite3_bind_text(s, 1, t->key, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(s, 2, t->hash, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(s, 3, t->done_ms);
        (void)sqlite3_bind_text(s, 4, t->body, -1, SQLITE_STATIC);
        e = run(m, SQL_PUT_TOKEN, "cannot write a token", err);
    }
    m->new_tokens = NULL;
    return e;
}

static enum err_code write_faults(struct mock *m, struct err *err)
{
    enum err_code e = exec(m, "DELETE FROM fault", "cannot write the faults", err);
    sqlite3_stmt *s = m->stmts[SQL_PUT_FAULT];
    for (const struct fault *f = m->faults; f != NULL && e == ERR_OK; f = f->next) {
        (void)sqlite3_bind_text(s, 1, f->operation, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(s, 2, f->code, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(s, 3, f->count);
        e = run(m, SQL_PUT_FAULT, "cannot write the faults", err);
    }
    m->faults_dirty = false;
    return e;
}

static enum err_code write_ledger(struct mock *m, struct err *err)
{
    enum err_code e = ERR_OK;
    sqlite3_stmt *s = m->stmts[SQL_PUT_LEDGER];
    for (size_t i = 0; i < m->ledger.n && e == ERR_OK; i++) {
        const struct ledger_row *row = &m->ledger.rows[i];
        (void)sqlite3_bind_int64(s, 1, row->at_ms);
        (void)sqlite3_bind_text(s, 2, row->operation, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int(s, 3, row->reads);
        (void)sqlite3_bind_int(s, 4, row->http_status);
        (void)sqlite3_bind_text(s, 5, row->code, -1, SQLITE_STATIC);
        e = run(m, SQL_PUT_LEDGER, "cannot write the ledger", err);
    }
    return e;
}

enum err_code persist_commit(struct mock *m, struct err *err)
{
    if (m->db == NULL || !m->in_transaction) return ERR_OK;
    enum err_code e = write_entities(m, err);
    if (e == ERR_OK && m->settings_dirty) e = write_counters(m, err);
    if (e == ERR_OK && m->options_dirty) e = write_options(m, err);
    if (e == ERR_OK) e = write_tokens(m, err);
    if (e == ERR_OK && m->faults_dirty) e = write_faults(m, err);
    if (e == ERR_OK) e = write_ledger(m, err);
    if (e == ERR_OK) e = run(m, SQL_COMMIT, "cannot write the simulated cloud's file", err);
    if (e != ERR_OK) {
        persist_rollback(m);
        return e;
    }
    m->in_transaction = m->writing = false;
    ledger_fini(&m->ledger);
    return ERR_OK;
}

/* ---- The ledger ---- */

enum err_code persist_read_ledger(struct mock *m, ledger_fn *each, void *ctx, struct err *err)
{
    if (m->db == NULL) {
        for (size_t i = 0; i < m->ledger.n; i++)
            each(ctx, m->ledger.n_dropped + (int64_t)i + 1, &m->ledger.rows[i]);
        return ERR_OK;
    }
    CLEANUP(stmt_finalizep) sqlite3_stmt *s = NULL;
    const char *sql = "SELECT n, at_ms, operation, reads, status, code FROM ledger ORDER BY n";
    if (sqlite3_prepare_v2(m->db, sql, -1, &s, NULL) != SQLITE_OK)
        return err_sqlite(err, m, "cannot read the ledger");
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        char operation[65], code[96];
        (void)snprintf(operation, sizeof(operation), "%s", column_text(s, 2));
        (void)snprintf(code, sizeof(code), "%s", column_text(s, 5));
        struct ledger_row row = {.at_ms = sqlite3_column_int64(s, 1),
                                 .operation = operation,
                                 .code = code,
                                 .reads = sqlite3_column_int(s, 3) != 0,
                                 .http_status = sqlite3_column_int(s, 4)};
        each(ctx, sqlite3_column_int64(s, 0), &row);
    }
    return rc == SQLITE_DONE ? ERR_OK : err_sqlite(err, m, "cannot read the ledger");
}

enum err_code persist_clear_ledger(struct mock *m, struct err *err)
{
    if (m->db == NULL) return ERR_OK;
    return exec(m, "DELETE FROM ledger; DELETE FROM sqlite_sequence WHERE name = 'ledger'",
                "cannot clear the ledger", err);
}

enum err_code persist_clear(struct mock *m, struct err *err)
{
    if (m->db == NULL) return ERR_OK;
    m->settings_dirty = m->options_dirty = true;
    return exec(
        m,
        "DELETE FROM entity; DELETE FROM token; DELETE FROM fault; DELETE FROM ledger; DELETE FROM setting;"
        "DELETE FROM sqlite_sequence",
        "cannot clear the simulated cloud", err);
}

/* ---- Opening ---- */

static enum err_code check_file(struct mock *m, const char *path, bool *is_new, struct err *err)
{
    int64_t id = 0, version = 0, n_tables = 0;
    enum err_code e = query_int(m, "PRAGMA application_id", &id, err);
    if (e == ERR_OK) e = query_int(m, "PRAGMA user_version", &version, err);
    if (e == ERR_OK) e = query_int(m, "SELECT count(*) FROM sqlite_schema", &n_tables, err);
    if (e != ERR_OK) return e;
    *is_new = id == 0 && version == 0 && n_tables == 0;
    if (*is_new) return ERR_OK;
    if (id != APPLICATION_ID) return err_set(err, ERR_STATE, "%s is not a file of the simulated cloud", path);
    if (version != FILE_VERSION)
        return err_set(err, ERR_STATE,
                       "%s has version %lld of the simulated cloud's file; this program knows version %d",
                       path, (long long)version, FILE_VERSION);
    return ERR_OK;
}

static enum err_code create_file(struct mock *m, struct err *err)
{
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID,
                   FILE_VERSION);
    enum err_code e = exec(m, sql, "cannot create the simulated cloud's file", err);
    if (e == ERR_OK) e = write_counters(m, err);
    return e == ERR_OK ? write_options(m, err) : e;
}

static enum err_code prepare_all(struct mock *m, enum statement first, enum statement last, struct err *err)
{
    for (enum statement s = first; s <= last; s++)
        if (sqlite3_prepare_v3(m->db, statements[s], -1, SQLITE_PREPARE_PERSISTENT, &m->stmts[s], NULL) !=
            SQLITE_OK)
            return err_sqlite(err, m, "cannot use the simulated cloud's file");
    return ERR_OK;
}

/* Old tokens and calls are let go when the file is opened, so that it does not grow for ever. */
static enum err_code prune(struct mock *m, struct err *err)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "DELETE FROM token WHERE n <= (SELECT max(n) FROM token) - %lld;"
                   "DELETE FROM ledger WHERE n <= (SELECT max(n) FROM ledger) - %d",
                   (long long)m->options[OPT_TOKENS], LEDGER_ROWS);
    return exec(m, sql, "cannot prune the simulated cloud's file", err);
}

static enum err_code set_up(struct mock *m, const char *path, struct err *err)
{
    bool is_new;
    enum err_code e =
        check_file(m, path, &is_new, err); /* before the journal mode would change a stranger's file */
    if (e == ERR_OK)
        e = exec(m, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF", "cannot open the file", err);
    if (e == ERR_OK) e = prepare_all(m, SQL_BEGIN_READ, SQL_DATA_VERSION, err);
    if (e == ERR_OK) e = run(m, SQL_BEGIN_WRITE, "cannot lock the simulated cloud's file", err);
    if (e != ERR_OK) return e;
    m->in_transaction = true;
    e = check_file(m, path, &is_new, err); /* another process may have been first */
    if (e == ERR_OK && is_new) e = exec(m, schema, "cannot create the simulated cloud's file", err);
    if (e == ERR_OK) e = prepare_all(m, SQL_PUT_ENTITY, SQL_PUT_LEDGER, err);
    if (e == ERR_OK && is_new) e = create_file(m, err);
    if (e == ERR_OK) e = load(m, err);
    if (e == ERR_OK) e = prune(m, err);
    if (e == ERR_OK) e = read_data_version(m, &m->data_version, err);
    if (e == ERR_OK) e = run(m, SQL_COMMIT, "cannot write the simulated cloud's file", err);
    if (e == ERR_OK) m->in_transaction = false;
    leave(m);
    return e;
}

/* SQLite would make the file as the umask says; its logs get the file's own mode. */
static void make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) (void)close(fd); /* an empty file is a new database; what else is wrong SQLite says */
}

enum err_code persist_open(struct mock *m, const char *path, struct err *err)
{
    make_private(path);
    if (sqlite3_open_v2(path, &m->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK) {
        enum err_code e = err_sqlite(err, m, path);
        persist_close(m);
        return e;
    }
    (void)sqlite3_busy_timeout(m->db, BUSY_TIMEOUT_MS);
    enum err_code e = set_up(m, path, err);
    if (e != ERR_OK) {
        persist_close(m);
        return err_wrap(err, "%s", path);
    }
    return ERR_OK;
}

void persist_close(struct mock *m)
{
    for (size_t i = 0; i < N_STATEMENTS; i++) {
        (void)sqlite3_finalize(m->stmts[i]); /* repeats step()'s error */
        m->stmts[i] = NULL;
    }
    (void)sqlite3_close(m->db); /* nothing is open on it any more */
    m->db = NULL;
}

/* sqlite.c - statements, transactions, and the translation of SQLite's codes. */
#include "state/sqlite.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* What a primary result code means for us, and what a person can do about it. */
static const struct meaning {
    int primary;
    enum err_code code;
    const char *says;
} meanings[] = {
    {SQLITE_BUSY, ERR_BUSY, "another process is writing to it; try again in a moment"},
    {SQLITE_LOCKED, ERR_BUSY, "it is in use; try again in a moment"},
    {SQLITE_PROTOCOL, ERR_BUSY, "another process is opening it; try again in a moment"},
    {SQLITE_CORRUPT, ERR_STATE,
     "the state file is damaged; it was left as it is: restore a backup, or move it away and run"
     " `headgate state rebuild`"},
    {SQLITE_NOTADB, ERR_STATE,
     "it is not a headgate state file: nothing in it was changed; choose another path for the state"},
    {SQLITE_READONLY, ERR_IO,
     "it is read-only: make the file and its folder writable, or choose another path"},
    {SQLITE_PERM, ERR_IO, "no permission"},
    {SQLITE_AUTH, ERR_IO, "no permission"},
    {SQLITE_FULL, ERR_IO, "disk full, the file is as it was before: make room and try again"},
    {SQLITE_IOERR, ERR_IO, "reading or writing it failed"},
    {SQLITE_CANTOPEN, ERR_IO, "it cannot be opened"},
    {SQLITE_NOLFS, ERR_IO, "the file system cannot hold a file that large"},
    {SQLITE_TOOBIG, ERR_LIMIT, "a value is too large for the state"},
    {SQLITE_INTERRUPT, ERR_CANCELED, "interrupted"},
    {SQLITE_NOMEM, ERR_NOMEM, "out of memory"},
    {SQLITE_CONSTRAINT, ERR_STATE, "the state would contradict itself, nothing was changed"},
};

/* Anything else tells that tables are not what they should be: a statement of ours does not fit them. */
static const struct meaning meaning_other = {
    SQLITE_ERROR, ERR_STATE, "it does not have the tables of a headgate state file; nothing was changed"};

static const struct meaning *meaning_of(int primary)
{
    for (size_t i = 0; i < N_ELEMENTS(meanings); i++)
        if (meanings[i].primary == primary) return &meanings[i];
    return &meaning_other;
}

enum err_code err_sqlite(struct err *err, sqlite3 *db, const char *path, const char *doing)
{
    if (db == NULL) return err_nomem(err); /* the one reason for which sqlite3_open_v2() gives none */
    int primary = sqlite3_extended_errcode(db) & 0xff;
    int system = sqlite3_system_errno(db);
    /* Only the files beside the database report these as plain I/O errors. */
    if (primary == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT)) primary = SQLITE_FULL;
    if (primary == SQLITE_CANTOPEN && system == EROFS) primary = SQLITE_READONLY;
    const struct meaning *m = meaning_of(primary);
    bool has_errno = (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) && system != 0;
    char reason[128];
    const char *detail =
        has_errno ? strerror_r(system, reason, sizeof reason) /* the GNU one */ : sqlite3_errmsg(db);
    return err_set(err, m->code, "%s: %s (cannot %s: %s)", path, m->says, doing, detail);
}

enum err_code err_unread(struct err *err, const char *path, struct text finding)
{
    static const char before[] = "error code="; /* the only place where the code is told */
    const char *at = memmem(finding.ptr, finding.len, before, sizeof before - 1);
    if (at == NULL) return ERR_OK;
    struct text rest = {at + sizeof before - 1, 0};
    while (rest.ptr + rest.len < finding.ptr + finding.len && rest.ptr[rest.len] >= '0' &&
           rest.ptr[rest.len] <= '9')
        rest.len++;
    uint64_t code;
    char found[SHOWN_SIZE];
    if (!text_to_u64(rest, INT32_MAX, &code) || (code & 0xff) != SQLITE_IOERR) return ERR_OK;
    return err_set(err, ERR_IO, "%s: %s (cannot check it: %s)", path, meaning_of(SQLITE_IOERR)->says,
                   shown(finding, found));
}

static enum err_code bind_all(struct store *s, sqlite3_stmt *stmt, const struct arg *args, size_t n_args,
                              struct err *err)
{
    ASSERT(sqlite3_bind_parameter_count(stmt) == (int)n_args);
    for (size_t i = 0; i < n_args; i++) {
        const struct arg *a = &args[i];
        int rc = a->is_text ? sqlite3_bind_text64(stmt, (int)i + 1, a->text.ptr == NULL ? "" : a->text.ptr,
                                                  a->text.len, SQLITE_STATIC, SQLITE_UTF8)
                            : sqlite3_bind_int64(stmt, (int)i + 1, a->num);
        if (rc != SQLITE_OK) return err_sqlite(err, s->db, s->path, "bind a value");
    }
    return ERR_OK;
}

enum err_code stmt_start(struct store *s, enum stmt_id id, const struct arg *args, size_t n_args,
                         sqlite3_stmt **out, struct err *err)
{
    sqlite3_stmt *stmt = s->stmts[id];
    if (stmt == NULL) {
        if (sqlite3_prepare_v3(s->db, sql_of_stmt[id], -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) !=
            SQLITE_OK)
            return err_sqlite(err, s->db, s->path, "prepare a statement");
        s->stmts[id] = stmt;
    }
    ASSERT(!sqlite3_stmt_busy(stmt));
    TRY(bind_all(s, stmt, args, n_args, err));
    *out = stmt;
    return ERR_OK;
}

/* What a statement is about, for messages: the first words of its text would tell less. */
static const char *doing_of(sqlite3_stmt *stmt)
{
    bool reads = sqlite3_stmt_readonly(stmt) && sqlite3_column_count(stmt) > 0; /* COMMIT is "read-only" */
    return reads ? "read it" : "write to it";
}

enum err_code stmt_next(struct store *s, sqlite3_stmt *stmt, bool *row, struct err *err)
{
    int rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return err_sqlite(err, s->db, s->path, doing_of(stmt));
    *row = rc == SQLITE_ROW;
    return ERR_OK;
}

void stmt_resetp(sqlite3_stmt **stmt)
{
    if (*stmt != NULL) (void)sqlite3_reset(*stmt); /* repeats step()'s error */
}

enum err_code stmt_run(struct store *s, enum stmt_id id, const struct arg *args, size_t n_args,
                       struct err *err)
{
    CLEANUP(stmt_resetp) sqlite3_stmt *stmt = NULL;
    bool row = false;
    TRY(stmt_start(s, id, args, n_args, &stmt, err));
    return stmt_next(s, stmt, &row, err);
}

enum err_code stmt_int(struct store *s, enum stmt_id id, const struct arg *args, size_t n_args,
                       int64_t absent, int64_t *out, struct err *err)
{
    CLEANUP(stmt_resetp) sqlite3_stmt *stmt = NULL;
    bool row = false;
    TRY(stmt_start(s, id, args, n_args, &stmt, err));
    TRY(stmt_next(s, stmt, &row, err));
    *out = row ? sqlite3_column_int64(stmt, 0) : absent;
    return ERR_OK;
}

struct text column_slice(sqlite3_stmt *stmt, int i)
{
    const char *p = (const char *)sqlite3_column_text(stmt, i);
    int n = sqlite3_column_bytes(stmt, i);
    return p == NULL ? (struct text){"", 0} : (struct text){p, (size_t)n};
}

struct text column_text(sqlite3_stmt *stmt, int i, struct arena *a)
{
    return arena_text(a, column_slice(stmt, i));
}

const char *column_str(sqlite3_stmt *stmt, int i, struct arena *a)
{
    return column_text(stmt, i, a).ptr;
}

void column_fixed(sqlite3_stmt *stmt, int i, char *out, size_t size)
{
    struct text t = column_slice(stmt, i);
    size_t n = MIN_OF(t.len, size - 1);
    memcpy(out, t.ptr, n);
    out[n] = '\0';
}

enum err_code txn_begin(struct store *s, enum txn_type type, struct store **txn, struct err *err)
{
    /* Out of memory the one before may not have come to its end: see txn_endp(). */
    if (!sqlite3_get_autocommit(s->db) && sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
        return err_nomem(err);
    if (type == TXN_WRITE && s->mode == STORE_READ_ONLY)
        return err_set(err, ERR_STATE, "%s: the state was opened for reading only", s->path);
    TRY(stmt_run(s, type == TXN_WRITE ? STMT_BEGIN_IMMEDIATE : STMT_BEGIN, NO_ARGS, err));
    *txn = s;
    return ERR_OK;
}

enum err_code txn_commit(struct store **txn, struct err *err)
{
    TRY(stmt_run(*txn, STMT_COMMIT, NO_ARGS, err)); /* when it fails, txn_endp() rolls back */
    *txn = NULL;
    return ERR_OK;
}

void txn_endp(struct store **txn)
{
    if (*txn == NULL || sqlite3_get_autocommit((*txn)->db)) return; /* SQLite rolled back by itself */
    /* It fails after errors for which SQLite has rolled back, and where there is no memory even for that:
     * then txn_begin() does it. */
    (void)sqlite3_exec((*txn)->db, "ROLLBACK", NULL, NULL, NULL);
}

enum err_code stack_find(struct store *s, struct text stack, int64_t *id, struct err *err)
{
    return stmt_int(s, STMT_STACK_FIND, ARGS(ARG_TEXT(stack)), 0, id, err);
}

enum err_code stack_make(struct store *s, struct text stack, int64_t *id, struct err *err)
{
    TRY(stack_find(s, stack, id, err));
    if (*id != 0) return ERR_OK;
    TRY(stmt_run(s, STMT_STACK_ADD, ARGS(ARG_TEXT(stack)), err));
    *id = sqlite3_last_insert_rowid(s->db);
    return ERR_OK;
}

enum err_code kind_of_row(const struct store *s, struct text kind, struct text name, enum kind *out,
                          struct err *err)
{
    *out = kind_of_name(kind);
    if (*out != KIND_NONE) return ERR_OK;
    char kind_shown[SHOWN_SIZE], name_shown[SHOWN_SIZE];
    return err_set(err, ERR_STATE,
                   "%s: %s/%s is of a kind that this headgate does not know; use a newer headgate, or remove"
                   " the row with the one that wrote it",
                   s->path, shown(kind, kind_shown), shown(name, name_shown));
}

char *shown(struct text t, char out[SHOWN_SIZE])
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 1024);
    buf_put_escaped(&b, (struct text){t.ptr, MIN_OF(t.len, (size_t)SHOWN_SIZE)});
    (void)snprintf(out, SHOWN_SIZE, "%s", buf_str(&b)); /* cut: it is for a message */
    return out;
}

enum err_code random_id(char out[STORE_ID_SIZE], struct err *err)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return err_set(err, ERR_IO, "no random bytes from the kernel: %s", strerror(errno));
    unsigned __int128 bits = 0;
    for (size_t i = 0; i < sizeof bytes; i++) bits = bits << 8 | bytes[i];
    for (int i = STORE_ID_LEN - 1; i >= 0; i--, bits >>= 5) out[i] = digits[bits & 31];
    out[STORE_ID_LEN] = '\0';
    return ERR_OK;
}

/* sqlite.h - the store's inside: one SQLite connection, its cached statements, and the one place that turns
 * SQLite's codes into ours. Private to state/. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/buf.h"
#include "reconciler/base/err.h"
#include "state/sql.h"
#include "state/store.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { STORE_ID_LEN = 26, STORE_ID_SIZE = STORE_ID_LEN + 1 };

/* A lock that this store took. */
struct held_lock {
    struct held_lock *next;
    char id[STORE_ID_SIZE];
    size_t stack_len;
    char stack[];
};

struct store {
    sqlite3 *db;
    char *path; /* as the user gave it, for messages */
    enum store_mode mode;
    char id[STORE_ID_SIZE];
    sqlite3_stmt *stmts[N_STMTS]; /* prepared when first used */
    struct buf given, fields;     /* for encoding a record; kept to reuse their memory */
    struct held_lock *held;
};

/* Leaves the function with the code of the failed call, which has filled 'err'. */
#define TRY(call)                                                                                            \
    do {                                                                                                     \
        enum err_code code_ = (call);                                                                        \
        if (code_ != ERR_OK) return code_;                                                                   \
    } while (0)

/* Why the last call on 'db' failed, as one of our codes, with the path and what to do. 'doing' completes
 * "cannot …". */
enum err_code err_sqlite(struct err *err, sqlite3 *db, const char *path, const char *doing);

/* SQLite's checks tell as a finding, too, that a page could not be read. ERR_IO for such a one, ERR_OK for
 * what is wrong with the file itself. */
enum err_code err_unread(struct err *err, const char *path, struct text finding);

/* Opens s->db and makes what the file says harmless: a schema from outside runs no function of ours. After a
 * failure there may be a connection, too. */
MUST_CHECK enum err_code store_connect(struct store *s, const char *name, int flags, struct err *err);
void store_disconnect(struct store *s);

/* ---- create.c ---- */
/* The folders above a path that are missing. */
MUST_CHECK enum err_code make_folders(const char *path, struct err *err);
/* The name of a new file is durable when its folder is. */
MUST_CHECK enum err_code sync_folder(const char *path, struct err *err);
/* Makes the file at s->path, where none is: complete, mode 0600, durable. No error when another process made
 * one meanwhile. s->db is closed before and after. */
MUST_CHECK enum err_code store_create(struct store *s, struct err *err);

/* One parameter of a statement. */
struct arg {
    bool is_text;
    int64_t num;
    struct text text;
};
#define ARG_INT(n)  ((struct arg){.num = (n)})
#define ARG_TEXT(t) ((struct arg){.is_text = true, .text = (t)})
#define ARG_STR(s)  ((struct arg){.is_text = true, .text = text_of(s)})
/* A list of them and its length: two parameters. */
#define ARGS(...) (const struct arg[]){__VA_ARGS__}, N_ELEMENTS(((const struct arg[]){__VA_ARGS__}))
#define NO_ARGS   NULL, 0

/* A cached statement with its parameters bound, ready for stmt_next(). The arguments' text must live until it
 * is reset; declare the variable with CLEANUP(stmt_resetp). */
MUST_CHECK enum err_code stmt_start(struct store *s, enum stmt_id id, const struct arg *args, size_t n_args,
                                    sqlite3_stmt **out, struct err *err);
/* The next row: *row says whether there is one. */
MUST_CHECK enum err_code stmt_next(struct store *s, sqlite3_stmt *stmt, bool *row, struct err *err);
void stmt_resetp(sqlite3_stmt **stmt);
/* For statements without rows: start, step, reset. */
MUST_CHECK enum err_code stmt_run(struct store *s, enum stmt_id id, const struct arg *args, size_t n_args,
                                  struct err *err);
/* For statements with at most one row of one integer: *out is it, or 'absent'. */
MUST_CHECK enum err_code stmt_int(struct store *s, enum stmt_id id, const struct arg *args, size_t n_args,
                                  int64_t absent, int64_t *out, struct err *err);

/* Columns of the current row. column_slice() borrows until the next step, the others copy to the arena; .ptr
 * or NULL when out of memory. */
struct text column_slice(sqlite3_stmt *stmt, int i);
struct text column_text(sqlite3_stmt *stmt, int i, struct arena *a);
const char *column_str(sqlite3_stmt *stmt, int i, struct arena *a);
/* Into a fixed array, cut when longer. */
void column_fixed(sqlite3_stmt *stmt, int i, char *out, size_t size);

/* A transaction: declare CLEANUP(txn_endp) struct store *txn = NULL. What is not committed at the end of the
 * scope is rolled back. TXN_WRITE takes the write lock at once, so that it does not fail half way. */
enum txn_type { TXN_READ, TXN_WRITE };
MUST_CHECK enum err_code txn_begin(struct store *s, enum txn_type type, struct store **txn, struct err *err);
MUST_CHECK enum err_code txn_commit(struct store **txn, struct err *err);
void txn_endp(struct store **txn);

/* The row id of a stack; 0 when it is unknown. stack_make() adds it then. */
MUST_CHECK enum err_code stack_find(struct store *s, struct text stack, int64_t *id, struct err *err);
MUST_CHECK enum err_code stack_make(struct store *s, struct text stack, int64_t *id, struct err *err);

/* The kind of a row; ERR_STATE with the row's address when this headgate does not know it. */
MUST_CHECK enum err_code kind_of_row(const struct store *s, struct text kind, struct text name,
                                     enum kind *out, struct err *err);

/* Text of a row, fit for a message: escaped, cut. */
enum { SHOWN_SIZE = 160 };
char *shown(struct text t, char out[SHOWN_SIZE]);

/* 128 random bits as 26 characters of Crockford's base 32. */
MUST_CHECK enum err_code random_id(char out[STORE_ID_SIZE], struct err *err);

/* Between the files of the store: each applies one write inside store_write()'s transaction. */
MUST_CHECK enum err_code record_put(struct store *s, int64_t stack, const struct record *r, struct err *err);
MUST_CHECK enum err_code record_forget(struct store *s, int64_t stack, enum kind kind, struct text name,
                                       struct err *err);
MUST_CHECK enum err_code intent_put(struct store *s, int64_t stack, const struct intent *i, struct err *err);
MUST_CHECK enum err_code event_put(struct store *s, int64_t stack, const struct event_row *e,
                                   struct err *err);
MUST_CHECK enum err_code run_put(struct store *s, int64_t stack, struct run_row *r, struct err *err);
/* ERR_LOCKED when this store took the lock of the stack and does not hold it any more. */
MUST_CHECK enum err_code lock_check(struct store *s, struct text stack, int64_t stack_id, struct err *err);
void lock_forget_all(struct store *s);

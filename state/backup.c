/* backup.c - an online copy of the state file. */
#include "state/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "state/sqlite.h"

struct target {
    sqlite3 *db;
    const char *path; /* NULL once the copy is complete: it stays */
};

static void target_endp(struct target *t)
{
    (void)sqlite3_close(t->db);                 /* nothing is open on it; accepts NULL */
    if (t->path != NULL) (void)unlink(t->path); /* ours, and incomplete */
}

/* Creates the copy's file; one that exists is never touched. */
static enum err_code make_target(const char *path, struct target *t, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return err_set(err, ERR_INPUT, "%s: it exists already; choose another path for the backup", path);
    if (fd < 0) return err_set(err, ERR_IO, "%s: cannot create the backup: %s", path, strerror(errno));
    (void)close(fd); /* nothing was written */
    t->path = path;
    return ERR_OK;
}

static enum err_code copy_pages(struct store *s, struct target *t, struct err *err)
{
    sqlite3_backup *b = sqlite3_backup_init(t->db, "main", s->db, "main");
    if (b == NULL) return err_sqlite(err, t->db, t->path, "write the backup");
    (void)sqlite3_backup_step(b, -1); /* all at once, from one snapshot; finish() tells */
    if (sqlite3_backup_finish(b) != SQLITE_OK) return err_sqlite(err, t->db, t->path, "write the backup");
    return ERR_OK;
}

/* SQLite takes a plain name; one that begins with ":" or "file:" would mean something else to it. */
static enum err_code open_target(const char *path, struct target *t, struct err *err)
{
    char *absolute = realpath(path, NULL);
    if (absolute == NULL)
        return err_set(err, ERR_IO, "%s: cannot open the backup: %s", path, strerror(errno));
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(absolute, &t->db, flags, NULL);
    free(absolute);
    return rc == SQLITE_OK ? ERR_OK : err_sqlite(err, t->db, path, "open the backup");
}

enum err_code store_backup(struct store *s, const char *path, struct err *err)
{
    CLEANUP(target_endp) struct target t = {0};
    if (s->id[0] == '\0') return err_set(err, ERR_INPUT, "%s: there is no state to back up", s->path);
    TRY(make_target(path, &t, err));
    TRY(open_target(path, &t, err));
    TRY(copy_pages(s, &t, err));
    /* Whoever holds a lock works on the original. Leaving WAL mode puts everything into the one file. */
    if (sqlite3_exec(t.db, "PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE; DELETE FROM locks", NULL,
                     NULL, NULL) != SQLITE_OK)
        return err_sqlite(err, t.db, path, "finish the backup");
    int rc = sqlite3_close(t.db);
    ASSERT(rc == SQLITE_OK); /* nothing is open on it */
    t.db = NULL;
    TRY(sync_folder(path, err));
    t.path = NULL;
    return ERR_OK;
}

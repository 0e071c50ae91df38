/* create.c - a state file comes into being whole or not at all.
 *
 * It is made under a name of its own beside the path, with its tables, and gets its real name when it is
 * durable. So a file that is there and empty was never made by us, whatever crashed when. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/migrate.h"
#include "state/sqlite.h"

enum { FOLDER_MODE = 0700 };

static void freep(char **p)
{
    free(*p);
}

enum err_code make_folders(const char *path, struct err *err)
{
    CLEANUP(freep) char *folder = strdup(path);
    if (folder == NULL) return err_nomem(err);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        /* Not every existing folder is told as EEXIST: a read-only file system says so first. */
        struct stat st;
        if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST) {
            int reason = errno;
            if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
                return err_set(err, ERR_IO, "%s: cannot create folder %s: %s", path, folder,
                               strerror(reason));
        }
        *slash = '/';
    }
    return ERR_OK;
}

enum err_code sync_folder(const char *path, struct err *err)
{
    CLEANUP(freep) char *copy = strdup(path);
    if (copy == NULL) return err_nomem(err);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    int reason = errno;
    if (fd >= 0) (void)close(fd);                   /* nothing was written */
    if (rc == 0 || reason == EINVAL) return ERR_OK; /* a file system that does not sync folders */
    return err_set(err, ERR_IO, "%s: cannot make it durable: %s", path, strerror(reason));
}

/* The file before it has its name. */
static void draft_endp(char **name)
{
    if (*name != NULL) (void)unlink(*name); /* ours; when it stays, it is in nobody's way */
    free(*name);
}

static enum err_code cannot_create(const struct store *s, struct err *err)
{
    return err_set(err, ERR_IO, "%s: cannot create the state file: %s; choose another path", s->path,
                   strerror(errno));
}

/* An empty file of mode 0600 (mkostemp()'s), whose name is absolute: nothing special to SQLite. */
static enum err_code make_draft(const struct store *s, char **out, struct err *err)
{
    CLEANUP(freep) char *name = NULL;
    if (asprintf(&name, "%s.new-XXXXXX", s->path) < 0) {
        name = NULL;
        return err_nomem(err);
    }
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0) return cannot_create(s, err);
    (void)close(fd); /* nothing was written */
    *out = realpath(name, NULL);
    if (*out != NULL) return ERR_OK;
    (void)cannot_create(s, err);
    (void)unlink(name); /* as draft_endp() */
    return err->code;
}

/* Gives it its name, unless another process was faster: then that one's file is as good. Not every file
 * system knows both ways to rename without replacing. */
static enum err_code name_it(const struct store *s, const char *draft, struct err *err)
{
    int rc = renameat2(AT_FDCWD, draft, AT_FDCWD, s->path, RENAME_NOREPLACE);
    if (rc != 0 && (errno == EINVAL || errno == ENOSYS)) rc = link(draft, s->path);
    if (rc == 0) return sync_folder(s->path, err);
    return errno == EEXIST ? ERR_OK : cannot_create(s, err);
}

enum err_code store_create(struct store *s, struct err *err)
{
    CLEANUP(draft_endp) char *draft = NULL;
    TRY(make_draft(s, &draft, err));
    ASSERT(draft != NULL);
    enum err_code code = store_connect(s, draft, SQLITE_OPEN_READWRITE, err);
    if (code == ERR_OK) code = migrate(s->db, s->path, store_migrations, STORE_SCHEMA_VERSION, err);
    if (s->db != NULL) store_disconnect(s);
    return code == ERR_OK ? name_it(s, draft, err) : code;
}

/* power_vfs.c - the disk. Its files live in a small table; the log points into it. power_replay.c cuts. */
#include "tests/support/power_disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR_OF_SQLITE = 4096, MAX_REGIONS = 64 };
#define NO_INODE ((ino_t)-1)

/* What SQLite holds of an open file. */
struct handle {
    sqlite3_file base;
    struct power_disk *disk;
    struct power_file *file;
    char *real;  /* the stand-in of a database; else NULL */
    bool is_new; /* SQLite's usual VFS syncs the folder of a new file with the file's first sync */
};

static struct handle *handle_of(sqlite3_file *f)
{
    return (struct handle *)f;
}

/* ---- bytes ---- */

void bytes_resize(struct bytes *b, size_t size)
{
    if (size > b->capacity) {
        size_t capacity = MAX_OF(size, b->capacity * 2);
        unsigned char *grown = realloc(b->ptr, capacity);
        ASSERT(grown != NULL);
        b->ptr = grown;
        b->capacity = capacity;
    }
    if (size > b->size) memset(b->ptr + b->size, 0, size - b->size);
    b->size = size;
}

void bytes_copy(struct bytes *to, const struct bytes *from)
{
    bytes_resize(to, 0);
    bytes_resize(to, from->size);
    if (from->size > 0) memcpy(to->ptr, from->ptr, from->size);
}

/* ---- failing ---- */

void power_fail_at(struct power_disk *d, enum power_fault fault, uint64_t n)
{
    d->fault = fault;
    d->fail_in = n;
    d->failed[0] = '\0';
}

void power_pause_faults(struct power_disk *d, bool paused)
{
    d->paused = paused;
}

const char *power_failed(const struct power_disk *d)
{
    return d->failed[0] == '\0' ? NULL : d->failed;
}

static const char *base_name(const char *path)
{
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    return slash == NULL ? (path == NULL ? "(temporary)" : path) : slash + 1;
}

/* The code of an operation that fails now; SQLITE_OK: it does not. */
static int fault(struct power_disk *d, const char *what, const char *path, int io_code, int full_code)
{
    int code = d->fault == POWER_DISK_FULL ? full_code : io_code;
    d->last_errno = 0;
    if (code == SQLITE_OK || d->paused || d->fail_in == 0 || --d->fail_in > 0) return SQLITE_OK;
    d->last_errno = d->fault == POWER_DISK_FULL ? ENOSPC : EIO;
    (void)snprintf(d->failed, sizeof d->failed, "%s %s", what, base_name(path)); /* cut: it is for people */
    return code;
}

/* ---- the log ---- */

static struct power_op *log_op(struct power_disk *d, enum power_op_type type, const struct power_file *f)
{
    if (!d->recording || f->temporary) return NULL;
    if (d->n_ops == d->ops_capacity) {
        d->ops_capacity = MAX_OF(d->ops_capacity * 2, (size_t)1024);
        d->ops = reallocarray(d->ops, d->ops_capacity, sizeof *d->ops);
        ASSERT(d->ops != NULL);
    }
    struct power_op *op = &d->ops[d->n_ops++];
    *op = (struct power_op){.type = type, .file = (size_t)(f - d->files)};
    return op;
}

static void forget_log(struct power_disk *d)
{
    for (size_t k = 0; k < d->n_ops; k++) free(d->ops[k].data);
    d->n_ops = 0;
}

void power_record(struct power_disk *d)
{
    forget_log(d);
    d->recording = true;
    for (size_t k = 0; k < N_ELEMENTS(d->files); k++) {
        d->files[k].existed = d->files[k].exists;
        bytes_copy(&d->files[k].durable, &d->files[k].content);
    }
}

size_t power_log_length(const struct power_disk *d)
{
    return d->n_ops;
}

/* ---- files ---- */

static void drop_regions(struct power_file *f)
{
    for (size_t k = 0; k < f->n_regions; k++) free(f->regions[k]);
    f->n_regions = 0;
}

static struct power_file *find_file(struct power_disk *d, const char *path, ino_t inode)
{
    for (size_t k = 0; k < N_ELEMENTS(d->files); k++) {
        struct power_file *f = &d->files[k];
        if (f->used && (inode != 0 ? f->inode == inode : f->inode == 0 && strcmp(f->path, path) == 0))
            return f;
    }
    return NULL;
}

static struct power_file *new_file(struct power_disk *d, const char *path, ino_t inode)
{
    size_t k = 0;
    while (k < N_ELEMENTS(d->files) && d->files[k].used) k++;
    ASSERT(k < N_ELEMENTS(d->files));
    struct power_file *f = &d->files[k];
    f->used = true;
    f->temporary = path == NULL;
    f->inode = inode;
    (void)snprintf(f->path, sizeof f->path, "%s", path == NULL ? "" : path);
    ASSERT(path == NULL || strlen(path) < sizeof f->path);
    return f;
}

static void release_file(struct power_file *f)
{
    drop_regions(f);
    free(f->content.ptr);
    free(f->durable.ptr);
    *f = (struct power_file){.used = false};
}

/* ---- methods of an open file ---- */

static int file_close(sqlite3_file *file)
{
    struct handle *h = handle_of(file);
    h->file->is_open = false;
    free(h->real);
    if (h->file->temporary) release_file(h->file);
    return SQLITE_OK;
}

static int file_read(sqlite3_file *file, void *out, int n, sqlite3_int64 at)
{
    struct handle *h = handle_of(file);
    int code = fault(h->disk, "read", h->file->path, SQLITE_IOERR_READ, SQLITE_OK);
    if (code != SQLITE_OK) return code;
    const struct bytes *b = &h->file->content;
    size_t from = MIN_OF((size_t)at, b->size), there = MIN_OF((size_t)n, b->size - from);
    if (there > 0) memcpy(out, b->ptr + from, there);
    memset((char *)out + there, 0, (size_t)n - there);
    return there == (size_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

/* The stand-in has the size of what it stands for. */
static void mirror_size(const struct handle *h)
{
    if (h->real == NULL) return;
    int rc = truncate(h->real, (off_t)h->file->content.size);
    ASSERT(rc == 0);
}

static int file_write(sqlite3_file *file, const void *data, int n, sqlite3_int64 at)
{
    struct handle *h = handle_of(file);
    size_t size = (size_t)n, from = (size_t)at;
    int code = fault(h->disk, "write", h->file->path, SQLITE_IOERR_WRITE, SQLITE_FULL);
    if (code != SQLITE_OK) size /= 2;
    struct bytes *b = &h->file->content;
    struct power_op *op = log_op(h->disk, POWER_WRITE, h->file);
    bool grows = from + size > b->size;
    if (grows) bytes_resize(b, from + size);
    memcpy(b->ptr + from, data, size);
    if (grows) mirror_size(h);
    if (op == NULL) return code;
    op->at = from;
    op->size = size;
    op->data = malloc(MAX_OF(size, (size_t)1));
    ASSERT(op->data != NULL);
    memcpy(op->data, data, size);
    return code;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct handle *h = handle_of(file);
    int code = fault(h->disk, "truncate", h->file->path, SQLITE_IOERR_TRUNCATE, SQLITE_OK);
    if (code != SQLITE_OK) return code;
    struct power_op *op = log_op(h->disk, POWER_TRUNCATE, h->file);
    if (op != NULL) op->size = (size_t)size;
    bytes_resize(&h->file->content, (size_t)size);
    mirror_size(h);
    return SQLITE_OK;
}

static int file_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    struct handle *h = handle_of(file);
    int code = fault(h->disk, "sync", h->file->path, SQLITE_IOERR_FSYNC, SQLITE_IOERR_FSYNC);
    if (code != SQLITE_OK) return code;
    (void)log_op(h->disk, POWER_SYNC, h->file);
    if (h->is_new) (void)log_op(h->disk, POWER_SYNC_FOLDER, h->file);
    h->is_new = false;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out)
{
    struct handle *h = handle_of(file);
    *out = (sqlite3_int64)h->file->content.size;
    return fault(h->disk, "size", h->file->path, SQLITE_IOERR_FSTAT, SQLITE_OK);
}

/* One connection: its locks are always free. */
static int file_lock(sqlite3_file *file, int level)
{
    (void)level;
    struct handle *h = handle_of(file);
    return fault(h->disk, "lock", h->file->path, SQLITE_IOERR_LOCK, SQLITE_OK);
}

static int file_unlock(sqlite3_file *file, int level)
{
    (void)level;
    struct handle *h = handle_of(file);
    return fault(h->disk, "unlock", h->file->path, SQLITE_IOERR_UNLOCK, SQLITE_OK);
}

static int file_check_reserved(sqlite3_file *file, int *out)
{
    struct handle *h = handle_of(file);
    *out = 0;
    return fault(h->disk, "look for a lock on", h->file->path, SQLITE_IOERR_CHECKRESERVEDLOCK, SQLITE_OK);
}

static int file_control(sqlite3_file *file, int op, void *argument)
{
    (void)file, (void)op, (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *file)
{
    (void)file;
    return SECTOR_OF_SQLITE; /* as SQLite's own: the tearing is ours */
}

static int file_characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* as SQLite's own */
}

static int shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
    struct handle *h = handle_of(file);
    struct power_file *f = h->file;
    *out = NULL;
    int code = fault(h->disk, "map the index of", f->path, SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMSIZE);
    if (code != SQLITE_OK) return code;
    ASSERT(region < MAX_REGIONS);
    if ((size_t)region >= f->n_regions && !extend) return SQLITE_OK;
    for (; f->n_regions <= (size_t)region; f->n_regions++) {
        f->regions[f->n_regions] = calloc(1, (size_t)size);
        ASSERT(f->regions[f->n_regions] != NULL);
    }
    *out = f->regions[region];
    return SQLITE_OK;
}

static int shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    (void)offset, (void)n;
    struct handle *h = handle_of(file);
    if ((flags & SQLITE_SHM_UNLOCK) != 0) return SQLITE_OK; /* SQLite does not look at this one */
    return fault(h->disk, "lock the index of", h->file->path, SQLITE_IOERR_SHMLOCK, SQLITE_OK);
}

static void shm_barrier(sqlite3_file *file)
{
    (void)file;
}

static int shm_unmap(sqlite3_file *file, int delete)
{
    (void)delete; /* the last connection: nothing of it stays */
    drop_regions(handle_of(file)->file);
    return SQLITE_OK;
}

#define PLAIN_METHODS                                                                                        \
    .xClose = file_close, .xRead = file_read, .xWrite = file_write, .xTruncate = file_truncate,              \
    .xSync = file_sync, .xFileSize = file_size, .xLock = file_lock, .xUnlock = file_unlock,                  \
    .xCheckReservedLock = file_check_reserved, .xFileControl = file_control,                                 \
    .xSectorSize = file_sector_size, .xDeviceCharacteristics = file_characteristics

static const sqlite3_io_methods plain_methods = {.iVersion = 1, PLAIN_METHODS};
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    PLAIN_METHODS,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* ---- methods of the disk ---- */

void power_no_shared_memory(struct power_disk *d)
{
    d->no_shared_memory = true;
}

static struct power_disk *disk_of(sqlite3_vfs *vfs)
{
    return vfs->pAppData;
}

static int disk_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *file, int flags, int *out_flags)
{
    struct power_disk *d = disk_of(vfs);
    struct stat st = {.st_ino = 0};
    struct handle *h = handle_of(file);
    *h = (struct handle){.disk = d};
    int code = fault(d, "open", path, SQLITE_CANTOPEN, SQLITE_OK);
    if (code != SQLITE_OK) return code;
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
        if (stat(path, &st) != 0) return SQLITE_CANTOPEN;
        h->real = strdup(path);
        ASSERT(h->real != NULL);
    }
    struct power_file *f = path == NULL ? NULL : find_file(d, path, st.st_ino);
    if (f != NULL && h->real != NULL && st.st_size == 0 && f->content.size > 0) {
        f->inode = NO_INODE; /* removed, and its number is used again */
        f = NULL;
    }
    if (f == NULL) f = new_file(d, path, st.st_ino);
    if (!f->exists) {
        if ((flags & SQLITE_OPEN_MAIN_DB) == 0 && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
        f->exists = true;
        h->is_new = true;
        (void)log_op(d, POWER_CREATE, f);
    }
    ASSERT(!f->is_open); /* one connection */
    f->is_open = true;
    h->file = f;
    h->base.pMethods = d->no_shared_memory ? &plain_methods : &methods;
    if (out_flags != NULL) *out_flags = flags;
    return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    struct power_disk *d = disk_of(vfs);
    int code = fault(d, "delete", path, SQLITE_IOERR_DELETE, SQLITE_OK);
    if (code != SQLITE_OK) return code;
    struct power_file *f = find_file(d, path, 0);
    if (f == NULL || !f->exists) return SQLITE_IOERR_DELETE_NOENT;
    (void)log_op(d, POWER_DELETE, f);
    if (sync_folder) (void)log_op(d, POWER_SYNC_FOLDER, f);
    f->exists = false;
    bytes_resize(&f->content, 0);
    return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    (void)flags;
    struct power_disk *d = disk_of(vfs);
    const struct power_file *f = find_file(d, path, 0);
    *out = f != NULL && f->exists && f->content.size > 0;
    return fault(d, "look for", path, SQLITE_IOERR_ACCESS, SQLITE_OK);
}

static int last_error(sqlite3_vfs *vfs, int size, char *out)
{
    (void)size, (void)out;
    return disk_of(vfs)->last_errno;
}

/* What is not the disk's own comes from SQLite's usual one. */
struct power_disk *power_disk_new(void)
{
    struct power_disk *d = calloc(1, sizeof *d);
    ASSERT(d != NULL);
    d->usual = sqlite3_vfs_find(NULL);
    ASSERT(d->usual != NULL);
    d->vfs = *d->usual;
    d->vfs.iVersion = 2;
    d->vfs.szOsFile = (int)sizeof(struct handle);
    d->vfs.pNext = NULL;
    d->vfs.zName = "power";
    d->vfs.pAppData = d;
    d->vfs.xOpen = disk_open;
    d->vfs.xDelete = disk_delete;
    d->vfs.xAccess = disk_access;
    d->vfs.xGetLastError = last_error;
    int rc = sqlite3_vfs_register(&d->vfs, 1);
    ASSERT(rc == SQLITE_OK);
    return d;
}

void power_disk_free(struct power_disk *d)
{
    (void)sqlite3_vfs_unregister(&d->vfs); /* cannot fail */
    int rc = sqlite3_vfs_register(d->usual, 1);
    ASSERT(rc == SQLITE_OK);
    forget_log(d);
    free(d->ops);
    for (size_t k = 0; k < N_ELEMENTS(d->files); k++) release_file(&d->files[k]);
    free(d);
}

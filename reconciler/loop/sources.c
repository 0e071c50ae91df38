/* sources.c - a walk over folders with an explicit stack, and careful reading of single files.
 *
 * Paths are looked at with stat() before anything is opened, since to open a device can have effects, and
 * with fstat() after, since the path may name something else by then. */
#include "reconciler/loop/sources.h"

#include "reconciler/base/buf.h"
#include "reconciler/base/hash.h"
#include "reconciler/base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHOWN_PATH_BYTES = 64 * 1024, MIB = 1024 * 1024 };

static const char use_stdin[] = "standard input is read with `-f -`";
static const struct src_pos nowhere = {NULL, 0, 0};

/* A file or folder that was read. */
struct seen {
    struct seen_key {
        dev_t dev;
        ino_t ino;
    } key;
    UT_hash_handle hh;
};

struct reader {
    struct arena *arena, *bytes;
    struct diags *diags;
    struct source *items;
    size_t n, capacity;
    struct seen *seen;
    struct buf shown; /* scratch of show() */
    bool stdin_named, out_of_memory;
};

/* One entry of a folder. */
struct entry {
    const char *name;
    bool needed; /* a manifest or a folder for certain: to be read or told about */
};

struct folder {
    const char *path;
    struct entry *entries; /* sorted by name */
    size_t n, next;
    struct seen_key key;
};

/* The walk below one -f folder. */
struct walk {
    const char *root;
    struct folder stack[LIMIT_FOLDER_DEPTH + 1];
    size_t depth;   /* folders on the stack */
    size_t n_files; /* manifests met, also those that could not be read */
    bool hidden;    /* something hidden was skipped */
    bool faulty;    /* something was told that may explain a lack of manifests */
    bool stopped;
};

/* What is not to be read, by file type. */
static const struct {
    mode_t type;
    const char *name;
} refused_types[] = {
    {S_IFIFO, "a FIFO"},   {S_IFSOCK, "a socket"}, {S_IFCHR, "a device"},
    {S_IFBLK, "a device"}, {S_IFDIR, "a folder"},
};

static const char *type_name(mode_t mode)
{
    for (size_t i = 0; i < N_ELEMENTS(refused_types); i++)
        if ((mode & S_IFMT) == refused_types[i].type) return refused_types[i].name;
    return "of an unknown type";
}

/* The path, fit for a terminal; valid until the next call. */
static const char *show(struct reader *r, const char *path)
{
    buf_reset(&r->shown);
    buf_put_escaped(&r->shown, text_of(path));
    return buf_ok(&r->shown) ? buf_str(&r->shown) : "(a path that is too long)";
}

#define TELL(r, help, ...) (void)diags_add((r)->diags, SEVERITY_ERROR, nowhere, NULL, (help), __VA_ARGS__)

static void tell_errno(struct reader *r, const char *path, int error)
{
    TELL(r, NULL, "cannot read `%s`: %s", show(r, path), strerror(error));
}

static void tell_too_large(struct reader *r, const char *shown)
{
    TELL(r, "split it into several files", "`%s` is larger than %d MiB", shown,
         LIMIT_MANIFEST_FILE_BYTES / MIB);
}

/* Remembers a file or folder; false when it was known already (or memory is out). */
static bool see(struct reader *r, const struct stat *st)
{
    struct seen_key key;
    memset(&key, 0, sizeof key); /* hashed with its padding */
    key.dev = st->st_dev;
    key.ino = st->st_ino;
    struct seen *s = NULL;
    HASH_FIND(hh, r->seen, &key, sizeof key, s);
    if (s != NULL) return false;
    s = arena_new_of(r->arena, struct seen);
    if (s == NULL) {
        r->out_of_memory = true;
        return false;
    }
    s->key = key;
    hash_oom_flag = false;
    HASH_ADD(hh, r->seen, key, sizeof key, s);
    if (hash_oom_flag) r->out_of_memory = true;
    return !hash_oom_flag;
}

static void add_source(struct reader *r, const char *path, struct text bytes)
{
    const char *name = arena_strdup(r->arena, show(r, path));
    if (name == NULL || !arena_grow(r->arena, &r->items, sizeof *r->items, r->n, &r->capacity)) {
        r->out_of_memory = true;
        return;
    }
    r->items[r->n++] = (struct source){name, bytes};
}

/* Reads until 'size' bytes or the end; -1 with errno. */
static ssize_t read_fully(int fd, char *out, size_t size)
{
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(fd, out + n, size - n);
        if (got == 0) break;
        if (got > 0)
            n += (size_t)got;
        else if (errno != EINTR)
            return -1;
    }
    return (ssize_t)n;
}

static void read_stdin(struct reader *r)
{
    if (r->stdin_named) {
        TELL(r, NULL, "standard input (`-f -`) is named more than once");
        return;
    }
    r->stdin_named = true;
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, LIMIT_MANIFEST_FILE_BYTES);
    char chunk[16 * 1024];
    ssize_t n;
    while ((n = read_fully(STDIN_FILENO, chunk, sizeof chunk)) > 0 && buf_ok(&b))
        buf_put(&b, chunk, (size_t)n);
    if (n < 0) {
        TELL(r, NULL, "cannot read standard input: %s", strerror(errno));
    } else if (!buf_ok(&b)) {
        tell_too_large(r, "-");
    } else {
        struct text bytes = arena_text(r->bytes, buf_text(&b));
        if (bytes.ptr == NULL)
            r->out_of_memory = true;
        else
            add_source(r, "-", bytes);
    }
}

static void closep(int *fd)
{
    if (*fd >= 0) (void)close(*fd); /* only read from */
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_unchanged(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && same_time(a->st_mtim, b->st_mtim) && same_time(a->st_ctim, b->st_ctim);
}

/* The whole of an open regular file; tells what is wrong otherwise. */
static void read_open_file(struct reader *r, const char *path, int fd, const struct stat *before)
{
    if (before->st_size > LIMIT_MANIFEST_FILE_BYTES) {
        tell_too_large(r, show(r, path));
        return;
    }
    size_t size = (size_t)before->st_size;
    char *bytes = arena_alloc(r->bytes, size + 1); /* one more: to see that it grew; then the NUL */
    if (bytes == NULL) {
        r->out_of_memory = true;
        return;
    }
    ssize_t n = read_fully(fd, bytes, size + 1);
    struct stat after;
    if (n < 0 || fstat(fd, &after) != 0) {
        tell_errno(r, path, errno);
    } else if ((size_t)n != size || !is_unchanged(before, &after)) {
        TELL(r, "try again when whatever writes it has finished", "`%s` changed while it was read",
             show(r, path));
    } else {
        bytes[size] = '\0';
        add_source(r, path, (struct text){bytes, size});
    }
}

static void read_file(struct reader *r, const char *path)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        tell_errno(r, path, errno);
    else if (!S_ISREG(st.st_mode)) /* it was a moment ago */
        TELL(r, use_stdin, "`%s` is %s, not a file", show(r, path), type_name(st.st_mode));
    else if (see(r, &st))
        read_open_file(r, path, fd, &st);
}

static bool is_manifest_name(const char *name)
{
    return text_ends_with(text_of(name), ".yaml") || text_ends_with(text_of(name), ".yml");
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void closedirp(DIR **d)
{
    if (*d != NULL) (void)closedir(*d); /* only read from */
}

/* The entries of a folder that may matter, sorted. False when it cannot be read (told) or memory is out. */
static bool list_folder(struct reader *r, struct walk *w, struct folder *f)
{
    CLEANUP(closedirp) DIR *dir = opendir(f->path);
    size_t capacity = 0;
    struct dirent *e;
    while (dir != NULL && (errno = 0, e = readdir(dir)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (e->d_name[0] == '.') {
            w->hidden = true;
            continue;
        }
        bool is_manifest = is_manifest_name(e->d_name);
        bool may_be_folder = e->d_type == DT_DIR || e->d_type == DT_LNK || e->d_type == DT_UNKNOWN;
        if (!is_manifest && !may_be_folder) continue;
        const char *name = arena_strdup(r->arena, e->d_name);
        if (name == NULL || !arena_grow(r->arena, &f->entries, sizeof *f->entries, f->n, &capacity)) {
            r->out_of_memory = true;
            return false;
        }
        f->entries[f->n++] = (struct entry){name, is_manifest || e->d_type == DT_DIR};
    }
    if (errno != 0) {
        tell_errno(r, f->path, errno);
        return false;
    }
    if (f->n > 0) qsort(f->entries, f->n, sizeof *f->entries, compare_entries);
    return true;
}

/* Whether this folder is one that the walk is in the middle of. */
static const struct folder *find_above(const struct walk *w, const struct stat *st)
{
    for (size_t i = 0; i < w->depth; i++)
        if (w->stack[i].key.dev == st->st_dev && w->stack[i].key.ino == st->st_ino) return &w->stack[i];
    return NULL;
}

static void enter_folder(struct reader *r, struct walk *w, const char *path, const struct stat *st)
{
    if (find_above(w, st) != NULL) {
        w->faulty = true;
        TELL(r, "remove the link", "`%s` is a symbolic link that leads back to a folder above it",
             show(r, path));
        return;
    }
    if (w->depth == N_ELEMENTS(w->stack)) {
        w->faulty = true;
        TELL(r, NULL, "`%s` lies deeper than %d folders below the one that was named", show(r, path),
             LIMIT_FOLDER_DEPTH);
        return;
    }
    if (!see(r, st)) {
        w->faulty = true; /* its manifests were read by another name */
        return;
    }
    struct folder f = {.path = path, .key = {.dev = st->st_dev, .ino = st->st_ino}};
    if (list_folder(r, w, &f))
        w->stack[w->depth++] = f;
    else
        w->faulty = true;
}

static void visit_manifest(struct reader *r, struct walk *w, const char *path, const struct stat *st)
{
    if (w->n_files++ == LIMIT_MANIFEST_FILES) {
        TELL(r, NULL, "more than %d manifests lie below `%s`", LIMIT_MANIFEST_FILES, show(r, w->root));
        w->stopped = true;
    } else if (S_ISREG(st->st_mode)) {
        read_file(r, path);
    } else {
        TELL(r, use_stdin, "`%s` is %s, not a file", show(r, path), type_name(st->st_mode));
    }
}

static void visit_entry(struct reader *r, struct walk *w, const struct folder *in, const struct entry *e)
{
    const char *slash = text_ends_with(text_of(in->path), "/") ? "" : "/";
    const char *path = arena_printf(r->arena, "%s%s%s", in->path, slash, e->name);
    struct stat st;
    if (path == NULL) {
        r->out_of_memory = true;
    } else if (stat(path, &st) != 0) {
        bool leads_nowhere = errno == ENOENT || errno == ELOOP;
        w->faulty = true;
        if (leads_nowhere && !e->needed)
            (void)diags_add(r->diags, SEVERITY_WARNING, nowhere, NULL, NULL,
                            "`%s` is a symbolic link that leads nowhere; it was skipped", show(r, path));
        else
            tell_errno(r, path, errno);
    } else if (S_ISDIR(st.st_mode)) {
        enter_folder(r, w, path, &st);
    } else if (is_manifest_name(e->name)) {
        visit_manifest(r, w, path, &st);
    }
}

static void read_folder(struct reader *r, const char *path, const struct stat *st)
{
    struct walk w = {.root = path};
    enter_folder(r, &w, path, st);
    while (w.depth > 0 && !w.stopped && !r->out_of_memory) {
        struct folder *top = &w.stack[w.depth - 1];
        if (top->next < top->n)
            visit_entry(r, &w, top, &top->entries[top->next++]);
        else
            w.depth--;
    }
    if (w.n_files == 0 && !w.faulty)
        TELL(r, w.hidden ? "hidden files and folders are skipped" : NULL,
             "no manifest (*.yaml, *.yml) below `%s`", show(r, path));
}

static void read_path(struct reader *r, const char *path)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        read_stdin(r);
    else if (stat(path, &st) != 0)
        tell_errno(r, path, errno);
    else if (S_ISDIR(st.st_mode))
        read_folder(r, path, &st);
    else if (S_ISREG(st.st_mode))
        read_file(r, path);
    else
        TELL(r, use_stdin, "`%s` is %s, not a file", show(r, path), type_name(st.st_mode));
}

enum err_code sources_read(struct arena *arena, struct arena *bytes, const char *const *paths, size_t n_paths,
                           struct diags *diags, struct source **out, size_t *n_out, struct err *err)
{
    struct reader r = {.arena = arena, .bytes = bytes, .diags = diags};
    buf_init(&r.shown, SHOWN_PATH_BYTES);
    size_t n_errors = diags->n_errors;
    if (n_paths == 0) TELL(&r, "name a file, a folder or `-` with -f", "no manifests were named");
    for (size_t i = 0; i < n_paths && !r.out_of_memory; i++) read_path(&r, paths[i]);
    HASH_CLEAR(hh, r.seen);
    buf_fini(&r.shown);
    if (r.out_of_memory || diags->out_of_memory) return err_nomem(err);
    n_errors = diags->n_errors - n_errors;
    if (n_errors > 0)
        return err_set(err, ERR_INPUT, "the manifests could not be read (%zu %s)", n_errors,
                       n_errors == 1 ? "error" : "errors");
    *out = r.items;
    *n_out = r.n;
    return ERR_OK;
}

/* file.c - the state file itself: made, checked, refused, copied; never harmed. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "state/migrate.h"
#include "state/sqlite.h"

/* ---- helpers ---- */

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    char *message = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s: %s", sql, message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A closed state file with some records. */
static void make_state(struct fixture *f, uint32_t n_records)
{
    open_store(f);
    for (uint32_t i = 0; i < n_records; i++) {
        struct record r =
            vswitch(f, arena_printf(f->arena, "r%06u", i), arena_printf(f->arena, "vsw-%u", i), 1);
        put(f, &r);
    }
    store_close(f->store);
    f->store = NULL;
}

/* Neither way of opening accepts the file, and neither changes it. */
static void expect_refused(struct fixture *f, enum err_code wanted, const char *part)
{
    static const enum store_mode modes[] = {STORE_READ_ONLY, STORE_READ_WRITE};
    size_t before_size, after_size;
    char *before = slurp(f, f->path, &before_size);
    for (size_t i = 0; i < N_ELEMENTS(modes); i++) {
        struct store *s = NULL;
        expect_code(f, store_open(f->path, modes[i], &s, &f->err), wanted);
        assert_null(s);
        expect_message(f, f->path);
        expect_message(f, part);
        char *after = slurp(f, f->path, &after_size);
        assert_int_equal(after_size, before_size);
        assert_memory_equal(after, before, before_size);
    }
}

static void expect_mode(const char *path, mode_t mode)
{
    struct stat st;
    if (stat(path, &st) != 0) fail_msg("%s is missing", path);
    assert_int_equal(st.st_mode & 0777, mode);
}

/* Runs a test in a child with a mount namespace of its own; skips where that is not allowed. */
static void in_mount_namespace(struct fixture *f, void (*body)(struct fixture *f))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) _exit(77);
        body(f);
        _exit(0); /* a failed assertion does not come here: see below */
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("skipped: a mount namespace needs root (%s)\n", strerror(EPERM));
        skip();
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail_msg("failed in the child, see above");
}

/* In that child, where cmocka's assertions would jump back into the runner. */
#define CHILD_EXPECT(cond)                                                                                   \
    do {                                                                                                     \
        if (!(cond)) {                                                                                       \
            print_error("%s:%d: %s does not hold: %s\n", __FILE__, __LINE__, #cond, f->err.msg);             \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

/* ---- made ---- */

static void file_and_folders_are_made_for_their_owner_alone(void **state)
{
    struct fixture *f = *state;
    mode_t mask = umask(0);
    (void)snprintf(f->path, sizeof f->path, "%s/a/b/state.db", f->folder);
    open_store(f);
    struct record r = vswitch(f, "web", "vsw-1", 1);
    put(f, &r);
    (void)umask(mask);
    expect_mode(arena_printf(f->arena, "%s/a", f->folder), 0700);
    expect_mode(arena_printf(f->arena, "%s/a/b", f->folder), 0700);
    expect_mode(f->path, 0600);
    expect_mode(arena_printf(f->arena, "%s-wal", f->path), 0600);
    expect_mode(arena_printf(f->arena, "%s-shm", f->path), 0600);
}

static void the_id_is_made_once_and_has_26_characters(void **state)
{
    struct fixture *f = *state;
    char id[27];
    open_store(f);
    assert_int_equal(strlen(store_id(f->store)), 26);
    assert_int_equal(strspn(store_id(f->store), "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
    (void)snprintf(id, sizeof id, "%s", store_id(f->store));
    reopen(f);
    assert_string_equal(store_id(f->store), id);
    store_close(f->store);
    (void)snprintf(f->path, sizeof f->path, "%s/other.db", f->folder);
    open_store(f);
    assert_string_not_equal(store_id(f->store), id);
}

static void a_missing_file_reads_as_an_empty_state_and_is_not_made(void **state)
{
    struct fixture *f = *state;
    (void)snprintf(f->path, sizeof f->path, "%s/nowhere/state.db", f->folder);
    expect_ok(f, store_open(f->path, STORE_READ_ONLY, &f->store, &f->err));
    assert_string_equal(store_id(f->store), "");
    assert_int_equal(load(f).n, 0);
    assert_int_equal(serial(f), 0);
    struct record r = vswitch(f, "web", "vsw-1", 1);
    struct write w = {.type = WRITE_RECORD, .record = &r};
    expect_code(f, store_write(f->store, DEFAULT_STACK, &w, 1, &f->err), ERR_STATE);
    expect_code(f, store_backup(f->store, "/nonexistent", &f->err), ERR_INPUT);
    assert_int_equal(access(arena_printf(f->arena, "%s/nowhere", f->folder), F_OK), -1);
}

static void an_empty_file_is_refused(void **state)
{
    struct fixture *f = *state;
    spill(f->path, "", 0);
    expect_refused(f, ERR_STATE, "it is empty");
}

/* What kill -9 leaves at any moment of making a file is no file or a whole one, so that an empty one is
 * somebody else's doing. */
static void a_state_file_is_never_seen_unfinished(void **state)
{
    struct fixture *f = *state;
    for (int files = 1; files < 40; files++) {
        pid_t pid = fork();
        if (pid == 0) {
            /* SIGXFSZ kills at the first write beyond: a little later each time. */
            struct rlimit most = {.rlim_cur = (rlim_t)files * 2048, .rlim_max = (rlim_t)files * 2048};
            (void)signal(SIGXFSZ, SIG_DFL);
            if (setrlimit(RLIMIT_FSIZE, &most) != 0) _exit(2);
            _exit(store_open(f->path, STORE_READ_WRITE, &f->store, &f->err) == ERR_OK ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ;
        assert_true(died || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
        expect_ok(f, store_open(f->path, STORE_READ_ONLY, &f->store, &f->err));
        store_close(TAKE(f->store));
        if (!died) {
            assert_true(files > 1);
            return;
        }
    }
    fail_msg("the file was never made");
}

static void special_files_are_refused_unopened(void **state)
{
    struct fixture *f = *state;
    struct store *s;
    assert_int_equal(mkfifo(f->path, 0600), 0); /* opening it would wait for somebody at the other end */
    static const struct {
        const char *path, *part;
    } rows[] = {{NULL, "it is not a regular file"},
                {"/dev/null", "it is not a regular file"},
                {"/dev/full", "it is not a regular file"},
                {"/proc/self/status", "it is empty"}};
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        const char *path = rows[i].path == NULL ? f->path : rows[i].path;
        if (access(path, F_OK) != 0) continue;
        expect_code(f, store_open(path, STORE_READ_ONLY, &s, &f->err), ERR_STATE);
        expect_message(f, rows[i].part);
        expect_code(f, store_open(path, STORE_READ_WRITE, &s, &f->err), ERR_STATE);
        expect_message(f, rows[i].part);
    }
}

static void a_name_that_is_special_to_sqlite_is_a_file_like_others(void **state)
{
    struct fixture *f = *state;
    char back[256];
    assert_non_null(getcwd(back, sizeof back));
    assert_int_equal(chdir(f->folder), 0);
    (void)snprintf(f->path, sizeof f->path, ":memory:");
    open_store(f);
    assert_int_equal(access(":memory:", F_OK), 0);
    assert_int_equal(chdir(back), 0);
    struct record r = vswitch(f, "web", "vsw-1", 1);
    put(f, &r);
}

static void several_processes_may_make_one_file_at_once(void **state)
{
    struct fixture *f = *state;
    enum { PROCESSES = 6, WRITES = 20 };
    pid_t pids[PROCESSES];
    for (int p = 0; p < PROCESSES; p++) {
        if ((pids[p] = fork()) != 0) continue;
        struct record r = vswitch(f, arena_printf(f->arena, "p%d", p), "vsw-1", 1);
        struct write w = {.type = WRITE_RECORD, .record = &r};
        enum err_code code = store_open(f->path, STORE_READ_WRITE, &f->store, &f->err);
        for (int i = 0; code == ERR_OK && i < WRITES; i++)
            code = store_write(f->store, DEFAULT_STACK, &w, 1, &f->err);
        if (code != ERR_OK) print_error("%s\n", f->err.msg);
        store_close(code == ERR_OK ? f->store : NULL);
        _exit(code == ERR_OK ? 0 : 1);
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_int_equal(waitpid(pids[p], &status, 0), pids[p]);
        assert_int_equal(status, 0);
    }
    open_store(f);
    assert_int_equal(load(f).n, PROCESSES);
    assert_int_equal(serial(f), PROCESSES * WRITES);
}

static void one_process_opens_a_file_for_writing_once(void **state)
{
    struct fixture *f = *state;
    struct store *second = NULL;
    open_store(f);
    char *link_path = arena_printf(f->arena, "%s/link.db", f->folder);
    assert_int_equal(symlink(f->path, link_path), 0);
    expect_code(f, store_open(f->path, STORE_READ_WRITE, &second, &f->err), ERR_BUSY);
    expect_code(f, store_open(link_path, STORE_READ_WRITE, &second, &f->err), ERR_BUSY);
    /* Reading beside it is fine, and sees what is committed. */
    struct record r = vswitch(f, "web", "vsw-1", 1);
    put(f, &r);
    expect_ok(f, store_open(f->path, STORE_READ_ONLY, &second, &f->err));
    struct records got;
    expect_ok(f, store_records(second, DEFAULT_STACK, NULL, f->arena, &got, &f->err));
    assert_int_equal(got.n, 1);
    store_close(second);
    put(f, &r);
    reopen(f);
}

/* Two writers in one process are not only slow: up to 3.51.2 SQLite may lose a write when both begin the log
 * anew at once. */
enum { N_THREADS = 8 };
struct racer {
    pthread_t thread;
    const char *path;
    pthread_barrier_t *start;
    struct store *store;
    enum err_code code;
};

static void *race(void *ctx)
{
    struct racer *r = ctx;
    struct err err = {0};
    (void)pthread_barrier_wait(r->start); /* one of them is told that it is the last */
    r->code = store_open(r->path, STORE_READ_WRITE, &r->store, &err);
    return NULL;
}

static void of_many_threads_one_opens_a_file_for_writing(void **state)
{
    struct fixture *f = *state;
    struct racer racers[N_THREADS] = {0};
    pthread_barrier_t start;
    size_t n_opened = 0;
    make_state(f, 1);
    assert_int_equal(pthread_barrier_init(&start, NULL, N_THREADS), 0);
    for (size_t k = 0; k < N_THREADS; k++) {
        racers[k] = (struct racer){.path = f->path, .start = &start};
        assert_int_equal(pthread_create(&racers[k].thread, NULL, race, &racers[k]), 0);
    }
    for (size_t k = 0; k < N_THREADS; k++) {
        assert_int_equal(pthread_join(racers[k].thread, NULL), 0);
        n_opened += racers[k].code == ERR_OK;
        if (racers[k].code != ERR_OK) expect_code(f, racers[k].code, ERR_BUSY);
        if (racers[k].code == ERR_OK) f->store = racers[k].store;
    }
    assert_int_equal(n_opened, 1);
    assert_int_equal(pthread_barrier_destroy(&start), 0);
}

static void a_file_that_could_not_be_opened_may_be_tried_again(void **state)
{
    struct fixture *f = *state;
    struct store *s = NULL;
    size_t size;
    make_state(f, 1);
    char *good = slurp(f, f->path, &size), *bad = arena_alloc(f->arena, size);
    assert_non_null(bad);
    memset(bad, 'x', size);
    spill(f->path, bad, size); /* the same inode */
    expect_code(f, store_open(f->path, STORE_READ_WRITE, &s, &f->err), ERR_STATE);
    spill(f->path, good, size);
    open_store(f);
}

static void reading_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    make_state(f, 3);
    expect_ok(f, store_open(f->path, STORE_READ_ONLY, &f->store, &f->err));
    assert_int_equal(load(f).n, 3);
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(access(arena_printf(f->arena, "%s-wal", f->path), F_OK), -1);
    assert_int_equal(access(arena_printf(f->arena, "%s-shm", f->path), F_OK), -1);
}

static void what_was_committed_survives_a_crash(void **state)
{
    struct fixture *f = *state;
    make_state(f, 1);
    pid_t pid = fork();
    if (pid == 0) {
        if (store_open(f->path, STORE_READ_WRITE, &f->store, &f->err) != ERR_OK) _exit(1);
        struct record r = vswitch(f, "late", "vsw-9", 1);
        struct write w = {.type = WRITE_RECORD, .record = &r};
        if (store_write(f->store, DEFAULT_STACK, &w, 1, &f->err) != ERR_OK) _exit(1);
        (void)kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(access(arena_printf(f->arena, "%s-wal", f->path), F_OK), 0);
    expect_ok(f, store_open(f->path, STORE_READ_ONLY, &f->store, &f->err));
    assert_int_equal(load(f).n, 2);
    reopen(f);
    assert_int_equal(load(f).n, 2);
}

/* ---- refused ---- */

static void a_text_file_is_not_a_state_file(void **state)
{
    struct fixture *f = *state;
    char text[5000];
    memset(text, 'a', sizeof text);
    spill(f->path, text, sizeof text);
    expect_refused(f, ERR_STATE, "not a headgate state file");
    spill(f->path, "short", 5);
    expect_refused(f, ERR_STATE, "not a headgate state file");
}

static void a_database_of_something_else_is_not_a_state_file(void **state)
{
    struct fixture *f = *state;
    run_sql(f->path, "CREATE TABLE photos(name TEXT); PRAGMA application_id = 77; PRAGMA user_version = 9");
    expect_refused(f, ERR_STATE, "it is an SQLite database of something else");
    assert_int_equal(unlink(f->path), 0);
    run_sql(f->path, "CREATE TABLE photos(name TEXT)");
    expect_refused(f, ERR_STATE, "it is an SQLite database of something else");
}

static void a_folder_is_not_a_state_file(void **state)
{
    struct fixture *f = *state;
    struct store *s;
    expect_code(f, store_open(f->folder, STORE_READ_WRITE, &s, &f->err), ERR_STATE);
    expect_message(f, "it is a folder");
    expect_code(f, store_open("", STORE_READ_WRITE, &s, &f->err), ERR_INPUT);
    expect_code(f, store_open("/proc/none/state.db", STORE_READ_WRITE, &s, &f->err), ERR_IO);
}

static void a_file_of_a_newer_version_is_left_alone(void **state)
{
    struct fixture *f = *state;
    make_state(f, 1);
    run_sql(f->path, "PRAGMA user_version = 4711");
    expect_refused(f, ERR_STATE, "found version 4711, this headgate knows up to 1");
}

static void a_truncated_file_is_damaged(void **state)
{
    struct fixture *f = *state;
    size_t size;
    make_state(f, 50);
    char *bytes = slurp(f, f->path, &size);
    spill(f->path, bytes, size / 2 / 4096 * 4096);
    expect_refused(f, ERR_STATE, "the state file is damaged");
    spill(f->path, bytes, 100);
    expect_refused(f, ERR_STATE, "headgate state");
}

/* Any page may be overwritten: the answer is an error or, where only text changed, a state that can be read;
 * never a crash, and never a file that opening made worse. */
static void a_file_with_damaged_pages_is_refused_or_read_but_never_changed(void **state)
{
    struct fixture *f = *state;
    size_t size, n_refused = 0;
    make_state(f, 60);
    char *good = slurp(f, f->path, &size), *bad = arena_alloc(f->arena, size);
    assert_non_null(bad);
    for (size_t at = 0; at < size; at += 509) {
        memcpy(bad, good, size);
        for (size_t i = at; i < at + 16 && i < size; i++) bad[i] = (char)~bad[i];
        spill(f->path, bad, size);
        struct store *s = NULL;
        enum err_code code = store_open(f->path, STORE_READ_ONLY, &s, &f->err);
        struct records got;
        const char *report;
        if (code == ERR_OK) code = store_records(s, DEFAULT_STACK, NULL, f->arena, &got, &f->err);
        if (code == ERR_OK) code = store_verify(s, f->arena, &report, &f->err);
        if (code != ERR_OK) expect_code(f, code, ERR_STATE);
        n_refused += code != ERR_OK;
        store_close(s);
        size_t after_size;
        char *after = slurp(f, f->path, &after_size);
        assert_true(after_size == size && memcmp(after, bad, size) == 0);
    }
    assert_true(n_refused > 0);
}

static void read_only_media(struct fixture *f)
{
    struct store *s;
    struct records got;
    CHILD_EXPECT(mount(f->folder, f->folder, NULL, MS_BIND, NULL) == 0);
    CHILD_EXPECT(mount(NULL, f->folder, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
    CHILD_EXPECT(store_open(f->path, STORE_READ_ONLY, &s, &f->err) == ERR_OK);
    CHILD_EXPECT(store_records(s, DEFAULT_STACK, NULL, f->arena, &got, &f->err) == ERR_OK && got.n == 3);
    store_close(s);
    CHILD_EXPECT(store_open(f->path, STORE_READ_WRITE, &s, &f->err) == ERR_IO);
    CHILD_EXPECT(strstr(f->err.msg, "read-only") != NULL);
    char *missing = arena_printf(f->arena, "%s/folder/new.db", f->folder);
    CHILD_EXPECT(store_open(missing, STORE_READ_WRITE, &s, &f->err) == ERR_IO);
    CHILD_EXPECT(strstr(f->err.msg, "Read-only file system") != NULL);
    CHILD_EXPECT(store_open(missing, STORE_READ_ONLY, &s, &f->err) == ERR_OK);
    store_close(s);
}

static void a_state_on_read_only_media_can_be_read(void **state)
{
    struct fixture *f = *state;
    make_state(f, 3);
    in_mount_namespace(f, read_only_media);
}

/* Fills the disk by writing until it fails, then looks that what was there is there. */
static void full_disk(struct fixture *f)
{
    CHILD_EXPECT(mount("tmpfs", f->folder, "tmpfs", 0, "size=1m") == 0);
    CHILD_EXPECT(store_open(f->path, STORE_READ_WRITE, &f->store, &f->err) == ERR_OK);
    enum err_code code = ERR_OK;
    uint32_t n = 0;
    for (; code == ERR_OK && n < 10000; n++) {
        struct record r = vswitch(f, arena_printf(f->arena, "r%06u", n), "vsw-1", 1);
        struct write w = {.type = WRITE_RECORD, .record = &r};
        code = store_write(f->store, DEFAULT_STACK, &w, 1, &f->err);
    }
    CHILD_EXPECT(code == ERR_IO);
    CHILD_EXPECT(strstr(f->err.msg, "disk full, the file is as it was before") != NULL);
    CHILD_EXPECT(strstr(f->err.msg, "cannot write to it") != NULL);
    struct records got;
    CHILD_EXPECT(store_records(f->store, DEFAULT_STACK, NULL, f->arena, &got, &f->err) == ERR_OK &&
                 got.n == n - 1);
    CHILD_EXPECT(store_backup(f->store, arena_printf(f->arena, "%s/copy.db", f->folder), &f->err) == ERR_IO);
    CHILD_EXPECT(access(arena_printf(f->arena, "%s/copy.db", f->folder), F_OK) != 0);
    store_close(f->store);
    CHILD_EXPECT(store_open(f->path, STORE_READ_ONLY, &f->store, &f->err) == ERR_OK);
    CHILD_EXPECT(store_records(f->store, DEFAULT_STACK, NULL, f->arena, &got, &f->err) == ERR_OK &&
                 got.n == n - 1);
    store_close(f->store);
}

static void a_full_disk_is_told_and_changes_nothing(void **state)
{
    in_mount_namespace(*state, full_disk);
}

/* The same where no file system may be mounted: SQLite's own limit gives the same code. */
static void a_write_that_does_not_fit_changes_nothing(void **state)
{
    struct fixture *f = *state;
    open_store(f);
    struct record small = vswitch(f, "small", "vsw-1", 1), large = vswitch(f, "large", "vsw-2", 1);
    put(f, &small);
    large.values[VSW_DESCRIPTION] = value_text(arena_alloc(f->arena, 200000), 200000);
    assert_int_equal(sqlite3_exec(f->store->db, "PRAGMA max_page_count = 20", NULL, NULL, NULL), SQLITE_OK);
    struct run_row run = {.operation = "apply", .result = "running"};
    struct write writes[] = {{.type = WRITE_RUN, .run = &run},
                             {.type = WRITE_FORGET, .kind = KIND_VSWITCH, .name = TEXT("small")},
                             {.type = WRITE_RECORD, .record = &large}};
    expect_code(f, store_write(f->store, DEFAULT_STACK, writes, 3, &f->err), ERR_IO);
    expect_message(f, "disk full, the file is as it was before");
    assert_int_equal(run.id, 0);
    struct records got = load(f);
    assert_true(got.n == 1 && text_is(got.items[0].name, "small"));
    put(f, &small);
}

static void a_file_that_another_process_writes_to_is_busy(void **state)
{
    struct fixture *f = *state;
    sqlite3 *other;
    open_store(f);
    (void)sqlite3_busy_timeout(f->store->db, 10);
    assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct record r = vswitch(f, "web", "vsw-1", 1);
    struct write w = {.type = WRITE_RECORD, .record = &r};
    expect_code(f, store_write(f->store, DEFAULT_STACK, &w, 1, &f->err), ERR_BUSY);
    assert_int_equal(load(f).n, 0);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    put(f, &r);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
}

/* ---- copied and checked ---- */

static void a_backup_is_a_state_file_of_its_own_without_locks(void **state)
{
    struct fixture *f = *state;
    char id[27];
    bool held;
    struct lock_holder holder;
    make_state(f, 5);
    open_store(f);
    (void)snprintf(id, sizeof id, "%s", store_id(f->store));
    expect_ok(f, store_lock(f->store, DEFAULT_STACK, "apply", 1, NULL, NULL, &f->err));
    char *copy = arena_printf(f->arena, "%s/copy.db", f->folder);
    expect_ok(f, store_backup(f->store, copy, &f->err));
    expect_mode(copy, 0600);
    assert_int_equal(access(arena_printf(f->arena, "%s-journal", copy), F_OK), -1);
    expect_code(f, store_backup(f->store, copy, &f->err), ERR_INPUT);
    expect_message(f, "it exists already");
    store_close(f->store);
    (void)snprintf(f->path, sizeof f->path, "%s", copy);
    open_store(f);
    assert_string_equal(store_id(f->store), id);
    assert_int_equal(load(f).n, 5);
    expect_ok(f, store_lock_holder(f->store, DEFAULT_STACK, &holder, &held, &f->err));
    assert_false(held);
}

static void a_whole_state_verifies(void **state)
{
    struct fixture *f = *state;
    const char *report;
    make_state(f, 4);
    open_store(f);
    expect_ok(f, store_verify(f->store, f->arena, &report, &f->err));
    assert_string_equal(report, "ok: 1 stack, 4 records, 0 open intents, 4 generations, 0 runs, 0 events\n");
}

static void verifying_finds_what_cannot_be_read_and_what_refers_to_nothing(void **state)
{
    struct fixture *f = *state;
    const char *report;
    make_state(f, 4);
    run_sql(f->path, "UPDATE records SET fields = '{' WHERE name = 'r000002';"
                     "INSERT INTO events(stack, run, at_unix_ms, address, type, message, request_id)"
                     " VALUES(1, 99, 0, '', '', '', '')");
    open_store(f);
    expect_code(f, store_verify(f->store, f->arena, &report, &f->err), ERR_STATE);
    expect_message(f, "2 findings");
    assert_non_null(strstr(report, "VSwitch/r000002"));
    assert_non_null(strstr(report, "events refers to a row of runs that is missing"));
}

/* ---- migrated ---- */

static enum err_code fail_after(sqlite3 *db, const char *path, struct err *err)
{
    (void)db;
    return err_set(err, ERR_IO, "%s: failed on purpose", path);
}

static void a_migration_is_done_whole_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    static const struct migration steps[] = {
        {"CREATE TABLE one(x INTEGER) STRICT", NULL},
        {"CREATE TABLE two(x INTEGER) STRICT", NULL},
        {"CREATE TABLE three(x INTEGER) STRICT", fail_after},
    };
    static const char count[] = "SELECT count(*) FROM sqlite_schema";
    sqlite3 *db;
    int64_t n;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    expect_ok(f, migrate(db, f->path, steps, 1, &f->err));
    expect_code(f, migrate(db, f->path, steps, 3, &f->err), ERR_IO);
    expect_ok(f, query_int(db, f->path, count, &n, &f->err));
    assert_int_equal(n, 1);
    expect_ok(f, query_int(db, f->path, "PRAGMA user_version", &n, &f->err));
    assert_int_equal(n, 1);
    expect_ok(f, migrate(db, f->path, steps, 2, &f->err));
    expect_ok(f, migrate(db, f->path, steps, 2, &f->err)); /* nothing left to do */
    expect_ok(f, query_int(db, f->path, count, &n, &f->err));
    assert_int_equal(n, 2);
    expect_code(f, migrate(db, f->path, steps, 1, &f->err), ERR_STATE);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATE_TEST(file_and_folders_are_made_for_their_owner_alone),
        STATE_TEST(the_id_is_made_once_and_has_26_characters),
        STATE_TEST(a_missing_file_reads_as_an_empty_state_and_is_not_made),
        STATE_TEST(an_empty_file_is_refused),
        STATE_TEST(a_state_file_is_never_seen_unfinished),
        STATE_TEST(special_files_are_refused_unopened),
        STATE_TEST(a_name_that_is_special_to_sqlite_is_a_file_like_others),
        STATE_TEST(several_processes_may_make_one_file_at_once),
        STATE_TEST(one_process_opens_a_file_for_writing_once),
        STATE_TEST(of_many_threads_one_opens_a_file_for_writing),
        STATE_TEST(a_file_that_could_not_be_opened_may_be_tried_again),
        STATE_TEST(reading_leaves_nothing_behind),
        STATE_TEST(what_was_committed_survives_a_crash),
        STATE_TEST(a_text_file_is_not_a_state_file),
        STATE_TEST(a_database_of_something_else_is_not_a_state_file),
        STATE_TEST(a_folder_is_not_a_state_file),
        STATE_TEST(a_file_of_a_newer_version_is_left_alone),
        STATE_TEST(a_truncated_file_is_damaged),
        STATE_TEST(a_file_with_damaged_pages_is_refused_or_read_but_never_changed),
        STATE_TEST(a_state_on_read_only_media_can_be_read),
        STATE_TEST(a_full_disk_is_told_and_changes_nothing),
        STATE_TEST(a_write_that_does_not_fit_changes_nothing),
        STATE_TEST(a_file_that_another_process_writes_to_is_busy),
        STATE_TEST(a_backup_is_a_state_file_of_its_own_without_locks),
        STATE_TEST(a_whole_state_verifies),
        STATE_TEST(verifying_finds_what_cannot_be_read_and_what_refers_to_nothing),
        STATE_TEST(a_migration_is_done_whole_or_not_at_all),
    };
    return cmocka_run_group_tests_name("state/file", tests, NULL, NULL);
}

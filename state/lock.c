/* lock.c - who works on a stack: a row that outlives a crash, and how to tell that its holder is dead.
 *
 *   same host, same boot   the process is gone, or another one has its pid now: dead
 *   same host, other boot  dead
 *   other host             nobody here can tell: held, until it is unlocked or broken
 *
 * A host is known by its name; containers that share a state file need names of their own. */
#include "state/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "state/sqlite.h"

/* A row of locks. */
struct lock_row {
    struct lock_holder holder;
    int64_t start_ticks; /* of its process, since boot; 0: not known */
};

/* ---- this process ---- */

/* A small file of /proc, without its last line end. False when it cannot be read. */
static bool read_proc(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, out, size - 1);
    (void)close(fd); /* nothing was written */
    if (n <= 0) return false;
    out[n] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return true;
}

/* A process as /proc tells of it. */
struct process {
    int64_t start_ticks; /* since boot; 0: it cannot be told */
    bool ended;          /* only its exit status is left */
};

/* From /proc/PID/stat: state is field 3, start time field 22. Field 2, the command in parentheses, may hold
 * anything: count from the last ")". */
static struct process look_at_process(int64_t pid)
{
    struct process p = {0};
    char path[64], stat[1024];
    (void)snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid); /* it fits */
    if (!read_proc(path, stat, sizeof stat)) return p;
    char *after = strrchr(stat, ')');
    if (after == NULL || after[1] != ' ') return p;
    struct text rest = text_of(after + 2), part;
    for (int field = 3; field <= 22 && text_cut(&rest, ' ', &part); field++) {
        uint64_t ticks;
        if (field == 3) p.ended = text_is(part, "Z") || text_is(part, "X");
        if (field == 22 && text_to_u64(part, INT64_MAX, &ticks)) p.start_ticks = (int64_t)ticks;
    }
    return p;
}

static void user_name(char *out, size_t size)
{
    char memory[4096];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(getuid(), &entry, memory, sizeof memory, &found) == 0 && found != NULL)
        (void)snprintf(out, size, "%s", found->pw_name); /* cut: it is for people */
    else
        (void)snprintf(out, size, "uid %u", (unsigned)getuid());
}

static enum err_code describe_self(struct lock_row *out, const char *operation, int64_t now_unix_ms,
                                   struct err *err)
{
    struct lock_holder *h = &out->holder;
    struct utsname names;
    if (uname(&names) != 0) return err_set(err, ERR_IO, "the host has no name: %s", strerror(errno));
    /* Cut names still tell apart what they can. */
    (void)snprintf(h->host, sizeof h->host, "%s", names.nodename);
    (void)snprintf(h->operation, sizeof h->operation, "%s", operation);
    if (!read_proc("/proc/sys/kernel/random/boot_id", h->boot_id, sizeof h->boot_id))
        return err_set(err, ERR_IO, "/proc/sys/kernel/random/boot_id cannot be read: %s; is /proc mounted?",
                       strerror(errno));
    user_name(h->user, sizeof h->user);
    h->pid = getpid();
    h->since_unix_ms = now_unix_ms;
    out->start_ticks = look_at_process(h->pid).start_ticks;
    return random_id(h->id, err);
}

/* ---- the holder ---- */

static bool is_dead(const struct lock_row *lock, const struct lock_row *self)
{
    const struct lock_holder *h = &lock->holder;
    if (strcmp(h->host, self->holder.host) != 0) return false;
    if (strcmp(h->boot_id, self->holder.boot_id) != 0) return true;
    if (kill((pid_t)h->pid, 0) != 0 && errno == ESRCH) return true;
    struct process p = look_at_process(h->pid);
    return p.ended || (p.start_ticks != 0 && lock->start_ticks != 0 && p.start_ticks != lock->start_ticks);
}

static enum err_code read_lock(struct store *s, int64_t stack, struct lock_row *out, bool *held,
                               struct err *err)
{
    CLEANUP(stmt_resetp) sqlite3_stmt *row = NULL;
    TRY(stmt_start(s, STMT_LOCK_GET, ARGS(ARG_INT(stack)), &row, err));
    TRY(stmt_next(s, row, held, err));
    *out = (struct lock_row){0};
    if (!*held) return ERR_OK;
    struct lock_holder *h = &out->holder;
    column_fixed(row, 0, h->id, sizeof h->id);
    column_fixed(row, 1, h->operation, sizeof h->operation);
    column_fixed(row, 2, h->host, sizeof h->host);
    column_fixed(row, 3, h->boot_id, sizeof h->boot_id);
    column_fixed(row, 4, h->user, sizeof h->user);
    h->pid = sqlite3_column_int64(row, 5);
    out->start_ticks = sqlite3_column_int64(row, 6);
    h->since_unix_ms = sqlite3_column_int64(row, 7);
    return ERR_OK;
}

/* "apply by alice on build-7, pid 4711, since 2025-01-31T08:15:00Z" */
enum { HOLDER_TEXT_SIZE = 4 * SHOWN_SIZE + 64 };
static char *describe_holder(const struct lock_holder *h, char out[HOLDER_TEXT_SIZE])
{
    char operation[SHOWN_SIZE], user[SHOWN_SIZE], host[SHOWN_SIZE], since[32] = "?";
    time_t seconds = (time_t)(h->since_unix_ms / 1000);
    struct tm utc;
    if (gmtime_r(&seconds, &utc) == NULL || strftime(since, sizeof since, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        (void)snprintf(since, sizeof since, "%lld", (long long)seconds);
    (void)snprintf(out, HOLDER_TEXT_SIZE, "%s by %s on %s, pid %lld, since %s",
                   shown(text_of(h->operation), operation), shown(text_of(h->user), user),
                   shown(text_of(h->host), host), (long long)h->pid, since);
    return out;
}

static enum err_code err_locked(struct err *err, struct text stack, const struct lock_holder *h)
{
    char holder[HOLDER_TEXT_SIZE], stack_shown[SHOWN_SIZE], id[SHOWN_SIZE];
    return err_set(
        err, ERR_LOCKED,
        "stack `%s` is locked: %s (lock %s); wait until it ends or, when you are sure that it will not,"
        " run `headgate unlock` with this lock's id",
        shown(stack, stack_shown), describe_holder(h, holder), shown(text_of(h->id), id));
}

static enum err_code leave_event(struct store *s, int64_t stack, const char *type,
                                 const struct lock_holder *h, int64_t now_unix_ms, struct err *err)
{
    char holder[HOLDER_TEXT_SIZE];
    struct event_row event = {.at_unix_ms = now_unix_ms, .type = type, .message = describe_holder(h, holder)};
    return event_put(s, stack, &event, err);
}

/* ---- what this store holds ---- */

static struct held_lock **find_held(struct store *s, struct text stack)
{
    struct held_lock **at = &s->held;
    while (*at != NULL && !text_equal((struct text){(*at)->stack, (*at)->stack_len}, stack))
        at = &(*at)->next;
    return at;
}

static struct held_lock *held_new(struct text stack, const char *id)
{
    struct held_lock *h = calloc(1, sizeof *h + stack.len);
    if (h == NULL) return NULL;
    memcpy(h->id, id, STORE_ID_SIZE);
    h->stack_len = stack.len;
    if (stack.len > 0) memcpy(h->stack, stack.ptr, stack.len);
    return h;
}

static void held_forget(struct held_lock **at)
{
    struct held_lock *h = *at;
    *at = h->next;
    free(h);
}

static void held_freep(struct held_lock **h)
{
    free(*h);
}

void lock_forget_all(struct store *s)
{
    while (s->held != NULL) held_forget(&s->held);
}

enum err_code lock_check(struct store *s, struct text stack, int64_t stack_id, struct err *err)
{
    const struct held_lock *mine = *find_held(s, stack);
    if (mine == NULL) return ERR_OK;
    struct lock_row lock;
    bool held;
    TRY(read_lock(s, stack_id, &lock, &held, err));
    if (held && strcmp(lock.holder.id, mine->id) == 0) return ERR_OK;
    if (held) return err_locked(err, stack, &lock.holder);
    char stack_shown[SHOWN_SIZE];
    return err_set(err, ERR_LOCKED,
                   "the lock of stack `%s` was broken by somebody while we worked; run it again",
                   shown(stack, stack_shown));
}

/* ---- the interface ---- */

enum err_code store_lock(struct store *s, struct text stack, const char *operation, int64_t now_unix_ms,
                         struct lock_holder *holder, bool *took_over, struct err *err)
{
    CLEANUP(txn_endp) struct store *txn = NULL;
    struct lock_row self = {0}, lock;
    int64_t id;
    bool held;
    TRY(describe_self(&self, operation, now_unix_ms, err));
    CLEANUP(held_freep) struct held_lock *mine = held_new(stack, self.holder.id);
    if (mine == NULL) return err_nomem(err);
    TRY(txn_begin(s, TXN_WRITE, &txn, err));
    TRY(stack_make(s, stack, &id, err));
    TRY(read_lock(s, id, &lock, &held, err));
    if (held && !is_dead(&lock, &self)) {
        if (holder != NULL) *holder = lock.holder;
        return err_locked(err, stack, &lock.holder);
    }
    if (held) {
        TRY(stmt_run(s, STMT_LOCK_DELETE, ARGS(ARG_INT(id), ARG_STR(lock.holder.id)), err));
        TRY(leave_event(s, id, "lock-taken-over", &lock.holder, now_unix_ms, err));
    }
    const struct lock_holder *h = &self.holder;
    TRY(stmt_run(s, STMT_LOCK_PUT,
                 ARGS(ARG_INT(id), ARG_STR(h->id), ARG_STR(h->operation), ARG_STR(h->host),
                      ARG_STR(h->boot_id), ARG_STR(h->user), ARG_INT(h->pid), ARG_INT(self.start_ticks),
                      ARG_INT(h->since_unix_ms)),
                 err));
    TRY(txn_commit(&txn, err));
    struct held_lock **at = find_held(s, stack);
    if (*at != NULL) held_forget(at); /* one that was broken */
    mine->next = s->held;
    s->held = TAKE(mine);
    if (holder != NULL) *holder = self.holder;
    if (took_over != NULL) *took_over = held;
    return ERR_OK;
}

enum err_code store_unlock(struct store *s, struct text stack, struct err *err)
{
    CLEANUP(txn_endp) struct store *txn = NULL;
    char stack_shown[SHOWN_SIZE];
    int64_t id;
    struct held_lock **mine = find_held(s, stack);
    if (*mine == NULL)
        return err_set(err, ERR_INPUT, "stack `%s` was not locked by this process",
                       shown(stack, stack_shown));
    TRY(txn_begin(s, TXN_WRITE, &txn, err));
    TRY(stack_find(s, stack, &id, err));
    TRY(stmt_run(s, STMT_LOCK_DELETE, ARGS(ARG_INT(id), ARG_STR((*mine)->id)), err));
    bool was_there = sqlite3_changes(s->db) > 0;
    TRY(txn_commit(&txn, err));
    held_forget(mine);
    if (was_there) return ERR_OK;
    return err_set(err, ERR_STALE, "the lock of stack `%s` was broken by somebody while we worked",
                   shown(stack, stack_shown));
}

enum err_code store_break_lock(struct store *s, struct text stack, const char *id, struct err *err)
{
    CLEANUP(txn_endp) struct store *txn = NULL;
    char stack_shown[SHOWN_SIZE], id_shown[SHOWN_SIZE];
    struct lock_row lock;
    struct timespec now;
    int64_t stack_id;
    bool held;
    TRY(txn_begin(s, TXN_WRITE, &txn, err));
    TRY(stack_find(s, stack, &stack_id, err));
    TRY(read_lock(s, stack_id, &lock, &held, err));
    if (!held) return err_set(err, ERR_INPUT, "stack `%s` is not locked", shown(stack, stack_shown));
    if (id != NULL && strcmp(id, lock.holder.id) != 0)
        return err_set(err, ERR_INPUT, "stack `%s` is not locked by %s: its lock is %s",
                       shown(stack, stack_shown), shown(text_of(id), id_shown), lock.holder.id);
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail: the clock exists */
    int64_t now_unix_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    TRY(stmt_run(s, STMT_LOCK_DELETE, ARGS(ARG_INT(stack_id), ARG_STR(lock.holder.id)), err));
    TRY(leave_event(s, stack_id, "lock-broken", &lock.holder, now_unix_ms, err));
    return txn_commit(&txn, err);
}

enum err_code store_lock_holder(struct store *s, struct text stack, struct lock_holder *out, bool *held,
                                struct err *err)
{
    struct lock_row lock;
    int64_t id;
    bool found;
    TRY(stack_find(s, stack, &id, err));
    TRY(read_lock(s, id, &lock, &found, err));
    *out = lock.holder;
    *held = found;
    return ERR_OK;
}

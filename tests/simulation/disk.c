/* disk.c - a store on the disk of power_vfs.h, beside the harness's memory. */
#include "tests/simulation/disk.h"

#include "reconciler/loop/notes.h"
#include "state/sqlite.h"
#include "tests/simulation/rng.h"
#include "tests/support/drive.h"
#include "tests/support/power_vfs.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

struct disk {
    struct harness *h;
    struct counters *counters;
    struct rng rng;
    struct power_disk *power;
    struct store *store; /* NULL: not open */
    struct note_writes writes;
    struct arena *arena; /* of what is read back */
    char folder[64], path[96];
    /* The log's length before and after the last write, and what was known before it. */
    size_t log_before, log_after;
    struct memory before;
    bool may_be_cut, crashed, broken;
    char wrong[600];
};

#define STACK TEXT("default")

PRINTF_LIKE(2, 3) static void say_wrong(struct disk *d, const char *fmt, ...)
{
    va_list args;
    if (d->wrong[0] != '\0') return;
    va_start(args, fmt);
    (void)vsnprintf(d->wrong, sizeof d->wrong, fmt, args); /* cut when too long: for people */
    va_end(args);
}

/* Whatever the store refuses on a good disk is wrong. */
static void must(struct disk *d, const char *what, enum err_code code, const struct err *err)
{
    if (code != ERR_OK) say_wrong(d, "the state: %s: %s %s", what, err_code_name(code), err->msg);
}

/* ---- what both know ---- */

static struct memory read_back(struct disk *d)
{
    struct memory m;
    struct err err;
    struct records records = {.n = 0};
    struct generation *generations = NULL;
    struct intent *intents = NULL;
    size_t n_generations = 0, n_intents = 0;
    memory_init(&m);
    arena_reset(d->arena);
    must(d, "records", store_records(d->store, STACK, NULL, d->arena, &records, &err), &err);
    must(d, "generations", store_generations(d->store, STACK, d->arena, &generations, &n_generations, &err),
         &err);
    must(d, "intents", store_intents(d->store, STACK, d->arena, &intents, &n_intents, &err), &err);
    for (uint32_t k = 0; k < records.n; k++) {
        struct note n = {.type = NOTE_RECORD, .record = &records.items[k]};
        memory_write(&m, &n, 1);
    }
    for (size_t k = 0; k < n_intents; k++) {
        struct note n = {.type = NOTE_INTENT,
                         .kind = intents[k].kind,
                         .name = intents[k].name,
                         .verb = intents[k].verb,
                         .operation = intents[k].operation,
                         .generation = intents[k].generation};
        memcpy(n.token, intents[k].token, sizeof n.token);
        memcpy(n.request_hash, intents[k].request_hash, sizeof n.request_hash);
        memory_write(&m, &n, 1);
    }
    for (size_t k = 0; k < n_generations; k++)
        memory_use(&m, generations[k].kind, generations[k].name, generations[k].generation);
    return m;
}

static bool same_records(const struct record *a, const struct record *b)
{
    const struct kind_info *info = kind_info(a->kind);
    if (a->kind != b->kind || !text_equal(a->name, b->name) || strcmp(a->id, b->id) != 0 ||
        a->set_fields != b->set_fields || a->generation != b->generation ||
        a->incarnation != b->incarnation || a->prevent_destroy != b->prevent_destroy ||
        a->orphan_on_removal != b->orphan_on_removal || a->observed_only != b->observed_only ||
        a->applied_unix_ms != b->applied_unix_ms)
        return false;
    for (uint8_t f = 0; f < info->n_fields; f++)
        if (!value_equal(info->fields[f].type, a->values[f], b->values[f])) return false;
    return true;
}

static bool same_intents(const struct open_intent *a, const struct open_intent *b)
{
    return a->kind == b->kind && text_equal(a->name, b->name) && a->verb == b->verb &&
           strcmp(a->operation, b->operation) == 0 && strcmp(a->token, b->token) == 0 &&
           strcmp(a->request_hash, b->request_hash) == 0 && a->generation == b->generation;
}

/* NULL: nothing differs. */
static const char *difference(const struct memory *a, const struct memory *b)
{
    if (a->n_records != b->n_records || a->n_intents != b->n_intents || a->n_generations != b->n_generations)
        return "a number of rows";
    for (size_t k = 0; k < a->n_records; k++)
        if (!same_records(&a->records[k], &b->records[k])) return "a record";
    for (size_t k = 0; k < a->n_intents; k++)
        if (!same_intents(&a->intents[k], &b->intents[k])) return "an intent";
    for (size_t k = 0; k < a->n_generations; k++) {
        const struct used_generation *x = &a->generations[k], *y = &b->generations[k];
        if (x->kind != y->kind || !text_equal(x->name, y->name) || x->generation != y->generation)
            return "a generation";
    }
    return NULL;
}

/* The memory becomes what the file says. */
static void remember(struct disk *d, struct memory *m)
{
    m->n_lives = d->h->memory.n_lives;
    m->n_writes = d->h->memory.n_writes;
    memory_fini(&d->h->memory);
    d->h->memory = *m;
}

static void compare(struct disk *d)
{
    struct memory kept = read_back(d);
    const char *what = difference(&d->h->memory, &kept);
    /* The power went in the midst of a write, which nobody was promised yet. */
    bool torn = d->before.arena != NULL && what != NULL && difference(&d->before, &kept) == NULL;
    if (what != NULL && !torn)
        say_wrong(
            d, "the state file tells otherwise than was written: %s%s (%zu, %zu, %zu for %zu, %zu, %zu)",
            what, d->crashed ? ", after a crash" : "", kept.n_records, kept.n_intents, kept.n_generations,
            d->h->memory.n_records, d->h->memory.n_intents, d->h->memory.n_generations);
    remember(d, &kept);
}

/* ---- writing ---- */

static void forget_before(struct disk *d)
{
    if (d->before.arena != NULL) memory_fini(&d->before);
}

static enum err_code keep(void *ctx, const struct note *notes, size_t n)
{
    struct disk *d = ctx;
    struct err err;
    bool intends = false;
    for (size_t k = 0; k < n; k++) intends = intends || notes[k].type == NOTE_INTENT;
    bool filled = note_writes_fill(&d->writes, notes, n, 0, harness_unix_ms(d->h));
    ASSERT(filled);
    forget_before(d);
    if (d->may_be_cut) d->before = read_back(d);
    d->log_before = power_log_length(d->power);
    enum err_code code = store_write(d->store, STACK, d->writes.items, d->writes.n, &err);
    d->log_after = power_log_length(d->power);
    if (code == ERR_OK && d->broken && intends)
        say_wrong(d, "an intent was written although the lock was broken");
    if (!d->broken) must(d, "write", code, &err);
    return code;
}

/* ---- opening ---- */

/* Who held the lock is dead: the machine was started anew, or his process is gone. */
static void bury_holder(struct disk *d, bool rebooted)
{
    const char *sql = rebooted ? "UPDATE locks SET boot_id = 'another'" : "UPDATE locks SET pid = 1073741823";
    int rc = sqlite3_exec(d->store->db, sql, NULL, NULL, NULL);
    ASSERT(rc == SQLITE_OK);
}

static void open_store(struct disk *d)
{
    struct err err;
    enum { CHECKPOINT_PAGES = 25 }; /* so that logs are copied back often enough to be caught at it */
    must(d, "open", store_open(d->path, STORE_READ_WRITE, &d->store, &err), &err);
    if (d->store != NULL) (void)sqlite3_wal_autocheckpoint(d->store->db, CHECKPOINT_PAGES);
}

void disk_begin(struct disk *d, bool may_be_cut)
{
    struct err err;
    bool took_over = false;
    if (d->store == NULL) open_store(d);
    if (d->store == NULL) return;
    if (d->crashed) bury_holder(d, rng_one_in(&d->rng, 2));
    must(d, "lock", store_lock(d->store, STACK, "apply", harness_unix_ms(d->h), NULL, &took_over, &err),
         &err);
    if (took_over != (d->crashed && !d->broken))
        say_wrong(d, "the lock of a run that died: taken over %d", took_over);
    if (took_over) d->counters->events[EVENT_LOCK_TAKEN_OVER]++;
    compare(d);
    d->crashed = d->broken = false;
    d->may_be_cut = may_be_cut;
    forget_before(d);
    power_record(d->power);
    d->log_before = d->log_after = 0;
}

/* What is left when the process dies, or the power goes: then perhaps in the midst of the last write. */
static void crash(struct disk *d)
{
    size_t at = power_log_length(d->power);
    enum power_loss loss = (enum power_loss)rng_below(&d->rng, 3);
    bool in_write = loss != POWER_LOSES_NOTHING && d->h->cut_where == CUT_AFTER_WRITE && d->log_after > 0;
    if (in_write)
        at = d->log_before + rng_below(&d->rng, (unsigned)(d->log_after - d->log_before + 1));
    else
        forget_before(d);
    store_close(TAKE(d->store));
    struct power_replay *replay = power_replay_new(d->power);
    for (size_t k = 0; k < at; k++) {
        bool more = power_replay_step(replay);
        ASSERT(more);
    }
    (void)power_cut(replay, loss, rng_next(&d->rng));
    power_replay_free(replay);
    d->crashed = true;
    if (loss != POWER_LOSES_NOTHING) d->counters->events[EVENT_POWER_CUT]++;
}

void disk_end(struct disk *d)
{
    struct err err;
    if (d->store == NULL) return;
    if (d->h->was_cut) {
        crash(d);
        return;
    }
    forget_before(d);
    enum err_code code = store_unlock(d->store, STACK, &err);
    if (!d->broken || code != ERR_STALE) must(d, "unlock", code, &err);
    if (rng_one_in(&d->rng, 2)) store_close(TAKE(d->store)); /* another process goes on */
}

void disk_rival(struct disk *d, bool breaks)
{
    struct err err;
    if (d->store == NULL || d->broken) return;
    enum err_code code = store_lock(d->store, STACK, "apply", harness_unix_ms(d->h), NULL, NULL, &err);
    if (code != ERR_LOCKED) say_wrong(d, "two hold the lock: %s", err_code_name(code));
    d->counters->events[EVENT_SECOND_OPERATOR]++;
    if (!breaks) return;
    must(d, "break the lock", store_break_lock(d->store, STACK, NULL, &err), &err);
    d->broken = true;
    d->counters->events[EVENT_LOCK_BROKEN]++;
}

void disk_lose(struct disk *d)
{
    store_close(TAKE(d->store));
    (void)unlink(d->path); /* it may not be there yet */
    power_disk_free(d->power);
    d->power = power_disk_new();
    d->crashed = false;
    forget_before(d);
}

void disk_verify(struct disk *d)
{
    struct err err = {.code = ERR_OK};
    const char *report = "";
    if (d->store == NULL) open_store(d);
    if (d->store == NULL) return;
    arena_reset(d->arena);
    enum err_code code = store_verify(d->store, d->arena, &report, &err);
    if (code != ERR_OK) say_wrong(d, "the state file: %s %s", err.msg, report);
    compare(d);
}

const char *disk_wrong(const struct disk *d)
{
    return d->wrong[0] == '\0' ? NULL : d->wrong;
}

struct disk *disk_new(struct harness *h, struct counters *counters, uint64_t seed)
{
    struct disk *d = calloc(1, sizeof *d);
    ASSERT(d != NULL);
    *d = (struct disk){.h = h,
                       .counters = counters,
                       .rng = {seed},
                       .power = power_disk_new(),
                       .arena = arena_new((size_t)64 << 20),
                       .folder = "/tmp/headgate-sim-XXXXXX"};
    ASSERT(d->arena != NULL);
    const char *made = mkdtemp(d->folder);
    ASSERT(made != NULL);
    (void)snprintf(d->path, sizeof d->path, "%s/state.db", d->folder);
    h->keep = keep;
    h->keep_ctx = d;
    return d;
}

void disk_free(struct disk *d)
{
    if (d == NULL) return;
    store_close(d->store);
    forget_before(d);
    note_writes_fini(&d->writes);
    arena_free(d->arena);
    power_disk_free(d->power);
    (void)unlink(d->path); /* what is not there any more is no matter here */
    (void)rmdir(d->folder);
    d->h->keep = NULL;
    free(d);
}

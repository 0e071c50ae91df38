/* power_fixture.h - a store on a disk that fails as told, written by the engine of a harness. */
#pragma once

#include "fixture.h"

#include <sqlite3.h>

#include "reconciler/base/buf.h"
#include "reconciler/loop/notes.h"
#include "state/sqlite.h"
#include "tests/support/harness.h"
#include "tests/support/power_vfs.h"

enum {
    NOW_MS = 1700000000,
    CHECKPOINT_PAGES = 25, /* so that logs are copied back and begun anew often enough to be caught at it */
};

/* What the store has promised: the length of the disk's log when a write came back, and all rows then. */
struct promise {
    size_t log;
    uint64_t rows;
};

struct rig {
    struct fixture *f;
    struct power_disk *disk;
    struct harness h;
    struct note_writes writes;
    struct run_row run;
    struct promise *promises;
    size_t n_promises, promises_capacity;
};

static inline uint64_t hash_text(uint64_t hash, const char *s)
{
    for (; *s != '\0'; s++) hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

/* A hash of every row that does not differ from run to run; 0 when they cannot be read. */
static inline uint64_t hash_rows(struct store *s)
{
    static const char *const tables[] = {"stacks", "records", "generations", "intents", "runs", "events"};
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t t = 0; t < N_ELEMENTS(tables); t++) {
        char sql[64];
        sqlite3_stmt *row;
        (void)snprintf(sql, sizeof sql, "SELECT * FROM %s", tables[t]);
        if (sqlite3_prepare_v2(s->db, sql, -1, &row, NULL) != SQLITE_OK) return 0;
        int rc;
        while ((rc = sqlite3_step(row)) == SQLITE_ROW)
            for (int c = 0; c < sqlite3_column_count(row); c++) {
                const char *text = (const char *)sqlite3_column_text(row, c);
                hash = hash_text(hash, text == NULL ? "(null)" : text);
            }
        (void)sqlite3_finalize(row); /* repeats step()'s error */
        if (rc != SQLITE_DONE) return 0;
    }
    return hash;
}

static inline void promised(struct rig *r)
{
    bool grown =
        arena_grow(r->f->arena, &r->promises, sizeof *r->promises, r->n_promises, &r->promises_capacity);
    assert_true(grown);
    power_pause_faults(r->disk, true);
    uint64_t rows = hash_rows(r->f->store);
    power_pause_faults(r->disk, false);
    assert_int_not_equal(rows, 0);
    r->promises[r->n_promises++] = (struct promise){power_log_length(r->disk), rows};
}

static inline enum err_code rig_write(struct rig *r)
{
    enum err_code code = store_write(r->f->store, DEFAULT_STACK, r->writes.items, r->writes.n, &r->f->err);
    if (code == ERR_OK) promised(r);
    return code;
}

/* The harness's notes, as the loop writes them. */
static inline enum err_code rig_keep(void *ctx, const struct note *notes, size_t n)
{
    struct rig *r = ctx;
    bool filled = note_writes_fill(&r->writes, notes, n, r->run.id, NOW_MS);
    assert_true(filled);
    return rig_write(r);
}

/* The row of a run, when it begins and when it ends. */
static inline enum err_code rig_write_run(struct rig *r, const char *result)
{
    bool reserved = note_writes_reserve(&r->writes, 1);
    assert_true(reserved);
    r->run.operation = "apply";
    r->run.result = result;
    r->writes.items[0] = (struct write){.type = WRITE_RUN, .run = &r->run};
    r->writes.n = 1;
    return rig_write(r);
}

static inline enum err_code rig_open(struct rig *r)
{
    enum err_code code = store_open(r->f->path, STORE_READ_WRITE, &r->f->store, &r->f->err);
    if (code == ERR_OK) (void)sqlite3_wal_autocheckpoint(r->f->store->db, CHECKPOINT_PAGES);
    return code;
}

static inline void rig_close(struct rig *r)
{
    store_close(TAKE(r->f->store));
}

static inline void rig_init(struct rig *r, struct fixture *f)
{
    *r = (struct rig){.f = f, .disk = power_disk_new()};
    harness_init(&r->h);
    r->h.keep = rig_keep;
    r->h.keep_ctx = r;
}

static inline void rig_fini(struct rig *r)
{
    rig_close(r);
    note_writes_fini(&r->writes);
    harness_fini(&r->h);
    power_disk_free(r->disk);
}

/* One apply of this manifest, with its run, as the loop makes it. */
static inline enum err_code rig_apply(struct rig *r, const char *yaml)
{
    struct apply_script script = {.persist_ms = 5};
    harness_manifest(&r->h, yaml);
    r->run.id = 0;
    enum err_code code = rig_write_run(r, "running");
    if (code == ERR_OK) code = harness_apply(&r->h, &script);
    if (code == ERR_OK) code = rig_write_run(r, "succeeded");
    return code;
}

/* state_file.c - the store beside the harness's memory. */
#include "tests/simulation/state_file.h"

#include "reconciler/loop/notes.h"
#include "state/store.h"
#include "tests/support/drive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACK TEXT("default")

struct state_file {
    struct harness *h;
    struct store *store;
    struct note_writes writes;
    struct arena *arena; /* of the last comparison */
    struct err err;
    char folder[128], path[160], said[512];
};

#define MUST(f, expression)                                                                                  \
    do {                                                                                                     \
        enum err_code code_ = (expression);                                                                  \
        if (code_ != ERR_OK) (void)fprintf(stderr, "state file: %s\n", (f)->err.msg);                        \
        ASSERT(code_ == ERR_OK);                                                                             \
    } while (0)

static enum err_code keep(void *ctx, const struct note *notes, size_t n)
{
    struct state_file *f = ctx;
    bool filled = note_writes_fill(&f->writes, notes, n, 0, harness_unix_ms(f->h));
    ASSERT(filled);
    MUST(f, store_write(f->store, STACK, f->writes.items, f->writes.n, &f->err));
    return ERR_OK;
}

struct state_file *state_file_new(struct harness *h)
{
    struct state_file *f = calloc(1, sizeof *f);
    const char *given = getenv("TMPDIR");
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : given != NULL ? given : "/tmp";
    ASSERT(f != NULL && strlen(parent) < 64);
    f->h = h;
    (void)snprintf(f->folder, sizeof f->folder, "%s/headgate-sim-XXXXXX", parent);
    char *made = mkdtemp(f->folder);
    ASSERT(made != NULL);
    (void)snprintf(f->path, sizeof f->path, "%s/state.db", f->folder);
    f->arena = arena_new((size_t)1 << 28);
    ASSERT(f->arena != NULL);
    MUST(f, store_open(f->path, STORE_READ_WRITE, &f->store, &f->err));
    h->keep = keep;
    h->keep_ctx = f;
    return f;
}

static void remove_file(const struct state_file *f)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    for (size_t k = 0; k < N_ELEMENTS(endings); k++) {
        char path[192];
        (void)snprintf(path, sizeof path, "%s%s", f->path, endings[k]);
        (void)unlink(path); /* not all of them exist */
    }
}

void state_file_free(struct state_file *f)
{
    if (f == NULL) return;
    store_close(f->store);
    note_writes_fini(&f->writes);
    arena_free(f->arena);
    remove_file(f);
    int rc = rmdir(f->folder);
    ASSERT(rc == 0);
    free(f);
}

void state_file_reopen(struct state_file *f)
{
    store_close(TAKE(f->store));
    MUST(f, store_open(f->path, STORE_READ_WRITE, &f->store, &f->err));
}

void state_file_lose(struct state_file *f)
{
    store_close(TAKE(f->store));
    remove_file(f);
    MUST(f, store_open(f->path, STORE_READ_WRITE, &f->store, &f->err));
}

static bool say(struct state_file *f, const char *what, enum kind kind, struct text name)
{
    char address[RESOURCE_ADDRESS_SIZE];
    (void)snprintf(f->said, sizeof f->said, "%s of %s", what, address_format(kind, name, address));
    return false;
}

static bool same_record(struct state_file *f, const struct record *a, const struct record *b)
{
    const struct kind_info *info = kind_info(a->kind);
    if (address_compare(a->kind, a->name, b->kind, b->name) != 0)
        return say(f, "the address", a->kind, a->name);
    if (strcmp(a->id, b->id) != 0) return say(f, "the id", a->kind, a->name);
    if (a->generation != b->generation || a->incarnation != b->incarnation ||
        a->set_fields != b->set_fields || a->prevent_destroy != b->prevent_destroy ||
        a->orphan_on_removal != b->orphan_on_removal || a->observed_only != b->observed_only)
        return say(f, "a number", a->kind, a->name);
    for (uint8_t k = 0; k < info->n_fields; k++)
        if (!value_equal(info->fields[k].type, a->values[k], b->values[k]))
            return say(f, info->fields[k].name, a->kind, a->name);
    return true;
}

static bool same_records(struct state_file *f)
{
    const struct memory *m = &f->h->memory;
    struct records kept;
    MUST(f, store_records(f->store, STACK, NULL, f->arena, &kept, &f->err));
    for (uint32_t k = 0; k < kept.n && k < m->n_records; k++)
        if (!same_record(f, &kept.items[k], &m->records[k])) return false;
    if (kept.n == m->n_records) return true;
    (void)snprintf(f->said, sizeof f->said, "%u records in the file, %zu in memory", kept.n, m->n_records);
    return false;
}

static bool same_generations(struct state_file *f)
{
    const struct memory *m = &f->h->memory;
    struct generation *kept = NULL;
    size_t n = 0;
    MUST(f, store_generations(f->store, STACK, f->arena, &kept, &n, &f->err));
    for (size_t k = 0; k < n && k < m->n_generations; k++) {
        const struct used_generation *g = &m->generations[k];
        if (address_compare(kept[k].kind, kept[k].name, g->kind, g->name) != 0 ||
            kept[k].generation != g->generation)
            return say(f, "the generation", g->kind, g->name);
    }
    if (n == m->n_generations) return true;
    (void)snprintf(f->said, sizeof f->said, "%zu generations in the file, %zu in memory", n,
                   m->n_generations);
    return false;
}

static bool same_intents(struct state_file *f)
{
    const struct memory *m = &f->h->memory;
    struct intent *open = NULL;
    size_t n = 0;
    MUST(f, store_intents(f->store, STACK, f->arena, &open, &n, &f->err));
    for (size_t k = 0; k < n; k++) {
        bool found = false;
        for (size_t i = 0; i < m->n_intents && !found; i++)
            found =
                address_compare(open[k].kind, open[k].name, m->intents[i].kind, m->intents[i].name) == 0 &&
                strcmp(open[k].token, m->intents[i].token) == 0 &&
                strcmp(open[k].request_hash, m->intents[i].request_hash) == 0 &&
                open[k].generation == m->intents[i].generation;
        if (!found) return say(f, "the open intent", open[k].kind, open[k].name);
    }
    if (n == m->n_intents) return true;
    (void)snprintf(f->said, sizeof f->said, "%zu intents in the file, %zu in memory", n, m->n_intents);
    return false;
}

const char *state_file_compare(struct state_file *f)
{
    arena_reset(f->arena);
    f->said[0] = '\0';
    bool same = same_records(f) && same_generations(f) && same_intents(f);
    ASSERT(same == (f->said[0] == '\0'));
    return f->said;
}

const char *state_file_verify(struct state_file *f)
{
    const char *report = "";
    arena_reset(f->arena);
    enum err_code code = store_verify(f->store, f->arena, &report, &f->err);
    (void)snprintf(f->said, sizeof f->said, "%s%s", code == ERR_OK ? "" : f->err.msg,
                   code == ERR_OK ? "" : report);
    return f->said;
}

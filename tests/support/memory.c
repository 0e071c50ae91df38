/* memory.c - arrays sorted by address; nothing is ever freed before the end. */
#include "tests/support/memory.h"

#include <string.h>

void memory_init(struct memory *m)
{
    *m = (struct memory){.arena = arena_new((size_t)1 << 30)};
    ASSERT(m->arena != NULL);
}

void memory_fini(struct memory *m)
{
    arena_free(m->arena);
    *m = (struct memory){.arena = NULL};
}

void memory_forget(struct memory *m)
{
    m->n_records = m->n_intents = m->n_generations = 0;
    m->n_lives++;
}

static struct text keep_text(struct arena *a, struct text t)
{
    struct text kept = arena_text(a, t);
    ASSERT(kept.ptr != NULL);
    return kept;
}

static struct record copy_record(struct arena *a, const struct record *r)
{
    const struct kind_info *info = kind_info(r->kind);
    struct record copy = *r;
    copy.name = keep_text(a, r->name);
    copy.id = arena_strdup(a, r->id);
    copy.values = arena_array_of(a, info->n_fields, struct value);
    ASSERT(copy.id != NULL && copy.values != NULL);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        bool copied = value_copy(a, info->fields[f].type, r->values[f], &copy.values[f]);
        ASSERT(copied);
        ASSERT(r->values[f].state != VALUE_UNKNOWN); /* a record knows */
    }
    return copy;
}

/* What all kept things begin with. */
struct head {
    enum kind kind;
    struct text name;
};
_Static_assert(offsetof(struct record, name) == offsetof(struct head, name),
               "records begin with their address");
_Static_assert(offsetof(struct open_intent, name) == offsetof(struct head, name), "so do intents");
_Static_assert(offsetof(struct used_generation, name) == offsetof(struct head, name), "so do generations");

/* Where an address is among 'n' sorted things of 'size' bytes, or belongs. */
static size_t find(const void *items, size_t n, size_t size, enum kind kind, struct text name, bool *found)
{
    size_t low = 0, high = n;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct head head;
        memcpy(&head, (const char *)items + middle * size, sizeof head);
        int order = address_compare(head.kind, head.name, kind, name);
        *found = *found || order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#define FIND(array, n, kind, name, found) find((array), (n), sizeof *(array), (kind), (name), (found))

/* Makes room at 'at' of an array in the memory's arena. */
static void open_gap(struct memory *m, void *array, size_t size, size_t *n, size_t *capacity, size_t at)
{
    bool grown = arena_grow(m->arena, array, size, *n, capacity);
    ASSERT(grown);
    char *items;
    memcpy(&items, array, sizeof items);
    memmove(items + (at + 1) * size, items + at * size, (*n - at) * size);
    ++*n;
}

static void close_gap(void *items, size_t size, size_t *n, size_t at)
{
    --*n;
    memmove((char *)items + at * size, (char *)items + (at + 1) * size, (*n - at) * size);
}

void memory_use(struct memory *m, enum kind kind, struct text name, uint32_t generation)
{
    bool found;
    size_t at = FIND(m->generations, m->n_generations, kind, name, &found);
    if (!found) {
        open_gap(m, &m->generations, sizeof *m->generations, &m->n_generations, &m->generations_capacity, at);
        m->generations[at] = (struct used_generation){.kind = kind, .name = keep_text(m->arena, name)};
    }
    m->generations[at].generation = MAX_OF(m->generations[at].generation, generation);
}

static void put_record(struct memory *m, const struct record *r)
{
    bool found;
    size_t at = FIND(m->records, m->n_records, r->kind, r->name, &found);
    if (!found) open_gap(m, &m->records, sizeof *m->records, &m->n_records, &m->records_capacity, at);
    m->records[at] = copy_record(m->arena, r);
    memory_use(m, r->kind, r->name, r->generation);
}

static void put_intent(struct memory *m, const struct note *n)
{
    bool found;
    size_t at = FIND(m->intents, m->n_intents, n->kind, n->name, &found);
    if (!found) open_gap(m, &m->intents, sizeof *m->intents, &m->n_intents, &m->intents_capacity, at);
    struct open_intent *i = &m->intents[at];
    *i = (struct open_intent){.kind = n->kind,
                              .name = keep_text(m->arena, n->name),
                              .verb = n->verb,
                              .operation = arena_strdup(m->arena, n->operation),
                              .generation = n->generation};
    memcpy(i->token, n->token, sizeof i->token);
    memcpy(i->request_hash, n->request_hash, sizeof i->request_hash);
    memory_use(m, n->kind, n->name, n->generation);
}

static void drop_intent(struct memory *m, enum kind kind, struct text name)
{
    bool found;
    size_t at = FIND(m->intents, m->n_intents, kind, name, &found);
    if (found) close_gap(m->intents, sizeof *m->intents, &m->n_intents, at);
}

static void drop_record(struct memory *m, enum kind kind, struct text name)
{
    bool found;
    size_t at = FIND(m->records, m->n_records, kind, name, &found);
    if (found) close_gap(m->records, sizeof *m->records, &m->n_records, at);
}

void memory_forget_record(struct memory *m, enum kind kind, const char *name)
{
    drop_record(m, kind, text_of(name));
}

void memory_move_record(struct memory *m, enum kind kind, const char *from, const char *to)
{
    bool found;
    size_t at = FIND(m->records, m->n_records, kind, text_of(from), &found);
    ASSERT(found);
    struct record moved = m->records[at];
    drop_record(m, kind, text_of(from));
    moved.name = text_of(to);
    put_record(m, &moved);
}

void memory_write(struct memory *m, const struct note *notes, size_t n)
{
    m->n_writes++;
    for (size_t k = 0; k < n; k++) {
        switch (notes[k].type) {
        case NOTE_INTENT: put_intent(m, &notes[k]); break;
        case NOTE_SETTLE: drop_intent(m, notes[k].kind, notes[k].name); break;
        case NOTE_RECORD: put_record(m, notes[k].record); break;
        case NOTE_FORGET: drop_record(m, notes[k].kind, notes[k].name); break;
        case NOTE_EVENT: break;
        }
    }
}

struct records memory_records(const struct memory *m, struct arena *arena)
{
    struct records out = {.n = (uint32_t)m->n_records};
    out.items = arena_array_of(arena, m->n_records, struct record);
    ASSERT(out.items != NULL);
    for (size_t k = 0; k < m->n_records; k++) out.items[k] = copy_record(arena, &m->records[k]);
    return out;
}

const struct used_generation *memory_used(struct memory *m, struct arena *arena)
{
    struct used_generation *used = arena_array_of(arena, m->n_generations, struct used_generation);
    ASSERT(used != NULL);
    for (size_t k = 0; k < m->n_generations; k++) {
        used[k] = m->generations[k];
        bool found;
        size_t at = FIND(m->intents, m->n_intents, used[k].kind, used[k].name, &found);
        if (!found) continue;
        used[k].open = true;
        used[k].verb = m->intents[at].verb;
        used[k].operation = m->intents[at].operation;
        used[k].request_hash = arena_strdup(arena, m->intents[at].request_hash);
        used[k].generation = m->intents[at].generation;
    }
    return used;
}

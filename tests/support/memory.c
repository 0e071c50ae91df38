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

/* Where an address is, or belongs. */
#define FIND(items, n, kind, name, at, found)                                                                \
    do {                                                                                                     \
        size_t low_ = 0, high_ = (n);                                                                        \
        while (low_ < high_) {                                                                               \
            size_t middle_ = low_ + (high_ - low_) / 2;                                                      \
            if (address_compare((items)[middle_].kind, (items)[middle_].name, (kind), (name)) < 0)           \
                low_ = middle_ + 1;                                                                          \
            else                                                                                             \
                high_ = middle_;                                                                             \
        }                                                                                                    \
        (at) = low_;                                                                                         \
        (found) = low_ < (n) && address_compare((items)[low_].kind, (items)[low_].name, (kind), (name)) == 0; \
    } while (0)

/* Makes a hole at 'at'. */
#define INSERT(m, items, n, capacity, at)                                                                    \
    do {                                                                                                     \
        bool grown_ = arena_grow((m)->arena, &(items), sizeof *(items), (n), &(capacity));                   \
        ASSERT(grown_);                                                                                      \
        memmove(&(items)[(at) + 1], &(items)[at], ((n) - (at)) * sizeof *(items));                           \
        (n)++;                                                                                               \
    } while (0)

#define REMOVE(items, n, at)                                                                                 \
    do {                                                                                                     \
        memmove(&(items)[at], &(items)[(at) + 1], ((n) - (at)-1) * sizeof *(items));                         \
        (n)--;                                                                                               \
    } while (0)

static void put_generation(struct memory *m, enum kind kind, struct text name, uint32_t generation)
{
    size_t at;
    bool found;
    FIND(m->generations, m->n_generations, kind, name, at, found);
    if (!found) {
        INSERT(m, m->generations, m->n_generations, m->generations_capacity, at);
        m->generations[at] = (struct used_generation){.kind = kind, .name = keep_text(m->arena, name)};
    }
    m->generations[at].generation = MAX_OF(m->generations[at].generation, generation);
}

static void put_record(struct memory *m, const struct record *r)
{
    size_t at;
    bool found;
    FIND(m->records, m->n_records, r->kind, r->name, at, found);
    if (!found) INSERT(m, m->records, m->n_records, m->records_capacity, at);
    m->records[at] = copy_record(m->arena, r);
    put_generation(m, r->kind, r->name, r->generation);
}

static void put_intent(struct memory *m, const struct note *n)
{
    size_t at;
    bool found;
    FIND(m->intents, m->n_intents, n->kind, n->name, at, found);
    if (!found) INSERT(m, m->intents, m->n_intents, m->intents_capacity, at);
    struct open_intent *i = &m->intents[at];
    *i = (struct open_intent){.kind = n->kind,
                              .name = keep_text(m->arena, n->name),
                              .operation = arena_strdup(m->arena, n->operation),
                              .generation = n->generation};
    memcpy(i->token, n->token, sizeof i->token);
    memcpy(i->request_hash, n->request_hash, sizeof i->request_hash);
    put_generation(m, n->kind, n->name, n->generation);
}

static void drop_intent(struct memory *m, enum kind kind, struct text name)
{
    size_t at;
    bool found;
    FIND(m->intents, m->n_intents, kind, name, at, found);
    if (found) REMOVE(m->intents, m->n_intents, at);
}

static void drop_record(struct memory *m, enum kind kind, struct text name)
{
    size_t at;
    bool found;
    FIND(m->records, m->n_records, kind, name, at, found);
    if (found) REMOVE(m->records, m->n_records, at);
}

void memory_forget_record(struct memory *m, enum kind kind, const char *name)
{
    drop_record(m, kind, text_of(name));
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
        size_t at;
        bool found;
        FIND(m->intents, m->n_intents, used[k].kind, used[k].name, at, found);
        if (!found) continue;
        used[k].open = true;
        used[k].operation = m->intents[at].operation;
        used[k].generation = m->intents[at].generation;
    }
    return used;
}

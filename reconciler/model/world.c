/* world.c - observed objects, found by id, by owner and by natural key.
 *
 * A hundred thousand objects are indexed in every pass, so the index is small and keeps no copies of keys:
 * each object has an entry, and three tables of buckets chain entries by the hash of what they are looked up
 * by. A look-up compares with the object itself.
 *
 *   buckets[BY_ID]    [h] -> entry -> entry -> NO_ENTRY
 *   buckets[BY_OWNER] [h] -> entry -> NO_ENTRY            objects of a kind: first_of_kind -> next_of_kind ->
 * … buckets[BY_KEY]   [h] -> NO_ENTRY                     in order of arrival */
#include "reconciler/model/world.h"

#include <string.h>

enum index { BY_ID, BY_OWNER, BY_KEY, N_INDEXES };
enum { MIN_BUCKETS = 64 };
#define NO_ENTRY UINT32_MAX

struct entry {
    struct object *object;
    uint32_t hash[N_INDEXES];
    uint32_t next[N_INDEXES]; /* in the same bucket */
    uint32_t next_of_kind;
    uint8_t in; /* bit per index */
    bool present;
};

struct world {
    struct entry *entries; /* in order of arrival; of the heap, so that growing leaves nothing behind */
    uint32_t n, capacity;
    uint32_t *buckets[N_INDEXES];
    uint32_t n_buckets; /* of each table: a power of two */
    uint32_t first_of_kind[N_KINDS], last_of_kind[N_KINDS];
    uint32_t n_present[N_KINDS];
};

/* What is looked for: a kind and what the index is about. */
struct probe {
    enum index index;
    enum kind kind;
    struct text id;             /* BY_ID */
    struct text stack, name;    /* BY_OWNER */
    const struct value *values; /* BY_KEY */
};

struct world *world_new(struct arena *arena)
{
    (void)arena; /* the objects' memory: what the index needs is its own */
    struct world *w = calloc(1, sizeof *w);
    if (w == NULL) return NULL;
    for (int k = 0; k < N_KINDS; k++) w->first_of_kind[k] = w->last_of_kind[k] = NO_ENTRY;
    return w;
}

void world_free(struct world *w)
{
    if (w == NULL) return;
    for (int i = 0; i < N_INDEXES; i++) free(w->buckets[i]);
    free(w->entries);
    free(w);
}

void world_freep(struct world **w)
{
    world_free(*w);
}

/* ---- hashes ---- */

/* Fields of a key hold a text, a number or a reference; never a list. */
static bool is_number(enum field_type type)
{
    return type == FIELD_INT || type == FIELD_BOOL;
}

static uint64_t mix_key(uint64_t h, enum kind kind, const struct value *values)
{
    const struct kind_info *info = kind_info(kind);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        if ((info->fields[f].flags & FIELD_KEY) == 0 || values[f].state != VALUE_SET) continue;
        h = is_number(info->fields[f].type) ? hash_mix(h, (uint64_t)values[f].u.num)
                                            : text_mix(h, value_as_text(values[f]));
    }
    return h;
}

/* Whether values have a natural key: a key field is set, and none of them is unknown or unresolved. */
static bool has_key(enum kind kind, const struct value *values)
{
    const struct kind_info *info = kind_info(kind);
    bool any = false;
    for (uint8_t f = 0; f < info->n_fields; f++) {
        if ((info->fields[f].flags & FIELD_KEY) == 0) continue;
        if (values[f].state == VALUE_UNKNOWN) return false;
        if (values[f].state == VALUE_UNSET) continue;
        if (info->fields[f].type == FIELD_REF && values[f].form != REF_ID) return false;
        any = true;
    }
    return any;
}

static uint32_t hash_of(const struct probe *p)
{
    uint64_t h = hash_mix(0, (uint64_t)p->kind + 1);
    switch (p->index) {
    case BY_ID: h = text_mix(h, p->id); break;
    case BY_OWNER: h = text_mix(text_mix(h, p->stack), p->name); break;
    case BY_KEY: h = mix_key(h, p->kind, p->values); break;
    case N_INDEXES: break;
    }
    return (uint32_t)h;
}

/* ---- comparing with objects ---- */

static bool same_key(const struct object *o, const struct value *values)
{
    const struct kind_info *info = kind_info(o->kind);
    for (uint8_t f = 0; f < info->n_fields; f++)
        if ((info->fields[f].flags & FIELD_KEY) != 0 &&
            !value_equal(info->fields[f].type, o->values[f], values[f]))
            return false;
    return true;
}

static bool matches(const struct object *o, const struct probe *p)
{
    if (o->kind != p->kind) return false;
    switch (p->index) {
    case BY_ID: return text_is(p->id, o->id);
    case BY_OWNER: return text_equal(o->owner_name, p->name) && text_equal(o->owner_stack, p->stack);
    case BY_KEY: return same_key(o, p->values);
    case N_INDEXES: break;
    }
    return false;
}

/* The match that arrived first; *n counts all of them. */
static uint32_t find(const struct world *w, const struct probe *p, size_t *n)
{
    uint32_t found = NO_ENTRY, hash = hash_of(p);
    *n = 0;
    if (w->n_buckets == 0) return NO_ENTRY;
    for (uint32_t e = w->buckets[p->index][hash & (w->n_buckets - 1)]; e != NO_ENTRY;
         e = w->entries[e].next[p->index]) {
        if (w->entries[e].hash[p->index] != hash || !matches(w->entries[e].object, p)) continue;
        found = MIN_OF(found, e);
        ++*n;
    }
    return found;
}

/* ---- keeping the tables ---- */

static void link_entry(struct world *w, uint32_t e, enum index index)
{
    struct entry *entry = &w->entries[e];
    uint32_t *bucket = &w->buckets[index][entry->hash[index] & (w->n_buckets - 1)];
    entry->next[index] = *bucket;
    *bucket = e;
    entry->in |= (uint8_t)(1u << index);
}

static void unlink_entry(struct world *w, uint32_t e, enum index index)
{
    struct entry *entry = &w->entries[e];
    if ((entry->in & 1u << index) == 0) return;
    uint32_t *link = &w->buckets[index][entry->hash[index] & (w->n_buckets - 1)];
    while (*link != e) link = &w->entries[*link].next[index];
    *link = entry->next[index];
    entry->in &= (uint8_t) ~(1u << index);
}

/* Twice the buckets, and all entries in them. The old ones stay when memory is out. */
static bool grow_buckets(struct world *w)
{
    uint32_t n = MAX_OF(w->n_buckets * 2, (uint32_t)MIN_BUCKETS);
    uint32_t *grown[N_INDEXES] = {NULL};
    for (int i = 0; i < N_INDEXES; i++)
        if ((grown[i] = malloc(n * sizeof *grown[i])) == NULL) {
            while (i-- > 0) free(grown[i]);
            return false;
        }
    for (int i = 0; i < N_INDEXES; i++) {
        memset(grown[i], 0xff, n * sizeof *grown[i]); /* NO_ENTRY */
        free(w->buckets[i]);
        w->buckets[i] = grown[i];
    }
    w->n_buckets = n;
    for (uint32_t e = 0; e < w->n; e++)
        for (int i = 0; i < N_INDEXES; i++)
            if ((w->entries[e].in & 1u << i) != 0) link_entry(w, e, (enum index)i);
    return true;
}

static bool make_room(struct world *w)
{
    if (w->n == w->capacity) {
        uint32_t capacity = MAX_OF(w->capacity + w->capacity / 2, (uint32_t)MIN_BUCKETS);
        struct entry *grown = realloc(w->entries, capacity * sizeof *grown);
        if (grown == NULL) return false;
        w->entries = grown;
        w->capacity = capacity;
    }
    return w->n < w->n_buckets || grow_buckets(w);
}

/* ---- objects ---- */

/* Into the indexes of what can change about an object. */
static void index_object(struct world *w, uint32_t e)
{
    const struct object *o = w->entries[e].object;
    if (o->owner_stack.ptr != NULL) {
        w->entries[e].hash[BY_OWNER] = hash_of(&(struct probe){
            .index = BY_OWNER, .kind = o->kind, .stack = o->owner_stack, .name = o->owner_name});
        link_entry(w, e, BY_OWNER);
    }
    if (has_key(o->kind, o->values)) {
        w->entries[e].hash[BY_KEY] =
            hash_of(&(struct probe){.index = BY_KEY, .kind = o->kind, .values = o->values});
        link_entry(w, e, BY_KEY);
    }
}

static void hide(struct world *w, uint32_t e)
{
    struct entry *entry = &w->entries[e];
    unlink_entry(w, e, BY_OWNER);
    unlink_entry(w, e, BY_KEY);
    if (entry->present) w->n_present[entry->object->kind]--;
    entry->present = false;
}

static void show(struct world *w, uint32_t e, struct object *o)
{
    w->entries[e].object = o;
    if (o->gone) return;
    w->entries[e].present = true;
    w->n_present[o->kind]++;
    index_object(w, e);
}

static struct probe id_probe(enum kind kind, struct text id)
{
    return (struct probe){.index = BY_ID, .kind = kind, .id = id};
}

enum err_code world_put(struct world *w, struct object *o, struct err *err)
{
    ASSERT(o->id != NULL && o->kind < N_KINDS);
    struct probe p = id_probe(o->kind, text_of(o->id));
    size_t n;
    uint32_t e = find(w, &p, &n);
    if (e != NO_ENTRY) {
        hide(w, e);
        show(w, e, o);
        return ERR_OK;
    }
    if (!make_room(w)) return err_nomem(err);
    e = w->n++;
    w->entries[e] = (struct entry){.object = o, .hash = {[BY_ID] = hash_of(&p)}, .next_of_kind = NO_ENTRY};
    link_entry(w, e, BY_ID);
    uint32_t *link = w->last_of_kind[o->kind] == NO_ENTRY
                         ? &w->first_of_kind[o->kind]
                         : &w->entries[w->last_of_kind[o->kind]].next_of_kind;
    *link = e;
    w->last_of_kind[o->kind] = e;
    show(w, e, o);
    return ERR_OK;
}

void world_remove(struct world *w, enum kind kind, const char *id)
{
    struct probe p = id_probe(kind, text_of(id));
    size_t n;
    uint32_t e = find(w, &p, &n);
    if (e == NO_ENTRY) return;
    hide(w, e);
    w->entries[e].object->gone = true;
}

static struct object *object_at(const struct world *w, uint32_t e)
{
    return e == NO_ENTRY || w->entries[e].object->gone ? NULL : w->entries[e].object;
}

struct object *world_find(const struct world *w, enum kind kind, struct text id)
{
    struct probe p = id_probe(kind, id);
    size_t n;
    return object_at(w, find(w, &p, &n));
}

struct object *world_find_owned(const struct world *w, struct text stack, enum kind kind, struct text name,
                                size_t *n_matches)
{
    struct probe p = {.index = BY_OWNER, .kind = kind, .stack = stack, .name = name};
    size_t n;
    uint32_t e = find(w, &p, &n);
    if (n_matches != NULL) *n_matches = n;
    return object_at(w, e);
}

struct object *world_find_key(const struct world *w, enum kind kind, const struct value *values)
{
    struct probe p = {.index = BY_KEY, .kind = kind, .values = values};
    size_t n;
    return has_key(kind, values) ? object_at(w, find(w, &p, &n)) : NULL;
}

struct object *world_next(const struct world *w, enum kind kind, size_t *cursor)
{
    /* The cursor is the entry that was returned last, and one; 0 before the first. */
    uint32_t e = *cursor == 0 ? w->first_of_kind[kind] : w->entries[*cursor - 1].next_of_kind;
    while (e != NO_ENTRY && w->entries[e].object->gone) e = w->entries[e].next_of_kind;
    if (e == NO_ENTRY) return NULL;
    *cursor = (size_t)e + 1;
    return w->entries[e].object;
}

size_t world_count(const struct world *w, enum kind kind)
{
    return w->n_present[kind];
}

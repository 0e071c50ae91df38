/* world.c - observed objects, found by id, by owner and by natural key.
 *
 * A hundred thousand objects are indexed in every pass, so the index is small and keeps no copies of keys:
 * each object has an entry, and up to three tables of buckets chain entries by the hash of what they are
 * looked up by. A look-up compares with the object itself. Of owners and natural keys there is a table from
 * the first look-up on: a plan that finds everything by its id never asks for them.
 *
 *   tables[BY_ID]     bucket -> entry -> entry -> NO_ENTRY
 *   tables[BY_OWNER]  bucket -> entry -> NO_ENTRY
 *   tables[BY_KEY]    bucket -> NO_ENTRY
 *   objects of a kind, in order of arrival:  first_of_kind -> next_of_kind -> … */
#include "reconciler/model/world.h"

#include <string.h>

enum index { BY_ID, BY_OWNER, BY_KEY, N_INDEXES };
enum { MIN_BUCKETS = 64 };
#define NO_ENTRY UINT32_MAX

struct entry {
    struct object *object;
    uint32_t next_of_kind;
    bool present;
};

/* The place of an entry in a table. */
struct link {
    uint32_t hash, next; /* 'next' in the same bucket */
    bool in;
};

struct table {
    struct link *links; /* per entry; NULL: nobody has asked yet */
    uint32_t *buckets;
};

struct world {
    struct arena *arena;   /* of what is learnt */
    struct entry *entries; /* in order of arrival; of the heap, so that growing leaves nothing behind */
    uint32_t n, capacity;
    struct table *tables; /* N_INDEXES; a look-up, which changes nothing that can be seen, may add one */
    uint32_t n_buckets;   /* of each table: a power of two */
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
    struct world *w = calloc(1, sizeof *w);
    if (w == NULL || (w->tables = calloc(N_INDEXES, sizeof *w->tables)) == NULL) {
        free(w);
        return NULL;
    }
    w->arena = arena;
    for (int k = 0; k < N_KINDS; k++) w->first_of_kind[k] = w->last_of_kind[k] = NO_ENTRY;
    return w;
}

static void table_fini(struct table *t)
{
    free(t->links);
    free(t->buckets);
    *t = (struct table){0};
}

void world_free(struct world *w)
{
    if (w == NULL) return;
    for (int i = 0; i < N_INDEXES; i++) table_fini(&w->tables[i]);
    free(w->tables);
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

/* ---- keeping the tables ---- */

static void link_entry(const struct world *w, struct table *t, uint32_t e, uint32_t hash)
{
    uint32_t *bucket = &t->buckets[hash & (w->n_buckets - 1)];
    t->links[e] = (struct link){.hash = hash, .next = *bucket, .in = true};
    *bucket = e;
}

static void unlink_entry(struct world *w, struct table *t, uint32_t e)
{
    if (t->links == NULL || !t->links[e].in) return;
    uint32_t *link = &t->buckets[t->links[e].hash & (w->n_buckets - 1)];
    while (*link != e) link = &t->links[*link].next;
    *link = t->links[e].next;
    t->links[e].in = false;
}

/* What an object is looked up by; false when it has no such thing. */
static bool probe_of(const struct object *o, enum index index, struct probe *p)
{
    *p = (struct probe){.index = index, .kind = o->kind, .values = o->values};
    switch (index) {
    case BY_ID: p->id = text_of(o->id); return true;
    case BY_OWNER:
        p->stack = o->owner_stack;
        p->name = o->owner_name;
        return o->owner_stack.ptr != NULL;
    case BY_KEY: return has_key(o->kind, o->values);
    case N_INDEXES: break;
    }
    return false;
}

/* Into a table that is kept. All ids stay in theirs, so that what comes back is known again. */
static void index_object(const struct world *w, uint32_t e, enum index index)
{
    struct probe p;
    if (w->tables[index].links != NULL && probe_of(w->entries[e].object, index, &p))
        link_entry(w, &w->tables[index], e, hash_of(&p));
}

static uint32_t *new_buckets(uint32_t n)
{
    uint32_t *buckets = malloc(n * sizeof *buckets);
    if (buckets != NULL) memset(buckets, 0xff, n * sizeof *buckets); /* NO_ENTRY */
    return buckets;
}

/* From now on the table is kept. False when memory is out. */
static bool add_table(const struct world *w, enum index index)
{
    struct table t = {.links = calloc(w->capacity, sizeof *t.links), .buckets = new_buckets(w->n_buckets)};
    if (t.links == NULL || t.buckets == NULL) {
        table_fini(&t);
        return false;
    }
    w->tables[index] = t;
    for (uint32_t e = 0; e < w->n; e++)
        if (w->entries[e].present) index_object(w, e, index);
    return true;
}

/* Twice the buckets, and all entries in them. The old ones stay when memory is out. */
static bool grow_buckets(struct world *w)
{
    uint32_t n = MAX_OF(w->n_buckets * 2, (uint32_t)MIN_BUCKETS);
    uint32_t *grown[N_INDEXES] = {NULL};
    for (int i = 0; i < N_INDEXES; i++)
        if (w->tables[i].links != NULL && (grown[i] = new_buckets(n)) == NULL) {
            while (i-- > 0) free(grown[i]);
            return false;
        }
    w->n_buckets = n;
    for (int i = 0; i < N_INDEXES; i++) {
        struct table *t = &w->tables[i];
        if (t->links == NULL) continue;
        free(t->buckets);
        t->buckets = grown[i];
        for (uint32_t e = 0; e < w->n; e++)
            if (t->links[e].in) link_entry(w, t, e, t->links[e].hash);
    }
    return true;
}

static bool grow_entries(struct world *w)
{
    uint32_t capacity = MAX_OF(w->capacity + w->capacity / 2, (uint32_t)MIN_BUCKETS);
    for (int i = 0; i < N_INDEXES; i++) {
        struct table *t = &w->tables[i];
        if (t->links == NULL && i != BY_ID) continue;
        struct link *links = realloc(t->links, capacity * sizeof *links);
        if (links == NULL) return false;
        t->links = links;
    }
    struct entry *entries = realloc(w->entries, capacity * sizeof *entries);
    if (entries == NULL) return false;
    w->entries = entries;
    w->capacity = capacity;
    return true;
}

static bool make_room(struct world *w)
{
    if (w->n == w->capacity && !grow_entries(w)) return false;
    return w->n < w->n_buckets || grow_buckets(w);
}

/* ---- looking up ---- */

/* The match that arrived first; *n counts all of them. */
static uint32_t find_hashed(const struct world *w, const struct probe *p, uint32_t hash, size_t *n)
{
    uint32_t found = NO_ENTRY;
    *n = 0;
    if (w->n == 0) return NO_ENTRY;
    const struct table *t = &w->tables[p->index];
    if (t->links == NULL && !add_table(w, p->index)) { /* slower, but as true */
        for (uint32_t e = w->n; e-- > 0;)
            if (w->entries[e].present && matches(w->entries[e].object, p)) found = e, ++*n;
        return found;
    }
    for (uint32_t e = t->buckets[hash & (w->n_buckets - 1)]; e != NO_ENTRY; e = t->links[e].next) {
        if (t->links[e].hash != hash || !matches(w->entries[e].object, p)) continue;
        found = MIN_OF(found, e);
        ++*n;
    }
    return found;
}

static uint32_t find(const struct world *w, const struct probe *p, size_t *n)
{
    return find_hashed(w, p, hash_of(p), n);
}

/* ---- objects ---- */

/* What can change about an object is looked up by what it is now. */
static void hide(struct world *w, uint32_t e)
{
    struct entry *entry = &w->entries[e];
    unlink_entry(w, &w->tables[BY_OWNER], e);
    unlink_entry(w, &w->tables[BY_KEY], e);
    if (entry->present) w->n_present[entry->object->kind]--;
    entry->present = false;
}

static void show(struct world *w, uint32_t e, struct object *o)
{
    w->entries[e].object = o;
    if (o->gone) return;
    w->entries[e].present = true;
    w->n_present[o->kind]++;
    index_object(w, e, BY_OWNER);
    index_object(w, e, BY_KEY);
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
    uint32_t hash = hash_of(&p), e = find_hashed(w, &p, hash, &n);
    if (e != NO_ENTRY) {
        hide(w, e);
        show(w, e, o);
        return ERR_OK;
    }
    if (!make_room(w)) return err_nomem(err);
    e = w->n++;
    w->entries[e] = (struct entry){.object = o, .next_of_kind = NO_ENTRY};
    for (int i = 0; i < N_INDEXES; i++)
        if (w->tables[i].links != NULL) w->tables[i].links[e].in = false;
    link_entry(w, &w->tables[BY_ID], e, hash);
    uint32_t *link = w->last_of_kind[o->kind] == NO_ENTRY
                         ? &w->first_of_kind[o->kind]
                         : &w->entries[w->last_of_kind[o->kind]].next_of_kind;
    *link = e;
    w->last_of_kind[o->kind] = e;
    show(w, e, o);
    return ERR_OK;
}

/* ---- learning ---- */

/* A text that is not there is another one than an empty text. */
static bool same_text(struct text a, struct text b)
{
    if (a.ptr == NULL || b.ptr == NULL) return a.ptr == b.ptr;
    return text_equal(a, b);
}

static bool is_as_known(const struct object *known, const struct object *seen)
{
    const struct kind_info *info = kind_info(seen->kind);
    if (known->phase != seen->phase || known->locked != seen->locked || known->system != seen->system ||
        known->gone != seen->gone || known->incarnation != seen->incarnation ||
        !text_is(text_of(known->status), seen->status) || !same_text(known->owner_stack, seen->owner_stack) ||
        !same_text(known->owner_name, seen->owner_name))
        return false;
    for (uint8_t f = 0; f < info->n_fields; f++)
        if (value_compare(info->fields[f].type, known->values[f], seen->values[f]) != 0) return false;
    return true;
}

/* A copy, or the text as it was known. False when out of memory. */
static bool keep_text(struct arena *a, struct text known, struct text *text)
{
    if (text->ptr != NULL)
        *text = known.ptr != NULL && text_equal(known, *text) ? known : arena_text(a, *text);
    else
        return true;
    return text->ptr != NULL;
}

/* 'known' is the object as it was known, or one that says nothing. NULL when out of memory. */
static struct object *keep_object(struct arena *a, const struct object *known, const struct object *seen)
{
    const struct kind_info *info = kind_info(seen->kind);
    struct object *o = arena_new_of(a, struct object);
    struct value *values = arena_array_of(a, info->n_fields, struct value);
    struct text id = text_of(seen->id), status = text_of(seen->status);
    if (o == NULL || values == NULL) return NULL;
    *o = *seen;
    o->values = values;
    for (uint8_t f = 0; f < info->n_fields; f++) {
        enum field_type type = info->fields[f].type;
        if (known->values != NULL && value_compare(type, known->values[f], seen->values[f]) == 0)
            values[f] = known->values[f];
        else if (!value_copy(a, type, seen->values[f], &values[f]))
            return NULL;
    }
    if (!keep_text(a, text_of(known->id), &id) || !keep_text(a, text_of(known->status), &status) ||
        !keep_text(a, known->owner_stack, &o->owner_stack) ||
        !keep_text(a, known->owner_name, &o->owner_name))
        return NULL;
    o->id = id.ptr;
    o->status = status.ptr;
    return o;
}

enum err_code world_learn(struct world *w, const struct object *seen, struct object **out, struct err *err)
{
    static const struct object nothing;
    struct probe p = id_probe(seen->kind, text_of(seen->id));
    size_t n;
    uint32_t e = find(w, &p, &n);
    struct object *known = e == NO_ENTRY ? NULL : w->entries[e].object;
    if (known != NULL && is_as_known(known, seen)) {
        *out = known;
        return ERR_OK;
    }
    struct object *kept = keep_object(w->arena, known == NULL ? &nothing : known, seen);
    if (kept == NULL) return err_nomem(err);
    enum err_code code = world_put(w, kept, err);
    if (code == ERR_OK) *out = kept;
    return code;
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

struct object *world_next_owned(const struct world *w, struct text stack, enum kind kind, struct text name,
                                size_t *cursor)
{
    struct object *o;
    while ((o = world_next(w, kind, cursor)) != NULL)
        if (o->owner_stack.ptr != NULL && text_equal(o->owner_stack, stack) &&
            text_equal(o->owner_name, name))
            return o;
    return NULL;
}

size_t world_count(const struct world *w, enum kind kind)
{
    return w->n_present[kind];
}

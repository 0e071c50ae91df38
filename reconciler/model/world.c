/* world.c - observed objects in three hash tables: by id, by owner, by natural key.
 *
 * Keys are texts in the world's arena: "kind id", "kind stack name", "kind" and the key values. */
#include "reconciler/model/world.h"

#include "reconciler/base/buf.h"
#include "reconciler/base/hash.h"

#include <string.h>

enum index { BY_ID, BY_OWNER, BY_KEY, N_INDEXES };
enum { MAX_KEY_BYTES = 4096 };

struct entry {
    struct object *object;
    uint32_t position; /* in 'order' of its kind */
    UT_hash_handle hh[N_INDEXES];
    struct text key[N_INDEXES]; /* .ptr NULL: not in that index */
    struct entry *next_same;    /* others with the same owner or natural key, in order of arrival */
    struct entry *next_same_key;
};

struct order {
    struct entry **items;
    size_t n, capacity, n_present;
};

struct world {
    struct arena *arena;
    struct entry *tables[N_INDEXES];
    struct order order[N_KINDS];
    struct buf scratch;
};

struct world *world_new(struct arena *arena)
{
    struct world *w = calloc(1, sizeof *w);
    if (w == NULL) return NULL;
    w->arena = arena;
    buf_init(&w->scratch, MAX_KEY_BYTES);
    return w;
}

void world_free(struct world *w)
{
    if (w == NULL) return;
    HASH_CLEAR(hh[BY_ID], w->tables[BY_ID]);
    HASH_CLEAR(hh[BY_OWNER], w->tables[BY_OWNER]);
    HASH_CLEAR(hh[BY_KEY], w->tables[BY_KEY]);
    buf_fini(&w->scratch);
    free(w);
}

void world_freep(struct world **w)
{
    world_free(*w);
}

/* The natural key as text, or false when there is none. */
static bool put_natural_key(struct buf *b, enum kind kind, const struct value *values)
{
    const struct kind_info *info = kind_info(kind);
    bool any = false;
    buf_printf(b, "%u", (unsigned)kind);
    for (uint8_t i = 0; i < info->n_fields; i++) {
        const struct field *f = &info->fields[i];
        if ((f->flags & FIELD_KEY) == 0) continue;
        struct value v = values[i];
        if (v.state == VALUE_UNKNOWN) return false;
        buf_putc(b, '\x1f');
        if (v.state == VALUE_UNSET) continue;
        any = true;
        if (f->type == FIELD_REF && v.form != REF_ID) return false;
        if (f->type == FIELD_INT || f->type == FIELD_BOOL)
            buf_printf(b, "%lld", (long long)v.u.num);
        else
            buf_put_text(b, value_as_text(v));
    }
    return any && buf_ok(b);
}

/* The text of an index's key for an object, in the scratch buffer. */
static bool key_of(struct world *w, enum index index, const struct object *o)
{
    struct buf *b = &w->scratch;
    buf_reset(b);
    switch (index) {
    case BY_ID: buf_printf(b, "%u %s", (unsigned)o->kind, o->id); break;
    case BY_OWNER:
        if (o->owner_stack.ptr == NULL) return false;
        buf_printf(b, "%u ", (unsigned)o->kind);
        buf_put_text(b, o->owner_stack);
        buf_putc(b, ' ');
        buf_put_text(b, o->owner_name);
        break;
    case BY_KEY: return put_natural_key(b, o->kind, o->values);
    case N_INDEXES: break;
    }
    return buf_ok(b);
}

static struct entry *lookup(const struct world *w, enum index index, struct text key)
{
    struct entry *e = NULL;
    HASH_FIND(hh[index], w->tables[index], key.ptr, key.len, e);
    return e;
}

/* Puts an entry into a secondary index; several with one key are chained behind the first. */
static enum err_code index_entry(struct world *w, enum index index, struct entry *e, struct err *err)
{
    e->key[index] = (struct text){NULL, 0};
    if (!key_of(w, index, e->object)) return ERR_OK;
    struct entry *first = lookup(w, index, buf_text(&w->scratch));
    if (first != NULL) {
        struct entry **link = &first;
        while (*link != NULL) link = index == BY_OWNER ? &(*link)->next_same : &(*link)->next_same_key;
        *link = e;
        e->key[index] = first->key[index];
        return ERR_OK;
    }
    e->key[index] = arena_text(w->arena, buf_text(&w->scratch));
    if (e->key[index].ptr == NULL) return err_nomem(err);
    hash_oom_flag = false;
    HASH_ADD_KEYPTR(hh[index], w->tables[index], e->key[index].ptr, e->key[index].len, e);
    return hash_oom_flag ? err_nomem(err) : ERR_OK;
}

static void unindex_entry(struct world *w, enum index index, struct entry *e)
{
    if (e->key[index].ptr == NULL) return;
    struct entry *first = lookup(w, index, e->key[index]);
    ASSERT(first != NULL);
    struct entry *next = index == BY_OWNER ? e->next_same : e->next_same_key;
    if (first != e) {
        struct entry *p = first;
        while ((index == BY_OWNER ? p->next_same : p->next_same_key) != e)
            p = index == BY_OWNER ? p->next_same : p->next_same_key;
        *(index == BY_OWNER ? &p->next_same : &p->next_same_key) = next;
    } else {
        HASH_DELETE(hh[index], w->tables[index], e);
        if (next != NULL)
            HASH_ADD_KEYPTR(hh[index], w->tables[index], e->key[index].ptr, e->key[index].len, next);
    }
    e->key[index] = (struct text){NULL, 0};
    *(index == BY_OWNER ? &e->next_same : &e->next_same_key) = NULL;
}

enum err_code world_put(struct world *w, struct object *o, struct err *err)
{
    ASSERT(o->id != NULL && o->kind < N_KINDS);
    if (!key_of(w, BY_ID, o))
        return err_set(err, ERR_LIMIT, "the cloud's id of an object is longer than %d bytes", MAX_KEY_BYTES);
    struct entry *e = lookup(w, BY_ID, buf_text(&w->scratch));
    struct order *order = &w->order[o->kind];
    if (e != NULL) {
        unindex_entry(w, BY_OWNER, e);
        unindex_entry(w, BY_KEY, e);
        if (e->object->gone) order->n_present++;
    } else {
        e = arena_new_of(w->arena, struct entry);
        if (e == NULL ||
            !arena_grow(w->arena, &order->items, sizeof(struct entry *), order->n, &order->capacity))
            return err_nomem(err);
        e->object = o;
        enum err_code code = index_entry(w, BY_ID, e, err);
        if (code != ERR_OK) return code;
        e->position = (uint32_t)order->n;
        order->items[order->n++] = e;
        order->n_present++;
    }
    e->object = o;
    if (o->gone) order->n_present--;
    if (o->gone) return ERR_OK;
    enum err_code code = index_entry(w, BY_OWNER, e, err);
    return code != ERR_OK ? code : index_entry(w, BY_KEY, e, err);
}

void world_remove(struct world *w, enum kind kind, const char *id)
{
    struct object probe = {.kind = kind, .id = id};
    if (!key_of(w, BY_ID, &probe)) return;
    struct entry *e = lookup(w, BY_ID, buf_text(&w->scratch));
    if (e == NULL || e->object->gone) return;
    unindex_entry(w, BY_OWNER, e);
    unindex_entry(w, BY_KEY, e);
    e->object->gone = true;
    w->order[kind].n_present--;
}

struct object *world_find(const struct world *w, enum kind kind, struct text id)
{
    char key[MAX_KEY_BYTES];
    int n = snprintf(key, sizeof key, "%u " TEXT_FMT, (unsigned)kind, TEXT_ARG(id));
    if (n < 0 || (size_t)n >= sizeof key) return NULL;
    struct entry *e = lookup(w, BY_ID, (struct text){key, (size_t)n});
    return e == NULL || e->object->gone ? NULL : e->object;
}

struct object *world_find_owned(const struct world *w, struct text stack, enum kind kind, struct text name,
                                size_t *n_matches)
{
    char key[MAX_KEY_BYTES];
    int n = snprintf(key, sizeof key, "%u " TEXT_FMT " " TEXT_FMT, (unsigned)kind, TEXT_ARG(stack),
                     TEXT_ARG(name));
    struct entry *e =
        n < 0 || (size_t)n >= sizeof key ? NULL : lookup(w, BY_OWNER, (struct text){key, (size_t)n});
    struct object *found = e == NULL ? NULL : e->object;
    if (n_matches != NULL)
        for (*n_matches = 0; e != NULL; e = e->next_same) ++*n_matches;
    return found;
}

struct object *world_find_key(const struct world *w, enum kind kind, const struct value *values)
{
    struct buf b;
    buf_init(&b, MAX_KEY_BYTES);
    struct entry *e = put_natural_key(&b, kind, values) ? lookup(w, BY_KEY, buf_text(&b)) : NULL;
    buf_fini(&b);
    return e == NULL ? NULL : e->object;
}

struct object *world_next(const struct world *w, enum kind kind, size_t *cursor)
{
    const struct order *order = &w->order[kind];
    while (*cursor < order->n) {
        struct object *o = order->items[(*cursor)++]->object;
        if (!o->gone) return o;
    }
    return NULL;
}

size_t world_count(const struct world *w, enum kind kind)
{
    return w->order[kind].n_present;
}

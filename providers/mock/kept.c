/* kept.c - lists that were asked for before are answered again as long as nothing has changed.
 *
 * Who waits for something lists the same page again and again, and a page is dear: an object of some twenty
 * members for each row. Every change of an entity passes entity_touch() or store_remove(), which count the
 * store's version up; an answer of another version is none. */
#include <string.h>

#include "providers/mock/inside.h"

enum { KEY_LIMIT = 4096 };

/* All that an answer depends on beside the store: operation, region, and parameters in their order. */
static bool make_key(const struct call *c, struct buf *key)
{
    buf_reset(key);
    key->failed = false;
    buf_put(key, &c->op_id, sizeof c->op_id);
    buf_put(key, &c->region, sizeof c->region);
    for (size_t i = 0; i < c->n_params; i++) {
        buf_put(key, c->params[i]->name, strlen(c->params[i]->name) + 1);
        buf_put(key, c->params[i]->value, strlen(c->params[i]->value) + 1);
    }
    return buf_ok(key);
}

static struct kept_list *slot_of(struct mock *m, struct text key)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < key.len; i++) h = (h ^ (unsigned char)key.ptr[i]) * UINT64_C(0x100000001B3);
    return &m->kept[(h ^ h >> 32) % N_KEPT_LISTS];
}

/* Not where an answer depends on more: new objects appear in lagging lists by the passing of time alone, and
 * with deep-page-skip it counts which page was asked for before. */
static bool may_be_kept(const struct call *c)
{
    return c->m->options[OPT_LIST_LAG] == 0 && c->s->hidden_until_ms <= c->now_ms &&
           c->m->options[OPT_DEEP_PAGE_SKIP] == 0;
}

bool kept_find(struct call *c)
{
    struct buf *key = &c->m->kept_key;
    if (!may_be_kept(c) || !make_key(c, key)) return false;
    const struct kept_list *k = slot_of(c->m, buf_text(key));
    if (k->answer == NULL || k->version != c->s->version || !text_equal(buf_text(key), buf_text(&k->key)))
        return false;
    if (json_object_update(c->answer, k->answer) != 0) c->no_memory = true;
    return true;
}

void kept_add(struct call *c)
{
    struct text key = buf_text(&c->m->kept_key);
    if (!may_be_kept(c) || !buf_ok(&c->m->kept_key)) return;
    struct kept_list *k = slot_of(c->m, key);
    json_decref(TAKE(k->answer));
    buf_reset(&k->key);
    k->key.limit = KEY_LIMIT;
    buf_put_text(&k->key, key);
    k->version = c->s->version;
    if (buf_ok(&k->key)) k->answer = json_copy(c->answer); /* NULL, without memory: it is not kept, then */
}

void kept_init(struct mock *m)
{
    buf_init(&m->kept_key, KEY_LIMIT);
}

void kept_forget(struct mock *m)
{
    for (size_t i = 0; i < N_KEPT_LISTS; i++) json_decref(TAKE(m->kept[i].answer));
}

void kept_fini(struct mock *m)
{
    kept_forget(m);
    for (size_t i = 0; i < N_KEPT_LISTS; i++) buf_fini(&m->kept[i].key);
    buf_fini(&m->kept_key);
}

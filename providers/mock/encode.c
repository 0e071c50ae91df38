/* encode.c - entities as bytes and back: how they lie in the simulated cloud's file.
 *
 * An entity is a sequence of texts, each with its NUL: type, id, status, the status that follows (-1: at
 * rest) and when, times of creation and of becoming visible, region, the ids that its links lead to, then the
 * number of attributes and each, the number of tags and each key and value. Nothing in a file is trusted. */
#include <string.h>

#include "providers/mock/inside.h"

/* ---- Entities as bytes: texts, each with its NUL ---- */

static void put_text(struct buf *b, const char *text)
{
    buf_put(b, text == NULL ? "" : text, strlen(text == NULL ? "" : text) + 1);
}

static void put_number(struct buf *b, int64_t n)
{
    buf_printf(b, "%lld", (long long)n);
    buf_put(b, "", 1);
}

void entity_encode(struct buf *b, const struct entity *e)
{
    put_number(b, e->type);
    put_text(b, e->id);
    put_number(b, e->status);
    put_number(b, entity_is_moving(e) ? (int64_t)e->then : -1);
    put_number(b, e->ready_at_ms);
    put_number(b, e->created_ms);
    put_number(b, e->visible_at_ms);
    put_text(b, regions[e->region].id);
    for (enum link_slot slot = 0; slot < N_LINKS; slot++)
        put_text(b, e->links[slot].to == NULL ? "" : e->links[slot].to->id);
    put_number(b, entity_types[e->type].n_attrs);
    for (int i = 0; i < entity_types[e->type].n_attrs; i++) put_text(b, e->attrs[i]);
    put_number(b, e->n_tags);
    for (uint8_t i = 0; i < e->n_tags; i++) {
        put_text(b, e->tags[i].key);
        put_text(b, e->tags[i].value);
    }
}

struct reader {
    const char *at, *end;
    bool damaged;
};

static const char *get_text(struct reader *r)
{
    const char *nul = r->at == r->end ? NULL : memchr(r->at, '\0', (size_t)(r->end - r->at));
    if (nul == NULL) {
        r->damaged = true;
        return "";
    }
    const char *text = r->at;
    r->at = nul + 1;
    return text;
}

static int64_t get_number(struct reader *r, int64_t least, int64_t most)
{
    int64_t n = least;
    if (!text_to_i64(text_of(get_text(r)), least, most, &n)) r->damaged = true;
    return n;
}

static void get_entity(struct mock *m, int64_t seq, struct reader *r, struct pending_link *p)
{
    enum entity_type type = (enum entity_type)get_number(r, 0, N_ENTITY_TYPES - 1);
    const char *id = get_text(r);
    enum status status = (enum status)get_number(r, 0, N_STATUSES - 1);
    int64_t then = get_number(r, -1, N_STATUSES - 1);
    int64_t ready_at_ms = get_number(r, -MOCK_MAX_NUMBER, MOCK_MAX_NUMBER),
            created_ms = get_number(r, -MOCK_MAX_NUMBER, MOCK_MAX_NUMBER);
    int64_t visible_at_ms = get_number(r, INT64_MIN, MOCK_MAX_NUMBER); /* the least: at once */
    int region = region_find(get_text(r));
    if (r->damaged || region < 0 || id[0] == '\0' || strlen(id) >= ENTITY_ID_SIZE ||
        store_find(&m->store, id) != NULL) {
        r->damaged = true;
        return;
    }
    m->store.next_seq = seq;
    struct entity *e = store_add(&m->store, type, id, (uint8_t)region, created_ms);
    if (e == NULL) return;
    e->status = e->then = status;
    e->ready_at_ms = ready_at_ms;
    e->visible_at_ms = visible_at_ms;
    m->store.hidden_until_ms = MAX_OF(m->store.hidden_until_ms, visible_at_ms);
    *p = (struct pending_link){.e = e, .moves = then >= 0, .then = then < 0 ? ST_NONE : (enum status)then};
    for (enum link_slot slot = 0; slot < N_LINKS; slot++)
        (void)snprintf(p->to[slot], ENTITY_ID_SIZE, "%s", get_text(r));
    int64_t n_attrs = get_number(r, 0, entity_types[type].n_attrs);
    for (int i = 0; i < n_attrs; i++) entity_set(&m->store, e, i, get_text(r));
    int64_t n_tags = get_number(r, 0, ENTITY_MAX_TAGS);
    for (int64_t i = 0; i < n_tags; i++) {
        const char *key = get_text(r);
        if (!entity_tag(&m->store, e, key, get_text(r))) r->damaged = true;
    }
}

static enum err_code damaged(struct mock *m, int64_t seq, struct err *err)
{
    if (m->store.no_memory) return err_nomem(err);
    return err_set(err, ERR_STATE, "the simulated cloud's file is damaged: row %lld of table entity",
                   (long long)seq);
}

enum err_code entity_decode(struct mock *m, int64_t seq, struct text bytes, struct pending_link *out,
                            struct err *err)
{
    if (bytes.len == 0 || seq < 0 || seq > MOCK_MAX_NUMBER || !text_is_utf8(bytes, NULL))
        return damaged(m, seq, err);
    struct reader r = {.at = bytes.ptr, .end = bytes.ptr + bytes.len};
    get_entity(m, seq, &r, out);
    return r.damaged || m->store.no_memory ? damaged(m, seq, err) : ERR_OK;
}

static bool owner_is_right(const struct entity *e)
{
    static const uint16_t owners[N_ENTITY_TYPES] = {
        [E_VSWITCH] = 1 << E_VPC, [E_NAT] = 1 << E_VPC,    [E_SNAT] = 1 << E_NAT,
        [E_DNAT] = 1 << E_NAT,    [E_TABLE] = 1 << E_VPC,  [E_ROUTE] = 1 << E_TABLE,
        [E_GROUP] = 1 << E_VPC,   [E_RULE] = 1 << E_GROUP, [E_INSTANCE] = 1 << E_VPC,
    };
    const struct entity *to = e->links[OWNER].to;
    if (e->type == E_EIP) return to == NULL || to->type == E_NAT || to->type == E_INSTANCE;
    return to == NULL ? owners[e->type] == 0 : owners[e->type] == 1 << to->type;
}

enum err_code entities_link(struct mock *m, const struct pending_link *links, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        for (enum link_slot slot = 0; slot < N_LINKS; slot++)
            if (links[i].to[slot][0] != '\0')
                entity_link(&m->store, links[i].e, slot, store_find(&m->store, links[i].to[slot]));
    for (size_t i = 0; i < n; i++)
        if (!owner_is_right(links[i].e)) return damaged(m, links[i].e->seq, err);
    for (size_t i = 0; i < n; i++) {
        struct entity *e = links[i].e;
        if (links[i].moves)
            entity_move(&m->store, e, e->status, links[i].then, e->ready_at_ms, busy_parent(e));
    }
    return m->store.no_memory ? err_nomem(err) : ERR_OK;
}

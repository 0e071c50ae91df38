/* entity.c - the objects of the simulated cloud: indexes, links, transitions. */
#include "providers/mock/entity.h"

#include <string.h>

#include "reconciler/base/macros.h"

#define ATTR_NAME(attr, name) name,
static const char *const vpc_names[] = {VPC_ATTRS(ATTR_NAME)};
static const char *const vswitch_names[] = {VSWITCH_ATTRS(ATTR_NAME)};
static const char *const nat_names[] = {NAT_ATTRS(ATTR_NAME)};
static const char *const eip_names[] = {EIP_ATTRS(ATTR_NAME)};
static const char *const snat_names[] = {SNAT_ATTRS(ATTR_NAME)};
static const char *const dnat_names[] = {DNAT_ATTRS(ATTR_NAME)};
static const char *const table_names[] = {TABLE_ATTRS(ATTR_NAME)};
static const char *const route_names[] = {ROUTE_ATTRS(ATTR_NAME)};
static const char *const group_names[] = {GROUP_ATTRS(ATTR_NAME)};
static const char *const rule_names[] = {RULE_ATTRS(ATTR_NAME)};
static const char *const instance_names[] = {INSTANCE_ATTRS(ATTR_NAME)};

#define TYPE_INFO(type, text, id_prefix, list, alias1, alias2, label)                                        \
    [E_##type] = {.name = text,                                                                              \
                  .prefix = id_prefix,                                                                       \
                  .attrs = list,                                                                             \
                  .n_attrs = N_ELEMENTS(list),                                                               \
                  .aliases = {alias1, alias2},                                                               \
                  .name_attr = label}
const struct entity_type_info entity_types[N_ENTITY_TYPES] = {
    TYPE_INFO(VPC, "vpc", "vpc", vpc_names, -1, -1, A_VPC_NAME),
    TYPE_INFO(VSWITCH, "vswitch", "vsw", vswitch_names, -1, -1, A_VSWITCH_NAME),
    TYPE_INFO(NAT, "natgateway", "ngw", nat_names, A_NAT_SNAT_TABLE, A_NAT_FORWARD_TABLE, A_NAT_NAME),
    TYPE_INFO(EIP, "eip", "eip", eip_names, A_EIP_ADDRESS, -1, A_EIP_NAME),
    TYPE_INFO(SNAT, "snatentry", "snat", snat_names, -1, -1, A_SNAT_NAME),
    TYPE_INFO(DNAT, "dnatentry", "fwd", dnat_names, -1, -1, A_DNAT_NAME),
    TYPE_INFO(TABLE, "routetable", "vtb", table_names, -1, -1, A_TABLE_NAME),
    TYPE_INFO(ROUTE, "routeentry", "rte", route_names, -1, -1, A_ROUTE_NAME),
    TYPE_INFO(GROUP, "securitygroup", "sg", group_names, -1, -1, A_GROUP_NAME),
    TYPE_INFO(RULE, "securitygrouprule", "sgr", rule_names, -1, -1, -1),
    TYPE_INFO(INSTANCE, "instance", "i", instance_names, -1, -1, A_INSTANCE_NAME),
};

#define STATUS_NAME(status, text) text,
const char *const status_names[N_STATUSES] = {ENTITY_STATUSES(STATUS_NAME)};

void store_init(struct store *s, bool keeps_dirty)
{
    *s = (struct store){.next_seq = 1, .keeps_dirty = keeps_dirty};
}

/* ---- Tags and attributes ---- */

static void tags_free(struct entity *e)
{
    for (uint8_t i = 0; i < e->n_tags; i++) {
        free(e->tags[i].key);
        free(e->tags[i].value);
    }
    free(e->tags);
    e->tags = NULL;
    e->n_tags = 0;
}

static void entity_free(struct entity *e)
{
    for (size_t i = 0; i < entity_types[e->type].n_attrs; i++) free(e->attrs[i]);
    tags_free(e);
    free(e->children);
    free(e);
}

void store_fini(struct store *s)
{
    struct alias *a, *a_next;
    HASH_ITER(hh, s->by_alias, a, a_next) {
        HASH_DEL(s->by_alias, a);
        free(a);
    }
    struct entity *e, *e_next;
    HASH_ITER(hh, s->by_id, e, e_next) {
        HASH_DEL(s->by_id, e);
        entity_free(e);
    }
    free(s->heap);
    free(s->removed);
    *s = (struct store){0};
}

static char *copy_text(struct store *s, const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) s->no_memory = true;
    return copy;
}

static bool is_alias(enum entity_type type, int attr)
{
    return entity_types[type].aliases[0] == attr || entity_types[type].aliases[1] == attr;
}

static void alias_drop(struct store *s, struct entity *e, const char *name)
{
    struct alias *a;
    HASH_FIND_STR(s->by_alias, name, a);
    if (a == NULL || a->of != e) return;
    HASH_DEL(s->by_alias, a);
    free(a);
}

static void alias_add(struct store *s, struct entity *e, const char *name)
{
    struct alias *a = calloc(1, sizeof(*a));
    if (a == NULL) {
        s->no_memory = true;
        return;
    }
    *a = (struct alias){.name = name, .of = e};
    hash_oom_flag = false;
    HASH_ADD_KEYPTR(hh, s->by_alias, a->name, strlen(a->name), a);
    if (!hash_oom_flag) return;
    free(a);
    s->no_memory = true;
}

void entity_set(struct store *s, struct entity *e, int attr, const char *value)
{
    ASSERT(attr >= 0 && attr < entity_types[e->type].n_attrs);
    char **slot = &e->attrs[attr];
    if (value == NULL) value = "";
    if (strcmp(*slot == NULL ? "" : *slot, value) == 0) return;
    char *copy = NULL;
    if (value[0] != '\0' && (copy = copy_text(s, value)) == NULL) return;
    bool alias = is_alias(e->type, attr);
    if (alias && *slot != NULL) alias_drop(s, e, *slot);
    free(*slot);
    *slot = copy;
    if (alias && copy != NULL) alias_add(s, e, copy);
    entity_touch(s, e);
}

const char *entity_get(const struct entity *e, int attr)
{
    ASSERT(attr >= 0 && attr < entity_types[e->type].n_attrs);
    return e->attrs[attr] == NULL ? "" : e->attrs[attr];
}

bool entity_is(const struct entity *e, int attr, const char *value)
{
    return strcmp(entity_get(e, attr), value) == 0;
}

int entity_attr(enum entity_type type, const char *name)
{
    for (int i = 0; i < entity_types[type].n_attrs; i++)
        if (strcmp(entity_types[type].attrs[i], name) == 0) return i;
    return -1;
}

const char *entity_name(const struct entity *e)
{
    int attr = entity_types[e->type].name_attr;
    return attr < 0 ? "" : entity_get(e, attr);
}

static struct tag *tag_find(const struct entity *e, const char *key)
{
    for (uint8_t i = 0; i < e->n_tags; i++)
        if (strcmp(e->tags[i].key, key) == 0) return &e->tags[i];
    return NULL;
}

const char *entity_tag_value(const struct entity *e, const char *key)
{
    const struct tag *t = tag_find(e, key);
    return t == NULL ? NULL : t->value;
}

bool entity_tag(struct store *s, struct entity *e, const char *key, const char *value)
{
    entity_touch(s, e);
    char *new_value = copy_text(s, value);
    struct tag *t = tag_find(e, key);
    if (new_value == NULL) return true;
    if (t != NULL) {
        free(t->value);
        t->value = new_value;
        return true;
    }
    if (e->n_tags >= ENTITY_MAX_TAGS) {
        free(new_value);
        return false;
    }
    struct tag *tags = realloc(e->tags, (e->n_tags + 1U) * sizeof(*tags));
    char *new_key = tags == NULL ? NULL : copy_text(s, key);
    if (tags != NULL) e->tags = tags;
    if (new_key == NULL) {
        free(new_value);
        s->no_memory = true;
        return true;
    }
    e->tags[e->n_tags++] = (struct tag){new_key, new_value};
    return true;
}

void entity_untag(struct store *s, struct entity *e, const char *key)
{
    entity_touch(s, e);
    if (key == NULL) {
        tags_free(e);
        return;
    }
    struct tag *t = tag_find(e, key);
    if (t == NULL) return;
    free(t->key);
    free(t->value);
    size_t after = (size_t)(e->tags + e->n_tags - t) - 1;
    memmove(t, t + 1, after * sizeof(*t));
    e->n_tags--;
}

/* ---- What has to be written ---- */

void entity_touch(struct store *s, struct entity *e)
{
    s->version++;
    if (!s->keeps_dirty || e->dirty) return;
    e->dirty = true;
    e->next_dirty = s->dirty == NULL ? e : s->dirty;
    s->dirty = e;
}

static void dirty_forget(struct store *s, struct entity *e)
{
    if (!e->dirty) return;
    struct entity *before = NULL, *at = s->dirty;
    while (at != e) {
        before = at;
        at = at->next_dirty;
    }
    bool last = e->next_dirty == e;
    if (before != NULL)
        before->next_dirty = last ? before : e->next_dirty;
    else
        s->dirty = last ? NULL : e->next_dirty;
    e->dirty = false;
}

static void remember_removed(struct store *s, int64_t seq)
{
    if (!s->keeps_dirty) return;
    if (s->n_removed == s->removed_capacity) {
        size_t capacity = s->removed_capacity == 0 ? 16 : s->removed_capacity * 2;
        int64_t *p = realloc(s->removed, capacity * sizeof(*p));
        if (p == NULL) {
            s->no_memory = true;
            return;
        }
        s->removed = p;
        s->removed_capacity = capacity;
    }
    s->removed[s->n_removed++] = seq;
}

/* ---- The heap of transitions ---- */

static bool earlier(const struct entity *a, const struct entity *b)
{
    return a->ready_at_ms != b->ready_at_ms ? a->ready_at_ms < b->ready_at_ms : a->seq < b->seq;
}

static void heap_put(struct store *s, uint32_t at, struct entity *e)
{
    s->heap[at] = e;
    e->heap_index = at;
}

static void heap_settle(struct store *s, uint32_t at)
{
    struct entity *e = s->heap[at];
    for (; at > 1 && earlier(e, s->heap[at / 2]); at /= 2) heap_put(s, at, s->heap[at / 2]);
    for (;;) {
        uint32_t child = at * 2;
        if (child > s->n_heap) break;
        if (child < s->n_heap && earlier(s->heap[child + 1], s->heap[child])) child++;
        if (!earlier(s->heap[child], e)) break;
        heap_put(s, at, s->heap[child]);
        at = child;
    }
    heap_put(s, at, e);
}

static void heap_add(struct store *s, struct entity *e)
{
    if (s->n_heap + 1 >= s->heap_capacity) {
        uint32_t capacity = s->heap_capacity == 0 ? 64 : s->heap_capacity * 2;
        struct entity **p = realloc(s->heap, capacity * sizeof(struct entity *));
        if (p == NULL) {
            s->no_memory = true;
            return;
        }
        s->heap = p;
        s->heap_capacity = capacity;
    }
    heap_put(s, ++s->n_heap, e);
    heap_settle(s, s->n_heap);
}

static void heap_remove(struct store *s, struct entity *e)
{
    uint32_t at = e->heap_index;
    if (at == 0) return;
    struct entity *last = s->heap[s->n_heap--];
    e->heap_index = 0;
    if (last == e) return;
    heap_put(s, at, last);
    heap_settle(s, at);
}

struct entity *store_next_transition(const struct store *s)
{
    return s->n_heap == 0 ? NULL : s->heap[1];
}

bool entity_is_moving(const struct entity *e)
{
    return e->heap_index != 0;
}

static void count_off(struct entity *e)
{
    if (e->counted_on == NULL) return;
    ASSERT(e->counted_on->n_moving > 0);
    e->counted_on->n_moving--;
    e->counted_on = NULL;
}

void entity_move(struct store *s, struct entity *e, enum status status, enum status then, int64_t ready_at_ms,
                 struct entity *busy)
{
    count_off(e);
    heap_remove(s, e);
    e->status = status;
    e->then = then;
    e->ready_at_ms = ready_at_ms;
    if (busy != NULL) {
        e->counted_on = busy;
        busy->n_moving++;
    }
    heap_add(s, e);
    entity_touch(s, e);
}

void entity_rest(struct store *s, struct entity *e, enum status status)
{
    count_off(e);
    heap_remove(s, e);
    e->status = status;
    e->then = status;
    e->ready_at_ms = 0;
    entity_touch(s, e);
}

bool entity_has_failed(const struct entity *e)
{
    return e->status == ST_FAILED || e->status == ST_CREATE_FAILED;
}

/* ---- Links ---- */

struct entity *entity_first(const struct entity *parent, enum link_slot slot, enum entity_type type)
{
    return parent->children == NULL ? NULL : parent->children[slot][type];
}

static void unlink_from(struct entity *e, enum link_slot slot)
{
    struct link *l = &e->links[slot];
    struct entity **head = &l->to->children[slot][e->type];
    if (*head == e)
        *head = l->next;
    else
        l->prev->links[slot].next = l->next;
    if (l->next != NULL)
        l->next->links[slot].prev = l->prev;
    else if (*head != NULL)
        (*head)->links[slot].prev = l->prev; /* the head's 'prev' is the last */
    *l = (struct link){0};
}

void entity_link(struct store *s, struct entity *e, enum link_slot slot, struct entity *to)
{
    struct link *l = &e->links[slot];
    if (l->to == to) return;
    if (l->to != NULL) unlink_from(e, slot);
    entity_touch(s, e);
    if (to == NULL) return;
    if (to->children == NULL) {
        to->children = calloc(N_LINKS, sizeof(*to->children));
        if (to->children == NULL) {
            s->no_memory = true;
            return;
        }
    }
    struct entity **head = &to->children[slot][e->type];
    *l = (struct link){.to = to};
    if (*head == NULL) {
        *head = e;
        l->prev = e;
        return;
    }
    l->prev = (*head)->links[slot].prev;
    l->prev->links[slot].next = e;
    (*head)->links[slot].prev = e;
}

/* ---- The store ---- */

struct entity *store_add(struct store *s, enum entity_type type, const char *id, uint8_t region,
                         int64_t now_ms)
{
    size_t n_attrs = entity_types[type].n_attrs;
    ASSERT(region < MAX_REGIONS);
    struct entity *e = calloc(1, sizeof(*e) + n_attrs * sizeof(e->attrs[0]));
    if (e == NULL) {
        s->no_memory = true;
        return NULL;
    }
    e->type = type;
    e->region = region;
    e->created_ms = now_ms;
    e->seq = s->next_seq++;
    (void)snprintf(e->id, sizeof(e->id), "%s", id);
    hash_oom_flag = false;
    HASH_ADD_STR(s->by_id, id, e);
    if (hash_oom_flag) {
        s->no_memory = true;
        free(e);
        return NULL;
    }
    struct entity *first = s->first[type];
    if (first == NULL) {
        s->first[type] = e;
        e->prev = e;
    } else {
        e->prev = first->prev;
        first->prev->next = e;
        first->prev = e;
    }
    s->count[type][region]++;
    entity_touch(s, e);
    return e;
}

static void orphan_children(struct store *s, struct entity *e)
{
    if (e->children == NULL) return;
    for (enum link_slot slot = 0; slot < N_LINKS; slot++)
        for (enum entity_type t = 0; t < N_ENTITY_TYPES; t++)
            while (e->children[slot][t] != NULL) entity_link(s, e->children[slot][t], slot, NULL);
}

/* Children that count on 'e' may hang deeper (the routes of a VPC's tables), so all in transition are seen.
 */
static void stop_counting_on(struct store *s, struct entity *e)
{
    for (uint32_t i = 1; i <= s->n_heap && e->n_moving > 0; i++)
        if (s->heap[i]->counted_on == e) count_off(s->heap[i]);
}

void store_remove(struct store *s, struct entity *e)
{
    s->version++;
    count_off(e);
    heap_remove(s, e);
    stop_counting_on(s, e);
    orphan_children(s, e);
    for (enum link_slot slot = 0; slot < N_LINKS; slot++)
        if (e->links[slot].to != NULL) unlink_from(e, slot);
    dirty_forget(s, e);
    remember_removed(s, e->seq);
    for (size_t i = 0; i < N_ELEMENTS(entity_types[e->type].aliases); i++) {
        int attr = entity_types[e->type].aliases[i];
        if (attr >= 0 && e->attrs[attr] != NULL) alias_drop(s, e, e->attrs[attr]);
    }
    struct entity **first = &s->first[e->type];
    if (*first == e)
        *first = e->next;
    else
        e->prev->next = e->next;
    if (e->next != NULL)
        e->next->prev = e->prev;
    else if (*first != NULL)
        (*first)->prev = e->prev;
    s->count[e->type][e->region]--;
    HASH_DEL(s->by_id, e);
    entity_free(e);
}

struct entity *store_find(const struct store *s, const char *id)
{
    struct entity *e;
    HASH_FIND_STR(s->by_id, id, e);
    return e;
}

struct entity *store_find_alias(const struct store *s, const char *name)
{
    struct alias *a;
    HASH_FIND_STR(s->by_alias, name, a);
    return a == NULL ? NULL : a->of;
}

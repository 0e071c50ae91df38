/* value_lists.c - references, lists and maps. */
#include "reconciler/manifest/value_lists.h"

#include "reconciler/base/limits.h"

#include <string.h>

/* A name that is not resolved yet, behind the place where it was written. */
struct ref_name {
    struct mark mark;
    char text[];
};

struct value value_ref_name(struct load *l, struct text name, struct mark mark)
{
    struct ref_name *r = arena_alloc(l->scratch, sizeof *r + name.len + 1);
    if (r == NULL) {
        l->out_of_memory = true;
        return (struct value){0};
    }
    r->mark = mark;
    memcpy(r->text, name.ptr, name.len);
    struct value v = value_text(r->text, name.len);
    v.form = REF_NAME;
    return v;
}

struct mark value_ref_mark(struct value ref)
{
    ASSERT(ref.form == REF_NAME);
    struct mark mark;
    memcpy(&mark, ref.u.text - offsetof(struct ref_name, text), sizeof mark);
    return mark;
}

/* Source: api-behaviour 5.14 */
static const char *tag_key_fault(struct text key)
{
    static const char *const reserved[] = {"aliyun", "acs:", "headgate:"};
    size_t n = text_n_chars(key);
    if (n < 1 || n > 64) return "must have 1 to 64 characters";
    for (size_t i = 0; i < N_ELEMENTS(reserved); i++)
        if (text_starts_with(key, reserved[i]))
            return "begins with a reserved word (aliyun, acs:, headgate:)";
    if (memmem(key.ptr, key.len, "http://", 7) != NULL || memmem(key.ptr, key.len, "https://", 8) != NULL)
        return "has http:// or https:// in it";
    return NULL;
}

static bool check_pair(struct load *l, const char *what, bool is_tag, uint32_t key, struct text k,
                       uint32_t value, struct text v)
{
    const char *fault = is_tag ? tag_key_fault(k) : NULL;
    if (fault != NULL) {
        COMPLAIN(l, l->tree->nodes[key].mark, NULL, "`%s`: the tag key `%s` %s", what, load_shown(l, k),
                 fault);
        return false;
    }
    if (is_tag && text_n_chars(v) > 128)
        fault = "is longer than 128 characters";
    else if (memchr(k.ptr, '\0', k.len) != NULL || memchr(v.ptr, '\0', v.len) != NULL)
        fault = "has a NUL character";
    if (fault != NULL)
        COMPLAIN(l, l->tree->nodes[value].mark, NULL, "`%s`: the value of `%s` %s", what, load_shown(l, k),
                 fault);
    return fault == NULL;
}

bool value_read_map(struct load *l, const char *what, bool are_tags, int64_t max, uint32_t node,
                    struct value *out)
{
    const struct node *map = tree_node(l->tree, node);
    struct mark mark = l->tree->nodes[node].mark;
    if (map->type != NODE_MAPPING) {
        COMPLAIN(l, mark, "as in {team: network}", "`%s` needs a mapping of texts to texts", what);
        return false;
    }
    if (max > 0 && map->n / 2 > max) {
        COMPLAIN(l, mark, NULL, "`%s` has %u entries, at most %lld are allowed", what, map->n / 2,
                 (long long)max);
        return false;
    }
    struct value *items = arena_array_of(l->arena, map->n, struct value);
    if (items == NULL) {
        l->out_of_memory = true;
        return false;
    }
    bool ok = true;
    uint32_t n = 0;
    for (uint32_t k = map->first, v; k != NO_NODE; k = l->tree->nodes[v].next) {
        v = l->tree->nodes[k].next;
        struct text key = tree_text(l->tree, tree_node(l->tree, k)), text;
        if (!load_scalar_of(l, v, key, &text) || !check_pair(l, what, are_tags, k, key, v, text)) {
            ok = false;
            continue;
        }
        items[n++] = value_text(load_keep(l, key), key.len);
        items[n++] = value_text(load_keep(l, text), text.len);
    }
    if (!ok) return false;
    if (!l->out_of_memory) n = value_sort_map(items, n); /* keys given twice were reported by the reader */
    *out = value_list(items, n);
    return true;
}

/* {name: …, tags: {…}} */
static bool read_lookup(struct load *l, const char *what, uint32_t node, uint32_t name, uint32_t tags,
                        struct value *out)
{
    struct value *items = arena_array_of(l->arena, 2, struct value);
    struct text text;
    if (items == NULL) {
        l->out_of_memory = true;
        return false;
    }
    if (name != NO_NODE) {
        if (!load_scalar(l, name, what, &text)) return false;
        items[0] = value_text(load_keep(l, text), text.len);
    }
    if (tags != NO_NODE && !value_read_map(l, what, false, LIMIT_TAGS, tags, &items[1])) return false;
    if (items[0].state == VALUE_UNSET && items[1].n == 0) {
        COMPLAIN(l, l->tree->nodes[node].mark, NULL, "`%s`: a look-up needs a name or tags", what);
        return false;
    }
    *out = value_list(items, 2);
    out->form = REF_LOOKUP;
    return true;
}

static uint32_t get(const struct load *l, const struct node *map, const char *key)
{
    uint32_t at = tree_get(l->tree, map, key);
    return at == NO_NODE || tree_is_null(l->tree, tree_node(l->tree, at)) ? NO_NODE : at;
}

static bool read_ref_mapping(struct load *l, const char *what, enum kind ref, uint32_t node,
                             struct value *out)
{
    static const char *const keys[] = {"id", "name", "tags", NULL};
    const struct node *map = tree_node(l->tree, node);
    bool ok = true;
    for (uint32_t k = map->first; k != NO_NODE; k = l->tree->nodes[l->tree->nodes[k].next].next) {
        struct text key = tree_text(l->tree, tree_node(l->tree, k));
        if (text_is(key, "id") || text_is(key, "name") || text_is(key, "tags")) continue;
        COMPLAIN(l, l->tree->nodes[k].mark,
                 load_suggest_choice(l, key, keys, "a reference is a name, {id: …} or {name: …, tags: {…}}"),
                 "unknown field `%s` in the reference `%s`", load_shown(l, key), what);
        ok = false;
    }
    if (!ok) return false;
    uint32_t id = get(l, map, "id"), name = get(l, map, "name"), tags = get(l, map, "tags");
    if (id == NO_NODE) return read_lookup(l, what, node, name, tags, out);
    struct text text;
    if (name != NO_NODE || tags != NO_NODE) {
        COMPLAIN(l, l->tree->nodes[node].mark, "an id says enough",
                 "`%s`: give either the id, or name and tags", what);
        return false;
    }
    if (!load_scalar(l, id, what, &text) || !value_check_id(l, what, ref, text, l->tree->nodes[id].mark))
        return false;
    *out = value_text(load_keep(l, text), text.len);
    out->form = REF_ID;
    return true;
}

bool value_read_ref(struct load *l, const char *what, enum kind ref, uint32_t node, struct value *out)
{
    const struct node *n = tree_node(l->tree, node);
    if (n->type == NODE_MAPPING) return read_ref_mapping(l, what, ref, node, out);
    struct text name;
    if (n->type == NODE_SEQUENCE) {
        COMPLAIN(l, l->tree->nodes[node].mark, "write one name, without brackets",
                 "`%s` refers to one %s, not to a list", what, kind_info(ref)->name);
        return false;
    }
    if (!load_scalar(l, node, what, &name)) return false;
    if (name.len == 0 || name.len > 200) {
        COMPLAIN(l, l->tree->nodes[node].mark, NULL, "`%s`: `%s` is not a name", what, load_shown(l, name));
        return false;
    }
    *out = value_ref_name(l, name, l->tree->nodes[node].mark);
    return true;
}

static bool read_item(struct load *l, const struct field *f, uint32_t node, struct value *out)
{
    if (f->type == FIELD_REF_LIST) return value_read_ref(l, f->name, f->ref, node, out);
    if (f->type == FIELD_CIDR_LIST) return value_read_cidr(l, f, node, out);
    struct field item = *f;
    item.type = FIELD_TEXT;
    return value_read(l, &item, node, out);
}

bool value_read_list(struct load *l, const struct field *f, uint32_t node, struct value *out)
{
    const struct node *list = tree_node(l->tree, node);
    struct mark mark = l->tree->nodes[node].mark;
    int64_t max = f->max > 0 ? f->max : LIMIT_LIST_ITEMS;
    if (list->type != NODE_SEQUENCE) {
        COMPLAIN(l, mark,
                 list->type == NODE_SCALAR
                     ? load_help(l, "write [%s]", load_shown(l, tree_text(l->tree, list)))
                     : NULL,
                 "`%s` needs %s", f->name, field_type_name(f->type));
        return false;
    }
    if (list->n < f->min || list->n > max) {
        COMPLAIN(l, mark, NULL, "`%s` has %u items, but must have from %lld to %lld", f->name, list->n,
                 (long long)f->min, (long long)max);
        return false;
    }
    struct value *items = arena_array_of(l->arena, list->n, struct value);
    if (items == NULL) {
        l->out_of_memory = true;
        return false;
    }
    bool ok = true;
    uint32_t n = 0;
    for (uint32_t c = list->first; c != NO_NODE; c = l->tree->nodes[c].next) {
        if (tree_is_null(l->tree, tree_node(l->tree, c))) {
            COMPLAIN(l, l->tree->nodes[c].mark, "remove it", "`%s` has an empty item", f->name);
            ok = false;
        } else if (!read_item(l, f, c, &items[n++])) {
            ok = false;
        }
    }
    if (!ok) return false;
    /* References are sorted when they are resolved. */
    if ((f->flags & FIELD_SET) && f->type != FIELD_REF_LIST && !l->out_of_memory)
        n = value_sort_set(f->type, items, n);
    *out = value_list(items, n);
    return true;
}

/* read_spec.c - the fields of a spec, by the kind's table. */
#include "reconciler/base/buf.h"
#include "reconciler/manifest/read.h"

#include <string.h>

static struct mark mark_at(const struct load *l, uint32_t node)
{
    return l->tree->nodes[node].mark;
}

/* The names that may stand at one level of a spec: of "source.vSwitch" that is `source`, and below it
 * `vSwitch`. */
struct names {
    struct load *l;
    const struct spec *s;
    struct text prefix; /* "" or "source." */
};

static const char *name_at(const void *ctx, size_t i)
{
    const struct names *names = ctx;
    const struct kind_info *info = kind_info(names->s->d.r.kind);
    if (i == info->n_fields) return info->id_prefix == NULL || names->s->is_item ? NULL : "id";
    const struct field *f = &info->fields[i];
    struct text name = text_of(f->name);
    if ((f->flags & FIELD_COMPUTED) || i == names->s->parent || name.len <= names->prefix.len ||
        memcmp(name.ptr, names->prefix.ptr, names->prefix.len) != 0)
        return NULL;
    const char *rest = f->name + names->prefix.len, *dot = strchr(rest, '.');
    if (dot == NULL) return rest;
    return load_help(names->l, "%.*s", (int)(dot - rest), rest);
}

static void complain_unknown(struct load *l, const struct spec *s, struct text prefix, uint32_t key)
{
    enum kind kind = s->d.r.kind;
    struct text text = tree_text(l->tree, tree_node(l->tree, key)), outer;
    struct names names = {l, s, prefix};
    struct text rest = text;
    if (text_cut(&rest, '.', &outer) && rest.ptr != NULL && kind_field(kind, text) != FIELD_NO) {
        COMPLAIN(l, mark_at(l, key),
                 load_help(l, "write it as a mapping: " TEXT_FMT ": {" TEXT_FMT ": …}", TEXT_ARG(outer),
                           TEXT_ARG(rest)),
                 "unknown field `%s`", load_shown(l, text));
        return;
    }
    const char *otherwise = load_help(l, "`headgate explain %s` lists the fields", kind_info(kind)->name);
    COMPLAIN(l, mark_at(l, key),
             load_suggest(l, text, (size_t)kind_info(kind)->n_fields + 1, name_at, &names, otherwise),
             "unknown field `" TEXT_FMT "%s`", TEXT_ARG(prefix), load_shown(l, text));
}

static void read_field(struct load *l, struct spec *s, uint8_t i, uint32_t key, uint32_t node)
{
    const struct field *f = &kind_info(s->d.r.kind)->fields[i];
    if (f->flags & FIELD_COMPUTED) {
        COMPLAIN(l, mark_at(l, key), "remove it", "`%s` is set by the cloud", f->name);
        return;
    }
    if (i == s->parent) {
        COMPLAIN(l, mark_at(l, key), "remove it", "`%s` is given by the resource that the list is in",
                 f->name);
        return;
    }
    if (tree_is_null(l->tree, tree_node(l->tree, node))) return;
    s->given |= 1ull << i;
    s->nodes[i] = node;
    s->d.marks[i] = mark_at(l, node);
    if (f->type != FIELD_INLINE) (void)value_read(l, f, node, &s->d.r.values[i]);
}

/* The text may hold NUL. */
static bool begins_with(const char *name, struct text t)
{
    if (t.len > 0 && name[0] != t.ptr[0]) return false; /* mostly */
    return strlen(name) >= t.len && memcmp(name, t.ptr, t.len) == 0;
}

static void read_fields(struct load *l, struct spec *s, struct text prefix, uint32_t node);

/* One key: a field, or the beginning of the names of some. */
static void read_pair(struct load *l, struct spec *s, struct text prefix, uint32_t key, uint32_t node)
{
    const struct kind_info *info = kind_info(s->d.r.kind);
    struct text text = tree_text(l->tree, tree_node(l->tree, key));
    for (uint8_t i = 0; i < info->n_fields; i++) {
        const char *name = info->fields[i].name;
        if (!begins_with(name, prefix)) continue;
        const char *rest = name + prefix.len;
        if (!begins_with(rest, text)) continue;
        if (rest[text.len] == '\0' && strchr(rest, '.') == NULL) {
            read_field(l, s, i, key, node);
            return;
        }
        if (rest[text.len] != '.' || text.len == 0) continue;
        if (tree_is_null(l->tree, tree_node(l->tree, node))) return;
        read_fields(l, s, (struct text){name, prefix.len + text.len + 1}, node);
        return;
    }
    if (prefix.len == 0 && text_is(text, "id") && info->id_prefix != NULL && !s->is_item)
        s->id_node = node;
    else if (prefix.len == 0 && text_is(text, "name") && s->is_item)
        s->name_node = node;
    else
        complain_unknown(l, s, prefix, key);
}

/* The dots of a table's names bound the depth. */
static void read_fields(struct load *l, struct spec *s, struct text prefix, uint32_t node)
{
    const struct node *map = tree_node(l->tree, node);
    if (map->type != NODE_MAPPING) {
        if (prefix.len > 0)
            COMPLAIN(l, mark_at(l, node), NULL, "`" TEXT_FMT "` needs a mapping", (int)prefix.len - 1,
                     prefix.ptr);
        else
            COMPLAIN(l, mark_at(l, node), NULL, "%s needs a mapping",
                     s->is_item ? "an item of this list" : "`spec`");
        return;
    }
    for (uint32_t k = map->first; k != NO_NODE; k = l->tree->nodes[l->tree->nodes[k].next].next)
        read_pair(l, s, prefix, k, l->tree->nodes[k].next);
}

static const char *group_names(struct load *l, const struct kind_info *info, uint8_t group)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 1024);
    for (uint8_t i = 0; i < info->n_fields; i++)
        if (info->fields[i].one_of == group)
            buf_printf(&b, "%s`%s`", b.len == 0 ? "" : ", ", info->fields[i].name);
    return load_help(l, "%s", buf_str(&b));
}

/* Exactly one field of each group. */
static void check_groups(struct load *l, const struct spec *s, bool may_be_missing)
{
    const struct kind_info *info = kind_info(s->d.r.kind);
    uint64_t seen = 0;
    for (uint8_t i = 0; i < info->n_fields; i++) {
        uint8_t group = info->fields[i].one_of;
        if (group == 0 || (seen & 1ull << group)) continue;
        seen |= 1ull << group;
        uint8_t n = 0, last = 0;
        for (uint8_t k = 0; k < info->n_fields; k++)
            if (info->fields[k].one_of == group && (s->given & 1ull << k)) {
                n++;
                last = k;
            }
        if (n > 1)
            COMPLAIN(l, s->d.marks[last], load_help(l, "leave only one of %s", group_names(l, info, group)),
                     "`%s` and another of its group are given", info->fields[last].name);
        else if (n == 0 && !info->fields[i].one_of_optional && !may_be_missing)
            COMPLAIN(l, s->mark, load_help(l, "it says: %s", info->fields[i].doc), "one of %s is needed",
                     group_names(l, info, group));
    }
}

static bool is_given(const struct spec *s, uint8_t field)
{
    return field != FIELD_NO && (s->given & 1ull << field);
}

/* Whether the fields that identify an object are all there. */
static bool has_natural_key(const struct spec *s)
{
    const struct kind_info *info = kind_info(s->d.r.kind);
    bool any = false, group_given = false, has_group = false;
    for (uint8_t i = 0; i < info->n_fields; i++) {
        const struct field *f = &info->fields[i];
        if (!(f->flags & FIELD_KEY)) continue;
        if (f->one_of > 0) {
            has_group = true;
            group_given |= is_given(s, i);
        } else if (!is_given(s, i) && f->initial == NULL && i != s->parent) {
            return false;
        }
        any = true;
    }
    return any && (!has_group || group_given);
}

static void check_observed(struct load *l, const struct spec *s)
{
    const struct kind_info *info = kind_info(s->d.r.kind);
    if (s->id_node != NO_NODE || is_given(s, info->name_field) || is_given(s, info->tags_field) ||
        has_natural_key(s))
        return;
    COMPLAIN(l, s->mark,
             info->name_field != FIELD_NO ? "give spec.id, spec.name or spec.tags"
                                          : "give the fields that identify it",
             "nothing says which %s is to be observed", info->name);
}

static void check_missing(struct load *l, const struct spec *s)
{
    const struct kind_info *info = kind_info(s->d.r.kind);
    check_groups(l, s, s->observe);
    if (s->observe) {
        check_observed(l, s);
        return;
    }
    for (uint8_t i = 0; i < info->n_fields; i++)
        if ((info->fields[i].flags & FIELD_REQUIRED) && !is_given(s, i) && i != s->parent)
            COMPLAIN(l, s->mark, info->fields[i].doc, "the field `%s` is missing", info->fields[i].name);
}

/* Natural keys are to be complete. */
static void fill_keys(struct spec *s)
{
    const struct kind_info *info = kind_info(s->d.r.kind);
    if (s->id_node != NO_NODE) return;
    if (s->observe && !has_natural_key(s)) return;
    for (uint8_t i = 0; i < info->n_fields; i++) {
        const struct field *f = &info->fields[i];
        if ((f->flags & FIELD_KEY) && f->initial != NULL && !is_given(s, i)) {
            s->d.r.values[i] = value_initial(f);
            s->d.marks[i] = s->mark;
        }
    }
}

static void read_id(struct load *l, struct spec *s)
{
    struct text id;
    if (s->id_node == NO_NODE) return;
    if (tree_is_null(l->tree, tree_node(l->tree, s->id_node))) {
        s->id_node = NO_NODE;
        return;
    }
    if (!s->observe) {
        COMPLAIN(l, mark_at(l, s->id_node),
                 "add `lifecycle: {management: observe}`; to take it over, `lifecycle: {adopt: <id>}`",
                 "`id` is for resources that are only observed");
        return;
    }
    if (load_scalar(l, s->id_node, "id", &id) &&
        value_check_id(l, "id", s->d.r.kind, id, mark_at(l, s->id_node)))
        s->d.r.external_id = load_keep(l, id);
}

bool read_spec(struct load *l, struct spec *s, uint32_t node)
{
    bool before = l->complained;
    l->complained = false;
    if (node != NO_NODE && !tree_is_null(l->tree, tree_node(l->tree, node)))
        read_fields(l, s, (struct text){"", 0}, node);
    read_id(l, s);
    check_missing(l, s);
    fill_keys(s);
    bool ok = !l->complained;
    l->complained |= before;
    return ok;
}

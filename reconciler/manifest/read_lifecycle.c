/* read_lifecycle.c - what may be done to a resource. An unknown word is an error, never a default. */
#include "reconciler/base/limits.h"
#include "reconciler/manifest/read.h"

#include <string.h>

static const char *const managements[] = {"enforce", "detect", "observe", NULL};
static const char *const adopts[] = {"never", "ifTagged", "ifIdentical", "force", NULL};
static const char *const removals[] = {"delete", "orphan", NULL};
static const char *const keys[] = {"management",  "adopt", "preventDestroy", "ignoreChanges", "onRemoval",
                                   "renamedFrom", NULL};

static struct mark mark_at(const struct load *l, uint32_t node)
{
    return l->tree->nodes[node].mark;
}

static bool read_choice(struct load *l, const char *what, const char *const *choices, uint32_t node, int *out)
{
    struct text t;
    if (!load_scalar(l, node, what, &t)) return false;
    for (int i = 0; choices[i] != NULL; i++)
        if (text_is(t, choices[i])) {
            *out = i;
            return true;
        }
    COMPLAIN(l, mark_at(l, node), load_suggest_choice(l, t, choices, NULL),
             "lifecycle: `%s` is `%s`, but must be %s", what, load_shown(l, t), load_choices(l, choices));
    return false;
}

static void read_management(struct load *l, enum kind kind, uint32_t node, struct lifecycle *out)
{
    int choice;
    (void)kind;
    if (read_choice(l, "management", managements, node, &choice)) out->management = (enum management)choice;
}

static void read_adopt(struct load *l, enum kind kind, uint32_t node, struct lifecycle *out)
{
    struct text t;
    int choice;
    const char *prefix = kind_info(kind)->id_prefix;
    if (!load_scalar(l, node, "adopt", &t)) return;
    if (prefix != NULL && text_starts_with(t, prefix)) {
        if (!value_check_id(l, "adopt", kind, t, mark_at(l, node))) return;
        out->adopt = ADOPT_ID;
        out->adopt_id = load_keep(l, t);
        return;
    }
    for (choice = 0; adopts[choice] != NULL && !text_is(t, adopts[choice]);) choice++;
    if (adopts[choice] != NULL) {
        out->adopt = (enum adopt)(ADOPT_NEVER + choice);
        return;
    }
    const char *words = load_choices(l, adopts);
    COMPLAIN(
        l, mark_at(l, node),
        load_suggest_choice(l, t, adopts,
                            prefix == NULL ? NULL : load_help(l, "ids of this kind begin with %s", prefix)),
        "lifecycle: `adopt` is `%s`, but must be %s%s", load_shown(l, t), words,
        prefix == NULL ? "" : ", or the id of an existing object");
}

static void read_prevent_destroy(struct load *l, enum kind kind, uint32_t node, struct lifecycle *out)
{
    (void)kind;
    (void)value_read_bool(l, "preventDestroy", node, &out->prevent_destroy); /* complained if false */
}

static void read_on_removal(struct load *l, enum kind kind, uint32_t node, struct lifecycle *out)
{
    int choice;
    (void)kind;
    if (read_choice(l, "onRemoval", removals, node, &choice)) out->orphan_on_removal = choice == 1;
}

static void read_renamed_from(struct load *l, enum kind kind, uint32_t node, struct lifecycle *out)
{
    struct text t;
    (void)kind;
    if (load_scalar(l, node, "renamedFrom", &t) && load_check_name(l, t, mark_at(l, node), "renamedFrom"))
        out->renamed_from = load_keep(l, t);
}

/* Fields that can differ: neither the cloud's own nor those that expand. */
static const char *comparable_field(const void *ctx, size_t i)
{
    const struct field *f = &((const struct kind_info *)ctx)->fields[i];
    return (f->flags & FIELD_COMPUTED) || f->type == FIELD_INLINE ? NULL : f->name;
}

static void ignore_one(struct load *l, const struct kind_info *info, uint32_t node, struct lifecycle *out)
{
    struct text t;
    bool found = false;
    if (!load_scalar(l, node, "ignoreChanges", &t)) return;
    for (uint8_t i = 0; i < info->n_fields; i++) {
        const char *name = comparable_field(info, i);
        if (name == NULL || t.len == 0 || strlen(name) < t.len || memcmp(name, t.ptr, t.len) != 0) continue;
        if (name[t.len] != '\0' && name[t.len] != '.') continue; /* `nextHop` means all below it */
        out->ignore_changes |= 1ull << i;
        found = true;
    }
    if (!found)
        COMPLAIN(l, mark_at(l, node),
                 load_suggest(l, t, info->n_fields, comparable_field, info,
                              load_help(l, "`headgate explain %s` lists the fields", info->name)),
                 "lifecycle: `ignoreChanges` names the unknown field `%s`", load_shown(l, t));
}

static void read_ignore_changes(struct load *l, enum kind kind, uint32_t node, struct lifecycle *out)
{
    const struct node *list = tree_node(l->tree, node);
    if (list->type != NODE_SEQUENCE || list->n > LIMIT_LIST_ITEMS) {
        COMPLAIN(l, mark_at(l, node), "as in [description, tags]",
                 "lifecycle: `ignoreChanges` needs a list of fields");
        return;
    }
    for (uint32_t c = list->first; c != NO_NODE; c = l->tree->nodes[c].next)
        ignore_one(l, kind_info(kind), c, out);
}

/* In the order of 'keys'. */
static void (*const readers[])(struct load *l, enum kind kind, uint32_t node, struct lifecycle *out) = {
    read_management,     read_adopt,      read_prevent_destroy,
    read_ignore_changes, read_on_removal, read_renamed_from,
};

static bool same_cstr(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same(const struct lifecycle *a, const struct lifecycle *b)
{
    return a->management == b->management && a->adopt == b->adopt && same_cstr(a->adopt_id, b->adopt_id) &&
           a->prevent_destroy == b->prevent_destroy && a->orphan_on_removal == b->orphan_on_removal &&
           a->ignore_changes == b->ignore_changes && same_cstr(a->renamed_from, b->renamed_from);
}

const struct lifecycle *lifecycle_keep(struct load *l, const struct lifecycle *lc)
{
    if (same(lc, &lifecycle_default)) return &lifecycle_default;
    if (l->last_lifecycle != NULL && same(lc, l->last_lifecycle)) return l->last_lifecycle;
    struct lifecycle *kept = arena_new_of(l->arena, struct lifecycle);
    if (kept == NULL) {
        l->out_of_memory = true;
        return &lifecycle_default;
    }
    *kept = *lc;
    l->last_lifecycle = kept;
    return kept;
}

const struct lifecycle *read_lifecycle(struct load *l, enum kind kind, uint32_t node)
{
    struct lifecycle lc = lifecycle_default;
    if (node == NO_NODE || tree_is_null(l->tree, tree_node(l->tree, node))) return &lifecycle_default;
    const struct node *map = tree_node(l->tree, node);
    if (map->type != NODE_MAPPING) {
        COMPLAIN(l, mark_at(l, node), "as in {management: observe}", "`lifecycle` needs a mapping");
        return &lifecycle_default;
    }
    for (uint32_t k = map->first, v; k != NO_NODE; k = l->tree->nodes[v].next) {
        v = l->tree->nodes[k].next;
        struct text key = tree_text(l->tree, tree_node(l->tree, k));
        size_t i = 0;
        while (keys[i] != NULL && !text_is(key, keys[i])) i++;
        if (keys[i] == NULL)
            COMPLAIN(
                l, mark_at(l, k),
                load_suggest_choice(l, key, keys, load_help(l, "the fields are %s", load_choices(l, keys))),
                "unknown field `%s` in `lifecycle`", load_shown(l, key));
        else if (!tree_is_null(l->tree, tree_node(l->tree, v)))
            readers[i](l, kind, v, &lc);
    }
    return lifecycle_keep(l, &lc);
}

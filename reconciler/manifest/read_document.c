/* read_document.c - the outside of a document: apiVersion, kind, metadata, and where its parts go. */
#include "reconciler/manifest/read.h"

#include <string.h>

static const char api_version[] = "headgate/v1";
static const char *const api_versions[] = {api_version, NULL};
static const char *const metadata_keys[] = {"name", "labels", "annotations", NULL};

/* The parts of a document; NO_NODE where one is missing. */
enum part { PART_API_VERSION, PART_KIND, PART_METADATA, PART_SPEC, PART_LIFECYCLE, N_PARTS };
static const char *const part_names[N_PARTS + 1] = {"apiVersion", "kind",      "metadata",
                                                    "spec",       "lifecycle", NULL};

static struct mark mark_at(const struct load *l, uint32_t node)
{
    return l->tree->nodes[node].mark;
}

static void read_parts(struct load *l, uint32_t parts[N_PARTS])
{
    const struct node *root = tree_node(l->tree, 0);
    for (int i = 0; i < N_PARTS; i++) parts[i] = NO_NODE;
    for (uint32_t k = root->first, v; k != NO_NODE; k = l->tree->nodes[v].next) {
        v = l->tree->nodes[k].next;
        struct text key = tree_text(l->tree, tree_node(l->tree, k));
        int i = 0;
        while (i < N_PARTS && !key_is(key, part_names[i])) i++;
        if (i < N_PARTS)
            parts[i] = v;
        else
            COMPLAIN(l, mark_at(l, k),
                     load_suggest_choice(l, key, part_names,
                                         load_help(l, "a document has %s", load_choices(l, part_names))),
                     "unknown field `%s`", load_shown(l, key));
    }
}

static void check_api_version(struct load *l, uint32_t node)
{
    struct text t;
    if (node == NO_NODE) {
        COMPLAIN(l, mark_at(l, 0), "write `apiVersion: headgate/v1`", "the field `apiVersion` is missing");
        return;
    }
    if (!load_scalar(l, node, "apiVersion", &t) || text_is(t, api_version)) return;
    COMPLAIN(l, mark_at(l, node), load_suggest_choice(l, t, api_versions, "this version reads headgate/v1"),
             "unknown apiVersion `%s`", load_shown(l, t));
}

static const char *kind_at(const void *ctx, size_t i)
{
    (void)ctx;
    return i == N_KINDS ? "Stack" : kind_info((enum kind)i)->name;
}

/* KIND_NONE after a complaint; *is_stack for the one document that is no resource. */
static enum kind read_kind(struct load *l, uint32_t node, bool *is_stack)
{
    struct text t;
    *is_stack = false;
    if (node == NO_NODE) {
        COMPLAIN(l, mark_at(l, 0), "as in `kind: Vpc`; `headgate explain` lists the kinds",
                 "the field `kind` is missing");
        return KIND_NONE;
    }
    if (!load_scalar(l, node, "kind", &t)) return KIND_NONE;
    if (text_is(t, "Stack")) {
        *is_stack = true;
        return KIND_NONE;
    }
    enum kind kind = kind_of_name(t);
    if (kind == KIND_NONE)
        COMPLAIN(l, mark_at(l, node),
                 load_suggest(l, t, N_KINDS + 1, kind_at, NULL, "`headgate explain` lists the kinds"),
                 "unknown kind `%s`", load_shown(l, t));
    return kind;
}

/* Labels and annotations are for people and other tools: their form is checked, nothing is kept. */
static void check_notes(struct load *l, const char *what, uint32_t node)
{
    const struct node *map = tree_node(l->tree, node);
    if (tree_is_null(l->tree, map)) return;
    if (map->type != NODE_MAPPING) {
        COMPLAIN(l, mark_at(l, node), NULL, "metadata: `%s` needs a mapping of texts to texts", what);
        return;
    }
    for (uint32_t k = map->first, v; k != NO_NODE; k = l->tree->nodes[v].next) {
        struct text text;
        v = l->tree->nodes[k].next;
        (void)load_scalar_of(l, v, tree_text(l->tree, tree_node(l->tree, k)), &text); /* it complains */
    }
}

/* metadata.name; false after a complaint. */
static bool read_metadata(struct load *l, uint32_t node, struct text *name, uint32_t *name_node)
{
    *name_node = NO_NODE;
    if (node == NO_NODE || tree_node(l->tree, node)->type != NODE_MAPPING) {
        COMPLAIN(l, mark_at(l, node), "as in `metadata: {name: web}`",
                 node == NO_NODE ? "the field `metadata` is missing" : "`metadata` needs a mapping");
        return false;
    }
    const struct node *map = tree_node(l->tree, node);
    for (uint32_t k = map->first, v; k != NO_NODE; k = l->tree->nodes[v].next) {
        v = l->tree->nodes[k].next;
        struct text key = tree_text(l->tree, tree_node(l->tree, k));
        if (key_is(key, "name"))
            *name_node = v;
        else if (key_is(key, "labels") || key_is(key, "annotations"))
            check_notes(l, key.ptr, v);
        else
            COMPLAIN(l, mark_at(l, k),
                     load_suggest_choice(l, key, metadata_keys,
                                         load_help(l, "metadata has %s", load_choices(l, metadata_keys))),
                     "unknown field `%s` in `metadata`", load_shown(l, key));
    }
    if (*name_node == NO_NODE) {
        COMPLAIN(l, mark_at(l, node), "as in `metadata: {name: web}`",
                 "the field `metadata.name` is missing");
        return false;
    }
    return load_scalar(l, *name_node, "metadata.name", name) &&
           load_check_name(l, *name, mark_at(l, *name_node), "metadata.name");
}

/* Where no console name is given the cloud gets metadata.name, which has to keep the cloud's rule then. */
static void check_console_name(struct load *l, const struct spec *s, struct text name, uint32_t name_node)
{
    const struct kind_info *info = kind_info(s->d.r.kind);
    if (info->name_field == FIELD_NO || s->observe || (s->given & 1ull << info->name_field)) return;
    const struct field *f = &info->fields[info->name_field];
    const char *fault = text_rule_fault(f->rule, name);
    if (fault != NULL)
        COMPLAIN(
            l, mark_at(l, name_node),
            arena_printf(l->arena, "choose another name, or set spec.name: %s", text_rule_words(f->rule)),
            "as its name in the cloud `%s` %s", load_shown(l, name), fault);
}

static void read_resource(struct load *l, enum kind kind, const uint32_t parts[N_PARTS])
{
    struct text name;
    uint32_t name_node;
    if (!read_metadata(l, parts[PART_METADATA], &name, &name_node)) {
        l->incomplete = true;
        name = (struct text){"", 0};
    } else {
        l->kind = kind;
        l->name = name; /* the tree's, until the next document */
    }
    const struct lifecycle *lifecycle = read_lifecycle(l, kind, parts[PART_LIFECYCLE]);
    struct spec s = {.parent = FIELD_NO, .mark = mark_at(l, parts[PART_SPEC])};
    s.observe = lifecycle->management == MANAGE_OBSERVE;
    if (!draft_init(l, kind, &s.d)) return;
    (void)read_spec(l, &s,
                    parts[PART_SPEC]); /* what is wrong was told; what is right takes part in the checks */
    if (name.len == 0) return;
    check_console_name(l, &s, name, name_node);
    expand_and_add(l, &s, name, mark_at(l, name_node), lifecycle);
}

void read_document(struct load *l)
{
    uint32_t parts[N_PARTS];
    bool is_stack;
    load_forget_address(l);
    if (tree_node(l->tree, 0)->type != NODE_MAPPING) {
        l->incomplete = true;
        COMPLAIN(l, mark_at(l, 0), "it begins with `apiVersion: headgate/v1`",
                 "a document needs to be a mapping");
        return;
    }
    read_parts(l, parts);
    check_api_version(l, parts[PART_API_VERSION]);
    enum kind kind = read_kind(l, parts[PART_KIND], &is_stack);
    if (is_stack) {
        if (parts[PART_LIFECYCLE] != NO_NODE)
            COMPLAIN(l, mark_at(l, parts[PART_LIFECYCLE]), "remove it", "a Stack has no `lifecycle`");
        read_stack(l, parts[PART_METADATA], parts[PART_SPEC]);
    } else if (kind == KIND_NONE) {
        l->incomplete = true;
    } else {
        read_resource(l, kind, parts);
    }
}

/* read_stack.c - the Stack document: settings for all others, and variables. */
#include "reconciler/base/limits.h"
#include "reconciler/manifest/read.h"
#include "reconciler/manifest/stack_fields.h"

#include <string.h>

const char *const stack_providers[] = {"mock", "alicloud", "lab", NULL};
static const char *const metadata_keys[] = {"name", "labels", "annotations", NULL};

static struct mark mark_at(const struct load *l, uint32_t node)
{
    return l->tree->nodes[node].mark;
}

static void read_provider(struct load *l, uint32_t node)
{
    struct text t;
    if (!load_scalar(l, node, "provider", &t)) return;
    for (size_t i = 0; stack_providers[i] != NULL; i++)
        if (text_is(t, stack_providers[i])) {
            l->stack.provider = stack_providers[i];
            return;
        }
    COMPLAIN(l, mark_at(l, node), load_suggest_choice(l, t, stack_providers, NULL),
             "`provider` is `%s`, but must be %s", load_shown(l, t), load_choices(l, stack_providers));
}

/* A region is lower-case words joined by '-': cn-shanghai, ap-southeast-1. */
static void read_region(struct load *l, uint32_t node)
{
    struct text t;
    if (!load_scalar(l, node, "region", &t)) return;
    bool dash = false, ok = t.len > 0 && t.len <= 64;
    for (size_t i = 0; ok && i < t.len; i++) {
        char c = t.ptr[i];
        bool inner = i > 0 && i + 1 < t.len;
        dash |= c == '-';
        ok = (c >= 'a' && c <= 'z') || (inner && c == '-') || (i > 0 && c >= '0' && c <= '9');
    }
    if (ok && dash)
        l->stack.region = load_keep(l, t);
    else
        COMPLAIN(l, mark_at(l, node), "as in cn-shanghai", "`region`: `%s` is not a region",
                 load_shown(l, t));
}

static void read_credentials(struct load *l, uint32_t node)
{
    struct text t;
    if (!load_scalar(l, node, "credentials", &t)) return;
    if (t.len == 0 || t.len > 128 || memchr(t.ptr, '\0', t.len) != NULL)
        COMPLAIN(l, mark_at(l, node), "it is the name of a profile, never a secret",
                 "`credentials`: `%s` is not the name of a profile", load_shown(l, t));
    else
        l->stack.credentials = load_keep(l, t);
}

static void read_prune(struct load *l, uint32_t node)
{
    (void)value_read_bool(l, "prune", node, &l->stack.prune); /* it complains by itself */
}

static void read_suspend(struct load *l, uint32_t node)
{
    (void)value_read_bool(l, "suspend", node, &l->stack.suspend); /* it complains by itself */
}

static void read_interval(struct load *l, uint32_t node)
{
    struct text t;
    if (!load_scalar(l, node, "interval", &t)) return;
    int64_t ms;
    if (text_to_duration_ms(t, &ms) && ms >= 1000)
        l->stack.interval_ms = ms;
    else
        COMPLAIN(l, mark_at(l, node), "as in 90s, 5m or 2h; at least 1s",
                 "`interval`: `%s` is not a duration", load_shown(l, t));
}

static void read_max_deletions(struct load *l, uint32_t node)
{
    (void)value_read_int(l, "maxDeletions", 0, INT64_MAX, node, &l->stack.max_deletions); /* complains */
}

static void read_nothing(struct load *l, uint32_t node)
{
    (void)l, (void)node; /* variables were read first */
}

/* In one order: what is told of a field, and who reads it. */
const char stack_doc[] = "Settings of all resources of one set of manifests: at most one document.";
const struct stack_field stack_fields[] = {
    {"provider", "word",
     "The cloud: mock (default, simulated), alicloud, or lab (network namespaces of this host)."},
    {"region", "text", "Region id, as in cn-shanghai; alicloud needs it."},
    {"credentials", "text", "Name of a credentials profile; the provider's usual chain when not set."},
    {"variables", "map of text", "Names and default values for ${NAME} in all documents; null: no default."},
    {"prune", "boolean", "Whether what is no longer declared is deleted (default true)."},
    {"interval", "duration", "How often the daemon looks, as in 5m."},
    {"suspend", "boolean", "Whether the daemon leaves the stack alone (default false)."},
    {"maxDeletions", "integer", "An apply that would delete more than this is refused (default: no limit)."},
};
const size_t stack_n_fields = N_ELEMENTS(stack_fields);

static void (*const readers[])(struct load *l, uint32_t node) = {
    read_provider, read_region,   read_credentials, read_nothing,
    read_prune,    read_interval, read_suspend,     read_max_deletions,
};
_Static_assert(N_ELEMENTS(readers) == N_ELEMENTS(stack_fields), "a reader for each field");

static const char *field_name_at(const void *ctx, size_t i)
{
    (void)ctx;
    return stack_fields[i].name;
}

/* Values are literal: they are taken before anything is substituted. */
static void read_variables(struct load *l, uint32_t node)
{
    const struct node *map = tree_node(l->tree, node);
    if (tree_is_null(l->tree, map)) return;
    if (map->type != NODE_MAPPING || map->n / 2 > LIMIT_VARIABLES) {
        COMPLAIN(l, mark_at(l, node), "as in {ZONE: cn-shanghai-b}",
                 "`variables` needs a mapping of names to values, at most %d", LIMIT_VARIABLES);
        return;
    }
    for (uint32_t k = map->first, v; k != NO_NODE; k = l->tree->nodes[v].next) {
        v = l->tree->nodes[k].next;
        struct text name = tree_text(l->tree, tree_node(l->tree, k)), value = {NULL, 0};
        struct node *n = &l->tree->nodes[v];
        n->flags &= (uint8_t)~NODE_DOLLAR;
        if (!variable_name_is_valid(name)) {
            COMPLAIN(l, mark_at(l, k), "use letters, digits and `_`, no digit first",
                     "`%s` is not the name of a variable", load_shown(l, name));
            continue;
        }
        bool declared_only = tree_is_null(l->tree, tree_node(l->tree, v));
        if (!declared_only && !load_scalar_of(l, v, name, &value)) continue;
        const char *copy = load_help(l, TEXT_FMT, TEXT_ARG(name));
        if (copy == NULL || !variables_add(l, copy, value)) l->out_of_memory = true;
    }
}

static void read_settings(struct load *l, uint32_t spec)
{
    const struct node *map = tree_node(l->tree, spec);
    for (uint32_t k = map->first, v; k != NO_NODE; k = l->tree->nodes[v].next) {
        v = l->tree->nodes[k].next;
        struct text key = tree_text(l->tree, tree_node(l->tree, k));
        size_t i = 0;
        while (i < stack_n_fields && !text_is(key, stack_fields[i].name)) i++;
        if (i == stack_n_fields)
            COMPLAIN(l, mark_at(l, k),
                     load_suggest(l, key, stack_n_fields, field_name_at, NULL,
                                  "`headgate explain Stack` lists the fields"),
                     "unknown field `%s`", load_shown(l, key));
        else if (!tree_is_null(l->tree, tree_node(l->tree, v)))
            readers[i](l, v);
    }
}

static void read_stack_name(struct load *l, uint32_t metadata)
{
    struct text name;
    const struct node *map = tree_node(l->tree, metadata);
    uint32_t node =
        metadata == NO_NODE || map->type != NODE_MAPPING ? NO_NODE : tree_get(l->tree, map, "name");
    if (node == NO_NODE) {
        COMPLAIN(l, mark_at(l, metadata), "as in `metadata: {name: production}`",
                 "the field `metadata.name` is missing");
        return;
    }
    for (uint32_t k = map->first; k != NO_NODE; k = l->tree->nodes[l->tree->nodes[k].next].next) {
        struct text key = tree_text(l->tree, tree_node(l->tree, k));
        size_t i = 0;
        while (metadata_keys[i] != NULL && !text_is(key, metadata_keys[i])) i++;
        if (metadata_keys[i] == NULL)
            COMPLAIN(l, mark_at(l, k), load_suggest_choice(l, key, metadata_keys, NULL),
                     "unknown field `%s` in `metadata`", load_shown(l, key));
    }
    if (!load_scalar(l, node, "metadata.name", &name) ||
        !load_check_name(l, name, mark_at(l, node), "metadata.name"))
        return;
    (void)snprintf(l->address, sizeof l->address, "Stack/" TEXT_FMT,
                   TEXT_ARG(name)); /* a checked name fits */
    l->stack.name = (struct text){load_keep(l, name), name.len};
}

void read_stack(struct load *l, uint32_t metadata, uint32_t spec)
{
    if (l->has_stack) {
        COMPLAIN(l, mark_at(l, 0), "put all settings into one Stack",
                 "a second Stack: `" TEXT_FMT "` is defined at %s:%u:%u", TEXT_ARG(l->stack.name),
                 l->stack.pos.file, l->stack.pos.line, l->stack.pos.column);
        return;
    }
    l->has_stack = true;
    l->stack.pos = load_pos(l, mark_at(l, 0));
    bool has_spec = spec != NO_NODE && !tree_is_null(l->tree, tree_node(l->tree, spec));
    if (has_spec && tree_node(l->tree, spec)->type != NODE_MAPPING) {
        COMPLAIN(l, mark_at(l, spec), NULL, "`spec` needs a mapping");
        has_spec = false;
    }
    uint32_t variables = has_spec ? tree_get(l->tree, tree_node(l->tree, spec), "variables") : NO_NODE;
    if (variables != NO_NODE) read_variables(l, variables);
    if (l->tree->has_dollar) variables_substitute(l);
    read_stack_name(l, metadata);
    if (has_spec) read_settings(l, spec);
}

/* load.c - the steps in order: variables, files, documents, references, checks. */
#include "reconciler/manifest/load.h"

#include "reconciler/base/limits.h"
#include "reconciler/manifest/check.h"
#include "reconciler/manifest/read.h"
#include "reconciler/manifest/source_line.h"

#include <string.h>

/* A document that waits for the Stack, which may come later. */
struct deferred {
    struct deferred *next;
    const char *file;
    struct saved_tree tree;
};

struct queue {
    struct deferred *first, **last;
    size_t n_documents;
};

enum { SUGGESTION_COMPARISONS = 3 * 1000 * 1000 };

static void load_fini(struct load *l)
{
    arena_free(l->scratch);
}

static bool is_stack(const struct tree *t)
{
    uint32_t kind = tree_get(t, tree_node(t, 0), "kind");
    const struct node *n = kind == NO_NODE ? NULL : tree_node(t, kind);
    return n != NULL && n->type == NODE_SCALAR && text_is(tree_text(t, n), "Stack");
}

static void defer(struct load *l, struct queue *q)
{
    struct deferred *d = arena_new_of(l->scratch, struct deferred);
    if (d == NULL || !tree_save(l->tree, l->scratch, &d->tree)) {
        l->out_of_memory = true;
        return;
    }
    d->file = l->file;
    *q->last = d;
    q->last = &d->next;
}

static void take_document(struct load *l, struct queue *q)
{
    const struct node *root = tree_node(l->tree, 0);
    if (tree_is_null(l->tree, root)) return;
    q->n_documents++;
    l->complained = false;
    if (!is_stack(l->tree) && l->tree->has_dollar) {
        if (!l->has_stack) {
            defer(l, q);
            return;
        }
        load_forget_address(l);
        variables_substitute(l);
    }
    read_document(l);
}

static enum err_code over_limit(const struct load *l, struct err *err)
{
    if (l->out_of_memory) return err_nomem(err);
    if (l->n_resources > LIMIT_RESOURCES)
        return err_set(err, ERR_LIMIT, "the manifests have more than %d resources", LIMIT_RESOURCES);
    return ERR_OK;
}

static enum err_code read_source(struct load *l, const struct source *s, struct queue *q, struct err *err)
{
    if (s->bytes.len > LIMIT_MANIFEST_FILE_BYTES)
        return err_set(err, ERR_LIMIT, "%s has %zu bytes, more than the %d of one manifest file", s->file,
                       s->bytes.len, LIMIT_MANIFEST_FILE_BYTES);
    CLEANUP(tree_reader_fini) struct tree_reader reader;
    if (!tree_reader_init(&reader, s->file, s->bytes, l->tree, l->diags)) return err_nomem(err);
    l->file = s->file;
    for (;;) {
        switch (tree_reader_next(&reader)) {
        case TREE_NOMEM: return err_nomem(err);
        case TREE_END: return ERR_OK;
        case TREE_STOP: l->incomplete = true; return ERR_OK;
        case TREE_DOCUMENT: break;
        }
        take_document(l, q);
        enum err_code code = over_limit(l, err);
        if (code != ERR_OK) return code;
    }
}

static enum err_code read_deferred(struct load *l, const struct queue *q, struct err *err)
{
    for (const struct deferred *d = q->first; d != NULL; d = d->next) {
        if (!tree_restore(l->tree, &d->tree)) return err_nomem(err);
        l->file = d->file;
        load_forget_address(l);
        variables_substitute(l);
        read_document(l);
        enum err_code code = over_limit(l, err);
        if (code != ERR_OK) return code;
    }
    return ERR_OK;
}

static enum err_code take_input_variables(struct load *l, const struct manifest_input *input, struct err *err)
{
    if (input->n_variables > LIMIT_VARIABLES)
        return err_set(err, ERR_LIMIT, "more than %d variables are given", LIMIT_VARIABLES);
    for (size_t i = 0; i < input->n_variables; i++) {
        const char *name = input->variables[i].name;
        if (!variable_name_is_valid(text_of(name)))
            (void)diags_add(l->diags, SEVERITY_ERROR, (struct src_pos){0}, NULL,
                            "use letters, digits and `_`, no digit first",
                            "`%s` is not the name of a variable", load_shown(l, text_of(name)));
        else if (!variables_add(l, name, text_of(input->variables[i].value)))
            return err_nomem(err);
    }
    return ERR_OK;
}

static enum err_code read_all(struct load *l, const struct manifest_input *input, struct err *err)
{
    CLEANUP(tree_fini) struct tree tree = {0};
    struct queue q = {.first = NULL};
    q.last = &q.first;
    l->tree = &tree;
    enum err_code code = take_input_variables(l, input, err);
    for (size_t i = 0; code == ERR_OK && i < input->n_sources; i++)
        code = read_source(l, &input->sources[i], &q, err);
    if (code == ERR_OK) code = read_deferred(l, &q, err);
    l->tree = NULL;
    if (code == ERR_OK && q.n_documents == 0 && !l->incomplete)
        (void)diags_add(l->diags, SEVERITY_ERROR, (struct src_pos){0}, NULL,
                        "a document begins with `apiVersion: headgate/v1`",
                        "there is no manifest in the input");
    return code;
}

static void (*const checks[])(struct view *v) = {
    check_fields, check_keys,  check_blocks, check_same_vpc,
    check_nat,    check_ports, check_routes, check_cycles,
};

static enum err_code finish(struct load *l, const struct manifest_input *input, struct desired *out,
                            struct err *err)
{
    struct view v;
    struct desired d = {.stack = l->stack};
    if (!resolve(l, &v, &d)) return err_nomem(err);
    for (size_t i = 0; i < N_ELEMENTS(checks) && !l->out_of_memory; i++) checks[i](&v);
    if (l->out_of_memory || l->diags->out_of_memory) return err_nomem(err);
    diags_sort(l->diags);
    source_lines_attach(l->diags, input->sources, input->n_sources);
    *out = d;
    return ERR_OK;
}

enum err_code manifest_load(struct arena *arena, const struct manifest_input *input, struct diags *diags,
                            struct desired *out, struct err *err)
{
    size_t errors_before = diags->n_errors;
    CLEANUP(load_fini)
    struct load l = {
        .arena = arena,
        .scratch = arena_new(LIMIT_ARENA_BYTES),
        .diags = diags,
        .stack = {.name = TEXT("default"), .provider = "mock", .prune = true, .max_deletions = -1},
        .kind = KIND_NONE,
        .suggestions_left = SUGGESTION_COMPARISONS,
    };
    if (l.scratch == NULL) return err_nomem(err);
    struct desired d;
    enum err_code code = read_all(&l, input, err);
    if (code == ERR_OK) code = finish(&l, input, &d, err);
    if (code != ERR_OK) return code;
    size_t n = diags->n_errors - errors_before;
    if (n > 0) return err_set(err, ERR_INPUT, "the manifests have %zu error%s", n, n == 1 ? "" : "s");
    *out = d;
    return ERR_OK;
}

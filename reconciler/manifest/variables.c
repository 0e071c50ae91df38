/* variables.c - substitution. A value is put in as text, never parsed as YAML: it cannot add structure. */
#include "reconciler/manifest/variables.h"

#include "reconciler/base/buf.h"
#include "reconciler/base/limits.h"
#include "reconciler/manifest/load.h"

#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool variable_name_is_valid(struct text name)
{
    if (name.len == 0 || name.len > 128 || !is_letter(name.ptr[0])) return false;
    for (size_t i = 1; i < name.len; i++)
        if (!is_letter(name.ptr[i]) && (name.ptr[i] < '0' || name.ptr[i] > '9')) return false;
    return true;
}

static struct variable *find(const struct variables *v, struct text name)
{
    for (size_t i = 0; i < v->n; i++)
        if (text_is(name, v->items[i].name)) return &v->items[i];
    return NULL;
}

bool variables_add(struct load *l, const char *name, struct text value)
{
    struct variables *v = &l->variables;
    struct variable *known = find(v, text_of(name));
    if (known != NULL && known->value.ptr != NULL) return true;
    struct text copy = {NULL, 0};
    if (value.ptr != NULL) {
        copy = arena_text(l->scratch, value);
        if (copy.ptr == NULL) return false;
    }
    if (known != NULL) {
        known->value = copy;
        return true;
    }
    const char *kept = arena_strdup(l->scratch, name);
    if (kept == NULL || !arena_grow(l->scratch, &v->items, sizeof *v->items, v->n, &v->capacity))
        return false;
    v->items[v->n++] = (struct variable){kept, copy};
    return true;
}

static const char *name_at(const void *ctx, size_t i)
{
    return ((const struct variables *)ctx)->items[i].name;
}

/* The place of a character inside a scalar, where the scalar is written on one line; else its beginning. */
static struct mark mark_inside(const struct node *n, struct text text, size_t offset)
{
    if (!(n->flags & NODE_PLAIN) || memchr(text.ptr, '\n', text.len) != NULL) return n->mark;
    return (struct mark){n->mark.line,
                         n->mark.column + (uint32_t)text_n_chars((struct text){text.ptr, offset})};
}

/* False after a complaint. */
static bool put_variable(struct load *l, struct text name, struct mark mark, struct buf *out)
{
    if (!variable_name_is_valid(name)) {
        COMPLAIN(l, mark, "a name has letters, digits and `_`; write `$${` for a literal `${`",
                 "`${%s}` does not name a variable", load_shown(l, name));
        return false;
    }
    const struct variable *v = find(&l->variables, name);
    if (v == NULL)
        COMPLAIN(l, mark,
                 load_suggest(l, name, l->variables.n, name_at, &l->variables,
                              "declare it in the Stack's `variables`, or write `$${` for a literal `${`"),
                 "the variable `%s` is not defined", load_shown(l, name));
    else if (v->value.ptr == NULL)
        COMPLAIN(l, mark, "give it a default in the Stack's `variables`, or a value when you run headgate",
                 "the variable `%s` has no value", load_shown(l, name));
    else
        buf_put_text(out, v->value);
    return v != NULL && v->value.ptr != NULL;
}

/* False after a complaint. */
static bool expand(struct load *l, const struct node *n, struct text text, struct buf *out)
{
    size_t i = 0;
    bool ok = true;
    while (i < text.len) {
        struct text rest = {text.ptr + i, text.len - i};
        if (text_starts_with(rest, "$${")) {
            buf_puts(out, "${");
            i += 3;
        } else if (text_starts_with(rest, "${")) {
            struct text name, after = {rest.ptr + 2, rest.len - 2};
            (void)text_cut(&after, '}', &name); /* never empty-handed: the slice is not NULL */
            struct mark mark = mark_inside(n, text, i);
            if (after.ptr == NULL) {
                COMPLAIN(l, mark, "write `$${` for a literal `${`", "`${` without `}`");
                return false;
            }
            ok &= put_variable(l, name, mark, out);
            i += 2 + name.len + 1;
        } else {
            buf_putc(out, text.ptr[i++]);
        }
    }
    return ok;
}

void variables_substitute(struct load *l)
{
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, LIMIT_YAML_SCALAR_BYTES);
    for (size_t i = 0; i < l->tree->n_nodes; i++) {
        struct node *n = &l->tree->nodes[i];
        if (!(n->flags & NODE_DOLLAR)) continue;
        n->flags &= (uint8_t)~NODE_DOLLAR;
        buf_reset(&out);
        if (!expand(l, n, tree_text(l->tree, n), &out)) n->flags |= NODE_WRONG;
        l->variables.substituted_bytes += out.len;
        if (!buf_ok(&out) || l->variables.substituted_bytes > LIMIT_MANIFEST_FILE_BYTES) {
            COMPLAIN(l, n->mark, NULL,
                     "too much text by substitution: more than %d bytes in one value, or %d in all",
                     LIMIT_YAML_SCALAR_BYTES, LIMIT_MANIFEST_FILE_BYTES);
            return;
        }
        if (!tree_set_text(l->tree, n, buf_text(&out))) l->out_of_memory = true;
    }
}

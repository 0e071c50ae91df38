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

/* Where a name is, or would be: they are sorted, since a file may ask for them a million times. */
static size_t place_of(const struct variables *v, struct text name)
{
    size_t low = 0, high = v->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (text_compare(text_of(v->items[middle].name), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct variable *find(const struct variables *v, struct text name)
{
    size_t at = place_of(v, name);
    return at < v->n && text_is(name, v->items[at].name) ? &v->items[at] : NULL;
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
    size_t at = place_of(v, text_of(name));
    memmove(&v->items[at + 1], &v->items[at], (v->n - at) * sizeof *v->items);
    v->items[at] = (struct variable){kept, copy};
    v->n++;
    return true;
}

static const char *name_at(const void *ctx, size_t i)
{
    return ((const struct variables *)ctx)->items[i].name;
}

/* Places inside a scalar, asked for in rising order. */
struct inside {
    const struct node *node;
    struct text text;
    bool on_one_line;
    size_t offset;
    uint32_t n_chars; /* before 'offset' */
};

static struct inside inside_of(const struct node *n, struct text text)
{
    bool on_one_line = (n->flags & NODE_PLAIN) && memchr(text.ptr, '\n', text.len) == NULL;
    return (struct inside){.node = n, .text = text, .on_one_line = on_one_line};
}

/* The place of a character where the scalar is written on one line; else the scalar's beginning. */
static struct mark mark_at(struct inside *in, size_t offset)
{
    if (!in->on_one_line) return in->node->mark;
    ASSERT(offset >= in->offset);
    in->n_chars += (uint32_t)text_n_chars((struct text){in->text.ptr + in->offset, offset - in->offset});
    in->offset = offset;
    return (struct mark){in->node->mark.line, in->node->mark.column + in->n_chars};
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
    struct inside inside = inside_of(n, text);
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
            struct mark mark = mark_at(&inside, i);
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

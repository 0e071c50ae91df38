/* load_util.c - how the steps of loading complain and what they keep. */
#include "reconciler/manifest/load.h"

#include "reconciler/base/buf.h"
#include "reconciler/base/limits.h"

#include <stdarg.h>
#include <string.h>

enum { SHOWN_CHARS = 60, NAME_MAX_LEN = 63, RECENT_MAX_LEN = 64 };

struct src_pos load_pos(const struct load *l, struct mark mark)
{
    return (struct src_pos){l->file, mark.line, mark.column};
}

const char *load_address(struct load *l)
{
    if (l->kind == KIND_NONE) return l->address[0] == '\0' ? NULL : l->address;
    return address_format(l->kind, l->name, l->address);
}

void load_forget_address(struct load *l)
{
    l->kind = KIND_NONE;
    l->address[0] = '\0';
}

const char *load_help(struct load *l, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); /* cut when too long: by design */
    va_end(args);
    return arena_strdup(l->scratch, text);
}

const char *load_shown(struct load *l, struct text t)
{
    size_t end = 0, n = 0;
    while (end < t.len && n < SHOWN_CHARS) {
        end++;
        while (end < t.len && ((unsigned char)t.ptr[end] & 0xc0) == 0x80) end++;
        n++;
    }
    bool cut = end < t.len;
    char *copy = arena_alloc(l->scratch, end + sizeof "…");
    if (copy == NULL) return "";
    if (end > 0) memcpy(copy, t.ptr, end);
    if (cut) memcpy(copy + end, "…", sizeof "…");
    return copy;
}

const char *load_suggest(struct load *l, struct text word, size_t n,
                         const char *(*name)(const void *ctx, size_t i), const void *ctx,
                         const char *otherwise)
{
    /* Only what is shown is worth a search. */
    if (l->diags->n >= LIMIT_DIAGNOSTICS || n > l->suggestions_left) return otherwise;
    l->suggestions_left -= n;
    const char *nearest = text_nearest(word, n, name, ctx);
    return nearest == NULL ? otherwise : load_help(l, "did you mean `%s`?", nearest);
}

static const char *choice_at(const void *ctx, size_t i)
{
    return ((const char *const *)ctx)[i];
}

const char *load_suggest_choice(struct load *l, struct text word, const char *const *choices,
                                const char *otherwise)
{
    size_t n = 0;
    while (choices[n] != NULL) n++;
    return load_suggest(l, word, n, choice_at, (const void *)choices, otherwise);
}

const char *load_choices(struct load *l, const char *const *choices)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 1024);
    for (size_t i = 0; choices[i] != NULL; i++) {
        if (i > 0) buf_puts(&b, choices[i + 1] == NULL ? " or " : ", ");
        buf_puts(&b, choices[i]);
    }
    return load_help(l, "%s", buf_str(&b));
}

/* Zones, images and tags are the same in most resources: a text that was kept lately is given again. */
const char *load_keep(struct load *l, struct text t)
{
    struct text *recent = NULL;
    if (t.len <= RECENT_MAX_LEN) {
        recent = &l->recent[text_mix(0, t) % N_ELEMENTS(l->recent)];
        if (recent->ptr != NULL && text_equal(*recent, t)) return recent->ptr;
    }
    const char *p = arena_copy(l->arena, t.ptr, t.len);
    if (p == NULL)
        l->out_of_memory = true;
    else if (recent != NULL)
        *recent = (struct text){p, t.len};
    return p;
}

bool draft_init(struct load *l, enum kind kind, struct draft *d)
{
    uint8_t n = kind_info(kind)->n_fields;
    *d = (struct draft){.r = {.kind = kind}};
    d->r.values = arena_array_of(l->arena, n, struct value);
    d->marks = arena_array_of(l->scratch, n, struct mark);
    if (d->r.values != NULL && d->marks != NULL) return true;
    l->out_of_memory = true;
    return false;
}

void load_add(struct load *l, const struct draft *d, struct text name, struct mark mark,
              const struct lifecycle *lifecycle)
{
    size_t n = l->n_resources;
    const char *kept = arena_copy(l->arena, name.ptr, name.len);
    if (kept == NULL ||
        !arena_extend(l->arena, &l->resources, sizeof *l->resources, n, &l->resource_capacity) ||
        !arena_extend(l->scratch, &l->marks, sizeof(struct mark *), n, &l->mark_capacity)) {
        l->out_of_memory = true;
        return;
    }
    l->resources[n] = d->r;
    l->resources[n].name = (struct text){kept, name.len};
    l->resources[n].pos = load_pos(l, mark);
    l->resources[n].lifecycle = lifecycle;
    l->marks[n] = d->marks;
    l->n_resources++;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool load_check_name(struct load *l, struct text name, struct mark mark, const char *what)
{
    static const char rule[] = "use 1 to 63 of a-z, 0-9 and `-`, with a letter or digit at both ends";
    if (name.len > 0 && name.len <= NAME_MAX_LEN && memchr(name.ptr, '.', name.len) != NULL) {
        COMPLAIN(l, mark, "use `-` in place of the dot",
                 "%s `%s` has a dot: dots are kept for generated names", what, load_shown(l, name));
        return false;
    }
    bool ok = name.len > 0 && name.len <= NAME_MAX_LEN && is_name_char(name.ptr[0]) &&
              is_name_char(name.ptr[name.len - 1]);
    for (size_t i = 0; ok && i < name.len; i++) ok = is_name_char(name.ptr[i]) || name.ptr[i] == '-';
    if (!ok) COMPLAIN(l, mark, rule, "%s `%s` is not a name", what, load_shown(l, name));
    return ok;
}

bool load_scalar(struct load *l, uint32_t node, const char *what, struct text *out)
{
    const struct node *n = tree_node(l->tree, node);
    if (n->flags & NODE_WRONG) return false;
    if (n->type == NODE_SCALAR && !tree_is_null(l->tree, n)) {
        *out = tree_text(l->tree, n);
        return true;
    }
    COMPLAIN(l, l->tree->nodes[node].mark, NULL, "%s needs a text, not %s", what,
             n->type == NODE_MAPPING    ? "a mapping"
             : n->type == NODE_SEQUENCE ? "a list"
                                        : "nothing");
    return false;
}

bool load_scalar_of(struct load *l, uint32_t node, struct text key, struct text *out)
{
    const struct node *n = tree_node(l->tree, node);
    if (n->type == NODE_SCALAR && !(n->flags & NODE_WRONG) && !tree_is_null(l->tree, n)) {
        *out = tree_text(l->tree, n);
        return true;
    }
    return load_scalar(l, node, load_shown(l, key), out);
}

/* explain.c - what a kind and its fields are, from the tables. */
#include "reconciler/base/buf.h"
#include "reconciler/manifest/manifest.h"
#include "reconciler/manifest/stack_fields.h"
#include "reconciler/manifest/values.h"

#include <string.h>

static const char *const type_words[N_FIELD_TYPES] = {
    [FIELD_TEXT] = "text",
    [FIELD_INT] = "integer",
    [FIELD_BOOL] = "boolean",
    [FIELD_ENUM] = "word",
    [FIELD_CIDR] = "cidr",
    [FIELD_IP] = "ip",
    [FIELD_PORTS] = "ports",
    [FIELD_REF] = "reference",
    [FIELD_TEXT_LIST] = "list of text",
    [FIELD_CIDR_LIST] = "list of cidr",
    [FIELD_REF_LIST] = "list of references",
    [FIELD_MAP] = "map of text",
    [FIELD_INLINE] = "list",
};

static bool has_target(const struct field *f)
{
    return f->type == FIELD_REF || f->type == FIELD_REF_LIST || f->type == FIELD_INLINE;
}

static void put_type(struct buf *out, const struct field *f)
{
    buf_puts(out, type_words[f->type]);
    if (has_target(f))
        buf_printf(out, "%s%s", f->type == FIELD_INLINE ? " of " : " to ", kind_info(f->ref)->name);
}

/* "required, immutable, default x" in short, as the list of fields has it. */
static void put_flags(struct buf *out, const struct kind_info *info, const struct field *f)
{
    const char *sep = " (";
    const char *end = "";
    const struct {
        bool on;
        const char *word;
    } words[] = {
        {f->flags & FIELD_REQUIRED, "required"},
        {f->one_of > 0, "one of a group"},
        {f->flags & FIELD_IMMUTABLE, "immutable"},
        {f->flags & FIELD_COMPUTED, "set by the cloud"},
    };
    (void)info;
    for (size_t i = 0; i < N_ELEMENTS(words); i++)
        if (words[i].on) {
            buf_printf(out, "%s%s", sep, words[i].word);
            sep = ", ";
            end = ")";
        }
    if (f->initial != NULL && f->initial[0] != '\0') {
        buf_printf(out, "%sdefault %s", sep, f->initial);
        end = ")";
    }
    buf_puts(out, end);
}

static void explain_kinds(struct buf *out)
{
    buf_puts(out, "KINDS:\n");
    buf_printf(out, "  %-22s %s\n", "Stack", stack_doc);
    for (int k = 0; k < N_KINDS; k++)
        buf_printf(out, "  %-22s %s\n", kind_info((enum kind)k)->name, kind_info((enum kind)k)->doc);
    buf_puts(out, "\nMore: headgate explain KIND, headgate explain KIND.field\n");
}

static void explain_stack(struct buf *out)
{
    buf_printf(out, "KIND:        Stack\n\nDESCRIPTION:\n  %s\n\nFIELDS:\n", stack_doc);
    for (size_t i = 0; i < stack_n_fields; i++)
        buf_printf(out, "  %s <%s>\n      %s\n", stack_fields[i].name, stack_fields[i].type,
                   stack_fields[i].doc);
}

static void explain_kind(struct buf *out, enum kind kind)
{
    const struct kind_info *info = kind_info(kind);
    buf_printf(out, "KIND:        %s\n", info->name);
    if (info->id_prefix != NULL) buf_printf(out, "IDS:         %s…\n", info->id_prefix);
    buf_printf(out, "\nDESCRIPTION:\n  %s\n\nFIELDS:\n", info->doc);
    for (uint8_t i = 0; i < info->n_fields; i++) {
        const struct field *f = &info->fields[i];
        buf_printf(out, "  %s <", f->name);
        put_type(out, f);
        buf_putc(out, '>');
        put_flags(out, info, f);
        buf_printf(out, "\n      %s\n", f->doc);
    }
    if (info->example != NULL) {
        buf_puts(out, "\nEXAMPLE:\n");
        struct text rest = text_of(info->example), line;
        while (text_cut(&rest, '\n', &line))
            if (line.len > 0) buf_printf(out, "  " TEXT_FMT "\n", TEXT_ARG(line));
    }
}

static void put_limits(struct buf *out, const struct field *f)
{
    long long min = (long long)f->min, max = (long long)f->max;
    bool any = min == 0 && max == 0;
    switch (f->type) {
    case FIELD_INT:
        if (!any) buf_printf(out, "  from %lld to %lld\n", min, max);
        break;
    case FIELD_CIDR:
        buf_printf(out, "  an IPv4 block with a mask of %lld to %lld bits\n", min, any ? 32 : max);
        break;
    case FIELD_IP: buf_puts(out, "  an IPv4 address\n"); break;
    case FIELD_PORTS:
        buf_printf(out, "  a port or a range such as 8000/8080, from %lld to 65535\n", min);
        break;
    case FIELD_TEXT_LIST:
    case FIELD_CIDR_LIST:
    case FIELD_REF_LIST:
    case FIELD_INLINE:
        if (!any) buf_printf(out, "  %lld to %lld items\n", min, max);
        break;
    case FIELD_MAP:
        if (max > 0) buf_printf(out, "  at most %lld entries\n", max);
        break;
    default: break;
    }
    if (text_rule_words(f->rule) != NULL) buf_printf(out, "  %s\n", text_rule_words(f->rule));
    if (f->choices != NULL) {
        buf_puts(out, f->type == FIELD_PORTS ? "  or " : "  one of ");
        for (size_t i = 0; f->choices[i] != NULL; i++)
            buf_printf(out, "%s%s", i == 0 ? "" : ", ", f->choices[i]);
        buf_putc(out, '\n');
    }
    if (f->type == FIELD_REF || f->type == FIELD_REF_LIST)
        buf_puts(out, "  a name of this stack, {id: …} or {name: …, tags: {…}}\n");
}

static void put_group(struct buf *out, const struct kind_info *info, const struct field *f)
{
    if (f->one_of == 0) return;
    buf_puts(out, f->one_of_optional ? "  at most one of" : "  exactly one of");
    for (uint8_t i = 0; i < info->n_fields; i++)
        if (info->fields[i].one_of == f->one_of) buf_printf(out, " %s", info->fields[i].name);
    buf_putc(out, '\n');
}

static void explain_field(struct buf *out, enum kind kind, uint8_t field)
{
    static const struct {
        uint32_t flag;
        const char *words;
    } notes[] = {
        {FIELD_REQUIRED, "required"},
        {FIELD_COMPUTED, "set by the cloud; a manifest may not give it"},
        {FIELD_KEY, "part of what identifies the object"},
        {FIELD_IMMUTABLE, "immutable: a change replaces the resource"},
        {FIELD_SET, "the order of its items means nothing"},
        {FIELD_NOT_RETURNED, "the cloud does not tell it: compared with what was applied last"},
        {FIELD_EGRESS, "a change of it changes the address that traffic leaves from"},
        {FIELD_OUTAGE, "a change of it in place interrupts traffic"},
        {FIELD_CREATE_ONLY, "compared only when the manifest sets it"},
        {FIELD_NOCASE, "compared without regard to case"},
    };
    const struct kind_info *info = kind_info(kind);
    const struct field *f = &info->fields[field];
    buf_printf(out, "KIND:        %s\nFIELD:       %s <", info->name, f->name);
    put_type(out, f);
    buf_printf(out, ">\n\nDESCRIPTION:\n  %s\n\nRULES:\n", f->doc);
    put_limits(out, f);
    put_group(out, info, f);
    for (size_t i = 0; i < N_ELEMENTS(notes); i++)
        if (f->flags & notes[i].flag) buf_printf(out, "  %s\n", notes[i].words);
    if (!(f->flags & (FIELD_IMMUTABLE | FIELD_COMPUTED))) buf_puts(out, "  changed in place\n");
    if (f->initial != NULL) buf_printf(out, "  default: %s\n", f->initial[0] == '\0' ? "empty" : f->initial);
}

/* "source" of "source.vSwitch": all fields below it. */
static bool explain_group(struct buf *out, enum kind kind, struct text path)
{
    const struct kind_info *info = kind_info(kind);
    bool found = false;
    for (uint8_t i = 0; i < info->n_fields; i++) {
        const struct field *f = &info->fields[i];
        struct text name = text_of(f->name);
        if (name.len <= path.len || memcmp(name.ptr, path.ptr, path.len) != 0 || name.ptr[path.len] != '.')
            continue;
        if (!found)
            buf_printf(out, "KIND:        %s\nFIELD:       " TEXT_FMT " <mapping>\n\nFIELDS:\n", info->name,
                       TEXT_ARG(path));
        found = true;
        buf_printf(out, "  %s <", f->name);
        put_type(out, f);
        buf_putc(out, '>');
        put_flags(out, info, f);
        buf_printf(out, "\n      %s\n", f->doc);
    }
    return found;
}

static const char *kind_name_at(const void *ctx, size_t i)
{
    (void)ctx;
    return i == N_KINDS ? "Stack" : kind_info((enum kind)i)->name;
}

static const char *field_name_at(const void *ctx, size_t i)
{
    return ((const struct kind_info *)ctx)->fields[i].name;
}

/* 'of': the kind that has no such field; NULL when it is the kind itself that is not known. */
static enum err_code unknown(struct err *err, const char *of, struct text word, const char *nearest)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 256);
    buf_put_escaped(&b, (struct text){word.ptr, MIN_OF(word.len, (size_t)60)});
    const char *space = of == NULL ? "" : " ", *kind = of == NULL ? "" : of;
    const char *what = of == NULL ? "there is no kind" : "has no field";
    if (nearest != NULL)
        return err_set(err, ERR_INPUT, "%s%s%s `%s`, did you mean `%s`?", kind, space, what, buf_str(&b),
                       nearest);
    return err_set(err, ERR_INPUT, "%s%s%s `%s`; `headgate explain%s%s` lists them", kind, space, what,
                   buf_str(&b), space, kind);
}

enum err_code manifest_explain(struct text path, struct buf *out, struct err *err)
{
    struct text head = path;
    if (path.len == 0) {
        explain_kinds(out);
        return buf_ok(out) ? ERR_OK : err_nomem(err);
    }
    (void)text_cut(&path, '.', &head); /* not empty */
    if (path.ptr != NULL && text_starts_with(path, "spec.")) path = (struct text){path.ptr + 5, path.len - 5};
    enum kind kind = kind_of_any_name(head);
    if (text_equal_nocase(head, TEXT("Stack")))
        explain_stack(out);
    else if (kind == KIND_NONE)
        return unknown(err, NULL, head, text_nearest(head, N_KINDS + 1, kind_name_at, NULL));
    else if (path.ptr == NULL)
        explain_kind(out, kind);
    else if (kind_field(kind, path) != FIELD_NO)
        explain_field(out, kind, kind_field(kind, path));
    else if (!explain_group(out, kind, path))
        return unknown(err, kind_info(kind)->name, path,
                       text_nearest(path, kind_info(kind)->n_fields, field_name_at, kind_info(kind)));
    return buf_ok(out) ? ERR_OK : err_nomem(err);
}

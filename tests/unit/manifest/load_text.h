/* load_text.h - manifests in, text out: what the tests of this module share. */
#pragma once

#include "reconciler/base/buf.h"
#include "reconciler/base/limits.h"
#include "reconciler/manifest/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* One load and everything that belongs to it. */
struct loaded {
    struct arena *arena;
    struct diags diags;
    struct desired desired;
    struct err err;
    enum err_code code;
    struct buf text; /* of the last print_…() */
};

static inline void load_sources(struct loaded *t, const struct source *sources, size_t n)
{
    *t = (struct loaded){.arena = arena_new(LIMIT_ARENA_BYTES)};
    assert_non_null(t->arena);
    diags_init(&t->diags, t->arena);
    buf_init(&t->text, 64 * 1024 * 1024);
    struct manifest_input input = {.sources = sources, .n_sources = n};
    t->code = manifest_load(t->arena, &input, &t->diags, &t->desired, &t->err);
}

static inline void load_bytes(struct loaded *t, const char *bytes, size_t n)
{
    struct source source = {"a.yaml", {bytes, n}};
    load_sources(t, &source, 1);
}

static inline void load_text(struct loaded *t, const char *text)
{
    load_bytes(t, text, strlen(text));
}

static inline void loaded_fini(struct loaded *t)
{
    buf_fini(&t->text);
    arena_free(t->arena);
}

static inline const char *print_diags(struct loaded *t)
{
    buf_reset(&t->text);
    diags_render(&t->diags, false, &t->text);
    return buf_str(&t->text);
}

static inline void put_test_value(struct buf *b, enum field_type type, struct value v,
                                  const struct desired *d)
{
    switch (type) {
    case FIELD_INT: buf_printf(b, "%lld", (long long)v.u.num); break;
    case FIELD_BOOL: buf_puts(b, v.u.num ? "true" : "false"); break;
    case FIELD_REF:
        if (v.form == REF_LOCAL) {
            buf_printf(b, "@" TEXT_FMT, TEXT_ARG(d->items[v.u.num].name));
        } else if (v.form == REF_LOOKUP) {
            buf_puts(b, "?(");
            if (v.u.items[0].state) put_test_value(b, FIELD_TEXT, v.u.items[0], d);
            if (v.u.items[1].state) put_test_value(b, FIELD_MAP, v.u.items[1], d);
            buf_puts(b, ")");
        } else {
            buf_printf(b, "#%s", v.u.text);
        }
        break;
    case FIELD_TEXT_LIST:
    case FIELD_CIDR_LIST:
    case FIELD_REF_LIST:
    case FIELD_MAP:
        buf_puts(b, "[");
        for (uint32_t i = 0; i < v.n; i++) {
            if (i > 0) buf_puts(b, " ");
            put_test_value(b, field_item_type(type), v.u.items[i], d);
        }
        buf_puts(b, "]");
        break;
    default: buf_printf(b, "\"" TEXT_FMT "\"", TEXT_ARG(value_as_text(v))); break;
    }
}

static inline void put_test_lifecycle(struct buf *b, const struct resource *r)
{
    static const char *const managements[] = {"", " detect", " observe"};
    static const char *const adopts[] = {
        "", " adopt=never", " adopt=ifTagged", " adopt=ifIdentical", " adopt=force", " adopt="};
    const struct lifecycle *lc = r->lifecycle;
    buf_puts(b, managements[lc->management]);
    buf_puts(b, adopts[lc->adopt]);
    if (lc->adopt == ADOPT_ID) buf_puts(b, lc->adopt_id);
    if (lc->prevent_destroy) buf_puts(b, " preventDestroy");
    if (lc->orphan_on_removal) buf_puts(b, " orphan");
    if (lc->renamed_from != NULL) buf_printf(b, " renamedFrom=%s", lc->renamed_from);
    for (uint8_t i = 0; i < kind_info(r->kind)->n_fields; i++)
        if (lc->ignore_changes & 1ull << i) buf_printf(b, " ignore=%s", kind_info(r->kind)->fields[i].name);
    if (r->external_id != NULL) buf_printf(b, " id=%s", r->external_id);
}

/* One line per resource: the address, its lifecycle, its fields. */
static inline const char *print_resources(struct loaded *t)
{
    buf_reset(&t->text);
    for (uint32_t i = 0; i < t->desired.n; i++) {
        const struct resource *r = &t->desired.items[i];
        const struct kind_info *info = kind_info(r->kind);
        buf_printf(&t->text, "%s/" TEXT_FMT, info->name, TEXT_ARG(r->name));
        put_test_lifecycle(&t->text, r);
        for (uint8_t k = 0; k < info->n_fields; k++) {
            if (r->values[k].state == VALUE_UNSET) continue;
            buf_printf(&t->text, " %s=", info->fields[k].name);
            put_test_value(&t->text, info->fields[k].type, r->values[k], &t->desired);
        }
        buf_puts(&t->text, "\n");
    }
    return buf_str(&t->text);
}

static inline void assert_resources(const char *manifest, const char *expected)
{
    struct loaded t;
    load_text(&t, manifest);
    if (t.code != ERR_OK) print_error("%s", print_diags(&t));
    assert_int_equal(t.code, ERR_OK);
    assert_string_equal(print_resources(&t), expected);
    loaded_fini(&t);
}

/* A manifest that is wrong in one way. */
struct bad {
    const char *manifest;
    const char *place;   /* "line:column" of the diagnostic */
    const char *summary; /* a part of it */
    const char *help;    /* a part of it, or NULL */
};

/* Exactly one error, and it is this one. */
static inline void assert_bad(const struct bad *bad)
{
    struct loaded t;
    char place[32] = "none";
    load_text(&t, bad->manifest);
    const struct diag *d = t.diags.n > 0 ? &t.diags.items[0] : NULL;
    if (d != NULL && d->pos.line > 0)
        (void)snprintf(place, sizeof place, "%u:%u", d->pos.line, d->pos.column);
    bool ok = t.code == ERR_INPUT && t.diags.n_errors == 1 && d != NULL && strcmp(place, bad->place) == 0 &&
              strstr(d->summary, bad->summary) != NULL &&
              (bad->help == NULL || (d->help != NULL && strstr(d->help, bad->help) != NULL)) &&
              (d->pos.line == 0 || d->line != NULL);
    if (!ok)
        print_error("manifest:\n%s\nexpected %s: %s (%s)\ngot code %s:\n%s", bad->manifest, bad->place,
                    bad->summary, bad->help == NULL ? "no help" : bad->help, err_code_name(t.code),
                    print_diags(&t));
    assert_true(ok);
    loaded_fini(&t);
}

static inline void assert_all_bad(const struct bad *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) assert_bad(&rows[i]);
}
#define ASSERT_ALL_BAD(rows) assert_all_bad((rows), N_ELEMENTS(rows))

/* The first lines of a resource; the next line is the first field of its spec. */
#define HEAD(kind, name) "apiVersion: headgate/v1\nkind: " kind "\nmetadata: {name: " name "}\nspec:\n"

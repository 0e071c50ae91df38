/* manifest.c - the whole of the loader: files to desired resources and diagnostics.
 *
 * A position lies in its file, what is shown is text, two loads are equal, and what has been loaded can be
 * written and loaded again. */
#include "reconciler/manifest/manifest.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_FILES = 4, OUTPUT_BYTES = 64 << 20 };

static const char *const file_names[MAX_FILES] = {"a.yaml", "b.yaml", "c.yaml", "d.yaml"};
static const struct param_value variables[] = {
    {"REGION", "cn-shanghai"}, {"EMPTY", ""}, {"ODD", "a: ${b}\n"}};

struct loaded {
    struct arena *arena;
    struct diags diags;
    struct desired desired;
    enum err_code code;
    struct buf shown; /* the diagnostics, for people and machines */
};

static void load(struct loaded *l, const struct source *sources, size_t n)
{
    struct err err = {0};
    l->arena = fuzz_arena();
    diags_init(&l->diags, l->arena);
    struct manifest_input input = {
        .sources = sources, .n_sources = n, .variables = variables, .n_variables = N_ELEMENTS(variables)};
    l->code = manifest_load(l->arena, &input, &l->diags, &l->desired, &err);
    ASSERT(l->code == ERR_OK || l->code == ERR_INPUT);
    ASSERT((l->code == ERR_OK) == (l->diags.n_errors == 0));
    buf_init(&l->shown, OUTPUT_BYTES);
    diags_render(&l->diags, false, &l->shown);
    fuzz_check_text(&l->shown);
}

static void loaded_finip(struct loaded *l)
{
    buf_fini(&l->shown);
    arena_free(l->arena);
}

/* Bytes of a line break, as libyaml counts lines. */
static size_t break_size(const char *p, const char *end)
{
    if (*p == '\r' && p + 1 < end && p[1] == '\n') return 2;
    if (*p == '\r' || *p == '\n') return 1;
    if (end - p > 1 && memcmp(p, "\xc2\x85", 2) == 0) return 2;
    return end - p > 2 && (memcmp(p, "\xe2\x80\xa8", 3) == 0 || memcmp(p, "\xe2\x80\xa9", 3) == 0) ? 3 : 0;
}

/* Whether there is such a place: the end of a line and of the file count. */
static bool has_place(struct text bytes, uint32_t line, uint32_t column)
{
    const char *p = bytes.ptr, *end = p + bytes.len;
    uint32_t at = 1, column_at = 1;
    for (; p < end && at < line; p++) {
        size_t n = break_size(p, end);
        at += n > 0;
        p += n > 0 ? n - 1 : 0;
    }
    for (; p < end && column_at < column && break_size(p, end) == 0; p++)
        column_at += ((unsigned char)p[1 < end - p ? 1 : 0] & 0xc0) != 0x80 || p + 1 == end;
    return at == line && column_at == column;
}

static void check_diags(const struct loaded *l, const struct source *sources, size_t n)
{
    for (size_t i = 0; i < l->diags.n; i++) {
        const struct diag *d = &l->diags.items[i];
        if (d->pos.line == 0) continue;
        size_t s = 0;
        while (s < n && sources[s].file != d->pos.file) s++;
        ASSERT(s < n);
        struct text bytes = sources[s].bytes;
        if (text_starts_with(bytes, "\xef\xbb\xbf")) bytes = (struct text){bytes.ptr + 3, bytes.len - 3};
        ASSERT(has_place(bytes, d->pos.line, d->pos.column));
        ASSERT(d->line != NULL);
    }
    CLEANUP(buf_fini) struct buf json;
    struct err err = {0};
    buf_init(&json, OUTPUT_BYTES);
    ASSERT(diags_render_json(&l->diags, &json, &err) == ERR_OK);
    fuzz_check_json(&json);
}

static void check_desired(const struct desired *d)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const struct resource *r = &d->items[i];
        ASSERT(i == 0 || address_compare(r[-1].kind, r[-1].name, r->kind, r->name) < 0);
        ASSERT(desired_find(d, r->kind, r->name) == i);
        for (uint8_t f = 0; f < kind_info(r->kind)->n_fields; f++)
            fuzz_check_value(kind_info(r->kind)->fields[f].type, r->values[f]);
    }
}

/* All resources as one manifest. False when they cannot be written so: what is only observed may leave fields
 * out, and the names of generated resources have a dot, which no manifest can say. */
static bool write_all(const struct desired *d, struct buf *out)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const struct resource *r = &d->items[i];
        if (r->lifecycle->management == MANAGE_OBSERVE || memchr(r->name.ptr, '.', r->name.len) != NULL)
            return false;
        buf_puts(out, "---\n");
        manifest_write(out, r->kind, r->name, r->values, UINT64_MAX, d);
    }
    ASSERT(buf_ok(out));
    return d->n > 0;
}

static void check_written(const struct loaded *l)
{
    CLEANUP(buf_fini) struct buf text;
    buf_init(&text, OUTPUT_BYTES);
    if (!write_all(&l->desired, &text)) return;
    struct source source = {"written.yaml", buf_text(&text)};
    CLEANUP(loaded_finip) struct loaded again;
    load(&again, &source, 1);
    if (again.code != ERR_OK) fprintf(stderr, "%s\n%s", buf_str(&text), buf_str(&again.shown));
    ASSERT(again.code == ERR_OK);
    ASSERT(again.desired.n == l->desired.n);
    for (uint32_t i = 0; i < l->desired.n; i++) {
        const struct resource *a = &l->desired.items[i], *b = &again.desired.items[i];
        ASSERT(address_compare(a->kind, a->name, b->kind, b->name) == 0);
        for (uint8_t f = 0; f < kind_info(a->kind)->n_fields; f++)
            ASSERT(value_equal(kind_info(a->kind)->fields[f].type, a->values[f], b->values[f]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = fuzz_input(data, size);
    struct source sources[MAX_FILES];
    size_t n = 0;
    while (n < MAX_FILES && fuzz_part(&rest, &sources[n].bytes)) {
        sources[n].file = file_names[n];
        n++;
    }
    CLEANUP(loaded_finip) struct loaded first, second;
    load(&first, sources, n);
    load(&second, sources, n);
    ASSERT(first.code == second.code && text_equal(buf_text(&first.shown), buf_text(&second.shown)));
    check_diags(&first, sources, n);
    if (first.code != ERR_OK) return 0;
    ASSERT(first.desired.n == second.desired.n);
    check_desired(&first.desired);
    check_written(&first);
    return 0;
}

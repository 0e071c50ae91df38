/* render.c - diagnostics as people and machines read them. */
#include "reconciler/base/buf.h"
#include "reconciler/manifest/manifest.h"

#include <jansson.h>
#include <string.h>

static const struct {
    const char *name, *color;
} severities[] = {
    [SEVERITY_ERROR] = {"error", "\x1b[1;31m"},
    [SEVERITY_WARNING] = {"warning", "\x1b[1;33m"},
};

static void put_paint(struct buf *out, bool color, const char *code)
{
    if (color) buf_puts(out, code);
}

/* diag.line is the line, a line end and the caret: both are set in by four blanks. */
static void render_line(const char *line, bool color, struct buf *out)
{
    struct text rest = text_of(line), head;
    bool caret = false;
    while (text_cut(&rest, '\n', &head)) {
        buf_puts(out, "    ");
        if (caret) put_paint(out, color, "\x1b[1;32m");
        buf_put_text(out, head);
        if (caret) put_paint(out, color, "\x1b[0m");
        buf_putc(out, '\n');
        caret = true;
    }
}

static void render_one(const struct diag *d, bool color, struct buf *out)
{
    put_paint(out, color, "\x1b[1m");
    if (d->pos.line > 0) {
        buf_put_escaped(out, text_of(d->pos.file));
        buf_printf(out, ":%u:%u: ", d->pos.line, d->pos.column);
    } else if (d->pos.file != NULL) {
        buf_put_escaped(out, text_of(d->pos.file));
        buf_puts(out, ": ");
    }
    put_paint(out, color, severities[d->severity].color);
    buf_printf(out, "%s: ", severities[d->severity].name);
    put_paint(out, color, "\x1b[0m");
    if (d->address != NULL) {
        buf_put_escaped(out, text_of(d->address));
        buf_puts(out, ": ");
    }
    buf_put_escaped(out, text_of(d->summary));
    buf_putc(out, '\n');
    if (d->line != NULL) render_line(d->line, color, out);
    if (d->help != NULL) {
        buf_puts(out, "    help: ");
        buf_put_escaped(out, text_of(d->help));
        buf_putc(out, '\n');
    }
}

void diags_render(const struct diags *d, bool color, struct buf *out)
{
    for (size_t i = 0; i < d->n; i++) render_one(&d->items[i], color, out);
    size_t all = d->n_errors + d->n_warnings;
    if (all > d->n) buf_printf(out, "… and %zu more\n", all - d->n);
}

/* A JSON string of text that need not be UTF-8 (a file's name). */
static json_t *json_text(const char *s)
{
    if (s == NULL) return json_null();
    if (text_is_utf8(text_of(s), NULL)) return json_string(s);
    struct buf escaped;
    buf_init(&escaped, 64 * 1024);
    buf_put_escaped(&escaped, text_of(s));
    json_t *j = json_string(buf_str(&escaped));
    buf_fini(&escaped);
    return j;
}

static json_t *range_json(const struct diag *d)
{
    if (d->pos.file == NULL && d->pos.line == 0) return json_null();
    struct text line = {NULL, 0}, rest = text_of(d->line);
    (void)text_cut(&rest, '\n', &line); /* without the caret; always there when d->line is */
    return json_pack("{s:o, s:o, s:o}", "filename", json_text(d->pos.file), "start",
                     d->pos.line == 0 ? json_null()
                                      : json_pack("{s:I, s:I}", "line", (json_int_t)d->pos.line, "column",
                                                  (json_int_t)d->pos.column),
                     "snippet", d->line == NULL ? json_null() : json_stringn(line.ptr, line.len));
}

static json_t *diag_json(const struct diag *d)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "severity", severities[d->severity].name, "summary",
                     json_text(d->summary), "detail", json_text(d->help), "address", json_text(d->address),
                     "range", range_json(d));
}

static int dump_to_buf(const char *bytes, size_t n, void *out)
{
    buf_put(out, bytes, n);
    return buf_ok(out) ? 0 : -1;
}

enum err_code diags_render_json(const struct diags *d, struct buf *out, struct err *err)
{
    json_t *list = json_array();
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < d->n; i++) ok = json_array_append_new(list, diag_json(&d->items[i])) == 0;
    json_t *root = json_pack("{s:s, s:b, s:I, s:I, s:o}", "format_version", "1.0", "valid", d->n_errors == 0,
                             "error_count", (json_int_t)d->n_errors, "warning_count",
                             (json_int_t)d->n_warnings, "diagnostics", list);
    ok = ok && root != NULL && json_dump_callback(root, dump_to_buf, out, JSON_INDENT(2)) == 0;
    json_decref(root);
    if (!ok) return err_nomem(err);
    buf_putc(out, '\n');
    return buf_ok(out) ? ERR_OK : err_nomem(err);
}

/* source_line.c - finds source lines by number and cuts them to what fits on a screen. */
#include "reconciler/manifest/source_line.h"

#include "reconciler/base/buf.h"

#include <string.h>

enum { WINDOW_CHARS = 100, WINDOW_BEFORE = 60 };

struct text source_without_bom(struct text bytes)
{
    if (!text_starts_with(bytes, "\xef\xbb\xbf")) return bytes;
    return (struct text){bytes.ptr + 3, bytes.len - 3};
}

/* Bytes of the line break at an offset, 0 when there is none. Source: YAML 1.1, 4.2 (libyaml counts so). */
static size_t break_at(struct text t, size_t at)
{
    const unsigned char *p = (const unsigned char *)t.ptr + at;
    size_t left = t.len - at;
    if (p[0] == '\n') return 1;
    if (p[0] == '\r') return left > 1 && p[1] == '\n' ? 2 : 1;
    if (p[0] == 0xc2 && left > 1 && p[1] == 0x85) return 2;
    if (p[0] == 0xe2 && left > 2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)) return 3;
    return 0;
}

bool source_begins_line(struct text bytes, size_t offset)
{
    static const char *const breaks[] = {"\n", "\r", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
    if (offset == 0) return true;
    struct text before = {bytes.ptr, offset};
    for (size_t i = 0; i < N_ELEMENTS(breaks); i++)
        if (text_ends_with(before, breaks[i])) return true;
    return false;
}

static bool starts_char(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* A walk through the characters of a source: places are asked for in rising order, so that all of them
 * together cost one walk, also where the whole source is one line. */
struct walk {
    struct text bytes;
    size_t begin;          /* of 'line' */
    size_t at;             /* the character at 'column' of it */
    uint32_t line, column; /* start at 1 */
};

static struct walk walk_from_start(struct text bytes)
{
    return (struct walk){.bytes = bytes, .line = 1, .column = 1};
}

/* False when there is no such line: then it stays in the last one. */
static bool walk_to_line(struct walk *w, uint32_t line)
{
    for (size_t at = w->begin; w->line < line && at < w->bytes.len;) {
        size_t n = break_at(w->bytes, at);
        at += n == 0 ? 1 : n;
        if (n == 0) continue;
        *w = (struct walk){.bytes = w->bytes, .begin = at, .at = at, .line = w->line + 1, .column = 1};
    }
    return w->line == line;
}

static bool at_line_end(const struct walk *w)
{
    return w->at == w->bytes.len || break_at(w->bytes, w->at) > 0;
}

/* Stays at the end of the line when there is no such column. */
static void walk_to_column(struct walk *w, uint32_t column)
{
    for (; w->column < column && !at_line_end(w); w->column++)
        for (w->at++; !at_line_end(w) && !starts_char(w->bytes.ptr[w->at]);) w->at++;
}

struct mark source_mark(struct text bytes, size_t offset)
{
    struct mark mark = {1, 1};
    size_t begin = 0;
    for (size_t at = 0; at < offset;) {
        size_t n = break_at(bytes, at);
        at += n == 0 ? 1 : n;
        if (n > 0) {
            mark.line++;
            begin = at;
        }
    }
    for (size_t i = begin; i < offset; i++) mark.column += starts_char(bytes.ptr[i]);
    return mark;
}

char source_char(struct text bytes, struct mark mark)
{
    struct walk w = walk_from_start(bytes);
    if (!walk_to_line(&w, mark.line)) return '\0';
    walk_to_column(&w, mark.column);
    return at_line_end(&w) ? '\0' : bytes.ptr[w.at];
}

static uint32_t code_point(const char *p, size_t n)
{
    unsigned char c = (unsigned char)p[0];
    uint32_t v = n == 1 ? c : n == 2 ? c & 0x1fu : n == 3 ? c & 0x0fu : c & 0x07u;
    for (size_t i = 1; i < n; i++) v = v << 6 | ((unsigned char)p[i] & 0x3fu);
    return v;
}

/* Characters that take two cells of a terminal. Source: Unicode, EastAsianWidth.txt, the large blocks */
static bool is_wide(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
        {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
    };
    for (size_t i = 0; i < N_ELEMENTS(ranges); i++)
        if (c >= ranges[i][0] && c <= ranges[i][1]) return true;
    return false;
}

/* Appends one character as shown on a terminal; returns how many cells it takes. */
static size_t put_char(struct buf *out, struct text c)
{
    if (text_is(c, "\t")) {
        buf_putc(out, ' ');
        return 1;
    }
    size_t before = out->len;
    buf_put_escaped(out, c);
    bool kept = out->len - before == c.len && text_is_utf8(c, NULL);
    if (!kept) return out->len - before;
    return is_wide(code_point(c.ptr, c.len)) ? 2 : 1;
}

/* The part of a line that is shown. */
struct window {
    struct text text;
    bool cut_before, cut_behind;
};

/* Some characters before the place and as many behind as fit; a line that fits is shown as a whole. */
static struct window window_around(const struct walk *w)
{
    size_t begin = w->at;
    for (size_t n = 0; begin > w->begin && n < WINDOW_BEFORE;) n += starts_char(w->bytes.ptr[--begin]);
    struct walk end = {.bytes = w->bytes, .begin = begin, .at = begin, .line = 1, .column = 1};
    walk_to_column(&end, WINDOW_CHARS + 1);
    if (at_line_end(&end) && end.at - w->begin <= WINDOW_CHARS) begin = w->begin;
    return (struct window){.text = {w->bytes.ptr + begin, end.at - begin},
                           .cut_before = begin > w->begin,
                           .cut_behind = !at_line_end(&end)};
}

/* "the line, cut", a line end, and a caret below the place. */
static void put_window(struct buf *out, const struct walk *w)
{
    struct window window = window_around(w);
    struct text t = window.text;
    size_t cells = 0, caret = w->at - (size_t)(t.ptr - w->bytes.ptr), caret_cells = SIZE_MAX;
    if (window.cut_before) {
        buf_puts(out, "…");
        cells = 1;
    }
    for (size_t i = 0, next; i < t.len; i = next) {
        for (next = i + 1; next < t.len && !starts_char(t.ptr[next]);) next++;
        if (i == caret) caret_cells = cells;
        cells += put_char(out, (struct text){t.ptr + i, next - i});
    }
    if (caret_cells == SIZE_MAX) caret_cells = cells;
    if (window.cut_behind) buf_puts(out, "…");
    buf_putc(out, '\n');
    buf_fill(out, ' ', caret_cells);
    buf_putc(out, '^');
}

static const struct source *find_source(const struct source *sources, size_t n, const char *file)
{
    for (size_t i = 0; file != NULL && i < n; i++)
        if (sources[i].file == file || strcmp(sources[i].file, file) == 0) return &sources[i];
    return NULL;
}

/* libyaml ends the last line also where the file does not: what is missing there is shown at the end. */
static void go_to(struct walk *w, struct src_pos *pos)
{
    walk_to_column(w, walk_to_line(w, pos->line) ? pos->column : UINT32_MAX);
    pos->line = w->line;
    pos->column = w->column;
}

void source_lines_attach(struct diags *d, const struct source *sources, size_t n_sources)
{
    const struct source *source = NULL;
    struct walk w = {.line = 1};
    CLEANUP(buf_fini) struct buf line;
    buf_init(&line, 16 * 1024);
    for (size_t i = 0; i < d->n; i++) {
        struct diag *item = &d->items[i];
        if (item->pos.line == 0 || item->line != NULL) continue;
        const struct source *of = find_source(sources, n_sources, item->pos.file);
        if (of == NULL) continue;
        bool ahead = item->pos.line > w.line || (item->pos.line == w.line && item->pos.column >= w.column);
        if (of != source || !ahead) w = walk_from_start(source_without_bom(of->bytes));
        source = of;
        go_to(&w, &item->pos);
        buf_reset(&line);
        put_window(&line, &w);
        if (buf_ok(&line)) item->line = arena_copy(d->arena, line.ptr, line.len);
    }
}

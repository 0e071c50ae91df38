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

static bool starts_char(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* A walk through the lines of a source; lines are asked for in rising order. */
struct walk {
    struct text bytes;
    size_t at;     /* beginning of 'line' */
    uint32_t line; /* starts at 1 */
};

static bool walk_to(struct walk *w, uint32_t line)
{
    while (w->line < line && w->at < w->bytes.len) {
        size_t n = break_at(w->bytes, w->at);
        w->at += n == 0 ? 1 : n;
        if (n > 0) w->line++;
    }
    return w->line == line;
}

static struct text line_at(const struct walk *w)
{
    size_t end = w->at;
    while (end < w->bytes.len && break_at(w->bytes, end) == 0) end++;
    return (struct text){w->bytes.ptr + w->at, end - w->at};
}

/* The offset of the n-th character, counted from 0. */
static size_t offset_of_char(struct text t, size_t n)
{
    size_t i = 0;
    while (i < t.len) {
        if (starts_char(t.ptr[i]) && n-- == 0) break;
        i++;
    }
    return i;
}

struct mark source_mark(struct text bytes, size_t offset)
{
    struct walk w = {.bytes = bytes, .line = 1};
    struct mark mark = {1, 1};
    size_t begin = 0;
    while (w.at < offset) {
        size_t n = break_at(bytes, w.at);
        w.at += n == 0 ? 1 : n;
        if (n > 0) {
            mark.line++;
            begin = w.at;
        }
    }
    for (size_t i = begin; i < offset; i++) mark.column += starts_char(bytes.ptr[i]);
    return mark;
}

char source_char(struct text bytes, struct mark mark)
{
    struct walk w = {.bytes = bytes, .line = 1};
    if (!walk_to(&w, mark.line)) return '\0';
    struct text line = line_at(&w);
    size_t at = offset_of_char(line, mark.column - 1);
    return at < line.len ? line.ptr[at] : '\0';
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

/* "the line, cut", a line end, and a caret below the column. */
static void put_window(struct buf *out, struct text line, uint32_t column)
{
    size_t caret = column == 0 ? 0 : column - 1;
    size_t first = caret > WINDOW_BEFORE ? caret - WINDOW_BEFORE : 0;
    size_t begin = offset_of_char(line, first);
    if (begin >= line.len) begin = 0, first = 0;
    struct text rest = {line.ptr + begin, line.len - begin};
    if (offset_of_char(rest, WINDOW_CHARS) >= rest.len && line.len <= WINDOW_CHARS) {
        first = 0; /* it fits as a whole */
        rest = line;
    }
    size_t cells = 0, caret_cells = SIZE_MAX, end = offset_of_char(rest, WINDOW_CHARS);
    if (first > 0) {
        buf_puts(out, "…");
        cells = 1;
    }
    size_t n = first;
    for (size_t i = 0, next; i < end; i = next, n++) {
        for (next = i + 1; next < end && !starts_char(rest.ptr[next]);) next++;
        if (n == caret) caret_cells = cells;
        cells += put_char(out, (struct text){rest.ptr + i, next - i});
    }
    if (caret_cells == SIZE_MAX) caret_cells = cells;
    if (end < rest.len) buf_puts(out, "…");
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
        if (of != source || item->pos.line < w.line) {
            source = of;
            w = (struct walk){.bytes = source_without_bom(of->bytes), .line = 1};
        }
        if (!walk_to(&w, item->pos.line)) continue;
        buf_reset(&line);
        put_window(&line, line_at(&w), item->pos.column);
        if (buf_ok(&line)) item->line = arena_copy(d->arena, line.ptr, line.len);
    }
}

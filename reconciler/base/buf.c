/* buf.c - growing text. */
#include "reconciler/base/buf.h"

#include <stdarg.h>
#include <string.h>

void buf_init(struct buf *b, size_t limit)
{
    *b = (struct buf){.limit = limit};
}

void buf_fini(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->ptr != NULL) b->ptr[0] = '\0';
}

bool buf_ok(const struct buf *b)
{
    return !b->failed;
}

struct text buf_text(const struct buf *b)
{
    return (struct text){b->ptr == NULL ? "" : b->ptr, b->len};
}

const char *buf_str(const struct buf *b)
{
    return b->ptr == NULL ? "" : b->ptr;
}

/* Room for n more bytes and a NUL. */
static bool reserve(struct buf *b, size_t n)
{
    if (b->failed) return false;
    if (n > b->limit - MIN_OF(b->len, b->limit)) {
        b->failed = true;
        return false;
    }
    size_t needed = b->len + n + 1;
    if (needed <= b->capacity) return true;
    size_t capacity = MAX_OF(b->capacity * 2, MAX_OF(needed, (size_t)128));
    char *p = realloc(b->ptr, capacity);
    if (p == NULL) {
        b->failed = true;
        return false;
    }
    b->ptr = p;
    b->capacity = capacity;
    return true;
}

void buf_put(struct buf *b, const void *bytes, size_t n)
{
    if (!reserve(b, n)) return;
    if (n > 0) memcpy(b->ptr + b->len, bytes, n);
    b->len += n;
    b->ptr[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
    buf_put(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_put_text(struct buf *b, struct text t)
{
    buf_put(b, t.ptr, t.len);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0 || !reserve(b, (size_t)n)) {
        b->failed = true;
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, args); /* measured above */
    va_end(args);
    b->len += (size_t)n;
}

void buf_put_escaped(struct buf *b, struct text t)
{
    size_t i = 0;
    while (i < t.len) {
        unsigned char c = (unsigned char)t.ptr[i];
        if (c >= 0x20 && c < 0x7f) {
            buf_putc(b, (char)c);
            i++;
            continue;
        }
        size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;
        bool c1_control = c == 0xc2 && i + 1 < t.len && (unsigned char)t.ptr[i + 1] < 0xa0;
        if (n > 1 && i + n <= t.len && !c1_control && text_is_utf8((struct text){t.ptr + i, n}, NULL)) {
            buf_put(b, t.ptr + i, n);
            i += n;
        } else {
            buf_printf(b, "\\x%02x", c);
            i++;
        }
    }
}

void buf_fill(struct buf *b, char c, size_t n)
{
    for (size_t i = 0; i < n; i++) buf_putc(b, c);
}

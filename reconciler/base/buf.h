/* buf.h - text that grows, up to a limit given at init.
 *
 * A buf remembers that it failed (limit or memory): appending to a failed buf does nothing, so a caller may
 * append many times and check once, with buf_ok(). */
#pragma once

#include "reconciler/base/macros.h"
#include "reconciler/base/text.h"

#include <stdbool.h>

struct buf {
    char *ptr; /* NUL-terminated once something was appended, else NULL */
    size_t len, capacity, limit;
    bool failed;
};

void buf_init(struct buf *b, size_t limit);
void buf_fini(struct buf *b);  /* for CLEANUP() too */
void buf_reset(struct buf *b); /* empties it, keeps the memory */
bool buf_ok(const struct buf *b);
struct text buf_text(const struct buf *b);
/* The contents as a C string, "" when empty. */
const char *buf_str(const struct buf *b);

void buf_put(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_put_text(struct buf *b, struct text t);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Text from outside, safe on a terminal: control characters and bytes that are not UTF-8 become \xNN. */
void buf_put_escaped(struct buf *b, struct text t);
/* n times the character c. */
void buf_fill(struct buf *b, char c, size_t n);

/* text.h - borrowed slices of text, and the only functions that turn text into numbers.
 *
 * Text from outside may hold NUL and need not be UTF-8 until text_is_utf8() said so. */
#pragma once

#include "reconciler/base/macros.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct text {
    const char *ptr; /* not necessarily NUL-terminated */
    size_t len;      /* bytes */
};

#define TEXT(literal) ((struct text){"" literal, sizeof(literal) - 1})
#define TEXT_FMT      "%.*s"
#define TEXT_ARG(t)   (int)(t).len, (t).ptr

/* These three are here, not in text.c, since the compiler is to see through them: they are asked more often
 * than anything else. */

/* A slice of a C string; an empty slice for NULL. */
static inline struct text text_of(const char *s)
{
    return (struct text){s == NULL ? "" : s, s == NULL ? 0 : strlen(s)};
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool text_is(struct text a, const char *s)
{
    return text_equal(a, text_of(s));
}

/* Bytewise order, shorter first where one is the other's beginning: <0, 0, >0. */
int text_compare(struct text a, struct text b);
bool text_starts_with(struct text t, const char *prefix);
bool text_ends_with(struct text t, const char *suffix);
/* ASCII only. */
bool text_equal_nocase(struct text a, struct text b);
/* Without blanks, tabs and line ends at both ends. */
struct text text_trim(struct text t);
/* Cuts *rest at the first 'separator'; the part before it goes to *head. False when *rest was empty and
 * nothing is left (the last part, also when empty after a separator, is returned with *rest.ptr = NULL). */
bool text_cut(struct text *rest, char separator, struct text *head);

/* Decimal digits only, nothing else, at most 'max'. *out changes on success only. */
MUST_CHECK bool text_to_u64(struct text t, uint64_t max, uint64_t *out);
/* The same with an optional '-', within [min, max]. */
MUST_CHECK bool text_to_i64(struct text t, int64_t min, int64_t max, int64_t *out);

/* Durations as people write them: "90s", "5m", "2h", "1d", "250ms", in milliseconds; no bare numbers. */
MUST_CHECK bool text_to_duration_ms(struct text t, int64_t *out);

/* Well-formed UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF). When not, *bad_at is the
 * offset of the first byte that is wrong; it may be NULL. */
bool text_is_utf8(struct text t, size_t *bad_at);
/* The number of code points of well-formed UTF-8. */
size_t text_n_chars(struct text t);

/* How many single-character edits lead from a to b, ignoring ASCII case; SIZE_MAX when longer than 64 bytes.
 */
size_t text_distance(struct text a, struct text b);
/* The best of 'n' names for a mistyped 'word': small distance for its length. NULL when none is near.
 * name(ctx, i) gives the i-th name. */
const char *text_nearest(struct text word, size_t n, const char *(*name)(const void *ctx, size_t i),
                         const void *ctx);

/* A stable 64-bit hash (FNV-1a), for tables of bounded size; not for hostile unbounded keys. */
uint64_t text_hash(struct text t);
/* Mixes a text into a hash, eight bytes at a time: faster, for tables in memory only, since other machines
 * get other values. 'h' is any number, or the hash so far. */
uint64_t text_mix(uint64_t h, struct text t);
uint64_t hash_mix(uint64_t h, uint64_t word);

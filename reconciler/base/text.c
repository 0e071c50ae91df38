/* text.c - slices, numbers, UTF-8, nearest names. */
#include "reconciler/base/text.h"

#include <string.h>

int text_compare(struct text a, struct text b)
{
    size_t n = MIN_OF(a.len, b.len);
    int order = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);
    if (order != 0) return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool text_starts_with(struct text t, const char *prefix)
{
    size_t n = strlen(prefix);
    return t.len >= n && memcmp(t.ptr, prefix, n) == 0;
}

bool text_ends_with(struct text t, const char *suffix)
{
    size_t n = strlen(suffix);
    return t.len >= n && memcmp(t.ptr + t.len - n, suffix, n) == 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool text_equal_nocase(struct text a, struct text b)
{
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i])) return false;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct text text_trim(struct text t)
{
    while (t.len > 0 && is_blank(t.ptr[0])) t.ptr++, t.len--;
    while (t.len > 0 && is_blank(t.ptr[t.len - 1])) t.len--;
    return t;
}

bool text_cut(struct text *rest, char separator, struct text *head)
{
    if (rest->ptr == NULL) return false;
    const char *at = rest->len == 0 ? NULL : memchr(rest->ptr, separator, rest->len);
    if (at == NULL) {
        *head = *rest;
        *rest = (struct text){NULL, 0};
        return true;
    }
    *head = (struct text){rest->ptr, (size_t)(at - rest->ptr)};
    *rest = (struct text){at + 1, rest->len - head->len - 1};
    return true;
}

bool text_to_u64(struct text t, uint64_t max, uint64_t *out)
{
    if (t.len == 0 || t.len > 20) return false;
    uint64_t v = 0;
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i] < '0' || t.ptr[i] > '9') return false;
        if (__builtin_mul_overflow(v, (uint64_t)10, &v)) return false;
        if (__builtin_add_overflow(v, (uint64_t)(t.ptr[i] - '0'), &v)) return false;
    }
    if (v > max) return false;
    *out = v;
    return true;
}

bool text_to_i64(struct text t, int64_t min, int64_t max, int64_t *out)
{
    bool negative = t.len > 0 && t.ptr[0] == '-';
    if (negative) t.ptr++, t.len--;
    uint64_t v;
    if (!text_to_u64(t, (uint64_t)INT64_MAX + (negative ? 1 : 0), &v)) return false;
    int64_t s = negative ? (int64_t)(0 - v) : (int64_t)v;
    if (s < min || s > max) return false;
    *out = s;
    return true;
}

bool text_to_duration_ms(struct text t, int64_t *out)
{
    static const struct {
        const char *suffix;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    for (size_t i = 0; i < N_ELEMENTS(units); i++) {
        if (!text_ends_with(t, units[i].suffix)) continue;
        struct text digits = {t.ptr, t.len - strlen(units[i].suffix)};
        uint64_t n;
        if (!text_to_u64(digits, (uint64_t)(INT64_MAX / units[i].ms), &n)) continue;
        *out = (int64_t)n * units[i].ms;
        return true;
    }
    return false;
}

bool text_is_utf8(struct text t, size_t *bad_at)
{
    size_t i = 0;
    while (i < t.len) {
        unsigned char c = (unsigned char)t.ptr[i];
        size_t n = c < 0x80                ? 1
                   : c >= 0xc2 && c < 0xe0 ? 2
                   : c >= 0xe0 && c < 0xf0 ? 3
                   : c >= 0xf0 && c < 0xf5 ? 4
                                           : 0;
        bool ok = n > 0 && i + n <= t.len;
        for (size_t k = 1; ok && k < n; k++) ok = ((unsigned char)t.ptr[i + k] & 0xc0) == 0x80;
        if (ok && n >= 3) {
            unsigned char d = (unsigned char)t.ptr[i + 1];
            ok = !(c == 0xe0 && d < 0xa0) && !(c == 0xed && d > 0x9f) && !(c == 0xf0 && d < 0x90) &&
                 !(c == 0xf4 && d > 0x8f);
        }
        if (!ok) {
            if (bad_at != NULL) *bad_at = i;
            return false;
        }
        i += n;
    }
    return true;
}

size_t text_n_chars(struct text t)
{
    size_t n = 0;
    for (size_t i = 0; i < t.len; i++) n += ((unsigned char)t.ptr[i] & 0xc0) != 0x80;
    return n;
}

size_t text_distance(struct text a, struct text b)
{
    enum { MAX = 64 };
    if (a.len > MAX || b.len > MAX) return SIZE_MAX;
    size_t row[MAX + 1];
    for (size_t j = 0; j <= b.len; j++) row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t cost = diagonal + (lower(a.ptr[i - 1]) != lower(b.ptr[j - 1]));
            diagonal = row[j];
            row[j] = MIN_OF(MIN_OF(row[j], row[j - 1]) + 1, cost);
        }
    }
    return row[b.len];
}

const char *text_nearest(struct text word, size_t n, const char *(*name)(const void *ctx, size_t i),
                         const void *ctx)
{
    const char *best = NULL;
    size_t best_distance = MAX_OF(word.len, 3) / 3 + 1;
    for (size_t i = 0; i < n; i++) {
        const char *candidate = name(ctx, i);
        if (candidate == NULL) continue;
        size_t d = text_distance(word, text_of(candidate));
        if (d < best_distance) {
            best = candidate;
            best_distance = d;
        }
    }
    return best;
}

uint64_t hash_mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

uint64_t text_mix(uint64_t h, struct text t)
{
    uint64_t word;
    size_t i = 0;
    for (; i + sizeof word <= t.len; i += sizeof word) {
        memcpy(&word, t.ptr + i, sizeof word);
        h = hash_mix(h, word);
    }
    word = 0;
    if (i < t.len) memcpy(&word, t.ptr + i, t.len - i);
    return hash_mix(h, word ^ (uint64_t)t.len << 56);
}

uint64_t text_hash(struct text t)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < t.len; i++) h = (h ^ (unsigned char)t.ptr[i]) * 0x100000001b3u;
    return h;
}

/* sign.c - canonical forms, and HMACs over them. */
#include "providers/alicloud/sign.h"

#include <stdlib.h>
#include <string.h>

static bool stays(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

void sign_encode(struct buf *out, struct text t)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0, plain = 0; i <= t.len; i++) {
        if (i < t.len && stays((unsigned char)t.ptr[i])) continue;
        if (i > plain) buf_put(out, t.ptr + plain, i - plain);
        plain = i + 1;
        if (i == t.len) break;
        unsigned char c = (unsigned char)t.ptr[i];
        buf_putc(out, '%');
        buf_putc(out, digits[c >> 4]);
        buf_putc(out, digits[c & 15]);
    }
}

static int compare_pairs(const void *a, const void *b)
{
    const struct sign_pair *x = a, *y = b;
    int order = text_compare(x->name, y->name);
    return order != 0 ? order : text_compare(x->value, y->value);
}

static void sort_pairs(struct sign_pair *pairs, size_t n)
{
    if (n > 1) qsort(pairs, n, sizeof *pairs, compare_pairs);
}

void sign_query(struct buf *out, struct sign_pair *pairs, size_t n)
{
    sort_pairs(pairs, n);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) buf_putc(out, '&');
        sign_encode(out, pairs[i].name);
        buf_putc(out, '=');
        sign_encode(out, pairs[i].value);
    }
}

/* ---- V1 ---- */

void sign_v1_string(struct buf *out, const char *method, struct text canonical_query)
{
    buf_puts(out, method);
    buf_puts(out, "&%2F&");
    sign_encode(out, canonical_query);
}

bool sign_v1(struct text string_to_sign, struct text secret, char out[SIGN_V1_SIZE])
{
    CLEANUP(buf_fini) struct buf key;
    buf_init(&key, secret.len + 1);
    buf_put_text(&key, secret);
    buf_putc(&key, '&');
    bool ok = buf_ok(&key) && hmac_sha1_base64(buf_text(&key), string_to_sign, out);
    if (key.ptr != NULL) explicit_bzero(key.ptr, key.len);
    return ok;
}

/* ---- V3 ---- */

static void put_request(struct buf *out, const struct sign_v3 *r, struct text signed_headers)
{
    buf_printf(out, "%s\n%s\n", r->method, r->path);
    buf_put_text(out, r->query);
    buf_putc(out, '\n');
    for (size_t i = 0; i < r->n_headers; i++) {
        buf_put_text(out, r->headers[i].name);
        buf_putc(out, ':');
        buf_put_text(out, text_trim(r->headers[i].value));
        buf_putc(out, '\n');
    }
    buf_putc(out, '\n');
    buf_put_text(out, signed_headers);
    buf_putc(out, '\n');
    buf_puts(out, r->body_sha256);
}

bool sign_v3_string(struct buf *out, struct buf *signed_headers, const struct sign_v3 *r)
{
    char hash[DIGEST_HEX_SIZE];
    CLEANUP(buf_fini) struct buf request;
    buf_init(&request, out->limit);
    sort_pairs(r->headers, r->n_headers);
    for (size_t i = 0; i < r->n_headers; i++) {
        if (i > 0) buf_putc(signed_headers, ';');
        buf_put_text(signed_headers, r->headers[i].name);
    }
    put_request(&request, r, buf_text(signed_headers));
    struct digest d;
    digest_init(&d);
    digest_put(&d, request.ptr, request.len);
    bool ok = digest_hex(&d, hash) && buf_ok(&request) && buf_ok(signed_headers);
    if (ok) buf_printf(out, SIGN_V3_ALGORITHM "\n%s", hash);
    return ok && buf_ok(out);
}

bool sign_v3(struct text string_to_sign, struct text secret, char out[SIGN_V3_SIZE])
{
    return hmac_sha256_hex(secret, string_to_sign, out);
}

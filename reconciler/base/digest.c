/* digest.c - SHA-256 by OpenSSL. */
#include "reconciler/base/digest.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

void digest_init(struct digest *d)
{
    d->ctx = EVP_MD_CTX_new();
    d->failed = d->ctx == NULL || EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1;
}

void digest_put(struct digest *d, const void *bytes, size_t n)
{
    if (!d->failed && n > 0) d->failed = EVP_DigestUpdate(d->ctx, bytes, n) != 1;
}

void digest_put_text(struct digest *d, struct text t)
{
    digest_put(d, t.ptr, t.len);
    digest_put(d, "", 1);
}

static void put_hex(const unsigned char *bytes, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
}

bool digest_hex(struct digest *d, char out[DIGEST_HEX_SIZE])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    bool ok = !d->failed && EVP_DigestFinal_ex(d->ctx, bytes, &size) == 1 && size == 32;
    EVP_MD_CTX_free(d->ctx);
    d->ctx = NULL;
    d->failed = true;
    if (!ok) return false;
    put_hex(bytes, size, out);
    return true;
}

/* The bytes of an HMAC; 0: the library failed. */
static unsigned hmac(const EVP_MD *md, struct text key, struct text data, unsigned char out[EVP_MAX_MD_SIZE])
{
    unsigned size = 0;
    if (key.len > INT_MAX) return 0;
    const unsigned char *done =
        HMAC(md, key.len == 0 ? "" : key.ptr, (int)key.len,
             (const unsigned char *)(data.len == 0 ? "" : data.ptr), data.len, out, &size);
    return done == NULL ? 0 : size;
}

bool hmac_sha256_hex(struct text key, struct text data, char out[DIGEST_HEX_SIZE])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = hmac(EVP_sha256(), key, data, bytes);
    if (size != 32) return false;
    put_hex(bytes, size, out);
    return true;
}

bool hmac_sha1_base64(struct text key, struct text data, char out[HMAC_SHA1_BASE64_SIZE])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = hmac(EVP_sha1(), key, data, bytes);
    return size == 20 && EVP_EncodeBlock((unsigned char *)out, bytes, (int)size) == HMAC_SHA1_BASE64_SIZE - 1;
}

/* digest.c - SHA-256 by OpenSSL. */
#include "reconciler/base/digest.h"

#include <openssl/evp.h>

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

bool digest_hex(struct digest *d, char out[DIGEST_HEX_SIZE])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    bool ok = !d->failed && EVP_DigestFinal_ex(d->ctx, bytes, &size) == 1 && size == 32;
    EVP_MD_CTX_free(d->ctx);
    d->ctx = NULL;
    d->failed = true;
    if (!ok) return false;
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
    return true;
}

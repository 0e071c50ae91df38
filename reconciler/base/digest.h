/* digest.h - SHA-256 by OpenSSL, for tokens, plans and request hashes; HMACs, for signatures.
 *
 * OpenSSL's headers stay in digest.c: their names collide with ours (ERR_STATE). */
#pragma once

#include "reconciler/base/macros.h"
#include "reconciler/base/text.h"

#include <stdbool.h>

enum { DIGEST_HEX_SIZE = 65 }; /* with NUL */

struct digest {
    void *ctx;
    bool failed;
};

void digest_init(struct digest *d);
void digest_put(struct digest *d, const void *bytes, size_t n);
/* The bytes and a NUL, so that fields cannot run together. */
void digest_put_text(struct digest *d, struct text t);
/* Lower-case hex. False when the library failed (out of memory). Ends the digest in any case. */
MUST_CHECK bool digest_hex(struct digest *d, char out[DIGEST_HEX_SIZE]);

enum { HMAC_SHA1_BASE64_SIZE = 29 }; /* with NUL */

/* False when the library failed (out of memory). */
MUST_CHECK bool hmac_sha256_hex(struct text key, struct text data, char out[DIGEST_HEX_SIZE]);
MUST_CHECK bool hmac_sha1_base64(struct text key, struct text data, char out[HMAC_SHA1_BASE64_SIZE]);

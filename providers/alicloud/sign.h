/* sign.h - signatures of requests, as the cloud checks them: RPC signature V1 (HMAC-SHA1) and
 * ACS3-HMAC-SHA256 (V3). Pure: the date and the nonce come in. The client signs with it and the simulated
 * server verifies with it.
 *
 * Source: the vendor's pages on request signatures, with their vectors (api-behaviour 1.4 to 1.8). */
#pragma once

#include "reconciler/base/buf.h"
#include "reconciler/base/digest.h"
#include "reconciler/base/macros.h"
#include "reconciler/base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    SIGN_V1_SIZE = 29,              /* base64 of a SHA-1, with NUL */
    SIGN_V3_SIZE = DIGEST_HEX_SIZE, /* hex of a SHA-256, with NUL */
};

#define SIGN_V3_ALGORITHM "ACS3-HMAC-SHA256"

struct sign_pair {
    struct text name, value;
};

/* Percent-encodes UTF-8 bytes; letters, digits, '-', '_', '.' and '~' stay. */
void sign_encode(struct buf *out, struct text t);
/* The canonical query "name=value&…": sorts the pairs in place (bytewise, by name, then value) and encodes
 * them. An empty value gives "name=". The same text serves as query string and as form body. */
void sign_query(struct buf *out, struct sign_pair *pairs, size_t n);

/* V1: what is signed of a request with all its parameters (query and form body, 'Signature' left out). */
void sign_v1_string(struct buf *out, const char *method, struct text canonical_query);
/* Base64 of the HMAC. The key is the secret and "&", with a session key, too. False: out of memory. */
MUST_CHECK bool sign_v1(struct text string_to_sign, struct text secret, char out[SIGN_V1_SIZE]);

/* V3: a request as far as it is signed. */
struct sign_v3 {
    const char *method;        /* "POST" */
    const char *path;          /* "/" */
    struct text query;         /* canonical, see sign_query(); empty: none */
    struct sign_pair *headers; /* to be signed, names in lower case; sorted in place by sign_v3_string() */
    size_t n_headers;
    const char *body_sha256; /* lower-case hex */
};

/* Writes the string to sign and, for the Authorization header, the names of the signed headers
 * ("host;x-acs-action"). Values of headers are trimmed. False: out of memory. */
MUST_CHECK bool sign_v3_string(struct buf *out, struct buf *signed_headers, const struct sign_v3 *r);
/* Lower-case hex of the HMAC; the key is the bare secret. False: out of memory. */
MUST_CHECK bool sign_v3(struct text string_to_sign, struct text secret, char out[SIGN_V3_SIZE]);

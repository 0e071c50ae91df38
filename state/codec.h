/* codec.h - a record's values as text, and back. Private to state/.
 *
 *   fields  {"cidrBlock":"10.0.0.0/8","bandwidth":5,"internal":true,"eips":["eip-1"],"tags":{"a":"b"}}
 *   given   ["cidrBlock","bandwidth"]
 *
 * JSON, keyed by the fields' names, so that a file survives a kind that gains, loses or reorders fields.
 * Unset fields are left out; null stands for a value that is not known yet; references are cloud ids. It is
 * written in one compact form and read back by a parser of its own, for speed: any JSON with these types is
 * accepted. Bytes that are not UTF-8 pass through unchanged. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/buf.h"
#include "reconciler/base/err.h"
#include "reconciler/model/kind.h"
#include "reconciler/model/value.h"

/* Appends. ERR_INPUT when a reference is not a cloud id: such a value cannot be kept. ERR_NOMEM or ERR_LIMIT
 * are not told: check buf_ok(). */
MUST_CHECK enum err_code codec_put_fields(struct buf *b, const struct kind_info *kind,
                                          const struct value *values, struct err *err);
void codec_put_given(struct buf *b, const struct kind_info *kind, uint64_t set_fields);

/* What the values to be read may share instead of being copied: most are what the manifest still says, and
 * neighbours mostly lie in the same VPC, have the same tags, and are called in the cloud what they are called
 * here. It lives as long as the arena. */
struct codec_like {
    const struct value *wanted; /* of the desired resource of this address; NULL: none */
    const struct value *values; /* of another record of the kind; NULL: none */
    struct text name;           /* the record's own; .ptr NULL: none */
};

/* Reads into kind->n_fields values, which must be zeroed; their text goes to the arena, unless 'like' (may be
 * NULL) has it. Names that the kind does not have are skipped. ERR_STATE for what is not well formed or has
 * another type than the field, ERR_NOMEM. */
MUST_CHECK enum err_code codec_get_fields(struct arena *a, const struct kind_info *kind, struct text json,
                                          const struct codec_like *like, struct value *values,
                                          struct err *err);
MUST_CHECK enum err_code codec_get_given(const struct kind_info *kind, struct text json, uint64_t *set_fields,
                                         struct err *err);

/* request.h - one operation of a cloud, as data: a name and parameters. And what came back.
 *
 * The core treats both as opaque: a provider's pure mapping (cloud.h) builds requests and reads answers. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/text.h"
#include "reconciler/model/kind.h"
#include "reconciler/model/resource.h"

#include <stdbool.h>
#include <stdint.h>

struct param {
    const char *name;  /* flattened: "Tag.1.Key" */
    const char *value; /* never NULL; "" is sent */
};

struct request {
    const char *product;   /* "Vpc", "Ecs" */
    const char *operation; /* "CreateSnatEntry" */
    struct param *params;  /* in order of building; without signature and common parameters, with RegionId */
    uint32_t n_params;
    size_t capacity;
    struct arena *arena;
    bool out_of_memory; /* set by request_add(); checked once, at the end of building */
};

void request_init(struct request *r, struct arena *a, const char *product, const char *operation);
/* The value is copied; NULL adds nothing. */
void request_add(struct request *r, const char *name, const char *value);
void request_add_text(struct request *r, const char *name, struct text value);
void request_addf(struct request *r, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* NULL when it is not there. */
const char *request_get(const struct request *r, const char *name);
/* SHA-256 (hex, 64 + NUL) over operation and parameters sorted by name: what an intent keeps of a request. */
MUST_CHECK enum err_code request_hash(const struct request *r, char out[65], struct err *err);

/* What an answer means, named by the provider, handled by the engine.  Source: api-behaviour 4 */
enum outcome_class {
    OUTCOME_DONE,      /* it took effect */
    OUTCOME_PENDING,   /* accepted; seen in a list when it took effect */
    OUTCOME_THROTTLED, /* not executed; after delay_ms, slower */
    OUTCOME_BUSY,      /* refused: the object or a parent is in transition; wait, then repeat */
    OUTCOME_GONE,      /* what it was about does not exist */
    OUTCOME_EXISTS,    /* something with the same natural key exists: look */
    OUTCOME_UNKNOWN,   /* may have taken effect: look, then repeat with the same token */
    OUTCOME_DENIED,    /* credentials, permissions, balance: needs a person */
    OUTCOME_INVALID,   /* the request is wrong: repeating does not help */
    OUTCOME_QUOTA,     /* a quota is reached */
    OUTCOME_TRANSIENT, /* nothing was done, the service or the way to it failed */
    N_OUTCOMES,
};
const char *outcome_name(enum outcome_class c); /* "throttled" */

struct outcome {
    enum outcome_class class;
    const char *code;       /* the cloud's own code, or "" */
    const char *message;    /* the cloud's own words, or "" */
    const char *request_id; /* or "" */
    bool under_way;   /* BUSY: an earlier request with this token is being worked on, and may take effect */
    int64_t delay_ms; /* THROTTLED: what the cloud asked for; 0: nothing said */
    const char *id;   /* creates: the new object's id, when the answer has it */
    struct object *object; /* creates: what the answer already tells of it (id, tables, address), or NULL */
    const char *const
        *failed_items; /* batches: natural keys of the items that failed, NULL-terminated, or NULL */
};

/* cloud.h - what a provider states about its cloud: pure functions and facts, no I/O.
 *
 * The planner and the engine ask a cloud what to send next, what must not run at once, how long things take
 * and what the cloud does by itself. They never see an operation's name but to show it. */
#pragma once

#include "reconciler/base/err.h"
#include "reconciler/model/request.h"
#include "reconciler/model/resource.h"
#include "reconciler/model/world.h"

struct json_t; /* of jansson */

/* The body of an answer: bytes from the wire, or the document itself where the cloud is simulated in this
 * process and nothing has to be written to be read again. Borrowed. */
struct body {
    struct text text;
    const struct json_t *document; /* NULL: it is to be read from 'text' */
};

enum verb { VERB_CREATE, VERB_UPDATE, VERB_DELETE };
const char *verb_name(enum verb v); /* "create" */

/* What is to be reached for one resource, and what is there now. */
struct goal {
    enum verb verb; /* CREATE and UPDATE lead to 'values'; DELETE to nothing */
    enum kind kind;
    const struct value *values; /* desired, references resolved to REF_ID; NULL for DELETE */
    uint64_t set_fields;        /* which of them the manifest sets */
    uint64_t reset_fields;  /* fields to be put back to the kind's initial value (un-set in the manifest) */
    uint64_t ignore_fields; /* lifecycle.ignoreChanges: sent on create, never compared after */
    const struct value
        *owned_tags; /* the MAP of tags that we set last (others' tags are left alone), or NULL */
    const struct object *observed; /* NULL while nothing is there */
    const struct world *world;     /* for what references lead to: table ids, addresses */
    const char *token;             /* client token of this request; the same for each repetition */
    struct text stack, name;       /* for ownership tags */
    uint32_t incarnation;          /* the same, see TAG_INCARNATION */
    bool disown;  /* UPDATE without values: only our ownership tags are taken away; the thing stays */
    bool protect; /* lifecycle.preventDestroy: set the cloud's own deletion protection where there is one */
    uint64_t unseen_fields; /* set fields that the cloud never answers (FIELD_NOT_RETURNED) and that differ
                               from the record: sent with the next request, then to be cleared */
};

/* A key under which requests go one after another. */
struct serial_key {
    char text[96];      /* "nat/ngw-…" */
    bool until_settled; /* held until the object is ready or gone, not only during the call */
};
enum { MAX_SERIAL_KEYS = 4 };

enum next { NEXT_REQUEST, NEXT_DONE, NEXT_ERROR };

/* What to list. */
struct scope {
    enum kind kind;
    const char *id; /* of the gateway, table or group that the list is about; NULL for lists of the region */
};

/* One page of a list as read from an answer. */
struct page {
    struct object **objects;
    uint32_t n;
    const char *next; /* what to give to the next list_request(); NULL: that was the last page */
    uint64_t total;   /* as the cloud said; 0 when it did not */
};

struct cloud {
    const char *name; /* "alicloud" */

    /* Puts resolved desired values into the form in which the cloud answers them, before they are matched,
     * compared or sent: an SNAT source or DNAT target given as an instance becomes its address. Changes
     * values and *set_fields in place; what depends on something not known yet becomes VALUE_UNKNOWN. */
    enum err_code (*normalise)(const struct cloud *c, enum kind kind, struct value *values,
                               uint64_t *set_fields, const struct world *w, struct arena *arena,
                               struct err *err);
    /* The next request towards the goal: NEXT_DONE when 'observed' already is what is wanted (or gone).
     * Called again after each request took effect, with the object as observed then. The request is built in
     * 'arena'. */
    enum next (*next)(const struct cloud *c, const struct goal *g, struct arena *arena, struct request *out,
                      struct err *err);
    /* Keys of a request that next() built for this goal; returns their number. */
    size_t (*serial_keys)(const struct cloud *c, const struct goal *g, const struct request *r,
                          struct serial_key out[MAX_SERIAL_KEYS]);
    /* How many requests lead to the goal, when none has to be repeated and none is joined by others: for
     * estimates, so that values may be unknown. Needs some memory of the arena. */
    uint32_t (*n_requests)(const struct cloud *c, const struct goal *g, struct arena *arena);
    /* Several goals in one request, where the cloud has such an operation: whether 'b' may join 'a'. NULL:
     * never. */
    bool (*may_batch)(const struct cloud *c, const struct goal *a, const struct goal *b);
    uint32_t (*batch_limit)(const struct cloud *c, const struct goal *g);
    enum next (*next_batch)(const struct cloud *c, const struct goal *const *goals, uint32_t n,
                            struct arena *arena, struct request *out, struct err *err);
    /* Reads the answer to a request of this goal. Never fails: what cannot be read is an outcome, too.
     * 'goal' may be NULL (recovery of an intent). */
    void (*read_outcome)(const struct cloud *c, const struct goal *g, const struct request *r,
                         int http_status, struct body body, struct arena *arena, struct outcome *out);

    /* Whether lists of a kind cover the region (scope.id NULL) or one parent, and then of which kind
     * (KIND_NONE: region). *field is the kind's field that refers to that parent. */
    enum kind (*list_scope_kind)(const struct cloud *c, enum kind kind, uint8_t *field);
    /* The request for a page; 'after' is NULL for the first, else the last page's 'next'. 'ids' limits the
     * list to these objects where the operation can (n_ids 0: all). */
    enum next (*list_request)(const struct cloud *c, const struct scope *s, const char *const *ids,
                              uint32_t n_ids, const char *after, struct arena *arena, struct request *out,
                              struct err *err);
    /* Reads a page. ERR_PROVIDER with the cloud's code when it is an error answer (also in *outcome). One
     * list may yield objects of several kinds: listing EIPs yields EipAssociations, listing vSwitches
     * RouteTableAssociations; an object of 'w' may be yielded again with more of it known. Put the objects of
     * a page into 'w' before the next list_request(). 'w' is what is known so far (may be NULL): some answers
     * name things by address, so EIPs are listed before the entries of gateways, VPCs before route tables
     * and groups before their rules. 'outcome' may be NULL. */
    enum err_code (*read_page)(const struct cloud *c, const struct scope *s, const struct request *r,
                               int http_status, struct body body, const struct world *w, struct arena *arena,
                               struct page *out, struct outcome *outcome, struct err *err);
    /* The kind whose list shows objects of this kind (EipAssociation: Eip). */
    enum kind (*listed_with)(const struct cloud *c, enum kind kind);

    /* Shortest and usual time from accepting to ready (or gone), and the deadline, in ms. Source:
     * api-behaviour 6, 8 */
    void (*durations)(const struct cloud *c, enum kind kind, enum verb verb, int64_t *shortest_ms,
                      int64_t *typical_ms, int64_t *deadline_ms);
    /* The id that an object of a kind without ids of its own gets from its natural key ("eip-1:ngw-1"). NULL
     * for kinds with ids. */
    char *(*natural_id)(const struct cloud *c, enum kind kind, const struct value *values,
                        struct arena *arena);
    /* Whether the cloud may by itself have made an object with this natural key as a side effect of what a
     * plan creates (the first NAT gateway's default route): then it is looked for right before the create. */
    bool (*may_appear)(const struct cloud *c, enum kind kind, const struct value *values,
                       const struct world *w);
    /* Whether this value equals what the cloud answers for it, beyond value_equal (normalisations of this
     * cloud). NULL: no more. */
    bool (*same_value)(const struct cloud *c, enum kind kind, uint8_t field, struct value wanted,
                       struct value seen);

    /* Whether this cloud can change a field of what is there to this value in place, beyond the kind's
     * FIELD_IMMUTABLE: what it cannot is replaced. NULL: always. */
    bool (*may_change)(const struct cloud *c, enum kind kind, uint8_t field, struct value wanted,
                       const struct object *seen);

    const char *region;
    /* How fast this cloud's clock runs against durations(): 1.0 for a real one, less for a simulated one that
     * hurries. */
    double time_scale;
};

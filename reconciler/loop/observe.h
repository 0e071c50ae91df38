/* observe.h - looks at the cloud: all lists that a plan needs, page by page, into a world.
 *
 * Round 0 lists the region, round 1 what lies in the gateways, tables and groups that round 0 found to matter
 * (plan_scopes()). Within a round several lists are read at once; the pages of one list come one after the
 * other, since the cloud throttles deep and parallel paging (Source: Throttling.DeepPageSkip).
 *
 * What is worth repeating (throttled, busy, unreachable) is repeated with growing, jittered delays, each page
 * up to OBSERVE_TRIES times; when the cloud throttles, all lists pause and fewer run at once. A list whose
 * parent has vanished is empty. A list with numbered pages is read from its beginning again when its total
 * shrinks meanwhile, for then an object may have slipped to a page that was read already. Pages that repeat
 * are an error: what is not seen would be created a second time.
 *
 * The contract, as of every asynchronous request of headgate:
 *  1. the caller owns the memory and keeps it until 'done';
 *  2. 'done' runs exactly once, later, on the loop thread: never inside observe_start(), also after
 *     observe_cancel() (ERR_CANCELED) and at shutdown;
 *  3. inside 'done' the caller may free the request or start it again. */
#pragma once

#include "providers/provider.h"
#include "reconciler/base/arena.h"
#include "reconciler/base/err.h"
#include "reconciler/model/cloud.h"
#include "reconciler/model/resource.h"
#include "reconciler/model/world.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum {
    OBSERVE_CONCURRENCY = 8,          /* lists at once, when not given */
    OBSERVE_MAX_CONCURRENCY = 64,     /* more are not started */
    OBSERVE_TRIES = 5,                /* of one page */
    OBSERVE_RELISTS = 3,              /* of one list that shrinks */
    OBSERVE_TIMEOUT_MS = 30 * 1000,   /* of one call, when not given */
    OBSERVE_MAX_DELAY_MS = 60 * 1000, /* a cloud that asks for more is given up */
};

struct observe;
typedef void observe_done_fn(struct observe *o, enum err_code code);
/* What to list in a round: plan_scopes() is one. */
typedef enum err_code observe_scopes_fn(struct arena *arena, int round, bool unmanaged, struct text stack,
                                        const struct desired *desired, const struct records *recorded,
                                        const struct world *observed, const struct cloud *cloud,
                                        struct scope **scopes, size_t *n_scopes, struct err *err);

struct observe {
    /* Set before observe_start(); borrowed until 'done'. Requests live in 'arena', and what the world learns
     * in the world's own; a page is dropped when it was read. */
    struct provider *provider;
    struct arena *arena;
    struct world *world;
    struct text stack;
    const struct desired *desired;
    const struct records *recorded;
    bool unmanaged;            /* everything below our VPCs */
    uint32_t concurrency;      /* 0: OBSERVE_CONCURRENCY */
    int64_t timeout_ms;        /* of one call; 0: OBSERVE_TIMEOUT_MS */
    int64_t backoff_ms;        /* first delay of a repetition, doubled each time; 0: 200 */
    uint64_t seed;             /* of jitter */
    observe_scopes_fn *scopes; /* NULL: plan_scopes() */
    observe_done_fn *done;
    void *ctx; /* the caller's own */
    /* Readable at any time. */
    uint32_t n_calls, n_retries, n_objects;
    int round;
    /* Readable in done(): operation, what it was about, the cloud's code, words and request id. The codes are
     * ERR_DENIED, ERR_BUSY (would perhaps work later), ERR_PROVIDER, ERR_LIMIT, ERR_NOMEM, ERR_CANCELED and
     * those of plan_scopes(). On error the world is incomplete: no plan may be made of it. */
    struct err err;
    /* Private to observe.c. */
    enum observe_state { OBSERVE_IDLE, OBSERVE_RUNNING, OBSERVE_STOPPING, OBSERVE_CLOSING } state;
    enum err_code code;
    uv_timer_t timer;
    struct arena *scratch; /* of the page that is being read */
    struct scope *todo;    /* lists of this round */
    size_t n_todo, next_todo;
    struct list *lists; /* those being read */
    uint32_t n_lists, n_sending, n_allowed, n_smooth;
    uint64_t pause_until_ms, random;
};

void observe_start(struct observe *o);
/* Nothing when it is over already. */
void observe_cancel(struct observe *o);

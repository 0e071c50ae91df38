/* converge.h - the engine: a plan, stepped to completion. No I/O, no clock, no callbacks.
 *
 * In go events, out come effects, to be carried out in this order: persist the writes (durably), then make
 * the calls, then wake me at the given time. While a persist is under way no other effect of the same step
 * starts; other events may go in meanwhile. The same events give the same effects, byte for byte.
 *
 * A step of the plan goes through:
 *   BLOCKED -> WAITING (for a slot, its keys, the rate, a retry's delay) -> [LOOKING] -> INTENT -> CALLING ->
 * SETTLING (polled)
 *     -> back to WAITING for the next request of the same step, or -> DONE | FAILED | SKIPPED */
#pragma once

#include "reconciler/plan/plan.h"

struct converge;

enum converge_event_type {
    EV_START,
    EV_PERSISTED, /* the last persist is durable, or failed with .code: then no call of it may be made */
    EV_CALL_DONE, /* .call, .fate (0 answered, 1 not sent, 2 unknown), .http_status, .body */
    EV_WAKE,
    EV_INTERRUPT, /* first: start nothing new, finish what is in flight; second: stop now */
};

enum call_type { CALL_CHANGE, CALL_LIST };
enum call_fate { CALL_ANSWERED, CALL_NOT_SENT, CALL_UNKNOWN };

/* Something to be sent. Stays valid until its EV_CALL_DONE was stepped. */
struct call {
    uint32_t id; /* given back in EV_CALL_DONE */
    enum call_type type;
    const struct request *request;
    int64_t timeout_ms;
};

struct converge_event {
    enum converge_event_type type;
    int64_t now_ms;      /* monotonic: the only clock the engine knows */
    int64_t now_unix_ms; /* for records and events */
    enum err_code code;  /* EV_PERSISTED */
    uint32_t call;       /* EV_CALL_DONE */
    enum call_fate fate;
    int http_status;
    struct body body;
    int64_t retry_after_ms; /* from a header; 0: none */
    const char *why;        /* when not answered: what the transport said */
};

/* One durable note; the driver turns it into a store write. */
enum note_type { NOTE_INTENT, NOTE_SETTLE, NOTE_RECORD, NOTE_FORGET, NOTE_EVENT };
struct note {
    enum note_type type;
    enum kind kind;
    struct text name;
    /* NOTE_INTENT */
    enum verb verb;
    const char *operation;
    char token[65];
    char request_hash[65];
    uint32_t generation;
    /* NOTE_RECORD */
    const struct record *record;
    /* NOTE_EVENT */
    const char *event; /* "created", "updated", "deleted", "adopted", "forgotten", "failed", … */
    const char *message;
    const char *request_id;
};

/* What people see. In order; belongs to the engine until the next step. */
enum progress_type {
    PROGRESS_STARTED, /* Creating... */
    PROGRESS_WAITING, /* Still creating... (every 10 s, with status) */
    PROGRESS_RETRY,   /* will repeat: throttled, busy, … */
    PROGRESS_DONE,
    PROGRESS_FAILED,
    PROGRESS_SKIPPED,
};
struct progress {
    enum progress_type type;
    uint32_t step;
    int64_t elapsed_ms;
    const char *id;      /* the cloud's id, or "" */
    const char *status;  /* the cloud's last word, or "" */
    const char *code;    /* the cloud's last error code, or "" */
    const char *message; /* FAILED: the cause; SKIPPED: because of what; RETRY: why */
    const char *request_id;
    enum err_code err; /* FAILED: its class */
};

struct converge_effects { /* arrays are valid until the next step */
    const struct note *persist;
    size_t n_persist;
    const struct call
        *calls; /* to be made once 'persist' is durable: given out by the step of EV_PERSISTED */
    size_t n_calls;
    const struct progress *progress;
    size_t n_progress;
    const char *trace;  /* text, one line per move: "[1200] NatGateway/nat1: create -> pending, poll in 800
                           ms\n"; "" */
    int64_t wake_at_ms; /* INT64_MAX: no need */
    bool finished;
};

enum step_state {
    STEP_BLOCKED,
    STEP_WAITING,
    STEP_LOOKING,
    STEP_INTENT,
    STEP_CALLING,
    STEP_SETTLING,
    STEP_DONE,
    STEP_FAILED,
    STEP_SKIPPED
};

struct converge_options {
    struct text state_id; /* part of client tokens */
    uint32_t parallelism; /* requests in flight at once; 0: 10 */
    double rate_per_s;    /* requests a second to begin with; 0: 20 */
    uint64_t seed;        /* of retry jitter */
    /* Generations of addresses that were used before, and of open intents (which are used again), sorted by
     * address. */
    const struct used_generation {
        enum kind kind;
        struct text name;
        uint32_t generation;
        bool open;                /* an intent of it is open: the same request gets the same token again */
        enum verb verb;           /* of the open intent */
        const char *operation;    /* of the open intent */
        const char *request_hash; /* of the open intent; NULL: not known, the operation decides */
    } * generations;
    size_t n_generations;
};

/* A new engine for a plan. The plan, its snapshots and 'world' (which the engine keeps up to date) must
 * outlive it. NULL when out of memory. Memory comes from 'arena'. */
struct converge *converge_new(struct arena *arena, const struct plan *plan, const struct desired *desired,
                              struct world *world, const struct converge_options *options);
void converge_free(struct converge *c);

void converge_step(struct converge *c, const struct converge_event *ev, struct converge_effects *out);

struct converge_summary {
    uint32_t n_added, n_changed, n_destroyed, n_adopted, n_forgotten, n_failed, n_skipped;
    uint32_t n_under_way; /* begun and left so, by a second interrupt or for want of memory */
    uint32_t n_changing_calls, n_list_calls, n_retries;
    bool interrupted, out_of_memory;
    bool unrecorded;     /* some of what was done may not be recorded: the next apply finds it in the cloud */
    enum err_code worst; /* class of the first failure; ERR_CANCELED when interrupted before the end */
};
void converge_summary(const struct converge *c, struct converge_summary *out);
/* For live views. */
enum step_state converge_step_state(const struct converge *c, uint32_t step);
const char *converge_step_status(const struct converge *c,
                                 uint32_t step); /* "" or "Creating" or "throttled" */
int64_t converge_step_started_ms(const struct converge *c, uint32_t step); /* 0: not yet */

/* engine.h - what the parts of the engine share. Private to this folder.
 *
 *   converge.c  events in, effects out; the life of a step
 *   start.c     the next request of a step, its token, its batch
 *   queue.c     what may start now: the heap of ready steps, timers, serial keys, the request rate
 *   poll.c      shared lists that tell when pending things are ready
 *   outcome.c   what an answer does to the steps of its call
 *   notes.c     durable notes, progress and trace */
#pragma once

#include "reconciler/base/buf.h"
#include "reconciler/base/hash.h"
#include "reconciler/converge/converge.h"

enum { NO_STEP = UINT32_MAX };

/* A heap of steps by key, smallest first. */
struct heap_item {
    int64_t key;
    uint32_t step;
};
struct heap {
    struct heap_item *items;
    size_t n, capacity;
};

/* A serialisation key: who holds it, who waits for it. The steps of a batch hold it together. */
struct key {
    char text[96];
    uint32_t group;        /* of the steps that hold it; 0: it is free */
    uint32_t n_holders;    /* of them */
    uint32_t first_parked; /* chained by run.next_parked */
    UT_hash_handle hh;
};

/* One request under way. */
struct flight {
    uint32_t id;
    enum call_type type;
    uint32_t first_step; /* chained by run.next_in_flight; CALL_CHANGE */
    struct poll *poll;   /* CALL_LIST */
    struct request *request;
    struct flight *next; /* of the batch that waits to become durable */
    UT_hash_handle hh;
};

/* A list that is asked again and again while steps wait for what it shows. */
struct poll {
    enum kind kind;       /* of the list */
    const char *scope_id; /* or NULL */
    uint32_t first_step;  /* chained by run.next_polled */
    int64_t next_at_ms;
    int64_t interval_ms;
    bool in_flight;
    int64_t round_at_ms; /* when the first page of this round was asked for */
    const char *after;   /* page to ask for next */
    uint32_t n_pages, n_faults;
    struct object **seen; /* of the round under way */
    size_t n_seen, seen_capacity;
    struct poll *next;
};

enum look_reason { LOOK_NOT, LOOK_FIRST, LOOK_LOST, LOOK_UNKNOWN, LOOK_EXISTS };

/* The life of one step. */
struct run {
    enum step_state state;
    uint32_t n_waiting; /* steps before it that are not finished */
    uint32_t next_parked, next_polled, next_in_flight;
    bool in_ready, in_timer, parked, stop_after; /* stop_after: interrupted, no further request */
    bool batch_refused;                          /* was left over by a batch: goes alone */
    bool looked;                                 /* LOOK_FIRST or LOOK_LOST was done */
    int64_t lost_since_ms;                       /* of LOOK_LOST and LOOK_EXISTS */
    bool resumed;                                /* its request is one of an earlier run, repeated */
    int64_t absent_since_ms; /* since when what was accepted is not in the lists; 0: it is */
    bool blind;              /* no list could be read that would tell whether the last request took effect */
    bool unsure;             /* an earlier attempt of the request may still take effect */
    bool settled_first;      /* was waited for before the first request */
    bool no_room;            /* blocked by a quota, until something of its kind is deleted */
    enum look_reason look;
    struct poll *poll;
    struct value *values; /* resolved for this step; NULL: not yet */
    uint64_t set_fields;
    const struct object *observed;
    const char *id;          /* of the object, once known */
    struct request *request; /* built, not sent yet (or being sent) */
    const char *operation;   /* of the last request that was sent */
    char token[65];
    char request_hash[65], accepted_hash[65];
    uint32_t generation;
    uint32_t n_requests, n_attempts,
        n_same;       /* n_same: times that the same request was accepted without effect */
    bool token_fresh; /* the token of the current logical request is set */
    int64_t started_ms, first_sent_ms, accepted_ms, deadline_ms, told_ms;
    int64_t poll_first_ms; /* when to look first */
    const char *status, *code, *request_id;
    const char *said;            /* the cloud's words, when it said that it exists */
    const struct key *waits_for; /* told in the trace */
    uint32_t group;              /* under which keys are held */
    struct key *held[MAX_SERIAL_KEYS];
    bool held_until_settled[MAX_SERIAL_KEYS];
    uint32_t n_held;
};

struct converge {
    struct arena *arena;
    struct arena *scratch; /* of the page that is being read, of the request without its token */
    const struct plan *plan;
    const struct desired *desired;
    struct world *world;
    const struct cloud *cloud;
    struct converge_options options;
    struct err err;

    struct run *runs;              /* per step */
    uint32_t *users_start, *users; /* CSR: who waits for a step */
    const char **bound;            /* per desired resource: its cloud id now */
    uint32_t *generation_of;       /* per change: last generation used */
    bool *tentative;               /* per change: NAME~new is recorded */
    bool *intent_open;             /* per change */
    struct text *intent_names;     /* per change: under which its intents are kept */

    struct heap ready, timers;
    struct key *keys;
    struct flight *flights;       /* by id */
    struct flight *durable_next;  /* wait for the notes that are being persisted */
    struct flight *durable_later; /* wait for the notes gathered now */
    struct poll *polls;
    uint32_t next_flight_id, next_group, n_in_flight, n_changing_in_flight, n_unfinished;
    uint32_t n_without_room; /* steps with no_room */

    double rate_per_s, tokens, rate_ceiling;
    int64_t tokens_at_ms;
    uint64_t random;

    int64_t now_ms, now_unix_ms;
    bool started, persisting, interrupted, aborted, out_of_memory, finished;

    /* Effects of this step. */
    struct note *notes; /* gathered, not given out yet */
    size_t n_notes, notes_capacity;
    struct note *given; /* given out, until EV_PERSISTED */
    size_t n_given, given_capacity;
    struct call *calls;
    size_t n_calls, calls_capacity;
    struct progress *progress;
    size_t n_progress, progress_capacity;
    struct buf trace;
    struct converge_summary summary;
};

static inline const struct step *step_of(const struct converge *c, uint32_t s)
{
    return &c->plan->steps[s];
}

static inline const struct change *change_of(const struct converge *c, uint32_t s)
{
    return &c->plan->changes[c->plan->steps[s].change];
}

/* ---- converge.c ---- */
void step_goal(struct converge *c, uint32_t s, struct goal *out);
/* Resolves the references of a step's values, once. False when out of memory. */
bool resolve_step(struct converge *c, uint32_t s);
/* What earlier runs left of a change's address, or NULL. */
const struct used_generation *find_generation(const struct converge *c, uint32_t change);
void step_again(struct converge *c, uint32_t s, int64_t delay_ms); /* back to WAITING */
void step_settle(struct converge *c, uint32_t s); /* the object is as the last request wanted it */
void step_finish(struct converge *c, uint32_t s);
/* A quota refused what s would make. Where the plan is going to delete something of the kind, s tries again
 * after each such deletion, and this is true. */
bool step_waits_for_room(struct converge *c, uint32_t s);
void skip_step(struct converge *c, uint32_t s, const char *why);
void step_fail(struct converge *c, uint32_t s, enum err_code code, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* ---- start.c ---- */
enum started { STARTED_NOT, STARTED_YES, STARTED_RATE /* not before *rate_at */ };
enum started try_start(struct converge *c, uint32_t s, int64_t *rate_at);

/* ---- queue.c ---- */
void heap_push(struct converge *c, struct heap *h, int64_t key, uint32_t step);
uint32_t heap_pop(struct heap *h);
void make_ready(struct converge *c, uint32_t s);
void wait_until(struct converge *c, uint32_t s, int64_t at_ms);
/* Takes all keys or none; parks the step at the first that is taken. */
bool take_keys(struct converge *c, uint32_t s, const struct serial_key *keys, size_t n);
/* Takes all keys together with 'leader', whose request s joins, or none. */
bool share_keys(struct converge *c, uint32_t s, uint32_t leader, const struct serial_key *keys, size_t n);
void release_keys(struct converge *c, uint32_t s, bool only_call_keys);
/* Whether the rate allows a request now; else *at_ms is when. */
bool rate_take(struct converge *c, int64_t *at_ms);
void rate_slow_down(struct converge *c);
void rate_speed_up(struct converge *c);
int64_t scaled(const struct converge *c, int64_t ms, int64_t at_least_ms);
int64_t backoff_ms(struct converge *c, uint32_t attempt);

/* ---- poll.c ---- */
void poll_join(struct converge *c, uint32_t s, int64_t first_in_ms);
void poll_leave(struct converge *c, uint32_t s);
void poll_start_due(struct converge *c);
void poll_page(struct converge *c, struct flight *f, const struct converge_event *ev);
int64_t poll_next_ms(const struct converge *c);

/* ---- outcome.c ---- */
void call_done(struct converge *c, struct flight *f, const struct converge_event *ev);
/* Looks for the object of a step in the world: by id, tags, natural key. */
const struct object *find_object(struct converge *c, uint32_t s);

/* ---- notes.c ---- */
void note_intent(struct converge *c, uint32_t s, const struct request *r);
void note_record(struct converge *c, uint32_t change, const struct object *o, const struct value *values,
                 uint64_t set_fields);
/* A record as it is. */
void note_again(struct converge *c, const struct record *r);
/* The name with a suffix: under which the old one of two entries is recorded, or a new one's attempt. */
struct text name_with(struct converge *c, const struct change *change, const char *suffix);
/* What was to be made under a change is there or not, and known. */
void settle_change(struct converge *c, uint32_t change);
/* The attempt alone: what was made is recorded. */
void settle_attempt(struct converge *c, uint32_t change);
void note_simple(struct converge *c, enum note_type type, enum kind kind, struct text name);
void note_event(struct converge *c, uint32_t change, const char *event, const char *message,
                const char *request_id);
void tell(struct converge *c, uint32_t s, enum progress_type type, const char *message);
void trace(struct converge *c, uint32_t s, const char *fmt, ...) PRINTF_LIKE(3, 4);
const char *keep(struct converge *c, const char *fmt, ...) PRINTF_LIKE(2, 3); /* in the arena; never NULL */

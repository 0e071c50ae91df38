/* store.h - what we remember: stacks, records, intents, runs, events and locks, in one SQLite file.
 *
 * State is a cache: deleting the file loses nothing that cannot be found again in the cloud
 * (docs/architecture.md). Every write is one transaction that is durable when the function returns (WAL,
 * synchronous=EXTRA). One connection writes. A file that is corrupt, not ours, from a newer version,
 * read-only or on a full disk gives an error (ERR_STATE, ERR_IO) and is never overwritten. All functions
 * block: the loop calls the writing ones through uv_queue_work(). A store is used by one thread at a time. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/err.h"
#include "reconciler/model/cloud.h"
#include "reconciler/model/resource.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STORE_SCHEMA_VERSION = 1,
    /* History is kept per stack, up to this many; the oldest go when a new run begins. */
    STORE_KEEP_RUNS = 1000,
    STORE_KEEP_EVENTS = 100000,
};
#define STORE_APPLICATION_ID 0x68674731 /* "hgG1" */

struct store;

enum store_mode {
    STORE_READ_ONLY,  /* for plan, get, …: a missing file is an empty state, nothing is created */
    STORE_READ_WRITE, /* created when missing, with its folder, mode 0600 / 0700 */
};

/* Opens, checks and migrates. One process opens a file for writing once at a time (else ERR_BUSY).
 * ERR_STATE: not a state file, damaged, or from a newer headgate. ERR_IO: cannot be read or written, disk
 * full. ERR_BUSY: another process writes to it for longer than we wait (5 s). The message has path and
 * remedy. */
MUST_CHECK enum err_code store_open(const char *path, enum store_mode mode, struct store **out,
                                    struct err *err);
void store_close(struct store *s); /* accepts NULL */
void store_closep(struct store **s);

/* The id of this state (random, made when the file is made; 26 characters), part of every client token. ""
 * when read-only and missing. Borrowed. */
const char *store_id(const struct store *s);

/* ---- locks: one per stack ---- */
struct lock_holder {
    char operation[16]; /* "apply" */
    char host[65], boot_id[40], user[32];
    int64_t pid;
    int64_t since_unix_ms;
    char id[27]; /* of this lock, for `unlock` */
};

/* Takes the stack's lock for this process. ERR_LOCKED when somebody holds it: *holder tells who (may be
 * NULL), the message names pid, host, since and how to unlock. A lock whose holder is dead (same host and
 * boot, no such process; or same host and another boot) is taken over: *took_over is set then and an event
 * `lock-taken-over` is left. Locks do not nest: a second one of the same process is ERR_LOCKED, too. */
MUST_CHECK enum err_code store_lock(struct store *s, struct text stack, const char *operation,
                                    int64_t now_unix_ms, struct lock_holder *holder, bool *took_over,
                                    struct err *err);
/* ERR_STALE when the lock that this store took is not there any more: somebody broke it. Then, too, this
 * store holds it no longer. ERR_INPUT when this store did not take it. */
MUST_CHECK enum err_code store_unlock(struct store *s, struct text stack, struct err *err);
/* Breaks somebody's lock by its id (or any when id is NULL). ERR_INPUT when there is none, or another id.
 * Leaves an event `lock-broken`. */
MUST_CHECK enum err_code store_break_lock(struct store *s, struct text stack, const char *id,
                                          struct err *err);
/* ERR_OK and *held. */
MUST_CHECK enum err_code store_lock_holder(struct store *s, struct text stack, struct lock_holder *out,
                                           bool *held, struct err *err);

/* ---- records ---- */
/* All records of a stack, sorted by address, in the arena. An unknown stack has none. With 'desired' (may be
 * NULL; it must live as long as the arena) records share the texts that the manifests still say. */
MUST_CHECK enum err_code store_records(struct store *s, struct text stack, const struct desired *desired,
                                       struct arena *a, struct records *out, struct err *err);
/* Names of all stacks, sorted. */
MUST_CHECK enum err_code store_stacks(struct store *s, struct arena *a, struct text **out, size_t *n,
                                      struct err *err);
/* The stack that records this cloud object, or .ptr NULL. */
MUST_CHECK enum err_code store_owner_of(struct store *s, enum kind kind, const char *id, struct arena *a,
                                        struct text *stack, struct text *name, struct err *err);

/* ---- generations ---- */
/* How often an address was created, or was about to be. It outlives the record and never goes back, so that
 * a client token is never used for a second creation. */
struct generation {
    enum kind kind;
    struct text name;
    uint32_t generation;
};

/* *out is 0 for an address that was never seen. */
MUST_CHECK enum err_code store_generation(struct store *s, struct text stack, enum kind kind,
                                          struct text name, uint32_t *out, struct err *err);
/* All of a stack, sorted by address, in the arena. */
MUST_CHECK enum err_code store_generations(struct store *s, struct text stack, struct arena *a,
                                           struct generation **out, size_t *n, struct err *err);

/* ---- intents ---- */
struct intent {
    int64_t seq; /* given by the store; 0 before */
    enum kind kind;
    struct text name;
    enum verb verb;
    const char *operation;
    char token[65];
    char request_hash[65];
    uint32_t generation;
    int64_t since_unix_ms;
};

/* Open intents of a stack, oldest first. */
MUST_CHECK enum err_code store_intents(struct store *s, struct text stack, struct arena *a,
                                       struct intent **out, size_t *n, struct err *err);

/* ---- one atomic write of the engine ---- */
enum write_type {
    WRITE_INTENT,        /* .intent: opens it; an open one of the same address is replaced */
    WRITE_SETTLE_INTENT, /* .kind/.name: closes what is open for this address */
    WRITE_RECORD,        /* .record: inserted or replaced */
    WRITE_FORGET,        /* .kind/.name: the record is removed */
    WRITE_EVENT,         /* .event */
    WRITE_RUN,           /* .run: inserted, or updated when its id exists */
};

struct event_row {
    int64_t seq; /* given by the store */
    int64_t at_unix_ms;
    int64_t run;         /* id of the run, 0: none */
    const char *address; /* or "" */
    const char *
        type; /* "created", "updated", "deleted", "adopted", "forgotten", "failed", "throttled", "drift", … */
    const char *message;
    const char *request_id; /* or "" */
};

struct run_row {
    int64_t id;            /* 0: a new one; the store sets it */
    const char *operation; /* "apply", "destroy" */
    const char *result;    /* "running", "succeeded", "failed", "canceled" */
    const char *user;
    const char *manifest_digest;            /* SHA-256 of what it was made from, hex; or "" */
    int64_t started_unix_ms, ended_unix_ms; /* 0: not yet */
    uint32_t n_added, n_changed, n_destroyed, n_failed;
    uint32_t n_calls;
};

struct write {
    enum write_type type;
    enum kind kind; /* SETTLE_INTENT, FORGET */
    struct text name;
    const struct intent *intent;
    const struct record *record;
    const struct event_row *event;
    struct run_row *run;
};

/* All of it or nothing, durable on return. ERR_LOCKED when it has an intent and the lock that this store took
 * was broken meanwhile: nothing new may begin then, but what has happened can still be recorded. */
MUST_CHECK enum err_code store_write(struct store *s, struct text stack, const struct write *writes, size_t n,
                                     struct err *err);
/* Renames a record (state mv): ERR_INPUT when 'from' is missing, 'to' exists or is of another kind;
 * ERR_CONFLICT while an intent is open for either. */
MUST_CHECK enum err_code store_move(struct store *s, struct text stack, enum kind from_kind, struct text from,
                                    enum kind to_kind, struct text to, struct err *err);
/* Counts writes that changed records; two equal numbers: nothing changed in between. For stale plans. Per
 * stack; 0 for an unknown one. */
MUST_CHECK enum err_code store_serial(struct store *s, struct text stack, int64_t *out, struct err *err);

/* ---- history ---- */
/* Newest first, at most 'limit'; run 0: of all runs. */
MUST_CHECK enum err_code store_events(struct store *s, struct text stack, int64_t run, size_t limit,
                                      struct arena *a, struct event_row **out, size_t *n, struct err *err);
MUST_CHECK enum err_code store_runs(struct store *s, struct text stack, size_t limit, struct arena *a,
                                    struct run_row **out, size_t *n, struct err *err);

/* ---- the file itself ---- */
/* An online copy that is itself a valid state file, without locks. ERR_INPUT when 'path' exists. */
MUST_CHECK enum err_code store_backup(struct store *s, const char *path, struct err *err);
/* Integrity, foreign keys, every row readable; *report says what was found, in the arena, also with the
 * ERR_STATE that is returned when something is broken. */
MUST_CHECK enum err_code store_verify(struct store *s, struct arena *a, const char **report, struct err *err);

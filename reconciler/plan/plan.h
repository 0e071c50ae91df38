/* plan.h - which changes turn what is observed into what is desired.
 *
 * A plan is a pure function of its snapshots: the same snapshots give the same plan, byte for byte. It lives
 * in the arena that it was built in; there is no plan_free(). Resources that need nothing are counted, not
 * listed. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/diag.h"
#include "reconciler/base/err.h"
#include "reconciler/model/cloud.h"
#include "reconciler/model/resource.h"
#include "reconciler/model/world.h"

enum action {
    ACTION_NONE,
    ACTION_READ, /* observed only: the record learns what it is; counts as no change */
    ACTION_CREATE,
    ACTION_UPDATE,
    ACTION_REPLACE,
    ACTION_DELETE,
    ACTION_ADOPT,  /* exists, becomes ours; may come with diffs, which are then applied */
    ACTION_FORGET, /* the record goes, the thing (if any) stays */
    N_ACTIONS,
};

enum reason {
    REASON_NONE,
    REASON_IMMUTABLE,       /* replace: a field that cannot be changed in place (the diff says which) */
    REASON_PARENT_REPLACED, /* replace: something that it lies in or needs is replaced */
    REASON_NOT_DESIRED,     /* delete: not in the manifests any more */
    REASON_DESTROY,         /* delete: destroy was asked for */
    REASON_GONE,            /* create or forget: deleted outside of headgate */
    REASON_ORPHAN,          /* forget: onRemoval: orphan */
    REASON_RENAMED,         /* adopt: recorded under another address until now (change.moved_from) */
    REASON_OBSERVED_ONLY,   /* forget: was observed only */
    REASON_REQUESTED,       /* replace: --replace */
    REASON_NEVER_MADE,      /* forget: about to be made when a run was interrupted, and not there */
    REASON_LEFT_BEHIND,     /* delete: of a run that was interrupted, and not wanted any more */
    REASON_FAILED,          /* replace: the cloud gave up on making it */
    N_REASONS,
};

/* How traffic suffers while the change is carried out. */
enum disruption { DISRUPTION_NONE, DISRUPTION_BRIEF, DISRUPTION_EGRESS, DISRUPTION_OUTAGE };

enum diff_cause { DIFF_CHANGE, DIFF_DRIFT }; /* the manifest changed, or somebody changed the cloud */

struct field_diff {
    uint8_t field;
    uint8_t cause; /* enum diff_cause */
    bool forces_replace;
    struct value before; /* as observed (references as REF_ID) */
    struct value after;  /* as desired and resolved; VALUE_UNKNOWN: known after apply; unset: put back to the
                            initial value */
};

struct change {
    enum action action;
    enum reason reason;
    enum disruption disruption;
    enum kind kind;
    struct text name;
    struct text moved_from;         /* .ptr NULL when not renamed */
    const struct resource *desired; /* NULL for DELETE and FORGET */
    uint32_t desired_index;         /* UINT32_MAX when desired is NULL */
    const struct record *recorded;  /* NULL when there is none */
    const struct object *observed;  /* NULL when nothing is there */
    const struct object *old; /* an entry that a replacement has left behind, or will for a while; or NULL */
    const struct value *values; /* desired, resolved and normalised; NULL for DELETE and FORGET */
    uint64_t set_fields, reset_fields;
    const struct field_diff *diffs; /* UPDATE, REPLACE, ADOPT: what differs */
    uint32_t n_diffs;
    uint32_t incarnation; /* of what will be there, see TAG_INCARNATION */
    bool tentative;       /* its NAME~new is settled with it */
    const struct record
        *attempt;                /* that NAME~new, when it is not to be seen: an interrupted run's; or NULL */
    bool create_first;           /* REPLACE: the new one is made before the old one goes */
    const struct text *affected; /* names of VSwitches whose traffic is touched, as written in the stack */
    uint32_t n_affected;
};

/* Drift of one resource, told apart from the changes (which correct it, unless it is only detected). */
struct drift {
    enum kind kind;
    struct text name;
    const struct object *observed; /* NULL: deleted outside */
    const struct record *recorded;
    const struct field_diff *diffs; /* before: as recorded, after: as observed */
    uint32_t n_diffs;
    bool detect_only; /* management: detect, the plan does not correct it */
};

/* Entries carry no tags by which they would be found after a crash, so the state knows more of them than of
 * other kinds, under names that no manifest can have. While a new entry and the one that it replaces are both
 * there, the old one is recorded as NAME~old. What is about to be made is recorded as NAME~new, without an
 * id, until its id is known or it is known not to be there: whatever the manifests say by then, it is found
 * by its natural key, and belongs to us. */
#define PLAN_OLD_SUFFIX "~old"
#define PLAN_NEW_SUFFIX "~new"

/* Whether a record is of something that may never have been made. */
bool record_is_tentative(const struct record *r);
/* The name without such a suffix; all of it when it has none. */
struct text plan_base_name(struct text name);

/* A step is a node of the graph that the engine walks. */
struct edge {
    uint32_t step;
    bool soft; /* only the order matters: a failure of that step does not stop this one */
};

struct step {
    uint32_t change;
    enum verb verb;
    const struct edge *after; /* steps that must be finished before */
    uint32_t n_after;
    uint32_t depth;  /* longest chain of steps that leads here */
    int64_t path_ms; /* longest remaining path, this step included, by usual durations */
};

struct plan {
    struct text stack;
    const struct cloud *cloud;
    const struct change *changes; /* in the order of addresses; ACTION_NONE is left out */
    uint32_t n_changes;
    const struct drift *drifts;
    uint32_t n_drifts;
    const struct step *steps;
    uint32_t n_steps;
    const char *const *bound_ids; /* per desired resource: the cloud id it is bound to, or NULL */
    struct text *left_out;        /* addresses that --target or --exclude kept out and that have changes */
    uint32_t n_left_out;
    uint32_t n_add, n_change, n_destroy, n_adopt, n_forget, n_unchanged, n_read;
    uint32_t n_calls;    /* changing calls, each change by itself: fewer where several go together */
    int64_t critical_ms; /* estimate: the longest path by usual durations */
};

struct plan_options {
    struct text stack;
    bool destroy;                                     /* delete all that is ours */
    bool prune;                                       /* delete what is recorded or tagged, but not desired */
    bool allow_empty;                                 /* an empty desired set may prune everything */
    int64_t max_deletions;                            /* -1: no limit */
    const struct text *targets, *excludes, *replaces; /* addresses "Kind/name" or a prefix followed by * */
    size_t n_targets, n_excludes, n_replaces;
};

/* Builds the plan that takes 'observed' to 'desired'. 'recorded' is what we last applied: it tells a changed
 * manifest from drift, and our resources from strangers'. Owner:  *out belongs to 'arena' and borrows from
 * the snapshots, which must outlive it. Errors: ERR_CONFLICT, ERR_INPUT or ERR_GUARD with the diagnostics
 * saying what each is about (all of them at once); ERR_NOMEM. */
MUST_CHECK enum err_code plan_build(struct arena *arena, const struct plan_options *options,
                                    const struct desired *desired, const struct records *recorded,
                                    struct world *observed, const struct cloud *cloud, struct diags *diags,
                                    const struct plan **out, struct err *err);

/* True when there is nothing to do (reads aside). */
bool plan_is_empty(const struct plan *p);
/* FORGET: whether the thing carries our ownership tags, which are taken away, since it would be ours else. */
bool change_disowns(const struct change *c, struct text stack);
/* The first difference of a change that the object still shows, against 'values' as resolved now; NULL when
 * there is none: the change has taken effect. What the cloud never answers does not count. */
const struct field_diff *change_left_over(const struct cloud *cloud, const struct change *c,
                                          const struct value *values, const struct object *o);
const char *action_name(enum action a);         /* "create" */
const char *disruption_name(enum disruption d); /* "egress address changes" */
/* SHA-256 (hex) over everything that a change is about: what a saved plan is compared by. */
MUST_CHECK enum err_code change_digest(const struct change *c, char out[65], struct err *err);

/* ---- what to observe (observe.c) ---- */
/* The lists that a plan needs, in rounds: those of the region (0), then those of gateways, tables and groups
 * that matter (1: ours, recorded, or named by the manifests); then, of both, once more the lists that did not
 * show what is recorded (2 and 3): a list lags, and loses a row when another one goes while its pages are
 * read, and what seems to be gone would be made a second time. Appends to *scopes in the arena. With
 * 'unmanaged', everything below our VPCs matters. */
enum { PLAN_SCOPE_ROUNDS = 4 };
MUST_CHECK enum err_code plan_scopes(struct arena *arena, int round, bool unmanaged, struct text stack,
                                     const struct desired *desired, const struct records *recorded,
                                     const struct world *observed, const struct cloud *cloud,
                                     struct scope **scopes, size_t *n_scopes, struct err *err);
/* A world made of what was recorded, for plans without refresh. */
MUST_CHECK enum err_code plan_recorded_world(struct arena *arena, struct text stack,
                                             const struct records *recorded, struct world *out,
                                             struct err *err);

/* build.h - what the parts of the planner share while a plan is built: bind.c finds what exists, compare.c
 * finds what differs, plan.c decides, disruption.c says what that does to traffic, order.c turns changes into
 * steps. Private to this folder. */
#pragma once

#include "reconciler/plan/plan.h"

/* How a desired resource was found in the cloud. */
enum bound_by {
    BOUND_NOT,
    BOUND_RECORD,   /* by the recorded id */
    BOUND_TAGS,     /* by ownership tags, perhaps in place of the recorded one (binding.old) */
    BOUND_PARENT,   /* by natural key, in something that is ours */
    BOUND_MOVED,    /* by natural key, recorded under an address that is no longer desired, or renamedFrom */
    BOUND_ADOPTED,  /* a stranger's until now, and we may take it over */
    BOUND_OBSERVED, /* management: observe */
};

struct binding {
    struct object *object;     /* NULL: nothing is there */
    const struct object *copy; /* carries the same tags, and cannot be told from it; or NULL */
    struct object *old;        /* left behind by a replacement that was interrupted: goes; or NULL */
    uint32_t record;           /* index in recorded, UINT32_MAX: none */
    uint32_t change;           /* index in changes, UINT32_MAX: none */
    uint8_t by;                /* enum bound_by */
    bool fresh;                /* will have another id after the apply: references to it are unknown */
    bool left_out;             /* by --target or --exclude */
    bool tentative;            /* there is a NAME~new of it */
    bool rebound;              /* an EIP whose association is replaced */
    uint32_t incarnation;      /* the highest of those that carry the tags */
};

/* SNAT entries sorted by their gateway. */
struct way_out;
struct ways_out {
    struct way_out *items;
    size_t n;
};

struct build {
    struct arena *arena;
    const struct plan_options *options;
    const struct desired *desired;
    const struct records *recorded;
    struct world *world;
    const struct cloud *cloud;
    struct diags *diags;
    struct err *err;
    bool out_of_memory;

    struct binding *bindings; /* per desired resource */
    uint32_t *desired_of;     /* per record: the desired resource that it belongs to, or UINT32_MAX */
    uint32_t *records_by_id;  /* indices of records, sorted by kind and id; made when first asked for */
    size_t
        cursors[N_KINDS]; /* in the world: behind the object of each kind that was bound last by its record */
    uint32_t n_turned;    /* entries that are replaced for the sake of the order */
    uint32_t n_left_behind; /* by replacements that were interrupted */
    bool foreign_rebound;   /* an association of an EIP outside of the stack is replaced */

    struct ways_out ways_now, ways_then; /* observed, desired; made when first asked for */
    bool ways_indexed;

    struct change *changes;
    size_t n_changes, changes_capacity;
    struct drift *drifts;
    size_t n_drifts, drifts_capacity;
    struct text *left_out;
    size_t n_left_out, left_out_capacity;
    struct plan plan;
};

/* ---- plan.c ---- */
/* NULL when out of memory, which is noted. */
struct change *plan_add_change(struct build *b, enum action action, enum reason reason, enum kind kind,
                               struct text name);
void plan_add_left_out(struct build *b, enum kind kind, struct text name);

/* ---- targets.c ---- */
/* A diagnostic for each pattern on the command line that fits no resource. */
void targets_check(struct build *b);
/* Sets left_out of the bindings. */
void targets_choose(struct build *b);
/* The same for what is not desired. */
bool targets_leave_out(const struct build *b, enum kind kind, struct text name);
bool targets_match(const struct text *patterns, size_t n, enum kind kind, struct text name);
/* Calls visit(ctx, target index) for each reference of resource i to another one of the stack. */
void each_target(const struct desired *d, uint32_t i, void (*visit)(void *ctx, uint32_t target), void *ctx);

/* The EIPs of an SNAT or DNAT entry; *n is 0 for other kinds. */
const struct value *eips_of_entry(const struct resource *r, uint32_t *n);

/* ---- undesired.c ---- */
void decide_undesired(struct build *b);

/* ---- bind.c ---- */
/* Resolves the references of desired resource i into 'values' (kind's n_fields) with *set_fields, and
 * normalises them. */
void bind_resolve(struct build *b, uint32_t i, struct value *values, uint64_t *set_fields);
/* Finds what exists for desired resource i; fills its binding. False after adding a diagnostic. */
bool bind_find(struct build *b, uint32_t i, const struct value *values, uint64_t set_fields);
/* For entries: another one with the natural key, that nobody recorded, in a parent of ours; or NULL. */
struct object *bind_rival(struct build *b, uint32_t i, const struct value *values);
/* Of two that carry the same tags: which one is the resource? Negative: a; positive: b; 0: cannot be told, so
 * that neither is touched. What failed is not, and the higher incarnation is the new one of a replacement. */
int bind_compare_twins(const struct object *a, const struct object *b);
/* The record of a cloud object, UINT32_MAX when none. */
uint32_t bind_record_of(struct build *b, enum kind kind, const char *id);
/* Whether another record says just what is there. The ids of associations are made of what they associate, so
 * an old record that was never taken away may have the id of somebody else's new one. */
bool bind_is_anothers(struct build *b, uint32_t record, const struct object *o);
/* Whether an object lies in something that is ours (recorded or tagged for this stack). */
bool bind_parent_is_ours(struct build *b, const struct object *o);

/* ---- compare.c ---- */
struct comparison {
    struct field_diff diffs[64];
    uint32_t n_diffs;
    uint64_t reset_fields;
    bool immutable, drifted, record_stale;
};
/* Desired values against an observed object; 'r' (may be NULL) tells drift from change and what is to be put
 * back. */
void compare_desired(struct build *b, uint32_t i, const struct value *values, uint64_t set_fields,
                     const struct object *o, const struct record *r, struct comparison *out);
/* A record against what is observed: what somebody changed, but for the 'ignored' fields. */
void compare_recorded(const struct build *b, const struct record *r, const struct object *o, uint64_t ignored,
                      struct comparison *out);

/* ---- disruption.c ---- */
enum disruption disruption_of_replace(enum kind kind, bool create_first);
enum disruption disruption_of_delete(enum kind kind);
/* Of desired resource i, which is 'o' now. */
enum disruption disruption_of_update(struct build *b, uint32_t i, const struct value *values,
                                     const struct object *o, const struct comparison *cmp);
/* A gateway that is replaced suffers what its entries and its EIPs suffer. After all else is decided. */
void disruption_of_gateways(struct build *b);
/* Names of the vSwitches that a disruptive change touches, at most a few. */
void disruption_name_affected(struct build *b, struct change *c);

/* ---- blockers.c ---- */
/* A diagnostic for each stranger that lies in something that the plan deletes. */
void report_blockers(struct build *b);

/* ---- order.c ---- */
MUST_CHECK enum err_code order_steps(struct build *b);

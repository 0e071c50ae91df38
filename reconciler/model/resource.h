/* resource.h - what manifests desire, what state recorded and what the cloud was observed to hold.
 *
 * All three are a kind plus a dense array of values, indexed by field: comparing two is a loop. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/err.h"
#include "reconciler/model/kind.h"
#include "reconciler/model/value.h"

#include <stdbool.h>
#include <stdint.h>

enum management { MANAGE_ENFORCE, MANAGE_DETECT, MANAGE_OBSERVE };
enum adopt { ADOPT_DEFAULT, ADOPT_NEVER, ADOPT_IF_TAGGED, ADOPT_IF_IDENTICAL, ADOPT_FORCE, ADOPT_ID };

struct lifecycle {
    enum management management;
    enum adopt adopt;
    const char *adopt_id; /* ADOPT_ID */
    bool prevent_destroy;
    bool orphan_on_removal;   /* onRemoval: orphan */
    uint64_t ignore_changes;  /* bit per field */
    const char *renamed_from; /* or NULL */
};

/* The lifecycle of a resource that says nothing. */
extern const struct lifecycle lifecycle_default;

/* A desired resource, atomic: inline lists are expanded, references resolved to REF_LOCAL, REF_ID or
 * REF_LOOKUP. */
struct resource {
    enum kind kind;
    uint32_t n_refs_to; /* how many references point here */
    struct text name;   /* metadata.name; unique per kind in a stack */
    struct src_pos pos;
    const struct lifecycle *lifecycle;
    const char *external_id; /* spec.id / metadata.annotations: an existing cloud object (observe), or NULL */
    struct value *values;    /* kind_info(kind)->n_fields */
};

/* lifecycle.preventDestroy is also the cloud's own protection, where the kind has one: as if the manifest had
 * set the field `deletionProtection`. */
void resource_protect(const struct resource *r, struct value *values, uint64_t *set_fields);

enum { RESOURCE_ADDRESS_SIZE = 256 };
/* "VSwitch/web" into out; returns out. */
char *address_format(enum kind kind, struct text name, char out[RESOURCE_ADDRESS_SIZE]);
/* The reverse; false when there is no such kind or no name. *name borrows from 'address'. */
bool address_parse(struct text address, enum kind *kind, struct text *name);
/* The order of addresses: kind, then name bytewise. */
int address_compare(enum kind a_kind, struct text a_name, enum kind b_kind, struct text b_name);

/* A stack's settings. */
struct stack {
    struct text name;        /* "default" when there is no Stack document */
    struct src_pos pos;      /* line 0 when there is none */
    const char *provider;    /* "mock" (default), "alicloud", "lab" */
    const char *region;      /* "cn-hangzhou"; required by alicloud, mock has a default */
    const char *credentials; /* name of a credentials profile, or NULL */
    bool prune;              /* default true */
    bool suspend;
    int64_t interval_ms;   /* 0: not given */
    int64_t max_deletions; /* -1: no limit given */
};

/* What the manifests of one stack say. Sorted by address, without duplicates; belongs to an arena. */
struct desired {
    struct stack stack;
    struct resource *items;
    uint32_t n;
};

/* Finds by address; UINT32_MAX when it is not there. */
uint32_t desired_find(const struct desired *d, enum kind kind, struct text name);

/* What state remembers of one resource. */
struct record {
    enum kind kind;
    struct text name;
    const char *id;       /* the cloud's id (natural ids for entries without one), never NULL */
    uint64_t set_fields;  /* bit per field: what the manifest had set */
    struct value *values; /* set fields as applied, computed fields as observed; refs as REF_ID */
    uint32_t generation;  /* counts requests; part of the client token */
    uint32_t incarnation; /* as the object's */
    bool prevent_destroy, orphan_on_removal, observed_only;
    int64_t applied_unix_ms; /* when it was last written */
};

struct records {
    struct record *items; /* sorted by address */
    uint32_t n;
};

uint32_t records_find(const struct records *r, enum kind kind, struct text name);

/* How far a cloud object is, apart from the cloud's own word for it. */
enum phase { PHASE_READY, PHASE_PENDING, PHASE_DELETING, PHASE_FAILED };

/* Something that exists in the cloud, as observed. References are REF_ID. */
struct object {
    enum kind kind;
    enum phase phase;
    const char *id;                      /* unique per kind, never NULL */
    const char *status;                  /* the cloud's own word, "" when it has none */
    struct text owner_stack, owner_name; /* from ownership tags; .ptr NULL when not tagged */
    uint32_t incarnation;                /* from its tag; 0 and 1: the first */
    bool locked;                         /* for arrears or security: not to be touched */
    bool system;          /* made by the cloud itself (system route table, local routes): never deleted */
    bool gone;            /* was there, is not any more */
    struct value *values; /* kind_info(kind)->n_fields; what the cloud does not answer is unset */
};

/* Ownership tags, set in the create call.  Source: api-behaviour 5.14 (keys up to 64, values up to 128). */
#define TAG_STACK   "headgate:stack"
#define TAG_ADDRESS "headgate:address"
/* What is made beside the one that it replaces is told from it by a number; without the tag it is 1. The
 * higher one is the new one, whoever was interrupted in between. */
#define TAG_INCARNATION "headgate:incarnation"

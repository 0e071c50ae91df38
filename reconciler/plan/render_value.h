/* render_value.h - values as people read them, with cloud ids turned back into names. Private to render. */
#pragma once

#include "reconciler/base/buf.h"
#include "reconciler/plan/plan.h"

/* Which resource of the plan a cloud id belongs to. */
struct named_id {
    enum kind kind;
    const char *id;
    struct text name;
};

struct render_names {
    const struct desired *desired; /* may be NULL */
    struct named_id *items;        /* sorted by kind and id */
    size_t n;
};

/* Collects the ids that the plan has bound, and those of what it changes. False when out of memory. Borrows
 * from plan and desired. */
MUST_CHECK bool render_names_init(struct render_names *names, const struct plan *p,
                                  const struct desired *desired);
void render_names_fini(struct render_names *names); /* for CLEANUP(), too */
/* NULL when no resource of the plan has this id. */
const struct named_id *render_names_find(const struct render_names *names, enum kind kind, struct text id);

/* "Kind/name", safe on a terminal. */
void render_address(struct buf *out, enum kind kind, struct text name);
/* "text", safe on a terminal; quotes and backslashes are escaped. */
void render_quoted(struct buf *out, struct text t);
/* A value of a type; 'ref' is the kind that references are to. */
void render_typed(struct buf *out, enum field_type type, enum kind ref, struct value v,
                  const struct render_names *names);

/* The value that the manifest gives where 'v' is not wholly known yet: a reference then still has a name. */
struct value render_shown(const struct change *c, uint8_t field, struct value v);
/* What un-setting a field goes back to, as a value of its type; unset when the kind does not say, or when it
 * is "". */
struct value render_initial(const struct field *f);
/* Whether it is VALUE_UNKNOWN, or has an item that is. */
bool render_has_unknown(enum field_type type, struct value v);

/* How two sets or maps differ, item by item, in their order. */
struct item_diff {
    struct value key;           /* maps only */
    struct value before, after; /* unset: not there */
};
struct item_walk {
    enum field_type type;
    struct value before, after;
    const struct value *owned; /* maps: the tags that we set; others are left alone. NULL: all are ours */
    bool keep_foreign;         /* … when there are such */
    uint32_t i, k;
};
/* 'change' tells for a field of tags which of them are ours to remove; NULL: all. */
struct item_walk render_items_begin(enum kind kind, uint8_t field, struct value before, struct value after,
                                    const struct change *change);
bool render_items_next(struct item_walk *w, struct item_diff *out);

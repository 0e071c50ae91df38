/* value.h - one field's value, in 16 bytes, with three states that are never confused.
 *
 * VALUE_UNSET: nobody said anything. VALUE_SET: a value, also 0, false and "". VALUE_UNKNOWN: known after
 * apply. What the union holds follows from the field's type (kind.h): TEXT ENUM CIDR IP PORTS  u.text, n
 * bytes, NUL-terminated, canonical form INT BOOL                 u.num REF                      see 'form'
 *   TEXT_LIST REF_LIST       u.items, n items (REF items have forms, too)
 *   MAP                      u.items, n items, even: key, value, key, value …, sorted by key, TEXT items
 * Values borrow everything that they point to from an arena. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* What a field holds. */
enum field_type {
    FIELD_TEXT,
    FIELD_INT,
    FIELD_BOOL,
    FIELD_ENUM,  /* one of .choices, compared without case, kept as the table spells it */
    FIELD_CIDR,  /* IPv4 block, canonical */
    FIELD_IP,    /* IPv4 address */
    FIELD_PORTS, /* "80", "10/20", or a word of .choices such as "any" */
    FIELD_REF,   /* to a resource of kind .ref */
    FIELD_TEXT_LIST,
    FIELD_CIDR_LIST,
    FIELD_REF_LIST,
    FIELD_MAP,    /* text to text */
    FIELD_INLINE, /* manifests only: a list of mappings, or of names, that expands to resources of kind .ref
                   */
    N_FIELD_TYPES,
};

enum value_state { VALUE_UNSET, VALUE_SET, VALUE_UNKNOWN };

/* How a reference is given. */
enum ref_form {
    REF_NONE,   /* not a reference */
    REF_NAME,   /* u.text: a name of this stack, not resolved yet */
    REF_LOCAL,  /* u.num: index of the desired resource (struct desired) */
    REF_ID,     /* u.text: the cloud's id */
    REF_LOOKUP, /* u.items[0]: name (or unset), u.items[1]: tags as a MAP (or unset); must match exactly one
                 */
};

struct value {
    uint8_t state; /* enum value_state */
    uint8_t form;  /* enum ref_form */
    uint16_t pad;
    uint32_t n; /* bytes of text, or number of items */
    union {
        int64_t num;
        const char *text;
        const struct value *items;
    } u;
};

_Static_assert(sizeof(struct value) == 16, "values are dense");

struct value value_text(const char *text, size_t n);
struct value value_cstr(const char *text); /* unset for NULL */
struct value value_int(int64_t num);
struct value value_bool(bool flag);
struct value value_unknown(void);
struct value value_id(const char *cloud_id); /* a REF_ID; unset for NULL or "" */
struct value value_list(const struct value *items, uint32_t n);

static inline bool value_is_set(struct value v)
{
    return v.state == VALUE_SET;
}

static inline struct text value_as_text(struct value v)
{
    return (struct text){v.u.text, v.n};
}

/* The type of the items of a list or map. */
enum field_type field_item_type(enum field_type type);

/* Same state and same contents, as the type says. Lists marked as sets must be sorted already
 * (value_sort_set). Two unknown values are not equal. References of different forms are not equal. */
bool value_equal(enum field_type type, struct value a, struct value b);
/* A total order among values of one type, for sorting sets. */
int value_compare(enum field_type type, struct value a, struct value b);

/* Sorts the items of a list in place and drops repeated ones; returns the new count. */
uint32_t value_sort_set(enum field_type type, struct value *items, uint32_t n);

/* Looks a key up in a MAP; unset when it is not there. */
struct value value_map_get(struct value map, struct text key);
/* Sorts key/value pairs in place by key; n is even. Of a key that is there twice, the pair with the lesser
 * value is kept; returns the new count. */
uint32_t value_sort_map(struct value *items, uint32_t n);

/* A deep copy into an arena. False when out of memory. */
MUST_CHECK bool value_copy(struct arena *a, enum field_type type, struct value v, struct value *out);

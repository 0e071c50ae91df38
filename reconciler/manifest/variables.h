/* variables.h - ${NAME} in the scalars of a document. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/text.h"
#include "reconciler/manifest/tree.h"

struct load;

struct variables {
    struct variable {
        const char *name;
        struct text value; /* ptr NULL: declared without a value */
    } * items;             /* sorted by name */
    size_t n, capacity;
    size_t substituted_bytes; /* so far, of all documents */
};

/* [A-Za-z_][A-Za-z0-9_]* */
bool variable_name_is_valid(struct text name);
/* Sets one, unless it has a value already. False when out of memory. */
MUST_CHECK bool variables_add(struct load *l, const char *name, struct text value);
/* Replaces ${NAME} in all values of the current document, and $${ by ${; complains about what is not known.
 */
void variables_substitute(struct load *l);

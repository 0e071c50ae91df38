/* world.h - what is known of the cloud: all observed objects, by id, by owner and by natural key.
 *
 * A world belongs to one pass. Objects are replaced as a whole when they are seen again; pointers to objects
 * stay valid for the life of the arena, but show what was known when they were handed out. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/err.h"
#include "reconciler/model/resource.h"

struct world;

/* A new world that copies what it learns to 'arena'; the index is freed by world_free(). NULL when out of
 * memory. */
struct world *world_new(struct arena *arena);
void world_free(struct world *w);
void world_freep(struct world **w);

/* Learns what a page shows: of an object that lives no longer than this call, what the world does not know
 * yet is copied to its arena. One that is as it was known stays as it is, so that a list that is read again
 * and again takes no memory. *out is the object as it is known now. */
MUST_CHECK enum err_code world_learn(struct world *w, const struct object *seen, struct object **out,
                                     struct err *err);

/* Adds an object or replaces the one with the same kind and id. The object (and what it points to) must live
 * as long as the world's arena. */
MUST_CHECK enum err_code world_put(struct world *w, struct object *o, struct err *err);
/* Marks an object as gone; nothing when it is not known. */
void world_remove(struct world *w, enum kind kind, const char *id);

/* NULL when not known or gone. */
struct object *world_find(const struct world *w, enum kind kind, struct text id);
/* By ownership tags. NULL when none; *n_matches (may be NULL) counts them, the first in order of arrival is
 * returned. */
struct object *world_find_owned(const struct world *w, struct text stack, enum kind kind, struct text name,
                                size_t *n_matches);
/* Walks all that carry these tags and are not gone, as world_next() does. For the rare case of several. */
struct object *world_next_owned(const struct world *w, struct text stack, enum kind kind, struct text name,
                                size_t *cursor);
/* By natural key: the same KEY fields as 'values' (references as REF_ID; a key field that is unset in
 * 'values' matches an unset one only). NULL when the kind has no natural key, when a key value is unknown or
 * unresolved, or none matches. */
struct object *world_find_key(const struct world *w, enum kind kind, const struct value *values);

/* Walks all objects of a kind that are not gone, in order of arrival; start with *cursor = 0. NULL at the
 * end. */
struct object *world_next(const struct world *w, enum kind kind, size_t *cursor);
size_t world_count(const struct world *w, enum kind kind);

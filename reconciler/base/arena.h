/* arena.h - memory that dies together.
 *
 * Everything that belongs to one pass (documents, resources, values, plan, messages) lives in one arena and
 * is freed at once. There is no free of a single object. An arena has a byte limit; past it, or when the
 * system has no memory, arena_alloc() returns NULL and the caller returns err_nomem(). */
#pragma once

#include "reconciler/base/macros.h"
#include "reconciler/base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct arena;

/* A new arena that will hand out at most 'limit' bytes. NULL when out of memory. */
struct arena *arena_new(size_t limit);
void arena_free(struct arena *a); /* accepts NULL */
/* For CLEANUP(). */
void arena_freep(struct arena **a);
/* Takes back all that was handed out; one block stays. For scratch that is used again and again. */
void arena_reset(struct arena *a);

/* Zeroed memory, aligned for any object. NULL when the limit is reached or memory is out. */
void *arena_alloc(struct arena *a, size_t size) MUST_CHECK;
/* Like arena_alloc() for n objects of 'size' bytes; NULL also on overflow. n = 0 gives a valid pointer. */
void *arena_array(struct arena *a, size_t n, size_t size) MUST_CHECK;
#define arena_new_of(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define arena_array_of(a, n, type) ((type *)arena_array((a), (n), sizeof(type)))

/* A NUL-terminated copy of 'len' bytes (unaligned, packed tight). NULL when out of memory. */
char *arena_copy(struct arena *a, const char *ptr, size_t len) MUST_CHECK;
/* A NUL-terminated copy of a C string; NULL for NULL. */
char *arena_strdup(struct arena *a, const char *s) MUST_CHECK;
/* A copy of a slice, NUL-terminated behind its end; .ptr is NULL when out of memory. */
struct text arena_text(struct arena *a, struct text t) MUST_CHECK;
/* A formatted C string. NULL when out of memory. */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);

/* A growing array of items in an arena: '*items' of 'item_size' with room for '*capacity'; makes room for at
 * least one more beyond 'n'. False when out of memory. The old block is left to the arena (at most as much
 * again). */
bool arena_grow(struct arena *a, void *items, size_t item_size, size_t n, size_t *capacity) MUST_CHECK;
/* The same for arrays that become large: the array moves as a whole and leaves nothing behind, so nothing may
 * point into it while it grows. It begins as NULL with capacity 0; new room is not zeroed. */
bool arena_extend(struct arena *a, void *items, size_t item_size, size_t n, size_t *capacity) MUST_CHECK;

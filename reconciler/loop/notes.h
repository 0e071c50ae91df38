/* notes.h - the engine's notes as the store's writes. */
#pragma once

#include "reconciler/converge/converge.h"
#include "state/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The writes of one transaction, and what they point to. Records, names and texts stay the engine's.
 * Zeroed: empty. */
struct note_writes {
    struct write *items;
    size_t n;
    /* Private to notes.c. */
    struct intent *intents;
    struct event_row *events;
    char (*addresses)[RESOURCE_ADDRESS_SIZE];
    size_t capacity;
};

/* Room for so many; false when out of memory: then it is as it was. */
MUST_CHECK bool note_writes_reserve(struct note_writes *w, size_t n);
/* Replaces what is in it by these notes. 'run' is the run that events belong to. False when out of memory. */
MUST_CHECK bool note_writes_fill(struct note_writes *w, const struct note *notes, size_t n, int64_t run,
                                 int64_t now_unix_ms);
void note_writes_fini(struct note_writes *w);

/* disk.h - the state as the program keeps it: the real store, on a disk in memory that loses what was not
 * synced.
 *
 * What the harness's memory is told goes to the store as well, first. Before each apply both must know the
 * same; after a crash the file is opened as it was durable then, and the memory is what it says. */
#pragma once

#include "tests/simulation/points.h"
#include "tests/support/harness.h"

struct disk;

/* Takes the harness's writes over. 'seed' decides what a power cut leaves. */
struct disk *disk_new(struct harness *h, struct counters *counters, uint64_t seed);
void disk_free(struct disk *d); /* accepts NULL */

/* Around an apply: opens the file and takes the stack's lock; leaves it, or, after a cut, dies. */
void disk_begin(struct disk *d, bool may_be_cut);
void disk_end(struct disk *d);
/* Somebody else wants the lock that we hold, or breaks it: then he may work, and we may begin nothing. */
void disk_rival(struct disk *d, bool breaks);
/* The file is removed. */
void disk_lose(struct disk *d);
/* Reads all of it and looks at every row. */
void disk_verify(struct disk *d);
/* What was wrong first; NULL: nothing. */
const char *disk_wrong(const struct disk *d);

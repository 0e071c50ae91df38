/* bench.h - what the benchmark's parts share. Private to this folder. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/err.h"
#include "reconciler/model/cloud.h"
#include "reconciler/model/resource.h"
#include "state/store.h"

/* Seconds of the monotonic clock. */
double bench_now(void);
/* Ends the program with a message: a benchmark has nothing to recover. */
_Noreturn void bench_die(const char *what, const char *why);
/* For functions that fill an err. */
void bench_must(enum err_code code, const char *what, const struct err *err);

/* ---- floor.c: what the libraries alone take ---- */
/* All events of a YAML text; returns how many. */
size_t floor_events(struct text bytes);
/* All columns of all records of the state file, in the order in which the store lists them; returns how many
 * rows. */
size_t floor_rows(const char *state_path);

/* ---- recorded.c: the state that an apply would have left ---- */
/* Writes a record for each desired resource, with ids and computed fields as a cloud would have given them.
 */
void recorded_write(struct arena *arena, const struct desired *desired, const struct cloud *cloud,
                    struct store *store);

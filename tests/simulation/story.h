/* story.h - what happens in one simulated life of a stack: edits, applies with faults, other people. Drawn
 * from a seed; a part of it can be taken out, so that a story that fails can be told shorter. */
#pragma once

#include "reconciler/base/buf.h"
#include "tests/simulation/rng.h"
#include "tests/simulation/weather.h"

enum act_type { ACT_EDIT, ACT_APPLY, ACT_DELETE, ACT_WRITE, ACT_ADD, ACT_FORGET, ACT_OTHER, ACT_CLOCK };

struct act {
    enum act_type type;
    uint64_t seed; /* of what exactly is edited, deleted, … */
    /* ACT_APPLY */
    struct fault faults[MAX_FAULTS];
    unsigned n_faults;
    uint32_t cut_at, fail_persist;
    int64_t interrupt_at_ms, interrupt_again_ms, persist_ms;
    uint32_t meddle_at; /* before which changing call somebody acts */
    uint32_t rival_at;  /* before which somebody else wants the lock; where the state is a file */
    bool rival_breaks;
    int64_t list_lag_ms;
    bool meddler_deletes, small_pages, pages_change, is_slow;
    uint8_t quota; /* which one is reached; 0: none */
    /* ACT_CLOCK */
    int64_t jump_ms;
};

enum { MAX_ACTS = 16 };

struct story {
    uint64_t seed;
    bool real_state; /* a file, and not the harness's memory alone */
    struct act acts[MAX_ACTS];
    unsigned n_acts;
};

void story_draw(struct story *s, uint64_t seed);
/* Takes the k-th removable part out. False when there are not so many. */
bool story_without(const struct story *s, unsigned k, struct story *out);
/* One line an act. */
void story_tell(const struct story *s, struct buf *out);

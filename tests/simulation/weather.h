/* weather.h - the way to the simulated cloud, on which calls get lost, delayed, doubled and garbled. */
#pragma once

#include "tests/simulation/points.h"
#include "tests/support/harness.h"

/* The n-th call of a class, from 1, counted from weather_begin() on. */
struct fault {
    uint8_t point;
    uint16_t nth;
};
enum { MAX_FAULTS = 6 };

struct weather {
    struct harness *h;
    struct counters *counters;
    struct fault faults[MAX_FAULTS];
    unsigned n_faults, n_fired;
    uint32_t n_calls[N_CLASSES];
    uint32_t n_accepted, n_refused; /* changing calls as the cloud answered them */
    bool small_pages;
    bool as_text; /* answers are written and read again, as on the wire */
    /* Somebody acts right before the n-th changing call; 0: nobody. */
    uint32_t meddle_at;
    void (*meddle)(void *ctx);
    void *ctx;
    struct request *late; /* to be delivered once more */
    struct arena *arena;  /* of 'late' and 'lists' */
    struct list_answer *lists;
};

/* Takes the harness's calls over. */
void weather_init(struct weather *w, struct harness *h, struct counters *counters);
void weather_fini(struct weather *w);
/* Clear sky, and all counts from 0. */
void weather_begin(struct weather *w);

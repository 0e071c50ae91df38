/* weather.h - the way to the simulated cloud, on which calls get lost, delayed, doubled and garbled. */
#pragma once

#include "tests/simulation/points.h"
#include "tests/support/harness.h"

/* The n-th call of a class, from 1, counted from weather_begin() on. */
struct fault {
    uint8_t point;
    uint16_t nth, times; /* … and so many in a row */
};
enum { MAX_FAULTS = 6 };

struct weather {
    struct harness *h;
    struct counters *counters;
    struct fault faults[MAX_FAULTS];
    unsigned n_faults, n_fired;
    uint32_t n_calls[N_CLASSES];
    uint32_t n_accepted, n_refused; /* changing calls as the cloud answered them */
    char denied[72];                /* the token of the last call that was refused for good */
    bool insists;                   /* … was sent again in the same apply */
    bool small_pages;
    bool as_text; /* answers are written and read again, as on the wire */
    /* Somebody acts right before the n-th changing call; 0: nobody. */
    uint32_t meddle_at;
    void (*meddle)(void *ctx);
    /* Lets something of somebody else's go. */
    void (*shift)(void *ctx);
    void *ctx;
    struct request *late; /* to be delivered once more, also when the run has died meanwhile */
    struct arena *arena;  /* of 'late' and 'lists' */
    struct list_answer *lists;
};

/* Takes the harness's calls over. */
void weather_init(struct weather *w, struct harness *h, struct counters *counters);
void weather_fini(struct weather *w);
/* Clear sky, and all counts from 0. What is late stays so. */
void weather_begin(struct weather *w);
/* What is late never arrives. */
void weather_clear(struct weather *w);

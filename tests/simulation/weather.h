/* weather.h - the way to the simulated cloud, on which calls get lost, delayed, doubled and garbled. */
#pragma once

#include "tests/simulation/points.h"
#include "tests/support/harness.h"

enum { LATEST_S = 20 }; /* after which no late call comes any more */

/* The n-th call of a class, from 1, counted from weather_begin() on. */
struct fault {
    uint8_t point;
    uint16_t nth, times; /* … and so many in a row */
};
enum { MAX_FAULTS = 6 };

/* A request that is still under way: it comes to the cloud when its time is there, whoever sent it. */
struct late {
    struct late *next;
    struct request request;
    int64_t due_ms;
    uint32_t run; /* weather_begin()s before it was sent */
};

struct weather {
    struct harness *h;
    struct counters *counters;
    struct fault faults[MAX_FAULTS];
    unsigned n_faults, n_fired;
    uint32_t n_calls[N_CLASSES];
    uint32_t n_accepted, n_refused; /* changing calls as the cloud answered them */
    uint32_t n_full;                /* refused by a quota: neither of the two */
    uint32_t n_late, n_pages;       /* arrived late; pages after a first one */
    bool passes;                    /* all that fell from the sky so far passes */
    bool small_pages;
    bool spoiled;               /* something was made that failed */
    bool as_text;               /* answers are written and read again, as on the wire */
    const char *busy_operation; /* refused until then; NULL: none */
    int64_t busy_until_ms;
    struct denied *denied;
    const char *repeated; /* an operation that was denied and came again; NULL: none */
    /* Somebody acts right before each changing call, and between the pages of a list. */
    void (*before_change)(void *ctx, uint32_t nth);
    void (*between_pages)(void *ctx, uint32_t nth);
    void *ctx;
    uint32_t n_runs;
    struct late *late;
    struct arena *arena; /* of what is remembered here */
    struct list_answer *lists;
};

/* Takes the harness's calls over. */
void weather_init(struct weather *w, struct harness *h, struct counters *counters);
void weather_fini(struct weather *w);
/* Clear sky, and all counts from 0. What is under way stays so. */
void weather_begin(struct weather *w);
/* All that is under way arrives. */
void weather_settle(struct weather *w);

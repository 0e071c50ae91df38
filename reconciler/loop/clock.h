/* clock.h - the two clocks: one for durations, one for people.
 *
 * The core never looks at a clock; loop/ and cmd/ read them here and pass the time in. */
#pragma once

#include "reconciler/base/macros.h"

#include <stdint.h>

/* Monotonic, in ms, for durations and deadlines; it starts anywhere. */
int64_t clock_now_ms(void);
/* Wall clock, in ms since 1970; it may jump. */
int64_t clock_now_unix_ms(void);

enum { CLOCK_RFC3339_SIZE = 32 };
/* "2024-02-29T23:59:59Z", in UTC, ms cut off; returns 'out'. Years outside 0..9999, which the format does not
 * have, become the nearest one that it has. */
char *clock_rfc3339(int64_t unix_ms, char out[CLOCK_RFC3339_SIZE]);
/* The same with milliseconds: "2024-02-29T23:59:59.123Z". */
char *clock_rfc3339_ms(int64_t unix_ms, char out[CLOCK_RFC3339_SIZE]);

/* clock.c - reading clocks and writing dates. */
#include "reconciler/loop/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec t;
    int rc = clock_gettime(id, &t);
    ASSERT(rc == 0); /* both clocks exist on every Linux */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_now_unix_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

/* 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z. */
#define FIRST_MS INT64_C(-62167219200000)
#define LAST_MS  INT64_C(253402300799999)

/* The date and time to the second, without zone; *ms is what is left. */
static size_t format_seconds(int64_t unix_ms, char out[CLOCK_RFC3339_SIZE], int *ms)
{
    unix_ms = MIN_OF(MAX_OF(unix_ms, FIRST_MS), LAST_MS);
    int64_t rest = ((unix_ms % 1000) + 1000) % 1000;
    time_t seconds = (unix_ms - rest) / 1000;
    struct tm tm;
    ASSERT(gmtime_r(&seconds, &tm) != NULL); /* within range by the clamp */
    int n = snprintf(out, CLOCK_RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u",
                     (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
                     (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
                     (unsigned)tm.tm_sec % 100);
    ASSERT(n == 19);
    *ms = (int)rest;
    return (size_t)n;
}

char *clock_rfc3339(int64_t unix_ms, char out[CLOCK_RFC3339_SIZE])
{
    int ms;
    size_t n = format_seconds(unix_ms, out, &ms);
    (void)snprintf(out + n, CLOCK_RFC3339_SIZE - n, "Z");
    return out;
}

char *clock_rfc3339_ms(int64_t unix_ms, char out[CLOCK_RFC3339_SIZE])
{
    int ms;
    size_t n = format_seconds(unix_ms, out, &ms);
    (void)snprintf(out + n, CLOCK_RFC3339_SIZE - n, ".%03uZ", (unsigned)ms % 1000);
    return out;
}

/* Dates as text, and clocks that go forward. */
#include "reconciler/loop/clock.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void dates_are_written_in_utc(void **state)
{
    (void)state;
    static const struct {
        int64_t unix_ms;
        const char *date, *date_ms;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
        {1709251199123, "2024-02-29T23:59:59Z", "2024-02-29T23:59:59.123Z"},
        {-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z"},
        {-62135596800000, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"},
        {INT64_MAX, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        char out[CLOCK_RFC3339_SIZE];
        assert_string_equal(clock_rfc3339(cases[i].unix_ms, out), cases[i].date);
        assert_string_equal(clock_rfc3339_ms(cases[i].unix_ms, out), cases[i].date_ms);
    }
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
    (void)state;
    int64_t before = clock_now_ms();
    assert_true(clock_now_ms() >= before);
}

static void the_wall_clock_is_past_the_year_2020(void **state)
{
    (void)state;
    assert_true(clock_now_unix_ms() > 1577836800000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_written_in_utc),
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
        cmocka_unit_test(the_wall_clock_is_past_the_year_2020),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

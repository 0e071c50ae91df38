/* nat_hairpin.c - the scenario that must always work, from nothing to the check, and back to nothing. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void apply_makes_it_without_a_refused_call(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest_folder(&h, "nat-hairpin");
    assert_int_equal(harness_apply(&h, NULL), ERR_OK);
    assert_string_equal(harness_refused(&h), "");
    assert_string_equal(harness_plan_text(&h, DUMP_CHANGES | DUMP_READS | DUMP_DRIFT), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apply_makes_it_without_a_refused_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

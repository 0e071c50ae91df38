/* expect.h - what tests of the planner and the engine say again and again. Include after cmocka.h. */
#pragma once

#include "tests/support/harness.h"

/* Nothing is left to do, to read or to tell. */
#define EXPECT_CONVERGED(h)                                                                                  \
    assert_string_equal(harness_plan_text((h), DUMP_CHANGES | DUMP_READS | DUMP_DRIFT), "")

/* The plan is this text (changes only). */
#define EXPECT_PLAN(h, text) assert_string_equal(harness_plan_text((h), DUMP_CHANGES), (text))

/* The same with drift. */
#define EXPECT_DRIFT(h, text) assert_string_equal(harness_plan_text((h), DUMP_CHANGES | DUMP_DRIFT), (text))

/* Why the last pass went wrong. */
static inline void explain(struct harness *h, const char *what)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 1 << 20);
    diags_dump(&b, &h->diags);
    print_message("%s: %s\n%s%s", what, h->err.msg, buf_str(&b), buf_str(&h->progress));
}

/* Applies; all of it succeeds. Prints why not. */
#define EXPECT_APPLIED(h, script)                                                                            \
    do {                                                                                                     \
        enum err_code applied_ = harness_apply((h), (script));                                               \
        if (applied_ != ERR_OK) explain((h), err_code_name(applied_));                                       \
        assert_int_equal(applied_, ERR_OK);                                                                  \
    } while (0)

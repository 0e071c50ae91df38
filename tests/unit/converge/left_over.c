/* left_over.c - an update that ends although a difference is left: nobody is told that it was applied. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

#define VPC(spec)                                                                                            \
    "apiVersion: headgate/v1\nkind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8" spec "}\n"

/* A cloud that never knows a request. */
static enum next nothing_to_call(const struct cloud *c, const struct goal *g, struct arena *arena,
                                 struct request *out, struct err *err)
{
    (void)c, (void)g, (void)arena, (void)out, (void)err;
    return NEXT_DONE;
}

static void converge_without_calls(struct harness *h, struct converge_effects *out,
                                   struct converge_summary *summary)
{
    struct cloud idle = *h->cloud;
    struct plan plan = *h->plan;
    idle.next = nothing_to_call;
    plan.cloud = &idle;
    struct converge_options options = {.state_id = TEXT("state")};
    struct converge *c = converge_new(h->arena, &plan, &h->desired, h->world, &options);
    assert_non_null(c);
    converge_step(c, &(struct converge_event){.type = EV_START, .now_ms = h->now_ms}, out);
    assert_true(out->n_progress > 0);
    const struct progress *last = &out->progress[out->n_progress - 1];
    buf_reset(&h->progress);
    buf_printf(&h->progress, "%d %s", (int)last->type, last->message);
    for (size_t k = 0; k < out->n_persist; k++)
        if (out->persist[k].type == NOTE_RECORD) buf_puts(&h->progress, " recorded");
    converge_summary(c, summary);
    converge_free(c);
}

static void an_update_without_a_call_fails_while_the_difference_is_there(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    struct converge_effects effects;
    struct converge_summary summary;
    char expected[256];
    harness_init(&h);
    harness_manifest(&h, VPC(", description: one thing"));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, VPC(", description: another"));
    EXPECT_PLAN(&h, "~ Vpc/main description\n");
    (void)snprintf(
        expected, sizeof expected,
        "%d `description` of %s differs from what is desired, and no request of the cloud changes it",
        (int)PROGRESS_FAILED, harness_id(&h, "Vpc/main"));
    converge_without_calls(&h, &effects, &summary);
    assert_string_equal(buf_str(&h.progress), expected);
    assert_int_equal(summary.n_failed, 1);
    assert_int_equal(summary.n_changed, 0);
    assert_int_equal(summary.worst, ERR_PROVIDER);
}

static void an_update_without_a_call_is_done_where_somebody_was_faster(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    struct converge_effects effects;
    struct converge_summary summary;
    char expected[32];
    harness_init(&h);
    harness_manifest(&h, VPC(", description: one thing"));
    EXPECT_APPLIED(&h, NULL);
    harness_manifest(&h, VPC(", description: another"));
    EXPECT_PLAN(&h, "~ Vpc/main description\n");
    struct object *vpc = world_find(h.world, KIND_VPC, text_of(harness_id(&h, "Vpc/main")));
    vpc->values[VPC_DESCRIPTION] = value_cstr("another");
    (void)snprintf(expected, sizeof expected, "%d  recorded", (int)PROGRESS_DONE);
    converge_without_calls(&h, &effects, &summary);
    assert_string_equal(buf_str(&h.progress), expected);
    assert_int_equal(summary.n_changed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_without_a_call_fails_while_the_difference_is_there),
        cmocka_unit_test(an_update_without_a_call_is_done_where_somebody_was_faster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

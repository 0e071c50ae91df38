/* drive.h - runs the engine over a harness's plan. */
#pragma once

#include "tests/support/harness.h"

#define HARNESS_EPOCH_MS INT64_C(1700000000000)

static inline int64_t harness_unix_ms(const struct harness *h)
{
    return HARNESS_EPOCH_MS + h->now_ms;
}

static inline struct body body_of(const struct mock_answer *a)
{
    return (struct body){.text = {a->body, a->body_size}, .document = a->document};
}

/* Steps the engine to its end, or to where the script cuts it. Returns the summary's class. */
enum err_code drive(struct harness *h, const struct apply_script *script);

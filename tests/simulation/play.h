/* play.h - a story is played, and what must hold at its end is checked. */
#pragma once

#include "tests/simulation/story.h"

struct play_options {
    bool traces;           /* plans, traces and manifests to standard error */
    unsigned quiet_passes; /* after convergence, each without a call that changes or a write */
};

struct verdict {
    bool failed;
    char why[2000];
    char digest[65]; /* of everything that was done */
};

void play(const struct story *s, const struct play_options *options, struct counters *counters,
          struct verdict *out);

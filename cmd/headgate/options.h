/* options.h - the flags of all commands, as one table, and what a command line gives for them.
 *
 * Long flags take one or two dashes (`-out`, `--out`), values follow as `--out FILE` or `--out=FILE`;
 * switches take `=true` and `=false`. Flags may stand anywhere; `--` ends them. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/buf.h"
#include "reconciler/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum flag {
    FLAG_FILE,
    FLAG_STATE,
    FLAG_MOCK,
    FLAG_STACK,
    FLAG_VAR,
    FLAG_NO_COLOR,
    FLAG_HELP,
    FLAG_VERSION,
    FLAG_OUT,
    FLAG_JSON,
    FLAG_DETAILED_EXITCODE,
    FLAG_REFRESH,
    FLAG_PRUNE,
    FLAG_ALLOW_EMPTY,
    FLAG_TARGET,
    FLAG_EXCLUDE,
    FLAG_REPLACE,
    FLAG_CONCISE,
    FLAG_DESTROY,
    FLAG_LOCK_TIMEOUT,
    FLAG_AUTO_APPROVE,
    FLAG_PARALLELISM,
    FLAG_TRACE,
    FLAG_UNMANAGED,
    FLAG_OUTPUT,
    FLAG_FORMAT,
    FLAG_PLAN,
    FLAG_LIMIT,
    FLAG_RUN,
    FLAG_SPEED,
    FLAG_LATENCY,
    FLAG_COUNT,
    FLAG_CHANGES,
    FLAG_CLEAR,
    FLAG_FORCE,
    FLAG_REGION,
    N_FLAGS,
};
_Static_assert(N_FLAGS <= 64, "sets of flags are uint64_t");
#define FLAG_BIT(f) ((uint64_t)1 << (f))

struct option {
    bool given;
    bool on;          /* switches */
    const char *text; /* values: the last one given */
    int64_t num;      /* numbers; durations in ms */
    double real;
    const char **items; /* flags that may be repeated */
    size_t n, capacity;
};

struct options {
    struct option flags[N_FLAGS];
    uint64_t given;    /* bit per flag */
    const char **args; /* what is no flag, in order */
    size_t n_args;
    const char *unknown; /* the first flag that does not exist, with its dashes; NULL: none */
};

/* Reads a command line (without the program's name). Unknown flags are remembered, so that the command can
 * suggest one of its own. Borrows from argv; lists are in 'arena'. ERR_INPUT for a bad or missing value. */
MUST_CHECK enum err_code options_parse(struct arena *arena, int argc, char *const *argv, struct options *out,
                                       struct err *err);

const char *flag_name(enum flag f); /* "out" */
/* The flag of 'allowed' whose name is nearest to a mistyped one; NULL when none is near. */
const char *flag_nearest(const char *word, uint64_t allowed);
/* One line per flag of 'flags', aligned: "  --out FILE     Save the plan". */
void flags_help(struct buf *out, uint64_t flags);

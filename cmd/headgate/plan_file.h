/* plan_file.h - saved plans.
 *
 * A saved plan does not hold calls but what a plan is a function of: the manifests as they were read, the
 * variables and the options; and how each change looked. `apply FILE` plans again from the same input and
 * goes on only when the same changes come out and the stack's state is where it was. So a saved plan cannot
 * do anything that its reviewer did not see, and needs no format of its own for values. */
#pragma once

#include "reconciler/loop/pass.h"

struct plan_file {
    struct pass_options options; /* sources, variables, stack and scope; the rest is the caller's */
    int64_t serial;
    const char *created;  /* RFC 3339 */
    const char *state_id; /* "" when there was no state file yet */
    struct planned {
        const char *address, *action, *digest;
    } * changes;
    size_t n_changes;
};

/* Writes the pass's plan: mode 0600, as a whole or not at all. Names must be UTF-8; the manifests' bytes need
 * not be. */
MUST_CHECK enum err_code plan_file_write(const char *path, struct pass *p, const struct pass_options *options,
                                         struct err *err);
/* Whether 'path' is a file that begins like a saved plan. */
bool plan_file_is(const char *path);
/* Reads one; everything belongs to 'arena'. ERR_INPUT when it is damaged or of another format. */
MUST_CHECK enum err_code plan_file_read(const char *path, struct arena *arena, struct plan_file *out,
                                        struct err *err);
/* Whether the pass plans what was saved: ERR_STALE names each address that differs, and how. */
MUST_CHECK enum err_code plan_file_compare(const struct plan_file *f, struct pass *p, struct err *err);

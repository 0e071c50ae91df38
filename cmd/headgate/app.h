/* app.h - what the commands of the program share: the command line, where output goes, how it ends.
 *
 * Results go to standard output, diagnostics to standard error. Text from outside is escaped before it is
 * printed. A command returns an exit code; docs/exit-codes.md is the contract. */
#pragma once

#include "cmd/headgate/options.h"
#include "reconciler/base/arena.h"
#include "reconciler/base/buf.h"
#include "reconciler/base/diag.h"
#include "reconciler/base/err.h"
#include "reconciler/loop/pass.h"

#include <stdbool.h>
#include <stdint.h>

enum exit_code {
    DONE_OK = 0,          /* done, or no differences */
    DONE_ERROR = 1,       /* input, provider, state */
    DONE_DIFFERENCES = 2, /* --detailed-exitcode */
    DONE_DENIED = 3,      /* credentials */
    DONE_REFUSED = 4,     /* a guard or policy */
    DONE_LOCKED = 5,
    DONE_STALE = 6,
    DONE_CANCELED = 7,
    DONE_TIMEOUT = 8,
};

struct app;
struct command {
    const char *name;    /* "plan", "state list" */
    const char *args;    /* "ADDRESS ID", or "" */
    const char *summary; /* one line for the list of commands */
    const char *detail;  /* more, or NULL */
    uint64_t flags;
    size_t min_args, max_args;
    enum exit_code (*run)(struct app *app);
};

struct app {
    struct arena *arena; /* lives as long as the program */
    struct options options;
    const struct command *command;
    const char *const *args; /* behind the command's name */
    size_t n_args;
    bool color;       /* standard output is a terminal that may be coloured */
    bool color_err;   /* … standard error */
    bool live;        /* standard output is a terminal where lines can be drawn again */
    bool json_events; /* diagnostics go to standard output, as events */
};

enum { OUTPUT_LIMIT = 1 << 30 }; /* bytes of one piece of output */

static inline bool app_has(const struct app *app, enum flag f)
{
    return app->options.flags[f].given;
}
static inline bool app_on(const struct app *app, enum flag f)
{
    return app->options.flags[f].on;
}
/* NULL when it is not given. */
static inline const char *app_text(const struct app *app, enum flag f)
{
    return app->options.flags[f].text;
}
/* The flag's number, or what it is by default. */
int64_t app_number(const struct app *app, enum flag f, int64_t otherwise);

const char *app_state_path(const struct app *app);
const char *app_mock_path(const struct app *app);
/* Who runs the program, for the history: static. */
const char *app_user(void);

enum exit_code exit_code_of(enum err_code code);
/* Writes to standard output and flushes, so that what is said is seen at once. */
void app_print(const struct buf *b);
void app_puts(const char *s);
/* Diagnostics to standard error. */
void app_show_diags(const struct app *app, const struct diags *diags);
/* "Error: …" on standard error (or as an event), with the diagnostics before it ('diags' may be NULL);
 * returns the exit code. */
enum exit_code app_fail(const struct app *app, const struct err *err, const struct diags *diags);
/* A wrong command line: says where help is. */
enum exit_code app_usage(const struct app *app, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The output did not fit into memory. */
enum exit_code app_nomem(const struct app *app);

/* Asks on the terminal; only "yes" counts. Without a terminal: ERR_INPUT. An interrupt, the end of input and
 * every other answer are ERR_CANCELED. 'question' is printed as it is. */
MUST_CHECK enum err_code app_confirm(const char *question, struct err *err);
/* "yes" is not asked for: --auto-approve. */
bool app_is_approved(const struct app *app);

/* The manifests that -f and the arguments name; their bytes into 'bytes', the rest into app->arena. None at
 * all is ERR_INPUT. */
MUST_CHECK enum err_code app_read_sources(struct app *app, struct arena *bytes, struct diags *diags,
                                          struct source **out, size_t *n, struct err *err);
/* --var. ERR_INPUT for one without `=`. */
MUST_CHECK enum err_code app_variables(struct app *app, const struct param_value **out, size_t *n,
                                       struct err *err);
/* Options of a pass from the flags: paths, variables, scope, lock. Sources are the caller's to set. */
MUST_CHECK enum err_code app_pass_options(struct app *app, const char *operation, struct pass_options *out,
                                          struct err *err);
/* Reads the manifests and opens a pass. --prune decides about pruning, else the Stack. On error *out may be
 * NULL; app_fail_pass() shows what there is to show. */
MUST_CHECK enum err_code app_open_pass(struct app *app, struct pass_options *options, struct pass **out,
                                       struct err *err);
void pass_freep(struct pass **p);
/* app_fail() for a pass that may be NULL. */
enum exit_code app_fail_pass(const struct app *app, struct pass *p, const struct err *err);

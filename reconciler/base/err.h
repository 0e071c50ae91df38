/* err.h - how a failed operation tells what happened.
 *
 * A fallible function returns one code and fills one 'struct err'. The message says what was wrong, on which
 * address, with which value and what would be right; nobody parses it, code decides by 'code'. */
#pragma once

#include "reconciler/base/macros.h"

#include <stdarg.h>
#include <stdint.h>

#define ERR_CODES(X)                                                                                         \
    X(OK, "ok")                                                                                              \
    X(INPUT, "the input is wrong")                                                                           \
    X(LIMIT, "a documented limit was exceeded")                                                              \
    X(DENIED, "the credentials do not allow this")                                                           \
    X(GUARD, "a guard or policy refused")                                                                    \
    X(CONFLICT, "what exists is in the way")                                                                 \
    X(STALE, "what we planned on has changed")                                                               \
    X(LOCKED, "somebody else holds the lock")                                                                \
    X(UNKNOWN, "the call may or may not have taken place")                                                   \
    X(BUSY, "throttled, locked or out of reach")                                                             \
    X(PROVIDER, "the cloud refused or failed")                                                               \
    X(STATE, "the state file cannot be used")                                                                \
    X(IO, "a file or device failed")                                                                         \
    X(NOMEM, "out of memory")                                                                                \
    X(TIMEOUT, "it took too long")                                                                           \
    X(CANCELED, "the caller gave up")                                                                        \
    X(CHANGED, "differences were found (not a failure)")

#define ERR_ENUM(name, text) ERR_##name,
enum err_code { ERR_CODES(ERR_ENUM) ERR_N_CODES };

/* A place in the user's input. Line and column start at 1; line 0: no position. 'file' is borrowed. */
struct src_pos {
    const char *file;
    uint32_t line, column;
};

struct err {
    enum err_code code;
    struct src_pos pos; /* where in the user's input, if anywhere */
    const char *origin; /* where in our source ("store.c:88"), for debugging only */
    char msg[768];      /* outermost context first; cut when too long, never allocated */
};

/* Both return the code, so that a failure is one line. 'e' may be NULL.
 * err_wrap() puts context in front ("a: b") and keeps code, position and origin. */
enum err_code err_set_at(struct err *e, enum err_code code, const char *origin, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
enum err_code err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
#define err_set(e, code, ...) err_set_at((e), (code), SOURCE_LINE, __VA_ARGS__)
#define err_nomem(e)          err_set_at((e), ERR_NOMEM, SOURCE_LINE, "out of memory")

/* The name of a code ("INPUT"), static. */
const char *err_code_name(enum err_code code);

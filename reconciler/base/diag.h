/* diag.h - what is wrong with the user's input: a list, so that everything is told at once. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/err.h"

#include <stdbool.h>

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct diag {
    enum severity severity;
    struct src_pos pos;  /* line 0: none */
    const char *address; /* "VSwitch/web", or NULL */
    const char *summary; /* what is wrong: "unknown field `cidrBlok`" */
    const char *help;    /* what would be right: "did you mean `cidrBlock`?", or NULL */
    const char *line;    /* the source line, escaped for a terminal, or NULL */
};

struct diags {
    struct arena *arena;
    struct diag *items; /* the first LIMIT_DIAGNOSTICS, in the order found */
    size_t n, capacity;
    size_t n_errors, n_warnings; /* all of them, also those not kept */
    bool out_of_memory;
};

void diags_init(struct diags *d, struct arena *arena);

/* Adds one; the text is copied into the arena. 'help' may be NULL. Returns the entry, to have more set, or
 * NULL when it was only counted (limit or memory). */
struct diag *diags_add(struct diags *d, enum severity severity, struct src_pos pos, const char *address,
                       const char *help, const char *fmt, ...) PRINTF_LIKE(6, 7);

/* Orders by file, line, column (stable), those without a position last. */
void diags_sort(struct diags *d);

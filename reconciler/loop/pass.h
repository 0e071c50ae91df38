/* pass.h - one pass over a stack: read, observe, plan, and (when asked) converge. What `plan`, `apply`,
 * `destroy`, `drift` and `import` of the command line share, and the daemon later.
 *
 * A pass owns an arena in which everything that it reads and plans lives, and its own libuv loop. The
 * functions block until their part is done; progress and interrupts come in through the callbacks. */
#pragma once

#include "providers/mock/mock.h"
#include "providers/provider.h"
#include "reconciler/base/diag.h"
#include "reconciler/converge/converge.h"
#include "reconciler/manifest/manifest.h"
#include "reconciler/plan/plan.h"
#include "state/store.h"

#include <stdbool.h>

struct pass;

struct pass_options {
    const char *state_path;   /* NULL: ".headgate/state.db" */
    const char *mock_path;    /* NULL: ".headgate/mock.db" */
    const char *const *files; /* -f; none and no sources: the manifests are empty (destroy --stack) */
    size_t n_files;
    const struct source *sources; /* instead of files: what was read already, or those of a saved plan */
    size_t n_sources;
    bool keep_sources; /* for pass_view(); else their bytes may go when pass_open() has returned */
    const struct param_value *variables;
    size_t n_variables;
    const char *stack;     /* --stack NAME; NULL: what the manifests say */
    const char *operation; /* "plan", "apply", … for the lock */
    bool lock;             /* take the stack's lock, open the state for writing */
    int64_t lock_timeout_ms;
    bool refresh;   /* observe the cloud; else believe the records */
    bool unmanaged; /* observe everything in our VPCs */
    bool destroy, allow_empty;
    enum prune { PRUNE_AS_DECLARED, PRUNE_ALWAYS, PRUNE_NEVER } prune; /* as the Stack declares, or not */
    const struct text *targets, *excludes, *replaces;
    size_t n_targets, n_excludes, n_replaces;
    uint32_t parallelism;
    void (*waiting)(void *ctx,
                    const char *what); /* "Acquiring state lock…": said after 400 ms; may be NULL */
    void *ctx;
};

/* What the caller may look at. Everything belongs to the pass. */
struct pass_view {
    struct arena *arena;
    struct diags *diags;
    const struct source *sources; /* none unless options.keep_sources */
    size_t n_sources;
    const struct desired *desired;
    const struct records *records;
    struct world *world;
    const struct plan *plan; /* NULL before pass_plan() */
    struct store *store;
    int64_t serial;               /* of the stack's state when it was read */
    const struct intent *intents; /* open ones */
    size_t n_intents;
    const char *provider, *region;
    struct text stack;
    bool took_over_lock;
    struct lock_holder lock_holder;
    uint32_t n_list_calls;
};

/* Reads and checks the manifests, opens the state, takes the lock. ERR_INPUT with diagnostics. On error *out
 * is still given (to look at the diagnostics) unless out of memory, and is to be freed. */
MUST_CHECK enum err_code pass_open(const struct pass_options *options, struct pass **out, struct err *err);
/* Observes and plans. */
MUST_CHECK enum err_code pass_plan(struct pass *p, struct err *err);
/* Objects in our VPCs (or of unknown owner beside ours) that no manifest owns; needs options.unmanaged. In
 * the arena. */
MUST_CHECK enum err_code pass_unmanaged(struct pass *p, const struct object *const **out, size_t *n,
                                        struct err *err);

struct pass_apply_options {
    /* Called for each step's news, in order. */
    void (*progress)(void *ctx, struct pass *p, const struct progress *news);
    /* Called about every 200 ms while the engine runs, for live views; may be NULL. */
    void (*tick)(void *ctx, struct pass *p);
    void *ctx;
    const char *trace_path; /* engine trace, appended; NULL: none */
    const char *user;
};
/* Carries the plan out. SIGINT and SIGTERM are handled while it runs: once stops gracefully, twice at once.
 * ERR_OK when all was done; else the class of the first failure (ERR_CANCELED when interrupted), with
 * *summary in any case. */
MUST_CHECK enum err_code pass_apply(struct pass *p, const struct pass_apply_options *options,
                                    struct converge_summary *summary, struct err *err);
/* For live views, from progress() or tick(). */
struct converge *pass_engine(struct pass *p);
int64_t pass_now_ms(const struct pass *p);
bool pass_interrupted(const struct pass *p);

/* Records an existing object under an address (`import`): looks it up, checks that it exists and is nobody
 * else's, writes the record. */
MUST_CHECK enum err_code pass_import(struct pass *p, enum kind kind, struct text name, const char *id,
                                     struct err *err);

void pass_view(struct pass *p, struct pass_view *out);
/* Releases the lock and frees everything; accepts NULL. */
void pass_free(struct pass *p);

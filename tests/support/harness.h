/* harness.h - a whole pass on a virtual clock: manifests, observation, plan and engine over the simulated
 * cloud, without libuv, files or sleeping.
 *
 * Everything that is not under test is an ASSERT: a harness function that fails aborts the test program with
 * the position. */
#pragma once

#include "providers/mock/mock.h"
#include "reconciler/base/diag.h"
#include "reconciler/converge/converge.h"
#include "reconciler/plan/plan.h"
#include "tests/support/memory.h"
#include "tests/support/plan_dump.h"

struct param_value;

/* What a test does to an apply. Zero: nothing. */
struct apply_script {
    int64_t persist_ms;          /* how long a write takes */
    uint32_t fail_persist;       /* the n-th write (from 1) and those after it fail */
    enum err_code persist_error; /* … with this; ERR_OK: ERR_STATE */
    uint32_t cut_at;             /* the process dies at the n-th boundary between two effects (from 1) */
    int64_t interrupt_at_ms;     /* since the start of the apply */
    int64_t interrupt_again_ms;
    uint32_t parallelism;
    double rate_per_s;
    /* The next calls of an operation that fail, counted from the start of the engine. */
    const char *fail_operation, *fail_code;
    unsigned fail_count;
};

struct harness {
    struct mock *mock;
    struct memory memory;
    /* A store beside the memory; NULL: none. What it does not take the memory does not get either, and the
     * engine is told its code. */
    enum err_code (*keep)(void *ctx, const struct note *notes, size_t n);
    void *keep_ctx;
    /* How calls reach the simulated cloud; mock_call() on 'mock' unless a test puts something in between. */
    enum err_code (*call)(void *ctx, int64_t now_unix_ms, const struct request *r, struct mock_answer *answer,
                          struct err *err);
    void *call_ctx;
    int64_t now_ms;  /* virtual */
    int64_t skew_ms; /* by how much the program's own clock is ahead of the cloud's */
    double time_scale;
    /* What the manifests are; set by harness_manifest(). */
    char *manifest;
    struct arena *loaded; /* what 'desired' was read into, while neither text nor variables change */
    bool keeps;           /* nothing had to be said about it */
    const char *folder;
    const struct param_value *variables;
    size_t n_variables;
    struct plan_options options; /* prune: true; the stack is filled in */
    bool unmanaged;

    /* Of the last pass. */
    struct arena *arena;
    struct diags diags;
    struct desired desired;
    struct records records;
    struct world *world;
    const struct cloud *cloud;
    const struct plan *plan;
    struct err err;
    struct buf text;
    uint32_t n_list_calls; /* of observing */
    /* Of the last apply. */
    struct converge_summary summary;
    struct buf trace;
    struct buf progress;   /* one line a failed or skipped step: "failed Eip/eip1: …" */
    uint32_t n_boundaries; /* effects carried out */
    uint32_t n_steps;      /* of the engine */
    uint32_t n_wakes;
    bool was_cut;
    enum cut_where { CUT_BEFORE_WRITE, CUT_AFTER_WRITE, CUT_BEFORE_CALL, CUT_AFTER_CALL } cut_where;
    int64_t took_ms;
};

void harness_init(struct harness *h);
void harness_fini(struct harness *h);

/* The manifests of the passes to come: YAML text, copied; or a folder below manifests/. */
void harness_manifest(struct harness *h, const char *yaml);
void harness_manifest_folder(struct harness *h, const char *folder);

/* Reads, observes and plans. The code is plan_build()'s or manifest_load()'s. */
enum err_code harness_plan(struct harness *h);
/* The same, as text: the dump, or "CODE: …" and the diagnostics. Valid until the next pass. */
const char *harness_plan_text(struct harness *h, uint32_t flags);
/* Plans and applies; the summary's class. With NULL: nothing special. */
enum err_code harness_apply(struct harness *h, const struct apply_script *script);
/* Everything that is ours is deleted. */
enum err_code harness_destroy(struct harness *h, const struct apply_script *script);

/* ---- The simulated cloud ---- */
/* The ledger's changing calls, or (refused) only those that were refused, changing or not. Valid until the
 * next call. */
const char *harness_calls(struct harness *h);
const char *harness_refused(struct harness *h);
uint32_t harness_n_changing_calls(struct harness *h);
void harness_clear_ledger(struct harness *h);
void harness_fail_next(struct harness *h, const char *operation, const char *code, unsigned count);
void harness_option(struct harness *h, const char *name, const char *value);
/* The cloud's id of what is recorded under an address; "" when nothing is. */
const char *harness_id(struct harness *h, const char *address);
/* Behind headgate's back. */
void harness_set(struct harness *h, const char *address, const char *assignment);
void harness_delete(struct harness *h, const char *address);
/* Calls the cloud as somebody else would: "CreateVpc", {"CidrBlock", "10.0.0.0/8", …, NULL}; time goes on
 * until everything is at rest. Returns the answer's text at 'member' (a name at the top), "" without. */
const char *harness_call(struct harness *h, const char *product, const char *operation,
                         const char *const *params, const char *member);
/* How many objects of a type there are (mock_list()'s types; NULL: all). */
size_t harness_count(struct harness *h, const char *type);
/* Lets time pass. */
void harness_wait(struct harness *h, int64_t ms);

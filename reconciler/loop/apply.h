/* apply.h - runs the engine on a libuv loop: carries out its effects and brings back events.
 *
 * In the order that the engine asks for: notes are made durable by the store worker, then the calls that
 * waited for them are sent. The contract, as of every asynchronous request of headgate:
 *  1. the caller owns the memory and keeps it until 'done';
 *  2. 'done' runs exactly once, later, on the loop thread: never inside apply_start(), also after
 * apply_interrupt() and at shutdown;
 *  3. inside 'done' the caller may free the request or start it again. */
#pragma once

#include "providers/provider.h"
#include "reconciler/converge/converge.h"
#include "reconciler/loop/notes.h"
#include "reconciler/loop/store_worker.h"

#include <stdio.h>
#include <uv.h>

struct apply;
typedef void apply_done_fn(struct apply *a, enum err_code code);

struct apply {
    /* Set before apply_start(); borrowed until 'done'. */
    uv_loop_t *loop;
    struct provider *provider;
    struct store_worker *worker;
    struct converge *engine;
    struct text stack;
    struct run_row run; /* operation, user, digest; the rest is filled in */
    FILE *trace;        /* or NULL */
    void (*progress)(struct apply *a, const struct progress *news); /* or NULL */
    apply_done_fn *done;
    void *ctx; /* the caller's own */
    /* Readable in done(). */
    struct converge_summary summary;
    struct err err;
    /* Private to apply.c. */
    uv_timer_t timer;
    struct store_job job;
    struct note_writes writes;
    struct apply_send *sends;
    uint32_t n_sends;
    enum apply_state {
        APPLY_IDLE,
        APPLY_OPENING,
        APPLY_RUNNING,
        APPLY_DRAINING,
        APPLY_CLOSING_RUN,
        APPLY_CLOSING
    } state;
    bool job_under_way, unrecorded;
};

void apply_start(struct apply *a);
/* As EV_INTERRUPT: once stops gracefully, twice at once. Nothing when it is over. */
void apply_interrupt(struct apply *a);

/* store_worker.h - store writes off the loop, one after another.
 *
 * A commit waits for the disk, and a store is used by one thread at a time: so jobs go to libuv's thread pool
 * in the order in which they were started, never two at once. While the worker is not idle nobody else may
 * touch its store.
 *
 * The contract of a job, as of every asynchronous request of headgate:
 *  1. the caller owns the memory and keeps it until 'done';
 *  2. 'done' runs exactly once, later, on the loop thread: never inside store_job_start(), also after
 *     store_job_cancel() (ERR_CANCELED) and at shutdown;
 *  3. inside 'done' the caller may free the job or start it again. */
#pragma once

#include "reconciler/base/err.h"
#include "state/store.h"

#include <stdbool.h>
#include <uv.h>

struct store_worker;
struct store_job;
typedef void store_job_done_fn(struct store_job *j, enum err_code code);
typedef void store_worker_closed_fn(struct store_worker *w);

/* One transaction: see store_write(). */
struct store_job {
    /* Set before store_job_start(). What 'writes' points to is the worker's until 'done': the store may write
     * to it (run ids), the loop must not. */
    struct text stack;
    const struct write *writes;
    size_t n_writes;
    store_job_done_fn *done;
    void *ctx; /* the caller's own */
    /* Readable in done(). */
    struct err err; /* why it failed */
    /* Private to store_worker.c. */
    struct store_worker *worker;
    struct store_job *next;
    enum err_code code;
    bool canceled;
};

struct store_worker {
    /* Private to store_worker.c. */
    struct store *store;
    uv_loop_t *loop;
    uv_work_t work;
    struct store_job *head, *tail; /* the head is next or under way */
    bool busy;                     /* the thread pool has 'work', or its 'done' is running */
    bool closing;
    store_worker_closed_fn *closed;
    void *ctx; /* the caller's own */
};

/* 'loop' and 'store' are borrowed until closed. */
void store_worker_init(struct store_worker *w, uv_loop_t *loop, struct store *store);
/* Whether no job is waiting or under way, so that the store may be used on the loop thread (in the 'done' of
 * the last job, too). */
bool store_worker_is_idle(const struct store_worker *w);
/* Finishes all jobs, then calls 'closed' on the loop, later, where the worker may be freed. No job is started
 * after this. The store stays open. */
void store_worker_close(struct store_worker *w, store_worker_closed_fn *closed);

void store_job_start(struct store_worker *w, struct store_job *j);
/* A job whose turn has not come is not written and ends with ERR_CANCELED, in its turn. A write that has
 * begun cannot be stopped and ends with its own result, so that ERR_CANCELED always means: not written. */
void store_job_cancel(struct store_job *j);

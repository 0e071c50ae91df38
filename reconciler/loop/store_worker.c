/* store_worker.c - a queue of writes before one uv_work_t.
 *
 * The head of the queue is what the thread pool works on; it leaves the queue when it comes back. The end of
 * the worker comes back the same way, from an empty piece of work. */
#include "reconciler/loop/store_worker.h"

static void write_head(uv_work_t *work);
static void head_written(uv_work_t *work, int status);

static void queue_work(struct store_worker *w, uv_work_cb run, uv_after_work_cb after)
{
    int rc = uv_queue_work(w->loop, &w->work, run, after);
    ASSERT(rc == 0); /* fails without a callback only */
}

static void write_head(uv_work_t *work)
{
    struct store_worker *w = CONTAINER_OF(work, struct store_worker, work);
    struct store_job *j = w->head;
    j->code = store_write(w->store, j->stack, j->writes, j->n_writes, &j->err);
}

static void nothing(uv_work_t *work)
{
    (void)work;
}

static void worker_closed(uv_work_t *work, int status)
{
    (void)status; /* nobody cancels it */
    struct store_worker *w = CONTAINER_OF(work, struct store_worker, work);
    w->closed(w); /* may free w */
}

/* Begins what is at the head of the queue, or the end. */
static void begin_next(struct store_worker *w)
{
    ASSERT(!w->busy);
    w->busy = w->head != NULL || w->closing;
    if (w->head != NULL)
        queue_work(w, w->head->canceled ? nothing : write_head, head_written);
    else if (w->closing)
        queue_work(w, nothing, worker_closed);
}

static void head_written(uv_work_t *work, int status)
{
    (void)status; /* when canceled, the job's code has not changed: see store_job_start() */
    struct store_worker *w = CONTAINER_OF(work, struct store_worker, work);
    struct store_job *j = w->head;
    ASSERT(w->busy && j != NULL);
    w->head = j->next;
    if (w->head == NULL) w->tail = NULL;
    j->worker = NULL;
    if (j->code == ERR_CANCELED) (void)err_set(&j->err, ERR_CANCELED, "canceled before it was written");
    j->done(j, j->code); /* may start jobs and close: busy makes them wait for the next line */
    w->busy = false;
    begin_next(w);
}

void store_worker_init(struct store_worker *w, uv_loop_t *loop, struct store *store)
{
    *w = (struct store_worker){.loop = loop, .store = store};
}

bool store_worker_is_idle(const struct store_worker *w)
{
    return w->head == NULL;
}

void store_worker_close(struct store_worker *w, store_worker_closed_fn *closed)
{
    ASSERT(!w->closing && closed != NULL);
    w->closing = true;
    w->closed = closed;
    if (!w->busy) begin_next(w);
}

void store_job_start(struct store_worker *w, struct store_job *j)
{
    ASSERT(!w->closing);
    ASSERT(j->done != NULL && (j->n_writes == 0 || j->writes != NULL));
    j->worker = w;
    j->next = NULL;
    j->canceled = false;
    j->code = ERR_CANCELED; /* until it is written */
    j->err = (struct err){0};
    if (w->tail != NULL)
        w->tail->next = j;
    else
        w->head = j;
    w->tail = j;
    if (!w->busy) begin_next(w);
}

void store_job_cancel(struct store_job *j)
{
    struct store_worker *w = j->worker;
    if (w == NULL) return; /* over already */
    j->canceled = true;
    if (j == w->head) (void)uv_cancel((uv_req_t *)&w->work); /* UV_EBUSY: it has begun and ends by itself */
}

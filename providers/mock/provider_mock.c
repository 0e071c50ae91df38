/* provider_mock.c - delivers the simulator's answers on the loop, when they are due.
 *
 * What is under way is a list sorted by the time at which it arrives; one timer is set to its head. A request
 * for which there is no memory to remember its answer is linked by its own private pointer instead, so that
 * its 'done' runs, too. */
#include "providers/mock/provider_mock.h"

#include <time.h>

/* An answer on its way. */
struct pending {
    struct pending *next;
    struct send *send;
    uint64_t due_ms; /* on the loop's clock */
    uint64_t seq;    /* when it was put here, to deliver no answer in the turn in which it was asked for */
    enum send_fate fate;
    struct mock_answer answer;
    struct err err;
};

struct provider_mock {
    struct provider base;
    struct mock *mock;
    uv_timer_t timer;
    struct pending *pending;    /* by due_ms, then seq */
    struct send *out_of_memory; /* linked by send.private */
    uint64_t next_seq;
    bool delivering, closing, timer_closing;
    void (*closed)(struct provider *p, void *ctx);
    void *closed_ctx;
};

static struct provider_mock *mock_of(struct provider *p)
{
    return CONTAINER_OF(p, struct provider_mock, base);
}

static int64_t wall_clock_ms(void)
{
    struct timespec t;
    int rc = clock_gettime(CLOCK_REALTIME, &t);
    ASSERT(rc == 0); /* CLOCK_REALTIME is always there */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void timer_closed(uv_handle_t *h)
{
    struct provider_mock *p = h->data;
    p->closed(&p->base, p->closed_ctx); /* may free p */
}

static void deliver_due(uv_timer_t *t);

/* Sets the timer to what comes next, or ends when the provider is closing and nothing does. */
static void arm(struct provider_mock *p)
{
    if (p->delivering || p->timer_closing) return; /* deliver_due() arms at its end */
    uint64_t now = uv_now(p->base.loop);
    if (p->out_of_memory != NULL) {
        (void)uv_timer_start(&p->timer, deliver_due, 0, 0); /* fails without a callback only */
    } else if (p->pending != NULL) {
        uint64_t due = p->pending->due_ms;
        (void)uv_timer_start(&p->timer, deliver_due, due > now ? due - now : 0, 0);
    } else if (p->closing) {
        p->timer_closing = true;
        uv_close((uv_handle_t *)&p->timer, timer_closed);
    } else {
        (void)uv_timer_stop(&p->timer); /* never fails */
    }
}

static void insert(struct provider_mock *p, struct pending *item)
{
    item->seq = p->next_seq++;
    struct pending **link = &p->pending;
    while (*link != NULL && (*link)->due_ms <= item->due_ms) link = &(*link)->next;
    item->next = *link;
    *link = item;
}

static void finish(struct pending *item)
{
    struct send *s = item->send;
    s->fate = item->fate;
    s->err = item->err;
    if (item->fate == SEND_ANSWERED) {
        s->http_status = item->answer.http_status;
        s->body = TAKE(item->answer.body);
        s->body_size = item->answer.body_size;
    }
    free(item->answer.body);
    free(item);
    s->private = NULL;
    s->done(s);
}

static void deliver_due(uv_timer_t *t)
{
    struct provider_mock *p = t->data;
    uint64_t now = uv_now(p->base.loop), end = p->next_seq;
    struct send *failed = TAKE(p->out_of_memory);
    p->delivering = true;
    while (failed != NULL) {
        struct send *s = failed;
        failed = s->private;
        s->private = NULL;
        s->done(s);
    }
    /* 'done' may start and cancel others, so the head is looked at anew each time. */
    while (p->pending != NULL && p->pending->due_ms <= now && p->pending->seq < end) {
        struct pending *item = p->pending;
        p->pending = item->next;
        finish(item);
    }
    p->delivering = false;
    arm(p);
}

/* Whether and how the answer arrives, and when. */
static void decide_fate(struct pending *item, int64_t timeout_ms, uint64_t now)
{
    int64_t latency_ms = MAX_OF(item->answer.latency_ms, 0);
    bool late = timeout_ms > 0 && latency_ms >= timeout_ms;
    if (late) {
        item->fate = SEND_UNKNOWN;
        (void)err_set(&item->err, ERR_UNKNOWN, "timed out after %lld ms", (long long)timeout_ms);
    } else if (item->answer.fault != MOCK_NO_FAULT) {
        item->fate = SEND_UNKNOWN;
        (void)err_set(&item->err, ERR_UNKNOWN, "connection reset");
    } else {
        item->fate = SEND_ANSWERED;
    }
    item->due_ms = now + (uint64_t)(late ? timeout_ms : latency_ms);
}

static void send_start(struct provider *base, struct send *s)
{
    struct provider_mock *p = mock_of(base);
    ASSERT(s->request != NULL && s->done != NULL);
    ASSERT(!p->timer_closing);
    s->provider = base;
    s->private = NULL;
    s->fate = SEND_NOT_SENT;
    s->http_status = 0;
    s->body = NULL;
    s->body_size = 0;
    s->err = (struct err){0};
    struct pending *item = calloc(1, sizeof *item);
    if (item == NULL) {
        (void)err_nomem(&s->err);
        s->private = p->out_of_memory;
        p->out_of_memory = s;
        arm(p);
        return;
    }
    uint64_t now = uv_now(base->loop);
    item->send = s;
    item->due_ms = now;
    if (p->closing) {
        item->fate = SEND_NOT_SENT;
        (void)err_set(&item->err, ERR_CANCELED, "the provider is closing");
    } else if (mock_call(p->mock, wall_clock_ms(), s->request, &item->answer, &item->err) != ERR_OK) {
        item->fate = SEND_UNKNOWN;
        (void)err_wrap(&item->err, "the simulated cloud failed in %s", s->request->operation);
    } else {
        decide_fate(item, s->timeout_ms, now);
    }
    s->private = item;
    insert(p, item);
    arm(p);
}

static void send_cancel(struct provider *base, struct send *s)
{
    struct provider_mock *p = mock_of(base);
    struct pending **link = &p->pending;
    while (*link != NULL && (*link)->send != s) link = &(*link)->next;
    if (*link == NULL) return; /* out of memory: is told at once anyway */
    struct pending *item = *link;
    *link = item->next;
    item->fate = SEND_CANCELED;
    (void)err_set(&item->err, ERR_CANCELED, "canceled");
    item->due_ms = uv_now(base->loop);
    insert(p, item);
    arm(p);
}

static void close_start(struct provider *base, void (*closed)(struct provider *p, void *ctx), void *ctx)
{
    struct provider_mock *p = mock_of(base);
    ASSERT(!p->closing && closed != NULL);
    p->closing = true;
    p->closed = closed;
    p->closed_ctx = ctx;
    arm(p);
}

static void free_provider(struct provider *base)
{
    struct provider_mock *p = mock_of(base);
    ASSERT(p->timer_closing && p->pending == NULL);
    free(p);
}

static const struct provider_ops mock_ops = {
    .api_version = PROVIDER_API_VERSION,
    .send_start = send_start,
    .send_cancel = send_cancel,
    .close = close_start,
    .free = free_provider,
};

enum err_code provider_mock_open(uv_loop_t *loop, const struct cloud *cloud, struct mock *mock,
                                 struct provider **out, struct err *err)
{
    struct provider_mock *p = calloc(1, sizeof *p);
    if (p == NULL) return err_nomem(err);
    p->base = (struct provider){.ops = &mock_ops, .cloud = cloud, .loop = loop, .account = "mock"};
    p->mock = mock;
    int rc = uv_timer_init(loop, &p->timer);
    if (rc != 0) {
        free(p);
        return err_set(err, ERR_IO, "cannot open the simulated cloud: %s", uv_strerror(rc));
    }
    p->timer.data = p;
    *out = &p->base;
    return ERR_OK;
}

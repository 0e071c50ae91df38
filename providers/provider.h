/* provider.h - the one interface between headgate and whatever carries out requests.
 *
 * A provider has two halves: the pure 'cloud' (reconciler/model/cloud.h), and send(), which does I/O on the
 * caller's libuv loop.
 *
 * The contract of send_start(), word for word that of every asynchronous request of headgate:
 *  1. the caller owns the memory and keeps it until 'done';
 *  2. 'done' runs exactly once, later, on the loop thread: never inside send_start(), also after
 * send_cancel() (ERR_CANCELED) and at shutdown;
 *  3. inside 'done' the caller may free the request or start it again. */
#pragma once

#include "reconciler/base/err.h"
#include "reconciler/model/cloud.h"
#include "reconciler/model/request.h"

#include <uv.h>

/* Version of this interface; a provider built for another one is refused. */
enum { PROVIDER_API_VERSION = 1 };

struct provider;
struct send;
typedef void send_done_fn(struct send *s);

/* How far a request got when no answer came. */
enum send_fate {
    SEND_ANSWERED, /* http_status and body are set */
    SEND_NOT_SENT, /* nothing left this machine: nothing was done */
    SEND_UNKNOWN,  /* it may have arrived: look */
    SEND_CANCELED,
};

struct send {
    /* Set before send_start(). Borrowed until done. */
    const struct request *request;
    int64_t timeout_ms;
    send_done_fn *done;
    void *ctx; /* the caller's own */
    /* Readable in done(). */
    enum send_fate fate;
    int http_status;
    char *body;       /* malloc()ed by the provider, NUL-terminated; freed by send_fini() */
    size_t body_size; /* bytes */
    struct err err;   /* why no answer came */
    /* Private to the provider. */
    struct provider *provider;
    void *private;
};

struct provider_ops {
    uint32_t api_version;
    void (*send_start)(struct provider *p, struct send *s);
    void (*send_cancel)(struct provider *p, struct send *s);
    /* Asynchronous: 'closed' is called on the loop when nothing is left; the provider may then be freed. */
    void (*close)(struct provider *p, void (*closed)(struct provider *p, void *ctx), void *ctx);
    void (*free)(struct provider *p);
};

struct provider {
    const struct provider_ops *ops;
    const struct cloud *cloud;
    uv_loop_t *loop;
    const char *account; /* whose resources these are, for messages; "" when not known */
};

/* Frees the answer of a finished request. */
void send_fini(struct send *s);

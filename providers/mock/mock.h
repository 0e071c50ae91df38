/* mock.h - the simulated cloud: Alibaba Cloud's VPC and ECS APIs at the level of operations.
 *
 * A request (operation and flattened parameters) goes in, an HTTP status and a JSON body come out, together
 * with how long the cloud would have taken to answer. Parameters are checked against the official metadata;
 * status machines, busy parents, pagination, idempotency tokens, tags, quotas and side effects behave as the
 * cloud's documentation says (docs/mock.md). Time is an argument, randomness a seed: nothing here looks at a
 * clock.
 *
 * With a file, every effect is kept in it (SQLite), and several processes may share it; without, all is in
 * memory. */
#pragma once

#include "reconciler/base/err.h"
#include "reconciler/model/request.h"

#include <stdbool.h>
#include <stdint.h>

struct mock;
struct json_t; /* of jansson */

struct mock_options {
    const char *path;   /* SQLite file, created when missing; NULL: in memory only */
    const char *region; /* default region of requests without RegionId; NULL: "cn-shanghai" */
    uint64_t seed;      /* of ids, latencies and faults */
};

/* Opens or creates. The file is refused (ERR_STATE) when it is not one of ours or from a newer version. */
MUST_CHECK enum err_code mock_open(const struct mock_options *options, struct mock **out, struct err *err);
void mock_close(struct mock *m); /* accepts NULL */
void mock_closep(struct mock **m);

struct mock_answer {
    int http_status; /* 0: the fault script made the connection fail, see 'fault' */
    char *body;      /* malloc()ed JSON, NUL-terminated; NULL with http_status 0 */
    size_t body_size;
    struct json_t *document; /* of mock_call_document(): instead of 'body' */
    int64_t latency_ms;      /* how long after 'now' the answer arrives */
    enum {
        MOCK_NO_FAULT,
        MOCK_LOST_REQUEST,
        MOCK_LOST_ANSWER,
        MOCK_RESET,   /* tests': the connection ends, with or without an effect */
        MOCK_NOT_SENT /* tests': there is no connection */
    } fault;          /* lost answer: the effect took place */
};

/* Carries out one request at 'now_unix_ms'. Errors of the cloud are answers; an error here (ERR_NOMEM,
 * ERR_STATE, ERR_IO) is one of the simulator itself. The caller frees answer->body. */
MUST_CHECK enum err_code mock_call(struct mock *m, int64_t now_unix_ms, const struct request *r,
                                   struct mock_answer *answer, struct err *err);

/* The same for callers in this process: the answer is a document that was never written as text. */
MUST_CHECK enum err_code mock_call_document(struct mock *m, int64_t now_unix_ms, const struct request *r,
                                            struct mock_answer *answer, struct err *err);

/* Frees the body and releases the document. */
void mock_answer_fini(struct mock_answer *answer);

/* When the next object changes its status by itself, so that a virtual clock can jump; INT64_MAX: never. */
int64_t mock_next_transition(struct mock *m);

/* ---- The person's hand on the simulated cloud (`headgate mock …`) and tests. All take effect at once,
 * without latency. ---- */

/* Appends objects as lines of a table (or JSON when 'json') to 'out': kind ("vpc", "vswitch", "natgateway",
 * "eip", "snatentry", "dnatentry", "routetable", "routeentry", "securitygroup", "securitygrouprule",
 * "instance") or NULL for all. */
struct buf;
MUST_CHECK enum err_code mock_list(struct mock *m, int64_t now_unix_ms, const char *type, bool json,
                                   struct buf *out, struct err *err);
/* One object, as mock_list() shows it as JSON: a new reference, or NULL when there is none with this id. */
MUST_CHECK enum err_code mock_show(struct mock *m, int64_t now_unix_ms, const char *id, struct json_t **out,
                                   struct err *err);
/* Sets attributes (the API's own names: "Description=x", "NextHopId=ngw-…") of the object with this id,
 * behind headgate's back. ERR_INPUT names what is unknown and what exists. */
MUST_CHECK enum err_code mock_set(struct mock *m, int64_t now_unix_ms, const char *id,
                                  const char *const *assignments, size_t n, struct err *err);
/* Deletes by id, with what hangs on it when 'force'. */
MUST_CHECK enum err_code mock_delete(struct mock *m, int64_t now_unix_ms, const char *id, bool force,
                                     struct err *err);
/* The next 'count' calls of 'operation' ("*": any) fail with 'code' (an error code of the cloud, or
 * "timeout-before", "timeout-after", "reset", "http-500", "http-503"). */
MUST_CHECK enum err_code mock_fail_next(struct mock *m, const char *operation, const char *code,
                                        unsigned count, struct err *err);
/* Speed divides all durations of the simulated cloud (1: like the real one; 0 keeps it); call latency in ms
 * (-1 keeps). */
MUST_CHECK enum err_code mock_set_pace(struct mock *m, double speed, int64_t call_latency_ms,
                                       struct err *err);
/* The speed as set (1: like the real one), so that who waits can wait accordingly. */
double mock_speed(const struct mock *m);
/* Changes a quota, rate ("CreateVSwitch") or behaviour switch by name; ERR_INPUT lists the names. */
MUST_CHECK enum err_code mock_set_option(struct mock *m, const char *name, const char *value,
                                         struct err *err);
/* Forgets everything. */
MUST_CHECK enum err_code mock_reset(struct mock *m, struct err *err);

/* The ledger: every call that came in, in order, as one line each: "12 CreateVpc 200", "13 CreateRouteEntry
 * 400 TaskConflict". 'changing_only' leaves out Describe…/List…/Get… operations. Kept in the file. */
MUST_CHECK enum err_code mock_ledger(struct mock *m, bool changing_only, bool json, struct buf *out,
                                     struct err *err);
MUST_CHECK enum err_code mock_ledger_clear(struct mock *m, struct err *err);

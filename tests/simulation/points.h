/* points.h - where and how things go wrong: the fault points, and the branches by which headgate recovers.
 * Each is counted, so that a simulation that no longer reaches one is noticed. */
#pragma once

#include "reconciler/base/text.h"

#include <stddef.h>
#include <stdint.h>

/* What a request is about, by its operation's name. */
enum call_class { CLASS_CREATE, CLASS_BIND, CLASS_CHANGE, CLASS_DELETE, CLASS_LIST, N_CLASSES };

enum fault_action {
    FAULT_LOST_REQUEST,  /* a time-out, and the cloud never saw it */
    FAULT_LOST_ANSWER,   /* a time-out, and the cloud did it */
    FAULT_HTTP,          /* an answer of something on the way, 'code' its status */
    FAULT_GARBAGE,       /* a page for people instead of an answer; done all the same */
    FAULT_CUT,           /* half of the answer; done all the same */
    FAULT_ERROR,         /* the cloud's own error 'code', nothing done */
    FAULT_TWICE,         /* delivered twice, the second answer arrives */
    FAULT_LATE_TWIN,     /* delivered once more when the next call comes */
    FAULT_STALE,         /* a list as it was an answer ago */
    FAULT_SLOW,          /* the answer takes 25 seconds */
    FAULT_FORESTALLED,   /* somebody makes the same entry right before */
    FAULT_RESET_BEFORE,  /* the connection ends, and the cloud never saw it */
    FAULT_RESET_AFTER,   /* the connection ends, and the cloud did it */
    FAULT_NOT_SENT,      /* there is no connection */
    FAULT_DELAYED,       /* the connection ends, and the cloud sees it up to 20 seconds later */
    FAULT_FAILS,         /* accepted; then the status of what was made is Failed */
    FAULT_BUSY_LONG,     /* refused as busy, and so is all of this operation for ten minutes */
    FAULT_FAILED_STATUS, /* a list shows one of its rows with status Failed */
    FAULT_VANISHED,      /* a list lacks something that is there */
};

/* A fault of one call. */
#define FAULT_POINTS(X)                                                                                      \
    X(CREATE, LOST_REQUEST, "", "create: time-out before")                                                   \
    X(CREATE, LOST_ANSWER, "", "create: time-out after")                                                     \
    X(CREATE, HTTP, "500", "create: 500")                                                                    \
    X(CREATE, HTTP, "503", "create: 503")                                                                    \
    X(CREATE, GARBAGE, "", "create: garbage")                                                                \
    X(CREATE, CUT, "", "create: cut answer")                                                                 \
    X(CREATE, ERROR, "Throttling", "create: throttled")                                                      \
    X(CREATE, ERROR, "TaskConflict", "create: busy")                                                         \
    X(CREATE, ERROR, "OperationConflict", "create: conflict")                                                \
    X(CREATE, ERROR, "InternalError", "create: internal error")                                              \
    X(CREATE, ERROR, "QuotaExceeded.Everything", "create: quota")                                            \
    X(CREATE, ERROR, "Forbidden.RAM", "create: denied")                                                      \
    X(CREATE, TWICE, "", "create: delivered twice")                                                          \
    X(CREATE, LATE_TWIN, "", "create: delivered again later")                                                \
    X(CREATE, SLOW, "", "create: slow answer")                                                               \
    X(CREATE, FORESTALLED, "", "create: somebody is faster")                                                 \
    X(CREATE, RESET_BEFORE, "", "create: connection reset before")                                           \
    X(CREATE, RESET_AFTER, "", "create: connection reset after")                                             \
    X(CREATE, NOT_SENT, "", "create: no connection")                                                         \
    X(CREATE, DELAYED, "", "create: arrives late")                                                           \
    X(CREATE, FAILS, "", "create: its status goes Failed")                                                   \
    X(CREATE, BUSY_LONG, "OperationConflict", "create: busy for long")                                       \
    X(BIND, LOST_REQUEST, "", "bind: time-out before")                                                       \
    X(BIND, LOST_ANSWER, "", "bind: time-out after")                                                         \
    X(BIND, HTTP, "502", "bind: 502")                                                                        \
    X(BIND, GARBAGE, "", "bind: garbage")                                                                    \
    X(BIND, ERROR, "Throttling.User", "bind: throttled")                                                     \
    X(BIND, ERROR, "TaskConflict", "bind: busy")                                                             \
    X(BIND, ERROR, "ServiceUnavailable", "bind: unavailable")                                                \
    X(BIND, ERROR, "Forbidden.RAM", "bind: denied")                                                          \
    X(BIND, TWICE, "", "bind: delivered twice")                                                              \
    X(BIND, SLOW, "", "bind: slow answer")                                                                   \
    X(BIND, FORESTALLED, "", "bind: somebody is faster")                                                     \
    X(BIND, ERROR, "QuotaExceeded.Everything", "bind: quota")                                                \
    X(BIND, RESET_AFTER, "", "bind: connection reset after")                                                 \
    X(BIND, DELAYED, "", "bind: arrives late")                                                               \
    X(BIND, BUSY_LONG, "TaskConflict", "bind: busy for long")                                                \
    X(CHANGE, LOST_REQUEST, "", "change: time-out before")                                                   \
    X(CHANGE, LOST_ANSWER, "", "change: time-out after")                                                     \
    X(CHANGE, HTTP, "500", "change: 500")                                                                    \
    X(CHANGE, CUT, "", "change: cut answer")                                                                 \
    X(CHANGE, ERROR, "Throttling", "change: throttled")                                                      \
    X(CHANGE, ERROR, "InternalError", "change: internal error")                                              \
    X(CHANGE, ERROR, "Forbidden.RAM", "change: denied")                                                      \
    X(CHANGE, TWICE, "", "change: delivered twice")                                                          \
    X(CHANGE, RESET_AFTER, "", "change: connection reset after")                                             \
    X(CHANGE, DELAYED, "", "change: arrives late")                                                           \
    X(DELETE, LOST_REQUEST, "", "delete: time-out before")                                                   \
    X(DELETE, LOST_ANSWER, "", "delete: time-out after")                                                     \
    X(DELETE, HTTP, "503", "delete: 503")                                                                    \
    X(DELETE, GARBAGE, "", "delete: garbage")                                                                \
    X(DELETE, ERROR, "Throttling", "delete: throttled")                                                      \
    X(DELETE, ERROR, "TaskConflict", "delete: busy")                                                         \
    X(DELETE, ERROR, "DependencyViolation", "delete: still in use")                                          \
    X(DELETE, ERROR, "Forbidden.RAM", "delete: denied")                                                      \
    X(DELETE, TWICE, "", "delete: delivered twice")                                                          \
    X(DELETE, SLOW, "", "delete: slow answer")                                                               \
    X(DELETE, RESET_AFTER, "", "delete: connection reset after")                                             \
    X(DELETE, NOT_SENT, "", "delete: no connection")                                                         \
    X(DELETE, DELAYED, "", "delete: arrives late")                                                           \
    X(DELETE, BUSY_LONG, "TaskConflict", "delete: busy for long")                                            \
    X(LIST, LOST_REQUEST, "", "list: time-out")                                                              \
    X(LIST, HTTP, "500", "list: 500")                                                                        \
    X(LIST, GARBAGE, "", "list: garbage")                                                                    \
    X(LIST, CUT, "", "list: cut answer")                                                                     \
    X(LIST, ERROR, "Throttling", "list: throttled")                                                          \
    X(LIST, ERROR, "Forbidden.RAM", "list: denied")                                                          \
    X(LIST, STALE, "", "list: stale")                                                                        \
    X(LIST, SLOW, "", "list: slow answer")                                                                   \
    X(LIST, RESET_AFTER, "", "list: connection reset")                                                       \
    X(LIST, NOT_SENT, "", "list: no connection")                                                             \
    X(LIST, FAILED_STATUS, "", "list: a status is Failed")                                                   \
    X(LIST, VANISHED, "", "list: lacks something")

/* What happens to a whole run, or between runs. */
#define EVENT_POINTS(X)                                                                                      \
    X(CRASH_BEFORE_WRITE, "crash before a write")                                                            \
    X(CRASH_AFTER_WRITE, "crash after a write")                                                              \
    X(CRASH_BEFORE_CALL, "crash before a call")                                                              \
    X(CRASH_AFTER_CALL, "crash after a call")                                                                \
    X(WRITE_FAILS, "a write fails")                                                                          \
    X(INTERRUPT, "interrupted")                                                                              \
    X(SECOND_INTERRUPT, "interrupted twice")                                                                 \
    X(STATE_LOST, "state lost")                                                                              \
    X(LISTS_LAG, "lists lag behind")                                                                         \
    X(LISTS_LAG_FAR, "lists lag far behind")                                                                 \
    X(OUTAGE, "a fault that stays")                                                                          \
    X(SMALL_PAGES, "lists in small pages")                                                                   \
    X(SOMEBODY_DELETES, "somebody deletes")                                                                  \
    X(SOMEBODY_WRITES, "somebody writes")                                                                    \
    X(SOMEBODY_DELETES_MEANWHILE, "somebody deletes during an apply")                                        \
    X(SOMEBODY_WRITES_MEANWHILE, "somebody writes during an apply")                                          \
    X(SOMEBODY_ADDS, "somebody adds a stranger")                                                             \
    X(OTHER_STACK, "another stack is applied")                                                               \
    X(CLOCK_FORWARD, "the clock jumps forward")                                                              \
    X(CLOCK_BACK, "the clock jumps back")                                                                    \
    X(PAGES_CHANGE, "lists change between two pages")                                                        \
    X(ALL_IS_SLOW, "everything takes fifty times as long")                                                   \
    X(QUOTA_REACHED, "a quota is reached")                                                                   \
    X(ARRIVES_LATER, "a call of one run arrives during another")                                             \
    X(REAL_STATE, "the state is a file")                                                                     \
    X(POWER_CUT, "the power goes")                                                                           \
    X(LOCK_TAKEN_OVER, "the lock of a run that died is taken over")                                          \
    X(SECOND_OPERATOR, "a second operator is told that it is locked")                                        \
    X(LOCK_BROKEN, "somebody breaks the lock during an apply")

#define POINT_ENUM(class, action, code, name) +1
enum { N_FAULT_POINTS = 0 FAULT_POINTS(POINT_ENUM) };
#undef POINT_ENUM
#define EVENT_ENUM(event, name) EVENT_##event,
enum event_point { EVENT_POINTS(EVENT_ENUM) N_EVENT_POINTS };
#undef EVENT_ENUM

struct fault_point {
    enum call_class class;
    enum fault_action action;
    const char *code, *name;
};
extern const struct fault_point fault_points[N_FAULT_POINTS];
extern const char *const event_names[N_EVENT_POINTS];

/* Whether an apply has to get over it by itself. */
bool fault_passes(const struct fault_point *p);

enum call_class class_of(const char *operation);

/* Quotas that may be reached: options of the simulated cloud. */
#define QUOTAS(X)                                                                                            \
    X("quota-vswitches-per-vpc", "150")                                                                      \
    X("quota-route-tables-per-vpc", "9")                                                                     \
    X("quota-routes-per-table", "200")                                                                       \
    X("quota-nat-gateways-per-vpc", "5")                                                                     \
    X("quota-eips-per-nat-gateway", "20")                                                                    \
    X("quota-snat-entries-per-nat-gateway", "40")                                                            \
    X("quota-dnat-entries-per-nat-gateway", "100")                                                           \
    X("quota-eips", "20")                                                                                    \
    X("quota-security-groups", "100")                                                                        \
    X("quota-rules-per-group", "200")                                                                        \
    X("quota-vpcs", "10")                                                                                    \
    X("quota-instances-per-vpc", "15000")
#define QUOTA_ENUM(name, usual) +1
enum { N_QUOTAS = 0 QUOTAS(QUOTA_ENUM) };
#undef QUOTA_ENUM
extern const struct quota {
    const char *name, *usual;
} quotas[N_QUOTAS];

/* How headgate gets over it: seen in the engine's trace, or (trace NULL) in a plan. */
struct branch {
    const char *name, *trace;
};
enum {
    BRANCH_BOUND = 15, /* the first without a text; the order of branches[] */
    BRANCH_LEFT_BEHIND,
    BRANCH_NEVER_MADE,
    BRANCH_GONE,
    BRANCH_DRIFT,
    BRANCH_CREATE_FIRST,
    BRANCH_REFUSED,
    BRANCH_FAILED
};
extern const struct branch branches[];
extern const size_t n_branches;

/* Counted over all runs of a process family. */
struct counters {
    uint64_t faults[N_FAULT_POINTS], events[N_EVENT_POINTS], branches[32];
};

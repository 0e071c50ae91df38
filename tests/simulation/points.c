/* points.c - the tables of fault points, events and branches, and what an operation's name says of it. */
#include "tests/simulation/points.h"

#include "reconciler/base/macros.h"

#include <string.h>

#define POINT_ROW(class, action, code, name) {CLASS_##class, FAULT_##action, code, name},
const struct fault_point fault_points[N_FAULT_POINTS] = {FAULT_POINTS(POINT_ROW)};
#define EVENT_NAME(event, name) name,
const char *const event_names[N_EVENT_POINTS] = {EVENT_POINTS(EVENT_NAME)};

#define QUOTA_ROW(name, usual) {name, usual},
const struct quota quotas[N_QUOTAS] = {QUOTAS(QUOTA_ROW)};

const struct branch branches[] = {
    {"waits for a busy parent", ": waits for "},
    {"repeats what was refused as busy", ": busy ("},
    {"repeats what was throttled", ": throttled ("},
    {"repeats after a passing fault", ": transient ("},
    {"looks after an unknown outcome", ": unknown ("},
    {"looks for what exists already", ": exists ("},
    {"finds what an earlier call made", ": found "},
    {"takes a batch apart", " in a batch: alone"},
    {"waits for what is in transition", ": wait\n"},
    {"waits until a quota has room", ": no room ("},
    {"skips what needs a failed one", ": skipped: "},
    {"gives up on what is denied", ": failed: "},
    {"gives up when it takes too long", ": failed: not "},
    {"gives up on a failed status", ": failed: the cloud reports status"},
    {"makes anew what an earlier run made and somebody deleted", "what an earlier run made is gone"},
    {"binds what a dead run made", NULL},
    {"deletes what was left behind", NULL},
    {"forgets what was never made", NULL},
    {"makes again what somebody deleted", NULL},
    {"puts back what somebody changed", NULL},
    {"replaces with the new one first", NULL},
    {"refuses a plan", NULL},
    {"replaces what the cloud failed to make", NULL},
};
const size_t n_branches = N_ELEMENTS(branches);

bool fault_passes(const struct fault_point *p)
{
    static const char *const passing[] = {"Throttling",         "Throttling.User", "TaskConflict",
                                          "OperationConflict",  "InternalError",   "ServiceUnavailable",
                                          "DependencyViolation"};
    switch (p->action) {
    case FAULT_ERROR:
        for (size_t k = 0; k < N_ELEMENTS(passing); k++)
            if (strcmp(p->code, passing[k]) == 0) return true;
        return false;
    case FAULT_STALE:
    case FAULT_FAILS:
    case FAULT_BUSY_LONG:
    case FAULT_FAILED_STATUS:
    case FAULT_VANISHED: return false;
    default: return true;
    }
}

enum call_class class_of(const char *operation)
{
    static const struct {
        const char *prefix;
        enum call_class class;
    } prefixes[] = {
        {"Describe", CLASS_LIST},  {"List", CLASS_LIST},          {"Get", CLASS_LIST},
        {"Create", CLASS_CREATE},  {"Allocate", CLASS_CREATE},    {"Run", CLASS_CREATE},
        {"Associate", CLASS_BIND}, {"Authorize", CLASS_BIND},     {"Delete", CLASS_DELETE},
        {"Release", CLASS_DELETE}, {"Unassociate", CLASS_DELETE}, {"Revoke", CLASS_DELETE},
        {"UnTag", CLASS_DELETE},   {"Untag", CLASS_DELETE},
    };
    for (size_t k = 0; k < N_ELEMENTS(prefixes); k++)
        if (strncmp(operation, prefixes[k].prefix, strlen(prefixes[k].prefix)) == 0) return prefixes[k].class;
    return CLASS_CHANGE;
}

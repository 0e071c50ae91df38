/* inside.h - the parts of the simulated cloud as they see each other. Private to providers/mock. */
#pragma once

#include "providers/mock/entity.h"
#include "providers/mock/mock.h"
#include "providers/mock/operations.h"
#include "reconciler/base/buf.h"
#include "reconciler/base/ip.h"

#include <jansson.h>
#include <sqlite3.h>

/* ---- Options: quotas, lags and the choices that the cloud's documentation leaves open ---- */

/*    option            name                          words or NULL for a number    default */
#define MOCK_OPTIONS(X)                                                                                      \
    X(STRICT, "strict", "false|true", 1)                                                                     \
    X(QUOTAS, "quotas", "off|on", 1)                                                                         \
    X(QUOTA_VPC, "quota-vpcs", NULL, 10)                                                                     \
    X(QUOTA_VSWITCH, "quota-vswitches-per-vpc", NULL, 150)                                                   \
    X(QUOTA_SECONDARY, "quota-secondary-cidrs-per-vpc", NULL, 5)                                             \
    X(QUOTA_TABLE, "quota-route-tables-per-vpc", NULL, 9)                                                    \
    X(QUOTA_ROUTE, "quota-routes-per-table", NULL, 200)                                                      \
    X(QUOTA_NAT, "quota-nat-gateways-per-vpc", NULL, 5)                                                      \
    X(QUOTA_NAT_EIP, "quota-eips-per-nat-gateway", NULL, 20)                                                 \
    X(QUOTA_SNAT, "quota-snat-entries-per-nat-gateway", NULL, 40)                                            \
    X(QUOTA_SNAT_IP, "quota-eips-per-snat-entry", NULL, 64)                                                  \
    X(QUOTA_DNAT, "quota-dnat-entries-per-nat-gateway", NULL, 100)                                           \
    X(QUOTA_EIP, "quota-eips", NULL, 20)                                                                     \
    X(QUOTA_GROUP, "quota-security-groups", NULL, 100)                                                       \
    X(QUOTA_RULE, "quota-rules-per-group", NULL, 200)                                                        \
    X(QUOTA_PEER_RULE, "quota-group-rules-per-group", NULL, 20)                                              \
    X(QUOTA_INSTANCE_GROUP, "quota-groups-per-instance", NULL, 5)                                            \
    X(QUOTA_INSTANCE, "quota-instances-per-vpc", NULL, 15000)                                                \
    X(RATES, "rates", "off|documented", 0)                                                                   \
    X(LIST_LAG, "list-lag-ms", NULL, 0)                                                                      \
    X(LINGER, "linger-ms", NULL, 0)                                                                          \
    X(TOKENS, "tokens", NULL, 10000)                                                                         \
    X(TOKEN_MEMORY, "token-memory-ms", NULL, 86400000)                                                       \
    X(TOKEN_PROCESSING, "token-processing", "false|true", 1)                                                 \
    X(DEFAULT_ROUTE, "nat-default-route", "none|first|each", 1)                                              \
    X(NAT_ROUTES, "nat-delete-with-routes", "remove|leave|refuse", 2)                                        \
    X(REASSOCIATE, "reassociate-route-table", "refuse|allow", 1)                                             \
    X(ASSOCIATE_AGAIN, "associate-again", "success|conflict", 0)                                             \
    X(RELEASE_MISSING, "release-missing-eip", "not-found|success", 0)                                        \
    X(SHARED_EIP, "snat-dnat-share-eip", "refuse|allow", 1)                                                  \
    X(DEEP_PAGE_SKIP, "deep-page-skip", "allow|throttle", 0)

#define OPTION_ENUM(option, name, words, initial) OPT_##option,
enum mock_option { MOCK_OPTIONS(OPTION_ENUM) N_MOCK_OPTIONS };

enum { DEFAULT_ROUTE_NONE, DEFAULT_ROUTE_FIRST, DEFAULT_ROUTE_EACH };
enum { NAT_ROUTES_REMOVE, NAT_ROUTES_LEAVE, NAT_ROUTES_REFUSE };

/* Times, durations and numbers from outside stay below this, so that sums of a few of them fit. */
#define MOCK_MAX_NUMBER (INT64_MAX / 4)

/* How long things take in the real cloud. */
enum duration {
    TAKES_VPC,
    TAKES_VSWITCH,
    TAKES_NAT,
    TAKES_NAT_CHANGE,
    TAKES_NAT_DELETE,
    TAKES_BIND,
    TAKES_ENTRY,
    TAKES_TABLE,
    TAKES_ROUTE,
    TAKES_ASSOCIATION,
    TAKES_DELETE,
    TAKES_RELEASE,
    TAKES_INSTANCE,
    TAKES_STOP,
    TAKES_INSTANCE_DELETE,
    N_DURATIONS
};

struct rate {
    int64_t window_ms;    /* start of the minute that is counted */
    uint32_t used, limit; /* limit 0: none set, see option "rates" */
};

struct ledger_row {
    int64_t at_ms;
    int32_t http_status;
    bool reads;
    char *operation, *code; /* malloc()ed; code "" for success */
};

/* With a file: the calls that are not in it yet. Without: all, but the older half is dropped when it is full.
 */
struct ledger {
    struct ledger_row *rows;
    size_t n, capacity;
    int64_t n_dropped;
};

struct token_memory;
struct fault;

/* An answer to a list; see kept.c. */
enum { N_KEPT_LISTS = 256 };
struct kept_list {
    struct buf key;
    uint64_t version; /* of the store */
    json_t *answer;   /* without RequestId; NULL: none */
};

struct mock {
    struct store store;
    int64_t options[N_MOCK_OPTIONS];
    struct rate rates[N_OPERATIONS];
    double speed;
    int64_t call_latency_ms;
    uint64_t seed;
    uint64_t n_ids;                           /* ids handed out; with the seed it makes the next */
    uint64_t n_draws;                         /* random numbers drawn for durations */
    uint64_t n_requests;                      /* of this process */
    uint32_t next_address;                    /* index of the next EIP address to try */
    bool settings_dirty;                      /* one of the counters above changed */
    bool options_dirty;                       /* an option, a rate or the pace changed */
    uint32_t last_page[N_OPERATIONS];         /* for option deep-page-skip */
    uint8_t region;                           /* of requests without RegionId */
    struct token_memory *tokens, *new_tokens; /* a hash; and the list of those not in the file yet */
    struct fault *faults;
    bool faults_dirty;
    struct ledger ledger;
    /* With a file. */
    sqlite3 *db;
    sqlite3_stmt *stmts[12];
    int64_t data_version; /* of the file as loaded; changes when another connection writes */
    bool loaded, in_transaction, writing;
    const struct param **scratch; /* the sorted parameters of the call in hand */
    size_t scratch_capacity;
    struct kept_list kept[N_KEPT_LISTS];
    struct buf kept_key; /* of the call in hand */
};

/* ---- One call ---- */

struct call {
    struct mock *m;
    struct store *s;
    int64_t now_ms;
    const struct operation *op;
    enum op_id op_id;
    const struct param **params; /* sorted by name */
    size_t n_params;
    uint8_t region;
    json_t *answer; /* the object that a success answers */
    int http_status;
    const char *code; /* static; NULL while nothing was refused */
    char code_text[96];
    char message[320];
    bool no_memory;
};

/* True: it took effect, 'answer' is complete but for RequestId. False: refuse() said why. */
typedef bool handler_fn(struct call *c);
extern handler_fn *const handlers[N_OPERATIONS];

/* Always false, so that a handler can return it. 'code' must be static. */
bool refuse(struct call *c, int http_status, const char *code, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The last check before anything changes: answers DryRun. */
MUST_CHECK bool call_accept(struct call *c);

/* Parameters. NULL when absent. */
const char *arg(const struct call *c, const char *name);
const char *argf(const struct call *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
const char *arg_or(const struct call *c, const char *name, const char *otherwise);
bool arg_is_true(const struct call *c, const char *name);
/* Whether any parameter begins so ("RouteEntries.3."). */
bool arg_has_prefix(const struct call *c, const char *prefix);
/* Copies a parameter into an attribute when it is there. */
void arg_to_attr(struct call *c, struct entity *e, const char *name, int attr);
/* Names (2 to 128 characters from a letter on, where 'strict') and descriptions (up to 256): not
 * http(s)://… */
MUST_CHECK bool check_name(struct call *c, const char *param, bool strict);
MUST_CHECK bool check_description(struct call *c, const char *param);
MUST_CHECK bool check_tags(struct call *c);
/* An IPv4 block with cleared host bits; refuses with 'code'. */
MUST_CHECK bool parse_block(struct call *c, const char *text, const char *code, struct cidr *out);

/* Entities of the call's region that the API shows. */
bool entity_is_here(const struct call *c, const struct entity *e, enum entity_type type);
struct entity *lookup(const struct call *c, enum entity_type type, const char *id);
/* By the parameter; refuses with the type's NotFound. */
struct entity *need(struct call *c, enum entity_type type, const char *param);
bool refuse_missing(struct call *c, enum entity_type type, const char *id);
/* A new entity of the call's region with the call's tags, at rest with this status. NULL: out of memory. */
struct entity *create(struct call *c, enum entity_type type, enum status status);
struct entity *add_entity(struct mock *m, enum entity_type type, uint8_t region, int64_t now_ms,
                          const char *id, enum status status);

/* Quotas. True: 'have' plus 'more' is allowed. */
bool within_quota(const struct call *c, enum mock_option quota, size_t have, size_t more);
size_t count_children(const struct entity *parent, enum link_slot slot, enum entity_type type);

/* ---- The simulator's sources of time, chance and names ---- */

void new_id(struct mock *m, const char *prefix, char out[ENTITY_ID_SIZE]);
int64_t ready_after(struct mock *m, int64_t now_ms, enum duration what);
uint64_t mix64(uint64_t seed, uint64_t n);
void request_id(struct mock *m, int64_t now_ms, char out[37]);
void answer_put(struct call *c, const char *path, json_t *value); /* "A.B": nested; takes 'value' */
void answer_text(struct call *c, const char *path, const char *value);

/* Lets everything happen that is due at 'now'. */
void advance(struct mock *m, int64_t now_ms);
/* What follows when a transition of this type ended; the entity may be removed in it. */
typedef void settled_fn(struct mock *m, struct entity *e, enum status was, int64_t now_ms);

/* ---- Comma lists: "a,b,c" ---- */

bool list_next(struct text *rest, struct text *item); /* skips empty items */
bool list_has(const char *list, const char *item);
size_t list_count(const char *list);
bool list_add(struct store *s, struct entity *e, int attr, const char *item);
void list_drop(struct store *s, struct entity *e, int attr, const char *item);

/* ---- Modules ---- */

/* kept.c: answers to lists. Answers the call with one that was kept, if it still holds… */
bool kept_find(struct call *c);
/* … or keeps what the call answers now, after kept_find(). */
void kept_add(struct call *c);
void kept_init(struct mock *m);
void kept_forget(struct mock *m);
void kept_fini(struct mock *m);

/* validate.c: refuses what does not fit the operation's metadata. */
MUST_CHECK bool validate(struct call *c);

/* regions.c */
struct region {
    const char *id, *name, *zones; /* "cn-shanghai", "China (Shanghai)", letters of its zones */
};
extern const struct region regions[];
extern const size_t n_regions;
int region_find(const char *id); /* -1 */
bool zone_exists(uint8_t region, const char *zone);

/* tokens.c */
enum token_verdict { TOKEN_NEW, TOKEN_ANSWERED, TOKEN_REFUSED, TOKEN_NO_MEMORY };
/* Looks a ClientToken up. ANSWERED: *http_status and *body (malloc()ed) are the first call's answer; REFUSED:
 * the call was refused. */
enum token_verdict token_check(struct call *c, json_t **answer);
void token_remember(struct call *c, int64_t done_ms, const json_t *answer);
struct token_memory {
    char key[128]; /* "CreateVpc token" */
    char hash[17];
    int64_t done_ms; /* when the first call's answer arrived */
    char *body;
    struct token_memory *next_new;
    UT_hash_handle hh;
};
bool token_add(struct mock *m, const char *key, const char *hash, int64_t done_ms, const char *body,
               bool is_new);
void tokens_fini(struct mock *m);

/* faults.c */
struct fault {
    char operation[64], code[96];
    unsigned count;
    struct fault *next;
};
struct fault *fault_for(struct mock *m, const char *operation);
void fault_use(struct mock *m, struct fault *f); /* counts it down */
bool fault_add(struct mock *m, const char *operation, const char *code, unsigned count);
/* Whether it can be answered: UTF-8 that fits. */
bool fault_code_is_valid(const char *code);
void faults_fini(struct mock *m);
/* A connection fault by its name, or false: it is an error code of the cloud. */
bool fault_is_connection(const char *code, int *http_status, bool *takes_effect);

/* ledger.c */
enum { LEDGER_ROWS = 1000000, LEDGER_FLUSH_ROWS = 4096 };
bool ledger_add(struct mock *m, int64_t now_ms, const char *operation, bool reads, int http_status,
                const char *code);
void ledger_fini(struct ledger *l);

/* options.c */
extern const char *const option_names[N_MOCK_OPTIONS];
void options_init(struct mock *m);
enum err_code option_set(struct mock *m, const char *name, const char *value, struct err *err);
/* What can be set, and so what a file may hold. */
bool option_is_valid(enum mock_option option, int64_t n);
bool speed_is_valid(double speed);
bool latency_is_valid(int64_t call_latency_ms);
/* Counts the call against its operation's rate; refuses when it is used up. */
MUST_CHECK bool rate_check(struct call *c);

/* encode.c: entities as bytes of the file. */
struct pending_link { /* where a loaded entity's links lead to, until all entities are there */
    struct entity *e;
    char to[N_LINKS][ENTITY_ID_SIZE];
    enum status then;
    bool moves;
};
void entity_encode(struct buf *b, const struct entity *e);
/* Adds the entity to the store; ERR_STATE when the bytes are damaged. */
MUST_CHECK enum err_code entity_decode(struct mock *m, int64_t seq, struct text bytes,
                                       struct pending_link *out, struct err *err);
/* Links all of them and starts their transitions again. */
MUST_CHECK enum err_code entities_link(struct mock *m, const struct pending_link *links, size_t n,
                                       struct err *err);

/* persist.c: with no file, all of these succeed and do nothing. */
MUST_CHECK enum err_code persist_open(struct mock *m, const char *path, struct err *err);
void persist_close(struct mock *m);
/* Brings memory up to date with the file; with 'write' also takes the file's write lock. */
MUST_CHECK enum err_code persist_begin(struct mock *m, bool write, struct err *err);
/* Writes what changed and lets go. */
MUST_CHECK enum err_code persist_commit(struct mock *m, struct err *err);
/* Forgets what is only in memory; the next begin reads the file again. */
void persist_rollback(struct mock *m);
typedef void ledger_fn(void *ctx, int64_t n, const struct ledger_row *row);
MUST_CHECK enum err_code persist_read_ledger(struct mock *m, ledger_fn *each, void *ctx, struct err *err);
MUST_CHECK enum err_code persist_clear_ledger(struct mock *m, struct err *err);
/* Deletes all rows of the file; what is in memory then is all there is. */
MUST_CHECK enum err_code persist_clear(struct mock *m, struct err *err);
/* Whom a transition of this entity makes busy, or NULL. */
struct entity *busy_parent(const struct entity *e);
/* Empties memory: objects, tokens, faults. */
void mock_forget(struct mock *m);

/* outcome.c - what an answer means: the decision order of api-behaviour 4, first match wins.
 *
 * The HTTP status says little (404 may be busy, 400 may be gone): codes decide, by the operation's own sets
 * first, then by patterns that all operations share, and only what no code explains by its status. */
#include "providers/alicloud/mapping.h"

#include "reconciler/base/buf.h"
#include "reconciler/base/ip.h"

#include <fnmatch.h>
#include <string.h>

enum { KEPT_BODY = 200 }; /* bytes of an answer that cannot be read, for the log */

/* Patterns of all operations, in the order in which they are tried.  Source: api-behaviour 4 and 1.11 */
static const struct {
    const char *pattern;
    enum outcome_class class;
} patterns[] = {
    {"OperationConflict*", OUTCOME_BUSY},
    {"TaskConflict*", OUTCOME_BUSY},
    {"*LastTokenProcessing", OUTCOME_BUSY},
    {"*IdempotentTokenProcessing", OUTCOME_BUSY},
    {"IdempotentProcessing", OUTCOME_BUSY},
    {"IncorrectStatus*", OUTCOME_BUSY},
    {"Incorrect*Status*", OUTCOME_BUSY},
    {"Incorret*Status", OUTCOME_BUSY},
    {"IncorrcetRouteEntryStatus", OUTCOME_BUSY},
    {"*.IncorrectStatus.*", OUTCOME_BUSY},
    {"InvalidStatus.*", OUTCOME_BUSY},
    {"VPC_TASK_CONFLICT", OUTCOME_BUSY},
    {"SystemBusy", OUTCOME_BUSY},
    {"OperationFailed.DistibuteLock", OUTCOME_BUSY},
    {"OperationDenied.OtherSubnet*", OUTCOME_BUSY},
    {"BandwidthPackageOperation.conflict", OUTCOME_BUSY},
    {"*Operation.TooFrequently", OUTCOME_BUSY},
    {"InvalidOperation.Conflict", OUTCOME_BUSY},

    {"QuotaExceeded*", OUTCOME_QUOTA},
    {"QuotaExceed*", OUTCOME_QUOTA},
    {"*LimitExceed*", OUTCOME_QUOTA},
    {"*CountLimited", OUTCOME_QUOTA},
    {"SNAT_IP_POOL_COUNT_TOO_MANY", OUTCOME_QUOTA},
    {"Forbidden.CheckEntryRuleQuota", OUTCOME_QUOTA},

    {"InvalidAccessKeyId*", OUTCOME_DENIED},
    {"SignatureDoesNotMatch", OUTCOME_DENIED},
    {"IncompleteSignature", OUTCOME_DENIED},
    {"MissingSecurityToken", OUTCOME_DENIED},
    {"InvalidSecurityToken*", OUTCOME_DENIED},
    {"SignatureNonceUsed", OUTCOME_TRANSIENT},
    {"InvalidTimeStamp.Expired", OUTCOME_DENIED},
    {"Forbidden.RAM", OUTCOME_DENIED},
    {"Forbidden", OUTCOME_DENIED},
    {"Forbidden.SubUser", OUTCOME_DENIED},
    {"NoPermission*", OUTCOME_DENIED},
    {"AccessDenied*", OUTCOME_DENIED},
    {"OperationFailed.EnhancedUserIsUnAuthorized", OUTCOME_DENIED},
    {"*Balance*", OUTCOME_DENIED},
    {"*Arrear*", OUTCOME_DENIED},
    {"*InDebt*", OUTCOME_DENIED},
    {"*Financial*", OUTCOME_DENIED},
    {"ServiceUnavailable*", OUTCOME_TRANSIENT},
    {"InternalError*", OUTCOME_TRANSIENT},
    {"UnknownError*", OUTCOME_TRANSIENT},
    {"RequestTimeout*", OUTCOME_TRANSIENT},
    {"ReserveIpFail*", OUTCOME_TRANSIENT},

    /* What is wrong in the request, whatever the status: InvalidZoneId.NotFound, InvalidParameter, … */
    {"Invalid*", OUTCOME_INVALID},
    {"Illegal*", OUTCOME_INVALID},
    {"Missing*", OUTCOME_INVALID},
    {"Unsupported*", OUTCOME_INVALID},
    {"IdempotentParameterMismatch", OUTCOME_INVALID},
};

/* A server's failure: a create without a token must not be repeated blindly. */
static enum outcome_class of_server(const struct operation *op)
{
    bool may_be_there = op != NULL && (op->flags & OP_CREATE) && (op->flags & OP_TOKEN) == 0;
    return may_be_there ? OUTCOME_UNKNOWN : OUTCOME_TRANSIENT;
}

static enum outcome_class of_status(const struct operation *op, int http_status)
{
    if (http_status == 429) return OUTCOME_THROTTLED;
    if (http_status >= 500)
        return op != NULL && (op->flags & OP_CREATE) ? OUTCOME_UNKNOWN : OUTCOME_TRANSIENT;
    return http_status == 401 || http_status == 403 ? OUTCOME_DENIED : OUTCOME_INVALID;
}

static bool is_tagging(const char *operation)
{
    return strcmp(operation, "TagResources") == 0 || strcmp(operation, "UnTagResources") == 0 ||
           strcmp(operation, "UntagResources") == 0;
}

/* Tag operations answer the NotFound of whatever they were about. */
static bool is_own_not_found(const char *code)
{
    return fnmatch("*.NotFound", code, 0) == 0 && fnmatch("InvalidRegionId.*", code, 0) != 0 &&
           fnmatch("InvalidAccessKeyId.*", code, 0) != 0;
}

/* The operation's own sets. False when the code is in none. */
static bool of_operation(const struct operation *op, const char *code, enum outcome_class *out)
{
    const struct {
        const char *codes;
        enum outcome_class class;
    } sets[] = {{op->gone, OUTCOME_GONE},
                {op->exists, OUTCOME_EXISTS},
                {op->pending, OUTCOME_PENDING},
                {op->look, OUTCOME_UNKNOWN},
                {op->busy, OUTCOME_BUSY}};
    for (size_t i = 0; i < N_ELEMENTS(sets); i++)
        if (code_listed(sets[i].codes, code)) {
            *out = sets[i].class;
            return true;
        }
    return false;
}

static enum outcome_class classify(const struct operation *op, const char *code, int http_status)
{
    enum outcome_class class;
    if (strstr(code, "Throttling") != NULL) return OUTCOME_THROTTLED;
    if (strcmp(code, "DryRunOperation") == 0) return OUTCOME_DONE;
    if (op != NULL && of_operation(op, code, &class)) return class;
    if (op != NULL && is_tagging(op->name) && is_own_not_found(code)) return OUTCOME_GONE;
    /* Not every code of a duplicate is documented.  Source: api-behaviour 6, CreateForwardEntry */
    if (op != NULL && (op->flags & OP_CREATE) && strstr(code, "Duplicate") != NULL) return OUTCOME_EXISTS;
    for (size_t i = 0; i < N_ELEMENTS(patterns); i++)
        if (fnmatch(patterns[i].pattern, code, 0) == 0)
            return patterns[i].class == OUTCOME_TRANSIENT ? of_server(op) : patterns[i].class;
    bool removes = op != NULL && (op->flags & OP_DELETE);
    if (removes && fnmatch("DependencyViolation*", code, 0) == 0) return OUTCOME_BUSY;
    return of_status(op, http_status);
}

/* ---- what came back ---- */

static const char *kept(struct arena *a, const json_t *root, const char *name, const char *other)
{
    bool out_of_memory = false;
    const char *text = json_text_at(root, name, a, &out_of_memory);
    if (text == NULL) text = json_text_at(root, other, a, &out_of_memory);
    return text == NULL ? "" : text;
}

/* The first bytes of what is not an answer of the API (a proxy's page, a cut answer). */
static const char *kept_body(struct text body, struct arena *arena)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, KEPT_BODY * 8);
    buf_put_escaped(&b, (struct text){body.ptr, MIN_OF(body.len, (size_t)KEPT_BODY)});
    const char *copy = buf_ok(&b) ? arena_strdup(arena, buf_str(&b)) : NULL;
    return copy == NULL ? "" : copy;
}

/* "<Code>Throttling</Code>" of a gateway that answers XML, whatever was asked for. */
static const char *xml_part(struct text body, const char *open, const char *close, struct arena *arena)
{
    const char *at = memmem(body.ptr, body.len, open, strlen(open));
    if (at == NULL) return "";
    at += strlen(open);
    size_t left = body.len - (size_t)(at - body.ptr);
    const char *end = memmem(at, left, close, strlen(close));
    if (end == NULL || end - at > KEPT_BODY) return "";
    return kept_body((struct text){at, (size_t)(end - at)}, arena);
}

static void not_json(const struct operation *op, int http_status, struct text body, struct arena *arena,
                     struct outcome *out)
{
    out->message = kept_body(body, arena);
    out->code = body.len == 0 ? "" : xml_part(body, "<Code>", "</Code>", arena);
    if (http_status >= 500 || http_status == 429 || out->code[0] != '\0')
        out->class = classify(op, out->code, http_status);
    else
        out->class = OUTCOME_UNKNOWN;
}

/* ---- success ---- */

/* What a create call has told: what was sent with it took effect, and the answer's own facts.
 * Source: CreateVpc, CreateNatGateway, AllocateEipAddress */
static const struct {
    enum kind kind;
    uint8_t field;
    const char *path;
} told[] = {
    {KIND_VPC, VPC_SYSTEM_TABLE, "RouteTableId"},
    {KIND_VPC, VPC_RESOURCE_GROUP, "ResourceGroupId"},
    {KIND_NAT_GATEWAY, NAT_SNAT_TABLE, "SnatTableIds.SnatTableId"},
    {KIND_NAT_GATEWAY, NAT_FORWARD_TABLE, "ForwardTableIds.ForwardTableId"},
    {KIND_EIP, EIP_ADDRESS, "EipAddress"},
    {KIND_EIP, EIP_RESOURCE_GROUP, "ResourceGroupId"},
};

static struct object *created_object(const struct operation *op, const struct goal *g, const json_t *root,
                                     const char *id, struct arena *arena)
{
    const struct kind_info *info = kind_info(g->kind);
    const struct kind_map *m = map_of(g->kind);
    struct object *o = arena_new_of(arena, struct object);
    struct value *values = arena_array_of(arena, info->n_fields, struct value);
    if (o == NULL || values == NULL) return NULL;
    *o = (struct object){.kind = g->kind,
                         .phase = (op->flags & OP_ASYNC) ? PHASE_PENDING : PHASE_READY,
                         .id = id,
                         .status = "",
                         .values = values};
    bool out_of_memory = false;
    for (uint8_t i = 0; g->values != NULL && i < info->n_fields; i++) {
        bool sent = m->fields[i].create != NULL || i == m->table.parent_field || i == info->tags_field;
        if (sent && g->values[i].state == VALUE_SET &&
            !value_copy(arena, info->fields[i].type, g->values[i], &values[i]))
            out_of_memory = true;
    }
    for (size_t i = 0; i < N_ELEMENTS(told); i++) {
        const char *text =
            told[i].kind == g->kind ? json_text_at(root, told[i].path, arena, &out_of_memory) : NULL;
        if (text != NULL && text[0] != '\0') values[told[i].field] = value_cstr(text);
    }
    if (m->tag_type != NULL && g->stack.ptr != NULL) {
        o->owner_stack = arena_text(arena, g->stack);
        o->owner_name = arena_text(arena, g->name);
        o->incarnation = g->incarnation;
    }
    return out_of_memory ? NULL : o;
}

/* A look-up that found nothing is repeated: what it looks for appears by itself. */
static void read_lookup(const struct goal *g, const json_t *root, struct arena *arena, struct outcome *out)
{
    const struct list_map *l = &map_of(g->kind)->list;
    const json_t *items = json_at(root, l->path);
    const struct scope scope = {.kind = g->kind};
    struct page page = {0};
    struct reading r = {.scope = &scope, .world = g->world, .arena = arena, .page = &page, .root = root};
    struct object *o = json_count(items) > 0 ? read_item(&r, g->kind, json_item(items, 0)) : NULL;
    out->class = o == NULL || r.out_of_memory ? OUTCOME_BUSY : OUTCOME_DONE;
    if (out->class == OUTCOME_BUSY) return;
    out->id = o->id;
    out->object = o;
}

static void read_success(const struct operation *op, const struct goal *g, const json_t *root,
                         struct arena *arena, struct outcome *out)
{
    bool out_of_memory = false;
    out->class = op != NULL && (op->flags & OP_ASYNC) ? OUTCOME_PENDING : OUTCOME_DONE;
    if (op == NULL || op->id_path == NULL) return;
    if (op->flags & OP_LOOKUP) {
        if (g != NULL) read_lookup(g, root, arena, out);
        return;
    }
    const char *id = json_text_at(root, op->id_path, arena, &out_of_memory);
    if (id == NULL || id[0] == '\0') {
        out->class = OUTCOME_UNKNOWN; /* made, but what? */
        return;
    }
    out->id = id;
    if (g != NULL && g->verb == VERB_CREATE) out->object = created_object(op, g, root, id, arena);
}

/* ---- batches that succeed in part ---- */

/* 200 says nothing of the single items.  Source: CreateRouteEntries, DeleteRouteEntries */
static void read_partial(const struct operation *op, const json_t *root, struct arena *arena,
                         struct outcome *out)
{
    const json_t *failed = json_at(root, "FailedRouteEntries");
    size_t count = json_count(failed), n = 0;
    int64_t succeeded = 0;
    if (count == 0) return;
    const char **items = arena_array_of(arena, count + 1, const char *);
    bool out_of_memory = items == NULL;
    bool any_success = json_int_at(root, "SuccessCount", &succeeded) && succeeded > 0;
    for (size_t i = 0; i < count && !out_of_memory; i++) {
        const json_t *item = json_item(failed, i);
        const char *code = kept(arena, item, "FailedCode", "failedCode");
        enum outcome_class class = classify(op, code, 400);
        if (class == OUTCOME_GONE && (op->flags & OP_DELETE)) {
            any_success = true;
            continue;
        }
        struct value v =
            cidr_value(arena, kept(arena, item, "DstCidrBlock", "DestinationCidrBlock"), &out_of_memory);
        if (n == 0) {
            out->code = code;
            out->message = kept(arena, item, "FailedMessage", "failedMessage");
            out->class = class;
        }
        if (value_is_set(v)) items[n++] = v.u.text;
    }
    if (out_of_memory) out->class = OUTCOME_UNKNOWN;
    if (out_of_memory || out->code[0] == '\0' || !any_success) return;
    out->class = OUTCOME_PENDING;
    out->failed_items = items;
}

/* Some gateways answer 200 with an error inside. */
static bool is_error(int http_status, const char *code, const char *message)
{
    if (http_status < 200 || http_status >= 300) return true;
    return code[0] != '\0' && message[0] != '\0' && strcmp(code, "200") != 0 &&
           !text_equal_nocase(text_of(code), TEXT("OK")) &&
           !text_equal_nocase(text_of(code), TEXT("success"));
}

void alicloud_read_outcome(const struct cloud *c, const struct goal *g, const struct request *r,
                           int http_status, struct text body, struct arena *arena, struct outcome *out)
{
    const struct operation *op = operation_find(r->operation);
    (void)c;
    *out = (struct outcome){.code = "", .message = "", .request_id = ""};
    if (body.ptr == NULL) body = TEXT("");
    json_auto_t *root = json_loadb(body.ptr, body.len, 0, NULL);
    if (!json_is_object(root)) {
        not_json(op, http_status, body, arena, out);
        return;
    }
    out->request_id = kept(arena, root, "RequestId", "requestId");
    const char *code = kept(arena, root, "Code", "code");
    const char *message = kept(arena, root, "Message", "message");
    if (!is_error(http_status, code, message)) {
        read_success(op, g, root, arena, out);
        if (op != NULL) read_partial(op, root, arena, out);
        return;
    }
    out->code = code;
    out->message = message;
    out->class = classify(op, code, http_status);
}

/* rig.h - a simulated cloud on a virtual clock, for the tests in this folder.
 *
 * Each answer that comes back is compared with the official shape of the operation's answers. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <unistd.h>

#include "providers/mock/mock.h"
#include "providers/mock/operations.h"
#include "reconciler/base/buf.h"

#include "answers.inc"

struct rig {
    struct mock *mock;
    int64_t now_ms;
    int http_status; /* of the last call */
    char code[96];   /* of its error, or "" */
    int fault;
    json_t *answer;
    char path[64]; /* of the file; "" when in memory */
};

enum { RIG_START_MS = 1700000000 };

static inline void rig_open(struct rig *r, const char *path)
{
    struct err err;
    struct mock_options options = {.path = path, .seed = 42};
    *r = (struct rig){.now_ms = (int64_t)RIG_START_MS * 1000};
    if (path != NULL) (void)snprintf(r->path, sizeof(r->path), "%s", path);
    assert_int_equal(mock_open(&options, &r->mock, &err), ERR_OK);
}

static inline void rig_close(struct rig *r)
{
    json_decref(r->answer);
    r->answer = NULL;
    mock_close(r->mock);
    r->mock = NULL;
}

static inline void rig_temp_path(char out[64])
{
    (void)snprintf(out, 64, "/tmp/hg-mock-test-XXXXXX");
    int fd = mkstemp(out);
    assert_true(fd >= 0);
    (void)close(fd);
    (void)unlink(out);
}

static inline void rig_remove_files(const char *path)
{
    char name[80];
    const char *suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
}

/* Whether the operation's answers have a field at this path with this type. */
static inline void assert_field(enum op_id op, const char *path, char type)
{
    char row[512];
    (void)snprintf(row, sizeof(row), "%s %c", path, type);
    for (const char *const *f = answer_fields[op]; *f != NULL; f++)
        if (strcmp(*f, row) == 0) return;
    fail_msg("%s answers with a field that it does not have: %s", operations[op].name, row);
}

static inline void assert_shape(enum op_id op, const char *path, const json_t *value)
{
    char inner[400];
    const char *key;
    json_t *child;
    size_t i;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        json_object_foreach((json_t *)(uintptr_t)value, key, child)
        {
            (void)snprintf(inner, sizeof(inner), "%s%s%s", path, path[0] == '\0' ? "" : ".", key);
            assert_shape(op, inner, child);
        }
        break;
    case JSON_ARRAY:
        json_array_foreach(value, i, child)
        {
            (void)snprintf(inner, sizeof(inner), "%s[]", path);
            assert_shape(op, inner, child);
        }
        break;
    case JSON_STRING: assert_field(op, path, 's'); break;
    case JSON_INTEGER:
    case JSON_REAL: assert_field(op, path, 'n'); break;
    case JSON_TRUE:
    case JSON_FALSE: assert_field(op, path, 'b'); break;
    case JSON_NULL: fail_msg("%s is null", path);
    }
}

static inline void rig_check_shape(const struct rig *r, const char *product, const char *operation)
{
    for (size_t i = 0; i < N_OPERATIONS; i++)
        if (strcmp(operations[i].product, product) == 0 && strcmp(operations[i].name, operation) == 0)
            assert_shape((enum op_id)i, "", r->answer);
}

enum { RIG_MAX_PARAMS = 64 };

static inline void rig_send(struct rig *r, const char *product, const char *operation, struct param *params,
                            uint32_t n)
{
    struct request request = {.product = product, .operation = operation, .params = params, .n_params = n};
    struct mock_answer answer;
    struct err err;
    json_decref(r->answer);
    r->answer = NULL;
    r->code[0] = '\0';
    if (mock_call(r->mock, r->now_ms, &request, &answer, &err) != ERR_OK)
        fail_msg("%s: %s", operation, err.msg);
    r->http_status = answer.http_status;
    r->fault = (int)answer.fault;
    if (answer.body != NULL) {
        assert_int_equal(strlen(answer.body), answer.body_size);
        r->answer = json_loads(answer.body, 0, NULL);
        assert_non_null(r->answer);
        assert_non_null(json_object_get(r->answer, "RequestId"));
    }
    if (r->answer != NULL && r->http_status != 200) {
        (void)snprintf(r->code, sizeof(r->code), "%s", json_string_value(json_object_get(r->answer, "Code")));
        assert_non_null(json_object_get(r->answer, "HostId"));
    } else if (r->answer != NULL) {
        rig_check_shape(r, product, operation);
    }
    free(answer.body);
    r->now_ms += 100; /* the next call comes after this one's answer */
}

/* Names and values in turn, NULL at the end. */
static inline void rig_call_list(struct rig *r, const char *product, const char *operation, va_list args)
{
    struct param params[RIG_MAX_PARAMS];
    uint32_t n = 0;
    for (const char *name; (name = va_arg(args, const char *)) != NULL; n++) {
        assert_true(n < RIG_MAX_PARAMS);
        params[n] = (struct param){name, va_arg(args, const char *)};
    }
    rig_send(r, product, operation, params, n);
}

static inline const char *rig_text(const struct rig *r, const char *path)
{
    const json_t *at = r->answer;
    char copy[256], *rest = copy, *part;
    (void)snprintf(copy, sizeof(copy), "%s", path);
    while ((part = strsep(&rest, ".")) != NULL && at != NULL)
        at = json_is_array(at) ? json_array_get(at, (size_t)(part[0] - '0')) : json_object_get(at, part);
    if (!json_is_string(at)) fail_msg("the answer has no text at %s", path);
    return json_string_value(at);
}

static inline json_int_t rig_number(const struct rig *r, const char *name)
{
    const json_t *n = json_object_get(r->answer, name);
    if (!json_is_integer(n)) fail_msg("the answer has no number %s", name);
    return json_integer_value(n);
}

/* A call that has to succeed; refused(): one that has to be refused so. */
static inline void ok(struct rig *r, const char *product, const char *operation, ...)
{
    va_list args;
    va_start(args, operation);
    rig_call_list(r, product, operation, args);
    va_end(args);
    if (r->http_status != 200) fail_msg("%s: %d %s", operation, r->http_status, r->code);
}

static inline void refused(struct rig *r, const char *code, const char *product, const char *operation, ...)
{
    va_list args;
    va_start(args, operation);
    rig_call_list(r, product, operation, args);
    va_end(args);
    if (r->http_status == 200) fail_msg("%s succeeded, but was to be refused with %s", operation, code);
    assert_string_equal(r->code, code);
}

/* An id (or another text) of the answer to a call that has to succeed. The text is copied to 'out'. */
static inline const char *make(struct rig *r, char out[64], const char *path, const char *product,
                               const char *operation, ...)
{
    va_list args;
    va_start(args, operation);
    rig_call_list(r, product, operation, args);
    va_end(args);
    if (r->http_status != 200) fail_msg("%s: %d %s", operation, r->http_status, r->code);
    (void)snprintf(out, 64, "%s", rig_text(r, path));
    return out;
}

/* Lets everything come to rest. */
static inline void settle(struct rig *r)
{
    struct buf ignored;
    struct err err;
    for (int64_t at; (at = mock_next_transition(r->mock)) != INT64_MAX;) {
        if (at > r->now_ms) r->now_ms = at;
        buf_init(&ignored, 1 << 26);
        assert_int_equal(mock_list(r->mock, r->now_ms, "vpc", false, &ignored, &err), ERR_OK);
        buf_fini(&ignored);
    }
}

static inline void set_option(struct rig *r, const char *name, const char *value)
{
    struct err err;
    if (mock_set_option(r->mock, name, value, &err) != ERR_OK) fail_msg("%s", err.msg);
}

/* ---- What most tests begin with ---- */

struct net {
    char vpc[64], vsw1[64], vsw2[64], sg[64];
};

static inline void make_net(struct rig *r, struct net *n)
{
    make(r, n->vpc, "VpcId", "Vpc", "CreateVpc", "RegionId", "cn-shanghai", "CidrBlock", "10.0.0.0/16",
         "VpcName", "main", NULL);
    settle(r);
    make(r, n->vsw1, "VSwitchId", "Vpc", "CreateVSwitch", "VpcId", n->vpc, "ZoneId", "cn-shanghai-b",
         "CidrBlock", "10.0.1.0/24", NULL);
    settle(r);
    make(r, n->vsw2, "VSwitchId", "Vpc", "CreateVSwitch", "VpcId", n->vpc, "ZoneId", "cn-shanghai-b",
         "CidrBlock", "10.0.2.0/24", NULL);
    settle(r);
    make(r, n->sg, "SecurityGroupId", "Ecs", "CreateSecurityGroup", "RegionId", "cn-shanghai", "VpcId",
         n->vpc, NULL);
}

struct gateway {
    char id[64], snat_table[64], forward_table[64], eip[64], address[64];
};

/* A gateway in the vSwitch with an EIP bound to it, at rest. */
static inline void make_gateway(struct rig *r, const struct net *n, const char *vswitch, struct gateway *g)
{
    make(r, g->id, "NatGatewayId", "Vpc", "CreateNatGateway", "RegionId", "cn-shanghai", "VpcId", n->vpc,
         "VSwitchId", vswitch, "NatType", "Enhanced", NULL);
    (void)snprintf(g->snat_table, 64, "%s", rig_text(r, "SnatTableIds.SnatTableId.0"));
    (void)snprintf(g->forward_table, 64, "%s", rig_text(r, "ForwardTableIds.ForwardTableId.0"));
    make(r, g->eip, "AllocationId", "Vpc", "AllocateEipAddress", "RegionId", "cn-shanghai", NULL);
    (void)snprintf(g->address, 64, "%s", rig_text(r, "EipAddress"));
    settle(r);
    ok(r, "Vpc", "AssociateEipAddress", "AllocationId", g->eip, "InstanceId", g->id, "InstanceType", "Nat",
       NULL);
    settle(r);
}

static inline char *ledger_text(struct rig *r, bool changing_only)
{
    struct buf out;
    struct err err;
    buf_init(&out, 1 << 20);
    assert_int_equal(mock_ledger(r->mock, changing_only, false, &out, &err), ERR_OK);
    char *text = strdup(buf_str(&out));
    buf_fini(&out);
    return text;
}

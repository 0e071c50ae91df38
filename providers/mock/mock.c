/* mock.c - the simulated cloud: one call from request to answer, and what happens by itself. */
#include "providers/mock/mock.h"

#include <string.h>

#include "providers/mock/handlers.h"

/* ---- Which function carries out which operation ---- */

handler_fn *const handlers[N_OPERATIONS] = {
    [OP_VPC_DescribeRegions] = regions_describe,
    [OP_VPC_DescribeZones] = zones_describe,
    [OP_VPC_ListEnhanhcedNatGatewayAvailableZones] = zones_for_nat,
    [OP_VPC_CreateVpc] = vpc_create,
    [OP_VPC_DescribeVpcs] = vpc_list,
    [OP_VPC_DescribeVpcAttribute] = vpc_attribute,
    [OP_VPC_ModifyVpcAttribute] = vpc_modify,
    [OP_VPC_DeleteVpc] = vpc_delete,
    [OP_VPC_AssociateVpcCidrBlock] = vpc_add_cidr,
    [OP_VPC_UnassociateVpcCidrBlock] = vpc_drop_cidr,
    [OP_VPC_CreateVSwitch] = vswitch_create,
    [OP_VPC_DescribeVSwitches] = vswitch_list,
    [OP_VPC_DescribeVSwitchAttributes] = vswitch_attributes,
    [OP_VPC_ModifyVSwitchAttribute] = vswitch_modify,
    [OP_VPC_DeleteVSwitch] = vswitch_delete,
    [OP_VPC_CreateNatGateway] = nat_create,
    [OP_VPC_DescribeNatGateways] = nat_list,
    [OP_VPC_GetNatGatewayAttribute] = nat_attribute,
    [OP_VPC_ModifyNatGatewayAttribute] = nat_modify,
    [OP_VPC_ModifyNatGatewaySpec] = nat_modify_spec,
    [OP_VPC_DeleteNatGateway] = nat_delete,
    [OP_VPC_DeletionProtection] = deletion_protection,
    [OP_VPC_AllocateEipAddress] = eip_allocate,
    [OP_VPC_DescribeEipAddresses] = eip_list,
    [OP_VPC_ModifyEipAddressAttribute] = eip_modify,
    [OP_VPC_ReleaseEipAddress] = eip_release,
    [OP_VPC_AssociateEipAddress] = eip_associate,
    [OP_VPC_AssociateEipAddressBatch] = eip_associate_batch,
    [OP_VPC_UnassociateEipAddress] = eip_unassociate,
    [OP_VPC_CreateSnatEntry] = snat_create,
    [OP_VPC_ModifySnatEntry] = snat_modify,
    [OP_VPC_DeleteSnatEntry] = snat_delete,
    [OP_VPC_DescribeSnatTableEntries] = snat_list,
    [OP_VPC_CreateForwardEntry] = dnat_create,
    [OP_VPC_ModifyForwardEntry] = dnat_modify,
    [OP_VPC_DeleteForwardEntry] = dnat_delete,
    [OP_VPC_DescribeForwardTableEntries] = dnat_list,
    [OP_VPC_CreateRouteTable] = table_create,
    [OP_VPC_ModifyRouteTableAttributes] = table_modify,
    [OP_VPC_DeleteRouteTable] = table_delete,
    [OP_VPC_DescribeRouteTableList] = table_list,
    [OP_VPC_AssociateRouteTable] = table_associate,
    [OP_VPC_UnassociateRouteTable] = table_unassociate,
    [OP_VPC_CreateRouteEntry] = route_create,
    [OP_VPC_CreateRouteEntries] = route_create_batch,
    [OP_VPC_ModifyRouteEntry] = route_modify,
    [OP_VPC_DeleteRouteEntry] = route_delete,
    [OP_VPC_DeleteRouteEntries] = route_delete_batch,
    [OP_VPC_DescribeRouteEntryList] = route_list,
    [OP_VPC_TagResources] = tags_add,
    [OP_VPC_UnTagResources] = tags_remove,
    [OP_VPC_ListTagResources] = tags_list,
    [OP_VPC_MoveResourceGroup] = resource_group_move,
    [OP_ECS_DescribeRegions] = regions_describe,
    [OP_ECS_CreateSecurityGroup] = group_create,
    [OP_ECS_DescribeSecurityGroups] = group_list,
    [OP_ECS_DescribeSecurityGroupAttribute] = group_attribute,
    [OP_ECS_ModifySecurityGroupAttribute] = group_modify,
    [OP_ECS_ModifySecurityGroupPolicy] = group_policy,
    [OP_ECS_DeleteSecurityGroup] = group_delete,
    [OP_ECS_AuthorizeSecurityGroup] = rule_authorize,
    [OP_ECS_AuthorizeSecurityGroupEgress] = rule_authorize_egress,
    [OP_ECS_RevokeSecurityGroup] = rule_revoke,
    [OP_ECS_RevokeSecurityGroupEgress] = rule_revoke_egress,
    [OP_ECS_ModifySecurityGroupRule] = rule_modify,
    [OP_ECS_ModifySecurityGroupEgressRule] = rule_modify_egress,
    [OP_ECS_RunInstances] = instance_run,
    [OP_ECS_DescribeInstances] = instance_list,
    [OP_ECS_ModifyInstanceAttribute] = instance_modify,
    [OP_ECS_StartInstance] = instance_start,
    [OP_ECS_StopInstance] = instance_stop,
    [OP_ECS_DeleteInstance] = instance_delete,
    [OP_ECS_DeleteInstances] = instance_delete_batch,
    [OP_ECS_TagResources] = tags_add,
    [OP_ECS_UntagResources] = tags_remove,
    [OP_ECS_ListTagResources] = tags_list,
    [OP_ECS_JoinResourceGroup] = resource_group_join,
};

static const struct operation *find_operation(const char *product, const char *name)
{
    size_t low = 0, high = N_OPERATIONS;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(operations[middle].product, product);
        if (order == 0) order = strcmp(operations[middle].name, name);
        if (order == 0) return &operations[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- What happens by itself ---- */

struct entity *busy_parent(const struct entity *e)
{
    struct entity *owner = e->links[OWNER].to;
    switch (e->type) {
    case E_VSWITCH:
    case E_TABLE:
    case E_SNAT:
    case E_DNAT: return owner;
    case E_ROUTE: return owner == NULL ? NULL : owner->links[OWNER].to;
    case E_EIP: return owner != NULL && owner->type == E_NAT ? owner : NULL;
    default: return NULL;
    }
}

static void rest_or_vanish(struct mock *m, struct entity *e, enum status was, int64_t now_ms)
{
    (void)was;
    if (e->then == ST_GONE)
        entity_vanish(m, e, now_ms);
    else
        entity_rest(&m->store, e, e->then);
}

settled_fn *const settled[N_ENTITY_TYPES] = {
    [E_VPC] = rest_or_vanish,   [E_VSWITCH] = rest_or_vanish,    [E_NAT] = nat_settled,
    [E_EIP] = eip_settled,      [E_SNAT] = rest_or_vanish,       [E_DNAT] = rest_or_vanish,
    [E_TABLE] = rest_or_vanish, [E_ROUTE] = rest_or_vanish,      [E_GROUP] = rest_or_vanish,
    [E_RULE] = rest_or_vanish,  [E_INSTANCE] = instance_settled,
};

/* What goes with an entity. */
static void drop_children(struct mock *m, struct entity *e, enum entity_type type)
{
    for (EACH_CHILD_SAFE(child, e, OWNER, type)) store_remove(&m->store, child);
}

static void clean(struct mock *m, struct entity *e)
{
    switch (e->type) {
    case E_VPC:
        for (EACH_CHILD_SAFE(table, e, OWNER, E_TABLE)) {
            drop_children(m, table, E_ROUTE);
            store_remove(&m->store, table);
        }
        break;
    case E_TABLE: drop_children(m, e, E_ROUTE); break;
    case E_GROUP: drop_children(m, e, E_RULE); break;
    case E_VSWITCH: routes_drop_vswitch(m, e); break;
    case E_INSTANCE:
        for (EACH_CHILD_SAFE(eip, e, OWNER, E_EIP)) eip_let_go(m, eip);
        break;
    default: break;
    }
}

/* Deleted gateways, vSwitches, instances and entries can stand in the way of their parents for a while after
 * they are gone from the lists. */
static const bool may_linger[N_ENTITY_TYPES] = {
    [E_VSWITCH] = true, [E_NAT] = true, [E_SNAT] = true, [E_DNAT] = true, [E_INSTANCE] = true,
};

void entity_vanish(struct mock *m, struct entity *e, int64_t now_ms)
{
    int64_t linger_ms = m->options[OPT_LINGER];
    if (e->status != ST_LINGERING) {
        clean(m, e);
        if (linger_ms > 0 && may_linger[e->type]) {
            entity_move(&m->store, e, ST_LINGERING, ST_GONE, now_ms + linger_ms, NULL);
            return;
        }
    }
    store_remove(&m->store, e);
}

void advance(struct mock *m, int64_t now_ms)
{
    for (struct entity *e; (e = store_next_transition(&m->store)) != NULL && e->ready_at_ms <= now_ms;)
        settled[e->type](m, e, e->status, e->ready_at_ms);
}

int64_t mock_next_transition(struct mock *m)
{
    const struct entity *e = store_next_transition(&m->store);
    return e == NULL ? INT64_MAX : e->ready_at_ms;
}

/* ---- One call ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct param *const *)a)->name, (*(const struct param *const *)b)->name);
}

static bool sort_params(struct call *c, const struct request *r)
{
    struct mock *m = c->m;
    if (r->n_params > m->scratch_capacity) {
        const struct param **p = realloc(m->scratch, r->n_params * sizeof(*p));
        if (p == NULL) return false;
        m->scratch = p;
        m->scratch_capacity = r->n_params;
    }
    for (uint32_t i = 0; i < r->n_params; i++) m->scratch[i] = &r->params[i];
    c->params = m->scratch;
    c->n_params = r->n_params;
    if (c->n_params > 1) qsort(c->params, c->n_params, sizeof(*c->params), by_name);
    return true;
}

static bool choose_region(struct call *c)
{
    const char *id = arg(c, "RegionId");
    if (id == NULL || id[0] == '\0') return true;
    int region = region_find(id);
    if (region < 0)
        return refuse(c, 404, "InvalidRegionId.NotFound", "The specified region \"%s\" does not exist.", id);
    c->region = (uint8_t)region;
    return true;
}

static bool choose_operation(struct call *c, const struct request *r)
{
    if (c->op == NULL) {
        bool product = strcmp(r->product, "Vpc") == 0 || strcmp(r->product, "Ecs") == 0;
        return refuse(c, 404, product ? "InvalidAction.NotFound" : "InvalidProduct.NotFound",
                      "The specified API is not found, please check your url and method.");
    }
    c->op_id = (enum op_id)(c->op - operations);
    return true;
}

static bool answers_dry_run(struct call *c)
{
    if (!c->op->reads) return false;
    return !call_accept(c);
}

/* Carries it out: false when refused. *repeated is the answer of an earlier call with the same token. */
static bool carry_out(struct call *c, json_t **repeated)
{
    if (!choose_region(c) || !validate(c) || !rate_check(c)) return false;
    switch (token_check(c, repeated)) {
    case TOKEN_ANSWERED: return true;
    case TOKEN_REFUSED: return false;
    case TOKEN_NO_MEMORY: c->no_memory = true; return false;
    case TOKEN_NEW: break;
    }
    if (answers_dry_run(c)) return false;
    return handlers[c->op_id](c);
}

static json_t *error_document(const struct call *c, const char *request, const char *product)
{
    char host[64], recommend[256];
    bool ecs = strcmp(product, "Ecs") == 0;
    (void)snprintf(host, sizeof(host), "%s.%s.aliyuncs.com", ecs ? "ecs" : "vpc", regions[c->region].id);
    (void)snprintf(recommend, sizeof(recommend),
                   "https://api.aliyun.com/troubleshoot?q=%s&product=%s&requestId=%s", c->code,
                   ecs ? "Ecs" : "Vpc", request);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "RequestId", request, "HostId", host, "Code", c->code,
                     "Message", text_is_utf8(text_of(c->message), NULL) ? c->message : "", "Recommend",
                     recommend);
}

static json_t *success_document(struct call *c, const char *request)
{
    answer_text(c, "RequestId", request);
    return c->no_memory ? NULL : json_incref(c->answer);
}

/* Three quarters to five quarters of the usual latency. */
static int64_t draw_latency(const struct mock *m)
{
    int64_t base = m->call_latency_ms;
    uint64_t width = (uint64_t)base / 2 + 1;
    return base - base / 4 + (int64_t)(mix64(m->seed ^ UINT64_C(0xA11CE), m->n_requests) % width);
}

static bool fault_blocks(struct call *c, const char *code, bool *lost, bool *takes_effect)
{
    int http_status;
    *lost = false;
    *takes_effect = false;
    if (!fault_is_connection(code, &http_status, takes_effect)) {
        (void)snprintf(c->code_text, sizeof(c->code_text), "%s", code);
        return !refuse(c, 400, c->code_text, "The fault script says so.");
    }
    *lost = http_status == 0;
    if (*lost) return !*takes_effect;
    return !refuse(c, http_status, http_status == 503 ? "ServiceUnavailable" : "InternalError",
                   "The request processing has failed due to some unknown error.");
}

/* The call itself, in memory. False: out of memory. */
static bool perform(struct call *c, const struct request *r, struct fault *fault, struct mock_answer *answer)
{
    CLEANUP(json_decrefp) json_t *repeated = NULL;
    char request[37], fault_name[96] = "";
    bool lost = false, takes_effect = false, blocked = false;
    request_id(c->m, c->now_ms, request);
    answer->latency_ms = draw_latency(c->m);
    if (fault != NULL) {
        (void)snprintf(fault_name, sizeof(fault_name), "%s", fault->code);
        blocked = fault_blocks(c, fault_name, &lost, &takes_effect);
        fault_use(c->m, fault);
    }
    bool done = !blocked && choose_operation(c, r) && sort_params(c, r) && carry_out(c, &repeated);
    if (c->no_memory || c->s->no_memory) return false;
    if (!done && c->code == NULL && !blocked) return false; /* only a failed allocation leaves no reason */
    answer->http_status = done ? 200 : c->http_status;
    if (done)
        answer->document = repeated != NULL ? json_incref(repeated) : success_document(c, request);
    else if (c->code != NULL)
        answer->document = error_document(c, request, r->product);
    if (answer->document == NULL && !(blocked && lost)) return false;
    if (done && repeated == NULL) token_remember(c, c->now_ms + answer->latency_ms, answer->document);
    if (lost) {
        json_decref(answer->document);
        answer->document = NULL;
        answer->http_status = 0;
        answer->fault = takes_effect ? MOCK_LOST_ANSWER : MOCK_LOST_REQUEST;
    }
    const char *code = lost ? fault_name : c->code == NULL ? "" : c->code;
    return ledger_add(c->m, c->now_ms, r->operation, c->op != NULL && c->op->reads, answer->http_status,
                      code) &&
           !c->no_memory;
}

enum err_code mock_call_document(struct mock *m, int64_t now_unix_ms, const struct request *r,
                                 struct mock_answer *answer, struct err *err)
{
    *answer = (struct mock_answer){0};
    if (r->out_of_memory) return err_nomem(err);
    const struct operation *op = find_operation(r->product, r->operation);
    bool write = op == NULL || !op->reads || m->ledger.n > LEDGER_FLUSH_ROWS;
    enum err_code e = persist_begin(m, write, err);
    if (e != ERR_OK) return e;
    struct fault *fault = fault_for(m, r->operation);
    if (fault != NULL && !write) { /* using the fault up changes the file */
        if ((e = persist_begin(m, true, err)) != ERR_OK) return e;
        fault = fault_for(m, r->operation);
    }
    CLEANUP(json_decrefp) json_t *object = json_object();
    struct call c = {
        .m = m, .s = &m->store, .now_ms = now_unix_ms, .op = op, .region = m->region, .answer = object};
    advance(m, now_unix_ms);
    if (object == NULL || !perform(&c, r, fault, answer)) {
        mock_answer_fini(answer);
        m->store.no_memory = false;
        persist_rollback(m);
        return err_nomem(err);
    }
    e = persist_commit(m, err);
    if (e != ERR_OK) mock_answer_fini(answer);
    return e;
}

enum err_code mock_call(struct mock *m, int64_t now_unix_ms, const struct request *r,
                        struct mock_answer *answer, struct err *err)
{
    enum err_code e = mock_call_document(m, now_unix_ms, r, answer, err);
    if (e != ERR_OK || answer->document == NULL) return e;
    answer->body = json_dumps(answer->document, JSON_COMPACT);
    if (answer->body == NULL) {
        mock_answer_fini(answer);
        return err_nomem(err); /* it took effect: as if the answer were lost */
    }
    answer->body_size = strlen(answer->body);
    json_decref(TAKE(answer->document));
    return ERR_OK;
}

void mock_answer_fini(struct mock_answer *answer)
{
    free(answer->body);
    json_decref(answer->document);
    *answer = (struct mock_answer){0};
}

/* ---- Life ---- */

enum { DEFAULT_SPEED = 20, DEFAULT_LATENCY_MS = 20 };

static void set_defaults(struct mock *m)
{
    m->speed = DEFAULT_SPEED;
    m->call_latency_ms = DEFAULT_LATENCY_MS;
    options_init(m);
}

void mock_forget(struct mock *m)
{
    kept_forget(m);
    store_fini(&m->store);
    store_init(&m->store, m->db != NULL);
    tokens_fini(m);
    faults_fini(m);
}

enum err_code mock_open(const struct mock_options *options, struct mock **out, struct err *err)
{
    const char *region_id = options->region == NULL ? "cn-shanghai" : options->region;
    int region = region_find(region_id);
    if (region < 0) return err_set(err, ERR_INPUT, "the simulated cloud has no region `%s`", region_id);
    struct mock *m = calloc(1, sizeof(*m));
    if (m == NULL) return err_nomem(err);
    m->seed = options->seed;
    m->region = (uint8_t)region;
    set_defaults(m);
    kept_init(m);
    store_init(&m->store, options->path != NULL);
    enum err_code e = options->path == NULL ? ERR_OK : persist_open(m, options->path, err);
    if (e != ERR_OK) {
        mock_close(m);
        return e;
    }
    *out = m;
    return ERR_OK;
}

void mock_close(struct mock *m)
{
    if (m == NULL) return;
    /* The reading calls that no changing one took along. Losing them would not be worth failing for. */
    struct err ignored;
    if (m->db != NULL && m->ledger.n > 0 && persist_begin(m, true, &ignored) == ERR_OK &&
        persist_commit(m, &ignored) != ERR_OK)
        ledger_fini(&m->ledger);
    persist_close(m);
    mock_forget(m);
    kept_fini(m);
    ledger_fini(&m->ledger);
    store_fini(&m->store);
    free(m->scratch);
    free(m);
}

void mock_closep(struct mock **m)
{
    mock_close(*m);
}

enum err_code mock_reset(struct mock *m, struct err *err)
{
    enum err_code e = persist_begin(m, true, err);
    if (e == ERR_OK) e = persist_clear(m, err);
    if (e != ERR_OK) {
        persist_rollback(m);
        return e;
    }
    int64_t next_seq =
        m->store.next_seq; /* ids and order go on, so that nothing old looks like something new */
    mock_forget(m);
    m->store.next_seq = next_seq;
    ledger_fini(&m->ledger);
    set_defaults(m);
    return persist_commit(m, err);
}

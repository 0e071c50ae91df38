/* mock.c - the mapping over the simulated cloud, on a virtual clock: every kind is created, found as it was
 * wanted, changed field by field and deleted again. */
#include "providers/mock/mock.h"
#include "tests/unit/alicloud/fixture.h"

enum { MAX_NAMES = 32, MAX_TRIES = 60 };

struct sim {
    struct fixture *f;
    struct mock *mock;
    int64_t now; /* Unix ms */
    struct {
        const char *name, *id;
    } ids[MAX_NAMES];
    size_t n_ids;
};

static int sim_setup(void **state)
{
    struct sim *s = calloc(1, sizeof *s);
    void *f = NULL;
    struct mock_options options = {.region = "cn-shanghai", .seed = 7};
    struct err err = {0};
    fixture_setup(&f);
    s->f = f;
    s->now = INT64_C(1767225600000); /* 2026-01-01 */
    if (mock_open(&options, &s->mock, &err) != ERR_OK) fail_msg("%s", err.msg);
    *state = s;
    return 0;
}

static int sim_teardown(void **state)
{
    struct sim *s = *state;
    void *f = s->f;
    mock_close(s->mock);
    fixture_teardown(&f);
    free(s);
    return 0;
}

static const char *id_of(const struct sim *s, struct text name)
{
    for (size_t i = 0; i < s->n_ids; i++)
        if (text_is(name, s->ids[i].name)) return s->ids[i].id;
    fail_msg("nothing is called " TEXT_FMT, TEXT_ARG(name));
    return "";
}

/* "$net" becomes the id of what was created as net. */
static const char *with_ids(const struct sim *s, const char *text)
{
    struct buf b;
    buf_init(&b, DUMP_BYTES);
    while (*text != '\0') {
        if (*text != '$') {
            buf_putc(&b, *text++);
            continue;
        }
        const char *name = ++text;
        while ((*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9')) text++;
        buf_puts(&b, id_of(s, (struct text){name, (size_t)(text - name)}));
    }
    const char *out = arena_strdup(s->f->arena, buf_str(&b));
    buf_fini(&b);
    return out;
}

static struct mock_answer call(struct sim *s, const struct request *r)
{
    struct mock_answer a;
    struct err err = {0};
    if (mock_call(s->mock, s->now, r, &a, &err) != ERR_OK) fail_msg("%s", err.msg);
    s->now += a.latency_ms;
    return a;
}

/* Forgets what a list did not show again: objects of the kinds that it lists, below its parent. */
static void forget_unseen(struct sim *s, const struct scope *scope, const struct world *seen)
{
    const struct cloud *c = s->f->cloud;
    uint8_t field;
    for (int k = 0; k < N_KINDS; k++) {
        if (c->listed_with(c, (enum kind)k) != scope->kind) continue;
        (void)c->list_scope_kind(c, (enum kind)k, &field);
        struct object *o;
        for (size_t cursor = 0; (o = world_next(s->f->world, (enum kind)k, &cursor)) != NULL;) {
            bool here = scope->id == NULL || text_is(value_as_text(o->values[field]), scope->id);
            if (here && world_find(seen, (enum kind)k, text_of(o->id)) == NULL)
                world_remove(s->f->world, (enum kind)k, o->id);
        }
    }
}

/* One list, all pages, into the world. 'id' limits it where that is possible. */
static void observe(struct sim *s, const struct scope *scope, const char *id)
{
    struct fixture *f = s->f;
    struct world *seen = world_new(f->arena);
    const char *after = NULL;
    do {
        struct request r;
        struct page page;
        struct err err = {0};
        assert_int_equal(f->cloud->list_request(f->cloud, scope, &id, id != NULL && after == NULL, after,
                                                f->arena, &r, &err),
                         NEXT_REQUEST);
        struct mock_answer a = call(s, &r);
        if (f->cloud->read_page(f->cloud, scope, &r, a.http_status,
                                (struct body){{a.body, a.body_size}, NULL}, f->world, f->arena, &page, NULL,
                                &err) != ERR_OK)
            fail_msg("%s", err.msg);
        free(a.body);
        for (uint32_t i = 0; i < page.n; i++) {
            assert_int_equal(world_put(f->world, page.objects[i], NULL), ERR_OK);
            assert_int_equal(world_put(seen, page.objects[i], NULL), ERR_OK);
        }
        after = page.next;
    } while (after != NULL);
    if (id == NULL) forget_unseen(s, scope, seen);
    world_free(seen);
}

static struct scope scope_of(const struct sim *s, const struct goal *g)
{
    const struct cloud *c = s->f->cloud;
    uint8_t field;
    struct scope scope = {.kind = c->listed_with(c, g->kind)};
    if (c->list_scope_kind(c, scope.kind, &field) != KIND_NONE)
        scope.id = g->values != NULL ? g->values[field].u.text : g->observed->values[field].u.text;
    return scope;
}

/* Whether the object of a goal is at rest, and which it is. */
static bool at_rest(struct sim *s, struct goal *g, const char **id)
{
    struct object *o = NULL;
    if (*id != NULL) o = world_find(s->f->world, g->kind, text_of(*id));
    if (o == NULL && g->values != NULL) o = world_find_key(s->f->world, g->kind, g->values);
    g->observed = o;
    if (o != NULL) *id = o->id;
    return g->verb == VERB_DELETE ? o == NULL : o != NULL && o->phase == PHASE_READY;
}

/* Waits until the object of the goal is ready (or gone), by lists and jumps of the clock. */
static void settle(struct sim *s, struct goal *g, const char **id)
{
    struct scope scope = scope_of(s, g);
    for (int i = 0; i < MAX_TRIES; i++) {
        observe(s, &scope, g->kind == KIND_SECURITY_GROUP && g->verb != VERB_DELETE ? *id : NULL);
        if (at_rest(s, g, id)) return;
        s->now += 2000;
    }
    fail_msg("%s " TEXT_FMT " does not settle (%s)", kind_info(g->kind)->name, TEXT_ARG(g->name),
             g->observed == NULL ? "absent" : g->observed->status);
}

/* Requests until the goal is reached. Returns how many took effect. */
static unsigned reach(struct sim *s, struct goal *g, const char **id)
{
    struct fixture *f = s->f;
    unsigned n = 0;
    for (int i = 0; i < MAX_TRIES; i++) {
        struct request r;
        struct err err = {0};
        struct outcome o;
        g->token = arena_printf(f->arena, "t-%lld-%d", (long long)s->now, i);
        enum next next = f->cloud->next(f->cloud, g, f->arena, &r, &err);
        if (next == NEXT_DONE) return n;
        if (next == NEXT_ERROR)
            fail_msg("%s " TEXT_FMT ": %s", verb_name(g->verb), TEXT_ARG(g->name), err.msg);
        struct mock_answer a = call(s, &r);
        f->cloud->read_outcome(f->cloud, g, &r, a.http_status, (struct body){{a.body, a.body_size}, NULL},
                               f->arena, &o);
        free(a.body);
        if (o.class == OUTCOME_BUSY || o.class == OUTCOME_THROTTLED || o.class == OUTCOME_TRANSIENT) {
            s->now += 3000;
            continue;
        }
        if (o.class != OUTCOME_DONE && o.class != OUTCOME_PENDING)
            fail_msg("%s: %s %s: %s", dump_request(f, &r), outcome_name(o.class), o.code, o.message);
        if (o.id != NULL) *id = o.id;
        n++;
        s->now += 1000; /* lists may lag behind */
        settle(s, g, id);
    }
    fail_msg("%s " TEXT_FMT " takes no end", verb_name(g->verb), TEXT_ARG(g->name));
    return n;
}

static struct goal goal_of(struct sim *s, enum verb verb, enum kind kind, const char *name, const char *text)
{
    struct goal g = make_goal(s->f, verb, kind, name, with_ids(s, text));
    struct value *values = (struct value *)(uintptr_t)g.values;
    assert_int_equal(
        s->f->cloud->normalise(s->f->cloud, kind, values, &g.set_fields, s->f->world, s->f->arena, NULL),
        ERR_OK);
    return g;
}

/* What is created, then changed to, then (where the deletion would be refused) changed back to. */
static const struct row {
    enum kind kind;
    const char *name, *first, *second, *last;
} rows[] = {
    {KIND_VPC, "net", "cidrBlock=10.0.0.0/16; description=first net; tags=env:test",
     "cidrBlock=10.0.0.0/15; secondaryCidrBlocks=172.16.0.0/16,172.18.0.0/16; name=other; resourceGroup=rg-acfmxother1; "
     "description=second net; tags=env:prod,team:x",
     "secondaryCidrBlocks=172.18.0.0/16"},
    {KIND_ROUTE_TABLE, "sys", "vpc=$net; system=true",
     "vpc=$net; system=true; name=sys-2; description=own one", NULL},
    {KIND_VSWITCH, "web", "vpc=$net; zone=cn-shanghai-b; cidrBlock=10.0.1.0/24",
     "vpc=$net; zone=cn-shanghai-b; cidrBlock=10.0.1.0/24; name=web-2; description=for the web; tags=a:b",
     NULL},
    {KIND_SECURITY_GROUP, "grp", "vpc=$net; innerAccess=Drop; description=a group",
     "vpc=$net; innerAccess=Accept; description=the group; name=grp-2; resourceGroup=rg-acfmxother1; tags=a:b",
     NULL},
    {KIND_SECURITY_GROUP_RULE, "in",
     "securityGroup=$grp; protocol=tcp; ports=80; peer.cidr=0.0.0.0/0; "
     "description=from all",
     "securityGroup=$grp; protocol=tcp; ports=80; peer.cidr=0.0.0.0/0; description=from everywhere", NULL},
    {KIND_SECURITY_GROUP_RULE, "any", "securityGroup=$grp; protocol=udp; peer.securityGroup=$grp; priority=9",
     NULL, NULL},
    {KIND_SECURITY_GROUP_RULE, "out",
     "securityGroup=$grp; direction=egress; policy=drop; protocol=icmp; peer.cidr=10.0.0.0/8", NULL, NULL},
    {KIND_INSTANCE, "vm",
     "vSwitch=$web; securityGroups=$grp; image=aliyun_3_x64_20G_alibase_20240819.vhd; "
     "instanceType=ecs.t6-c1m1.large; tags=role:web",
     "vSwitch=$web; securityGroups=$grp; name=vm-2; description=the machine; deletionProtection=true",
     "deletionProtection=false"},
    {KIND_NAT_GATEWAY, "nat", "vpc=$net; vSwitch=$web; description=the gateway",
     "vpc=$net; vSwitch=$web; name=nat-2; icmpReply=false; deletionProtection=true; tags=k:v",
     "deletionProtection=false"},
    {KIND_EIP, "ip1", "bandwidth=10; tags=k:v",
     "bandwidth=20; resourceGroup=rg-acfmxother1; name=ip-1; description=the address; "
     "deletionProtection=true",
     "deletionProtection=false"},
    {KIND_EIP, "ip2", "bandwidth=5; internetChargeType=PayByTraffic", NULL, NULL},
    {KIND_EIP_ASSOCIATION, "bind1", "eip=$ip1; natGateway=$nat", NULL, NULL},
    {KIND_EIP_ASSOCIATION, "bind2", "eip=$ip2; natGateway=$nat", NULL, NULL},
    {KIND_SNAT_ENTRY, "snat", "natGateway=$nat; source.vSwitch=$web; eips=$ip1",
     "natGateway=$nat; source.vSwitch=$web; eips=$ip1; name=snat-2; eipAffinity=true", NULL},
    {KIND_DNAT_ENTRY, "dnat",
     "natGateway=$nat; eip=$ip2; externalPort=80; target.instance=$vm; internalPort=8080",
     "natGateway=$nat; eip=$ip2; protocol=udp; externalPort=81; target.ip=10.0.1.77; internalPort=8081; "
     "name=dnat-2",
     NULL},
    {KIND_ROUTE_TABLE, "tab1", "vpc=$net; tags=k:v", "vpc=$net; name=tab-1; description=the table", NULL},
    {KIND_ROUTE_TABLE, "tab2", "vpc=$net", NULL, NULL},
    {KIND_ROUTE_ENTRY, "out1", "routeTable=$tab1; destination=0.0.0.0/0; nextHop.natGateway=$nat",
     "routeTable=$tab1; destination=0.0.0.0/0; nextHop.instance=$vm; name=out-1; description=the way out",
     NULL},
    {KIND_ROUTE_TABLE_ASSOCIATION, "use", "routeTable=$tab1; vSwitch=$web", "routeTable=$tab2; vSwitch=$web",
     NULL},
};

/* Without further requests: what was created or changed is seen as it was wanted. */
static void assert_no_difference(struct sim *s, struct goal *g)
{
    struct request r;
    struct err err = {0};
    g->verb = VERB_UPDATE;
    enum next next = s->f->cloud->next(s->f->cloud, g, s->f->arena, &r, &err);
    if (next == NEXT_REQUEST) fail_msg("a difference that is none: %s", dump_request(s->f, &r));
    assert_int_equal(next, NEXT_DONE);
}

static void create_and_change(struct sim *s, const struct row *row)
{
    const char *id = NULL;
    struct goal g = goal_of(s, VERB_CREATE, row->kind, row->name, row->first);
    assert_int_not_equal(reach(s, &g, &id), 0);
    assert_non_null(id);
    s->ids[s->n_ids].name = row->name;
    s->ids[s->n_ids++].id = id;
    assert_no_difference(s, &g);
    if (kind_info(row->kind)->tags_field != FIELD_NO && !g.observed->system) {
        assert_true(text_is(g.observed->owner_stack, "prod"));
        assert_true(text_is(g.observed->owner_name, row->name));
    }
    if (row->second == NULL) return;
    const struct object *before = g.observed;
    g = goal_of(s, VERB_UPDATE, row->kind, row->name, row->second);
    g.observed = before;
    assert_int_not_equal(reach(s, &g, &id), 0);
    assert_string_equal(id, s->ids[s->n_ids - 1].id);
    assert_no_difference(s, &g);
}

static void change_back_and_delete(struct sim *s, const struct row *row)
{
    const char *id = id_of(s, text_of(row->name));
    struct goal g = {.verb = VERB_UPDATE};
    if (row->last != NULL) {
        g = goal_of(s, VERB_UPDATE, row->kind, row->name, row->last);
        g.observed = world_find(s->f->world, row->kind, text_of(id));
        (void)reach(s, &g, &id);
    }
    g = make_goal(s->f, VERB_DELETE, row->kind, row->name, NULL);
    g.observed = world_find(s->f->world, row->kind, text_of(id));
    assert_non_null(g.observed);
    unsigned n = reach(s, &g, &id);
    assert_int_equal(n, g.observed != NULL ? 0 : 1); /* the system table stays */
}

static void every_kind_is_created_changed_and_deleted(void **state)
{
    struct sim *s = *state;
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) create_and_change(s, &rows[i]);
    for (size_t i = N_ELEMENTS(rows); i-- > 0;) change_back_and_delete(s, &rows[i]);
    struct scope tables = {.kind = KIND_ROUTE_TABLE};
    observe(s, &tables, NULL); /* the system's went with its VPC */
    for (int k = 0; k < N_KINDS; k++) assert_int_equal(world_count(s->f->world, (enum kind)k), 0);
}

/* What is created one by one for the batches below. */
static const struct row parents[] = {
    {KIND_VPC, "net", "cidrBlock=10.0.0.0/16", NULL, NULL},
    {KIND_VSWITCH, "web", "vpc=$net; zone=cn-shanghai-b; cidrBlock=10.0.1.0/24", NULL, NULL},
    {KIND_SECURITY_GROUP, "grp", "vpc=$net", NULL, NULL},
    {KIND_NAT_GATEWAY, "nat", "vpc=$net; vSwitch=$web", NULL, NULL},
    {KIND_EIP, "ip1", "bandwidth=5", NULL, NULL},
    {KIND_EIP, "ip2", "bandwidth=5", NULL, NULL},
    {KIND_ROUTE_TABLE, "tab", "vpc=$net", NULL, NULL},
};

static const struct {
    enum kind kind;
    const char *a, *b;
    bool removes; /* also deleted by a batch */
} pairs[] = {
    {KIND_EIP_ASSOCIATION, "eip=$ip1; natGateway=$nat", "eip=$ip2; natGateway=$nat", false},
    {KIND_ROUTE_ENTRY, "routeTable=$tab; destination=10.9.0.0/16; nextHop.natGateway=$nat",
     "routeTable=$tab; destination=0.0.0.0/0; nextHop.natGateway=$nat; description=all else", true},
    {KIND_SECURITY_GROUP_RULE, "securityGroup=$grp; protocol=tcp; ports=80; peer.cidr=0.0.0.0/0",
     "securityGroup=$grp; protocol=tcp; ports=8000/8080; peer.cidr=10.0.0.0/8; description=inside", true},
};

/* One request for two goals, and both reached by it. */
static void reach_both(struct sim *s, struct goal *a, struct goal *b)
{
    const struct cloud *c = s->f->cloud;
    const struct goal *const goals[] = {a, b};
    const char *a_id = NULL, *b_id = NULL;
    struct request r;
    struct err err = {0};
    struct outcome o;
    assert_true(c->may_batch(c, a, b));
    a->token = arena_printf(s->f->arena, "b-%lld", (long long)s->now);
    assert_int_equal(c->next_batch(c, goals, 2, s->f->arena, &r, &err), NEXT_REQUEST);
    struct mock_answer answer = call(s, &r);
    c->read_outcome(c, NULL, &r, answer.http_status, (struct body){{answer.body, answer.body_size}, NULL},
                    s->f->arena, &o);
    free(answer.body);
    if ((o.class != OUTCOME_DONE && o.class != OUTCOME_PENDING) || o.failed_items != NULL)
        fail_msg("%s: %s %s: %s", dump_request(s->f, &r), outcome_name(o.class), o.code, o.message);
    if (a->verb == VERB_DELETE) a_id = a->observed->id;
    if (b->verb == VERB_DELETE) b_id = b->observed->id;
    s->now += 1000;
    settle(s, a, &a_id);
    settle(s, b, &b_id);
}

static void batches_reach_all_their_goals(void **state)
{
    struct sim *s = *state;
    for (size_t i = 0; i < N_ELEMENTS(parents); i++) create_and_change(s, &parents[i]);
    for (size_t i = 0; i < N_ELEMENTS(pairs); i++) {
        struct goal a = goal_of(s, VERB_CREATE, pairs[i].kind, "aa", pairs[i].a);
        struct goal b = goal_of(s, VERB_CREATE, pairs[i].kind, "bb", pairs[i].b);
        reach_both(s, &a, &b);
        assert_no_difference(s, &a);
        assert_no_difference(s, &b);
        if (!pairs[i].removes) continue;
        struct goal x = make_goal(s->f, VERB_DELETE, pairs[i].kind, "aa", NULL), y = x;
        x.observed = a.observed;
        y.observed = b.observed;
        reach_both(s, &x, &y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_kind_is_created_changed_and_deleted, sim_setup, sim_teardown),
        cmocka_unit_test_setup_teardown(batches_reach_all_their_goals, sim_setup, sim_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* anything.c - random requests and random hands, by seed: nothing crashes, every success has its official
 * shape, and what is in the file is what is in memory. */
#include "rig.h"

enum { N_SEEDS = 6, N_STEPS = 4000, MAX_WORDS = 400 };

struct chaos {
    struct rig r;
    uint64_t state;
    char words[MAX_WORDS][64]; /* what values are taken from: ids, addresses, blocks */
    size_t n_words, n_kept;    /* the first are never overwritten */
    char names[RIG_MAX_PARAMS][96];
    char nat[64], table[64], group[64]; /* whose entries are listed */
};

static uint32_t draw(struct chaos *c, uint32_t n)
{
    c->state = c->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(c->state >> 33) % n;
}

static const char *any_word(struct chaos *c)
{
    return c->words[draw(c, (uint32_t)c->n_words)];
}

static void learn(struct chaos *c, const char *word)
{
    size_t at =
        c->n_words < MAX_WORDS ? c->n_words++ : c->n_kept + draw(c, (uint32_t)(MAX_WORDS - c->n_kept));
    (void)snprintf(c->words[at], sizeof(c->words[at]), "%s", word);
}

static void learn_from(struct chaos *c, const json_t *value)
{
    const char *key;
    json_t *child;
    size_t i;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key,
                            child) if (strcmp(key, "RequestId") != 0 && strcmp(key, "Status") != 0)
            learn_from(c, child);
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, child) learn_from(c, child);
    } else if (json_is_string(value) && json_string_length(value) > 0 && draw(c, 3) == 0) {
        learn(c, json_string_value(value));
    }
}

/* Words of the right family come more often than others. */
static const char *word_for(struct chaos *c, const struct op_param *p)
{
    static const struct {
        const char *in_name, *prefix;
    } families[] = {{"VpcId", "vpc-"},
                    {"VSwitchId", "vsw-"},
                    {"NatGatewayId", "ngw-"},
                    {"AllocationId", "eip-"},
                    {"SnatTableId", "stb-"},
                    {"ForwardTableId", "ftb-"},
                    {"RouteTableId", "vtb-"},
                    {"SnatEntryId", "snat-"},
                    {"ForwardEntryId", "fwd-"},
                    {"RouteEntryId", "rte-"},
                    {"GroupId", "sg-"},
                    {"RuleId", "sgr-"},
                    {"InstanceId", "i-"},
                    {"NextHop", "ngw-"},
                    {"SnatIp", "203."},
                    {"ExternalIp", "203."},
                    {"InternalIp", "10."},
                    {"InstanceId", "ngw-"},
                    {"ZoneId", "cn-"},
                    {"Cidr", "1"},
                    {"Port", "80"}};
    static const char *const booleans[] = {"true", "false"};
    if (p->allowed != NULL && draw(c, 20) > 0) {
        uint32_t n = 0;
        while (p->allowed[n] != NULL) n++;
        return p->allowed[draw(c, n)];
    }
    if (p->type == OP_BOOLEAN) return booleans[draw(c, 2)];
    if (p->type == OP_INTEGER || p->type == OP_LONG) return draw(c, 2) == 0 ? "1" : "10";
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (strstr(p->name, families[i].in_name) == NULL) continue;
        for (int tries = 0; tries < 200; tries++) {
            const char *word = any_word(c);
            if (strncmp(word, families[i].prefix, strlen(families[i].prefix)) == 0) return word;
        }
    }
    return any_word(c);
}

/* Optional by the metadata, but little works without. */
static bool is_usual(const char *name)
{
    static const char *const usual[] = {
        "VSwitchId",   "SnatIp",          "SourceVSwitchId", "InstanceId",          "NextHopId",
        "NextHopType", "SecurityGroupId", "RouteEntryId",    "SecurityGroupRuleId", "VpcId"};
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (strcmp(usual[i], name) == 0) return true;
    return false;
}

static uint32_t fill_params(struct chaos *c, const struct operation *op, struct param *params)
{
    uint32_t n = 0;
    for (size_t i = 0; i < op->n_params && n + 8 < RIG_MAX_PARAMS; i++) {
        const struct op_param *p = &op->params[i];
        if (strcmp(p->name, "RegionId") == 0 || (!p->required && draw(c, 7) > 0 && !is_usual(p->name)))
            continue;
        if (strstr(p->name, "NetworkInterfaceId") != NULL || strcmp(p->name, "Ipv6CidrBlock") == 0) continue;
        if (strcmp(p->name, "DryRun") == 0 && draw(c, 10) > 0) continue;
        if (p->type != OP_LIST && p->type != OP_OBJECT) {
            (void)snprintf(c->names[n], sizeof(c->names[n]), "%s", p->name);
            params[n] = (struct param){c->names[n], word_for(c, p)};
            n++;
        } else if (p->n_members == 0) {
            (void)snprintf(c->names[n], sizeof(c->names[n]), "%s.1", p->name);
            params[n] = (struct param){c->names[n], word_for(c, p)};
            n++;
        }
        for (size_t k = 0; k < p->n_members && n + 1 < RIG_MAX_PARAMS; k++) {
            if (!p->members[k].required && draw(c, 2) > 0) continue;
            (void)snprintf(c->names[n], sizeof(c->names[n]), p->type == OP_LIST ? "%s.1.%s" : "%s.%s",
                           p->name, p->members[k].name);
            params[n] = (struct param){c->names[n], word_for(c, &p->members[k])};
            n++;
        }
    }
    return n;
}

static void any_call(struct chaos *c)
{
    struct param params[RIG_MAX_PARAMS];
    char values[RIG_MAX_PARAMS][64];
    const struct operation *op = &operations[draw(c, N_OPERATIONS)];
    bool ends = strncmp(op->name, "Delete", 6) == 0 || strncmp(op->name, "Release", 7) == 0;
    if ((ends && draw(c, 5) > 0) || (op->reads && draw(c, 3) > 0)) return;
    uint32_t n = fill_params(c, op, params);
    for (uint32_t i = 0; i < n; i++) { /* words may be overwritten by what the answer teaches */
        (void)snprintf(values[i], sizeof(values[i]), "%s", params[i].value);
        params[i].value = values[i];
    }
    rig_send(&c->r, op->product, op->name, params, n);
    assert_true(c->r.http_status == 200 || (c->r.http_status >= 400 && c->r.http_status < 500));
    if (c->r.http_status == 200) learn_from(c, c->r.answer);
    c->r.now_ms += draw(c, 3) == 0 ? 5000 : 0;
}

static void any_hand(struct chaos *c)
{
    static const char *const attributes[] = {
        "Status",       "CidrBlock",        "InstanceId",       "RouteTableId", "NextHopId", "SnatIp",
        "ExternalPort", "PrivateIpAddress", "SecurityGroupIds", "Tag.a",        "IpAddress"};
    char assignment[128];
    const char *one = assignment;
    struct err err;
    enum err_code e;
    if (draw(c, 4) == 0) {
        e = mock_delete(c->r.mock, c->r.now_ms, any_word(c), draw(c, 4) == 0, &err);
        assert_true(e == ERR_OK || e == ERR_INPUT || e == ERR_CONFLICT);
        return;
    }
    (void)snprintf(assignment, sizeof(assignment), "%s=%s", attributes[draw(c, 11)],
                   draw(c, 3) == 0 ? "" : any_word(c));
    e = mock_set(c->r.mock, c->r.now_ms, any_word(c), &one, 1, &err);
    assert_true(e == ERR_OK || e == ERR_INPUT || e == ERR_LIMIT);
}

/* An answer that was kept is the one that would be given anew: with a lag nothing is kept. */
static void check_kept_lists(struct chaos *c)
{
    const struct {
        const char *product, *operation, *param, *value;
    } lists[] = {{"Vpc", "DescribeVpcs", NULL, NULL},
                 {"Vpc", "DescribeVSwitches", NULL, NULL},
                 {"Vpc", "DescribeNatGateways", NULL, NULL},
                 {"Vpc", "DescribeEipAddresses", NULL, NULL},
                 {"Vpc", "DescribeSnatTableEntries", "NatGatewayId", c->nat},
                 {"Vpc", "DescribeForwardTableEntries", "NatGatewayId", c->nat},
                 {"Vpc", "DescribeRouteTableList", NULL, NULL},
                 {"Vpc", "DescribeRouteEntryList", "RouteTableId", c->table},
                 {"Ecs", "DescribeSecurityGroups", NULL, NULL},
                 {"Ecs", "DescribeSecurityGroupAttribute", "SecurityGroupId", c->group},
                 {"Ecs", "DescribeInstances", NULL, NULL}};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct param params = {lists[i].param, lists[i].value};
        uint32_t n = lists[i].param == NULL ? 0 : 1;
        rig_send(&c->r, lists[i].product, lists[i].operation, &params, n);
        if (c->r.http_status != 200) continue; /* its parent is gone */
        c->r.now_ms -= 100;                    /* nothing may happen by itself in between */
        json_t *kept = json_incref(c->r.answer);
        set_option(&c->r, "list-lag-ms", "1");
        rig_send(&c->r, lists[i].product, lists[i].operation, &params, n);
        set_option(&c->r, "list-lag-ms", "0");
        (void)json_object_del(kept, "RequestId");
        (void)json_object_del(c->r.answer, "RequestId");
        if (!json_equal(kept, c->r.answer))
            fail_msg("%s: the kept answer is out of date", lists[i].operation);
        json_decref(kept);
    }
}

static void print_all(struct rig *r, int64_t now_ms, struct buf *out)
{
    struct err err;
    buf_init(out, 1 << 24);
    assert_int_equal(mock_list(r->mock, now_ms, NULL, true, out, &err), ERR_OK);
}

/* A world in which most operations find something to work on. */
static void begin(struct chaos *c)
{
    struct net n;
    struct gateway g[2];
    char id[64], ip[64];
    struct rig *r = &c->r;
    make_net(r, &n);
    for (size_t i = 0; i < 2; i++) {
        make_gateway(r, &n, i == 0 ? n.vsw1 : n.vsw2, &g[i]);
        const char *words[] = {g[i].id, g[i].snat_table, g[i].forward_table, g[i].eip, g[i].address};
        for (size_t k = 0; k < 5; k++) learn(c, words[k]);
    }
    const char *words[] = {n.vpc, n.vsw1, n.vsw2, n.sg, "1.2.3.0/24", "172.16.0.0/12"};
    for (size_t k = 0; k < 6; k++) learn(c, words[k]);
    learn(c, make(r, id, "InstanceIdSets.InstanceIdSet.0", "Ecs", "RunInstances", "VSwitchId", n.vsw1,
                  "SecurityGroupId", n.sg, NULL));
    learn(c, make(r, id, "SnatEntryId", "Vpc", "CreateSnatEntry", "SnatTableId", g[0].snat_table,
                  "SourceVSwitchId", n.vsw1, "SnatIp", g[0].address, NULL));
    learn(c, make(r, id, "ForwardEntryId", "Vpc", "CreateForwardEntry", "ForwardTableId", g[1].forward_table,
                  "ExternalIp", g[1].address, "ExternalPort", "80", "IpProtocol", "TCP", "InternalIp",
                  "10.0.2.9", "InternalPort", "80", NULL));
    learn(c, make(r, id, "AllocationId", "Vpc", "AllocateEipAddress", NULL));
    learn(c, make(r, ip, "EipAddress", "Vpc", "AllocateEipAddress", NULL));
    learn(c, make(r, id, "RouteTableId", "Vpc", "CreateRouteTable", "VpcId", n.vpc, NULL));
    settle(r);
    (void)snprintf(c->table, sizeof(c->table), "%s", id);
    learn(c,
          make(r, id, "RouteEntryId", "Vpc", "CreateRouteEntry", "RouteTableId", id, "DestinationCidrBlock",
               "0.0.0.0/0", "NextHopType", "NatGateway", "NextHopId", g[0].id, NULL));
    settle(r);
    (void)snprintf(c->nat, sizeof(c->nat), "%s", g[0].id);
    (void)snprintf(c->group, sizeof(c->group), "%s", n.sg);
    c->n_kept = c->n_words;
}

static void random_calls_and_hands_do_no_harm(void **state)
{
    (void)state;
    static const char *const first_words[] = {"10.0.0.0/16",
                                              "10.0.1.0/24",
                                              "10.0.2.0/24",
                                              "10.0.1.9",
                                              "0.0.0.0/0",
                                              "80",
                                              "80/80",
                                              "-1/-1",
                                              "192.168.0.0/16",
                                              "1",
                                              "50",
                                              "100",
                                              "name",
                                              "cn-shanghai-b",
                                              "203.0.113.1",
                                              "Any",
                                              "[\"i-1\"]",
                                              "",
                                              "k",
                                              "x,y"};
    for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
        struct chaos *c = calloc(1, sizeof(*c));
        struct buf before, after;
        struct err err;
        char path[64];
        assert_non_null(c);
        c->state = seed;
        rig_temp_path(path);
        rig_open(&c->r, path);
        set_option(&c->r, "linger-ms", seed % 2 == 0 ? "4000" : "0");
        set_option(&c->r, "quotas", seed % 3 == 0 ? "on" : "off");
        for (size_t i = 0; i < sizeof(first_words) / sizeof(first_words[0]); i++) learn(c, first_words[i]);
        begin(c);
        for (int step = 0; step < N_STEPS; step++) {
            if (draw(c, 50) == 0)
                any_hand(c);
            else
                any_call(c);
            if (step % 80 == 0) check_kept_lists(c);
        }
        /* A change by hand writes what memory knows; then both have to say the same. */
        int64_t now_ms = c->r.now_ms;
        assert_int_equal(mock_set_pace(c->r.mock, 20, 20, &err), ERR_OK);
        print_all(&c->r, now_ms, &before);
        rig_close(&c->r);
        rig_open(&c->r, path);
        print_all(&c->r, now_ms, &after);
        assert_string_equal(buf_str(&before), buf_str(&after));
        buf_fini(&before);
        buf_fini(&after);
        rig_close(&c->r);
        rig_remove_files(path);
        free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls_and_hands_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

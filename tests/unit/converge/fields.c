/* fields.c - every field of every kind: set, changed, un-set, empty, false; each time the plan says what will
 * happen, the apply does it without a refused call, and the next plan is empty. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

/* What the resource under test refers to. */
static const char around[] =
    "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8}\n---\n"
    "kind: Vpc\nmetadata: {name: other}\nspec: {cidrBlock: 192.168.0.0/16}\n---\n"
    "kind: VSwitch\nmetadata: {name: front}\nspec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24}\n---\n"
    "kind: VSwitch\nmetadata: {name: back}\nspec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.2.0/24}\n---\n"
    "kind: SecurityGroup\nmetadata: {name: web}\nspec: {vpc: main}\n---\n"
    "kind: SecurityGroup\nmetadata: {name: db}\nspec: {vpc: main}\n---\n"
    "kind: Instance\nmetadata: {name: ecs1}\n"
    "spec: {vSwitch: front, securityGroups: [web], image: img, instanceType: ecs.t6}\n---\n"
    "kind: Instance\nmetadata: {name: ecs2}\n"
    "spec: {vSwitch: front, securityGroups: [web], image: img, instanceType: ecs.t6}\n---\n"
    "kind: NatGateway\nmetadata: {name: nat1}\nspec: {vpc: main, vSwitch: front}\n---\n"
    "kind: NatGateway\nmetadata: {name: nat2}\nspec: {vpc: main, vSwitch: front}\n---\n"
    "kind: Eip\nmetadata: {name: eip1}\nspec: {}\n---\n"
    "kind: Eip\nmetadata: {name: eip2}\nspec: {}\n---\n"
    "kind: Eip\nmetadata: {name: eip3}\nspec: {}\n---\n"
    "kind: Eip\nmetadata: {name: free1}\nspec: {}\n---\n"
    "kind: Eip\nmetadata: {name: free2}\nspec: {}\n---\n"
    "kind: EipAssociation\nmetadata: {name: eip1-nat1}\nspec: {eip: eip1, natGateway: nat1}\n---\n"
    "kind: EipAssociation\nmetadata: {name: eip2-nat1}\nspec: {eip: eip2, natGateway: nat1}\n---\n"
    "kind: EipAssociation\nmetadata: {name: eip3-nat2}\nspec: {eip: eip3, natGateway: nat2}\n---\n"
    "kind: RouteTable\nmetadata: {name: table1}\nspec: {vpc: main}\n---\n"
    "kind: RouteTable\nmetadata: {name: table2}\nspec: {vpc: main}\n---\n";

/* A field's life. NULL as a value: it is left out. */
struct life {
    const char *field;          /* as the key of the spec */
    const char *first, *second; /* values, as YAML */
    const char *change, *unset; /* what the plan says when first becomes second, and second is left out; "":
                                   nothing; 'unset' NULL: it cannot be left out */
};

struct subject {
    const char *kind;
    const char *base[8][2]; /* the fields that are always there, with values that 'lives' take the place of */
    const struct life *lives;
};

static void write_manifest(struct buf *out, const struct subject *s, const char *field, const char *value)
{
    buf_puts(out, around);
    buf_printf(out, "kind: %s\nmetadata: {name: it}\nspec:\n", s->kind);
    bool any = false;
    for (size_t k = 0; k < N_ELEMENTS(s->base) && s->base[k][0] != NULL; k++) {
        if (field != NULL && strcmp(s->base[k][0], field) == 0) continue;
        buf_printf(out, "  %s: %s\n", s->base[k][0], s->base[k][1]);
        any = true;
    }
    if (value != NULL)
        buf_printf(out, "  %s: %s\n", field, value);
    else if (!any)
        buf_puts(out, "  {}\n");
}

static void set_manifest(struct harness *h, const struct subject *s, const char *field, const char *value)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 1 << 20);
    write_manifest(&b, s, field, value);
    /* Each document begins with its version. */
    CLEANUP(buf_fini) struct buf all;
    buf_init(&all, 1 << 20);
    for (const char *at = buf_str(&b); *at != '\0';) {
        const char *end = strstr(at, "---\n");
        size_t n = end == NULL ? strlen(at) : (size_t)(end - at) + 4;
        buf_printf(&all, "apiVersion: headgate/v1\n%.*s", (int)n, at);
        at += n;
    }
    harness_manifest(h, buf_str(&all));
}

/* Plans as told, applies without a refusal, and has nothing more to do. Returns the number of what went
 * wrong. */
static unsigned goes_well(struct harness *h, const struct subject *s, const struct life *l, const char *what,
                          const char *plan)
{
    unsigned wrong = 0;
    const char *seen = harness_plan_text(h, DUMP_CHANGES | DUMP_DRIFT);
    if (plan != NULL && strcmp(seen, plan) != 0) {
        print_message("%s.%s %s: the plan is\n%sinstead of\n%s", s->kind, l->field, what, seen, plan);
        wrong++;
    }
    harness_clear_ledger(h);
    enum err_code code = harness_apply(h, NULL);
    if (code != ERR_OK) {
        print_message("%s.%s %s: ", s->kind, l->field, what);
        explain(h, err_code_name(code));
        return wrong + 1;
    }
    if (h->summary.n_changing_calls != h->plan->n_calls) {
        print_message("%s.%s %s: %u calls instead of the %u of the plan\n", s->kind, l->field, what,
                      h->summary.n_changing_calls, h->plan->n_calls);
        wrong++;
    }
    const char *refused = harness_refused(h);
    if (refused[0] != '\0') {
        print_message("%s.%s %s: refused\n%s", s->kind, l->field, what, refused);
        wrong++;
    }
    const char *left = harness_plan_text(h, DUMP_CHANGES | DUMP_READS | DUMP_DRIFT);
    if (left[0] != '\0') {
        print_message("%s.%s %s: afterwards the plan is\n%s", s->kind, l->field, what, left);
        wrong++;
    }
    return wrong;
}

static void live(const struct subject *s)
{
    CLEANUP(harness_fini) struct harness h;
    unsigned wrong = 0;
    harness_init(&h);
    set_manifest(&h, s, NULL, NULL);
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    for (const struct life *l = s->lives; l->field != NULL; l++) {
        set_manifest(&h, s, l->field, l->first);
        wrong += goes_well(&h, s, l, "set", NULL);
        set_manifest(&h, s, l->field, l->second);
        wrong += goes_well(&h, s, l, "changed", l->change);
        if (l->unset != NULL) set_manifest(&h, s, l->field, NULL);
        if (l->unset != NULL) wrong += goes_well(&h, s, l, "left out", l->unset);
    }
    assert_int_equal(wrong, 0);
}

#define NAME_LIVES(kind)                                                                                     \
    {                                                                                                        \
        "name", "one-name", "two-name", "~ " kind "/it name\n", ""                                           \
    }
#define DESCRIPTION_LIVES(kind)                                                                              \
    {"description", "first words", "second words", "~ " kind "/it description\n",                            \
     "~ " kind "/it description\n"},                                                                         \
    {                                                                                                        \
        "description", "some words", "\"\"", "~ " kind "/it description\n", ""                               \
    }
#define TAG_LIVES(kind)                                                                                      \
    {                                                                                                        \
        "tags", "{team: net, stage: test}", "{team: core, cost: '1'}", "~ " kind "/it tags\n",               \
            "~ " kind "/it tags\n"                                                                           \
    }
#define GROUP_LIVES(kind)                                                                                    \
    {                                                                                                        \
        "resourceGroup", "rg-aekz1", "rg-aekz2", "~ " kind "/it resourceGroup\n", ""                         \
    }
#define PROTECTION_LIVES(kind)                                                                               \
    {"deletionProtection", "true", "false", "~ " kind "/it deletionProtection\n", ""},                       \
    {                                                                                                        \
        "deletionProtection", "false", "true", "~ " kind "/it deletionProtection\n",                         \
            "~ " kind "/it deletionProtection\n"                                                             \
    }

static void a_vpc(void **state)
{
    (void)state;
    live(&(struct subject){
        "Vpc",
        {{"cidrBlock", "172.16.0.0/16"}},
        (const struct life[]){
            {"secondaryCidrBlocks", "[192.168.0.0/24]", "[192.168.1.0/24, 192.168.2.0/24]",
             "~ Vpc/it secondaryCidrBlocks\n", ""},
            {"secondaryCidrBlocks", "[192.168.1.0/24]", "[]", "~ Vpc/it secondaryCidrBlocks\n", ""},
            NAME_LIVES("Vpc"),
            DESCRIPTION_LIVES("Vpc"),
            GROUP_LIVES("Vpc"),
            TAG_LIVES("Vpc"),
            {"cidrBlock", "172.16.0.0/16", "172.16.0.0/12", "~ Vpc/it cidrBlock\n", NULL},
            {NULL, NULL, NULL, NULL, NULL}}});
}

static void a_vswitch(void **state)
{
    (void)state;
    live(&(struct subject){
        "VSwitch",
        {{"vpc", "main"}, {"zone", "cn-shanghai-b"}, {"cidrBlock", "10.1.0.0/24"}},
        (const struct life[]){
            NAME_LIVES("VSwitch"),
            DESCRIPTION_LIVES("VSwitch"),
            TAG_LIVES("VSwitch"),
            {"zone", "cn-shanghai-b", "cn-shanghai-g", "-/+ VSwitch/it (zone)\n", NULL},
            {"cidrBlock", "10.1.0.0/24", "10.1.0.0/25", "-/+ VSwitch/it (cidrBlock)\n", NULL},
            {NULL, NULL, NULL, NULL, NULL}}});
}

static void a_security_group(void **state)
{
    (void)state;
    live(&(struct subject){
        "SecurityGroup",
        {{"vpc", "main"}},
        (const struct life[]){{"innerAccess", "Drop", "Accept", "~ SecurityGroup/it innerAccess\n", ""},
                              {"innerAccess", "Accept", "Drop", "~ SecurityGroup/it innerAccess\n",
                               "~ SecurityGroup/it innerAccess\n"},
                              NAME_LIVES("SecurityGroup"),
                              DESCRIPTION_LIVES("SecurityGroup"),
                              GROUP_LIVES("SecurityGroup"),
                              TAG_LIVES("SecurityGroup"),
                              {"type", "normal", "enterprise", "+/- SecurityGroup/it (type)\n", ""},
                              {"vpc", "main", "other", "+/- SecurityGroup/it (vpc)\n", NULL},
                              {NULL, NULL, NULL, NULL, NULL}}});
}

static void a_security_group_rule(void **state)
{
    (void)state;
#define REPLACED(field) "+/- SecurityGroupRule/it (" field ")\n"
    live(&(struct subject){
        "SecurityGroupRule",
        {{"securityGroup", "web"}, {"protocol", "tcp"}, {"ports", "\"80\""}, {"peer", "{cidr: 10.0.0.0/8}"}},
        (const struct life[]){
            {"direction", "ingress", "egress", REPLACED("direction"), REPLACED("direction")},
            {"policy", "accept", "drop", REPLACED("policy"), REPLACED("policy")},
            {"ports", "\"80\"", "8000/8080", REPLACED("ports"), REPLACED("ports")},
            {"ports", "\"80\"", "any", REPLACED("ports"), ""},
            {"priority", "1", "100", REPLACED("priority"), REPLACED("priority")},
            {"description", "first words", "second words", "~ SecurityGroupRule/it description\n", ""},
            {"description", "some words", "\"\"", "-/+ SecurityGroupRule/it (description)\n", ""},
            {"peer", "{cidr: 10.0.0.0/8}", "{securityGroup: db}", REPLACED("peer.securityGroup"), NULL},
            {"peer", "{cidr: 10.0.0.0/8}", "{cidr: 10.0.0.1/32}", REPLACED("peer.cidr"), NULL},
            {"securityGroup", "web", "db", REPLACED("securityGroup"), NULL},
            {NULL, NULL, NULL, NULL, NULL}}});
}

static void an_instance(void **state)
{
    (void)state;
    live(&(struct subject){
        "Instance",
        {{"vSwitch", "front"}, {"securityGroups", "[web]"}, {"image", "img"}, {"instanceType", "ecs.t6"}},
        (const struct life[]){
            {"securityGroups", "[web]", "[db, web]", "~ Instance/it securityGroups\n", NULL},
            NAME_LIVES("Instance"),
            DESCRIPTION_LIVES("Instance"),
            TAG_LIVES("Instance"),
            PROTECTION_LIVES("Instance"),
            {"privateIp", "10.0.1.77", "10.0.1.78", "-/+ Instance/it (privateIp)\n", ""},
            {"vSwitch", "front", "back", "-/+ Instance/it (vSwitch)\n", NULL},
            {"image", "img", "img2", "-/+ Instance/it (image)\n", NULL},
            {"instanceType", "ecs.t6", "ecs.t7", "-/+ Instance/it (instanceType)\n", NULL},
            {NULL, NULL, NULL, NULL, NULL}}});
}

static void a_nat_gateway(void **state)
{
    (void)state;
    live(&(struct subject){
        "NatGateway",
        {{"vpc", "main"}, {"vSwitch", "front"}},
        (const struct life[]){
            NAME_LIVES("NatGateway"),
            DESCRIPTION_LIVES("NatGateway"),
            TAG_LIVES("NatGateway"),
            PROTECTION_LIVES("NatGateway"),
            {"icmpReply", "true", "false", "~ NatGateway/it icmpReply\n", "~ NatGateway/it icmpReply\n"},
            {"icmpReply", "false", "true", "~ NatGateway/it icmpReply\n", ""},
            {"spec", "Small", "Medium", "", ""}, /* says nothing of a gateway that is paid by usage */
            {"vSwitch", "front", "back", "+/- NatGateway/it (vSwitch)\n", NULL},
            {"networkType", "internet", "intranet", "+/- NatGateway/it (networkType)\n", ""},
            {NULL, NULL, NULL, NULL, NULL}}});
}

static void an_eip(void **state)
{
    (void)state;
    live(&(struct subject){
        "Eip",
        {{NULL, NULL}},
        (const struct life[]){
            {"bandwidth", "7", "9", "~ Eip/it bandwidth\n", "~ Eip/it bandwidth\n"},
            NAME_LIVES("Eip"),
            DESCRIPTION_LIVES("Eip"),
            GROUP_LIVES("Eip"),
            TAG_LIVES("Eip"),
            PROTECTION_LIVES("Eip"),
            {"internetChargeType", "PayByTraffic", "PayByBandwidth", "+/- Eip/it (internetChargeType)\n", ""},
            {"isp", "BGP", "BGP_PRO", "+/- Eip/it (isp)\n", ""},
            {NULL, NULL, NULL, NULL, NULL}}});
}

static void an_eip_association(void **state)
{
    (void)state;
    live(&(struct subject){
        "EipAssociation",
        {{"eip", "free1"}, {"natGateway", "nat1"}},
        (const struct life[]){{"natGateway", "nat1", "nat2", "-/+ EipAssociation/it (natGateway)\n", NULL},
                              {"eip", "free1", "free2", "+/- EipAssociation/it (eip)\n", NULL},
                              {NULL, NULL, NULL, NULL, NULL}}});
}

static void an_snat_entry(void **state)
{
    (void)state;
    live(&(struct subject){
        "SnatEntry",
        {{"natGateway", "nat1"}, {"source", "{vSwitch: front}"}, {"eips", "[eip1]"}},
        (const struct life[]){
            {"eips", "[eip1]", "[eip2, eip1]", "~ SnatEntry/it eips\n", NULL},
            {"eips", "[eip1]", "[eip2]", "~ SnatEntry/it eips\n", NULL},
            {"eipAffinity", "true", "false", "~ SnatEntry/it eipAffinity\n", ""},
            {"eipAffinity", "false", "true", "~ SnatEntry/it eipAffinity\n", "~ SnatEntry/it eipAffinity\n"},
            NAME_LIVES("SnatEntry"),
            {"source", "{vSwitch: front}", "{vSwitch: back}", "-/+ SnatEntry/it (source.vSwitch)\n", NULL},
            {"source", "{cidr: 10.0.1.128/25}", "{instance: ecs1}", "-/+ SnatEntry/it (source.cidr)\n", NULL},
            {NULL, NULL, NULL, NULL, NULL}}});
}

static void a_dnat_entry(void **state)
{
    (void)state;
    live(&(struct subject){
        "DnatEntry",
        {{"natGateway", "nat1"},
         {"eip", "eip1"},
         {"protocol", "tcp"},
         {"externalPort", "\"80\""},
         {"target", "{instance: ecs1}"},
         {"internalPort", "\"80\""}},
        (const struct life[]){
            {"eip", "eip1", "eip2", "~ DnatEntry/it eip\n", NULL},
            {"protocol", "tcp", "udp", "~ DnatEntry/it protocol\n", "~ DnatEntry/it protocol\n"},
            {"externalPort", "\"80\"", "\"8080\"", "~ DnatEntry/it externalPort\n", NULL},
            {"internalPort", "\"80\"", "\"8080\"", "~ DnatEntry/it internalPort\n", NULL},
            {"target", "{instance: ecs1}", "{instance: ecs2}", "~ DnatEntry/it target.ip\n", NULL},
            {"target", "{instance: ecs1}", "{ip: 10.0.1.200}", "~ DnatEntry/it target.ip\n", NULL},
            {"portBreak", "true", "false", "~ DnatEntry/it portBreak\n", ""},
            {"portBreak", "false", "true", "~ DnatEntry/it portBreak\n", "~ DnatEntry/it portBreak\n"},
            NAME_LIVES("DnatEntry"),
            {NULL, NULL, NULL, NULL, NULL}}});
}

static void a_route_table(void **state)
{
    (void)state;
    live(&(struct subject){"RouteTable",
                           {{"vpc", "main"}},
                           (const struct life[]){NAME_LIVES("RouteTable"),
                                                 DESCRIPTION_LIVES("RouteTable"),
                                                 TAG_LIVES("RouteTable"),
                                                 {"vpc", "main", "other", "+/- RouteTable/it (vpc)\n", NULL},
                                                 {NULL, NULL, NULL, NULL, NULL}}});
}

static void a_route_entry(void **state)
{
    (void)state;
    live(&(struct subject){
        "RouteEntry",
        {{"routeTable", "table1"}, {"destination", "0.0.0.0/0"}, {"nextHop", "{natGateway: nat1}"}},
        (const struct life[]){
            {"nextHop", "{natGateway: nat1}", "{natGateway: nat2}", "~ RouteEntry/it nextHop.natGateway\n",
             NULL},
            {"nextHop", "{natGateway: nat1}", "{instance: ecs1}", "~ RouteEntry/it nextHop.instance\n", NULL},
            NAME_LIVES("RouteEntry"),
            DESCRIPTION_LIVES("RouteEntry"),
            {"destination", "0.0.0.0/0", "172.16.0.0/12", "+/- RouteEntry/it (destination)\n", NULL},
            {"routeTable", "table1", "table2", "+/- RouteEntry/it (routeTable)\n", NULL},
            {NULL, NULL, NULL, NULL, NULL}}});
}

static void a_route_table_association(void **state)
{
    (void)state;
    live(&(struct subject){
        "RouteTableAssociation",
        {{"routeTable", "table1"}, {"vSwitch", "front"}},
        (const struct life[]){
            {"routeTable", "table1", "table2", "~ RouteTableAssociation/it routeTable\n", NULL},
            {"vSwitch", "front", "back", "-/+ RouteTableAssociation/it (vSwitch)\n", NULL},
            {NULL, NULL, NULL, NULL, NULL}}});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vpc),
        cmocka_unit_test(a_vswitch),
        cmocka_unit_test(a_security_group),
        cmocka_unit_test(a_security_group_rule),
        cmocka_unit_test(an_instance),
        cmocka_unit_test(a_nat_gateway),
        cmocka_unit_test(an_eip),
        cmocka_unit_test(an_eip_association),
        cmocka_unit_test(an_snat_entry),
        cmocka_unit_test(a_dnat_entry),
        cmocka_unit_test(a_route_table),
        cmocka_unit_test(a_route_entry),
        cmocka_unit_test(a_route_table_association),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

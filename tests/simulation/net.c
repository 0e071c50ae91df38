/* net.c - drawing networks, and writing them as manifests. */
#include "tests/simulation/net.h"

#include <stdarg.h>
#include <string.h>

/* ---- drawing ---- */

static void draw_vswitch(struct net *n, struct rng *r, unsigned i)
{
    n->vswitches[i].exists = i == 0 || !rng_one_in(r, 3);
    n->vswitches[i].zone = (uint8_t)rng_below(r, 2);
    n->vswitches[i].bits = rng_one_in(r, 4) ? 25 : 24;
    n->vswitches[i].words = (uint8_t)rng_below(r, 3);
}

static void draw_group(struct net *n, struct rng *r, unsigned i)
{
    n->groups[i].exists = i == 0 || rng_one_in(r, 2);
    n->groups[i].enterprise = rng_one_in(r, 5);
    n->groups[i].n_rules = (uint8_t)rng_below(r, MAX_RULES + 1);
    for (unsigned k = 0; k < MAX_RULES; k++) {
        n->groups[i].ports[k] = (uint8_t)rng_below(r, 3);
        n->groups[i].egress[k] = rng_one_in(r, 3);
    }
}

static void draw_instance(struct net *n, struct rng *r, unsigned i)
{
    n->instances[i].exists = rng_one_in(r, 3);
    n->instances[i].vswitch = (uint8_t)rng_below(r, MAX_VSWITCHES);
    n->instances[i].group = (uint8_t)rng_below(r, MAX_GROUPS);
}

static void draw_nat(struct net *n, struct rng *r, unsigned i)
{
    n->nats[i].exists = rng_one_in(r, 2);
    n->nats[i].vswitch = rng_one_in(r, 3) ? (uint8_t)rng_below(r, MAX_VSWITCHES) : 0;
    n->nats[i].words = (uint8_t)rng_below(r, 3);
    n->nats[i].port = rng_one_in(r, 2) ? (uint8_t)(80 + rng_below(r, 3)) : 0;
    n->nats[i].snat = (uint8_t)rng_below(r, 1u << MAX_VSWITCHES);
}

static void draw_eip(struct net *n, struct rng *r, unsigned i)
{
    n->eips[i].exists = rng_one_in(r, 3);
    n->eips[i].pro = rng_one_in(r, 4);
    n->eips[i].bandwidth = (uint8_t)(5 + rng_below(r, 3));
}

static void draw_table(struct net *n, struct rng *r, unsigned i)
{
    n->tables[i].exists = rng_one_in(r, 2);
    n->tables[i].routed = !rng_one_in(r, 3);
    n->tables[i].destination = (uint8_t)rng_below(r, 2);
    n->tables[i].hop = (uint8_t)rng_below(r, MAX_NATS);
    n->tables[i].words = (uint8_t)rng_below(r, 3);
    n->tables[i].vswitch = (uint8_t)rng_below(r, MAX_VSWITCHES + 1);
}

static const struct {
    void (*draw)(struct net *, struct rng *, unsigned);
    unsigned n;
} parts[] = {
    {draw_vswitch, MAX_VSWITCHES}, {draw_group, MAX_GROUPS}, {draw_instance, MAX_INSTANCES},
    {draw_nat, MAX_NATS},          {draw_eip, MAX_EIPS},     {draw_table, MAX_TABLES},
};

void net_random(struct net *n, struct rng *r)
{
    memset(n, 0, sizeof *n);
    for (size_t p = 0; p < N_ELEMENTS(parts); p++)
        for (unsigned i = 0; i < parts[p].n; i++) parts[p].draw(n, r, i);
    n->shift = (uint8_t)rng_below(r, MAX_NATS);
}

/* What can be changed in place. */
static void reword(struct net *n, struct rng *r)
{
    uint8_t words = (uint8_t)rng_below(r, 3);
    n->vswitches[rng_below(r, MAX_VSWITCHES)].words = words;
    n->vswitches[0].words = (uint8_t)rng_below(r, 3);
    n->nats[rng_below(r, MAX_NATS)].words = words;
    n->tables[rng_below(r, MAX_TABLES)].words = words;
    for (unsigned i = 0; i < MAX_EIPS; i++) n->eips[i].bandwidth = (uint8_t)(5 + rng_below(r, 3));
}

void net_edit(struct net *n, struct rng *r)
{
    if (rng_one_in(r, 5)) { /* another network */
        net_random(n, r);
        return;
    }
    if (rng_one_in(r, 3)) {
        reword(n, r);
        return;
    }
    unsigned p = rng_below(r, N_ELEMENTS(parts) + 2);
    if (p < N_ELEMENTS(parts))
        parts[p].draw(n, r, rng_below(r, parts[p].n));
    else if (p == N_ELEMENTS(parts))
        n->shift = (uint8_t)rng_below(r, MAX_NATS);
    else
        n->names = (uint8_t)rng_below(r, 3);
}

/* ---- writing ---- */

static const char *const words[] = {"", "some words", "other words"};

struct writing {
    const struct net *net;
    struct buf *out;
    unsigned *counts;
};

static void begin(struct writing *w, enum kind kind, const char *name, unsigned i)
{
    w->counts[kind]++;
    buf_printf(w->out, "---\napiVersion: headgate/v1\nkind: %s\nmetadata: {name: %s%u}\nspec:\n",
               kind_info(kind)->name, name, i);
}

static void describe(struct writing *w, uint8_t which)
{
    if (which > 0) buf_printf(w->out, "  description: %s\n", words[which]);
}

static unsigned vswitch_or_0(const struct writing *w, unsigned i)
{
    return w->net->vswitches[i].exists ? i : 0;
}

static void write_vswitches(struct writing *w)
{
    begin(w, KIND_VPC, "vpc", 0);
    buf_puts(w->out, "  cidrBlock: 10.0.0.0/8\n");
    for (unsigned i = 0; i < MAX_VSWITCHES; i++) {
        if (!w->net->vswitches[i].exists) continue;
        begin(w, KIND_VSWITCH, "vsw", i);
        buf_printf(w->out, "  vpc: vpc0\n  zone: cn-shanghai-%c\n  cidrBlock: 10.0.%u.0/%u\n",
                   w->net->vswitches[i].zone == 0 ? 'b' : 'g', i, w->net->vswitches[i].bits);
        describe(w, w->net->vswitches[i].words);
    }
}

static void write_groups(struct writing *w)
{
    for (unsigned i = 0; i < MAX_GROUPS; i++) {
        if (!w->net->groups[i].exists) continue;
        begin(w, KIND_SECURITY_GROUP, "web", i);
        buf_printf(w->out, "  vpc: vpc0\n  type: %s\n",
                   w->net->groups[i].enterprise ? "enterprise" : "normal");
        if (w->net->groups[i].n_rules > 0) buf_puts(w->out, "  rules:\n");
        for (unsigned k = 0; k < w->net->groups[i].n_rules; k++) {
            w->counts[KIND_SECURITY_GROUP_RULE]++;
            buf_printf(
                w->out, "    - {protocol: tcp, ports: \"%u\", peer: {cidr: 0.0.0.0/0}, direction: %s}\n",
                80 + k * 10 + w->net->groups[i].ports[k], w->net->groups[i].egress[k] ? "egress" : "ingress");
        }
    }
    for (unsigned i = 0; i < MAX_INSTANCES; i++) {
        if (!w->net->instances[i].exists) continue;
        unsigned group = w->net->instances[i].group;
        begin(w, KIND_INSTANCE, "ecs", i);
        buf_printf(w->out,
                   "  vSwitch: vsw%u\n  securityGroups: [web%u]\n  image: img\n  instanceType: ecs.t6\n",
                   vswitch_or_0(w, w->net->instances[i].vswitch), w->net->groups[group].exists ? group : 0);
    }
}

static unsigned eip_of(const struct net *n, unsigned nat)
{
    return (nat + n->shift) % MAX_NATS;
}

/* A gateway's own address exists with it; the others as drawn. */
static bool eip_exists(const struct net *n, unsigned eip)
{
    for (unsigned i = 0; i < MAX_NATS; i++)
        if (n->nats[i].exists && eip_of(n, i) == eip) return true;
    return n->eips[eip].exists;
}

static void write_entries(struct writing *w, unsigned i)
{
    const struct net *n = w->net;
    begin(w, KIND_EIP_ASSOCIATION, "bound", i);
    buf_printf(w->out, "  eip: eip%u\n  natGateway: nat%u\n", eip_of(n, i), i);
    for (unsigned v = 0; v < MAX_VSWITCHES; v++) {
        if (!n->vswitches[v].exists || (n->nats[i].snat & 1u << v) == 0) continue;
        begin(w, KIND_SNAT_ENTRY, "out", i * 10 + v);
        buf_printf(w->out, "  natGateway: nat%u\n  source: {vSwitch: vsw%u}\n  eips: [eip%u]\n", i, v,
                   eip_of(n, i));
    }
    if (n->nats[i].port == 0) return;
    begin(w, KIND_DNAT_ENTRY, "in", i);
    buf_printf(w->out,
               "  natGateway: nat%u\n  eip: eip%u\n  protocol: tcp\n  externalPort: \"%u\"\n"
               "  target: {ip: 10.0.0.%u}\n  internalPort: \"80\"\n",
               i, eip_of(n, i), n->nats[i].port, 9 + i);
}

static void write_gateways(struct writing *w)
{
    const struct net *n = w->net;
    for (unsigned i = 0; i < MAX_EIPS; i++) {
        if (!eip_exists(n, i)) continue;
        begin(w, KIND_EIP, "eip", i);
        buf_printf(w->out, "  bandwidth: %u\n  isp: %s\n", n->eips[i].bandwidth,
                   n->eips[i].pro ? "BGP_PRO" : "BGP");
    }
    for (unsigned i = 0; i < MAX_NATS; i++) {
        if (!n->nats[i].exists) continue;
        begin(w, KIND_NAT_GATEWAY, "nat", i);
        buf_printf(w->out, "  vpc: vpc0\n  vSwitch: vsw%u\n", vswitch_or_0(w, n->nats[i].vswitch));
        describe(w, n->nats[i].words);
        write_entries(w, i);
    }
}

static void write_tables(struct writing *w)
{
    const struct net *n = w->net;
    unsigned taken = 0; /* a vSwitch has one table */
    for (unsigned i = 0; i < MAX_TABLES; i++) {
        if (!n->tables[i].exists) continue;
        begin(w, KIND_ROUTE_TABLE, n->names == 0 ? "table" : n->names == 1 ? "rtb" : "vtb", i);
        buf_puts(w->out, "  vpc: vpc0\n");
        describe(w, n->tables[i].words);
        if (n->tables[i].routed && n->nats[n->tables[i].hop].exists) {
            w->counts[KIND_ROUTE_ENTRY]++;
            buf_printf(w->out, "  routes:\n    - {destination: %s, nextHop: {natGateway: nat%u}}\n",
                       n->tables[i].destination == 0 ? "0.0.0.0/0" : "172.16.0.0/12", n->tables[i].hop);
        }
        unsigned v = n->tables[i].vswitch;
        if (v == MAX_VSWITCHES || !n->vswitches[v].exists || (taken & 1u << v) != 0) continue;
        taken |= 1u << v;
        w->counts[KIND_ROUTE_TABLE_ASSOCIATION]++;
        buf_printf(w->out, "  vSwitches: [vsw%u]\n", v);
    }
}

void net_write(const struct net *n, struct buf *out, unsigned counts[N_KINDS])
{
    struct writing w = {.net = n, .out = out, .counts = counts};
    memset(counts, 0, N_KINDS * sizeof *counts);
    write_vswitches(&w);
    write_groups(&w);
    write_gateways(&w);
    write_tables(&w);
}

/* ---- what must be so ---- */

static void expect(const struct expectations *x, const char *kind, const char *name, unsigned i,
                   const char *attribute, const char *value)
{
    char address[64];
    if (value[0] == '\0') return; /* not said: whatever somebody writes there is right */
    (void)snprintf(address, sizeof address, "%s/%s%u", kind, name, i);
    x->expect(x->ctx, address, attribute, value);
}

PRINTF_LIKE(1, 2) static const char *say(const char *fmt, ...)
{
    static char text[64];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); /* it fits */
    va_end(args);
    return text;
}

void net_expect(const struct net *n, const struct expectations *x)
{
    const char *table = n->names == 0 ? "table" : n->names == 1 ? "rtb" : "vtb";
    for (unsigned i = 0; i < MAX_VSWITCHES; i++) {
        if (!n->vswitches[i].exists) continue;
        expect(x, "VSwitch", "vsw", i, "Description", words[n->vswitches[i].words]);
        expect(x, "VSwitch", "vsw", i, "CidrBlock", say("10.0.%u.0/%u", i, n->vswitches[i].bits));
        expect(x, "VSwitch", "vsw", i, "ZoneId",
               n->vswitches[i].zone == 0 ? "cn-shanghai-b" : "cn-shanghai-g");
    }
    for (unsigned i = 0; i < MAX_NATS; i++) {
        if (!n->nats[i].exists) continue;
        expect(x, "NatGateway", "nat", i, "Description", words[n->nats[i].words]);
        if (n->nats[i].port > 0) expect(x, "DnatEntry", "in", i, "ExternalPort", say("%u", n->nats[i].port));
    }
    for (unsigned i = 0; i < MAX_EIPS; i++) {
        if (!eip_exists(n, i)) continue;
        expect(x, "Eip", "eip", i, "Bandwidth", say("%u", n->eips[i].bandwidth));
        expect(x, "Eip", "eip", i, "ISP", n->eips[i].pro ? "BGP_PRO" : "BGP");
    }
    for (unsigned i = 0; i < MAX_GROUPS; i++)
        if (n->groups[i].exists)
            expect(x, "SecurityGroup", "web", i, "SecurityGroupType",
                   n->groups[i].enterprise ? "enterprise" : "normal");
    for (unsigned i = 0; i < MAX_TABLES; i++)
        if (n->tables[i].exists) expect(x, "RouteTable", table, i, "Description", words[n->tables[i].words]);
}

/* render_fixture.h - desired resources and plans written by hand, for the tests of what is rendered. */
#pragma once

#include "reconciler/plan/plan.h"

#include <string.h>

enum { FIXTURE_SIZE = 40, FIXTURE_FIELDS = 20 };

/* All zero to begin with. Resources are added in the order of addresses. */
struct fixture {
    struct resource resources[FIXTURE_SIZE];
    struct value values[FIXTURE_SIZE][FIXTURE_FIELDS];
    struct object objects[FIXTURE_SIZE];
    struct value observed[FIXTURE_SIZE][FIXTURE_FIELDS];
    struct record records[FIXTURE_SIZE];
    struct value recorded[FIXTURE_SIZE][FIXTURE_FIELDS];
    struct value items[FIXTURE_SIZE * 4]; /* of lists and maps */
    uint32_t n_objects, n_records, n_items;
    struct change changes[FIXTURE_SIZE];
    struct drift drifts[FIXTURE_SIZE];
    const char *bound[FIXTURE_SIZE];
    struct desired desired;
    struct plan plan;
};

static inline void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->desired.stack.name = TEXT("lab");
    f->desired.items = f->resources;
    f->plan.stack = TEXT("lab");
    f->plan.changes = f->changes;
    f->plan.drifts = f->drifts;
    f->plan.bound_ids = f->bound;
}

static inline uint32_t add_desired(struct fixture *f, enum kind kind, const char *name)
{
    uint32_t i = f->desired.n++;
    f->resources[i] = (struct resource){
        .kind = kind, .name = text_of(name), .lifecycle = &lifecycle_default, .values = f->values[i]};
    return i;
}

static inline void set(struct fixture *f, uint32_t i, uint8_t field, struct value v)
{
    f->values[i][field] = v;
}

/* A reference to a desired resource. */
static inline struct value local(uint32_t index)
{
    return (struct value){.state = VALUE_SET, .form = REF_LOCAL, .u.num = index};
}

static inline struct value list_of(struct fixture *f, uint32_t n, const struct value *items)
{
    struct value v = value_list(&f->items[f->n_items], n);
    memcpy(&f->items[f->n_items], items, n * sizeof *items);
    f->n_items += n;
    return v;
}
#define LIST(f, ...)                                                                                         \
    list_of((f), sizeof((struct value[]){__VA_ARGS__}) / sizeof(struct value), (struct value[]){__VA_ARGS__})

static inline struct object *add_object(struct fixture *f, enum kind kind, const char *id)
{
    uint32_t i = f->n_objects++;
    f->objects[i] = (struct object){.kind = kind, .id = id, .status = "Available", .values = f->observed[i]};
    return &f->objects[i];
}

static inline struct record *add_record(struct fixture *f, enum kind kind, const char *name, const char *id)
{
    uint32_t i = f->n_records++;
    f->records[i] = (struct record){.kind = kind, .name = text_of(name), .id = id, .values = f->recorded[i]};
    return &f->records[i];
}

static inline struct change *add_change(struct fixture *f, enum action action, enum kind kind,
                                        const char *name)
{
    struct change *c = &f->changes[f->plan.n_changes++];
    *c = (struct change){.action = action, .kind = kind, .name = text_of(name), .desired_index = UINT32_MAX};
    uint32_t i = desired_find(&f->desired, kind, text_of(name));
    if (i != UINT32_MAX && action != ACTION_DELETE && action != ACTION_FORGET) {
        c->desired = &f->resources[i];
        c->desired_index = i;
        c->values = f->values[i];
    }
    return c;
}

/* The worked example: an instance reaches another one's published port over the Internet side. */
static inline void fixture_hairpin(struct fixture *f)
{
    fixture_init(f);
    f->desired.stack.name = TEXT("nat-hairpin");
    uint32_t vpc = add_desired(f, KIND_VPC, "main");
    uint32_t vsw1 = add_desired(f, KIND_VSWITCH, "vsw1"), vsw2 = add_desired(f, KIND_VSWITCH, "vsw2");
    uint32_t ecs1 = add_desired(f, KIND_INSTANCE, "ecs1"), ecs2 = add_desired(f, KIND_INSTANCE, "ecs2");
    uint32_t nat1 = add_desired(f, KIND_NAT_GATEWAY, "nat1"), nat2 = add_desired(f, KIND_NAT_GATEWAY, "nat2");
    uint32_t eip1 = add_desired(f, KIND_EIP, "eip1"), eip2 = add_desired(f, KIND_EIP, "eip2");
    uint32_t bind1 = add_desired(f, KIND_EIP_ASSOCIATION, "eip1-nat1");
    uint32_t bind2 = add_desired(f, KIND_EIP_ASSOCIATION, "eip2-nat2");
    uint32_t snat = add_desired(f, KIND_SNAT_ENTRY, "vsw1-out"),
             dnat = add_desired(f, KIND_DNAT_ENTRY, "http");
    uint32_t vtb1 = add_desired(f, KIND_ROUTE_TABLE, "vtb1"), vtb2 = add_desired(f, KIND_ROUTE_TABLE, "vtb2");
    uint32_t rte1 = add_desired(f, KIND_ROUTE_ENTRY, "vtb1-default");
    uint32_t rte2 = add_desired(f, KIND_ROUTE_ENTRY, "vtb2-default");
    uint32_t use1 = add_desired(f, KIND_ROUTE_TABLE_ASSOCIATION, "vtb1-vsw1");
    uint32_t use2 = add_desired(f, KIND_ROUTE_TABLE_ASSOCIATION, "vtb2-vsw2");

    set(f, vpc, VPC_CIDR, value_cstr("192.168.0.0/16"));
    const uint32_t vsws[] = {vsw1, vsw2}, ecss[] = {ecs1, ecs2}, nats[] = {nat1, nat2}, eips[] = {eip1, eip2};
    const uint32_t binds[] = {bind1, bind2}, vtbs[] = {vtb1, vtb2}, rtes[] = {rte1, rte2},
                   uses[] = {use1, use2};
    for (int i = 0; i < 2; i++) {
        set(f, vsws[i], VSW_VPC, local(vpc));
        set(f, vsws[i], VSW_ZONE, value_cstr("cn-shanghai-b"));
        set(f, vsws[i], VSW_CIDR, value_cstr(i == 0 ? "192.168.1.0/24" : "192.168.2.0/24"));
        set(f, ecss[i], INS_VSWITCH, local(vsws[i]));
        set(f, ecss[i], INS_PRIVATE_IP, value_cstr(i == 0 ? "192.168.1.10" : "192.168.2.10"));
        set(f, nats[i], NAT_VPC, local(vpc));
        set(f, nats[i], NAT_VSWITCH, local(vsws[i]));
        set(f, eips[i], EIP_BANDWIDTH, value_int(5));
        set(f, binds[i], EAS_EIP, local(eips[i]));
        set(f, binds[i], EAS_NAT, local(nats[i]));
        set(f, vtbs[i], RTB_VPC, local(vpc));
        set(f, rtes[i], RTE_TABLE, local(vtbs[i]));
        set(f, rtes[i], RTE_DESTINATION, value_cstr("0.0.0.0/0"));
        set(f, rtes[i], RTE_HOP_NAT, local(nats[i]));
        set(f, uses[i], RTA_TABLE, local(vtbs[i]));
        set(f, uses[i], RTA_VSWITCH, local(vsws[i]));
    }
    set(f, snat, SNAT_NAT, local(nat1));
    set(f, snat, SNAT_VSWITCH, local(vsw1));
    set(f, snat, SNAT_EIPS, LIST(f, local(eip1)));
    set(f, dnat, DNAT_NAT, local(nat2));
    set(f, dnat, DNAT_EIP, local(eip2));
    set(f, dnat, DNAT_PROTOCOL, value_cstr("tcp"));
    set(f, dnat, DNAT_EXTERNAL_PORT, value_cstr("80"));
    set(f, dnat, DNAT_INTERNAL_PORT, value_cstr("80"));
    set(f, dnat, DNAT_TARGET_INSTANCE, local(ecs2));
}

/* A plan with nearly one of each. */
static inline void fixture_mixed(struct fixture *f)
{
    fixture_init(f);
    uint32_t vpc = add_desired(f, KIND_VPC, "main"), web = add_desired(f, KIND_VSWITCH, "web");
    uint32_t nat = add_desired(f, KIND_NAT_GATEWAY, "nat1"), eip = add_desired(f, KIND_EIP, "eip1");
    uint32_t out = add_desired(f, KIND_SNAT_ENTRY, "web-out");
    f->bound[vpc] = "vpc-1";

    struct object *o = add_object(f, KIND_VPC, "vpc-1");
    o->values[VPC_CIDR] = value_cstr("192.168.0.0/16");
    set(f, vpc, VPC_CIDR, value_cstr("192.168.0.0/16"));
    struct change *c = add_change(f, ACTION_ADOPT, KIND_VPC, "main");
    c->observed = o;

    set(f, web, VSW_VPC, value_id("vpc-1"));
    set(f, web, VSW_ZONE, value_cstr("cn-hangzhou-h"));
    set(f, web, VSW_CIDR, value_cstr("192.168.1.0/24"));
    set(f, web, VSW_TAGS,
        LIST(f, value_cstr("env"), value_cstr("prod"), value_cstr("owner"), value_cstr("net")));
    c = add_change(f, ACTION_CREATE, KIND_VSWITCH, "web");

    o = add_object(f, KIND_NAT_GATEWAY, "ngw-1");
    o->values[NAT_VPC] = value_id("vpc-1");
    o->values[NAT_VSWITCH] = value_id("vsw-old");
    o->values[NAT_PRIVATE_IP] = value_cstr("10.0.0.7");
    o->values[NAT_DESCRIPTION] = value_cstr("first");
    set(f, nat, NAT_VSWITCH, local(web));
    set(f, nat, NAT_VPC, value_id("vpc-1"));
    c = add_change(f, ACTION_REPLACE, KIND_NAT_GATEWAY, "nat1");
    c->observed = o;
    c->reason = REASON_IMMUTABLE;
    c->create_first = true;
    c->disruption = DISRUPTION_OUTAGE;
    static const struct text affected[] = {{"web", 3}, {"db", 2}};
    c->affected = affected;
    c->n_affected = 2;
    static struct field_diff nat_diffs[2];
    nat_diffs[0] = (struct field_diff){.field = NAT_VSWITCH,
                                       .forces_replace = true,
                                       .before = value_id("vsw-old"),
                                       .after = value_unknown()};
    nat_diffs[1] = (struct field_diff){.field = NAT_DESCRIPTION, .before = value_cstr("first"), .after = {0}};
    c->diffs = nat_diffs;
    c->n_diffs = 2;

    o = add_object(f, KIND_EIP, "eip-1");
    o->values[EIP_BANDWIDTH] = value_int(5);
    o->values[EIP_ISP] = value_cstr("BGP");
    o->values[EIP_ADDRESS] = value_cstr("47.1.2.3");
    o->values[EIP_TAGS] = LIST(f, value_cstr("env"), value_cstr("dev"), value_cstr("foreign"),
                               value_cstr("x"), value_cstr("old"), value_cstr("1"));
    struct record *r = add_record(f, KIND_EIP, "eip1", "eip-1");
    r->values[EIP_BANDWIDTH] = value_int(10);
    r->values[EIP_TAGS] = LIST(f, value_cstr("env"), value_cstr("dev"), value_cstr("old"), value_cstr("1"));
    set(f, eip, EIP_BANDWIDTH, value_int(10));
    c = add_change(f, ACTION_UPDATE, KIND_EIP, "eip1");
    c->observed = o;
    c->recorded = r;
    static struct field_diff eip_diffs[2], eip_drift[1];
    eip_diffs[0] = (struct field_diff){
        .field = EIP_BANDWIDTH, .cause = DIFF_DRIFT, .before = value_int(5), .after = value_int(10)};
    eip_diffs[1] = (struct field_diff){
        .field = EIP_TAGS,
        .before = o->values[EIP_TAGS],
        .after = LIST(f, value_cstr("env"), value_cstr("prod"), value_cstr("team"), value_cstr("net"))};
    eip_drift[0] = (struct field_diff){
        .field = EIP_BANDWIDTH, .cause = DIFF_DRIFT, .before = value_int(10), .after = value_int(5)};
    c->diffs = eip_diffs;
    c->n_diffs = 2;
    f->drifts[0] = (struct drift){.kind = KIND_EIP,
                                  .name = TEXT("eip1"),
                                  .observed = o,
                                  .recorded = r,
                                  .diffs = eip_drift,
                                  .n_diffs = 1};

    o = add_object(f, KIND_EIP, "eip-9");
    o->values[EIP_ADDRESS] = value_cstr("47.9.9.9");
    c = add_change(f, ACTION_DELETE, KIND_EIP, "old");
    c->observed = o;
    c->reason = REASON_NOT_DESIRED;

    o = add_object(f, KIND_SNAT_ENTRY, "snat-1");
    o->values[SNAT_NAT] = value_id("ngw-1");
    o->values[SNAT_CIDR] = value_cstr("10.0.0.0/8");
    o->values[SNAT_EIPS] = LIST(f, value_id("eip-1"), value_id("eip-9"));
    set(f, out, SNAT_CIDR, value_cstr("10.0.0.0/8"));
    c = add_change(f, ACTION_UPDATE, KIND_SNAT_ENTRY, "web-out");
    c->observed = o;
    c->disruption = DISRUPTION_EGRESS;
    c->affected = affected;
    c->n_affected = 1;
    static struct field_diff snat_diffs[1];
    snat_diffs[0] = (struct field_diff){.field = SNAT_EIPS,
                                        .before = o->values[SNAT_EIPS],
                                        .after = LIST(f, value_id("eip-1"), value_id("eip-foreign"))};
    c->diffs = snat_diffs;
    c->n_diffs = 1;
    r = add_record(f, KIND_ROUTE_ENTRY, "gone", "rte-1");
    r->values[RTE_DESTINATION] = value_cstr("0.0.0.0/0");
    c = add_change(f, ACTION_FORGET, KIND_ROUTE_ENTRY, "gone");
    c->recorded = r;
    c->reason = REASON_GONE;
    f->drifts[1] = (struct drift){.kind = KIND_ROUTE_ENTRY, .name = TEXT("gone"), .recorded = r};
    f->plan.n_drifts = 2;
    f->plan.n_add = 2;
    f->plan.n_change = 2;
    f->plan.n_destroy = 2;
    f->plan.n_adopt = 1;
    f->plan.n_forget = 1;
    f->plan.n_calls = 12;
    f->plan.critical_ms = 130000;
}

/* drift.c - somebody changes or deletes things behind headgate's back: told as drift, corrected by the next
 * apply, or only told, or left alone, as the manifest says. */
#include "tests/support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/expect.h"

#define DOC  "apiVersion: headgate/v1\n"
#define NEXT "---\n" DOC

/* One of each kind; '@' is where the lifecycle of all of them goes. */
static const char all_kinds[] = DOC
    "kind: Vpc\nmetadata: {name: main}\nspec: {cidrBlock: 10.0.0.0/8, name: main-net, description: ours, "
    "secondaryCidrBlocks: [172.16.0.0/16], tags: {team: net}}\n@" NEXT
    "kind: VSwitch\nmetadata: {name: front}\n"
    "spec: {vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24, description: ours}\n@" NEXT
    "kind: SecurityGroup\nmetadata: {name: web}\nspec: {vpc: main, innerAccess: Accept, description: ours}\n@" NEXT
    "kind: SecurityGroupRule\nmetadata: {name: http}\nspec: {securityGroup: web, protocol: tcp, ports: \"80\", "
    "peer: {cidr: 0.0.0.0/0}, description: ours}\n@" NEXT
    "kind: Instance\nmetadata: {name: ecs}\nspec: {vSwitch: front, securityGroups: [web], image: img, "
    "instanceType: ecs.t6, description: ours}\n@" NEXT
    "kind: NatGateway\nmetadata: {name: nat}\nspec: {vpc: main, vSwitch: front, icmpReply: true}\n@" NEXT
    "kind: NatGateway\nmetadata: {name: nat2}\nspec: {vpc: main, vSwitch: front}\n@" NEXT
    "kind: Eip\nmetadata: {name: eip}\nspec: {bandwidth: 7}\n@" NEXT
    "kind: EipAssociation\nmetadata: {name: bound}\nspec: {eip: eip, natGateway: nat}\n@" NEXT
    "kind: SnatEntry\nmetadata: {name: out}\n"
    "spec: {natGateway: nat, source: {vSwitch: front}, eips: [eip], eipAffinity: false, name: out-entry}\n@" NEXT
    "kind: DnatEntry\nmetadata: {name: in}\nspec: {natGateway: nat, eip: eip, protocol: tcp, "
    "externalPort: \"80\", target: {instance: ecs}, internalPort: \"80\", name: in-entry}\n@" NEXT
    "kind: RouteTable\nmetadata: {name: table}\nspec: {vpc: main, description: ours}\n@" NEXT
    "kind: RouteEntry\nmetadata: {name: default}\nspec: {routeTable: table, destination: 0.0.0.0/0, "
    "nextHop: {natGateway: nat}, description: ours}\n@" NEXT
    "kind: RouteTableAssociation\nmetadata: {name: of-front}\nspec: {routeTable: table, vSwitch: front}\n@";

static void use_manifest(struct harness *h, const char *lifecycle)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 1 << 20);
    for (const char *c = all_kinds; *c != '\0'; c++)
        if (*c != '@')
            buf_putc(&b, *c);
        else if (lifecycle != NULL)
            buf_printf(&b, "lifecycle: %s\n", lifecycle);
    harness_manifest(h, buf_str(&b));
}

static void make_all(struct harness *h)
{
    harness_init(h);
    use_manifest(h, NULL);
    EXPECT_APPLIED(h, NULL);
    EXPECT_CONVERGED(h);
    harness_clear_ledger(h);
}

/* What somebody sets, and what the plan then says. */
static const struct tampering {
    const char *address, *assignment, *plan;
} tamperings[] = {
    {"Vpc/main", "Description=theirs", "~ Vpc/main description drift\n! Vpc/main description\n"},
    {"Vpc/main", "VpcName=theirs", "~ Vpc/main name drift\n! Vpc/main name\n"},
    {"Vpc/main",
     "SecondaryCidrBlocks=", "~ Vpc/main secondaryCidrBlocks drift\n! Vpc/main secondaryCidrBlocks\n"},
    {"Vpc/main", "Tag.team=other", "~ Vpc/main tags drift\n! Vpc/main tags\n"},
    {"Vpc/main", "Tag.theirs=x", ""},
    {"VSwitch/front", "Description=theirs",
     "~ VSwitch/front description drift\n! VSwitch/front description\n"},
    {"VSwitch/front", "VSwitchName=theirs", ""}, /* the manifest does not say a name */
    {"SecurityGroup/web", "InnerAccessPolicy=Drop",
     "~ SecurityGroup/web innerAccess drift\n! SecurityGroup/web innerAccess\n"},
    {"SecurityGroup/web", "Description=theirs",
     "~ SecurityGroup/web description drift\n! SecurityGroup/web description\n"},
    {"SecurityGroupRule/http", "Description=theirs",
     "~ SecurityGroupRule/http description drift\n! SecurityGroupRule/http description\n"},
    {"SecurityGroupRule/http", "SourceCidrIp=10.0.0.0/8",
     "+/- SecurityGroupRule/http (peer.cidr drift)\n! SecurityGroupRule/http peer.cidr\n"},
    {"Instance/ecs", "Description=theirs", "~ Instance/ecs description drift\n! Instance/ecs description\n"},
    {"NatGateway/nat", "IcmpReplyEnabled=false",
     "~ NatGateway/nat icmpReply drift\n! NatGateway/nat icmpReply\n"},
    {"NatGateway/nat", "Name=theirs", ""},
    {"Eip/eip", "Bandwidth=100", "~ Eip/eip bandwidth drift\n! Eip/eip bandwidth\n"},
    {"SnatEntry/out", "EipAffinity=1", "~ SnatEntry/out eipAffinity drift\n! SnatEntry/out eipAffinity\n"},
    {"SnatEntry/out", "SnatEntryName=theirs", "~ SnatEntry/out name drift\n! SnatEntry/out name\n"},
    {"DnatEntry/in", "InternalPort=8080", "~ DnatEntry/in internalPort drift\n! DnatEntry/in internalPort\n"},
    {"DnatEntry/in", "InternalIp=10.0.1.99", "~ DnatEntry/in target.ip drift\n! DnatEntry/in target.ip\n"},
    {"DnatEntry/in", "ExternalPort=81", "~ DnatEntry/in externalPort drift\n! DnatEntry/in externalPort\n"},
    {"RouteTable/table", "Description=theirs",
     "~ RouteTable/table description drift\n! RouteTable/table description\n"},
    {"RouteEntry/default", "Description=theirs",
     "~ RouteEntry/default description drift\n! RouteEntry/default description\n"},
};

static void what_somebody_changes_is_told_and_put_back(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    make_all(&h);
    for (size_t k = 0; k < N_ELEMENTS(tamperings); k++) {
        const struct tampering *t = &tamperings[k];
        harness_set(&h, t->address, t->assignment);
        EXPECT_DRIFT(&h, t->plan);
        EXPECT_APPLIED(&h, NULL);
        EXPECT_CONVERGED(&h);
    }
    assert_string_equal(harness_refused(&h), "");
}

static void a_route_led_elsewhere_is_led_back(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    char assignment[128];
    make_all(&h);
    (void)snprintf(assignment, sizeof assignment, "NextHopId=%s", harness_id(&h, "NatGateway/nat2"));
    harness_set(&h, "RouteEntry/default", assignment);
    EXPECT_DRIFT(&h,
                 "~ RouteEntry/default nextHop.natGateway drift\n! RouteEntry/default nextHop.natGateway\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_string_equal(harness_refused(&h), "");
}

/* What somebody deletes (with what hangs on it), and what the plan then says. */
static const struct deletion {
    const char *address, *plan;
} deletions[] = {
    {"SecurityGroupRule/http", "+ SecurityGroupRule/http (gone)\n! SecurityGroupRule/http deleted\n"},
    {"SnatEntry/out", "+ SnatEntry/out (gone)\n! SnatEntry/out deleted\n"},
    {"DnatEntry/in", "+ DnatEntry/in (gone)\n! DnatEntry/in deleted\n"},
    {"RouteEntry/default", "+ RouteEntry/default (gone)\n! RouteEntry/default deleted\n"},
    {"Eip/eip",
     "+ Eip/eip (gone)\n+ EipAssociation/bound (gone)\n+ SnatEntry/out (gone)\n+ DnatEntry/in (gone)\n"
     "! Eip/eip deleted\n! EipAssociation/bound deleted\n! SnatEntry/out deleted\n! DnatEntry/in deleted\n"},
    {"RouteTable/table",
     "+ RouteTable/table (gone)\n+ RouteEntry/default (gone)\n+ RouteTableAssociation/of-front (gone)\n"
     "! RouteTable/table deleted\n! RouteEntry/default deleted\n! RouteTableAssociation/of-front deleted\n"},
    {"NatGateway/nat",
     "+ NatGateway/nat (gone)\n+ EipAssociation/bound (gone)\n+ SnatEntry/out (gone)\n+ DnatEntry/in (gone)\n"
     "~ RouteEntry/default nextHop.natGateway\n! NatGateway/nat deleted\n! EipAssociation/bound deleted\n"
     "! SnatEntry/out deleted\n! DnatEntry/in deleted\n"},
    {"Instance/ecs", NULL},
    {"SecurityGroup/web", NULL},
    {"VSwitch/front", NULL},
    {"Vpc/main", NULL},
};

/* The cloud writes a route of its own with the first gateway of a VPC, and not with a later one. */
static size_t count_but_routes(struct harness *h)
{
    return harness_count(h, NULL) - harness_count(h, "routeentry");
}

static void what_somebody_deletes_is_told_and_made_again(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    make_all(&h);
    size_t n = count_but_routes(&h);
    for (size_t k = 0; k < N_ELEMENTS(deletions); k++) {
        harness_delete(&h, deletions[k].address);
        if (deletions[k].plan != NULL) EXPECT_DRIFT(&h, deletions[k].plan);
        EXPECT_APPLIED(&h, NULL);
        EXPECT_CONVERGED(&h);
        harness_wait(&h, 600000);
        assert_int_equal(count_but_routes(&h), n);
    }
    assert_string_equal(harness_refused(&h), "");
}

static void an_address_that_was_let_go_is_bound_again(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    make_all(&h);
    harness_set(&h, "Eip/eip", "InstanceId=");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
}

static void a_vswitch_put_into_the_system_table_comes_back(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    make_all(&h);
    harness_set(&h, "VSwitch/front", "RouteTableId=");
    EXPECT_DRIFT(&h, "+ RouteTableAssociation/of-front (gone)\n! RouteTableAssociation/of-front deleted\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_string_equal(harness_refused(&h), "");
}

static void detected_drift_is_told_and_not_corrected(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    make_all(&h);
    use_manifest(&h, "{management: detect}");
    EXPECT_APPLIED(&h, NULL);
    harness_set(&h, "Eip/eip", "Bandwidth=100");
    harness_set(&h, "DnatEntry/in", "InternalPort=8080");
    harness_delete(&h, "SnatEntry/out");
    harness_clear_ledger(&h);
    for (int pass = 0; pass < 2; pass++) {
        EXPECT_DRIFT(&h, "! Eip/eip bandwidth (detect)\n! SnatEntry/out deleted (detect)\n"
                         "! DnatEntry/in internalPort (detect)\n");
        EXPECT_APPLIED(&h, NULL);
    }
    assert_int_equal(harness_n_changing_calls(&h), 0);
    use_manifest(&h, NULL);
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
}

static void a_deleted_parent_that_is_only_detected_leaves_its_children_alone(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    make_all(&h);
    use_manifest(&h, "{management: detect}");
    EXPECT_APPLIED(&h, NULL);
    harness_delete(&h, "NatGateway/nat");
    harness_clear_ledger(&h);
    EXPECT_PLAN(&h, "");
    EXPECT_APPLIED(&h, NULL);
    assert_int_equal(harness_n_changing_calls(&h), 0);
}

#define EIP(more, lifecycle)                                                                                 \
    DOC "kind: Eip\nmetadata: {name: eip}\nspec: {" more "}\nlifecycle: {" lifecycle "}\n"

static void detection_does_not_correct_beside_a_change_of_the_manifest(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("bandwidth: 7, description: first words", "management: detect"));
    EXPECT_APPLIED(&h, NULL);
    harness_set(&h, "Eip/eip", "Bandwidth=100");
    harness_manifest(&h, EIP("bandwidth: 7, description: second words", "management: detect"));
    EXPECT_DRIFT(&h, "~ Eip/eip description\n! Eip/eip bandwidth (detect)\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_DRIFT(&h, "! Eip/eip bandwidth (detect)\n");
}

static void ignored_fields_are_set_once_and_never_compared(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("bandwidth: 7, description: ours", "ignoreChanges: [bandwidth]"));
    EXPECT_APPLIED(&h, NULL);
    harness_set(&h, "Eip/eip", "Bandwidth=100");
    EXPECT_DRIFT(&h, "");
    harness_set(&h, "Eip/eip", "Description=theirs");
    EXPECT_DRIFT(&h, "~ Eip/eip description drift\n! Eip/eip description\n");
    harness_clear_ledger(&h);
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_int_equal(harness_n_changing_calls(&h), 1);
    harness_manifest(&h, EIP("bandwidth: 9, description: ours", "ignoreChanges: [bandwidth]"));
    EXPECT_PLAN(&h, "");
    harness_manifest(&h, EIP("bandwidth: 9, description: ours", ""));
    EXPECT_PLAN(&h, "~ Eip/eip bandwidth\n");
}

static void tags_taken_away_are_put_back(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    harness_init(&h);
    harness_manifest(&h, EIP("tags: {team: net}", ""));
    EXPECT_APPLIED(&h, NULL);
    harness_set(&h, "Eip/eip", "Tag.headgate:stack=elsewhere");
    const char *plan = harness_plan_text(&h, DUMP_CHANGES);
    assert_string_not_equal(plan, "");
}

static void what_the_cloud_failed_to_make_is_replaced(void **state)
{
    (void)state;
    CLEANUP(harness_fini) struct harness h;
    make_all(&h);
    harness_set(&h, "NatGateway/nat2", "Status=CreateFailed");
    EXPECT_PLAN(&h, "+/- NatGateway/nat2 (failed)\n");
    EXPECT_APPLIED(&h, NULL);
    EXPECT_CONVERGED(&h);
    assert_string_equal(harness_refused(&h), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_somebody_changes_is_told_and_put_back),
        cmocka_unit_test(a_route_led_elsewhere_is_led_back),
        cmocka_unit_test(what_somebody_deletes_is_told_and_made_again),
        cmocka_unit_test(an_address_that_was_let_go_is_bound_again),
        cmocka_unit_test(a_vswitch_put_into_the_system_table_comes_back),
        cmocka_unit_test(detected_drift_is_told_and_not_corrected),
        cmocka_unit_test(a_deleted_parent_that_is_only_detected_leaves_its_children_alone),
        cmocka_unit_test(detection_does_not_correct_beside_a_change_of_the_manifest),
        cmocka_unit_test(ignored_fields_are_set_once_and_never_compared),
        cmocka_unit_test(tags_taken_away_are_put_back),
        cmocka_unit_test(what_the_cloud_failed_to_make_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

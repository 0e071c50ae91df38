/* hand.c - what a person (or a test) does to the simulated cloud from outside: looking, setting, deleting,
 * letting calls fail. */
#include "rig.h"

static void a_list_shows_type_id_name_status_and_detail(void **state)
{
    (void)state;
    struct rig r;
    struct buf out;
    struct err err;
    char vpc[64], wanted[256];
    rig_open(&r, NULL);
    make(&r, vpc, "VpcId", "Vpc", "CreateVpc", "VpcName", "中心\x1b", "CidrBlock", "10.0.0.0/8", NULL);
    settle(&r);
    buf_init(&out, 4096);
    assert_int_equal(mock_list(r.mock, r.now_ms, "vpc", false, &out, &err), ERR_OK);
    (void)snprintf(wanted, sizeof(wanted), "TYPE  %-24s  NAME", "ID");
    assert_memory_equal(buf_str(&out), wanted, strlen(wanted));
    assert_non_null(strstr(buf_str(&out), "中心\\x1b"));
    assert_non_null(strstr(buf_str(&out), "Available  10.0.0.0/8\n"));
    buf_reset(&out);
    assert_int_equal(mock_list(r.mock, r.now_ms, "vpc", true, &out, &err), ERR_OK);
    json_t *list = json_loads(buf_str(&out), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "id")), vpc);
    json_decref(list);
    assert_int_equal(mock_list(r.mock, r.now_ms, "vpcs", true, &out, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "routeentry"));
    buf_fini(&out);
    rig_close(&r);
}

static enum err_code set(struct rig *r, const char *id, const char *assignment, struct err *err)
{
    return mock_set(r->mock, r->now_ms, id, &assignment, 1, err);
}

static void a_hand_changes_things_behind_the_clients_back(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g, h;
    struct err err;
    char table[64], route[64], hop[80];
    rig_open(&r, NULL);
    make_net(&r, &n);
    make_gateway(&r, &n, n.vsw1, &g);
    make_gateway(&r, &n, n.vsw1, &h);
    assert_int_equal(set(&r, n.vpc, "Description=changed", &err), ERR_OK);
    assert_int_equal(set(&r, n.vpc, "Tag.owner=somebody", &err), ERR_OK);
    ok(&r, "Vpc", "DescribeVpcs", "Tag.1.Key", "owner", NULL);
    assert_string_equal(rig_text(&r, "Vpcs.Vpc.0.Description"), "changed");
    assert_int_equal(set(&r, n.vpc, "Colour=red", &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "CidrBlock"));
    assert_int_equal(set(&r, n.vpc, "Colour", &err), ERR_INPUT);
    assert_int_equal(set(&r, "vpc-none", "Description=x", &err), ERR_INPUT);
    assert_int_equal(set(&r, n.vpc, "Status=Asleep", &err), ERR_INPUT);

    make(&r, table, "RouteTableId", "Vpc", "CreateRouteTable", "RegionId", "cn-shanghai", "VpcId", n.vpc,
         NULL);
    settle(&r);
    make(&r, route, "RouteEntryId", "Vpc", "CreateRouteEntry", "RouteTableId", table, "DestinationCidrBlock",
         "0.0.0.0/0", "NextHopType", "NatGateway", "NextHopId", g.id, NULL);
    settle(&r);
    (void)snprintf(hop, sizeof(hop), "NextHopId=%s", h.id);
    assert_int_equal(set(&r, route, hop, &err), ERR_OK);
    ok(&r, "Vpc", "DescribeRouteEntryList", "RegionId", "cn-shanghai", "RouteTableId", table,
       "RouteEntryType", "Custom", NULL);
    assert_string_equal(rig_text(&r, "RouteEntrys.RouteEntry.0.NextHops.NextHop.0.NextHopId"), h.id);
    (void)snprintf(hop, sizeof(hop), "RouteTableId=%s", table);
    assert_int_equal(set(&r, n.vsw1, hop, &err), ERR_OK);
    assert_int_equal(set(&r, g.eip, "InstanceId=", &err), ERR_OK);
    ok(&r, "Vpc", "DescribeEipAddresses", "AllocationId", g.eip, NULL);
    assert_string_equal(rig_text(&r, "EipAddresses.EipAddress.0.Status"), "Available");
    /* Nonsense by hand does not harm what comes after. */
    assert_int_equal(set(&r, route, "DestinationCidrBlock=nonsense", &err), ERR_OK);
    assert_int_equal(set(&r, n.vsw2, "CidrBlock=", &err), ERR_OK);
    ok(&r, "Vpc", "DescribeVSwitches", "VpcId", n.vpc, NULL);
    ok(&r, "Vpc", "CreateVSwitch", "VpcId", n.vpc, "ZoneId", "cn-shanghai-b", "CidrBlock", "10.0.9.0/24",
       NULL);
    rig_close(&r);
}

static void a_hand_deletes_with_what_hangs_on_it(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g;
    struct err err;
    struct buf out;
    char system[64], path[64];
    rig_temp_path(path);
    rig_open(&r, path);
    make_net(&r, &n);
    make_gateway(&r, &n, n.vsw1, &g);
    ok(&r, "Vpc", "CreateSnatEntry", "RegionId", "cn-shanghai", "SnatTableId", g.snat_table,
       "SourceVSwitchId", n.vsw2, "SnatIp", g.address, NULL);
    ok(&r, "Ecs", "RunInstances", "VSwitchId", n.vsw2, "SecurityGroupId", n.sg, NULL);
    make(&r, system, "RouterTableList.RouterTableListType.0.RouteTableId", "Vpc", "DescribeRouteTableList",
         "RegionId", "cn-shanghai", NULL);
    assert_int_equal(mock_delete(r.mock, r.now_ms, system, true, &err), ERR_INPUT);
    assert_int_equal(mock_delete(r.mock, r.now_ms, g.id, false, &err), ERR_CONFLICT);
    assert_int_equal(mock_delete(r.mock, r.now_ms, n.vpc, true, &err), ERR_OK);
    assert_int_equal(mock_delete(r.mock, r.now_ms, n.vpc, true, &err), ERR_INPUT);
    ok(&r, "Vpc", "DescribeEipAddresses", NULL);
    assert_string_equal(rig_text(&r, "EipAddresses.EipAddress.0.Status"), "Available");
    rig_close(&r);
    rig_open(&r, path);
    buf_init(&out, 1 << 16);
    assert_int_equal(mock_list(r.mock, r.now_ms, NULL, false, &out, &err), ERR_OK);
    size_t lines = 0;
    for (const char *p = buf_str(&out); (p = strchr(p, '\n')) != NULL; p++) lines++;
    assert_int_equal(lines, 2); /* the head and the EIP */
    assert_int_equal(mock_delete(r.mock, r.now_ms, g.eip, false, &err), ERR_OK);
    buf_fini(&out);
    rig_close(&r);
    rig_remove_files(path);
}

static void an_address_goes_with_the_entries_that_work_with_it(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g;
    struct err err;
    rig_open(&r, NULL);
    make_net(&r, &n);
    make_gateway(&r, &n, n.vsw1, &g);
    ok(&r, "Vpc", "CreateSnatEntry", "RegionId", "cn-shanghai", "SnatTableId", g.snat_table,
       "SourceVSwitchId", n.vsw2, "SnatIp", g.address, NULL);
    settle(&r);
    assert_int_equal(mock_delete(r.mock, r.now_ms, g.eip, false, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.msg, "snat-"));
    assert_int_equal(mock_delete(r.mock, r.now_ms, g.eip, true, &err), ERR_OK);
    assert_int_equal(mock_delete(r.mock, r.now_ms, g.id, false, &err), ERR_OK); /* nothing hangs on it */
    rig_close(&r);
}

static void calls_fail_as_the_script_says(void **state)
{
    (void)state;
    struct rig r;
    struct err err;
    struct param none[1] = {{0}};
    rig_open(&r, NULL);
    assert_int_equal(mock_fail_next(r.mock, "CreateVpc", "timeout-before", 1, &err), ERR_OK);
    assert_int_equal(mock_fail_next(r.mock, "CreateVpc", "timeout-after", 1, &err), ERR_OK);
    assert_int_equal(mock_fail_next(r.mock, "CreateVpc", "http-503", 1, &err), ERR_OK);
    assert_int_equal(mock_fail_next(r.mock, "*", "Throttling.User", 2, &err), ERR_OK);
    rig_send(&r, "Vpc", "CreateVpc", none, 0);
    assert_int_equal(r.http_status, 0);
    assert_int_equal(r.fault, MOCK_LOST_REQUEST);
    rig_send(&r, "Vpc", "CreateVpc", none, 0);
    assert_int_equal(r.fault, MOCK_LOST_ANSWER);
    assert_null(r.answer);
    refused(&r, "ServiceUnavailable", "Vpc", "CreateVpc", NULL);
    assert_int_equal(r.http_status, 503);
    refused(&r, "Throttling.User", "Vpc", "DescribeVpcs", NULL);
    refused(&r, "Throttling.User", "Ecs", "DescribeInstances", NULL);
    ok(&r, "Vpc", "DescribeVpcs", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 1); /* the one whose answer was lost */
    char *ledger = ledger_text(&r, true);
    assert_string_equal(ledger, "1 CreateVpc 0 timeout-before\n2 CreateVpc 0 timeout-after\n"
                                "3 CreateVpc 503 ServiceUnavailable\n");
    free(ledger);
    assert_int_equal(mock_fail_next(r.mock, "CreateVpcs", "x", 1, &err), ERR_INPUT);
    assert_int_equal(mock_fail_next(r.mock, "CreateVpc", "", 1, &err), ERR_INPUT);
    assert_int_equal(mock_fail_next(r.mock, "CreateVpc", "Busy\xff", 1, &err), ERR_INPUT);
    assert_int_equal(mock_set_pace(r.mock, -1, 0, &err), ERR_INPUT);
    rig_close(&r);
}

static void the_same_seed_gives_the_same_cloud(void **state)
{
    (void)state;
    struct rig a, b;
    struct net m, n;
    rig_open(&a, NULL);
    rig_open(&b, NULL);
    make_net(&a, &m);
    make_net(&b, &n);
    assert_memory_equal(m.vsw2, n.vsw2, strlen(n.vsw2) + 1);
    assert_int_equal(a.now_ms, b.now_ms);
    rig_close(&a);
    rig_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_shows_type_id_name_status_and_detail),
        cmocka_unit_test(a_hand_changes_things_behind_the_clients_back),
        cmocka_unit_test(a_hand_deletes_with_what_hangs_on_it),
        cmocka_unit_test(an_address_goes_with_the_entries_that_work_with_it),
        cmocka_unit_test(calls_fail_as_the_script_says),
        cmocka_unit_test(the_same_seed_gives_the_same_cloud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* outcome.c - what answers mean. */
#include "tests/unit/alicloud/fixture.h"

static struct outcome outcome_of(struct fixture *f, const struct goal *g, const char *operation, int status,
                                 const char *body)
{
    struct request r;
    struct outcome o;
    request_init(&r, f->arena, "Vpc", operation);
    f->cloud->read_outcome(f->cloud, g, &r, status, (struct body){text_of(body), NULL}, f->arena, &o);
    return o;
}

static const struct {
    const char *operation;
    int status;
    const char *code;
    enum outcome_class class;
} codes[] = {
    {"CreateVpc", 400, "Throttling.User", OUTCOME_THROTTLED},
    {"CreateSnatEntry", 400, "OperationFailed.Throttling", OUTCOME_THROTTLED},
    {"DescribeVpcs", 503, "Rejected.Throttling", OUTCOME_THROTTLED},
    {"CreateVpc", 400, "DryRunOperation", OUTCOME_DONE},

    {"DeleteVpc", 404, "InvalidVpcID.NotFound", OUTCOME_GONE},
    {"DeleteRouteEntry", 400, "InvalidRouteEntry.NotFound", OUTCOME_GONE},
    {"DeleteVpc", 403, "Forbidden.VpcNotFound", OUTCOME_GONE},
    {"RevokeSecurityGroup", 400, "InvalidParam.SecurityGroupRuleId", OUTCOME_GONE},
    {"TagResources", 404, "InvalidResourceId.NotFound", OUTCOME_GONE},
    {"TagResources", 404, "InvalidAccessKeyId.NotFound", OUTCOME_DENIED},
    {"DescribeRouteEntryList", 404, "InvalidRouteTable.NotFound", OUTCOME_GONE},

    {"CreateVSwitch", 400, "InvalidCidrBlock.Overlapped", OUTCOME_EXISTS},
    {"CreateForwardEntry", 400, "InvalidForwardEntry.Duplicated", OUTCOME_EXISTS},
    {"AssociateEipAddress", 400, "InvalidAssociation.Duplicated", OUTCOME_EXISTS},
    {"CreateSnatEntry", 400, "Forbidden.SourceVSwitchId.Duplicated", OUTCOME_EXISTS},
    {"CreateRouteEntry", 400, "RouterEntryConflict.Duplicated", OUTCOME_EXISTS},
    {"CreateForwardEntry", 400, "InvalidForwardEntry.Duplicated", OUTCOME_EXISTS},
    {"ModifyForwardEntry", 400, "InvalidForwardEntry.Duplicated", OUTCOME_INVALID},

    {"DeleteVSwitch", 404, "IncorrectStatus", OUTCOME_BUSY}, /* not gone, whatever the status says */
    {"DeleteVSwitch", 400, "IncorrectStatus.cbnStatus", OUTCOME_BUSY},
    {"DeleteVSwitch", 400, "DependencyViolation.SnatEntry", OUTCOME_BUSY},
    {"DeleteSecurityGroup", 400, "DependencyViolation", OUTCOME_BUSY},
    {"DeleteInstance", 403, "DependencyViolation.RouteEntry", OUTCOME_BUSY},
    {"CreateRouteEntry", 400, "TaskConflict", OUTCOME_BUSY},
    {"CreateNatGateway", 400, "VswitchStatusError", OUTCOME_BUSY},
    {"CreateSnatEntry", 400, "EIP_NOT_IN_GATEWAY", OUTCOME_BUSY},
    {"CreateSnatEntry", 500, "InternalError", OUTCOME_BUSY},
    {"UnassociateEipAddress", 400, "InvalidIpStatus.HasBeenUsedBySnatTable", OUTCOME_BUSY},
    {"ModifySnatEntry", 400, "IncorretSnatEntryStatus", OUTCOME_BUSY},
    {"RunInstances", 403, "IdempotentProcessing", OUTCOME_BUSY},
    {"AllocateEipAddress", 400, "LastTokenProcessing", OUTCOME_BUSY},
    {"ModifyInstanceAttribute", 409, "OperationConflict", OUTCOME_BUSY},
    {"DeleteNatGateway", 400, "IncorrectStatus.NatGateway", OUTCOME_PENDING},
    {"DeleteForwardEntry", 400, "IncorretForwardEntryStatus", OUTCOME_UNKNOWN},

    {"CreateVSwitch", 400, "QuotaExceeded.VSwitch", OUTCOME_QUOTA},
    {"CreateSnatEntry", 400, "Forbidden.SnatEntryCountLimited", OUTCOME_QUOTA},
    {"AuthorizeSecurityGroup", 403, "AuthorizationLimitExceed", OUTCOME_QUOTA},

    {"CreateVpc", 404, "InvalidAccessKeyId.NotFound", OUTCOME_DENIED},
    {"CreateVpc", 400, "SignatureDoesNotMatch", OUTCOME_DENIED},
    {"CreateVpc", 403, "Forbidden.RAM", OUTCOME_DENIED},
    {"CreateNatGateway", 403, "NoPermission.CreateServiceLinkedRole", OUTCOME_DENIED},
    {"AllocateEipAddress", 400, "InsufficientBalance", OUTCOME_DENIED},
    {"CreateVpc", 403, "Whatever", OUTCOME_DENIED},
    {"CreateVpc", 400, "SignatureNonceUsed", OUTCOME_TRANSIENT},
    {"CreateVpc", 503, "ServiceUnavailable", OUTCOME_TRANSIENT},
    {"AssociateVpcCidrBlock", 500, "InternalError", OUTCOME_TRANSIENT},
    {"CreateRouteEntries", 500, "InternalError", OUTCOME_UNKNOWN}, /* takes no token */
    {"CreateVpc", 500, "Odd", OUTCOME_UNKNOWN},
    {"DeleteVpc", 502, "Odd", OUTCOME_TRANSIENT},
    {"DescribeVpcs", 429, "", OUTCOME_THROTTLED},

    {"CreateVpc", 400, "IdempotentParameterMismatch", OUTCOME_INVALID},
    {"CreateVSwitch", 404, "InvalidVpcId.NotFound", OUTCOME_INVALID},
    {"DeleteVpc", 404, "InvalidRegionId.NotFound", OUTCOME_INVALID},
    {"DeleteInstance", 403, "InvalidOperation.DeletionProtection", OUTCOME_INVALID},
    {"CreateVpc", 400, "", OUTCOME_INVALID},
    {"NoSuchOperation", 418, "Teapot", OUTCOME_INVALID},
};

static void codes_decide_before_the_http_status(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < N_ELEMENTS(codes); i++) {
        const char *body = arena_printf(
            f->arena, "{\"RequestId\":\"R-1\",\"HostId\":\"h\",\"Code\":\"%s\",\"Message\":\"why\"}",
            codes[i].code);
        struct outcome o = outcome_of(f, NULL, codes[i].operation, codes[i].status, body);
        if (o.class != codes[i].class)
            fail_msg("%s %d %s is %s", codes[i].operation, codes[i].status, codes[i].code,
                     outcome_name(o.class));
        assert_string_equal(o.code, codes[i].code);
        assert_string_equal(o.message, "why");
        assert_string_equal(o.request_id, "R-1");
    }
}

static void what_is_no_json_is_classed_by_its_status(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int status;
        const char *body;
        enum outcome_class class;
        const char *code;
    } rows[] = {
        {200, "", OUTCOME_UNKNOWN, ""},
        {200, "{\"VpcId\":\"vpc-", OUTCOME_UNKNOWN, ""},
        {200, "[]", OUTCOME_UNKNOWN, ""},
        {404, "<html>no</html>", OUTCOME_UNKNOWN, ""},
        {502, "<html>bad gateway</html>", OUTCOME_UNKNOWN, ""}, /* of a create: it may have arrived */
        {503, "<Error><Code>Throttling</Code></Error>", OUTCOME_THROTTLED, "Throttling"},
        {403, "<Error><Code>Forbidden.RAM</Code></Error>", OUTCOME_DENIED, "Forbidden.RAM"},
        {429, "slow down", OUTCOME_THROTTLED, ""},
    };
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        struct outcome o = outcome_of(f, NULL, "CreateVpc", rows[i].status, rows[i].body);
        assert_int_equal(o.class, rows[i].class);
        assert_string_equal(o.code, rows[i].code);
    }
    assert_int_equal(outcome_of(f, NULL, "DeleteVpc", 502, "<html>").class, OUTCOME_TRANSIENT);
    assert_string_equal(outcome_of(f, NULL, "DeleteVpc", 502, "a\x1b[2Jb").message, "a\\x1b[2Jb");
}

static void small_keys_and_an_error_inside_a_200_are_understood(void **state)
{
    struct fixture *f = *state;
    struct outcome o = outcome_of(f, NULL, "DeleteVpc", 400,
                                  "{\"requestId\":\"r\",\"code\":\"TaskConflict\",\"message\":\"m\"}");
    assert_int_equal(o.class, OUTCOME_BUSY);
    assert_string_equal(o.request_id, "r");
    o = outcome_of(f, NULL, "CreateVpc", 200, "{\"Code\":\"Throttling\",\"Message\":\"m\"}");
    assert_int_equal(o.class, OUTCOME_THROTTLED);
    o = outcome_of(f, NULL, "CreateVpc", 200, "{\"Code\":\"200\",\"Message\":\"m\",\"VpcId\":\"vpc-1\"}");
    assert_int_equal(o.class, OUTCOME_PENDING);
}

static void success_tells_the_id_and_what_children_need(void **state)
{
    struct fixture *f = *state;
    struct goal g = make_goal(f, VERB_CREATE, KIND_NAT_GATEWAY, "nat1",
                              "vpc=vpc-1; vSwitch=vsw-1; deletionProtection=true");
    struct outcome o =
        outcome_of(f, &g, "CreateNatGateway", 200,
                   "{\"NatGatewayId\":\"ngw-1\",\"SnatTableIds\":{\"SnatTableId\":[\"stb-1\"]},"
                   "\"ForwardTableIds\":{\"ForwardTableId\":[\"ftb-1\"]}}");
    assert_int_equal(o.class, OUTCOME_PENDING);
    assert_string_equal(o.id, "ngw-1");
    dump_object(&f->dump, o.object);
    assert_string_equal(buf_str(&f->dump), "NatGateway ngw-1 pending of prod/nat1; vpc=vpc-1; vSwitch=vsw-1; "
                                           "snatTable=stb-1; forwardTable=ftb-1\n");
    g = make_goal(f, VERB_CREATE, KIND_EIP, "eip1", "bandwidth=5");
    o = outcome_of(
        f, &g, "AllocateEipAddress", 200,
        "{\"AllocationId\":\"eip-1\",\"EipAddress\":\"203.0.113.1\",\"ResourceGroupId\":\"rg-1\"}");
    assert_int_equal(o.class, OUTCOME_DONE);
    buf_reset(&f->dump);
    dump_object(&f->dump, o.object);
    assert_string_equal(buf_str(&f->dump), "Eip eip-1 ready of prod/eip1; bandwidth=5; resourceGroup=rg-1; "
                                           "address=203.0.113.1\n");
    g = make_goal(f, VERB_CREATE, KIND_VPC, "net", "cidrBlock=10.0.0.0/8");
    o = outcome_of(f, &g, "CreateVpc", 200, "{\"VpcId\":\"vpc-1\",\"RouteTableId\":\"vtb-s\"}");
    assert_string_equal(o.object->values[VPC_SYSTEM_TABLE].u.text, "vtb-s");
    g = make_goal(f, VERB_CREATE, KIND_INSTANCE, "i", "image=x");
    o = outcome_of(f, &g, "RunInstances", 200, "{\"InstanceIdSets\":{\"InstanceIdSet\":[\"i-1\"]}}");
    assert_string_equal(o.id, "i-1");
    assert_int_equal(outcome_of(f, &g, "CreateVpc", 200, "{\"RequestId\":\"x\"}").class, OUTCOME_UNKNOWN);
    assert_int_equal(outcome_of(f, NULL, "ModifyVpcAttribute", 200, "{}").class, OUTCOME_DONE);
    assert_int_equal(outcome_of(f, NULL, "AssociateRouteTable", 200, "{}").class, OUTCOME_PENDING);
}

static void the_system_table_is_found_by_its_look_up(void **state)
{
    struct fixture *f = *state;
    struct goal g = make_goal(f, VERB_CREATE, KIND_ROUTE_TABLE, "sys", "vpc=vpc-1; system=true");
    struct outcome o =
        outcome_of(f, &g, "DescribeRouteTableList", 200,
                   "{\"TotalCount\":1,\"RouterTableList\":{\"RouterTableListType\":[{"
                   "\"RouteTableId\":\"vtb-s\",\"VpcId\":\"vpc-1\",\"RouteTableType\":\"System\","
                   "\"Status\":\"Available\"}]}}");
    assert_int_equal(o.class, OUTCOME_DONE);
    assert_string_equal(o.id, "vtb-s");
    assert_true(o.object->system);
    o = outcome_of(f, &g, "DescribeRouteTableList", 200,
                   "{\"TotalCount\":0,\"RouterTableList\":{\"RouterTableListType\":[]}}");
    assert_int_equal(o.class, OUTCOME_BUSY);
}

static void a_batch_that_fails_in_part_names_what_failed(void **state)
{
    struct fixture *f = *state;
    struct outcome o = outcome_of(
        f, NULL, "CreateRouteEntries", 200,
        "{\"SuccessCount\":1,\"FailedCount\":2,\"FailedRouteEntries\":[{\"DstCidrBlock\":\"10.9.0.1\","
        "\"FailedCode\":\"TaskConflict\",\"FailedMessage\":\"m\"},{\"DstCidrBlock\":\"10.8.0.0/16\","
        "\"FailedCode\":\"QuotaExceeded\"}]}");
    assert_int_equal(o.class, OUTCOME_PENDING);
    assert_string_equal(o.code, "TaskConflict");
    assert_string_equal(o.failed_items[0], "10.9.0.1/32");
    assert_string_equal(o.failed_items[1], "10.8.0.0/16");
    assert_null(o.failed_items[2]);
    o = outcome_of(f, NULL, "CreateRouteEntries", 200,
                   "{\"SuccessCount\":0,\"FailedRouteEntries\":[{\"DstCidrBlock\":\"10.8.0.0/16\","
                   "\"FailedCode\":\"QuotaExceeded\"}]}");
    assert_int_equal(o.class, OUTCOME_QUOTA);
    assert_null(o.failed_items);
    o = outcome_of(f, NULL, "DeleteRouteEntries", 200,
                   "{\"SuccessCount\":0,\"FailedRouteEntries\":[{\"DstCidrBlock\":\"10.8.0.0/16\","
                   "\"FailedCode\":\"InvalidRouteEntry.NotFound\"}]}");
    assert_int_equal(o.class, OUTCOME_PENDING);
    assert_null(o.failed_items);
}

/* Memory that runs out at any point gives an outcome, never a crash. */
static void running_out_of_memory_is_survived(void **state)
{
    struct fixture *f = *state;
    struct goal g = make_goal(f, VERB_CREATE, KIND_NAT_GATEWAY, "nat1", "vpc=vpc-1; vSwitch=vsw-1; tags=a:b");
    const char *body = "{\"RequestId\":\"r\",\"NatGatewayId\":\"ngw-1\",\"SnatTableIds\":{\"SnatTableId\":"
                       "[\"stb-1\"]}}";
    for (size_t limit = 0; limit < 4096; limit += 16) {
        struct arena *small = arena_new(limit);
        struct request r;
        struct outcome o;
        struct err err = {0};
        enum next n = f->cloud->next(f->cloud, &g, small, &r, &err);
        assert_true(n == NEXT_REQUEST || err.code == ERR_NOMEM);
        request_init(&r, small, "Vpc", "CreateNatGateway");
        f->cloud->read_outcome(f->cloud, &g, &r, 200, (struct body){text_of(body), NULL}, small, &o);
        assert_non_null(o.code);
        arena_free(small);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(codes_decide_before_the_http_status),
        T(what_is_no_json_is_classed_by_its_status),
        T(small_keys_and_an_error_inside_a_200_are_understood),
        T(success_tells_the_id_and_what_children_need),
        T(the_system_table_is_found_by_its_look_up),
        T(a_batch_that_fails_in_part_names_what_failed),
        T(running_out_of_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* operations.c - what is known of each operation that headgate sends, as one table.
 *
 * Flags: api-behaviour 1.13 and the operations' pages; keys: 7; codes: 6. Misspelt codes are the cloud's own
 * and stay so. */
#include "providers/alicloud/mapping.h"

#include <string.h>

/* What most operations of the VPC product answer while something else is going on. */
#define COMMON_BUSY "OperationConflict LastTokenProcessing IncorrectStatus SystemBusy ServiceUnavailable"

#define ROUTE_MODIFY_BUSY                                                                                    \
    COMMON_BUSY " TaskConflict OperationFailed.DistibuteLock IncorrectRouteEntryStatus IncorrectVpcStatus"   \
                " IncorrectHaVipStatus IncorrectInstanceStatus InvalidVBRStatus"
#define ROUTE_BUSY ROUTE_MODIFY_BUSY " UnknownError IncorrectVSwitchStatus"
#define ROUTE_TAKEN                                                                                          \
    "RouterEntryConflict.Duplicated Duplicated.VpcNextHop InvalidCIDRBlock.Duplicate InvalidRouteEntry.Duplicate"
#define TABLE_BUSY                                                                                           \
    COMMON_BUSY " IncorrectStatus.RouteTable IncorrectVSwitchStatus IncorrectStatus.Ipv4Gateway"             \
                " OperationDenied.Ipv4GatewayNotActive OperationFailed.LastTokenProcessing"
#define RULE_GONE                                                                                            \
    "InvalidSecurityGroupId.NotFound InvalidParam.SecurityGroupRuleId InvalidSecurityGroupRule.RuleNotExist"

static const struct operation operations[] = {
    {.name = "CreateVpc",
     .flags = OP_TOKEN | OP_ASYNC | OP_CREATE,
     .id_path = "VpcId",
     .busy = "TaskConflict UnknownError"},
    {.name = "ModifyVpcAttribute",
     .keys = KEY_VPC | KEY_SETTLE,
     .busy = COMMON_BUSY " OperationFailed.LastTokenProcessing OperationFailed.QueryCenIpv6Status"
                         " IncorrectVpcStatus"},
    {.name = "AssociateVpcCidrBlock",
     .flags = OP_ASYNC,
     .keys = KEY_VPC | KEY_SETTLE,
     .busy = COMMON_BUSY " IncorrectStatus.Vpc"},
    {.name = "UnassociateVpcCidrBlock",
     .flags = OP_ASYNC,
     .keys = KEY_VPC | KEY_SETTLE,
     .busy = COMMON_BUSY " IncorrectStatus.Vpc OperationFailed.CidrInUse"},
    {.name = "DeleteVpc",
     .flags = OP_TOKEN | OP_ASYNC | OP_DELETE,
     .keys = KEY_VPC | KEY_SETTLE,
     .busy = "DependencyViolation.VSwitch DependencyViolation.SecurityGroup IncorrectVpcStatus",
     .gone = "InvalidVpcID.NotFound InvalidVpcId.NotFound InvalidResource.NotFound Forbidden.VpcNotFound"},

    {.name = "CreateVSwitch",
     .flags = OP_TOKEN | OP_ASYNC | OP_CREATE,
     .keys = KEY_VPC | KEY_SETTLE,
     .id_path = "VSwitchId",
     .busy = "TaskConflict OperationConflict IncorrectStatus CreateVSwitch.IncorrectStatus.cbnStatus"
             " IncorrectVSwitchStatus InvalidStatus.RouteEntry OperationFailed.IdempotentTokenProcessing"
             " OperationFailed.DistibuteLock OperationFailed.NotifyCenCreate",
     .exists = "InvalidCidrBlock.Overlapped"},
    {.name = "ModifyVSwitchAttribute",
     .keys = KEY_VSWITCH,
     .busy = "OperationConflict OperationFailed.LastTokenProcessing IncorrectStatus.VSwitch"
             " IncorrectStatus.VpcRouteEntry ServiceUnavailable"},
    {.name = "DeleteVSwitch",
     .flags = OP_ASYNC | OP_DELETE,
     .keys = KEY_VPC | KEY_SETTLE,
     .busy = "DependencyViolation OperationConflict TaskConflict IncorrectRouteEntryStatus"
             " IncorrectVSwitchStatus DeleteVSwitch.IncorrectStatus.cbnStatus IncorrectStatus InternalError"
             " SystemBusy LastTokenProcessing OperationDenied.OtherSubnetProcessing",
     .gone = "InvalidVSwitchId.NotFound InvalidVswitchID.NotFound"},

    {.name = "CreateNatGateway",
     .flags = OP_TOKEN | OP_ASYNC | OP_CREATE,
     .keys = KEY_VPC, /* one call after the other, then all are waited for together */
     .id_path = "NatGatewayId",
     .busy = "TaskConflict OperationConflict VswitchStatusError VpcStatusError InvalidVPCStatus"
             " IncorrectStatus.VSWITCH"},
    {.name = "ModifyNatGatewayAttribute", .keys = KEY_NAT | KEY_SETTLE, .busy = "IncorrectStatus.NATGW"},
    {.name = "ModifyNatGatewaySpec",
     .flags = OP_TOKEN | OP_ASYNC,
     .keys = KEY_NAT | KEY_SETTLE,
     .busy = "IncorrectStatus.NatGateway"},
    {.name = "DeletionProtection", .flags = OP_TOKEN, .keys = KEY_NAT | KEY_EIP | KEY_SETTLE},
    {.name = "DeleteNatGateway",
     .flags = OP_ASYNC | OP_DELETE,
     .keys = KEY_NAT | KEY_SETTLE,
     .busy = "DependencyViolation.BandwidthPackages DependencyViolation.EIPS OperationConflict"
             " IncorrectStatus.NATGW",
     .gone = "InvalidNatGatewayId.NotFound INSTANCE_NOT_EXISTS",
     .pending = "IncorrectStatus.NatGateway"},

    {.name = "AllocateEipAddress",
     .flags = OP_TOKEN | OP_CREATE,
     .id_path = "AllocationId",
     .busy = COMMON_BUSY " FrequentPurchase.EIP"},
    {.name = "ModifyEipAddressAttribute",
     .keys = KEY_EIP | KEY_SETTLE,
     .busy = COMMON_BUSY " IncorrectEipStatus IncorrectStatus.ResourceStatus VPC_TASK_CONFLICT"},
    {.name = "ReleaseEipAddress",
     .flags = OP_ASYNC | OP_DELETE,
     .keys = KEY_EIP | KEY_SETTLE,
     .busy = COMMON_BUSY " IncorrectEipStatus TaskConflict.AssociateGlobalAccelerationInstance",
     .gone = "InvalidAllocationId.NotFound"},
    {.name = "AssociateEipAddress",
     .flags = OP_TOKEN | OP_ASYNC,
     .keys = KEY_NAT | KEY_EIP | KEY_SETTLE,
     .busy = COMMON_BUSY " TaskConflict IncorrectEipStatus InvalidBindingStatus IncorrectInstanceStatus"
                         " IncorrectStatus.NatGateway InvalidStatus.EcsStatusNotSupport"
                         " InvalidStatus.EniStatusNotSupport InvalidStatus.InstanceHasBandWidth"
                         " OperationFailed.EcsMigrating",
     .exists = "InvalidAssociation.Duplicated"},
    {.name = "AssociateEipAddressBatch",
     .flags = OP_TOKEN | OP_ASYNC,
     .keys = KEY_NAT | KEY_EIP | KEY_SETTLE,
     .busy = COMMON_BUSY " TaskConflict IncorrectEipStatus InvalidBindingStatus IncorrectStatus.NatGateway",
     .exists = "InvalidAssociation.Duplicated"},
    {.name = "UnassociateEipAddress",
     .flags = OP_TOKEN | OP_ASYNC | OP_DELETE,
     .keys = KEY_NAT | KEY_EIP | KEY_SETTLE,
     .busy = COMMON_BUSY " TaskConflict OperationFailed.LastTokenProcessing IncorrectEipStatus"
                         " InvalidBindingStatus IncorrectInstanceStatus IncorrectHaVipStatus"
                         " InvalidIpStatus.HasBeenUsedBySnatTable InvalidIpStatus.HasBeenUsedByForwardEntry"
                         " InvalidStatus.SnatOrDnat InvalidStatus.EniStatusNotSupport"
                         " InvalidStatus.EcsStatusNotSupport InvalidStatus.NotAllow",
     .gone = "InvalidAllocationId.NotFound"},

    {.name = "CreateSnatEntry",
     .flags = OP_TOKEN | OP_ASYNC | OP_CREATE,
     .keys = KEY_NAT | KEY_VSWITCH | KEY_SETTLE,
     .id_path = "SnatEntryId",
     .busy = "OperationConflict IncorrectStatus.NATGW EIP_NOT_IN_GATEWAY OperationUnsupported.EipInBinding"
             " OperationUnsupported.EipNatBWPCheck OperationUnsupported.EipNatGWCheck InternalError",
     .exists = "Forbidden.SourceVSwitchId.Duplicated OperationUnsupported.CidrConflict"},
    {.name = "ModifySnatEntry",
     .flags = OP_TOKEN | OP_ASYNC,
     .keys = KEY_NAT | KEY_SETTLE,
     .busy = "IncorrectStatus.NATGW IncorretSnatEntryStatus EIP_NOT_IN_GATEWAY"
             " OperationUnsupported.EipInBinding OperationUnsupported.EipNatBWPCheck"},
    {.name = "DeleteSnatEntry",
     .flags = OP_TOKEN | OP_ASYNC | OP_DELETE,
     .keys = KEY_NAT | KEY_SETTLE,
     .busy = "IncorretSnatEntryStatus IncorrectStatus.NATGW OperationConflict",
     .gone = "InvalidSnatEntryId.NotFound InvalidSnatTableId.NotFound"},

    {.name = "CreateForwardEntry",
     .flags = OP_TOKEN | OP_ASYNC | OP_CREATE,
     .keys = KEY_NAT | KEY_SETTLE,
     .id_path = "ForwardEntryId",
     .busy = "OperationConflict TaskConflict IncorrectStatus OperationUnsupported.EipInBinding"
             " InvalidIp.NotInNatgw"},
    {.name = "ModifyForwardEntry",
     .flags = OP_TOKEN | OP_ASYNC,
     .keys = KEY_NAT | KEY_SETTLE,
     .busy = "OperationUnsupported.EipInBinding IncorretForwardEntryStatus InvalidIp.NotInNatgw"},
    {.name = "DeleteForwardEntry",
     .flags = OP_TOKEN | OP_ASYNC | OP_DELETE,
     .keys = KEY_NAT | KEY_SETTLE,
     .busy = "IncorrectStatus.NATGW OperationConflict UnknownError",
     .gone = "InvalidForwardEntryId.NotFound InvalidForwardTableId.NotFound",
     .look = "IncorretForwardEntryStatus"}, /* in transition, or missing */

    {.name = "CreateRouteTable",
     .flags = OP_TOKEN | OP_ASYNC | OP_CREATE,
     .keys = KEY_VPC | KEY_SETTLE,
     .id_path = "RouteTableId",
     .busy = COMMON_BUSY},
    {.name = "ModifyRouteTableAttributes", .busy = COMMON_BUSY " IncorrectStatus.RoutePropagationStatus"},
    {.name = "DeleteRouteTable",
     .flags = OP_ASYNC | OP_DELETE,
     .keys = KEY_VPC | KEY_SETTLE,
     .busy = "OperationConflict DependencyViolation.RouteEntry IncorrectRouteTableStatus"
             " IncorrectStatus.cbnStatus OperationDenied.GatewayAssociated",
     .gone = "InvalidRouteTableId.NotFound InvalidRouteTable.NotFound"},
    {.name = "AssociateRouteTable",
     .flags = OP_TOKEN | OP_ASYNC,
     .keys = KEY_VPC | KEY_VSWITCH | KEY_SETTLE,
     .busy = TABLE_BUSY},
    {.name = "UnassociateRouteTable",
     .flags = OP_TOKEN | OP_ASYNC | OP_DELETE,
     .keys = KEY_VPC | KEY_VSWITCH | KEY_SETTLE,
     .busy = TABLE_BUSY,
     .gone = "InvalidVSwitchId.NotFound InvalidRouteTableId.NotFound"},

    {.name = "CreateRouteEntry",
     .flags = OP_TOKEN | OP_ASYNC | OP_CREATE,
     .keys = KEY_VPC | KEY_SETTLE,
     .id_path = "RouteEntryId",
     .busy = ROUTE_BUSY,
     .exists = ROUTE_TAKEN},
    {.name = "CreateRouteEntries",
     .flags = OP_ASYNC | OP_CREATE,
     .keys = KEY_VPC | KEY_SETTLE,
     .busy = ROUTE_BUSY,
     .exists = ROUTE_TAKEN},
    {.name = "ModifyRouteEntry", .flags = OP_ASYNC, .keys = KEY_VPC | KEY_SETTLE, .busy = ROUTE_MODIFY_BUSY},
    {.name = "DeleteRouteEntry",
     .flags = OP_ASYNC | OP_DELETE,
     .keys = KEY_VPC | KEY_SETTLE,
     .busy = ROUTE_BUSY " Forbbiden",
     .gone = "InvalidRouteEntry.NotFound InvalidRouteTable.NotFound"},
    {.name = "DeleteRouteEntries",
     .flags = OP_ASYNC | OP_DELETE,
     .keys = KEY_VPC | KEY_SETTLE,
     .busy = ROUTE_BUSY " Forbbiden",
     .gone = "InvalidRouteEntry.NotFound InvalidRouteTable.NotFound"},

    {.name = "CreateSecurityGroup", .flags = OP_TOKEN | OP_CREATE, .id_path = "SecurityGroupId"},
    {.name = "ModifySecurityGroupAttribute", .keys = KEY_GROUP},
    {.name = "ModifySecurityGroupPolicy", .flags = OP_TOKEN, .keys = KEY_GROUP},
    {.name = "DeleteSecurityGroup",
     .flags = OP_DELETE,
     .keys = KEY_GROUP,
     .busy = "DependencyViolation",
     .gone = "InvalidSecurityGroupId.NotFound"},
    {.name = "AuthorizeSecurityGroup", .flags = OP_TOKEN, .keys = KEY_GROUP},
    {.name = "AuthorizeSecurityGroupEgress", .flags = OP_TOKEN, .keys = KEY_GROUP},
    {.name = "ModifySecurityGroupRule", .flags = OP_TOKEN, .keys = KEY_GROUP},
    {.name = "ModifySecurityGroupEgressRule", .flags = OP_TOKEN, .keys = KEY_GROUP},
    {.name = "RevokeSecurityGroup", .flags = OP_TOKEN | OP_DELETE, .keys = KEY_GROUP, .gone = RULE_GONE},
    {.name = "RevokeSecurityGroupEgress",
     .flags = OP_TOKEN | OP_DELETE,
     .keys = KEY_GROUP,
     .gone = RULE_GONE},

    {.name = "RunInstances",
     .flags = OP_TOKEN | OP_ASYNC | OP_CREATE,
     .keys = KEY_VSWITCH,
     .id_path = "InstanceIdSets.InstanceIdSet",
     .busy = "IncorrectVSwitchStatus"},
    {.name = "ModifyInstanceAttribute",
     .flags = OP_NO_REGION,
     .keys = KEY_INSTANCE,
     .busy = "IncorrectInstanceStatus InvalidOperation.Conflict OperationConflict"},
    {.name = "DeleteInstance",
     .flags = OP_ASYNC | OP_DELETE | OP_NO_REGION,
     .keys = KEY_INSTANCE | KEY_SETTLE,
     .busy = "IncorrectInstanceStatus DependencyViolation.RouteEntry LastTokenProcessing",
     .gone = "InvalidInstanceId.NotFound InvalidInstanceIds.NotFound Forbidden.InstanceNotFound"},

    {.name = "TagResources"},
    {.name = "UnTagResources"},
    {.name = "UntagResources"},
    {.name = "MoveResourceGroup"},
    {.name = "JoinResourceGroup"},

    {.name = "DescribeVpcs", .gone = "InvalidVpcID.NotFound InvalidVpcId.NotFound Forbidden.VpcNotFound"},
    {.name = "DescribeVSwitches"},
    {.name = "DescribeNatGateways"},
    {.name = "DescribeEipAddresses"},
    {.name = "DescribeSnatTableEntries",
     .busy = "TaskConflict",
     .gone = "InvalidSnatTableId.NotFound InvalidSnatEntryId.NotFound InvalidNatGatewayId.NotFound"},
    {.name = "DescribeForwardTableEntries",
     .busy = "TaskConflict",
     .gone = "InvalidForwardTableId.NotFound InvalidForwardEntryId.NotFound InvalidNatGatewayId.NotFound"},
    {.name = "DescribeRouteTableList",
     .flags = OP_LOOKUP,
     .id_path = "RouterTableList.RouterTableListType.RouteTableId"},
    {.name = "DescribeRouteEntryList",
     .busy = "TaskConflict",
     .gone = "InvalidRouteTable.NotFound InvalidRouteTableId.NotFound"},
    {.name = "DescribeSecurityGroups"},
    {.name = "DescribeSecurityGroupAttribute", .gone = "InvalidSecurityGroupId.NotFound"},
    {.name = "DescribeInstances"},
};

const struct operation *operation_find(const char *name)
{
    for (size_t i = 0; i < N_ELEMENTS(operations); i++)
        if (strcmp(operations[i].name, name) == 0) return &operations[i];
    return NULL;
}

bool code_listed(const char *codes, const char *code)
{
    struct text rest = text_of(codes), one;
    while (text_cut(&rest, ' ', &one))
        if (one.len > 0 && strncmp(code, one.ptr, one.len) == 0 &&
            (code[one.len] == '\0' || code[one.len] == '.'))
            return true;
    return false;
}

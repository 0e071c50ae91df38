/* map_nat_gateway.c - NatGateway.  Source: api-behaviour 5.3 */
#include "providers/alicloud/mapping.h"

enum { ATTRIBUTE = 1, SPEC, PROTECTION };

static const struct word specs[] = {{"Medium", "Middle"}, {NULL, NULL}};

static const struct field_map fields[NAT_N] = {
    [NAT_VPC] = {.create = "VpcId", .path = "VpcId"},
    [NAT_VSWITCH] = {.create = "VSwitchId",
                     .path = "NatGatewayPrivateInfo.VswitchId"}, /* small s: the cloud's */
    [NAT_TYPE] = {.create = "NatType", .path = "NatType", .send_initial = true},
    [NAT_NETWORK] = {.create = "NetworkType", .path = "NetworkType", .send_initial = true},
    [NAT_BILLING] = {.create = "InternetChargeType", .path = "InternetChargeType", .send_initial = true},
    [NAT_SPEC] = {.create = "Spec", .modify = "Spec", .by = SPEC, .words = specs, .path = "Spec"},
    [NAT_EIP_BIND_MODE] = {.create = "EipBindMode",
                           .modify = "EipBindMode",
                           .by = ATTRIBUTE,
                           .path = "EipBindMode"},
    [NAT_ICMP_REPLY] = {.create = "IcmpReplyEnabled",
                        .modify = "IcmpReplyEnabled",
                        .by = ATTRIBUTE,
                        .path = "IcmpReplyEnabled"},
    [NAT_DELETION_PROTECTION] = {.modify = "ProtectionEnable",
                                 .by = PROTECTION,
                                 .path = "DeletionProtection"},
    [NAT_NAME] = {.create = "Name", .modify = "Name", .by = ATTRIBUTE, .path = "Name"},
    [NAT_DESCRIPTION] = {.create = "Description",
                         .modify = "Description",
                         .by = ATTRIBUTE,
                         .path = "Description"},
    [NAT_TAGS] = {0},
    [NAT_SNAT_TABLE] = {.path = "SnatTableIds.SnatTableId"},
    [NAT_FORWARD_TABLE] = {.path = "ForwardTableIds.ForwardTableId"},
    [NAT_PRIVATE_IP] = {.path = "NatGatewayPrivateInfo.PrivateIpAddress"},
};

/* A size says nothing of a gateway that is paid by usage, and may come back as anything.
 * Source: api-behaviour 11, surprise 18 */
static void read_size(struct reading *r, const json_t *item, struct object *o)
{
    (void)r;
    if (!json_text_is(item, "InternetChargeType", "PayBySpec")) o->values[NAT_SPEC] = (struct value){0};
}

/* Source: ModifyNatGatewayAttribute, EipBindMode */
static enum next refuse_way_back(const struct cloud *c, const struct goal *g, struct request *out,
                                 struct err *err)
{
    struct value wanted, seen = g->observed->values[NAT_EIP_BIND_MODE];
    (void)out;
    if (!field_wanted(g, NAT_EIP_BIND_MODE, &wanted) || !value_is_set(seen) ||
        !text_is(value_as_text(seen), "NAT") || !field_differs(c, g, NAT_EIP_BIND_MODE, wanted))
        return NEXT_DONE;
    (void)err_set(err, ERR_CONFLICT,
                  "eipBindMode of %s is NAT, and the cloud cannot change it back to MULTI_BINDED: "
                  "say NAT, or make a new gateway",
                  g->observed->id);
    return NEXT_ERROR;
}

static const char *const ready[] = {"Available", NULL};
static const char *const deleting[] = {"Deleting", NULL};
static const struct word post_paid[] = {{"InstanceChargeType", "PostPaid"}, {NULL, NULL}};

const struct kind_map map_nat_gateway = {
    .product = "Vpc",
    .fields = fields,
    .create = "CreateNatGateway",
    .create_fixed = post_paid,
    .remove = "DeleteNatGateway",
    .id_param = "NatGatewayId",
    .modifies = {[ATTRIBUTE - 1] = {"ModifyNatGatewayAttribute", "NatGatewayId", NULL, NULL},
                 [SPEC - 1] = {"ModifyNatGatewaySpec", "NatGatewayId", NULL, NULL},
                 [PROTECTION - 1] = {"DeletionProtection", "InstanceId", "Type", "NATGW"}},
    .list = {.operation = "DescribeNatGateways",
             .path = "NatGateways.NatGateway",
             .paging = PAGE_NUMBER,
             .size_param = "PageSize",
             .size = 50,
             .ids_param = "NatGatewayId",
             .max_ids = 1},
    .listed_with = KIND_NAT_GATEWAY,
    .id_path = "NatGatewayId",
    .status_path = "Status",
    .ready = ready,
    .deleting = deleting,
    .tag_type = "NATGATEWAY",
    .untag = "UnTagResources",
    .protection = NAT_DELETION_PROTECTION,
    .name_without_dots = true,
    .durations = {{40000, 90000, 600000}, {1000, 3000, 600000}, {8000, 20000, 600000}},
    .next_update = refuse_way_back,
    .read_more = read_size,
};

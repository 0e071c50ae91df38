/* kind_nat_gateway.c - NatGateway: an enhanced NAT gateway. */
#include "reconciler/model/kind.h"

static const char *const types[] = {"Enhanced", NULL};
static const char *const networks[] = {"internet", "intranet", NULL};
static const char *const billings[] = {"PayByLcu", "PayBySpec", NULL};
static const char *const specs[] = {"Small", "Medium", "Large", "XLarge.1", NULL};
static const char *const bind_modes[] = {"MULTI_BINDED", "NAT", NULL};

static const struct field fields[NAT_N] = {
    [NAT_VPC] = {.name = "vpc",
                 .type = FIELD_REF,
                 .flags = FIELD_REQUIRED | FIELD_IMMUTABLE | FIELD_PARENT,
                 .ref = KIND_VPC,
                 .doc = "The VPC that it serves."},
    [NAT_VSWITCH] =
        {.name = "vSwitch",
         .type = FIELD_REF,
         .flags = FIELD_REQUIRED | FIELD_IMMUTABLE | FIELD_PARENT,
         .ref = KIND_VSWITCH,
         .doc = "The vSwitch that it takes its private address from. Source: CreateNatGateway, VSwitchId"},
    [NAT_TYPE] = {.name = "type",
                  .type = FIELD_ENUM,
                  .flags = FIELD_IMMUTABLE | FIELD_CREATE_ONLY,
                  .choices = types,
                  .initial = "Enhanced",
                  .doc = "Enhanced, the only type still sold. Source: CreateNatGateway, NatType"},
    [NAT_NETWORK] =
        {.name = "networkType",
         .type = FIELD_ENUM,
         .flags = FIELD_IMMUTABLE | FIELD_CREATE_ONLY,
         .choices = networks,
         .initial = "internet",
         .doc = "internet, or intranet for a VPC NAT gateway. Source: CreateNatGateway, NetworkType"},
    [NAT_BILLING] =
        {.name = "billing",
         .type = FIELD_ENUM,
         .flags = FIELD_IMMUTABLE | FIELD_CREATE_ONLY,
         .choices = billings,
         .initial = "PayByLcu",
         .doc =
             "PayByLcu (pay by usage); PayBySpec only for existing gateways. Source: CreateNatGateway, InternetChargeType"},
    [NAT_SPEC] = {.name = "spec",
                  .type = FIELD_ENUM,
                  .choices = specs,
                  .doc = "Size; means something with PayBySpec only. Source: ModifyNatGatewaySpec, Spec"},
    [NAT_EIP_BIND_MODE] =
        {.name = "eipBindMode",
         .type = FIELD_ENUM,
         .flags = FIELD_CREATE_ONLY,
         .choices = bind_modes,
         .initial = "MULTI_BINDED",
         .doc = "MULTI_BINDED; NAT cannot be changed back. Source: CreateNatGateway, EipBindMode"},
    [NAT_ICMP_REPLY] =
        {.name = "icmpReply",
         .type = FIELD_BOOL,
         .initial = "true",
         .doc = "Whether its EIPs answer ping. Source: ModifyNatGatewayAttribute, IcmpReplyEnabled"},
    [NAT_DELETION_PROTECTION] = {.name = "deletionProtection",
                                 .type = FIELD_BOOL,
                                 .initial = "false",
                                 .doc = "The cloud refuses to delete it. Source: DeletionProtection"},
    [NAT_NAME] = {.name = "name",
                  .type = FIELD_TEXT,
                  .flags = FIELD_CREATE_ONLY,
                  .rule = RULE_NAME,
                  .doc = "Name in the console; metadata.name when not set. Source: CreateNatGateway, Name"},
    [NAT_DESCRIPTION] = {.name = "description",
                         .type = FIELD_TEXT,
                         .rule = RULE_DESCRIPTION,
                         .initial = "",
                         .doc = "Source: CreateNatGateway, Description"},
    [NAT_TAGS] = {.name = "tags",
                  .type = FIELD_MAP,
                  .max = 17,
                  .doc = "Tags; those of others are left alone."},
    [NAT_SNAT_TABLE] = {.name = "snatTable",
                        .type = FIELD_TEXT,
                        .flags = FIELD_COMPUTED,
                        .doc = "Id of the table of its SNAT entries."},
    [NAT_FORWARD_TABLE] = {.name = "forwardTable",
                           .type = FIELD_TEXT,
                           .flags = FIELD_COMPUTED,
                           .doc = "Id of the table of its DNAT entries."},
    [NAT_PRIVATE_IP] = {.name = "privateIp",
                        .type = FIELD_TEXT,
                        .flags = FIELD_COMPUTED,
                        .doc = "Its address in the vSwitch."},
};

const struct kind_info kind_nat_gateway = {
    .name = "NatGateway",
    .plural = "natgateways",
    .short_name = "nat",
    .id_prefix = "ngw-",
    .doc = "An enhanced NAT gateway: lets instances reach the Internet (SNAT) and be reached from it (DNAT).",
    .example =
        "apiVersion: headgate/v1\nkind: NatGateway\nmetadata:\n  name: nat1\nspec:\n  vpc: main\n  vSwitch: web\n",
    .fields = fields,
    .n_fields = NAT_N,
    .name_field = NAT_NAME,
    .tags_field = NAT_TAGS,
    .description_field = NAT_DESCRIPTION,
    .flags = KIND_TAGGABLE | KIND_CREATE_FIRST | KIND_HAS_STATUS,
};

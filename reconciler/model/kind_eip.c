/* kind_eip.c - Eip and EipAssociation: public addresses and what they are bound to. */
#include "reconciler/model/kind.h"

static const char *const charges[] = {"PayByBandwidth", "PayByTraffic", NULL};
static const char *const isps[] = {
    "BGP", "BGP_PRO", "ChinaTelecom", "ChinaUnicom", "ChinaMobile", "BGP_FinanceCloud", NULL};

static const struct field fields[EIP_N] = {
    [EIP_BANDWIDTH] = {.name = "bandwidth",
                       .type = FIELD_INT,
                       .flags = FIELD_CREATE_ONLY,
                       .min = 1,
                       .max = 1000,
                       .initial = "5",
                       .doc = "Mbit/s. Source: AllocateEipAddress, Bandwidth"},
    [EIP_CHARGE] =
        {.name = "internetChargeType",
         .type = FIELD_ENUM,
         .flags = FIELD_IMMUTABLE | FIELD_CREATE_ONLY,
         .choices = charges,
         .initial = "PayByTraffic",
         .doc =
             "PayByTraffic (up to 200 Mbit/s) or PayByBandwidth (up to 500). Source: AllocateEipAddress, InternetChargeType"},
    [EIP_ISP] = {.name = "isp",
                 .type = FIELD_ENUM,
                 .flags = FIELD_IMMUTABLE | FIELD_CREATE_ONLY,
                 .choices = isps,
                 .initial = "BGP",
                 .doc = "Line type. Source: AllocateEipAddress, ISP"},
    [EIP_NAME] = {.name = "name",
                  .type = FIELD_TEXT,
                  .flags = FIELD_CREATE_ONLY,
                  .rule = RULE_EIP_NAME,
                  .doc = "Name in the console; metadata.name when not set. Source: AllocateEipAddress, Name"},
    [EIP_DESCRIPTION] = {.name = "description",
                         .type = FIELD_TEXT,
                         .rule = RULE_LETTER_DESCRIPTION,
                         .initial = "",
                         .doc = "Source: AllocateEipAddress, Description"},
    [EIP_RESOURCE_GROUP] = {.name = "resourceGroup",
                            .type = FIELD_TEXT,
                            .rule = RULE_CLOUD_ID,
                            .doc = "Resource group id (rg-…); moved in place. Source: MoveResourceGroup"},
    [EIP_DELETION_PROTECTION] = {.name = "deletionProtection",
                                 .type = FIELD_BOOL,
                                 .initial = "false",
                                 .doc = "The cloud refuses to release it. Source: DeletionProtection"},
    [EIP_TAGS] = {.name = "tags",
                  .type = FIELD_MAP,
                  .max = 17,
                  .doc = "Tags; those of others are left alone."},
    [EIP_ADDRESS] = {.name = "address",
                     .type = FIELD_IP,
                     .flags = FIELD_COMPUTED,
                     .doc = "The public address."},
    [EIP_BOUND_TO] = {.name = "boundTo",
                      .type = FIELD_TEXT,
                      .flags = FIELD_COMPUTED,
                      .doc = "Id of what it is bound to, or empty."},
};

const struct kind_info kind_eip = {
    .name = "Eip",
    .plural = "eips",
    .short_name = "eip",
    .id_prefix = "eip-",
    .doc = "A public address. Released is lost: nobody gets the same one again.",
    .example =
        "apiVersion: headgate/v1\nkind: Eip\nmetadata:\n  name: eip1\nspec:\n  bandwidth: 10\n  internetChargeType: PayByTraffic\n",
    .fields = fields,
    .n_fields = EIP_N,
    .name_field = EIP_NAME,
    .tags_field = EIP_TAGS,
    .description_field = EIP_DESCRIPTION,
    .flags = KIND_TAGGABLE | KIND_CREATE_FIRST | KIND_HAS_STATUS | KIND_IRREVOCABLE,
};

/* An EIP is bound to one thing, so the EIP alone is the natural key.  Source: AssociateEipAddress */
enum { PAIR = FIELD_IMMUTABLE | FIELD_PARENT };

static const struct field association_fields[EAS_N] = {
    [EAS_EIP] = {.name = "eip",
                 .type = FIELD_REF,
                 .flags = FIELD_REQUIRED | FIELD_KEY | PAIR,
                 .ref = KIND_EIP,
                 .doc = "The address."},
    [EAS_NAT] = {.name = "natGateway",
                 .type = FIELD_REF,
                 .flags = PAIR,
                 .ref = KIND_NAT_GATEWAY,
                 .one_of = 1,
                 .doc = "The gateway that it is bound to. Source: AssociateEipAddress, InstanceType=Nat"},
    [EAS_INSTANCE] =
        {.name = "instance",
         .type = FIELD_REF,
         .flags = PAIR,
         .ref = KIND_INSTANCE,
         .one_of = 1,
         .doc = "The instance that it is bound to. Source: AssociateEipAddress, InstanceType=EcsInstance"},
    [EAS_SNAT_FOR] = {.name = "snatFor",
                      .type = FIELD_INLINE,
                      .ref = KIND_SNAT_ENTRY,
                      .max = 40,
                      .doc = "vSwitches that leave as this EIP: makes an SnatEntry for each."},
};

const struct kind_info kind_eip_association = {
    .name = "EipAssociation",
    .plural = "eipassociations",
    .short_name = "eipassoc",
    .doc = "An EIP bound to a NAT gateway or an instance.",
    .example =
        "apiVersion: headgate/v1\nkind: EipAssociation\nmetadata:\n  name: eip1-nat1\nspec:\n  eip: eip1\n  natGateway: nat1\n",
    .fields = association_fields,
    .n_fields = EAS_N,
    .name_field = FIELD_NO,
    .tags_field = FIELD_NO,
    .description_field = FIELD_NO,
    .flags = KIND_HAS_STATUS,
};

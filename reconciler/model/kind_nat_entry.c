/* kind_nat_entry.c - SnatEntry and DnatEntry: what a NAT gateway translates. */
#include "reconciler/model/kind.h"

static const char *const protocols[] = {"tcp", "udp", "any", NULL};
static const char *const any_port[] = {"any", NULL};

/* Exactly one source.  Source: CreateSnatEntry, SourceVSwitchId and SourceCIDR */
enum { SOURCE = FIELD_IMMUTABLE | FIELD_KEY };

static const struct field snat_fields[SNAT_N] = {
    [SNAT_NAT] = {.name = "natGateway",
                  .type = FIELD_REF,
                  .flags = FIELD_REQUIRED | FIELD_IMMUTABLE | FIELD_KEY | FIELD_PARENT,
                  .ref = KIND_NAT_GATEWAY,
                  .doc = "The gateway whose table it is in."},
    [SNAT_VSWITCH] = {.name = "source.vSwitch",
                      .type = FIELD_REF,
                      .flags = SOURCE,
                      .ref = KIND_VSWITCH,
                      .one_of = 1,
                      .doc = "All instances of a vSwitch. Source: CreateSnatEntry, SourceVSwitchId"},
    [SNAT_CIDR] = {.name = "source.cidr",
                   .type = FIELD_CIDR,
                   .flags = SOURCE,
                   .min = 0,
                   .max = 32,
                   .one_of = 1,
                   .doc = "A block; the longest mask wins. Source: CreateSnatEntry, SourceCIDR"},
    [SNAT_INSTANCE] = {.name = "source.instance",
                       .type = FIELD_REF,
                       .flags = SOURCE,
                       .ref = KIND_INSTANCE,
                       .one_of = 1,
                       .doc = "One instance, by its private address."},
    [SNAT_VSWITCHES] = {.name = "source.vSwitches",
                        .type = FIELD_INLINE,
                        .ref = KIND_SNAT_ENTRY,
                        .one_of = 1,
                        .max = 40,
                        .doc = "Several vSwitches: makes an entry for each."},
    [SNAT_EIPS] = {.name = "eips",
                   .type = FIELD_REF_LIST,
                   .flags = FIELD_REQUIRED | FIELD_SET | FIELD_EGRESS,
                   .ref = KIND_EIP,
                   .min = 1,
                   .max = 64,
                   .doc = "Addresses to leave as, all bound to the gateway. Source: CreateSnatEntry, SnatIp"},
    [SNAT_AFFINITY] =
        {.name = "eipAffinity",
         .type = FIELD_BOOL,
         .initial = "false",
         .doc = "Keep one client on one of several addresses. Source: CreateSnatEntry, EipAffinity"},
    [SNAT_NAME] =
        {.name = "name",
         .type = FIELD_TEXT,
         .flags = FIELD_CREATE_ONLY,
         .rule = RULE_NAME,
         .doc = "Name in the console; metadata.name when not set. Source: CreateSnatEntry, SnatEntryName"},
};

const struct kind_info kind_snat_entry = {
    .name = "SnatEntry",
    .plural = "snatentries",
    .short_name = "snat",
    .id_prefix = "snat-",
    .doc = "Lets a vSwitch, block or instance leave to the Internet with the address of an EIP.",
    .example =
        "apiVersion: headgate/v1\nkind: SnatEntry\nmetadata:\n  name: web-out\nspec:\n  natGateway: nat1\n"
        "  source: {vSwitch: web}\n  eips: [eip1]\n",
    .fields = snat_fields,
    .n_fields = SNAT_N,
    .name_field = SNAT_NAME,
    .tags_field = FIELD_NO,
    .description_field = FIELD_NO,
    .flags = KIND_HAS_STATUS,
};

static const struct field dnat_fields[DNAT_N] = {
    [DNAT_NAT] = {.name = "natGateway",
                  .type = FIELD_REF,
                  .flags = FIELD_REQUIRED | FIELD_IMMUTABLE | FIELD_KEY | FIELD_PARENT,
                  .ref = KIND_NAT_GATEWAY,
                  .doc = "The gateway whose table it is in."},
    [DNAT_EIP] = {.name = "eip",
                  .type = FIELD_REF,
                  .flags = FIELD_REQUIRED | FIELD_KEY | FIELD_OUTAGE,
                  .ref = KIND_EIP,
                  .doc = "The public address, bound to the gateway. Source: CreateForwardEntry, ExternalIp"},
    [DNAT_PROTOCOL] = {.name = "protocol",
                       .type = FIELD_ENUM,
                       .flags = FIELD_KEY | FIELD_OUTAGE,
                       .choices = protocols,
                       .initial = "tcp",
                       .doc =
                           "tcp, udp, or any (with any ports only). Source: CreateForwardEntry, IpProtocol"},
    [DNAT_EXTERNAL_PORT] = {.name = "externalPort",
                            .type = FIELD_PORTS,
                            .flags = FIELD_REQUIRED | FIELD_KEY | FIELD_OUTAGE,
                            .choices = any_port,
                            .min = 1,
                            .doc =
                                "A port, a range as 10/20, or any. Source: CreateForwardEntry, ExternalPort"},
    [DNAT_TARGET_INSTANCE] = {.name = "target.instance",
                              .type = FIELD_REF,
                              .flags = FIELD_OUTAGE,
                              .ref = KIND_INSTANCE,
                              .one_of = 1,
                              .doc = "Where it leads to: an instance, by its private address."},
    [DNAT_TARGET_IP] =
        {.name = "target.ip",
         .type = FIELD_IP,
         .flags = FIELD_OUTAGE,
         .one_of = 1,
         .doc = "Where it leads to: an address of the VPC. Source: CreateForwardEntry, InternalIp"},
    [DNAT_INTERNAL_PORT] =
        {.name = "internalPort",
         .type = FIELD_PORTS,
         .flags = FIELD_REQUIRED | FIELD_OUTAGE,
         .choices = any_port,
         .min = 1,
         .doc = "A port, a range of the same size, or any. Source: CreateForwardEntry, InternalPort"},
    [DNAT_NAME] =
        {.name = "name",
         .type = FIELD_TEXT,
         .flags = FIELD_CREATE_ONLY,
         .rule = RULE_NAME,
         .doc =
             "Name in the console; metadata.name when not set. Source: CreateForwardEntry, ForwardEntryName"},
    [DNAT_PORT_BREAK] =
        {.name = "portBreak",
         .type = FIELD_BOOL,
         .flags = FIELD_NOT_RETURNED,
         .initial = "false",
         .doc =
             "Allow external ports above 1024 on an EIP that SNAT uses, too. Source: CreateForwardEntry, PortBreak"},
};

const struct kind_info kind_dnat_entry = {
    .name = "DnatEntry",
    .plural = "dnatentries",
    .short_name = "dnat",
    .id_prefix = "fwd-",
    .doc = "Publishes a port of an instance on an EIP.",
    .example =
        "apiVersion: headgate/v1\nkind: DnatEntry\nmetadata:\n  name: http\nspec:\n  natGateway: nat2\n  eip: eip2\n"
        "  protocol: tcp\n  externalPort: \"80\"\n  target: {instance: ecs2}\n  internalPort: \"80\"\n",
    .fields = dnat_fields,
    .n_fields = DNAT_N,
    .name_field = DNAT_NAME,
    .tags_field = FIELD_NO,
    .description_field = FIELD_NO,
    .flags = KIND_HAS_STATUS,
};

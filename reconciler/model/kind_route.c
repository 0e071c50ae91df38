/* kind_route.c - RouteTable, RouteEntry and RouteTableAssociation: which way a vSwitch's traffic goes. */
#include "reconciler/model/kind.h"

static const struct field table_fields[RTB_N] = {
    [RTB_VPC] = {.name = "vpc",
                 .type = FIELD_REF,
                 .flags = FIELD_REQUIRED | FIELD_IMMUTABLE | FIELD_PARENT,
                 .ref = KIND_VPC,
                 .doc = "The VPC that it belongs to."},
    [RTB_SYSTEM] =
        {.name = "system",
         .type = FIELD_BOOL,
         .flags = FIELD_IMMUTABLE | FIELD_CREATE_ONLY,
         .initial = "false",
         .doc =
             "true for the table that came with the VPC: never created or deleted, only its entries are managed."},
    [RTB_NAME] =
        {.name = "name",
         .type = FIELD_TEXT,
         .flags = FIELD_CREATE_ONLY,
         .rule = RULE_NAME,
         .doc = "Name in the console; metadata.name when not set. Source: CreateRouteTable, RouteTableName"},
    [RTB_DESCRIPTION] = {.name = "description",
                         .type = FIELD_TEXT,
                         .rule = RULE_DESCRIPTION,
                         .initial = "",
                         .doc = "Source: CreateRouteTable, Description"},
    [RTB_TAGS] = {.name = "tags",
                  .type = FIELD_MAP,
                  .max = 17,
                  .doc = "Tags; those of others are left alone."},
    [RTB_ROUTES] = {.name = "routes",
                    .type = FIELD_INLINE,
                    .ref = KIND_ROUTE_ENTRY,
                    .max = 200,
                    .doc = "Entries, each as the spec of a RouteEntry without `routeTable`."},
    [RTB_VSWITCHES] = {.name = "vSwitches",
                       .type = FIELD_INLINE,
                       .ref = KIND_ROUTE_TABLE_ASSOCIATION,
                       .max = 150,
                       .doc = "vSwitches that it applies to: makes a RouteTableAssociation for each."},
};

const struct kind_info kind_route_table = {
    .name = "RouteTable",
    .plural = "routetables",
    .short_name = "vtb",
    .id_prefix = "vtb-",
    .doc = "A route table of a VPC: a custom one, or with `system: true` the VPC's own.",
    .example =
        "apiVersion: headgate/v1\nkind: RouteTable\nmetadata:\n  name: vtb1\nspec:\n  vpc: main\n  routes:\n"
        "    - {destination: 0.0.0.0/0, nextHop: {natGateway: nat1}}\n  vSwitches: [web]\n",
    .fields = table_fields,
    .n_fields = RTB_N,
    .name_field = RTB_NAME,
    .tags_field = RTB_TAGS,
    .description_field = RTB_DESCRIPTION,
    .flags = KIND_TAGGABLE | KIND_CREATE_FIRST | KIND_HAS_STATUS,
};

static const struct field entry_fields[RTE_N] = {
    [RTE_TABLE] = {.name = "routeTable",
                   .type = FIELD_REF,
                   .flags = FIELD_REQUIRED | FIELD_IMMUTABLE | FIELD_KEY | FIELD_PARENT,
                   .ref = KIND_ROUTE_TABLE,
                   .doc = "The table that it is in."},
    [RTE_DESTINATION] =
        {.name = "destination",
         .type = FIELD_CIDR,
         .flags = FIELD_REQUIRED | FIELD_IMMUTABLE | FIELD_KEY,
         .min = 0,
         .max = 32,
         .doc =
             "Where to; not equal to or inside a vSwitch's block. Source: CreateRouteEntry, DestinationCidrBlock"},
    [RTE_HOP_NAT] = {.name = "nextHop.natGateway",
                     .type = FIELD_REF,
                     .flags = FIELD_OUTAGE,
                     .ref = KIND_NAT_GATEWAY,
                     .one_of = 1,
                     .doc = "Through a NAT gateway. Source: CreateRouteEntry, NextHopType=NatGateway"},
    [RTE_HOP_INSTANCE] = {.name = "nextHop.instance",
                          .type = FIELD_REF,
                          .flags = FIELD_OUTAGE,
                          .ref = KIND_INSTANCE,
                          .one_of = 1,
                          .doc = "Through an instance. Source: CreateRouteEntry, NextHopType=Instance"},
    [RTE_NAME] =
        {.name = "name",
         .type = FIELD_TEXT,
         .flags = FIELD_CREATE_ONLY,
         .rule = RULE_NAME,
         .doc = "Name in the console; metadata.name when not set. Source: CreateRouteEntry, RouteEntryName"},
    [RTE_DESCRIPTION] = {.name = "description",
                         .type = FIELD_TEXT,
                         .rule = RULE_DESCRIPTION,
                         .initial = "",
                         .doc = "Source: CreateRouteEntry, Description"},
};

const struct kind_info kind_route_entry = {
    .name = "RouteEntry",
    .plural = "routeentries",
    .short_name = "rte",
    .id_prefix = "rte-",
    .doc = "One route of a table.",
    .example =
        "apiVersion: headgate/v1\nkind: RouteEntry\nmetadata:\n  name: vtb1-default\nspec:\n  routeTable: vtb1\n"
        "  destination: 0.0.0.0/0\n  nextHop: {natGateway: nat1}\n",
    .fields = entry_fields,
    .n_fields = RTE_N,
    .name_field = RTE_NAME,
    .tags_field = FIELD_NO,
    .description_field = RTE_DESCRIPTION,
    .flags = KIND_HAS_STATUS,
};

/* A vSwitch has exactly one table, so the vSwitch alone is the natural key.  Source: AssociateRouteTable */
static const struct field association_fields[RTA_N] = {
    [RTA_TABLE] = {.name = "routeTable",
                   .type = FIELD_REF,
                   .flags = FIELD_REQUIRED | FIELD_PARENT | FIELD_OUTAGE,
                   .ref = KIND_ROUTE_TABLE,
                   .doc = "The custom table. Source: AssociateRouteTable, RouteTableId"},
    [RTA_VSWITCH] = {.name = "vSwitch",
                     .type = FIELD_REF,
                     .flags = FIELD_REQUIRED | FIELD_IMMUTABLE | FIELD_KEY | FIELD_PARENT,
                     .ref = KIND_VSWITCH,
                     .doc = "The vSwitch that it applies to. Source: AssociateRouteTable, VSwitchId"},
};

const struct kind_info kind_route_table_association = {
    .name = "RouteTableAssociation",
    .plural = "routetableassociations",
    .short_name = "vtbassoc",
    .doc = "A custom route table that applies to a vSwitch; a vSwitch has one table.",
    .example =
        "apiVersion: headgate/v1\nkind: RouteTableAssociation\nmetadata:\n  name: vtb1-web\nspec:\n  routeTable: vtb1\n  vSwitch: web\n",
    .fields = association_fields,
    .n_fields = RTA_N,
    .name_field = FIELD_NO,
    .tags_field = FIELD_NO,
    .description_field = FIELD_NO,
    .flags = KIND_HAS_STATUS,
};

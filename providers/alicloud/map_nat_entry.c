/* map_nat_entry.c - SnatEntry and DnatEntry.  Source: api-behaviour 5.6, 5.7 */
#include "providers/alicloud/mapping.h"

enum { ENTRY = 1 };

static const char *const ready[] = {"Available", NULL};
static const char *const deleting[] = {"Deleting", NULL};

static const struct field_map snat_fields[SNAT_N] = {
    [SNAT_NAT] = {.path = "NatGatewayId"}, /* requests name its table */
    [SNAT_VSWITCH] = {.create = "SourceVSwitchId", .path = "SourceVSwitchId"},
    [SNAT_CIDR] = {.create = "SourceCIDR", .path = "SourceCIDR"},
    [SNAT_INSTANCE] = {0}, /* normalised to a block */
    [SNAT_VSWITCHES] = {0},
    [SNAT_EIPS] = {.create = "SnatIp", .modify = "SnatIp", .by = ENTRY, .as = AS_ADDRESSES, .path = "SnatIp"},
    [SNAT_AFFINITY] =
        {.create = "EipAffinity", .modify = "EipAffinity", .by = ENTRY, .as = AS_BIT, .path = "EipAffinity"},
    [SNAT_NAME] = {.create = "SnatEntryName",
                   .modify = "SnatEntryName",
                   .by = ENTRY,
                   .path = "SnatEntryName"},
};

/* An answer that does not name the gateway is about the one that was asked for. */
static void complete_parent(struct reading *r, struct object *o, uint8_t field)
{
    if (!value_is_set(o->values[field]) && r->scope->id != NULL) {
        const char *id = arena_strdup(r->arena, r->scope->id);
        if (id == NULL) r->out_of_memory = true;
        o->values[field] = value_id(id);
    }
}

static void read_snat(struct reading *r, const json_t *item, struct object *o)
{
    (void)item;
    complete_parent(r, o, SNAT_NAT);
    /* With a vSwitch as the source the answer also carries its block. */
    if (value_is_set(o->values[SNAT_VSWITCH])) o->values[SNAT_CIDR] = (struct value){0};
}

const struct kind_map map_snat_entry = {
    .product = "Vpc",
    .fields = snat_fields,
    .create = "CreateSnatEntry",
    .remove = "DeleteSnatEntry",
    .id_param = "SnatEntryId",
    .modifies = {[ENTRY - 1] = {"ModifySnatEntry", "SnatEntryId", NULL, NULL}},
    .table = {"SnatTableId", SNAT_NAT, NAT_SNAT_TABLE},
    .list = {.operation = "DescribeSnatTableEntries",
             .path = "SnatTableEntries.SnatTableEntry",
             .paging = PAGE_NUMBER,
             .size_param = "PageSize",
             .size = 50,
             .ids_param = "SnatEntryId",
             .max_ids = 1,
             .scope_param = "NatGatewayId",
             .scope_kind = KIND_NAT_GATEWAY,
             .scope_field = SNAT_NAT},
    .listed_with = KIND_SNAT_ENTRY,
    .id_path = "SnatEntryId",
    .status_path = "Status",
    .ready = ready,
    .deleting = deleting,
    .protection = FIELD_NO,
    .durations = {{1000, 4000, 300000}, {1000, 4000, 300000}, {1000, 4000, 300000}},
    .read_more = read_snat,
};

static const struct word protocols[] = {{"tcp", "TCP"}, {"udp", "UDP"}, {"any", "Any"}, {NULL, NULL}};
static const struct word any_port[] = {{"any", "Any"}, {NULL, NULL}};

static const struct field_map dnat_fields[DNAT_N] = {
    [DNAT_NAT] = {.path = "NatGatewayId"},
    [DNAT_EIP] =
        {.create = "ExternalIp", .modify = "ExternalIp", .by = ENTRY, .as = AS_ADDRESS, .path = "ExternalIp"},
    [DNAT_PROTOCOL] = {.create = "IpProtocol",
                       .modify = "IpProtocol",
                       .by = ENTRY,
                       .words = protocols,
                       .path = "IpProtocol",
                       .send_initial = true},
    [DNAT_EXTERNAL_PORT] = {.create = "ExternalPort",
                            .modify = "ExternalPort",
                            .by = ENTRY,
                            .words = any_port,
                            .path = "ExternalPort"},
    [DNAT_TARGET_INSTANCE] = {0}, /* normalised to an address */
    [DNAT_TARGET_IP] = {.create = "InternalIp", .modify = "InternalIp", .by = ENTRY, .path = "InternalIp"},
    [DNAT_INTERNAL_PORT] = {.create = "InternalPort",
                            .modify = "InternalPort",
                            .by = ENTRY,
                            .words = any_port,
                            .path = "InternalPort"},
    [DNAT_NAME] = {.create = "ForwardEntryName",
                   .modify = "ForwardEntryName",
                   .by = ENTRY,
                   .path = "ForwardEntryName"},
    [DNAT_PORT_BREAK] = {.create = "PortBreak", .modify = "PortBreak", .by = ENTRY},
};

static void read_dnat(struct reading *r, const json_t *item, struct object *o)
{
    (void)item;
    complete_parent(r, o, DNAT_NAT);
}

const struct kind_map map_dnat_entry = {
    .product = "Vpc",
    .fields = dnat_fields,
    .create = "CreateForwardEntry",
    .remove = "DeleteForwardEntry",
    .id_param = "ForwardEntryId",
    .modifies = {[ENTRY - 1] = {"ModifyForwardEntry", "ForwardEntryId", NULL, NULL}},
    .table = {"ForwardTableId", DNAT_NAT, NAT_FORWARD_TABLE},
    .list = {.operation = "DescribeForwardTableEntries",
             .path = "ForwardTableEntries.ForwardTableEntry",
             .paging = PAGE_NUMBER,
             .size_param = "PageSize",
             .size = 50,
             .ids_param = "ForwardEntryId",
             .max_ids = 1,
             .scope_param = "NatGatewayId",
             .scope_kind = KIND_NAT_GATEWAY,
             .scope_field = DNAT_NAT},
    .listed_with = KIND_DNAT_ENTRY,
    .id_path = "ForwardEntryId",
    .status_path = "Status",
    .ready = ready,
    .deleting = deleting,
    .protection = FIELD_NO,
    .durations = {{1000, 4000, 300000}, {1000, 4000, 300000}, {1000, 4000, 300000}},
    .read_more = read_dnat,
};

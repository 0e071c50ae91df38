/* map_eip.c - Eip and EipAssociation.  Source: api-behaviour 5.4, 5.5 */
#include "providers/alicloud/mapping.h"

#include <string.h>

enum { ATTRIBUTE = 1, GROUP, PROTECTION };

static const struct field_map fields[EIP_N] = {
    [EIP_BANDWIDTH] = {.create = "Bandwidth",
                       .modify = "Bandwidth",
                       .by = ATTRIBUTE,
                       .path = "Bandwidth",
                       .send_initial = true},
    [EIP_CHARGE] = {.create = "InternetChargeType", .path = "InternetChargeType", .send_initial = true},
    [EIP_ISP] = {.create = "ISP", .path = "ISP"},
    [EIP_NAME] = {.create = "Name", .modify = "Name", .by = ATTRIBUTE, .path = "Name"},
    [EIP_DESCRIPTION] = {.create = "Description",
                         .modify = "Description",
                         .by = ATTRIBUTE,
                         .path = "Description"},
    [EIP_RESOURCE_GROUP] = {.create = "ResourceGroupId",
                            .modify = "NewResourceGroupId",
                            .by = GROUP,
                            .path = "ResourceGroupId"},
    [EIP_DELETION_PROTECTION] = {.modify = "ProtectionEnable",
                                 .by = PROTECTION,
                                 .path = "DeletionProtection"},
    [EIP_TAGS] = {0},
    [EIP_ADDRESS] = {.path = "IpAddress"},
    [EIP_BOUND_TO] = {.path = "InstanceId"},
};

static const struct {
    const char *type;
    uint8_t field;
} targets[] = {{"Nat", EAS_NAT}, {"EcsInstance", EAS_INSTANCE}};

static const char *const ready[] = {"Available", "InUse", NULL};
static const char *const deleting[] = {"Releasing", NULL};
static const char *const bound[] = {"InUse", NULL};
static const char *const unbinding[] = {"Unassociating", NULL};

/* What an address is bound to is an EipAssociation, where it is a kind of ours. */
static void read_more(struct reading *r, const json_t *item, struct object *o)
{
    int64_t own;
    /* Within a bandwidth plan `Bandwidth` is the plan's. */
    const char *plan = json_string_value(json_at(item, "BandwidthPackageId"));
    if (plan != NULL && plan[0] != '\0' && json_int_at(item, "EipBandwidth", &own))
        o->values[EIP_BANDWIDTH] = value_int(own);
    if (!value_is_set(o->values[EIP_DESCRIPTION])) /* as old pages spell it */
        o->values[EIP_DESCRIPTION] =
            value_cstr(json_text_at(item, "Descritpion", r->arena, &r->out_of_memory));
    if (!value_is_set(o->values[EIP_BOUND_TO]) || text_is(text_of(o->status), "Available")) return;
    for (size_t i = 0; i < N_ELEMENTS(targets); i++) {
        if (!json_text_is(item, "InstanceType", targets[i].type)) continue;
        struct object *a = page_add(r, KIND_EIP_ASSOCIATION);
        if (a == NULL) return;
        a->id = o->id;
        a->status = o->status;
        a->phase = phase_of(&map_eip_association, o->status);
        a->locked = o->locked;
        a->values[EAS_EIP] = value_id(o->id);
        a->values[targets[i].field] = value_id(o->values[EIP_BOUND_TO].u.text);
    }
}

#define EIP_LIST                                                                                             \
    {                                                                                                        \
        .operation = "DescribeEipAddresses", .path = "EipAddresses.EipAddress", .paging = PAGE_NUMBER,       \
        .size_param = "PageSize", .size = 100, .ids_param = "AllocationId", .max_ids = 50                    \
    }

const struct kind_map map_eip = {
    .product = "Vpc",
    .fields = fields,
    .create = "AllocateEipAddress",
    .remove = "ReleaseEipAddress",
    .id_param = "AllocationId",
    .modifies = {[ATTRIBUTE - 1] = {"ModifyEipAddressAttribute", "AllocationId", NULL, NULL},
                 [GROUP - 1] = {"MoveResourceGroup", "ResourceId", "ResourceType", "Eip"},
                 [PROTECTION - 1] = {"DeletionProtection", "InstanceId", "Type", "EIP"}},
    .list = EIP_LIST,
    .listed_with = KIND_EIP,
    .id_path = "AllocationId",
    .status_path = "Status",
    .ready = ready,
    .deleting = deleting,
    .tag_type = "EIP",
    .untag = "UnTagResources",
    .protection = EIP_DELETION_PROTECTION,
    .durations = {{1000, 1000, 540000}, {1000, 2000, 540000}, {1000, 3000, 540000}},
    .read_more = read_more,
};

/* The default of InstanceType is EcsInstance: it is always sent.  Source: AssociateEipAddress */
static const struct field_map association_fields[EAS_N] = {
    [EAS_EIP] = {.create = "AllocationId"},
    [EAS_NAT] = {.create = "InstanceId", .type = "Nat", .type_create = "InstanceType"},
    [EAS_INSTANCE] = {.create = "InstanceId", .type = "EcsInstance", .type_create = "InstanceType"},
    [EAS_SNAT_FOR] = {0},
};

/* There is no move: an address that is bound elsewhere has to be unbound first. */
static enum next refuse_move(const struct cloud *c, const struct goal *g, struct request *out,
                             struct err *err)
{
    (void)c, (void)out;
    for (size_t i = 0; i < N_ELEMENTS(targets); i++) {
        const char *wanted = ref_id(g->values[targets[i].field]);
        const char *seen = ref_id(g->observed->values[targets[i].field]);
        if (wanted == NULL || (seen != NULL && strcmp(wanted, seen) == 0)) continue;
        (void)err_set(err, ERR_CONFLICT, "%s is bound to something else, not to %s: unbind it first",
                      g->observed->id, wanted);
        return NEXT_ERROR;
    }
    return NEXT_DONE;
}

const struct kind_map map_eip_association = {
    .product = "Vpc",
    .fields = association_fields,
    .create = "AssociateEipAddress",
    .remove = "UnassociateEipAddress",
    .id_param = "AllocationId",
    .remove_fields = UINT64_C(1) << EAS_NAT | UINT64_C(1) << EAS_INSTANCE,
    .list = EIP_LIST,
    .listed_with = KIND_EIP,
    .id_path = "AllocationId",
    .status_path = "Status",
    .ready = bound,
    .deleting = unbinding,
    .protection = FIELD_NO,
    .durations = {{2000, 5000, 300000}, {2000, 5000, 300000}, {2000, 5000, 300000}},
    .next_update = refuse_move,
};

/* map_vpc.c - Vpc.  Source: api-behaviour 5.1 */
#include "providers/alicloud/mapping.h"

enum { ATTRIBUTE = 1, GROUP };

static const struct field_map fields[VPC_N] = {
    [VPC_CIDR] = {.create = "CidrBlock", .modify = "CidrBlock", .by = ATTRIBUTE, .path = "CidrBlock"},
    [VPC_SECONDARY] = {.path =
                           "SecondaryCidrBlocks.SecondaryCidrBlock"}, /* one at a time: next_secondary() */
    [VPC_NAME] = {.create = "VpcName", .modify = "VpcName", .by = ATTRIBUTE, .path = "VpcName"},
    [VPC_DESCRIPTION] = {.create = "Description",
                         .modify = "Description",
                         .by = ATTRIBUTE,
                         .path = "Description"},
    [VPC_RESOURCE_GROUP] = {.create = "ResourceGroupId",
                            .modify = "NewResourceGroupId",
                            .by = GROUP,
                            .path = "ResourceGroupId"},
    [VPC_TAGS] = {0},
    [VPC_SYSTEM_TABLE] = {0}, /* read_system_table() */
};

static bool has_item(struct value list, struct value item)
{
    for (uint32_t i = 0; value_is_set(list) && i < list.n; i++)
        if (value_equal(FIELD_CIDR, list.u.items[i], item)) return true;
    return false;
}

/* The first item of 'list' that 'other' lacks; unset when there is none. */
static struct value first_missing(struct value list, struct value other)
{
    for (uint32_t i = 0; value_is_set(list) && i < list.n; i++)
        if (!has_item(other, list.u.items[i])) return list.u.items[i];
    return (struct value){0};
}

/* Blocks come and go one at a time; what is wanted is added first, so that nothing is without room in
 * between.  Source: AssociateVpcCidrBlock, UnassociateVpcCidrBlock */
static enum next next_secondary(const struct cloud *c, const struct goal *g, struct request *out,
                                struct err *err)
{
    struct value wanted, seen = g->observed->values[VPC_SECONDARY];
    if (!field_wanted(g, VPC_SECONDARY, &wanted) || !value_is_set(wanted)) return NEXT_DONE;
    const char *operation = "AssociateVpcCidrBlock";
    struct value block = first_missing(wanted, seen);
    if (!value_is_set(block)) {
        operation = "UnassociateVpcCidrBlock";
        block = first_missing(seen, wanted);
    }
    if (!value_is_set(block)) return NEXT_DONE;
    begin_request(c, g, operation, out);
    request_add(out, "VpcId", g->observed->id);
    request_add_text(out, "SecondaryCidrBlock", value_as_text(block));
    return end_request(out, err);
}

static uint32_t count_missing(struct value list, struct value other)
{
    uint32_t n = 0;
    for (uint32_t i = 0; value_is_set(list) && i < list.n; i++) n += !has_item(other, list.u.items[i]);
    return n;
}

static uint32_t count_secondary(const struct cloud *c, const struct goal *g)
{
    struct value wanted, seen = g->observed == NULL ? (struct value){0} : g->observed->values[VPC_SECONDARY];
    (void)c;
    if (!field_wanted(g, VPC_SECONDARY, &wanted) || !value_is_set(wanted)) return 0;
    return count_missing(wanted, seen) + count_missing(seen, wanted);
}

/* The list names all tables of a VPC without saying which is the system's: the only one is, or the one that
 * the list of tables showed as such. */
static void read_system_table(struct reading *r, const json_t *item, struct object *o)
{
    const json_t *ids = json_at(item, "RouterTableIds.RouterTableIds");
    if (json_count(ids) == 1) {
        o->values[VPC_SYSTEM_TABLE] =
            value_cstr(json_text_at(item, "RouterTableIds.RouterTableIds", r->arena, &r->out_of_memory));
        return;
    }
    if (r->world == NULL) return;
    const struct object *before = world_find(r->world, KIND_VPC, text_of(o->id)), *table;
    if (before != NULL) o->values[VPC_SYSTEM_TABLE] = before->values[VPC_SYSTEM_TABLE];
    for (size_t cursor = 0; (table = world_next(r->world, KIND_ROUTE_TABLE, &cursor)) != NULL;) {
        const char *vpc = ref_id(table->values[RTB_VPC]);
        if (table->system && vpc != NULL && text_is(text_of(vpc), o->id))
            o->values[VPC_SYSTEM_TABLE] = value_cstr(table->id);
    }
}

static const char *const ready[] = {"Available", "Created", NULL};
static const char *const deleting[] = {"Deleting", NULL};

const struct kind_map map_vpc = {
    .product = "Vpc",
    .fields = fields,
    .create = "CreateVpc",
    .remove = "DeleteVpc",
    .id_param = "VpcId",
    .modifies = {[ATTRIBUTE - 1] = {"ModifyVpcAttribute", "VpcId", NULL, NULL},
                 [GROUP - 1] = {"MoveResourceGroup", "ResourceId", "ResourceType", "Vpc"}},
    .list = {.operation = "DescribeVpcs",
             .path = "Vpcs.Vpc",
             .paging = PAGE_NUMBER,
             .size_param = "PageSize",
             .size = 50,
             .ids_param = "VpcId",
             .max_ids = 20},
    .listed_with = KIND_VPC,
    .id_path = "VpcId",
    .status_path = "Status",
    .ready = ready,
    .deleting = deleting,
    .tag_type = "VPC",
    .untag = "UnTagResources",
    .protection = FIELD_NO,
    .durations = {{3000, 7000, 600000}, {1000, 3000, 300000}, {2000, 5000, 300000}},
    .next_update = next_secondary,
    .count_update = count_secondary,
    .read_more = read_system_table,
};

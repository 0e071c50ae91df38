/* group.c - security groups. Their rules are in rule.c. */
#include <string.h>

#include "providers/mock/handlers.h"
#include "providers/mock/shape.h"

static json_t *group_rules(const struct entity *e)
{
    return json_integer((json_int_t)count_children(e, OWNER, E_RULE));
}

static const struct shape group_shape[] = {
    FIELD("SecurityGroupId", SHAPE_ID, 0),
    FIELD("SecurityGroupName", SHAPE_ATTR, A_GROUP_NAME),
    FIELD("Description", SHAPE_ATTR, A_GROUP_DESCRIPTION),
    FIELD("SecurityGroupType", SHAPE_ATTR, A_GROUP_TYPE),
    FIELD("ResourceGroupId", SHAPE_ATTR, A_GROUP_GROUP),
    FIELD("VpcId", SHAPE_LINK, OWNER),
    FIELD("CreationTime", SHAPE_TIME, 0),
    FIELD("ServiceManaged", SHAPE_BOOL, false),
    FIELD_MAKE("RuleCount", group_rules),
    FIELD("Tags.Tag", SHAPE_TAG_PAIRS, 0),
    END_FIELDS,
};

static const struct filter group_filters[] = {
    {"SecurityGroupId", FILTER_ID, 0},
    {"SecurityGroupName", FILTER_ATTR, A_GROUP_NAME},
    {"SecurityGroupType", FILTER_ATTR, A_GROUP_TYPE},
    {"ResourceGroupId", FILTER_ATTR, A_GROUP_GROUP},
    END_FILTERS,
};

static const struct list_spec groups = {
    .type = E_GROUP,
    .wrapper = "SecurityGroups.SecurityGroup",
    .shape = group_shape,
    .filters = group_filters,
    .paging = BY_TOKEN_OR_PAGE,
    .size_param = "MaxResults",
    .default_size = 10,
    .ids_param = "SecurityGroupIds",
    .ids_are_json = true,
    .ignored = (const char *const[]){"NetworkType", NULL},
    .narrow = {{"VpcId", E_VPC, OWNER, false}},
};

bool group_list(struct call *c)
{
    answer_text(c, "RegionId", regions[c->region].id);
    return list_entities(c, &groups);
}

bool group_create(struct call *c)
{
    if (!check_name(c, "SecurityGroupName", true) || !check_description(c, "Description") || !check_tags(c))
        return false;
    if (arg(c, "VpcId") == NULL)
        return refuse(c, 400, "MissingParameter", "VpcId is mandatory: there is no classic network here.");
    struct entity *vpc = need(c, E_VPC, "VpcId");
    if (vpc == NULL) return false;
    if (vpc->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectVpcStatus", "The status of VPC %s does not support this operation.",
                      vpc->id);
    if (!within_quota(c, OPT_QUOTA_GROUP, c->s->count[E_GROUP][c->region], 1))
        return refuse(c, 403, "QuotaExceed.SecurityGroup", "The quota of security groups is reached.");

    struct entity *e = create(c, E_GROUP, ST_NONE);
    if (e == NULL) return false;
    const char *type = arg_or(c, "SecurityGroupType", "normal");
    entity_set(c->s, e, A_GROUP_TYPE, type);
    entity_set(c->s, e, A_GROUP_INNER, strcmp(type, "normal") == 0 ? "Accept" : "Drop");
    entity_set(c->s, e, A_GROUP_GROUP, arg_or(c, "ResourceGroupId", "rg-default"));
    arg_to_attr(c, e, "SecurityGroupName", A_GROUP_NAME);
    arg_to_attr(c, e, "Description", A_GROUP_DESCRIPTION);
    entity_link(c->s, e, OWNER, vpc);
    answer_text(c, "SecurityGroupId", e->id);
    return true;
}

bool group_modify(struct call *c)
{
    struct entity *e = need(c, E_GROUP, "SecurityGroupId");
    if (e == NULL || !check_name(c, "SecurityGroupName", true) || !check_description(c, "Description"))
        return false;
    arg_to_attr(c, e, "SecurityGroupName", A_GROUP_NAME);
    arg_to_attr(c, e, "Description", A_GROUP_DESCRIPTION);
    return true;
}

bool group_policy(struct call *c)
{
    struct entity *e = need(c, E_GROUP, "SecurityGroupId");
    if (e == NULL) return false;
    if (!entity_is(e, A_GROUP_TYPE, "normal"))
        return refuse(c, 403, "InvalidSecurityGroupType.ValueNotSupported",
                      "Only basic groups have an inner policy.");
    entity_set(c->s, e, A_GROUP_INNER, arg(c, "InnerAccessPolicy"));
    return true;
}

/* Source: DeleteSecurityGroup: no instance and no rule of another group refers to it. */
bool group_delete(struct call *c)
{
    struct entity *e = need(c, E_GROUP, "SecurityGroupId");
    if (e == NULL) return false;
    const struct entity *vpc = e->links[OWNER].to;
    for (EACH_CHILD(instance, vpc, OWNER, E_INSTANCE))
        if (list_has(entity_get(instance, A_INSTANCE_GROUPS), e->id))
            return refuse(c, 403, "DependencyViolation", "Instance %s is in security group %s.", instance->id,
                          e->id);
    for (EACH_CHILD(rule, e, SECOND, E_RULE))
        if (rule->links[OWNER].to != e)
            return refuse(c, 403, "DependencyViolation", "A rule of %s refers to security group %s.",
                          rule->links[OWNER].to->id, e->id);
    entity_vanish(c->m, e, c->now_ms);
    return true;
}

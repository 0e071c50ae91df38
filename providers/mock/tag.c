/* tag.c - tags and resource groups, of both products. */
#include <string.h>

#include "providers/mock/handlers.h"
#include "providers/mock/shape.h"

enum { MAX_VPC_RESOURCES = 20, MAX_ECS_RESOURCES = 50, DEFAULT_PAIRS = 50 };

/* The names of types: in tag operations and, where it can be moved, in those of resource groups. */
static const struct kind_name {
    const char *product, *name, *group_name;
    enum entity_type type;
    int group_attr;
} kind_names[] = {
    {"Vpc", "VPC", "Vpc", E_VPC, A_VPC_GROUP},
    {"Vpc", "VSWITCH", NULL, E_VSWITCH, -1},
    {"Vpc", "ROUTETABLE", NULL, E_TABLE, -1},
    {"Vpc", "EIP", "Eip", E_EIP, A_EIP_GROUP},
    {"Vpc", "NATGATEWAY", NULL, E_NAT, -1},
    {"Ecs", "instance", "instance", E_INSTANCE, A_INSTANCE_GROUP},
    {"Ecs", "securitygroup", "securitygroup", E_GROUP, A_GROUP_GROUP},
};

static const struct kind_name *find_kind(struct call *c)
{
    const char *wanted = arg_or(c, "ResourceType", "");
    for (size_t i = 0; i < N_ELEMENTS(kind_names); i++)
        if (strcmp(kind_names[i].product, c->op->product) == 0 && strcmp(kind_names[i].name, wanted) == 0)
            return &kind_names[i];
    (void)refuse(c, 400, "InvalidResourceType.NotFound", "The simulated cloud has no tags of \"%s\".",
                 wanted);
    return NULL;
}

static bool is_ecs(const struct call *c)
{
    return strcmp(c->op->product, "Ecs") == 0;
}

static struct entity *nth_resource(struct call *c, const struct kind_name *k, unsigned n, bool *last)
{
    const char *id = argf(c, "ResourceId.%u", n);
    *last = id == NULL;
    if (*last) return NULL;
    struct entity *e = lookup(c, k->type, id);
    if (e == NULL) (void)refuse_missing(c, k->type, id);
    return e;
}

/* All named resources exist; refuses otherwise. */
static bool check_resources(struct call *c, const struct kind_name *k)
{
    const unsigned most = is_ecs(c) ? MAX_ECS_RESOURCES : MAX_VPC_RESOURCES;
    for (unsigned n = 1;; n++) {
        bool last;
        const struct entity *e = nth_resource(c, k, n, &last);
        if (last) return true;
        if (n > most)
            return refuse(c, 400, "NumberExceed.ResourceIds", "At most %u resources are possible.", most);
        if (e == NULL) return false;
    }
}

static size_t count_new_keys(const struct call *c, const struct entity *e)
{
    size_t n_new = 0;
    const char *key;
    for (unsigned n = 1; (key = argf(c, "Tag.%u.Key", n)) != NULL; n++)
        n_new += entity_tag_value(e, key) == NULL;
    return n_new;
}

bool tags_add(struct call *c)
{
    const struct kind_name *k = find_kind(c);
    bool last = false;
    if (k == NULL || !check_tags(c) || !check_resources(c, k)) return false;
    for (unsigned n = 1; !last; n++) {
        const struct entity *e = nth_resource(c, k, n, &last);
        if (e != NULL && e->n_tags + count_new_keys(c, e) > ENTITY_MAX_TAGS)
            return refuse(c, 400, "QuotaExceed.TagsPerResource", "%s would have more than %d tags.", e->id,
                          ENTITY_MAX_TAGS);
    }
    last = false;
    for (unsigned n = 1; !last; n++) {
        struct entity *e = nth_resource(c, k, n, &last);
        const char *key;
        for (unsigned t = 1; e != NULL && (key = argf(c, "Tag.%u.Key", t)) != NULL; t++) {
            const char *value = argf(c, "Tag.%u.Value", t);
            (void)entity_tag(c->s, e, key, value == NULL ? "" : value); /* the number was checked */
        }
    }
    return true;
}

bool tags_remove(struct call *c)
{
    const struct kind_name *k = find_kind(c);
    bool last = false, all = arg_is_true(c, "All");
    if (k == NULL || !check_resources(c, k)) return false;
    if (!all && arg(c, "TagKey.1") == NULL)
        return refuse(c, 400, "MissingParameter.TagKey", "TagKey.1 is mandatory.");
    for (unsigned n = 1; !last; n++) {
        struct entity *e = nth_resource(c, k, n, &last);
        const char *key;
        for (unsigned t = 1; e != NULL && (key = argf(c, "TagKey.%u", t)) != NULL; t++)
            entity_untag(c->s, e, key);
        if (e != NULL && all && arg(c, "TagKey.1") == NULL) entity_untag(c->s, e, NULL);
    }
    return true;
}

/* ---- ListTagResources ---- */

static bool wants_resource(const struct call *c, const char *id)
{
    const char *wanted;
    for (unsigned n = 1; (wanted = argf(c, "ResourceId.%u", n)) != NULL; n++)
        if (strcmp(wanted, id) == 0) return true;
    return arg(c, "ResourceId.1") == NULL;
}

static bool has_wanted_tags(const struct call *c, const struct entity *e)
{
    const char *key;
    for (unsigned n = 1; (key = argf(c, "Tag.%u.Key", n)) != NULL; n++) {
        const char *value = argf(c, "Tag.%u.Value", n), *has = entity_tag_value(e, key);
        if (has == NULL || (value != NULL && value[0] != '\0' && strcmp(has, value) != 0)) return false;
    }
    return true;
}

/* A token is the number of pairs that were listed already. */
bool tags_list(struct call *c)
{
    const struct kind_name *k = find_kind(c);
    const char *token = arg_or(c, "NextToken", "");
    uint64_t skip = 0, size = DEFAULT_PAIRS, seen = 0;
    if (k == NULL) return false;
    if (arg(c, "ResourceId.1") == NULL && arg(c, "Tag.1.Key") == NULL)
        return refuse(c, 400, "MissingParameter.TagOrResourceId", "ResourceId or Tag is mandatory.");
    if (arg_has_prefix(c, "TagFilter."))
        return refuse(c, 400, "UnsupportedParameter",
                      "The simulated ListTagResources does not filter by TagFilter.");
    if (token[0] != '\0' && (token[0] != 'p' || !text_to_u64(text_of(token + 1), UINT32_MAX, &skip)))
        return refuse(c, 400, "InvalidNextToken", "The specified NextToken is not valid.");
    if (!text_to_u64(text_of(arg_or(c, "MaxResults", "50")), DEFAULT_PAIRS, &size)) size = DEFAULT_PAIRS;
    json_t *array = json_array();
    for (const struct entity *e = c->s->first[k->type]; e != NULL; e = e->next) {
        if (!entity_is_here(c, e, k->type) || !wants_resource(c, e->id) || !has_wanted_tags(c, e)) continue;
        for (uint8_t i = 0; i < e->n_tags; i++, seen++) {
            if (seen < skip || seen >= skip + size) continue;
            (void)json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s}", "ResourceId", e->id,
                                                         "ResourceType", k->name, "TagKey", e->tags[i].key,
                                                         "TagValue", e->tags[i].value));
        }
    }
    char next[24] = "";
    if (seen > skip + size) (void)snprintf(next, sizeof(next), "p%llu", (unsigned long long)(skip + size));
    answer_put(c, "TagResources.TagResource", array);
    answer_text(c, "NextToken", next);
    return true;
}

/* ---- Resource groups ---- */

static bool move_to_group(struct call *c, const char *group)
{
    const char *wanted = arg_or(c, "ResourceType", "");
    if (group == NULL) return refuse(c, 400, "MissingParameter", "The resource group is mandatory.");
    for (size_t i = 0; i < N_ELEMENTS(kind_names); i++) {
        const struct kind_name *k = &kind_names[i];
        if (strcmp(k->product, c->op->product) != 0 || k->group_name == NULL ||
            strcmp(k->group_name, wanted) != 0)
            continue;
        struct entity *e = need(c, k->type, "ResourceId");
        if (e == NULL) return false;
        entity_set(c->s, e, k->group_attr, group);
        return true;
    }
    return refuse(c, 400, "InvalidResourceType.NotFound", "The simulated cloud cannot move \"%s\".", wanted);
}

bool resource_group_move(struct call *c)
{
    return move_to_group(c, arg(c, "NewResourceGroupId"));
}

bool resource_group_join(struct call *c)
{
    return move_to_group(c, arg(c, "ResourceGroupId"));
}

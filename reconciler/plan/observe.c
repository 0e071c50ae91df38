/* observe.c - which lists a plan needs, and a world made of records for plans that do not look. */
#include "reconciler/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#define KIND_BIT(kind) ((uint64_t)1 << (kind))

static enum err_code add_scope(struct arena *arena, struct scope **scopes, size_t *n, size_t *capacity,
                               enum kind kind, const char *id, struct err *err)
{
    if (!arena_grow(arena, scopes, sizeof **scopes, *n, capacity)) return err_nomem(err);
    (*scopes)[(*n)++] = (struct scope){kind, id};
    return ERR_OK;
}

/* Whether somebody asks for what only the list of a group's rules tells of the group.
 * Source: DescribeSecurityGroupAttribute, InnerAccessPolicy */
static bool inner_access_matters(const struct desired *desired, const struct records *recorded)
{
    for (uint32_t i = 0; i < desired->n; i++)
        if (desired->items[i].kind == KIND_SECURITY_GROUP &&
            desired->items[i].values[SG_INNER_ACCESS].state != VALUE_UNSET)
            return true;
    for (uint32_t k = 0; k < recorded->n; k++)
        if (recorded->items[k].kind == KIND_SECURITY_GROUP &&
            (recorded->items[k].set_fields & (uint64_t)1 << SG_INNER_ACCESS) != 0)
            return true;
    return false;
}

/* Kinds that matter: desired or recorded, and those whose lists show them or what they refer to. */
static uint64_t kinds_that_matter(const struct desired *desired, const struct records *recorded,
                                  bool unmanaged)
{
    uint64_t kinds = 0;
    for (uint32_t i = 0; i < desired->n; i++) kinds |= KIND_BIT(desired->items[i].kind);
    for (uint32_t k = 0; k < recorded->n; k++) kinds |= KIND_BIT(recorded->items[k].kind);
    if (inner_access_matters(desired, recorded)) kinds |= KIND_BIT(KIND_SECURITY_GROUP_RULE);
    for (int k = 0; k < N_KINDS; k++) /* tagged ones are looked for without any record */
        if (unmanaged || kind_is_taggable((enum kind)k)) kinds |= KIND_BIT(k);
    for (int k = N_KINDS - 1; k >= 0; k--) { /* references lead to lower kinds */
        if ((kinds & KIND_BIT(k)) == 0) continue;
        const struct kind_info *info = kind_info((enum kind)k);
        for (uint8_t f = 0; f < info->n_fields; f++)
            if (info->fields[f].type == FIELD_REF || info->fields[f].type == FIELD_REF_LIST)
                kinds |= KIND_BIT(info->fields[f].ref);
    }
    return kinds;
}

/* A cloud object that a record or a manifest names. */
struct named {
    enum kind kind;
    struct text id;
};

/* What decides whether the children of a parent object have to be listed, collected once: there are as many
 * parents as there are gateways, tables and groups in the region. Sets of kinds are bits. */
struct interest {
    uint64_t existing;   /* kinds of which some existing object is observed or adopted: which one, a look-up
                            tells later */
    uint64_t declared;   /* kinds that are declared: the system route table is declared, never made */
    uint64_t looked_up;  /* kinds that are referred to by name or tags */
    struct named *named; /* sorted by kind and id */
    size_t n_named, capacity;
};

static int compare_named(const void *pa, const void *pb)
{
    const struct named *a = pa, *b = pb;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    return text_compare(a->id, b->id);
}

static bool add_named(struct arena *arena, struct interest *in, enum kind kind, struct text id)
{
    if (!arena_grow(arena, &in->named, sizeof *in->named, in->n_named, &in->capacity)) return false;
    in->named[in->n_named++] = (struct named){kind, id};
    return true;
}

static bool add_references(struct arena *arena, struct interest *in, uint64_t parents,
                           const struct resource *r)
{
    const struct kind_info *info = kind_info(r->kind);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        struct value v = r->values[f];
        if (info->fields[f].type != FIELD_REF || v.state != VALUE_SET) continue;
        enum kind kind = info->fields[f].ref;
        if ((parents & KIND_BIT(kind)) == 0) continue;
        if (v.form == REF_LOOKUP) in->looked_up |= KIND_BIT(kind);
        if (v.form == REF_ID && !add_named(arena, in, kind, value_as_text(v))) return false;
    }
    return true;
}

/* 'parents': the kinds that lists are about. */
static enum err_code collect_interest(struct arena *arena, uint64_t parents, const struct desired *desired,
                                      const struct records *recorded, struct interest *out, struct err *err)
{
    *out = (struct interest){0};
    for (uint32_t k = 0; k < recorded->n; k++) {
        const struct record *r = &recorded->items[k];
        if ((parents & KIND_BIT(r->kind)) != 0 && !add_named(arena, out, r->kind, text_of(r->id)))
            return err_nomem(err);
    }
    for (uint32_t i = 0; i < desired->n; i++) {
        const struct resource *r = &desired->items[i];
        bool made = r->lifecycle->management == MANAGE_ENFORCE &&
                    (r->lifecycle->adopt == ADOPT_DEFAULT || r->lifecycle->adopt == ADOPT_NEVER);
        out->declared |= KIND_BIT(r->kind);
        if (!made) out->existing |= KIND_BIT(r->kind);
        if (!add_references(arena, out, parents, r)) return err_nomem(err);
    }
    if (out->n_named > 1) qsort(out->named, out->n_named, sizeof *out->named, compare_named);
    return ERR_OK;
}

static bool is_named(const struct interest *in, const struct object *o)
{
    struct named key = {o->kind, text_of(o->id)};
    return in->n_named > 0 && bsearch(&key, in->named, in->n_named, sizeof key, compare_named) != NULL;
}

static bool is_owned(const struct object *o, struct text stack)
{
    return o->owner_stack.ptr != NULL && text_equal(o->owner_stack, stack);
}

static bool lies_in_our_vpc(const struct object *o, struct text stack, const struct world *world)
{
    const struct kind_info *info = kind_info(o->kind);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        struct value v = o->values[f];
        if (info->fields[f].type != FIELD_REF || info->fields[f].ref != KIND_VPC || !value_is_set(v))
            continue;
        const struct object *vpc = world_find(world, KIND_VPC, value_as_text(v));
        if (vpc != NULL && is_owned(vpc, stack)) return true;
    }
    return false;
}

/* Whether the children of a parent object have to be listed. */
static bool parent_matters(const struct object *o, bool unmanaged, struct text stack,
                           const struct interest *in, const struct world *world)
{
    uint64_t some = in->existing | in->looked_up | (o->system ? in->declared : 0);
    return (some & KIND_BIT(o->kind)) != 0 || is_owned(o, stack) || is_named(in, o) ||
           (unmanaged && lies_in_our_vpc(o, stack, world));
}

/* A list that a plan needs, and of which kind the objects are that it is about (KIND_NONE: the region). */
struct list {
    enum kind kind, parent;
};

static size_t collect_lists(uint64_t kinds, const struct cloud *cloud, struct list out[N_KINDS])
{
    uint64_t listed = 0;
    size_t n = 0;
    for (int k = 0; k < N_KINDS; k++) {
        if ((kinds & KIND_BIT(k)) == 0) continue;
        enum kind list = cloud->listed_with(cloud, (enum kind)k);
        if ((listed & KIND_BIT(list)) != 0) continue;
        listed |= KIND_BIT(list);
        uint8_t field = FIELD_NO;
        out[n++] = (struct list){list, cloud->list_scope_kind(cloud, list, &field)};
    }
    return n;
}

static int compare_scopes(const void *pa, const void *pb)
{
    const struct scope *a = pa, *b = pb;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    return a->id == NULL || b->id == NULL ? (a->id != NULL) - (b->id != NULL) : strcmp(a->id, b->id);
}

/* Lists that did not show what is recorded. Of the region (of_parents false) or of parents that are there. */
static enum err_code scopes_of_missing(struct arena *arena, bool of_parents, const struct records *recorded,
                                       const struct world *world, const struct cloud *cloud,
                                       struct scope **scopes, size_t *n_scopes, size_t *capacity,
                                       struct err *err)
{
    for (uint32_t k = 0; k < recorded->n; k++) {
        const struct record *r = &recorded->items[k];
        if (record_is_tentative(r) || world_find(world, r->kind, text_of(r->id)) != NULL) continue;
        uint8_t field = FIELD_NO;
        enum kind list = cloud->listed_with(cloud, r->kind);
        enum kind parent = cloud->list_scope_kind(cloud, list, &field);
        if ((parent != KIND_NONE) != of_parents) continue;
        const char *id = NULL;
        if (of_parents) {
            if (list != r->kind || !value_is_set(r->values[field])) continue;
            const struct object *o = world_find(world, parent, value_as_text(r->values[field]));
            if (o == NULL) continue; /* and all that was in it */
            id = o->id;
        }
        enum err_code code = add_scope(arena, scopes, n_scopes, capacity, list, id, err);
        if (code != ERR_OK) return code;
    }
    return ERR_OK;
}

static bool any_is_owned(const struct world *world, struct text stack)
{
    for (int k = 0; k < N_KINDS; k++) {
        size_t cursor = 0;
        for (const struct object *o; (o = world_next(world, (enum kind)k, &cursor)) != NULL;)
            if (is_owned(o, stack)) return true;
    }
    return false;
}

/* Something is tagged for this stack and nothing is recorded: the state was lost, and the lists alone tell
 * what is there. Those that did not show something that is desired. */
static enum err_code scopes_of_lost(struct arena *arena, struct text stack, const struct desired *desired,
                                    const struct world *world, const struct cloud *cloud,
                                    struct scope **scopes, size_t *n_scopes, size_t *capacity,
                                    struct err *err)
{
    uint64_t kinds = 0;
    if (!any_is_owned(world, stack)) return ERR_OK;
    for (uint32_t i = 0; i < desired->n; i++) {
        const struct resource *r = &desired->items[i];
        if (kind_is_taggable(r->kind) && r->lifecycle->management != MANAGE_OBSERVE &&
            world_find_owned(world, stack, r->kind, r->name, NULL) == NULL)
            kinds |= KIND_BIT(cloud->listed_with(cloud, r->kind));
    }
    for (int k = 0; k < N_KINDS; k++) {
        enum err_code code = ERR_OK;
        if ((kinds & KIND_BIT(k)) != 0)
            code = add_scope(arena, scopes, n_scopes, capacity, (enum kind)k, NULL, err);
        if (code != ERR_OK) return code;
    }
    return ERR_OK;
}

/* The lists to be read once more, each once. */
static enum err_code scopes_again(struct arena *arena, bool of_parents, struct text stack,
                                  const struct desired *desired, const struct records *recorded,
                                  const struct world *world, const struct cloud *cloud, struct scope **scopes,
                                  size_t *n_scopes, struct err *err)
{
    size_t capacity = *n_scopes, n = 0;
    enum err_code code =
        scopes_of_missing(arena, of_parents, recorded, world, cloud, scopes, n_scopes, &capacity, err);
    if (code == ERR_OK && recorded->n == 0 && !of_parents)
        code = scopes_of_lost(arena, stack, desired, world, cloud, scopes, n_scopes, &capacity, err);
    if (*n_scopes > 1) qsort(*scopes, *n_scopes, sizeof **scopes, compare_scopes);
    for (size_t k = 0; k < *n_scopes; k++)
        if (k == 0 || compare_scopes(&(*scopes)[n - 1], &(*scopes)[k]) != 0) (*scopes)[n++] = (*scopes)[k];
    *n_scopes = n;
    return code;
}

enum err_code plan_scopes(struct arena *arena, int round, bool unmanaged, struct text stack,
                          const struct desired *desired, const struct records *recorded,
                          const struct world *world, const struct cloud *cloud, struct scope **scopes,
                          size_t *n_scopes, struct err *err)
{
    if (round >= 2)
        return scopes_again(arena, round == 3, stack, desired, recorded, world, cloud, scopes, n_scopes, err);
    struct list lists[N_KINDS];
    struct interest interest;
    size_t n_lists = collect_lists(kinds_that_matter(desired, recorded, unmanaged), cloud, lists);
    size_t capacity = *n_scopes; /* a new block on the first growth */
    enum err_code code = ERR_OK;
    if (round == 0) {
        for (size_t k = 0; k < n_lists && code == ERR_OK; k++)
            if (lists[k].parent == KIND_NONE)
                code = add_scope(arena, scopes, n_scopes, &capacity, lists[k].kind, NULL, err);
        return code;
    }
    uint64_t parents = 0;
    for (size_t k = 0; k < n_lists; k++)
        if (lists[k].parent != KIND_NONE) parents |= KIND_BIT(lists[k].parent);
    code = collect_interest(arena, parents, desired, recorded, &interest, err);
    for (size_t k = 0; k < n_lists && code == ERR_OK; k++) {
        size_t cursor = 0;
        if (lists[k].parent == KIND_NONE) continue;
        for (struct object *o; code == ERR_OK && (o = world_next(world, lists[k].parent, &cursor)) != NULL;)
            if (parent_matters(o, unmanaged, stack, &interest, world))
                code = add_scope(arena, scopes, n_scopes, &capacity, lists[k].kind, o->id, err);
    }
    return code;
}

enum err_code plan_recorded_world(struct arena *arena, struct text stack, const struct records *recorded,
                                  struct world *out, struct err *err)
{
    for (uint32_t k = 0; k < recorded->n; k++) {
        const struct record *r = &recorded->items[k];
        if (record_is_tentative(r)) continue;
        struct object *o = arena_new_of(arena, struct object);
        if (o == NULL) return err_nomem(err);
        *o = (struct object){
            .kind = r->kind, .phase = PHASE_READY, .id = r->id, .status = "", .values = r->values};
        if (!r->observed_only && kind_is_taggable(r->kind)) {
            o->owner_stack = stack;
            o->owner_name = r->name;
            o->incarnation = r->incarnation;
        }
        o->system = r->kind == KIND_ROUTE_TABLE && value_is_set(r->values[RTB_SYSTEM]) &&
                    r->values[RTB_SYSTEM].u.num != 0;
        enum err_code code = world_put(out, o, err);
        if (code != ERR_OK) return code;
    }
    return ERR_OK;
}

/* observe.c - which lists a plan needs, and a world made of records for plans that do not look. */
#include "reconciler/plan/plan.h"

#include <string.h>

static enum err_code add_scope(struct arena *arena, struct scope **scopes, size_t *n, size_t *capacity,
                               enum kind kind, const char *id, struct err *err)
{
    if (!arena_grow(arena, scopes, sizeof **scopes, *n, capacity)) return err_nomem(err);
    (*scopes)[(*n)++] = (struct scope){kind, id};
    return ERR_OK;
}

/* Kinds that matter: desired or recorded, and those whose lists show them or what they refer to. */
static uint64_t kinds_that_matter(const struct desired *desired, const struct records *recorded,
                                  bool unmanaged)
{
    uint64_t kinds = 0;
    for (uint32_t i = 0; i < desired->n; i++) kinds |= (uint64_t)1 << desired->items[i].kind;
    for (uint32_t k = 0; k < recorded->n; k++) kinds |= (uint64_t)1 << recorded->items[k].kind;
    for (int k = 0; k < N_KINDS; k++) /* tagged ones are looked for without any record */
        if (unmanaged || (kind_info((enum kind)k)->flags & KIND_TAGGABLE) != 0) kinds |= (uint64_t)1 << k;
    for (int k = N_KINDS - 1; k >= 0; k--) { /* references lead to lower kinds */
        if ((kinds & (uint64_t)1 << k) == 0) continue;
        const struct kind_info *info = kind_info((enum kind)k);
        for (uint8_t f = 0; f < info->n_fields; f++)
            if (info->fields[f].type == FIELD_REF || info->fields[f].type == FIELD_REF_LIST)
                kinds |= (uint64_t)1 << info->fields[f].ref;
    }
    return kinds;
}

/* Whether the children of a parent object have to be listed. */
static bool parent_matters(const struct object *o, bool unmanaged, struct text stack,
                           const struct desired *desired, const struct records *recorded,
                           const struct world *world)
{
    if (o->owner_stack.ptr != NULL && text_equal(o->owner_stack, stack)) return true;
    for (uint32_t k = 0; k < recorded->n; k++)
        if (recorded->items[k].kind == o->kind && strcmp(recorded->items[k].id, o->id) == 0) return true;
    const struct kind_info *info = kind_info(o->kind);
    for (uint32_t i = 0; i < desired->n; i++) {
        const struct resource *r = &desired->items[i];
        if (r->kind != o->kind || r->lifecycle->management == MANAGE_ENFORCE) {
            if (r->kind != o->kind || r->lifecycle->adopt == ADOPT_DEFAULT ||
                r->lifecycle->adopt == ADOPT_NEVER) {
                /* The system route table is declared, never made. */
                if (!(o->system && r->kind == o->kind)) continue;
            }
        }
        return true; /* an existing one is observed or adopted: which one, a look-up tells later */
    }
    /* Referred to by id or look-up, or lying in a VPC that is ours. */
    for (uint32_t i = 0; i < desired->n; i++) {
        const struct kind_info *ri = kind_info(desired->items[i].kind);
        for (uint8_t f = 0; f < ri->n_fields; f++) {
            struct value v = desired->items[i].values[f];
            if (ri->fields[f].type != FIELD_REF || ri->fields[f].ref != o->kind || v.state != VALUE_SET)
                continue;
            if (v.form == REF_LOOKUP || (v.form == REF_ID && text_is(value_as_text(v), o->id))) return true;
        }
    }
    if (!unmanaged) return false;
    for (uint8_t f = 0; f < info->n_fields; f++) {
        struct value v = o->values[f];
        if (info->fields[f].type != FIELD_REF || info->fields[f].ref != KIND_VPC || !value_is_set(v))
            continue;
        const struct object *vpc = world_find(world, KIND_VPC, value_as_text(v));
        if (vpc != NULL && vpc->owner_stack.ptr != NULL && text_equal(vpc->owner_stack, stack)) return true;
    }
    return false;
}

enum err_code plan_scopes(struct arena *arena, int round, bool unmanaged, struct text stack,
                          const struct desired *desired, const struct records *recorded,
                          const struct world *world, const struct cloud *cloud, struct scope **scopes,
                          size_t *n_scopes, struct err *err)
{
    uint64_t kinds = kinds_that_matter(desired, recorded, unmanaged);
    uint64_t listed = 0;
    size_t capacity = *n_scopes; /* a new block on the first growth */
    for (int k = 0; k < N_KINDS; k++) {
        if ((kinds & (uint64_t)1 << k) == 0) continue;
        enum kind list = cloud->listed_with(cloud, (enum kind)k);
        if ((listed & (uint64_t)1 << list) != 0) continue;
        listed |= (uint64_t)1 << list;
        uint8_t field = FIELD_NO;
        enum kind parent = cloud->list_scope_kind(cloud, list, &field);
        if (parent == KIND_NONE) {
            enum err_code code =
                round == 0 ? add_scope(arena, scopes, n_scopes, &capacity, list, NULL, err) : ERR_OK;
            if (code != ERR_OK) return code;
            continue;
        }
        size_t cursor = 0;
        for (struct object *o; round == 1 && (o = world_next(world, parent, &cursor)) != NULL;) {
            if (!parent_matters(o, unmanaged, stack, desired, recorded, world)) continue;
            enum err_code code = add_scope(arena, scopes, n_scopes, &capacity, list, o->id, err);
            if (code != ERR_OK) return code;
        }
    }
    return ERR_OK;
}

enum err_code plan_recorded_world(struct arena *arena, struct text stack, const struct records *recorded,
                                  struct world *out, struct err *err)
{
    for (uint32_t k = 0; k < recorded->n; k++) {
        const struct record *r = &recorded->items[k];
        struct object *o = arena_new_of(arena, struct object);
        if (o == NULL) return err_nomem(err);
        *o = (struct object){
            .kind = r->kind, .phase = PHASE_READY, .id = r->id, .status = "", .values = r->values};
        if (!r->observed_only && (kind_info(r->kind)->flags & KIND_TAGGABLE) != 0) {
            o->owner_stack = stack;
            o->owner_name = r->name;
        }
        o->system = r->kind == KIND_ROUTE_TABLE && value_is_set(r->values[RTB_SYSTEM]) &&
                    r->values[RTB_SYSTEM].u.num != 0;
        enum err_code code = world_put(out, o, err);
        if (code != ERR_OK) return code;
    }
    return ERR_OK;
}

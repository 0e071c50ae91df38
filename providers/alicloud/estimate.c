/* estimate.c - how many requests next() will have for a goal, from the same tables. */
#include "providers/alicloud/mapping.h"

/* Operations that change a set of fields. */
static uint32_t count_operations(enum kind kind, uint64_t fields)
{
    const struct kind_map *m = map_of(kind);
    uint32_t operations = 0;
    for (uint8_t i = 0; i < kind_info(kind)->n_fields; i++)
        if ((fields & field_bit(i)) != 0) operations |= 1u << m->fields[i].by;
    return (uint32_t)__builtin_popcount(operations);
}

/* Whether it is not made, but found: the system's table of a VPC. */
static bool is_found(const struct goal *g)
{
    return g->kind == KIND_ROUTE_TABLE && value_is_set(g->values[RTB_SYSTEM]) &&
           g->values[RTB_SYSTEM].u.num != 0;
}

/* After the create call: what that cannot say. */
static uint32_t count_after_create(const struct goal *g)
{
    const struct kind_info *info = kind_info(g->kind);
    const struct kind_map *m = map_of(g->kind);
    bool found = is_found(g);
    uint64_t fields = 0;
    struct value wanted;
    for (uint8_t i = 0; i < info->n_fields; i++)
        if (m->fields[i].by != 0 && (m->fields[i].create == NULL || found) && field_wanted(g, i, &wanted) &&
            !value_equal(info->fields[i].type, wanted, initial_value(&info->fields[i])))
            fields |= field_bit(i);
    bool tags = found && (g->set_fields & field_bit(info->tags_field)) != 0 &&
                g->values[info->tags_field].n > 0 && (g->ignore_fields & field_bit(info->tags_field)) == 0;
    return count_operations(g->kind, fields) + tags;
}

uint32_t alicloud_n_requests(const struct cloud *c, const struct goal *g, struct arena *arena)
{
    const struct kind_map *m = map_of(g->kind);
    bool there = g->observed != NULL && !g->observed->gone;
    if (g->verb == VERB_DELETE) return there && !g->observed->system;
    if (there && (g->disown || g->values == NULL)) return g->disown ? tags_count(c, g, arena) : 0;
    uint32_t n = m->count_update == NULL ? 0 : m->count_update(c, g);
    if (!there) return n + 1 + count_after_create(g);
    return n + count_operations(g->kind, differing_fields(c, g)) + tags_count(c, g, arena);
}

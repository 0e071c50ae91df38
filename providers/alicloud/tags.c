/* tags.c - ownership tags and the user's own, on create and after.
 *
 * Tags of others are never touched: only keys that we set last (goal.owned_tags) are ever removed, and never
 * by All=true.  Source: api-behaviour 5.14 */
#include "providers/alicloud/mapping.h"

#include <string.h>

enum { MAX_TAGS_PER_CALL = 20 };

/* The MAP of tags that the manifest sets, or unset. */
static struct value wanted_tags(const struct goal *g)
{
    uint8_t field = kind_info(g->kind)->tags_field;
    struct value v = {0};
    if (field != FIELD_NO && g->values != NULL && (g->set_fields & field_bit(field))) v = g->values[field];
    return v;
}

static bool tags_ignored(const struct goal *g)
{
    return (g->ignore_fields & field_bit(kind_info(g->kind)->tags_field)) != 0;
}

/* The same, but unset when lifecycle.ignoreChanges has the tags. Ownership is never ignored. */
static struct value compared_tags(const struct goal *g)
{
    return tags_ignored(g) ? (struct value){0} : wanted_tags(g);
}

static void add_tag(struct request *out, unsigned *n, struct text key, struct text value)
{
    char name[32];
    ++*n;
    (void)snprintf(name, sizeof name, "Tag.%u.Key", *n);
    request_add_text(out, name, key);
    (void)snprintf(name, sizeof name, "Tag.%u.Value", *n);
    request_add_text(out, name, value);
}

static void add_ownership(const struct goal *g, struct request *out, unsigned *n)
{
    char address[RESOURCE_ADDRESS_SIZE];
    add_tag(out, n, TEXT(TAG_STACK), g->stack);
    add_tag(out, n, TEXT(TAG_ADDRESS), text_of(address_format(g->kind, g->name, address)));
    if (g->incarnation <= 1) return;
    char number[16];
    (void)snprintf(number, sizeof number, "%u", g->incarnation);
    add_tag(out, n, TEXT(TAG_INCARNATION), text_of(number));
}

void tags_on_create(const struct goal *g, struct request *out)
{
    unsigned n = 0;
    if (map_of(g->kind)->tag_type == NULL) return;
    if (g->stack.ptr != NULL) add_ownership(g, out, &n);
    struct value tags = wanted_tags(g);
    for (uint32_t i = 0; value_is_set(tags) && i + 1 < tags.n; i += 2)
        add_tag(out, &n, value_as_text(tags.u.items[i]), value_as_text(tags.u.items[i + 1]));
}

static void begin_tag_request(const struct cloud *c, const struct goal *g, const char *operation,
                              struct request *out)
{
    begin_request(c, g, operation, out);
    request_add(out, "ResourceType", map_of(g->kind)->tag_type);
    request_add(out, "ResourceId.1", g->observed->id);
}

/* TagResources for what is missing or different. Returns how many tags it has. */
static unsigned add_missing(const struct goal *g, struct request *out)
{
    const struct object *o = g->observed;
    unsigned n = 0;
    /* What the cloud made itself carries no mark of ours: it outlives us. */
    bool owned = o->owner_stack.ptr != NULL && text_equal(o->owner_stack, g->stack) &&
                 text_equal(o->owner_name, g->name);
    if (g->stack.ptr != NULL && !owned && !o->system) add_ownership(g, out, &n);
    struct value tags = compared_tags(g), seen = o->values[kind_info(g->kind)->tags_field];
    for (uint32_t i = 0; value_is_set(tags) && i + 1 < tags.n && n < MAX_TAGS_PER_CALL; i += 2) {
        struct text key = value_as_text(tags.u.items[i]), value = value_as_text(tags.u.items[i + 1]);
        struct value have = value_map_get(seen, key);
        if (!value_is_set(have) || !text_equal(value_as_text(have), value)) add_tag(out, &n, key, value);
    }
    return n;
}

/* UnTagResources for what we set once and is wanted no more. Returns how many keys it has. */
static unsigned add_unwanted(const struct goal *g, struct request *out)
{
    unsigned n = 0;
    if (tags_ignored(g) || g->owned_tags == NULL || !value_is_set(*g->owned_tags)) return 0;
    struct value owned = *g->owned_tags, wanted = wanted_tags(g);
    struct value seen = g->observed->values[kind_info(g->kind)->tags_field];
    for (uint32_t i = 0; i + 1 < owned.n && n < MAX_TAGS_PER_CALL; i += 2) {
        struct text key = value_as_text(owned.u.items[i]);
        if (value_is_set(value_map_get(wanted, key)) || !value_is_set(value_map_get(seen, key))) continue;
        char name[32];
        (void)snprintf(name, sizeof name, "TagKey.%u", ++n);
        request_add_text(out, name, key);
    }
    return n;
}

/* UnTagResources for our marks, and nothing else. */
static unsigned add_ours(const struct goal *g, struct request *out)
{
    const struct object *o = g->observed;
    if (o->owner_stack.ptr == NULL || !text_equal(o->owner_stack, g->stack)) return 0;
    request_add(out, "TagKey.1", TAG_STACK);
    request_add(out, "TagKey.2", TAG_ADDRESS);
    if (o->incarnation > 1) request_add(out, "TagKey.3", TAG_INCARNATION);
    return 2;
}

uint32_t tags_count(const struct cloud *c, const struct goal *g, struct arena *arena)
{
    struct request scratch = {.arena = arena};
    if (map_of(g->kind)->tag_type == NULL) return 0;
    begin_tag_request(c, g, "TagResources", &scratch);
    if (g->disown) return add_ours(g, &scratch) > 0;
    uint32_t n = add_missing(g, &scratch) > 0;
    return add_unwanted(g, &scratch) > 0 ? n + 1 : n;
}

enum next tags_next(const struct cloud *c, const struct goal *g, struct request *out, struct err *err)
{
    const struct kind_map *m = map_of(g->kind);
    if (m->tag_type == NULL) return NEXT_DONE;
    if (g->disown) {
        begin_tag_request(c, g, m->untag, out);
        return add_ours(g, out) > 0 ? end_request(out, err) : NEXT_DONE;
    }
    begin_tag_request(c, g, "TagResources", out);
    if (add_missing(g, out) > 0) return end_request(out, err);
    begin_tag_request(c, g, m->untag, out);
    return add_unwanted(g, out) > 0 ? end_request(out, err) : NEXT_DONE;
}

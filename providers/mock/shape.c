/* shape.c - how entities look in answers. */
#include "providers/mock/shape.h"

#include <string.h>
#include <time.h>

void format_time(int64_t unix_ms, bool seconds, char out[24])
{
    time_t t = (time_t)(unix_ms / 1000);
    struct tm tm;
    if (gmtime_r(&t, &tm) == NULL ||
        strftime(out, 24, seconds ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%dT%H:%MZ", &tm) == 0)
        out[0] = '\0';
}

static json_t *shape_time(const struct entity *e, bool seconds)
{
    char text[24];
    format_time(e->created_ms, seconds, text);
    return json_string_nocheck(text);
}

static json_t *shape_list(const char *list)
{
    json_t *array = json_array();
    struct text rest = text_of(list), item;
    while (list_next(&rest, &item))
        (void)json_array_append_new(array, json_stringn_nocheck(item.ptr, item.len));
    return array;
}

static json_t *shape_tags(const struct entity *e, const char *key, const char *value)
{
    json_t *array = json_array();
    for (uint8_t i = 0; i < e->n_tags; i++) {
        json_t *tag = json_object();
        (void)json_object_set_new_nocheck(tag, key, json_string_nocheck(e->tags[i].key));
        (void)json_object_set_new_nocheck(tag, value, json_string_nocheck(e->tags[i].value));
        (void)json_array_append_new(array, tag);
    }
    return array;
}

json_t *ids_of_children(const struct entity *e, enum link_slot slot, enum entity_type type)
{
    json_t *array = json_array();
    for (EACH_CHILD(child, e, slot, type))
        if (child->status != ST_LINGERING) (void)json_array_append_new(array, json_string_nocheck(child->id));
    return array;
}

static json_t *shape_value(const struct entity *e, const struct shape *row)
{
    switch (row->how) {
    case SHAPE_ID: return json_string_nocheck(e->id);
    case SHAPE_ATTR: return json_string_nocheck(entity_get(e, row->arg));
    case SHAPE_FLAG: return json_boolean(entity_is(e, row->arg, "true"));
    case SHAPE_LIST: return shape_list(entity_get(e, row->arg));
    case SHAPE_STATUS: return json_string_nocheck(status_names[e->status]);
    case SHAPE_REGION: return json_string_nocheck(regions[e->region].id);
    case SHAPE_TIME: return shape_time(e, true);
    case SHAPE_TIME_MIN: return shape_time(e, false);
    case SHAPE_LINK: {
        const struct entity *to = e->links[row->arg].to;
        return json_string_nocheck(to == NULL ? "" : to->id);
    }
    case SHAPE_TEXT: return json_string_nocheck(row->text);
    case SHAPE_NUMBER: return json_integer(row->arg);
    case SHAPE_BOOL: return json_boolean(row->arg);
    case SHAPE_EMPTY: return json_array();
    case SHAPE_TAGS: return shape_tags(e, "Key", "Value");
    case SHAPE_TAG_PAIRS: return shape_tags(e, "TagKey", "TagValue");
    case SHAPE_MAKE: return row->make(e);
    }
    return NULL;
}

/* Takes 'value'. At most two levels occur below an object of a list. */
static void put_path(json_t *object, const char *path, json_t *value)
{
    const char *dot = strchr(path, '.');
    if (dot == NULL) {
        (void)json_object_set_new_nocheck(object, path, value);
        return;
    }
    char key[64];
    ASSERT((size_t)(dot - path) < sizeof(key));
    memcpy(key, path, (size_t)(dot - path));
    key[dot - path] = '\0';
    json_t *inner = json_object_get(object, key);
    if (inner == NULL) {
        inner = json_object();
        (void)json_object_set_new_nocheck(object, key, inner);
    }
    (void)json_object_set_new_nocheck(inner, dot + 1, value);
}

json_t *shape_entity(const struct entity *e, const struct shape *shape)
{
    json_t *object = json_object();
    for (; shape->path != NULL; shape++) put_path(object, shape->path, shape_value(e, shape));
    return object;
}

void answer_entity(struct call *c, const struct entity *e, const struct shape *shape)
{
    for (; shape->path != NULL; shape++) put_path(c->answer, shape->path, shape_value(e, shape));
}

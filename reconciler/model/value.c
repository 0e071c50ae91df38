/* value.c - making, comparing and copying values. */
#include "reconciler/model/value.h"

#include "reconciler/model/kind.h"

#include <stdlib.h>
#include <string.h>

struct value value_text(const char *text, size_t n)
{
    return (struct value){.state = VALUE_SET, .n = (uint32_t)n, .u.text = text};
}

struct value value_cstr(const char *text)
{
    return text == NULL ? (struct value){0} : value_text(text, strlen(text));
}

struct value value_int(int64_t num)
{
    return (struct value){.state = VALUE_SET, .u.num = num};
}

struct value value_bool(bool flag)
{
    return value_int(flag);
}

struct value value_unknown(void)
{
    return (struct value){.state = VALUE_UNKNOWN};
}

struct value value_id(const char *cloud_id)
{
    if (cloud_id == NULL || cloud_id[0] == '\0') return (struct value){0};
    struct value v = value_cstr(cloud_id);
    v.form = REF_ID;
    return v;
}

struct value value_list(const struct value *items, uint32_t n)
{
    return (struct value){.state = VALUE_SET, .n = n, .u.items = items};
}

/* What the union holds. */
enum shape { SHAPE_TEXT, SHAPE_NUM, SHAPE_REF, SHAPE_LIST, SHAPE_MAP, SHAPE_NOTHING };

static const struct {
    enum shape shape;
    enum field_type item;
} shapes[N_FIELD_TYPES] = {
    [FIELD_TEXT] = {SHAPE_TEXT, 0},
    [FIELD_INT] = {SHAPE_NUM, 0},
    [FIELD_BOOL] = {SHAPE_NUM, 0},
    [FIELD_ENUM] = {SHAPE_TEXT, 0},
    [FIELD_CIDR] = {SHAPE_TEXT, 0},
    [FIELD_IP] = {SHAPE_TEXT, 0},
    [FIELD_PORTS] = {SHAPE_TEXT, 0},
    [FIELD_REF] = {SHAPE_REF, 0},
    [FIELD_TEXT_LIST] = {SHAPE_LIST, FIELD_TEXT},
    [FIELD_CIDR_LIST] = {SHAPE_LIST, FIELD_CIDR},
    [FIELD_REF_LIST] = {SHAPE_LIST, FIELD_REF},
    [FIELD_MAP] = {SHAPE_MAP, FIELD_TEXT},
    [FIELD_INLINE] = {SHAPE_NOTHING, 0},
};

enum field_type field_item_type(enum field_type type)
{
    return shapes[type].item;
}

/* One rank for order among references: form, then what it holds. */
static int compare_refs(struct value a, struct value b)
{
    if (a.form != b.form) return a.form < b.form ? -1 : 1;
    if (a.form == REF_LOCAL) return a.u.num < b.u.num ? -1 : a.u.num > b.u.num;
    if (a.form != REF_LOOKUP) return text_compare(value_as_text(a), value_as_text(b));
    int order = value_compare(FIELD_TEXT, a.u.items[0], b.u.items[0]);
    return order != 0 ? order : value_compare(FIELD_MAP, a.u.items[1], b.u.items[1]);
}

int value_compare(enum field_type type, struct value a, struct value b)
{
    if (a.state != b.state) return a.state < b.state ? -1 : 1;
    if (a.state != VALUE_SET) return 0;
    switch (shapes[type].shape) {
    case SHAPE_TEXT: return text_compare(value_as_text(a), value_as_text(b));
    case SHAPE_NUM: return a.u.num < b.u.num ? -1 : a.u.num > b.u.num;
    case SHAPE_REF: return compare_refs(a, b);
    case SHAPE_LIST:
    case SHAPE_MAP:
        for (uint32_t i = 0; i < a.n && i < b.n; i++) {
            int order = value_compare(shapes[type].item, a.u.items[i], b.u.items[i]);
            if (order != 0) return order;
        }
        return a.n < b.n ? -1 : a.n > b.n;
    case SHAPE_NOTHING: break;
    }
    return 0;
}

/* Whether any part of it is not known yet: such a value equals nothing. */
static bool has_unknown(enum field_type type, struct value v)
{
    if (v.state == VALUE_UNKNOWN) return true;
    if (v.state != VALUE_SET || shapes[type].shape != SHAPE_LIST) return false;
    for (uint32_t i = 0; i < v.n; i++)
        if (v.u.items[i].state == VALUE_UNKNOWN) return true;
    return false;
}

bool value_equal(enum field_type type, struct value a, struct value b)
{
    if (has_unknown(type, a) || has_unknown(type, b)) return false;
    return value_compare(type, a, b) == 0;
}

/* What an answer holds has no limit of ours, and its order may be chosen: what is not sorted yet, as most is,
 * is sorted in a time that no order makes quadratic. */
static int compare_items(const void *a, const void *b, void *type)
{
    const struct value *x = a, *y = b;
    return value_compare(*(const enum field_type *)type, *x, *y);
}

uint32_t value_sort_set(enum field_type type, struct value *items, uint32_t n)
{
    enum field_type item = shapes[type].item;
    uint32_t kept = 0, sorted = 1;
    while (sorted < n && value_compare(item, items[sorted - 1], items[sorted]) <= 0) sorted++;
    if (sorted < n) qsort_r(items, n, sizeof *items, compare_items, &item);
    for (uint32_t i = 0; i < n; i++)
        if (kept == 0 || items[i].state == VALUE_UNKNOWN ||
            value_compare(item, items[kept - 1], items[i]) != 0)
            items[kept++] = items[i];
    return kept;
}

struct value value_map_get(struct value map, struct text key)
{
    if (map.state == VALUE_SET)
        for (uint32_t i = 0; i + 1 < map.n; i += 2)
            if (text_equal(value_as_text(map.u.items[i]), key)) return map.u.items[i + 1];
    return (struct value){0};
}

static int compare_pairs(const void *a, const void *b)
{
    const struct value *x = a, *y = b;
    int order = value_compare(FIELD_TEXT, x[0], y[0]);
    return order != 0 ? order : value_compare(FIELD_TEXT, x[1], y[1]);
}

uint32_t value_sort_map(struct value *items, uint32_t n)
{
    uint32_t kept = 0, sorted = 2;
    while (sorted < n && compare_pairs(&items[sorted - 2], &items[sorted]) <= 0) sorted += 2;
    if (sorted < n) qsort(items, n / 2, 2 * sizeof *items, compare_pairs);
    for (uint32_t i = 0; i + 1 < n; i += 2)
        if (kept == 0 || value_compare(FIELD_TEXT, items[kept - 2], items[i]) != 0) {
            items[kept++] = items[i];
            items[kept++] = items[i + 1];
        }
    return kept;
}

static bool copy_items(struct arena *a, enum field_type item_type, struct value v, struct value *out)
{
    struct value *items = arena_array_of(a, v.n, struct value);
    if (items == NULL) return false;
    for (uint32_t i = 0; i < v.n; i++)
        if (!value_copy(a, item_type, v.u.items[i], &items[i])) return false;
    v.u.items = items;
    *out = v;
    return true;
}

bool value_copy(struct arena *a, enum field_type type, struct value v, struct value *out)
{
    enum shape shape = shapes[type].shape;
    if (v.state != VALUE_SET || shape == SHAPE_NUM || shape == SHAPE_NOTHING || v.form == REF_LOCAL) {
        *out = v;
        return true;
    }
    if (shape == SHAPE_LIST || shape == SHAPE_MAP) return copy_items(a, shapes[type].item, v, out);
    if (v.form == REF_LOOKUP) {
        struct value *items = arena_array_of(a, 2, struct value);
        if (items == NULL || !value_copy(a, FIELD_TEXT, v.u.items[0], &items[0]) ||
            !value_copy(a, FIELD_MAP, v.u.items[1], &items[1]))
            return false;
        v.u.items = items;
        *out = v;
        return true;
    }
    const char *text = arena_copy(a, v.u.text, v.n);
    if (text == NULL) return false;
    v.u.text = text;
    *out = v;
    return true;
}

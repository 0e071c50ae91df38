/* compare.c - field by field: what differs, and whose doing it is. */
#include "reconciler/plan/build.h"

#include <string.h>

/* A kind's initial value of a field ("false", "Accept", "5"), as a value. */
static struct value initial_value(const struct field *f)
{
    if (f->type == FIELD_MAP || f->initial == NULL) return (struct value){0};
    int64_t n;
    switch (f->type) {
    case FIELD_BOOL: return value_bool(strcmp(f->initial, "true") == 0);
    case FIELD_INT:
        return text_to_i64(text_of(f->initial), INT64_MIN, INT64_MAX, &n) ? value_int(n) : (struct value){0};
    default: return value_cstr(f->initial);
    }
}

/* Tags: each wanted key has its value, and no key that we set before (in 'owned') is left over. Others' keys
 * do not matter. */
static bool tags_equal(struct value wanted, struct value owned, struct value seen)
{
    for (uint32_t k = 0; value_is_set(wanted) && k + 1 < wanted.n; k += 2) {
        struct value v = value_map_get(seen, value_as_text(wanted.u.items[k]));
        if (!value_is_set(v) || !text_equal(value_as_text(v), value_as_text(wanted.u.items[k + 1])))
            return false;
    }
    for (uint32_t k = 0; value_is_set(owned) && k + 1 < owned.n; k += 2) {
        struct text key = value_as_text(owned.u.items[k]);
        if (!value_is_set(value_map_get(wanted, key)) && value_is_set(value_map_get(seen, key))) return false;
    }
    return true;
}

static bool same(const struct cloud *cloud, enum kind kind, uint8_t f, struct value wanted,
                 struct value owned, struct value seen)
{
    const struct field *field = &kind_info(kind)->fields[f];
    if (wanted.state == VALUE_UNKNOWN) return false;
    if (field->type == FIELD_MAP) return tags_equal(wanted, owned, seen);
    if (value_equal(field->type, wanted, seen)) return true;
    if (field->type == FIELD_ENUM && value_is_set(seen) &&
        text_equal_nocase(value_as_text(wanted), value_as_text(seen)))
        return true;
    /* What the cloud leaves out is what it does by itself. */
    if (!value_is_set(seen) && field->initial != NULL &&
        value_equal(field->type, wanted, initial_value(field)))
        return true;
    return cloud->same_value != NULL && cloud->same_value(cloud, kind, f, wanted, seen);
}

static void add_diff(struct comparison *out, uint8_t f, bool immutable, struct value before,
                     struct value after, enum diff_cause cause)
{
    out->diffs[out->n_diffs++] = (struct field_diff){
        .field = f, .cause = (uint8_t)cause, .forces_replace = immutable, .before = before, .after = after};
    out->immutable = out->immutable || immutable;
    if (cause == DIFF_DRIFT) out->drifted = true;
}

/* Whether a value takes another object: by the kind, or since this cloud cannot change what is there. */
static bool takes_replacement(const struct build *b, uint8_t f, const struct object *o, struct value wanted)
{
    const struct cloud *c = b->cloud;
    return (kind_info(o->kind)->fields[f].flags & FIELD_IMMUTABLE) != 0 ||
           (c->may_change != NULL && !c->may_change(c, o->kind, f, wanted, o));
}

/* The room for differences is large and mostly not used: it is left as it is. */
static void comparison_init(struct comparison *c)
{
    c->n_diffs = 0;
    c->reset_fields = 0;
    c->immutable = c->drifted = c->record_stale = false;
}

/* Fields that are never compared. */
static bool is_passive(const struct field *f)
{
    return (f->flags & FIELD_COMPUTED) != 0 || f->type == FIELD_INLINE;
}

void compare_desired(struct build *b, uint32_t i, const struct value *values, uint64_t set_fields,
                     const struct object *o, const struct record *r, struct comparison *out)
{
    const struct resource *resource = &b->desired->items[i];
    const struct kind_info *info = kind_info(resource->kind);
    comparison_init(out);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        const struct field *field = &info->fields[f];
        uint64_t bit = (uint64_t)1 << f;
        if (is_passive(field)) continue;
        bool wanted = (set_fields & bit) != 0, recorded = r != NULL && (r->set_fields & bit) != 0;
        struct value owned = recorded ? r->values[f] : (struct value){0};
        bool as_recorded = wanted == recorded && (!wanted || value_equal(field->type, values[f], owned));
        if (r == NULL || !as_recorded) out->record_stale = true;
        if ((resource->lifecycle->ignore_changes & bit) != 0) continue;
        struct value seen = (field->flags & FIELD_NOT_RETURNED) != 0 ? owned : o->values[f];
        if ((field->flags & FIELD_NOT_RETURNED) != 0 && r == NULL) continue;
        enum diff_cause cause = as_recorded ? DIFF_DRIFT : DIFF_CHANGE;
        if (wanted) {
            if (!same(b->cloud, resource->kind, f, values[f], owned, seen))
                add_diff(out, f, takes_replacement(b, f, o, values[f]), seen, values[f], cause);
        } else if (recorded && (field->flags & (FIELD_IMMUTABLE | FIELD_KEY)) != FIELD_IMMUTABLE &&
                   (field->initial != NULL || field->type == FIELD_MAP)) {
            /* Un-set in the manifest: back to what the cloud does by itself. Nothing is replaced for that,
             * but what is another thing then. */
            if (same(b->cloud, resource->kind, f, initial_value(field), owned, seen)) continue;
            struct value initial = initial_value(field);
            add_diff(out, f, takes_replacement(b, f, o, initial), seen, initial, cause);
            out->reset_fields |= bit;
        }
    }
}

void compare_recorded(const struct build *b, const struct record *r, const struct object *o, uint64_t ignored,
                      struct comparison *out)
{
    const struct kind_info *info = kind_info(r->kind);
    comparison_init(out);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        const struct field *field = &info->fields[f];
        if (is_passive(field) || (field->flags & FIELD_NOT_RETURNED) != 0 ||
            (r->set_fields & ~ignored & (uint64_t)1 << f) == 0)
            continue;
        if (!same(b->cloud, r->kind, f, r->values[f], (struct value){0}, o->values[f]))
            add_diff(out, f, (field->flags & FIELD_IMMUTABLE) != 0, r->values[f], o->values[f], DIFF_DRIFT);
    }
}

const struct field_diff *change_left_over(const struct cloud *cloud, const struct change *c,
                                          const struct value *values, const struct object *o)
{
    for (uint32_t k = 0; k < c->n_diffs; k++) {
        const struct field_diff *d = &c->diffs[k];
        const struct field *field = &kind_info(c->kind)->fields[d->field];
        uint64_t bit = (uint64_t)1 << d->field;
        if ((field->flags & FIELD_NOT_RETURNED) != 0) continue;
        struct value wanted = (c->reset_fields & bit) != 0 ? initial_value(field) : values[d->field];
        bool recorded = c->recorded != NULL && (c->recorded->set_fields & bit) != 0;
        struct value owned = recorded ? c->recorded->values[d->field] : (struct value){0};
        if (!same(cloud, c->kind, d->field, wanted, owned, o->values[d->field])) return d;
    }
    return NULL;
}

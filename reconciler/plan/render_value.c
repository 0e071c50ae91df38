/* render_value.c - values as people read them, with cloud ids turned back into names. */
#include "reconciler/plan/render_value.h"

#include "reconciler/plan/render.h"

#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static int compare_ids(const void *a, const void *b)
{
    const struct named_id *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    int order = strcmp(x->id, y->id);
    return order != 0 ? order : text_compare(x->name, y->name);
}

static void add_name(struct render_names *names, enum kind kind, const char *id, struct text name)
{
    if (id != NULL && id[0] != '\0') names->items[names->n++] = (struct named_id){kind, id, name};
}

bool render_names_init(struct render_names *names, const struct plan *p, const struct desired *desired)
{
    size_t n_desired = desired == NULL || p->bound_ids == NULL ? 0 : desired->n;
    *names = (struct render_names){.desired = desired};
    names->items = calloc(n_desired + 2 * (size_t)p->n_changes + 1, sizeof *names->items);
    if (names->items == NULL) return false;
    for (size_t i = 0; i < n_desired; i++)
        add_name(names, desired->items[i].kind, p->bound_ids[i], desired->items[i].name);
    for (uint32_t i = 0; i < p->n_changes; i++) {
        const struct change *c = &p->changes[i];
        if (c->observed != NULL) add_name(names, c->kind, c->observed->id, c->name);
        if (c->recorded != NULL) add_name(names, c->kind, c->recorded->id, c->name);
    }
    qsort(names->items, names->n, sizeof *names->items, compare_ids);
    return true;
}

void render_names_fini(struct render_names *names)
{
    free(names->items);
    *names = (struct render_names){0};
}

const struct named_id *render_names_find(const struct render_names *names, enum kind kind, struct text id)
{
    size_t low = 0, high = names->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct named_id *item = &names->items[middle];
        int order = item->kind != kind ? (item->kind < kind ? -1 : 1) : text_compare(text_of(item->id), id);
        if (order == 0) return item;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- values ---- */

void render_address(struct buf *out, enum kind kind, struct text name)
{
    buf_puts(out, kind_info(kind)->name);
    buf_putc(out, '/');
    buf_put_escaped(out, name);
}

void render_quoted(struct buf *out, struct text t)
{
    buf_putc(out, '"');
    size_t start = 0;
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i] != '"' && t.ptr[i] != '\\') continue;
        buf_put_escaped(out, (struct text){t.ptr + start, i - start});
        buf_putc(out, '\\');
        buf_putc(out, t.ptr[i]);
        start = i + 1;
    }
    buf_put_escaped(out, (struct text){t.ptr + start, t.len - start});
    buf_putc(out, '"');
}

static void put_reference(struct buf *out, enum kind ref, struct value v, const struct render_names *names)
{
    const struct desired *desired = names->desired;
    switch ((enum ref_form)v.form) {
    case REF_LOCAL:
        if (desired != NULL && v.u.num >= 0 && v.u.num < (int64_t)desired->n)
            render_address(out, desired->items[v.u.num].kind, desired->items[v.u.num].name);
        else
            buf_puts(out, kind_info(ref)->name);
        return;
    case REF_NAME: render_address(out, ref, value_as_text(v)); return;
    case REF_LOOKUP:
        buf_puts(out, kind_info(ref)->name);
        buf_puts(out, " with");
        if (value_is_set(v.u.items[0])) {
            buf_puts(out, " name ");
            render_quoted(out, value_as_text(v.u.items[0]));
        }
        if (value_is_set(v.u.items[1])) {
            buf_puts(out, " tags ");
            render_typed(out, FIELD_MAP, KIND_NONE, v.u.items[1], names);
        }
        return;
    case REF_ID:
    case REF_NONE: break;
    }
    const struct named_id *item = render_names_find(names, ref, value_as_text(v));
    if (item != NULL)
        render_address(out, item->kind, item->name);
    else
        render_quoted(out, value_as_text(v));
}

static void put_list(struct buf *out, enum field_type type, enum kind ref, struct value v,
                     const struct render_names *names)
{
    buf_putc(out, '[');
    for (uint32_t i = 0; i < v.n; i++) {
        if (i > 0) buf_puts(out, ", ");
        render_typed(out, field_item_type(type), ref, v.u.items[i], names);
    }
    buf_putc(out, ']');
}

static void put_map(struct buf *out, struct value v)
{
    buf_putc(out, '{');
    for (uint32_t i = 0; i + 1 < v.n; i += 2) {
        if (i > 0) buf_puts(out, ", ");
        render_quoted(out, value_as_text(v.u.items[i]));
        buf_puts(out, " = ");
        render_quoted(out, value_as_text(v.u.items[i + 1]));
    }
    buf_putc(out, '}');
}

void render_typed(struct buf *out, enum field_type type, enum kind ref, struct value v,
                  const struct render_names *names)
{
    if (v.state == VALUE_UNSET) {
        buf_puts(out, "null");
        return;
    }
    if (v.state == VALUE_UNKNOWN) {
        buf_puts(out, "(known after apply)");
        return;
    }
    switch (type) {
    case FIELD_INT: buf_printf(out, "%lld", (long long)v.u.num); return;
    case FIELD_BOOL: buf_puts(out, v.u.num != 0 ? "true" : "false"); return;
    case FIELD_REF: put_reference(out, ref, v, names); return;
    case FIELD_TEXT_LIST:
    case FIELD_CIDR_LIST:
    case FIELD_REF_LIST: put_list(out, type, ref, v, names); return;
    case FIELD_MAP: put_map(out, v); return;
    case FIELD_TEXT:
    case FIELD_ENUM:
    case FIELD_CIDR:
    case FIELD_IP:
    case FIELD_PORTS: render_quoted(out, value_as_text(v)); return;
    case FIELD_INLINE:
    case N_FIELD_TYPES: break;
    }
    ASSERT(false);
}

void render_value(struct buf *out, enum kind kind, uint8_t field, struct value v,
                  const struct desired *desired)
{
    const struct field *f = &kind_info(kind)->fields[field];
    render_typed(out, f->type, f->ref, v, &(struct render_names){.desired = desired});
}

/* ---- what to show ---- */

bool render_has_unknown(enum field_type type, struct value v)
{
    if (v.state == VALUE_UNKNOWN) return true;
    if (v.state != VALUE_SET) return false;
    if (type != FIELD_REF_LIST && type != FIELD_TEXT_LIST && type != FIELD_CIDR_LIST) return false;
    for (uint32_t i = 0; i < v.n; i++)
        if (v.u.items[i].state == VALUE_UNKNOWN) return true;
    return false;
}

struct value render_shown(const struct change *c, uint8_t field, struct value v)
{
    const struct field *f = &kind_info(c->kind)->fields[field];
    if (c->desired == NULL || !value_is_set(c->desired->values[field])) return v;
    return v.state == VALUE_UNSET || render_has_unknown(f->type, v) ? c->desired->values[field] : v;
}

struct value render_initial(const struct field *f)
{
    if (f->initial == NULL || f->initial[0] == '\0') return (struct value){0};
    int64_t num;
    switch (f->type) {
    case FIELD_INT:
        return text_to_i64(text_of(f->initial), INT64_MIN, INT64_MAX, &num) ? value_int(num)
                                                                            : (struct value){0};
    case FIELD_BOOL: return value_bool(text_is(text_of(f->initial), "true"));
    case FIELD_TEXT:
    case FIELD_ENUM:
    case FIELD_CIDR:
    case FIELD_IP:
    case FIELD_PORTS: return value_cstr(f->initial);
    default: return (struct value){0};
    }
}

/* ---- item by item ---- */

struct item_walk render_items_begin(enum kind kind, uint8_t field, struct value before, struct value after,
                                    const struct change *change)
{
    const struct kind_info *info = kind_info(kind);
    struct item_walk w = {.type = info->fields[field].type, .before = before, .after = after};
    if (before.state != VALUE_SET) w.before.n = 0;
    if (after.state != VALUE_SET) w.after.n = 0;
    if (change != NULL && field == info->tags_field) {
        w.keep_foreign = true;
        if (change->recorded != NULL) w.owned = &change->recorded->values[field];
    }
    return w;
}

static bool is_foreign(const struct item_walk *w, struct value key)
{
    if (!w->keep_foreign) return false;
    return w->owned == NULL || !value_is_set(value_map_get(*w->owned, value_as_text(key)));
}

bool render_items_next(struct item_walk *w, struct item_diff *out)
{
    bool is_map = w->type == FIELD_MAP;
    uint32_t width = is_map ? 2 : 1;
    bool has_before = w->i + width <= w->before.n, has_after = w->k + width <= w->after.n;
    if (!has_before && !has_after) return false;
    int order = has_before ? -1 : 1;
    if (has_before && has_after)
        order = value_compare(field_item_type(w->type), w->before.u.items[w->i], w->after.u.items[w->k]);
    *out = (struct item_diff){0};
    if (order <= 0) {
        out->key = w->before.u.items[w->i];
        out->before = w->before.u.items[w->i + width - 1];
        w->i += width;
    }
    if (order >= 0) {
        out->key = w->after.u.items[w->k];
        out->after = w->after.u.items[w->k + width - 1];
        w->k += width;
    }
    if (is_map && order < 0 && is_foreign(w, out->key)) out->after = out->before;
    return true;
}

/* render_json.c - a plan in the shape of Terraform's plan JSON, so that policy tools written for it work.
 *
 * Each change is built, written on a line of its own and dropped: the whole is never in memory as a tree. */
#include "reconciler/plan/render.h"

#include "reconciler/plan/render_value.h"

#include <jansson.h>
#include <string.h>

/* Every function below gives NULL when out of memory, and jansson's setters take NULL and then fail: so a
 * tree is built without a look back, and 'ok' is asked once. */
struct writer {
    struct buf *out;
    bool ok;
};

static void set(struct writer *w, json_t *object, const char *key, json_t *v)
{
    if (json_object_set_new(object, key, v) != 0) w->ok = false;
}

static void append(struct writer *w, json_t *array, json_t *v)
{
    if (json_array_append_new(array, v) != 0) w->ok = false;
}

/* Text from outside need not be UTF-8; JSON must be. */
static json_t *json_of_text(struct text t)
{
    if (text_is_utf8(t, NULL)) return json_stringn(t.ptr, t.len);
    CLEANUP(buf_fini) struct buf clean;
    buf_init(&clean, SIZE_MAX / 2);
    for (size_t bad; !text_is_utf8(t, &bad); t = (struct text){t.ptr + bad + 1, t.len - bad - 1}) {
        buf_put(&clean, t.ptr, bad);
        buf_puts(&clean, "\xef\xbf\xbd");
    }
    buf_put_text(&clean, t);
    return buf_ok(&clean) ? json_stringn(buf_str(&clean), clean.len) : NULL;
}

static json_t *json_of_address(const char *kind, struct text name)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, SIZE_MAX / 2);
    buf_printf(&b, "%s/", kind);
    buf_put_text(&b, name);
    return buf_ok(&b) ? json_of_text(buf_text(&b)) : NULL;
}

/* ---- values ---- */

static json_t *json_of_value(struct writer *w, enum field_type type, struct value v);

static json_t *json_of_items(struct writer *w, enum field_type type, struct value v)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < v.n; i++)
        append(w, array, json_of_value(w, field_item_type(type), v.u.items[i]));
    return array;
}

static json_t *json_of_map(struct writer *w, struct value v)
{
    json_t *object = json_object();
    for (uint32_t i = 0; i + 1 < v.n; i += 2) {
        /* Keys go through a JSON text, which makes them UTF-8; a NUL ends them. */
        json_auto_t *key = json_of_text(value_as_text(v.u.items[i]));
        if (key == NULL)
            w->ok = false;
        else
            set(w, object, json_string_value(key), json_of_text(value_as_text(v.u.items[i + 1])));
    }
    return object;
}

static bool is_number(enum field_type type)
{
    return type == FIELD_INT || type == FIELD_BOOL;
}

/* A reference that has no id yet. */
static bool is_unresolved(struct value v)
{
    return v.state == VALUE_SET && v.form != REF_NONE && v.form != REF_ID;
}

/* References are ids; in a list, those that have none yet are null. */
static json_t *json_of_value(struct writer *w, enum field_type type, struct value v)
{
    if (v.state != VALUE_SET || is_unresolved(v)) return json_null();
    if (type == FIELD_MAP) return json_of_map(w, v);
    if (type == FIELD_TEXT_LIST || type == FIELD_CIDR_LIST || type == FIELD_REF_LIST)
        return json_of_items(w, type, v);
    if (is_number(type)) return type == FIELD_BOOL ? json_boolean(v.u.num != 0) : json_integer(v.u.num);
    return json_of_text(value_as_text(v));
}

/* Sets "source.cidr" as {"source": {"cidr": …}}. */
static void set_dotted(struct writer *w, json_t *object, const char *name, json_t *v)
{
    const char *dot = strchr(name, '.');
    if (dot == NULL) {
        set(w, object, name, v);
        return;
    }
    char head[64];
    (void)snprintf(head, sizeof head, "%.*s", (int)(dot - name), name);
    json_t *inner = json_object_get(object, head);
    if (inner == NULL) {
        inner = json_object();
        set(w, object, head, inner);
    }
    if (w->ok)
        set(w, inner, dot + 1, v);
    else
        json_decref(v);
}

static void set_field(struct writer *w, json_t *object, const struct field *f, struct value v)
{
    if (v.state == VALUE_SET && !is_unresolved(v) && f->type != FIELD_INLINE)
        set_dotted(w, object, f->name, json_of_value(w, f->type, v));
}

static json_t *json_of_values(struct writer *w, enum kind kind, const char *id, const struct value *values)
{
    const struct kind_info *info = kind_info(kind);
    json_t *object = json_object();
    if (id != NULL && id[0] != '\0') set(w, object, "id", json_of_text(text_of(id)));
    for (uint8_t f = 0; f < info->n_fields; f++) set_field(w, object, &info->fields[f], values[f]);
    return object;
}

/* ---- before, after, after_unknown ---- */

/* The value of a field when the change is done. */
static struct value value_after(const struct change *c, uint8_t field)
{
    const struct field *f = &kind_info(c->kind)->fields[field];
    bool anew = c->action == ACTION_CREATE || c->action == ACTION_REPLACE;
    if (anew) {
        struct value v = c->values == NULL ? (struct value){0} : c->values[field];
        if (v.state == VALUE_UNSET && (f->flags & FIELD_COMPUTED) != 0) return value_unknown();
        return v;
    }
    for (uint32_t i = 0; i < c->n_diffs; i++)
        if (c->diffs[i].field == field)
            return c->diffs[i].after.state == VALUE_UNSET ? render_initial(f) : c->diffs[i].after;
    return c->observed == NULL ? (struct value){0} : c->observed->values[field];
}

/* An update leaves the tags of others alone, so they are there afterwards, too. */
static json_t *json_of_tags_after(struct writer *w, const struct change *c, uint8_t field, struct value after)
{
    struct value before = c->observed == NULL ? (struct value){0} : c->observed->values[field];
    if (c->action == ACTION_REPLACE) before = (struct value){0};
    json_t *object = json_object();
    struct item_walk walk = render_items_begin(c->kind, field, before, after, c);
    for (struct item_diff d; render_items_next(&walk, &d);) {
        if (!value_is_set(d.after)) continue;
        json_auto_t *key = json_of_text(value_as_text(d.key));
        if (key == NULL)
            w->ok = false;
        else
            set(w, object, json_string_value(key), json_of_text(value_as_text(d.after)));
    }
    return object;
}

static json_t *json_after(struct writer *w, const struct change *c)
{
    const struct kind_info *info = kind_info(c->kind);
    json_t *object = json_object();
    bool anew = c->action == ACTION_CREATE || c->action == ACTION_REPLACE;
    bool before_has_tags = c->observed != NULL && info->tags_field != FIELD_NO &&
                           value_is_set(c->observed->values[info->tags_field]);
    if (!anew && c->observed != NULL) set(w, object, "id", json_of_text(text_of(c->observed->id)));
    for (uint8_t f = 0; f < info->n_fields; f++) {
        struct value v = value_after(c, f);
        if (f == info->tags_field && (v.state == VALUE_SET || (!anew && before_has_tags)))
            set(w, object, info->fields[f].name, json_of_tags_after(w, c, f, v));
        else
            set_field(w, object, &info->fields[f], v);
    }
    return object;
}

static json_t *json_after_unknown(struct writer *w, const struct change *c)
{
    const struct kind_info *info = kind_info(c->kind);
    json_t *object = json_object();
    if (c->action == ACTION_CREATE || c->action == ACTION_REPLACE) set(w, object, "id", json_true());
    for (uint8_t f = 0; f < info->n_fields; f++) {
        struct value v = value_after(c, f);
        if (is_unresolved(v) || render_has_unknown(info->fields[f].type, v))
            set_dotted(w, object, info->fields[f].name, json_true());
    }
    return object;
}

static json_t *json_path(struct writer *w, const char *name)
{
    json_t *path = json_array();
    struct text rest = text_of(name), head;
    while (rest.ptr != NULL && text_cut(&rest, '.', &head)) append(w, path, json_of_text(head));
    return path;
}

/* ---- one change ---- */

static json_t *json_actions(struct writer *w, const struct change *c)
{
    static const char *const one[N_ACTIONS] = {
        [ACTION_NONE] = "no-op",    [ACTION_READ] = "read",     [ACTION_CREATE] = "create",
        [ACTION_UPDATE] = "update", [ACTION_DELETE] = "delete", [ACTION_FORGET] = "forget",
    };
    json_t *actions = json_array();
    if (c->action == ACTION_REPLACE) {
        append(w, actions, json_string(c->create_first ? "create" : "delete"));
        append(w, actions, json_string(c->create_first ? "delete" : "create"));
    } else if (c->action == ACTION_ADOPT) {
        append(w, actions, json_string(c->n_diffs > 0 ? "update" : "no-op"));
    } else {
        append(w, actions, json_string(one[c->action]));
    }
    return actions;
}

static json_t *json_change(struct writer *w, const struct change *c)
{
    json_t *object = json_object();
    bool goes = c->action == ACTION_DELETE || c->action == ACTION_FORGET;
    const char *id = c->observed != NULL ? c->observed->id : c->recorded != NULL ? c->recorded->id : NULL;
    const struct value *before = c->observed != NULL
                                     ? c->observed->values
                                     : (goes && c->recorded != NULL ? c->recorded->values : NULL);
    if (c->action == ACTION_CREATE) before = NULL;
    set(w, object, "actions", json_actions(w, c));
    set(w, object, "before", before == NULL ? json_null() : json_of_values(w, c->kind, id, before));
    set(w, object, "after", goes ? json_null() : json_after(w, c));
    set(w, object, "after_unknown", goes ? json_false() : json_after_unknown(w, c));
    set(w, object, "before_sensitive", before == NULL ? json_false() : json_object());
    set(w, object, "after_sensitive", goes ? json_false() : json_object());
    if (c->action == ACTION_REPLACE) {
        json_t *paths = json_array();
        for (uint32_t i = 0; i < c->n_diffs; i++)
            if (c->diffs[i].forces_replace)
                append(w, paths, json_path(w, kind_info(c->kind)->fields[c->diffs[i].field].name));
        set(w, object, "replace_paths", paths);
    }
    if (c->action == ACTION_ADOPT && c->moved_from.ptr == NULL && id != NULL) {
        json_t *importing = json_object();
        set(w, importing, "id", json_of_text(text_of(id)));
        set(w, object, "importing", importing);
    }
    return object;
}

/* Terraform's words where it has them. NULL: none. */
static const char *action_reason(const struct change *c)
{
    static const char *const reasons[] = {
        [REASON_NONE] = NULL,
        [REASON_IMMUTABLE] = "replace_because_cannot_update",
        [REASON_PARENT_REPLACED] = "replace_by_triggers",
        [REASON_NOT_DESIRED] = "delete_because_no_resource_config",
        [REASON_DESTROY] = NULL,
        [REASON_GONE] = "deleted_outside",
        [REASON_ORPHAN] = "forget_because_orphan",
        [REASON_RENAMED] = NULL,
        [REASON_OBSERVED_ONLY] = "forget_because_observed_only",
        [REASON_REQUESTED] = "replace_by_request",
        [REASON_NEVER_MADE] = "never_made",
        [REASON_LEFT_BEHIND] = "delete_because_left_behind",
        [REASON_FAILED] = "replace_because_tainted",
    };
    ASSERT(c->reason < N_ELEMENTS(reasons));
    return reasons[c->reason];
}

static const char *disruption_word(enum disruption d)
{
    static const char *const words[] = {
        [DISRUPTION_NONE] = "none",
        [DISRUPTION_BRIEF] = "brief",
        [DISRUPTION_EGRESS] = "egress_address_changes",
        [DISRUPTION_OUTAGE] = "outage",
    };
    ASSERT(d < N_ELEMENTS(words));
    return words[d];
}

static json_t *json_of_resource(struct writer *w, enum kind kind, struct text name, bool is_read)
{
    json_t *object = json_object();
    set(w, object, "address", json_of_address(kind_info(kind)->name, name));
    set(w, object, "mode", json_string(is_read ? "data" : "managed"));
    set(w, object, "type", json_string(kind_info(kind)->name));
    set(w, object, "name", json_of_text(name));
    return object;
}

static json_t *json_resource_change(struct writer *w, const struct change *c)
{
    json_t *object = json_of_resource(w, c->kind, c->name, c->action == ACTION_READ);
    if (c->moved_from.ptr != NULL)
        set(w, object, "previous_address", json_of_address(kind_info(c->kind)->name, c->moved_from));
    set(w, object, "change", json_change(w, c));
    if (action_reason(c) != NULL) set(w, object, "action_reason", json_string(action_reason(c)));
    set(w, object, "disruption", json_string(disruption_word(c->disruption)));
    json_t *affected = json_array();
    for (uint32_t i = 0; i < c->n_affected; i++)
        append(w, affected, json_of_address(kind_info(KIND_VSWITCH)->name, c->affected[i]));
    set(w, object, "affected", affected);
    return object;
}

static json_t *json_resource_drift(struct writer *w, const struct drift *d)
{
    json_t *object = json_of_resource(w, d->kind, d->name, false);
    json_t *change = json_object(), *actions = json_array();
    append(w, actions, json_string(d->observed == NULL ? "delete" : "update"));
    set(w, change, "actions", actions);
    set(w, change, "before",
        d->recorded == NULL ? json_null() : json_of_values(w, d->kind, d->recorded->id, d->recorded->values));
    set(w, change, "after",
        d->observed == NULL ? json_null() : json_of_values(w, d->kind, d->observed->id, d->observed->values));
    set(w, change, "after_unknown", d->observed == NULL ? json_false() : json_object());
    set(w, object, "change", change);
    json_t *fields = json_array();
    for (uint32_t i = 0; i < d->n_diffs; i++)
        append(w, fields, json_string(kind_info(d->kind)->fields[d->diffs[i].field].name));
    set(w, object, "changed_fields", fields);
    set(w, object, "detect_only", json_boolean(d->detect_only));
    return object;
}

/* ---- the whole ---- */

static int put_bytes(const char *bytes, size_t n, void *out)
{
    buf_put(out, bytes, n);
    return buf_ok(out) ? 0 : -1;
}

/* Writes one value and drops it. */
static void put_json(struct writer *w, json_t *v)
{
    json_auto_t *owned = v;
    if (owned == NULL || !w->ok ||
        (json_dump_callback(owned, put_bytes, w->out, JSON_COMPACT | JSON_ENCODE_ANY) != 0 && buf_ok(w->out)))
        w->ok = false;
}

static void put_member(struct writer *w, const char *name, json_t *v)
{
    buf_printf(w->out, ",\n\"%s\":", name);
    put_json(w, v);
}

static json_t *json_summary(struct writer *w, const struct plan *p)
{
    json_t *object = json_object();
    set(w, object, "add", json_integer(p->n_add));
    set(w, object, "change", json_integer(p->n_change));
    set(w, object, "destroy", json_integer(p->n_destroy));
    set(w, object, "adopt", json_integer(p->n_adopt));
    set(w, object, "forget", json_integer(p->n_forget));
    set(w, object, "unchanged", json_integer(p->n_unchanged));
    return object;
}

static json_t *json_estimate(struct writer *w, const struct plan *p)
{
    json_t *object = json_object();
    set(w, object, "calls", json_integer(p->n_calls));
    set(w, object, "duration_ms", json_integer(p->critical_ms));
    return object;
}

static json_t *json_left_out(struct writer *w, const struct plan *p)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < p->n_left_out; i++) append(w, array, json_of_text(p->left_out[i]));
    return array;
}

static json_t *json_unmanaged(struct writer *w, const struct unmanaged *unmanaged)
{
    json_t *array = json_array();
    for (size_t i = 0; i < unmanaged->n; i++) {
        const struct object *o = unmanaged->objects[i];
        const struct kind_info *info = kind_info(o->kind);
        bool named = info->name_field != FIELD_NO && value_is_set(o->values[info->name_field]);
        json_t *object = json_object();
        set(w, object, "type", json_string(info->name));
        set(w, object, "id", json_of_text(text_of(o->id)));
        set(w, object, "name",
            named ? json_of_text(value_as_text(o->values[info->name_field])) : json_null());
        append(w, array, object);
    }
    return array;
}

enum err_code plan_render_json(struct buf *out, const struct plan *p, const struct unmanaged *unmanaged,
                               const char *timestamp, struct err *err)
{
    struct writer w = {.out = out, .ok = true};
    buf_puts(out, "{\"format_version\":\"1.0\"");
    if (timestamp != NULL) put_member(&w, "timestamp", json_of_text(text_of(timestamp)));
    put_member(&w, "stack", json_of_text(p->stack.ptr == NULL ? TEXT("") : p->stack));
    put_member(&w, "applyable", json_boolean(!plan_is_empty(p)));
    put_member(&w, "complete", json_boolean(p->n_left_out == 0));
    put_member(&w, "errored", json_false());
    put_member(&w, "summary", json_summary(&w, p));
    put_member(&w, "estimate", json_estimate(&w, p));
    put_member(&w, "left_out", json_left_out(&w, p));
    if (unmanaged != NULL) put_member(&w, "unmanaged", json_unmanaged(&w, unmanaged));
    buf_puts(out, ",\n\"resource_drift\":[");
    for (uint32_t i = 0; i < p->n_drifts && w.ok && buf_ok(out); i++) {
        buf_puts(out, i == 0 ? "\n" : ",\n");
        put_json(&w, json_resource_drift(&w, &p->drifts[i]));
    }
    buf_puts(out, "],\n\"resource_changes\":[");
    for (uint32_t i = 0; i < p->n_changes && w.ok && buf_ok(out); i++) {
        buf_puts(out, i == 0 ? "\n" : ",\n");
        put_json(&w, json_resource_change(&w, &p->changes[i]));
    }
    buf_puts(out, "]}\n");
    if (!w.ok) return err_nomem(err);
    if (!buf_ok(out))
        return err_set(err, ERR_LIMIT, "the plan as JSON does not fit into %zu bytes", out->limit);
    return ERR_OK;
}

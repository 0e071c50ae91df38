/* schema.c - the JSON Schema of a manifest document, from the tables.
 *
 * It is for editors and other tools: it knows the form, not what lies in other documents. Wherever a scalar
 * stands, a text with "${" in it is allowed, since the value is known only after substitution. */
#include "reconciler/base/buf.h"
#include "reconciler/manifest/read.h"
#include "reconciler/manifest/stack_fields.h"

#include <jansson.h>
#include <string.h>

/* Objects under construction; a failed step makes the whole fail at the end. */
struct builder {
    bool failed;
};

static json_t *checked(struct builder *b, json_t *j)
{
    if (j == NULL) b->failed = true;
    return j;
}

static void set(struct builder *b, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0) b->failed = true;
}

static void append(struct builder *b, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0) b->failed = true;
}

static json_t *variable(struct builder *b)
{
    return checked(b, json_pack("{s:s, s:s}", "type", "string", "pattern", "\\$\\{"));
}

static json_t *or_variable(struct builder *b, json_t *j)
{
    return checked(b, json_pack("{s:[o, o]}", "anyOf", j, variable(b)));
}

static json_t *pattern(struct builder *b, const char *regex)
{
    return checked(b, json_pack("{s:s, s:s}", "type", "string", "pattern", regex));
}

/* A word in any case as a regular expression; ECMA-262 has no flag inside a pattern. */
static void put_nocase(struct buf *out, const char *word)
{
    for (; *word != '\0'; word++) {
        char c = *word;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
            buf_printf(out, "[%c%c]", c & ~0x20, c | 0x20);
        else
            buf_printf(out, c == '.' ? "\\%c" : "%c", c);
    }
}

static json_t *words(struct builder *b, const char *const *choices, const char *more)
{
    CLEANUP(buf_fini) struct buf regex;
    buf_init(&regex, 4096);
    buf_puts(&regex, "^(");
    json_t *list = checked(b, json_array());
    for (size_t i = 0; choices != NULL && choices[i] != NULL; i++) {
        if (i > 0) buf_putc(&regex, '|');
        put_nocase(&regex, choices[i]);
        append(b, list, json_string(choices[i]));
    }
    buf_printf(&regex, "%s%s)$", choices != NULL && choices[0] != NULL && more[0] != '\0' ? "|" : "", more);
    return checked(b, json_pack("{s:[{s:o}, o]}", "anyOf", "enum", list, pattern(b, buf_str(&regex))));
}

static json_t *text_schema(struct builder *b, const struct field *f)
{
    json_t *j = checked(b, json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean"));
    if (text_rule_pattern(f->rule) != NULL) set(b, j, "pattern", json_string(text_rule_pattern(f->rule)));
    return f->rule == RULE_NONE ? j : or_variable(b, j);
}

static json_t *int_schema(struct builder *b, const struct field *f)
{
    json_t *j = checked(b, json_pack("{s:s}", "type", "integer"));
    if (f->min != 0 || f->max != 0) {
        set(b, j, "minimum", json_integer(f->min));
        set(b, j, "maximum", json_integer(f->max));
    }
    return or_variable(b, j);
}

static json_t *ports_schema(struct builder *b, const struct field *f)
{
    return checked(b, json_pack("{s:[{s:s, s:i, s:i}, o, o]}", "anyOf", "type", "integer", "minimum",
                                (int)f->min, "maximum", 65535, words(b, f->choices, "[0-9]+([/-][0-9]+)?"),
                                variable(b)));
}

static json_t *def(struct builder *b, const char *prefix, const char *name, const char *suffix)
{
    CLEANUP(buf_fini) struct buf path;
    buf_init(&path, 256);
    buf_printf(&path, "#/$defs/%s%s%s", prefix, name, suffix);
    return checked(b, json_pack("{s:s}", "$ref", buf_str(&path)));
}

static json_t *list_of(struct builder *b, const struct field *f, json_t *items)
{
    json_t *j = checked(b, json_pack("{s:s, s:o}", "type", "array", "items", items));
    if (f->min > 0) set(b, j, "minItems", json_integer(f->min));
    if (f->max > 0) set(b, j, "maxItems", json_integer(f->max));
    return j;
}

static json_t *map_schema(struct builder *b, int64_t max)
{
    json_t *j = checked(b, json_pack("{s:s, s:{s:[s, s, s]}}", "type", "object", "additionalProperties",
                                     "type", "string", "number", "boolean"));
    if (max > 0) set(b, j, "maxProperties", json_integer(max));
    return j;
}

static const char cidr_pattern[] = "^[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}$";
static const char ip_pattern[] = "^[0-9]{1,3}(\\.[0-9]{1,3}){3}$";

static json_t *inline_schema(struct builder *b, enum kind kind, uint8_t field)
{
    const struct field *f = &kind_info(kind)->fields[field];
    enum kind target = inline_reference(kind, field);
    return list_of(b, f,
                   target == KIND_NONE ? def(b, "", kind_info(f->ref)->name, ".item")
                                       : def(b, "ref.", kind_info(target)->name, ""));
}

static json_t *value_schema(struct builder *b, enum kind kind, uint8_t i)
{
    const struct field *f = &kind_info(kind)->fields[i];
    switch (f->type) {
    case FIELD_INT: return int_schema(b, f);
    case FIELD_BOOL: return or_variable(b, checked(b, json_pack("{s:s}", "type", "boolean")));
    case FIELD_ENUM: return or_variable(b, words(b, f->choices, ""));
    case FIELD_CIDR: return or_variable(b, pattern(b, cidr_pattern));
    case FIELD_IP: return or_variable(b, pattern(b, ip_pattern));
    case FIELD_PORTS: return ports_schema(b, f);
    case FIELD_REF: return def(b, "ref.", kind_info(f->ref)->name, "");
    case FIELD_REF_LIST: return list_of(b, f, def(b, "ref.", kind_info(f->ref)->name, ""));
    case FIELD_CIDR_LIST: return list_of(b, f, or_variable(b, pattern(b, cidr_pattern)));
    case FIELD_TEXT_LIST: return list_of(b, f, text_schema(b, f));
    case FIELD_MAP: return map_schema(b, f->max);
    case FIELD_INLINE: return inline_schema(b, kind, i);
    default: return text_schema(b, f);
    }
}

static json_t *field_schema(struct builder *b, enum kind kind, uint8_t i)
{
    const struct field *f = &kind_info(kind)->fields[i];
    json_t *j = value_schema(b, kind, i);
    if (!(f->flags & FIELD_REQUIRED)) /* null is as good as nothing */
        j = checked(b, json_pack("{s:[o, {s:s}]}", "anyOf", j, "type", "null"));
    set(b, j, "description", json_string(f->doc));
    if (f->initial != NULL && f->initial[0] != '\0') {
        struct value v = value_initial(f);
        set(b, j, "default",
            f->type == FIELD_BOOL  ? json_boolean(v.u.num != 0)
            : f->type == FIELD_INT ? json_integer(v.u.num)
                                   : json_string(f->initial));
    }
    return j;
}

/* The object that holds a field: 'spec' itself, or the one of the name before the dot. */
static json_t *holder(struct builder *b, json_t *spec, const char *name, const char **rest)
{
    const char *dot = strchr(name, '.');
    json_t *properties = json_object_get(spec, "properties");
    *rest = name;
    if (dot == NULL) return properties;
    char outer[64];
    (void)snprintf(outer, sizeof outer, "%.*s", (int)(dot - name), name); /* names of the tables are short */
    *rest = dot + 1;
    json_t *object = json_object_get(properties, outer);
    if (object == NULL) {
        object = checked(
            b, json_pack("{s:s, s:{}, s:b}", "type", "object", "properties", "additionalProperties", 0));
        set(b, properties, outer, object);
    }
    return json_object_get(object, "properties");
}

/* {"required": ["source"], "properties": {"source": {"required": ["vSwitch"]}}} */
static json_t *presence(struct builder *b, const char *name)
{
    const char *dot = strchr(name, '.');
    if (dot == NULL) return checked(b, json_pack("{s:[s]}", "required", name));
    return checked(b, json_pack("{s:[s%], s:{s%:{s:[s]}}}", "required", name, (size_t)(dot - name),
                                "properties", name, (size_t)(dot - name), "required", dot + 1));
}

/* What a spec must have unless it is only observed. */
static json_t *required_part(struct builder *b, const struct kind_info *info, uint8_t parent)
{
    json_t *all = checked(b, json_array());
    uint64_t seen = 0;
    for (uint8_t i = 0; i < info->n_fields; i++) {
        const struct field *f = &info->fields[i];
        if ((f->flags & FIELD_REQUIRED) && i != parent) append(b, all, presence(b, f->name));
        if (f->one_of == 0 || f->one_of_optional || (seen & 1ull << f->one_of)) continue;
        seen |= 1ull << f->one_of;
        json_t *group = checked(b, json_array());
        for (uint8_t k = i; k < info->n_fields; k++)
            if (info->fields[k].one_of == f->one_of) append(b, group, presence(b, info->fields[k].name));
        append(b, all, checked(b, json_pack("{s:o}", "oneOf", group)));
    }
    if (json_array_size(all) > 0) return checked(b, json_pack("{s:o}", "allOf", all));
    json_decref(all);
    return checked(b, json_object());
}

static json_t *spec_schema(struct builder *b, enum kind kind, uint8_t parent, bool is_item)
{
    const struct kind_info *info = kind_info(kind);
    json_t *spec = checked(b, json_pack("{s:[s, s], s:s, s:{}, s:b}", "type", "object", "null", "description",
                                        info->doc, "properties", "additionalProperties", 0));
    json_t *properties = json_object_get(spec, "properties");
    for (uint8_t i = 0; i < info->n_fields; i++) {
        const char *rest;
        if ((info->fields[i].flags & FIELD_COMPUTED) || i == parent) continue;
        json_t *into = holder(b, spec, info->fields[i].name, &rest);
        set(b, into, rest, field_schema(b, kind, i));
    }
    if (is_item && info->name_field == FIELD_NO) set(b, properties, "name", def(b, "", "name", ""));
    if (!is_item && info->id_prefix != NULL)
        set(b, properties, "id",
            checked(b, json_pack("{s:s, s:s}", "type", "string", "description",
                                 "Id of an existing object; with lifecycle: {management: observe}.")));
    return spec;
}

static json_t *reference(struct builder *b, const struct kind_info *info)
{
    json_t *by_id = checked(b, json_pack("{s:s, s:[s], s:{s:{s:s}}, s:b}", "type", "object", "required", "id",
                                         "properties", "id", "type", "string", "additionalProperties", 0));
    json_t *by_look = checked(b, json_pack("{s:s, s:i, s:{s:{s:[s, s]}, s:o}, s:b}", "type", "object",
                                           "minProperties", 1, "properties", "name", "type", "string",
                                           "number", "tags", map_schema(b, 0), "additionalProperties", 0));
    json_t *j = checked(b, json_pack("{s:[{s:[s, s], s:i}, o, o]}", "anyOf", "type", "string", "number",
                                     "minLength", 1, by_id, by_look));
    CLEANUP(buf_fini) struct buf doc;
    buf_init(&doc, 256);
    buf_printf(&doc, "A %s: a name of this stack, {id: …} or {name: …, tags: {…}}.", info->name);
    set(b, j, "description", json_string(buf_str(&doc)));
    return j;
}

static json_t *lifecycle_schema(struct builder *b)
{
    return checked(
        b,
        json_pack(
            "{s:[s, s], s:b, s:{s:{s:[s, s, s]}, s:{s:s}, s:{s:s}, s:{s:s, s:{s:s}}, s:{s:[s, s]}, s:{s:s}}}",
            "type", "object", "null", "additionalProperties", 0, "properties", "management", "enum",
            "enforce", "detect", "observe", "adopt", "type", "string", "preventDestroy", "type", "boolean",
            "ignoreChanges", "type", "array", "items", "type", "string", "onRemoval", "enum", "delete",
            "orphan", "renamedFrom", "$ref", "#/$defs/name"));
}

static json_t *stack_schema(struct builder *b)
{
    json_t *properties = checked(b, json_object());
    for (size_t i = 0; i < stack_n_fields; i++) {
        const struct stack_field *f = &stack_fields[i];
        json_t *j = strcmp(f->type, "boolean") == 0 ? json_pack("{s:s}", "type", "boolean")
                    : strcmp(f->type, "integer") == 0
                        ? json_pack("{s:s, s:i}", "type", "integer", "minimum", 0)
                    : strcmp(f->name, "variables") == 0
                        ? json_pack("{s:s, s:{s:[s, s, s, s]}}", "type", "object", "additionalProperties",
                                    "type", "string", "number", "boolean", "null")
                        : json_pack("{s:s}", "type", "string");
        j = or_variable(b, checked(b, j));
        if (strcmp(f->name, "provider") == 0) {
            json_decref(j);
            j = or_variable(b, words(b, stack_providers, ""));
        }
        set(b, j, "description", json_string(f->doc));
        set(b, properties, f->name, j);
    }
    return checked(b, json_pack("{s:[s, s], s:s, s:o, s:b}", "type", "object", "null", "description",
                                stack_doc, "properties", properties, "additionalProperties", 0));
}

/* {"if": kind is this one, "then": its spec; and unless it is observed, all that is required} */
static json_t *kind_case(struct builder *b, const char *name, json_t *required)
{
    json_t *observed =
        json_pack("{s:[s], s:{s:{s:[s], s:{s:{s:s}}}}}", "required", "lifecycle", "properties", "lifecycle",
                  "required", "management", "properties", "management", "const", "observe");
    bool needs_spec = json_object_size(required) > 0;
    json_t *otherwise = json_pack("{s:{s:o}}", "properties", "spec", required);
    if (needs_spec) set(b, otherwise, "required", json_pack("[s]", "spec"));
    return checked(b, json_pack("{s:{s:{s:{s:s}}}, s:{s:{s:o}, s:o, s:{}, s:o}}", "if", "properties", "kind",
                                "const", name, "then", "properties", "spec", def(b, "", name, ""), "if",
                                checked(b, observed), "then", "else", checked(b, otherwise)));
}

static json_t *definitions(struct builder *b)
{
    json_t *defs = checked(b, json_object());
    set(b, defs, "name", pattern(b, "^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?|.*\\$\\{.*)$"));
    set(b, defs, "lifecycle", lifecycle_schema(b));
    set(b, defs, "Stack", stack_schema(b));
    for (int k = 0; k < N_KINDS; k++) {
        const struct kind_info *info = kind_info((enum kind)k);
        CLEANUP(buf_fini) struct buf name;
        buf_init(&name, 128);
        set(b, defs, info->name, spec_schema(b, (enum kind)k, FIELD_NO, false));
        buf_printf(&name, "ref.%s", info->name);
        set(b, defs, buf_str(&name), reference(b, info));
        for (uint8_t i = 0; i < info->n_fields; i++) {
            const struct field *f = &info->fields[i];
            if (f->type != FIELD_INLINE || inline_reference((enum kind)k, i) != KIND_NONE) continue;
            uint8_t parent = inline_owner_field((enum kind)k, i);
            buf_reset(&name);
            buf_printf(&name, "%s.item", kind_info(f->ref)->name);
            set(b, defs, buf_str(&name), spec_schema(b, f->ref, parent, true));
        }
    }
    return defs;
}

static json_t *document(struct builder *b)
{
    json_t *kinds = checked(b, json_pack("[s]", "Stack")), *cases = checked(b, json_array());
    append(b, cases,
           checked(b, json_pack("{s:{s:{s:{s:s}}}, s:{s:{s:o, s:b}}}", "if", "properties", "kind", "const",
                                "Stack", "then", "properties", "spec", def(b, "", "Stack", ""), "lifecycle",
                                0)));
    for (int k = 0; k < N_KINDS; k++) {
        const struct kind_info *info = kind_info((enum kind)k);
        append(b, kinds, json_string(info->name));
        append(b, cases, kind_case(b, info->name, required_part(b, info, FIELD_NO)));
    }
    json_t *notes = map_schema(b, 0);
    json_t *metadata =
        checked(b, json_pack("{s:s, s:[s], s:b, s:{s:o, s:O, s:O}}", "type", "object", "required", "name",
                             "additionalProperties", 0, "properties", "name", def(b, "", "name", ""),
                             "labels", notes, "annotations", notes));
    json_decref(notes);
    return checked(
        b, json_pack("{s:s, s:s, s:s, s:s, s:[s, s, s], s:b, s:{s:{s:s}, s:{s:o}, s:o, s:b, s:o}, s:o, s:o}",
                     "$schema", "https://json-schema.org/draft/2020-12/schema", "$id",
                     "urn:headgate:manifest:v1", "title", "A headgate manifest", "type", "object", "required",
                     "apiVersion", "kind", "metadata", "additionalProperties", 0, "properties", "apiVersion",
                     "const", "headgate/v1", "kind", "enum", kinds, "metadata", metadata, "spec", 1,
                     "lifecycle", def(b, "", "lifecycle", ""), "allOf", cases, "$defs", definitions(b)));
}

static int dump_to_buf(const char *bytes, size_t n, void *out)
{
    buf_put(out, bytes, n);
    return buf_ok(out) ? 0 : -1;
}

enum err_code manifest_schema(struct buf *out, struct err *err)
{
    struct builder b = {.failed = false};
    json_t *root = document(&b);
    bool ok = root != NULL && !b.failed && json_dump_callback(root, dump_to_buf, out, JSON_INDENT(2)) == 0;
    json_decref(root);
    if (!ok) return err_nomem(err);
    buf_putc(out, '\n');
    return buf_ok(out) ? ERR_OK : err_nomem(err);
}

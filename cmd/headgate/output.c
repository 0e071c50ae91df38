/* output.c - tables, JSON and YAML. */
#include "cmd/headgate/output.h"

#include "reconciler/loop/clock.h"

#include <string.h>

/* ---- tables ---- */

struct table {
    const char *const *columns;
    size_t n_columns, n_cells, capacity;
    struct buf *cells;
    bool failed;
};

struct table *table_new(const char *const *columns, size_t n_columns)
{
    ASSERT(n_columns > 0 && n_columns <= TABLE_MAX_COLUMNS);
    struct table *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    *t = (struct table){.columns = columns, .n_columns = n_columns};
    return t;
}

void table_free(struct table *t)
{
    if (t == NULL) return;
    for (size_t i = 0; i < t->n_cells; i++) buf_fini(&t->cells[i]);
    free(t->cells);
    free(t);
}

void table_freep(struct table **t)
{
    table_free(*t);
}

void table_cell(struct table *t, struct text cell)
{
    enum { CELL_LIMIT = 64 * 1024 };
    if (t == NULL || t->failed) return;
    if (t->n_cells == t->capacity) {
        size_t capacity = MAX_OF(t->capacity * 2, (size_t)64);
        struct buf *grown = realloc(t->cells, capacity * sizeof *grown);
        if (grown == NULL) {
            t->failed = true;
            return;
        }
        t->cells = grown;
        t->capacity = capacity;
    }
    struct buf *b = &t->cells[t->n_cells++];
    buf_init(b, CELL_LIMIT);
    buf_put_escaped(b, cell);
    t->failed |= !buf_ok(b);
}

void table_cellf(struct table *t, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); /* cut when too long: for people */
    va_end(args);
    table_cell(t, text_of(text));
}

/* Pads a cell to its column; the last column is not padded. */
static void put_cell(struct buf *out, struct text cell, size_t width, bool last)
{
    buf_put_text(out, cell);
    if (!last) buf_fill(out, ' ', width - text_n_chars(cell) + 2);
}

static void trim_line(struct buf *out)
{
    while (out->len > 0 && out->ptr[out->len - 1] == ' ') out->ptr[--out->len] = '\0';
}

void table_render(const struct table *t, struct buf *out)
{
    if (t == NULL || t->failed) {
        out->failed = true;
        return;
    }
    ASSERT(t->n_cells % t->n_columns == 0);
    size_t width[TABLE_MAX_COLUMNS];
    for (size_t c = 0; c < t->n_columns; c++) width[c] = strlen(t->columns[c]);
    for (size_t i = 0; i < t->n_cells; i++) {
        size_t *w = &width[i % t->n_columns];
        *w = MAX_OF(*w, text_n_chars(buf_text(&t->cells[i])));
    }
    for (size_t c = 0; c < t->n_columns; c++)
        put_cell(out, text_of(t->columns[c]), width[c], c + 1 == t->n_columns);
    buf_putc(out, '\n');
    for (size_t i = 0; i < t->n_cells; i++) {
        size_t c = i % t->n_columns;
        bool last = c + 1 == t->n_columns;
        put_cell(out, buf_text(&t->cells[i]), width[c], last);
        if (!last) continue;
        trim_line(out);
        buf_putc(out, '\n');
    }
}

/* ---- JSON ---- */

json_t *json_of_text(struct text t)
{
    json_t *plain = t.ptr == NULL ? json_null() : json_stringn(t.ptr, t.len);
    if (plain != NULL) return plain;
    CLEANUP(buf_fini) struct buf escaped;
    buf_init(&escaped, SIZE_MAX / 2);
    buf_put_escaped(&escaped, t);
    return buf_ok(&escaped) ? json_stringn(buf_str(&escaped), escaped.len) : NULL;
}

json_t *json_of_cstr(const char *s)
{
    return s == NULL ? json_null() : json_of_text(text_of(s));
}

json_t *json_of_time(int64_t unix_ms)
{
    char text[CLOCK_RFC3339_SIZE];
    return unix_ms == 0 ? json_null() : json_string(clock_rfc3339(unix_ms, text));
}

static json_t *json_of_items(enum field_type type, struct value v);

static json_t *json_of_typed(enum field_type type, struct value v)
{
    if (!value_is_set(v)) return json_null();
    switch (type) {
    case FIELD_BOOL: return json_boolean(v.u.num != 0);
    case FIELD_INT: return json_integer(v.u.num);
    case FIELD_REF: /* as a manifest has it: a bare text would be a name */
        return v.form == REF_ID ? json_pack("{s:o}", "id", json_of_text(value_as_text(v))) : json_null();
    case FIELD_TEXT_LIST:
    case FIELD_CIDR_LIST:
    case FIELD_REF_LIST:
    case FIELD_MAP: return json_of_items(type, v);
    case FIELD_INLINE:
    case N_FIELD_TYPES: return json_null();
    default: return json_of_text(value_as_text(v));
    }
}

/* Items are never lists themselves, so this goes one level deep. */
static json_t *json_of_items(enum field_type type, struct value v)
{
    if (type == FIELD_MAP) {
        json_t *map = json_object();
        for (uint32_t i = 0; i + 1 < v.n; i += 2) {
            CLEANUP(buf_fini) struct buf key;
            buf_init(&key, SIZE_MAX / 2);
            buf_put_escaped(&key, value_as_text(v.u.items[i]));
            (void)json_object_set_new(map, buf_str(&key), json_of_typed(FIELD_TEXT, v.u.items[i + 1]));
        }
        return map;
    }
    json_t *list = json_array();
    for (uint32_t i = 0; i < v.n; i++)
        (void)json_array_append_new(list, json_of_typed(field_item_type(type), v.u.items[i]));
    return list;
}

json_t *json_of_value(const struct field *f, struct value v)
{
    return json_of_typed(f->type, v);
}

/* ---- YAML ---- */

/* Whether a string reads as that string without quotes in YAML 1.1 and 1.2. */
static bool is_plain(const char *s, size_t n)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    if (n == 0 || n > 256) return false;
    bool letter_first = (s[0] >= 'a' && s[0] <= 'z') || (s[0] >= 'A' && s[0] <= 'Z') || s[0] == '/';
    if (!letter_first) return false;
    for (size_t i = 0; i < n; i++) {
        bool good = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
                    (s[i] >= '0' && s[i] <= '9') || strchr("-_./", s[i]) != NULL;
        if (!good || s[i] == '\0') return false;
    }
    for (size_t i = 0; i < N_ELEMENTS(words); i++)
        if (text_equal_nocase((struct text){s, n}, text_of(words[i]))) return false;
    return true;
}

/* A scalar, or an empty list or mapping. JSON's quoting is YAML's, too. */
static void put_scalar(struct buf *out, const json_t *v)
{
    if (json_is_string(v) && is_plain(json_string_value(v), json_string_length(v))) {
        buf_puts(out, json_string_value(v));
        return;
    }
    char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    if (text == NULL)
        out->failed = true;
    else
        buf_puts(out, text);
    free(text);
}

static bool has_children(const json_t *v)
{
    return json_object_size(v) > 0 || json_array_size(v) > 0;
}

static void put_yaml(struct buf *out, const json_t *v, size_t indent);

/* What stands behind "key:" or "-". */
static void put_child(struct buf *out, const json_t *v, size_t indent, bool in_list)
{
    if (!has_children(v)) {
        buf_putc(out, ' ');
        put_scalar(out, v);
        buf_putc(out, '\n');
    } else if (in_list && json_is_object(v)) {
        buf_putc(out, ' ');
        put_yaml(out, v, indent + 2);
    } else {
        buf_putc(out, '\n');
        buf_fill(out, ' ', indent + 2);
        put_yaml(out, v, indent + 2);
    }
}

/* The trees are built by ourselves and a few levels deep. The first line's indent is there already. */
static void put_yaml(struct buf *out, const json_t *v, size_t indent)
{
    bool first = true;
    const char *key;
    json_t *child;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)v, key, child)
    {
        if (!first) buf_fill(out, ' ', indent);
        first = false;
        if (is_plain(key, strlen(key))) {
            buf_puts(out, key);
        } else {
            json_t *quoted = json_string(key);
            put_scalar(out, quoted);
            json_decref(quoted);
        }
        buf_putc(out, ':');
        put_child(out, child, indent, false);
    }
    json_array_foreach(v, i, child)
    {
        if (!first) buf_fill(out, ' ', indent);
        first = false;
        buf_putc(out, '-');
        put_child(out, child, indent, true);
    }
}

enum output_format output_format_of(const char *name)
{
    static const struct {
        const char *name;
        enum output_format format;
    } formats[] = {
        {"wide", OUTPUT_WIDE}, {"name", OUTPUT_NAME}, {"json", OUTPUT_JSON}, {"yaml", OUTPUT_YAML}};
    for (size_t i = 0; name != NULL && i < N_ELEMENTS(formats); i++)
        if (strcmp(formats[i].name, name) == 0) return formats[i].format;
    return OUTPUT_TABLE;
}

void output_tree(struct buf *out, json_t *root, enum output_format format)
{
    if (root == NULL) {
        out->failed = true;
        return;
    }
    if (format == OUTPUT_YAML && has_children(root)) {
        put_yaml(out, root, 0);
    } else {
        char *text = json_dumps(root, JSON_INDENT(2) | JSON_ENCODE_ANY);
        if (text == NULL)
            out->failed = true;
        else
            buf_printf(out, "%s\n", text);
        free(text);
    }
    json_decref(root);
}

/* ---- durations ---- */

char *age_format(int64_t ms, char out[AGE_SIZE])
{
    static const struct {
        int64_t from_s, unit_s;
        char letter;
    } units[] = {{172800, 86400, 'd'}, {7200, 3600, 'h'}, {120, 60, 'm'}, {INT64_MIN, 1, 's'}};
    int64_t s = MAX_OF(ms, (int64_t)0) / 1000;
    for (size_t i = 0; i < N_ELEMENTS(units); i++) {
        if (s < units[i].from_s) continue;
        (void)snprintf(out, AGE_SIZE, "%lld%c", (long long)(s / units[i].unit_s), units[i].letter);
        break;
    }
    return out;
}

char *duration_format(int64_t ms, char out[AGE_SIZE])
{
    long long s = (long long)(MAX_OF(ms, (int64_t)0) / 1000);
    if (s < 60)
        (void)snprintf(out, AGE_SIZE, "%llds", s);
    else if (s < 3600)
        (void)snprintf(out, AGE_SIZE, "%lldm%02llds", s / 60, s % 60);
    else
        (void)snprintf(out, AGE_SIZE, "%lldh%02lldm", s / 3600, s / 60 % 60);
    return out;
}

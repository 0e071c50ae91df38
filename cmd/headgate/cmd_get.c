/* cmd_get.c - what is recorded: get, describe, state list, state show. */
#include "cmd/headgate/commands.h"
#include "cmd/headgate/output.h"
#include "cmd/headgate/state_access.h"
#include "reconciler/loop/clock.h"
#include "reconciler/plan/render.h"

#include <string.h>

/* Opens the state and reads one stack's records. */
static enum err_code open_records(struct app *app, struct store **s, struct text *stack,
                                  struct records *records, struct err *err)
{
    enum err_code code = state_open(app, STORE_READ_ONLY, false, s, err);
    if (code == ERR_OK) code = state_stack(app, *s, stack, err);
    if (code == ERR_OK) code = store_records(*s, *stack, NULL, app->arena, records, err);
    return code;
}

/* ---- one record in each form ---- */

static bool is_shown(const struct record *r, uint8_t f)
{
    return value_is_set(r->values[f]) && kind_info(r->kind)->fields[f].type != FIELD_INLINE;
}

/* A dotted field ("source.vSwitch") lies in an object of its own, as in a manifest. */
static void set_field(json_t *spec, const struct field *f, struct value v)
{
    const char *dot = strchr(f->name, '.');
    if (dot == NULL) {
        (void)json_object_set_new(spec, f->name, json_of_value(f, v));
        return;
    }
    char outer[64];
    (void)snprintf(outer, sizeof outer, "%.*s", (int)(dot - f->name), f->name);
    json_t *inner = json_object_get(spec, outer);
    if (inner == NULL) {
        inner = json_object();
        (void)json_object_set_new(spec, outer, inner);
    }
    (void)json_object_set_new(inner, dot + 1, json_of_value(f, v));
}

/* The shape of a manifest, and a status with what only the state knows. */
static json_t *json_of_record(const struct record *r)
{
    const struct kind_info *info = kind_info(r->kind);
    json_t *spec = json_object();
    json_t *status =
        json_pack("{s:o, s:I, s:o, s:b}", "id", json_of_cstr(r->id), "generation", (json_int_t)r->generation,
                  "appliedAt", json_of_time(r->applied_unix_ms), "observedOnly", r->observed_only);
    for (uint8_t f = 0; f < info->n_fields; f++)
        if (is_shown(r, f))
            set_field((info->fields[f].flags & FIELD_COMPUTED) != 0 ? status : spec, &info->fields[f],
                      r->values[f]);
    return json_pack("{s:s, s:s, s:{s:o}, s:o, s:o}", "apiVersion", "headgate/v1", "kind", info->name,
                     "metadata", "name", json_of_text(r->name), "spec", spec, "status", status);
}

static void put_values(struct buf *out, const struct record *r)
{
    const struct kind_info *info = kind_info(r->kind);
    bool first = true;
    for (uint8_t f = 0; f < info->n_fields; f++) {
        if (!is_shown(r, f)) continue;
        buf_printf(out, "%s%s=", first ? "" : " ", info->fields[f].name);
        render_value(out, r->kind, f, r->values[f], NULL);
        first = false;
    }
}

static void put_row(struct table *t, const struct record *r, bool wide, int64_t now)
{
    char address[RESOURCE_ADDRESS_SIZE], age[AGE_SIZE];
    table_cell(t, text_of(address_format(r->kind, r->name, address)));
    table_cell(t, text_of(r->id));
    table_cell(t, text_of(r->observed_only ? "observed" : "managed"));
    table_cell(t, text_of(age_format(now - r->applied_unix_ms, age)));
    if (!wide) return;
    CLEANUP(buf_fini) struct buf values;
    buf_init(&values, OUTPUT_LIMIT);
    put_values(&values, r);
    table_cell(t, buf_text(&values));
}

/* ---- get ---- */

static bool is_chosen(const bool kinds[N_KINDS], const bool *records, uint32_t i, const struct record *r)
{
    return kinds[r->kind] || records[i];
}

/* What the arguments name: kinds, "all" or addresses. */
static enum err_code choose(struct app *app, const struct records *records, bool kinds[N_KINDS], bool *chosen,
                            struct err *err)
{
    for (size_t i = 0; i < app->n_args; i++) {
        const char *arg = app->args[i];
        enum kind kind = kind_of_any_name(text_of(arg));
        if (strcmp(arg, "all") == 0) {
            for (int k = 0; k < N_KINDS; k++) kinds[k] = true;
        } else if (strchr(arg, '/') != NULL) {
            const struct record *r;
            enum err_code code = state_find(records, arg, &r, err);
            if (code != ERR_OK) return code;
            chosen[r - records->items] = true;
        } else if (kind != KIND_NONE) {
            kinds[kind] = true;
        } else {
            return err_set(
                err, ERR_INPUT,
                "there is no kind `%s`; `headgate explain` lists them, `all` means all, and one resource "
                "is named by its address, as NatGateway/nat1",
                arg);
        }
    }
    return ERR_OK;
}

static json_t *json_of_records(const struct records *records, const bool kinds[N_KINDS], const bool *chosen)
{
    json_t *items = json_array();
    for (uint32_t i = 0; i < records->n; i++)
        if (is_chosen(kinds, chosen, i, &records->items[i]))
            (void)json_array_append_new(items, json_of_record(&records->items[i]));
    return json_pack("{s:s, s:s, s:o}", "format_version", "1.0", "kind", "List", "items", items);
}

static void put_records(struct buf *out, const struct records *records, const bool kinds[N_KINDS],
                        const bool *chosen, enum output_format format)
{
    static const char *const columns[] = {"ADDRESS", "ID", "MANAGEMENT", "APPLIED", "VALUES"};
    bool wide = format == OUTPUT_WIDE;
    int64_t now = clock_now_unix_ms();
    CLEANUP(table_freep) struct table *t = table_new(columns, wide ? 5 : 4);
    for (uint32_t i = 0; i < records->n; i++) {
        const struct record *r = &records->items[i];
        char address[RESOURCE_ADDRESS_SIZE];
        if (!is_chosen(kinds, chosen, i, r)) continue;
        if (format == OUTPUT_NAME) {
            buf_put_escaped(out, text_of(address_format(r->kind, r->name, address)));
            buf_putc(out, '\n');
        } else {
            put_row(t, r, wide, now);
        }
    }
    if (format != OUTPUT_NAME) table_render(t, out);
}

static enum exit_code get(struct app *app, const struct records *records, enum output_format format)
{
    bool kinds[N_KINDS] = {false};
    struct err err = {0};
    bool *chosen = arena_array_of(app->arena, records->n, bool);
    if (chosen == NULL) return app_nomem(app);
    if (choose(app, records, kinds, chosen, &err) != ERR_OK) return app_fail(app, &err, NULL);
    uint32_t n = 0;
    for (uint32_t i = 0; i < records->n; i++) n += is_chosen(kinds, chosen, i, &records->items[i]);
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    if (format == OUTPUT_JSON || format == OUTPUT_YAML)
        output_tree(&out, json_of_records(records, kinds, chosen), format);
    else if (n > 0)
        put_records(&out, records, kinds, chosen, format);
    else
        (void)fputs("No resources are recorded.\n", stderr); /* as kubectl does: not a result */
    if (!buf_ok(&out)) return app_nomem(app);
    app_print(&out);
    return DONE_OK;
}

enum exit_code cmd_get(struct app *app)
{
    CLEANUP(store_closep) struct store *s = NULL;
    struct records records;
    struct text stack;
    struct err err = {0};
    if (open_records(app, &s, &stack, &records, &err) != ERR_OK) return app_fail(app, &err, NULL);
    return get(app, &records, output_format_of(app_text(app, FLAG_OUTPUT)));
}

enum exit_code cmd_state_list(struct app *app)
{
    CLEANUP(store_closep) struct store *s = NULL;
    struct records records;
    struct text stack;
    struct err err = {0};
    if (open_records(app, &s, &stack, &records, &err) != ERR_OK) return app_fail(app, &err, NULL);
    app->args = (const char *const[]){"all"};
    app->n_args = 1;
    return get(app, &records, OUTPUT_NAME);
}

/* ---- describe ---- */

static void put_line(struct buf *out, const char *label, const char *text)
{
    buf_printf(out, "%-14s ", label);
    buf_put_escaped(out, text_of(text));
    buf_putc(out, '\n');
}

static void put_fields(struct buf *out, const struct record *r)
{
    const struct kind_info *info = kind_info(r->kind);
    size_t width = 0;
    for (uint8_t f = 0; f < info->n_fields; f++)
        if (is_shown(r, f)) width = MAX_OF(width, strlen(info->fields[f].name));
    buf_puts(out, "Values:\n");
    for (uint8_t f = 0; f < info->n_fields; f++) {
        if (!is_shown(r, f)) continue;
        buf_printf(out, "  %s", info->fields[f].name);
        buf_fill(out, ' ', width - strlen(info->fields[f].name));
        buf_puts(out, " = ");
        render_value(out, r->kind, f, r->values[f], NULL);
        bool set = (r->set_fields >> f & 1) != 0;
        buf_puts(out, set ? "\n" : "   # as observed\n");
    }
}

static void put_record(struct buf *out, const struct record *r, struct text stack)
{
    char address[RESOURCE_ADDRESS_SIZE], at[CLOCK_RFC3339_SIZE], number[16];
    (void)snprintf(number, sizeof number, "%u", r->generation);
    put_line(out, "Address:", address_format(r->kind, r->name, address));
    buf_printf(out, "%-14s ", "Stack:");
    buf_put_escaped(out, stack);
    buf_putc(out, '\n');
    put_line(out, "Id:", r->id);
    put_line(out, "Management:", r->observed_only ? "observed only" : "managed");
    put_line(out, "Generation:", number);
    put_line(out, "Applied:", clock_rfc3339(r->applied_unix_ms, at));
    if (r->prevent_destroy) put_line(out, "Lifecycle:", "preventDestroy");
    if (r->orphan_on_removal) put_line(out, "Lifecycle:", "onRemoval: orphan");
    put_fields(out, r);
}

static enum err_code put_events(struct app *app, struct store *s, struct text stack, const struct record *r,
                                struct buf *out, struct err *err)
{
    enum { LOOK_AT = 1000, SHOW = 10 };
    static const char *const columns[] = {"  TIME", "TYPE", "MESSAGE"};
    char address[RESOURCE_ADDRESS_SIZE];
    struct event_row *events;
    size_t n, shown = 0;
    (void)address_format(r->kind, r->name, address);
    enum err_code code = store_events(s, stack, 0, LOOK_AT, app->arena, &events, &n, err);
    if (code != ERR_OK) return code;
    CLEANUP(table_freep) struct table *t = table_new(columns, N_ELEMENTS(columns));
    for (size_t i = 0; i < n && shown < SHOW; i++) {
        char at[CLOCK_RFC3339_SIZE];
        if (strcmp(events[i].address, address) != 0) continue;
        shown++;
        table_cellf(t, "  %s", clock_rfc3339(events[i].at_unix_ms, at));
        table_cell(t, text_of(events[i].type));
        table_cell(t, text_of(events[i].message));
    }
    if (shown == 0) return ERR_OK;
    buf_puts(out, "Events:\n");
    table_render(t, out);
    return ERR_OK;
}

static enum exit_code describe(struct app *app, bool with_events)
{
    CLEANUP(store_closep) struct store *s = NULL;
    struct records records;
    struct text stack;
    const struct record *r;
    struct err err = {0};
    enum err_code code = open_records(app, &s, &stack, &records, &err);
    if (code == ERR_OK) code = state_find(&records, app->args[0], &r, &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    enum output_format format = output_format_of(app_text(app, FLAG_OUTPUT));
    if (format == OUTPUT_JSON || format == OUTPUT_YAML) {
        output_tree(&out, json_of_record(r), format);
    } else {
        put_record(&out, r, stack);
        if (with_events && put_events(app, s, stack, r, &out, &err) != ERR_OK)
            return app_fail(app, &err, NULL);
    }
    if (!buf_ok(&out)) return app_nomem(app);
    app_print(&out);
    return DONE_OK;
}

enum exit_code cmd_describe(struct app *app)
{
    return describe(app, true);
}

enum exit_code cmd_state_show(struct app *app)
{
    return describe(app, false);
}

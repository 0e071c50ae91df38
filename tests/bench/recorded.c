/* recorded.c - records as an apply would have left them: set fields as applied, the rest as observed,
 * references as cloud ids. */
#include "tests/bench/bench.h"

#include <string.h>

enum { APPLIED_UNIX_MS = 1700000000 };

/* Ids look like the cloud's: as long, and in no order. */
static const char *make_id(struct arena *a, const struct kind_info *info, uint32_t i)
{
    const char *id = arena_printf(a, "%sbp1%016llx", info->id_prefix == NULL ? "" : info->id_prefix,
                                  (unsigned long long)(i + 1) * 0x9e3779b97f4a7c15u);
    if (id == NULL) bench_die("records", "out of memory");
    return id;
}

static struct value as_id(const struct record *records, struct value ref)
{
    return ref.state == VALUE_SET && ref.form == REF_LOCAL ? value_id(records[ref.u.num].id) : ref;
}

static struct value as_ids(struct arena *a, const struct record *records, struct value list)
{
    struct value *items = arena_array_of(a, list.n, struct value);
    if (items == NULL) bench_die("records", "out of memory");
    for (uint32_t k = 0; k < list.n; k++) items[k] = as_id(records, list.u.items[k]);
    return value_list(items, value_sort_set(FIELD_REF_LIST, items, list.n));
}

/* What the cloud answers for a field that the manifest does not set. */
static struct value answered(struct arena *a, const struct kind_info *info, uint8_t f, const struct record *r)
{
    const struct field *field = &info->fields[f];
    bool is_text = field->type == FIELD_TEXT || field->type == FIELD_IP;
    int64_t n;
    if (f == info->name_field) return value_text(r->name.ptr, r->name.len);
    if ((field->flags & FIELD_COMPUTED) != 0 && is_text) return value_cstr(make_id(a, info, (uint32_t)f));
    if (field->initial == NULL || field->type == FIELD_MAP) return (struct value){0};
    if (field->type == FIELD_BOOL) return value_bool(strcmp(field->initial, "true") == 0);
    if (field->type == FIELD_INT)
        return text_to_i64(text_of(field->initial), INT64_MIN, INT64_MAX, &n) ? value_int(n)
                                                                              : (struct value){0};
    return value_cstr(field->initial);
}

/* Resolved and normalised, as the planner has it; the records of what it refers to are there already. */
static void fill(struct arena *a, const struct resource *r, const struct cloud *cloud,
                 const struct record *records, struct record *out)
{
    const struct kind_info *info = kind_info(r->kind);
    struct err err;
    for (uint8_t f = 0; f < info->n_fields; f++) {
        struct value v = r->values[f];
        if (v.state == VALUE_SET && info->fields[f].type == FIELD_REF) v = as_id(records, v);
        if (v.state == VALUE_SET && info->fields[f].type == FIELD_REF_LIST) v = as_ids(a, records, v);
        if (v.state == VALUE_SET) out->set_fields |= (uint64_t)1 << f;
        out->values[f] = v;
    }
    bench_must(cloud->normalise(cloud, r->kind, out->values, &out->set_fields, NULL, a, &err), "records",
               &err);
    char *natural = cloud->natural_id(cloud, r->kind, out->values, a);
    if (natural != NULL) out->id = natural;
    for (uint8_t f = 0; f < info->n_fields; f++)
        if (out->values[f].state == VALUE_UNSET) out->values[f] = answered(a, info, f, out);
}

void recorded_write(struct arena *arena, const struct desired *desired, const struct cloud *cloud,
                    struct store *store)
{
    struct record *records = arena_array_of(arena, desired->n, struct record);
    struct write *writes = arena_array_of(arena, desired->n, struct write);
    struct err err;
    if (records == NULL || writes == NULL) bench_die("records", "out of memory");
    for (uint32_t i = 0; i < desired->n; i++) {
        const struct resource *r = &desired->items[i];
        const struct kind_info *info = kind_info(r->kind);
        records[i] = (struct record){.kind = r->kind,
                                     .name = r->name,
                                     .id = make_id(arena, info, i),
                                     .values = arena_array_of(arena, info->n_fields, struct value),
                                     .generation = 1,
                                     .applied_unix_ms = APPLIED_UNIX_MS};
        if (records[i].values == NULL) bench_die("records", "out of memory");
        fill(arena, r, cloud, records, &records[i]);
        writes[i] = (struct write){.type = WRITE_RECORD, .record = &records[i]};
    }
    bench_must(store_write(store, desired->stack.name, writes, desired->n, &err), "records", &err);
}

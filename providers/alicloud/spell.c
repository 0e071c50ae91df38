/* spell.c - one value to request parameters, and one part of an answer to a value. */
#include "providers/alicloud/mapping.h"

#include "reconciler/base/buf.h"
#include "reconciler/base/ip.h"

#include <string.h>

struct value initial_value(const struct field *f)
{
    int64_t num;
    if (f->initial == NULL) return (struct value){0};
    switch (f->type) {
    case FIELD_BOOL: return value_bool(strcmp(f->initial, "true") == 0);
    case FIELD_INT:
        return text_to_i64(text_of(f->initial), INT64_MIN, INT64_MAX, &num) ? value_int(num)
                                                                            : (struct value){0};
    case FIELD_TEXT:
    case FIELD_ENUM:
    case FIELD_CIDR:
    case FIELD_IP:
    case FIELD_PORTS: return value_cstr(f->initial);
    default: return (struct value){0};
    }
}

const char *ref_id(struct value v)
{
    return v.state == VALUE_SET && v.form == REF_ID ? v.u.text : NULL;
}

/* ---- values to parameters ---- */

static enum err_code not_known(const struct field *f, struct err *err)
{
    return err_set(err, ERR_STALE, "%s is not known yet", f->name);
}

static const char *address_of(const struct goal *g, struct value eip)
{
    const char *id = ref_id(eip);
    if (id == NULL) return NULL;
    struct object *o = g->world == NULL ? NULL : world_find(g->world, KIND_EIP, text_of(id));
    if (o != NULL && value_is_set(o->values[EIP_ADDRESS])) return o->values[EIP_ADDRESS].u.text;
    /* An EIP of somebody else that could not be listed was read as its address. */
    uint32_t ip;
    return ip_parse(text_of(id), &ip) == IP_OK ? id : NULL;
}

static enum err_code spell_addresses(struct request *r, const struct goal *g, const struct field *f,
                                     const char *param, struct value v, struct err *err)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 64 * IP_TEXT_SIZE * 16);
    for (uint32_t i = 0; i < v.n; i++) {
        const char *address = address_of(g, v.u.items[i]);
        if (address == NULL) return not_known(f, err);
        if (i > 0) buf_putc(&b, ',');
        buf_puts(&b, address);
    }
    if (!buf_ok(&b)) return err_nomem(err);
    request_add(r, param, buf_str(&b));
    return ERR_OK;
}

static enum err_code spell_list(struct request *r, const struct field *f, const char *param, struct value v,
                                struct err *err)
{
    for (uint32_t i = 0; i < v.n; i++) {
        struct value item = v.u.items[i];
        char name[96];
        if (item.state != VALUE_SET || (f->type == FIELD_REF_LIST && ref_id(item) == NULL))
            return not_known(f, err);
        (void)snprintf(name, sizeof name, "%s.%u", param, (unsigned)i + 1);
        request_add_text(r, name, value_as_text(item));
    }
    return ERR_OK;
}

static struct text their_word(const struct word *words, struct text ours)
{
    for (; words != NULL && words->ours != NULL; words++)
        if (text_equal_nocase(ours, text_of(words->ours))) return text_of(words->theirs);
    return ours;
}

enum err_code spell_value(struct request *r, const struct goal *g, const struct field *f,
                          const struct field_map *m, const char *param, struct value v, struct err *err)
{
    if (v.state == VALUE_UNKNOWN) return not_known(f, err);
    if (v.state != VALUE_SET) return ERR_OK;
    if (m->as == AS_ADDRESSES) return spell_addresses(r, g, f, param, v, err);
    if (m->as == AS_ADDRESS) {
        const char *address = address_of(g, v);
        if (address == NULL) return not_known(f, err);
        request_add(r, param, address);
        return ERR_OK;
    }
    switch (f->type) {
    case FIELD_BOOL:
        request_add(r, param, m->as == AS_BIT ? (v.u.num ? "1" : "0") : (v.u.num ? "true" : "false"));
        return ERR_OK;
    case FIELD_INT: request_addf(r, param, "%lld", (long long)v.u.num); return ERR_OK;
    case FIELD_REF:
        if (ref_id(v) == NULL) return not_known(f, err);
        request_add_text(r, param, value_as_text(v));
        return ERR_OK;
    case FIELD_TEXT_LIST:
    case FIELD_CIDR_LIST:
    case FIELD_REF_LIST: return spell_list(r, f, param, v, err);
    case FIELD_MAP:
    case FIELD_INLINE: return ERR_OK;
    default: request_add_text(r, param, their_word(m->words, value_as_text(v))); return ERR_OK;
    }
}

enum err_code spell_field(struct request *r, const struct goal *g, uint8_t field, bool modify, struct value v,
                          struct err *err)
{
    const struct field *f = &kind_info(g->kind)->fields[field];
    const struct field_map *m = &map_of(g->kind)->fields[field];
    const char *param = modify ? m->modify : m->create;
    if (param == NULL || v.state == VALUE_UNSET) return ERR_OK;
    if (m->type != NULL) request_add(r, modify ? m->type_modify : m->type_create, m->type);
    return spell_value(r, g, f, m, param, v, err);
}

/* ---- answers to values ---- */

static struct value kept_text(struct arena *a, const char *text, bool *out_of_memory)
{
    const char *copy = arena_strdup(a, text);
    if (copy == NULL) *out_of_memory = true;
    return value_cstr(copy);
}

struct value cidr_value(struct arena *a, const char *text, bool *out_of_memory)
{
    struct cidr c;
    uint32_t ip;
    char canonical[CIDR_TEXT_SIZE];
    if (text == NULL || text[0] == '\0') return (struct value){0};
    enum ip_fault fault = cidr_parse(text_of(text), &c);
    if (fault != IP_OK && fault != IP_HOST_BITS) {
        if (ip_parse(text_of(text), &ip) != IP_OK) return kept_text(a, text, out_of_memory); /* IPv6 */
        c = (struct cidr){ip, 32};
    }
    return kept_text(a, cidr_format(c, canonical), out_of_memory);
}

struct value ports_value(struct arena *a, const char *text, bool *out_of_memory)
{
    uint16_t first, last;
    char canonical[16];
    if (text == NULL || text[0] == '\0') return (struct value){0};
    if (!ports_parse(text_of(text), 1, &first, &last)) return kept_text(a, text, out_of_memory);
    if (first == last)
        (void)snprintf(canonical, sizeof canonical, "%u", (unsigned)first);
    else
        (void)snprintf(canonical, sizeof canonical, "%u/%u", (unsigned)first, (unsigned)last);
    return kept_text(a, canonical, out_of_memory);
}

/* Our word for theirs, or as the kind spells it; what neither knows is kept. */
static struct value our_word(struct reading *r, const struct field *f, const struct field_map *m,
                             const char *text)
{
    for (const struct word *w = m->words; w != NULL && w->ours != NULL; w++)
        if (text_equal_nocase(text_of(text), text_of(w->theirs))) return value_cstr(w->ours);
    for (const char *const *choice = f->choices; choice != NULL && *choice != NULL; choice++)
        if (text_equal_nocase(text_of(text), text_of(*choice))) return value_cstr(*choice);
    if (f->type == FIELD_PORTS) return ports_value(r->arena, text, &r->out_of_memory);
    return value_cstr(text);
}

/* "203.0.113.1,203.0.113.2" as references to EIPs. */
static struct value read_addresses(struct reading *r, const char *text)
{
    size_t n = 1, capacity = 0;
    for (const char *p = text; *p != '\0'; p++) n += *p == ',';
    struct value *items = arena_array_of(r->arena, n, struct value);
    if (items == NULL) {
        r->out_of_memory = true;
        return (struct value){0};
    }
    struct text rest = text_of(text), one;
    while (text_cut(&rest, ',', &one)) {
        one = arena_text(r->arena, text_trim(one));
        if (one.ptr == NULL) r->out_of_memory = true;
        if (one.ptr != NULL && one.len > 0 && capacity < n)
            items[capacity++] = value_id(eip_by_address(r, one.ptr));
    }
    return value_list(items, value_sort_set(FIELD_REF_LIST, items, (uint32_t)capacity));
}

static struct value read_list(struct reading *r, const struct field *f, const json_t *list)
{
    if (list == NULL) return (struct value){0};
    size_t n = json_count(list);
    struct value *items = arena_array_of(r->arena, n, struct value);
    if (items == NULL) {
        r->out_of_memory = true;
        return (struct value){0};
    }
    uint32_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_item(list, i));
        if (text == NULL || text[0] == '\0') continue;
        struct value v = f->type == FIELD_CIDR_LIST ? cidr_value(r->arena, text, &r->out_of_memory)
                                                    : kept_text(r->arena, text, &r->out_of_memory);
        if (f->type == FIELD_REF_LIST) v.form = REF_ID;
        if (value_is_set(v)) items[kept++] = v;
    }
    if (f->flags & FIELD_SET) kept = value_sort_set(f->type, items, kept);
    return value_list(items, kept);
}

struct value read_value(struct reading *r, const struct field *f, const struct field_map *m,
                        const json_t *item)
{
    int64_t num;
    if (m->path == NULL) return (struct value){0};
    if (m->type != NULL && !json_text_is(item, m->type_path, m->type)) return (struct value){0};
    switch (f->type) {
    case FIELD_BOOL: return json_int_at(item, m->path, &num) ? value_bool(num != 0) : (struct value){0};
    case FIELD_INT: return json_int_at(item, m->path, &num) ? value_int(num) : (struct value){0};
    case FIELD_TEXT_LIST:
    case FIELD_CIDR_LIST: return read_list(r, f, json_at(item, m->path));
    case FIELD_REF_LIST:
        if (m->as != AS_ADDRESSES) return read_list(r, f, json_at(item, m->path));
        break;
    case FIELD_MAP:
    case FIELD_INLINE: return (struct value){0};
    default: break;
    }
    const char *text = json_text_at(item, m->path, r->arena, &r->out_of_memory);
    if (text == NULL) return (struct value){0};
    if (text[0] == '\0')
        return f->type == FIELD_TEXT && (f->flags & FIELD_COMPUTED) == 0 ? value_cstr("") : (struct value){0};
    if (m->as == AS_ADDRESSES) return read_addresses(r, text);
    if (m->as == AS_ADDRESS) return value_id(eip_by_address(r, text));
    switch (f->type) {
    case FIELD_REF: return value_id(text);
    case FIELD_CIDR: return cidr_value(r->arena, text, &r->out_of_memory);
    case FIELD_ENUM:
    case FIELD_PORTS: return our_word(r, f, m, text);
    default: return value_cstr(text);
    }
}

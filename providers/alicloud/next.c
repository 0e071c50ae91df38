/* next.c - the next request towards a goal, from the kind's table.
 *
 * One request at a time: create, else the first operation that brings a differing field nearer (with all the
 * fields that the same operation changes), else tags. The engine observes in between, so that whatever
 * happened to a request, the next one starts from what is there. */
#include "providers/alicloud/mapping.h"

#include <string.h>

bool has_id_prefix(const char *id, const char *prefix)
{
    return strncmp(id, prefix, strlen(prefix)) == 0;
}

void begin_request(const struct cloud *c, const struct goal *g, const char *operation, struct request *out)
{
    const struct operation *op = operation_find(operation);
    ASSERT(op != NULL);
    request_init(out, out->arena, map_of(g->kind)->product, operation);
    if ((op->flags & OP_NO_REGION) == 0) request_add(out, "RegionId", c->region);
    if ((op->flags & OP_TOKEN) && g->token != NULL) request_add(out, "ClientToken", g->token);
}

enum next end_request(struct request *out, struct err *err)
{
    if (!out->out_of_memory) return NEXT_REQUEST;
    (void)err_nomem(err);
    return NEXT_ERROR;
}

static void add_fixed(struct request *out, const struct word *fixed)
{
    for (; fixed != NULL && fixed->ours != NULL; fixed++) request_add(out, fixed->ours, fixed->theirs);
}

struct value goal_value(const struct goal *g, uint8_t field)
{
    if (g->values != NULL && g->values[field].state != VALUE_UNSET) return g->values[field];
    return g->observed == NULL ? (struct value){0} : g->observed->values[field];
}

/* Entries of a gateway: the table's id, which the gateway's object has. */
static enum err_code add_table(const struct goal *g, struct request *out, struct err *err)
{
    const struct kind_map *m = map_of(g->kind);
    if (m->table.param == NULL) return ERR_OK;
    const struct field *f = &kind_info(g->kind)->fields[m->table.parent_field];
    const char *id = ref_id(goal_value(g, m->table.parent_field));
    struct object *parent = id == NULL || g->world == NULL ? NULL : world_find(g->world, f->ref, text_of(id));
    if (parent == NULL || !value_is_set(parent->values[m->table.table_field]))
        return err_set(err, ERR_STALE, "the %s of %s %s is not known yet", m->table.param,
                       kind_info(f->ref)->name, id == NULL ? "(not known yet)" : id);
    request_add_text(out, m->table.param, value_as_text(parent->values[m->table.table_field]));
    return ERR_OK;
}

/* ---- names ---- */

static bool is_ascii_letter(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

/* Source: CreateVpc, VpcName; AllocateEipAddress, Name; CreateNatGateway, Name */
bool name_fits(const struct kind_map *m, struct text name)
{
    if (name.len < 2 || name.len > 128 || !is_ascii_letter(name.ptr[0])) return false;
    if (text_starts_with(name, "http://") || text_starts_with(name, "https://")) return false;
    for (size_t i = 0; i < name.len; i++) {
        char ch = name.ptr[i];
        bool plain = is_ascii_letter(ch) || (ch >= '0' && ch <= '9') || ch == '_' || ch == '-';
        if (!plain && (ch != '.' || m->name_without_dots)) return false;
    }
    return true;
}

/* ---- create ---- */

/* The value that a create call sends for a field. */
static struct value value_on_create(const struct goal *g, uint8_t field)
{
    const struct kind_info *info = kind_info(g->kind);
    const struct kind_map *m = map_of(g->kind);
    struct value v = g->values[field];
    if (v.state != VALUE_UNSET) return v;
    if (field == info->name_field && name_fits(m, g->name)) return value_text(g->name.ptr, g->name.len);
    return m->fields[field].send_initial ? initial_value(&info->fields[field]) : v;
}

enum next next_generic_create(const struct cloud *c, const struct goal *g, struct request *out,
                              struct err *err)
{
    const struct kind_info *info = kind_info(g->kind);
    const struct kind_map *m = map_of(g->kind);
    begin_request(c, g, m->create, out);
    if (add_table(g, out, err) != ERR_OK) return NEXT_ERROR;
    add_fixed(out, m->create_fixed);
    for (uint8_t i = 0; i < info->n_fields; i++) {
        /* A size means nothing, and is refused by some, where the gateway is paid by usage. */
        if (g->kind == KIND_NAT_GATEWAY && i == NAT_SPEC &&
            !text_is(value_as_text(value_on_create(g, NAT_BILLING)), "PayBySpec"))
            continue;
        if (spell_field(out, g, i, false, value_on_create(g, i), err) != ERR_OK) return NEXT_ERROR;
    }
    tags_on_create(g, out);
    return end_request(out, err);
}

/* ---- update ---- */

bool field_wanted(const struct goal *g, uint8_t field, struct value *out)
{
    const struct kind_info *info = kind_info(g->kind);
    const struct kind_map *m = map_of(g->kind);
    const struct field *f = &info->fields[field];
    uint64_t bit = field_bit(field);
    if ((g->ignore_fields & bit) || (f->flags & (FIELD_COMPUTED | FIELD_IMMUTABLE)) ||
        f->type == FIELD_INLINE || field == info->tags_field)
        return false;
    if ((f->flags & FIELD_NOT_RETURNED) && (g->unseen_fields & bit) == 0) return false;
    if (field == m->protection && g->protect)
        *out = value_bool(true);
    else if ((g->set_fields & bit) && g->values != NULL)
        *out = g->values[field];
    else if (g->reset_fields & bit)
        *out = initial_value(f);
    else
        return false;
    return out->state != VALUE_UNSET;
}

bool field_differs(const struct cloud *c, const struct goal *g, uint8_t field, struct value wanted)
{
    const struct field *f = &kind_info(g->kind)->fields[field];
    struct value seen = g->observed->values[field];
    if (f->flags & FIELD_NOT_RETURNED) return true;
    return !value_equal(f->type, wanted, seen) && !alicloud_same_value(c, g->kind, field, wanted, seen);
}

uint64_t differing_fields(const struct cloud *c, const struct goal *g)
{
    const struct kind_info *info = kind_info(g->kind);
    const struct kind_map *m = map_of(g->kind);
    uint64_t fields = 0;
    struct value wanted;
    for (uint8_t i = 0; i < info->n_fields; i++)
        if (m->fields[i].by != 0 && field_wanted(g, i, &wanted) && field_differs(c, g, i, wanted))
            fields |= field_bit(i);
    return fields;
}

static enum next change_fields(const struct cloud *c, const struct goal *g, uint64_t fields,
                               struct request *out, struct err *err)
{
    const struct kind_map *m = map_of(g->kind);
    uint8_t by = m->fields[__builtin_ctzll(fields)].by;
    const struct modify_map *modify = &m->modifies[by - 1];
    begin_request(c, g, modify->operation, out);
    if (add_table(g, out, err) != ERR_OK) return NEXT_ERROR;
    if (modify->fixed_param != NULL) request_add(out, modify->fixed_param, modify->fixed);
    request_add(out, modify->id_param, g->observed->id);
    for (uint8_t i = 0; i < kind_info(g->kind)->n_fields; i++) {
        struct value wanted;
        if ((fields & field_bit(i)) == 0 || m->fields[i].by != by || !field_wanted(g, i, &wanted)) continue;
        if (spell_field(out, g, i, true, wanted, err) != ERR_OK) return NEXT_ERROR;
    }
    return end_request(out, err);
}

static enum next generic_update(const struct cloud *c, const struct goal *g, struct request *out,
                                struct err *err)
{
    const struct kind_map *m = map_of(g->kind);
    if (g->disown) return tags_next(c, g, out, err);
    if (g->values == NULL) return NEXT_DONE;
    if (m->next_update != NULL) {
        enum next n = m->next_update(c, g, out, err);
        if (n != NEXT_DONE) return n;
    }
    uint64_t fields = differing_fields(c, g);
    return fields != 0 ? change_fields(c, g, fields, out, err) : tags_next(c, g, out, err);
}

bool alicloud_may_change(const struct cloud *c, enum kind kind, uint8_t field, struct value wanted,
                         const struct object *seen)
{
    const struct kind_map *m = map_of(kind);
    (void)c;
    return m->may_change == NULL || m->may_change(field, wanted, seen);
}

/* ---- delete ---- */

static enum next generic_remove(const struct cloud *c, const struct goal *g, struct request *out,
                                struct err *err)
{
    const struct kind_map *m = map_of(g->kind);
    const struct object *o = g->observed;
    begin_request(c, g, m->remove, out);
    if (add_table(g, out, err) != ERR_OK) return NEXT_ERROR;
    request_add(out, m->id_param, o->id);
    for (uint8_t i = 0; i < kind_info(g->kind)->n_fields; i++)
        if ((m->remove_fields & field_bit(i)) && spell_field(out, g, i, false, o->values[i], err) != ERR_OK)
            return NEXT_ERROR;
    add_fixed(out, m->remove_fixed);
    return end_request(out, err);
}

static enum next next_remove(const struct cloud *c, const struct goal *g, struct request *out,
                             struct err *err)
{
    const struct kind_map *m = map_of(g->kind);
    const struct object *o = g->observed;
    if (o == NULL || o->gone || o->system) return NEXT_DONE;
    if (m->protection != FIELD_NO && value_is_set(o->values[m->protection]) &&
        o->values[m->protection].u.num) {
        (void)err_set(err, ERR_GUARD,
                      "%s is protected from deletion in the cloud: apply deletionProtection: false "
                      "(without preventDestroy) first, or lift it in the console",
                      o->id);
        return NEXT_ERROR;
    }
    return m->next_remove != NULL ? m->next_remove(c, g, out, err) : generic_remove(c, g, out, err);
}

/* ---- the goal ---- */

enum next alicloud_next(const struct cloud *c, const struct goal *g, struct arena *arena, struct request *out,
                        struct err *err)
{
    const struct kind_map *m = map_of(g->kind);
    bool there = g->observed != NULL && !g->observed->gone;
    enum next n;
    *out = (struct request){.arena = arena};
    if (g->verb == VERB_DELETE)
        n = next_remove(c, g, out, err);
    else if (there)
        n = generic_update(c, g, out, err);
    else if (g->verb == VERB_UPDATE) {
        (void)err_set(err, ERR_STALE, "it does not exist any more");
        return NEXT_ERROR;
    } else
        n = m->next_create != NULL ? m->next_create(c, g, out, err) : next_generic_create(c, g, out, err);
    if (n == NEXT_REQUEST && there && g->observed->locked) {
        (void)err_set(err, ERR_DENIED, "%s is locked by the cloud, for arrears or security: see the console",
                      g->observed->id);
        return NEXT_ERROR;
    }
    return n;
}

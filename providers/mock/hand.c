/* hand.c - a person's hand on the simulated cloud: looking at it, changing it behind headgate's back. */
#include <string.h>

#include "providers/mock/handlers.h"

enum { MAX_DETAIL = 4096 };

/* The names of the links, by type; and whether a hand may move them. */
static const struct {
    const char *name;
    enum entity_type to;
    bool movable;
} links[N_ENTITY_TYPES][N_LINKS] = {
    [E_VSWITCH] = {{"VpcId", E_VPC, false}, {"RouteTableId", E_TABLE, true}},
    [E_NAT] = {{"VpcId", E_VPC, false}, {"VSwitchId", E_VSWITCH, false}},
    [E_EIP] = {{"InstanceId", E_NAT, true}},
    [E_SNAT] = {{"NatGatewayId", E_NAT, false}, {"SourceVSwitchId", E_VSWITCH, true}},
    [E_DNAT] = {{"NatGatewayId", E_NAT, false}},
    [E_TABLE] = {{"VpcId", E_VPC, false}},
    [E_ROUTE] = {{"RouteTableId", E_TABLE, false}},
    [E_GROUP] = {{"VpcId", E_VPC, false}},
    [E_RULE] = {{"SecurityGroupId", E_GROUP, false}},
    [E_INSTANCE] = {{"VpcId", E_VPC, false}, {"VSwitchId", E_VSWITCH, false}},
};

/* ---- Looking ---- */

/* What a line of the list says of an entity, from its attributes ("%n" is the n-th listed, "@" and "^" the
 * links). */
static const struct {
    const char *format;
    int attrs[4];
} details[N_ENTITY_TYPES] = {
    [E_VPC] = {"%0 %1", {A_VPC_CIDR, A_VPC_SECONDARY}},
    [E_VSWITCH] = {"%0 %1 table ^", {A_VSWITCH_CIDR, A_VSWITCH_ZONE}},
    [E_NAT] = {"^ %0", {A_NAT_PRIVATE_IP}},
    [E_EIP] = {"%0 %1 @", {A_EIP_ADDRESS, A_EIP_BOUND_TYPE}},
    [E_SNAT] = {"@ %0 -> %1", {A_SNAT_CIDR, A_SNAT_IP}},
    [E_DNAT] = {"@ %0:%1 -> %2:%3",
                {A_DNAT_EXTERNAL_IP, A_DNAT_EXTERNAL_PORT, A_DNAT_INTERNAL_IP, A_DNAT_INTERNAL_PORT}},
    [E_TABLE] = {"%0 @", {A_TABLE_KIND}},
    [E_ROUTE] = {"@ %0 -> %1%2 %3", {A_ROUTE_DESTINATION, A_ROUTE_HOP, A_ROUTE_HOPS, A_ROUTE_HOP_TYPE}},
    [E_GROUP] = {"@ %0 inner %1", {A_GROUP_TYPE, A_GROUP_INNER}},
    [E_RULE] = {"@ %0 %1 %2 %3", {A_RULE_DIRECTION, A_RULE_POLICY, A_RULE_PROTOCOL, A_RULE_PORTS}},
    [E_INSTANCE] = {"^ %0", {A_INSTANCE_PRIVATE_IP}},
};

static void put_link(struct buf *b, const struct entity *e, enum link_slot slot)
{
    buf_puts(b, e->links[slot].to == NULL ? "" : e->links[slot].to->id);
}

static void put_rule_peer(struct buf *b, const struct entity *e)
{
    static const int peers[] = {A_RULE_SOURCE_CIDR, A_RULE_DEST_CIDR,    A_RULE_SOURCE_GROUP,
                                A_RULE_DEST_GROUP,  A_RULE_SOURCE_CIDR6, A_RULE_DEST_CIDR6,
                                A_RULE_SOURCE_LIST, A_RULE_DEST_LIST};
    for (size_t i = 0; i < N_ELEMENTS(peers); i++)
        if (!entity_is(e, peers[i], "")) buf_printf(b, " %s", entity_get(e, peers[i]));
}

static void put_detail(struct buf *b, const struct entity *e)
{
    for (const char *p = details[e->type].format; *p != '\0'; p++) {
        if (*p == '@')
            put_link(b, e, OWNER);
        else if (*p == '^')
            put_link(b, e, SECOND);
        else if (*p == '%')
            buf_puts(b, entity_get(e, details[e->type].attrs[*++p - '0']));
        else
            buf_putc(b, *p);
    }
    if (e->type == E_RULE) put_rule_peer(b, e);
}

struct widths {
    size_t type, id, name, status;
};

static void measure(const struct entity *e, struct widths *w)
{
    w->type = MAX_OF(w->type, strlen(entity_types[e->type].name));
    w->id = MAX_OF(w->id, strlen(e->id));
    w->name = MAX_OF(w->name, text_n_chars(text_of(entity_name(e))));
    w->status = MAX_OF(w->status, strlen(status_names[e->status]));
}

static void put_cell(struct buf *b, const char *text, size_t width)
{
    size_t n = text_n_chars(text_of(text));
    buf_put_escaped(b, text_of(text));
    buf_fill(b, ' ', (n < width ? width - n : 0) + 2);
}

static void put_line(struct buf *b, const struct entity *e, const struct widths *w)
{
    CLEANUP(buf_fini) struct buf detail;
    buf_init(&detail, MAX_DETAIL);
    put_detail(&detail, e);
    put_cell(b, entity_types[e->type].name, w->type);
    put_cell(b, e->id, w->id);
    put_cell(b, entity_name(e), w->name);
    put_cell(b, status_names[e->status], w->status);
    buf_put_escaped(b, text_trim(buf_text(&detail)));
    buf_putc(b, '\n');
}

static json_t *entity_json(const struct entity *e)
{
    json_t *attrs = json_object(), *tags = json_object();
    for (int i = 0; i < entity_types[e->type].n_attrs; i++)
        if (!entity_is(e, i, ""))
            (void)json_object_set_new_nocheck(attrs, entity_types[e->type].attrs[i],
                                              json_string(entity_get(e, i)));
    for (enum link_slot slot = 0; slot < N_LINKS; slot++)
        if (e->links[slot].to != NULL && links[e->type][slot].name != NULL)
            (void)json_object_set_new_nocheck(attrs, links[e->type][slot].name,
                                              json_string(e->links[slot].to->id));
    for (uint8_t i = 0; i < e->n_tags; i++)
        (void)json_object_set_new_nocheck(tags, e->tags[i].key, json_string(e->tags[i].value));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "type", entity_types[e->type].name, "id", e->id,
                     "name", entity_name(e), "status", status_names[e->status], "region",
                     regions[e->region].id, "attributes", attrs, "tags", tags);
}

static enum err_code type_range(const char *name, enum entity_type *first, enum entity_type *end,
                                struct err *err)
{
    *first = 0;
    *end = N_ENTITY_TYPES;
    if (name == NULL) return ERR_OK;
    CLEANUP(buf_fini) struct buf all;
    buf_init(&all, 1024);
    for (enum entity_type t = 0; t < N_ENTITY_TYPES; t++) {
        if (text_equal_nocase(text_of(entity_types[t].name), text_of(name))) {
            *first = t;
            *end = t + 1;
            return ERR_OK;
        }
        buf_printf(&all, "%s%s", t == 0 ? "" : ", ", entity_types[t].name);
    }
    return err_set(err, ERR_INPUT, "the simulated cloud has no `%s`; there are %s", name, buf_str(&all));
}

static void list_text(const struct mock *m, enum entity_type first, enum entity_type end, struct buf *out)
{
    struct widths w = {.type = 4, .id = 2, .name = 4, .status = 6};
    for (enum entity_type t = first; t < end; t++)
        for (const struct entity *e = m->store.first[t]; e != NULL; e = e->next) measure(e, &w);
    put_cell(out, "TYPE", w.type);
    put_cell(out, "ID", w.id);
    put_cell(out, "NAME", w.name);
    put_cell(out, "STATUS", w.status);
    buf_puts(out, "DETAIL\n");
    for (enum entity_type t = first; t < end; t++)
        for (const struct entity *e = m->store.first[t]; e != NULL; e = e->next)
            if (e->status != ST_LINGERING) put_line(out, e, &w);
}

static enum err_code list_json(const struct mock *m, enum entity_type first, enum entity_type end,
                               struct buf *out, struct err *err)
{
    json_t *array = json_array();
    for (enum entity_type t = first; t < end; t++)
        for (const struct entity *e = m->store.first[t]; e != NULL; e = e->next)
            if (e->status != ST_LINGERING) (void)json_array_append_new(array, entity_json(e));
    char *text = json_dumps(array, JSON_INDENT(1));
    json_decref(array);
    if (text == NULL) return err_nomem(err);
    buf_printf(out, "%s\n", text);
    free(text);
    return ERR_OK;
}

enum err_code mock_list(struct mock *m, int64_t now_unix_ms, const char *type, bool json, struct buf *out,
                        struct err *err)
{
    enum entity_type first, end;
    enum err_code e = type_range(type, &first, &end, err);
    if (e == ERR_OK) e = persist_begin(m, false, err);
    if (e != ERR_OK) return e;
    advance(m, now_unix_ms);
    if (json)
        e = list_json(m, first, end, out, err);
    else
        list_text(m, first, end, out);
    if (e == ERR_OK && !buf_ok(out)) return err_set(err, ERR_LIMIT, "there are too many objects to be shown");
    return e;
}

enum err_code mock_show(struct mock *m, int64_t now_unix_ms, const char *id, json_t **out, struct err *err)
{
    enum err_code code = persist_begin(m, false, err);
    if (code != ERR_OK) return code;
    advance(m, now_unix_ms);
    const struct entity *e = store_find(&m->store, id);
    *out = e == NULL || e->status == ST_LINGERING ? NULL : entity_json(e);
    return ERR_OK;
}

/* ---- Setting ---- */

static enum err_code unknown_attribute(const struct entity *e, const char *name, struct err *err)
{
    CLEANUP(buf_fini) struct buf all;
    buf_init(&all, 2048);
    for (int i = 0; i < entity_types[e->type].n_attrs; i++)
        buf_printf(&all, "%s, ", entity_types[e->type].attrs[i]);
    for (enum link_slot slot = 0; slot < N_LINKS; slot++)
        if (links[e->type][slot].movable) buf_printf(&all, "%s, ", links[e->type][slot].name);
    return err_set(err, ERR_INPUT,
                   "a %s has no attribute `%s` that can be set; there are %sStatus, HiddenMs and Tag.<key>",
                   entity_types[e->type].name, name, buf_str(&all));
}

static enum err_code set_status(struct mock *m, struct entity *e, const char *value, struct err *err)
{
    for (enum status s = 0; s < N_STATUSES; s++) {
        if (strcmp(status_names[s], value) != 0) continue;
        entity_rest(&m->store, e, s);
        return ERR_OK;
    }
    return err_set(err, ERR_INPUT, "there is no status `%s`", value);
}

/* An EIP is bound to a gateway or an instance, or let go with an empty value. */
static enum err_code bind_by_hand(struct mock *m, struct entity *eip, const char *id, struct err *err)
{
    if (id[0] == '\0') {
        eip_let_go(m, eip);
        return ERR_OK;
    }
    struct entity *to = store_find(&m->store, id);
    if (to == NULL || (to->type != E_NAT && to->type != E_INSTANCE))
        return err_set(err, ERR_INPUT, "there is no NAT gateway or instance `%s`", id);
    entity_link(&m->store, eip, OWNER, to);
    entity_set(&m->store, eip, A_EIP_BOUND_TYPE, to->type == E_NAT ? "Nat" : "EcsInstance");
    entity_rest(&m->store, eip, ST_IN_USE);
    return ERR_OK;
}

static enum err_code set_link(struct mock *m, struct entity *e, enum link_slot slot, const char *id,
                              struct err *err)
{
    if (e->type == E_EIP) return bind_by_hand(m, e, id, err);
    enum entity_type type = links[e->type][slot].to;
    struct entity *to = store_find(&m->store, id);
    if (e->type == E_VSWITCH && id[0] == '\0') to = vpc_system_table(e->links[OWNER].to);
    if (to == NULL || to->type != type)
        return err_set(err, ERR_INPUT, "there is no %s `%s`", entity_types[type].name, id);
    entity_link(&m->store, e, slot, to);
    if (e->type == E_SNAT) entity_set(&m->store, e, A_SNAT_CIDR, entity_get(to, A_VSWITCH_CIDR));
    return ERR_OK;
}

static enum err_code set_tag(struct mock *m, struct entity *e, const char *key, const char *value,
                             struct err *err)
{
    if (key[0] == '\0') return err_set(err, ERR_INPUT, "a tag needs a key: Tag.<key>=<value>");
    if (!entity_tag(&m->store, e, key, value))
        return err_set(err, ERR_LIMIT, "%s has %d tags already", e->id, ENTITY_MAX_TAGS);
    return ERR_OK;
}

/* Lists that are eventually consistent: for so long nobody sees it. */
static enum err_code hide(struct mock *m, struct entity *e, int64_t now_ms, const char *value,
                          struct err *err)
{
    int64_t ms;
    if (!text_to_i64(text_of(value), 0, INT32_MAX, &ms))
        return err_set(err, ERR_INPUT, "`%s` is not a number of milliseconds", value);
    e->visible_at_ms = now_ms + ms;
    m->store.hidden_until_ms = MAX_OF(m->store.hidden_until_ms, e->visible_at_ms);
    entity_touch(&m->store, e);
    return ERR_OK;
}

static enum err_code set_one(struct mock *m, struct entity *e, int64_t now_ms, const char *assignment,
                             struct err *err)
{
    const char *equals = strchr(assignment, '=');
    char name[128];
    if (equals == NULL || (size_t)(equals - assignment) >= sizeof(name))
        return err_set(err, ERR_INPUT, "`%s` is not of the form Attribute=value", assignment);
    (void)snprintf(name, sizeof(name), "%.*s", (int)(equals - assignment), assignment);
    const char *value = equals + 1;
    if (!text_is_utf8(text_of(assignment), NULL))
        return err_set(err, ERR_INPUT, "the value of %s is not UTF-8", name);
    if (strcmp(name, "Status") == 0) return set_status(m, e, value, err);
    if (strcmp(name, "HiddenMs") == 0) return hide(m, e, now_ms, value, err);
    if (strncmp(name, "Tag.", 4) == 0) return set_tag(m, e, name + 4, value, err);
    for (enum link_slot slot = 0; slot < N_LINKS; slot++)
        if (links[e->type][slot].movable && strcmp(links[e->type][slot].name, name) == 0)
            return set_link(m, e, slot, value, err);
    int attr = entity_attr(e->type, name);
    if (attr < 0) return unknown_attribute(e, name, err);
    entity_set(&m->store, e, attr, value);
    return ERR_OK;
}

/* Begins a change by hand of the entity. */
static enum err_code begin_by_hand(struct mock *m, int64_t now_ms, const char *id, struct entity **out,
                                   struct err *err)
{
    enum err_code e = persist_begin(m, true, err);
    if (e != ERR_OK) return e;
    advance(m, now_ms);
    *out = store_find(&m->store, id);
    if (*out != NULL && (*out)->status != ST_LINGERING) return ERR_OK;
    persist_rollback(m);
    return err_set(err, ERR_INPUT, "the simulated cloud has no object `%s`", id);
}

static enum err_code end_by_hand(struct mock *m, enum err_code e, struct err *err)
{
    if (e == ERR_OK && m->store.no_memory) e = err_nomem(err);
    m->store.no_memory = false;
    if (e == ERR_OK) return persist_commit(m, err);
    persist_rollback(m);
    return e;
}

enum err_code mock_set(struct mock *m, int64_t now_unix_ms, const char *id, const char *const *assignments,
                       size_t n, struct err *err)
{
    struct entity *entity;
    enum err_code e = begin_by_hand(m, now_unix_ms, id, &entity, err);
    if (e != ERR_OK) return e;
    for (size_t i = 0; i < n && e == ERR_OK; i++) e = set_one(m, entity, now_unix_ms, assignments[i], err);
    return end_by_hand(m, e, err);
}

/* ---- Deleting ---- */

/* Something that hangs on it and does not go with it by itself. */
static const struct entity *dependent(const struct entity *e)
{
    const struct entity *entry = e->type == E_EIP ? eip_entry(e) : NULL;
    if (entry != NULL) return entry;
    for (enum link_slot slot = 0; slot < N_LINKS; slot++) {
        for (enum entity_type t = 0; t < N_ENTITY_TYPES; t++) {
            for (EACH_CHILD(child, e, slot, t)) {
                bool automatic = (t == E_TABLE && entity_is(child, A_TABLE_KIND, "System")) ||
                                 (t == E_ROUTE && entity_is(child, A_ROUTE_KIND, "System")) ||
                                 (t == E_RULE && child->links[OWNER].to == e);
                if (!automatic && child->status != ST_LINGERING) return child;
            }
        }
    }
    return NULL;
}

/* Who has lost its only way to be must go, too; who can go on is put back into its usual place. */
static bool survives(struct mock *m, struct entity *child, enum link_slot slot)
{
    if (child->type == E_EIP) {
        eip_let_go(m, child);
        return true;
    }
    if (child->type == E_VSWITCH && slot == SECOND) {
        entity_link(&m->store, child, SECOND, vpc_system_table(child->links[OWNER].to));
        return true;
    }
    return false;
}

/* Depth is bounded by the types: VPC, gateway or table or group, entry. */
static void delete_with_children(struct mock *m, struct entity *e)
{
    for (enum link_slot slot = 0; slot < N_LINKS; slot++)
        for (enum entity_type t = 0; t < N_ENTITY_TYPES; t++)
            for (struct entity *child; (child = entity_first(e, slot, t)) != NULL;)
                if (!survives(m, child, slot)) delete_with_children(m, child);
    if (e->type == E_NAT && e->links[OWNER].to != NULL) nat_clean(m, e);
    if (e->type == E_EIP) eip_drop_entries(&m->store, e);
    if (e->type == E_VSWITCH) routes_drop_vswitch(m, e);
    store_remove(&m->store, e);
}

enum err_code mock_delete(struct mock *m, int64_t now_unix_ms, const char *id, bool force, struct err *err)
{
    struct entity *entity;
    enum err_code e = begin_by_hand(m, now_unix_ms, id, &entity, err);
    if (e != ERR_OK) return e;
    const struct entity *child = dependent(entity);
    if (entity->type == E_TABLE && entity_is(entity, A_TABLE_KIND, "System"))
        e = err_set(err, ERR_INPUT, "%s is the system route table of a VPC and goes with it", id);
    else if (child != NULL && !force)
        e = err_set(err, ERR_CONFLICT, "%s %s hangs on %s; force deletes it, too",
                    entity_types[child->type].name, child->id, id);
    else
        delete_with_children(m, entity);
    return end_by_hand(m, e, err);
}

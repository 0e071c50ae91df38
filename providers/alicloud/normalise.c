/* normalise.c - values in the form in which the cloud answers them, and when two forms are the same. */
#include "providers/alicloud/mapping.h"

#include <string.h>

/* Fields of the natural key that the manifest leaves out have the value that the cloud will answer. */
static void fill_keys(enum kind kind, struct value *values)
{
    const struct kind_info *info = kind_info(kind);
    for (uint8_t i = 0; i < info->n_fields; i++)
        if ((info->fields[i].flags & FIELD_KEY) && values[i].state == VALUE_UNSET)
            values[i] = initial_value(&info->fields[i]);
}

/* An instance stands for its private address: as it is (an IP) or as a block of one.
 * Source: CreateSnatEntry, SourceCIDR; CreateForwardEntry, InternalIp */
static enum err_code instance_to_address(struct value *values, uint64_t *set_fields, uint8_t from, uint8_t to,
                                         const struct world *w, struct arena *arena, struct err *err)
{
    if (values[from].state == VALUE_UNSET) return ERR_OK;
    const char *id = ref_id(values[from]);
    const struct object *o = id == NULL || w == NULL ? NULL : world_find(w, KIND_INSTANCE, text_of(id));
    struct value address = value_unknown();
    if (o != NULL && value_is_set(o->values[INS_PRIVATE_IP])) {
        const char *ip = o->values[INS_PRIVATE_IP].u.text;
        const char *text = arena_printf(arena, to == SNAT_CIDR ? "%s/32" : "%s", ip);
        if (text == NULL) return err_nomem(err);
        address = value_cstr(text);
    }
    values[from] = (struct value){0};
    values[to] = address;
    *set_fields = (*set_fields & ~field_bit(from)) | field_bit(to);
    return ERR_OK;
}

/* Ports mean something to TCP and UDP only; all of them are "any". */
static void normalise_ports(struct value *values)
{
    struct value protocol = values[SGR_PROTOCOL], *ports = &values[SGR_PORTS];
    if (!value_is_set(protocol) || !value_is_set(*ports)) return;
    struct text p = value_as_text(protocol), t = value_as_text(*ports);
    bool has_ports = text_is(p, "tcp") || text_is(p, "udp");
    if (!has_ports || text_is(t, "1/65535") || text_is(t, "-1/-1")) *ports = value_cstr("any");
}

enum err_code alicloud_normalise(const struct cloud *c, enum kind kind, struct value *values,
                                 uint64_t *set_fields, const struct world *w, struct arena *arena,
                                 struct err *err)
{
    (void)c;
    fill_keys(kind, values);
    switch (kind) {
    case KIND_SNAT_ENTRY:
        return instance_to_address(values, set_fields, SNAT_INSTANCE, SNAT_CIDR, w, arena, err);
    case KIND_DNAT_ENTRY:
        return instance_to_address(values, set_fields, DNAT_TARGET_INSTANCE, DNAT_TARGET_IP, w, arena, err);
    case KIND_SECURITY_GROUP_RULE: normalise_ports(values); return ERR_OK;
    default: return ERR_OK;
    }
}

char *alicloud_natural_id(const struct cloud *c, enum kind kind, const struct value *values,
                          struct arena *arena)
{
    (void)c;
    uint8_t field = kind == KIND_EIP_ASSOCIATION           ? EAS_EIP
                    : kind == KIND_ROUTE_TABLE_ASSOCIATION ? RTA_VSWITCH
                                                           : FIELD_NO;
    const char *id = field == FIELD_NO ? NULL : ref_id(values[field]);
    return arena_strdup(arena, id);
}

/* The first gateway of a VPC writes a default route into the system's table.  Source: CreateNatGateway */
bool alicloud_may_appear(const struct cloud *c, enum kind kind, const struct value *values,
                         const struct world *w)
{
    (void)c;
    if (kind != KIND_ROUTE_ENTRY || w == NULL || !value_is_set(values[RTE_DESTINATION]) ||
        !text_is(value_as_text(values[RTE_DESTINATION]), "0.0.0.0/0"))
        return false;
    const char *id = ref_id(values[RTE_TABLE]);
    if (id == NULL) return false;
    const struct object *table = world_find(w, KIND_ROUTE_TABLE, text_of(id)), *vpc;
    if (table != NULL) return table->system;
    for (size_t cursor = 0; (vpc = world_next(w, KIND_VPC, &cursor)) != NULL;)
        if (value_is_set(vpc->values[VPC_SYSTEM_TABLE]) &&
            text_is(value_as_text(vpc->values[VPC_SYSTEM_TABLE]), id))
            return true;
    return false;
}

static bool is_empty(enum field_type type, struct value v)
{
    if (v.state == VALUE_UNSET) return true;
    return v.state == VALUE_SET && type != FIELD_INT && type != FIELD_BOOL && v.n == 0;
}

bool alicloud_same_value(const struct cloud *c, enum kind kind, uint8_t field, struct value wanted,
                         struct value seen)
{
    const struct field *f = &kind_info(kind)->fields[field];
    (void)c;
    if (wanted.state == VALUE_UNKNOWN || seen.state == VALUE_UNKNOWN) return false;
    if (value_equal(f->type, wanted, seen)) return true;
    /* A list of groups leaves this out, and a size is left out where it means nothing: no difference can be
     * seen. */
    if (seen.state == VALUE_UNSET && ((kind == KIND_SECURITY_GROUP && field == SG_INNER_ACCESS) ||
                                      (kind == KIND_NAT_GATEWAY && field == NAT_SPEC)))
        return true;
    if (is_empty(f->type, wanted) && is_empty(f->type, seen)) return true;
    if (seen.state == VALUE_UNSET)
        return value_is_set(wanted) && value_equal(f->type, wanted, initial_value(f));
    if (f->type == FIELD_ENUM || f->type == FIELD_PORTS || (f->flags & FIELD_NOCASE))
        return value_is_set(wanted) && text_equal_nocase(value_as_text(wanted), value_as_text(seen));
    if (f->type != FIELD_MAP) return false;
    for (uint32_t i = 0; value_is_set(wanted) && i + 1 < wanted.n; i += 2) /* others' tags do not matter */
        if (!value_equal(FIELD_TEXT, wanted.u.items[i + 1],
                         value_map_get(seen, value_as_text(wanted.u.items[i]))))
            return false;
    return true;
}

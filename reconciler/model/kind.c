/* kind.c - the list of kinds, and look-ups by name. */
#include "reconciler/model/kind.h"

const struct kind_info *const kind_infos[N_KINDS] = {
    [KIND_VPC] = &kind_vpc,
    [KIND_VSWITCH] = &kind_vswitch,
    [KIND_SECURITY_GROUP] = &kind_security_group,
    [KIND_SECURITY_GROUP_RULE] = &kind_security_group_rule,
    [KIND_INSTANCE] = &kind_instance,
    [KIND_NAT_GATEWAY] = &kind_nat_gateway,
    [KIND_EIP] = &kind_eip,
    [KIND_EIP_ASSOCIATION] = &kind_eip_association,
    [KIND_SNAT_ENTRY] = &kind_snat_entry,
    [KIND_DNAT_ENTRY] = &kind_dnat_entry,
    [KIND_ROUTE_TABLE] = &kind_route_table,
    [KIND_ROUTE_ENTRY] = &kind_route_entry,
    [KIND_ROUTE_TABLE_ASSOCIATION] = &kind_route_table_association,
};

enum kind kind_of_name(struct text name)
{
    for (int k = 0; k < N_KINDS; k++)
        if (text_is(name, kind_infos[k]->name)) return (enum kind)k;
    return KIND_NONE;
}

enum kind kind_of_any_name(struct text name)
{
    for (int k = 0; k < N_KINDS; k++) {
        const struct kind_info *info = kind_infos[k];
        if (text_equal_nocase(name, text_of(info->name)) || text_equal_nocase(name, text_of(info->plural)) ||
            text_equal_nocase(name, text_of(info->short_name)))
            return (enum kind)k;
    }
    return KIND_NONE;
}

uint8_t kind_field(enum kind kind, struct text name)
{
    const struct kind_info *info = kind_info(kind);
    for (uint8_t i = 0; i < info->n_fields; i++)
        if (text_is(name, info->fields[i].name)) return i;
    return FIELD_NO;
}

const char *field_type_name(enum field_type type)
{
    static const char *const names[N_FIELD_TYPES] = {
        [FIELD_TEXT] = "a text",
        [FIELD_INT] = "an integer",
        [FIELD_BOOL] = "true or false",
        [FIELD_ENUM] = "one of a few words",
        [FIELD_CIDR] = "an IPv4 block such as 10.0.0.0/16",
        [FIELD_IP] = "an IPv4 address such as 10.0.0.1",
        [FIELD_PORTS] = "a port such as \"80\", or a range such as \"8000/8080\"",
        [FIELD_REF] = "a reference: a name, {id: …} or {name: …, tags: {…}}",
        [FIELD_TEXT_LIST] = "a list of texts",
        [FIELD_CIDR_LIST] = "a list of IPv4 blocks",
        [FIELD_REF_LIST] = "a list of references",
        [FIELD_MAP] = "a mapping of texts to texts",
        [FIELD_INLINE] = "a list",
    };
    ASSERT(type < N_FIELD_TYPES);
    return names[type];
}

/* view.c - what checks ask about a resource. */
#include "reconciler/manifest/check.h"

#include <string.h>

void view_enter(const struct view *v, uint32_t i)
{
    const struct resource *r = &v->d->items[i];
    v->l->file = r->pos.file;
    v->l->kind = r->kind;
    v->l->name = r->name;
}

struct mark view_mark(const struct view *v, uint32_t i, uint8_t field)
{
    if (field != FIELD_NO && v->marks[i][field].line > 0) return v->marks[i][field];
    return (struct mark){v->d->items[i].pos.line, v->d->items[i].pos.column};
}

uint32_t view_local(const struct view *v, uint32_t i, uint8_t field)
{
    const struct value *ref = view_value(v, i, field);
    return ref->state == VALUE_SET && ref->form == REF_LOCAL ? (uint32_t)ref->u.num : UINT32_MAX;
}

bool view_is_observed(const struct view *v, uint32_t i)
{
    return v->d->items[i].lifecycle->management == MANAGE_OBSERVE;
}

bool view_cidr(const struct view *v, uint32_t i, uint8_t field, struct cidr *out)
{
    const struct value *c = view_value(v, i, field);
    return c->state == VALUE_SET && cidr_parse(value_as_text(*c), out) == IP_OK;
}

bool view_ports(struct value ports, uint16_t *first, uint16_t *last)
{
    return ports.state == VALUE_SET && ports_parse(value_as_text(ports), 1, first, last);
}

const char *view_place(const struct view *v, uint32_t i)
{
    const struct src_pos *pos = &v->d->items[i].pos;
    const char *place = arena_printf(v->l->scratch, "%s:%u:%u", pos->file, pos->line, pos->column);
    return place == NULL ? "" : place;
}

/* Which field leads towards the VPC. */
static const uint8_t vpc_field[N_KINDS] = {
    [KIND_VPC] = FIELD_NO,
    [KIND_VSWITCH] = VSW_VPC,
    [KIND_SECURITY_GROUP] = SG_VPC,
    [KIND_SECURITY_GROUP_RULE] = SGR_GROUP,
    [KIND_INSTANCE] = INS_VSWITCH,
    [KIND_NAT_GATEWAY] = NAT_VPC,
    [KIND_EIP] = FIELD_NO,
    [KIND_EIP_ASSOCIATION] = EAS_NAT,
    [KIND_SNAT_ENTRY] = SNAT_NAT,
    [KIND_DNAT_ENTRY] = DNAT_NAT,
    [KIND_ROUTE_TABLE] = RTB_VPC,
    [KIND_ROUTE_ENTRY] = RTE_TABLE,
    [KIND_ROUTE_TABLE_ASSOCIATION] = RTA_TABLE,
};

struct value view_vpc_of(const struct view *v, uint32_t i)
{
    /* Each step leads to another kind: at most as many as there are. */
    for (int steps = 0; steps < N_KINDS; steps++) {
        const struct resource *r = &v->d->items[i];
        uint8_t field = vpc_field[r->kind];
        if (field == FIELD_NO) break;
        struct value ref = r->values[field];
        if (ref.state != VALUE_SET || kind_info(r->kind)->fields[field].ref == KIND_VPC) return ref;
        if (ref.form != REF_LOCAL) break;
        i = (uint32_t)ref.u.num;
    }
    return (struct value){0};
}

static const char *id_of(const struct view *v, struct value ref)
{
    if (ref.form == REF_ID) return ref.u.text;
    return ref.form == REF_LOCAL ? v->d->items[ref.u.num].external_id : NULL;
}

int view_same_target(const struct view *v, struct value a, struct value b)
{
    if (a.state != VALUE_SET || b.state != VALUE_SET) return -1;
    if (a.form == REF_LOCAL && b.form == REF_LOCAL && a.u.num == b.u.num) return 1;
    const char *x = id_of(v, a), *y = id_of(v, b);
    if (x != NULL && y != NULL) return strcmp(x, y) == 0;
    bool a_new = a.form == REF_LOCAL && !view_is_observed(v, (uint32_t)a.u.num);
    bool b_new = b.form == REF_LOCAL && !view_is_observed(v, (uint32_t)b.u.num);
    return a_new && b_new ? 0 : -1; /* two that we make are two */
}

void *view_alloc(const struct view *v, size_t n, size_t size)
{
    void *p = arena_array(v->l->scratch, n, size);
    if (p == NULL) v->l->out_of_memory = true;
    return p;
}

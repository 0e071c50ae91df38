/* check_ports.c - DNAT entries that want the same port, outside or inside.
 *
 * Source: CreateForwardEntry: the triples (address, port, protocol) are unique on both sides; an address with
 * any port has no other entry. */
#include "reconciler/manifest/check.h"

#include <stdlib.h>

struct outer {
    struct value eip, protocol;
    uint16_t first, last; /* 0 to 65535 for any */
    bool any;
    uint32_t i;
};

/* Entries with any port come first within an EIP. */
static int compare_outer(const void *a, const void *b)
{
    const struct outer *x = a, *y = b;
    int order = value_compare(FIELD_REF, x->eip, y->eip);
    if (order == 0) order = (int)y->any - (int)x->any;
    if (order == 0) order = value_compare(FIELD_ENUM, x->protocol, y->protocol);
    if (order == 0) order = (int)x->first - (int)y->first;
    return order != 0 ? order : x->i < y->i ? -1 : x->i > y->i;
}

static bool outer_of(const struct view *v, uint32_t i, struct outer *out)
{
    *out = (struct outer){
        .eip = *view_value(v, i, DNAT_EIP), .protocol = *view_value(v, i, DNAT_PROTOCOL), .i = i};
    const struct value *port = view_value(v, i, DNAT_EXTERNAL_PORT);
    if (out->eip.state != VALUE_SET || out->protocol.state != VALUE_SET || port->state != VALUE_SET)
        return false;
    out->any = text_is(value_as_text(*port), "any");
    out->last = 65535;
    return out->any || view_ports(*port, &out->first, &out->last);
}

static void complain_outer(struct view *v, const struct outer *a, const struct outer *b)
{
    if (a->any)
        COMPLAIN_OF(v, b->i, DNAT_EXTERNAL_PORT,
                    "an EIP with any port mapped to one target serves nothing else",
                    "the EIP is taken as a whole by the DnatEntry `" TEXT_FMT "` at %s", NAME_OF(v, a->i),
                    view_place(v, a->i));
    else
        COMPLAIN_OF(v, b->i, DNAT_EXTERNAL_PORT, "an external port of an EIP leads to one target",
                    "`externalPort` %s/%s overlaps that of the DnatEntry `" TEXT_FMT "` at %s",
                    view_value(v, b->i, DNAT_EXTERNAL_PORT)->u.text, b->protocol.u.text, NAME_OF(v, a->i),
                    view_place(v, a->i));
}

static void check_outer(struct view *v)
{
    uint32_t n = 0;
    struct outer *list =
        view_alloc(v, v->first[KIND_DNAT_ENTRY + 1] - v->first[KIND_DNAT_ENTRY], sizeof *list);
    if (list == NULL) return;
    FOR_KIND(v, KIND_DNAT_ENTRY, i)
    if (outer_of(v, i, &list[n])) n++;
    qsort(list, n, sizeof *list, compare_outer);
    const struct outer *whole = NULL, *reach = NULL; /* the entry with any port; the one that ends last */
    for (uint32_t k = 0; k < n; k++) {
        const struct outer *o = &list[k];
        bool same_eip = k > 0 && value_compare(FIELD_REF, list[k - 1].eip, o->eip) == 0;
        if (!same_eip) whole = o->any ? o : NULL;
        if (!same_eip || value_compare(FIELD_ENUM, list[k - 1].protocol, o->protocol) != 0) reach = NULL;
        if (whole != NULL && whole != o)
            complain_outer(v, whole, o);
        else if (reach != NULL && o->first <= reach->last)
            complain_outer(v, reach, o);
        if (reach == NULL || o->last > reach->last) reach = o;
    }
}

struct inner {
    struct value gateway, instance, ip, protocol, port;
    uint32_t i;
};

static int compare_inner_key(const struct inner *x, const struct inner *y)
{
    int order = value_compare(FIELD_REF, x->gateway, y->gateway);
    if (order == 0) order = value_compare(FIELD_REF, x->instance, y->instance);
    if (order == 0) order = value_compare(FIELD_IP, x->ip, y->ip);
    if (order == 0) order = value_compare(FIELD_ENUM, x->protocol, y->protocol);
    return order != 0 ? order : value_compare(FIELD_PORTS, x->port, y->port);
}

static int compare_inner(const void *a, const void *b)
{
    const struct inner *x = a, *y = b;
    int order = compare_inner_key(x, y);
    return order != 0 ? order : x->i < y->i ? -1 : x->i > y->i;
}

static bool inner_of(const struct view *v, uint32_t i, struct inner *out)
{
    *out = (struct inner){.gateway = *view_value(v, i, DNAT_NAT),
                          .instance = *view_value(v, i, DNAT_TARGET_INSTANCE),
                          .ip = *view_value(v, i, DNAT_TARGET_IP),
                          .protocol = *view_value(v, i, DNAT_PROTOCOL),
                          .port = *view_value(v, i, DNAT_INTERNAL_PORT),
                          .i = i};
    uint32_t instance = view_local(v, i, DNAT_TARGET_INSTANCE);
    if (instance != UINT32_MAX && view_value(v, instance, INS_PRIVATE_IP)->state == VALUE_SET) {
        out->ip = *view_value(v, instance, INS_PRIVATE_IP); /* by address, where it is known */
        out->instance = (struct value){0};
    }
    return out->gateway.state == VALUE_SET && out->protocol.state == VALUE_SET &&
           out->port.state == VALUE_SET && (out->instance.state == VALUE_SET || out->ip.state == VALUE_SET);
}

static void check_inner(struct view *v)
{
    uint32_t n = 0;
    struct inner *list =
        view_alloc(v, v->first[KIND_DNAT_ENTRY + 1] - v->first[KIND_DNAT_ENTRY], sizeof *list);
    if (list == NULL) return;
    FOR_KIND(v, KIND_DNAT_ENTRY, i)
    if (inner_of(v, i, &list[n])) n++;
    qsort(list, n, sizeof *list, compare_inner);
    for (uint32_t k = 1; k < n; k++)
        if (compare_inner_key(&list[k - 1], &list[k]) == 0)
            COMPLAIN_OF(v, list[k].i, DNAT_INTERNAL_PORT, "a port of a target is published once",
                        "the DnatEntry `" TEXT_FMT
                        "` at %s leads to the same target and `internalPort` %s/%s",
                        NAME_OF(v, list[k - 1].i), view_place(v, list[k - 1].i), list[k].port.u.text,
                        list[k].protocol.u.text);
}

void check_ports(struct view *v)
{
    check_outer(v);
    if (!v->l->out_of_memory) check_inner(v);
}

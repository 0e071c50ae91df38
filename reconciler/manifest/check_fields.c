/* check_fields.c - what fields of one resource say together. */
#include "reconciler/manifest/check.h"

#include <stdlib.h>
#include <string.h>

static bool is_any(struct value v)
{
    return v.state == VALUE_SET && text_is(value_as_text(v), "any");
}

/* Ports mean something for tcp and udp only; there, all of them are the same as any.  Source:
 * AuthorizeSecurityGroup, Permissions.N.PortRange */
static void check_rule(struct view *v, uint32_t i)
{
    struct value *values = v->d->items[i].values;
    struct value protocol = values[SGR_PROTOCOL], *ports = &values[SGR_PORTS];
    if (protocol.state != VALUE_SET || ports->state != VALUE_SET) return;
    bool has_ports = text_is(value_as_text(protocol), "tcp") || text_is(value_as_text(protocol), "udp");
    if (has_ports && text_is(value_as_text(*ports), "1/65535")) *ports = value_cstr("any");
    if (!has_ports && !is_any(*ports))
        COMPLAIN_OF(v, i, SGR_PORTS, "write any, or leave `ports` out",
                    "`ports` is `%s`, but %s has no ports", ports->u.text, protocol.u.text);
}

/* Source: AllocateEipAddress, Bandwidth */
static void check_eip(struct view *v, uint32_t i)
{
    static const struct {
        const char *charge;
        int64_t max;
    } limits[] = {{"PayByTraffic", 200}, {"PayByBandwidth", 500}};
    const struct value *bandwidth = view_value(v, i, EIP_BANDWIDTH), *charge = view_value(v, i, EIP_CHARGE);
    if (bandwidth->state != VALUE_SET) return;
    if (charge->state != VALUE_SET && v->marks[i][EIP_CHARGE].line > 0) return; /* it was wrong */
    struct text given =
        charge->state == VALUE_SET ? value_as_text(*charge) : text_of(kind_eip.fields[EIP_CHARGE].initial);
    for (size_t k = 0; k < N_ELEMENTS(limits); k++)
        if (text_is(given, limits[k].charge) && bandwidth->u.num > limits[k].max)
            COMPLAIN_OF(v, i, EIP_BANDWIDTH, NULL,
                        "`bandwidth` is %lld, but with %s it is at most %lld Mbit/s",
                        (long long)bandwidth->u.num, limits[k].charge, (long long)limits[k].max);
}

/* IP mapping is any protocol with any ports, and only so.  Source: CreateForwardEntry, IpProtocol */
static void check_dnat(struct view *v, uint32_t i)
{
    const struct value *outer = view_value(v, i, DNAT_EXTERNAL_PORT),
                       *inner = view_value(v, i, DNAT_INTERNAL_PORT);
    const struct value *protocol = view_value(v, i, DNAT_PROTOCOL);
    if (outer->state != VALUE_SET || inner->state != VALUE_SET || protocol->state != VALUE_SET) return;
    bool all = is_any(*outer) && is_any(*inner), some = is_any(*outer) || is_any(*inner);
    if (is_any(*protocol) && !all) {
        COMPLAIN_OF(v, i, is_any(*outer) ? DNAT_INTERNAL_PORT : DNAT_EXTERNAL_PORT,
                    "set both ports to any, or the protocol to tcp or udp",
                    "with the protocol any both ports must be any");
        return;
    }
    if (!is_any(*protocol) && some) {
        COMPLAIN_OF(v, i, is_any(*outer) ? DNAT_EXTERNAL_PORT : DNAT_INTERNAL_PORT,
                    "set the protocol to any, too, or give a port",
                    "the port any needs the protocol any, not %s", protocol->u.text);
        return;
    }
    uint16_t a, b, c, d;
    if (view_ports(*outer, &a, &b) && view_ports(*inner, &c, &d) && b - a != d - c)
        COMPLAIN_OF(v, i, DNAT_INTERNAL_PORT, "give ranges of the same size",
                    "`externalPort` %s and `internalPort` %s differ in size", outer->u.text, inner->u.text);
}

void check_fields(struct view *v)
{
    FOR_KIND(v, KIND_SECURITY_GROUP_RULE, i) check_rule(v, i);
    FOR_KIND(v, KIND_EIP, i) check_eip(v, i);
    FOR_KIND(v, KIND_DNAT_ENTRY, i) check_dnat(v, i);
}

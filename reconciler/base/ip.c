/* ip.c - IPv4 addresses, blocks and port ranges. */
#include "reconciler/base/ip.h"

#include <string.h>

enum ip_fault ip_parse(struct text t, uint32_t *out)
{
    if (t.len > 0 && memchr(t.ptr, ':', t.len) != NULL) return IP_IS_V6;
    uint32_t ip = 0;
    struct text part;
    int n = 0;
    while (text_cut(&t, '.', &part)) {
        uint64_t v;
        if (++n > 4 || part.len > 3 || (part.len > 1 && part.ptr[0] == '0') || !text_to_u64(part, 255, &v))
            return IP_SYNTAX;
        ip = ip << 8 | (uint32_t)v;
    }
    if (n != 4) return IP_SYNTAX;
    *out = ip;
    return IP_OK;
}

static uint32_t mask_of(uint8_t bits)
{
    return bits == 0 ? 0 : UINT32_MAX << (32 - bits);
}

enum ip_fault cidr_parse(struct text t, struct cidr *out)
{
    struct text ip_part;
    if (!text_cut(&t, '/', &ip_part)) return IP_SYNTAX;
    uint32_t ip;
    enum ip_fault fault = ip_parse(ip_part, &ip);
    if (fault != IP_OK) return fault;
    uint64_t bits;
    if (t.ptr == NULL) return IP_SYNTAX;
    if (t.len > 2 || (t.len > 1 && t.ptr[0] == '0') || !text_to_u64(t, 99, &bits)) return IP_SYNTAX;
    if (bits > 32) return IP_BAD_BITS;
    *out = (struct cidr){ip & mask_of((uint8_t)bits), (uint8_t)bits};
    return out->base == ip ? IP_OK : IP_HOST_BITS;
}

char *ip_format(uint32_t ip, char out[IP_TEXT_SIZE])
{
    (void)snprintf(out, IP_TEXT_SIZE, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
    return out;
}

char *cidr_format(struct cidr c, char out[CIDR_TEXT_SIZE])
{
    (void)snprintf(out, CIDR_TEXT_SIZE, "%u.%u.%u.%u/%u", c.base >> 24, c.base >> 16 & 255, c.base >> 8 & 255,
                   c.base & 255, c.bits & 63u);
    return out;
}

uint32_t cidr_last(struct cidr c)
{
    return c.base | ~mask_of(c.bits);
}

bool cidr_has(struct cidr c, uint32_t ip)
{
    return (ip & mask_of(c.bits)) == c.base;
}

bool cidr_contains(struct cidr outer, struct cidr inner)
{
    return inner.bits >= outer.bits && cidr_has(outer, inner.base);
}

bool cidr_overlaps(struct cidr a, struct cidr b)
{
    return cidr_contains(a, b) || cidr_contains(b, a);
}

int cidr_compare(struct cidr a, struct cidr b)
{
    if (a.base != b.base) return a.base < b.base ? -1 : 1;
    return (int)a.bits - (int)b.bits;
}

bool ports_parse(struct text t, uint16_t min, uint16_t *first, uint16_t *last)
{
    bool dash = t.len > 0 && memchr(t.ptr, '-', t.len) != NULL;
    struct text head;
    if (!text_cut(&t, dash ? '-' : '/', &head)) return false;
    uint64_t a, b;
    if (!text_to_u64(head, 65535, &a)) return false;
    b = a;
    if (t.ptr != NULL && !text_to_u64(t, 65535, &b)) return false;
    if (a < min || b < a) return false;
    *first = (uint16_t)a;
    *last = (uint16_t)b;
    return true;
}

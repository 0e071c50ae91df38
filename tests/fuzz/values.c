/* values.c - small texts: blocks, addresses, ports, numbers, durations, addresses of resources. What is read
 * is written and read back. */
#include "tests/fuzz/fuzz.h"

#include "reconciler/base/buf.h"
#include "reconciler/base/ip.h"
#include "reconciler/model/resource.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void read_block(struct text t)
{
    struct cidr c, again;
    char text[CIDR_TEXT_SIZE];
    enum ip_fault fault = cidr_parse(t, &c);
    if (fault != IP_OK) return;
    enum ip_fault second = cidr_parse(text_of(cidr_format(c, text)), &again);
    ASSERT(second == IP_OK);
    ASSERT(again.base == c.base && again.bits == c.bits);
}

static void read_ip(struct text t)
{
    uint32_t ip, again;
    char text[IP_TEXT_SIZE];
    if (ip_parse(t, &ip) != IP_OK) return;
    enum ip_fault second = ip_parse(text_of(ip_format(ip, text)), &again);
    ASSERT(second == IP_OK && again == ip);
}

static void read_ports(struct text t)
{
    uint16_t first, last;
    if (ports_parse(t, 1, &first, &last)) ASSERT(first >= 1 && first <= last);
}

static void read_number(struct text t)
{
    int64_t n, again;
    uint64_t u;
    char text[32];
    if (text_to_u64(t, UINT64_MAX, &u)) ASSERT(t.len > 0);
    if (!text_to_i64(t, INT64_MIN, INT64_MAX, &n)) return;
    (void)snprintf(text, sizeof text, "%" PRId64, n);
    bool read = text_to_i64(text_of(text), INT64_MIN, INT64_MAX, &again);
    ASSERT(read && again == n);
}

static void read_duration(struct text t)
{
    int64_t ms;
    if (text_to_duration_ms(t, &ms)) ASSERT(ms >= 0);
}

static void read_address(struct text t)
{
    enum kind kind;
    struct text name;
    char text[RESOURCE_ADDRESS_SIZE];
    if (!address_parse(t, &kind, &name) || t.len >= RESOURCE_ADDRESS_SIZE) return;
    if (memchr(t.ptr, '\0', t.len) == NULL) ASSERT(text_is(t, address_format(kind, name, text)));
}

static void escape(struct text t)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, t.len * 8 + 16);
    buf_put_escaped(&b, t);
    ASSERT(buf_ok(&b) && text_is_utf8(buf_text(&b), NULL));
    ASSERT(b.ptr == NULL || (memchr(b.ptr, '\0', b.len) == NULL && memchr(b.ptr, 0x1b, b.len) == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct text) = {read_block,    read_ip,      read_ports, read_number,
                                                   read_duration, read_address, escape};
    struct text rest = {(const char *)data, size};
    readers[fuzz_byte(&rest) % N_ELEMENTS(readers)](rest);
    return 0;
}

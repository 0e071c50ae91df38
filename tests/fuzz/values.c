/* values.c - the small parsers of text: addresses, blocks, ports, numbers, durations, UTF-8, names and ids.
 *
 * What is read is written again and read once more: both must be the same. The first line of the input is
 * read by all of them, the second is what it is compared with. */
#include "reconciler/base/ip.h"
#include "reconciler/manifest/values.h"
#include "tests/fuzz/fuzz.h"

static void check_addresses(struct text t)
{
    uint32_t ip, again;
    char text[IP_TEXT_SIZE];
    if (ip_parse(t, &ip) != IP_OK) return;
    ASSERT(text_is(t, ip_format(ip, text)));
    ASSERT(ip_parse(text_of(text), &again) == IP_OK && again == ip);
}

static void check_blocks(struct text a, struct text b)
{
    struct cidr x, y;
    char text[CIDR_TEXT_SIZE];
    enum ip_fault fault = cidr_parse(a, &x);
    if (fault != IP_OK && fault != IP_HOST_BITS) return;
    ASSERT(x.bits <= 32 && x.base <= cidr_last(x));
    ASSERT(cidr_has(x, x.base) && cidr_has(x, cidr_last(x)));
    ASSERT(fault == IP_HOST_BITS || text_is(a, cidr_format(x, text)));
    ASSERT(cidr_parse(text_of(cidr_format(x, text)), &y) == IP_OK && cidr_compare(x, y) == 0);
    if (cidr_parse(b, &y) != IP_OK) return;
    bool apart = cidr_last(x) < y.base || cidr_last(y) < x.base;
    ASSERT(cidr_overlaps(x, y) == !apart);
    ASSERT((cidr_compare(x, y) == 0) == (cidr_contains(x, y) && cidr_contains(y, x)));
}

static void check_ports(struct text t)
{
    uint16_t first, last, first_again, last_again;
    char text[16];
    if (!ports_parse(t, 1, &first, &last)) return;
    ASSERT(first >= 1 && first <= last);
    (void)snprintf(text, sizeof text, "%u/%u", first, last);
    ASSERT(ports_parse(text_of(text), 1, &first_again, &last_again));
    ASSERT(first == first_again && last == last_again);
}

static void check_numbers(struct text t)
{
    uint64_t u;
    int64_t i, ms;
    char text[24];
    if (text_to_u64(t, UINT64_MAX, &u)) {
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)u);
        ASSERT(text_ends_with(t, text)); /* zeros may stand before it */
        ASSERT(u == 0 || !text_to_u64(t, u - 1, &u));
    }
    if (text_to_i64(t, INT64_MIN, INT64_MAX, &i)) {
        (void)snprintf(text, sizeof text, "%lld", (long long)i);
        ASSERT(text_to_i64(text_of(text), i, i, &ms) && ms == i);
    }
    if (text_to_duration_ms(t, &ms)) ASSERT(ms >= 0);
}

static void check_text(struct text t)
{
    size_t bad_at = SIZE_MAX;
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, t.len * 4 + 1);
    bool utf8 = text_is_utf8(t, &bad_at);
    ASSERT(utf8 || (bad_at < t.len && text_is_utf8((struct text){t.ptr, bad_at}, NULL)));
    json_t *j = json_stringn(t.ptr, t.len); /* another's opinion */
    ASSERT((j != NULL) == utf8);
    json_decref(j);
    buf_put_escaped(&b, t);
    fuzz_check_text(&b);
    for (size_t i = 0; i < b.len; i++) ASSERT((unsigned char)b.ptr[i] >= 0x20 && b.ptr[i] != 0x7f);
    struct text trimmed = text_trim(t), rest = t, head;
    ASSERT(trimmed.len <= t.len && text_equal(text_trim(trimmed), trimmed));
    size_t n = 0;
    while (text_cut(&rest, '.', &head)) n += head.len + 1;
    ASSERT(n == t.len + 1);
}

static void check_names(struct text t, struct text other)
{
    enum kind kind;
    struct text name;
    char address[RESOURCE_ADDRESS_SIZE];
    for (enum text_rule rule = RULE_NONE; rule <= RULE_CLOUD_ID; rule++) (void)text_rule_fault(rule, t);
    for (enum kind k = 0; k < N_KINDS; k++) {
        (void)id_is_valid(k, t);
        uint8_t field = kind_field(k, t);
        ASSERT(field == FIELD_NO || text_is(t, kind_info(k)->fields[field].name));
    }
    if (address_parse(t, &kind, &name) && t.len < sizeof address && memchr(t.ptr, '\0', t.len) == NULL)
        ASSERT(text_is(t, address_format(kind, name, address)));
    size_t d = text_distance(t, other);
    ASSERT(d == text_distance(other, t));
    ASSERT(d == SIZE_MAX || ((d == 0) == text_equal_nocase(t, other)));
    ASSERT(text_compare(t, other) == -text_compare(other, t) ||
           (text_compare(t, other) < 0) == (text_compare(other, t) > 0));
    ASSERT((text_compare(t, other) == 0) == text_equal(t, other));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = fuzz_input(data, size), t;
    (void)text_cut(&rest, '\n', &t);
    struct text other = rest.ptr == NULL ? TEXT("") : rest;
    check_addresses(t);
    check_blocks(t, other);
    check_ports(t);
    check_numbers(t);
    check_text(t);
    check_names(t, other);
    return 0;
}

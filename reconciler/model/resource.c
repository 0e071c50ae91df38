/* resource.c - addresses, and look-ups in sorted snapshots. */
#include "reconciler/model/resource.h"

#include <string.h>

const struct lifecycle lifecycle_default = {0};

void resource_protect(const struct resource *r, struct value *values, uint64_t *set_fields)
{
    if (!r->lifecycle->prevent_destroy || r->lifecycle->management == MANAGE_OBSERVE) return;
    uint8_t field = kind_field(r->kind, TEXT("deletionProtection"));
    if (field == FIELD_NO) return;
    values[field] = value_bool(true);
    *set_fields |= (uint64_t)1 << field;
}

char *address_format(enum kind kind, struct text name, char out[RESOURCE_ADDRESS_SIZE])
{
    const char *kind_name = kind_info(kind)->name;
    size_t n = strlen(kind_name), rest = MIN_OF(name.len, (size_t)RESOURCE_ADDRESS_SIZE - n - 2);
    memcpy(out, kind_name, n);
    out[n] = '/';
    if (rest > 0) memcpy(out + n + 1, name.ptr, rest);
    out[n + 1 + rest] = '\0';
    return out;
}

bool address_parse(struct text address, enum kind *kind, struct text *name)
{
    struct text head;
    if (!text_cut(&address, '/', &head) || address.ptr == NULL || address.len == 0) return false;
    enum kind k = kind_of_name(head);
    if (k == KIND_NONE) return false;
    *kind = k;
    *name = address;
    return true;
}

int address_compare(enum kind a_kind, struct text a_name, enum kind b_kind, struct text b_name)
{
    if (a_kind != b_kind) return a_kind < b_kind ? -1 : 1;
    return text_compare(a_name, b_name);
}

uint32_t desired_find(const struct desired *d, enum kind kind, struct text name)
{
    uint32_t low = 0, high = d->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = address_compare(d->items[middle].kind, d->items[middle].name, kind, name);
        if (order == 0) return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return UINT32_MAX;
}

uint32_t records_find(const struct records *r, enum kind kind, struct text name)
{
    uint32_t low = 0, high = r->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = address_compare(r->items[middle].kind, r->items[middle].name, kind, name);
        if (order == 0) return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return UINT32_MAX;
}

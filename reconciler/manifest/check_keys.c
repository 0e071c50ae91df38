/* check_keys.c - two resources that would be one object of the cloud: the same natural key, the same id. */
#include "reconciler/manifest/check.h"

#include <stdlib.h>
#include <string.h>

/* The kinds whose natural key is checked here (vSwitches and DNAT entries have checks for overlap), the field
 * to show, and what is wrong. */
static const struct {
    enum kind kind;
    uint8_t field;
    const char *what, *help;
} rows[] = {
    {KIND_SECURITY_GROUP_RULE, SGR_PROTOCOL, "the same rule is given twice", "remove one of them"},
    {KIND_EIP_ASSOCIATION, EAS_EIP, "the EIP is bound twice", "an EIP is bound to one thing at a time"},
    {KIND_SNAT_ENTRY, SNAT_NAT, "the source has two SNAT entries on this gateway",
     "a source has one entry; give several EIPs in it"},
    {KIND_ROUTE_ENTRY, RTE_DESTINATION, "the table has two routes to this destination", "remove one of them"},
    {KIND_ROUTE_TABLE_ASSOCIATION, RTA_VSWITCH, "the vSwitch is associated with two route tables",
     "a vSwitch has one route table"},
};

/* A resource and a hash of its key. Sorting compares hashes; where they are equal, keys. */
struct keyed {
    uint64_t hash;
    uint32_t i;
};

static uint64_t hash_of(const struct resource *r)
{
    const struct kind_info *info = kind_info(r->kind);
    uint64_t h = 0;
    for (uint8_t i = 0; i < info->n_fields; i++) {
        struct value v = r->values[i];
        if (!(info->fields[i].flags & FIELD_KEY) || v.state != VALUE_SET) continue;
        bool is_text = v.form == REF_ID || (v.form == REF_NONE && info->fields[i].type != FIELD_INT &&
                                            info->fields[i].type != FIELD_BOOL);
        if (is_text)
            h = text_mix(h, value_as_text(v));
        else if (v.form != REF_LOOKUP) /* many may hash alike: those are compared */
            h = hash_mix(h, (uint64_t)v.u.num);
    }
    return h;
}

static int compare_keys(const struct view *v, uint32_t x, uint32_t y)
{
    const struct resource *r = &v->d->items[x], *s = &v->d->items[y];
    const struct kind_info *info = kind_info(r->kind);
    for (uint8_t i = 0; i < info->n_fields; i++) {
        if (!(info->fields[i].flags & FIELD_KEY)) continue;
        int order = value_compare(info->fields[i].type, r->values[i], s->values[i]);
        if (order != 0) return order;
    }
    return 0;
}

static int compare_keyed(const void *a, const void *b, void *ctx)
{
    const struct keyed *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    int order = compare_keys(ctx, x->i, y->i);
    return order != 0 ? order : x->i < y->i ? -1 : x->i > y->i;
}

static bool has_key(const struct view *v, uint32_t i)
{
    const struct resource *r = &v->d->items[i];
    const struct kind_info *info = kind_info(r->kind);
    bool has_group = false, group_set = false;
    for (uint8_t k = 0; k < info->n_fields; k++) {
        if (!(info->fields[k].flags & FIELD_KEY)) continue;
        bool set = r->values[k].state == VALUE_SET;
        if (info->fields[k].one_of > 0) {
            has_group = true;
            group_set |= set;
        } else if (!set) {
            return false;
        }
    }
    return !has_group || group_set;
}

/* Of two, the one that is written first. */
static bool is_before(const struct view *v, uint32_t a, uint32_t b)
{
    const struct src_pos *x = &v->d->items[a].pos, *y = &v->d->items[b].pos;
    if (x->file != y->file) return a < b;
    return x->line != y->line ? x->line < y->line : x->column < y->column;
}

static void complain_same(struct view *v, uint32_t a, uint32_t b, uint8_t field, const char *what,
                          const char *help)
{
    uint32_t first = is_before(v, a, b) ? a : b, second = first == a ? b : a;
    COMPLAIN_OF(v, second, field, help, "%s; see `" TEXT_FMT "` at %s", what, NAME_OF(v, first),
                view_place(v, first));
}

static void check_kind(struct view *v, size_t row)
{
    enum kind kind = rows[row].kind;
    uint32_t n = 0;
    struct keyed *list = view_alloc(v, v->first[kind + 1] - v->first[kind], sizeof *list);
    if (list == NULL) return;
    FOR_KIND(v, kind, i)
    if (has_key(v, i)) list[n++] = (struct keyed){hash_of(&v->d->items[i]), i};
    if (n > 1) qsort_r(list, n, sizeof *list, compare_keyed, v);
    for (uint32_t k = 1; k < n; k++)
        if (list[k - 1].hash == list[k].hash && compare_keys(v, list[k - 1].i, list[k].i) == 0)
            complain_same(v, list[k - 1].i, list[k].i, rows[row].field, rows[row].what, rows[row].help);
}

static int compare_ids(const void *a, const void *b, void *ctx)
{
    const struct view *v = ctx;
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    const struct resource *r = &v->d->items[x], *s = &v->d->items[y];
    int order = r->kind != s->kind ? (r->kind < s->kind ? -1 : 1) : strcmp(r->external_id, s->external_id);
    return order != 0 ? order : x < y ? -1 : x > y;
}

static void check_ids(struct view *v)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->d->n; i++) n += v->d->items[i].external_id != NULL;
    uint32_t *list = view_alloc(v, n, sizeof *list);
    if (list == NULL || n < 2) return;
    n = 0;
    for (uint32_t i = 0; i < v->d->n; i++)
        if (v->d->items[i].external_id != NULL) list[n++] = i;
    qsort_r(list, n, sizeof *list, compare_ids, v);
    for (uint32_t k = 1; k < n; k++) {
        const struct resource *a = &v->d->items[list[k - 1]], *b = &v->d->items[list[k]];
        if (a->kind == b->kind && strcmp(a->external_id, b->external_id) == 0)
            complain_same(v, list[k - 1], list[k], FIELD_NO, "two resources have the same id",
                          "keep one of them");
    }
}

void check_keys(struct view *v)
{
    for (size_t row = 0; row < N_ELEMENTS(rows) && !v->l->out_of_memory; row++) check_kind(v, row);
    check_ids(v);
}

/* resolve.c - what was read becomes desired: sorted by address, references as indices. */
#include "reconciler/manifest/check.h"
#include "reconciler/manifest/values.h"

#include <stdlib.h>
#include <string.h>

/* What sorting looks at: kind and the first bytes of the name, so that names are rarely compared. */
struct order {
    uint64_t head;
    uint32_t at, kind;
};

static uint64_t head_of(struct text name)
{
    uint64_t head = 0;
    for (size_t i = 0; i < 8; i++) head = head << 8 | (i < name.len ? (unsigned char)name.ptr[i] : 0);
    return head;
}

static int compare(const void *a, const void *b, void *ctx)
{
    const struct resource *resources = ctx;
    const struct order *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->head != y->head) return x->head < y->head ? -1 : 1;
    int order = text_compare(resources[x->at].name, resources[y->at].name);
    return order != 0 ? order : x->at < y->at ? -1 : 1;
}

/* Kind by kind; within one, manifests are often in order already. */
static struct order *sorted(struct load *l)
{
    struct order *order = arena_array_of(l->scratch, l->n_resources, struct order);
    size_t begin[N_KINDS + 1] = {0}, end[N_KINDS];
    bool in_order[N_KINDS];
    if (order == NULL) return NULL;
    for (size_t i = 0; i < l->n_resources; i++) begin[l->resources[i].kind + 1]++;
    for (int k = 0; k < N_KINDS; k++) {
        begin[k + 1] += begin[k];
        end[k] = begin[k];
        in_order[k] = true;
    }
    for (size_t i = 0; i < l->n_resources; i++) {
        const struct resource *r = &l->resources[i];
        size_t at = end[r->kind]++;
        order[at] = (struct order){head_of(r->name), (uint32_t)i, r->kind};
        if (at > begin[r->kind] && compare(&order[at - 1], &order[at], l->resources) > 0)
            in_order[r->kind] = false;
    }
    for (int k = 0; k < N_KINDS; k++)
        if (!in_order[k]) qsort_r(order + begin[k], end[k] - begin[k], sizeof *order, compare, l->resources);
    return order;
}

static void complain_duplicate(struct load *l, const struct resource *first, const struct resource *second)
{
    /* A document with variables waits for the Stack: it may be read after one that is below it. */
    if (strcmp(first->pos.file, second->pos.file) == 0 && first->pos.line > second->pos.line) {
        const struct resource *swapped = first;
        first = second;
        second = swapped;
    }
    bool generated = memchr(second->name.ptr, '.', second->name.len) != NULL;
    l->file = second->pos.file;
    l->kind = second->kind;
    l->name = second->name;
    COMPLAIN(l, ((struct mark){second->pos.line, second->pos.column}),
             generated ? "an item says the same as another, or its `name` is taken" : "rename one of them",
             "a second %s `%s`; the first is at %s:%u:%u", kind_info(second->kind)->name,
             load_shown(l, second->name), first->pos.file, first->pos.line, first->pos.column);
}

/* Puts resources and their marks into order, where they are: each is moved once, along the cycles of the
 * permutation. Uses 'order' up. */
static void permute(struct load *l, struct order *order)
{
    for (uint32_t i = 0; i < l->n_resources; i++) {
        struct resource r = l->resources[i];
        struct mark *marks = l->marks[i];
        uint32_t at = i;
        while (order[at].at != i) {
            uint32_t from = order[at].at;
            l->resources[at] = l->resources[from];
            l->marks[at] = l->marks[from];
            order[at].at = at;
            at = from;
        }
        l->resources[at] = r;
        l->marks[at] = marks;
        order[at].at = at;
    }
}

/* The final array, in order of address and without duplicates. */
static bool place(struct load *l, struct view *v, struct desired *out)
{
    struct order *order = sorted(l);
    if (order == NULL) return false;
    permute(l, order);
    out->items = l->resources;
    v->marks = l->marks;
    out->n = 0;
    for (size_t i = 0; i < l->n_resources; i++) {
        const struct resource *r = &l->resources[i];
        struct resource *last = out->n == 0 ? NULL : &out->items[out->n - 1];
        if (last != NULL && last->kind == r->kind && text_equal(last->name, r->name)) {
            complain_duplicate(l, last, r);
            continue;
        }
        v->marks[out->n] = l->marks[i];
        out->items[out->n++] = *r;
    }
    uint32_t i = 0;
    for (int k = 0; k <= N_KINDS; k++) {
        while (i < out->n && (int)out->items[i].kind < k) i++;
        v->first[k] = i;
    }
    return true;
}

/* A table from addresses to indices, to spare look-ups the binary search. It holds the kinds that are
 * referred to: a fifth of most stacks. Whoever chooses names can make hashes collide, so a look-up gives up
 * after a few probes and searches: slower, never quadratic. uthash would cost 56 bytes a resource. */
struct index {
    uint32_t *slots; /* index + 1; 0: free */
    size_t mask;
    bool holds[N_KINDS];
    const struct desired *d;
};

enum { MAX_PROBES = 16 };

static size_t slot_of(const struct index *x, enum kind kind, struct text name)
{
    return (size_t)text_mix((uint64_t)kind, name) & x->mask;
}

static void add_targets(bool holds[N_KINDS])
{
    for (int k = 0; k < N_KINDS; k++) {
        const struct kind_info *info = kind_info((enum kind)k);
        for (uint8_t f = 0; f < info->n_fields; f++)
            if (info->fields[f].type == FIELD_REF || info->fields[f].type == FIELD_REF_LIST)
                holds[info->fields[f].ref] = true;
    }
}

static bool index_build(struct load *l, struct index *x, const struct view *v)
{
    const struct desired *d = v->d;
    size_t size = 16, n = 0;
    *x = (struct index){.d = d};
    add_targets(x->holds);
    for (int k = 0; k < N_KINDS; k++) n += x->holds[k] ? v->first[k + 1] - v->first[k] : 0;
    while (size < n * 2) size *= 2;
    x->slots = arena_array_of(l->scratch, size, uint32_t);
    x->mask = size - 1;
    if (x->slots == NULL) return false;
    for (uint32_t i = 0; i < d->n; i++) {
        if (!x->holds[d->items[i].kind]) continue;
        size_t s = slot_of(x, d->items[i].kind, d->items[i].name);
        for (int p = 0; p < MAX_PROBES; p++, s = (s + 1) & x->mask)
            if (x->slots[s] == 0) {
                x->slots[s] = i + 1;
                break;
            }
    }
    return true;
}

static uint32_t index_find(const struct index *x, enum kind kind, struct text name)
{
    size_t s = slot_of(x, kind, name);
    for (int p = 0; x->holds[kind] && p < MAX_PROBES; p++, s = (s + 1) & x->mask) {
        if (x->slots[s] == 0) return UINT32_MAX;
        const struct resource *r = &x->d->items[x->slots[s] - 1];
        if (r->kind == kind && text_equal(r->name, name)) return x->slots[s] - 1;
    }
    return desired_find(x->d, kind, name);
}

struct names {
    const struct view *v;
    enum kind kind;
};

static const char *name_at(const void *ctx, size_t i)
{
    const struct names *names = ctx;
    return names->v->d->items[names->v->first[names->kind] + i].name.ptr; /* kept texts end with NUL */
}

static void complain_unresolved(struct view *v, const struct index *x, uint32_t i, const char *field,
                                enum kind wanted, struct value ref)
{
    struct load *l = v->l;
    struct text name = value_as_text(ref);
    struct mark mark = value_ref_mark(ref);
    const char *shown = load_shown(l, name), *wanted_name = kind_info(wanted)->name;
    view_enter(v, i);
    for (int k = 0; k < N_KINDS; k++)
        if (index_find(x, (enum kind)k, name) != UINT32_MAX) {
            COMPLAIN(l, mark, NULL, "`%s`: `%s` is a %s, not a %s", field, shown,
                     kind_info((enum kind)k)->name, wanted_name);
            return;
        }
    if (l->incomplete) return; /* it may be in what could not be read */
    const char *prefix = kind_info(wanted)->id_prefix;
    struct names names = {v, wanted};
    if (prefix != NULL && text_starts_with(name, prefix))
        COMPLAIN(l, mark, load_help(l, "write {id: %s} for something that exists already", shown),
                 "`%s`: there is no %s `%s`", field, wanted_name, shown);
    else
        COMPLAIN(
            l, mark,
            load_suggest(
                l, name, v->first[wanted + 1] - v->first[wanted], name_at, &names,
                load_help(l, "declare it, or write {name: %s} for something that exists already", shown)),
            "`%s`: there is no %s `%s`", field, wanted_name, shown);
}

static void resolve_one(struct view *v, const struct index *x, uint32_t i, const struct field *f,
                        struct value *ref)
{
    if (ref->state != VALUE_SET || ref->form != REF_NAME) return;
    uint32_t at = index_find(x, f->ref, value_as_text(*ref));
    if (at == UINT32_MAX) {
        complain_unresolved(v, x, i, f->name, f->ref, *ref);
        *ref = (struct value){0};
        return;
    }
    v->d->items[at].n_refs_to++;
    *ref = (struct value){.state = VALUE_SET, .form = REF_LOCAL, .u.num = at};
}

static void resolve_list(struct view *v, const struct index *x, uint32_t i, const struct field *f,
                         struct value *list)
{
    struct value *items = (struct value *)(uintptr_t)list->u.items; /* ours since they were read */
    uint32_t n = 0;
    for (uint32_t k = 0; k < list->n; k++) {
        resolve_one(v, x, i, f, &items[k]);
        if (items[k].state == VALUE_SET) items[n++] = items[k];
    }
    list->n = f->flags & FIELD_SET ? value_sort_set(f->type, items, n) : n;
}

static void resolve_resource(struct view *v, const struct index *x, uint32_t i)
{
    struct resource *r = &v->d->items[i];
    const struct kind_info *info = kind_info(r->kind);
    for (uint8_t k = 0; k < info->n_fields; k++) {
        if (r->values[k].state != VALUE_SET) continue;
        if (info->fields[k].type == FIELD_REF)
            resolve_one(v, x, i, &info->fields[k], &r->values[k]);
        else if (info->fields[k].type == FIELD_REF_LIST)
            resolve_list(v, x, i, &info->fields[k], &r->values[k]);
    }
    const char *old = r->lifecycle->renamed_from;
    if (old != NULL && index_find(x, r->kind, text_of(old)) != UINT32_MAX)
        COMPLAIN_OF(v, i, FIELD_NO, "remove `renamedFrom`, or the resource of the old name",
                    "lifecycle: renamedFrom `%s`, but a %s of that name is still there", old,
                    kind_info(r->kind)->name);
}

bool resolve(struct load *l, struct view *v, struct desired *out)
{
    struct index x;
    *v = (struct view){.l = l, .d = out};
    if (!place(l, v, out) || !index_build(l, &x, v)) return false;
    for (uint32_t i = 0; i < out->n; i++) resolve_resource(v, &x, i);
    return !l->out_of_memory;
}

/* targets.c - which resources --target and --exclude leave in: what is named comes with what it needs, what
 * is kept out stays out with what needs it. */
#include "reconciler/plan/build.h"

#include <string.h>

static bool address_matches(struct text pattern, enum kind kind, struct text name)
{
    char address[RESOURCE_ADDRESS_SIZE];
    struct text a = text_of(address_format(kind, name, address));
    if (pattern.len > 0 && pattern.ptr[pattern.len - 1] == '*') {
        pattern.len--;
        return a.len >= pattern.len && memcmp(a.ptr, pattern.ptr, pattern.len) == 0;
    }
    return text_equal(a, pattern);
}

bool targets_match(const struct text *patterns, size_t n, enum kind kind, struct text name)
{
    for (size_t k = 0; k < n; k++)
        if (address_matches(patterns[k], kind, name)) return true;
    return false;
}

void each_target(const struct desired *d, uint32_t i, void (*visit)(void *ctx, uint32_t target), void *ctx)
{
    const struct resource *r = &d->items[i];
    const struct kind_info *info = kind_info(r->kind);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        struct value v = r->values[f];
        if (v.state != VALUE_SET) continue;
        if (info->fields[f].type == FIELD_REF && v.form == REF_LOCAL) visit(ctx, (uint32_t)v.u.num);
        if (info->fields[f].type == FIELD_REF_LIST)
            for (uint32_t k = 0; k < v.n; k++)
                if (v.u.items[k].form == REF_LOCAL) visit(ctx, (uint32_t)v.u.items[k].u.num);
    }
}

const struct value *eips_of_entry(const struct resource *r, uint32_t *n)
{
    const struct value *eip = &r->values[DNAT_EIP], *eips = &r->values[SNAT_EIPS];
    *n = r->kind == KIND_DNAT_ENTRY                               ? 1
         : r->kind == KIND_SNAT_ENTRY && eips->state == VALUE_SET ? eips->n
                                                                  : 0;
    return r->kind == KIND_DNAT_ENTRY ? eip : eips->u.items;
}

/* The same for the associations that bind the EIPs of an entry to its gateway: it needs them, too.
 * 'association_of' has that of each EIP of the stack, by their indices. */
static void each_association(const struct desired *d, const uint32_t *association_of, uint32_t i,
                             void (*visit)(void *ctx, uint32_t target), void *ctx)
{
    uint32_t n;
    const struct value *eips = eips_of_entry(&d->items[i], &n);
    for (uint32_t k = 0; k < n; k++) {
        if (eips[k].form == REF_LOCAL) {
            if (association_of[eips[k].u.num] != UINT32_MAX) visit(ctx, association_of[eips[k].u.num]);
            continue;
        }
        for (uint32_t a = i; a-- > 0 && d->items[a].kind >= KIND_EIP_ASSOCIATION;)
            if (d->items[a].kind == KIND_EIP_ASSOCIATION &&
                value_equal(FIELD_REF, d->items[a].values[EAS_EIP], eips[k]))
                visit(ctx, a);
    }
}

static uint32_t *index_associations(struct build *b)
{
    uint32_t *of = arena_array_of(b->arena, b->desired->n, uint32_t);
    if (of == NULL) b->out_of_memory = true;
    for (uint32_t i = 0; of != NULL && i < b->desired->n; i++) {
        const struct resource *r = &b->desired->items[i];
        of[i] = UINT32_MAX;
        if (r->kind == KIND_EIP_ASSOCIATION && r->values[EAS_EIP].form == REF_LOCAL)
            of[r->values[EAS_EIP].u.num] = i; /* references lead to lower indices */
    }
    return of;
}

static void clear_left_out(void *ctx, uint32_t target)
{
    ((struct binding *)ctx)[target].left_out = false;
}

struct exclusion {
    const struct binding *bindings;
    bool found;
};

static void note_left_out(void *ctx, uint32_t target)
{
    struct exclusion *e = ctx;
    if (e->bindings[target].left_out) e->found = true;
}

/* A pattern that fits nothing is a mistake in writing: silence would look like "nothing to do". */
static void check(struct build *b, const char *flag, const struct text *patterns, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        bool found = false;
        for (uint32_t i = 0; i < b->desired->n && !found; i++)
            found = address_matches(patterns[k], b->desired->items[i].kind, b->desired->items[i].name);
        for (uint32_t i = 0; i < b->recorded->n && !found; i++)
            found = address_matches(patterns[k], b->recorded->items[i].kind, b->recorded->items[i].name);
        if (!found)
            (void)diags_add(b->diags, SEVERITY_ERROR, (struct src_pos){0}, NULL,
                            "addresses are Kind/name, as `headgate plan` prints them",
                            "%s " TEXT_FMT ": there is no such resource", flag, TEXT_ARG(patterns[k]));
    }
}

void targets_check(struct build *b)
{
    const struct plan_options *o = b->options;
    check(b, "--target", o->targets, o->n_targets);
    check(b, "--exclude", o->excludes, o->n_excludes);
    check(b, "--replace", o->replaces, o->n_replaces);
}

void targets_choose(struct build *b)
{
    const struct plan_options *o = b->options;
    uint32_t n = b->desired->n;
    if (o->n_targets == 0 && o->n_excludes == 0) return;
    const uint32_t *association_of = index_associations(b);
    if (association_of == NULL) return;
    if (o->n_targets > 0) {
        for (uint32_t i = 0; i < n; i++)
            b->bindings[i].left_out = !targets_match(o->targets, o->n_targets, b->desired->items[i].kind,
                                                     b->desired->items[i].name);
        /* What a target refers to comes with it. References lead to lower indices: kinds are in the order of
         * creation. */
        for (uint32_t i = n; i-- > 0;)
            if (!b->bindings[i].left_out) {
                each_target(b->desired, i, clear_left_out, b->bindings);
                each_association(b->desired, association_of, i, clear_left_out, b->bindings);
            }
    }
    for (uint32_t i = 0; i < n && o->n_excludes > 0; i++) {
        struct exclusion e = {.bindings = b->bindings};
        if (targets_match(o->excludes, o->n_excludes, b->desired->items[i].kind, b->desired->items[i].name))
            e.found = true;
        /* What needs something that is left out is left out, too, unless that exists already: which is not
         * known yet, so only what is bound to be created would matter; keeping it out is the safe side. */
        each_target(b->desired, i, note_left_out, &e);
        each_association(b->desired, association_of, i, note_left_out, &e);
        if (e.found) b->bindings[i].left_out = true;
    }
}

bool targets_leave_out(const struct build *b, enum kind kind, struct text name)
{
    const struct plan_options *o = b->options;
    return (o->n_targets > 0 && !targets_match(o->targets, o->n_targets, kind, name)) ||
           targets_match(o->excludes, o->n_excludes, kind, name);
}

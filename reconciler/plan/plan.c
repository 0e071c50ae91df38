/* plan.c - the planner, as a list of passes:
 *   1. which resources --target and --exclude leave in;
 *   2. each desired resource, parents first: resolve its references, find what exists, compare, decide;
 *   3. records and tagged objects that nobody desires any more;
 *   4. the guards;
 *   5. the order (order.c). */
#include "reconciler/base/digest.h"
#include "reconciler/plan/build.h"

#include <string.h>

const char *action_name(enum action a)
{
    static const char *const names[N_ACTIONS] = {
        [ACTION_NONE] = "no-op",    [ACTION_READ] = "read",       [ACTION_CREATE] = "create",
        [ACTION_UPDATE] = "update", [ACTION_REPLACE] = "replace", [ACTION_DELETE] = "delete",
        [ACTION_ADOPT] = "adopt",   [ACTION_FORGET] = "forget"};
    ASSERT(a < N_ACTIONS);
    return names[a];
}

const char *disruption_name(enum disruption d)
{
    static const char *const names[] = {[DISRUPTION_NONE] = "none",
                                        [DISRUPTION_BRIEF] = "brief",
                                        [DISRUPTION_EGRESS] = "egress address changes",
                                        [DISRUPTION_OUTAGE] = "outage"};
    return names[d];
}

static bool ends_with(struct text t, struct text suffix)
{
    return t.len > suffix.len && memcmp(t.ptr + t.len - suffix.len, suffix.ptr, suffix.len) == 0;
}

bool record_is_tentative(const struct record *r)
{
    return ends_with(r->name, TEXT(PLAN_NEW_SUFFIX));
}

struct text plan_base_name(struct text name)
{
    const struct text suffixes[] = {TEXT(PLAN_OLD_SUFFIX), TEXT(PLAN_NEW_SUFFIX)};
    for (size_t k = 0; k < N_ELEMENTS(suffixes); k++)
        if (ends_with(name, suffixes[k])) return (struct text){name.ptr, name.len - suffixes[k].len};
    return name;
}

bool plan_is_empty(const struct plan *p)
{
    return p->n_add + p->n_change + p->n_destroy + p->n_adopt + p->n_forget == 0;
}

bool change_disowns(const struct change *c, struct text stack)
{
    return c->action == ACTION_FORGET && c->observed != NULL && c->observed->phase != PHASE_DELETING &&
           c->observed->owner_stack.ptr != NULL && text_equal(c->observed->owner_stack, stack);
}

/* ---- 1. targets ---- */

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

static bool matches_any(const struct text *patterns, size_t n, enum kind kind, struct text name)
{
    for (size_t k = 0; k < n; k++)
        if (address_matches(patterns[k], kind, name)) return true;
    return false;
}

/* Calls visit(ctx, target index) for each reference of resource i to another one of the stack. */
static void each_target(const struct desired *d, uint32_t i, void (*visit)(void *ctx, uint32_t target),
                        void *ctx)
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

/* The EIPs of an SNAT or DNAT entry. */
static const struct value *eips_of_entry(const struct resource *r, uint32_t *n)
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
static void check_patterns(struct build *b, const char *flag, const struct text *patterns, size_t n)
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

static void choose_targets(struct build *b)
{
    const struct plan_options *o = b->options;
    uint32_t n = b->desired->n;
    if (o->n_targets == 0 && o->n_excludes == 0) return;
    const uint32_t *association_of = index_associations(b);
    if (association_of == NULL) return;
    if (o->n_targets > 0) {
        for (uint32_t i = 0; i < n; i++)
            b->bindings[i].left_out =
                !matches_any(o->targets, o->n_targets, b->desired->items[i].kind, b->desired->items[i].name);
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
        if (matches_any(o->excludes, o->n_excludes, b->desired->items[i].kind, b->desired->items[i].name))
            e.found = true;
        /* What needs something that is left out is left out, too, unless that exists already: which is not
         * known yet, so only what is bound to be created would matter; keeping it out is the safe side. */
        each_target(b->desired, i, note_left_out, &e);
        each_association(b->desired, association_of, i, note_left_out, &e);
        if (e.found) b->bindings[i].left_out = true;
    }
}

static bool is_left_out(const struct build *b, enum kind kind, struct text name)
{
    const struct plan_options *o = b->options;
    return (o->n_targets > 0 && !matches_any(o->targets, o->n_targets, kind, name)) ||
           matches_any(o->excludes, o->n_excludes, kind, name);
}

/* ---- adding to the plan ---- */

static struct change *add_change(struct build *b, enum action action, enum reason reason, enum kind kind,
                                 struct text name)
{
    if (!arena_grow(b->arena, &b->changes, sizeof *b->changes, b->n_changes, &b->changes_capacity)) {
        b->out_of_memory = true;
        return NULL;
    }
    struct change *c = &b->changes[b->n_changes++];
    *c = (struct change){
        .action = action, .reason = reason, .kind = kind, .name = name, .desired_index = UINT32_MAX};
    return c;
}

static void add_left_out(struct build *b, enum kind kind, struct text name)
{
    char address[RESOURCE_ADDRESS_SIZE];
    if (!arena_grow(b->arena, &b->left_out, sizeof *b->left_out, b->n_left_out, &b->left_out_capacity)) {
        b->out_of_memory = true;
        return;
    }
    b->left_out[b->n_left_out++] = arena_text(b->arena, text_of(address_format(kind, name, address)));
}

static const struct field_diff *keep_diffs(struct build *b, const struct comparison *c)
{
    struct field_diff *kept = arena_array_of(b->arena, c->n_diffs, struct field_diff);
    if (kept == NULL)
        b->out_of_memory = true;
    else if (c->n_diffs > 0)
        memcpy(kept, c->diffs, c->n_diffs * sizeof *kept);
    return kept;
}

static void add_drift(struct build *b, const struct record *r, const struct object *o,
                      const struct comparison *c, bool detect_only)
{
    if (!arena_grow(b->arena, &b->drifts, sizeof *b->drifts, b->n_drifts, &b->drifts_capacity)) {
        b->out_of_memory = true;
        return;
    }
    b->drifts[b->n_drifts++] = (struct drift){.kind = r->kind,
                                              .name = r->name,
                                              .observed = o,
                                              .recorded = r,
                                              .detect_only = detect_only,
                                              .diffs = c == NULL ? NULL : keep_diffs(b, c),
                                              .n_diffs = c == NULL ? 0 : c->n_diffs};
}

/* ---- 2. desired resources ---- */

/* Whether something that the resource lies in or needs is replaced in a way that wants the old one gone
 * first. */
struct parents {
    const struct build *b;
    bool delete_first, replaced;
};

static void look_at_parent(void *ctx, uint32_t target)
{
    struct parents *p = ctx;
    const struct binding *binding = &p->b->bindings[target];
    if (binding->change == UINT32_MAX || p->b->changes[binding->change].action != ACTION_REPLACE) return;
    p->replaced = true;
    if (!p->b->changes[binding->change].create_first) p->delete_first = true;
}

/* An SNAT or DNAT entry goes with the binding of its EIP: when that is made anew, so is the entry. */
static bool needs_new_binding(const struct build *b, const struct resource *r)
{
    uint32_t n;
    const struct value *items = eips_of_entry(r, &n);
    for (uint32_t k = 0; k < n; k++)
        if (items[k].state == VALUE_SET && items[k].form == REF_LOCAL && b->bindings[items[k].u.num].rebound)
            return true;
    if (n == 0 || !b->foreign_rebound) return false;
    for (size_t c = 0; c < b->n_changes; c++) {
        const struct change *change = &b->changes[c];
        if (change->kind != KIND_EIP_ASSOCIATION || change->action != ACTION_REPLACE || change->create_first)
            continue;
        for (uint32_t k = 0; k < n; k++)
            if (value_equal(FIELD_REF, change->desired->values[EAS_EIP], items[k])) return true;
    }
    return false;
}

/* Remembers which EIP is bound anew. */
static void note_new_binding(struct build *b, const struct resource *association)
{
    struct value eip = association->values[EAS_EIP];
    if (eip.state == VALUE_SET && eip.form == REF_LOCAL)
        b->bindings[eip.u.num].rebound = true;
    else
        b->foreign_rebound = true;
}

/* Entries carry no tags. */
static bool is_entry(enum kind kind)
{
    return (kind_info(kind)->flags & KIND_TAGGABLE) == 0;
}

static struct change *add_desired_change(struct build *b, uint32_t i, enum action action, enum reason reason,
                                         const struct value *values, uint64_t set_fields)
{
    const struct resource *r = &b->desired->items[i];
    struct binding *binding = &b->bindings[i];
    if (binding->left_out) {
        add_left_out(b, r->kind, r->name);
        return NULL;
    }
    struct change *c = add_change(b, action, reason, r->kind, r->name);
    if (c == NULL) return NULL;
    uint8_t n = kind_info(r->kind)->n_fields;
    struct value *kept = arena_array_of(b->arena, n, struct value);
    if (kept == NULL) {
        b->out_of_memory = true;
        return NULL;
    }
    memcpy(kept, values, n * sizeof *kept);
    c->desired = r;
    c->desired_index = i;
    c->values = kept;
    c->set_fields = set_fields;
    c->observed = binding->object;
    c->incarnation = binding->object == NULL ? 0 : binding->object->incarnation;
    c->tentative = binding->tentative;
    if (binding->old != NULL && is_entry(r->kind)) c->old = binding->old;
    c->recorded = binding->record == UINT32_MAX ? NULL : &b->recorded->items[binding->record];
    if (c->recorded != NULL && !text_equal(c->recorded->name, r->name))
        c->moved_from = c->recorded->name;
    else if (binding->by == BOUND_MOVED && binding->object->owner_name.ptr != NULL)
        c->moved_from = binding->object->owner_name;
    binding->change = (uint32_t)(b->n_changes - 1);
    return c;
}

static void decide_create(struct build *b, uint32_t i, const struct value *values, uint64_t set_fields)
{
    struct binding *binding = &b->bindings[i];
    const struct resource *r = &b->desired->items[i];
    const struct record *record = binding->record == UINT32_MAX ? NULL : &b->recorded->items[binding->record];
    if (record != NULL && !record->observed_only) {
        add_drift(b, record, NULL, NULL, r->lifecycle->management == MANAGE_DETECT);
        if (r->lifecycle->management == MANAGE_DETECT) return;
    }
    binding->fresh = true;
    (void)add_desired_change(b, i, ACTION_CREATE, record != NULL ? REASON_GONE : REASON_NONE, values,
                             set_fields);
}

/* A route in another table or to another destination, another address bound to the same gateway: old and new
 * can be there at once. An entry of a gateway needs its addresses bound there, which may be the same ones;
 * and an instance has one address. */
static bool gets_another_key(enum kind kind, const struct value *values, const struct comparison *cmp)
{
    if (kind == KIND_EIP_ASSOCIATION && values[EAS_INSTANCE].state != VALUE_UNSET) return false;
    uint8_t first = kind == KIND_ROUTE_ENTRY ? RTE_TABLE : kind == KIND_EIP_ASSOCIATION ? EAS_EIP : FIELD_NO;
    uint8_t second = kind == KIND_ROUTE_ENTRY ? RTE_DESTINATION : first;
    for (uint32_t k = 0; k < cmp->n_diffs; k++)
        if (cmp->diffs[k].field == first || cmp->diffs[k].field == second) return true;
    return false;
}

/* Then there would be an old, a new and one more, and the old one could not be told from that. */
static void refuse_beside_copy(struct build *b, uint32_t i)
{
    const struct resource *r = &b->desired->items[i];
    char address[RESOURCE_ADDRESS_SIZE];
    (void)diags_add(b->diags, SEVERITY_ERROR, r->pos, address_format(r->kind, r->name, address),
                    "remove the tag " TAG_ADDRESS " from what is not headgate's, or delete it",
                    "cannot be replaced while %s carries the same tags", b->bindings[i].copy->id);
}

static void decide_replace(struct build *b, uint32_t i, const struct value *values, uint64_t set_fields,
                           struct comparison *cmp, enum reason reason)
{
    const struct resource *r = &b->desired->items[i];
    struct parents parents = {.b = b};
    if (b->bindings[i].copy != NULL) {
        refuse_beside_copy(b, i);
        return;
    }
    each_target(b->desired, i, look_at_parent, &parents);
    struct change *c = add_desired_change(b, i, ACTION_REPLACE, reason, values, set_fields);
    if (c == NULL) return;
    b->bindings[i].fresh = true;
    /* Where another thing still has the new key, that one may wait for this one to leave its old one. */
    c->create_first =
        !parents.delete_first &&
        ((kind_info(r->kind)->flags & KIND_CREATE_FIRST) != 0 || gets_another_key(r->kind, values, cmp)) &&
        world_find_key(b->world, r->kind, values) == NULL;
    c->diffs = keep_diffs(b, cmp);
    c->n_diffs = cmp->n_diffs;
    c->disruption = disruption_of_replace(r->kind, c->create_first);
    if (c->create_first && is_entry(r->kind)) c->old = c->observed;
    if (c->create_first && !is_entry(r->kind))
        c->incarnation = MAX_OF(MAX_OF(b->bindings[i].incarnation, c->observed->incarnation), 1u) + 1;
    if (r->kind == KIND_EIP_ASSOCIATION && !c->create_first) note_new_binding(b, r);
}

/* Whether it refers, in a field that could be changed in place, to something whose old one goes before the
 * new one comes: then there is nothing to change it to in between, and it has to go, too. 'values' are
 * normalised: what became an address does not count. */
static bool loses_its_target(const struct build *b, const struct resource *r, const struct value *values)
{
    const struct kind_info *info = kind_info(r->kind);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        struct value v = r->values[f];
        if (info->fields[f].type != FIELD_REF || v.form != REF_LOCAL || values[f].state == VALUE_UNSET)
            continue;
        uint32_t change = b->bindings[v.u.num].change;
        if (change != UINT32_MAX && b->changes[change].action == ACTION_REPLACE &&
            !b->changes[change].create_first)
            return true;
    }
    return false;
}

static enum reason replace_reason(const struct build *b, uint32_t i, const struct value *values,
                                  const struct comparison *cmp)
{
    const struct resource *r = &b->desired->items[i];
    if (matches_any(b->options->replaces, b->options->n_replaces, r->kind, r->name)) return REASON_REQUESTED;
    bool known = false;
    for (uint32_t k = 0; k < cmp->n_diffs; k++)
        if (cmp->diffs[k].forces_replace && cmp->diffs[k].after.state != VALUE_UNKNOWN) known = true;
    if (cmp->immutable) return known ? REASON_IMMUTABLE : REASON_PARENT_REPLACED;
    return needs_new_binding(b, r) || loses_its_target(b, r, values) ? REASON_PARENT_REPLACED : REASON_NONE;
}

/* Ours by record, but not tagged so: imported, or somebody took the tags away. Without them a lost state
 * could not be rebuilt. */
static bool lacks_our_tags(const struct build *b, const struct resource *r, const struct object *o)
{
    if ((kind_info(r->kind)->flags & KIND_TAGGABLE) == 0 || o->system) return false;
    return o->owner_stack.ptr == NULL || !text_equal(o->owner_stack, b->options->stack) ||
           !text_equal(o->owner_name, r->name);
}

/* The replacement of an entry that was interrupted after its create has left two: what is recorded would have
 * to be replaced, and its rival is what it would be replaced by. Then the rival is ours, and the recorded one
 * goes. */
static bool take_rival(struct build *b, uint32_t i, const struct value *values, uint64_t set_fields,
                       const struct record *record, struct comparison *cmp)
{
    struct binding *binding = &b->bindings[i];
    struct object *rival =
        binding->by == BOUND_RECORD && is_entry(binding->object->kind) ? bind_rival(b, i, values) : NULL;
    struct comparison other;
    if (rival == NULL) return false;
    compare_desired(b, i, values, set_fields, rival, record, &other);
    if (other.immutable) return false;
    *cmp = other;
    binding->old = binding->object;
    binding->object = rival;
    binding->by = BOUND_TAGS;
    b->n_left_behind++;
    return true;
}

/* Something exists: nothing to do, or update, replace, adopt. */
static void decide_existing(struct build *b, uint32_t i, const struct value *values, uint64_t set_fields)
{
    const struct resource *r = &b->desired->items[i];
    struct binding *binding = &b->bindings[i];
    const struct record *record = binding->record == UINT32_MAX ? NULL : &b->recorded->items[binding->record];
    struct comparison cmp, drifted;
    if (binding->old != NULL) record = NULL; /* that is the old one's */
    compare_desired(b, i, values, set_fields, binding->object, record, &cmp);
    bool detect = r->lifecycle->management == MANAGE_DETECT;
    if (record != NULL && (cmp.n_diffs > 0 || cmp.record_stale)) {
        compare_recorded(b, record, binding->object, r->lifecycle->ignore_changes, &drifted);
        if (drifted.n_diffs > 0) add_drift(b, record, binding->object, &drifted, detect);
    }
    if (detect) { /* drift is told, only the manifest's own changes are carried out */
        uint32_t kept = 0;
        cmp.immutable = false;
        for (uint32_t k = 0; k < cmp.n_diffs; k++) {
            if (cmp.diffs[k].cause == DIFF_DRIFT) continue;
            cmp.immutable = cmp.immutable || cmp.diffs[k].forces_replace;
            cmp.diffs[kept++] = cmp.diffs[k];
        }
        cmp.n_diffs = kept;
    }
    enum reason reason = replace_reason(b, i, values, &cmp);
    if (reason != REASON_NONE && take_rival(b, i, values, set_fields, record, &cmp)) reason = REASON_NONE;
    if (reason != REASON_NONE) {
        decide_replace(b, i, values, set_fields, &cmp, reason);
        return;
    }
    bool adopted = binding->by == BOUND_ADOPTED || lacks_our_tags(b, r, binding->object);
    bool moved = binding->by == BOUND_MOVED;
    if (cmp.n_diffs == 0 && !adopted && !moved) {
        b->plan.n_unchanged += !binding->left_out;
        /* What is still in the making is waited for, so that what needs it is not refused. */
        if (record == NULL || cmp.record_stale || binding->object->phase == PHASE_PENDING ||
            strcmp(record->id, binding->object->id) != 0 || record->observed_only ||
            record->prevent_destroy != r->lifecycle->prevent_destroy ||
            record->orphan_on_removal != r->lifecycle->orphan_on_removal || binding->tentative)
            if (!binding->left_out)
                (void)add_desired_change(b, i, ACTION_READ, REASON_NONE, values, set_fields);
        return;
    }
    struct change *c = add_desired_change(b, i, adopted || moved ? ACTION_ADOPT : ACTION_UPDATE,
                                          moved ? REASON_RENAMED : REASON_NONE, values, set_fields);
    if (c == NULL) return;
    c->diffs = keep_diffs(b, &cmp);
    c->n_diffs = cmp.n_diffs;
    c->reset_fields = cmp.reset_fields;
    c->disruption = disruption_of_update(b, i, values, binding->object, &cmp);
}

static void decide_observed(struct build *b, uint32_t i, const struct value *values, uint64_t set_fields)
{
    struct binding *binding = &b->bindings[i];
    const struct record *record = binding->record == UINT32_MAX ? NULL : &b->recorded->items[binding->record];
    if (binding->left_out) return;
    if (record == NULL || strcmp(record->id, binding->object->id) != 0 || !record->observed_only ||
        binding->object->phase == PHASE_PENDING)
        (void)add_desired_change(b, i, ACTION_READ, REASON_NONE, values, set_fields);
}

static void decide_desired(struct build *b)
{
    for (uint32_t i = 0; i < b->desired->n && !b->out_of_memory; i++) {
        struct value values[64];
        uint64_t set_fields;
        const struct resource *r = &b->desired->items[i];
        bind_resolve(b, i, values, &set_fields);
        if (b->out_of_memory) return;
        if (!bind_find(b, i, values, set_fields)) {
            b->bindings[i].fresh = true;
            continue;
        }
        const struct object *o = b->bindings[i].object;
        if (b->options->destroy) continue;
        if (r->lifecycle->management == MANAGE_OBSERVE)
            decide_observed(b, i, values, set_fields);
        else if (o == NULL)
            decide_create(b, i, values, set_fields);
        else if (o->locked)
            (void)diags_add(b->diags, SEVERITY_WARNING, r->pos, NULL,
                            "settle the account's arrears, or ask the cloud's support",
                            "%s is locked by the cloud; it is left alone", o->id);
        else
            decide_existing(b, i, values, set_fields);
    }
}

/* ---- 3. what nobody desires any more ---- */

static void decide_delete(struct build *b, enum reason reason, enum kind kind, struct text name,
                          const struct record *record, struct object *o, bool prevent, bool orphan,
                          struct src_pos pos)
{
    char address[RESOURCE_ADDRESS_SIZE];
    if (is_left_out(b, kind, name)) {
        add_left_out(b, kind, name);
        return;
    }
    enum action action = ACTION_DELETE;
    if (o == NULL || o->phase == PHASE_DELETING)
        action = ACTION_FORGET, reason = REASON_GONE;
    else if (orphan)
        action = ACTION_FORGET, reason = REASON_ORPHAN;
    else if (record != NULL && record->observed_only)
        action = ACTION_FORGET, reason = REASON_OBSERVED_ONLY;
    else if (o->system)
        action = ACTION_FORGET, reason = REASON_NOT_DESIRED;
    if (action == ACTION_FORGET && record == NULL) return;
    if (action == ACTION_DELETE && prevent) {
        (void)diags_add(
            b->diags, SEVERITY_ERROR, pos, address_format(kind, name, address),
            "apply it with `lifecycle: {preventDestroy: false}` first, or leave it behind with `onRemoval: orphan`",
            "%s [id=%s] may not be destroyed: lifecycle.preventDestroy is set", address, o->id);
        return;
    }
    struct change *c = add_change(b, action, reason, kind, name);
    if (c == NULL) return;
    c->recorded = record;
    c->observed = o;
    if (action == ACTION_DELETE) c->disruption = disruption_of_delete(kind);
}

static int compare_changes(const void *pa, const void *pb)
{
    const struct change *a = pa, *b = pb;
    int order = address_compare(a->kind, a->name, b->kind, b->name);
    return order != 0 ? order
                      : (int)a->action - (int)b->action; /* beside the deletion of what was left behind */
}

/* The objects that changes are about, to look one up. A world has one object per id. */
struct touched {
    const struct object **objects; /* sorted by place in memory: only whether one is there is asked */
    size_t n;
};

static int compare_places(const void *pa, const void *pb)
{
    uintptr_t a, b;
    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    return a < b ? -1 : a > b;
}

/* N_REASONS: whatever the reason. */
static void collect_changed(struct build *b, enum reason reason, struct touched *out)
{
    *out = (struct touched){arena_array_of(b->arena, b->n_changes, const struct object *), 0};
    if (out->objects == NULL) {
        b->out_of_memory = true;
        return;
    }
    for (size_t k = 0; k < b->n_changes; k++)
        if (b->changes[k].observed != NULL && (reason == N_REASONS || b->changes[k].reason == reason))
            out->objects[out->n++] = b->changes[k].observed;
    if (out->n > 1) qsort((void *)out->objects, out->n, sizeof *out->objects, compare_places);
}

static void collect_touched(struct build *b, struct touched *out)
{
    collect_changed(b, N_REASONS, out);
}

static bool is_touched(const struct touched *t, const struct object *o)
{
    return t->n > 0 && bsearch((const void *)&o, (const void *)t->objects, t->n, sizeof *t->objects,
                               compare_places) != NULL;
}

/* What was about to be made by a run that was interrupted: there or not, wanted or not any more. */
static struct object *find_tentative(struct build *b, const struct record *r)
{
    struct comparison c;
    struct object *o = world_find_key(b->world, r->kind, r->values);
    if (o == NULL || o->phase == PHASE_DELETING || bind_record_of(b, r->kind, o->id) != UINT32_MAX)
        return NULL;
    for (uint32_t i = 0; i < b->desired->n && !b->options->destroy; i++)
        if (b->bindings[i].object == o) return NULL;
    compare_recorded(b, r, o, 0, &c);
    return c.n_diffs == 0 ? o : NULL;
}

static void decide_tentative(struct build *b, const struct record *r, enum reason reason)
{
    uint32_t i = desired_find(b->desired, r->kind, plan_base_name(r->name));
    struct change *own =
        i == UINT32_MAX || b->bindings[i].change == UINT32_MAX ? NULL : &b->changes[b->bindings[i].change];
    struct object *o = find_tentative(b, r);
    if (i != UINT32_MAX && b->bindings[i].left_out) return;
    if (o == NULL && own != NULL) return; /* its next change settles that */
    if (own != NULL) own->tentative = false;
    if (o != NULL) {
        decide_delete(b, i == UINT32_MAX ? reason : REASON_LEFT_BEHIND, r->kind, r->name, r, o, false, false,
                      (struct src_pos){0});
        return;
    }
    struct change *c = add_change(b, ACTION_FORGET, REASON_NEVER_MADE, r->kind, r->name);
    if (c != NULL) c->recorded = r;
}

/* Records that nobody desires any more. Returns how many stay for want of --prune. */
static uint32_t decide_recorded(struct build *b, enum reason reason)
{
    bool destroy = b->options->destroy;
    uint32_t n_kept = 0;
    for (uint32_t k = 0; k < b->recorded->n && !b->out_of_memory; k++) {
        const struct record *r = &b->recorded->items[k];
        uint32_t i = b->desired_of[k];
        if (!destroy && i != UINT32_MAX) continue;
        if (record_is_tentative(r)) {
            decide_tentative(b, r, reason);
            continue;
        }
        struct object *o = world_find(b->world, r->kind, text_of(r->id));
        if (o != NULL && bind_is_anothers(b, k, o)) o = NULL;
        bool forgets = o == NULL || r->orphan_on_removal || r->observed_only;
        if (!b->options->prune && !destroy && !forgets) {
            n_kept++;
            continue;
        }
        const struct lifecycle *l = i == UINT32_MAX ? NULL : b->desired->items[i].lifecycle;
        decide_delete(b, reason, r->kind, r->name, r, o, l != NULL ? l->prevent_destroy : r->prevent_destroy,
                      l != NULL ? l->orphan_on_removal : r->orphan_on_removal,
                      l != NULL ? b->desired->items[i].pos : (struct src_pos){0});
    }
    return n_kept;
}

/* destroy: what the manifests name and is ours, also when no record knows it. */
static void destroy_desired(struct build *b)
{
    struct touched touched;
    collect_touched(b, &touched);
    for (uint32_t i = 0; i < b->desired->n; i++) {
        const struct resource *r = &b->desired->items[i];
        const struct binding *binding = &b->bindings[i];
        if (binding->object == NULL || binding->record != UINT32_MAX ||
            r->lifecycle->management == MANAGE_OBSERVE || is_touched(&touched, binding->object))
            continue;
        if (binding->by != BOUND_TAGS && binding->by != BOUND_PARENT && binding->by != BOUND_MOVED) continue;
        decide_delete(b, REASON_DESTROY, r->kind, r->name, NULL, binding->object,
                      r->lifecycle->prevent_destroy, r->lifecycle->orphan_on_removal, r->pos);
    }
}

/* Another one with the same tags of which cannot be told whether it is the resource: then neither can go. */
static const struct object *find_copy(struct build *b, const struct object *o, uint32_t i)
{
    size_t n = 0, cursor = 0;
    const struct object *bound = i == UINT32_MAX ? NULL : b->bindings[i].object;
    uint32_t record = records_find(b->recorded, o->kind, o->owner_name);
    if (bound == NULL && record != UINT32_MAX)
        bound = world_find(b->world, o->kind, text_of(b->recorded->items[record].id));
    if (bound != NULL) return bound != o && bind_compare_twins(bound, o) == 0 ? bound : NULL;
    (void)world_find_owned(b->world, b->options->stack, o->kind, o->owner_name, &n);
    for (const struct object *other; n > 1 && (other = world_next(b->world, o->kind, &cursor)) != NULL;)
        if (other != o && bind_is_tagged(b, other, o->owner_name) && other->phase != PHASE_DELETING &&
            bind_compare_twins(other, o) == 0)
            return other;
    return NULL;
}

static void leave_copy(struct build *b, const struct object *o, const struct object *other)
{
    char address[RESOURCE_ADDRESS_SIZE];
    (void)address_format(o->kind, o->owner_name, address);
    (void)diags_add(b->diags, SEVERITY_WARNING, (struct src_pos){0}, address,
                    "remove the tag " TAG_ADDRESS " from what is not headgate's",
                    "%s carries the same tags as %s; it is left alone", o->id, other->id);
}

/* The same for what is tagged as ours and not recorded; and for the old ones that interrupted replacements
 * have left, whose going was agreed to then. */
static uint32_t decide_tagged(struct build *b, enum reason reason)
{
    bool destroy = b->options->destroy;
    uint32_t n_kept = 0;
    struct touched touched;
    collect_touched(b, &touched);
    for (int kind = 0; kind < N_KINDS && !b->out_of_memory; kind++) {
        if (is_entry((enum kind)kind)) continue;
        size_t cursor = 0;
        for (struct object *o; (o = world_next(b->world, (enum kind)kind, &cursor)) != NULL;) {
            if (o->owner_stack.ptr == NULL || !text_equal(o->owner_stack, b->options->stack)) continue;
            uint32_t i = desired_find(b->desired, o->kind, o->owner_name);
            bool wanted = i != UINT32_MAX && !destroy;
            const struct object *bound = i == UINT32_MAX ? NULL : b->bindings[i].object;
            if (wanted && (bound == NULL || bound == o)) continue;
            if (is_touched(&touched, o) || bind_record_of(b, o->kind, o->id) != UINT32_MAX) continue;
            const struct object *copy = find_copy(b, o, i);
            bool left_behind = bound != NULL && bound != o;
            if (copy != NULL)
                leave_copy(b, o, copy);
            else if (left_behind || b->options->prune || destroy)
                decide_delete(b, left_behind ? REASON_LEFT_BEHIND : reason, o->kind, o->owner_name, NULL, o,
                              false, false, (struct src_pos){0});
            else
                n_kept++;
            b->n_left_behind += left_behind && copy == NULL;
        }
    }
    return n_kept;
}

/* Whether it lies in something that a replacement has left behind. */
static bool lies_in(const struct build *b, const struct touched *left_behind, const struct object *o)
{
    const struct kind_info *info = kind_info(o->kind);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        if ((info->fields[f].flags & FIELD_PARENT) == 0 || !value_is_set(o->values[f])) continue;
        const struct object *parent = world_find(b->world, info->fields[f].ref, value_as_text(o->values[f]));
        if (parent != NULL && is_touched(left_behind, parent)) return true;
    }
    return false;
}

/* What is recorded but has a new one, and the entries in what was left behind. */
static void decide_left_behind(struct build *b)
{
    struct touched touched, left_behind;
    if (b->n_left_behind == 0) return;
    collect_touched(b, &touched);
    for (uint32_t i = 0; i < b->desired->n; i++) {
        const struct resource *r = &b->desired->items[i];
        struct object *old = b->bindings[i].old;
        if (old == NULL || is_touched(&touched, old)) continue;
        const char *old_entry = arena_printf(b->arena, TEXT_FMT PLAN_OLD_SUFFIX, TEXT_ARG(r->name));
        decide_delete(b, REASON_LEFT_BEHIND, old->kind, is_entry(old->kind) ? text_of(old_entry) : r->name,
                      NULL, old, false, false, (struct src_pos){0});
    }
    collect_touched(b, &touched);
    collect_changed(b, REASON_LEFT_BEHIND, &left_behind);
    for (int kind = 0; kind < N_KINDS && !b->out_of_memory; kind++) {
        if (!is_entry((enum kind)kind)) continue;
        size_t cursor = 0;
        for (struct object *o; (o = world_next(b->world, (enum kind)kind, &cursor)) != NULL;)
            if (!o->system && !is_touched(&touched, o) && lies_in(b, &left_behind, o))
                decide_delete(b, REASON_LEFT_BEHIND, o->kind, text_of(o->id), NULL, o, false, false,
                              (struct src_pos){0});
    }
}

static void decide_undesired(struct build *b)
{
    bool destroy = b->options->destroy;
    enum reason reason = destroy ? REASON_DESTROY : REASON_NOT_DESIRED;
    uint32_t n_kept = decide_recorded(b, reason);
    if (destroy) destroy_desired(b);
    n_kept += decide_tagged(b, reason);
    decide_left_behind(b);
    if (n_kept > 0)
        (void)diags_add(b->diags, SEVERITY_WARNING, (struct src_pos){0}, NULL, "--prune deletes them",
                        "%u resource%s of stack \"" TEXT_FMT "\" %s no longer in the manifests and stay%s",
                        n_kept, n_kept == 1 ? "" : "s", TEXT_ARG(b->options->stack),
                        n_kept == 1 ? "is" : "are", n_kept == 1 ? "s" : "");
}

/* ---- 4. guards ---- */

/* What the cloud itself protects would refuse half way. */
static void refuse_protected(struct build *b)
{
    for (size_t k = 0; k < b->n_changes; k++) {
        const struct change *c = &b->changes[k];
        if (c->action != ACTION_DELETE && c->action != ACTION_REPLACE) continue;
        bool told = (c->desired != NULL && c->desired->lifecycle->prevent_destroy) ||
                    (c->recorded != NULL && c->recorded->prevent_destroy);
        if (told) continue; /* by the guard of our own that set it */
        uint8_t f = kind_field(c->kind, TEXT("deletionProtection"));
        if (f == FIELD_NO || !value_is_set(c->observed->values[f]) || c->observed->values[f].u.num == 0)
            continue;
        char address[RESOURCE_ADDRESS_SIZE];
        (void)address_format(c->kind, c->name, address);
        (void)diags_add(b->diags, SEVERITY_ERROR, c->desired == NULL ? (struct src_pos){0} : c->desired->pos,
                        address, "apply it with `deletionProtection: false` first",
                        "%s cannot be deleted: the cloud protects it against deletion", c->observed->id);
    }
}

static void check_guards(struct build *b)
{
    uint32_t n_deletions = 0;
    for (size_t k = 0; k < b->n_changes; k++) {
        const struct change *c = &b->changes[k];
        n_deletions += c->action == ACTION_DELETE || c->action == ACTION_REPLACE;
        bool prevent = c->action == ACTION_REPLACE && (c->desired->lifecycle->prevent_destroy ||
                                                       (c->recorded != NULL && c->recorded->prevent_destroy));
        if (!prevent) continue;
        char address[RESOURCE_ADDRESS_SIZE];
        (void)diags_add(b->diags, SEVERITY_ERROR, c->desired->pos, address_format(c->kind, c->name, address),
                        "undo the change, or apply `lifecycle: {preventDestroy: false}` first",
                        "%s would have to be replaced, but lifecycle.preventDestroy is set", address);
    }
    refuse_protected(b);
    const struct plan_options *o = b->options;
    if (!o->destroy && o->max_deletions >= 0 && n_deletions > (uint64_t)o->max_deletions)
        (void)diags_add(b->diags, SEVERITY_ERROR, (struct src_pos){0}, NULL,
                        "raise maxDeletions of the Stack if this is what you want",
                        "the plan deletes or replaces %u resources, more than maxDeletions (%lld)",
                        n_deletions, (long long)o->max_deletions);
    if (!o->destroy && b->desired->n == 0 && n_deletions > 0 && !o->allow_empty)
        (void)diags_add(b->diags, SEVERITY_ERROR, (struct src_pos){0}, NULL,
                        "use `headgate destroy` if everything is to go",
                        "the manifests declare no resource, and %u would be deleted", n_deletions);
}

/* ---- putting it together ---- */

static void count(struct build *b)
{
    struct plan *p = &b->plan;
    for (size_t k = 0; k < b->n_changes; k++) {
        const struct change *c = &b->changes[k];
        p->n_add += c->action == ACTION_CREATE || c->action == ACTION_REPLACE;
        p->n_destroy += c->action == ACTION_DELETE || c->action == ACTION_REPLACE;
        p->n_change += c->action == ACTION_UPDATE || (c->action == ACTION_ADOPT && c->n_diffs > 0);
        p->n_adopt += c->action == ACTION_ADOPT;
        p->n_forget += c->action == ACTION_FORGET;
        p->n_read += c->action == ACTION_READ;
    }
}

static void rebind_changes(struct build *b)
{
    if (b->n_changes > 1) qsort(b->changes, b->n_changes, sizeof *b->changes, compare_changes);
    for (size_t k = 0; k < b->n_changes; k++)
        if (b->changes[k].desired_index != UINT32_MAX)
            b->bindings[b->changes[k].desired_index].change = (uint32_t)k;
}

static const char *const *bound_ids(struct build *b)
{
    const char **ids = arena_array_of(b->arena, b->desired->n, const char *);
    if (ids == NULL)
        b->out_of_memory = true;
    else
        for (uint32_t i = 0; i < b->desired->n; i++)
            ids[i] = b->bindings[i].object == NULL ? NULL : b->bindings[i].object->id;
    return ids;
}

/* Both are sorted by address: one walk finds the record of each desired resource. */
static void pair_records(struct build *b)
{
    uint32_t i = 0, k = 0;
    while (i < b->desired->n && k < b->recorded->n) {
        const struct resource *d = &b->desired->items[i];
        const struct record *r = &b->recorded->items[k];
        int order = address_compare(d->kind, d->name, r->kind, r->name);
        if (order == 0) b->bindings[i].record = k;
        if (order <= 0) i++;
        if (order >= 0) k++;
    }
}

static enum err_code prepare(struct build *b)
{
    b->bindings = arena_array_of(b->arena, b->desired->n, struct binding);
    b->desired_of = arena_array_of(b->arena, b->recorded->n, uint32_t);
    if (b->bindings == NULL || b->desired_of == NULL) return err_nomem(b->err);
    for (uint32_t i = 0; i < b->desired->n; i++) b->bindings[i].record = b->bindings[i].change = UINT32_MAX;
    for (uint32_t k = 0; k < b->recorded->n; k++) b->desired_of[k] = UINT32_MAX;
    pair_records(b);
    for (uint32_t k = 0; k < b->recorded->n; k++) {
        const struct record *r = &b->recorded->items[k];
        uint32_t i =
            record_is_tentative(r) ? desired_find(b->desired, r->kind, plan_base_name(r->name)) : UINT32_MAX;
        if (i != UINT32_MAX) b->bindings[i].tentative = true;
    }
    return ERR_OK;
}

enum err_code plan_build(struct arena *arena, const struct plan_options *options,
                         const struct desired *desired, const struct records *recorded,
                         struct world *observed, const struct cloud *cloud, struct diags *diags,
                         const struct plan **out, struct err *err)
{
    struct build b = {.arena = arena,
                      .options = options,
                      .desired = desired,
                      .recorded = recorded,
                      .world = observed,
                      .cloud = cloud,
                      .diags = diags,
                      .err = err};
    size_t errors_before = diags->n_errors;
    enum err_code code = prepare(&b);
    if (code != ERR_OK) return code;
    check_patterns(&b, "--target", options->targets, options->n_targets);
    check_patterns(&b, "--exclude", options->excludes, options->n_excludes);
    check_patterns(&b, "--replace", options->replaces, options->n_replaces);
    if (diags->n_errors > errors_before)
        return err_set(err, ERR_INPUT, "an address on the command line is not known");
    choose_targets(&b);
    if (!b.out_of_memory) decide_desired(&b);
    size_t conflicts = diags->n_errors - errors_before;
    if (!b.out_of_memory) decide_undesired(&b);
    if (b.out_of_memory) return err_nomem(err);
    check_guards(&b);
    if (diags->n_errors == errors_before)
        report_blockers(&b); /* else they would repeat what is said already */
    if (conflicts > 0)
        return err_set(err, ERR_CONFLICT, "%zu conflict%s with what exists", conflicts,
                       conflicts == 1 ? "" : "s");
    if (diags->n_errors > errors_before) return err_set(err, ERR_GUARD, "a guard refused the plan");
    rebind_changes(&b);
    for (size_t k = 0; k < b.n_changes; k++) disruption_name_affected(&b, &b.changes[k]);
    b.plan.stack = options->stack;
    b.plan.cloud = cloud;
    b.plan.bound_ids = bound_ids(&b);
    code = order_steps(&b);
    if (code != ERR_OK) return code;
    disruption_of_gateways(&b);
    if (b.n_turned > 0) check_guards(&b); /* more goes than was decided */
    if (diags->n_errors > errors_before) return err_set(err, ERR_GUARD, "a guard refused the plan");
    if (b.out_of_memory) return err_nomem(err);
    count(&b);
    struct plan *p = arena_new_of(arena, struct plan);
    if (p == NULL) return err_nomem(err);
    b.plan.changes = b.changes;
    b.plan.n_changes = (uint32_t)b.n_changes;
    b.plan.drifts = b.drifts;
    b.plan.n_drifts = (uint32_t)b.n_drifts;
    b.plan.left_out = b.left_out;
    b.plan.n_left_out = (uint32_t)b.n_left_out;
    *p = b.plan;
    *out = p;
    return ERR_OK;
}

/* ---- what a saved plan is compared by ---- */

static void put_value(struct digest *d, enum field_type type, struct value v)
{
    char head[64];
    int n = snprintf(head, sizeof head, "%u %u %u", v.state, v.form, v.n);
    digest_put(d, head, (size_t)n);
    if (v.state != VALUE_SET) return;
    if (type == FIELD_INT || type == FIELD_BOOL || v.form == REF_LOCAL) {
        n = snprintf(head, sizeof head, "%lld", (long long)v.u.num);
        digest_put(d, head, (size_t)n);
    } else if (type == FIELD_TEXT_LIST || type == FIELD_CIDR_LIST || type == FIELD_REF_LIST ||
               type == FIELD_MAP) {
        for (uint32_t k = 0; k < v.n; k++) put_value(d, field_item_type(type), v.u.items[k]);
    } else if (v.form != REF_LOOKUP) {
        digest_put_text(d, value_as_text(v));
    }
}

enum err_code change_digest(const struct change *c, char out[65], struct err *err)
{
    const struct kind_info *info = kind_info(c->kind);
    struct digest d;
    digest_init(&d);
    digest_put_text(&d, text_of(action_name(c->action)));
    digest_put_text(&d, text_of(info->name));
    digest_put_text(&d, c->name);
    digest_put_text(&d, text_of(c->observed == NULL ? "" : c->observed->id));
    for (uint8_t f = 0; c->values != NULL && f < info->n_fields; f++)
        if ((c->set_fields & (uint64_t)1 << f) != 0) put_value(&d, info->fields[f].type, c->values[f]);
    for (uint8_t f = 0; c->observed != NULL && f < info->n_fields; f++)
        put_value(&d, info->fields[f].type, c->observed->values[f]);
    return digest_hex(&d, out) ? ERR_OK : err_nomem(err);
}

/* plan.c - the planner, as a list of passes:
 *   1. which resources --target and --exclude leave in (targets.c);
 *   2. each desired resource, parents first: resolve its references, find what exists (bind.c), compare
 *      (compare.c), decide;
 *   3. records and tagged objects that nobody desires any more (undesired.c);
 *   4. the guards, and what stands in the way (blockers.c);
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

bool record_is_tentative(const struct record *r)
{
    return text_ends_with(r->name, PLAN_NEW_SUFFIX);
}

struct text plan_base_name(struct text name)
{
    static const char *const suffixes[] = {PLAN_OLD_SUFFIX, PLAN_NEW_SUFFIX};
    for (size_t k = 0; k < N_ELEMENTS(suffixes); k++)
        if (text_ends_with(name, suffixes[k])) return (struct text){name.ptr, name.len - strlen(suffixes[k])};
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

/* ---- adding to the plan ---- */

struct change *plan_add_change(struct build *b, enum action action, enum reason reason, enum kind kind,
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

void plan_add_left_out(struct build *b, enum kind kind, struct text name)
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

/* ---- desired resources ---- */

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

static struct change *add_desired_change(struct build *b, uint32_t i, enum action action, enum reason reason,
                                         const struct value *values, uint64_t set_fields)
{
    const struct resource *r = &b->desired->items[i];
    struct binding *binding = &b->bindings[i];
    if (binding->left_out) {
        plan_add_left_out(b, r->kind, r->name);
        return NULL;
    }
    struct change *c = plan_add_change(b, action, reason, r->kind, r->name);
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
    if (binding->old != NULL && !kind_is_taggable(r->kind)) c->old = binding->old;
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
    if (c->create_first && !kind_is_taggable(r->kind)) c->old = c->observed;
    if (c->create_first && kind_is_taggable(r->kind))
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
    if (targets_match(b->options->replaces, b->options->n_replaces, r->kind, r->name))
        return REASON_REQUESTED;
    if (b->bindings[i].object->phase == PHASE_FAILED && r->lifecycle->management == MANAGE_ENFORCE)
        return REASON_FAILED;
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
    if (!kind_is_taggable(r->kind) || o->system) return false;
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
    struct object *rival = binding->by == BOUND_RECORD && !kind_is_taggable(binding->object->kind)
                               ? bind_rival(b, i, values)
                               : NULL;
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

/* ---- guards ---- */

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

static int compare_changes(const void *pa, const void *pb)
{
    const struct change *a = pa, *b = pb;
    int order = address_compare(a->kind, a->name, b->kind, b->name);
    return order != 0 ? order
                      : (int)a->action - (int)b->action; /* beside the deletion of what was left behind */
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
    targets_check(&b);
    if (diags->n_errors > errors_before)
        return err_set(err, ERR_INPUT, "an address on the command line is not known");
    targets_choose(&b);
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

/* undesired.c - what nobody desires any more: records, tagged objects, what interrupted runs have left; and,
 * for a destroy, everything. */
#include "reconciler/plan/build.h"

#include <string.h>

static void decide_delete(struct build *b, enum reason reason, enum kind kind, struct text name,
                          const struct record *record, struct object *o, bool prevent, bool orphan,
                          struct src_pos pos)
{
    char address[RESOURCE_ADDRESS_SIZE];
    if (targets_leave_out(b, kind, name)) {
        plan_add_left_out(b, kind, name);
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
    struct change *c = plan_add_change(b, action, reason, kind, name);
    if (c == NULL) return;
    c->recorded = record;
    c->observed = o;
    if (action == ACTION_DELETE) c->disruption = disruption_of_delete(kind);
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
    if (o == NULL && own != NULL) {
        own->attempt = r;
        return; /* its next change settles that */
    }
    if (own != NULL) own->tentative = false;
    if (o != NULL) {
        decide_delete(b, i == UINT32_MAX ? reason : REASON_LEFT_BEHIND, r->kind, r->name, r, o, false, false,
                      (struct src_pos){0});
        return;
    }
    struct change *c = plan_add_change(b, ACTION_FORGET, REASON_NEVER_MADE, r->kind, r->name);
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
    const struct object *other = NULL;
    while (n > 1 &&
           (other = world_next_owned(b->world, b->options->stack, o->kind, o->owner_name, &cursor)) != NULL)
        if (other != o && other->phase != PHASE_DELETING && bind_compare_twins(other, o) == 0) return other;
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
        if (!kind_is_taggable((enum kind)kind)) continue;
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
        decide_delete(b, REASON_LEFT_BEHIND, old->kind,
                      !kind_is_taggable(old->kind) ? text_of(old_entry) : r->name, NULL, old, false, false,
                      (struct src_pos){0});
    }
    collect_touched(b, &touched);
    collect_changed(b, REASON_LEFT_BEHIND, &left_behind);
    for (int kind = 0; kind < N_KINDS && !b->out_of_memory; kind++) {
        if (kind_is_taggable((enum kind)kind)) continue;
        size_t cursor = 0;
        for (struct object *o; (o = world_next(b->world, (enum kind)kind, &cursor)) != NULL;)
            if (!o->system && !is_touched(&touched, o) && lies_in(b, &left_behind, o))
                decide_delete(b, REASON_LEFT_BEHIND, o->kind, text_of(o->id), NULL, o, false, false,
                              (struct src_pos){0});
    }
}

void decide_undesired(struct build *b)
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

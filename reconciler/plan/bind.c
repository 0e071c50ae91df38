/* bind.c - which cloud object, if any, is a desired resource?
 *
 * In this order: the recorded id; ownership tags; the id that the manifest says to adopt; the natural key.
 * What is found and is not ours is taken over only if lifecycle.adopt lets us; else it is a conflict for
 * people. */
#include "reconciler/plan/build.h"

#include <string.h>

/* ---- references ---- */

/* Does an object have this name and these tags? */
static bool matches_lookup(const struct object *o, struct value name, struct value tags)
{
    const struct kind_info *info = kind_info(o->kind);
    if (value_is_set(name)) {
        if (info->name_field == FIELD_NO) return false;
        struct value v = o->values[info->name_field];
        if (!value_is_set(v) || !text_equal(value_as_text(v), value_as_text(name))) return false;
    }
    if (!value_is_set(tags)) return true;
    if (info->tags_field == FIELD_NO) return false;
    for (uint32_t k = 0; k + 1 < tags.n; k += 2) {
        struct value v = value_map_get(o->values[info->tags_field], value_as_text(tags.u.items[k]));
        if (!value_is_set(v) || !text_equal(value_as_text(v), value_as_text(tags.u.items[k + 1])))
            return false;
    }
    return true;
}

/* Says in words what was looked for. */
static const char *lookup_words(struct build *b, struct value name, struct value tags)
{
    const char *n = value_is_set(name)
                        ? arena_printf(b->arena, "name \"" TEXT_FMT "\"", TEXT_ARG(value_as_text(name)))
                        : "";
    if (!value_is_set(tags)) return n == NULL ? "" : n;
    const char *words =
        arena_printf(b->arena, "%s%s%u tag%s", n == NULL ? "" : n, n != NULL && n[0] != '\0' ? " and " : "",
                     tags.n / 2, tags.n == 2 ? "" : "s");
    return words == NULL ? "" : words;
}

/* The one object with this name and these tags; a diagnostic unless it is exactly one. */
static struct object *look_up(struct build *b, enum kind kind, struct value name, struct value tags,
                              struct src_pos pos, const char *address)
{
    struct object *found = NULL, *second = NULL;
    size_t cursor = 0;
    for (struct object *o; (o = world_next(b->world, kind, &cursor)) != NULL;) {
        if (!matches_lookup(o, name, tags)) continue;
        if (found == NULL)
            found = o;
        else if (second == NULL)
            second = o;
    }
    const char *what = kind_info(kind)->name;
    if (found == NULL)
        (void)diags_add(b->diags, SEVERITY_ERROR, pos, address,
                        "check the region, the account and the spelling, or declare it",
                        "no %s with %s exists", what, lookup_words(b, name, tags));
    else if (second != NULL)
        (void)diags_add(b->diags, SEVERITY_ERROR, pos, address, "refer to one of them by {id: …}",
                        "more than one %s has %s: %s, %s, …", what, lookup_words(b, name, tags), found->id,
                        second->id);
    return second == NULL ? found : NULL;
}

static struct value resolve_ref(struct build *b, const struct resource *r, const struct field *f,
                                struct value v)
{
    if (v.state != VALUE_SET) return v;
    if (v.form == REF_LOCAL) {
        const struct binding *target = &b->bindings[v.u.num];
        /* Gone, and not to be made again: what refers to it is not what has changed. */
        if (target->object == NULL && !target->fresh && target->record != UINT32_MAX)
            return value_id(b->recorded->items[target->record].id);
        return target->object == NULL || target->fresh ? value_unknown() : value_id(target->object->id);
    }
    if (v.form == REF_LOOKUP) {
        char address[RESOURCE_ADDRESS_SIZE];
        struct object *o =
            look_up(b, f->ref, v.u.items[0], v.u.items[1], r->pos, address_format(r->kind, r->name, address));
        return o == NULL ? value_unknown() : value_id(o->id);
    }
    return v;
}

void bind_resolve(struct build *b, uint32_t i, struct value *values, uint64_t *set_fields)
{
    const struct resource *r = &b->desired->items[i];
    const struct kind_info *info = kind_info(r->kind);
    memset(values, 0, info->n_fields * sizeof *values);
    *set_fields = 0;
    for (uint8_t f = 0; f < info->n_fields; f++) {
        const struct field *field = &info->fields[f];
        struct value v = r->values[f];
        if (v.state != VALUE_UNSET) *set_fields |= (uint64_t)1 << f;
        if (field->type == FIELD_REF) v = resolve_ref(b, r, field, v);
        if (field->type == FIELD_REF_LIST && v.state == VALUE_SET) {
            struct value *items = arena_array_of(b->arena, v.n, struct value);
            if (items == NULL) {
                b->out_of_memory = true;
                return;
            }
            for (uint32_t k = 0; k < v.n; k++) items[k] = resolve_ref(b, r, field, v.u.items[k]);
            v = value_list(items, value_sort_set(FIELD_REF_LIST, items, v.n));
        }
        values[f] = v;
    }
    resource_protect(r, values, set_fields);
    if (b->cloud->normalise != NULL &&
        b->cloud->normalise(b->cloud, r->kind, values, set_fields, b->world, b->arena, b->err) != ERR_OK)
        b->out_of_memory = true;
}

/* ---- what is ours ---- */

static int compare_ids(enum kind a_kind, const char *a_id, enum kind b_kind, const char *b_id)
{
    if (a_kind != b_kind) return a_kind < b_kind ? -1 : 1;
    return strcmp(a_id, b_id);
}

static int compare_records_by_id(const void *pa, const void *pb, void *ctx)
{
    const struct records *records = ctx;
    const struct record *a = &records->items[*(const uint32_t *)pa],
                        *b = &records->items[*(const uint32_t *)pb];
    int order = compare_ids(a->kind, a->id, b->kind, b->id);
    return order != 0 ? order : (a > b) - (a < b); /* by address */
}

/* Most plans never ask whose record an id is in. */
static void sort_records(struct build *b)
{
    uint32_t n = b->recorded->n;
    if (b->records_by_id != NULL) return;
    b->records_by_id = arena_array_of(b->arena, n, uint32_t);
    if (b->records_by_id == NULL) {
        b->out_of_memory = true;
        return;
    }
    for (uint32_t k = 0; k < n; k++) b->records_by_id[k] = k;
    if (n > 1)
        qsort_r(b->records_by_id, n, sizeof *b->records_by_id, compare_records_by_id,
                (void *)(uintptr_t)b->recorded);
}

/* Where the records of an id begin in records_by_id, or would. */
static uint32_t first_of_id(struct build *b, enum kind kind, const char *id)
{
    sort_records(b);
    uint32_t low = 0, high = b->out_of_memory ? 0 : b->recorded->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct record *r = &b->recorded->items[b->records_by_id[middle]];
        if (compare_ids(r->kind, r->id, kind, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The record at a place of records_by_id, if it is of this id; else UINT32_MAX. */
static uint32_t record_at(const struct build *b, uint32_t at, enum kind kind, const char *id)
{
    if (b->out_of_memory || at >= b->recorded->n) return UINT32_MAX;
    const struct record *r = &b->recorded->items[b->records_by_id[at]];
    return compare_ids(r->kind, r->id, kind, id) == 0 ? b->records_by_id[at] : UINT32_MAX;
}

uint32_t bind_record_of(struct build *b, enum kind kind, const char *id)
{
    return record_at(b, first_of_id(b, kind, id), kind, id);
}

/* Another record with the same id; UINT32_MAX when there is none. */
static uint32_t other_record(struct build *b, uint32_t record)
{
    const struct record *r = &b->recorded->items[record];
    uint32_t at = first_of_id(b, r->kind, r->id), first = record_at(b, at, r->kind, r->id);
    return first != record ? first : record_at(b, at + 1, r->kind, r->id);
}

bool bind_parent_is_ours(struct build *b, const struct object *o)
{
    const struct kind_info *info = kind_info(o->kind);
    /* What the cloud makes by itself belongs to whom it was made for: a gateway's own default route to the
     * gateway's owner. */
    bool by_itself =
        b->cloud->may_appear != NULL && b->cloud->may_appear(b->cloud, o->kind, o->values, b->world);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        struct value v = o->values[f];
        if (((info->fields[f].flags & FIELD_PARENT) == 0 &&
             !(by_itself && info->fields[f].type == FIELD_REF)) ||
            !value_is_set(v))
            continue;
        const struct object *parent = world_find(b->world, info->fields[f].ref, value_as_text(v));
        if (parent == NULL) continue;
        if (parent->owner_stack.ptr != NULL && text_equal(parent->owner_stack, b->options->stack))
            return true;
        uint32_t r = bind_record_of(b, parent->kind, parent->id);
        if (r != UINT32_MAX && !b->recorded->items[r].observed_only) return true;
    }
    return false;
}

/* A system route table carries no tags of ours; it came with a VPC that may be. */
static bool is_in_our_system_table(struct build *b, const struct object *o)
{
    if (o->kind != KIND_ROUTE_ENTRY) return false;
    const struct object *table = world_find(b->world, KIND_ROUTE_TABLE, value_as_text(o->values[RTE_TABLE]));
    return table != NULL && table->system && bind_parent_is_ours(b, table);
}

static bool has_natural_key(enum kind kind)
{
    const struct kind_info *info = kind_info(kind);
    for (uint8_t f = 0; f < info->n_fields; f++)
        if ((info->fields[f].flags & FIELD_KEY) != 0) return true;
    return false;
}

/* The system route table of a VPC. */
static struct object *system_table(struct build *b, const struct value *values)
{
    size_t cursor = 0;
    for (struct object *o; (o = world_next(b->world, KIND_ROUTE_TABLE, &cursor)) != NULL;)
        if (o->system && value_equal(FIELD_REF, o->values[RTB_VPC], values[RTB_VPC])) return o;
    return NULL;
}

static bool is_system_table(enum kind kind, const struct value *values)
{
    return kind == KIND_ROUTE_TABLE && value_is_set(values[RTB_SYSTEM]) && values[RTB_SYSTEM].u.num != 0;
}

/* The one unowned object with the name that the resource would get, and the same parents. */
static struct object *find_by_name(struct build *b, const struct resource *r, const struct value *values)
{
    const struct kind_info *info = kind_info(r->kind);
    if (info->name_field == FIELD_NO) return NULL;
    struct value name = values[info->name_field];
    if (!value_is_set(name)) name = value_text(r->name.ptr, r->name.len);
    struct object *found = NULL;
    size_t cursor = 0;
    for (struct object *o; (o = world_next(b->world, r->kind, &cursor)) != NULL;) {
        if (o->owner_stack.ptr != NULL || !matches_lookup(o, name, (struct value){0})) continue;
        bool same_parents = true;
        for (uint8_t f = 0; f < info->n_fields; f++)
            if ((info->fields[f].flags & FIELD_PARENT) != 0 && value_is_set(values[f]))
                same_parents = same_parents && value_equal(FIELD_REF, values[f], o->values[f]);
        if (!same_parents) continue;
        if (found != NULL) return NULL; /* never guessed */
        found = o;
    }
    return found;
}

/* ---- finding ---- */

static void bind(struct binding *binding, struct object *o, enum bound_by by)
{
    binding->object = o;
    binding->by = (uint8_t)by;
}

static bool find_observed(struct build *b, const struct resource *r, const struct value *values,
                          struct binding *binding, const char *address)
{
    struct object *o = NULL;
    const struct kind_info *info = kind_info(r->kind);
    if (r->external_id != NULL) {
        o = world_find(b->world, r->kind, text_of(r->external_id));
        if (o == NULL)
            (void)diags_add(b->diags, SEVERITY_ERROR, r->pos, address,
                            "check the id, the region and the account", "%s %s does not exist", info->name,
                            r->external_id);
    } else if (is_system_table(r->kind, values)) {
        o = system_table(b, values);
    } else {
        struct value name = info->name_field == FIELD_NO ? (struct value){0} : values[info->name_field];
        struct value tags = info->tags_field == FIELD_NO ? (struct value){0} : values[info->tags_field];
        o = world_find_key(b->world, r->kind, values);
        if (o == NULL && (value_is_set(name) || value_is_set(tags)))
            o = look_up(b, r->kind, name, tags, r->pos, address);
        else if (o == NULL)
            (void)diags_add(b->diags, SEVERITY_ERROR, r->pos, address,
                            "give spec.id, or a name or tags to find it by",
                            "the %s to be observed was not found", info->name);
    }
    if (o != NULL) bind(binding, o, BOUND_OBSERVED);
    return o != NULL;
}

static enum adopt adopt_policy(const struct resource *r)
{
    if (r->lifecycle->adopt != ADOPT_DEFAULT) return r->lifecycle->adopt;
    return kind_is_taggable(r->kind) ? ADOPT_IF_TAGGED : ADOPT_IF_IDENTICAL;
}

/* Another stack's tags: a diagnostic, unless the manifest insists. */
static bool belongs_elsewhere(struct build *b, const struct resource *r, const struct object *o,
                              const char *address)
{
    if (o->owner_stack.ptr == NULL || text_equal(o->owner_stack, b->options->stack) ||
        adopt_policy(r) == ADOPT_FORCE)
        return false;
    (void)diags_add(b->diags, SEVERITY_ERROR, r->pos, address,
                    "remove it from one of the two stacks, or take it over with `lifecycle: {adopt: force}`",
                    "%s exists as %s and belongs to stack \"" TEXT_FMT "\"", address, o->id,
                    TEXT_ARG(o->owner_stack));
    return true;
}

/* Whether a stranger's object may be taken over; a diagnostic when not. */
static bool may_adopt(struct build *b, uint32_t i, const struct value *values, uint64_t set_fields,
                      struct object *o, const char *address)
{
    const struct resource *r = &b->desired->items[i];
    enum adopt policy = adopt_policy(r);
    if (belongs_elsewhere(b, r, o, address)) return false;
    if (policy == ADOPT_FORCE || policy == ADOPT_ID) return true;
    if (policy == ADOPT_IF_IDENTICAL) {
        struct comparison c;
        compare_desired(b, i, values, set_fields, o, NULL, &c);
        if (c.n_diffs == 0) return true;
        (void)diags_add(b->diags, SEVERITY_ERROR, r->pos, address,
                        "make the manifest equal to it, or take it over with `lifecycle: {adopt: force}`",
                        "%s exists as %s, is not ours, and differs in `%s`", address, o->id,
                        kind_info(r->kind)->fields[c.diffs[0].field].name);
        return false;
    }
    (void)diags_add(
        b->diags, SEVERITY_ERROR, r->pos, address,
        arena_printf(b->arena, "take it over with `lifecycle: {adopt: %s}`, or only observe it", o->id),
        "%s exists as %s, which headgate did not make", address, o->id);
    return false;
}

/* The natural key as the cloud knows it now: also what is about to be replaced has an id until then. */
static struct object *find_key(struct build *b, const struct resource *r, const struct value *values)
{
    const struct kind_info *info = kind_info(r->kind);
    struct value keys[64];
    for (uint8_t f = 0; f < info->n_fields; f++) {
        keys[f] = values[f];
        if ((info->fields[f].flags & FIELD_KEY) == 0 || info->fields[f].type != FIELD_REF ||
            keys[f].state != VALUE_UNKNOWN || r->values[f].form != REF_LOCAL)
            continue;
        const struct object *target = b->bindings[r->values[f].u.num].object;
        if (target != NULL) keys[f] = value_id(target->id);
    }
    return world_find_key(b->world, r->kind, keys);
}

/* Whether a resource will have another natural key than the object that it is recorded as. */
static bool leaves_its_key(struct build *b, uint32_t i, const struct object *o)
{
    const struct kind_info *info = kind_info(o->kind);
    struct value values[64];
    uint64_t set_fields;
    bind_resolve(b, i, values, &set_fields);
    for (uint8_t f = 0; f < info->n_fields; f++)
        if ((info->fields[f].flags & FIELD_KEY) != 0 &&
            !value_equal(info->fields[f].type, values[f], o->values[f]))
            return true;
    return false;
}

/* What another address's record says it is. False when that one is desired, too, and keeps it. */
static bool take_from_record(struct build *b, uint32_t i, struct binding *binding, struct object *o,
                             uint32_t record)
{
    const struct record *other = &b->recorded->items[record];
    if (desired_find(b->desired, other->kind, other->name) != UINT32_MAX) return false;
    bind(binding, o, BOUND_MOVED);
    binding->record = record;
    b->desired_of[record] = i;
    return true;
}

static bool find_by_key(struct build *b, uint32_t i, const struct value *values, uint64_t set_fields,
                        struct binding *binding, const char *address)
{
    const struct resource *r = &b->desired->items[i];
    bool keyed = has_natural_key(r->kind);
    enum adopt policy = adopt_policy(r);
    struct object *o = keyed                                                   ? find_key(b, r, values)
                       : policy == ADOPT_FORCE || policy == ADOPT_IF_IDENTICAL ? find_by_name(b, r, values)
                                                                               : NULL;
    if (o == NULL || o->phase == PHASE_DELETING) return true;
    if (o->owner_stack.ptr != NULL && text_equal(o->owner_stack, b->options->stack) &&
        !text_equal(o->owner_name, r->name) &&
        desired_find(b->desired, r->kind, o->owner_name) == UINT32_MAX &&
        bind_record_of(b, r->kind, o->id) == UINT32_MAX) {
        bind(binding, o, BOUND_MOVED); /* tagged with a name that nobody desires any more */
        return true;
    }
    uint32_t record = bind_record_of(b, r->kind, o->id);
    if (record != UINT32_MAX) {
        const struct record *other = &b->recorded->items[record];
        if (take_from_record(b, i, binding, o, record)) return true;
        if (leaves_its_key(b, desired_find(b->desired, other->kind, other->name), o))
            return true; /* makes room for this one */
        char other_address[RESOURCE_ADDRESS_SIZE];
        (void)diags_add(b->diags, SEVERITY_ERROR, r->pos, address, "declare it once",
                        "%s and %s would be the same object, %s", address,
                        address_format(other->kind, other->name, other_address), o->id);
        return false;
    }
    if (bind_parent_is_ours(b, o) && !kind_is_taggable(r->kind)) {
        bind(binding, o, BOUND_PARENT);
        return true;
    }
    if (!may_adopt(b, i, values, set_fields, o, address)) return false;
    /* Equal to ours in a VPC of ours: made by us, as far as anybody can tell. */
    bool ours = policy == ADOPT_IF_IDENTICAL && is_in_our_system_table(b, o);
    bind(binding, o, ours ? BOUND_PARENT : BOUND_ADOPTED);
    return true;
}

/* ---- twins ---- */

int bind_compare_twins(const struct object *a, const struct object *b)
{
    bool a_failed = a->phase == PHASE_FAILED, b_failed = b->phase == PHASE_FAILED;
    uint32_t a_number = MAX_OF(a->incarnation, 1u), b_number = MAX_OF(b->incarnation, 1u);
    if (a_failed != b_failed) return a_failed ? 1 : -1;
    return a_number == b_number ? 0 : a_number > b_number ? -1 : 1;
}

/* Among those that are tagged with this name, and the recorded one (binding->object, or NULL), the one that
 * is the resource. Leaves n_equal at 2 or more when another one could be it as well. */
static struct object *best_twin(struct build *b, enum kind kind, struct binding *binding, struct text name,
                                size_t *n_equal)
{
    struct object *best = binding->object;
    size_t cursor = 0;
    *n_equal = best != NULL;
    if (best != NULL) binding->incarnation = best->incarnation;
    for (struct object *o;
         (o = world_next_owned(b->world, b->options->stack, kind, name, &cursor)) != NULL;) {
        if (o == binding->object || o->phase == PHASE_DELETING) continue;
        uint32_t record = bind_record_of(b, kind, o->id);
        if (record != UINT32_MAX && record != binding->record) continue; /* has become another one */
        binding->incarnation = MAX_OF(binding->incarnation, o->incarnation);
        int order = best == NULL ? -1 : bind_compare_twins(o, best);
        if (order == 0) binding->copy = o;
        if (order < 0) best = o, binding->copy = NULL;
        *n_equal = order < 0 ? 1 : *n_equal + (order == 0);
    }
    return best;
}

/* Binds what is tagged with this name, perhaps in place of what is recorded. False after a diagnostic. */
static bool choose_twin(struct build *b, uint32_t i, struct binding *binding, const char *address,
                        struct text name)
{
    const struct resource *r = &b->desired->items[i];
    size_t n = 0, n_equal = 1;
    struct object *recorded = binding->object, *best;
    best = world_find_owned(b->world, b->options->stack, r->kind, name, &n);
    if (n == 0 || (n == 1 && best == recorded)) return true;
    if (n == 1 && recorded == NULL && best->phase == PHASE_DELETING) return true;
    uint32_t record = n == 1 ? bind_record_of(b, r->kind, best->id) : UINT32_MAX;
    if (record != UINT32_MAX && !b->recorded->items[record].observed_only) {
        if (recorded == NULL) (void)take_from_record(b, i, binding, best, record);
        return true;
    }
    if (n > 1 || recorded != NULL) best = best_twin(b, r->kind, binding, name, &n_equal);
    if (n_equal > 1 && best != recorded) {
        (void)diags_add(b->diags, SEVERITY_ERROR, r->pos, address,
                        "delete the one that should not be there, or remove its tag " TAG_ADDRESS,
                        "%zu objects are tagged as %s: %s and more; "
                        "which one is right cannot be guessed",
                        n_equal, address, best->id);
        return false;
    }
    if (best == recorded) return true;
    binding->old = recorded;
    b->n_left_behind += recorded != NULL;
    bind(binding, best, text_equal(name, r->name) ? BOUND_TAGS : BOUND_MOVED);
    return true;
}

struct object *bind_rival(struct build *b, uint32_t i, const struct value *values)
{
    struct object *o = world_find_key(b->world, b->desired->items[i].kind, values);
    if (o == NULL || o == b->bindings[i].object || o->phase == PHASE_DELETING || o->phase == PHASE_FAILED)
        return NULL;
    return bind_record_of(b, o->kind, o->id) == UINT32_MAX && bind_parent_is_ours(b, o) ? o : NULL;
}

/* Resources come in the order of their addresses, and so do the objects of a world that is made of records:
 * there the next object of the kind is the right one, and nothing has to be looked up. */
static struct object *find_id(struct build *b, enum kind kind, const char *id)
{
    size_t cursor = b->cursors[kind];
    struct object *next = world_next(b->world, kind, &cursor);
    if (next == NULL || strcmp(next->id, id) != 0) return world_find(b->world, kind, text_of(id));
    b->cursors[kind] = cursor;
    return next;
}

bool bind_is_anothers(struct build *b, uint32_t record, const struct object *o)
{
    const struct record *r = &b->recorded->items[record];
    struct comparison c;
    if (kind_info(r->kind)->id_prefix != NULL) return false;
    compare_recorded(b, r, o, 0, &c);
    if (c.n_diffs == 0) return false; /* nearly always, and the records need not be sorted for it */
    uint32_t other = other_record(b, record);
    if (other == UINT32_MAX) return false;
    compare_recorded(b, &b->recorded->items[other], o, 0, &c);
    return c.n_diffs == 0;
}

static bool find_recorded(struct build *b, const struct resource *r, struct binding *binding)
{
    if (binding->record == UINT32_MAX) return false;
    const struct record *record = &b->recorded->items[binding->record];
    struct object *o = find_id(b, r->kind, record->id);
    if (o == NULL || o->phase == PHASE_DELETING || bind_is_anothers(b, binding->record, o)) return false;
    bind(binding, o, text_equal(record->name, r->name) ? BOUND_RECORD : BOUND_MOVED);
    return true;
}

/* What is recorded as only observed is not ours for that: to take it over has to be allowed as for anything
 * else that is found. */
static bool may_keep(struct build *b, uint32_t i, const struct value *values, uint64_t set_fields,
                     const char *address)
{
    struct binding *binding = &b->bindings[i];
    struct object *o = binding->object;
    if (!b->recorded->items[binding->record].observed_only || b->options->destroy) return true;
    bool is_entry = !kind_is_taggable(o->kind);
    if (is_entry ? bind_parent_is_ours(b, o)
                 : o->owner_stack.ptr != NULL && text_equal(o->owner_stack, b->options->stack))
        return true;
    if (!may_adopt(b, i, values, set_fields, o, address)) return false;
    binding->by = BOUND_ADOPTED;
    return true;
}

static bool find(struct build *b, uint32_t i, const struct value *values, uint64_t set_fields)
{
    const struct resource *r = &b->desired->items[i];
    struct binding *binding = &b->bindings[i];
    const char *renamed_from = r->lifecycle->renamed_from;
    if (binding->record == UINT32_MAX && renamed_from != NULL)
        binding->record = records_find(b->recorded, r->kind, text_of(renamed_from));
    if (binding->record != UINT32_MAX) b->desired_of[binding->record] = i;

    bool observe = r->lifecycle->management == MANAGE_OBSERVE;
    if (!observe && is_system_table(r->kind, values)) {
        bind(binding, system_table(b, values), BOUND_PARENT);
        return true;
    }
    bool taggable = kind_is_taggable(r->kind);
    char address[RESOURCE_ADDRESS_SIZE];
    (void)address_format(r->kind, r->name, address);
    if (!observe && find_recorded(b, r, binding))
        return may_keep(b, i, values, set_fields, address) &&
               (!taggable || choose_twin(b, i, binding, address, b->recorded->items[binding->record].name));
    if (observe) return find_observed(b, r, values, binding, address);
    if (taggable) {
        if (!choose_twin(b, i, binding, address, r->name)) return false;
        if (binding->object == NULL && renamed_from != NULL &&
            !choose_twin(b, i, binding, address, text_of(renamed_from)))
            return false;
        if (binding->object != NULL) return true;
    }
    if (r->lifecycle->adopt == ADOPT_ID) {
        struct object *o = world_find(b->world, r->kind, text_of(r->lifecycle->adopt_id));
        if (o == NULL && binding->record == UINT32_MAX) {
            (void)diags_add(b->diags, SEVERITY_ERROR, r->pos, address,
                            "check the id, the region and the account",
                            "%s, which %s should adopt, does not exist", r->lifecycle->adopt_id, address);
            return false;
        }
        if (o != NULL && belongs_elsewhere(b, r, o, address)) return false;
        if (o != NULL) {
            bind(binding, o, BOUND_ADOPTED);
            return true;
        }
    }
    return find_by_key(b, i, values, set_fields, binding, address);
}

/* The custom table that has the address of what is declared as a system table now; or NULL. */
static const struct object *custom_table(struct build *b, uint32_t i)
{
    const struct resource *r = &b->desired->items[i];
    uint32_t record = b->bindings[i].record;
    size_t n = 0;
    const struct object *o = record == UINT32_MAX
                                 ? world_find_owned(b->world, b->options->stack, r->kind, r->name, &n)
                                 : world_find(b->world, r->kind, text_of(b->recorded->items[record].id));
    return o == NULL || o->system || o->phase == PHASE_DELETING ? NULL : o;
}

/* A custom table and the one that came with the VPC never become each other: what is declared in one would
 * silently go into the other. */
static bool is_right_table(struct build *b, uint32_t i, const struct value *values)
{
    const struct resource *r = &b->desired->items[i];
    const struct object *bound = b->bindings[i].object, *other;
    if (r->kind != KIND_ROUTE_TABLE || r->lifecycle->management == MANAGE_OBSERVE || b->options->destroy)
        return true;
    bool system = is_system_table(r->kind, values);
    other = system ? custom_table(b, i) : bound != NULL && bound->system ? bound : NULL;
    if (other == NULL) return true;
    char address[RESOURCE_ADDRESS_SIZE];
    (void)diags_add(b->diags, SEVERITY_ERROR, r->pos, address_format(r->kind, r->name, address),
                    system ? "declare the system table under another name"
                           : "declare it with `system: true`, or the custom table under another name",
                    "%s is a %s route table and cannot become a %s one", other->id,
                    system ? "custom" : "system", system ? "system" : "custom");
    return false;
}

bool bind_find(struct build *b, uint32_t i, const struct value *values, uint64_t set_fields)
{
    return find(b, i, values, set_fields) && is_right_table(b, i, values);
}

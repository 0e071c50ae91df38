/* blockers.c - what lies in something that is to be deleted, is not ours, and would make the cloud refuse.
 *
 * Told before anything is touched, so that a destroy does not end half way. Source: api-behaviour 9,
 * DependencyViolation.* */
#include "reconciler/base/ip.h"
#include "reconciler/plan/build.h"

#include <string.h>

struct leaving {
    enum kind kind;
    const char *id;
    uint32_t change;
};

static int compare_leaving(const void *pa, const void *pb)
{
    const struct leaving *a = pa, *b = pb;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    return strcmp(a->id, b->id);
}

static const struct leaving *find(const struct leaving *all, size_t n, enum kind kind, const char *id)
{
    struct leaving wanted = {.kind = kind, .id = id};
    return n == 0 ? NULL : bsearch(&wanted, all, n, sizeof *all, compare_leaving);
}

static const char *object_name(const struct object *o)
{
    uint8_t field = kind_info(o->kind)->name_field;
    return field != FIELD_NO && value_is_set(o->values[field]) ? o->values[field].u.text : "";
}

/* Ours, and kept out of this plan by --target or --exclude: writes its address. */
static bool is_left_out(struct build *b, const struct object *o, char address[RESOURCE_ADDRESS_SIZE])
{
    for (uint32_t i = 0; i < b->desired->n; i++) {
        if (b->bindings[i].object != o || !b->bindings[i].left_out) continue;
        (void)address_format(o->kind, b->desired->items[i].name, address);
        return true;
    }
    uint32_t r = bind_record_of(b, o->kind, o->id);
    if (r == UINT32_MAX) return false;
    (void)address_format(o->kind, b->recorded->items[r].name, address);
    return true;
}

static void report(struct build *b, const struct object *o, const struct change *parent)
{
    char mine[RESOURCE_ADDRESS_SIZE], its[RESOURCE_ADDRESS_SIZE];
    if (is_left_out(b, o, mine)) {
        (void)address_format(parent->kind, parent->name, its);
        (void)diags_add(b->diags, SEVERITY_ERROR, (struct src_pos){0}, its,
                        arena_printf(b->arena, "take it in, too: --target %s", mine),
                        "%s lies in it and is left out by --target or --exclude", mine);
        return;
    }
    /* Entries carry no tags: what is not recorded is known by a manifest only. */
    static const char forgotten[] =
        "; if headgate made it and the state was lost, bring its manifest back and run "
        "`headgate state rebuild` first";
    bool is_entry = !kind_is_taggable(o->kind);
    char address[RESOURCE_ADDRESS_SIZE];
    const char *name = object_name(o);
    (void)address_format(parent->kind, parent->name, address);
    (void)diags_add(b->diags, SEVERITY_ERROR, (struct src_pos){0}, address,
                    arena_printf(b->arena, "delete it, or keep what it needs: --exclude %s%s", address,
                                 is_entry && parent->recorded == NULL ? forgotten : ""),
                    "%s %s%s%s%s lies in it and is not headgate's to delete", kind_info(o->kind)->name, o->id,
                    name[0] == '\0' ? "" : " (", name, name[0] == '\0' ? "" : ")");
}

/* Whether the plan makes this object go, or moves it elsewhere. */
static bool is_handled(const struct build *b, const struct leaving *leaving, size_t n, const struct object *o)
{
    if (find(leaving, n, o->kind, o->id) != NULL) return true;
    for (size_t k = 0; k < b->n_changes; k++)
        if (b->changes[k].observed == o && b->changes[k].n_diffs > 0 &&
            (b->changes[k].action == ACTION_UPDATE || b->changes[k].action == ACTION_ADOPT))
            return true;
    return false;
}

/* ---- bindings ---- */

/* An SNAT or DNAT entry that stays, and works with an address whose binding goes: that would be refused for
 * as long as it is there.  Source: UnassociateEipAddress, InvalidIpStatus.HasBeenUsedBy… */
static void report_user(struct build *b, const struct object *o, const struct change *binding)
{
    char mine[RESOURCE_ADDRESS_SIZE], its[RESOURCE_ADDRESS_SIZE];
    bool ours = is_left_out(b, o, mine);
    (void)address_format(binding->kind, binding->name, its);
    (void)diags_add(
        b->diags, SEVERITY_ERROR, binding->desired == NULL ? (struct src_pos){0} : binding->desired->pos, its,
        ours ? arena_printf(b->arena, "take it in, too (--target %s), or let it go (--prune)", mine)
             : arena_printf(b->arena, "delete it, or keep what it needs: --exclude %s", its),
        "%s works with its EIP and stays", ours ? mine : o->id);
}

static bool list_has(struct value list, struct value id)
{
    for (uint32_t k = 0; k < list.n; k++)
        if (value_equal(FIELD_REF, list.u.items[k], id)) return true;
    return false;
}

static void report_users_of_bindings(struct build *b, const struct leaving *leaving, size_t n)
{
    static const struct {
        enum kind kind;
        uint8_t eips;
    } users[] = {{KIND_SNAT_ENTRY, SNAT_EIPS}, {KIND_DNAT_ENTRY, DNAT_EIP}};
    for (size_t k = 0; k < b->n_changes; k++) {
        const struct change *c = &b->changes[k];
        if (c->kind != KIND_EIP_ASSOCIATION || (c->action != ACTION_DELETE && c->action != ACTION_REPLACE))
            continue;
        struct value eip = c->observed->values[EAS_EIP];
        for (size_t u = 0; u < N_ELEMENTS(users); u++) {
            size_t cursor = 0;
            for (const struct object *o; (o = world_next(b->world, users[u].kind, &cursor)) != NULL;) {
                struct value v = o->values[users[u].eips];
                bool uses =
                    value_is_set(v) && value_is_set(eip) &&
                    (users[u].kind == KIND_SNAT_ENTRY ? list_has(v, eip) : value_equal(FIELD_REF, v, eip));
                if (uses && o->phase != PHASE_DELETING && !is_handled(b, leaving, n, o)) report_user(b, o, c);
            }
        }
    }
}

/* ---- blocks of vSwitches ---- */

/* A vSwitch that stays, in its VPC. */
struct taken {
    struct text vpc;
    struct cidr block;
    const struct object *vswitch;
};

static int compare_taken(const void *pa, const void *pb)
{
    const struct taken *a = pa, *b = pb;
    int order = text_compare(a->vpc, b->vpc);
    return order != 0 ? order : cidr_compare(a->block, b->block);
}

/* The one that stays and overlaps. What exists does not overlap each other: only the last one that begins
 * before the end of the block can. */
static const struct object *find_taken(const struct taken *all, size_t n, struct text vpc, struct cidr block)
{
    struct taken end = {.vpc = vpc, .block = {cidr_last(block), 32}};
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_taken(&all[middle], &end) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool overlaps = low > 0 && text_equal(all[low - 1].vpc, vpc) && cidr_overlaps(all[low - 1].block, block);
    return overlaps ? all[low - 1].vswitch : NULL;
}

static size_t collect_taken(const struct build *b, const struct leaving *leaving, size_t n_leaving,
                            struct taken *out)
{
    size_t n = 0, cursor = 0;
    for (const struct object *o; (o = world_next(b->world, KIND_VSWITCH, &cursor)) != NULL;) {
        struct value vpc = o->values[VSW_VPC], block = o->values[VSW_CIDR];
        if (o->phase == PHASE_DELETING || !value_is_set(vpc) || !value_is_set(block) ||
            find(leaving, n_leaving, KIND_VSWITCH, o->id) != NULL ||
            cidr_parse(value_as_text(block), &out[n].block) != IP_OK)
            continue;
        out[n].vpc = value_as_text(vpc);
        out[n++].vswitch = o;
    }
    if (n > 1) qsort(out, n, sizeof *out, compare_taken);
    return n;
}

static bool makes_vswitch(const struct change *c)
{
    return c->kind == KIND_VSWITCH && (c->action == ACTION_CREATE || c->action == ACTION_REPLACE) &&
           value_is_set(c->values[VSW_VPC]);
}

/* A replacement would take the old one away and then find no place for the new one. */
static void report_taken_blocks(struct build *b, const struct leaving *leaving, size_t n_leaving)
{
    size_t n = 0, n_makes = 0, cursor = 0;
    for (size_t k = 0; k < b->n_changes; k++) n_makes += makes_vswitch(&b->changes[k]);
    while (n_makes > 0 && world_next(b->world, KIND_VSWITCH, &cursor) != NULL) n++;
    if (n == 0) return;
    struct taken *taken = arena_array_of(b->arena, n, struct taken);
    if (taken == NULL) {
        b->out_of_memory = true;
        return;
    }
    n = collect_taken(b, leaving, n_leaving, taken);
    for (size_t k = 0; k < b->n_changes; k++) {
        const struct change *c = &b->changes[k];
        struct cidr block;
        if (!makes_vswitch(c) || cidr_parse(value_as_text(c->values[VSW_CIDR]), &block) != IP_OK) continue;
        const struct object *other = find_taken(taken, n, value_as_text(c->values[VSW_VPC]), block);
        if (other == NULL) continue;
        char address[RESOURCE_ADDRESS_SIZE];
        (void)diags_add(b->diags, SEVERITY_ERROR, c->desired->pos, address_format(c->kind, c->name, address),
                        "choose another block, or let the plan delete what has it (--prune, --target)",
                        "its block overlaps that of VSwitch %s (" TEXT_FMT "), which stays", other->id,
                        TEXT_ARG(value_as_text(other->values[VSW_CIDR])));
    }
}

void report_blockers(struct build *b)
{
    struct leaving *leaving = arena_array_of(b->arena, b->n_changes, struct leaving);
    size_t n = 0;
    if (leaving == NULL) {
        b->out_of_memory = true;
        return;
    }
    for (uint32_t k = 0; k < b->n_changes; k++) {
        const struct change *c = &b->changes[k];
        if (c->action == ACTION_DELETE || c->action == ACTION_REPLACE)
            leaving[n++] = (struct leaving){c->kind, c->observed->id, k};
    }
    if (n > 1) qsort(leaving, n, sizeof *leaving, compare_leaving);
    report_taken_blocks(b, leaving, n);
    report_users_of_bindings(b, leaving, n);
    for (int kind = 0; kind < N_KINDS && n > 0; kind++) {
        const struct kind_info *info = kind_info((enum kind)kind);
        if (kind == KIND_SECURITY_GROUP_RULE)
            continue; /* go with their group.  Source: DeleteSecurityGroup */
        size_t cursor = 0;
        for (const struct object *o; (o = world_next(b->world, (enum kind)kind, &cursor)) != NULL;) {
            if (o->system || o->phase == PHASE_DELETING) continue;
            for (uint8_t f = 0; f < info->n_fields; f++) {
                if ((info->fields[f].flags & FIELD_PARENT) == 0 || !value_is_set(o->values[f])) continue;
                const struct leaving *parent = find(leaving, n, info->fields[f].ref, o->values[f].u.text);
                if (parent == NULL || is_handled(b, leaving, n, o)) continue;
                report(b, o, &b->changes[parent->change]);
                break;
            }
        }
    }
}

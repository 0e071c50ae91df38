/* expand.c - inline lists become resources of their own: everything that is planned is atomic. */
#include "reconciler/base/buf.h"
#include "reconciler/base/limits.h"
#include "reconciler/manifest/read.h"

#include <string.h>

enum item_form {
    ITEM_SPEC,     /* each item is the spec of a resource, without what the owner gives */
    ITEM_REFERENCE /* each item refers to one resource */
};

/* How a list of one field becomes resources of the field's kind. */
static const struct expansion {
    enum kind kind;
    uint8_t field;
    enum item_form form;
    uint8_t owner_field; /* of the new resource: refers to the owner; FIELD_NO: see 'copies' */
    uint8_t item_field;  /* ITEM_REFERENCE: where the item goes */
    struct {
        uint8_t from, to; /* fields of the owner that the new resource takes over */
        bool to_list;
    } copies[2];
    uint8_t n_copies;
    bool replaces_owner; /* the owner is only a way to write its parts; takes over all fields */
} expansions[] = {
    {KIND_SECURITY_GROUP, SG_RULES, ITEM_SPEC, SGR_GROUP, FIELD_NO, {{0}}, 0, false},
    {KIND_ROUTE_TABLE, RTB_ROUTES, ITEM_SPEC, RTE_TABLE, FIELD_NO, {{0}}, 0, false},
    {KIND_ROUTE_TABLE, RTB_VSWITCHES, ITEM_REFERENCE, RTA_TABLE, RTA_VSWITCH, {{0}}, 0, false},
    {KIND_EIP_ASSOCIATION,
     EAS_SNAT_FOR,
     ITEM_REFERENCE,
     FIELD_NO,
     SNAT_VSWITCH,
     {{EAS_NAT, SNAT_NAT, false}, {EAS_EIP, SNAT_EIPS, true}},
     2,
     false},
    {KIND_SNAT_ENTRY, SNAT_VSWITCHES, ITEM_REFERENCE, FIELD_NO, SNAT_VSWITCH, {{0}}, 0, true},
};

/* One list being expanded. */
struct job {
    const struct expansion *how;
    const struct spec *owner;
    struct text owner_name;
    const struct lifecycle *lifecycle; /* for the new resources */
};

/* Only what generated names may have: a-z, 0-9, '.' and '-'. False when something was replaced. */
static bool put_name_part(struct buf *b, struct text t)
{
    bool same = true;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
        buf_putc(b, ok ? c : '-');
        same &= ok && c == t.ptr[i];
    }
    return same;
}

static uint64_t hash_more(uint64_t h, struct value v)
{
    return v.state == VALUE_SET ? (h ^ text_hash(value_as_text(v))) * 0x100000001b3u : h;
}

/* A reference as part of a name: the name or id; of a look-up its name, with a hash of all of it where the
 * name alone does not say everything. */
static void put_ref(struct buf *b, struct value ref)
{
    if (ref.form != REF_LOOKUP) {
        (void)put_name_part(b, value_as_text(ref));
        return;
    }
    struct value name = ref.u.items[0], tags = ref.u.items[1];
    uint64_t h = hash_more(1, name);
    for (uint32_t i = 0; tags.state == VALUE_SET && i < tags.n; i++) h = hash_more(h, tags.u.items[i]);
    bool whole = name.state == VALUE_SET && name.n <= 40 && tags.state != VALUE_SET;
    if (name.state == VALUE_SET)
        whole &= put_name_part(b, (struct text){name.u.text, MIN_OF(name.n, (uint32_t)40)});
    else
        buf_puts(b, "lookup");
    if (!whole) buf_printf(b, "-%08x", (unsigned)((h >> 32 ^ h) & 0xffffffffu));
}

/* "ingress-tcp-80-0.0.0.0-0", and what differs from the usual policy and priority. */
static void put_rule_name(struct buf *b, const struct value *v)
{
    (void)put_name_part(b, value_as_text(v[SGR_DIRECTION]));
    buf_putc(b, '-');
    (void)put_name_part(b, value_as_text(v[SGR_PROTOCOL]));
    buf_putc(b, '-');
    (void)put_name_part(b, value_as_text(v[SGR_PORTS]));
    buf_putc(b, '-');
    if (v[SGR_PEER_CIDR].state == VALUE_SET)
        (void)put_name_part(b, value_as_text(v[SGR_PEER_CIDR]));
    else
        put_ref(b, v[SGR_PEER_GROUP]);
    if (!text_is(value_as_text(v[SGR_POLICY]), "accept")) {
        buf_putc(b, '-');
        (void)put_name_part(b, value_as_text(v[SGR_POLICY]));
    }
    if (v[SGR_PRIORITY].u.num != 1) buf_printf(b, "-p%lld", (long long)v[SGR_PRIORITY].u.num);
}

static void put_route_name(struct buf *b, const struct value *v)
{
    struct text destination = value_as_text(v[RTE_DESTINATION]);
    (void)put_name_part(b, text_is(destination, "0.0.0.0/0") ? TEXT("default") : destination);
}

/* Where the parts of a derived name come from. False when one is missing (it was complained of). */
static bool derive_name(const struct job *job, const struct value *v, struct buf *b)
{
    if (job->how->form == ITEM_REFERENCE) {
        put_ref(b, v[job->how->item_field]);
    } else if (job->how->kind == KIND_SECURITY_GROUP) {
        if (v[SGR_PROTOCOL].state != VALUE_SET || v[SGR_PORTS].state != VALUE_SET ||
            v[SGR_DIRECTION].state != VALUE_SET || v[SGR_POLICY].state != VALUE_SET ||
            v[SGR_PRIORITY].state != VALUE_SET ||
            (v[SGR_PEER_CIDR].state != VALUE_SET && v[SGR_PEER_GROUP].state != VALUE_SET))
            return false;
        put_rule_name(b, v);
    } else {
        if (v[RTE_DESTINATION].state != VALUE_SET) return false;
        put_route_name(b, v);
    }
    return true;
}

/* The owner's lifecycle, as far as it can hold for a part of it: ids are the owner's, fields are of its
 * kind. */
static const struct lifecycle *part_lifecycle(struct load *l, const struct expansion *how,
                                              const struct lifecycle *of)
{
    struct lifecycle lc = *of;
    if (lc.adopt == ADOPT_ID) lc.adopt = ADOPT_DEFAULT;
    lc.adopt_id = NULL;
    if (kind_info(how->kind)->fields[how->field].ref != how->kind) lc.ignore_changes = 0;
    lc.renamed_from = NULL;
    return lifecycle_keep(l, &lc);
}

/* A renamed owner renames its parts: "old" to "old.part". */
static const struct lifecycle *renamed_part(struct load *l, const struct job *job, const struct lifecycle *of,
                                            struct text part)
{
    if (of->renamed_from == NULL) return job->lifecycle;
    struct lifecycle lc = *job->lifecycle;
    lc.renamed_from = arena_printf(l->arena, "%s." TEXT_FMT, of->renamed_from, TEXT_ARG(part));
    if (lc.renamed_from == NULL) l->out_of_memory = true;
    return lifecycle_keep(l, &lc);
}

static void add_part(struct load *l, const struct job *job, const struct draft *d, struct text part,
                     struct mark mark, const struct lifecycle *of)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 1024);
    buf_put_text(&b, job->owner_name);
    buf_putc(&b, '.');
    buf_put_text(&b, part);
    if (buf_ok(&b))
        load_add(l, d, buf_text(&b), mark, renamed_part(l, job, of, part));
    else
        l->out_of_memory = true;
}

/* What the owner gives. */
static void fill_from_owner(struct load *l, const struct job *job, struct draft *d, struct mark mark)
{
    const struct expansion *how = job->how;
    if (how->owner_field != FIELD_NO) {
        d->r.values[how->owner_field] = value_ref_name(l, job->owner_name, mark);
        d->marks[how->owner_field] = mark;
    }
    for (uint8_t i = 0; i < how->n_copies; i++) {
        struct value v = job->owner->d.r.values[how->copies[i].from];
        if (v.state != VALUE_SET) continue;
        if (how->copies[i].to_list) {
            struct value *item = arena_new_of(l->arena, struct value);
            if (item == NULL) {
                l->out_of_memory = true;
                return;
            }
            *item = v;
            v = value_list(item, 1);
        }
        d->r.values[how->copies[i].to] = v;
        d->marks[how->copies[i].to] = mark;
    }
    uint8_t n = kind_info(how->kind)->n_fields;
    if (!how->replaces_owner) return;
    memcpy(d->r.values, job->owner->d.r.values, n * sizeof *d->r.values);
    memcpy(d->marks, job->owner->d.marks, n * sizeof *d->marks);
    for (uint8_t i = 0; i < n; i++) { /* each part resolves and sorts a list of its own */
        if (d->r.values[i].state != VALUE_SET || kind_info(how->kind)->fields[i].type != FIELD_REF_LIST)
            continue;
        struct value *items = arena_array_of(l->arena, d->r.values[i].n, struct value);
        if (items == NULL) {
            l->out_of_memory = true;
            return;
        }
        memcpy(items, d->r.values[i].u.items, d->r.values[i].n * sizeof *items);
        d->r.values[i].u.items = items;
    }
}

static void expand_reference(struct load *l, const struct job *job, uint32_t node, const struct lifecycle *of)
{
    const struct field *list = &kind_info(job->how->kind)->fields[job->how->field];
    struct mark mark = l->tree->nodes[node].mark;
    struct draft d;
    struct value ref;
    if (!draft_init(l, list->ref, &d)) return;
    const struct field *f = &kind_info(list->ref)->fields[job->how->item_field];
    if (!value_read_ref(l, list->name, f->ref, node, &ref)) return;
    fill_from_owner(l, job, &d, mark);
    if (l->out_of_memory) return;
    d.r.values[job->how->item_field] = ref;
    d.marks[job->how->item_field] = mark;
    CLEANUP(buf_fini) struct buf part;
    buf_init(&part, 512);
    if (!l->out_of_memory && derive_name(job, d.r.values, &part))
        add_part(l, job, &d, buf_text(&part), mark, of);
}

static void expand_spec(struct load *l, const struct job *job, uint32_t node, const struct lifecycle *of)
{
    enum kind kind = kind_info(job->how->kind)->fields[job->how->field].ref;
    struct mark mark = l->tree->nodes[node].mark;
    struct spec s = {.mark = mark,
                     .is_item = kind_info(kind)->name_field == FIELD_NO,
                     .parent = job->how->owner_field,
                     .observe = job->lifecycle->management == MANAGE_OBSERVE};
    if (!draft_init(l, kind, &s.d)) return;
    bool ok = read_spec(l, &s, node);
    if (s.id_node != NO_NODE && s.d.r.external_id == NULL) return;
    fill_from_owner(l, job, &s.d, mark);
    if (l->out_of_memory) return;
    CLEANUP(buf_fini) struct buf part;
    buf_init(&part, 512);
    if (s.name_node != NO_NODE) {
        struct text name;
        if (!load_scalar(l, s.name_node, "name", &name) ||
            !load_check_name(l, name, l->tree->nodes[s.name_node].mark, "name"))
            return;
        buf_put_text(&part, name);
    } else if (!derive_name(job, s.d.r.values, &part)) {
        return; /* a part of the name is what was wrong */
    }
    if (ok || s.given != 0) add_part(l, job, &s.d, buf_text(&part), mark, of);
}

static void expand_list(struct load *l, const struct job *job, uint32_t node, const struct lifecycle *of)
{
    const struct field *f = &kind_info(job->how->kind)->fields[job->how->field];
    const struct node *list = tree_node(l->tree, node);
    struct mark mark = l->tree->nodes[node].mark;
    int64_t max = f->max > 0 ? f->max : LIMIT_LIST_ITEMS;
    if (list->type != NODE_SEQUENCE) {
        COMPLAIN(l, mark, NULL, "`%s` needs a list", f->name);
        return;
    }
    if (list->n > max || (job->how->replaces_owner && list->n == 0)) {
        COMPLAIN(l, mark, NULL, "`%s` has %u items, but must have from %d to %lld", f->name, list->n,
                 job->how->replaces_owner ? 1 : 0, (long long)max);
        return;
    }
    for (uint32_t c = list->first; c != NO_NODE; c = l->tree->nodes[c].next) {
        if (tree_is_null(l->tree, tree_node(l->tree, c)))
            COMPLAIN(l, l->tree->nodes[c].mark, "remove it", "`%s` has an empty item", f->name);
        else if (job->how->form == ITEM_REFERENCE)
            expand_reference(l, job, c, of);
        else
            expand_spec(l, job, c, of);
    }
}

void expand_and_add(struct load *l, const struct spec *s, struct text name, struct mark name_mark,
                    const struct lifecycle *lifecycle)
{
    bool replaced = false;
    for (size_t i = 0; i < N_ELEMENTS(expansions); i++) {
        const struct expansion *how = &expansions[i];
        if (how->kind != s->d.r.kind || !(s->given & 1ull << how->field)) continue;
        if (how->field == EAS_SNAT_FOR && how->kind == KIND_EIP_ASSOCIATION &&
            !(s->given & 1ull << EAS_NAT)) {
            COMPLAIN(l, s->d.marks[EAS_SNAT_FOR], "bind the EIP to a NAT gateway, or remove it",
                     "`snatFor` needs `natGateway`");
            continue;
        }
        struct job job = {how, s, name, part_lifecycle(l, how, lifecycle)};
        expand_list(l, &job, s->nodes[how->field], lifecycle);
        replaced |= how->replaces_owner;
    }
    if (!replaced) load_add(l, &s->d, name, name_mark, lifecycle);
}

static const struct expansion *find_expansion(enum kind kind, uint8_t field)
{
    for (size_t i = 0; i < N_ELEMENTS(expansions); i++)
        if (expansions[i].kind == kind && expansions[i].field == field) return &expansions[i];
    return NULL;
}

enum kind inline_reference(enum kind kind, uint8_t field)
{
    const struct expansion *how = find_expansion(kind, field);
    if (how == NULL || how->form == ITEM_SPEC) return KIND_NONE;
    return kind_info(kind_info(kind)->fields[field].ref)->fields[how->item_field].ref;
}

uint8_t inline_owner_field(enum kind kind, uint8_t field)
{
    const struct expansion *how = find_expansion(kind, field);
    return how == NULL ? FIELD_NO : how->owner_field;
}

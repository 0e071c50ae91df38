/* plan.c - from manifests to plans, and what is shown of them.
 *
 * The first part of the input is what was applied: its resources are recorded and exist. The second is what
 * is desired now; without one, the first is planned on an empty cloud. Each plan is made twice, and shown in
 * every form; what is planned for what already is, changes nothing. */
#include "reconciler/plan/plan.h"

#include "providers/alicloud/alicloud.h"
#include "reconciler/manifest/manifest.h"
#include "reconciler/plan/graph.h"
#include "reconciler/plan/render.h"
#include "tests/fuzz/fuzz.h"

enum { OUTPUT_BYTES = 64 << 20 };

static bool load(struct text bytes, struct arena *a, struct desired *out)
{
    struct source source = {"a.yaml", bytes};
    struct manifest_input input = {.sources = &source, .n_sources = 1};
    struct diags diags;
    struct err err = {0};
    diags_init(&diags, a);
    return manifest_load(a, &input, &diags, out, &err) == ERR_OK;
}

/* ---- what was applied ---- */

static const char *id_of(const struct desired *d, uint32_t i, struct arena *a)
{
    const struct resource *r = &d->items[i];
    const char *prefix = kind_info(r->kind)->id_prefix;
    const char *id =
        r->external_id != NULL ? r->external_id : arena_printf(a, "%s%u", prefix == NULL ? "x-" : prefix, i);
    ASSERT(id != NULL);
    return id;
}

/* What a lookup would have found. */
static struct value resolved(const struct desired *d, struct value ref, struct arena *a)
{
    if (ref.form == REF_LOCAL) return value_id(id_of(d, (uint32_t)ref.u.num, a));
    return ref.form == REF_LOOKUP ? value_id("x-found") : ref;
}

static struct value made(const struct desired *d, const struct field *f, struct value v, struct arena *a)
{
    if (v.state != VALUE_SET) return v;
    if (f->type == FIELD_REF) return resolved(d, v, a);
    if (f->type != FIELD_REF_LIST) return v;
    struct value *items = arena_array_of(a, v.n, struct value);
    ASSERT(items != NULL);
    for (uint32_t i = 0; i < v.n; i++) items[i] = resolved(d, v.u.items[i], a);
    return value_list(items, (f->flags & FIELD_SET) ? value_sort_set(f->type, items, v.n) : v.n);
}

static void record(const struct desired *d, uint32_t i, const struct cloud *cloud, struct arena *a,
                   struct record *out)
{
    const struct resource *r = &d->items[i];
    const struct kind_info *info = kind_info(r->kind);
    *out = (struct record){.kind = r->kind,
                           .name = r->name,
                           .id = id_of(d, i, a),
                           .generation = 1,
                           .incarnation = 1,
                           .values = arena_array_of(a, info->n_fields, struct value),
                           .prevent_destroy = r->lifecycle->prevent_destroy,
                           .orphan_on_removal = r->lifecycle->orphan_on_removal,
                           .observed_only = r->lifecycle->management == MANAGE_OBSERVE};
    ASSERT(out->values != NULL);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        out->values[f] = made(d, &info->fields[f], r->values[f], a);
        if (r->values[f].state == VALUE_SET) out->set_fields |= UINT64_C(1) << f;
    }
    if (cloud->natural_id == NULL) return;
    const char *natural = cloud->natural_id(cloud, r->kind, out->values, a);
    if (natural != NULL) out->id = natural;
}

static struct records applied(const struct desired *d, const struct cloud *cloud, struct arena *a)
{
    struct records records = {.items = arena_array_of(a, d->n, struct record), .n = d->n};
    ASSERT(records.items != NULL);
    for (uint32_t i = 0; i < d->n; i++) record(d, i, cloud, a, &records.items[i]);
    return records;
}

/* ---- plans ---- */

struct scene {
    const struct cloud *cloud;
    struct arena *arena;
    struct records records;
};

/* NULL when it is refused, with a reason. */
static const struct plan *build(const struct scene *s, const struct desired *d, bool destroy)
{
    struct plan_options options = {.stack = TEXT("default"),
                                   .destroy = destroy,
                                   .prune = true,
                                   .allow_empty = true,
                                   .max_deletions = -1};
    struct diags diags;
    struct err err = {0};
    const struct plan *plan = NULL;
    struct world *w = world_new(s->arena);
    ASSERT(w != NULL);
    diags_init(&diags, s->arena);
    ASSERT(plan_recorded_world(s->arena, options.stack, &s->records, w, &err) == ERR_OK);
    enum err_code code = plan_build(s->arena, &options, d, &s->records, w, s->cloud, &diags, &plan, &err);
    ASSERT(code == ERR_OK || code == ERR_CONFLICT || code == ERR_INPUT || code == ERR_GUARD);
    ASSERT(code == ERR_OK || diags.n_errors > 0 || err.msg[0] != '\0');
    world_free(w);
    return code == ERR_OK ? plan : NULL;
}

static void render(const struct plan *p, const struct desired *d, struct buf *out)
{
    struct render_options options = {.desired = d};
    CLEANUP(buf_fini) struct buf json, other;
    struct err err = {0};
    buf_init(out, OUTPUT_BYTES);
    buf_init(&json, OUTPUT_BYTES);
    buf_init(&other, OUTPUT_BYTES);
    plan_render(out, p, &options);
    fuzz_check_text(out);
    ASSERT(plan_render_json(&json, p, NULL, "2024-02-29T23:59:59Z", &err) == ERR_OK);
    fuzz_check_json(&json);
    options.color = options.concise = true;
    plan_render(&other, p, &options);
    plan_render_diff(&other, p, &options);
    plan_render_drift(&other, p, NULL, &options);
    for (enum graph_format f = GRAPH_DOT; f <= GRAPH_SVG; f++) graph_render(&other, d, p, f);
    fuzz_check_text(&other);
}

/* Every step comes behind those that it waits for. */
static void check_order(const struct plan *p)
{
    for (uint32_t i = 0; i < p->n_steps; i++)
        for (uint32_t k = 0; k < p->steps[i].n_after; k++) {
            const struct step *before = &p->steps[p->steps[i].after[k].step];
            ASSERT(before < p->steps + p->n_steps && before->depth < p->steps[i].depth);
        }
}

/* NULL when it is refused. */
static const struct plan *check_plan(const struct scene *s, const struct desired *d, bool destroy)
{
    const struct plan *first = build(s, d, destroy), *second = build(s, d, destroy);
    ASSERT((first == NULL) == (second == NULL));
    if (first == NULL) return NULL;
    CLEANUP(buf_fini) struct buf once, twice;
    check_order(first);
    render(first, d, &once);
    render(second, d, &twice);
    ASSERT(text_equal(buf_text(&once), buf_text(&twice)));
    return first;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = fuzz_input(data, size), first, second;
    struct arena *a = fuzz_arena();
    struct scene s = {.cloud = alicloud_cloud(a, "cn-shanghai"), .arena = a};
    struct desired before, now;
    ASSERT(s.cloud != NULL);
    if (fuzz_part(&rest, &first) && load(first, a, &before)) {
        (void)check_plan(&s, &before, false);
        s.records = applied(&before, s.cloud, a);
        const struct plan *same = check_plan(&s, &before, false);
        for (uint32_t i = 0; same != NULL && i < same->n_changes; i++)
            ASSERT(same->changes[i].action != ACTION_CREATE && same->changes[i].action != ACTION_DELETE);
        (void)check_plan(&s, &before, true);
        if (fuzz_part(&rest, &second) && load(second, a, &now)) (void)check_plan(&s, &now, false);
    }
    arena_free(a);
    return 0;
}

/* answer.c - what a cloud answers, read by the mapping of the provider.
 *
 * The first line says what was asked: "list KIND STATUS", and the parts behind it are the pages; or
 * "OPERATION STATUS", and the part behind it is the answer. What a list shows must be whole objects that the
 * world learns, the state keeps, and people read; and a stack that owns some of them must be planned away. */
#include "providers/alicloud/alicloud.h"
#include "providers/alicloud/mapping.h"
#include "reconciler/manifest/manifest.h"
#include "reconciler/plan/render.h"
#include "state/codec.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_PAGES = 4, OUTPUT_BYTES = 64 << 20 };

static void check_outcome(const struct outcome *o)
{
    ASSERT(o->class < N_OUTCOMES && outcome_name(o->class) != NULL);
    ASSERT(text_is_utf8(text_of(o->code), NULL) && text_is_utf8(text_of(o->message), NULL));
    ASSERT(text_is_utf8(text_of(o->request_id), NULL) && o->delay_ms >= 0);
    for (size_t i = 0; o->failed_items != NULL && o->failed_items[i] != NULL; i++)
        ASSERT(text_is_utf8(text_of(o->failed_items[i]), NULL));
}

static void check_values(const struct object *o)
{
    const struct kind_info *info = kind_info(o->kind);
    for (uint8_t i = 0; i < info->n_fields; i++) fuzz_check_value(info->fields[i].type, o->values[i]);
}

/* As the state would keep it: read back, it is the same. */
static void check_kept(const struct object *o, struct arena *a)
{
    const struct kind_info *info = kind_info(o->kind);
    struct err err = {0};
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, OUTPUT_BYTES);
    ASSERT(codec_put_fields(&b, info, o->values, &err) == ERR_OK && buf_ok(&b));
    struct value *again = arena_array_of(a, info->n_fields, struct value);
    ASSERT(again != NULL);
    ASSERT(codec_get_fields(a, info, buf_text(&b), NULL, again, &err) == ERR_OK);
    for (uint8_t i = 0; i < info->n_fields; i++) {
        bool known = o->values[i].state == VALUE_SET;
        ASSERT(again[i].state == o->values[i].state);
        ASSERT(!known || value_equal(info->fields[i].type, o->values[i], again[i]));
    }
}

static void check_object(const struct object *o, struct arena *a)
{
    CLEANUP(buf_fini) struct buf b;
    ASSERT(o->kind < N_KINDS && o->id != NULL && o->id[0] != '\0' && o->status != NULL);
    check_values(o);
    check_kept(o, a);
    buf_init(&b, OUTPUT_BYTES);
    manifest_write(&b, o->kind, text_of("web"), o->values, UINT64_MAX, NULL);
    fuzz_check_text(&b);
}

/* All pages; false when one of them was an error. */
static bool read_pages(const struct cloud *c, const struct scope *s, int status, struct text rest,
                       struct world *w, struct arena *a)
{
    const char *after = NULL;
    struct text body;
    for (int i = 0; i < MAX_PAGES && fuzz_part(&rest, &body); i++) {
        struct request r;
        struct page page;
        struct outcome outcome;
        struct err err = {0};
        ASSERT(c->list_request(c, s, NULL, 0, after, a, &r, &err) == NEXT_REQUEST);
        enum err_code code =
            c->read_page(c, s, &r, status, (struct body){body, NULL}, w, a, &page, &outcome, &err);
        check_outcome(&outcome);
        ASSERT(code == ERR_OK || ((code == ERR_PROVIDER || code == ERR_LIMIT) && err.msg[0] != '\0'));
        if (code != ERR_OK) return false;
        for (uint32_t k = 0; k < page.n; k++) {
            struct object *known;
            check_object(page.objects[k], a);
            ASSERT(world_learn(w, page.objects[k], &known, &err) == ERR_OK);
            check_values(known);
        }
        if (page.next == NULL) return true;
        after = page.next;
    }
    return true;
}

/* Each change has a request, or nothing left to do, or an error that says why. */
static void check_requests(const struct plan *p, const struct world *w, struct arena *a)
{
    for (uint32_t i = 0; i < p->n_changes; i++) {
        const struct change *c = &p->changes[i];
        struct goal g = {.verb = VERB_DELETE,
                         .kind = c->kind,
                         .observed = c->observed,
                         .world = w,
                         .token = "token",
                         .stack = p->stack,
                         .name = c->name};
        struct request r;
        struct err err = {0};
        struct serial_key keys[MAX_SERIAL_KEYS];
        if (c->action != ACTION_DELETE) continue;
        enum next next = p->cloud->next(p->cloud, &g, a, &r, &err);
        ASSERT(next != NEXT_ERROR || err.msg[0] != '\0');
        if (next == NEXT_REQUEST) ASSERT(p->cloud->serial_keys(p->cloud, &g, &r, keys) <= MAX_SERIAL_KEYS);
    }
}

static void check_destroyed(const struct cloud *cloud, struct world *w, struct arena *a)
{
    struct desired nothing = {.stack = {.name = TEXT("prod"), .max_deletions = -1}};
    struct records records = {0};
    struct plan_options options = {
        .stack = TEXT("prod"), .destroy = true, .prune = true, .allow_empty = true, .max_deletions = -1};
    struct diags diags;
    struct err err = {0};
    const struct plan *plan;
    diags_init(&diags, a);
    if (plan_build(a, &options, &nothing, &records, w, cloud, &diags, &plan, &err) != ERR_OK) {
        ASSERT(err.msg[0] != '\0');
        return;
    }
    CLEANUP(buf_fini) struct buf text, json;
    buf_init(&text, OUTPUT_BYTES);
    buf_init(&json, OUTPUT_BYTES);
    struct render_options render = {.desired = &nothing, .destroy = true};
    plan_render(&text, plan, &render);
    fuzz_check_text(&text);
    ASSERT(plan_render_json(&json, plan, NULL, "2024-02-29T23:59:59Z", &err) == ERR_OK);
    fuzz_check_json(&json);
    check_requests(plan, w, a);
}

static void check_list(const struct cloud *c, enum kind kind, int status, struct text rest, struct arena *a)
{
    uint8_t field;
    struct scope s = {.kind = kind, .id = "vtb-1"};
    if (c->list_scope_kind(c, kind, &field) == KIND_NONE) s.id = NULL;
    struct world *w = world_new(a);
    ASSERT(w != NULL);
    if (read_pages(c, &s, status, rest, w, a)) check_destroyed(c, w, a);
    world_free(w);
}

/* The kind that an operation creates or deletes, or some kind. */
static enum kind kind_of_operation(const char *name)
{
    for (enum kind k = 0; k < N_KINDS; k++)
        if ((map_of(k)->create != NULL && strcmp(map_of(k)->create, name) == 0) ||
            (map_of(k)->remove != NULL && strcmp(map_of(k)->remove, name) == 0))
            return k;
    return KIND_VPC;
}

static void check_answer(const struct cloud *c, const char *operation, int status, struct text body,
                         struct arena *a)
{
    const struct operation *op = operation_find(operation);
    enum kind kind = kind_of_operation(operation);
    struct value *values = arena_array_of(a, kind_info(kind)->n_fields, struct value);
    ASSERT(values != NULL);
    struct goal g = {.verb = op != NULL && (op->flags & OP_CREATE) ? VERB_CREATE : VERB_DELETE,
                     .kind = kind,
                     .values = values,
                     .stack = TEXT("prod"),
                     .name = TEXT("web")};
    struct request r;
    struct outcome outcome;
    request_init(&r, a, "Vpc", operation);
    c->read_outcome(c, NULL, &r, status, (struct body){body, NULL}, a, &outcome);
    check_outcome(&outcome);
    c->read_outcome(c, &g, &r, status, (struct body){body, NULL}, a, &outcome);
    check_outcome(&outcome);
    ASSERT(outcome.id == NULL || outcome.id[0] != '\0');
    if (outcome.object == NULL) return;
    ASSERT(outcome.object->kind == kind && outcome.object->id != NULL);
    check_values(outcome.object);
    check_kept(outcome.object, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = fuzz_input(data, size), line, word, name = TEXT("");
    uint64_t status = 200;
    (void)text_cut(&rest, '\n', &line);
    if (rest.ptr == NULL) rest = TEXT("");
    (void)text_cut(&line, ' ', &word);
    bool is_list = text_is(word, "list");
    if (is_list) (void)text_cut(&line, ' ', &name);
    if (line.ptr != NULL && !text_to_u64(line, 599, &status)) status = 200;
    struct arena *a = fuzz_arena();
    const struct cloud *cloud = alicloud_cloud(a, "cn-shanghai");
    ASSERT(cloud != NULL);
    if (is_list) {
        check_list(cloud, fuzz_kind(name), (int)status, rest, a);
    } else {
        const char *operation = arena_copy(a, word.ptr, word.len);
        ASSERT(operation != NULL);
        check_answer(cloud, operation, (int)status, rest, a);
    }
    arena_free(a);
    return 0;
}

/* manifest.c - any bytes as a manifest: loaded, rendered as diagnostics, and planned when it is good.
 *
 * Loading twice says the same; a diagnostic's position lies in the file; what is rendered is UTF-8. */
#include "tests/fuzz/fuzz.h"

#include "providers/alicloud/alicloud.h"
#include "reconciler/base/buf.h"
#include "reconciler/manifest/manifest.h"
#include "reconciler/plan/plan.h"
#include "reconciler/plan/render.h"

#include <string.h>

enum { ARENA_LIMIT = 256 << 20, TEXT_LIMIT = 64 << 20 };

static uint32_t count_lines(struct text t)
{
    uint32_t n = 1;
    for (size_t i = 0; i < t.len; i++) n += t.ptr[i] == '\n' || t.ptr[i] == '\r';
    return n + 2; /* U+0085, U+2028 and U+2029 end lines, too, and are counted by nobody here */
}

static uint32_t count_bytes(struct text t, const char *sequence)
{
    uint32_t n = 0;
    size_t len = strlen(sequence);
    for (size_t i = 0; i + len <= t.len; i++) n += memcmp(t.ptr + i, sequence, len) == 0;
    return n;
}

static void check_diags(const struct diags *d, struct text input)
{
    CLEANUP(buf_fini) struct buf text;
    CLEANUP(buf_fini) struct buf json;
    struct err err;
    uint32_t n_lines = count_lines(input) + count_bytes(input, "\xc2\x85") +
                       count_bytes(input, "\xe2\x80\xa8") + count_bytes(input, "\xe2\x80\xa9");
    for (size_t i = 0; i < d->n; i++) ASSERT(d->items[i].pos.line <= n_lines);
    buf_init(&text, TEXT_LIMIT);
    buf_init(&json, TEXT_LIMIT);
    diags_render(d, false, &text);
    ASSERT(buf_ok(&text) && text_is_utf8(buf_text(&text), NULL));
    enum err_code code = diags_render_json(d, &json, &err);
    ASSERT(code == ERR_OK && text_is_utf8(buf_text(&json), NULL));
}

static void plan_it(struct arena *arena, const struct desired *desired)
{
    struct err err;
    struct diags diags;
    struct plan_options options = {.stack = desired->stack.name, .prune = true, .max_deletions = -1};
    const struct records nothing = {.n = 0};
    const struct plan *plan = NULL;
    const struct cloud *cloud = alicloud_cloud(arena, "cn-shanghai");
    struct world *world = world_new(arena);
    ASSERT(cloud != NULL && world != NULL);
    diags_init(&diags, arena);
    enum err_code code = plan_build(arena, &options, desired, &nothing, world, cloud, &diags, &plan, &err);
    if (code == ERR_OK) {
        CLEANUP(buf_fini) struct buf out;
        buf_init(&out, TEXT_LIMIT);
        struct render_options how = {.desired = desired};
        plan_render(&out, plan, &how);
        ASSERT(text_is_utf8(buf_text(&out), NULL));
    }
    world_free(world);
}

static enum err_code load(struct arena *arena, struct text input, struct diags *diags,
                          struct desired *desired)
{
    struct err err;
    struct source source = {"fuzz.yaml", input};
    struct param_value variable = {"NAME", "value"};
    struct manifest_input in = {.sources = &source, .n_sources = 1, .variables = &variable, .n_variables = 1};
    diags_init(diags, arena);
    return manifest_load(arena, &in, diags, desired, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(ARENA_LIMIT);
    struct text input = {(const char *)data, size};
    struct desired desired = {.n = 0}, again = {.n = 0};
    struct diags diags, same;
    ASSERT(arena != NULL);
    enum err_code code = load(arena, input, &diags, &desired);
    check_diags(&diags, input);
    ASSERT(code == load(arena, input, &same, &again) && same.n == diags.n && again.n == desired.n);
    ASSERT((code == ERR_OK) == (diags.n_errors == 0) || code == ERR_LIMIT || code == ERR_NOMEM);
    if (code == ERR_OK) plan_it(arena, &desired);
    return 0;
}

/* harness.c - passes: read, observe, plan; and the person at the simulated cloud. drive.c runs the engine. */
#include "tests/support/harness.h"

#include "providers/alicloud/alicloud.h"
#include "reconciler/manifest/manifest.h"
#include "tests/support/drive.h"

#include <dirent.h>
#include <jansson.h>
#include <string.h>

enum { TEXT_LIMIT = 256 << 20, MAX_FILES = 16, LIST_TRIES = 8 };

#define MUST(h, expression)                                                                                  \
    do {                                                                                                     \
        enum err_code code_ = (expression);                                                                  \
        if (code_ != ERR_OK) fprintf(stderr, "%s:%d: %s\n", __FILE_NAME__, __LINE__, (h)->err.msg);          \
        ASSERT(code_ == ERR_OK);                                                                             \
    } while (0)

/* ---- beginning and end ---- */

static enum err_code call_mock(void *ctx, int64_t now_unix_ms, const struct request *r,
                               struct mock_answer *answer, struct err *err)
{
    return mock_call_document(ctx, now_unix_ms, r, answer, err);
}

void harness_init(struct harness *h)
{
    *h = (struct harness){.now_ms = 1000,
                          .time_scale = 1.0,
                          .options = {.prune = true, .max_deletions = -1},
                          .call = call_mock};
    struct mock_options options = {.seed = 7};
    MUST(h, mock_open(&options, &h->mock, &h->err));
    h->call_ctx = h->mock;
    MUST(h, mock_set_pace(h->mock, 1.0, 20, &h->err));
    memory_init(&h->memory);
    buf_init(&h->text, TEXT_LIMIT);
    buf_init(&h->trace, TEXT_LIMIT);
    buf_init(&h->progress, TEXT_LIMIT);
}

static void end_pass(struct harness *h)
{
    world_free(h->world);
    arena_free(h->arena);
    h->world = NULL;
    h->arena = NULL;
    h->plan = NULL;
}

void harness_fini(struct harness *h)
{
    end_pass(h);
    mock_close(h->mock);
    memory_fini(&h->memory);
    buf_fini(&h->text);
    buf_fini(&h->trace);
    buf_fini(&h->progress);
    arena_free(h->loaded);
    free(h->manifest);
}

/* What was read is read anew by the next pass. */
static void unload(struct harness *h)
{
    arena_free(h->loaded);
    h->loaded = NULL;
}

void harness_manifest(struct harness *h, const char *yaml)
{
    char *copy = strdup(yaml);
    ASSERT(copy != NULL);
    unload(h);
    free(h->manifest);
    h->manifest = copy;
    h->folder = NULL;
}

void harness_manifest_folder(struct harness *h, const char *folder)
{
    unload(h);
    h->folder = folder;
}

/* ---- manifests ---- */

static bool is_yaml(const struct dirent *d)
{
    return text_ends_with(text_of(d->d_name), ".yaml");
}

static struct text read_file(struct harness *h, const char *path)
{
    char block[4096];
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, TEXT_LIMIT);
    FILE *f = fopen(path, "re");
    ASSERT(f != NULL);
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;) buf_put(&b, block, n);
    ASSERT(!ferror(f) && buf_ok(&b));
    int rc = fclose(f);
    ASSERT(rc == 0);
    struct text kept = arena_text(h->loaded, buf_text(&b));
    ASSERT(kept.ptr != NULL);
    return kept;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t read_folder(struct harness *h, struct source sources[MAX_FILES])
{
    char *names[MAX_FILES];
    size_t n = 0;
    const char *folder = arena_printf(h->arena, "%s/manifests/%s", HG_SOURCE_DIR, h->folder);
    DIR *dir = opendir(folder);
    ASSERT(dir != NULL);
    for (const struct dirent *d; (d = readdir(dir)) != NULL;) {
        if (!is_yaml(d)) continue;
        ASSERT(n < MAX_FILES);
        names[n++] = arena_strdup(h->arena, d->d_name);
    }
    (void)closedir(dir); /* was read to its end */
    qsort(names, n, sizeof names[0], compare_names);
    for (size_t k = 0; k < n; k++)
        sources[k] =
            (struct source){names[k], read_file(h, arena_printf(h->arena, "%s/%s", folder, names[k]))};
    return n;
}

/* Manifests that say the same are not read again, unless something was to be said about them. */
static enum err_code load(struct harness *h)
{
    if (h->loaded != NULL && h->n_variables == 0) return ERR_OK;
    struct source sources[MAX_FILES];
    size_t n = 1;
    unload(h);
    h->loaded = arena_new((size_t)4 << 30);
    ASSERT(h->loaded != NULL);
    if (h->folder != NULL)
        n = read_folder(h, sources);
    else
        sources[0] = (struct source){"test.yaml", text_of(h->manifest)};
    struct manifest_input input = {
        .sources = sources, .n_sources = n, .variables = h->variables, .n_variables = h->n_variables};
    enum err_code code = manifest_load(h->loaded, &input, &h->diags, &h->desired, &h->err);
    h->keeps = code == ERR_OK && h->diags.n == 0 && h->n_variables == 0;
    return code;
}

/* ---- observing ---- */

static enum err_code list_page(struct harness *h, const struct scope *s, const char *after, struct page *page)
{
    struct request *r = arena_new_of(h->arena, struct request);
    ASSERT(r != NULL);
    for (unsigned tries = 1;; tries++) {
        struct mock_answer answer;
        struct outcome outcome = {.class = OUTCOME_TRANSIENT};
        enum next next = h->cloud->list_request(h->cloud, s, NULL, 0, after, h->arena, r, &h->err);
        ASSERT(next == NEXT_REQUEST);
        MUST(h, h->call(h->call_ctx, harness_unix_ms(h), r, &answer, &h->err));
        h->now_ms += answer.latency_ms;
        h->n_list_calls++;
        enum err_code code = ERR_UNKNOWN;
        if (answer.fault == MOCK_NO_FAULT)
            code = h->cloud->read_page(h->cloud, s, r, answer.http_status, body_of(&answer), h->world,
                                       h->arena, page, &outcome, &h->err);
        mock_answer_fini(&answer);
        if (code == ERR_OK || tries == LIST_TRIES) return code;
        if (outcome.class == OUTCOME_DENIED || outcome.class == OUTCOME_INVALID) return code;
        h->now_ms += 1000;
    }
}

static enum err_code list(struct harness *h, const struct scope *s)
{
    struct page page = {.n = 0};
    do {
        enum err_code code = list_page(h, s, page.next, &page);
        if (code != ERR_OK) return code;
        for (uint32_t k = 0; k < page.n; k++) MUST(h, world_put(h->world, page.objects[k], &h->err));
    } while (page.next != NULL);
    return ERR_OK;
}

static enum err_code observe(struct harness *h)
{
    h->world = world_new(h->arena);
    ASSERT(h->world != NULL);
    h->n_list_calls = 0;
    for (int round = 0; round < PLAN_SCOPE_ROUNDS; round++) {
        struct scope *scopes = NULL;
        size_t n = 0;
        MUST(h, plan_scopes(h->arena, round, h->unmanaged, h->desired.stack.name, &h->desired, &h->records,
                            h->world, h->cloud, &scopes, &n, &h->err));
        for (size_t k = 0; k < n; k++) {
            enum err_code code = list(h, &scopes[k]);
            if (code != ERR_OK) return code;
        }
    }
    return ERR_OK;
}

/* ---- passes ---- */

static enum err_code begin_pass(struct harness *h)
{
    end_pass(h);
    h->arena = arena_new((size_t)4 << 30);
    ASSERT(h->arena != NULL);
    h->err = (struct err){0};
    if (!h->keeps) unload(h);
    diags_init(&h->diags, h->arena);
    enum err_code code = load(h);
    if (code != ERR_OK) return code;
    h->records = memory_records(&h->memory, h->arena);
    struct cloud *cloud = arena_new_of(h->arena, struct cloud);
    const struct cloud *real = alicloud_cloud(h->arena, "cn-shanghai");
    ASSERT(cloud != NULL && real != NULL);
    *cloud = *real;
    cloud->time_scale = h->time_scale;
    h->cloud = cloud;
    return observe(h);
}

static enum err_code plan(struct harness *h, bool destroy)
{
    enum err_code code = begin_pass(h);
    if (code != ERR_OK) return code;
    struct plan_options *o = &h->options;
    o->stack = h->desired.stack.name;
    o->max_deletions = h->desired.stack.max_deletions;
    o->destroy = destroy;
    code =
        plan_build(h->arena, o, &h->desired, &h->records, h->world, h->cloud, &h->diags, &h->plan, &h->err);
    o->destroy = false;
    return code;
}

enum err_code harness_plan(struct harness *h)
{
    return plan(h, false);
}

const char *harness_plan_text(struct harness *h, uint32_t flags)
{
    enum err_code code = plan(h, false);
    buf_reset(&h->text);
    if (code == ERR_OK)
        plan_dump(&h->text, h->plan, flags);
    else
        buf_printf(&h->text, "%s: %s\n", err_code_name(code), h->err.msg);
    diags_dump(&h->text, &h->diags);
    ASSERT(buf_ok(&h->text));
    return buf_str(&h->text);
}

static enum err_code plan_and_drive(struct harness *h, bool destroy, const struct apply_script *script)
{
    static const struct apply_script nothing_special;
    buf_reset(&h->trace);
    buf_reset(&h->progress);
    h->summary = (struct converge_summary){0};
    enum err_code code = plan(h, destroy);
    return code != ERR_OK ? code : drive(h, script == NULL ? &nothing_special : script);
}

enum err_code harness_apply(struct harness *h, const struct apply_script *script)
{
    return plan_and_drive(h, false, script);
}

enum err_code harness_destroy(struct harness *h, const struct apply_script *script)
{
    return plan_and_drive(h, true, script);
}

/* ---- the simulated cloud ---- */

const char *harness_calls(struct harness *h)
{
    buf_reset(&h->text);
    MUST(h, mock_ledger(h->mock, true, false, &h->text, &h->err));
    return buf_str(&h->text);
}

/* Lines look as "12 CreateVpc 200" or "13 CreateRouteEntry 400 TaskConflict". */
const char *harness_refused(struct harness *h)
{
    CLEANUP(buf_fini) struct buf all;
    buf_init(&all, TEXT_LIMIT);
    MUST(h, mock_ledger(h->mock, false, false, &all, &h->err));
    buf_reset(&h->text);
    struct text rest = buf_text(&all), line;
    while (text_cut(&rest, '\n', &line))
        if (line.len > 0 && !text_ends_with(line, " 200")) {
            buf_put_text(&h->text, line);
            buf_putc(&h->text, '\n');
        }
    return buf_str(&h->text);
}

uint32_t harness_n_changing_calls(struct harness *h)
{
    uint32_t n = 0;
    for (const char *c = harness_calls(h); *c != '\0'; c++) n += *c == '\n';
    return n;
}

void harness_clear_ledger(struct harness *h)
{
    MUST(h, mock_ledger_clear(h->mock, &h->err));
}

void harness_fail_next(struct harness *h, const char *operation, const char *code, unsigned count)
{
    MUST(h, mock_fail_next(h->mock, operation, code, count, &h->err));
}

void harness_option(struct harness *h, const char *name, const char *value)
{
    MUST(h, mock_set_option(h->mock, name, value, &h->err));
}

const char *harness_id(struct harness *h, const char *address)
{
    enum kind kind;
    struct text name;
    bool known = address_parse(text_of(address), &kind, &name);
    ASSERT(known);
    for (size_t k = 0; k < h->memory.n_records; k++) {
        const struct record *r = &h->memory.records[k];
        if (r->kind == kind && text_equal(r->name, name)) return r->id;
    }
    return "";
}

void harness_set(struct harness *h, const char *address, const char *assignment)
{
    MUST(h, mock_set(h->mock, harness_unix_ms(h), harness_id(h, address), &assignment, 1, &h->err));
}

void harness_delete(struct harness *h, const char *address)
{
    MUST(h, mock_delete(h->mock, harness_unix_ms(h), harness_id(h, address), true, &h->err));
}

static const char *member_of(struct harness *h, const char *body, const char *member)
{
    json_auto_t *root = json_loads(body, 0, NULL);
    const json_t *at = root;
    struct text rest = text_of(member), part;
    while (at != NULL && text_cut(&rest, '.', &part)) {
        char name[64];
        (void)snprintf(name, sizeof name, TEXT_FMT, TEXT_ARG(part));
        at = json_object_get(at, name);
        if (json_is_array(at)) at = json_array_get(at, 0);
    }
    buf_reset(&h->text);
    if (json_is_string(at)) buf_puts(&h->text, json_string_value(at));
    return buf_str(&h->text);
}

static void settle(struct harness *h)
{
    for (int64_t at; (at = mock_next_transition(h->mock)) != INT64_MAX;) {
        h->now_ms = MAX_OF(h->now_ms + 1, at - HARNESS_EPOCH_MS);
        CLEANUP(buf_fini) struct buf ignored;
        buf_init(&ignored, TEXT_LIMIT);
        MUST(h, mock_list(h->mock, harness_unix_ms(h), NULL, false, &ignored, &h->err)); /* moves it on */
    }
}

const char *harness_call(struct harness *h, const char *product, const char *operation,
                         const char *const *params, const char *member)
{
    struct request r;
    struct mock_answer answer;
    struct arena *arena = arena_new((size_t)1 << 20);
    ASSERT(arena != NULL);
    request_init(&r, arena, product, operation);
    for (; params != NULL && *params != NULL; params += 2) request_add(&r, params[0], params[1]);
    MUST(h, mock_call(h->mock, harness_unix_ms(h), &r, &answer, &h->err));
    if (answer.http_status != 200) fprintf(stderr, "%s: %s\n", operation, answer.body);
    ASSERT(answer.http_status == 200);
    const char *value = member_of(h, answer.body, member);
    free(answer.body);
    arena_free(arena);
    settle(h);
    return value;
}

size_t harness_count(struct harness *h, const char *type)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, TEXT_LIMIT);
    MUST(h, mock_list(h->mock, harness_unix_ms(h), type, true, &b, &h->err));
    json_auto_t *root = json_loads(buf_str(&b), 0, NULL);
    ASSERT(json_is_array(root));
    return json_array_size(root);
}

void harness_wait(struct harness *h, int64_t ms)
{
    h->now_ms += ms;
}

/* pass.c - one pass over a stack: read, observe, plan, converge.
 *
 * Nothing outside is touched before the manifests are found to be good: not the state file, not the cloud. */
#include "reconciler/loop/pass.h"

#include "providers/alicloud/alicloud.h"
#include "providers/mock/provider_mock.h"
#include "reconciler/base/digest.h"
#include "reconciler/base/limits.h"
#include "reconciler/loop/apply.h"
#include "reconciler/loop/clock.h"
#include "reconciler/loop/observe.h"
#include "reconciler/loop/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_STATE  ".headgate/state.db"
#define DEFAULT_MOCK   ".headgate/mock.db"
#define DEFAULT_REGION "cn-shanghai"

struct pass {
    struct pass_options options;
    struct arena *arena;
    struct arena *bytes; /* of files that it read itself */
    struct diags diags;
    struct source *sources;
    size_t n_sources;
    struct desired desired;
    struct records records;
    struct world *world;
    const struct plan *plan;
    struct store *store;
    struct text stack;
    int64_t serial;
    struct intent *intents;
    size_t n_intents;
    bool locked, took_over;
    struct lock_holder holder;
    uint32_t n_list_calls;

    uv_loop_t loop;
    bool loop_open;
    struct mock *mock;
    struct cloud cloud;
    struct provider *provider;
    struct converge *engine;

    /* While pass_apply() runs. */
    const struct pass_apply_options *apply_options;
    struct apply apply;
    char manifest_digest[DIGEST_HEX_SIZE];
    struct store_worker worker;
    uv_timer_t tick;
    uv_signal_t signals[2];
    enum err_code result;
    struct err *err;
    bool interrupted, done;
};

/* ---- opening ---- */

static enum err_code read_manifests(struct pass *p, struct err *err)
{
    const struct pass_options *o = &p->options;
    if (o->n_files > 0) {
        if ((p->bytes = arena_new(LIMIT_ARENA_BYTES)) == NULL) return err_nomem(err);
        enum err_code code = sources_read(p->arena, p->bytes, o->files, o->n_files, &p->diags, &p->sources,
                                          &p->n_sources, err);
        if (code != ERR_OK) return code;
    } else if (o->n_sources > 0) {
        p->sources = arena_array_of(p->arena, o->n_sources, struct source);
        if (p->sources == NULL) return err_nomem(err);
        memcpy(p->sources, o->sources, o->n_sources * sizeof *p->sources);
        p->n_sources = o->n_sources;
    } else {
        p->desired.stack = (struct stack){.name = text_of(o->stack == NULL ? "default" : o->stack),
                                          .provider = "mock",
                                          .region = DEFAULT_REGION,
                                          .prune = true,
                                          .max_deletions = -1};
        return ERR_OK;
    }
    struct manifest_input input = {.sources = p->sources,
                                   .n_sources = p->n_sources,
                                   .variables = o->variables,
                                   .n_variables = o->n_variables};
    return manifest_load(p->arena, &input, &p->diags, &p->desired, err);
}

/* What a run was made from, for its history: the texts of the manifests and the variables that were given. */
static enum err_code digest_manifests(struct pass *p, struct err *err)
{
    struct digest d;
    p->manifest_digest[0] = '\0';
    if (p->n_sources == 0) return ERR_OK; /* destroy --stack */
    digest_init(&d);
    for (size_t i = 0; i < p->n_sources; i++) digest_put_text(&d, p->sources[i].bytes);
    for (size_t i = 0; i < p->options.n_variables; i++) {
        digest_put_text(&d, text_of(p->options.variables[i].name));
        digest_put_text(&d, text_of(p->options.variables[i].value));
    }
    return digest_hex(&d, p->manifest_digest) ? ERR_OK : err_nomem(err);
}

/* What was read is in the desired resources now, or told. */
static void drop_sources(struct pass *p)
{
    p->sources = NULL;
    p->options.sources = NULL;
    p->n_sources = p->options.n_sources = 0;
    arena_free(TAKE(p->bytes));
}

static enum err_code choose_stack(struct pass *p, struct err *err)
{
    const char *given = p->options.stack;
    struct stack *s = &p->desired.stack;
    if (given != NULL && s->pos.line > 0 && !text_is(s->name, given))
        return err_set(err, ERR_INPUT, "--stack %s, but the manifests declare stack \"" TEXT_FMT "\"", given,
                       TEXT_ARG(s->name));
    if (given != NULL) s->name = text_of(given);
    if (s->region == NULL) s->region = DEFAULT_REGION;
    p->stack = s->name;
    if (strcmp(s->provider, "mock") != 0)
        return err_set(err, ERR_INPUT, "provider \"%s\" is not part of this version; it has: mock",
                       s->provider);
    if (s->suspend && p->options.lock)
        return err_set(err, ERR_GUARD,
                       "stack \"" TEXT_FMT "\" is suspended; set `suspend: false` to change it",
                       TEXT_ARG(s->name));
    return ERR_OK;
}

static void sleep_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL); /* cut short by a signal: then the lock is tried earlier */
}

static enum err_code take_lock(struct pass *p, struct err *err)
{
    enum { TRY_EVERY_MS = 100, SAY_AFTER_MS = 400 };
    int64_t started = clock_now_ms();
    bool said = false;
    for (;;) {
        enum err_code code = store_lock(p->store, p->stack, p->options.operation, clock_now_unix_ms(),
                                        &p->holder, &p->took_over, err);
        if (code == ERR_OK) p->locked = true;
        int64_t waited = clock_now_ms() - started;
        if (code != ERR_LOCKED || waited >= p->options.lock_timeout_ms) return code;
        if (!said && waited >= SAY_AFTER_MS && p->options.waiting != NULL) {
            p->options.waiting(p->options.ctx, "Acquiring state lock. This may take a few moments...");
            said = true;
        }
        sleep_ms(TRY_EVERY_MS);
    }
}

static enum err_code open_state(struct pass *p, struct err *err)
{
    const char *path = p->options.state_path == NULL ? DEFAULT_STATE : p->options.state_path;
    enum err_code code =
        store_open(path, p->options.lock ? STORE_READ_WRITE : STORE_READ_ONLY, &p->store, err);
    if (code == ERR_OK && p->options.lock) code = take_lock(p, err);
    if (code == ERR_OK) code = store_serial(p->store, p->stack, &p->serial, err);
    if (code == ERR_OK) code = store_records(p->store, p->stack, &p->desired, p->arena, &p->records, err);
    if (code == ERR_OK) code = store_intents(p->store, p->stack, p->arena, &p->intents, &p->n_intents, err);
    return code;
}

enum err_code pass_open(const struct pass_options *options, struct pass **out, struct err *err)
{
    struct pass *p = calloc(1, sizeof *p);
    *out = p;
    if (p == NULL) return err_nomem(err);
    p->options = *options;
    p->arena = arena_new(LIMIT_ARENA_BYTES);
    if (p->arena == NULL) return err_nomem(err);
    diags_init(&p->diags, p->arena);
    enum err_code code = read_manifests(p, err);
    if (code == ERR_OK && options->lock) code = digest_manifests(p, err);
    if (!options->keep_sources) drop_sources(p);
    if (code == ERR_OK) code = choose_stack(p, err);
    return code == ERR_OK ? open_state(p, err) : code;
}

/* ---- the provider ---- */

static enum err_code make_parent_folder(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) return ERR_OK;
    char folder[4096];
    int n = snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    if (n < 0 || (size_t)n >= sizeof folder) return err_set(err, ERR_INPUT, "the path %s is too long", path);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_IO, "cannot make the folder %s: %s", folder, strerror(errno));
    return ERR_OK;
}

static enum err_code open_provider(struct pass *p, struct err *err)
{
    if (p->provider != NULL) return ERR_OK;
    const char *path = p->options.mock_path == NULL ? DEFAULT_MOCK : p->options.mock_path;
    enum err_code code = make_parent_folder(path, err);
    if (code != ERR_OK) return code;
    struct mock_options mock_options = {.path = path, .region = p->desired.stack.region, .seed = 1};
    code = mock_open(&mock_options, &p->mock, err);
    if (code != ERR_OK) return code;
    const struct cloud *cloud = alicloud_cloud(p->arena, p->desired.stack.region);
    if (cloud == NULL) return err_nomem(err);
    p->cloud = *cloud;
    p->cloud.time_scale = 1.0 / mock_speed(p->mock);
    if (uv_loop_init(&p->loop) != 0) return err_set(err, ERR_IO, "cannot make an event loop");
    p->loop_open = true;
    return provider_mock_open(&p->loop, &p->cloud, p->mock, &p->provider, err);
}

/* ---- observing and planning ---- */

static void on_observed(struct observe *o, enum err_code code)
{
    struct pass *p = o->ctx;
    p->result = code;
}

static enum err_code observe_all(struct pass *p, struct err *err)
{
    enum err_code code = open_provider(p, err);
    if (code != ERR_OK) return code;
    struct observe o = {.provider = p->provider,
                        .arena = p->arena,
                        .world = p->world,
                        .stack = p->stack,
                        .desired = &p->desired,
                        .recorded = &p->records,
                        .unmanaged = p->options.unmanaged,
                        .done = on_observed,
                        .ctx = p,
                        .seed = (uint64_t)clock_now_unix_ms(),
                        .backoff_ms = MAX_OF((int64_t)(1000 * p->cloud.time_scale), (int64_t)5)};
    p->result = ERR_UNKNOWN;
    observe_start(&o);
    (void)uv_run(&p->loop, UV_RUN_DEFAULT);
    p->n_list_calls = o.n_calls;
    if (p->result != ERR_OK) {
        *err = o.err;
        return p->result;
    }
    return ERR_OK;
}

static enum err_code fill_world(struct pass *p, struct err *err)
{
    p->world = world_new(p->arena);
    if (p->world == NULL) return err_nomem(err);
    if (p->options.refresh) return observe_all(p, err);
    const struct cloud *cloud = alicloud_cloud(p->arena, p->desired.stack.region);
    if (cloud == NULL) return err_nomem(err);
    p->cloud = *cloud;
    return plan_recorded_world(p->arena, p->stack, &p->records, p->world, err);
}

enum err_code pass_plan(struct pass *p, struct err *err)
{
    ASSERT(p->world == NULL);
    enum err_code code = fill_world(p, err);
    if (code != ERR_OK) return code;
    const struct pass_options *o = &p->options;
    struct plan_options options = {.stack = p->stack,
                                   .destroy = o->destroy,
                                   .prune = o->prune == PRUNE_ALWAYS ||
                                            (o->prune == PRUNE_AS_DECLARED && p->desired.stack.prune),
                                   .allow_empty = o->allow_empty,
                                   .max_deletions = p->desired.stack.max_deletions,
                                   .targets = o->targets,
                                   .n_targets = o->n_targets,
                                   .excludes = o->excludes,
                                   .n_excludes = o->n_excludes,
                                   .replaces = o->replaces,
                                   .n_replaces = o->n_replaces};
    return plan_build(p->arena, &options, &p->desired, &p->records, p->world, &p->cloud, &p->diags, &p->plan,
                      err);
}

/* ---- what nobody owns ---- */

/* The VPC that an object lies in, through its parents; NULL when it lies in none. */
static const char *vpc_of(const struct pass *p, const struct object *o, int depth)
{
    if (o->kind == KIND_VPC) return o->id;
    const struct kind_info *info = kind_info(o->kind);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        struct value v = o->values[f];
        if (info->fields[f].type != FIELD_REF || !value_is_set(v)) continue;
        if (info->fields[f].ref == KIND_VPC) return v.u.text;
        if ((info->fields[f].flags & FIELD_PARENT) == 0 || depth == 0) continue;
        const struct object *parent = world_find(p->world, info->fields[f].ref, value_as_text(v));
        const char *vpc = parent == NULL ? NULL : vpc_of(p, parent, depth - 1);
        if (vpc != NULL) return vpc;
    }
    return NULL;
}

struct owned_id {
    enum kind kind;
    const char *id;
};

static int compare_owned(const void *pa, const void *pb)
{
    const struct owned_id *a = pa, *b = pb;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    return strcmp(a->id, b->id);
}

enum err_code pass_unmanaged(struct pass *p, const struct object *const **out, size_t *n, struct err *err)
{
    size_t n_owned = 0, n_found = 0, capacity = 0;
    struct owned_id *owned = arena_array_of(p->arena, (size_t)p->desired.n + p->records.n, struct owned_id);
    const struct object **found = NULL;
    if (owned == NULL) return err_nomem(err);
    for (uint32_t i = 0; i < p->desired.n; i++)
        if (p->plan->bound_ids[i] != NULL)
            owned[n_owned++] = (struct owned_id){p->desired.items[i].kind, p->plan->bound_ids[i]};
    for (uint32_t k = 0; k < p->records.n; k++)
        owned[n_owned++] = (struct owned_id){p->records.items[k].kind, p->records.items[k].id};
    qsort(owned, n_owned, sizeof *owned, compare_owned);
    for (int kind = 0; kind < N_KINDS; kind++) {
        size_t cursor = 0;
        for (const struct object *o; (o = world_next(p->world, (enum kind)kind, &cursor)) != NULL;) {
            struct owned_id me = {o->kind, o->id};
            const char *vpc = vpc_of(p, o, 3);
            struct owned_id its_vpc = {KIND_VPC, vpc};
            bool by_itself =
                p->cloud.may_appear != NULL && p->cloud.may_appear(&p->cloud, o->kind, o->values, p->world);
            if (o->system || by_itself || vpc == NULL ||
                bsearch(&me, owned, n_owned, sizeof *owned, compare_owned) != NULL ||
                bsearch(&its_vpc, owned, n_owned, sizeof *owned, compare_owned) == NULL)
                continue;
            if (!arena_grow(p->arena, &found, sizeof *found, n_found, &capacity)) return err_nomem(err);
            found[n_found++] = o;
        }
    }
    *out = found;
    *n = n_found;
    return ERR_OK;
}

/* ---- applying ---- */

static void ignore_close(uv_handle_t *h)
{
    (void)h;
}

static void on_worker_closed(struct store_worker *w)
{
    (void)w;
}

static void on_applied(struct apply *a, enum err_code code)
{
    struct pass *p = a->ctx;
    p->result = code;
    p->done = true;
    uv_close((uv_handle_t *)&p->tick, ignore_close);
    for (size_t k = 0; k < N_ELEMENTS(p->signals); k++) uv_close((uv_handle_t *)&p->signals[k], ignore_close);
    store_worker_close(&p->worker, on_worker_closed);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    (void)signum;
    struct pass *p = handle->data;
    p->interrupted = true;
    apply_interrupt(&p->apply);
}

static void on_tick(uv_timer_t *t)
{
    struct pass *p = CONTAINER_OF(t, struct pass, tick);
    if (p->apply_options->tick != NULL && !p->done) p->apply_options->tick(p->apply_options->ctx, p);
}

static void on_progress(struct apply *a, const struct progress *news)
{
    struct pass *p = a->ctx;
    if (p->apply_options->progress != NULL) p->apply_options->progress(p->apply_options->ctx, p, news);
}

/* Generations and open intents, as the engine wants them: merged, by address. */
static enum err_code used_generations(struct pass *p, struct converge_options *o, struct err *err)
{
    struct generation *all;
    size_t n;
    enum err_code code = store_generations(p->store, p->stack, p->arena, &all, &n, err);
    if (code != ERR_OK) return code;
    struct used_generation *used = arena_array_of(p->arena, n, struct used_generation);
    if (used == NULL) return err_nomem(err);
    for (size_t k = 0; k < n; k++) {
        used[k] = (struct used_generation){
            .kind = all[k].kind, .name = all[k].name, .generation = all[k].generation};
        for (size_t i = 0; i < p->n_intents; i++)
            if (p->intents[i].kind == all[k].kind && text_equal(p->intents[i].name, all[k].name)) {
                used[k].open = true;
                used[k].verb = p->intents[i].verb;
                used[k].operation = p->intents[i].operation;
                used[k].request_hash = p->intents[i].request_hash;
                used[k].generation = p->intents[i].generation;
            }
    }
    o->generations = used;
    o->n_generations = n;
    return ERR_OK;
}

static void run_apply(struct pass *p)
{
    store_worker_init(&p->worker, &p->loop, p->store);
    (void)uv_timer_init(&p->loop, &p->tick); /* cannot fail on Linux */
    (void)uv_timer_start(&p->tick, on_tick, 200, 200);
    static const int numbers[] = {SIGINT, SIGTERM};
    for (size_t k = 0; k < N_ELEMENTS(p->signals); k++) {
        (void)uv_signal_init(&p->loop, &p->signals[k]);
        p->signals[k].data = p;
        (void)uv_signal_start(&p->signals[k], on_signal,
                              numbers[k]); /* without it an interrupt kills, which intents survive */
    }
    apply_start(&p->apply);
    (void)uv_run(&p->loop, UV_RUN_DEFAULT);
    ASSERT(p->done);
}

/* What is in it is nobody else's business. */
static FILE *open_trace(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    FILE *trace = fd < 0 ? NULL : fdopen(fd, "a");
    if (fd >= 0 && trace == NULL) (void)close(fd); /* nothing was written */
    return trace;
}

enum err_code pass_apply(struct pass *p, const struct pass_apply_options *options,
                         struct converge_summary *summary, struct err *err)
{
    ASSERT(p->plan != NULL && p->locked);
    struct converge_options engine_options = {.state_id = text_of(store_id(p->store)),
                                              .parallelism = p->options.parallelism,
                                              .seed = (uint64_t)clock_now_unix_ms()};
    *summary = (struct converge_summary){0};
    enum err_code code = used_generations(p, &engine_options, err);
    if (code == ERR_OK) code = open_provider(p, err);
    if (code != ERR_OK) return code;
    p->engine = converge_new(p->arena, p->plan, &p->desired, p->world, &engine_options);
    if (p->engine == NULL) return err_nomem(err);
    FILE *trace = options->trace_path == NULL ? NULL : open_trace(options->trace_path);
    if (options->trace_path != NULL && trace == NULL)
        return err_set(err, ERR_IO, "cannot write the trace to %s: %s", options->trace_path, strerror(errno));
    p->apply_options = options;
    p->apply = (struct apply){.loop = &p->loop,
                              .provider = p->provider,
                              .worker = &p->worker,
                              .engine = p->engine,
                              .stack = p->stack,
                              .run = {.operation = p->options.operation,
                                      .user = options->user == NULL ? "" : options->user,
                                      .manifest_digest = p->manifest_digest},
                              .trace = trace,
                              .progress = on_progress,
                              .done = on_applied,
                              .ctx = p};
    run_apply(p);
    if (trace != NULL && fclose(trace) != 0 && p->result == ERR_OK)
        p->result = err_set(&p->apply.err, ERR_IO, "cannot write the trace to %s: %s", options->trace_path,
                            strerror(errno));
    *summary = p->apply.summary;
    if (p->result != ERR_OK) *err = p->apply.err;
    return p->result;
}

struct converge *pass_engine(struct pass *p)
{
    return p->engine;
}

int64_t pass_now_ms(const struct pass *p)
{
    (void)p;
    return clock_now_ms();
}

bool pass_interrupted(const struct pass *p)
{
    return p->interrupted;
}

/* ---- import ---- */

enum err_code pass_import(struct pass *p, enum kind kind, struct text name, const char *id, struct err *err)
{
    ASSERT(p->locked && p->world == NULL);
    char address[RESOURCE_ADDRESS_SIZE];
    (void)address_format(kind, name, address);
    enum err_code code = fill_world(p, err);
    if (code != ERR_OK) return code;
    const struct object *o = world_find(p->world, kind, text_of(id));
    if (o == NULL)
        return err_set(err, ERR_INPUT, "there is no %s %s in region %s", kind_info(kind)->name, id,
                       p->desired.stack.region);
    if (o->owner_stack.ptr != NULL && !text_equal(o->owner_stack, p->stack))
        return err_set(err, ERR_CONFLICT, "%s belongs to stack \"" TEXT_FMT "\"", id,
                       TEXT_ARG(o->owner_stack));
    struct text other_stack = {NULL, 0}, other_name = {NULL, 0};
    code = store_owner_of(p->store, kind, id, p->arena, &other_stack, &other_name, err);
    if (code != ERR_OK) return code;
    if (other_stack.ptr != NULL && !(text_equal(other_stack, p->stack) && text_equal(other_name, name)))
        return err_set(err, ERR_CONFLICT,
                       "%s is recorded already, as %s/" TEXT_FMT " of stack \"" TEXT_FMT "\"", id,
                       kind_info(kind)->name, TEXT_ARG(other_name), TEXT_ARG(other_stack));
    uint32_t existing = records_find(&p->records, kind, name);
    if (existing != UINT32_MAX && strcmp(p->records.items[existing].id, id) != 0)
        return err_set(err, ERR_CONFLICT, "%s is recorded already, as %s; `headgate state rm` forgets that",
                       address, p->records.items[existing].id);
    struct record record = {
        .kind = kind, .name = name, .id = o->id, .values = o->values, .applied_unix_ms = clock_now_unix_ms()};
    struct event_row event = {.at_unix_ms = clock_now_unix_ms(),
                              .address = address,
                              .type = "imported",
                              .message = o->id,
                              .request_id = ""};
    struct write writes[] = {{.type = WRITE_RECORD, .kind = kind, .name = name, .record = &record},
                             {.type = WRITE_EVENT, .kind = kind, .name = name, .event = &event}};
    return store_write(p->store, p->stack, writes, N_ELEMENTS(writes), err);
}

/* ---- looking and closing ---- */

void pass_view(struct pass *p, struct pass_view *out)
{
    *out = (struct pass_view){.arena = p->arena,
                              .diags = &p->diags,
                              .sources = p->sources,
                              .n_sources = p->n_sources,
                              .desired = &p->desired,
                              .records = &p->records,
                              .world = p->world,
                              .plan = p->plan,
                              .store = p->store,
                              .serial = p->serial,
                              .intents = p->intents,
                              .n_intents = p->n_intents,
                              .provider = p->desired.stack.provider,
                              .region = p->desired.stack.region,
                              .stack = p->stack,
                              .took_over_lock = p->took_over,
                              .lock_holder = p->holder,
                              .n_list_calls = p->n_list_calls};
}

static void on_provider_closed(struct provider *provider, void *ctx)
{
    (void)provider;
    (void)ctx;
}

void pass_free(struct pass *p)
{
    if (p == NULL) return;
    if (p->provider != NULL) {
        p->provider->ops->close(p->provider, on_provider_closed, NULL);
        (void)uv_run(&p->loop, UV_RUN_DEFAULT);
        p->provider->ops->free(p->provider);
    }
    if (p->loop_open) {
        int rc = uv_loop_close(&p->loop);
        ASSERT(rc == 0);
    }
    converge_free(p->engine);
    if (p->locked) {
        /* A lock that stays is recognised as dead by whoever comes next. */
        enum err_code ignored = store_unlock(p->store, p->stack, NULL);
        (void)ignored;
    }
    store_close(p->store);
    mock_close(p->mock);
    world_free(p->world);
    arena_free(p->bytes);
    arena_free(p->arena);
    free(p);
}

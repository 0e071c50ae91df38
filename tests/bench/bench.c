/* bench.c - takes one measurement and prints it as "name value" lines; scripts/bench makes a table of them.
 *
 *   bench record MANIFEST STATE       writes the state that an apply of the manifests would leave
 *   bench load MANIFEST               parse, resolve, check
 *   bench records STATE               open the state and read all records
 *   bench plan MANIFEST STATE         all of `plan --refresh=false` but printing
 *   bench events MANIFEST             the floor: libyaml's events alone
 *   bench rows STATE                  the floor: SQLite's rows alone
 *   bench apply MANIFEST FOLDER SPEED an apply on the embedded mock, SPEED times as fast as the cloud
 *   bench start RUNS PROGRAM ARGS…    seconds to the first byte of output, the least of RUNS
 *
 * One measurement a process, so that the peak of memory is that of the measurement. */
#include "tests/bench/bench.h"

#include "providers/alicloud/alicloud.h"
#include "providers/mock/mock.h"
#include "reconciler/base/buf.h"
#include "reconciler/base/limits.h"
#include "reconciler/loop/pass.h"
#include "reconciler/loop/sources.h"
#include "reconciler/manifest/manifest.h"
#include "reconciler/plan/plan.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

double bench_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void bench_die(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}

void bench_must(enum err_code code, const char *what, const struct err *err)
{
    if (code != ERR_OK) bench_die(what, err->msg);
}

static void print_seconds(const char *name, double since)
{
    (void)printf("%s %.6f\n", name, bench_now() - since);
}

/* The most memory that this process ever had. */
static void print_peak(void)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "re");
    if (f == NULL) bench_die("/proc/self/status", "cannot be read");
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            (void)printf("peak_kib %.*s\n", (int)strspn(line + 6, " \t0123456789"), line + 6);
    (void)fclose(f); /* was only read */
}

/* ---- the parts of a plan ---- */

struct inputs {
    struct arena *arena;
    struct arena *bytes; /* of the manifests, until they are loaded */
    struct diags diags;
    struct source *sources;
    size_t n_sources;
    struct desired desired;
    struct store *store;
    struct records records;
};

static void inputs_init(struct inputs *in)
{
    *in = (struct inputs){.arena = arena_new(LIMIT_ARENA_BYTES), .bytes = arena_new(LIMIT_ARENA_BYTES)};
    if (in->arena == NULL || in->bytes == NULL) bench_die("arena", "out of memory");
    diags_init(&in->diags, in->arena);
}

static void read_manifest(struct inputs *in, const char *path)
{
    struct err err;
    bench_must(sources_read(in->arena, in->bytes, &path, 1, &in->diags, &in->sources, &in->n_sources, &err),
               path, &err);
}

static void load(struct inputs *in)
{
    struct err err;
    struct manifest_input input = {.sources = in->sources, .n_sources = in->n_sources};
    enum err_code code = manifest_load(in->arena, &input, &in->diags, &in->desired, &err);
    for (size_t k = 0; k < in->diags.n; k++)
        (void)fprintf(stderr, "%u: %s\n", in->diags.items[k].pos.line, in->diags.items[k].summary);
    bench_must(code, "manifest", &err);
    arena_free(TAKE(in->bytes)); /* as a pass does */
}

static void read_records(struct inputs *in, const char *path, struct text stack)
{
    struct err err;
    bench_must(store_open(path, STORE_READ_ONLY, &in->store, &err), path, &err);
    bench_must(store_records(in->store, stack, &in->desired, in->arena, &in->records, &err), path, &err);
}

static const struct cloud *cloud_of(struct inputs *in)
{
    const struct cloud *cloud = alicloud_cloud(in->arena, in->desired.stack.region);
    if (cloud == NULL) bench_die("cloud", "out of memory");
    return cloud;
}

static void build(struct inputs *in)
{
    struct err err;
    const struct plan *plan;
    struct plan_options options = {.stack = in->desired.stack.name, .prune = true, .max_deletions = -1};
    struct world *world = world_new(in->arena);
    if (world == NULL) bench_die("world", "out of memory");
    double since = bench_now();
    bench_must(plan_recorded_world(in->arena, options.stack, &in->records, world, &err), "world", &err);
    print_seconds("world", since);
    since = bench_now();
    bench_must(plan_build(in->arena, &options, &in->desired, &in->records, world, cloud_of(in), &in->diags,
                          &plan, &err),
               "plan", &err);
    print_seconds("build", since);
    if (!plan_is_empty(plan) || plan->n_unchanged != in->desired.n || plan->n_read > 0)
        bench_die("plan", "the records should have made it empty");
    world_free(world);
}

/* ---- the measurements ---- */

static void do_record(char **args)
{
    struct inputs in;
    struct err err;
    inputs_init(&in);
    read_manifest(&in, args[0]);
    load(&in);
    bench_must(store_open(args[1], STORE_READ_WRITE, &in.store, &err), args[1], &err);
    recorded_write(in.arena, &in.desired, cloud_of(&in), in.store);
    (void)printf("resources %u\n", in.desired.n);
    store_close(in.store);
    arena_free(in.arena);
}

static void do_load(char **args)
{
    struct inputs in;
    inputs_init(&in);
    read_manifest(&in, args[0]);
    double since = bench_now();
    load(&in);
    print_seconds("seconds", since);
    (void)printf("arena %zu\n", arena_used(in.arena));
    arena_free(in.arena);
}

static void do_records(char **args)
{
    struct inputs in;
    inputs_init(&in);
    double since = bench_now();
    read_records(&in, args[0], TEXT("bench"));
    print_seconds("seconds", since);
    (void)printf("arena %zu\n", arena_used(in.arena));
    store_close(in.store);
    arena_free(in.bytes);
    arena_free(in.arena);
}

static void do_plan(char **args)
{
    struct inputs in;
    inputs_init(&in);
    read_manifest(&in, args[0]);
    double start = bench_now(), since = start;
    load(&in);
    print_seconds("load", since);
    since = bench_now();
    read_records(&in, args[1], in.desired.stack.name);
    print_seconds("records", since);
    build(&in);
    print_seconds("seconds", start);
    (void)printf("arena %zu\n", arena_used(in.arena));
    store_close(in.store);
    arena_free(in.arena);
}

static void do_events(char **args)
{
    struct inputs in;
    inputs_init(&in);
    read_manifest(&in, args[0]);
    double since = bench_now();
    size_t n = floor_events(in.sources[0].bytes);
    print_seconds("seconds", since);
    (void)printf("events %zu\n", n);
    arena_free(in.bytes);
    arena_free(in.arena);
}

static void do_rows(char **args)
{
    double since = bench_now();
    size_t n = floor_rows(args[0]);
    print_seconds("seconds", since);
    (void)printf("rows %zu\n", n);
}

/* ---- apply ---- */

static void prepare_mock(const char *path, double speed)
{
    struct mock *mock;
    struct err err;
    struct mock_options options = {.path = path, .region = "cn-shanghai", .seed = 1};
    bench_must(mock_open(&options, &mock, &err), path, &err);
    bench_must(mock_set_pace(mock, speed, 0, &err), path, &err);
    bench_must(mock_set_option(mock, "quotas", "off", &err), path, &err);
    mock_close(mock);
}

static size_t count_lines(const struct buf *b)
{
    size_t n = 0;
    struct text rest = buf_text(b), line;
    while (text_cut(&rest, '\n', &line)) n += line.len > 0;
    return n;
}

static void print_calls(const char *path)
{
    struct mock *mock;
    struct err err;
    struct mock_options options = {.path = path, .region = "cn-shanghai", .seed = 1};
    bench_must(mock_open(&options, &mock, &err), path, &err);
    for (int changing = 0; changing < 2; changing++) {
        struct buf b;
        buf_init(&b, (size_t)1 << 30);
        bench_must(mock_ledger(mock, changing, false, &b, &err), path, &err);
        (void)printf("%s %zu\n", changing ? "changing_calls" : "calls", count_lines(&b));
        buf_fini(&b);
    }
    mock_close(mock);
}

static void do_apply(char **args)
{
    char state[4096], mock[4096];
    struct pass *p;
    struct err err;
    (void)snprintf(state, sizeof state, "%s/state.db", args[1]);
    (void)snprintf(mock, sizeof mock, "%s/mock.db", args[1]);
    prepare_mock(mock, strtod(args[2], NULL));
    const char *files[] = {args[0]};
    struct pass_options options = {.state_path = state,
                                   .mock_path = mock,
                                   .files = files,
                                   .n_files = 1,
                                   .operation = "apply",
                                   .lock = true,
                                   .refresh = true,
                                   .prune = true,
                                   .parallelism = 10};
    struct pass_apply_options apply = {.user = "bench"};
    struct converge_summary summary;
    double since = bench_now();
    bench_must(pass_open(&options, &p, &err), "apply", &err);
    bench_must(pass_plan(p, &err), "apply", &err);
    print_seconds("planned", since);
    bench_must(pass_apply(p, &apply, &summary, &err), "apply", &err);
    print_seconds("seconds", since);
    pass_free(p);
    print_calls(mock);
}

/* ---- start ---- */

/* Seconds until the program says its first word. */
static double first_output(char **command)
{
    int ends[2];
    char byte;
    pid_t child;
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) != 0 || posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) != 0)
        bench_die(command[0], "cannot be prepared");
    double since = bench_now();
    if (posix_spawnp(&child, command[0], &actions, NULL, command, environ) != 0)
        bench_die(command[0], "cannot be started");
    (void)close(ends[1]);
    ssize_t n = read(ends[0], &byte, 1);
    double took = bench_now() - since;
    if (n != 1) bench_die(command[0], "says nothing");
    char rest[4096];
    while (read(ends[0], rest, sizeof rest) > 0) continue;
    (void)close(ends[0]);
    (void)waitpid(child, NULL, 0); /* that it spoke is what counts */
    (void)posix_spawn_file_actions_destroy(&actions);
    return took;
}

static void do_start(char **args)
{
    uint64_t runs;
    double least = 1e9;
    if (!text_to_u64(text_of(args[0]), 100000, &runs)) bench_die(args[0], "is not a number of runs");
    for (uint64_t k = 0; k < runs; k++) {
        double took = first_output(args + 1);
        least = MIN_OF(least, took);
    }
    (void)printf("seconds %.6f\n", least);
}

static const struct {
    const char *name;
    int min_args;
    void (*run)(char **args);
} measurements[] = {
    {"record", 2, do_record}, {"load", 1, do_load}, {"records", 1, do_records}, {"plan", 2, do_plan},
    {"events", 1, do_events}, {"rows", 1, do_rows}, {"apply", 3, do_apply},     {"start", 2, do_start},
};

int main(int argc, char **argv)
{
    for (size_t k = 0; argc > 1 && k < N_ELEMENTS(measurements); k++) {
        if (strcmp(measurements[k].name, argv[1]) != 0 || argc - 2 < measurements[k].min_args) continue;
        measurements[k].run(argv + 2);
        print_peak();
        return 0;
    }
    (void)fprintf(stderr, "usage: bench record|load|records|plan|events|rows|apply|start …\n");
    return 1;
}

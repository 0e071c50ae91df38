/* main.c - headgate-sim: simulated lives of stacks, each decided by its seed.
 *
 * Runs are played in child processes, so that one that aborts is a failure like another, and can be
 * shortened. */
#include "tests/simulation/play.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_FOUND = 1, EXIT_USAGE = 2, N_JOBS_MAX = 64, RUN_SECONDS_MAX = 60 };

/* What a child tells, in shared memory. */
struct told {
    uint64_t seed; /* being played */
    uint64_t n_done;
    struct counters counters;
    struct verdict verdict;
};

static struct play_options options = {.quiet_passes = 2};

static struct told *new_told(void)
{
    struct told *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (t != MAP_FAILED) return t;
    (void)fprintf(stderr, "headgate-sim: %s\n", strerror(errno));
    exit(EXIT_USAGE);
}

/* ---- children ---- */

static void end_child(pid_t pid, struct told *t)
{
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    t->verdict.failed = true;
    if (WIFSIGNALED(status))
        (void)snprintf(t->verdict.why, sizeof t->verdict.why, "it was ended by signal %d (%s)%s",
                       WTERMSIG(status), strsignal(WTERMSIG(status)),
                       WTERMSIG(status) == SIGALRM ? ": it did not end" : "");
    else
        (void)snprintf(t->verdict.why, sizeof t->verdict.why, "it ended with %d", WEXITSTATUS(status));
}

static pid_t begin_child(void)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid >= 0) return pid;
    (void)fprintf(stderr, "headgate-sim: cannot fork: %s\n", strerror(errno));
    exit(EXIT_USAGE);
}

static struct verdict play_apart(const struct story *s, struct told *t, bool quiet)
{
    t->verdict = (struct verdict){.failed = false};
    pid_t pid = begin_child();
    if (pid == 0) {
        if (quiet && freopen("/dev/null", "w", stderr) == NULL) _exit(EXIT_USAGE);
        (void)alarm(RUN_SECONDS_MAX);
        play(s, &options, &t->counters, &t->verdict);
        _exit(0);
    }
    end_child(pid, t);
    return t->verdict;
}

/* ---- a failure ---- */

/* Takes parts out as long as it still fails. */
static struct story shorten(struct story s, struct told *t, struct verdict *v)
{
    struct story shorter;
    bool changed = true;
    while (changed) {
        changed = false;
        for (unsigned k = 0; story_without(&s, k, &shorter); k++) {
            struct verdict other = play_apart(&shorter, t, true);
            if (!other.failed) continue;
            s = shorter;
            *v = other;
            changed = true;
            k--; /* the next part has its place now */
        }
    }
    return s;
}

static void report(uint64_t seed, struct told *t, bool shortens)
{
    struct story s;
    CLEANUP(buf_fini) struct buf text;
    buf_init(&text, (size_t)1 << 20);
    story_draw(&s, seed);
    struct verdict v = t->verdict;
    if (shortens) s = shorten(s, t, &v);
    story_tell(&s, &text);
    (void)printf("seed %" PRIu64 " failed; its shortest story:\n%s%s\n", seed, buf_str(&text), v.why);
    (void)printf("replay it with: headgate-sim --seed %" PRIu64 " --trace\n", seed);
}

/* ---- one, and many ---- */

static int replay(uint64_t seed, bool short_one)
{
    struct story s;
    struct told *t = new_told();
    story_draw(&s, seed);
    if (short_one) {
        struct verdict v = play_apart(&s, t, true);
        if (v.failed) s = shorten(s, t, &v);
    }
    CLEANUP(buf_fini) struct buf text;
    buf_init(&text, (size_t)1 << 20);
    story_tell(&s, &text);
    (void)fputs(buf_str(&text), stdout);
    struct verdict v = play_apart(&s, t, false);
    (void)printf("seed %" PRIu64 ": %s %s\n", seed, v.failed ? "FAILED" : "ok", v.failed ? v.why : v.digest);
    return v.failed ? EXIT_FOUND : 0;
}

struct runs {
    uint64_t from, n;
    unsigned n_jobs;
    double seconds; /* at most; 0: as long as it takes */
    bool digests;
};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Every n_jobs-th seed. Ends with the first that fails. */
static void work(const struct runs *r, unsigned job, struct told *t, double until)
{
    for (uint64_t k = job; k < r->n && !t->verdict.failed && (until == 0 || now_s() < until);
         k += r->n_jobs) {
        struct story s;
        t->seed = r->from + k;
        (void)alarm(RUN_SECONDS_MAX);
        story_draw(&s, t->seed);
        play(&s, &options, &t->counters, &t->verdict);
        t->n_done++;
        if (r->digests) (void)printf("%" PRIu64 " %s\n", t->seed, t->verdict.digest);
    }
    (void)fflush(NULL);
    _exit(0);
}

static void add_counters(struct counters *sum, const struct counters *c)
{
    for (size_t k = 0; k < N_FAULT_POINTS; k++) sum->faults[k] += c->faults[k];
    for (size_t k = 0; k < N_EVENT_POINTS; k++) sum->events[k] += c->events[k];
    for (size_t k = 0; k < n_branches; k++) sum->branches[k] += c->branches[k];
}

/* Returns how many counters are at zero. */
static unsigned print_counters(const struct counters *c)
{
    unsigned n_zero = 0;
    for (size_t k = 0; k < N_FAULT_POINTS; k++, n_zero += c->faults[k - 1] == 0)
        (void)printf("%10" PRIu64 "  %s\n", c->faults[k], fault_points[k].name);
    for (size_t k = 0; k < N_EVENT_POINTS; k++, n_zero += c->events[k - 1] == 0)
        (void)printf("%10" PRIu64 "  %s\n", c->events[k], event_names[k]);
    for (size_t k = 0; k < n_branches; k++, n_zero += c->branches[k - 1] == 0)
        (void)printf("%10" PRIu64 "  headgate %s\n", c->branches[k], branches[k].name);
    return n_zero;
}

static int run_many(const struct runs *r, bool counts, bool shortens)
{
    struct told *told[N_JOBS_MAX];
    pid_t pids[N_JOBS_MAX];
    double start = now_s(), until = r->seconds > 0 ? start + r->seconds : 0;
    for (unsigned j = 0; j < r->n_jobs; j++) {
        told[j] = new_told();
        pids[j] = begin_child();
        if (pids[j] == 0) work(r, j, told[j], until);
    }
    uint64_t n_done = 0;
    struct counters sum = {0};
    int rc = 0;
    for (unsigned j = 0; j < r->n_jobs; j++) {
        end_child(pids[j], told[j]);
        n_done += told[j]->n_done;
        add_counters(&sum, &told[j]->counters);
        if (!told[j]->verdict.failed) continue;
        report(told[j]->seed, told[j], shortens);
        rc = EXIT_FOUND;
    }
    double took = now_s() - start;
    (void)printf("%" PRIu64 " runs from seed %" PRIu64 " in %.1f s, %.0f a second\n", n_done, r->from, took,
                 (double)n_done / (took > 0 ? took : 1));
    unsigned n_zero = counts ? print_counters(&sum) : 0;
    if (n_zero > 0 && rc == 0) (void)printf("%u points or branches were never reached\n", n_zero);
    return rc != 0 || n_zero == 0 ? rc : EXIT_FOUND;
}

/* ---- the command line ---- */

static const char usage[] =
    "headgate-sim: simulated lives of stacks, with faults, crashes and other people's hands\n"
    "  --seed N           plays one; with --trace tells all, with --short its shortest story\n"
    "  --runs N --from S  plays N, beginning with seed S (defaults: 1000, 1)\n"
    "  --seconds T        at most so long\n"
    "  --jobs N           so many at once (default 1)\n"
    "  --quiet-passes N   passes after convergence in which nothing may happen (default 2)\n"
    "  --counters         prints how often each fault point and recovery was reached; one at zero is a failure\n"
    "  --digests          prints a digest of each run's trace\n"
    "  --no-shorten       reports a failure as it is\n";

static uint64_t number(const char *text)
{
    uint64_t n;
    if (text_to_u64(text_of(text), UINT64_MAX, &n)) return n;
    (void)fprintf(stderr, "headgate-sim: `%s` is not a number\n", text);
    exit(EXIT_USAGE);
}

int main(int argc, char **argv)
{
    enum { SEED = 1, RUNS, FROM, SECONDS, JOBS, QUIET, COUNTERS, DIGESTS, TRACE, SHORT, NO_SHORTEN, HELP };
    static const struct option flags[] = {{"seed", required_argument, NULL, SEED},
                                          {"runs", required_argument, NULL, RUNS},
                                          {"from", required_argument, NULL, FROM},
                                          {"seconds", required_argument, NULL, SECONDS},
                                          {"jobs", required_argument, NULL, JOBS},
                                          {"quiet-passes", required_argument, NULL, QUIET},
                                          {"counters", no_argument, NULL, COUNTERS},
                                          {"digests", no_argument, NULL, DIGESTS},
                                          {"trace", no_argument, NULL, TRACE},
                                          {"short", no_argument, NULL, SHORT},
                                          {"no-shorten", no_argument, NULL, NO_SHORTEN},
                                          {"help", no_argument, NULL, HELP},
                                          {NULL, 0, NULL, 0}};
    struct runs r = {.from = 1, .n = 1000, .n_jobs = 1};
    uint64_t seed = 0;
    bool one = false, counts = false, is_short = false, shortens = true;
    for (int flag; (flag = getopt_long(argc, argv, "", flags, NULL)) != -1;) switch (flag) {
        case SEED: one = true, seed = number(optarg); break;
        case RUNS: r.n = number(optarg); break;
        case FROM: r.from = number(optarg); break;
        case SECONDS: r.seconds = (double)number(optarg); break;
        case JOBS: r.n_jobs = (unsigned)number(optarg); break;
        case QUIET: options.quiet_passes = (unsigned)number(optarg); break;
        case COUNTERS: counts = true; break;
        case DIGESTS: r.digests = true; break;
        case TRACE: options.traces = true; break;
        case SHORT: is_short = true; break;
        case NO_SHORTEN: shortens = false; break;
        default: (void)fputs(usage, flag == HELP ? stdout : stderr); return flag == HELP ? 0 : EXIT_USAGE;
        }
    if (optind < argc || r.n_jobs == 0 || r.n_jobs > N_JOBS_MAX) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return one ? replay(seed, is_short) : run_many(&r, counts, shortens);
}

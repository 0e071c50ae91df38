/* main.c - the table of commands, and the way to one of them. */
#include "cmd/headgate/commands.h"
#include "cmd/headgate/output.h"
#include "reconciler/base/limits.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define COMMON    (FLAG_BIT(FLAG_NO_COLOR) | FLAG_BIT(FLAG_HELP))
#define MANIFESTS (COMMON | FLAG_BIT(FLAG_FILE) | FLAG_BIT(FLAG_VAR))
#define STATE     (COMMON | FLAG_BIT(FLAG_STATE) | FLAG_BIT(FLAG_STACK))
#define PASS                                                                                                 \
    (MANIFESTS | STATE | FLAG_BIT(FLAG_MOCK) | FLAG_BIT(FLAG_TARGET) | FLAG_BIT(FLAG_EXCLUDE) |              \
     FLAG_BIT(FLAG_REFRESH) | FLAG_BIT(FLAG_LOCK_TIMEOUT) | FLAG_BIT(FLAG_PARALLELISM))
#define PLANNING                                                                                             \
    (PASS | FLAG_BIT(FLAG_PRUNE) | FLAG_BIT(FLAG_ALLOW_EMPTY) | FLAG_BIT(FLAG_REPLACE) |                     \
     FLAG_BIT(FLAG_CONCISE))
#define APPLYING (FLAG_BIT(FLAG_AUTO_APPROVE) | FLAG_BIT(FLAG_JSON) | FLAG_BIT(FLAG_TRACE))
#define MOCK     (COMMON | FLAG_BIT(FLAG_MOCK) | FLAG_BIT(FLAG_REGION))
#define OUTPUT   FLAG_BIT(FLAG_OUTPUT)
#define ANY      ((size_t)100000)

static const struct command commands[] = {
    {"validate", "[PATH…]", "Check manifests, offline",
     "All errors are told at once, with file, line and column. No cloud, no state.",
     MANIFESTS | FLAG_BIT(FLAG_JSON), 0, ANY, cmd_validate},
    {"plan", "[PATH…]", "Show what an apply would change", "Nothing is changed.",
     PLANNING | FLAG_BIT(FLAG_OUT) | FLAG_BIT(FLAG_JSON) | FLAG_BIT(FLAG_DETAILED_EXITCODE) |
         FLAG_BIT(FLAG_DESTROY),
     0, ANY, cmd_plan},
    {"diff", "[PATH…]", "Show differences as kubectl diff does",
     "Exits with 0 when nothing differs, 1 when something does, more than 1 on an error.",
     PLANNING & ~FLAG_BIT(FLAG_CONCISE), 0, ANY, cmd_diff},
    {"apply", "[PATH…|PLANFILE]", "Change the cloud until it is what the manifests say",
     "Shows the plan and asks. A saved plan (plan --out) is carried out without asking, or not at all when it is "
     "stale.",
     PLANNING | APPLYING, 0, ANY, cmd_apply},
    {"destroy", "[PATH…]", "Delete everything that a stack has made",
     "With manifests (-f), or with the stack's name alone (--stack NAME).",
     (PLANNING | APPLYING) & ~(FLAG_BIT(FLAG_PRUNE) | FLAG_BIT(FLAG_REPLACE) | FLAG_BIT(FLAG_ALLOW_EMPTY)), 0,
     ANY, cmd_destroy},
    {"drift", "[PATH…]", "Show what was changed outside of headgate", NULL,
     PASS | FLAG_BIT(FLAG_UNMANAGED) | FLAG_BIT(FLAG_CONCISE) | FLAG_BIT(FLAG_JSON) |
         FLAG_BIT(FLAG_DETAILED_EXITCODE),
     0, ANY, cmd_drift},
    {"get", "KIND|all|ADDRESS…", "List recorded resources",
     "Kinds have plural and short names: vswitches, vsw; addresses, too: vsw/web.", STATE | OUTPUT, 1, ANY,
     cmd_get},
    {"describe", "ADDRESS", "Show a recorded resource and its events", NULL, STATE | OUTPUT, 1, 1,
     cmd_describe},
    {"status", "", "Show the stacks: resources, locks, last runs", NULL, STATE | OUTPUT, 0, 0, cmd_status},
    {"events", "[ADDRESS]", "Show what has happened, newest first", NULL,
     STATE | OUTPUT | FLAG_BIT(FLAG_LIMIT) | FLAG_BIT(FLAG_RUN), 0, 1, cmd_events},
    {"history", "[RUN]", "Show the runs, newest first; or what happened in one", NULL,
     STATE | OUTPUT | FLAG_BIT(FLAG_LIMIT), 0, 1, cmd_history},
    {"import", "ADDRESS ID", "Record something that exists under an address", "The cloud is not changed.",
     MANIFESTS | STATE | FLAG_BIT(FLAG_MOCK) | FLAG_BIT(FLAG_LOCK_TIMEOUT), 2, 2, cmd_import},
    {"explain", "[KIND[.FIELD]]", "Describe kinds and fields", NULL, COMMON, 0, 1, cmd_explain},
    {"schema", "", "Print the JSON Schema of manifests, for editors", NULL, COMMON, 0, 0, cmd_schema},
    {"graph", "[PATH…]", "Draw the network of the manifests", NULL,
     MANIFESTS | STATE | FLAG_BIT(FLAG_MOCK) | FLAG_BIT(FLAG_FORMAT) | FLAG_BIT(FLAG_PLAN), 0, ANY,
     cmd_graph},
    {"state list", "", "List the addresses of recorded resources", NULL, STATE, 0, 0, cmd_state_list},
    {"state show", "ADDRESS", "Show what is recorded of a resource", NULL, STATE | OUTPUT, 1, 1,
     cmd_state_show},
    {"state mv", "FROM TO", "Give a recorded resource another address", NULL,
     STATE | FLAG_BIT(FLAG_LOCK_TIMEOUT), 2, 2, cmd_state_mv},
    {"state rm", "ADDRESS…", "Forget recorded resources", "The resources themselves stay as they are.",
     STATE | FLAG_BIT(FLAG_LOCK_TIMEOUT), 1, ANY, cmd_state_rm},
    {"state rebuild", "[PATH…]", "Record again all that is found of the manifests",
     "By ownership tags and natural keys. The cloud is not changed.",
     MANIFESTS | STATE | FLAG_BIT(FLAG_MOCK) | FLAG_BIT(FLAG_LOCK_TIMEOUT), 0, ANY, cmd_state_rebuild},
    {"state backup", "FILE", "Copy the state file while it is in use", NULL, COMMON | FLAG_BIT(FLAG_STATE), 1,
     1, cmd_state_backup},
    {"state verify", "", "Check that the state file is sound", NULL, COMMON | FLAG_BIT(FLAG_STATE), 0, 0,
     cmd_state_verify},
    {"unlock", "[LOCK-ID]", "Break a stack's lock",
     "Only when its holder is sure not to go on. The lock of a process that has died on this host is taken over "
     "without this.",
     STATE | FLAG_BIT(FLAG_AUTO_APPROVE), 0, 1, cmd_unlock},
    {"mock list", "[TYPE]", "List what the simulated cloud holds", NULL, MOCK | FLAG_BIT(FLAG_JSON), 0, 1,
     cmd_mock_list},
    {"mock set", "ID NAME=VALUE…", "Change something behind headgate's back", NULL, MOCK, 2, ANY,
     cmd_mock_set},
    {"mock delete", "ID", "Delete something behind headgate's back", NULL, MOCK | FLAG_BIT(FLAG_FORCE), 1, 1,
     cmd_mock_delete},
    {"mock fail-next", "OPERATION CODE", "Make the next calls of an operation fail",
     "CODE is an error code of the cloud, or timeout-before, timeout-after, reset, http-500, http-503; OPERATION "
     "may be '*'.",
     MOCK | FLAG_BIT(FLAG_COUNT), 2, 2, cmd_mock_fail_next},
    {"mock latency", "", "Set how fast the simulated cloud is", NULL,
     MOCK | FLAG_BIT(FLAG_SPEED) | FLAG_BIT(FLAG_LATENCY), 0, 0, cmd_mock_latency},
    {"mock option", "NAME VALUE", "Change a quota, a rate or a behaviour", NULL, MOCK, 2, 2, cmd_mock_option},
    {"mock ledger", "", "List the calls that came in", NULL,
     MOCK | FLAG_BIT(FLAG_JSON) | FLAG_BIT(FLAG_CHANGES) | FLAG_BIT(FLAG_CLEAR), 0, 0, cmd_mock_ledger},
    {"mock reset", "", "Empty the simulated cloud", NULL, MOCK, 0, 0, cmd_mock_reset},
    {"mock call", "PRODUCT OPERATION [NAME=VALUE…]", "Call an operation of the simulated cloud",
     "Prints the JSON answer: headgate mock call Vpc DescribeVpcs.", MOCK, 2, ANY, cmd_mock_call},
    {"version", "", "Print the version", NULL, COMMON | OUTPUT, 0, 0, cmd_version},
    {"help", "[COMMAND]", "Describe the commands", NULL, COMMON, 0, 2, cmd_help},
};

/* ---- version and help ---- */

enum exit_code cmd_version(struct app *app)
{
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    enum output_format format = output_format_of(app_text(app, FLAG_OUTPUT));
    if (format == OUTPUT_JSON || format == OUTPUT_YAML)
        output_tree(&out,
                    json_pack("{s:s, s:s, s:i}", "format_version", "1.0", "version", HEADGATE_VERSION,
                              "state_schema", (int)STORE_SCHEMA_VERSION),
                    format);
    else
        buf_puts(&out, "headgate " HEADGATE_VERSION "\n");
    app_print(&out);
    return DONE_OK;
}

static void put_command_line(struct buf *out, const struct command *c)
{
    enum { COLUMN = 18 };
    buf_printf(out, "  %s", c->name);
    buf_fill(out, ' ', strlen(c->name) < COLUMN ? COLUMN - strlen(c->name) : 1);
    buf_printf(out, "%s\n", c->summary);
}

/* The commands whose names begin with 'group' and a blank; all for "". */
static size_t put_command_list(struct buf *out, const char *group)
{
    size_t n = 0;
    for (size_t i = 0; i < N_ELEMENTS(commands); i++) {
        struct text name = text_of(commands[i].name);
        size_t len = strlen(group);
        if (len > 0 && (!text_starts_with(name, group) || name.len <= len || name.ptr[len] != ' ')) continue;
        put_command_line(out, &commands[i]);
        n++;
    }
    return n;
}

static void help_overview(struct buf *out)
{
    buf_puts(out, "headgate keeps the network of a cloud VPC the way its manifests say it should be.\n\n"
                  "Usage: headgate COMMAND [ARGUMENTS] [FLAGS]\n\nCommands:\n");
    (void)put_command_list(out, "");
    buf_puts(out,
             "\nRun `headgate help COMMAND` for its flags, `headgate explain` for the kinds of manifests.\n"
             "Exit codes: 0 done or no differences, 1 error, 2 differences (--detailed-exitcode),\n"
             "3 credentials, 4 refused by a guard, 5 lock held, 6 stale plan, 7 cancelled, 8 time-out.\n");
}

static void help_command(struct buf *out, const struct command *c)
{
    buf_printf(out, "%s.\n%s%s\nUsage: headgate %s%s%s [FLAGS]\n\nFlags:\n", c->summary,
               c->detail == NULL ? "" : c->detail, c->detail == NULL ? "" : "\n", c->name,
               c->args[0] == '\0' ? "" : " ", c->args);
    flags_help(out, c->flags);
}

/* ---- finding a command ---- */

/* The command that the words begin with, the one of most words first; *n_words are its own. */
static const struct command *find_command(const char *const *words, size_t n, size_t *n_words)
{
    for (size_t take = MIN_OF(n, (size_t)2); take > 0; take--) {
        char name[64];
        int len =
            snprintf(name, sizeof name, "%s%s%s", words[0], take > 1 ? " " : "", take > 1 ? words[1] : "");
        if (len < 0 || (size_t)len >= sizeof name) continue;
        for (size_t i = 0; i < N_ELEMENTS(commands); i++) {
            if (strcmp(commands[i].name, name) != 0) continue;
            *n_words = take;
            return &commands[i];
        }
    }
    return NULL;
}

static const char *command_name(const void *ctx, size_t i)
{
    (void)ctx;
    return commands[i].name;
}

static enum exit_code unknown_command(const struct app *app, const char *const *words, size_t n)
{
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    if (put_command_list(&out, words[0]) > 0 && n == 1) { /* "headgate state" */
        (void)fprintf(stderr, "Error: `%s` is a group of commands:\n%s", words[0], buf_str(&out));
        return DONE_ERROR;
    }
    char typed[128];
    (void)snprintf(typed, sizeof typed, "%s%s%s", words[0], n > 1 && buf_text(&out).len > 0 ? " " : "",
                   n > 1 && buf_text(&out).len > 0 ? words[1] : ""); /* cut: for people */
    const char *near = text_nearest(text_of(typed), N_ELEMENTS(commands), command_name, NULL);
    if (near == NULL) return app_usage(app, "unknown command `%s`", typed);
    return app_usage(app, "unknown command `%s`, did you mean `%s`?", typed, near);
}

enum exit_code cmd_help(struct app *app)
{
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    size_t n_words = 0;
    const struct command *c = app->n_args == 0 ? NULL : find_command(app->args, app->n_args, &n_words);
    if (app->n_args == 0) {
        help_overview(&out);
    } else if (c != NULL) {
        help_command(&out, c);
    } else if (put_command_list(&out, app->args[0]) == 0 || app->n_args > 1) {
        app->command = NULL;
        return unknown_command(app, app->args, app->n_args);
    }
    app_print(&out);
    return DONE_OK;
}

/* ---- running one ---- */

/* A flag that this command does not have. */
static enum exit_code check_flags(const struct app *app)
{
    const struct command *c = app->command;
    const char *wrong = app->options.unknown, *dashes = "";
    for (unsigned f = 0; f < N_FLAGS && wrong == NULL; f++)
        if ((app->options.given & ~c->flags & FLAG_BIT(f)) != 0) {
            wrong = flag_name((enum flag)f);
            dashes = "--";
        }
    if (wrong == NULL) return DONE_OK;
    const char *near = flag_nearest(wrong, c->flags);
    if (near == NULL) return app_usage(app, "`headgate %s` has no flag %s%s", c->name, dashes, wrong);
    return app_usage(app, "`headgate %s` has no flag %s%s, did you mean --%s?", c->name, dashes, wrong, near);
}

static enum exit_code run_command(struct app *app)
{
    const struct options *o = &app->options;
    if (o->n_args == 0) {
        if (o->unknown != NULL) return app_usage(app, "unknown flag %s", o->unknown);
        if (app_on(app, FLAG_VERSION)) return cmd_version(app);
        enum exit_code code = cmd_help(app);
        return app_on(app, FLAG_HELP) ? code : DONE_ERROR;
    }
    size_t n_words = 0;
    app->command = find_command(o->args, o->n_args, &n_words);
    if (app->command == NULL && app_on(app, FLAG_HELP)) { /* of a group, as `state` */
        app->args = o->args;
        app->n_args = o->n_args;
        return cmd_help(app);
    }
    if (app->command == NULL) return unknown_command(app, o->args, o->n_args);
    app->args = o->args + n_words;
    app->n_args = o->n_args - n_words;
    if (app_on(app, FLAG_HELP)) {
        app->args = o->args;
        app->n_args = n_words;
        return cmd_help(app);
    }
    enum exit_code code = check_flags(app);
    if (code != DONE_OK) return code;
    if (app->n_args < app->command->min_args)
        return app_usage(app, "`headgate %s` needs %s", app->command->name, app->command->args);
    if (app->n_args > app->command->max_args)
        return app_usage(app, "`headgate %s` takes %s, `%s` is too many", app->command->name,
                         app->command->max_args == 0 ? "no arguments" : app->command->args,
                         app->args[app->command->max_args]);
    return app->command->run(app);
}

static void look_at_terminal(struct app *app)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool plain = app_on(app, FLAG_NO_COLOR) || (no_color != NULL && no_color[0] != '\0') || term == NULL ||
                 strcmp(term, "dumb") == 0;
    app->color = !plain && isatty(STDOUT_FILENO);
    app->color_err = !plain && isatty(STDERR_FILENO);
    /* The live view moves the cursor, which NO_COLOR does not speak of; --no-color is for logs. */
    app->live =
        isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0 && !app_on(app, FLAG_NO_COLOR);
}

/* Ctrl-C where nothing is under way that would have to be finished. While a plan is carried out the pass has
 * handlers of its own. A lock that is left behind is that of a dead process, which the next run takes over.
 */
static void leave(int signum)
{
    (void)signum;
    _exit(DONE_CANCELED);
}

/* Whoever read our output has heard enough: no error of ours, as with `headgate help | head`. */
static bool reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = true };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { IS_SANITIZED = true };
#else
enum { IS_SANITIZED = false };
#endif
#else
enum { IS_SANITIZED = false };
#endif

/* The memory may hold keys of a cloud account: it is dumped into no file when the program crashes, and other
 * processes of the same user cannot read it. HEADGATE_COREDUMP=1 lets both, for those who look for a fault.
 * The leak checker of the sanitizers attaches to its own process. */
static void keep_memory_private(void)
{
    const char *allowed = getenv("HEADGATE_COREDUMP");
    if (IS_SANITIZED || (allowed != NULL && strcmp(allowed, "1") == 0)) return;
    (void)prctl(PR_SET_DUMPABLE, 0); /* cannot fail */
}

int main(int argc, char **argv)
{
    keep_memory_private();
    /* An apply goes on, and records what it did, when whoever reads its output goes away. */
    (void)signal(SIGPIPE, SIG_IGN); /* cannot fail */
    (void)signal(SIGINT, leave);
    (void)signal(SIGTERM, leave);
    struct app app = {.arena = arena_new(LIMIT_ARENA_BYTES)};
    struct err err = {0};
    if (app.arena == NULL) return (int)app_nomem(&app);
    enum exit_code code;
    if (options_parse(app.arena, argc - 1, argv + 1, &app.options, &err) != ERR_OK) {
        code = app_usage(&app, "%s", err.msg);
    } else {
        look_at_terminal(&app);
        code = run_command(&app);
    }
    arena_free(app.arena);
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && !reader_is_gone() && code == DONE_OK) {
        (void)fputs("Error: cannot write to standard output; is the disk full?\n", stderr);
        return DONE_ERROR;
    }
    return (int)code;
}

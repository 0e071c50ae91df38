/* app.c - what the commands share. */
#include "cmd/headgate/app.h"

#include "cmd/headgate/event_json.h"
#include "cmd/headgate/say.h"
#include "reconciler/base/limits.h"
#include "reconciler/loop/sources.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

int64_t app_number(const struct app *app, enum flag f, int64_t otherwise)
{
    return app_has(app, f) ? app->options.flags[f].num : otherwise;
}

/* A flag, else a variable of the environment, else what is given. */
static const char *path_of(const struct app *app, enum flag f, const char *variable, const char *otherwise)
{
    if (app_has(app, f)) return app_text(app, f);
    const char *value = getenv(variable);
    return value == NULL || value[0] == '\0' ? otherwise : value;
}

const char *app_state_path(const struct app *app)
{
    return path_of(app, FLAG_STATE, "HEADGATE_STATE", ".headgate/state.db");
}

const char *app_mock_path(const struct app *app)
{
    return path_of(app, FLAG_MOCK, "HEADGATE_MOCK", ".headgate/mock.db");
}

const char *app_user(void)
{
    const struct passwd *entry = getpwuid(getuid());
    return entry == NULL ? "" : entry->pw_name;
}

/* ---- how it ends ---- */

enum exit_code exit_code_of(enum err_code code)
{
    switch (code) {
    case ERR_OK: return DONE_OK;
    case ERR_CHANGED: return DONE_DIFFERENCES;
    case ERR_DENIED: return DONE_DENIED;
    case ERR_GUARD: return DONE_REFUSED;
    case ERR_LOCKED: return DONE_LOCKED;
    case ERR_STALE: return DONE_STALE;
    case ERR_CANCELED: return DONE_CANCELED;
    case ERR_TIMEOUT: return DONE_TIMEOUT;
    default: return DONE_ERROR;
    }
}

/* Failures are found by main(), which looks at ferror() when the command has ended: an apply goes on when
 * nobody reads what it says. */
void app_print(const struct buf *b)
{
    (void)fwrite(buf_str(b), 1, b->len, stdout);
    (void)fflush(stdout);
}

void app_puts(const char *s)
{
    (void)fputs(s, stdout);
    (void)fflush(stdout);
}

void app_show_diags(const struct app *app, const struct diags *diags)
{
    if (diags == NULL || diags->n_errors + diags->n_warnings == 0) return;
    if (app->json_events) {
        for (size_t i = 0; i < diags->n; i++) event_diag(&diags->items[i]);
        return;
    }
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    diags_render(diags, app->color_err, &out);
    (void)fputs(buf_str(&out), stderr); /* when standard error is lost there is nobody to tell */
}

/* Lines stay lines, all else that a terminal would act on is escaped. */
static void put_lines(struct buf *out, struct text rest)
{
    struct text line;
    bool first = true;
    while (text_cut(&rest, '\n', &line)) {
        if (!first) buf_putc(out, '\n');
        first = false;
        buf_put_escaped(out, line);
    }
}

static void show_error(const struct app *app, const char *msg, const char *after)
{
    if (app->json_events) {
        event_error(msg);
        return;
    }
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    buf_puts(&out, app->color_err ? "\x1b[1;31mError:\x1b[0m " : "Error: ");
    put_lines(&out, text_of(msg));
    buf_putc(&out, '\n');
    buf_puts(&out, after);
    (void)fflush(stdout); /* main() looks at its errors */
    /* Where there is no memory for a message, there is room for this one. */
    (void)fputs(buf_ok(&out) ? buf_str(&out) : "Error: out of memory\n", stderr);
}

enum exit_code app_fail(const struct app *app, const struct err *err, const struct diags *diags)
{
    app_show_diags(app, diags);
    show_error(app, err->msg[0] == '\0' ? "it failed" : err->msg, "");
    return exit_code_of(err->code);
}

enum exit_code app_usage(const struct app *app, const char *fmt, ...)
{
    char msg[1024], after[128] = "Run `headgate help` for all commands.\n";
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(msg, sizeof msg, fmt, args); /* cut when too long: for people */
    va_end(args);
    if (app->command != NULL)
        (void)snprintf(after, sizeof after, "Run `headgate help %s` for its arguments and flags.\n",
                       app->command->name);
    show_error(app, msg, after);
    return DONE_ERROR;
}

enum exit_code app_nomem(const struct app *app)
{
    struct err err;
    (void)err_nomem(&err);
    return app_fail(app, &err, NULL);
}

/* ---- asking ---- */

static void on_interrupt(int signum)
{
    (void)signum; /* the wait is cut short, that is all */
}

/* Prints the question and reads a line. An interrupt, at whatever moment from the question on, is an answer,
 * too: no. So it is blocked but while we wait for the line. */
static bool ask(const char *question, char *answer, int size)
{
    sigset_t interrupt, before, open;
    (void)sigemptyset(&interrupt); /* none of these can fail */
    (void)sigaddset(&interrupt, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &interrupt, &before);
    open = before;
    (void)sigdelset(&open, SIGINT);
    struct sigaction action = {.sa_handler = on_interrupt}, old;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, &old);
    app_puts(question);
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    bool read_one = ppoll(&in, 1, NULL, &open) == 1 && fgets(answer, size, stdin) != NULL;
    (void)sigaction(SIGINT, &old, NULL);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return read_one;
}

enum err_code app_confirm(const char *question, struct err *err)
{
    if (!isatty(STDIN_FILENO))
        return err_set(
            err, ERR_INPUT,
            "standard input is not a terminal, so nobody can be asked; to go ahead without asking, "
            "use --auto-approve");
    char answer[64] = "";
    bool read_one = ask(question, answer, sizeof answer);
    app_puts("\n");
    if (read_one && text_is(text_trim(text_of(answer)), "yes")) return ERR_OK;
    return err_set(err, ERR_CANCELED, "cancelled, nothing was changed");
}

bool app_is_approved(const struct app *app)
{
    return app_on(app, FLAG_AUTO_APPROVE);
}

/* ---- manifests and passes ---- */

enum err_code app_read_sources(struct app *app, struct arena *bytes, struct diags *diags, struct source **out,
                               size_t *n, struct err *err)
{
    const struct option *f = &app->options.flags[FLAG_FILE];
    const char **paths = arena_array_of(app->arena, f->n + app->n_args, const char *);
    if (paths == NULL) return err_nomem(err);
    if (f->n > 0) memcpy(paths, f->items, f->n * sizeof *paths);
    if (app->n_args > 0) memcpy(paths + f->n, app->args, app->n_args * sizeof *paths);
    if (f->n + app->n_args == 0)
        return err_set(
            err, ERR_INPUT,
            "which manifests? Name a folder, a file, or - for standard input: headgate %s -f DIR%s",
            app->command->name,
            strcmp(app->command->name, "destroy") == 0 ? "; or, without any, the stack: --stack NAME" : "");
    enum err_code code = sources_read(app->arena, bytes, paths, f->n + app->n_args, diags, out, n, err);
    if (code == ERR_OK) say_reading(*out, *n);
    return code;
}

enum err_code app_variables(struct app *app, const struct param_value **out, size_t *n, struct err *err)
{
    const struct option *f = &app->options.flags[FLAG_VAR];
    struct param_value *values = arena_array_of(app->arena, f->n, struct param_value);
    if (values == NULL) return err_nomem(err);
    for (size_t i = 0; i < f->n; i++) {
        const char *equals = strchr(f->items[i], '=');
        if (equals == NULL || equals == f->items[i])
            return err_set(err, ERR_INPUT, "--var: `%s` is not NAME=VALUE", f->items[i]);
        values[i].name = arena_copy(app->arena, f->items[i], (size_t)(equals - f->items[i]));
        values[i].value = equals + 1;
        if (values[i].name == NULL) return err_nomem(err);
    }
    *out = values;
    *n = f->n;
    return ERR_OK;
}

/* The items of a flag as slices, each an address or the beginning of some and a star. */
static enum err_code addresses_of(struct app *app, enum flag flag, const struct text **out, size_t *n,
                                  struct err *err)
{
    const struct option *f = &app->options.flags[flag];
    struct text *items = arena_array_of(app->arena, f->n, struct text);
    if (items == NULL) return err_nomem(err);
    for (size_t i = 0; i < f->n; i++) {
        enum kind kind;
        struct text name;
        items[i] = text_of(f->items[i]);
        if (!text_ends_with(items[i], "*") && !address_parse(items[i], &kind, &name))
            return err_set(err, ERR_INPUT, "--%s: `%s` is not an address, as NatGateway/nat1 is",
                           flag_name(flag), f->items[i]);
    }
    *out = items;
    *n = f->n;
    return ERR_OK;
}

static void on_waiting(void *ctx, const char *what)
{
    (void)ctx;
    (void)fprintf(stderr, "%s\n", what); /* when standard error is lost there is nobody to tell */
}

enum err_code app_pass_options(struct app *app, const char *operation, struct pass_options *out,
                               struct err *err)
{
    *out = (struct pass_options){
        .state_path = app_state_path(app),
        .mock_path = app_mock_path(app),
        .stack = app_text(app, FLAG_STACK),
        .operation = operation,
        .lock_timeout_ms = app_number(app, FLAG_LOCK_TIMEOUT, 0),
        .refresh = app_on(app, FLAG_REFRESH),
        .unmanaged = app_on(app, FLAG_UNMANAGED),
        .destroy = app_on(app, FLAG_DESTROY),
        .prune = !app_has(app, FLAG_PRUNE) ? PRUNE_AS_DECLARED
                 : app_on(app, FLAG_PRUNE) ? PRUNE_ALWAYS
                                           : PRUNE_NEVER,
        .allow_empty = app_on(app, FLAG_ALLOW_EMPTY),
        .parallelism = (uint32_t)app_number(app, FLAG_PARALLELISM, 0),
        .waiting = on_waiting,
    };
    enum err_code code = app_variables(app, &out->variables, &out->n_variables, err);
    if (code == ERR_OK) code = addresses_of(app, FLAG_TARGET, &out->targets, &out->n_targets, err);
    if (code == ERR_OK) code = addresses_of(app, FLAG_EXCLUDE, &out->excludes, &out->n_excludes, err);
    if (code == ERR_OK) code = addresses_of(app, FLAG_REPLACE, &out->replaces, &out->n_replaces, err);
    return code;
}

void pass_freep(struct pass **p)
{
    pass_free(*p);
}

/* `destroy --stack NAME` needs no manifests. */
static bool needs_manifests(const struct app *app, const struct pass_options *options)
{
    bool none = app->options.flags[FLAG_FILE].n + app->n_args == 0;
    return options->n_sources == 0 && !(none && options->destroy && options->stack != NULL);
}

enum err_code app_open_pass(struct app *app, struct pass_options *options, struct pass **out, struct err *err)
{
    CLEANUP(arena_freep) struct arena *until_loaded = NULL;
    *out = NULL;
    if (!needs_manifests(app, options)) return pass_open(options, out, err);
    if (!options->keep_sources && (until_loaded = arena_new(LIMIT_ARENA_BYTES)) == NULL)
        return err_nomem(err);
    struct diags diags;
    struct source *sources;
    diags_init(&diags, app->arena);
    enum err_code code = app_read_sources(app, options->keep_sources ? app->arena : until_loaded, &diags,
                                          &sources, &options->n_sources, err);
    app_show_diags(app, &diags);
    if (code != ERR_OK) return code;
    options->sources = sources;
    code = pass_open(options, out, err);
    if (options->keep_sources) return code;
    options->sources = NULL;
    options->n_sources = 0;
    return code;
}

enum exit_code app_fail_pass(const struct app *app, struct pass *p, const struct err *err)
{
    if (p == NULL) return app_fail(app, err, NULL);
    struct pass_view view;
    pass_view(p, &view);
    return app_fail(app, err, view.diags);
}

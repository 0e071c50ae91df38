/* cmd_mock.c - the person's hand on the simulated cloud. */
#include "cmd/headgate/commands.h"
#include "cmd/headgate/output.h"
#include "reconciler/loop/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* The folder of the default path is made when it is missing, as an apply does. */
static enum err_code make_folder(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) return ERR_OK;
    char folder[4096];
    int n = snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    if (n < 0 || (size_t)n >= sizeof folder) return err_set(err, ERR_INPUT, "the path %s is too long", path);
    if (mkdir(folder, 0700) == 0 || errno == EEXIST) return ERR_OK;
    return err_set(err, ERR_IO, "cannot make the folder %s: %s", folder, strerror(errno));
}

static enum err_code open_mock(struct app *app, struct mock **out, struct err *err)
{
    struct mock_options options = {
        .path = app_mock_path(app), .region = app_text(app, FLAG_REGION), .seed = 1};
    enum err_code code = make_folder(options.path, err);
    return code == ERR_OK ? mock_open(&options, out, err) : code;
}

/* Prints what a command has put into 'out', or why it failed. */
static enum exit_code end(struct app *app, enum err_code code, const struct err *err, const struct buf *out)
{
    if (code != ERR_OK) return app_fail(app, err, NULL);
    if (out == NULL) return DONE_OK;
    if (!buf_ok(out)) return app_nomem(app);
    app_print(out);
    return DONE_OK;
}

enum exit_code cmd_mock_list(struct app *app)
{
    CLEANUP(mock_closep) struct mock *m = NULL;
    CLEANUP(buf_fini) struct buf out;
    struct err err = {0};
    buf_init(&out, OUTPUT_LIMIT);
    enum err_code code = open_mock(app, &m, &err);
    if (code == ERR_OK)
        code = mock_list(m, clock_now_unix_ms(), app->n_args == 0 ? NULL : app->args[0],
                         app_on(app, FLAG_JSON), &out, &err);
    return end(app, code, &err, &out);
}

enum exit_code cmd_mock_set(struct app *app)
{
    CLEANUP(mock_closep) struct mock *m = NULL;
    struct err err = {0};
    enum err_code code = open_mock(app, &m, &err);
    if (code == ERR_OK)
        code = mock_set(m, clock_now_unix_ms(), app->args[0], app->args + 1, app->n_args - 1, &err);
    return end(app, code, &err, NULL);
}

enum exit_code cmd_mock_delete(struct app *app)
{
    CLEANUP(mock_closep) struct mock *m = NULL;
    struct err err = {0};
    enum err_code code = open_mock(app, &m, &err);
    if (code == ERR_OK)
        code = mock_delete(m, clock_now_unix_ms(), app->args[0], app_on(app, FLAG_FORCE), &err);
    return end(app, code, &err, NULL);
}

enum exit_code cmd_mock_fail_next(struct app *app)
{
    CLEANUP(mock_closep) struct mock *m = NULL;
    struct err err = {0};
    enum err_code code = open_mock(app, &m, &err);
    if (code == ERR_OK)
        code = mock_fail_next(m, app->args[0], app->args[1], (unsigned)app_number(app, FLAG_COUNT, 1), &err);
    return end(app, code, &err, NULL);
}

enum exit_code cmd_mock_latency(struct app *app)
{
    CLEANUP(mock_closep) struct mock *m = NULL;
    struct err err = {0};
    if (!app_has(app, FLAG_SPEED) && !app_has(app, FLAG_LATENCY))
        return app_usage(app, "say how fast: --speed FACTOR, --latency MS or both");
    double speed = app->options.flags[FLAG_SPEED].real;
    if (app_has(app, FLAG_SPEED) && !(speed > 0)) return app_usage(app, "--speed must be more than 0");
    enum err_code code = open_mock(app, &m, &err);
    if (code == ERR_OK) code = mock_set_pace(m, speed, app_number(app, FLAG_LATENCY, -1), &err);
    return end(app, code, &err, NULL);
}

enum exit_code cmd_mock_option(struct app *app)
{
    CLEANUP(mock_closep) struct mock *m = NULL;
    struct err err = {0};
    enum err_code code = open_mock(app, &m, &err);
    if (code == ERR_OK) code = mock_set_option(m, app->args[0], app->args[1], &err);
    return end(app, code, &err, NULL);
}

enum exit_code cmd_mock_ledger(struct app *app)
{
    CLEANUP(mock_closep) struct mock *m = NULL;
    CLEANUP(buf_fini) struct buf out;
    struct err err = {0};
    buf_init(&out, OUTPUT_LIMIT);
    enum err_code code = open_mock(app, &m, &err);
    if (code == ERR_OK) code = mock_ledger(m, app_on(app, FLAG_CHANGES), app_on(app, FLAG_JSON), &out, &err);
    if (code == ERR_OK && app_on(app, FLAG_CLEAR)) code = mock_ledger_clear(m, &err);
    return end(app, code, &err, &out);
}

enum exit_code cmd_mock_reset(struct app *app)
{
    CLEANUP(mock_closep) struct mock *m = NULL;
    struct err err = {0};
    enum err_code code = open_mock(app, &m, &err);
    if (code == ERR_OK) code = mock_reset(m, &err);
    return end(app, code, &err, NULL);
}

/* ---- mock call ---- */

static enum err_code build_request(struct app *app, struct request *r, struct err *err)
{
    request_init(r, app->arena, app->args[0], app->args[1]);
    for (size_t i = 2; i < app->n_args; i++) {
        const char *arg = app->args[i], *equals = strchr(arg, '=');
        if (equals == NULL || equals == arg) return err_set(err, ERR_INPUT, "`%s` is not NAME=VALUE", arg);
        const char *name = arena_copy(app->arena, arg, (size_t)(equals - arg));
        if (name == NULL) return err_nomem(err);
        request_add(r, name, equals + 1);
    }
    return r->out_of_memory ? err_nomem(err) : ERR_OK;
}

/* Pretty when it is JSON, as it is when not. */
static void put_answer(struct buf *out, const struct mock_answer *answer)
{
    json_error_t why;
    json_t *tree = json_loadb(answer->body, answer->body_size, 0, &why);
    if (tree != NULL) {
        output_tree(out, tree, OUTPUT_JSON);
        return;
    }
    buf_put_escaped(out, (struct text){answer->body, answer->body_size});
    buf_putc(out, '\n');
}

static enum exit_code show_answer(struct app *app, const struct mock_answer *answer)
{
    struct err err = {0};
    if (answer->http_status == 0) {
        (void)err_set(&err, ERR_UNKNOWN, "the connection failed, as the fault script says; the call %s",
                      answer->fault == MOCK_LOST_ANSWER ? "took effect" : "had no effect");
        return app_fail(app, &err, NULL);
    }
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    put_answer(&out, answer);
    if (!buf_ok(&out)) return app_nomem(app);
    app_print(&out);
    return answer->http_status < 400 ? DONE_OK : DONE_ERROR;
}

enum exit_code cmd_mock_call(struct app *app)
{
    CLEANUP(mock_closep) struct mock *m = NULL;
    struct request request;
    struct mock_answer answer = {0};
    struct err err = {0};
    enum err_code code = build_request(app, &request, &err);
    if (code == ERR_OK) code = open_mock(app, &m, &err);
    if (code == ERR_OK) code = mock_call(m, clock_now_unix_ms(), &request, &answer, &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    enum exit_code shown = show_answer(app, &answer);
    free(answer.body);
    return shown;
}

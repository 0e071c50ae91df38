/* cmd_manifest.c - what works on manifests alone: validate, explain, schema, graph. */
#include "cmd/headgate/commands.h"
#include "cmd/headgate/say.h"
#include "reconciler/base/limits.h"
#include "reconciler/plan/graph.h"

#include <string.h>

/* Reads and checks; diagnostics go to 'diags', also those of reading. */
static enum err_code load(struct app *app, struct diags *diags, struct desired *out, struct err *err)
{
    struct source *sources;
    struct manifest_input input = {0};
    enum err_code code = app_read_sources(app, app->arena, diags, &sources, &input.n_sources, err);
    if (code == ERR_OK) code = app_variables(app, &input.variables, &input.n_variables, err);
    if (code != ERR_OK) return code;
    input.sources = sources;
    return manifest_load(app->arena, &input, diags, out, err);
}

/* With --json the diagnostics are the result, also of what cannot be read. */
static enum exit_code validate_json(struct app *app, struct diags *diags, enum err_code code,
                                    const struct err *err)
{
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    if (code != ERR_OK && diags->n_errors == 0)
        (void)diags_add(diags, SEVERITY_ERROR, (struct src_pos){0}, NULL, NULL, "%s", err->msg);
    struct err json_err = {0};
    if (diags_render_json(diags, &out, &json_err) != ERR_OK) return app_fail(app, &json_err, NULL);
    if (!buf_ok(&out)) return app_nomem(app);
    if (!text_ends_with(buf_text(&out), "\n")) buf_putc(&out, '\n');
    app_print(&out);
    return exit_code_of(code);
}

enum exit_code cmd_validate(struct app *app)
{
    struct diags diags;
    struct desired desired;
    struct err err = {0};
    diags_init(&diags, app->arena);
    enum err_code code = load(app, &diags, &desired, &err);
    if (app_on(app, FLAG_JSON)) return validate_json(app, &diags, code, &err);
    if (code != ERR_OK) return app_fail(app, &err, &diags);
    app_show_diags(app, &diags);
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    buf_puts(&out, app->color ? "\x1b[1;32mSuccess!\x1b[0m" : "Success!");
    buf_printf(&out, " The manifests are valid: %u resource%s in stack `", desired.n,
               desired.n == 1 ? "" : "s");
    buf_put_escaped(&out, desired.stack.name);
    buf_printf(&out, "`%s.\n", diags.n_warnings > 0 ? ", with warnings" : "");
    app_print(&out);
    return DONE_OK;
}

enum exit_code cmd_explain(struct app *app)
{
    CLEANUP(buf_fini) struct buf out;
    struct err err = {0};
    buf_init(&out, OUTPUT_LIMIT);
    enum err_code code = manifest_explain(text_of(app->n_args == 0 ? "" : app->args[0]), &out, &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    if (!buf_ok(&out)) return app_nomem(app);
    app_print(&out);
    return DONE_OK;
}

enum exit_code cmd_schema(struct app *app)
{
    CLEANUP(buf_fini) struct buf out;
    struct err err = {0};
    buf_init(&out, OUTPUT_LIMIT);
    enum err_code code = manifest_schema(&out, &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    if (!buf_ok(&out)) return app_nomem(app);
    if (!text_ends_with(buf_text(&out), "\n")) buf_putc(&out, '\n');
    app_print(&out);
    return DONE_OK;
}

static enum graph_format graph_format_of(const char *name)
{
    if (name == NULL || strcmp(name, "dot") == 0) return GRAPH_DOT;
    return strcmp(name, "svg") == 0 ? GRAPH_SVG : GRAPH_MERMAID;
}

static enum exit_code draw(struct app *app, const struct desired *desired, const struct plan *plan)
{
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    graph_render(&out, desired, plan, graph_format_of(app_text(app, FLAG_FORMAT)));
    if (!buf_ok(&out)) return app_nomem(app);
    app_print(&out);
    return DONE_OK;
}

static enum exit_code graph_with_plan(struct app *app)
{
    CLEANUP(pass_freep) struct pass *p = NULL;
    struct pass_options options;
    struct pass_view view;
    struct err err = {0};
    enum err_code code = app_pass_options(app, "graph", &options, &err);
    if (code == ERR_OK) code = app_open_pass(app, &options, &p, &err);
    if (code == ERR_OK) say_refreshing_aside(p, &options);
    if (code == ERR_OK) code = pass_plan(p, &err);
    if (code != ERR_OK) return app_fail_pass(app, p, &err);
    pass_view(p, &view);
    return draw(app, view.desired, view.plan);
}

enum exit_code cmd_graph(struct app *app)
{
    if (app_on(app, FLAG_PLAN)) return graph_with_plan(app);
    struct diags diags;
    struct desired desired;
    struct err err = {0};
    diags_init(&diags, app->arena);
    enum err_code code = load(app, &diags, &desired, &err);
    if (code != ERR_OK) return app_fail(app, &err, &diags);
    app_show_diags(app, &diags);
    return draw(app, &desired, NULL);
}

/* cmd_plan.c - plan, diff and drift: what would change, and what was changed. */
#include "cmd/headgate/commands.h"
#include "cmd/headgate/plan_file.h"
#include "cmd/headgate/say.h"
#include "reconciler/loop/clock.h"
#include "reconciler/plan/render.h"

#include <string.h>

/* Opens the pass and plans; says that the cloud is looked at, aside when 'quiet'. */
static enum err_code open_and_plan(struct app *app, struct pass_options *options, bool quiet, struct pass **p,
                                   struct err *err)
{
    enum err_code code = app_open_pass(app, options, p, err);
    if (code != ERR_OK) return code;
    if (quiet)
        say_refreshing_aside(*p, options);
    else
        say_refreshing(*p, options);
    return pass_plan(*p, err);
}

static enum exit_code print_plan_json(struct app *app, const struct pass_view *view,
                                      const struct unmanaged *unmanaged)
{
    CLEANUP(buf_fini) struct buf out;
    struct err err = {0};
    char now[CLOCK_RFC3339_SIZE];
    buf_init(&out, OUTPUT_LIMIT);
    enum err_code code =
        plan_render_json(&out, view->plan, unmanaged, clock_rfc3339(clock_now_unix_ms(), now), &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    if (!buf_ok(&out)) return app_nomem(app);
    if (!text_ends_with(buf_text(&out), "\n")) buf_putc(&out, '\n');
    app_print(&out);
    return DONE_OK;
}

static enum exit_code print_plan(struct app *app, const struct pass_view *view, const struct pass_options *o)
{
    if (app_on(app, FLAG_JSON)) return print_plan_json(app, view, NULL);
    struct render_options options = {.color = app->color,
                                     .concise = app_on(app, FLAG_CONCISE),
                                     .destroy = o->destroy,
                                     .saved_as = app_text(app, FLAG_OUT),
                                     .desired = view->desired};
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    plan_render(&out, view->plan, &options);
    if (!buf_ok(&out)) return app_nomem(app);
    app_print(&out);
    return DONE_OK;
}

enum exit_code cmd_plan(struct app *app)
{
    CLEANUP(pass_freep) struct pass *p = NULL;
    struct pass_options options;
    struct pass_view view;
    struct err err = {0};
    enum err_code code = app_pass_options(app, "plan", &options, &err);
    options.keep_sources = app_has(app, FLAG_OUT); /* for the file */
    if (code == ERR_OK) code = open_and_plan(app, &options, app_on(app, FLAG_JSON), &p, &err);
    if (code != ERR_OK) return app_fail_pass(app, p, &err);
    pass_view(p, &view);
    app_show_diags(app, view.diags);
    if (app_has(app, FLAG_OUT)) {
        code = plan_file_write(app_text(app, FLAG_OUT), p, &options, &err);
        if (code != ERR_OK) return app_fail(app, &err, NULL);
    }
    enum exit_code printed = print_plan(app, &view, &options);
    if (printed != DONE_OK) return printed;
    return app_on(app, FLAG_DETAILED_EXITCODE) && !plan_is_empty(view.plan) ? DONE_DIFFERENCES : DONE_OK;
}

/* kubectl diff keeps 1 for "differs": a failure is anything above. */
static enum exit_code above_one(enum exit_code code)
{
    return code == DONE_ERROR ? DONE_DIFFERENCES : code;
}

enum exit_code cmd_diff(struct app *app)
{
    CLEANUP(pass_freep) struct pass *p = NULL;
    struct pass_options options;
    struct pass_view view;
    struct err err = {0};
    enum err_code code = app_pass_options(app, "diff", &options, &err);
    if (code == ERR_OK) code = open_and_plan(app, &options, true, &p, &err);
    if (code != ERR_OK) return above_one(app_fail_pass(app, p, &err));
    pass_view(p, &view);
    app_show_diags(app, view.diags);
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    plan_render_diff(&out, view.plan, &(struct render_options){.color = app->color, .desired = view.desired});
    if (!buf_ok(&out)) return above_one(app_nomem(app));
    app_print(&out);
    return plan_is_empty(view.plan) ? DONE_OK : DONE_ERROR;
}

static enum exit_code print_drift(struct app *app, const struct pass_view *view,
                                  const struct unmanaged *unmanaged)
{
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    struct render_options options = {
        .color = app->color, .concise = app_on(app, FLAG_CONCISE), .desired = view->desired};
    plan_render_drift(&out, view->plan, unmanaged, &options);
    if (!buf_ok(&out)) return app_nomem(app);
    app_print(&out);
    return DONE_OK;
}

enum exit_code cmd_drift(struct app *app)
{
    CLEANUP(pass_freep) struct pass *p = NULL;
    struct pass_options options;
    struct pass_view view;
    struct err err = {0};
    struct unmanaged found = {0};
    bool json = app_on(app, FLAG_JSON);
    enum err_code code = app_pass_options(app, "drift", &options, &err);
    if (code == ERR_OK) code = open_and_plan(app, &options, json, &p, &err);
    if (code == ERR_OK && options.unmanaged) code = pass_unmanaged(p, &found.objects, &found.n, &err);
    if (code != ERR_OK) return app_fail_pass(app, p, &err);
    pass_view(p, &view);
    app_show_diags(app, view.diags);
    const struct unmanaged *unmanaged = options.unmanaged ? &found : NULL;
    enum exit_code printed =
        json ? print_plan_json(app, &view, unmanaged) : print_drift(app, &view, unmanaged);
    if (printed != DONE_OK) return printed;
    bool differs = view.plan->n_drifts > 0 || found.n > 0;
    return app_on(app, FLAG_DETAILED_EXITCODE) && differs ? DONE_DIFFERENCES : DONE_OK;
}

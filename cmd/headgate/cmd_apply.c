/* cmd_apply.c - apply and destroy: plan, show, ask, converge, sum up. */
#include "cmd/headgate/commands.h"
#include "cmd/headgate/event_json.h"
#include "cmd/headgate/plan_file.h"
#include "cmd/headgate/progress_view.h"
#include "cmd/headgate/say.h"
#include "reconciler/plan/render.h"

#include <string.h>

struct applying {
    struct app *app;
    struct pass_options options;
    const struct plan_file *saved; /* NULL: no saved plan */
    bool json;
};

/* ---- before ---- */

static enum exit_code show_plan(const struct applying *a, const struct pass_view *view)
{
    if (a->json) {
        event_plan(view->plan, "plan");
        return DONE_OK;
    }
    struct render_options options = {.color = a->app->color,
                                     .concise = app_on(a->app, FLAG_CONCISE),
                                     .saved = true,
                                     .destroy = a->options.destroy,
                                     .desired = view->desired};
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    plan_render(&out, view->plan, &options);
    if (!buf_ok(&out)) return app_nomem(a->app);
    app_print(&out);
    return DONE_OK;
}

static enum err_code ask(const struct applying *a, struct err *err)
{
    if (a->saved != NULL || app_is_approved(a->app)) return ERR_OK;
    if (a->json)
        return err_set(err, ERR_INPUT, "with --json nobody can be asked; to go ahead, use --auto-approve");
    return app_confirm(
        a->options.destroy
            ? "\nDo you really want to destroy all resources?\n"
              "  headgate will destroy everything that is shown above.\n"
              "  There is no undo. Only 'yes' will be accepted to confirm.\n\n  Enter a value: "
            : "\nDo you want to perform these actions?\n"
              "  headgate will perform the actions described above.\n"
              "  Only 'yes' will be accepted to approve.\n\n  Enter a value: ",
        err);
}

/* ---- after ---- */

static void put_counts(struct buf *out, const struct converge_summary *s, bool destroy)
{
    buf_puts(out, "Resources: ");
    if (s->n_adopted > 0) buf_printf(out, "%u adopted, ", s->n_adopted);
    if (destroy)
        buf_printf(out, "%u destroyed", s->n_destroyed);
    else
        buf_printf(out, "%u added, %u changed, %u destroyed", s->n_added, s->n_changed, s->n_destroyed);
    if (s->n_forgotten > 0) buf_printf(out, ", %u forgotten", s->n_forgotten);
    if (s->n_failed > 0) buf_printf(out, ", %u failed", s->n_failed);
    if (s->n_under_way > 0) buf_printf(out, ", %u left under way", s->n_under_way);
    if (s->n_skipped > 0) buf_printf(out, ", %u not tried", s->n_skipped);
    buf_puts(out, ".\n");
}

/* What a run that did not get through has left, and how to go on. */
static void put_rest(struct buf *out, const struct converge_summary *s)
{
    if (s->n_changing_calls == 0 && s->n_forgotten == 0)
        buf_puts(out, "Nothing was called: the cloud is as it was.\n");
    else if (s->unrecorded)
        buf_puts(out,
                 "Some of what was done could not be recorded. Nothing is lost: the next apply finds it in "
                 "the cloud and goes on from there.\n");
    else
        buf_puts(out, "What was done is recorded; the next apply goes on from here.\n");
    if (s->n_under_way > 0)
        buf_puts(out,
                 "What is under way the cloud may still carry out: the next apply looks before it calls.\n");
}

static void say_end(const struct applying *a, const struct converge_summary *s, bool complete)
{
    const char *what = a->options.destroy ? "Destroy" : "Apply";
    if (a->json) {
        event_summary(s, a->options.destroy ? "destroy" : "apply");
        return;
    }
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    const char *end = complete ? "complete!" : s->interrupted ? "interrupted." : "failed.";
    const char *paint = !a->app->color ? "" : complete ? "\x1b[1;32m" : "\x1b[1;31m";
    buf_printf(&out, "\n%s%s %s%s ", paint, what, end, a->app->color ? "\x1b[0m" : "");
    put_counts(&out, s, a->options.destroy);
    if (!complete) put_rest(&out, s);
    app_print(&out);
}

/* ---- apply ---- */

static enum exit_code converge(const struct applying *a, struct pass *p, bool quiet)
{
    struct progress_view view;
    progress_view_init(&view);
    view.json = a->json;
    view.color = a->app->color;
    view.live = a->app->live;
    view.quiet = quiet;
    struct pass_apply_options options = {.progress = progress_view_news,
                                         .tick = progress_view_tick,
                                         .ctx = &view,
                                         .trace_path = app_text(a->app, FLAG_TRACE),
                                         .user = app_user()};
    struct converge_summary summary = {0};
    struct err err = {0};
    if (!quiet && !a->json) app_puts("\n");
    enum err_code code = pass_apply(p, &options, &summary, &err);
    progress_view_end(&view);
    progress_view_fini(&view);
    if (!quiet) say_end(a, &summary, code == ERR_OK);
    return code == ERR_OK ? DONE_OK : app_fail(a->app, &err, NULL);
}

/* Nothing to change: what is only read is recorded all the same, and the intents of a run that died are
 * settled.
 */
static enum exit_code finish_without_changes(const struct applying *a, struct pass *p,
                                             const struct pass_view *view)
{
    bool settles = view->plan->n_read > 0 || view->n_intents > 0;
    enum exit_code code = settles ? converge(a, p, true) : DONE_OK;
    if (code == DONE_OK) say_end(a, &(struct converge_summary){0}, true);
    return code;
}

static enum exit_code run(struct applying *a)
{
    struct app *app = a->app;
    CLEANUP(pass_freep) struct pass *p = NULL;
    struct pass_view view;
    struct err err = {0};
    a->options.lock = true;
    enum err_code code = app_open_pass(app, &a->options, &p, &err);
    if (code == ERR_OK && !a->json) {
        say_recovery(p);
        say_refreshing(p, &a->options);
    }
    if (code == ERR_OK) code = pass_plan(p, &err);
    if (code == ERR_OK && a->saved != NULL) code = plan_file_compare(a->saved, p, &err);
    if (code != ERR_OK) return app_fail_pass(app, p, &err);
    pass_view(p, &view);
    app_show_diags(app, view.diags);
    enum exit_code shown = a->saved != NULL && !a->json ? DONE_OK : show_plan(a, &view);
    if (shown != DONE_OK) return shown;
    if (plan_is_empty(view.plan)) return finish_without_changes(a, p, &view);
    code = ask(a, &err);
    if (code == ERR_CANCELED) { /* an answer, not an error */
        app_puts(a->options.destroy ? "Destroy cancelled.\n" : "Apply cancelled.\n");
        return DONE_CANCELED;
    }
    return code == ERR_OK ? converge(a, p, false) : app_fail(app, &err, NULL);
}

/* `apply PLANFILE`: everything that decides what is done is in the file; only how it is done may be said. */
static enum exit_code apply_saved(struct applying *a)
{
    struct app *app = a->app;
    uint64_t allowed = FLAG_BIT(FLAG_STATE) | FLAG_BIT(FLAG_MOCK) | FLAG_BIT(FLAG_NO_COLOR) |
                       FLAG_BIT(FLAG_LOCK_TIMEOUT) | FLAG_BIT(FLAG_PARALLELISM) |
                       FLAG_BIT(FLAG_AUTO_APPROVE) | FLAG_BIT(FLAG_JSON) | FLAG_BIT(FLAG_TRACE) |
                       FLAG_BIT(FLAG_CONCISE);
    for (unsigned f = 0; f < N_FLAGS; f++)
        if ((app->options.given & ~allowed & FLAG_BIT(f)) != 0)
            return app_usage(app,
                             "--%s cannot be given with a saved plan: it was fixed when the plan was made",
                             flag_name((enum flag)f));
    struct plan_file file;
    struct err err = {0};
    enum err_code code = plan_file_read(app->args[0], app->arena, &file, &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    struct pass_options *o = &a->options;
    const struct pass_options *f = &file.options;
    o->sources = f->sources, o->n_sources = f->n_sources;
    o->variables = f->variables, o->n_variables = f->n_variables;
    o->targets = f->targets, o->n_targets = f->n_targets;
    o->excludes = f->excludes, o->n_excludes = f->n_excludes;
    o->replaces = f->replaces, o->n_replaces = f->n_replaces;
    o->stack = f->stack;
    o->destroy = f->destroy;
    o->prune = f->prune;
    o->allow_empty = f->allow_empty;
    o->refresh = f->refresh;
    a->saved = &file;
    app->n_args = 0;
    return run(a);
}

static enum exit_code begin(struct app *app, bool destroy)
{
    struct applying a = {.app = app, .json = app_on(app, FLAG_JSON)};
    struct err err = {0};
    app->json_events = a.json;
    if (a.json) event_version();
    enum err_code code = app_pass_options(app, destroy ? "destroy" : "apply", &a.options, &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    a.options.destroy = destroy;
    if (!destroy && app->n_args == 1 && plan_file_is(app->args[0])) return apply_saved(&a);
    return run(&a);
}

enum exit_code cmd_apply(struct app *app)
{
    return begin(app, false);
}

enum exit_code cmd_destroy(struct app *app)
{
    return begin(app, true);
}

/* cmd_rebuild.c - records for what exists already: import, and state rebuild. */
#include "cmd/headgate/commands.h"
#include "cmd/headgate/say.h"
#include "cmd/headgate/state_access.h"

/* ---- import ---- */

/* Of the stack that -f, --stack or the state name. */
static enum err_code choose_stack(struct app *app, struct pass_options *options, struct err *err)
{
    if (app_has(app, FLAG_FILE) || options->stack != NULL) return ERR_OK;
    CLEANUP(store_closep) struct store *s = NULL;
    struct text stack;
    enum err_code code = state_open(app, STORE_READ_ONLY, false, &s, err);
    if (code == ERR_OK) code = state_stack(app, s, &stack, err);
    if (code != ERR_OK) return code;
    options->stack = arena_copy(app->arena, stack.ptr, stack.len);
    return options->stack == NULL ? err_nomem(err) : ERR_OK;
}

enum exit_code cmd_import(struct app *app)
{
    CLEANUP(pass_freep) struct pass *p = NULL;
    const char *id = app->args[1];
    char address[RESOURCE_ADDRESS_SIZE];
    struct pass_options options;
    enum kind kind;
    struct text name;
    struct err err = {0};
    enum err_code code = state_new_address(app->args[0], &kind, &name, &err);
    app->n_args = 0; /* they are no manifests */
    if (code == ERR_OK) code = app_pass_options(app, "import", &options, &err);
    if (code == ERR_OK) code = choose_stack(app, &options, &err);
    if (code == ERR_OK) {
        options.lock = true;
        options.unmanaged = true; /* what is to be imported is nobody's yet */
        code =
            app_has(app, FLAG_FILE) ? app_open_pass(app, &options, &p, &err) : pass_open(&options, &p, &err);
    }
    if (code == ERR_OK) say_refreshing(p, &options);
    if (code == ERR_OK) code = pass_import(p, kind, name, id, &err);
    if (code != ERR_OK) return app_fail_pass(app, p, &err);
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    buf_put_escaped(&out, text_of(address_format(kind, name, address)));
    buf_puts(&out, ": Import complete [id=");
    buf_put_escaped(&out, text_of(id));
    buf_puts(&out, "]\n");
    app_print(&out);
    return DONE_OK;
}

/* ---- state rebuild ---- */

/* What a plan would still change is left out of the second pass, so that the rest, which is only read, can be
 * recorded without a changing call. */
struct left_over {
    struct text *addresses;
    const char **actions;
    size_t n;
};

static enum err_code collect(struct app *app, const struct plan *plan, struct left_over *out, struct err *err)
{
    out->addresses = arena_array_of(app->arena, plan->n_changes, struct text);
    out->actions = arena_array_of(app->arena, plan->n_changes, const char *);
    if (out->addresses == NULL || out->actions == NULL) return err_nomem(err);
    for (uint32_t i = 0; i < plan->n_changes; i++) {
        const struct change *c = &plan->changes[i];
        char address[RESOURCE_ADDRESS_SIZE];
        if (c->action == ACTION_NONE || c->action == ACTION_READ) continue;
        struct text kept = arena_text(app->arena, text_of(address_format(c->kind, c->name, address)));
        if (kept.ptr == NULL) return err_nomem(err);
        out->addresses[out->n] = kept;
        out->actions[out->n++] = action_name(c->action);
    }
    return ERR_OK;
}

static void report(uint32_t n_records, const struct left_over *left)
{
    enum { SHOWN = 50 };
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    buf_printf(&out, "State rebuilt: %u resource%s recorded.\n", n_records, n_records == 1 ? "" : "s");
    if (left->n > 0) buf_printf(&out, "A plan would still change %zu:\n", left->n);
    for (size_t i = 0; i < left->n && i < SHOWN; i++) {
        buf_puts(&out, "  ");
        buf_put_escaped(&out, left->addresses[i]);
        buf_printf(&out, ": %s\n", left->actions[i]);
    }
    if (left->n > SHOWN) buf_printf(&out, "  and %zu more\n", left->n - SHOWN);
    app_print(&out);
}

/* Opens and plans without what is left over. */
static enum err_code plan_again(struct app *app, struct pass_options *options, const struct left_over *left,
                                struct pass **p, struct err *err)
{
    options->excludes = left->addresses;
    options->n_excludes = left->n;
    enum err_code code = app_open_pass(app, options, p, err);
    return code == ERR_OK ? pass_plan(*p, err) : code;
}

static enum exit_code record_all(struct app *app, struct pass *p, const struct left_over *left)
{
    struct pass_view view;
    struct err err = {0};
    pass_view(p, &view);
    if (!plan_is_empty(view.plan)) {
        (void)err_set(&err, ERR_CONFLICT, "the cloud changes while it is looked at; try again");
        return app_fail(app, &err, NULL);
    }
    struct pass_apply_options apply = {.user = app_user()};
    struct converge_summary summary = {0};
    enum err_code code = view.plan->n_read > 0 ? pass_apply(p, &apply, &summary, &err) : ERR_OK;
    struct records records;
    if (code == ERR_OK) code = store_records(view.store, view.stack, NULL, app->arena, &records, &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    report(records.n, left);
    return DONE_OK;
}

enum exit_code cmd_state_rebuild(struct app *app)
{
    CLEANUP(pass_freep) struct pass *p = NULL;
    struct pass_options options;
    struct left_over left = {0};
    struct pass_view view;
    struct err err = {0};
    enum err_code code = app_pass_options(app, "rebuild", &options, &err);
    if (code == ERR_OK) {
        options.lock = true;
        options.prune = PRUNE_NEVER; /* what is not in the manifests is no part of this */
        options.keep_sources = true; /* for the second pass */
        code = app_open_pass(app, &options, &p, &err);
    }
    if (code == ERR_OK) say_refreshing(p, &options);
    if (code == ERR_OK) code = pass_plan(p, &err);
    if (code != ERR_OK) return app_fail_pass(app, p, &err);
    pass_view(p, &view);
    code = collect(app, view.plan, &left, &err);
    if (code == ERR_OK && left.n > 0) {
        pass_free(TAKE(p));
        code = plan_again(app, &options, &left, &p, &err);
    }
    return code == ERR_OK ? record_all(app, p, &left) : app_fail_pass(app, p, &err);
}

/* cmd_status.c - what has happened: status, events, history. */
#include "cmd/headgate/commands.h"
#include "cmd/headgate/output.h"
#include "cmd/headgate/state_access.h"
#include "reconciler/loop/clock.h"

#include <string.h>

enum { DEFAULT_LIMIT = 50 };

/* Prints a tree or a table, as -o says; consumes the tree. 'nothing' is said instead of an empty table. */
static enum exit_code print_either(struct app *app, json_t *tree, const struct table *table,
                                   const char *nothing)
{
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    enum output_format format = output_format_of(app_text(app, FLAG_OUTPUT));
    if (format == OUTPUT_JSON || format == OUTPUT_YAML) {
        output_tree(&out, tree, format);
    } else {
        json_decref(tree);
        if (nothing != NULL)
            (void)fprintf(stderr, "%s\n", nothing); /* not a result */
        else
            table_render(table, &out);
    }
    if (!buf_ok(&out)) return app_nomem(app);
    app_print(&out);
    return DONE_OK;
}

static json_t *json_list(const char *key, json_t *items)
{
    return json_pack("{s:s, s:o}", "format_version", "1.0", key, items);
}

/* ---- runs ---- */

static json_t *json_of_run(const struct run_row *r)
{
    return json_pack("{s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I}, s:I}", "id",
                     (json_int_t)r->id, "operation", r->operation, "result", r->result, "user",
                     json_of_cstr(r->user), "started", json_of_time(r->started_unix_ms), "ended",
                     json_of_time(r->ended_unix_ms), "manifest_digest", json_of_cstr(r->manifest_digest),
                     "resources", "added", (json_int_t)r->n_added, "changed", (json_int_t)r->n_changed,
                     "destroyed", (json_int_t)r->n_destroyed, "failed", (json_int_t)r->n_failed, "calls",
                     (json_int_t)r->n_calls);
}

static void put_run(struct table *t, const struct run_row *r)
{
    char at[CLOCK_RFC3339_SIZE], took[AGE_SIZE];
    table_cellf(t, "%lld", (long long)r->id);
    table_cell(t, text_of(clock_rfc3339(r->started_unix_ms, at)));
    table_cell(
        t,
        text_of(r->ended_unix_ms == 0 ? "" : duration_format(r->ended_unix_ms - r->started_unix_ms, took)));
    table_cell(t, text_of(r->operation));
    table_cell(t, text_of(r->result));
    table_cellf(t, "%u added, %u changed, %u destroyed%s", r->n_added, r->n_changed, r->n_destroyed,
                r->n_failed > 0 ? ", some failed" : "");
    table_cellf(t, "%u", r->n_calls);
    table_cell(t, text_of(r->user));
}

/* ---- events ---- */

static json_t *json_of_event(const struct event_row *e)
{
    return json_pack("{s:I, s:o, s:I, s:o, s:o, s:o, s:o}", "seq", (json_int_t)e->seq, "at",
                     json_of_time(e->at_unix_ms), "run", (json_int_t)e->run, "address",
                     json_of_cstr(e->address), "type", json_of_cstr(e->type), "message",
                     json_of_cstr(e->message), "request_id", json_of_cstr(e->request_id));
}

static void put_event(struct table *t, const struct event_row *e)
{
    char at[CLOCK_RFC3339_SIZE];
    table_cell(t, text_of(clock_rfc3339(e->at_unix_ms, at)));
    table_cellf(t, "%lld", (long long)e->run);
    table_cell(t, text_of(e->type));
    table_cell(t, text_of(e->address));
    table_cell(t, text_of(e->message));
    table_cell(t, text_of(e->request_id));
}

/* Events of one run (0: all) and one address (NULL: all). With an address many are looked at, since it is
 * only here that the others are left out. */
static enum exit_code print_events(struct app *app, struct store *s, struct text stack, int64_t run,
                                   const char *address)
{
    static const char *const columns[] = {"TIME", "RUN", "TYPE", "ADDRESS", "MESSAGE", "REQUEST"};
    struct event_row *events;
    struct err err = {0};
    size_t n, shown = 0, limit = (size_t)app_number(app, FLAG_LIMIT, DEFAULT_LIMIT);
    enum err_code code = store_events(s, stack, run, address == NULL ? limit : STORE_KEEP_EVENTS, app->arena,
                                      &events, &n, &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    json_t *items = json_array();
    CLEANUP(table_freep) struct table *t = table_new(columns, N_ELEMENTS(columns));
    for (size_t i = 0; i < n && shown < limit; i++) {
        if (address != NULL && strcmp(events[i].address, address) != 0) continue;
        (void)json_array_append_new(items, json_of_event(&events[i]));
        put_event(t, &events[i]);
        shown++;
    }
    return print_either(app, json_list("events", items), t, shown == 0 ? "No events." : NULL);
}

static enum err_code open_stack(struct app *app, struct store **s, struct text *stack, struct err *err)
{
    enum err_code code = state_open(app, STORE_READ_ONLY, false, s, err);
    return code == ERR_OK ? state_stack(app, *s, stack, err) : code;
}

/* ERR_INPUT unless the state still knows this run. */
static enum err_code check_run(struct app *app, struct store *s, struct text stack, int64_t run,
                               struct err *err)
{
    struct run_row *runs;
    size_t n;
    enum err_code code = store_runs(s, stack, STORE_KEEP_RUNS, app->arena, &runs, &n, err);
    for (size_t i = 0; i < n && code == ERR_OK; i++)
        if (runs[i].id == run) return ERR_OK;
    if (code != ERR_OK) return code;
    return err_set(err, ERR_INPUT, "stack `" TEXT_FMT "` has no run %lld; `headgate history` lists them",
                   TEXT_ARG(stack), (long long)run);
}

enum exit_code cmd_events(struct app *app)
{
    CLEANUP(store_closep) struct store *s = NULL;
    struct text stack, name;
    enum kind kind;
    char address[RESOURCE_ADDRESS_SIZE];
    const char *only = NULL;
    struct err err = {0};
    enum err_code code = open_stack(app, &s, &stack, &err);
    if (code == ERR_OK && app->n_args == 1) {
        code = state_address(app->args[0], &kind, &name, &err);
        if (code == ERR_OK) only = address_format(kind, name, address);
    }
    if (code == ERR_OK && app_has(app, FLAG_RUN))
        code = check_run(app, s, stack, app_number(app, FLAG_RUN, 0), &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    return print_events(app, s, stack, app_number(app, FLAG_RUN, 0), only);
}

enum exit_code cmd_history(struct app *app)
{
    static const char *const columns[] = {"RUN",    "STARTED",   "TOOK",  "OPERATION",
                                          "RESULT", "RESOURCES", "CALLS", "USER"};
    CLEANUP(store_closep) struct store *s = NULL;
    struct text stack;
    struct run_row *runs;
    size_t n;
    int64_t run = 0;
    struct err err = {0};
    if (app->n_args == 1 && !text_to_i64(text_of(app->args[0]), 1, INT64_MAX, &run))
        return app_usage(app, "`%s` is not the number of a run", app->args[0]);
    enum err_code code = open_stack(app, &s, &stack, &err);
    if (code == ERR_OK && run != 0) code = check_run(app, s, stack, run, &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    if (run != 0) return print_events(app, s, stack, run, NULL);
    code =
        store_runs(s, stack, (size_t)app_number(app, FLAG_LIMIT, DEFAULT_LIMIT), app->arena, &runs, &n, &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    json_t *items = json_array();
    CLEANUP(table_freep) struct table *t = table_new(columns, N_ELEMENTS(columns));
    for (size_t i = 0; i < n; i++) {
        (void)json_array_append_new(items, json_of_run(&runs[i]));
        put_run(t, &runs[i]);
    }
    return print_either(app, json_list("runs", items), t, n == 0 ? "No runs." : NULL);
}

/* ---- status ---- */

struct stack_status {
    struct text name;
    struct records records;
    int64_t serial;
    struct lock_holder holder;
    bool held;
    struct intent *intents;
    size_t n_intents;
    struct run_row *last; /* NULL: none yet */
};

static enum err_code read_status(struct store *s, struct arena *a, struct stack_status *out, struct err *err)
{
    size_t n_runs = 0;
    enum err_code code = store_records(s, out->name, NULL, a, &out->records, err);
    if (code == ERR_OK) code = store_serial(s, out->name, &out->serial, err);
    if (code == ERR_OK) code = store_lock_holder(s, out->name, &out->holder, &out->held, err);
    if (code == ERR_OK) code = store_intents(s, out->name, a, &out->intents, &out->n_intents, err);
    if (code == ERR_OK) code = store_runs(s, out->name, 1, a, &out->last, &n_runs, err);
    if (code == ERR_OK && n_runs == 0) out->last = NULL;
    return code;
}

static json_t *json_of_status(const struct stack_status *s)
{
    json_t *lock = json_null();
    if (s->held)
        lock = json_pack("{s:o, s:o, s:o, s:o, s:I, s:o}", "id", json_of_cstr(s->holder.id), "operation",
                         json_of_cstr(s->holder.operation), "host", json_of_cstr(s->holder.host), "user",
                         json_of_cstr(s->holder.user), "pid", (json_int_t)s->holder.pid, "since",
                         json_of_time(s->holder.since_unix_ms));
    return json_pack("{s:o, s:I, s:I, s:I, s:o, s:o}", "stack", json_of_text(s->name), "resources",
                     (json_int_t)s->records.n, "serial", (json_int_t)s->serial, "open_intents",
                     (json_int_t)s->n_intents, "lock", lock, "last_run",
                     s->last == NULL ? json_null() : json_of_run(s->last));
}

static void put_status(struct table *t, const struct stack_status *s)
{
    char age[AGE_SIZE];
    table_cell(t, s->name);
    table_cellf(t, "%u", s->records.n);
    table_cellf(t, "%lld", (long long)s->serial);
    table_cellf(t, "%zu", s->n_intents);
    if (s->held)
        table_cellf(t, "%s by %s on %s, pid %lld", s->holder.operation, s->holder.user, s->holder.host,
                    (long long)s->holder.pid);
    else
        table_cell(t, TEXT("free"));
    if (s->last == NULL)
        table_cell(t, TEXT("none"));
    else
        table_cellf(t, "%s %s, %s ago", s->last->operation, s->last->result,
                    age_format(clock_now_unix_ms() - s->last->started_unix_ms, age));
}

enum exit_code cmd_status(struct app *app)
{
    static const char *const columns[] = {"STACK", "RESOURCES", "SERIAL", "OPEN-INTENTS", "LOCK", "LAST-RUN"};
    CLEANUP(store_closep) struct store *s = NULL;
    struct text *names, stack;
    size_t n;
    struct err err = {0};
    enum err_code code = state_open(app, STORE_READ_ONLY, false, &s, &err);
    if (code == ERR_OK && app_has(app, FLAG_STACK)) {
        code = state_stack(app, s, &stack, &err);
        names = &stack;
        n = 1;
    } else if (code == ERR_OK) {
        code = store_stacks(s, app->arena, &names, &n, &err);
    }
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    json_t *items = json_array();
    CLEANUP(table_freep) struct table *t = table_new(columns, N_ELEMENTS(columns));
    for (size_t i = 0; i < n && code == ERR_OK; i++) {
        struct stack_status status = {.name = names[i]};
        code = read_status(s, app->arena, &status, &err);
        if (code != ERR_OK) break;
        (void)json_array_append_new(items, json_of_status(&status));
        put_status(t, &status);
    }
    if (code != ERR_OK) {
        json_decref(items);
        return app_fail(app, &err, NULL);
    }
    return print_either(app, json_list("stacks", items), t,
                        n == 0 ? "The state is empty: nothing was applied yet." : NULL);
}

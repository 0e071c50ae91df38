/* cmd_state.c - the person's hand on the state: mv, rm, backup, verify, unlock. */
#include "cmd/headgate/commands.h"
#include "cmd/headgate/state_access.h"
#include "reconciler/loop/clock.h"

#include <string.h>
#include <unistd.h>

static void say(const char *before, const char *what, const char *after)
{
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    buf_puts(&out, before);
    buf_put_escaped(&out, text_of(what));
    buf_puts(&out, after);
    app_print(&out);
}

/* The end of a command that holds the lock: what failed first is told. */
static enum exit_code end(struct app *app, struct store *s, struct text stack, enum err_code code,
                          struct err *err)
{
    struct err closing = {0};
    if (s == NULL) return app_fail(app, err, NULL);
    enum err_code closed = state_close_locked(s, stack, &closing);
    if (code != ERR_OK) return app_fail(app, err, NULL);
    return closed == ERR_OK ? DONE_OK : app_fail(app, &closing, NULL);
}

/* ---- mv and rm ---- */

static enum err_code note(struct store *s, struct text stack, enum kind kind, struct text name,
                          const char *type, const char *message, bool forget, struct err *err)
{
    char address[RESOURCE_ADDRESS_SIZE];
    struct event_row event = {.at_unix_ms = clock_now_unix_ms(),
                              .address = address_format(kind, name, address),
                              .type = type,
                              .message = message,
                              .request_id = ""};
    struct write writes[] = {{.type = WRITE_EVENT, .event = &event},
                             {.type = WRITE_FORGET, .kind = kind, .name = name}};
    return store_write(s, stack, writes, forget ? 2 : 1, err);
}

enum exit_code cmd_state_mv(struct app *app)
{
    struct store *s = NULL;
    struct text stack = {0}, from, to;
    enum kind from_kind, to_kind;
    char from_address[RESOURCE_ADDRESS_SIZE], to_address[RESOURCE_ADDRESS_SIZE];
    struct err err = {0};
    enum err_code code = state_address(app->args[0], &from_kind, &from, &err);
    if (code == ERR_OK) code = state_new_address(app->args[1], &to_kind, &to, &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    (void)address_format(from_kind, from, from_address);
    (void)address_format(to_kind, to, to_address);
    code = state_open_locked(app, "state mv", &s, &stack, &err);
    if (code == ERR_OK) code = store_move(s, stack, from_kind, from, to_kind, to, &err);
    if (code == ERR_OK) code = note(s, stack, to_kind, to, "moved", from_address, false, &err);
    enum exit_code ended = end(app, s, stack, code, &err);
    if (ended == DONE_OK) say("Moved to ", to_address, ".\n");
    return ended;
}

/* Looks all of them up first: either all are forgotten or none. */
static enum err_code forget_all(struct app *app, struct store *s, struct text stack, struct err *err)
{
    struct records records;
    const struct record *r;
    char address[RESOURCE_ADDRESS_SIZE];
    enum err_code code = store_records(s, stack, NULL, app->arena, &records, err);
    for (size_t i = 0; i < app->n_args && code == ERR_OK; i++)
        code = state_find(&records, app->args[i], &r, err);
    for (size_t i = 0; i < app->n_args && code == ERR_OK; i++) {
        code = state_find(&records, app->args[i], &r, err);
        if (code == ERR_OK) code = note(s, stack, r->kind, r->name, "forgotten", r->id, true, err);
        if (code == ERR_OK)
            say("Forgot ", address_format(r->kind, r->name, address),
                "; the resource itself stays as it is.\n");
    }
    return code;
}

enum exit_code cmd_state_rm(struct app *app)
{
    struct store *s = NULL;
    struct text stack = {0};
    struct err err = {0};
    enum err_code code = state_open_locked(app, "state rm", &s, &stack, &err);
    if (code == ERR_OK) code = forget_all(app, s, stack, &err);
    return end(app, s, stack, code, &err);
}

/* ---- backup and verify ---- */

enum exit_code cmd_state_backup(struct app *app)
{
    CLEANUP(store_closep) struct store *s = NULL;
    struct err err = {0};
    enum err_code code = state_open(app, STORE_READ_ONLY, true, &s, &err);
    if (code == ERR_OK) code = store_backup(s, app->args[0], &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    say("Copied the state to ", app->args[0], ".\n");
    return DONE_OK;
}

enum exit_code cmd_state_verify(struct app *app)
{
    CLEANUP(store_closep) struct store *s = NULL;
    const char *report = "";
    struct err err = {0};
    enum err_code code = state_open(app, STORE_READ_ONLY, true, &s, &err);
    if (code == ERR_OK) code = store_verify(s, app->arena, &report, &err);
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    struct text rest = text_of(report == NULL ? "" : report), line;
    while (rest.len > 0 && text_cut(&rest, '\n', &line)) {
        buf_put_escaped(&out, line);
        buf_putc(&out, '\n');
    }
    app_print(&out);
    return code == ERR_OK ? DONE_OK : app_fail(app, &err, NULL);
}

/* ---- unlock ---- */

static enum err_code ask_to_break(const struct app *app, const struct lock_holder *h, struct err *err)
{
    char at[CLOCK_RFC3339_SIZE];
    if (app_is_approved(app)) return ERR_OK;
    CLEANUP(buf_fini) struct buf question;
    buf_init(&question, OUTPUT_LIMIT);
    buf_puts(&question, "Lock:\n  ID:        ");
    buf_put_escaped(&question, text_of(h->id));
    buf_puts(&question, "\n  Operation: ");
    buf_put_escaped(&question, text_of(h->operation));
    buf_puts(&question, "\n  Who:       ");
    buf_put_escaped(&question, text_of(h->user));
    buf_putc(&question, '@');
    buf_put_escaped(&question, text_of(h->host));
    buf_printf(&question, ", pid %lld\n  Since:     %s\n\n", (long long)h->pid,
               clock_rfc3339(h->since_unix_ms, at));
    buf_puts(&question,
             "Do you really want to break this lock?\n  When its holder still works, both will change "
             "the same resources.\n  Only 'yes' will be accepted to confirm.\n\n  Enter a value: ");
    return app_confirm(buf_str(&question), err);
}

enum exit_code cmd_unlock(struct app *app)
{
    CLEANUP(store_closep) struct store *s = NULL;
    struct text stack;
    struct lock_holder holder;
    bool held = false;
    struct err err = {0};
    enum err_code code = state_open(app, STORE_READ_WRITE, true, &s, &err);
    if (code == ERR_OK) code = state_stack(app, s, &stack, &err);
    if (code == ERR_OK) code = store_lock_holder(s, stack, &holder, &held, &err);
    if (code == ERR_OK && !held)
        code = err_set(&err, ERR_INPUT, "stack `" TEXT_FMT "` is not locked", TEXT_ARG(stack));
    if (code == ERR_OK && app->n_args == 1 && strcmp(app->args[0], holder.id) != 0)
        code = err_set(&err, ERR_INPUT, "stack `" TEXT_FMT "` is locked by %s, not by %s", TEXT_ARG(stack),
                       holder.id, app->args[0]);
    if (code == ERR_OK) code = ask_to_break(app, &holder, &err);
    /* By its id: another lock that came meanwhile is not the one that was asked about. */
    if (code == ERR_OK) code = store_break_lock(s, stack, holder.id, &err);
    if (code != ERR_OK) return app_fail(app, &err, NULL);
    say("The lock ", holder.id, " is broken.\n");
    return DONE_OK;
}

/* event_json.c - the events of `apply --json`. */
#include "cmd/headgate/event_json.h"

#include "cmd/headgate/output.h"
#include "cmd/headgate/wording.h"
#include "reconciler/loop/clock.h"

#include <string.h>

/* Sets the common keys and writes the line. Consumes 'e'. An event that finds no memory is lost: the exit
 * code tells what became of the apply. */
static void emit(const char *level, const char *message, const char *type, json_t *e)
{
    char at[CLOCK_RFC3339_SIZE];
    json_t *line =
        json_pack("{s:s, s:o, s:s, s:s, s:s}", "@level", level, "@message", json_of_cstr(message), "@module",
                  "headgate.ui", "@timestamp", clock_rfc3339_ms(clock_now_unix_ms(), at), "type", type);
    if (line != NULL && e != NULL && json_object_update(line, e) == 0) {
        char *text = json_dumps(line, JSON_COMPACT);
        if (text != NULL) {
            (void)printf("%s\n", text); /* main() looks at ferror() */
            (void)fflush(stdout);
        }
        free(text);
    }
    json_decref(line);
    json_decref(e);
}

void event_version(void)
{
    emit("info", "headgate " HEADGATE_VERSION, "version",
         json_pack("{s:s, s:s}", "headgate", HEADGATE_VERSION, "ui", EVENT_UI_VERSION));
}

static json_t *resource_of(enum kind kind, struct text name)
{
    char address[RESOURCE_ADDRESS_SIZE];
    return json_pack("{s:o, s:s, s:s, s:o}", "addr", json_of_cstr(address_format(kind, name, address)),
                     "module", "", "resource_type", kind_info(kind)->name, "resource_name",
                     json_of_text(name));
}

/* ---- the plan ---- */

/* Terraform's words; 'adopt' is its import. */
static const char *const action_words[N_ACTIONS] = {
    [ACTION_NONE] = "noop",     [ACTION_READ] = "read",       [ACTION_CREATE] = "create",
    [ACTION_UPDATE] = "update", [ACTION_REPLACE] = "replace", [ACTION_DELETE] = "delete",
    [ACTION_ADOPT] = "import",  [ACTION_FORGET] = "forget",
};

static const char *reason_word(enum reason r)
{
    static const char *const words[] = {
        [REASON_IMMUTABLE] = "cannot_update",
        [REASON_PARENT_REPLACED] = "replace_by_parent",
        [REASON_NOT_DESIRED] = "delete_because_no_resource_config",
        [REASON_GONE] = "gone",
        [REASON_ORPHAN] = "orphan_on_removal",
        [REASON_RENAMED] = "renamed",
        [REASON_OBSERVED_ONLY] = "observed_only",
        [REASON_REQUESTED] = "requested",
        [REASON_NEVER_MADE] = "never_made",
        [REASON_LEFT_BEHIND] = "delete_because_left_behind",
        [REASON_FAILED] = "tainted",
    };
    return (size_t)r < N_ELEMENTS(words) ? words[r] : NULL;
}

static void event_change(const struct change *c)
{
    char address[RESOURCE_ADDRESS_SIZE], message[RESOURCE_ADDRESS_SIZE + 64];
    json_t *change =
        json_pack("{s:o, s:s}", "resource", resource_of(c->kind, c->name), "action", action_words[c->action]);
    if (reason_word(c->reason) != NULL)
        (void)json_object_set_new(change, "reason", json_string(reason_word(c->reason)));
    if (c->moved_from.ptr != NULL)
        (void)json_object_set_new(change, "previous_resource", resource_of(c->kind, c->moved_from));
    (void)snprintf(message, sizeof message, "%s: Plan to %s", address_format(c->kind, c->name, address),
                   action_name(c->action));
    emit("info", message, "planned_change", json_pack("{s:o}", "change", change));
}

static void event_drift(const struct drift *d)
{
    char address[RESOURCE_ADDRESS_SIZE], message[RESOURCE_ADDRESS_SIZE + 64];
    (void)snprintf(message, sizeof message, "%s: Drift detected (%s)",
                   address_format(d->kind, d->name, address), d->observed == NULL ? "delete" : "update");
    emit("info", message, "resource_drift",
         json_pack("{s:{s:o, s:s}}", "change", "resource", resource_of(d->kind, d->name), "action",
                   d->observed == NULL ? "delete" : "update"));
}

static void summary(const char *message, uint32_t add, uint32_t change, uint32_t remove, uint32_t import,
                    uint32_t forget, const char *operation)
{
    emit("info", message, "change_summary",
         json_pack("{s:{s:I, s:I, s:I, s:I, s:I, s:s}}", "changes", "add", (json_int_t)add, "change",
                   (json_int_t)change, "remove", (json_int_t)remove, "import", (json_int_t)import, "forget",
                   (json_int_t)forget, "operation", operation));
}

void event_plan(const struct plan *p, const char *operation)
{
    for (uint32_t i = 0; i < p->n_drifts; i++) event_drift(&p->drifts[i]);
    for (uint32_t i = 0; i < p->n_changes; i++)
        if (p->changes[i].action != ACTION_NONE) event_change(&p->changes[i]);
    char message[160];
    (void)snprintf(message, sizeof message, "Plan: %u to add, %u to change, %u to destroy.", p->n_add,
                   p->n_change, p->n_destroy);
    summary(message, p->n_add, p->n_change, p->n_destroy, p->n_adopt, p->n_forget, operation);
}

/* ---- progress ---- */

static void event_failure(const struct change *c, const struct progress *news, const char *message)
{
    char address[RESOURCE_ADDRESS_SIZE];
    emit("error", message, "diagnostic",
         json_pack("{s:{s:s, s:o, s:o, s:o, s:o, s:o}}", "diagnostic", "severity", "error", "summary",
                   json_of_cstr(message), "detail", json_of_cstr(news->message), "address",
                   json_of_cstr(address_format(c->kind, c->name, address)), "code", json_of_cstr(news->code),
                   "request_id", json_of_cstr(news->request_id)));
}

void event_progress(const struct plan *p, const struct progress *news)
{
    static const char *const types[] = {
        [PROGRESS_STARTED] = "apply_start",  [PROGRESS_WAITING] = "apply_progress",
        [PROGRESS_RETRY] = "apply_progress", [PROGRESS_DONE] = "apply_complete",
        [PROGRESS_FAILED] = "apply_errored", [PROGRESS_SKIPPED] = "apply_errored",
    };
    const struct step *step = &p->steps[news->step];
    const struct change *c = &p->changes[step->change];
    CLEANUP(buf_fini) struct buf line;
    buf_init(&line, 1 << 20);
    wording_line(&line, p, news);
    json_t *hook =
        json_pack("{s:o, s:s}", "resource", resource_of(c->kind, c->name), "action", verb_name(step->verb));
    if (news->id[0] != '\0') {
        (void)json_object_set_new(hook, "id_key", json_string("id"));
        (void)json_object_set_new(hook, "id_value", json_of_cstr(news->id));
    }
    if (news->type != PROGRESS_STARTED)
        (void)json_object_set_new(hook, "elapsed_seconds", json_integer(news->elapsed_ms / 1000));
    if (news->status[0] != '\0') (void)json_object_set_new(hook, "status", json_of_cstr(news->status));
    bool failed = news->type == PROGRESS_FAILED;
    emit(failed ? "error" : "info", buf_str(&line), types[news->type], json_pack("{s:o}", "hook", hook));
    if (failed) event_failure(c, news, buf_str(&line));
}

void event_summary(const struct converge_summary *s, const char *operation)
{
    char message[200];
    (void)snprintf(message, sizeof message, "Resources: %u added, %u changed, %u destroyed.", s->n_added,
                   s->n_changed, s->n_destroyed);
    summary(message, s->n_added, s->n_changed, s->n_destroyed, s->n_adopted, s->n_forgotten, operation);
}

/* ---- diagnostics ---- */

void event_diag(const struct diag *d)
{
    const char *severity = d->severity == SEVERITY_ERROR ? "error" : "warning";
    json_t *e =
        json_pack("{s:s, s:o, s:o, s:o}", "severity", severity, "summary", json_of_cstr(d->summary), "detail",
                  json_of_cstr(d->help == NULL ? "" : d->help), "address", json_of_cstr(d->address));
    if (d->pos.line > 0)
        (void)json_object_set_new(e, "range",
                                  json_pack("{s:o, s:{s:I, s:I}}", "filename", json_of_cstr(d->pos.file),
                                            "start", "line", (json_int_t)d->pos.line, "column",
                                            (json_int_t)d->pos.column));
    emit(d->severity == SEVERITY_ERROR ? "error" : "warn", d->summary, "diagnostic",
         json_pack("{s:o}", "diagnostic", e));
}

void event_error(const char *message)
{
    emit("error", message, "diagnostic",
         json_pack("{s:{s:s, s:o, s:s}}", "diagnostic", "severity", "error", "summary", json_of_cstr(message),
                   "detail", ""));
}

/* notes.c - what is made durable, what people are told, and the trace. */
#include "reconciler/converge/engine.h"

#include <stdarg.h>
#include <string.h>

const char *keep(struct converge *c, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); /* cut when too long: for people */
    va_end(args);
    const char *kept = arena_strdup(c->arena, text);
    if (kept == NULL) c->out_of_memory = true;
    return kept == NULL ? "" : kept;
}

static struct note *add_note(struct converge *c, enum note_type type, enum kind kind, struct text name)
{
    if (c->n_notes == c->notes_capacity) {
        size_t capacity = MAX_OF(c->notes_capacity * 2, (size_t)16);
        struct note *grown = realloc(c->notes, capacity * sizeof *grown);
        if (grown == NULL) {
            c->out_of_memory = true;
            return NULL;
        }
        c->notes = grown;
        c->notes_capacity = capacity;
    }
    struct note *n = &c->notes[c->n_notes++];
    *n = (struct note){.type = type, .kind = kind, .name = name};
    return n;
}

void note_simple(struct converge *c, enum note_type type, enum kind kind, struct text name)
{
    (void)add_note(c, type, kind, name);
}

void note_again(struct converge *c, const struct record *r)
{
    struct note *n = add_note(c, NOTE_RECORD, r->kind, r->name);
    if (n != NULL) n->record = r;
}

struct text name_with(struct converge *c, const struct change *change, const char *suffix)
{
    return text_of(keep(c, TEXT_FMT "%s", TEXT_ARG(change->name), suffix));
}

/* The old entry of two stays recorded until it is gone. */
static void note_old(struct converge *c, const struct change *change)
{
    struct record *r = arena_new_of(c->arena, struct record);
    if (r == NULL) {
        c->out_of_memory = true;
        return;
    }
    *r = (struct record){.kind = change->kind,
                         .name = name_with(c, change, PLAN_OLD_SUFFIX),
                         .id = change->old->id,
                         .values = change->old->values,
                         .applied_unix_ms = c->now_unix_ms};
    note_again(c, r);
}

/* See PLAN_NEW_SUFFIX. */
static void note_tentative(struct converge *c, uint32_t s)
{
    const struct change *change = change_of(c, s);
    const struct run *run = &c->runs[s];
    uint8_t n = kind_info(change->kind)->n_fields;
    struct record *r = arena_new_of(c->arena, struct record);
    struct value *kept = arena_array_of(c->arena, n, struct value);
    if (r == NULL || kept == NULL) {
        c->out_of_memory = true;
        return;
    }
    for (uint8_t f = 0; f < n; f++)
        if (run->values[f].state == VALUE_SET) kept[f] = run->values[f];
    *r = (struct record){.kind = change->kind,
                         .name = name_with(c, change, PLAN_NEW_SUFFIX),
                         .id = "",
                         .values = kept,
                         .set_fields = run->set_fields,
                         .applied_unix_ms = c->now_unix_ms};
    note_again(c, r);
    c->tentative[step_of(c, s)->change] = true;
}

void note_intent(struct converge *c, uint32_t s, const struct request *r)
{
    const struct change *change = change_of(c, s);
    const struct run *run = &c->runs[s];
    struct note *n = add_note(c, NOTE_INTENT, change->kind, c->intent_names[step_of(c, s)->change]);
    if (n == NULL) return;
    n->verb = step_of(c, s)->verb;
    n->operation = r->operation;
    n->generation = run->generation;
    memcpy(n->token, run->token, sizeof n->token);
    memcpy(n->request_hash, run->request_hash, sizeof n->request_hash);
    if (n->verb == VERB_CREATE && run->observed == NULL && !kind_is_taggable(change->kind))
        note_tentative(c, s);
}

/* What the record keeps: set fields as applied, computed ones as observed. */
void note_record(struct converge *c, uint32_t change_index, const struct object *o,
                 const struct value *values, uint64_t set_fields)
{
    const struct change *change = &c->plan->changes[change_index];
    const struct kind_info *info = kind_info(change->kind);
    struct record *r = arena_new_of(c->arena, struct record);
    struct value *kept = arena_array_of(c->arena, info->n_fields, struct value);
    if (r == NULL || kept == NULL) {
        c->out_of_memory = true;
        return;
    }
    bool observed_only = change->desired != NULL && change->desired->lifecycle->management == MANAGE_OBSERVE;
    for (uint8_t f = 0; f < info->n_fields; f++) {
        bool set = (set_fields & (uint64_t)1 << f) != 0 && !observed_only;
        kept[f] = set ? values[f] : o->values[f];
        if (!set && info->fields[f].type == FIELD_MAP)
            kept[f] = (struct value){0}; /* others' tags are not ours to remember */
        if (kept[f].state == VALUE_UNKNOWN) kept[f] = (struct value){0};
    }
    *r = (struct record){
        .kind = change->kind,
        .name = change->name,
        .id = o->id,
        .values = kept,
        .set_fields = observed_only ? 0 : set_fields,
        .generation = c->generation_of[change_index],
        .incarnation = o->incarnation,
        .observed_only = observed_only,
        .applied_unix_ms = c->now_unix_ms,
        .prevent_destroy = change->desired != NULL && change->desired->lifecycle->prevent_destroy,
        .orphan_on_removal = change->desired != NULL && change->desired->lifecycle->orphan_on_removal};
    note_again(c, r);
    const struct object *old = change->old;
    if (old != NULL && strcmp(old->id, o->id) != 0 &&
        world_find(c->world, change->kind, text_of(old->id)) != NULL)
        note_old(c, change);
}

void note_event(struct converge *c, uint32_t change_index, const char *event, const char *message,
                const char *request_id)
{
    const struct change *change = &c->plan->changes[change_index];
    struct note *n = add_note(c, NOTE_EVENT, change->kind, change->name);
    if (n == NULL) return;
    n->event = event;
    n->message = message;
    n->request_id = request_id == NULL ? "" : request_id;
}

void tell(struct converge *c, uint32_t s, enum progress_type type, const char *message)
{
    struct run *run = &c->runs[s];
    run->told_ms = c->now_ms;
    if (c->n_progress == c->progress_capacity) {
        size_t capacity = MAX_OF(c->progress_capacity * 2, (size_t)16);
        struct progress *grown = realloc(c->progress, capacity * sizeof *grown);
        if (grown == NULL) {
            c->out_of_memory = true;
            return;
        }
        c->progress = grown;
        c->progress_capacity = capacity;
    }
    c->progress[c->n_progress++] =
        (struct progress){.type = type,
                          .step = s,
                          .elapsed_ms = run->started_ms == 0 ? 0 : c->now_ms - run->started_ms,
                          .id = run->id == NULL ? "" : run->id,
                          .status = run->status == NULL ? "" : run->status,
                          .code = run->code == NULL ? "" : run->code,
                          .message = message == NULL ? "" : message,
                          .request_id = run->request_id == NULL ? "" : run->request_id};
}

void trace(struct converge *c, uint32_t s, const char *fmt, ...)
{
    const struct change *change = change_of(c, s);
    char text[512], address[RESOURCE_ADDRESS_SIZE];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); /* cut when too long: for people */
    va_end(args);
    buf_printf(&c->trace, "[%lld] %s: %s: %s\n", (long long)c->now_ms,
               address_format(change->kind, change->name, address), verb_name(step_of(c, s)->verb), text);
}

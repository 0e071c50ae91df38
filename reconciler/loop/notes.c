/* notes.c - one write for each note. */
#include "reconciler/loop/notes.h"

#include <stdlib.h>
#include <string.h>

bool note_writes_reserve(struct note_writes *w, size_t n)
{
    if (n <= w->capacity) return true;
    struct write *items = realloc(w->items, n * sizeof *items);
    if (items != NULL) w->items = items;
    struct intent *intents = realloc(w->intents, n * sizeof *intents);
    if (intents != NULL) w->intents = intents;
    struct event_row *events = realloc(w->events, n * sizeof *events);
    if (events != NULL) w->events = events;
    char(*addresses)[RESOURCE_ADDRESS_SIZE] = realloc(w->addresses, n * sizeof *addresses);
    if (addresses != NULL) w->addresses = addresses;
    if (items == NULL || intents == NULL || events == NULL || addresses == NULL) return false;
    w->capacity = n;
    return true;
}

static const struct intent *fill_intent(struct note_writes *w, size_t k, const struct note *note, int64_t now)
{
    struct intent *i = &w->intents[k];
    *i = (struct intent){.kind = note->kind,
                         .name = note->name,
                         .verb = note->verb,
                         .operation = note->operation,
                         .generation = note->generation,
                         .since_unix_ms = now};
    memcpy(i->token, note->token, sizeof note->token);
    memcpy(i->request_hash, note->request_hash, sizeof note->request_hash);
    return i;
}

static const struct event_row *fill_event(struct note_writes *w, size_t k, const struct note *note,
                                          int64_t run, int64_t now)
{
    w->events[k] = (struct event_row){.at_unix_ms = now,
                                      .address = address_format(note->kind, note->name, w->addresses[k]),
                                      .run = run,
                                      .type = note->event,
                                      .message = note->message,
                                      .request_id = note->request_id};
    return &w->events[k];
}

bool note_writes_fill(struct note_writes *w, const struct note *notes, size_t n, int64_t run,
                      int64_t now_unix_ms)
{
    static const enum write_type types[] = {[NOTE_INTENT] = WRITE_INTENT,
                                            [NOTE_SETTLE] = WRITE_SETTLE_INTENT,
                                            [NOTE_RECORD] = WRITE_RECORD,
                                            [NOTE_FORGET] = WRITE_FORGET,
                                            [NOTE_EVENT] = WRITE_EVENT};
    if (!note_writes_reserve(w, n)) return false;
    for (size_t k = 0; k < n; k++) {
        const struct note *note = &notes[k];
        w->items[k] = (struct write){.type = types[note->type], .kind = note->kind, .name = note->name};
        if (note->type == NOTE_INTENT) w->items[k].intent = fill_intent(w, k, note, now_unix_ms);
        if (note->type == NOTE_RECORD) w->items[k].record = note->record;
        if (note->type == NOTE_EVENT) w->items[k].event = fill_event(w, k, note, run, now_unix_ms);
    }
    w->n = n;
    return true;
}

void note_writes_fini(struct note_writes *w)
{
    free(w->items);
    free(w->intents);
    free(w->events);
    free(w->addresses);
    *w = (struct note_writes){0};
}

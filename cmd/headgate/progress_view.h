/* progress_view.h - what is seen while a plan is carried out: one line per piece of news and, on a terminal,
 * a live view below them: what runs, what waits for what, how much is done and how long it will take. */
#pragma once

#include "reconciler/base/buf.h"
#include "reconciler/loop/pass.h"

struct progress_view {
    /* Set before. */
    bool json; /* events instead of lines */
    bool live; /* the terminal can be drawn on */
    bool color;
    bool quiet; /* records are written only: say nothing */
    /* Private to progress_view.c. */
    uint32_t lines; /* of the live view that are on the screen */
    bool told_interrupt;
    struct buf frame;
};

void progress_view_init(struct progress_view *v);
void progress_view_fini(struct progress_view *v);
/* For struct pass_apply_options; the view is their ctx. */
void progress_view_news(void *view, struct pass *p, const struct progress *news);
void progress_view_tick(void *view, struct pass *p);
/* Takes the live view off the screen. */
void progress_view_end(struct progress_view *v);

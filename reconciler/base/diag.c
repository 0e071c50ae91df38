/* diag.c - the list of diagnostics. */
#include "reconciler/base/diag.h"

#include "reconciler/base/limits.h"

#include <string.h>

void diags_init(struct diags *d, struct arena *arena)
{
    *d = (struct diags){.arena = arena};
}

struct diag *diags_add(struct diags *d, enum severity severity, struct src_pos pos, const char *address,
                       const char *help, const char *fmt, ...)
{
    if (severity == SEVERITY_ERROR)
        d->n_errors++;
    else
        d->n_warnings++;
    if (d->n >= LIMIT_DIAGNOSTICS) return NULL;
    char summary[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(summary, sizeof summary, fmt, args); /* cut when too long: by design */
    va_end(args);
    if (!arena_grow(d->arena, &d->items, sizeof *d->items, d->n, &d->capacity)) {
        d->out_of_memory = true;
        return NULL;
    }
    struct diag *item = &d->items[d->n++];
    *item = (struct diag){
        .severity = severity,
        .pos = pos,
        .address = arena_strdup(d->arena, address),
        .summary = arena_strdup(d->arena, summary),
        .help = arena_strdup(d->arena, help),
    };
    if (item->summary == NULL) {
        item->summary = "out of memory";
        d->out_of_memory = true;
    }
    return item;
}

static int compare(const struct diag *a, const struct diag *b)
{
    if ((a->pos.line == 0) != (b->pos.line == 0)) return a->pos.line == 0 ? 1 : -1;
    if (a->pos.line == 0) return 0;
    int order = strcmp(a->pos.file == NULL ? "" : a->pos.file, b->pos.file == NULL ? "" : b->pos.file);
    if (order != 0) return order;
    if (a->pos.line != b->pos.line) return a->pos.line < b->pos.line ? -1 : 1;
    if (a->pos.column != b->pos.column) return a->pos.column < b->pos.column ? -1 : 1;
    return 0;
}

void diags_sort(struct diags *d)
{
    /* At most LIMIT_DIAGNOSTICS items: insertion is stable and enough. */
    for (size_t i = 1; i < d->n; i++) {
        struct diag item = d->items[i];
        size_t k = i;
        for (; k > 0 && compare(&d->items[k - 1], &item) > 0; k--) d->items[k] = d->items[k - 1];
        d->items[k] = item;
    }
}

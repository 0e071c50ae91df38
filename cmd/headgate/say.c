/* say.c - short lines that commands share. */
#include "cmd/headgate/say.h"

#include "cmd/headgate/app.h"

#include <unistd.h>

void say_reading(const struct source *sources, size_t n)
{
    enum { MIB = 1 << 20 }; /* about 20 ms to load */
    size_t size = 0;
    for (size_t i = 0; i < n; i++) size += sources[i].bytes.len;
    if (size >= MIB) (void)fprintf(stderr, "Reading %.1f MiB of manifests...\n", (double)size / MIB);
}

static void put_refreshing(struct buf *out, struct pass *p)
{
    struct pass_view view;
    pass_view(p, &view);
    buf_put_escaped(out, view.stack);
    buf_puts(out, ": Refreshing state... [");
    buf_put_escaped(out, text_of(view.provider));
    buf_puts(out, ", ");
    buf_put_escaped(out, text_of(view.region));
    buf_puts(out, "]\n");
}

void say_refreshing(struct pass *p, const struct pass_options *options)
{
    if (!options->refresh) return;
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    put_refreshing(&out, p);
    app_print(&out);
}

void say_refreshing_aside(struct pass *p, const struct pass_options *options)
{
    if (!options->refresh || !isatty(STDERR_FILENO)) return;
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    put_refreshing(&out, p);
    (void)fputs(buf_str(&out), stderr); /* when standard error is lost there is nobody to tell */
}

void say_recovery(struct pass *p)
{
    struct pass_view view;
    pass_view(p, &view);
    CLEANUP(buf_fini) struct buf out;
    buf_init(&out, OUTPUT_LIMIT);
    if (view.took_over_lock) buf_puts(&out, "The lock of a process that has died was taken over.\n");
    if (view.n_intents > 0)
        buf_printf(&out, "%zu call%s of an earlier run %s not known to have ended: looking first.\n",
                   view.n_intents, view.n_intents == 1 ? "" : "s", view.n_intents == 1 ? "is" : "are");
    if (out.len > 0) app_print(&out);
}

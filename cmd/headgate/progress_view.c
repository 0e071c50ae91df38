/* progress_view.c - lines and the live view.
 *
 * A frame is built in memory and written at once: it first takes back the lines of the frame before it, then
 * puts what is to stay (news), then the view. Lines of the view are cut to the terminal's width, since one
 * that wraps could not be taken back. */
#include "cmd/headgate/progress_view.h"

#include "cmd/headgate/event_json.h"
#include "cmd/headgate/output.h"
#include "cmd/headgate/wording.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MAX_RUNNING = 8, MAX_WAITING = 4, DEFAULT_COLUMNS = 80, FRAME_LIMIT = 1 << 20 };

void progress_view_init(struct progress_view *v)
{
    *v = (struct progress_view){0};
    buf_init(&v->frame, FRAME_LIMIT);
}

void progress_view_fini(struct progress_view *v)
{
    buf_fini(&v->frame);
}

/* ---- frames ---- */

static void begin(struct progress_view *v)
{
    buf_reset(&v->frame);
    if (v->lines > 0) buf_printf(&v->frame, "\r\x1b[%uA\x1b[J", v->lines);
    v->lines = 0;
}

static void flush(struct progress_view *v)
{
    (void)fwrite(buf_str(&v->frame), 1, v->frame.len, stdout); /* main() looks at ferror() */
    (void)fflush(stdout);
}

void progress_view_end(struct progress_view *v)
{
    if (v->lines == 0) return;
    begin(v);
    flush(v);
}

static size_t columns(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return DEFAULT_COLUMNS;
    return size.ws_col;
}

/* Appends a line of the view, cut to 'width' characters. */
static void put_line(struct progress_view *v, const char *line, size_t width)
{
    size_t shown = 0, n = 0;
    while (line[n] != '\0' && shown + 1 < width) {
        n++;
        while (((unsigned char)line[n] & 0xc0) == 0x80) n++;
        shown++;
    }
    if (v->color) buf_puts(&v->frame, "\x1b[2m");
    buf_put(&v->frame, line, n);
    if (v->color) buf_puts(&v->frame, "\x1b[0m");
    buf_putc(&v->frame, '\n');
    v->lines++;
}

/* ---- the live view ---- */

struct tally {
    uint32_t done, failed, running, waiting;
    int64_t left_ms;
};

static bool is_running(enum step_state s)
{
    return s == STEP_LOOKING || s == STEP_INTENT || s == STEP_CALLING || s == STEP_SETTLING;
}

static struct tally count_steps(const struct plan *plan, const struct converge *engine, int64_t now_ms,
                                double time_scale)
{
    struct tally t = {0};
    for (uint32_t s = 0; s < plan->n_steps; s++) {
        enum step_state state = converge_step_state(engine, s);
        if (state == STEP_DONE || state == STEP_FAILED || state == STEP_SKIPPED) {
            t.done += state == STEP_DONE;
            t.failed += state != STEP_DONE;
            continue;
        }
        int64_t left = (int64_t)((double)plan->steps[s].path_ms * time_scale);
        if (is_running(state))
            t.running++, left -= now_ms - converge_step_started_ms(engine, s);
        else
            t.waiting++;
        t.left_ms = MAX_OF(t.left_ms, left);
    }
    return t;
}

static void address_of_step(const struct plan *plan, uint32_t s, struct buf *out)
{
    char address[RESOURCE_ADDRESS_SIZE];
    const struct change *c = &plan->changes[plan->steps[s].change];
    buf_put_escaped(out, text_of(address_format(c->kind, c->name, address)));
}

static void put_running(struct progress_view *v, const struct plan *plan, const struct converge *engine,
                        int64_t now_ms, size_t width)
{
    uint32_t shown = 0;
    for (uint32_t s = 0; s < plan->n_steps && shown < MAX_RUNNING; s++) {
        if (!is_running(converge_step_state(engine, s))) continue;
        shown++;
        char took[AGE_SIZE];
        const struct step *step = &plan->steps[s];
        int64_t started = converge_step_started_ms(engine, s);
        CLEANUP(buf_fini) struct buf line;
        buf_init(&line, 4096);
        buf_printf(&line, "  %-10s ", wording_doing(&plan->changes[step->change], step->verb));
        address_of_step(plan, s, &line);
        buf_printf(&line, "  %s  ", duration_format(started == 0 ? 0 : now_ms - started, took));
        buf_put_escaped(&line, text_of(converge_step_status(engine, s)));
        put_line(v, buf_str(&line), width);
    }
}

/* The first step before 's' that is not finished; UINT32_MAX when it waits for a slot or a key only. */
static uint32_t blocked_by(const struct plan *plan, const struct converge *engine, uint32_t s)
{
    const struct step *step = &plan->steps[s];
    for (uint32_t k = 0; k < step->n_after; k++)
        if (converge_step_state(engine, step->after[k].step) < STEP_DONE) return step->after[k].step;
    return UINT32_MAX;
}

static void put_waiting(struct progress_view *v, const struct plan *plan, const struct converge *engine,
                        size_t width)
{
    uint32_t shown = 0;
    for (uint32_t s = 0; s < plan->n_steps && shown < MAX_WAITING; s++) {
        enum step_state state = converge_step_state(engine, s);
        if (state != STEP_BLOCKED && state != STEP_WAITING) continue;
        shown++;
        CLEANUP(buf_fini) struct buf line;
        buf_init(&line, 4096);
        buf_puts(&line, "  waiting    ");
        address_of_step(plan, s, &line);
        uint32_t by = blocked_by(plan, engine, s);
        if (by != UINT32_MAX) {
            buf_puts(&line, "  for ");
            address_of_step(plan, by, &line);
        } else {
            buf_puts(&line, "  ");
            buf_put_escaped(&line, text_of(converge_step_status(engine, s)));
        }
        put_line(v, buf_str(&line), width);
    }
}

static void put_view(struct progress_view *v, struct pass *p)
{
    struct pass_view view;
    pass_view(p, &view);
    const struct converge *engine = pass_engine(p);
    int64_t now = pass_now_ms(p);
    size_t width = columns();
    double scale = view.plan->cloud->time_scale;
    struct tally t = count_steps(view.plan, engine, now, scale > 0 ? scale : 1);
    char left[AGE_SIZE], line[160];
    put_running(v, view.plan, engine, now, width);
    put_waiting(v, view.plan, engine, width);
    (void)snprintf(line, sizeof line, "%u of %u done, %u running, %u waiting%s%s", t.done, view.plan->n_steps,
                   t.running, t.waiting, t.left_ms >= 1000 ? ", about " : "",
                   t.left_ms >= 1000 ? duration_format(t.left_ms, left) : "");
    put_line(v, line, width);
}

/* ---- news ---- */

/* A word of colour for what went wrong, and for what is done. */
static const char *paint_of(const struct progress_view *v, enum progress_type type)
{
    if (!v->color) return "";
    if (type == PROGRESS_FAILED) return "\x1b[1;31m";
    if (type == PROGRESS_SKIPPED || type == PROGRESS_RETRY) return "\x1b[33m";
    return type == PROGRESS_DONE ? "\x1b[32m" : "";
}

void progress_view_news(void *view, struct pass *p, const struct progress *news)
{
    struct progress_view *v = view;
    struct pass_view pv;
    pass_view(p, &pv);
    if (v->quiet) return;
    if (v->json) {
        event_progress(pv.plan, news);
        return;
    }
    begin(v);
    const char *paint = paint_of(v, news->type);
    buf_puts(&v->frame, paint);
    wording_line(&v->frame, pv.plan, news);
    if (paint[0] != '\0') buf_puts(&v->frame, "\x1b[0m");
    buf_putc(&v->frame, '\n');
    if (v->live) put_view(v, p);
    flush(v);
}

void progress_view_tick(void *view, struct pass *p)
{
    struct progress_view *v = view;
    if (v->json || v->quiet) return;
    bool tell = pass_interrupted(p) && !v->told_interrupt;
    if (!v->live && !tell) return;
    begin(v);
    if (tell)
        buf_puts(&v->frame,
                 "Interrupt received. Finishing what is in flight, then stopping; a second interrupt "
                 "stops at once.\n");
    v->told_interrupt |= tell;
    if (v->live) put_view(v, p);
    flush(v);
}

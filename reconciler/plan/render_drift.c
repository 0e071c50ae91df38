/* render_drift.c - what changed outside of headgate, and which of it a plan puts back. */
#include "reconciler/plan/render_drift.h"

#include "reconciler/plan/render.h"

/* Changes are in the order of addresses. */
static const struct change *change_of(const struct plan *p, const struct drift *d)
{
    uint32_t low = 0, high = p->n_changes;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct change *c = &p->changes[middle];
        int order = address_compare(c->kind, c->name, d->kind, d->name);
        if (order == 0) return c;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool corrects_field(const struct change *c, uint8_t field)
{
    for (uint32_t i = 0; i < c->n_diffs; i++)
        if (c->diffs[i].field == field) return true;
    return false;
}

/* What becomes of it. 'n_corrected' of its fields are set again. The texts end in a participle, to be
 * followed by "by this plan". */
static const char *what_becomes(const struct drift *d, const struct change *c, uint32_t n_corrected)
{
    switch (c == NULL ? ACTION_NONE : c->action) {
    case ACTION_DELETE: return "destroyed";
    case ACTION_FORGET: return "forgotten";
    case ACTION_CREATE: return "created again";
    case ACTION_REPLACE: return "replaced";
    case ACTION_UPDATE:
    case ACTION_ADOPT:
        if (n_corrected == 0) break;
        return n_corrected == d->n_diffs ? "corrected" : "corrected in part";
    case ACTION_NONE:
    case ACTION_READ:
    case N_ACTIONS: break;
    }
    return "not corrected";
}

static void put_fate(struct buf *out, const struct plan *p, const struct drift *d, const char *by)
{
    const struct change *c = change_of(p, d);
    uint32_t n_corrected = 0;
    for (uint32_t i = 0; c != NULL && i < d->n_diffs; i++)
        n_corrected += corrects_field(c, d->diffs[i].field);
    if (d->detect_only)
        buf_puts(out, "(only reported: management: detect)");
    else
        buf_printf(out, "(%s by %s)", what_becomes(d, c, n_corrected), by);
}

static void put_drift(struct pen *pen, const struct plan *p, const struct drift *d, bool concise,
                      const char *by)
{
    struct buf *out = pen->out;
    const char *what = d->observed == NULL ? "has been deleted" : "has changed";
    if (concise) {
        pen_text_symbol(pen, d->observed == NULL ? "  -" : "  ~");
        buf_putc(out, ' ');
        render_address(out, d->kind, d->name);
        buf_printf(out, " %s ", what);
        put_fate(out, p, d, by);
        buf_putc(out, '\n');
        return;
    }
    buf_puts(out, "  ");
    if (pen->color) buf_puts(out, "\x1b[1m");
    buf_puts(out, "# ");
    render_address(out, d->kind, d->name);
    buf_printf(out, " %s", what);
    if (pen->color) buf_puts(out, "\x1b[0m");
    buf_puts(out, "\n  # ");
    put_fate(out, p, d, by);
    buf_putc(out, '\n');
    block_drift(pen, d);
    buf_putc(out, '\n');
}

void render_drift_block(struct pen *pen, const struct plan *p, bool concise, const char *by)
{
    buf_putc(pen->out, '\n');
    pen_puts(pen, INK_CYAN, "Note:");
    buf_puts(pen->out, " Objects have changed outside of headgate\n\n"
                       "These differ from what was last applied:\n\n");
    for (uint32_t i = 0; i < p->n_drifts; i++) put_drift(pen, p, &p->drifts[i], concise, by);
    if (concise) buf_putc(pen->out, '\n');
    buf_puts(pen->out, RENDER_RULE);
}

/* ---- headgate drift ---- */

static void put_unmanaged(struct pen *pen, const struct object *const *unmanaged, size_t n)
{
    struct buf *out = pen->out;
    if (n == 0) return;
    buf_puts(out, "\nIn VPCs of this stack, but in no manifest:\n");
    for (size_t i = 0; i < n; i++) {
        const struct object *o = unmanaged[i];
        const struct kind_info *info = kind_info(o->kind);
        buf_printf(out, "  ? %s ", info->name);
        buf_put_escaped(out, text_of(o->id));
        if (info->name_field != FIELD_NO && value_is_set(o->values[info->name_field])) {
            buf_putc(out, ' ');
            render_quoted(out, value_as_text(o->values[info->name_field]));
        }
        buf_putc(out, '\n');
    }
}

void plan_render_drift(struct buf *out, const struct plan *p, const struct unmanaged *unmanaged,
                       const struct render_options *options)
{
    CLEANUP(pen_fini) struct pen pen;
    if (!pen_init(&pen, out, options->color, p, options->desired)) {
        out->failed = true;
        return;
    }
    uint32_t n_deleted = 0;
    for (uint32_t i = 0; i < p->n_drifts; i++) n_deleted += p->drifts[i].observed == NULL;
    if (p->n_drifts > 0) render_drift_block(&pen, p, options->concise, "the next apply");
    if (unmanaged != NULL) put_unmanaged(&pen, unmanaged->objects, unmanaged->n);
    buf_putc(out, '\n');
    if (p->n_drifts == 0) {
        pen_puts(&pen, INK_GREEN, "No drift.");
        buf_puts(out, " What exists is as it was last applied.\n");
    } else {
        pen_puts(&pen, INK_BOLD, "Drift:");
        buf_printf(out, " %u changed, %u deleted outside of headgate.\n", p->n_drifts - n_deleted, n_deleted);
    }
    if (unmanaged != NULL) buf_printf(out, "Unmanaged: %zu.\n", unmanaged->n);
}

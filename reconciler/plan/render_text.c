/* render_text.c - a plan as people read it, in Terraform's wording. */
#include "reconciler/plan/render.h"

#include "reconciler/plan/render_block.h"
#include "reconciler/plan/render_drift.h"

enum { SHOWN_NAMES = 8, SHOWN_LEFT_OUT = 20 };

/* ---- one change ---- */

static const char *what_happens(const struct change *c)
{
    switch (c->action) {
    case ACTION_CREATE: return "will be created";
    case ACTION_UPDATE: return "will be updated in-place";
    case ACTION_REPLACE: return c->reason == REASON_REQUESTED ? "will be replaced" : "must be replaced";
    case ACTION_DELETE: return "will be destroyed";
    case ACTION_ADOPT: return c->n_diffs > 0 ? "will be adopted and updated in-place" : "will be adopted";
    case ACTION_FORGET: return "will be forgotten";
    case ACTION_READ: return "will be read";
    case ACTION_NONE:
    case N_ACTIONS: break;
    }
    return "stays as it is";
}

/* NULL: the change speaks for itself. */
static const char *const why[] = {
    [REASON_NONE] = NULL,
    [REASON_IMMUTABLE] = NULL,
    [REASON_PARENT_REPLACED] = "(because something that it lies in or needs is replaced)",
    [REASON_NOT_DESIRED] = "(because it is not in the manifests)",
    [REASON_DESTROY] = NULL,
    [REASON_GONE] = "(deleted outside of headgate)",
    [REASON_ORPHAN] = "(because it is not in the manifests; onRemoval: orphan leaves it in the cloud)",
    [REASON_RENAMED] = NULL,
    [REASON_OBSERVED_ONLY] = "(it was only observed; it stays in the cloud)",
    [REASON_REQUESTED] = "(because --replace asked for it)",
    [REASON_NEVER_MADE] = "(a run was interrupted before it was made)",
    [REASON_LEFT_BEHIND] = "(because it was left behind by a run that was interrupted)",
    [REASON_FAILED] = "(because the cloud failed to make it)",
};

static void put_affected(struct buf *out, const struct change *c)
{
    for (uint32_t i = 0; i < c->n_affected && i < SHOWN_NAMES; i++) {
        buf_puts(out, i == 0 ? " (" : ", ");
        render_address(out, KIND_VSWITCH, c->affected[i]);
    }
    if (c->n_affected > SHOWN_NAMES) buf_printf(out, " and %u more", c->n_affected - SHOWN_NAMES);
    if (c->n_affected > 0) buf_putc(out, ')');
}

static void put_header(struct pen *pen, const struct change *c)
{
    struct buf *out = pen->out;
    buf_puts(out, "  ");
    if (pen->color) buf_puts(out, "\x1b[1m");
    buf_puts(out, "# ");
    render_address(out, c->kind, c->name);
    buf_printf(out, " %s", what_happens(c));
    if ((c->action == ACTION_ADOPT || c->action == ACTION_FORGET)) {
        const char *id = c->observed != NULL ? c->observed->id : c->recorded != NULL ? c->recorded->id : "";
        buf_puts(out, " [id=");
        buf_put_escaped(out, text_of(id));
        buf_putc(out, ']');
    }
    if (pen->color) buf_puts(out, "\x1b[0m");
    buf_putc(out, '\n');
}

static void put_remarks(struct pen *pen, const struct change *c)
{
    struct buf *out = pen->out;
    ASSERT(c->reason < N_ELEMENTS(why));
    if (why[c->reason] != NULL) buf_printf(out, "  # %s\n", why[c->reason]);
    if (c->moved_from.ptr != NULL) {
        buf_puts(out, "  # (renamed from ");
        render_address(out, c->kind, c->moved_from);
        buf_puts(out, ")\n");
    }
    if (c->disruption != DISRUPTION_NONE) {
        buf_printf(out, "  # disruption: %s", disruption_name(c->disruption));
        put_affected(out, c);
        buf_putc(out, '\n');
    }
}

static void put_change(struct pen *pen, const struct change *c)
{
    put_header(pen, c);
    put_remarks(pen, c);
    block_change(pen, c);
    buf_putc(pen->out, '\n');
}

/* "  ~ Eip/eip1 (bandwidth, tags)" */
static void put_concise(struct pen *pen, const struct change *c)
{
    struct buf *out = pen->out;
    pen_symbol(pen, c);
    buf_putc(out, ' ');
    render_address(out, c->kind, c->name);
    for (uint32_t i = 0; i < c->n_diffs; i++) {
        buf_puts(out, i == 0 ? " (" : ", ");
        buf_puts(out, kind_info(c->kind)->fields[c->diffs[i].field].name);
    }
    if (c->n_diffs > 0) buf_putc(out, ')');
    if (c->moved_from.ptr != NULL) {
        buf_puts(out, ", renamed from ");
        render_address(out, c->kind, c->moved_from);
    }
    if (c->disruption != DISRUPTION_NONE) {
        buf_printf(out, ", disruption: %s", disruption_name(c->disruption));
        put_affected(out, c);
    }
    buf_putc(out, '\n');
}

/* ---- the parts around them ---- */

/* What only is read changes nothing and is counted alone. */
static bool is_listed(const struct change *c)
{
    return c->action != ACTION_NONE && c->action != ACTION_READ;
}

static void put_legend(struct pen *pen, const struct plan *p)
{
    static const struct {
        enum action action;
        bool create_first;
        const char *text;
    } rows[] = {
        {ACTION_ADOPT, false, "adopt (it exists already and becomes headgate's)"},
        {ACTION_CREATE, false, "create"},
        {ACTION_UPDATE, false, "update in-place (current -> planned)"},
        {ACTION_DELETE, false, "destroy"},
        {ACTION_REPLACE, false, "destroy and then create replacement"},
        {ACTION_REPLACE, true, "create replacement and then destroy"},
        {ACTION_FORGET, false, "forget (it stays in the cloud)"},
    };
    bool used[N_ELEMENTS(rows)] = {0};
    for (uint32_t i = 0; i < p->n_changes; i++)
        for (size_t r = 0; r < N_ELEMENTS(rows); r++)
            if (rows[r].action == p->changes[i].action &&
                (rows[r].action != ACTION_REPLACE || rows[r].create_first == p->changes[i].create_first))
                used[r] = true;
    buf_puts(pen->out,
             "\nheadgate compared the manifests with what exists and made the following plan. Resource\n"
             "actions are indicated with the following symbols:\n");
    for (size_t r = 0; r < N_ELEMENTS(rows); r++) {
        if (!used[r]) continue;
        pen_symbol(pen, &(struct change){.action = rows[r].action, .create_first = rows[r].create_first});
        buf_printf(pen->out, " %s\n", rows[r].text);
    }
    buf_puts(pen->out, "\nheadgate will perform the following actions:\n\n");
}

/* Everything that is destroyed or replaced, once more, where it is read last. */
static void put_losses(struct pen *pen, const struct plan *p)
{
    struct buf *out = pen->out;
    bool any = false;
    for (uint32_t i = 0; i < p->n_changes; i++) {
        const struct change *c = &p->changes[i];
        if (c->action != ACTION_DELETE && c->action != ACTION_REPLACE) continue;
        if (!any) pen_puts(pen, INK_BOLD, "Destroyed or replaced by this plan:");
        if (!any) buf_putc(out, '\n');
        any = true;
        pen_symbol(pen, c);
        buf_putc(out, ' ');
        render_address(out, c->kind, c->name);
        struct value address = {0};
        if (c->kind == KIND_EIP && c->observed != NULL) address = c->observed->values[EIP_ADDRESS];
        if (value_is_set(address)) {
            buf_puts(out, " (the address ");
            buf_put_escaped(out, value_as_text(address));
            buf_puts(out, " is lost for good)");
        } else if ((kind_info(c->kind)->flags & KIND_IRREVOCABLE) != 0) {
            buf_puts(out, " (cannot be had back)");
        }
        buf_putc(out, '\n');
    }
    if (any) buf_putc(out, '\n');
}

static void put_duration(struct buf *out, int64_t ms)
{
    long long s = (long long)(ms / 1000);
    if (s < 1)
        buf_puts(out, "less than a second");
    else if (s < 60)
        buf_printf(out, "about %llds", s);
    else if (s < 3600)
        buf_printf(out, "about %lldm%02llds", s / 60, s % 60);
    else
        buf_printf(out, "about %lldh%02lldm", s / 3600, s / 60 % 60);
}

static void put_totals(struct pen *pen, const struct plan *p)
{
    struct buf *out = pen->out;
    if (p->n_calls > 0) {
        buf_printf(out, "Estimated: %s%u changing API call%s, ", p->n_calls == 1 ? "" : "up to ", p->n_calls,
                   p->n_calls == 1 ? "" : "s");
        put_duration(out, p->critical_ms);
        buf_puts(out, ".\n");
    }
    pen_puts(pen, INK_BOLD, "Plan:");
    if (p->n_adopt > 0) buf_printf(out, " %u to adopt,", p->n_adopt);
    buf_printf(out, " %u to add, %u to change, %u to destroy", p->n_add, p->n_change, p->n_destroy);
    if (p->n_forget > 0) buf_printf(out, ", %u to forget", p->n_forget);
    buf_puts(out, ".\n");
}

static void put_left_out(struct pen *pen, const struct plan *p)
{
    struct buf *out = pen->out;
    if (p->n_left_out == 0) return;
    buf_putc(out, '\n');
    pen_puts(pen, INK_YELLOW, "Note:");
    buf_printf(out, " --target or --exclude left out %u resource%s with changes:\n", p->n_left_out,
               p->n_left_out == 1 ? "" : "s");
    for (uint32_t i = 0; i < p->n_left_out && i < SHOWN_LEFT_OUT; i++) {
        buf_puts(out, "  ");
        buf_put_escaped(out, p->left_out[i]);
        buf_putc(out, '\n');
    }
    if (p->n_left_out > SHOWN_LEFT_OUT) buf_printf(out, "  and %u more\n", p->n_left_out - SHOWN_LEFT_OUT);
}

static void put_no_changes(struct pen *pen, const struct plan *p, const struct render_options *options)
{
    bool only_detected = false;
    for (uint32_t i = 0; i < p->n_drifts; i++) only_detected |= p->drifts[i].detect_only;
    buf_putc(pen->out, '\n');
    pen_puts(pen, INK_GREEN, "No changes.");
    if (options->destroy)
        buf_puts(pen->out, " No objects need to be destroyed.\n");
    else if (p->n_left_out > 0)
        buf_puts(pen->out, " What was asked for matches the manifests.\n");
    else if (only_detected)
        buf_puts(pen->out, " What differs is only reported (management: detect).\n");
    else
        buf_puts(pen->out, " Your network matches the manifests.\n");
}

static void put_saved(struct pen *pen, const struct render_options *options)
{
    struct buf *out = pen->out;
    if (options->saved_as != NULL) {
        buf_puts(out, "\n" RENDER_RULE "\nSaved the plan to: ");
        buf_put_escaped(out, text_of(options->saved_as));
        buf_puts(out, "\n\nTo perform exactly these actions, run:\n    headgate apply ");
        render_quoted(out, text_of(options->saved_as));
        buf_putc(out, '\n');
    } else if (!options->saved) {
        buf_puts(out, "\n" RENDER_RULE
                      "\nNote: This plan was not saved (--out), so \"headgate apply\" cannot guarantee to "
                      "take exactly\nthese actions.\n");
    }
}

void plan_render(struct buf *out, const struct plan *p, const struct render_options *options)
{
    CLEANUP(pen_fini) struct pen pen;
    if (!pen_init(&pen, out, options->color, p, options->desired)) {
        out->failed = true;
        return;
    }
    if (p->n_drifts > 0) render_drift_block(&pen, p, options->concise, "this plan");
    if (plan_is_empty(p)) {
        put_no_changes(&pen, p, options);
        put_left_out(&pen, p);
        return;
    }
    put_legend(&pen, p);
    for (uint32_t i = 0; i < p->n_changes; i++)
        if (is_listed(&p->changes[i])) (options->concise ? put_concise : put_change)(&pen, &p->changes[i]);
    if (options->concise) buf_putc(out, '\n');
    put_losses(&pen, p);
    put_totals(&pen, p);
    put_left_out(&pen, p);
    put_saved(&pen, options);
}

/* plan_dump.c - see the header for the shapes. */
#include "tests/support/plan_dump.h"

static void put_address(struct buf *out, enum kind kind, struct text name)
{
    char address[RESOURCE_ADDRESS_SIZE];
    buf_puts(out, address_format(kind, name, address));
}

static void put_fields(struct buf *out, const struct change *c, bool only_forcing)
{
    const char *separator = "";
    for (uint32_t k = 0; k < c->n_diffs; k++) {
        const struct field_diff *d = &c->diffs[k];
        if (only_forcing && !d->forces_replace) continue;
        buf_printf(out, "%s%s%s", separator, kind_info(c->kind)->fields[d->field].name,
                   d->cause == DIFF_DRIFT ? " drift" : "");
        separator = ", ";
    }
}

static void put_reason(struct buf *out, const struct change *c)
{
    static const char *const words[] = {[REASON_NONE] = NULL,
                                        [REASON_IMMUTABLE] = NULL,
                                        [REASON_PARENT_REPLACED] = "parent replaced",
                                        [REASON_NOT_DESIRED] = NULL,
                                        [REASON_DESTROY] = NULL,
                                        [REASON_GONE] = "gone",
                                        [REASON_ORPHAN] = "orphan",
                                        [REASON_RENAMED] = NULL,
                                        [REASON_OBSERVED_ONLY] = "observed only",
                                        [REASON_REQUESTED] = "requested",
                                        [REASON_NEVER_MADE] = "never made",
                                        [REASON_LEFT_BEHIND] = "left behind",
                                        [REASON_FAILED] = "failed"};
    if (c->reason == REASON_IMMUTABLE) {
        buf_puts(out, " (");
        put_fields(out, c, true);
        buf_puts(out, ")");
    } else if (words[c->reason] != NULL) {
        buf_printf(out, " (%s)", words[c->reason]);
    }
}

static void put_change(struct buf *out, const struct change *c)
{
    static const char *const signs[N_ACTIONS] = {
        [ACTION_NONE] = "=",      [ACTION_READ] = "?",   [ACTION_CREATE] = "+", [ACTION_UPDATE] = "~",
        [ACTION_REPLACE] = "-/+", [ACTION_DELETE] = "-", [ACTION_ADOPT] = ">",  [ACTION_FORGET] = "x"};
    bool create_first = c->action == ACTION_REPLACE && c->create_first;
    buf_printf(out, "%s ", create_first ? "+/-" : signs[c->action]);
    put_address(out, c->kind, c->name);
    if (c->moved_from.ptr != NULL) {
        buf_puts(out, " from ");
        put_address(out, c->kind, c->moved_from);
    }
    if (c->n_diffs > 0 && (c->action == ACTION_UPDATE || c->action == ACTION_ADOPT)) {
        buf_puts(out, " ");
        put_fields(out, c, false);
    }
    put_reason(out, c);
    buf_puts(out, "\n");
}

static void put_drift(struct buf *out, const struct drift *d)
{
    buf_puts(out, "! ");
    put_address(out, d->kind, d->name);
    buf_puts(out, d->observed == NULL ? " deleted" : " ");
    for (uint32_t k = 0; k < d->n_diffs; k++)
        buf_printf(out, "%s%s", k == 0 ? "" : ", ", kind_info(d->kind)->fields[d->diffs[k].field].name);
    buf_puts(out, d->detect_only ? " (detect)\n" : "\n");
}

static void put_step(struct buf *out, const struct plan *p, const struct step *s)
{
    const struct change *c = &p->changes[s->change];
    buf_printf(out, "%s ", verb_name(s->verb));
    put_address(out, c->kind, c->name);
}

static void put_steps(struct buf *out, const struct plan *p)
{
    for (uint32_t s = 0; s < p->n_steps; s++) {
        put_step(out, p, &p->steps[s]);
        for (uint32_t k = 0; k < p->steps[s].n_after; k++) {
            const struct edge *e = &p->steps[s].after[k];
            buf_printf(out, "%s%s", k == 0 ? " after " : ", ", e->soft ? "~" : "");
            put_step(out, p, &p->steps[e->step]);
        }
        buf_puts(out, "\n");
    }
}

void plan_dump(struct buf *out, const struct plan *p, uint32_t flags)
{
    for (uint32_t k = 0; k < p->n_changes; k++)
        if ((p->changes[k].action == ACTION_READ) ? (flags & DUMP_READS) : (flags & DUMP_CHANGES))
            put_change(out, &p->changes[k]);
    for (uint32_t k = 0; k < p->n_drifts && (flags & DUMP_DRIFT); k++) put_drift(out, &p->drifts[k]);
    for (uint32_t k = 0; k < p->n_left_out && (flags & DUMP_CHANGES); k++)
        buf_printf(out, "left out: " TEXT_FMT "\n", TEXT_ARG(p->left_out[k]));
    if (flags & DUMP_STEPS) put_steps(out, p);
}

void diags_dump(struct buf *out, const struct diags *d)
{
    for (size_t k = 0; k < d->n; k++) {
        const struct diag *one = &d->items[k];
        buf_printf(out, "%s: %s%s%s\n", one->severity == SEVERITY_ERROR ? "error" : "warning",
                   one->address == NULL ? "" : one->address, one->address == NULL ? "" : ": ", one->summary);
    }
}

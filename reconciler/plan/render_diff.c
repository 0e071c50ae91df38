/* render_diff.c - a plan as unified differences, one hunk per resource: what is observed against what is
 * desired.
 *
 *   --- observed/Eip/eip1
 *   +++ desired/Eip/eip1
 *   @@ -1,2 +1,2 @@
 *    id: "eip-1"
 *   -bandwidth: 5
 *   +bandwidth: 10
 */
#include "reconciler/plan/render.h"

#include "reconciler/plan/render_block.h"

/* One hunk while it is written: its head needs the counts. */
struct hunk {
    struct pen *pen; /* writes to a buf of its own */
    uint32_t n_before, n_after;
};

static void begin_line(struct hunk *h, char sign)
{
    if (sign != '+') h->n_before++;
    if (sign != '-') h->n_after++;
    if (h->pen->color && sign != ' ') buf_puts(h->pen->out, sign == '+' ? "\x1b[32m" : "\x1b[31m");
    buf_putc(h->pen->out, sign);
}

static void end_line(struct hunk *h, char sign)
{
    if (h->pen->color && sign != ' ') buf_puts(h->pen->out, "\x1b[0m");
    buf_putc(h->pen->out, '\n');
}

static void put_scalar(struct hunk *h, char sign, const struct field *f, struct value v, bool later)
{
    begin_line(h, sign);
    buf_printf(h->pen->out, "%s: ", f->name);
    render_typed(h->pen->out, f->type, f->ref, v, &h->pen->names);
    if (later) buf_puts(h->pen->out, " (known after apply)");
    end_line(h, sign);
}

static void put_item(struct hunk *h, char sign, const struct field *f, struct value key, struct value v)
{
    struct buf *out = h->pen->out;
    begin_line(h, sign);
    buf_puts(out, f->type == FIELD_MAP ? "  " : "  - ");
    if (f->type == FIELD_MAP) {
        render_quoted(out, value_as_text(key));
        buf_puts(out, ": ");
    }
    render_typed(out, field_item_type(f->type), f->ref, v, &h->pen->names);
    end_line(h, sign);
}

static bool has_items(enum field_type type)
{
    return type == FIELD_MAP || type == FIELD_REF_LIST || type == FIELD_CIDR_LIST || type == FIELD_TEXT_LIST;
}

static void put_items(struct hunk *h, const struct change *c, uint8_t field, struct value before,
                      struct value after)
{
    const struct field *f = &kind_info(c->kind)->fields[field];
    bool had = value_is_set(before), has = value_is_set(after);
    char sign = had && has ? ' ' : had ? '-' : '+';
    begin_line(h, sign);
    buf_printf(h->pen->out, "%s:", f->name);
    end_line(h, sign);
    struct item_walk w = render_items_begin(c->kind, field, before, after, c);
    for (struct item_diff d; render_items_next(&w, &d);) {
        if (value_equal(field_item_type(f->type), d.before, d.after)) {
            put_item(h, ' ', f, d.key, d.after);
            continue;
        }
        if (d.before.state != VALUE_UNSET) put_item(h, '-', f, d.key, d.before);
        if (d.after.state != VALUE_UNSET) put_item(h, '+', f, d.key, d.after);
    }
}

/* Observed and desired value of one field; equal where the change leaves it alone. */
struct sides {
    struct value before, after;
    bool differs;
    bool later; /* 'after' is a name whose id is known after apply */
};

static struct sides sides_of(const struct change *c, uint8_t field)
{
    const struct kind_info *info = kind_info(c->kind);
    const struct field *f = &info->fields[field];
    struct sides s = {0};
    if (c->observed != NULL) s.before = c->observed->values[field];
    if (c->action == ACTION_CREATE) {
        s.after = render_shown(c, field, c->values == NULL ? (struct value){0} : c->values[field]);
        s.differs = s.after.state != VALUE_UNSET;
        s.before = (struct value){0};
        return s;
    }
    if (c->action == ACTION_DELETE) {
        s.differs = s.before.state != VALUE_UNSET;
        return s;
    }
    s.after = s.before;
    for (uint32_t i = 0; i < c->n_diffs; i++) {
        const struct field_diff *d = &c->diffs[i];
        if (d->field != field) continue;
        s = (struct sides){.before = d->before, .after = d->after, .differs = true};
        if (d->after.state == VALUE_UNSET) {
            s.after = field == info->tags_field ? value_list(NULL, 0) : render_initial(f);
        } else if (render_has_unknown(f->type, d->after)) {
            s.after = render_shown(c, field, d->after);
            s.later = s.after.state == VALUE_SET;
        }
    }
    if (!s.differs && c->action == ACTION_REPLACE && (f->flags & FIELD_COMPUTED) != 0 &&
        value_is_set(s.before)) {
        s.after = value_unknown();
        s.differs = true;
    }
    return s;
}

static void put_field(struct hunk *h, const struct change *c, uint8_t field)
{
    const struct field *f = &kind_info(c->kind)->fields[field];
    struct sides s = sides_of(c, field);
    if (f->type == FIELD_INLINE || (s.before.state == VALUE_UNSET && s.after.state == VALUE_UNSET)) return;
    bool known = !s.later && !render_has_unknown(f->type, s.before) && !render_has_unknown(f->type, s.after);
    if (has_items(f->type) && known) {
        put_items(h, c, field, s.before, s.after);
        return;
    }
    if (!s.differs) {
        put_scalar(h, ' ', f, s.before, false);
        return;
    }
    if (s.before.state != VALUE_UNSET) put_scalar(h, '-', f, s.before, false);
    if (s.after.state != VALUE_UNSET) put_scalar(h, '+', f, s.after, s.later);
}

static void put_id(struct hunk *h, const struct change *c)
{
    const char *id = c->observed == NULL ? NULL : c->observed->id;
    if (kind_info(c->kind)->id_prefix == NULL || id == NULL) return;
    bool goes = c->action == ACTION_DELETE || c->action == ACTION_REPLACE;
    begin_line(h, goes ? '-' : ' ');
    buf_puts(h->pen->out, "id: ");
    render_quoted(h->pen->out, text_of(id));
    end_line(h, goes ? '-' : ' ');
    if (c->action != ACTION_REPLACE) return;
    begin_line(h, '+');
    buf_puts(h->pen->out, "id: (known after apply)");
    end_line(h, '+');
}

static void put_file(struct pen *pen, const struct change *c, const char *sign, const char *side)
{
    if (pen->color) buf_puts(pen->out, "\x1b[1m");
    buf_printf(pen->out, "%s ", sign);
    if (side == NULL) {
        buf_puts(pen->out, "/dev/null");
    } else {
        buf_printf(pen->out, "%s/", side);
        render_address(pen->out, c->kind, c->name);
    }
    if (pen->color) buf_puts(pen->out, "\x1b[0m");
    buf_putc(pen->out, '\n');
}

static void put_hunk(struct pen *pen, const struct change *c, struct buf *body)
{
    struct buf *out = pen->out;
    buf_reset(body);
    pen->out = body;
    struct hunk h = {.pen = pen};
    put_id(&h, c);
    for (uint8_t f = 0; f < kind_info(c->kind)->n_fields; f++) put_field(&h, c, f);
    pen->out = out;
    put_file(pen, c, "---", c->action == ACTION_CREATE ? NULL : "observed");
    put_file(pen, c, "+++", c->action == ACTION_DELETE ? NULL : "desired");
    char head[64];
    (void)snprintf(head, sizeof head, "@@ -%d,%u +%d,%u @@", h.n_before > 0, h.n_before, h.n_after > 0,
                   h.n_after);
    pen_puts(pen, INK_CYAN, head);
    buf_putc(out, '\n');
    buf_put_text(out, buf_text(body));
    if (!buf_ok(body)) out->failed = true;
}

/* Adopting what is identical, forgetting and reading change nothing that exists. */
static bool differs(const struct change *c)
{
    switch (c->action) {
    case ACTION_CREATE:
    case ACTION_DELETE:
    case ACTION_UPDATE:
    case ACTION_REPLACE: return true;
    case ACTION_ADOPT: return c->n_diffs > 0;
    case ACTION_NONE:
    case ACTION_READ:
    case ACTION_FORGET:
    case N_ACTIONS: break;
    }
    return false;
}

void plan_render_diff(struct buf *out, const struct plan *p, const struct render_options *options)
{
    CLEANUP(pen_fini) struct pen pen;
    CLEANUP(buf_fini) struct buf body;
    buf_init(&body, out->limit);
    if (!pen_init(&pen, out, options->color, p, options->desired)) {
        out->failed = true;
        return;
    }
    for (uint32_t i = 0; i < p->n_changes; i++)
        if (differs(&p->changes[i])) put_hunk(&pen, &p->changes[i], &body);
}

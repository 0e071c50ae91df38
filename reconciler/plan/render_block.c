/* render_block.c - one resource of a plan, field by field, as Terraform lays it out. */
#include "reconciler/plan/render_block.h"

#include <string.h>

/* ---- pen ---- */

bool pen_init(struct pen *pen, struct buf *out, bool color, const struct plan *p,
              const struct desired *desired)
{
    *pen = (struct pen){.out = out, .color = color};
    buf_init(&pen->scratch, SIZE_MAX / 2);
    return render_names_init(&pen->names, p, desired);
}

void pen_fini(struct pen *pen)
{
    /* What could not be measured could not be written, either. */
    if (!buf_ok(&pen->scratch)) pen->out->failed = true;
    render_names_fini(&pen->names);
    buf_fini(&pen->scratch);
}

void pen_puts(struct pen *pen, enum ink ink, const char *s)
{
    static const char *const codes[N_INKS] = {
        [INK_NONE] = "",        [INK_BOLD] = "\x1b[1m",  [INK_GREEN] = "\x1b[32m", [INK_YELLOW] = "\x1b[33m",
        [INK_RED] = "\x1b[31m", [INK_CYAN] = "\x1b[36m", [INK_GREY] = "\x1b[90m",
    };
    bool colored = pen->color && ink != INK_NONE;
    if (colored) buf_puts(pen->out, codes[ink]);
    buf_puts(pen->out, s);
    if (colored) buf_puts(pen->out, "\x1b[0m");
}

static enum ink symbol_ink(char symbol)
{
    switch (symbol) {
    case '+': return INK_GREEN;
    case '~': return INK_YELLOW;
    case '-':
    case '.': return INK_RED;
    case '=':
    case '<': return INK_CYAN;
    default: return INK_NONE;
    }
}

void pen_text_symbol(struct pen *pen, const char *symbol)
{
    for (const char *s = symbol; *s != '\0'; s++) pen_puts(pen, symbol_ink(*s), (const char[]){*s, '\0'});
}

const char *change_symbol(const struct change *c)
{
    static const char *const symbols[N_ACTIONS] = {
        [ACTION_NONE] = "   ",    [ACTION_READ] = " <=",   [ACTION_CREATE] = "  +", [ACTION_UPDATE] = "  ~",
        [ACTION_REPLACE] = "-/+", [ACTION_DELETE] = "  -", [ACTION_ADOPT] = "  =",  [ACTION_FORGET] = "  .",
    };
    ASSERT(c->action < N_ACTIONS);
    return c->action == ACTION_REPLACE && c->create_first ? "+/-" : symbols[c->action];
}

void pen_symbol(struct pen *pen, const struct change *c)
{
    pen_text_symbol(pen, change_symbol(c));
}

/* ---- lines ---- */

struct line {
    char symbol;   /* ' ', '+', '-', '~' */
    uint8_t field; /* FIELD_NO: the id */
    bool forces_replace, drift;
    bool later; /* 'after' is the name of something whose id is known after apply */
    struct value before, after;
};

struct block {
    enum kind kind;
    const struct change *change; /* NULL for drift */
    struct line lines[65];       /* the id, and at most 64 fields */
    uint32_t n_lines, n_hidden;
};

static void add_line(struct block *b, struct line line)
{
    ASSERT(b->n_lines < N_ELEMENTS(b->lines));
    b->lines[b->n_lines++] = line;
}

static const struct field_diff *diff_of(const struct field_diff *diffs, uint32_t n, uint8_t field)
{
    for (uint32_t i = 0; i < n; i++)
        if (diffs[i].field == field) return &diffs[i];
    return NULL;
}

static void lines_of_id(struct block *b, const char *id, char symbol, struct value after)
{
    if (kind_info(b->kind)->id_prefix == NULL || id == NULL || id[0] == '\0') return;
    add_line(b, (struct line){.symbol = symbol, .field = FIELD_NO, .before = value_cstr(id), .after = after});
}

static void lines_of_create(struct block *b, const struct change *c)
{
    const struct kind_info *info = kind_info(c->kind);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        struct value v = render_shown(c, f, c->values == NULL ? (struct value){0} : c->values[f]);
        if (v.state == VALUE_UNSET && (info->fields[f].flags & FIELD_COMPUTED) != 0) v = value_unknown();
        if (v.state == VALUE_UNSET || info->fields[f].type == FIELD_INLINE) continue;
        add_line(b, (struct line){.symbol = '+', .field = f, .after = v});
    }
}

static void lines_of_delete(struct block *b, const char *id, const struct value *values)
{
    const struct kind_info *info = kind_info(b->kind);
    lines_of_id(b, id, '-', (struct value){0});
    for (uint8_t f = 0; f < info->n_fields; f++)
        if (values[f].state == VALUE_SET && info->fields[f].type != FIELD_INLINE)
            add_line(b, (struct line){.symbol = '-', .field = f, .before = values[f]});
}

static struct line line_of_diff(const struct block *b, const struct field_diff *d)
{
    const struct field *f = &kind_info(b->kind)->fields[d->field];
    struct line line = {.symbol = '~', .field = d->field, .before = d->before, .after = d->after};
    line.forces_replace = d->forces_replace;
    line.drift = b->change != NULL && d->cause == DIFF_DRIFT;
    if (b->change != NULL && d->after.state == VALUE_UNSET) {
        /* Tags of others stay, so that a mapping of tags never goes as a whole. */
        bool tags = d->field == kind_info(b->kind)->tags_field;
        line.after = tags ? value_list(NULL, 0) : render_initial(f);
    } else if (b->change != NULL && render_has_unknown(f->type, d->after)) {
        line.after = render_shown(b->change, d->field, d->after);
        line.later = line.after.state == VALUE_SET;
    }
    if (line.before.state == VALUE_UNSET)
        line.symbol = '+';
    else if (line.after.state == VALUE_UNSET)
        line.symbol = '-';
    return line;
}

/* What differs, and how much does not. */
static void lines_of_diffs(struct block *b, const struct field_diff *diffs, uint32_t n_diffs,
                           const struct value *observed, bool replaced)
{
    const struct kind_info *info = kind_info(b->kind);
    for (uint8_t f = 0; f < info->n_fields; f++) {
        const struct field_diff *d = diff_of(diffs, n_diffs, f);
        bool is_there = observed != NULL && observed[f].state == VALUE_SET;
        if (d != NULL)
            add_line(b, line_of_diff(b, d));
        else if (is_there && replaced && (info->fields[f].flags & FIELD_COMPUTED) != 0)
            add_line(b, (struct line){'~', f, .before = observed[f], .after = value_unknown()});
        else if (is_there && info->fields[f].type != FIELD_INLINE)
            b->n_hidden++;
    }
}

/* ---- writing ---- */

static const char *line_name(const struct block *b, const struct line *l)
{
    return l->field == FIELD_NO ? "id" : kind_info(b->kind)->fields[l->field].name;
}

static void put_hidden(struct pen *pen, size_t indent, uint32_t n, const char *what)
{
    if (n == 0) return;
    char text[64];
    (void)snprintf(text, sizeof text, "# (%u unchanged %s%s hidden)", n, what, n == 1 ? "" : "s");
    buf_fill(pen->out, ' ', indent);
    pen_puts(pen, INK_GREY, text);
    buf_putc(pen->out, '\n');
}

static void put_symbol(struct pen *pen, size_t indent, char symbol)
{
    buf_fill(pen->out, ' ', indent);
    pen_puts(pen, symbol_ink(symbol), (const char[]){symbol, '\0'});
    buf_putc(pen->out, ' ');
}

static void put_note(struct pen *pen, const struct line *l)
{
    if (!l->forces_replace && !l->drift) return;
    buf_putc(pen->out, ' ');
    if (l->forces_replace)
        pen_puts(pen, INK_RED, l->drift ? "# forces replacement, " : "# forces replacement");
    if (l->drift)
        pen_puts(pen, INK_GREY,
                 l->forces_replace ? "changed outside of headgate" : "# changed outside of headgate");
}

static size_t quoted_width(struct pen *pen, struct value v)
{
    buf_reset(&pen->scratch);
    render_quoted(&pen->scratch, value_as_text(v));
    return text_n_chars(buf_text(&pen->scratch));
}

/* The widest key of the items that differ. */
static size_t key_width(struct pen *pen, struct item_walk w)
{
    size_t width = 0;
    for (struct item_diff d; render_items_next(&w, &d);)
        if (!value_equal(FIELD_TEXT, d.before, d.after)) width = MAX_OF(width, quoted_width(pen, d.key));
    return width;
}

static void put_item(struct pen *pen, const struct field *f, const struct item_diff *d, size_t width)
{
    bool added = d->before.state == VALUE_UNSET, removed = d->after.state == VALUE_UNSET;
    put_symbol(pen, 10, added ? '+' : removed ? '-' : '~');
    if (f->type != FIELD_MAP) {
        render_typed(pen->out, field_item_type(f->type), f->ref, added ? d->after : d->before, &pen->names);
        buf_puts(pen->out, ",\n");
        return;
    }
    render_quoted(pen->out, value_as_text(d->key));
    buf_fill(pen->out, ' ', width - quoted_width(pen, d->key));
    buf_puts(pen->out, " = ");
    render_quoted(pen->out, value_as_text(added ? d->after : d->before));
    if (removed) buf_puts(pen->out, " -> null");
    if (!added && !removed) {
        buf_puts(pen->out, " -> ");
        render_quoted(pen->out, value_as_text(d->after));
    }
    buf_putc(pen->out, '\n');
}

static void put_items(struct pen *pen, const struct block *b, const struct line *l, const struct field *f)
{
    struct item_walk w = render_items_begin(b->kind, l->field, l->before, l->after, b->change);
    size_t width = f->type == FIELD_MAP ? key_width(pen, w) : 0;
    uint32_t n_hidden = 0;
    buf_putc(pen->out, f->type == FIELD_MAP ? '{' : '[');
    put_note(pen, l);
    buf_putc(pen->out, '\n');
    for (struct item_diff d; render_items_next(&w, &d);) {
        if (value_equal(field_item_type(f->type), d.before, d.after))
            n_hidden++;
        else
            put_item(pen, f, &d, width);
    }
    put_hidden(pen, 12, n_hidden, "element");
    buf_fill(pen->out, ' ', 8);
    buf_putc(pen->out, f->type == FIELD_MAP ? '}' : ']');
    if (l->symbol == '-') buf_puts(pen->out, " -> null");
    buf_putc(pen->out, '\n');
}

/* Lists and maps are told item by item, unless one side is not known yet or the list's order matters. */
static bool is_itemised(const struct line *l, const struct field *f)
{
    if (f->type != FIELD_MAP && f->type != FIELD_REF_LIST && f->type != FIELD_CIDR_LIST &&
        f->type != FIELD_TEXT_LIST)
        return false;
    if (l->later || render_has_unknown(f->type, l->before) || render_has_unknown(f->type, l->after))
        return false;
    if (l->before.n == 0 && l->after.n == 0) return false;
    return l->symbol != '~' || f->type == FIELD_MAP || (f->flags & FIELD_SET) != 0;
}

static void put_plain(struct pen *pen, const struct line *l, enum field_type type, enum kind ref)
{
    if (l->symbol != '+') render_typed(pen->out, type, ref, l->before, &pen->names);
    if (l->symbol == '~' || l->symbol == '-') buf_puts(pen->out, " -> ");
    if (l->symbol != ' ') {
        if (l->symbol == '-')
            buf_puts(pen->out, "null");
        else
            render_typed(pen->out, type, ref, l->after, &pen->names);
    }
    if (l->later) buf_puts(pen->out, " (known after apply)");
    put_note(pen, l);
    buf_putc(pen->out, '\n');
}

static void put_lines(struct pen *pen, const struct block *b)
{
    size_t width = 0;
    for (uint32_t i = 0; i < b->n_lines; i++) width = MAX_OF(width, strlen(line_name(b, &b->lines[i])));
    for (uint32_t i = 0; i < b->n_lines; i++) {
        const struct line *l = &b->lines[i];
        const char *name = line_name(b, l);
        put_symbol(pen, 6, l->symbol);
        buf_puts(pen->out, name);
        buf_fill(pen->out, ' ', width - strlen(name));
        buf_puts(pen->out, " = ");
        if (l->field == FIELD_NO) {
            put_plain(pen, l, FIELD_TEXT, KIND_NONE);
            continue;
        }
        const struct field *f = &kind_info(b->kind)->fields[l->field];
        if (is_itemised(l, f))
            put_items(pen, b, l, f);
        else
            put_plain(pen, l, f->type, f->ref);
    }
    put_hidden(pen, 8, b->n_hidden, "field");
}

static void put_block(struct pen *pen, const char *symbol, struct text name, const struct block *b)
{
    pen_text_symbol(pen, symbol);
    buf_printf(pen->out, " %s ", kind_info(b->kind)->name);
    render_quoted(pen->out, name);
    if (b->n_lines == 0 && b->n_hidden == 0) {
        buf_putc(pen->out, '\n');
        return;
    }
    buf_puts(pen->out, " {\n");
    put_lines(pen, b);
    buf_puts(pen->out, "    }\n");
}

static const char *object_id(const struct object *o, const struct record *r)
{
    return o != NULL ? o->id : r != NULL ? r->id : NULL;
}

void block_change(struct pen *pen, const struct change *c)
{
    struct block b = {.kind = c->kind, .change = c};
    const char *id = object_id(c->observed, c->recorded);
    const struct value *observed =
        c->observed != NULL ? c->observed->values : (c->recorded != NULL ? c->recorded->values : NULL);
    switch (c->action) {
    case ACTION_CREATE: lines_of_create(&b, c); break;
    case ACTION_DELETE:
        if (observed != NULL) lines_of_delete(&b, id, observed);
        break;
    case ACTION_UPDATE:
        lines_of_id(&b, id, ' ', (struct value){0});
        lines_of_diffs(&b, c->diffs, c->n_diffs, observed, false);
        break;
    case ACTION_REPLACE:
        lines_of_id(&b, id, '~', value_unknown());
        lines_of_diffs(&b, c->diffs, c->n_diffs, observed, true);
        break;
    case ACTION_ADOPT: lines_of_diffs(&b, c->diffs, c->n_diffs, observed, false); break;
    case ACTION_NONE:
    case ACTION_READ:
    case ACTION_FORGET:
    case N_ACTIONS: break;
    }
    put_block(pen, change_symbol(c), c->name, &b);
}

void block_drift(struct pen *pen, const struct drift *d)
{
    struct block b = {.kind = d->kind};
    if (d->observed == NULL) {
        if (d->recorded != NULL) lines_of_delete(&b, d->recorded->id, d->recorded->values);
    } else {
        lines_of_id(&b, d->observed->id, ' ', (struct value){0});
        lines_of_diffs(&b, d->diffs, d->n_diffs, NULL, false);
    }
    put_block(pen, d->observed == NULL ? "  -" : "  ~", d->name, &b);
}

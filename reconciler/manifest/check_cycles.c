/* check_cycles.c - references that come back to where they began.
 *
 * The kinds of today refer to each other in one direction, so no manifest can make a cycle; a new kind could.
 * The walk has its own stack: its depth is the input's. */
#include "reconciler/manifest/check.h"

#include "reconciler/base/buf.h"

enum color { WHITE, GREY, BLACK };

/* How far a resource on the path was looked through. */
struct step {
    uint32_t i, item;
    uint8_t field;
};

/* The next resource that the step's refers to; false when there are no more. */
static bool next_edge(const struct view *v, struct step *s, uint32_t *to)
{
    const struct resource *r = &v->d->items[s->i];
    const struct kind_info *info = kind_info(r->kind);
    for (; s->field < info->n_fields; s->field++, s->item = 0) {
        enum field_type type = info->fields[s->field].type;
        struct value x = r->values[s->field];
        if (x.state != VALUE_SET || (type != FIELD_REF && type != FIELD_REF_LIST)) continue;
        uint32_t n = type == FIELD_REF ? 1 : x.n;
        while (s->item < n) {
            struct value ref = type == FIELD_REF ? x : x.u.items[s->item];
            s->item++;
            if (ref.state == VALUE_SET && ref.form == REF_LOCAL) {
                *to = (uint32_t)ref.u.num;
                return true;
            }
        }
    }
    return false;
}

static void complain_cycle(struct view *v, const struct step *path, uint32_t depth, uint32_t to)
{
    CLEANUP(buf_fini) struct buf b;
    char address[RESOURCE_ADDRESS_SIZE];
    uint32_t first = depth - 1;
    while (path[first].i != to) first--;
    buf_init(&b, 900);
    for (uint32_t k = first; k < depth; k++) {
        const struct resource *r = &v->d->items[path[k].i];
        buf_printf(&b, "%s -> ", address_format(r->kind, r->name, address));
    }
    const struct resource *r = &v->d->items[to];
    buf_puts(&b, address_format(r->kind, r->name, address));
    COMPLAIN_OF(v, path[depth - 1].i, FIELD_NO, "remove one of these references",
                "references go in a circle: %s", buf_str(&b));
}

void check_cycles(struct view *v)
{
    uint32_t n = v->d->n;
    uint8_t *color = view_alloc(v, n, sizeof *color);
    struct step *path = view_alloc(v, n, sizeof *path);
    if (color == NULL || path == NULL) return;
    for (uint32_t start = 0; start < n; start++) {
        if (color[start] != WHITE) continue;
        uint32_t depth = 0, to;
        path[depth++] = (struct step){.i = start};
        color[start] = GREY;
        while (depth > 0) {
            if (!next_edge(v, &path[depth - 1], &to)) {
                color[path[--depth].i] = BLACK;
            } else if (color[to] == GREY) {
                complain_cycle(v, path, depth, to);
            } else if (color[to] == WHITE) {
                color[to] = GREY;
                path[depth++] = (struct step){.i = to};
            }
        }
    }
}

/* render_block.h - one resource of a plan, field by field. Private to render.
 *
 *   # Eip/eip1 will be updated in-place
 *   ~ Eip "eip1" {
 *         id        = "eip-1"
 *       ~ bandwidth = 5 -> 10
 *         # (4 unchanged fields hidden)
 *     }
 */
#pragma once

#include "reconciler/plan/render_value.h"

/* What the text is written with. */
struct pen {
    struct buf *out;
    bool color;
    struct render_names names;
    struct buf scratch; /* to measure in */
};

#define RENDER_RULE "─────────────────────────────────────────────────────────────────────────────\n"

enum ink { INK_NONE, INK_BOLD, INK_GREEN, INK_YELLOW, INK_RED, INK_CYAN, INK_GREY, N_INKS };

/* False when out of memory. Closed by pen_fini(). */
MUST_CHECK bool pen_init(struct pen *pen, struct buf *out, bool color, const struct plan *p,
                         const struct desired *desired);
void pen_fini(struct pen *pen); /* for CLEANUP(), too */
/* Text of ours between colour codes, when there is colour. */
void pen_puts(struct pen *pen, enum ink ink, const char *s);

/* The three columns in front of a change ("  ~", "-/+"), coloured. */
void pen_symbol(struct pen *pen, const struct change *c);
void pen_text_symbol(struct pen *pen, const char *symbol);

/* The block from its symbol to the closing brace. */
void block_change(struct pen *pen, const struct change *c);
void block_drift(struct pen *pen, const struct drift *d);

/* The symbol of a change, three columns wide, right-aligned: "  +", "-/+". */
const char *change_symbol(const struct change *c);

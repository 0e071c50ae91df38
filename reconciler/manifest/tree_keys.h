/* tree_keys.h - what is checked and done when a mapping of a document is complete. */
#pragma once

#include "reconciler/manifest/tree.h"

/* Resolves merge keys (<<) and reports keys given twice. 'depth' is how deep the mapping lies. */
MUST_CHECK enum tree_next tree_close_mapping(struct tree_reader *r, uint32_t mapping, uint32_t depth);

/* Counts nodes that an alias stands for against the file's limit, and its depth. TREE_DOCUMENT to go on. */
MUST_CHECK enum tree_next tree_count_alias(struct tree_reader *r, uint32_t target, struct mark at,
                                           uint32_t depth);

/* Appends a node; NO_NODE when that failed, with *why set. The first node of a document is 0, too: it never
 * fails. */
MUST_CHECK uint32_t tree_add(struct tree_reader *r, enum node_type type, struct mark mark,
                             enum tree_next *why);
/* Adds a child's height and size to its parent's. */
void tree_adopt(struct tree *t, uint32_t parent, uint32_t child);

struct src_pos tree_pos(const struct tree_reader *r, struct mark mark);

/* tree.c - the arrays of a document's tree. Reading them from events is in tree_reader.c. */
#include "reconciler/manifest/tree.h"

#include <string.h>

void tree_fini(struct tree *t)
{
    free(t->nodes);
    free(t->text);
    free(t->anchors);
    *t = (struct tree){0};
}

static bool room_for_text(struct tree *t, size_t n)
{
    size_t needed = t->n_text + n;
    if (needed > UINT32_MAX) return false;
    if (needed <= t->text_capacity) return true;
    size_t capacity = MAX_OF(needed, t->text_capacity * 2);
    char *p = realloc(t->text, capacity);
    if (p == NULL) return false;
    t->text = p;
    t->text_capacity = capacity;
    return true;
}

bool tree_set_text(struct tree *t, struct node *scalar, struct text text)
{
    if (!room_for_text(t, text.len + 1)) return false;
    if (text.len > 0) memcpy(t->text + t->n_text, text.ptr, text.len);
    t->text[t->n_text + text.len] = '\0';
    scalar->first = (uint32_t)t->n_text;
    scalar->n = (uint32_t)text.len;
    t->n_text += text.len + 1;
    return true;
}

uint32_t tree_get(const struct tree *t, const struct node *mapping, const char *key)
{
    if (mapping->type != NODE_MAPPING) return NO_NODE;
    for (uint32_t k = mapping->first; k != NO_NODE; k = t->nodes[t->nodes[k].next].next)
        if (key_is(tree_text(t, tree_node(t, k)), key)) return t->nodes[k].next;
    return NO_NODE;
}

bool tree_is_null(const struct tree *t, const struct node *n)
{
    static const char *const words[] = {"~", "null", "Null", "NULL"};
    if (n->type != NODE_SCALAR || !(n->flags & NODE_PLAIN) || (n->flags & NODE_WRONG) || n->n > 4)
        return false;
    for (size_t i = 0; i < N_ELEMENTS(words); i++)
        if (key_is(tree_text(t, n), words[i])) return true;
    return n->n == 0;
}

bool tree_save(const struct tree *t, struct arena *arena, struct saved_tree *out)
{
    struct node *nodes = arena_array_of(arena, t->n_nodes, struct node);
    char *text = arena_copy(arena, t->text, t->n_text);
    if (nodes == NULL || text == NULL) return false;
    memcpy(nodes, t->nodes, t->n_nodes * sizeof *nodes);
    *out = (struct saved_tree){nodes, text, t->n_nodes, t->n_text};
    return true;
}

bool tree_restore(struct tree *t, const struct saved_tree *saved)
{
    t->n_text = 0;
    if (!room_for_text(t, saved->n_text)) return false;
    if (saved->n_nodes > t->node_capacity) {
        struct node *nodes = realloc(t->nodes, saved->n_nodes * sizeof *nodes);
        if (nodes == NULL) return false;
        t->nodes = nodes;
        t->node_capacity = saved->n_nodes;
    }
    memcpy(t->nodes, saved->nodes, saved->n_nodes * sizeof *t->nodes);
    if (saved->n_text > 0) memcpy(t->text, saved->text, saved->n_text);
    t->n_nodes = saved->n_nodes;
    t->n_text = saved->n_text;
    t->has_dollar = true;
    return true;
}

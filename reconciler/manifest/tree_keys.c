/* tree_keys.c - unique keys, merge keys and the cost of aliases. */
#include "reconciler/manifest/tree_keys.h"

#include "reconciler/base/limits.h"

#include <string.h>

struct src_pos tree_pos(const struct tree_reader *r, struct mark mark)
{
    return (struct src_pos){r->file, mark.line, mark.column};
}

uint32_t tree_add(struct tree_reader *r, enum node_type type, struct mark mark, enum tree_next *why)
{
    struct tree *t = r->tree;
    if (t->n_nodes == LIMIT_YAML_NODES) {
        (void)diags_add(r->diags, SEVERITY_ERROR, tree_pos(r, mark), NULL, "split it into several documents",
                        "the document has more than %d nodes", LIMIT_YAML_NODES);
        *why = TREE_STOP;
        return NO_NODE;
    }
    if (t->n_nodes == t->node_capacity) {
        size_t capacity = MAX_OF(t->node_capacity * 2, (size_t)256);
        struct node *nodes = realloc(t->nodes, capacity * sizeof *nodes);
        if (nodes == NULL) {
            *why = TREE_NOMEM;
            return NO_NODE;
        }
        t->nodes = nodes;
        t->node_capacity = capacity;
    }
    uint32_t at = (uint32_t)t->n_nodes++;
    t->nodes[at] = (struct node){.type = (uint8_t)type, .mark = mark, .size = 1};
    *why = TREE_DOCUMENT;
    return at;
}

void tree_adopt(struct tree *t, uint32_t parent, uint32_t child)
{
    struct node *p = &t->nodes[parent];
    const struct node *c = &t->nodes[child];
    p->height = (uint16_t)MAX_OF(p->height, c->height + 1);
    if (__builtin_add_overflow(p->size, c->size, &p->size)) p->size = UINT32_MAX;
}

enum tree_next tree_count_alias(struct tree_reader *r, uint32_t target, struct mark at, uint32_t depth)
{
    const struct node *n = tree_node(r->tree, target);
    if (depth + n->height > LIMIT_YAML_DEPTH) {
        (void)diags_add(r->diags, SEVERITY_ERROR, tree_pos(r, at), NULL, NULL,
                        "nested deeper than %d levels through this alias", LIMIT_YAML_DEPTH);
        return TREE_STOP;
    }
    if (n->size > LIMIT_YAML_ALIAS_NODES - r->alias_nodes) {
        (void)diags_add(r->diags, SEVERITY_ERROR, tree_pos(r, at), NULL,
                        "write out what the anchors stand for",
                        "the aliases of this file stand for more than %d nodes", LIMIT_YAML_ALIAS_NODES);
        return TREE_STOP;
    }
    r->alias_nodes += n->size;
    return TREE_DOCUMENT;
}

static struct text key_text(const struct tree *t, uint32_t key)
{
    const struct node *n = tree_node(t, key);
    return n->type == NODE_SCALAR ? tree_text(t, n) : (struct text){NULL, 0};
}

static bool is_merge_key(const struct tree *t, uint32_t key)
{
    const struct node *n = &t->nodes[key];
    return n->type == NODE_SCALAR && n->n == 2 && (n->flags & NODE_PLAIN) && text_is(tree_text(t, n), "<<");
}

static void complain_twice(struct tree_reader *r, uint32_t first, uint32_t second)
{
    const struct tree *t = r->tree;
    if (t->nodes[first].mark.line > t->nodes[second].mark.line) { /* sorting does not keep their order */
        uint32_t swap = first;
        first = second;
        second = swap;
    }
    struct text key = key_text(t, second);
    if (key.len > 80) key.len = 80;
    bool begins_document = text_is(key, "apiVersion"); /* files that were put together without a separator */
    (void)diags_add(r->diags, SEVERITY_ERROR, tree_pos(r, t->nodes[second].mark), NULL,
                    begins_document ? "another document begins with `---`" : "remove one of them",
                    "the key `" TEXT_FMT "` is given twice, first at line %u, column %u", TEXT_ARG(key),
                    t->nodes[first].mark.line, t->nodes[first].mark.column);
}

static int compare_keys(const void *a, const void *b, void *tree)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    int order = text_compare(key_text(tree, x), key_text(tree, y));
    return order != 0 ? order : x < y ? -1 : x > y;
}

/* Few keys are compared each with each, many are sorted: no file makes this quadratic. */
static enum tree_next check_unique(struct tree_reader *r, uint32_t mapping)
{
    enum { FEW = 16 };
    struct tree *t = r->tree;
    uint32_t n = t->nodes[mapping].n / 2, few[FEW], i = 0;
    if (n < 2) return TREE_DOCUMENT;
    uint32_t *keys = n <= FEW ? few : malloc(n * sizeof *keys);
    if (keys == NULL) return TREE_NOMEM;
    for (uint32_t k = t->nodes[mapping].first; k != NO_NODE; k = t->nodes[t->nodes[k].next].next) {
        keys[i] = k;
        if (n <= FEW) {
            struct text text = key_text(t, k);
            for (uint32_t j = 0; j < i; j++)
                if (text_equal(text, key_text(t, keys[j]))) complain_twice(r, keys[j], k);
        }
        i++;
    }
    ASSERT(i == n);
    if (n > FEW) {
        qsort_r(keys, n, sizeof *keys, compare_keys, t);
        for (i = 1; i < n; i++)
            if (text_equal(key_text(t, keys[i - 1]), key_text(t, keys[i])))
                complain_twice(r, keys[i - 1], keys[i]);
        free(keys);
    }
    return TREE_DOCUMENT;
}

static bool has_key(const struct tree *t, uint32_t mapping, struct text key)
{
    for (uint32_t k = t->nodes[mapping].first; k != NO_NODE; k = t->nodes[t->nodes[k].next].next)
        if (text_equal(key_text(t, k), key)) return true;
    return false;
}

/* A new child that stands for an existing node, with that node's position: an error is shown where the text
 * is. */
static enum tree_next append_alias(struct tree_reader *r, uint32_t mapping, uint32_t *last, uint32_t target)
{
    struct tree *t = r->tree;
    enum tree_next why;
    uint32_t at = tree_add(r, NODE_ALIAS, t->nodes[target].mark, &why);
    if (at == NO_NODE) return why;
    t->nodes[at].first = target;
    t->nodes[at].height = tree_node(t, target)->height;
    t->nodes[at].size = tree_node(t, target)->size;
    if (*last == NO_NODE)
        t->nodes[mapping].first = at;
    else
        t->nodes[*last].next = at;
    *last = at;
    t->nodes[mapping].n++;
    tree_adopt(t, mapping, at);
    return TREE_DOCUMENT;
}

/* Adds the pairs of 'from' whose keys 'mapping' does not have. What it has already counts as what aliases
 * stand for, too: looking costs as much as adding. */
static enum tree_next merge_one(struct tree_reader *r, uint32_t mapping, uint32_t *last, uint32_t from,
                                uint32_t depth)
{
    struct tree *t = r->tree;
    const struct node *source = tree_node(t, from);
    if (source->type != NODE_MAPPING) {
        (void)diags_add(r->diags, SEVERITY_ERROR, tree_pos(r, t->nodes[from].mark), NULL, NULL,
                        "the merge key `<<` needs a mapping, or a list of mappings");
        return TREE_DOCUMENT;
    }
    if (source->n / 2 > LIMIT_LIST_ITEMS || t->nodes[mapping].n / 2 > LIMIT_LIST_ITEMS) {
        (void)diags_add(r->diags, SEVERITY_ERROR, tree_pos(r, t->nodes[from].mark), NULL, NULL,
                        "more than %d keys are merged", LIMIT_LIST_ITEMS);
        return TREE_STOP;
    }
    for (uint32_t k = source->first, value; k != NO_NODE; k = t->nodes[value].next) {
        value = t->nodes[k].next;
        enum tree_next why = tree_count_alias(r, value, t->nodes[from].mark, depth + 1);
        if (why == TREE_DOCUMENT && has_key(t, mapping, key_text(t, k))) continue;
        if (why == TREE_DOCUMENT) why = append_alias(r, mapping, last, k);
        if (why == TREE_DOCUMENT) why = append_alias(r, mapping, last, value);
        if (why != TREE_DOCUMENT) return why;
    }
    return TREE_DOCUMENT;
}

/* Takes the pair with the merge key out and returns its value; NO_NODE when there is none. */
static uint32_t take_merge_key(struct tree *t, uint32_t mapping)
{
    uint32_t before = NO_NODE;
    for (uint32_t k = t->nodes[mapping].first, value; k != NO_NODE; k = t->nodes[value].next) {
        value = t->nodes[k].next;
        if (is_merge_key(t, k)) {
            if (before == NO_NODE)
                t->nodes[mapping].first = t->nodes[value].next;
            else
                t->nodes[before].next = t->nodes[value].next;
            t->nodes[mapping].n -= 2;
            return value;
        }
        before = value;
    }
    return NO_NODE;
}

static uint32_t last_child(const struct tree *t, uint32_t parent)
{
    uint32_t last = NO_NODE;
    for (uint32_t c = t->nodes[parent].first; c != NO_NODE; c = t->nodes[c].next) last = c;
    return last;
}

/* Source: yaml.org/type/merge: the mapping's own keys win, then the first of the list. */
enum tree_next tree_close_mapping(struct tree_reader *r, uint32_t mapping, uint32_t depth)
{
    struct tree *t = r->tree;
    enum tree_next why = check_unique(r, mapping);
    if (why != TREE_DOCUMENT) return why;
    uint32_t value = take_merge_key(t, mapping);
    if (value == NO_NODE) return TREE_DOCUMENT;
    uint32_t last = last_child(t, mapping);
    if (tree_node(t, value)->type != NODE_SEQUENCE) return merge_one(r, mapping, &last, value, depth);
    for (uint32_t c = tree_node(t, value)->first; c != NO_NODE; c = t->nodes[c].next) {
        why = merge_one(r, mapping, &last, c, depth);
        if (why != TREE_DOCUMENT) return why;
    }
    return TREE_DOCUMENT;
}

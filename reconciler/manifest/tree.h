/* tree.h - one YAML document at a time, as a compact tree with positions.
 *
 * libyaml's events become nodes in one array and text in one buffer; both are used again for the next
 * document. Aliases are nodes that lead to the anchored node, so nothing is copied and nothing explodes. */
#pragma once

#include "reconciler/base/diag.h"
#include "reconciler/base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <yaml.h>

/* A place in a file; starts at 1. The column counts characters. */
struct mark {
    uint32_t line, column;
};

enum node_type { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING, NODE_ALIAS };

enum node_flags {
    NODE_PLAIN = 1u << 0,  /* not quoted: may be a number, true, null */
    NODE_DOLLAR = 1u << 1, /* a value with "${" in it, not substituted yet */
    NODE_OPEN = 1u << 2,   /* being read: an alias to it would contain itself */
    NODE_WRONG = 1u << 3,  /* a scalar that was complained of: its text means nothing */
};

enum { NO_NODE = 0 }; /* the root is never a child */

struct node {
    uint8_t type;    /* enum node_type */
    uint8_t flags;   /* enum node_flags */
    uint16_t height; /* levels below it, aliases followed */
    struct mark mark;
    uint32_t next;  /* the next child of the same parent, or NO_NODE */
    uint32_t first; /* collections: first child or NO_NODE; aliases: where to; scalars: offset of the text */
    uint32_t n;     /* collections: children (a mapping's keys and values alternate); scalars: bytes */
    uint32_t size;  /* nodes of the subtree, aliases followed; stops at UINT32_MAX */
};

struct tree {
    struct node *nodes; /* the first is the root */
    size_t n_nodes, node_capacity;
    char *text;
    size_t n_text, text_capacity;
    struct anchor {
        uint32_t name, len, node; /* offset and bytes in 'text' */
    } * anchors;
    size_t n_anchors, anchor_capacity;
    bool has_dollar; /* some value is NODE_DOLLAR */
};

/* text_is(), quick where the first characters differ, as they mostly do. */
static inline bool key_is(struct text key, const char *word)
{
    return key.len > 0 && key.ptr[0] == word[0] && text_is(key, word);
}

void tree_fini(struct tree *t); /* for CLEANUP() too */

/* The node itself, or what the alias stands for. */
static inline const struct node *tree_node(const struct tree *t, uint32_t at)
{
    const struct node *n = &t->nodes[at];
    while (n->type == NODE_ALIAS) n = &t->nodes[n->first]; /* an alias leads to an earlier node */
    return n;
}

static inline struct text tree_text(const struct tree *t, const struct node *scalar)
{
    ASSERT(scalar->type == NODE_SCALAR);
    return (struct text){t->text + scalar->first, scalar->n};
}

/* Gives a scalar another text. False when out of memory. */
MUST_CHECK bool tree_set_text(struct tree *t, struct node *scalar, struct text text);
/* The value of a key of a mapping, or NO_NODE. */
uint32_t tree_get(const struct tree *t, const struct node *mapping, const char *key);
/* Plain and empty, ~ or null. Source: YAML 1.2, 10.3.2 (core schema) */
bool tree_is_null(const struct tree *t, const struct node *n);

/* A copy of nodes and text for later, in an arena; and back. False when out of memory. */
struct saved_tree {
    const struct node *nodes;
    const char *text;
    size_t n_nodes, n_text;
};
MUST_CHECK bool tree_save(const struct tree *t, struct arena *arena, struct saved_tree *out);
MUST_CHECK bool tree_restore(struct tree *t, const struct saved_tree *saved);

/* Reads one file. */
struct tree_reader {
    yaml_parser_t parser;
    struct text bytes; /* without a byte order mark */
    const char *file;
    struct diags *diags;
    struct tree *tree;
    uint32_t alias_nodes; /* that aliases of this file stood for so far */
    uint32_t n_documents; /* begun so far */
    bool open;
};

enum tree_next {
    TREE_DOCUMENT, /* reader.tree holds it */
    TREE_END,
    TREE_STOP, /* a diagnostic says why; nothing more can be read from this file */
    TREE_NOMEM,
};

/* 'tree' is filled again by each tree_next(). False when out of memory. */
MUST_CHECK bool tree_reader_init(struct tree_reader *r, const char *file, struct text bytes,
                                 struct tree *tree, struct diags *diags);
void tree_reader_fini(struct tree_reader *r); /* for CLEANUP() too */
MUST_CHECK enum tree_next tree_reader_next(struct tree_reader *r);

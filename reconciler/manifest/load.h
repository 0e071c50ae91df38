/* load.h - what the steps of loading share: the state of one load, and how each step complains.
 *
 * A step that runs out of memory sets 'out_of_memory' and gives an empty result; it is looked at once per
 * document. Everything that the result does not need lives in 'scratch'. */
#pragma once

#include "reconciler/manifest/manifest.h"
#include "reconciler/manifest/tree.h"
#include "reconciler/manifest/variables.h"

/* A resource on its way, with the positions of its fields. */
struct draft {
    struct resource r;
    struct mark *marks; /* per field; line 0: not given */
};

struct load {
    struct arena *arena;   /* of the result */
    struct arena *scratch; /* of the load */
    struct diags *diags;
    bool out_of_memory;

    /* The document being read. */
    const char *file;
    struct tree *tree;
    enum kind kind; /* with 'name' the address; KIND_NONE while it is not known */
    struct text name;
    char address[RESOURCE_ADDRESS_SIZE]; /* written when it is needed; of a Stack always */
    bool complained;                     /* something was wrong with it */
    bool incomplete; /* some document could not be read at all: what is missing may be in it */

    struct variables variables;
    struct stack stack;
    bool has_stack;

    /* What was read, in the order of reading: resources in 'arena', where they stay, and the positions of
     * their fields in 'scratch'. */
    struct resource *resources;
    struct mark **marks;
    size_t n_resources, resource_capacity, mark_capacity;
    const struct lifecycle *last_lifecycle; /* most documents say the same */
    struct text recent[256];                /* texts kept lately, by hash */
    size_t suggestions_left;                /* comparisons of names that are still spent on suggestions */
};

struct src_pos load_pos(const struct load *l, struct mark mark);

/* The address of the current document, NULL while it is not known. */
const char *load_address(struct load *l);
void load_forget_address(struct load *l);

/* An error in the current document. */
#define COMPLAIN(l, mark, help, ...)                                                                         \
    ((l)->complained = true, (void)diags_add((l)->diags, SEVERITY_ERROR, load_pos((l), (mark)),              \
                                             load_address(l), (help), __VA_ARGS__))

/* Formatted text for a help line, in scratch; NULL when out of memory (then there is no help). */
const char *load_help(struct load *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Text of the input for a message: at most 60 characters, as a C string in scratch. */
const char *load_shown(struct load *l, struct text t);
/* "did you mean `x`?", or 'otherwise' when nothing is near. */
const char *load_suggest(struct load *l, struct text word, size_t n,
                         const char *(*name)(const void *ctx, size_t i), const void *ctx,
                         const char *otherwise);
/* The same for a NULL-terminated list. */
const char *load_suggest_choice(struct load *l, struct text word, const char *const *choices,
                                const char *otherwise);
/* "a, b or c" of a NULL-terminated list, in scratch. */
const char *load_choices(struct load *l, const char *const *choices);

/* Copies into the result's arena; NULL and out_of_memory. */
const char *load_keep(struct load *l, struct text t);
/* Room for the values of a resource of this kind. False when out of memory. */
bool draft_init(struct load *l, enum kind kind, struct draft *d);
/* Adds a copy of it under a name, which is copied. */
void load_add(struct load *l, const struct draft *d, struct text name, struct mark mark,
              const struct lifecycle *lifecycle);

/* metadata.name: complains and returns false when it is not one. 'what' begins the message. */
bool load_check_name(struct load *l, struct text name, struct mark mark, const char *what);
/* The text of a scalar, complaining when it is a collection or null ('what' says of what), or silent when it
 * was complained of before. */
bool load_scalar(struct load *l, uint32_t node, const char *what, struct text *out);
/* The same where a key of the input says of what. */
bool load_scalar_of(struct load *l, uint32_t node, struct text key, struct text *out);

/* read.h - the steps from a document's tree to drafts. */
#pragma once

#include "reconciler/manifest/load.h"
#include "reconciler/manifest/values.h"

/* The spec of a resource, or one item of an inline list, while it is read. */
struct spec {
    struct draft d;
    struct mark mark;   /* where missing fields are reported */
    bool observe;       /* management: observe: much may be left out */
    bool is_item;       /* of an inline list: `name` may name the resource */
    uint8_t parent;     /* of items: the field that comes from the list's owner, or FIELD_NO */
    uint64_t given;     /* bit per field that has a value, also a wrong one */
    uint32_t id_node;   /* spec.id, or NO_NODE */
    uint32_t name_node; /* of items: `name`, or NO_NODE */
    uint32_t nodes[64]; /* of given fields */
};

enum { SPEC_MAX_FIELDS = 64 };

/* The current document: any kind. */
void read_document(struct load *l);
/* A Stack document; its variables hold for all others. */
void read_stack(struct load *l, uint32_t metadata, uint32_t spec);
/* The default where it says nothing, or something wrong. 'node' may be NO_NODE. */
const struct lifecycle *read_lifecycle(struct load *l, enum kind kind, uint32_t node);
/* A shared copy in the result's arena. */
const struct lifecycle *lifecycle_keep(struct load *l, const struct lifecycle *lc);
/* Reads the fields and checks that none is missing. 'node' may be NO_NODE. False: some complaint. */
bool read_spec(struct load *l, struct spec *s, uint32_t node);
/* Adds the resources that inline lists stand for, and the resource itself unless they replace it. */
void expand_and_add(struct load *l, const struct spec *s, struct text name, struct mark name_mark,
                    const struct lifecycle *lifecycle);

/* For the schema: what the items of an inline field refer to, KIND_NONE when they are specs; and the field of
 * those specs that the list's owner gives. */
enum kind inline_reference(enum kind kind, uint8_t field);
uint8_t inline_owner_field(enum kind kind, uint8_t field);

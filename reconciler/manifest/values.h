/* values.h - from a node of a document to the value of a field. */
#pragma once

#include "reconciler/manifest/load.h"
#include "reconciler/model/kind.h"

/* Reads the value of a field, complaining about what is wrong. False when there is no value: a complaint, or
 * an explicit null (then *out is unset and nothing was said). References by name stay REF_NAME until
 * everything is read. */
bool value_read(struct load *l, const struct field *f, uint32_t node, struct value *out);
/* A reference to a resource of a kind. */
bool value_read_ref(struct load *l, const char *what, enum kind ref, uint32_t node, struct value *out);
/* A mapping of texts to texts, sorted; 'max' pairs. */
bool value_read_map(struct load *l, const char *what, bool are_tags, int64_t max, uint32_t node,
                    struct value *out);
/* Plain true or false. */
bool value_read_bool(struct load *l, const char *what, uint32_t node, bool *out);
/* A plain integer within [min, max]. */
bool value_read_int(struct load *l, const char *what, int64_t min, int64_t max, uint32_t node, int64_t *out);

/* A reference by name to another resource of the stack, not resolved yet. 'name' is copied to scratch. */
struct value value_ref_name(struct load *l, struct text name, struct mark mark);
/* Where a REF_NAME was written. */
struct mark value_ref_mark(struct value ref);

/* The default of a field as a value, from .initial. */
struct value value_initial(const struct field *f);

/* A cloud's id of the kind: its prefix, then lower-case letters and digits. */
bool id_is_valid(enum kind kind, struct text id);
bool value_check_id(struct load *l, const char *what, enum kind kind, struct text id, struct mark mark);

/* What is wrong with a text by a rule of the cloud, or NULL. The answer is a static text. */
const char *text_rule_fault(enum text_rule rule, struct text t);
/* The rule as a regular expression for editors, or NULL. */
const char *text_rule_pattern(enum text_rule rule);
/* The rule in words, or NULL. */
const char *text_rule_words(enum text_rule rule);

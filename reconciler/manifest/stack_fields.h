/* stack_fields.h - the fields of a Stack, for reading, explain and schema. */
#pragma once

#include <stddef.h>

struct stack_field {
    const char *name, *type, *doc;
};

extern const struct stack_field stack_fields[];
extern const size_t stack_n_fields;
extern const char stack_doc[];
extern const char *const stack_providers[]; /* NULL-terminated */

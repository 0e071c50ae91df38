/* value_lists.h - the parts of value_read() that lists and scalars need of each other. */
#pragma once

#include "reconciler/manifest/values.h"

bool value_read_list(struct load *l, const struct field *f, uint32_t node, struct value *out);
bool value_read_cidr(struct load *l, const struct field *f, uint32_t node, struct value *out);

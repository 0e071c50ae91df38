/* output.h - results as tables, JSON and YAML. All text may come from outside: it is escaped here. */
#pragma once

#include "reconciler/base/buf.h"
#include "reconciler/model/kind.h"
#include "reconciler/model/value.h"

#include <jansson.h>

/* A table: columns as wide as their widest cell, two blanks between them. */
struct table;
enum { TABLE_MAX_COLUMNS = 12 };

/* NULL when out of memory. 'columns' are its headings. */
struct table *table_new(const char *const *columns, size_t n_columns);
void table_free(struct table *t); /* accepts NULL */
void table_freep(struct table **t);
/* Appends a cell; rows follow from the number of columns. Copies; NULL is an empty cell. */
void table_cell(struct table *t, struct text cell);
void table_cellf(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A failed table fails 'out'. Blanks at the ends of lines are left out. */
void table_render(const struct table *t, struct buf *out);

/* ---- JSON; values that could not be made (out of memory) are NULL, which json_object_set_new() takes as a
 * failure that output_json() reports in the end ---- */

/* A string; bytes that are not UTF-8 become \xNN. */
json_t *json_of_text(struct text t);
json_t *json_of_cstr(const char *s); /* null for NULL */
/* "2024-02-29T23:59:59Z", or null for 0. */
json_t *json_of_time(int64_t unix_ms);
/* As in a manifest: references are {"id": …}; unset is null. */
json_t *json_of_value(const struct field *f, struct value v);

enum output_format { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_NAME, OUTPUT_JSON, OUTPUT_YAML };
/* By -o; a table without it. */
enum output_format output_format_of(const char *name);
/* JSON with line ends and indents, or YAML. Consumes 'root'; a NULL root fails 'out'. */
void output_tree(struct buf *out, json_t *root, enum output_format format);

/* "5s", "3m", "2h", "4d": how long ago, as tables show it. */
enum { AGE_SIZE = 24 };
char *age_format(int64_t ms, char out[AGE_SIZE]);
/* "7s", "1m05s": how long it took. */
char *duration_format(int64_t ms, char out[AGE_SIZE]);

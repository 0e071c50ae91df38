/* source_line.h - lines and columns of a source, counted as libyaml counts them. */
#pragma once

#include "reconciler/base/diag.h"
#include "reconciler/base/text.h"
#include "reconciler/manifest/manifest.h"
#include "reconciler/manifest/tree.h"

/* Without the byte order mark of UTF-8. */
struct text source_without_bom(struct text bytes);
/* Where an offset lies. */
struct mark source_mark(struct text bytes, size_t offset);
/* Whether a line begins at an offset. */
bool source_begins_line(struct text bytes, size_t offset);
/* The (first) byte of the character at a place, or 0 behind the end. */
char source_char(struct text bytes, struct mark mark);

/* Copies the source line into each diagnostic that has a position in one of the sources. The diagnostics must
 * be sorted. A position behind the end of its source becomes the end. */
void source_lines_attach(struct diags *d, const struct source *sources, size_t n_sources);

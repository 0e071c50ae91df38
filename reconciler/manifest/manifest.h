/* manifest.h - from YAML to desired resources.
 *
 * Three steps: files to documents with positions (load), documents to atomic resources with references
 * resolved (resolve), and the checks across resources (check). All errors are collected as diagnostics, with
 * file, line, column, the source line and what would be right. Pure: the caller reads the files. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/diag.h"
#include "reconciler/base/err.h"
#include "reconciler/model/resource.h"

/* One file as read by the caller. */
struct source {
    const char *file; /* for messages; "-" is standard input */
    struct text bytes;
};

struct manifest_input {
    const struct source *sources;
    size_t n_sources;
    /* Values for ${NAME}, beside those that a Stack document declares; they win over its defaults. */
    const struct param_value {
        const char *name, *value;
    } * variables;
    size_t n_variables;
    /* The stack's settings apply to the documents that follow no Stack of their own; all documents of one
     * input are one stack. */
};

/* Parses, expands, resolves and checks everything. *out belongs to 'arena' and borrows from the sources' file
 * names only (the bytes may be freed). ERR_INPUT when there is at least one error diagnostic;
 * ERR_LIMIT/ERR_NOMEM otherwise; diagnostics may hold warnings on success. An input without any document is
 * an error. */
MUST_CHECK enum err_code manifest_load(struct arena *arena, const struct manifest_input *input,
                                       struct diags *diags, struct desired *out, struct err *err);

/* The JSON Schema (draft 2020-12) of a manifest document, from the kind tables. 'out' gets JSON text. */
struct buf;
MUST_CHECK enum err_code manifest_schema(struct buf *out, struct err *err);
/* `headgate explain`: path is "Kind", "Kind.field" or "Kind.field.sub", or "" for the list of kinds.
 * ERR_INPUT with a suggestion. */
MUST_CHECK enum err_code manifest_explain(struct text path, struct buf *out, struct err *err);

/* Renders diagnostics as people read them: "file:line:column: error: summary", the line, a caret, the help.
 */
void diags_render(const struct diags *d, bool color, struct buf *out);
/* … and as JSON (validate --json): {"format_version","valid","error_count","warning_count",
 * "diagnostics":[{severity,summary,detail,address,range}]}. */
MUST_CHECK enum err_code diags_render_json(const struct diags *d, struct buf *out, struct err *err);

/* A resource as a manifest document in YAML (get -o yaml, export): only fields that are set. References are
 * written as names of 'desired' where REF_LOCAL, else {id: …}. */
void manifest_write(struct buf *out, enum kind kind, struct text name, const struct value *values,
                    uint64_t fields, const struct desired *desired);

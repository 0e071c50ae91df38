/* render.h - plans for people and for machines. Pure: text goes to a buf. */
#pragma once

#include "reconciler/base/buf.h"
#include "reconciler/plan/plan.h"

struct render_options {
    bool color;   /* ANSI colours */
    bool concise; /* one line per change, no fields */
    bool saved;   /* the plan was saved: no note that it was not */
    bool destroy;
    const char *saved_as;
    const struct desired *desired; /* to write references as names; may be NULL */
};

/* A value as people read it: "text" quoted, references as Kind/name or id, lists in brackets, (known after
 * apply). */
void render_value(struct buf *out, enum kind kind, uint8_t field, struct value v,
                  const struct desired *desired);

/* Terraform's wording: drift first, then the changes field by field, what is destroyed or replaced at the
 * very bottom, totals. */
void plan_render(struct buf *out, const struct plan *p, const struct render_options *options);
/* Field-by-field differences like `kubectl diff`: --- observed, +++ desired per resource (unified, YAML-like
 * lines). */
void plan_render_diff(struct buf *out, const struct plan *p, const struct render_options *options);
/* What lies in our VPCs and no manifest owns. */
struct unmanaged {
    const struct object *const *objects;
    size_t n;
};

/* Drift only (headgate drift). 'unmanaged' is listed after it; NULL: nobody asked. */
void plan_render_drift(struct buf *out, const struct plan *p, const struct unmanaged *unmanaged,
                       const struct render_options *options);
/* Terraform's plan JSON: format_version, resource_changes[].change.{actions,before,after,after_unknown},
 * resource_drift, …; 'unmanaged' is NULL when nobody asked. 'timestamp' is given by the caller (RFC 3339).
 * docs/plan-json.md describes it. */
MUST_CHECK enum err_code plan_render_json(struct buf *out, const struct plan *p,
                                          const struct unmanaged *unmanaged, const char *timestamp,
                                          struct err *err);

/* event_json.h - `apply --json`: one event per line on standard output.
 *
 * The names of types and keys are Terraform's, so that what reads its stream reads this one. The first event
 * tells the version of the shape ("ui"): its minor part grows with new fields, which readers ignore, its
 * major part with everything else. docs/json.md describes them. */
#pragma once

#include "reconciler/base/diag.h"
#include "reconciler/converge/converge.h"
#include "reconciler/plan/plan.h"

#define EVENT_UI_VERSION "1.0"

void event_version(void);
/* resource_drift, planned_change and change_summary of a plan. */
void event_plan(const struct plan *p, const char *operation);
/* apply_start, apply_progress, apply_complete, apply_errored (with a diagnostic). */
void event_progress(const struct plan *p, const struct progress *news);
/* change_summary of what was done. */
void event_summary(const struct converge_summary *s, const char *operation);
void event_diag(const struct diag *d);
void event_error(const char *message);

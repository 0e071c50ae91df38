/* render_drift.h - what changed outside of headgate. Private to render. */
#pragma once

#include "reconciler/plan/render_block.h"

/* The note that stands in front of a plan, up to the rule below it. 'by' says what corrects it: "this plan".
 */
void render_drift_block(struct pen *pen, const struct plan *p, bool concise, const char *by);

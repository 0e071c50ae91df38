/* plan_dump.h - a plan as a few lines of text, for tests:
 *
 *   + VSwitch/web                            create ("(gone)": it was deleted outside)
 *   ~ Eip/eip1 bandwidth drift, name         update, with the fields and whose doing a difference is
 *   -/+ NatGateway/nat1 (vSwitch)            replace, with the fields that force it; +/- makes the new one
 * first
 *   - Vpc/old                                delete
 *   > Eip/eip2 from Eip/old                  adopt, with what differs
 *   x Eip/gone (gone)                        forget
 *   ? Vpc/main                               read
 *   ! Eip/eip1 bandwidth                     drift; "deleted"; "(detect)" when it is only told
 *   left out: Eip/x */
#pragma once

#include "reconciler/base/buf.h"
#include "reconciler/base/diag.h"
#include "reconciler/plan/plan.h"

enum dump_flags {
    DUMP_CHANGES = 1u << 0,
    DUMP_READS = 1u << 1,
    DUMP_DRIFT = 1u << 2,
    DUMP_STEPS =
        1u << 3, /* one line a step: "create Vpc/main", "delete Eip/x after create …, ~update …" (~: soft) */
};

void plan_dump(struct buf *out, const struct plan *p, uint32_t flags);
/* "error: Eip/x: summary" and "warning: …", one line each. */
void diags_dump(struct buf *out, const struct diags *d);

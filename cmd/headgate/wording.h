/* wording.h - what is said about a step while a plan is carried out, in Terraform's words. */
#pragma once

#include "reconciler/base/buf.h"
#include "reconciler/converge/converge.h"

/* One line without its end: "NatGateway/nat1: Still creating... [12s elapsed, status Creating]". */
void wording_line(struct buf *out, const struct plan *p, const struct progress *news);
/* "Creating", "Modifying", "Destroying", "Adopting". */
const char *wording_doing(const struct change *c, enum verb verb);

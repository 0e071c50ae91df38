/* alicloud.h - the mapping of headgate's kinds to the VPC 2016-04-28 and ECS 2014-05-26 APIs.
 *
 * Pure: requests out, answers in; no I/O, no clock. The provider `mock` puts this same mapping over the
 * simulated cloud (providers/mock), so that a dry run exercises the code that talks to the real one. */
#pragma once

#include "reconciler/model/cloud.h"

/* The cloud of a region. The struct is one per region, lives in the arena and borrows 'region'. NULL when out
 * of memory. */
const struct cloud *alicloud_cloud(struct arena *arena, const char *region);

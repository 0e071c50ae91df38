/* hash.h - uthash with the settings of this project: an allocation failure is an error, not an exit().
 *
 * uthash has no seed: where keys come from outside their number must be bounded (limits.h). It iterates in
 * insertion order. After HASH_ADD… look at 'hash_oom' of the element's table through HG_HASH_ADD_FAILED. */
#pragma once

#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) ((void)(element), hash_oom_flag = true)

#include <stdbool.h>

/* Set by a failed insertion in this thread; the caller clears it before and checks it after. */
extern _Thread_local bool hash_oom_flag;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <uthash.h>
#pragma GCC diagnostic pop

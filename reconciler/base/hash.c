/* hash.c - the flag of a failed insertion. */
#include "reconciler/base/hash.h"

_Thread_local bool hash_oom_flag;

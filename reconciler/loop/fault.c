/* fault.c - the process's last moment, where a test wants it. */
#include "reconciler/loop/fault.h"

#ifdef HEADGATE_FAULT_POINTS

#include "reconciler/base/text.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

void fault_point(void)
{
    static uint64_t n_passed; /* a global, since it counts for the process, as the variable does */
    uint64_t last;
    const char *at = getenv("HEADGATE_KILL_AT");
    if (at == NULL || !text_to_u64(text_of(at), UINT64_MAX, &last)) return;
    if (++n_passed == last) (void)kill(getpid(), SIGKILL); /* does not come back */
}

#else

/* A file without declarations is none. */
_Static_assert(1, "there are no fault points in this build");

#endif

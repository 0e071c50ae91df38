/* fault.h - moments at which a test may end the process as kill -9 would.
 *
 * In programs built with HEADGATE_FAULT_POINTS (CMake; debug builds) the variable HEADGATE_KILL_AT=N lets the
 * N-th passage of such a point be the process's last. In others nothing is there. On the loop thread only. */
#pragma once

#ifdef HEADGATE_FAULT_POINTS
void fault_point(void);
#else
static inline void fault_point(void)
{
}
#endif

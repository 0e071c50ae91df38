/* pace.c - how fast the simulated cloud's clock runs. */
#include "providers/mock/inside.h"

double mock_speed(const struct mock *m)
{
    return m->speed;
}

/* provider.c - what all providers share: the end of a request. */
#include "providers/provider.h"

void send_fini(struct send *s)
{
    free(s->body);
    s->body = NULL;
    s->body_size = 0;
}

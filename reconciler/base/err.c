/* err.c - setting and wrapping errors, and the failing assertion. */
#include "reconciler/base/err.h"

#include <string.h>

void assert_failed(const char *expression, const char *file, int line)
{
    /* The one place in the core that writes: the process is about to abort. */
    (void)fprintf(stderr, "headgate: internal error: %s does not hold (%s:%d)\n", expression, file, line);
    abort();
}

enum err_code err_set_at(struct err *e, enum err_code code, const char *origin, const char *fmt, ...)
{
    if (e == NULL) return code;
    va_list args;
    va_start(args, fmt);
    e->code = code;
    e->pos = (struct src_pos){0};
    e->origin = origin;
    (void)vsnprintf(e->msg, sizeof e->msg, fmt, args); /* cut when too long: by design */
    va_end(args);
    return code;
}

enum err_code err_wrap(struct err *e, const char *fmt, ...)
{
    if (e == NULL) return ERR_UNKNOWN;
    char inner[sizeof e->msg];
    memcpy(inner, e->msg, sizeof inner);
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(e->msg, sizeof e->msg, fmt, args);
    va_end(args);
    size_t used = n < 0 ? 0 : MIN_OF((size_t)n, sizeof e->msg - 1);
    (void)snprintf(e->msg + used, sizeof e->msg - used, ": ");
    used = strlen(e->msg);
    size_t room = sizeof e->msg - 1 - used, len = MIN_OF(strnlen(inner, sizeof inner), room);
    memcpy(e->msg + used, inner, len);
    e->msg[used + len] = '\0';
    return e->code;
}

const char *err_code_name(enum err_code code)
{
#define ERR_NAME(name, text) [ERR_##name] = #name,
    static const char *const names[] = {ERR_CODES(ERR_NAME)};
    return code < ERR_N_CODES ? names[code] : "?";
}

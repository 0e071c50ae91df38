/* wording.c - one line per piece of news. */
#include "cmd/headgate/wording.h"

#include "cmd/headgate/output.h"

#include <string.h>

struct words {
    const char *doing, *still, *noun;
};

static const struct words *words_of(const struct change *c, enum verb verb)
{
    static const struct words of_verb[] = {
        [VERB_CREATE] = {"Creating", "Still creating", "Creation"},
        [VERB_UPDATE] = {"Modifying", "Still modifying", "Modifications"},
        [VERB_DELETE] = {"Destroying", "Still destroying", "Destruction"},
    };
    static const struct words adopting = {"Adopting", "Still adopting", "Adoption"};
    return c->action == ACTION_ADOPT ? &adopting : &of_verb[verb];
}

const char *wording_doing(const struct change *c, enum verb verb)
{
    return words_of(c, verb)->doing;
}

/* The items of a bracket, " [a, b]": each put only when there is something to say. */
struct bracket {
    struct buf *out;
    bool open;
};

static void put_item(struct bracket *b, const char *label, const char *text)
{
    if (text[0] == '\0') return;
    buf_puts(b->out, b->open ? ", " : " [");
    b->open = true;
    buf_puts(b->out, label);
    buf_put_escaped(b->out, text_of(text));
}

static void close_bracket(struct bracket *b)
{
    if (b->open) buf_putc(b->out, ']');
}

static void put_elapsed(struct bracket *b, int64_t ms)
{
    char took[AGE_SIZE], text[AGE_SIZE + 16];
    (void)snprintf(text, sizeof text, "%s elapsed", duration_format(ms, took));
    put_item(b, "", text);
}

static void put_failure(struct buf *out, const struct progress *news)
{
    struct bracket b = {.out = out};
    buf_puts(out, ": ");
    buf_put_escaped(out, text_of(news->message[0] == '\0' ? "no cause was given" : news->message));
    if (strstr(news->message, news->code) == NULL) put_item(&b, "", news->code);
    if (strstr(news->message, news->request_id) == NULL) put_item(&b, "request id ", news->request_id);
    close_bracket(&b);
}

void wording_line(struct buf *out, const struct plan *p, const struct progress *news)
{
    const struct step *step = &p->steps[news->step];
    const struct change *c = &p->changes[step->change];
    const struct words *w = words_of(c, step->verb);
    struct bracket b = {.out = out};
    char address[RESOURCE_ADDRESS_SIZE], took[AGE_SIZE];
    buf_put_escaped(out, text_of(address_format(c->kind, c->name, address)));
    buf_puts(out, ": ");
    (void)duration_format(news->elapsed_ms, took);
    switch (news->type) {
    case PROGRESS_STARTED:
        buf_printf(out, "%s...", w->doing);
        put_item(&b, "id=", step->verb == VERB_CREATE ? "" : news->id);
        break;
    case PROGRESS_WAITING:
        buf_printf(out, "%s...", w->still);
        put_item(&b, "id=", news->id);
        put_elapsed(&b, news->elapsed_ms);
        put_item(&b, "status ", news->status);
        put_item(&b, "last error ", news->code);
        break;
    case PROGRESS_RETRY:
        buf_printf(out, "%s...", w->still);
        put_elapsed(&b, news->elapsed_ms);
        put_item(&b, "will repeat: ", news->message[0] == '\0' ? news->code : news->message);
        break;
    case PROGRESS_DONE:
        buf_printf(out, "%s complete after %s", w->noun, took);
        put_item(&b, "id=", news->id);
        break;
    case PROGRESS_FAILED:
        buf_printf(out, "%s failed after %s", w->noun, took);
        put_failure(out, news);
        break;
    case PROGRESS_SKIPPED:
        buf_puts(out, "Not tried: ");
        buf_put_escaped(out, text_of(news->message));
        break;
    }
    close_bracket(&b);
}

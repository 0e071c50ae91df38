/* state_access.c - opening the state, choosing the stack, finding a record. */
#include "cmd/headgate/state_access.h"

#include "reconciler/loop/clock.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum err_code state_open(struct app *app, enum store_mode mode, bool must_exist, struct store **out,
                         struct err *err)
{
    const char *path = app_state_path(app);
    if ((must_exist || mode == STORE_READ_WRITE) && access(path, F_OK) != 0)
        return err_set(err, ERR_INPUT, "there is no state file %s; --state or HEADGATE_STATE names another",
                       path);
    return store_open(path, mode, out, err);
}

/* "`a`, `b`, …", as many as fit. */
static void list_stacks(const struct text *names, size_t n, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < n && used < size; i++) {
        int k = snprintf(out + used, size - used, "%s`%.*s`", i == 0 ? "" : ", ",
                         (int)MIN_OF(names[i].len, (size_t)64), names[i].ptr);
        used += k < 0 ? size : (size_t)k;
    }
}

enum err_code state_stack(struct app *app, struct store *s, struct text *out, struct err *err)
{
    struct text *names;
    size_t n;
    char list[400];
    enum err_code code = store_stacks(s, app->arena, &names, &n, err);
    if (code != ERR_OK) return code;
    list_stacks(names, n, list, sizeof list);
    if (app_has(app, FLAG_STACK)) {
        *out = text_of(app_text(app, FLAG_STACK));
        for (size_t i = 0; i < n; i++)
            if (text_equal(names[i], *out)) return ERR_OK;
        return err_set(err, ERR_INPUT, "the state has no stack `%s`%s%s", app_text(app, FLAG_STACK),
                       n == 0 ? "" : ", it has ", list);
    }
    if (n > 1)
        return err_set(err, ERR_INPUT, "which stack? The state has %s; choose with --stack NAME", list);
    *out = n == 1 ? names[0] : TEXT("default");
    return ERR_OK;
}

static enum err_code take_lock(struct app *app, struct store *s, struct text stack, const char *operation,
                               struct err *err)
{
    int64_t until = clock_now_ms() + app_number(app, FLAG_LOCK_TIMEOUT, 0);
    for (;;) {
        struct lock_holder holder;
        bool took_over;
        enum err_code code = store_lock(s, stack, operation, clock_now_unix_ms(), &holder, &took_over, err);
        if (code != ERR_LOCKED || clock_now_ms() >= until) return code;
        struct timespec pause = {.tv_nsec = 100 * 1000000};
        (void)nanosleep(&pause, NULL); /* cut short by a signal: then it is tried earlier */
    }
}

enum err_code state_open_locked(struct app *app, const char *operation, struct store **out,
                                struct text *stack, struct err *err)
{
    CLEANUP(store_closep) struct store *s = NULL;
    enum err_code code = state_open(app, STORE_READ_WRITE, true, &s, err);
    if (code == ERR_OK) code = state_stack(app, s, stack, err);
    if (code == ERR_OK) code = take_lock(app, s, *stack, operation, err);
    if (code == ERR_OK) *out = TAKE(s);
    return code;
}

enum err_code state_close_locked(struct store *s, struct text stack, struct err *err)
{
    enum err_code code = store_unlock(s, stack, err);
    store_close(s);
    return code;
}

static const char *kind_name_at(const void *ctx, size_t i)
{
    (void)ctx;
    return kind_info((enum kind)i)->name;
}

enum err_code state_address(const char *text, enum kind *kind, struct text *name, struct err *err)
{
    struct text rest = text_of(text), head;
    (void)text_cut(&rest, '/', &head); /* an empty text has an empty head */
    if (rest.ptr == NULL || rest.len == 0)
        return err_set(err, ERR_INPUT, "`%s` is not an address, as NatGateway/nat1 is", text);
    *kind = kind_of_any_name(head);
    *name = rest;
    if (*kind != KIND_NONE) return ERR_OK;
    const char *near = text_nearest(head, N_KINDS, kind_name_at, NULL);
    return err_set(err, ERR_INPUT, "`%s`: there is no kind `" TEXT_FMT "`%s%s%s", text, TEXT_ARG(head),
                   near == NULL ? "" : ", did you mean `", near == NULL ? "" : near,
                   near == NULL ? "" : "`?");
}

enum err_code state_new_address(const char *text, enum kind *kind, struct text *name, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    enum err_code code = state_address(text, kind, name, err);
    if (code != ERR_OK || strspn(name->ptr, allowed) == name->len) return code;
    return err_set(err, ERR_INPUT, "`%s` cannot be an address: names have a-z, 0-9, `-` and `.`", text);
}

struct same_kind {
    const struct records *records;
    enum kind kind;
};

static const char *record_name_at(const void *ctx, size_t i)
{
    const struct same_kind *c = ctx;
    const struct record *r = &c->records->items[i];
    return r->kind == c->kind ? r->name.ptr : NULL; /* names of records are NUL-terminated copies */
}

enum err_code state_find(const struct records *records, const char *address, const struct record **out,
                         struct err *err)
{
    enum kind kind = KIND_NONE;
    struct text name = {0};
    enum err_code code = state_address(address, &kind, &name, err);
    if (code != ERR_OK) return code;
    uint32_t i = records_find(records, kind, name);
    if (i != UINT32_MAX) {
        *out = &records->items[i];
        return ERR_OK;
    }
    struct same_kind same = {records, kind};
    const char *near = text_nearest(name, records->n, record_name_at, &same);
    char canonical[RESOURCE_ADDRESS_SIZE];
    return err_set(err, ERR_INPUT, "%s is not recorded%s%s%s%s%s", address_format(kind, name, canonical),
                   near == NULL ? "" : ", did you mean `", near == NULL ? "" : kind_info(kind)->name,
                   near == NULL ? "" : "/", near == NULL ? "" : near, near == NULL ? "" : "`?");
}

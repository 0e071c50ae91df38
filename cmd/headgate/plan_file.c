/* plan_file.c - writing, reading and comparing saved plans. */
#include "cmd/headgate/plan_file.h"

#include "reconciler/base/limits.h"
#include "reconciler/loop/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT         "headgate-plan"
#define FORMAT_VERSION "1.0"

static void json_freep(json_t **j)
{
    json_decref(*j);
}

static void fd_closep(int *fd)
{
    if (*fd >= 0) (void)close(*fd); /* read from, or about to be removed */
}

/* ---- writing ---- */

static json_t *json_texts(const struct text *items, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_stringn(items[i].ptr, items[i].len));
    return list != NULL && json_array_size(list) == n ? list : (json_decref(list), NULL);
}

static const char *const prune_names[] = {
    [PRUNE_AS_DECLARED] = "declared", [PRUNE_ALWAYS] = "always", [PRUNE_NEVER] = "never"};

static json_t *json_options(const struct pass_options *o, struct text stack)
{
    return json_pack("{s:o, s:b, s:s, s:b, s:b, s:o, s:o, s:o}", "stack", json_stringn(stack.ptr, stack.len),
                     "destroy", o->destroy, "prune", prune_names[o->prune], "allow_empty", o->allow_empty,
                     "refresh", o->refresh, "targets", json_texts(o->targets, o->n_targets), "excludes",
                     json_texts(o->excludes, o->n_excludes), "replaces",
                     json_texts(o->replaces, o->n_replaces));
}

static json_t *json_sources(const struct source *sources, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_pack("{s:s, s:o}", "file", sources[i].file, "content",
                                json_stringn(sources[i].bytes.ptr, sources[i].bytes.len));
        if (json_array_append_new(list, one) != 0) return (json_decref(list), NULL);
    }
    return list;
}

static json_t *json_variables(const struct param_value *v, size_t n)
{
    json_t *map = json_object();
    for (size_t i = 0; i < n; i++)
        if (json_object_set_new(map, v[i].name, json_string(v[i].value)) != 0)
            return (json_decref(map), NULL);
    return map;
}

static bool is_saved(const struct change *c)
{
    return c->action != ACTION_NONE && c->action != ACTION_READ;
}

static enum err_code json_changes(const struct plan *p, json_t **out, struct err *err)
{
    CLEANUP(json_freep) json_t *list = json_array();
    for (uint32_t i = 0; i < p->n_changes; i++) {
        const struct change *c = &p->changes[i];
        char digest[65], address[RESOURCE_ADDRESS_SIZE];
        if (!is_saved(c)) continue;
        enum err_code code = change_digest(c, digest, err);
        if (code != ERR_OK) return code;
        json_t *one = json_pack("{s:s, s:s, s:s}", "address", address_format(c->kind, c->name, address),
                                "action", action_name(c->action), "digest", digest);
        if (json_array_append_new(list, one) != 0) return err_nomem(err);
    }
    *out = TAKE(list);
    return ERR_OK;
}

static enum err_code write_all(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, text, n);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return ERR_IO;
        text += written;
        n -= (size_t)written;
    }
    return fsync(fd) == 0 ? ERR_OK : ERR_IO;
}

bool plan_file_is(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return false;
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char begin[128] = "";
    if (fd < 0 || read(fd, begin, sizeof begin - 1) <= 0) return false;
    return begin[0] == '{' && strstr(begin, "\"" FORMAT "\"") != NULL;
}

/* A manifest that is named by mistake is not lost. */
static enum err_code check_place(const char *path, struct err *err)
{
    struct stat st;
    if (stat(path, &st) != 0 || st.st_size == 0 || !S_ISREG(st.st_mode) || plan_file_is(path)) return ERR_OK;
    return err_set(err, ERR_INPUT, "--out: %s exists and is not a saved plan; choose another path", path);
}

/* Beside the file and then in its place, so that nobody ever reads half a plan. mkstemp() makes it 0600. */
static enum err_code write_file(const char *path, const char *text, size_t n, struct err *err)
{
    char beside[4096];
    int length = snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof beside)
        return err_set(err, ERR_INPUT, "--out: the path is too long");
    CLEANUP(fd_closep) int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0) return err_set(err, ERR_IO, "cannot write the plan to %s: %s", path, strerror(errno));
    if (write_all(fd, text, n) == ERR_OK && rename(beside, path) == 0) return ERR_OK;
    enum err_code code = err_set(err, ERR_IO, "cannot write the plan to %s: %s", path, strerror(errno));
    (void)unlink(beside); /* the first failure is the one to tell */
    return code;
}

enum err_code plan_file_write(const char *path, struct pass *p, const struct pass_options *options,
                              struct err *err)
{
    struct pass_view view;
    pass_view(p, &view);
    char created[CLOCK_RFC3339_SIZE];
    json_t *changes = NULL;
    enum err_code code = check_place(path, err);
    if (code == ERR_OK) code = json_changes(view.plan, &changes, err);
    if (code != ERR_OK) return code;
    CLEANUP(json_freep)
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o}", "format", FORMAT, "format_version",
                  FORMAT_VERSION, "headgate_version", HEADGATE_VERSION, "created",
                  clock_rfc3339(clock_now_unix_ms(), created), "state_id", store_id(view.store), "serial",
                  (json_int_t)view.serial, "options", json_options(options, view.stack), "variables",
                  json_variables(options->variables, options->n_variables), "changes", changes, "sources",
                  json_sources(view.sources, view.n_sources));
    char *text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(1));
    if (text == NULL)
        return err_set(err, ERR_INPUT,
                       "the plan cannot be saved: a manifest, a variable or an address is not UTF-8");
    code = write_file(path, text, strlen(text), err);
    free(text);
    return code;
}

/* ---- reading ---- */

static enum err_code load_json(const char *path, json_t **out, struct err *err)
{
    struct stat st;
    if (stat(path, &st) != 0) return err_set(err, ERR_IO, "cannot read %s: %s", path, strerror(errno));
    if (st.st_size > LIMIT_PLAN_FILE_BYTES)
        return err_set(err, ERR_LIMIT, "%s is larger than a saved plan may be (%d bytes)", path,
                       LIMIT_PLAN_FILE_BYTES);
    json_error_t why;
    *out = json_load_file(path, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &why);
    if (*out == NULL)
        return err_set(err, ERR_INPUT, "%s: the saved plan is damaged (line %d: %s); plan again", path,
                       why.line, why.text);
    return ERR_OK;
}

static const char *copy_string(struct arena *a, const json_t *j)
{
    return json_is_string(j) ? arena_copy(a, json_string_value(j), json_string_length(j)) : NULL;
}

static bool read_texts(struct arena *a, const json_t *list, const struct text **out, size_t *n)
{
    if (!json_is_array(list)) return false;
    struct text *items = arena_array_of(a, json_array_size(list), struct text);
    if (items == NULL) return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *s = copy_string(a, json_array_get(list, i));
        if (s == NULL) return false;
        items[i] = text_of(s);
    }
    *out = items;
    *n = json_array_size(list);
    return true;
}

static bool read_options(struct arena *a, const json_t *o, struct pass_options *out)
{
    static const char *const flags[] = {"destroy", "allow_empty", "refresh"};
    for (size_t i = 0; i < N_ELEMENTS(flags); i++)
        if (!json_is_boolean(json_object_get(o, flags[i]))) return false;
    out->destroy = json_is_true(json_object_get(o, "destroy"));
    const char *prune = json_string_value(json_object_get(o, "prune"));
    size_t which = 0;
    while (which < N_ELEMENTS(prune_names) && (prune == NULL || strcmp(prune, prune_names[which]) != 0))
        which++;
    if (which == N_ELEMENTS(prune_names)) return false;
    out->prune = (enum prune)which;
    out->allow_empty = json_is_true(json_object_get(o, "allow_empty"));
    out->refresh = json_is_true(json_object_get(o, "refresh"));
    out->stack = copy_string(a, json_object_get(o, "stack"));
    return out->stack != NULL &&
           read_texts(a, json_object_get(o, "targets"), &out->targets, &out->n_targets) &&
           read_texts(a, json_object_get(o, "excludes"), &out->excludes, &out->n_excludes) &&
           read_texts(a, json_object_get(o, "replaces"), &out->replaces, &out->n_replaces);
}

static bool read_sources(struct arena *a, const json_t *list, struct pass_options *out)
{
    if (!json_is_array(list)) return false;
    struct source *sources = arena_array_of(a, json_array_size(list), struct source);
    if (sources == NULL) return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i), *content = json_object_get(one, "content");
        sources[i].file = copy_string(a, json_object_get(one, "file"));
        sources[i].bytes = (struct text){copy_string(a, content), json_string_length(content)};
        if (sources[i].file == NULL || sources[i].bytes.ptr == NULL) return false;
    }
    out->sources = sources;
    out->n_sources = json_array_size(list);
    return true;
}

static bool read_variables(struct arena *a, const json_t *map, struct pass_options *out)
{
    if (!json_is_object(map)) return false;
    struct param_value *values = arena_array_of(a, json_object_size(map), struct param_value);
    if (values == NULL) return false;
    const char *name;
    json_t *value;
    size_t n = 0;
    json_object_foreach((json_t *)(uintptr_t)map, name, value)
    {
        values[n].name = arena_strdup(a, name);
        values[n].value = copy_string(a, value);
        if (values[n].name == NULL || values[n].value == NULL) return false;
        n++;
    }
    out->variables = values;
    out->n_variables = n;
    return true;
}

static bool read_changes(struct arena *a, const json_t *list, struct plan_file *out)
{
    if (!json_is_array(list)) return false;
    out->changes = arena_array_of(a, json_array_size(list), struct planned);
    if (out->changes == NULL) return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        struct planned *c = &out->changes[i];
        c->address = copy_string(a, json_object_get(one, "address"));
        c->action = copy_string(a, json_object_get(one, "action"));
        c->digest = copy_string(a, json_object_get(one, "digest"));
        if (c->address == NULL || c->action == NULL || c->digest == NULL) return false;
    }
    out->n_changes = json_array_size(list);
    return true;
}

enum err_code plan_file_read(const char *path, struct arena *arena, struct plan_file *out, struct err *err)
{
    CLEANUP(json_freep) json_t *root = NULL;
    enum err_code code = load_json(path, &root, err);
    if (code != ERR_OK) return code;
    const char *format = json_string_value(json_object_get(root, "format_version"));
    const char *made_by = json_string_value(json_object_get(root, "headgate_version"));
    if (format == NULL || strcmp(format, FORMAT_VERSION) != 0)
        return err_set(err, ERR_INPUT, "%s: the saved plan has format %s, this headgate reads %s; plan again",
                       path, format == NULL ? "?" : format, FORMAT_VERSION);
    if (made_by == NULL || strcmp(made_by, HEADGATE_VERSION) != 0)
        return err_set(
            err, ERR_STALE,
            "%s: the plan was saved by headgate %s, this is %s, which may plan otherwise; plan again", path,
            made_by == NULL ? "?" : made_by, HEADGATE_VERSION);
    *out = (struct plan_file){.serial = json_integer_value(json_object_get(root, "serial"))};
    out->created = copy_string(arena, json_object_get(root, "created"));
    out->state_id = copy_string(arena, json_object_get(root, "state_id"));
    if (!json_is_integer(json_object_get(root, "serial")) || out->created == NULL || out->state_id == NULL ||
        !read_options(arena, json_object_get(root, "options"), &out->options) ||
        !read_sources(arena, json_object_get(root, "sources"), &out->options) ||
        !read_variables(arena, json_object_get(root, "variables"), &out->options) ||
        !read_changes(arena, json_object_get(root, "changes"), out))
        return err_set(err, ERR_INPUT, "%s: the saved plan is damaged; plan again", path);
    return ERR_OK;
}

/* ---- comparing ---- */

struct differences {
    char text[512];
    size_t used;
    uint32_t n, n_shown;
};

#define NOTHING "nothing is to be done"

/* 'saved' is NULL when nothing was planned. */
static void differs(struct differences *d, const char *address, const char *saved, const char *now)
{
    enum { SHOWN = 5 };
    d->n++;
    if (d->n_shown == SHOWN) return;
    char *at = d->text + d->used;
    size_t room = sizeof d->text - d->used;
    int n;
    if (saved == NULL)
        n = snprintf(at, room, "\n  %.80s: nothing was planned, now %s", address, now);
    else
        n = snprintf(at, room, "\n  %.80s: %s was planned, now %s", address, saved, now);
    if (n < 0 || (size_t)n >= room) {
        at[0] = '\0'; /* a line that does not fit is only counted */
        return;
    }
    d->used += (size_t)n;
    d->n_shown++;
}

static int compare_saved(const struct planned *saved, const struct change *now)
{
    enum kind kind;
    struct text name;
    if (!address_parse(text_of(saved->address), &kind, &name)) return -1; /* then it is gone */
    return address_compare(kind, name, now->kind, now->name);
}

/* Both lists are in the order of addresses. */
static enum err_code find_differences(const struct plan_file *f, const struct plan *p, struct differences *d,
                                      struct err *err)
{
    size_t s = 0;
    for (uint32_t i = 0; i < p->n_changes; i++) {
        const struct change *c = &p->changes[i];
        char digest[65], address[RESOURCE_ADDRESS_SIZE];
        if (!is_saved(c)) continue;
        while (s < f->n_changes && compare_saved(&f->changes[s], c) < 0) {
            differs(d, f->changes[s].address, f->changes[s].action, NOTHING);
            s++;
        }
        enum err_code code = change_digest(c, digest, err);
        if (code != ERR_OK) return code;
        (void)address_format(c->kind, c->name, address);
        if (s == f->n_changes || compare_saved(&f->changes[s], c) != 0) {
            differs(d, address, NULL, action_name(c->action));
            continue;
        }
        const struct planned *saved = &f->changes[s++];
        if (strcmp(saved->action, action_name(c->action)) != 0)
            differs(d, address, saved->action, action_name(c->action));
        else if (strcmp(saved->digest, digest) != 0)
            differs(d, address, saved->action, "the same with other values");
    }
    for (; s < f->n_changes; s++) differs(d, f->changes[s].address, f->changes[s].action, NOTHING);
    return ERR_OK;
}

enum err_code plan_file_compare(const struct plan_file *f, struct pass *p, struct err *err)
{
    struct pass_view view;
    pass_view(p, &view);
    struct differences d = {0};
    if (f->state_id[0] != '\0' && strcmp(f->state_id, store_id(view.store)) != 0)
        return err_set(err, ERR_STALE, "the plan was made for another state file; plan again");
    enum err_code code = find_differences(f, view.plan, &d, err);
    if (code != ERR_OK) return code;
    if (d.n > 0)
        return err_set(
            err, ERR_STALE,
            "the saved plan of %s is stale, the cloud or the state has changed since; plan again:%s%s",
            f->created, d.text, d.n > d.n_shown ? "\n  and more" : "");
    if (f->serial != view.serial)
        return err_set(err, ERR_STALE,
                       "the saved plan of %s is stale: the state of stack `" TEXT_FMT
                       "` has been written since (serial %lld, now %lld); plan again",
                       f->created, TEXT_ARG(view.stack), (long long)f->serial, (long long)view.serial);
    return ERR_OK;
}

/* options.c - reads command lines by the table of flags. */
#include "cmd/headgate/options.h"

#include <errno.h>
#include <string.h>

enum flag_type { TYPE_SWITCH, TYPE_TEXT, TYPE_LIST, TYPE_NUMBER, TYPE_REAL, TYPE_DURATION, TYPE_CHOICE };

struct flag_info {
    const char *name;
    char letter; /* 0: none */
    enum flag_type type;
    const char *value; /* what stands for the value in help */
    const char *const *choices;
    int64_t min, max; /* NUMBER */
    const char *doc;
};

static const char *const outputs[] = {"table", "wide", "name", "json", "yaml", NULL};
static const char *const formats[] = {"dot", "mermaid", "svg", NULL};

static const struct flag_info flags[N_FLAGS] = {
    [FLAG_FILE] = {"file", 'f', TYPE_LIST, "PATH",
                   .doc = "Manifests: a file, a folder, or - for standard input; may be repeated"},
    [FLAG_STATE] = {"state", 0, TYPE_TEXT, "PATH",
                    .doc = "State file; default $HEADGATE_STATE, else .headgate/state.db"},
    [FLAG_MOCK] = {"mock", 0, TYPE_TEXT, "PATH",
                   .doc = "File of the simulated cloud; default $HEADGATE_MOCK, else .headgate/mock.db"},
    [FLAG_STACK] = {"stack", 0, TYPE_TEXT, "NAME",
                    .doc = "The stack; default: what the manifests say, or the only one in the state"},
    [FLAG_VAR] = {"var", 0, TYPE_LIST, "NAME=VALUE",
                  .doc = "Value of a variable, before the Stack's own; may be repeated"},
    [FLAG_NO_COLOR] = {"no-color", 0, TYPE_SWITCH, NULL,
                       .doc = "No colours (as NO_COLOR does) and no live view"},
    [FLAG_HELP] = {"help", 'h', TYPE_SWITCH, NULL, .doc = "This text"},
    [FLAG_VERSION] = {"version", 'v', TYPE_SWITCH, NULL, .doc = "As the command `version`"},
    [FLAG_OUT] = {"out", 0, TYPE_TEXT, "FILE", .doc = "Save the plan, for `headgate apply FILE`"},
    [FLAG_JSON] = {"json", 0, TYPE_SWITCH, NULL, .doc = "Output for machines"},
    [FLAG_DETAILED_EXITCODE] = {"detailed-exitcode", 0, TYPE_SWITCH, NULL,
                                .doc = "Exit with 2 when there are differences"},
    [FLAG_REFRESH] = {"refresh", 0, TYPE_SWITCH, NULL,
                      .doc = "Observe the cloud first (default); --refresh=false believes the state"},
    [FLAG_PRUNE] =
        {"prune", 0, TYPE_SWITCH, NULL,
         .doc =
             "Delete what is ours and not in the manifests any more; default: as the Stack says, else true"},
    [FLAG_ALLOW_EMPTY] = {"allow-empty", 0, TYPE_SWITCH, NULL,
                          .doc = "Let manifests without resources prune everything"},
    [FLAG_TARGET] =
        {"target", 0, TYPE_LIST, "ADDRESS",
         .doc = "Only this resource and what it needs (a * at the end matches the rest); may be repeated"},
    [FLAG_EXCLUDE] = {"exclude", 0, TYPE_LIST, "ADDRESS",
                      .doc = "Not this resource and what needs it; may be repeated"},
    [FLAG_REPLACE] = {"replace", 0, TYPE_LIST, "ADDRESS",
                      .doc = "Replace this resource although nothing asks for it; may be repeated"},
    [FLAG_CONCISE] = {"concise", 0, TYPE_SWITCH, NULL, .doc = "One line per change, no fields"},
    [FLAG_DESTROY] = {"destroy", 0, TYPE_SWITCH, NULL, .doc = "Plan to delete everything that is ours"},
    [FLAG_LOCK_TIMEOUT] = {"lock-timeout", 0, TYPE_DURATION, "DURATION",
                           .doc = "How long to wait for the stack's lock, as in 30s; default 0s"},
    [FLAG_AUTO_APPROVE] = {"auto-approve", 0, TYPE_SWITCH, NULL, .doc = "Do not ask"},
    [FLAG_PARALLELISM] = {"parallelism", 0, TYPE_NUMBER, "N", NULL, 1, 256,
                          .doc = "Calls in flight at once; default 10"},
    [FLAG_TRACE] = {"trace", 0, TYPE_TEXT, "FILE", .doc = "Append every move of the engine to this file"},
    [FLAG_UNMANAGED] = {"unmanaged", 0, TYPE_SWITCH, NULL,
                        .doc = "Also list what lies in our VPCs and no manifest owns"},
    [FLAG_OUTPUT] = {"output", 'o', TYPE_CHOICE, "FORMAT", outputs,
                     .doc = "table (default), wide, name, json or yaml"},
    [FLAG_FORMAT] = {"format", 0, TYPE_CHOICE, "FORMAT", formats, .doc = "dot (default), mermaid or svg"},
    [FLAG_PLAN] = {"plan", 0, TYPE_SWITCH, NULL, .doc = "Mark what a plan would do to each resource"},
    [FLAG_LIMIT] = {"limit", 0, TYPE_NUMBER, "N", NULL, 1, 100000,
                    .doc = "At most this many, the newest; default 50"},
    [FLAG_RUN] = {"run", 0, TYPE_NUMBER, "ID", NULL, 1, INT64_MAX, .doc = "Only those of this run"},
    [FLAG_SPEED] = {"speed", 0, TYPE_REAL, "FACTOR",
                    .doc = "Divide all durations of the simulated cloud; 1 is like the real one"},
    [FLAG_LATENCY] = {"latency", 0, TYPE_NUMBER, "MS", NULL, 0, 3600000,
                      .doc = "How long a call takes, in milliseconds"},
    [FLAG_COUNT] = {"count", 0, TYPE_NUMBER, "N", NULL, 1, 1000000, .doc = "How many calls; default 1"},
    [FLAG_CHANGES] = {"changes", 0, TYPE_SWITCH, NULL, .doc = "Only calls that change something"},
    [FLAG_CLEAR] = {"clear", 0, TYPE_SWITCH, NULL, .doc = "Empty the ledger afterwards"},
    [FLAG_FORCE] = {"force", 0, TYPE_SWITCH, NULL, .doc = "With all that hangs on it"},
    [FLAG_REGION] = {"region", 0, TYPE_TEXT, "REGION",
                     .doc = "Region of the simulated cloud; default cn-shanghai"},
};

const char *flag_name(enum flag f)
{
    ASSERT(f < N_FLAGS);
    return flags[f].name;
}

static enum flag find_flag(struct text name)
{
    for (unsigned f = 0; f < N_FLAGS; f++) {
        if (text_is(name, flags[f].name)) return (enum flag)f;
        if (name.len == 1 && flags[f].letter != 0 && name.ptr[0] == flags[f].letter) return (enum flag)f;
    }
    return N_FLAGS;
}

static const char *allowed_name(const void *ctx, size_t i)
{
    const uint64_t *allowed = ctx;
    return (*allowed & FLAG_BIT(i)) == 0 ? NULL : flags[i].name;
}

const char *flag_nearest(const char *word, uint64_t allowed)
{
    return text_nearest(text_of(word + strspn(word, "-")), N_FLAGS, allowed_name, &allowed);
}

/* ---- values ---- */

static enum err_code bad_value(struct err *err, const struct flag_info *f, const char *value,
                               const char *want)
{
    return err_set(err, ERR_INPUT, "--%s: `%s` is not %s", f->name, value, want);
}

/* Decimal with an optional fraction; strtod() alone would take hex, inf and blanks. */
static bool parse_real(const char *s, double *out)
{
    if (s[0] == '\0' || strspn(s, "0123456789.") != strlen(s) || strlen(s) > 32) return false;
    char *end;
    errno = 0;
    double v = strtod(s, &end);
    if (*end != '\0' || errno != 0) return false;
    *out = v;
    return true;
}

static enum err_code take_choice(const struct flag_info *f, const char *value, struct err *err)
{
    char list[128];
    size_t used = 0;
    for (size_t i = 0; f->choices[i] != NULL; i++) {
        if (strcmp(f->choices[i], value) == 0) return ERR_OK;
        int n = snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "one of " : ", ", f->choices[i]);
        used += n < 0 || (size_t)n >= sizeof list - used ? 0 : (size_t)n;
    }
    return bad_value(err, f, value, list);
}

static enum err_code take_switch(const struct flag_info *f, struct option *o, const char *value,
                                 struct err *err)
{
    o->on = value == NULL || strcmp(value, "true") == 0;
    if (o->on || strcmp(value, "false") == 0) return ERR_OK;
    return bad_value(err, f, value, "true or false");
}

static enum err_code take_item(struct arena *arena, struct option *o, const char *value, struct err *err)
{
    if (!arena_grow(arena, &o->items, sizeof *o->items, o->n, &o->capacity)) return err_nomem(err);
    o->items[o->n++] = value;
    return ERR_OK;
}

static enum err_code take_value(struct arena *arena, const struct flag_info *f, struct option *o,
                                const char *value, struct err *err)
{
    o->text = value;
    switch (f->type) {
    case TYPE_SWITCH: break; /* has none, see take_switch() */
    case TYPE_TEXT:
        if (value[0] == '\0') return err_set(err, ERR_INPUT, "--%s needs a value, it is empty", f->name);
        break;
    case TYPE_LIST: return take_item(arena, o, value, err);
    case TYPE_NUMBER:
        if (!text_to_i64(text_of(value), f->min, f->max, &o->num))
            return err_set(err, ERR_INPUT, "--%s: `%s` is not a number from %lld to %lld", f->name, value,
                           (long long)f->min, (long long)f->max);
        break;
    case TYPE_REAL:
        if (!parse_real(value, &o->real)) return bad_value(err, f, value, "a number such as 10 or 0.5");
        break;
    case TYPE_DURATION:
        if (!text_to_duration_ms(text_of(value), &o->num))
            return bad_value(err, f, value, "a duration such as 30s or 5m");
        break;
    case TYPE_CHOICE: return take_choice(f, value, err);
    }
    return ERR_OK;
}

/* ---- the command line ---- */

/* "-ojson": a letter with one of its choices right behind it. All else with one dash is a long name, too. */
static enum flag find_letter(const char *word, const char **value)
{
    for (unsigned f = 0; f < N_FLAGS; f++) {
        if (flags[f].type != TYPE_CHOICE || flags[f].letter == 0 || word[0] != flags[f].letter) continue;
        for (const char *const *choice = flags[f].choices; *choice != NULL; choice++)
            if (strcmp(*choice, word + 1) == 0) {
                *value = word + 1;
                return (enum flag)f;
            }
    }
    return N_FLAGS;
}

/* Takes argv[*i], a flag, and perhaps the value behind it. */
static enum err_code take_flag(struct arena *arena, int argc, char *const *argv, int *i, struct options *out,
                               struct err *err)
{
    const char *word = argv[*i] + 1;
    if (word[0] == '-') word++;
    const char *equals = strchr(word, '=');
    struct text name = {word, equals == NULL ? strlen(word) : (size_t)(equals - word)};
    const char *value = equals == NULL ? NULL : equals + 1;
    enum flag flag = find_flag(name);
    if (flag == N_FLAGS && equals == NULL) flag = find_letter(word, &value);
    if (flag == N_FLAGS) {
        if (out->unknown == NULL) {
            out->unknown = arena_copy(arena, argv[*i], (size_t)(name.ptr - argv[*i]) + name.len);
            if (out->unknown == NULL) return err_nomem(err);
        }
        return ERR_OK;
    }
    const struct flag_info *f = &flags[flag];
    struct option *o = &out->flags[flag];
    o->given = true;
    out->given |= FLAG_BIT(flag);
    if (f->type == TYPE_SWITCH) return take_switch(f, o, value, err);
    if (value == NULL) {
        if (*i + 1 >= argc)
            return err_set(err, ERR_INPUT, "--%s needs a value: --%s %s", f->name, f->name, f->value);
        value = argv[++*i];
    }
    return take_value(arena, f, o, value, err);
}

enum err_code options_parse(struct arena *arena, int argc, char *const *argv, struct options *out,
                            struct err *err)
{
    *out = (struct options){0};
    out->args = arena_array_of(arena, (size_t)argc + 1, const char *);
    if (out->args == NULL) return err_nomem(err);
    out->flags[FLAG_REFRESH].on = true;
    bool ended = false;
    for (int i = 0; i < argc; i++) {
        if (!ended && strcmp(argv[i], "--") == 0) {
            ended = true;
        } else if (!ended && argv[i][0] == '-' && argv[i][1] != '\0') {
            enum err_code code = take_flag(arena, argc, argv, &i, out, err);
            if (code != ERR_OK) return code;
        } else {
            out->args[out->n_args++] = argv[i];
        }
    }
    return ERR_OK;
}

/* ---- help ---- */

static void put_synopsis(struct buf *out, const struct flag_info *f)
{
    if (f->letter != 0)
        buf_printf(out, "  -%c, --%s", f->letter, f->name);
    else
        buf_printf(out, "      --%s", f->name);
    if (f->value != NULL) buf_printf(out, " %s", f->value);
}

void flags_help(struct buf *out, uint64_t allowed)
{
    enum { COLUMN = 33 };
    for (unsigned i = 0; i < N_FLAGS; i++) {
        if ((allowed & FLAG_BIT(i)) == 0) continue;
        size_t start = out->len;
        put_synopsis(out, &flags[i]);
        size_t width = out->len - start;
        buf_fill(out, ' ', width < COLUMN ? COLUMN - width : 1);
        buf_printf(out, "%s\n", flags[i].doc);
    }
}

/* validate.c - refuses requests that do not fit the operation's metadata.
 *
 * Names, types, required parameters, closed lists of values and ranges come from the generated table
 * (operations.c); flattened lists and objects ("Tag.1.Key", "SystemDisk.Size") are followed to their members.
 * The real gateway is believed to ignore unknown parameters; with the option 'strict' they are refused, so
 * that a misspelt name does not go unnoticed. */
#include <string.h>
#include <strings.h>

#include "providers/mock/inside.h"
#include "reconciler/base/limits.h"

enum { MAX_LIST_INDEX = 1000 };

static const struct op_param *find_param(const struct op_param *params, size_t n, struct text name)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = text_compare(text_of(params[middle].name), name);
        if (order == 0) return &params[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* The description of a flattened name, or NULL when it has none. */
static const struct op_param *resolve(const struct operation *op, const char *name)
{
    const struct op_param *p = find_param(op->params, op->n_params, text_of(name));
    if (p != NULL) return p->type == OP_LIST || p->type == OP_OBJECT ? NULL : p;
    struct text rest = text_of(name), part;
    if (!text_cut(&rest, '.', &part) || rest.ptr == NULL) return NULL;
    p = find_param(op->params, op->n_params, part);
    while (p != NULL) {
        if (p->type == OP_LIST) {
            uint64_t index;
            if (!text_cut(&rest, '.', &part)) return NULL;
            if (!text_to_u64(part, MAX_LIST_INDEX, &index) || index == 0 || part.ptr[0] == '0') return NULL;
            if (p->n_members == 0) return rest.ptr == NULL ? p : NULL;
        } else if (p->type != OP_OBJECT) {
            return rest.ptr == NULL ? p : NULL;
        }
        if (!text_cut(&rest, '.', &part)) return NULL;
        p = find_param(p->members, p->n_members, part);
        if (p != NULL && p->type != OP_LIST && p->type != OP_OBJECT) return rest.ptr == NULL ? p : NULL;
    }
    return NULL;
}

static bool is_allowed(const struct op_param *p, const char *value)
{
    if (p->allowed == NULL) return true;
    for (const char *const *a = p->allowed; *a != NULL; a++)
        if ((p->any_case ? strcasecmp(*a, value) : strcmp(*a, value)) == 0) return true;
    return false;
}

static bool fits_type(enum op_type type, const char *value, int64_t *number)
{
    struct text t = text_of(value);
    switch (type) {
    case OP_BOOLEAN: return text_is(t, "true") || text_is(t, "false");
    case OP_INTEGER: return text_to_i64(t, INT32_MIN, INT32_MAX, number);
    case OP_LONG: return text_to_i64(t, INT64_MIN, INT64_MAX, number);
    case OP_FLOAT: {
        char *end;
        (void)strtod(value, &end);
        return end != value && *end == '\0';
    }
    default: return true;
    }
}

static bool refuse_value(struct call *c, const char *name, const char *value)
{
    (void)snprintf(c->code_text, sizeof(c->code_text), "Invalid%s", name);
    return refuse(c, 400, c->code_text, "The specified value \"%s\" of parameter \"%s\" is not valid.", value,
                  name);
}

static bool check_value(struct call *c, const struct param *given, const struct op_param *p)
{
    int64_t number = 0;
    if (given->value[0] == '\0' && p->type == OP_STRING) return true; /* as if it were not there */
    if (!fits_type(p->type, given->value, &number)) return refuse_value(c, p->name, given->value);
    if (!is_allowed(p, given->value)) return refuse_value(c, p->name, given->value);
    bool is_number = p->type == OP_INTEGER || p->type == OP_LONG;
    if (is_number && ((p->has_min && number < p->min) || (p->has_max && number > p->max)))
        return refuse_value(c, p->name, given->value);
    return true;
}

static bool refuse_absent(struct call *c, const char *name)
{
    return refuse(c, 400, "MissingParameter",
                  "The input parameter \"%s\" that is mandatory for processing this request is not supplied.",
                  name);
}

/* Lists start at 1 and have no gaps. */
static bool has_element(const struct call *c, const char *list, unsigned n)
{
    char prefix[128];
    (void)snprintf(prefix, sizeof(prefix), "%s.%u.", list, n);
    return argf(c, "%s.%u", list, n) != NULL || arg_has_prefix(c, prefix);
}

static bool check_required_members(struct call *c, const struct op_param *p)
{
    for (unsigned n = 1; has_element(c, p->name, n); n++) {
        for (size_t i = 0; i < p->n_members; i++) {
            if (!p->members[i].required) continue;
            char name[128];
            (void)snprintf(name, sizeof(name), "%s.%u.%s", p->name, n, p->members[i].name);
            const char *value = arg(c, name);
            if (value == NULL) return refuse_absent(c, name);
        }
    }
    return true;
}

static bool check_required(struct call *c)
{
    for (size_t i = 0; i < c->op->n_params; i++) {
        const struct op_param *p = &c->op->params[i];
        bool list = p->type == OP_LIST;
        if (p->required && strcmp(p->name, "RegionId") != 0) {
            const char *value = list ? NULL : arg(c, p->name);
            if (list ? !has_element(c, p->name, 1) : value == NULL || value[0] == '\0')
                return refuse_absent(c, p->name);
        }
        if (list && p->n_members > 0 && !check_required_members(c, p)) return false;
    }
    return true;
}

bool validate(struct call *c)
{
    if (c->n_params > LIMIT_API_PARAMS * 4)
        return refuse(c, 400, "InvalidParameter", "There are too many parameters.");
    for (size_t i = 0; i < c->n_params; i++) {
        const struct param *given = c->params[i];
        if (i > 0 && strcmp(c->params[i - 1]->name, given->name) == 0)
            return refuse(c, 400, "InvalidParameter", "Parameter \"%s\" is there twice.", given->name);
        if (!text_is_utf8(text_of(given->value), NULL))
            return refuse(c, 400, "InvalidParameter", "The value of \"%s\" is not UTF-8.", given->name);
        const struct op_param *p = resolve(c->op, given->name);
        if (p == NULL && c->m->options[OPT_STRICT] != 0)
            return refuse(c, 400, "InvalidParameter.Unknown", "%s has no parameter \"%s\".", c->op->name,
                          given->name);
        if (p != NULL && !check_value(c, given, p)) return false;
    }
    const char *token = arg(c, "ClientToken");
    if (token != NULL && strlen(token) > LIMIT_CLIENT_TOKEN)
        return refuse(c, 400, "InvalidClientToken", "The client token has more than 64 characters.");
    return check_required(c);
}

/* values.c - scalars: texts, numbers, addresses, ports. Collections are in value_lists.c. */
#include "reconciler/manifest/values.h"

#include "reconciler/base/ip.h"
#include "reconciler/base/limits.h"
#include "reconciler/manifest/value_lists.h"

#include <string.h>

static struct mark mark_at(const struct load *l, uint32_t node)
{
    return l->tree->nodes[node].mark;
}

static bool is_plain(const struct load *l, uint32_t node)
{
    return (tree_node(l->tree, node)->flags & NODE_PLAIN) != 0;
}

/* Integers of the core schema. Source: YAML 1.2, 10.3.2 */
static bool parse_int(struct text t, int64_t *out)
{
    int64_t sign = 1;
    if (t.len > 0 && (t.ptr[0] == '+' || t.ptr[0] == '-')) {
        sign = t.ptr[0] == '-' ? -1 : 1;
        t = (struct text){t.ptr + 1, t.len - 1};
    } else if (t.len > 2 && t.ptr[0] == '0' && (t.ptr[1] == 'x' || t.ptr[1] == 'o')) {
        uint64_t base = t.ptr[1] == 'x' ? 16 : 8, v = 0;
        for (size_t i = 2; i < t.len; i++) {
            char c = t.ptr[i];
            uint64_t digit = c >= '0' && c <= '9'   ? (uint64_t)(c - '0')
                             : c >= 'a' && c <= 'f' ? (uint64_t)(c - 'a' + 10)
                             : c >= 'A' && c <= 'F' ? (uint64_t)(c - 'A' + 10)
                                                    : 99;
            if (digit >= base || v > (uint64_t)INT64_MAX / 32) return false;
            v = v * base + digit;
        }
        *out = (int64_t)v;
        return true;
    }
    uint64_t v;
    if (!text_to_u64(t, (uint64_t)INT64_MAX, &v)) return false;
    *out = sign * (int64_t)v;
    return true;
}

bool value_read_int(struct load *l, const char *what, int64_t min, int64_t max, uint32_t node, int64_t *out)
{
    struct text t;
    int64_t v;
    if (!load_scalar(l, node, what, &t)) return false;
    bool is_int = parse_int(t, &v);
    if (is_int && !is_plain(l, node)) {
        COMPLAIN(l, mark_at(l, node), load_help(l, "write %s without quotes", load_shown(l, t)),
                 "`%s` needs an integer, not the text \"%s\"", what, load_shown(l, t));
        return false;
    }
    if (!is_int) {
        COMPLAIN(l, mark_at(l, node), NULL, "`%s` needs an integer, not `%s`", what, load_shown(l, t));
        return false;
    }
    if (v < min || v > max) {
        if (max == INT64_MAX)
            COMPLAIN(l, mark_at(l, node), NULL, "`%s` is %lld, but must be at least %lld", what, (long long)v,
                     (long long)min);
        else
            COMPLAIN(l, mark_at(l, node), NULL, "`%s` is %lld, but must be from %lld to %lld", what,
                     (long long)v, (long long)min, (long long)max);
        return false;
    }
    *out = v;
    return true;
}

/* Words for booleans; those of YAML 1.1 are refused, with what would be right. */
static const struct {
    const char *word;
    bool value, core;
} bool_words[] = {
    {"true", true, true},   {"True", true, true},     {"TRUE", true, true},       {"false", false, true},
    {"False", false, true}, {"FALSE", false, true},   {"yes", true, false},       {"on", true, false},
    {"y", true, false},     {"enabled", true, false}, {"1", true, false},         {"no", false, false},
    {"off", false, false},  {"n", false, false},      {"disabled", false, false}, {"0", false, false},
};

bool value_read_bool(struct load *l, const char *what, uint32_t node, bool *out)
{
    struct text t;
    if (!load_scalar(l, node, what, &t)) return false;
    const char *help = "write true or false";
    for (size_t i = 0; i < N_ELEMENTS(bool_words); i++) {
        if (bool_words[i].core ? !text_is(t, bool_words[i].word)
                               : !text_equal_nocase(t, text_of(bool_words[i].word)))
            continue;
        if (bool_words[i].core && is_plain(l, node)) {
            *out = bool_words[i].value;
            return true;
        }
        help = load_help(l, "write %s%s", bool_words[i].value ? "true" : "false",
                         bool_words[i].core ? " without quotes" : "");
        break;
    }
    COMPLAIN(l, mark_at(l, node), help, "`%s` needs true or false, not %s%s%s", what,
             is_plain(l, node) ? "`" : "the text \"", load_shown(l, t), is_plain(l, node) ? "`" : "\"");
    return false;
}

static bool read_text(struct load *l, const struct field *f, uint32_t node, struct text t, struct value *out)
{
    const char *fault = text_rule_fault(f->rule, t);
    if (fault == NULL && memchr(t.ptr, '\0', t.len) != NULL) fault = "has a NUL character";
    if (fault != NULL) {
        const char *words = text_rule_words(f->rule);
        COMPLAIN(l, mark_at(l, node), words == NULL ? NULL : load_help(l, "%s", words), "`%s`: `%s` %s",
                 f->name, load_shown(l, t), fault);
        return false;
    }
    *out = value_text(load_keep(l, t), t.len);
    return true;
}

static bool read_enum(struct load *l, const struct field *f, uint32_t node, struct text t, struct value *out)
{
    for (size_t i = 0; f->choices[i] != NULL; i++)
        if (text_equal_nocase(t, text_of(f->choices[i]))) {
            *out = value_cstr(f->choices[i]);
            return true;
        }
    COMPLAIN(l, mark_at(l, node), load_suggest_choice(l, t, f->choices, NULL), "`%s`: `%s` is none of %s",
             f->name, load_shown(l, t), load_choices(l, f->choices));
    return false;
}

static struct value kept(struct load *l, struct text t)
{
    return value_text(load_keep(l, t), t.len);
}

static void complain_cidr(struct load *l, const struct field *f, struct mark mark, struct text t,
                          enum ip_fault fault, struct cidr c)
{
    char text[CIDR_TEXT_SIZE];
    uint32_t ip;
    const char *shown = load_shown(l, t);
    switch (fault) {
    case IP_IS_V6:
        COMPLAIN(l, mark, "use an IPv4 block such as 10.0.0.0/16",
                 "`%s`: `%s` is IPv6, an IPv4 block is needed", f->name, shown);
        break;
    case IP_BAD_BITS:
        COMPLAIN(l, mark, NULL, "`%s`: the mask of `%s` is longer than 32 bits", f->name, shown);
        break;
    case IP_HOST_BITS:
        COMPLAIN(l, mark, load_help(l, "did you mean `%s`?", cidr_format(c, text)),
                 "`%s`: `%s` has bits set behind its mask", f->name, shown);
        break;
    default: {
        bool bare = ip_parse(t, &ip) == IP_OK;
        COMPLAIN(l, mark, bare ? load_help(l, "an address alone is `%s/32`", shown) : "as in 10.0.0.0/16",
                 "`%s`: `%s` is not an IPv4 block", f->name, shown);
    }
    }
}

bool value_read_cidr(struct load *l, const struct field *f, uint32_t node, struct value *out)
{
    struct text t;
    struct cidr c = {0};
    char text[CIDR_TEXT_SIZE];
    if (!load_scalar(l, node, f->name, &t)) return false;
    enum ip_fault fault = cidr_parse(t, &c);
    if (fault != IP_OK) {
        complain_cidr(l, f, mark_at(l, node), t, fault, c);
        return false;
    }
    bool masked = f->type == FIELD_CIDR && (f->min != 0 || f->max != 0);
    if (masked && (c.bits < f->min || c.bits > f->max)) {
        COMPLAIN(l, mark_at(l, node), NULL, "`%s`: the mask of `%s` must have %lld to %lld bits", f->name,
                 cidr_format(c, text), (long long)f->min, (long long)f->max);
        return false;
    }
    *out = kept(l, t); /* there is one way to write a block that is accepted */
    return true;
}

static bool read_ip(struct load *l, const struct field *f, uint32_t node, struct text t, struct value *out)
{
    uint32_t ip;
    enum ip_fault fault = ip_parse(t, &ip);
    if (fault == IP_OK) {
        *out = kept(l, t); /* there is one way to write it */
        return true;
    }
    if (fault == IP_IS_V6)
        COMPLAIN(l, mark_at(l, node), "use an IPv4 address such as 10.0.0.1",
                 "`%s`: `%s` is IPv6, an IPv4 address is needed", f->name, load_shown(l, t));
    else
        COMPLAIN(l, mark_at(l, node), "as in 10.0.0.1", "`%s`: `%s` is not an IPv4 address", f->name,
                 load_shown(l, t));
    return false;
}

static bool read_ports(struct load *l, const struct field *f, uint32_t node, struct text t, struct value *out)
{
    uint16_t first, last;
    char text[16];
    for (size_t i = 0; f->choices != NULL && f->choices[i] != NULL; i++)
        if (text_equal_nocase(t, text_of(f->choices[i]))) {
            *out = value_cstr(f->choices[i]);
            return true;
        }
    if (ports_parse(t, (uint16_t)f->min, &first, &last)) {
        if (first == last)
            (void)snprintf(text, sizeof text, "%u", first);
        else
            (void)snprintf(text, sizeof text, "%u/%u", first, last);
        *out = kept(l, text_of(text));
        return true;
    }
    COMPLAIN(l, mark_at(l, node),
             load_help(l, "a port from %lld to 65535, a range such as 8000/8080%s%s", (long long)f->min,
                       f->choices == NULL ? "" : ", or ",
                       f->choices == NULL ? "" : load_choices(l, f->choices)),
             "`%s`: `%s` is not a port or a range of ports", f->name, load_shown(l, t));
    return false;
}

struct value value_initial(const struct field *f)
{
    int64_t num;
    switch (f->type) {
    case FIELD_BOOL: return value_bool(strcmp(f->initial, "true") == 0);
    case FIELD_INT:
        return text_to_i64(text_of(f->initial), INT64_MIN, INT64_MAX, &num) ? value_int(num)
                                                                            : (struct value){0};
    default: return value_cstr(f->initial);
    }
}

static bool read_num(struct load *l, const struct field *f, uint32_t node, struct value *out)
{
    int64_t num;
    bool flag, any = f->min == 0 && f->max == 0;
    if (f->type == FIELD_BOOL) {
        if (!value_read_bool(l, f->name, node, &flag)) return false;
        *out = value_bool(flag);
        return true;
    }
    if (!value_read_int(l, f->name, any ? INT64_MIN : f->min, any ? INT64_MAX : f->max, node, &num))
        return false;
    *out = value_int(num);
    return true;
}

bool value_read(struct load *l, const struct field *f, uint32_t node, struct value *out)
{
    *out = (struct value){0};
    if (tree_is_null(l->tree, tree_node(l->tree, node))) return false;
    switch (f->type) {
    case FIELD_INT:
    case FIELD_BOOL: return read_num(l, f, node, out);
    case FIELD_CIDR: return value_read_cidr(l, f, node, out);
    case FIELD_REF: return value_read_ref(l, f->name, f->ref, node, out);
    case FIELD_MAP: return value_read_map(l, f->name, true, f->max, node, out);
    case FIELD_TEXT_LIST:
    case FIELD_CIDR_LIST:
    case FIELD_REF_LIST: return value_read_list(l, f, node, out);
    default: break;
    }
    struct text t;
    if (!load_scalar(l, node, f->name, &t)) return false;
    switch (f->type) {
    case FIELD_ENUM: return read_enum(l, f, node, t, out);
    case FIELD_IP: return read_ip(l, f, node, t, out);
    case FIELD_PORTS: return read_ports(l, f, node, t, out);
    default: return read_text(l, f, node, t, out);
    }
}

/* text_rule.c - names, descriptions, zones and ids by the cloud's rules. */
#include "reconciler/manifest/values.h"

#include <string.h>

enum first { FIRST_ANY, FIRST_LETTER, FIRST_LETTER_OR_CHINESE };

/* Source: api-behaviour 5.1 (names and descriptions), 5.4 (EIPs) */
static const struct {
    size_t min, max; /* characters; 0, 0: no such rule */
    enum first first;
    const char *more; /* what may follow beside letters and digits; NULL: anything */
    bool no_url;
    const char *words, *pattern;
} rules[] = {
    [RULE_NONE] = {0},
    [RULE_NAME] = {2, 128, FIRST_LETTER_OR_CHINESE, "._-:", true,
                   "2 to 128 characters: a letter or Chinese character, then letters, digits, `.`, `_`, `-`",
                   "^(?!https?://)[A-Za-z\\u4e00-\\u9fff][A-Za-z0-9\\u4e00-\\u9fff._:-]{1,127}$"},
    [RULE_EIP_NAME] = {1, 128, FIRST_LETTER, "._-", false,
                       "1 to 128 characters: a letter, then letters, digits, `.`, `_`, `-`",
                       "^[A-Za-z][A-Za-z0-9._-]{0,127}$"},
    [RULE_DESCRIPTION] = {2, 256, FIRST_ANY, NULL, true,
                          "2 to 256 characters, not beginning with http:// or https://",
                          "^$|^(?!https?://)[\\s\\S]{2,256}$"},
    [RULE_LETTER_DESCRIPTION] =
        {2, 256, FIRST_LETTER_OR_CHINESE, NULL, true,
         "2 to 256 characters, a letter first, not beginning with http:// or https://",
         "^$|^(?!https?://)[A-Za-z\\u4e00-\\u9fff][\\s\\S]{1,255}$"},
    [RULE_ZONE] = {0, 0, FIRST_ANY, NULL, false, "a zone id such as cn-shanghai-b",
                   "^[a-z]{2,}(-[a-z0-9]+)+-[a-z0-9]+$"},
    [RULE_CLOUD_ID] = {0, 0, FIRST_ANY, NULL, false, "an id such as rg-acfmxazb4ph6aiy",
                       "^[a-z]+-[a-z0-9]+$"},
};

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* Whether a Chinese character (U+4E00 to U+9FFF, three bytes of UTF-8) begins at p. */
static bool is_chinese(const unsigned char *p, size_t left)
{
    if (left < 3) return false;
    uint32_t c = ((uint32_t)p[0] & 0x0f) << 12 | ((uint32_t)p[1] & 0x3f) << 6 | ((uint32_t)p[2] & 0x3f);
    return (p[0] & 0xf0) == 0xe0 && c >= 0x4e00 && c <= 0x9fff;
}

static const char *name_fault(struct text t, const char *more, bool chinese)
{
    const unsigned char *p = (const unsigned char *)t.ptr;
    for (size_t i = 0; i < t.len;) {
        if (chinese && is_chinese(p + i, t.len - i)) {
            i += 3;
            continue;
        }
        if (p[i] == 0 || (!is_letter(p[i]) && !is_digit(p[i]) && strchr(more, p[i]) == NULL))
            return "has a character that names may not have";
        i++;
    }
    return NULL;
}

/* Lower-case words joined by '-', at least 'parts' of them, the first of letters alone. */
static bool is_dashed(struct text t, size_t parts)
{
    struct text part;
    size_t n = 0;
    while (text_cut(&t, '-', &part)) {
        if (part.len == 0) return false;
        for (size_t i = 0; i < part.len; i++) {
            unsigned char c = (unsigned char)part.ptr[i];
            if (!(c >= 'a' && c <= 'z') && (n == 0 || !is_digit(c))) return false;
        }
        n++;
    }
    return n >= parts;
}

const char *text_rule_fault(enum text_rule rule, struct text t)
{
    if (rule == RULE_NONE) return NULL;
    if (rule == RULE_ZONE) return is_dashed(t, 3) ? NULL : "is not a zone id";
    if (rule == RULE_CLOUD_ID) return is_dashed(t, 2) ? NULL : "is not an id";
    bool description = rules[rule].more == NULL;
    if (description && t.len == 0) return NULL; /* the way to empty it */
    size_t n = text_n_chars(t);
    if (n < rules[rule].min) return "is too short";
    if (n > rules[rule].max) return "is too long";
    if (rules[rule].no_url && (text_starts_with(t, "http://") || text_starts_with(t, "https://")))
        return "begins with http:// or https://";
    const unsigned char *p = (const unsigned char *)t.ptr;
    bool chinese = rules[rule].first == FIRST_LETTER_OR_CHINESE;
    if (rules[rule].first != FIRST_ANY && !is_letter(p[0]) && !(chinese && is_chinese(p, t.len)))
        return "does not begin with a letter";
    return description ? NULL : name_fault(t, rules[rule].more, chinese);
}

const char *text_rule_pattern(enum text_rule rule)
{
    return rules[rule].pattern;
}

const char *text_rule_words(enum text_rule rule)
{
    return rules[rule].words;
}

bool id_is_valid(enum kind kind, struct text id)
{
    const char *prefix = kind_info(kind)->id_prefix;
    if (prefix == NULL || !text_starts_with(id, prefix) || id.len == strlen(prefix) || id.len > 128)
        return false;
    for (size_t i = strlen(prefix); i < id.len; i++) {
        unsigned char c = (unsigned char)id.ptr[i];
        if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_') return false;
    }
    return true;
}

bool value_check_id(struct load *l, const char *what, enum kind kind, struct text id, struct mark mark)
{
    if (id_is_valid(kind, id)) return true;
    const struct kind_info *info = kind_info(kind);
    if (info->id_prefix == NULL)
        COMPLAIN(l, mark, "give its name", "%s: %s has no id in the cloud", what, info->name);
    else
        COMPLAIN(l, mark, load_help(l, "ids of this kind look like %sbp1abc", info->id_prefix),
                 "%s: `%s` is not the id of a %s", what, load_shown(l, id), info->name);
    return false;
}

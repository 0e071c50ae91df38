/* json.c - reading answers, tolerantly: numbers may be texts and texts numbers.  Source: api-behaviour 11 */
#include "providers/alicloud/mapping.h"

#include <math.h>
#include <string.h>

json_t *document_of(struct body body)
{
    if (body.document == NULL)
        return json_loadb(body.text.ptr == NULL ? "" : body.text.ptr, body.text.len, 0, NULL);
    union {
        const json_t *given;
        json_t *counted;
    } document = {.given = body.document}; /* its content is left alone: jansson counts inside */
    return json_incref(document.counted);
}

size_t json_count(const json_t *list)
{
    if (json_is_array(list)) return json_array_size(list);
    return json_is_object(list) || json_is_string(list) ? 1 : 0;
}

const json_t *json_item(const json_t *list, size_t i)
{
    return json_is_array(list) ? json_array_get(list, i) : list;
}

const json_t *json_at(const json_t *j, const char *path)
{
    if (strchr(path, '.') == NULL && !json_is_array(j)) { /* most of them */
        j = json_object_get(j, path);
        return json_is_null(j) ? NULL : j;
    }
    struct text rest = text_of(path), name;
    while (j != NULL && text_cut(&rest, '.', &name)) {
        if (json_is_array(j)) j = json_array_size(j) == 1 ? json_array_get(j, 0) : NULL;
        char key[64];
        if (j == NULL || name.len >= sizeof key) return NULL;
        memcpy(key, name.ptr, name.len);
        key[name.len] = '\0';
        j = json_object_get(j, key);
    }
    return json_is_null(j) ? NULL : j;
}

/* The first item where there is a list. */
static const json_t *scalar_at(const json_t *j, const char *path)
{
    j = json_at(j, path);
    return json_is_array(j) ? json_array_get(j, 0) : j;
}

const char *json_text_at(const json_t *j, const char *path, struct arena *a, bool *out_of_memory)
{
    char number[40];
    const char *text = NULL;
    j = scalar_at(j, path);
    if (json_is_string(j))
        text = json_string_value(j);
    else if (json_is_boolean(j))
        text = json_is_true(j) ? "true" : "false";
    else if (json_is_integer(j)) {
        (void)snprintf(number, sizeof number, "%lld", (long long)json_integer_value(j));
        text = number;
    } else if (json_is_real(j)) {
        (void)snprintf(number, sizeof number, "%.15g", json_real_value(j));
        text = number;
    }
    if (text == NULL) return NULL;
    const char *copy = arena_strdup(a, text);
    if (copy == NULL) *out_of_memory = true;
    return copy;
}

bool json_text_is(const json_t *j, const char *path, const char *text)
{
    const char *found = json_string_value(scalar_at(j, path));
    return found != NULL && text_equal_nocase(text_of(found), text_of(text));
}

bool json_int_at(const json_t *j, const char *path, int64_t *out)
{
    j = scalar_at(j, path);
    if (json_is_integer(j)) {
        *out = json_integer_value(j);
        return true;
    }
    if (json_is_boolean(j)) {
        *out = json_is_true(j);
        return true;
    }
    if (json_is_real(j)) {
        double d = json_real_value(j);
        if (!(fabs(d) < 1e15)) return false;
        *out = (int64_t)d;
        return true;
    }
    if (!json_is_string(j)) return false;
    struct text t = text_trim(text_of(json_string_value(j)));
    if (text_equal_nocase(t, TEXT("true")) || text_equal_nocase(t, TEXT("false"))) {
        *out = t.len == 4;
        return true;
    }
    return text_to_i64(t, INT64_MIN, INT64_MAX, out);
}

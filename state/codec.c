/* codec.c - values to JSON and back, one pass each way.
 *
 * A list of a hundred thousand records is decoded in one go, so the common case is short: names come in the
 * order of the kind's table, text has no escapes and is copied at most once, from SQLite's page to the arena;
 * what equals a neighbour's is not copied at all. */
#include "state/codec.h"

#include <string.h>

#include "state/sqlite.h"

/* How a type looks in JSON. */
enum wire { WIRE_NONE, WIRE_STRING, WIRE_NUMBER, WIRE_BOOL, WIRE_ARRAY, WIRE_OBJECT };

static const struct {
    enum wire wire;
    bool is_ref; /* it, or its items, is a cloud id */
    const char *wants;
} types[N_FIELD_TYPES] = {
    [FIELD_TEXT] = {WIRE_STRING, false, "text"},
    [FIELD_INT] = {WIRE_NUMBER, false, "an integer"},
    [FIELD_BOOL] = {WIRE_BOOL, false, "true or false"},
    [FIELD_ENUM] = {WIRE_STRING, false, "text"},
    [FIELD_CIDR] = {WIRE_STRING, false, "text"},
    [FIELD_IP] = {WIRE_STRING, false, "text"},
    [FIELD_PORTS] = {WIRE_STRING, false, "text"},
    [FIELD_REF] = {WIRE_STRING, true, "text"},
    [FIELD_TEXT_LIST] = {WIRE_ARRAY, false, "a list of text"},
    [FIELD_CIDR_LIST] = {WIRE_ARRAY, false, "a list of text"},
    [FIELD_REF_LIST] = {WIRE_ARRAY, true, "a list of text"},
    [FIELD_MAP] = {WIRE_OBJECT, false, "a mapping of text to text"},
    /* Expanded to resources of their own before anything is recorded. */
    [FIELD_INLINE] = {WIRE_NONE, false, "nothing"},
};

/* ---- values to text ---- */

static void put_string(struct buf *b, struct text t)
{
    buf_putc(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        buf_put(b, t.ptr + from, i - from);
        from = i + 1;
        if (c < 0x20)
            buf_printf(b, "\\u%04x", c);
        else
            buf_put(b, (const char[]){'\\', (char)c}, 2);
    }
    buf_put(b, t.ptr + from, t.len - from);
    buf_putc(b, '"');
}

/* False when it is a reference in a form that means nothing outside the pass. */
static bool put_item(struct buf *b, bool is_ref, struct value v)
{
    if (v.state != VALUE_SET) {
        buf_puts(b, "null");
        return true;
    }
    if (is_ref && v.form != REF_ID) return false;
    put_string(b, value_as_text(v));
    return true;
}

static bool put_items(struct buf *b, bool is_ref, bool pairs, struct value v)
{
    buf_putc(b, pairs ? '{' : '[');
    for (uint32_t i = 0; i < v.n; i++) {
        if (i > 0) buf_putc(b, pairs && i % 2 == 1 ? ':' : ',');
        if (!put_item(b, is_ref, v.u.items[i])) return false;
    }
    buf_putc(b, pairs ? '}' : ']');
    return true;
}

static bool put_value(struct buf *b, enum field_type type, struct value v)
{
    if (v.state == VALUE_UNKNOWN) {
        buf_puts(b, "null");
        return true;
    }
    switch (types[type].wire) {
    case WIRE_STRING: return put_item(b, types[type].is_ref, v);
    case WIRE_NUMBER: buf_printf(b, "%lld", (long long)v.u.num); return true;
    case WIRE_BOOL: buf_puts(b, v.u.num != 0 ? "true" : "false"); return true;
    case WIRE_ARRAY: return put_items(b, types[type].is_ref, false, v);
    case WIRE_OBJECT: return put_items(b, false, true, v);
    case WIRE_NONE: break;
    }
    return true;
}

enum err_code codec_put_fields(struct buf *b, const struct kind_info *kind, const struct value *values,
                               struct err *err)
{
    char before = '{';
    for (uint8_t i = 0; i < kind->n_fields; i++) {
        const struct field *f = &kind->fields[i];
        if (values[i].state == VALUE_UNSET || types[f->type].wire == WIRE_NONE) continue;
        buf_putc(b, before);
        before = ',';
        put_string(b, text_of(f->name));
        buf_putc(b, ':');
        if (!put_value(b, f->type, values[i]))
            return err_set(err, ERR_INPUT, "field `%s` refers to something without a cloud id", f->name);
    }
    if (before == '{') buf_putc(b, '{');
    buf_putc(b, '}');
    return ERR_OK;
}

void codec_put_given(struct buf *b, const struct kind_info *kind, uint64_t set_fields)
{
    char before = '[';
    for (uint8_t i = 0; i < kind->n_fields; i++) {
        if ((set_fields >> i & 1) == 0) continue;
        buf_putc(b, before);
        before = ',';
        put_string(b, text_of(kind->fields[i].name));
    }
    if (before == '[') buf_putc(b, '[');
    buf_putc(b, ']');
}

/* ---- text to values ---- */

struct reader {
    const char *at, *end;
    struct text all;
    struct arena *arena;    /* NULL: only names are read */
    const struct text *own; /* a text that strings may share; NULL: none */
};

/* What reading a part gives; the offset and the field are added where the message is made. */
enum fault { FAULT_NONE, FAULT_FORM, FAULT_TYPE, FAULT_TWICE, FAULT_NOMEM };

static enum err_code fault_set(struct err *err, const struct reader *r, enum fault fault,
                               const struct field *f)
{
    size_t offset = (size_t)(r->at - r->all.ptr);
    switch (fault) {
    case FAULT_NOMEM: return err_nomem(err);
    case FAULT_TYPE:
        return err_set(err, ERR_STATE, "field `%s` does not hold %s (at byte %zu)", f->name,
                       types[f->type].wants, offset);
    case FAULT_TWICE:
        return err_set(err, ERR_STATE, "field `%s` is there twice (at byte %zu)", f->name, offset);
    default: return err_set(err, ERR_STATE, "its fields are not well-formed JSON (at byte %zu)", offset);
    }
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) r->at++;
}

/* Whether the next character is 'c'; it is consumed then. */
static bool eat(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static bool eat_word(struct reader *r, struct text word)
{
    skip_blanks(r);
    if ((size_t)(r->end - r->at) < word.len || memcmp(r->at, word.ptr, word.len) != 0) return false;
    r->at += word.len;
    return true;
}

/* The bytes between quotes, as they are; *escaped when there is a backslash among them. */
static bool read_raw(struct reader *r, struct text *raw, bool *escaped)
{
    if (!eat(r, '"')) return false;
    const char *from = r->at, *quote = memchr(from, '"', (size_t)(r->end - from));
    const char *escape = quote == NULL ? NULL : memchr(from, '\\', (size_t)(quote - from));
    *escaped = escape != NULL;
    while (escape != NULL) { /* the quote may be what is escaped */
        const char *after = escape + 2;
        if (after > quote) quote = memchr(after, '"', (size_t)(r->end - after));
        escape = quote == NULL ? NULL : memchr(after, '\\', (size_t)(quote - after));
    }
    r->at = quote == NULL ? r->end : quote + 1;
    if (quote != NULL) *raw = (struct text){from, (size_t)(quote - from)};
    return quote != NULL;
}

static bool read_hex4(const char *p, const char *end, uint32_t *out)
{
    if (end - p < 4) return false;
    *out = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)p[i], digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (c | 0x20) - 'a' + 10;
        else
            return false;
        *out = *out << 4 | digit;
    }
    return true;
}

/* One code point; returns how many bytes it takes. */
static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[n] | c);
    return n;
}

/* \uXXXX at 'p' (behind the u), a pair of them for what lies beyond 16 bits. Returns the bytes consumed, 0
 * when malformed. */
static size_t read_unicode(const char *p, const char *end, uint32_t *out)
{
    uint32_t low;
    if (!read_hex4(p, end, out)) return 0;
    if (*out < 0xd800 || *out > 0xdfff) return 4;
    if (*out > 0xdbff || end - p < 10 || p[4] != '\\' || p[5] != 'u' || !read_hex4(p + 6, end, &low))
        return 0;
    if (low < 0xdc00 || low > 0xdfff) return 0;
    *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
    return 10;
}

/* In place; an escape is never shorter than what it stands for. */
static bool unescape(char *text, size_t *len)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char *out = text;
    const char *end = text + *len;
    for (const char *p = text; p < end;) {
        if (*p != '\\') {
            *out++ = *p++;
            continue;
        }
        const char *simple = p[1] == '\0' ? NULL : strchr(from, p[1]);
        if (simple != NULL) {
            *out++ = to[simple - from];
            p += 2;
            continue;
        }
        uint32_t c;
        size_t n = p[1] == 'u' ? read_unicode(p + 2, end, &c) : 0;
        if (n == 0) return false;
        out += put_utf8(out, c);
        p += 2 + n;
    }
    *out = '\0';
    *len = (size_t)(out - text);
    return true;
}

/* Values of the field that may turn out to be equal, the likeliest first; NULL: none. */
struct likes {
    const struct value *of[2];
};

static const struct likes nothing_like_it = {{NULL, NULL}};

static bool is_like(const struct value *v)
{
    return v != NULL && v->state == VALUE_SET;
}

/* A value that shares a text that is kept already: one of 'likes', or the reader's own. False when none is
 * equal. */
static bool share_string(const struct reader *r, struct text raw, const struct likes *likes,
                         struct value *out)
{
    for (size_t k = 0; k < N_ELEMENTS(likes->of); k++)
        if (is_like(likes->of[k]) && text_equal(raw, value_as_text(*likes->of[k]))) {
            *out = value_text(likes->of[k]->u.text, raw.len);
            return true;
        }
    if (r->own == NULL || !text_equal(raw, *r->own)) return false;
    *out = value_text(r->own->ptr, raw.len);
    return true;
}

static enum fault read_string(struct reader *r, bool is_ref, const struct likes *likes, struct value *out)
{
    struct text raw;
    bool escaped;
    if (eat_word(r, TEXT("null"))) {
        out->state = VALUE_UNKNOWN;
        return FAULT_NONE;
    }
    skip_blanks(r);
    if (r->at < r->end && *r->at != '"') return FAULT_TYPE;
    if (!read_raw(r, &raw, &escaped) || raw.len > UINT32_MAX) return FAULT_FORM;
    if (escaped || !share_string(r, raw, likes, out)) {
        char *copy = arena_copy(r->arena, raw.ptr, raw.len);
        if (copy == NULL) return FAULT_NOMEM;
        if (escaped && !unescape(copy, &raw.len)) return FAULT_FORM;
        *out = value_text(copy, raw.len);
    }
    if (is_ref) out->form = REF_ID;
    return FAULT_NONE;
}

static enum fault read_number(struct reader *r, struct value *out)
{
    const char *from = r->at;
    while (r->at < r->end && memchr("+-.eE0123456789", *r->at, 15) != NULL) r->at++;
    struct text digits = {from, (size_t)(r->at - from)};
    uint64_t magnitude;
    bool negative = digits.len > 0 && digits.ptr[0] == '-';
    if (negative) digits.ptr++, digits.len--;
    if (!text_to_u64(digits, (uint64_t)INT64_MAX + negative, &magnitude)) return FAULT_TYPE;
    *out = value_int(negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude); /* wraps for INT64_MIN only */
    return FAULT_NONE;
}

/* An upper bound of the items up to the closing bracket: separators outside of quotes, and one. */
static size_t count_items(const struct reader *r, char close)
{
    size_t n = 1;
    bool quoted = false;
    for (const char *p = r->at; p < r->end; p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (quoted && *p == '\\')
            p++;
        else if (quoted)
            continue;
        else if (*p == ',' || *p == ':')
            n++;
        else if (*p == close)
            break;
    }
    return n;
}

/* Whether a list or mapping equals 'like', item by item; it is consumed then. */
static bool eat_like(struct reader *r, bool pairs, struct value like)
{
    const char *from = r->at;
    bool same = eat(r, pairs ? '{' : '[');
    for (uint32_t i = 0; same && i < like.n; i++) {
        struct text raw;
        bool escaped;
        if (i > 0) same = eat(r, pairs && i % 2 == 1 ? ':' : ',');
        same = same && like.u.items[i].state == VALUE_SET && read_raw(r, &raw, &escaped) && !escaped &&
               text_equal(raw, value_as_text(like.u.items[i]));
    }
    same = same && eat(r, pairs ? '}' : ']');
    if (!same) r->at = from;
    return same;
}

/* A list's items, or a mapping's keys and values, one behind the other. */
static enum fault read_items(struct reader *r, bool is_ref, bool pairs, struct value *out)
{
    char close = pairs ? '}' : ']';
    if (!eat(r, pairs ? '{' : '[')) return FAULT_TYPE;
    size_t bound = count_items(r, close);
    struct value *items = arena_array_of(r->arena, bound, struct value);
    if (items == NULL) return FAULT_NOMEM;
    uint32_t n = 0;
    *out = value_list(items, 0);
    if (eat(r, close)) return FAULT_NONE;
    do {
        ASSERT(n < bound);
        enum fault fault = read_string(r, is_ref, &nothing_like_it, &items[n++]);
        if (fault != FAULT_NONE) return fault;
        if (!pairs) continue;
        if (!eat(r, ':')) return FAULT_FORM;
        ASSERT(n < bound);
        fault = read_string(r, false, &nothing_like_it, &items[n++]);
        if (fault != FAULT_NONE) return fault;
    } while (eat(r, ','));
    if (!eat(r, close)) return FAULT_FORM;
    /* Sorted when we wrote it; another hand may not have. */
    if (pairs && value_sort_map(items, n) < n) return FAULT_FORM;
    *out = value_list(items, n);
    return FAULT_NONE;
}

static enum fault read_bool(struct reader *r, struct value *out)
{
    if (eat_word(r, TEXT("true")))
        *out = value_bool(true);
    else if (eat_word(r, TEXT("false")))
        *out = value_bool(false);
    else
        return FAULT_TYPE;
    return FAULT_NONE;
}

static enum fault read_collection(struct reader *r, enum field_type type, const struct likes *likes,
                                  struct value *out)
{
    bool pairs = types[type].wire == WIRE_OBJECT;
    for (size_t k = 0; k < N_ELEMENTS(likes->of); k++)
        if (is_like(likes->of[k]) && eat_like(r, pairs, *likes->of[k])) {
            *out = *likes->of[k];
            return FAULT_NONE;
        }
    return read_items(r, types[type].is_ref, pairs, out);
}

static enum fault read_value(struct reader *r, enum field_type type, const struct likes *likes,
                             struct value *out)
{
    skip_blanks(r);
    if (types[type].wire != WIRE_STRING && eat_word(r, TEXT("null"))) {
        out->state = VALUE_UNKNOWN;
        return FAULT_NONE;
    }
    switch (types[type].wire) {
    case WIRE_STRING: return read_string(r, types[type].is_ref, likes, out);
    case WIRE_NUMBER: return read_number(r, out);
    case WIRE_BOOL: return read_bool(r, out);
    case WIRE_ARRAY:
    case WIRE_OBJECT: return read_collection(r, type, likes, out);
    case WIRE_NONE: break;
    }
    return FAULT_FORM;
}

/* A value of a field that this headgate does not have: of any shape, nested at will. */
static bool skip_value(struct reader *r)
{
    size_t depth = 0;
    do {
        skip_blanks(r);
        struct text raw;
        bool escaped;
        if (r->at == r->end) return false;
        if (*r->at == '"') {
            if (!read_raw(r, &raw, &escaped)) return false;
        } else if (*r->at == '[' || *r->at == '{') {
            depth++;
            r->at++;
        } else if (*r->at == ']' || *r->at == '}') {
            if (depth == 0) return false;
            depth--;
            r->at++;
        } else if (depth > 0 && (*r->at == ',' || *r->at == ':')) {
            r->at++;
        } else {
            const char *from = r->at;
            while (r->at < r->end && strchr(",:]}[{\" \n\t\r", *r->at) == NULL) r->at++;
            if (r->at == from) return false;
        }
    } while (depth > 0);
    return true;
}

/* The field of this name. 'hint' is where it is when fields come in the order of the table. */
static uint8_t find_field(const struct kind_info *kind, struct text name, uint8_t hint)
{
    for (uint8_t tried = 0, i = hint; tried < kind->n_fields; tried++, i++) {
        if (i >= kind->n_fields) i = 0;
        if (text_is(name, kind->fields[i].name)) return i;
    }
    return FIELD_NO;
}

/* What field i may be equal to. A manifest's references have another form. */
static struct likes likes_of(const struct codec_like *like, enum field_type type, uint8_t i)
{
    struct likes likes = nothing_like_it;
    if (like == NULL) return likes;
    if (like->wanted != NULL && !types[type].is_ref) likes.of[0] = &like->wanted[i];
    if (like->values != NULL) likes.of[1] = &like->values[i];
    return likes;
}

/* One member: "name":value. */
static enum err_code read_member(struct reader *r, const struct kind_info *kind,
                                 const struct codec_like *like, struct value *values, uint8_t *hint,
                                 struct err *err)
{
    struct text name;
    bool escaped;
    if (!read_raw(r, &name, &escaped) || !eat(r, ':')) return fault_set(err, r, FAULT_FORM, NULL);
    uint8_t i = find_field(kind, name, *hint);
    if (i == FIELD_NO || types[kind->fields[i].type].wire == WIRE_NONE)
        return skip_value(r) ? ERR_OK : fault_set(err, r, FAULT_FORM, NULL);
    *hint = (uint8_t)(i + 1);
    const struct field *f = &kind->fields[i];
    if (values[i].state != VALUE_UNSET) return fault_set(err, r, FAULT_TWICE, f);
    struct likes likes = likes_of(like, f->type, i);
    enum fault fault = read_value(r, f->type, &likes, &values[i]);
    return fault == FAULT_NONE ? ERR_OK : fault_set(err, r, fault, f);
}

enum err_code codec_get_fields(struct arena *a, const struct kind_info *kind, struct text json,
                               const struct codec_like *like, struct value *values, struct err *err)
{
    struct reader r = {.at = json.ptr,
                       .end = json.ptr + json.len,
                       .all = json,
                       .arena = a,
                       .own = like == NULL || like->name.ptr == NULL ? NULL : &like->name};
    uint8_t hint = 0;
    if (!eat(&r, '{')) return fault_set(err, &r, FAULT_FORM, NULL);
    if (!eat(&r, '}')) {
        do TRY(read_member(&r, kind, like, values, &hint, err));
        while (eat(&r, ','));
        if (!eat(&r, '}')) return fault_set(err, &r, FAULT_FORM, NULL);
    }
    skip_blanks(&r);
    return r.at == r.end ? ERR_OK : fault_set(err, &r, FAULT_FORM, NULL);
}

enum err_code codec_get_given(const struct kind_info *kind, struct text json, uint64_t *set_fields,
                              struct err *err)
{
    struct reader r = {.at = json.ptr, .end = json.ptr + json.len, .all = json};
    uint64_t set = 0;
    uint8_t hint = 0;
    struct text name;
    bool escaped;
    if (!eat(&r, '[')) return fault_set(err, &r, FAULT_FORM, NULL);
    if (!eat(&r, ']')) {
        do {
            if (!read_raw(&r, &name, &escaped)) return fault_set(err, &r, FAULT_FORM, NULL);
            uint8_t i = find_field(kind, name, hint);
            if (i == FIELD_NO) continue;
            set |= UINT64_C(1) << i;
            hint = (uint8_t)(i + 1);
        } while (eat(&r, ','));
        if (!eat(&r, ']')) return fault_set(err, &r, FAULT_FORM, NULL);
    }
    skip_blanks(&r);
    if (r.at != r.end) return fault_set(err, &r, FAULT_FORM, NULL);
    *set_fields = set;
    return ERR_OK;
}

/* write.c - a resource as a manifest: what it says when it is read again. */
#include "reconciler/base/buf.h"
#include "reconciler/manifest/manifest.h"

#include <string.h>

static bool is_plain_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._-/", c) != NULL);
}

/* Whether a plain scalar would be read as something else than a text, by YAML 1.1 or 1.2. */
static bool looks_typed(struct text t)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    for (size_t i = 0; i < N_ELEMENTS(words); i++)
        if (text_equal_nocase(t, text_of(words[i]))) return true;
    bool letter = false;
    for (size_t i = 0; i < t.len; i++)
        letter |= (t.ptr[i] >= 'a' && t.ptr[i] <= 'z') || (t.ptr[i] >= 'A' && t.ptr[i] <= 'Z');
    size_t dots = 0, slashes = 0;
    for (size_t i = 0; i < t.len; i++) dots += t.ptr[i] == '.', slashes += t.ptr[i] == '/';
    if (dots == 3) return false; /* an address or a block */
    return !letter || (t.ptr[0] >= '0' && t.ptr[0] <= '9') || t.ptr[0] == '.';
}

/* Characters of two bytes and more that are breaks or no part of YAML's texts: C1 controls with NEL, the two
 * separators, the byte order mark, and two that are no characters. Source: YAML 1.1, 5.1 and 5.4 */
static bool is_unprintable(uint32_t c)
{
    return c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

/* One character beyond ASCII; returns how many bytes it takes. Bytes that are no characters become some. */
static size_t put_wide(struct buf *out, struct text t)
{
    unsigned char lead = (unsigned char)t.ptr[0];
    size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (n > t.len || !text_is_utf8((struct text){t.ptr, n}, NULL)) {
        buf_printf(out, "\\x%02x", lead);
        return 1;
    }
    uint32_t c = n == 2 ? lead & 0x1fu : n == 3 ? lead & 0x0fu : lead & 0x07u;
    for (size_t i = 1; i < n; i++) c = c << 6 | ((unsigned char)t.ptr[i] & 0x3fu);
    if (is_unprintable(c))
        buf_printf(out, "\\u%04x", c);
    else
        buf_put(out, t.ptr, n);
    return n;
}

/* "${" is a variable when a value is read; keys are not substituted. */
enum place { AS_KEY, AS_VALUE };

static void put_quoted(struct buf *out, struct text t, enum place place)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c == '\n')
            buf_puts(out, "\\n");
        else if (place == AS_VALUE && c == '$' && i + 1 < t.len && t.ptr[i + 1] == '{')
            buf_puts(out, "$$");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else if (c >= 0x80)
            i += put_wide(out, (struct text){t.ptr + i, t.len - i}) - 1;
        else
            buf_putc(out, (char)c);
    }
    buf_putc(out, '"');
}

static void put_text(struct buf *out, struct text t, enum place place)
{
    bool plain = t.len > 0 && t.ptr[0] != '-' && !looks_typed(t);
    for (size_t i = 0; plain && i < t.len; i++) plain = is_plain_char(t.ptr[i]);
    if (plain)
        buf_put_text(out, t);
    else
        put_quoted(out, t, place);
}

static void put_scalar(struct buf *out, struct text t)
{
    put_text(out, t, AS_VALUE);
}

static void put_map(struct buf *out, struct value map)
{
    buf_putc(out, '{');
    for (uint32_t i = 0; i + 1 < map.n; i += 2) {
        if (i > 0) buf_puts(out, ", ");
        put_text(out, value_as_text(map.u.items[i]), AS_KEY);
        buf_puts(out, ": ");
        put_scalar(out, value_as_text(map.u.items[i + 1]));
    }
    buf_putc(out, '}');
}

static void put_lookup(struct buf *out, struct value name, struct value tags)
{
    buf_putc(out, '{');
    if (name.state == VALUE_SET) {
        buf_puts(out, "name: ");
        put_scalar(out, value_as_text(name));
    }
    if (tags.state == VALUE_SET) {
        buf_puts(out, name.state == VALUE_SET ? ", tags: " : "tags: ");
        put_map(out, tags);
    }
    buf_putc(out, '}');
}

static void put_ref(struct buf *out, struct value ref, const struct desired *desired)
{
    if (ref.form == REF_LOCAL && desired != NULL && ref.u.num < desired->n)
        put_scalar(out, desired->items[ref.u.num].name);
    else if (ref.form == REF_LOOKUP)
        put_lookup(out, ref.u.items[0], ref.u.items[1]);
    else if (ref.form == REF_ID) {
        buf_puts(out, "{id: ");
        put_scalar(out, value_as_text(ref));
        buf_putc(out, '}');
    } else if (ref.form == REF_NAME)
        put_scalar(out, value_as_text(ref));
    else
        buf_puts(out, "null");
}

static void put_value(struct buf *out, enum field_type type, struct value v, const struct desired *desired)
{
    switch (type) {
    case FIELD_INT: buf_printf(out, "%lld", (long long)v.u.num); break;
    case FIELD_BOOL: buf_puts(out, v.u.num ? "true" : "false"); break;
    case FIELD_REF: put_ref(out, v, desired); break;
    case FIELD_MAP: put_map(out, v); break;
    case FIELD_TEXT_LIST:
    case FIELD_CIDR_LIST:
    case FIELD_REF_LIST:
        buf_putc(out, '[');
        for (uint32_t i = 0; i < v.n; i++) {
            if (i > 0) buf_puts(out, ", ");
            put_value(out, field_item_type(type), v.u.items[i], desired);
        }
        buf_putc(out, ']');
        break;
    default: put_scalar(out, value_as_text(v)); break;
    }
}

void manifest_write(struct buf *out, enum kind kind, struct text name, const struct value *values,
                    uint64_t fields, const struct desired *desired)
{
    const struct kind_info *info = kind_info(kind);
    buf_printf(out, "apiVersion: headgate/v1\nkind: %s\nmetadata:\n  name: ", info->name);
    put_scalar(out, name);
    buf_putc(out, '\n');
    struct text open = {"", 0}; /* the outer name whose mapping is being written */
    bool any = false;
    for (uint8_t i = 0; i < info->n_fields; i++) {
        const struct field *f = &info->fields[i];
        if (!(fields & 1ull << i) || values[i].state != VALUE_SET || (f->flags & FIELD_COMPUTED)) continue;
        if (!any) buf_puts(out, "spec:\n");
        any = true;
        struct text inner = text_of(f->name), outer;
        (void)text_cut(&inner, '.', &outer); /* names are not empty */
        bool nested = inner.ptr != NULL;
        if (nested && !text_equal(outer, open)) buf_printf(out, "  " TEXT_FMT ":\n", TEXT_ARG(outer));
        open = nested ? outer : (struct text){"", 0};
        buf_puts(out, nested ? "    " : "  ");
        buf_put_text(out, nested ? inner : outer);
        buf_puts(out, ": ");
        put_value(out, f->type, values[i], desired);
        buf_putc(out, '\n');
    }
    if (!any) buf_puts(out, "spec: {}\n");
}

/* record.c - a record's values as they lie in the state file.
 *
 * The first line is the kind's name; the parts behind it are the fields of a record, what is given, and the
 * fields of a neighbour that the record may share texts with. What is decoded, encoded and decoded again is
 * the same, and sharing changes nothing but memory. */
#include "state/codec.h"
#include "tests/fuzz/fuzz.h"

static struct value *decode(struct arena *a, const struct kind_info *kind, struct text json,
                            const struct codec_like *like)
{
    struct err err = {0};
    struct value *values = arena_array_of(a, kind->n_fields, struct value);
    ASSERT(values != NULL);
    enum err_code code = codec_get_fields(a, kind, json, like, values, &err);
    ASSERT(code == ERR_OK || (code == ERR_STATE && err.msg[0] != '\0'));
    return code == ERR_OK ? values : NULL;
}

static bool same(const struct kind_info *kind, const struct value *a, const struct value *b)
{
    for (uint8_t i = 0; i < kind->n_fields; i++) {
        enum field_type type = kind->fields[i].type;
        fuzz_check_value(type, a[i]);
        fuzz_check_value(type, b[i]);
        bool known = a[i].state == VALUE_SET && !fuzz_has_items(type); /* lists may hold what is unknown */
        if (a[i].state != b[i].state || (known && !value_equal(type, a[i], b[i]))) return false;
    }
    return true;
}

static void encode(struct buf *b, const struct kind_info *kind, const struct value *values)
{
    struct err err = {0};
    buf_init(b, (size_t)16 << 20);
    ASSERT(codec_put_fields(b, kind, values, &err) == ERR_OK);
    ASSERT(buf_ok(b));
}

static void check_fields(struct arena *a, const struct kind_info *kind, struct text json, struct text beside)
{
    const struct value *values = decode(a, kind, json, NULL);
    struct codec_like like = {.values = decode(a, kind, beside, NULL), .name = TEXT("web")};
    like.wanted = like.values;
    const struct value *shared = decode(a, kind, json, &like);
    ASSERT((values == NULL) == (shared == NULL));
    if (values == NULL) return;
    ASSERT(same(kind, values, shared));
    CLEANUP(buf_fini) struct buf once, twice, of_shared;
    encode(&once, kind, values);
    const struct value *again = decode(a, kind, buf_text(&once), NULL);
    ASSERT(again != NULL && same(kind, values, again));
    encode(&twice, kind, again);
    encode(&of_shared, kind, shared);
    ASSERT(text_equal(buf_text(&once), buf_text(&twice)));
    ASSERT(text_equal(buf_text(&once), buf_text(&of_shared)));
}

static void check_given(const struct kind_info *kind, struct text json)
{
    struct err err = {0};
    uint64_t set = 0, again = 0;
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, 1 << 16);
    if (codec_get_given(kind, json, &set, &err) != ERR_OK) return;
    ASSERT(kind->n_fields == 64 || set >> kind->n_fields == 0);
    codec_put_given(&b, kind, set);
    ASSERT(buf_ok(&b));
    ASSERT(codec_get_given(kind, buf_text(&b), &again, &err) == ERR_OK && again == set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = fuzz_input(data, size), parts[3] = {TEXT(""), TEXT(""), TEXT("")}, name;
    (void)text_cut(&rest, '\n', &name);
    const struct kind_info *kind = kind_info(fuzz_kind(name));
    struct arena *a = fuzz_arena();
    for (size_t i = 0; i < N_ELEMENTS(parts) && fuzz_part(&rest, &parts[i]);) i++;
    check_fields(a, kind, parts[0], parts[2]);
    check_given(kind, parts[1]);
    arena_free(a);
    return 0;
}

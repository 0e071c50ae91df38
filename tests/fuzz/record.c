/* record.c - a row of the state file: the fields of a record and the names of those that were given.
 *
 * The first byte chooses the kind. What is read is written and read back the same. */
#include "tests/fuzz/fuzz.h"

#include "state/codec.h"

enum { ARENA_LIMIT = 64 << 20, TEXT_LIMIT = 64 << 20 };

static void read_fields(const struct kind_info *info, struct text json, struct arena *a)
{
    struct err err;
    struct value *values = arena_array_of(a, info->n_fields, struct value);
    struct value *again = arena_array_of(a, info->n_fields, struct value);
    ASSERT(values != NULL && again != NULL);
    if (codec_get_fields(a, info, json, NULL, values, &err) != ERR_OK) return;
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, TEXT_LIMIT);
    if (codec_put_fields(&b, info, values, &err) != ERR_OK) return;
    enum err_code code = codec_get_fields(a, info, buf_text(&b), NULL, again, &err);
    ASSERT(code == ERR_OK);
    for (uint8_t f = 0; f < info->n_fields; f++)
        ASSERT(values[f].state == again[f].state &&
               (values[f].state != VALUE_SET || value_equal(info->fields[f].type, values[f], again[f])));
}

static void read_given(const struct kind_info *info, struct text json)
{
    struct err err;
    uint64_t fields, again;
    if (codec_get_given(info, json, &fields, &err) != ERR_OK) return;
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, TEXT_LIMIT);
    codec_put_given(&b, info, fields);
    enum err_code code = codec_get_given(info, buf_text(&b), &again, &err);
    ASSERT(code == ERR_OK && again == fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(ARENA_LIMIT);
    ASSERT(arena != NULL);
    struct text rest = {(const char *)data, size};
    uint8_t which = fuzz_byte(&rest);
    const struct kind_info *info = kind_info((enum kind)(which % N_KINDS));
    if ((which & 128) != 0)
        read_given(info, rest);
    else
        read_fields(info, rest, arena);
    return 0;
}

/* fuzz.h - what the fuzz targets share: taking an input apart, and what holds of every value and text.
 *
 * A target reads its input as text wherever it can, so that seeds are files that people write and the
 * fuzzer's dictionary is made of words. Parts of one input are separated by a line that holds only "%%". */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/buf.h"
#include "reconciler/base/limits.h"
#include "reconciler/model/kind.h"
#include "reconciler/model/resource.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

/* The one entry of a target; always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Before the first input. A target is one file, so that this is defined once in each: with a seed of its own,
 * Jansson would compare other keys in each run, and the fuzzer learns from what is compared. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_object_seed(1);
    return 0;
}

#define FUZZ_SEPARATOR "\n%%\n"

static inline struct text fuzz_input(const uint8_t *data, size_t size)
{
    return (struct text){size == 0 ? "" : (const char *)data, size};
}

/* Cuts *rest at the first separator, as text_cut() does: false when nothing is left. */
static inline bool fuzz_part(struct text *rest, struct text *part)
{
    if (rest->ptr == NULL) return false;
    const char *at =
        rest->len == 0 ? NULL : memmem(rest->ptr, rest->len, FUZZ_SEPARATOR, sizeof FUZZ_SEPARATOR - 1);
    *part = (struct text){rest->ptr, at == NULL ? rest->len : (size_t)(at - rest->ptr)};
    if (at == NULL) {
        *rest = (struct text){NULL, 0};
        return true;
    }
    at += sizeof FUZZ_SEPARATOR - 1;
    *rest = (struct text){at, rest->len - (size_t)(at - rest->ptr)};
    return true;
}

/* An arena that no input of the sizes in scripts/fuzz may fill. */
static inline struct arena *fuzz_arena(void)
{
    struct arena *a = arena_new((size_t)256 << 20);
    ASSERT(a != NULL);
    return a;
}

/* The kind of a name; any other text gives some kind, too. */
static inline enum kind fuzz_kind(struct text name)
{
    enum kind kind = kind_of_name(name);
    return kind != KIND_NONE ? kind : (enum kind)(text_hash(name) % N_KINDS);
}

/* What is rendered is whole, and text. */
static inline void fuzz_check_text(const struct buf *b)
{
    ASSERT(buf_ok(b));
    ASSERT(text_is_utf8(buf_text(b), NULL));
}

static inline void fuzz_check_json(const struct buf *b)
{
    fuzz_check_text(b);
    json_t *j = json_loadb(b->ptr, b->len, JSON_REJECT_DUPLICATES, NULL);
    ASSERT(j != NULL);
    json_decref(j);
}

static inline void fuzz_check_item(enum field_type type, struct value v)
{
    ASSERT(v.state == VALUE_SET || v.state == VALUE_UNKNOWN);
    if (v.state != VALUE_SET || type == FIELD_INT) return;
    if (type == FIELD_BOOL) {
        ASSERT(v.u.num == 0 || v.u.num == 1);
        return;
    }
    if (type == FIELD_REF && (v.form == REF_LOCAL || v.form == REF_LOOKUP)) return;
    ASSERT(type == FIELD_REF ? v.form == REF_ID : v.form == REF_NONE);
    ASSERT(v.u.text != NULL && v.u.text[v.n] == '\0');
}

/* Whether a type's values have items. */
static inline bool fuzz_has_items(enum field_type type)
{
    return type == FIELD_TEXT_LIST || type == FIELD_CIDR_LIST || type == FIELD_REF_LIST || type == FIELD_MAP;
}

/* What value.h says of every value of a type. */
static inline void fuzz_check_value(enum field_type type, struct value v)
{
    if (v.state == VALUE_UNSET) return;
    if (!fuzz_has_items(type) || v.state != VALUE_SET) {
        fuzz_check_item(type, v);
        return;
    }
    for (uint32_t i = 0; i < v.n; i++) fuzz_check_item(field_item_type(type), v.u.items[i]);
    if (type != FIELD_MAP) return;
    ASSERT(v.n % 2 == 0);
    for (uint32_t i = 2; i < v.n; i += 2)
        ASSERT(text_compare(value_as_text(v.u.items[i - 2]), value_as_text(v.u.items[i])) < 0);
}

/* kinds.c - the tables of kinds: no row is missing or half filled, and what they say fits together. */
#include "reconciler/base/ip.h"
#include "reconciler/model/resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void complain(const struct kind_info *info, const struct field *f, const char *what)
{
    print_error("%s.%s %s\n", info->name, f == NULL || f->name == NULL ? "?" : f->name, what);
}

/* Counts the rows of all kinds for which 'wrong' says something. */
static unsigned count_wrong(const char *(*wrong)(enum kind kind, const struct field *f))
{
    unsigned n = 0;
    for (int k = 0; k < N_KINDS; k++) {
        const struct kind_info *info = kind_info((enum kind)k);
        for (uint8_t i = 0; i < info->n_fields; i++) {
            const char *what = wrong((enum kind)k, &info->fields[i]);
            if (what == NULL) continue;
            complain(info, &info->fields[i], what);
            n++;
        }
    }
    return n;
}

static void every_kind_is_complete(void **state)
{
    (void)state;
    for (int k = 0; k < N_KINDS; k++) {
        const struct kind_info *info = kind_info((enum kind)k);
        assert_non_null(info);
        assert_non_null(info->name);
        assert_non_null(info->plural);
        assert_non_null(info->short_name);
        assert_non_null(info->doc);
        assert_non_null(strstr(info->example, "apiVersion: headgate/v1\nkind: "));
        assert_non_null(strstr(info->example, info->name));
        assert_in_range(info->n_fields, 1, 64);
        assert_int_equal(kind_of_name(text_of(info->name)), k);
        assert_int_equal(kind_of_any_name(text_of(info->plural)), k);
        assert_int_equal(kind_of_any_name(text_of(info->short_name)), k);
    }
}

static void names_of_kinds_are_not_shared(void **state)
{
    (void)state;
    for (int a = 0; a < N_KINDS; a++)
        for (int b = 0; b < N_KINDS; b++) {
            if (a == b) continue;
            assert_string_not_equal(kind_info((enum kind)a)->name, kind_info((enum kind)b)->name);
            assert_string_not_equal(kind_info((enum kind)a)->plural, kind_info((enum kind)b)->plural);
            assert_string_not_equal(kind_info((enum kind)a)->short_name, kind_info((enum kind)b)->short_name);
        }
    assert_int_equal(kind_of_name(TEXT("vpc")), KIND_NONE);
    assert_int_equal(kind_of_name(TEXT("")), KIND_NONE);
    assert_int_equal(kind_of_any_name(TEXT("nothing")), KIND_NONE);
}

static const char *half_filled(enum kind kind, const struct field *f)
{
    (void)kind;
    if (f->name == NULL || f->doc == NULL) return "has no name or no documentation";
    if (f->type >= N_FIELD_TYPES) return "has no type";
    if ((f->type == FIELD_ENUM || f->type == FIELD_PORTS) && (f->choices == NULL || f->choices[0] == NULL))
        return "has no words to choose from";
    bool refers = f->type == FIELD_REF || f->type == FIELD_REF_LIST || f->type == FIELD_INLINE;
    if (refers && f->ref >= N_KINDS) return "refers to no kind";
    return f->min > f->max && f->max != 0 ? "has an empty range" : NULL;
}

static void every_field_is_complete(void **state)
{
    (void)state;
    assert_int_equal(count_wrong(half_filled), 0);
}

/* Letters, and dots between two parts at most. */
static const char *badly_named(enum kind kind, const struct field *f)
{
    const char *dot = strchr(f->name, '.');
    for (const char *c = f->name; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        if (!letter && c != dot) return "is not in camelCase";
    }
    if (f->name[0] < 'a' || (dot != NULL && (dot[1] < 'a' || dot[1] > 'z'))) return "does not begin small";
    if (kind_field(kind, text_of(f->name)) != (uint8_t)(f - kind_info(kind)->fields)) return "is there twice";
    return NULL;
}

static void names_of_fields_are_in_camel_case_and_unique(void **state)
{
    (void)state;
    assert_int_equal(count_wrong(badly_named), 0);
    assert_int_equal(kind_field(KIND_VPC, TEXT("cidrBlokc")), FIELD_NO);
}

/* A mapping has no value of its own beside its parts. */
static const char *shadowed(enum kind kind, const struct field *f)
{
    const struct kind_info *info = kind_info(kind);
    size_t n = strlen(f->name);
    for (uint8_t i = 0; i < info->n_fields; i++)
        if (strncmp(info->fields[i].name, f->name, n) == 0 && info->fields[i].name[n] == '.')
            return "is a value and a mapping";
    return NULL;
}

static void no_field_is_a_value_and_a_mapping(void **state)
{
    (void)state;
    assert_int_equal(count_wrong(shadowed), 0);
}

static const char *contradictory(enum kind kind, const struct field *f)
{
    (void)kind;
    bool computed = (f->flags & FIELD_COMPUTED) != 0;
    if (computed && (f->flags & (FIELD_REQUIRED | FIELD_IMMUTABLE | FIELD_KEY | FIELD_NOT_RETURNED)) != 0)
        return "is computed, and something that manifests say";
    if (computed && f->initial != NULL) return "is computed and has an initial value";
    if (f->one_of != 0 && (f->flags & FIELD_REQUIRED) != 0) return "is required and one of several";
    if ((f->flags & FIELD_REQUIRED) != 0 && f->initial != NULL) return "is required and has an initial value";
    if ((f->flags & FIELD_PARENT) != 0 && f->type != FIELD_REF) return "is a parent and no reference";
    bool list = f->type == FIELD_TEXT_LIST || f->type == FIELD_CIDR_LIST || f->type == FIELD_REF_LIST;
    if ((f->flags & FIELD_SET) != 0 && !list) return "is a set and no list";
    if (f->type == FIELD_REF_LIST && (f->flags & FIELD_SET) == 0)
        return "is a list of references with an order";
    return NULL;
}

static void flags_do_not_contradict_each_other(void **state)
{
    (void)state;
    assert_int_equal(count_wrong(contradictory), 0);
}

static bool is_choice(const struct field *f, const char *word)
{
    for (const char *const *c = f->choices; c != NULL && *c != NULL; c++)
        if (strcmp(*c, word) == 0) return true;
    return false;
}

static const char *badly_begun(enum kind kind, const struct field *f)
{
    int64_t n;
    (void)kind;
    if (f->initial == NULL) return NULL;
    switch (f->type) {
    case FIELD_ENUM: return is_choice(f, f->initial) ? NULL : "begins with a word that is no choice";
    case FIELD_BOOL:
        return strcmp(f->initial, "true") == 0 || strcmp(f->initial, "false") == 0 ? NULL
                                                                                   : "begins with no truth";
    case FIELD_INT:
        return text_to_i64(text_of(f->initial), f->min, f->max, &n) ? NULL : "begins out of its range";
    case FIELD_PORTS: return is_choice(f, f->initial) ? NULL : "begins with no port";
    case FIELD_TEXT: return f->initial[0] == '\0' ? NULL : "begins with words that nobody wrote";
    default: return "cannot have an initial value";
    }
}

static void initial_values_are_values_of_their_type(void **state)
{
    (void)state;
    assert_int_equal(count_wrong(badly_begun), 0);
}

/* Else two things could be the same one without anybody seeing it. */
static const char *loose_key(enum kind kind, const struct field *f)
{
    (void)kind;
    if ((f->flags & FIELD_KEY) == 0) return NULL;
    if (f->type == FIELD_MAP || f->type == FIELD_INLINE || f->type == FIELD_REF_LIST ||
        f->type == FIELD_TEXT_LIST)
        return "is a key and has several values";
    bool certain = (f->flags & FIELD_REQUIRED) != 0 || f->initial != NULL || f->one_of != 0;
    return certain ? NULL : "is a key that may be missing";
}

static void key_fields_always_have_a_value(void **state)
{
    (void)state;
    assert_int_equal(count_wrong(loose_key), 0);
}

static void what_carries_no_tags_has_a_key_and_a_parent(void **state)
{
    (void)state;
    for (int k = 0; k < N_KINDS; k++) {
        const struct kind_info *info = kind_info((enum kind)k);
        uint32_t all = 0;
        for (uint8_t i = 0; i < info->n_fields; i++) all |= info->fields[i].flags;
        bool taggable = (info->flags & KIND_TAGGABLE) != 0;
        assert_int_equal(taggable, info->tags_field != FIELD_NO);
        if (!taggable) assert_int_equal(all & (FIELD_KEY | FIELD_PARENT), FIELD_KEY | FIELD_PARENT);
    }
}

static const char *forward_reference(enum kind kind, const struct field *f)
{
    if (f->type != FIELD_REF && f->type != FIELD_REF_LIST) return NULL;
    bool same_kind = f->ref == kind && (f->flags & FIELD_PARENT) == 0;
    return f->ref < kind || same_kind ? NULL : "refers to a kind that is made later";
}

/* The planner walks resources in the order of their kinds, parents first. */
static void references_lead_to_earlier_kinds(void **state)
{
    (void)state;
    assert_int_equal(count_wrong(forward_reference), 0);
}

static const char *lonely_choice(enum kind kind, const struct field *f)
{
    const struct kind_info *info = kind_info(kind);
    unsigned n = 0;
    if (f->one_of == 0) return NULL;
    for (uint8_t i = 0; i < info->n_fields; i++) {
        if (info->fields[i].one_of != f->one_of) continue;
        if (info->fields[i].one_of_optional != f->one_of_optional)
            return "disagrees on whether one is needed";
        n++;
    }
    return n > 1 ? NULL : "is one of one";
}

static void choices_are_between_several_fields(void **state)
{
    (void)state;
    assert_int_equal(count_wrong(lonely_choice), 0);
}

static void special_fields_are_what_they_are_called(void **state)
{
    (void)state;
    for (int k = 0; k < N_KINDS; k++) {
        const struct kind_info *info = kind_info((enum kind)k);
        if (info->name_field != FIELD_NO) {
            assert_string_equal(info->fields[info->name_field].name, "name");
            assert_int_equal(info->fields[info->name_field].type, FIELD_TEXT);
        }
        if (info->tags_field != FIELD_NO) {
            assert_string_equal(info->fields[info->tags_field].name, "tags");
            assert_int_equal(info->fields[info->tags_field].type, FIELD_MAP);
        }
        if (info->description_field != FIELD_NO)
            assert_string_equal(info->fields[info->description_field].name, "description");
    }
}

static void types_of_fields_have_words(void **state)
{
    (void)state;
    for (int t = 0; t < N_FIELD_TYPES; t++) assert_non_null(field_type_name((enum field_type)t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_complete),
        cmocka_unit_test(names_of_kinds_are_not_shared),
        cmocka_unit_test(every_field_is_complete),
        cmocka_unit_test(names_of_fields_are_in_camel_case_and_unique),
        cmocka_unit_test(no_field_is_a_value_and_a_mapping),
        cmocka_unit_test(flags_do_not_contradict_each_other),
        cmocka_unit_test(initial_values_are_values_of_their_type),
        cmocka_unit_test(key_fields_always_have_a_value),
        cmocka_unit_test(what_carries_no_tags_has_a_key_and_a_parent),
        cmocka_unit_test(references_lead_to_earlier_kinds),
        cmocka_unit_test(choices_are_between_several_fields),
        cmocka_unit_test(special_fields_are_what_they_are_called),
        cmocka_unit_test(types_of_fields_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

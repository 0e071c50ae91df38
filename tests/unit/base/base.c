/* base.c - texts, numbers, addresses, arenas and diagnostics. */
#include "reconciler/base/arena.h"
#include "reconciler/base/buf.h"
#include "reconciler/base/diag.h"
#include "reconciler/base/digest.h"
#include "reconciler/base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void numbers_are_digits_and_nothing_else(void **state)
{
    (void)state;
    uint64_t u = 7;
    static const char *const bad[] = {
        "", " 1", "1 ", "+1", "-1", "0x1", "1.0", "18446744073709551616", "99999999999999999999999"};
    for (size_t k = 0; k < N_ELEMENTS(bad); k++) assert_false(text_to_u64(text_of(bad[k]), UINT64_MAX, &u));
    assert_int_equal(u, 7);
    assert_true(text_to_u64(TEXT("18446744073709551615"), UINT64_MAX, &u));
    assert_true(u == UINT64_MAX);
    assert_false(text_to_u64(TEXT("256"), 255, &u));
    int64_t i;
    assert_true(text_to_i64(TEXT("-9223372036854775808"), INT64_MIN, INT64_MAX, &i));
    assert_true(i == INT64_MIN);
    assert_false(text_to_i64(TEXT("9223372036854775808"), INT64_MIN, INT64_MAX, &i));
    assert_false(text_to_i64(TEXT("-"), INT64_MIN, INT64_MAX, &i));
}

static void durations_need_a_unit(void **state)
{
    (void)state;
    int64_t ms;
    assert_true(text_to_duration_ms(TEXT("250ms"), &ms) && ms == 250);
    assert_true(text_to_duration_ms(TEXT("90s"), &ms) && ms == 90000);
    assert_true(text_to_duration_ms(TEXT("5m"), &ms) && ms == 300000);
    assert_true(text_to_duration_ms(TEXT("1d"), &ms) && ms == 86400000);
    assert_false(text_to_duration_ms(TEXT("90"), &ms));
    assert_false(text_to_duration_ms(TEXT("s"), &ms));
    assert_false(text_to_duration_ms(TEXT("1h30m"), &ms));
    assert_false(text_to_duration_ms(TEXT("99999999999999999d"), &ms));
}

static void utf8_is_checked_to_the_letter(void **state)
{
    (void)state;
    size_t at = 99;
    assert_true(text_is_utf8(TEXT("a\xc3\xa9\xe5\x87\xba\xf0\x9f\x98\x80"), NULL));
    assert_false(text_is_utf8(TEXT("ab\xff"), &at));
    assert_int_equal(at, 2);
    assert_false(text_is_utf8(TEXT("\xc0\x80"), NULL));         /* overlong */
    assert_false(text_is_utf8(TEXT("\xed\xa0\x80"), NULL));     /* surrogate */
    assert_false(text_is_utf8(TEXT("\xf4\x90\x80\x80"), NULL)); /* above U+10FFFF */
    assert_false(text_is_utf8(TEXT("\xe5\x87"), NULL));         /* cut */
}

static const char *name_at(const void *ctx, size_t i)
{
    return ((const char *const *)ctx)[i];
}

static void a_mistyped_name_finds_its_neighbour(void **state)
{
    (void)state;
    static const char *const names[] = {"cidrBlock", "zone", "vpc", "description"};
    assert_string_equal(text_nearest(TEXT("cidrBlok"), 4, name_at, names), "cidrBlock");
    assert_string_equal(text_nearest(TEXT("CIDRBLOCK"), 4, name_at, names), "cidrBlock");
    assert_null(text_nearest(TEXT("bandwidth"), 4, name_at, names));
    assert_null(text_nearest(TEXT(""), 4, name_at, names));
}

static void blocks_are_parsed_strictly(void **state)
{
    (void)state;
    struct cidr c;
    uint32_t ip;
    assert_int_equal(cidr_parse(TEXT("10.0.0.0/8"), &c), IP_OK);
    assert_int_equal(c.bits, 8);
    assert_int_equal(cidr_parse(TEXT("10.0.0.5/16"), &c), IP_HOST_BITS);
    char text[CIDR_TEXT_SIZE];
    assert_string_equal(cidr_format(c, text), "10.0.0.0/16");
    assert_int_equal(cidr_parse(TEXT("10.0.0.0/33"), &c), IP_BAD_BITS);
    assert_int_equal(cidr_parse(TEXT("fd00::/8"), &c), IP_IS_V6);
    static const char *const bad[] = {
        "",          "/",           "10.0.0.0",    "10.0.0/8",    "10.0.0.0.0/8", "010.0.0.0/8",
        "10.0.0.0/", "10.0.0.0/08", "256.0.0.0/8", "10.0.0.0/8 ", "10.0.0.0/-1",  "10..0.0/8"};
    for (size_t k = 0; k < N_ELEMENTS(bad); k++) assert_int_equal(cidr_parse(text_of(bad[k]), &c), IP_SYNTAX);
    assert_int_equal(ip_parse(TEXT("255.255.255.255"), &ip), IP_OK);
    assert_true(ip == UINT32_MAX);
    assert_int_equal(cidr_parse(TEXT("0.0.0.0/0"), &c), IP_OK);
    assert_true(cidr_has(c, 0x01020304) && cidr_last(c) == UINT32_MAX);
}

static void an_arena_refuses_more_than_its_limit(void **state)
{
    (void)state;
    struct arena *a = arena_new(1000);
    assert_non_null(arena_alloc(a, 600));
    assert_null(arena_alloc(a, 600));
    assert_null(arena_array(a, SIZE_MAX / 2, 16));
    assert_null(arena_copy(a, "", SIZE_MAX));
    assert_non_null(arena_alloc(a, 100));
    arena_free(a);
}

static void an_arena_that_was_reset_gives_all_of_its_limit_again(void **state)
{
    (void)state;
    enum { LIMIT = 1000 * 1000 };
    struct arena *a = arena_new(LIMIT);
    struct text *items = NULL;
    size_t capacity = 0;
    for (int k = 0; k < 3; k++) {
        assert_non_null(arena_strdup(a, "packed from the back"));
        assert_true(arena_extend(a, &items, sizeof *items, 0, &capacity));
        assert_non_null(arena_alloc(a, LIMIT - 10000));
        assert_null(arena_alloc(a, 10000));
        arena_reset(a);
        assert_int_equal(arena_used(a), 0);
        items = NULL;
        capacity = 0;
    }
    arena_reset(a);
    arena_free(a);
}

static void a_wrapped_error_keeps_its_end_in_bounds(void **state)
{
    (void)state;
    struct err e;
    char longer[900];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(err_set(&e, ERR_IO, "%s", longer), ERR_IO);
    assert_int_equal(err_wrap(&e, "outer"), ERR_IO);
    assert_memory_equal(e.msg, "outer: xxx", 10);
    assert_true(strlen(e.msg) < sizeof e.msg);
    assert_int_equal(err_set(&e, ERR_INPUT, "inner"), ERR_INPUT);
    (void)err_wrap(&e, "a %d", 1);
    assert_string_equal(e.msg, "a 1: inner");
}

static void what_a_terminal_would_act_on_is_escaped(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_put_escaped(&b, TEXT("a\x1b[31m\n\xc2\x9b\xff\xe5\x87\xba"));
    assert_string_equal(buf_str(&b), "a\\x1b[31m\\x0a\\xc2\\x9b\\xff\xe5\x87\xba");
    buf_fini(&b);
    buf_init(&b, 3);
    buf_puts(&b, "abcd");
    assert_false(buf_ok(&b));
    buf_fini(&b);
}

static void a_digest_tells_fields_apart(void **state)
{
    (void)state;
    char one[DIGEST_HEX_SIZE], two[DIGEST_HEX_SIZE];
    struct digest d;
    digest_init(&d);
    digest_put(&d, "abc", 3);
    assert_true(digest_hex(&d, one));
    assert_string_equal(one, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_init(&d);
    digest_put_text(&d, TEXT("ab"));
    digest_put_text(&d, TEXT("c"));
    assert_true(digest_hex(&d, one));
    digest_init(&d);
    digest_put_text(&d, TEXT("a"));
    digest_put_text(&d, TEXT("bc"));
    assert_true(digest_hex(&d, two));
    assert_string_not_equal(one, two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_digits_and_nothing_else),
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(utf8_is_checked_to_the_letter),
        cmocka_unit_test(a_mistyped_name_finds_its_neighbour),
        cmocka_unit_test(blocks_are_parsed_strictly),
        cmocka_unit_test(an_arena_refuses_more_than_its_limit),
        cmocka_unit_test(an_arena_that_was_reset_gives_all_of_its_limit_again),
        cmocka_unit_test(a_wrapped_error_keeps_its_end_in_bounds),
        cmocka_unit_test(what_a_terminal_would_act_on_is_escaped),
        cmocka_unit_test(a_digest_tells_fields_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

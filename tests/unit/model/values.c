/* values.c - values and their three states, requests and their hashes, addresses. */
#include "reconciler/model/request.h"
#include "reconciler/model/resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct value unset;

static void zero_false_and_empty_are_set(void **state)
{
    (void)state;
    assert_true(value_is_set(value_int(0)));
    assert_true(value_is_set(value_bool(false)));
    assert_true(value_is_set(value_cstr("")));
    assert_true(value_is_set(value_list(NULL, 0)));
    assert_false(value_is_set(value_cstr(NULL)));
    assert_false(value_is_set(value_id("")));
    assert_false(value_equal(FIELD_INT, value_int(0), unset));
    assert_false(value_equal(FIELD_TEXT, value_cstr(""), unset));
    assert_true(value_equal(FIELD_TEXT, unset, unset));
}

static void what_is_unknown_equals_nothing(void **state)
{
    (void)state;
    const struct value half[] = {value_id("vpc-1"), value_unknown()};
    assert_false(value_equal(FIELD_TEXT, value_unknown(), value_unknown()));
    assert_false(value_equal(FIELD_REF_LIST, value_list(half, 2), value_list(half, 2)));
}

static void references_of_different_forms_differ(void **state)
{
    (void)state;
    struct value name = value_cstr("vpc-1"), local = value_int(1);
    name.form = REF_NAME;
    local.form = REF_LOCAL;
    assert_false(value_equal(FIELD_REF, value_id("vpc-1"), name));
    assert_false(value_equal(FIELD_REF, value_id("vpc-1"), local));
    assert_true(value_equal(FIELD_REF, value_id("vpc-1"), value_id("vpc-1")));
    assert_true(value_equal(FIELD_REF, local, local));
}

static void a_set_is_sorted_and_holds_each_item_once(void **state)
{
    (void)state;
    struct value items[] = {value_cstr("c"), value_cstr("a"), value_cstr("c"),
                            value_cstr(""),  value_cstr("b"), value_cstr("a")};
    assert_int_equal(value_sort_set(FIELD_TEXT_LIST, items, 6), 4);
    assert_string_equal(items[0].u.text, "");
    assert_string_equal(items[3].u.text, "c");
    assert_int_equal(value_sort_set(FIELD_TEXT_LIST, NULL, 0), 0);
}

static void unknown_items_of_a_set_are_not_taken_for_one(void **state)
{
    (void)state;
    struct value items[] = {value_unknown(), value_id("eip-1"), value_unknown()};
    assert_int_equal(value_sort_set(FIELD_REF_LIST, items, 3), 3);
}

static void a_map_is_sorted_by_key(void **state)
{
    (void)state;
    struct value items[] = {value_cstr("team"), value_cstr("net"),   value_cstr("cost"),
                            value_cstr("1"),    value_cstr("stage"), value_cstr("")};
    assert_int_equal(value_sort_map(items, 6), 6);
    struct value map = value_list(items, 6);
    assert_string_equal(map.u.items[0].u.text, "cost");
    assert_string_equal(value_map_get(map, TEXT("team")).u.text, "net");
    assert_true(value_is_set(value_map_get(map, TEXT("stage"))));
    assert_false(value_is_set(value_map_get(map, TEXT("sta"))));
    assert_false(value_is_set(value_map_get(unset, TEXT("team"))));
}

static void a_key_that_is_there_twice_is_kept_once(void **state)
{
    (void)state;
    struct value items[] = {value_cstr("b"), value_cstr("3"), value_cstr("a"),
                            value_cstr("2"), value_cstr("b"), value_cstr("1")};
    assert_int_equal(value_sort_map(items, 6), 4);
    assert_string_equal(items[0].u.text, "a");
    assert_string_equal(items[2].u.text, "b");
    assert_string_equal(items[3].u.text, "1");
}

/* An answer of the cloud may be 16 MiB of tags in the least welcome order: this would take hours if it cost
 * the square. */
static void a_large_map_in_reverse_order_is_sorted_at_once(void **state)
{
    (void)state;
    enum { N = 400000 };
    struct arena *a = arena_new(1 << 28);
    struct value *items = arena_array_of(a, 2 * (size_t)N, struct value);
    assert_non_null(items);
    for (uint32_t i = 0; i < N; i++) {
        items[2 * i] = value_cstr(arena_printf(a, "%08u", N - i));
        items[2 * i + 1] = items[2 * i];
    }
    assert_int_equal(value_sort_map(items, 2 * N), 2 * N);
    assert_string_equal(items[0].u.text, "00000001");
    for (uint32_t i = 0; i < N; i++) items[i] = value_cstr(arena_printf(a, "%08u", N - i));
    assert_int_equal(value_sort_set(FIELD_TEXT_LIST, items, N), N);
    assert_string_equal(items[0].u.text, "00000001");
    arena_free(a);
}

/* Copies into a fresh arena, with the original's memory gone. */
static void check_copy(enum field_type type, struct value v)
{
    struct arena *a = arena_new(1 << 16);
    struct value copy;
    assert_true(value_copy(a, type, v, &copy));
    assert_int_equal(value_compare(type, v, copy), 0);
    if (v.state == VALUE_SET && v.n > 0 && type != FIELD_INT) assert_ptr_not_equal(copy.u.text, v.u.text);
    arena_free(a);
}

static void copies_are_equal_and_deep(void **state)
{
    (void)state;
    const struct value tags[] = {value_cstr("team"), value_cstr("net")};
    const struct value lookup[] = {value_cstr("main"), value_list(tags, 2)};
    const struct value ids[] = {value_id("eip-1"), value_unknown()};
    struct value ref = value_list(lookup, 2);
    ref.form = REF_LOOKUP;
    check_copy(FIELD_TEXT, unset);
    check_copy(FIELD_TEXT, value_cstr(""));
    check_copy(FIELD_TEXT, value_text("a\0b", 3));
    check_copy(FIELD_INT, value_int(-7));
    check_copy(FIELD_MAP, value_list(tags, 2));
    check_copy(FIELD_REF, ref);
    check_copy(FIELD_REF_LIST, value_list(ids, 2));
    check_copy(FIELD_TEXT, value_unknown());
}

static void a_copy_that_finds_no_room_says_so(void **state)
{
    (void)state;
    const struct value items[] = {value_cstr("0123456789"), value_cstr("0123456789")};
    for (size_t limit = 1; limit < 64; limit += 9) {
        struct arena *a = arena_new(limit);
        if (a == NULL) continue;
        struct value copy = unset;
        if (!value_copy(a, FIELD_TEXT_LIST, value_list(items, 2), &copy)) assert_false(value_is_set(copy));
        arena_free(a);
    }
}

/* ---- addresses ---- */

static void addresses_are_read_as_they_are_written(void **state)
{
    (void)state;
    char out[RESOURCE_ADDRESS_SIZE];
    enum kind kind;
    struct text name;
    assert_string_equal(address_format(KIND_VSWITCH, TEXT("web"), out), "VSwitch/web");
    assert_true(address_parse(TEXT("RouteEntry/vtb1.default"), &kind, &name));
    assert_int_equal(kind, KIND_ROUTE_ENTRY);
    assert_true(text_is(name, "vtb1.default"));
    static const char *const wrong[] = {"", "/", "Vpc", "Vpc/", "vpc/main", "Nothing/x", "/x"};
    for (size_t k = 0; k < N_ELEMENTS(wrong); k++)
        assert_false(address_parse(text_of(wrong[k]), &kind, &name));
}

static void addresses_sort_by_kind_then_name(void **state)
{
    (void)state;
    assert_true(address_compare(KIND_VPC, TEXT("z"), KIND_VSWITCH, TEXT("a")) < 0);
    assert_true(address_compare(KIND_VPC, TEXT("a"), KIND_VPC, TEXT("ab")) < 0);
    assert_int_equal(address_compare(KIND_EIP, TEXT("a"), KIND_EIP, TEXT("a")), 0);
}

static void desired_and_records_are_found_by_address(void **state)
{
    (void)state;
    struct resource items[] = {{.kind = KIND_VPC, .name = TEXT("a")},
                               {.kind = KIND_VPC, .name = TEXT("b")},
                               {.kind = KIND_EIP, .name = TEXT("a")}};
    struct desired d = {.items = items, .n = 3}, none = {.n = 0};
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(desired_find(&d, items[i].kind, items[i].name), i);
    assert_int_equal(desired_find(&d, KIND_VPC, TEXT("c")), UINT32_MAX);
    assert_int_equal(desired_find(&none, KIND_VPC, TEXT("a")), UINT32_MAX);
    struct record recorded[] = {{.kind = KIND_VPC, .name = TEXT("a")}, {.kind = KIND_EIP, .name = TEXT("b")}};
    struct records r = {recorded, 2};
    assert_int_equal(records_find(&r, KIND_EIP, TEXT("b")), 1);
    assert_int_equal(records_find(&r, KIND_EIP, TEXT("a")), UINT32_MAX);
}

static void prevent_destroy_sets_the_protection_of_kinds_that_have_one(void **state)
{
    (void)state;
    const struct lifecycle keep = {.prevent_destroy = true};
    const struct lifecycle look = {.prevent_destroy = true, .management = MANAGE_OBSERVE};
    struct resource gateway = {.kind = KIND_NAT_GATEWAY, .lifecycle = &keep};
    struct resource vpc = {.kind = KIND_VPC, .lifecycle = &keep};
    struct resource observed = {.kind = KIND_NAT_GATEWAY, .lifecycle = &look};
    struct value values[NAT_N] = {0};
    uint64_t set = 0;
    resource_protect(&observed, values, &set);
    resource_protect(&vpc, values, &set);
    assert_int_equal(set, 0);
    resource_protect(&gateway, values, &set);
    assert_int_equal(set, (uint64_t)1 << NAT_DELETION_PROTECTION);
    assert_int_equal(values[NAT_DELETION_PROTECTION].u.num, 1);
}

/* ---- requests ---- */

static void hash(struct request *r, char out[65])
{
    struct err err;
    assert_int_equal(request_hash(r, out, &err), ERR_OK);
    assert_int_equal(strlen(out), 64);
}

static void a_requests_hash_depends_on_all_of_it_but_not_on_its_order(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 16);
    struct request one, two, other;
    char h1[65], h2[65], h3[65];
    request_init(&one, a, "Vpc", "CreateVpc");
    request_add(&one, "RegionId", "cn-shanghai");
    request_add(&one, "CidrBlock", "10.0.0.0/8");
    request_init(&two, a, "Vpc", "CreateVpc");
    request_add(&two, "CidrBlock", "10.0.0.0/8");
    request_add(&two, "RegionId", "cn-shanghai");
    request_init(&other, a, "Vpc", "CreateVpc");
    request_add(&other, "CidrBlock", "10.0.0.0/8cn-shanghai"); /* the same bytes, cut elsewhere */
    request_add(&other, "RegionId", "");
    hash(&one, h1);
    hash(&two, h2);
    hash(&other, h3);
    assert_string_equal(h1, h2);
    assert_string_not_equal(h1, h3);
    arena_free(a);
}

static void parameters_without_a_value_are_left_out(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 16);
    struct request r;
    request_init(&r, a, "Vpc", "CreateVpc");
    request_add(&r, "VpcName", NULL);
    request_add(&r, "Description", "");
    request_addf(&r, "PageSize", "%d", 50);
    request_add_text(&r, "ZoneId", (struct text){"cn-shanghai-bxyz", 13});
    assert_null(request_get(&r, "VpcName"));
    assert_string_equal(request_get(&r, "Description"), "");
    assert_string_equal(request_get(&r, "PageSize"), "50");
    assert_string_equal(request_get(&r, "ZoneId"), "cn-shanghai-b");
    assert_int_equal(r.n_params, 3);
    assert_false(r.out_of_memory);
    arena_free(a);
}

static void outcomes_and_verbs_have_names(void **state)
{
    (void)state;
    for (int c = 0; c < N_OUTCOMES; c++) assert_non_null(outcome_name((enum outcome_class)c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_false_and_empty_are_set),
        cmocka_unit_test(what_is_unknown_equals_nothing),
        cmocka_unit_test(references_of_different_forms_differ),
        cmocka_unit_test(a_set_is_sorted_and_holds_each_item_once),
        cmocka_unit_test(unknown_items_of_a_set_are_not_taken_for_one),
        cmocka_unit_test(a_map_is_sorted_by_key),
        cmocka_unit_test(a_key_that_is_there_twice_is_kept_once),
        cmocka_unit_test(a_large_map_in_reverse_order_is_sorted_at_once),
        cmocka_unit_test(copies_are_equal_and_deep),
        cmocka_unit_test(a_copy_that_finds_no_room_says_so),
        cmocka_unit_test(addresses_are_read_as_they_are_written),
        cmocka_unit_test(addresses_sort_by_kind_then_name),
        cmocka_unit_test(desired_and_records_are_found_by_address),
        cmocka_unit_test(prevent_destroy_sets_the_protection_of_kinds_that_have_one),
        cmocka_unit_test(a_requests_hash_depends_on_all_of_it_but_not_on_its_order),
        cmocka_unit_test(parameters_without_a_value_are_left_out),
        cmocka_unit_test(outcomes_and_verbs_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* records.c - records, intents and generations come back as they were written. */
#include "fixture.h"

#include <sqlite3.h>

/* ---- generated values ---- */

/* xorshift: the same values in each run. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
    return *seed;
}

static const char *const hostile_texts[] = {
    "",       "plain",    "\"quoted\"",        "back\\slash", "line\nend\ttab", "\x01\x1f\x7f", "多字节 ☁ 😀",
    "{\"a\"", "[1,2],}:", "a\\u0041 stays so", "null",        "true",           " blank ",
};

static struct value some_text(struct arena *a, uint64_t *seed)
{
    if (next_random(seed) % 16 == 0) return value_text("nul\0inside", 10);
    if (next_random(seed) % 64 == 0) {
        char *large = arena_alloc(a, 70001);
        assert_non_null(large);
        memset(large, 'x', 70000);
        return value_text(large, 70000);
    }
    return value_cstr(hostile_texts[next_random(seed) % N_ELEMENTS(hostile_texts)]);
}

static struct value some_id(struct arena *a, uint64_t *seed)
{
    return value_id(arena_printf(a, "id-%llx", (unsigned long long)next_random(seed)));
}

static struct value some_list(struct arena *a, uint64_t *seed, bool ids)
{
    uint32_t n = (uint32_t)(next_random(seed) % 6);
    struct value *items = arena_array_of(a, n, struct value);
    assert_non_null(items);
    for (uint32_t i = 0; i < n; i++) items[i] = ids ? some_id(a, seed) : some_text(a, seed);
    return value_list(items, n);
}

static struct value some_map(struct arena *a, uint64_t *seed)
{
    uint32_t n = (uint32_t)(next_random(seed) % 5);
    struct value *items = arena_array_of(a, 2 * (size_t)n, struct value);
    assert_non_null(items);
    for (uint32_t i = 0; i < n; i++) {
        items[2 * i] =
            value_cstr(arena_printf(a, "key \"%u\" %llx", i, (unsigned long long)next_random(seed)));
        items[2 * i + 1] = some_text(a, seed);
    }
    assert_int_equal(value_sort_map(items, n * 2), n * 2);
    return value_list(items, n * 2);
}

static struct value some_value(struct arena *a, enum field_type type, uint64_t *seed)
{
    static const int64_t numbers[] = {0, 1, -1, 42, INT64_MAX, INT64_MIN};
    switch (type) {
    case FIELD_INT: return value_int(numbers[next_random(seed) % N_ELEMENTS(numbers)]);
    case FIELD_BOOL: return value_bool(next_random(seed) % 2 == 0);
    case FIELD_REF: return some_id(a, seed);
    case FIELD_REF_LIST: return some_list(a, seed, true);
    case FIELD_TEXT_LIST:
    case FIELD_CIDR_LIST: return some_list(a, seed, false);
    case FIELD_MAP: return some_map(a, seed);
    default: return some_text(a, seed);
    }
}

static struct record some_record(struct arena *a, enum kind kind, const char *name, uint64_t *seed)
{
    const struct kind_info *info = kind_info(kind);
    struct record r = {
        .kind = kind,
        .name = text_of(name),
        .id = arena_printf(a, "%s-id", name),
        .generation = (uint32_t)next_random(seed),
        .prevent_destroy = next_random(seed) % 2 == 0,
        .orphan_on_removal = next_random(seed) % 2 == 0,
        .observed_only = next_random(seed) % 2 == 0,
        .applied_unix_ms = (int64_t)(next_random(seed) >> 20),
        .set_fields = next_random(seed) & ((UINT64_C(1) << info->n_fields) - 1),
        .values = arena_array_of(a, info->n_fields, struct value),
    };
    assert_non_null(r.values);
    for (uint8_t i = 0; i < info->n_fields; i++) {
        if (info->fields[i].type == FIELD_INLINE || next_random(seed) % 4 == 0) continue;
        r.values[i] = some_value(a, info->fields[i].type, seed);
    }
    return r;
}

static void assert_same_value(const struct field *field, struct value got, struct value wanted)
{
    if (got.state != wanted.state || (wanted.state == VALUE_SET && !value_equal(field->type, got, wanted)))
        fail_msg("field %s came back different", field->name);
    assert_int_equal(got.form, wanted.form);
}

static void assert_same_record(const struct record *got, const struct record *wanted)
{
    const struct kind_info *info = kind_info(wanted->kind);
    assert_int_equal(got->kind, wanted->kind);
    assert_true(text_equal(got->name, wanted->name));
    assert_string_equal(got->id, wanted->id);
    assert_int_equal(got->generation, wanted->generation);
    assert_int_equal(got->set_fields, wanted->set_fields);
    assert_int_equal(got->prevent_destroy, wanted->prevent_destroy);
    assert_int_equal(got->orphan_on_removal, wanted->orphan_on_removal);
    assert_int_equal(got->observed_only, wanted->observed_only);
    assert_int_equal(got->applied_unix_ms, wanted->applied_unix_ms);
    for (uint8_t i = 0; i < info->n_fields; i++)
        assert_same_value(&info->fields[i], got->values[i], wanted->values[i]);
}

/* ---- records ---- */

enum { ROUNDS = 40 };

static void every_field_of_every_kind_comes_back_as_it_was(void **state)
{
    struct fixture *f = *state;
    static struct record written[N_KINDS * ROUNDS];
    static struct write writes[N_KINDS * ROUNDS];
    uint64_t seed = 88172645463325252u;
    open_store(f);
    for (size_t i = 0; i < N_ELEMENTS(written); i++) {
        enum kind kind = (enum kind)(i / ROUNDS);
        const char *name = arena_printf(f->arena, "r%02zu", i % ROUNDS);
        written[i] = some_record(f->arena, kind, name, &seed);
        writes[N_ELEMENTS(written) - 1 - i] = (struct write){.type = WRITE_RECORD, .record = &written[i]};
    }
    expect_ok(f, store_write(f->store, DEFAULT_STACK, writes, N_ELEMENTS(writes), &f->err));
    reopen(f);
    struct records got = load(f);
    assert_int_equal(got.n, N_ELEMENTS(written));
    for (uint32_t i = 0; i < got.n; i++) assert_same_record(&got.items[i], &written[i]);
}

static void records_are_sorted_by_address_and_apart_by_stack(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"b", "a-1", "a", "A", "a.b", "ab"};
    open_store(f);
    for (size_t i = 0; i < N_ELEMENTS(names); i++) {
        struct record r = vswitch(f, names[i], names[i], 1);
        put(f, &r);
    }
    struct record other = vswitch(f, "other", "vsw-other", 1);
    struct write w = {.type = WRITE_RECORD, .record = &other};
    expect_ok(f, store_write(f->store, TEXT("another"), &w, 1, &f->err));
    struct records got = load(f);
    assert_int_equal(got.n, N_ELEMENTS(names));
    for (uint32_t i = 1; i < got.n; i++)
        assert_true(address_compare(got.items[i - 1].kind, got.items[i - 1].name, got.items[i].kind,
                                    got.items[i].name) < 0);
    struct text *stacks;
    size_t n;
    expect_ok(f, store_stacks(f->store, f->arena, &stacks, &n, &f->err));
    assert_int_equal(n, 2);
    assert_true(text_is(stacks[0], "another") && text_is(stacks[1], "default"));
    struct records none;
    expect_ok(f, store_records(f->store, TEXT("unknown"), NULL, f->arena, &none, &f->err));
    assert_int_equal(none.n, 0);
}

static void the_serial_counts_writes_that_change_records(void **state)
{
    struct fixture *f = *state;
    open_store(f);
    assert_int_equal(serial(f), 0);
    struct record r = vswitch(f, "web", "vsw-1", 1);
    put(f, &r);
    assert_int_equal(serial(f), 1);
    struct event_row event = {.type = "created", .address = "VSwitch/web", .message = ""};
    struct write writes[] = {{.type = WRITE_EVENT, .event = &event},
                             {.type = WRITE_FORGET, .kind = KIND_VSWITCH, .name = TEXT("web")}};
    expect_ok(f, store_write(f->store, DEFAULT_STACK, writes, 1, &f->err));
    assert_int_equal(serial(f), 1);
    expect_ok(f, store_write(f->store, DEFAULT_STACK, writes, 2, &f->err));
    assert_int_equal(serial(f), 2);
    assert_int_equal(load(f).n, 0);
}

static void a_reference_without_an_id_is_refused_and_nothing_is_written(void **state)
{
    struct fixture *f = *state;
    open_store(f);
    struct record good = vswitch(f, "good", "vsw-1", 1), bad = vswitch(f, "bad", "vsw-2", 1);
    bad.values[VSW_VPC] = value_cstr("main");
    bad.values[VSW_VPC].form = REF_NAME;
    struct run_row run = {.operation = "apply", .result = "running"};
    struct write writes[] = {{.type = WRITE_RUN, .run = &run},
                             {.type = WRITE_RECORD, .record = &good},
                             {.type = WRITE_RECORD, .record = &bad}};
    expect_code(f, store_write(f->store, DEFAULT_STACK, writes, 3, &f->err), ERR_INPUT);
    expect_message(f, "VSwitch/bad cannot be recorded: field `vpc`");
    assert_int_equal(run.id, 0);
    assert_int_equal(load(f).n, 0);
    assert_int_equal(serial(f), 0);
}

static void the_owner_of_a_cloud_object_is_who_manages_it(void **state)
{
    struct fixture *f = *state;
    struct text stack, name;
    open_store(f);
    struct record seen = vswitch(f, "seen", "vsw-1", 1), managed = vswitch(f, "managed", "vsw-1", 1);
    seen.observed_only = true;
    struct write w = {.type = WRITE_RECORD, .record = &seen};
    expect_ok(f, store_write(f->store, TEXT("a-watcher"), &w, 1, &f->err));
    put(f, &managed);
    expect_ok(f, store_owner_of(f->store, KIND_VSWITCH, "vsw-1", f->arena, &stack, &name, &f->err));
    assert_true(text_is(stack, "default") && text_is(name, "managed"));
    expect_ok(f, store_owner_of(f->store, KIND_VPC, "vsw-1", f->arena, &stack, &name, &f->err));
    assert_null(stack.ptr);
}

/* ---- generations ---- */

static uint32_t generation_of(struct fixture *f, const char *name)
{
    uint32_t g;
    expect_ok(f, store_generation(f->store, DEFAULT_STACK, KIND_VSWITCH, text_of(name), &g, &f->err));
    return g;
}

static void a_generation_outlives_its_record_and_never_goes_back(void **state)
{
    struct fixture *f = *state;
    open_store(f);
    struct record third = vswitch(f, "web", "vsw-3", 3), second = vswitch(f, "web", "vsw-2", 2);
    put(f, &third);
    struct write forget = {.type = WRITE_FORGET, .kind = KIND_VSWITCH, .name = TEXT("web")};
    expect_ok(f, store_write(f->store, DEFAULT_STACK, &forget, 1, &f->err));
    assert_int_equal(generation_of(f, "web"), 3);
    put(f, &second);
    assert_int_equal(generation_of(f, "web"), 3);
    struct intent intent = {
        .kind = KIND_VSWITCH, .name = TEXT("web"), .operation = "CreateVSwitch", .generation = 7};
    struct write w = {.type = WRITE_INTENT, .intent = &intent};
    expect_ok(f, store_write(f->store, DEFAULT_STACK, &w, 1, &f->err));
    reopen(f);
    assert_int_equal(generation_of(f, "web"), 7);
    assert_int_equal(generation_of(f, "never"), 0);
    struct generation *all;
    size_t n;
    expect_ok(f, store_generations(f->store, DEFAULT_STACK, f->arena, &all, &n, &f->err));
    assert_int_equal(n, 1);
    assert_true(text_is(all[0].name, "web") && all[0].generation == 7);
}

static void a_moved_record_takes_no_generation_that_was_used_at_its_new_address(void **state)
{
    struct fixture *f = *state;
    open_store(f);
    struct record old = vswitch(f, "new", "vsw-old", 5), r = vswitch(f, "web", "vsw-1", 2);
    put(f, &old);
    struct write forget = {.type = WRITE_FORGET, .kind = KIND_VSWITCH, .name = TEXT("new")};
    expect_ok(f, store_write(f->store, DEFAULT_STACK, &forget, 1, &f->err));
    put(f, &r);
    int64_t before = serial(f);
    expect_ok(f, store_move(f->store, DEFAULT_STACK, KIND_VSWITCH, TEXT("web"), KIND_VSWITCH, TEXT("new"),
                            &f->err));
    struct records got = load(f);
    assert_int_equal(got.n, 1);
    assert_true(text_is(got.items[0].name, "new"));
    assert_string_equal(got.items[0].id, "vsw-1");
    assert_int_equal(got.items[0].generation, 5);
    assert_int_equal(generation_of(f, "web"), 2);
    assert_int_equal(serial(f), before + 1);
}

static void a_move_needs_a_record_a_free_address_and_no_open_intent(void **state)
{
    struct fixture *f = *state;
    open_store(f);
    struct record a = vswitch(f, "a", "vsw-1", 1), b = vswitch(f, "b", "vsw-2", 1);
    put(f, &a);
    put(f, &b);
#define MOVE(from, kind, to)                                                                                 \
    store_move(f->store, DEFAULT_STACK, KIND_VSWITCH, TEXT(from), kind, TEXT(to), &f->err)
    expect_code(f, MOVE("none", KIND_VSWITCH, "c"), ERR_INPUT);
    expect_code(f, MOVE("a", KIND_VSWITCH, "b"), ERR_INPUT);
    expect_code(f, MOVE("a", KIND_VSWITCH, "a"), ERR_INPUT);
    expect_code(f, MOVE("a", KIND_VPC, "c"), ERR_INPUT);
    struct intent intent = {.kind = KIND_VSWITCH, .name = TEXT("a"), .operation = "DeleteVSwitch"};
    struct write w = {.type = WRITE_INTENT, .intent = &intent};
    expect_ok(f, store_write(f->store, DEFAULT_STACK, &w, 1, &f->err));
    expect_code(f, MOVE("a", KIND_VSWITCH, "c"), ERR_CONFLICT);
    assert_int_equal(load(f).n, 2);
}

/* ---- intents ---- */

static struct intent *intents_of(struct fixture *f, size_t *n)
{
    struct intent *items;
    expect_ok(f, store_intents(f->store, DEFAULT_STACK, f->arena, &items, n, &f->err));
    return items;
}

static void put_intent(struct fixture *f, const struct intent *i)
{
    struct write w = {.type = WRITE_INTENT, .intent = i};
    expect_ok(f, store_write(f->store, DEFAULT_STACK, &w, 1, &f->err));
}

static void an_intent_is_replaced_by_the_next_of_its_address_and_settled_with_its_record(void **state)
{
    struct fixture *f = *state;
    size_t n;
    open_store(f);
    struct intent web = {.kind = KIND_VSWITCH,
                         .name = TEXT("web"),
                         .verb = VERB_CREATE,
                         .operation = "CreateVSwitch",
                         .token = "token-1",
                         .request_hash = "hash-1",
                         .generation = 1,
                         .since_unix_ms = 1000};
    struct intent main = {
        .kind = KIND_VPC, .name = TEXT("main"), .verb = VERB_UPDATE, .operation = "ModifyVpcAttribute"};
    put_intent(f, &web);
    put_intent(f, &main);
    web.verb = VERB_DELETE;
    web.operation = "DeleteVSwitch";
    memset(web.token, 't', 64);
    put_intent(f, &web);
    reopen(f);
    struct intent *got = intents_of(f, &n);
    assert_int_equal(n, 2);
    assert_int_equal(got[0].kind, KIND_VPC); /* the oldest first */
    assert_int_equal(got[0].verb, VERB_UPDATE);
    assert_true(got[0].seq > 0 && got[0].seq < got[1].seq);
    assert_true(text_is(got[1].name, "web"));
    assert_int_equal(got[1].verb, VERB_DELETE);
    assert_string_equal(got[1].operation, "DeleteVSwitch");
    assert_string_equal(got[1].token, web.token);
    assert_string_equal(got[1].request_hash, "hash-1");
    assert_int_equal(got[1].since_unix_ms, 1000);
    struct record r = vswitch(f, "web", "vsw-1", 1);
    struct write writes[] = {{.type = WRITE_SETTLE_INTENT, .kind = KIND_VSWITCH, .name = TEXT("web")},
                             {.type = WRITE_RECORD, .record = &r}};
    expect_ok(f, store_write(f->store, DEFAULT_STACK, writes, 2, &f->err));
    (void)intents_of(f, &n);
    assert_int_equal(n, 1);
    assert_int_equal(load(f).n, 1);
}

/* ---- rows that others wrote ---- */

static void run_sql(struct fixture *f, const char *sql)
{
    sqlite3 *db;
    char *message = NULL;
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s: %s", sql, message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void one_record(struct fixture *f)
{
    open_store(f);
    struct record r = vswitch(f, "web", "vsw-1", 1);
    put(f, &r);
}

static void fields_that_this_version_does_not_have_are_skipped(void **state)
{
    struct fixture *f = *state;
    one_record(f);
    run_sql(
        f,
        "UPDATE records SET given = '[\"former\",\"zone\"]', fields = ' { \"former\" : {\"a\":[1,\"]}\",null,"
        "{\"b\":-1e5}]} , \"zone\" : \"\\u0041\\ud83d\\ude00\\/\" , \"x\":true, \"vpc\": null } '");
    open_store(f);
    struct records got = load(f);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.items[0].set_fields, 1u << VSW_ZONE);
    assert_true(text_is(value_as_text(got.items[0].values[VSW_ZONE]), "A😀/"));
    assert_int_equal(got.items[0].values[VSW_VPC].state, VALUE_UNKNOWN);
    assert_int_equal(got.items[0].values[VSW_CIDR].state, VALUE_UNSET);
}

static void malformed_fields_are_an_error_that_names_the_record(void **state)
{
    struct fixture *f = *state;
    static const char *const malformed[] = {
        "",
        "{",
        "[]",
        "{\"zone\"}",
        "{\"zone\":}",
        "{\"zone\":1}",
        "{}x",
        "{\"zone\"",
        "{\"zone",
        "{\"zone\":\"a",
        "{\"zone\":\"a\\",
        "{\"zone\":\"\\u12\"}",
        "{\"a\":[}",
        "{\"a\":}",
        "{\"tags\":[]}",
        "{\"tags\":{\"a\"}}",
        "{\"tags\":{\"a\":1}}",
        "{\"zone\":\"\\ud800\"}",
        "{\"zone\":\"a\",}",
        "{\"zone\":\"a\",\"zone\":\"a\"}",
        "{\"tags\":{\"a\":\"1\",\"a\":\"2\"}}",
        "{\"a\":",
        "{\"zone\":\"\\q\"}",
        "nul",
        "{\"tags\":{\"a\":\"b\"",
    };
    one_record(f);
    for (size_t i = 0; i < N_ELEMENTS(malformed); i++) {
        struct records got;
        run_sql(f, arena_printf(f->arena, "UPDATE records SET fields = '%s'", malformed[i]));
        open_store(f);
        expect_code(f, store_records(f->store, DEFAULT_STACK, NULL, f->arena, &got, &f->err), ERR_STATE);
        expect_message(f, "VSwitch/web");
    }
}

static void a_kind_that_this_version_does_not_have_is_an_error_with_its_address(void **state)
{
    struct fixture *f = *state;
    struct records got;
    one_record(f);
    run_sql(f, "UPDATE records SET kind = 'Gateway\x1b'");
    open_store(f);
    expect_code(f, store_records(f->store, DEFAULT_STACK, NULL, f->arena, &got, &f->err), ERR_STATE);
    expect_message(f, "Gateway\\x1b/web");
}

static struct resource desired_vswitch(struct fixture *f, const char *name, const char *cidr)
{
    struct resource r = {.kind = KIND_VSWITCH, .name = text_of(arena_strdup(f->arena, name))};
    r.values = arena_array_of(f->arena, VSW_N, struct value);
    assert_non_null(r.values);
    r.values[VSW_VPC] = (struct value){.state = VALUE_SET, .form = REF_LOCAL, .u.num = 0};
    r.values[VSW_CIDR] = value_cstr(arena_strdup(f->arena, cidr));
    return r;
}

static void records_share_the_texts_that_the_manifests_still_say(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"a", "c", "d", "f"};
    struct record records[N_ELEMENTS(names)];
    open_store(f);
    for (size_t k = 0; k < N_ELEMENTS(names); k++) {
        records[k] = vswitch(f, names[k], names[k], 1);
        put(f, &records[k]);
    }
    struct resource items[] = {{.kind = KIND_VPC, .name = TEXT("c")},
                               desired_vswitch(f, "b", "10.0.9.0/24"),
                               desired_vswitch(f, "c", "10.0.1.0/24"),
                               desired_vswitch(f, "d", "10.0.2.0/24"),
                               desired_vswitch(f, "e", "10.0.1.0/24")};
    struct desired desired = {.items = items, .n = N_ELEMENTS(items)};
    struct records got;
    expect_ok(f, store_records(f->store, DEFAULT_STACK, &desired, f->arena, &got, &f->err));
    assert_int_equal(got.n, N_ELEMENTS(names));
    for (size_t k = 0; k < N_ELEMENTS(names); k++) assert_same_record(&got.items[k], &records[k]);
    const struct value *same = got.items[1].values, *other = got.items[2].values;
    assert_ptr_equal(got.items[1].name.ptr, items[2].name.ptr);
    assert_ptr_equal(same[VSW_CIDR].u.text, items[2].values[VSW_CIDR].u.text);
    assert_ptr_equal(got.items[2].name.ptr, items[3].name.ptr);
    assert_ptr_not_equal(other[VSW_CIDR].u.text, items[3].values[VSW_CIDR].u.text);
}

static void a_hundred_thousand_records_come_back(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 100000 };
    open_store(f);
    struct record *records = arena_array_of(f->arena, MANY, struct record);
    struct write *writes = arena_array_of(f->arena, MANY, struct write);
    assert_true(records != NULL && writes != NULL);
    for (uint32_t i = 0; i < MANY; i++) {
        records[i] = vswitch(f, arena_printf(f->arena, "r%06u", i), arena_printf(f->arena, "vsw-%u", i), i);
        writes[(i * 7919u) % MANY] = (struct write){.type = WRITE_RECORD, .record = &records[i]};
    }
    expect_ok(f, store_write(f->store, DEFAULT_STACK, writes, MANY, &f->err));
    reopen(f);
    struct records got = load(f);
    assert_int_equal(got.n, MANY);
    for (uint32_t i = 0; i < MANY; i++) assert_same_record(&got.items[i], &records[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATE_TEST(every_field_of_every_kind_comes_back_as_it_was),
        STATE_TEST(records_are_sorted_by_address_and_apart_by_stack),
        STATE_TEST(the_serial_counts_writes_that_change_records),
        STATE_TEST(a_reference_without_an_id_is_refused_and_nothing_is_written),
        STATE_TEST(the_owner_of_a_cloud_object_is_who_manages_it),
        STATE_TEST(a_generation_outlives_its_record_and_never_goes_back),
        STATE_TEST(a_moved_record_takes_no_generation_that_was_used_at_its_new_address),
        STATE_TEST(a_move_needs_a_record_a_free_address_and_no_open_intent),
        STATE_TEST(an_intent_is_replaced_by_the_next_of_its_address_and_settled_with_its_record),
        STATE_TEST(fields_that_this_version_does_not_have_are_skipped),
        STATE_TEST(malformed_fields_are_an_error_that_names_the_record),
        STATE_TEST(a_kind_that_this_version_does_not_have_is_an_error_with_its_address),
        STATE_TEST(records_share_the_texts_that_the_manifests_still_say),
        STATE_TEST(a_hundred_thousand_records_come_back),
    };
    return cmocka_run_group_tests_name("state/records", tests, NULL, NULL);
}

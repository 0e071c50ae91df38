/* hostile.c - files made to cost time or memory, and files that are only large. */
#include "load_text.h"

#include "reconciler/manifest/check.h"

static void billion_laughs_are_refused_in_little_memory(void **state)
{
    (void)state;
    struct buf b;
    struct loaded t;
    buf_init(&b, 1024 * 1024);
    buf_puts(&b, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
        buf_printf(&b, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++) buf_printf(&b, "%s*a%d", k == 0 ? "" : ", ", i - 1);
        buf_puts(&b, "]\n");
    }
    load_bytes(&t, b.ptr, b.len);
    assert_int_equal(t.code, ERR_INPUT);
    assert_int_equal(t.diags.n_errors, 1);
    assert_non_null(strstr(t.diags.items[0].summary, "stand for more than 100000 nodes"));
    assert_true(arena_used(t.arena) < 64 * 1024);
    loaded_fini(&t);
    buf_fini(&b);
}

static void merge_keys_cannot_multiply_either(void **state)
{
    (void)state;
    struct buf b;
    struct loaded t;
    buf_init(&b, 1024 * 1024);
    buf_puts(&b, "a0: &a0 {");
    for (int k = 0; k < 900; k++) buf_printf(&b, "k%d: v, ", k);
    buf_puts(&b, "}\nl: [");
    for (int i = 0; i < 1000; i++) buf_puts(&b, "{<<: *a0},\n ");
    buf_puts(&b, "]\n");
    load_bytes(&t, b.ptr, b.len);
    assert_int_equal(t.code, ERR_INPUT);
    assert_int_equal(t.diags.n_errors, 1);
    assert_non_null(strstr(t.diags.items[0].summary, "stand for more than 100000 nodes"));
    loaded_fini(&t);
    buf_fini(&b);
}

/* Neither do those that add nothing: each is looked for among what is there. */
static void merging_what_is_there_already_is_counted(void **state)
{
    (void)state;
    struct buf b;
    struct loaded t;
    buf_init(&b, 4 * 1024 * 1024);
    buf_puts(&b, "{");
    for (int k = 0; k < 100; k++) buf_printf(&b, "k%02d: v, ", k);
    buf_puts(&b, "<<: [");
    for (int i = 0; i < LIMIT_YAML_ALIAS_NODES + 1; i++) buf_puts(&b, "{k99: v},\n");
    buf_puts(&b, "]}\n");
    load_bytes(&t, b.ptr, b.len);
    assert_int_equal(t.code, ERR_INPUT);
    assert_non_null(strstr(print_diags(&t), "stand for more than 100000 nodes"));
    loaded_fini(&t);
    buf_fini(&b);
}

/* libyaml compares each with all before it. */
static void too_many_tag_directives_are_refused_before_they_are_read(void **state)
{
    (void)state;
    static const char *const breaks[] = {"\n", "\r", "\r\n", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
    for (size_t k = 0; k < N_ELEMENTS(breaks); k++) {
        struct buf b;
        struct loaded t;
        buf_init(&b, LIMIT_MANIFEST_FILE_BYTES);
        for (int i = 0; i < 20000; i++) buf_printf(&b, "%%TAG !t%d! tag:x,2000:%s", i, breaks[k]);
        buf_puts(&b, "--- a\n");
        load_bytes(&t, b.ptr, b.len);
        assert_int_equal(t.code, ERR_INPUT);
        assert_int_equal(t.diags.n_errors, 1);
        assert_string_equal(t.diags.items[0].summary, "more than 1000 %TAG directives in one file");
        assert_int_equal(t.diags.items[0].pos.line, LIMIT_YAML_TAG_DIRECTIVES + 1);
        loaded_fini(&t);
        buf_fini(&b);
    }
}

static void text_that_only_looks_like_a_directive_is_not_counted(void **state)
{
    (void)state;
    struct buf b;
    struct loaded t;
    buf_init(&b, 1024 * 1024);
    buf_puts(&b, HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8 #");
    for (int i = 0; i < 2 * LIMIT_YAML_TAG_DIRECTIVES; i++) buf_puts(&b, " %TAG");
    load_bytes(&t, b.ptr, b.len);
    assert_int_equal(t.code, ERR_OK);
    loaded_fini(&t);
    buf_fini(&b);
}

/* Each is shown with what is around it, in one walk through the line. */
static void many_errors_of_one_long_line_are_each_shown_in_place(void **state)
{
    (void)state;
    struct buf b;
    struct loaded t;
    buf_init(&b, 64 * 1024 * 1024);
    buf_puts(&b, "apiVersion: headgate/v1\nkind: Vpc\nmetadata: {name: main}\nspec: {");
    for (int i = 0; i < 200; i++) {
        buf_fill(&b, ' ', 20000);
        buf_printf(&b, "é%d: 生, ", i);
    }
    buf_puts(&b, "cidrBlock: 10.0.0.0/8}");
    load_bytes(&t, b.ptr, b.len);
    assert_int_equal(t.diags.n_errors, 200);
    for (size_t i = 0; i < t.diags.n; i++) {
        const char *line = t.diags.items[i].line;
        char wanted[32];
        (void)snprintf(wanted, sizeof wanted, "é%zu: 生", i);
        const char *caret = strchr(line, '\n');
        assert_non_null(caret);
        assert_memory_equal(line + strlen(caret), wanted,
                            strlen(wanted)); /* the dots: three bytes, one cell */
    }
    loaded_fini(&t);
    buf_fini(&b);
}

/* Each place of a variable is counted from the one before it. */
static void many_variables_in_one_text_have_their_places(void **state)
{
    (void)state;
    struct buf b;
    struct loaded t;
    buf_init(&b, 64 * 1024 * 1024);
    buf_puts(&b, HEAD("Vpc", "main") "  description: é${A}é${A}\n  tags:\n");
    for (int i = 0; i < 20; i++) {
        buf_printf(&b, "    k%d: x", i);
        for (int k = 0; k < 16000; k++) buf_puts(&b, "${A}");
        buf_puts(&b, "\n");
    }
    load_bytes(&t, b.ptr, b.len);
    assert_int_equal(t.code, ERR_INPUT);
    assert_int_equal(t.diags.items[0].pos.column, 17);
    assert_int_equal(t.diags.items[1].pos.column, 22);
    assert_int_equal(t.diags.items[3].pos.column - t.diags.items[2].pos.column, 4);
    loaded_fini(&t);
    buf_fini(&b);
}

static void what_is_missing_at_the_end_is_shown_at_the_end(void **state)
{
    (void)state;
    struct loaded t;
    load_text(&t, "t:\nr"); /* libyaml counts a third line */
    assert_memory_equal(print_diags(&t), "a.yaml:2:2: error: not valid YAML", 33);
    assert_string_equal(t.diags.items[0].line, "r\n ^");
    loaded_fini(&t);
}

static void assert_refused(const char *part, char c, size_t n, const char *before, const char *after)
{
    struct buf b;
    struct loaded t;
    buf_init(&b, 64 * 1024 * 1024);
    buf_puts(&b, before);
    for (size_t i = 0; i < n; i++) buf_put(&b, &c, 1);
    buf_puts(&b, after);
    load_bytes(&t, b.ptr, b.len);
    assert_int_equal(t.code, ERR_INPUT);
    bool found = false;
    for (size_t i = 0; i < t.diags.n; i++) found |= strstr(t.diags.items[i].summary, part) != NULL;
    if (!found) print_error("%s not in:\n%s", part, print_diags(&t));
    assert_true(found);
    loaded_fini(&t);
    buf_fini(&b);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    assert_refused("nested deeper than 32 levels", '[', 1000000, "", "");
    assert_refused("nested deeper than 32 levels", '[', 33, "", "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    struct loaded t;
    load_text(&t, "a: &a [[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]\nb: [[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]\n");
    assert_non_null(strstr(print_diags(&t), "nested deeper than 32 levels through this alias"));
    loaded_fini(&t);
}

static void long_texts_and_long_lines_are_cut_to_size(void **state)
{
    (void)state;
    assert_refused("a text of more than 65536 bytes", 'x', 65537, "a: ", "\n");
    struct loaded t;
    struct buf b;
    buf_init(&b, 1024 * 1024);
    buf_puts(&b, "apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: eip1}\nspec: {description: \"");
    buf_fill(&b, 'x', 200);
    buf_puts(&b, "\", oops: 1, name: \"");
    buf_fill(&b, 'y', 100);
    buf_puts(&b, "\"}\n");
    load_bytes(&t, b.ptr, b.len);
    assert_int_equal(t.diags.n_errors, 1);
    const char *line = t.diags.items[0].line, *caret = strchr(line, '\n');
    assert_true(caret - line < 130);
    assert_true(strncmp(line, "…", 3) == 0);
    /* "\n", blanks, "^": the caret stands below the field; the dots are three bytes and one cell. */
    assert_memory_equal(line + (strlen(caret) - 2) + 2, "oops", 4);
    loaded_fini(&t);
    buf_fini(&b);
}

static void a_document_with_too_many_nodes_is_refused(void **state)
{
    (void)state;
    struct buf b;
    struct loaded t;
    buf_init(&b, 64 * 1024 * 1024);
    buf_putc(&b, '[');
    for (int i = 0; i < LIMIT_YAML_NODES; i++) buf_puts(&b, "a,\n");
    buf_putc(&b, ']');
    load_bytes(&t, b.ptr, b.len);
    assert_int_equal(t.code, ERR_INPUT);
    assert_non_null(strstr(t.diags.items[0].summary, "more than 1000000 nodes"));
    loaded_fini(&t);
    buf_fini(&b);
}

/* 'n' documents, all empty but the last, which is an Eip. */
static void load_empty_documents(struct loaded *t, int n)
{
    struct buf b;
    buf_init(&b, 64 * 1024 * 1024);
    for (int i = 1; i < n; i++) buf_puts(&b, "---\n");
    buf_puts(&b, "---\napiVersion: headgate/v1\nkind: Eip\nmetadata: {name: eip1}\n");
    load_bytes(t, b.ptr, b.len);
    buf_fini(&b);
}

static void too_many_documents_are_refused_where_they_begin(void **state)
{
    (void)state;
    struct loaded t;
    load_empty_documents(&t, LIMIT_MANIFEST_DOCUMENTS + 1);
    assert_int_equal(t.code, ERR_INPUT);
    assert_int_equal(t.diags.n_errors, 1);
    assert_string_equal(t.diags.items[0].summary, "more than 1000000 documents in one file");
    assert_string_equal(t.diags.items[0].pos.file, "a.yaml");
    assert_int_equal(t.diags.items[0].pos.line, LIMIT_MANIFEST_DOCUMENTS + 1);
    assert_int_equal(t.diags.items[0].pos.column, 1);
    loaded_fini(&t);
}

static void empty_documents_take_no_memory(void **state)
{
    (void)state;
    struct loaded t;
    load_empty_documents(&t, LIMIT_MANIFEST_DOCUMENTS);
    assert_int_equal(t.code, ERR_OK);
    assert_int_equal(t.desired.n, 1);
    assert_true(arena_used(t.arena) < 64 * 1024);
    loaded_fini(&t);
}

static void a_file_over_the_limit_is_an_error_of_its_own(void **state)
{
    (void)state;
    struct loaded t;
    size_t n = LIMIT_MANIFEST_FILE_BYTES + 1;
    char *bytes = calloc(1, n);
    assert_non_null(bytes);
    load_bytes(&t, bytes, n);
    assert_int_equal(t.code, ERR_LIMIT);
    loaded_fini(&t);
    free(bytes);
}

static void only_the_first_hundred_errors_are_kept(void **state)
{
    (void)state;
    struct buf b;
    struct loaded t;
    buf_init(&b, 1024 * 1024);
    for (int i = 0; i < 150; i++)
        buf_printf(&b, "--- {apiVersion: headgate/v1, kind: Eip, metadata: {name: e%d}, spec: {x: 1}}\n", i);
    load_bytes(&t, b.ptr, b.len);
    assert_int_equal(t.diags.n_errors, 150);
    assert_int_equal(t.diags.n, 100);
    assert_non_null(strstr(print_diags(&t), "… and 50 more\n"));
    loaded_fini(&t);
    buf_fini(&b);
}

static void substitution_cannot_multiply(void **state)
{
    (void)state;
    struct buf b;
    struct loaded t;
    buf_init(&b, 1024 * 1024);
    buf_puts(&b, HEAD("Stack", "prod") "  variables: {A: ");
    buf_fill(&b, 'x', 60000);
    buf_puts(&b, "}\n---\n" HEAD("Eip", "eip1") "  description: ${A}${A}\n");
    load_bytes(&t, b.ptr, b.len);
    assert_int_equal(t.code, ERR_INPUT);
    assert_non_null(strstr(t.diags.items[0].summary, "too much text by substitution"));
    loaded_fini(&t);
    buf_fini(&b);
}

/* Names whose hashes were chosen to collide cost a binary search each. Here: only many names. */
static void a_hundred_thousand_resources_load_in_bounded_memory(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct buf b;
    struct loaded t;
    buf_init(&b, LIMIT_MANIFEST_FILE_BYTES);
    buf_puts(&b, HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n");
    for (unsigned i = 0; i < N; i++)
        buf_printf(
            &b,
            "---\n" HEAD(
                "VSwitch",
                "vsw-%u") "  vpc: main\n  zone: cn-shanghai-b\n  cidrBlock: 10.%u.%u.%u/28\n  description: number %u\n",
            i * 7919u % N, i >> 12, i >> 4 & 255, (i & 15) * 16, i);
    load_bytes(&t, b.ptr, b.len);
    assert_int_equal(t.code, ERR_OK);
    assert_int_equal(t.desired.n, N + 1);
    assert_int_equal(t.desired.items[0].n_refs_to, N);
    assert_true(arena_used(t.arena) < b.len * 2);
    for (uint32_t i = 1; i < t.desired.n; i++)
        assert_true(address_compare(t.desired.items[i - 1].kind, t.desired.items[i - 1].name,
                                    t.desired.items[i].kind, t.desired.items[i].name) < 0);
    loaded_fini(&t);
    buf_fini(&b);
}

static void an_allocation_that_fails_is_an_error_and_nothing_else(void **state)
{
    (void)state;
    static const char manifest[] = HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n  tags: {a: b}\n---\n" HEAD(
        "SecurityGroup",
        "sg1") "  vpc: main\n  rules:\n  - {protocol: tcp, peer: {cidr: 0.0.0.0/0}}\n---\n" HEAD("Vpc",
                                                                                                 "other") "  cidrBlok: 1\n";
    enum err_code code = ERR_NOMEM;
    for (size_t limit = 0; code == ERR_NOMEM; limit += 8) {
        struct arena *arena = arena_new(limit);
        struct diags diags;
        struct desired desired;
        struct err err;
        struct source source = {"a.yaml", text_of(manifest)};
        struct manifest_input input = {.sources = &source, .n_sources = 1};
        diags_init(&diags, arena);
        code = manifest_load(arena, &input, &diags, &desired, &err);
        arena_free(arena);
        assert_true(limit < 1024 * 1024);
    }
    assert_int_equal(code, ERR_INPUT);
}

static void a_cycle_is_told_with_its_members(void **state)
{
    (void)state;
    /* No manifest can make one today; this is what a future kind would. */
    struct arena *arena = arena_new(LIMIT_ARENA_BYTES);
    struct diags diags;
    diags_init(&diags, arena);
    struct load l = {.arena = arena, .scratch = arena, .diags = &diags, .kind = KIND_NONE};
    struct resource items[2] = {
        {.kind = KIND_VSWITCH, .name = TEXT("web"), .pos = {"a.yaml", 1, 1}, .lifecycle = &lifecycle_default},
        {.kind = KIND_NAT_GATEWAY,
         .name = TEXT("nat1"),
         .pos = {"a.yaml", 2, 1},
         .lifecycle = &lifecycle_default},
    };
    for (uint32_t i = 0; i < 2; i++) {
        items[i].values = arena_array_of(arena, kind_info(items[i].kind)->n_fields, struct value);
        assert_non_null(items[i].values);
    }
    items[0].values[VSW_VPC] = (struct value){.state = VALUE_SET, .form = REF_LOCAL, .u.num = 1};
    items[1].values[NAT_VSWITCH] = (struct value){.state = VALUE_SET, .form = REF_LOCAL, .u.num = 0};
    struct desired desired = {.items = items, .n = 2};
    struct view v = {.l = &l, .d = &desired};
    check_cycles(&v);
    assert_int_equal(diags.n_errors, 1);
    assert_string_equal(diags.items[0].summary,
                        "references go in a circle: VSwitch/web -> NatGateway/nat1 -> VSwitch/web");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(billion_laughs_are_refused_in_little_memory),
        cmocka_unit_test(merge_keys_cannot_multiply_either),
        cmocka_unit_test(merging_what_is_there_already_is_counted),
        cmocka_unit_test(too_many_tag_directives_are_refused_before_they_are_read),
        cmocka_unit_test(text_that_only_looks_like_a_directive_is_not_counted),
        cmocka_unit_test(many_errors_of_one_long_line_are_each_shown_in_place),
        cmocka_unit_test(many_variables_in_one_text_have_their_places),
        cmocka_unit_test(what_is_missing_at_the_end_is_shown_at_the_end),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(long_texts_and_long_lines_are_cut_to_size),
        cmocka_unit_test(a_document_with_too_many_nodes_is_refused),
        cmocka_unit_test(too_many_documents_are_refused_where_they_begin),
        cmocka_unit_test(empty_documents_take_no_memory),
        cmocka_unit_test(a_file_over_the_limit_is_an_error_of_its_own),
        cmocka_unit_test(only_the_first_hundred_errors_are_kept),
        cmocka_unit_test(substitution_cannot_multiply),
        cmocka_unit_test(a_hundred_thousand_resources_load_in_bounded_memory),
        cmocka_unit_test(an_allocation_that_fails_is_an_error_and_nothing_else),
        cmocka_unit_test(a_cycle_is_told_with_its_members),
    };
    return cmocka_run_group_tests_name("manifest: hostile", tests, NULL, NULL);
}

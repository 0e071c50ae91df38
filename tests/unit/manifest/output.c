/* output.c - what this module prints: diagnostics, manifests, explanations, the schema; and the examples. */
#include "load_text.h"

#include <jansson.h>

static void diagnostics_are_rendered_with_line_caret_and_help(void **state)
{
    (void)state;
    struct loaded t;
    load_text(
        &t,
        "apiVersion: headgate/v1\nkind: Vpc\nmetadata: {name: main}\nspec: {name: 生产, cidrBlok: 1, cidrBlock: 10.0.0.0/8}\n");
    assert_string_equal(print_diags(&t), "a.yaml:4:18: error: Vpc/main: unknown field `cidrBlok`\n"
                                         "    spec: {name: 生产, cidrBlok: 1, cidrBlock: 10.0.0.0/8}\n"
                                         "                       ^\n"
                                         "    help: did you mean `cidrBlock`?\n");
    buf_reset(&t.text);
    diags_render(&t.diags, true, &t.text);
    assert_non_null(strstr(buf_str(&t.text), "\x1b[1;31merror: \x1b[0m"));
    loaded_fini(&t);
}

static void what_comes_from_a_file_cannot_control_the_terminal(void **state)
{
    (void)state;
    struct loaded t;
    load_text(&t, HEAD("Vpc", "main") "  cidrBlock: \"\\e[31m\"\n");
    assert_null(strchr(print_diags(&t), '\x1b'));
    assert_non_null(strstr(print_diags(&t), "\\x1b[31m"));
    loaded_fini(&t);
}

static void diagnostics_are_rendered_as_json(void **state)
{
    (void)state;
    struct loaded t;
    struct err err;
    load_text(&t, HEAD("Vpc", "main") "  cidrBlok: 1\n");
    buf_reset(&t.text);
    assert_int_equal(diags_render_json(&t.diags, &t.text, &err), ERR_OK);
    json_t *root = json_loads(buf_str(&t.text), 0, NULL);
    assert_non_null(root);
    assert_true(json_is_false(json_object_get(root, "valid")));
    assert_int_equal(json_integer_value(json_object_get(root, "error_count")), 2);
    assert_int_equal(json_integer_value(json_object_get(root, "warning_count")), 0);
    json_t *d = json_array_get(json_object_get(root, "diagnostics"), 0);
    assert_string_equal(json_string_value(json_object_get(d, "severity")), "error");
    assert_string_equal(json_string_value(json_object_get(d, "address")), "Vpc/main");
    json_t *range = json_object_get(d, "range");
    assert_string_equal(json_string_value(json_object_get(range, "filename")), "a.yaml");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(range, "start"), "line")), 5);
    assert_string_equal(json_string_value(json_object_get(range, "snippet")), "  cidrBlok: 1");
    json_decref(root);
    loaded_fini(&t);
}

/* Writes all resources as one file of manifests. */
static void write_all(const struct loaded *t, struct buf *out)
{
    for (uint32_t i = 0; i < t->desired.n; i++) {
        const struct resource *r = &t->desired.items[i];
        buf_puts(out, "---\n");
        manifest_write(out, r->kind, r->name, r->values, UINT64_MAX, &t->desired);
    }
}

static void what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    struct loaded t, again;
    struct buf out;
    load_text(
        &t,
        HEAD(
            "Vpc",
            "main") "  cidrBlock: 10.0.0.0/8\n  secondaryCidrBlocks: [172.16.0.0/16]\n  name: \"生产\"\n"
                    "  description: \"line\\nbreak: \\\"$${A}\\\" # no\"\n  tags: {a: \"true\", b: \"\", c: \"1.5\", \"d e\": \"-\", \"${k}\": \"$${v} \\u2028\\ufeff\\x85\\x9b\\x7f é\"}\n---\n" HEAD(
                        "VSwitch",
                        "web") "  vpc: main\n  zone: cn-shanghai-b\n  cidrBlock: 10.1.0.0/24\n---\n" HEAD("SnatEntry",
                                                                                                          "out") "  natGateway: {name: n1, tags: {x: y}}\n  source: {vSwitch: web}\n  eips: [{id: eip-1}, {id: eip-2}]\n  eipAffinity: false\n---\n" HEAD("DnatEntry",
                                                                                                                                                                                                                                                          "http") "  natGateway: {id: ngw-1}\n  eip: {tags: {x: y}}\n  externalPort: 80/90\n  target: {ip: 10.1.0.9}\n  internalPort: 80/90\n");
    if (t.code != ERR_OK) print_error("%s", print_diags(&t));
    assert_int_equal(t.code, ERR_OK);
    buf_init(&out, 1024 * 1024);
    write_all(&t, &out);
    load_bytes(&again, out.ptr, out.len);
    if (again.code != ERR_OK) print_error("%s\n%s", buf_str(&out), print_diags(&again));
    assert_int_equal(again.code, ERR_OK);
    assert_string_equal(print_resources(&again), print_resources(&t));
    buf_fini(&out);
    loaded_fini(&again);
    loaded_fini(&t);
}

static void a_resource_is_written_as_a_manifest(void **state)
{
    (void)state;
    struct loaded t;
    struct buf out;
    load_text(
        &t,
        HEAD("SnatEntry",
             "web-out") "  natGateway: {id: ngw-1}\n  source: {cidr: 10.0.0.0/8}\n  eips: [{id: eip-1}]\n");
    buf_init(&out, 4096);
    write_all(&t, &out);
    assert_string_equal(
        buf_str(&out), "---\napiVersion: headgate/v1\nkind: SnatEntry\nmetadata:\n  name: web-out\nspec:\n"
                       "  natGateway: {id: ngw-1}\n  source:\n    cidr: 10.0.0.0/8\n  eips: [{id: eip-1}]\n");
    buf_fini(&out);
    loaded_fini(&t);
}

static const char *explained(struct buf *out, const char *path)
{
    struct err err;
    buf_reset(out);
    assert_int_equal(manifest_explain(text_of(path), out, &err), ERR_OK);
    return buf_str(out);
}

static void kinds_and_fields_are_explained(void **state)
{
    (void)state;
    struct buf out;
    struct err err;
    buf_init(&out, 1024 * 1024);
    for (int k = 0; k < N_KINDS; k++) {
        const struct kind_info *info = kind_info((enum kind)k);
        assert_non_null(strstr(explained(&out, info->name), info->doc));
        assert_non_null(strstr(explained(&out, ""), info->name));
        for (uint8_t i = 0; i < info->n_fields; i++) {
            char path[128];
            (void)snprintf(path, sizeof path, "%s.%s", info->name, info->fields[i].name);
            assert_non_null(strstr(explained(&out, path), info->fields[i].doc));
        }
    }
    assert_non_null(strstr(explained(&out, "vsw"), "cidrBlock <cidr> (required, immutable)"));
    assert_non_null(strstr(explained(&out, "VSwitch.spec.cidrBlock"), "a mask of 16 to 29 bits"));
    assert_non_null(strstr(explained(&out, "SnatEntry.source"), "source.vSwitch <reference to VSwitch>"));
    assert_non_null(strstr(explained(&out, "Stack"), "maxDeletions"));
    assert_int_equal(manifest_explain(TEXT("VSwich"), &out, &err), ERR_INPUT);
    assert_string_equal(err.msg, "there is no kind `VSwich`, did you mean `VSwitch`?");
    assert_int_equal(manifest_explain(TEXT("VSwitch.cidr"), &out, &err), ERR_INPUT);
    assert_int_equal(manifest_explain(TEXT("VSwitch.cidrBlok"), &out, &err), ERR_INPUT);
    assert_string_equal(err.msg, "VSwitch has no field `cidrBlok`, did you mean `cidrBlock`?");
    assert_int_equal(manifest_explain(TEXT("NatGateway.nope"), &out, &err), ERR_INPUT);
    assert_string_equal(err.msg, "NatGateway has no field `nope`; `headgate explain NatGateway` lists them");
    buf_fini(&out);
}

static void the_examples_of_all_kinds_are_right(void **state)
{
    (void)state;
    for (int k = 0; k < N_KINDS; k++) {
        struct loaded t;
        load_text(&t, kind_info((enum kind)k)->example);
        /* What they refer to is not there: nothing else may be wrong. */
        for (size_t i = 0; i < t.diags.n; i++) {
            bool unresolved = strstr(t.diags.items[i].summary, "there is no ") != NULL;
            if (!unresolved) print_error("%s", print_diags(&t));
            assert_true(unresolved);
        }
        loaded_fini(&t);
    }
}

static void the_schema_names_each_kind_and_field(void **state)
{
    (void)state;
    struct buf out;
    struct err err;
    buf_init(&out, 4 * 1024 * 1024);
    assert_int_equal(manifest_schema(&out, &err), ERR_OK);
    json_t *root = json_loads(buf_str(&out), JSON_REJECT_DUPLICATES, NULL),
           *defs = json_object_get(root, "$defs");
    assert_non_null(defs);
    for (int k = 0; k < N_KINDS; k++) {
        const struct kind_info *info = kind_info((enum kind)k);
        json_t *properties = json_object_get(json_object_get(defs, info->name), "properties");
        for (uint8_t i = 0; i < info->n_fields; i++) {
            char name[64];
            (void)snprintf(name, sizeof name, "%s", info->fields[i].name);
            char *dot = strchr(name, '.');
            json_t *in = properties;
            if (dot != NULL) {
                *dot = '\0';
                in = json_object_get(json_object_get(properties, name), "properties");
            }
            bool there = json_object_get(in, dot == NULL ? name : dot + 1) != NULL;
            assert_int_equal(there, !(info->fields[i].flags & FIELD_COMPUTED));
        }
    }
    json_decref(root);
    buf_fini(&out);
}

static struct text read_example(const char *folder, const char *file)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/manifests/%s/%s", HG_SOURCE_DIR, folder, file);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *bytes = malloc(64 * 1024);
    assert_non_null(bytes);
    size_t n = fread(bytes, 1, 64 * 1024, f);
    assert_int_equal(fclose(f), 0);
    return (struct text){bytes, n};
}

static void load_example(struct loaded *t, const char *folder, const char *const *files, size_t n)
{
    struct source sources[8];
    for (size_t i = 0; i < n; i++) sources[i] = (struct source){files[i], read_example(folder, files[i])};
    load_sources(t, sources, n);
    for (size_t i = 0; i < n; i++) free((void *)(uintptr_t)sources[i].bytes.ptr);
    if (t->code != ERR_OK) print_error("%s", print_diags(t));
    assert_int_equal(t->code, ERR_OK);
    assert_int_equal(t->diags.n, 0);
}

static void the_reference_page_says_what_explain_says(void **state)
{
    (void)state;
    struct buf out;
    char *page = calloc(1, 256 * 1024);
    FILE *f = fopen(HG_SOURCE_DIR "/docs/manifests.md", "rb");
    assert_non_null(page);
    assert_non_null(f);
    assert_true(fread(page, 1, 256 * 1024 - 1, f) > 0);
    assert_int_equal(fclose(f), 0);
    buf_init(&out, 1024 * 1024);
    assert_non_null(strstr(page, explained(&out, "Stack")));
    for (int k = 0; k < N_KINDS; k++) {
        bool there = strstr(page, explained(&out, kind_info((enum kind)k)->name)) != NULL;
        if (!there)
            print_error("docs/manifests.md is not up to date with %s\n", kind_info((enum kind)k)->name);
        assert_true(there);
    }
    buf_fini(&out);
    free(page);
}

static void the_worked_examples_load_without_a_word(void **state)
{
    (void)state;
    static const char *const all[] = {"stack.yaml", "network.yaml", "instances.yaml", "nat.yaml",
                                      "routes.yaml"};
    static const char *const existing[] = {"stack.yaml", "existing.yaml", "nat.yaml", "routes.yaml"};
    struct loaded t;
    load_example(&t, "nat-hairpin", all, N_ELEMENTS(all));
    assert_int_equal(t.desired.n, 22);
    loaded_fini(&t);
    load_example(&t, "nat-hairpin-existing", existing, N_ELEMENTS(existing));
    uint32_t ours = 0;
    for (uint32_t i = 0; i < t.desired.n; i++)
        ours += t.desired.items[i].lifecycle->management != MANAGE_OBSERVE;
    assert_int_equal(ours, 12);
    loaded_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diagnostics_are_rendered_with_line_caret_and_help),
        cmocka_unit_test(what_comes_from_a_file_cannot_control_the_terminal),
        cmocka_unit_test(diagnostics_are_rendered_as_json),
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(a_resource_is_written_as_a_manifest),
        cmocka_unit_test(kinds_and_fields_are_explained),
        cmocka_unit_test(the_examples_of_all_kinds_are_right),
        cmocka_unit_test(the_schema_names_each_kind_and_field),
        cmocka_unit_test(the_reference_page_says_what_explain_says),
        cmocka_unit_test(the_worked_examples_load_without_a_word),
    };
    return cmocka_run_group_tests_name("manifest: output", tests, NULL, NULL);
}

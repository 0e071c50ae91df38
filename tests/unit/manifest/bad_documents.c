/* bad_documents.c - YAML, documents, stacks, lifecycles and variables that are wrong: where and what is said.
 */
#include "load_text.h"

#define SPEC HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n"

static void wrong_yaml_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct bad rows[] = {
        {"a: [1, 2\n", "2:1", "not valid YAML", NULL},
        {"a:\n\tb: 1\n", "2:1", "a tab cannot be used here", "use blanks"},
        {"a: b: c\n", "1:5", "not valid YAML: mapping values are not allowed", NULL},
        {"a: \"b\n", "2:1", "not valid YAML", NULL},
        {"a: caf\xe9\n", "1:7", "not UTF-8", "save the file as UTF-8"},
        {"\xc3\xa9\xc3\xa9: \xff\n", "1:5", "not UTF-8", NULL},
        {"a: \x07\n", "1:4", "control characters", "escape"},
        {HEAD("Eip", "eip1") "  name: !!binary aGVsbG8=\n", "5:9", "the tag `!!binary` cannot be used here",
         "leave the tag out"},
        {"a: *b\n", "1:4", "there is no anchor `&b`", NULL},
        {"a: &a [*a]\n", "1:8", "the alias lies in what it stands for", NULL},
        {"? [a]\n: b\n", "1:3", "a key must be a text", NULL},
        {SPEC "  name: vv\n  name: ww\n", "7:3", "the key `name` is given twice, first at line 6, column 3",
         "remove one"},
        {"apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: ab}\nspec: {}\napiVersion: headgate/v1\n",
         "5:1", "the key `apiVersion` is given twice, first at line 1, column 1",
         "another document begins with `---`"},
        {SPEC "  <<: 1\n", "6:7", "the merge key `<<` needs a mapping", NULL},
    };
    ASSERT_ALL_BAD(rows);
}

static void a_nul_byte_is_told_with_its_place(void **state)
{
    (void)state;
    struct loaded t;
    load_bytes(&t, "a: b\nc: \0d\n", 11);
    assert_int_equal(t.code, ERR_INPUT);
    assert_string_equal(t.diags.items[0].summary, "the file has a NUL byte here");
    assert_int_equal(t.diags.items[0].pos.line, 2);
    assert_int_equal(t.diags.items[0].pos.column, 4);
    loaded_fini(&t);
}

static void wrong_documents_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct bad rows[] = {
        {"", "none", "there is no manifest in the input", "apiVersion"},
        {"---\n---\n# nothing\n", "none", "there is no manifest", NULL},
        {"[a, b]\n", "1:1", "a document needs to be a mapping", "apiVersion"},
        {"kind: Eip\nmetadata: {name: ab}\n", "1:1", "`apiVersion` is missing", "headgate/v1"},
        {"apiVersion: headgate/v2\nkind: Eip\nmetadata: {name: ab}\n", "1:13",
         "unknown apiVersion `headgate/v2`", "did you mean `headgate/v1`?"},
        {"apiVersion: headgate/v1\nmetadata: {name: ab}\n", "1:1", "`kind` is missing", "headgate explain"},
        {"apiVersion: headgate/v1\nkind: VSwich\nmetadata: {name: ab}\n", "2:7", "unknown kind `VSwich`",
         "did you mean `VSwitch`?"},
        {"apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: ab}\nspecs: {}\n", "4:1",
         "unknown field `specs`", "did you mean `spec`?"},
        {"apiVersion: headgate/v1\nkind: Eip\n", "1:1", "`metadata` is missing", NULL},
        {"apiVersion: headgate/v1\nkind: Eip\nmetadata: {labels: {a: b}}\n", "3:11",
         "`metadata.name` is missing", NULL},
        {"apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: ab, label: {}}\n", "3:22",
         "unknown field `label` in `metadata`", "did you mean `labels`?"},
        {"apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: Web}\n", "3:18", "`Web` is not a name",
         "a-z, 0-9"},
        {"apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: a.b}\n", "3:18",
         "dots are kept for generated names", "`-`"},
        {"apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: ab-}\n", "3:18", "`ab-` is not a name", NULL},
        {"apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: "
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n",
         "3:18", "is not a name", "1 to 63"},
        {"apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: [a]}\n", "3:18", "needs a text, not a list",
         NULL},
        {"apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: 1a}\n", "3:18", "does not begin with a letter",
         "set spec.name"},
        {"apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: ab}\nspec: 5\n", "4:7",
         "`spec` needs a mapping", NULL},
    };
    ASSERT_ALL_BAD(rows);
}

static void wrong_stacks_are_told_with_their_place(void **state)
{
    (void)state;
#define STACK HEAD("Stack", "prod")
    static const struct bad rows[] = {
        {STACK "  provider: aliclod\n", "5:13", "`provider` is `aliclod`, but must be mock, alicloud or lab",
         "did you mean `alicloud`?"},
        {STACK "  regoin: cn-shanghai\n", "5:3", "unknown field `regoin`", "did you mean `region`?"},
        {STACK "  region: Shanghai\n", "5:11", "`Shanghai` is not a region", "cn-shanghai"},
        {STACK "  interval: 5\n", "5:13", "`5` is not a duration", "5m"},
        {STACK "  prune: yes\n", "5:10", "`prune` needs true or false, not `yes`", "write true"},
        {STACK "  maxDeletions: -1\n", "5:17", "must be at least 0", NULL},
        {STACK "  variables: {1A: b}\n", "5:15", "`1A` is not the name of a variable", NULL},
        {STACK "  variables: [a]\n", "5:14", "`variables` needs a mapping", NULL},
        {STACK "  prune: true\n---\n" STACK "  prune: true\n", "7:1",
         "a second Stack: `prod` is defined at a.yaml:1:1", "one Stack"},
        {STACK "  prune: true\nlifecycle: {}\n", "6:12", "a Stack has no `lifecycle`", NULL},
        {"apiVersion: headgate/v1\nkind: Stack\nmetadata: {}\n", "3:11", "`metadata.name` is missing", NULL},
    };
    ASSERT_ALL_BAD(rows);
}

static void wrong_lifecycles_are_told_with_their_place(void **state)
{
    (void)state;
#define LIFE SPEC "lifecycle:\n"
    static const struct bad rows[] = {
        {LIFE "  management: observed\n", "7:15",
         "`management` is `observed`, but must be enforce, detect or observe", "did you mean `observe`?"},
        {LIFE "  managment: observe\n", "7:3", "unknown field `managment` in `lifecycle`",
         "did you mean `management`?"},
        {LIFE "  adopt: always\n", "7:10", "must be never, ifTagged, ifIdentical or force, or the id",
         "vpc-"},
        {LIFE "  adopt: iftagged\n", "7:10", "`adopt` is `iftagged`", "did you mean `ifTagged`?"},
        {LIFE "  adopt: vsw-123\n", "7:10", "`adopt` is `vsw-123`", "begin with vpc-"},
        {LIFE "  adopt: vpc-1 2\n", "7:10", "`vpc-1 2` is not the id of a Vpc", "vpc-"},
        {LIFE "  preventDestroy: on\n", "7:19", "needs true or false, not `on`", "write true"},
        {LIFE "  preventDestroy: \"true\"\n", "7:19", "not the text \"true\"", "without quotes"},
        {LIFE "  onRemoval: keep\n", "7:14", "`onRemoval` is `keep`, but must be delete or orphan", NULL},
        {LIFE "  ignoreChanges: description\n", "7:18", "needs a list of fields", "[description"},
        {LIFE "  ignoreChanges: [tagz]\n", "7:19", "the unknown field `tagz`", "did you mean `tags`?"},
        {LIFE "  ignoreChanges: [systemRouteTable]\n", "7:19", "the unknown field `systemRouteTable`", NULL},
        {LIFE "  renamedFrom: A\n", "7:16", "`A` is not a name", NULL},
        {SPEC "lifecycle: observe\n", "6:12", "`lifecycle` needs a mapping", "{management: observe}"},
        {LIFE "  renamedFrom: old\n---\n" HEAD("Vpc", "old") "  cidrBlock: 172.16.0.0/12\n", "3:18",
         "renamedFrom `old`, but a Vpc of that name is still there", NULL},
    };
    ASSERT_ALL_BAD(rows);
}

static void wrong_variables_are_told_with_their_place(void **state)
{
    (void)state;
#define VARS HEAD("Stack", "prod") "  variables: {CIDR: 10.0.0.0/8, EMPTY: null}\n---\n"
    static const struct bad rows[] = {
        {HEAD("Vpc", "main") "  cidrBlock: ${CIDR}\n", "5:14", "the variable `CIDR` is not defined", "Stack"},
        {VARS HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n  description: in ${CIDER} out\n", "12:19",
         "the variable `CIDER` is not defined", "did you mean `CIDR`?"},
        {VARS HEAD("Vpc", "main") "  cidrBlock: ${EMPTY}\n", "11:14", "the variable `EMPTY` has no value",
         "default"},
        {VARS HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n  description: a ${CIDR\n", "12:18",
         "`${` without `}`", "`$${`"},
        {VARS HEAD("Vpc", "main") "  cidrBlock: 10.0.0.0/8\n  description: a ${a b}\n", "12:18",
         "`${a b}` does not name a variable", NULL},
    };
    ASSERT_ALL_BAD(rows);
}

static void all_errors_are_told_at_once_in_order(void **state)
{
    (void)state;
    struct loaded t;
    const struct source sources[] = {
        {"b.yaml", TEXT("apiVersion: headgate/v1\nkind: Vpc\nmetadata: {name: main}\nspec: {cidrBlok: 1}\n")},
        {"a.yaml", TEXT("a: [\n")},
        {"c.yaml", TEXT("apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: ab}\nspec: {bandwidth: x}\n")},
    };
    load_sources(&t, sources, 3);
    assert_int_equal(t.code, ERR_INPUT);
    assert_string_equal(t.err.msg, "the manifests have 4 errors");
    assert_string_equal(
        print_diags(&t),
        "a.yaml:2:1: error: not valid YAML: did not find expected node content, while parsing a flow "
        "node\n"
        "    \n    ^\n"
        "b.yaml:4:7: error: Vpc/main: the field `cidrBlock` is missing\n"
        "    spec: {cidrBlok: 1}\n          ^\n"
        "    help: Primary IPv4 block. Source: CreateVpc, CidrBlock\n"
        "b.yaml:4:8: error: Vpc/main: unknown field `cidrBlok`\n"
        "    spec: {cidrBlok: 1}\n           ^\n"
        "    help: did you mean `cidrBlock`?\n"
        "c.yaml:4:19: error: Eip/ab: `bandwidth` needs an integer, not `x`\n"
        "    spec: {bandwidth: x}\n                      ^\n");
    loaded_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_yaml_is_told_with_its_place),
        cmocka_unit_test(a_nul_byte_is_told_with_its_place),
        cmocka_unit_test(wrong_documents_are_told_with_their_place),
        cmocka_unit_test(wrong_stacks_are_told_with_their_place),
        cmocka_unit_test(wrong_lifecycles_are_told_with_their_place),
        cmocka_unit_test(wrong_variables_are_told_with_their_place),
        cmocka_unit_test(all_errors_are_told_at_once_in_order),
    };
    return cmocka_run_group_tests_name("manifest: bad documents", tests, NULL, NULL);
}

/* Plans as JSON: the shape that policy tools know from Terraform. */
#include "reconciler/plan/render.h"

#include "tests/unit/plan/render_fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct fixture f;
static struct buf out;
static struct err err;
static json_t *root; /* of the last plan that was rendered */

static int fresh(void **state)
{
    (void)state;
    fixture_init(&f);
    buf_init(&out, 1 << 20);
    root = NULL;
    return 0;
}

static int done(void **state)
{
    (void)state;
    json_decref(root);
    buf_fini(&out);
    return 0;
}

static void render(void)
{
    json_decref(root);
    buf_reset(&out);
    assert_int_equal(plan_render_json(&out, &f.plan, NULL, "2024-01-02T03:04:05Z", &err), ERR_OK);
    json_error_t e;
    root = json_loadb(out.ptr, out.len, JSON_ALLOW_NUL, &e);
    if (root == NULL) fail_msg("%s at %d in\n%s", e.text, e.position, buf_str(&out));
}

/* The i-th resource change, as compact text. */
static void assert_member(const char *list, size_t i, const char *member, const char *wanted)
{
    json_t *j = json_array_get(json_object_get(root, list), i);
    const char *dot = strchr(member, '.');
    if (dot != NULL) {
        j = json_object_get(j, "change");
        member = dot + 1;
    }
    j = json_object_get(j, member);
    char *text = j == NULL ? NULL : json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);
    if (wanted == NULL)
        assert_null(text);
    else
        assert_string_equal(text == NULL ? "(not there)" : text, wanted);
    free(text);
}
#define assert_change(i, member, wanted) assert_member("resource_changes", (i), (member), (wanted))

static void the_head_tells_totals_and_whether_there_is_anything_to_do(void **state)
{
    (void)state;
    fixture_mixed(&f);
    render();
    const char *head =
        "{\"format_version\":\"1.0\",\n"
        "\"timestamp\":\"2024-01-02T03:04:05Z\",\n"
        "\"stack\":\"lab\",\n"
        "\"applyable\":true,\n"
        "\"complete\":true,\n"
        "\"errored\":false,\n"
        "\"summary\":{\"add\":2,\"change\":2,\"destroy\":2,\"adopt\":1,\"forget\":1,\"unchanged\":0},\n"
        "\"estimate\":{\"calls\":12,\"duration_ms\":130000},\n"
        "\"left_out\":[],\n"
        "\"resource_drift\":[\n";
    assert_memory_equal(out.ptr, head, strlen(head));
}

static void an_empty_plan_has_empty_lists(void **state)
{
    (void)state;
    struct text left_out[] = {TEXT("Eip/a")};
    f.plan.left_out = left_out;
    f.plan.n_left_out = 1;
    render();
    assert_int_equal(json_array_size(json_object_get(root, "resource_changes")), 0);
    assert_int_equal(json_array_size(json_object_get(root, "resource_drift")), 0);
    assert_true(json_is_false(json_object_get(root, "applyable")));
    assert_true(json_is_false(json_object_get(root, "complete")));
}

static void actions_are_terraforms(void **state)
{
    (void)state;
    fixture_mixed(&f);
    render();
    assert_change(0, ".actions", "[\"no-op\"]");
    assert_change(0, ".importing", "{\"id\":\"vpc-1\"}");
    assert_change(1, ".actions", "[\"create\"]");
    assert_change(2, ".actions", "[\"create\",\"delete\"]");
    assert_change(3, ".actions", "[\"update\"]");
    assert_change(4, ".actions", "[\"delete\"]");
    assert_change(6, ".actions", "[\"forget\"]");
    f.changes[2].create_first = false;
    f.changes[0].action = ACTION_READ;
    f.changes[1].action = ACTION_NONE;
    f.changes[3].action = ACTION_ADOPT;
    render();
    assert_change(0, ".actions", "[\"read\"]");
    assert_change(0, "mode", "\"data\"");
    assert_change(1, ".actions", "[\"no-op\"]");
    assert_change(2, ".actions", "[\"delete\",\"create\"]");
    assert_change(3, ".actions", "[\"update\"]");
    assert_change(3, ".importing", "{\"id\":\"eip-1\"}");
}

static void a_create_has_no_before_and_tells_what_is_not_known(void **state)
{
    (void)state;
    fixture_mixed(&f);
    render();
    assert_change(1, "address", "\"VSwitch/web\"");
    assert_change(1, "type", "\"VSwitch\"");
    assert_change(1, "name", "\"web\"");
    assert_change(1, "mode", "\"managed\"");
    assert_change(1, ".before", "null");
    assert_change(1, ".after",
                  "{\"vpc\":\"vpc-1\",\"zone\":\"cn-hangzhou-h\",\"cidrBlock\":\"192.168.1.0/24\","
                  "\"tags\":{\"env\":\"prod\",\"owner\":\"net\"}}");
    assert_change(1, ".after_unknown", "{\"id\":true,\"routeTable\":true}");
}

static void a_replacement_names_the_paths_that_force_it(void **state)
{
    (void)state;
    fixture_mixed(&f);
    render();
    assert_change(2, ".replace_paths", "[[\"vSwitch\"]]");
    assert_change(2, ".after", "{\"vpc\":\"vpc-1\"}");
    assert_change(
        2, ".after_unknown",
        "{\"id\":true,\"vSwitch\":true,\"snatTable\":true,\"forwardTable\":true,\"privateIp\":true}");
    assert_change(2, "action_reason", "\"replace_because_cannot_update\"");
    assert_change(2, "disruption", "\"outage\"");
    assert_change(2, "affected", "[\"VSwitch/web\",\"VSwitch/db\"]");
}

static void an_update_keeps_what_it_does_not_change(void **state)
{
    (void)state;
    fixture_mixed(&f);
    render();
    assert_change(3, ".before",
                  "{\"id\":\"eip-1\",\"bandwidth\":5,\"isp\":\"BGP\",\"tags\":{\"env\":\"dev\","
                  "\"foreign\":\"x\",\"old\":\"1\"},\"address\":\"47.1.2.3\"}");
    assert_change(3, ".after",
                  "{\"id\":\"eip-1\",\"bandwidth\":10,\"isp\":\"BGP\",\"tags\":{\"env\":\"prod\","
                  "\"foreign\":\"x\",\"team\":\"net\"},\"address\":\"47.1.2.3\"}");
    assert_change(3, ".after_unknown", "{}");
    assert_change(3, "action_reason", NULL);
}

static void what_goes_has_no_after(void **state)
{
    (void)state;
    fixture_mixed(&f);
    render();
    assert_change(4, ".after", "null");
    assert_change(4, ".after_unknown", "false");
    assert_change(4, "action_reason", "\"delete_because_no_resource_config\"");
    assert_change(6, ".before", "{\"id\":\"rte-1\",\"destination\":\"0.0.0.0/0\"}");
    assert_change(6, ".after", "null");
}

static void dotted_fields_become_objects(void **state)
{
    (void)state;
    uint32_t nat = add_desired(&f, KIND_NAT_GATEWAY, "n"), dnat = add_desired(&f, KIND_DNAT_ENTRY, "d");
    set(&f, dnat, DNAT_NAT, local(nat));
    set(&f, dnat, DNAT_TARGET_IP, value_cstr("10.0.0.1"));
    set(&f, dnat, DNAT_TARGET_INSTANCE, value_unknown());
    struct change *c = add_change(&f, ACTION_REPLACE, KIND_DNAT_ENTRY, "d");
    const struct field_diff diff = {.field = DNAT_TARGET_IP, .forces_replace = true};
    c->diffs = &diff;
    c->n_diffs = 1;
    render();
    assert_change(0, ".after", "{\"target\":{\"ip\":\"10.0.0.1\"}}");
    assert_change(0, ".after_unknown", "{\"id\":true,\"natGateway\":true,\"target\":{\"instance\":true}}");
    assert_change(0, ".replace_paths", "[[\"target\",\"ip\"]]");
}

static void a_renamed_resource_has_its_previous_address(void **state)
{
    (void)state;
    struct change *c = add_change(&f, ACTION_ADOPT, KIND_EIP, "new");
    c->observed = add_object(&f, KIND_EIP, "eip-1");
    c->moved_from = TEXT("old");
    render();
    assert_change(0, "previous_address", "\"Eip/old\"");
    assert_change(0, ".importing", NULL);
}

static void drift_is_a_list_of_its_own(void **state)
{
    (void)state;
    fixture_mixed(&f);
    render();
    assert_member("resource_drift", 0, "address", "\"Eip/eip1\"");
    assert_member("resource_drift", 0, ".actions", "[\"update\"]");
    assert_member("resource_drift", 0, "changed_fields", "[\"bandwidth\"]");
    assert_member("resource_drift", 0, "detect_only", "false");
    assert_member("resource_drift", 1, ".actions", "[\"delete\"]");
    assert_member("resource_drift", 1, ".before", "{\"id\":\"rte-1\",\"destination\":\"0.0.0.0/0\"}");
    assert_member("resource_drift", 1, ".after", "null");
}

static void text_that_is_not_utf8_is_still_json(void **state)
{
    (void)state;
    uint32_t vpc = add_desired(&f, KIND_VPC, "a\xff");
    set(&f, vpc, VPC_NAME, value_cstr("\xc3(\xe2\x82\x1b\"\\"));
    set(&f, vpc, VPC_TAGS, LIST(&f, value_cstr("\xfe"), value_text("x\0y", 3)));
    (void)add_change(&f, ACTION_CREATE, KIND_VPC, "a\xff");
    render();
    assert_change(0, "name", "\"a\xef\xbf\xbd\"");
    assert_change(0, "address", "\"Vpc/a\xef\xbf\xbd\"");
    assert_change(
        0, ".after",
        "{\"name\":\"\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\\u001B\\\"\\\\\",\"tags\":{\"\xef\xbf\xbd\":\"x\\u0000y\"}}");
}

static void a_limit_is_an_error(void **state)
{
    (void)state;
    fixture_mixed(&f);
    render();
    for (size_t limit = 0; limit < out.len; limit += 101) {
        struct buf small;
        buf_init(&small, limit);
        assert_int_equal(plan_render_json(&small, &f.plan, NULL, "t", &err), ERR_LIMIT);
        buf_fini(&small);
    }
}

/* Makes jansson's n-th allocation fail. */
static size_t fail_at;

static void *failing_malloc(size_t n)
{
    return fail_at > 0 && --fail_at == 0 ? NULL : malloc(n);
}

static void running_out_of_memory_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    fixture_mixed(&f);
    enum err_code code = ERR_NOMEM;
    json_set_alloc_funcs(failing_malloc, free);
    size_t n = 1;
    for (; code != ERR_OK && n < 100000; n++) {
        buf_reset(&out);
        fail_at = n;
        code = plan_render_json(&out, &f.plan, NULL, "t", &err);
        assert_true(code == ERR_OK || code == ERR_NOMEM);
        if (code == ERR_OK) assert_int_not_equal(fail_at, 0);
    }
    json_set_alloc_funcs(malloc, free);
    assert_int_equal(code, ERR_OK);
    assert_true(n > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_head_tells_totals_and_whether_there_is_anything_to_do, fresh,
                                        done),
        cmocka_unit_test_setup_teardown(an_empty_plan_has_empty_lists, fresh, done),
        cmocka_unit_test_setup_teardown(actions_are_terraforms, fresh, done),
        cmocka_unit_test_setup_teardown(a_create_has_no_before_and_tells_what_is_not_known, fresh, done),
        cmocka_unit_test_setup_teardown(a_replacement_names_the_paths_that_force_it, fresh, done),
        cmocka_unit_test_setup_teardown(an_update_keeps_what_it_does_not_change, fresh, done),
        cmocka_unit_test_setup_teardown(what_goes_has_no_after, fresh, done),
        cmocka_unit_test_setup_teardown(dotted_fields_become_objects, fresh, done),
        cmocka_unit_test_setup_teardown(a_renamed_resource_has_its_previous_address, fresh, done),
        cmocka_unit_test_setup_teardown(drift_is_a_list_of_its_own, fresh, done),
        cmocka_unit_test_setup_teardown(text_that_is_not_utf8_is_still_json, fresh, done),
        cmocka_unit_test_setup_teardown(a_limit_is_an_error, fresh, done),
        cmocka_unit_test_setup_teardown(running_out_of_memory_is_an_error_and_leaks_nothing, fresh, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

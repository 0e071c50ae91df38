/* Plans as people read them: a plan by hand in, text out. */
#include "reconciler/plan/render.h"

#include "tests/unit/plan/render_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct fixture f;
static struct buf out;

static int fresh(void **state)
{
    (void)state;
    fixture_init(&f);
    buf_init(&out, 1 << 20);
    return 0;
}

static int done(void **state)
{
    (void)state;
    buf_fini(&out);
    return 0;
}

static const char *rendered(struct render_options options)
{
    options.desired = &f.desired;
    buf_reset(&out);
    plan_render(&out, &f.plan, &options);
    assert_true(buf_ok(&out));
    return buf_str(&out);
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) fail_msg("not found:\n%s\nin:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL) fail_msg("found:\n%s\nin:\n%s", part, text);
}

static void a_plan_reads_like_terraforms(void **state)
{
    (void)state;
    fixture_mixed(&f);
    assert_string_equal(
        rendered((struct render_options){.saved = true}),
        "\n"
        "Note: Objects have changed outside of headgate\n"
        "\n"
        "These differ from what was last applied:\n"
        "\n"
        "  # Eip/eip1 has changed\n"
        "  # (corrected by this plan)\n"
        "  ~ Eip \"eip1\" {\n"
        "        id        = \"eip-1\"\n"
        "      ~ bandwidth = 10 -> 5\n"
        "    }\n"
        "\n"
        "  # RouteEntry/gone has been deleted\n"
        "  # (forgotten by this plan)\n"
        "  - RouteEntry \"gone\" {\n"
        "      - id          = \"rte-1\" -> null\n"
        "      - destination = \"0.0.0.0/0\" -> null\n"
        "    }\n"
        "\n"
        "─────────────────────────────────────────────────────────────────────────────\n"
        "\n"
        "headgate compared the manifests with what exists and made the following plan. Resource\n"
        "actions are indicated with the following symbols:\n"
        "  = adopt (it exists already and becomes headgate's)\n"
        "  + create\n"
        "  ~ update in-place (current -> planned)\n"
        "  - destroy\n"
        "+/- create replacement and then destroy\n"
        "  . forget (it stays in the cloud)\n"
        "\n"
        "headgate will perform the following actions:\n"
        "\n"
        "  # Vpc/main will be adopted [id=vpc-1]\n"
        "  = Vpc \"main\" {\n"
        "        # (1 unchanged field hidden)\n"
        "    }\n"
        "\n"
        "  # VSwitch/web will be created\n"
        "  + VSwitch \"web\" {\n"
        "      + vpc        = Vpc/main\n"
        "      + zone       = \"cn-hangzhou-h\"\n"
        "      + cidrBlock  = \"192.168.1.0/24\"\n"
        "      + tags       = {\n"
        "          + \"env\"   = \"prod\"\n"
        "          + \"owner\" = \"net\"\n"
        "        }\n"
        "      + routeTable = (known after apply)\n"
        "    }\n"
        "\n"
        "  # NatGateway/nat1 must be replaced\n"
        "  # disruption: outage (VSwitch/web, VSwitch/db)\n"
        "+/- NatGateway \"nat1\" {\n"
        "      ~ id          = \"ngw-1\" -> (known after apply)\n"
        "      ~ vSwitch     = \"vsw-old\" -> VSwitch/web (known after apply) # forces replacement\n"
        "      - description = \"first\" -> null\n"
        "      ~ privateIp   = \"10.0.0.7\" -> (known after apply)\n"
        "        # (1 unchanged field hidden)\n"
        "    }\n"
        "\n"
        "  # Eip/eip1 will be updated in-place\n"
        "  ~ Eip \"eip1\" {\n"
        "        id        = \"eip-1\"\n"
        "      ~ bandwidth = 5 -> 10 # changed outside of headgate\n"
        "      ~ tags      = {\n"
        "          ~ \"env\"  = \"dev\" -> \"prod\"\n"
        "          - \"old\"  = \"1\" -> null\n"
        "          + \"team\" = \"net\"\n"
        "            # (1 unchanged element hidden)\n"
        "        }\n"
        "        # (2 unchanged fields hidden)\n"
        "    }\n"
        "\n"
        "  # Eip/old will be destroyed\n"
        "  # (because it is not in the manifests)\n"
        "  - Eip \"old\" {\n"
        "      - id      = \"eip-9\" -> null\n"
        "      - address = \"47.9.9.9\" -> null\n"
        "    }\n"
        "\n"
        "  # SnatEntry/web-out will be updated in-place\n"
        "  # disruption: egress address changes (VSwitch/web)\n"
        "  ~ SnatEntry \"web-out\" {\n"
        "        id   = \"snat-1\"\n"
        "      ~ eips = [\n"
        "          - Eip/old,\n"
        "          + \"eip-foreign\",\n"
        "            # (1 unchanged element hidden)\n"
        "        ]\n"
        "        # (2 unchanged fields hidden)\n"
        "    }\n"
        "\n"
        "  # RouteEntry/gone will be forgotten [id=rte-1]\n"
        "  # (deleted outside of headgate)\n"
        "  . RouteEntry \"gone\"\n"
        "\n"
        "Destroyed or replaced by this plan:\n"
        "+/- NatGateway/nat1\n"
        "  - Eip/old (the address 47.9.9.9 is lost for good)\n"
        "\n"
        "Estimated: up to 12 changing API calls, about 2m10s.\n"
        "Plan: 1 to adopt, 2 to add, 2 to change, 2 to destroy, 1 to forget.\n");
}

static void a_concise_plan_has_a_line_per_change(void **state)
{
    (void)state;
    fixture_mixed(&f);
    assert_has(rendered((struct render_options){.saved = true, .concise = true}),
               "  = Vpc/main\n"
               "  + VSwitch/web\n"
               "+/- NatGateway/nat1 (vSwitch, description), disruption: outage (VSwitch/web, VSwitch/db)\n"
               "  ~ Eip/eip1 (bandwidth, tags)\n"
               "  - Eip/old\n"
               "  ~ SnatEntry/web-out (eips), disruption: egress address changes (VSwitch/web)\n"
               "  . RouteEntry/gone\n");
}

static void nothing_to_do_is_said_in_one_line(void **state)
{
    (void)state;
    assert_string_equal(rendered((struct render_options){0}),
                        "\nNo changes. Your network matches the manifests.\n");
    assert_string_equal(rendered((struct render_options){.destroy = true}),
                        "\nNo changes. No objects need to be destroyed.\n");
}

static void reads_alone_are_no_change(void **state)
{
    (void)state;
    (void)add_change(&f, ACTION_READ, KIND_INSTANCE, "ecs1");
    f.plan.n_read = 1;
    assert_string_equal(rendered((struct render_options){0}),
                        "\nNo changes. Your network matches the manifests.\n");
}

static void drift_that_is_only_detected_is_shown_and_not_called_a_match(void **state)
{
    (void)state;
    struct object *o = add_object(&f, KIND_EIP, "eip-1");
    const struct field_diff diff = {.field = EIP_BANDWIDTH, .before = value_int(5), .after = value_int(9)};
    f.drifts[0] = (struct drift){.kind = KIND_EIP,
                                 .name = TEXT("a"),
                                 .observed = o,
                                 .diffs = &diff,
                                 .n_diffs = 1,
                                 .detect_only = true};
    f.plan.n_drifts = 1;
    const char *text = rendered((struct render_options){0});
    assert_has(text, "Note: Objects have changed outside of headgate\n");
    assert_has(text, "  # Eip/a has changed\n  # (only reported: management: detect)\n");
    assert_has(text, "      ~ bandwidth = 5 -> 9\n");
    assert_has(text, "\nNo changes. What differs is only reported (management: detect).\n");
}

static void drift_that_the_plan_leaves_is_told_apart(void **state)
{
    (void)state;
    struct object *o = add_object(&f, KIND_EIP, "eip-1");
    const struct field_diff diffs[] = {
        {.field = EIP_BANDWIDTH, .cause = DIFF_DRIFT, .before = value_int(5), .after = value_int(9)},
        {.field = EIP_DESCRIPTION, .cause = DIFF_DRIFT, .before = value_cstr("a"), .after = value_cstr("b")}};
    f.drifts[0] =
        (struct drift){.kind = KIND_EIP, .name = TEXT("a"), .observed = o, .diffs = diffs, .n_diffs = 2};
    f.plan.n_drifts = 1;
    assert_has(rendered((struct render_options){0}), "  # (not corrected by this plan)\n");

    struct change *c = add_change(&f, ACTION_UPDATE, KIND_EIP, "a");
    c->observed = o;
    c->diffs = diffs;
    c->n_diffs = 1;
    f.plan.n_change = 1;
    assert_has(rendered((struct render_options){0}), "  # (corrected in part by this plan)\n");
}

static void hostile_text_cannot_leave_its_quotes_or_move_the_cursor(void **state)
{
    (void)state;
    uint32_t vpc = add_desired(&f, KIND_VPC, "a\x1b[2Jb\n");
    set(&f, vpc, VPC_NAME, value_cstr("x\" -> \"y\\"));
    set(&f, vpc, VPC_DESCRIPTION, value_cstr("\x1b]0;title\x07\r\n\xff\xc2\x9b"));
    set(&f, vpc, VPC_TAGS, LIST(&f, value_text("k\0k", 3), value_cstr("\x1b[31m\"")));
    struct change *c = add_change(&f, ACTION_CREATE, KIND_VPC, "a\x1b[2Jb\n");
    const struct text affected = TEXT("v\x1b");
    c->disruption = DISRUPTION_BRIEF;
    c->affected = &affected;
    c->n_affected = 1;
    f.plan.n_add = 1;
    struct text left_out = TEXT("Eip/\x1b[1m");
    f.plan.left_out = &left_out;
    f.plan.n_left_out = 1;
    const char *text = rendered((struct render_options){.saved_as = "p\x1b.plan"});
    assert_has(text, "  # Vpc/a\\x1b[2Jb\\x0a will be created\n"
                     "  # disruption: brief (VSwitch/v\\x1b)\n"
                     "  + Vpc \"a\\x1b[2Jb\\x0a\" {\n"
                     "      + name             = \"x\\\" -> \\\"y\\\\\"\n"
                     "      + description      = \"\\x1b]0;title\\x07\\x0d\\x0a\\xff\\xc2\\x9b\"\n"
                     "      + tags             = {\n"
                     "          + \"k\\x00k\" = \"\\x1b[31m\\\"\"\n"
                     "        }\n"
                     "      + systemRouteTable = (known after apply)\n"
                     "    }\n");
    assert_has(text, "  Eip/\\x1b[1m\n");
    assert_has(text, "Saved the plan to: p\\x1b.plan\n");
    assert_null(strchr(text, '\x1b'));
}

static void colour_is_written_only_when_asked_for_and_always_closed(void **state)
{
    (void)state;
    fixture_mixed(&f);
    const char *text = rendered((struct render_options){.color = true});
    assert_has(text, "  \x1b[32m+\x1b[0m VSwitch \"web\" {\n");
    assert_has(text, "\x1b[31m# forces replacement\x1b[0m\n");
    int open = 0;
    for (const char *s = text; (s = strstr(s, "\x1b[")) != NULL; s++) {
        if (strncmp(s, "\x1b[0m", 4) == 0)
            open--;
        else
            open++;
        assert_in_range(open, 0, 1);
    }
    assert_int_equal(open, 0);
    assert_null(strchr(rendered((struct render_options){0}), '\x1b'));
}

static void a_field_put_back_shows_what_it_goes_back_to(void **state)
{
    (void)state;
    struct change *c = add_change(&f, ACTION_UPDATE, KIND_NAT_GATEWAY, "a");
    struct object *o = add_object(&f, KIND_NAT_GATEWAY, "ngw-1");
    const struct field_diff diffs[] = {{.field = NAT_ICMP_REPLY, .before = value_bool(false)},
                                       {.field = NAT_DESCRIPTION, .before = value_cstr("x")}};
    c->observed = o;
    c->diffs = diffs;
    c->n_diffs = 2;
    f.plan.n_change = 1;
    assert_has(rendered((struct render_options){0}), "      ~ icmpReply   = false -> true\n"
                                                     "      - description = \"x\" -> null\n");
}

static void tags_of_others_are_not_shown_as_removed(void **state)
{
    (void)state;
    struct change *c = add_change(&f, ACTION_UPDATE, KIND_EIP, "a");
    struct object *o = add_object(&f, KIND_EIP, "eip-1");
    struct record *r = add_record(&f, KIND_EIP, "a", "eip-1");
    o->values[EIP_TAGS] =
        LIST(&f, value_cstr("mine"), value_cstr("1"), value_cstr("theirs"), value_cstr("2"));
    r->values[EIP_TAGS] = LIST(&f, value_cstr("mine"), value_cstr("1"));
    const struct field_diff diff = {.field = EIP_TAGS, .before = o->values[EIP_TAGS]};
    c->observed = o;
    c->recorded = r;
    c->diffs = &diff;
    c->n_diffs = 1;
    f.plan.n_change = 1;
    assert_has(rendered((struct render_options){0}), "      ~ tags = {\n"
                                                     "          - \"mine\" = \"1\" -> null\n"
                                                     "            # (1 unchanged element hidden)\n"
                                                     "        }\n");
}

static void a_reference_to_what_is_not_made_yet_has_its_name(void **state)
{
    (void)state;
    uint32_t eip = add_desired(&f, KIND_EIP, "new"), snat = add_desired(&f, KIND_SNAT_ENTRY, "s");
    set(&f, snat, SNAT_EIPS, LIST(&f, local(eip)));
    struct change *c = add_change(&f, ACTION_UPDATE, KIND_SNAT_ENTRY, "s");
    struct object *o = add_object(&f, KIND_SNAT_ENTRY, "snat-1");
    o->values[SNAT_EIPS] = LIST(&f, value_id("eip-1"));
    const struct field_diff diff = {
        .field = SNAT_EIPS, .before = o->values[SNAT_EIPS], .after = LIST(&f, value_unknown())};
    c->observed = o;
    c->diffs = &diff;
    c->n_diffs = 1;
    f.plan.n_change = 1;
    assert_has(rendered((struct render_options){0}),
               "      ~ eips = [\"eip-1\"] -> [Eip/new] (known after apply)\n");
}

static void a_renamed_resource_says_what_it_was(void **state)
{
    (void)state;
    struct change *c = add_change(&f, ACTION_ADOPT, KIND_EIP, "new");
    c->observed = add_object(&f, KIND_EIP, "eip-1");
    c->reason = REASON_RENAMED;
    c->moved_from = TEXT("old");
    f.plan.n_adopt = 1;
    assert_has(rendered((struct render_options){0}), "  # Eip/new will be adopted [id=eip-1]\n"
                                                     "  # (renamed from Eip/old)\n"
                                                     "  = Eip \"new\"\n");
}

static void what_was_left_out_is_listed_up_to_a_limit(void **state)
{
    (void)state;
    static struct text left_out[25];
    for (int i = 0; i < 25; i++) left_out[i] = TEXT("Eip/x");
    f.plan.left_out = left_out;
    f.plan.n_left_out = 25;
    const char *text = rendered((struct render_options){0});
    assert_has(text, "No changes. What was asked for matches the manifests.\n");
    assert_has(text, "Note: --target or --exclude left out 25 resources with changes:\n  Eip/x\n");
    assert_has(text, "  and 5 more\n");
}

static void the_note_on_saving_follows_the_options(void **state)
{
    (void)state;
    fixture_mixed(&f);
    assert_has(rendered((struct render_options){0}), "This plan was not saved (--out)");
    assert_lacks(rendered((struct render_options){.saved = true}), "saved");
    assert_has(rendered((struct render_options){.saved_as = "a b"}), "    headgate apply \"a b\"\n");
}

static void every_action_reason_and_disruption_has_words(void **state)
{
    (void)state;
    struct change *c = add_change(&f, ACTION_CREATE, KIND_ROUTE_ENTRY, "a");
    f.plan.n_add = 1;
    for (int a = ACTION_CREATE; a < N_ACTIONS; a++)
        for (int r = REASON_NONE; r <= REASON_REQUESTED; r++)
            for (int d = DISRUPTION_NONE; d <= DISRUPTION_OUTAGE; d++) {
                c->action = (enum action)a;
                c->reason = (enum reason)r;
                c->disruption = (enum disruption)d;
                assert_has(rendered((struct render_options){0}), "RouteEntry \"a\"");
            }
}

static void every_kind_of_value_is_rendered(void **state)
{
    (void)state;
    const struct value lookup[] = {value_cstr("n"), LIST(&f, value_cstr("k"), value_cstr("v"))};
    const struct {
        enum kind kind;
        uint8_t field;
        struct value v;
        const char *text;
    } rows[] = {
        {KIND_EIP, EIP_BANDWIDTH, value_int(-3), "-3"},
        {KIND_NAT_GATEWAY, NAT_ICMP_REPLY, value_bool(true), "true"},
        {KIND_VPC, VPC_CIDR, value_cstr("10.0.0.0/8"), "\"10.0.0.0/8\""},
        {KIND_VPC, VPC_SECONDARY, LIST(&f, value_cstr("a"), value_cstr("b")), "[\"a\", \"b\"]"},
        {KIND_VPC, VPC_SECONDARY, value_list(NULL, 0), "[]"},
        {KIND_VPC, VPC_TAGS, LIST(&f, value_cstr("k"), value_cstr("v")), "{\"k\" = \"v\"}"},
        {KIND_VPC, VPC_NAME, {0}, "null"},
        {KIND_VPC, VPC_NAME, value_unknown(), "(known after apply)"},
        {KIND_VSWITCH, VSW_VPC, value_id("vpc-1"), "\"vpc-1\""},
        {KIND_VSWITCH, VSW_VPC, {.state = VALUE_SET, .form = REF_NAME, .n = 4, .u.text = "main"}, "Vpc/main"},
        {KIND_VSWITCH,
         VSW_VPC,
         {.state = VALUE_SET, .form = REF_LOOKUP, .n = 2, .u.items = lookup},
         "Vpc with name \"n\" tags {\"k\" = \"v\"}"},
        {KIND_VSWITCH, VSW_VPC, local(99), "Vpc"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buf_reset(&out);
        render_value(&out, rows[i].kind, rows[i].field, rows[i].v, &f.desired);
        assert_string_equal(buf_str(&out), rows[i].text);
    }
}

static void a_full_buffer_fails_and_does_not_overflow(void **state)
{
    (void)state;
    fixture_mixed(&f);
    size_t whole = strlen(rendered((struct render_options){0}));
    for (size_t limit = 0; limit < whole; limit += 37) {
        struct buf small;
        buf_init(&small, limit);
        plan_render(&small, &f.plan, &(struct render_options){.desired = &f.desired});
        assert_false(buf_ok(&small));
        assert_true(small.len <= limit);
        buf_fini(&small);
    }
}

static void differences_are_unified_with_right_counts(void **state)
{
    (void)state;
    fixture_mixed(&f);
    plan_render_diff(&out, &f.plan, &(struct render_options){.desired = &f.desired});
    assert_string_equal(buf_str(&out), "--- /dev/null\n"
                                       "+++ desired/VSwitch/web\n"
                                       "@@ -0,0 +1,6 @@\n"
                                       "+vpc: Vpc/main\n"
                                       "+zone: \"cn-hangzhou-h\"\n"
                                       "+cidrBlock: \"192.168.1.0/24\"\n"
                                       "+tags:\n"
                                       "+  \"env\": \"prod\"\n"
                                       "+  \"owner\": \"net\"\n"
                                       "--- observed/NatGateway/nat1\n"
                                       "+++ desired/NatGateway/nat1\n"
                                       "@@ -1,5 +1,4 @@\n"
                                       "-id: \"ngw-1\"\n"
                                       "+id: (known after apply)\n"
                                       " vpc: Vpc/main\n"
                                       "-vSwitch: \"vsw-old\"\n"
                                       "+vSwitch: VSwitch/web (known after apply)\n"
                                       "-description: \"first\"\n"
                                       "-privateIp: \"10.0.0.7\"\n"
                                       "+privateIp: (known after apply)\n"
                                       "--- observed/Eip/eip1\n"
                                       "+++ desired/Eip/eip1\n"
                                       "@@ -1,8 +1,8 @@\n"
                                       " id: \"eip-1\"\n"
                                       "-bandwidth: 5\n"
                                       "+bandwidth: 10\n"
                                       " isp: \"BGP\"\n"
                                       " tags:\n"
                                       "-  \"env\": \"dev\"\n"
                                       "+  \"env\": \"prod\"\n"
                                       "   \"foreign\": \"x\"\n"
                                       "-  \"old\": \"1\"\n"
                                       "+  \"team\": \"net\"\n"
                                       " address: \"47.1.2.3\"\n"
                                       "--- observed/Eip/old\n"
                                       "+++ /dev/null\n"
                                       "@@ -1,2 +0,0 @@\n"
                                       "-id: \"eip-9\"\n"
                                       "-address: \"47.9.9.9\"\n"
                                       "--- observed/SnatEntry/web-out\n"
                                       "+++ desired/SnatEntry/web-out\n"
                                       "@@ -1,6 +1,6 @@\n"
                                       " id: \"snat-1\"\n"
                                       " natGateway: NatGateway/nat1\n"
                                       " source.cidr: \"10.0.0.0/8\"\n"
                                       " eips:\n"
                                       "   - Eip/eip1\n"
                                       "-  - Eip/old\n"
                                       "+  - \"eip-foreign\"\n");
}

static void the_same_leaves_no_differences(void **state)
{
    (void)state;
    struct change *c = add_change(&f, ACTION_ADOPT, KIND_EIP, "same");
    c->observed = add_object(&f, KIND_EIP, "eip-1");
    plan_render_diff(&out, &f.plan, &(struct render_options){.desired = &f.desired});
    assert_string_equal(buf_str(&out), "");
}

static void drift_alone_ends_with_what_nobody_manages(void **state)
{
    (void)state;
    plan_render_drift(&out, &f.plan, NULL, &(struct render_options){0});
    assert_string_equal(buf_str(&out), "\nNo drift. What exists is as it was last applied.\n");
    buf_reset(&out);
    plan_render_drift(&out, &f.plan, &(struct unmanaged){0}, &(struct render_options){0});
    assert_string_equal(buf_str(&out), "\nNo drift. What exists is as it was last applied.\nUnmanaged: 0.\n");

    fixture_mixed(&f);
    buf_reset(&out);
    struct object *o = add_object(&f, KIND_NAT_GATEWAY, "ngw-\x1b");
    o->values[NAT_NAME] = value_cstr("by hand");
    const struct object *unmanaged[] = {o};
    plan_render_drift(&out, &f.plan, &(struct unmanaged){unmanaged, 1},
                      &(struct render_options){.desired = &f.desired});
    assert_has(buf_str(&out), "  # Eip/eip1 has changed\n  # (corrected by the next apply)\n");
    assert_has(buf_str(&out),
               "\nIn VPCs of this stack, but in no manifest:\n  ? NatGateway ngw-\\x1b \"by hand\"\n"
               "\nDrift: 1 changed, 1 deleted outside of headgate.\nUnmanaged: 1.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_plan_reads_like_terraforms, fresh, done),
        cmocka_unit_test_setup_teardown(a_concise_plan_has_a_line_per_change, fresh, done),
        cmocka_unit_test_setup_teardown(nothing_to_do_is_said_in_one_line, fresh, done),
        cmocka_unit_test_setup_teardown(reads_alone_are_no_change, fresh, done),
        cmocka_unit_test_setup_teardown(drift_that_is_only_detected_is_shown_and_not_called_a_match, fresh,
                                        done),
        cmocka_unit_test_setup_teardown(drift_that_the_plan_leaves_is_told_apart, fresh, done),
        cmocka_unit_test_setup_teardown(hostile_text_cannot_leave_its_quotes_or_move_the_cursor, fresh, done),
        cmocka_unit_test_setup_teardown(colour_is_written_only_when_asked_for_and_always_closed, fresh, done),
        cmocka_unit_test_setup_teardown(a_field_put_back_shows_what_it_goes_back_to, fresh, done),
        cmocka_unit_test_setup_teardown(tags_of_others_are_not_shown_as_removed, fresh, done),
        cmocka_unit_test_setup_teardown(a_reference_to_what_is_not_made_yet_has_its_name, fresh, done),
        cmocka_unit_test_setup_teardown(a_renamed_resource_says_what_it_was, fresh, done),
        cmocka_unit_test_setup_teardown(what_was_left_out_is_listed_up_to_a_limit, fresh, done),
        cmocka_unit_test_setup_teardown(the_note_on_saving_follows_the_options, fresh, done),
        cmocka_unit_test_setup_teardown(every_action_reason_and_disruption_has_words, fresh, done),
        cmocka_unit_test_setup_teardown(every_kind_of_value_is_rendered, fresh, done),
        cmocka_unit_test_setup_teardown(a_full_buffer_fails_and_does_not_overflow, fresh, done),
        cmocka_unit_test_setup_teardown(differences_are_unified_with_right_counts, fresh, done),
        cmocka_unit_test_setup_teardown(the_same_leaves_no_differences, fresh, done),
        cmocka_unit_test_setup_teardown(drift_alone_ends_with_what_nobody_manages, fresh, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

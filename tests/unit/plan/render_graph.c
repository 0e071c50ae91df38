/* Drawings of a stack in its three formats. */
#include "reconciler/plan/graph.h"

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
    buf_init(&out, 1 << 24);
    return 0;
}

static int done(void **state)
{
    (void)state;
    buf_fini(&out);
    return 0;
}

static const char *drawn(enum graph_format format, const struct plan *plan)
{
    buf_reset(&out);
    graph_render(&out, &f.desired, plan, format);
    assert_true(buf_ok(&out));
    return buf_str(&out);
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) fail_msg("not found:\n%s\nin:\n%s", part, text);
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *s = text; (s = strstr(s, part)) != NULL; s++) n++;
    return n;
}

/* Every element is closed in its order, and no text holds what only markup may. */
static void assert_well_formed(const char *xml)
{
    const char *open[64];
    size_t lens[64], depth = 0;
    for (const char *s = strchr(xml, '<'); s != NULL; s = strchr(s, '<')) {
        const char *end = strchr(s, '>');
        assert_non_null(end);
        size_t len = strcspn(s + 1, " />\n");
        if (s[1] == '/') {
            assert_true(depth > 0);
            depth--;
            assert_memory_equal(s + 2, open[depth], lens[depth]);
        } else if (s[1] != '?' && end[-1] != '/') {
            assert_true(depth < 64);
            open[depth] = s + 1;
            lens[depth++] = len;
        }
        s = end;
        assert_null(memchr(s + 1, '>', strcspn(s + 1, "<")));
    }
    assert_int_equal(depth, 0);
    for (const char *s = xml; (s = strchr(s, '&')) != NULL; s++) assert_non_null(memchr(s, ';', 7));
    for (const char *s = xml; *s != '\0'; s++) assert_true((unsigned char)*s >= 0x20 || *s == '\n');
}

static void dot_nests_clusters_and_labels_lines(void **state)
{
    (void)state;
    fixture_hairpin(&f);
    const char *text = drawn(GRAPH_DOT, NULL);
    assert_has(
        text,
        "  subgraph cluster_n1 {\n    graph [label=\"Vpc/main\\n192.168.0.0/16\" style=\"rounded\"];\n");
    assert_has(
        text,
        "    subgraph cluster_n2 {\n      graph [label=\"VSwitch/vsw1\\n192.168.1.0/24, cn-shanghai-b\"");
    assert_has(text, "      n4 [shape=box3d label=\"NatGateway/nat1\"];\n");
    assert_has(text, "  n2 -> n4 [style=solid label=\"SNAT as eip1\" ltail=cluster_n2];\n");
    assert_has(text, "  n5 -> n7 [style=bold label=\"DNAT eip2 tcp/80 to 80\"];\n");
    assert_has(text, "label=\"0.0.0.0/0\"");
    assert_int_equal(count(text, "{"), count(text, "}"));
}

static void mermaid_is_a_flowchart(void **state)
{
    (void)state;
    fixture_hairpin(&f);
    const char *text = drawn(GRAPH_MERMAID, NULL);
    assert_memory_equal(
        text, "flowchart TB\n  n0((\"Internet\"))\n  subgraph n1[\"Vpc/main<br/>192.168.0.0/16\"]\n", 60);
    assert_has(text, "      n4{{\"NatGateway/nat1\"}}\n");
    assert_has(text, "  n2 -->|\"SNAT as eip1\"| n4\n");
    assert_int_equal(count(text, "subgraph"), count(text, "end\n"));
}

static void svg_shows_every_node_and_label(void **state)
{
    (void)state;
    fixture_hairpin(&f);
    const char *text = drawn(GRAPH_SVG, NULL);
    assert_well_formed(text);
    for (uint32_t i = 0; i < f.desired.n; i++) {
        enum kind kind = f.resources[i].kind;
        if (kind == KIND_EIP_ASSOCIATION || kind >= KIND_ROUTE_ENTRY || kind == KIND_SNAT_ENTRY ||
            kind == KIND_DNAT_ENTRY)
            continue;
        char title[RESOURCE_ADDRESS_SIZE];
        assert_has(text, address_format(kind, f.resources[i].name, title));
    }
    assert_has(text, ">SNAT as eip1</text>");
    assert_has(text, ">DNAT eip2 tcp/80 to 80</text>");
    assert_int_equal(count(text, ">0.0.0.0/0</text>"), 2);
}

static void a_plan_marks_what_it_does(void **state)
{
    (void)state;
    fixture_hairpin(&f);
    (void)add_change(&f, ACTION_CREATE, KIND_NAT_GATEWAY, "nat1");
    (void)add_change(&f, ACTION_READ, KIND_INSTANCE, "ecs1");
    (void)add_change(&f, ACTION_DELETE, KIND_EIP, "not-there");
    (void)add_change(&f, ACTION_UPDATE, KIND_SNAT_ENTRY, "vsw1-out");
    assert_has(drawn(GRAPH_DOT, &f.plan), "label=\"NatGateway/nat1\\n(create)\" color=\"#2e7d32\"");
    assert_has(drawn(GRAPH_MERMAID, &f.plan), "  class n4 create\n");
    const char *text = drawn(GRAPH_SVG, &f.plan);
    assert_well_formed(text);
    assert_int_equal(count(text, ">+ create</text>"), 1);
    assert_has(text, ">~ SNAT as eip1</text>");
}

static void the_same_stack_gives_the_same_picture(void **state)
{
    (void)state;
    fixture_hairpin(&f);
    struct buf again;
    buf_init(&again, 1 << 24);
    graph_render(&again, &f.desired, NULL, GRAPH_SVG);
    assert_string_equal(drawn(GRAPH_SVG, NULL), buf_str(&again));
    buf_fini(&again);
}

static void what_exists_already_is_drawn_once(void **state)
{
    (void)state;
    uint32_t a = add_desired(&f, KIND_VSWITCH, "a"), b = add_desired(&f, KIND_VSWITCH, "b");
    uint32_t snat = add_desired(&f, KIND_SNAT_ENTRY, "s"), dnat = add_desired(&f, KIND_DNAT_ENTRY, "d");
    const struct value lookup[] = {value_cstr("nat"), {0}}, by_tags[] = {{0}, value_list(NULL, 0)};
    set(&f, a, VSW_VPC, value_id("vpc-1"));
    set(&f, b, VSW_VPC, value_id("vpc-1"));
    set(&f, snat, SNAT_NAT,
        (struct value){.state = VALUE_SET, .form = REF_LOOKUP, .n = 2, .u.items = lookup});
    set(&f, snat, SNAT_CIDR, value_cstr("10.0.0.0/8"));
    set(&f, snat, SNAT_EIPS,
        LIST(&f, value_id("eip-1"), value_id("eip-2"), value_id("eip-3"), value_id("eip-4")));
    set(&f, dnat, DNAT_NAT,
        (struct value){.state = VALUE_SET, .form = REF_LOOKUP, .n = 2, .u.items = by_tags});
    set(&f, dnat, DNAT_EIP, value_id("eip-1"));
    set(&f, dnat, DNAT_TARGET_IP, value_cstr("10.0.0.9"));
    const char *text = drawn(GRAPH_DOT, NULL);
    assert_int_equal(count(text, "label=\"Vpc vpc-1\""), 1);
    assert_has(text, "label=\"SNAT as eip-1, eip-2, eip-3 and 1 more\"");
    assert_has(text, "label=\"10.0.0.0/8\" style=dashed");
    assert_has(text, "label=\"NatGateway (by tags)\"");
    assert_well_formed(drawn(GRAPH_SVG, NULL));
}

static void hostile_names_stay_text_in_every_format(void **state)
{
    (void)state;
    fixture_hairpin(&f);
    f.desired.stack.name = TEXT("</title><script>alert(1)</script>&\x1b\xef\xbf\xbf");
    f.resources[0].name = TEXT("\"];\\\n<b>&'\x01\xff");
    set(&f, 1, VSW_ZONE, value_cstr("`end`|x\"\"\" \xe4\xb8\xad]]>\xef\xbf\xbe"));
    set(&f, 12, DNAT_EXTERNAL_PORT, value_cstr("\"><x/>"));
    assert_has(drawn(GRAPH_DOT, NULL), "label=\"Vpc/\\\"];\\\\\\\\x0a<b>&'\\\\x01\\\\xff\\n192.168.0.0/16\"");
    const char *mermaid = drawn(GRAPH_MERMAID, NULL);
    assert_has(mermaid, "n1[\"Vpc/#34;#93;#59;#92;#92;x0a#60;b#62;#38;'#92;x01#92;xff<br/>192.168.0.0/16\"]");
    assert_null(strstr(mermaid, "<b>"));
    const char *svg = drawn(GRAPH_SVG, NULL);
    assert_well_formed(svg);
    assert_null(strstr(svg, "<script"));
    assert_null(strstr(svg, "\xef\xbf\xbf"));
    assert_null(strstr(svg, "\xef\xbf\xbe"));
}

static void long_names_are_cut_between_characters(void **state)
{
    (void)state;
    static char name[400];
    for (size_t i = 0; i + 3 < sizeof name; i += 3) memcpy(name + i, "\xe4\xb8\xad", 3);
    (void)add_desired(&f, KIND_EIP, name);
    const char *text = drawn(GRAPH_SVG, NULL);
    assert_well_formed(text);
    assert_true(text_is_utf8(text_of(text), NULL));
    assert_has(text, "…</text>");
}

static void nothing_and_a_full_buffer_are_fine(void **state)
{
    (void)state;
    for (int format = GRAPH_DOT; format <= GRAPH_SVG; format++) {
        struct buf small;
        fixture_init(&f);
        size_t whole = strlen(drawn((enum graph_format)format, NULL));
        assert_true(whole > 0);
        fixture_hairpin(&f);
        buf_init(&small, whole);
        graph_render(&small, &f.desired, NULL, (enum graph_format)format);
        assert_false(buf_ok(&small));
        buf_fini(&small);
    }
}

static void a_large_stack_is_drawn_too(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct resource *items = calloc(N, sizeof *items);
    struct value *values = calloc((size_t)N * FIXTURE_FIELDS, sizeof *values);
    char(*names)[12] = calloc(N, sizeof *names);
    assert_true(items != NULL && values != NULL && names != NULL);
    for (uint32_t i = 0; i < N; i++) {
        (void)snprintf(names[i], sizeof *names, "n%06u", i);
        items[i] = (struct resource){.kind = i == 0      ? KIND_VPC
                                             : i < N / 4 ? KIND_VSWITCH
                                                         : KIND_SNAT_ENTRY,
                                     .name = text_of(names[i]),
                                     .lifecycle = &lifecycle_default,
                                     .values = values + (size_t)i * FIXTURE_FIELDS};
        if (items[i].kind == KIND_VSWITCH) items[i].values[VSW_VPC] = local(0);
        if (items[i].kind == KIND_SNAT_ENTRY) {
            items[i].values[SNAT_VSWITCH] = local(1 + i % (N / 4 - 1));
            items[i].values[SNAT_NAT] = value_id("ngw-1");
        }
    }
    f.desired.items = items;
    f.desired.n = N;
    for (int format = GRAPH_DOT; format <= GRAPH_SVG; format++) (void)drawn((enum graph_format)format, NULL);
    free(items);
    free(values);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(dot_nests_clusters_and_labels_lines, fresh, done),
        cmocka_unit_test_setup_teardown(mermaid_is_a_flowchart, fresh, done),
        cmocka_unit_test_setup_teardown(svg_shows_every_node_and_label, fresh, done),
        cmocka_unit_test_setup_teardown(a_plan_marks_what_it_does, fresh, done),
        cmocka_unit_test_setup_teardown(the_same_stack_gives_the_same_picture, fresh, done),
        cmocka_unit_test_setup_teardown(what_exists_already_is_drawn_once, fresh, done),
        cmocka_unit_test_setup_teardown(hostile_names_stay_text_in_every_format, fresh, done),
        cmocka_unit_test_setup_teardown(long_names_are_cut_between_characters, fresh, done),
        cmocka_unit_test_setup_teardown(nothing_and_a_full_buffer_are_fine, fresh, done),
        cmocka_unit_test_setup_teardown(a_large_stack_is_drawn_too, fresh, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

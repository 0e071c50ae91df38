/* fixture.h - values, requests and objects of the mapping's tests as text.
 *
 * Fields are written "cidrBlock=10.0.0.0/16; tags=a:1,b:2; vpc=vpc-1": references are cloud ids, "?" is not
 * known yet. */
#pragma once

#include "providers/alicloud/alicloud.h"
#include "reconciler/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 64 << 20, DUMP_BYTES = 256 << 10 };

struct fixture {
    struct arena *arena;
    struct world *world;
    const struct cloud *cloud;
    struct buf dump; /* of the last dump_…() */
};

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_new(ARENA_BYTES);
    f->world = world_new(f->arena);
    f->cloud = alicloud_cloud(f->arena, "cn-shanghai");
    buf_init(&f->dump, DUMP_BYTES);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    buf_fini(&f->dump);
    world_free(f->world);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* ---- values from text ---- */

static inline struct value parse_one(struct fixture *f, enum field_type type, struct text t)
{
    t = arena_text(f->arena, text_trim(t));
    if (text_is(t, "?")) return value_unknown();
    switch (type) {
    case FIELD_INT:
    case FIELD_BOOL: {
        int64_t num = text_is(t, "true");
        if (type == FIELD_INT) assert_true(text_to_i64(t, INT64_MIN, INT64_MAX, &num));
        return value_int(num);
    }
    case FIELD_REF: return value_id(t.ptr);
    default: return value_text(t.ptr, t.len);
    }
}

static inline struct value parse_value(struct fixture *f, enum field_type type, struct text t)
{
    if (type != FIELD_TEXT_LIST && type != FIELD_CIDR_LIST && type != FIELD_REF_LIST && type != FIELD_MAP)
        return parse_one(f, type, t);
    struct value *items = arena_array_of(f->arena, 64, struct value);
    uint32_t n = 0;
    struct text one, key;
    while (t.len > 0 && text_cut(&t, ',', &one)) {
        if (type == FIELD_MAP) {
            assert_true(text_cut(&one, ':', &key));
            items[n++] = parse_one(f, FIELD_TEXT, key);
        }
        items[n++] = parse_one(f, field_item_type(type), one);
    }
    if (type == FIELD_MAP) assert_int_equal(value_sort_map(items, n), n);
    if (type == FIELD_MAP) return value_list(items, n);
    return value_list(items, value_sort_set(type, items, n));
}

static inline struct value *parse_values(struct fixture *f, enum kind kind, const char *text, uint64_t *set)
{
    struct value *values = arena_array_of(f->arena, kind_info(kind)->n_fields, struct value);
    struct text rest = text_of(text), one, name;
    *set = 0;
    while (rest.len > 0 && text_cut(&rest, ';', &one)) {
        assert_true(text_cut(&one, '=', &name));
        uint8_t i = kind_field(kind, text_trim(name));
        if (i == FIELD_NO) fail_msg("no field " TEXT_FMT, TEXT_ARG(name));
        values[i] = parse_value(f, kind_info(kind)->fields[i].type, one);
        *set |= UINT64_C(1) << i;
    }
    return values;
}

/* An object as it might be observed; also put into the world. */
static inline struct object *put_object(struct fixture *f, enum kind kind, const char *id, const char *text)
{
    uint64_t set;
    struct object *o = arena_new_of(f->arena, struct object);
    *o = (struct object){.kind = kind, .id = id, .status = "", .values = parse_values(f, kind, text, &set)};
    assert_int_equal(world_put(f->world, o, NULL), ERR_OK);
    return o;
}

static inline struct goal make_goal(struct fixture *f, enum verb verb, enum kind kind, const char *name,
                                    const char *text)
{
    struct goal g = {.verb = verb,
                     .kind = kind,
                     .world = f->world,
                     .token = "tok-1",
                     .stack = TEXT("prod"),
                     .name = text_of(name)};
    if (text != NULL) g.values = parse_values(f, kind, text, &g.set_fields);
    return g;
}

/* ---- text from what came out ---- */

static inline void dump_one(struct buf *b, enum field_type type, struct value v)
{
    if (v.state == VALUE_UNKNOWN)
        buf_putc(b, '?');
    else if (type == FIELD_INT)
        buf_printf(b, "%lld", (long long)v.u.num);
    else if (type == FIELD_BOOL)
        buf_puts(b, v.u.num ? "true" : "false");
    else
        buf_put_text(b, value_as_text(v));
}

static inline void dump_value(struct buf *b, enum field_type type, struct value v)
{
    bool list = type == FIELD_TEXT_LIST || type == FIELD_CIDR_LIST || type == FIELD_REF_LIST;
    if ((!list && type != FIELD_MAP) || v.state != VALUE_SET) {
        dump_one(b, type, v);
        return;
    }
    for (uint32_t i = 0; i < v.n; i++) {
        if (i > 0) buf_putc(b, type == FIELD_MAP && i % 2 == 1 ? ':' : ',');
        dump_one(b, field_item_type(type), v.u.items[i]);
    }
}

static inline const char *dump_request(struct fixture *f, const struct request *r)
{
    buf_reset(&f->dump);
    buf_printf(&f->dump, "%s %s", r->product, r->operation);
    for (uint32_t i = 0; i < r->n_params; i++)
        buf_printf(&f->dump, " %s=%s", r->params[i].name, r->params[i].value);
    assert_true(buf_ok(&f->dump));
    return buf_str(&f->dump);
}

static inline void dump_object(struct buf *b, const struct object *o)
{
    static const char *const phases[] = {"ready", "pending", "deleting", "failed"};
    const struct kind_info *info = kind_info(o->kind);
    buf_printf(b, "%s %s %s", info->name, o->id, phases[o->phase]);
    if (o->locked) buf_puts(b, " locked");
    if (o->system) buf_puts(b, " system");
    if (o->owner_stack.ptr != NULL)
        buf_printf(b, " of " TEXT_FMT "/" TEXT_FMT, TEXT_ARG(o->owner_stack), TEXT_ARG(o->owner_name));
    for (uint8_t i = 0; i < info->n_fields; i++) {
        if (o->values[i].state == VALUE_UNSET) continue;
        buf_printf(b, "; %s=", info->fields[i].name);
        dump_value(b, info->fields[i].type, o->values[i]);
    }
    buf_putc(b, '\n');
}

/* ---- one step of each kind of function ---- */

/* The next request as text; "done", or "error CODE". */
static inline const char *next_text(struct fixture *f, const struct goal *g)
{
    struct request r;
    struct err err = {0};
    switch (f->cloud->next(f->cloud, g, f->arena, &r, &err)) {
    case NEXT_REQUEST: return dump_request(f, &r);
    case NEXT_DONE: return "done";
    case NEXT_ERROR: break;
    }
    buf_reset(&f->dump);
    buf_printf(&f->dump, "error %s", err_code_name(err.code));
    return buf_str(&f->dump);
}

/* Reads a page of a kind (and of the parent 'scope_id') into the world; the objects as text. */
static inline const char *page_text(struct fixture *f, enum kind kind, const char *scope_id, const char *json)
{
    struct scope s = {.kind = kind, .id = scope_id};
    struct request r;
    struct page page;
    struct outcome outcome;
    struct err err = {0};
    assert_int_equal(f->cloud->list_request(f->cloud, &s, NULL, 0, NULL, f->arena, &r, &err), NEXT_REQUEST);
    enum err_code code = f->cloud->read_page(f->cloud, &s, &r, 200, (struct body){text_of(json), NULL},
                                             f->world, f->arena, &page, &outcome, &err);
    buf_reset(&f->dump);
    if (code != ERR_OK) {
        buf_printf(&f->dump, "error %s: %s", err_code_name(code), err.msg);
        return buf_str(&f->dump);
    }
    for (uint32_t i = 0; i < page.n; i++) {
        dump_object(&f->dump, page.objects[i]);
        assert_int_equal(world_put(f->world, page.objects[i], NULL), ERR_OK);
    }
    if (page.next != NULL) buf_printf(&f->dump, "next %s\n", page.next);
    return buf_str(&f->dump);
}

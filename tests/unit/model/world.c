/* world.c - what is known of the cloud: found by id, owner and natural key, however often it is seen again.
 */
#include "reconciler/model/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct rig {
    struct arena *arena;
    struct world *world;
};

static struct rig begin(void)
{
    struct rig r = {.arena = arena_new((size_t)256 << 20)};
    assert_non_null(r.arena);
    r.world = world_new(r.arena);
    assert_non_null(r.world);
    return r;
}

static void end(struct rig *r)
{
    world_free(r->world);
    arena_free(r->arena);
}

static struct object *put(struct rig *r, enum kind kind, const char *id, const char *owner)
{
    struct err err;
    struct object *o = arena_new_of(r->arena, struct object);
    *o = (struct object){.kind = kind, .id = arena_strdup(r->arena, id), .status = ""};
    o->values = arena_array_of(r->arena, kind_info(kind)->n_fields, struct value);
    if (owner != NULL) {
        o->owner_stack = TEXT("stack");
        o->owner_name = arena_text(r->arena, text_of(owner));
    }
    assert_int_equal(world_put(r->world, o, &err), ERR_OK);
    return o;
}

static struct object *put_vswitch(struct rig *r, const char *id, const char *vpc, const char *cidr)
{
    struct err err;
    struct object *o = put(r, KIND_VSWITCH, id, NULL);
    o->values[VSW_VPC] = value_id(vpc);
    o->values[VSW_CIDR] = value_cstr(cidr);
    assert_int_equal(world_put(r->world, o, &err), ERR_OK); /* once more, with its key */
    return o;
}

static struct object *by_key(struct rig *r, const char *vpc, const char *cidr)
{
    struct value values[VSW_N] = {[VSW_VPC] = value_id(vpc), [VSW_CIDR] = value_cstr(cidr)};
    return world_find_key(r->world, KIND_VSWITCH, values);
}

static void objects_are_found_by_kind_and_id(void **state)
{
    (void)state;
    struct rig r = begin();
    struct object *vpc = put(&r, KIND_VPC, "same", NULL), *eip = put(&r, KIND_EIP, "same", NULL);
    assert_ptr_equal(world_find(r.world, KIND_VPC, TEXT("same")), vpc);
    assert_ptr_equal(world_find(r.world, KIND_EIP, TEXT("same")), eip);
    assert_null(world_find(r.world, KIND_VPC, TEXT("sam")));
    assert_null(world_find(r.world, KIND_VPC, TEXT("")));
    assert_null(world_find(r.world, KIND_NAT_GATEWAY, TEXT("same")));
    end(&r);
}

static void what_is_seen_again_replaces_what_was_known(void **state)
{
    (void)state;
    struct rig r = begin();
    (void)put(&r, KIND_EIP, "eip-1", "a");
    struct object *again = put(&r, KIND_EIP, "eip-1", "b");
    size_t n;
    assert_ptr_equal(world_find(r.world, KIND_EIP, TEXT("eip-1")), again);
    assert_int_equal(world_count(r.world, KIND_EIP), 1);
    assert_null(world_find_owned(r.world, TEXT("stack"), KIND_EIP, TEXT("a"), &n));
    assert_ptr_equal(world_find_owned(r.world, TEXT("stack"), KIND_EIP, TEXT("b"), &n), again);
    assert_int_equal(n, 1);
    end(&r);
}

static void owners_that_own_several_are_counted(void **state)
{
    (void)state;
    struct rig r = begin();
    struct object *first = put(&r, KIND_EIP, "eip-1", "x");
    (void)put(&r, KIND_EIP, "eip-2", "x");
    (void)put(&r, KIND_EIP, "eip-3", "x");
    size_t n;
    assert_ptr_equal(world_find_owned(r.world, TEXT("stack"), KIND_EIP, TEXT("x"), &n), first);
    assert_int_equal(n, 3);
    world_remove(r.world, KIND_EIP, "eip-1");
    assert_non_null(world_find_owned(r.world, TEXT("stack"), KIND_EIP, TEXT("x"), &n));
    assert_int_equal(n, 2);
    assert_null(world_find_owned(r.world, TEXT("stac"), KIND_EIP, TEXT("kx"), NULL));
    end(&r);
}

static void a_natural_key_is_all_its_fields_together(void **state)
{
    (void)state;
    struct rig r = begin();
    struct object *a = put_vswitch(&r, "vsw-1", "vpc-1", "10.0.0.0/24");
    struct object *b = put_vswitch(&r, "vsw-2", "vpc-2", "10.0.0.0/24");
    assert_ptr_equal(by_key(&r, "vpc-1", "10.0.0.0/24"), a);
    assert_ptr_equal(by_key(&r, "vpc-2", "10.0.0.0/24"), b);
    assert_null(by_key(&r, "vpc-1", "10.0.0.0/2"));
    struct value unknown[VSW_N] = {[VSW_VPC] = value_unknown(), [VSW_CIDR] = value_cstr("10.0.0.0/24")};
    assert_null(world_find_key(r.world, KIND_VSWITCH, unknown));
    struct value nothing[VPC_N] = {0};
    assert_null(world_find_key(r.world, KIND_VPC, nothing)); /* a VPC has none */
    end(&r);
}

static void a_key_that_changes_is_found_under_the_new_one_only(void **state)
{
    (void)state;
    struct rig r = begin();
    (void)put_vswitch(&r, "vsw-1", "vpc-1", "10.0.0.0/24");
    struct object *moved = put_vswitch(&r, "vsw-1", "vpc-1", "10.0.9.0/24");
    assert_null(by_key(&r, "vpc-1", "10.0.0.0/24"));
    assert_ptr_equal(by_key(&r, "vpc-1", "10.0.9.0/24"), moved);
    end(&r);
}

static void what_was_removed_is_not_found_until_it_is_seen_again(void **state)
{
    (void)state;
    struct rig r = begin();
    (void)put_vswitch(&r, "vsw-1", "vpc-1", "10.0.0.0/24");
    world_remove(r.world, KIND_VSWITCH, "vsw-1");
    world_remove(r.world, KIND_VSWITCH, "vsw-1"); /* nothing more happens */
    world_remove(r.world, KIND_VSWITCH, "vsw-none");
    assert_null(world_find(r.world, KIND_VSWITCH, TEXT("vsw-1")));
    assert_null(by_key(&r, "vpc-1", "10.0.0.0/24"));
    assert_int_equal(world_count(r.world, KIND_VSWITCH), 0);
    size_t cursor = 0;
    assert_null(world_next(r.world, KIND_VSWITCH, &cursor));
    struct object *back = put_vswitch(&r, "vsw-1", "vpc-1", "10.0.0.0/24");
    assert_ptr_equal(by_key(&r, "vpc-1", "10.0.0.0/24"), back);
    assert_int_equal(world_count(r.world, KIND_VSWITCH), 1);
    end(&r);
}

/* A vSwitch as a page shows it, in memory of its own. */
static const struct object *shown(struct arena *page, const char *status, const char *cidr)
{
    struct object *o = arena_new_of(page, struct object);
    *o = (struct object){.kind = KIND_VSWITCH,
                         .id = arena_strdup(page, "vsw-1"),
                         .status = arena_strdup(page, status),
                         .owner_stack = arena_text(page, TEXT("stack")),
                         .owner_name = arena_text(page, TEXT("web"))};
    o->values = arena_array_of(page, VSW_N, struct value);
    o->values[VSW_VPC] = value_id(arena_strdup(page, "vpc-1"));
    o->values[VSW_CIDR] = value_cstr(arena_strdup(page, cidr));
    return o;
}

/* What the world knows after a page that is gone. */
static struct object *learn(struct rig *r, const char *status, const char *cidr)
{
    struct err err;
    struct object *known = NULL;
    struct arena *page = arena_new((size_t)1 << 20);
    assert_non_null(page);
    assert_int_equal(world_learn(r->world, shown(page, status, cidr), &known, &err), ERR_OK);
    arena_free(page);
    return known;
}

static void what_is_learnt_outlives_its_page(void **state)
{
    (void)state;
    struct rig r = begin();
    struct object *o = learn(&r, "Pending", "10.0.1.0/24");
    assert_string_equal(o->id, "vsw-1");
    assert_string_equal(o->status, "Pending");
    assert_ptr_equal(world_find(r.world, KIND_VSWITCH, TEXT("vsw-1")), o);
    assert_ptr_equal(world_find_owned(r.world, TEXT("stack"), KIND_VSWITCH, TEXT("web"), NULL), o);
    assert_ptr_equal(by_key(&r, "vpc-1", "10.0.1.0/24"), o);
    end(&r);
}

static void what_has_not_changed_takes_no_memory_however_often_it_is_seen(void **state)
{
    (void)state;
    struct rig r = begin();
    struct object *o = learn(&r, "Available", "10.0.1.0/24");
    size_t used = arena_used(r.arena);
    for (int k = 0; k < 10; k++) assert_ptr_equal(learn(&r, "Available", "10.0.1.0/24"), o);
    assert_int_equal(arena_used(r.arena), used);
    end(&r);
}

static void what_has_changed_is_learnt_and_the_object_of_before_stays(void **state)
{
    (void)state;
    struct rig r = begin();
    struct object *before = learn(&r, "Pending", "10.0.1.0/24"),
                  *after = learn(&r, "Available", "10.0.1.0/24");
    assert_ptr_not_equal(after, before);
    assert_string_equal(before->status, "Pending");
    assert_string_equal(after->status, "Available");
    assert_ptr_equal(after->id, before->id); /* what is the same is kept once */
    assert_ptr_equal(after->values[VSW_CIDR].u.text, before->values[VSW_CIDR].u.text);
    assert_ptr_equal(world_find(r.world, KIND_VSWITCH, TEXT("vsw-1")), after);
    struct object *moved = learn(&r, "Available", "10.0.2.0/24");
    assert_null(by_key(&r, "vpc-1", "10.0.1.0/24"));
    assert_ptr_equal(by_key(&r, "vpc-1", "10.0.2.0/24"), moved);
    end(&r);
}

static void what_was_removed_is_learnt_again(void **state)
{
    (void)state;
    struct rig r = begin();
    (void)learn(&r, "Available", "10.0.1.0/24");
    world_remove(r.world, KIND_VSWITCH, "vsw-1");
    assert_null(world_find(r.world, KIND_VSWITCH, TEXT("vsw-1")));
    struct object *o = learn(&r, "Available", "10.0.1.0/24");
    assert_ptr_equal(world_find(r.world, KIND_VSWITCH, TEXT("vsw-1")), o);
    end(&r);
}

static void walking_keeps_the_order_of_arrival(void **state)
{
    (void)state;
    struct rig r = begin();
    static const char *const ids[] = {"c", "a", "b"};
    for (size_t k = 0; k < 3; k++) (void)put(&r, KIND_EIP, ids[k], NULL);
    (void)put(&r, KIND_EIP, "c", NULL); /* seen again: where it was */
    (void)put(&r, KIND_VPC, "v", NULL);
    size_t cursor = 0, n = 0;
    for (struct object *o; (o = world_next(r.world, KIND_EIP, &cursor)) != NULL; n++)
        assert_string_equal(o->id, ids[n]);
    assert_int_equal(n, 3);
    end(&r);
}

static void many_objects_stay_apart(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct rig r = begin();
    char id[32], owner[32];
    for (unsigned i = 0; i < N; i++) {
        (void)snprintf(id, sizeof id, "eip-%u", i);
        (void)snprintf(owner, sizeof owner, "e%u", i);
        (void)put(&r, KIND_EIP, id, owner);
    }
    for (unsigned i = 0; i < N; i += 3) {
        (void)snprintf(id, sizeof id, "eip-%u", i);
        world_remove(r.world, KIND_EIP, id);
    }
    for (unsigned i = 0; i < N; i++) {
        (void)snprintf(id, sizeof id, "eip-%u", i);
        (void)snprintf(owner, sizeof owner, "e%u", i);
        struct object *o = world_find(r.world, KIND_EIP, text_of(id));
        assert_int_equal(o != NULL, i % 3 != 0);
        assert_ptr_equal(world_find_owned(r.world, TEXT("stack"), KIND_EIP, text_of(owner), NULL), o);
    }
    assert_int_equal(world_count(r.world, KIND_EIP), N - (N + 2) / 3);
    end(&r);
}

static void ids_of_any_length_do_not_break_it(void **state)
{
    (void)state;
    struct rig r = begin();
    struct err err;
    static char id[70000];
    memset(id, 'x', sizeof id - 1);
    struct value values[EIP_N] = {0};
    struct object huge = {.kind = KIND_EIP, .id = id, .status = "", .values = values};
    enum err_code code = world_put(r.world, &huge, &err); /* taken or refused, but not cut */
    assert_true(code == ERR_OK || code == ERR_LIMIT);
    assert_ptr_equal(world_find(r.world, KIND_EIP, text_of(id)), code == ERR_OK ? &huge : NULL);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_found_by_kind_and_id),
        cmocka_unit_test(what_is_seen_again_replaces_what_was_known),
        cmocka_unit_test(owners_that_own_several_are_counted),
        cmocka_unit_test(a_natural_key_is_all_its_fields_together),
        cmocka_unit_test(a_key_that_changes_is_found_under_the_new_one_only),
        cmocka_unit_test(what_was_removed_is_not_found_until_it_is_seen_again),
        cmocka_unit_test(what_is_learnt_outlives_its_page),
        cmocka_unit_test(what_has_not_changed_takes_no_memory_however_often_it_is_seen),
        cmocka_unit_test(what_has_changed_is_learnt_and_the_object_of_before_stays),
        cmocka_unit_test(what_was_removed_is_learnt_again),
        cmocka_unit_test(walking_keeps_the_order_of_arrival),
        cmocka_unit_test(many_objects_stay_apart),
        cmocka_unit_test(ids_of_any_length_do_not_break_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

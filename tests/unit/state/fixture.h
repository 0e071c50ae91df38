/* fixture.h - what the tests of the state share: a folder of their own, a store in it, records to keep. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reconciler/base/arena.h"
#include "reconciler/base/limits.h"
#include "state/store.h"

struct fixture {
    char folder[64];
    char path[128]; /* of the state file; not there yet */
    struct arena *arena;
    struct store *store;
    struct err err;
};

#define DEFAULT_STACK TEXT("default")

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL) return -1;
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/headgate-state-XXXXXX");
    if (mkdtemp(f->folder) == NULL) return -1;
    (void)snprintf(f->path, sizeof f->path, "%s/state.db", f->folder);
    f->arena = arena_new(LIMIT_ARENA_BYTES);
    *state = f;
    return f->arena == NULL ? -1 : 0;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    arena_free(f->arena);
    int rc = nftw(f->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return rc;
}

/* Fails the test with the message of an error. */
static inline void expect_code(const struct fixture *f, enum err_code code, enum err_code wanted)
{
    if (code != wanted)
        fail_msg("%s instead of %s: %s", err_code_name(code), err_code_name(wanted), f->err.msg);
}

static inline void expect_ok(const struct fixture *f, enum err_code code)
{
    expect_code(f, code, ERR_OK);
}

static inline void expect_message(const struct fixture *f, const char *part)
{
    if (strstr(f->err.msg, part) == NULL) fail_msg("\"%s\" is not in: %s", part, f->err.msg);
}

static inline struct store *open_store(struct fixture *f)
{
    expect_ok(f, store_open(f->path, STORE_READ_WRITE, &f->store, &f->err));
    return f->store;
}

static inline struct store *reopen(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
    return open_store(f);
}

/* A record of a vSwitch with a CIDR block that the manifest set. */
static inline struct record vswitch(struct fixture *f, const char *name, const char *id, uint32_t generation)
{
    struct record r = {.kind = KIND_VSWITCH, .name = text_of(name), .id = id, .generation = generation};
    r.values = arena_array_of(f->arena, VSW_N, struct value);
    assert_non_null(r.values);
    r.values[VSW_VPC] = value_id("vpc-1");
    r.values[VSW_CIDR] = value_cstr("10.0.1.0/24");
    r.set_fields = 1u << VSW_VPC | 1u << VSW_CIDR;
    return r;
}

static inline void put(struct fixture *f, const struct record *r)
{
    struct write w = {.type = WRITE_RECORD, .record = r};
    expect_ok(f, store_write(f->store, DEFAULT_STACK, &w, 1, &f->err));
}

static inline struct records load(struct fixture *f)
{
    struct records records;
    expect_ok(f, store_records(f->store, DEFAULT_STACK, NULL, f->arena, &records, &f->err));
    return records;
}

static inline int64_t serial(struct fixture *f)
{
    int64_t n;
    expect_ok(f, store_serial(f->store, DEFAULT_STACK, &n, &f->err));
    return n;
}

/* A whole file, to see that it was left alone. */
static inline char *slurp(struct fixture *f, const char *path, size_t *size)
{
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    *size = (size_t)ftell(in);
    rewind(in);
    char *bytes = arena_alloc(f->arena, *size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, in), *size);
    (void)fclose(in);
    return bytes;
}

static inline void spill(const char *path, const void *bytes, size_t size)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

#define STATE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

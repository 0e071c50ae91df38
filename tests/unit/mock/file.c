/* file.c - the simulated cloud's file: reopening, sharing, refusing what is not ours, size. */
#include <sqlite3.h>
#include <sys/wait.h>
#include <time.h>

#include "rig.h"

static void everything_is_there_after_reopening(void **state)
{
    (void)state;
    struct rig r;
    struct net n;
    struct gateway g;
    struct buf before, after;
    struct err err;
    char path[64], vsw3[64], same[64];
    rig_temp_path(path);
    rig_open(&r, path);
    make_net(&r, &n);
    make_gateway(&r, &n, n.vsw1, &g);
    set_option(&r, "linger-ms", "7");
    set_option(&r, "CreateVSwitch", "250");
    make(&r, vsw3, "VSwitchId", "Vpc", "CreateVSwitch", "VpcId", n.vpc, "ZoneId", "cn-shanghai-b",
         "CidrBlock", "10.0.3.0/24", "Tag.1.Key", "stack", "Tag.1.Value", "größe", "ClientToken", "t", NULL);
    ok(&r, "Vpc", "DescribeVpcs", NULL);
    buf_init(&before, 1 << 20);
    buf_init(&after, 1 << 20);
    int64_t now_ms = r.now_ms - 100;
    assert_int_equal(mock_list(r.mock, now_ms, NULL, true, &before, &err), ERR_OK);
    rig_close(&r);

    rig_open(&r, path);
    r.now_ms = now_ms + 100;
    assert_int_equal(mock_list(r.mock, now_ms, NULL, true, &after, &err), ERR_OK);
    assert_string_equal(buf_str(&before), buf_str(&after));
    make(&r, same, "VSwitchId", "Vpc", "CreateVSwitch", "VpcId", n.vpc, "ZoneId", "cn-shanghai-b",
         "CidrBlock", "10.0.3.0/24", "Tag.1.Key", "stack", "Tag.1.Value", "größe", "ClientToken", "t", NULL);
    assert_string_equal(vsw3, same);
    char *ledger = ledger_text(&r, false);
    assert_non_null(strstr(ledger, "DescribeVpcs 200\n"));
    assert_non_null(strstr(ledger, "1 CreateVpc 200\n"));
    free(ledger);
    /* The vSwitch was Pending in the file, and what was busy is busy again. */
    assert_true(mock_next_transition(r.mock) != INT64_MAX);
    settle(&r);
    ok(&r, "Vpc", "DescribeVSwitches", "VSwitchId", vsw3, NULL);
    assert_string_equal(rig_text(&r, "VSwitches.VSwitch.0.Status"), "Available");
    buf_fini(&before);
    buf_fini(&after);
    rig_close(&r);
    rig_remove_files(path);
}

static void two_openers_see_each_others_changes(void **state)
{
    (void)state;
    struct rig a, b;
    struct err err;
    char path[64], vpc[64], other[64];
    rig_temp_path(path);
    rig_open(&a, path);
    rig_open(&b, path);
    make(&a, vpc, "VpcId", "Vpc", "CreateVpc", "ClientToken", "t", NULL);
    ok(&b, "Vpc", "DescribeVpcs", "VpcId", vpc, NULL);
    assert_int_equal(rig_number(&b, "TotalCount"), 1);
    make(&b, other, "VpcId", "Vpc", "CreateVpc", NULL);
    assert_string_not_equal(vpc, other);
    ok(&a, "Vpc", "DescribeVpcs", NULL);
    assert_int_equal(rig_number(&a, "TotalCount"), 2);
    b.now_ms = a.now_ms;
    make(&b, other, "VpcId", "Vpc", "CreateVpc", "ClientToken", "t", NULL);
    assert_string_equal(vpc, other);
    assert_int_equal(mock_fail_next(a.mock, "CreateVpc", "SystemBusy", 1, &err), ERR_OK);
    refused(&b, "SystemBusy", "Vpc", "CreateVpc", NULL);
    ok(&a, "Vpc", "CreateVpc", NULL);
    assert_int_equal(mock_set_pace(a.mock, 1e6, 0, &err), ERR_OK);
    settle(&b);
    b.now_ms += 10000;
    ok(&b, "Vpc", "CreateVpc", "RegionId", "cn-beijing", NULL);
    assert_int_equal(mock_next_transition(b.mock), b.now_ms - 100 + 1);
    rig_close(&a);
    rig_close(&b);
    rig_remove_files(path);
}

enum { N_PROCESSES = 3, N_PER_PROCESS = 200 };

static int allocate_many(const char *path)
{
    struct rig r;
    char id[64];
    rig_open(&r, path);
    for (int i = 0; i < N_PER_PROCESS; i++) {
        make(&r, id, "AllocationId", "Vpc", "AllocateEipAddress", NULL);
        ok(&r, "Vpc", "DescribeEipAddresses", "AllocationId", id, NULL);
        if (rig_number(&r, "TotalCount") != 1) return 1;
    }
    rig_close(&r);
    return 0;
}

static void several_processes_at_once_lose_nothing(void **state)
{
    (void)state;
    struct rig r;
    char path[64];
    pid_t children[N_PROCESSES];
    rig_temp_path(path);
    rig_open(&r, path);
    set_option(&r, "quotas", "off");
    rig_close(&r);
    for (int i = 0; i < N_PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) _exit(allocate_many(path));
    }
    for (int i = 0; i < N_PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    rig_open(&r, path);
    ok(&r, "Vpc", "DescribeEipAddresses", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), N_PROCESSES * N_PER_PROCESS);
    char *ledger = ledger_text(&r, true);
    size_t n = 0;
    for (const char *p = ledger; (p = strchr(p, '\n')) != NULL; p++) n++;
    assert_int_equal(n, N_PROCESSES * N_PER_PROCESS);
    free(ledger);
    rig_close(&r);
    rig_remove_files(path);
}

static void another_programs_file_is_refused(void **state)
{
    (void)state;
    struct mock *mock = NULL;
    struct err err;
    char path[64];
    sqlite3 *db = NULL;
    rig_temp_path(path);
    struct mock_options options = {.path = path};
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(mock_open(&options, &mock, &err), ERR_STATE);
    assert_int_equal(
        sqlite3_exec(db, "DROP TABLE t; PRAGMA application_id = 1212632387; PRAGMA user_version = 99", NULL,
                     NULL, NULL),
        SQLITE_OK);
    assert_int_equal(mock_open(&options, &mock, &err), ERR_STATE);
    assert_non_null(strstr(err.msg, "version 99"));
    (void)sqlite3_close(db);
    rig_remove_files(path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < 1000; i++) (void)fputs("this is no database\n", f);
    (void)fclose(f);
    assert_int_equal(mock_open(&options, &mock, &err), ERR_STATE);
    assert_null(mock);
    rig_remove_files(path);
    options.path = "/nonexistent/folder/mock.db";
    assert_int_equal(mock_open(&options, &mock, &err), ERR_IO);
}

static void a_damaged_row_is_an_error_not_a_crash(void **state)
{
    (void)state;
    static const char *const damages[] = {
        "UPDATE entity SET body = x'00'",
        "UPDATE entity SET body = substr(body, 1, 40)",
        "UPDATE entity SET body = CAST('1' AS BLOB) || substr(body, 2) WHERE type = 'eip'",
        "DELETE FROM entity WHERE type = 'vpc'",
        "UPDATE setting SET value = 'x' WHERE name = 'ids'",
        /* What is no text would be out of memory in every list. */
        "UPDATE entity SET body = CAST(replace(CAST(body AS TEXT), 'default', CAST(x'ff' AS TEXT)) AS BLOB)",
        "INSERT INTO fault(operation, code, count) VALUES('*', CAST(x'ff' AS TEXT), 1)",
        /* Numbers that no sum has room for. */
        "UPDATE entity SET seq = 9223372036854775807 WHERE type = 'vpc'",
        "UPDATE setting SET value = '9223372036854775807' WHERE name = 'seq'",
        "UPDATE setting SET value = '9223372036854775807' WHERE name = 'option list-lag-ms'",
        "UPDATE setting SET value = '2' WHERE name = 'option strict'",
        "UPDATE setting SET value = '18446744073709551615' WHERE name = 'latency'",
        "UPDATE setting SET value = 'inf' WHERE name = 'speed'",
        "UPDATE setting SET value = '1e-300' WHERE name = 'speed'",
        "UPDATE setting SET value = '2x' WHERE name = 'speed'",
        "INSERT INTO token(key, hash, done_ms, body) VALUES('a', 'b', -9223372036854775808, '{}')",
    };
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct rig r;
        struct mock *mock = NULL;
        struct err err;
        char path[64];
        sqlite3 *db = NULL;
        rig_temp_path(path);
        rig_open(&r, path);
        ok(&r, "Vpc", "CreateVpc", NULL);
        ok(&r, "Vpc", "AllocateEipAddress", NULL);
        rig_close(&r);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, damages[i], NULL, NULL, NULL), SQLITE_OK);
        (void)sqlite3_close(db);
        struct mock_options options = {.path = path};
        if (mock_open(&options, &mock, &err) != ERR_STATE) fail_msg("not noticed: %s", damages[i]);
        rig_remove_files(path);
    }
}

static void a_reset_forgets_everything_but_repeats_no_id(void **state)
{
    (void)state;
    struct rig r;
    struct err err;
    char path[64], before[64], after[64];
    rig_temp_path(path);
    rig_open(&r, path);
    make(&r, before, "VpcId", "Vpc", "CreateVpc", "ClientToken", "t", NULL);
    assert_int_equal(mock_reset(r.mock, &err), ERR_OK);
    char *ledger = ledger_text(&r, false);
    assert_string_equal(ledger, "");
    free(ledger);
    rig_close(&r);
    rig_open(&r, path);
    ok(&r, "Vpc", "DescribeVpcs", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), 0);
    make(&r, after, "VpcId", "Vpc", "CreateVpc", "ClientToken", "t", NULL);
    assert_string_not_equal(before, after);
    rig_close(&r);
    rig_remove_files(path);
}

static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A shortened size test; the printed numbers are for people, the limits are generous. */
static void many_objects_are_no_trouble(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct rig r;
    char path[64];
    rig_temp_path(path);
    rig_open(&r, path);
    set_option(&r, "quotas", "off");
    double start = seconds();
    for (int i = 0; i < N; i++) ok(&r, "Vpc", "AllocateEipAddress", NULL);
    double made = seconds();
    rig_close(&r);
    double closed = seconds();
    rig_open(&r, path);
    double opened = seconds();
    ok(&r, "Vpc", "DescribeEipAddresses", "PageSize", "100", "PageNumber", "200", NULL);
    assert_int_equal(rig_number(&r, "TotalCount"), N);
    print_message("%d EIPs: %.0f calls/s, reopened in %.3f s\n", N, N / (made - start), opened - closed);
    rig_close(&r);
    rig_remove_files(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_there_after_reopening),
        cmocka_unit_test(two_openers_see_each_others_changes),
        cmocka_unit_test(several_processes_at_once_lose_nothing),
        cmocka_unit_test(another_programs_file_is_refused),
        cmocka_unit_test(a_damaged_row_is_an_error_not_a_crash),
        cmocka_unit_test(a_reset_forgets_everything_but_repeats_no_id),
        cmocka_unit_test(many_objects_are_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* mock_file.c - the rows of the simulated cloud's file.
 *
 * The parts of the input are rows; "|" stands for the NUL behind each text. A row that begins with
 * "setting|", "fault|" or "token|" goes into that table, any other is an object. A cloud that can be loaded
 * is listed, used and taken down like any other, and what it writes is what it has. */
#include "providers/mock/inside.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_ROWS = 16, MAX_CELLS = 4, OUTPUT_BYTES = 64 << 20, NOW_S = 1700000000 };

static const int64_t now_ms = (int64_t)NOW_S * 1000;

/* The tables; their cells are bound as texts, which SQLite takes for numbers where the column is one. */
static const struct {
    const char *name, *sql;
} tables[] = {
    {"setting", "INSERT OR REPLACE INTO setting(name, value) VALUES(?, ?)"},
    {"fault", "INSERT INTO fault(operation, code, count) VALUES(?, ?, ?)"},
    {"token", "INSERT OR REPLACE INTO token(key, hash, done_ms, body) VALUES(?, ?, ?, ?)"},
};

static void insert(sqlite3 *db, const char *sql, const struct text *cells, size_t n, bool blob)
{
    sqlite3_stmt *s = NULL;
    ASSERT(sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK);
    for (size_t i = 0; i < n; i++) {
        if (blob)
            (void)sqlite3_bind_blob64(s, (int)i + 1, cells[i].ptr, cells[i].len, SQLITE_STATIC);
        else
            (void)sqlite3_bind_text64(s, (int)i + 1, cells[i].ptr, cells[i].len, SQLITE_STATIC, SQLITE_UTF8);
    }
    (void)sqlite3_step(s); /* a row that the table itself refuses is not in it */
    (void)sqlite3_finalize(s);
}

static void insert_row(sqlite3 *db, struct text row)
{
    for (size_t t = 0; t < N_ELEMENTS(tables); t++) {
        struct text rest = row, cells[MAX_CELLS], name;
        size_t n = 0;
        if (!text_cut(&rest, '\0', &name) || !text_is(name, tables[t].name)) continue;
        while (n < MAX_CELLS && text_cut(&rest, '\0', &cells[n])) n++;
        insert(db, tables[t].sql, cells, n, false);
        return;
    }
    insert(db, "INSERT INTO entity(type, id, body) VALUES('', '', ?)", &row, 1, true);
}

static void list(struct mock *m, struct buf *out)
{
    struct err err = {0};
    buf_init(out, OUTPUT_BYTES);
    ASSERT(mock_list(m, now_ms, NULL, true, out, &err) == ERR_OK);
    fuzz_check_json(out);
}

static void call(struct mock *m, const char *product, const char *operation)
{
    struct request r = {.product = product, .operation = operation};
    struct mock_answer answer;
    struct err err = {0};
    ASSERT(mock_call(m, now_ms, &r, &answer, &err) == ERR_OK);
    ASSERT(answer.body != NULL || answer.http_status == 0);
    ASSERT(answer.latency_ms >= 0);
    free(answer.body);
}

/* What hangs on something else goes with it. */
static void take_down(struct mock *m)
{
    static const enum entity_type order[] = {E_EIP, E_NAT, E_INSTANCE, E_GROUP, E_VSWITCH, E_VPC};
    struct err err = {0};
    for (size_t i = 0; i < N_ELEMENTS(order); i++)
        for (const struct entity *e; (e = m->store.first[order[i]]) != NULL && e->status != ST_LINGERING;) {
            char id[ENTITY_ID_SIZE];
            (void)snprintf(id, sizeof id, "%s", e->id); /* it goes */
            ASSERT(mock_delete(m, now_ms, id, true, &err) == ERR_OK);
        }
}

/* What memory has is what the file has. */
static void check_reloaded(struct mock *m)
{
    CLEANUP(buf_fini) struct buf before, after;
    list(m, &before);
    m->loaded = false;
    list(m, &after);
    ASSERT(text_equal(buf_text(&before), buf_text(&after)));
}

static void use(struct mock *m)
{
    struct err err = {0};
    CLEANUP(buf_fini) struct buf text;
    buf_init(&text, OUTPUT_BYTES);
    ASSERT(mock_list(m, now_ms, NULL, false, &text, &err) == ERR_OK);
    fuzz_check_text(&text);
    check_reloaded(m);
    call(m, "Vpc", "CreateVpc");
    call(m, "Vpc", "AllocateEipAddress");
    call(m, "Vpc", "DescribeVpcs");
    call(m, "Vpc", "DescribeVSwitches");
    call(m, "Vpc", "DescribeNatGateways");
    call(m, "Vpc", "DescribeEipAddresses");
    call(m, "Vpc", "DescribeRouteTableList");
    call(m, "Ecs", "DescribeInstances");
    call(m, "Ecs", "DescribeSecurityGroups");
    check_reloaded(m);
    take_down(m);
    check_reloaded(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = fuzz_arena();
    struct mock *m = NULL;
    struct err err = {0};
    struct mock_options options = {.path = ":memory:", .seed = 42};
    struct text rest = fuzz_input(data, size), row;
    char *bytes = arena_copy(a, rest.ptr, rest.len);
    ASSERT(bytes != NULL && mock_open(&options, &m, &err) == ERR_OK);
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == '|') bytes[i] = '\0';
    rest.ptr = bytes;
    for (int i = 0; i < MAX_ROWS && fuzz_part(&rest, &row); i++) insert_row(m->db, row);
    m->loaded = false; /* as if another process had written it */
    enum err_code code = persist_begin(m, false, &err);
    ASSERT(code == ERR_OK || (code == ERR_STATE && err.msg[0] != '\0'));
    if (code == ERR_OK) use(m);
    mock_close(m);
    arena_free(a);
    return 0;
}

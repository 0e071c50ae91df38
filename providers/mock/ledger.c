/* ledger.c - every call that came in, in order. */
#include <string.h>

#include "providers/mock/inside.h"

static void drop_rows(struct ledger *l, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(l->rows[i].operation);
        free(l->rows[i].code);
    }
    memmove(l->rows, l->rows + n, (l->n - n) * sizeof(l->rows[0]));
    l->n -= n;
}

bool ledger_add(struct mock *m, int64_t now_ms, const char *operation, bool reads, int http_status,
                const char *code)
{
    struct ledger *l = &m->ledger;
    if (l->n == LEDGER_ROWS) {
        drop_rows(l, LEDGER_ROWS / 2);
        l->n_dropped += LEDGER_ROWS / 2;
    }
    if (l->n == l->capacity) {
        size_t capacity = l->capacity == 0 ? 64 : l->capacity * 2;
        struct ledger_row *rows = realloc(l->rows, capacity * sizeof(*rows));
        if (rows == NULL) return false;
        l->rows = rows;
        l->capacity = capacity;
    }
    struct ledger_row row = {.at_ms = now_ms, .reads = reads, .http_status = http_status};
    row.operation = strndup(operation, 64);
    row.code = strdup(code);
    if (row.operation == NULL || row.code == NULL) {
        free(row.operation);
        free(row.code);
        return false;
    }
    l->rows[l->n++] = row;
    return true;
}

void ledger_fini(struct ledger *l)
{
    if (l->n > 0) drop_rows(l, l->n);
    free(l->rows);
    *l = (struct ledger){0};
}

struct printing {
    struct buf *out;
    json_t *array; /* NULL: text */
    bool changing_only;
};

static void print_row(void *ctx, int64_t n, const struct ledger_row *row)
{
    struct printing *p = ctx;
    if (p->changing_only && row->reads) return;
    if (p->array != NULL) {
        (void)json_array_append_new(p->array, json_pack("{s:I, s:I, s:s, s:i, s:s}", "n", (json_int_t)n, "at",
                                                        (json_int_t)row->at_ms, "operation", row->operation,
                                                        "status", (int)row->http_status, "code", row->code));
        return;
    }
    buf_printf(p->out, "%lld ", (long long)n);
    buf_put_escaped(p->out, text_of(row->operation));
    buf_printf(p->out, " %d%s%s\n", (int)row->http_status, row->code[0] == '\0' ? "" : " ", row->code);
}

enum err_code mock_ledger(struct mock *m, bool changing_only, bool json, struct buf *out, struct err *err)
{
    struct printing p = {.out = out, .array = json ? json_array() : NULL, .changing_only = changing_only};
    /* What this process did not write yet is to be seen, too. */
    enum err_code e = m->db != NULL && m->ledger.n > 0 ? persist_begin(m, true, err) : ERR_OK;
    if (e == ERR_OK && m->writing) e = persist_commit(m, err);
    if (e == ERR_OK) e = persist_read_ledger(m, print_row, &p, err);
    if (e == ERR_OK && json) {
        char *text = json_dumps(p.array, JSON_INDENT(1));
        if (text == NULL)
            e = err_nomem(err);
        else
            buf_printf(out, "%s\n", text);
        free(text);
    }
    json_decref(p.array);
    if (e == ERR_OK && !buf_ok(out)) return err_set(err, ERR_LIMIT, "the ledger is too long to be shown");
    return e;
}

enum err_code mock_ledger_clear(struct mock *m, struct err *err)
{
    ledger_fini(&m->ledger);
    return persist_clear_ledger(m, err);
}

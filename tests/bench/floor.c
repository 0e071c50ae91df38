/* floor.c - the least that a plan can cost: libyaml's events over the manifests and SQLite's rows of the
 * state, each read once and dropped. */
#include "tests/bench/bench.h"

#include <sqlite3.h>
#include <yaml.h>

size_t floor_events(struct text bytes)
{
    yaml_parser_t parser;
    yaml_event_t event;
    size_t n = 0;
    bool more = true;
    if (!yaml_parser_initialize(&parser)) bench_die("libyaml", "out of memory");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes.ptr, bytes.len);
    while (more) {
        if (!yaml_parser_parse(&parser, &event)) bench_die("libyaml", parser.problem);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        n++;
    }
    yaml_parser_delete(&parser);
    return n;
}

/* Reads a column as the type that it has. */
static size_t touch(sqlite3_stmt *row, int column)
{
    if (sqlite3_column_type(row, column) == SQLITE_INTEGER)
        return (size_t)sqlite3_column_int64(row, column) & 1;
    const unsigned char *text = sqlite3_column_text(row, column);
    return text == NULL ? 0 : text[0] + (size_t)sqlite3_column_bytes(row, column);
}

size_t floor_rows(const char *state_path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    if (sqlite3_open_v2(state_path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(
            db,
            "SELECT kind, name, id, generation, given, fields, prevent_destroy, orphan_on_removal,"
            " observed_only, applied_unix_ms FROM records ORDER BY stack, kind, name",
            -1, &row, NULL) != SQLITE_OK)
        bench_die(state_path, sqlite3_errmsg(db));
    volatile size_t sum = 0; /* so that the reading is not left out */
    size_t n = 0;
    int n_columns = sqlite3_column_count(row);
    for (; sqlite3_step(row) == SQLITE_ROW; n++)
        for (int c = 0; c < n_columns; c++) sum += touch(row, c);
    if (sqlite3_finalize(row) != SQLITE_OK) bench_die(state_path, sqlite3_errmsg(db));
    (void)sqlite3_close(db); /* nothing is open on it */
    return sum > 0 ? n : 0;
}

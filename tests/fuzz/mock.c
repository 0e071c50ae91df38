/* mock.c - any requests to the simulated cloud, as somebody's program may send them: lines of "Product
 * Operation", "Name=Value" and an empty line after each request. */
#include "tests/fuzz/fuzz.h"

#include "providers/mock/mock.h"

#include <jansson.h>
#include <string.h>

enum { ARENA_LIMIT = 16 << 20, MAX_REQUESTS = 32 };

/* Reads up to an empty line. */
static void read_request(struct text *rest, struct arena *a, struct request *r)
{
    const char *product = fuzz_line(rest, a), *space = strchr(product, ' ');
    const char *operation = space == NULL ? "" : space + 1;
    request_init(r, a, strncmp(product, "Ecs ", 4) == 0 ? "Ecs" : "Vpc", operation);
    while (rest->len > 0) {
        const char *line = fuzz_line(rest, a);
        if (line[0] == '\0') return;
        const char *equals = strchr(line, '=');
        const char *name = arena_copy(a, line, equals == NULL ? strlen(line) : (size_t)(equals - line));
        request_add(r, name, equals == NULL ? "" : equals + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(ARENA_LIMIT);
    struct text rest = {(const char *)data, size};
    struct mock_options options = {.seed = 1};
    struct mock *mock = NULL;
    struct err err;
    int64_t now = INT64_C(1700000000000);
    enum err_code code = mock_open(&options, &mock, &err);
    ASSERT(arena != NULL && code == ERR_OK);
    for (int n = 0; rest.len > 0 && n < MAX_REQUESTS; n++, now += 20000) {
        struct request r;
        struct mock_answer answer;
        read_request(&rest, arena, &r);
        code = mock_call(mock, now, &r, &answer, &err);
        ASSERT(code == ERR_OK && answer.body != NULL);
        json_t *document = json_loads(answer.body, 0, NULL);
        ASSERT(json_is_object(document) && json_is_string(json_object_get(document, "RequestId")));
        json_decref(document);
        mock_answer_fini(&answer);
    }
    mock_close(mock);
    return 0;
}

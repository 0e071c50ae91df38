/* mock_request.c - requests to the simulated cloud, and the person's hand on it.
 *
 * One request a line: the operation, and parameters as NAME=VALUE behind blanks. Ids are handed out by a
 * seed, so that a later line can name what an earlier one made. Other lines: "set ID NAME=VALUE…", "delete
 * ID", "option NAME VALUE", "fail OPERATION CODE", and "wait MS". Every answer is JSON with a request id and
 * reads as an outcome; what is in the cloud in the end can be kept in its file. */
#include "providers/alicloud/alicloud.h"
#include "providers/mock/inside.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_LINES = 48, MAX_WORDS = 24, OUTPUT_BYTES = 64 << 20, START_S = 1700000000 };

struct scene {
    struct arena *arena;
    const struct cloud *cloud;
    struct mock *mock;
    int64_t now_ms;
};

static void check_answer(const struct scene *s, const struct request *r, const struct mock_answer *answer)
{
    struct outcome outcome;
    if (answer->http_status == 0) {
        ASSERT(answer->body == NULL && answer->fault != MOCK_NO_FAULT);
        return;
    }
    ASSERT(answer->http_status >= 200 && answer->http_status < 600 && answer->latency_ms >= 0);
    ASSERT(answer->body != NULL && strlen(answer->body) == answer->body_size);
    json_t *root = json_loadb(answer->body, answer->body_size, JSON_REJECT_DUPLICATES, NULL);
    ASSERT(json_is_string(json_object_get(root, "RequestId")));
    bool refused = answer->http_status != 200;
    ASSERT(refused == json_is_string(json_object_get(root, "Code")));
    ASSERT(refused == json_is_string(json_object_get(root, "Message")));
    json_decref(root);
    s->cloud->read_outcome(s->cloud, NULL, r, answer->http_status,
                           (struct body){{answer->body, answer->body_size}, NULL}, s->arena, &outcome);
    ASSERT(outcome.class < N_OUTCOMES && outcome.request_id[0] != '\0');
}

static void call(struct scene *s, const char *product, const char *const *words, size_t n)
{
    struct request r;
    struct mock_answer answer;
    struct err err = {0};
    request_init(&r, s->arena, product, words[0]);
    for (size_t i = 1; i < n; i++) {
        struct text value = text_of(words[i]), name;
        (void)text_cut(&value, '=', &name);
        const char *key = arena_copy(s->arena, name.ptr, name.len);
        ASSERT(key != NULL);
        request_add(&r, key, value.ptr == NULL ? "" : value.ptr);
    }
    ASSERT(!r.out_of_memory);
    ASSERT(mock_call(s->mock, s->now_ms, &r, &answer, &err) == ERR_OK);
    check_answer(s, &r, &answer);
    free(answer.body);
    s->now_ms += 100; /* the next call comes after this one's answer */
}

/* The hand on the cloud: true when the line was for it. */
static bool by_hand(struct scene *s, const char *const *words, size_t n)
{
    struct err err = {0};
    struct mock *m = s->mock;
    uint64_t ms;
    enum err_code code = ERR_OK;
    if (n == 2 && strcmp(words[0], "wait") == 0 && text_to_u64(text_of(words[1]), 86400000, &ms))
        s->now_ms += (int64_t)ms;
    else if (n > 2 && strcmp(words[0], "set") == 0)
        code = mock_set(m, s->now_ms, words[1], words + 2, n - 2, &err);
    else if (n == 2 && strcmp(words[0], "delete") == 0)
        code = mock_delete(m, s->now_ms, words[1], true, &err);
    else if (n == 3 && strcmp(words[0], "option") == 0)
        code = mock_set_option(m, words[1], words[2], &err);
    else if (n == 3 && strcmp(words[0], "fail") == 0)
        code = mock_fail_next(m, words[1], words[2], 1, &err);
    else
        return false;
    ASSERT(code == ERR_OK || (err.msg[0] != '\0' && code != ERR_NOMEM && code != ERR_STATE));
    return true;
}

/* As its file would keep it: decoded and linked again, it is listed the same. */
static void check_kept(struct scene *s)
{
    struct err err = {0};
    struct mock_options options = {.seed = 42};
    struct mock *again;
    CLEANUP(buf_fini) struct buf row, before, after;
    buf_init(&row, 1 << 20);
    buf_init(&before, OUTPUT_BYTES);
    buf_init(&after, OUTPUT_BYTES);
    ASSERT(mock_list(s->mock, s->now_ms, NULL, true, &before, &err) == ERR_OK);
    fuzz_check_json(&before);
    ASSERT(mock_open(&options, &again, &err) == ERR_OK);
    size_t n = 0, capacity = 0;
    struct pending_link *links = NULL;
    for (int type = 0; type < N_ENTITY_TYPES; type++)
        for (struct entity *e = s->mock->store.first[type]; e != NULL; e = e->next) {
            buf_reset(&row);
            entity_encode(&row, e);
            ASSERT(buf_ok(&row) && arena_grow(s->arena, &links, sizeof *links, n, &capacity));
            ASSERT(entity_decode(again, e->seq, buf_text(&row), &links[n], &err) == ERR_OK);
            n++;
        }
    ASSERT(entities_link(again, links, n, &err) == ERR_OK);
    ASSERT(mock_list(again, s->now_ms, NULL, true, &after, &err) == ERR_OK);
    ASSERT(text_equal(buf_text(&before), buf_text(&after)));
    mock_close(again);
}

static void run_line(struct scene *s, struct text line)
{
    const char *words[MAX_WORDS];
    size_t n = 0;
    struct text word;
    while (n < MAX_WORDS && text_cut(&line, ' ', &word)) {
        words[n] = arena_copy(s->arena, word.ptr, word.len);
        ASSERT(words[n] != NULL);
        n++;
    }
    if (words[0][0] == '\0' || by_hand(s, words, n)) return;
    bool ecs = strstr(words[0], "Instance") != NULL || strstr(words[0], "SecurityGroup") != NULL ||
               strstr(words[0], "Untag") != NULL;
    call(s, ecs ? "Ecs" : "Vpc", words, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = fuzz_input(data, size), line;
    struct mock_options options = {.seed = 42};
    struct err err = {0};
    struct scene s = {.arena = fuzz_arena(), .now_ms = (int64_t)START_S * 1000};
    s.cloud = alicloud_cloud(s.arena, "cn-shanghai");
    ASSERT(s.cloud != NULL && mock_open(&options, &s.mock, &err) == ERR_OK);
    for (int i = 0; i < MAX_LINES && text_cut(&rest, '\n', &line); i++) run_line(&s, line);
    check_kept(&s);
    mock_close(s.mock);
    arena_free(s.arena);
    return 0;
}

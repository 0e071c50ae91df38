/* Looking at a scripted cloud: what is asked for, in which order, and what becomes of the answers.
 *
 * A script maps calls to answers. A call reads "Vpc", "Vpc >2" (the page after "2") or "SnatEntry of ngw-1".
 * An answer is words: ids of objects, ">2" (what to ask for next), "#5" (the total), or one of !throttled
 * !busy !denied !gone …   an error answer of that class; "!throttled:30" asks for 30 ms ?lost ?unsent ?nokeys
 * ?closing     no answer at all ?never                             nothing until it is canceled ?garbage an
 * answer that cannot be read */
#include "reconciler/loop/observe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct reply {
    const char *call, *answer;
};

enum { MAX_REPLIES = 64, MAX_FLYING = 128 };

struct fixture {
    uv_loop_t loop;
    struct provider provider;
    struct cloud cloud;
    struct arena *arena;
    struct world *world;
    struct observe *observe;
    /* The script. */
    const struct reply *replies;
    bool used[MAX_REPLIES];
    const struct scope *round_0, *round_1;
    size_t n_round_0, n_round_1;
    bool below_gateways; /* round 1 is made of the gateways in the world */
    enum err_code scopes_code;
    /* The way to the cloud. */
    uv_timer_t timer;
    struct send *flying[MAX_FLYING];
    size_t n_flying, max_flying;
    /* What happened. */
    char trace[4096];
    unsigned n_done;
    enum err_code code;
};

static struct fixture *fixture; /* the test that runs: scopes and clouds have no context of their own */

/* ---- a cloud ---- */

static enum next fake_list_request(const struct cloud *c, const struct scope *s, const char *const *ids,
                                   uint32_t n_ids, const char *after, struct arena *arena,
                                   struct request *out, struct err *err)
{
    (void)c, (void)ids;
    assert_int_equal(n_ids, 0);
    if (s->id != NULL && strcmp(s->id, "nothing-to-ask") == 0) return NEXT_DONE;
    if (s->id != NULL && strcmp(s->id, "cannot-ask") == 0) {
        (void)err_set(err, ERR_INPUT, "no such list");
        return NEXT_ERROR;
    }
    char call[128];
    (void)snprintf(call, sizeof call, "%s%s%s%s%s", kind_info(s->kind)->name, s->id == NULL ? "" : " of ",
                   s->id == NULL ? "" : s->id, after == NULL ? "" : " >", after == NULL ? "" : after);
    request_init(out, arena, "Fake", "DescribeThings");
    request_add(out, "Call", call);
    if (out->out_of_memory) (void)err_nomem(err);
    return out->out_of_memory ? NEXT_ERROR : NEXT_REQUEST;
}

static void read_error(struct text word, struct outcome *out)
{
    *out = (struct outcome){
        .class = OUTCOME_INVALID, .code = "Some.Code", .message = "some words", .request_id = "R-1"};
    struct text name;
    (void)text_cut(&word, ':', &name);
    for (unsigned c = 0; c < N_OUTCOMES; c++)
        if (text_is(name, outcome_name(c))) out->class = c;
    uint64_t delay_ms;
    if (word.ptr != NULL && text_to_u64(word, UINT32_MAX, &delay_ms)) out->delay_ms = (int64_t)delay_ms;
}

static enum err_code read_word(const struct scope *s, struct text word, struct arena *arena, struct page *out)
{
    const char *text = arena_copy(arena, word.ptr, word.len);
    if (text == NULL) return ERR_NOMEM;
    if (text[0] == '>') {
        out->next = text + 1;
    } else if (text[0] == '#') {
        assert_true(text_to_u64(text_of(text + 1), UINT32_MAX, &out->total));
    } else {
        struct object *o = arena_new_of(arena, struct object);
        if (o == NULL) return ERR_NOMEM;
        *o = (struct object){.kind = s->kind, .id = text, .status = ""};
        o->values = arena_array_of(arena, kind_info(s->kind)->n_fields, struct value);
        if (o->values == NULL) return ERR_NOMEM;
        out->objects[out->n++] = o;
    }
    return ERR_OK;
}

static enum err_code fake_read_page(const struct cloud *c, const struct scope *s, const struct request *r,
                                    int http_status, struct body answer, const struct world *w,
                                    struct arena *arena, struct page *out, struct outcome *outcome,
                                    struct err *err)
{
    struct text body = answer.text;
    (void)c, (void)r, (void)w;
    assert_int_equal(http_status, 200);
    if (text_is(body, "?garbage")) return err_set(err, ERR_PROVIDER, "the answer is not JSON");
    if (body.len > 0 && body.ptr[0] == '!') {
        read_error((struct text){body.ptr + 1, body.len - 1}, outcome);
        return err_set(err, ERR_PROVIDER, "an error answer");
    }
    struct page page = {.objects = arena_array_of(arena, body.len, struct object *)};
    if (page.objects == NULL) return err_nomem(err);
    struct text word;
    while (text_cut(&body, ' ', &word))
        if (word.len > 0 && read_word(s, word, arena, &page) != ERR_OK) return err_nomem(err);
    *out = page;
    return ERR_OK;
}

static enum err_code fake_scopes(struct arena *arena, int round, bool unmanaged, struct text stack,
                                 const struct desired *desired, const struct records *recorded,
                                 const struct world *observed, const struct cloud *cloud,
                                 struct scope **scopes, size_t *n_scopes, struct err *err)
{
    (void)unmanaged, (void)stack, (void)desired, (void)recorded;
    assert_ptr_equal(cloud, &fixture->cloud);
    if (fixture->scopes_code != ERR_OK) return err_set(err, fixture->scopes_code, "no scopes");
    size_t n = round == 0 ? fixture->n_round_0 : round == 1 ? fixture->n_round_1 : 0;
    if (round == 1 && fixture->below_gateways) n = world_count(observed, KIND_NAT_GATEWAY);
    struct scope *list = arena_array_of(arena, n, struct scope);
    if (list == NULL) return err_nomem(err);
    size_t cursor = 0;
    for (size_t i = 0; i < n; i++) {
        if (round == 1 && fixture->below_gateways)
            list[i] = (struct scope){KIND_SNAT_ENTRY, world_next(observed, KIND_NAT_GATEWAY, &cursor)->id};
        else
            list[i] = round == 0 ? fixture->round_0[i] : fixture->round_1[i];
    }
    *scopes = list;
    *n_scopes = n;
    return ERR_OK;
}

/* ---- the way to it ---- */

static const char *answer_to(struct fixture *f, const struct send *s)
{
    const char *call = request_get(s->request, "Call");
    for (size_t i = 0; f->replies[i].call != NULL; i++)
        if (!f->used[i] && strcmp(f->replies[i].call, call) == 0) {
            f->used[i] = true;
            return f->replies[i].answer;
        }
    fail_msg("no answer to %s; so far: %s", call, f->trace);
    return NULL;
}

static const struct no_answer {
    const char *word;
    enum send_fate fate;
    enum err_code code;
    const char *msg;
} no_answers[] = {
    {"?lost", SEND_UNKNOWN, ERR_UNKNOWN, "connection reset"},
    {"?unsent", SEND_NOT_SENT, ERR_BUSY, "no route to host"},
    {"?nokeys", SEND_NOT_SENT, ERR_DENIED, "no credentials"},
    {"?closing", SEND_NOT_SENT, ERR_CANCELED, "the provider is closing"},
};

static void deliver(struct send *s, const char *answer)
{
    s->fate = SEND_ANSWERED;
    for (size_t i = 0; i < N_ELEMENTS(no_answers); i++)
        if (strcmp(no_answers[i].word, answer) == 0) {
            s->fate = no_answers[i].fate;
            (void)err_set(&s->err, no_answers[i].code, "%s", no_answers[i].msg);
        }
    if (s->fate == SEND_ANSWERED) {
        s->http_status = 200;
        s->body = strdup(answer);
        s->body_size = strlen(answer);
    }
    s->done(s);
}

static void arrive(uv_timer_t *t)
{
    struct fixture *f = t->data;
    struct send *waiting[MAX_FLYING];
    size_t n = f->n_flying;
    memcpy(waiting, f->flying, sizeof waiting);
    f->n_flying = 0;
    for (size_t i = 0; i < n; i++) {
        if (waiting[i]->private == NULL) waiting[i]->private = (void *)(uintptr_t)answer_to(f, waiting[i]);
        const char *answer = waiting[i]->private;
        if (answer[0] == '\0' || strcmp(answer, "?never") != 0)
            deliver(waiting[i], answer);
        else
            f->flying[f->n_flying++] = waiting[i];
    }
}

static void fake_send_start(struct provider *p, struct send *s)
{
    struct fixture *f = CONTAINER_OF(p, struct fixture, provider);
    assert_true(f->n_flying < MAX_FLYING);
    size_t len = strlen(f->trace);
    (void)snprintf(f->trace + len, sizeof f->trace - len, "%s%s", len == 0 ? "" : ", ",
                   request_get(s->request, "Call"));
    s->private = NULL;
    f->flying[f->n_flying++] = s;
    f->max_flying = MAX_OF(f->max_flying, f->n_flying);
    assert_int_equal(uv_timer_start(&f->timer, arrive, 1, 0), 0);
}

static void arrive_canceled(uv_timer_t *t)
{
    struct fixture *f = t->data;
    while (f->n_flying > 0) {
        struct send *s = f->flying[--f->n_flying];
        s->fate = SEND_CANCELED;
        s->done(s);
    }
}

/* Only ever all of them are canceled. */
static void fake_send_cancel(struct provider *p, struct send *s)
{
    (void)s;
    struct fixture *f = CONTAINER_OF(p, struct fixture, provider);
    assert_int_equal(uv_timer_start(&f->timer, arrive_canceled, 0, 0), 0);
}

static const struct provider_ops fake_ops = {
    .api_version = PROVIDER_API_VERSION,
    .send_start = fake_send_start,
    .send_cancel = fake_send_cancel,
};

/* ---- a test ---- */

static void note_done(struct observe *o, enum err_code code)
{
    struct fixture *f = o->ctx;
    f->n_done++;
    f->code = code;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(uv_timer_init(&f->loop, &f->timer), 0);
    f->timer.data = f;
    f->cloud = (struct cloud){
        .name = "fake", .region = "cn-test", .list_request = fake_list_request, .read_page = fake_read_page};
    f->provider = (struct provider){.ops = &fake_ops, .cloud = &f->cloud, .loop = &f->loop, .account = ""};
    f->arena = arena_new((size_t)1 << 24);
    f->world = world_new(f->arena);
    f->observe = calloc(1, sizeof *f->observe);
    *f->observe = (struct observe){.provider = &f->provider,
                                   .arena = f->arena,
                                   .world = f->world,
                                   .stack = TEXT("test"),
                                   .backoff_ms = 1,
                                   .scopes = fake_scopes,
                                   .done = note_done,
                                   .ctx = f};
    fixture = f;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    uv_close((uv_handle_t *)&f->timer, NULL);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    world_free(f->world);
    arena_free(f->arena);
    free(f->observe);
    free(f);
    return 0;
}

/* Starts, runs the loop until nothing is left, and expects one 'done' with this code. */
static void assert_observed(struct fixture *f, enum err_code code)
{
    observe_start(f->observe);
    assert_int_equal(f->n_done, 0);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(f->n_done, 1);
    if (f->code != code) fail_msg("%s: %s", err_code_name(f->code), f->observe->err.msg);
}

#define SCRIPT(f, ...) ((f)->replies = (const struct reply[]){__VA_ARGS__, {NULL, NULL}})
#define ROUND_0(f, ...)                                                                                      \
    (f)->round_0 = (const struct scope[]){__VA_ARGS__},                                                      \
    (f)->n_round_0 = N_ELEMENTS(((const struct scope[]){__VA_ARGS__}))
#define ROUND_1(f, ...)                                                                                      \
    (f)->round_1 = (const struct scope[]){__VA_ARGS__},                                                      \
    (f)->n_round_1 = N_ELEMENTS(((const struct scope[]){__VA_ARGS__}))

static void assert_world(const struct fixture *f, const char *expected)
{
    char got[4096] = "";
    size_t len = 0;
    for (unsigned kind = 0; kind < N_KINDS; kind++) {
        size_t cursor = 0;
        for (struct object *o; (o = world_next(f->world, kind, &cursor)) != NULL;)
            len += (size_t)snprintf(got + len, sizeof got - len, "%s%s", len == 0 ? "" : " ", o->id);
    }
    assert_string_equal(got, expected);
}

static void all_pages_of_a_list_are_read_one_after_the_other(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "vpc-1 vpc-2 >2 #5"}, {"Vpc >2", "vpc-3 vpc-4 >3 #5"}, {"Vpc >3", "vpc-5 #5"});
    assert_observed(f, ERR_OK);
    assert_world(f, "vpc-1 vpc-2 vpc-3 vpc-4 vpc-5");
    assert_string_equal(f->trace, "Vpc, Vpc >2, Vpc >3");
    assert_int_equal(f->observe->n_calls, 3);
    assert_int_equal(f->observe->n_objects, 5);
    assert_int_equal(f->observe->n_retries, 0);
}

static void the_second_round_builds_on_the_first(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_NAT_GATEWAY, NULL}, {KIND_EIP, NULL});
    f->below_gateways = true;
    SCRIPT(f, {"NatGateway", "ngw-1 ngw-2"}, {"Eip", "eip-1"}, {"SnatEntry of ngw-1", "snat-1"},
           {"SnatEntry of ngw-2", "snat-2 snat-3"});
    assert_observed(f, ERR_OK);
    assert_world(f, "ngw-1 ngw-2 eip-1 snat-1 snat-2 snat-3");
    assert_string_equal(f->trace, "NatGateway, Eip, SnatEntry of ngw-1, SnatEntry of ngw-2");
}

static void nothing_to_list_is_done_later(void **state)
{
    struct fixture *f = *state;
    SCRIPT(f, {"none", ""});
    assert_observed(f, ERR_OK);
    assert_world(f, "");
}

static void an_empty_list_is_no_error(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", ""});
    assert_observed(f, ERR_OK);
    assert_world(f, "");
}

static void lists_that_need_no_call_are_passed_over(void **state)
{
    struct fixture *f = *state;
    f->observe->concurrency = 1;
    ROUND_0(f, {KIND_SNAT_ENTRY, "nothing-to-ask"}, {KIND_SNAT_ENTRY, "nothing-to-ask"}, {KIND_VPC, NULL},
            {KIND_SNAT_ENTRY, "nothing-to-ask"});
    SCRIPT(f, {"Vpc", "vpc-1"});
    assert_observed(f, ERR_OK);
    assert_world(f, "vpc-1");
}

static void no_more_lists_than_allowed_are_read_at_once(void **state)
{
    struct fixture *f = *state;
    f->observe->concurrency = 3;
    ROUND_0(f, {KIND_ROUTE_ENTRY, "1"}, {KIND_ROUTE_ENTRY, "2"}, {KIND_ROUTE_ENTRY, "3"},
            {KIND_ROUTE_ENTRY, "4"}, {KIND_ROUTE_ENTRY, "5"}, {KIND_ROUTE_ENTRY, "6"},
            {KIND_ROUTE_ENTRY, "7"});
    SCRIPT(f, {"RouteEntry of 1", "a"}, {"RouteEntry of 2", "b"}, {"RouteEntry of 3", "c"},
           {"RouteEntry of 4", "d"}, {"RouteEntry of 5", "e"}, {"RouteEntry of 6", "f"},
           {"RouteEntry of 7", "g"});
    assert_observed(f, ERR_OK);
    assert_world(f, "a b c d e f g");
    assert_int_equal(f->max_flying, 3);
}

static void what_may_pass_is_repeated(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL}, {KIND_EIP, NULL});
    SCRIPT(f, {"Vpc", "!throttled"}, {"Vpc", "!busy"}, {"Vpc", "?lost"}, {"Vpc", "?unsent"},
           {"Vpc", "vpc-1 >2"}, {"Vpc >2", "!transient"}, {"Vpc >2", "!unknown"}, {"Vpc >2", "vpc-2"},
           {"Eip", "eip-1"});
    assert_observed(f, ERR_OK);
    assert_world(f, "vpc-1 vpc-2 eip-1");
    assert_int_equal(f->observe->n_retries, 6);
    assert_int_equal(f->observe->n_calls, 9);
}

static void the_clouds_own_delay_is_honoured(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "!throttled:40"}, {"Vpc", "vpc-1"});
    uv_update_time(&f->loop);
    uint64_t before = uv_now(&f->loop);
    assert_observed(f, ERR_OK);
    assert_true(uv_now(&f->loop) - before >= 40);
}

static void a_throttled_call_makes_all_lists_pause(void **state)
{
    struct fixture *f = *state;
    f->observe->concurrency = 2;
    ROUND_0(f, {KIND_VPC, NULL}, {KIND_EIP, NULL});
    SCRIPT(f, {"Vpc", "!throttled:40"}, {"Eip", "eip-1 >2"}, {"Eip >2", "eip-2"}, {"Vpc", "vpc-1"});
    uv_update_time(&f->loop);
    uint64_t before = uv_now(&f->loop);
    assert_observed(f, ERR_OK);
    assert_true(uv_now(&f->loop) - before >= 40);
    assert_string_equal(f->trace, "Vpc, Eip, Vpc, Eip >2");
    assert_world(f, "vpc-1 eip-1 eip-2");
}

static void a_delay_that_is_too_long_is_an_error(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "!throttled:600000"});
    assert_observed(f, ERR_BUSY);
    assert_string_equal(f->observe->err.msg,
                        "DescribeThings (Vpc of cn-test): Some.Code: some words (request id R-1); "
                        "it asks to wait 600 s");
}

static void after_five_tries_it_is_an_error(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "!busy"}, {"Vpc", "!busy"}, {"Vpc", "?lost"}, {"Vpc", "!busy"}, {"Vpc", "?lost"});
    assert_observed(f, ERR_BUSY);
    assert_string_equal(f->observe->err.msg,
                        "DescribeThings (Vpc of cn-test): connection reset; tried 5 times");
}

static void what_stays_refused_is_not_repeated(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_SNAT_ENTRY, "ngw-1"});
    SCRIPT(f, {"SnatEntry of ngw-1", "!denied"});
    assert_observed(f, ERR_DENIED);
    assert_string_equal(f->observe->err.msg,
                        "DescribeThings (SnatEntry of ngw-1): Some.Code: some words (request id R-1)");
    assert_int_equal(f->observe->n_calls, 1);
}

static void an_invalid_request_is_the_providers_error(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "!invalid"});
    assert_observed(f, ERR_PROVIDER);
}

static void missing_credentials_are_not_tried_again(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "?nokeys"});
    assert_observed(f, ERR_DENIED);
    assert_string_equal(f->observe->err.msg, "DescribeThings (Vpc of cn-test): no credentials");
}

static void a_closing_provider_cancels(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "?closing"});
    assert_observed(f, ERR_CANCELED);
}

static void an_answer_that_cannot_be_read_is_an_error(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "?garbage"});
    assert_observed(f, ERR_PROVIDER);
    assert_string_equal(f->observe->err.msg, "DescribeThings (Vpc of cn-test): the answer is not JSON");
}

static void the_first_error_ends_all_lists(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_EIP, NULL}, {KIND_VPC, NULL}, {KIND_INSTANCE, NULL});
    SCRIPT(f, {"Eip", "?never"}, {"Vpc", "!denied"}, {"Instance", "?never"});
    assert_observed(f, ERR_DENIED);
    assert_int_equal(f->n_flying, 0);
}

static void a_list_of_a_vanished_parent_is_empty(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_SNAT_ENTRY, "ngw-1"}, {KIND_VPC, NULL});
    SCRIPT(f, {"SnatEntry of ngw-1", "!gone"}, {"Vpc", "vpc-1"});
    assert_observed(f, ERR_OK);
    assert_world(f, "vpc-1");
}

static void a_list_of_the_region_cannot_have_vanished(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "!gone"});
    assert_observed(f, ERR_PROVIDER); /* else everything would be created again */
}

static void a_page_that_leads_to_itself_is_an_error(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "vpc-1 >2"}, {"Vpc >2", "vpc-2 >2"});
    assert_observed(f, ERR_PROVIDER);
    assert_non_null(strstr(f->observe->err.msg, "the cloud repeats pages"));
}

static void a_circle_of_pages_is_an_error(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "1 >a"}, {"Vpc >a", "2 >b"}, {"Vpc >b", "3 >c"}, {"Vpc >c", "4 >a"}, {"Vpc >a", "2 >b"},
           {"Vpc >b", "3 >c"}, {"Vpc >c", "4 >a"}, {"Vpc >a", "2 >b"}, {"Vpc >b", "3 >c"});
    assert_observed(f, ERR_PROVIDER);
    assert_non_null(strstr(f->observe->err.msg, "the cloud repeats pages"));
}

static void a_page_number_that_is_ignored_is_an_error(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "vpc-1 vpc-2 >2"}, {"Vpc >2", "vpc-1 vpc-2 >3"});
    assert_observed(f, ERR_PROVIDER);
    assert_non_null(strstr(f->observe->err.msg, "page 2 shows what an earlier one did"));
}

static void empty_pages_are_not_taken_for_repeated_ones(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", ">a"}, {"Vpc >a", ">b"}, {"Vpc >b", "vpc-1"});
    assert_observed(f, ERR_OK);
    assert_world(f, "vpc-1");
}

static void a_list_that_shrinks_is_read_again(void **state)
{
    struct fixture *f = *state;
    /* vpc-1 goes, vpc-3 slips to the first page: without another look it would be missed. */
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "vpc-1 vpc-2 >2 #4"}, {"Vpc >2", "vpc-4 #3"}, {"Vpc", "vpc-2 vpc-3 >2 #3"},
           {"Vpc >2", "vpc-4 #3"});
    assert_observed(f, ERR_OK);
    assert_string_equal(f->trace, "Vpc, Vpc >2, Vpc, Vpc >2");
    assert_non_null(world_find(f->world, KIND_VPC, TEXT("vpc-3")));
}

static void pages_by_token_may_shrink(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_INSTANCE, NULL});
    SCRIPT(f, {"Instance", "i-1 >abc #4"}, {"Instance >abc", "i-2 #3"});
    assert_observed(f, ERR_OK);
    assert_string_equal(f->trace, "Instance, Instance >abc");
}

static void a_list_that_keeps_shrinking_is_an_error(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "a >2 #9"}, {"Vpc >2", "b #8"}, {"Vpc", "a >2 #8"}, {"Vpc >2", "b #7"},
           {"Vpc", "a >2 #7"}, {"Vpc >2", "b #6"}, {"Vpc", "a >2 #6"}, {"Vpc >2", "b #5"});
    assert_observed(f, ERR_BUSY);
    assert_string_equal(f->observe->err.msg,
                        "DescribeThings (Vpc of cn-test): the list keeps shrinking while it is read");
}

static void a_list_that_cannot_be_asked_for_is_an_error(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_SNAT_ENTRY, "cannot-ask"});
    SCRIPT(f, {"none", ""});
    assert_observed(f, ERR_INPUT);
    assert_string_equal(f->observe->err.msg, "list (SnatEntry of cannot-ask): no such list");
}

static void scopes_that_fail_are_an_error(void **state)
{
    struct fixture *f = *state;
    f->scopes_code = ERR_LIMIT;
    SCRIPT(f, {"none", ""});
    assert_observed(f, ERR_LIMIT);
    assert_string_equal(f->observe->err.msg, "no scopes");
}

static void a_cancel_before_the_first_call_is_done_once(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"none", ""});
    observe_start(f->observe);
    observe_cancel(f->observe);
    observe_cancel(f->observe);
    assert_int_equal(f->n_done, 0);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(f->n_done, 1);
    assert_int_equal(f->code, ERR_CANCELED);
    assert_string_equal(f->trace, "");
}

static void cancel_it(uv_timer_t *t)
{
    observe_cancel(((struct fixture *)t->data)->observe);
}

static void a_cancel_waits_for_what_is_being_sent(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL}, {KIND_EIP, NULL});
    SCRIPT(f, {"Vpc", "?never"}, {"Eip", "!busy:10000"});
    uv_timer_t later;
    assert_int_equal(uv_timer_init(&f->loop, &later), 0);
    later.data = f;
    assert_int_equal(uv_timer_start(&later, cancel_it, 10, 0), 0);
    assert_observed(f, ERR_CANCELED);
    assert_int_equal(f->n_flying, 0);
    observe_cancel(f->observe); /* over already */
    uv_close((uv_handle_t *)&later, NULL);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
}

static void start_again_once(struct observe *o, enum err_code code)
{
    struct fixture *f = o->ctx;
    note_done(o, code);
    if (f->n_done == 1) observe_start(o);
}

static void it_can_be_started_again_inside_done(void **state)
{
    struct fixture *f = *state;
    f->observe->done = start_again_once;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "!denied"}, {"Vpc", "vpc-1"});
    observe_start(f->observe);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(f->n_done, 2);
    assert_int_equal(f->code, ERR_OK);
    assert_string_equal(f->observe->err.msg, "");
    assert_world(f, "vpc-1");
}

static void free_it(struct observe *o, enum err_code code)
{
    note_done(o, code);
    ((struct fixture *)o->ctx)->observe = NULL;
    free(o);
}

static void it_can_be_freed_inside_done(void **state)
{
    struct fixture *f = *state;
    f->observe->done = free_it;
    ROUND_0(f, {KIND_VPC, NULL});
    SCRIPT(f, {"Vpc", "vpc-1"});
    observe_start(f->observe);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(f->n_done, 1);
}

static void memory_may_run_out_anywhere(void **state)
{
    struct fixture *f = *state;
    ROUND_0(f, {KIND_VPC, NULL}, {KIND_EIP, NULL});
    ROUND_1(f, {KIND_SNAT_ENTRY, "ngw-1"});
    SCRIPT(f, {"Vpc", "vpc-1 >2"}, {"Vpc >2", "vpc-2"}, {"Eip", "eip-1"}, {"SnatEntry of ngw-1", "snat-1"});
    enum err_code code = ERR_NOMEM;
    for (size_t limit = 0; code == ERR_NOMEM; limit += 64) {
        assert_true(limit < 1 << 20);
        struct arena *arena = arena_new(limit);
        struct world *world = world_new(arena);
        assert_true(arena != NULL && world != NULL);
        f->observe->arena = arena;
        f->observe->world = world;
        memset(f->used, 0, sizeof f->used);
        f->trace[0] = '\0';
        f->n_done = 0;
        observe_start(f->observe);
        assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
        assert_int_equal(f->n_done, 1);
        code = f->code;
        world_free(world);
        arena_free(arena);
    }
    assert_int_equal(code, ERR_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_pages_of_a_list_are_read_one_after_the_other),
        TEST(the_second_round_builds_on_the_first),
        TEST(nothing_to_list_is_done_later),
        TEST(an_empty_list_is_no_error),
        TEST(lists_that_need_no_call_are_passed_over),
        TEST(no_more_lists_than_allowed_are_read_at_once),
        TEST(what_may_pass_is_repeated),
        TEST(the_clouds_own_delay_is_honoured),
        TEST(a_throttled_call_makes_all_lists_pause),
        TEST(a_delay_that_is_too_long_is_an_error),
        TEST(after_five_tries_it_is_an_error),
        TEST(what_stays_refused_is_not_repeated),
        TEST(an_invalid_request_is_the_providers_error),
        TEST(missing_credentials_are_not_tried_again),
        TEST(a_closing_provider_cancels),
        TEST(an_answer_that_cannot_be_read_is_an_error),
        TEST(the_first_error_ends_all_lists),
        TEST(a_list_of_a_vanished_parent_is_empty),
        TEST(a_list_of_the_region_cannot_have_vanished),
        TEST(a_page_that_leads_to_itself_is_an_error),
        TEST(a_circle_of_pages_is_an_error),
        TEST(a_page_number_that_is_ignored_is_an_error),
        TEST(empty_pages_are_not_taken_for_repeated_ones),
        TEST(a_list_that_shrinks_is_read_again),
        TEST(pages_by_token_may_shrink),
        TEST(a_list_that_keeps_shrinking_is_an_error),
        TEST(a_list_that_cannot_be_asked_for_is_an_error),
        TEST(scopes_that_fail_are_an_error),
        TEST(a_cancel_before_the_first_call_is_done_once),
        TEST(a_cancel_waits_for_what_is_being_sent),
        TEST(it_can_be_started_again_inside_done),
        TEST(it_can_be_freed_inside_done),
        TEST(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

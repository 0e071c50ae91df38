/* answer.c - any bytes as the cloud's answer: to each list, and to each operation that changes something.
 *
 * The first byte chooses the kind, the second the HTTP status, the third list or change. */
#include "tests/fuzz/fuzz.h"

#include "providers/alicloud/alicloud.h"
#include "reconciler/model/cloud.h"

#include <string.h>

enum { ARENA_LIMIT = 64 << 20 };

static void read_list(const struct cloud *c, enum kind kind, int status, struct text body, struct arena *a)
{
    struct request r;
    struct page page;
    struct outcome outcome;
    struct err err;
    struct world *world = world_new(a);
    struct scope scope = {.kind = kind, .id = "parent-1"};
    ASSERT(world != NULL);
    if (c->list_scope_kind(c, kind, NULL) == KIND_NONE) scope.id = NULL;
    enum next next = c->list_request(c, &scope, NULL, 0, NULL, a, &r, &err);
    ASSERT(next == NEXT_REQUEST);
    enum err_code code =
        c->read_page(c, &scope, &r, status, (struct body){body, NULL}, world, a, &page, &outcome, &err);
    for (uint32_t i = 0; code == ERR_OK && i < page.n; i++) {
        ASSERT(page.objects[i]->id != NULL && page.objects[i]->id[0] != '\0');
        code = world_put(world, page.objects[i], &err);
    }
    if (code == ERR_OK && page.next != NULL) {
        next = c->list_request(c, &scope, NULL, 0, page.next, a, &r, &err);
        ASSERT(next != NEXT_DONE);
    }
    world_free(world);
}

static void read_change(const struct cloud *c, enum kind kind, int status, struct text body, struct arena *a)
{
    static const char *const operations[] = {
        "CreateVpc",       "CreateVSwitch",      "CreateNatGateway",   "AllocateEipAddress",
        "CreateSnatEntry", "CreateForwardEntry", "CreateRouteEntries", "DeleteRouteEntries",
        "DeleteVpc",       "TagResources",       "RunInstances",       "AuthorizeSecurityGroup"};
    struct request r;
    struct outcome outcome;
    const struct kind_info *info = kind_info(kind);
    struct value *values = arena_array_of(a, info->n_fields, struct value);
    ASSERT(values != NULL);
    struct goal goal = {.verb = VERB_CREATE,
                        .kind = kind,
                        .values = values,
                        .stack = TEXT("s"),
                        .name = TEXT("n"),
                        .token = "t"};
    uint8_t which = fuzz_byte(&body);
    request_init(&r, a, "Vpc", operations[which % N_ELEMENTS(operations)]);
    c->read_outcome(c, (which & 128) != 0 ? NULL : &goal, &r, status, (struct body){body, NULL}, a, &outcome);
    ASSERT(outcome.code != NULL && outcome.message != NULL && outcome.request_id != NULL);
    ASSERT(outcome.class < N_OUTCOMES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 400, 403, 404, 429, 500, 503};
    CLEANUP(arena_freep) struct arena *arena = arena_new(ARENA_LIMIT);
    ASSERT(arena != NULL);
    struct text rest = {(const char *)data, size};
    enum kind kind = (enum kind)(fuzz_byte(&rest) % N_KINDS);
    int status = statuses[fuzz_byte(&rest) % N_ELEMENTS(statuses)];
    bool lists = fuzz_byte(&rest) % 2 == 0;
    const struct cloud *cloud = alicloud_cloud(arena, "cn-shanghai");
    ASSERT(cloud != NULL);
    (lists ? read_list : read_change)(cloud, kind, status, rest, arena);
    return 0;
}

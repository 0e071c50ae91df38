/* play.c - acts are performed on a harness; at the end everything is looked at. */
#include "tests/simulation/play.h"

#include "reconciler/base/digest.h"
#include "tests/simulation/net.h"
#include "tests/simulation/state_file.h"
#include "tests/support/drive.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { SETTLES_MS = 600000, MAX_STRANGERS = 24, STRANGER_SIZE = 900, TEXT_LIMIT = 1 << 22 };

/* Something that headgate neither made nor was told to adopt. */
struct stranger {
    char id[64];
    char looks[STRANGER_SIZE];
};

struct play {
    struct harness h;
    struct weather w;
    struct counters *counters;
    const struct play_options *options;
    struct verdict *verdict;
    struct net net;
    struct buf yaml;
    unsigned counts[N_KINDS];
    struct stranger strangers[MAX_STRANGERS];
    unsigned n_strangers, n_added;
    char passing[3][64];
    unsigned n_passed;
    struct memory other; /* the other stack's state, while it is not its turn */
    unsigned n_other;
    struct rng meddler;
    bool meddler_deletes;
    bool far_behind;         /* … nor will for more than a minute */
    bool out_of_sight;       /* lists may not show all that is there */
    bool at_rest;            /* nothing is in transition that this run has not begun */
    bool forgot;             /* the state, and no apply since */
    struct state_file *file; /* NULL: the state is in memory only */
    struct digest digest;
};

PRINTF_LIKE(2, 3) static void fail(struct play *p, const char *fmt, ...)
{
    va_list args;
    if (p->verdict->failed) return;
    p->verdict->failed = true;
    va_start(args, fmt);
    (void)vsnprintf(p->verdict->why, sizeof p->verdict->why, fmt, args); /* cut when too long: for people */
    va_end(args);
}

static void happened(struct play *p, enum event_point e)
{
    p->counters->events[e]++;
}

/* ---- other people ---- */

/* All that the cloud has; to be released. */
static json_t *everything(struct play *p)
{
    CLEANUP(buf_fini) struct buf all;
    struct err err;
    buf_init(&all, TEXT_LIMIT);
    enum err_code code = mock_list(p->h.mock, harness_unix_ms(&p->h), NULL, true, &all, &err);
    json_t *root = json_loads(buf_str(&all), 0, NULL);
    ASSERT(code == ERR_OK && root != NULL);
    return root;
}

/* Writes what an object looks like; "" when it is not there. */
static void put_looks(struct play *p, const char *id, char out[STRANGER_SIZE])
{
    struct err err;
    json_t *shown = NULL;
    enum err_code code = mock_show(p->h.mock, harness_unix_ms(&p->h), id, &shown, &err);
    ASSERT(code == ERR_OK);
    char *text = shown == NULL ? strdup("") : json_dumps(shown, JSON_SORT_KEYS | JSON_COMPACT);
    ASSERT(text != NULL);
    (void)snprintf(out, STRANGER_SIZE, "%s", text);
    free(text);
    json_decref(shown);
}

static void remember_stranger(struct play *p, const char *id)
{
    ASSERT(p->n_strangers < MAX_STRANGERS);
    struct stranger *s = &p->strangers[p->n_strangers++];
    (void)snprintf(s->id, sizeof s->id, "%s", id);
    put_looks(p, s->id, s->looks);
    ASSERT(s->looks[0] != '\0');
}

static void check_strangers(struct play *p)
{
    for (unsigned k = 0; k < p->n_strangers; k++) {
        const struct stranger *s = &p->strangers[k];
        char now[STRANGER_SIZE];
        put_looks(p, s->id, now);
        if (strcmp(now, s->looks) != 0) fail(p, "a stranger was touched: %s, now: %s", s->looks, now);
    }
}

static void add_stranger_network(struct play *p)
{
    const char *vpc_params[] = {"CidrBlock", "172.16.0.0/12", "VpcName", "theirs", NULL};
    char vpc[64];
    (void)snprintf(vpc, sizeof vpc, "%s", harness_call(&p->h, "Vpc", "CreateVpc", vpc_params, "VpcId"));
    const char *eip_params[] = {"Name", "theirs", NULL};
    remember_stranger(p, vpc);
    remember_stranger(p, harness_call(&p->h, "Vpc", "AllocateEipAddress", eip_params, "AllocationId"));
}

/* Somebody else's addresses, listed before ours: when one goes, the rows of all pages move up. */
static void add_passing(struct play *p)
{
    for (unsigned k = 0; k < N_ELEMENTS(p->passing); k++)
        (void)snprintf(p->passing[k], sizeof p->passing[k], "%s",
                       harness_call(&p->h, "Vpc", "AllocateEipAddress", NULL, "AllocationId"));
}

static void let_one_pass(void *ctx)
{
    struct play *p = ctx;
    struct err err;
    if (p->n_passed == N_ELEMENTS(p->passing)) return;
    enum err_code code =
        mock_delete(p->h.mock, harness_unix_ms(&p->h), p->passing[p->n_passed++], true, &err);
    ASSERT(code == ERR_OK);
}

/* In our VPC, where it is in nobody's way. */
static void add_stranger(struct play *p)
{
    char block[32], vpc[64];
    struct request r;
    struct mock_answer answer;
    struct err err;
    (void)snprintf(vpc, sizeof vpc, "%s", harness_id(&p->h, "Vpc/vpc0"));
    if (vpc[0] == '\0' || p->n_strangers + 1 >= MAX_STRANGERS) return;
    struct arena *arena = arena_new((size_t)1 << 20);
    ASSERT(arena != NULL);
    (void)snprintf(block, sizeof block, "10.9.%u.0/24", p->n_added++);
    request_init(&r, arena, "Vpc", "CreateVSwitch");
    request_add(&r, "VpcId", vpc);
    request_add(&r, "ZoneId", "cn-shanghai-b");
    request_add(&r, "CidrBlock", block);
    enum err_code code = mock_call(p->h.mock, harness_unix_ms(&p->h), &r, &answer, &err);
    ASSERT(code == ERR_OK);
    json_auto_t *root = json_loads(answer.body, 0, NULL);
    const char *id = json_string_value(json_object_get(root, "VSwitchId"));
    free(answer.body);
    arena_free(arena);
    if (id == NULL) return; /* the VPC is gone, or not ready */
    p->h.now_ms += SETTLES_MS;
    happened(p, EVENT_SOMEBODY_ADDS);
    remember_stranger(p, id);
}

static void meddle(struct play *p, bool deletes)
{
    if (p->h.memory.n_records == 0) return;
    const struct record *r = &p->h.memory.records[rng_below(&p->meddler, (unsigned)p->h.memory.n_records)];
    if (kind_info(r->kind)->id_prefix == NULL || r->id[0] == '\0') return; /* has no id of its own */
    if (deletes && r->kind == KIND_VPC && p->n_added > 0) return;          /* strangers would go with it */
    const char *words = "Description=theirs";
    struct err err;
    int64_t now = harness_unix_ms(&p->h);
    enum err_code code = deletes ? mock_delete(p->h.mock, now, r->id, true, &err)
                                 : mock_set(p->h.mock, now, r->id, &words, 1, &err);
    if (p->options->traces)
        (void)fprintf(stderr, "somebody %s %s: %s\n", deletes ? "deletes" : "writes into", r->id,
                      err_code_name(code));
}

static void meddle_meanwhile(void *ctx)
{
    struct play *p = ctx;
    happened(p, p->meddler_deletes ? EVENT_SOMEBODY_DELETES_MEANWHILE : EVENT_SOMEBODY_WRITES_MEANWHILE);
    meddle(p, p->meddler_deletes);
}

/* ---- another stack, with a state of its own ---- */

#define OTHER_STACK                                                                                          \
    "apiVersion: headgate/v1\nkind: Stack\nmetadata: {name: other}\nspec: {region: cn-shanghai}\n---\n"      \
    "apiVersion: headgate/v1\nkind: Vpc\nmetadata: {name: vpc0}\nspec: {cidrBlock: 192.168.0.0/16}\n---\n"   \
    "apiVersion: headgate/v1\nkind: VSwitch\nmetadata: {name: vsw0}\n"                                       \
    "spec: {vpc: vpc0, zone: cn-shanghai-b, cidrBlock: 192.168.%u.0/24}\n---\n"                              \
    "apiVersion: headgate/v1\nkind: Eip\nmetadata: {name: eip0}\nspec: {}\n"

static void swap_states(struct play *p)
{
    struct memory m = p->h.memory;
    p->h.memory = p->other;
    p->other = m;
}

static void apply_other(struct play *p)
{
    char yaml[2000];
    (void)snprintf(yaml, sizeof yaml, OTHER_STACK, p->n_other++ % 4);
    swap_states(p);
    harness_manifest(&p->h, yaml);
    enum err_code (*keep)(void *, const struct note *, size_t) = p->h.keep;
    p->h.keep = NULL; /* the file is the first stack's */
    enum err_code code = harness_apply(&p->h, NULL);
    p->h.keep = keep;
    if (code != ERR_OK) fail(p, "the other stack: %s: %s", err_code_name(code), p->h.err.msg);
    swap_states(p);
    harness_manifest(&p->h, buf_str(&p->yaml));
    happened(p, EVENT_OTHER_STACK);
}

/* ---- applying ---- */

static void count_branches(struct play *p)
{
    const char *trace = buf_str(&p->h.trace);
    for (size_t k = 0; k < n_branches; k++)
        if (branches[k].trace != NULL && strstr(trace, branches[k].trace) != NULL) p->counters->branches[k]++;
}

static void count_plan(struct play *p)
{
    uint64_t *n = p->counters->branches;
    const struct plan *plan = p->h.plan;
    if (plan == NULL) {
        n[BRANCH_REFUSED]++;
        return;
    }
    n[BRANCH_DRIFT] += plan->n_drifts > 0;
    for (uint32_t k = 0; k < plan->n_changes; k++) {
        const struct change *c = &plan->changes[k];
        n[BRANCH_LEFT_BEHIND] += c->reason == REASON_LEFT_BEHIND;
        n[BRANCH_NEVER_MADE] += c->reason == REASON_NEVER_MADE;
        n[BRANCH_GONE] += c->reason == REASON_GONE;
        n[BRANCH_CREATE_FIRST] += c->action == ACTION_REPLACE && c->create_first;
        n[BRANCH_BOUND] += c->action == ACTION_READ && c->recorded == NULL;
    }
}

/* Afterwards: to plan once more would be another story. */
static void tell_apply(struct play *p, enum err_code code)
{
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, TEXT_LIMIT);
    if (p->h.plan != NULL) plan_dump(&b, p->h.plan, DUMP_CHANGES | DUMP_READS | DUMP_DRIFT | DUMP_STEPS);
    diags_dump(&b, &p->h.diags);
    (void)fprintf(stderr, "---- plan\n%s---- apply\n%s---- %s %s\n", buf_str(&b), buf_str(&p->h.trace),
                  err_code_name(code), p->h.err.msg);
}

/* File and memory were written by the same notes. */
static void check_file(struct play *p)
{
    if (p->file == NULL || p->h.keep == NULL) return;
    const char *different = state_file_compare(p->file);
    if (different[0] != '\0') fail(p, "file and memory differ: %s", different);
}

static void note_apply(struct play *p, enum err_code code)
{
    digest_put_text(&p->digest, buf_text(&p->h.trace));
    digest_put_text(&p->digest, text_of(err_code_name(code)));
    count_branches(p);
    count_plan(p);
    check_file(p);
    if (p->options->traces) tell_apply(p, code);
}

static void option(struct play *p, const char *name, const char *value)
{
    harness_option(&p->h, name, value);
}

static void lag_lists(struct play *p, int64_t ms)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)ms);
    option(p, "list-lag-ms", text);
}

/* Whether headgate has to get over these faults within the same apply. */
static bool are_absorbed(const struct act *a)
{
    for (unsigned k = 0; k < a->n_faults; k++) {
        const struct fault_point *f = &fault_points[a->faults[k].point];
        bool stays = a->faults[k].times > 1;
        bool final = f->action == FAULT_FORESTALLED || f->action == FAULT_FAILED_STATUS ||
                     (f->action == FAULT_ERROR &&
                      (strncmp(f->code, "Quota", 5) == 0 || strncmp(f->code, "Forbidden", 9) == 0));
        if (stays || final) return false;
    }
    return a->cut_at == 0 && a->fail_persist == 0 && a->interrupt_at_ms == 0 && a->meddle_at == 0 &&
           a->list_lag_ms < 60000;
}

static bool is_undisturbed(const struct act *a)
{
    return are_absorbed(a) && a->n_faults == 0 && a->list_lag_ms == 0;
}

static void check_disturbed(struct play *p, const struct act *a, enum err_code code)
{
    if (p->h.plan == NULL) return;
    if (p->w.insists) fail(p, "what was refused for good was sent again");
    if (are_absorbed(a) && !p->out_of_sight && code != ERR_OK)
        fail(p, "faults that pass were not got over: %s\n%s", err_code_name(code), buf_str(&p->h.progress));
    if (is_undisturbed(a) && p->at_rest && p->w.n_refused > 0)
        fail(p, "nothing was wrong, and refused: %s", harness_refused(&p->h));
}

static void apply_disturbed(struct play *p, const struct act *a)
{
    struct apply_script script = {.persist_ms = a->persist_ms,
                                  .fail_persist = a->fail_persist,
                                  .cut_at = a->cut_at,
                                  .interrupt_at_ms = a->interrupt_at_ms,
                                  .interrupt_again_ms = a->interrupt_again_ms};
    weather_begin(&p->w);
    memcpy(p->w.faults, a->faults, sizeof a->faults);
    p->w.n_faults = a->n_faults;
    p->w.meddle_at = a->meddle_at;
    p->w.small_pages = a->small_pages;
    harness_clear_ledger(&p->h);
    p->meddler = (struct rng){a->seed};
    p->meddler_deletes = a->meddler_deletes;
    if (a->list_lag_ms > 0) lag_lists(p, a->list_lag_ms);
    enum err_code code = harness_apply(&p->h, &script);
    note_apply(p, code);
    if (a->list_lag_ms > 0) lag_lists(p, 0);
    if (a->list_lag_ms > 0) happened(p, a->list_lag_ms < 60000 ? EVENT_LISTS_LAG : EVENT_LISTS_LAG_LONG);
    for (unsigned k = 0; k < a->n_faults; k++)
        if (a->faults[k].times > 1 && p->w.n_fired > 1) happened(p, EVENT_OUTAGE);
    check_disturbed(p, a, code);
    p->at_rest = code == ERR_OK && !p->h.was_cut;
    p->out_of_sight = p->out_of_sight || a->list_lag_ms > 0;
    p->far_behind = p->far_behind || a->list_lag_ms >= 60000;
    if (a->small_pages) happened(p, EVENT_SMALL_PAGES);
    if (p->h.was_cut && p->file != NULL) state_file_reopen(p->file);
    if (p->h.was_cut && p->w.late != NULL) happened(p, EVENT_LATE_TWIN_AFTER_CRASH);
    if (p->h.was_cut) happened(p, EVENT_CRASH_BEFORE_WRITE + (enum event_point)p->h.cut_where);
    if (a->fail_persist > 0 && p->h.summary.unrecorded) happened(p, EVENT_WRITE_FAILS);
    if (a->interrupt_at_ms > 0 && p->h.summary.interrupted) happened(p, EVENT_INTERRUPT);
    if (a->interrupt_again_ms > 0 && p->h.summary.n_under_way > 0) happened(p, EVENT_SECOND_INTERRUPT);
    weather_begin(&p->w);
}

/* Entries carry no tags: without the state they are known by their manifests alone. So the state is lost only
 * when all is as the manifests say, and these change only when it is back. */
static void apply_calmly(struct play *p)
{
    weather_clear(&p->w);
    p->out_of_sight = p->far_behind = false;
    for (int pass = 0; pass < 3; pass++) {
        p->h.now_ms += SETTLES_MS;
        enum err_code code = harness_apply(&p->h, NULL);
        note_apply(p, code);
    }
    p->forgot = false;
}

static void perform(struct play *p, const struct act *a)
{
    struct rng r = {a->seed};
    p->meddler = r;
    switch (a->type) {
    case ACT_EDIT:
        if (p->forgot || p->far_behind) apply_calmly(p);
        net_edit(&p->net, &r);
        buf_reset(&p->yaml);
        net_write(&p->net, &p->yaml, p->counts);
        harness_manifest(&p->h, buf_str(&p->yaml));
        break;
    case ACT_APPLY: apply_disturbed(p, a); break;
    case ACT_DELETE:
        p->at_rest = false;
        meddle(p, true);
        happened(p, EVENT_SOMEBODY_DELETES);
        break;
    case ACT_WRITE:
        meddle(p, false);
        happened(p, EVENT_SOMEBODY_WRITES);
        break;
    case ACT_ADD: add_stranger(p); break;
    case ACT_FORGET:
        apply_calmly(p);
        memory_forget(&p->h.memory);
        if (p->file != NULL) state_file_lose(p->file);
        p->forgot = true;
        happened(p, EVENT_STATE_LOST);
        break;
    case ACT_OTHER: apply_other(p); break;
    case ACT_CLOCK:
        p->h.skew_ms += a->jump_ms;
        happened(p, a->jump_ms > 0 ? EVENT_CLOCK_FORWARD : EVENT_CLOCK_BACK);
        break;
    }
}

/* How fast the cloud is, against what headgate expects: mostly everything is ready at the first look,
 * sometimes only after many. */
static void draw_pace(struct play *p, uint64_t seed)
{
    static const double speeds[] = {20, 20, 20, 20, 4, 1, 1, 0.5};
    struct rng r = {seed ^ 0x70616365u};
    struct err err;
    enum err_code code = mock_set_pace(p->h.mock, speeds[rng_below(&r, N_ELEMENTS(speeds))], 20, &err);
    ASSERT(code == ERR_OK);
}

/* ---- the end ---- */

static uint32_t depth_of(const struct plan *plan)
{
    uint32_t depth = 0;
    for (uint32_t k = 0; k < plan->n_steps; k++) depth = MAX_OF(depth, plan->steps[k].depth);
    return depth;
}

static bool is_quiet(struct play *p)
{
    const struct plan *plan = p->h.plan;
    return plan_is_empty(plan) && plan->n_changes == 0 && plan->n_drifts == 0;
}

static void converge_now(struct play *p)
{
    uint32_t allowed = 3;
    weather_clear(&p->w);
    for (uint32_t pass = 0;; pass++) {
        p->h.now_ms += SETTLES_MS;
        weather_begin(&p->w);
        size_t n_open = p->h.memory.n_intents; /* what a dead run began is perhaps sent twice */
        enum err_code code = harness_apply(&p->h, NULL);
        note_apply(p, code);
        if (p->h.plan == NULL) {
            CLEANUP(buf_fini) struct buf said;
            buf_init(&said, TEXT_LIMIT);
            diags_dump(&said, &p->h.diags);
            fail(p, "undisturbed, but no plan: %s: %s\n%s", err_code_name(code), p->h.err.msg,
                 buf_str(&said));
            return;
        }
        if (pass == 0) allowed = depth_of(p->h.plan) + 2;
        if (code == ERR_OK && is_quiet(p)) return;
        if (p->w.n_accepted > p->h.plan->n_calls + n_open)
            fail(p, "undisturbed, %u changing calls where the plan says %u", p->w.n_accepted,
                 p->h.plan->n_calls);
        if (p->w.n_refused > 0) fail(p, "undisturbed, and refused: %s", harness_refused(&p->h));
        if (pass == allowed) {
            const char *left = harness_plan_text(&p->h, DUMP_CHANGES | DUMP_READS | DUMP_DRIFT);
            fail(p, "after %u undisturbed passes (%s %s) there is left:\n%s", pass, err_code_name(code),
                 buf_str(&p->h.progress), left);
            return;
        }
        harness_clear_ledger(&p->h);
    }
}

static void check_quiet(struct play *p)
{
    for (unsigned pass = 0; pass < p->options->quiet_passes && !p->verdict->failed; pass++) {
        size_t n_writes = p->h.memory.n_writes;
        p->h.now_ms += 60000;
        weather_begin(&p->w);
        enum err_code code = harness_apply(&p->h, NULL);
        if (code != ERR_OK || p->w.n_accepted + p->w.n_refused > 0 || p->h.memory.n_writes != n_writes)
            fail(p, "not quiet in pass %u: %s, %u calls, %zu writes\n%s", pass, err_code_name(code),
                 p->w.n_accepted + p->w.n_refused, p->h.memory.n_writes - n_writes, buf_str(&p->h.trace));
    }
}

static bool is_recorded(struct play *p, enum kind kind, const char *id)
{
    for (size_t k = 0; k < p->h.memory.n_records; k++)
        if (p->h.memory.records[k].kind == kind && strcmp(p->h.memory.records[k].id, id) == 0) return true;
    return false;
}

/* Nothing of ours is there that is not recorded: neither by its tags nor because it lies in something of
 * ours. */
static void check_extras(struct play *p)
{
    for (int kind = 0; kind < N_KINDS; kind++) {
        size_t cursor = 0;
        const struct kind_info *info = kind_info((enum kind)kind);
        for (struct object *o; (o = world_next(p->h.world, (enum kind)kind, &cursor)) != NULL;) {
            bool tagged = o->owner_stack.ptr != NULL && text_is(o->owner_stack, "default");
            bool entry = (info->flags & KIND_TAGGABLE) == 0, lies_in_ours = false;
            if (o->system || is_recorded(p, (enum kind)kind, o->id)) continue;
            for (uint8_t f = 0; f < info->n_fields && entry; f++)
                if ((info->fields[f].flags & FIELD_PARENT) != 0 && value_is_set(o->values[f]))
                    lies_in_ours = lies_in_ours || is_recorded(p, info->fields[f].ref, o->values[f].u.text);
            if (tagged || lies_in_ours) fail(p, "%s %s is there, and should not", info->name, o->id);
        }
    }
}

/* What a field leads to, by the cloud's id: what is desired by its record, what is there as it is. */
static const char *led_to(struct play *p, struct value v)
{
    if (v.form == REF_ID) return v.u.text;
    if (v.form != REF_LOCAL) return NULL;
    const struct resource *to = &p->h.desired.items[v.u.num];
    for (size_t k = 0; k < p->h.memory.n_records; k++)
        if (address_compare(p->h.memory.records[k].kind, p->h.memory.records[k].name, to->kind, to->name) ==
            0)
            return p->h.memory.records[k].id;
    return NULL;
}

static void check_field(struct play *p, const struct resource *r, const struct object *o, uint8_t f)
{
    const struct field *field = &kind_info(r->kind)->fields[f];
    struct value wanted = r->values[f], seen = o->values[f];
    bool simple = field->type == FIELD_TEXT || field->type == FIELD_INT || field->type == FIELD_CIDR ||
                  field->type == FIELD_BOOL;
    if (!value_is_set(wanted) || (field->flags & FIELD_NOT_RETURNED) != 0) return;
    if (field->type == FIELD_REF) {
        const char *to = led_to(p, wanted), *leads = led_to(p, seen);
        if (to == NULL || leads == NULL || strcmp(to, leads) == 0) return;
    } else if (!simple || value_equal(field->type, wanted, seen)) {
        return;
    }
    char address[RESOURCE_ADDRESS_SIZE];
    fail(p, "%s: %s is not what is desired", address_format(r->kind, r->name, address), field->name);
}

/* What is there has the values of the manifests: not asked of the planner, which may be wrong. */
static void check_values(struct play *p)
{
    const struct desired *d = &p->h.desired;
    for (uint32_t i = 0; i < d->n; i++) {
        const struct resource *r = &d->items[i];
        const char *id = led_to(p, (struct value){.form = REF_LOCAL, .u.num = i});
        const struct object *o = id == NULL ? NULL : world_find(p->h.world, r->kind, text_of(id));
        for (uint8_t f = 0; o != NULL && f < kind_info(r->kind)->n_fields; f++) check_field(p, r, o, f);
    }
}

static void check_end(struct play *p)
{
    unsigned found[N_KINDS] = {0};
    for (size_t k = 0; k < p->h.memory.n_records; k++) {
        const struct record *r = &p->h.memory.records[k];
        found[r->kind]++;
        if (world_find(p->h.world, r->kind, text_of(r->id)) == NULL)
            fail(p, "%s " TEXT_FMT " is recorded and not there", kind_info(r->kind)->name, TEXT_ARG(r->name));
    }
    for (int kind = 0; kind < N_KINDS; kind++)
        if (found[kind] != p->counts[kind])
            fail(p, "%u of kind %s are recorded, %u are desired", found[kind],
                 kind_info((enum kind)kind)->name, p->counts[kind]);
    if (p->h.memory.n_intents > 0) fail(p, "%zu intents are open", p->h.memory.n_intents);
    check_extras(p);
    check_values(p);
    check_strangers(p);
    const char *damage = p->file == NULL ? "" : state_file_verify(p->file);
    if (damage[0] != '\0') fail(p, "state verify: %s", damage);
}

/* All of ours goes, and nothing else. */
static void check_destroy(struct play *p)
{
    weather_begin(&p->w);
    enum err_code code = harness_destroy(&p->h, NULL);
    note_apply(p, code);
    if (code != ERR_OK || p->w.n_refused > 0)
        fail(p, "destroy: %s %s %s", err_code_name(code), p->h.err.msg, harness_refused(&p->h));
    p->h.now_ms += SETTLES_MS;
    json_auto_t *all = everything(p);
    for (size_t k = 0; k < json_array_size(all); k++) {
        const json_t *o = json_array_get(all, k);
        const char *type = json_string_value(json_object_get(o, "type"));
        const char *stack = json_string_value(json_object_get(json_object_get(o, "tags"), TAG_STACK));
        bool ours = stack != NULL && strcmp(stack, "default") == 0;
        bool entry = type != NULL && (strcmp(type, "snatentry") == 0 || strcmp(type, "dnatentry") == 0);
        if (ours || entry) fail(p, "%s is left after destroy", json_string_value(json_object_get(o, "id")));
    }
    if (p->h.memory.n_records > 0) fail(p, "%zu records are left after destroy", p->h.memory.n_records);
    check_strangers(p);
}

void play(const struct story *s, const struct play_options *options, struct counters *counters,
          struct verdict *out)
{
    struct play p = {.counters = counters, .options = options, .verdict = out};
    struct rng r = {s->seed ^ 0x6e6574u};
    *out = (struct verdict){.failed = false};
    digest_init(&p.digest);
    harness_init(&p.h);
    memory_init(&p.other);
    weather_init(&p.w, &p.h, counters);
    p.w.as_text = s->seed % 32 == 0;
    draw_pace(&p, s->seed);
    if (s->seed % 16 == 5) p.file = state_file_new(&p.h);
    if (p.file != NULL) happened(&p, EVENT_REAL_STATE);
    p.w.meddle = meddle_meanwhile;
    p.w.shift = let_one_pass;
    p.w.ctx = &p;
    buf_init(&p.yaml, TEXT_LIMIT);
    add_stranger_network(&p);
    add_passing(&p);
    p.at_rest = true;
    net_random(&p.net, &r);
    net_write(&p.net, &p.yaml, p.counts);
    harness_manifest(&p.h, buf_str(&p.yaml));
    if (options->traces) (void)fputs(buf_str(&p.yaml), stderr);
    for (unsigned k = 0; k < s->n_acts && !out->failed; k++) {
        perform(&p, &s->acts[k]);
        if (options->traces && s->acts[k].type == ACT_EDIT) (void)fputs(buf_str(&p.yaml), stderr);
    }
    if (!out->failed) converge_now(&p);
    if (!out->failed) check_end(&p);
    if (!out->failed) check_quiet(&p);
    if (!out->failed && p.n_added == 0 && s->seed % 4 == 0) check_destroy(&p);
    bool done = digest_hex(&p.digest, out->digest);
    ASSERT(done);
    state_file_free(p.file);
    weather_fini(&p.w);
    buf_fini(&p.yaml);
    memory_fini(&p.other);
    harness_fini(&p.h);
}

/* play.c - acts are performed on a harness; at the end everything is looked at. */
#include "tests/simulation/play.h"

#include "reconciler/base/digest.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/net.h"
#include "tests/support/drive.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { SETTLES_MS = 600000, MAX_STRANGERS = 24, STRANGER_SIZE = 900, TEXT_LIMIT = 1 << 22, N_PASSING = 4 };

/* Something that headgate neither made nor was told to adopt. */
struct stranger {
    char id[64];
    char looks[STRANGER_SIZE];
};

struct play {
    struct harness h;
    struct weather w;
    struct disk *disk; /* NULL: the state is in memory alone */
    struct counters *counters;
    const struct play_options *options;
    struct verdict *verdict;
    struct net net;
    struct buf yaml;
    unsigned counts[N_KINDS];
    struct stranger strangers[MAX_STRANGERS];
    unsigned n_strangers, n_added;
    char passing[N_PASSING][64]; /* what somebody has that comes and goes */
    unsigned n_passing;
    struct memory other; /* the other stack's state, while it is not its turn */
    unsigned n_other;
    struct rng meddler;
    bool meddler_deletes;
    const struct act *act; /* the apply under way; NULL: an undisturbed one */
    bool may_fail;         /* what comes next, for what somebody did, or for what still takes long */
    double speed;          /* of the cloud, in this life */
    bool far_behind;       /* lists may not show all that is there for more than a minute */
    bool forgot;           /* the state, and no apply since */
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
    p->may_fail = true;
    struct err err;
    int64_t now = harness_unix_ms(&p->h);
    enum err_code code = deletes ? mock_delete(p->h.mock, now, r->id, true, &err)
                                 : mock_set(p->h.mock, now, r->id, &words, 1, &err);
    if (p->options->traces)
        (void)fprintf(stderr, "somebody %s %s: %s\n", deletes ? "deletes" : "writes into", r->id,
                      err_code_name(code));
}

static void meddle_meanwhile(void *ctx, uint32_t nth)
{
    struct play *p = ctx;
    if (p->act == NULL) return;
    if (p->disk != NULL && nth == p->act->rival_at) disk_rival(p->disk, p->act->rival_breaks);
    if (nth != p->act->meddle_at) return;
    happened(p, p->meddler_deletes ? EVENT_SOMEBODY_DELETES_MEANWHILE : EVENT_SOMEBODY_WRITES_MEANWHILE);
    meddle(p, p->meddler_deletes);
}

/* Somebody's things that come and go while we read: those behind them on the pages move up. They were there
 * before ours. */
static void add_passing(struct play *p, const struct story *s)
{
    static const char *const vpc[] = {"CidrBlock", "172.16.0.0/12", "VpcName", "passing", NULL};
    static const char *const eip[] = {"Name", "passing", NULL};
    bool wanted = false;
    for (unsigned k = 0; k < s->n_acts; k++) wanted = wanted || s->acts[k].pages_change;
    for (unsigned k = 0; k < N_PASSING && wanted; k++) {
        const char *id = k % 2 == 0 ? harness_call(&p->h, "Vpc", "CreateVpc", vpc, "VpcId")
                                    : harness_call(&p->h, "Vpc", "AllocateEipAddress", eip, "AllocationId");
        (void)snprintf(p->passing[p->n_passing++], sizeof p->passing[0], "%s", id);
    }
}

static void change_lists(void *ctx, uint32_t nth)
{
    struct play *p = ctx;
    struct err err;
    if (p->act == NULL || !p->act->pages_change || p->n_passing == 0 || nth % 2 == 0) return;
    enum err_code code =
        mock_delete(p->h.mock, harness_unix_ms(&p->h), p->passing[--p->n_passing], true, &err);
    ASSERT(code == ERR_OK);
    happened(p, EVENT_PAGES_CHANGE);
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
    enum err_code (*ours)(void *, const struct note *, size_t) = p->h.keep;
    p->h.keep = NULL; /* that one's state is elsewhere */
    enum err_code code = harness_apply(&p->h, NULL);
    p->h.keep = ours;
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
        n[BRANCH_FAILED] += c->reason == REASON_FAILED;
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

static void note_apply(struct play *p, enum err_code code)
{
    digest_put_text(&p->digest, buf_text(&p->h.trace));
    digest_put_text(&p->digest, text_of(err_code_name(code)));
    count_branches(p);
    count_plan(p);
    if (p->options->traces) tell_apply(p, code);
}

/* One run of the program. */
static enum err_code apply(struct play *p, const struct apply_script *script)
{
    if (p->disk == NULL) return harness_apply(&p->h, script);
    p->h.was_cut = false;
    disk_begin(p->disk, script != NULL && script->cut_at > 0);
    if (disk_wrong(p->disk) != NULL) {
        fail(p, "%s", disk_wrong(p->disk));
        return ERR_STATE;
    }
    enum err_code code = harness_apply(&p->h, script);
    disk_end(p->disk);
    if (disk_wrong(p->disk) != NULL) fail(p, "%s", disk_wrong(p->disk));
    return code;
}

static void option(struct play *p, const char *name, const char *value)
{
    harness_option(&p->h, name, value);
}

/* What is so for a whole apply: lists lag, a quota is reached, all is slow. */
static void change_cloud(struct play *p, const struct act *a, bool begins)
{
    struct err err;
    char lag[24];
    (void)snprintf(lag, sizeof lag, "%lld", begins ? (long long)a->list_lag_ms : 0);
    if (a->list_lag_ms > 0) option(p, "list-lag-ms", lag);
    if (a->quota > 0) option(p, quotas[a->quota - 1].name, begins ? "1" : quotas[a->quota - 1].usual);
    enum err_code code = a->is_slow ? mock_set_pace(p->h.mock, begins ? 0.02 : p->speed, -1, &err) : ERR_OK;
    ASSERT(code == ERR_OK);
}

static void move_on(struct play *p)
{
    struct err err;
    json_t *nothing = NULL;
    enum err_code code = mock_show(p->h.mock, harness_unix_ms(&p->h), "", &nothing, &err);
    ASSERT(code == ERR_OK && nothing == NULL);
}

/* Time passes until all is at rest. */
static void rest(struct play *p)
{
    weather_settle(&p->w);
    for (int64_t at; (at = mock_next_transition(p->h.mock)) != INT64_MAX;) {
        p->h.now_ms = MAX_OF(p->h.now_ms + 1, at - HARNESS_EPOCH_MS);
        move_on(p);
    }
    p->h.now_ms += SETTLES_MS;
}

/* Nothing that headgate could not get over by itself. */
static bool should_succeed(const struct play *p, const struct act *a)
{
    return !p->may_fail && (p->disk == NULL || a->rival_at == 0 || !a->rival_breaks) && p->h.plan != NULL &&
           p->w.passes && !p->h.was_cut && a->fail_persist == 0 && a->interrupt_at_ms == 0 &&
           a->meddle_at == 0 && a->list_lag_ms == 0 && !a->is_slow && a->quota == 0 && !a->pages_change &&
           p->w.n_late == 0;
}

static void check_disturbed(struct play *p, const struct act *a, enum err_code code)
{
    if (p->w.repeated != NULL) fail(p, "denied, and asked for again: %s", p->w.repeated);
    if ((code != ERR_OK || p->h.summary.n_failed + p->h.summary.n_skipped > 0) && should_succeed(p, a))
        fail(p, "an apply should have got over what happened: %s\n%s", err_code_name(code),
             buf_str(&p->h.progress));
    bool to_the_end = p->h.plan != NULL && !p->h.was_cut && a->fail_persist == 0 && a->interrupt_at_ms == 0 &&
                      a->list_lag_ms < 60000 && (p->disk == NULL || !a->rival_breaks);
    if (p->w.spoiled && to_the_end && strstr(buf_str(&p->h.progress), "the cloud reports status") == NULL)
        fail(p, "what an apply made has failed, and it did not say so: %s", err_code_name(code));
}

static void apply_disturbed(struct play *p, const struct act *a)
{
    struct apply_script script = {.persist_ms = a->persist_ms,
                                  .fail_persist = a->fail_persist,
                                  .cut_at = a->cut_at,
                                  .interrupt_at_ms = a->interrupt_at_ms,
                                  .interrupt_again_ms = a->interrupt_again_ms};
    weather_begin(&p->w);
    p->act = a;
    memcpy(p->w.faults, a->faults, sizeof a->faults);
    p->w.n_faults = a->n_faults;
    p->w.small_pages = a->small_pages;
    p->meddler = (struct rng){a->seed};
    p->meddler_deletes = a->meddler_deletes;
    change_cloud(p, a, true);
    enum err_code code = apply(p, &script);
    note_apply(p, code);
    change_cloud(p, a, false);
    check_disturbed(p, a, code);
    p->may_fail = p->may_fail || a->is_slow || a->list_lag_ms > 0;
    if (a->list_lag_ms > 0) happened(p, a->list_lag_ms < 60000 ? EVENT_LISTS_LAG : EVENT_LISTS_LAG_FAR);
    p->far_behind = p->far_behind || a->list_lag_ms >= 60000;
    if (a->small_pages) happened(p, EVENT_SMALL_PAGES);
    if (p->h.was_cut) happened(p, EVENT_CRASH_BEFORE_WRITE + (enum event_point)p->h.cut_where);
    if (a->fail_persist > 0 && p->h.summary.unrecorded) happened(p, EVENT_WRITE_FAILS);
    if (a->interrupt_at_ms > 0 && p->h.summary.interrupted) happened(p, EVENT_INTERRUPT);
    if (a->interrupt_again_ms > 0 && p->h.summary.n_under_way > 0) happened(p, EVENT_SECOND_INTERRUPT);
    if (a->is_slow) happened(p, EVENT_ALL_IS_SLOW);
    if (a->quota > 0 && strstr(buf_str(&p->h.progress), "Quota") != NULL) happened(p, EVENT_QUOTA_REACHED);
    weather_begin(&p->w);
    p->act = NULL;
}

/* Entries carry no tags: without the state they are known by their manifests alone. So the state is lost only
 * when all is as the manifests say, and these change only when it is back. */
static void apply_calmly(struct play *p)
{
    for (int pass = 0; pass < 3; pass++) {
        rest(p);
        enum err_code code = apply(p, NULL);
        note_apply(p, code);
    }
    p->forgot = p->far_behind = false;
}

static void perform(struct play *p, const struct act *a)
{
    struct rng r = {a->seed};
    p->meddler = r;
    switch (a->type) {
    case ACT_EDIT:
        if (p->forgot || p->far_behind) apply_calmly(p);
        /* docs/safety.md, what is not promised: nobody edits before what is late has come. */
        if (p->w.late != NULL) p->h.now_ms += (int64_t)LATEST_S * 1000;
        net_edit(&p->net, &r);
        buf_reset(&p->yaml);
        net_write(&p->net, &p->yaml, p->counts);
        harness_manifest(&p->h, buf_str(&p->yaml));
        break;
    case ACT_APPLY: apply_disturbed(p, a); break;
    case ACT_DELETE:
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
        if (p->disk != NULL) disk_lose(p->disk);
        p->forgot = true;
        happened(p, EVENT_STATE_LOST);
        break;
    case ACT_OTHER: apply_other(p); break;
    case ACT_CLOCK:
        weather_settle(&p->w); /* what a clock set forward makes old could not be waited for */
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
    p->speed = speeds[rng_below(&r, N_ELEMENTS(speeds))];
    enum err_code code = mock_set_pace(p->h.mock, p->speed, 20, &err);
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
    for (uint32_t pass = 0;; pass++) {
        rest(p);
        weather_begin(&p->w);
        size_t n_open = p->h.memory.n_intents; /* what a dead run began is perhaps sent twice */
        enum err_code code = apply(p, NULL);
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

static void check_quiet(struct play *p, unsigned n_passes)
{
    for (unsigned pass = 0; pass < n_passes && !p->verdict->failed; pass++) {
        size_t n_writes = p->h.memory.n_writes;
        p->h.now_ms += 60000;
        weather_begin(&p->w);
        enum err_code code = apply(p, NULL);
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

/* What an object has as an attribute, or in one of its links. */
struct looks {
    struct play *p;
    json_t *all;
};

static void check_looks(void *ctx, const char *address, const char *attribute, const char *value)
{
    const struct looks *l = ctx;
    const char *id = harness_id(&l->p->h, address), *seen = "";
    for (size_t k = 0; k < json_array_size(l->all); k++) {
        const json_t *o = json_array_get(l->all, k);
        const json_t *v = json_object_get(json_object_get(o, "attributes"), attribute);
        if (strcmp(json_string_value(json_object_get(o, "id")), id) == 0 && v != NULL)
            seen = json_string_value(v);
    }
    if (strcmp(seen, value) != 0)
        fail(l->p, "%s has %s `%s` instead of `%s`", address, attribute, seen, value);
}

static void check_values(struct play *p)
{
    json_auto_t *all = everything(p);
    struct looks l = {p, all};
    struct expectations x = {check_looks, &l};
    net_expect(&p->net, &x);
}

static void check_end(struct play *p)
{
    unsigned found[N_KINDS] = {0};
    for (size_t k = 0; k < p->h.memory.n_records; k++) {
        const struct record *r = &p->h.memory.records[k];
        found[r->kind]++;
        const struct object *o = world_find(p->h.world, r->kind, text_of(r->id));
        if (o == NULL || o->phase != PHASE_READY)
            fail(p, "%s " TEXT_FMT " is recorded and not there (%s)", kind_info(r->kind)->name,
                 TEXT_ARG(r->name), o == NULL ? "" : o->status);
    }
    for (int kind = 0; kind < N_KINDS; kind++)
        if (found[kind] != p->counts[kind])
            fail(p, "%u of kind %s are recorded, %u are desired", found[kind],
                 kind_info((enum kind)kind)->name, p->counts[kind]);
    if (p->h.memory.n_intents > 0) fail(p, "%zu intents are open", p->h.memory.n_intents);
    check_extras(p);
    check_values(p);
    check_strangers(p);
}

/* The state is a cache: without it the plan is the same, and nothing happens to bring it back. */
static void check_cache(struct play *p)
{
    memory_forget(&p->h.memory);
    if (p->disk != NULL) disk_lose(p->disk);
    const char *plan = harness_plan_text(&p->h, DUMP_CHANGES | DUMP_DRIFT);
    if (plan[0] != '\0') {
        fail(p, "without the state the plan says:\n%s", plan);
        return;
    }
    weather_begin(&p->w);
    enum err_code code = apply(p, NULL);
    if (code != ERR_OK || p->w.n_accepted + p->w.n_refused > 0)
        fail(p, "to have the state back took %u calls: %s", p->w.n_accepted + p->w.n_refused,
             err_code_name(code));
    check_end(p);
}

/* All of ours goes, and nothing else. */
static void check_destroy(struct play *p)
{
    weather_begin(&p->w);
    if (p->disk != NULL) disk_begin(p->disk, false);
    enum err_code code = harness_destroy(&p->h, NULL);
    if (p->disk != NULL) disk_end(p->disk);
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
    p.w.before_change = meddle_meanwhile;
    p.w.between_pages = change_lists;
    p.w.as_text = s->seed % 32 == 0;
    draw_pace(&p, s->seed);
    p.w.ctx = &p;
    buf_init(&p.yaml, TEXT_LIMIT);
    if (s->real_state) p.disk = disk_new(&p.h, counters, s->seed);
    if (s->real_state) happened(&p, EVENT_REAL_STATE);
    add_stranger_network(&p);
    add_passing(&p, s);
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
    unsigned n_quiet = s->seed % 16 == 1 ? MAX_OF(options->quiet_passes, 10u) : options->quiet_passes;
    if (!out->failed) check_quiet(&p, n_quiet);
    if (!out->failed && s->seed % 8 == 5) check_cache(&p);
    if (!out->failed && p.n_added == 0 && s->seed % 4 == 0) check_destroy(&p);
    if (!out->failed && p.disk != NULL) {
        disk_verify(p.disk);
        if (disk_wrong(p.disk) != NULL) fail(&p, "%s", disk_wrong(p.disk));
    }
    bool done = digest_hex(&p.digest, out->digest);
    disk_free(p.disk);
    ASSERT(done);
    weather_fini(&p.w);
    buf_fini(&p.yaml);
    memory_fini(&p.other);
    harness_fini(&p.h);
}

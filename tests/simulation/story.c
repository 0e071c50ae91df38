/* story.c - what is drawn, in which order; taking a part out; telling it. */
#include "tests/simulation/story.h"

/* ---- drawing ---- */

/* "create: time-out after": what is there already, and not to be seen. */
enum { CREATE_TIMES_OUT = 1 };

static void draw_faults(struct act *a, struct rng *r)
{
    a->n_faults = rng_below(r, MAX_FAULTS + 1);
    for (unsigned k = 0; k < a->n_faults; k++) {
        a->faults[k].point = (uint8_t)rng_below(r, N_FAULT_POINTS);
        static const unsigned within_of[N_CLASSES] = {12, 12, 2, 4, 60};
        unsigned within = within_of[fault_points[a->faults[k].point].class];
        a->faults[k].nth = (uint16_t)(1 + rng_below(r, within));
        /* What two lists in a row do not show is not there, as far as anybody can tell. */
        enum fault_action action = fault_points[a->faults[k].point].action;
        bool gap = action == FAULT_VANISHED || action == FAULT_STALE;
        a->faults[k].times = rng_one_in(r, 8) && !gap ? (uint16_t)(2 + rng_below(r, 30)) : 1;
    }
}

static void draw_apply(struct act *a, struct rng *r)
{
    a->type = ACT_APPLY;
    a->persist_ms = rng_below(r, 3) * 40;
    if (!rng_one_in(r, 3)) draw_faults(a, r);
    if (rng_one_in(r, 3)) a->cut_at = 1 + rng_below(r, 100);
    if (rng_one_in(r, 8)) a->fail_persist = 1 + rng_below(r, 40);
    if (rng_one_in(r, 6)) a->interrupt_at_ms = 1 + rng_below(r, 100000);
    if (a->interrupt_at_ms > 0 && rng_one_in(r, 2))
        a->interrupt_again_ms = a->interrupt_at_ms + 1 + rng_below(r, 20000);
    if (rng_one_in(r, 5)) a->meddle_at = 1 + rng_below(r, 30);
    a->meddler_deletes = rng_one_in(r, 2);
    if (rng_one_in(r, 3)) a->rival_at = 1 + rng_below(r, 20);
    a->rival_breaks = rng_one_in(r, 2);
    if (rng_one_in(r, 8)) a->list_lag_ms = 3000;
    bool whole = a->cut_at == 0 && a->fail_persist == 0 && a->interrupt_at_ms == 0;
    if (whole && rng_one_in(r, 10)) a->list_lag_ms = 90000;
    if (a->list_lag_ms > 0 && a->n_faults < MAX_FAULTS && rng_one_in(r, 2))
        a->faults[a->n_faults++] = (struct fault){CREATE_TIMES_OUT, (uint16_t)(1 + rng_below(r, 6)), 1};
    a->small_pages = rng_one_in(r, 6);
    a->pages_change = a->small_pages && rng_one_in(r, 2);
    a->is_slow = rng_one_in(r, 16);
    if (rng_one_in(r, 12)) a->quota = (uint8_t)(1 + rng_below(r, N_QUOTAS));
}

static void draw_act(struct act *a, struct rng *r)
{
    static const enum act_type often[] = {ACT_EDIT,   ACT_EDIT,  ACT_EDIT,   ACT_APPLY, ACT_APPLY,
                                          ACT_APPLY,  ACT_APPLY, ACT_DELETE, ACT_WRITE, ACT_ADD,
                                          ACT_FORGET, ACT_OTHER, ACT_CLOCK};
    *a = (struct act){.type = often[rng_below(r, N_ELEMENTS(often))], .seed = rng_next(r)};
    if (a->type == ACT_APPLY) draw_apply(a, r);
    if (a->type == ACT_CLOCK) a->jump_ms = (int64_t)rng_below(r, 7200000) - 3600000;
}

/* Only what headgate has to get over by itself. */
static void make_gentle(struct act *a)
{
    unsigned n = 0;
    for (unsigned k = 0; k < a->n_faults; k++)
        if (fault_passes(&fault_points[a->faults[k].point])) {
            a->faults[n] = a->faults[k];
            a->faults[n++].times = 1;
        }
    a->n_faults = n;
    a->cut_at = a->fail_persist = a->meddle_at = 0;
    a->interrupt_at_ms = a->interrupt_again_ms = 0;
    a->list_lag_ms = 0;
    a->is_slow = a->pages_change = a->rival_breaks = false;
    a->quota = 0;
    if (a->type == ACT_DELETE || a->type == ACT_WRITE) a->type = ACT_EDIT;
}

void story_draw(struct story *s, uint64_t seed)
{
    struct rng r = {seed};
    *s = (struct story){.seed = seed, .n_acts = 2 + rng_below(&r, 8)};
    s->real_state = seed % 16 == 7;
    s->acts[0].seed = rng_next(&r);
    draw_apply(&s->acts[0], &r);
    for (unsigned k = 1; k < s->n_acts; k++) draw_act(&s->acts[k], &r);
    for (unsigned k = 0; k < s->n_acts && seed % 4 == 2; k++) make_gentle(&s->acts[k]);
}

/* ---- shortening ---- */

/* The removable parts of an apply, beside its faults. */
static bool clear_part(struct act *a, unsigned k)
{
    switch (k) {
    case 0: return a->cut_at > 0 ? (a->cut_at = 0, true) : false;
    case 1: return a->fail_persist > 0 ? (a->fail_persist = 0, true) : false;
    case 2: return a->interrupt_again_ms > 0 ? (a->interrupt_again_ms = 0, true) : false;
    case 3: return a->interrupt_at_ms > 0 ? (a->interrupt_at_ms = a->interrupt_again_ms = 0, true) : false;
    case 4: return a->meddle_at > 0 ? (a->meddle_at = 0, true) : false;
    case 5: return a->list_lag_ms > 0 ? (a->list_lag_ms = 0, true) : false;
    case 6: return a->persist_ms > 0 ? (a->persist_ms = 0, true) : false;
    case 7: return a->pages_change ? (a->pages_change = false, true) : false;
    case 8: return a->small_pages ? (a->small_pages = a->pages_change = false, true) : false;
    case 9: return a->is_slow ? (a->is_slow = false, true) : false;
    case 10: return a->quota > 0 ? (a->quota = 0, true) : false;
    case 11: return a->rival_breaks ? (a->rival_breaks = false, true) : false;
    case 12: return a->rival_at > 0 ? (a->rival_at = 0, true) : false;
    default: return false;
    }
}

bool story_without(const struct story *s, unsigned k, struct story *out)
{
    enum { N_PARTS = 13 };
    *out = *s;
    if (k < s->n_acts) { /* an act */
        for (unsigned i = k; i + 1 < s->n_acts; i++) out->acts[i] = out->acts[i + 1];
        out->n_acts--;
        return true;
    }
    k -= s->n_acts;
    for (unsigned i = 0; i < s->n_acts; i++) {
        struct act *a = &out->acts[i];
        if (k < a->n_faults) {
            for (unsigned f = k; f + 1 < a->n_faults; f++) a->faults[f] = a->faults[f + 1];
            a->n_faults--;
            return true;
        }
        k -= a->n_faults;
        for (unsigned part = 0; part < N_PARTS; part++) {
            struct act copy = *a;
            if (!clear_part(&copy, part)) continue;
            if (k-- > 0) continue;
            *a = copy;
            return true;
        }
    }
    return false;
}

/* ---- telling ---- */

static void tell_apply(const struct story *s, const struct act *a, struct buf *out)
{
    buf_puts(out, "apply");
    for (unsigned k = 0; k < a->n_faults; k++)
        buf_printf(out, ", %s (call %u of its class%s)", fault_points[a->faults[k].point].name,
                   a->faults[k].nth, a->faults[k].times > 1 ? " and more" : "");
    if (a->persist_ms > 0) buf_printf(out, ", writes take %lld ms", (long long)a->persist_ms);
    if (a->cut_at > 0) buf_printf(out, ", killed at boundary %u", a->cut_at);
    if (a->fail_persist > 0) buf_printf(out, ", writes fail from the %u. on", a->fail_persist);
    if (a->interrupt_at_ms > 0) buf_printf(out, ", interrupted after %lld ms", (long long)a->interrupt_at_ms);
    if (a->interrupt_again_ms > 0) buf_printf(out, " and after %lld ms", (long long)a->interrupt_again_ms);
    if (a->meddle_at > 0)
        buf_printf(out, ", somebody %s before changing call %u", a->meddler_deletes ? "deletes" : "writes",
                   a->meddle_at);
    if (a->rival_at > 0 && s->real_state)
        buf_printf(out, ", somebody %s before changing call %u",
                   a->rival_breaks ? "breaks the lock" : "wants the lock", a->rival_at);
    if (a->list_lag_ms > 0) buf_printf(out, ", lists lag behind by %lld s", (long long)a->list_lag_ms / 1000);
    if (a->small_pages) buf_puts(out, ", lists in pages of two");
    if (a->pages_change) buf_puts(out, " that change in between");
    if (a->is_slow) buf_puts(out, ", everything takes long");
    if (a->quota > 0) buf_printf(out, ", no more room in %s", quotas[a->quota - 1].name);
    buf_putc(out, '\n');
}

void story_tell(const struct story *s, struct buf *out)
{
    static const char *const words[] = {
        [ACT_EDIT] = "the manifests are edited",        [ACT_DELETE] = "somebody deletes something",
        [ACT_WRITE] = "somebody writes into something", [ACT_ADD] = "somebody adds a stranger",
        [ACT_FORGET] = "the state file is lost",        [ACT_OTHER] = "another stack is applied",
    };
    if (s->real_state) buf_puts(out, "(the state is a file)\n");
    for (unsigned k = 0; k < s->n_acts; k++) {
        const struct act *a = &s->acts[k];
        buf_printf(out, "%2u. ", k + 1);
        if (a->type == ACT_APPLY)
            tell_apply(s, a, out);
        else if (a->type == ACT_CLOCK)
            buf_printf(out, "the clock jumps by %lld s\n", (long long)a->jump_ms / 1000);
        else
            buf_printf(out, "%s\n", words[a->type]);
    }
}

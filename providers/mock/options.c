/* options.c - quotas, rates and the choices that the cloud's documentation leaves open. */
#include <math.h>
#include <string.h>

#include "providers/mock/inside.h"

enum { RATE_WINDOW_MS = 60000, MAX_LATENCY_MS = 3600000 };

#define OPTION_NAME(option, name, words, initial) name,
const char *const option_names[N_MOCK_OPTIONS] = {MOCK_OPTIONS(OPTION_NAME)};
#define OPTION_WORDS(option, name, words, initial) words,
static const char *const option_words[N_MOCK_OPTIONS] = {MOCK_OPTIONS(OPTION_WORDS)};
#define OPTION_INITIAL(option, name, words, initial) initial,
static const int64_t option_initial[N_MOCK_OPTIONS] = {MOCK_OPTIONS(OPTION_INITIAL)};

void options_init(struct mock *m)
{
    memcpy(m->options, option_initial, sizeof(m->options));
    memset(m->rates, 0, sizeof(m->rates));
}

static bool word_index(const char *words, const char *value, int64_t *out)
{
    struct text rest = text_of(words), word;
    for (int64_t i = 0; text_cut(&rest, '|', &word); i++) {
        if (!text_is(word, value)) continue;
        *out = i;
        return true;
    }
    return false;
}

bool option_is_valid(enum mock_option option, int64_t n)
{
    struct text rest = text_of(option_words[option]), word;
    int64_t n_words = 0;
    if (option_words[option] == NULL) return n >= 0 && n <= MOCK_MAX_NUMBER;
    while (text_cut(&rest, '|', &word)) n_words++;
    return n >= 0 && n < n_words;
}

static enum err_code unknown_option(const char *name, struct err *err)
{
    CLEANUP(buf_fini) struct buf all;
    buf_init(&all, 4096);
    for (size_t i = 0; i < N_MOCK_OPTIONS; i++) buf_printf(&all, "%s%s", i == 0 ? "" : ", ", option_names[i]);
    (void)err_set(err, ERR_INPUT, "unknown option `%s`; there are %s, and operations (calls per minute)",
                  name, buf_str(&all));
    return ERR_INPUT;
}

static enum err_code set_rate(struct mock *m, const char *operation, const char *value, struct err *err)
{
    uint64_t n;
    bool found = false;
    for (size_t i = 0; i < N_OPERATIONS; i++) {
        if (strcmp(operations[i].name, operation) != 0) continue;
        found = true;
        if (!text_to_u64(text_of(value), UINT32_MAX, &n))
            return err_set(err, ERR_INPUT,
                           "the rate of %s is a number of calls per minute (0: no limit), not `%s`",
                           operation, value);
        m->rates[i].limit = (uint32_t)n;
    }
    return found ? ERR_OK : unknown_option(operation, err);
}

enum err_code option_set(struct mock *m, const char *name, const char *value, struct err *err)
{
    for (size_t i = 0; i < N_MOCK_OPTIONS; i++) {
        if (strcmp(option_names[i], name) != 0) continue;
        int64_t n;
        if (option_words[i] != NULL && !word_index(option_words[i], value, &n))
            return err_set(err, ERR_INPUT, "option %s is one of %s, not `%s`", name, option_words[i], value);
        if (option_words[i] == NULL && !text_to_i64(text_of(value), 0, MOCK_MAX_NUMBER, &n))
            return err_set(err, ERR_INPUT, "option %s is a number, not `%s`", name, value);
        m->options[i] = n;
        return ERR_OK;
    }
    return set_rate(m, name, value, err);
}

/* Calls per minute that the operations' pages name; of the others no number is published. */
static const struct {
    enum op_id op;
    uint32_t limit;
} documented_rates[] = {
    {OP_VPC_CreateVSwitch, 300},    {OP_VPC_CreateNatGateway, 300},   {OP_VPC_ModifyRouteEntry, 300},
    {OP_VPC_ListTagResources, 300}, {OP_VPC_AllocateEipAddress, 120},
};

static uint32_t rate_limit(const struct mock *m, enum op_id op)
{
    if (m->rates[op].limit > 0) return m->rates[op].limit;
    for (size_t i = 0; m->options[OPT_RATES] != 0 && i < N_ELEMENTS(documented_rates); i++)
        if (documented_rates[i].op == op) return documented_rates[i].limit;
    return 0;
}

bool rate_check(struct call *c)
{
    struct rate *r = &c->m->rates[c->op_id];
    uint32_t limit = rate_limit(c->m, c->op_id);
    if (limit == 0) return true;
    if (c->now_ms < r->window_ms || c->now_ms - r->window_ms >= RATE_WINDOW_MS) {
        r->window_ms = c->now_ms;
        r->used = 0;
    }
    if (r->used >= limit)
        return refuse(c, 400, "Throttling.User",
                      "Request was denied due to user flow control (%u calls per minute).", limit);
    r->used++;
    return true;
}

enum err_code mock_set_option(struct mock *m, const char *name, const char *value, struct err *err)
{
    enum err_code e = persist_begin(m, true, err);
    if (e != ERR_OK) return e;
    e = option_set(m, name, value, err);
    if (e != ERR_OK) {
        persist_rollback(m);
        return e;
    }
    m->options_dirty = true;
    return persist_commit(m, err);
}

bool speed_is_valid(double speed)
{
    return isfinite(speed) && speed >= 1e-3 && speed <= 1e9;
}

bool latency_is_valid(int64_t call_latency_ms)
{
    return call_latency_ms >= 0 && call_latency_ms <= MAX_LATENCY_MS;
}

enum err_code mock_set_pace(struct mock *m, double speed, int64_t call_latency_ms, struct err *err)
{
    if (speed != 0 && !speed_is_valid(speed))
        return err_set(err, ERR_INPUT, "the speed has to be between 0.001 and 1000000000 (0 keeps it)");
    if (call_latency_ms != -1 && !latency_is_valid(call_latency_ms))
        return err_set(err, ERR_INPUT, "the latency of a call has to be between 0 and %d ms (-1 keeps it)",
                       MAX_LATENCY_MS);
    enum err_code e = persist_begin(m, true, err);
    if (e != ERR_OK) return e;
    if (speed > 0) m->speed = speed;
    if (call_latency_ms >= 0) m->call_latency_ms = call_latency_ms;
    m->options_dirty = true;
    return persist_commit(m, err);
}

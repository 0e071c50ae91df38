/* tokens.c - what ClientTokens were used for: the same request again gets the first answer again.
 *
 * Only successes are remembered: a definite 4xx does not use a token up. The memory is bounded by number and
 * age (options tokens, token-memory-ms). */
#include <string.h>

#include "providers/mock/inside.h"

static void make_key(const struct call *c, const char *token, char out[128])
{
    (void)snprintf(out, 128, "%.50s %.64s", c->op->name, token);
}

static void hash_text(uint64_t h[2], const char *text)
{
    do { /* with the NUL, so that "ab","c" differs from "a","bc" */
        h[0] = (h[0] ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
        h[1] = (h[1] + (unsigned char)*text) * UINT64_C(0x9E3779B97F4A7C15);
    } while (*text++ != '\0');
}

/* All parameters but the token; they are sorted. */
static void make_hash(const struct call *c, char out[17])
{
    uint64_t h[2] = {UINT64_C(0xCBF29CE484222325), 1};
    for (size_t i = 0; i < c->n_params; i++) {
        if (strcmp(c->params[i]->name, "ClientToken") == 0) continue;
        hash_text(h, c->params[i]->name);
        hash_text(h, c->params[i]->value);
    }
    (void)snprintf(out, 17, "%016llx", (unsigned long long)(h[0] ^ h[1]));
}

static void forget(struct mock *m, struct token_memory *t)
{
    HASH_DEL(m->tokens, t);
    for (struct token_memory **at = &m->new_tokens; *at != NULL; at = &(*at)->next_new) {
        if (*at != t) continue;
        *at = t->next_new;
        break;
    }
    free(t->body);
    free(t);
}

void tokens_fini(struct mock *m)
{
    struct token_memory *t, *next;
    m->new_tokens = NULL;
    HASH_ITER(hh, m->tokens, t, next) {
        HASH_DEL(m->tokens, t);
        free(t->body);
        free(t);
    }
}

enum token_verdict token_check(struct call *c, json_t **answer)
{
    const char *token = arg(c, "ClientToken");
    char key[128], hash[17];
    struct token_memory *t;
    if (token == NULL || token[0] == '\0' || c->op->reads) return TOKEN_NEW;
    make_key(c, token, key);
    HASH_FIND_STR(c->m->tokens, key, t);
    if (t == NULL || c->now_ms - t->done_ms > c->m->options[OPT_TOKEN_MEMORY]) return TOKEN_NEW;
    make_hash(c, hash);
    if (strcmp(hash, t->hash) != 0) {
        (void)refuse(c, 400, "IdempotentParameterMismatch",
                     "The client token was used with other parameters.");
        return TOKEN_REFUSED;
    }
    bool ecs = strcmp(c->op->product, "Ecs") == 0;
    if (c->m->options[OPT_TOKEN_PROCESSING] != 0 && c->now_ms < t->done_ms) {
        (void)refuse(c, ecs ? 403 : 400, ecs ? "IdempotentProcessing" : "LastTokenProcessing",
                     "The first request with this client token is still being processed.");
        return TOKEN_REFUSED;
    }
    *answer = json_loads(t->body, 0, NULL);
    return *answer == NULL ? TOKEN_NO_MEMORY : TOKEN_ANSWERED;
}

bool token_add(struct mock *m, const char *key, const char *hash, int64_t done_ms, const char *body,
               bool is_new)
{
    struct token_memory *t;
    HASH_FIND_STR(m->tokens, key, t);
    if (t != NULL) forget(m, t);
    while (m->tokens != NULL && HASH_COUNT(m->tokens) >= (size_t)MAX_OF(m->options[OPT_TOKENS], 1))
        forget(m, m->tokens);
    t = calloc(1, sizeof(*t));
    if (t == NULL || (t->body = strdup(body)) == NULL) {
        free(t);
        return false;
    }
    (void)snprintf(t->key, sizeof(t->key), "%s", key);
    (void)snprintf(t->hash, sizeof(t->hash), "%s", hash);
    t->done_ms = done_ms;
    hash_oom_flag = false;
    HASH_ADD_STR(m->tokens, key, t);
    if (hash_oom_flag) {
        free(t->body);
        free(t);
        return false;
    }
    if (is_new) {
        t->next_new = m->new_tokens;
        m->new_tokens = t;
    }
    return true;
}

void token_remember(struct call *c, int64_t done_ms, const json_t *answer)
{
    const char *token = arg(c, "ClientToken");
    char key[128], hash[17];
    if (token == NULL || token[0] == '\0' || c->op->reads) return;
    make_key(c, token, key);
    make_hash(c, hash);
    char *body = json_dumps(answer, JSON_COMPACT);
    if (body == NULL || !token_add(c->m, key, hash, done_ms, body, c->m->db != NULL)) c->no_memory = true;
    free(body);
}

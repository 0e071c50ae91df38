/* call.c - what every operation needs: its parameters, refusals, the objects that it names, new objects. */
#include "providers/mock/inside.h"

#include <stdarg.h>
#include <string.h>

bool refuse(struct call *c, int http_status, const char *code, const char *fmt, ...)
{
    c->http_status = http_status;
    c->code = code;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(c->message, sizeof(c->message), fmt, args);
    va_end(args);
    return false;
}

bool call_accept(struct call *c)
{
    if (arg_is_true(c, "DryRun"))
        return refuse(c, 400, "DryRunOperation", "Request validation has been passed with DryRun flag set.");
    return true;
}

/* ---- Parameters ---- */

const char *arg(const struct call *c, const char *name)
{
    size_t low = 0, high = c->n_params;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(c->params[middle]->name, name);
        if (order == 0) return c->params[middle]->value;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *argf(const struct call *c, const char *fmt, ...)
{
    char name[128];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(name, sizeof(name), fmt, args);
    va_end(args);
    return arg(c, name);
}

const char *arg_or(const struct call *c, const char *name, const char *otherwise)
{
    const char *value = arg(c, name);
    return value == NULL ? otherwise : value;
}

bool arg_is_true(const struct call *c, const char *name)
{
    const char *value = arg(c, name);
    return value != NULL && strcmp(value, "true") == 0;
}

bool arg_has_prefix(const struct call *c, const char *prefix)
{
    size_t n = strlen(prefix);
    for (size_t i = 0; i < c->n_params; i++)
        if (strncmp(c->params[i]->name, prefix, n) == 0) return true;
    return false;
}

void arg_to_attr(struct call *c, struct entity *e, const char *name, int attr)
{
    const char *value = arg(c, name);
    if (value != NULL) entity_set(c->s, e, attr, value);
}

static bool is_letter(unsigned char ch)
{
    return (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || ch >= 0x80;
}

static bool is_url(const char *text)
{
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

static bool refuse_malformed(struct call *c, const char *param, const char *why)
{
    (void)snprintf(c->code_text, sizeof(c->code_text), "Invalid%s.Malformed", param);
    return refuse(c, 400, c->code_text, "The specified %s is not valid: %s.", param, why);
}

bool check_name(struct call *c, const char *param, bool strict)
{
    const char *value = arg(c, param);
    if (value == NULL || value[0] == '\0') return true;
    size_t bad, n_chars;
    if (!text_is_utf8(text_of(value), &bad)) return refuse_malformed(c, param, "it is not UTF-8");
    n_chars = text_n_chars(text_of(value));
    if (n_chars > 128 || (strict && n_chars < 2))
        return refuse_malformed(c, param, "it needs 2 to 128 characters");
    if (strict && !is_letter((unsigned char)value[0]))
        return refuse_malformed(c, param, "it has to start with a letter");
    if (is_url(value)) return refuse_malformed(c, param, "it must not start with http:// or https://");
    return true;
}

bool check_description(struct call *c, const char *param)
{
    const char *value = arg(c, param);
    if (value == NULL || value[0] == '\0') return true;
    if (text_n_chars(text_of(value)) > 256)
        return refuse_malformed(c, param, "it has more than 256 characters");
    if (is_url(value)) return refuse_malformed(c, param, "it must not start with http:// or https://");
    return true;
}

static bool is_reserved_tag(const char *key)
{
    return strncmp(key, "aliyun", 6) == 0 || strncmp(key, "acs:", 4) == 0 || strstr(key, "http://") != NULL ||
           strstr(key, "https://") != NULL;
}

/* Source: CreateVpc, TagResources: Tag.N.Key, Tag.N.Value */
bool check_tags(struct call *c)
{
    if (!arg_has_prefix(c, "Tag.")) return true;
    for (unsigned n = 1;; n++) {
        const char *key = argf(c, "Tag.%u.Key", n), *value = argf(c, "Tag.%u.Value", n);
        if (key == NULL && value == NULL) return true;
        if (n > ENTITY_MAX_TAGS)
            return refuse(c, 400, "NumberExceed.Tags", "The maximum number of tags (%d) is exceeded.",
                          ENTITY_MAX_TAGS);
        if (key == NULL || key[0] == '\0')
            return refuse(c, 400, "MissingParameter.TagKey", "You must specify Tag.%u.Key.", n);
        if (text_n_chars(text_of(key)) > 128 || is_reserved_tag(key))
            return refuse(c, 400, "InvalidTagKey.Malformed", "The Tag.%u.Key parameter \"%s\" is invalid.", n,
                          key);
        if (value != NULL && text_n_chars(text_of(value)) > 128)
            return refuse(c, 400, "InvalidTagValue.Malformed", "The Tag.%u.Value parameter is too long.", n);
    }
}

bool parse_block(struct call *c, const char *text, const char *code, struct cidr *out)
{
    if (cidr_parse(text_of(text), out) == IP_OK) return true;
    return refuse(c, 400, code, "The specified CIDR block \"%s\" is not valid.", text);
}

/* ---- Entities ---- */

/* Source: the error codes of the operations that name such an object. */
static const struct {
    int http_status;
    const char *code;
} not_found[N_ENTITY_TYPES] = {
    [E_VPC] = {404, "InvalidVpcID.NotFound"},
    [E_VSWITCH] = {404, "InvalidVSwitchId.NotFound"},
    [E_NAT] = {404, "InvalidNatGatewayId.NotFound"},
    [E_EIP] = {404, "InvalidAllocationId.NotFound"},
    [E_SNAT] = {404, "InvalidSnatEntryId.NotFound"},
    [E_DNAT] = {404, "InvalidForwardEntryId.NotFound"},
    [E_TABLE] = {404, "InvalidRouteTableId.NotFound"},
    [E_ROUTE] = {400, "InvalidRouteEntry.NotFound"},
    [E_GROUP] = {404, "InvalidSecurityGroupId.NotFound"},
    [E_RULE] = {400, "InvalidSecurityGroupRule.RuleNotExist"},
    [E_INSTANCE] = {404, "InvalidInstanceId.NotFound"},
};

bool entity_is_here(const struct call *c, const struct entity *e, enum entity_type type)
{
    return e != NULL && e->type == type && e->region == c->region && e->status != ST_LINGERING;
}

struct entity *lookup(const struct call *c, enum entity_type type, const char *id)
{
    struct entity *e = id == NULL ? NULL : store_find(c->s, id);
    return entity_is_here(c, e, type) ? e : NULL;
}

bool refuse_missing(struct call *c, enum entity_type type, const char *id)
{
    return refuse(c, not_found[type].http_status, not_found[type].code,
                  "The specified %s \"%s\" does not exist in this region.", entity_types[type].name, id);
}

struct entity *need(struct call *c, enum entity_type type, const char *param)
{
    const char *id = arg_or(c, param, "");
    struct entity *e = lookup(c, type, id);
    if (e == NULL) (void)refuse_missing(c, type, id);
    return e;
}

struct entity *add_entity(struct mock *m, enum entity_type type, uint8_t region, int64_t now_ms,
                          const char *id, enum status status)
{
    char fresh[ENTITY_ID_SIZE];
    if (id == NULL) {
        new_id(m, entity_types[type].prefix, fresh);
        id = fresh;
    }
    struct entity *e = store_add(&m->store, type, id, region, now_ms);
    if (e == NULL) return NULL;
    e->status = e->then = status;
    /* Without a lag also where the clock is set back. */
    int64_t lag_ms = m->options[OPT_LIST_LAG];
    e->visible_at_ms = lag_ms > 0 ? now_ms + lag_ms : INT64_MIN;
    m->store.hidden_until_ms = MAX_OF(m->store.hidden_until_ms, e->visible_at_ms);
    return e;
}

struct entity *create(struct call *c, enum entity_type type, enum status status)
{
    struct entity *e = add_entity(c->m, type, c->region, c->now_ms, NULL, status);
    bool tagged = arg_has_prefix(c, "Tag.");
    for (unsigned n = 1; e != NULL && tagged; n++) {
        const char *key = argf(c, "Tag.%u.Key", n);
        if (key == NULL) break;
        const char *value = argf(c, "Tag.%u.Value", n);
        (void)entity_tag(c->s, e, key, value == NULL ? "" : value); /* check_tags() bounded their number */
    }
    return e;
}

/* ---- Quotas ---- */

bool within_quota(const struct call *c, enum mock_option quota, size_t have, size_t more)
{
    return c->m->options[OPT_QUOTAS] == 0 || have + more <= (size_t)c->m->options[quota];
}

size_t count_children(const struct entity *parent, enum link_slot slot, enum entity_type type)
{
    size_t n = 0;
    for (EACH_CHILD(e, parent, slot, type)) n += e->status != ST_LINGERING;
    return n;
}

/* ---- Chance, time, names ---- */

uint64_t mix64(uint64_t seed, uint64_t n)
{
    uint64_t z = seed + (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

void new_id(struct mock *m, const char *prefix, char out[ENTITY_ID_SIZE])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    do {
        uint64_t n = m->n_ids++;
        uint64_t a = mix64(m->seed, n), b = mix64(~m->seed, n);
        int at = snprintf(out, ENTITY_ID_SIZE, "%s-uf6", prefix);
        for (int i = 0; i < 9; i++, a /= 36) out[at++] = digits[a % 36];
        for (int i = 0; i < 8; i++, b /= 36) out[at++] = digits[b % 36];
        out[at] = '\0';
    } while (store_find(&m->store, out) != NULL);
    m->settings_dirty = true;
}

void request_id(struct mock *m, int64_t now_ms, char out[37])
{
    uint64_t n = m->n_requests++;
    uint64_t a = mix64(m->seed ^ (uint64_t)now_ms, n), b = mix64(~m->seed ^ (uint64_t)now_ms, n);
    a = (a & ~UINT64_C(0xF000)) | 0x5000;
    b = (b & ~(UINT64_C(0xC000) << 48)) | UINT64_C(0x8000) << 48;
    static const char digits[] = "0123456789ABCDEF", form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (int i = 0, at = 0; i < 36; i++) {
        out[i] = form[i] == '-' ? '-' : digits[(at < 16 ? a : b) >> (60 - 4 * (at % 16)) & 15];
        at += form[i] != '-';
    }
    out[36] = '\0';
}

/* In ms at the speed of the real cloud. The gateway's is documented ("1 to 3 minutes"), the others are what
 * its users report. */
static const struct {
    int32_t least, most;
} durations_ms[N_DURATIONS] = {
    [TAKES_VPC] = {5000, 10000},
    [TAKES_VSWITCH] = {3000, 10000},
    [TAKES_NAT] = {60000, 120000},
    [TAKES_NAT_CHANGE] = {2000, 6000},
    [TAKES_NAT_DELETE] = {10000, 60000},
    [TAKES_BIND] = {3000, 10000},
    [TAKES_ENTRY] = {2000, 10000},
    [TAKES_TABLE] = {3000, 10000},
    [TAKES_ROUTE] = {3000, 10000},
    [TAKES_ASSOCIATION] = {3000, 10000},
    [TAKES_DELETE] = {3000, 10000},
    [TAKES_RELEASE] = {1000, 3000},
    [TAKES_INSTANCE] = {20000, 60000},
    [TAKES_STOP] = {10000, 30000},
    [TAKES_INSTANCE_DELETE] = {5000, 60000},
};

int64_t ready_after(struct mock *m, int64_t now_ms, enum duration what)
{
    uint64_t width = (uint64_t)(durations_ms[what].most - durations_ms[what].least) + 1;
    uint64_t real_ms =
        (uint64_t)durations_ms[what].least + mix64(m->seed, m->n_draws++ ^ UINT64_C(1) << 63) % width;
    m->settings_dirty = true;
    int64_t ms = (int64_t)((double)real_ms / m->speed);
    return now_ms + MAX_OF(ms, 1);
}

/* ---- Answers ---- */

void answer_put(struct call *c, const char *path, json_t *value)
{
    json_t *at = c->answer;
    struct text rest = text_of(path), part;
    while (value != NULL && text_cut(&rest, '.', &part)) {
        char key[64];
        ASSERT(part.len < sizeof(key));
        memcpy(key, part.ptr, part.len);
        key[part.len] = '\0';
        if (rest.ptr == NULL) {
            if (json_object_set_new_nocheck(at, key, value) != 0) c->no_memory = true;
            return;
        }
        json_t *inner = json_object_get(at, key);
        if (inner == NULL) {
            inner = json_object();
            if (json_object_set_new_nocheck(at, key, inner) != 0) break;
        }
        at = inner;
    }
    json_decref(value);
    c->no_memory = true;
}

void answer_text(struct call *c, const char *path, const char *value)
{
    answer_put(c, path, json_string_nocheck(value));
}

/* ---- Comma lists ---- */

bool list_next(struct text *rest, struct text *item)
{
    while (text_cut(rest, ',', item)) {
        *item = text_trim(*item);
        if (item->len > 0) return true;
    }
    return false;
}

bool list_has(const char *list, const char *wanted)
{
    struct text rest = text_of(list), item;
    while (list_next(&rest, &item))
        if (text_is(item, wanted)) return true;
    return false;
}

size_t list_count(const char *list)
{
    struct text rest = text_of(list), item;
    size_t n = 0;
    while (list_next(&rest, &item)) n++;
    return n;
}

bool list_add(struct store *s, struct entity *e, int attr, const char *item)
{
    const char *old = entity_get(e, attr);
    if (list_has(old, item)) return false;
    char *list = NULL;
    if (asprintf(&list, "%s%s%s", old, old[0] == '\0' ? "" : ",", item) < 0) {
        s->no_memory = true;
        return true;
    }
    entity_set(s, e, attr, list);
    free(list);
    return true;
}

void list_drop(struct store *s, struct entity *e, int attr, const char *dropped)
{
    CLEANUP(buf_fini) struct buf list;
    buf_init(&list, 1 << 20);
    struct text rest = text_of(entity_get(e, attr)), item;
    while (list_next(&rest, &item)) {
        if (text_is(item, dropped)) continue;
        if (list.len > 0) buf_putc(&list, ',');
        buf_put_text(&list, item);
    }
    if (!buf_ok(&list))
        s->no_memory = true;
    else
        entity_set(s, e, attr, buf_str(&list));
}

/* list.c - the list operations: who is a candidate, which filters apply, which page is wanted. */
#include <string.h>
#include <strings.h>

#include "providers/mock/shape.h"

enum { MAX_IDS = 100, MAX_PAGE_NUMBER = 1000000, MAX_FILTERS = 16 };

static bool attr_in(const struct entity *e, int attr, const char *wanted)
{
    return list_has(wanted, entity_get(e, attr));
}

static bool filter_passes(const struct entity *e, const struct filter *f, const char *wanted)
{
    switch (f->how) {
    case FILTER_ATTR: return entity_is(e, f->arg, wanted);
    case FILTER_ATTR_NOCASE: return strcasecmp(entity_get(e, f->arg), wanted) == 0;
    case FILTER_ATTR_OR_ALL: return strcmp(wanted, "all") == 0 || entity_is(e, f->arg, wanted);
    case FILTER_ITEM: return list_has(entity_get(e, f->arg), wanted);
    case FILTER_ANY_OF: return attr_in(e, f->arg, wanted);
    case FILTER_STATUS: return strcmp(status_names[e->status], wanted) == 0;
    case FILTER_LINK: return e->links[f->arg].to != NULL && strcmp(e->links[f->arg].to->id, wanted) == 0;
    case FILTER_ZONE:
        return e->links[SECOND].to != NULL && entity_is(e->links[SECOND].to, A_VSWITCH_ZONE, wanted);
    case FILTER_ID: return strcmp(e->id, wanted) == 0;
    }
    return false;
}

/* What a call asks for, looked up once and not again for each of a hundred thousand entities. */
struct criteria {
    struct {
        const struct filter *filter;
        const char *wanted;
    } filters[MAX_FILTERS];
    size_t n_filters;
    struct {
        const char *key, *value; /* value NULL: any */
    } tags[ENTITY_MAX_TAGS];
    size_t n_tags;
    struct {
        const struct entity *parent;
        enum link_slot slot;
    } parents[N_NARROWINGS];
    size_t n_parents;
    bool nothing; /* a parent that does not exist has no children */
};

static const char *given(const struct call *c, const char *param)
{
    const char *value = arg(c, param);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static void read_criteria(const struct call *c, const struct list_spec *spec, struct criteria *k)
{
    *k = (struct criteria){0};
    for (const struct filter *f = spec->filters; f != NULL && f->param != NULL; f++) {
        const char *wanted = given(c, f->param);
        if (wanted == NULL) continue;
        ASSERT(k->n_filters < MAX_FILTERS);
        k->filters[k->n_filters].filter = f;
        k->filters[k->n_filters++].wanted = wanted;
    }
    bool by_tags = arg_has_prefix(c, "Tag.");
    for (unsigned n = 1; by_tags && n <= ENTITY_MAX_TAGS; n++) {
        const char *key = argf(c, "Tag.%u.Key", n), *value = argf(c, "Tag.%u.Value", n);
        if (key == NULL) break;
        k->tags[k->n_tags].key = key;
        k->tags[k->n_tags++].value = value == NULL || value[0] == '\0' ? NULL : value;
    }
    for (size_t i = 0; i < N_NARROWINGS && spec->narrow[i].param != NULL; i++) {
        const struct narrowing *n = &spec->narrow[i];
        const char *id = given(c, n->param);
        if (id == NULL) continue;
        const struct entity *parent = n->alias ? store_find_alias(c->s, id) : store_find(c->s, id);
        if (!entity_is_here(c, parent, n->type)) k->nothing = true;
        k->parents[k->n_parents].parent = parent;
        k->parents[k->n_parents++].slot = n->slot;
    }
}

static bool is_wanted(const struct call *c, const struct entity *e, const struct criteria *k,
                      enum entity_type type)
{
    if (!entity_is_here(c, e, type) || e->visible_at_ms > c->now_ms) return false;
    for (size_t i = 0; i < k->n_parents; i++)
        if (e->links[k->parents[i].slot].to != k->parents[i].parent) return false;
    for (size_t i = 0; i < k->n_filters; i++)
        if (!filter_passes(e, k->filters[i].filter, k->filters[i].wanted)) return false;
    for (size_t i = 0; i < k->n_tags; i++) {
        const char *has = entity_tag_value(e, k->tags[i].key);
        if (has == NULL || (k->tags[i].value != NULL && strcmp(has, k->tags[i].value) != 0)) return false;
    }
    return true;
}

/* ---- Candidates ---- */

/* Where the entities to look at come from: some ids, the children of a parent, or all of the type. */
struct source {
    struct entity *ids[MAX_IDS];
    size_t n_ids, at;
    bool by_ids, by_parent;
    enum link_slot slot;
    struct entity *next;
};

static int by_seq(const void *a, const void *b)
{
    const struct entity *x = *(struct entity *const *)a, *y = *(struct entity *const *)b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static bool source_add_id(struct call *c, const struct list_spec *spec, struct source *s, struct text id,
                          size_t n)
{
    if (n > MAX_IDS)
        return refuse(c, 400, "InvalidParameter", "%s has more than %d ids.", spec->ids_param, MAX_IDS);
    char text[ENTITY_ID_SIZE];
    if (id.len >= sizeof(text)) return true; /* no id is that long */
    (void)snprintf(text, sizeof(text), TEXT_FMT, TEXT_ARG(id));
    struct entity *e = store_find(c->s, text);
    if (e == NULL) return true;
    for (size_t i = 0; i < s->n_ids; i++)
        if (s->ids[i] == e) return true;
    s->ids[s->n_ids++] = e;
    return true;
}

static bool source_of_ids(struct call *c, const struct list_spec *spec, struct source *s, const char *ids)
{
    s->by_ids = true;
    if (!spec->ids_are_json) {
        struct text rest = text_of(ids), item;
        for (size_t n = 1; list_next(&rest, &item); n++)
            if (!source_add_id(c, spec, s, item, n)) return false;
    } else {
        json_t *array = json_loads(ids, 0, NULL), *item;
        bool valid = json_is_array(array);
        size_t i;
        json_array_foreach(array, i, item)
        {
            if (!json_is_string(item)) valid = false;
            if (!valid || !source_add_id(c, spec, s, text_of(json_string_value(item)), i + 1)) break;
        }
        json_decref(array);
        if (!valid)
            return refuse(c, 400, "InvalidParameter", "%s has to be a JSON array of strings.",
                          spec->ids_param);
    }
    qsort(s->ids, s->n_ids, sizeof(struct entity *), by_seq);
    return c->code == NULL;
}

static bool source_open(struct call *c, const struct list_spec *spec, const struct criteria *k,
                        struct source *s)
{
    *s = (struct source){0};
    const char *ids = spec->ids_param == NULL ? NULL : given(c, spec->ids_param);
    if (ids != NULL) return source_of_ids(c, spec, s, ids);
    if (k->nothing) return true;
    s->by_parent = k->n_parents > 0;
    s->slot = s->by_parent ? k->parents[0].slot : OWNER;
    s->next =
        s->by_parent ? entity_first(k->parents[0].parent, s->slot, spec->type) : c->s->first[spec->type];
    return true;
}

static struct entity *source_next(struct source *s)
{
    if (s->by_ids) return s->at < s->n_ids ? s->ids[s->at++] : NULL;
    struct entity *e = s->next;
    if (e != NULL) s->next = s->by_parent ? e->links[s->slot].next : e->next;
    return e;
}

/* ---- Pages ---- */

struct window {
    bool by_token;
    int64_t size, number; /* of pages */
    int64_t after_seq;    /* of tokens */
};

static int64_t number_arg(const struct call *c, const char *name, int64_t otherwise)
{
    int64_t n = otherwise;
    const char *text = arg(c, name);
    return text != NULL && text_to_i64(text_of(text), 0, INT32_MAX, &n) ? n : otherwise;
}

/* Far jumps in the large lists are throttled by the cloud; here only where the option says so. */
static bool check_page_order(struct call *c, uint32_t page)
{
    uint32_t *last = &c->m->last_page[c->op_id];
    bool skips = page > *last + 1;
    *last = page;
    if (!skips || c->m->options[OPT_DEEP_PAGE_SKIP] == 0) return true;
    return refuse(c, 400, "Throttling.DeepPageSkip", "Pages have to be asked for one after the other.");
}

static bool window_open(struct call *c, const struct list_spec *spec, struct window *w)
{
    *w = (struct window){.number = 1};
    bool old_style = arg(c, "PageNumber") != NULL || arg(c, "PageSize") != NULL;
    w->by_token = spec->paging == BY_TOKEN || (spec->paging == BY_TOKEN_OR_PAGE && !old_style);
    w->size = number_arg(c, w->by_token ? spec->size_param : "PageSize", spec->default_size);
    if (w->size < 1) return refuse(c, 400, "InvalidParameter", "The page size has to be at least 1.");
    if (!w->by_token) {
        w->number = number_arg(c, "PageNumber", 1);
        if (w->number < 1 || w->number > MAX_PAGE_NUMBER)
            return refuse(c, 400, "InvalidPageNumber", "The page number is not valid.");
        return check_page_order(c, (uint32_t)w->number);
    }
    const char *token = arg(c, "NextToken");
    if (token == NULL || token[0] == '\0') return true;
    if (token[0] != 'p' || !text_to_i64(text_of(token + 1), 1, INT64_MAX, &w->after_seq))
        return refuse(c, 400, "InvalidNextToken", "The specified NextToken is not valid.");
    return true;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; names != NULL && *names != NULL; names++)
        if (strcmp(name, *names) == 0) return true;
    return false;
}

static bool is_known(const struct list_spec *spec, const char *name)
{
    static const char *const common[] = {"RegionId", "DryRun", "PageNumber", "PageSize", "NextToken", NULL};
    if (is_one_of(name, common) || is_one_of(name, spec->ignored) || strncmp(name, "Tag.", 4) == 0)
        return true;
    if (spec->size_param != NULL && strcmp(name, spec->size_param) == 0) return true;
    if (spec->ids_param != NULL && strcmp(name, spec->ids_param) == 0) return true;
    for (size_t i = 0; i < N_NARROWINGS && spec->narrow[i].param != NULL; i++)
        if (strcmp(name, spec->narrow[i].param) == 0) return true;
    for (const struct filter *f = spec->filters; f != NULL && f->param != NULL; f++)
        if (strcmp(name, f->param) == 0) return true;
    return false;
}

/* A filter that were ignored here would show too much, and nobody would notice. */
static bool check_filters(struct call *c, const struct list_spec *spec)
{
    if (c->m->options[OPT_STRICT] == 0) return true;
    for (size_t i = 0; i < c->n_params; i++)
        if (!is_known(spec, c->params[i]->name))
            return refuse(c, 400, "UnsupportedParameter", "The simulated %s does not filter by %s.",
                          c->op->name, c->params[i]->name);
    return true;
}

bool list_entities(struct call *c, const struct list_spec *spec)
{
    struct source s;
    struct window w;
    struct criteria k;
    if (kept_find(c)) return !c->no_memory;
    read_criteria(c, spec, &k);
    if (!check_filters(c, spec) || !source_open(c, spec, &k, &s) || !window_open(c, spec, &w)) return false;
    json_t *items = json_array();
    int64_t total = 0, skip = (w.number - 1) * w.size, taken = 0, last_seq = 0;
    bool more = false;
    for (struct entity *e; (e = source_next(&s)) != NULL;) {
        if (k.nothing || !is_wanted(c, e, &k, spec->type)) continue;
        total++;
        bool before = w.by_token ? e->seq <= w.after_seq : total <= skip;
        if (before) continue;
        if (taken == w.size) {
            more = true;
            continue;
        }
        (void)json_array_append_new(items, shape_entity(e, spec->shape));
        taken++;
        last_seq = e->seq;
    }
    answer_put(c, spec->wrapper, items);
    if (!spec->without_total) answer_put(c, "TotalCount", json_integer(total));
    if (w.by_token) {
        char token[24] = "";
        if (more) (void)snprintf(token, sizeof(token), "p%lld", (long long)last_seq);
        answer_text(c, "NextToken", token);
    } else {
        answer_put(c, "PageNumber", json_integer(w.number));
        answer_put(c, "PageSize", json_integer(w.size));
    }
    kept_add(c);
    return true;
}

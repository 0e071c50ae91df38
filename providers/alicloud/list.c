/* list.c - lists of the cloud, page by page, from each kind's table.  Source: api-behaviour 3
 *
 * 'after' is a page number, a token of the cloud's, or, for what a list of a few groups leaves out,
 * "attribute:" and the id of the group that was asked for last. */
#include "providers/alicloud/mapping.h"

#include "reconciler/base/buf.h"
#include "reconciler/base/limits.h"

#include <string.h>

#define ATTRIBUTE_PAGES "attribute:"

enum kind alicloud_list_scope_kind(const struct cloud *c, enum kind kind, uint8_t *field)
{
    const struct list_map *l = &map_of(kind)->list;
    (void)c;
    if (field != NULL) *field = l->scope_param == NULL ? FIELD_NO : l->scope_field;
    return l->scope_param == NULL ? KIND_NONE : l->scope_kind;
}

enum kind alicloud_listed_with(const struct cloud *c, enum kind kind)
{
    (void)c;
    return map_of(kind)->listed_with;
}

/* ---- requests ---- */

/* Ids as the operation takes them: joined by commas, or one JSON array. Ids of the cloud need no escaping;
 * what does is left out of the filter, and with it the filter. */
static bool plain_ids(const char *const *ids, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (strpbrk(ids[i], ",\"\\ ") != NULL || ids[i][0] == '\0') return false;
    return true;
}

static void add_ids(struct request *out, const struct list_map *l, const char *const *ids, uint32_t n)
{
    if (n == 0 || n > l->max_ids || !plain_ids(ids, n)) return;
    CLEANUP(buf_fini) struct buf b;
    buf_init(&b, LIMIT_YAML_SCALAR_BYTES);
    if (l->ids_json) buf_putc(&b, '[');
    for (uint32_t i = 0; i < n; i++)
        buf_printf(&b, l->ids_json ? "%s\"%s\"" : "%s%s", i > 0 ? "," : "", ids[i]);
    if (l->ids_json) buf_putc(&b, ']');
    if (buf_ok(&b))
        request_add(out, l->ids_param, buf_str(&b));
    else
        out->out_of_memory = true;
}

/* What DescribeSecurityGroups does not answer (InnerAccessPolicy), one group at a time. */
static enum next attribute_request(const struct cloud *c, const char *id, struct arena *arena,
                                   struct request *out, struct err *err)
{
    request_init(out, arena, "Ecs", "DescribeSecurityGroupAttribute");
    request_add(out, "RegionId", c->region);
    request_add(out, "SecurityGroupId", id);
    request_add(out, "NicType", "intranet");
    request_add(out, "MaxResults", "10"); /* the rules are not looked at */
    return end_request(out, err);
}

enum next alicloud_list_request(const struct cloud *c, const struct scope *s, const char *const *ids,
                                uint32_t n_ids, const char *after, struct arena *arena, struct request *out,
                                struct err *err)
{
    const struct kind_map *m = map_of(s->kind);
    const struct list_map *l = &m->list;
    if (s->kind == KIND_SECURITY_GROUP && after != NULL && has_id_prefix(after, ATTRIBUTE_PAGES))
        return attribute_request(c, after + strlen(ATTRIBUTE_PAGES), arena, out, err);
    if (l->scope_param != NULL && s->id == NULL) {
        (void)err_set(err, ERR_INPUT, "%s lists one %s at a time, and none was given", l->operation,
                      kind_info(l->scope_kind)->name);
        return NEXT_ERROR;
    }
    request_init(out, arena, m->product, l->operation);
    request_add(out, "RegionId", c->region);
    if (l->scope_param != NULL) request_add(out, l->scope_param, s->id);
    for (const struct word *f = l->fixed; f != NULL && f->ours != NULL; f++)
        request_add(out, f->ours, f->theirs);
    add_ids(out, l, ids, n_ids);
    if (l->paging == PAGE_NUMBER)
        request_add(out, "PageNumber", after == NULL ? "1" : after);
    else
        request_add(out, "NextToken", after);
    request_addf(out, l->size_param, "%u", (unsigned)l->size);
    return end_request(out, err);
}

/* ---- EIPs by address ---- */

/* Sorted by address; one per page that needs it. */
struct eip_index {
    size_t n;
    struct eip_row {
        const char *address, *id;
    } rows[];
};

static int compare_rows(const void *a, const void *b)
{
    return strcmp(((const struct eip_row *)a)->address, ((const struct eip_row *)b)->address);
}

static struct eip_index *index_eips(struct reading *r)
{
    size_t most = r->world == NULL ? 0 : world_count(r->world, KIND_EIP), cursor = 0;
    struct eip_index *index = arena_alloc(r->arena, sizeof *index + most * sizeof index->rows[0]);
    if (index == NULL) {
        r->out_of_memory = true;
        return NULL;
    }
    const struct object *o;
    while (index->n < most && (o = world_next(r->world, KIND_EIP, &cursor)) != NULL)
        if (value_is_set(o->values[EIP_ADDRESS]))
            index->rows[index->n++] = (struct eip_row){o->values[EIP_ADDRESS].u.text, o->id};
    qsort(index->rows, index->n, sizeof index->rows[0], compare_rows);
    return index;
}

const char *eip_by_address(struct reading *r, const char *address)
{
    if (r->eips == NULL) r->eips = index_eips(r);
    if (r->eips == NULL || r->eips->n == 0) return address;
    struct eip_row wanted = {.address = address};
    const struct eip_row *row = bsearch(&wanted, r->eips->rows, r->eips->n, sizeof wanted, compare_rows);
    return row == NULL ? address : row->id;
}

/* ---- items ---- */

struct object *page_add(struct reading *r, enum kind kind)
{
    struct object *o = arena_new_of(r->arena, struct object);
    struct value *values = arena_array_of(r->arena, kind_info(kind)->n_fields, struct value);
    if (o == NULL || values == NULL ||
        !arena_grow(r->arena, &r->page->objects, sizeof(struct object *), r->page->n, &r->capacity)) {
        r->out_of_memory = true;
        return NULL;
    }
    *o = (struct object){.kind = kind, .status = "", .values = values};
    r->page->objects[r->page->n++] = o;
    return o;
}

static bool has_word(const char *const *words, const char *status)
{
    for (; words != NULL && *words != NULL; words++)
        if (text_equal_nocase(text_of(*words), text_of(status))) return true;
    return false;
}

/* A word that nobody documented is something in transition.  Source: api-behaviour 11, surprise 15 */
enum phase phase_of(const struct kind_map *m, const char *status)
{
    static const char *const failed[] = {"Failed", "CreateFailed", NULL};
    if (status[0] == '\0' || m->ready == NULL || has_word(m->ready, status)) return PHASE_READY;
    if (has_word(m->deleting, status)) return PHASE_DELETING;
    return has_word(failed, status) ? PHASE_FAILED : PHASE_PENDING;
}

static const char *tag_part(struct reading *r, const json_t *tag, const char *name, const char *other)
{
    const char *text = json_text_at(tag, name, r->arena, &r->out_of_memory);
    return text != NULL ? text : json_text_at(tag, other, r->arena, &r->out_of_memory);
}

/* Tags that are neither ours nor the user's.  Source: api-behaviour 5.14 */
static bool is_reserved(const char *key)
{
    return has_id_prefix(key, "headgate:") || has_id_prefix(key, "acs:") || has_id_prefix(key, "aliyun");
}

static void read_owner(struct object *o, const char *stack, const char *address, const char *incarnation)
{
    enum kind kind;
    struct text name;
    uint64_t number = 0;
    if (stack == NULL || address == NULL || !address_parse(text_of(address), &kind, &name) || kind != o->kind)
        return;
    o->owner_stack = text_of(stack);
    o->owner_name = name;
    if (incarnation != NULL && text_to_u64(text_of(incarnation), UINT32_MAX - 1, &number))
        o->incarnation = (uint32_t)number;
}

static void read_tags(struct reading *r, const json_t *item, struct object *o)
{
    const json_t *tags = json_at(item, "Tags.Tag");
    const char *stack = NULL, *address = NULL, *incarnation = NULL;
    size_t count = json_count(tags);
    struct value *items = arena_array_of(r->arena, count * 2, struct value);
    if (items == NULL) {
        r->out_of_memory = true;
        return;
    }
    uint32_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const json_t *tag = json_item(tags, i);
        const char *key = tag_part(r, tag, "TagKey", "Key"), *value = tag_part(r, tag, "TagValue", "Value");
        if (key == NULL || key[0] == '\0') continue;
        if (value == NULL) value = "";
        if (strcmp(key, TAG_STACK) == 0) stack = value;
        if (strcmp(key, TAG_ADDRESS) == 0) address = value;
        if (strcmp(key, TAG_INCARNATION) == 0) incarnation = value;
        if (is_reserved(key)) continue;
        items[n++] = value_cstr(key);
        items[n++] = value_cstr(value);
    }
    n = value_sort_map(items, n);
    o->values[kind_info(o->kind)->tags_field] = value_list(items, n);
    read_owner(o, stack, address, incarnation);
}

/* For arrears or security.  Source: api-behaviour 5.4 and 11, surprise 22 */
static bool is_locked(const json_t *item)
{
    const char *status = json_string_value(json_at(item, "BusinessStatus"));
    if (status != NULL && status[0] != '\0' && strcmp(status, "Normal") != 0) return true;
    return json_count(json_at(item, "OperationLocks.LockReason")) > 0;
}

struct object *read_item(struct reading *r, enum kind kind, const json_t *item)
{
    const struct kind_map *m = map_of(kind);
    const struct kind_info *info = kind_info(kind);
    const char *id = json_text_at(item, m->id_path, r->arena, &r->out_of_memory);
    if (id != NULL && id[0] == '\0') id = NULL;
    if (id == NULL && kind != KIND_SECURITY_GROUP_RULE) return NULL;
    struct object *o = page_add(r, kind);
    if (o == NULL) return NULL;
    o->id = id;
    if (m->status_path != NULL) {
        const char *status = json_text_at(item, m->status_path, r->arena, &r->out_of_memory);
        if (status != NULL) o->status = status;
    }
    o->phase = phase_of(m, o->status);
    o->locked = is_locked(item);
    for (uint8_t i = 0; i < info->n_fields; i++)
        o->values[i] = read_value(r, &info->fields[i], &m->fields[i], item);
    if (m->tag_type != NULL) read_tags(r, item, o);
    if (m->read_more != NULL) m->read_more(r, item, o);
    return o->id == NULL ? NULL : o;
}

/* ---- groups' attributes ---- */

/* A group's object once more, with what only this answer tells of it. */
static void read_group_attribute(struct reading *r, const char *id)
{
    const struct field *f = &kind_security_group.fields[SG_INNER_ACCESS];
    const struct object *known =
        r->world == NULL || id == NULL ? NULL : world_find(r->world, KIND_SECURITY_GROUP, text_of(id));
    struct value v = read_value(r, f, &map_security_group.fields[SG_INNER_ACCESS], r->root);
    if (known == NULL || !value_is_set(v) || value_equal(f->type, v, known->values[SG_INNER_ACCESS])) return;
    struct object *o = page_add(r, KIND_SECURITY_GROUP);
    if (o == NULL) return;
    struct value *values = o->values;
    memcpy(values, known->values, SG_N * sizeof *values);
    *o = *known;
    o->values = values;
    values[SG_INNER_ACCESS] = v;
}

static const char *attribute_after(struct reading *r, const char *id)
{
    const char *after = id == NULL ? NULL : arena_printf(r->arena, ATTRIBUTE_PAGES "%s", id);
    if (id != NULL && after == NULL) r->out_of_memory = true;
    return after;
}

/* A list of a few groups goes on with their attributes, in the order of ids: the first one is on this page…
 */
static const char *first_attribute(struct reading *r)
{
    const char *first = NULL;
    for (uint32_t i = 0; i < r->page->n; i++) {
        const struct object *o = r->page->objects[i];
        if (o->kind == KIND_SECURITY_GROUP && (first == NULL || strcmp(o->id, first) < 0)) first = o->id;
    }
    return attribute_after(r, first);
}

/* … and the others are those of ours in the world of which it is not known yet. */
static const char *next_attribute(struct reading *r, const char *last)
{
    const char *first = NULL;
    const struct object *o;
    for (size_t cursor = 0;
         r->world != NULL && (o = world_next(r->world, KIND_SECURITY_GROUP, &cursor)) != NULL;)
        if (o->owner_stack.ptr != NULL && !value_is_set(o->values[SG_INNER_ACCESS]) &&
            strcmp(o->id, last) > 0 && (first == NULL || strcmp(o->id, first) < 0))
            first = o->id;
    return attribute_after(r, first);
}

/* ---- pages ---- */

/* Stop when the pages so far cover the total, or when one is empty: the total may change underway. */
static enum err_code next_number(struct reading *r, const struct list_map *l, const struct request *request,
                                 size_t n_items, struct err *err)
{
    uint64_t number = 0;
    int64_t size = 0, total = -1;
    const char *asked = request_get(request, "PageNumber");
    if (!text_to_u64(text_of(asked), LIMIT_API_PAGES, &number) || number == 0)
        return err_set(err, ERR_PROVIDER, "%s: page %s is out of range", request->operation,
                       asked == NULL ? "(none)" : asked);
    if (!json_int_at(r->root, "PageSize", &size) || size <= 0 || size > (int64_t)l->size) size = l->size;
    bool has_total = json_int_at(r->root, "TotalCount", &total) && total >= 0;
    if (has_total) r->page->total = (uint64_t)total;
    bool more = has_total ? number * (uint64_t)size < (uint64_t)total : n_items >= (size_t)size;
    if (n_items == 0 || !more) return ERR_OK;
    if (number == LIMIT_API_PAGES)
        return err_set(err, ERR_LIMIT, "%s: more than %d pages", request->operation, LIMIT_API_PAGES);
    r->page->next = arena_printf(r->arena, "%llu", (unsigned long long)number + 1);
    return r->page->next == NULL ? err_nomem(err) : ERR_OK;
}

static enum err_code next_token(struct reading *r, const struct request *request, struct err *err)
{
    int64_t total;
    if (json_int_at(r->root, "TotalCount", &total) && total > 0) r->page->total = (uint64_t)total;
    const char *token = json_text_at(r->root, "NextToken", r->arena, &r->out_of_memory);
    if (token == NULL || token[0] == '\0') return ERR_OK;
    const char *before = request_get(request, "NextToken");
    if (before != NULL && strcmp(before, token) == 0)
        return err_set(err, ERR_PROVIDER, "%s: the cloud gave the same NextToken twice", request->operation);
    r->page->next = token;
    return ERR_OK;
}

/* The array of an answer. A missing one is an empty list only where the answer says so: else everything would
 * look deleted. */
static enum err_code find_items(const json_t *root, const struct list_map *l, const char *operation,
                                const json_t **out, struct err *err)
{
    int64_t total;
    struct text rest = text_of(l->path), wrapper;
    char name[64];
    *out = json_at(root, l->path);
    if (json_is_array(*out) || json_is_object(*out)) return ERR_OK;
    (void)text_cut(&rest, '.', &wrapper);
    (void)snprintf(name, sizeof name, TEXT_FMT, TEXT_ARG(wrapper));
    bool has_total = json_int_at(root, "TotalCount", &total);
    if (*out == NULL && (has_total ? total == 0 : json_at(root, name) != NULL)) return ERR_OK;
    *out = NULL;
    return err_set(err, ERR_PROVIDER, "%s: the answer has no %s", operation, l->path);
}

static enum err_code read_items(struct reading *r, const struct request *request, struct err *err)
{
    enum kind kind = map_of(r->scope->kind)->listed_with;
    const struct list_map *l = &map_of(kind)->list;
    const json_t *items = NULL;
    enum err_code code = find_items(r->root, l, request->operation, &items, err);
    if (code != ERR_OK) return code;
    size_t n = json_count(items);
    for (size_t i = 0; i < n; i++)
        if (read_item(r, kind, json_item(items, i)) == NULL)
            return r->out_of_memory ? err_nomem(err)
                                    : err_set(err, ERR_PROVIDER, "%s: item %zu has no %s", request->operation,
                                              i + 1, map_of(kind)->id_path);
    code = l->paging == PAGE_NUMBER ? next_number(r, l, request, n, err) : next_token(r, request, err);
    if (code != ERR_OK) return code;
    if (kind == KIND_SECURITY_GROUP_RULE) read_group_attribute(r, r->scope->id);
    if (kind == KIND_SECURITY_GROUP && r->page->next == NULL && n > 0 &&
        request_get(request, map_security_group.list.ids_param) != NULL)
        r->page->next = first_attribute(r);
    return ERR_OK;
}

/* The answer about one of a few groups. One that went away meanwhile is no error: the list shows that. */
static void read_attribute_page(struct reading *r, const struct request *request)
{
    const char *id = request_get(request, "SecurityGroupId");
    if (id == NULL) return;
    if (r->root != NULL) read_group_attribute(r, id);
    r->page->next = next_attribute(r, id);
}

enum err_code alicloud_read_page(const struct cloud *c, const struct scope *s, const struct request *r,
                                 int http_status, struct body body, const struct world *w,
                                 struct arena *arena, struct page *out, struct outcome *outcome,
                                 struct err *err)
{
    struct outcome own;
    if (outcome == NULL) outcome = &own;
    *out = (struct page){0};
    (void)c;
    json_auto_t *document = document_of(body);
    outcome_of(NULL, r, http_status, body.text, document, arena, outcome);
    bool attribute =
        s->kind == KIND_SECURITY_GROUP && strcmp(r->operation, "DescribeSecurityGroupAttribute") == 0;
    bool gone = attribute && outcome->class == OUTCOME_GONE;
    if (outcome->class != OUTCOME_DONE && !gone)
        return err_set(err, ERR_PROVIDER, "%s: %s%s%s", r->operation,
                       outcome->code[0] != '\0' ? outcome->code : outcome_name(outcome->class),
                       outcome->message[0] != '\0' ? ": " : "", outcome->message);
    struct reading reading = {
        .scope = s, .world = w, .arena = arena, .page = out, .root = gone ? NULL : document};
    enum err_code code = ERR_OK;
    if (attribute)
        read_attribute_page(&reading, r);
    else
        code = read_items(&reading, r, err);
    if (gone) outcome->class = OUTCOME_DONE;
    if (code == ERR_OK && reading.out_of_memory) code = err_nomem(err);
    if (code != ERR_OK) *out = (struct page){0};
    return code;
}

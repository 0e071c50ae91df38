/* route.c - route entries: system routes that the cloud keeps, and custom ones. */
#include <string.h>

#include "providers/mock/handlers.h"
#include "providers/mock/shape.h"

enum { MAX_HOPS = 16, MAX_BATCH = 50 };

/* ---- Next hops: one in two attributes, or several in a list "type:id:weight,…" ---- */

static json_t *hop_json(const char *type, const char *id, int64_t weight)
{
    return json_pack("{s:s, s:s, s:I, s:i}", "NextHopType", type, "NextHopId", id, "Weight",
                     (json_int_t)weight, "Enabled", 1);
}

static json_t *route_hops(const struct entity *e)
{
    json_t *array = json_array();
    const char *list = entity_get(e, A_ROUTE_HOPS);
    if (list[0] == '\0')
        (void)json_array_append_new(array,
                                    hop_json(entity_get(e, A_ROUTE_HOP_TYPE), entity_get(e, A_ROUTE_HOP), 0));
    struct text rest = text_of(list), item, type, id;
    while (list_next(&rest, &item)) {
        char type_text[32] = "", id_text[ENTITY_ID_SIZE] = "";
        int64_t weight = 0;
        if (!text_cut(&item, ':', &type) || !text_cut(&item, ':', &id)) continue;
        (void)snprintf(type_text, sizeof(type_text), TEXT_FMT, TEXT_ARG(type));
        (void)snprintf(id_text, sizeof(id_text), TEXT_FMT, TEXT_ARG(id));
        if (item.ptr == NULL || !text_to_i64(item, 0, 255, &weight)) weight = 0;
        (void)json_array_append_new(array, hop_json(type_text, id_text, weight));
    }
    return array;
}

bool route_leads_to(const struct entity *route, const char *hop_id)
{
    if (entity_is(route, A_ROUTE_HOP, hop_id)) return true;
    struct text rest = text_of(entity_get(route, A_ROUTE_HOPS)), item, type, id;
    while (list_next(&rest, &item))
        if (text_cut(&item, ':', &type) && text_cut(&item, ':', &id) && text_is(id, hop_id)) return true;
    return false;
}

/* ---- Answers ---- */

static const struct shape route_shape[] = {
    FIELD("RouteEntryId", SHAPE_ID, 0),
    FIELD("RouteEntryName", SHAPE_ATTR, A_ROUTE_NAME),
    FIELD("Description", SHAPE_ATTR, A_ROUTE_DESCRIPTION),
    FIELD("DestinationCidrBlock", SHAPE_ATTR, A_ROUTE_DESTINATION),
    FIELD("RouteTableId", SHAPE_LINK, OWNER),
    FIELD("Type", SHAPE_ATTR, A_ROUTE_KIND),
    FIELD_TEXT("IpVersion", "IPv4"),
    FIELD("GmtModified", SHAPE_TIME, 0),
    FIELD("Status", SHAPE_STATUS, 0),
    FIELD_MAKE("NextHops.NextHop", route_hops),
    END_FIELDS,
};

static const struct filter route_filters[] = {
    {"RouteEntryType", FILTER_ATTR, A_ROUTE_KIND},
    {"RouteEntryName", FILTER_ATTR, A_ROUTE_NAME},
    {"DestinationCidrBlock", FILTER_ATTR, A_ROUTE_DESTINATION},
    {"NextHopType", FILTER_ATTR, A_ROUTE_HOP_TYPE},
    {"NextHopId", FILTER_ATTR, A_ROUTE_HOP},
    END_FILTERS,
};

static const struct list_spec routes = {
    .type = E_ROUTE,
    .wrapper = "RouteEntrys.RouteEntry",
    .shape = route_shape,
    .filters = route_filters,
    .paging = BY_TOKEN,
    .size_param = "MaxResult",
    .default_size = 10,
    .ids_param = "RouteEntryId",
    .ignored = (const char *const[]){"IpVersion", NULL},
    .narrow = {{"RouteTableId", E_TABLE, OWNER, false}},
};

bool route_list(struct call *c)
{
    const char *id = arg(c, "RouteTableId");
    if (lookup(c, E_TABLE, id) == NULL)
        return refuse(c, 404, "InvalidRouteTable.NotFound",
                      "The specified route table \"%s\" does not exist.", id);
    return list_entities(c, &routes);
}

/* ---- What others ask ---- */

struct entity *route_add(struct mock *m, struct entity *table, const char *id, const char *destination,
                         const char *kind, const char *hop_type, const char *hop, int64_t now_ms)
{
    struct entity *e = add_entity(m, E_ROUTE, table->region, now_ms, id, ST_AVAILABLE);
    if (e == NULL) return NULL;
    entity_set(&m->store, e, A_ROUTE_DESTINATION, destination);
    entity_set(&m->store, e, A_ROUTE_KIND, kind);
    entity_set(&m->store, e, A_ROUTE_HOP_TYPE, hop_type);
    entity_set(&m->store, e, A_ROUTE_HOP, hop);
    entity_link(&m->store, e, OWNER, table);
    return e;
}

/* A custom route to exactly this destination. */
struct entity *route_find(const struct entity *table, struct cidr destination)
{
    for (EACH_CHILD(e, table, OWNER, E_ROUTE))
        if (entity_is(e, A_ROUTE_KIND, "Custom") &&
            cidr_compare(block_of(e, A_ROUTE_DESTINATION), destination) == 0)
            return e;
    return NULL;
}

void routes_drop_vswitch(struct mock *m, struct entity *vswitch)
{
    const struct entity *vpc = vswitch->links[OWNER].to;
    const char *block = entity_get(vswitch, A_VSWITCH_CIDR);
    if (vpc == NULL) return;
    for (EACH_CHILD(table, vpc, OWNER, E_TABLE))
        for (EACH_CHILD_SAFE(e, table, OWNER, E_ROUTE))
            if (entity_is(e, A_ROUTE_KIND, "System") && entity_is(e, A_ROUTE_DESTINATION, block))
                store_remove(&m->store, e);
}

/* ---- A wanted route ---- */

struct hop {
    const char *type, *id, *weight;
};

struct wanted_route {
    struct entity *table;
    struct cidr destination;
    struct hop hops[MAX_HOPS];
    size_t n_hops;
    const char *name, *description;
};

/* A bare address counts as /32.  Source: CreateRouteEntry, DestinationCidrBlock */
static bool parse_destination(struct call *c, const char *text, struct cidr *out)
{
    uint32_t ip;
    if (ip_parse(text_of(text), &ip) == IP_OK) {
        *out = (struct cidr){ip, 32};
        return true;
    }
    return parse_block(c, text, "InvalidCIDRBlock.Malformed", out);
}

static bool check_destination(struct call *c, const struct wanted_route *w)
{
    static const struct cidr services = {0x64400000, 10}; /* 100.64.0.0/10 */
    const struct entity *vpc = w->table->links[OWNER].to;
    if (cidr_compare(w->destination, services) == 0)
        return refuse(c, 400, "InvalidCIDRBlock.Reserved", "100.64.0.0/10 belongs to the cloud.");
    for (EACH_CHILD(vswitch, vpc, OWNER, E_VSWITCH))
        if (cidr_contains(block_of(vswitch, A_VSWITCH_CIDR), w->destination))
            return refuse(c, 400, "InvalidCIDRBlock.InVSwitch", "The destination lies in vSwitch %s.",
                          vswitch->id);
    if (route_find(w->table, w->destination) != NULL)
        return refuse(c, 400, "RouterEntryConflict.Duplicated", "Table %s has a route to this destination.",
                      w->table->id);
    return true;
}

/* The next hop is in the same VPC, and ready. */
static bool check_hop(struct call *c, const struct entity *vpc, const struct hop *hop)
{
    bool nat = strcmp(hop->type, "NatGateway") == 0;
    if (!nat && strcmp(hop->type, "Instance") != 0)
        return refuse(c, 400, "OperationUnsupported.NextHopType", "The simulated cloud has no %s.",
                      hop->type);
    const struct entity *e = lookup(c, nat ? E_NAT : E_INSTANCE, hop->id);
    if (e == NULL || e->links[OWNER].to != vpc)
        return refuse(c, 404, "InvalidNextHopId.NotFound", "There is no %s \"%s\" in VPC %s.", hop->type,
                      hop->id, vpc->id);
    if (nat) return nat_is_available(c, e, "IncorrectStatus.NatGateway");
    if (e->status != ST_RUNNING && e->status != ST_STOPPED)
        return refuse(c, 400, "IncorrectInstanceStatus", "Instance %s is %s.", e->id,
                      status_names[e->status]);
    return true;
}

static size_t count_custom(const struct entity *table)
{
    size_t n = 0;
    for (EACH_CHILD(e, table, OWNER, E_ROUTE)) n += entity_is(e, A_ROUTE_KIND, "Custom");
    return n;
}

static bool check_route(struct call *c, const struct wanted_route *w)
{
    if (!check_destination(c, w)) return false;
    for (size_t i = 0; i < w->n_hops; i++)
        if (!check_hop(c, w->table->links[OWNER].to, &w->hops[i])) return false;
    if (!within_quota(c, OPT_QUOTA_ROUTE, count_custom(w->table), 1))
        return refuse(c, 400, "QuotaExceeded", "The quota of custom routes of table %s is reached.",
                      w->table->id);
    return true;
}

static bool check_table(struct call *c, const struct entity *table)
{
    if (table->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectStatus.RouteTableStatus", "Route table %s is %s.", table->id,
                      status_names[table->status]);
    return vpc_is_free(c, table->links[OWNER].to, "TaskConflict");
}

static void set_hops(struct store *s, struct entity *e, const struct hop *hops, size_t n)
{
    char list[MAX_HOPS * (32 + ENTITY_ID_SIZE + 8)] = "";
    if (n == 1) {
        entity_set(s, e, A_ROUTE_HOP_TYPE, hops[0].type);
        entity_set(s, e, A_ROUTE_HOP, hops[0].id);
        return;
    }
    size_t len = 0;
    for (size_t i = 0; i < n && len < sizeof(list); i++)
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%.31s:%.31s:%.7s", i == 0 ? "" : ",",
                                hops[i].type, hops[i].id, hops[i].weight);
    entity_set(s, e, A_ROUTE_HOPS, list);
}

static struct entity *make_route(struct call *c, const struct wanted_route *w, int64_t ready_at_ms)
{
    char destination[CIDR_TEXT_SIZE];
    struct entity *e = route_add(c->m, w->table, NULL, cidr_format(w->destination, destination), "Custom", "",
                                 "", c->now_ms);
    if (e == NULL) return NULL;
    set_hops(c->s, e, w->hops, w->n_hops);
    entity_set(c->s, e, A_ROUTE_NAME, w->name);
    entity_set(c->s, e, A_ROUTE_DESCRIPTION, w->description);
    entity_move(c->s, e, ST_PENDING, ST_AVAILABLE, ready_at_ms, w->table->links[OWNER].to);
    return e;
}

/* ---- One route ---- */

static bool read_hops(struct call *c, struct wanted_route *w)
{
    const char *id = arg(c, "NextHopId");
    for (const char *hop; (hop = argf(c, "NextHopList.%u.NextHopId", (unsigned)w->n_hops + 1)) != NULL;
         w->n_hops++) {
        unsigned n = (unsigned)w->n_hops + 1;
        if (n > MAX_HOPS)
            return refuse(c, 400, "InvalidParameter", "At most %d next hops are possible.", MAX_HOPS);
        const char *type = argf(c, "NextHopList.%u.NextHopType", n),
                   *weight = argf(c, "NextHopList.%u.Weight", n);
        w->hops[w->n_hops] =
            (struct hop){type == NULL ? "Instance" : type, hop, weight == NULL ? "100" : weight};
    }
    if ((w->n_hops == 0) == (id == NULL))
        return refuse(c, 400, "MissingParameter", "Exactly one of NextHopId and NextHopList is needed.");
    if (id != NULL) w->hops[w->n_hops++] = (struct hop){arg_or(c, "NextHopType", "Instance"), id, "0"};
    return true;
}

bool route_create(struct call *c)
{
    struct wanted_route w = {.table = need(c, E_TABLE, "RouteTableId"),
                             .name = arg(c, "RouteEntryName"),
                             .description = arg(c, "Description")};
    if (w.table == NULL || !check_name(c, "RouteEntryName", false) || !check_description(c, "Description"))
        return false;
    if (!parse_destination(c, arg(c, "DestinationCidrBlock"), &w.destination) || !read_hops(c, &w))
        return false;
    if (!check_table(c, w.table) || !check_route(c, &w) || !call_accept(c)) return false;
    struct entity *e = make_route(c, &w, ready_after(c->m, c->now_ms, TAKES_ROUTE));
    if (e != NULL) answer_text(c, "RouteEntryId", e->id);
    return true;
}

/* By id, or by table and destination. */
static struct entity *find_route(struct call *c, const char *id, const char *table_id,
                                 const char *destination)
{
    struct entity *e = NULL;
    if (id != NULL) {
        e = lookup(c, E_ROUTE, id);
    } else if (table_id != NULL && destination != NULL) {
        const struct entity *table = lookup(c, E_TABLE, table_id);
        struct cidr block;
        if (table == NULL) {
            (void)refuse_missing(c, E_TABLE, table_id);
            return NULL;
        }
        if (!parse_destination(c, destination, &block)) return NULL;
        e = route_find(table, block);
        if (e == NULL) {
            for (EACH_CHILD(system, table, OWNER, E_ROUTE))
                if (cidr_compare(block_of(system, A_ROUTE_DESTINATION), block) == 0) e = system;
        }
    } else {
        (void)refuse(c, 400, "MissingParameter",
                     "RouteEntryId, or RouteTableId and DestinationCidrBlock, is needed.");
        return NULL;
    }
    if (e == NULL) (void)refuse_missing(c, E_ROUTE, id != NULL ? id : destination);
    return e;
}

static bool check_changeable(struct call *c, const struct entity *e)
{
    if (!entity_is(e, A_ROUTE_KIND, "Custom"))
        return refuse(c, 400, "OperationDenied", "A system route cannot be changed or deleted.");
    if (e->status != ST_AVAILABLE)
        return refuse(c, 400, "IncorrectRouteEntryStatus", "Route entry %s is %s.", e->id,
                      status_names[e->status]);
    return true;
}

bool route_modify(struct call *c)
{
    struct entity *e =
        find_route(c, arg(c, "RouteEntryId"), arg(c, "RouteTableId"), arg(c, "DestinationCidrBlock"));
    if (e == NULL || !check_name(c, "RouteEntryName", false) || !check_description(c, "Description"))
        return false;
    struct entity *vpc = e->links[OWNER].to->links[OWNER].to;
    const char *hop_id = arg(c, "NewNextHopId");
    struct hop hop = {arg_or(c, "NewNextHopType", entity_get(e, A_ROUTE_HOP_TYPE)), hop_id, "0"};
    if (!check_changeable(c, e) || !vpc_is_free(c, vpc, "TaskConflict")) return false;
    if (hop_id != NULL && !entity_is(e, A_ROUTE_HOPS, ""))
        return refuse(c, 400, "OperationUnsupported.EcmpRouteEntry",
                      "The next hops of an ECMP route cannot be changed.");
    if (hop_id != NULL && !check_hop(c, vpc, &hop)) return false;
    if (!call_accept(c)) return false;
    if (hop_id != NULL) set_hops(c->s, e, &hop, 1);
    arg_to_attr(c, e, "RouteEntryName", A_ROUTE_NAME);
    arg_to_attr(c, e, "Description", A_ROUTE_DESCRIPTION);
    entity_move(c->s, e, ST_MODIFYING, ST_AVAILABLE, ready_after(c->m, c->now_ms, TAKES_ROUTE), vpc);
    return true;
}

bool route_delete(struct call *c)
{
    struct entity *e =
        find_route(c, arg(c, "RouteEntryId"), arg(c, "RouteTableId"), arg(c, "DestinationCidrBlock"));
    if (e == NULL) return false;
    const char *hop = arg(c, "NextHopId");
    if (hop != NULL && hop[0] != '\0' && !route_leads_to(e, hop)) return refuse_missing(c, E_ROUTE, hop);
    struct entity *vpc = e->links[OWNER].to->links[OWNER].to;
    if (!check_changeable(c, e) || !vpc_is_free(c, vpc, "TaskConflict") || !call_accept(c)) return false;
    entity_move(c->s, e, ST_DELETING, ST_GONE, ready_after(c->m, c->now_ms, TAKES_ROUTE), vpc);
    return true;
}

/* ---- Batches: each entry succeeds or fails by itself ---- */

struct batch {
    json_t *failed;
    unsigned n_done, n_failed;
    int64_t ready_at_ms;
};

/* Notes the refusal of one entry and takes it back from the call. */
static void batch_failed(struct call *c, struct batch *b, const char *destination, const char *hop,
                         const char *id)
{
    json_t *row = json_pack("{s:s, s:s, s:s, s:s}", "DstCidrBlock", destination, "NextHop", hop, "FailedCode",
                            c->code, "FailedMessage", c->message);
    if (id != NULL) (void)json_object_set_new_nocheck(row, "RouteEntryId", json_string(id));
    (void)json_array_append_new(b->failed, row);
    b->n_failed++;
    c->code = NULL;
}

static void batch_answer(struct call *c, const struct batch *b)
{
    answer_put(c, "SuccessCount", json_integer(b->n_done));
    answer_put(c, "FailedCount", json_integer(b->n_failed));
    answer_put(c, "FailedRouteEntries", b->failed);
}

static const char *entry_arg(const struct call *c, unsigned n, const char *field)
{
    return argf(c, "RouteEntries.%u.%s", n, field);
}

/* A batch needs the VPC's queue of tasks like a single call: the whole is refused while another is at work.
 */
static bool batch_is_possible(struct call *c, unsigned *n_entries)
{
    unsigned n = 0;
    for (const char *table_id; (table_id = entry_arg(c, n + 1, "RouteTableId")) != NULL; n++) {
        if (n == MAX_BATCH)
            return refuse(c, 400, "InvalidParameter", "At most %d entries are possible.", MAX_BATCH);
        const struct entity *table = lookup(c, E_TABLE, table_id);
        if (table == NULL) return refuse_missing(c, E_TABLE, table_id);
        if (!check_table(c, table)) return false;
    }
    if (n == 0) return refuse(c, 400, "MissingParameter", "RouteEntries is mandatory.");
    *n_entries = n;
    return call_accept(c);
}

bool route_create_batch(struct call *c)
{
    unsigned n;
    if (!batch_is_possible(c, &n)) return false;
    struct batch b = {.failed = json_array(), .ready_at_ms = ready_after(c->m, c->now_ms, TAKES_ROUTE)};
    json_t *ids = json_array();
    for (unsigned i = 1; i <= n; i++) {
        const char *destination = entry_arg(c, i, "DstCidrBlock"), *hop = entry_arg(c, i, "NextHop");
        struct wanted_route w = {
            .table = lookup(c, E_TABLE, entry_arg(c, i, "RouteTableId")),
            .hops = {{entry_arg(c, i, "NextHopType"), hop, "0"}},
            .n_hops = 1,
            .name = entry_arg(c, i, "Name"),
            .description = entry_arg(c, i, "Description"),
        };
        if (!parse_destination(c, destination, &w.destination) || !check_route(c, &w)) {
            batch_failed(c, &b, destination, hop, NULL);
            continue;
        }
        const struct entity *e = make_route(c, &w, b.ready_at_ms);
        if (e != NULL) (void)json_array_append_new(ids, json_string(e->id));
        b.n_done++;
    }
    batch_answer(c, &b);
    answer_put(c, "RouteEntryIds", ids);
    return true;
}

bool route_delete_batch(struct call *c)
{
    unsigned n;
    if (!batch_is_possible(c, &n)) return false;
    struct batch b = {.failed = json_array(), .ready_at_ms = ready_after(c->m, c->now_ms, TAKES_ROUTE)};
    for (unsigned i = 1; i <= n; i++) {
        const char *id = entry_arg(c, i, "RouteEntryId"), *destination = entry_arg(c, i, "DstCidrBlock");
        const char *hop = entry_arg(c, i, "NextHop");
        struct entity *e = find_route(c, id, entry_arg(c, i, "RouteTableId"), destination);
        if (e == NULL || !check_changeable(c, e)) {
            batch_failed(c, &b, destination == NULL ? "" : destination, hop == NULL ? "" : hop, id);
            continue;
        }
        entity_move(c->s, e, ST_DELETING, ST_GONE, b.ready_at_ms, e->links[OWNER].to->links[OWNER].to);
        b.n_done++;
    }
    batch_answer(c, &b);
    return true;
}

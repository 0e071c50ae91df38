/* mapping.h - how one kind is spelled in the cloud's API: the shape of the tables in map_*.c.
 *
 * A kind is one 'struct kind_map' with a row per field; an operation is one row in operations.c. The generic
 * code (next.c, list.c, outcome.c, keys.c) walks the tables; a function pointer stands only where a kind
 * truly differs. Internal to providers/alicloud. */
#pragma once

#include "reconciler/model/cloud.h"

#include <jansson.h>

/* ---- operations.c: what is known of each operation ---- */

enum operation_flags {
    OP_TOKEN = 1u << 0,     /* takes a ClientToken.  Source: api-behaviour 1.13 */
    OP_ASYNC = 1u << 1,     /* its answer means "accepted" */
    OP_CREATE = 1u << 2,    /* makes something: a lost answer leaves it there */
    OP_DELETE = 1u << 3,    /* removes or unbinds */
    OP_LOOKUP = 1u << 4,    /* changes nothing; the first object that it lists is what was looked for */
    OP_NO_REGION = 1u << 5, /* takes no RegionId: the host says it.  Source: DeleteInstance */
};

/* What changes of one thing must not overlap with.  Source: api-behaviour 7 */
enum operation_keys {
    KEY_VPC = 1u << 0,
    KEY_NAT = 1u << 1,
    KEY_EIP = 1u << 2,
    KEY_GROUP = 1u << 3,
    KEY_INSTANCE = 1u << 4,
    KEY_SETTLE = 1u << 5, /* the keys are held until the object is ready or gone */
    KEY_VSWITCH =
        1u << 6, /* held until then only by what changes the vSwitch's table: it is Pending meanwhile */
};

/* Codes are separated by blanks; each matches itself and what follows it after a dot.
 * Source: api-behaviour 6 */
struct operation {
    const char *name;
    uint32_t flags;      /* enum operation_flags */
    uint32_t keys;       /* enum operation_keys */
    const char *id_path; /* OP_CREATE: where the answer has the new id; NULL: it has none */
    const char *busy;    /* or NULL, as the following */
    const char *gone;    /* what it was about does not exist */
    const char *exists;  /* the same natural key is taken */
    const char *pending; /* it is under way already */
    const char *look;    /* the code does not say whether it is done: look */
};

/* NULL when the name is not one of ours. */
const struct operation *operation_find(const char *name);
/* Whether 'code' is in a list of a struct operation (which may be NULL). */
bool code_listed(const char *codes, const char *code);

/* ---- map_*.c: the kinds ---- */

/* A word of ours and the API's. Tables end with a row of NULLs. */
struct word {
    const char *ours, *theirs;
};

enum spelling {
    AS_TYPE,      /* as the field's type says */
    AS_BIT,       /* a BOOL as 0 or 1 */
    AS_ADDRESS,   /* an EIP by its address */
    AS_ADDRESSES, /* a list of EIPs as addresses, joined by commas */
};

/* A row per field of a kind. */
struct field_map {
    const char *create; /* parameter of the create operation; NULL: it has none */
    const char *modify; /* parameter of the operation that changes it */
    uint8_t by;         /* which of the kind's 'modifies' changes it, from 1; 0: none */
    bool send_initial;  /* on create the kind's initial value is sent when nothing is set */
    enum spelling as;
    const struct word *words; /* for ENUM and PORTS; NULL: the same, without case */
    const char *path;         /* in a list item, by dots; NULL: not answered there */
    /* References that share one parameter with others are told apart by a type beside it. */
    const char *type, *type_create, *type_modify, *type_path;
};

/* One operation that changes fields in place. */
struct modify_map {
    const char *operation;
    const char *id_param;
    const char *fixed_param, *fixed; /* sent besides, or NULL */
};

enum paging { PAGE_NUMBER, PAGE_TOKEN };

struct list_map {
    const char *operation;
    const char *path; /* of the array in an answer */
    enum paging paging;
    const char *size_param;   /* "PageSize", "MaxResults", "MaxResult" */
    uint32_t size;            /* the largest page */
    const char *ids_param;    /* filter by ids */
    uint32_t max_ids;         /* 0: the operation has no such filter */
    bool ids_json;            /* one JSON array; else joined by commas */
    const char *scope_param;  /* names the parent; NULL: lists of the region */
    enum kind scope_kind;     /* with scope_param */
    uint8_t scope_field;      /* with scope_param: the kind's field that refers to the parent */
    const struct word *fixed; /* parameters always sent: name, value */
};

struct duration {
    int64_t shortest_ms, typical_ms, deadline_ms;
};

/* What reading of one page shares. */
struct reading {
    const struct scope *scope;
    const struct world *world; /* may be NULL */
    struct arena *arena;
    struct page *page;
    size_t capacity;        /* of page->objects */
    struct eip_index *eips; /* built when first needed */
    const json_t *root;     /* the whole answer */
    bool out_of_memory;
};

struct kind_map {
    const char *product; /* "Vpc", "Ecs" */
    const struct field_map *fields;

    const char *create;              /* operation */
    const struct word *create_fixed; /* parameters always sent: name, value; or NULL */
    const char *remove;              /* operation that deletes */
    const char *id_param;            /* of 'remove' */
    uint64_t remove_fields;          /* fields as observed that 'remove' takes besides the id, as on create */
    const struct word *remove_fixed;
    struct modify_map modifies[4];
    /* Entries of a gateway are addressed by the id of its table, which is a computed field of the gateway. */
    struct {
        const char *param; /* NULL: none */
        uint8_t parent_field, table_field;
    } table;

    struct list_map list;
    enum kind listed_with; /* the kind whose list shows it; itself for most */
    const char *id_path;
    const char *status_path;
    const char *const *ready; /* status words, NULL-terminated; NULL: always ready */
    const char *const *deleting;
    const char *tag_type;         /* ResourceType of the tag operations; NULL: no tags */
    const char *untag;            /* "UnTagResources", or as the ECS spells it */
    uint8_t protection;           /* field that is the cloud's deletion protection, or FIELD_NO */
    bool name_without_dots;       /* a name made from metadata.name is sent only if it fits */
    struct duration durations[3]; /* by verb */

    /* Where a kind differs. NULL: as the tables say. */
    enum next (*next_create)(const struct cloud *c, const struct goal *g, struct request *out,
                             struct err *err);
    enum next (*next_update)(const struct cloud *c, const struct goal *g, struct request *out,
                             struct err *err);
    enum next (*next_remove)(const struct cloud *c, const struct goal *g, struct request *out,
                             struct err *err);
    /* How many requests next_update() has for a goal; nothing may be observed yet. NULL: none. */
    uint32_t (*count_update)(const struct cloud *c, const struct goal *g);
    /* Whether a field can be changed to a value in place. NULL: what is not FIELD_IMMUTABLE can. */
    bool (*may_change)(uint8_t field, struct value wanted, const struct object *seen);
    /* After the fields were read: what needs more than a path. May add further objects to the page. */
    void (*read_more)(struct reading *r, const json_t *item, struct object *o);
};

extern const struct kind_map map_vpc, map_vswitch, map_security_group, map_security_group_rule, map_instance,
    map_nat_gateway, map_eip, map_eip_association, map_snat_entry, map_dnat_entry, map_route_table,
    map_route_entry, map_route_table_association;

const struct kind_map *map_of(enum kind kind);

/* ---- json.c: answers, whose numbers may be texts and the reverse ---- */

/* Follows names by dots. An array on the way counts as its only item; NULL when anything is missing. */
const json_t *json_at(const json_t *j, const char *path);
/* Texts, numbers and booleans as text, an array as its first item; NULL when there is none. The text is
 * copied into the arena (NULL also when that is full, then *out_of_memory is set). */
const char *json_text_at(const json_t *j, const char *path, struct arena *a, bool *out_of_memory);
/* Whether there is a text at 'path' and it is this one. */
bool json_text_is(const json_t *j, const char *path, const char *text);
bool json_int_at(const json_t *j, const char *path, int64_t *out);
/* The items at 'path'; a single object or text counts as a list of one. */
size_t json_count(const json_t *list);
const json_t *json_item(const json_t *list, size_t i);

/* The document of a body, to be released; NULL: it is none. */
json_t *document_of(struct body body);

/* ---- spell.c: values to parameters and back ---- */

/* The kind's initial value of a field; unset when it has none. */
struct value initial_value(const struct field *f);
/* Adds a value as the row says. ERR_STALE when it, or what it refers to, is not known yet. */
MUST_CHECK enum err_code spell_value(struct request *r, const struct goal *g, const struct field *f,
                                     const struct field_map *m, const char *param, struct value v,
                                     struct err *err);
/* Adds the value (as spell_value() does) and the type beside it, under the names of a create or modify. */
MUST_CHECK enum err_code spell_field(struct request *r, const struct goal *g, uint8_t field, bool modify,
                                     struct value v, struct err *err);
/* Reads a field of an item; unset when it is not there. */
struct value read_value(struct reading *r, const struct field *f, const struct field_map *m,
                        const json_t *item);
/* Canonical texts: a block (a bare address is a /32), ports ("80/80" is "80"). Copied into the arena. */
struct value cidr_value(struct arena *a, const char *text, bool *out_of_memory);
struct value ports_value(struct arena *a, const char *text, bool *out_of_memory);

/* ---- list.c ---- */

/* A new object of a kind with all values unset, added to the page. NULL when out of memory. */
struct object *page_add(struct reading *r, enum kind kind);
/* Reads one list item of a kind into the page. NULL when it has no id or memory is out. */
struct object *read_item(struct reading *r, enum kind kind, const json_t *item);
/* What the status words of a kind mean. */
enum phase phase_of(const struct kind_map *m, const char *status);
/* The id of the EIP with this address, or the address itself when no such EIP is known. */
const char *eip_by_address(struct reading *r, const char *address);

/* ---- outcome.c ---- */

/* What an answer means, given its document (NULL: it has none). */
void outcome_of(const struct goal *g, const struct request *r, int http_status, struct text text,
                const json_t *root, struct arena *arena, struct outcome *out);

/* ---- next.c and tags.c ---- */

/* Starts a request: product of the goal's kind, region, client token where the operation takes it. */
void begin_request(const struct cloud *c, const struct goal *g, const char *operation, struct request *out);
enum next end_request(struct request *out, struct err *err);
/* The create request as the kind's table says; for kinds with a next_create() of their own. */
enum next next_generic_create(const struct cloud *c, const struct goal *g, struct request *out,
                              struct err *err);
/* What a field is to be after the goal, when that is to be compared at all. */
bool field_wanted(const struct goal *g, uint8_t field, struct value *out);
/* Whether a field has to be changed to the wanted value. */
bool field_differs(const struct cloud *c, const struct goal *g, uint8_t field, struct value wanted);
/* What differs from the wanted value and can be changed in place by the tables, as a set of fields. */
uint64_t differing_fields(const struct cloud *c, const struct goal *g);
/* The value of a field as desired, or as observed where nothing is desired. */
struct value goal_value(const struct goal *g, uint8_t field);
/* Whether metadata.name also serves as the name in the console; only ASCII is tried. */
bool name_fits(const struct kind_map *m, struct text name);
/* The id that a REF_ID value holds, or NULL. */
const char *ref_id(struct value v);
bool has_id_prefix(const char *id, const char *prefix);

/* Adds the tags of a create call. */
void tags_on_create(const struct goal *g, struct request *out);
/* The next change of tags: NEXT_DONE when they are as wanted. */
enum next tags_next(const struct cloud *c, const struct goal *g, struct request *out, struct err *err);
/* How many requests tags_next() has. */
uint32_t tags_count(const struct cloud *c, const struct goal *g, struct arena *arena);

/* ---- the entries of struct cloud ---- */

enum next alicloud_next(const struct cloud *c, const struct goal *g, struct arena *arena, struct request *out,
                        struct err *err);
bool alicloud_may_batch(const struct cloud *c, const struct goal *a, const struct goal *b);
uint32_t alicloud_batch_limit(const struct cloud *c, const struct goal *g);
enum next alicloud_next_batch(const struct cloud *c, const struct goal *const *goals, uint32_t n,
                              struct arena *arena, struct request *out, struct err *err);
size_t alicloud_serial_keys(const struct cloud *c, const struct goal *g, const struct request *r,
                            struct serial_key out[MAX_SERIAL_KEYS]);
void alicloud_durations(const struct cloud *c, enum kind kind, enum verb verb, int64_t *shortest_ms,
                        int64_t *typical_ms, int64_t *deadline_ms);
void alicloud_read_outcome(const struct cloud *c, const struct goal *g, const struct request *r,
                           int http_status, struct body body, struct arena *arena, struct outcome *out);
enum kind alicloud_list_scope_kind(const struct cloud *c, enum kind kind, uint8_t *field);
enum next alicloud_list_request(const struct cloud *c, const struct scope *s, const char *const *ids,
                                uint32_t n_ids, const char *after, struct arena *arena, struct request *out,
                                struct err *err);
enum err_code alicloud_read_page(const struct cloud *c, const struct scope *s, const struct request *r,
                                 int http_status, struct body body, const struct world *w,
                                 struct arena *arena, struct page *out, struct outcome *outcome,
                                 struct err *err);
enum kind alicloud_listed_with(const struct cloud *c, enum kind kind);
enum err_code alicloud_normalise(const struct cloud *c, enum kind kind, struct value *values,
                                 uint64_t *set_fields, const struct world *w, struct arena *arena,
                                 struct err *err);
char *alicloud_natural_id(const struct cloud *c, enum kind kind, const struct value *values,
                          struct arena *arena);
bool alicloud_may_appear(const struct cloud *c, enum kind kind, const struct value *values,
                         const struct world *w);
bool alicloud_same_value(const struct cloud *c, enum kind kind, uint8_t field, struct value wanted,
                         struct value seen);
uint32_t alicloud_n_requests(const struct cloud *c, const struct goal *g, struct arena *arena);
bool alicloud_may_change(const struct cloud *c, enum kind kind, uint8_t field, struct value wanted,
                         const struct object *seen);

static inline uint64_t field_bit(uint8_t field)
{
    return UINT64_C(1) << field;
}

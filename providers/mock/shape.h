/* shape.h - how entities look in answers: tables of fields, and lists with filters and pages. */
#pragma once

#include "providers/mock/inside.h"

typedef json_t *shape_fn(const struct entity *e);

enum shape_how {
    SHAPE_ID,
    SHAPE_ATTR, /* arg: the attribute, as text */
    SHAPE_FLAG, /* arg: the attribute, as boolean */
    SHAPE_LIST, /* arg: the attribute, a comma list as an array */
    SHAPE_STATUS,
    SHAPE_REGION,
    SHAPE_TIME,      /* of creation, with seconds */
    SHAPE_TIME_MIN,  /* without */
    SHAPE_LINK,      /* arg: the slot; the id of what it leads to, or "" */
    SHAPE_TEXT,      /* text */
    SHAPE_NUMBER,    /* arg */
    SHAPE_BOOL,      /* arg */
    SHAPE_EMPTY,     /* an empty array */
    SHAPE_TAGS,      /* [{Key, Value}] */
    SHAPE_TAG_PAIRS, /* [{TagKey, TagValue}] */
    SHAPE_MAKE,      /* make() */
};

struct shape {
    const char *path; /* "Tags.Tag": nested; NULL ends the table */
    enum shape_how how;
    int arg;
    const char *text;
    shape_fn *make;
};

#define FIELD(field_path, field_how, field_arg)                                                              \
    {                                                                                                        \
        .path = field_path, .how = field_how, .arg = field_arg                                               \
    }
#define FIELD_TEXT(field_path, field_text)                                                                   \
    {                                                                                                        \
        .path = field_path, .how = SHAPE_TEXT, .text = field_text                                            \
    }
#define FIELD_MAKE(field_path, field_make)                                                                   \
    {                                                                                                        \
        .path = field_path, .how = SHAPE_MAKE, .make = field_make                                            \
    }
#define END_FIELDS                                                                                           \
    {                                                                                                        \
        .path = NULL                                                                                         \
    }

json_t *shape_entity(const struct entity *e, const struct shape *shape);
/* Into the answer itself. */
void answer_entity(struct call *c, const struct entity *e, const struct shape *shape);
void format_time(int64_t unix_ms, bool seconds, char out[24]);
/* Appends to an array of ids. */
json_t *ids_of_children(const struct entity *e, enum link_slot slot, enum entity_type type);

enum filter_how {
    FILTER_ATTR, /* equal */
    FILTER_ATTR_NOCASE,
    FILTER_ATTR_OR_ALL, /* equal, or the parameter is "all" */
    FILTER_ITEM,        /* the attribute is a comma list that has the value */
    FILTER_ANY_OF,      /* the parameter is a comma list that has the attribute's value */
    FILTER_STATUS,
    FILTER_LINK, /* id of a link */
    FILTER_ID,
    FILTER_ZONE, /* of the vSwitch that it lies in */
};

struct filter {
    const char *param; /* NULL ends the table */
    enum filter_how how;
    int arg;
};

#define END_FILTERS                                                                                          \
    {                                                                                                        \
        NULL, FILTER_ATTR, 0                                                                                 \
    }

enum paging { BY_PAGE, BY_TOKEN, BY_TOKEN_OR_PAGE };

struct narrowing {
    const char *param; /* "VpcId"; NULL ends the table */
    enum entity_type type;
    enum link_slot slot;
    bool alias; /* the parameter holds an alias ("stb-…") */
};

enum { N_NARROWINGS = 4 };

struct list_spec {
    enum entity_type type;
    const char *wrapper; /* "Vpcs.Vpc" */
    const struct shape *shape;
    const struct filter *filters;
    enum paging paging;
    const char *size_param; /* of tokens: "MaxResults" */
    bool without_total;     /* the answer has no TotalCount */
    int default_size;
    const char *const *ignored;            /* parameters that change nothing here; NULL-terminated, or NULL */
    const char *ids_param;                 /* several ids in one parameter, or NULL */
    bool ids_are_json;                     /* a JSON array; else a comma list */
    struct narrowing narrow[N_NARROWINGS]; /* the parent whose children are listed */
};

bool list_entities(struct call *c, const struct list_spec *spec);

/* check.h - checks across resources, after references are resolved.
 *
 * Each check is one function over all resources; what is not known offline (observed, by id, by look-up) is
 * skipped, never guessed. A field that was wrong is unset here. */
#pragma once

#include "reconciler/base/ip.h"
#include "reconciler/manifest/load.h"

/* A vSwitch's block. */
struct block {
    struct value vpc;
    struct cidr cidr;
    uint32_t i;
};

/* The stack as checks see it. */
struct view {
    struct load *l;
    struct desired *d;
    struct mark **marks;         /* per resource and field */
    uint32_t first[N_KINDS + 1]; /* resources of kind k: [first[k], first[k + 1]) */
    struct block *blocks;        /* of vSwitches, by VPC and base; from check_blocks() on */
    uint32_t n_blocks;
};

#define FOR_KIND(v, kind, i) for (uint32_t i = (v)->first[kind]; i < (v)->first[(kind) + 1]; i++)

/* Makes a resource the one that is complained of. */
void view_enter(const struct view *v, uint32_t i);
/* Where a field was given, else the resource's name. */
struct mark view_mark(const struct view *v, uint32_t i, uint8_t field);
/* An error about a field of a resource; FIELD_NO: about the resource. */
#define COMPLAIN_OF(v, i, field, help, ...)                                                                  \
    (view_enter((v), (i)), COMPLAIN((v)->l, view_mark((v), (i), (field)), (help), __VA_ARGS__))

static inline const struct value *view_value(const struct view *v, uint32_t i, uint8_t field)
{
    return &v->d->items[i].values[field];
}

/* The index that a field refers to, or UINT32_MAX when it is unset or not local. */
uint32_t view_local(const struct view *v, uint32_t i, uint8_t field);
bool view_is_observed(const struct view *v, uint32_t i);
/* A block of a resource's field; false when it is not set. */
bool view_cidr(const struct view *v, uint32_t i, uint8_t field, struct cidr *out);
bool view_ports(struct value ports, uint16_t *first, uint16_t *last);
/* "web" of a local resource, for messages. */
#define NAME_OF(v, i) TEXT_ARG((v)->d->items[i].name)
/* "file:line:column" of a resource, in scratch. */
const char *view_place(const struct view *v, uint32_t i);

/* Whose VPC a resource is in: references to the same one compare equal. Unset: not known. */
struct value view_vpc_of(const struct view *v, uint32_t i);
/* 1 the same, 0 another, -1 not known (a name's object may be the one that an id names). */
int view_same_target(const struct view *v, struct value a, struct value b);

/* Scratch memory for n objects; NULL sets out_of_memory. */
void *view_alloc(const struct view *v, size_t n, size_t size);

/* The checks. */
void check_fields(struct view *v);   /* within one resource: check_fields.c */
void check_keys(struct view *v);     /* the same thing twice: check_keys.c */
void check_blocks(struct view *v);   /* VPCs, vSwitches, addresses: check_blocks.c */
void check_same_vpc(struct view *v); /* what must lie in one VPC: check_same_vpc.c */
void check_nat(struct view *v);      /* EIPs, SNAT, DNAT: check_nat.c */
void check_ports(struct view *v);    /* DNAT ports: check_ports.c */
void check_routes(struct view *v);   /* tables and entries: check_routes.c */
void check_cycles(struct view *v);   /* check_cycles.c */

/* Sorts and resolves; the view's desired resources are complete after it. */
MUST_CHECK bool resolve(struct load *l, struct view *v, struct desired *out);

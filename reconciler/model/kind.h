/* kind.h - the kinds, each one table of fields.
 *
 * This table drives validation, defaults, diff, plan output, `explain`, the JSON Schema and the reference
 * docs. To add a kind is to add one file kind_x.c here and one mapping per provider, nowhere else. */
#pragma once

#include "reconciler/base/text.h"
#include "reconciler/model/value.h"

#include <stdbool.h>
#include <stdint.h>

/* In the order in which they are created, roughly; addresses sort by it. */
enum kind {
    KIND_VPC,
    KIND_VSWITCH,
    KIND_SECURITY_GROUP,
    KIND_SECURITY_GROUP_RULE,
    KIND_INSTANCE,
    KIND_NAT_GATEWAY,
    KIND_EIP,
    KIND_EIP_ASSOCIATION,
    KIND_SNAT_ENTRY,
    KIND_DNAT_ENTRY,
    KIND_ROUTE_TABLE,
    KIND_ROUTE_ENTRY,
    KIND_ROUTE_TABLE_ASSOCIATION,
    N_KINDS,
    KIND_NONE = 255,
};

enum field_flags {
    FIELD_REQUIRED = 1u << 0,
    FIELD_IMMUTABLE = 1u << 1,    /* a change replaces the resource */
    FIELD_COMPUTED = 1u << 2,     /* the cloud sets it; a manifest may not */
    FIELD_SET = 1u << 3,          /* a list whose order means nothing */
    FIELD_KEY = 1u << 4,          /* part of the natural key (all key fields that are set, together) */
    FIELD_NOT_RETURNED = 1u << 5, /* the cloud does not answer it; compared with the record only */
    FIELD_PARENT =
        1u << 6, /* the resource lies in what this refers to: deleted before it, ours if it is ours */
    FIELD_EGRESS = 1u << 7,      /* a change of it changes the address that traffic leaves from */
    FIELD_OUTAGE = 1u << 8,      /* a change of it in place interrupts traffic */
    FIELD_CREATE_ONLY = 1u << 9, /* default is used on create and never compared unless set in the manifest */
    FIELD_NOCASE = 1u << 10,     /* text compared without case */
};

/* Extra form of a text, checked offline. The messages are in the validator. */
enum text_rule {
    RULE_NONE,
    RULE_NAME, /* 2-128 chars, a letter or Chinese character first, then also digits . _ - ; no http(s):// */
    RULE_EIP_NAME,           /* 1-128, a letter first, then letters, digits . _ - */
    RULE_DESCRIPTION,        /* 2-256 chars, no http(s):// first */
    RULE_LETTER_DESCRIPTION, /* the same, a letter first */
    RULE_ZONE,               /* region-letter, as in cn-hangzhou-h */
    RULE_CLOUD_ID,           /* prefix-lowercase and digits */
};

struct field {
    const char *name; /* as in the manifest; "source.vSwitch" lies in a mapping `source` */
    enum field_type type;
    uint32_t flags;             /* enum field_flags */
    enum kind ref;              /* REF, REF_LIST, INLINE: the kind referred to */
    const char *const *choices; /* ENUM (and PORTS): NULL-terminated */
    int64_t min, max; /* INT: range; CIDR: mask lengths; PORTS: smallest port in min; lists: number of items;
                         0,0: any */
    enum text_rule rule;
    const char *initial; /* what the cloud does when it is not set, as text; also what un-setting it goes back
                            to. NULL: keep */
    uint8_t one_of;      /* fields of a kind with the same number > 0: exactly one is to be set */
    bool one_of_optional; /* … at most one */
    const char *doc;      /* one sentence, with its source where the rule is the cloud's */
};

enum kind_flags {
    KIND_TAGGABLE = 1u << 0,     /* carries ownership tags */
    KIND_CREATE_FIRST = 1u << 1, /* a replacement is made before the old one is deleted */
    KIND_HAS_STATUS = 1u << 2,   /* becomes ready later; polled */
    KIND_IRREVOCABLE = 1u << 3,  /* what is deleted can't be had back (an EIP's address) */
};

struct kind_info {
    const char *name;       /* "VSwitch" */
    const char *plural;     /* "vswitches", for `get` */
    const char *short_name; /* "vsw", for `get` */
    const char *id_prefix;  /* "vsw-"; NULL when ids have no prefix of their own */
    const char *doc;
    const char *example; /* a whole manifest */
    const struct field *fields;
    uint8_t n_fields;          /* at most 64: sets of fields are uint64_t */
    uint8_t name_field;        /* index of the field `name`, or FIELD_NO */
    uint8_t tags_field;        /* index of `tags`, or FIELD_NO */
    uint8_t description_field; /* or FIELD_NO */
    uint32_t flags;            /* enum kind_flags */
};

enum { FIELD_NO = 255 };

/* Fields of each kind. The order is that of plan output. */
enum {
    VPC_CIDR,
    VPC_SECONDARY,
    VPC_NAME,
    VPC_DESCRIPTION,
    VPC_RESOURCE_GROUP,
    VPC_TAGS,
    VPC_SYSTEM_TABLE,
    VPC_N
};
enum { VSW_VPC, VSW_ZONE, VSW_CIDR, VSW_NAME, VSW_DESCRIPTION, VSW_TAGS, VSW_ROUTE_TABLE, VSW_N };
enum {
    SG_VPC,
    SG_TYPE,
    SG_INNER_ACCESS,
    SG_NAME,
    SG_DESCRIPTION,
    SG_RESOURCE_GROUP,
    SG_TAGS,
    SG_RULES,
    SG_N
};
enum {
    SGR_GROUP,
    SGR_DIRECTION,
    SGR_POLICY,
    SGR_PROTOCOL,
    SGR_PORTS,
    SGR_PEER_CIDR,
    SGR_PEER_GROUP,
    SGR_PRIORITY,
    SGR_DESCRIPTION,
    SGR_N
};
enum {
    INS_VSWITCH,
    INS_PRIVATE_IP,
    INS_GROUPS,
    INS_IMAGE,
    INS_TYPE,
    INS_NAME,
    INS_DESCRIPTION,
    INS_DELETION_PROTECTION,
    INS_TAGS,
    INS_VPC,
    INS_EIP,
    INS_PUBLIC_IP,
    INS_N
};
enum {
    NAT_VPC,
    NAT_VSWITCH,
    NAT_TYPE,
    NAT_NETWORK,
    NAT_BILLING,
    NAT_SPEC,
    NAT_EIP_BIND_MODE,
    NAT_ICMP_REPLY,
    NAT_DELETION_PROTECTION,
    NAT_NAME,
    NAT_DESCRIPTION,
    NAT_TAGS,
    NAT_SNAT_TABLE,
    NAT_FORWARD_TABLE,
    NAT_PRIVATE_IP,
    NAT_N
};
enum {
    EIP_BANDWIDTH,
    EIP_CHARGE,
    EIP_ISP,
    EIP_NAME,
    EIP_DESCRIPTION,
    EIP_RESOURCE_GROUP,
    EIP_DELETION_PROTECTION,
    EIP_TAGS,
    EIP_ADDRESS,
    EIP_BOUND_TO,
    EIP_N
};
enum { EAS_EIP, EAS_NAT, EAS_INSTANCE, EAS_SNAT_FOR, EAS_N };
enum {
    SNAT_NAT,
    SNAT_VSWITCH,
    SNAT_CIDR,
    SNAT_INSTANCE,
    SNAT_VSWITCHES,
    SNAT_EIPS,
    SNAT_AFFINITY,
    SNAT_NAME,
    SNAT_N
};
enum {
    DNAT_NAT,
    DNAT_EIP,
    DNAT_PROTOCOL,
    DNAT_EXTERNAL_PORT,
    DNAT_TARGET_INSTANCE,
    DNAT_TARGET_IP,
    DNAT_INTERNAL_PORT,
    DNAT_NAME,
    DNAT_PORT_BREAK,
    DNAT_N
};
enum { RTB_VPC, RTB_SYSTEM, RTB_NAME, RTB_DESCRIPTION, RTB_TAGS, RTB_ROUTES, RTB_VSWITCHES, RTB_N };
enum { RTE_TABLE, RTE_DESTINATION, RTE_HOP_NAT, RTE_HOP_INSTANCE, RTE_NAME, RTE_DESCRIPTION, RTE_N };
enum { RTA_TABLE, RTA_VSWITCH, RTA_N };

/* The descriptors by kind. */
extern const struct kind_info *const kind_infos[N_KINDS];
/* The descriptor of a kind. Never NULL for a valid kind. */
static inline const struct kind_info *kind_info(enum kind kind)
{
    ASSERT(kind < N_KINDS);
    return kind_infos[kind];
}

/* Whether it can carry tags. What cannot is an entry of something else: a route, a rule, a binding. */
static inline bool kind_is_taggable(enum kind kind)
{
    return (kind_info(kind)->flags & KIND_TAGGABLE) != 0;
}
/* By name ("VSwitch"; exact) or, for commands, by plural or short name. KIND_NONE when unknown. */
enum kind kind_of_name(struct text name);
enum kind kind_of_any_name(struct text name);
/* The index of a field by its dotted name; FIELD_NO when unknown. */
uint8_t kind_field(enum kind kind, struct text name);
/* What references in this field (or its items) look like in messages: "a NatGateway". */
const char *field_type_name(enum field_type type);

/* The kinds' files. */
extern const struct kind_info kind_vpc, kind_vswitch, kind_security_group, kind_security_group_rule,
    kind_instance, kind_nat_gateway, kind_eip, kind_eip_association, kind_snat_entry, kind_dnat_entry,
    kind_route_table, kind_route_entry, kind_route_table_association;

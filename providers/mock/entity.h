/* entity.h - the objects of the simulated cloud: what exists, what hangs on what, and what is on its way.
 *
 * Every object is one 'struct entity': a type, an id, text attributes indexed by the type's table, tags, a
 * status with the time at which it changes by itself, and at most two links to others. The store finds
 * entities by id and by alias (a gateway's table ids, an EIP's address), lists them by type in order of
 * creation, and lists what is linked to an entity; all of that without searching, so that a hundred thousand
 * are no trouble. */
#pragma once

#include "reconciler/base/hash.h"
#include "reconciler/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*    type       name in lists        id prefix  status */
#define ENTITY_TYPES(X)                                                                                      \
    X(VPC, "vpc", "vpc")                                                                                     \
    X(VSWITCH, "vswitch", "vsw")                                                                             \
    X(NAT, "natgateway", "ngw")                                                                              \
    X(EIP, "eip", "eip")                                                                                     \
    X(SNAT, "snatentry", "snat")                                                                             \
    X(DNAT, "dnatentry", "fwd")                                                                              \
    X(TABLE, "routetable", "vtb")                                                                            \
    X(ROUTE, "routeentry", "rte")                                                                            \
    X(GROUP, "securitygroup", "sg")                                                                          \
    X(RULE, "securitygrouprule", "sgr")                                                                      \
    X(INSTANCE, "instance", "i")

#define ENTITY_ENUM(type, name, prefix) E_##type,
enum entity_type { ENTITY_TYPES(ENTITY_ENUM) N_ENTITY_TYPES };

/* The order is that of the file format: append only. */
#define ENTITY_STATUSES(X)                                                                                   \
    X(NONE, "")                                                                                              \
    X(PENDING, "Pending")                                                                                    \
    X(AVAILABLE, "Available")                                                                                \
    X(CREATING, "Creating")                                                                                  \
    X(MODIFYING, "Modifying")                                                                                \
    X(DELETING, "Deleting")                                                                                  \
    X(ASSOCIATING, "Associating")                                                                            \
    X(IN_USE, "InUse")                                                                                       \
    X(UNASSOCIATING, "Unassociating")                                                                        \
    X(RELEASING, "Releasing")                                                                                \
    X(STARTING, "Starting")                                                                                  \
    X(RUNNING, "Running")                                                                                    \
    X(STOPPING, "Stopping")                                                                                  \
    X(STOPPED, "Stopped")                                                                                    \
    X(LINGERING, "") /* gone from lists, still in the way of its parents' deletion */                        \
    X(GONE, "")                                                                                              \
    X(FAILED, "Failed") /* by hand only: the cloud gave up on making it */                                   \
    X(CREATE_FAILED, "CreateFailed")

#define STATUS_ENUM(status, text) ST_##status,
enum status { ENTITY_STATUSES(STATUS_ENUM) N_STATUSES };

/* Attributes, by the API's own names. The order is that of the file format: append only. */
#define VPC_ATTRS(X)                                                                                         \
    X(VPC_NAME, "VpcName")                                                                                   \
    X(VPC_DESCRIPTION, "Description")                                                                        \
    X(VPC_CIDR, "CidrBlock")                                                                                 \
    X(VPC_SECONDARY, "SecondaryCidrBlocks")                                                                  \
    X(VPC_USER_CIDR, "UserCidr")                                                                             \
    X(VPC_ROUTER, "VRouterId")                                                                               \
    X(VPC_GROUP, "ResourceGroupId")                                                                          \
    X(VPC_IPV6, "EnableIpv6")                                                                                \
    X(VPC_IPV6_CIDR, "Ipv6CidrBlock")                                                                        \
    X(VPC_DNS, "EnableDnsHostname")
#define VSWITCH_ATTRS(X)                                                                                     \
    X(VSWITCH_NAME, "VSwitchName")                                                                           \
    X(VSWITCH_DESCRIPTION, "Description")                                                                    \
    X(VSWITCH_CIDR, "CidrBlock")                                                                             \
    X(VSWITCH_ZONE, "ZoneId")                                                                                \
    X(VSWITCH_IPV6, "EnableIPv6")
#define NAT_ATTRS(X)                                                                                         \
    X(NAT_NAME, "Name")                                                                                      \
    X(NAT_DESCRIPTION, "Description")                                                                        \
    X(NAT_SNAT_TABLE, "SnatTableId")                                                                         \
    X(NAT_FORWARD_TABLE, "ForwardTableId")                                                                   \
    X(NAT_FULL_TABLE, "FullNatTableId")                                                                      \
    X(NAT_TYPE, "NatType")                                                                                   \
    X(NAT_NETWORK, "NetworkType")                                                                            \
    X(NAT_INTERNET_CHARGE, "InternetChargeType")                                                             \
    X(NAT_CHARGE, "InstanceChargeType")                                                                      \
    X(NAT_SPEC, "Spec")                                                                                      \
    X(NAT_EIP_MODE, "EipBindMode")                                                                           \
    X(NAT_ICMP, "IcmpReplyEnabled")                                                                          \
    X(NAT_AVAILABILITY, "AvailabilityMode")                                                                  \
    X(NAT_PROTECTION, "DeletionProtection")                                                                  \
    X(NAT_SESSION_LOG, "EnableSessionLog")                                                                   \
    X(NAT_PRIVATE_IP, "PrivateIpAddress")                                                                    \
    X(NAT_ENI, "EniInstanceId")                                                                              \
    X(NAT_AUTO_ROUTE, "AutomaticRouteId")                                                                    \
    X(NAT_GROUP, "ResourceGroupId")
#define EIP_ATTRS(X)                                                                                         \
    X(EIP_ADDRESS, "IpAddress")                                                                              \
    X(EIP_NAME, "Name")                                                                                      \
    X(EIP_DESCRIPTION, "Description")                                                                        \
    X(EIP_BANDWIDTH, "Bandwidth")                                                                            \
    X(EIP_INTERNET_CHARGE, "InternetChargeType")                                                             \
    X(EIP_CHARGE, "ChargeType")                                                                              \
    X(EIP_ISP, "ISP")                                                                                        \
    X(EIP_NETMODE, "Netmode")                                                                                \
    X(EIP_ZONE, "Zone")                                                                                      \
    X(EIP_GROUP, "ResourceGroupId")                                                                          \
    X(EIP_PROTECTION, "DeletionProtection")                                                                  \
    X(EIP_BOUND_TYPE, "InstanceType")                                                                        \
    X(EIP_BUSINESS, "BusinessStatus")                                                                        \
    X(EIP_SECURITY, "SecurityProtectionTypes")                                                               \
    X(EIP_POOL, "PublicIpAddressPoolId")
#define SNAT_ATTRS(X)                                                                                        \
    X(SNAT_NAME, "SnatEntryName")                                                                            \
    X(SNAT_IP, "SnatIp")                                                                                     \
    X(SNAT_CIDR, "SourceCIDR")                                                                               \
    X(SNAT_AFFINITY, "EipAffinity")                                                                          \
    X(SNAT_ENI, "NetworkInterfaceId")
#define DNAT_ATTRS(X)                                                                                        \
    X(DNAT_NAME, "ForwardEntryName")                                                                         \
    X(DNAT_EXTERNAL_IP, "ExternalIp")                                                                        \
    X(DNAT_EXTERNAL_PORT, "ExternalPort")                                                                    \
    X(DNAT_INTERNAL_IP, "InternalIp")                                                                        \
    X(DNAT_INTERNAL_PORT, "InternalPort")                                                                    \
    X(DNAT_PROTOCOL, "IpProtocol")                                                                           \
    X(DNAT_PORT_BREAK, "PortBreak")
#define TABLE_ATTRS(X)                                                                                       \
    X(TABLE_NAME, "RouteTableName")                                                                          \
    X(TABLE_DESCRIPTION, "Description")                                                                      \
    X(TABLE_KIND, "RouteTableType")                                                                          \
    X(TABLE_ASSOCIATE, "AssociateType")                                                                      \
    X(TABLE_PROPAGATION, "RoutePropagationEnable")                                                           \
    X(TABLE_GROUP, "ResourceGroupId")
#define ROUTE_ATTRS(X)                                                                                       \
    X(ROUTE_NAME, "RouteEntryName")                                                                          \
    X(ROUTE_DESCRIPTION, "Description")                                                                      \
    X(ROUTE_DESTINATION, "DestinationCidrBlock")                                                             \
    X(ROUTE_KIND, "Type")                                                                                    \
    X(ROUTE_HOP_TYPE, "NextHopType")                                                                         \
    X(ROUTE_HOP, "NextHopId")                                                                                \
    X(ROUTE_HOPS, "NextHopList") /* ECMP: "type:id:weight,…"; then the two above are empty */              \
    X(ROUTE_ORIGIN, "Origin")    /* "cloud": added by the cloud itself with a gateway */
#define GROUP_ATTRS(X)                                                                                       \
    X(GROUP_NAME, "SecurityGroupName")                                                                       \
    X(GROUP_DESCRIPTION, "Description")                                                                      \
    X(GROUP_TYPE, "SecurityGroupType")                                                                       \
    X(GROUP_INNER, "InnerAccessPolicy")                                                                      \
    X(GROUP_GROUP, "ResourceGroupId")
#define RULE_ATTRS(X)                                                                                        \
    X(RULE_DIRECTION, "Direction")                                                                           \
    X(RULE_PROTOCOL, "IpProtocol")                                                                           \
    X(RULE_PORTS, "PortRange")                                                                               \
    X(RULE_POLICY, "Policy")                                                                                 \
    X(RULE_PRIORITY, "Priority")                                                                             \
    X(RULE_NIC, "NicType")                                                                                   \
    X(RULE_DESCRIPTION, "Description")                                                                       \
    X(RULE_SOURCE_CIDR, "SourceCidrIp")                                                                      \
    X(RULE_DEST_CIDR, "DestCidrIp")                                                                          \
    X(RULE_SOURCE_GROUP, "SourceGroupId")                                                                    \
    X(RULE_DEST_GROUP, "DestGroupId")                                                                        \
    X(RULE_SOURCE_CIDR6, "Ipv6SourceCidrIp")                                                                 \
    X(RULE_DEST_CIDR6, "Ipv6DestCidrIp")                                                                     \
    X(RULE_SOURCE_LIST, "SourcePrefixListId")                                                                \
    X(RULE_DEST_LIST, "DestPrefixListId")                                                                    \
    X(RULE_SOURCE_PORTS, "SourcePortRange")
#define INSTANCE_ATTRS(X)                                                                                    \
    X(INSTANCE_NAME, "InstanceName")                                                                         \
    X(INSTANCE_DESCRIPTION, "Description")                                                                   \
    X(INSTANCE_HOST, "HostName")                                                                             \
    X(INSTANCE_IMAGE, "ImageId")                                                                             \
    X(INSTANCE_TYPE, "InstanceType")                                                                         \
    X(INSTANCE_PRIVATE_IP, "PrivateIpAddress")                                                               \
    X(INSTANCE_GROUPS, "SecurityGroupIds")                                                                   \
    X(INSTANCE_ZONE, "ZoneId")                                                                               \
    X(INSTANCE_PROTECTION, "DeletionProtection")                                                             \
    X(INSTANCE_CHARGE, "InstanceChargeType")                                                                 \
    X(INSTANCE_GROUP, "ResourceGroupId")                                                                     \
    X(INSTANCE_ENI, "NetworkInterfaceId")                                                                    \
    X(INSTANCE_PUBLIC_IP, "PublicIpAddress")                                                                 \
    X(INSTANCE_KEY_PAIR, "KeyPairName")

#define ATTR_ENUM(attr, name) A_##attr,
enum vpc_attr { VPC_ATTRS(ATTR_ENUM) N_VPC_ATTRS };
enum vswitch_attr { VSWITCH_ATTRS(ATTR_ENUM) N_VSWITCH_ATTRS };
enum nat_attr { NAT_ATTRS(ATTR_ENUM) N_NAT_ATTRS };
enum eip_attr { EIP_ATTRS(ATTR_ENUM) N_EIP_ATTRS };
enum snat_attr { SNAT_ATTRS(ATTR_ENUM) N_SNAT_ATTRS };
enum dnat_attr { DNAT_ATTRS(ATTR_ENUM) N_DNAT_ATTRS };
enum table_attr { TABLE_ATTRS(ATTR_ENUM) N_TABLE_ATTRS };
enum route_attr { ROUTE_ATTRS(ATTR_ENUM) N_ROUTE_ATTRS };
enum group_attr { GROUP_ATTRS(ATTR_ENUM) N_GROUP_ATTRS };
enum rule_attr { RULE_ATTRS(ATTR_ENUM) N_RULE_ATTRS };
enum instance_attr { INSTANCE_ATTRS(ATTR_ENUM) N_INSTANCE_ATTRS };

/* The two links. What each leads to, by type:
 *            OWNER                SECOND
 *  vswitch   vpc                  its route table
 *  nat       vpc                  its vswitch
 *  eip       what it is bound to  -
 *  snat      nat gateway          its source vswitch
 *  dnat      nat gateway          -
 *  table     vpc                  -
 *  route     table                -
 *  group     vpc                  -
 *  rule      group                the peer group
 *  instance  vpc                  its vswitch */
enum link_slot { OWNER, SECOND, N_LINKS };

enum { ENTITY_ID_SIZE = 32, ENTITY_MAX_TAGS = 20, MAX_REGIONS = 32 };

struct entity;

struct link {
    struct entity *to;
    struct entity *prev, *next; /* siblings of the same type under the same parent */
};

struct tag {
    char *key, *value;
};

struct entity {
    enum entity_type type;
    enum status status;
    enum status then;          /* the status that follows at ready_at_ms; meaningless when heap_index is 0 */
    int64_t ready_at_ms;       /* when 'status' becomes 'then' */
    int64_t created_ms;        /* Unix time */
    int64_t visible_at_ms;     /* not in lists before */
    int64_t seq;               /* order of creation; the key in the file */
    uint32_t heap_index;       /* place in the store's heap of transitions, from 1; 0: at rest */
    uint32_t n_moving;         /* children in transition that make this one busy */
    struct entity *counted_on; /* the parent whose n_moving counts this one */
    struct link links[N_LINKS];
    struct entity *(*children)[N_ENTITY_TYPES]; /* [slot][type] first child; NULL while there is none */
    struct entity *prev, *next;                 /* all of this type, in order of creation */
    struct entity *next_dirty;
    bool dirty;
    uint8_t region; /* index in the table of regions */
    uint8_t n_tags;
    struct tag *tags;
    UT_hash_handle hh;
    char id[ENTITY_ID_SIZE];
    char *attrs[]; /* malloc()ed or NULL ("") */
};

/* Another name of an entity. */
struct alias {
    const char *name; /* borrowed from an attribute of the entity */
    struct entity *of;
    UT_hash_handle hh;
};

struct store {
    struct entity *by_id;
    struct alias *by_alias;
    struct entity *first[N_ENTITY_TYPES];      /* first->prev is the last */
    size_t count[N_ENTITY_TYPES][MAX_REGIONS]; /* by type and region */
    struct entity **heap;                      /* transitions, earliest at [1] */
    uint32_t n_heap, heap_capacity;
    struct entity *dirty; /* to be written; ends at the entity itself (next_dirty == self) */
    int64_t *removed;     /* seqs to be deleted from the file */
    size_t n_removed, removed_capacity;
    int64_t next_seq;
    uint64_t version;        /* counts every change of an entity */
    int64_t hidden_until_ms; /* from then on every entity is in the lists */
    bool keeps_dirty;        /* there is a file: remember what changed */
    bool no_memory;          /* an allocation failed: what is in memory is not to be trusted */
};

struct entity_type_info {
    const char *name;   /* "vpc" */
    const char *prefix; /* of ids: "vpc" */
    const char *const *attrs;
    uint8_t n_attrs;
    int8_t aliases[2]; /* attributes that are names, too; -1: none */
    int8_t name_attr;  /* the attribute that people call its name; -1: none */
};
extern const struct entity_type_info entity_types[N_ENTITY_TYPES];
extern const char *const status_names[N_STATUSES];

void store_init(struct store *s, bool keeps_dirty);
void store_fini(struct store *s);

/* A new entity, listed last. NULL when out of memory (store.no_memory is then set). */
struct entity *store_add(struct store *s, enum entity_type type, const char *id, uint8_t region,
                         int64_t now_ms);
/* Takes it out and frees it. Its children stay, unlinked. */
void store_remove(struct store *s, struct entity *e);
struct entity *store_find(const struct store *s, const char *id);
struct entity *store_find_alias(const struct store *s, const char *name);

/* Sets an attribute; "" and NULL are the same. */
void entity_set(struct store *s, struct entity *e, int attr, const char *value);
const char *entity_get(const struct entity *e, int attr); /* never NULL */
bool entity_is(const struct entity *e, int attr, const char *value);
/* The attribute's index or -1. */
int entity_attr(enum entity_type type, const char *name);
const char *entity_name(const struct entity *e); /* "" when it has none */
/* Links; NULL unlinks. */
void entity_link(struct store *s, struct entity *e, enum link_slot slot, struct entity *to);
struct entity *entity_first(const struct entity *parent, enum link_slot slot, enum entity_type type);
bool entity_tag(struct store *s, struct entity *e, const char *key, const char *value); /* false: too many */
void entity_untag(struct store *s, struct entity *e, const char *key);                  /* NULL: all */
const char *entity_tag_value(const struct entity *e, const char *key); /* NULL: has no such tag */
void entity_touch(struct store *s, struct entity *e);                  /* will be written */

/* Starts a transition that ends at 'ready_at_ms'; 'busy' (or NULL) counts it among its n_moving. */
void entity_move(struct store *s, struct entity *e, enum status status, enum status then, int64_t ready_at_ms,
                 struct entity *busy);
/* Ends a transition, or none, with this status at rest. */
void entity_rest(struct store *s, struct entity *e, enum status status);
/* Whether the cloud gave up on making it; it can still be deleted. */
bool entity_has_failed(const struct entity *e);
bool entity_is_moving(const struct entity *e);
/* The entity whose transition ends first, or NULL. */
struct entity *store_next_transition(const struct store *s);

/* for (EACH_CHILD(e, parent, slot, type)) … */
#define EACH_CHILD(e, parent, slot, type)                                                                    \
    struct entity *e = entity_first((parent), (slot), (type));                                               \
    e != NULL;                                                                                               \
    e = e->links[slot].next
/* The same where the body may remove or unlink 'e'. */
#define EACH_CHILD_SAFE(e, parent, slot, type)                                                               \
    struct entity *e = entity_first((parent), (slot), (type)),                                               \
                  *e##_next = e == NULL ? NULL : e->links[slot].next;                                        \
    e != NULL;                                                                                               \
    e = e##_next, e##_next = e == NULL ? NULL : e->links[slot].next

/* handlers.h - what carries out each operation, and what follows when a transition ends. */
#pragma once

#include "providers/mock/inside.h"

handler_fn regions_describe, zones_describe, zones_for_nat;
handler_fn vpc_create, vpc_list, vpc_attribute, vpc_modify, vpc_delete, vpc_add_cidr, vpc_drop_cidr;
handler_fn vswitch_create, vswitch_list, vswitch_attributes, vswitch_modify, vswitch_delete;
handler_fn nat_create, nat_list, nat_attribute, nat_modify, nat_modify_spec, nat_delete, deletion_protection;
handler_fn eip_allocate, eip_list, eip_modify, eip_release, eip_associate, eip_associate_batch,
    eip_unassociate;
handler_fn snat_create, snat_modify, snat_delete, snat_list;
handler_fn dnat_create, dnat_modify, dnat_delete, dnat_list;
handler_fn table_create, table_modify, table_delete, table_list, table_associate, table_unassociate;
handler_fn route_create, route_create_batch, route_modify, route_delete, route_delete_batch, route_list;
handler_fn group_create, group_list, group_attribute, group_modify, group_policy, group_delete;
handler_fn rule_authorize, rule_authorize_egress, rule_revoke, rule_revoke_egress, rule_modify,
    rule_modify_egress;
handler_fn instance_run, instance_list, instance_modify, instance_start, instance_stop, instance_delete,
    instance_delete_batch;
handler_fn tags_add, tags_remove, tags_list, resource_group_move, resource_group_join; /* of both products */

/* Indexed by type; NULL: the default (rest in the next status, or be removed). */
extern settled_fn *const settled[N_ENTITY_TYPES];
settled_fn nat_settled, eip_settled, instance_settled;

/* Ends an entity's existence: it lingers for a while where that is set, then is removed. */
void entity_vanish(struct mock *m, struct entity *e, int64_t now_ms);

/* ---- What the areas ask each other ---- */

/* The VPC's blocks: the primary first. Returns their number. */
enum { MAX_VPC_BLOCKS = 64 };
size_t vpc_blocks(const struct entity *vpc, struct cidr out[MAX_VPC_BLOCKS]);
bool vpc_holds(const struct entity *vpc, struct cidr block);
struct entity *vpc_system_table(const struct entity *vpc);
/* Refuses with 'code' while the VPC is not Available or something in it is in transition. */
MUST_CHECK bool vpc_is_free(struct call *c, const struct entity *vpc, const char *code);

/* A free private address of the vSwitch, or 0. 'wanted' (or 0) must be free and inside. */
uint32_t vswitch_take_address(const struct entity *vswitch, uint32_t wanted);
size_t vswitch_n_free(const struct entity *vswitch);
struct cidr block_of(const struct entity *e, int attr);

/* Refuses while the gateway is not Available. */
MUST_CHECK bool nat_is_available(struct call *c, const struct entity *nat, const char *code);
/* The EIP with this address if it is bound to this gateway; else refuses as the cloud does. */
struct entity *nat_eip(struct call *c, const struct entity *nat, const char *address,
                       const char *missing_code);
bool eip_is_used_by_snat(const struct entity *eip);
bool eip_is_used_by_dnat(const struct entity *eip);
/* An entry of its gateway that works with its address; NULL: none. */
const struct entity *eip_entry(const struct entity *eip);
/* The entries of its gateway go, or lose its address where they have others. */
void eip_drop_entries(struct store *s, const struct entity *eip);
/* An entry of the gateway that maps all ports of this address, or NULL. */
const struct entity *dnat_ip_mapping(const struct entity *nat, const char *address);

/* Adds a route at rest; used for system routes and the gateway's default route. */
struct entity *route_add(struct mock *m, struct entity *table, const char *id, const char *destination,
                         const char *kind, const char *hop_type, const char *hop, int64_t now_ms);
struct entity *route_find(const struct entity *table, struct cidr destination);
bool route_leads_to(const struct entity *route, const char *hop_id);
/* Removes the system routes of a vSwitch from all tables of the VPC. */
void routes_drop_vswitch(struct mock *m, struct entity *vswitch);
/* A new table's system routes. */
void table_fill(struct mock *m, struct entity *table, int64_t now_ms);
size_t count_custom_tables(const struct entity *vpc);

/* The next free public address; refuses when there is none. */
MUST_CHECK bool eip_take_address(struct call *c, char out[IP_TEXT_SIZE]);
/* Takes a gateway's contents and the routes that go with it. */
void nat_clean(struct mock *m, struct entity *nat);
/* Leaves what it is bound to, at once. */
void eip_let_go(struct mock *m, struct entity *eip);
/* The entries of its gateway that use its address go, or lose it. */
void eip_drop_entries(struct store *s, const struct entity *eip);

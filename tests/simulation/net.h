/* net.h - a network as somebody might want it, its edits, and how many objects of each kind it has.
 *
 * Whatever is drawn, what net_write() writes is valid: references to what is not there are left out. */
#pragma once

#include "reconciler/base/buf.h"
#include "reconciler/model/kind.h"
#include "tests/simulation/rng.h"

enum {
    MAX_VSWITCHES = 6,
    MAX_GROUPS = 3,
    MAX_RULES = 5,
    MAX_INSTANCES = 2,
    MAX_NATS = 3,
    MAX_EIPS = 5,
    MAX_TABLES = 4
};

struct net {
    struct {
        bool exists;
        uint8_t zone, bits, words;
    } vswitches[MAX_VSWITCHES];
    struct {
        bool exists, enterprise;
        uint8_t n_rules;
        uint8_t ports[MAX_RULES];
        bool egress[MAX_RULES];
    } groups[MAX_GROUPS];
    struct {
        bool exists;
        uint8_t vswitch, group;
    } instances[MAX_INSTANCES];
    struct {
        bool exists;
        uint8_t vswitch, words, port, snat; /* port 0: no DNAT entry; snat: bit per vSwitch */
    } nats[MAX_NATS];
    struct {
        bool exists, pro;
        uint8_t bandwidth;
    } eips[MAX_EIPS];
    uint8_t shift; /* which gateway has which EIP */
    struct {
        bool exists, routed;
        uint8_t destination, hop, words, vswitch; /* vswitch MAX_VSWITCHES: with none */
    } tables[MAX_TABLES];
    uint8_t names; /* of the tables: another number is another name, so that all of them change places */
};

void net_random(struct net *n, struct rng *r);
/* One change, as a person would make it. */
void net_edit(struct net *n, struct rng *r);

/* Manifests of stack "default", and in counts[] (N_KINDS) how many objects there must be. */
void net_write(const struct net *n, struct buf *out, unsigned counts[N_KINDS]);

/* What the cloud's objects must look like: attributes by the API's own names. */
struct expectations {
    void (*expect)(void *ctx, const char *address, const char *attribute, const char *value);
    void *ctx;
};
void net_expect(const struct net *n, const struct expectations *x);

/* rules.h - security group rules as request parameters, one or many in a request. */
#pragma once

#include "reconciler/model/cloud.h"

enum rule_change { RULE_AUTHORIZE, RULE_REVOKE };

/* The operation for rules of one direction: "AuthorizeSecurityGroupEgress". */
const char *rule_operation(enum rule_change change, bool egress);
/* Which way a goal's rule goes; what is not given is ingress. */
bool rule_is_egress(const struct goal *g);
/* The id of the group that a goal's rule belongs to, or NULL. */
const char *rule_group(const struct goal *g);
/* Adds a rule as Permissions.<n>. ERR_STALE when its peer is not known yet. */
MUST_CHECK enum err_code rule_add(struct request *out, const struct goal *g, unsigned n, struct err *err);
/* A name for a rule that the cloud gave no id: its key fields, joined. NULL when out of memory. */
char *rule_natural_id(const struct value *values, struct arena *arena);

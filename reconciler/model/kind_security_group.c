/* kind_security_group.c - SecurityGroup and SecurityGroupRule: stateful filters of instances. */
#include "reconciler/model/kind.h"

static const char *const group_types[] = {"normal", "enterprise", NULL};
static const char *const inner_access[] = {"Accept", "Drop", NULL};
static const char *const directions[] = {"ingress", "egress", NULL};
static const char *const policies[] = {"accept", "drop", NULL};
static const char *const protocols[] = {"tcp", "udp", "icmp", "gre", "all", NULL};
static const char *const any_ports[] = {"any", NULL};

static const struct field group_fields[SG_N] = {
    [SG_VPC] = {.name = "vpc",
                .type = FIELD_REF,
                .flags = FIELD_REQUIRED | FIELD_IMMUTABLE | FIELD_PARENT,
                .ref = KIND_VPC,
                .doc = "The VPC it belongs to."},
    [SG_TYPE] =
        {.name = "type",
         .type = FIELD_ENUM,
         .flags = FIELD_IMMUTABLE | FIELD_CREATE_ONLY,
         .choices = group_types,
         .initial = "normal",
         .doc = "normal (basic) or enterprise (advanced). Source: CreateSecurityGroup, SecurityGroupType"},
    [SG_INNER_ACCESS] =
        {.name = "innerAccess",
         .type = FIELD_ENUM,
         .flags = FIELD_OUTAGE,
         .choices = inner_access,
         .initial = "Accept",
         .doc = "Whether members of a basic group reach each other. Source: ModifySecurityGroupPolicy"},
    [SG_NAME] =
        {.name = "name",
         .type = FIELD_TEXT,
         .flags = FIELD_CREATE_ONLY,
         .rule = RULE_NAME,
         .doc =
             "Name in the console; metadata.name when not set. Source: CreateSecurityGroup, SecurityGroupName"},
    [SG_DESCRIPTION] = {.name = "description",
                        .type = FIELD_TEXT,
                        .rule = RULE_DESCRIPTION,
                        .initial = "",
                        .doc = "Source: CreateSecurityGroup, Description"},
    [SG_RESOURCE_GROUP] = {.name = "resourceGroup",
                           .type = FIELD_TEXT,
                           .rule = RULE_CLOUD_ID,
                           .doc = "Resource group id (rg-…); moved in place. Source: JoinResourceGroup"},
    [SG_TAGS] = {.name = "tags",
                 .type = FIELD_MAP,
                 .max = 17,
                 .doc = "Tags; those of others are left alone."},
    [SG_RULES] = {.name = "rules",
                  .type = FIELD_INLINE,
                  .ref = KIND_SECURITY_GROUP_RULE,
                  .max = 200,
                  .doc = "Rules, each as the spec of a SecurityGroupRule without `securityGroup`."},
};

const struct kind_info kind_security_group = {
    .name = "SecurityGroup",
    .plural = "securitygroups",
    .short_name = "sg",
    .id_prefix = "sg-",
    .doc = "A stateful packet filter that instances join.",
    .example =
        "apiVersion: headgate/v1\nkind: SecurityGroup\nmetadata:\n  name: web\nspec:\n  vpc: main\n  rules:\n"
        "    - {direction: ingress, protocol: tcp, ports: \"80\", peer: {cidr: 0.0.0.0/0}}\n",
    .fields = group_fields,
    .n_fields = SG_N,
    .name_field = SG_NAME,
    .tags_field = SG_TAGS,
    .description_field = SG_DESCRIPTION,
    .flags = KIND_TAGGABLE | KIND_CREATE_FIRST,
};

/* A rule's fields all belong to its natural key but the description.  Source: api-behaviour,
 * AuthorizeSecurityGroup */
enum { RULE_KEY = FIELD_IMMUTABLE | FIELD_KEY };

static const struct field rule_fields[SGR_N] = {
    [SGR_GROUP] = {.name = "securityGroup",
                   .type = FIELD_REF,
                   .flags = FIELD_REQUIRED | RULE_KEY | FIELD_PARENT,
                   .ref = KIND_SECURITY_GROUP,
                   .doc = "The group that the rule belongs to."},
    [SGR_DIRECTION] = {.name = "direction",
                       .type = FIELD_ENUM,
                       .flags = RULE_KEY,
                       .choices = directions,
                       .initial = "ingress",
                       .doc = "ingress or egress."},
    [SGR_POLICY] =
        {.name = "policy",
         .type = FIELD_ENUM,
         .flags = RULE_KEY,
         .choices = policies,
         .initial = "accept",
         .doc =
             "accept or drop; at equal priority drop wins. Source: AuthorizeSecurityGroup, Permissions.N.Policy"},
    [SGR_PROTOCOL] = {.name = "protocol",
                      .type = FIELD_ENUM,
                      .flags = FIELD_REQUIRED | RULE_KEY,
                      .choices = protocols,
                      .doc = "Source: AuthorizeSecurityGroup, Permissions.N.IpProtocol"},
    [SGR_PORTS] =
        {.name = "ports",
         .type = FIELD_PORTS,
         .flags = RULE_KEY,
         .choices = any_ports,
         .min = 1,
         .initial = "any",
         .doc =
             "A port, a range as 8000/8080, or any; any for icmp, gre and all. Source: Permissions.N.PortRange"},
    [SGR_PEER_CIDR] = {.name = "peer.cidr",
                       .type = FIELD_CIDR,
                       .flags = RULE_KEY,
                       .min = 0,
                       .max = 32,
                       .one_of = 1,
                       .doc = "The other side, as a block."},
    [SGR_PEER_GROUP] = {.name = "peer.securityGroup",
                        .type = FIELD_REF,
                        .flags = RULE_KEY,
                        .ref = KIND_SECURITY_GROUP,
                        .one_of = 1,
                        .doc = "The other side, as members of a group."},
    [SGR_PRIORITY] = {.name = "priority",
                      .type = FIELD_INT,
                      .flags = RULE_KEY,
                      .min = 1,
                      .max = 100,
                      .initial = "1",
                      .doc = "1 comes first. Source: AuthorizeSecurityGroup, Permissions.N.Priority"},
    [SGR_DESCRIPTION] = {.name = "description",
                         .type = FIELD_TEXT,
                         .rule = RULE_DESCRIPTION,
                         .doc = "Kept when it is left out; emptying it replaces the rule. "
                                "Source: ModifySecurityGroupRule"},
};

const struct kind_info kind_security_group_rule = {
    .name = "SecurityGroupRule",
    .plural = "securitygrouprules",
    .short_name = "sgr",
    .id_prefix = "sgr-",
    .doc = "One rule of a security group; usually written inline as `rules:` of its group.",
    .example =
        "apiVersion: headgate/v1\nkind: SecurityGroupRule\nmetadata:\n  name: web-http\nspec:\n  securityGroup: web\n"
        "  protocol: tcp\n  ports: \"80\"\n  peer: {cidr: 0.0.0.0/0}\n",
    .fields = rule_fields,
    .n_fields = SGR_N,
    .name_field = FIELD_NO,
    .tags_field = FIELD_NO,
    .description_field = SGR_DESCRIPTION,
    .flags = KIND_CREATE_FIRST,
};

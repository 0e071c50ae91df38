/* regions.c - regions and zones, and the operations that list them. */
#include <string.h>

#include "providers/mock/inside.h"
#include "providers/mock/handlers.h"

/* Letters as in the cloud's own lists where known; a zone more than real does no harm here. */
const struct region regions[] = {
    {"cn-shanghai", "China (Shanghai)", "abcdefglmn"},
    {"cn-hangzhou", "China (Hangzhou)", "bcdefghijk"},
    {"cn-beijing", "China (Beijing)", "abcdefghijkl"},
    {"cn-shenzhen", "China (Shenzhen)", "abcdef"},
    {"cn-qingdao", "China (Qingdao)", "bc"},
    {"cn-zhangjiakou", "China (Zhangjiakou)", "abc"},
    {"cn-huhehaote", "China (Hohhot)", "ab"},
    {"cn-wulanchabu", "China (Ulanqab)", "abc"},
    {"cn-heyuan", "China (Heyuan)", "ab"},
    {"cn-guangzhou", "China (Guangzhou)", "ab"},
    {"cn-chengdu", "China (Chengdu)", "ab"},
    {"cn-hongkong", "China (Hong Kong)", "bcd"},
    {"ap-southeast-1", "Singapore", "abc"},
    {"ap-southeast-3", "Malaysia (Kuala Lumpur)", "ab"},
    {"ap-southeast-5", "Indonesia (Jakarta)", "abc"},
    {"ap-northeast-1", "Japan (Tokyo)", "abc"},
    {"eu-central-1", "Germany (Frankfurt)", "abc"},
    {"eu-west-1", "UK (London)", "ab"},
    {"us-west-1", "US (Silicon Valley)", "ab"},
    {"us-east-1", "US (Virginia)", "ab"},
    {"me-east-1", "UAE (Dubai)", "a"},
};
const size_t n_regions = N_ELEMENTS(regions);
_Static_assert(N_ELEMENTS(regions) <= MAX_REGIONS, "objects are counted by region");

int region_find(const char *id)
{
    for (size_t i = 0; i < n_regions; i++)
        if (strcmp(regions[i].id, id) == 0) return (int)i;
    return -1;
}

bool zone_exists(uint8_t region, const char *zone)
{
    const char *id = regions[region].id;
    size_t n = strlen(id);
    if (strncmp(zone, id, n) != 0) return false;
    const char *rest = zone + n;
    if (*rest == '-') rest++; /* "cn-shanghai-b", but "eu-central-1a" */
    return rest[0] != '\0' && rest[1] == '\0' && strchr(regions[region].zones, rest[0]) != NULL;
}

static void zone_name(uint8_t region, char letter, char out[32])
{
    const char *id = regions[region].id;
    char last = id[strlen(id) - 1];
    bool digit = last >= '0' && last <= '9';
    (void)snprintf(out, 32, "%s%s%c", id, digit ? "" : "-", letter);
}

static void put_zones(struct call *c, const char *path, bool with_type)
{
    json_t *array = json_array();
    for (const char *letter = regions[c->region].zones; *letter != '\0'; letter++) {
        char zone[32];
        zone_name(c->region, *letter, zone);
        json_t *z = json_object();
        (void)json_object_set_new_nocheck(z, "ZoneId", json_string(zone));
        (void)json_object_set_new_nocheck(z, "LocalName", json_string(zone));
        if (with_type) (void)json_object_set_new_nocheck(z, "ZoneType", json_string("AvailabilityZone"));
        (void)json_array_append_new(array, z);
    }
    answer_put(c, path, array);
}

bool zones_describe(struct call *c)
{
    put_zones(c, "Zones.Zone", true);
    return true;
}

bool zones_for_nat(struct call *c)
{
    put_zones(c, "Zones", false);
    return true;
}

bool regions_describe(struct call *c)
{
    json_t *array = json_array();
    bool ecs = strcmp(c->op->product, "Ecs") == 0;
    for (size_t i = 0; i < n_regions; i++) {
        char endpoint[64];
        (void)snprintf(endpoint, sizeof(endpoint), "%s.%s.aliyuncs.com", ecs ? "ecs" : "vpc", regions[i].id);
        json_t *r = json_object();
        (void)json_object_set_new_nocheck(r, "RegionId", json_string(regions[i].id));
        (void)json_object_set_new_nocheck(r, "LocalName", json_string(regions[i].name));
        (void)json_object_set_new_nocheck(r, "RegionEndpoint", json_string(endpoint));
        if (ecs) (void)json_object_set_new_nocheck(r, "Status", json_string("available"));
        (void)json_array_append_new(array, r);
    }
    answer_put(c, "Regions.Region", array);
    return true;
}

/* ip.h - IPv4 addresses, blocks and port ranges. Host byte order throughout. */
#pragma once

#include "reconciler/base/macros.h"
#include "reconciler/base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct cidr {
    uint32_t base; /* network address, host bits zero */
    uint8_t bits;  /* 0..32 */
};

enum ip_fault { IP_OK, IP_SYNTAX, IP_IS_V6, IP_BAD_BITS, IP_HOST_BITS };

/* "10.0.0.1": four decimal parts without leading zeros. IP_IS_V6 when it looks like IPv6. */
MUST_CHECK enum ip_fault ip_parse(struct text t, uint32_t *out);
/* "10.0.0.0/8". IP_HOST_BITS when bits are set behind the mask; *out is then the block with them cleared. */
MUST_CHECK enum ip_fault cidr_parse(struct text t, struct cidr *out);

enum { IP_TEXT_SIZE = 16, CIDR_TEXT_SIZE = 19 };
/* Both return 'out', NUL-terminated. */
char *ip_format(uint32_t ip, char out[IP_TEXT_SIZE]);
char *cidr_format(struct cidr c, char out[CIDR_TEXT_SIZE]);

uint32_t cidr_last(struct cidr c);
bool cidr_has(struct cidr c, uint32_t ip);
bool cidr_contains(struct cidr outer, struct cidr inner); /* equal counts */
bool cidr_overlaps(struct cidr a, struct cidr b);
/* By base, then longer (smaller) blocks last: <0, 0, >0. */
int cidr_compare(struct cidr a, struct cidr b);

/* "80", "80/90", "80-90": *first <= *last within [min, 65535]. */
MUST_CHECK bool ports_parse(struct text t, uint16_t min, uint16_t *first, uint16_t *last);

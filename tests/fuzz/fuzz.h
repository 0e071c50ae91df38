/* fuzz.h - what the targets share: libFuzzer's entry point, and inputs that are cut into pieces. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/text.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte, taken off; 0 when there is none. Chooses what the rest is given to. */
static inline uint8_t fuzz_byte(struct text *rest)
{
    if (rest->len == 0) return 0;
    uint8_t byte = (uint8_t)rest->ptr[0];
    rest->ptr++;
    rest->len--;
    return byte;
}

/* The bytes up to the next newline as a C string of the arena; what follows a NUL in them is left out. */
static inline const char *fuzz_line(struct text *rest, struct arena *a)
{
    struct text line;
    if (!text_cut(rest, '\n', &line)) line = (struct text){"", 0};
    const char *copy = arena_copy(a, line.ptr, line.len);
    ASSERT(copy != NULL);
    return copy;
}

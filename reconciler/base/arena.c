/* arena.c - blocks chained in a list, handed out from the front (objects) and the back (text).
 *
 * Text is packed from the back of a block without alignment, so that short strings cost their bytes and no
 * more. */
#include "reconciler/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <string.h>

enum { BLOCK_SIZE = 64 * 1024 };

struct block {
    struct block *next;
    size_t size, front, back; /* bytes; [front, back) is free */
    alignas(max_align_t) char bytes[];
};

/* An array that arena_extend() moves: of the heap, in a list. */
struct array {
    struct array *next, *before;
    alignas(max_align_t) char bytes[];
};

struct arena {
    struct block *blocks; /* the first has room, the others are full or nearly so */
    struct array *arrays;
    size_t limit, used;
};

struct arena *arena_new(size_t limit)
{
    struct arena *a = calloc(1, sizeof *a);
    if (a != NULL) a->limit = limit;
    return a;
}

/* Frees all blocks and arrays; 'kept' stays. */
static void free_all(struct arena *a, const struct block *kept)
{
    for (struct block *b = a->blocks, *next; b != NULL; b = next) {
        next = b->next;
        if (b != kept) free(b);
    }
    for (struct array *array = a->arrays, *next; array != NULL; array = next) {
        next = array->next;
        free(array);
    }
}

void arena_reset(struct arena *a)
{
    struct block *kept = a->blocks;
    free_all(a, kept);
    if (kept != NULL) *kept = (struct block){.size = kept->size, .back = kept->size};
    *a = (struct arena){.blocks = kept, .limit = a->limit};
}

void arena_free(struct arena *a)
{
    if (a == NULL) return;
    free_all(a, NULL);
    free(a);
}

void arena_freep(struct arena **a)
{
    arena_free(*a);
}

static struct block *block_with_room(struct arena *a, size_t size)
{
    struct block *b = a->blocks;
    if (b != NULL && b->back - b->front >= size) return b;
    size_t block_size = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE;
    b = malloc(sizeof *b + block_size);
    if (b == NULL) return NULL;
    *b = (struct block){.size = block_size, .back = block_size};
    if (block_size != BLOCK_SIZE && a->blocks != NULL) {
        /* A large object has a block of its own, behind the current one, which keeps its room. */
        b->next = a->blocks->next;
        a->blocks->next = b;
    } else {
        b->next = a->blocks;
        a->blocks = b;
    }
    return b;
}

static bool take(struct arena *a, size_t size)
{
    if (size > a->limit - a->used) return false;
    a->used += size;
    return true;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t rounded;
    if (__builtin_add_overflow(size, sizeof(void *) - 1, &rounded)) return NULL;
    rounded &= ~(sizeof(void *) - 1);
    if (rounded == 0) rounded = sizeof(void *);
    if (rounded > a->limit - a->used) return NULL;
    struct block *b = block_with_room(a, rounded);
    if (b == NULL || !take(a, rounded)) return NULL;
    void *p = b->bytes + b->front;
    b->front += rounded;
    memset(p, 0, rounded);
    return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total)) return NULL;
    return arena_alloc(a, total);
}

char *arena_copy(struct arena *a, const char *ptr, size_t len)
{
    size_t size;
    if (__builtin_add_overflow(len, 1, &size) || size > a->limit - a->used) return NULL;
    struct block *b = block_with_room(a, size);
    if (b == NULL || !take(a, size)) return NULL;
    b->back -= size;
    char *p = b->bytes + b->back;
    if (len > 0) memcpy(p, ptr, len);
    p[len] = '\0';
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return s == NULL ? NULL : arena_copy(a, s, strlen(s));
}

struct text arena_text(struct arena *a, struct text t)
{
    char *p = arena_copy(a, t.ptr, t.len);
    return (struct text){p, p == NULL ? 0 : t.len};
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    char small[256];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(small, sizeof small, fmt, args);
    va_end(args);
    if (n < 0) return NULL;
    if ((size_t)n < sizeof small) return arena_copy(a, small, (size_t)n);
    char *p = arena_alloc(a, (size_t)n + 1);
    if (p == NULL) return NULL;
    va_start(args, fmt);
    (void)vsnprintf(p, (size_t)n + 1, fmt, args); /* measured above */
    va_end(args);
    return p;
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}

bool arena_grow(struct arena *a, void *items, size_t item_size, size_t n, size_t *capacity)
{
    if (n < *capacity) return true;
    size_t wanted = *capacity < 8 ? 8 : *capacity + *capacity / 2;
    void *grown = arena_array(a, wanted, item_size);
    if (grown == NULL) return false;
    void *old;
    memcpy(&old, items, sizeof old);
    if (n > 0) memcpy(grown, old, n * item_size);
    memcpy(items, &grown, sizeof grown);
    *capacity = wanted;
    return true;
}

bool arena_extend(struct arena *a, void *items, size_t item_size, size_t n, size_t *capacity)
{
    enum { FIRST_CAPACITY = 64 };
    size_t old_size = *capacity * item_size, size; /* the old one fitted */
    if (n < *capacity) return true;
    size_t wanted = MAX_OF(*capacity + *capacity / 2, (size_t)FIRST_CAPACITY);
    if (__builtin_mul_overflow(wanted, item_size, &size) || size > SIZE_MAX - sizeof(struct array))
        return false;
    if (!take(a, size - old_size)) return false;
    char *bytes;
    memcpy(&bytes, items, sizeof bytes);
    struct array *old = bytes == NULL ? NULL : CONTAINER_OF(bytes, struct array, bytes);
    struct array *grown = realloc(old, sizeof *grown + size);
    if (grown == NULL) {
        a->used -= size - old_size;
        return false;
    }
    if (old == NULL) *grown = (struct array){.next = a->arrays};
    if (old == NULL || grown->before == NULL)
        a->arrays = grown;
    else
        grown->before->next = grown;
    if (grown->next != NULL) grown->next->before = grown;
    bytes = grown->bytes;
    memcpy(items, &bytes, sizeof bytes);
    *capacity = wanted;
    return true;
}

/* power_replay.c - what a power cut leaves.
 *
 *   durable   what was synced, file by file
 *   pending   the operations since then, in order; a sync of their file makes them durable
 *
 * A cut starts from what is durable and lets each pending operation happen, or not, or in part. */
#include "tests/support/power_disk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECTOR = 512, N_FILES = 16 };

struct image {
    bool exists;
    struct bytes bytes;
};

struct power_replay {
    struct power_disk *disk;
    size_t at; /* in the log */
    struct image durable[N_FILES];
    const struct power_op **pending;
    size_t n_pending;
};

struct power_replay *power_replay_new(struct power_disk *d)
{
    _Static_assert(N_ELEMENTS(d->files) == N_FILES, "one image a file");
    struct power_replay *r = calloc(1, sizeof *r);
    ASSERT(r != NULL);
    d->recording = false;
    r->disk = d;
    r->pending = calloc(d->n_ops + 1, sizeof(const struct power_op *));
    ASSERT(r->pending != NULL);
    for (size_t k = 0; k < N_FILES; k++) {
        r->durable[k].exists = d->files[k].existed;
        bytes_copy(&r->durable[k].bytes, &d->files[k].durable);
    }
    return r;
}

void power_replay_free(struct power_replay *r)
{
    for (size_t k = 0; k < N_FILES; k++) free(r->durable[k].bytes.ptr);
    free(r->pending);
    free(r);
}

/* ---- what happens to one operation ---- */

/* splitmix64 */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void write_range(struct image *image, const struct power_op *op, size_t from, size_t to)
{
    if (to > image->bytes.size) bytes_resize(&image->bytes, to);
    memcpy(image->bytes.ptr + from, op->data + (from - op->at), to - from);
}

/* Sector by sector; the file may have grown where nothing came. */
static void tear(struct image *image, const struct power_op *op, uint64_t *seed)
{
    size_t end = op->at + op->size, old = image->bytes.size;
    uint64_t how = draw(seed);
    if (end > old && (how & 1) != 0) {
        bytes_resize(&image->bytes, end);
        if ((how & 2) != 0) memset(image->bytes.ptr + old, 0xa5, end - old);
    }
    for (size_t from = op->at; from < end;) {
        size_t to = MIN_OF(from / SECTOR * SECTOR + SECTOR, end);
        if ((draw(seed) & 1) != 0) write_range(image, op, from, to);
        from = to;
    }
}

static void happen(struct image *image, const struct power_op *op)
{
    switch (op->type) {
    case POWER_CREATE: image->exists = true; break;
    case POWER_WRITE: write_range(image, op, op->at, op->at + op->size); break;
    case POWER_TRUNCATE: bytes_resize(&image->bytes, op->size); break;
    case POWER_DELETE:
        image->exists = false;
        bytes_resize(&image->bytes, 0);
        break;
    case POWER_SYNC:
    case POWER_SYNC_FOLDER: break;
    }
}

static bool is_name(const struct power_op *op)
{
    return op->type == POWER_CREATE || op->type == POWER_DELETE;
}

/* Whether it happens at all; what is written to a file whose name is lost is lost with it, and so is what
 * came after a deletion that is lost: it was another file. */
static void maybe_happen(struct image *image, bool *lost, const struct power_op *op, uint64_t *seed)
{
    uint64_t luck = draw(seed) % 3;
    if (is_name(op) && luck == 0) *lost = true;
    if (*lost || luck == 0) return;
    if (op->type == POWER_WRITE && luck == 1)
        tear(image, op, seed);
    else
        happen(image, op);
}

/* ---- the walk ---- */

static void make_durable(struct power_replay *r, size_t file)
{
    size_t kept = 0;
    for (size_t k = 0; k < r->n_pending; k++) {
        if (r->pending[k]->file == file)
            happen(&r->durable[file], r->pending[k]);
        else
            r->pending[kept++] = r->pending[k];
    }
    r->n_pending = kept;
}

/* The names of all files are durable, their contents are not: what was done before the last change of a name
 * was done to another file, or to none. */
static void make_names_durable(struct power_replay *r)
{
    size_t n_last[N_FILES] = {0}, kept = 0; /* one past the last change of each name */
    for (size_t k = 0; k < r->n_pending; k++)
        if (is_name(r->pending[k])) n_last[r->pending[k]->file] = k + 1;
    for (size_t k = 0; k < r->n_pending; k++) {
        const struct power_op *op = r->pending[k];
        if (k + 1 > n_last[op->file]) r->pending[kept++] = op;
        if (k + 1 != n_last[op->file]) continue;
        r->durable[op->file].exists = op->type == POWER_CREATE;
        bytes_resize(&r->durable[op->file].bytes, 0);
    }
    r->n_pending = kept;
}

bool power_replay_step(struct power_replay *r)
{
    if (r->at == r->disk->n_ops) return false;
    const struct power_op *op = &r->disk->ops[r->at++];
    if (op->type == POWER_SYNC)
        make_durable(r, op->file);
    else if (op->type == POWER_SYNC_FOLDER)
        make_names_durable(r);
    else
        r->pending[r->n_pending++] = op;
    return true;
}

/* FNV-1a, eight bytes at a time: images are compared, not guarded. */
static uint64_t hash_bytes(uint64_t hash, const struct bytes *b)
{
    size_t k = 0;
    for (uint64_t word; k + sizeof word <= b->size; k += sizeof word) {
        memcpy(&word, b->ptr + k, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    for (; k < b->size; k++) hash = (hash ^ b->ptr[k]) * UINT64_C(0x100000001b3);
    return (hash ^ b->size) * UINT64_C(0x100000001b3);
}

uint64_t power_cut(struct power_replay *r, enum power_loss loss, uint64_t seed)
{
    bool lost[N_FILES] = {false};
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    struct image left[N_FILES];
    for (size_t k = 0; k < N_FILES; k++) {
        struct power_file *f = &r->disk->files[k];
        ASSERT(!f->is_open);
        left[k] = (struct image){.exists = r->durable[k].exists, .bytes = f->content};
        bytes_copy(&left[k].bytes, &r->durable[k].bytes);
    }
    for (size_t k = 0; k < r->n_pending && loss != POWER_LOSES_UNSYNCED; k++) {
        const struct power_op *op = r->pending[k];
        if (loss == POWER_LOSES_NOTHING)
            happen(&left[op->file], op);
        else
            maybe_happen(&left[op->file], &lost[op->file], op, &seed);
    }
    for (size_t k = 0; k < N_FILES; k++) {
        struct power_file *f = &r->disk->files[k];
        f->exists = left[k].exists;
        f->content = left[k].bytes;
        hash = hash_bytes(hash + f->exists, &f->content);
    }
    return hash;
}

/* power_disk.h - the disk's inside, for power_vfs.c (its methods) and power_replay.c (its cuts). */
#pragma once

#include "reconciler/base/macros.h"
#include "tests/support/power_vfs.h"

#include <sqlite3.h>
#include <sys/types.h>

struct bytes {
    unsigned char *ptr;
    size_t size, capacity;
};

void bytes_resize(struct bytes *b, size_t size); /* what is new is 0 */
void bytes_copy(struct bytes *to, const struct bytes *from);

struct power_file {
    bool used, temporary, exists, is_open;
    ino_t inode; /* of a database; else 0 */
    char path[512];
    struct bytes content;
    void *regions[64]; /* of the index that connections share */
    size_t n_regions;
    /* When the recording began. */
    bool existed;
    struct bytes durable;
};

enum power_op_type { POWER_CREATE, POWER_WRITE, POWER_TRUNCATE, POWER_DELETE, POWER_SYNC, POWER_SYNC_FOLDER };
struct power_op {
    enum power_op_type type;
    size_t file, at, size;
    unsigned char *data;
};

struct power_disk {
    sqlite3_vfs vfs, *usual;
    struct power_file files[16];
    bool no_shared_memory, recording, paused;
    struct power_op *ops;
    size_t n_ops, ops_capacity;
    enum power_fault fault;
    uint64_t fail_in;
    char failed[128];
    int last_errno;
};

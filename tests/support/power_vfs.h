/* power_vfs.h - a disk for SQLite that fails as told and whose power can be cut anywhere.
 *
 * Files are kept in memory; on the real disk lies a file of the same size and without content for each
 * database, so that what asks the file system by itself (stat, rename) finds what it expects. A database is
 * known by its inode, since the store renames it; what SQLite makes beside it by its name.
 *
 * While it records, every write, truncation, deletion and sync goes to a log. A replay walks that log and
 * gives, for each of its positions, what a power cut there may leave: all that was synced, and of the rest
 * whatever the seed says, in sectors of 512 bytes. Names are made and deleted durably when the folder is
 * synced, as SQLite does on request and with the first sync of a new file. One thread, one connection to a
 * file at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct power_disk;

/* Becomes SQLite's default VFS, until it is freed. Nothing may be open on it then. */
struct power_disk *power_disk_new(void);
void power_disk_free(struct power_disk *d);
/* As a file system where SQLite cannot have a write-ahead log. */
void power_no_shared_memory(struct power_disk *d);

/* ---- operations that fail ---- */

enum power_fault {
    POWER_IO_ERROR,  /* SQLITE_IOERR_… or SQLITE_CANTOPEN, EIO; of a write the first half is done */
    POWER_DISK_FULL, /* writes: SQLITE_FULL; syncs and shared memory: an I/O error with ENOSPC; the rest works
                      */
};

/* The n-th operation from now (from 1; 0: none) fails once. */
void power_fail_at(struct power_disk *d, enum power_fault fault, uint64_t n);
/* Operations of the test itself neither fail nor count. */
void power_pause_faults(struct power_disk *d, bool paused);
/* What it was, as "write state.db-wal"; NULL while it has not come. */
const char *power_failed(const struct power_disk *d);

/* ---- power cuts ---- */

/* Begins a new log; what is on the disk now is durable. */
void power_record(struct power_disk *d);
/* How long the log is. */
size_t power_log_length(const struct power_disk *d);

struct power_replay;
/* Ends the recording. */
struct power_replay *power_replay_new(struct power_disk *d);
void power_replay_free(struct power_replay *r);
/* Takes the next operation of the log; false at its end. */
bool power_replay_step(struct power_replay *r);

enum power_loss {
    POWER_LOSES_NOTHING,  /* all was written, though nobody asked for it */
    POWER_LOSES_UNSYNCED, /* all that was not synced */
    POWER_LOSES_SOME,     /* as the seed says: written, lost or torn; holes hold zeros or rubbish */
};
/* Turns the power off and on here: the disk holds what is left. Returns a hash of it. */
uint64_t power_cut(struct power_replay *r, enum power_loss loss, uint64_t seed);

/* memory.h - what a state file keeps, in memory: records, generations and open intents, written by the
 * engine's notes. */
#pragma once

#include "reconciler/converge/converge.h"

struct memory {
    struct arena *arena; /* of everything here; lives as long as the memory */
    struct record *records;
    size_t n_records, records_capacity;
    struct open_intent {
        enum kind kind;
        struct text name;
        enum verb verb;
        const char *operation;
        char token[65];
        char request_hash[65];
        uint32_t generation;
    } * intents;
    size_t n_intents, intents_capacity;
    struct used_generation
        *generations; /* sorted by address; .open and .operation are set by memory_used() */
    size_t n_generations, generations_capacity;
    size_t n_writes;  /* batches of notes */
    uint32_t n_lives; /* how often it was lost: a new state has a new id */
};

void memory_init(struct memory *m);
void memory_fini(struct memory *m);
/* All of them, as one transaction. */
void memory_write(struct memory *m, const struct note *notes, size_t n);
/* As a lost state file: records, intents and generations are gone. */
void memory_forget(struct memory *m);
/* Removes one record. */
void memory_forget_record(struct memory *m, enum kind kind, const char *name);
/* Gives one record another name, as `headgate state mv`. */
void memory_move_record(struct memory *m, enum kind kind, const char *from, const char *to);
/* A generation of an address was used. */
void memory_use(struct memory *m, enum kind kind, struct text name, uint32_t generation);
/* Sorted records, copied into 'arena'. */
struct records memory_records(const struct memory *m, struct arena *arena);
/* For converge_options. */
const struct used_generation *memory_used(struct memory *m, struct arena *arena);

/* state_file.h - a life over a real state file: every note goes to the store as well as to the harness's
 * memory, a crash opens the file anew, and both have to say the same. */
#pragma once

#include "tests/support/harness.h"

struct state_file;

/* A new file in a folder of its own below /dev/shm (or $TMPDIR), which the harness's notes go to. */
struct state_file *state_file_new(struct harness *h);
/* Accepts NULL. */
void state_file_free(struct state_file *f);
/* As after a crash, or a new process. */
void state_file_reopen(struct state_file *f);
/* The file is lost, and there is a new one. */
void state_file_lose(struct state_file *f);
/* What is different between file and memory: "" when nothing is. Valid until the next call. */
const char *state_file_compare(struct state_file *f);
/* What `state verify` says: "" when all is well. */
const char *state_file_verify(struct state_file *f);

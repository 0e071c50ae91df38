/* plan_file.c - any bytes as a saved plan. */
#include "tests/fuzz/fuzz.h"

#include "cmd/headgate/plan_file.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ARENA_LIMIT = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(ARENA_LIMIT);
    int fd = memfd_create("plan", MFD_CLOEXEC);
    char path[64];
    struct plan_file plan;
    struct err err;
    ASSERT(arena != NULL && fd >= 0);
    ssize_t written = write(fd, data, size);
    ASSERT(written == (ssize_t)size);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    (void)plan_file_is(path);
    enum err_code code = plan_file_read(path, arena, &plan, &err);
    if (code == ERR_OK)
        for (size_t i = 0; i < plan.n_changes; i++)
            ASSERT(plan.changes[i].address != NULL && plan.changes[i].digest != NULL);
    else
        ASSERT(err.msg[0] != '\0');
    (void)close(fd);
    return 0;
}

/* plan_file.c - saved plans: the file of `plan --out` as `apply FILE` reads it.
 *
 * The file is read through a descriptor, as the program reads one. What is in a plan that can be read is then
 * loaded as `apply` would load it. */
#include "cmd/headgate/plan_file.h"
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

static void check_texts(const struct text *items, size_t n)
{
    for (size_t i = 0; i < n; i++) ASSERT(items[i].ptr[items[i].len] == '\0');
}

static void check_plan(const struct plan_file *f, struct arena *a)
{
    struct err err = {0};
    struct diags diags;
    struct desired desired;
    ASSERT(f->created != NULL && f->state_id != NULL && f->options.stack != NULL);
    for (size_t i = 0; i < f->n_changes; i++)
        ASSERT(f->changes[i].address != NULL && f->changes[i].action != NULL && f->changes[i].digest != NULL);
    check_texts(f->options.targets, f->options.n_targets);
    check_texts(f->options.excludes, f->options.n_excludes);
    check_texts(f->options.replaces, f->options.n_replaces);
    diags_init(&diags, a);
    struct manifest_input input = {.sources = f->options.sources,
                                   .n_sources = f->options.n_sources,
                                   .variables = f->options.variables,
                                   .n_variables = f->options.n_variables};
    enum err_code code = manifest_load(a, &input, &diags, &desired, &err);
    ASSERT(code == ERR_OK || code == ERR_INPUT || code == ERR_LIMIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1; /* one file for all inputs: a new one would cost more than reading it */
    char path[64];
    struct plan_file f;
    struct err err = {0};
    if (fd < 0) fd = memfd_create("plan", MFD_CLOEXEC);
    ASSERT(fd >= 0 && ftruncate(fd, 0) == 0);
    ASSERT(pwrite(fd, data, size, 0) == (ssize_t)size);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct arena *a = fuzz_arena();
    (void)plan_file_is(path);
    enum err_code code = plan_file_read(path, a, &f, &err);
    ASSERT(code == ERR_OK || code == ERR_INPUT || code == ERR_STALE);
    ASSERT(code == ERR_OK || err.msg[0] != '\0');
    if (code == ERR_OK) check_plan(&f, a);
    arena_free(a);
    return 0;
}

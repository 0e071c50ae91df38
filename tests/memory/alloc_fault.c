/* alloc_fault.c - loaded before a program (LD_PRELOAD): lets the k-th allocation of its main thread fail.
 *
 *   HEADGATE_FAIL_ALLOC=K   the K-th one, counted from main() on
 *   HEADGATE_FAIL_MORE=N    … and those after it, N in all (default 1)
 *   HEADGATE_COUNT=FILE     writes how many there were, at the end
 *
 * It stands below the libraries, too, so libyaml, SQLite, jansson and libuv fail as they would.
 * Other threads are left alone: the order among threads is nobody's, and a k would not be the same allocation
 * again.
 * OpenSSL's own allocations are spared: version 3.0 crashes by itself where they fail (EVP_MD_fetch). */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

typedef int main_fn(int argc, char **argv, char **env);
typedef int start_fn(main_fn *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                     void (*rtld_fini)(void), void *stack_end);
int __libc_start_main(main_fn *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end);

static pthread_t main_thread;
static bool counts;
static unsigned long n, fails_at, n_fails = 1;
static main_fn *real_main;

static bool is_spared(const void *caller)
{
    Dl_info info;
    return dladdr(caller, &info) != 0 && info.dli_fname != NULL &&
           strstr(info.dli_fname, "libcrypto") != NULL;
}

static bool fails(const void *caller)
{
    if (!counts || !pthread_equal(pthread_self(), main_thread)) return false;
    n++;
    if (fails_at == 0 || n < fails_at || n - fails_at >= n_fails || is_spared(caller)) return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(p, size);
}

static unsigned long number_of(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoul(text, NULL, 10);
}

static void tell(void)
{
    const char *path = getenv("HEADGATE_COUNT");
    char text[32];
    counts = false;
    if (path == NULL) return;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int size = snprintf(text, sizeof text, "%lu\n", n);
    if (fd < 0 || write(fd, text, (size_t)size) != size) abort();
    (void)close(fd);
}

static int counted_main(int argc, char **argv, char **env)
{
    main_thread = pthread_self();
    fails_at = number_of("HEADGATE_FAIL_ALLOC", 0);
    n_fails = number_of("HEADGATE_FAIL_MORE", 1);
    if (atexit(tell) != 0) abort();
    counts = true;
    return real_main(argc, argv, env);
}

int __libc_start_main(main_fn *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    union {
        void *object;
        start_fn *function;
    } next = {.object = dlsym(RTLD_NEXT, "__libc_start_main")};
    real_main = main;
    return next.function(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}

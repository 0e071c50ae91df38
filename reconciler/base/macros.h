/* macros.h - the few language helpers that every module uses. */
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define HG_STRINGIFY_(x) #x
#define HG_STRINGIFY(x)  HG_STRINGIFY_(x)
#define SOURCE_LINE      __FILE_NAME__ ":" HG_STRINGIFY(__LINE__)

#ifndef __FILE_NAME__ /* clang and gcc >= 12 have it */
#define __FILE_NAME__ __FILE__
#endif

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Scope cleanup: the handle is closed by 'fn' when it goes out of scope, unless TAKE() handed it over. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define TAKE(p)                                                                                              \
    ({                                                                                                       \
        __typeof__(p) taken_ = (p);                                                                          \
        (p) = NULL;                                                                                          \
        taken_;                                                                                              \
    })

#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define N_ELEMENTS(array)               (sizeof(array) / sizeof((array)[0]))
#define MIN_OF(a, b)                    ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b)                    ((a) > (b) ? (a) : (b))

/* A bug of ours: always compiled in. Intents make an abort safe. */
#define ASSERT(cond)                                                                                         \
    do {                                                                                                     \
        if (__builtin_expect(!(cond), 0)) assert_failed(#cond, __FILE__, __LINE__);                          \
    } while (0)

_Noreturn void assert_failed(const char *expression, const char *file, int line);

/* A context: the threads, the default random generator, the device and the last message.
 *
 * Everything made by wick is made in a context and must be freed before it. One context and all that was
 * made in it belong to one thread at a time; several contexts may be used by several threads at once.
 * wick keeps no other state.
 */
#ifndef WICK_CONTEXT_H
#define WICK_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wick/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wick_context wick_context;

/* Makes a context on the CPU with one thread for every core that the process may run on, its default
 * generator seeded with PyTorch's default seed. Owned by the caller: wick_context_free().
 * Errors: WICK_ENOMEM; WICK_EINVAL if out is NULL. */
WICK_API wick_status wick_context_new(wick_context **out);

/* Frees a context. Everything made in it must have been freed before. NULL is fine. */
WICK_API void wick_context_free(wick_context *context);

/* What the last failing call on this context had to say, in one line without a newline; "" before the
 * first failure. Borrowed until the next failing call. */
WICK_API const char *wick_context_message(const wick_context *context);

/* Sets how many threads do the work: 1 to 1024, or 0 for one a core. Results do not depend on it,
 * bit for bit.
 * Errors: WICK_EINVAL outside that range. */
WICK_API wick_status wick_context_set_threads(wick_context *context, int threads);
WICK_API int wick_context_threads(const wick_context *context);

/* Chooses the device: "auto", "cpu" or "cuda" (or "cuda:N").
 * Errors: WICK_EDEVICE, naming the devices there are, if this machine or this build has no such one;
 * WICK_EINVAL if it is not the name of a device. The device stays what it was. */
WICK_API wick_status wick_context_set_device(wick_context *context, const char *device);
/* "cpu". Borrowed until the next wick_context_set_device. */
WICK_API const char *wick_context_device(const wick_context *context);

/* Chooses the processor kernels: "auto" or a name that wick_bench_cpu() gives. The environment's
 * WICK_CPU chooses them where this was not called.
 * Errors: WICK_EDEVICE, naming those that this processor can run. */
WICK_API wick_status wick_context_set_cpu(wick_context *context, const char *cpu);
/* The kernels in use, such as "x86-64-v3". Static.
 * Errors: WICK_EDEVICE if WICK_CPU names kernels that this processor cannot run. */
WICK_API wick_status wick_context_cpu(wick_context *context, const char **out);

/* Asks the training, evaluation or download that runs in this context to stop after the step that
 * it is in and to return WICK_EINTR. May be called from another thread and from a signal handler. */
WICK_API void wick_context_interrupt(wick_context *context);
/* Whether that was asked since the last wick_context_clear_interrupt(). */
WICK_API bool wick_context_interrupted(const wick_context *context);
WICK_API void wick_context_clear_interrupt(wick_context *context);

/* Frees text that wick allocated for the caller. NULL is fine. */
WICK_API void wick_free(void *memory);

/* "0.1.0". Static. */
WICK_API const char *wick_version(void);

#ifdef __cplusplus
}
#endif
#endif

/* Every allocation fails in turn: each failure is WICK_ENOMEM, nothing leaks, nothing on disk is broken.
 *
 * The linker's --wrap sends the library's calls of malloc() and its like here (meson.build lists them),
 * those of the libraries that it links statically too. Calls from within libc are left alone. */
#include "fault.h"

#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRACE = 16, SLOTS = 1 << 18 };

static struct {
    pthread_mutex_t lock;
    bool armed, all;
    long count, fail_at, failed;
    size_t live;
    void *trace[TRACE]; /* from where the first failing one was called */
    int depth;
    void *pointers[SLOTS]; /* live blocks, by their address; open addressing */
} heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);
char *__real_realpath(const char *path, char *out);
void __real_free(void *memory);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t length);
char *__wrap_realpath(const char *path, char *out);
void __wrap_free(void *memory);

static size_t slot_of(const void *memory)
{
    return (size_t)(((uintptr_t)memory >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 40) % SLOTS;
}

/* The slot where memory is, or the empty one where it would be. */
static size_t find(const void *memory)
{
    size_t slot = slot_of(memory);
    while (heap.pointers[slot] != NULL && heap.pointers[slot] != memory)
        slot = (slot + 1) % SLOTS;
    return slot;
}

static void *remember(void *memory)
{
    if (memory == NULL)
        return NULL;
    pthread_mutex_lock(&heap.lock);
    if (heap.armed) {
        heap.pointers[find(memory)] = memory;
        heap.live++;
    }
    pthread_mutex_unlock(&heap.lock);
    return memory;
}

/* Removes it, and moves up those behind it that would not be found any more. */
static void forget(void *memory)
{
    pthread_mutex_lock(&heap.lock);
    size_t hole = memory == NULL ? 0 : find(memory);
    if (memory != NULL && heap.pointers[hole] == memory) {
        heap.pointers[hole] = NULL;
        heap.live--;
        for (size_t next = (hole + 1) % SLOTS; heap.pointers[next] != NULL; next = (next + 1) % SLOTS) {
            void *moved = heap.pointers[next];
            heap.pointers[next] = NULL;
            heap.pointers[find(moved)] = moved;
        }
    }
    pthread_mutex_unlock(&heap.lock);
}

/* Whether this allocation is one to fail. */
static bool fails(void)
{
    pthread_mutex_lock(&heap.lock);
    bool now = false;
    if (heap.armed) {
        heap.count++;
        now = heap.all ? heap.count >= heap.fail_at : heap.count == heap.fail_at;
        heap.failed += now;
    }
    pthread_mutex_unlock(&heap.lock);
    if (now && heap.depth == 0)
        heap.depth = backtrace(heap.trace, TRACE);
    if (now)
        errno = ENOMEM;
    return now;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : remember(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : remember(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (fails())
        return NULL;
    forget(old);
    return remember(__real_realloc(old, size));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : remember(__real_aligned_alloc(alignment, size));
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : remember(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t length)
{
    return fails() ? NULL : remember(__real_strndup(text, length));
}

char *__wrap_realpath(const char *path, char *out)
{
    if (out != NULL)
        return __real_realpath(path, out);
    return fails() ? NULL : remember(__real_realpath(path, NULL));
}

void __wrap_free(void *memory)
{
    forget(memory);
    __real_free(memory);
}

static void arm(long n, bool all)
{
    FAULT_CHECK(heap.live == 0);
    heap.count = heap.failed = 0;
    heap.fail_at = n;
    heap.depth = 0;
    heap.all = all;
    heap.armed = true;
}

static long disarm(void)
{
    heap.armed = false;
    return heap.failed;
}

static void check(const fault_scenario *scenario, wick_status status, const char *message)
{
    if (status != WICK_ENOMEM) {
        char what[1280];
        snprintf(what, sizeof(what), "%s, not WICK_ENOMEM: %s", wick_status_name(status), message);
        fault_failed(scenario->name, 0, what);
    }
    if (message[0] != '\0' && strstr(message, "memory") == NULL)
        fault_failed(scenario->name, 0, message);
}

static long leaks(void)
{
    return (long)heap.live;
}

/* For addr2line. */
static void explain(void)
{
    backtrace_symbols_fd(heap.trace, heap.depth, STDERR_FILENO);
}

int main(void)
{
    const fault_kind kind = {.arm = arm,
                             .disarm = disarm,
                             .leaks = leaks,
                             .check = check,
                             .explain = explain,
                             .what = "allocation",
                             .without_files = true};
    return fault_main(&kind);
}

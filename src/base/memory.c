#include "base/base.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGNMENT = 64 };

/* From so many bytes on it is looked up whether they are there. */
#define MUCH (UINT64_C(64) << 20)

/* ---- what there is ---- */

uint64_t wki_memory_said(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    if (at == NULL)
        return UINT64_MAX;
    at += strlen(name);
    while (*at == ' ' || *at == ':')
        at++;
    if (*at < '0' || *at > '9')
        return UINT64_MAX;
    const uint64_t number = strtoull(at, NULL, 10);
    return number > UINT64_MAX >> 10 ? UINT64_MAX : number << 10;
}

/* The file's start as a text; empty if there is none. */
static void read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, size - 1);
    if (fd >= 0)
        close(fd);
    text[got < 0 ? 0 : got] = '\0';
}

/* What Linux says can be had without taking it from others, or a container may have; UINT64_MAX if it says nothing.
 * Without this the system grants more than there is and ends the process once it is written to. */
static uint64_t available_memory(void)
{
    char text[4096];
    read_text("/proc/meminfo", text, sizeof(text));
    uint64_t there = wki_memory_said(text, "MemAvailable"), swap = wki_memory_said(text, "SwapFree");
    if (there != UINT64_MAX && swap != UINT64_MAX)
        there += swap;
    read_text("/sys/fs/cgroup/memory.max", text, sizeof(text));
    const uint64_t most = text[0] >= '0' && text[0] <= '9' ? strtoull(text, NULL, 10) : UINT64_MAX;
    return WKI_MIN(there, most);
}

/* ---- taking it ---- */

static wick_status no_memory(wick_context *context, size_t count, size_t size, const char *what)
{
    uint64_t bytes;
    if (!wki_mul_u64(count, size, &bytes))
        return wki_fail(context, WICK_ENOMEM,
                        "out of memory: %s of %zu times %zu bytes cannot be addressed", what, count,
                        size);
    return wki_fail(context, WICK_ENOMEM, "out of memory: no %llu bytes for %s",
                    (unsigned long long)bytes, what);
}

/* The address sanitizer is to see what is read just behind an allocation. */
#if defined(MADV_HUGEPAGE) && !defined(__SANITIZE_ADDRESS__)
#define WANTS_LARGE_PAGES 1
#else
#define WANTS_LARGE_PAGES 0
#endif

/* Zeroed. What is large is in large pages where the system has some: images in a random order are each in another page, and
 * those of 4 KiB are more than a processor keeps the places of. */
static void *take(size_t bytes)
{
    const size_t alignment = WANTS_LARGE_PAGES && bytes >= WKI_LARGE_PAGE ? WKI_LARGE_PAGE : ALIGNMENT;
    const size_t whole = (bytes + alignment - 1) / alignment * alignment;
    void *memory = aligned_alloc(alignment, whole);
    if (memory == NULL)
        return NULL;
#if WANTS_LARGE_PAGES
    if (alignment == WKI_LARGE_PAGE)
        (void)madvise(memory, whole, MADV_HUGEPAGE); /* a wish: that it is not granted is no failure */
#endif
    memset(memory, 0, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    return memory;
}

wick_status wki_alloc(wick_context *context, size_t count, size_t size, const char *what, void **out)
{
    uint64_t bytes;
    if (!wki_mul_u64(count, size, &bytes) || bytes > PTRDIFF_MAX - WKI_LARGE_PAGE)
        return no_memory(context, count, size, what);
    const uint64_t there = bytes < MUCH ? UINT64_MAX : available_memory();
    if (bytes > there)
        return wki_fail(context, WICK_ENOMEM, "out of memory: no %llu bytes for %s: %llu are available",
                        (unsigned long long)bytes, what, (unsigned long long)there);
    *out = take((size_t)WKI_MAX(bytes, 1));
    if (*out == NULL)
        return no_memory(context, count, size, what);
    return WICK_OK;
}

wick_status wki_grow(wick_context *context, void **array, size_t *capacity, size_t need, size_t size,
                     const char *what)
{
    if (need <= *capacity)
        return WICK_OK;
    size_t larger = WKI_MAX(need, *capacity <= SIZE_MAX / 2 ? *capacity * 2 : need);
    uint64_t bytes;
    void *grown = wki_mul_u64(larger, size, &bytes) && bytes <= PTRDIFF_MAX
                      ? realloc(*array, (size_t)bytes)
                      : NULL;
    if (grown == NULL)
        return no_memory(context, larger, size, what);
    *array = grown;
    *capacity = larger;
    return WICK_OK;
}

wick_status wki_strdup(wick_context *context, const char *text, char **out)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return no_memory(context, strlen(text) + 1, 1, "text");
    *out = copy;
    return WICK_OK;
}

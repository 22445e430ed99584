#include "base/base.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

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

wick_status wki_alloc(wick_context *context, size_t count, size_t size, const char *what, void **out)
{
    uint64_t bytes;
    if (!wki_mul_u64(count, size, &bytes) || bytes > PTRDIFF_MAX - ALIGNMENT)
        return no_memory(context, count, size, what);
    size_t rounded = ((size_t)WKI_MAX(bytes, 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *memory = aligned_alloc(ALIGNMENT, rounded);
    if (memory == NULL)
        return no_memory(context, count, size, what);
    memset(memory, 0, rounded);
    *out = memory;
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

/* Any bytes as the cache file of two pictures, as they are and with the sum that they should end with. */
#include "data/folder_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES = 2 };

#define TEXT "text"

enum { HEADER = 64, LENGTH = sizeof(TEXT) - 1, TABLES = FILES + FILES * sizeof(uint32_t), SUM = 64 };

/* The last bytes become the sum of the header, the text and the two tables at the end, so that changed ones get past it. */
static void mend(uint8_t *data, size_t size)
{
    char parts[4 * SUM + 1], sum[SUM + 1];
    if (size < HEADER + LENGTH + TABLES + SUM)
        return;
    const uint8_t *tables = data + size - SUM - TABLES;
    wki_sha256(data, HEADER, parts);
    wki_sha256(TEXT, LENGTH, parts + SUM);
    wki_sha256(tables, FILES, parts + 2 * SUM);
    wki_sha256(tables + FILES, FILES * sizeof(uint32_t), parts + 3 * SUM);
    wki_sha256(parts, sizeof(parts) - 1, sum);
    memcpy(data + size - SUM, sum, SUM);
}

static bool try_one(const uint8_t *data, size_t size)
{
    wick_context *context;
    bool taken = false;
    int fd = memfd_create("cache", MFD_CLOEXEC);
    if (fd < 0 || wick_context_new(&context) != WICK_OK)
        return false;
    wki_folder_cache cache = {.fd = -1};
    if (write(fd, data, size) == (ssize_t)size &&
        wki_cache_check(context, fd, size, TEXT, FILES, &cache) == WICK_OK) {
        uint64_t rows = (uint64_t)(cache.sound[0] + cache.sound[1]);
        uint64_t pixels = (uint64_t)(cache.form.shape[0] * cache.form.shape[1] * cache.form.shape[2]);
        if (cache.sound[0] > 1 || cache.sound[1] > 1 || cache.pixels_at + rows * pixels >= size)
            abort();
        taken = true;
    }
    wki_cache_release(&cache);
    close(fd);
    wick_context_free(context);
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *mended = malloc(size + 1);
    if (mended == NULL)
        return 0;
    memcpy(mended, data, size);
    mend(mended, size);
    /* Whoever takes it as it is takes it with its own sum. */
    bool taken = try_one(data, size);
    if (!try_one(mended, size) && taken)
        abort();
    free(mended);
    return 0;
}

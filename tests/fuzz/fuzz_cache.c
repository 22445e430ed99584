/* Any bytes as the cache file of two pictures. */
#include "data/folder_cache.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wick_context *context;
    int fd = memfd_create("cache", MFD_CLOEXEC);
    if (fd < 0 || wick_context_new(&context) != WICK_OK)
        return 0;
    wki_folder_cache cache = {.fd = -1};
    if (write(fd, data, size) == (ssize_t)size &&
        wki_cache_check(context, fd, size, "text", FILES, &cache) == WICK_OK) {
        uint64_t rows = (uint64_t)(cache.sound[0] + cache.sound[1]);
        uint64_t pixels = (uint64_t)(cache.form.shape[0] * cache.form.shape[1] * cache.form.shape[2]);
        if (cache.sound[0] > 1 || cache.sound[1] > 1 || cache.pixels_at + rows * pixels >= size)
            abort();
    }
    wki_cache_release(&cache);
    close(fd);
    wick_context_free(context);
    return 0;
}

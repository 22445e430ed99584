#include "data/pixel_files.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is held in memory ---- */

uint64_t wki_memory_limit(const wick_dataset_options *options)
{
    if (options->memory_limit > 0)
        return (uint64_t)options->memory_limit;
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 2 : UINT64_MAX;
}

bool wki_exceeds_memory(const wick_dataset_options *options, int64_t count, size_t bytes)
{
    return (uint64_t)count > wki_memory_limit(options) / bytes;
}

/* ---- files and places ---- */

wick_status wki_pixel_files_init(wick_context *context, wki_pixel_files *files, int64_t count)
{
    void *places;
    WKI_TRY(wki_alloc(context, (size_t)count, sizeof(wki_pixel_place), "the places of images", &places));
    files->places = places;
    return WICK_OK;
}

wick_status wki_pixel_files_add(wick_context *context, wki_pixel_files *files, const char *path, int fd)
{
    WKI_TRY(wki_strdup(context, path, &files->opened[files->count].path));
    files->opened[files->count++].fd = fd;
    return WICK_OK;
}

void wki_pixel_files_release(wki_pixel_files *files)
{
    for (uint32_t i = 0; i < files->count; i++) {
        close(files->opened[i].fd);
        free(files->opened[i].path);
    }
    free(files->places);
    *files = (wki_pixel_files){0};
}

static wick_status share_file(wick_context *context, const char *path, int fd, wki_pixel_files *out)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return wki_fail(context, WICK_EIO, "%s: cannot open: %s", path, strerror(errno));
    wick_status status = wki_pixel_files_add(context, out, path, copy);
    if (status != WICK_OK)
        close(copy);
    return status;
}

wick_status wki_pixel_files_take(wick_context *context, const wki_pixel_files *from, int64_t count,
                                 const int64_t *indices, wki_pixel_files *out)
{
    WKI_TRY(wki_pixel_files_init(context, out, count));
    for (uint32_t i = 0; i < from->count; i++)
        WKI_TRY(share_file(context, from->opened[i].path, from->opened[i].fd, out));
    for (int64_t i = 0; i < count; i++)
        out->places[i] = from->places[indices == NULL ? i : indices[i]];
    out->is_cache = from->is_cache;
    out->lying = from->lying;
    return WICK_OK;
}

/* ---- images ---- */

void wki_stand_up(uint8_t *image, int64_t side)
{
    for (int64_t y = 0; y < side; y++)
        for (int64_t x = 0; x < y; x++) {
            uint8_t pixel = image[y * side + x];
            image[y * side + x] = image[x * side + y];
            image[x * side + y] = pixel;
        }
}

bool wki_pixel_files_read(const wki_pixel_files *files, int64_t index, const int64_t shape[3],
                          uint8_t *pixels)
{
    const wki_pixel_place *place = &files->places[index];
    const size_t bytes = (size_t)(shape[0] * shape[1] * shape[2]);
    if (!wki_file_read_at(files->opened[place->file].fd, place->at, pixels, bytes) ||
        (files->is_cache && libdeflate_crc32(0, pixels, bytes) != place->sum)) {
        memset(pixels, 0, bytes);
        return false;
    }
    if (files->lying)
        wki_stand_up(pixels, shape[1]);
    return true;
}

/* The system's words, which the thread that could not read had no place for. */
static const char *why_unread(int fd, uint64_t at, size_t bytes)
{
    uint8_t first, last;
    errno = 0;
    if (!wki_file_read_at(fd, at, &first, 1) || !wki_file_read_at(fd, at + bytes - 1, &last, 1))
        return strerror(errno == 0 ? EIO : errno);
    return "it can be again, but could not for a moment";
}

wick_status wki_pixel_files_failed(wick_context *context, const wki_pixel_files *files, int64_t index,
                                   size_t bytes, const char *name)
{
    const wki_pixel_place *place = &files->places[index];
    const char *path = files->opened[place->file].path;
    const unsigned long long end = place->at + bytes;
    struct stat info;
    if (files->is_cache) {
        (void)unlink(path);
        return wki_fail(
            context, WICK_EIO,
            "%s: this cache of pictures is damaged or cannot be read; it is removed, and made "
            "anew the next time",
            path);
    }
    if (fstat(files->opened[place->file].fd, &info) == 0 && (uint64_t)info.st_size < end)
        return wki_fail(context, WICK_EIO,
                        "%s: is shorter than it was when the data set %s was opened: it has %llu bytes, "
                        "and one of its images ends at %llu",
                        path, name, (unsigned long long)info.st_size, end);
    return wki_fail(context, WICK_EIO, "%s: cannot be read (an image of the data set %s): %s", path,
                    name, why_unread(files->opened[place->file].fd, place->at, bytes));
}

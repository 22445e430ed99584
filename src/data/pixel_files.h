/* Pixels that are not held in memory: they stay in their files and are read, image by image, when they are
 * asked for. */
#ifndef WKI_PIXEL_FILES_H
#define WKI_PIXEL_FILES_H

#include "base/base.h"

#include <wick/data.h>

enum { WKI_PIXEL_FILES = 5 };

/* Where an example's pixels are. */
typedef struct wki_pixel_place {
    uint64_t at;
    uint32_t sum;  /* their CRC-32, of a cache's alone */
    uint32_t file; /* which of the files they are in */
} wki_pixel_place;

/* Owns all that it names. */
typedef struct wki_pixel_files {
    wki_pixel_place *places; /* of each example; NULL: there are none, the pixels are in memory */
    struct {
        char *path;
        int fd;
    } opened[WKI_PIXEL_FILES];
    uint32_t count;
    /* A file of wick's own: every image is checked against its sum, and a file that is not what it was is
     * removed. The user's files have no sums and are never touched. */
    bool is_cache;
    bool lying; /* rows and columns of the images, which are square, are exchanged when they are read */
} wki_pixel_files;

/* How many bytes of pixels a half may hold in memory. */
uint64_t wki_memory_limit(const wick_dataset_options *options);
/* Whether count images of `bytes` bytes each are more than that. */
bool wki_exceeds_memory(const wick_dataset_options *options, int64_t count, size_t bytes);

/* Makes room for the places of `count` examples, all zeros; files has neither places nor files yet. */
wick_status wki_pixel_files_init(wick_context *context, wki_pixel_files *files, int64_t count);
/* Adds a file, number files->count; fd is moved on success. */
wick_status wki_pixel_files_add(wick_context *context, wki_pixel_files *files, const char *path, int fd);
/* The same files, opened once more, for those examples (indices NULL: the first count); out holds zeros. */
wick_status wki_pixel_files_take(wick_context *context, const wki_pixel_files *from, int64_t count,
                                 const int64_t *indices, wki_pixel_files *out);
/* The pixels of example `index`; false, and zeros, if they are not there any more. For any thread. */
bool wki_pixel_files_read(const wki_pixel_files *files, int64_t index, const int64_t shape[3],
                          uint8_t *pixels);
/* WICK_EIO: what is to be said of an example of the data set `name` that could not be read. A cache is
 * removed. */
wick_status wki_pixel_files_failed(wick_context *context, const wki_pixel_files *files, int64_t index,
                                   size_t bytes, const char *name);
/* Fine on zeros. */
void wki_pixel_files_release(wki_pixel_files *files);

/* Exchanges rows and columns of a square image. */
void wki_stand_up(uint8_t *image, int64_t side);

#endif

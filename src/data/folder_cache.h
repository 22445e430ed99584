/* The decoded pictures of a folder, kept in a file of the user's cache.
 *
 * The file begins with a header and a text that says what it was made of: the folder, the settings, and each
 * picture's path, size and time. Only if that is to the byte what it would be now is the rest believed: the
 * pixels, then for each picture whether it could be read and its CRC-32, then the SHA-256 of all but the
 * pixels. The sizes must add up to the file's before memory is taken. A file that is opened is touched, and
 * when a new one is written those that were not for long are removed (cache_prune.h). */
#ifndef WKI_FOLDER_CACHE_H
#define WKI_FOLDER_CACHE_H

#include "data/folder_decode.h"

/* An open cache file that goes with a listing. */
typedef struct wki_folder_cache {
    char *path;
    int fd;
    wki_folder_form form;
    uint64_t pixels_at; /* where the first picture's pixels are */
    uint8_t *sound;     /* for each file whether it could be read */
    uint32_t *sums;     /* and the CRC-32 of its pixels */
} wki_folder_cache;

/* What a cache file must say that it was made of. Freed with free(). */
wick_status wki_cache_text(const wki_listing *listing, const wick_dataset_options *options, char **out);
/* Looks at a cache file of `size` bytes in fd: WICK_EFORMAT if it is not what it must be. The fd stays the
 * caller's. */
wick_status wki_cache_check(wick_context *context, int fd, uint64_t size, const char *text,
                            size_t file_count, wki_folder_cache *out);
/* Opens the cache file of the text, or makes it by reading all pictures of the listing. *found is false if
 * there can be none: no cache folder, no room, pictures that cannot be read and are not to be skipped.
 * Errors: WICK_ENOMEM, WICK_EIO (of the pictures), WICK_EINTR. */
wick_status wki_cache_open(wki_listing *listing, const wick_dataset_options *options,
                           wki_folder_cache *out, bool *found);
/* Fine on zeros (path NULL). */
void wki_cache_release(wki_folder_cache *cache);

#endif

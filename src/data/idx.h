/* IDX files (the MNIST database's format: http://yann.lecun.com/exdb/mnist/), gzip'd or plain. */
#ifndef WKI_IDX_H
#define WKI_IDX_H

#include "base/base.h"

/* Which of its two kinds a file has to be; the number is that of its dimensions. */
typedef enum wki_idx_kind { WKI_IDX_LABELS = 1, WKI_IDX_IMAGES = 3 } wki_idx_kind;

/* The longest file that is read, as it is on disk and inflated. A plain file of images on disk may be
 * longer: it has to be as long as it says. */
#define WKI_IDX_LIMIT (UINT64_C(1) << 31)

/* A label is a byte: labels for more images than this are not read. */
#define WKI_IDX_LABELS_LIMIT (UINT64_C(1) << 28)

typedef struct wki_idx {
    int64_t count, height, width; /* height and width are 1 for labels */
    const uint8_t *elements;      /* count * height * width of them, within memory; or NULL */
    uint8_t *memory;
    bool in_file; /* they are in fd, from byte `at` on; false also once fd is somebody else's */
    int fd;
    uint64_t at;
} wki_idx;

/* Parses bytes, telling gzip from plain IDX by their first two. path is for the messages. Strict: what
 * the header promises has to be there, and nothing else. Memory is taken for what the header promises,
 * once that is known to be possible for a file of this length. out is released with wki_idx_release().
 * Errors: WICK_EFORMAT, WICK_ELIMIT, WICK_ENOMEM; out is then left alone. */
wick_status wki_idx_parse(wick_context *context, const char *path, const uint8_t *bytes, size_t length,
                          wki_idx_kind kind, wki_idx *out);
/* The same for the file at path, of which no more than the start is read if that says that it cannot be.
 * Errors also: WICK_ENOENT, WICK_EIO. */
wick_status wki_idx_read(wick_context *context, const char *path, wki_idx_kind kind, wki_idx *out);
/* The same for images of which no more than memory_limit bytes are to be held in memory: a plain file that
 * has more is not read but left open, out->in_file; one that is gzip'd is refused (WICK_ELIMIT), before
 * memory is taken. */
wick_status wki_idx_open_images(wick_context *context, const char *path, uint64_t memory_limit,
                                wki_idx *out);
/* Fine on zeros. */
void wki_idx_release(wki_idx *idx);

#endif

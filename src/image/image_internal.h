/* What the files of this folder share: where decoders put their rows. */
#ifndef WKI_IMAGE_INTERNAL_H
#define WKI_IMAGE_INTERNAL_H

#include "base/base.h"

#include <wick/image.h>

/* A file in memory, what is to become of it, and what went wrong. */
typedef struct wki_image_source {
    wick_context *context;
    const char *name;
    const uint8_t *bytes;
    size_t length;
    uint64_t max_pixels;
    bool black_background, keep_stored;
    int64_t
        *shape; /* not NULL: the picture's shape alone is wanted, by its header; *out stays as it is */
} wki_image_source;

/* The picture that is made, and where in it the pixel that is stored first comes to lie, with the steps
 * to the next stored column and row: an orientation is nothing but that. */
typedef struct wki_image_sink {
    wick_tensor *image; /* [channels, height, width] */
    uint8_t *origin;    /* in channel 0 */
    ptrdiff_t column, row, plane;
    uint32_t width; /* of a stored row */
} wki_image_sink;

bool wki_is_png(const uint8_t *bytes, size_t length);
bool wki_is_jpeg(const uint8_t *bytes, size_t length);
wick_status wki_png_read(const wki_image_source *source, wick_tensor **out);
wick_status wki_jpeg_read(const wki_image_source *source, wick_tensor **out);

/* The shape, channels, height and width, that wick_image_read() would give a file's picture; its pixels
 * are not looked at. Errors: those of wick_image_read(). */
wick_status wki_image_read_shape(wick_context *context, const char *path, int64_t shape[3]);
/* Refuses a picture without pixels or with too many. */
wick_status wki_image_check_size(const wki_image_source *source, uint64_t width, uint64_t height);
/* Makes the picture for width x height stored pixels, turned as EXIF's orientation 1 to 8 says. */
wick_status wki_image_sink_open(const wki_image_source *source, int channels, uint32_t width,
                                uint32_t height, int orientation, wki_image_sink *sink);
/* Takes stored row y, `channels` bytes a pixel. */
void wki_image_sink_row(const wki_image_sink *sink, uint32_t y, const uint8_t *pixels);
/* The same for pixels with an alpha of one byte behind each; background is that of every channel. */
void wki_image_sink_alpha_row(const wki_image_sink *sink, uint32_t y, const uint8_t *pixels,
                              uint8_t background);

/* x / 255, rounded, for x up to 255 * 255. */
static inline uint8_t wki_div_255(unsigned x)
{
    x += 128;
    return (uint8_t)(((x >> 8) + x) >> 8);
}

/* The luma of ITU-R 601 as PIL's convert("L") rounds it. */
static inline uint8_t wki_luma(unsigned red, unsigned green, unsigned blue)
{
    return (uint8_t)((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16);
}

/* WICK_EINVAL if it is no uint8 [1 or 3, height, width] with pixels. */
wick_status wki_image_check(const wick_tensor *image, const char *doing);

#endif

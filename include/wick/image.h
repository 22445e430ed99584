/* Pictures: reading PNG and JPEG files, and making of one what a model was trained on.
 *
 * A picture is a uint8 tensor [channels, height, width] of 1 channel (grey) or 3 (red, green, blue).
 * Numbers are those of PIL, which torchvision's transforms stand on: Resize, Grayscale, invert,
 * ToTensor.
 */
#ifndef WICK_IMAGE_H
#define WICK_IMAGE_H

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wick_image_options {
    int64_t max_pixels;    /* refuse a larger width times height before memory is taken; 0: 67,108,864 */
    bool black_background; /* lay a see-through picture on black; else on white */
    bool keep_stored;      /* leave a JPEG as it is stored, whatever orientation its EXIF data give */
} wick_image_options;

/* Reads a PNG or JPEG file, told apart by what is in it and never by its name. Palettes become grey
 * where all their colours are, else RGB; 16 bits become 8, rounded; alpha is composed onto the
 * background; CMYK and YCCK become RGB. Colour profiles and gamma are not applied, as PIL does not. At
 * most some eleven bytes a pixel are taken, of which the result keeps one or three. options may be NULL.
 * *out is owned.
 * Errors: WICK_ENOENT, WICK_EIO; WICK_EFORMAT (neither PNG nor JPEG, with what it seems to be;
 * broken or cut short), WICK_ELIMIT (more pixels than the limit, or a file above 256 MiB),
 * WICK_ENOMEM. */
WICK_API wick_status wick_image_read(wick_context *context, const char *path,
                                     const wick_image_options *options, wick_tensor **out);
/* The same from memory; name is what messages call it. */
WICK_API wick_status wick_image_read_memory(wick_context *context, const char *name, const void *bytes,
                                            size_t length, const wick_image_options *options,
                                            wick_tensor **out);

/* Image.resize((width, height), Image.BILINEAR), to the last bit as Pillow 9.4 to 12.3 do it (13.0
 * rounds some tall pictures by one otherwise): what torchvision's Resize((height, width)) does with a
 * picture, antialiased when it becomes smaller.
 * Errors: WICK_EINVAL (not a picture, a size below 1 or above 65,535), WICK_ENOMEM. */
WICK_API wick_status wick_image_resize(const wick_tensor *image, int64_t height, int64_t width,
                                       wick_tensor **out);
/* Image.convert("L") for 1 channel (ITU-R 601 luma, 0.299 R + 0.587 G + 0.114 B), Image.convert("RGB")
 * for 3; a copy where it is so already.
 * Errors: WICK_EINVAL for another number of channels. */
WICK_API wick_status wick_image_convert(const wick_tensor *image, int64_t channels, wick_tensor **out);
/* ImageOps.invert: 255 minus each number, in place. Nothing happens to what is not uint8. */
WICK_API void wick_image_invert(wick_tensor *image);
/* The mean brightness of the pixels along the four edges, 0 to 255 (of RGB, their luma).
 * Errors: WICK_EINVAL. */
WICK_API wick_status wick_image_edge_brightness(const wick_tensor *image, double *out);
/* ToTensor: float32 of the same shape, divided by 255.
 * Errors: WICK_EINVAL for what is not uint8. */
WICK_API wick_status wick_image_to_float(const wick_tensor *image, wick_tensor **out);

/* Normalize(mean, std) in place: (x - mean) / std, a number a channel each, of float32 [..., channels,
 * height, width].
 * Errors: WICK_EINVAL. */
WICK_API wick_status wick_image_normalize(wick_tensor *image, const float *mean, const float *std);

typedef enum wick_image_invert_when {
    WICK_INVERT_AUTO, /* one channel alone: where the edges are brighter than 127 */
    WICK_INVERT_ON,
    WICK_INVERT_OFF
} wick_image_invert_when;

typedef struct wick_image_fit_options {
    wick_image_invert_when invert;
    bool pad; /* keep the shape: resize to fit inside, with the colour of the edges around it; else
                 stretch */
} wick_image_fit_options;

/* Makes of a picture what a model for images of that shape (channels, height, width) was trained on:
 * converts, resizes, inverts, in this order. Fashion-MNIST, MNIST and KMNIST are light on black, and a
 * photograph of a dark shoe on a white table is the other way round: that is what inverting is for.
 * options may be NULL, inverted (what was done) too. *out is owned, uint8.
 * Errors: WICK_ESHAPE (the model wants neither 1 nor 3 channels), WICK_EINVAL, WICK_ENOMEM. */
WICK_API wick_status wick_image_fit(const wick_tensor *image, const int64_t shape[3],
                                    const wick_image_fit_options *options, wick_tensor **out,
                                    bool *inverted);

#ifdef __cplusplus
}
#endif
#endif

/* Transforms of training images: what is drawn, and what is made of it. */
#ifndef WKI_TRANSFORM_H
#define WKI_TRANSFORM_H

#include "base/base.h"

#include <wick/data.h>

/* What was drawn for one image. */
typedef struct wki_transform_draw {
    int64_t down, right; /* where in the padded image the crop begins; crop, crop is the middle */
    bool flip;
    bool rotate;
    double degrees;                                           /* counter-clockwise */
    int64_t erase_top, erase_left, erase_height, erase_width; /* sizes of 0: nothing is erased */
} wki_transform_draw;

bool wki_transform_is_set(const wick_transform *transform);
/* Errors: WICK_EINVAL for what images of that shape cannot have. */
wick_status wki_transform_check(wick_context *context, const wick_transform *transform,
                                const int64_t shape[3]);
/* Draws for the image of that index in the epoch of that base seed. */
void wki_transform_choose(const wick_transform *transform, const int64_t shape[3], uint64_t base_seed,
                          int64_t index, wki_transform_draw *draw);
/* Makes `to` of `from`; both are of that shape. What is erased becomes erased[channel]. spare is as large as an
 * image, and is not needed (NULL) without a rotation. */
void wki_transform_apply(const wick_transform *transform, const wki_transform_draw *draw,
                         const int64_t shape[3], const uint8_t *erased, const uint8_t *from, uint8_t *to,
                         uint8_t *spare);
/* Image.rotate(degrees, NEAREST or BILINEAR) of one channel. */
void wki_rotate(const uint8_t *from, int height, int width, double degrees, bool bilinear, uint8_t *to);

#endif

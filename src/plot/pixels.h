/* Tensors of images as pixels. */
#ifndef WKI_PIXELS_H
#define WKI_PIXELS_H

#include "plot/canvas.h"

/* viridis, by Stéfan van der Walt and Nathaniel Smith (CC0), from 0 to 255. */
extern const uint32_t wki_viridis[256];

/* How numbers become colours. */
typedef struct wki_color_scale {
    wick_colormap map;
    float low, high; /* not both 0 */
    uint32_t not_a_number;
} wki_color_scale;

/* low and high as the public structs have them. WICK_EINVAL unless low is below high and both are
 * finite. */
wick_status wki_color_scale_make(const wick_figure *figure, wick_colormap map, float low, float high,
                                 wki_color_scale *out);
uint32_t wki_color_of(const wki_color_scale *scale, float number);

/* WICK_ESHAPE if it is no image; what it is called in the message. */
wick_status wki_check_image(const wick_tensor *image, wick_context *context, const char *what);
int wki_image_rows(const wick_tensor *image);
int wki_image_columns(const wick_tensor *image);
bool wki_image_is_colored(const wick_tensor *image);
/* How large an image is drawn whose longer side may be `most` pixels: its own by a whole number where it
 * is smaller. At least one pixel each way. */
void wki_image_fit_size(const wick_tensor *image, double most, double *width, double *height);
/* Draws it. */
void wki_draw_tensor(wick_figure *figure, const wick_tensor *image, const wki_color_scale *scale,
                     double x, double y, double w, double h);

#endif

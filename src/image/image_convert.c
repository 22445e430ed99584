/* Grey and RGB, inverted and not, and fitting a picture to a model. */
#include "image/image_internal.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <string.h>

enum { MIDDLE = 127 };

wick_status wki_image_check(const wick_tensor *image, const char *doing)
{
    if (image == NULL)
        return WICK_EINVAL;
    if (image->dtype == WICK_UINT8 && image->ndim == 3 && image->numel > 0 &&
        (image->shape[0] == 1 || image->shape[0] == 3))
        return WICK_OK;
    char text[WKI_SHAPE_TEXT];
    return wki_fail(image->context, WICK_EINVAL,
                    "cannot %s %s %s: a picture is torch.uint8 [1 or 3, height, width]", doing,
                    wick_dtype_name(image->dtype), wki_shape_text(image->ndim, image->shape, text));
}

static int64_t plane_size(const wick_tensor *image)
{
    return image->shape[1] * image->shape[2];
}

static void to_grey(const uint8_t *in, int64_t size, uint8_t *out)
{
    for (int64_t i = 0; i < size; i++)
        out[i] = wki_luma(in[i], in[i + size], in[i + 2 * size]);
}

wick_status wick_image_convert(const wick_tensor *image, int64_t channels, wick_tensor **out)
{
    WKI_TRY(wki_image_check(image, "convert"));
    if (out == NULL || (channels != 1 && channels != 3))
        return wki_fail(image->context, WICK_EINVAL,
                        "cannot convert a picture to %lld channels: it may have 1 or 3",
                        (long long)channels);
    if (image->shape[0] == channels)
        return wick_tensor_clone(image, out);
    const int64_t shape[3] = {channels, image->shape[1], image->shape[2]};
    int64_t size = plane_size(image);
    wick_tensor *made;
    WKI_TRY(wick_tensor_new(image->context, WICK_UINT8, 3, shape, &made));
    uint8_t *to = made->data;
    if (channels == 1)
        to_grey(image->data, size, to);
    for (int64_t c = 0; channels == 3 && c < 3; c++)
        memcpy(to + c * size, image->data, (size_t)size);
    *out = made;
    return WICK_OK;
}

void wick_image_invert(wick_tensor *image)
{
    if (image == NULL || image->dtype != WICK_UINT8)
        return;
    uint8_t *pixels = image->data;
    for (int64_t i = 0; i < image->numel; i++)
        pixels[i] = (uint8_t)(255 - pixels[i]);
}

wick_status wick_image_to_float(const wick_tensor *image, wick_tensor **out)
{
    if (image == NULL)
        return WICK_EINVAL;
    if (image->dtype != WICK_UINT8 || out == NULL)
        return wki_fail(image->context, WICK_EINVAL,
                        "what becomes a float image must be torch.uint8, not %s",
                        wick_dtype_name(image->dtype));
    wick_tensor *made;
    WKI_TRY(wick_tensor_new(image->context, WICK_FLOAT32, image->ndim, image->shape, &made));
    const uint8_t *from = image->data;
    float *to = made->data;
    for (int64_t i = 0; i < image->numel; i++)
        to[i] = (float)from[i] / 255.0f;
    *out = made;
    return WICK_OK;
}

wick_status wick_image_normalize(wick_tensor *image, const float *mean, const float *std)
{
    if (image == NULL)
        return WICK_EINVAL;
    if (image->dtype != WICK_FLOAT32 || image->ndim < 3 || mean == NULL || std == NULL)
        return wki_fail(image->context, WICK_EINVAL,
                        "what is normalised must be torch.float32 [channels, height, width], not %s of "
                        "%d dimensions, and needs a mean and a std",
                        wick_dtype_name(image->dtype), image->ndim);
    const int64_t channels = image->shape[image->ndim - 3];
    const int64_t size = image->shape[image->ndim - 2] * image->shape[image->ndim - 1];
    float *data = image->data;
    for (int64_t at = 0; at < image->numel; at++) {
        int64_t c = at / size % channels;
        data[at] = (data[at] - mean[c]) / std[c];
    }
    return WICK_OK;
}

/* ---- edges ---- */

/* The mean along the edges of one plane. */
static double edge_mean(const uint8_t *plane, int64_t height, int64_t width)
{
    double sum = 0.0;
    int64_t count = 0;
    for (int64_t y = 0; y < height; y++) {
        bool whole = y == 0 || y == height - 1;
        int64_t step = whole || width == 1 ? 1 : width - 1;
        for (int64_t x = 0; x < width; x += step, count++)
            sum += plane[y * width + x];
    }
    return sum / (double)count;
}

/* Luma is linear but for rounding. */
static double edge_brightness(const wick_tensor *image)
{
    static const double shares[3] = {0.299, 0.587, 0.114};
    const uint8_t *plane = image->data;
    double sum = 0.0;
    for (int64_t c = 0; c < image->shape[0]; c++)
        sum += (image->shape[0] == 1 ? 1.0 : shares[c]) *
               edge_mean(plane + c * plane_size(image), image->shape[1], image->shape[2]);
    return sum;
}

wick_status wick_image_edge_brightness(const wick_tensor *image, double *out)
{
    WKI_TRY(wki_image_check(image, "look at the edges of"));
    if (out == NULL)
        return wki_fail(image->context, WICK_EINVAL, "the place for the brightness is NULL");
    *out = edge_brightness(image);
    return WICK_OK;
}

/* ---- fitting ---- */

/* Python's round() of a / b * c, at least 1. */
static int64_t scaled(int64_t a, int64_t b, int64_t c)
{
    return WKI_MAX(1, (int64_t)nearbyint((double)a / (double)b * (double)c));
}

/* A picture of that size with `image`, which is not larger, in its middle, and the mean of its edges
 * around. */
static wick_status pad(const wick_tensor *image, int64_t height, int64_t width, wick_tensor **out)
{
    const int64_t channels = image->shape[0], rows = image->shape[1], columns = image->shape[2];
    const int64_t shape[3] = {channels, height, width};
    int64_t top = (int64_t)nearbyint((double)(height - rows) * 0.5);
    int64_t left = (int64_t)nearbyint((double)(width - columns) * 0.5);
    wick_tensor *made;
    WKI_TRY(wick_tensor_new(image->context, WICK_UINT8, 3, shape, &made));
    for (int64_t c = 0; c < channels; c++) {
        const uint8_t *from = (const uint8_t *)image->data + c * rows * columns;
        uint8_t *to = (uint8_t *)made->data + c * height * width;
        memset(to, (int)nearbyint(edge_mean(from, rows, columns)), (size_t)(height * width));
        for (int64_t y = 0; y < rows; y++)
            memcpy(to + (top + y) * width + left, from + y * columns, (size_t)columns);
    }
    *out = made;
    return WICK_OK;
}

/* Replaces *image by one of that size. */
static wick_status fit_size(wick_tensor **image, int64_t height, int64_t width, bool keep_shape)
{
    int64_t rows = (*image)->shape[1], columns = (*image)->shape[2];
    int64_t inner_height = height, inner_width = width;
    if (keep_shape && columns * height > rows * width)
        inner_height = WKI_MIN(height, scaled(rows, columns, width));
    else if (keep_shape)
        inner_width = WKI_MIN(width, scaled(columns, rows, height));
    wick_tensor *resized, *padded;
    WKI_TRY(wick_image_resize(*image, inner_height, inner_width, &resized));
    wick_tensor_free(*image);
    *image = resized;
    if (inner_height == height && inner_width == width)
        return WICK_OK;
    WKI_TRY(pad(resized, height, width, &padded));
    wick_tensor_free(resized);
    *image = padded;
    return WICK_OK;
}

wick_status wick_image_fit(const wick_tensor *image, const int64_t shape[3],
                           const wick_image_fit_options *options, wick_tensor **out, bool *inverted)
{
    static const wick_image_fit_options defaults = {0};
    WKI_TRY(wki_image_check(image, "fit"));
    if (shape == NULL || out == NULL)
        return wki_fail(image->context, WICK_EINVAL, "shape or out is NULL");
    if (shape[0] != 1 && shape[0] != 3)
        return wki_fail(image->context, WICK_ESHAPE,
                        "the model wants images of %lld channels; a picture has 1 (grey) or 3 (RGB)",
                        (long long)shape[0]);
    if (options == NULL)
        options = &defaults;
    wick_tensor *made;
    WKI_TRY(wick_image_convert(image, shape[0], &made));
    wick_status status = fit_size(&made, shape[1], shape[2], options->pad);
    if (status != WICK_OK) {
        wick_tensor_free(made);
        return status;
    }
    bool invert = options->invert == WICK_INVERT_ON || (options->invert == WICK_INVERT_AUTO &&
                                                        shape[0] == 1 && edge_brightness(made) > MIDDLE);
    if (invert)
        wick_image_invert(made);
    if (inverted != NULL)
        *inverted = invert;
    *out = made;
    return WICK_OK;
}

/* Resizing as Pillow does it (its Resample.c): a triangle filter as wide as what one pixel stands for,
 * its weights as whole numbers, first along the rows and then along the columns, with 8 bits between. */
#include "image/image_internal.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdlib.h>

enum { WEIGHT_BITS = 22, MAX_SIZE = 65535 };

/* The weights of one new pixel. They are made one pixel at a time: at a strong reduction all of them at
 * once would be as large as the picture. */
typedef struct kernel {
    double scale, filter_scale, *exact;
    int32_t *weights;
    int64_t in_size, first, count;
} kernel;

static void kernel_release(kernel *k)
{
    free(k->exact);
    free(k->weights);
}

static wick_status kernel_open(wick_context *context, int64_t in_size, int64_t out_size, kernel *k)
{
    *k = (kernel){.scale = (double)in_size / (double)out_size, .in_size = in_size};
    k->filter_scale = k->scale < 1.0 ? 1.0 : k->scale;
    void *exact, *weights;
    size_t longest = (size_t)ceil(k->filter_scale) * 2 + 2;
    WKI_TRY(wki_alloc(context, longest, sizeof(double), "the weights of a filter", &exact));
    k->exact = exact;
    wick_status status =
        wki_alloc(context, longest, sizeof(int32_t), "the weights of a filter", &weights);
    if (status == WICK_OK)
        k->weights = weights;
    else
        kernel_release(k);
    return status;
}

static void kernel_make(kernel *k, int64_t at)
{
    double centre = ((double)at + 0.5) * k->scale, sum = 0.0;
    double step = 1.0 / k->filter_scale;
    int64_t first = (int64_t)(centre - k->filter_scale + 0.5),
            end = (int64_t)(centre + k->filter_scale + 0.5);
    k->first = WKI_MAX(first, 0);
    k->count = WKI_MIN(end, k->in_size) - k->first;
    for (int64_t i = 0; i < k->count; i++) {
        double distance = fabs(((double)(i + k->first) - centre + 0.5) * step);
        k->exact[i] = distance < 1.0 ? 1.0 - distance : 0.0;
        sum += k->exact[i];
    }
    for (int64_t i = 0; i < k->count; i++) {
        double weight = sum != 0.0 ? k->exact[i] / sum : k->exact[i];
        k->weights[i] = (int32_t)(0.5 + weight * (1 << WEIGHT_BITS));
    }
}

/* The weighted sum of pixels `step` apart. */
static uint8_t apply(const kernel *k, const uint8_t *pixels, int64_t step)
{
    int64_t sum = 1 << (WEIGHT_BITS - 1);
    pixels += k->first * step;
    for (int64_t i = 0; i < k->count; i++)
        sum += (int64_t)pixels[i * step] * k->weights[i];
    return (uint8_t)WKI_MIN(sum >> WEIGHT_BITS, 255);
}

/* Makes the last dimension of [planes, rows, columns] `width` long. */
static wick_status resize_rows(const wick_tensor *in, int64_t width, wick_tensor **out)
{
    const int64_t shape[3] = {in->shape[0], in->shape[1], width};
    kernel k;
    WKI_TRY(kernel_open(in->context, in->shape[2], width, &k));
    wick_status status = wick_tensor_new(in->context, WICK_UINT8, 3, shape, out);
    if (status == WICK_OK) {
        const uint8_t *from = in->data;
        uint8_t *to = (*out)->data;
        for (int64_t x = 0; x < width; x++) {
            kernel_make(&k, x);
            for (int64_t r = 0; r < shape[0] * shape[1]; r++)
                to[r * width + x] = apply(&k, from + r * in->shape[2], 1);
        }
    }
    kernel_release(&k);
    return status;
}

/* Makes the middle dimension `height` long. */
static wick_status resize_columns(const wick_tensor *in, int64_t height, wick_tensor **out)
{
    const int64_t shape[3] = {in->shape[0], height, in->shape[2]};
    kernel k;
    WKI_TRY(kernel_open(in->context, in->shape[1], height, &k));
    wick_status status = wick_tensor_new(in->context, WICK_UINT8, 3, shape, out);
    for (int64_t y = 0; status == WICK_OK && y < height; y++) {
        kernel_make(&k, y);
        for (int64_t c = 0; c < shape[0]; c++) {
            const uint8_t *from = (const uint8_t *)in->data + c * in->shape[1] * shape[2];
            uint8_t *to = (uint8_t *)(*out)->data + (c * height + y) * shape[2];
            for (int64_t x = 0; x < shape[2]; x++)
                to[x] = apply(&k, from + x, shape[2]);
        }
    }
    kernel_release(&k);
    return status;
}

wick_status wick_image_resize(const wick_tensor *image, int64_t height, int64_t width, wick_tensor **out)
{
    WKI_TRY(wki_image_check(image, "resize"));
    if (out == NULL || height < 1 || width < 1 || height > MAX_SIZE || width > MAX_SIZE)
        return wki_fail(image->context, WICK_EINVAL,
                        "cannot resize a picture to %lldx%lld: each must be 1 to %d", (long long)width,
                        (long long)height, MAX_SIZE);
    wick_tensor *narrow = NULL;
    if (image->shape[2] != width)
        WKI_TRY(resize_rows(image, width, &narrow));
    const wick_tensor *in = narrow != NULL ? narrow : image;
    wick_status status = WICK_OK;
    if (in->shape[1] != height) {
        status = resize_columns(in, height, out);
        wick_tensor_free(narrow);
    } else if (narrow != NULL) {
        *out = narrow;
    } else {
        status = wick_tensor_clone(image, out);
    }
    return status;
}

/* Any bytes as a picture; what is read is resized and fitted, and, written as PNG, reads the same again. */
#include "tensor/tensor_internal.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

#include <wick/image.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool right)
{
    if (!right)
        abort();
}

static void check_fit(const wick_tensor *image, bool pad)
{
    static const int64_t shape[3] = {1, 28, 28};
    const wick_image_fit_options options = {.pad = pad};
    wick_tensor *small;
    bool inverted;
    check(wick_image_fit(image, shape, &options, &small, &inverted) == WICK_OK);
    check(memcmp(small->shape, shape, sizeof(shape)) == 0);
    wick_tensor_free(small);
}

/* Written with libpng's simplified interface, pixel by pixel. */
static void check_round_trip(wick_context *context, const wick_tensor *image)
{
    size_t channels = (size_t)image->shape[0], pixels = (size_t)(image->shape[1] * image->shape[2]);
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)image->shape[2],
                     .height = (png_uint_32)image->shape[1],
                     .format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB,
                     .flags = PNG_IMAGE_FLAG_FAST};
    uint8_t *rows = malloc(channels * pixels);
    png_alloc_size_t room = PNG_IMAGE_PNG_SIZE_MAX(png);
    void *file = malloc(room);
    wick_tensor *again;
    check(rows != NULL && file != NULL);
    for (size_t i = 0; i < channels * pixels; i++)
        rows[i] = ((const uint8_t *)image->data)[i % channels * pixels + i / channels];
    check(png_image_write_to_memory(&png, file, &room, 0, rows, 0, NULL) != 0);
    check(wick_image_read_memory(context, "again", file, room, NULL, &again) == WICK_OK);
    check(memcmp(again->shape, image->shape, 3 * sizeof(image->shape[0])) == 0);
    check(memcmp(again->data, image->data, channels * pixels) == 0);
    wick_tensor_free(again);
    free(file);
    free(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const wick_image_options options = {.max_pixels = 1 << 16, .black_background = size % 2 == 0};
    wick_context *context;
    wick_tensor *image = NULL;
    if (wick_context_new(&context) != WICK_OK)
        return 0;
    wick_status status = wick_image_read_memory(context, "input", data, size, &options, &image);
    check(status == WICK_OK || status == WICK_EFORMAT || status == WICK_ELIMIT || status == WICK_ENOMEM);
    check((status == WICK_OK) == (image != NULL));
    if (image != NULL) {
        check(image->ndim == 3 && image->numel > 0 && image->numel <= 3 << 16);
        check_fit(image, false);
        check_fit(image, true);
        check_round_trip(context, image);
    } else {
        check(wick_context_message(context)[0] != '\0' &&
              strchr(wick_context_message(context), '\n') == NULL);
    }
    wick_tensor_free(image);
    wick_context_free(context);
    return 0;
}

/* Any bytes as a picture; what is read is resized and fitted. */
#include "tensor/tensor_internal.h"

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
    } else {
        check(wick_context_message(context)[0] != '\0' &&
              strchr(wick_context_message(context), '\n') == NULL);
    }
    wick_tensor_free(image);
    wick_context_free(context);
    return 0;
}

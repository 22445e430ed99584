/* <wick/image.h>: what is done with a picture once it is read. */
#include "tensor/tensor_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <wick/image.h>

#include <cmocka.h>

static wick_tensor *picture(wick_context *context, int64_t channels, int64_t height, int64_t width,
                            uint8_t value)
{
    wick_tensor *image;
    const int64_t shape[3] = {channels, height, width};
    assert_int_equal(wick_tensor_new(context, WICK_UINT8, 3, shape, &image), WICK_OK);
    memset(image->data, value, (size_t)image->numel);
    return image;
}

static void expect_shape(const wick_tensor *image, int64_t channels, int64_t height, int64_t width)
{
    assert_int_equal(image->dtype, WICK_UINT8);
    assert_int_equal(image->ndim, 3);
    assert_int_equal(image->shape[0], channels);
    assert_int_equal(image->shape[1], height);
    assert_int_equal(image->shape[2], width);
}

static void expect_all(const wick_tensor *image, uint8_t value)
{
    const uint8_t *pixels = image->data;
    for (int64_t i = 0; i < image->numel; i++)
        assert_int_equal(pixels[i], value);
}

/* One colour stays that colour, whatever the size, also where one new pixel stands for 60,000 old
 * ones. */
static void one_colour_stays(void **state)
{
    static const int64_t sizes[][4] = {
        {1, 1, 28, 28}, {300, 1, 2, 3}, {7, 60000, 28, 28}, {3, 4, 65535, 1}, {5, 5, 5, 5}};
    for (size_t i = 0; i < WKI_COUNT(sizes); i++) {
        wick_tensor *out, *image = picture(*state, i % 2 == 0 ? 1 : 3, sizes[i][0], sizes[i][1], 201);
        assert_int_equal(wick_image_resize(image, sizes[i][2], sizes[i][3], &out), WICK_OK);
        expect_shape(out, i % 2 == 0 ? 1 : 3, sizes[i][2], sizes[i][3]);
        expect_all(out, 201);
        wick_tensor_free(out);
        wick_tensor_free(image);
    }
}

static void expect_einval(wick_context *context, wick_status status, const char *message)
{
    assert_int_equal(status, WICK_EINVAL);
    assert_string_equal(wick_context_message(context), message);
}

static void bad_arguments(void **state)
{
    wick_context *context = *state;
    wick_tensor *out = NULL, *floats, *image = picture(context, 1, 4, 5, 0),
                *four = picture(context, 4, 2, 2, 0);
    const int64_t shape[3] = {1, 2, 3}, wanted[3] = {4, 28, 28};
    double mean;
    assert_int_equal(wick_tensor_new(context, WICK_FLOAT32, 3, shape, &floats), WICK_OK);
    expect_einval(context, wick_image_resize(image, 0, 5, &out),
                  "cannot resize a picture to 5x0: each must be 1 to 65535");
    expect_einval(context, wick_image_resize(image, 5, 65536, &out),
                  "cannot resize a picture to 65536x5: each must be 1 to 65535");
    expect_einval(
        context, wick_image_resize(floats, 5, 5, &out),
        "cannot resize torch.float32 [1, 2, 3]: a picture is torch.uint8 [1 or 3, height, width]");
    expect_einval(
        context, wick_image_convert(four, 1, &out),
        "cannot convert torch.uint8 [4, 2, 2]: a picture is torch.uint8 [1 or 3, height, width]");
    expect_einval(context, wick_image_convert(image, 2, &out),
                  "cannot convert a picture to 2 channels: it may have 1 or 3");
    expect_einval(
        context, wick_image_edge_brightness(floats, &mean),
        "cannot look at the edges of torch.float32 [1, 2, 3]: a picture is torch.uint8 [1 or 3, height, "
        "width]");
    expect_einval(context, wick_image_to_float(floats, &out),
                  "what becomes a float image must be torch.uint8, not torch.float32");
    assert_int_equal(wick_image_fit(image, wanted, NULL, &out, NULL), WICK_ESHAPE);
    assert_string_equal(wick_context_message(context),
                        "the model wants images of 4 channels; a picture has 1 (grey) or 3 (RGB)");
    assert_int_equal(wick_image_resize(NULL, 1, 1, &out), WICK_EINVAL);
    assert_null(out);
    wick_tensor_free(floats);
    wick_tensor_free(four);
    wick_tensor_free(image);
}

static void inverting_and_to_float(void **state)
{
    wick_tensor *out, *image = picture(*state, 1, 2, 128, 0);
    uint8_t *pixels = image->data;
    for (int i = 0; i < 256; i++)
        pixels[i] = (uint8_t)i;
    wick_image_invert(image);
    assert_int_equal(wick_image_to_float(image, &out), WICK_OK);
    for (int i = 0; i < 256; i++) {
        assert_int_equal(pixels[i], 255 - i);
        assert_true(((float *)out->data)[i] == (float)(255 - i) / 255.0f);
    }
    wick_image_invert(out);
    assert_true(((float *)out->data)[0] == 1.0f);
    wick_tensor_free(out);
    wick_tensor_free(image);
}

static double edges_of(wick_tensor *image)
{
    double mean;
    assert_int_equal(wick_image_edge_brightness(image, &mean), WICK_OK);
    wick_tensor_free(image);
    return mean;
}

/* Each pixel of the edges counts once, those inside not at all. */
static void brightness_along_the_edges(void **state)
{
    static const int64_t sizes[][2] = {{1, 1}, {1, 6}, {6, 1}, {2, 5}, {5, 2}, {3, 3}, {7, 9}};
    for (size_t i = 0; i < WKI_COUNT(sizes); i++) {
        int64_t height = sizes[i][0], width = sizes[i][1], count = 0, sum = 0;
        wick_tensor *image = picture(*state, 1, height, width, 0);
        for (int64_t y = 0; y < height; y++)
            for (int64_t x = 0; x < width; x++) {
                bool edge = y == 0 || x == 0 || y == height - 1 || x == width - 1;
                uint8_t value = (uint8_t)(y * 31 + x * 7 + 3);
                ((uint8_t *)image->data)[y * width + x] = edge ? value : 255;
                sum += edge ? value : 0;
                count += edge;
            }
        assert_true(fabs(edges_of(image) - (double)sum / (double)count) < 1e-9);
    }
    wick_tensor *red = picture(*state, 3, 4, 4, 0);
    memset(red->data, 200, 16);
    assert_true(fabs(edges_of(red) - 0.299 * 200) < 1e-9);
}

/* A frame of `edge` around a middle. */
static wick_tensor *framed(wick_context *context, int64_t channels, uint8_t edge, uint8_t middle)
{
    wick_tensor *image = picture(context, channels, 60, 60, edge);
    for (int64_t c = 0; c < channels; c++)
        for (int64_t y = 20; y < 40; y++)
            memset((uint8_t *)image->data + (c * 60 + y) * 60 + 20, middle, 20);
    return image;
}

static void check_fit(wick_context *context, int64_t channels, uint8_t edge, int64_t model_channels,
                      wick_image_invert_when when, bool wanted)
{
    const wick_image_fit_options options = {.invert = when};
    const int64_t shape[3] = {model_channels, 28, 28};
    wick_tensor *out, *image = framed(context, channels, edge, (uint8_t)(255 - edge));
    bool inverted = !wanted;
    assert_int_equal(wick_image_fit(image, shape, &options, &out, &inverted), WICK_OK);
    assert_int_equal(inverted, wanted);
    expect_shape(out, model_channels, 28, 28);
    uint8_t corner = wanted ? (uint8_t)(255 - edge) : edge;
    assert_int_equal(((uint8_t *)out->data)[0], corner);
    assert_int_equal(((uint8_t *)out->data)[14 * 28 + 14], 255 - corner);
    wick_tensor_free(out);
    wick_tensor_free(image);
}

static void fitting_inverts_what_has_light_edges(void **state)
{
    check_fit(*state, 1, 240, 1, WICK_INVERT_AUTO, true);
    check_fit(*state, 3, 240, 1, WICK_INVERT_AUTO, true);
    check_fit(*state, 1, 20, 1, WICK_INVERT_AUTO, false);
    check_fit(*state, 1, 127, 1, WICK_INVERT_AUTO, false);
    check_fit(*state, 1, 128, 1, WICK_INVERT_AUTO, true);
    /* A colour model has seen colours: nothing is turned round behind one's back. */
    check_fit(*state, 3, 240, 3, WICK_INVERT_AUTO, false);
    check_fit(*state, 1, 240, 3, WICK_INVERT_AUTO, false);
    check_fit(*state, 3, 20, 3, WICK_INVERT_ON, true);
    check_fit(*state, 1, 20, 1, WICK_INVERT_ON, true);
    check_fit(*state, 1, 240, 1, WICK_INVERT_OFF, false);
}

static int set_up(void **state)
{
    wick_context *context;
    if (wick_context_new(&context) != WICK_OK)
        return -1;
    *state = context;
    return 0;
}

static int tear_down(void **state)
{
    wick_context_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_colour_stays),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(inverting_and_to_float),
        cmocka_unit_test(brightness_along_the_edges),
        cmocka_unit_test(fitting_inverts_what_has_light_edges),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

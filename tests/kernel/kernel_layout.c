/* Between pixels, rows and lanes, every table: copies, and every pixel's float. */
#include "kernel_support.h"

enum { CASES = 300 };

typedef struct layout {
    wki_layout_call call;
    size_t lanes_floats, rows_floats;
} layout;

static size_t make_plane(wki_plane *plane, const wki_layout_call *call)
{
    plane->column = WKI_LANES + (kt_once_in(3) ? kt_int(1, 9) : 0);
    plane->row = call->width * plane->column + kt_int(0, 2) * 7;
    plane->channel = call->height * plane->row + kt_int(0, 2) * 5;
    return (size_t)((call->channels - 1) * plane->channel + (call->height - 1) * plane->row +
                    (call->width - 1) * plane->column) +
           WKI_LANES;
}

static void make_case(layout *l)
{
    wki_layout_call *call = &l->call;
    *l = (layout){.call = {.images = kt_int(0, WKI_LANES),
                           .channels = kt_int(1, 4),
                           .height = kt_int(1, 6),
                           .width = kt_once_in(3) ? kt_int(10, 50) : kt_int(1, 9)}};
    int features = call->channels * call->height * call->width;
    call->pitch = features + (kt_once_in(2) ? 0 : kt_int(1, 9));
    l->rows_floats = call->images == 0 ? 0 : (size_t)((call->images - 1) * call->pitch + features);
    l->lanes_floats = make_plane(&call->plane, call);
}

/* Where lane 0 of a feature is. */
static ptrdiff_t place_of(const wki_plane *plane, const wki_layout_call *call, int feature)
{
    int x = feature % call->width, y = feature / call->width % call->height,
        c = feature / call->width / call->height;
    return c * plane->channel + y * plane->row + x * plane->column;
}

static int features_of(const wki_layout_call *call)
{
    return call->channels * call->height * call->width;
}

/* What is to be in lanes: rows[n * pitch + feature], zeros beyond the images; poison elsewhere. */
static void check_lanes(const layout *l, const float *got, const float *right, ptrdiff_t pitch,
                        const char *name)
{
    const wki_layout_call *call = &l->call;
    float *all = kt_floats(l->lanes_floats);
    for (int f = 0; f < features_of(call); f++)
        for (int n = 0; n < WKI_LANES; n++)
            all[place_of(&call->plane, call, f) + n] = n < call->images ? right[n * pitch + f] : 0.0f;
    if (kt_first_difference(got, all, l->lanes_floats) > 0)
        fail_msg("%s: %d images %d x %d x %d: float %zu differs", name, call->images, call->channels,
                 call->height, call->width, kt_first_difference(got, all, l->lanes_floats) - 1);
}

static void check_rows(const layout *l, const float *got, const float *right, const char *name)
{
    const wki_layout_call *call = &l->call;
    float *all = kt_floats(l->rows_floats);
    for (int n = 0; n < call->images; n++)
        memcpy(all + n * call->pitch, right + n * features_of(call),
               (size_t)features_of(call) * sizeof(float));
    if (kt_first_difference(got, all, l->rows_floats) > 0)
        fail_msg("%s: %d images: float %zu of the rows differs", name, call->images,
                 kt_first_difference(got, all, l->rows_floats) - 1);
}

static void test_pixels(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int i = 0; i < CASES; i++) {
        layout l;
        make_case(&l);
        int features = features_of(&l.call);
        const uint8_t *pixels[WKI_LANES];
        float *right = kt_floats((size_t)(features * WKI_LANES));
        for (int n = 0; n < l.call.images; n++) {
            uint8_t *image = kt_bytes((size_t)features);
            for (int f = 0; f < features; f++) {
                image[f] = (uint8_t)kt_random();
                right[n * features + f] = (float)image[f] / 255.0f;
            }
            pixels[n] = image;
        }
        l.call.pixels = pixels;
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
            l.call.lanes = kt_floats(l.lanes_floats);
            kernels->pixels_to_lanes(&l.call);
            check_lanes(&l, l.call.lanes, right, features, kernels->name);
            l.call.rows = kt_floats(l.rows_floats);
            kernels->pixels_to_rows(&l.call);
            check_rows(&l, l.call.rows, right, kernels->name);
        }
        kt_release();
    }
}

/* Each of the 256 pixels is the float that dividing gives, at every place of a vector. */
static void test_every_pixel(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    enum { WIDTH = 256 + 15 };
    uint8_t image[WIDTH];
    const uint8_t *pixels[WKI_LANES];
    float rows[WIDTH], lanes[WIDTH * WKI_LANES];
    for (int n = 0; n < WKI_LANES; n++)
        pixels[n] = image;
    for (int shift = 0; shift < 16; shift++) {
        for (int x = 0; x < WIDTH; x++)
            image[x] = (uint8_t)(x + shift);
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
            wki_layout_call call = {.pixels = pixels,
                                    .rows = rows,
                                    .pitch = WIDTH,
                                    .lanes = lanes,
                                    .plane = {0, 0, WKI_LANES},
                                    .images = 1,
                                    .channels = 1,
                                    .height = 1,
                                    .width = WIDTH};
            kernels->pixels_to_rows(&call);
            call.images = WKI_LANES;
            kernels->pixels_to_lanes(&call);
            for (int x = 0; x < WIDTH; x++) {
                volatile float pixel = (float)image[x], whole = 255.0f;
                assert_int_equal(kt_bits(rows[x]), kt_bits(pixel / whole));
                for (int n = 0; n < WKI_LANES; n++)
                    assert_int_equal(kt_bits(lanes[x * WKI_LANES + n]), kt_bits(pixel / whole));
            }
        }
    }
}

static void test_rows(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int i = 0; i < CASES; i++) {
        layout l;
        make_case(&l);
        int features = features_of(&l.call);
        float *rows = kt_random_floats(l.rows_floats, true),
              *right = kt_floats((size_t)(features * WKI_LANES));
        if (kt_once_in(2))
            l.call.mask = kt_random_floats(make_plane(&l.call.mask_plane, &l.call), true);
        for (int n = 0; n < l.call.images; n++)
            for (int f = 0; f < features; f++) {
                bool masked = l.call.mask != NULL &&
                              l.call.mask[place_of(&l.call.mask_plane, &l.call, f) + n] <= 0.0f;
                right[n * features + f] = masked ? 0.0f : rows[n * l.call.pitch + f];
            }
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
            l.call.rows = rows;
            l.call.lanes = kt_floats(l.lanes_floats);
            kernels->rows_to_lanes(&l.call);
            check_lanes(&l, l.call.lanes, right, features, kernels->name);
            l.call.rows = kt_floats(l.rows_floats);
            kernels->lanes_to_rows(&l.call);
            check_rows(&l, l.call.rows, right, kernels->name);
        }
        kt_release();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels),
        cmocka_unit_test(test_every_pixel),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, kt_seed, NULL);
}

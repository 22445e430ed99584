/* A pooling that Winograd's convolution does as well, and the gradients that are read through it, against the kernels one
 * after the other: the same bits, every table. */
#include "kernel_support.h"

enum { CASES = 150, CHANNELS = 12, SIDE = 20 };

/* What both ways share: a plane of the pooling's input and one of its output, with room around them. */
typedef struct fused {
    int tile, kernel, channels, height, width, images;
    bool relu, pool_relu;
    wki_plane full, pooled, taken; /* with `ROOM` rows and columns of zeros on each side */
    size_t full_floats, pooled_floats, taken_floats;
    float *values; /* the convolution's output */
    float *delta;  /* the pooling's gradient, 0 in lanes that are no image */
    int32_t *taken_numbers;
    float *unpooled; /* the gradient of its input, one way */
} fused;

enum { ROOM = 8 };

static size_t make_plane(wki_plane *plane, int channels, int rows, int columns)
{
    *plane = (wki_plane){(ptrdiff_t)(rows + 2 * ROOM) * (columns + 2 * ROOM) * WKI_LANES,
                         (ptrdiff_t)(columns + 2 * ROOM) * WKI_LANES, WKI_LANES};
    return (size_t)(channels * plane->channel);
}

static ptrdiff_t origin(const wki_plane *plane)
{
    return ROOM * (plane->row + plane->column);
}

/* Small whole numbers are often equal; now and then a NaN. */
static float pool_number(bool nans)
{
    return nans && kt_once_in(200) ? NAN : (float)kt_int(-2, 2);
}

static void *zeros(size_t bytes)
{
    return memset(kt_bytes(bytes), 0, bytes);
}

static void make_case(fused *f, int tile, int kernel)
{
    *f = (fused){.tile = tile,
                 .kernel = kernel,
                 .channels = kt_int(1, CHANNELS),
                 .height = 2 * kt_int(1, SIDE / 2),
                 .width = 2 * kt_int(1, SIDE / 2),
                 .images = kt_once_in(2) ? WKI_LANES : kt_int(1, WKI_LANES),
                 .relu = kt_once_in(2),
                 .pool_relu = kt_once_in(2)};
    f->full_floats = make_plane(&f->full, f->channels, f->height, f->width);
    f->pooled_floats = make_plane(&f->pooled, f->channels, f->height / 2, f->width / 2);
    f->taken_floats =
        make_plane(&f->taken, f->channels, (f->height + tile - 1) / tile, (f->width + tile - 1) / tile);
    f->taken_numbers = zeros(f->taken_floats * sizeof(int32_t));
    f->values = zeros(f->full_floats * sizeof(float));
    f->unpooled = zeros(f->full_floats * sizeof(float));
    f->delta = kt_random_floats(f->pooled_floats, false);
    for (size_t i = 0; i < f->pooled_floats; i++)
        if ((int)(i % WKI_LANES) >= f->images)
            f->delta[i] = 0.0f;
}

static void unpool(const wki_kernels *kernels, const fused *f, float *gradient)
{
    wki_max_unpool2d_call call = {.delta = f->delta + origin(&f->pooled),
                                  .taken = f->taken_numbers + origin(&f->taken),
                                  .gradient = gradient + origin(&f->full),
                                  .delta_plane = f->pooled,
                                  .taken_plane = f->taken,
                                  .gradient_plane = f->full,
                                  .tile = f->tile,
                                  .height = f->height / 2,
                                  .width = f->width / 2};
    const int cut = kt_int(0, f->channels);
    call.channel_end = cut;
    kernels->max_unpool2d(&call);
    call.channel_begin = cut;
    call.channel_end = f->channels;
    kernels->max_unpool2d(&call);
}

static wki_max_pool2d_call pool_call(const fused *f, float *pooled, float *gradient)
{
    return (wki_max_pool2d_call){.input = f->values + origin(&f->full),
                                 .output = pooled + origin(&f->pooled),
                                 .delta = f->delta + origin(&f->pooled),
                                 .input_gradient = gradient + origin(&f->full),
                                 .in = f->full,
                                 .out = f->pooled,
                                 .delta_plane = f->pooled,
                                 .gradient_plane = f->full,
                                 .channel_end = f->channels,
                                 .in_h = f->height,
                                 .in_w = f->width,
                                 .out_h = f->height / 2,
                                 .out_w = f->width / 2,
                                 .kernel_h = 2,
                                 .kernel_w = 2,
                                 .stride_h = 2,
                                 .stride_w = 2,
                                 .dilation_h = 1,
                                 .dilation_w = 1,
                                 .mask = f->relu,
                                 .relu = f->pool_relu};
}

/* Fails unless the numbers of the images are the same; the sign of a 0 may be another. */
static void check_same(const wki_kernels *kernels, const fused *f, const char *what, const float *a,
                       const float *b, const wki_plane *plane, int height, int width)
{
    for (int c = 0; c < f->channels; c++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int lane = 0; lane < f->images; lane++) {
                    const ptrdiff_t at =
                        c * plane->channel + y * plane->row + x * plane->column + lane + origin(plane);
                    if (!(a[at] == b[at] || (isnan(a[at]) && isnan(b[at]))))
                        fail_msg("%s: tile %d, kernel %d, %d x %d, %d images: %s [%d][%d][%d][%d] is "
                                 "%.9g, not %.9g",
                                 kernels->name, f->tile, f->kernel, f->height, f->width, f->images, what,
                                 c, y, x, lane, (double)b[at], (double)a[at]);
                }
}

/* Whatever else is there is not to be written. */
static void check_room(const wki_kernels *kernels, const fused *f, const float *pooled)
{
    for (int c = 0; c < f->channels; c++)
        for (int y = -ROOM; y < f->height / 2 + ROOM; y++)
            for (int x = -ROOM; x < f->width / 2 + ROOM; x++) {
                const float *at = pooled + c * f->pooled.channel + y * f->pooled.row +
                                  x * f->pooled.column + origin(&f->pooled);
                const bool inside = y >= 0 && y < f->height / 2 && x >= 0 && x < f->width / 2;
                for (int lane = 0; lane < WKI_LANES && !inside; lane++)
                    if (kt_bits(at[lane]) != 0)
                        fail_msg("%s: pooled [%d][%d][%d] was written", kernels->name, c, y, x);
            }
}

/* A convolution of `ins` channels to the case's, of small whole numbers so that many results are equal. */
static wki_winograd_call make_conv(const wki_kernels *kernels, const fused *f, int ins)
{
    const int side = f->tile + f->kernel - 1, area = f->kernel * f->kernel;
    const bool nans = kt_once_in(3);
    wki_winograd_call call = {.tile = f->tile,
                              .kernel = f->kernel,
                              .in_channels = ins,
                              .channels = f->channels,
                              .height = f->height,
                              .width = f->width,
                              .tile_end = (f->height + f->tile - 1) / f->tile *
                                          ((f->width + f->tile - 1) / f->tile),
                              .images = f->images,
                              .relu = f->relu};
    const size_t floats = make_plane(&call.in, ins, f->height, f->width);
    float *input = kt_floats(floats), *weight = kt_floats((size_t)(ins * f->channels * area));
    for (size_t i = 0; i < floats; i++)
        input[i] = pool_number(nans);
    for (int i = 0; i < ins * f->channels * area; i++)
        weight[i] = (float)kt_int(-1, 1);
    call.input = input + origin(&call.in);
    call.bias = kt_random_floats((size_t)f->channels, false);
    float *transformed = kt_floats((size_t)(side * side * ins * f->channels));
    wki_winograd_weights_call weights = {.tile = f->tile,
                                         .kernel = f->kernel,
                                         .weight = weight,
                                         .transformed = transformed,
                                         .channel_stride = (ptrdiff_t)ins * area,
                                         .in_channel_stride = area,
                                         .in_channels = ins,
                                         .channels = f->channels,
                                         .channel_end = f->channels};
    kernels->winograd_weights(&weights);
    call.weight = transformed;
    call.scratch = kt_floats(wki_winograd_scratch(side, ins, f->channels));
    return call;
}

static void test_pools(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int i = 0; i < CASES; i++)
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
            fused f;
            const int tile = kt_once_in(2) ? 4 : 2, kernel = tile == 2 && kt_once_in(2) ? 5 : 3;
            make_case(&f, tile, kernel);
            wki_winograd_call call = make_conv(kernels, &f, kt_int(1, CHANNELS));
            float *apart = zeros(f.pooled_floats * sizeof(float));
            float *together = zeros(f.pooled_floats * sizeof(float));
            float *right = zeros(f.full_floats * sizeof(float));
            call.output = f.values + origin(&f.full);
            call.out = f.full;
            kernels->winograd(&call);
            wki_max_pool2d_call pool = pool_call(&f, apart, right);
            kernels->max_pool2d(&pool);
            kernels->max_pool2d_backward(&pool);

            call.pools = true;
            call.pool_relu = f.pool_relu;
            call.output = together + origin(&f.pooled);
            call.out = f.pooled;
            call.taken = f.taken_numbers + origin(&f.taken);
            call.taken_plane = f.taken;
            const int end = call.tile_end;
            call.tile_end = kt_int(0, end);
            kernels->winograd(&call);
            call.tile_begin = call.tile_end;
            call.tile_end = end;
            kernels->winograd(&call);
            check_same(kernels, &f, "pooled", apart, together, &f.pooled, f.height / 2, f.width / 2);
            check_room(kernels, &f, together);
            unpool(kernels, &f, f.unpooled);
            check_same(kernels, &f, "unpooled", right, f.unpooled, &f.full, f.height, f.width);
            call.taken = NULL; /* without a gradient the same comes out */
            call.tile_begin = 0;
            kernels->winograd(&call);
            check_same(kernels, &f, "pooled", apart, together, &f.pooled, f.height / 2, f.width / 2);
            kt_release();
        }
}

/* Random bits, one or none of each window; what is beyond the edges of the pooling's gradient is arbitrary. */
static void take_any(fused *f)
{
    for (int c = 0; c < f->channels; c++)
        for (int y = 0; y < f->height; y += 2)
            for (int x = 0; x < f->width; x += 2)
                for (int lane = 0; lane < WKI_LANES; lane++) {
                    const int n = kt_int(0, 4);
                    int32_t *to = f->taken_numbers + c * f->taken.channel + y / f->tile * f->taken.row +
                                  x / f->tile * f->taken.column + lane + origin(&f->taken);
                    if (n < 4)
                        *to |= 1 << ((y % f->tile + n / 2) * f->tile + x % f->tile + n % 2);
                }
}

static void test_input_gradient(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int i = 0; i < CASES; i++)
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
            fused f, to;
            make_case(&f, 4, 3);
            f.images = kt_int(WKI_LANES / 2 + 1, WKI_LANES);
            take_any(&f);
            unpool(kernels, &f, f.unpooled);
            to = f;
            to.channels = kt_int(1, CHANNELS);
            const size_t floats = make_plane(&to.full, to.channels, f.height, f.width);
            wki_winograd_call call = make_conv(kernels, &to, f.channels);
            float *right = zeros(floats * sizeof(float)), *got = zeros(floats * sizeof(float));
            if (kt_once_in(2)) {
                call.mask = kt_random_floats(floats, true) + origin(&to.full);
                call.mask_plane = to.full;
            }
            call.out = to.full;
            call.in = f.full;
            call.input = f.unpooled + origin(&f.full) - f.full.row - f.full.column;
            call.output = right + origin(&to.full);
            kernels->winograd(&call);
            call.in = f.pooled;
            call.input = f.delta + origin(&f.pooled) - f.pooled.row - f.pooled.column;
            call.unpools = f.taken_numbers + origin(&f.taken) - f.taken.row - f.taken.column;
            call.taken_plane = f.taken;
            call.output = got + origin(&to.full);
            kernels->winograd(&call);
            check_same(kernels, &to, "input gradient", right, got, &to.full, f.height, f.width);
            kt_release();
        }
}

static void test_weights_gradient(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int i = 0; i < CASES; i++)
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
            fused f;
            const int ins = kt_int(1, 20);
            const bool few = kt_once_in(2);
            make_case(&f, 4, 3);
            take_any(&f);
            unpool(kernels, &f, f.unpooled);
            const int tiles = (f.height + 3) / 4 * ((f.width + 3) / 4);
            wki_winograd_gradient_call call = {.tile = 4,
                                               .kernel = 3,
                                               .delta = f.unpooled + origin(&f.full),
                                               .out = f.full,
                                               .in_channels = ins,
                                               .channels = f.channels,
                                               .channel_begin = kt_int(0, f.channels - 1),
                                               .channel_end = f.channels,
                                               .height = f.height,
                                               .width = f.width,
                                               .images = f.images};
            const size_t count = (size_t)(f.channels * ins * 9),
                         floats = make_plane(&call.in, ins, f.height, f.width);
            float *right = zeros(count * sizeof(float)), *got = zeros(count * sizeof(float));
            float *right_bias = zeros((size_t)f.channels * sizeof(float)),
                  *got_bias = zeros((size_t)f.channels * sizeof(float));
            call.input = kt_random_floats(floats, false) + origin(&call.in);
            call.scratch = kt_floats(few ? wki_winograd_few_scratch(6, ins, f.channels)
                                         : wki_winograd_gradient_scratch(6, ins, f.channels, tiles));
            call.gradient = right;
            call.bias_gradient = right_bias;
            (few ? kernels->winograd_gradient_few : kernels->winograd_gradient)(&call);
            call.delta = f.delta + origin(&f.pooled);
            call.out = f.pooled;
            call.unpools = f.taken_numbers + origin(&f.taken);
            call.taken_plane = f.taken;
            call.gradient = got;
            call.bias_gradient = got_bias;
            (few ? kernels->winograd_gradient_few : kernels->winograd_gradient)(&call);
            if (kt_first_difference(right, got, count) > 0)
                fail_msg("%s: %d x %d, other bits of the weights' gradient", kernels->name, f.height,
                         f.width);
            if (kt_first_difference(right_bias, got_bias, (size_t)f.channels) > 0)
                fail_msg("%s: %d x %d, other bits of the bias's gradient", kernels->name, f.height,
                         f.width);
            kt_release();
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_input_gradient),
        cmocka_unit_test(test_weights_gradient),
    };
    return cmocka_run_group_tests(tests, kt_seed, NULL);
}

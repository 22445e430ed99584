/* The gradient of a convolution's weights with the input turned against sums in double, every table. */
#include "kernel_support.h"

enum { CASES = 300 };

typedef struct grad {
    wki_conv2d_turned_call call;
    int channels, taps;                /* taps of an input channel */
    const float *before, *bias_before; /* what was there, to be added to */
    float *firsts[KT_GROUPS], *bias_firsts[KT_GROUPS];
} grad;

/* ---- cases ---- */

/* Of one image, row-major: delta is 0 behind the last column, up to whole vectors, and the input may be read past its end
 * by what is left of one. */
static const float *make_one_image(wki_plane *plane, int channels, int rows, int columns)
{
    const int width = (columns + WKI_LANES - 1) / WKI_LANES * WKI_LANES + kt_int(0, 3);
    *plane = (wki_plane){(ptrdiff_t)rows * width + kt_int(0, 3), width, 1};
    const size_t count = (size_t)(channels * plane->channel) + WKI_LANES;
    float *numbers = kt_floats(count);
    memset(numbers, 0, count * sizeof(float));
    for (int c = 0; c < channels; c++)
        for (int y = 0; y < rows; y++)
            for (int x = 0; x < columns; x++)
                numbers[c * plane->channel + y * plane->row + x] = kt_float();
    return numbers;
}

static void make_case(grad *g, int channels, int in_channels)
{
    wki_conv2d_turned_call *call = &g->call;
    *g = (grad){.channels = channels,
                .call = {.in_channels = in_channels,
                         .kernel_h = kt_int(1, 4),
                         .kernel_w = kt_int(1, 4),
                         .stride_h = kt_int(1, 3),
                         .stride_w = kt_int(1, 3),
                         .dilation_h = kt_int(1, 2),
                         .dilation_w = kt_int(1, 2),
                         .rows = kt_int(1, 4),
                         .columns = kt_once_in(4) ? kt_int(1, 31) : kt_int(1, 5),
                         .images = kt_once_in(2) ? WKI_LANES : kt_int(1, WKI_LANES),
                         .accumulate = kt_once_in(2)}};
    if (kt_once_in(3)) {
        call->one_image = true;
        call->images = call->stride_w = 1;
        call->rows = kt_int(1, 15);
    }
    g->taps = call->kernel_h * call->kernel_w;
    call->channel_begin = kt_once_in(2) ? 0 : kt_int(0, channels);
    call->channel_end = kt_once_in(2) ? channels : kt_int(call->channel_begin, channels);
    call->span = (call->columns - 1) * call->stride_w + (call->kernel_w - 1) * call->dilation_w + 1;
    int rows = (call->rows - 1) * call->stride_h + (call->kernel_h - 1) * call->dilation_h + 1;
    call->input = call->one_image
                      ? make_one_image(&call->in, in_channels, rows, call->span)
                      : kt_images(&call->in, in_channels, rows, call->span, call->images, false);
    call->delta = call->one_image
                      ? make_one_image(&call->out, channels, call->rows, call->columns)
                      : kt_images(&call->out, channels, call->rows, call->columns, call->images, true);
    g->before = kt_random_floats((size_t)(channels * in_channels * g->taps), false);
    if (kt_once_in(2))
        g->bias_before = kt_random_floats((size_t)channels, false);
}

/* ---- what is right ---- */

static double delta_at(const wki_conv2d_turned_call *call, int o, int y, int x, int lane)
{
    return (double)call->delta[o * call->out.channel + y * call->out.row + x * call->out.column + lane];
}

static void check_weight(const grad *g, const char *name, int o, int i, int t)
{
    const wki_conv2d_turned_call *call = &g->call;
    int at = (o * call->in_channels + i) * g->taps + t;
    int ky = t / call->kernel_w * call->dilation_h, kx = t % call->kernel_w * call->dilation_w;
    double right = call->accumulate ? (double)g->before[at] : 0.0, size = fabs(right);
    for (int y = 0; y < call->rows; y++)
        for (int x = 0; x < call->columns; x++)
            for (int lane = 0; lane < call->images; lane++) {
                double product =
                    delta_at(call, o, y, x, lane) *
                    (double)call->input[i * call->in.channel + (y * call->stride_h + ky) * call->in.row +
                                        (x * call->stride_w + kx) * call->in.column + lane];
                right += product;
                size += fabs(product);
            }
    /* As many roundings as there are products, and as chunks at the most, and what was there. */
    double error = KT_EPS * size * (call->rows * call->columns * (call->images + 1) + 2);
    if (!kt_near(call->gradient[at], right, error))
        fail_msg(
            "%s: %d of %d channels, %d of %d in, %d x %d kernel, %d x %d, %d images: tap %d is %.9g, "
            "not %.9g",
            name, o, g->channels, i, call->in_channels, call->kernel_h, call->kernel_w, call->rows,
            call->columns, call->images, t, (double)call->gradient[at], right);
}

/* ---- the check ---- */

static float *make_scratch(const grad *g)
{
    return kt_floats(wki_conv2d_turned_scratch(g->call.in_channels, g->channels, g->taps, g->call.span));
}

static void run_case(grad *g)
{
    const wki_kernels *kernels;
    wki_conv2d_turned_call *call = &g->call;
    size_t count = (size_t)(g->channels * call->in_channels * g->taps);
    for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
        int group = kt_group(kernels);
        call->gradient = kt_gradient_like(g->before, g->channels, call->in_channels * g->taps,
                                          call->channel_begin, call->channel_end, call->accumulate);
        call->bias_gradient = g->bias_before == NULL
                                  ? NULL
                                  : kt_gradient_like(g->bias_before, g->channels, 1, call->channel_begin,
                                                     call->channel_end, call->accumulate);
        call->scratch = make_scratch(g);
        kernels->conv2d_weight_turned(call);
        for (int o = call->channel_begin; o < call->channel_end && g->firsts[group] == NULL; o++) {
            for (int i = 0; i < call->in_channels; i++)
                for (int t = 0; t < g->taps; t++)
                    check_weight(g, kernels->name, o, i, t);
            if (call->bias_gradient != NULL)
                kt_check_bias(kernels->name, o, call->bias_gradient[o],
                              call->accumulate ? g->bias_before : NULL, call->delta, &call->out,
                              call->rows, call->columns, call->images);
        }
        kt_others_untouched(call->gradient, g->channels, call->in_channels * g->taps,
                            call->channel_begin, call->channel_end, kernels->name);
        kt_same_bits(&g->firsts[group], call->gradient, count, kernels->name, "gradient");
        if (call->bias_gradient == NULL)
            continue;
        kt_others_untouched(call->bias_gradient, g->channels, 1, call->channel_begin, call->channel_end,
                            kernels->name);
        kt_same_bits(&g->bias_firsts[group], call->bias_gradient, (size_t)g->channels, kernels->name,
                     "bias");
    }
    kt_release();
}

static void test_conv2d_weight_turned(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        grad g;
        make_case(&g, kt_int(1, 14), kt_int(1, 40));
        run_case(&g);
    }
}

static void test_every_number_of_channels(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 13; channels++)
        for (int in_channels = 1; in_channels <= 33; in_channels += 4) {
            grad g;
            make_case(&g, channels, in_channels);
            run_case(&g);
        }
}

/* However the channels are shared among threads, each gets the same bits. */
static void test_shares_of_the_channels(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int i = 0; i < 40; i++) {
        grad g;
        make_case(&g, kt_int(1, 14), kt_int(1, 40));
        wki_conv2d_turned_call *call = &g.call;
        size_t count = (size_t)(g.channels * call->in_channels * g.taps);
        call->accumulate = false;
        call->bias_gradient = NULL;
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
            float *whole = kt_floats(count), *shared = kt_floats(count);
            call->scratch = make_scratch(&g);
            call->gradient = whole;
            call->channel_begin = 0;
            call->channel_end = g.channels;
            kernels->conv2d_weight_turned(call);
            call->gradient = shared;
            for (int begin = 0; begin < g.channels; begin = call->channel_end) {
                call->channel_begin = begin;
                call->channel_end = kt_int(begin + 1, g.channels);
                kernels->conv2d_weight_turned(call);
            }
            if (kt_first_difference(whole, shared, count) > 0)
                fail_msg("%s: other bits for shares of %d channels", kernels->name, g.channels);
        }
        kt_release();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv2d_weight_turned),
        cmocka_unit_test(test_every_number_of_channels),
        cmocka_unit_test(test_shares_of_the_channels),
    };
    return cmocka_run_group_tests(tests, kt_seed, NULL);
}

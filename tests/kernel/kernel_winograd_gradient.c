/* The gradient of a convolution's weights by Winograd's way against sums in double, every table. */
#include "kernel_support.h"

#include "winograd_matrices.h"

enum { CASES = 200, MOST_TAPS = 25 };

typedef struct grad {
    wki_winograd_gradient_call call;
    bool few;                          /* winograd_gradient_few */
    const float *before, *bias_before; /* what was there, to be added to */
    float *firsts[KT_GROUPS], *bias_firsts[KT_GROUPS];
} grad;

/* ---- cases ---- */

static void make_case(grad *g, int channels, int in_channels, int height, int width, int images)
{
    wki_winograd_gradient_call *call = &g->call;
    int tile = kt_once_in(2) ? 2 : 4, kernel = tile == 2 && kt_once_in(2) ? 5 : 3;
    *g = (grad){.call = {.tile = tile,
                         .kernel = kernel,
                         .in_channels = in_channels,
                         .channels = channels,
                         .height = height,
                         .width = width,
                         .images = images,
                         .accumulate = kt_once_in(2)},
                .few = kt_once_in(2)};
    call->channel_begin = kt_once_in(2) ? 0 : kt_int(0, channels);
    call->channel_end = kt_once_in(2) ? channels : kt_int(call->channel_begin, channels);
    int rows = (height + tile - 1) / tile * tile + kernel - 1;
    int columns = (width + tile - 1) / tile * tile + kernel - 1;
    call->input = kt_images(&call->in, in_channels, rows, columns, images, false);
    call->delta = kt_images(&call->out, channels, height, width, images, true);
    g->before = kt_random_floats((size_t)(channels * in_channels * kernel * kernel), false);
    if (kt_once_in(2))
        g->bias_before = kt_random_floats((size_t)channels, false);
}

static void make_random_case(grad *g)
{
    make_case(g, kt_int(1, 14), kt_int(1, 40), kt_int(1, 9), kt_int(1, 9),
              kt_once_in(2) ? WKI_LANES : kt_int(1, WKI_LANES));
}

static int tile_count(const wki_winograd_gradient_call *call)
{
    return (call->height + call->tile - 1) / call->tile * ((call->width + call->tile - 1) / call->tile);
}

/* ---- what is right ---- */

/* 0 beyond the last row and column. */
static double delta_at(const wki_winograd_gradient_call *call, int o, int y, int x, int lane)
{
    if (y >= call->height || x >= call->width)
        return 0.0;
    return (double)call->delta[o * call->out.channel + y * call->out.row + x * call->out.column + lane];
}

static double input_at(const wki_winograd_gradient_call *call, int i, int y, int x, int lane)
{
    return (double)call->input[i * call->in.channel + y * call->in.row + x * call->in.column + lane];
}

/* What |E| |V| of a tile can be at most, added to each place's. */
static void add_product_sizes(const wki_winograd_gradient_call *call, int o, int i, int y, int x,
                              int lane, double *places)
{
    const winograd_matrices *m = winograd_of(call->tile, call->kernel);
    const int tile = call->tile, side = tile + call->kernel - 1;
    double window[WINOGRAD_MOST_PLACES], delta[WINOGRAD_MOST_PLACES];
    double v[WINOGRAD_MOST_PLACES], e[WINOGRAD_MOST_PLACES];
    for (int t = 0; t < side * side; t++)
        window[t] = input_at(call, i, y + t / side, x + t % side, lane);
    for (int t = 0; t < tile * tile; t++)
        delta[t] = delta_at(call, o, y + t / tile, x + t % tile, lane);
    winograd_sizes(m->input, side, side, window, v);
    winograd_sizes(m->delta, side, tile, delta, e);
    for (int place = 0; place < side * side; place++)
        places[place] += e[place] * v[place];
}

/* How far rounding may take a weight's gradient: what all the intermediate sums are at most, times the roundings that
 * one number goes through: three transforms, a product, a sum over tiles and images, as many chunks at the most, and
 * what was there. */
static void make_sizes(const wki_winograd_gradient_call *call, int o, int i, double sizes[MOST_TAPS])
{
    const winograd_matrices *m = winograd_of(call->tile, call->kernel);
    const int tile = call->tile, kernel = call->kernel, side = tile + kernel - 1;
    double places[WINOGRAD_MOST_PLACES] = {0};
    for (int y = 0; y < call->height; y += tile)
        for (int x = 0; x < call->width; x += tile)
            for (int lane = 0; lane < call->images; lane++)
                add_product_sizes(call, o, i, y, x, lane, places);
    for (int t = 0; t < kernel * kernel; t++) {
        sizes[t] = 0.0;
        for (int place = 0; place < side * side; place++)
            sizes[t] += fabs(m->kernel[place / side][t / kernel] * m->kernel[place % side][t % kernel]) *
                        places[place];
    }
}

static double right_value(const wki_winograd_gradient_call *call, int o, int i, int t)
{
    double sum = 0.0;
    for (int y = 0; y < call->height; y++)
        for (int x = 0; x < call->width; x++)
            for (int lane = 0; lane < call->images; lane++)
                sum += delta_at(call, o, y, x, lane) *
                       input_at(call, i, y + t / call->kernel, x + t % call->kernel, lane);
    return sum;
}

static void check_weights(const grad *g, const char *name, int o, int i)
{
    const wki_winograd_gradient_call *call = &g->call;
    int tiles = tile_count(call), taps = call->kernel * call->kernel;
    double sizes[MOST_TAPS];
    make_sizes(call, o, i, sizes);
    for (int t = 0; t < taps; t++) {
        int at = (o * call->in_channels + i) * taps + t;
        double before = call->accumulate ? (double)g->before[at] : 0.0;
        double right = before + right_value(call, o, i, t);
        double error =
            KT_EPS * ((tiles * (call->images + 1) + 3 * WINOGRAD_ROUNDINGS) * sizes[t] + fabs(before));
        if (!kt_near(call->gradient[at], right, error))
            fail_msg("%s: %stile %d, kernel %d, %d of %d channels, %d of %d in, %d x %d, %d images: tap "
                     "%d is %.9g, not "
                     "%.9g +- %.3g",
                     name, g->few ? "few: " : "", call->tile, call->kernel, o, call->channels, i,
                     call->in_channels, call->height, call->width, call->images, t,
                     (double)call->gradient[at], right, error);
    }
}

/* ---- the check ---- */

static void run_kernel(const wki_kernels *kernels, grad *g)
{
    wki_winograd_gradient_call *call = &g->call;
    const int side = call->tile + call->kernel - 1;
    call->scratch = kt_floats(g->few ? wki_winograd_few_scratch(side, call->in_channels, call->channels)
                                     : wki_winograd_gradient_scratch(side, call->in_channels,
                                                                     call->channels, tile_count(call)));
    (g->few ? kernels->winograd_gradient_few : kernels->winograd_gradient)(call);
}

static void run_case(grad *g)
{
    const wki_kernels *kernels;
    wki_winograd_gradient_call *call = &g->call;
    int taps = call->in_channels * call->kernel * call->kernel;
    size_t count = (size_t)(call->channels * taps);
    for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
        int group = kt_group(kernels);
        call->gradient = kt_gradient_like(g->before, call->channels, taps, call->channel_begin,
                                          call->channel_end, call->accumulate);
        call->bias_gradient =
            g->bias_before == NULL
                ? NULL
                : kt_gradient_like(g->bias_before, call->channels, 1, call->channel_begin,
                                   call->channel_end, call->accumulate);
        run_kernel(kernels, g);
        for (int o = call->channel_begin; o < call->channel_end && g->firsts[group] == NULL; o++) {
            for (int i = 0; i < call->in_channels; i++)
                check_weights(g, kernels->name, o, i);
            if (call->bias_gradient != NULL)
                kt_check_bias(kernels->name, o, call->bias_gradient[o],
                              call->accumulate ? g->bias_before : NULL, call->delta, &call->out,
                              call->height, call->width, call->images);
        }
        kt_others_untouched(call->gradient, call->channels, taps, call->channel_begin, call->channel_end,
                            kernels->name);
        kt_same_bits(&g->firsts[group], call->gradient, count, kernels->name, "gradient");
        if (call->bias_gradient == NULL)
            continue;
        kt_others_untouched(call->bias_gradient, call->channels, 1, call->channel_begin,
                            call->channel_end, kernels->name);
        kt_same_bits(&g->bias_firsts[group], call->bias_gradient, (size_t)call->channels, kernels->name,
                     "bias");
    }
    kt_release();
}

static void test_winograd_gradient(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        grad g;
        make_random_case(&g);
        run_case(&g);
    }
}

/* Every number of channels with every remainder of the sizes, the smallest included. */
static void test_every_tile(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 13; channels++)
        for (int size = 0; size < 25; size++) {
            grad g;
            make_case(&g, channels, kt_int(1, 20), 1 + size / 5, 1 + size % 5, kt_int(1, WKI_LANES));
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
        make_random_case(&g);
        wki_winograd_gradient_call *call = &g.call;
        int taps = call->in_channels * call->kernel * call->kernel;
        size_t count = (size_t)(call->channels * taps);
        call->accumulate = false;
        call->bias_gradient = NULL;
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
            float *whole = kt_floats(count), *shared = kt_floats(count);
            call->gradient = whole;
            call->channel_begin = 0;
            call->channel_end = call->channels;
            run_kernel(kernels, &g);
            call->gradient = shared;
            for (int begin = 0; begin < call->channels; begin = call->channel_end) {
                call->channel_begin = begin;
                call->channel_end = kt_int(begin + 1, call->channels);
                run_kernel(kernels, &g);
            }
            if (kt_first_difference(whole, shared, count) > 0)
                fail_msg("%s: other bits for shares of %d channels", kernels->name, call->channels);
        }
        kt_release();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_winograd_gradient),
        cmocka_unit_test(test_every_tile),
        cmocka_unit_test(test_shares_of_the_channels),
    };
    return cmocka_run_group_tests(tests, kt_seed, NULL);
}

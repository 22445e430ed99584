/* The gradient of a convolution's weights against sums in double, every table. */
#include "kernel_support.h"

enum { CASES = 300 };

typedef struct grad {
    wki_conv2d_weight_call call;
    int channels;
    const float *before, *bias_before; /* what was there, to be added to */
    float *firsts[KT_GROUPS], *bias_firsts[KT_GROUPS];
} grad;

static void make_case(grad *g)
{
    wki_conv2d_weight_call *call = &g->call;
    int images = kt_once_in(2) ? WKI_LANES : kt_int(1, WKI_LANES);
    bool odd = images == WKI_LANES && kt_once_in(5);
    int channels = kt_int(1, 13), reach = kt_int(0, 40);
    *g = (grad){.call = {.taps = kt_int(1, 40), .rows = kt_int(0, 12), .columns = kt_int(1, 9)},
                .channels = channels};
    call->images = images;
    call->channel_begin = kt_once_in(2) ? 0 : kt_int(0, channels);
    call->channel_end = kt_int(call->channel_begin, channels);
    call->accumulate = kt_once_in(2);
    int32_t *offset = kt_bytes((size_t)call->taps * sizeof(*offset));
    for (int t = 0; t < call->taps; t++)
        offset[t] = t == 0 ? reach : kt_int(-reach, reach);
    call->offset = offset;
    size_t floats = kt_plane(&call->in, 1, WKI_MAX(1, call->rows), call->columns * kt_int(1, 2));
    call->input = kt_random_floats(floats + 2 * (size_t)reach, odd) + reach;
    float *delta =
        kt_random_floats(kt_plane(&call->out, channels, WKI_MAX(1, call->rows), call->columns), odd);
    for (int o = 0; o < channels; o++)
        for (int y = 0; y < call->rows; y++)
            for (int x = 0; x < call->columns; x++)
                for (int lane = images; lane < WKI_LANES; lane++)
                    delta[o * call->out.channel + y * call->out.row + x * call->out.column + lane] =
                        0.0f;
    call->delta = delta;
    g->before = kt_random_floats((size_t)channels * (size_t)call->taps, false);
    if (kt_once_in(2))
        g->bias_before = kt_random_floats((size_t)channels, false);
}

/* Sums run lane by lane, then over the lanes as a tree; what was there comes last. */
static double error_of(const wki_conv2d_weight_call *call, double size, double before)
{
    return (call->rows * call->columns + 5) * KT_EPS * size + KT_EPS * (size + fabs(before));
}

static void check_bias(const grad *g, const char *name)
{
    const wki_conv2d_weight_call *call = &g->call;
    for (int o = call->channel_begin; o < call->channel_end; o++) {
        double sum = 0.0, size = 0.0, before = call->accumulate ? (double)g->bias_before[o] : 0.0;
        for (int y = 0; y < call->rows; y++)
            for (int x = 0; x < call->columns; x++)
                for (int lane = 0; lane < WKI_LANES; lane++) {
                    double d = (double)call->delta[o * call->out.channel + y * call->out.row +
                                                   x * call->out.column + lane];
                    sum += d;
                    size += fabs(d);
                }
        if (!kt_near(call->bias_gradient[o], before + sum, error_of(call, size, before)))
            fail_msg("%s: %d x %d: bias %d is %.9g, not %.9g", name, call->rows, call->columns, o,
                     (double)call->bias_gradient[o], before + sum);
    }
}

static void check_weight(const grad *g, const char *name, int o, int t)
{
    const wki_conv2d_weight_call *call = &g->call;
    double sum = 0.0, size = 0.0,
           before = call->accumulate ? (double)g->before[o * call->taps + t] : 0.0;
    for (int y = 0; y < call->rows; y++)
        for (int x = 0; x < call->columns; x++)
            for (int lane = 0; lane < WKI_LANES; lane++) {
                double d =
                    (double)call
                        ->delta[o * call->out.channel + y * call->out.row + x * call->out.column + lane];
                double product =
                    d *
                    (double)call->input[y * call->in.row + x * call->in.column + call->offset[t] + lane];
                sum += product;
                size += fabs(product);
            }
    float got = call->gradient[o * call->taps + t];
    if (!kt_near(got, before + sum, error_of(call, size, before)))
        fail_msg("%s: channels %d .. %d, %d taps, %d x %d: [%d][%d] is %.9g, not %.9g", name,
                 call->channel_begin, call->channel_end, call->taps, call->rows, call->columns, o, t,
                 (double)got, before + sum);
}

static void run_case(grad *g)
{
    const wki_kernels *kernels;
    wki_conv2d_weight_call *call = &g->call;
    for (int i = 0; (kernels = kt_table(i)) != NULL; i++) {
        call->gradient = kt_gradient_like(g->before, g->channels, call->taps, call->channel_begin,
                                          call->channel_end, call->accumulate);
        call->bias_gradient = g->bias_before == NULL
                                  ? NULL
                                  : kt_gradient_like(g->bias_before, g->channels, 1, call->channel_begin,
                                                     call->channel_end, call->accumulate);
        call->scratch =
            kt_floats(wki_conv2d_weight_scratch(call->channel_end - call->channel_begin, call->taps));
        kernels->conv2d_weight(call);
        for (int o = call->channel_begin; o < call->channel_end; o++)
            for (int t = 0; t < call->taps; t++)
                check_weight(g, kernels->name, o, t);
        kt_others_untouched(call->gradient, g->channels, call->taps, call->channel_begin,
                            call->channel_end, kernels->name);
        kt_same_bits(&g->firsts[kt_group(kernels)], call->gradient, (size_t)(g->channels * call->taps),
                     kernels->name, "gradient");
        if (call->bias_gradient != NULL) {
            check_bias(g, kernels->name);
            kt_same_bits(&g->bias_firsts[kt_group(kernels)], call->bias_gradient, (size_t)g->channels,
                         kernels->name, "bias");
        }
    }
}

static void test_conv2d_weight(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        grad g;
        make_case(&g);
        run_case(&g);
        kt_release();
    }
}

/* However the channels are shared among threads, each gets the same bits. */
static void test_shares_of_the_channels(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int i = 0; i < 60; i++) {
        grad g;
        make_case(&g);
        wki_conv2d_weight_call *call = &g.call;
        size_t count = (size_t)g.channels * (size_t)call->taps;
        call->accumulate = false;
        call->bias_gradient = NULL;
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
            float *whole = kt_floats(count), *shared = kt_floats(count);
            call->scratch = kt_floats(wki_conv2d_weight_scratch(g.channels, call->taps));
            call->gradient = whole;
            call->channel_begin = 0;
            call->channel_end = g.channels;
            kernels->conv2d_weight(call);
            call->gradient = shared;
            for (int begin = 0; begin < g.channels; begin = call->channel_end) {
                call->channel_begin = begin;
                call->channel_end = kt_int(begin + 1, g.channels);
                kernels->conv2d_weight(call);
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
        cmocka_unit_test(test_conv2d_weight),
        cmocka_unit_test(test_shares_of_the_channels),
    };
    return cmocka_run_group_tests(tests, kt_seed, NULL);
}

/* The convolution in lanes against sums in double, every table. */
#include "kernel_support.h"

/* Many taps are done some at a time. */
enum { MOST_TAPS = 60, MANY_TAPS = 300, CASES = 400 };

typedef struct conv {
    wki_conv2d_call call;
    size_t output_floats;
    float *outputs[KT_GROUPS]; /* the first of each group, to compare the others with */
} conv;

/* Runs of `run` taps that read columns which are next to each other, as those of a kernel's row are. */
static void make_offsets(wki_conv2d_call *call, int most, int run)
{
    int32_t *offset = kt_bytes((size_t)call->taps * sizeof(*offset));
    const int across = (run - 1) * WKI_LANES;
    for (int t = 0; t < call->taps; t++)
        offset[t] = t % run > 0 ? offset[t - 1] + WKI_LANES : kt_int(-most, most - across);
    for (int k = 0; k < run && call->taps > run; k++) { /* the ends are reached */
        offset[k] = k * WKI_LANES - most;
        offset[call->taps - run + k] = most - across + k * WKI_LANES;
    }
    call->offset = offset;
}

static void make_case(conv *c)
{
    wki_conv2d_call *call = &c->call;
    bool odd = kt_once_in(4);
    const int run = kt_once_in(2) ? 3 : 1;
    int rows = kt_int(1, 6), reach = kt_int(0, 40) + (run - 1) * WKI_LANES;
    *c = (conv){.call = {.taps = kt_once_in(20) ? 0 : kt_int(1, kt_once_in(8) ? MANY_TAPS : MOST_TAPS),
                         .channels = kt_int(1, 13),
                         .columns = kt_int(1, 9),
                         .images = kt_once_in(2) ? WKI_LANES : kt_int(1, WKI_LANES),
                         .relu = kt_once_in(2)}};
    call->taps = call->taps / run * run;
    call->row_begin = kt_int(0, rows - 1);
    call->row_end = kt_int(call->row_begin, rows);
    size_t input_floats = kt_plane(&call->in, 1, rows * kt_int(1, 2), call->columns * kt_int(1, 3));
    make_offsets(call, reach, run);
    call->input = kt_random_floats(input_floats + 2 * (size_t)reach, odd) + reach;
    call->weight = kt_random_floats((size_t)call->channels * (size_t)call->taps, odd && kt_once_in(2));
    if (kt_once_in(2))
        call->bias = kt_random_floats((size_t)call->channels, odd);
    if (kt_once_in(2))
        call->mask = kt_random_floats(kt_plane(&call->mask_plane, call->channels, rows, call->columns),
                                      kt_once_in(2));
    c->output_floats = kt_plane(&call->out, call->channels, rows, call->columns);
}

/* One element: what it should be, and how far off rounding may take it. */
static double right_value(const wki_conv2d_call *call, int o, int y, int x, int lane, double *error)
{
    double sum = call->bias == NULL ? 0.0 : (double)call->bias[o], size = fabs(sum);
    const float *input = call->input + y * call->in.row + x * call->in.column + lane;
    for (int t = 0; t < call->taps; t++) {
        double product = (double)call->weight[o * call->taps + t] * (double)input[call->offset[t]];
        sum += product;
        size += fabs(product);
    }
    *error = (call->taps + 2) * KT_EPS * size;
    if (call->relu && sum < 0.0)
        sum = 0.0;
    if (call->mask != NULL && call->mask[o * call->mask_plane.channel + y * call->mask_plane.row +
                                         x * call->mask_plane.column + lane] <= 0.0f)
        *error = sum = 0.0;
    return sum;
}

static void check_values(const conv *c, const char *name, bool *written)
{
    const wki_conv2d_call *call = &c->call;
    for (int o = 0; o < call->channels; o++)
        for (int y = call->row_begin; y < call->row_end; y++)
            for (int x = 0; x < call->columns; x++)
                for (int lane = 0; lane < WKI_LANES; lane++) {
                    double error, right = right_value(call, o, y, x, lane, &error);
                    ptrdiff_t at =
                        o * call->out.channel + y * call->out.row + x * call->out.column + lane;
                    written[at] = true;
                    if (lane >= call->images && call->output[at] == 0.0f)
                        continue;
                    if (!kt_near(call->output[at], right, error))
                        fail_msg(
                            "%s: %d channels, %d taps, %d columns: [%d][%d][%d][%d] is %.9g, not %.9g",
                            name, call->channels, call->taps, call->columns, o, y, x, lane,
                            (double)call->output[at], right);
                }
}

/* What lanes that do not count hold need not be the same everywhere. */
static void forget_absent(const wki_conv2d_call *call)
{
    for (int o = 0; o < call->channels; o++)
        for (int y = call->row_begin; y < call->row_end; y++)
            for (int x = 0; x < call->columns; x++)
                for (int lane = call->images; lane < WKI_LANES; lane++)
                    call->output[o * call->out.channel + y * call->out.row + x * call->out.column +
                                 lane] = 0.0f;
}

static void run_case(conv *c)
{
    const wki_kernels *kernels;
    for (int i = 0; (kernels = kt_table(i)) != NULL; i++) {
        c->call.output = kt_floats(c->output_floats);
        kernels->conv2d(&c->call);
        bool *written = calloc(c->output_floats, sizeof(bool));
        assert_non_null(written);
        check_values(c, kernels->name, written);
        for (size_t at = 0; at < c->output_floats; at++)
            if (!written[at] && !kt_is_poison(c->call.output[at]))
                fail_msg("%s: float %zu was written", kernels->name, at);
        free(written);
        forget_absent(&c->call);
        float **first = &c->outputs[kt_group(kernels)];
        if (*first == NULL)
            *first = c->call.output;
        size_t differs = kt_first_difference(*first, c->call.output, c->output_floats);
        if (differs > 0)
            fail_msg("%s: float %zu has other bits", kernels->name, differs - 1);
    }
}

static void test_conv2d(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        conv c;
        make_case(&c);
        run_case(&c);
        kt_release();
    }
}

/* All of the tiles: every number of channels with every number of columns, with all of the lanes and with half. */
static void test_every_tile(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 25; channels++)
        for (int columns = 1; columns <= 18; columns++) {
            conv c;
            make_case(&c);
            c.call.images = columns % 2 == 0 ? WKI_LANES : WKI_LANES / 2;
            c.call.mask = NULL;
            c.call.channels = channels;
            c.call.columns = (columns + 1) / 2;
            c.call.row_begin = 0;
            c.call.row_end = 2;
            c.call.taps = kt_int(1, 9);
            make_offsets(&c.call, 16, 1);
            c.call.input = kt_random_floats(kt_plane(&c.call.in, 1, 2, c.call.columns) + 32, false) + 16;
            c.call.weight = kt_random_floats((size_t)channels * (size_t)c.call.taps, false);
            c.call.bias = kt_random_floats((size_t)channels, false);
            c.output_floats = kt_plane(&c.call.out, channels, 2, c.call.columns);
            run_case(&c);
            kt_release();
        }
}

/* So many that channels times groups of channels is more than an int. */
static void test_many_channels(void **state)
{
    (void)state;
    enum { CHANNELS = 120001 };
    conv c = {
        .call = {.taps = 1, .channels = CHANNELS, .columns = 1, .row_end = 1, .images = WKI_LANES}};
    make_offsets(&c.call, 0, 1);
    c.call.input = kt_random_floats(kt_plane(&c.call.in, 1, 1, 1), false);
    c.call.weight = kt_random_floats(CHANNELS, false);
    c.output_floats = kt_plane(&c.call.out, CHANNELS, 1, 1);
    run_case(&c);
    kt_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv2d),
        cmocka_unit_test(test_every_tile),
        cmocka_unit_test(test_many_channels),
    };
    return cmocka_run_group_tests(tests, kt_seed, NULL);
}

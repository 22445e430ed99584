/* The 3x3 convolution by Winograd's way against sums in double, every table. */
#include "kernel_support.h"

enum { CASES = 400, PLACES = 16 };

typedef struct conv {
    wki_winograd_weights_call weights;
    wki_winograd_call call;
    size_t transformed_floats, output_floats;
    double *sizes; /* [channels][in channels][PLACES]: |G| |g| |G^T|, the largest that the transform goes
                      through */
    float *transformed[KT_GROUPS],
        *outputs[KT_GROUPS]; /* the first of each group, to compare the others with */
} conv;

/* ---- cases ---- */

/* A NaN stays in the windows that have it. An infinity need not: it is subtracted from itself. */
static float number(bool nans)
{
    return nans && kt_once_in(40) ? NAN : kt_once_in(20) ? 0.0f : kt_float();
}

static void make_weights(conv *c, bool nans)
{
    wki_winograd_weights_call *w = &c->weights;
    ptrdiff_t gap = 9 + kt_int(0, 1) * kt_int(0, 5);
    bool turned = kt_once_in(2); /* [in channel][channel], as for the gradient of the input */
    w->channel_stride = turned ? gap : gap * w->in_channels + kt_int(0, 3);
    w->in_channel_stride = turned ? gap * w->channels + kt_int(0, 3) : gap;
    ptrdiff_t last = (w->channels - 1) * w->channel_stride + (w->in_channels - 1) * w->in_channel_stride;
    float *weight = kt_floats((size_t)last + 9);
    for (int o = 0; o < w->channels; o++)
        for (int i = 0; i < w->in_channels; i++)
            for (int t = 0; t < 9; t++)
                weight[o * w->channel_stride + i * w->in_channel_stride + t] = number(nans);
    w->weight = weight;
    c->transformed_floats = (size_t)PLACES * (size_t)w->channels * (size_t)w->in_channels;
    c->sizes = kt_bytes(c->transformed_floats * sizeof(*c->sizes));
}

/* The memory begins with the first row that the call may read and ends with the last; what lies between
 * the pixels is NaN. So is, by chance, what belongs to no output's window: the row and the column more
 * of odd sizes. */
static void make_input(wki_winograd_call *call, bool nans)
{
    int rows = call->height + 2 + call->height % 2, columns = call->width + 2 + call->width % 2;
    int begin = 2 * call->row_begin, end = WKI_MIN(2 * call->row_end + 2, rows);
    bool more = kt_once_in(2);
    (void)kt_plane(&call->in, call->in_channels, rows, columns);
    ptrdiff_t last = (call->in_channels - 1) * call->in.channel + (end - 1 - begin) * call->in.row +
                     (columns - 1) * call->in.column;
    float *input = kt_floats((size_t)last + WKI_LANES);
    for (int i = 0; i < call->in_channels; i++)
        for (int y = begin; y < end; y++)
            for (int x = 0; x < columns; x++)
                for (int lane = 0; lane < WKI_LANES; lane++)
                    if (more || (y < call->height + 2 && x < call->width + 2))
                        input[i * call->in.channel + (y - begin) * call->in.row + x * call->in.column +
                              lane] = number(nans);
    call->input = input - begin * call->in.row;
}

static void make_case(conv *c, int channels, int in_channels, int height, int width)
{
    bool nans = kt_once_in(4);
    int pairs = (height + 1) / 2;
    *c = (conv){.weights = {.channels = channels, .in_channels = in_channels, .flip = kt_once_in(2)},
                .call = {.channels = channels,
                         .in_channels = in_channels,
                         .height = height,
                         .width = width,
                         .row_end = pairs,
                         .images = kt_once_in(2) ? WKI_LANES : kt_int(1, WKI_LANES),
                         .relu = kt_once_in(2)}};
    wki_winograd_call *call = &c->call;
    if (kt_once_in(2)) {
        call->row_begin = kt_int(0, pairs - 1);
        call->row_end = kt_int(call->row_begin, pairs);
    }
    make_weights(c, nans && kt_once_in(4));
    make_input(call, nans);
    if (kt_once_in(2))
        call->bias = kt_random_floats((size_t)channels, nans && kt_once_in(4));
    if (kt_once_in(2))
        call->mask =
            kt_random_floats(kt_plane(&call->mask_plane, channels, height, width), kt_once_in(2));
    c->output_floats = kt_plane(&call->out, channels, height, width);
}

/* ---- what is right ---- */

static double weight_at(const conv *c, int o, int i, int y, int x)
{
    const wki_winograd_weights_call *w = &c->weights;
    int t = 3 * y + x;
    return (double)w->weight[o * w->channel_stride + i * w->in_channel_stride + (w->flip ? 8 - t : t)];
}

static const double transform[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};

/* U = G g G^T at each place: two times two additions; to halve a number is exact. */
static void check_weights(conv *c, const float *got, const char *name)
{
    const wki_winograd_weights_call *w = &c->weights;
    for (int o = 0; o < w->channels; o++)
        for (int i = 0; i < w->in_channels; i++)
            for (int place = 0; place < PLACES; place++) {
                double right = 0.0, size = 0.0;
                for (int t = 0; t < 9; t++) {
                    double factor = transform[place / 4][t / 3] * transform[place % 4][t % 3];
                    if (factor == 0.0)
                        continue;
                    right += factor * weight_at(c, o, i, t / 3, t % 3);
                    size += fabs(factor * weight_at(c, o, i, t / 3, t % 3));
                }
                int pair = o * w->in_channels + i;
                c->sizes[pair * PLACES + place] = size;
                float value = got[place * w->channels * w->in_channels + pair];
                if (!kt_near(value, right, 5 * KT_EPS * size))
                    fail_msg("%s: %d of %d channels, %d of %d in: place %d is %.9g, not %.9g", name, o,
                             w->channels, i, w->in_channels, place, (double)value, right);
            }
}

/* |B^T| |d| |B| of one tile, at a place: the four pixels that it is made of. */
static double input_size(const wki_winograd_call *call, int i, int y, int x, int lane, int place)
{
    static const int taken[4][2] = {{0, 2}, {1, 2}, {1, 2}, {1, 3}};
    double size = 0.0;
    for (int k = 0; k < 4; k++)
        size += fabs(
            (double)call->input[i * call->in.channel + (y + taken[place / 4][k / 2]) * call->in.row +
                                (x + taken[place % 4][k % 2]) * call->in.column + lane]);
    return size;
}

/* How far rounding may take an output: the sum of what all the intermediate sums are at most, times the
 * roundings that one number goes through: 4 in the weights' transform, 2 in the input's, a product, a
 * sum over the channels, 4 in the way back and the bias, and one more for the products of these. */
static double error_of(const conv *c, int o, int y, int x, int lane)
{
    const wki_winograd_call *call = &c->call;
    double size = call->bias == NULL ? 0.0 : fabs((double)call->bias[o]);
    for (int i = 0; i < call->in_channels; i++)
        for (int a = y % 2; a < y % 2 + 3; a++)
            for (int b = x % 2; b < x % 2 + 3; b++)
                size += c->sizes[(o * call->in_channels + i) * PLACES + 4 * a + b] *
                        input_size(call, i, y - y % 2, x - x % 2, lane, 4 * a + b);
    return (call->in_channels + 13) * KT_EPS * size;
}

static double right_value(const conv *c, int o, int y, int x, int lane, double *error)
{
    const wki_winograd_call *call = &c->call;
    double sum = call->bias == NULL ? 0.0 : (double)call->bias[o];
    for (int i = 0; i < call->in_channels; i++)
        for (int t = 0; t < 9; t++)
            sum += weight_at(c, o, i, t / 3, t % 3) *
                   (double)call->input[i * call->in.channel + (y + t / 3) * call->in.row +
                                       (x + t % 3) * call->in.column + lane];
    *error = error_of(c, o, y, x, lane);
    if (call->relu && sum < 0.0)
        sum = 0.0;
    if (call->mask != NULL && call->mask[o * call->mask_plane.channel + y * call->mask_plane.row +
                                         x * call->mask_plane.column + lane] <= 0.0f)
        *error = sum = 0.0;
    return sum;
}

/* ---- the check ---- */

static void check_values(const conv *c, const char *name, bool *written)
{
    const wki_winograd_call *call = &c->call;
    for (int o = 0; o < call->channels; o++)
        for (int y = 2 * call->row_begin; y < WKI_MIN(2 * call->row_end, call->height); y++)
            for (int x = 0; x < call->width; x++)
                for (int lane = 0; lane < WKI_LANES; lane++) {
                    ptrdiff_t at =
                        o * call->out.channel + y * call->out.row + x * call->out.column + lane;
                    double error, right = right_value(c, o, y, x, lane, &error);
                    written[at] = true;
                    if (lane >= call->images && call->output[at] == 0.0f)
                        continue;
                    if (!kt_near(call->output[at], right, error))
                        fail_msg("%s: %d of %d channels, %d in, %d x %d: [%d][%d][%d] is %.9g, not %.9g "
                                 "+- %.3g",
                                 name, o, call->channels, call->in_channels, call->height, call->width,
                                 y, x, lane, (double)call->output[at], right, error);
                }
}

/* What lanes that do not count hold need not be the same everywhere. */
static void forget_absent(const wki_winograd_call *call)
{
    for (int o = 0; o < call->channels; o++)
        for (int y = 2 * call->row_begin; y < WKI_MIN(2 * call->row_end, call->height); y++)
            for (int x = 0; x < call->width; x++)
                for (int lane = call->images; lane < WKI_LANES; lane++)
                    call->output[o * call->out.channel + y * call->out.row + x * call->out.column +
                                 lane] = 0.0f;
}

static void run_table(conv *c, const wki_kernels *kernels, bool *written)
{
    int group = kt_group(kernels);
    c->weights.transformed = kt_floats(c->transformed_floats);
    kernels->winograd_weights(&c->weights);
    check_weights(c, c->weights.transformed, kernels->name);
    kt_same_bits(&c->transformed[group], c->weights.transformed, c->transformed_floats, kernels->name,
                 "weights");
    c->call.weight = c->weights.transformed;
    c->call.scratch = kt_floats(wki_winograd_scratch(c->call.in_channels));
    c->call.output = kt_floats(c->output_floats);
    kernels->winograd(&c->call);
    if (c->outputs[group] == NULL) /* the rest have the same bits */
        check_values(c, kernels->name, written);
    for (size_t at = 0; at < c->output_floats; at++)
        if (!written[at] && !kt_is_poison(c->call.output[at]))
            fail_msg("%s: float %zu was written", kernels->name, at);
    forget_absent(&c->call);
    kt_same_bits(&c->outputs[group], c->call.output, c->output_floats, kernels->name, "output");
}

static void run_case(conv *c)
{
    const wki_kernels *kernels;
    bool *written = calloc(c->output_floats, sizeof(bool));
    assert_non_null(written);
    for (int i = 0; (kernels = kt_table(i)) != NULL; i++)
        run_table(c, kernels, written);
    free(written);
    kt_release();
}

static void test_winograd(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        conv c;
        make_case(&c, kt_int(1, 13), kt_int(1, 13), kt_int(1, 9), kt_int(1, 9));
        run_case(&c);
    }
}

/* Every number of channels with every parity of the sizes, the smallest included. */
static void test_every_tile(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 25; channels++)
        for (int size = 0; size < 9; size++) {
            conv c;
            make_case(&c, channels, kt_int(1, 13), 1 + size / 3, 1 + size % 3);
            run_case(&c);
        }
}

/* So many that channels times groups of channels is more than an int. */
static void test_many_channels(void **state)
{
    (void)state;
    conv c;
    make_case(&c, 120001, 1, 1, 1);
    run_case(&c);
}

/* A row range at a time, in any order, gives the bits of the whole. */
static void test_row_ranges(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        conv c;
        make_case(&c, kt_int(1, 13), kt_int(1, 13), kt_int(1, 9), kt_int(1, 9));
        const wki_kernels *kernels = kt_table(0);
        wki_winograd_call *call = &c.call;
        call->row_begin = 0;
        call->row_end = (call->height + 1) / 2;
        make_input(call, false);
        c.weights.transformed = kt_floats(c.transformed_floats);
        kernels->winograd_weights(&c.weights);
        call->weight = c.weights.transformed;
        call->scratch = kt_floats(wki_winograd_scratch(call->in_channels));
        float *whole = call->output = kt_floats(c.output_floats);
        kernels->winograd(call);
        call->output = kt_floats(c.output_floats);
        for (int y = (call->height + 1) / 2 - 1; y >= 0; y--) {
            call->row_begin = y;
            call->row_end = y + 1;
            kernels->winograd(call);
        }
        assert_int_equal(kt_first_difference(whole, call->output, c.output_floats), 0);
        kt_release();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_every_tile),
        cmocka_unit_test(test_many_channels),
        cmocka_unit_test(test_row_ranges),
    };
    return cmocka_run_group_tests(tests, kt_seed, NULL);
}

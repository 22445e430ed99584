/* The convolution by Winograd's way against sums in double, every table. */
#include "kernel_support.h"

#include "winograd_matrices.h"

enum { CASES = 300 };

typedef struct conv {
    wki_winograd_weights_call weights;
    wki_winograd_call call;
    size_t transformed_floats, output_floats, mask_floats;
    double *sizes; /* [channels][in channels][places]: |G| |g| |G^T|, the largest that the transform goes
                      through */
    float *transformed[KT_GROUPS],
        *outputs[KT_GROUPS]; /* the first of each group, to compare the others with */
} conv;

/* ---- cases ---- */

/* A NaN stays in the windows that have it, with windows of 6x6 in the tiles that do. An infinity need not: it is
 * subtracted from itself. */
static float number(bool nans)
{
    return nans && kt_once_in(40) ? NAN : kt_once_in(20) ? 0.0f : kt_float();
}

static void make_weights(conv *c, bool nans)
{
    wki_winograd_weights_call *w = &c->weights;
    const int area = w->kernel * w->kernel;
    ptrdiff_t gap = area + kt_int(0, 1) * kt_int(0, 5);
    bool turned = kt_once_in(2); /* [in channel][channel], as for the gradient of the input */
    w->channel_stride = turned ? gap : gap * w->in_channels + kt_int(0, 3);
    w->in_channel_stride = turned ? gap * w->channels + kt_int(0, 3) : gap;
    ptrdiff_t last = (w->channels - 1) * w->channel_stride + (w->in_channels - 1) * w->in_channel_stride;
    float *weight = kt_floats((size_t)(last + area));
    for (int o = 0; o < w->channels; o++)
        for (int i = 0; i < w->in_channels; i++)
            for (int t = 0; t < area; t++)
                weight[o * w->channel_stride + i * w->in_channel_stride + t] = number(nans);
    w->weight = weight;
    int side = w->tile + w->kernel - 1;
    c->transformed_floats = (size_t)(side * side) * (size_t)w->channels * (size_t)w->in_channels;
    c->sizes = kt_bytes(c->transformed_floats * sizeof(*c->sizes));
}

/* In two shares, as two threads do it, the second one first. */
static void transform_weights(const wki_kernels *kernels, conv *c)
{
    wki_winograd_weights_call *w = &c->weights;
    const int cut = kt_int(0, w->channels);
    w->transformed = kt_floats(c->transformed_floats);
    w->channel_begin = cut;
    w->channel_end = w->channels;
    kernels->winograd_weights(w);
    w->channel_begin = 0;
    w->channel_end = cut;
    kernels->winograd_weights(w);
}

static int tiles_across(const wki_winograd_call *call)
{
    return (call->width + call->tile - 1) / call->tile;
}

static int tile_count(const wki_winograd_call *call)
{
    return (call->height + call->tile - 1) / call->tile * tiles_across(call);
}

static bool is_in_range(const wki_winograd_call *call, int y, int x)
{
    int t = y / call->tile * tiles_across(call) + x / call->tile;
    return t >= call->tile_begin && t < call->tile_end;
}

/* The memory begins with the first row that the call may read and ends with the last; what lies between
 * the pixels is NaN. So is, by chance and if windows are 4x4, what belongs to no output's window: the rows
 * and the columns more that make whole tiles. */
static void make_input(wki_winograd_call *call, bool nans)
{
    int tile = call->tile, across = tiles_across(call), reach = call->kernel - 1;
    int rows = (call->height + tile - 1) / tile * tile + reach, columns = across * tile + reach;
    int begin = call->tile_begin / across * tile;
    int end = (call->tile_end + across - 1) / across * tile + reach;
    if (end > rows || end <= begin)
        end = rows;
    bool more = tile + reach == 6 || kt_once_in(2);
    (void)kt_plane(&call->in, call->in_channels, rows, columns);
    ptrdiff_t last = (call->in_channels - 1) * call->in.channel + (end - 1 - begin) * call->in.row +
                     (columns - 1) * call->in.column;
    float *input = kt_floats((size_t)last + WKI_LANES);
    for (int i = 0; i < call->in_channels; i++)
        for (int y = begin; y < end; y++)
            for (int x = 0; x < columns; x++)
                for (int lane = 0; lane < WKI_LANES; lane++)
                    if (more || (y < call->height + reach && x < call->width + reach))
                        input[i * call->in.channel + (y - begin) * call->in.row + x * call->in.column +
                              lane] =
                            number(nans && y < call->height + reach && x < call->width + reach);
    call->input = input - begin * call->in.row;
}

static void make_case(conv *c, int channels, int in_channels, int height, int width)
{
    bool nans = kt_once_in(4);
    int tile = kt_once_in(2) ? 2 : 4, kernel = tile == 2 && kt_once_in(2) ? 5 : 3;
    *c = (conv){.weights = {.tile = tile,
                            .kernel = kernel,
                            .channels = channels,
                            .in_channels = in_channels,
                            .flip = kt_once_in(2)},
                .call = {.tile = tile,
                         .kernel = kernel,
                         .channels = channels,
                         .in_channels = in_channels,
                         .height = height,
                         .width = width,
                         .images = kt_once_in(2) ? WKI_LANES : kt_int(1, WKI_LANES),
                         .relu = kt_once_in(2)}};
    wki_winograd_call *call = &c->call;
    call->tile_end = tile_count(call);
    if (kt_once_in(2)) {
        call->tile_begin = kt_int(0, call->tile_end - 1);
        call->tile_end = kt_int(call->tile_begin, call->tile_end);
    }
    make_weights(c, nans && kt_once_in(4));
    make_input(call, nans);
    if (kt_once_in(2))
        call->bias = kt_random_floats((size_t)channels, nans && kt_once_in(4));
    if (kt_once_in(2)) {
        c->mask_floats = kt_plane(&call->mask_plane, channels, height, width);
        call->mask = kt_random_floats(c->mask_floats, kt_once_in(2));
    }
    c->output_floats = kt_plane(&call->out, channels, height, width);
}

/* ---- what is right ---- */

static double weight_at(const conv *c, int o, int i, int y, int x)
{
    const wki_winograd_weights_call *w = &c->weights;
    int t = w->kernel * y + x;
    return (double)w->weight[o * w->channel_stride + i * w->in_channel_stride +
                             (w->flip ? w->kernel * w->kernel - 1 - t : t)];
}

/* U = G g G^T at each place. */
static void check_weights(conv *c, const float *got, const char *name)
{
    const wki_winograd_weights_call *w = &c->weights;
    const winograd_matrices *m = winograd_of(w->tile, w->kernel);
    const int side = w->tile + w->kernel - 1, kernel = w->kernel, places = side * side;
    for (int o = 0; o < w->channels; o++)
        for (int i = 0; i < w->in_channels; i++)
            for (int place = 0; place < places; place++) {
                double right = 0.0, size = 0.0;
                for (int t = 0; t < kernel * kernel; t++) {
                    double factor =
                        m->kernel[place / side][t / kernel] * m->kernel[place % side][t % kernel];
                    if (factor == 0.0)
                        continue;
                    right += factor * weight_at(c, o, i, t / kernel, t % kernel);
                    size += fabs(factor * weight_at(c, o, i, t / kernel, t % kernel));
                }
                int pair = o * w->in_channels + i;
                c->sizes[pair * places + place] = size;
                float value = got[place * w->channels * w->in_channels + pair];
                if (!kt_near(value, right, WINOGRAD_ROUNDINGS * KT_EPS * size))
                    fail_msg("%s: tile %d, kernel %d, %d of %d channels, %d of %d in: place %d is %.9g, "
                             "not %.9g",
                             name, w->tile, kernel, o, w->channels, i, w->in_channels, place,
                             (double)value, right);
            }
}

/* |B^T| |d| |B| of a tile, of each input channel: [in channel][place]. */
static void input_sizes(const wki_winograd_call *call, int y, int x, int lane, double *sizes)
{
    const int side = call->tile + call->kernel - 1;
    const winograd_matrices *m = winograd_of(call->tile, call->kernel);
    for (int i = 0; i < call->in_channels; i++) {
        double window[WINOGRAD_MOST_PLACES];
        for (int t = 0; t < side * side; t++)
            window[t] = (double)call->input[i * call->in.channel + (y + t / side) * call->in.row +
                                            (x + t % side) * call->in.column + lane];
        winograd_sizes(m->input, side, side, window, sizes + i * side * side);
    }
}

/* |U| |V| of an output channel at each place: the sum of what all the intermediate sums are at most. */
static void product_sizes(const conv *c, int o, const double *inputs, double *sizes)
{
    const int side = c->call.tile + c->call.kernel - 1, places = side * side, ins = c->call.in_channels;
    const double *weights = c->sizes + (ptrdiff_t)o * ins * places;
    for (int place = 0; place < places; place++) {
        sizes[place] = 0.0;
        for (int i = 0; i < ins; i++)
            sizes[place] += weights[i * places + place] * inputs[i * places + place];
    }
}

/* How far rounding may take an output: what all the intermediate sums are at most, times the roundings that one number
 * goes through: three transforms, a product, a sum over the channels, and the bias. */
static double error_of(const conv *c, int o, int y, int x, const double *sizes)
{
    const wki_winograd_call *call = &c->call;
    const winograd_matrices *m = winograd_of(call->tile, call->kernel);
    const int tile = call->tile, side = tile + call->kernel - 1;
    double size = call->bias == NULL ? 0.0 : fabs((double)call->bias[o]);
    for (int place = 0; place < side * side; place++) {
        double factor = fabs(m->output[y % tile][place / side] * m->output[x % tile][place % side]);
        if (factor != 0.0)
            size += factor * sizes[place];
    }
    return (call->in_channels + 3 * WINOGRAD_ROUNDINGS) * KT_EPS * size;
}

static double right_value(const conv *c, int o, int y, int x, int lane)
{
    const wki_winograd_call *call = &c->call;
    const int kernel = call->kernel;
    double sum = call->bias == NULL ? 0.0 : (double)call->bias[o];
    for (int i = 0; i < call->in_channels; i++)
        for (int t = 0; t < kernel * kernel; t++)
            sum += weight_at(c, o, i, t / kernel, t % kernel) *
                   (double)call->input[i * call->in.channel + (y + t / kernel) * call->in.row +
                                       (x + t % kernel) * call->in.column + lane];
    return call->relu && sum < 0.0 ? 0.0 : sum;
}

static bool is_masked(const wki_winograd_call *call, int o, int y, int x, int lane)
{
    return call->mask != NULL && call->mask[o * call->mask_plane.channel + y * call->mask_plane.row +
                                            x * call->mask_plane.column + lane] <= 0.0f;
}

/* ---- the check ---- */

/* sizes: of the tile that (y, x) is in. */
static void check_value(const conv *c, const char *name, int o, int y, int x, int lane,
                        const double *sizes)
{
    const wki_winograd_call *call = &c->call;
    float got = call->output[o * call->out.channel + y * call->out.row + x * call->out.column + lane];
    bool masked = is_masked(call, o, y, x, lane);
    double right = masked ? 0.0 : right_value(c, o, y, x, lane);
    double error = masked ? 0.0 : error_of(c, o, y, x, sizes);
    if (lane >= call->images && got == 0.0f)
        return;
    if (call->tile + call->kernel > 5 && isnan(error) && isnan(got))
        return;
    if (!kt_near(got, right, error))
        fail_msg("%s: tile %d, kernel %d, %d of %d channels, %d in, %d x %d: [%d][%d][%d] is %.9g, not "
                 "%.9g +- "
                 "%.3g",
                 name, call->tile, call->kernel, o, call->channels, call->in_channels, call->height,
                 call->width, y, x, lane, (double)got, right, error);
}

static void check_tile(const conv *c, const char *name, int t, bool *written)
{
    const wki_winograd_call *call = &c->call;
    const int first_y = t / tiles_across(call) * call->tile,
              first_x = t % tiles_across(call) * call->tile;
    const int end_y = WKI_MIN(first_y + call->tile, call->height);
    const int end_x = WKI_MIN(first_x + call->tile, call->width);
    double sizes[WINOGRAD_MOST_PLACES];
    double *inputs = malloc((size_t)call->in_channels * WINOGRAD_MOST_PLACES * sizeof(*inputs));
    assert_non_null(inputs);
    for (int lane = 0; lane < WKI_LANES; lane++) {
        input_sizes(call, first_y, first_x, lane, inputs);
        for (int o = 0; o < call->channels; o++) {
            product_sizes(c, o, inputs, sizes);
            for (int y = first_y; y < end_y; y++)
                for (int x = first_x; x < end_x; x++) {
                    written[o * call->out.channel + y * call->out.row + x * call->out.column + lane] =
                        true;
                    check_value(c, name, o, y, x, lane, sizes);
                }
        }
    }
    free(inputs);
}

static void check_values(const conv *c, const char *name, bool *written)
{
    for (int t = c->call.tile_begin; t < c->call.tile_end; t++)
        check_tile(c, name, t, written);
}

/* What lanes that do not count hold need not be the same everywhere. */
static void forget_absent(const wki_winograd_call *call)
{
    for (int o = 0; o < call->channels; o++)
        for (int y = 0; y < call->height; y++)
            for (int x = 0; x < call->width; x++)
                for (int lane = call->images; lane < WKI_LANES && is_in_range(call, y, x); lane++)
                    call->output[o * call->out.channel + y * call->out.row + x * call->out.column +
                                 lane] = 0.0f;
}

/* The same into the mask's place. */
static void check_in_place(const conv *c, const wki_kernels *kernels)
{
    wki_winograd_call call = c->call;
    float *both = kt_floats(c->mask_floats);
    memcpy(both, call.mask, c->mask_floats * sizeof(float));
    call.output = both;
    call.mask = both;
    call.out = call.mask_plane;
    kernels->winograd(&call);
    for (int o = 0; o < call.channels; o++)
        for (int y = 0; y < call.height; y++)
            for (int x = 0; x < call.width; x++) {
                const float *got = both + o * call.out.channel + y * call.out.row + x * call.out.column;
                const float *right = c->call.output + o * c->call.out.channel + y * c->call.out.row +
                                     x * c->call.out.column;
                if (is_in_range(&call, y, x) && kt_first_difference(right, got, (size_t)call.images) > 0)
                    fail_msg("%s: other bits in the mask's place at [%d][%d][%d]", kernels->name, o, y,
                             x);
            }
}

static void run_table(conv *c, const wki_kernels *kernels, bool *written)
{
    int group = kt_group(kernels);
    transform_weights(kernels, c);
    check_weights(c, c->weights.transformed, kernels->name);
    kt_same_bits(&c->transformed[group], c->weights.transformed, c->transformed_floats, kernels->name,
                 "weights");
    c->call.weight = c->weights.transformed;
    c->call.scratch = kt_floats(
        wki_winograd_scratch(c->call.tile + c->call.kernel - 1, c->call.in_channels, c->call.channels));
    c->call.output = kt_floats(c->output_floats);
    kernels->winograd(&c->call);
    if (c->outputs[group] == NULL) /* the rest have the same bits */
        check_values(c, kernels->name, written);
    for (size_t at = 0; at < c->output_floats; at++)
        if (!written[at] && !kt_is_poison(c->call.output[at]))
            fail_msg("%s: float %zu was written", kernels->name, at);
    if (c->call.mask != NULL)
        check_in_place(c, kernels);
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

/* Every number of channels with every remainder of the sizes, the smallest included. */
static void test_every_tile(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 25; channels++)
        for (int size = 0; size < 25; size++) {
            conv c;
            make_case(&c, channels, kt_int(1, 5), 1 + size / 5, 1 + size % 5);
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

/* So many that some tiles go by at a time. */
static void test_several_slots(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        conv c;
        make_case(&c, kt_int(22, 26), kt_int(22, 26), kt_int(1, 12), kt_int(1, 12));
        run_case(&c);
    }
}

/* A range of tiles at a time, in any order, gives the bits of the whole. */
static void test_tile_ranges(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        conv c;
        make_case(&c, kt_int(1, 13), kt_int(1, 13), kt_int(1, 9), kt_int(1, 9));
        const wki_kernels *kernels = kt_table(0);
        wki_winograd_call *call = &c.call;
        call->tile_begin = 0;
        call->tile_end = tile_count(call);
        make_input(call, false);
        transform_weights(kernels, &c);
        call->weight = c.weights.transformed;
        call->scratch = kt_floats(
            wki_winograd_scratch(call->tile + call->kernel - 1, call->in_channels, call->channels));
        float *whole = call->output = kt_floats(c.output_floats);
        kernels->winograd(call);
        call->output = kt_floats(c.output_floats);
        for (int t = tile_count(call) - 1; t >= 0; t--) {
            call->tile_begin = t;
            call->tile_end = t + 1;
            kernels->winograd(call);
        }
        assert_int_equal(kt_first_difference(whole, call->output, c.output_floats), 0);
        kt_release();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_winograd),      cmocka_unit_test(test_every_tile),
        cmocka_unit_test(test_many_channels), cmocka_unit_test(test_several_slots),
        cmocka_unit_test(test_tile_ranges),
    };
    return cmocka_run_group_tests(tests, kt_seed, NULL);
}

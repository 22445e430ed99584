/* The kernels over grids (normalisation, activations, dropout, sums) and over rows, every table. What they
 * compute is checked against differences in double by the gradients' tests; here, that each table gives
 * the bits of the others of its group and nearly the numbers of the other group, that lanes which do not
 * count stay zero, and that nothing beside the buffers is read or written. */
#include "kernel_support.h"

enum { CASES = 150, MOST_RESULTS = 4 };

/* What a kernel wrote in one run. */
typedef struct results {
    float *numbers[MOST_RESULTS];
    size_t count[MOST_RESULTS];
    int used;
} results;

static float *result(results *r, size_t count)
{
    float *to = kt_floats(count);
    memset(to, 0, count * sizeof(float));
    r->numbers[r->used] = to;
    r->count[r->used++] = count;
    return to;
}

/* ---- a grid ---- */

typedef struct layout {
    wki_grid grid;
    wki_plane plane;
    int channels;
    size_t floats;
    float *input, *delta, *mean, *scale, *shift, *level, *slope;
} layout;

static float *channel_numbers(int channels, bool positive)
{
    float *numbers = kt_random_floats((size_t)channels, false);
    for (int c = 0; c < channels; c++)
        numbers[c] = positive ? 0.5f + fabsf(numbers[c]) : numbers[c];
    return numbers;
}

static layout make_layout(void)
{
    layout l = {.channels = kt_int(1, 5)};
    bool images = kt_once_in(2);
    l.grid = (wki_grid){.rows = kt_int(1, 4), .groups = kt_int(1, 5)};
    l.grid.channel_begin = kt_once_in(2) ? 0 : kt_int(0, l.channels);
    l.grid.channel_end = kt_int(l.grid.channel_begin, l.channels);
    l.grid.full = images ? kt_int(1, WKI_LANES) : WKI_LANES;
    l.grid.last = images ? l.grid.full : kt_int(1, WKI_LANES);
    l.plane.row = l.grid.groups * WKI_LANES + kt_int(0, 2) * 3;
    l.plane.channel = l.grid.rows * l.plane.row + kt_int(0, 2) * 5;
    l.floats = (size_t)((l.channels - 1) * l.plane.channel + (l.grid.rows - 1) * l.plane.row +
                        l.grid.groups * WKI_LANES);
    l.input = kt_random_floats(l.floats, false);
    l.delta = kt_random_floats(l.floats, false);
    l.mean = channel_numbers(l.channels, false);
    l.scale = channel_numbers(l.channels, true);
    l.shift = channel_numbers(l.channels, false);
    l.level = channel_numbers(l.channels, false);
    l.slope = channel_numbers(l.channels, false);
    return l;
}

/* How many of a group's lanes count. */
static int lanes_that_count(const layout *l, int group)
{
    return group == l->grid.groups - 1 ? l->grid.last : l->grid.full;
}

static void check_absent_lanes(const layout *l, const float *numbers, const char *what)
{
    for (int c = l->grid.channel_begin; c < l->grid.channel_end; c++)
        for (int y = 0; y < l->grid.rows; y++)
            for (int g = 0; g < l->grid.groups; g++)
                for (int i = lanes_that_count(l, g); i < WKI_LANES; i++)
                    if (numbers[c * l->plane.channel + y * l->plane.row + g * WKI_LANES + i] != 0.0f)
                        fail_msg("%s: a lane that does not count is not zero", what);
}

/* ---- the kernels ---- */

static void run_channels(const wki_kernels *k, const layout *l, int choice, results *r)
{
    wki_channel_call call = {.grid = l->grid,
                             .input = l->input,
                             .delta = l->delta,
                             .in = l->plane,
                             .out = l->plane,
                             .delta_plane = l->plane,
                             .gradient_plane = l->plane,
                             .count = 7,
                             .mean = l->mean,
                             .scale = l->scale,
                             .shift = l->shift,
                             .level = l->level,
                             .slope = l->slope,
                             .relu = (choice & 1) != 0,
                             .mask = choice & 2};
    call.output = result(r, l->floats);
    call.input_gradient = result(r, l->floats);
    call.sums = result(r, 2 * (size_t)l->channels);
    k->channel_moments(&call);
    k->channel_affine(&call);
    k->channel_affine_backward(&call);
    call.sums = result(r, 2 * (size_t)l->channels);
    k->channel_gradient_sums(&call);
    check_absent_lanes(l, call.output, "channel_affine");
    check_absent_lanes(l, call.input_gradient, "channel_affine_backward");
}

static void run_groups(const wki_kernels *k, const layout *l, int choice, results *r)
{
    layout all = *l;
    all.grid.channel_begin = 0;
    all.grid.channel_end = l->channels;
    /* With a weight for each number there is one group. */
    const bool columns = choice & 8, each = choice & 16;
    const size_t numbers =
        (size_t)(columns ? (l->grid.groups - 1) * WKI_LANES + l->grid.last : l->grid.groups) *
        (size_t)l->grid.rows;
    const size_t parameters = (size_t)l->channels * (each ? numbers : 1);
    float *weight = each ? kt_floats(parameters) : l->scale;
    float *bias = each ? kt_floats(parameters) : l->shift;
    for (size_t i = 0; each && i < parameters; i++) {
        weight[i] = l->delta[i % l->floats];
        bias[i] = l->input[i % l->floats];
    }
    wki_group_norm_call call = {.grid = l->grid,
                                .input = l->input,
                                .delta = l->delta,
                                .in = l->plane,
                                .out = l->plane,
                                .delta_plane = l->plane,
                                .gradient_plane = l->plane,
                                .weight = choice & 4 ? weight : NULL,
                                .bias = choice & 4 ? bias : NULL,
                                .group_end = each ? 1 : l->channels,
                                .channels = each ? l->channels : 1,
                                .count = l->grid.rows * l->grid.groups * (each ? l->channels : 1),
                                .eps = 1e-3f,
                                .one_image = columns,
                                .each_number = each,
                                .accumulate = choice & 32,
                                .relu = (choice & 1) != 0,
                                .mask = choice & 2};
    call.statistics = kt_floats((size_t)l->channels * 2 * WKI_LANES);
    call.output = result(r, l->floats);
    call.input_gradient = result(r, l->floats);
    call.weight_gradient = result(r, parameters);
    call.bias_gradient = result(r, parameters);
    k->group_norm(&call);
    k->group_norm_backward(&call);
    check_absent_lanes(&all, call.output, "group_norm");
    check_absent_lanes(&all, call.input_gradient, "group_norm_backward");
}

static void run_activation(const wki_kernels *k, const layout *l, int choice, results *r)
{
    wki_activation_call call = {.grid = l->grid,
                                .kind = (wki_activation_kind)(choice % (WKI_ACT_TANH + 1)),
                                .slope = 0.1f,
                                .input = l->input,
                                .delta = l->delta,
                                .in = l->plane,
                                .out = l->plane,
                                .delta_plane = l->plane,
                                .gradient_plane = l->plane,
                                .mask = choice & 2};
    call.output = result(r, l->floats);
    call.input_gradient = result(r, l->floats);
    k->activation(&call);
    k->activation_backward(&call);
    check_absent_lanes(l, call.output, "activation");
    check_absent_lanes(l, call.input_gradient, "activation_backward");
}

static void run_dropout(const wki_kernels *k, const layout *l, int choice, results *r)
{
    wki_dropout_call call = {.grid = l->grid,
                             .input = l->input,
                             .in = l->plane,
                             .out = l->plane,
                             .mask = choice & 2 ? l->delta : NULL,
                             .mask_plane = l->plane,
                             .seed = (uint64_t)choice * UINT64_C(0x123456789abcdef1),
                             .first = (uint32_t)choice,
                             .lane_step = 1,
                             .group_step = WKI_LANES,
                             .row_step = 1000,
                             .channel_step = 100000,
                             .threshold = 0x60000000,
                             .scale = 1.6f};
    call.output = result(r, l->floats);
    k->dropout(&call);
    check_absent_lanes(l, call.output, "dropout");
}

static void run_sum(const wki_kernels *k, const layout *l, int choice, results *r)
{
    wki_grid_sum_call call = {.grid = l->grid,
                              .a = l->input,
                              .a_plane = l->plane,
                              .b = choice & 4 ? l->delta : NULL,
                              .b_plane = l->plane,
                              .mask = choice & 2 ? l->input : NULL,
                              .mask_plane = l->plane,
                              .out = l->plane,
                              .relu = choice & 1};
    call.output = result(r, l->floats);
    k->grid_sum(&call);
}

static void run_rows(const wki_kernels *k, const layout *l, int choice, results *r)
{
    int features = 1 + choice % 37, rows = (int)WKI_MIN((int)l->floats / features, 5);
    size_t count = (size_t)(rows * features);
    if (rows == 0)
        return;
    float *weight = kt_floats((size_t)features);
    for (int f = 0; f < features; f++)
        weight[f] = 1.0f + 0.01f * (float)f;
    /* Flush against the guard page. */
    float *input = kt_floats(count), *delta = kt_floats(count);
    memcpy(input, l->input, count * sizeof(float));
    memcpy(delta, l->delta, count * sizeof(float));
    if (choice & 16) {
        wki_softmax_call call = {.input = input,
                                 .delta = delta,
                                 .rows = rows,
                                 .classes = features,
                                 .log = choice & 1,
                                 .mask = choice & 2};
        call.output = result(r, count);
        call.input_gradient = result(r, count);
        k->softmax(&call);
        k->softmax_backward(&call);
        return;
    }
    wki_layer_norm_call call = {.input = input,
                                .delta = delta,
                                .weight = choice & 4 ? weight : NULL,
                                .bias = choice & 4 ? weight : NULL,
                                .statistics = kt_floats(2 * (size_t)rows),
                                .rows = rows,
                                .features = features,
                                .eps = 1e-3f,
                                .relu = (choice & 1) != 0,
                                .mask = choice & 2};
    call.output = result(r, count);
    call.input_gradient = result(r, count);
    call.weight_gradient = result(r, (size_t)features);
    call.bias_gradient = result(r, (size_t)features);
    k->layer_norm(&call);
    k->layer_norm_backward(&call);
}

static void run_avg_pool(const wki_kernels *k, const layout *l, int choice, results *r)
{
    static const int32_t rows[] = {0, 1, 0, 2, 1, 2}, columns[] = {0, 2, 1, 2};
    static const float scale[] = {0.5f, 1.0f, 0.25f, 0.5f, 0.5f, 1.0f};
    bool one = choice & 8;
    int lanes = one ? 1 : WKI_LANES;
    const wki_plane in = {4 * lanes, 2 * lanes, lanes}, out = {6 * lanes, 2 * lanes, lanes};
    float *input = kt_random_floats((size_t)(4 * lanes), false);
    float *delta = kt_random_floats((size_t)(6 * lanes), false);
    for (int i = 0; i < 4 * lanes; i++)
        input[i] = l->input[i % (int)l->floats];
    for (int i = 0; i < 6 * lanes; i++)
        delta[i] = l->delta[i % (int)l->floats];
    wki_avg_pool2d_call call = {.input = input,
                                .delta = delta,
                                .in = in,
                                .gradient_plane = in,
                                .out = out,
                                .delta_plane = out,
                                .rows = rows,
                                .columns = columns,
                                .scale = scale,
                                .channel_end = 1,
                                .in_h = 2,
                                .in_w = 2,
                                .out_h = 3,
                                .out_w = 2,
                                .one_image = one,
                                .relu = (choice & 1) != 0,
                                .mask = choice & 2};
    call.output = result(r, (size_t)(6 * lanes));
    call.input_gradient = result(r, (size_t)(4 * lanes));
    k->avg_pool2d(&call);
    k->avg_pool2d_backward(&call);
}

typedef void run_kernel(const wki_kernels *k, const layout *l, int choice, results *r);

static void compare(const results *a, const results *b, const wki_kernels *k, bool same_bits)
{
    for (int i = 0; i < a->used; i++) {
        double largest = 0.0;
        for (size_t n = 0; n < a->count[i]; n++)
            largest = fmax(largest, fabs((double)a->numbers[i][n]));
        size_t different = kt_first_difference(a->numbers[i], b->numbers[i], a->count[i]);
        if (same_bits && different > 0)
            fail_msg("%s: result %d: number %zu has other bits: %.9g, not %.9g", k->name, i,
                     different - 1, (double)b->numbers[i][different - 1],
                     (double)a->numbers[i][different - 1]);
        for (size_t n = 0; n < a->count[i]; n++)
            if (!(fabs((double)a->numbers[i][n] - (double)b->numbers[i][n]) <= 2e-5 * largest + 1e-5))
                fail_msg("%s: result %d: number %zu is %.9g, not %.9g", k->name, i, n,
                         (double)b->numbers[i][n], (double)a->numbers[i][n]);
    }
}

static void check_tables(run_kernel *run)
{
    for (int i = 0; i < CASES; i++) {
        layout l = make_layout();
        int choice = kt_int(0, 1000);
        results first[KT_GROUPS] = {{{NULL}}};
        for (int t = 0; kt_table(t) != NULL; t++) {
            const wki_kernels *k = kt_table(t);
            results r = {{NULL}};
            run(k, &l, choice, &r);
            if (first[kt_group(k)].used == 0)
                first[kt_group(k)] = r;
            compare(&first[kt_group(k)], &r, k, true);
            compare(&first[kt_group(kt_table(0))], &r, k, false);
        }
        kt_release();
    }
}

static void test_channels(void **state)
{
    (void)state;
    check_tables(run_channels);
}

static void test_groups(void **state)
{
    (void)state;
    check_tables(run_groups);
}

static void test_activation(void **state)
{
    (void)state;
    check_tables(run_activation);
}

static void test_dropout(void **state)
{
    (void)state;
    check_tables(run_dropout);
}

static void test_sum(void **state)
{
    (void)state;
    check_tables(run_sum);
}

static void test_rows(void **state)
{
    (void)state;
    check_tables(run_rows);
}

static void test_avg_pool(void **state)
{
    (void)state;
    check_tables(run_avg_pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels),   cmocka_unit_test(test_groups),
        cmocka_unit_test(test_activation), cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_sum),        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_avg_pool),
    };
    return cmocka_run_group_tests(tests, kt_seed, NULL);
}

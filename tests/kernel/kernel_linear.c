/* The fully connected layer and its two gradients against sums in double, every table. */
#include "kernel_support.h"

enum { CASES = 600 };

typedef struct lin {
    wki_linear_call call;
    size_t input_floats, output_floats, weight_floats;
    const float *before, *bias_before;
    float *firsts[4][KT_GROUPS];
} lin;

static size_t rows_floats(int rows, ptrdiff_t pitch, int features)
{
    return rows == 0 ? 0 : (size_t)((rows - 1) * pitch + features);
}

/* Up to three blocks of lanes and, now and then, so many that the longest loop goes round more than once. */
static int draw_features(void)
{
    const int blocks = kt_once_in(6) ? 13 : 3;
    return kt_once_in(4) ? WKI_LANES * kt_int(1, blocks) : kt_int(1, WKI_LANES * blocks + 2);
}

static void make_case(lin *l)
{
    wki_linear_call *call = &l->call;
    bool odd = kt_once_in(5);
    *l = (lin){.call = {.rows = kt_once_in(10) ? kt_int(17, 40) : kt_int(0, 16),
                        .in_features = draw_features(),
                        .out_features = kt_int(1, 13),
                        .relu = kt_once_in(2),
                        .accumulate = kt_once_in(2)}};
    call->in_pitch = call->in_features + (kt_once_in(2) ? 0 : kt_int(1, 9));
    call->out_pitch = call->out_features + (kt_once_in(2) ? 0 : kt_int(1, 9));
    l->input_floats = rows_floats(call->rows, call->in_pitch, call->in_features);
    l->output_floats = rows_floats(call->rows, call->out_pitch, call->out_features);
    l->weight_floats = (size_t)(call->in_features * call->out_features);
    call->input = kt_random_floats(l->input_floats, odd);
    call->delta = kt_random_floats(l->output_floats, odd && kt_once_in(2));
    call->weight = kt_random_floats(l->weight_floats, odd && kt_once_in(2));
    if (kt_once_in(2))
        call->bias = kt_random_floats((size_t)call->out_features, odd);
    if (kt_once_in(2))
        call->mask = kt_random_floats(l->input_floats, kt_once_in(2));
    l->before = kt_random_floats(l->weight_floats, false);
    if (kt_once_in(2))
        l->bias_before = kt_random_floats((size_t)call->out_features, false);
}

static void check(float got, double right, double error, const lin *l, const char *name,
                  const char *what, int a, int b)
{
    if (!kt_near(got, right, error))
        fail_msg("%s: %s: %d rows, %d to %d: [%d][%d] is %.9g, not %.9g", name, what, l->call.rows,
                 l->call.in_features, l->call.out_features, a, b, (double)got, right);
}

/* What lies between the rows stays as it was. */
static void check_gaps(const float *rows, int count, ptrdiff_t pitch, int features, const char *name)
{
    for (int r = 0; r + 1 < count; r++)
        for (ptrdiff_t i = features; i < pitch; i++)
            if (!kt_is_poison(rows[r * pitch + i]))
                fail_msg("%s: behind row %d was written", name, r);
}

static void check_output(const lin *l, const char *name)
{
    const wki_linear_call *call = &l->call;
    for (int r = 0; r < call->rows; r++)
        for (int o = 0; o < call->out_features; o++) {
            double sum = call->bias == NULL ? 0.0 : (double)call->bias[o], size = fabs(sum);
            for (int i = 0; i < call->in_features; i++) {
                double product = (double)call->input[r * call->in_pitch + i] *
                                 (double)call->weight[o * call->in_features + i];
                sum += product;
                size += fabs(product);
            }
            check(call->output[r * call->out_pitch + o], call->relu && sum < 0.0 ? 0.0 : sum,
                  (call->in_features + 2) * KT_EPS * size, l, name, "output", r, o);
        }
    check_gaps(call->output, call->rows, call->out_pitch, call->out_features, name);
}

static void check_input(const lin *l, const char *name)
{
    const wki_linear_call *call = &l->call;
    for (int r = 0; r < call->rows; r++)
        for (int i = 0; i < call->in_features; i++) {
            double sum = 0.0, size = 0.0;
            ptrdiff_t at = r * call->in_pitch + i;
            for (int o = 0; o < call->out_features; o++) {
                double product = (double)call->delta[r * call->out_pitch + o] *
                                 (double)call->weight[o * call->in_features + i];
                sum += product;
                size += fabs(product);
            }
            bool masked = call->mask != NULL && call->mask[at] <= 0.0f;
            check(call->input_gradient[at], masked ? 0.0 : sum,
                  masked ? 0.0 : (call->out_features + 1) * KT_EPS * size, l, name, "input gradient", r,
                  i);
        }
    check_gaps(call->input_gradient, call->rows, call->in_pitch, call->in_features, name);
}

/* i is in_features for the bias. */
static void check_weight(const lin *l, const char *name, int o, int i)
{
    const wki_linear_call *call = &l->call;
    bool is_bias = i == call->in_features;
    float got = is_bias ? call->bias_gradient[o] : call->weight_gradient[o * call->in_features + i];
    double sum = 0.0, size = 0.0, before = 0.0;
    if (call->accumulate)
        before = (double)(is_bias ? l->bias_before[o] : l->before[o * call->in_features + i]);
    for (int r = 0; r < call->rows; r++) {
        double product = (double)call->delta[r * call->out_pitch + o];
        if (!is_bias)
            product *= (double)call->input[r * call->in_pitch + i];
        sum += product;
        size += fabs(product);
    }
    check(got, before + sum, (call->rows + 1) * KT_EPS * size + KT_EPS * (size + fabs(before)), l, name,
          "weight gradient", o, i);
}

static float *output_like(const float *before, size_t count, bool accumulate)
{
    float *out = kt_floats(count);
    if (accumulate)
        memcpy(out, before, count * sizeof(float));
    return out;
}

static void run_case(lin *l, const wki_kernels *kernels)
{
    wki_linear_call *call = &l->call;
    int group = kt_group(kernels);
    call->output = kt_floats(l->output_floats);
    kernels->linear(call);
    check_output(l, kernels->name);
    kt_same_bits(&l->firsts[0][group], call->output, l->output_floats, kernels->name, "output");

    call->input_gradient = kt_floats(l->input_floats);
    kernels->linear_input(call);
    check_input(l, kernels->name);
    kt_same_bits(&l->firsts[1][group], call->input_gradient, l->input_floats, kernels->name,
                 "input gradient");

    call->weight_gradient = output_like(l->before, l->weight_floats, call->accumulate);
    call->bias_gradient =
        l->bias_before == NULL
            ? NULL
            : output_like(l->bias_before, (size_t)call->out_features, call->accumulate);
    kernels->linear_weight(call);
    for (int o = 0; o < call->out_features; o++)
        for (int i = 0; i < call->in_features + (call->bias_gradient != NULL); i++)
            check_weight(l, kernels->name, o, i);
    kt_same_bits(&l->firsts[2][group], call->weight_gradient, l->weight_floats, kernels->name,
                 "weight gradient");
    if (call->bias_gradient != NULL)
        kt_same_bits(&l->firsts[3][group], call->bias_gradient, (size_t)call->out_features,
                     kernels->name, "bias gradient");
}

static void test_linear(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int i = 0; i < CASES; i++) {
        lin l;
        make_case(&l);
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++)
            run_case(&l, kernels);
        kt_release();
    }
}

/* A row's result does not depend on the rows beside it. */
static void test_rows_one_by_one(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int n = 0; n < 40; n++) {
        lin l;
        make_case(&l);
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
            l.call.output = kt_floats(l.output_floats);
            kernels->linear(&l.call);
            float *one = kt_floats((size_t)l.call.out_features);
            for (int r = 0; r < l.call.rows; r++) {
                wki_linear_call call = l.call;
                call.input += r * call.in_pitch;
                call.output = one;
                call.rows = 1;
                kernels->linear(&call);
                if (kt_first_difference(one, l.call.output + r * call.out_pitch,
                                        (size_t)call.out_features) > 0)
                    fail_msg("%s: row %d of %d has other bits alone", kernels->name, r, l.call.rows);
            }
        }
        kt_release();
    }
}

/* A layer whose rows are pixels, which are there as numbers too. */
static void make_pixels(lin *l, const uint8_t **pixels)
{
    enum { MOST_ROWS = 40, MOST_FEATURES = 256 };
    static uint8_t bytes[MOST_ROWS][MOST_FEATURES];
    do {
        kt_release();
        make_case(l);
    } while (l->call.in_features <= WKI_LANES);
    for (int r = 0; r < l->call.rows; r++) {
        pixels[r] = bytes[r];
        for (int i = 0; i < l->call.in_features; i++) {
            bytes[r][i] = (uint8_t)kt_int(0, UINT8_MAX);
            l->call.input[r * l->call.in_pitch + i] = (float)bytes[r][i] / 255.0f;
        }
    }
}

static void assert_same_rows(const float *right, const float *got, int rows, ptrdiff_t pitch, int count,
                             const char *name, const char *what)
{
    for (int r = 0; r < rows; r++)
        if (kt_first_difference(right + r * pitch, got + r * pitch, (size_t)count) > 0)
            fail_msg("%s: %s: row %d of %d has other bits", name, what, r, rows);
    check_gaps(got, rows, pitch, count, name);
}

/* The output and the weights' gradient of what the call says. */
static void run_pixels(wki_linear_call *call, const lin *l, const wki_kernels *kernels)
{
    call->output = kt_floats(l->output_floats);
    kernels->linear(call);
    call->weight_gradient = output_like(l->before, l->weight_floats, call->accumulate);
    call->bias_gradient = NULL;
    kernels->linear_weight(call);
}

/* Rows of pixels give what the same rows give as numbers; these are left in input, or input is left alone. */
static void check_pixels(const lin *l, const wki_kernels *kernels, const uint8_t *const *pixels)
{
    wki_linear_call numbers = l->call, call = l->call;
    if (kernels->reads_pixels && call.in_features % WKI_LANES != 0)
        return;
    run_pixels(&numbers, l, kernels);
    call.pixels = pixels;
    call.ahead = kt_once_in(2) ? pixels : NULL;
    call.input = kernels->reads_pixels ? NULL : kt_floats(l->input_floats);
    run_pixels(&call, l, kernels);
    if (call.input != NULL)
        assert_same_rows(numbers.input, call.input, call.rows, call.in_pitch, call.in_features,
                         kernels->name, "input");
    assert_same_rows(numbers.output, call.output, call.rows, call.out_pitch, call.out_features,
                     kernels->name, "output of pixels");
    assert_same_rows(numbers.weight_gradient, call.weight_gradient, 1, 0, (int)l->weight_floats,
                     kernels->name, "weight gradient of pixels");
}

/* linear_weight of each part, sum_parts and sgd, one after the other; then the features in two calls of linear_update. */
static void check_update(const lin *l, const wki_kernels *kernels, const uint8_t *const *pixels)
{
    enum { MOST = 5 };
    wki_linear_call parts[MOST];
    const int count = kt_int(1, MOST), features = l->call.in_features;
    const size_t floats = l->weight_floats;
    const float lr = 0.3f;
    float *gradients = kt_floats(MOST * floats), *sum = kt_floats(floats), *weight = kt_floats(floats);
    float *updated = kt_floats(floats), *updated_by = kt_floats(floats);
    if (!kernels->reads_pixels || features % WKI_LANES != 0)
        return;
    for (int p = 0; p < count; p++) {
        const int begin = l->call.rows * p / count, end = l->call.rows * (p + 1) / count;
        parts[p] = l->call;
        parts[p].accumulate = false;
        parts[p].bias_gradient = NULL;
        parts[p].pixels = pixels + begin;
        parts[p].delta += begin * l->call.out_pitch;
        parts[p].rows = end - begin;
        parts[p].weight_gradient = gradients + (size_t)p * floats;
        kernels->linear_weight(&parts[p]);
        parts[p].weight_gradient = parts[p].input = NULL;
    }
    kernels->sum_parts(sum, gradients, count, floats, floats);
    memcpy(weight, l->call.weight, floats * sizeof(float));
    memcpy(updated, weight, floats * sizeof(float));
    kernels->sgd(weight, sum, floats, lr);
    wki_linear_update_call call = {.parts = parts,
                                   .part_count = count,
                                   .weight = updated,
                                   .gradient = updated_by,
                                   .end = kt_int(0, features / WKI_LANES) * WKI_LANES,
                                   .lr = lr};
    kernels->linear_update(&call);
    call.begin = call.end;
    call.end = features;
    kernels->linear_update(&call);
    assert_same_rows(sum, updated_by, 1, 0, (int)floats, kernels->name, "gradient of all parts");
    assert_same_rows(weight, updated, 1, 0, (int)floats, kernels->name, "updated weights");
}

typedef void pixel_check(const lin *l, const wki_kernels *kernels, const uint8_t *const *pixels);

static void check_layers_of_pixels(pixel_check *check_one)
{
    const uint8_t *pixels[40];
    const wki_kernels *kernels;
    for (int n = 0; n < CASES; n++) {
        lin l;
        make_pixels(&l, pixels);
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++)
            check_one(&l, kernels, pixels);
        kt_release();
    }
}

static void test_rows_of_pixels(void **state)
{
    (void)state;
    check_layers_of_pixels(check_pixels);
}

static void test_updates(void **state)
{
    (void)state;
    check_layers_of_pixels(check_update);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_rows_one_by_one),
        cmocka_unit_test(test_rows_of_pixels),
        cmocka_unit_test(test_updates),
    };
    return cmocka_run_group_tests(tests, kt_seed, NULL);
}

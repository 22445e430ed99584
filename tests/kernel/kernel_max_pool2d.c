/* Max pooling, forward and backward, against PyTorch's loops written out, every table. Nothing is
 * rounded in a maximum, and gradients are added in the windows' order, so all of it is equal and not
 * only near. */
#include "kernel_support.h"

enum { CASES = 1000 };

typedef struct pool {
    wki_max_pool2d_call call;
    int lanes; /* WKI_LANES, or 1: neighbouring columns */
    int channels;
    size_t output_floats, gradient_floats;
} pool;

static size_t make_plane(const pool *p, wki_plane *plane, int rows, int columns, bool dense)
{
    plane->column = p->lanes + (!dense && p->lanes > 1 && kt_once_in(3) ? kt_int(1, 9) : 0);
    plane->row = columns * plane->column + kt_int(0, 2) * 7;
    plane->channel = rows * plane->row + kt_int(0, 2) * 5;
    return (size_t)((p->channels - 1) * plane->channel + (rows - 1) * plane->row +
                    (columns - 1) * plane->column + p->lanes);
}

/* One direction's sizes, as torch.nn.MaxPool2d allows them; false if no window fits. */
static bool make_direction(int most, int *in, int *out, int *kernel, int *stride, int *padding,
                           int *dilation)
{
    bool plain = kt_once_in(4);
    *in = kt_int(1, most);
    *kernel = plain ? 2 : kt_int(1, 4);
    *stride = plain ? 2 : kt_int(1, 4);
    *padding = plain ? 0 : kt_int(0, *kernel / 2);
    *dilation = plain ? 1 : kt_int(1, 3);
    bool ceil_mode = kt_once_in(3);
    int room = *in + 2 * *padding - *dilation * (*kernel - 1) - 1 + (ceil_mode ? *stride - 1 : 0);
    if (room < 0)
        return false;
    *out = room / *stride + 1;
    if (ceil_mode && (*out - 1) * *stride >= *in + *padding)
        --*out;
    return true;
}

/* Few different numbers, so that there are equals; and what PyTorch has rules for. */
static float pool_float(void)
{
    static const float some[] = {NAN, -INFINITY, INFINITY, -0.0f, 0.0f, -1.0f};
    return kt_once_in(6) ? some[kt_random() % 6] : (float)kt_int(-3, 3);
}

static void make_case(pool *p, int lanes)
{
    wki_max_pool2d_call *call = &p->call;
    *p = (pool){.channels = kt_int(1, 5), .lanes = lanes};
    while (!make_direction(11, &call->in_h, &call->out_h, &call->kernel_h, &call->stride_h,
                           &call->padding_h, &call->dilation_h))
        continue;
    while (!make_direction(lanes == 1 ? 45 : 11, &call->in_w, &call->out_w, &call->kernel_w,
                           &call->stride_w, &call->padding_w, &call->dilation_w))
        continue;
    call->channel_begin = kt_once_in(2) ? 0 : kt_int(0, p->channels);
    call->channel_end = kt_int(call->channel_begin, p->channels);
    call->relu = kt_once_in(2);
    call->mask = kt_once_in(2);
    size_t floats = make_plane(p, &call->in, call->in_h, call->in_w, false);
    float *input = kt_floats(floats);
    bool noise = kt_once_in(3);
    for (size_t i = 0; i < floats; i++)
        input[i] = noise ? kt_float() : pool_float();
    call->input = input;
    p->output_floats = make_plane(p, &call->out, call->out_h, call->out_w, false);
    call->delta =
        kt_random_floats(make_plane(p, &call->delta_plane, call->out_h, call->out_w, false), false);
    p->gradient_floats = make_plane(p, &call->gradient_plane, call->in_h, call->in_w, true);
}

/* max_pool2d_update_output's loops: where the largest is, as a place in the input; -1 if the window has
 * none. */
static ptrdiff_t largest(const wki_max_pool2d_call *call, int channel, int y, int x, int lane,
                         float *value)
{
    ptrdiff_t place = -1;
    float most = -INFINITY;
    for (int i = 0; i < call->kernel_h; i++)
        for (int j = 0; j < call->kernel_w; j++) {
            int row = y * call->stride_h - call->padding_h + i * call->dilation_h;
            int column = x * call->stride_w - call->padding_w + j * call->dilation_w;
            if (row < 0 || row >= call->in_h || column < 0 || column >= call->in_w)
                continue;
            float v = call->input[channel * call->in.channel + row * call->in.row +
                                  column * call->in.column + lane];
            if (place < 0)
                place = row * call->in_w + column;
            if (v > most || isnan(v)) {
                most = v;
                place = row * call->in_w + column;
            }
        }
    *value = most;
    return place;
}

static bool equal(float a, float b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void check_forward(const pool *p, const char *name)
{
    const wki_max_pool2d_call *call = &p->call;
    bool *written = calloc(p->output_floats, sizeof(bool));
    assert_non_null(written);
    for (int c = call->channel_begin; c < call->channel_end; c++)
        for (int y = 0; y < call->out_h; y++)
            for (int x = 0; x < call->out_w; x++)
                for (int lane = 0; lane < p->lanes; lane++) {
                    float right;
                    largest(call, c, y, x, lane, &right);
                    if (call->relu && right < 0.0f)
                        right = 0.0f;
                    ptrdiff_t at =
                        c * call->out.channel + y * call->out.row + x * call->out.column + lane;
                    written[at] = true;
                    if (kt_is_poison(call->output[at]) || !equal(call->output[at], right))
                        fail_msg("%s: [%d][%d][%d][%d] is %g, not %g", name, c, y, x, lane,
                                 (double)call->output[at], (double)right);
                }
    for (size_t i = 0; i < p->output_floats; i++)
        if (!written[i] && !kt_is_poison(call->output[i]))
            fail_msg("%s: float %zu was written", name, i);
    free(written);
}

/* The right gradient, where the call writes it; poison elsewhere. */
static float *right_gradient(const pool *p)
{
    const wki_max_pool2d_call *call = &p->call;
    const wki_plane g = call->gradient_plane;
    float *right = kt_floats(p->gradient_floats);
    for (int c = call->channel_begin; c < call->channel_end; c++) {
        for (int i = 0; i < call->in_h * call->in_w; i++)
            memset(&right[c * g.channel + i / call->in_w * g.row + i % call->in_w * g.column], 0,
                   (size_t)p->lanes * sizeof(float));
        for (int y = 0; y < call->out_h; y++)
            for (int x = 0; x < call->out_w; x++)
                for (int lane = 0; lane < p->lanes; lane++) {
                    float most;
                    ptrdiff_t place = largest(call, c, y, x, lane, &most);
                    if (place < 0 || (call->mask && most <= 0.0f))
                        continue;
                    right[c * g.channel + place / call->in_w * g.row + place % call->in_w * g.column +
                          lane] +=
                        call->delta[c * call->delta_plane.channel + y * call->delta_plane.row +
                                    x * call->delta_plane.column + lane];
                }
    }
    return right;
}

static void check_backward(const pool *p, const float *right, const char *name)
{
    for (size_t i = 0; i < p->gradient_floats; i++) {
        float got = p->call.input_gradient[i];
        if (kt_is_poison(right[i]) != kt_is_poison(got) || (!kt_is_poison(got) && got != right[i]))
            fail_msg("%s: kernel %d x %d, stride %d x %d: gradient %zu is %g, not %g", name,
                     p->call.kernel_h, p->call.kernel_w, p->call.stride_h, p->call.stride_w, i,
                     (double)got, (double)right[i]);
    }
}

static void run_case(pool *p, const wki_kernels *kernels, const float *right)
{
    p->call.output = kt_floats(p->output_floats);
    (p->lanes == 1 ? kernels->max_pool2d_columns : kernels->max_pool2d)(&p->call);
    check_forward(p, kernels->name);
    p->call.input_gradient = kt_floats(p->gradient_floats);
    (p->lanes == 1 ? kernels->max_pool2d_columns_backward : kernels->max_pool2d_backward)(&p->call);
    check_backward(p, right, kernels->name);
}

static void test_max_pool2d(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int i = 0; i < CASES; i++) {
        pool p;
        make_case(&p, i % 2 == 0 ? 1 : WKI_LANES);
        const float *right = right_gradient(&p);
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++)
            run_case(&p, kernels, right);
        kt_release();
    }
}

/* Windows of 2x2 side by side give their gradient in the input's place too. */
static void test_in_place(void **state)
{
    (void)state;
    enum { SIDE = 6, CHANNELS = 2, FLOATS = CHANNELS * SIDE * SIDE * WKI_LANES };
    const wki_kernels *kernels;
    for (int i = 0; i < CASES / 10; i++) {
        float *input = kt_floats(FLOATS);
        for (int at = 0; at < FLOATS; at++)
            input[at] = pool_float();
        wki_max_pool2d_call call = {
            .input = input,
            .delta = kt_random_floats(FLOATS / 4, false),
            .in = {SIDE * SIDE * WKI_LANES, SIDE * WKI_LANES, WKI_LANES},
            .delta_plane = {SIDE * SIDE * WKI_LANES / 4, SIDE / 2 * WKI_LANES, WKI_LANES},
            .channel_end = CHANNELS,
            .in_h = SIDE,
            .in_w = SIDE,
            .out_h = SIDE / 2,
            .out_w = SIDE / 2,
            .kernel_h = 2,
            .kernel_w = 2,
            .stride_h = 2,
            .stride_w = 2,
            .dilation_h = 1,
            .dilation_w = 1,
            .mask = kt_once_in(2)};
        call.gradient_plane = call.in;
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
            float *apart = call.input_gradient = kt_floats(FLOATS);
            kernels->max_pool2d_backward(&call);
            wki_max_pool2d_call in_place = call;
            in_place.input = in_place.input_gradient = kt_floats(FLOATS);
            memcpy(in_place.input_gradient, input, FLOATS * sizeof(float));
            kernels->max_pool2d_backward(&in_place);
            if (kt_first_difference(apart, in_place.input_gradient, FLOATS) > 0)
                fail_msg("%s: other bits in the input's place", kernels->name);
        }
        kt_release();
    }
}

/* One 2x2 window of one image, row-major. */
static void check_columns(const wki_kernels *kernels, const float window[4], int width, int place)
{
    float input[6] = {0}, gradient[6], delta[1] = {3.0f}, output[1];
    for (int i = 0; i < 4; i++)
        input[i / 2 * width + i % 2] = window[i];
    const wki_plane plane = {2 * width, width, 1}, one = {0, 0, 1};
    const wki_max_pool2d_call call = {.input = input,
                                      .output = output,
                                      .delta = delta,
                                      .input_gradient = gradient,
                                      .in = plane,
                                      .out = one,
                                      .delta_plane = one,
                                      .gradient_plane = plane,
                                      .channel_end = 1,
                                      .in_h = 2,
                                      .in_w = width,
                                      .out_h = 1,
                                      .out_w = 1,
                                      .kernel_h = 2,
                                      .kernel_w = 2,
                                      .stride_h = 2,
                                      .stride_w = 2,
                                      .dilation_h = 1,
                                      .dilation_w = 1};
    kernels->max_pool2d_columns(&call);
    kernels->max_pool2d_columns_backward(&call);
    for (int i = 0; i < 2 * width; i++)
        assert_true(gradient[i] == (i == place / 2 * width + place % 2 ? 3.0f : 0.0f));
    assert_int_equal(kt_bits(output[0]), kt_bits(window[place]));
}

/* One 2x2 window of one lane, and where its gradient goes: by the fast way and, in a row of three, the
 * general one. */
static void check_window(const wki_kernels *kernels, const float window[4], int place)
{
    for (int width = 2; width <= 3; width++) {
        float input[2 * 3 * WKI_LANES], gradient[2 * 3 * WKI_LANES], delta[WKI_LANES], output[WKI_LANES];
        for (int i = 0; i < 2 * width * WKI_LANES; i++) {
            int column = i / WKI_LANES % width, row = i / WKI_LANES / width;
            input[i] = column < 2 ? window[row * 2 + column] : 9.0f;
        }
        for (int lane = 0; lane < WKI_LANES; lane++)
            delta[lane] = 1.0f + (float)lane;
        const wki_plane plane = {2 * width * WKI_LANES, width * WKI_LANES, WKI_LANES},
                        one = {0, 0, WKI_LANES};
        const wki_max_pool2d_call call = {.input = input,
                                          .output = output,
                                          .delta = delta,
                                          .input_gradient = gradient,
                                          .in = plane,
                                          .out = one,
                                          .delta_plane = one,
                                          .gradient_plane = plane,
                                          .channel_end = 1,
                                          .in_h = 2,
                                          .in_w = width,
                                          .out_h = 1,
                                          .out_w = 1,
                                          .kernel_h = 2,
                                          .kernel_w = 2,
                                          .stride_h = 2,
                                          .stride_w = 2,
                                          .dilation_h = 1,
                                          .dilation_w = 1};
        kernels->max_pool2d(&call);
        kernels->max_pool2d_backward(&call);
        check_columns(kernels, window, width, place);
        for (int i = 0; i < 2 * width * WKI_LANES; i++) {
            int column = i / WKI_LANES % width, row = i / WKI_LANES / width, lane = i % WKI_LANES;
            bool here = column < 2 && row * 2 + column == place;
            assert_true(gradient[i] == (here ? delta[lane] : 0.0f));
        }
        for (int lane = 0; lane < WKI_LANES; lane++)
            assert_int_equal(kt_bits(output[lane]), kt_bits(window[place]));
    }
}

/* torch.nn.functional.max_pool2d(window, 2, return_indices=True): the first of equals, the last NaN. */
static void test_the_place(void **state)
{
    (void)state;
    static const struct {
        float window[4];
        int place;
    } cases[] = {
        {{1, 2, 3, 4}, 3},
        {{4, 3, 2, 1}, 0},
        {{2, 2, 2, 2}, 0},
        {{1, 2, 2, 1}, 1},
        {{1, 1, 2, 2}, 2},
        {{NAN, 1, 2, 3}, 0},
        {{1, NAN, INFINITY, 3}, 1},
        {{NAN, 5, NAN, 3}, 2},
        {{NAN, NAN, NAN, NAN}, 3},
        {{-INFINITY, -INFINITY, -INFINITY, -INFINITY}, 0},
        {{-INFINITY, -INFINITY, -3, -INFINITY}, 2},
        {{-0.0f, 0.0f, -1, -2}, 0},
        {{-1, 0.0f, -0.0f, -2}, 1},
    };
    const wki_kernels *kernels;
    for (int k = 0; (kernels = kt_table(k)) != NULL; k++)
        for (size_t i = 0; i < WKI_COUNT(cases); i++)
            check_window(kernels, cases[i].window, cases[i].place);
}

/* A dilation as large as the image leaves a window no tap inside: minus infinity, and no gradient. */
static void test_a_window_with_nothing_inside(void **state)
{
    (void)state;
    const wki_kernels *kernels;
    for (int i = 0; i < 8; i++) {
        pool p;
        make_case(&p, i % 2 == 0 ? 1 : WKI_LANES);
        wki_max_pool2d_call *call = &p.call;
        call->in_h = call->in_w = 2;
        call->out_h = call->out_w = 1;
        call->kernel_h = call->kernel_w = 2;
        call->stride_h = call->stride_w = 1;
        call->padding_h = call->padding_w = 1;
        call->dilation_h = i < 4 ? 3 : 1;
        call->dilation_w = 3;
        call->channel_begin = 0;
        call->channel_end = p.channels;
        call->relu = false;
        call->input = kt_random_floats(make_plane(&p, &call->in, 2, 2, false), false);
        p.output_floats = make_plane(&p, &call->out, 1, 1, false);
        call->delta = kt_random_floats(make_plane(&p, &call->delta_plane, 1, 1, false), false);
        p.gradient_floats = make_plane(&p, &call->gradient_plane, 2, 2, true);
        const float *right = right_gradient(&p);
        for (int k = 0; (kernels = kt_table(k)) != NULL; k++) {
            run_case(&p, kernels, right);
            assert_true(call->output[0] == -INFINITY);
            for (size_t g = 0; g < p.gradient_floats; g++)
                assert_true(kt_is_poison(call->input_gradient[g]) || call->input_gradient[g] == 0.0f);
        }
        kt_release();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_max_pool2d),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_the_place),
        cmocka_unit_test(test_a_window_with_nothing_inside),
    };
    return cmocka_run_group_tests(tests, kt_seed, NULL);
}

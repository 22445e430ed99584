/* Activations number by number, and softmax over rows. The gradient is made from the input, which is
 * there, and not from an output that a ReLU may have changed.
 * https://docs.pytorch.org/docs/stable/nn.html#non-linear-activations-weighted-sum-nonlinearity */
#include "cpu/grid.h"
#include "cpu/vector_math.h"

#include <math.h>

/* GELU's tanh form: x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). */
#define GELU_SCALE 0x1.988454p-1f
#define GELU_CUBE  0.044715f

ALWAYS_INLINE vec activate(wki_activation_kind kind, float slope, vec x)
{
    vec bell;
    switch (kind) {
    case WKI_ACT_RELU:
        return relu_vec(x);
    case WKI_ACT_LEAKY_RELU:
        return select_vec(x > 0.0f, x, x * slope);
    case WKI_ACT_GELU:
        return x * normal_cdf_vec(x, &bell);
    case WKI_ACT_GELU_TANH:
        return 0.5f * x * (1.0f + tanh_vec(GELU_SCALE * (x + GELU_CUBE * x * x * x)));
    case WKI_ACT_SILU:
        return x * sigmoid_vec(x);
    case WKI_ACT_SIGMOID:
        return sigmoid_vec(x);
    case WKI_ACT_TANH:
        break;
    }
    return tanh_vec(x);
}

ALWAYS_INLINE vec derivative(wki_activation_kind kind, float slope, vec x)
{
    vec s, t, bell;
    switch (kind) {
    case WKI_ACT_RELU:
        return mask_vec(x, splat(1.0f));
    case WKI_ACT_LEAKY_RELU:
        return select_vec(x > 0.0f, splat(1.0f), splat(slope));
    case WKI_ACT_GELU:
        s = normal_cdf_vec(x, &bell);
        return s + x * 0x1.988454p-2f * bell;
    case WKI_ACT_GELU_TANH:
        t = tanh_vec(GELU_SCALE * (x + GELU_CUBE * x * x * x));
        /* Of a sum of two products the compiler may fuse either: with one of them there is no choice, and
         * so the same bits in every table. */
        return (0.5f + 0.5f * t) +
               0.5f * x * (1.0f - t * t) * (GELU_SCALE * (1.0f + 3.0f * GELU_CUBE * x * x));
    case WKI_ACT_SILU:
        s = sigmoid_vec(x);
        return s * (1.0f + x * (1.0f - s));
    case WKI_ACT_SIGMOID:
        s = sigmoid_vec(x);
        return s * (1.0f - s);
    case WKI_ACT_TANH:
        break;
    }
    t = tanh_vec(x);
    return 1.0f - t * t;
}

ALWAYS_INLINE void forward(const wki_activation_call *call, wki_activation_kind kind)
{
    const grid_masks masks = masks_of(&call->grid);
    for (int c = call->grid.channel_begin; c < call->grid.channel_end; c++)
        for (int y = 0; y < call->grid.rows; y++) {
            const float *in = call->input + row_at(call->in, c, y);
            float *out = call->output + row_at(call->out, c, y);
            for (int at = 0; at < masks.groups; at++) {
                const ivec *lanes = lanes_at(&masks, at);
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    store(out + i, masked(activate(kind, call->slope, load(in + i)), lanes[v]));
                }
            }
        }
}

ALWAYS_INLINE void backward(const wki_activation_call *call, wki_activation_kind kind)
{
    const grid_masks masks = masks_of(&call->grid);
    for (int c = call->grid.channel_begin; c < call->grid.channel_end; c++)
        for (int y = 0; y < call->grid.rows; y++) {
            const float *in = call->input + row_at(call->in, c, y);
            const float *delta = call->delta + row_at(call->delta_plane, c, y);
            float *to = call->input_gradient + row_at(call->gradient_plane, c, y);
            for (int at = 0; at < masks.groups; at++) {
                const ivec *lanes = lanes_at(&masks, at);
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    vec x = load(in + i), g = load(delta + i) * derivative(kind, call->slope, x);
                    g = call->mask ? mask_vec(x, g) : g;
                    store(to + i, masked(g, lanes[v]));
                }
            }
        }
}

/* A loop of its own for each kind, which the compiler sees whole. */
void WKI_KERNEL(activation)(const wki_activation_call *call)
{
    switch (call->kind) {
    case WKI_ACT_RELU:
        forward(call, WKI_ACT_RELU);
        break;
    case WKI_ACT_LEAKY_RELU:
        forward(call, WKI_ACT_LEAKY_RELU);
        break;
    case WKI_ACT_GELU:
        forward(call, WKI_ACT_GELU);
        break;
    case WKI_ACT_GELU_TANH:
        forward(call, WKI_ACT_GELU_TANH);
        break;
    case WKI_ACT_SILU:
        forward(call, WKI_ACT_SILU);
        break;
    case WKI_ACT_SIGMOID:
        forward(call, WKI_ACT_SIGMOID);
        break;
    case WKI_ACT_TANH:
        forward(call, WKI_ACT_TANH);
        break;
    }
}

void WKI_KERNEL(activation_backward)(const wki_activation_call *call)
{
    switch (call->kind) {
    case WKI_ACT_RELU:
        backward(call, WKI_ACT_RELU);
        break;
    case WKI_ACT_LEAKY_RELU:
        backward(call, WKI_ACT_LEAKY_RELU);
        break;
    case WKI_ACT_GELU:
        backward(call, WKI_ACT_GELU);
        break;
    case WKI_ACT_GELU_TANH:
        backward(call, WKI_ACT_GELU_TANH);
        break;
    case WKI_ACT_SILU:
        backward(call, WKI_ACT_SILU);
        break;
    case WKI_ACT_SIGMOID:
        backward(call, WKI_ACT_SIGMOID);
        break;
    case WKI_ACT_TANH:
        backward(call, WKI_ACT_TANH);
        break;
    }
}

/* ---- softmax ---- */

static float largest_of(const float *x, int classes)
{
    float most = x[0];
    for (int c = 1; c < classes; c++)
        most = x[c] > most || isnan(x[c]) ? x[c] : most;
    return most;
}

/* to[c] = e^(x[c] - most); returns their sum. */
static float exponentials(const float *x, int classes, float most, float *to)
{
    float sum = 0.0f;
    for (int begin = 0; begin < classes; begin += VW) {
        float lanes[VW] = {0};
        int count = WKI_MIN(VW, classes - begin);
        for (int i = 0; i < count; i++)
            lanes[i] = x[begin + i] - most;
        vec e = exp_vec(load(lanes));
        store(lanes, e);
        for (int i = 0; i < count; i++)
            to[begin + i] = lanes[i];
    }
    for (int c = 0; c < classes; c++)
        sum += to[c];
    return sum;
}

void WKI_KERNEL(softmax)(const wki_softmax_call *call)
{
    for (int r = 0; r < call->rows; r++) {
        const float *in = call->input + (ptrdiff_t)r * call->classes;
        float *out = call->output + (ptrdiff_t)r * call->classes;
        float most = largest_of(in, call->classes);
        float sum = exponentials(in, call->classes, most, out);
        float log_sum = call->log ? logf(sum) : 0.0f;
        for (int c = 0; c < call->classes; c++)
            out[c] = call->log ? in[c] - most - log_sum : out[c] / sum;
    }
}

/* From the output: p (delta - sum delta p), or delta - e^output sum delta. */
void WKI_KERNEL(softmax_backward)(const wki_softmax_call *call)
{
    for (int r = 0; r < call->rows; r++) {
        const ptrdiff_t at = (ptrdiff_t)r * call->classes;
        const float *in = call->input + at, *out = call->output + at, *delta = call->delta + at;
        float *to = call->input_gradient + at;
        float sum = 0.0f;
        for (int c = 0; c < call->classes; c++)
            sum += call->log ? delta[c] : delta[c] * out[c];
        if (call->log)
            exponentials(out, call->classes, 0.0f, to);
        for (int c = 0; c < call->classes; c++) {
            to[c] = call->log ? delta[c] - to[c] * sum : out[c] * (delta[c] - sum);
            to[c] = call->mask && in[c] <= 0.0f ? 0.0f : to[c];
        }
    }
}

/* LayerNorm over the last dimensions of rows; over a whole image it is a group (group_norm.c).
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html */
#include "cpu/grid.h"

#include <math.h>

ALWAYS_INLINE float row_sum(const float *row, int features, float mean, bool squares)
{
    vec sums[VPB] = {{0}};
    for (int f = 0; f < features; f += WKI_LANES) {
        vec group[VPB];
        ivec mask[VPB];
        load_group(row + f, features - f, group);
        lanes_below(features - f, mask);
        for (int v = 0; v < VPB; v++) {
            vec d = masked(group[v] - mean, mask[v]);
            sums[v] = squares ? sums[v] + d * d : sums[v] + d;
        }
    }
    return sum_group(sums);
}

/* Numbers f .. f + count of what may not be there. */
ALWAYS_INLINE void load_or(const float *from, int f, int count, float otherwise, vec group[VPB])
{
    for (int v = 0; v < VPB; v++)
        group[v] = splat(otherwise);
    if (from != NULL)
        load_group(from + f, count, group);
}

static void normalise_row(const wki_layer_norm_call *call, const float *in, float *out, float mean,
                          float rstd)
{
    for (int f = 0; f < call->features; f += WKI_LANES) {
        int count = WKI_MIN(WKI_LANES, call->features - f);
        vec value[VPB], weight[VPB], bias[VPB];
        load_group(in + f, count, value);
        load_or(call->weight, f, count, 1.0f, weight);
        load_or(call->bias, f, count, 0.0f, bias);
        for (int v = 0; v < VPB; v++) {
            value[v] = (value[v] - mean) * rstd * weight[v] + bias[v];
            value[v] = call->relu ? relu_vec(value[v]) : value[v];
        }
        store_group(out + f, count, value);
    }
}

void WKI_KERNEL(layer_norm)(const wki_layer_norm_call *call)
{
    for (int r = 0; r < call->rows; r++) {
        const float *in = call->input + (ptrdiff_t)r * call->features;
        float mean = row_sum(in, call->features, 0.0f, false) / (float)call->features;
        float variance = row_sum(in, call->features, mean, true) / (float)call->features;
        float rstd = 1.0f / sqrtf(variance + call->eps);
        call->statistics[2 * r] = mean;
        call->statistics[2 * r + 1] = rstd;
        normalise_row(call, in, call->output + (ptrdiff_t)r * call->features, mean, rstd);
    }
}

/* Adds a row's share, or begins with it. The mask keeps the compiler from fusing the product with the sum on one of
 * the ways that lead there and not on another. */
static void add_parameter_gradients(const wki_layer_norm_call *call, int r, bool accumulate)
{
    const float *in = call->input + (ptrdiff_t)r * call->features;
    const float *delta = call->delta + (ptrdiff_t)r * call->features;
    const float mean = call->statistics[2 * r], rstd = call->statistics[2 * r + 1];
    for (int f = 0; f < call->features; f += WKI_LANES) {
        int count = WKI_MIN(WKI_LANES, call->features - f);
        vec value[VPB], d[VPB], weight[VPB], bias[VPB];
        ivec mask[VPB];
        lanes_below(count, mask);
        load_group(in + f, count, value);
        load_group(delta + f, count, d);
        load_or(accumulate ? call->weight_gradient : NULL, f, count, 0.0f, weight);
        load_or(accumulate ? call->bias_gradient : NULL, f, count, 0.0f, bias);
        for (int v = 0; v < VPB; v++) {
            vec normal = (value[v] - mean) * rstd;
            weight[v] += masked(d[v] * normal, mask[v]);
            bias[v] += d[v];
        }
        if (call->weight_gradient != NULL)
            store_group(call->weight_gradient + f, count, weight);
        if (call->bias_gradient != NULL)
            store_group(call->bias_gradient + f, count, bias);
    }
}

static void layer_input_gradient(const wki_layer_norm_call *call, int r)
{
    const float *in = call->input + (ptrdiff_t)r * call->features;
    const float *delta = call->delta + (ptrdiff_t)r * call->features;
    float *to = call->input_gradient + (ptrdiff_t)r * call->features;
    const float mean = call->statistics[2 * r], rstd = call->statistics[2 * r + 1];
    vec sums[VPB] = {{0}}, products[VPB] = {{0}};
    for (int pass = 0; pass < 2; pass++) {
        const float per = 1.0f / (float)call->features;
        const float sum = pass == 1 ? sum_group(sums) * per : 0.0f;
        const float product = pass == 1 ? sum_group(products) * per : 0.0f;
        for (int f = 0; f < call->features; f += WKI_LANES) {
            int count = WKI_MIN(WKI_LANES, call->features - f);
            vec value[VPB], d[VPB], weight[VPB], g[VPB];
            load_group(in + f, count, value);
            load_group(delta + f, count, d);
            load_or(call->weight, f, count, 1.0f, weight);
            for (int v = 0; v < VPB; v++) {
                vec scaled = d[v] * weight[v], normal = (value[v] - mean) * rstd;
                sums[v] += scaled;
                products[v] += scaled * normal;
                g[v] = (scaled - sum - normal * product) * rstd;
                g[v] = call->mask ? mask_vec(value[v], g[v]) : g[v];
            }
            if (pass == 1)
                store_group(to + f, count, g);
        }
    }
}

void WKI_KERNEL(layer_norm_backward)(const wki_layer_norm_call *call)
{
    for (int r = 0; r < call->rows; r++) {
        add_parameter_gradients(call, r, call->accumulate || r > 0);
        if (call->input_gradient != NULL)
            layer_input_gradient(call, r);
    }
}

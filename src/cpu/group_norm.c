/* Normalisation within each image: over groups of channels, and over the last dimensions of rows.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html */
#include "cpu/grid.h"

#include <math.h>

/* ---- groups of channels, a lane an image or all lanes one image ---- */

/* What each image's sum is: a lane's own, or of all lanes. */
ALWAYS_INLINE void join_lanes(const wki_group_norm_call *call, vec sums[VPB])
{
    if (!call->one_image)
        return;
    float sum = sum_group(sums);
    for (int v = 0; v < VPB; v++)
        sums[v] = splat(sum);
}

ALWAYS_INLINE void sum_of_group(const wki_group_norm_call *call, const grid_masks *masks, int first,
                                const vec mean[VPB], bool squares, vec sums[VPB])
{
    for (int v = 0; v < VPB; v++)
        sums[v] = splat(0.0f);
    for (int c = first; c < first + call->channels; c++) {
        for (int y = 0; y < call->grid.rows; y++) {
            const float *in = call->input + row_at(call->in, c, y);
            for (int at = 0; at < masks->groups; at++) {
                const ivec *lanes = lanes_at(masks, at);
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    vec d = masked(load(in + i) - mean[v], lanes[v]);
                    sums[v] = squares ? sums[v] + d * d : sums[v] + d;
                }
            }
        }
    }
    join_lanes(call, sums);
}

static void normalise_group(const wki_group_norm_call *call, const grid_masks *masks, int first,
                            const vec mean[VPB], const vec rstd[VPB])
{
    for (int c = first; c < first + call->channels; c++) {
        const float weight = call->weight == NULL ? 1.0f : call->weight[c];
        const float bias = call->bias == NULL ? 0.0f : call->bias[c];
        for (int y = 0; y < call->grid.rows; y++) {
            const float *in = call->input + row_at(call->in, c, y);
            float *out = call->output + row_at(call->out, c, y);
            for (int at = 0; at < masks->groups; at++) {
                const ivec *lanes = lanes_at(masks, at);
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    vec value = (load(in + i) - mean[v]) * rstd[v] * weight + bias;
                    value = call->relu ? relu_vec(value) : value;
                    store(out + i, masked(value, lanes[v]));
                }
            }
        }
    }
}

void WKI_KERNEL(group_norm)(const wki_group_norm_call *call)
{
    const grid_masks masks = masks_of(&call->grid);
    for (int g = call->group_begin; g < call->group_end; g++) {
        vec mean[VPB] = {{0}}, squares[VPB];
        int first = g * call->channels;
        float *statistics = call->statistics + (ptrdiff_t)g * 2 * WKI_LANES;
        vec sums[VPB];
        sum_of_group(call, &masks, first, mean, false, sums);
        for (int v = 0; v < VPB; v++)
            mean[v] = sums[v] / (float)call->count;
        sum_of_group(call, &masks, first, mean, true, squares);
        for (int i = 0; i < WKI_LANES; i++) {
            statistics[i] = ((const float *)mean)[i];
            statistics[WKI_LANES + i] =
                1.0f / sqrtf(((const float *)squares)[i] / (float)call->count + call->eps);
        }
        vec rstd[VPB];
        __builtin_memcpy(rstd, statistics + WKI_LANES, sizeof(rstd));
        normalise_group(call, &masks, first, mean, rstd);
    }
}

static void put(float *to, float value, bool accumulate)
{
    *to = accumulate ? *to + value : value;
}

/* The sums of delta * weight and of that times the normalised input, for each image; and on the way
 * the parameters' gradients. */
static void gradient_sums(const wki_group_norm_call *call, const grid_masks *masks, int first,
                          const vec mean[VPB], const vec rstd[VPB], vec sums[VPB], vec products[VPB])
{
    for (int v = 0; v < VPB; v++)
        sums[v] = products[v] = splat(0.0f);
    for (int c = first; c < first + call->channels; c++) {
        vec sum[VPB] = {{0}}, product[VPB] = {{0}};
        for (int y = 0; y < call->grid.rows; y++) {
            const float *in = call->input + row_at(call->in, c, y);
            const float *delta = call->delta + row_at(call->delta_plane, c, y);
            for (int at = 0; at < masks->groups; at++) {
                const ivec *lanes = lanes_at(masks, at);
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    vec d = masked(load(delta + i), lanes[v]);
                    sum[v] += d;
                    product[v] += masked(d * (load(in + i) - mean[v]), lanes[v]) * rstd[v];
                }
            }
        }
        const float weight = call->weight == NULL ? 1.0f : call->weight[c];
        for (int v = 0; v < VPB; v++) {
            sums[v] += sum[v] * weight;
            products[v] += product[v] * weight;
        }
        if (call->weight_gradient != NULL)
            put(call->weight_gradient + c, sum_group(product), call->accumulate);
        if (call->bias_gradient != NULL)
            put(call->bias_gradient + c, sum_group(sum), call->accumulate);
    }
    join_lanes(call, sums);
    join_lanes(call, products);
}

static void group_input_gradient(const wki_group_norm_call *call, const grid_masks *masks, int first,
                                 const vec mean[VPB], const vec rstd[VPB], const vec sums[VPB],
                                 const vec products[VPB])
{
    /* Divided, not multiplied: of two products that are subtracted the compiler may round either first. */
    const float count = (float)call->count;
    vec level[VPB], slope[VPB];
    for (int v = 0; v < VPB; v++) {
        level[v] = sums[v] / count;
        slope[v] = products[v] / count;
    }
    for (int c = first; c < first + call->channels; c++) {
        const float weight = call->weight == NULL ? 1.0f : call->weight[c];
        for (int y = 0; y < call->grid.rows; y++) {
            const float *in = call->input + row_at(call->in, c, y);
            const float *delta = call->delta + row_at(call->delta_plane, c, y);
            float *to = call->input_gradient + row_at(call->gradient_plane, c, y);
            for (int at = 0; at < masks->groups; at++) {
                const ivec *lanes = lanes_at(masks, at);
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    vec value = load(in + i), normal = (value - mean[v]) * rstd[v];
                    vec g = load(delta + i) * weight - level[v];
                    g = (g - normal * slope[v]) * rstd[v];
                    g = call->mask ? mask_vec(value, g) : g;
                    store(to + i, masked(g, lanes[v]));
                }
            }
        }
    }
}

void WKI_KERNEL(group_norm_backward)(const wki_group_norm_call *call)
{
    const grid_masks masks = masks_of(&call->grid);
    for (int g = call->group_begin; g < call->group_end; g++) {
        const float *statistics = call->statistics + (ptrdiff_t)g * 2 * WKI_LANES;
        vec mean[VPB], rstd[VPB], sums[VPB], products[VPB];
        __builtin_memcpy(mean, statistics, sizeof(mean));
        __builtin_memcpy(rstd, statistics + WKI_LANES, sizeof(rstd));
        gradient_sums(call, &masks, g * call->channels, mean, rstd, sums, products);
        if (call->input_gradient != NULL)
            group_input_gradient(call, &masks, g * call->channels, mean, rstd, sums, products);
    }
}

/* ---- rows ---- */

/* Up to WKI_LANES numbers of a row as a group, zeros behind them. */
ALWAYS_INLINE void load_group(const float *from, int count, vec group[VPB])
{
    float lanes[WKI_LANES] = {0};
    if (count >= WKI_LANES) {
        __builtin_memcpy(group, from, sizeof(lanes));
        return;
    }
    for (int i = 0; i < count; i++)
        lanes[i] = from[i];
    __builtin_memcpy(group, lanes, sizeof(lanes));
}

ALWAYS_INLINE void store_group(float *to, int count, const vec group[VPB])
{
    const float *lanes = (const float *)group;
    if (count >= WKI_LANES)
        __builtin_memcpy(to, lanes, WKI_LANES * sizeof(float));
    else
        for (int i = 0; i < count; i++)
            to[i] = lanes[i];
}

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

/* Adds a row's share, or begins with it. */
static void add_parameter_gradients(const wki_layer_norm_call *call, int r, bool accumulate)
{
    const float *in = call->input + (ptrdiff_t)r * call->features;
    const float *delta = call->delta + (ptrdiff_t)r * call->features;
    const float mean = call->statistics[2 * r], rstd = call->statistics[2 * r + 1];
    for (int f = 0; f < call->features; f += WKI_LANES) {
        int count = WKI_MIN(WKI_LANES, call->features - f);
        vec value[VPB], d[VPB], weight[VPB], bias[VPB];
        load_group(in + f, count, value);
        load_group(delta + f, count, d);
        load_or(accumulate ? call->weight_gradient : NULL, f, count, 0.0f, weight);
        load_or(accumulate ? call->bias_gradient : NULL, f, count, 0.0f, bias);
        for (int v = 0; v < VPB; v++) {
            vec normal = (value[v] - mean) * rstd;
            weight[v] += d[v] * normal;
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

/* Normalisation within each image, a lane an image or all lanes one image: over groups of channels, or over
 * all of it with a weight for each number.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html */
#include "cpu/grid.h"

#include <math.h>

/* What each image's sum is: a lane's own, or of all lanes. */
ALWAYS_INLINE void join_lanes(const wki_group_norm_call *call, vec sums[VPB])
{
    if (!call->one_image)
        return;
    float sum = sum_group(sums);
    for (int v = 0; v < VPB; v++)
        sums[v] = splat(sum);
}

/* Summed channel by channel: a long row of additions to one number would lose the last of them. */
ALWAYS_INLINE void sum_of_group(const wki_group_norm_call *call, const grid_masks *masks, int first,
                                const vec mean[VPB], bool squares, vec sums[VPB])
{
    for (int v = 0; v < VPB; v++)
        sums[v] = splat(0.0f);
    for (int c = first; c < first + call->channels; c++) {
        vec sum[VPB] = {{0}};
        for (int y = 0; y < call->grid.rows; y++) {
            const float *in = call->input + row_at(call->in, c, y);
            for (int at = 0; at < masks->groups; at++) {
                const ivec *lanes = lanes_at(masks, at);
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    vec d = masked(load(in + i) - mean[v], lanes[v]);
                    sum[v] = squares ? sum[v] + d * d : sum[v] + d;
                }
            }
        }
        for (int v = 0; v < VPB; v++)
            sums[v] += sum[v];
    }
    join_lanes(call, sums);
}

/* A row of weights or biases, or of their gradients. */
typedef struct parameter_row {
    float *numbers; /* NULL: there are none */
    float channel;  /* what each is, unless each number of an image has its own */
    int per_group;  /* floats of a group: 0, 1 (images in the lanes) or WKI_LANES (columns) */
    int last;       /* floats of a row's last group */
} parameter_row;

ALWAYS_INLINE parameter_row parameters_of(const wki_group_norm_call *call, const float *of,
                                          float otherwise, int c, int y)
{
    const int groups = call->grid.groups;
    parameter_row row = {.channel = otherwise};
    if (of == NULL)
        return row;
    if (!call->each_number) {
        row.channel = of[c];
        return row;
    }
    row.per_group = call->one_image ? WKI_LANES : 1;
    row.last = call->one_image ? call->grid.last : 1;
    const ptrdiff_t width = (ptrdiff_t)(groups - 1) * row.per_group + row.last;
    row.numbers = (float *)of + ((ptrdiff_t)c * call->grid.rows + y) * width;
    return row;
}

/* Those of group `at`, lane by lane. */
ALWAYS_INLINE void load_parameters(const parameter_row *row, int at, bool last, vec value[VPB])
{
    if (row->per_group == WKI_LANES) {
        load_group(row->numbers + (ptrdiff_t)at * WKI_LANES, last ? row->last : WKI_LANES, value);
        return;
    }
    const float one = row->per_group == 0 ? row->channel : row->numbers[at];
    for (int v = 0; v < VPB; v++)
        value[v] = splat(one);
}

static void normalise_group(const wki_group_norm_call *call, const grid_masks *masks, int first,
                            const vec mean[VPB], const vec rstd[VPB])
{
    for (int c = first; c < first + call->channels; c++) {
        for (int y = 0; y < call->grid.rows; y++) {
            const float *in = call->input + row_at(call->in, c, y);
            float *out = call->output + row_at(call->out, c, y);
            const parameter_row weights = parameters_of(call, call->weight, 1.0f, c, y);
            const parameter_row biases = parameters_of(call, call->bias, 0.0f, c, y);
            for (int at = 0; at < masks->groups; at++) {
                const ivec *lanes = lanes_at(masks, at);
                vec weight[VPB], bias[VPB];
                load_parameters(&weights, at, at == masks->groups - 1, weight);
                load_parameters(&biases, at, at == masks->groups - 1, bias);
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    vec value = (load(in + i) - mean[v]) * rstd[v] * weight[v] + bias[v];
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

/* Group `at` of a row's gradient, lane by lane. */
ALWAYS_INLINE void add_to_row(const parameter_row *row, int at, bool last, bool accumulate,
                              const vec value[VPB])
{
    if (row->per_group == 1)
        put(row->numbers + at, sum_group(value), accumulate);
    if (row->per_group != WKI_LANES)
        return;
    const int count = last ? row->last : WKI_LANES;
    float *to = row->numbers + (ptrdiff_t)at * WKI_LANES;
    vec before[VPB] = {{0}};
    if (accumulate)
        load_group(to, count, before);
    for (int v = 0; v < VPB; v++)
        before[v] += value[v];
    store_group(to, count, before);
}

/* Sums of delta and of that times the normalised input; weighted ones where each number has its weight, the
 * gradients of which are made on the way. */
ALWAYS_INLINE void row_gradient_sums(const wki_group_norm_call *call, const grid_masks *masks, int c,
                                     int y, const vec mean[VPB], const vec rstd[VPB], vec sum[VPB],
                                     vec product[VPB])
{
    const float *in = call->input + row_at(call->in, c, y);
    const float *delta = call->delta + row_at(call->delta_plane, c, y);
    const bool each = call->each_number;
    const parameter_row weights = parameters_of(call, each ? call->weight : NULL, 1.0f, c, y);
    const parameter_row weight_row =
        parameters_of(call, each ? call->weight_gradient : NULL, 0.0f, c, y);
    const parameter_row bias_row = parameters_of(call, each ? call->bias_gradient : NULL, 0.0f, c, y);
    for (int at = 0; at < masks->groups; at++) {
        const ivec *lanes = lanes_at(masks, at);
        const bool last = at == masks->groups - 1;
        vec d[VPB], normal[VPB], weight[VPB];
        UNROLL for (int v = 0; v < VPB; v++)
        {
            const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
            d[v] = masked(load(delta + i), lanes[v]);
            /* Masked last: no sum that follows on some way may be fused with the product. */
            normal[v] = masked(d[v] * (load(in + i) - mean[v]) * rstd[v], lanes[v]);
        }
        add_to_row(&weight_row, at, last, call->accumulate, normal);
        add_to_row(&bias_row, at, last, call->accumulate, d);
        load_parameters(&weights, at, last, weight);
        UNROLL for (int v = 0; v < VPB; v++)
        {
            sum[v] += d[v] * weight[v];
            product[v] += normal[v] * weight[v];
        }
    }
}

/* The sums of delta * weight and of that times the normalised input, for each image; and on the way
 * the parameters' gradients. */
static void gradient_sums(const wki_group_norm_call *call, const grid_masks *masks, int first,
                          const vec mean[VPB], const vec rstd[VPB], vec sums[VPB], vec products[VPB])
{
    const bool each = call->each_number;
    for (int v = 0; v < VPB; v++)
        sums[v] = products[v] = splat(0.0f);
    for (int c = first; c < first + call->channels; c++) {
        vec sum[VPB] = {{0}}, product[VPB] = {{0}};
        for (int y = 0; y < call->grid.rows; y++)
            row_gradient_sums(call, masks, c, y, mean, rstd, sum, product);
        const float weight = each || call->weight == NULL ? 1.0f : call->weight[c];
        for (int v = 0; v < VPB; v++) {
            sums[v] += sum[v] * weight;
            products[v] += product[v] * weight;
        }
        if (!each && call->weight_gradient != NULL)
            put(call->weight_gradient + c, sum_group(product), call->accumulate);
        if (!each && call->bias_gradient != NULL)
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
        for (int y = 0; y < call->grid.rows; y++) {
            const float *in = call->input + row_at(call->in, c, y);
            const float *delta = call->delta + row_at(call->delta_plane, c, y);
            float *to = call->input_gradient + row_at(call->gradient_plane, c, y);
            const parameter_row weights = parameters_of(call, call->weight, 1.0f, c, y);
            for (int at = 0; at < masks->groups; at++) {
                const ivec *lanes = lanes_at(masks, at);
                vec weight[VPB];
                load_parameters(&weights, at, at == masks->groups - 1, weight);
                UNROLL for (int v = 0; v < VPB; v++)
                {
                    const ptrdiff_t i = (ptrdiff_t)at * WKI_LANES + v * VW;
                    vec value = load(in + i), normal = (value - mean[v]) * rstd[v];
                    vec g = load(delta + i) * weight[v] - level[v];
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

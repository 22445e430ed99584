/* The fully connected layer with few features, 16 at most: the last layer of a small model. Vectors along the features, which
 * linear.c has, would be mostly empty; these are along the outputs, or along
 * features and what is read behind them, which counts for nothing. */
#ifndef WKI_LINEAR_FEW_H
#define WKI_LINEAR_FEW_H

#include "cpu/kernel_vector.h"

#include <string.h>

/* For so many rows there are places at most. */
enum { FEW_MOST_ROWS = 64, FEW_ROWS = 4, FEW_OUTPUTS = 5 };

/* Whether a gradient's call has few features, and rows or outputs few enough. */
static inline bool few_features(const wki_linear_call *call, int rows)
{
    return call->in_features <= WKI_LANES && rows <= FEW_MOST_ROWS;
}

/* A row of 1 to WKI_LANES floats, followed by zeros. */
static void pad_row(const float *from, int count, float to[WKI_LANES])
{
    memset(to, 0, WKI_LANES * sizeof(*to));
    /* In fours, of which the last overlaps the one before. */
    for (int i = 0; count >= 4 && i < count; i += 4)
        *(vec4 *)(to + WKI_MIN(i, count - 4)) = *(const vec4 *)(from + WKI_MIN(i, count - 4));
    for (int i = 0; count < 4 && i < count; i++)
        to[i] = from[i];
}

/* Rows of `count` floats, of which a whole vector of lanes can be read: what is behind a row is the next one's, and the last
 * rows are copied. */
typedef struct lane_rows {
    const float *row[FEW_MOST_ROWS];
    float copies[WKI_LANES][WKI_LANES];
} lane_rows;

static void find_rows(const float *from, ptrdiff_t pitch, int rows, int count, lane_rows *to)
{
    int copied = 0;
    for (int r = 0; r < rows; r++, from += pitch) {
        to->row[r] = from;
        if ((rows - 1 - r) * pitch + count >= WKI_LANES)
            continue;
        pad_row(from, count, to->copies[copied]);
        to->row[r] = to->copies[copied++];
    }
}

static inline void store_row(const float lanes[WKI_LANES], int count, float *to)
{
    for (int i = 0; count >= 4 && i < count; i += 4)
        *(vec4 *)(to + WKI_MIN(i, count - 4)) = *(const vec4 *)(lanes + WKI_MIN(i, count - 4));
    for (int i = 0; count < 4 && i < count; i++)
        to[i] = lanes[i];
}

/* ---- forward: the outputs in the lanes ---- */

/* The weights of up to WKI_LANES outputs, turned: to[feature][output]. */
static inline void turn_weights(const wki_linear_call *call, int out, int count, float (*to)[WKI_LANES])
{
    static const float none[WKI_LANES];
    lane_rows weights;
    find_rows(call->weight + out * (ptrdiff_t)call->in_features, call->in_features, count,
              call->in_features, &weights);
    for (int i = 0; i < call->in_features; i += 4)
        for (int o = 0; o < WKI_LANES; o += 4) {
            vec4 four[4];
            UNROLL for (int k = 0; k < 4; k++) four[k] =
                *(const vec4 *)((o + k < count ? weights.row[o + k] : none) + i);
            transpose4(four);
            UNROLL for (int k = 0; k < 4; k++) * (vec4 *)(to[i + k] + o) = four[k];
        }
}

ALWAYS_INLINE void few_forward_rows(const wki_linear_call *call, float (*turned)[WKI_LANES],
                                    const float bias[WKI_LANES], int row, int out, int count,
                                    const int nr)
{
    vec sum[FEW_ROWS][VPB];
    const float *input = call->input + row * call->in_pitch;
    UNROLL for (int r = 0; r < nr; r++) UNROLL for (int v = 0; v < VPB; v++) sum[r][v] = (vec){0};
    for (int i = 0; i < call->in_features; i++)
        UNROLL for (int r = 0; r < nr; r++)
        {
            const vec x = splat(input[r * call->in_pitch + i]);
            UNROLL for (int v = 0; v < VPB; v++) sum[r][v] += x * load(turned[i] + v * VW);
        }
    UNROLL for (int r = 0; r < nr; r++)
    {
        float lanes[WKI_LANES];
        UNROLL for (int v = 0; v < VPB; v++)
        {
            const vec y = sum[r][v] + load(bias + v * VW);
            store(lanes + v * VW, call->relu ? relu_vec(y) : y);
        }
        store_row(lanes, count, call->output + (row + r) * call->out_pitch + out);
    }
}

static inline void few_forward(const wki_linear_call *call)
{
    float turned[WKI_LANES][WKI_LANES];
    for (int out = 0; out < call->out_features; out += WKI_LANES) {
        const int count = WKI_MIN(WKI_LANES, call->out_features - out);
        float bias[WKI_LANES] = {0};
        int row = 0;
        turn_weights(call, out, count, turned);
        if (call->bias != NULL)
            pad_row(call->bias + out, count, bias);
        for (; row + FEW_ROWS <= call->rows; row += FEW_ROWS)
            few_forward_rows(call, turned, bias, row, out, count, FEW_ROWS);
        for (; row < call->rows; row++)
            few_forward_rows(call, turned, bias, row, out, count, 1);
    }
}

/* ---- the two gradients: features in the lanes ---- */

ALWAYS_INLINE void few_input_rows(const wki_linear_call *call, const lane_rows *weights, int row,
                                  const int nr)
{
    vec sum[FEW_ROWS][VPB];
    const float *delta = call->delta + row * call->out_pitch;
    UNROLL for (int r = 0; r < nr; r++) UNROLL for (int v = 0; v < VPB; v++) sum[r][v] = (vec){0};
    for (int o = 0; o < call->out_features; o++)
        UNROLL for (int r = 0; r < nr; r++)
        {
            const vec d = splat(delta[r * call->out_pitch + o]);
            UNROLL for (int v = 0; v < VPB; v++) sum[r][v] += d * load(weights->row[o] + v * VW);
        }
    UNROLL for (int r = 0; r < nr; r++)
    {
        const ptrdiff_t at = (row + r) * call->in_pitch;
        float lanes[WKI_LANES], mask[WKI_LANES];
        if (call->mask != NULL)
            pad_row(call->mask + at, call->in_features, mask);
        UNROLL for (int v = 0; v < VPB; v++) store(
            lanes + v * VW, call->mask == NULL ? sum[r][v] : mask_vec(load(mask + v * VW), sum[r][v]));
        store_row(lanes, call->in_features, call->input_gradient + at);
    }
}

static inline void few_input(const wki_linear_call *call)
{
    lane_rows weights;
    int row = 0;
    find_rows(call->weight, call->in_features, call->out_features, call->in_features, &weights);
    for (; row + FEW_ROWS <= call->rows; row += FEW_ROWS)
        few_input_rows(call, &weights, row, FEW_ROWS);
    for (; row < call->rows; row++)
        few_input_rows(call, &weights, row, 1);
}

ALWAYS_INLINE void few_weight_outputs(const wki_linear_call *call, const lane_rows *input, int out,
                                      const int no)
{
    vec sum[FEW_OUTPUTS][VPB];
    UNROLL for (int o = 0; o < no; o++) UNROLL for (int v = 0; v < VPB; v++) sum[o][v] = (vec){0};
    for (ptrdiff_t r = 0; r < call->rows; r++)
        UNROLL for (int o = 0; o < no; o++)
        {
            const vec d = splat(call->delta[r * call->out_pitch + out + o]);
            UNROLL for (int v = 0; v < VPB; v++) sum[o][v] += d * load(input->row[r] + v * VW);
        }
    UNROLL for (int o = 0; o < no; o++)
    {
        float *gradient = call->weight_gradient + (out + o) * (ptrdiff_t)call->in_features;
        float lanes[WKI_LANES] = {0};
        if (call->accumulate)
            pad_row(gradient, call->in_features, lanes);
        UNROLL for (int v = 0; v < VPB; v++) store(lanes + v * VW, sum[o][v] + load(lanes + v * VW));
        store_row(lanes, call->in_features, gradient);
    }
}

static inline void few_weight(const wki_linear_call *call)
{
    lane_rows input;
    int out = 0;
    find_rows(call->input, call->in_pitch, call->rows, call->in_features, &input);
    for (; out + FEW_OUTPUTS <= call->out_features; out += FEW_OUTPUTS)
        few_weight_outputs(call, &input, out, FEW_OUTPUTS);
    for (; out < call->out_features; out++)
        few_weight_outputs(call, &input, out, 1);
}

#endif

/* How a tile's products become outputs: transformed back, with bias, ReLU, mask or pooling, and stored. */
#ifndef WKI_WINOGRAD_OUTPUT_H
#define WKI_WINOGRAD_OUTPUT_H

#include "cpu/winograd.h"

/* A^T M A of one channel and vector, but for the factors. */
ALWAYS_INLINE void transform_back(const int tile, const int side, const float *products, ptrdiff_t place,
                                  vec values[WINOGRAD_TILE][WINOGRAD_TILE])
{
    vec rows[WINOGRAD_TILE][WINOGRAD_SIDE];
    UNROLL for (int x = 0; x < side; x++)
    {
        vec m[WINOGRAD_SIDE], column[WINOGRAD_TILE];
        const float *at = products + x * place;
        UNROLL for (int y = 0; y < side; y++, at += side * place)
        {
            FORGET_ORIGIN(at);
            m[y] = load(at);
        }
        winograd_output(tile, side, m, column);
        UNROLL for (int y = 0; y < tile; y++) rows[y][x] = column[y];
    }
    UNROLL for (int y = 0; y < tile; y++)
    {
        winograd_output(tile, side, rows[y], values[y]);
    }
}

/* With its factor, bias and ReLU. */
ALWAYS_INLINE vec finish_value(const int side, const int i, const int j, vec value, vec bias, bool relu)
{
    const float scale = winograd_output_scale(side, i) * winograd_output_scale(side, j);
    value = side > 4 ? scale * value + bias : value + bias;
    return relu ? relu_vec(value) : value;
}

/* Where a channel's values go, and the mask's numbers for them or NULL. */
typedef struct target {
    float *output;
    const float *mask;
    ptrdiff_t row, column, mask_row, mask_column;
    int rows, columns; /* that exist */
} target;

ALWAYS_INLINE void store_rows(const target to, const vec bias, const bool relu, const int tile,
                              const int side, const bool half, vec values[WINOGRAD_TILE][WINOGRAD_TILE])
{
    UNROLL for (int i = 0; i < tile; i++)
    {
        UNROLL for (int j = 0; j < tile; j++)
        {
            if (i >= to.rows || j >= to.columns)
                continue;
            vec value = finish_value(side, i, j, values[i][j], bias, relu);
            if (to.mask != NULL)
                value = mask_vec(load(to.mask + i * to.mask_row + j * to.mask_column), value);
#if VPB == 1
            if (half)
                value = first_half(value);
#endif
            (void)half;
            store(to.output + i * to.row + j * to.column, value);
        }
    }
}

/* The same with the pooling of 2x2 that comes behind. */
ALWAYS_INLINE void store_pooled(const wki_winograd_call *call, int channel, int y, int x, int lane,
                                const int tile, const int side, const bool half,
                                vec values[WINOGRAD_TILE][WINOGRAD_TILE])
{
    const wki_plane out = call->out;
    const vec bias = splat(call->bias != NULL ? call->bias[channel] : 0.0f);
    const bool relu = call->relu;
    float *output = call->output + channel * out.channel + y / 2 * out.row + x / 2 * out.column + lane;
    ivec all_taken = {0};
    UNROLL for (int i = 0; i < tile; i += 2)
    {
        UNROLL for (int j = 0; j < tile; j += 2)
        {
            if (i >= call->height - y || j >= call->width - x)
                continue;
            vec four[4];
            int bits[4];
            UNROLL for (int n = 0; n < 4; n++)
            {
                const int k = i + n / 2, l = j + n % 2;
                bits[n] = 1 << (k * tile + l);
                four[n] = finish_value(side, k, l, values[k][l], bias, relu);
            }
            ivec taken;
            vec most = pool_four(four, bits, &taken);
            if (relu)
                taken &= ~(most <= 0.0f);
            all_taken |= taken;
            if (call->pool_relu)
                most = relu_vec(most);
#if VPB == 1
            if (half)
                most = first_half(most);
#endif
            (void)half;
            store(output + i / 2 * out.row + j / 2 * out.column, most);
        }
    }
    const wki_plane to = call->taken_plane;
    if (call->taken != NULL)
        store_taken(call->taken + channel * to.channel + y / tile * to.row + x / tile * to.column + lane,
                    all_taken);
}

/* The factors, bias, ReLU and mask, and out go a channel's values at (y, x), of the lanes from `lane` on; those of the
 * second half become 0 if `half`. A whole tile without dilation, the commonest, has code of its own without tests. */
ALWAYS_INLINE void store_values(const wki_winograd_call *call, int channel, int y, int x, int lane,
                                const int tile, const int side, const bool half,
                                vec values[WINOGRAD_TILE][WINOGRAD_TILE])
{
    if (call->pools) {
        store_pooled(call, channel, y, x, lane, tile, side, half, values);
        return;
    }
    const wki_plane out = call->out, mask = call->mask_plane;
    const vec bias = splat(call->bias != NULL ? call->bias[channel] : 0.0f);
    target to = {.output = call->output + channel * out.channel + y * out.row + x * out.column + lane,
                 .row = out.row,
                 .column = out.column,
                 .rows = WKI_MIN(tile, call->height - y),
                 .columns = WKI_MIN(tile, call->width - x)};
    if (call->mask != NULL) {
        to.mask = call->mask + channel * mask.channel + y * mask.row + x * mask.column + lane;
        to.mask_row = mask.row;
        to.mask_column = mask.column;
    }
    const bool whole = to.rows == tile && to.columns == tile && to.column == WKI_LANES;
    if (whole && call->mask == NULL)
        store_rows((target){to.output, NULL, to.row, WKI_LANES, 0, 0, tile, tile}, bias, call->relu,
                   tile, side, half, values);
    else if (whole && to.mask_column == WKI_LANES)
        store_rows((target){to.output, to.mask, to.row, WKI_LANES, to.mask_row, WKI_LANES, tile, tile},
                   bias, call->relu, tile, side, half, values);
    else
        store_rows(to, bias, call->relu, tile, side, half, values);
}

/* The other lanes of a tile become 0. */
ALWAYS_INLINE void clear_values(const wki_winograd_call *call, int channel, int y, int x, int lane,
                                const int tile)
{
    const wki_plane out = call->out;
    const int step = call->pools ? 2 : 1;
    float *output = call->output + channel * out.channel + y / step * out.row + x / step * out.column;
    for (int i = 0; i < WKI_MIN(tile, call->height - y) / step; i++)
        for (int j = 0; j < WKI_MIN(tile, call->width - x) / step; j++)
            for (int l = lane; l < WKI_LANES; l += VW)
                store(output + i * out.row + j * out.column + l, (vec){0});
}

/* Where a tile is. */
typedef struct position {
    int y, x;
} position;

/* The outputs of one channel of the tile at at[0], of the first `vectors` vectors of the lanes; the others' are 0. Of 0
 * vectors: half a vector, and the other half is that of the tile at at[1], which may be the same. */
ALWAYS_INLINE void output_lanes(const wki_winograd_call *call, int channel, const float *products,
                                ptrdiff_t place, const position at[2], const int tile, const int side,
                                const int vectors)
{
    vec values[WINOGRAD_TILE][WINOGRAD_TILE];
    UNROLL for (int v = 0; v < vectors; v++)
    {
        transform_back(tile, side, products + v * VW, place, values);
        store_values(call, channel, at[0].y, at[0].x, v * VW, tile, side, false, values);
    }
    if (vectors > 0 && vectors < VPB)
        clear_values(call, channel, at[0].y, at[0].x, vectors * VW, tile);
#if VPB == 1
    if (vectors > 0)
        return;
    transform_back(tile, side, products, place, values);
    store_values(call, channel, at[0].y, at[0].x, 0, tile, side, true, values);
    /* Not twice, as the mask may be where the output is. */
    if (at[0].y == at[1].y && at[0].x == at[1].x)
        return;
    UNROLL for (int i = 0; i < tile; i++) UNROLL for (int j = 0; j < tile; j++) values[i][j] =
        second_half(values[i][j]);
    store_values(call, channel, at[1].y, at[1].x, 0, tile, side, true, values);
#endif
}

typedef void output_function(const wki_winograd_call *call, int channel, const float *products,
                             ptrdiff_t place, const position at[2]);

#define OUTPUT_TILE(name, tile, side, vectors)                                                          \
    static __attribute__((noinline)) void name(const wki_winograd_call *call, int channel,              \
                                               const float *products, ptrdiff_t place,                  \
                                               const position at[2])                                    \
    {                                                                                                   \
        output_lanes(call, channel, products, place, at, tile, side, vectors);                          \
    }
OUTPUT_TILE(output_2_of_4, 2, 4, VPB)
OUTPUT_TILE(output_half_2_of_4, 2, 4, HALF)
OUTPUT_TILE(output_4_of_6, 4, 6, VPB)
OUTPUT_TILE(output_half_4_of_6, 4, 6, HALF)
OUTPUT_TILE(output_2_of_6, 2, 6, VPB)
OUTPUT_TILE(output_half_2_of_6, 2, 6, HALF)

/* By the size of the tile and the window, and whether half of the lanes are enough. */
static output_function *find_output(int tile, int side, bool half)
{
    if (side == 4)
        return half ? output_half_2_of_4 : output_2_of_4;
    if (tile == 4)
        return half ? output_half_4_of_6 : output_4_of_6;
    return half ? output_half_2_of_6 : output_2_of_6;
}

#endif

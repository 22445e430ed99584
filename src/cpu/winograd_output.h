/* How a tile's products become outputs: transformed back, with bias, ReLU, mask or pooling, and stored. */
#ifndef WKI_WINOGRAD_OUTPUT_H
#define WKI_WINOGRAD_OUTPUT_H

#include "cpu/winograd.h"

/* Where a tile is. */
typedef struct position {
    int y, x;
} position;

/* One channel's values of a tile: A^T M A with the factors, bias and ReLU. All sums and products are here and once: where
 * gcc sees some of them in several places it does what these share beforehand, and rounds products that it would have
 * added to something in one go. */
ALWAYS_INLINE void transform_back(const wki_winograd_call *call, int channel, const int tile,
                                  const int side, const float *products, ptrdiff_t place,
                                  vec values[WINOGRAD_TILE][WINOGRAD_TILE])
{
    const vec bias = splat(call->bias != NULL ? call->bias[channel] : 0.0f);
    const bool relu = call->relu;
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
        UNROLL for (int x = 0; x < tile; x++)
        {
            const float scale = winograd_output_scale(side, y) * winograd_output_scale(side, x);
            const vec value = side > 4 ? scale * values[y][x] + bias : values[y][x] + bias;
            values[y][x] = relu ? relu_vec(value) : value;
        }
    }
}

/* ---- where they go ---- */

/* Of a channel, and the mask's numbers for them or NULL. */
typedef struct target {
    float *output;
    const float *mask;
    ptrdiff_t row, column, mask_row, mask_column;
    int rows, columns; /* that exist */
} target;

ALWAYS_INLINE void store_rows(const target to, const int tile, const bool half,
                              vec values[WINOGRAD_TILE][WINOGRAD_TILE])
{
    UNROLL for (int i = 0; i < tile; i++)
    {
        UNROLL for (int j = 0; j < tile; j++)
        {
            if (i >= to.rows || j >= to.columns)
                continue;
            vec value = values[i][j];
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
ALWAYS_INLINE void store_pooled(const wki_winograd_call *call, int channel, position at, int lane,
                                const int tile, const bool half,
                                vec values[WINOGRAD_TILE][WINOGRAD_TILE])
{
    const wki_plane out = call->out;
    float *output =
        call->output + channel * out.channel + at.y / 2 * out.row + at.x / 2 * out.column + lane;
    ivec all_taken = {0};
    UNROLL for (int i = 0; i < tile; i += 2)
    {
        UNROLL for (int j = 0; j < tile; j += 2)
        {
            if (i >= call->height - at.y || j >= call->width - at.x)
                continue;
            vec four[4];
            int bits[4];
            UNROLL for (int n = 0; n < 4; n++)
            {
                const int k = i + n / 2, l = j + n % 2;
                bits[n] = 1 << (k * tile + l);
                four[n] = values[k][l];
            }
            ivec taken;
            vec most = pool_four(four, bits, &taken);
            if (call->relu)
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
        store_taken(call->taken + channel * to.channel + at.y / tile * to.row + at.x / tile * to.column +
                        lane,
                    all_taken);
}

/* A channel's values of the tile go out, of the lanes from `lane` on; those of the second half become 0 if `half`. A whole
 * tile without dilation, the commonest, has code of its own without tests. */
ALWAYS_INLINE void store_values(const wki_winograd_call *call, int channel, position at, int lane,
                                const int tile, const bool half,
                                vec values[WINOGRAD_TILE][WINOGRAD_TILE])
{
    const wki_plane out = call->out, mask = call->mask_plane;
    target to = {.output =
                     call->output + channel * out.channel + at.y * out.row + at.x * out.column + lane,
                 .row = out.row,
                 .column = out.column,
                 .rows = WKI_MIN(tile, call->height - at.y),
                 .columns = WKI_MIN(tile, call->width - at.x)};
    if (call->mask != NULL) {
        to.mask = call->mask + channel * mask.channel + at.y * mask.row + at.x * mask.column + lane;
        to.mask_row = mask.row;
        to.mask_column = mask.column;
    }
    const bool whole = to.rows == tile && to.columns == tile && to.column == WKI_LANES;
    if (whole && call->mask == NULL)
        store_rows((target){to.output, NULL, to.row, WKI_LANES, 0, 0, tile, tile}, tile, half, values);
    else if (whole && to.mask_column == WKI_LANES)
        store_rows((target){to.output, to.mask, to.row, WKI_LANES, to.mask_row, WKI_LANES, tile, tile},
                   tile, half, values);
    else
        store_rows(to, tile, half, values);
}

ALWAYS_INLINE void store_tile(const wki_winograd_call *call, int channel, position at, int lane,
                              const int tile, const bool half, const bool pools,
                              vec values[WINOGRAD_TILE][WINOGRAD_TILE])
{
    if (pools)
        store_pooled(call, channel, at, lane, tile, half, values);
    else
        store_values(call, channel, at, lane, tile, half, values);
}

/* The other lanes of a tile become 0. */
ALWAYS_INLINE void clear_values(const wki_winograd_call *call, int channel, position at, int lane,
                                const int tile)
{
    const wki_plane out = call->out;
    const int step = call->pools ? 2 : 1;
    float *output =
        call->output + channel * out.channel + at.y / step * out.row + at.x / step * out.column;
    for (int i = 0; i < WKI_MIN(tile, call->height - at.y) / step; i++)
        for (int j = 0; j < WKI_MIN(tile, call->width - at.x) / step; j++)
            for (int l = lane; l < WKI_LANES; l += VW)
                store(output + i * out.row + j * out.column + l, (vec){0});
}

/* The outputs of one channel of the tile at at[0], of the first `vectors` vectors of the lanes; the others' are 0. Of 0
 * vectors: half a vector, and the other half is that of the tile at at[1], which may be the same. */
ALWAYS_INLINE void output_lanes(const wki_winograd_call *call, int channel, const float *products,
                                ptrdiff_t place, const position at[2], const int tile, const int side,
                                const int vectors, const bool pools)
{
    vec values[WINOGRAD_TILE][WINOGRAD_TILE];
    UNROLL for (int v = 0; v < vectors; v++)
    {
        transform_back(call, channel, tile, side, products + v * VW, place, values);
        store_tile(call, channel, at[0], v * VW, tile, false, pools, values);
    }
    if (vectors > 0 && vectors < VPB)
        clear_values(call, channel, at[0], vectors * VW, tile);
#if VPB == 1
    if (vectors > 0)
        return;
    transform_back(call, channel, tile, side, products, place, values);
    store_tile(call, channel, at[0], 0, tile, true, pools, values);
    /* Not twice, as the mask may be where the output is. */
    if (at[0].y == at[1].y && at[0].x == at[1].x)
        return;
    UNROLL for (int i = 0; i < tile; i++) UNROLL for (int j = 0; j < tile; j++) values[i][j] =
        second_half(values[i][j]);
    store_tile(call, channel, at[1], 0, tile, true, pools, values);
#endif
}

/* The same of all channels. */
typedef void output_function(const wki_winograd_call *call, const float *products, ptrdiff_t place,
                             const position at[2]);

#define OUTPUT_FUNCTION(name, tile, side, vectors, pools)                                               \
    static __attribute__((noinline)) void name(const wki_winograd_call *call, const float *products,    \
                                               ptrdiff_t place, const position at[2])                   \
    {                                                                                                   \
        for (int o = 0; o < call->channels; o++)                                                        \
            output_lanes(call, o, products + o * WKI_LANES, place, at, tile, side, vectors, pools);     \
    }
#define OUTPUT_TILE(tile, side)                                                                         \
    OUTPUT_FUNCTION(output_##tile##_of_##side, tile, side, VPB, false)                                  \
    OUTPUT_FUNCTION(output_half_##tile##_of_##side, tile, side, HALF, false)                            \
    OUTPUT_FUNCTION(pooled_##tile##_of_##side, tile, side, VPB, true)                                   \
    OUTPUT_FUNCTION(pooled_half_##tile##_of_##side, tile, side, HALF, true)
OUTPUT_TILE(2, 4)
OUTPUT_TILE(4, 6)
OUTPUT_TILE(2, 6)

/* By the tile and the window, what comes behind, and whether half of the lanes are enough. */
static output_function *find_output(const wki_winograd_call *call, int side, bool half)
{
    static output_function *const functions[3][2][2] = {
        {{output_2_of_4, output_half_2_of_4}, {pooled_2_of_4, pooled_half_2_of_4}},
        {{output_4_of_6, output_half_4_of_6}, {pooled_4_of_6, pooled_half_4_of_6}},
        {{output_2_of_6, output_half_2_of_6}, {pooled_2_of_6, pooled_half_2_of_6}}};
    return functions[side == 4 ? 0 : call->tile == 4 ? 1 : 2][call->pools][half];
}

#endif

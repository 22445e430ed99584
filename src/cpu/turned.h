/* Products of matrices over images, for the gradients of a convolution's weights: with 16 input channels in the lanes
 * and the images one behind the other a sum over images needs no adding up of lanes, and those that are absent take
 * no time. */
#ifndef WKI_TURNED_H
#define WKI_TURNED_H

#include "cpu/kernel_vector.h"

/* from[channel][lane], `pitch` floats from one channel to the next, to to[lane][channel], for lanes below `images`;
 * some more may be written behind, up to WKI_LANES. Channels that are not there become 0. */
ALWAYS_INLINE void turn_lanes(const float *from, ptrdiff_t pitch, int channels, int images, float *to)
{
#if VPB == 1
    vec r[WKI_LANES];
    UNROLL for (int i = 0; i < WKI_LANES; i++) r[i] = i < channels ? load(from + i * pitch) : (vec){0};
    transpose16(r);
    UNROLL for (int i = 0; i < WKI_LANES; i++) if (i < images) store(to + i * WKI_LANES, r[i]);
#else
    for (int lane = 0; lane < images; lane += 4) {
        UNROLL for (int c = 0; c < WKI_LANES; c += 4)
        {
            vec4 r[4];
            UNROLL for (int i = 0; i < 4; i++) r[i] =
                c + i < channels ? *(const vec4 *)(from + (c + i) * pitch + lane) : (vec4){0};
            transpose4(r);
            UNROLL for (int i = 0; i < 4; i++) * (vec4 *)(to + (lane + i) * WKI_LANES + c) = r[i];
        }
    }
#endif
}

/* What is multiplied: `steps` times `images` numbers of some channels of delta with as many times 16 of the input, of
 * one block of input channels or of several. */
typedef struct turned_product {
    const float *delta; /* [channel][step][image] */
    const float *input; /* [block][step][image][16] */
    ptrdiff_t delta_channel, delta_step, input_block, input_step;
    ptrdiff_t sums_block; /* from one block's sums to the next */
    int steps, images;
    bool add; /* to the sums that are there */
} turned_product;

/* sums[block][channel][16] (+)= the products, for nc channels and nb blocks. These begin at 0, so that few numbers are
 * added to many. */
ALWAYS_INLINE void turned_multiply(const turned_product *p, float *sums, const int nc, const int nb)
{
    const ptrdiff_t channel = p->delta_channel, images = p->images, block = p->input_block;
    vec sum[PRODUCT_BLOCKS][PRODUCT_CHANNELS][VPB];
    UNROLL for (int b = 0; b < nb; b++) UNROLL for (int c = 0; c < nc; c++)
        UNROLL for (int v = 0; v < VPB; v++) sum[b][c][v] = (vec){0};
    for (int step = 0; step < p->steps; step++) {
        const float *delta = p->delta + step * p->delta_step, *input = p->input + step * p->input_step;
        for (ptrdiff_t n = 0; n < images; n++) {
            vec x[PRODUCT_BLOCKS][VPB];
            UNROLL for (int b = 0; b < nb; b++) UNROLL for (int v = 0; v < VPB; v++) x[b][v] =
                load(input + b * block + n * WKI_LANES + v * VW);
            UNROLL for (int c = 0; c < nc; c++)
            {
                vec w = splat(delta[c * channel + n]);
                UNROLL for (int b = 0; b < nb; b++)
                {
                    UNROLL for (int v = 0; v < VPB; v++) sum[b][c][v] += w * x[b][v];
                }
            }
        }
    }
    UNROLL for (int b = 0; b < nb; b++) UNROLL for (int c = 0; c < nc; c++)
    {
        float *to = sums + b * p->sums_block + c * WKI_LANES;
        UNROLL for (int v = 0; v < VPB; v++)
        {
            vec value = sum[b][c][v];
            if (p->add)
                value += load(to + v * VW);
            store(to + v * VW, value);
        }
    }
}

typedef void turned_function(const turned_product *p, float *sums);

#define TURNED_MULTIPLY(nc)                                                                             \
    static __attribute__((noinline)) void turned_multiply_##nc(const turned_product *p, float *sums)    \
    {                                                                                                   \
        turned_multiply(p, sums, nc, 1);                                                                \
    }                                                                                                   \
    static __attribute__((noinline)) void turned_blocks_##nc(const turned_product *p, float *sums)      \
    {                                                                                                   \
        turned_multiply(p, sums, nc, PRODUCT_BLOCKS);                                                   \
    }
FOR_PRODUCT_CHANNELS(TURNED_MULTIPLY)

/* [channels][several blocks] */
#define TURNED_NAMES(nc) {turned_multiply_##nc, turned_blocks_##nc},
static turned_function *const turned_multiplies[PRODUCT_CHANNELS + 1][2] = {
    {NULL}, FOR_PRODUCT_CHANNELS(TURNED_NAMES)};

/* All channels of delta, in groups of as equal a size as can be. */
ALWAYS_INLINE void turned_multiply_channels(turned_product p, int channels, bool several, float *sums)
{
    const float *delta = p.delta;
    const int groups = (channels + PRODUCT_CHANNELS - 1) / PRODUCT_CHANNELS;
    for (int g = 0; g < groups; g++) {
        int begin = (int)((int64_t)channels * g / groups);
        int end = (int)((int64_t)channels * (g + 1) / groups);
        p.delta = delta + begin * p.delta_channel;
        turned_multiplies[end - begin][several](&p, sums + begin * WKI_LANES);
    }
}

/* The same for so many blocks. */
ALWAYS_INLINE void turned_multiply_all(turned_product p, int channels, int blocks, float *sums)
{
    const float *input = p.input;
    for (int b = 0, count; b < blocks; b += count) {
        count = 1;
        if (b + PRODUCT_BLOCKS <= blocks)
            count = PRODUCT_BLOCKS;
        p.input = input + b * p.input_block;
        turned_multiply_channels(p, channels, count > 1, sums + b * p.sums_block);
    }
}

#endif

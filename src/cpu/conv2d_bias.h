/* The gradient of a convolution's bias, which all ways to the weights' gradient end with. */
#ifndef WKI_CONV2D_BIAS_H
#define WKI_CONV2D_BIAS_H

#include "cpu/kernel_vector.h"

/* Channels at a time, so that an addition need not wait for the one before. */
#define BIAS_CHANNELS 4

ALWAYS_INLINE void bias_channels(const float *delta, wki_plane plane, int rows, int columns,
                                 bool accumulate, float *gradient, const int count)
{
    vec sum[BIAS_CHANNELS][VPB] = {{{0}}};
    for (int y = 0; y < rows; y++) {
        const float *at = delta + y * plane.row;
        for (int x = 0; x < columns; x++, at += plane.column)
            UNROLL for (int c = 0; c < count; c++) UNROLL for (int v = 0; v < VPB; v++) sum[c][v] +=
                load(at + c * plane.channel + v * VW);
    }
    UNROLL for (int c = 0; c < count; c++)
    {
        float lanes[WKI_LANES];
        UNROLL for (int v = 0; v < VPB; v++) store(lanes + v * VW, sum[c][v]);
        float total = sum_lanes(lanes);
        gradient[c] = accumulate ? gradient[c] + total : total;
    }
}

/* gradient[o] (+)= the sum of delta's channel o, for o in begin .. end. */
ALWAYS_INLINE void conv2d_bias(const float *delta, wki_plane plane, int rows, int columns, int begin,
                               int end, bool accumulate, float *gradient)
{
    int o = begin;
    for (; o + BIAS_CHANNELS <= end; o += BIAS_CHANNELS)
        bias_channels(delta + o * plane.channel, plane, rows, columns, accumulate, gradient + o,
                      BIAS_CHANNELS);
    for (; o < end; o++)
        bias_channels(delta + o * plane.channel, plane, rows, columns, accumulate, gradient + o, 1);
}

#endif

/* The gradient of a convolution's bias, which all ways to the weights' gradient end with. */
#ifndef WKI_CONV2D_BIAS_H
#define WKI_CONV2D_BIAS_H

#include "cpu/kernel_vector.h"

/* Channels at a time, so that an addition need not wait for the one before. */
enum { BIAS_CHANNELS = 4 };

ALWAYS_INLINE void add_to_lanes(const float *delta, wki_plane plane, int row_begin, int row_end,
                                int columns, float *lanes, const int count)
{
    vec sum[BIAS_CHANNELS][VPB];
    UNROLL for (int c = 0; c < count; c++) UNROLL for (int v = 0; v < VPB; v++) sum[c][v] =
        load(lanes + c * WKI_LANES + v * VW);
    for (int y = row_begin; y < row_end; y++) {
        const float *at = delta + y * plane.row;
        for (int x = 0; x < columns; x++, at += plane.column)
            UNROLL for (int c = 0; c < count; c++) UNROLL for (int v = 0; v < VPB; v++) sum[c][v] +=
                load(at + c * plane.channel + v * VW);
    }
    UNROLL for (int c = 0; c < count; c++) UNROLL for (int v = 0; v < VPB; v++)
        store(lanes + c * WKI_LANES + v * VW, sum[c][v]);
}

/* lanes[o - begin] += each lane's sum of some rows of delta's channel o, for o in begin .. end. */
static void conv2d_bias_lanes(const float *delta, wki_plane plane, int row_begin, int row_end,
                              int columns, int begin, int end, float *lanes)
{
    for (int o = begin; o < end; o += BIAS_CHANNELS) {
        const float *from = delta + o * plane.channel;
        float *to = lanes + (ptrdiff_t)(o - begin) * WKI_LANES;
        switch (WKI_MIN(BIAS_CHANNELS, end - o)) {
        case 1:
            add_to_lanes(from, plane, row_begin, row_end, columns, to, 1);
            break;
        case 2:
            add_to_lanes(from, plane, row_begin, row_end, columns, to, 2);
            break;
        case 3:
            add_to_lanes(from, plane, row_begin, row_end, columns, to, 3);
            break;
        default:
            add_to_lanes(from, plane, row_begin, row_end, columns, to, BIAS_CHANNELS);
        }
    }
}

/* gradient[i] (+)= the sum of lanes[i]. */
static void add_up_lanes(const float *lanes, ptrdiff_t count, bool accumulate, float *gradient)
{
    ptrdiff_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const float *at = lanes + i * WKI_LANES;
        vec4 sum = sum_lanes_of_four(at, at + WKI_LANES, at + 2 * WKI_LANES, at + 3 * WKI_LANES);
        vec4 *to = (vec4 *)(gradient + i);
        if (accumulate)
            sum += *to;
        *to = sum;
    }
    for (; i < count; i++) {
        float sum = sum_lanes(lanes + i * WKI_LANES);
        gradient[i] = accumulate ? gradient[i] + sum : sum;
    }
}

/* gradient[o] (+)= the sum of delta's channel o, for o in begin .. end. */
ALWAYS_INLINE void conv2d_bias(const float *delta, wki_plane plane, int rows, int columns, int begin,
                               int end, bool accumulate, float *gradient)
{
    for (int o = begin; o < end; o += BIAS_CHANNELS) {
        float lanes[BIAS_CHANNELS * WKI_LANES] = {0};
        const int to = WKI_MIN(o + BIAS_CHANNELS, end);
        conv2d_bias_lanes(delta, plane, 0, rows, columns, o, to, lanes);
        add_up_lanes(lanes, to - o, accumulate, gradient + o);
    }
}

#endif

/* The gradient of a convolution's bias, which both ways to the weights' gradient end with. */
#ifndef WKI_CONV2D_BIAS_H
#define WKI_CONV2D_BIAS_H

#include "cpu/kernel_vector.h"

/* gradient[o] (+)= the sum of delta's channel o, for o in begin .. end. */
ALWAYS_INLINE void conv2d_bias(const float *delta, wki_plane plane, int rows, int columns, int begin,
                               int end, bool accumulate, float *gradient)
{
    for (int o = begin; o < end; o++) {
        vec sum[VPB] = {0};
        for (int y = 0; y < rows; y++) {
            const float *row = delta + o * plane.channel + y * plane.row;
            for (int x = 0; x < columns; x++)
                for (int v = 0; v < VPB; v++)
                    sum[v] += load(row + x * plane.column + v * VW);
        }
        float lanes[WKI_LANES];
        for (int v = 0; v < VPB; v++)
            store(lanes + v * VW, sum[v]);
        float total = sum_lanes(lanes);
        gradient[o] = accumulate ? gradient[o] + total : total;
    }
}

#endif

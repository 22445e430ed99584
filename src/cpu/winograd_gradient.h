/* What both of Winograd's ways to the gradient of a convolution's weights do with a tile of delta, and with the sums at the
 * end. A function that has one of these in it should have only one: where gcc sees two of them at once it does what they share
 * beforehand, and rounds products that it would have added to something in one go. */
#ifndef WKI_WINOGRAD_GRADIENT_H
#define WKI_WINOGRAD_GRADIENT_H

#include "cpu/winograd.h"

/* E of one vector; what is beyond delta's last row and column is 0. */
ALWAYS_INLINE void transform_delta(const int tile, const int side, const float *from, wki_plane plane,
                                   int rows, int columns, float *to, ptrdiff_t place)
{
    vec lines[WINOGRAD_TILE][WINOGRAD_SIDE];
    UNROLL for (int y = 0; y < tile; y++)
    {
        vec e[WINOGRAD_TILE];
        UNROLL for (int x = 0; x < tile; x++)
        {
            e[x] = (vec){0};
            if (y < rows && x < columns)
                e[x] = load(from + y * plane.row + x * plane.column);
        }
        winograd_delta(tile, side, e, lines[y]);
    }
    UNROLL for (int x = 0; x < side; x++)
    {
        vec e[WINOGRAD_TILE], v[WINOGRAD_SIDE];
        UNROLL for (int y = 0; y < tile; y++) e[y] = lines[y][x];
        winograd_delta(tile, side, e, v);
        UNROLL for (int y = 0; y < side; y++) store(to + (side * y + x) * place, v[y]);
    }
}

/* G^T dU G of one output channel and a block of input channels. */
ALWAYS_INLINE void gradient_taps(const int kernel, const int side, const float *sums, ptrdiff_t place,
                                 float taps[WINOGRAD_TAPS][WKI_LANES])
{
    UNROLL for (int v = 0; v < VPB; v++)
    {
        vec rows[WINOGRAD_KERNEL][WINOGRAD_SIDE];
        UNROLL for (int x = 0; x < side; x++)
        {
            vec m[WINOGRAD_SIDE], g[WINOGRAD_KERNEL];
            UNROLL for (int y = 0; y < side; y++) m[y] = load(sums + (side * y + x) * place + v * VW);
            winograd_gradient(kernel, side, m, g);
            UNROLL for (int y = 0; y < kernel; y++) rows[y][x] = g[y];
        }
        UNROLL for (int y = 0; y < kernel; y++)
        {
            vec g[WINOGRAD_KERNEL];
            winograd_gradient(kernel, side, rows[y], g);
            UNROLL for (int x = 0; x < kernel; x++)
            {
                if (side > 4)
                    g[x] *= winograd_gradient_scale(kernel, side, y) *
                            winograd_gradient_scale(kernel, side, x);
                store(taps[kernel * y + x] + v * VW, g[x]);
            }
        }
    }
}

typedef void taps_function(const float *sums, ptrdiff_t place, float taps[WINOGRAD_TAPS][WKI_LANES]);

#define TAPS(kernel, side)                                                                              \
    static __attribute__((noinline)) void taps_##kernel##_of_##side(                                    \
        const float *sums, ptrdiff_t place, float taps[WINOGRAD_TAPS][WKI_LANES])                       \
    {                                                                                                   \
        gradient_taps(kernel, side, sums, place, taps);                                                 \
    }
TAPS(3, 4)
TAPS(3, 6)
TAPS(5, 6)

#endif

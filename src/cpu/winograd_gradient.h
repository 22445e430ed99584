/* What both of Winograd's ways to the gradient of a convolution's weights do with a tile, and with the sums at the end. Each
 * transformation is a function of its own: where gcc sees two of them at once it does what they share beforehand, and rounds
 * products that it would have added to something in one go. */
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
        float *at = to + x * place;
        UNROLL for (int y = 0; y < side; y++, at += side * place)
        {
            FORGET_ORIGIN(at);
            store(at, v[y]);
        }
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

/* How the tiles of a kernel are transformed, and its taps at the end. */
typedef struct transforms {
    /* V of some channels of a tile: to[place][channel][lane]. */
    void (*window)(const float *input, wki_plane plane, int channels, float *to, ptrdiff_t place);
    /* E of a vector of one channel of a tile, of which so many rows and columns are there: to[place]. */
    void (*delta)(const float *from, wki_plane plane, int rows, int columns, float *to, ptrdiff_t place);
    void (*taps)(const float *sums, ptrdiff_t place, float taps[WINOGRAD_TAPS][WKI_LANES]);
} transforms;

#define WINDOW(side)                                                                                    \
    static __attribute__((noinline)) void window_##side(const float *input, wki_plane plane,            \
                                                        int channels, float *to, ptrdiff_t place)       \
    {                                                                                                   \
        winograd_window(side, input, plane, 0, channels, to, place, VPB);                               \
    }
WINDOW(4)
WINDOW(6)

#define DELTA(tile, side)                                                                               \
    static __attribute__((noinline)) void delta_##tile##_of_##side(                                     \
        const float *from, wki_plane plane, int rows, int columns, float *to, ptrdiff_t place)          \
    {                                                                                                   \
        transform_delta(tile, side, from, plane, rows, columns, to, place);                             \
    }
DELTA(2, 4)
DELTA(4, 6)
DELTA(2, 6)

#define TAPS(kernel, side)                                                                              \
    static __attribute__((noinline)) void taps_##kernel##_of_##side(                                    \
        const float *sums, ptrdiff_t place, float taps[WINOGRAD_TAPS][WKI_LANES])                       \
    {                                                                                                   \
        gradient_taps(kernel, side, sums, place, taps);                                                 \
    }
TAPS(3, 4)
TAPS(3, 6)
TAPS(5, 6)

static transforms find_transforms(int tile, int kernel)
{
    if (kernel == 5)
        return (transforms){window_6, delta_2_of_6, taps_5_of_6};
    return tile == 2 ? (transforms){window_4, delta_2_of_4, taps_3_of_4}
                     : (transforms){window_6, delta_4_of_6, taps_3_of_6};
}

/* E of all channels of one tile, so many lanes of them: a channel is `channel` floats from the one before. */
static void delta_tile(const wki_winograd_gradient_call *call, const transforms *by, int y, int x,
                       int lanes, float *to, ptrdiff_t channel, ptrdiff_t place)
{
    const wki_plane plane = call->out;
    const int rows = WKI_MIN(call->tile, call->height - y);
    const int columns = WKI_MIN(call->tile, call->width - x);
    for (int o = call->channel_begin; o < call->channel_end; o++, to += channel) {
        const float *from = call->delta + o * plane.channel + y * plane.row + x * plane.column;
        for (int v = 0; v < lanes; v += VW)
            by->delta(from + v, plane, rows, columns, to + v, place);
    }
}

#endif

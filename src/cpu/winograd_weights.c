/* The weights of a convolution as Winograd's way wants them, U = G g G^T (see winograd.h). */
#include "cpu/winograd.h"

#include <string.h>

/* Taps t .. t + 3 of four input channels, of which so many are there, to their lanes. */
ALWAYS_INLINE void gather_four(const wki_winograd_weights_call *call, const float *from, int count,
                               const int area, const int t, float *taps)
{
    vec4 r[4];
    UNROLL for (int i = 0; i < 4; i++) r[i] =
        i < count ? *(const vec4 *)(from + i * call->in_channel_stride + t) : (vec4){0};
    transpose4(r);
    UNROLL for (int q = 0; q < 4; q++) *
        (vec4 *)(taps + (call->flip ? area - 1 - t - q : t + q) * WKI_LANES) = r[q];
}

/* The kernels of one output channel and up to 16 input channels, in the lanes. The last four taps are some of those before
 * once more, lest what is behind them is read. */
ALWAYS_INLINE void gather_kernels(const wki_winograd_weights_call *call, const float *from, int count,
                                  const int area, float taps[WINOGRAD_TAPS][WKI_LANES])
{
    for (int i = 0; i < count; i += 4, from += 4 * call->in_channel_stride) {
        UNROLL for (int t = 0; t + 4 < area; t += 4)
            gather_four(call, from, count - i, area, t, taps[0] + i);
        gather_four(call, from, count - i, area, area - 4, taps[0] + i);
    }
}

/* U of these: to[place][in channel], `place` floats from one place to the next. */
ALWAYS_INLINE void transform_kernels(const int tile, const int kernel,
                                     float taps[WINOGRAD_TAPS][WKI_LANES], float *to, ptrdiff_t place)
{
    const int side = tile + kernel - 1;
    UNROLL for (int v = 0; v < VPB; v++)
    {
        vec rows[WINOGRAD_KERNEL][WINOGRAD_SIDE];
        UNROLL for (int y = 0; y < kernel; y++)
        {
            vec g[WINOGRAD_KERNEL];
            UNROLL for (int x = 0; x < kernel; x++) g[x] = load(taps[kernel * y + x] + v * VW);
            winograd_kernel(kernel, side, g, rows[y]);
        }
        UNROLL for (int x = 0; x < side; x++)
        {
            vec g[WINOGRAD_KERNEL], u[WINOGRAD_SIDE];
            UNROLL for (int y = 0; y < kernel; y++) g[y] = rows[y][x];
            winograd_kernel(kernel, side, g, u);
            UNROLL for (int y = 0; y < side; y++)
            {
                const float scale =
                    winograd_kernel_scale(tile, side, y) * winograd_kernel_scale(tile, side, x);
                store(to + (side * y + x) * place + v * VW, scale * u[y]);
            }
        }
    }
}

/* Of the channels channel_begin .. channel_end. All lanes are written, those that are no input channels where the next
 * output channel's come; so the last ones take a detour. */
ALWAYS_INLINE void transform_weights(const wki_winograd_weights_call *call, const int tile,
                                     const int kernel)
{
    const int places = (tile + kernel - 1) * (tile + kernel - 1);
    const ptrdiff_t plane = (ptrdiff_t)call->channels * call->in_channels;
    float taps[WINOGRAD_TAPS][WKI_LANES] = {{0}}, last[WINOGRAD_PLACES][WKI_LANES];
    const ptrdiff_t end = (ptrdiff_t)call->channel_end * call->in_channels;
    for (int o = call->channel_begin; o < call->channel_end; o++) {
        for (int i = 0; i < call->in_channels; i += WKI_LANES) {
            const int count = WKI_MIN(WKI_LANES, call->in_channels - i);
            const ptrdiff_t at = (ptrdiff_t)o * call->in_channels + i;
            gather_kernels(call, call->weight + o * call->channel_stride + i * call->in_channel_stride,
                           count, kernel * kernel, taps);
            if (at + WKI_LANES <= end) {
                transform_kernels(tile, kernel, taps, call->transformed + at, plane);
                continue;
            }
            transform_kernels(tile, kernel, taps, last[0], WKI_LANES);
            for (int place = 0; place < places; place++)
                memcpy(call->transformed + place * plane + at, last[place],
                       (size_t)count * sizeof(float));
        }
    }
}

/* Functions of their own, see conv2d_winograd_weight.c. */
typedef void weights_function(const wki_winograd_weights_call *call);

#define WEIGHTS(tile, kernel)                                                                           \
    static                                                                                              \
        __attribute__((noinline)) void weights_##tile##_##kernel(const wki_winograd_weights_call *call) \
    {                                                                                                   \
        transform_weights(call, tile, kernel);                                                          \
    }
WEIGHTS(2, 3)
WEIGHTS(4, 3)
WEIGHTS(2, 5)

void WKI_KERNEL(winograd_weights)(const wki_winograd_weights_call *call)
{
    weights_function *weights = call->kernel == 5 ? weights_2_5
                                : call->tile == 2 ? weights_2_3
                                                  : weights_4_3;
    weights(call);
}

/* The weights of a convolution as Winograd's way wants them, U = G g G^T (see winograd.h). */
#include "cpu/winograd.h"

/* Four taps of four input channels, of which so many are there, to their lanes; a tap's are `step` floats on. */
ALWAYS_INLINE void gather_four(const float *from, ptrdiff_t stride, int count, float *to, ptrdiff_t step)
{
    vec4 r[4];
    UNROLL for (int i = 0; i < 4; i++) r[i] = i < count ? *(const vec4 *)(from + i * stride) : (vec4){0};
    transpose4(r);
    UNROLL for (int q = 0; q < 4; q++) * (vec4 *)(to + q * step) = r[q];
}

/* The kernels of one output channel and up to 16 input channels, in the lanes, turned by 180 degrees if `flip`. The last four
 * taps are some of those before once more, lest what is behind them is read. */
ALWAYS_INLINE void gather_kernels(const float *from, ptrdiff_t stride, int count, const int area,
                                  bool flip, float taps[WINOGRAD_TAPS][WKI_LANES])
{
    const ptrdiff_t step = flip ? -WKI_LANES : WKI_LANES;
    float *first = taps[flip ? area - 1 : 0];
    for (int i = 0; i < count; i += 4, from += 4 * stride) {
        UNROLL for (int t = 0; t + 4 < area; t += 4)
            gather_four(from + t, stride, count - i, first + t * step + i, step);
        gather_four(from + area - 4, stride, count - i, first + (area - 4) * step + i, step);
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

/* Functions of their own, as gcc else has too few registers for both, and see conv2d_winograd_weight.c. */
typedef void gather_function(const float *from, ptrdiff_t stride, int count, bool flip,
                             float taps[WINOGRAD_TAPS][WKI_LANES]);
typedef void transform_function(float taps[WINOGRAD_TAPS][WKI_LANES], float *to, ptrdiff_t place);

#define GATHER(kernel)                                                                                  \
    static                                                                                              \
        __attribute__((noinline)) void gather_##kernel(const float *from, ptrdiff_t stride, int count,  \
                                                       bool flip, float taps[WINOGRAD_TAPS][WKI_LANES]) \
    {                                                                                                   \
        gather_kernels(from, stride, count, (kernel) * (kernel), flip, taps);                           \
    }
GATHER(3)
GATHER(5)

#define TRANSFORM(tile, kernel)                                                                         \
    static __attribute__((noinline)) void transform_##tile##_##kernel(                                  \
        float taps[WINOGRAD_TAPS][WKI_LANES], float *to, ptrdiff_t place)                               \
    {                                                                                                   \
        transform_kernels(tile, kernel, taps, to, place);                                               \
    }
TRANSFORM(2, 3)
TRANSFORM(4, 3)
TRANSFORM(2, 5)

/* Some floats, without a call or what gcc would make of a loop, a string instruction: there are 36 such. */
ALWAYS_INLINE void copy_few(float *to, const float *from, int count)
{
    int i = 0;
    for (; i + 4 <= count; i += 4) {
        FORGET_ORIGIN(to);
        *(vec4 *)(to + i) = *(const vec4 *)(from + i);
    }
    for (; i < count; i++) {
        FORGET_ORIGIN(to);
        to[i] = from[i];
    }
}

/* Of the channels channel_begin .. channel_end. All lanes are written, those that are no input channels where the next
 * output channel's come; so the last ones take a detour. */
void WKI_KERNEL(winograd_weights)(const wki_winograd_weights_call *call)
{
    const int side = call->tile + call->kernel - 1, ins = call->in_channels;
    const ptrdiff_t plane = (ptrdiff_t)call->channels * ins, stride = call->in_channel_stride;
    const ptrdiff_t end = (ptrdiff_t)call->channel_end * ins;
    gather_function *gather = call->kernel == 5 ? gather_5 : gather_3;
    transform_function *transform = call->kernel == 5 ? transform_2_5
                                    : call->tile == 2 ? transform_2_3
                                                      : transform_4_3;
    float taps[WINOGRAD_TAPS][WKI_LANES] = {{0}}, last[WINOGRAD_PLACES][WKI_LANES];
    for (int o = call->channel_begin; o < call->channel_end; o++) {
        for (int i = 0; i < ins; i += WKI_LANES) {
            const int count = WKI_MIN(WKI_LANES, ins - i);
            const ptrdiff_t at = (ptrdiff_t)o * ins + i;
            gather(call->weight + o * call->channel_stride + i * stride, stride, count, call->flip,
                   taps);
            if (at + WKI_LANES <= end) {
                transform(taps, call->transformed + at, plane);
                continue;
            }
            transform(taps, last[0], WKI_LANES);
            for (int place = 0; place < side * side; place++)
                copy_few(call->transformed + place * plane + at, last[place], count);
        }
    }
}

/* What both of Winograd's ways to the gradient of a convolution's weights do with a tile, and with the sums at the end. Each
 * transformation is a function of its own: where gcc sees two of them at once it does what they share beforehand, and rounds
 * products that it would have added to something in one go. */
#ifndef WKI_WINOGRAD_GRADIENT_H
#define WKI_WINOGRAD_GRADIENT_H

#include "cpu/conv2d_bias.h"
#include "cpu/winograd.h"

/* E of one vector; what is beyond delta's last row and column is 0. With taken: of the gradient of what a pooling read, of
 * which nothing is taken there. */
ALWAYS_INLINE void transform_delta(const int tile, const int side, const float *from,
                                   const int32_t *taken, wki_plane plane, int rows, int columns,
                                   float *to, ptrdiff_t place)
{
    vec lines[WINOGRAD_TILE][WINOGRAD_SIDE];
    UNROLL for (int y = 0; y < tile; y++)
    {
        vec e[WINOGRAD_TILE];
        UNROLL for (int x = 0; x < tile; x++)
        {
            const ptrdiff_t pooled = y / 2 * plane.row + x / 2 * plane.column;
            e[x] = (vec){0};
            if (taken != NULL)
                e[x] = unpooled(load(from + pooled), load_taken(taken), 1 << (y * tile + x));
            else if (y < rows && x < columns)
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
    /* E of a vector of one channel of a tile, of which so many rows and columns are there: to[place]. taken: or NULL. */
    void (*delta)(const float *from, const int32_t *taken, wki_plane plane, int rows, int columns,
                  float *to, ptrdiff_t place);
    void (*taps)(const float *sums, ptrdiff_t place, float taps[WINOGRAD_TAPS][WKI_LANES]);
} transforms;

#define WINDOW(name, side, dense)                                                                       \
    static __attribute__((noinline)) void name(const float *input, wki_plane plane, int channels,       \
                                               float *to, ptrdiff_t place)                              \
    {                                                                                                   \
        winograd_plain_windows(side, input, plane, 0, channels, to, place, VPB, dense);                 \
    }
WINDOW(window_4, 4, true)
WINDOW(window_6, 6, true)
WINDOW(dilated_window_4, 4, false)
WINDOW(dilated_window_6, 6, false)

#define DELTA(name, tile, side, taken)                                                                  \
    static __attribute__((noinline)) void name(const float *from, const int32_t *taken_or_null,         \
                                               wki_plane plane, int rows, int columns, float *to,       \
                                               ptrdiff_t place)                                         \
    {                                                                                                   \
        (void)taken_or_null;                                                                            \
        transform_delta(tile, side, from, taken, plane, rows, columns, to, place);                      \
    }
DELTA(delta_2_of_4, 2, 4, NULL)
DELTA(delta_4_of_6, 4, 6, NULL)
DELTA(delta_2_of_6, 2, 6, NULL)
DELTA(delta_unpooled, 4, 6, taken_or_null)

#define TAPS(kernel, side)                                                                              \
    static __attribute__((noinline)) void taps_##kernel##_of_##side(                                    \
        const float *sums, ptrdiff_t place, float taps[WINOGRAD_TAPS][WKI_LANES])                       \
    {                                                                                                   \
        gradient_taps(kernel, side, sums, place, taps);                                                 \
    }
TAPS(3, 4)
TAPS(3, 6)
TAPS(5, 6)

static transforms find_transforms(const wki_winograd_gradient_call *call)
{
    const bool dense = call->in.column == WKI_LANES;
    if (call->tile == 2 && call->kernel == 3)
        return (transforms){dense ? window_4 : dilated_window_4, delta_2_of_4, taps_3_of_4};
    transforms t = {dense ? window_6 : dilated_window_6, delta_4_of_6, taps_3_of_6};
    if (call->kernel == 5) {
        t.delta = delta_2_of_6;
        t.taps = taps_5_of_6;
    } else if (call->unpools != NULL) {
        t.delta = delta_unpooled;
    }
    return t;
}

/* E of all channels of one tile, so many lanes of them: a channel is `channel` floats from the one before. */
static void delta_tile(const wki_winograd_gradient_call *call, const transforms *with, int y, int x,
                       int lanes, float *to, ptrdiff_t channel, ptrdiff_t place)
{
    const wki_plane plane = call->out, by = call->taken_plane;
    const int step = call->unpools != NULL ? 2 : 1;
    const int rows = WKI_MIN(call->tile, call->height - y);
    const int columns = WKI_MIN(call->tile, call->width - x);
    for (int o = call->channel_begin; o < call->channel_end; o++, to += channel) {
        const float *from =
            call->delta + o * plane.channel + y / step * plane.row + x / step * plane.column;
        const int32_t *taken = call->unpools;
        if (taken != NULL)
            taken += o * by.channel + y / call->tile * by.row + x / call->tile * by.column;
        for (int v = 0; v < lanes; v += VW)
            with->delta(from + v, taken == NULL ? NULL : taken + v, plane, rows, columns, to + v, place);
    }
}

/* Each lane's sum of some channels of an unpooled delta, over its rows as they would be. */
ALWAYS_INLINE void unpooled_lanes(const wki_winograd_gradient_call *call, int channel, float *lanes,
                                  const int count)
{
    const wki_plane plane = call->out, by = call->taken_plane;
    UNROLL for (int v = 0; v < WKI_LANES; v += VW)
    {
        vec sum[BIAS_CHANNELS] = {{0}};
        for (int y = 0; y < call->height; y++) {
            const float *delta = call->delta + channel * plane.channel + y / 2 * plane.row + v;
            const int32_t *taken = call->unpools + channel * by.channel + y / call->tile * by.row + v;
            for (int x = 0; x < call->width; x += 2) {
                const int both = 3 << (y % call->tile * call->tile + x % call->tile);
                UNROLL for (int c = 0; c < count; c++) sum[c] +=
                    unpooled(load(delta + c * plane.channel + x / 2 * plane.column),
                             load_taken(taken + c * by.channel + x / call->tile * by.column), both);
            }
        }
        UNROLL for (int c = 0; c < count; c++) store(lanes + c * WKI_LANES + v, sum[c]);
    }
}

/* The bias's gradient of an unpooled delta: several channels at a time, so that an addition need not wait for the one
 * before. */
static void unpooled_bias(const wki_winograd_gradient_call *call)
{
    float lanes[BIAS_CHANNELS * WKI_LANES];
    for (int o = call->channel_begin, count; o < call->channel_end; o += count) {
        count = call->channel_end - o < BIAS_CHANNELS ? 1 : BIAS_CHANNELS;
        if (count == 1)
            unpooled_lanes(call, o, lanes, 1);
        else
            unpooled_lanes(call, o, lanes, BIAS_CHANNELS);
        add_up_lanes(lanes, count, call->accumulate, call->bias_gradient + o);
    }
}

/* The bias's gradient. */
static void finish_bias(const wki_winograd_gradient_call *call)
{
    if (call->bias_gradient == NULL)
        return;
    if (call->unpools == NULL)
        conv2d_bias(call->delta, call->out, call->height, call->width, call->channel_begin,
                    call->channel_end, call->accumulate, call->bias_gradient);
    else
        unpooled_bias(call);
}

#endif

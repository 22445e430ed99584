/* The convolution in lanes; also the gradient of its input, which is a convolution with other
 * offsets.
 *
 * A tile is nc output channels at nx neighbouring columns, held in registers while the taps go by:
 * each tap loads nx pixels (VPB vectors each), broadcasts nc weights and does nc * nx * VPB
 * multiply-adds. Where half of the lanes are enough, twice as many columns take their place.
 */
#include "cpu/kernel_vector.h"

/* At least 8 sums keep two multiply-add units of latency 4 busy; sums, pixels and a weight must fit
 * the registers. */
#if REGISTERS == 32 && VPB == 1
#define MAX_CHANNELS 6
#define COLUMNS(nc)  ((nc) >= 4 ? 4 : 6)
/* Where there are fewer columns than that: more channels, of two columns or of one. */
#define NARROW_CHANNELS 12
#elif REGISTERS == 32
#define MAX_CHANNELS 6
#define COLUMNS(nc)  ((nc) >= 2 ? 1 : 2)
#elif VPB == 2
#define MAX_CHANNELS 6
#define COLUMNS(nc)  ((nc) >= 3 ? 1 : (nc) == 2 ? 2 : 4)
#else
#define MAX_CHANNELS 2
#define COLUMNS(nc)  1
#endif
#ifdef NARROW_CHANNELS
#define TILE_CHANNELS NARROW_CHANNELS
#else
#define TILE_CHANNELS MAX_CHANNELS
#endif
enum { MAX_COLUMNS = 8, STRIP_COLUMNS = 14, STRIP_TAPS = 512, CHUNK_TAPS = 128 };

/* Some columns of a row for some taps; the first begin with the bias, later ones with what is there. */
typedef struct strip {
    const wki_conv2d_call *call;
    int row, begin, end;
    ptrdiff_t tap_begin, tap_end;
} strip;

ALWAYS_INLINE void tile(const strip *s, int channel, int first, const int nc, const int nx, const int nv)
{
    const wki_conv2d_call *call = s->call;
    const int row = s->row;
    const float *input = call->input + row * call->in.row + first * call->in.column;
    const ptrdiff_t taps = call->taps, column = call->in.column;
    const float *weight = call->weight + channel * taps;
    const int32_t *offset = call->offset;
    const wki_plane out = call->out, mask_plane = call->mask_plane;
    float *output = call->output + channel * out.channel + row * out.row + first * out.column;
    vec sum[TILE_CHANNELS][MAX_COLUMNS][VPB];
    UNROLL for (int c = 0; c < nc; c++)
    {
        vec bias = splat(call->bias != NULL ? call->bias[channel + c] : 0.0f);
        UNROLL for (int x = 0; x < nx; x++) UNROLL for (int v = 0; v < nv; v++) sum[c][x][v] =
            s->tap_begin == 0 ? bias : load(output + c * out.channel + x * out.column + v * VW);
    }
    for (ptrdiff_t t = s->tap_begin; t < s->tap_end; t++) {
        const float *in = input + offset[t];
        vec pixel[MAX_COLUMNS][VPB];
        UNROLL for (int x = 0; x < nx; x++) UNROLL for (int v = 0; v < nv; v++) pixel[x][v] =
            load(in + x * column + v * VW);
        UNROLL for (int c = 0; c < nc; c++)
        {
            vec w = splat(weight[c * taps + t]);
            UNROLL for (int x = 0; x < nx; x++) UNROLL for (int v = 0; v < nv; v++) sum[c][x][v] +=
                w * pixel[x][v];
        }
    }
    /* Copied: the compiler must take it that the stores may change *call. */
    const bool last = s->tap_end == taps, relu = call->relu && last;
    const float *mask = last ? call->mask : NULL;
    if (mask != NULL)
        mask += channel * mask_plane.channel + row * mask_plane.row + first * mask_plane.column;
    UNROLL for (int c = 0; c < nc; c++)
    {
        UNROLL for (int x = 0; x < nx; x++) UNROLL for (int v = 0; v < nv; v++)
        {
            vec value = sum[c][x][v];
            if (relu)
                value = relu_vec(value);
            if (mask != NULL)
                value = mask_vec(load(mask + c * mask_plane.channel + x * mask_plane.column + v * VW),
                                 value);
            store(output + c * out.channel + x * out.column + v * VW, value);
        }
        UNROLL for (int x = 0; x < nx; x++) UNROLL for (int v = nv; v < VPB; v++)
            store(output + c * out.channel + x * out.column + v * VW, (vec){0});
    }
}

/* The columns begin .. end of a row for some channels. One function for each number of channels, so
 * that each has the registers to itself; and for half of the lanes, where more than one vector holds them. */
typedef void strip_function(const strip *s, int channel);

#define STRIP(name, nc, columns, nv)                                                                    \
    static __attribute__((noinline)) void name##_##nc(const strip *s, int channel)                      \
    {                                                                                                   \
        int x = s->begin;                                                                               \
        for (; x + (columns) <= s->end; x += (columns))                                                 \
            tile(s, channel, x, nc, columns, nv);                                                       \
        for (; (columns) > 1 && x < s->end; x++)                                                        \
            tile(s, channel, x, nc, 1, nv);                                                             \
    }
#define FULL_STRIP(nc) STRIP(strip, nc, COLUMNS(nc), VPB)
FULL_STRIP(1)
FULL_STRIP(2)
#if MAX_CHANNELS > 2
FULL_STRIP(3)
FULL_STRIP(4)
FULL_STRIP(5)
FULL_STRIP(6)
#endif
#if HALF > 0
#define HALF_STRIP(nc) STRIP(half_strip, nc, WKI_MIN(2 * COLUMNS(nc), MAX_COLUMNS), HALF)
HALF_STRIP(1)
HALF_STRIP(2)
#if MAX_CHANNELS > 2
HALF_STRIP(3)
HALF_STRIP(4)
HALF_STRIP(5)
HALF_STRIP(6)
#endif
#endif

#if MAX_CHANNELS > 2
#define STRIP_NAMES(name)                                                                               \
    {                                                                                                   \
        NULL, name##_1, name##_2, name##_3, name##_4, name##_5, name##_6                                \
    }
#else
#define STRIP_NAMES(name)                                                                               \
    {                                                                                                   \
        NULL, name##_1, name##_2                                                                        \
    }
#endif
#ifdef NARROW_CHANNELS
#define NARROW_STRIP(nc) STRIP(narrow_strip, nc, 2, VPB)
FOR_PRODUCT_CHANNELS(NARROW_STRIP)
#define NARROW_NAME(nc) narrow_strip_##nc,
static strip_function *const narrow_strips[NARROW_CHANNELS + 1] = {NULL,
                                                                   FOR_PRODUCT_CHANNELS(NARROW_NAME)};
#endif

/* [half of the lanes][channels] */
static strip_function *const strips[2][MAX_CHANNELS + 1] = {
    STRIP_NAMES(strip),
#if HALF > 0
    STRIP_NAMES(half_strip),
#else
    STRIP_NAMES(strip),
#endif
};

/* The channels go by in groups of as equal a size as can be. All groups do a strip of columns
 * before the next, while the pixels that it reads are in the L1 cache: a whole row if the taps are
 * few. Of many taps some are done at a time, for the same reason; the sums wait in the output. */
static void one_row(const wki_conv2d_call *call, int y)
{
    bool half = call->images <= WKI_LANES / 2;
    strip_function *const *functions = strips[half];
    int most = MAX_CHANNELS;
#ifdef NARROW_CHANNELS
    if (call->columns < COLUMNS(MAX_CHANNELS)) {
        functions = narrow_strips;
        most = NARROW_CHANNELS;
    }
#endif
    int groups = (call->channels + most - 1) / most;
    int width = WKI_MAX(STRIP_COLUMNS, STRIP_TAPS / WKI_MAX(1, call->taps));
    strip s = {.call = call, .row = y};
    for (s.begin = 0; s.begin < call->columns; s.begin = s.end) {
        s.end = WKI_MIN(s.begin + width, call->columns);
        s.tap_end = 0;
        do {
            s.tap_begin = s.tap_end;
            s.tap_end = WKI_MIN(s.tap_begin + CHUNK_TAPS, call->taps);
            for (int g = 0; g < groups; g++) {
                int begin = (int)((int64_t)call->channels * g / groups);
                int behind = (int)((int64_t)call->channels * (g + 1) / groups);
                functions[behind - begin](&s, begin);
            }
        } while (s.tap_end < call->taps);
    }
}

void WKI_KERNEL(conv2d)(const wki_conv2d_call *call)
{
    for (int y = call->row_begin; y < call->row_end; y++)
        one_row(call, y);
}

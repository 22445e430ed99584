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
#define NARROW_CHANNELS PRODUCT_CHANNELS
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
#if MAX_CHANNELS == 6
#define FOR_STRIP_CHANNELS(F) FOR_1_TO_6(F)
#else
#define FOR_STRIP_CHANNELS(F) FOR_1_OR_2(F)
#endif
#ifdef NARROW_CHANNELS
#define TILE_CHANNELS NARROW_CHANNELS
#else
#define TILE_CHANNELS MAX_CHANNELS
#endif
/* Twice as many columns where half of the lanes are enough; or as many pairs of columns. */
#define HALF_COLUMNS(nc) (HALF == 0 ? COLUMNS(nc) : WKI_MIN(2 * COLUMNS(nc), MAX_COLUMNS))
enum { MAX_COLUMNS = 8, STRIP_COLUMNS = 14, STRIP_TAPS = 512, CHUNK_TAPS = 128, PLAIN_ROWS = 4 };

/* Taps that read neighbouring columns, with which what a tile loads is loaded once, if the registers hold it. */
#if REGISTERS == 32 && VPB == 1
enum { RUN = 3 };
#else
enum { RUN = 1 };
#endif

/* Some columns of some rows for some taps; the first begin with the bias, later ones with what is there. */
typedef struct strip {
    const wki_conv2d_call *call;
    int row_begin, row_end, begin, end;
    ptrdiff_t tap_begin, tap_end;
} strip;

/* Vector v of column x; or, of `two`, half of the lanes of columns 2x and 2x + 1. */
ALWAYS_INLINE vec load_column(const float *from, ptrdiff_t column, int x, int v, const bool two)
{
    const float *at = from + (two ? 2 * x : x) * column + v * VW;
    return load_lanes(at, at + column, two);
}

ALWAYS_INLINE void store_column(float *to, ptrdiff_t column, int x, int v, const bool two, vec value)
{
#if VPB == 1
    if (two) {
        store(to + 2 * x * column, first_half(value));
        store(to + (2 * x + 1) * column, second_half(value));
        return;
    }
#endif
    (void)two;
    store(to + x * column + v * VW, value);
}

/* nc channels at nx columns, nv vectors of each; of 0 vectors: at nx pairs of columns, half a vector of each. Of the commonest
 * calls, the plain ones, more is known: all taps are done at once, in runs, columns are next to each other, and there is no
 * mask; so most addresses are others and a number. */
ALWAYS_INLINE void tile(const strip *s, const wki_conv2d_call *call, int channel, int row, int first,
                        const int nc, const int nx, const int nv, const bool plain)
{
    const int run = plain ? RUN : 1;
    const bool two = nv == 0;
    const int vectors = two ? 1 : nv;
    const ptrdiff_t taps = call->taps, column = plain ? WKI_LANES : call->in.column;
    const ptrdiff_t tap_begin = plain ? 0 : s->tap_begin, tap_end = plain ? taps : s->tap_end;
    const float *input = call->input + row * call->in.row + first * column;
    const float *weight = call->weight + channel * taps;
    const int32_t *offset = call->offset;
    const wki_plane mask_plane = call->mask_plane;
    const wki_plane out = {call->out.channel, call->out.row, plain ? WKI_LANES : call->out.column};
    float *output = call->output + channel * out.channel + row * out.row + first * out.column;
    vec sum[TILE_CHANNELS][MAX_COLUMNS][VPB];
    UNROLL for (int c = 0; c < nc; c++)
    {
        vec bias = splat(call->bias != NULL ? call->bias[channel + c] : 0.0f);
        UNROLL for (int x = 0; x < nx; x++) UNROLL for (int v = 0; v < vectors; v++) sum[c][x][v] =
            tap_begin == 0 ? bias : load_column(output + c * out.channel, out.column, x, v, two);
    }
    for (ptrdiff_t t = tap_begin; t < tap_end; t += run) {
        const float *in = input + offset[t];
        vec pixel[MAX_COLUMNS + RUN - 1][VPB];
        UNROLL for (int x = 0; x < nx + run - 1; x++) UNROLL for (int v = 0; v < vectors; v++)
            pixel[x][v] = load_column(in, column, x, v, two);
        UNROLL for (int k = 0; k < run; k++) UNROLL for (int c = 0; c < nc; c++)
        {
            vec w = splat(weight[c * taps + t + k]);
            UNROLL for (int x = 0; x < nx; x++) UNROLL for (int v = 0; v < vectors; v++) sum[c][x][v] +=
                w * pixel[x + k][v];
        }
    }
    /* Copied: the compiler must take it that the stores may change *call. */
    const bool last = tap_end == taps, relu = call->relu && last;
    const float *mask = last && !plain ? call->mask : NULL;
    if (mask != NULL)
        mask += channel * mask_plane.channel + row * mask_plane.row + first * mask_plane.column;
    UNROLL for (int c = 0; c < nc; c++, output += out.channel)
    {
        FORGET_ORIGIN(output);
        UNROLL for (int x = 0; x < nx; x++) UNROLL for (int v = 0; v < vectors; v++)
        {
            vec value = sum[c][x][v];
            if (relu)
                value = relu_vec(value);
            if (mask != NULL)
                value = mask_vec(
                    load_column(mask + c * mask_plane.channel, mask_plane.column, x, v, two), value);
            store_column(output, out.column, x, v, two, value);
        }
        UNROLL for (int x = 0; x < nx; x++) UNROLL for (int v = vectors; v < VPB; v++)
            store(output + x * out.column + v * VW, (vec){0});
    }
}

/* The columns begin .. end of a row for some channels. One function for each number of channels, so
 * that each has the registers to itself; and for half of the lanes. */
typedef void strip_function(const strip *s, int channel);

#define STRIP(name, nc, columns, nv)                                                                    \
    static __attribute__((noinline)) void name##_##nc(const strip *s, int channel)                      \
    {                                                                                                   \
        const int each = (nv) == 0 ? 2 : 1;                                                             \
        for (int y = s->row_begin; y < s->row_end; y++) {                                               \
            int x = s->begin;                                                                           \
            for (; x + (columns)*each <= s->end; x += (columns)*each)                                   \
                tile(s, s->call, channel, y, x, nc, columns, nv, false);                                \
            for (; (columns) > 2 && x + 2 * each <= s->end; x += 2 * each)                              \
                tile(s, s->call, channel, y, x, nc, 2, nv, false);                                      \
            for (; (columns) > 1 && x + each <= s->end; x += each)                                      \
                tile(s, s->call, channel, y, x, nc, 1, nv, false);                                      \
            for (; each > 1 && x < s->end; x++)                                                         \
                tile(s, s->call, channel, y, x, nc, 1, VPB, false);                                     \
        }                                                                                               \
    }

/* The first columns of a plain strip, as many as whole tiles have. The call is copied, lest what is stored could change it. */
#define PLAIN_STRIP(nc)                                                                                 \
    static __attribute__((noinline)) void plain_strip_##nc(const strip *s, int channel)                 \
    {                                                                                                   \
        const wki_conv2d_call call = *s->call;                                                          \
        const strip own = *s;                                                                           \
        for (int y = own.row_begin; y < own.row_end; y++)                                               \
            for (int x = own.begin; x + COLUMNS(nc) <= own.end; x += COLUMNS(nc))                       \
                tile(&own, &call, channel, y, x, nc, COLUMNS(nc), VPB, true);                           \
    }
FOR_STRIP_CHANNELS(PLAIN_STRIP)
#define PLAIN_NAME(nc) plain_strip_##nc,
static strip_function *const plain_strips[MAX_CHANNELS + 1] = {NULL, FOR_STRIP_CHANNELS(PLAIN_NAME)};

#define FULL_STRIP(nc) STRIP(strip, nc, COLUMNS(nc), VPB)
#define HALF_STRIP(nc) STRIP(half_strip, nc, HALF_COLUMNS(nc), HALF)
FOR_STRIP_CHANNELS(FULL_STRIP)
FOR_STRIP_CHANNELS(HALF_STRIP)

#define FULL_NAME(nc) strip_##nc,
#define HALF_NAME(nc) half_strip_##nc,
/* [half of the lanes][channels] */
static strip_function *const strips[2][MAX_CHANNELS + 1] = {
    {NULL, FOR_STRIP_CHANNELS(FULL_NAME)},
    {NULL, FOR_STRIP_CHANNELS(HALF_NAME)},
};

#ifdef NARROW_CHANNELS
#define NARROW_STRIP(nc) STRIP(narrow_strip, nc, 2, VPB)
FOR_PRODUCT_CHANNELS(NARROW_STRIP)
#define NARROW_NAME(nc) narrow_strip_##nc,
static strip_function *const narrow_strips[NARROW_CHANNELS + 1] = {NULL,
                                                                   FOR_PRODUCT_CHANNELS(NARROW_NAME)};
#endif

/* Whether the taps come in runs. */
static bool has_runs(const wki_conv2d_call *call)
{
    for (ptrdiff_t t = 0; t < call->taps; t++)
        if (t % RUN > 0 && call->offset[t] - call->offset[t - 1] != WKI_LANES)
            return false;
    return call->taps % RUN == 0;
}

static bool is_plain(const wki_conv2d_call *call)
{
    return call->images > WKI_LANES / 2 && call->taps <= CHUNK_TAPS && call->mask == NULL &&
           call->in.column == WKI_LANES && call->out.column == WKI_LANES && has_runs(call);
}

/* nc channels; what is not plain by the other function. */
static void run_strip(strip s, bool plain, strip_function *other, int channel, int nc)
{
    if (plain) {
        plain_strips[nc](&s, channel);
        s.begin += (s.end - s.begin) / COLUMNS(nc) * COLUMNS(nc);
    }
    if (s.begin < s.end)
        other(&s, channel);
}

/* The channels go by in groups of as equal a size as can be. All groups do a strip of columns
 * before the next, while the pixels that it reads are in the L1 cache: whole rows if the taps are
 * few. Of many taps some are done at a time, for the same reason; the sums wait in the output. */
static void some_rows(const wki_conv2d_call *call, int row_begin, int row_end, bool plain)
{
    bool half = call->images <= WKI_LANES / 2;
    strip_function *const *functions = strips[half];
    int most = MAX_CHANNELS;
#ifdef NARROW_CHANNELS
    if (call->columns < COLUMNS(MAX_CHANNELS)) {
        functions = narrow_strips;
        most = NARROW_CHANNELS;
        plain = false;
    }
#endif
    int groups = (call->channels + most - 1) / most;
    int width = WKI_MAX(STRIP_COLUMNS, STRIP_TAPS / WKI_MAX(1, call->taps));
    strip s = {.call = call, .row_begin = row_begin, .row_end = row_end};
    for (s.begin = 0; s.begin < call->columns; s.begin = s.end) {
        s.end = WKI_MIN(s.begin + width, call->columns);
        s.tap_end = 0;
        do {
            s.tap_begin = s.tap_end;
            s.tap_end = WKI_MIN(s.tap_begin + CHUNK_TAPS, call->taps);
            for (int g = 0; g < groups; g++) {
                int begin = (int)((int64_t)call->channels * g / groups);
                int behind = (int)((int64_t)call->channels * (g + 1) / groups);
                run_strip(s, plain, functions[behind - begin], begin, behind - begin);
            }
        } while (s.tap_end < call->taps);
    }
}

void WKI_KERNEL(conv2d)(const wki_conv2d_call *call)
{
    const bool plain = is_plain(call);
    const int rows = plain ? PLAIN_ROWS : 1;
    for (int y = call->row_begin; y < call->row_end; y += rows)
        some_rows(call, y, WKI_MIN(y + rows, call->row_end), plain);
}

/* The gradient of a convolution's weights by Winograd's way, as in conv2d_winograd_weight.c, where the channels are few: the
 * images stay in the lanes of V, of E and of the sums, which are over tiles alone, and the lanes are added up at the end.
 *
 * Nothing is turned, and no lane is empty, whatever the number of channels. Instead there are 16 sums for one: 230 KB for
 * 10 to 10 channels and windows of 6x6, which is what more channels are kept from by. Some tiles are transformed at a
 * time, as many as make it pay to load and store the sums.
 */
#include "cpu/winograd_gradient.h"

#include <string.h>

/* Sums in registers: of so many output channels and input channels. */
#if REGISTERS == 32
enum { OUTS = 5, INS = 5 };
#define FOR_OUTS(F) FOR_1_TO_5(F)
#else
enum { OUTS = 2, INS = 5 };
#define FOR_OUTS(F) FOR_1_OR_2(F)
#endif

typedef struct few {
    const wki_winograd_gradient_call *call;
    transforms by;
    int places;                         /* of a window */
    int channels;                       /* of delta */
    ptrdiff_t input_place, delta_place; /* from one place to the next; a cache line is left free */
    ptrdiff_t sums_place;
    float *input; /* V: [place][tile][in channel][lane] */
    float *delta; /* E: [place][tile][channel][lane] */
    float *sums;  /* dU: [place][channel][in channel][lane] */
} few;

/* ---- products at a place, summed over the tiles ---- */

ALWAYS_INLINE void multiply(const few *k, const float *input, const float *delta, float *sums, int tiles,
                            bool add, const int no, const int ni)
{
    const ptrdiff_t ins = k->call->in_channels * WKI_LANES, outs = k->channels * WKI_LANES;
    UNROLL for (int v = 0; v < WKI_LANES; v += VW)
    {
        vec sum[OUTS][INS];
        UNROLL for (int o = 0; o < no; o++) UNROLL for (int i = 0; i < ni; i++) sum[o][i] = (vec){0};
        if (add)
            UNROLL for (int o = 0; o < no; o++) UNROLL for (int i = 0; i < ni; i++) sum[o][i] =
                load(sums + o * ins + i * WKI_LANES + v);
        const float *x_at = input + v, *e_at = delta + v;
        for (int t = 0; t < tiles; t++, x_at += ins, e_at += outs) {
            vec x[INS];
            UNROLL for (int i = 0; i < ni; i++) x[i] = load(x_at + i * WKI_LANES);
            UNROLL for (int o = 0; o < no; o++)
            {
                vec e = load(e_at + o * WKI_LANES);
                KEEP_IN_REGISTER(e);
                UNROLL for (int i = 0; i < ni; i++) sum[o][i] += e * x[i];
            }
        }
        UNROLL for (int o = 0; o < no; o++) UNROLL for (int i = 0; i < ni; i++)
            store(sums + o * ins + i * WKI_LANES + v, sum[o][i]);
    }
}

typedef void multiply_function(const few *k, const float *input, const float *delta, float *sums,
                               int tiles, bool add);

#define MULTIPLY(no, ni)                                                                                \
    static __attribute__((noinline)) void multiply_##no##_##ni(                                         \
        const few *k, const float *input, const float *delta, float *sums, int tiles, bool add)         \
    {                                                                                                   \
        multiply(k, input, delta, sums, tiles, add, no, ni);                                            \
    }
#define MULTIPLY_ROW(no) MULTIPLY(no, 1) MULTIPLY(no, 2) MULTIPLY(no, 3) MULTIPLY(no, 4) MULTIPLY(no, 5)
FOR_OUTS(MULTIPLY_ROW)

#define NAMES(no)                                                                                       \
    {multiply_##no##_1, multiply_##no##_2, multiply_##no##_3, multiply_##no##_4, multiply_##no##_5},
static multiply_function *const multiply_functions[OUTS][INS] = {FOR_OUTS(NAMES)};

/* Piece `index` of count channels in as few pieces of at most `most` as there can be, all about as large: it begins there. */
static int piece_begin(int count, int most, int index)
{
    const int pieces = (count + most - 1) / most;
    return (int)((int64_t)count * index / pieces);
}

static void multiply_place(const few *k, int place, int tiles, bool add)
{
    const float *input = k->input + place * k->input_place, *delta = k->delta + place * k->delta_place;
    const int ins = k->call->in_channels;
    for (int a = 0, o = 0, no; o < k->channels; o += no) {
        no = piece_begin(k->channels, OUTS, ++a) - o;
        for (int b = 0, i = 0, ni; i < ins; i += ni) {
            ni = piece_begin(ins, INS, ++b) - i;
            multiply_functions[no - 1][ni - 1](
                k, input + i * WKI_LANES, delta + o * WKI_LANES,
                k->sums + place * k->sums_place + ((ptrdiff_t)o * ins + i) * WKI_LANES, tiles, add);
        }
    }
}

/* ---- the end ---- */

/* The sums over the lanes of some taps, those without an image left out. */
static void sum_taps(float taps[WINOGRAD_TAPS][WKI_LANES], int count, int images, float *sums)
{
    for (int t = 0; t < count && images < WKI_LANES; t++)
        memset(taps[t] + images, 0, (size_t)(WKI_LANES - images) * sizeof(float));
    int t = 0;
    for (; t + 4 <= count; t += 4)
        *(vec4 *)(sums + t) = sum_lanes_of_four(taps[t], taps[t + 1], taps[t + 2], taps[t + 3]);
    for (; t < count; t++)
        sums[t] = sum_lanes(taps[t]);
}

/* One output channel's and input channel's taps. */
static void finish_pair(const few *k, int o, int i)
{
    const wki_winograd_gradient_call *call = k->call;
    const int area = call->kernel * call->kernel;
    float taps[WINOGRAD_TAPS][WKI_LANES], sums[WINOGRAD_TAPS];
    float *gradient =
        call->gradient + ((ptrdiff_t)(call->channel_begin + o) * call->in_channels + i) * area;
    k->by.taps(k->sums + ((ptrdiff_t)o * call->in_channels + i) * WKI_LANES, k->sums_place, taps);
    sum_taps(taps, area, call->images, sums);
    for (int t = 0; t < area; t++)
        gradient[t] = call->accumulate ? gradient[t] + sums[t] : sums[t];
}

static few lay_out(const wki_winograd_gradient_call *call, int tiles)
{
    const int side = call->tile + call->kernel - 1;
    few k = {.call = call,
             .by = find_transforms(call),
             .places = side * side,
             .channels = call->channel_end - call->channel_begin,
             .sums = call->scratch};
    k.input_place = ((ptrdiff_t)tiles * call->in_channels + 1) * WKI_LANES;
    k.delta_place = ((ptrdiff_t)tiles * k.channels + 1) * WKI_LANES;
    k.sums_place = (ptrdiff_t)k.channels * call->in_channels * WKI_LANES;
    k.input = k.sums + k.places * k.sums_place;
    k.delta = k.input + k.places * k.input_place;
    return k;
}

void WKI_KERNEL(winograd_gradient_few)(const wki_winograd_gradient_call *call)
{
    const int tile = call->tile, across = (call->width + tile - 1) / tile;
    const int all = (call->height + tile - 1) / tile * across;
    const int most = wki_winograd_few_tiles(tile + call->kernel - 1, call->in_channels, call->channels);
    const few k = lay_out(call, most);
    for (int first = 0, tiles; first < all; first += tiles) {
        tiles = WKI_MIN(most, all - first);
        for (int t = 0; t < tiles; t++) {
            const int y = (first + t) / across * tile, x = (first + t) % across * tile;
            k.by.window(call->input + y * call->in.row + x * call->in.column, call->in,
                        call->in_channels, k.input + (ptrdiff_t)t * call->in_channels * WKI_LANES,
                        k.input_place);
            delta_tile(call, &k.by, y, x, WKI_LANES, k.delta + (ptrdiff_t)t * k.channels * WKI_LANES,
                       WKI_LANES, k.delta_place);
        }
        for (int place = 0; place < k.places; place++)
            multiply_place(&k, place, tiles, first > 0);
    }
    for (int o = 0; o < k.channels; o++)
        for (int i = 0; i < call->in_channels; i++)
            finish_pair(&k, o, i);
    finish_bias(call);
}

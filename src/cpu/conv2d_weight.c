/* The gradient of a convolution's weights, in lanes.
 *
 * Each weight's sum is kept as WKI_LANES partial sums, one a lane, in scratch: [o][t][lane], and
 * [o][lane] for the bias. A tile holds no * nt of these in registers for one vector of the lanes
 * while it sweeps some rows; the rows are few enough that delta stays in the L1 cache while all
 * taps go by. At the end the lanes are added up.
 */
#include "cpu/conv2d_bias.h"

#include <string.h>

/* A tile is no output channels times nt taps, MAX_OUT * MAX_TAPS at most: few channels, so that
 * several of delta's rows fit the L1 cache and a tile runs long before its sums go back to memory. */
#if REGISTERS == 32
#define MAX_OUT 4
#else
#define MAX_OUT 2
#endif
#define MAX_TAPS 6

/* So many numbers of each channel of delta go by at a time: those of a tile take about 16 or 32 KB of the L1 cache. */
enum { DELTA_FLOATS = 2048 };

typedef struct sweep {
    const wki_conv2d_weight_call *call;
    float *sums, *bias; /* scratch of channel_begin */
    int row_begin, row_end;
} sweep;

/* with_bias: the sums of delta alone, too, which are there to be added up anyway. */
ALWAYS_INLINE void tile(const sweep *s, int o, int t, int v, const int no, const int nt,
                        const bool with_bias)
{
    const wki_conv2d_weight_call *call = s->call;
    const ptrdiff_t taps = call->taps, channel = call->out.channel;
    const ptrdiff_t delta_column = call->out.column, input_column = call->in.column;
    float *place = s->sums + ((o - call->channel_begin) * taps + t) * WKI_LANES + v * VW;
    float *bias_place = s->bias + (o - call->channel_begin) * WKI_LANES + v * VW;
    vec sum[MAX_OUT][MAX_TAPS], bias[MAX_OUT];
    UNROLL for (int i = 0; i < no; i++) UNROLL for (int j = 0; j < nt; j++) sum[i][j] =
        load(place + (i * taps + j) * WKI_LANES);
    UNROLL for (int i = 0; i < no && with_bias; i++) bias[i] = load(bias_place + i * WKI_LANES);
    for (int y = s->row_begin; y < s->row_end; y++) {
        const float *delta = call->delta + o * channel + y * call->out.row + v * VW;
        const float *input = call->input + y * call->in.row + v * VW;
        for (int x = 0; x < call->columns; x++) {
            vec d[MAX_OUT];
            UNROLL for (int i = 0; i < no; i++) d[i] = load(delta + i * channel);
            UNROLL for (int i = 0; i < no && with_bias; i++) bias[i] += d[i];
            UNROLL for (int j = 0; j < nt; j++)
            {
                vec pixel = load(input + call->offset[t + j]);
                KEEP_IN_REGISTER(pixel);
                UNROLL for (int i = 0; i < no; i++) sum[i][j] += d[i] * pixel;
            }
            delta += delta_column;
            input += input_column;
        }
    }
    UNROLL for (int i = 0; i < no; i++) UNROLL for (int j = 0; j < nt; j++)
        store(place + (i * taps + j) * WKI_LANES, sum[i][j]);
    UNROLL for (int i = 0; i < no && with_bias; i++) store(bias_place + i * WKI_LANES, bias[i]);
}

/* Whether the registers hold the bias's sums beside the others, delta's numbers and a pixel. */
#define BIAS_FITS(no, nt) ((no) * ((nt) + 2) + 2 <= REGISTERS)

typedef void tile_function(const sweep *s, int o, int t, int v);

#define TILE(no, nt)                                                                                    \
    static __attribute__((noinline)) void tile_##no##_##nt(const sweep *s, int o, int t, int v)         \
    {                                                                                                   \
        tile(s, o, t, v, no, nt, false);                                                                \
    }                                                                                                   \
    static __attribute__((noinline)) void bias_tile_##no##_##nt(const sweep *s, int o, int t, int v)    \
    {                                                                                                   \
        tile(s, o, t, v, no, nt, BIAS_FITS(no, nt));                                                    \
    }
#define TILES(no) TILE(no, 1) TILE(no, 2) TILE(no, 3) TILE(no, 4) TILE(no, 5) TILE(no, 6)
TILES(1)
TILES(2)
#if MAX_OUT > 2
TILES(3)
TILES(4)
#endif

/* [whether with the bias][channels][taps] */
#define TILE_NAMES(name, no)                                                                            \
    {                                                                                                   \
        NULL, name##_##no##_1, name##_##no##_2, name##_##no##_3, name##_##no##_4, name##_##no##_5,      \
            name##_##no##_6                                                                             \
    }
#if MAX_OUT > 2
#define TABLE(name)                                                                                     \
    {                                                                                                   \
        {NULL}, TILE_NAMES(name, 1), TILE_NAMES(name, 2), TILE_NAMES(name, 3), TILE_NAMES(name, 4)      \
    }
#else
#define TABLE(name)                                                                                     \
    {                                                                                                   \
        {NULL}, TILE_NAMES(name, 1), TILE_NAMES(name, 2)                                                \
    }
#endif
static tile_function *const tiles[2][MAX_OUT + 1][MAX_TAPS + 1] = {TABLE(tile), TABLE(bias_tile)};

/* All taps of some output channels, in groups of as equal a size as can be. Both halves of a cache line are used while
 * it is in the L1 cache. */
static void sweep_taps(const sweep *s, int o, int no)
{
    const int taps = s->call->taps, groups = (taps + MAX_TAPS - 1) / MAX_TAPS;
    const bool bias = s->call->bias_gradient != NULL;
    bool done = false;
    for (int g = 0; g < groups; g++) {
        int begin = (int)((int64_t)taps * g / groups), end = (int)((int64_t)taps * (g + 1) / groups);
        const bool with_bias = bias && g == 0 && BIAS_FITS(no, end - begin);
        for (int v = 0; v * VW < s->call->images; v++)
            tiles[with_bias][no][end - begin](s, o, begin, v);
        done |= with_bias;
    }
    if (bias && !done)
        conv2d_bias_lanes(s->call->delta, s->call->out, s->row_begin, s->row_end, s->call->columns, o,
                          o + no, s->bias + (o - s->call->channel_begin) * WKI_LANES);
}

static void sweep_rows(const sweep *s)
{
    const wki_conv2d_weight_call *call = s->call;
    int count = call->channel_end - call->channel_begin;
    int groups = (count + MAX_OUT - 1) / MAX_OUT;
    for (int g = 0; g < groups; g++) {
        int begin = (int)((int64_t)count * g / groups), end = (int)((int64_t)count * (g + 1) / groups);
        sweep_taps(s, call->channel_begin + begin, end - begin);
    }
}

void WKI_KERNEL(conv2d_weight)(const wki_conv2d_weight_call *call)
{
    const ptrdiff_t count = call->channel_end - call->channel_begin, sums = count * call->taps;
    float *bias = call->scratch + sums * WKI_LANES;
    memset(call->scratch, 0, (size_t)(sums + count) * WKI_LANES * sizeof(float));
    int rows = WKI_MAX(1, DELTA_FLOATS / WKI_MAX(1, call->columns * WKI_LANES));
    for (int y = 0; y < call->rows; y += rows) {
        sweep s = {call, call->scratch, bias, y, WKI_MIN(y + rows, call->rows)};
        sweep_rows(&s);
    }
    add_up_lanes(call->scratch, sums, call->accumulate,
                 call->gradient + call->channel_begin * call->taps);
    if (call->bias_gradient != NULL)
        add_up_lanes(bias, count, call->accumulate, call->bias_gradient + call->channel_begin);
}

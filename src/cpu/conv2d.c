/* The convolution in lanes; also the gradient of its input, which is a convolution with other offsets.
 *
 * A tile is nc output channels at nx neighbouring columns, held in registers while the taps go by: each tap
 * loads nx pixels (VPB vectors each), broadcasts nc weights and does nc * nx * VPB multiply-adds. */
#include "cpu/kernel_vector.h"

/* At least 8 sums keep two multiply-add units of latency 4 busy; sums, pixels and a weight must fit the registers. */
#if REGISTERS == 32 && VPB == 1
#define MAX_CHANNELS 6
#define COLUMNS(nc) ((nc) >= 4 ? 4 : 6)
#elif REGISTERS == 32
#define MAX_CHANNELS 6
#define COLUMNS(nc) ((nc) >= 2 ? 1 : 2)
#elif VPB == 2
#define MAX_CHANNELS 6
#define COLUMNS(nc) ((nc) >= 3 ? 1 : (nc) == 2 ? 2 : 4)
#else
#define MAX_CHANNELS 2
#define COLUMNS(nc) 1
#endif
enum { MAX_COLUMNS = 6 };

ALWAYS_INLINE void tile(const wki_conv2d_call *call, int channel, int row, int first, const int nc, const int nx)
{
    const float *input = call->input + row * call->in.row + first * call->in.column;
    const ptrdiff_t taps = call->taps, column = call->in.column;
    const float *weight = call->weight + channel * taps;
    const int32_t *offset = call->offset;
    vec sum[MAX_CHANNELS][MAX_COLUMNS][VPB];
    UNROLL for (int c = 0; c < nc; c++) {
        vec bias = splat(call->bias != NULL ? call->bias[channel + c] : 0.0f);
        UNROLL for (int x = 0; x < nx; x++)
            UNROLL for (int v = 0; v < VPB; v++)
                sum[c][x][v] = bias;
    }
    for (ptrdiff_t t = 0; t < taps; t++) {
        const float *in = input + offset[t];
        vec pixel[MAX_COLUMNS][VPB];
        UNROLL for (int x = 0; x < nx; x++)
            UNROLL for (int v = 0; v < VPB; v++)
                pixel[x][v] = load(in + x * column + v * VW);
        UNROLL for (int c = 0; c < nc; c++) {
            vec w = splat(weight[c * taps + t]);
            UNROLL for (int x = 0; x < nx; x++)
                UNROLL for (int v = 0; v < VPB; v++)
                    sum[c][x][v] += w * pixel[x][v];
        }
    }
    /* Copied: the compiler must take it that the stores may change *call. */
    const wki_plane out = call->out, mask_plane = call->mask_plane;
    const bool relu = call->relu;
    const float *mask = call->mask;
    float *output = call->output + channel * out.channel + row * out.row + first * out.column;
    if (mask != NULL)
        mask += channel * mask_plane.channel + row * mask_plane.row + first * mask_plane.column;
    UNROLL for (int c = 0; c < nc; c++) {
        UNROLL for (int x = 0; x < nx; x++)
            UNROLL for (int v = 0; v < VPB; v++) {
                vec value = sum[c][x][v];
                if (relu)
                    value = relu_vec(value);
                if (mask != NULL)
                    value = mask_vec(load(mask + c * mask_plane.channel + x * mask_plane.column + v * VW), value);
                store(output + c * out.channel + x * out.column + v * VW, value);
            }
    }
}

/* The tiles, each a function of its own so that each has the registers to itself. */
typedef void tile_function(const wki_conv2d_call *call, int channel, int y, int x);

#define TILE(nc)                                                                                              \
    static __attribute__((noinline)) void tile_##nc(const wki_conv2d_call *call, int channel, int y, int x)   \
    {                                                                                                         \
        tile(call, channel, y, x, nc, 1);                                                                     \
    }                                                                                                         \
    static __attribute__((noinline)) void wide_##nc(const wki_conv2d_call *call, int channel, int y, int x)   \
    {                                                                                                         \
        tile(call, channel, y, x, nc, COLUMNS(nc));                                                           \
    }
TILE(1)
TILE(2)
#if MAX_CHANNELS > 2
TILE(3)
TILE(4)
TILE(5)
TILE(6)
#endif

static tile_function *const tiles[MAX_CHANNELS + 1][2] = {
    {NULL, NULL}, {tile_1, wide_1}, {tile_2, wide_2},
#if MAX_CHANNELS > 2
    {tile_3, wide_3}, {tile_4, wide_4}, {tile_5, wide_5}, {tile_6, wide_6},
#endif
};

/* The channels go by in groups of as equal a size as can be. A tile may have more columns for fewer channels: the row
 * goes by the steps of its smallest group, and a group with another step does the columns one by one. */
static void one_row(const wki_conv2d_call *call, int y)
{
    int groups = (call->channels + MAX_CHANNELS - 1) / MAX_CHANNELS;
    int step = COLUMNS(call->channels / groups);
    for (int x = 0; x < call->columns;) {
        bool wide = x + step <= call->columns;
        for (int g = 0; g < groups; g++) {
            int begin = call->channels * g / groups, nc = call->channels * (g + 1) / groups - begin;
            if (!wide || COLUMNS(nc) == step)
                tiles[nc][wide](call, begin, y, x);
            else
                for (int i = 0; i < step; i++)
                    tiles[nc][0](call, begin, y, x + i);
        }
        x += wide ? step : 1;
    }
}

void WKI_KERNEL(conv2d)(const wki_conv2d_call *call)
{
    for (int y = call->row_begin; y < call->row_end; y++)
        one_row(call, y);
}

/* The 3x3 convolution by Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray, "Fast Algorithms
 * for Convolutional Neural Networks", 2015), in lanes: for every 2x2 outputs the 4x4 inputs of each
 * channel are transformed (V = B^T d B), for each of the 16 places the channels are multiplied and
 * summed (M = U V, with the weights' transform U = G g G^T), and each output channel is transformed
 * back (A^T M A). 16 products take the place of 36. */
#include "cpu/winograd.h"

#if REGISTERS == 32 || VPB == 2
#define MAX_CHANNELS 6
#else
#define MAX_CHANNELS 2
#endif

void WKI_KERNEL(winograd_weights)(const wki_winograd_weights_call *call)
{
    ptrdiff_t plane = (ptrdiff_t)call->channels * call->in_channels;
    for (int o = 0; o < call->channels; o++) {
        for (int i = 0; i < call->in_channels; i++) {
            const float *g = call->weight + o * call->channel_stride + i * call->in_channel_stride;
            float rows[4][3];
            for (int x = 0; x < 3; x++) {
                int at = call->flip ? 8 - x : x, step = call->flip ? -3 : 3;
                float a = g[at], b = g[at + step], c = g[at + 2 * step];
                rows[0][x] = a;
                rows[1][x] = 0.5f * (a + b + c);
                rows[2][x] = 0.5f * (a - b + c);
                rows[3][x] = c;
            }
            float *to = call->transformed + (ptrdiff_t)o * call->in_channels + i;
            for (int y = 0; y < 4; y++) {
                float a = rows[y][0], b = rows[y][1], c = rows[y][2];
                to[(4 * y + 0) * plane] = a;
                to[(4 * y + 1) * plane] = 0.5f * (a + b + c);
                to[(4 * y + 2) * plane] = 0.5f * (a - b + c);
                to[(4 * y + 3) * plane] = c;
            }
        }
    }
}

/* From one place to the next: V's channels, and a cache line more, lest all places fall on the same few of the cache's
 * sets where the number of channels is a power of two. */
ALWAYS_INLINE ptrdiff_t place_floats(const wki_winograd_call *call)
{
    return ((ptrdiff_t)call->in_channels + 1) * WKI_LANES;
}

/* V[place][channel][lane] of the tile whose window begins at input; of the first half of the lanes alone. */
static __attribute__((noinline)) void input_tile(const wki_winograd_call *call, const float *input,
                                                 float *transformed)
{
    winograd_window(input, call->in, call->in_channels, transformed, place_floats(call), VPB);
}

static __attribute__((noinline)) void input_half_tile(const wki_winograd_call *call, const float *input,
                                                      float *transformed)
{
    winograd_window(input, call->in, call->in_channels, transformed, place_floats(call), HALF);
}

/* M[place][channel][lane] = sum over in channels of U[place][channel][in] V[place][in][lane], for
 * nc channels. */
ALWAYS_INLINE void multiply(const wki_winograd_call *call, int channel, const float *transformed,
                            float *products, const int nc)
{
    const ptrdiff_t ins = call->in_channels;
    for (ptrdiff_t place = 0; place < PLACES; place++) {
        const float *weight = call->weight + (place * call->channels + channel) * ins;
        const float *from = transformed + place * place_floats(call);
        vec sum[MAX_CHANNELS][VPB];
        UNROLL for (int c = 0; c < nc; c++) UNROLL for (int v = 0; v < VPB; v++) sum[c][v] = (vec){0};
        _Pragma("GCC unroll 2") for (ptrdiff_t i = 0; i < ins; i++)
        {
            vec x[VPB];
            UNROLL for (int v = 0; v < VPB; v++) x[v] = load(from + i * WKI_LANES + v * VW);
            UNROLL for (int c = 0; c < nc; c++)
            {
                vec w = splat(weight[c * ins + i]);
                UNROLL for (int v = 0; v < VPB; v++) sum[c][v] += w * x[v];
            }
        }
        float *to = products + place * MAX_CHANNELS * WKI_LANES;
        UNROLL for (int c = 0; c < nc; c++) UNROLL for (int v = 0; v < VPB; v++)
            store(to + c * WKI_LANES + v * VW, sum[c][v]);
    }
}

typedef void multiply_function(const wki_winograd_call *call, int channel, const float *transformed,
                               float *products);

#define MULTIPLY(nc)                                                                                    \
    static __attribute__((noinline)) void multiply_##nc(const wki_winograd_call *call, int channel,     \
                                                        const float *transformed, float *products)      \
    {                                                                                                   \
        multiply(call, channel, transformed, products, nc);                                             \
    }
MULTIPLY(1)
MULTIPLY(2)
#if MAX_CHANNELS > 2
MULTIPLY(3)
MULTIPLY(4)
MULTIPLY(5)
MULTIPLY(6)
#endif

static multiply_function *const multiplies[MAX_CHANNELS + 1] = {
    NULL,       multiply_1, multiply_2,
#if MAX_CHANNELS > 2
    multiply_3, multiply_4, multiply_5, multiply_6,
#endif
};

/* The four outputs of one channel at (y, x), of the first `vectors` vectors of the lanes; the others' are 0. The
 * second row and column only if they exist. */
ALWAYS_INLINE void output_lanes(const wki_winograd_call *call, int channel, const float *products, int y,
                                int x, const int vectors)
{
    const wki_plane out = call->out, mask_plane = call->mask_plane;
    const vec bias = splat(call->bias != NULL ? call->bias[channel] : 0.0f);
    const float *mask = call->mask;
    const bool relu = call->relu;
    float *output = call->output + channel * out.channel + y * out.row + x * out.column;
    if (mask != NULL)
        mask += channel * mask_plane.channel + y * mask_plane.row + x * mask_plane.column;
    int rows = WKI_MIN(2, call->height - y), columns = WKI_MIN(2, call->width - x);
    UNROLL for (int v = 0; v < vectors; v++)
    {
        vec s[2][4];
        UNROLL for (int j = 0; j < 4; j++)
        {
            vec m[4];
            UNROLL for (int i = 0; i < 4; i++) m[i] =
                load(products + (4 * i + j) * MAX_CHANNELS * WKI_LANES + v * VW);
            s[0][j] = m[0] + m[1] + m[2];
            s[1][j] = m[1] - m[2] - m[3];
        }
        UNROLL for (int i = 0; i < 2; i++)
        {
            vec value[2] = {bias + (s[i][0] + s[i][1] + s[i][2]), bias + (s[i][1] - s[i][2] - s[i][3])};
            UNROLL for (int j = 0; j < 2; j++)
            {
                if (i >= rows || j >= columns)
                    continue;
                if (relu)
                    value[j] = relu_vec(value[j]);
                if (mask != NULL)
                    value[j] = mask_vec(load(mask + i * mask_plane.row + j * mask_plane.column + v * VW),
                                        value[j]);
                store(output + i * out.row + j * out.column + v * VW, value[j]);
            }
        }
    }
    for (int v = vectors; v < VPB; v++)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                store(output + i * out.row + j * out.column + v * VW, (vec){0});
}

static void output_tile(const wki_winograd_call *call, int channel, const float *products, int y, int x)
{
    output_lanes(call, channel, products, y, x, VPB);
}

/* Two tiles side by side (the second only if it exists), half of the lanes each. */
static void output_pair(const wki_winograd_call *call, int channel, const float *products, int y, int x)
{
    output_lanes(call, channel, products, y, x, HALF);
    if (x + 2 < call->width)
        output_lanes(call, channel, products + WKI_LANES / 2, y, x + 2, HALF);
}

/* Tiles of two rows: one after the other or, where half of the lanes are enough, two in the place of one. */
static void tile_row(const wki_winograd_call *call, float *transformed, float *products, int y)
{
    const bool pairs = HALF > 0 && call->images <= WKI_LANES / 2;
    const int groups = (call->channels + MAX_CHANNELS - 1) / MAX_CHANNELS;
    for (int x = 0; x < call->width; x += pairs ? 4 : 2) {
        const float *input = call->input + y * call->in.row + x * call->in.column;
        if (!pairs)
            input_tile(call, input, transformed);
        if (pairs)
            input_half_tile(call, input, transformed);
        if (pairs && x + 2 < call->width)
            input_half_tile(call, input + 2 * call->in.column, transformed + WKI_LANES / 2);
        for (int g = 0; g < groups; g++) {
            int begin = (int)((int64_t)call->channels * g / groups);
            int end = (int)((int64_t)call->channels * (g + 1) / groups);
            multiplies[end - begin](call, begin, transformed, products);
            for (int c = begin; c < end; c++)
                (pairs ? output_pair : output_tile)(call, c, products + (c - begin) * WKI_LANES, y, x);
        }
    }
}

void WKI_KERNEL(winograd)(const wki_winograd_call *call)
{
    float *transformed = call->scratch, *products = transformed + PLACES * place_floats(call);
    for (int y = 2 * call->row_begin; y < WKI_MIN(2 * call->row_end, call->height); y += 2)
        tile_row(call, transformed, products, y);
}

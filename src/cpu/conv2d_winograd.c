/* The 3x3 convolution by Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray, "Fast Algorithms
 * for Convolutional Neural Networks", 2015), in lanes: for every 2x2 outputs the 4x4 inputs of each
 * channel are transformed (V = B^T d B), for each of the 16 places the channels are multiplied and
 * summed (M = U V, with the weights' transform U = G g G^T), and each output channel is transformed
 * back (A^T M A). 16 products take the place of 36. */
#include "cpu/kernel_vector.h"

#if REGISTERS == 32 || VPB == 2
#define MAX_CHANNELS 6
#else
#define MAX_CHANNELS 2
#endif
enum { PLACES = 16 };

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

/* One row of the window times B: 4 pixels, columns 0 - 2, 1 + 2, 2 - 1, 1 - 3. */
ALWAYS_INLINE void load_row(const float *from, ptrdiff_t column, vec r[4])
{
    vec a = load(from), b = load(from + column), c = load(from + 2 * column),
        d = load(from + 3 * column);
    r[0] = a - c;
    r[1] = b + c;
    r[2] = c - b;
    r[3] = b - d;
}

ALWAYS_INLINE void store_row(float *to, ptrdiff_t place, const vec a[4], const vec b[4], const bool add)
{
    UNROLL for (int x = 0; x < 4; x++) store(to + x * place, add ? a[x] + b[x] : a[x] - b[x]);
}

/* V[place][channel][lane] of the tile whose window begins at input. The rows go by in an order that
 * has few of them in registers at a time. */
static __attribute__((noinline)) void input_tile(const wki_winograd_call *call, const float *input,
                                                 float *transformed)
{
    const ptrdiff_t row = call->in.row, column = call->in.column,
                    place = (ptrdiff_t)call->in_channels * WKI_LANES;
    for (int i = 0; i < call->in_channels; i++) {
        UNROLL for (int v = 0; v < VPB; v++)
        {
            const float *from = input + i * call->in.channel + v * VW;
            float *to = transformed + i * WKI_LANES + v * VW;
            vec p[4], q[4];
            load_row(from, column, p);
            load_row(from + 2 * row, column, q);
            store_row(to, place, p, q, false);
            load_row(from + row, column, p);
            store_row(to + 4 * place, place, p, q, true);
            store_row(to + 8 * place, place, q, p, false);
            load_row(from + 3 * row, column, q);
            store_row(to + 12 * place, place, p, q, false);
        }
    }
}

/* M[place][channel][lane] = sum over in channels of U[place][channel][in] V[place][in][lane], for
 * nc channels. */
ALWAYS_INLINE void multiply(const wki_winograd_call *call, int channel, const float *transformed,
                            float *products, const int nc)
{
    const ptrdiff_t ins = call->in_channels;
    for (ptrdiff_t place = 0; place < PLACES; place++) {
        const float *weight = call->weight + (place * call->channels + channel) * ins;
        const float *from = transformed + place * ins * WKI_LANES;
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

/* The four outputs of one channel at (y, x); the second row and column only if they exist. */
static void output_tile(const wki_winograd_call *call, int channel, const float *products, int y, int x)
{
    const wki_plane out = call->out, mask_plane = call->mask_plane;
    const vec bias = splat(call->bias != NULL ? call->bias[channel] : 0.0f);
    const float *mask = call->mask;
    const bool relu = call->relu;
    float *output = call->output + channel * out.channel + y * out.row + x * out.column;
    if (mask != NULL)
        mask += channel * mask_plane.channel + y * mask_plane.row + x * mask_plane.column;
    int rows = WKI_MIN(2, call->height - y), columns = WKI_MIN(2, call->width - x);
    UNROLL for (int v = 0; v < VPB; v++)
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
}

void WKI_KERNEL(winograd)(const wki_winograd_call *call)
{
    float *transformed = call->scratch,
          *products = transformed + (ptrdiff_t)PLACES * call->in_channels * WKI_LANES;
    int groups = (call->channels + MAX_CHANNELS - 1) / MAX_CHANNELS;
    for (int y = 2 * call->row_begin; y < WKI_MIN(2 * call->row_end, call->height); y += 2) {
        for (int x = 0; x < call->width; x += 2) {
            input_tile(call, call->input + y * call->in.row + x * call->in.column, transformed);
            for (int g = 0; g < groups; g++) {
                int begin = (int)((int64_t)call->channels * g / groups);
                int end = (int)((int64_t)call->channels * (g + 1) / groups);
                multiplies[end - begin](call, begin, transformed, products);
                for (int c = begin; c < end; c++)
                    output_tile(call, c, products + (c - begin) * WKI_LANES, y, x);
            }
        }
    }
}

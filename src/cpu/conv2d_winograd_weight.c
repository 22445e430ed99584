/* The gradient of a 3x3 convolution's weights by Winograd's F(2x2, 3x3), turned round: with V = B^T d B of every
 * 4x4 window of the input and E = A e A^T of the 2x2 of delta that it makes, dU = the sum over tiles and images
 * of E V at each of 16 places, and the gradient is G^T dU G. 16 products take the place of 36.
 *
 * At a place this is a product of matrices over tiles and images. So V is turned: 16 input channels in the lanes
 * and the images one behind the other, where absent ones take no time. E stays as it comes, for its numbers are
 * used one by one. Some tiles are transformed at a time, as many as make it pay to load and store the sums.
 */
#include "cpu/conv2d_bias.h"
#include "cpu/turned.h"
#include "cpu/winograd.h"

#include <string.h>

typedef struct chunk {
    const wki_winograd_gradient_call *call;
    int blocks;     /* of 16 input channels */
    int channels;   /* of delta */
    ptrdiff_t room; /* tiles of a chunk, times WKI_LANES */
    /* From one place to the next. A cache line is left free, lest all places fall on the same few of the cache's
     * sets where the numbers of channels are powers of two. */
    ptrdiff_t input_place, delta_place;
    float *window; /* [place][channel][lane] of a block of channels and one tile */
    float *input;  /* V: [place][block][tile, image][channel of the block] */
    float *delta;  /* E: [place][channel][tile, image] */
    float *sums;   /* dU: [place][block][channel][channel of the block] */
} chunk;

/* V of one tile. Lanes beyond the images are written where the next tile's come, or into the room behind. */
static void input_tile(const chunk *k, const float *input, int tile)
{
    const wki_winograd_gradient_call *call = k->call;
    for (int b = 0; b < k->blocks; b++) {
        int channels = WKI_MIN(WKI_LANES, call->in_channels - b * WKI_LANES);
        winograd_window(input + b * WKI_LANES * call->in.channel, call->in, channels, k->window,
                        (ptrdiff_t)WKI_LANES * WKI_LANES, VPB);
        for (int place = 0; place < PLACES; place++)
            turn_lanes(k->window + place * WKI_LANES * WKI_LANES, WKI_LANES, WKI_LANES, call->images,
                       k->input + place * k->input_place + b * k->room * WKI_LANES +
                           (ptrdiff_t)tile * call->images * WKI_LANES);
    }
}

/* A row of E: 2 numbers, columns a, a + b, a - b, -b. */
ALWAYS_INLINE void store_delta_row(float *to, ptrdiff_t place, vec a, vec b)
{
    store(to, a);
    store(to + place, a + b);
    store(to + 2 * place, a - b);
    store(to + 3 * place, -b);
}

/* E of one tile; what is beyond delta's last row and column is 0. */
static void delta_tile(const chunk *k, int y, int x, int tile)
{
    const wki_winograd_gradient_call *call = k->call;
    const wki_plane plane = call->out;
    const bool right = x + 1 < call->width, below = y + 1 < call->height;
    const ptrdiff_t place = k->delta_place;
    for (int o = 0; o < k->channels; o++) {
        const float *from =
            call->delta + (call->channel_begin + o) * plane.channel + y * plane.row + x * plane.column;
        for (int v = 0; v * VW < call->images; v++) {
            const vec zero = {0};
            float *to = k->delta + o * k->room + (ptrdiff_t)tile * call->images + v * VW;
            vec a = load(from + v * VW), b = right ? load(from + plane.column + v * VW) : zero;
            vec c = below ? load(from + plane.row + v * VW) : zero;
            vec d = right && below ? load(from + plane.row + plane.column + v * VW) : zero;
            store_delta_row(to, place, a, b);
            store_delta_row(to + 4 * place, place, a + c, b + d);
            store_delta_row(to + 8 * place, place, a - c, b - d);
            store_delta_row(to + 12 * place, place, -c, -d);
        }
    }
}

static void multiply_tiles(const chunk *k, int tiles)
{
    /* In one go: tiles and images are one behind the other. */
    turned_product p = {.delta_channel = k->room, .steps = 1, .images = tiles * k->call->images};
    for (ptrdiff_t place = 0; place < PLACES; place++) {
        p.delta = k->delta + place * k->delta_place;
        for (int b = 0; b < k->blocks; b++) {
            p.input = k->input + place * k->input_place + b * k->room * WKI_LANES;
            turned_multiply_all(p, k->channels,
                                k->sums + (place * k->blocks + b) * k->channels * WKI_LANES);
        }
    }
}

/* G^T of four numbers: three. */
ALWAYS_INLINE void turn_back(const vec from[4], vec to[3])
{
    vec half = splat(0.5f);
    to[0] = from[0] + half * (from[1] + from[2]);
    to[1] = half * (from[1] - from[2]);
    to[2] = half * (from[1] + from[2]) + from[3];
}

/* The gradient of one output channel over a block of input channels. */
static void gradient_block(const chunk *k, int o, int b)
{
    const wki_winograd_gradient_call *call = k->call;
    const ptrdiff_t place = (ptrdiff_t)k->blocks * k->channels * WKI_LANES;
    const float *from = k->sums + ((ptrdiff_t)b * k->channels + o) * WKI_LANES;
    float taps[9][WKI_LANES];
    UNROLL for (int v = 0; v < VPB; v++)
    {
        vec rows[3][4];
        UNROLL for (int x = 0; x < 4; x++)
        {
            vec m[4], r[3];
            UNROLL for (int y = 0; y < 4; y++) m[y] = load(from + (4 * y + x) * place + v * VW);
            turn_back(m, r);
            UNROLL for (int y = 0; y < 3; y++) rows[y][x] = r[y];
        }
        UNROLL for (int y = 0; y < 3; y++)
        {
            vec r[3];
            turn_back(rows[y], r);
            UNROLL for (int x = 0; x < 3; x++) store(taps[3 * y + x] + v * VW, r[x]);
        }
    }
    int channels = WKI_MIN(WKI_LANES, call->in_channels - b * WKI_LANES);
    float *gradient =
        call->gradient + ((ptrdiff_t)(call->channel_begin + o) * call->in_channels + b * WKI_LANES) * 9;
    for (int i = 0; i < channels; i++)
        for (int t = 0; t < 9; t++)
            gradient[9 * i + t] = call->accumulate ? gradient[9 * i + t] + taps[t][i] : taps[t][i];
}

static chunk make_chunk(const wki_winograd_gradient_call *call, int tiles)
{
    chunk k = {.call = call,
               .blocks = (call->in_channels + WKI_LANES - 1) / WKI_LANES,
               .channels = call->channel_end - call->channel_begin,
               .room = (ptrdiff_t)tiles * WKI_LANES,
               .window = call->scratch};
    k.sums = k.window + PLACES * WKI_LANES * WKI_LANES;
    k.input_place = k.blocks * k.room * WKI_LANES + WKI_LANES;
    k.delta_place = k.channels * k.room + WKI_LANES;
    k.input = k.sums + (ptrdiff_t)PLACES * k.blocks * k.channels * WKI_LANES;
    k.delta = k.input + PLACES * k.input_place;
    return k;
}

void WKI_KERNEL(winograd_gradient)(const wki_winograd_gradient_call *call)
{
    const int across = (call->width + 1) / 2, all = (call->height + 1) / 2 * across;
    const int most = wki_winograd_gradient_tiles(call->in_channels, call->channels, all);
    chunk k = make_chunk(call, most);
    memset(k.window, 0, (size_t)(k.input - k.window) * sizeof(float));
    for (int first = 0, tiles; first < all; first += tiles) {
        tiles = WKI_MIN(most, all - first);
        for (int t = 0; t < tiles; t++) {
            int y = 2 * ((first + t) / across), x = 2 * ((first + t) % across);
            input_tile(&k, call->input + y * call->in.row + x * call->in.column, t);
            delta_tile(&k, y, x, t);
        }
        multiply_tiles(&k, tiles);
    }
    for (int o = 0; o < k.channels; o++)
        for (int b = 0; b < k.blocks; b++)
            gradient_block(&k, o, b);
    if (call->bias_gradient != NULL)
        conv2d_bias(call->delta, call->out, call->height, call->width, call->channel_begin,
                    call->channel_end, call->accumulate, call->bias_gradient);
}

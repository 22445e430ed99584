/* The gradient of a convolution's weights by Winograd's F(2x2, 3x3), F(4x4, 3x3) and F(2x2, 5x5), turned round (see
 * winograd.h): with V = B^T d B of the window of the input behind every tile of outputs, and E = A e A^T of the tile's
 * delta, dU = the sum over tiles and images of E V at each of 16 or 36 places, and the gradient is G^T dU G. 16 products
 * take the place of 36, or 36 of 144, or 36 of 100.
 *
 * At a place this is a product of matrices over tiles and images. So V is turned: 16 input channels in the lanes
 * and the images one behind the other, where absent ones take no time. E stays as it comes, for its numbers are
 * used one by one. Some tiles are transformed at a time, as many as make it pay to load and store the sums.
 */
#include "cpu/turned.h"
#include "cpu/winograd_gradient.h"

#include <string.h>

typedef struct chunk {
    const wki_winograd_gradient_call *call;
    transforms by;
    int places;     /* of a window */
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
        k->by.window(input + b * WKI_LANES * call->in.channel, call->in, channels, k->window,
                     (ptrdiff_t)WKI_LANES * WKI_LANES);
        for (int place = 0; place < k->places; place++)
            turn_lanes(k->window + place * WKI_LANES * WKI_LANES, WKI_LANES, WKI_LANES, call->images,
                       k->input + place * k->input_place + b * k->room * WKI_LANES +
                           (ptrdiff_t)tile * call->images * WKI_LANES);
    }
}

static void multiply_tiles(const chunk *k, int tiles, bool add)
{
    /* In one go: tiles and images are one behind the other. */
    turned_product p = {.delta_channel = k->room,
                        .input_block = k->room * WKI_LANES,
                        .sums_block = (ptrdiff_t)k->channels * WKI_LANES,
                        .steps = 1,
                        .images = tiles * k->call->images,
                        .add = add};
    for (ptrdiff_t place = 0; place < k->places; place++) {
        p.delta = k->delta + place * k->delta_place;
        p.input = k->input + place * k->input_place;
        turned_multiply_all(p, k->channels, k->blocks, k->sums + place * k->blocks * p.sums_block);
    }
}

static void gradient_block(const chunk *k, int o, int b)
{
    const wki_winograd_gradient_call *call = k->call;
    const ptrdiff_t place = (ptrdiff_t)k->blocks * k->channels * WKI_LANES;
    const float *sums = k->sums + ((ptrdiff_t)b * k->channels + o) * WKI_LANES;
    const int area = call->kernel * call->kernel;
    float taps[WINOGRAD_TAPS][WKI_LANES];
    k->by.taps(sums, place, taps);
    int channels = WKI_MIN(WKI_LANES, call->in_channels - b * WKI_LANES);
    float *gradient = call->gradient +
                      ((ptrdiff_t)(call->channel_begin + o) * call->in_channels + b * WKI_LANES) * area;
    for (int i = 0; i < channels; i++)
        for (int t = 0; t < area; t++, gradient++)
            *gradient = call->accumulate ? *gradient + taps[t][i] : taps[t][i];
}

static chunk make_chunk(const wki_winograd_gradient_call *call, int tiles)
{
    const int side = call->tile + call->kernel - 1;
    chunk k = {.call = call,
               .by = find_transforms(call),
               .places = side * side,
               .blocks = (call->in_channels + WKI_LANES - 1) / WKI_LANES,
               .channels = call->channel_end - call->channel_begin,
               .room = (ptrdiff_t)tiles * WKI_LANES,
               .window = call->scratch};
    k.sums = k.window + (ptrdiff_t)k.places * WKI_LANES * WKI_LANES;
    k.input_place = k.blocks * k.room * WKI_LANES + WKI_LANES;
    k.delta_place = k.channels * k.room + WKI_LANES;
    k.input = k.sums + (ptrdiff_t)k.places * k.blocks * k.channels * WKI_LANES;
    k.delta = k.input + k.places * k.input_place;
    return k;
}

void WKI_KERNEL(winograd_gradient)(const wki_winograd_gradient_call *call)
{
    const int tile = call->tile, across = (call->width + tile - 1) / tile;
    const int all = (call->height + tile - 1) / tile * across;
    const int most =
        wki_winograd_gradient_tiles(tile + call->kernel - 1, call->in_channels, call->channels, all);
    chunk k = make_chunk(call, most);
    memset(k.window, 0, (size_t)(k.sums - k.window) * sizeof(float));
    for (int first = 0, tiles; first < all; first += tiles) {
        tiles = WKI_MIN(most, all - first);
        for (int t = 0; t < tiles; t++) {
            int y = (first + t) / across * tile, x = (first + t) % across * tile;
            input_tile(&k, call->input + y * call->in.row + x * call->in.column, t);
            delta_tile(call, &k.by, y, x, call->images, k.delta + (ptrdiff_t)t * call->images, k.room,
                       k.delta_place);
        }
        multiply_tiles(&k, tiles, first > 0);
    }
    for (int o = 0; o < k.channels; o++)
        for (int b = 0; b < k.blocks; b++)
            gradient_block(&k, o, b);
    finish_bias(call);
}

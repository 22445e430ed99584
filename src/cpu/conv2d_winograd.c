/* The convolution by Winograd's F(2x2, 3x3), F(4x4, 3x3) and F(2x2, 5x5), in lanes (see winograd.h): for every tile of
 * outputs the window of each input channel is transformed (V = B^T d B), for each of its 16 or 36 places the channels are
 * multiplied and summed (M = U V, with the weights' transform U = G g G^T), and each output channel is transformed back
 * (A^T M A). 16 products take the place of 36, or 36 of 144, or 36 of 100.
 *
 * Some tiles go by at a time, so that weights which do not fit the cache come by less often. */
#include "cpu/winograd.h"

#include <string.h>

_Static_assert(PRODUCT_BLOCKS <= WKI_WINOGRAD_FEWEST, "the scratch has room for fewer slots");

/* ---- the weights ---- */

/* The kernels of one output channel and up to 16 input channels, in the lanes. */
static void gather_kernels(const wki_winograd_weights_call *call, const float *from, int count,
                           float taps[WINOGRAD_TAPS][WKI_LANES])
{
    const int area = call->kernel * call->kernel;
    for (int i = 0; i < count; i++, from += call->in_channel_stride)
        for (int t = 0; t < area; t++)
            taps[t][i] = from[call->flip ? area - 1 - t : t];
}

/* U of these: to[place][in channel], `place` floats from one place to the next. */
ALWAYS_INLINE void transform_kernels(const int tile, const int kernel,
                                     float taps[WINOGRAD_TAPS][WKI_LANES], float *to, ptrdiff_t place)
{
    const int side = tile + kernel - 1;
    UNROLL for (int v = 0; v < VPB; v++)
    {
        vec rows[WINOGRAD_KERNEL][WINOGRAD_SIDE];
        UNROLL for (int y = 0; y < kernel; y++)
        {
            vec g[WINOGRAD_KERNEL];
            UNROLL for (int x = 0; x < kernel; x++) g[x] = load(taps[kernel * y + x] + v * VW);
            winograd_kernel(kernel, side, g, rows[y]);
        }
        UNROLL for (int x = 0; x < side; x++)
        {
            vec g[WINOGRAD_KERNEL], u[WINOGRAD_SIDE];
            UNROLL for (int y = 0; y < kernel; y++) g[y] = rows[y][x];
            winograd_kernel(kernel, side, g, u);
            UNROLL for (int y = 0; y < side; y++)
            {
                const float scale =
                    winograd_kernel_scale(tile, side, y) * winograd_kernel_scale(tile, side, x);
                store(to + (side * y + x) * place + v * VW, scale * u[y]);
            }
        }
    }
}

/* Of the channels channel_begin .. channel_end. All lanes are written, those that are no input channels where the next
 * output channel's come; so the last ones take a detour. */
ALWAYS_INLINE void transform_weights(const wki_winograd_weights_call *call, const int tile,
                                     const int kernel)
{
    const int places = (tile + kernel - 1) * (tile + kernel - 1);
    const ptrdiff_t plane = (ptrdiff_t)call->channels * call->in_channels;
    float taps[WINOGRAD_TAPS][WKI_LANES] = {{0}}, last[WINOGRAD_PLACES][WKI_LANES];
    const ptrdiff_t end = (ptrdiff_t)call->channel_end * call->in_channels;
    for (int o = call->channel_begin; o < call->channel_end; o++) {
        for (int i = 0; i < call->in_channels; i += WKI_LANES) {
            const int count = WKI_MIN(WKI_LANES, call->in_channels - i);
            const ptrdiff_t at = (ptrdiff_t)o * call->in_channels + i;
            gather_kernels(call, call->weight + o * call->channel_stride + i * call->in_channel_stride,
                           count, taps);
            if (at + WKI_LANES <= end) {
                transform_kernels(tile, kernel, taps, call->transformed + at, plane);
                continue;
            }
            transform_kernels(tile, kernel, taps, last[0], WKI_LANES);
            for (int place = 0; place < places; place++)
                memcpy(call->transformed + place * plane + at, last[place],
                       (size_t)count * sizeof(float));
        }
    }
}

/* Functions of their own, see conv2d_winograd_weight.c. */
typedef void weights_function(const wki_winograd_weights_call *call);

#define WEIGHTS(tile, kernel)                                                                           \
    static                                                                                              \
        __attribute__((noinline)) void weights_##tile##_##kernel(const wki_winograd_weights_call *call) \
    {                                                                                                   \
        transform_weights(call, tile, kernel);                                                          \
    }
WEIGHTS(2, 3)
WEIGHTS(4, 3)
WEIGHTS(2, 5)

void WKI_KERNEL(winograd_weights)(const wki_winograd_weights_call *call)
{
    weights_function *weights = call->kernel == 5 ? weights_2_5
                                : call->tile == 2 ? weights_2_3
                                                  : weights_4_3;
    weights(call);
}

/* ---- one tile ---- */

/* V[place][channel][lane] of the tile whose window begins at input: of all lanes, or of the first half; or, where half of
 * the lanes are half a vector, of these and then of those of the tile `gap` floats on. */
typedef void input_function(const wki_winograd_call *call, const float *input, ptrdiff_t gap,
                            float *transformed, ptrdiff_t place);

#define INPUT_TILE(name, side, vectors)                                                                 \
    static __attribute__((noinline)) void name(const wki_winograd_call *call, const float *input,       \
                                               ptrdiff_t gap, float *transformed, ptrdiff_t place)      \
    {                                                                                                   \
        winograd_window(side, input, call->in, gap, call->in_channels, transformed, place, vectors);    \
    }
INPUT_TILE(input_4, 4, VPB)
INPUT_TILE(input_half_4, 4, HALF)
INPUT_TILE(input_6, 6, VPB)
INPUT_TILE(input_half_6, 6, HALF)

/* What is multiplied: some places, of some input channels. */
typedef struct product {
    const float *weight;                          /* U: [place][channel][in channel] */
    const float *from;                            /* V: [place][slot][in channel][lane] */
    float *to;                                    /* M: [place][slot][channel][lane] */
    ptrdiff_t weight_place, from_place, to_place; /* from one place to the next */
    ptrdiff_t from_slot, to_slot;                 /* from one slot to the next */
    ptrdiff_t ins;
    int places;
} product;

/* M = U V for nc channels and ns slots. */
ALWAYS_INLINE void multiply(const product *p, const int nc, const int ns)
{
    const float *weight = p->weight, *from = p->from;
    const ptrdiff_t ins = p->ins, from_slot = p->from_slot, to_slot = p->to_slot;
    float *to = p->to;
    for (int place = 0; place < p->places; place++) {
        vec sum[PRODUCT_BLOCKS][PRODUCT_CHANNELS][VPB];
        UNROLL for (int s = 0; s < ns; s++) UNROLL for (int c = 0; c < nc; c++)
            UNROLL for (int v = 0; v < VPB; v++) sum[s][c][v] = (vec){0};
        _Pragma("GCC unroll 2") for (ptrdiff_t i = 0; i < ins; i++)
        {
            vec x[PRODUCT_BLOCKS][VPB];
            UNROLL for (int s = 0; s < ns; s++) UNROLL for (int v = 0; v < VPB; v++) x[s][v] =
                load(from + s * from_slot + i * WKI_LANES + v * VW);
            UNROLL for (int c = 0; c < nc; c++)
            {
                vec w = splat(weight[c * ins + i]);
                UNROLL for (int s = 0; s < ns; s++)
                {
                    UNROLL for (int v = 0; v < VPB; v++) sum[s][c][v] += w * x[s][v];
                }
            }
        }
        UNROLL for (int s = 0; s < ns; s++) UNROLL for (int c = 0; c < nc; c++)
            UNROLL for (int v = 0; v < VPB; v++)
                store(to + s * to_slot + c * WKI_LANES + v * VW, sum[s][c][v]);
        weight += p->weight_place;
        from += p->from_place;
        to += p->to_place;
    }
}

typedef void multiply_function(const product *p);

#define MULTIPLY(nc)                                                                                    \
    static __attribute__((noinline)) void multiply_##nc(const product *p)                               \
    {                                                                                                   \
        multiply(p, nc, 1);                                                                             \
    }                                                                                                   \
    static __attribute__((noinline)) void multiply_slots_##nc(const product *p)                         \
    {                                                                                                   \
        multiply(p, nc, PRODUCT_BLOCKS);                                                                \
    }
FOR_PRODUCT_CHANNELS(MULTIPLY)

#define MULTIPLY_NAMES(nc) {multiply_##nc, multiply_slots_##nc},
static multiply_function *const multiplies[PRODUCT_CHANNELS + 1][2] = {
    {NULL}, FOR_PRODUCT_CHANNELS(MULTIPLY_NAMES)};

/* A^T M A of one channel and vector, but for the factors. */
ALWAYS_INLINE void transform_back(const int tile, const int side, const float *products, ptrdiff_t place,
                                  vec values[WINOGRAD_TILE][WINOGRAD_TILE])
{
    vec rows[WINOGRAD_TILE][WINOGRAD_SIDE];
    UNROLL for (int x = 0; x < side; x++)
    {
        vec m[WINOGRAD_SIDE], column[WINOGRAD_TILE];
        const float *at = products + x * place;
        UNROLL for (int y = 0; y < side; y++, at += side * place)
        {
            FORGET_ORIGIN(at);
            m[y] = load(at);
        }
        winograd_output(tile, side, m, column);
        UNROLL for (int y = 0; y < tile; y++) rows[y][x] = column[y];
    }
    UNROLL for (int y = 0; y < tile; y++)
    {
        winograd_output(tile, side, rows[y], values[y]);
    }
}

/* Where a channel's values go, and the mask's numbers for them or NULL. */
typedef struct target {
    float *output;
    const float *mask;
    ptrdiff_t row, column, mask_row, mask_column;
    int rows, columns; /* that exist */
} target;

ALWAYS_INLINE void store_rows(const target to, const vec bias, const bool relu, const int tile,
                              const int side, const bool half, vec values[WINOGRAD_TILE][WINOGRAD_TILE])
{
    UNROLL for (int i = 0; i < tile; i++)
    {
        UNROLL for (int j = 0; j < tile; j++)
        {
            if (i >= to.rows || j >= to.columns)
                continue;
            const float scale = winograd_output_scale(side, i) * winograd_output_scale(side, j);
            vec value = side > 4 ? scale * values[i][j] + bias : values[i][j] + bias;
            if (relu)
                value = relu_vec(value);
            if (to.mask != NULL)
                value = mask_vec(load(to.mask + i * to.mask_row + j * to.mask_column), value);
#if VPB == 1
            if (half)
                value = first_half(value);
#endif
            (void)half;
            store(to.output + i * to.row + j * to.column, value);
        }
    }
}

/* The factors, bias, ReLU and mask, and out go a channel's values at (y, x), of the lanes from `lane` on; those of the
 * second half become 0 if `half`. A whole tile without dilation, the commonest, has code of its own without tests. */
ALWAYS_INLINE void store_values(const wki_winograd_call *call, int channel, int y, int x, int lane,
                                const int tile, const int side, const bool half,
                                vec values[WINOGRAD_TILE][WINOGRAD_TILE])
{
    const wki_plane out = call->out, mask = call->mask_plane;
    const vec bias = splat(call->bias != NULL ? call->bias[channel] : 0.0f);
    target to = {.output = call->output + channel * out.channel + y * out.row + x * out.column + lane,
                 .row = out.row,
                 .column = out.column,
                 .rows = WKI_MIN(tile, call->height - y),
                 .columns = WKI_MIN(tile, call->width - x)};
    if (call->mask != NULL) {
        to.mask = call->mask + channel * mask.channel + y * mask.row + x * mask.column + lane;
        to.mask_row = mask.row;
        to.mask_column = mask.column;
    }
    const bool whole = to.rows == tile && to.columns == tile && to.column == WKI_LANES;
    if (whole && call->mask == NULL)
        store_rows((target){to.output, NULL, to.row, WKI_LANES, 0, 0, tile, tile}, bias, call->relu,
                   tile, side, half, values);
    else if (whole && to.mask_column == WKI_LANES)
        store_rows((target){to.output, to.mask, to.row, WKI_LANES, to.mask_row, WKI_LANES, tile, tile},
                   bias, call->relu, tile, side, half, values);
    else
        store_rows(to, bias, call->relu, tile, side, half, values);
}

/* The other lanes of a tile become 0. */
ALWAYS_INLINE void clear_values(const wki_winograd_call *call, int channel, int y, int x, int lane,
                                const int tile)
{
    const wki_plane out = call->out;
    float *output = call->output + channel * out.channel + y * out.row + x * out.column;
    for (int i = 0; i < WKI_MIN(tile, call->height - y); i++)
        for (int j = 0; j < WKI_MIN(tile, call->width - x); j++)
            for (int l = lane; l < WKI_LANES; l += VW)
                store(output + i * out.row + j * out.column + l, (vec){0});
}

/* Where a tile is. */
typedef struct position {
    int y, x;
} position;

/* The outputs of one channel of the tile at at[0], of the first `vectors` vectors of the lanes; the others' are 0. Of 0
 * vectors: half a vector, and the other half is that of the tile at at[1], which may be the same. */
ALWAYS_INLINE void output_lanes(const wki_winograd_call *call, int channel, const float *products,
                                ptrdiff_t place, const position at[2], const int tile, const int side,
                                const int vectors)
{
    vec values[WINOGRAD_TILE][WINOGRAD_TILE];
    UNROLL for (int v = 0; v < vectors; v++)
    {
        transform_back(tile, side, products + v * VW, place, values);
        store_values(call, channel, at[0].y, at[0].x, v * VW, tile, side, false, values);
    }
    if (vectors > 0 && vectors < VPB)
        clear_values(call, channel, at[0].y, at[0].x, vectors * VW, tile);
#if VPB == 1
    if (vectors > 0)
        return;
    transform_back(tile, side, products, place, values);
    store_values(call, channel, at[0].y, at[0].x, 0, tile, side, true, values);
    /* Not twice, as the mask may be where the output is. */
    if (at[0].y == at[1].y && at[0].x == at[1].x)
        return;
    UNROLL for (int i = 0; i < tile; i++) UNROLL for (int j = 0; j < tile; j++) values[i][j] =
        second_half(values[i][j]);
    store_values(call, channel, at[1].y, at[1].x, 0, tile, side, true, values);
#endif
}

typedef void output_function(const wki_winograd_call *call, int channel, const float *products,
                             ptrdiff_t place, const position at[2]);

#define OUTPUT_TILE(name, tile, side, vectors)                                                          \
    static __attribute__((noinline)) void name(const wki_winograd_call *call, int channel,              \
                                               const float *products, ptrdiff_t place,                  \
                                               const position at[2])                                    \
    {                                                                                                   \
        output_lanes(call, channel, products, place, at, tile, side, vectors);                          \
    }
OUTPUT_TILE(output_2_of_4, 2, 4, VPB)
OUTPUT_TILE(output_half_2_of_4, 2, 4, HALF)
OUTPUT_TILE(output_4_of_6, 4, 6, VPB)
OUTPUT_TILE(output_half_4_of_6, 4, 6, HALF)
OUTPUT_TILE(output_2_of_6, 2, 6, VPB)
OUTPUT_TILE(output_half_2_of_6, 2, 6, HALF)

/* By the size of the tile and the window, and whether half of the lanes are enough. */
static output_function *find_output(int tile, int side, bool half)
{
    if (side == 4)
        return half ? output_half_2_of_4 : output_2_of_4;
    if (tile == 4)
        return half ? output_half_4_of_6 : output_4_of_6;
    return half ? output_half_2_of_6 : output_2_of_6;
}

/* ---- some tiles ---- */

/* What is worked on at a time. A slot is the lanes of one tile or, where half of the lanes are enough, of two. */
typedef struct chunk {
    const wki_winograd_call *call;
    input_function *input;
    output_function *output;
    int tile, places;
    int groups;          /* of channels that are multiplied at a time, of `smaller` channels or, the */
    int smaller, larger; /* first `larger` ones, of one more */
    int across;          /* tiles in a row */
    int tiles_of_slot;   /* 1 or 2, */
    int tiles_of_call;   /* of which so many are transformed together */
    float *transformed;  /* V: [place][slot][in channel][lane] */
    float *products;     /* M: [place][slot][channel][lane] */
    ptrdiff_t
        input_place; /* from one place of V to the next, and of M. A cache line is left free, lest all */
    ptrdiff_t
        output_place; /* places fall on the same few of the cache's sets where channels are a power of two */
    ptrdiff_t weight_place;
} chunk;

static chunk make_chunk(const wki_winograd_call *call, int slots)
{
    const int tile = call->tile, side = tile + call->kernel - 1;
    const bool pairs = call->images <= WKI_LANES / 2;
    chunk k = {.call = call,
               .input = side == 4 ? (pairs ? input_half_4 : input_4) : (pairs ? input_half_6 : input_6),
               .output = find_output(tile, side, pairs),
               .tile = tile,
               .places = side * side,
               .groups = (call->channels + PRODUCT_CHANNELS - 1) / PRODUCT_CHANNELS,
               .across = (call->width + tile - 1) / tile,
               .tiles_of_slot = pairs ? 2 : 1,
               .tiles_of_call = pairs && HALF == 0 ? 2 : 1,
               .input_place = ((ptrdiff_t)slots * call->in_channels + 1) * WKI_LANES,
               .output_place = ((ptrdiff_t)slots * call->channels + 1) * WKI_LANES,
               .weight_place = (ptrdiff_t)call->channels * call->in_channels,
               .transformed = call->scratch};
    k.smaller = call->channels / k.groups;
    k.larger = call->channels % k.groups;
    /* Where all channels and slots of a place are summed up in registers before any is stored, M takes V's place: so
     * more of a tile fits the L1 cache. */
    if (k.groups == 1 && slots <= PRODUCT_BLOCKS) {
        k.input_place = k.output_place = WKI_MAX(k.input_place, k.output_place);
        k.products = k.transformed;
    } else {
        k.products = k.transformed + k.places * k.input_place;
    }
    return k;
}

/* Where tile t of the chunk is in a place of V or M with so many channels. */
static ptrdiff_t tile_at(const chunk *k, int t, int channels)
{
    return (ptrdiff_t)(t / k->tiles_of_slot) * channels * WKI_LANES +
           t % k->tiles_of_slot * (WKI_LANES / 2);
}

/* So many places of a slot, or of PRODUCT_BLOCKS, from `place` on, a group of channels after the other: as equal as can
 * be, the first ones one larger. */
static void multiply_slot(const chunk *k, ptrdiff_t place, int places, int slot, bool several)
{
    const wki_winograd_call *call = k->call;
    const ptrdiff_t ins = call->in_channels;
    product p = {.from_slot = ins * WKI_LANES,
                 .to_slot = (ptrdiff_t)call->channels * WKI_LANES,
                 .weight = call->weight + place * k->weight_place,
                 .weight_place = k->weight_place,
                 .from_place = k->input_place,
                 .to_place = k->output_place,
                 .ins = ins,
                 .places = places};
    p.from = k->transformed + place * k->input_place + slot * p.from_slot;
    p.to = k->products + place * k->output_place + slot * p.to_slot;
    for (int g = 0; g < k->groups; g++) {
        const int count = k->smaller + (g < k->larger);
        multiplies[count][several](&p);
        p.weight += count * ins;
        p.to += count * WKI_LANES;
    }
}

/* With more than PRODUCT_BLOCKS slots a place's weights are used for all of them in turn. */
static void multiply_slots(const chunk *k, int slots)
{
    if (slots <= PRODUCT_BLOCKS) {
        multiply_slot(k, 0, k->places, 0, slots > 1);
        return;
    }
    for (int place = 0; place < k->places; place++) {
        int slot = 0;
        for (; slot + PRODUCT_BLOCKS <= slots; slot += PRODUCT_BLOCKS)
            multiply_slot(k, place, 1, slot, true);
        for (; slot < slots; slot++)
            multiply_slot(k, place, 1, slot, false);
    }
}

static position position_of(const chunk *k, int tile)
{
    return (position){tile / k->across * k->tile, tile % k->across * k->tile};
}

static const float *window_of(const chunk *k, int tile)
{
    const wki_winograd_call *call = k->call;
    const position at = position_of(k, tile);
    return call->input + at.y * call->in.row + at.x * call->in.column;
}

static void run_chunk(const chunk *k, int first, int tiles)
{
    const wki_winograd_call *call = k->call;
    const int step = k->tiles_of_call;
    /* The last tile first, see winograd_windows(). */
    for (int t = (tiles - 1) / step * step; t >= 0; t -= step) {
        const float *window = window_of(k, first + t);
        const float *other = window_of(k, first + WKI_MIN(t + step, tiles) - 1);
        k->input(call, window, other - window, k->transformed + tile_at(k, t, call->in_channels),
                 k->input_place);
    }
    multiply_slots(k, (tiles + k->tiles_of_slot - 1) / k->tiles_of_slot);
    for (int t = 0; t < tiles; t += step) {
        const int last = first + WKI_MIN(t + step, tiles) - 1;
        const position at[2] = {position_of(k, first + t), position_of(k, last)};
        const float *products = k->products + tile_at(k, t, call->channels);
        for (int c = 0; c < call->channels; c++)
            k->output(call, c, products + c * WKI_LANES, k->output_place, at);
    }
}

void WKI_KERNEL(winograd)(const wki_winograd_call *call)
{
    int slots = wki_winograd_slots(call->tile + call->kernel - 1, call->in_channels, call->channels);
    if (slots == 1)
        slots = PRODUCT_BLOCKS;
    const chunk k = make_chunk(call, slots);
    const int most = slots * k.tiles_of_slot;
    for (int first = call->tile_begin; first < call->tile_end; first += most)
        run_chunk(&k, first, WKI_MIN(most, call->tile_end - first));
}

/* The convolution by Winograd's F(2x2, 3x3), F(4x4, 3x3) and F(2x2, 5x5), in lanes (see winograd.h): for every tile of
 * outputs the window of each input channel is transformed (V = B^T d B), for each of its 16 or 36 places the channels are
 * multiplied and summed (M = U V, with the weights' transform U = G g G^T), and each output channel is transformed back
 * (A^T M A). 16 products take the place of 36, or 36 of 144, or 36 of 100.
 *
 * Some tiles go by at a time, so that weights which do not fit the cache come by less often. */
#include "cpu/winograd_output.h"

_Static_assert(PRODUCT_BLOCKS <= WKI_WINOGRAD_FEWEST, "the scratch has room for fewer slots");

/* ---- one tile ---- */

/* V[place][channel][lane] of the tile at at[0]: of all lanes, or of the first half; or, where half of the lanes are half a
 * vector, of these and then of those of the tile at at[1]. */
typedef void input_function(const wki_winograd_call *call, const position at[2], float *transformed,
                            ptrdiff_t place);

static const float *window_at(const wki_winograd_call *call, position at)
{
    return call->input + at.y * call->in.row + at.x * call->in.column;
}

#define INPUT_TILE(name, side, vectors, dense)                                                          \
    static __attribute__((noinline)) void name(const wki_winograd_call *call, const position at[2],     \
                                               float *transformed, ptrdiff_t place)                     \
    {                                                                                                   \
        const float *input = window_at(call, at[0]);                                                    \
        winograd_plain_windows(side, input, call->in, window_at(call, at[1]) - input,                   \
                               call->in_channels, transformed, place, vectors, dense);                  \
    }
INPUT_TILE(input_4, 4, VPB, true)
INPUT_TILE(input_half_4, 4, HALF, true)
INPUT_TILE(input_6, 6, VPB, true)
INPUT_TILE(input_half_6, 6, HALF, true)
INPUT_TILE(input_dilated_4, 4, VPB, false)
INPUT_TILE(input_dilated_half_4, 4, HALF, false)
INPUT_TILE(input_dilated_6, 6, VPB, false)
INPUT_TILE(input_dilated_half_6, 6, HALF, false)

/* The same of what max_unpool2d would have made. */
static void input_unpooled(const wki_winograd_call *call, const position at[2], float *transformed,
                           ptrdiff_t place)
{
    const wki_plane plane = call->in, taken = call->taken_plane;
    const window_source s = {.from = window_at(call, (position){at[0].y / 2, at[0].x / 2}),
                             .plane = {plane.channel, plane.row, WKI_LANES},
                             .taken = call->unpools + at[0].y / call->tile * taken.row +
                                      at[0].x / call->tile * taken.column,
                             .taken_plane = taken};
    winograd_windows(6, s, call->in_channels, transformed, place, VPB, true);
}

static input_function *find_input(const wki_winograd_call *call, int side, bool half)
{
    static input_function *const functions[2][2][2] = {
        {{input_dilated_4, input_dilated_half_4}, {input_dilated_6, input_dilated_half_6}},
        {{input_4, input_half_4}, {input_6, input_half_6}}};
    if (call->unpools != NULL)
        return input_unpooled;
    return functions[call->in.column == WKI_LANES][side == 6][half];
}

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
               .input = find_input(call, side, pairs),
               .output = find_output(call, side, pairs),
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

static void run_chunk(const chunk *k, int first, int tiles)
{
    const wki_winograd_call *call = k->call;
    const int step = k->tiles_of_call;
    /* The last tile first, see winograd_windows(). */
    for (int t = (tiles - 1) / step * step; t >= 0; t -= step) {
        const int last = first + WKI_MIN(t + step, tiles) - 1;
        const position at[2] = {position_of(k, first + t), position_of(k, last)};
        k->input(call, at, k->transformed + tile_at(k, t, call->in_channels), k->input_place);
    }
    multiply_slots(k, (tiles + k->tiles_of_slot - 1) / k->tiles_of_slot);
    for (int t = 0; t < tiles; t += step) {
        const int last = first + WKI_MIN(t + step, tiles) - 1;
        const position at[2] = {position_of(k, first + t), position_of(k, last)};
        k->output(call, k->products + tile_at(k, t, call->channels), k->output_place, at);
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

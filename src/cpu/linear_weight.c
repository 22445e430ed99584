/* The gradients of the fully connected layer's weights and bias, on rows; and, of pixels, SGD with them. A tile is no outputs
 * times two vectors of features, summed along the rows. */
#include "cpu/linear_few.h"
#include "cpu/linear_tiles.h"
#include "cpu/pixel_vectors.h"

/* sum[o][i ...] = sum over rows of delta[row][out + o] * input[row][i ...] */
ALWAYS_INLINE void weight_sums(const wki_linear_call *call, int out, ptrdiff_t i, vec sum[MANY][2],
                               const int no, const int nv, const bool pixels)
{
    UNROLL for (int o = 0; o < no; o++) UNROLL for (int v = 0; v < nv; v++) sum[o][v] = (vec){0};
    for (ptrdiff_t r = 0; r < call->rows; r++) {
        const float *delta = call->delta + r * call->out_pitch + out;
        vec x[2];
        UNROLL for (int v = 0; v < nv; v++) x[v] =
            pixels ? load_pixels(call->pixels[r] + i + v * VW)
                   : load(call->input + r * call->in_pitch + i + v * VW);
        UNROLL for (int o = 0; o < no; o++)
        {
            vec d = splat(delta[o]);
            UNROLL for (int v = 0; v < nv; v++) sum[o][v] += d * x[v];
        }
    }
}

ALWAYS_INLINE void weight_tile(const wki_linear_call *call, int out, ptrdiff_t i, const int no,
                               const int nv, const bool pixels)
{
    const ptrdiff_t features = call->in_features;
    float *gradient = call->weight_gradient + out * features + i;
    vec sum[MANY][2];
    weight_sums(call, out, i, sum, no, nv, pixels);
    if (call->accumulate)
        UNROLL for (int o = 0; o < no; o++) UNROLL for (int v = 0; v < nv; v++) sum[o][v] +=
            load(gradient + o * features + v * VW);
    UNROLL for (int o = 0; o < no; o++) UNROLL for (int v = 0; v < nv; v++)
        store(gradient + o * features + v * VW, sum[o][v]);
}

ALWAYS_INLINE void weight_four(const wki_linear_call *call, int out, ptrdiff_t i, const int no)
{
    vec4 sum[MANY];
    UNROLL for (int o = 0; o < no; o++) sum[o] = (vec4){0};
    for (ptrdiff_t r = 0; r < call->rows; r++) {
        const vec4 x = *(const vec4 *)(call->input + r * call->in_pitch + i);
        UNROLL for (int o = 0; o < no; o++) sum[o] += call->delta[r * call->out_pitch + out + o] * x;
    }
    UNROLL for (int o = 0; o < no; o++)
    {
        vec4 *gradient = (vec4 *)(call->weight_gradient + (out + o) * (ptrdiff_t)call->in_features + i);
        if (call->accumulate)
            sum[o] += *gradient;
        *gradient = sum[o];
    }
}

ALWAYS_INLINE void weight_one(const wki_linear_call *call, int out, ptrdiff_t i, const int no)
{
    float sum[MANY] = {0};
    for (ptrdiff_t r = 0; r < call->rows; r++) {
        const float x = call->input[r * call->in_pitch + i];
        UNROLL for (int o = 0; o < no; o++) sum[o] =
            multiply_add(sum[o], call->delta[r * call->out_pitch + out + o], x);
    }
    UNROLL for (int o = 0; o < no; o++)
    {
        float *gradient = call->weight_gradient + (out + o) * (ptrdiff_t)call->in_features + i;
        *gradient = call->accumulate ? *gradient + sum[o] : sum[o];
    }
}

/* What the call says is copied, so that nothing that is written can change it. */
#define WEIGHT(no)                                                                                      \
    static __attribute__((noinline)) void weight_##no(const wki_linear_call *from, int out)             \
    {                                                                                                   \
        const wki_linear_call copy = *from, *call = &copy;                                              \
        ptrdiff_t i = 0;                                                                                \
        for (; i + 2 * VW <= call->in_features; i += 2 * VW)                                            \
            weight_tile(call, out, i, no, 2, false);                                                    \
        for (; i + VW <= call->in_features; i += VW)                                                    \
            weight_tile(call, out, i, no, 1, false);                                                    \
        for (; i + 4 <= call->in_features; i += 4)                                                      \
            weight_four(call, out, i, no);                                                              \
        for (; i < call->in_features; i++)                                                              \
            weight_one(call, out, i, no);                                                               \
    }
FOR_MANY(WEIGHT)

typedef void weight_function(const wki_linear_call *call, int out);

#define WEIGHT_NAME(no) weight_##no,
static weight_function *const weight_tiles[MANY + 1] = {NULL, FOR_MANY(WEIGHT_NAME)};

#if READS_PIXELS
#define WEIGHT_OF_PIXELS(no)                                                                            \
    static __attribute__((noinline)) void weight_of_pixels_##no(const wki_linear_call *from, int out)   \
    {                                                                                                   \
        const wki_linear_call copy = *from, *call = &copy;                                              \
        ptrdiff_t i = 0;                                                                                \
        for (; i + 2 * VW <= call->in_features; i += 2 * VW)                                            \
            weight_tile(call, out, i, no, 2, true);                                                     \
        if (i < call->in_features)                                                                      \
            weight_tile(call, out, i, no, 1, true);                                                     \
    }
FOR_MANY(WEIGHT_OF_PIXELS)

#define WEIGHT_OF_PIXELS_NAME(no) weight_of_pixels_##no,
static weight_function *const weight_of_pixels_tiles[MANY + 1] = {NULL, FOR_MANY(WEIGHT_OF_PIXELS_NAME)};
#endif

static weight_function *const *find_tiles(const wki_linear_call *call)
{
#if READS_PIXELS
    if (call->pixels != NULL)
        return weight_of_pixels_tiles;
#endif
    (void)call; /* elsewhere linear has made numbers of pixels */
    return weight_tiles;
}

/* Of outputs out ..., four or one. */
static void bias_four(const wki_linear_call *call, int out, vec4 *sum)
{
    *sum = (vec4){0};
    for (ptrdiff_t r = 0; r < call->rows; r++)
        *sum += *(const vec4 *)(call->delta + r * call->out_pitch + out);
}

static float bias_one(const wki_linear_call *call, int out)
{
    float sum = 0.0f;
    for (ptrdiff_t r = 0; r < call->rows; r++)
        sum += call->delta[r * call->out_pitch + out];
    return sum;
}

static void bias_gradient(const wki_linear_call *call)
{
    int o = 0;
    for (; o + 4 <= call->out_features; o += 4) {
        vec4 sum, *gradient = (vec4 *)(call->bias_gradient + o);
        bias_four(call, o, &sum);
        if (call->accumulate)
            sum += *gradient;
        *gradient = sum;
    }
    for (; o < call->out_features; o++) {
        float sum = bias_one(call, o);
        call->bias_gradient[o] = call->accumulate ? call->bias_gradient[o] + sum : sum;
    }
}

static void weight_gradient(const wki_linear_call *call)
{
    weight_function *const *tiles = find_tiles(call);
    for (int tile = 0; tile < tile_count(call->out_features); tile++) {
        const int begin = tile_begin(call->out_features, tile);
        tiles[tile_begin(call->out_features, tile + 1) - begin](call, begin);
    }
}

void WKI_KERNEL(linear_weight)(const wki_linear_call *call)
{
    if (call->weight_gradient != NULL && few_features(call, call->rows))
        few_weight(call);
    else if (call->weight_gradient != NULL)
        weight_gradient(call);
    if (call->bias_gradient != NULL)
        bias_gradient(call);
}

#if READS_PIXELS
/* ---- the parts' gradients of weights, added up and used ---- */

ALWAYS_INLINE void update_tile(const wki_linear_update_call *call, int out, ptrdiff_t i, const int no,
                               const int nv)
{
    const ptrdiff_t features = call->parts->in_features;
    float *gradient = call->gradient + out * features + i, *weight = call->weight + out * features + i;
    float room[MANY * 2 * VW], *before = room; /* the sum of the parts before */
    vec sum[MANY][2];
    FORGET_ORIGIN(before);
    for (int p = 0;; p++) {
        const wki_linear_call part = call->parts[p];
        weight_sums(&part, out, i, sum, no, nv, true);
        UNROLL for (int o = 0; o < no && p > 0; o++) UNROLL for (int v = 0; v < nv; v++) sum[o][v] =
            load(before + (o * 2 + v) * VW) + sum[o][v];
        if (p + 1 == call->part_count)
            break;
        UNROLL for (int o = 0; o < no; o++) UNROLL for (int v = 0; v < nv; v++)
            store(before + (o * 2 + v) * VW, sum[o][v]);
    }
    UNROLL for (int o = 0; o < no; o++) UNROLL for (int v = 0; v < nv; v++)
    {
        const ptrdiff_t at = o * features + v * VW;
        store(gradient + at, sum[o][v]);
        store(weight + at, load(weight + at) - call->lr * sum[o][v]);
    }
}

typedef void update_function(const wki_linear_update_call *call, int out);

#define UPDATE(no)                                                                                      \
    static __attribute__((noinline)) void update_##no(const wki_linear_update_call *from, int out)      \
    {                                                                                                   \
        const wki_linear_update_call copy = *from, *call = &copy;                                       \
        ptrdiff_t i = call->begin;                                                                      \
        for (; i + 2 * VW <= call->end; i += 2 * VW)                                                    \
            update_tile(call, out, i, no, 2);                                                           \
        if (i < call->end)                                                                              \
            update_tile(call, out, i, no, 1);                                                           \
    }
FOR_MANY(UPDATE)

#define UPDATE_NAME(no) update_##no,
static update_function *const update_tiles[MANY + 1] = {NULL, FOR_MANY(UPDATE_NAME)};

void WKI_KERNEL(linear_update)(const wki_linear_update_call *call)
{
    const int outputs = call->parts->out_features;
    for (int tile = 0; tile < tile_count(outputs); tile++) {
        const int begin = tile_begin(outputs, tile);
        update_tiles[tile_begin(outputs, tile + 1) - begin](call, begin);
    }
}
#endif

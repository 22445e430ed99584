/* The fully connected layer on rows, y = x W^T + b, and the gradient of its input. */
#include "cpu/linear_few.h"
#include "cpu/linear_tiles.h"
#include "cpu/pixel_vectors.h"

/* ---- forward: a tile is nr rows times no outputs, summed along the features ---- */

/* With 10 outputs at a time the rows, which do not fit the L1 cache, are read once. */
#if REGISTERS == 32 && VPB == 1
enum { MAX_OUT = 10, TILE_ROWS = 2 };
#define FOR_OUTPUTS(F) FOR_1_TO_10(F)
#elif REGISTERS == 32
enum { MAX_OUT = 5, TILE_ROWS = 4 };
#define FOR_OUTPUTS(F) FOR_1_TO_5(F)
#else
enum { MAX_OUT = 5, TILE_ROWS = 2 };
#define FOR_OUTPUTS(F) FOR_1_TO_5(F)
#endif

/* A row of numbers, or of pixels, which become numbers on the way and, unless READS_PIXELS, are stored in their row; ahead:
 * those that will be wanted next, which are prefetched as these are read, or NULL. */
typedef struct source {
    float *numbers;
    const uint8_t *pixels, *ahead;
} source;

/* Features i ...: a vector of each row. */
ALWAYS_INLINE void dot_block(vec sum[TILE_ROWS][MAX_OUT], const source input[TILE_ROWS],
                             const float *const weight[MAX_OUT], ptrdiff_t i, const int nr, const int no,
                             const bool pixels)
{
    vec x[TILE_ROWS];
    UNROLL for (int r = 0; r < nr; r++)
    {
        x[r] = pixels ? load_pixels(input[r].pixels + i) : load(input[r].numbers + i);
        if (pixels && !READS_PIXELS)
            store(input[r].numbers + i, x[r]);
    }
    UNROLL for (int o = 0; o < no; o++)
    {
        vec w = load(weight[o] + i);
        KEEP_IN_REGISTER(w);
        UNROLL for (int r = 0; r < nr; r++) sum[r][o] += w * x[r];
    }
}

ALWAYS_INLINE void dot(vec sum[TILE_ROWS][MAX_OUT], const source input[TILE_ROWS],
                       const float *const weight[MAX_OUT], ptrdiff_t end, const int nr, const int no,
                       const bool pixels)
{
    /* What must divide by 255 has no use for so long a loop. */
    enum { CACHE_LINE = 64, AT_A_TIME = VPB <= 2 ? CACHE_LINE : WKI_LANES };
    const bool asks = pixels && input[0].ahead != NULL;
    ptrdiff_t i = 0;
    for (; i + AT_A_TIME <= end; i += AT_A_TIME) {
        if (asks && i % CACHE_LINE == 0)
            UNROLL for (int r = 0; r < nr; r++) __builtin_prefetch(input[r].ahead + i, 0, 2);
        UNROLL for (int k = 0; k < AT_A_TIME; k += WKI_LANES)
            dot_block(sum, input, weight, i + k, nr, no, pixels);
    }
    if (asks && i < end)
        UNROLL for (int r = 0; r < nr; r++) __builtin_prefetch(input[r].ahead + i, 0, 2);
    for (; i < end; i += WKI_LANES)
        dot_block(sum, input, weight, i, nr, no, pixels);
}

/* Copies the features that do not fill a block of lanes, followed by zeros. */
static void copy_tail(const float *from, ptrdiff_t features, float to[WKI_LANES])
{
    ptrdiff_t whole = features / WKI_LANES * WKI_LANES;
    memset(to, 0, WKI_LANES * sizeof(float));
    memcpy(to, from + whole, (size_t)(features - whole) * sizeof(float));
}

/* The same features of a row of pixels become numbers. */
static void convert_tail(const uint8_t *pixels, ptrdiff_t features, float *to)
{
    for (ptrdiff_t i = features / WKI_LANES * WKI_LANES; i < features; i++)
        to[i] = pixel_float(pixels[i]);
}

/* weight_tail: the last features' weights of the outputs out ..., padded. sums: [nr][no], in the lanes. */
ALWAYS_INLINE void forward_tile(const wki_linear_call *call, int row, int out,
                                float (*weight_tail)[WKI_LANES], float (*sums)[WKI_LANES], const int nr,
                                const int no, const bool pixels)
{
    const ptrdiff_t features = call->in_features, whole = features / WKI_LANES * WKI_LANES;
    const bool tail = whole < features && !(pixels && READS_PIXELS);
    float input_tail[TILE_ROWS][WKI_LANES];
    for (int r = 0; r < nr && tail && pixels; r++)
        convert_tail(call->pixels[row + r], features, call->input + (row + r) * call->in_pitch);
    for (int r = 0; r < nr && tail; r++)
        copy_tail(call->input + (row + r) * call->in_pitch, features, input_tail[r]);
    for (int v = 0; v < VPB; v++) {
        source input[TILE_ROWS];
        const float *weight[MAX_OUT];
        vec sum[TILE_ROWS][MAX_OUT];
        UNROLL for (int r = 0; r < nr; r++) input[r] =
            (source){pixels && READS_PIXELS ? NULL : call->input + (row + r) * call->in_pitch + v * VW,
                     pixels ? call->pixels[row + r] + v * VW : NULL,
                     pixels && v == 0 && call->ahead != NULL ? call->ahead[row + r] : NULL};
        UNROLL for (int o = 0; o < no; o++) weight[o] = call->weight + (out + o) * features + v * VW;
        UNROLL for (int r = 0; r < nr; r++) UNROLL for (int o = 0; o < no; o++) sum[r][o] = (vec){0};
        dot(sum, input, weight, whole, nr, no, pixels);
        if (tail) {
            UNROLL for (int r = 0; r < nr; r++) input[r].numbers = input_tail[r] + v * VW;
            UNROLL for (int o = 0; o < no; o++) weight[o] = weight_tail[o] + v * VW;
            dot(sum, input, weight, WKI_LANES, nr, no, false);
        }
        UNROLL for (int r = 0; r < nr; r++) UNROLL for (int o = 0; o < no; o++)
            store(sums[r * no + o] + v * VW, sum[r][o]);
    }
}

/* Rows whose sums over the lanes are finished together: tile by tile, the multiply-adds would wait for them. */
enum { FINISHED_ROWS = 16 };

/* Outputs out ... of the rows row ... from their sums in the lanes, [rows][no]. */
ALWAYS_INLINE void finish_rows(const wki_linear_call *call, int row, int rows, int out,
                               float (*sums)[WKI_LANES], const int no)
{
    float all[FINISHED_ROWS * MAX_OUT + SUMS_AT_ONCE];
    const int count = rows * no;
    for (int i = count; i % SUMS_AT_ONCE != 0; i++)
        for (int v = 0; v < VPB; v++)
            store(sums[i] + v * VW, (vec){0});
    for (int i = 0; i < count; i += SUMS_AT_ONCE)
        sum_lanes_at_once((const float(*)[WKI_LANES])sums + i, all + i);
    for (int r = 0; r < rows; r++) {
        float *output = call->output + (row + r) * call->out_pitch + out;
        const float *bias = call->bias == NULL ? NULL : call->bias + out, *sum = all + r * no;
        /* The last four overlap the ones before, with the same results. */
        UNROLL for (int o = 0; o < no && no >= 4; o += 4)
        {
            const int at = WKI_MIN(o, no - 4);
            const vec4 y =
                *(const vec4 *)(sum + at) + (bias != NULL ? *(const vec4 *)(bias + at) : (vec4){0});
            *(vec4 *)(output + at) = call->relu ? relu_vec4(y) : y;
        }
        for (int o = 0; o < no && no < 4; o++) {
            const float y = sum[o] + (bias != NULL ? bias[o] : 0.0f);
            output[o] = call->relu && y < 0.0f ? 0.0f : y;
        }
    }
}

typedef void forward_function(const wki_linear_call *call, int out);

/* All rows of outputs out ... What the call says is copied, so that nothing that is written can change it. */
#define FORWARD_OF(name, no, of_pixels)                                                                 \
    static __attribute__((noinline)) void name(const wki_linear_call *from, int out)                    \
    {                                                                                                   \
        wki_linear_call call = *from;                                                                   \
        float weight_tail[MAX_OUT][WKI_LANES], sums[FINISHED_ROWS * MAX_OUT + SUMS_AT_ONCE][WKI_LANES]; \
        if (out > 0)                                                                                    \
            call.ahead = NULL;                                                                          \
        for (int o = 0; o < no && call.in_features % WKI_LANES != 0; o++)                               \
            copy_tail(call.weight + (out + o) * (ptrdiff_t)call.in_features, call.in_features,          \
                      weight_tail[o]);                                                                  \
        for (int row = 0; row < call.rows; row += FINISHED_ROWS) {                                      \
            const int rows = WKI_MIN(FINISHED_ROWS, call.rows - row);                                   \
            int r = 0;                                                                                  \
            for (; r + TILE_ROWS <= rows; r += TILE_ROWS)                                               \
                forward_tile(&call, row + r, out, weight_tail, sums + r * no, TILE_ROWS, no,            \
                             of_pixels);                                                                \
            for (; r < rows; r++)                                                                       \
                forward_tile(&call, row + r, out, weight_tail, sums + r * no, 1, no, of_pixels);        \
            finish_rows(&call, row, rows, out, sums, no);                                               \
        }                                                                                               \
    }
#define FORWARD(no)                                                                                     \
    FORWARD_OF(forward_##no, no, false)                                                                 \
    FORWARD_OF(forward_pixels_##no, no, true)
FOR_OUTPUTS(FORWARD)

/* [outputs][of pixels] */
#define FORWARD_NAMES(no) {forward_##no, forward_pixels_##no},
static forward_function *const forward_tiles[MAX_OUT + 1][2] = {{NULL}, FOR_OUTPUTS(FORWARD_NAMES)};

void WKI_KERNEL(linear)(const wki_linear_call *call)
{
    if (call->in_features <= WKI_LANES) {
        few_forward(call);
        return;
    }
    for (int out = 0; out < call->out_features; out += MAX_OUT) {
        const bool pixels = call->pixels != NULL && (out == 0 || READS_PIXELS);
        forward_tiles[WKI_MIN(MAX_OUT, call->out_features - out)][pixels](call, out);
    }
}

/* ---- the gradient of the input: a tile is nr rows times two vectors of features, summed along the outputs ---- */

/* input_gradient[row + r][i ...] = sum over o of delta[row + r][o] * weight[o][i ...] */
ALWAYS_INLINE void input_tile(const wki_linear_call *call, int row, ptrdiff_t i, const int nr,
                              const int nv)
{
    const ptrdiff_t features = call->in_features;
    vec sum[MANY][2];
    UNROLL for (int r = 0; r < nr; r++) UNROLL for (int v = 0; v < nv; v++) sum[r][v] = (vec){0};
    const float *delta = call->delta + row * call->out_pitch;
    for (ptrdiff_t o = 0; o < call->out_features; o++) {
        const float *weight = call->weight + o * features + i;
        vec w[2];
        UNROLL for (int v = 0; v < nv; v++) w[v] = load(weight + v * VW);
        UNROLL for (int r = 0; r < nr; r++)
        {
            vec d = splat(delta[r * call->out_pitch + o]);
            UNROLL for (int v = 0; v < nv; v++) sum[r][v] += d * w[v];
        }
    }
    UNROLL for (int r = 0; r < nr; r++)
    {
        ptrdiff_t at = (row + r) * call->in_pitch + i;
        UNROLL for (int v = 0; v < nv; v++)
        {
            vec value = sum[r][v];
            if (call->mask != NULL)
                value = mask_vec(load(call->mask + at + v * VW), value);
            store(call->input_gradient + at + v * VW, value);
        }
    }
}

/* Four features, and one. */
ALWAYS_INLINE void input_four(const wki_linear_call *call, int row, ptrdiff_t i, const int nr)
{
    vec4 sum[MANY];
    UNROLL for (int r = 0; r < nr; r++) sum[r] = (vec4){0};
    const float *delta = call->delta + row * call->out_pitch;
    for (ptrdiff_t o = 0; o < call->out_features; o++) {
        const vec4 w = *(const vec4 *)(call->weight + o * call->in_features + i);
        UNROLL for (int r = 0; r < nr; r++) sum[r] += delta[r * call->out_pitch + o] * w;
    }
    UNROLL for (int r = 0; r < nr; r++)
    {
        const ptrdiff_t at = (row + r) * call->in_pitch + i;
        *(vec4 *)(call->input_gradient + at) = sum[r];
        for (ptrdiff_t k = at; k < at + 4 && call->mask != NULL; k++)
            if (call->mask[k] <= 0.0f)
                call->input_gradient[k] = 0.0f;
    }
}

ALWAYS_INLINE void input_one(const wki_linear_call *call, int row, ptrdiff_t i, const int nr)
{
    float sum[MANY] = {0};
    const float *delta = call->delta + row * call->out_pitch;
    for (ptrdiff_t o = 0; o < call->out_features; o++) {
        const float w = call->weight[o * call->in_features + i];
        UNROLL for (int r = 0; r < nr; r++) sum[r] =
            multiply_add(sum[r], delta[r * call->out_pitch + o], w);
    }
    UNROLL for (int r = 0; r < nr; r++)
    {
        const ptrdiff_t at = (row + r) * call->in_pitch + i;
        call->input_gradient[at] = call->mask != NULL && call->mask[at] <= 0.0f ? 0.0f : sum[r];
    }
}

#define INPUT(nr)                                                                                       \
    static __attribute__((noinline)) void input_##nr(const wki_linear_call *call, int row)              \
    {                                                                                                   \
        ptrdiff_t i = 0;                                                                                \
        for (; i + 2 * VW <= call->in_features; i += 2 * VW)                                            \
            input_tile(call, row, i, nr, 2);                                                            \
        for (; i + VW <= call->in_features; i += VW)                                                    \
            input_tile(call, row, i, nr, 1);                                                            \
        for (; i + 4 <= call->in_features; i += 4)                                                      \
            input_four(call, row, i, nr);                                                               \
        for (; i < call->in_features; i++)                                                              \
            input_one(call, row, i, nr);                                                                \
    }
FOR_MANY(INPUT)

typedef void input_function(const wki_linear_call *call, int row);

#define INPUT_NAME(nr) input_##nr,
static input_function *const input_tiles[MANY + 1] = {NULL, FOR_MANY(INPUT_NAME)};

void WKI_KERNEL(linear_input)(const wki_linear_call *call)
{
    if (few_features(call, call->out_features)) {
        few_input(call);
        return;
    }
    for (int tile = 0; tile < tile_count(call->rows); tile++) {
        const int begin = tile_begin(call->rows, tile), end = tile_begin(call->rows, tile + 1);
        input_tiles[end - begin](call, begin);
    }
}

/* Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015), in one
 * dimension; two are one after the other, along the columns and then along the rows. For `tile` outputs a window of
 * side = tile + kernel - 1 inputs d and the kernel g are transformed and multiplied number by number, and the products
 * transformed back: A^T ((G g) . (B^T d)).
 *
 * F(2, 3) is a polynomial's interpolation at 0, 1, -1 and infinity. F(4, 3) and F(2, 5), whose windows are of 6, take 0,
 * +-5/8, +-3/2 and infinity, which lose fewer digits than the usual 0, +-1, +-2 (an error of twice the direct way's,
 * rather than of five times); what they are multiplied with in B is exact. A factor of a whole output, or number of a
 * kernel, comes last, as a table: so every sum here has one product at most, and is rounded alike however a compiler
 * puts the two together.
 */
#ifndef WKI_WINOGRAD_H
#define WKI_WINOGRAD_H

#include "cpu/pool_taken.h"

/* The most that there are: of a window's side, its places, a tile's side, a kernel's side and taps. */
enum {
    WINOGRAD_SIDE = 6,
    WINOGRAD_PLACES = 36,
    WINOGRAD_TILE = 4,
    WINOGRAD_KERNEL = 5,
    WINOGRAD_TAPS = 25
};

#define POINT_A  0.625f
#define POINT_B  1.5f
#define POINT_A2 (POINT_A * POINT_A)
#define POINT_B2 (POINT_B * POINT_B)
#define RATIO    (POINT_B / POINT_A)

/* What the powers of the points are divided by in G; at infinity it is A's factor, which is 1 there. */
#define KERNEL_0 (1.0f / (POINT_A2 * POINT_B2))
#define KERNEL_A (1.0f / (2 * POINT_A2 * (POINT_A2 - POINT_B2)))
#define KERNEL_B (1.0f / (2 * POINT_B2 * (POINT_B2 - POINT_A2)))
#define KERNEL_C (0.5f / (POINT_A2 - POINT_B2))

/* The factors that come last. Of output i, in A: */
ALWAYS_INLINE float winograd_output_scale(const int side, const int i)
{
    static const float scale[WINOGRAD_TILE] = {1.0f, POINT_A, POINT_A2, POINT_A2 * POINT_A};
    return side == 4 ? 1.0f : scale[i];
}

/* Of number i of the transformed kernel, in G: */
ALWAYS_INLINE float winograd_kernel_scale(const int tile, const int side, const int i)
{
    static const float small[4] = {1.0f, 0.5f, 0.5f, 1.0f};
    static const float large[5] = {KERNEL_0, KERNEL_A, KERNEL_A, KERNEL_B, KERNEL_B};
    if (side == 4)
        return small[i];
    return i < 5 ? large[i] : tile == 2 ? 1.0f / POINT_A : 1.0f / (POINT_A2 * POINT_A);
}

/* Of number i of a kernel's gradient, in G^T: */
ALWAYS_INLINE float winograd_gradient_scale(const int kernel, const int side, const int i)
{
    static const float scale[4] = {KERNEL_0, KERNEL_A * POINT_A, KERNEL_C, KERNEL_C * POINT_A};
    return side == 4 || i == kernel - 1 ? 1.0f : scale[i];
}

/* B^T d: `side` numbers. */
ALWAYS_INLINE void winograd_input(const int side, const vec d[], vec v[])
{
    if (side == 4) {
        v[0] = d[0] - d[2];
        v[1] = d[1] + d[2];
        v[2] = d[2] - d[1];
        v[3] = d[1] - d[3];
        return;
    }
    const vec even_a = d[4] - POINT_B2 * d[2], odd_a = d[3] - POINT_B2 * d[1];
    const vec even_b = d[4] - POINT_A2 * d[2], odd_b = d[3] - POINT_A2 * d[1];
    const vec low = d[4] - (POINT_A2 + POINT_B2) * d[2], high = d[5] - (POINT_A2 + POINT_B2) * d[3];
    v[0] = low + POINT_A2 * POINT_B2 * d[0];
    v[1] = even_a + POINT_A * odd_a;
    v[2] = even_a - POINT_A * odd_a;
    v[3] = even_b + POINT_B * odd_b;
    v[4] = even_b - POINT_B * odd_b;
    v[5] = high + POINT_A2 * POINT_B2 * d[1];
}

/* G g but for the factors: `side` numbers. */
ALWAYS_INLINE void winograd_kernel(const int kernel, const int side, const vec g[], vec u[])
{
    u[0] = g[0];
    u[side - 1] = g[kernel - 1];
    if (side == 4) {
        const vec ends = g[0] + g[2];
        u[1] = ends + g[1];
        u[2] = ends - g[1];
        return;
    }
    vec even_a = g[0] + POINT_A2 * g[2], odd_a = g[1], even_b = g[0] + POINT_B2 * g[2], odd_b = g[1];
    if (kernel == 5) {
        even_a = g[0] + POINT_A2 * (g[2] + POINT_A2 * g[4]);
        even_b = g[0] + POINT_B2 * (g[2] + POINT_B2 * g[4]);
        odd_a = g[1] + POINT_A2 * g[3];
        odd_b = g[1] + POINT_B2 * g[3];
    }
    u[1] = even_a + POINT_A * odd_a;
    u[2] = even_a - POINT_A * odd_a;
    u[3] = even_b + POINT_B * odd_b;
    u[4] = even_b - POINT_B * odd_b;
}

/* A^T m but for the factors: `tile` outputs. */
ALWAYS_INLINE void winograd_output(const int tile, const int side, const vec m[], vec y[])
{
    const vec sum = m[1] + m[2], difference = m[1] - m[2];
    if (side == 4) {
        y[0] = m[0] + sum;
        y[1] = difference - m[3];
        return;
    }
    const vec sum_b = m[3] + m[4], difference_b = m[3] - m[4];
    y[0] = m[0] + sum + sum_b;
    y[1] = difference + RATIO * difference_b;
    if (tile == 4) {
        y[2] = sum + RATIO * RATIO * sum_b;
        y[3] = difference + RATIO * RATIO * RATIO * difference_b;
    }
    y[tile - 1] += m[5];
}

/* A e, the gradient of `tile` outputs: `side` numbers. */
ALWAYS_INLINE void winograd_delta(const int tile, const int side, const vec e[], vec v[])
{
    v[0] = e[0];
    if (side == 4) {
        v[1] = e[0] + e[1];
        v[2] = e[0] - e[1];
        v[3] = -e[1];
        return;
    }
    vec even_a = e[0], odd_a = e[1], even_b = e[0], odd_b = e[1];
    if (tile == 4) {
        even_a = e[0] + POINT_A2 * e[2];
        odd_a = e[1] + POINT_A2 * e[3];
        even_b = e[0] + POINT_B2 * e[2];
        odd_b = e[1] + POINT_B2 * e[3];
    }
    v[1] = even_a + POINT_A * odd_a;
    v[2] = even_a - POINT_A * odd_a;
    v[3] = even_b + POINT_B * odd_b;
    v[4] = even_b - POINT_B * odd_b;
    v[5] = e[tile - 1];
}

/* G^T m but for the factors: a kernel's numbers, of `side`. */
ALWAYS_INLINE void winograd_gradient(const int kernel, const int side, const vec m[], vec g[])
{
    const vec sum = m[1] + m[2], difference = m[1] - m[2];
    if (side == 4) {
        g[0] = m[0] + 0.5f * sum;
        g[1] = 0.5f * difference;
        g[2] = 0.5f * sum + m[3];
        return;
    }
    const vec sum_b = m[3] + m[4], difference_b = m[3] - m[4];
    g[0] = m[0] + POINT_A2 * POINT_B2 * KERNEL_A * sum + POINT_A2 * POINT_B2 * KERNEL_B * sum_b;
    g[1] = difference - POINT_A / POINT_B * difference_b;
    if (kernel == 3) {
        g[2] = m[5] + KERNEL_C * (sum - sum_b);
        return;
    }
    g[2] = sum - sum_b;
    g[3] = difference - RATIO * difference_b;
    g[4] = m[5] + KERNEL_C * POINT_A2 * (sum - RATIO * RATIO * sum_b);
}

/* ---- windows of the input ---- */

ALWAYS_INLINE void winograd_load_row(const float *from, ptrdiff_t column, ptrdiff_t gap, const bool two,
                                     vec r[4])
{
    vec d[4];
    UNROLL for (int x = 0; x < 4; x++) d[x] =
        load_lanes(from + x * column, from + x * column + gap, two);
    winograd_input(4, d, r);
}

ALWAYS_INLINE void winograd_store_row(float *to, ptrdiff_t place, const vec a[4], const vec b[4],
                                      const bool add)
{
    UNROLL for (int x = 0; x < 4; x++) store(to + x * place, add ? a[x] + b[x] : a[x] - b[x]);
}

/* The rows go by in an order that has few of them in registers at a time. */
ALWAYS_INLINE void winograd_window_small(const float *from, wki_plane plane, ptrdiff_t gap,
                                         const bool two, float *to, ptrdiff_t place)
{
    const ptrdiff_t row = plane.row, column = plane.column;
    vec p[4], q[4];
    winograd_load_row(from, column, gap, two, p);
    winograd_load_row(from + 2 * row, column, gap, two, q);
    winograd_store_row(to, place, p, q, false);
    winograd_load_row(from + row, column, gap, two, p);
    winograd_store_row(to + 4 * place, place, p, q, true);
    winograd_store_row(to + 8 * place, place, q, p, false);
    winograd_load_row(from + 3 * row, column, gap, two, q);
    winograd_store_row(to + 12 * place, place, p, q, false);
}

/* Columns of V that are made at a time: two that share what they are made of fit 32 registers, for which the window's
 * numbers are read again for each pair. Of 16, two are too many, and what does not fit is better kept. */
#define WINDOW_COLUMNS (REGISTERS == 32 ? 2 : 6)

/* Where windows are: as they are, or as the gradient of what a pooling read, see wki_winograd_call. */
typedef struct window_source {
    const float *from; /* where a window begins */
    wki_plane plane;
    ptrdiff_t gap;        /* of two: to the other block's */
    const int32_t *taken; /* unpooled: of the tile that it begins in */
    wki_plane taken_plane;
} window_source;

/* Number (y, x) of a window: of one block's lanes or of half of the lanes of two. */
ALWAYS_INLINE vec window_number(const window_source s, const int y, const int x, const bool two,
                                const bool unpool)
{
    if (!unpool) {
        const float *at = s.from + y * s.plane.row + x * s.plane.column;
        return load_lanes(at, at + s.gap, two);
    }
    /* The window begins in the last row and column of a tile, and so in the second ones of a window of the pooling's. */
    enum { LAST = WINOGRAD_TILE - 1 };
    const int i = y + LAST, j = x + LAST;
    const int32_t *taken =
        s.taken + i / WINOGRAD_TILE * s.taken_plane.row + j / WINOGRAD_TILE * WKI_LANES;
    return unpooled(load(s.from + (i / 2 - 1) * s.plane.row + (j / 2 - 1) * WKI_LANES),
                    load_taken(taken), 1 << (i % WINOGRAD_TILE * WINOGRAD_TILE + j % WINOGRAD_TILE));
}

ALWAYS_INLINE void winograd_window_large(const window_source s, const bool two, const bool unpool,
                                         float *to, ptrdiff_t place)
{
    static const int order[6] = {1, 2, 3, 4, 0, 5};
    UNROLL for (int first = 0; first < 6; first += WINDOW_COLUMNS)
    {
        vec columns[WINDOW_COLUMNS][6];
        UNROLL for (int y = 0; y < 6; y++)
        {
            vec d[6], row[6];
            UNROLL for (int x = 0; x < 6; x++) d[x] = window_number(s, y, x, two, unpool);
            winograd_input(6, d, row);
            UNROLL for (int c = 0; c < WINDOW_COLUMNS; c++) columns[c][y] = row[order[first + c]];
        }
        UNROLL for (int c = 0; c < WINDOW_COLUMNS; c++)
        {
            vec v[6];
            float *at = to + order[first + c] * place;
            winograd_input(6, columns[c], v);
            UNROLL for (int y = 0; y < 6; y++, at += 6 * place)
            {
                FORGET_ORIGIN(at);
                store(at, v[y]);
            }
        }
    }
}

/* V = B^T d B of `channels` channels and the first `vectors` vectors of the lanes: to[place][channel][lane], `place`
 * floats from one place to the next. Of 0 vectors: of half a vector of this tile and of the one `gap` floats on. The last
 * channel first: where V is about as large as the L1 cache and was read from the first channel on before, its last ones are
 * still there. */
ALWAYS_INLINE void winograd_windows(const int side, const window_source all, int channels,
                                    float *transformed, ptrdiff_t place, const int vectors,
                                    const bool unpool)
{
    const bool two = vectors == 0;
    for (int i = channels - 1; i >= 0; i--) {
        UNROLL for (int v = 0; v < WKI_MAX(1, vectors); v++)
        {
            window_source s = all;
            s.from += i * s.plane.channel + v * VW;
            if (unpool)
                s.taken += i * s.taken_plane.channel + v * VW;
            float *to = transformed + i * WKI_LANES + v * VW;
            if (side == 4)
                winograd_window_small(s.from, s.plane, s.gap, two, to, place);
            else
                winograd_window_large(s, two, unpool, to, place);
        }
    }
}

/* The same where windows are as they are, each in a function of its own (see winograd_gradient.h). Columns that are next to
 * each other, no dilation, are said to be: a window has more addresses than registers. */
ALWAYS_INLINE void winograd_plain_windows(const int side, const float *input, wki_plane plane,
                                          ptrdiff_t gap, int channels, float *transformed,
                                          ptrdiff_t place, const int vectors, const bool dense)
{
    const window_source s = {.from = input,
                             .plane = {plane.channel, plane.row, dense ? WKI_LANES : plane.column},
                             .gap = gap};
    winograd_windows(side, s, channels, transformed, place, vectors, false);
}

#endif

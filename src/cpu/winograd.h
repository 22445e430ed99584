/* Winograd's minimal filtering for 3x3 kernels (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
 * 2015), in one dimension; two are one after the other, along the columns and then along the rows. For `tile` outputs
 * a window of tile + 2 inputs d and the kernel g are transformed and multiplied number by number, and the products
 * transformed back: A^T ((G g) . (B^T d)).
 *
 * F(2, 3) is a polynomial's interpolation at 0, 1, -1 and infinity. F(4, 3) takes 0, +-5/8, +-3/2 and infinity, which
 * lose fewer digits than the usual 0, +-1, +-2 (an error of twice the direct way's, rather than of five times); what
 * they are multiplied with in B is exact. A factor of a whole output, or number of a kernel, comes last, as a table:
 * so every sum here has one product at most, and is rounded alike however a compiler puts the two together.
 */
#ifndef WKI_WINOGRAD_H
#define WKI_WINOGRAD_H

#include "cpu/kernel_vector.h"

enum { WINOGRAD_SIDE = 6, WINOGRAD_PLACES = 36 }; /* of a window, at most */

#define POINT_A  0.625f
#define POINT_B  1.5f
#define POINT_A2 (POINT_A * POINT_A)
#define POINT_B2 (POINT_B * POINT_B)
#define RATIO    (POINT_B / POINT_A)

/* Factors that come last: of an output, A's; of the transformed kernel, G's; of a kernel's gradient, G^T's. */
#define OUTPUT_SCALES                                                                                   \
    {                                                                                                   \
        1.0f, POINT_A, POINT_A2, POINT_A2 *POINT_A                                                      \
    }
#define KERNEL_A (1.0f / (2 * POINT_A2 * (POINT_A2 - POINT_B2)))
#define KERNEL_B (1.0f / (2 * POINT_B2 * (POINT_B2 - POINT_A2)))
#define KERNEL_SCALES                                                                                   \
    {                                                                                                   \
        1.0f / (POINT_A2 * POINT_B2), KERNEL_A, KERNEL_A, KERNEL_B, KERNEL_B,                           \
            1.0f / (POINT_A2 * POINT_A)                                                                 \
    }
#define GRADIENT_SCALES                                                                                 \
    {                                                                                                   \
        1.0f / (POINT_A2 * POINT_B2), KERNEL_A *POINT_A, 1.0f                                           \
    }

/* B^T d: `tile` + 2 numbers. */
ALWAYS_INLINE void winograd_input(const int tile, const vec d[], vec v[])
{
    if (tile == 2) {
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

/* G g but for KERNEL_SCALES: `tile` + 2 numbers of three. */
ALWAYS_INLINE void winograd_kernel(const int tile, const vec g[3], vec u[])
{
    if (tile == 2) {
        const vec ends = g[0] + g[2];
        u[0] = g[0];
        u[1] = ends + g[1];
        u[2] = ends - g[1];
        u[3] = g[2];
        return;
    }
    const vec a = g[0] + POINT_A2 * g[2], b = g[0] + POINT_B2 * g[2];
    u[0] = g[0];
    u[1] = a + POINT_A * g[1];
    u[2] = a - POINT_A * g[1];
    u[3] = b + POINT_B * g[1];
    u[4] = b - POINT_B * g[1];
    u[5] = g[2];
}

/* A^T m but for OUTPUT_SCALES: `tile` outputs. */
ALWAYS_INLINE void winograd_output(const int tile, const vec m[], vec y[])
{
    const vec sum = m[1] + m[2], difference = m[1] - m[2];
    if (tile == 2) {
        y[0] = m[0] + sum;
        y[1] = difference - m[3];
        return;
    }
    const vec sum_b = m[3] + m[4], difference_b = m[3] - m[4];
    y[0] = m[0] + sum + sum_b;
    y[1] = difference + RATIO * difference_b;
    y[2] = sum + RATIO * RATIO * sum_b;
    y[3] = difference + RATIO * RATIO * RATIO * difference_b + m[5];
}

/* A e, the gradient of `tile` outputs: `tile` + 2 numbers. */
ALWAYS_INLINE void winograd_delta(const int tile, const vec e[], vec v[])
{
    if (tile == 2) {
        v[0] = e[0];
        v[1] = e[0] + e[1];
        v[2] = e[0] - e[1];
        v[3] = -e[1];
        return;
    }
    const vec even_a = e[0] + POINT_A2 * e[2], odd_a = e[1] + POINT_A2 * e[3];
    const vec even_b = e[0] + POINT_B2 * e[2], odd_b = e[1] + POINT_B2 * e[3];
    v[0] = e[0];
    v[1] = even_a + POINT_A * odd_a;
    v[2] = even_a - POINT_A * odd_a;
    v[3] = even_b + POINT_B * odd_b;
    v[4] = even_b - POINT_B * odd_b;
    v[5] = e[3];
}

/* G^T m but for GRADIENT_SCALES: three numbers of tile + 2. */
ALWAYS_INLINE void winograd_gradient(const int tile, const vec m[], vec g[3])
{
    const vec sum = m[1] + m[2], difference = m[1] - m[2];
    if (tile == 2) {
        g[0] = m[0] + 0.5f * sum;
        g[1] = 0.5f * difference;
        g[2] = 0.5f * sum + m[3];
        return;
    }
    const vec sum_b = m[3] + m[4], difference_b = m[3] - m[4];
    g[0] = m[0] + POINT_B2 / (2 * (POINT_A2 - POINT_B2)) * sum +
           POINT_A2 / (2 * (POINT_B2 - POINT_A2)) * sum_b;
    g[1] = difference - POINT_A / POINT_B * difference_b;
    g[2] = m[5] + 0.5f / (POINT_A2 - POINT_B2) * (sum - sum_b);
}

/* ---- windows of the input ---- */

ALWAYS_INLINE void winograd_load_row(const float *from, ptrdiff_t column, vec r[4])
{
    vec d[4];
    UNROLL for (int x = 0; x < 4; x++) d[x] = load(from + x * column);
    winograd_input(2, d, r);
}

ALWAYS_INLINE void winograd_store_row(float *to, ptrdiff_t place, const vec a[4], const vec b[4],
                                      const bool add)
{
    UNROLL for (int x = 0; x < 4; x++) store(to + x * place, add ? a[x] + b[x] : a[x] - b[x]);
}

/* The rows go by in an order that has few of them in registers at a time. */
ALWAYS_INLINE void winograd_window_2(const float *from, wki_plane plane, float *to, ptrdiff_t place)
{
    const ptrdiff_t row = plane.row, column = plane.column;
    vec p[4], q[4];
    winograd_load_row(from, column, p);
    winograd_load_row(from + 2 * row, column, q);
    winograd_store_row(to, place, p, q, false);
    winograd_load_row(from + row, column, p);
    winograd_store_row(to + 4 * place, place, p, q, true);
    winograd_store_row(to + 8 * place, place, q, p, false);
    winograd_load_row(from + 3 * row, column, q);
    winograd_store_row(to + 12 * place, place, p, q, false);
}

ALWAYS_INLINE void winograd_window_4(const float *from, wki_plane plane, float *to, ptrdiff_t place)
{
    vec rows[6][6];
    UNROLL for (int y = 0; y < 6; y++)
    {
        vec d[6];
        UNROLL for (int x = 0; x < 6; x++) d[x] = load(from + y * plane.row + x * plane.column);
        winograd_input(4, d, rows[y]);
    }
    UNROLL for (int x = 0; x < 6; x++)
    {
        vec d[6], v[6];
        UNROLL for (int y = 0; y < 6; y++) d[y] = rows[y][x];
        winograd_input(4, d, v);
        UNROLL for (int y = 0; y < 6; y++) store(to + (6 * y + x) * place, v[y]);
    }
}

/* V = B^T d B of `channels` channels and the first `vectors` vectors of the lanes: to[place][channel][lane], `place`
 * floats from one place to the next. */
ALWAYS_INLINE void winograd_window(const int tile, const float *input, wki_plane plane, int channels,
                                   float *transformed, ptrdiff_t place, const int vectors)
{
    for (int i = 0; i < channels; i++) {
        UNROLL for (int v = 0; v < vectors; v++)
        {
            const float *from = input + i * plane.channel + v * VW;
            float *to = transformed + i * WKI_LANES + v * VW;
            if (tile == 2)
                winograd_window_2(from, plane, to, place);
            else
                winograd_window_4(from, plane, to, place);
        }
    }
}

#endif

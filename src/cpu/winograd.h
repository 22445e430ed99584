/* What the kernels of Winograd's F(2x2, 3x3) share: the transform of a 4x4 window of the input. */
#ifndef WKI_WINOGRAD_H
#define WKI_WINOGRAD_H

#include "cpu/kernel_vector.h"

enum { PLACES = 16 };

/* One row of the window times B: 4 pixels, columns 0 - 2, 1 + 2, 2 - 1, 1 - 3. */
ALWAYS_INLINE void winograd_load_row(const float *from, ptrdiff_t column, vec r[4])
{
    vec a = load(from), b = load(from + column), c = load(from + 2 * column),
        d = load(from + 3 * column);
    r[0] = a - c;
    r[1] = b + c;
    r[2] = c - b;
    r[3] = b - d;
}

ALWAYS_INLINE void winograd_store_row(float *to, ptrdiff_t place, const vec a[4], const vec b[4],
                                      const bool add)
{
    UNROLL for (int x = 0; x < 4; x++) store(to + x * place, add ? a[x] + b[x] : a[x] - b[x]);
}

/* V = B^T d B of `channels` channels and the first `vectors` vectors of the lanes: to[place][channel][lane], `place`
 * floats from one place to the next. The rows go by in an order that has few of them in registers at a time. */
ALWAYS_INLINE void winograd_window(const float *input, wki_plane plane, int channels, float *transformed,
                                   ptrdiff_t place, const int vectors)
{
    const ptrdiff_t row = plane.row, column = plane.column;
    for (int i = 0; i < channels; i++) {
        UNROLL for (int v = 0; v < vectors; v++)
        {
            const float *from = input + i * plane.channel + v * VW;
            float *to = transformed + i * WKI_LANES + v * VW;
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
    }
}

#endif

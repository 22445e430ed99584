/* The matrices of Winograd's F(2, 3), F(4, 3) and F(2, 5) in double, made from their points as Cook and Toom did: B from the
 * coefficients of the polynomials that are zero at all points but one, G and A from the points' powers. */
#ifndef WINOGRAD_MATRICES_H
#define WINOGRAD_MATRICES_H

#include <math.h>
#include <string.h>

enum { WINOGRAD_MOST_SIDE = 6, WINOGRAD_MOST_PLACES = 36, WINOGRAD_ROUNDINGS = 14 };
/* WINOGRAD_ROUNDINGS: of a transform in two dimensions, at most six a dimension, and two of its factors. */

typedef struct winograd_matrices {
    double input[WINOGRAD_MOST_SIDE][WINOGRAD_MOST_SIDE];  /* B^T */
    double kernel[WINOGRAD_MOST_SIDE][5];                  /* G */
    double output[WINOGRAD_MOST_SIDE][WINOGRAD_MOST_SIDE]; /* A^T */
    double delta[WINOGRAD_MOST_SIDE][WINOGRAD_MOST_SIDE];  /* A */
} winograd_matrices;

/* The coefficients of the product of (x - points[q]) over all q but `left_out`. */
static void winograd_polynomial(const double *points, int count, int left_out, double *coefficients)
{
    int degree = 0;
    coefficients[0] = 1.0;
    for (int q = 0; q < count; q++) {
        if (q == left_out)
            continue;
        coefficients[++degree] = 0.0;
        for (int i = degree; i >= 0; i--)
            coefficients[i] = (i > 0 ? coefficients[i - 1] : 0.0) - points[q] * coefficients[i];
    }
}

/* As many points as a window has sides; the last one is infinity. */
static void winograd_make(winograd_matrices *m, const double *points, int tile, int kernel,
                          double last_scale)
{
    const int count = tile + kernel - 2;
    memset(m, 0, sizeof(*m));
    for (int p = 0; p < count; p++) {
        double n = 1.0;
        for (int q = 0; q < count; q++)
            n *= q == p ? 1.0 : points[p] - points[q];
        winograd_polynomial(points, count, p, m->input[p]);
        for (int i = 0; i < kernel; i++)
            m->kernel[p][i] = pow(points[p], i) / n;
        for (int i = 0; i < tile; i++)
            m->output[i][p] = pow(points[p], i);
    }
    winograd_polynomial(points, count, -1, m->input[count]);
    m->kernel[count][kernel - 1] = 1.0 / last_scale;
    m->output[tile - 1][count] = last_scale;
}

/* F(2, 3) has the signs of the paper, which turn two rows of B and so of G round, and A's last. */
static const winograd_matrices *winograd_of(int tile, int kernel)
{
    static const double few[] = {0.0, 1.0, -1.0}, many[] = {0.0, 0.625, -0.625, 1.5, -1.5};
    static winograd_matrices m;
    static int made_tile, made_kernel;
    const int side = tile + kernel - 1;
    if (made_tile == tile && made_kernel == kernel)
        return &m;
    winograd_make(&m, side == 4 ? few : many, tile, kernel, side == 4 ? 1.0 : pow(0.625, tile - 1));
    if (side == 4) {
        for (int i = 0; i < 4; i++) {
            m.input[0][i] *= -1.0;
            m.input[3][i] *= -1.0;
        }
        for (int i = 0; i < 3; i++)
            m.kernel[0][i] *= -1.0;
        m.output[1][3] = -1.0;
    }
    for (int i = 0; i < tile; i++)
        for (int p = 0; p < side; p++)
            m.delta[p][i] = m.output[i][p];
    made_tile = tile;
    made_kernel = kernel;
    return &m;
}

/* |M| |numbers| |M^T|, what a transform of count x count numbers is at most at each of side x side places. A factor of 0
 * takes nothing, not even of a NaN. */
static void winograd_sizes(const double (*m)[WINOGRAD_MOST_SIDE], int side, int count,
                           const double *numbers, double *places)
{
    double half[WINOGRAD_MOST_SIDE][WINOGRAD_MOST_SIDE] = {{0}};
    for (int p = 0; p < side; p++)
        for (int a = 0; a < count; a++)
            for (int b = 0; b < count && m[p][a] != 0.0; b++)
                half[p][b] += fabs(m[p][a] * numbers[a * count + b]);
    for (int p = 0; p < side; p++)
        for (int q = 0; q < side; q++) {
            places[p * side + q] = 0.0;
            for (int b = 0; b < count; b++)
                if (m[q][b] != 0.0)
                    places[p * side + q] += fabs(m[q][b]) * half[p][b];
        }
}

#endif

/* Rotation as Pillow does it (Image.rotate(), and its Geometry.c): bilinear in double, nearest in fixed point
 * of 16 bits. */
#include "data/transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

/* Where in the source a pixel of the result comes from: x = m[0] x' + m[1] y' + m[2], y with m[3], m[4], m[5]. */
typedef struct affine {
    double m[6];
} affine;

/* Python's round(number, 15). */
static double round_15(double number)
{
    char text[32];
    snprintf(text, sizeof(text), "%.15f", number);
    return strtod(text, NULL);
}

static affine rotation(int height, int width, double degrees)
{
    double turned = fmod(degrees, 360.0);
    turned = turned < 0 ? turned + 360.0 : turned;
    double angle = -(turned * (PI / 180.0));
    double x = width / 2.0, y = height / 2.0;
    affine a = {
        {round_15(cos(angle)), round_15(sin(angle)), 0, round_15(-sin(angle)), round_15(cos(angle)), 0}};
    a.m[2] = a.m[0] * -x + a.m[1] * -y + 0.0;
    a.m[5] = a.m[3] * -x + a.m[4] * -y + 0.0;
    a.m[2] += x;
    a.m[5] += y;
    return a;
}

static double mix(double a, double b, double share)
{
    return a + (b - a) * share;
}

static int clip(int at, int count)
{
    return at < 0 ? 0 : at < count ? at : count - 1;
}

static uint8_t bilinear_pixel(const uint8_t *from, int height, int width, double x, double y)
{
    if (x < 0.0 || x >= width || y < 0.0 || y >= height)
        return 0;
    x -= 0.5;
    y -= 0.5;
    int left = (int)floor(x), top = (int)floor(y);
    double dx = x - left, dy = y - top;
    const uint8_t *row = from + (ptrdiff_t)clip(top, height) * width;
    int x0 = clip(left, width), x1 = clip(left + 1, width);
    double upper = mix(row[x0], row[x1], dx), lower = upper;
    if (top + 1 >= 0 && top + 1 < height) {
        row = from + (ptrdiff_t)(top + 1) * width;
        lower = mix(row[x0], row[x1], dx);
    }
    return (uint8_t)mix(upper, lower, dy);
}

static void rotate_bilinear(const uint8_t *from, int height, int width, const affine *a, uint8_t *to)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double mx = x + 0.5, my = y + 0.5;
            to[(ptrdiff_t)y * width + x] =
                bilinear_pixel(from, height, width, a->m[0] * mx + a->m[1] * my + a->m[2],
                               a->m[3] * mx + a->m[4] * my + a->m[5]);
        }
}

static int64_t fixed(double number)
{
    return (int64_t)floor(number * 65536.0 + 0.5);
}

static void rotate_nearest(const uint8_t *from, int height, int width, const affine *a, uint8_t *to)
{
    const int64_t step[4] = {fixed(a->m[0]), fixed(a->m[1]), fixed(a->m[3]), fixed(a->m[4])};
    int64_t row_x = fixed(a->m[2] + a->m[0] * 0.5 + a->m[1] * 0.5),
            row_y = fixed(a->m[5] + a->m[3] * 0.5 + a->m[4] * 0.5);
    for (int y = 0; y < height; y++, row_x += step[1], row_y += step[3]) {
        int64_t at_x = row_x, at_y = row_y;
        for (int x = 0; x < width; x++, at_x += step[0], at_y += step[2]) {
            int64_t from_x = at_x >> 16, from_y = at_y >> 16;
            bool inside = from_x >= 0 && from_x < width && from_y >= 0 && from_y < height;
            to[(ptrdiff_t)y * width + x] = inside ? from[from_y * width + from_x] : 0;
        }
    }
}

void wki_rotate(const uint8_t *from, int height, int width, double degrees, bool bilinear, uint8_t *to)
{
    const affine a = rotation(height, width, degrees);
    if (bilinear)
        rotate_bilinear(from, height, width, &a, to);
    else
        rotate_nearest(from, height, width, &a, to);
}

/* From pixels to floats, and between rows and lanes. */
#include "cpu/pixel_vectors.h"

#include <string.h>

void WKI_KERNEL(pixels_to_rows)(const wki_layout_call *call)
{
    ptrdiff_t count = (ptrdiff_t)call->channels * call->height * call->width;
    for (int n = 0; n < call->images; n++) {
        const uint8_t *pixels = call->pixels[n];
        float *row = call->rows + n * call->pitch;
        ptrdiff_t i = 0;
        for (; i + VW <= count; i += VW)
            store(row + i, load_pixels(pixels + i));
        for (; i < count; i++)
            row[i] = pixel_float(pixels[i]);
    }
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));

/* One step of a transposition of 16 rows of 16 bytes: rows i and i + 8 are interleaved into rows 2i
 * and 2i + 1. Four steps transpose. */
ALWAYS_INLINE void interleave(const bytes16 from[WKI_LANES], bytes16 to[WKI_LANES])
{
    UNROLL for (int i = 0; i < 8; i++)
    {
        to[2 * i] = __builtin_shufflevector(from[i], from[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5,
                                            21, 6, 22, 7, 23);
        to[2 * i + 1] = __builtin_shufflevector(from[i], from[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12,
                                                28, 13, 29, 14, 30, 15, 31);
    }
}

/* 16 neighbouring pixels of 16 images: to[pixel][image]. */
ALWAYS_INLINE void transpose(const uint8_t *const pixels[WKI_LANES], ptrdiff_t at,
                             uint8_t to[WKI_LANES][WKI_LANES])
{
    bytes16 a[WKI_LANES], b[WKI_LANES];
    UNROLL for (int n = 0; n < WKI_LANES; n++) memcpy(&a[n], pixels[n] + at, sizeof(a[n]));
    interleave(a, b);
    interleave(b, a);
    interleave(a, b);
    interleave(b, a);
    memcpy(to, a, sizeof(a));
}

/* Pixels at .. at + count of a row of lanes; count is at most 16. */
ALWAYS_INLINE void store_lanes(uint8_t lanes[WKI_LANES][WKI_LANES], int count, float *restrict to,
                               ptrdiff_t column)
{
    for (int x = 0; x < count; x++)
        for (int n = 0; n < WKI_LANES; n += VW)
            store(to + x * column + n, load_pixels(lanes[x] + n));
}

void WKI_KERNEL(pixels_to_lanes)(const wki_layout_call *call)
{
    static const uint8_t black[WKI_LANES];
    uint8_t lanes[WKI_LANES][WKI_LANES], tail[WKI_LANES][WKI_LANES];
    const uint8_t *tails[WKI_LANES];
    for (int row = 0; row < call->channels * call->height; row++) {
        int c = row / call->height, y = row % call->height;
        float *to = call->lanes + c * call->plane.channel + y * call->plane.row;
        for (int x = 0; x < call->width; x += WKI_LANES) {
            /* The last pixels of a row, and the images that are not there, are copied so as not to
             * read past the end. */
            int count = WKI_MIN(WKI_LANES, call->width - x);
            ptrdiff_t at = (ptrdiff_t)row * call->width + x;
            for (int n = 0; n < WKI_LANES; n++) {
                tails[n] = n < call->images ? call->pixels[n] + at : black;
                if (count < WKI_LANES && n < call->images)
                    tails[n] = memcpy(tail[n], tails[n], (size_t)count);
            }
            transpose(tails, 0, lanes);
            store_lanes(lanes, count, to + x * call->plane.column, call->plane.column);
        }
    }
}

/* ---- rows <-> lanes, 16 features of 16 images at a time ---- */

static const float zeros[WKI_LANES];

/* A place in a lanes value, as its features follow each other in a row. */
typedef struct place {
    int c, y, x;
} place;

/* Where the next `count` features are in a plane: at[]; and what comes behind. */
ALWAYS_INLINE place find_features(const wki_layout_call *call, wki_plane plane, place from, int count,
                                  ptrdiff_t at[WKI_LANES])
{
    for (int k = 0; k < count; k++) {
        at[k] = from.c * plane.channel + from.y * plane.row + from.x * plane.column;
        if (++from.x < call->width)
            continue;
        from.x = 0;
        if (++from.y < call->height)
            continue;
        from.y = 0;
        from.c++;
    }
    return from;
}

/* to[j][i] = from[i][j] */
ALWAYS_INLINE void turn(const float *const from[WKI_LANES], float *const to[WKI_LANES])
{
#if VPB == 1
    vec r[WKI_LANES];
    UNROLL for (int i = 0; i < WKI_LANES; i++) r[i] = load(from[i]);
    transpose16(r);
    UNROLL for (int j = 0; j < WKI_LANES; j++) store(to[j], r[j]);
#else
    for (int i = 0; i < WKI_LANES; i += 4) {
        UNROLL for (int j = 0; j < WKI_LANES; j += 4)
        {
            vec4 r[4];
            UNROLL for (int q = 0; q < 4; q++) r[q] = *(const vec4 *)(from[i + q] + j);
            transpose4(r);
            UNROLL for (int q = 0; q < 4; q++) * (vec4 *)(to[j + q] + i) = r[q];
        }
    }
#endif
}

/* The features that do not fill a tile, and images that are not there, come from copies and go to copies. */
typedef float tile[WKI_LANES][WKI_LANES];

void WKI_KERNEL(rows_to_lanes)(const wki_layout_call *call)
{
    const ptrdiff_t features = (ptrdiff_t)call->channels * call->height * call->width;
    tile spare, behind;
    place now = {0};
    for (ptrdiff_t feature = 0; feature < features; feature += WKI_LANES) {
        const int count = (int)WKI_MIN(WKI_LANES, features - feature);
        const place first = now;
        const float *from[WKI_LANES];
        float *to[WKI_LANES];
        ptrdiff_t at[WKI_LANES];
        for (int n = 0; n < WKI_LANES; n++) {
            from[n] = n < call->images ? call->rows + n * call->pitch + feature : zeros;
            if (count < WKI_LANES && n < call->images)
                from[n] = memcpy(spare[n], from[n], (size_t)count * sizeof(float));
        }
        now = find_features(call, call->plane, first, count, at);
        for (int k = 0; k < WKI_LANES; k++)
            to[k] = k < count ? call->lanes + at[k] : behind[k];
        turn(from, to);
        if (call->mask == NULL)
            continue;
        find_features(call, call->mask_plane, first, count, at);
        for (int k = 0; k < count; k++)
            UNROLL for (int v = 0; v < VPB; v++)
                store(to[k] + v * VW, mask_vec(load(call->mask + at[k] + v * VW), load(to[k] + v * VW)));
    }
}

void WKI_KERNEL(lanes_to_rows)(const wki_layout_call *call)
{
    const ptrdiff_t features = (ptrdiff_t)call->channels * call->height * call->width;
    tile spare;
    place now = {0};
    for (ptrdiff_t feature = 0; feature < features; feature += WKI_LANES) {
        const int count = (int)WKI_MIN(WKI_LANES, features - feature);
        const float *from[WKI_LANES];
        float *to[WKI_LANES];
        ptrdiff_t at[WKI_LANES];
        now = find_features(call, call->plane, now, count, at);
        for (int k = 0; k < WKI_LANES; k++)
            from[k] = k < count ? call->lanes + at[k] : zeros;
        for (int n = 0; n < WKI_LANES; n++)
            to[n] = n < call->images && count == WKI_LANES ? call->rows + n * call->pitch + feature
                                                           : spare[n];
        turn(from, to);
        for (int n = 0; n < call->images && count < WKI_LANES; n++)
            memcpy(call->rows + n * call->pitch + feature, spare[n], (size_t)count * sizeof(float));
    }
}

/* From pixels to floats, and between rows and lanes. */
#include "cpu/kernel_vector.h"

/* pixel / 255, rounded as a division rounds. */
ALWAYS_INLINE float to_float(uint8_t pixel)
{
    return (float)pixel / 255.0f;
}

void WKI_KERNEL(pixels_to_rows)(const wki_layout_call *call)
{
    ptrdiff_t count = (ptrdiff_t)call->channels * call->height * call->width;
    for (int n = 0; n < call->images; n++) {
        const uint8_t *pixels = call->pixels[n];
        float *row = call->rows + n * call->pitch;
        for (ptrdiff_t i = 0; i < count; i++)
            row[i] = to_float(pixels[i]);
    }
}

void WKI_KERNEL(pixels_to_lanes)(const wki_layout_call *call)
{
    uint8_t zero = 0;
    const uint8_t *pixels[WKI_LANES];
    ptrdiff_t step[WKI_LANES];
    for (int n = 0; n < WKI_LANES; n++) {
        pixels[n] = n < call->images ? call->pixels[n] : &zero;
        step[n] = n < call->images;
    }
    for (int c = 0; c < call->channels; c++) {
        for (int y = 0; y < call->height; y++) {
            float *to = call->lanes + c * call->plane.channel + y * call->plane.row;
            for (int x = 0; x < call->width; x++, to += call->plane.column) {
                uint8_t lanes[WKI_LANES];
                for (int n = 0; n < WKI_LANES; n++) {
                    lanes[n] = *pixels[n];
                    pixels[n] += step[n];
                }
                for (int n = 0; n < WKI_LANES; n++)
                    to[n] = to_float(lanes[n]);
            }
        }
    }
}

void WKI_KERNEL(rows_to_lanes)(const wki_layout_call *call)
{
    ptrdiff_t feature = 0;
    for (int c = 0; c < call->channels; c++) {
        for (int y = 0; y < call->height; y++) {
            float *to = call->lanes + c * call->plane.channel + y * call->plane.row;
            ptrdiff_t mask_at = c * call->mask_plane.channel + y * call->mask_plane.row;
            for (int x = 0; x < call->width; x++, feature++) {
                for (int n = 0; n < WKI_LANES; n++)
                    to[n] = n < call->images ? call->rows[n * call->pitch + feature] : 0.0f;
                for (int n = 0; n < WKI_LANES && call->mask != NULL; n++)
                    to[n] = call->mask[mask_at + n] <= 0.0f ? 0.0f : to[n];
                to += call->plane.column;
                mask_at += call->mask_plane.column;
            }
        }
    }
}

void WKI_KERNEL(lanes_to_rows)(const wki_layout_call *call)
{
    ptrdiff_t feature = 0;
    for (int c = 0; c < call->channels; c++) {
        for (int y = 0; y < call->height; y++) {
            const float *from = call->lanes + c * call->plane.channel + y * call->plane.row;
            for (int x = 0; x < call->width; x++, from += call->plane.column, feature++)
                for (int n = 0; n < call->images; n++)
                    call->rows[n * call->pitch + feature] = from[n];
        }
    }
}

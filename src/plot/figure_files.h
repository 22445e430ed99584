/* The two formats of a figure. */
#ifndef WKI_FIGURE_FILES_H
#define WKI_FIGURE_FILES_H

#include "plot/canvas.h"

/* Appends a number with at most so many decimals (0 to 6), without zeros at the end, whatever the
 * locale. What is not finite or far too large for a picture becomes 0. */
void wki_text_number(wki_text *text, double number, int decimals);

/* A PNG file of width * height pixels, 0x00RRGGBB, `scale` of them to one of a web page; 0: it does not
 * say. Owned: free(). */
wick_status wki_png_write(wick_context *context, const uint32_t *pixels, int width, int height,
                          int scale, uint8_t **bytes, size_t *length);

/* Appends the figure as an <svg> element. */
wick_status wki_svg_write(const wick_figure *figure, wki_text *svg);

#endif

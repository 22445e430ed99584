/* cairo and pango: text becomes glyphs, glyphs outlines, shapes pixels. */
#ifndef WKI_CANVAS_CAIRO_H
#define WKI_CANVAS_CAIRO_H

#include "plot/canvas.h"

/* Opens the libraries and finds a font. */
wick_status wki_cairo_open(wick_context *context, wki_cairo **out);
void wki_cairo_close(wki_cairo *cairo);

/* Lays text (of wki_clean_text()) out in one line and appends its glyphs. most: the width from which it
 * is cut, in the glyphs' units; 0: none. */
wick_status wki_cairo_shape_text(wki_cairo *cairo, const char *text, bool bold, double most,
                                 wki_glyphs *glyphs, double *width);
/* Appends a glyph's outline as SVG's path data. */
wick_status wki_cairo_outline(wki_cairo *cairo, const wki_glyph *glyph, wki_text *out);
/* Paints the figure, `scale` pixels for one of its own: *pixels is width * height of 0x00RRGGBB. Owned:
 * free(). */
wick_status wki_cairo_paint(const wick_figure *figure, int scale, uint32_t **pixels, int *width,
                            int *height);

#endif

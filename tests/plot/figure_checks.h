/* What the tests of figures look at: a PNG's pixels, an SVG's texts, and whether anything is cut or lies
 * on something else. */
#ifndef FIGURE_CHECKS_H
#define FIGURE_CHECKS_H

#include "plot/canvas.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- PNG, read by libpng ---- */

typedef struct png_pixels {
    int width, height;
    uint8_t *rgb; /* free() */
    unsigned per_meter;
} png_pixels;

png_pixels read_png(const uint8_t *bytes, size_t length);
/* 0xRRGGBB; coordinates as in the PNG. */
uint32_t pixel_at(const png_pixels *png, int x, int y);
/* How many pixels of a box, in pixels of the figure (half the PNG's), are not of that colour. */
int ink_in(const png_pixels *png, uint32_t ground, double x, double y, double w, double h);

/* ---- SVG ---- */

typedef struct svg_text {
    char text[600];
    double x, y; /* its left on its baseline */
    int angle;
    char fill[8]; /* "#1c2024" */
} svg_text;

/* The texts in the order in which they are drawn. Returns how many; texts holds at most `most`. */
int read_texts(const char *svg, svg_text *texts, int most);
/* The first of these words; NULL if there is none. */
const svg_text *find_text(const svg_text *texts, int count, const char *text);

/* ---- a context and a plotter, for a group of tests ---- */

typedef struct plot_place {
    wick_context *context;
    wick_plotter *plotter;
} plot_place;

int open_plot_place(void **state);
int close_plot_place(void **state);

/* ---- figures ---- */

/* Fails the test with the context's message if the status is not WICK_OK. */
#define MUST(context, call) must_be_ok(__FILE__, __LINE__, (context), (call))
void must_be_ok(const char *file, int line, wick_context *context, wick_status status);

/* Of any figure: the PNG has twice its size and says 192 dots an inch, nothing touches its edge, no text
 * lies on another, the SVG is well-formed XML as far as tags and attributes go, names no date, and both
 * are the same when made again. Returns the PNG, for what is to be seen of this figure in particular. */
png_pixels check_figure(const wick_figure *figure);

#endif

/* A figure while it is drawn: a list of shapes in pixels of a web page, x to the right and y down, which
 * is written as SVG (svg_write.c) and painted for PNG (canvas_cairo.c) afterwards.
 *
 * As with wki_text, everything is refused after the first failure, so that only wki_figure_finish()'s
 * status needs to be looked at.
 */
#ifndef WKI_CANVAS_H
#define WKI_CANVAS_H

#include "base/base.h"

#include <wick/plot.h>

typedef struct wki_cairo wki_cairo;

struct wick_plotter {
    wick_context *context;
    wki_cairo *cairo;
    wick_theme theme;
};

typedef struct wki_point {
    double x, y;
} wki_point;

/* How a line is drawn. */
typedef struct wki_pen {
    uint32_t rgb;
    double width;
    double alpha; /* 0: 1 */
    bool dashed;
} wki_pen;

typedef enum wki_align { WKI_LEFT, WKI_CENTER, WKI_RIGHT } wki_align;

/* How a text is set. */
typedef struct wki_type {
    double size; /* of the em */
    uint32_t rgb;
    bool bold;
    wki_align align;
    double most;  /* the width from which it is cut with an ellipsis; 0: none */
    double angle; /* in degrees, clockwise around its point */
} wki_type;

/* Glyphs are kept as if the em were so large: their outlines are then the same for every size. */
enum { WKI_EM = 100 };

typedef struct wki_glyph {
    int font;           /* WKI_NO_FONT: a box of that width in place of a glyph that no font has */
    uint32_t index;     /* in the font */
    double x, y, width; /* from the text's left on its baseline */
} wki_glyph;

enum { WKI_NO_FONT = -1 };

typedef struct wki_glyphs {
    wki_glyph *at;
    size_t count, capacity;
} wki_glyphs;

typedef enum wki_shape_kind {
    WKI_RECT,
    WKI_LINE,    /* points joined by a pen */
    WKI_POLYGON, /* points filled */
    WKI_CIRCLE,
    WKI_IMAGE,
    WKI_TEXT
} wki_shape_kind;

typedef struct wki_shape {
    wki_shape_kind kind;
    wki_pen pen;         /* its colour fills, where there is no line */
    double x, y, w, h;   /* w: a circle's radius, a text's size */
    double angle;        /* of a text */
    size_t first, count; /* among the points, the glyphs or the images */
    size_t text;         /* where among the texts it says what it says */
} wki_shape;

typedef struct wki_pixels {
    int columns, rows;
    uint8_t *rgb;
} wki_pixels;

struct wick_figure {
    wick_context *context;
    wki_cairo *cairo;        /* the plotter's */
    const wick_theme *theme; /* while it is drawn */
    uint32_t background;
    double width, height;
    wick_status status;
    wki_shape *shapes;
    size_t shape_count, shape_capacity;
    wki_point *points;
    size_t point_count, point_capacity;
    wki_glyphs glyphs;
    wki_pixels *images;
    size_t image_count, image_capacity;
    wki_text texts; /* with a NUL behind each */
    wki_text alt;
};

/* A figure without a size. Figures may be WKI_MOST_SIDE a side and WKI_MOST_AREA in all. */
enum { WKI_MOST_SIDE = 16000, WKI_MOST_AREA = 32000000 };
wick_status wki_figure_new(wick_plotter *plotter, wick_figure **out);
/* Sets the size, rounded up. */
void wki_figure_size(wick_figure *figure, double width, double height);
/* Moves the figure to *out or, if drawing it came to a failure, frees it. */
wick_status wki_figure_finish(wick_figure *figure, wick_status drawn, wick_figure **out);

void wki_draw_rect(wick_figure *figure, double x, double y, double w, double h, uint32_t rgb);
void wki_draw_line(wick_figure *figure, double x1, double y1, double x2, double y2, wki_pen pen);
/* The outline of a rectangle, inside it. */
void wki_draw_frame(wick_figure *figure, double x, double y, double w, double h, wki_pen pen);
void wki_draw_polyline(wick_figure *figure, const wki_point *points, size_t count, wki_pen pen);
void wki_draw_polygon(wick_figure *figure, const wki_point *points, size_t count, uint32_t rgb);
void wki_draw_circle(wick_figure *figure, double x, double y, double radius, uint32_t rgb);
/* Pixels as squares: columns * rows of red, green and blue, copied. */
void wki_draw_image(wick_figure *figure, double x, double y, double w, double h, int columns, int rows,
                    const uint8_t *rgb);
/* Text whose capitals and digits have their middle at y. Returns its width. */
double wki_draw_text(wick_figure *figure, double x, double y, const char *text, wki_type type);
double wki_text_width(wick_figure *figure, const char *text, wki_type type);
/* The sign for right or wrong, centred. */
void wki_draw_verdict(wick_figure *figure, double x, double y, double size, bool right);

/* Text of any bytes as valid UTF-8 without control characters, at most so long; out is NUL-terminated.
 * */
enum { WKI_LONGEST_TEXT = 512 };
void wki_clean_text(const char *text, char out[WKI_LONGEST_TEXT]);

/* A colour between two: part 0 is from, 1 is to. */
uint32_t wki_mix(uint32_t from, uint32_t to, double part);
/* Whether of the two inks the one is read better on the ground, by WCAG's contrast. */
uint32_t wki_readable(uint32_t ground, uint32_t ink, uint32_t other);

#endif

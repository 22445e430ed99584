#include "plot/canvas.h"

#include "plot/canvas_cairo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the figure ---- */

wick_status wki_figure_new(wick_plotter *plotter, wick_figure **out)
{
    void *memory;
    WKI_TRY(wki_alloc(plotter->context, 1, sizeof(wick_figure), "a figure", &memory));
    wick_figure *figure = memory;
    figure->context = plotter->context;
    figure->cairo = plotter->cairo;
    figure->theme = &plotter->theme;
    figure->background = plotter->theme.background;
    wki_text_init(&figure->texts, plotter->context);
    wki_text_init(&figure->alt, plotter->context);
    wki_text_puts(&figure->alt, "");
    *out = figure;
    return WICK_OK;
}

void wick_figure_free(wick_figure *figure)
{
    if (figure == NULL)
        return;
    for (size_t i = 0; i < figure->image_count; i++)
        free(figure->images[i].rgb);
    free(figure->images);
    free(figure->shapes);
    free(figure->points);
    free(figure->glyphs.at);
    wki_text_release(&figure->texts);
    wki_text_release(&figure->alt);
    free(figure);
}

static void fail(wick_figure *figure, wick_status status)
{
    if (figure->status == WICK_OK)
        figure->status = status;
}

void wki_figure_size(wick_figure *figure, double width, double height)
{
    figure->width = ceil(width);
    figure->height = ceil(height);
    if (figure->width > WKI_MOST_SIDE || figure->height > WKI_MOST_SIDE ||
        figure->width * figure->height > WKI_MOST_AREA)
        fail(figure, wki_fail(figure->context, WICK_ELIMIT,
                              "a figure of %.0f x %.0f pixels; it may be %d a side and %d in all",
                              figure->width, figure->height, WKI_MOST_SIDE, WKI_MOST_AREA));
}

wick_status wki_figure_finish(wick_figure *figure, wick_status drawn, wick_figure **out)
{
    fail(figure, drawn);
    fail(figure, figure->texts.status);
    fail(figure, figure->alt.status);
    wick_status status = figure->status;
    figure->theme = NULL;
    if (status == WICK_OK)
        *out = figure;
    else
        wick_figure_free(figure);
    return status;
}

/* ---- shapes ---- */

static void add_shape(wick_figure *figure, const wki_shape *shape)
{
    if (figure->status != WICK_OK)
        return;
    fail(figure, wki_grow(figure->context, (void **)&figure->shapes, &figure->shape_capacity,
                          figure->shape_count + 1, sizeof(*shape), "a figure"));
    if (figure->status == WICK_OK)
        figure->shapes[figure->shape_count++] = *shape;
}

void wki_draw_rect(wick_figure *figure, double x, double y, double w, double h, uint32_t rgb)
{
    add_shape(figure,
              &(wki_shape){.kind = WKI_RECT, .pen = {.rgb = rgb}, .x = x, .y = y, .w = w, .h = h});
}

void wki_draw_circle(wick_figure *figure, double x, double y, double radius, uint32_t rgb)
{
    add_shape(figure,
              &(wki_shape){.kind = WKI_CIRCLE, .pen = {.rgb = rgb}, .x = x, .y = y, .w = radius});
}

static void add_points(wick_figure *figure, const wki_point *points, size_t count, wki_shape shape)
{
    if (figure->status != WICK_OK || count == 0)
        return;
    fail(figure, wki_grow(figure->context, (void **)&figure->points, &figure->point_capacity,
                          figure->point_count + count, sizeof(*points), "a figure"));
    if (figure->status != WICK_OK)
        return;
    memcpy(figure->points + figure->point_count, points, count * sizeof(*points));
    shape.first = figure->point_count;
    shape.count = count;
    figure->point_count += count;
    add_shape(figure, &shape);
}

void wki_draw_polyline(wick_figure *figure, const wki_point *points, size_t count, wki_pen pen)
{
    add_points(figure, points, count, (wki_shape){.kind = WKI_LINE, .pen = pen});
}

void wki_draw_polygon(wick_figure *figure, const wki_point *points, size_t count, uint32_t rgb)
{
    add_points(figure, points, count, (wki_shape){.kind = WKI_POLYGON, .pen = {.rgb = rgb}});
}

void wki_draw_line(wick_figure *figure, double x1, double y1, double x2, double y2, wki_pen pen)
{
    const wki_point points[2] = {{x1, y1}, {x2, y2}};
    wki_draw_polyline(figure, points, 2, pen);
}

void wki_draw_frame(wick_figure *figure, double x, double y, double w, double h, wki_pen pen)
{
    double in = pen.width / 2;
    const wki_point points[5] = {{x + in, y + in},
                                 {x + w - in, y + in},
                                 {x + w - in, y + h - in},
                                 {x + in, y + h - in},
                                 {x + in, y}};
    wki_draw_polyline(figure, points, 5, pen);
}

void wki_draw_verdict(wick_figure *figure, double x, double y, double size, bool right)
{
    const wki_pen pen = {.rgb = right ? figure->theme->right : figure->theme->wrong,
                         .width = size * 0.18};
    double r = size * 0.38;
    const wki_point check[3] = {{x - r, y + 0.1 * r}, {x - 0.3 * r, y + 0.8 * r}, {x + r, y - 0.8 * r}};
    if (right) {
        wki_draw_polyline(figure, check, 3, pen);
        return;
    }
    r *= 0.8;
    wki_draw_line(figure, x - r, y - r, x + r, y + r, pen);
    wki_draw_line(figure, x - r, y + r, x + r, y - r, pen);
}

/* ---- images ---- */

static wick_status copy_image(wick_figure *figure, int columns, int rows, const uint8_t *rgb)
{
    void *copy;
    WKI_TRY(wki_grow(figure->context, (void **)&figure->images, &figure->image_capacity,
                     figure->image_count + 1, sizeof(*figure->images), "a figure's images"));
    WKI_TRY(wki_alloc(figure->context, (size_t)columns * (size_t)rows, 3, "a figure's image", &copy));
    memcpy(copy, rgb, (size_t)columns * (size_t)rows * 3);
    figure->images[figure->image_count++] = (wki_pixels){columns, rows, copy};
    return WICK_OK;
}

void wki_draw_image(wick_figure *figure, double x, double y, double w, double h, int columns, int rows,
                    const uint8_t *rgb)
{
    if (figure->status != WICK_OK)
        return;
    fail(figure, copy_image(figure, columns, rows, rgb));
    add_shape(figure, &(wki_shape){.kind = WKI_IMAGE,
                                   .x = x,
                                   .y = y,
                                   .w = w,
                                   .h = h,
                                   .first = figure->image_count - 1,
                                   .count = 1});
}

/* ---- text ---- */

/* The length of the UTF-8 sequence at c, 0 if it is none: too long a form, a surrogate, beyond
 * Unicode. */
static size_t sequence_length(const unsigned char *c)
{
    size_t length = c[0] < 0x80   ? 1
                    : c[0] < 0xc2 ? 0
                    : c[0] < 0xe0 ? 2
                    : c[0] < 0xf0 ? 3
                    : c[0] < 0xf5 ? 4
                                  : 0;
    for (size_t i = 1; i < length; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
        (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
        return 0;
    return length;
}

/* Control characters and those that break lines or turn the direction of what follows. */
static bool is_control(const unsigned char *c, size_t length)
{
    if (length == 1)
        return c[0] < 0x20 || c[0] == 0x7f;
    if (length == 2)
        return c[0] == 0xc2 && c[1] < 0xa0;
    return length == 3 && c[0] == 0xe2 &&
           ((c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) ||
            (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

void wki_clean_text(const char *text, char out[WKI_LONGEST_TEXT])
{
    static const char replacement[] = "\xef\xbf\xbd", ellipsis[] = "\xe2\x80\xa6";
    const unsigned char *c = (const unsigned char *)text;
    size_t used = 0;
    while (*c != '\0' && used < WKI_LONGEST_TEXT - 2 * sizeof(ellipsis)) {
        size_t length = sequence_length(c);
        bool good = length > 0 && !is_control(c, length);
        size_t put = good ? length : strlen(replacement);
        memcpy(out + used, good ? (const char *)c : replacement, put);
        used += put;
        c += length > 0 ? length : 1;
    }
    if (*c != '\0') {
        memcpy(out + used, ellipsis, strlen(ellipsis));
        used += strlen(ellipsis);
    }
    out[used] = '\0';
}

/* Appends the text's glyphs. Returns its width. */
static double lay_out(wick_figure *figure, const char *clean, const wki_type *type)
{
    double width = 0, scale = type->size / WKI_EM;
    if (figure->status != WICK_OK)
        return 0;
    fail(figure, wki_cairo_shape_text(figure->cairo, clean, type->bold, type->most / scale,
                                      &figure->glyphs, &width));
    return width * scale;
}

double wki_text_width(wick_figure *figure, const char *text, wki_type type)
{
    char clean[WKI_LONGEST_TEXT];
    size_t before = figure->glyphs.count;
    wki_clean_text(text, clean);
    double width = lay_out(figure, clean, &type);
    figure->glyphs.count = before;
    return width;
}

double wki_draw_text(wick_figure *figure, double x, double y, const char *text, wki_type type)
{
    /* Half of how high DejaVu Sans' capitals and digits are. */
    static const double half_capital = 0.3645;
    char clean[WKI_LONGEST_TEXT];
    size_t first = figure->glyphs.count, said = figure->texts.length;
    wki_clean_text(text, clean);
    double width = lay_out(figure, clean, &type);
    double left = type.align == WKI_LEFT ? 0 : type.align == WKI_CENTER ? width / 2 : width;
    double turn = type.angle * acos(-1) / 180, down = half_capital * type.size;
    wki_text_append(&figure->texts, clean, strlen(clean) + 1);
    add_shape(figure, &(wki_shape){.kind = WKI_TEXT,
                                   .pen = {.rgb = type.rgb},
                                   .x = x - left * cos(turn) - down * sin(turn),
                                   .y = y - left * sin(turn) + down * cos(turn),
                                   .w = type.size,
                                   .angle = type.angle,
                                   .first = first,
                                   .count = figure->glyphs.count - first,
                                   .text = said});
    return width;
}

/* ---- colours ---- */

static double channel(uint32_t rgb, int shift)
{
    return (double)(rgb >> shift & 255);
}

uint32_t wki_mix(uint32_t from, uint32_t to, double part)
{
    uint32_t mixed = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        double between = channel(from, shift) + (channel(to, shift) - channel(from, shift)) * part;
        mixed |= (uint32_t)lround(between) << shift;
    }
    return mixed;
}

/* https://www.w3.org/TR/WCAG21/#dfn-relative-luminance */
static double luminance(uint32_t rgb)
{
    static const double weights[3] = {0.0722, 0.7152, 0.2126};
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        double c = channel(rgb, 8 * i) / 255;
        sum += weights[i] * (c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
}

static double contrast(uint32_t a, uint32_t b)
{
    double la = luminance(a), lb = luminance(b);
    return (fmax(la, lb) + 0.05) / (fmin(la, lb) + 0.05);
}

uint32_t wki_readable(uint32_t ground, uint32_t ink, uint32_t other)
{
    return contrast(ground, ink) >= contrast(ground, other) ? ink : other;
}

#include "plot/canvas_cairo.h"

#include "plot/figure_files.h"

#ifdef WKI_HAVE_CAIRO

#include <dlfcn.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdlib.h>

/* All that is used of the libraries. They take as long to be loaded as wick takes to start, so that they
 * are opened when a figure is to be drawn. */
#define CAIRO_FUNCTIONS(X)                                                                              \
    X(cairo_clip)                                                                                       \
    X(cairo_close_path)                                                                                 \
    X(cairo_copy_path)                                                                                  \
    X(cairo_create)                                                                                     \
    X(cairo_curve_to)                                                                                   \
    X(cairo_destroy)                                                                                    \
    X(cairo_fill)                                                                                       \
    X(cairo_font_face_destroy)                                                                          \
    X(cairo_font_face_reference)                                                                        \
    X(cairo_font_options_create)                                                                        \
    X(cairo_font_options_destroy)                                                                       \
    X(cairo_font_options_set_antialias)                                                                 \
    X(cairo_font_options_set_hint_metrics)                                                              \
    X(cairo_font_options_set_hint_style)                                                                \
    X(cairo_get_source)                                                                                 \
    X(cairo_glyph_path)                                                                                 \
    X(cairo_image_surface_create)                                                                       \
    X(cairo_image_surface_create_for_data)                                                              \
    X(cairo_image_surface_get_data)                                                                     \
    X(cairo_image_surface_get_stride)                                                                   \
    X(cairo_line_to)                                                                                    \
    X(cairo_move_to)                                                                                    \
    X(cairo_new_path)                                                                                   \
    X(cairo_paint)                                                                                      \
    X(cairo_path_destroy)                                                                               \
    X(cairo_pattern_set_extend)                                                                         \
    X(cairo_pattern_set_filter)                                                                         \
    X(cairo_rectangle)                                                                                  \
    X(cairo_restore)                                                                                    \
    X(cairo_rotate)                                                                                     \
    X(cairo_save)                                                                                       \
    X(cairo_scale)                                                                                      \
    X(cairo_scaled_font_get_font_face)                                                                  \
    X(cairo_scaled_font_get_font_matrix)                                                                \
    X(cairo_set_dash)                                                                                   \
    X(cairo_set_font_face)                                                                              \
    X(cairo_set_font_matrix)                                                                            \
    X(cairo_set_font_options)                                                                           \
    X(cairo_set_line_cap)                                                                               \
    X(cairo_set_line_join)                                                                              \
    X(cairo_set_line_width)                                                                             \
    X(cairo_set_source_rgba)                                                                            \
    X(cairo_set_source_surface)                                                                         \
    X(cairo_show_glyphs)                                                                                \
    X(cairo_status)                                                                                     \
    X(cairo_status_to_string)                                                                           \
    X(cairo_stroke)                                                                                     \
    X(cairo_surface_destroy)                                                                            \
    X(cairo_surface_flush)                                                                              \
    X(cairo_surface_mark_dirty)                                                                         \
    X(cairo_surface_status)                                                                             \
    X(cairo_translate)                                                                                  \
    X(g_object_unref)                                                                                   \
    X(pango_cairo_context_set_font_options)                                                             \
    X(pango_cairo_font_get_scaled_font)                                                                 \
    X(pango_cairo_font_map_new)                                                                         \
    X(pango_context_set_language)                                                                       \
    X(pango_font_description_free)                                                                      \
    X(pango_font_description_new)                                                                       \
    X(pango_font_description_set_absolute_size)                                                         \
    X(pango_font_description_set_family)                                                                \
    X(pango_font_description_set_weight)                                                                \
    X(pango_font_map_create_context)                                                                    \
    X(pango_font_map_load_font)                                                                         \
    X(pango_language_from_string)                                                                       \
    X(pango_layout_get_line_readonly)                                                                   \
    X(pango_layout_get_size)                                                                            \
    X(pango_layout_new)                                                                                 \
    X(pango_layout_set_ellipsize)                                                                       \
    X(pango_layout_set_font_description)                                                                \
    X(pango_layout_set_text)                                                                            \
    X(pango_layout_set_width)

typedef struct cairo_font {
    cairo_font_face_t *face; /* owned */
    cairo_matrix_t matrix;   /* makes its em WKI_EM */
} cairo_font;

struct wki_cairo {
    wick_context *context;
    void *library;
    cairo_font_options_t *font_options;
    PangoFontMap *font_map;
    PangoContext *pango;
    PangoFontDescription *regular, *bold;
    PangoLayout *layout;
    cairo_font *fonts; /* those that were met so far; a glyph's font is a place in it */
    size_t font_count, font_capacity;
    cairo_t *outlines; /* where outlines are taken */
#define MEMBER(name) __typeof__(&name) name;
    CAIRO_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* ---- the libraries ---- */

static bool find_functions(wki_cairo *cairo)
{
    const struct {
        const char *name;
        void *place;
    } functions[] = {
#define ENTRY(name) {#name, &cairo->name},
        CAIRO_FUNCTIONS(ENTRY)
#undef ENTRY
    };
    for (size_t i = 0; i < WKI_COUNT(functions); i++) {
        void *symbol = dlsym(cairo->library, functions[i].name);
        if (symbol == NULL)
            return false;
        /* POSIX lets a function's address through a void pointer; ISO C has no cast for it. */
        *(void **)functions[i].place = symbol;
    }
    return true;
}

static wick_status open_library(wki_cairo *cairo)
{
    /* pangocairo brings cairo, pango and glib along, and dlsym() looks there too. glib must not be
     * unmapped. */
    cairo->library = dlopen("libpangocairo-1.0.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (cairo->library == NULL)
        return wki_fail(cairo->context, WICK_ENOTSUP,
                        "figures need cairo and pango (Debian's packages libcairo2 and "
                        "libpangocairo-1.0-0), which are not installed: %s",
                        dlerror());
    if (!find_functions(cairo))
        return wki_fail(cairo->context, WICK_ENOTSUP,
                        "figures need a newer cairo and pango (Debian's packages libcairo2 and "
                        "libpangocairo-1.0-0): %s",
                        dlerror());
    return WICK_OK;
}

/* Of a cairo object's status. */
static wick_status check(const wki_cairo *cairo, cairo_status_t status)
{
    if (status == CAIRO_STATUS_SUCCESS)
        return WICK_OK;
    if (status == CAIRO_STATUS_NO_MEMORY)
        return wki_fail(cairo->context, WICK_ENOMEM, "out of memory for a figure");
    return wki_fail(cairo->context, WICK_ENOTSUP, "cairo could not draw a figure: %s",
                    cairo->cairo_status_to_string(status));
}

/* ---- fonts ---- */

static PangoFontDescription *describe(const wki_cairo *cairo, PangoWeight weight)
{
    PangoFontDescription *description = cairo->pango_font_description_new();
    cairo->pango_font_description_set_family(description, "DejaVu Sans,sans-serif");
    cairo->pango_font_description_set_weight(description, weight);
    cairo->pango_font_description_set_absolute_size(description, WKI_EM * PANGO_SCALE);
    return description;
}

static bool has_font(const wki_cairo *cairo)
{
    PangoFont *font = cairo->pango_font_map_load_font(cairo->font_map, cairo->pango, cairo->regular);
    if (font == NULL)
        return false;
    cairo->g_object_unref(font);
    return true;
}

/* Text is laid out for a size at which no pixel matters, in one way on every machine. */
static wick_status open_fonts(wki_cairo *cairo)
{
    cairo->font_options = cairo->cairo_font_options_create();
    cairo->cairo_font_options_set_hint_style(cairo->font_options, CAIRO_HINT_STYLE_NONE);
    cairo->cairo_font_options_set_hint_metrics(cairo->font_options, CAIRO_HINT_METRICS_OFF);
    cairo->cairo_font_options_set_antialias(cairo->font_options, CAIRO_ANTIALIAS_GRAY);
    cairo->font_map = cairo->pango_cairo_font_map_new();
    cairo->pango = cairo->pango_font_map_create_context(cairo->font_map);
    cairo->pango_cairo_context_set_font_options(cairo->pango, cairo->font_options);
    cairo->pango_context_set_language(cairo->pango, cairo->pango_language_from_string("en"));
    cairo->regular = describe(cairo, PANGO_WEIGHT_NORMAL);
    cairo->bold = describe(cairo, PANGO_WEIGHT_BOLD);
    cairo->layout = cairo->pango_layout_new(cairo->pango);
    if (!has_font(cairo))
        return wki_fail(
            cairo->context, WICK_ENOTSUP,
            "figures need a font, and none is installed (Debian's package fonts-dejavu-core)");
    return WICK_OK;
}

static wick_status open_outlines(wki_cairo *cairo)
{
    cairo_surface_t *surface = cairo->cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo->outlines = cairo->cairo_create(surface);
    cairo->cairo_surface_destroy(surface);
    cairo->cairo_set_font_options(cairo->outlines, cairo->font_options);
    return check(cairo, cairo->cairo_status(cairo->outlines));
}

wick_status wki_cairo_open(wick_context *context, wki_cairo **out)
{
    void *memory;
    WKI_TRY(wki_alloc(context, 1, sizeof(wki_cairo), "a plotter", &memory));
    wki_cairo *cairo = memory;
    cairo->context = context;
    wick_status status = open_library(cairo);
    if (status == WICK_OK)
        status = open_fonts(cairo);
    if (status == WICK_OK)
        status = open_outlines(cairo);
    if (status == WICK_OK)
        *out = cairo;
    else
        wki_cairo_close(cairo);
    return status;
}

void wki_cairo_close(wki_cairo *cairo)
{
    if (cairo == NULL)
        return;
    for (size_t i = 0; i < cairo->font_count; i++)
        cairo->cairo_font_face_destroy(cairo->fonts[i].face);
    free(cairo->fonts);
    if (cairo->outlines != NULL)
        cairo->cairo_destroy(cairo->outlines);
    if (cairo->font_options != NULL) {
        cairo->pango_font_description_free(cairo->regular);
        cairo->pango_font_description_free(cairo->bold);
        cairo->g_object_unref(cairo->layout);
        cairo->g_object_unref(cairo->pango);
        cairo->g_object_unref(cairo->font_map);
        cairo->cairo_font_options_destroy(cairo->font_options);
    }
    if (cairo->library != NULL)
        dlclose(cairo->library);
    free(cairo);
}

/* ---- text ---- */

/* The place among the fonts of the one that pango chose. */
static wick_status find_font(wki_cairo *cairo, PangoFont *font, int *out)
{
    cairo_scaled_font_t *scaled = cairo->pango_cairo_font_get_scaled_font((PangoCairoFont *)font);
    cairo_font_face_t *face = cairo->cairo_scaled_font_get_font_face(scaled);
    cairo_matrix_t matrix;
    cairo->cairo_scaled_font_get_font_matrix(scaled, &matrix);
    for (size_t i = 0; i < cairo->font_count; i++) {
        const cairo_font *known = &cairo->fonts[i];
        if (known->face == face && known->matrix.xx == matrix.xx && known->matrix.xy == matrix.xy) {
            *out = (int)i;
            return WICK_OK;
        }
    }
    WKI_TRY(wki_grow(cairo->context, (void **)&cairo->fonts, &cairo->font_capacity,
                     cairo->font_count + 1, sizeof(*cairo->fonts), "fonts"));
    cairo->fonts[cairo->font_count] = (cairo_font){cairo->cairo_font_face_reference(face), matrix};
    *out = (int)cairo->font_count++;
    return WICK_OK;
}

/* Appends the glyphs of a run, the text up to it being *pen wide. */
static wick_status take_run(wki_cairo *cairo, const PangoGlyphItem *run, wki_glyphs *glyphs, double *pen)
{
    const PangoGlyphString *string = run->glyphs;
    int font;
    WKI_TRY(find_font(cairo, run->item->analysis.font, &font));
    WKI_TRY(wki_grow(cairo->context, (void **)&glyphs->at, &glyphs->capacity,
                     glyphs->count + (size_t)string->num_glyphs, sizeof(*glyphs->at),
                     "a figure's text"));
    for (int i = 0; i < string->num_glyphs; i++) {
        const PangoGlyphInfo *info = &string->glyphs[i];
        double width = (double)info->geometry.width / PANGO_SCALE;
        bool missing = (info->glyph & PANGO_GLYPH_UNKNOWN_FLAG) != 0;
        if (info->glyph != PANGO_GLYPH_EMPTY)
            glyphs->at[glyphs->count++] =
                (wki_glyph){.font = missing ? WKI_NO_FONT : font,
                            .index = missing ? 0 : info->glyph,
                            .x = *pen + (double)info->geometry.x_offset / PANGO_SCALE,
                            .y = (double)info->geometry.y_offset / PANGO_SCALE,
                            .width = width};
        *pen += width;
    }
    return WICK_OK;
}

wick_status wki_cairo_shape_text(wki_cairo *cairo, const char *text, bool bold, double most,
                                 wki_glyphs *glyphs, double *width)
{
    PangoLayout *layout = cairo->layout;
    cairo->pango_layout_set_font_description(layout, bold ? cairo->bold : cairo->regular);
    cairo->pango_layout_set_text(layout, text, -1);
    cairo->pango_layout_set_width(layout, most > 0 ? (int)(most * PANGO_SCALE) : -1);
    cairo->pango_layout_set_ellipsize(layout, most > 0 ? PANGO_ELLIPSIZE_END : PANGO_ELLIPSIZE_NONE);
    const PangoLayoutLine *line = cairo->pango_layout_get_line_readonly(layout, 0);
    double pen = 0;
    for (const GSList *run = line->runs; run != NULL; run = run->next)
        WKI_TRY(take_run(cairo, run->data, glyphs, &pen));
    *width = pen;
    return WICK_OK;
}

/* A glyph that no font has: the outer and the inner edge of a box. */
static void missing_box(const wki_glyph *glyph, double box[2][4])
{
    for (int i = 0; i < 2; i++) {
        double in = i == 0 ? 8 : 14;
        box[i][0] = in;
        box[i][1] = in - 78;
        box[i][2] = fmax(glyph->width - in, in);
        box[i][3] = 8 - in;
    }
}

static void append_missing(const wki_glyph *glyph, wki_text *out)
{
    double box[2][4];
    missing_box(glyph, box);
    for (int i = 0; i < 2; i++) {
        const double *b = box[i];
        /* The two go round in opposite ways. */
        const double points[8] = {b[0], b[1], b[i == 0 ? 2 : 0], b[i == 0 ? 1 : 3],
                                  b[2], b[3], b[i == 0 ? 0 : 2], b[i == 0 ? 3 : 1]};
        for (int k = 0; k < 8; k++) {
            wki_text_puts(out, k == 0 ? "M" : k % 2 == 0 ? "L" : " ");
            wki_text_number(out, points[k], 1);
        }
        wki_text_puts(out, "Z");
    }
}

static void append_path(const cairo_path_t *path, wki_text *out)
{
    static const char *const commands[] = {"M", "L", "C", "Z"};
    for (int i = 0; i < path->num_data; i += path->data[i].header.length) {
        const cairo_path_data_t *part = &path->data[i];
        /* cairo ends each with a move to where the next begins, and the last with one to nowhere. */
        if (part->header.type == CAIRO_PATH_MOVE_TO && i + part->header.length >= path->num_data)
            break;
        wki_text_puts(out, commands[part->header.type]);
        for (int k = 1; k < part->header.length; k++) {
            wki_text_puts(out, k == 1 ? "" : " ");
            wki_text_number(out, part[k].point.x, 1);
            wki_text_puts(out, " ");
            wki_text_number(out, part[k].point.y, 1);
        }
    }
}

wick_status wki_cairo_outline(wki_cairo *cairo, const wki_glyph *glyph, wki_text *out)
{
    if (glyph->font == WKI_NO_FONT) {
        append_missing(glyph, out);
        return WICK_OK;
    }
    cairo_t *cr = cairo->outlines;
    const cairo_glyph_t at_origin = {glyph->index, 0, 0};
    cairo->cairo_set_font_face(cr, cairo->fonts[glyph->font].face);
    cairo->cairo_set_font_matrix(cr, &cairo->fonts[glyph->font].matrix);
    cairo->cairo_new_path(cr);
    cairo->cairo_glyph_path(cr, &at_origin, 1);
    cairo_path_t *path = cairo->cairo_copy_path(cr);
    wick_status status = check(cairo, path->status);
    if (status == WICK_OK)
        append_path(path, out);
    cairo->cairo_path_destroy(path);
    return status;
}

/* ---- painting ---- */

static void set_color(const wki_cairo *cairo, cairo_t *cr, const wki_pen *pen)
{
    cairo->cairo_set_source_rgba(cr, (pen->rgb >> 16 & 255) / 255.0, (pen->rgb >> 8 & 255) / 255.0,
                                 (pen->rgb & 255) / 255.0, pen->alpha == 0 ? 1 : pen->alpha);
}

/* The circle as four Bézier curves: cairo's own arc is an approximation too. */
static void circle_path(const wki_cairo *cairo, cairo_t *cr, const wki_shape *shape)
{
    double x = shape->x, y = shape->y, r = shape->w, c = r * 0.5522847498;
    cairo->cairo_move_to(cr, x + r, y);
    cairo->cairo_curve_to(cr, x + r, y + c, x + c, y + r, x, y + r);
    cairo->cairo_curve_to(cr, x - c, y + r, x - r, y + c, x - r, y);
    cairo->cairo_curve_to(cr, x - r, y - c, x - c, y - r, x, y - r);
    cairo->cairo_curve_to(cr, x + c, y - r, x + r, y - c, x + r, y);
    cairo->cairo_close_path(cr);
}

static void points_path(const wki_cairo *cairo, cairo_t *cr, const wick_figure *figure,
                        const wki_shape *shape)
{
    const wki_point *points = figure->points + shape->first;
    for (size_t i = 0; i < shape->count; i++)
        (i == 0 ? cairo->cairo_move_to : cairo->cairo_line_to)(cr, points[i].x, points[i].y);
}

static void paint_line(const wki_cairo *cairo, cairo_t *cr, const wick_figure *figure,
                       const wki_shape *shape)
{
    const double dashes[2] = {3 * shape->pen.width, 2 * shape->pen.width};
    points_path(cairo, cr, figure, shape);
    cairo->cairo_set_line_width(cr, shape->pen.width);
    cairo->cairo_set_dash(cr, dashes, shape->pen.dashed ? 2 : 0, 0);
    cairo->cairo_stroke(cr);
}

/* The pixels as a surface of cairo's, NULL without memory. */
static cairo_surface_t *image_surface(const wki_cairo *cairo, const wki_pixels *image)
{
    cairo_surface_t *surface =
        cairo->cairo_image_surface_create(CAIRO_FORMAT_RGB24, image->columns, image->rows);
    if (cairo->cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
        return surface;
    uint8_t *data = cairo->cairo_image_surface_get_data(surface);
    int stride = cairo->cairo_image_surface_get_stride(surface);
    const uint8_t *rgb = image->rgb;
    for (int y = 0; y < image->rows; y++) {
        uint32_t *row = (uint32_t *)(void *)(data + (ptrdiff_t)y * stride);
        for (int x = 0; x < image->columns; x++, rgb += 3)
            row[x] = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
    }
    cairo->cairo_surface_mark_dirty(surface);
    return surface;
}

/* Pixels become squares; of what is made smaller, means. */
static void paint_image(const wki_cairo *cairo, cairo_t *cr, const wick_figure *figure,
                        const wki_shape *shape)
{
    const wki_pixels *image = &figure->images[shape->first];
    cairo_surface_t *surface = image_surface(cairo, image);
    double sx = shape->w / image->columns, sy = shape->h / image->rows;
    cairo->cairo_save(cr);
    cairo->cairo_translate(cr, shape->x, shape->y);
    cairo->cairo_scale(cr, sx, sy);
    cairo->cairo_rectangle(cr, 0, 0, image->columns, image->rows);
    cairo->cairo_clip(cr);
    cairo->cairo_set_source_surface(cr, surface, 0, 0);
    cairo->cairo_pattern_set_filter(cairo->cairo_get_source(cr),
                                    sx < 0.5 || sy < 0.5 ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST);
    cairo->cairo_pattern_set_extend(cairo->cairo_get_source(cr), CAIRO_EXTEND_PAD);
    cairo->cairo_paint(cr);
    cairo->cairo_restore(cr);
    cairo->cairo_surface_destroy(surface);
}

static void paint_missing(const wki_cairo *cairo, cairo_t *cr, const wki_glyph *glyph)
{
    double box[2][4];
    missing_box(glyph, box);
    cairo->cairo_save(cr);
    cairo->cairo_translate(cr, glyph->x, glyph->y);
    cairo->cairo_rectangle(cr, box[0][0], box[0][1], box[0][2] - box[0][0], box[0][3] - box[0][1]);
    cairo->cairo_rectangle(cr, box[1][0], box[1][3], box[1][2] - box[1][0], box[1][1] - box[1][3]);
    cairo->cairo_fill(cr);
    cairo->cairo_restore(cr);
}

/* The glyphs from first on that are of one font, at most as many as there is room for. Returns how
 * many. */
static size_t paint_glyphs(const wki_cairo *cairo, cairo_t *cr, const wki_glyph *first, size_t count)
{
    cairo_glyph_t glyphs[64];
    size_t n = 0;
    if (first->font == WKI_NO_FONT) {
        paint_missing(cairo, cr, first);
        return 1;
    }
    for (; n < count && n < WKI_COUNT(glyphs) && first[n].font == first->font; n++)
        glyphs[n] = (cairo_glyph_t){first[n].index, first[n].x, first[n].y};
    cairo->cairo_set_font_face(cr, cairo->fonts[first->font].face);
    cairo->cairo_set_font_matrix(cr, &cairo->fonts[first->font].matrix);
    cairo->cairo_show_glyphs(cr, glyphs, (int)n);
    return n;
}

static void paint_text(const wki_cairo *cairo, cairo_t *cr, const wick_figure *figure,
                       const wki_shape *shape)
{
    const wki_glyph *glyphs = figure->glyphs.at + shape->first;
    cairo->cairo_save(cr);
    cairo->cairo_translate(cr, shape->x, shape->y);
    if (shape->angle != 0)
        cairo->cairo_rotate(cr, shape->angle * acos(-1) / 180);
    cairo->cairo_scale(cr, shape->w / WKI_EM, shape->w / WKI_EM);
    for (size_t i = 0; i < shape->count;)
        i += paint_glyphs(cairo, cr, glyphs + i, shape->count - i);
    cairo->cairo_restore(cr);
}

static void paint_shape(const wki_cairo *cairo, cairo_t *cr, const wick_figure *figure,
                        const wki_shape *shape)
{
    set_color(cairo, cr, &shape->pen);
    switch (shape->kind) {
    case WKI_RECT:
        cairo->cairo_rectangle(cr, shape->x, shape->y, shape->w, shape->h);
        cairo->cairo_fill(cr);
        break;
    case WKI_LINE:
        paint_line(cairo, cr, figure, shape);
        break;
    case WKI_POLYGON:
        points_path(cairo, cr, figure, shape);
        cairo->cairo_fill(cr);
        break;
    case WKI_CIRCLE:
        circle_path(cairo, cr, shape);
        cairo->cairo_fill(cr);
        break;
    case WKI_IMAGE:
        paint_image(cairo, cr, figure, shape);
        break;
    case WKI_TEXT:
        paint_text(cairo, cr, figure, shape);
        break;
    }
}

static wick_status paint_all(const wki_cairo *cairo, cairo_surface_t *surface, const wick_figure *figure,
                             int scale)
{
    const wki_pen ground = {.rgb = figure->background};
    cairo_t *cr = cairo->cairo_create(surface);
    set_color(cairo, cr, &ground);
    cairo->cairo_paint(cr);
    cairo->cairo_scale(cr, scale, scale);
    cairo->cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo->cairo_set_line_cap(cr, CAIRO_LINE_CAP_BUTT);
    cairo->cairo_set_font_options(cr, cairo->font_options);
    for (size_t i = 0; i < figure->shape_count; i++)
        paint_shape(cairo, cr, figure, &figure->shapes[i]);
    wick_status status = check(cairo, cairo->cairo_status(cr));
    cairo->cairo_destroy(cr);
    cairo->cairo_surface_flush(surface);
    return status;
}

wick_status wki_cairo_paint(const wick_figure *figure, int scale, uint32_t **pixels, int *width,
                            int *height)
{
    const wki_cairo *cairo = figure->cairo;
    void *memory;
    *width = (int)figure->width * scale;
    *height = (int)figure->height * scale;
    WKI_TRY(wki_alloc(figure->context, (size_t)*width * (size_t)*height, sizeof(uint32_t),
                      "a figure's pixels", &memory));
    cairo_surface_t *surface = cairo->cairo_image_surface_create_for_data(
        memory, CAIRO_FORMAT_RGB24, *width, *height, *width * (int)sizeof(uint32_t));
    wick_status status = check(cairo, cairo->cairo_surface_status(surface));
    if (status == WICK_OK)
        status = paint_all(cairo, surface, figure, scale);
    cairo->cairo_surface_destroy(surface);
    if (status == WICK_OK)
        *pixels = memory;
    else
        free(memory);
    return status;
}

#else

wick_status wki_cairo_open(wick_context *context, wki_cairo **out)
{
    (void)out;
    return wki_fail(context, WICK_ENOTSUP,
                    "this wick was built without cairo and pango and cannot draw");
}

void wki_cairo_close(wki_cairo *cairo)
{
    (void)cairo;
}

wick_status wki_cairo_shape_text(wki_cairo *cairo, const char *text, bool bold, double most,
                                 wki_glyphs *glyphs, double *width)
{
    (void)cairo, (void)text, (void)bold, (void)most, (void)glyphs, (void)width;
    return WICK_ENOTSUP;
}

wick_status wki_cairo_outline(wki_cairo *cairo, const wki_glyph *glyph, wki_text *out)
{
    (void)cairo, (void)glyph, (void)out;
    return WICK_ENOTSUP;
}

wick_status wki_cairo_paint(const wick_figure *figure, int scale, uint32_t **pixels, int *width,
                            int *height)
{
    (void)figure, (void)scale, (void)pixels, (void)width, (void)height;
    return WICK_ENOTSUP;
}

#endif

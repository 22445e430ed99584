/* SVG: https://www.w3.org/TR/SVG11/. Not cairo's: its ids are the same in every file, so that two of its
 * pictures in one page mix up their letters, and it keeps nothing of what a text says.
 *
 * A glyph is a <path> among the <defs>, and each place where it stands a <use>. Its id is a hash of the
 * path, so that where two pictures of a page have the same id they mean the same by it.
 */
#include "plot/canvas_cairo.h"
#include "plot/figure_files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void wki_text_number(wki_text *text, double number, int decimals)
{
    static const double powers[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};
    double scaled = round(number * powers[decimals]);
    int64_t whole = fabs(scaled) < 1e15 ? (int64_t)scaled : 0;
    for (; decimals > 0 && whole % 10 == 0; decimals--)
        whole /= 10;
    int64_t power = (int64_t)powers[decimals];
    uint64_t size = (uint64_t)(whole < 0 ? -whole : whole);
    wki_text_printf(text, "%s%llu", whole < 0 ? "-" : "", (unsigned long long)(size / (uint64_t)power));
    if (decimals > 0)
        wki_text_printf(text, ".%0*llu", decimals, (unsigned long long)(size % (uint64_t)power));
}

/* Text between quotes or tags. */
static void put_escaped(wki_text *svg, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        const char *name = *c == '&'   ? "&amp;"
                           : *c == '<' ? "&lt;"
                           : *c == '>' ? "&gt;"
                           : *c == '"' ? "&quot;"
                                       : NULL;
        wki_text_append(svg, name != NULL ? name : c, name != NULL ? strlen(name) : 1);
    }
}

/* " name="number"" */
static void put_number(wki_text *svg, const char *name, double number)
{
    wki_text_printf(svg, " %s=\"", name);
    wki_text_number(svg, number, 2);
    wki_text_puts(svg, "\"");
}

static void put_fill(wki_text *svg, const wki_pen *pen)
{
    wki_text_printf(svg, " fill=\"#%06x\"", (unsigned)pen->rgb);
    if (pen->alpha != 0)
        put_number(svg, "fill-opacity", pen->alpha);
}

/* ---- glyphs ---- */

/* A glyph that has been given an id. */
typedef struct svg_glyph {
    int font;
    uint32_t index;
    double width; /* of a box: it has its own outline */
    uint64_t id;
    bool blank;
} svg_glyph;

typedef struct svg_writer {
    const wick_figure *figure;
    wki_text *svg;
    svg_glyph *glyphs; /* by open addressing */
    size_t slots;
    wki_text outline; /* of the glyph at hand */
} svg_writer;

static uint64_t hash(uint64_t sum, const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ ((const uint8_t *)bytes)[i]) * UINT64_C(1099511628211);
    return sum;
}

static bool is_same(const svg_glyph *known, const wki_glyph *glyph)
{
    return known->font == glyph->font && known->index == glyph->index &&
           (glyph->font != WKI_NO_FONT || known->width == glyph->width);
}

/* Where the glyph is, or the free slot where it would be. */
static svg_glyph *find_glyph(const svg_writer *writer, const wki_glyph *glyph)
{
    uint64_t sum = hash(UINT64_C(14695981039346656037), &glyph->index, sizeof(glyph->index));
    size_t slot = (size_t)((sum + (uint64_t)(glyph->font + 1)) % writer->slots);
    while (writer->glyphs[slot].id != 0 && !is_same(&writer->glyphs[slot], glyph))
        slot = (slot + 1) % writer->slots;
    return &writer->glyphs[slot];
}

/* Writes the glyph's outline where it is met first. */
static wick_status define_glyph(svg_writer *writer, const wki_glyph *glyph)
{
    svg_glyph *slot = find_glyph(writer, glyph);
    if (slot->id != 0)
        return WICK_OK;
    wki_text *outline = &writer->outline;
    outline->length = 0;
    wki_text_puts(outline, "");
    WKI_TRY(wki_cairo_outline(writer->figure->cairo, glyph, outline));
    WKI_TRY(outline->status);
    uint64_t id = hash(UINT64_C(14695981039346656037), outline->bytes, outline->length) >> 16;
    *slot = (svg_glyph){.font = glyph->font,
                        .index = glyph->index,
                        .width = glyph->width,
                        .id = id != 0 ? id : 1,
                        .blank = outline->length == 0};
    if (!slot->blank)
        wki_text_printf(writer->svg, "<path id=\"g%012llx\" d=\"%s\"/>\n", (unsigned long long)slot->id,
                        outline->bytes);
    return WICK_OK;
}

static wick_status define_glyphs(svg_writer *writer)
{
    void *memory;
    const wki_glyphs *glyphs = &writer->figure->glyphs;
    writer->slots = 2 * glyphs->count + 1;
    WKI_TRY(wki_alloc(writer->figure->context, writer->slots, sizeof(svg_glyph), "a figure's letters",
                      &memory));
    writer->glyphs = memory;
    wki_text_puts(writer->svg, "<defs>\n");
    for (size_t i = 0; i < glyphs->count; i++)
        WKI_TRY(define_glyph(writer, &glyphs->at[i]));
    wki_text_puts(writer->svg, "</defs>\n");
    return WICK_OK;
}

static void put_text(const svg_writer *writer, const wki_shape *shape)
{
    wki_text *svg = writer->svg;
    const wki_glyph *glyphs = writer->figure->glyphs.at + shape->first;
    wki_text_puts(svg, "<g role=\"text\" aria-label=\"");
    put_escaped(svg, writer->figure->texts.bytes + shape->text);
    wki_text_puts(svg, "\"");
    put_fill(svg, &shape->pen);
    wki_text_puts(svg, " transform=\"translate(");
    wki_text_number(svg, shape->x, 2);
    wki_text_puts(svg, ",");
    wki_text_number(svg, shape->y, 2);
    wki_text_puts(svg, ")");
    if (shape->angle != 0)
        wki_text_printf(svg, " rotate(%d)", (int)shape->angle);
    wki_text_puts(svg, " scale(");
    wki_text_number(svg, shape->w / WKI_EM, 4);
    wki_text_puts(svg, ")\">");
    for (size_t i = 0; i < shape->count; i++) {
        const svg_glyph *glyph = find_glyph(writer, &glyphs[i]);
        if (glyph->blank)
            continue;
        wki_text_printf(svg, "<use xlink:href=\"#g%012llx\"", (unsigned long long)glyph->id);
        put_number(svg, "x", glyphs[i].x);
        if (glyphs[i].y != 0)
            put_number(svg, "y", glyphs[i].y);
        wki_text_puts(svg, "/>");
    }
    wki_text_puts(svg, "</g>\n");
}

/* ---- the other shapes ---- */

static void put_points(const svg_writer *writer, const wki_shape *shape)
{
    const wki_point *points = writer->figure->points + shape->first;
    wki_text_puts(writer->svg, " points=\"");
    for (size_t i = 0; i < shape->count; i++) {
        wki_text_puts(writer->svg, i == 0 ? "" : " ");
        wki_text_number(writer->svg, points[i].x, 2);
        wki_text_puts(writer->svg, ",");
        wki_text_number(writer->svg, points[i].y, 2);
    }
    wki_text_puts(writer->svg, "\"");
}

static void put_line(const svg_writer *writer, const wki_shape *shape)
{
    wki_text *svg = writer->svg;
    const wki_pen *pen = &shape->pen;
    wki_text_puts(svg, "<polyline fill=\"none\" stroke-linejoin=\"round\"");
    wki_text_printf(svg, " stroke=\"#%06x\"", (unsigned)pen->rgb);
    put_number(svg, "stroke-width", pen->width);
    if (pen->alpha != 0)
        put_number(svg, "stroke-opacity", pen->alpha);
    if (pen->dashed) {
        wki_text_puts(svg, " stroke-dasharray=\"");
        wki_text_number(svg, 3 * pen->width, 2);
        wki_text_puts(svg, ",");
        wki_text_number(svg, 2 * pen->width, 2);
        wki_text_puts(svg, "\"");
    }
    put_points(writer, shape);
    wki_text_puts(svg, "/>\n");
}

static void put_box(wki_text *svg, const wki_shape *shape)
{
    put_number(svg, "x", shape->x);
    put_number(svg, "y", shape->y);
    put_number(svg, "width", shape->w);
    put_number(svg, "height", shape->h);
}

static void put_base64(wki_text *svg, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16;
        three |= i + 1 < length ? (uint32_t)bytes[i + 1] << 8 : 0;
        three |= i + 2 < length ? bytes[i + 2] : 0;
        char four[4];
        for (int k = 0; k < 4; k++)
            four[k] = i + (size_t)k > length ? '=' : digits[three >> (18 - 6 * k) & 63];
        wki_text_append(svg, four, sizeof(four));
    }
}

static wick_status image_png(const wick_figure *figure, const wki_pixels *image, uint8_t **bytes,
                             size_t *length)
{
    void *memory;
    size_t count = (size_t)image->columns * (size_t)image->rows;
    WKI_TRY(wki_alloc(figure->context, count, sizeof(uint32_t), "a figure's image", &memory));
    uint32_t *pixels = memory;
    for (size_t i = 0; i < count; i++)
        pixels[i] = (uint32_t)image->rgb[3 * i] << 16 | (uint32_t)image->rgb[3 * i + 1] << 8 |
                    image->rgb[3 * i + 2];
    wick_status status =
        wki_png_write(figure->context, pixels, image->columns, image->rows, 0, bytes, length);
    free(memory);
    return status;
}

static wick_status put_image(const svg_writer *writer, const wki_shape *shape)
{
    wki_text *svg = writer->svg;
    uint8_t *bytes;
    size_t length;
    WKI_TRY(image_png(writer->figure, &writer->figure->images[shape->first], &bytes, &length));
    /* Pixels stay squares where they are drawn large. */
    wki_text_puts(svg, "<image preserveAspectRatio=\"none\"");
    if (shape->w >= writer->figure->images[shape->first].columns)
        wki_text_puts(svg, " style=\"image-rendering:pixelated\"");
    put_box(svg, shape);
    wki_text_puts(svg, " xlink:href=\"data:image/png;base64,");
    put_base64(svg, bytes, length);
    wki_text_puts(svg, "\"/>\n");
    free(bytes);
    return WICK_OK;
}

static wick_status put_shape(const svg_writer *writer, const wki_shape *shape)
{
    wki_text *svg = writer->svg;
    switch (shape->kind) {
    case WKI_RECT:
        wki_text_puts(svg, "<rect");
        put_box(svg, shape);
        put_fill(svg, &shape->pen);
        wki_text_puts(svg, "/>\n");
        break;
    case WKI_LINE:
        put_line(writer, shape);
        break;
    case WKI_POLYGON:
        wki_text_puts(svg, "<polygon");
        put_points(writer, shape);
        put_fill(svg, &shape->pen);
        wki_text_puts(svg, "/>\n");
        break;
    case WKI_CIRCLE:
        wki_text_puts(svg, "<circle");
        put_number(svg, "cx", shape->x);
        put_number(svg, "cy", shape->y);
        put_number(svg, "r", shape->w);
        put_fill(svg, &shape->pen);
        wki_text_puts(svg, "/>\n");
        break;
    case WKI_IMAGE:
        return put_image(writer, shape);
    case WKI_TEXT:
        put_text(writer, shape);
        break;
    }
    return svg->status;
}

static wick_status put_shapes(const svg_writer *writer)
{
    for (size_t i = 0; i < writer->figure->shape_count; i++)
        WKI_TRY(put_shape(writer, &writer->figure->shapes[i]));
    return WICK_OK;
}

wick_status wki_svg_write(const wick_figure *figure, wki_text *svg)
{
    svg_writer writer = {.figure = figure, .svg = svg, .outline = {.context = figure->context}};
    int width = (int)figure->width, height = (int)figure->height;
    wki_text_printf(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\""
        " width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
        width, height, width, height);
    put_escaped(svg, figure->alt.bytes);
    wki_text_puts(svg, "\">\n");
    wick_status status = define_glyphs(&writer);
    if (status == WICK_OK) {
        wki_text_printf(svg, "<rect width=\"%d\" height=\"%d\" fill=\"#%06x\"/>\n", width, height,
                        (unsigned)figure->background);
        status = put_shapes(&writer);
    }
    wki_text_puts(svg, "</svg>\n");
    wki_text_release(&writer.outline);
    free(writer.glyphs);
    return status;
}

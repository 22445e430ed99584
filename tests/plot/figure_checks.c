#include "figure_checks.h"

#include <math.h>
#include <png.h>
#include <stdio.h>

/* ---- PNG ---- */

typedef struct byte_source {
    const uint8_t *at;
    size_t left;
} byte_source;

static void take_bytes(png_structp png, png_bytep out, size_t length)
{
    byte_source *source = png_get_io_ptr(png);
    if (length > source->left)
        png_error(png, "too short");
    memcpy(out, source->at, length);
    source->at += length;
    source->left -= length;
}

static void read_rows(png_structp png, png_infop info, png_pixels *out)
{
    png_read_info(png, info);
    png_set_palette_to_rgb(png);
    png_read_update_info(png, info);
    out->width = (int)png_get_image_width(png, info);
    out->height = (int)png_get_image_height(png, info);
    out->per_meter = png_get_x_pixels_per_meter(png, info);
    assert_int_equal(png_get_rowbytes(png, info), 3 * (size_t)out->width);
    out->rgb = malloc(3 * (size_t)out->width * (size_t)out->height);
    assert_non_null(out->rgb);
    for (int y = 0; y < out->height; y++)
        png_read_row(png, out->rgb + 3 * (size_t)out->width * (size_t)y, NULL);
    png_read_end(png, NULL);
}

png_pixels read_png(const uint8_t *bytes, size_t length)
{
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    png_pixels out = {0};
    byte_source source = {bytes, length};
    assert_true(length > sizeof(signature));
    assert_memory_equal(bytes, signature, sizeof(signature));
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    if (setjmp(png_jmpbuf(png)) != 0)
        fail_msg("libpng cannot read the PNG");
    png_set_read_fn(png, &source, take_bytes);
    read_rows(png, info, &out);
    png_destroy_read_struct(&png, &info, NULL);
    assert_int_equal(source.left, 0);
    return out;
}

uint32_t pixel_at(const png_pixels *png, int x, int y)
{
    const uint8_t *c = png->rgb + 3 * ((size_t)y * (size_t)png->width + (size_t)x);
    return (uint32_t)c[0] << 16 | (uint32_t)c[1] << 8 | c[2];
}

int ink_in(const png_pixels *png, uint32_t ground, double x, double y, double w, double h)
{
    int count = 0;
    for (int py = (int)(2 * y); py < (int)(2 * (y + h)) && py < png->height; py++)
        for (int px = (int)(2 * x); px < (int)(2 * (x + w)) && px < png->width; px++)
            count += pixel_at(png, px, py) != ground;
    return count;
}

/* ---- SVG ---- */

/* Copies an attribute's value, up to its quote, with the entities resolved. */
static void take_value(const char *c, char *out, size_t size)
{
    static const char *const entities[][2] = {
        {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}};
    size_t used = 0;
    while (*c != '"' && used + 1 < size) {
        size_t skipped = 1;
        out[used] = *c;
        for (int i = 0; i < 4; i++)
            if (strncmp(c, entities[i][0], strlen(entities[i][0])) == 0) {
                out[used] = entities[i][1][0];
                skipped = strlen(entities[i][0]);
            }
        used++;
        c += skipped;
    }
    out[used] = '\0';
}

int read_texts(const char *svg, svg_text *texts, int most)
{
    static const char opening[] = "<g role=\"text\" aria-label=\"";
    int count = 0;
    for (const char *c = strstr(svg, opening); c != NULL && count < most; c = strstr(c + 1, opening)) {
        svg_text *text = &texts[count++];
        take_value(c + strlen(opening), text->text, sizeof(text->text));
        take_value(strstr(c, " fill=\"") + 7, text->fill, sizeof(text->fill));
        const char *place = strstr(c, "translate(");
        assert_int_equal(
            sscanf(place, "translate(%lf,%lf) rotate(%d)", &text->x, &text->y, &text->angle) >= 2, 1);
    }
    return count;
}

const svg_text *find_text(const svg_text *texts, int count, const char *text)
{
    for (int i = 0; i < count; i++)
        if (strcmp(texts[i].text, text) == 0)
            return &texts[i];
    return NULL;
}

/* Tags are closed in the order in which they were opened, and quotes within tags are even. */
static void check_tags(const char *svg)
{
    char names[16][32];
    int depth = 0;
    for (const char *c = strchr(svg, '<'); c != NULL; c = strchr(c, '<')) {
        char name[32];
        const char *end = c;
        int quotes = 0;
        while (*end != '\0' && (*end != '>' || quotes % 2 == 1)) {
            quotes += *end == '"';
            end++;
            assert_int_not_equal(*end, '<');
        }
        assert_int_equal(*end, '>');
        assert_int_equal(quotes % 2, 0);
        assert_int_equal(sscanf(c, c[1] == '/' ? "</%31[a-z]" : "<%31[a-z]", name), 1);
        if (c[1] == '/') {
            assert_true(depth > 0);
            assert_string_equal(names[--depth], name);
        } else if (end[-1] != '/') {
            assert_true(depth < 16);
            strcpy(names[depth++], name);
        }
        c = end;
    }
    assert_int_equal(depth, 0);
}

/* ---- figures ---- */

void must_be_ok(const char *file, int line, wick_context *context, wick_status status)
{
    if (status == WICK_OK)
        return;
    print_error("%s:%d: %s: %s\n", file, line, wick_status_name(status), wick_context_message(context));
    fail();
}

/* The corners of a text, turned as it is, a little within its letters. */
typedef struct text_box {
    wki_point corners[4];
    const char *text;
} text_box;

static text_box box_of(const wick_figure *figure, const wki_shape *shape)
{
    double scale = shape->w / WKI_EM, right = 0, turn = shape->angle * acos(-1) / 180;
    text_box box = {.text = figure->texts.bytes + shape->text};
    for (size_t i = 0; i < shape->count; i++) {
        const wki_glyph *glyph = &figure->glyphs.at[shape->first + i];
        right = fmax(right, (glyph->x + glyph->width) * scale);
    }
    const wki_point flat[4] = {{0.5, -0.70 * shape->w},
                               {right - 0.5, -0.70 * shape->w},
                               {right - 0.5, 0.14 * shape->w},
                               {0.5, 0.14 * shape->w}};
    for (int i = 0; i < 4; i++)
        box.corners[i] = (wki_point){shape->x + flat[i].x * cos(turn) - flat[i].y * sin(turn),
                                     shape->y + flat[i].x * sin(turn) + flat[i].y * cos(turn)};
    return box;
}

/* Whether some edge of a has all of b on its outer side: then they do not meet. */
static bool is_apart(const text_box *a, const text_box *b)
{
    for (int i = 0; i < 4; i++) {
        wki_point from = a->corners[i], to = a->corners[(i + 1) % 4];
        int outside = 0;
        for (int k = 0; k < 4; k++)
            outside += (to.x - from.x) * (b->corners[k].y - from.y) -
                           (to.y - from.y) * (b->corners[k].x - from.x) <=
                       0;
        if (outside == 4)
            return true;
    }
    return false;
}

static void check_texts_apart(const wick_figure *figure)
{
    text_box *boxes = calloc(figure->shape_count, sizeof(*boxes));
    size_t count = 0;
    assert_non_null(boxes);
    for (size_t i = 0; i < figure->shape_count; i++)
        if (figure->shapes[i].kind == WKI_TEXT && figure->shapes[i].count > 0)
            boxes[count++] = box_of(figure, &figure->shapes[i]);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (!is_apart(&boxes[i], &boxes[k]) && !is_apart(&boxes[k], &boxes[i]))
                fail_msg("'%s' lies on '%s'", boxes[i].text, boxes[k].text);
    free(boxes);
}

/* Eight pixels from every edge there is nothing yet. */
static void check_edges(const wick_figure *figure, const png_pixels *png)
{
    double w = figure->width, h = figure->height;
    assert_int_equal(ink_in(png, figure->background, 0, 0, w, 4), 0);
    assert_int_equal(ink_in(png, figure->background, 0, h - 4, w, 4), 0);
    assert_int_equal(ink_in(png, figure->background, 0, 0, 4, h), 0);
    assert_int_equal(ink_in(png, figure->background, w - 4, 0, 4, h), 0);
    assert_true(ink_in(png, figure->background, 0, 0, w, h) > 100);
}

png_pixels check_figure(const wick_figure *figure)
{
    uint8_t *bytes, *again;
    size_t length, length_again;
    char *svg, *svg_again, size[64];
    MUST(figure->context, wick_figure_png(figure, &bytes, &length));
    MUST(figure->context, wick_figure_png(figure, &again, &length_again));
    assert_int_equal(length, length_again);
    assert_memory_equal(bytes, again, length);
    png_pixels png = read_png(bytes, length);
    assert_int_equal(png.width, 2 * wick_figure_width(figure));
    assert_int_equal(png.height, 2 * wick_figure_height(figure));
    assert_int_equal(png.per_meter, 7559); /* 192 an inch */
    check_edges(figure, &png);
    check_texts_apart(figure);

    MUST(figure->context, wick_figure_svg(figure, &svg));
    MUST(figure->context, wick_figure_svg(figure, &svg_again));
    assert_string_equal(svg, svg_again);
    snprintf(size, sizeof(size), "width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\"",
             wick_figure_width(figure), wick_figure_height(figure), wick_figure_width(figure),
             wick_figure_height(figure));
    assert_non_null(strstr(svg, size));
    assert_non_null(strstr(svg, "role=\"img\" aria-label=\""));
    assert_null(strstr(svg, "<text"));
    assert_null(strstr(svg, "nan"));
    assert_true(strlen(wick_figure_alt(figure)) > 10);
    check_tags(svg);
    wick_free(bytes);
    wick_free(again);
    wick_free(svg);
    wick_free(svg_again);
    return png;
}

/* ---- a context and a plotter ---- */

int open_plot_place(void **state)
{
    plot_place *place = calloc(1, sizeof(*place));
    *state = place;
    if (place == NULL || wick_context_new(&place->context) != WICK_OK)
        return -1;
    if (wick_plotter_new(place->context, &place->plotter) == WICK_OK)
        return 0;
    print_error("%s\n", wick_context_message(place->context));
    return -1;
}

int close_plot_place(void **state)
{
    plot_place *place = *state;
    wick_plotter_free(place->plotter);
    wick_context_free(place->context);
    free(place);
    return 0;
}

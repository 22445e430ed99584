#include "plot/canvas_cairo.h"
#include "plot/figure_files.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- themes ---- */

/* The series are Okabe's and Ito's colours (https://jfly.uni-koeln.de/color/), some darker or lighter,
 * for their contrast with the background. */
static const wick_theme light = {
    .background = 0xffffff,
    .text = 0x1c2024,
    .faint_text = 0x5b636b,
    .axis = 0x8a929a,
    .grid = 0xe6e9ec,
    .right = 0x007a4d,
    .wrong = 0xc2380b,
    .none = 0xf4f7fb,
    .half = 0x6fb2dd,
    .all = 0x0b3c73,
    .not_a_number = 0xff66cc,
    .series = {0x0072b2, 0xd55e00, 0x008f68, 0xb5568f, 0x3f9fd8, 0xa07800},
};

static const wick_theme dark = {
    .background = 0x16191d,
    .text = 0xeceff2,
    .faint_text = 0xa4adb6,
    .axis = 0x6d7680,
    .grid = 0x2b3036,
    .right = 0x3ecf8e,
    .wrong = 0xff8a5c,
    .none = 0x1d2329,
    .half = 0x2a6f9e,
    .all = 0xb5dcff,
    .not_a_number = 0xff66cc,
    .series = {0x56b4e9, 0xf08a3c, 0x2fc79a, 0xdf8fbf, 0x9ec9ff, 0xe0c040},
};

const wick_theme *wick_theme_light(void)
{
    return &light;
}

const wick_theme *wick_theme_dark(void)
{
    return &dark;
}

/* ---- plotters ---- */

bool wick_plotter_is_built(void)
{
#ifdef WKI_HAVE_CAIRO
    return true;
#else
    return false;
#endif
}

wick_status wick_plotter_new(wick_context *context, wick_plotter **out)
{
    void *memory;
    if (context == NULL)
        return WICK_EINVAL;
    if (out == NULL)
        return wki_fail(context, WICK_EINVAL, "out is NULL");
    WKI_TRY(wki_alloc(context, 1, sizeof(wick_plotter), "a plotter", &memory));
    wick_plotter *plotter = memory;
    plotter->context = context;
    plotter->theme = light;
    wick_status status = wki_cairo_open(context, &plotter->cairo);
    if (status == WICK_OK)
        *out = plotter;
    else
        wick_plotter_free(plotter);
    return status;
}

void wick_plotter_free(wick_plotter *plotter)
{
    if (plotter == NULL)
        return;
    wki_cairo_close(plotter->cairo);
    free(plotter);
}

void wick_plotter_set_theme(wick_plotter *plotter, const wick_theme *theme)
{
    plotter->theme = theme != NULL ? *theme : light;
}

/* ---- figures ---- */

enum { PNG_SCALE = 2 };

int wick_figure_width(const wick_figure *figure)
{
    return (int)figure->width;
}

int wick_figure_height(const wick_figure *figure)
{
    return (int)figure->height;
}

const char *wick_figure_alt(const wick_figure *figure)
{
    return figure->alt.bytes;
}

wick_status wick_figure_svg(const wick_figure *figure, char **text)
{
    if (figure == NULL)
        return WICK_EINVAL;
    if (text == NULL)
        return wki_fail(figure->context, WICK_EINVAL, "text is NULL");
    wki_text svg;
    wki_text_init(&svg, figure->context);
    wick_status status = wki_svg_write(figure, &svg);
    if (status == WICK_OK)
        return wki_text_finish(&svg, text);
    wki_text_release(&svg);
    return status;
}

wick_status wick_figure_png(const wick_figure *figure, uint8_t **bytes, size_t *length)
{
    uint32_t *pixels;
    int width, height;
    if (figure == NULL)
        return WICK_EINVAL;
    if (bytes == NULL || length == NULL)
        return wki_fail(figure->context, WICK_EINVAL, "bytes or length is NULL");
    WKI_TRY(wki_cairo_paint(figure, PNG_SCALE, &pixels, &width, &height));
    wick_status status = wki_png_write(figure->context, pixels, width, height, PNG_SCALE, bytes, length);
    free(pixels);
    return status;
}

static bool ends_with(const char *path, const char *ending)
{
    size_t length = strlen(path), end = strlen(ending);
    return length > end && strcasecmp(path + length - end, ending) == 0;
}

static wick_status save_png(const wick_figure *figure, const char *path)
{
    uint8_t *bytes;
    size_t length;
    WKI_TRY(wick_figure_png(figure, &bytes, &length));
    wick_status status = wki_file_write(figure->context, path, bytes, length);
    free(bytes);
    return status;
}

static wick_status save_svg(const wick_figure *figure, const char *path)
{
    char *text;
    WKI_TRY(wick_figure_svg(figure, &text));
    wick_status status = wki_file_write(figure->context, path, text, strlen(text));
    free(text);
    return status;
}

wick_status wick_figure_save(const wick_figure *figure, const char *path)
{
    if (figure == NULL)
        return WICK_EINVAL;
    if (path == NULL)
        return wki_fail(figure->context, WICK_EINVAL, "path is NULL");
    if (ends_with(path, ".png"))
        return save_png(figure, path);
    if (ends_with(path, ".svg"))
        return save_svg(figure, path);
    return wki_fail(figure->context, WICK_EINVAL, "%s: a figure's name must end in .png or .svg", path);
}

static wick_status save_as(const wick_figure *figure, const char *folder, const char *name,
                           const char *ending)
{
    char *stem, *path;
    WKI_TRY(wki_join_path(figure->context, folder, name, &stem));
    wki_text text;
    wki_text_init(&text, figure->context);
    wki_text_puts(&text, stem);
    wki_text_puts(&text, ending);
    free(stem);
    WKI_TRY(wki_text_finish(&text, &path));
    wick_status status = wick_figure_save(figure, path);
    free(path);
    return status;
}

wick_status wick_figure_save_both(const wick_figure *figure, const char *folder, const char *name)
{
    if (figure == NULL)
        return WICK_EINVAL;
    if (folder == NULL || name == NULL)
        return wki_fail(figure->context, WICK_EINVAL, "folder or name is NULL");
    WKI_TRY(save_as(figure, folder, name, ".png"));
    return save_as(figure, folder, name, ".svg");
}

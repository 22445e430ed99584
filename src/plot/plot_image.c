/* One image, as plt.imshow() shows it. */
#include "plot/axes.h"
#include "plot/pixels.h"

#include <math.h>

enum { LONGER_SIDE = 336, EDGE = 16, BAR_WIDTH = 14, BAR_GAP = 18 };

/* Where an image's row or column lies between its edges: pixels are numbered at their middles. */
static wki_range pixel_range(int count)
{
    return (wki_range){-0.5, count - 0.5};
}

static wki_ticks column_ticks(const wki_panel *panel)
{
    wki_ticks ticks;
    wki_ticks_make(0, panel->across.high, (int)fmax(panel->w / 40, 1), 1, &ticks);
    return ticks;
}

/* Rows count downwards: their range is turned round. */
static wki_ticks row_ticks(const wki_panel *panel)
{
    wki_ticks ticks;
    wki_ticks_make(0, -panel->up.low, (int)fmax(panel->h / 40, 1), 1, &ticks);
    return ticks;
}

static void draw_rulers(wick_figure *figure, const wki_panel *panel)
{
    const wki_pen axis = {.rgb = figure->theme->axis, .width = 1};
    const wki_ticks columns = column_ticks(panel), rows = row_ticks(panel);
    char text[WKI_TICK_TEXT];
    wki_type type = wki_type_note(figure);
    double bottom = panel->y + panel->h;
    type.align = WKI_CENTER;
    for (int i = 0; i < columns.count; i++) {
        double x = wki_panel_x(panel, columns.at[i]);
        wki_tick_text(&columns, columns.at[i], text);
        wki_draw_line(figure, x, bottom, x, bottom + 4, axis);
        wki_draw_text(figure, x, bottom + 13, text, type);
    }
    type.align = WKI_RIGHT;
    for (int i = 0; i < rows.count; i++) {
        double y = wki_panel_y(panel, -rows.at[i]);
        wki_tick_text(&rows, rows.at[i], text);
        wki_draw_line(figure, panel->x - 4, y, panel->x, y, axis);
        wki_draw_text(figure, panel->x - 7, y, text, type);
    }
}

/* Of a low image the colour bar is higher than it. */
static double color_bar_height(double image_height)
{
    return fmax(image_height, 100);
}

static wki_ticks color_bar_ticks(const wki_panel *panel, const wki_color_scale *scale)
{
    wki_ticks ticks;
    wki_ticks_make((double)scale->low, (double)scale->high, color_bar_height(panel->h) < 200 ? 4 : 6, 0,
                   &ticks);
    return ticks;
}

static void fill_color_bar(const wki_color_scale *scale, uint8_t rgb[256 * 3])
{
    for (int i = 0; i < 256; i++) {
        double value = (double)scale->high + ((double)scale->low - (double)scale->high) * i / 255;
        uint32_t color = wki_color_of(scale, (float)value);
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = (uint8_t)(color >> (16 - 8 * c));
    }
}

static void draw_color_bar(wick_figure *figure, const wki_panel *panel, const wki_color_scale *scale)
{
    const wki_pen axis = {.rgb = figure->theme->axis, .width = 1};
    const wki_ticks ticks = color_bar_ticks(panel, scale);
    uint8_t rgb[256 * 3];
    double x = panel->x + panel->w + BAR_GAP, high = color_bar_height(panel->h);
    const wki_panel bar = {x,      panel->y + (panel->h - high) / 2,         BAR_WIDTH, high,
                           {0, 1}, {(double)scale->low, (double)scale->high}};
    fill_color_bar(scale, rgb);
    wki_draw_image(figure, x, bar.y, bar.w, bar.h, 1, 256, rgb);
    wki_draw_frame(figure, x, bar.y, bar.w, bar.h, axis);
    for (int i = 0; i < ticks.count; i++) {
        char text[WKI_TICK_TEXT];
        double y = wki_panel_y(&bar, ticks.at[i]);
        wki_tick_text(&ticks, ticks.at[i], text);
        wki_draw_line(figure, x + bar.w, y, x + bar.w + 4, y, axis);
        wki_draw_text(figure, x + bar.w + 7, y, text, wki_type_note(figure));
    }
}

/* The title above the middle of the image, or as near to it as it goes in a figure that is `whole` wide.
 * Returns how high it is. */
static double draw_title_over(wick_figure *figure, const char *title, double middle, double whole)
{
    wki_type type = wki_type_title(figure);
    if (title == NULL)
        return 0;
    type.align = WKI_CENTER;
    type.most = whole - 2 * EDGE;
    double half = wki_text_width(figure, title, type) / 2;
    middle = fmin(fmax(middle, EDGE + half), whole - EDGE - half);
    wki_draw_text(figure, middle, EDGE + type.size / 2, title, type);
    return type.size + 12;
}

static void describe(wick_figure *figure, const wick_image_plot *plot)
{
    char title[WKI_LONGEST_TEXT];
    wki_clean_text(plot->title != NULL ? plot->title : "", title);
    wki_text_printf(&figure->alt, "An image of %d by %d pixels%s%s", wki_image_columns(plot->image),
                    wki_image_rows(plot->image), title[0] != '\0' ? ": " : "", title);
}

/* The image alone, at its size, not yet in its place. */
static wki_panel size_panel(const wick_tensor *image)
{
    wki_panel panel = {.across = pixel_range(wki_image_columns(image)),
                       .up = {-(wki_image_rows(image) - 0.5), 0.5}};
    wki_image_fit_size(image, LONGER_SIDE, &panel.w, &panel.h);
    return panel;
}

static wick_status draw(wick_figure *figure, const wick_image_plot *plot)
{
    wki_color_scale scale;
    WKI_TRY(wki_color_scale_make(figure, plot->colormap, plot->low, plot->high, &scale));
    wki_panel panel = size_panel(plot->image);
    const wki_ticks rows = row_ticks(&panel), colors = color_bar_ticks(&panel, &scale);
    bool bar = plot->color_bar && !wki_image_is_colored(plot->image);
    double left = EDGE + (plot->rulers ? fmax(28, 12 + wki_axes_room(figure, &rows)) : 0);
    double right =
        EDGE + (bar ? fmax(70, BAR_GAP + BAR_WIDTH + 12 + wki_axes_room(figure, &colors)) : 0);
    double whole = fmax(ceil(left + panel.w + right), 160);
    double high = bar ? color_bar_height(panel.h) : panel.h;
    panel.x = floor(left + (whole - (left + panel.w + right)) / 2);
    double top = EDGE + draw_title_over(figure, plot->title, panel.x + panel.w / 2, whole);
    panel.y = top + (high - panel.h) / 2;
    wki_draw_tensor(figure, plot->image, &scale, panel.x, panel.y, panel.w, panel.h);
    if (plot->rulers)
        draw_rulers(figure, &panel);
    if (bar)
        draw_color_bar(figure, &panel, &scale);
    wki_figure_size(figure, whole, top + high + EDGE + (plot->rulers ? 12 : 0));
    describe(figure, plot);
    return WICK_OK;
}

wick_status wick_plot_image(wick_plotter *plotter, const wick_image_plot *plot, wick_figure **out)
{
    wick_figure *figure;
    if (plotter == NULL)
        return WICK_EINVAL;
    if (plot == NULL || out == NULL)
        return wki_fail(plotter->context, WICK_EINVAL, "plot or out is NULL");
    WKI_TRY(wki_check_image(plot->image, plotter->context, "the image"));
    WKI_TRY(wki_figure_new(plotter, &figure));
    return wki_figure_finish(figure, draw(figure, plot), out);
}

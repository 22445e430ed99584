/* Models side by side: horizontal bars of accuracy and of training time. */
#include "plot/axes.h"
#include "plot/results.h"

#include <math.h>

enum { WIDTH = WKI_RESULTS_WIDTH, EDGE = 20, PITCH = 34, THICK = 20, GAP = 28, MOST_NAME = 240 };

static void bar_text(double value, const char *unit, char out[WKI_TICK_TEXT + 8])
{
    char number[WKI_TICK_TEXT];
    wki_short_text(value, 3, number);
    if (unit[0] == '%')
        wki_percent_text(value, 2, number);
    snprintf(out, WKI_TICK_TEXT + 8, isfinite(value) ? "%s %s" : "%s", number, unit);
}

/* One of the two panels. */
typedef struct bar_panel {
    const char *heading, *unit;
    double left, width; /* of the bars */
    double high;        /* at their right end */
    uint32_t color;
} bar_panel;

static double value_of(const wick_bar *bar, const bar_panel *panel)
{
    return panel->unit[0] == '%' ? bar->accuracy : bar->seconds;
}

static void draw_bar(wick_figure *figure, const bar_panel *panel, double value, double middle)
{
    char text[WKI_TICK_TEXT + 8];
    double part = isfinite(value) ? fmin(fmax(value / panel->high, 0), 1) : 0;
    wki_type type = wki_type_name(figure);
    bar_text(value, panel->unit, text);
    wki_draw_rect(figure, panel->left, middle - THICK / 2.0, panel->width * part, THICK, panel->color);
    wki_draw_text(figure, panel->left + panel->width * part + 6, middle, text, type);
}

static void draw_panel(wick_figure *figure, const wick_bars_plot *plot, const bar_panel *panel,
                       double top)
{
    wki_type heading = wki_type_name(figure);
    wki_ticks ticks;
    heading.bold = true;
    heading.most = panel->width;
    wki_draw_text(figure, panel->left, top + 8, panel->heading, heading);
    const wki_panel axes = {panel->left,      top + 24, panel->width, (double)plot->count * PITCH,
                            {0, panel->high}, {0, 1}};
    wki_ticks_make(0, panel->high, 6, 0, &ticks);
    wki_axes_across(figure, &axes, &ticks);
    for (int64_t i = 0; i < plot->count; i++)
        draw_bar(figure, panel, value_of(&plot->bars[i], panel), axes.y + ((double)i + 0.5) * PITCH);
}

static double names_width(wick_figure *figure, const wick_bars_plot *plot)
{
    double widest = 0;
    wki_type type = wki_type_name(figure);
    type.most = MOST_NAME;
    for (int64_t i = 0; i < plot->count; i++)
        widest = fmax(widest, wki_text_width(figure, plot->bars[i].name, type));
    return ceil(widest);
}

/* The widest of the values that stand behind bars. */
static double values_width(wick_figure *figure, const wick_bars_plot *plot)
{
    double widest = 0;
    for (int64_t i = 0; i < plot->count; i++) {
        char text[2][WKI_TICK_TEXT + 8];
        bar_text(plot->bars[i].accuracy, "%", text[0]);
        bar_text(plot->bars[i].seconds, "s", text[1]);
        for (int k = 0; k < 2; k++)
            widest = fmax(widest, wki_text_width(figure, text[k], wki_type_name(figure)));
    }
    return ceil(widest);
}

static void draw_names(wick_figure *figure, const wick_bars_plot *plot, double right, double top)
{
    wki_type type = wki_type_name(figure);
    type.align = WKI_RIGHT;
    type.most = MOST_NAME;
    for (int64_t i = 0; i < plot->count; i++)
        wki_draw_text(figure, right, top + ((double)i + 0.5) * PITCH, plot->bars[i].name, type);
}

static double longest(const wick_bars_plot *plot)
{
    double most = 0;
    for (int64_t i = 0; i < plot->count; i++)
        if (isfinite(plot->bars[i].seconds))
            most = fmax(most, plot->bars[i].seconds);
    return most > 0 ? most : 1;
}

static void describe(wick_figure *figure, const wick_bars_plot *plot)
{
    wki_text_puts(&figure->alt, "Accuracy and training time:");
    for (int64_t i = 0; i < plot->count && i < 20; i++) {
        char name[WKI_LONGEST_TEXT], accuracy[WKI_TICK_TEXT + 8], seconds[WKI_TICK_TEXT + 8];
        wki_clean_text(plot->bars[i].name, name);
        bar_text(plot->bars[i].accuracy, "%", accuracy);
        bar_text(plot->bars[i].seconds, "s", seconds);
        wki_text_printf(&figure->alt, "%s %s, %s, %s", i == 0 ? "" : ";", name, accuracy, seconds);
    }
}

double wki_draw_bars(wick_figure *figure, const wick_bars_plot *plot, double top)
{
    const wick_theme *theme = figure->theme;
    double left = EDGE + names_width(figure, plot) + 10;
    double room = values_width(figure, plot) + 8;
    double width = floor((WIDTH - EDGE - left - GAP) / 2 - room);
    const bar_panel accuracy = {"Accuracy (%)", "%", left, width, 100, theme->series[0]};
    const bar_panel seconds = {"Training time (s)", "s", left + width + room + GAP, width, longest(plot),
                               theme->series[1]};
    draw_panel(figure, plot, &accuracy, top);
    draw_panel(figure, plot, &seconds, top);
    draw_names(figure, plot, left - 10, top + 24);
    describe(figure, plot);
    return top + 24 + (double)plot->count * PITCH + 24;
}

static wick_status draw(wick_figure *figure, const wick_bars_plot *plot)
{
    double title = wki_draw_title(figure, plot->title, EDGE, EDGE, WIDTH - 2 * EDGE);
    double bottom = wki_draw_bars(figure, plot, EDGE + title);
    wki_figure_size(figure, WIDTH, bottom + EDGE / 2.0);
    return WICK_OK;
}

wick_status wki_check_bars(wick_context *context, const wick_bars_plot *plot)
{
    if (plot->count < 1 || plot->bars == NULL)
        return wki_fail(context, WICK_EINVAL, "there must be one bar or more");
    for (int64_t i = 0; i < plot->count; i++)
        if (plot->bars[i].name == NULL)
            return wki_fail(context, WICK_EINVAL, "the name of bar %lld is NULL", (long long)i);
    return WICK_OK;
}

wick_status wick_plot_bars(wick_plotter *plotter, const wick_bars_plot *plot, wick_figure **out)
{
    wick_figure *figure;
    if (plotter == NULL)
        return WICK_EINVAL;
    if (plot == NULL || out == NULL)
        return wki_fail(plotter->context, WICK_EINVAL, "plot or out is NULL");
    WKI_TRY(wki_check_bars(plotter->context, plot));
    WKI_TRY(wki_figure_new(plotter, &figure));
    return wki_figure_finish(figure, draw(figure, plot), out);
}

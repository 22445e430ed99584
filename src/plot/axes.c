#include "plot/axes.h"

wki_type wki_type_title(const wick_figure *figure)
{
    return (wki_type){.size = WKI_TITLE_SIZE, .rgb = figure->theme->text, .bold = true};
}

wki_type wki_type_name(const wick_figure *figure)
{
    return (wki_type){.size = WKI_NAME_SIZE, .rgb = figure->theme->text};
}

wki_type wki_type_note(const wick_figure *figure)
{
    return (wki_type){.size = WKI_NOTE_SIZE, .rgb = figure->theme->faint_text};
}

double wki_draw_title(wick_figure *figure, const char *title, double left, double top, double most)
{
    if (title == NULL)
        return 0;
    wki_type type = wki_type_title(figure);
    type.most = most;
    wki_draw_text(figure, left, top + WKI_TITLE_SIZE / 2, title, type);
    return WKI_TITLE_SIZE + 12;
}

/* Where a number lies between the ends; both are halved as their distance may be larger than a double.
 * */
static double part(const wki_range *range, double number)
{
    return (number / 2 - range->low / 2) / (range->high / 2 - range->low / 2);
}

double wki_panel_x(const wki_panel *panel, double number)
{
    return panel->x + panel->w * part(&panel->across, number);
}

double wki_panel_y(const wki_panel *panel, double number)
{
    return panel->y + panel->h * (1 - part(&panel->up, number));
}

void wki_axes_across(wick_figure *figure, const wki_panel *panel, const wki_ticks *ticks)
{
    const wki_pen grid = {.rgb = figure->theme->grid, .width = 1};
    const wki_pen axis = {.rgb = figure->theme->axis, .width = 1};
    wki_type type = wki_type_note(figure);
    double bottom = panel->y + panel->h;
    type.align = WKI_CENTER;
    for (int i = 0; i < ticks->count; i++) {
        char text[WKI_TICK_TEXT];
        double x = wki_panel_x(panel, ticks->at[i]);
        wki_tick_text(ticks, ticks->at[i], text);
        wki_draw_line(figure, x, panel->y, x, bottom, grid);
        wki_draw_line(figure, x, bottom, x, bottom + 4, axis);
        wki_draw_text(figure, x, bottom + 14, text, type);
    }
    wki_draw_line(figure, panel->x, bottom, panel->x + panel->w, bottom, axis);
}

void wki_axes_up(wick_figure *figure, const wki_panel *panel, const wki_ticks *ticks)
{
    const wki_pen grid = {.rgb = figure->theme->grid, .width = 1};
    wki_type type = wki_type_note(figure);
    type.align = WKI_RIGHT;
    for (int i = 0; i < ticks->count; i++) {
        char text[WKI_TICK_TEXT];
        double y = wki_panel_y(panel, ticks->at[i]);
        wki_tick_text(ticks, ticks->at[i], text);
        wki_draw_line(figure, panel->x, y, panel->x + panel->w, y, grid);
        wki_draw_text(figure, panel->x - 7, y, text, type);
    }
}

double wki_axes_room(wick_figure *figure, const wki_ticks *ticks)
{
    double widest = 0;
    for (int i = 0; i < ticks->count; i++) {
        char text[WKI_TICK_TEXT];
        wki_tick_text(ticks, ticks->at[i], text);
        widest = WKI_MAX(widest, wki_text_width(figure, text, wki_type_note(figure)));
    }
    return widest;
}

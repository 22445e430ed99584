/* A panel with axes: where numbers lie in a figure, ticks with their grid and numbers. */
#ifndef WKI_AXES_H
#define WKI_AXES_H

#include "plot/canvas.h"
#include "plot/ticks.h"

/* The sizes of type that figures use. */
#define WKI_TITLE_SIZE 16.0
#define WKI_NAME_SIZE  12.0
#define WKI_NOTE_SIZE  11.0

typedef struct wki_panel {
    double x, y, w, h;    /* the place within the axes */
    wki_range across, up; /* what lies at its edges */
} wki_panel;

double wki_panel_x(const wki_panel *panel, double number);
double wki_panel_y(const wki_panel *panel, double number);

/* A grid line and a number for each tick, below or to the left of the panel. */
void wki_axes_across(wick_figure *figure, const wki_panel *panel, const wki_ticks *ticks);
void wki_axes_up(wick_figure *figure, const wki_panel *panel, const wki_ticks *ticks);
/* How wide the numbers of the ticks are. */
double wki_axes_room(wick_figure *figure, const wki_ticks *ticks);

/* A figure's title at its top left, cut at the figure's width; nothing for NULL. Returns how high it
 * is. */
double wki_draw_title(wick_figure *figure, const char *title, double left, double top, double most);

/* The types that figures use, in the theme's colours. */
wki_type wki_type_title(const wick_figure *figure);
wki_type wki_type_name(const wick_figure *figure);
wki_type wki_type_note(const wick_figure *figure);

#endif

/* The bars and the curves of runs, as parts of a figure. */
#ifndef WKI_RESULTS_H
#define WKI_RESULTS_H

#include "plot/canvas.h"

enum { WKI_RESULTS_WIDTH = 960 };

/* WICK_EINVAL if something is missing. */
wick_status wki_check_bars(wick_context *context, const wick_bars_plot *plot);
wick_status wki_check_curves(wick_context *context, const wick_curves_plot *plot);
/* Draws them from top on, without the title, and adds what they show to the figure's alt. Returns, or
 * sets, where they end. */
double wki_draw_bars(wick_figure *figure, const wick_bars_plot *plot, double top);
wick_status wki_draw_curves(wick_figure *figure, const wick_curves_plot *plot, double top,
                            double *bottom);

#endif

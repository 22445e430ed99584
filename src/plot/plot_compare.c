/* Several runs: what each came to, and how it went. */
#include "plot/axes.h"
#include "plot/results.h"

enum { EDGE = 20 };

static wick_status draw(wick_figure *figure, const wick_bars_plot *bars, const wick_curves_plot *curves)
{
    double top = EDGE + wki_draw_title(figure, bars->title, EDGE, EDGE, WKI_RESULTS_WIDTH - 2 * EDGE);
    double bottom;
    top = wki_draw_bars(figure, bars, top);
    wki_text_puts(&figure->alt, ". ");
    WKI_TRY(wki_draw_curves(figure, curves, top + 22, &bottom));
    wki_figure_size(figure, WKI_RESULTS_WIDTH, bottom + EDGE - 8);
    return WICK_OK;
}

wick_status wick_plot_compare(wick_plotter *plotter, const wick_bars_plot *bars,
                              const wick_curves_plot *curves, wick_figure **out)
{
    wick_figure *figure;
    if (plotter == NULL)
        return WICK_EINVAL;
    if (bars == NULL || curves == NULL || out == NULL)
        return wki_fail(plotter->context, WICK_EINVAL, "bars, curves or out is NULL");
    WKI_TRY(wki_check_bars(plotter->context, bars));
    WKI_TRY(wki_check_curves(plotter->context, curves));
    WKI_TRY(wki_figure_new(plotter, &figure));
    return wki_figure_finish(figure, draw(figure, bars, curves), out);
}

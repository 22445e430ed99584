/* Numbers in a row as a line of a panel. */
#ifndef WKI_SERIES_H
#define WKI_SERIES_H

#include "plot/axes.h"

/* count numbers, the first at `first` of the panel's across and each `step` from the one before. */
typedef struct wki_series {
    int64_t count;
    double first, step;
    double (*value)(const void *data, int64_t index);
    const void *data;
} wki_series;

/* Widens the range to hold the finite ones. Returns how many are not finite. */
int64_t wki_series_range(const wki_series *series, wki_range *range);
/* Joins them, with a gap where one is not finite. Where several fall into one pixel their least and
 * greatest stand for them, so that no peak is lost. */
void wki_series_line(wick_figure *figure, const wki_panel *panel, const wki_series *series, wki_pen pen);
/* Means over the `window` numbers around each; those that are not finite do not count, and give
 * themselves. Owned: free(). */
wick_status wki_series_means(wick_context *context, const wki_series *series, int64_t window,
                             double **out);

/* A sign for one point, in one of WKI_MARKERS forms. */
enum { WKI_MARKERS = 5 };
void wki_draw_marker(wick_figure *figure, double x, double y, int form, double size, uint32_t rgb);
/* One for each finite number. hollow: filled with the background. */
void wki_series_markers(wick_figure *figure, const wki_panel *panel, const wki_series *series, int form,
                        uint32_t rgb, bool hollow);

#endif

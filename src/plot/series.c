#include "plot/series.h"

#include <math.h>
#include <stdlib.h>

int64_t wki_series_range(const wki_series *series, wki_range *range)
{
    int64_t missing = 0;
    for (int64_t i = 0; i < series->count; i++) {
        double value = series->value(series->data, i);
        missing += !isfinite(value);
        wki_range_add(range, value);
    }
    return missing;
}

static double place(const wki_series *series, int64_t index)
{
    return series->first + series->step * (double)index;
}

/* ---- lines ---- */

/* The points of a line so far, and those that fall into the pixel at hand. */
typedef struct line_builder {
    wick_figure *figure;
    wki_pen pen;
    wki_point *points;
    size_t count, capacity;
    int64_t in_pixel;
    double pixel;
    wki_point least, greatest;
} line_builder;

static void add_point(line_builder *line, wki_point point)
{
    wick_figure *figure = line->figure;
    if (figure->status == WICK_OK)
        figure->status = wki_grow(figure->context, (void **)&line->points, &line->capacity,
                                  line->count + 1, sizeof(*line->points), "a figure's line");
    if (figure->status == WICK_OK)
        line->points[line->count++] = point;
}

static void end_pixel(line_builder *line)
{
    wki_point first = line->least, second = line->greatest;
    if (first.x > second.x) {
        first = line->greatest;
        second = line->least;
    }
    if (line->in_pixel > 0)
        add_point(line, first);
    if (line->in_pixel > 1)
        add_point(line, second);
    line->in_pixel = 0;
}

static void take_point(line_builder *line, wki_point point)
{
    double pixel = floor(point.x);
    if (line->in_pixel > 0 && pixel != line->pixel)
        end_pixel(line);
    if (line->in_pixel++ == 0) {
        line->pixel = pixel;
        line->least = line->greatest = point;
        return;
    }
    line->least = point.y < line->least.y ? point : line->least;
    line->greatest = point.y >= line->greatest.y ? point : line->greatest;
}

static void end_line(line_builder *line)
{
    end_pixel(line);
    /* A point alone has no length: it is drawn as a short dash. */
    if (line->count == 1) {
        line->points[0].x -= line->pen.width / 2;
        add_point(line, (wki_point){line->points[0].x + line->pen.width, line->points[0].y});
    }
    wki_draw_polyline(line->figure, line->points, line->count, line->pen);
    line->count = 0;
}

void wki_series_line(wick_figure *figure, const wki_panel *panel, const wki_series *series, wki_pen pen)
{
    line_builder line = {.figure = figure, .pen = pen};
    for (int64_t i = 0; i < series->count && figure->status == WICK_OK; i++) {
        double value = series->value(series->data, i);
        if (isfinite(value))
            take_point(&line,
                       (wki_point){wki_panel_x(panel, place(series, i)), wki_panel_y(panel, value)});
        else
            end_line(&line);
    }
    end_line(&line);
    free(line.points);
}

/* A sum to which Neumaier's way adds: what was added and taken away again leaves nothing behind. */
typedef struct exact_sum {
    double sum, lost;
} exact_sum;

static void sum_add(exact_sum *total, double number)
{
    double next = total->sum + number;
    total->lost +=
        fabs(total->sum) >= fabs(number) ? total->sum - next + number : number - next + total->sum;
    total->sum = next;
}

/* Adds the number, or takes it away, if it is finite; *held counts those that are in. */
static void sum_take(exact_sum *total, int64_t *held, double number, int sign)
{
    if (!isfinite(number))
        return;
    sum_add(total, sign * number);
    *held += sign;
}

wick_status wki_series_means(wick_context *context, const wki_series *series, int64_t window,
                             double **out)
{
    void *memory;
    WKI_TRY(wki_alloc(context, (size_t)WKI_MAX(series->count, 1), sizeof(double), "a running mean",
                      &memory));
    double *means = memory;
    exact_sum total = {0, 0};
    int64_t from = 0, to = 0, held = 0;
    for (int64_t i = 0; i < series->count; i++) {
        int64_t first = WKI_MAX(0, i - window / 2),
                end = WKI_MIN(series->count, i - window / 2 + window);
        for (; to < end; to++)
            sum_take(&total, &held, series->value(series->data, to), 1);
        for (; from < first; from++)
            sum_take(&total, &held, series->value(series->data, from), -1);
        double own = series->value(series->data, i);
        means[i] = isfinite(own) ? (total.sum + total.lost) / (double)held : own;
    }
    *out = means;
    return WICK_OK;
}

/* ---- markers ---- */

void wki_draw_marker(wick_figure *figure, double x, double y, int form, double size, uint32_t rgb)
{
    double r = size / 2, s = r * 0.9, t = r * 1.2;
    const wki_point square[4] = {{x - s, y - s}, {x + s, y - s}, {x + s, y + s}, {x - s, y + s}};
    const wki_point up[3] = {{x, y - t}, {x + t, y + r * 0.8}, {x - t, y + r * 0.8}};
    const wki_point diamond[4] = {{x, y - t}, {x + t, y}, {x, y + t}, {x - t, y}};
    const wki_point down[3] = {{x, y + t}, {x + t, y - r * 0.8}, {x - t, y - r * 0.8}};
    switch (form % WKI_MARKERS) {
    case 0:
        wki_draw_circle(figure, x, y, r, rgb);
        break;
    case 1:
        wki_draw_polygon(figure, square, 4, rgb);
        break;
    case 2:
        wki_draw_polygon(figure, up, 3, rgb);
        break;
    case 3:
        wki_draw_polygon(figure, diamond, 4, rgb);
        break;
    default:
        wki_draw_polygon(figure, down, 3, rgb);
        break;
    }
}

void wki_series_markers(wick_figure *figure, const wki_panel *panel, const wki_series *series, int form,
                        uint32_t rgb, bool hollow)
{
    for (int64_t i = 0; i < series->count; i++) {
        double value = series->value(series->data, i);
        if (!isfinite(value))
            continue;
        double x = wki_panel_x(panel, place(series, i)), y = wki_panel_y(panel, value);
        wki_draw_marker(figure, x, y, form, 7, rgb);
        if (hollow)
            wki_draw_marker(figure, x, y, form, 3.6, figure->background);
    }
}

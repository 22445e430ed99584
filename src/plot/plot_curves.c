/* How trainings went: loss and accuracy by epoch, loss by step. */
#include "plot/results.h"
#include "plot/series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WIDTH = WKI_RESULTS_WIDTH,
    NARROW = 400,
    EDGE = 20,
    HIGH = 230,
    GAP = 32,
    MOST_NAME = 260,
    MOST_MARKERS = 50
};

/* Runs up to so many show each step's loss behind its running mean. */
enum { MOST_RAW = 2 };

static double train_loss(const void *data, int64_t index)
{
    return ((const wick_epoch *)data)[index].train_loss;
}

static double test_loss(const void *data, int64_t index)
{
    return ((const wick_epoch *)data)[index].test_loss;
}

static double train_accuracy(const void *data, int64_t index)
{
    return ((const wick_epoch *)data)[index].train_acc;
}

static double test_accuracy(const void *data, int64_t index)
{
    return ((const wick_epoch *)data)[index].test_acc;
}

static double step_loss(const void *data, int64_t index)
{
    return (double)((const float *)data)[index];
}

static double number(const void *data, int64_t index)
{
    return ((const double *)data)[index];
}

static double width_of(const wick_curves_plot *plot)
{
    return plot->narrow ? NARROW : WIDTH;
}

/* What of a curve's epochs a panel shows. */
typedef struct epoch_panel {
    const char *heading;
    double (*train)(const void *data, int64_t index);
    double (*test)(const void *data, int64_t index);
    bool percent;
} epoch_panel;

static wki_series of_epochs(const wick_curve *curve, double (*value)(const void *data, int64_t index))
{
    return (wki_series){
        .count = curve->epoch_count, .first = 0, .step = 1, .value = value, .data = curve->epochs};
}

static int64_t stride(const wick_curve *curve)
{
    return curve->step_stride > 0 ? curve->step_stride : 1;
}

/* Steps count from 1. */
static wki_series of_steps(const wick_curve *curve)
{
    return (wki_series){.count = curve->step_count,
                        .first = (double)stride(curve),
                        .step = (double)stride(curve),
                        .value = step_loss,
                        .data = curve->step_losses};
}

static double steps_of(const wick_curve *curve)
{
    return (double)curve->step_count * (double)stride(curve);
}

/* Where an epoch's end lies among the steps. */
static wki_series tests_by_step(const wick_curve *curve)
{
    wki_series tests = of_epochs(curve, test_loss);
    tests.step = tests.first = steps_of(curve) / (double)WKI_MAX(curve->epoch_count, 1);
    return tests;
}

/* The colour of a run's test half; one alone has another for its training half. */
static uint32_t color_of(const wick_figure *figure, int64_t run, bool train, bool alone)
{
    return figure->theme->series[alone ? !train : run % WICK_SERIES_COLORS];
}

/* ---- the legend ---- */

typedef struct legend {
    wick_figure *figure;
    double x, y, right;
} legend;

enum { LEGEND_LINE = 20, SAMPLE = 30 };

static void legend_entry(legend *key, const char *name, uint32_t rgb, bool dashed, int form)
{
    wick_figure *figure = key->figure;
    wki_type type = wki_type_name(figure);
    type.most = MOST_NAME;
    double width = SAMPLE + 8 + wki_text_width(figure, name, type);
    if (key->x > EDGE && key->x + width > key->right) {
        key->x = EDGE;
        key->y += LEGEND_LINE;
    }
    const wki_pen pen = {.rgb = rgb, .width = 2, .dashed = dashed};
    wki_draw_line(figure, key->x, key->y, key->x + SAMPLE, key->y, pen);
    if (form >= 0)
        wki_draw_marker(figure, key->x + SAMPLE / 2.0, key->y, form, 7, rgb);
    if (form >= 0 && dashed)
        wki_draw_marker(figure, key->x + SAMPLE / 2.0, key->y, form, 3.6, figure->background);
    wki_draw_text(figure, key->x + SAMPLE + 8, key->y, name, type);
    key->x += width + 24;
}

/* What the curves beside those of training are of. */
static const char *half_name(const wick_curves_plot *plot)
{
    bool tests = false, validations = false;
    for (int64_t i = 0; i < plot->count; i++)
        if (plot->curves[i].epoch_count > 0)
            *(plot->curves[i].epochs[0].validation ? &validations : &tests) = true;
    return !validations ? "test" : tests ? "test or validation" : "validation";
}

static double draw_legend(wick_figure *figure, const wick_curves_plot *plot, double top)
{
    legend key = {figure, EDGE, top + 6, width_of(plot) - EDGE};
    bool alone = plot->count == 1;
    if (alone) {
        legend_entry(&key, "train", color_of(figure, 0, true, true), true, 0);
        legend_entry(&key, half_name(plot), color_of(figure, 0, false, true), false, 0);
        return LEGEND_LINE + 8;
    }
    for (int64_t i = 0; i < plot->count; i++)
        legend_entry(&key, plot->curves[i].name, color_of(figure, i, false, false), false,
                     (int)(i % WKI_MARKERS));
    legend_entry(&key, "train", figure->theme->faint_text, true, -1);
    legend_entry(&key, half_name(plot), figure->theme->faint_text, false, -1);
    return key.y - top + LEGEND_LINE + 2;
}

/* ---- panels ---- */

static void draw_heading(wick_figure *figure, const wki_panel *panel, const char *heading,
                         const char *across)
{
    wki_type type = wki_type_name(figure), note = wki_type_note(figure);
    type.bold = true;
    note.align = WKI_CENTER;
    wki_draw_text(figure, panel->x, panel->y - 16, heading, type);
    wki_draw_text(figure, panel->x + panel->w / 2, panel->y + panel->h + 32, across, note);
}

static void draw_nothing(wick_figure *figure, const wki_panel *panel)
{
    wki_type type = wki_type_note(figure);
    type.align = WKI_CENTER;
    wki_draw_text(figure, panel->x + panel->w / 2, panel->y + panel->h / 2, "no finite value", type);
}

/* Lays out the axes between left and left + width for what lies across and up. */
static wki_panel draw_axes(wick_figure *figure, double left, double top, double width, wki_range across,
                           wki_range up, double most_up)
{
    wki_ticks ticks;
    wki_ticks_make(up.low, fmin(up.high, most_up), 7, 0, &ticks);
    double room = ceil(wki_axes_room(figure, &ticks)) + 8;
    const wki_panel panel = {left + room, top, width - room, HIGH, across, up};
    wki_axes_up(figure, &panel, &ticks);
    /* Numbers of steps are long. */
    wki_ticks_make(fmax(across.low, 0), across.high, (int)(panel.w / 80), 1, &ticks);
    wki_axes_across(figure, &panel, &ticks);
    return panel;
}

static void draw_epochs(wick_figure *figure, const wki_panel *panel, const wick_curve *curve,
                        const epoch_panel *what, int64_t run, bool alone)
{
    wki_series train = of_epochs(curve, what->train), test = of_epochs(curve, what->test);
    wki_pen train_pen = {.rgb = color_of(figure, run, true, alone), .width = 2, .dashed = true};
    wki_pen test_pen = {.rgb = color_of(figure, run, false, alone), .width = 2};
    int form = (int)(run % WKI_MARKERS);
    wki_series_line(figure, panel, &train, train_pen);
    wki_series_line(figure, panel, &test, test_pen);
    if (curve->epoch_count > MOST_MARKERS)
        return;
    wki_series_markers(figure, panel, &train, form, train_pen.rgb, true);
    wki_series_markers(figure, panel, &test, form, test_pen.rgb, false);
}

/* Returns how many numbers it left out. */
static int64_t draw_epoch_panel(wick_figure *figure, const wick_curves_plot *plot,
                                const epoch_panel *what, double left, double top, double width)
{
    wki_range up = wki_range_empty, across = {0, 0};
    int64_t missing = 0;
    for (int64_t i = 0; i < plot->count; i++) {
        wki_series train = of_epochs(&plot->curves[i], what->train),
                   test = of_epochs(&plot->curves[i], what->test);
        missing += wki_series_range(&train, &up) + wki_series_range(&test, &up);
        across.high = fmax(across.high, (double)plot->curves[i].epoch_count - 1);
    }
    bool nothing = up.low > up.high;
    double room = across.high == 0 ? 0.5 : across.high * 0.03;
    across = (wki_range){-room, across.high + room};
    up = wki_range_pad(up, 0.06);
    /* There is nothing above 100 %. */
    if (what->percent && up.high > 100 && up.low < 100)
        up.high = 100 + 0.04 * (100 - up.low);
    wki_panel panel = draw_axes(figure, left, top, width, across, up, what->percent ? 100 : up.high);
    draw_heading(figure, &panel, what->heading, "epoch");
    if (nothing)
        draw_nothing(figure, &panel);
    for (int64_t i = 0; i < plot->count; i++)
        draw_epochs(figure, &panel, &plot->curves[i], what, i, plot->count == 1);
    return missing;
}

/* ---- steps ---- */

/* The running mean takes so many values of a curve. */
static int64_t window_of(const wick_curve *curve)
{
    return WKI_MAX(1, curve->step_count / 100);
}

static void draw_steps(wick_figure *figure, const wki_panel *panel, const wick_curve *curve,
                       const double *means, int64_t run, int64_t runs)
{
    wki_series raw = of_steps(curve), smooth = raw, tests = tests_by_step(curve);
    uint32_t rgb = color_of(figure, run, true, runs == 1);
    smooth.value = number;
    smooth.data = means;
    if (runs <= MOST_RAW)
        wki_series_line(figure, panel, &raw, (wki_pen){.rgb = rgb, .width = 1, .alpha = 0.3});
    wki_series_line(figure, panel, &smooth, (wki_pen){.rgb = rgb, .width = 2});
    if (curve->epoch_count <= MOST_MARKERS)
        wki_series_markers(figure, panel, &tests, (int)(run % WKI_MARKERS),
                           color_of(figure, run, false, runs == 1), false);
}

/* The running means of all curves: means[i] is NULL where there are no steps. */
static wick_status make_means(wick_figure *figure, const wick_curves_plot *plot, double **means)
{
    for (int64_t i = 0; i < plot->count; i++) {
        wki_series raw = of_steps(&plot->curves[i]);
        if (raw.count > 0)
            WKI_TRY(wki_series_means(figure->context, &raw, window_of(&plot->curves[i]), &means[i]));
    }
    return WICK_OK;
}

static void step_ranges(const wick_curves_plot *plot, double *const *means, wki_range *across,
                        wki_range *up, int64_t *missing)
{
    for (int64_t i = 0; i < plot->count; i++) {
        const wick_curve *curve = &plot->curves[i];
        wki_series raw = of_steps(curve), smooth = raw, tests = tests_by_step(curve);
        wki_range ignored = wki_range_empty;
        if (curve->step_count == 0)
            continue;
        smooth.value = number;
        smooth.data = means[i];
        *missing += wki_series_range(&raw, plot->count <= MOST_RAW ? up : &ignored);
        wki_series_range(&smooth, up);
        wki_series_range(&tests, up);
        wki_range_add(across, steps_of(curve));
    }
}

static void draw_step_panel(wick_figure *figure, const wick_curves_plot *plot, double *const *means,
                            double top, int64_t *missing)
{
    wki_range across = wki_range_empty, up = wki_range_empty;
    step_ranges(plot, means, &across, &up, missing);
    bool nothing = up.low > up.high;
    across = (wki_range){-0.01 * across.high, across.high * 1.01};
    up = wki_range_pad(up, 0.06);
    wki_panel panel = draw_axes(figure, EDGE, top, width_of(plot) - 2 * EDGE, across, up, up.high);
    draw_heading(figure, &panel,
                 plot->narrow ? "Loss by step" : "Training loss by step, test loss at each epoch's end",
                 "step");
    if (nothing)
        draw_nothing(figure, &panel);
    for (int64_t i = 0; i < plot->count; i++)
        if (means[i] != NULL)
            draw_steps(figure, &panel, &plot->curves[i], means[i], i, plot->count);
}

static const wick_curve *first_with_steps(const wick_curves_plot *plot)
{
    for (int64_t i = 0; i < plot->count; i++)
        if (plot->curves[i].step_count > 0)
            return &plot->curves[i];
    return NULL;
}

/* The panel with its note on what is shown. Returns how high it is. */
static wick_status draw_by_step(wick_figure *figure, const wick_curves_plot *plot, double top,
                                double *high, int64_t *missing)
{
    void *memory;
    const wick_curve *curve = first_with_steps(plot);
    *high = 0;
    if (curve == NULL)
        return WICK_OK;
    WKI_TRY(wki_alloc(figure->context, (size_t)plot->count, sizeof(double *), "running means", &memory));
    double **means = memory;
    wick_status status = make_means(figure, plot, means);
    if (status == WICK_OK)
        draw_step_panel(figure, plot, means, top + 30, missing);
    for (int64_t i = 0; i < plot->count; i++)
        free(means[i]);
    free(means);
    *high = 30 + HIGH + 48;
    return status;
}

/* ---- the figure ---- */

/* What is not to be seen from the panels alone. Returns how high it is. */
static double draw_notes(wick_figure *figure, const wick_curves_plot *plot, int64_t missing, double top)
{
    char text[256], thin[64] = "";
    double high = 0;
    const wick_curve *curve = first_with_steps(plot);
    wki_type type = wki_type_note(figure);
    type.most = width_of(plot) - 2 * EDGE;
    if (curve != NULL && window_of(curve) > 1) {
        if (plot->count <= MOST_RAW && stride(curve) == 1)
            snprintf(thin, sizeof(thin), "Thin: each step. ");
        else if (plot->count <= MOST_RAW)
            snprintf(thin, sizeof(thin), "Thin: one step in %lld. ", (long long)stride(curve));
        snprintf(text, sizeof(text), "%s%s %lld steps.", thin,
                 thin[0] != '\0' ? "Thick: running mean over" : "Lines by step are running means over",
                 (long long)(window_of(curve) * stride(curve)));
        wki_draw_text(figure, EDGE, top + high + 6, text, type);
        high += 18;
    }
    if (missing > 0) {
        snprintf(text, sizeof(text), "%lld value%s not finite and left out.", (long long)missing,
                 missing == 1 ? " is" : "s are");
        type.rgb = figure->theme->wrong;
        wki_draw_text(figure, EDGE, top + high + 6, text, type);
        high += 18;
    }
    return high;
}

static void describe(wick_figure *figure, const wick_curves_plot *plot)
{
    wki_text_puts(&figure->alt, "Loss and accuracy by epoch:");
    for (int64_t i = 0; i < plot->count && i < 20; i++) {
        char name[WKI_LONGEST_TEXT], accuracy[WKI_TICK_TEXT];
        const wick_curve *curve = &plot->curves[i];
        wki_clean_text(curve->name, name);
        wki_text_printf(&figure->alt, "%s %s, %lld epoch%s", i == 0 ? "" : ";", name,
                        (long long)curve->epoch_count, curve->epoch_count == 1 ? "" : "s");
        if (curve->epoch_count == 0)
            continue;
        wki_fixed_text(curve->epochs[curve->epoch_count - 1].test_acc, 2, accuracy);
        wki_text_printf(&figure->alt, ", test accuracy at the end %s %%", accuracy);
    }
}

wick_status wki_draw_curves(wick_figure *figure, const wick_curves_plot *plot, double top,
                            double *bottom)
{
    static const epoch_panel loss = {"Loss", train_loss, test_loss, false};
    static const epoch_panel accuracy = {"Accuracy (%)", train_accuracy, test_accuracy, true};
    double width = plot->narrow ? NARROW - 2 * EDGE : (WIDTH - 2 * EDGE - GAP) / 2.0, high;
    int64_t missing = 0;
    top += draw_legend(figure, plot, top) + 28;
    missing += draw_epoch_panel(figure, plot, &loss, EDGE, top, width);
    double left = plot->narrow ? EDGE : EDGE + width + GAP;
    top += plot->narrow ? HIGH + 78 : 0;
    missing += draw_epoch_panel(figure, plot, &accuracy, left, top, width);
    top += HIGH + 48;
    WKI_TRY(draw_by_step(figure, plot, top, &high, &missing));
    top += high;
    *bottom = top + draw_notes(figure, plot, missing, top);
    describe(figure, plot);
    return WICK_OK;
}

static wick_status draw(wick_figure *figure, const wick_curves_plot *plot)
{
    double bottom, title = wki_draw_title(figure, plot->title, EDGE, EDGE, width_of(plot) - 2 * EDGE);
    WKI_TRY(wki_draw_curves(figure, plot, EDGE + title, &bottom));
    wki_figure_size(figure, width_of(plot), bottom + EDGE - 8);
    return WICK_OK;
}

wick_status wki_check_curves(wick_context *context, const wick_curves_plot *plot)
{
    if (plot->count < 1 || plot->curves == NULL)
        return wki_fail(context, WICK_EINVAL, "there must be one curve or more");
    for (int64_t i = 0; i < plot->count; i++) {
        const wick_curve *curve = &plot->curves[i];
        if (curve->name == NULL || curve->epoch_count < 0 || curve->step_count < 0 ||
            curve->step_stride < 0 || (curve->epoch_count > 0 && curve->epochs == NULL) ||
            (curve->step_count > 0 && curve->step_losses == NULL))
            return wki_fail(context, WICK_EINVAL,
                            "curve %lld lacks its name, its epochs or its steps, or has a count below 0",
                            (long long)i);
    }
    return WICK_OK;
}

wick_status wick_plot_curves(wick_plotter *plotter, const wick_curves_plot *plot, wick_figure **out)
{
    wick_figure *figure;
    if (plotter == NULL)
        return WICK_EINVAL;
    if (plot == NULL || out == NULL)
        return wki_fail(plotter->context, WICK_EINVAL, "plot or out is NULL");
    WKI_TRY(wki_check_curves(plotter->context, plot));
    WKI_TRY(wki_figure_new(plotter, &figure));
    return wki_figure_finish(figure, draw(figure, plot), out);
}

/* What a model gets wrong: images beside what they should have been, and the pairs of classes it mixes
 * up. */
#include "plot/axes.h"
#include "plot/pixels.h"

#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WIDTH = 1080,
    EDGE = 20,
    COLUMNS = 3,
    GAP = 20,
    IMAGE = 112,
    CARD_HIGH = 140,
    PAIR_HIGH = 28,
    BARS = 3
};

static const double card_wide = (WIDTH - 2 * EDGE - (COLUMNS - 1) * GAP) / (double)COLUMNS;

/* ---- a card ---- */

/* The most probable classes of an image, the true one among them whatever its place. Returns how many.
 * */
static int pick_classes(const float *row, int64_t classes, int64_t truth, int64_t picked[BARS])
{
    int count = 0;
    for (; count < BARS && count < classes; count++) {
        int64_t best = -1;
        for (int64_t c = 0; c < classes; c++) {
            bool taken = false;
            for (int k = 0; k < count; k++)
                taken = taken || picked[k] == c;
            if (!taken && (best < 0 || row[c] > row[best]))
                best = c;
        }
        picked[count] = best;
    }
    for (int k = 0; k < count; k++)
        if (picked[k] == truth)
            return count;
    picked[count - 1] = truth;
    return count;
}

static void percent_text(double part, char out[WKI_TICK_TEXT + 8])
{
    char number[WKI_TICK_TEXT];
    wki_percent_text(100 * part, 1, number);
    snprintf(out, WKI_TICK_TEXT + 8, isfinite(part) ? "%s %%" : "%s", number);
}

static void draw_probability(wick_figure *figure, const char *name, double part, uint32_t rgb, double x,
                             double y, double width)
{
    const double name_wide = 84, value_wide = 54, bar = width - name_wide - value_wide;
    char text[WKI_TICK_TEXT + 8];
    wki_type type = wki_type_note(figure);
    type.rgb = figure->theme->text;
    type.most = name_wide - 6;
    wki_draw_text(figure, x, y, name, type);
    wki_draw_rect(figure, x + name_wide, y - 5, bar, 10, figure->theme->grid);
    wki_draw_rect(figure, x + name_wide, y - 5, bar * (isfinite(part) ? fmin(fmax(part, 0), 1) : 0), 10,
                  rgb);
    percent_text(part, text);
    type.align = WKI_RIGHT;
    wki_draw_text(figure, x + width, y, text, type);
}

static void draw_names(wick_figure *figure, const wick_errors_plot *plot, const wick_error *error,
                       double x, double y, double width)
{
    char text[WKI_LONGEST_TEXT + 16], name[WKI_LONGEST_TEXT];
    wki_type type = wki_type_name(figure);
    type.bold = true;
    type.most = width - 18;
    wki_draw_verdict(figure, x + 6, y, 13, false);
    wki_clean_text(plot->classes[error->prediction], name);
    snprintf(text, sizeof(text), "Pred: %s", name);
    type.rgb = figure->theme->wrong;
    wki_draw_text(figure, x + 18, y, text, type);
    wki_clean_text(plot->classes[error->truth], name);
    snprintf(text, sizeof(text), "Truth: %s", name);
    type.rgb = figure->theme->right;
    wki_draw_text(figure, x + 18, y + 18, text, type);
}

static void draw_card(wick_figure *figure, const wick_errors_plot *plot, const wick_error_tile *tile,
                      double x, double y)
{
    const wki_color_scale scale = {WICK_GREY, 0, 1, figure->theme->not_a_number};
    const wick_error *error = &tile->error;
    int64_t classes = plot->probabilities->shape[1], picked[BARS];
    const float *row = (const float *)plot->probabilities->data + error->index * classes;
    double width, height, left = x + IMAGE + 14, wide = card_wide - IMAGE - 14;
    char text[64];
    wki_image_fit_size(tile->image, IMAGE, &width, &height);
    wki_draw_tensor(figure, tile->image, &scale, x + (IMAGE - width) / 2, y + (IMAGE - height) / 2,
                    width, height);
    draw_names(figure, plot, error, left, y + 7, wide);
    int count = pick_classes(row, classes, error->truth, picked);
    for (int k = 0; k < count; k++) {
        uint32_t rgb = picked[k] == error->truth        ? figure->theme->right
                       : picked[k] == error->prediction ? figure->theme->wrong
                                                        : figure->theme->axis;
        draw_probability(figure, plot->classes[picked[k]], (double)row[picked[k]], rgb, left,
                         y + 47 + 18 * k, wide);
    }
    snprintf(text, sizeof(text), "image %lld", (long long)error->index);
    wki_draw_text(figure, left, y + IMAGE - 6, text, wki_type_note(figure));
}

static double draw_cards(wick_figure *figure, const wick_errors_plot *plot, double top)
{
    for (int64_t i = 0; i < plot->count; i++)
        draw_card(figure, plot, &plot->tiles[i], EDGE + (double)(i % COLUMNS) * (card_wide + GAP),
                  top + (double)(i / COLUMNS) * CARD_HIGH);
    return (double)((plot->count + COLUMNS - 1) / COLUMNS) * CARD_HIGH;
}

/* ---- pairs ---- */

enum { PAIR_NAMES = 250, PAIR_BARS = 280 };

/* "145 Shirt as Coat" */
static double draw_part(wick_figure *figure, double x, double y, int64_t count, const char *from,
                        const char *to, uint32_t rgb)
{
    char number[WKI_TICK_TEXT], text[2 * WKI_LONGEST_TEXT + WKI_TICK_TEXT + 8], a[WKI_LONGEST_TEXT],
        b[WKI_LONGEST_TEXT];
    wki_type type = wki_type_note(figure);
    wki_clean_text(from, a);
    wki_clean_text(to, b);
    wki_fixed_text((double)count, 0, number);
    snprintf(text, sizeof(text), "%s %s as %s", number, a, b);
    type.rgb = figure->theme->text;
    type.most = 205;
    wki_draw_rect(figure, x, y - 4, 8, 8, rgb);
    return 14 + wki_draw_text(figure, x + 14, y, text, type) + 16;
}

static void draw_pair(wick_figure *figure, const wick_errors_plot *plot, const wick_confused_pair *pair,
                      double most, double y)
{
    char text[2 * WKI_LONGEST_TEXT + 8], a[WKI_LONGEST_TEXT], b[WKI_LONGEST_TEXT];
    const uint32_t *series = figure->theme->series;
    wki_type type = wki_type_name(figure);
    wki_clean_text(plot->classes[pair->a], a);
    wki_clean_text(plot->classes[pair->b], b);
    snprintf(text, sizeof(text), "%s \xe2\x86\x94 %s", a, b);
    type.align = WKI_RIGHT;
    type.most = PAIR_NAMES - 12;
    wki_draw_text(figure, EDGE + PAIR_NAMES - 12, y, text, type);
    double x = EDGE + PAIR_NAMES, first = PAIR_BARS * (double)pair->a_as_b / most,
           second = PAIR_BARS * (double)pair->b_as_a / most;
    wki_draw_rect(figure, x, y - 9, first, 18, series[0]);
    wki_draw_rect(figure, x + first, y - 9, second, 18, series[4]);
    wki_fixed_text((double)pair->a_as_b + (double)pair->b_as_a, 0, text);
    type.align = WKI_LEFT;
    type.bold = true;
    wki_draw_text(figure, x + first + second + 6, y, text, type);
    x += PAIR_BARS + 54;
    x += draw_part(figure, x, y, pair->a_as_b, a, b, series[0]);
    draw_part(figure, x, y, pair->b_as_a, b, a, series[4]);
}

static double draw_pairs(wick_figure *figure, const wick_errors_plot *plot,
                         const wick_confused_pair *pairs, int64_t count, double top)
{
    wki_type type = wki_type_name(figure);
    type.bold = true;
    count = WKI_MIN(count, plot->pairs > 0 ? plot->pairs : 10);
    if (count == 0)
        return 0;
    wki_draw_text(figure, EDGE, top + 6, "Classes most often taken for each other", type);
    double most = (double)pairs[0].a_as_b + (double)pairs[0].b_as_a;
    for (int64_t i = 0; i < count; i++)
        draw_pair(figure, plot, &pairs[i], most, top + 34 + (double)i * PAIR_HIGH);
    return 34 + (double)count * PAIR_HIGH;
}

/* ---- the figure ---- */

static double draw_summary(wick_figure *figure, const wick_errors_plot *plot, double top)
{
    char wrong[WKI_TICK_TEXT], whole[WKI_TICK_TEXT], percent[WKI_TICK_TEXT],
        text[4 * WKI_TICK_TEXT + 64];
    const int64_t *counts = plot->confusion->data, classes = plot->confusion->shape[0];
    double all = 0, right = 0;
    for (int64_t i = 0; i < classes * classes; i++) {
        all += (double)counts[i];
        right += i % (classes + 1) == 0 ? (double)counts[i] : 0;
    }
    wki_fixed_text(all - right, 0, wrong);
    wki_fixed_text(all, 0, whole);
    wki_percent_text(all > 0 ? 100 * (all - right) / all : 0, 2, percent);
    int used = snprintf(text, sizeof(text), "%s of %s images are wrong (%s %%)", wrong, whole, percent);
    if (plot->count > 0)
        snprintf(text + used, sizeof(text) - (size_t)used, "; %lld shown, surest first",
                 (long long)plot->count);
    if (all == right)
        snprintf(text, sizeof(text), "None of %s images is wrong", whole);
    wki_draw_text(figure, EDGE, top + 5, text, wki_type_note(figure));
    wki_text_printf(&figure->alt, "Wrong predictions: %s", text);
    return 30;
}

static wick_status draw(wick_figure *figure, const wick_errors_plot *plot)
{
    wick_confused_pair *pairs;
    int64_t count;
    WKI_TRY(wick_confused_pairs(plot->confusion, &pairs, &count));
    double top = EDGE + wki_draw_title(figure, plot->title, EDGE, EDGE, WIDTH - 2 * EDGE);
    top += draw_summary(figure, plot, top);
    top += draw_cards(figure, plot, top);
    top += draw_pairs(figure, plot, pairs, count, top);
    free(pairs);
    wki_figure_size(figure, WIDTH, top + EDGE - 10);
    return WICK_OK;
}

static wick_status check_tile(wick_context *context, const wick_errors_plot *plot, int64_t place)
{
    char what[64];
    const wick_error *error = &plot->tiles[place].error;
    int64_t images = plot->probabilities->shape[0], classes = plot->probabilities->shape[1];
    snprintf(what, sizeof(what), "the image of error %lld", (long long)place);
    if (error->index < 0 || error->index >= images || error->truth < 0 || error->truth >= classes ||
        error->prediction < 0 || error->prediction >= classes)
        return wki_fail(context, WICK_EINVAL,
                        "error %lld is of image %lld, class %lld taken for %lld; there are %lld "
                        "images and %lld classes",
                        (long long)place, (long long)error->index, (long long)error->truth,
                        (long long)error->prediction, (long long)images, (long long)classes);
    return wki_check_image(plot->tiles[place].image, context, what);
}

static wick_status check(wick_context *context, const wick_errors_plot *plot)
{
    const wick_tensor *probabilities = plot->probabilities, *confusion = plot->confusion;
    if (probabilities == NULL || confusion == NULL || plot->classes == NULL || plot->count < 0 ||
        plot->pairs < 0 || (plot->count > 0 && plot->tiles == NULL))
        return wki_fail(
            context, WICK_EINVAL,
            "tiles, probabilities, the confusion matrix or classes are NULL, or a count is below 0");
    if (probabilities->dtype != WICK_FLOAT32 || probabilities->ndim != 2 ||
        confusion->dtype != WICK_INT64 || confusion->ndim != 2 ||
        confusion->shape[0] != confusion->shape[1] || confusion->shape[0] != probabilities->shape[1] ||
        confusion->numel == 0)
        return wki_fail(
            context, WICK_ESHAPE,
            "probabilities must be torch.float32 [N, classes], the confusion matrix torch.int64 "
            "[classes, classes]");
    for (int64_t i = 0; i < confusion->shape[0]; i++)
        if (plot->classes[i] == NULL)
            return wki_fail(context, WICK_EINVAL, "the name of class %lld is NULL", (long long)i);
    for (int64_t i = 0; i < plot->count; i++)
        WKI_TRY(check_tile(context, plot, i));
    return WICK_OK;
}

wick_status wick_plot_errors(wick_plotter *plotter, const wick_errors_plot *plot, wick_figure **out)
{
    wick_figure *figure;
    if (plotter == NULL)
        return WICK_EINVAL;
    if (plot == NULL || out == NULL)
        return wki_fail(plotter->context, WICK_EINVAL, "plot or out is NULL");
    WKI_TRY(check(plotter->context, plot));
    WKI_TRY(wki_figure_new(plotter, &figure));
    return wki_figure_finish(figure, draw(figure, plot), out);
}

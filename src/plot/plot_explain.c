/* What a model sees: an image's way through the layers. */
#include "plot/axes.h"
#include "plot/pixels.h"

#include "tensor/tensor_internal.h"

#include <math.h>

enum {
    WIDTH = 1080,
    EDGE = 20,
    INNER = WIDTH - 2 * EDGE,
    IMAGE_SIDE = 224,
    TILE = 96, /* at most */
    GAP = 8,
    SECTION = 26,    /* before a layer */
    HEAD = 24,       /* its line */
    STRIP = 22,      /* how high a row of numbers is */
    CELL = 40,       /* how wide one of them is, at most */
    WIDE_CELL = 104, /* where its number is written into it */
    MOST_CELLS = 12,
    MOST_STRIPS = 32,
    RAMP = 64,
    BAR_PITCH = 21,
    MOST_BARS = 10,
    MOST_CHANNELS = 32,
};

/* A tensor that is a part of another. */
static wick_tensor view(const wick_tensor *whole, int ndim, const int64_t *shape, int64_t at)
{
    wick_tensor part = {.context = whole->context, .dtype = WICK_FLOAT32, .ndim = ndim, .numel = 1};
    for (int i = 0; i < ndim; i++) {
        part.shape[i] = shape[i];
        part.numel *= shape[i];
    }
    part.data = (float *)whole->data + at;
    return part;
}

/* ---- numbers ---- */

typedef struct number_facts {
    wki_range range; /* of the finite ones */
    double mean;
    int64_t zeros, count;
} number_facts;

static number_facts facts_of(const wick_tensor *tensor)
{
    const float *numbers = tensor->data;
    number_facts facts = {.range = wki_range_empty, .count = tensor->numel};
    for (int64_t i = 0; i < tensor->numel; i++) {
        wki_range_add(&facts.range, (double)numbers[i]);
        facts.mean += (double)numbers[i] / (double)tensor->numel;
        facts.zeros += numbers[i] == 0.0f;
    }
    return facts;
}

/* From the least to the greatest number; around it, if there is but one. */
static wki_color_scale scale_of(const wick_figure *figure, wki_range range)
{
    wki_color_scale scale = {WICK_VIRIDIS, 0, 1, figure->theme->not_a_number};
    if (range.low <= range.high && range.low < (double)INFINITY) {
        scale.low = (float)range.low;
        scale.high = (float)range.high;
    }
    if (scale.low >= scale.high) {
        scale.low -= 0.5f + fabsf(scale.low) / 2;
        scale.high += 0.5f + fabsf(scale.high) / 2;
    }
    return scale;
}

/* ---- rows of tiles ---- */

/* Images of one size, one behind the other in memory. */
typedef struct tile_row {
    const wick_tensor *whole;
    int64_t count, shown;
    int ndim; /* of one */
    int64_t shape[3];
} tile_row;

static void note_more(wick_figure *figure, int64_t more, double y)
{
    char text[64];
    if (more <= 0)
        return;
    snprintf(text, sizeof(text), "and %lld more", (long long)more);
    wki_draw_text(figure, EDGE, y + 8, text, wki_type_note(figure));
}

/* Returns how high they are. */
static double draw_tiles(wick_figure *figure, const tile_row *row, const wki_color_scale *scale,
                         double y)
{
    double width, height;
    wick_tensor one = view(row->whole, row->ndim, row->shape, 0);
    double most = floor((INNER + GAP) / (double)WKI_MIN(row->shown, 16)) - GAP;
    wki_image_fit_size(&one, fmin(fmax(most, 20), TILE), &width, &height);
    int64_t columns = WKI_MAX(1, (int64_t)floor((INNER + GAP) / (width + GAP)));
    for (int64_t i = 0; i < row->shown; i++) {
        int64_t line = i / columns;
        one = view(row->whole, row->ndim, row->shape, i * one.numel);
        wki_draw_tensor(figure, &one, scale, EDGE + (double)(i % columns) * (width + GAP),
                        y + (double)line * (height + GAP), width, height);
    }
    int64_t lines = (row->shown + columns - 1) / columns;
    double used = (double)lines * (height + GAP) - GAP;
    note_more(figure, row->count - row->shown, y + used + 4);
    return used + (row->count > row->shown ? 22 : 0);
}

/* So few numbers that each is written into its cell, with its name below. */
static double draw_cells(wick_figure *figure, const wick_tensor *numbers, const wki_color_scale *scale,
                         const char *const *names, double y)
{
    const float *at = numbers->data;
    double cell = floor(fmin(WIDE_CELL, INNER / (double)numbers->numel));
    for (int64_t i = 0; i < numbers->numel; i++) {
        char text[WKI_TICK_TEXT];
        double left = EDGE + (double)i * cell;
        uint32_t ground = wki_color_of(scale, at[i]);
        wki_type type = wki_type_name(figure), note = wki_type_note(figure);
        wki_short_text((double)at[i], 3, text);
        type.align = note.align = WKI_CENTER;
        type.rgb = wki_readable(ground, 0xffffff, 0x000000);
        note.most = cell - 4;
        wki_draw_rect(figure, left, y, cell, STRIP + 4, ground);
        wki_draw_text(figure, left + cell / 2, y + STRIP / 2.0 + 2, text, type);
        if (names != NULL)
            wki_draw_text(figure, left + cell / 2, y + STRIP + 14, names[i], note);
    }
    return STRIP + (names != NULL ? 22 : 4);
}

/* Numbers without a shape, as strips of colour. Returns how high they are. */
static double draw_strips(wick_figure *figure, const wick_tensor *numbers, const wki_color_scale *scale,
                          double y)
{
    double cell = floor(fmin(CELL, fmax(2, INNER / (double)numbers->numel)));
    int64_t columns = (int64_t)(INNER / cell), rows = 0;
    for (int64_t at = 0; at < numbers->numel && rows < MOST_STRIPS; at += columns, rows++) {
        const int64_t shape[2] = {1, WKI_MIN(columns, numbers->numel - at)};
        wick_tensor row = view(numbers, 2, shape, at);
        wki_draw_tensor(figure, &row, scale, EDGE, y + (double)rows * (STRIP + 4),
                        cell * (double)shape[1], STRIP);
    }
    double used = (double)rows * (STRIP + 4) - 4;
    note_more(figure, numbers->numel - rows * columns, y + used + 4);
    return used + (numbers->numel > rows * columns ? 22 : 0);
}

/* ---- sections ---- */

/* The colours from the least to the greatest number, with both. Returns where it begins. */
static double draw_ramp(wick_figure *figure, const wki_color_scale *scale, double y)
{
    char low[WKI_TICK_TEXT], high[WKI_TICK_TEXT];
    uint8_t rgb[3 * RAMP];
    wki_type note = wki_type_note(figure);
    note.align = WKI_RIGHT;
    wki_short_text((double)scale->low, 3, low);
    wki_short_text((double)scale->high, 3, high);
    for (int i = 0; i < RAMP; i++) {
        uint32_t color =
            wki_color_of(scale, scale->low + (scale->high - scale->low) * ((float)i + 0.5f) / RAMP);
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = (uint8_t)(color >> (16 - 8 * c));
    }
    double x = WIDTH - EDGE - wki_draw_text(figure, WIDTH - EDGE, y, high, note) - 6 - RAMP;
    wki_draw_image(figure, x, y - 5, RAMP, 10, RAMP, 1, rgb);
    return x - 6 - wki_draw_text(figure, x - 6, y, low, note);
}

/* A line: what it is, in bold, then of what kind, and to the right what its numbers are. */
static void draw_head(wick_figure *figure, const char *name, const char *kind, const number_facts *facts,
                      const wki_color_scale *scale, double y)
{
    char mean[WKI_TICK_TEXT], text[2 * WKI_TICK_TEXT];
    wki_type bold = wki_type_name(figure), note = wki_type_note(figure);
    bold.bold = true;
    bold.most = INNER * 0.35;
    double width = wki_draw_text(figure, EDGE, y, name, bold);
    note.most = INNER * 0.35;
    wki_draw_text(figure, EDGE + width + (width > 0 ? 10 : 0), y, kind, note);
    wki_short_text(facts->mean, 3, mean);
    int used = snprintf(text, sizeof(text), "mean %s", mean);
    if (facts->zeros > 0)
        snprintf(text + used, sizeof(text) - (size_t)used, ", %.0f%% zeros",
                 100.0 * (double)facts->zeros / (double)facts->count);
    note.align = WKI_RIGHT;
    note.most = 0;
    wki_draw_text(figure, draw_ramp(figure, scale, y) - 16, y, text, note);
}

/* What a layer gives that has no rows and columns: the last one's numbers are the classes'. */
static double draw_vector(wick_figure *figure, const wick_explain_plot *plot,
                          const wick_explain_layer *layer, const wki_color_scale *scale, double y)
{
    bool last = layer == &plot->layers[plot->layer_count - 1];
    const wick_tensor *numbers = layer->output;
    if (numbers->numel > MOST_CELLS)
        return draw_strips(figure, numbers, scale, y);
    return draw_cells(figure, numbers, scale,
                      last && numbers->numel == plot->probabilities->numel ? plot->classes : NULL, y);
}

static double draw_layer(wick_figure *figure, const wick_explain_plot *plot,
                         const wick_explain_layer *layer, double y)
{
    char kind[128], shape_text[WKI_SHAPE_TEXT];
    const wick_tensor *output = layer->output;
    const int64_t *shape = output->shape + 1;
    int ndim = output->ndim - 1;
    number_facts facts = facts_of(output);
    wki_color_scale scale = scale_of(figure, facts.range);
    snprintf(kind, sizeof(kind), "%s  %s", layer->kind, wki_shape_text(ndim, shape, shape_text));
    y += SECTION;
    draw_head(figure, layer->path, kind, &facts, &scale, y);
    y += HEAD - 8;
    if (ndim != 3)
        return y + draw_vector(figure, plot, layer, &scale, y);
    const int64_t most = plot->channels == 0 ? MOST_CHANNELS : plot->channels;
    const tile_row row = {output, shape[0], WKI_MIN(shape[0], most), 2, {shape[1], shape[2]}};
    return y + draw_tiles(figure, &row, &scale, y);
}

/* The grey in the middle is no weight at all: the scale is as wide above zero as below it. */
static double draw_kernels(wick_figure *figure, const wick_explain_plot *plot, double y)
{
    const wick_tensor *kernels = plot->kernels;
    const int64_t *shape = kernels->shape;
    const int64_t most = plot->channels == 0 ? MOST_CHANNELS : plot->channels;
    char kind[128], shape_text[WKI_SHAPE_TEXT];
    number_facts facts = facts_of(kernels);
    double far = fmax(fabs(facts.range.low), fabs(facts.range.high));
    wki_color_scale scale = scale_of(figure, (wki_range){-far, far});
    scale.map = WICK_GREY;
    snprintf(kind, sizeof(kind), "weights  %s", wki_shape_text(4, shape, shape_text));
    y += SECTION;
    draw_head(figure, plot->kernels_title == NULL ? "" : plot->kernels_title, kind, &facts, &scale, y);
    y += HEAD - 8;
    const tile_row row = {kernels, shape[0], WKI_MIN(shape[0], most), 3, {shape[1], shape[2], shape[3]}};
    return y + draw_tiles(figure, &row, &scale, y);
}

/* ---- what it is taken for ---- */

/* The classes by their probability, the most probable first. Returns how many. */
static int rank_classes(const wick_tensor *probabilities, int64_t order[MOST_BARS])
{
    const float *p = probabilities->data;
    int count = 0;
    for (int64_t i = 0; i < probabilities->numel; i++) {
        int at = count < MOST_BARS ? count++ : MOST_BARS;
        for (; at > 0 && (isnan(p[order[at - 1]]) || p[order[at - 1]] < p[i]); at--)
            if (at < MOST_BARS)
                order[at] = order[at - 1];
        if (at < MOST_BARS)
            order[at] = i;
    }
    return count;
}

static double class_names_width(wick_figure *figure, const wick_explain_plot *plot, const int64_t *order,
                                int count)
{
    wki_type type = wki_type_name(figure);
    double widest = 0;
    type.bold = true;
    type.most = 220;
    for (int i = 0; i < count; i++)
        widest = fmax(widest, wki_text_width(figure, plot->classes[order[i]], type));
    return ceil(widest);
}

static void draw_class(wick_figure *figure, const wick_explain_plot *plot, int64_t label, bool first,
                       double left, double names, double y)
{
    char text[64];
    float probability = ((const float *)plot->probabilities->data)[label];
    bool truth = label == plot->truth, judged = first && plot->truth >= 0;
    wki_type widest = wki_type_name(figure);
    widest.bold = true;
    double value_room = 6 + ceil(wki_text_width(figure, "100.00 %, the truth", widest));
    double most = WIDTH - EDGE - value_room - left - names - 10;
    double part = isfinite(probability) ? fmin(fmax((double)probability, 0), 1) : 0;
    wki_type type = wki_type_name(figure);
    type.bold = first || truth;
    type.align = WKI_RIGHT;
    type.most = names;
    uint32_t color = !judged ? figure->theme->series[0]
                     : truth ? figure->theme->right
                             : figure->theme->wrong;
    wki_draw_text(figure, left + names, y, plot->classes[label], type);
    wki_draw_rect(figure, left + names + 10, y - 7, fmax(most * part, 1), 14, color);
    snprintf(text, sizeof(text), "%.2f %%%s", 100.0 * (double)probability,
             truth    ? ", the truth"
             : judged ? ", wrong"
                      : "");
    type.align = WKI_LEFT;
    type.most = 0;
    wki_draw_text(figure, left + names + 10 + most * part + 6, y, text, type);
}

static void draw_classes(wick_figure *figure, const wick_explain_plot *plot, double left, double y)
{
    int64_t order[MOST_BARS + 1];
    int count = rank_classes(plot->probabilities, order);
    double names = class_names_width(figure, plot, order, count);
    wki_type heading = wki_type_name(figure);
    heading.bold = true;
    wki_draw_text(figure, left, y + 8,
                  plot->probabilities->numel > count ? "Most probable classes" : "Probabilities",
                  heading);
    for (int i = 0; i < count; i++)
        draw_class(figure, plot, order[i], i == 0, left, names, y + 32 + i * BAR_PITCH);
}

/* ---- the whole ---- */

static void describe(wick_figure *figure, const wick_explain_plot *plot)
{
    int64_t order[MOST_BARS + 1];
    char name[WKI_LONGEST_TEXT];
    rank_classes(plot->probabilities, order);
    wki_clean_text(plot->classes[order[0]], name);
    wki_text_printf(&figure->alt,
                    "An image and what each of %lld layers makes of it. It is taken for %s, with %.2f%%",
                    (long long)plot->layer_count, name,
                    100.0 * (double)((const float *)plot->probabilities->data)[order[0]]);
    if (plot->truth >= 0) {
        wki_clean_text(plot->classes[plot->truth], name);
        wki_text_printf(&figure->alt, "; the truth is %s", name);
    }
}

static wick_status draw(wick_figure *figure, const wick_explain_plot *plot)
{
    double width, height, y = EDGE + wki_draw_title(figure, plot->title, EDGE, EDGE, INNER);
    const wki_color_scale grey = {WICK_GREY, 0, 1, figure->theme->not_a_number};
    wki_image_fit_size(plot->image, IMAGE_SIDE, &width, &height);
    wki_draw_tensor(figure, plot->image, &grey, EDGE, y, width, height);
    draw_classes(figure, plot, EDGE + IMAGE_SIDE + 36, y);
    int bars = (int)WKI_MIN(plot->probabilities->numel, MOST_BARS);
    y += fmax(height, 24 + bars * BAR_PITCH);
    if (plot->kernels != NULL)
        y = draw_kernels(figure, plot, y);
    for (int64_t i = 0; i < plot->layer_count; i++)
        y = draw_layer(figure, plot, &plot->layers[i], y);
    wki_figure_size(figure, WIDTH, y + EDGE);
    describe(figure, plot);
    return WICK_OK;
}

static wick_status check_layers(wick_context *context, const wick_explain_plot *plot)
{
    for (int64_t i = 0; i < plot->layer_count; i++) {
        const wick_explain_layer *layer = &plot->layers[i];
        const wick_tensor *output = layer->output;
        if (layer->path == NULL || layer->kind == NULL || output == NULL)
            return wki_fail(context, WICK_EINVAL, "layer %lld has no path, kind or output",
                            (long long)i);
        if (output->dtype != WICK_FLOAT32 || output->ndim < 2 || output->shape[0] != 1 ||
            output->numel == 0)
            return wki_fail(context, WICK_ESHAPE, "the output of layer %lld is not of a batch of one",
                            (long long)i);
    }
    return WICK_OK;
}

static wick_status check(wick_context *context, const wick_explain_plot *plot)
{
    const wick_tensor *p = plot->probabilities, *k = plot->kernels;
    WKI_TRY(wki_check_image(plot->image, context, "the image"));
    if (p == NULL || plot->classes == NULL || plot->channels < 0 || plot->layer_count < 0 ||
        (plot->layer_count > 0 && plot->layers == NULL))
        return wki_fail(context, WICK_EINVAL,
                        "layers, probabilities or classes are missing, or channels is below 0");
    if (p->dtype != WICK_FLOAT32 || p->ndim != 1 || p->numel < 1)
        return wki_fail(context, WICK_ESHAPE, "the probabilities must be torch.float32 [classes]");
    if (plot->truth < -1 || plot->truth >= p->numel)
        return wki_fail(context, WICK_EINVAL, "the truth is class %lld of %lld", (long long)plot->truth,
                        (long long)p->numel);
    for (int64_t i = 0; i < p->numel; i++)
        if (plot->classes[i] == NULL)
            return wki_fail(context, WICK_EINVAL, "the name of class %lld is NULL", (long long)i);
    if (k != NULL && (k->dtype != WICK_FLOAT32 || k->ndim != 4 || k->numel < 1 ||
                      (k->shape[1] != 1 && k->shape[1] != 3)))
        return wki_fail(context, WICK_ESHAPE,
                        "the kernels must be torch.float32 [count, 1 or 3, height, width]");
    return check_layers(context, plot);
}

wick_status wick_plot_explain(wick_plotter *plotter, const wick_explain_plot *plot, wick_figure **out)
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

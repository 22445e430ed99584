/* The confusion matrix: which class was taken for which. */
#include "plot/axes.h"

#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdlib.h>

enum {
    EDGE = 20,
    LARGEST = 720, /* of all cells */
    LARGEST_CELL = 110,
    MOST_NAME = 150,
    SHARES_FROM = 36, /* a cell's side that holds a count and a share */
    COUNTS_FROM = 15,
    NAMES_EVERY = 13, /* pixels from one name to the next, at least */
};

typedef struct matrix_layout {
    int64_t classes;
    const int64_t *counts;
    const char *const *names;
    double *totals; /* of rows */
    double cell, left, top, side;
    bool turned; /* the names of columns stand at an angle */
    int64_t names_step;
} matrix_layout;

static double share(const matrix_layout *layout, int64_t row, int64_t column)
{
    double total = layout->totals[row];
    return total > 0 ? fmax(0, (double)layout->counts[row * layout->classes + column] / total) : 0;
}

/* Small shares are what one looks for: the colours of a share rise fast at first. */
static uint32_t share_color(const wick_theme *theme, double part)
{
    double rise = part <= 0 ? 0 : 0.06 + 0.94 * pow(fmin(part, 1), 0.65);
    return rise < 0.5 ? wki_mix(theme->none, theme->half, 2 * rise)
                      : wki_mix(theme->half, theme->all, 2 * rise - 1);
}

/* ---- layout ---- */

static double widest_name(wick_figure *figure, const matrix_layout *layout, wki_type type)
{
    double widest = 0;
    for (int64_t i = 0; i < layout->classes; i += layout->names_step)
        widest = fmax(widest, wki_text_width(figure, layout->names[i], type));
    return widest;
}

static wki_type name_type(const wick_figure *figure, const matrix_layout *layout)
{
    wki_type type = wki_type_name(figure);
    type.size = fmin(type.size, fmax(8, layout->cell * (double)layout->names_step * 0.75));
    type.most = MOST_NAME;
    return type;
}

static void lay_out(wick_figure *figure, matrix_layout *layout, double top)
{
    layout->cell = LARGEST / (double)layout->classes;
    layout->cell = layout->cell >= 2 ? fmin(floor(layout->cell), LARGEST_CELL) : layout->cell;
    if (layout->classes > LARGEST / 22 && layout->classes <= 50)
        layout->cell = 22;
    layout->side = layout->cell * (double)layout->classes;
    layout->names_step = (int64_t)fmax(1, ceil(NAMES_EVERY / layout->cell));
    double widest = widest_name(figure, layout, name_type(figure, layout));
    layout->left = EDGE + 22 + ceil(widest) + 8;
    layout->top = top;
    layout->turned = widest > layout->cell * (double)layout->names_step - 4;
}

/* ---- drawing ---- */

static void draw_row_names(wick_figure *figure, const matrix_layout *layout)
{
    wki_type type = name_type(figure, layout), title = wki_type_note(figure);
    type.align = WKI_RIGHT;
    for (int64_t i = 0; i < layout->classes; i += layout->names_step)
        wki_draw_text(figure, layout->left - 8, layout->top + ((double)i + 0.5) * layout->cell,
                      layout->names[i], type);
    title.align = WKI_CENTER;
    title.bold = true;
    title.angle = -90;
    wki_draw_text(figure, EDGE + 6, layout->top + layout->side / 2, "Truth", title);
}

/* Below the matrix. Returns how high they are. */
static double draw_column_names(wick_figure *figure, const matrix_layout *layout)
{
    static const double turn = 0.70710678;
    wki_type type = name_type(figure, layout), title = wki_type_note(figure);
    double bottom = layout->top + layout->side, high = type.size + 8;
    type.align = layout->turned ? WKI_RIGHT : WKI_CENTER;
    type.angle = layout->turned ? -45 : 0;
    for (int64_t i = 0; i < layout->classes; i += layout->names_step) {
        double width = wki_draw_text(figure, layout->left + ((double)i + 0.5) * layout->cell,
                                     bottom + 6 + type.size / 2, layout->names[i], type);
        if (layout->turned)
            high = fmax(high, (width + type.size) * turn + 8);
    }
    title.align = WKI_CENTER;
    title.bold = true;
    wki_draw_text(figure, layout->left + layout->side / 2, bottom + high + 12, "Prediction", title);
    return high + 22;
}

static void draw_cell_text(wick_figure *figure, const matrix_layout *layout, int64_t row, int64_t column,
                           uint32_t ground)
{
    char text[WKI_TICK_TEXT + 4], number[WKI_TICK_TEXT];
    int64_t count = layout->counts[row * layout->classes + column];
    bool shares = layout->cell >= SHARES_FROM && count != 0;
    double x = layout->left + ((double)column + 0.5) * layout->cell;
    double y = layout->top + ((double)row + 0.5) * layout->cell;
    wki_type type = wki_type_name(figure);
    type.rgb = wki_readable(ground, figure->theme->text, figure->theme->background);
    if (count == 0)
        type.rgb = figure->theme->faint_text;
    type.align = WKI_CENTER;
    type.size = fmin(type.size + 1, layout->cell * 0.42);
    wki_fixed_text((double)count, 0, number);
    double width = wki_text_width(figure, number, type);
    if (width > layout->cell - 2)
        type.size *= (layout->cell - 2) / width;
    wki_draw_text(figure, x, shares ? y - 7 : y, number, type);
    if (!shares)
        return;
    type.size = fmin(10, layout->cell * 0.24);
    wki_percent_text(100 * share(layout, row, column), 1, number);
    snprintf(text, sizeof(text), "%s %%", number);
    wki_draw_text(figure, x, y + 9, text, type);
}

/* Cells as rectangles with a gap between. */
static void draw_cells(wick_figure *figure, const matrix_layout *layout)
{
    double gap = layout->cell >= 10 ? 1 : 0;
    for (int64_t row = 0; row < layout->classes; row++)
        for (int64_t column = 0; column < layout->classes; column++) {
            uint32_t color = share_color(figure->theme, share(layout, row, column));
            wki_draw_rect(figure, layout->left + (double)column * layout->cell,
                          layout->top + (double)row * layout->cell, layout->cell - gap,
                          layout->cell - gap, color);
            if (layout->cell >= COUNTS_FROM)
                draw_cell_text(figure, layout, row, column, color);
        }
}

/* Of very many classes each cell is a pixel. */
static wick_status draw_pixels(wick_figure *figure, const matrix_layout *layout)
{
    void *memory;
    int64_t count = layout->classes * layout->classes;
    WKI_TRY(wki_alloc(figure->context, (size_t)count, 3, "a confusion matrix", &memory));
    uint8_t *rgb = memory;
    for (int64_t i = 0; i < count; i++) {
        uint32_t color =
            share_color(figure->theme, share(layout, i / layout->classes, i % layout->classes));
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = (uint8_t)(color >> (16 - 8 * c));
    }
    wki_draw_image(figure, layout->left, layout->top, layout->side, layout->side, (int)layout->classes,
                   (int)layout->classes, rgb);
    free(rgb);
    return WICK_OK;
}

/* What the colours stand for, to the right of the matrix. */
static void draw_key(wick_figure *figure, const matrix_layout *layout, double x)
{
    uint8_t rgb[256 * 3];
    for (int i = 0; i < 256; i++) {
        uint32_t color = share_color(figure->theme, (255 - i) / 255.0);
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = (uint8_t)(color >> (16 - 8 * c));
    }
    const wki_pen axis = {.rgb = figure->theme->axis, .width = 1};
    double high = fmin(layout->side, 240), top = layout->top;
    wki_draw_image(figure, x, top, 14, high, 1, 256, rgb);
    wki_draw_frame(figure, x, top, 14, high, axis);
    for (int percent = 0; percent <= 100; percent += 25) {
        char text[8];
        double y = top + high * (100 - percent) / 100;
        snprintf(text, sizeof(text), "%d %%", percent);
        wki_draw_line(figure, x + 14, y, x + 18, y, axis);
        wki_draw_text(figure, x + 22, y, text, wki_type_note(figure));
    }
    wki_draw_text(figure, x, top + high + 18, "of its row", wki_type_note(figure));
}

/* ---- the figure ---- */

static double trace(const matrix_layout *layout)
{
    double sum = 0;
    for (int64_t i = 0; i < layout->classes; i++)
        sum += (double)layout->counts[i * (layout->classes + 1)];
    return sum;
}

/* "8,857 of 10,000 right (88.57 %)" under the title. Returns how high it is. */
static double draw_summary(wick_figure *figure, const matrix_layout *layout, double top)
{
    char right[WKI_TICK_TEXT], all[WKI_TICK_TEXT], percent[WKI_TICK_TEXT], text[3 * WKI_TICK_TEXT + 32];
    double sum = 0, good = trace(layout);
    for (int64_t i = 0; i < layout->classes; i++)
        sum += layout->totals[i];
    wki_fixed_text(good, 0, right);
    wki_fixed_text(sum, 0, all);
    wki_percent_text(sum > 0 ? 100 * good / sum : 0, 2, percent);
    snprintf(text, sizeof(text), "%s of %s right (%s %%)", right, all, percent);
    wki_draw_text(figure, EDGE, top + 5, text, wki_type_note(figure));
    wki_text_printf(&figure->alt, "Confusion matrix of %lld classes, %s", (long long)layout->classes,
                    text);
    return 24;
}

static wick_status draw(wick_figure *figure, const wick_confusion_plot *plot, matrix_layout *layout)
{
    double top = EDGE;
    /* The title may be as wide as the figure will be, which depends on nothing above. */
    lay_out(figure, layout, 0);
    double key = layout->left + layout->side + 20, whole = key + 62 + EDGE;
    top += wki_draw_title(figure, plot->title, EDGE, top, whole - 2 * EDGE);
    top += draw_summary(figure, layout, top);
    layout->top = top;
    if (layout->cell >= 2)
        draw_cells(figure, layout);
    else
        WKI_TRY(draw_pixels(figure, layout));
    draw_row_names(figure, layout);
    double below = draw_column_names(figure, layout);
    draw_key(figure, layout, key);
    wki_figure_size(figure, fmax(whole, 260), top + fmax(layout->side + below, 290) + EDGE - 6);
    return WICK_OK;
}

static wick_status check(wick_context *context, const wick_confusion_plot *plot)
{
    char shape[WKI_SHAPE_TEXT];
    const wick_tensor *confusion = plot->confusion;
    if (confusion == NULL || plot->classes == NULL)
        return wki_fail(context, WICK_EINVAL, "the confusion matrix or the classes' names are NULL");
    if (confusion->dtype != WICK_INT64 || confusion->ndim != 2 ||
        confusion->shape[0] != confusion->shape[1] || confusion->numel == 0)
        return wki_fail(
            context, WICK_ESHAPE, "a confusion matrix of %s %s; it must be torch.int64 and square",
            wick_dtype_name(confusion->dtype), wki_shape_text(confusion->ndim, confusion->shape, shape));
    if (confusion->numel > WKI_MOST_AREA)
        return wki_fail(context, WICK_ELIMIT,
                        "a confusion matrix of %lld classes is too large for a figure",
                        (long long)confusion->shape[0]);
    for (int64_t i = 0; i < confusion->shape[0]; i++)
        if (plot->classes[i] == NULL)
            return wki_fail(context, WICK_EINVAL, "the name of class %lld is NULL", (long long)i);
    return WICK_OK;
}

static wick_status sum_rows(wick_context *context, matrix_layout *layout)
{
    void *memory;
    WKI_TRY(wki_alloc(context, (size_t)layout->classes, sizeof(double), "a confusion matrix", &memory));
    layout->totals = memory;
    for (int64_t i = 0; i < layout->classes * layout->classes; i++)
        layout->totals[i / layout->classes] += (double)layout->counts[i];
    return WICK_OK;
}

wick_status wick_plot_confusion(wick_plotter *plotter, const wick_confusion_plot *plot,
                                wick_figure **out)
{
    wick_figure *figure;
    if (plotter == NULL)
        return WICK_EINVAL;
    if (plot == NULL || out == NULL)
        return wki_fail(plotter->context, WICK_EINVAL, "plot or out is NULL");
    WKI_TRY(check(plotter->context, plot));
    matrix_layout layout = {
        .classes = plot->confusion->shape[0], .counts = plot->confusion->data, .names = plot->classes};
    WKI_TRY(sum_rows(plotter->context, &layout));
    wick_status status = wki_figure_new(plotter, &figure);
    if (status == WICK_OK)
        status = wki_figure_finish(figure, draw(figure, plot, &layout), out);
    free(layout.totals);
    return status;
}

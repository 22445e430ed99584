/* Images in rows, with their classes or with what they were taken for. */
#include "plot/axes.h"
#include "plot/pixels.h"

#include <math.h>
#include <stdio.h>

enum { EDGE = 20, LINE = 17, MARK = 14 };

/* How the tiles are laid out. */
typedef struct tile_grid {
    int64_t columns, rows;
    double cell, side; /* how wide a tile is, and at most its image */
    double gap, head;  /* between tiles; over the images */
    bool predictions, two_lines;
} tile_grid;

enum { TILE_TEXT = 2 * WKI_LONGEST_TEXT + 32 };

static void tile_text(const wick_tile *tile, char out[TILE_TEXT])
{
    char label[WKI_LONGEST_TEXT], prediction[WKI_LONGEST_TEXT];
    wki_clean_text(tile->label != NULL ? tile->label : "", label);
    if (tile->prediction == NULL) {
        snprintf(out, TILE_TEXT, "%s", label);
        return;
    }
    wki_clean_text(tile->prediction, prediction);
    snprintf(out, TILE_TEXT, "Pred: %s | Truth: %s", prediction, label);
}

static wki_type tile_type(const wick_figure *figure, const wick_tile *tile)
{
    wki_type type = wki_type_name(figure);
    if (tile->prediction != NULL) {
        type.rgb = tile->right ? figure->theme->right : figure->theme->wrong;
        type.bold = true;
        type.size = WKI_NOTE_SIZE;
    }
    return type;
}

static wick_status check_tiles(wick_context *context, const wick_images_plot *plot)
{
    if (plot->count < 1 || plot->tiles == NULL || plot->columns < 0)
        return wki_fail(context, WICK_EINVAL,
                        "%lld tiles in %lld columns; there must be 1 or more, and 0 columns or more",
                        (long long)(plot->tiles == NULL ? 0 : plot->count), (long long)plot->columns);
    for (int64_t i = 0; i < plot->count; i++) {
        char what[64];
        snprintf(what, sizeof(what), "the image of tile %lld", (long long)i);
        WKI_TRY(wki_check_image(plot->tiles[i].image, context, what));
    }
    return WICK_OK;
}

static tile_grid lay_out(wick_figure *figure, const wick_images_plot *plot)
{
    tile_grid grid = {.columns = plot->columns != 0 ? WKI_MIN(plot->columns, plot->count)
                                                    : (int64_t)ceil(sqrt((double)plot->count))};
    bool labels = false;
    double widest = 0;
    grid.rows = (plot->count + grid.columns - 1) / grid.columns;
    for (int64_t i = 0; i < plot->count; i++) {
        grid.predictions = grid.predictions || plot->tiles[i].prediction != NULL;
        labels = labels || plot->tiles[i].label != NULL;
    }
    grid.cell = grid.predictions ? 280 : 150;
    grid.side = grid.predictions ? 240 : 150;
    grid.gap = grid.predictions ? 20 : 16;
    for (int64_t i = 0; grid.predictions && i < plot->count; i++) {
        char text[TILE_TEXT];
        tile_text(&plot->tiles[i], text);
        widest = fmax(widest, wki_text_width(figure, text, tile_type(figure, &plot->tiles[i])));
    }
    grid.two_lines = widest > grid.cell - MARK - 6;
    grid.head = grid.two_lines ? 2 * LINE + 4 : labels || grid.predictions ? LINE + 4 : 0;
    return grid;
}

/* Lines over an image, one below the other and together in its middle, the verdict's sign before them.
 * */
static void draw_lines(wick_figure *figure, const tile_grid *grid, const wick_tile *tile, double middle,
                       double y, const char *const *lines, int count)
{
    bool judged = tile->prediction != NULL;
    double room = judged ? MARK + 4 : 0, width = 0;
    wki_type type = tile_type(figure, tile);
    type.most = grid->cell - room;
    for (int i = 0; i < count; i++)
        width = fmax(width, wki_text_width(figure, lines[i], type));
    double left = middle - (width + room) / 2 + room;
    if (judged)
        wki_draw_verdict(figure, left - 4 - MARK / 2.0, y, MARK, tile->right);
    for (int i = 0; i < count; i++)
        wki_draw_text(figure, left, y + i * LINE, lines[i], type);
}

static void draw_head(wick_figure *figure, const tile_grid *grid, const wick_tile *tile, double middle,
                      double top)
{
    char text[TILE_TEXT], truth[TILE_TEXT], name[WKI_LONGEST_TEXT];
    const char *const lines[2] = {text, truth};
    if (!grid->two_lines || tile->prediction == NULL) {
        tile_text(tile, text);
        draw_lines(figure, grid, tile, middle, top + grid->head - 4 - LINE / 2.0, lines, 1);
        return;
    }
    wki_clean_text(tile->prediction, name);
    snprintf(text, sizeof(text), "Pred: %s", name);
    wki_clean_text(tile->label != NULL ? tile->label : "", name);
    snprintf(truth, sizeof(truth), "Truth: %s", name);
    draw_lines(figure, grid, tile, middle, top + LINE / 2.0, lines, 2);
}

static void draw_tile(wick_figure *figure, const tile_grid *grid, const wki_color_scale *scale,
                      const wick_tile *tile, double x, double y)
{
    double width, height;
    wki_image_fit_size(tile->image, grid->side, &width, &height);
    if (grid->head > 0)
        draw_head(figure, grid, tile, x + grid->cell / 2, y);
    double left = floor(x + (grid->cell - width) / 2), top = y + grid->head;
    wki_draw_tensor(figure, tile->image, scale, left, top, width, height);
    if (tile->prediction == NULL)
        return;
    const wki_pen frame = {.rgb = tile->right ? figure->theme->right : figure->theme->wrong, .width = 2};
    wki_draw_frame(figure, left - 2, top - 2, width + 4, height + 4, frame);
}

static void describe(wick_figure *figure, const wick_images_plot *plot, const tile_grid *grid)
{
    int64_t right = 0;
    wki_text_printf(&figure->alt, "%lld images in %lld rows", (long long)plot->count,
                    (long long)grid->rows);
    for (int64_t i = 0; i < plot->count; i++) {
        char text[TILE_TEXT];
        tile_text(&plot->tiles[i], text);
        right += plot->tiles[i].right;
        if (plot->count <= 25 && text[0] != '\0')
            wki_text_printf(&figure->alt, "%s %s", i == 0 ? ":" : ";", text);
    }
    if (grid->predictions)
        wki_text_printf(&figure->alt, ". %lld of the predictions are right", (long long)right);
}

/* The tallest image of a row, so that images of other shapes leave no holes. */
static double row_height(const wick_images_plot *plot, const tile_grid *grid, int64_t row)
{
    double tallest = 0;
    for (int64_t i = row * grid->columns; i < plot->count && i < (row + 1) * grid->columns; i++) {
        double width, height;
        wki_image_fit_size(plot->tiles[i].image, grid->side, &width, &height);
        tallest = fmax(tallest, height);
    }
    return grid->head + tallest + grid->gap;
}

static wick_status draw(wick_figure *figure, const wick_images_plot *plot)
{
    wki_color_scale scale;
    WKI_TRY(wki_color_scale_make(figure, plot->colormap, plot->low, plot->high, &scale));
    tile_grid grid = lay_out(figure, plot);
    double whole = (double)grid.columns * (grid.cell + grid.gap) - grid.gap + 2 * EDGE;
    double y = EDGE + wki_draw_title(figure, plot->title, EDGE, EDGE, whole - 2 * EDGE);
    for (int64_t row = 0; row < grid.rows; row++) {
        for (int64_t c = 0; c < grid.columns && row * grid.columns + c < plot->count; c++)
            draw_tile(figure, &grid, &scale, &plot->tiles[row * grid.columns + c],
                      EDGE + (double)c * (grid.cell + grid.gap), y);
        y += row_height(plot, &grid, row);
    }
    wki_figure_size(figure, whole, y - grid.gap + EDGE);
    describe(figure, plot, &grid);
    return WICK_OK;
}

wick_status wick_plot_images(wick_plotter *plotter, const wick_images_plot *plot, wick_figure **out)
{
    wick_figure *figure;
    if (plotter == NULL)
        return WICK_EINVAL;
    if (plot == NULL || out == NULL)
        return wki_fail(plotter->context, WICK_EINVAL, "plot or out is NULL");
    WKI_TRY(check_tiles(plotter->context, plot));
    WKI_TRY(wki_figure_new(plotter, &figure));
    return wki_figure_finish(figure, draw(figure, plot), out);
}

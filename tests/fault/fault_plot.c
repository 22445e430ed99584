/* Figures: drawn, as SVG and PNG in memory, and on disk. cairo's and pango's own memory is not ours to
 * fail. */
#include "fault.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const classes[2] = {"round", "square \xc5\x9f\xe6\xbc\xa2"};
static const wick_epoch epochs[3] = {
    {0, 1.5, 60, 1.25, 61, 0.5}, {1, 1.25, 70, (double)NAN, 71, 0.5}, {2, 1, 75, 1.125, 71, 0.5}};
static const float losses[4] = {2, 1.5f, 1, 0.5f};
static const wick_bar bar = {"round", 75, 2};
static const wick_curve curve = {"round", 3, epochs, 4, losses, 1};

/* Takes the figure in both formats and frees it. */
static wick_status take(wick_status drawn, wick_figure **drawn_figure)
{
    char *svg = NULL;
    uint8_t *png = NULL;
    wick_figure *figure = *drawn_figure;
    *drawn_figure = NULL;
    size_t length;
    wick_status status;
    FAULT_TRY(drawn);
    FAULT_TRY(wick_figure_svg(figure, &svg));
    FAULT_CHECK(strstr(svg, "</svg>") != NULL);
    FAULT_TRY(wick_figure_png(figure, &png, &length));
    FAULT_CHECK(length > 100);
out:
    wick_free(svg);
    wick_free(png);
    wick_figure_free(figure);
    return status;
}

typedef struct material {
    wick_tensor *image, *matrix, *probabilities, *labels;
    wick_error *errors;
    int64_t count;
} material;

static void material_free(material *it)
{
    wick_tensor_free(it->image);
    wick_tensor_free(it->matrix);
    wick_tensor_free(it->probabilities);
    wick_tensor_free(it->labels);
    wick_free(it->errors);
}

static wick_status material_make(wick_context *context, material *it)
{
    static const int64_t counts[4] = {5, 1, 2, 6}, label[2] = {0, 0};
    static const float rows[4] = {0.9f, 0.1f, 0.2f, 0.8f};
    static const int64_t square[2] = {2, 2};
    wick_status status;
    FAULT_TRY(wick_tensor_from(context, WICK_FLOAT32, 2, square, rows, &it->image));
    FAULT_TRY(wick_tensor_from(context, WICK_INT64, 2, square, counts, &it->matrix));
    FAULT_TRY(wick_tensor_from(context, WICK_FLOAT32, 2, square, rows, &it->probabilities));
    FAULT_TRY(wick_tensor_from(context, WICK_INT64, 1, square, label, &it->labels));
    FAULT_TRY(wick_wrong_predictions(it->probabilities, it->labels, &it->errors, &it->count));
out:
    return status;
}

static wick_status draw_results(wick_plotter *plotter, const material *it)
{
    wick_figure *figure = NULL;
    wick_status status;
    const wick_error_tile tile = {it->image, it->errors[0]};
    const wick_errors_plot errors = {.count = 1,
                                     .tiles = &tile,
                                     .probabilities = it->probabilities,
                                     .confusion = it->matrix,
                                     .classes = classes};
    const wick_bars_plot bars = {1, &bar, "bars"};
    const wick_curves_plot curves = {1, &curve, "curves"};
    FAULT_TRY(take(wick_plot_compare(plotter, &bars, &curves, &figure), &figure));
    FAULT_TRY(take(
        wick_plot_confusion(plotter, &(wick_confusion_plot){it->matrix, classes, "matrix"}, &figure),
        &figure));
    FAULT_TRY(take(wick_plot_errors(plotter, &errors, &figure), &figure));
out:
    return status;
}

static wick_status draw_images(wick_plotter *plotter, const material *it)
{
    wick_figure *figure = NULL;
    wick_status status;
    const wick_tile tile = {
        .image = it->image, .label = "round", .prediction = "square", .right = false};
    const wick_image_plot image = {
        .image = it->image, .title = "one", .colormap = WICK_VIRIDIS, .rulers = true, .color_bar = true};
    FAULT_TRY(take(wick_plot_image(plotter, &image, &figure), &figure));
    FAULT_TRY(take(wick_plot_images(plotter, &(wick_images_plot){.count = 1, .tiles = &tile}, &figure),
                   &figure));
out:
    return status;
}

static wick_status with_plotter(wick_context *context,
                                wick_status (*draw)(wick_plotter *plotter, const material *it))
{
    wick_plotter *plotter = NULL;
    material it = {0};
    wick_status status;
    FAULT_TRY(material_make(context, &it));
    FAULT_TRY(wick_plotter_new(context, &plotter));
    FAULT_TRY(draw(plotter, &it));
out:
    wick_plotter_free(plotter);
    material_free(&it);
    return status;
}

static wick_status run_results(wick_context *context, const char *folder)
{
    (void)folder;
    return with_plotter(context, draw_results);
}

static wick_status run_images(wick_context *context, const char *folder)
{
    (void)folder;
    return with_plotter(context, draw_images);
}

/* ---- on disk ---- */

static wick_status save(wick_context *context, const char *folder)
{
    wick_plotter *plotter = NULL;
    wick_figure *figure = NULL;
    wick_status status;
    FAULT_TRY(wick_plotter_new(context, &plotter));
    FAULT_TRY(wick_plot_bars(plotter, &(wick_bars_plot){1, &bar, "bars"}, &figure));
    FAULT_TRY(wick_figure_save_both(figure, folder, "bars"));
out:
    wick_figure_free(figure);
    wick_plotter_free(plotter);
    return status;
}

static void prepare_old(wick_context *context, const char *folder)
{
    (void)context;
    fault_write(folder, "bars.png", "old", 3);
    fault_write(folder, "bars.svg", "old", 3);
}

/* Each file is the old one or a whole new one. */
static void after_save(wick_context *context, const char *folder, wick_status status)
{
    static const char *const names[2] = {"bars.png", "bars.svg"};
    (void)context;
    for (int i = 0; i < 2; i++) {
        char path[FAULT_PATH], end[16] = "";
        FILE *file = fopen(fault_path(path, folder, names[i]), "rb");
        FAULT_CHECK(file != NULL);
        FAULT_CHECK(fseek(file, 0, SEEK_END) == 0);
        long length = ftell(file);
        FAULT_CHECK(length == 3 || length > 1000);
        FAULT_CHECK(status != WICK_OK || length > 1000);
        if (length > 1000) {
            FAULT_CHECK(fseek(file, i == 0 ? -8 : -7, SEEK_END) == 0);
            FAULT_CHECK(fread(end, 1, 8, file) > 0);
            FAULT_CHECK(memcmp(end, i == 0 ? "IEND" : "</svg>\n", i == 0 ? 4 : 7) == 0);
        }
        fclose(file);
    }
}

const fault_scenario fault_scenarios[] = {
    {.name = "results", .run = run_results, .memory_only = true},
    {.name = "images", .run = run_images, .memory_only = true},
    {.name = "save", .prepare = prepare_old, .run = save, .after = after_save},
    {0},
};

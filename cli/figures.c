#include "figures.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

wick_status figures_need(cli_app *app, cli_figures *figures)
{
    figures->app = app;
    return wick_plotter_new(app->context, &figures->plotter);
}

wick_status figures_open(cli_app *app, bool wanted, cli_figures *figures)
{
    figures->app = app;
    /* Who built wick without figures knows. */
    if (!wanted || !wick_plotter_is_built())
        return WICK_OK;
    wick_status status = figures_need(app, figures);
    if (status != WICK_ENOTSUP)
        return status;
    app_note(app, "no figures: %s", wick_context_message(app->context));
    return WICK_OK;
}

void figures_close(cli_figures *figures)
{
    wick_plotter_free(figures->plotter);
    figures->plotter = NULL;
}

wick_status figures_keep(wick_status drawn, wick_figure *figure, const char *folder, const char *name)
{
    TRY(drawn);
    wick_status status = wick_figure_save_both(figure, folder, name);
    wick_figure_free(figure);
    return status;
}

wick_status figures_keep_as(wick_status drawn, wick_figure *figure, const char *path)
{
    TRY(drawn);
    wick_status status = wick_figure_save(figure, path);
    wick_figure_free(figure);
    return status;
}

static bool ends_with(const char *path, const char *ending)
{
    size_t length = strlen(path), end = strlen(ending);
    return length > end && strcasecmp(path + length - end, ending) == 0;
}

wick_status figures_check_path(cli_app *app, const char *flag, const char *path)
{
    if (ends_with(path, ".png") || ends_with(path, ".svg"))
        return WICK_OK;
    return app_usage(app, "%s must name a file that ends in .png or .svg, not '%s'", flag, path);
}

wick_status figures_confusion(const wick_dataset *dataset, const wick_tensor *logits, cli_app *app,
                              wick_tensor **confusion)
{
    int64_t count = wick_dataset_count(dataset);
    wick_tensor *labels = NULL, *predictions = NULL;
    wick_status status =
        wick_tensor_from(app->context, WICK_INT64, 1, &count, wick_dataset_labels(dataset), &labels);
    if (status == WICK_OK)
        status = wick_tensor_argmax(logits, &predictions);
    if (status == WICK_OK)
        status =
            wick_confusion_matrix(labels, predictions, wick_dataset_class_count(dataset), confusion);
    wick_tensor_free(labels);
    wick_tensor_free(predictions);
    return status;
}

wick_curve figures_curve(const char *name, const wick_run *run, const cli_steps *steps)
{
    wick_curve curve = {.name = name,
                        .step_count = steps->losses == NULL ? 0 : steps->count,
                        .step_losses = steps->losses,
                        .step_stride = steps->stride};
    curve.epochs = wick_run_epochs(run, &curve.epoch_count);
    return curve;
}

static wick_status draw_curves(const cli_figures *figures, const wick_run *run, const cli_steps *steps)
{
    char title[256];
    wick_figure *figure;
    const wick_curve curve = figures_curve(wick_run_results(run)->model_name, run, steps);
    const wick_curves_plot plot = {.count = 1, .curves = &curve, .title = title};
    snprintf(title, sizeof(title), "Training of %s", curve.name);
    wick_status drawn = wick_plot_curves(figures->plotter, &plot, &figure);
    return figures_keep(drawn, figure, wick_run_folder(run), "curves");
}

wick_status figures_of_run(const cli_figures *figures, const wick_run *run, const cli_steps *steps,
                           const wick_tensor *confusion)
{
    char title[256];
    wick_figure *figure;
    const wick_confusion_plot plot = {
        .confusion = confusion, .classes = wick_run_get_args(run)->classes, .title = title};
    if (figures->plotter == NULL)
        return WICK_OK;
    TRY(draw_curves(figures, run, steps));
    snprintf(title, sizeof(title), "Confusion matrix of %s", wick_run_results(run)->model_name);
    wick_status drawn = wick_plot_confusion(figures->plotter, &plot, &figure);
    return figures_keep(drawn, figure, wick_run_folder(run), "confusion_matrix");
}

/* The chapter's nine pictures, 5.1 to 5.9, and the curves of its three models, in the notebook's
 * folder. */
#include "notebook.h"

#include <inttypes.h>

enum { GRID = 16, GRID_COLUMNS = 4 };

static bool is_off(const cli_notebook *notebook)
{
    return notebook->figures.plotter == NULL;
}

static wick_status keep(const cli_notebook *notebook, wick_status drawn, wick_figure *figure,
                        const char *name)
{
    return figures_keep(drawn, figure, notebook->folder, name);
}

static wick_status draw_image(const cli_notebook *notebook, const wick_image_plot *plot,
                              const char *name)
{
    wick_figure *figure = NULL;
    wick_status drawn = wick_plot_image(notebook->figures.plotter, plot, &figure);
    return keep(notebook, drawn, figure, name);
}

/* 5.1, 5.2 and 5.5 are of the first image of the training half. */
wick_status notebook_draw_first(cli_notebook *notebook)
{
    wick_tensor *image;
    int64_t label;
    char number[32];
    const wick_dataset *train = notebook->pair.train_data;
    if (is_off(notebook))
        return WICK_OK;
    TRY(wick_dataset_get(train, 0, &image, &label));
    const char *class = wick_dataset_class(train, label);
    snprintf(number, sizeof(number), "%" PRId64, label);
    const wick_image_plot first = {
        .image = image, .title = number, .colormap = WICK_VIRIDIS, .rulers = true, .color_bar = true};
    const wick_image_plot grey = {.image = image, .title = class};
    const wick_image_plot again = {.image = image, .title = class, .rulers = true};
    wick_status status = draw_image(notebook, &first, "5.1-first-image");
    if (status == WICK_OK)
        status = draw_image(notebook, &grey, "5.2-first-image-grey");
    if (status == WICK_OK)
        status = draw_image(notebook, &again, "5.5-first-image-again");
    wick_tensor_free(image);
    return status;
}

/* 5.3 is of random training images: those that torch.randint() draws after torch.manual_seed(). The
 * notebook's own random numbers stay what they are. */
static wick_status draw_grid(const cli_notebook *notebook, wick_generator *generator, wick_tile *tiles,
                             wick_tensor **images)
{
    static const int64_t one[1] = {1};
    const wick_dataset *train = notebook->pair.train_data;
    for (int i = 0; i < GRID; i++) {
        wick_tensor *index;
        int64_t label;
        TRY(wick_randint(notebook->app->context, generator, 0, wick_dataset_count(train), 1, one,
                         &index));
        int64_t at = wick_tensor_i64(index)[0];
        wick_tensor_free(index);
        TRY(wick_dataset_get(train, at, &images[i], &label));
        tiles[i] = (wick_tile){.image = images[i], .label = wick_dataset_class(train, label)};
    }
    wick_figure *figure = NULL;
    const wick_images_plot plot = {.count = GRID, .tiles = tiles, .columns = GRID_COLUMNS};
    wick_status drawn = wick_plot_images(notebook->figures.plotter, &plot, &figure);
    return keep(notebook, drawn, figure, "5.3-random-images");
}

wick_status notebook_draw_grid(cli_notebook *notebook)
{
    wick_tile tiles[GRID];
    wick_tensor *images[GRID] = {NULL};
    wick_generator *generator;
    if (is_off(notebook))
        return WICK_OK;
    TRY(wick_generator_new(notebook->app->context, &generator));
    wick_generator_manual_seed(generator, notebook->seed);
    wick_status status = draw_grid(notebook, generator, tiles, images);
    for (int i = 0; i < GRID; i++)
        wick_tensor_free(images[i]);
    wick_generator_free(generator);
    return status;
}

wick_status notebook_draw_batch_image(cli_notebook *notebook, const wick_tensor *image, int64_t label)
{
    const wick_image_plot plot = {.image = image,
                                  .title = wick_dataset_class(notebook->pair.train_data, label)};
    return is_off(notebook) ? WICK_OK : draw_image(notebook, &plot, "5.4-batch-image");
}

/* 5.6, and the curves. */
wick_status notebook_draw_models(cli_notebook *notebook)
{
    wick_bar bars[MODEL_COUNT];
    wick_curve curves[MODEL_COUNT];
    wick_figure *figure = NULL;
    if (is_off(notebook))
        return WICK_OK;
    for (int i = 0; i < MODEL_COUNT; i++) {
        const cli_training *training = &notebook->models[i];
        const wick_results *results = wick_run_results(training->run);
        bars[i] = (wick_bar){results->model_name, results->model_acc, results->train_time};
        curves[i] = figures_curve(results->model_name, training->run, &training->steps);
    }
    const wick_bars_plot bars_plot = {MODEL_COUNT, bars, "The three models"};
    const wick_curves_plot curves_plot = {MODEL_COUNT, curves, "Training of the three models"};
    wick_status drawn = wick_plot_bars(notebook->figures.plotter, &bars_plot, &figure);
    TRY(keep(notebook, drawn, figure, "5.6-models"));
    drawn = wick_plot_curves(notebook->figures.plotter, &curves_plot, &figure);
    return keep(notebook, drawn, figure, "curves");
}

/* 5.7 and 5.8. */
wick_status notebook_draw_predictions(cli_notebook *notebook, int64_t count, wick_tensor *const *images,
                                      const int64_t *labels, const int64_t *predictions)
{
    wick_tile tiles[SAMPLE_COUNT];
    const wick_dataset *test = notebook->pair.test_data;
    wick_figure *figure = NULL;
    if (is_off(notebook))
        return WICK_OK;
    for (int64_t i = 0; i < count; i++)
        tiles[i] = (wick_tile){.image = images[i],
                               .label = wick_dataset_class(test, labels[i]),
                               .prediction = wick_dataset_class(test, predictions[i]),
                               .right = predictions[i] == labels[i]};
    const wick_image_plot first = {.image = images[0], .title = tiles[0].label, .rulers = true};
    const wick_images_plot plot = {.count = count, .tiles = tiles, .columns = 3};
    TRY(draw_image(notebook, &first, "5.7-test-image"));
    wick_status drawn = wick_plot_images(notebook->figures.plotter, &plot, &figure);
    return keep(notebook, drawn, figure, "5.8-predictions");
}

/* 5.9. */
wick_status notebook_draw_confusion(cli_notebook *notebook)
{
    char title[256];
    wick_figure *figure = NULL;
    const wick_run *run = notebook->models[2].run;
    const wick_confusion_plot plot = {.confusion = notebook->scores.confusion,
                                      .classes = wick_run_get_args(run)->classes,
                                      .title = title};
    if (is_off(notebook))
        return WICK_OK;
    snprintf(title, sizeof(title), "Confusion matrix of %s", wick_run_results(run)->model_name);
    wick_status drawn = wick_plot_confusion(notebook->figures.plotter, &plot, &figure);
    return keep(notebook, drawn, figure, "5.9-confusion-matrix");
}

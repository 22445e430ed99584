/* Pages of a run and of several, and what a model sees. cairo's and pango's own memory is not ours to
 * fail. */
#include "fault.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { IMAGES = 6, CLASSES = 2, SIDE = 4 };

static const char *const classes[CLASSES] = {"<round>", "square"};

static void make_run(wick_context *context, const char *folder, const char *name)
{
    static const wick_epoch epochs[2] = {{0, 1.5, 60, 1.25, 61, 0.5}, {1, 1.25, 70, 1.125, 71, 0.5}};
    const wick_run_args args = {.model = "v0",
                                .hidden_units = 2,
                                .data = "IDX",
                                .image_shape = {1, SIDE, SIDE},
                                .class_count = CLASSES,
                                .classes = classes,
                                .epochs = 2,
                                .batch_size = 32,
                                .lr = 0.1,
                                .seed = 42,
                                .device = "cpu",
                                .threads = 1};
    const wick_results results = {.model_name = "FashionMNISTModelV0",
                                  .model_loss = 1.125,
                                  .model_acc = 71,
                                  .accuracy = 71.5,
                                  .train_time = 1,
                                  .device = "cpu",
                                  .threads = 1,
                                  .seed = 42};
    char path[FAULT_PATH];
    wick_run *run;
    FAULT_MUST(wick_run_create(context, fault_path(path, folder, name), false, &args, &run));
    FAULT_MUST(wick_run_add_epoch(run, &epochs[0]));
    FAULT_MUST(wick_run_add_epoch(run, &epochs[1]));
    FAULT_MUST(wick_run_finish(run, &results));
    wick_run_free(run);
}

static void prepare_runs(wick_context *context, const char *folder)
{
    make_run(context, folder, "one");
    make_run(context, folder, "two");
    fault_write(folder, "one/report.html", "old", 3);
    fault_write(folder, "report.html", "old", 3);
}

/* The page is the old one or a whole new one. */
static void check_page(const char *folder, const char *name, wick_status status)
{
    static const char end[] = "</html>\n";
    char path[FAULT_PATH], last[sizeof(end)] = "";
    FILE *file = fopen(fault_path(path, folder, name), "rb");
    FAULT_CHECK(file != NULL);
    FAULT_CHECK(fseek(file, 0, SEEK_END) == 0);
    long length = ftell(file);
    FAULT_CHECK(length == 3 || length > 1000);
    FAULT_CHECK(status != WICK_OK || length > 1000);
    if (length > 1000) {
        FAULT_CHECK(fseek(file, -(long)strlen(end), SEEK_END) == 0);
        FAULT_CHECK(fread(last, 1, strlen(end), file) == strlen(end));
        FAULT_CHECK(strcmp(last, end) == 0);
    }
    fclose(file);
}

/* ---- one run ---- */

/* Six images, of which one is taken for what it is not. */
static wick_status make_data(wick_context *context, wick_dataset **data, wick_tensor **logits)
{
    static const int64_t labels[IMAGES] = {0, 1, 0, 1, 0, 1}, shape[2] = {IMAGES, CLASSES};
    static const float rows[IMAGES * CLASSES] = {2, 0, 0, 2, 0, 3, 0, 2, 2, 0, 0, 2};
    uint8_t pixels[IMAGES * SIDE * SIDE];
    wick_status status;
    memset(pixels, 99, sizeof(pixels));
    FAULT_TRY(wick_dataset_from(context, IMAGES, 1, SIDE, SIDE, pixels, labels, CLASSES, classes, data));
    FAULT_TRY(wick_tensor_from(context, WICK_FLOAT32, 2, shape, rows, logits));
out:
    return status;
}

static wick_status run_page(wick_context *context, const char *folder)
{
    static const float losses[4] = {2, 1.5f, 1, 0.5f};
    char path[FAULT_PATH];
    wick_report report = {.step_losses = losses, .step_count = 4};
    wick_run *run = NULL;
    wick_dataset *data = NULL;
    wick_tensor *logits = NULL;
    wick_status status;
    FAULT_TRY(wick_run_open(context, fault_path(path, folder, "one"), &run));
    FAULT_TRY(make_data(context, &data, &logits));
    report.run = run;
    report.data = data;
    report.logits = logits;
    FAULT_TRY(wick_report_write(context, &report, fault_path(path, folder, "one/report.html")));
out:
    wick_tensor_free(logits);
    wick_dataset_free(data);
    wick_run_free(run);
    return status;
}

static void after_page(wick_context *context, const char *folder, wick_status status)
{
    (void)context;
    check_page(folder, "one/report.html", status);
}

/* ---- several ---- */

static wick_status run_compare(wick_context *context, const char *folder)
{
    static const char *const names[2] = {"one", "two"};
    char path[FAULT_PATH];
    wick_run *runs[2] = {NULL, NULL};
    wick_report reports[2] = {{0}, {0}};
    wick_status status;
    for (int i = 0; i < 2; i++) {
        FAULT_TRY(wick_run_open(context, fault_path(path, folder, names[i]), &runs[i]));
        reports[i].run = runs[i];
    }
    FAULT_TRY(wick_report_compare(context, 2, reports, fault_path(path, folder, "report.html")));
out:
    wick_run_free(runs[0]);
    wick_run_free(runs[1]);
    return status;
}

static void after_compare(wick_context *context, const char *folder, wick_status status)
{
    (void)context;
    check_page(folder, "report.html", status);
}

/* ---- what a model sees ---- */

enum { MOST_LAYERS = 4 };

typedef struct seen_layers {
    wick_explain_layer layers[MOST_LAYERS];
    int64_t count;
} seen_layers;

static wick_status keep(void *user, const char *path, const wick_module *layer,
                        const wick_tensor *output)
{
    seen_layers *seen = user;
    wick_tensor *copy;
    (void)path;
    wick_status status = wick_tensor_clone(output, &copy);
    if (status == WICK_OK)
        seen->layers[seen->count++] = (wick_explain_layer){"layer", wick_module_class_name(layer), copy};
    return status;
}

static wick_status draw(wick_context *context, const wick_tensor *image, const seen_layers *seen)
{
    static const float chances[CLASSES] = {0.25f, 0.75f};
    static const int64_t shape[1] = {CLASSES}, plane[2] = {SIDE, SIDE};
    wick_plotter *plotter = NULL;
    wick_figure *figure = NULL;
    wick_tensor *probabilities = NULL, *picture = NULL;
    wick_status status;
    FAULT_TRY(wick_tensor_from(context, WICK_FLOAT32, 1, shape, chances, &probabilities));
    FAULT_TRY(wick_tensor_from(context, WICK_FLOAT32, 2, plane, wick_tensor_cdata(image), &picture));
    const wick_explain_plot plot = {.image = picture,
                                    .layer_count = seen->count,
                                    .layers = seen->layers,
                                    .kernels = image,
                                    .probabilities = probabilities,
                                    .classes = classes,
                                    .truth = 1};
    FAULT_TRY(wick_plotter_new(context, &plotter));
    FAULT_TRY(wick_plot_explain(plotter, &plot, &figure));
out:
    wick_figure_free(figure);
    wick_plotter_free(plotter);
    wick_tensor_free(picture);
    wick_tensor_free(probabilities);
    return status;
}

static wick_status run_explain(wick_context *context, const char *folder)
{
    static const int64_t shape[4] = {1, 1, SIDE, SIDE}, image_shape[3] = {1, SIDE, SIDE};
    seen_layers seen = {.count = 0};
    wick_module *model = NULL;
    wick_tensor *image = NULL;
    wick_status status;
    (void)folder;
    FAULT_TRY(wick_model_by_name(context, "v2", image_shape, 1, CLASSES, &model));
    wick_module_free(model);
    model = NULL;
    FAULT_TRY(wick_model_by_name(context, "v0", image_shape, 2, CLASSES, &model));
    FAULT_TRY(wick_rand(context, NULL, 4, shape, &image));
    FAULT_TRY(wick_module_activations(model, image, keep, &seen));
    FAULT_CHECK(seen.count == 3);
    FAULT_TRY(draw(context, image, &seen));
out:
    for (int64_t i = 0; i < seen.count; i++)
        wick_tensor_free((wick_tensor *)seen.layers[i].output);
    wick_tensor_free(image);
    wick_module_free(model);
    return status;
}

const fault_scenario fault_scenarios[] = {
    {.name = "page", .prepare = prepare_runs, .run = run_page, .after = after_page, .may_survive = true},
    {.name = "compare",
     .prepare = prepare_runs,
     .run = run_compare,
     .after = after_compare,
     .may_survive = true},
    {.name = "explain", .run = run_explain, .memory_only = true},
    {0},
};

#include "notebook.h"
#include "python.h"

#include <inttypes.h>
#include <stdlib.h>

wick_status notebook_compare(cli_notebook *notebook, char **table)
{
    const wick_results *results[MODEL_COUNT];
    for (int i = 0; i < MODEL_COUNT; i++)
        results[i] = wick_run_results(notebook->models[i].run);
    notebook_section(notebook, "8. Compare model results and training time");
    TRY(wick_compare_format(notebook->app->context, MODEL_COUNT, results, table));
    say(notebook->app, "%s", *table);
    return notebook_draw_models(notebook);
}

/* ---- 9: predictions ---- */

/* Some test images by chance, each once (random.sample(list(test_data), k=9)), with their labels. */
typedef struct test_samples {
    wick_tensor *images[SAMPLE_COUNT];
    int64_t labels[SAMPLE_COUNT];
    int64_t count;
} test_samples;

static void samples_release(test_samples *samples)
{
    for (int64_t i = 0; i < samples->count; i++)
        wick_tensor_free(samples->images[i]);
}

static wick_status take_samples(const cli_notebook *notebook, test_samples *samples)
{
    wick_tensor *order;
    int64_t there = wick_dataset_count(notebook->pair.test_data);
    wick_manual_seed(notebook->app->context, notebook->seed);
    TRY(wick_randperm(notebook->app->context, NULL, there, &order));
    wick_status status = WICK_OK;
    while (status == WICK_OK && samples->count < SAMPLE_COUNT && samples->count < there) {
        int64_t i = samples->count;
        status = wick_dataset_get(notebook->pair.test_data, wick_tensor_i64(order)[i],
                                  &samples->images[i], &samples->labels[i]);
        samples->count += status == WICK_OK;
    }
    wick_tensor_free(order);
    return status;
}

/* The first rows of a matrix. */
static wick_status print_rows(const cli_notebook *notebook, const wick_tensor *matrix, int64_t rows)
{
    wick_tensor *head;
    const int64_t shape[2] = {rows, wick_tensor_size(matrix, 1)};
    TRY(wick_tensor_from(notebook->app->context, WICK_FLOAT32, 2, shape, wick_tensor_cdata(matrix),
                         &head));
    wick_status status = say_tensor(notebook->app, "", head, 0, "\n");
    wick_tensor_free(head);
    return status;
}

static wick_status print_predictions(cli_notebook *notebook, const test_samples *samples,
                                     const wick_tensor *probabilities)
{
    const cli_app *app = notebook->app;
    wick_tensor *classes;
    char size[SIZE_TEXT];
    say(app, "%s\n\n", python_tensor_size(samples->images[0], size));
    TRY(print_rows(notebook, probabilities, samples->count < 2 ? samples->count : 2));
    TRY(wick_tensor_argmax(probabilities, &classes));
    wick_status status = say_tensor(app, "\n", classes, 0, "\n\n");
    for (int64_t i = 0; i < samples->count; i++)
        say(app, "%s%" PRId64, i == 0 ? "[" : ", ", samples->labels[i]);
    say(app, "]\n\n");
    for (int64_t i = 0; i < samples->count; i++)
        say(app, "Pred: %s | Truth: %s\n",
            wick_dataset_class(notebook->pair.test_data, wick_tensor_i64(classes)[i]),
            wick_dataset_class(notebook->pair.test_data, samples->labels[i]));
    if (status == WICK_OK)
        status = notebook_draw_predictions(notebook, samples->count, samples->images, samples->labels,
                                           wick_tensor_i64(classes));
    wick_tensor_free(classes);
    return status;
}

wick_status notebook_predict(cli_notebook *notebook)
{
    test_samples samples = {.count = 0};
    wick_tensor *batch = NULL, *probabilities = NULL;
    wick_status status;
    notebook_section(notebook, "9. Make and evaluate random predictions with best model");
    GOTO_OUT(take_samples(notebook, &samples));
    GOTO_OUT(wick_tensor_stack(samples.images, samples.count, &batch));
    GOTO_OUT(wick_make_predictions(notebook->models[2].model, batch, &probabilities));
    GOTO_OUT(print_predictions(notebook, &samples, probabilities));
out:
    wick_tensor_free(batch);
    wick_tensor_free(probabilities);
    samples_release(&samples);
    return status;
}

/* ---- 10: the confusion matrix ---- */

static wick_status print_head(const cli_notebook *notebook, const wick_tensor *predictions)
{
    wick_tensor *head;
    int64_t count = wick_tensor_numel(predictions);
    say(notebook->app, "\n%" PRId64 "\n", count);
    count = count < 10 ? count : 10;
    TRY(wick_tensor_from(notebook->app->context, WICK_INT64, 1, &count, wick_tensor_cdata(predictions),
                         &head));
    wick_status status = say_tensor(notebook->app, "\n", head, 0, "\n");
    wick_tensor_free(head);
    return status;
}

static int64_t trace(const wick_tensor *matrix)
{
    int64_t sum = 0, size = wick_tensor_size(matrix, 0);
    for (int64_t i = 0; i < size; i++)
        sum += ((const int64_t *)wick_tensor_cdata(matrix))[i * size + i];
    return sum;
}

wick_status notebook_confusion(cli_notebook *notebook)
{
    const cli_app *app = notebook->app;
    const wick_dataset *test = notebook->pair.test_data;
    cli_scores *scores = &notebook->scores;
    wick_tensor *labels;
    int64_t count = wick_dataset_count(test);
    notebook_section(notebook, "10. Making a confusion matrix for further prediction evaluation");
    TRY(wick_tensor_from(app->context, WICK_INT64, 1, &count, wick_dataset_labels(test), &labels));
    wick_status status =
        class_scores_make(notebook->app, test, notebook->models[2].logits, labels, scores);
    wick_tensor_free(labels);
    TRY(status);
    TRY(say_tensor(app, "", scores->predictions, 0, "\n"));
    TRY(print_head(notebook, scores->predictions));
    TRY(say_targets(app, "\n", test));
    say(app, "\nConfusion matrix (rows: the truth, columns: the prediction)\n");
    say_confusion(app, scores);
    say(app, "\nOn its diagonal: %" PRId64 " of %" PRId64 ", an accuracy of %.2f%%\n\n",
        trace(scores->confusion), count, wick_run_results(notebook->models[2].run)->accuracy);
    say_class_report(app, scores);
    return notebook_draw_confusion(notebook);
}

/* ---- 11: saving and loading ---- */

/* Evaluates the reloaded model as section 4 evaluates model 0. */
static wick_status evaluate(cli_notebook *notebook, wick_module *model, wick_metrics *metrics)
{
    wick_loss *loss_fn;
    wick_manual_seed(notebook->app->context, notebook->seed);
    TRY(wick_cross_entropy_loss(notebook->app->context, &loss_fn));
    wick_status status =
        wick_eval_model(model, notebook->pair.test_loader, loss_fn, NULL, metrics, NULL, NULL);
    wick_loss_free(loss_fn);
    return status;
}

static wick_status print_reloaded(cli_notebook *notebook, wick_module *model)
{
    const cli_app *app = notebook->app;
    const wick_results *results = wick_run_results(notebook->models[2].run);
    wick_metrics metrics;
    char *text;
    TRY(wick_module_format(model, &text));
    say(app, "%s\n\n", text);
    wick_free(text);
    TRY(evaluate(notebook, model, &metrics));
    say_model_results(app, wick_module_class_name(model), (double)metrics.loss, metrics.accuracy);
    say(app, "\n");
    say_model_results(app, results->model_name, results->model_loss, results->model_acc);
    notebook->reloaded_close = wick_isclose(results->model_loss, (double)metrics.loss, 1e-5, 1e-2);
    bool same = (double)metrics.loss == results->model_loss && metrics.accuracy == results->model_acc;
    say(app, "\ntensor(%s)\n", notebook->reloaded_close ? "True" : "False");
    say(app, "Equal to the last digit: %s\n", same ? "True" : "False");
    return same ? WICK_OK
                : app_fail(notebook->app, WICK_EFORMAT,
                           "the reloaded model gives other results than the saved one");
}

wick_status notebook_reload(cli_notebook *notebook)
{
    wick_run *run = notebook->models[2].run;
    wick_module *model;
    char *path;
    notebook_section(notebook, "11. Save and load best performing model");
    TRY(wick_run_path(run, "model.pth", &path));
    say(notebook->app, "Saving model to: %s\n\n", path);
    wick_free(path);
    TRY(wick_run_save_model(run, notebook->models[2].model));
    wick_manual_seed(notebook->app->context, notebook->seed);
    TRY(wick_run_load_model(run, &model));
    wick_status status = print_reloaded(notebook, model);
    wick_module_free(model);
    return status;
}

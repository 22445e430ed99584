#include "training.h"

#include "output_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKED_EVERY = 400 };

const cli_style style_model_0 = {.rule = "------", .looked_at = true, .one_line = true};
const cli_style style_model_1 = {.rule = "----------"};
const cli_style style_model_2 = {.rule = "-------"};
const cli_style style_train = {.rule = "-------", .looked_at = true};

/* What the callback of a loop needs. */
typedef struct loop_watch {
    const cli_app *app;
    cli_training *training;
    const cli_pair *pair;
    bool looked_at, log;
} loop_watch;

static void on_batch(void *user, int64_t batch, int64_t batches, float loss)
{
    const loop_watch *watch = user;
    if (watch->log)
        fprintf(watch->training->log, "%.9g\n", (double)loss);
    if (watch->looked_at && batch % LOOKED_EVERY == 0) {
        bar_clear(&watch->training->bar);
        say(watch->app, "Looked at %" PRId64 "/%" PRId64 " samples.\n",
            batch * wick_loader_batch_size(watch->pair->train_loader),
            wick_dataset_count(watch->pair->train_data));
        fflush(stdout);
    }
    bar_update(&watch->training->bar, batch + 1, batches);
}

/* The full path of a folder, so that the run can be read from anywhere; else the text as it is. */
static wick_status full_path(cli_app *app, const char *text, char **out)
{
    *out = text == NULL ? NULL : is_folder(text) ? realpath(text, NULL) : strdup(text);
    if (text != NULL && *out == NULL)
        return app_fail(app, WICK_EIO, "%s: %s", text, strerror(errno));
    return WICK_OK;
}

static wick_status fill_classes(cli_app *app, cli_training *training, const wick_dataset *dataset)
{
    wick_run_args *args = &training->args;
    args->class_count = wick_dataset_class_count(dataset);
    training->classes = calloc((size_t)args->class_count, sizeof(*training->classes));
    if (training->classes == NULL)
        return app_fail(app, WICK_ENOMEM, "out of memory");
    for (int64_t i = 0; i < args->class_count; i++)
        training->classes[i] = wick_dataset_class(dataset, i);
    args->classes = training->classes;
    return WICK_OK;
}

wick_status training_use_data(cli_app *app, cli_training *training, const cli_data_args *data,
                              const cli_pair *pair)
{
    wick_run_args *args = &training->args;
    TRY(full_path(app, data->data, &training->data));
    TRY(full_path(app, data->data_dir, &training->data_dir));
    args->data = training->data;
    args->data_dir = training->data_dir;
    args->limit = data->limit;
    args->batch_size = data->batch_size;
    memcpy(args->image_shape, wick_dataset_image_shape(pair->train_data), sizeof(args->image_shape));
    return fill_classes(app, training, pair->train_data);
}

wick_status training_begin(cli_app *app, cli_training *training)
{
    const wick_run_args *args = &training->args;
    const wick_sgd_options sgd = {.lr = args->lr};
    bar_init(&training->bar);
    wick_manual_seed(app->context, args->seed);
    TRY(wick_model_by_name(app->context, args->model, args->image_shape, args->hidden_units,
                           args->class_count, &training->model));
    TRY(wick_cross_entropy_loss(app->context, &training->loss_fn));
    return wick_sgd(training->model, &sgd, &training->optimizer);
}

static void say_epoch(const cli_app *app, const cli_style *style, const wick_metrics *train,
                      const wick_metrics *test)
{
    if (style->one_line)
        say(app, "\nTrain loss: %.4f | Test loss: %.4f, Test acc: %.4f\n", (double)train->loss,
            (double)test->loss, test->accuracy);
    else
        say(app, "Train loss: %.5f | Train acc: %.2f%%\nTest loss: %.5f | Test acc: %.2f%%\n\n",
            (double)train->loss, train->accuracy, (double)test->loss, test->accuracy);
    fflush(stdout);
}

static wick_status run_epoch(cli_app *app, cli_training *training, const cli_pair *pair,
                             const cli_style *style, int64_t number)
{
    wick_metrics train, test;
    char label[64];
    loop_watch watch = {app, training, pair, style->looked_at, training->log != NULL};
    const wick_progress progress = {on_batch, &watch};
    double start = wick_timer();
    say(app, "Epoch: %" PRId64 "\n%s\n", number, style->rule);
    snprintf(label, sizeof(label), "Epoch %" PRId64 ", training", number);
    bar_start(&training->bar, label, "it");
    TRY(wick_train_step(training->model, pair->train_loader, training->loss_fn, training->optimizer,
                        &progress, &train));
    watch.looked_at = watch.log = false;
    snprintf(label, sizeof(label), "Epoch %" PRId64 ", testing", number);
    bar_start(&training->bar, label, "it");
    TRY(wick_test_step(training->model, pair->test_loader, training->loss_fn, &progress, &test));
    bar_clear(&training->bar);
    const wick_epoch epoch = {number,        (double)train.loss,  train.accuracy, (double)test.loss,
                              test.accuracy, wick_timer() - start};
    training->train_time += epoch.seconds;
    say_epoch(app, style, &train, &test);
    TRY(wick_run_save_model(training->run, training->model));
    return wick_run_add_epoch(training->run, &epoch);
}

/* What is on disk when an epoch did not come to its end. */
static wick_status interrupted(cli_app *app, const cli_training *training, int64_t epoch)
{
    if (epoch == 0)
        return app_fail(app, WICK_EINTR,
                        "interrupted before the end of the first epoch; %s holds no model",
                        wick_run_folder(training->run));
    return app_fail(app, WICK_EINTR, "interrupted; %s holds the model as it was after epoch %" PRId64,
                    wick_run_folder(training->run), epoch - 1);
}

wick_status training_run(cli_app *app, cli_training *training, const cli_pair *pair,
                         const cli_style *style)
{
    wick_manual_seed(app->context, training->args.seed);
    for (int64_t epoch = 0; epoch < training->args.epochs; epoch++) {
        wick_status status = run_epoch(app, training, pair, style, epoch);
        bar_clear(&training->bar);
        if (status == WICK_EINTR)
            return interrupted(app, training, epoch);
        TRY(status);
    }
    say(app, "Train time on %s: %.3f seconds\n", wick_context_device(app->context),
        training->train_time);
    return WICK_OK;
}

wick_status training_finish(cli_app *app, cli_training *training, const cli_pair *pair)
{
    wick_metrics metrics;
    loop_watch watch = {.app = app, .training = training, .pair = pair};
    const wick_progress progress = {on_batch, &watch};
    wick_manual_seed(app->context, training->args.seed);
    bar_start(&training->bar, "Evaluating", "it");
    wick_status status = wick_eval_model(training->model, pair->test_loader, training->loss_fn,
                                         &progress, &metrics, &training->logits, NULL);
    bar_clear(&training->bar);
    if (status == WICK_EINTR)
        return app_fail(app, status, "interrupted; %s holds the trained model, but no results.json",
                        wick_run_folder(training->run));
    TRY(status);
    const wick_results results = {
        .model_name = wick_module_class_name(training->model),
        .model_loss = (double)metrics.loss,
        .model_acc = metrics.accuracy,
        .accuracy = 100.0 * (double)metrics.correct / (double)metrics.count,
        .train_time = training->train_time,
        .device = wick_context_device(app->context),
        .threads = wick_context_threads(app->context),
        .seed = training->args.seed,
        .parameters = wick_module_parameter_count(training->model),
    };
    return wick_run_finish(training->run, &results);
}

void training_release(cli_training *training)
{
    wick_tensor_free(training->logits);
    wick_optimizer_free(training->optimizer);
    wick_loss_free(training->loss_fn);
    wick_module_free(training->model);
    wick_run_free(training->run);
    free(training->classes);
    free(training->data);
    free(training->data_dir);
    training->data = training->data_dir = NULL;
    training->classes = NULL;
    training->logits = NULL;
    training->optimizer = NULL;
    training->loss_fn = NULL;
    training->model = NULL;
    training->run = NULL;
}

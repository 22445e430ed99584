#include "training.h"

#include "output_files.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
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
    cli_step_log *log; /* or NULL */
    bool looked_at;
} loop_watch;

static void on_batch(void *user, int64_t batch, int64_t batches, float loss)
{
    const loop_watch *watch = user;
    if (watch->log != NULL) {
        step_log_add(watch->log, loss);
        steps_add(&watch->training->steps, loss);
    }
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
    args->test_fraction = data->test_fraction;
    args->skip_broken = data->skip_broken;
    args->resized = data->resized || data->image_size != NULL || data->channels != NULL;
    args->augment = data->augment;
    args->normalized = pair->normalized;
    memcpy(args->mean, pair->mean, sizeof(args->mean));
    memcpy(args->std, pair->std, sizeof(args->std));
    args->batch_size = data->batch_size;
    memcpy(args->image_shape, wick_dataset_image_shape(pair->train_data), sizeof(args->image_shape));
    return fill_classes(app, training, pair->train_data);
}

/* A model from text stands in args.json as it prints: there is then no file or size to look for again. */
static wick_status make_model(cli_app *app, cli_training *training)
{
    wick_run_args *args = &training->args;
    if (training->choice.model == NULL)
        return wick_model_by_name(app->context, args->model, args->image_shape, args->hidden_units,
                                  args->class_count, &training->model);
    TRY(model_make(app, &training->choice, args->image_shape, args->hidden_units, args->class_count,
                   &training->model));
    args->model = training->choice.model;
    if (!wick_model_is_text(args->model))
        return WICK_OK;
    TRY(wick_module_format(training->model, &training->printed));
    args->model = training->printed;
    return WICK_OK;
}

wick_status training_begin(cli_app *app, cli_training *training, const cli_pair *pair)
{
    const wick_run_args *args = &training->args;
    bar_init(&training->bar);
    wick_manual_seed(app->context, args->seed);
    TRY(make_model(app, training));
    wick_status status =
        wick_train_options_loss(&args->how, app->context, args->class_count, &training->loss_fn);
    if (status == WICK_OK)
        status =
            wick_train_options_optimizer(&args->how, training->model, args->lr, &training->optimizer);
    if (status == WICK_OK)
        status = wick_train_options_tta(&args->how, training->model);
    if (status == WICK_OK)
        status = wick_train_options_apply(&args->how, training->optimizer, args->epochs,
                                          wick_loader_length(pair->train_loader));
    /* Of a run from its beginning the options are those of the command line. */
    return status == WICK_EINVAL && training->run == NULL ? app_blame_usage(app, status) : status;
}

static void say_epoch(const cli_app *app, const cli_style *style, bool validation,
                      const wick_metrics *train, const wick_metrics *test)
{
    const char *half = validation ? "Validation" : "Test";
    if (style->one_line)
        say(app, "\nTrain loss: %.4f | Test loss: %.4f, Test acc: %.4f\n", (double)train->loss,
            (double)test->loss, test->accuracy);
    else
        say(app, "Train loss: %.5f | Train acc: %.2f%%\n%s loss: %.5f | %s acc: %.2f%%\n\n",
            (double)train->loss, train->accuracy, half, (double)test->loss, half, test->accuracy);
    fflush(stdout);
}

/* ---- checkpoints ---- */

static wick_training state_of(const cli_training *training, const cli_pair *pair)
{
    return (wick_training){.model = training->model,
                           .optimizer = training->optimizer,
                           .loader = pair->train_loader,
                           .epoch = training->epoch,
                           .pass = training->pass};
}

int64_t training_steps(const cli_training *training, const cli_pair *pair)
{
    return training->epoch * wick_loader_length(pair->train_loader) + training->pass.batches;
}

/* What the losses are written to may fail; the checkpoint is saved all the same. */
static wick_status save_checkpoint(cli_app *app, cli_training *training, const cli_pair *pair)
{
    const wick_training state = state_of(training, pair);
    wick_status log_status = step_log_sync(app, &training->log);
    wick_status steps_status = steps_save(app, training->run, &training->steps);
    wick_status status = wick_run_save_checkpoint(training->run, &state);
    training->checkpoints.last = wick_timer();
    TRY(log_status);
    TRY(steps_status);
    return status;
}

wick_status training_resume(cli_app *app, cli_training *training, const cli_pair *pair)
{
    wick_training state = state_of(training, pair);
    const char *folder = wick_run_folder(training->run);
    wick_status status = wick_run_load_checkpoint(training->run, &state);
    if (status == WICK_ENOENT) {
        say(app, "%s has no checkpoint yet: from the beginning\n", folder);
        return WICK_OK;
    }
    TRY(status);
    training->epoch = state.epoch;
    training->pass = state.pass;
    say(app, "%s: from epoch %" PRId64 ", step %" PRId64 " of %" PRId64 "\n", folder, state.epoch,
        state.pass.batches, wick_loader_length(pair->train_loader));
    return WICK_OK;
}

/* How many steps there are until it is to be looked whether a checkpoint is due; 0: all of the epoch. */
static int64_t steps_in_one(const cli_training *training, const cli_pair *pair)
{
    const cli_checkpoints *checkpoints = &training->checkpoints;
    if (checkpoints->every_steps > 0)
        return checkpoints->every_steps - training_steps(training, pair) % checkpoints->every_steps;
    return checkpoints->every_seconds > 0 ? 1 : 0;
}

static bool is_due(const cli_training *training, const cli_pair *pair)
{
    const cli_checkpoints *checkpoints = &training->checkpoints;
    if (checkpoints->every_steps > 0)
        return training_steps(training, pair) % checkpoints->every_steps == 0;
    return checkpoints->every_seconds > 0 &&
           wick_timer() - checkpoints->last >= checkpoints->every_seconds;
}

/* ---- epochs ---- */

/* train_step(), or what is left of it. */
static wick_status train_epoch(cli_app *app, cli_training *training, const cli_pair *pair,
                               const wick_progress *progress)
{
    do {
        TRY(wick_train_part(training->model, pair->train_loader, training->loss_fn, training->optimizer,
                            progress, steps_in_one(training, pair), &training->pass));
        if (is_due(training, pair))
            TRY(save_checkpoint(app, training, pair));
    } while (training->pass.batches < wick_loader_length(pair->train_loader));
    return WICK_OK;
}

/* test_step(). One that does not come to its end has drawn nothing: a resumed run does it anew. */
static wick_status test_epoch(cli_app *app, cli_training *training, const cli_pair *pair,
                              const wick_progress *progress, wick_metrics *metrics)
{
    uint8_t state[WICK_GENERATOR_STATE_SIZE];
    wick_generator *generator = wick_default_generator(app->context);
    wick_generator_get_state(generator, state);
    wick_loader *loader = pair->valid_loader != NULL ? pair->valid_loader : pair->test_loader;
    wick_status status = wick_test_step(training->model, loader, training->loss_fn, progress, metrics);
    if (status == WICK_EINTR)
        TRY(wick_generator_set_state(generator, state));
    return status;
}

static bool keeps_best(const cli_training *training)
{
    const char *keep = training->args.how.keep;
    return keep != NULL && strcmp(keep, "best") == 0;
}

/* The epoch so far that was best on the validation part: the most accurate, of equals the one with the least loss, of
 * equals the first. -1 before there is one. */
static int64_t best_epoch(const cli_training *training)
{
    int64_t count, best = -1;
    const wick_epoch *epochs = wick_run_epochs(training->run, &count);
    for (int64_t i = 0; i < count; i++)
        if (best < 0 || epochs[i].test_acc > epochs[best].test_acc ||
            (epochs[i].test_acc == epochs[best].test_acc &&
             epochs[i].test_loss < epochs[best].test_loss))
            best = i;
    return best;
}

static bool is_better(const cli_training *training, const wick_metrics *metrics)
{
    int64_t count, best = best_epoch(training);
    const wick_epoch *epochs = wick_run_epochs(training->run, &count);
    return best < 0 || metrics->accuracy > epochs[best].test_acc ||
           (metrics->accuracy == epochs[best].test_acc &&
            (double)metrics->loss < epochs[best].test_loss);
}

static bool out_of_patience(const cli_training *training)
{
    int64_t count;
    (void)wick_run_epochs(training->run, &count);
    return training->args.how.patience > 0 &&
           count - 1 - best_epoch(training) >= training->args.how.patience;
}

/* A network whose outputs tell nothing apart has the loss of a guess, and no gradient leads away from there. In the last
 * epoch, what is no better than a guess has not learnt, whatever its loss. */
static bool is_dead(const cli_training *training, const cli_pair *pair, const wick_metrics *train,
                    const wick_metrics *test)
{
    enum { STEPS = 200, LAST_STEPS = 60 };
    const double classes = (double)training->args.class_count, guess = log(classes);
    const int64_t steps = wick_loader_length(pair->train_loader);
    if (classes < 2 || test->accuracy > 150.0 / classes || (double)train->loss < 0.995 * guess)
        return false;
    if (training->epoch + 1 == training->args.epochs && training->args.epochs * steps >= LAST_STEPS)
        return true;
    return steps >= STEPS && (double)train->loss < 1.02 * guess;
}

static void warn_of_a_dead_network(const cli_app *app, cli_training *training, const cli_pair *pair,
                                   const wick_metrics *train, const wick_metrics *test)
{
    if (training->warned || !is_dead(training, pair, train, test))
        return;
    training->warned = true;
    app_note(
        app,
        "epoch %" PRId64 ": the network does not learn: its loss is %.4g, that of a guess among %" PRId64
        " classes %.3f, "
        "and its accuracy %.1f%%; try a lower or a higher --lr, another --seed, or --optimizer adam",
        training->epoch, (double)train->loss, training->args.class_count,
        log((double)training->args.class_count), test->accuracy);
}

/* Tests the model and saves it as model.pth: with an average of the weights that is what is tested and saved. */
static wick_status test_and_save(cli_app *app, cli_training *training, const cli_pair *pair,
                                 const cli_style *style, const wick_progress *progress,
                                 wick_metrics *metrics)
{
    const bool average = training->args.how.ema != 0;
    if (average)
        TRY(wick_optimizer_swap_average(training->optimizer));
    wick_status status = test_epoch(app, training, pair, progress, metrics);
    bar_clear(&training->bar);
    if (status == WICK_OK) {
        const wick_metrics train = wick_pass_metrics(&training->pass);
        say_epoch(app, style, pair->valid_loader != NULL, &train, metrics);
    }
    if (status == WICK_OK && (!keeps_best(training) || is_better(training, metrics)))
        status = wick_run_save_model(training->run, training->model);
    wick_status back = average ? wick_optimizer_swap_average(training->optimizer) : WICK_OK;
    return status == WICK_OK ? back : status;
}

static wick_status run_epoch(cli_app *app, cli_training *training, const cli_pair *pair,
                             const cli_style *style)
{
    wick_metrics test;
    char label[64];
    loop_watch watch = {app, training, pair, &training->log, style->looked_at};
    const wick_progress progress = {on_batch, &watch};
    const int64_t number = training->epoch;
    say(app, "Epoch: %" PRId64 "\n%s\n", number, style->rule);
    snprintf(label, sizeof(label), "Epoch %" PRId64 ", training", number);
    bar_start(&training->bar, label, "it");
    training->bar.from = training->pass.batches;
    TRY(train_epoch(app, training, pair, &progress));
    watch.looked_at = false;
    watch.log = NULL;
    snprintf(label, sizeof(label), "Epoch %" PRId64 ", testing", number);
    bar_start(&training->bar, label, "it");
    TRY(test_and_save(app, training, pair, style, &progress, &test));
    bar_clear(&training->bar);
    const wick_metrics train = wick_pass_metrics(&training->pass);
    const wick_epoch epoch = {number,
                              (double)train.loss,
                              train.accuracy,
                              (double)test.loss,
                              test.accuracy,
                              train.seconds + test.seconds,
                              pair->valid_loader != NULL};
    warn_of_a_dead_network(app, training, pair, &train, &test);
    TRY(wick_run_add_epoch(training->run, &epoch));
    training->epoch++;
    training->pass = (wick_pass){0};
    return WICK_OK;
}

/* Keeps what there is, and says how to go on. */
static wick_status interrupted(cli_app *app, cli_training *training, const cli_pair *pair)
{
    const char *folder = wick_run_folder(training->run);
    if (training->checkpoints.kept) {
        TRY(save_checkpoint(app, training, pair));
        return app_fail(app, WICK_EINTR, "interrupted; 'wick train --resume %s' goes on from here",
                        folder);
    }
    if (training->epoch == 0)
        return app_fail(app, WICK_EINTR,
                        "interrupted before the end of the first epoch; %s holds no model", folder);
    return app_fail(app, WICK_EINTR, "interrupted; %s holds the model as it was after epoch %" PRId64,
                    folder, training->epoch - 1);
}

/* The weights are of no use any more: what was saved stays as it is. */
static wick_status diverged(cli_app *app, const cli_training *training, const cli_pair *pair)
{
    char kept[64] = "holds no model";
    if (training->epoch > 0)
        snprintf(kept, sizeof(kept), "holds the model as it was after epoch %" PRId64,
                 keeps_best(training) ? best_epoch(training) : training->epoch - 1);
    return app_fail(app, WICK_EDIVERGED,
                    "step %" PRId64 " (epoch %" PRId64 ", batch %" PRId64
                    "): the loss is not a number any more; try a "
                    "lower --lr, --clip-grad 1, or another --seed; %s %s",
                    training_steps(training, pair) - 1, training->epoch, training->pass.batches - 1,
                    wick_run_folder(training->run), kept);
}

static double train_time(const cli_training *training)
{
    int64_t count;
    double seconds = 0;
    const wick_epoch *epochs = wick_run_epochs(training->run, &count);
    for (int64_t i = 0; i < count; i++)
        seconds += epochs[i].seconds;
    return seconds;
}

wick_status training_run(cli_app *app, cli_training *training, const cli_pair *pair,
                         const cli_style *style)
{
    training->checkpoints.last = wick_timer();
    TRY(steps_resume(app, training->run, training_steps(training, pair), &training->steps));
    if (training_steps(training, pair) == 0)
        wick_manual_seed(app->context, training->args.seed);
    while (training->epoch < training->args.epochs && !out_of_patience(training)) {
        wick_status status = run_epoch(app, training, pair, style);
        bar_clear(&training->bar);
        if (status == WICK_EDIVERGED)
            return diverged(app, training, pair);
        if (status == WICK_EINTR)
            return interrupted(app, training, pair);
        TRY(status);
    }
    if (out_of_patience(training))
        say(app, "No better for %" PRId64 " epochs: stopped\n", training->args.how.patience);
    if (keeps_best(training))
        say(app, "Kept the model of epoch %" PRId64 "\n", best_epoch(training));
    say(app, "Train time on %s: %.3f seconds\n", wick_context_device(app->context),
        train_time(training));
    return WICK_OK;
}

/* model.pth, where that is not what was trained last. */
static wick_status load_saved(cli_app *app, cli_training *training)
{
    char *path;
    wick_state_dict *dict;
    if (training->args.how.ema == 0 && !keeps_best(training))
        return WICK_OK;
    TRY(wick_run_path(training->run, "model.pth", &path));
    wick_status status = wick_load(app->context, path, &dict);
    free(path);
    TRY(status);
    status = wick_module_load_state_dict(training->model, dict);
    wick_state_dict_free(dict);
    return status;
}

wick_status training_finish(cli_app *app, cli_training *training, const cli_pair *pair)
{
    wick_metrics metrics;
    loop_watch watch = {.app = app, .training = training, .pair = pair};
    const wick_progress progress = {on_batch, &watch};
    TRY(load_saved(app, training));
    wick_manual_seed(app->context, training->args.seed);
    bar_start(&training->bar, "Evaluating", "it");
    wick_status status = wick_eval_model(training->model, pair->test_loader, training->loss_fn,
                                         &progress, &metrics, &training->logits, NULL);
    bar_clear(&training->bar);
    if (status == WICK_EINTR)
        return interrupted(app, training, pair);
    TRY(status);
    TRY(steps_save(app, training->run, &training->steps));
    const wick_results results = {
        .model_name = wick_module_class_name(training->model),
        .model_loss = (double)metrics.loss,
        .model_acc = metrics.accuracy,
        .accuracy = 100.0 * (double)metrics.correct / (double)metrics.count,
        .train_time = train_time(training),
        .device = wick_context_device(app->context),
        .threads = wick_context_threads(app->context),
        .seed = training->args.seed,
        .parameters = wick_module_parameter_count(training->model),
    };
    return wick_run_finish(training->run, &results);
}

void training_release(cli_training *training)
{
    step_log_release(&training->log);
    steps_release(&training->steps);
    wick_tensor_free(training->logits);
    wick_optimizer_free(training->optimizer);
    wick_loss_free(training->loss_fn);
    wick_module_free(training->model);
    wick_run_free(training->run);
    free(training->classes);
    free(training->class_weights);
    training->class_weights = NULL;
    free(training->data);
    free(training->data_dir);
    wick_free(training->printed);
    model_release(&training->choice);
    training->printed = NULL;
    training->data = training->data_dir = NULL;
    training->classes = NULL;
    training->logits = NULL;
    training->optimizer = NULL;
    training->loss_fn = NULL;
    training->model = NULL;
    training->run = NULL;
}

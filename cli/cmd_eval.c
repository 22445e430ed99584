/* wick eval: what a saved model is worth on the test half. */
#include "bar.h"
#include "classes.h"
#include "json_out.h"
#include "output_files.h"
#include "pair.h"
#include "python.h"
#include "run_page.h"
#include "settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct eval_args {
    cli_operands operands;
    cli_data_args data;
    cli_machine_args machine;
    const char *model, *report, *tta;
    int64_t hidden_units, predictions;
    bool json;
} eval_args;

static const cli_option options[] = {
    {"model", "NAME|TEXT|FILE", OPTION_TEXT, offsetof(eval_args, model), 0, 0,
     "which model the weights are of: v0, v1, v2, or a model's text, or a file with one; a run knows "
     "its "
     "own"},
    {"hidden-units", "N", OPTION_INT, offsetof(eval_args, hidden_units), 1, 1 << 20,
     "its hidden units; else the run's, or 10"},
    {"data", "NAME|FOLDER", OPTION_TEXT, offsetof(eval_args, data.data), 0, 0,
     "the data set; else the run's, or fashion-mnist"},
    {"data-dir", "DIR", OPTION_TEXT, offsetof(eval_args, data.data_dir), 0, 0,
     "where to look for a known data set first"},
    SIZE_OF_FILE_OPTION(eval_args, data.image_size),
    CHANNELS_OF_FILE_OPTION(eval_args, data.channels),
    NORMALIZE_OF_FILE_OPTION(eval_args, data.normalize),
    {"batch-size", "N", OPTION_INT, offsetof(eval_args, data.batch_size), 1, INT32_MAX,
     "how many images a batch has, over which model_loss and model_acc are means; else the run's, or "
     "32"},
    {"limit", "N", OPTION_INT, offsetof(eval_args, data.limit), 0, INT32_MAX,
     "use only the first N test images, of a folder of pictures N spread evenly over it, 0 for all; "
     "else as the run did"},
    TTA_OPTION(eval_args, tta, TTA_OF_RUN),
    SKIP_BROKEN_OF_RUN_OPTION(eval_args, data.skip_broken),
    MEMORY_LIMIT_OPTION(eval_args, data.memory_limit),
    {"predictions", "N", OPTION_INT, offsetof(eval_args, predictions), 1, INT32_MAX,
     "print the probabilities that the first N test images get (make_predictions)"},
    {"report", "FILE", OPTION_TEXT, offsetof(eval_args, report), 0, 0,
     "of a run: write a page there (HTML) that shows it, as training leaves one in its folder"},
    MACHINE_OPTIONS(eval_args),
    JSON_OPTION(eval_args),
    {0},
};

static const eval_args defaults = {.data = {.limit = -1}, .machine = MACHINE_DEFAULTS};

static const char about[] =
    "Loads a run's model, or a state_dict that wick or torch.save() wrote, and evaluates it on\n"
    "the test half of the data: model_loss and model_acc as the chapter's eval_model() (means\n"
    "over batches), the exact accuracy, precision, recall, F1 and support of each class, and the\n"
    "confusion matrix, whose diagonal adds up to the right answers.\n"
    "Code that a file names is never run: what is no state_dict of tensors is refused.\n";

static const char examples[] =
    "  wick eval runs/train\n"
    "      the model of a run, on the data it was trained for\n"
    "  wick eval model_2.pth --model v2 --hidden-units 10\n"
    "      weights that PyTorch saved\n"
    "  wick eval cats.pth --model cats.txt --data pictures --image-size 64 "
    "--normalize 0.5:0.25\n"
    "      weights for a folder of pictures, made what they were made when the "
    "model was trained\n"
    "  wick eval runs/train --data kmnist --json\n"
    "      the same model on other data, for a program to read\n";

typedef struct eval_work {
    wick_run *run; /* NULL for a file */
    char *weights; /* the file's path */
    cli_model_choice choice;
    cli_data_args data;
    float mean[3], std[3]; /* of a file, if it is normalised: where data's point to */
    wick_dataset *test_data;
    wick_loader *loader;
    wick_module *model;
    wick_loss *loss_fn;
    cli_bar bar;
    wick_metrics metrics;
    wick_tensor *logits, *labels;
    cli_scores scores;
    wick_tensor *probabilities; /* NULL unless asked for */
} eval_work;

static void evaluation_release(eval_work *evaluation)
{
    wick_tensor_free(evaluation->probabilities);
    class_scores_release(&evaluation->scores);
    wick_tensor_free(evaluation->logits);
    wick_tensor_free(evaluation->labels);
    wick_loss_free(evaluation->loss_fn);
    wick_module_free(evaluation->model);
    wick_loader_free(evaluation->loader);
    wick_dataset_free(evaluation->test_data);
    wick_run_free(evaluation->run);
    free(evaluation->weights);
    model_release(&evaluation->choice);
}

/* What was not given comes from the run, or is what training has as default. */
static void fill_data(const eval_args *args, eval_work *evaluation)
{
    const wick_run_args *run = evaluation->run == NULL ? NULL : wick_run_get_args(evaluation->run);
    cli_data_args *data = &evaluation->data;
    *data = (cli_data_args){.data = "fashion-mnist", .batch_size = 32};
    if (run != NULL)
        data_of_run(run, data);
    if (args->data.data != NULL) {
        data->data = args->data.data;
        data->data_dir = NULL;
        data->test_fraction = 0;
    }
    if (args->data.data_dir != NULL)
        data->data_dir = args->data.data_dir;
    if (args->data.batch_size != 0)
        data->batch_size = args->data.batch_size;
    if (args->data.limit >= 0)
        data->limit = args->data.limit;
    data->image_size = args->data.image_size;
    data->channels = args->data.channels;
    data_read_as(data, args->data.skip_broken, args->data.memory_limit);
}

/* The test half, and of a file what it is to be normalised with. */
static wick_status open_data(cli_app *app, const char *normalize, eval_work *evaluation)
{
    cli_data_args *data = &evaluation->data;
    TRY(data_normalize(app, normalize, 0, evaluation->mean, evaluation->std, data));
    TRY(dataset_open(app, data, WICK_TEST, &evaluation->test_data));
    return data_normalize(app, normalize, wick_dataset_image_shape(evaluation->test_data)[0],
                          evaluation->mean, evaluation->std, data);
}

/* The weights of a file in the model that the flags name. */
static wick_status load_weights(cli_app *app, eval_work *evaluation)
{
    wick_state_dict *dict;
    TRY(wick_load(app->context, evaluation->weights, &dict));
    wick_status status = wick_module_load_state_dict(evaluation->model, dict);
    wick_state_dict_free(dict);
    if (status != WICK_OK)
        return app_fail(app, status, "%s: %s", evaluation->weights, wick_context_message(app->context));
    return WICK_OK;
}

static wick_status load_model(cli_app *app, const eval_args *args, eval_work *evaluation)
{
    const wick_run_args *run = evaluation->run == NULL ? NULL : wick_run_get_args(evaluation->run);
    if (args->model == NULL && args->hidden_units == 0)
        return wick_run_load_model(evaluation->run, &evaluation->model);
    int64_t hidden_units = args->hidden_units != 0 ? args->hidden_units
                           : run != NULL           ? run->hidden_units
                                                   : 10;
    if (args->model == NULL)
        TRY(model_choose(app, run->model, true, &evaluation->choice));
    TRY(model_make(app, &evaluation->choice, wick_dataset_image_shape(evaluation->test_data),
                   hidden_units, wick_dataset_class_count(evaluation->test_data), &evaluation->model));
    return load_weights(app, evaluation);
}

static wick_status open_operand(cli_app *app, const eval_args *args, eval_work *evaluation)
{
    const char *operand = args->operands.at[0];
    if (args->report != NULL && (!is_folder(operand) || args->model != NULL || args->hidden_units != 0 ||
                                 args->tta != NULL || args->data.data != NULL || args->data.limit >= 0))
        return app_usage(
            app, "--report is for a run as it is: a folder, without --model, --hidden-units, --tta, "
                 "--data and --limit");
    if (is_folder(operand)) {
        TRY(data_of_file_alone(app, operand, args->data.image_size, args->data.channels,
                               args->data.normalize));
        TRY(wick_run_open(app->context, operand, &evaluation->run));
        return path_join(app, operand, "model.pth", &evaluation->weights);
    }
    if (args->model == NULL)
        return app_usage(
            app, "'%s' is no run's folder; of a file, say with --model which model it is of", operand);
    evaluation->weights = strdup(operand);
    return evaluation->weights == NULL ? app_fail(app, WICK_ENOMEM, "out of memory") : WICK_OK;
}

static wick_status check_classes(cli_app *app, const eval_work *evaluation)
{
    if (evaluation->run == NULL)
        return WICK_OK;
    const wick_run_args *run = wick_run_get_args(evaluation->run);
    const char *data = evaluation->data.data;
    return classes_check(app, evaluation->weights, run->class_count, run->classes,
                         strcmp(data, run->data) == 0, data, evaluation->test_data);
}

static wick_status open_all(cli_app *app, const eval_args *args, eval_work *evaluation)
{
    if (args->model != NULL)
        TRY(model_choose(app, args->model, args->hidden_units != 0, &evaluation->choice));
    TRY(settings_use_machine(app, &args->machine));
    TRY(open_operand(app, args, evaluation));
    fill_data(args, evaluation);
    TRY(open_data(app, args->data.normalize, evaluation));
    TRY(check_classes(app, evaluation));
    TRY(load_model(app, args, evaluation));
    model_set_tta(evaluation->model, args->tta);
    if (evaluation->run != NULL)
        note_flips(app, model_tta(evaluation->model), wick_run_get_args(evaluation->run)->augment);
    const wick_loader_options in_order = {.batch_size = evaluation->data.batch_size,
                                          .mean = evaluation->data.mean,
                                          .std = evaluation->data.std};
    TRY(wick_loader_new(evaluation->test_data, &in_order, &evaluation->loader));
    /* The loss of a run is the one that it was trained with. */
    static const wick_train_options chapter;
    const wick_train_options *how =
        evaluation->run != NULL ? &wick_run_get_args(evaluation->run)->how : &chapter;
    return wick_train_options_loss(how, app->context, wick_dataset_class_count(evaluation->test_data),
                                   &evaluation->loss_fn);
}

/* make_predictions() of the first images. */
static wick_status predict(cli_app *app, eval_work *evaluation, int64_t count)
{
    int64_t there = wick_dataset_count(evaluation->test_data);
    wick_tensor **images = calloc((size_t)(count < there ? count : there), sizeof(*images));
    wick_tensor *batch = NULL;
    wick_status status = images == NULL ? app_fail(app, WICK_ENOMEM, "out of memory") : WICK_OK;
    int64_t taken = 0;
    for (; status == WICK_OK && taken < count && taken < there; taken++)
        status = wick_dataset_get(evaluation->test_data, taken, &images[taken], NULL);
    if (status == WICK_OK)
        status = wick_tensor_stack(images, taken, &batch);
    if (status == WICK_OK && evaluation->data.mean != NULL)
        status = wick_image_normalize(batch, evaluation->data.mean, evaluation->data.std);
    if (status == WICK_OK)
        status = wick_make_predictions(evaluation->model, batch, &evaluation->probabilities);
    wick_tensor_free(batch);
    for (int64_t i = 0; images != NULL && i < taken; i++)
        wick_tensor_free(images[i]);
    free(images);
    return status;
}

static void on_batch(void *user, int64_t batch, int64_t batches, float loss)
{
    (void)loss;
    bar_update(user, batch + 1, batches);
}

static wick_status evaluate(cli_app *app, const eval_args *args, eval_work *evaluation)
{
    const wick_progress progress = {on_batch, &evaluation->bar};
    bar_init(&evaluation->bar);
    bar_start(&evaluation->bar, "Evaluating", "it");
    wick_status status =
        wick_eval_model(evaluation->model, evaluation->loader, evaluation->loss_fn, &progress,
                        &evaluation->metrics, &evaluation->logits, &evaluation->labels);
    bar_clear(&evaluation->bar);
    TRY(status);
    TRY(class_scores_make(app, evaluation->test_data, evaluation->logits, evaluation->labels,
                          &evaluation->scores));
    return args->predictions == 0 ? WICK_OK : predict(app, evaluation, args->predictions);
}

/* The run's page, with what was just evaluated. */
static wick_status write_page(cli_app *app, const char *path, const eval_work *evaluation)
{
    cli_steps steps = {0};
    wick_status status = steps_load(app, evaluation->run, INT64_MAX, &steps);
    if (status == WICK_OK)
        status =
            page_of_run(app, evaluation->run, &steps, evaluation->test_data, evaluation->logits, path);
    steps_release(&steps);
    return status;
}

static double accuracy(const wick_metrics *metrics)
{
    return 100.0 * (double)metrics->correct / (double)metrics->count;
}

static wick_status print_text(const cli_app *app, const eval_work *evaluation)
{
    const wick_metrics *metrics = &evaluation->metrics;
    char loss[32], acc[32], exact[32];
    python_repr((double)metrics->loss, loss);
    python_repr(metrics->accuracy, acc);
    python_repr(accuracy(metrics), exact);
    say(app,
        "model_name: %s\nmodel_loss: %s\nmodel_acc: %s\naccuracy: %s (%" PRId64 " of %" PRId64
        " right)\n%s\n",
        wick_module_class_name(evaluation->model), loss, acc, exact, metrics->correct, metrics->count,
        model_tta(evaluation->model) == NULL ? "" : "tta: flip\n");
    say_class_report(app, &evaluation->scores);
    say(app, "\nConfusion matrix (rows: the truth, columns: the prediction)\n");
    say_confusion(app, &evaluation->scores);
    if (evaluation->probabilities == NULL)
        return WICK_OK;
    return say_tensor(app, "\nProbabilities:\n", evaluation->probabilities, 0, "\n");
}

static void print_json(const cli_app *app, const eval_work *evaluation)
{
    const wick_metrics *metrics = &evaluation->metrics;
    cli_json json = {0};
    json_open(&json, NULL, '{');
    json_text(&json, "model_name", wick_module_class_name(evaluation->model));
    json_number(&json, "model_loss", (double)metrics->loss);
    json_number(&json, "model_acc", metrics->accuracy);
    json_number(&json, "accuracy", accuracy(metrics));
    json_int(&json, "correct", metrics->correct);
    json_int(&json, "count", metrics->count);
    json_number(&json, "seconds", metrics->seconds);
    json_text(&json, "device", wick_context_device(app->context));
    json_int(&json, "threads", wick_context_threads(app->context));
    json_int(&json, "parameters", wick_module_parameter_count(evaluation->model));
    if (model_tta(evaluation->model) != NULL)
        json_text(&json, "tta", model_tta(evaluation->model));
    json_class_scores(&json, &evaluation->scores);
    if (evaluation->probabilities != NULL)
        json_tensor(&json, "predictions", evaluation->probabilities);
    json_close(&json, '}');
    putchar('\n');
}

static wick_status run(cli_app *app, void *memory)
{
    const eval_args *args = memory;
    eval_work evaluation = {0};
    wick_status status = open_all(app, args, &evaluation);
    if (status == WICK_OK)
        status = evaluate(app, args, &evaluation);
    if (status == WICK_OK && args->report != NULL)
        status = write_page(app, args->report, &evaluation);
    if (status == WICK_OK && args->json)
        print_json(app, &evaluation);
    else if (status == WICK_OK)
        status = print_text(app, &evaluation);
    evaluation_release(&evaluation);
    return status;
}

const cli_command command_eval = {
    .name = "eval",
    .summary = "evaluate a saved model, class by class",
    .operands = "RUN|FILE.pth",
    .about = about,
    .examples = examples,
    .options = options,
    .defaults = &defaults,
    .args_size = sizeof(eval_args),
    .min_operands = 1,
    .max_operands = 1,
    .interruptible = true,
    .run = run,
};

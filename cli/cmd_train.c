/* wick train: one model. */
#include "figures.h"
#include "json_out.h"
#include "output_files.h"
#include "python.h"
#include "recipe_read.h"
#include "run_page.h"
#include "settings.h"
#include "train_flags.h"
#include "training.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char about[] =
    "Trains a model with CrossEntropyLoss and SGD, or another --optimizer, by the formulas of\n"
    "PyTorch: an epoch is a train_step() over the shuffled training half and a test_step() over\n"
    "the test half, or over what --validation holds out. The order of the images, the first\n"
    "weights and so the losses are PyTorch's for the same seed. The run's folder holds\n"
    "  args.json      what made it\n"
    "  results.csv    a row an epoch\n"
    "  results.json   model_loss, model_acc (means over batches), accuracy (of all images), and\n"
    "                 the epochs\n"
    "  model.pth      the state_dict, which torch.load(weights_only=True) opens; saved after\n"
    "                 every epoch\n"
    "  steps.csv      the training loss of every step; of more than 65536, of every second, fourth...\n"
    "  curves.png, curves.svg, confusion_matrix.png, confusion_matrix.svg\n"
    "                 how the training went, and which class was taken for which\n"
    "  report.html    a page that shows the run: results, curves, classes, wrong predictions\n"
    "  checkpoint.pth until it is finished: all that --resume needs to go on\n"
    "Ctrl-C, and SIGTERM, stop after the step at hand and save a checkpoint; again, they kill.\n"
    "--resume goes on in the middle of an epoch and ends, to the bit, where the run would have\n"
    "ended without the stop, whatever stopped it; with --checkpoint-every a killed process or a\n"
    "crash costs no more than the steps since the last checkpoint. A folder that a run is using\n"
    "is refused. The training time is that of the epochs: reading the data and saving are not in\n"
    "it.\n";

static const char examples[] =
    "  wick train --model v0\n"
    "      the chapter's baseline: three epochs of two linear layers, about 83%\n"
    "  wick train --model v2 --epochs 10 --lr 0.05 --seed 7 --out runs/long\n"
    "      the convolutional model, longer, in a folder of its own\n"
    "  wick train --optimizer adamw --lr 0.002 --weight-decay 0.05\n"
    "      with AdamW\n"
    "  wick train --epochs 30 --validation 0.1 --patience 3 --ema 0.999\n"
    "      until it gets no better on images held out, with a moving average of the weights\n"
    "  wick train --recipe chapter --epochs 5\n"
    "      all of a recipe, but for the epochs\n"
    "  wick train --epochs 100 --checkpoint-every 60s --out runs/hundred\n"
    "  wick train --resume runs/hundred\n"
    "      a long training, and the same gone on with after it was stopped\n"
    "  wick train --data kmnist --limit 1000 --epochs 1 --log-steps steps.txt\n"
    "      a quick try on other data, with each step's loss\n";

/* The run's folder and args.json. */
static wick_status make_run(cli_app *app, const train_args *args, cli_training *training)
{
    char *folder = NULL;
    if (args->out == NULL)
        TRY(folder_claim(app, "runs/train", &folder));
    wick_status status = wick_run_create(app->context, folder != NULL ? folder : args->out,
                                         args->exist_ok, &training->args, &training->run);
    if (status != WICK_OK && folder != NULL)
        rmdir(folder);
    free(folder);
    return status;
}

static void print_results(const cli_app *app, const cli_training *training)
{
    const wick_results *results = wick_run_results(training->run);
    if (app->quiet) {
        cli_json json = {0};
        json_open(&json, NULL, '{');
        json_text(&json, "run", wick_run_folder(training->run));
        json_results(&json, results);
        json_close(&json, '}');
        putchar('\n');
        return;
    }
    say_model_results(app, results->model_name, results->model_loss, results->model_acc);
    say(app, "Accuracy of all test images: %.2f%%\nRun: %s\n", results->accuracy,
        wick_run_folder(training->run));
}

/* "500" steps or "30s". */
static wick_status read_checkpoint_every(cli_app *app, const char *text, cli_checkpoints *checkpoints)
{
    char *end;
    checkpoints->kept = true;
    if (text == NULL)
        return WICK_OK;
    double number = strtod(text, &end);
    bool seconds = strcmp(end, "s") == 0;
    bool whole = strspn(text, "0123456789") == strlen(text);
    if (!isdigit((unsigned char)text[0]) || !(number > 0 && number < 1e15) || (!seconds && !whole))
        return app_usage(
            app,
            "--checkpoint-every must be a number of steps, such as 500, or of seconds, such "
            "as 30s, not '%s'",
            text);
    if (seconds)
        checkpoints->every_seconds = number;
    else
        checkpoints->every_steps = (int64_t)number;
    return WICK_OK;
}

/* ---- a run from its beginning ---- */

static bool fits(const cli_app *app, const cli_training *training, const int64_t shape[3])
{
    wick_module *module;
    const wick_run_args *args = &training->args;
    if (wick_model_by_name(app->context, training->choice.model, shape, args->hidden_units,
                           args->class_count, &module) != WICK_OK)
        return false;
    wick_module_free(module);
    return true;
}

/* For a model that is for other images: which flags make them so, if usual ones do. */
static wick_status hint_at_images(cli_app *app, const cli_training *training)
{
    static const int64_t usual[] = {28, 32};
    const int64_t *given = training->args.image_shape;
    char message[sizeof(app->message)], flags[64];
    snprintf(message, sizeof(message), "%s",
             app->message[0] != '\0' ? app->message : wick_context_message(app->context));
    for (size_t i = 0; i < 6; i++) {
        const int64_t channels = i % 2 == 0 ? 4 - given[0] : given[0];
        const int64_t high = i < 2 ? given[1] : usual[i / 2 - 1], wide = i < 2 ? given[2] : high;
        int used = 0;
        flags[0] = '\0';
        if ((channels != 1 && channels != 3) || !fits(app, training, (int64_t[]){channels, high, wide}))
            continue;
        if (channels != given[0])
            used = snprintf(flags, sizeof(flags), " --channels %d", (int)channels);
        if (high != given[1] || wide != given[2])
            snprintf(flags + used, sizeof(flags) - (size_t)used, " --image-size %d", (int)high);
        return app_fail(app, WICK_ESHAPE, "%.900s; with%s the images fit", message, flags);
    }
    return app_fail(app, WICK_ESHAPE, "%s", message);
}

/* A model that cannot be evaluated so is refused before there is a run: it evaluates one image. */
static wick_status check_tta(cli_app *app, const cli_training *training)
{
    const int64_t *shape = training->args.image_shape, one[4] = {1, shape[0], shape[1], shape[2]};
    wick_tensor *image, *probabilities = NULL;
    if (wick_module_tta(training->model) == WICK_TTA_NONE)
        return WICK_OK;
    TRY(wick_tensor_new(app->context, WICK_FLOAT32, 4, one, &image));
    wick_status status = wick_make_predictions(training->model, image, &probabilities);
    wick_tensor_free(image);
    wick_tensor_free(probabilities);
    wick_module_train(training->model);
    return status == WICK_EINVAL ? app_usage(app, "--tta flip: %s", wick_context_message(app->context))
                                 : status;
}

static wick_status begin(cli_app *app, const train_args *args, const cli_recipe *recipe,
                         cli_training *training, cli_pair *pair)
{
    TRY(model_choose(app, args->model, option_given(train_options, args, "hidden-units"),
                     &training->choice));
    if (recipe->model_place != NULL)
        training->choice.file = recipe->model_place;
    TRY(settings_use_machine(app, &args->machine));
    cli_data_args data = args->data;
    data.validation = training->args.how.validation;
    data.split_seed = training->args.how.split_seed;
    data.drop_last = training->args.how.drop_last;
    TRY(train_flags_check(app, &training->args.how));
    TRY(pair_open(app, &data, pair));
    TRY(training_use_data(app, training, &args->data, pair));
    TRY(train_flags_balance(app, &training->args.how, pair->train_data, &training->class_weights));
    if (training->class_weights != NULL)
        training->args.how.class_weights = training->class_weights;
    wick_status status = training_begin(app, training, pair);
    if (status == WICK_ESHAPE && training->model == NULL)
        return hint_at_images(app, training);
    TRY(status);
    TRY(check_tta(app, training));
    note_flips(app, training->args.how.tta, training->args.augment);
    return make_run(app, args, training);
}

/* ---- a run gone on with ---- */

/* What the run says by itself cannot be given. */
static wick_status check_flags(cli_app *app, const train_args *args)
{
    static const char *const allowed[] = {"resume",    "threads",    "device", "checkpoint-every",
                                          "log-steps", "no-figures", "json",   "memory-limit"};
    for (const cli_option *option = train_options; option->name != NULL; option++) {
        bool fine = !option_given(train_options, args, option->name);
        for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
            fine = fine || strcmp(option->name, allowed[i]) == 0;
        if (!fine)
            return app_usage(app, "--%s cannot be given with --resume, which takes it from the run",
                             option->name);
    }
    return WICK_OK;
}

/* The data must be what the run was made with, as far as its args.json tells. */
static wick_status check_data(cli_app *app, const wick_run_args *run, const cli_pair *pair)
{
    const wick_dataset *data = pair->train_data;
    if (wick_dataset_class_count(data) == run->class_count &&
        memcmp(wick_dataset_image_shape(data), run->image_shape, sizeof(run->image_shape)) == 0)
        return WICK_OK;
    return app_fail(app, WICK_ESHAPE,
                    "%s: its images or classes are not those that the run was made with", run->data);
}

static wick_status take_up(cli_app *app, const train_args *args, cli_training *training, cli_pair *pair)
{
    const wick_run_args *run = &training->args;
    cli_data_args data;
    data_of_run(run, &data);
    data.memory_limit = args->data.memory_limit;
    cli_machine_args machine = {.device = run->device, .threads = run->threads};
    if (option_given(train_options, args, "threads"))
        machine.threads = args->machine.threads;
    if (option_given(train_options, args, "device"))
        machine.device = args->machine.device;
    TRY(settings_use_machine(app, &machine));
    TRY(pair_open(app, &data, pair));
    TRY(check_data(app, run, pair));
    TRY(training_begin(app, training, pair));
    return training_resume(app, training, pair);
}

/* ---- its figures ---- */

static wick_status draw(cli_app *app, const train_args *args, const cli_training *training,
                        const cli_pair *pair)
{
    cli_figures figures = {0};
    wick_tensor *confusion = NULL;
    wick_status status = figures_open(app, !args->no_figures, &figures);
    if (status == WICK_OK && figures.plotter != NULL)
        status = figures_confusion(pair->test_data, training->logits, app, &confusion);
    if (status == WICK_OK)
        status = figures_of_run(&figures, training->run, &training->steps, confusion);
    if (status == WICK_OK && !args->no_figures)
        status =
            page_of_run(app, training->run, &training->steps, pair->test_data, training->logits, NULL);
    wick_tensor_free(confusion);
    figures_close(&figures);
    return status;
}

/* ---- both ---- */

static wick_status train(cli_app *app, const train_args *args, const cli_recipe *recipe,
                         cli_training *training, cli_pair *pair)
{
    TRY(read_checkpoint_every(app, args->checkpoint_every, &training->checkpoints));
    if (args->resume == NULL) {
        TRY(begin(app, args, recipe, training, pair));
    } else {
        TRY(check_flags(app, args));
        TRY(wick_run_resume(app->context, args->resume, &training->run));
        training->args = *wick_run_get_args(training->run);
        if (wick_run_results(training->run) != NULL) {
            print_results(app, training);
            return WICK_OK;
        }
        TRY(take_up(app, args, training, pair));
    }
    TRY(step_log_open(app, args->log_steps, training_steps(training, pair), &training->log));
    TRY(training_run(app, training, pair, &style_train));
    /* Once there is a results.json nothing goes on with the run, so by then the log must be whole. */
    wick_status log_status = step_log_sync(app, &training->log);
    TRY(training_finish(app, training, pair));
    TRY(log_status);
    TRY(step_log_close(app, &training->log));
    TRY(draw(app, args, training, pair));
    print_results(app, training);
    return WICK_OK;
}

static wick_status run_with(cli_app *app, const train_args *args, const cli_recipe *recipe)
{
    cli_pair pair = {0};
    cli_training training = {.args = {
                                 .model = args->model,
                                 .hidden_units = args->hidden_units,
                                 .epochs = args->epochs,
                                 .lr = args->lr,
                                 .how = args->how,
                                 .seed = args->seed,
                                 .device = args->machine.device,
                                 .threads = (int)args->machine.threads,
                             }};
    const cli_train_given given = {option_given(train_options, args, "lr"),
                                   option_given(train_options, args, "weight-decay")};
    train_flags_fill(&training.args.how, &training.args.lr, given);
    wick_status status = train(app, args, recipe, &training, &pair);
    training_release(&training);
    pair_release(&pair);
    return status;
}

static wick_status run(cli_app *app, void *memory)
{
    train_args *args = memory;
    cli_recipe recipe = {0};
    wick_status status = WICK_OK;
    app->quiet = args->json;
    if (args->recipe != NULL && strcmp(args->recipe, "list") == 0) {
        recipe_list(app);
        return WICK_OK;
    }
    if (args->recipe != NULL && args->resume == NULL)
        status = recipe_apply(app, args->recipe, train_options, args, &recipe);
    if (status == WICK_OK)
        status = run_with(app, args, &recipe);
    recipe_release(&recipe);
    return status;
}

const cli_command command_train = {
    .name = "train",
    .summary = "train a model and keep the run on disk",
    .operands = "",
    .about = about,
    .examples = examples,
    .options = train_options,
    .defaults = &train_defaults,
    .args_size = sizeof(train_args),
    .interruptible = true,
    .run = run,
};

/* wick train: one model. */
#include "json_out.h"
#include "output_files.h"
#include "python.h"
#include "settings.h"
#include "training.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct train_args {
    cli_operands operands;
    cli_data_args data;
    cli_machine_args machine;
    const char *model;
    int64_t hidden_units, epochs;
    double lr;
    uint64_t seed;
    const char *out, *log_steps;
    bool exist_ok, json;
} train_args;

static const cli_option options[] = {
    DATA_PLACE_OPTIONS(train_args),
    MODEL_OPTION(train_args),
    HIDDEN_UNITS_OPTION(train_args),
    {"epochs", "N", OPTION_INT, offsetof(train_args, epochs), 1, 1000000,
     "how often to go through the data"},
    DATA_BATCH_OPTION(train_args),
    {"lr", "RATE", OPTION_NUMBER, offsetof(train_args, lr), 0, 0, "the learning rate of SGD"},
    {"seed", "S", OPTION_SEED, offsetof(train_args, seed), 0, 0,
     "torch.manual_seed(S), before the model is made and once more before training"},
    MACHINE_OPTIONS(train_args),
    {"out", "DIR", OPTION_TEXT, offsetof(train_args, out), 0, 0,
     "the run's folder; else runs/train, runs/train2, ..."},
    {"exist-ok", "", OPTION_BOOL, offsetof(train_args, exist_ok), 0, 0,
     "replace a run that --out holds already"},
    {"log-steps", "FILE", OPTION_TEXT, offsetof(train_args, log_steps), 0, 0,
     "write every step's training loss, one a line"},
    DATA_LIMIT_OPTION(train_args),
    JSON_OPTION(train_args),
    {0},
};

static const train_args defaults = {
    .data = DATA_DEFAULTS,
    .machine = MACHINE_DEFAULTS,
    .model = "v2",
    .hidden_units = 10,
    .epochs = 3,
    .lr = 0.1,
    .seed = 42,
};

static const char about[] =
    "Trains a model with CrossEntropyLoss and SGD: an epoch is a train_step() over the shuffled\n"
    "training half and a test_step() over the test half. The order of the images, the first\n"
    "weights and so the losses are PyTorch's for the same seed. The run's folder holds\n"
    "  args.json      what made it\n"
    "  results.csv    a row an epoch\n"
    "  results.json   model_loss, model_acc (means over batches), accuracy (of all images), and\n"
    "                 the epochs\n"
    "  model.pth      the state_dict, which torch.load(weights_only=True) opens; saved after\n"
    "                 every epoch\n"
    "Ctrl-C stops after the step at hand and leaves the model of the last whole epoch; again, it\n"
    "kills. The training time is that of the epochs: reading the data and saving are not in it.\n";

static const char examples[] =
    "  wick train --model v0\n"
    "      the chapter's baseline: three epochs of two linear layers, about 83%\n"
    "  wick train --model v2 --epochs 10 --lr 0.05 --seed 7 --out runs/long\n"
    "      the convolutional model, longer, in a folder of its own\n"
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

static wick_status open_log(cli_app *app, const char *path, FILE **log)
{
    if (path == NULL)
        return WICK_OK;
    *log = fopen(path, "we");
    if (*log == NULL)
        return app_fail(app, WICK_EIO, "%s: cannot write: %s", path, strerror(errno));
    return WICK_OK;
}

/* Notices what was not written. */
static wick_status close_log(cli_app *app, const char *path, FILE *log)
{
    if (log == NULL)
        return WICK_OK;
    errno = 0;
    bool failed = fflush(log) != 0 || ferror(log) != 0;
    int error = errno != 0 ? errno : EIO;
    if (fclose(log) != 0 || failed)
        return app_fail(app, WICK_EIO, "%s: cannot write: %s", path, strerror(failed ? error : errno));
    return WICK_OK;
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

static wick_status train(cli_app *app, const train_args *args, cli_training *training, cli_pair *pair)
{
    TRY(settings_check_model(app, args->model));
    TRY(settings_use_machine(app, &args->machine));
    TRY(pair_open(app, &args->data, pair));
    TRY(training_use_data(app, training, &args->data, pair));
    TRY(training_begin(app, training));
    TRY(make_run(app, args, training));
    TRY(open_log(app, args->log_steps, &training->log));
    TRY(training_run(app, training, pair, &style_train));
    TRY(training_finish(app, training, pair));
    FILE *log = training->log;
    training->log = NULL;
    TRY(close_log(app, args->log_steps, log));
    print_results(app, training);
    return WICK_OK;
}

static wick_status run(cli_app *app, void *memory)
{
    const train_args *args = memory;
    cli_pair pair = {0};
    cli_training training = {.args = {
                                 .model = args->model,
                                 .hidden_units = args->hidden_units,
                                 .epochs = args->epochs,
                                 .lr = args->lr,
                                 .seed = args->seed,
                                 .device = args->machine.device,
                                 .threads = (int)args->machine.threads,
                             }};
    app->quiet = args->json;
    wick_status status = train(app, args, &training, &pair);
    if (training.log != NULL)
        fclose(training.log);
    training_release(&training);
    pair_release(&pair);
    return status;
}

const cli_command command_train = {
    .name = "train",
    .summary = "train a model and keep the run on disk",
    .operands = "",
    .about = about,
    .examples = examples,
    .options = options,
    .defaults = &defaults,
    .args_size = sizeof(train_args),
    .interruptible = true,
    .run = run,
};

/* wick notebook: the chapter from its first line to its last. */
#include "json_out.h"
#include "notebook.h"
#include "output_files.h"
#include "run_page.h"
#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct notebook_args {
    cli_operands operands;
    cli_data_args data;
    cli_machine_args machine;
    int64_t hidden_units, epochs;
    double lr;
    uint64_t seed;
    const char *out;
    bool exist_ok, no_figures, json;
} notebook_args;

static const cli_option options[] = {
    DATA_PLACE_OPTIONS(notebook_args),
    HIDDEN_UNITS_OPTION(notebook_args),
    {"epochs", "N", OPTION_INT, offsetof(notebook_args, epochs), 1, 1000000,
     "how often each model goes through the data"},
    DATA_BATCH_OPTION(notebook_args),
    {"lr", "RATE", OPTION_NUMBER, offsetof(notebook_args, lr), 0, 0, "the learning rate of SGD"},
    {"seed", "S", OPTION_SEED, offsetof(notebook_args, seed), 0, 0,
     "torch.manual_seed(S), wherever the chapter seeds"},
    MACHINE_OPTIONS(notebook_args),
    {"out", "DIR", OPTION_TEXT, offsetof(notebook_args, out), 0, 0,
     "the folder of the three runs; else runs/notebook, runs/notebook2, ..."},
    {"exist-ok", "", OPTION_BOOL, offsetof(notebook_args, exist_ok), 0, 0,
     "replace the runs that --out holds already"},
    DATA_LIMIT_OPTION(notebook_args),
    FIGURES_OPTION(notebook_args),
    JSON_OPTION(notebook_args),
    {0},
};

static const notebook_args defaults = {
    .data = DATA_DEFAULTS,
    .machine = MACHINE_DEFAULTS,
    .hidden_units = 10,
    .epochs = 3,
    .lr = 0.1,
    .seed = 42,
};

static const char about[] =
    "Runs the chapter in its order and prints what it prints: the data, the loaders, model 0 with\n"
    "its weights and its training, model 1, model 2 with a convolution and a max pool stepped\n"
    "through, the comparison, predictions for nine test images, the confusion matrix, and model 2\n"
    "saved, loaded and evaluated again.\n"
    "The folder holds a run for each model, model_0, model_1 and model_2 (see 'wick help train'),\n"
    "compare.csv, the chapter's nine pictures as .png and .svg, 5.1-first-image to\n"
    "5.9-confusion-matrix, curves.png and .svg of the three trainings, and report.html, a page\n"
    "that shows them all and links to each run's own.\n";

static const char examples[] = "  wick notebook\n"
                               "      the chapter on Fashion-MNIST, three epochs a model\n"
                               "  wick notebook --seed 7 --epochs 1 --out runs/seven\n"
                               "      other weights and another order, shorter\n"
                               "  wick notebook --data mnist --json\n"
                               "      on MNIST's digits, for a program to read\n";

static const char *const model_names[MODEL_COUNT] = {"FashionMNISTModelV0", "FashionMNISTModelV1",
                                                     "FashionMNISTModelV2"};
static const char *const run_names[MODEL_COUNT] = {"model_0", "model_1", "model_2"};

void notebook_section(const cli_notebook *notebook, const char *title)
{
    say(notebook->app, "\n## %s\n\n", title);
}

static wick_status make_run(cli_app *app, const notebook_args *args, const char *folder,
                            const char *name, cli_training *training)
{
    char *path;
    TRY(path_join(app, folder, name, &path));
    wick_status status =
        wick_run_create(app->context, path, args->exist_ok, &training->args, &training->run);
    free(path);
    return status;
}

/* Makes the three runs before any work is done, so that a folder that is taken is found out at once. */
static wick_status make_runs(cli_app *app, const notebook_args *args, const char *folder,
                             cli_notebook *notebook)
{
    for (int i = 0; i < MODEL_COUNT; i++) {
        cli_training *training = &notebook->models[i];
        training->args = (wick_run_args){
            .model = model_names[i],
            .hidden_units = args->hidden_units,
            .epochs = args->epochs,
            .lr = args->lr,
            .seed = args->seed,
            .device = args->machine.device,
            .threads = (int)args->machine.threads,
        };
        TRY(training_use_data(app, training, &args->data, &notebook->pair));
        TRY(make_run(app, args, folder, run_names[i], training));
    }
    return WICK_OK;
}

static wick_status write_csv(cli_app *app, const char *folder, const cli_notebook *notebook)
{
    const wick_results *results[MODEL_COUNT];
    char *csv, *path;
    for (int i = 0; i < MODEL_COUNT; i++)
        results[i] = wick_run_results(notebook->models[i].run);
    TRY(wick_compare_csv(app->context, MODEL_COUNT, results, &csv));
    wick_status status = path_join(app, folder, "compare.csv", &path);
    if (status == WICK_OK) {
        status = file_write(app, path, csv);
        free(path);
    }
    wick_free(csv);
    return status;
}

/* report.html of each run, and of all three in the folder. */
static wick_status write_pages(cli_app *app, const char *folder, const cli_notebook *notebook)
{
    wick_run *runs[MODEL_COUNT];
    cli_steps steps[MODEL_COUNT];
    char *path;
    for (int i = 0; i < MODEL_COUNT; i++) {
        const cli_training *training = &notebook->models[i];
        runs[i] = training->run;
        steps[i] = training->steps;
        TRY(page_of_run(app, training->run, &training->steps, notebook->pair.test_data, training->logits,
                        NULL));
    }
    TRY(path_join(app, folder, "report.html", &path));
    wick_status status = page_of_runs(app, MODEL_COUNT, runs, steps, path);
    free(path);
    return status;
}

static void print_json(const char *folder, const cli_notebook *notebook)
{
    cli_json json = {0};
    json_open(&json, NULL, '{');
    json_text(&json, "run", folder);
    json_open(&json, "models", '[');
    for (int i = 0; i < MODEL_COUNT; i++) {
        json_open(&json, NULL, '{');
        json_text(&json, "run", wick_run_folder(notebook->models[i].run));
        json_results(&json, wick_run_results(notebook->models[i].run));
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_class_scores(&json, &notebook->scores);
    json_bool(&json, "reloaded_is_close", notebook->reloaded_close);
    json_close(&json, '}');
    putchar('\n');
}

static wick_status open_figures(cli_app *app, const notebook_args *args, cli_notebook *notebook)
{
    int64_t channels = wick_dataset_image_shape(notebook->pair.train_data)[0];
    return figures_open(app, !args->no_figures && (channels == 1 || channels == 3), &notebook->figures);
}

static wick_status run_chapter(cli_app *app, const notebook_args *args, const char *folder,
                               cli_notebook *notebook)
{
    char *table = NULL;
    wick_status status;
    notebook->folder = folder;
    GOTO_OUT(make_runs(app, args, folder, notebook));
    GOTO_OUT(open_figures(app, args, notebook));
    say(app, "wick %s\n", wick_version());
    GOTO_OUT(notebook_data(notebook));
    GOTO_OUT(notebook_loaders(notebook));
    GOTO_OUT(notebook_model_0(notebook));
    GOTO_OUT(notebook_model_1(notebook));
    GOTO_OUT(notebook_model_2(notebook));
    GOTO_OUT(notebook_compare(notebook, &table));
    GOTO_OUT(notebook_predict(notebook));
    GOTO_OUT(notebook_confusion(notebook));
    GOTO_OUT(notebook_reload(notebook));
    GOTO_OUT(write_csv(app, folder, notebook));
    if (!args->no_figures)
        GOTO_OUT(write_pages(app, folder, notebook));
    notebook_section(notebook, "The three models");
    say(app, "%s\nRun: %s\n", table, folder);
    if (notebook->figures.plotter != NULL)
        say(app, "Figures: %s/5.1-first-image.png to 5.9-confusion-matrix.png, and as .svg\n", folder);
    if (!args->no_figures)
        say(app, "Page: %s/report.html\n", folder);
    if (args->json)
        print_json(folder, notebook);
out:
    wick_free(table);
    return status;
}

static wick_status run(cli_app *app, void *memory)
{
    const notebook_args *args = memory;
    cli_notebook notebook = {.app = app, .seed = args->seed};
    char *folder = NULL;
    app->quiet = args->json;
    wick_status status = settings_use_machine(app, &args->machine);
    if (status == WICK_OK)
        status = pair_open(app, &args->data, &notebook.pair);
    if (status == WICK_OK && args->out == NULL)
        status = folder_claim(app, "runs/notebook", &folder);
    if (status == WICK_OK)
        status = run_chapter(app, args, folder != NULL ? folder : args->out, &notebook);
    figures_close(&notebook.figures);
    class_scores_release(&notebook.scores);
    for (int i = 0; i < MODEL_COUNT; i++)
        training_release(&notebook.models[i]);
    pair_release(&notebook.pair);
    free(folder);
    return status;
}

const cli_command command_notebook = {
    .name = "notebook",
    .summary = "the chapter: three models trained, compared, saved and loaded",
    .operands = "",
    .about = about,
    .examples = examples,
    .options = options,
    .defaults = &defaults,
    .args_size = sizeof(notebook_args),
    .interruptible = true,
    .run = run,
};

/* A run on disk: made, filled, opened; and a table of several. */
#include "fault.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const classes[2] = {"round", "square"};

static wick_run_args args_of(int64_t epochs)
{
    return (wick_run_args){.model = "v0",
                           .hidden_units = 2,
                           .data = "IDX",
                           .image_shape = {1, 4, 4},
                           .class_count = 2,
                           .classes = classes,
                           .epochs = epochs,
                           .batch_size = 32,
                           .lr = 0.1,
                           .seed = 42,
                           .device = "cpu",
                           .threads = 1};
}

static const wick_epoch epochs[2] = {{0, 1.5, 60, 1.25, 61, 0.5}, {1, 1.25, 70, 1.125, 71, 0.5}};

static wick_results results_of(void)
{
    return (wick_results){.model_name = "FashionMNISTModelV0",
                          .model_loss = 1.125,
                          .model_acc = 71,
                          .accuracy = 71.5,
                          .train_time = 1,
                          .device = "cpu",
                          .threads = 1,
                          .seed = 42,
                          .parameters = 40,
                          .epoch_count = 2,
                          .epochs = epochs};
}

static wick_status fill(wick_context *context, wick_run *run)
{
    static const int64_t image[3] = {1, 4, 4};
    wick_results results = results_of();
    wick_module *model = NULL;
    wick_status status;
    FAULT_TRY(wick_model_by_name(context, "v0", image, 2, 2, &model));
    FAULT_TRY(wick_run_add_epoch(run, &epochs[0]));
    FAULT_TRY(wick_run_save_model(run, model));
    FAULT_TRY(wick_run_add_epoch(run, &epochs[1]));
    FAULT_TRY(wick_run_save_model(run, model));
    FAULT_TRY(wick_run_finish(run, &results));
out:
    wick_module_free(model);
    return status;
}

static wick_status run_make(wick_context *context, const char *folder)
{
    char path[FAULT_PATH];
    wick_run_args args = args_of(2);
    wick_run *run;
    wick_status status =
        wick_run_create(context, fault_path(path, folder, "runs/one"), false, &args, &run);
    if (status != WICK_OK)
        return status;
    status = fill(context, run);
    wick_run_free(run);
    return status;
}

static void prepare_run(wick_context *context, const char *folder)
{
    FAULT_MUST(run_make(context, folder));
}

static bool is_there(const char *folder, const char *name)
{
    char path[FAULT_PATH];
    struct stat info;
    return stat(fault_path(path, folder, name), &info) == 0;
}

/* However far it came, what is there is whole, and a run that failed at once can be made again. */
static void after_make(wick_context *context, const char *folder, wick_status status)
{
    char path[FAULT_PATH];
    wick_run *run;
    wick_run_args args = args_of(2);
    fault_path(path, folder, "runs/one");
    if (!is_there(folder, "runs/one/args.json")) {
        FAULT_CHECK(status != WICK_OK);
        FAULT_MUST(wick_run_create(context, path, false, &args, &run));
        wick_run_free(run);
        return;
    }
    FAULT_MUST(wick_run_open(context, path, &run));
    FAULT_CHECK(wick_run_get_args(run)->epochs == 2);
    const wick_results *results = wick_run_results(run);
    bool finished = results != NULL && is_there(folder, "runs/one/results.json");
    FAULT_CHECK(finished || status != WICK_OK);
    if (finished)
        FAULT_CHECK(results->epoch_count == 2 && results->model_loss == 1.125);
    if (is_there(folder, "runs/one/model.pth")) {
        wick_module *model;
        FAULT_MUST(wick_run_load_model(run, &model));
        FAULT_CHECK(wick_module_parameter_count(model) == 40);
        wick_module_free(model);
    }
    wick_run_free(run);
}

/* A folder that has a run in it is refused, and stays as it was. */
static wick_status run_again(wick_context *context, const char *folder)
{
    char path[FAULT_PATH];
    wick_run_args args = args_of(7);
    wick_run *run;
    wick_status status =
        wick_run_create(context, fault_path(path, folder, "runs/one"), true, &args, &run);
    if (status != WICK_OK)
        return status;
    wick_run_free(run);
    return WICK_OK;
}

static void after_again(wick_context *context, const char *folder, wick_status status)
{
    char path[FAULT_PATH];
    wick_run *run;
    FAULT_MUST(wick_run_open(context, fault_path(path, folder, "runs/one"), &run));
    int64_t made_with = wick_run_get_args(run)->epochs;
    if (status == WICK_OK)
        FAULT_CHECK(made_with == 7 && wick_run_results(run) == NULL);
    else
        FAULT_CHECK(made_with == 7 || (made_with == 2 && wick_run_results(run) != NULL));
    wick_run_free(run);
}

static wick_status run_open(wick_context *context, const char *folder)
{
    char path[FAULT_PATH];
    wick_run *run = NULL;
    wick_module *model = NULL;
    char *text = NULL, *table = NULL, *csv = NULL;
    wick_status status;
    FAULT_TRY(wick_run_open(context, fault_path(path, folder, "runs/one"), &run));
    const wick_results *results = wick_run_results(run);
    FAULT_CHECK(results != NULL && results->epoch_count == 2 && results->epochs[1].test_acc == 71);
    FAULT_CHECK(strcmp(wick_run_get_args(run)->classes[1], "square") == 0);
    FAULT_TRY(wick_run_load_model(run, &model));
    FAULT_TRY(wick_results_format(context, results, &text));
    FAULT_CHECK(strstr(text, "\"model_loss\": 1.125") != NULL);
    FAULT_TRY(wick_compare_format(context, 2, (const wick_results *const[]){results, results}, &table));
    FAULT_CHECK(strstr(table, "training_time") != NULL);
    FAULT_TRY(wick_compare_csv(context, 2, (const wick_results *const[]){results, results}, &csv));
out:
    wick_free(csv);
    wick_free(table);
    wick_free(text);
    wick_module_free(model);
    wick_run_free(run);
    return status;
}

/* What is wrong in a file is said, or else that there is no memory to say it. */
static wick_status run_open_wrong(wick_context *context, const char *folder)
{
    char path[FAULT_PATH];
    wick_run *run;
    wick_status status = wick_run_open(context, fault_path(path, folder, "runs/one"), &run);
    FAULT_CHECK(status != WICK_OK);
    if (status != WICK_EFORMAT)
        return status;
    FAULT_CHECK(strstr(wick_context_message(context),
                       "args.json: line 3, column 19: \"hidden_units\" must be "
                       "a whole number from 1 to") != NULL);
    return WICK_OK;
}

static void prepare_wrong(wick_context *context, const char *folder)
{
    static const char text[] = "{\n  \"model\": \"v0\",\n  \"hidden_units\": [\"\\u00e9\", {}]\n}\n";
    prepare_run(context, folder);
    fault_write(folder, "runs/one/args.json", text, sizeof(text) - 1);
}

const fault_scenario fault_scenarios[] = {
    {.name = "make", .run = run_make, .after = after_make},
    {.name = "make_again", .prepare = prepare_run, .run = run_again, .after = after_again},
    {.name = "open", .prepare = prepare_run, .run = run_open},
    {.name = "open_wrong", .prepare = prepare_wrong, .run = run_open_wrong},
    {0},
};

/* wick compare: runs side by side. */
#include "json_out.h"
#include "output_files.h"
#include "python.h"
#include "settings.h"

#include <limits.h>
#include <stdlib.h>

typedef struct compare_args {
    cli_operands operands;
    const char *csv;
    bool json;
} compare_args;

static const cli_option options[] = {
    {"csv", "FILE", OPTION_TEXT, offsetof(compare_args, csv), 0, 0, "write the table there too, as CSV"},
    JSON_OPTION(compare_args),
    {0},
};

static const compare_args defaults = {0};

static const char about[] =
    "Prints the results of finished runs, in the order they are given, as the chapter's DataFrame\n"
    "shows them: model_loss and model_acc are means over the test half's batches, training_time\n"
    "is in seconds.\n";

static const char examples[] = "  wick compare runs/train runs/train2\n"
                               "      two trainings beside each other\n"
                               "  wick compare runs/notebook/model_* --csv models.csv\n"
                               "      the chapter's three models, for a spreadsheet too\n";

static wick_status print(cli_app *app, const compare_args *args, const wick_results *const *results)
{
    char *text;
    int64_t count = args->operands.count;
    if (args->csv != NULL) {
        TRY(wick_compare_csv(app->context, count, results, &text));
        wick_status status = file_write(app, args->csv, text);
        wick_free(text);
        TRY(status);
    }
    if (args->json) {
        cli_json json = {0};
        json_open(&json, NULL, '{');
        json_open(&json, "runs", '[');
        for (int64_t i = 0; i < count; i++) {
            json_open(&json, NULL, '{');
            json_text(&json, "run", args->operands.at[i]);
            json_results(&json, results[i]);
            json_close(&json, '}');
        }
        json_close(&json, ']');
        json_close(&json, '}');
        putchar('\n');
        return WICK_OK;
    }
    TRY(wick_compare_format(app->context, count, results, &text));
    say(app, "%s", text);
    wick_free(text);
    return WICK_OK;
}

static wick_status open_runs(cli_app *app, const compare_args *args, wick_run **runs,
                             const wick_results **results)
{
    for (int i = 0; i < args->operands.count; i++) {
        const char *folder = args->operands.at[i];
        TRY(wick_run_open(app->context, folder, &runs[i]));
        results[i] = wick_run_results(runs[i]);
        if (results[i] == NULL)
            return app_fail(app, WICK_ENOENT, "%s: has no results.json: its training did not finish",
                            folder);
    }
    return WICK_OK;
}

static wick_status run(cli_app *app, void *memory)
{
    const compare_args *args = memory;
    size_t count = (size_t)args->operands.count;
    wick_run **runs = calloc(count, sizeof(*runs));
    const wick_results **results = calloc(count, sizeof(*results));
    wick_status status = WICK_OK;
    if (runs == NULL || results == NULL)
        status = app_fail(app, WICK_ENOMEM, "out of memory");
    if (status == WICK_OK)
        status = open_runs(app, args, runs, results);
    if (status == WICK_OK)
        status = print(app, args, results);
    for (size_t i = 0; runs != NULL && i < count; i++)
        wick_run_free(runs[i]);
    free(runs);
    free(results);
    return status;
}

const cli_command command_compare = {
    .name = "compare",
    .summary = "put the results of several runs side by side",
    .operands = "RUN...",
    .about = about,
    .examples = examples,
    .options = options,
    .defaults = &defaults,
    .args_size = sizeof(compare_args),
    .min_operands = 1,
    .max_operands = INT_MAX,
    .run = run,
};

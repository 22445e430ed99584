/* wick compare: runs side by side. */
#include "figures.h"
#include "json_out.h"
#include "output_files.h"
#include "picture_input.h"
#include "python.h"
#include "run_page.h"
#include "settings.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct compare_args {
    cli_operands operands;
    const char *csv, *plot, *report;
    bool json;
} compare_args;

static const cli_option options[] = {
    {"csv", "FILE", OPTION_TEXT, offsetof(compare_args, csv), 0, 0, "write the table there too, as CSV"},
    {"plot", "FILE", OPTION_TEXT, offsetof(compare_args, plot), 0, 0,
     "draw accuracy, training time and the curves of the runs there, as .png or .svg"},
    {"report", "FILE", OPTION_TEXT, offsetof(compare_args, report), 0, 0,
     "write a page there (HTML): the results, the curves and the settings of the runs"},
    JSON_OPTION(compare_args),
    {0},
};

static const compare_args defaults = {0};

static const char about[] =
    "Prints the results of finished runs, in the order they are given, as the chapter's DataFrame\n"
    "shows them: model_loss and model_acc are means over the test half's batches, training_time\n"
    "is in seconds. Where several models have one name their runs' folders stand before it.\n";

static const char examples[] = "  wick compare runs/train runs/train2\n"
                               "      two trainings beside each other\n"
                               "  wick compare runs/notebook/model_* --csv models.csv\n"
                               "      the chapter's three models, for a spreadsheet too\n"
                               "  wick compare runs/train runs/train2 --plot compare.png\n"
                               "      the same as a picture, with the curves of both trainings\n"
                               "  wick compare runs/* --report runs/report.html\n"
                               "      a page of all runs, with links to their own\n";

/* Whether every model has a name of its own: else the runs' folders say which is which. */
static bool names_differ(const wick_results *const *results, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(results[i]->model_name, results[k]->model_name) == 0)
                return false;
    return true;
}

/* The results as they are shown: where models have one name, with their run's folder before it: "runs/a: Sequential". */
typedef struct named_rows {
    size_t count;
    wick_results *results;
    const wick_results **rows;
    char **names;
} named_rows;

static void rows_release(named_rows *named)
{
    for (size_t i = 0; named->names != NULL && i < named->count; i++)
        free(named->names[i]);
    free(named->names);
    free(named->rows);
    free(named->results);
}

static wick_status name_row(cli_app *app, const char *folder, const char *model, char **out)
{
    char *plain;
    TRY(plain_text(app, folder, &plain));
    int length = asprintf(out, "%s: %s", plain, model);
    free(plain);
    if (length >= 0)
        return WICK_OK;
    *out = NULL;
    return app_fail(app, WICK_ENOMEM, "out of memory");
}

/* On failure too, rows_release(). */
static wick_status rows_make(cli_app *app, const compare_args *args, const wick_results *const *results,
                             named_rows *named)
{
    const size_t count = (size_t)args->operands.count;
    const bool differ = names_differ(results, count);
    *named = (named_rows){.count = count,
                          .results = calloc(count, sizeof(*named->results)),
                          .rows = calloc(count, sizeof(*named->rows)),
                          .names = calloc(count, sizeof(*named->names))};
    if (named->results == NULL || named->rows == NULL || named->names == NULL)
        return app_fail(app, WICK_ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        named->results[i] = *results[i];
        named->rows[i] = &named->results[i];
        if (differ)
            continue;
        TRY(name_row(app, args->operands.at[i], results[i]->model_name, &named->names[i]));
        named->results[i].model_name = named->names[i];
    }
    return WICK_OK;
}

static wick_status write_csv(cli_app *app, const char *path, const named_rows *named)
{
    char *text;
    TRY(wick_compare_csv(app->context, (int64_t)named->count, named->rows, &text));
    wick_status status = file_write(app, path, text);
    wick_free(text);
    return status;
}

static wick_status say_table(cli_app *app, const named_rows *named)
{
    char *text;
    TRY(wick_compare_format(app->context, (int64_t)named->count, named->rows, &text));
    say(app, "%s", text);
    wick_free(text);
    return WICK_OK;
}

static void print_json(const compare_args *args, const wick_results *const *results)
{
    cli_json json = {0};
    json_open(&json, NULL, '{');
    json_open(&json, "runs", '[');
    for (int i = 0; i < args->operands.count; i++) {
        json_open(&json, NULL, '{');
        json_text(&json, "run", args->operands.at[i]);
        json_results(&json, results[i]);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
    putchar('\n');
}

static wick_status print(cli_app *app, const compare_args *args, const wick_results *const *results)
{
    named_rows named;
    wick_status status = rows_make(app, args, results, &named);
    if (status == WICK_OK && args->csv != NULL)
        status = write_csv(app, args->csv, &named);
    if (status == WICK_OK && args->json)
        print_json(args, results);
    else if (status == WICK_OK)
        status = say_table(app, &named);
    rows_release(&named);
    return status;
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

/* ---- as a figure ---- */

typedef struct compare_figure {
    wick_bar *bars;
    wick_curve *curves;
    cli_steps *steps;
} compare_figure;

static wick_status fill_figure(cli_app *app, const compare_args *args, wick_run *const *runs,
                               const wick_results *const *results, compare_figure *content)
{
    const size_t count = (size_t)args->operands.count;
    const bool by_model = names_differ(results, count);
    for (size_t i = 0; i < count; i++) {
        const char *name = by_model ? results[i]->model_name : args->operands.at[i];
        TRY(steps_load(app, runs[i], INT64_MAX, &content->steps[i]));
        content->bars[i] = (wick_bar){name, results[i]->model_acc, results[i]->train_time};
        content->curves[i] = figures_curve(name, runs[i], &content->steps[i]);
    }
    return WICK_OK;
}

static wick_status draw_figure(cli_app *app, const compare_args *args, const compare_figure *content)
{
    cli_figures figures = {0};
    wick_figure *figure = NULL;
    int64_t count = args->operands.count;
    const wick_bars_plot bars = {count, content->bars, count == 1 ? NULL : "Runs side by side"};
    const wick_curves_plot curves = {count, content->curves, NULL};
    TRY(figures_need(app, &figures));
    wick_status drawn = wick_plot_compare(figures.plotter, &bars, &curves, &figure);
    wick_status status = figures_keep_as(drawn, figure, args->plot);
    figures_close(&figures);
    return status;
}

static wick_status draw(cli_app *app, const compare_args *args, wick_run *const *runs,
                        const wick_results *const *results)
{
    size_t count = (size_t)args->operands.count;
    compare_figure content = {calloc(count, sizeof(*content.bars)),
                              calloc(count, sizeof(*content.curves)),
                              calloc(count, sizeof(*content.steps))};
    wick_status status = WICK_OK;
    if (content.bars == NULL || content.curves == NULL || content.steps == NULL)
        status = app_fail(app, WICK_ENOMEM, "out of memory");
    if (status == WICK_OK)
        status = fill_figure(app, args, runs, results, &content);
    if (status == WICK_OK && args->plot != NULL)
        status = draw_figure(app, args, &content);
    if (status == WICK_OK && args->report != NULL)
        status = page_of_runs(app, args->operands.count, runs, content.steps, args->report);
    for (size_t i = 0; content.steps != NULL && i < count; i++)
        steps_release(&content.steps[i]);
    free(content.bars);
    free(content.curves);
    free(content.steps);
    return status;
}

static wick_status work(cli_app *app, const compare_args *args, wick_run **runs,
                        const wick_results **results)
{
    if (args->plot != NULL)
        TRY(figures_check_path(app, "--plot", args->plot));
    TRY(open_runs(app, args, runs, results));
    if (args->plot != NULL || args->report != NULL)
        TRY(draw(app, args, runs, results));
    return print(app, args, results);
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
        status = work(app, args, runs, results);
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

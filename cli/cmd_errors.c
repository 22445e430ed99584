/* wick errors: what a model gets wrong, surest first. */
#include "bar.h"
#include "example_file.h"
#include "figures.h"
#include "json_out.h"
#include "model_source.h"
#include "settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS_SHOWN = 10, NAMED = 3 };

typedef struct errors_args {
    cli_operands operands;
    cli_source_args source;
    cli_machine_args machine;
    int64_t count, limit;
    const char *out;
    bool json;
} errors_args;

static const cli_option options[] = {
    {"count", "N", OPTION_INT, offsetof(errors_args, count), 1, INT32_MAX,
     "how many wrong predictions to show, the surest first"},
    {"out", "FILE", OPTION_TEXT, offsetof(errors_args, out), 0, 0,
     "draw them there, as .png or .svg: each image with its probabilities, and the pairs"},
    SOURCE_OPTIONS(errors_args),
    SOURCE_CHANNELS_OPTION(errors_args),
    SOURCE_READING_OPTIONS(errors_args),
    SOURCE_TTA_OPTION(errors_args),
    {"limit", "N", OPTION_INT, offsetof(errors_args, limit), 0, INT32_MAX,
     "use only the first N test images, of a folder of pictures N spread evenly over it, 0 for all; "
     "else as the run did"},
    MACHINE_OPTIONS(errors_args),
    JSON_OPTION(errors_args),
    {0},
};

static const errors_args defaults = {.count = 24, .limit = -1, .machine = MACHINE_DEFAULTS};

static const char about[] =
    "Evaluates a run's model, or weights in a file, on the test half of the data and shows what it\n"
    "gets wrong: the predictions that it is surest of, beside the class that the label says, with\n"
    "the probabilities; and the pairs of classes that are most often taken for each other. A sure\n"
    "mistake on an image that you would call the same is a label to look at; a pair with many is\n"
    "where the model lacks something. Pictures of a folder are named by their files.\n";

static const char examples[] =
    "  wick errors runs/train\n"
    "      the surest mistakes, as a table\n"
    "  wick errors runs/train --count 60 --out errors.png\n"
    "      the same as a picture, each image beside what it should have been\n"
    "  wick errors model_2.pth --model v2 --json\n"
    "      of weights that PyTorch saved, for a program to read\n";

typedef struct errors_work {
    cli_source source;
    wick_loader *loader;
    wick_loss *loss_fn;
    cli_bar bar;
    wick_metrics metrics;
    wick_tensor *logits, *labels, *probabilities, *confusion;
    wick_error *errors;
    wick_confused_pair *pairs;
    int64_t error_count, shown, pair_count, pairs_shown;
} errors_work;

static void work_release(errors_work *work)
{
    wick_free(work->errors);
    wick_free(work->pairs);
    wick_tensor_free(work->logits);
    wick_tensor_free(work->labels);
    wick_tensor_free(work->probabilities);
    wick_tensor_free(work->confusion);
    wick_loss_free(work->loss_fn);
    wick_loader_free(work->loader);
    source_release(&work->source);
}

/* ---- finding them ---- */

static wick_status open_all(cli_app *app, const errors_args *args, errors_work *work)
{
    if (args->out != NULL)
        TRY(figures_check_path(app, "--out", args->out));
    TRY(settings_use_machine(app, &args->machine));
    TRY(source_open(app, args->operands.at[0], &args->source, &work->source));
    const wick_run_args *run = work->source.run == NULL ? NULL : wick_run_get_args(work->source.run);
    work->source.data.limit = args->limit >= 0 ? args->limit : run != NULL ? run->limit : 0;
    TRY(source_dataset(app, &work->source, WICK_TEST));
    const wick_loader_options in_order = {.batch_size = run != NULL ? run->batch_size : 32,
                                          .mean = work->source.data.mean,
                                          .std = work->source.data.std};
    TRY(wick_loader_new(work->source.dataset, &in_order, &work->loader));
    return wick_cross_entropy_loss(app->context, &work->loss_fn);
}

static void on_batch(void *user, int64_t batch, int64_t batches, float loss)
{
    (void)loss;
    bar_update(user, batch + 1, batches);
}

static wick_status find(cli_app *app, const errors_args *args, errors_work *work)
{
    const wick_progress progress = {on_batch, &work->bar};
    bar_init(&work->bar);
    bar_start(&work->bar, "Evaluating", "it");
    wick_status status = wick_eval_model(work->source.model, work->loader, work->loss_fn, &progress,
                                         &work->metrics, &work->logits, &work->labels);
    bar_clear(&work->bar);
    TRY(status);
    TRY(wick_tensor_softmax(work->logits, &work->probabilities));
    TRY(wick_wrong_predictions(work->probabilities, work->labels, &work->errors, &work->error_count));
    TRY(figures_confusion(work->source.dataset, work->logits, app, &work->confusion));
    TRY(wick_confused_pairs(work->confusion, &work->pairs, &work->pair_count));
    work->shown = args->count < work->error_count ? args->count : work->error_count;
    work->pairs_shown = work->pair_count < PAIRS_SHOWN ? work->pair_count : PAIRS_SHOWN;
    return WICK_OK;
}

static const float *probabilities_of(const errors_work *work, const wick_error *error)
{
    const float *rows = wick_tensor_cdata(work->probabilities);
    return rows + error->index * work->source.class_count;
}

/* ---- as text ---- */

/* The longest class name among the rows shown. */
static int name_width(const errors_work *work)
{
    size_t width = strlen("prediction");
    for (int64_t i = 0; i < work->shown; i++) {
        size_t truth = strlen(work->source.classes[work->errors[i].truth]);
        size_t prediction = strlen(work->source.classes[work->errors[i].prediction]);
        width = truth > width ? truth : width;
        width = prediction > width ? prediction : width;
    }
    return (int)width;
}

/* The most probable class that is less so than class `than` (or as much, and after it); -1 if there is
 * none. */
static int64_t next_class(const float *row, int64_t count, int64_t than)
{
    int64_t best = -1;
    for (int64_t c = 0; c < count; c++) {
        if (than >= 0 && !(row[c] < row[than] || (row[c] == row[than] && c > than)))
            continue;
        if (best < 0 || row[c] > row[best])
            best = c;
    }
    return best;
}

static void say_probabilities(const cli_app *app, const errors_work *work, const wick_error *error)
{
    const float *row = probabilities_of(work, error);
    bool truth_named = false;
    int64_t class = -1;
    for (int i = 0; i < NAMED; i++) {
        class = next_class(row, work->source.class_count, class);
        if (class < 0)
            break;
        truth_named = truth_named || class == error->truth;
        say(app, "%s%s %.2f%%", i == 0 ? "" : ", ", work->source.classes[class],
            100 * (double)row[class]);
    }
    if (!truth_named)
        say(app, ", %s %.2f%%", work->source.classes[error->truth], 100 * (double)row[error->truth]);
}

static wick_status say_errors(cli_app *app, const errors_work *work)
{
    int width = name_width(work);
    say(app, "\nWrong predictions, surest first (%" PRId64 " of %" PRId64 ")\n", work->shown,
        work->error_count);
    say(app, "%8s  %-*s  %-*s  probabilities\n", "image", width, "truth", width, "prediction");
    for (int64_t i = 0; i < work->shown; i++) {
        const wick_error *error = &work->errors[i];
        say(app, "%8" PRId64 "  %-*s  %-*s  ", error->index, width, work->source.classes[error->truth],
            width, work->source.classes[error->prediction]);
        say_probabilities(app, work, error);
        TRY(say_file_of(app, "  ", work->source.dataset, error->index));
        say(app, "\n");
    }
    return WICK_OK;
}

static void say_pairs(const cli_app *app, const errors_work *work)
{
    say(app, "\nClasses most often taken for each other\n");
    for (int64_t i = 0; i < work->pairs_shown; i++) {
        const wick_confused_pair *pair = &work->pairs[i];
        const char *a = work->source.classes[pair->a], *b = work->source.classes[pair->b];
        say(app, "%8" PRId64 "  %s and %s: %" PRId64 " %s as %s, %" PRId64 " %s as %s\n",
            pair->a_as_b + pair->b_as_a, a, b, pair->a_as_b, a, b, pair->b_as_a, b, a);
    }
}

static wick_status print_text(cli_app *app, const errors_args *args, const errors_work *work)
{
    int64_t count = work->metrics.count;
    say(app, "%" PRId64 " of %" PRId64 " test images are wrong (%.2f%%)\n", work->error_count, count,
        100.0 * (double)work->error_count / (double)count);
    if (work->error_count > 0) {
        TRY(say_errors(app, work));
        say_pairs(app, work);
    }
    if (args->out != NULL)
        say(app, "\nFigure: %s\n", args->out);
    return WICK_OK;
}

/* ---- as JSON ---- */

static wick_status json_error(cli_app *app, cli_json *json, const errors_work *work,
                              const wick_error *error)
{
    const float *row = probabilities_of(work, error);
    json_open(json, NULL, '{');
    json_int(json, "index", error->index);
    TRY(json_file_of(app, json, work->source.dataset, error->index));
    json_text(json, "truth", work->source.classes[error->truth]);
    json_text(json, "prediction", work->source.classes[error->prediction]);
    json_number(json, "probability", (double)error->probability);
    json_open(json, "probabilities", '[');
    for (int64_t c = 0; c < work->source.class_count; c++)
        json_number(json, NULL, (double)row[c]);
    json_close(json, ']');
    json_close(json, '}');
    return WICK_OK;
}

static void json_pair(cli_json *json, const errors_work *work, const wick_confused_pair *pair)
{
    json_open(json, NULL, '{');
    json_text(json, "a", work->source.classes[pair->a]);
    json_text(json, "b", work->source.classes[pair->b]);
    json_int(json, "count", pair->a_as_b + pair->b_as_a);
    json_int(json, "a_as_b", pair->a_as_b);
    json_int(json, "b_as_a", pair->b_as_a);
    json_close(json, '}');
}

static wick_status print_json(cli_app *app, const errors_args *args, const errors_work *work)
{
    cli_json json = {0};
    json_open(&json, NULL, '{');
    json_text(&json, "run", args->operands.at[0]);
    json_int(&json, "count", work->metrics.count);
    json_int(&json, "wrong", work->error_count);
    if (model_tta(work->source.model) != NULL)
        json_text(&json, "tta", model_tta(work->source.model));
    json_open(&json, "classes", '[');
    for (int64_t c = 0; c < work->source.class_count; c++)
        json_text(&json, NULL, work->source.classes[c]);
    json_close(&json, ']');
    json_open(&json, "errors", '[');
    for (int64_t i = 0; i < work->shown; i++)
        TRY(json_error(app, &json, work, &work->errors[i]));
    json_close(&json, ']');
    json_open(&json, "pairs", '[');
    for (int64_t i = 0; i < work->pair_count; i++)
        json_pair(&json, work, &work->pairs[i]);
    json_close(&json, ']');
    json_close(&json, '}');
    putchar('\n');
    return WICK_OK;
}

/* ---- as a figure ---- */

static wick_status draw_tiles(cli_app *app, const errors_args *args, const errors_work *work,
                              const wick_error_tile *tiles)
{
    char title[256];
    cli_figures figures = {0};
    wick_figure *figure;
    const wick_errors_plot plot = {
        .count = work->shown,
        .tiles = tiles,
        .probabilities = work->probabilities,
        .confusion = work->confusion,
        .classes = work->source.classes,
        .pairs = PAIRS_SHOWN,
        .title = title,
    };
    snprintf(title, sizeof(title), "Wrong predictions of %s",
             wick_module_class_name(work->source.model));
    TRY(figures_need(app, &figures));
    wick_status drawn = wick_plot_errors(figures.plotter, &plot, &figure);
    wick_status status = figures_keep_as(drawn, figure, args->out);
    figures_close(&figures);
    return status;
}

static wick_status draw(cli_app *app, const errors_args *args, const errors_work *work)
{
    wick_error_tile *tiles = calloc((size_t)work->shown + 1, sizeof(*tiles));
    wick_tensor **images = calloc((size_t)work->shown + 1, sizeof(*images));
    wick_status status = WICK_OK;
    if (tiles == NULL || images == NULL)
        status = app_fail(app, WICK_ENOMEM, "out of memory");
    for (int64_t i = 0; status == WICK_OK && i < work->shown; i++) {
        status = wick_dataset_get(work->source.dataset, work->errors[i].index, &images[i], NULL);
        tiles[i] = (wick_error_tile){images[i], work->errors[i]};
    }
    if (status == WICK_OK)
        status = draw_tiles(app, args, work, tiles);
    for (int64_t i = 0; images != NULL && i < work->shown; i++)
        wick_tensor_free(images[i]);
    free(images);
    free(tiles);
    return status;
}

static wick_status run(cli_app *app, void *memory)
{
    const errors_args *args = memory;
    errors_work work = {0};
    app->quiet = args->json;
    wick_status status = open_all(app, args, &work);
    if (status == WICK_OK)
        status = find(app, args, &work);
    if (status == WICK_OK && args->out != NULL)
        status = draw(app, args, &work);
    if (status == WICK_OK && args->json)
        status = print_json(app, args, &work);
    else if (status == WICK_OK)
        status = print_text(app, args, &work);
    work_release(&work);
    return status;
}

const cli_command command_errors = {
    .name = "errors",
    .summary = "what a model gets wrong, surest first",
    .operands = "RUN|FILE.pth",
    .about = about,
    .examples = examples,
    .options = options,
    .defaults = &defaults,
    .args_size = sizeof(errors_args),
    .min_operands = 1,
    .max_operands = 1,
    .interruptible = true,
    .run = run,
};

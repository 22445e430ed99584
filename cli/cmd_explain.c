/* wick explain: what a model sees in one image. */
#include "example_file.h"
#include "json_out.h"
#include "output_files.h"
#include "picture.h"
#include "picture_input.h"
#include "settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct explain_args {
    cli_operands operands;
    cli_source_args source;
    cli_picture_args picture;
    cli_machine_args machine;
    int64_t index, channels;
    const char *split, *out;
    bool values, json;
} explain_args;

static const cli_option options[] = {
    SOURCE_OPTIONS(explain_args),
    SOURCE_READING_OPTIONS(explain_args),
    {"index", "N", OPTION_INT, offsetof(explain_args, index), 0, INT32_MAX,
     "image N of the data set, instead of a picture"},
    {"split", "train|test", OPTION_CHOICE, offsetof(explain_args, split), 0, 0,
     "which half --index counts in"},
    PICTURE_OPTIONS(explain_args),
    {"out", "FILE", OPTION_TEXT, offsetof(explain_args, out), 0, 0,
     "the figure, a .png or an .svg; else explain.png in the run's folder or, of a file, beside you"},
    {"channels", "N", OPTION_INT, offsetof(explain_args, channels), 1, 4096,
     "how many channels of a layer the figure shows at most; a file's images have those they have"},
    MACHINE_OPTIONS(explain_args),
    {"values", "", OPTION_BOOL, offsetof(explain_args, values), 0, 0,
     "with --json: every number of every layer too"},
    JSON_OPTION(explain_args),
    {0},
};

static const explain_args defaults = {.index = -1,
                                      .channels = 32,
                                      .split = "test",
                                      .picture = PICTURE_DEFAULTS,
                                      .machine = MACHINE_DEFAULTS};

static const char about[] =
    "Runs a model on one image, a PNG or JPEG picture or one of the data set, and shows what\n"
    "every layer makes of it: in numbers on stdout, and as a figure with the image, the class\n"
    "probabilities, the first layer's kernels and all activations. Of a run that was trained with\n"
    "--tta flip they are those of the image alone.\n"
    "A picture is made what the model was trained on as 'wick predict' does it.\n";

static const char examples[] =
    "  wick explain runs/train boot.jpg\n"
    "      a picture's way through the run's model, in runs/train/explain.png\n"
    "  wick explain runs/train --index 7 --out seven.svg\n"
    "      the test half's image 7\n"
    "  wick explain model_2.pth --model v2 --index 0 --json --values\n"
    "      weights that PyTorch saved; every activation, for a program to read\n";

enum { MOST_LAYERS = 1024 };

typedef struct explain_work {
    cli_source source;
    cli_input input;     /* of a picture */
    wick_tensor *pixels; /* uint8 [channels, height, width] */
    wick_tensor *image;  /* the same as the model gets it */
    int64_t truth;       /* -1: not known */
    wick_explain_layer *layers;
    char (*paths)[128];
    int path_width; /* the longest */
    int64_t count;
    wick_tensor *kernels; /* NULL: the first layer has none that can be drawn */
    char kernels_path[128];
    wick_tensor *probabilities; /* [classes] */
    char *out;
} explain_work;

static void work_release(explain_work *work)
{
    for (int64_t i = 0; i < work->count; i++)
        wick_tensor_free((wick_tensor *)work->layers[i].output);
    free(work->layers);
    free(work->paths);
    wick_tensor_free(work->kernels);
    wick_tensor_free(work->probabilities);
    wick_tensor_free(work->image);
    if (work->pixels != work->input.image)
        wick_tensor_free(work->pixels);
    input_release(&work->input);
    source_release(&work->source);
    free(work->out);
}

/* ---- the image ---- */

static wick_status take_example(cli_app *app, const explain_args *args, explain_work *work)
{
    cli_source *source = &work->source;
    TRY(source_dataset(app, source, strcmp(args->split, "test") == 0 ? WICK_TEST : WICK_TRAIN));
    int64_t count = wick_dataset_count(source->dataset);
    if (args->index >= count)
        return app_usage(app, "--index must be from 0 to %" PRId64 ", not %" PRId64, count - 1,
                         args->index);
    work->truth = wick_dataset_labels(source->dataset)[args->index];
    TRY(wick_dataset_get_pixels(source->dataset, args->index, &work->pixels));
    return wick_image_to_float(work->pixels, &work->image);
}

static wick_status take_image(cli_app *app, const explain_args *args, explain_work *work)
{
    work->truth = -1;
    if (args->index >= 0)
        return take_example(app, args, work);
    TRY(input_read(app, args->operands.at[1], &args->picture, &work->source, &work->input));
    work->pixels = work->input.image;
    return wick_image_to_float(work->pixels, &work->image);
}

/* ---- the layers ---- */

static wick_status keep_layer(void *user, const char *path, const wick_module *layer,
                              const wick_tensor *output)
{
    explain_work *work = user;
    wick_tensor *copy;
    if (work->count == MOST_LAYERS)
        return WICK_ELIMIT;
    TRY(wick_tensor_clone(output, &copy));
    snprintf(work->paths[work->count], sizeof(work->paths[0]), "%s", path);
    work->layers[work->count] =
        (wick_explain_layer){work->paths[work->count], wick_module_class_name(layer), copy};
    work->count++;
    int length = (int)strlen(path);
    work->path_width = length > work->path_width ? length : work->path_width;
    return WICK_OK;
}

/* The first layer's weights as images: those of a convolution are, those of a linear layer where it sees
 * the image itself, number by number. */
static wick_status take_kernels(explain_work *work)
{
    wick_state_dict *dict;
    const int64_t *image = work->source.image_shape;
    TRY(wick_module_state_dict(work->source.model, &dict));
    const wick_tensor *weight = wick_state_dict_tensor(dict, 0);
    wick_status status = WICK_OK;
    if (weight != NULL && image[0] != 2 && image[0] <= 3) {
        int64_t shape[4] = {wick_tensor_size(weight, 0), image[0], image[1], image[2]};
        bool whole = wick_tensor_ndim(weight) == 2 &&
                     wick_tensor_size(weight, 1) == image[0] * image[1] * image[2];
        bool kernel = wick_tensor_ndim(weight) == 4 && wick_tensor_size(weight, 1) == image[0];
        if (whole || kernel)
            status = wick_tensor_clone(weight, &work->kernels);
        if (whole && status == WICK_OK)
            status = wick_tensor_reshape(work->kernels, 4, shape);
        snprintf(work->kernels_path, sizeof(work->kernels_path), "%s", wick_state_dict_key(dict, 0));
    }
    wick_state_dict_free(dict);
    return status;
}

static wick_status take_layers(cli_app *app, explain_work *work)
{
    wick_tensor *batch, *rows;
    work->layers = calloc(MOST_LAYERS, sizeof(*work->layers));
    work->paths = calloc(MOST_LAYERS, sizeof(*work->paths));
    if (work->layers == NULL || work->paths == NULL)
        return app_fail(app, WICK_ENOMEM, "out of memory");
    TRY(wick_tensor_unsqueeze(work->image, 0, &batch));
    wick_status status = WICK_OK;
    if (work->source.data.mean != NULL)
        status = wick_image_normalize(batch, work->source.data.mean, work->source.data.std);
    if (status == WICK_OK)
        status = wick_module_activations(work->source.model, batch, keep_layer, work);
    if (status == WICK_OK)
        status = wick_make_predictions(work->source.model, batch, &rows);
    wick_tensor_free(batch);
    TRY(status);
    status = wick_tensor_select(rows, 0, &work->probabilities);
    wick_tensor_free(rows);
    TRY(status);
    return take_kernels(work);
}

/* ---- text ---- */

typedef struct layer_facts {
    double low, high, mean, zeros; /* zeros: their share */
} layer_facts;

static layer_facts facts_of(const wick_tensor *tensor)
{
    const float *numbers = wick_tensor_cdata(tensor);
    int64_t count = wick_tensor_numel(tensor);
    layer_facts facts = {.low = (double)numbers[0], .high = (double)numbers[0]};
    for (int64_t i = 0; i < count; i++) {
        double number = (double)numbers[i];
        facts.low = number < facts.low ? number : facts.low;
        facts.high = number > facts.high ? number : facts.high;
        facts.mean += number / (double)count;
        facts.zeros += (number == 0) / (double)count;
    }
    return facts;
}

/* "[10, 28, 28]", the batch left out. */
static const char *shape_text(const wick_tensor *tensor, char out[64])
{
    int used = snprintf(out, 64, "[");
    for (int d = 1; d < wick_tensor_ndim(tensor) && used < 60; d++)
        used += snprintf(out + used, (size_t)(64 - used), "%s%" PRId64, d == 1 ? "" : ", ",
                         wick_tensor_size(tensor, d));
    if (used < 63)
        strcpy(out + used, "]");
    return out;
}

static void say_layers(const cli_app *app, const explain_work *work)
{
    char shape[64];
    int path_width = work->path_width > 5 ? work->path_width : 5;
    say(app, "%-*s  %-10s %-14s %10s %10s %10s %7s\n", path_width, "layer", "kind", "output", "smallest",
        "mean", "largest", "zeros");
    for (int64_t i = 0; i < work->count; i++) {
        const wick_explain_layer *layer = &work->layers[i];
        layer_facts facts = facts_of(layer->output);
        say(app, "%-*s  %-10s %-14s %10.4f %10.4f %10.4f %6.1f%%\n", path_width, layer->path,
            layer->kind, shape_text(layer->output, shape), facts.low, facts.mean, facts.high,
            100 * facts.zeros);
    }
}

static int64_t best_of(const wick_tensor *probabilities)
{
    const float *p = wick_tensor_cdata(probabilities);
    int64_t best = 0;
    for (int64_t i = 1; i < wick_tensor_numel(probabilities); i++)
        best = p[i] > p[best] ? i : best;
    return best;
}

static wick_status say_image(cli_app *app, const explain_args *args, const explain_work *work)
{
    cli_canvas canvas;
    char *name, text[INPUT_TEXT];
    if (args->index >= 0) {
        say(app, "%s_data[%" PRId64 "]: label %" PRId64 ", %s", args->split, args->index, work->truth,
            work->source.classes[work->truth]);
        TRY(say_file_of(app, ", ", work->source.dataset, args->index));
        say(app, "\n");
    } else {
        TRY(plain_text(app, args->operands.at[1], &name));
        say(app, "%s: %s\n", name, input_describe(&work->input, text));
        free(name);
    }
    canvas_init(&canvas, app);
    return canvas.on ? canvas_draw(app, &canvas, 1, &work->pixels, NULL) : WICK_OK;
}

static void say_classes_of(const cli_app *app, const explain_work *work)
{
    const float *p = wick_tensor_cdata(work->probabilities);
    int64_t best = best_of(work->probabilities);
    for (int64_t i = 0; i < work->source.class_count; i++)
        say(app, "%7.2f%%  %s%s%s\n", 100.0 * (double)p[i], work->source.classes[i],
            i == best ? "  <- the prediction" : "", i == work->truth ? "  <- the truth" : "");
}

static wick_status print_text(cli_app *app, const explain_args *args, const explain_work *work)
{
    TRY(say_image(app, args, work));
    say(app, "\n");
    say_layers(app, work);
    say(app, "\n");
    say_classes_of(app, work);
    if (work->out != NULL)
        say(app, "\nFigure: %s\n", work->out);
    return WICK_OK;
}

/* ---- JSON ---- */

static void json_layer(cli_json *json, const wick_explain_layer *layer, bool values)
{
    layer_facts facts = facts_of(layer->output);
    json_open(json, NULL, '{');
    json_text(json, "layer", layer->path);
    json_text(json, "kind", layer->kind);
    json_open(json, "shape", '[');
    for (int d = 1; d < wick_tensor_ndim(layer->output); d++)
        json_int(json, NULL, wick_tensor_size(layer->output, d));
    json_close(json, ']');
    json_number(json, "min", facts.low);
    json_number(json, "mean", facts.mean);
    json_number(json, "max", facts.high);
    json_number(json, "zeros", facts.zeros);
    if (values)
        json_tensor(json, "output", layer->output);
    json_close(json, '}');
}

static wick_status print_json(cli_app *app, const explain_args *args, const explain_work *work)
{
    cli_json json = {0};
    int64_t best = best_of(work->probabilities);
    json_open(&json, NULL, '{');
    json_text(&json, "model_name", wick_module_class_name(work->source.model));
    if (args->index >= 0) {
        json_text(&json, "split", args->split);
        json_int(&json, "index", args->index);
        TRY(json_file_of(app, &json, work->source.dataset, args->index));
        json_int(&json, "truth", work->truth);
    } else {
        json_text(&json, "path", args->operands.at[1]);
        json_bool(&json, "inverted", work->input.inverted);
    }
    json_int(&json, "label", best);
    json_text(&json, "class", work->source.classes[best]);
    json_tensor(&json, "probabilities", work->probabilities);
    if (args->values)
        json_tensor(&json, "image", work->image);
    if (work->kernels != NULL) {
        json_text(&json, "kernels_of", work->kernels_path);
        json_tensor(&json, "kernels", work->kernels);
    }
    json_open(&json, "layers", '[');
    for (int64_t i = 0; i < work->count; i++)
        json_layer(&json, &work->layers[i], args->values);
    json_close(&json, ']');
    if (work->out != NULL)
        json_text(&json, "figure", work->out);
    json_close(&json, '}');
    putchar('\n');
    return WICK_OK;
}

/* ---- the figure ---- */

static wick_status plot(cli_app *app, const explain_args *args, const explain_work *work)
{
    const wick_explain_plot content = {
        .title = wick_module_class_name(work->source.model),
        .image = work->image,
        .layer_count = work->count,
        .layers = work->layers,
        .kernels_title = work->kernels_path,
        .kernels = work->kernels,
        .probabilities = work->probabilities,
        .classes = work->source.classes,
        .truth = work->truth,
        .channels = args->channels,
    };
    wick_plotter *plotter;
    wick_figure *figure = NULL;
    TRY(wick_plotter_new(app->context, &plotter));
    wick_status status = wick_plot_explain(plotter, &content, &figure);
    if (status == WICK_OK) {
        status = wick_figure_save(figure, work->out);
        if (status == WICK_EINVAL)
            app_blame_usage(app, status);
    }
    wick_figure_free(figure);
    wick_plotter_free(plotter);
    return status;
}

/* Where it goes. Without the libraries that draw, and without --out, there is none. */
static wick_status choose_out(cli_app *app, const explain_args *args, explain_work *work)
{
    if (args->out == NULL && work->source.run != NULL)
        return path_join(app, wick_run_folder(work->source.run), "explain.png", &work->out);
    work->out = strdup(args->out != NULL ? args->out : "explain.png");
    return work->out == NULL ? app_fail(app, WICK_ENOMEM, "out of memory") : WICK_OK;
}

static wick_status draw(cli_app *app, const explain_args *args, explain_work *work)
{
    TRY(choose_out(app, args, work));
    wick_status status = plot(app, args, work);
    if (status != WICK_ENOTSUP || args->out != NULL)
        return status;
    app_note(app, "no figure: %s", wick_context_message(app->context));
    free(work->out);
    work->out = NULL;
    return WICK_OK;
}

/* ---- all of it ---- */

static wick_status explain(cli_app *app, const explain_args *args, explain_work *work)
{
    TRY(settings_use_machine(app, &args->machine));
    /* The probabilities are to be those of the layers that are shown. */
    cli_source_args source = args->source;
    source.tta = "none";
    TRY(source_open(app, args->operands.at[0], &source, &work->source));
    TRY(take_image(app, args, work));
    TRY(take_layers(app, work));
    TRY(draw(app, args, work));
    return args->json ? print_json(app, args, work) : print_text(app, args, work);
}

static wick_status run(cli_app *app, void *memory)
{
    const explain_args *args = memory;
    explain_work work = {0};
    bool picture = args->operands.count == 2;
    if (picture == (args->index >= 0))
        return app_usage(app, picture
                                  ? "a picture and --index exclude each other"
                                  : "IMAGE is missing: a picture, or --index N for one of the data set");
    app->quiet = args->json;
    wick_status status = explain(app, args, &work);
    work_release(&work);
    return status;
}

const cli_command command_explain = {
    .name = "explain",
    .summary = "what a model sees in one image, layer by layer",
    .operands = "RUN|FILE.pth [IMAGE]",
    .about = about,
    .examples = examples,
    .options = options,
    .defaults = &defaults,
    .args_size = sizeof(explain_args),
    .min_operands = 1,
    .max_operands = 2,
    .run = run,
};

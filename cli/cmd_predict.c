/* wick predict: what a model takes pictures for. */
#include "bar.h"
#include "json_out.h"
#include "picture.h"
#include "picture_input.h"
#include "settings.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct predict_args {
    cli_operands operands;
    cli_source_args source;
    cli_picture_args picture;
    cli_machine_args machine;
    int64_t top;
    bool json;
} predict_args;

static const cli_option options[] = {
    SOURCE_OPTIONS(predict_args),
    SOURCE_CHANNELS_OPTION(predict_args),
    SOURCE_TTA_OPTION(predict_args),
    {"top", "N", OPTION_INT, offsetof(predict_args, top), 1, INT32_MAX,
     "how many classes to print of each picture"},
    PICTURE_OPTIONS(predict_args),
    MACHINE_OPTIONS(predict_args),
    JSON_OPTION(predict_args),
    {0},
};

static const predict_args defaults = {
    .top = 3, .picture = PICTURE_DEFAULTS, .machine = MACHINE_DEFAULTS};

static const char about[] =
    "Reads PNG and JPEG pictures, makes of each what the model was trained on (its size, grey or\n"
    "RGB, light on dark as the training images are), and prints the classes it takes the picture\n"
    "for, the most probable first. In a terminal the picture is drawn as the model sees it.\n"
    "What is no picture is said on stderr; the others are done, and the exit status is 1.\n";

static const char examples[] =
    "  wick predict runs/train boot.jpg\n"
    "      what the run's model takes the picture for\n"
    "  wick predict runs/train *.png --top 1 --json\n"
    "      many pictures, for a program to read\n"
    "  wick predict model_2.pth shirt.png --model v2 --fit pad --invert on\n"
    "      weights that PyTorch saved; the picture keeps its shape, and light and\n"
    "      dark are exchanged\n";

typedef struct predict_work {
    cli_source source;
    cli_canvas canvas;
    cli_json json;
    cli_bar bar;
    int failed;
} predict_work;

/* ---- one picture ---- */

/* The class numbers, the most probable first, of equals the first. Owned: free(). */
static int64_t *ranking(const float *probabilities, int64_t count)
{
    int64_t *order = calloc((size_t)count, sizeof(*order));
    for (int64_t i = 0; order != NULL && i < count; i++) {
        int64_t at = i;
        for (; at > 0 && probabilities[order[at - 1]] < probabilities[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return order;
}

typedef struct prediction {
    const char *path;
    const cli_input *input;
    const float *probabilities;
    const int64_t *order;
    int64_t classes, top;
    const char *const *names;
} prediction;

static void print_json(cli_json *json, const prediction *p)
{
    json_open(json, NULL, '{');
    json_text(json, "path", p->path);
    json_int(json, "width", p->input->width);
    json_int(json, "height", p->input->height);
    json_int(json, "channels", p->input->channels);
    json_bool(json, "inverted", p->input->inverted);
    json_number(json, "edge_brightness", p->input->edges);
    json_int(json, "label", p->order[0]);
    json_text(json, "class", p->names[p->order[0]]);
    json_number(json, "probability", (double)p->probabilities[p->order[0]]);
    json_open(json, "top", '[');
    for (int64_t i = 0; i < p->top; i++) {
        json_open(json, NULL, '{');
        json_int(json, "label", p->order[i]);
        json_text(json, "class", p->names[p->order[i]]);
        json_number(json, "probability", (double)p->probabilities[p->order[i]]);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_open(json, "probabilities", '[');
    for (int64_t i = 0; i < p->classes; i++)
        json_number(json, NULL, (double)p->probabilities[i]);
    json_close(json, ']');
    json_close(json, '}');
}

static int name_width(const prediction *p)
{
    size_t width = 0;
    for (int64_t i = 0; i < p->top; i++) {
        size_t length = strlen(p->names[p->order[i]]);
        width = length > width ? length : width;
    }
    return (int)width;
}

/* "Ankle boot  98.31%", with a bar behind it where there is a terminal. Owned: free(). */
static char *class_line(const prediction *p, int64_t rank, int width, bool bar)
{
    enum { CELLS = 20 };
    char cells[BAR_BYTES * CELLS + 1] = "";
    char *line = NULL;
    int64_t label = p->order[rank];
    if (bar)
        terminal_bar((double)p->probabilities[label], CELLS, cells);
    if (asprintf(&line, "%-*s %6.2f%%%s%s", width, p->names[label],
                 100.0 * (double)p->probabilities[label], bar ? "  " : "", cells) < 0)
        return NULL;
    return line;
}

/* The picture with its lines beside it or, without a terminal, the lines alone. */
static wick_status print_lines(cli_app *app, const cli_canvas *canvas, const prediction *p,
                               char *const *lines)
{
    if (canvas->on)
        return canvas_draw(app, canvas, 1, &p->input->image, (const char *const *)lines);
    for (; *lines != NULL; lines++)
        say(app, "  %s\n", *lines);
    return WICK_OK;
}

static wick_status print_text(cli_app *app, const cli_canvas *canvas, const prediction *p)
{
    char *name, text[INPUT_TEXT];
    char **lines = calloc((size_t)p->top + 1, sizeof(*lines));
    wick_status status = lines == NULL ? app_fail(app, WICK_ENOMEM, "out of memory") : WICK_OK;
    for (int64_t i = 0; status == WICK_OK && i < p->top; i++) {
        lines[i] = class_line(p, i, name_width(p), canvas->on);
        if (lines[i] == NULL)
            status = app_fail(app, WICK_ENOMEM, "out of memory");
    }
    if (status == WICK_OK)
        status = plain_text(app, p->path, &name);
    if (status == WICK_OK) {
        say(app, "%s: %s\n", name, input_describe(p->input, text));
        free(name);
        status = print_lines(app, canvas, p, lines);
    }
    for (int64_t i = 0; lines != NULL && i < p->top; i++)
        free(lines[i]);
    free(lines);
    return status;
}

/* softmax(model(image)). Owned. */
static wick_status predict(const cli_source *source, const wick_tensor *image,
                           wick_tensor **probabilities)
{
    wick_tensor *pixels, *batch = NULL;
    TRY(wick_image_to_float(image, &pixels));
    wick_status status = wick_tensor_unsqueeze(pixels, 0, &batch);
    if (status == WICK_OK && source->data.mean != NULL)
        status = wick_image_normalize(batch, source->data.mean, source->data.std);
    if (status == WICK_OK)
        status = wick_make_predictions(source->model, batch, probabilities);
    wick_tensor_free(batch);
    wick_tensor_free(pixels);
    return status;
}

static wick_status predict_picture(cli_app *app, const predict_args *args, predict_work *work,
                                   const char *path, const cli_input *input)
{
    wick_tensor *probabilities;
    TRY(predict(&work->source, input->image, &probabilities));
    int64_t classes = work->source.class_count;
    prediction p = {
        .path = path,
        .input = input,
        .probabilities = wick_tensor_cdata(probabilities),
        .classes = classes,
        .top = args->top < classes ? args->top : classes,
        .names = work->source.classes,
    };
    int64_t *order = ranking(p.probabilities, classes);
    wick_status status = order == NULL ? app_fail(app, WICK_ENOMEM, "out of memory") : WICK_OK;
    p.order = order;
    if (status == WICK_OK && args->json)
        print_json(&work->json, &p);
    else if (status == WICK_OK)
        status = print_text(app, &work->canvas, &p);
    free(order);
    wick_tensor_free(probabilities);
    return status;
}

/* ---- all of them ---- */

/* A picture that cannot be read does not keep the others from being. */
static void note_failure(const cli_app *app, predict_work *work, const char *path, bool alone)
{
    work->failed++;
    bar_clear(&work->bar);
    if (!alone)
        app_note(app, "%s", wick_context_message(app->context));
    if (!app->quiet)
        return;
    json_open(&work->json, NULL, '{');
    json_text(&work->json, "path", path);
    json_text(&work->json, "error", wick_context_message(app->context));
    json_close(&work->json, '}');
}

static wick_status predict_all(cli_app *app, const predict_args *args, predict_work *work)
{
    int count = args->operands.count - 1;
    for (int i = 1; i <= count; i++) {
        const char *path = args->operands.at[i];
        cli_input input = {0};
        wick_status status = input_read(app, path, &args->picture, &work->source, &input);
        if (status == WICK_ENOMEM || status == WICK_ESHAPE)
            return status;
        if (status != WICK_OK) {
            note_failure(app, work, path, count == 1);
            continue;
        }
        status = predict_picture(app, args, work, path, &input);
        input_release(&input);
        TRY(status);
        bar_update(&work->bar, i, count);
    }
    return WICK_OK;
}

static wick_status print_all(cli_app *app, const predict_args *args, predict_work *work)
{
    if (args->json) {
        json_open(&work->json, NULL, '{');
        json_text(&work->json, "model_name", wick_module_class_name(work->source.model));
        json_open(&work->json, "pictures", '[');
    }
    /* On a terminal the lines themselves say how far it is. */
    bar_init(&work->bar);
    work->bar.on = work->bar.on && !isatty(STDOUT_FILENO) && args->operands.count > 2;
    bar_start(&work->bar, "Predicting", "it");
    wick_status status = predict_all(app, args, work);
    bar_clear(&work->bar);
    if (args->json) {
        json_close(&work->json, ']');
        json_close(&work->json, '}');
        putchar('\n');
    }
    TRY(status);
    int count = args->operands.count - 1;
    if (work->failed > 0 && count == 1)
        return WICK_EFORMAT; /* the library's message says it */
    if (work->failed > 0)
        return app_fail(app, WICK_EFORMAT, "%d of %d pictures could not be read", work->failed, count);
    return WICK_OK;
}

static wick_status run(cli_app *app, void *memory)
{
    const predict_args *args = memory;
    predict_work work = {0};
    app->quiet = args->json;
    canvas_init(&work.canvas, app);
    wick_status status = settings_use_machine(app, &args->machine);
    if (status == WICK_OK)
        status = source_open(app, args->operands.at[0], &args->source, &work.source);
    if (status == WICK_OK)
        status = print_all(app, args, &work);
    source_release(&work.source);
    return status;
}

const cli_command command_predict = {
    .name = "predict",
    .summary = "what a model takes pictures for: PNG and JPEG files",
    .operands = "RUN|FILE.pth IMAGE...",
    .about = about,
    .examples = examples,
    .options = options,
    .defaults = &defaults,
    .args_size = sizeof(predict_args),
    .min_operands = 2,
    .max_operands = INT_MAX,
    .run = run,
};

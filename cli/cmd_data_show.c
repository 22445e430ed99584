/* wick data show: images of a data set, drawn in the terminal or into a file. */
#include "example_file.h"
#include "json_out.h"
#include "pair.h"
#include "picture.h"
#include "settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct show_args {
    cli_operands operands;
    cli_data_args data;
    const char *split, *out;
    int64_t index, random;
    uint64_t seed;
    bool json;
} show_args;

static const cli_option options[] = {
    DATA_PLACE_OPTIONS(show_args),
    DATA_PICTURE_OPTIONS(show_args),
    {"split", "train|test", OPTION_CHOICE, offsetof(show_args, split), 0, 0, "which half"},
    {"index", "N", OPTION_INT, offsetof(show_args, index), 0, INT32_MAX,
     "the image of that number; else 0"},
    {"random", "K", OPTION_INT, offsetof(show_args, random), 1, 10000,
     "K images by chance, as the chapter draws them: torch.randint(0, len(data), [1]) for each"},
    {"seed", "S", OPTION_SEED, offsetof(show_args, seed), 0, 0,
     "torch.manual_seed(S) before they are drawn"},
    {"out", "FILE", OPTION_TEXT, offsetof(show_args, out), 0, 0,
     "draw them into FILE, a .png or an .svg"},
    JSON_OPTION(show_args),
    {0},
};

static const show_args defaults = {
    .data = {.data = "fashion-mnist"}, .split = "train", .index = -1, .random = 0, .seed = 42};

static const char about[] =
    "Prints the number, label and class of images. A terminal that can show it (UTF-8, not a dumb\n"
    "one) gets the images themselves, in half-block characters: in colours or greys or, where\n"
    "NO_COLOR is set or there are too few of them, in shades.\n";

static const char examples[] =
    "  wick data show\n"
    "      the first training image: an ankle boot\n"
    "  wick data show --random 16 --seed 42\n"
    "      the chapter's sixteen\n"
    "  wick data show --split test --index 7 --data ./my-digits --out seven.png\n"
    "      an image of a folder of your own, as a file too\n";

/* ---- which ones ---- */

static wick_status choose(cli_app *app, const show_args *args, const wick_dataset *dataset,
                          int64_t *indices)
{
    const int64_t one = 1, count = wick_dataset_count(dataset);
    if (args->random == 0) {
        indices[0] = args->index < 0 ? 0 : args->index;
        return indices[0] < count ? WICK_OK
                                  : app_usage(app, "--index must be from 0 to %" PRId64 ", not %" PRId64,
                                              count - 1, indices[0]);
    }
    wick_manual_seed(app->context, args->seed);
    for (int64_t i = 0; i < args->random; i++) {
        wick_tensor *drawn;
        TRY(wick_randint(app->context, NULL, 0, count, 1, &one, &drawn));
        indices[i] = wick_tensor_i64(drawn)[0];
        wick_tensor_free(drawn);
    }
    return WICK_OK;
}

/* ---- as text ---- */

static const char *class_of(const wick_dataset *dataset, int64_t index)
{
    return wick_dataset_class(dataset, wick_dataset_labels(dataset)[index]);
}

static wick_status say_images(cli_app *app, const wick_dataset *dataset, const char *split, int count,
                              const int64_t *indices)
{
    for (int i = 0; i < count; i++) {
        say(app, "%s_data[%" PRId64 "]: label %" PRId64 ", %s", split, indices[i],
            wick_dataset_labels(dataset)[indices[i]], class_of(dataset, indices[i]));
        TRY(say_file_of(app, ", ", dataset, indices[i]));
        say(app, "\n");
    }
    return WICK_OK;
}

/* Images beside each other, below their numbers and classes. */
static void put_captions(const cli_canvas *canvas, const wick_dataset *dataset, int count,
                         wick_tensor *const *images, const int64_t *indices)
{
    for (int i = 0; i < count; i++) {
        char *caption;
        if (asprintf(&caption, "[%" PRId64 "] %s", indices[i], class_of(dataset, indices[i])) < 0)
            continue;
        put_cell_text(caption, canvas_width(canvas, images[i]));
        printf("%*s", i + 1 < count ? CANVAS_GAP : 0, "");
        free(caption);
    }
    putchar('\n');
}

static wick_status draw_row(cli_app *app, const cli_canvas *canvas, const wick_dataset *dataset,
                            const char *split, bool many, int count, const int64_t *indices)
{
    wick_tensor **images = calloc((size_t)count, sizeof(wick_tensor *));
    wick_status status = images == NULL ? app_fail(app, WICK_ENOMEM, "out of memory") : WICK_OK;
    for (int i = 0; status == WICK_OK && i < count; i++)
        status = wick_dataset_get_pixels(dataset, indices[i], &images[i]);
    if (status == WICK_OK && many)
        put_captions(canvas, dataset, count, images, indices);
    else if (status == WICK_OK)
        status = say_images(app, dataset, split, 1, indices);
    if (status == WICK_OK)
        status = canvas_draw(app, canvas, count, images, NULL);
    for (int i = 0; images != NULL && i < count; i++)
        wick_tensor_free(images[i]);
    free(images);
    return status;
}

static wick_status draw_all(cli_app *app, const cli_canvas *canvas, const wick_dataset *dataset,
                            const char *split, int64_t count, const int64_t *indices)
{
    wick_tensor *first;
    TRY(wick_dataset_get_pixels(dataset, indices[0], &first));
    int a_row = canvas_a_row(canvas, first);
    wick_tensor_free(first);
    for (int64_t i = 0; i < count; i += a_row)
        TRY(draw_row(app, canvas, dataset, split, count > 1,
                     (int)(count - i < a_row ? count - i : a_row), indices + i));
    return WICK_OK;
}

/* ---- as JSON and as a file ---- */

static wick_status print_json(cli_app *app, const show_args *args, const wick_dataset *dataset,
                              int64_t count, const int64_t *indices)
{
    cli_json json = {0};
    json_open(&json, NULL, '{');
    json_text(&json, "data", wick_dataset_name(dataset));
    json_text(&json, "split", args->split);
    json_open(&json, "images", '[');
    for (int64_t i = 0; i < count; i++) {
        wick_tensor *image;
        json_open(&json, NULL, '{');
        json_int(&json, "index", indices[i]);
        TRY(json_file_of(app, &json, dataset, indices[i]));
        json_int(&json, "label", wick_dataset_labels(dataset)[indices[i]]);
        json_text(&json, "class", class_of(dataset, indices[i]));
        TRY(wick_dataset_get(dataset, indices[i], &image, NULL));
        json_tensor(&json, "image", image);
        json_close(&json, '}');
        wick_tensor_free(image);
    }
    json_close(&json, ']');
    json_close(&json, '}');
    putchar('\n');
    return WICK_OK;
}

typedef struct show_tiles {
    wick_tile *tiles;
    int64_t count;
} show_tiles;

static void tiles_release(show_tiles *t)
{
    for (int64_t i = 0; t->tiles != NULL && i < t->count; i++)
        wick_tensor_free((wick_tensor *)t->tiles[i].image);
    free(t->tiles);
}

static wick_status tiles_make(cli_app *app, const wick_dataset *dataset, int64_t count,
                              const int64_t *indices, show_tiles *t)
{
    t->count = count;
    t->tiles = calloc((size_t)count, sizeof(*t->tiles));
    if (t->tiles == NULL)
        return app_fail(app, WICK_ENOMEM, "out of memory");
    for (int64_t i = 0; i < count; i++) {
        wick_tensor *image;
        TRY(wick_dataset_get(dataset, indices[i], &image, NULL));
        t->tiles[i].image = image;
        t->tiles[i].label = class_of(dataset, indices[i]);
    }
    return WICK_OK;
}

static wick_status save_figure(cli_app *app, const char *path, const show_tiles *t)
{
    const wick_images_plot plot = {.count = t->count, .tiles = t->tiles};
    wick_plotter *plotter;
    wick_figure *figure = NULL;
    TRY(wick_plotter_new(app->context, &plotter));
    wick_status status = wick_plot_images(plotter, &plot, &figure);
    if (status == WICK_OK)
        status = wick_figure_save(figure, path);
    wick_figure_free(figure);
    wick_plotter_free(plotter);
    return status == WICK_EINVAL ? app_blame_usage(app, status) : status;
}

static wick_status plot(cli_app *app, const char *path, const wick_dataset *dataset, int64_t count,
                        const int64_t *indices)
{
    show_tiles tiles = {0};
    wick_status status = tiles_make(app, dataset, count, indices, &tiles);
    if (status == WICK_OK)
        status = save_figure(app, path, &tiles);
    tiles_release(&tiles);
    return status;
}

/* ---- all of it ---- */

static wick_status show(cli_app *app, const show_args *args, const wick_dataset *dataset, int64_t count,
                        int64_t *indices)
{
    cli_canvas canvas;
    canvas_init(&canvas, app);
    TRY(choose(app, args, dataset, indices));
    if (args->out != NULL)
        TRY(plot(app, args->out, dataset, count, indices));
    if (args->json)
        return print_json(app, args, dataset, count, indices);
    if (canvas.on)
        return draw_all(app, &canvas, dataset, args->split, count, indices);
    return say_images(app, dataset, args->split, (int)count, indices);
}

static wick_status run(cli_app *app, void *memory)
{
    const show_args *args = memory;
    wick_dataset *dataset;
    if (args->index >= 0 && args->random > 0)
        return app_usage(app, "--index and --random exclude each other");
    app->quiet = args->json;
    TRY(dataset_open(app, &args->data, strcmp(args->split, "test") == 0 ? WICK_TEST : WICK_TRAIN,
                     &dataset));
    int64_t count = args->random > 0 ? args->random : 1;
    int64_t *indices = calloc((size_t)count, sizeof(*indices));
    wick_status status = indices == NULL ? app_fail(app, WICK_ENOMEM, "out of memory")
                                         : show(app, args, dataset, count, indices);
    free(indices);
    wick_dataset_free(dataset);
    return status;
}

const cli_command command_data_show = {
    .name = "data show",
    .summary = "images of a data set, drawn in the terminal or into a file",
    .operands = "",
    .about = about,
    .examples = examples,
    .options = options,
    .defaults = &defaults,
    .args_size = sizeof(show_args),
    .run = run,
};

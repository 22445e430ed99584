/* wick data info: what a data set holds. */
#include "example_file.h"
#include "json_out.h"
#include "pair.h"
#include "python.h"
#include "settings.h"

#include <inttypes.h>
#include <string.h>

typedef struct info_args {
    cli_operands operands;
    cli_data_args data;
    int64_t image;
    bool json;
} info_args;

static const cli_option options[] = {
    DATA_PLACE_OPTIONS(info_args),
    DATA_PICTURE_OPTIONS(info_args),
    DATA_BATCH_OPTION(info_args),
    {"image", "N", OPTION_INT, offsetof(info_args, image), 0, INT32_MAX,
     "print train_data[N] too, its numbers and its label"},
    DATA_LIMIT_OPTION(info_args),
    JSON_OPTION(info_args),
    {0},
};

static const info_args defaults = {.data = DATA_DEFAULTS, .image = -1};

static const char about[] =
    "Reads both halves of a data set, checks them, and prints what the chapter prints of them:\n"
    "how many images there are and of which shape, the classes, the labels, how many batches that\n"
    "makes, and the SHA-256 of the files.\n"
    "A folder holds pictures, PNG and JPEG, of which each class has a folder of its name, either in\n"
    "train/ and test/ (or val/, validation/, valid/; in any capitals) or alone, and then a part of\n"
    "each class is the test half; or\n"
    "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and\n"
    "t10k-labels-idx1-ubyte, each as it is or with .gz.\n";

static const char examples[] = "  wick data info\n"
                               "      Fashion-MNIST as the chapter has it\n"
                               "  wick data info --image 0\n"
                               "      its first image in numbers: an ankle boot\n"
                               "  wick data info --data ./my-digits --batch-size 64 --json\n"
                               "      a folder of your own, for a program to read\n";

static const char *const half_names[2] = {"train", "test"};

static int64_t batches(const wick_loader *loader)
{
    return wick_loader_length(loader);
}

/* Sets *more to false after the last file. */
static wick_status next_file(const wick_dataset *dataset, int index, const char **path, char sha256[65],
                             bool *more)
{
    wick_status status = wick_dataset_file(dataset, index, path, sha256);
    *more = status == WICK_OK;
    return status == WICK_ENOENT ? WICK_OK : status;
}

static wick_status print_files(const cli_app *app, const wick_dataset *dataset)
{
    bool more = true;
    if (strcmp(wick_dataset_class_name(dataset), "ImageFolder") == 0)
        return WICK_OK;
    if (wick_dataset_split(dataset) == WICK_TRAIN)
        say(app, "\nSHA-256 of the files:\n");
    for (int i = 0; more; i++) {
        const char *path;
        char sha256[65];
        TRY(next_file(dataset, i, &path, sha256, &more));
        if (!more)
            break;
        const char *known = wick_dataset_published(path, sha256);
        bool named = strcmp(wick_dataset_class_name(dataset), "IDX") != 0;
        say(app, "%s  %s%s%s\n", sha256, path,
            known != NULL ? "  as published: "
            : named       ? "  NOT a published file of "
                          : "",
            known != NULL ? known
            : named       ? wick_dataset_class_name(dataset)
                          : "");
    }
    return WICK_OK;
}

static wick_status print_image(cli_app *app, const wick_dataset *dataset, int64_t index)
{
    wick_tensor *image;
    int64_t label;
    char after[64];
    TRY(wick_dataset_get(dataset, index, &image, &label));
    snprintf(after, sizeof(after), ", %" PRId64 ")\n", label);
    say(app, "\ntrain_data[%" PRId64 "]", index);
    wick_status status = say_file_of(app, ", ", dataset, index);
    say(app, ":\n");
    if (status == WICK_OK)
        status = say_tensor(app, "(", image, 1, after);
    wick_tensor_free(image);
    return status;
}

static wick_status print_text(cli_app *app, const info_args *args, const cli_pair *pair)
{
    char shape[SIZE_TEXT];
    const wick_dataset *train = pair->train_data, *test = pair->test_data;
    int64_t label = wick_dataset_labels(train)[0];
    say(app, "len(train_data), len(test_data): (%" PRId64 ", %" PRId64 ")\n", wick_dataset_count(train),
        wick_dataset_count(test));
    say(app, "Image shape: %s -> [color_channels, height, width]\n",
        python_size(3, wick_dataset_image_shape(train), shape));
    say(app, "First label: %" PRId64 ", '%s'\n\nclasses:\n", label, wick_dataset_class(train, label));
    say_classes(app, train);
    say(app, "\nclass_to_idx:\n");
    TRY(say_class_to_idx(app, train));
    say(app, "\ntargets:\n");
    TRY(say_targets(app, "", train));
    TRY(say_targets(app, "", test));
    say(app, "\n");
    say_dataset(app, train, 0);
    say(app, "\n");
    say_dataset(app, test, 0);
    say(app, "\n\nLength of train_dataloader: %" PRId64 " batches of %" PRId64 "\n",
        batches(pair->train_loader), args->data.batch_size);
    say(app, "Length of test_dataloader: %" PRId64 " batches of %" PRId64 "\n",
        batches(pair->test_loader), args->data.batch_size);
    TRY(print_files(app, train));
    TRY(print_files(app, test));
    return args->image < 0 ? WICK_OK : print_image(app, train, args->image);
}

static wick_status print_json_half(cli_json *json, const wick_dataset *dataset,
                                   const wick_loader *loader)
{
    bool more = true;
    json_open(json, half_names[wick_dataset_split(dataset) == WICK_TEST], '{');
    json_int(json, "count", wick_dataset_count(dataset));
    json_int(json, "batches", batches(loader));
    json_int(json, "first_label", wick_dataset_labels(dataset)[0]);
    json_open(json, "files", '[');
    for (int i = 0; more; i++) {
        const char *path;
        char sha256[65];
        TRY(next_file(dataset, i, &path, sha256, &more));
        if (!more)
            break;
        json_open(json, NULL, '{');
        json_text(json, "path", path);
        json_text(json, "sha256", sha256);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
    return WICK_OK;
}

static wick_status print_json(cli_app *app, const info_args *args, const cli_pair *pair)
{
    const wick_dataset *train = pair->train_data;
    cli_json json = {0};
    json_open(&json, NULL, '{');
    json_text(&json, "name", wick_dataset_name(train));
    json_text(&json, "class_name", wick_dataset_class_name(train));
    json_text(&json, "root", wick_dataset_root(train));
    json_ints(&json, "image_shape", 3, wick_dataset_image_shape(train));
    json_int(&json, "batch_size", args->data.batch_size);
    json_open(&json, "classes", '[');
    for (int64_t i = 0; i < wick_dataset_class_count(train); i++)
        json_text(&json, NULL, wick_dataset_class(train, i));
    json_close(&json, ']');
    TRY(print_json_half(&json, train, pair->train_loader));
    TRY(print_json_half(&json, pair->test_data, pair->test_loader));
    if (args->image >= 0) {
        wick_tensor *image;
        int64_t label;
        TRY(wick_dataset_get(train, args->image, &image, &label));
        json_tensor(&json, "image", image);
        wick_tensor_free(image);
        TRY(json_file_of(app, &json, train, args->image));
        json_int(&json, "label", label);
    }
    json_close(&json, '}');
    putchar('\n');
    return WICK_OK;
}

static wick_status run(cli_app *app, void *memory)
{
    const info_args *args = memory;
    cli_pair pair = {0};
    wick_status status = pair_open(app, &args->data, &pair);
    if (status == WICK_OK && args->image >= wick_dataset_count(pair.train_data))
        status = app_usage(app, "--image must be from 0 to %" PRId64 ", not %" PRId64,
                           wick_dataset_count(pair.train_data) - 1, args->image);
    if (status == WICK_OK)
        status = args->json ? print_json(app, args, &pair) : print_text(app, args, &pair);
    pair_release(&pair);
    return status;
}

const cli_command command_data_info = {
    .name = "data info",
    .summary = "what a data set holds: shapes, classes, counts, checksums",
    .operands = "",
    .about = about,
    .examples = examples,
    .options = options,
    .defaults = &defaults,
    .args_size = sizeof(info_args),
    .run = run,
};

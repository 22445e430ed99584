#include "pair.h"

#include "bar.h"
#include "output_files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool is_known(const char *name)
{
    for (int i = 0; wick_dataset_known(i) != NULL; i++)
        if (strcmp(wick_dataset_known(i), name) == 0)
            return true;
    return false;
}

void data_of_run(const wick_run_args *run, cli_data_args *data)
{
    *data = (cli_data_args){
        .data = run->data,
        .data_dir = run->data_dir,
        .batch_size = run->batch_size,
        .limit = run->limit,
        .test_fraction = run->test_fraction,
        .skip_broken = run->skip_broken,
        .shape = run->image_shape,
        .resized = run->resized,
        .validation = run->how.validation,
        .split_seed = run->how.split_seed,
        .drop_last = run->how.drop_last,
        .augment = run->augment,
        .mean = run->normalized ? run->mean : NULL,
        .std = run->normalized ? run->std : NULL,
        .quiet = true,
    };
}

void data_read_as(cli_data_args *data, bool skip_broken, const char *memory_limit)
{
    data->memory_limit = memory_limit;
    if (skip_broken) {
        data->skip_broken = true;
        data->quiet = false;
    }
}

/* "32" or "32x48", height first. */
static wick_status read_size(cli_app *app, const char *text, int64_t *height, int64_t *width)
{
    char *end;
    if (text[0] >= '0' && text[0] <= '9') {
        *height = *width = strtol(text, &end, 10);
        if (*end == 'x' && end[1] >= '0' && end[1] <= '9')
            *width = strtol(end + 1, &end, 10);
        if (*end == '\0' && *height >= 1 && *width >= 1 && *height <= 65535 && *width <= 65535)
            return WICK_OK;
    }
    return app_usage(app,
                     "--image-size must be a number of pixels from 1 to 65535, such as 32, or two, "
                     "height and width, such as 32x48, not '%s'",
                     text);
}

wick_status data_shape(cli_app *app, const cli_data_args *data, int64_t shape[3])
{
    if (data->channels != NULL)
        shape[0] = data->channels[0] - '0';
    return data->image_size == NULL ? WICK_OK : read_size(app, data->image_size, &shape[1], &shape[2]);
}

/* "500M". */
static wick_status read_bytes(cli_app *app, const char *text, int64_t *bytes)
{
    static const char units[] = "KMGT";
    char *end;
    double number = text[0] >= '0' && text[0] <= '9' ? strtod(text, &end) : 0;
    if (number > 0) {
        const char *unit = *end == '\0' ? NULL : strchr(units, *end);
        for (const char *u = units; unit != NULL && u <= unit; u++)
            number *= 1024;
        if ((unit == NULL ? *end : end[1]) == '\0' && number >= 1 && number < 1e18) {
            *bytes = (int64_t)number;
            return WICK_OK;
        }
    }
    return app_usage(app, "--memory-limit must be a number of bytes, such as 500M or 4G, not '%s'",
                     text);
}

static void on_picture(void *user, int64_t done, int64_t total)
{
    bar_update(user, done, total);
}

static wick_status fill_options(cli_app *app, const cli_data_args *args, wick_dataset_options *options)
{
    if (args->test_fraction >= 1)
        return app_usage(app, "--test-fraction must be below 1, not %g", args->test_fraction);
    *options = (wick_dataset_options){
        .skip_broken = args->skip_broken,
        .no_cache = args->no_cache,
        .test_fraction = args->test_fraction,
        .progress = on_picture,
    };
    if (args->shape != NULL && args->image_size == NULL && args->channels == NULL) {
        options->channels = args->shape[0];
        options->image_height = args->shape[1];
        options->image_width = args->shape[2];
        options->folders_alone = !args->resized;
    }
    if (args->memory_limit != NULL)
        TRY(read_bytes(app, args->memory_limit, &options->memory_limit));
    if (args->channels != NULL)
        options->channels = args->channels[0] - '0';
    if (args->image_size != NULL)
        TRY(read_size(app, args->image_size, &options->image_height, &options->image_width));
    return WICK_OK;
}

static wick_status open_whole(cli_app *app, const cli_data_args *args, wick_split split,
                              wick_dataset **out)
{
    wick_dataset_options options;
    cli_bar bar;
    TRY(fill_options(app, args, &options));
    bar_init(&bar);
    bar_start(&bar, split == WICK_TRAIN ? "Reading training pictures" : "Reading test pictures", "it");
    options.user = &bar;
    wick_status status =
        wick_dataset_open_with(app->context, args->data, args->data_dir, split, &options, out);
    bar_clear(&bar);
    if (status == WICK_ENOENT && !is_known(args->data) && strchr(args->data, '/') == NULL &&
        !is_folder(args->data))
        return app_blame_usage(app, status);
    return status;
}

static bool has_note(const wick_dataset *dataset, const char *note)
{
    for (int i = 0; dataset != NULL && wick_dataset_note(dataset, i) != NULL; i++)
        if (strcmp(wick_dataset_note(dataset, i), note) == 0)
            return true;
    return false;
}

/* Says what there is to know of a half, but for what was said of the other (or NULL). */
static void say_notes(const cli_app *app, const wick_dataset *dataset, const wick_dataset *other)
{
    for (int i = 0; wick_dataset_note(dataset, i) != NULL; i++)
        if (!has_note(other, wick_dataset_note(dataset, i)))
            app_note(app, "%s", wick_dataset_note(dataset, i));
}

/* A folder's pictures are in the order of their classes, so the first ones would be of one class: these are
 * taken evenly. */
static wick_status take_evenly(cli_app *app, const wick_dataset *whole, int64_t limit,
                               wick_dataset **out)
{
    int64_t count = wick_dataset_count(whole);
    int64_t *indices = malloc((size_t)limit * sizeof(*indices));
    if (indices == NULL)
        return app_fail(app, WICK_ENOMEM, "out of memory");
    for (int64_t i = 0; i < limit; i++)
        indices[i] = i * count / limit;
    wick_status status = wick_dataset_subset(whole, limit, indices, out);
    free(indices);
    return status;
}

static wick_status take_limit(cli_app *app, const wick_dataset *whole, int64_t limit, wick_dataset **out)
{
    return strcmp(wick_dataset_class_name(whole), "ImageFolder") == 0
               ? take_evenly(app, whole, limit, out)
               : wick_dataset_head(whole, limit, out);
}

/* said: the other half, whose notes need not be said again; or NULL. */
static wick_status open_half(cli_app *app, const cli_data_args *args, wick_split split,
                             const wick_dataset *said, wick_dataset **out)
{
    wick_dataset *whole;
    TRY(open_whole(app, args, split, &whole));
    if (!args->quiet)
        say_notes(app, whole, said);
    if (args->limit == 0 || args->limit >= wick_dataset_count(whole)) {
        *out = whole;
        return WICK_OK;
    }
    wick_status status = take_limit(app, whole, args->limit, out);
    wick_dataset_free(whole);
    return status;
}

wick_status dataset_open(cli_app *app, const cli_data_args *args, wick_split split, wick_dataset **out)
{
    return open_half(app, args, split, NULL, out);
}

/* Up to three numbers with commas between; returns how many, and 0 for anything else. */
static int read_numbers(const char *text, char end_mark, float numbers[3], const char **end)
{
    for (int count = 0; count < 3;) {
        char *after;
        numbers[count++] = strtof(text, &after);
        if (after == text)
            return 0;
        *end = after + 1;
        if (*after == end_mark)
            return count;
        if (*after != ',')
            return 0;
        text = after + 1;
    }
    return 0;
}

/* "0.5:0.25"; form is what the text may be, for the message. */
static wick_status read_normalization(cli_app *app, const char *form, const char *text, int64_t channels,
                                      float mean[3], float std[3])
{
    const char *end;
    int means = read_numbers(text, ':', mean, &end);
    int stds = means == 0 ? 0 : read_numbers(end, '\0', std, &end);
    if (means == 0 || stds != means || (means != 1 && means != channels))
        return app_usage(app, "--normalize must be %s%s, such as %s, not '%s'", form,
                         channels == 1 ? "" : ", one number each or 3 with commas between",
                         channels == 1 ? "0.5:0.25" : "0.5,0.5,0.4:0.2,0.2,0.3", text);
    for (int64_t c = means; c < channels; c++) {
        mean[c] = mean[0];
        std[c] = std[0];
    }
    for (int64_t c = 0; c < channels; c++)
        if (!(std[c] > 0 && std[c] < 1e6F && mean[c] > -1e6F && mean[c] < 1e6F))
            return app_usage(app,
                             "--normalize needs means between -1e6 and 1e6, and deviations above 0 and "
                             "below 1e6, not '%s'",
                             text);
    return WICK_OK;
}

wick_status data_normalize(cli_app *app, const char *text, int64_t channels, float mean[3], float std[3],
                           cli_data_args *data)
{
    const int64_t likely = text != NULL && strchr(text, ',') != NULL ? 3 : 1;
    if (text == NULL)
        return WICK_OK;
    TRY(read_normalization(app, "MEAN:STD", text, channels == 0 ? likely : channels, mean, std));
    data->mean = mean;
    data->std = std;
    return WICK_OK;
}

wick_status data_of_file_alone(cli_app *app, const char *folder, const char *image_size,
                               const char *channels, const char *normalize)
{
    const char *given = image_size != NULL  ? "--image-size"
                        : channels != NULL  ? "--channels"
                        : normalize != NULL ? "--normalize"
                                            : NULL;
    if (given == NULL)
        return WICK_OK;
    return app_usage(app, "%s is for a file; '%s' is a run's folder and knows what its images were made",
                     given, folder);
}

static void say_normalization(const cli_app *app, int64_t channels, const cli_pair *pair)
{
    say(app, "Normalize(mean=[");
    for (int64_t c = 0; c < channels; c++)
        say(app, "%s%.4f", c == 0 ? "" : ", ", (double)pair->mean[c]);
    say(app, "], std=[");
    for (int64_t c = 0; c < channels; c++)
        say(app, "%s%.4f", c == 0 ? "" : ", ", (double)pair->std[c]);
    say(app, "])\n");
}

static wick_status measure(cli_app *app, int64_t channels, cli_pair *pair)
{
    TRY(wick_dataset_measure(pair->train_data, pair->mean, pair->std));
    for (int64_t c = 0; c < channels; c++)
        if (!(pair->std[c] > 0))
            return app_fail(app, WICK_EINVAL,
                            "--normalize auto: all pixels of the training images are the same");
    say_normalization(app, channels, pair);
    return WICK_OK;
}

static wick_status read_transform(cli_app *app, const cli_data_args *args, cli_pair *pair)
{
    if (args->augment == NULL)
        return WICK_OK;
    wick_status status = wick_transform_parse(app->context, args->augment, &pair->transform);
    return status == WICK_EINVAL ? app_usage(app, "--augment: %s", wick_context_message(app->context))
                                 : status;
}

static wick_status choose_normalization(cli_app *app, const cli_data_args *args, cli_pair *pair)
{
    int64_t channels = wick_dataset_image_shape(pair->train_data)[0];
    pair->normalized = args->mean != NULL || args->normalize != NULL;
    if (args->mean != NULL) {
        memcpy(pair->mean, args->mean, sizeof(pair->mean));
        memcpy(pair->std, args->std, sizeof(pair->std));
        return WICK_OK;
    }
    if (args->normalize == NULL)
        return WICK_OK;
    return strcmp(args->normalize, "auto") == 0
               ? measure(app, channels, pair)
               : read_normalization(app, "auto or MEAN:STD", args->normalize, channels, pair->mean,
                                    pair->std);
}

/* "0.1" of the images, or "5000" of them. */
static wick_status read_validation(cli_app *app, const char *text, int64_t count, int64_t *out)
{
    char *end;
    double number = strtod(text, &end);
    bool fine = end != text && *end == '\0' && text[0] != '-' && number > 0 && number < (double)count;
    int64_t held = !fine ? 0 : (int64_t)(number < 1 ? number * (double)count + 0.5 : number);
    if (!fine || (number >= 1 && (double)held != number) || held < 1 || held >= count)
        return app_usage(app,
                         "--validation must be a share of the training images, such as 0.1, or a number "
                         "of them below "
                         "%" PRId64 ", not '%s'",
                         count, text);
    *out = held;
    return WICK_OK;
}

/* torch.utils.data.random_split(data, [rest, held], generator=torch.Generator().manual_seed(seed)): the last of a
 * permutation are held out. */
static wick_status split(cli_app *app, uint64_t seed, int64_t held, cli_pair *pair)
{
    wick_generator *generator;
    wick_tensor *order = NULL;
    wick_dataset *rest = NULL;
    int64_t count = wick_dataset_count(pair->train_data);
    TRY(wick_generator_new(app->context, &generator));
    wick_generator_manual_seed(generator, seed);
    wick_status status = wick_randperm(app->context, generator, count, &order);
    wick_generator_free(generator);
    TRY(status);
    const int64_t *indices = wick_tensor_i64(order);
    status = wick_dataset_subset(pair->train_data, held, indices + count - held, &pair->valid_data);
    if (status == WICK_OK)
        status = wick_dataset_subset(pair->train_data, count - held, indices, &rest);
    wick_tensor_free(order);
    TRY(status);
    wick_dataset_free(pair->train_data);
    pair->train_data = rest;
    return WICK_OK;
}

static wick_status hold_out(cli_app *app, const cli_data_args *args, cli_pair *pair)
{
    int64_t held;
    if (args->validation == NULL)
        return WICK_OK;
    TRY(read_validation(app, args->validation, wick_dataset_count(pair->train_data), &held));
    return split(app, (uint64_t)args->split_seed, held, pair);
}

/* With drop_last there has to be a whole batch. */
static wick_status check_batches(cli_app *app, const cli_data_args *args, const wick_dataset *train)
{
    if (!args->drop_last || args->batch_size <= wick_dataset_count(train))
        return WICK_OK;
    return app_usage(app,
                     "--drop-last leaves nothing to train on: the training half's %" PRId64
                     " images are fewer than --batch-size %" PRId64,
                     wick_dataset_count(train), args->batch_size);
}

wick_status pair_open(cli_app *app, const cli_data_args *args, cli_pair *pair)
{
    TRY(read_transform(app, args, pair));
    TRY(open_half(app, args, WICK_TRAIN, NULL, &pair->train_data));
    TRY(open_half(app, args, WICK_TEST, pair->train_data, &pair->test_data));
    TRY(hold_out(app, args, pair));
    TRY(check_batches(app, args, pair->train_data));
    TRY(choose_normalization(app, args, pair));
    const float *mean = pair->normalized ? pair->mean : NULL, *std = pair->normalized ? pair->std : NULL;
    const wick_loader_options shuffled = {.batch_size = args->batch_size,
                                          .shuffle = true,
                                          .drop_last = args->drop_last,
                                          .transform = pair->transform,
                                          .mean = mean,
                                          .std = std};
    const wick_loader_options in_order = {.batch_size = args->batch_size, .mean = mean, .std = std};
    wick_status status = wick_loader_new(pair->train_data, &shuffled, &pair->train_loader);
    if (status == WICK_EINVAL)
        return app_blame_usage(app, status);
    TRY(status);
    if (pair->valid_data != NULL)
        TRY(wick_loader_new(pair->valid_data, &in_order, &pair->valid_loader));
    return wick_loader_new(pair->test_data, &in_order, &pair->test_loader);
}

void pair_release(cli_pair *pair)
{
    wick_loader_free(pair->train_loader);
    wick_loader_free(pair->test_loader);
    wick_loader_free(pair->valid_loader);
    wick_dataset_free(pair->valid_data);
    wick_dataset_free(pair->train_data);
    wick_dataset_free(pair->test_data);
    memset(pair, 0, sizeof(*pair));
}

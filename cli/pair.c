#include "pair.h"

#include "bar.h"
#include "output_files.h"

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
        .quiet = true,
    };
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
        .test_fraction = args->test_fraction,
        .progress = on_picture,
    };
    if (args->shape != NULL && args->image_size == NULL && args->channels == NULL) {
        options->channels = args->shape[0];
        options->image_height = args->shape[1];
        options->image_width = args->shape[2];
        options->folders_alone = true;
    }
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

wick_status dataset_open(cli_app *app, const cli_data_args *args, wick_split split, wick_dataset **out)
{
    wick_dataset *whole;
    TRY(open_whole(app, args, split, &whole));
    for (int i = 0; !args->quiet && split == WICK_TRAIN && wick_dataset_note(whole, i) != NULL; i++)
        app_note(app, "%s", wick_dataset_note(whole, i));
    if (args->limit == 0 || args->limit >= wick_dataset_count(whole)) {
        *out = whole;
        return WICK_OK;
    }
    wick_status status = wick_dataset_head(whole, args->limit, out);
    wick_dataset_free(whole);
    return status;
}

wick_status pair_open(cli_app *app, const cli_data_args *args, cli_pair *pair)
{
    const wick_loader_options shuffled = {.batch_size = args->batch_size, .shuffle = true};
    const wick_loader_options in_order = {.batch_size = args->batch_size};
    TRY(dataset_open(app, args, WICK_TRAIN, &pair->train_data));
    TRY(dataset_open(app, args, WICK_TEST, &pair->test_data));
    TRY(wick_loader_new(pair->train_data, &shuffled, &pair->train_loader));
    return wick_loader_new(pair->test_data, &in_order, &pair->test_loader);
}

void pair_release(cli_pair *pair)
{
    wick_loader_free(pair->train_loader);
    wick_loader_free(pair->test_loader);
    wick_dataset_free(pair->train_data);
    wick_dataset_free(pair->test_data);
    memset(pair, 0, sizeof(*pair));
}

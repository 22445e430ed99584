#include "pair.h"

#include "output_files.h"

#include <string.h>

static bool is_known(const char *name)
{
    for (int i = 0; wick_dataset_known(i) != NULL; i++)
        if (strcmp(wick_dataset_known(i), name) == 0)
            return true;
    return false;
}

wick_status dataset_open(cli_app *app, const cli_data_args *args, wick_split split, wick_dataset **out)
{
    wick_dataset *whole;
    wick_status status = wick_dataset_open(app->context, args->data, args->data_dir, split, &whole);
    if (status == WICK_ENOENT && !is_known(args->data) && strchr(args->data, '/') == NULL &&
        !is_folder(args->data))
        return app_blame_usage(app, status);
    TRY(status);
    if (args->limit == 0 || args->limit >= wick_dataset_count(whole)) {
        *out = whole;
        return WICK_OK;
    }
    status = wick_dataset_head(whole, args->limit, out);
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

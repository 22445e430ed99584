#include "notebook.h"
#include "python.h"

#include <inttypes.h>

static wick_status print_first_image(const cli_notebook *notebook)
{
    wick_tensor *image;
    int64_t label;
    char after[64], shape[SIZE_TEXT];
    const wick_dataset *train = notebook->pair.train_data;
    TRY(wick_dataset_get(train, 0, &image, &label));
    snprintf(after, sizeof(after), ", %" PRId64 ")\n", label);
    wick_status status = say_tensor(notebook->app, "(", image, 1, after);
    if (status == WICK_OK) {
        say(notebook->app, "\n");
        say_classes(notebook->app, train);
        say(notebook->app, "\n");
        status = say_class_to_idx(notebook->app, train);
    }
    if (status == WICK_OK)
        status = say_targets(notebook->app, "\n", train);
    notebook_section(notebook, "1.1 Check input and output shapes of data");
    say(notebook->app, "Image shape: %s -> [color_channels, height, width]\nImage label: %s\n",
        python_tensor_size(image, shape), wick_dataset_class(train, label));
    wick_tensor_free(image);
    return status;
}

wick_status notebook_data(cli_notebook *notebook)
{
    const cli_app *app = notebook->app;
    const cli_pair *pair = &notebook->pair;
    notebook_section(notebook, "1. Getting a dataset");
    say(app, "(%" PRId64 ", %" PRId64 ")\n\n", wick_dataset_count(pair->train_data),
        wick_dataset_count(pair->test_data));
    TRY(print_first_image(notebook));
    TRY(notebook_draw_first(notebook));
    TRY(notebook_draw_grid(notebook));
    say(app, "\n(");
    say_dataset(app, pair->train_data, 1);
    say(app, ", ");
    say_dataset(app, pair->test_data, 1);
    say(app, ")\n");
    return WICK_OK;
}

/* One image of the batch, by chance. */
static wick_status print_sample(cli_notebook *notebook, const wick_tensor *images,
                                const wick_tensor *labels)
{
    static const int64_t one[1] = {1};
    wick_tensor *index, *image;
    char shape[SIZE_TEXT];
    TRY(wick_randint(notebook->app->context, NULL, 0, wick_tensor_size(images, 0), 1, one, &index));
    int64_t at = wick_tensor_i64(index)[0];
    wick_tensor_free(index);
    TRY(wick_tensor_select(images, at, &image));
    say(notebook->app, "Image size: %s\n", python_tensor_size(image, shape));
    int64_t label = ((const int64_t *)wick_tensor_cdata(labels))[at];
    say(notebook->app, "Label: %" PRId64 ", label size: torch.Size([])\n", label);
    wick_status status = notebook_draw_batch_image(notebook, image, label);
    wick_tensor_free(image);
    return status;
}

static wick_status print_flatten(const cli_notebook *notebook, const wick_tensor *images)
{
    wick_module *flatten = NULL;
    wick_tensor *image = NULL, *output = NULL;
    char before[SIZE_TEXT], after[SIZE_TEXT];
    wick_status status;
    GOTO_OUT(wick_tensor_select(images, 0, &image));
    GOTO_OUT(wick_flatten(notebook->app->context, &flatten));
    GOTO_OUT(wick_module_forward(flatten, image, &output));
    notebook_section(notebook, "3. Model 0: Build a baseline model");
    say(notebook->app, "Shape before flattening: %s -> [color_channels, height, width]\n",
        python_tensor_size(image, before));
    say(notebook->app, "Shape after flattening: %s -> [color_channels, height*width]\n\n",
        python_tensor_size(output, after));
out:
    wick_tensor_free(output);
    wick_tensor_free(image);
    wick_module_free(flatten);
    return status;
}

wick_status notebook_loaders(cli_notebook *notebook)
{
    const cli_app *app = notebook->app;
    wick_loader *loader = notebook->pair.train_loader;
    wick_tensor *images = NULL, *labels = NULL;
    char shape[SIZE_TEXT], label_shape[SIZE_TEXT];
    notebook_section(notebook, "2. Prepare DataLoader");
    say(app, "Length of train_dataloader: %" PRId64 " batches of %" PRId64 "...\n",
        wick_loader_length(loader), wick_loader_batch_size(loader));
    say(app, "Length of test_dataloader: %" PRId64 " batches of %" PRId64 "...\n",
        wick_loader_length(notebook->pair.test_loader), wick_loader_batch_size(loader));
    wick_manual_seed(app->context, notebook->seed);
    TRY(wick_loader_begin(loader));
    TRY(wick_loader_next(loader, &images, &labels));
    say(app, "(%s, %s)\n", python_tensor_size(images, shape), python_tensor_size(labels, label_shape));
    wick_status status = print_sample(notebook, images, labels);
    if (status == WICK_OK)
        status = print_flatten(notebook, images);
    wick_tensor_free(images);
    wick_tensor_free(labels);
    return status;
}

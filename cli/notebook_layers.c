#include "notebook.h"
#include "python.h"

/* nn.Conv2d(in_channels=3, out_channels=10, kernel_size=(3, 3), stride=1, padding=0) on one image of a
 * batch, and nn.MaxPool2d(kernel_size=2) on what comes out. */
typedef struct layer_steps {
    wick_tensor *images, *test_image, *unsqueezed, *through_conv, *through_pool;
    wick_module *conv, *pool;
} layer_steps;

static void stepping_release(layer_steps *stepping)
{
    wick_tensor_free(stepping->images);
    wick_tensor_free(stepping->test_image);
    wick_tensor_free(stepping->unsqueezed);
    wick_tensor_free(stepping->through_conv);
    wick_tensor_free(stepping->through_pool);
    wick_module_free(stepping->conv);
    wick_module_free(stepping->pool);
}

static wick_status step_conv(cli_notebook *notebook, layer_steps *stepping)
{
    static const int64_t shape[4] = {32, 3, 64, 64};
    const cli_app *app = notebook->app;
    char size[SIZE_TEXT];
    notebook_section(notebook, "7.1 Stepping through nn.Conv2d()");
    wick_manual_seed(app->context, notebook->seed);
    TRY(wick_randn(app->context, NULL, 4, shape, &stepping->images));
    TRY(wick_tensor_select(stepping->images, 0, &stepping->test_image));
    TRY(wick_tensor_unsqueeze(stepping->test_image, 0, &stepping->unsqueezed));
    say(app, "Image batch shape: %s\n", python_tensor_size(stepping->images, size));
    say(app, "Single image shape: %s\n", python_tensor_size(stepping->test_image, size));
    TRY(say_tensor(app, "Test image:\n ", stepping->test_image, 0, "\n\n"));
    wick_manual_seed(app->context, notebook->seed);
    TRY(wick_conv2d(app->context, 3, 10, (wick_size2){3, 3}, NULL, &stepping->conv));
    TRY(wick_module_forward(stepping->conv, stepping->unsqueezed, &stepping->through_conv));
    say(app, "%s\n", python_tensor_size(stepping->through_conv, size));
    return WICK_OK;
}

static wick_status step_pool(cli_notebook *notebook, layer_steps *stepping)
{
    const cli_app *app = notebook->app;
    char size[SIZE_TEXT];
    notebook_section(notebook, "7.2 Stepping through nn.MaxPool2d()");
    say(app, "Test image original shape: %s\n", python_tensor_size(stepping->test_image, size));
    say(app, "Test image with unsqueezed dimension: %s\n",
        python_tensor_size(stepping->unsqueezed, size));
    TRY(wick_max_pool2d(app->context, (wick_size2){2, 2}, NULL, &stepping->pool));
    TRY(wick_module_forward(stepping->pool, stepping->through_conv, &stepping->through_pool));
    say(app, "Shape after going through conv_layer(): %s\n",
        python_tensor_size(stepping->through_conv, size));
    say(app, "Shape after going through conv_layer() and max_pool_layer(): %s\n",
        python_tensor_size(stepping->through_pool, size));
    return WICK_OK;
}

static wick_status pool_four_numbers(cli_notebook *notebook, wick_module *pool)
{
    static const int64_t shape[4] = {1, 1, 2, 2};
    const cli_app *app = notebook->app;
    char size[SIZE_TEXT];
    wick_tensor *random = NULL, *pooled = NULL;
    wick_status status;
    wick_manual_seed(app->context, notebook->seed);
    GOTO_OUT(wick_randn(app->context, NULL, 4, shape, &random));
    GOTO_OUT(wick_module_forward(pool, random, &pooled));
    GOTO_OUT(say_tensor(app, "\nRandom tensor:\n", random, 0, "\n"));
    say(app, "Random tensor shape: %s\n", python_tensor_size(random, size));
    GOTO_OUT(say_tensor(app, "\nMax pool tensor:\n ", pooled, 0, "\n"));
    say(app, "Max pool tensor shape: %s\n", python_tensor_size(pooled, size));
out:
    wick_tensor_free(random);
    wick_tensor_free(pooled);
    return status;
}

wick_status notebook_layers(cli_notebook *notebook)
{
    layer_steps stepping = {0};
    wick_status status = step_conv(notebook, &stepping);
    if (status == WICK_OK)
        status = step_pool(notebook, &stepping);
    if (status == WICK_OK)
        status = pool_four_numbers(notebook, stepping.pool);
    stepping_release(&stepping);
    return status;
}

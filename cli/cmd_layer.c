/* wick layer: a random tensor through one layer, or several, step by step. */
#include "json_out.h"
#include "python.h"
#include "settings.h"

#include <limits.h>
#include <string.h>

typedef struct layer_args {
    cli_operands operands;
    cli_sizes input;
    uint64_t seed;
    bool print, json;
} layer_args;

static const cli_option options[] = {
    {"input", "N,C,H,W", OPTION_SIZES, offsetof(layer_args, input), 1, INT32_MAX,
     "the shape of the random input, the batch first"},
    SEED_OPTION(layer_args),
    {"print", "", OPTION_BOOL, offsetof(layer_args, print), 0, 0, "print the tensors too"},
    JSON_OPTION(layer_args),
    {0},
};

static const layer_args defaults = {.input = {{1, 3, 64, 64}, 4}, .seed = 42};

static const char about[] =
    "Seeds the generator, draws an input with torch.randn, seeds it again, and makes each LAYER\n"
    "in turn from PyTorch's text for it, passing what came out of one to the next, as sections\n"
    "7.1 and 7.2 of the chapter do.\n"
    "Layers are those of a model's text (wick help model) with PyTorch's arguments, by place or by\n"
    "name.\n";

static const char examples[] =
    "  wick layer 'Conv2d(3, 10, kernel_size=3)'\n"
    "      what a convolution makes of a 64x64 image in colour\n"
    "  wick layer 'Conv2d(3, 10, kernel_size=3)' 'MaxPool2d(kernel_size=2)' --input 1,3,64,64\n"
    "      and a max pool after it\n"
    "  wick layer 'nn.MaxPool2d(2)' --input 1,1,2,2 --print\n"
    "      the largest of four numbers\n";

static void json_step(cli_json *json, const char *layer, const wick_tensor *output, bool print)
{
    json_open(json, NULL, '{');
    json_text(json, "layer", layer);
    json_ints(json, "output_shape", wick_tensor_ndim(output), wick_tensor_shape(output));
    if (print)
        json_tensor(json, "output", output);
    json_close(json, '}');
}

/* Tells of a layer and of what came out of it. */
static wick_status tell(const cli_app *app, const layer_args *args, cli_json *json,
                        const wick_module *layer, const wick_tensor *output)
{
    char shape[SIZE_TEXT];
    char *text;
    TRY(wick_module_format(layer, &text));
    if (args->json)
        json_step(json, text, output, args->print);
    say(app, "\nLayer: %s\nOutput shape: %s\n", text, python_tensor_size(output, shape));
    wick_free(text);
    return args->print ? say_tensor(app, "Output:\n", output, 0, "\n") : WICK_OK;
}

/* Passes *tensor through a layer and puts the output in its place. */
static wick_status step(cli_app *app, const layer_args *args, const char *text, cli_json *json,
                        wick_tensor **tensor)
{
    wick_module *layer;
    wick_tensor *output = NULL;
    TRY(wick_layer_parse(app->context, text, &layer));
    wick_module_eval(layer);
    wick_status status = wick_module_forward(layer, *tensor, &output);
    if (status == WICK_OK)
        status = tell(app, args, json, layer, output);
    wick_module_free(layer);
    if (output != NULL) {
        wick_tensor_free(*tensor);
        *tensor = output;
    }
    return status;
}

/* Checked before anything is printed, so that a wrong one leaves stdout empty. */
static wick_status check_layers(cli_app *app, const layer_args *args)
{
    int ndim = args->input.count;
    int64_t shape[WICK_MAX_DIMS];
    memcpy(shape, args->input.at, sizeof(shape));
    for (int i = 0; i < args->operands.count; i++) {
        wick_module *layer;
        wick_status status = wick_layer_parse(app->context, args->operands.at[i], &layer);
        if (status == WICK_EINVAL)
            return app_blame_usage(app, status);
        TRY(status);
        int64_t output[WICK_MAX_DIMS] = {0};
        status = wick_module_output_shape(layer, ndim, shape, &ndim, output);
        wick_module_free(layer);
        TRY(status);
        memcpy(shape, output, sizeof(shape));
    }
    return WICK_OK;
}

static wick_status run_layers(cli_app *app, const layer_args *args, wick_tensor **tensor)
{
    char shape[SIZE_TEXT];
    cli_json json = {0};
    say(app, "Input shape: %s\n", python_tensor_size(*tensor, shape));
    if (args->print)
        TRY(say_tensor(app, "Input:\n", *tensor, 0, "\n"));
    if (args->json) {
        json_open(&json, NULL, '{');
        json_seed(&json, "seed", args->seed);
        json_ints(&json, "input_shape", wick_tensor_ndim(*tensor), wick_tensor_shape(*tensor));
        if (args->print)
            json_tensor(&json, "input", *tensor);
        json_open(&json, "layers", '[');
    }
    wick_manual_seed(app->context, args->seed);
    for (int i = 0; i < args->operands.count; i++)
        TRY(step(app, args, args->operands.at[i], &json, tensor));
    if (args->json) {
        json_close(&json, ']');
        json_close(&json, '}');
        putchar('\n');
    }
    return WICK_OK;
}

static wick_status run(cli_app *app, void *memory)
{
    const layer_args *args = memory;
    wick_tensor *tensor;
    app->quiet = args->json;
    TRY(check_layers(app, args));
    wick_manual_seed(app->context, args->seed);
    TRY(wick_randn(app->context, NULL, args->input.count, args->input.at, &tensor));
    wick_status status = run_layers(app, args, &tensor);
    wick_tensor_free(tensor);
    return status;
}

const cli_command command_layer = {
    .name = "layer",
    .summary = "step a random tensor through a layer",
    .operands = "LAYER...",
    .about = about,
    .examples = examples,
    .options = options,
    .defaults = &defaults,
    .args_size = sizeof(layer_args),
    .min_operands = 1,
    .max_operands = INT_MAX,
    .run = run,
};

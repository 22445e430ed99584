/* wick model: a model as PyTorch prints it, and what its layers come to. */
#include "json_out.h"
#include "python.h"
#include "settings.h"

#include <inttypes.h>
#include <string.h>

typedef struct model_args {
    cli_operands operands;
    int64_t hidden_units, classes;
    uint64_t seed;
    cli_sizes input;
    const char *dummy;
    bool state_dict, json;
} model_args;

static const cli_option options[] = {
    HIDDEN_UNITS_OPTION(model_args),
    SEED_OPTION(model_args),
    {"input", "1,28,28", OPTION_SIZES, offsetof(model_args, input), 1, 1 << 20,
     "an image's channels, height and width"},
    {"classes", "N", OPTION_INT, offsetof(model_args, classes), 1, 1 << 20,
     "how many classes it tells apart"},
    {"state-dict", "", OPTION_BOOL, offsetof(model_args, state_dict), 0, 0,
     "print model.state_dict() with its values"},
    {"dummy", "rand|randn", OPTION_CHOICE, offsetof(model_args, dummy), 0, 0,
     "run an image of torch.rand or torch.randn, drawn right after the weights, through the model"},
    JSON_OPTION(model_args),
    {0},
};

static const model_args defaults = {
    .hidden_units = 10,
    .classes = 10,
    .seed = 42,
    .input = {{1, 28, 28}, 3},
};

static const char about[] =
    "Seeds the generator, makes the model, and prints it as print(model) does; then, for one\n"
    "image, what comes out of each layer, how many numbers it learns, and how many multiply-adds\n"
    "it takes.\n"
    "MODEL is FashionMNISTModelV0, FashionMNISTModelV1 or FashionMNISTModelV2, short v0, v1, v2;\n"
    "tinyvgg is v2. Or it is a model's text: constructor calls as in PyTorch, or what print(model)\n"
    "shows; @FILE, or a file's path, is a file with such a text.\n"
    "A text's layers: Linear, Conv2d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, BatchNorm1d,\n"
    "BatchNorm2d, GroupNorm, LayerNorm, Dropout, Dropout2d, ReLU, LeakyReLU, GELU, SiLU, Sigmoid,\n"
    "Tanh, Softmax, LogSoftmax, Flatten, Identity; LazyLinear(out), LazyConv2d(out, ...) and\n"
    "LazyBatchNorm2d() take their input's size from what comes. Sequential(...) runs its children\n"
    "one after the other, Residual(...) adds its input, or what its shortcut=... makes of it, to\n"
    "what comes out of them. Children are named as name=Layer(...) or as in\n"
    "Sequential(OrderedDict([('name', Layer(...)), ...])). nn. may stand before each; whole\n"
    "numbers may be products, 28*28; # begins a comment. A text that does not parse, or a\n"
    "layer that does not fit the images, is pointed at by line and column.\n";

static const char examples[] =
    "  wick model v2\n"
    "      the convolutional model of the chapter\n"
    "  wick model v0 --state-dict --dummy rand\n"
    "      model 0's weights under seed 42, and its answer to the chapter's dummy image\n"
    "  wick model tinyvgg --hidden-units 64 --input 3,28,28\n"
    "      a wider one for images in colour: how many parameters?\n"
    "  wick model 'Sequential(LazyConv2d(8, 3), ReLU(), Flatten(), LazyLinear(10))'\n"
    "      one of your own\n"
    "  wick model @mine.txt --input 3,32,32\n"
    "      the same from a file\n";

/* What is there to print. */
typedef struct model_report {
    cli_model_choice choice;
    wick_module *model;
    wick_layer_summary *layers;
    int64_t layer_count;
    wick_state_dict *dict; /* NULL unless asked for */
    wick_tensor *output;   /* the same */
} model_report;

static int64_t sum(const model_report *report, bool parameters)
{
    int64_t total = 0;
    for (int64_t i = 0; i < report->layer_count; i++)
        total += parameters ? report->layers[i].parameters : report->layers[i].multiply_adds;
    return total;
}

static void print_table(const cli_app *app, const model_report *report)
{
    char shape[SIZE_TEXT];
    say(app, "\n%-28s %-32s %12s %15s\n", "layer", "output shape", "parameters", "multiply-adds");
    for (int64_t i = 0; i < report->layer_count; i++) {
        const wick_layer_summary *layer = &report->layers[i];
        char name[192];
        snprintf(name, sizeof(name), "%s%s%s%s", layer->path, layer->path[0] == '\0' ? "" : " (",
                 layer->kind, layer->path[0] == '\0' ? "" : ")");
        say(app, "%-28s %-32s %12" PRId64 " %15" PRId64 "\n", name,
            python_size(layer->ndim, layer->shape, shape), layer->parameters, layer->multiply_adds);
    }
    say(app, "%-28s %-32s %12" PRId64 " %15" PRId64 "\n", "total", "", sum(report, true),
        sum(report, false));
}

static wick_status print_text(const cli_app *app, const model_report *report)
{
    char *text;
    TRY(wick_module_format(report->model, &text));
    say(app, "%s\n", text);
    wick_free(text);
    print_table(app, report);
    if (report->dict != NULL) {
        TRY(wick_state_dict_format(report->dict, &text));
        say(app, "\n%s\n", text);
        wick_free(text);
    }
    return report->output == NULL ? WICK_OK : say_tensor(app, "\n", report->output, 0, "\n");
}

static void print_json_layers(cli_json *json, const model_report *report)
{
    json_open(json, "layers", '[');
    for (int64_t i = 0; i < report->layer_count; i++) {
        const wick_layer_summary *layer = &report->layers[i];
        json_open(json, NULL, '{');
        json_text(json, "path", layer->path);
        json_text(json, "kind", layer->kind);
        json_ints(json, "output_shape", layer->ndim, layer->shape);
        json_int(json, "parameters", layer->parameters);
        json_int(json, "multiply_adds", layer->multiply_adds);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void print_json(const model_args *args, const model_report *report)
{
    cli_json json = {0};
    json_open(&json, NULL, '{');
    json_text(&json, "model_name", wick_module_class_name(report->model));
    json_seed(&json, "seed", args->seed);
    json_ints(&json, "input", args->input.count, args->input.at);
    json_int(&json, "parameters", sum(report, true));
    json_int(&json, "multiply_adds", sum(report, false));
    print_json_layers(&json, report);
    if (report->dict != NULL) {
        json_open(&json, "state_dict", '{');
        for (int64_t i = 0; i < wick_state_dict_count(report->dict); i++)
            json_tensor(&json, wick_state_dict_key(report->dict, i),
                        wick_state_dict_tensor(report->dict, i));
        json_close(&json, '}');
    }
    if (report->output != NULL)
        json_tensor(&json, "output", report->output);
    json_close(&json, '}');
    putchar('\n');
}

/* model(torch.rand([1, 1, 28, 28])) or model(torch.randn((1, 28, 28)).unsqueeze(0)): the same numbers
 * are drawn for either shape. */
static wick_status answer(cli_app *app, const char *dummy, int ndim, const int64_t *shape,
                          model_report *report)
{
    wick_tensor *image = NULL;
    bool normal = strcmp(dummy, "randn") == 0;
    TRY((normal ? wick_randn : wick_rand)(app->context, NULL, ndim, shape, &image));
    wick_status status = wick_module_forward(report->model, image, &report->output);
    wick_tensor_free(image);
    return status;
}

static wick_status make_report(cli_app *app, const model_args *args, model_report *report)
{
    const int64_t shape[4] = {1, args->input.at[0], args->input.at[1], args->input.at[2]};
    if (args->input.count != 3)
        return app_usage(app, "--input must be three numbers, channels, height and width, not %d",
                         args->input.count);
    TRY(model_choose(app, args->operands.at[0], option_given(options, args, "hidden-units"),
                     &report->choice));
    wick_manual_seed(app->context, args->seed);
    /* A text says how many classes there are. */
    bool any = wick_model_is_text(report->choice.model) && !option_given(options, args, "classes");
    TRY(model_make(app, &report->choice, args->input.at, args->hidden_units, any ? 0 : args->classes,
                   &report->model));
    TRY(wick_module_summary(report->model, 4, shape, &report->layers, &report->layer_count));
    if (args->dummy != NULL)
        TRY(answer(app, args->dummy, 4, shape, report));
    return args->state_dict ? wick_module_state_dict(report->model, &report->dict) : WICK_OK;
}

static wick_status run(cli_app *app, void *memory)
{
    const model_args *args = memory;
    model_report report = {0};
    wick_status status = make_report(app, args, &report);
    if (status == WICK_OK && args->json)
        print_json(args, &report);
    else if (status == WICK_OK)
        status = print_text(app, &report);
    wick_tensor_free(report.output);
    wick_state_dict_free(report.dict);
    wick_free(report.layers);
    wick_module_free(report.model);
    model_release(&report.choice);
    return status;
}

const cli_command command_model = {
    .name = "model",
    .summary = "print a model with its shapes, parameters and multiply-adds",
    .operands = "MODEL",
    .about = about,
    .examples = examples,
    .options = options,
    .defaults = &defaults,
    .args_size = sizeof(model_args),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};

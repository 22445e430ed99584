/* The chapter's models, single layers from text, state_dicts of both. */
#include "fault.h"

#include <string.h>

static wick_status look_at(wick_module *model, int ndim, const int64_t *shape)
{
    wick_state_dict *dict = NULL;
    wick_layer_summary *layers = NULL;
    char *text = NULL;
    int64_t count = 0;
    wick_status status;
    FAULT_TRY(wick_module_format(model, &text));
    FAULT_CHECK(strncmp(text, wick_module_class_name(model), strlen(wick_module_class_name(model))) ==
                0);
    FAULT_TRY(wick_module_summary(model, ndim, shape, &layers, &count));
    FAULT_CHECK(count > 0);
    FAULT_TRY(wick_module_state_dict(model, &dict));
    FAULT_TRY(wick_module_load_state_dict(model, dict));
    wick_state_dict_free(dict);
    dict = NULL;
    FAULT_TRY(wick_module_gradients(model, &dict));
out:
    wick_state_dict_free(dict);
    wick_free(layers);
    wick_free(text);
    return status;
}

static wick_status run_models(wick_context *context, const char *folder)
{
    (void)folder;
    static const int64_t image[3] = {1, 28, 28}, batch[4] = {2, 1, 28, 28};
    static const int64_t parameters[3] = {4 * 785 + 10 * 5, 4 * 785 + 10 * 5, 40 + 3 * 148 + 1970};
    for (int i = 0; i < 3; i++) {
        wick_module *model;
        wick_status status = wick_model_by_name(context, wick_model_known(i), image, 4, 10, &model);
        if (status != WICK_OK)
            return status;
        FAULT_CHECK(wick_module_parameter_count(model) == parameters[i]);
        status = look_at(model, 4, batch);
        wick_module_free(model);
        if (status != WICK_OK)
            return status;
    }
    return WICK_OK;
}

static wick_status run_layers(wick_context *context, const char *folder)
{
    (void)folder;
    static const char *const texts[] = {"Conv2d(3, 10, kernel_size=(3, 5), stride=2, padding=1)",
                                        "nn.MaxPool2d(2)", "Linear(8, 3, bias=False)", "ReLU()",
                                        "Flatten()"};
    static const int64_t shape[4] = {2, 3, 16, 8};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        wick_module *layer;
        wick_status status = wick_layer_parse(context, texts[i], &layer);
        if (status != WICK_OK)
            return status;
        status = look_at(layer, 4, shape);
        wick_module_free(layer);
        if (status != WICK_OK)
            return status;
    }
    return WICK_OK;
}

/* Each way to write a model, with every kind of layer that has parameters or buffers. */
static wick_status run_texts(wick_context *context, const char *folder)
{
    (void)folder;
    static const char *const texts[] = {
        "Sequential(LazyConv2d(4, 3), LazyBatchNorm2d(), GELU(), Flatten(), LazyLinear(3))",
        "Net(\n  (body): Residual(\n    (0): Conv2d(3, 2, 1)\n    (shortcut): Conv2d(3, 2, 1)\n  )\n)",
        "Sequential(OrderedDict([('norm', GroupNorm(1, 3)), ('rest', Sequential(LayerNorm((16, 8))))]))",
        "Sequential(Residual(a=Dropout(0.5), b=AvgPool2d(1)), AdaptiveAvgPool2d(1))",
    };
    static const int64_t shape[4] = {2, 3, 16, 8};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        wick_module *model;
        wick_status status = wick_model_parse(context, texts[i], shape + 1, &model);
        if (status != WICK_OK)
            return status;
        status = look_at(model, 4, shape);
        wick_module_free(model);
        if (status != WICK_OK)
            return status;
    }
    return WICK_OK;
}

/* A child is freed with its parent, and also where it could not be moved into it. */
static wick_status add_relus(wick_context *context, wick_module *sequential, int count)
{
    for (int i = 0; i < count; i++) {
        wick_module *child;
        wick_status status = wick_relu(context, &child);
        if (status == WICK_OK)
            status = wick_sequential_append(sequential, i % 2 == 0 ? NULL : "named_0" + (i > 9), child);
        if (status != WICK_OK)
            return status;
        FAULT_CHECK(wick_module_child_count(sequential) == i + 1);
    }
    return WICK_OK;
}

static wick_status run_sequential(wick_context *context, const char *folder)
{
    (void)folder;
    wick_module *outer = NULL, *inner = NULL;
    char *text = NULL;
    wick_status status;
    FAULT_TRY(wick_model(context, "Outer", &outer));
    FAULT_TRY(wick_sequential(context, &inner));
    wick_module *moved = inner;
    inner = NULL; /* moved or freed by append */
    FAULT_TRY(wick_sequential_append(outer, "inner", moved));
    FAULT_TRY(add_relus(context, wick_module_child(outer, 0), 2));
    FAULT_TRY(wick_module_format(outer, &text));
    FAULT_CHECK(strstr(text, "(inner): Sequential(") != NULL);
out:
    wick_free(text);
    wick_module_free(inner);
    wick_module_free(outer);
    return status;
}

const fault_scenario fault_scenarios[] = {
    {.name = "models", .run = run_models},
    {.name = "layers", .run = run_layers},
    {.name = "texts", .run = run_texts},
    {.name = "sequential", .run = run_sequential},
    {0},
};

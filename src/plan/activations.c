/* Every layer's output for one input: the layers one after the other, each by a plan of its own. */
#include "nn/module_internal.h"
#include "tensor/tensor_internal.h"

#include <stdlib.h>

typedef struct layer_walk {
    wick_activation_visit *visit;
    void *user;
    const wick_tensor *input; /* of the next layer */
    wick_tensor *output;      /* of the last one; owned, NULL before the first */
    /* For each Residual around: its input, and from its shortcut on its body's output. Owned. */
    wick_tensor **kept;
    size_t kept_count, kept_capacity;
} layer_walk;

/* Runs a layer as if it stood alone, and leaves it, with its plans and what they keep for backward, as
 * it was. */
static wick_status run_layer(wick_module *layer, const wick_tensor *input, wick_tensor **output)
{
    const bool training = layer->training;
    const wick_tta tta = layer->tta;
    void *plan = layer->plan;
    layer->training = false;
    layer->tta = WICK_TTA_NONE;
    layer->plan = NULL;
    wick_status status = wick_module_forward(layer, input, output);
    if (layer->plan != NULL)
        layer->plan_free(layer->plan);
    layer->plan = plan;
    layer->training = training;
    layer->tta = tta;
    return status;
}

static void take_output(layer_walk *walk, wick_tensor *output)
{
    wick_tensor_free(walk->output);
    walk->input = walk->output = output;
}

static wick_status keep_input(layer_walk *walk, wick_context *context)
{
    wick_tensor *copy;
    WKI_TRY(wki_grow(context, (void **)&walk->kept, &walk->kept_capacity, walk->kept_count + 1,
                     sizeof(*walk->kept), "activations"));
    WKI_TRY(wick_tensor_clone(walk->input, &copy));
    walk->kept[walk->kept_count++] = copy;
    return WICK_OK;
}

/* The Residual's input takes the place of its body's output, which is kept. */
static wick_status start_shortcut(layer_walk *walk)
{
    wick_tensor **kept = &walk->kept[walk->kept_count - 1], *body;
    WKI_TRY(wick_tensor_clone(walk->input, &body));
    take_output(walk, *kept);
    *kept = body;
    return WICK_OK;
}

static wick_status add_body(layer_walk *walk, const wick_module *residual, const char *path)
{
    wick_tensor *sum = walk->kept[--walk->kept_count];
    float *to = sum->data;
    for (int64_t i = 0; i < sum->numel; i++)
        to[i] += ((const float *)walk->input->data)[i];
    take_output(walk, sum);
    return walk->visit(walk->user, path, residual, sum);
}

static wick_status visit_module(void *user, wki_visit_event event, wick_module *module, const char *path)
{
    layer_walk *walk = user;
    wick_tensor *output;
    switch (event) {
    case WKI_VISIT_RESIDUAL:
        return keep_input(walk, module->context);
    case WKI_VISIT_SHORTCUT:
        return start_shortcut(walk);
    case WKI_VISIT_SUM:
        return add_body(walk, module, path);
    case WKI_VISIT_LAYER:
        break;
    }
    WKI_TRY(run_layer(module, walk->input, &output));
    take_output(walk, output);
    return walk->visit(walk->user, path, module, output);
}

wick_status wick_module_activations(wick_module *module, const wick_tensor *input,
                                    wick_activation_visit *visit, void *user)
{
    if (module == NULL)
        return WICK_EINVAL;
    if (input == NULL || visit == NULL || input->dtype != WICK_FLOAT32)
        return wki_fail(module->context, WICK_EINVAL,
                        "the input must be torch.float32, and visit not NULL");
    int ndim;
    int64_t shape[WICK_MAX_DIMS];
    /* Says which layer does not fit before any is run. */
    WKI_TRY(wick_module_output_shape(module, input->ndim, input->shape, &ndim, shape));
    layer_walk walk = {.visit = visit, .user = user, .input = input};
    wick_status status = wki_module_walk(module, visit_module, &walk);
    wick_tensor_free(walk.output);
    while (walk.kept_count > 0)
        wick_tensor_free(walk.kept[--walk.kept_count]);
    free(walk.kept);
    return status;
}

/* Every layer's output for one input: the layers one after the other, each by a plan of its own. */
#include "nn/module_internal.h"
#include "tensor/tensor_internal.h"

typedef struct layer_walk {
    wick_activation_visit *visit;
    void *user;
    const wick_tensor *input; /* of the next layer */
    wick_tensor *output;      /* of the last one; owned, NULL before the first */
} layer_walk;

/* Runs a layer as if it stood alone, and leaves it, with its plans and what they keep for backward, as
 * it was. */
static wick_status run_layer(wick_module *layer, const wick_tensor *input, wick_tensor **output)
{
    bool training = layer->training;
    void *plan = layer->plan;
    layer->training = false;
    layer->plan = NULL;
    wick_status status = wick_module_forward(layer, input, output);
    if (layer->plan != NULL)
        layer->plan_free(layer->plan);
    layer->plan = plan;
    layer->training = training;
    return status;
}

static wick_status visit_layer(void *user, wki_visit_event event, wick_module *layer, const char *path)
{
    layer_walk *walk = user;
    wick_tensor *output;
    if (event != WKI_VISIT_LAYER)
        return wki_fail(layer->context, WICK_ENOTSUP, "%s%s%s cannot be run yet", path,
                        path[0] == '\0' ? "" : ": ", layer->class_name);
    WKI_TRY(run_layer(layer, walk->input, &output));
    wick_tensor_free(walk->output);
    walk->input = walk->output = output;
    return walk->visit(walk->user, path, layer, output);
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
    wick_status status = wki_module_walk(module, visit_layer, &walk);
    wick_tensor_free(walk.output);
    return status;
}

#include "nn/layer_kind.h"

#include <string.h>

static const wki_layer_kind *const kinds[WKI_KIND_COUNT] = {
    [WKI_SEQUENTIAL] = &wki_sequential_kind,
    [WKI_FLATTEN] = &wki_flatten_kind,
    [WKI_LINEAR] = &wki_linear_kind,
    [WKI_RELU] = &wki_relu_kind,
    [WKI_CONV2D] = &wki_conv2d_kind,
    [WKI_MAX_POOL2D] = &wki_max_pool2d_kind,
    [WKI_BATCH_NORM] = &wki_batch_norm_kind,
    [WKI_DROPOUT] = &wki_dropout_kind,
    [WKI_AVG_POOL2D] = &wki_avg_pool2d_kind,
    [WKI_ADAPTIVE_AVG_POOL2D] = &wki_adaptive_avg_pool2d_kind,
    [WKI_LEAKY_RELU] = &wki_leaky_relu_kind,
    [WKI_GELU] = &wki_gelu_kind,
    [WKI_SILU] = &wki_silu_kind,
    [WKI_SIGMOID] = &wki_sigmoid_kind,
    [WKI_TANH] = &wki_tanh_kind,
    [WKI_SOFTMAX] = &wki_softmax_kind,
    [WKI_LOG_SOFTMAX] = &wki_log_softmax_kind,
    [WKI_GROUP_NORM] = &wki_group_norm_kind,
    [WKI_LAYER_NORM] = &wki_layer_norm_kind,
    [WKI_IDENTITY] = &wki_identity_kind,
    [WKI_RESIDUAL] = &wki_residual_kind,
};

const wki_layer_kind *wki_layer_kind_of(wki_module_kind kind)
{
    return kinds[kind];
}

const wki_layer_kind *wki_layer_kind_for(const wick_module *layer)
{
    const wki_layer_kind *first = kinds[layer->kind];
    for (const wki_layer_kind *kind = first; kind != NULL; kind = kind->variant)
        if (strcmp(kind->class_name, layer->class_name) == 0)
            return kind;
    return first;
}

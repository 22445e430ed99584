#include "nn/layer_kind.h"

static const wki_layer_kind *const kinds[WKI_KIND_COUNT] = {
    [WKI_SEQUENTIAL] = &wki_sequential_kind, [WKI_FLATTEN] = &wki_flatten_kind,
    [WKI_LINEAR] = &wki_linear_kind,         [WKI_RELU] = &wki_relu_kind,
    [WKI_CONV2D] = &wki_conv2d_kind,         [WKI_MAX_POOL2D] = &wki_max_pool2d_kind,
};

const wki_layer_kind *wki_layer_kind_of(wki_module_kind kind)
{
    return kinds[kind];
}

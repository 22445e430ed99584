#include "nn/layer_kind.h"

static wick_status output_shape(const wick_module *layer, const char *path, int ndim_in,
                                const int64_t *in, int *ndim_out, int64_t *out)
{
    (void)layer;
    (void)path;
    for (int i = 0; i < ndim_in; i++)
        out[i] = in[i];
    *ndim_out = ndim_in;
    return WICK_OK;
}

static wick_status make(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    (void)arguments;
    return wick_relu(context, out);
}

static const wki_signature signature[] = {{"inplace", WKI_ARGUMENT_FIXED, .only = "False"}, {NULL}};

const wki_layer_kind wki_relu_kind = {
    .class_name = "ReLU",
    .signature = signature,
    .make = make,
    .output_shape = output_shape,
};

wick_status wick_relu(wick_context *context, wick_module **out)
{
    return wki_module_new(context, WKI_RELU, NULL, out);
}

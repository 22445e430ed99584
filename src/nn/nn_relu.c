#include "nn/layer_kind.h"

static wick_status make(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    (void)arguments;
    return wick_relu(context, out);
}

/* inplace says where the result goes, not what it is. */
static const wki_signature signature[] = {{"inplace", WKI_ARGUMENT_BOOL}, {NULL}};

const wki_layer_kind wki_relu_kind = {
    .class_name = "ReLU",
    .signature = signature,
    .make = make,
    .output_shape = wki_same_shape,
};

wick_status wick_relu(wick_context *context, wick_module **out)
{
    return wki_module_new(context, WKI_RELU, NULL, out);
}

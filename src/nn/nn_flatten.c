#include "nn/layer_kind.h"

static void format(const wick_module *layer, wki_text *text)
{
    (void)layer;
    wki_text_puts(text, "start_dim=1, end_dim=-1");
}

static wick_status output_shape(const wick_module *layer, const char *path, int ndim_in,
                                const int64_t *in, int *ndim_out, int64_t *out)
{
    if (ndim_in < 2)
        return wki_shape_misfit(layer, path, "Flatten wants [N, ...], two dimensions or more,", ndim_in,
                                in);
    int64_t features = 1;
    for (int i = 1; i < ndim_in; i++)
        if (!wki_mul_i64(features, in[i], &features))
            return wki_shape_misfit(layer, path, "Flatten wants a product of sizes below 2^63", ndim_in,
                                    in);
    out[0] = in[0];
    out[1] = features;
    *ndim_out = 2;
    return WICK_OK;
}

static wick_status make(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    (void)arguments;
    return wick_flatten(context, out);
}

static const wki_signature signature[] = {
    {"start_dim", WKI_ARGUMENT_FIXED, .only = "1"},
    {"end_dim", WKI_ARGUMENT_FIXED, .only = "-1"},
    {NULL},
};

const wki_layer_kind wki_flatten_kind = {
    .class_name = "Flatten",
    .signature = signature,
    .make = make,
    .format = format,
    .output_shape = output_shape,
};

wick_status wick_flatten(wick_context *context, wick_module **out)
{
    return wki_module_new(context, WKI_FLATTEN, NULL, out);
}

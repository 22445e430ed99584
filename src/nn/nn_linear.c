#include "nn/layer_kind.h"

static void format(const wick_module *layer, wki_text *text)
{
    const wki_linear *linear = &layer->as.linear;
    wki_text_printf(text, "in_features=%lld, out_features=%lld, bias=%s", (long long)linear->in_features,
                    (long long)linear->out_features,
                    layer->parameters[1].value != NULL ? "True" : "False");
}

static wick_status output_shape(const wick_module *layer, const char *path, int ndim_in,
                                const int64_t *in, int *ndim_out, int64_t *out)
{
    const wki_linear *linear = &layer->as.linear;
    if (ndim_in < 1 || in[ndim_in - 1] != linear->in_features) {
        char wanted[WKI_WANTED_TEXT];
        snprintf(wanted, sizeof(wanted), "Linear wants [..., %lld]", (long long)linear->in_features);
        return wki_shape_misfit(layer, path, wanted, ndim_in, in);
    }
    for (int i = 0; i < ndim_in - 1; i++)
        out[i] = in[i];
    out[ndim_in - 1] = linear->out_features;
    *ndim_out = ndim_in;
    return WICK_OK;
}

static int64_t multiply_adds(const wick_module *layer)
{
    return layer->as.linear.in_features;
}

enum { IN_FEATURES, OUT_FEATURES, BIAS };

static const wki_signature signature[] = {
    [IN_FEATURES] = {"in_features", WKI_ARGUMENT_INT, .required = true, .least = 1},
    [OUT_FEATURES] = {"out_features", WKI_ARGUMENT_INT, .required = true, .least = 1},
    [BIAS] = {"bias", WKI_ARGUMENT_BOOL},
    {"device", WKI_ARGUMENT_FIXED, .only = "None"},
    {"dtype", WKI_ARGUMENT_FIXED, .only = "None"},
    {NULL},
};

static wick_status make(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    wick_linear_options options = {.no_bias = arguments[BIAS].given && !arguments[BIAS].truth};
    return wick_linear(context, arguments[IN_FEATURES].integer, arguments[OUT_FEATURES].integer,
                       &options, out);
}

static const wki_layer_kind lazy_linear_kind = {
    .class_name = "LazyLinear",
    .lazy_of = &wki_linear_kind,
    .lazy_dim = -1,
};

const wki_layer_kind wki_linear_kind = {
    .class_name = "Linear",
    .variant = &lazy_linear_kind,
    .signature = signature,
    .make = make,
    .format = format,
    .output_shape = output_shape,
    .multiply_adds = multiply_adds,
};

static wick_status check(wick_context *context, int64_t in_features, int64_t out_features, bool bias)
{
    WKI_TRY(wki_check_count(context, "in_features", in_features));
    WKI_TRY(wki_check_count(context, "out_features", out_features));
    const int64_t factors[] = {in_features, out_features};
    return wki_check_parameters(context, "Linear", 2, factors, bias ? out_features : 0);
}

wick_status wick_linear(wick_context *context, int64_t in_features, int64_t out_features,
                        const wick_linear_options *options, wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    bool bias = options == NULL || !options->no_bias;
    WKI_TRY(check(context, in_features, out_features, bias));
    wick_module *module;
    WKI_TRY(wki_module_new(context, WKI_LINEAR, NULL, &module));
    module->as.linear = (wki_linear){in_features, out_features};
    const int64_t shape[] = {out_features, in_features};
    wick_status status = WICK_OK;
    WKI_GOTO_OUT(wki_module_parameter(module, 0, "weight", 2, shape));
    if (bias)
        WKI_GOTO_OUT(wki_module_parameter(module, 1, "bias", 1, &out_features));
    WKI_GOTO_OUT(wki_init_weight_bias(module, in_features));
    *out = module;
    return WICK_OK;
out:
    wick_module_free(module);
    return status;
}

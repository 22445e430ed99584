#include "nn/layer_kind.h"

#include <float.h>

static void format(const wick_module *layer, wki_text *text)
{
    const wki_group_norm *norm = &layer->as.group_norm;
    wki_text_printf(text, "%lld, %lld, eps=", (long long)norm->groups, (long long)norm->channels);
    wki_text_float(text, norm->eps);
    wki_text_printf(text, ", affine=%s", wki_bool_text(norm->affine));
    if (norm->affine && layer->parameters[1].value == NULL)
        wki_text_puts(text, ", bias=False");
}

static wick_status output_shape(const wick_module *layer, const char *path, int ndim_in,
                                const int64_t *in, int *ndim_out, int64_t *out)
{
    const wki_group_norm *norm = &layer->as.group_norm;
    if (ndim_in < 2 || in[1] != norm->channels) {
        char wanted[WKI_WANTED_TEXT];
        snprintf(wanted, sizeof(wanted), "GroupNorm wants [N, %lld, ...]", (long long)norm->channels);
        return wki_shape_misfit(layer, path, wanted, ndim_in, in);
    }
    return wki_same_shape(layer, path, ndim_in, in, ndim_out, out);
}

static wick_status check(wick_context *context, const wki_group_norm *norm)
{
    WKI_TRY(wki_check_count(context, "num_groups", norm->groups));
    WKI_TRY(wki_check_count(context, "num_channels", norm->channels));
    if (norm->channels % norm->groups != 0)
        return wki_fail(context, WICK_EINVAL,
                        "num_channels must be divisible by num_groups, but they are %lld and %lld",
                        (long long)norm->channels, (long long)norm->groups);
    return wki_check_number(context, "eps", norm->eps, 0.0, DBL_MAX);
}

static wick_status new_group_norm(wick_context *context, const wki_group_norm *norm, bool no_bias,
                                  wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    WKI_TRY(check(context, norm));
    wick_module *module;
    WKI_TRY(wki_module_new(context, WKI_GROUP_NORM, NULL, &module));
    module->as.group_norm = *norm;
    wick_status status = norm->affine ? wki_module_affine(module, 1, &norm->channels, no_bias) : WICK_OK;
    if (status != WICK_OK) {
        wick_module_free(module);
        return status;
    }
    *out = module;
    return WICK_OK;
}

wick_status wick_group_norm(wick_context *context, int64_t num_groups, int64_t num_channels,
                            const wick_group_norm_options *options, wick_module **out)
{
    wick_group_norm_options none = {0};
    if (options == NULL)
        options = &none;
    wki_group_norm norm = {num_groups, num_channels, options->eps == 0.0 ? 1e-5 : options->eps,
                           !options->no_affine};
    return new_group_norm(context, &norm, options->no_bias, out);
}

enum { NUM_GROUPS, NUM_CHANNELS, EPS, AFFINE, DEVICE, DTYPE, BIAS };

static const wki_signature signature[] = {
    [NUM_GROUPS] = {"num_groups", WKI_ARGUMENT_INT, .required = true, .least = 1},
    [NUM_CHANNELS] = {"num_channels", WKI_ARGUMENT_INT, .required = true, .least = 1},
    [EPS] = {"eps", WKI_ARGUMENT_FLOAT},
    [AFFINE] = {"affine", WKI_ARGUMENT_BOOL},
    [DEVICE] = {"device", WKI_ARGUMENT_FIXED, .only = "None"},
    [DTYPE] = {"dtype", WKI_ARGUMENT_FIXED, .only = "None"},
    [BIAS] = {"bias", WKI_ARGUMENT_BOOL},
    {NULL},
};

static wick_status make(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    wki_group_norm norm = {
        .groups = arguments[NUM_GROUPS].integer,
        .channels = arguments[NUM_CHANNELS].integer,
        .eps = arguments[EPS].given ? arguments[EPS].number : 1e-5,
        .affine = !arguments[AFFINE].given || arguments[AFFINE].truth,
    };
    return new_group_norm(context, &norm, arguments[BIAS].given && !arguments[BIAS].truth, out);
}

const wki_layer_kind wki_group_norm_kind = {
    .class_name = "GroupNorm",
    .signature = signature,
    .make = make,
    .format = format,
    .output_shape = output_shape,
};

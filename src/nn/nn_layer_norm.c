#include "nn/layer_kind.h"

#include <float.h>
#include <string.h>

static void format(const wick_module *layer, wki_text *text)
{
    const wki_layer_norm *norm = &layer->as.layer_norm;
    wki_text_puts(text, "(");
    for (int i = 0; i < norm->ndim; i++)
        wki_text_printf(text, "%s%lld", i == 0 ? "" : ", ", (long long)norm->shape[i]);
    wki_text_puts(text, norm->ndim == 1 ? ",), eps=" : "), eps=");
    wki_text_float(text, norm->eps);
    wki_text_printf(text, ", elementwise_affine=%s", wki_bool_text(norm->affine));
    if (norm->affine && layer->parameters[1].value == NULL)
        wki_text_puts(text, ", bias=False");
}

static wick_status refuse_shape(const wick_module *layer, const char *path, int ndim, const int64_t *in)
{
    const wki_layer_norm *norm = &layer->as.layer_norm;
    char sizes[WKI_SHAPE_TEXT], wanted[WKI_SHAPE_TEXT + WKI_WANTED_TEXT];
    wki_shape_text(norm->ndim, norm->shape, sizes);
    snprintf(wanted, sizeof(wanted), "LayerNorm wants [N, ..., %s", sizes + 1);
    return wki_shape_misfit(layer, path, wanted, ndim, in);
}

static wick_status output_shape(const wick_module *layer, const char *path, int ndim_in,
                                const int64_t *in, int *ndim_out, int64_t *out)
{
    const wki_layer_norm *norm = &layer->as.layer_norm;
    /* The batch is never normalised over. */
    if (ndim_in <= norm->ndim ||
        memcmp(in + ndim_in - norm->ndim, norm->shape, (size_t)norm->ndim * sizeof(norm->shape[0])) != 0)
        return refuse_shape(layer, path, ndim_in, in);
    return wki_same_shape(layer, path, ndim_in, in, ndim_out, out);
}

static wick_status check(wick_context *context, wki_layer_norm *norm)
{
    if (norm->ndim < 1 || norm->ndim >= WICK_MAX_DIMS)
        return wki_fail(context, WICK_EINVAL, "normalized_shape must have 1 to %d sizes, not %d",
                        WICK_MAX_DIMS - 1, norm->ndim);
    for (int i = 0; i < norm->ndim; i++)
        WKI_TRY(wki_check_count(context, "normalized_shape", norm->shape[i]));
    WKI_TRY(wki_check_parameters(context, "LayerNorm", norm->ndim, norm->shape, 0));
    norm->numel = 1;
    for (int i = 0; i < norm->ndim; i++)
        norm->numel *= norm->shape[i];
    return wki_check_number(context, "eps", norm->eps, 0.0, DBL_MAX);
}

/* norm has all but its numel. */
static wick_status new_layer_norm(wick_context *context, wki_layer_norm *norm, bool no_bias,
                                  wick_module **out)
{
    WKI_TRY(check(context, norm));
    wick_module *module;
    WKI_TRY(wki_module_new(context, WKI_LAYER_NORM, NULL, &module));
    module->as.layer_norm = *norm;
    wick_status status =
        norm->affine ? wki_module_affine(module, norm->ndim, norm->shape, no_bias) : WICK_OK;
    if (status != WICK_OK) {
        wick_module_free(module);
        return status;
    }
    *out = module;
    return WICK_OK;
}

wick_status wick_layer_norm(wick_context *context, int ndim, const int64_t *normalized_shape,
                            const wick_layer_norm_options *options, wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    wick_layer_norm_options none = {0};
    if (options == NULL)
        options = &none;
    if (normalized_shape == NULL)
        return wki_fail(context, WICK_EINVAL, "normalized_shape is NULL");
    wki_layer_norm norm = {
        .ndim = ndim,
        .eps = options->eps == 0.0 ? 1e-5 : options->eps,
        .affine = !options->no_affine,
    };
    for (int i = 0; i < WKI_MIN(ndim, WICK_MAX_DIMS); i++)
        norm.shape[i] = normalized_shape[i];
    return new_layer_norm(context, &norm, options->no_bias, out);
}

enum { NORMALIZED_SHAPE, EPS, AFFINE, BIAS };

static const wki_signature signature[] = {
    [NORMALIZED_SHAPE] = {"normalized_shape", WKI_ARGUMENT_SHAPE, .required = true, .least = 1},
    [EPS] = {"eps", WKI_ARGUMENT_FLOAT},
    [AFFINE] = {"elementwise_affine", WKI_ARGUMENT_BOOL},
    [BIAS] = {"bias", WKI_ARGUMENT_BOOL},
    {"device", WKI_ARGUMENT_FIXED, .only = "None"},
    {"dtype", WKI_ARGUMENT_FIXED, .only = "None"},
    {NULL},
};

static wick_status make(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    const wki_argument *shape = &arguments[NORMALIZED_SHAPE];
    wki_layer_norm norm = {
        .ndim = shape->ndim,
        .eps = arguments[EPS].given ? arguments[EPS].number : 1e-5,
        .affine = !arguments[AFFINE].given || arguments[AFFINE].truth,
    };
    memcpy(norm.shape, shape->shape, sizeof(norm.shape));
    return new_layer_norm(context, &norm, arguments[BIAS].given && !arguments[BIAS].truth, out);
}

const wki_layer_kind wki_layer_norm_kind = {
    .class_name = "LayerNorm",
    .signature = signature,
    .make = make,
    .format = format,
    .output_shape = output_shape,
};

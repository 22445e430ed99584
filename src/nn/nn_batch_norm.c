/* nn.BatchNorm1d and nn.BatchNorm2d. */
#include "nn/layer_kind.h"

#include <float.h>

static void format(const wick_module *layer, wki_text *text)
{
    const wki_batch_norm *norm = &layer->as.batch_norm;
    wki_text_printf(text, "%lld, eps=", (long long)norm->features);
    wki_text_float(text, norm->eps);
    wki_text_puts(text, ", momentum=");
    if (norm->cumulative)
        wki_text_puts(text, "None");
    else
        wki_text_float(text, norm->momentum);
    wki_text_printf(text, ", affine=%s", wki_bool_text(norm->affine));
    if (norm->affine && layer->parameters[1].value == NULL)
        wki_text_puts(text, ", bias=False");
    wki_text_printf(text, ", track_running_stats=%s", wki_bool_text(norm->track));
}

static wick_status output_shape(const wick_module *layer, const char *path, int ndim_in,
                                const int64_t *in, int *ndim_out, int64_t *out)
{
    const wki_batch_norm *norm = &layer->as.batch_norm;
    bool fits = norm->spatial == 2 ? ndim_in == 4 : ndim_in == 2 || ndim_in == 3;
    if (!fits || in[1] != norm->features) {
        char wanted[WKI_WANTED_TEXT];
        long long c = (long long)norm->features;
        if (norm->spatial == 2)
            snprintf(wanted, sizeof(wanted), "BatchNorm2d wants [N, %lld, H, W]", c);
        else
            snprintf(wanted, sizeof(wanted), "BatchNorm1d wants [N, %lld] or [N, %lld, L]", c, c);
        return wki_shape_misfit(layer, path, wanted, ndim_in, in);
    }
    return wki_same_shape(layer, path, ndim_in, in, ndim_out, out);
}

static wick_status fill(wick_module *module, bool no_bias)
{
    const wki_batch_norm *norm = &module->as.batch_norm;
    if (norm->affine)
        WKI_TRY(wki_module_affine(module, 1, &norm->features, no_bias));
    if (!norm->track)
        return WICK_OK;
    WKI_TRY(wki_module_buffer(module, 0, "running_mean", WICK_FLOAT32, 1, &norm->features));
    WKI_TRY(wki_module_buffer(module, 1, "running_var", WICK_FLOAT32, 1, &norm->features));
    float *variance = wick_tensor_f32(module->buffers[1].value);
    for (int64_t i = 0; i < norm->features; i++)
        variance[i] = 1.0f;
    return wki_module_buffer(module, 2, "num_batches_tracked", WICK_INT64, 0, NULL);
}

static wick_status new_batch_norm(wick_context *context, const wki_batch_norm *norm, bool no_bias,
                                  wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    WKI_TRY(wki_check_count(context, "num_features", norm->features));
    WKI_TRY(wki_check_number(context, "eps", norm->eps, 0.0, DBL_MAX));
    WKI_TRY(wki_check_number(context, "momentum", norm->momentum, 0.0, 1.0));
    wick_module *module;
    const char *class_name = norm->spatial == 1 ? "BatchNorm1d" : "BatchNorm2d";
    WKI_TRY(wki_module_new(context, WKI_BATCH_NORM, class_name, &module));
    module->as.batch_norm = *norm;
    wick_status status = fill(module, no_bias);
    if (status != WICK_OK) {
        wick_module_free(module);
        return status;
    }
    *out = module;
    return WICK_OK;
}

static wick_status from_options(wick_context *context, int64_t num_features, int spatial,
                                const wick_batch_norm_options *options, wick_module **out)
{
    wick_batch_norm_options none = {0};
    if (options == NULL)
        options = &none;
    wki_batch_norm norm = {
        .features = num_features,
        .eps = options->eps == 0.0 ? 1e-5 : options->eps,
        .momentum = options->momentum == 0.0 ? 0.1 : options->momentum,
        .cumulative = options->cumulative,
        .affine = !options->no_affine,
        .track = !options->no_running_stats,
        .spatial = spatial,
    };
    return new_batch_norm(context, &norm, options->no_bias, out);
}

wick_status wick_batch_norm1d(wick_context *context, int64_t num_features,
                              const wick_batch_norm_options *options, wick_module **out)
{
    return from_options(context, num_features, 1, options, out);
}

wick_status wick_batch_norm2d(wick_context *context, int64_t num_features,
                              const wick_batch_norm_options *options, wick_module **out)
{
    return from_options(context, num_features, 2, options, out);
}

/* ---- from text ---- */

enum { NUM_FEATURES, EPS, MOMENTUM, AFFINE, TRACK, DEVICE, DTYPE, BIAS };

static const wki_signature signature[] = {
    [NUM_FEATURES] = {"num_features", WKI_ARGUMENT_INT, .required = true, .least = 1},
    [EPS] = {"eps", WKI_ARGUMENT_FLOAT},
    [MOMENTUM] = {"momentum", WKI_ARGUMENT_FLOAT, .none = true},
    [AFFINE] = {"affine", WKI_ARGUMENT_BOOL},
    [TRACK] = {"track_running_stats", WKI_ARGUMENT_BOOL},
    [DEVICE] = {"device", WKI_ARGUMENT_FIXED, .only = "None"},
    [DTYPE] = {"dtype", WKI_ARGUMENT_FIXED, .only = "None"},
    [BIAS] = {"bias", WKI_ARGUMENT_BOOL},
    {NULL},
};

static wick_status make(wick_context *context, const wki_argument *arguments, int spatial,
                        wick_module **out)
{
    wki_batch_norm norm = {
        .features = arguments[NUM_FEATURES].integer,
        .eps = arguments[EPS].given ? arguments[EPS].number : 1e-5,
        .momentum = arguments[MOMENTUM].given ? arguments[MOMENTUM].number : 0.1,
        .cumulative = arguments[MOMENTUM].none,
        .affine = !arguments[AFFINE].given || arguments[AFFINE].truth,
        .track = !arguments[TRACK].given || arguments[TRACK].truth,
        .spatial = spatial,
    };
    return new_batch_norm(context, &norm, arguments[BIAS].given && !arguments[BIAS].truth, out);
}

static wick_status make_1d(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    return make(context, arguments, 1, out);
}

static wick_status make_2d(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    return make(context, arguments, 2, out);
}

static const wki_layer_kind batch_norm1d_kind;
static const wki_layer_kind lazy_batch_norm1d_kind = {
    .class_name = "LazyBatchNorm1d",
    .lazy_of = &batch_norm1d_kind,
    .lazy_dim = 1,
};
static const wki_layer_kind lazy_batch_norm2d_kind = {
    .class_name = "LazyBatchNorm2d",
    .variant = &lazy_batch_norm1d_kind,
    .lazy_of = &wki_batch_norm_kind,
    .lazy_dim = 1,
    .lazy_ndim = 4,
};

static const wki_layer_kind batch_norm1d_kind = {
    .class_name = "BatchNorm1d",
    .variant = &lazy_batch_norm2d_kind,
    .signature = signature,
    .make = make_1d,
    .format = format,
    .output_shape = output_shape,
};

const wki_layer_kind wki_batch_norm_kind = {
    .class_name = "BatchNorm2d",
    .variant = &batch_norm1d_kind,
    .signature = signature,
    .make = make_2d,
    .format = format,
    .output_shape = output_shape,
};

#include "nn/layer_kind.h"

static void format_size(wki_text *text, int64_t size)
{
    if (size == 0)
        wki_text_puts(text, "None");
    else
        wki_text_printf(text, "%lld", (long long)size);
}

static void format(const wick_module *layer, wki_text *text)
{
    wick_size2 size = layer->as.adaptive_avg_pool2d.output;
    bool one = size.h == size.w && size.h != 0;
    wki_text_puts(text, one ? "output_size=" : "output_size=(");
    format_size(text, size.h);
    if (one)
        return;
    wki_text_puts(text, ", ");
    format_size(text, size.w);
    wki_text_puts(text, ")");
}

static wick_status output_shape(const wick_module *layer, const char *path, int ndim_in,
                                const int64_t *in, int *ndim_out, int64_t *out)
{
    wick_size2 size = layer->as.adaptive_avg_pool2d.output;
    if (ndim_in != 4 || in[1] < 1 || in[2] < 1 || in[3] < 1)
        return wki_shape_misfit(layer, path, "AdaptiveAvgPool2d wants [N, C, H, W]", ndim_in, in);
    out[0] = in[0];
    out[1] = in[1];
    out[2] = size.h == 0 ? in[2] : size.h;
    out[3] = size.w == 0 ? in[3] : size.w;
    *ndim_out = 4;
    return WICK_OK;
}

static const wki_signature signature[] = {
    {"output_size", WKI_ARGUMENT_OUTPUT_SIZE, .required = true, .least = 1},
    {NULL},
};

static wick_status make(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    return wick_adaptive_avg_pool2d(context, arguments[0].size, out);
}

const wki_layer_kind wki_adaptive_avg_pool2d_kind = {
    .class_name = "AdaptiveAvgPool2d",
    .signature = signature,
    .make = make,
    .format = format,
    .output_shape = output_shape,
};

wick_status wick_adaptive_avg_pool2d(wick_context *context, wick_size2 output_size, wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    WKI_TRY(wki_check_size2(context, "output_size", output_size, 0));
    wick_module *module;
    WKI_TRY(wki_module_new(context, WKI_ADAPTIVE_AVG_POOL2D, NULL, &module));
    module->as.adaptive_avg_pool2d.output = output_size;
    *out = module;
    return WICK_OK;
}

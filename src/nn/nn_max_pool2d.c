#include "nn/layer_kind.h"

static void format_size2(wki_text *text, const char *name, wick_size2 size)
{
    wki_text_printf(text, "%s=", name);
    wki_text_square(text, size);
    wki_text_puts(text, ", ");
}

static void format(const wick_module *layer, wki_text *text)
{
    const wki_max_pool2d *pool = &layer->as.max_pool2d;
    format_size2(text, "kernel_size", pool->kernel);
    format_size2(text, "stride", pool->stride);
    format_size2(text, "padding", pool->padding);
    format_size2(text, "dilation", pool->dilation);
    wki_text_printf(text, "ceil_mode=%s", pool->ceil_mode ? "True" : "False");
}

static wick_status refuse_shape(const wick_module *layer, const char *path, int ndim, const int64_t *in)
{
    const wki_max_pool2d *pool = &layer->as.max_pool2d;
    int64_t h = wki_pool_least(pool->kernel.h, pool->stride.h, pool->padding.h, pool->dilation.h,
                               pool->ceil_mode);
    int64_t w = wki_pool_least(pool->kernel.w, pool->stride.w, pool->padding.w, pool->dilation.w,
                               pool->ceil_mode);
    char image[WKI_WANTED_TEXT], wanted[2 * WKI_WANTED_TEXT];
    snprintf(wanted, sizeof(wanted), "MaxPool2d wants %s", wki_wanted_image("C", h, w, image));
    return wki_shape_misfit(layer, path, wanted, ndim, in);
}

static wick_status output_shape(const wick_module *layer, const char *path, int ndim_in,
                                const int64_t *in, int *ndim_out, int64_t *out)
{
    const wki_max_pool2d *pool = &layer->as.max_pool2d;
    if (ndim_in != 4 || in[1] < 1)
        return refuse_shape(layer, path, ndim_in, in);
    out[0] = in[0];
    out[1] = in[1];
    out[2] = wki_pool_size(in[2], pool->kernel.h, pool->stride.h, pool->padding.h, pool->dilation.h,
                           pool->ceil_mode);
    out[3] = wki_pool_size(in[3], pool->kernel.w, pool->stride.w, pool->padding.w, pool->dilation.w,
                           pool->ceil_mode);
    if (out[2] < 1 || out[3] < 1)
        return refuse_shape(layer, path, ndim_in, in);
    *ndim_out = 4;
    return WICK_OK;
}

enum { KERNEL_SIZE, STRIDE, PADDING, DILATION, RETURN_INDICES, CEIL_MODE };

static const wki_signature signature[] = {
    [KERNEL_SIZE] = {"kernel_size", WKI_ARGUMENT_SIZE, .required = true, .least = 1},
    [STRIDE] = {"stride", WKI_ARGUMENT_SIZE, .none = true, .least = 1},
    [PADDING] = {"padding", WKI_ARGUMENT_SIZE, .least = 0},
    [DILATION] = {"dilation", WKI_ARGUMENT_SIZE, .least = 1},
    [RETURN_INDICES] = {"return_indices", WKI_ARGUMENT_FIXED, .only = "False"},
    [CEIL_MODE] = {"ceil_mode", WKI_ARGUMENT_BOOL},
    {NULL},
};

static wick_status make(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    wick_max_pool2d_options options = {
        .stride = arguments[STRIDE].size,
        .padding = arguments[PADDING].size,
        .dilation = arguments[DILATION].size,
        .ceil_mode = arguments[CEIL_MODE].truth,
    };
    return wick_max_pool2d(context, arguments[KERNEL_SIZE].size, &options, out);
}

const wki_layer_kind wki_max_pool2d_kind = {
    .class_name = "MaxPool2d",
    .signature = signature,
    .make = make,
    .format = format,
    .output_shape = output_shape,
};

static wick_status check(wick_context *context, const wki_max_pool2d *pool)
{
    WKI_TRY(wki_check_size2(context, "kernel_size", pool->kernel, 1));
    WKI_TRY(wki_check_size2(context, "stride", pool->stride, 1));
    WKI_TRY(wki_check_size2(context, "padding", pool->padding, 0));
    WKI_TRY(wki_check_size2(context, "dilation", pool->dilation, 1));
    return wki_check_pool_padding(context, pool->padding, pool->kernel);
}

wick_status wick_max_pool2d(wick_context *context, wick_size2 kernel_size,
                            const wick_max_pool2d_options *options, wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    wick_max_pool2d_options none = {0};
    if (options == NULL)
        options = &none;
    wki_max_pool2d pool = {
        .kernel = wki_size2_or(kernel_size, kernel_size),
        .padding = options->padding,
        .dilation = wki_size2_or(options->dilation, (wick_size2){1, 1}),
        .ceil_mode = options->ceil_mode,
    };
    pool.stride = wki_size2_or(options->stride, pool.kernel);
    WKI_TRY(check(context, &pool));
    wick_module *module;
    WKI_TRY(wki_module_new(context, WKI_MAX_POOL2D, NULL, &module));
    module->as.max_pool2d = pool;
    *out = module;
    return WICK_OK;
}

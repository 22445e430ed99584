#include "nn/layer_kind.h"

/* PyTorch prints kernel, stride and padding alone; what else was given is added here, so that the text
 * makes the same layer again. */
static void format(const wick_module *layer, wki_text *text)
{
    const wki_avg_pool2d *pool = &layer->as.avg_pool2d;
    wki_text_puts(text, "kernel_size=");
    wki_text_square(text, pool->kernel);
    wki_text_puts(text, ", stride=");
    wki_text_square(text, pool->stride);
    wki_text_puts(text, ", padding=");
    wki_text_square(text, pool->padding);
    if (pool->ceil_mode)
        wki_text_puts(text, ", ceil_mode=True");
    if (!pool->count_include_pad)
        wki_text_puts(text, ", count_include_pad=False");
    if (pool->divisor_override != 0)
        wki_text_printf(text, ", divisor_override=%lld", (long long)pool->divisor_override);
}

static wick_status refuse_shape(const wick_module *layer, const char *path, int ndim, const int64_t *in)
{
    const wki_avg_pool2d *pool = &layer->as.avg_pool2d;
    int64_t h = wki_pool_least(pool->kernel.h, pool->stride.h, pool->padding.h, 1, pool->ceil_mode);
    int64_t w = wki_pool_least(pool->kernel.w, pool->stride.w, pool->padding.w, 1, pool->ceil_mode);
    char image[WKI_WANTED_TEXT], wanted[2 * WKI_WANTED_TEXT];
    snprintf(wanted, sizeof(wanted), "AvgPool2d wants %s", wki_wanted_image("C", h, w, image));
    return wki_shape_misfit(layer, path, wanted, ndim, in);
}

static wick_status output_shape(const wick_module *layer, const char *path, int ndim_in,
                                const int64_t *in, int *ndim_out, int64_t *out)
{
    const wki_avg_pool2d *pool = &layer->as.avg_pool2d;
    if (ndim_in != 4 || in[1] < 1)
        return refuse_shape(layer, path, ndim_in, in);
    out[0] = in[0];
    out[1] = in[1];
    out[2] = wki_pool_size(in[2], pool->kernel.h, pool->stride.h, pool->padding.h, 1, pool->ceil_mode);
    out[3] = wki_pool_size(in[3], pool->kernel.w, pool->stride.w, pool->padding.w, 1, pool->ceil_mode);
    if (out[2] < 1 || out[3] < 1)
        return refuse_shape(layer, path, ndim_in, in);
    *ndim_out = 4;
    return WICK_OK;
}

enum { KERNEL_SIZE, STRIDE, PADDING, CEIL_MODE, COUNT_INCLUDE_PAD, DIVISOR_OVERRIDE };

static const wki_signature signature[] = {
    [KERNEL_SIZE] = {"kernel_size", WKI_ARGUMENT_SIZE, .required = true, .least = 1},
    [STRIDE] = {"stride", WKI_ARGUMENT_SIZE, .none = true, .least = 1},
    [PADDING] = {"padding", WKI_ARGUMENT_SIZE, .least = 0},
    [CEIL_MODE] = {"ceil_mode", WKI_ARGUMENT_BOOL},
    [COUNT_INCLUDE_PAD] = {"count_include_pad", WKI_ARGUMENT_BOOL},
    [DIVISOR_OVERRIDE] = {"divisor_override", WKI_ARGUMENT_INT, .none = true, .least = 1},
    {NULL},
};

static wick_status make(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    const wki_argument *count_pad = &arguments[COUNT_INCLUDE_PAD];
    wick_avg_pool2d_options options = {
        .stride = arguments[STRIDE].size,
        .padding = arguments[PADDING].size,
        .ceil_mode = arguments[CEIL_MODE].truth,
        .count_exclude_pad = count_pad->given && !count_pad->truth,
        .divisor_override = arguments[DIVISOR_OVERRIDE].integer,
    };
    return wick_avg_pool2d(context, arguments[KERNEL_SIZE].size, &options, out);
}

const wki_layer_kind wki_avg_pool2d_kind = {
    .class_name = "AvgPool2d",
    .signature = signature,
    .make = make,
    .format = format,
    .output_shape = output_shape,
};

static wick_status check(wick_context *context, const wki_avg_pool2d *pool)
{
    WKI_TRY(wki_check_size2(context, "kernel_size", pool->kernel, 1));
    WKI_TRY(wki_check_size2(context, "stride", pool->stride, 1));
    WKI_TRY(wki_check_size2(context, "padding", pool->padding, 0));
    WKI_TRY(wki_check_pool_padding(context, pool->padding, pool->kernel));
    return pool->divisor_override == 0
               ? WICK_OK
               : wki_check_count(context, "divisor_override", pool->divisor_override);
}

wick_status wick_avg_pool2d(wick_context *context, wick_size2 kernel_size,
                            const wick_avg_pool2d_options *options, wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    wick_avg_pool2d_options none = {0};
    if (options == NULL)
        options = &none;
    wki_avg_pool2d pool = {
        .kernel = wki_size2_or(kernel_size, kernel_size),
        .padding = options->padding,
        .ceil_mode = options->ceil_mode,
        .count_include_pad = !options->count_exclude_pad,
        .divisor_override = options->divisor_override,
    };
    pool.stride = wki_size2_or(options->stride, pool.kernel);
    WKI_TRY(check(context, &pool));
    wick_module *module;
    WKI_TRY(wki_module_new(context, WKI_AVG_POOL2D, NULL, &module));
    module->as.avg_pool2d = pool;
    *out = module;
    return WICK_OK;
}

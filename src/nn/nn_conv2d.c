#include "nn/layer_kind.h"

#include <string.h>

static void format_size2(wki_text *text, const char *name, wick_size2 size, int64_t silent)
{
    if (size.h == silent && size.w == silent)
        return;
    wki_text_printf(text, ", %s=", name);
    wki_text_size2(text, size);
}

static void format(const wick_module *layer, wki_text *text)
{
    const wki_conv2d *conv = &layer->as.conv2d;
    wki_text_printf(text, "%lld, %lld", (long long)conv->in_channels, (long long)conv->out_channels);
    format_size2(text, "kernel_size", conv->kernel, -1);
    format_size2(text, "stride", conv->stride, -1);
    if (conv->padding_word != NULL)
        wki_text_printf(text, ", padding=%s", conv->padding_word);
    else
        format_size2(text, "padding", conv->padding, 0);
    format_size2(text, "dilation", conv->dilation, 1);
    if (conv->groups != 1)
        wki_text_printf(text, ", groups=%lld", (long long)conv->groups);
    if (layer->parameters[1].value == NULL)
        wki_text_puts(text, ", bias=False");
}

static int64_t output_size(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation)
{
    int64_t room = in + 2 * padding - wki_reach(kernel, dilation);
    return room < 0 ? 0 : room / stride + 1;
}

static wick_status refuse_shape(const wick_module *layer, const char *path, int ndim, const int64_t *in)
{
    const wki_conv2d *conv = &layer->as.conv2d;
    char channels[24], image[WKI_WANTED_TEXT], wanted[2 * WKI_WANTED_TEXT];
    snprintf(channels, sizeof(channels), "%lld", (long long)conv->in_channels);
    wki_wanted_image(channels, wki_reach(conv->kernel.h, conv->dilation.h) - 2 * conv->padding.h,
                     wki_reach(conv->kernel.w, conv->dilation.w) - 2 * conv->padding.w, image);
    snprintf(wanted, sizeof(wanted), "Conv2d(%lld, %lld, ...) wants %s", (long long)conv->in_channels,
             (long long)conv->out_channels, image);
    return wki_shape_misfit(layer, path, wanted, ndim, in);
}

static wick_status output_shape(const wick_module *layer, const char *path, int ndim_in,
                                const int64_t *in, int *ndim_out, int64_t *out)
{
    const wki_conv2d *conv = &layer->as.conv2d;
    if (ndim_in != 4 || in[1] != conv->in_channels)
        return refuse_shape(layer, path, ndim_in, in);
    /* As in PyTorch there may be no images, but no empty ones, whatever the padding. */
    if (in[0] > 0 && (in[2] < 1 || in[3] < 1))
        return refuse_shape(layer, path, ndim_in, in);
    out[0] = in[0];
    out[1] = conv->out_channels;
    out[2] = output_size(in[2], conv->kernel.h, conv->stride.h, conv->padding.h, conv->dilation.h);
    out[3] = output_size(in[3], conv->kernel.w, conv->stride.w, conv->padding.w, conv->dilation.w);
    if (out[2] < 1 || out[3] < 1)
        return refuse_shape(layer, path, ndim_in, in);
    *ndim_out = 4;
    return WICK_OK;
}

static int64_t multiply_adds(const wick_module *layer)
{
    const wki_conv2d *conv = &layer->as.conv2d;
    return conv->in_channels / conv->groups * conv->kernel.h * conv->kernel.w;
}

static wick_status check_sizes(wick_context *context, const wki_conv2d *conv)
{
    WKI_TRY(wki_check_count(context, "in_channels", conv->in_channels));
    WKI_TRY(wki_check_count(context, "out_channels", conv->out_channels));
    WKI_TRY(wki_check_size2(context, "kernel_size", conv->kernel, 1));
    WKI_TRY(wki_check_size2(context, "stride", conv->stride, 1));
    WKI_TRY(wki_check_size2(context, "padding", conv->padding, 0));
    WKI_TRY(wki_check_size2(context, "dilation", conv->dilation, 1));
    return wki_check_count(context, "groups", conv->groups);
}

static wick_status check(wick_context *context, const wki_conv2d *conv, bool bias)
{
    WKI_TRY(check_sizes(context, conv));
    if (conv->in_channels % conv->groups != 0)
        return wki_fail(context, WICK_EINVAL,
                        "in_channels must be divisible by groups, but they are %lld and %lld",
                        (long long)conv->in_channels, (long long)conv->groups);
    if (conv->out_channels % conv->groups != 0)
        return wki_fail(context, WICK_EINVAL,
                        "out_channels must be divisible by groups, but they are %lld and %lld",
                        (long long)conv->out_channels, (long long)conv->groups);
    const int64_t factors[] = {conv->out_channels, conv->in_channels / conv->groups, conv->kernel.h,
                               conv->kernel.w};
    return wki_check_parameters(context, "Conv2d", 4, factors, bias ? conv->out_channels : 0);
}

/* conv has every default filled in. */
static wick_status new_conv2d(wick_context *context, const wki_conv2d *conv, bool bias,
                              wick_module **out)
{
    WKI_TRY(check(context, conv, bias));
    wick_module *module;
    WKI_TRY(wki_module_new(context, WKI_CONV2D, NULL, &module));
    module->as.conv2d = *conv;
    const int64_t fan_channels = conv->in_channels / conv->groups;
    const int64_t shape[] = {conv->out_channels, fan_channels, conv->kernel.h, conv->kernel.w};
    wick_status status = WICK_OK;
    WKI_GOTO_OUT(wki_module_parameter(module, 0, "weight", 4, shape));
    if (bias)
        WKI_GOTO_OUT(wki_module_parameter(module, 1, "bias", 1, shape));
    WKI_GOTO_OUT(wki_init_weight_bias(module, fan_channels * conv->kernel.h * conv->kernel.w));
    *out = module;
    return WICK_OK;
out:
    wick_module_free(module);
    return status;
}

static wki_conv2d with_defaults(int64_t in_channels, int64_t out_channels, wick_size2 kernel_size,
                                const wick_conv2d_options *options)
{
    const wick_size2 one = {1, 1};
    return (wki_conv2d){
        .in_channels = in_channels,
        .out_channels = out_channels,
        .groups = options->groups == 0 ? 1 : options->groups,
        .kernel = wki_size2_or(kernel_size, kernel_size),
        .stride = wki_size2_or(options->stride, one),
        .padding = options->padding,
        .dilation = wki_size2_or(options->dilation, one),
    };
}

wick_status wick_conv2d(wick_context *context, int64_t in_channels, int64_t out_channels,
                        wick_size2 kernel_size, const wick_conv2d_options *options, wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    wick_conv2d_options none = {0};
    if (options == NULL)
        options = &none;
    wki_conv2d conv = with_defaults(in_channels, out_channels, kernel_size, options);
    return new_conv2d(context, &conv, !options->no_bias, out);
}

/* ---- from text ---- */

enum { IN_CHANNELS, OUT_CHANNELS, KERNEL_SIZE, STRIDE, PADDING, DILATION, GROUPS, BIAS };

static const char *const padding_words[] = {"same", "valid", NULL};
static const wki_signature signature[] = {
    [IN_CHANNELS] = {"in_channels", WKI_ARGUMENT_INT, .required = true, .least = 1},
    [OUT_CHANNELS] = {"out_channels", WKI_ARGUMENT_INT, .required = true, .least = 1},
    [KERNEL_SIZE] = {"kernel_size", WKI_ARGUMENT_SIZE, .required = true, .least = 1},
    [STRIDE] = {"stride", WKI_ARGUMENT_SIZE, .least = 1},
    [PADDING] = {"padding", WKI_ARGUMENT_PADDING, .least = 0, .words = padding_words},
    [DILATION] = {"dilation", WKI_ARGUMENT_SIZE, .least = 1},
    [GROUPS] = {"groups", WKI_ARGUMENT_INT, .least = 1},
    [BIAS] = {"bias", WKI_ARGUMENT_BOOL},
    {"padding_mode", WKI_ARGUMENT_FIXED, .only = "'zeros'"},
    {"device", WKI_ARGUMENT_FIXED, .only = "None"},
    {"dtype", WKI_ARGUMENT_FIXED, .only = "None"},
    {NULL},
};

/* padding='same': as much as keeps the image's size. */
static wick_status pad_same(wick_context *context, wki_conv2d *conv)
{
    if (conv->stride.h != 1 || conv->stride.w != 1)
        return wki_fail(context, WICK_EINVAL,
                        "padding='same' is not supported for strided convolutions");
    int64_t h = wki_reach(conv->kernel.h, conv->dilation.h) - 1;
    int64_t w = wki_reach(conv->kernel.w, conv->dilation.w) - 1;
    if (h % 2 != 0 || w % 2 != 0)
        return wki_fail(context, WICK_EINVAL,
                        "padding='same' would pad one side more than the other, which is not supported: "
                        "dilation * (kernel_size - 1) is (%lld, %lld); it must be even",
                        (long long)h, (long long)w);
    conv->padding = (wick_size2){h / 2, w / 2};
    return WICK_OK;
}

static wick_status make(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    wick_conv2d_options options = {
        .stride = arguments[STRIDE].size,
        .padding = arguments[PADDING].size,
        .dilation = arguments[DILATION].size,
        .groups = arguments[GROUPS].integer,
    };
    wki_conv2d conv = with_defaults(arguments[IN_CHANNELS].integer, arguments[OUT_CHANNELS].integer,
                                    arguments[KERNEL_SIZE].size, &options);
    conv.padding_word = arguments[PADDING].word;
    if (conv.padding_word != NULL && strcmp(conv.padding_word, "same") == 0)
        WKI_TRY(pad_same(context, &conv));
    return new_conv2d(context, &conv, !arguments[BIAS].given || arguments[BIAS].truth, out);
}

static const wki_layer_kind lazy_conv2d_kind = {
    .class_name = "LazyConv2d",
    .lazy_of = &wki_conv2d_kind,
    .lazy_dim = 1,
    .lazy_ndim = 4,
};

const wki_layer_kind wki_conv2d_kind = {
    .class_name = "Conv2d",
    .variant = &lazy_conv2d_kind,
    .signature = signature,
    .make = make,
    .format = format,
    .output_shape = output_shape,
    .multiply_adds = multiply_adds,
};

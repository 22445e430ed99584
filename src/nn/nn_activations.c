/* The layers that work number by number, ReLU aside, and those that work along the classes. inplace says
 * where a result goes, not what it is: it is read and forgotten. */
#include "nn/layer_kind.h"

#include <float.h>
#include <string.h>

static wick_status new_activation(wick_context *context, wki_module_kind kind, wki_activation options,
                                  wick_module **out)
{
    WKI_TRY(wki_module_new(context, kind, NULL, out));
    (*out)->as.activation = options;
    return WICK_OK;
}

static const wki_signature inplace_signature[] = {{"inplace", WKI_ARGUMENT_BOOL}, {NULL}};
static const wki_signature no_signature[] = {{NULL}};

/* ---- LeakyReLU ---- */

static void format_leaky_relu(const wick_module *layer, wki_text *text)
{
    wki_text_puts(text, "negative_slope=");
    wki_text_float(text, layer->as.activation.slope);
}

wick_status wick_leaky_relu(wick_context *context, double negative_slope, wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    WKI_TRY(wki_check_number(context, "negative_slope", negative_slope, -DBL_MAX, DBL_MAX));
    return new_activation(context, WKI_LEAKY_RELU, (wki_activation){.slope = negative_slope}, out);
}

static const wki_signature leaky_relu_signature[] = {
    {"negative_slope", WKI_ARGUMENT_FLOAT},
    {"inplace", WKI_ARGUMENT_BOOL},
    {NULL},
};

static wick_status make_leaky_relu(wick_context *context, const wki_argument *arguments,
                                   wick_module **out)
{
    return wick_leaky_relu(context, arguments[0].given ? arguments[0].number : 0.01, out);
}

const wki_layer_kind wki_leaky_relu_kind = {
    .class_name = "LeakyReLU",
    .signature = leaky_relu_signature,
    .make = make_leaky_relu,
    .format = format_leaky_relu,
    .output_shape = wki_same_shape,
};

/* ---- GELU ---- */

static void format_gelu(const wick_module *layer, wki_text *text)
{
    wki_text_printf(text, "approximate='%s'", layer->as.activation.tanh_approximation ? "tanh" : "none");
}

wick_status wick_gelu(wick_context *context, bool tanh_approximation, wick_module **out)
{
    return new_activation(context, WKI_GELU, (wki_activation){.tanh_approximation = tanh_approximation},
                          out);
}

static const char *const gelu_words[] = {"none", "tanh", NULL};
static const wki_signature gelu_signature[] = {
    {"approximate", WKI_ARGUMENT_WORD, .words = gelu_words},
    {NULL},
};

static wick_status make_gelu(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    return wick_gelu(context, arguments[0].given && strcmp(arguments[0].word, "tanh") == 0, out);
}

const wki_layer_kind wki_gelu_kind = {
    .class_name = "GELU",
    .signature = gelu_signature,
    .make = make_gelu,
    .format = format_gelu,
    .output_shape = wki_same_shape,
};

/* ---- SiLU, Sigmoid, Tanh, Identity ---- */

wick_status wick_silu(wick_context *context, wick_module **out)
{
    return new_activation(context, WKI_SILU, (wki_activation){0}, out);
}

wick_status wick_sigmoid(wick_context *context, wick_module **out)
{
    return new_activation(context, WKI_SIGMOID, (wki_activation){0}, out);
}

wick_status wick_tanh(wick_context *context, wick_module **out)
{
    return new_activation(context, WKI_TANH, (wki_activation){0}, out);
}

wick_status wick_identity(wick_context *context, wick_module **out)
{
    return wki_module_new(context, WKI_IDENTITY, NULL, out);
}

static wick_status make_silu(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    (void)arguments;
    return wick_silu(context, out);
}

static wick_status make_sigmoid(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    (void)arguments;
    return wick_sigmoid(context, out);
}

static wick_status make_tanh(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    (void)arguments;
    return wick_tanh(context, out);
}

static wick_status make_identity(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    (void)arguments;
    return wick_identity(context, out);
}

const wki_layer_kind wki_silu_kind = {
    .class_name = "SiLU",
    .signature = inplace_signature,
    .make = make_silu,
    .output_shape = wki_same_shape,
};
const wki_layer_kind wki_sigmoid_kind = {
    .class_name = "Sigmoid",
    .signature = no_signature,
    .make = make_sigmoid,
    .output_shape = wki_same_shape,
};
const wki_layer_kind wki_tanh_kind = {
    .class_name = "Tanh",
    .signature = no_signature,
    .make = make_tanh,
    .output_shape = wki_same_shape,
};
const wki_layer_kind wki_identity_kind = {
    .class_name = "Identity",
    .signature = no_signature,
    .make = make_identity,
    .output_shape = wki_same_shape,
};

/* ---- Softmax, LogSoftmax ---- */

static void format_dim(const wick_module *layer, wki_text *text)
{
    wki_text_printf(text, "dim=%d", layer->as.activation.dim);
}

static wick_status softmax_shape(const wick_module *layer, const char *path, int ndim_in,
                                 const int64_t *in, int *ndim_out, int64_t *out)
{
    if (ndim_in != 2 || in[1] < 1) {
        char wanted[WKI_WANTED_TEXT];
        snprintf(wanted, sizeof(wanted), "%s wants [N, C]", layer->class_name);
        return wki_shape_misfit(layer, path, wanted, ndim_in, in);
    }
    return wki_same_shape(layer, path, ndim_in, in, ndim_out, out);
}

static wick_status new_softmax(wick_context *context, wki_module_kind kind, int64_t dim,
                               wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    if (dim != 1 && dim != -1)
        return wki_fail(context, WICK_EINVAL,
                        "dim must be 1 or -1, the classes of [N, C], but it is %lld", (long long)dim);
    return new_activation(context, kind, (wki_activation){.dim = (int)dim}, out);
}

wick_status wick_softmax(wick_context *context, int dim, wick_module **out)
{
    return new_softmax(context, WKI_SOFTMAX, dim, out);
}

wick_status wick_log_softmax(wick_context *context, int dim, wick_module **out)
{
    return new_softmax(context, WKI_LOG_SOFTMAX, dim, out);
}

static const wki_signature dim_signature[] = {
    {"dim", WKI_ARGUMENT_INT, .required = true, .least = -1},
    {NULL},
};

static wick_status make_softmax(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    return new_softmax(context, WKI_SOFTMAX, arguments[0].integer, out);
}

static wick_status make_log_softmax(wick_context *context, const wki_argument *arguments,
                                    wick_module **out)
{
    return new_softmax(context, WKI_LOG_SOFTMAX, arguments[0].integer, out);
}

const wki_layer_kind wki_softmax_kind = {
    .class_name = "Softmax",
    .signature = dim_signature,
    .make = make_softmax,
    .format = format_dim,
    .output_shape = softmax_shape,
};
const wki_layer_kind wki_log_softmax_kind = {
    .class_name = "LogSoftmax",
    .signature = dim_signature,
    .make = make_log_softmax,
    .format = format_dim,
    .output_shape = softmax_shape,
};

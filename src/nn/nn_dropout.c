/* nn.Dropout and nn.Dropout2d. */
#include "nn/layer_kind.h"

static void format(const wick_module *layer, wki_text *text)
{
    wki_text_puts(text, "p=");
    wki_text_float(text, layer->as.dropout.p);
    wki_text_puts(text, ", inplace=False");
}

static wick_status output_shape_2d(const wick_module *layer, const char *path, int ndim_in,
                                   const int64_t *in, int *ndim_out, int64_t *out)
{
    if (ndim_in != 4)
        return wki_shape_misfit(layer, path, "Dropout2d wants [N, C, H, W]", ndim_in, in);
    return wki_same_shape(layer, path, ndim_in, in, ndim_out, out);
}

static wick_status new_dropout(wick_context *context, double p, bool channels, wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    WKI_TRY(wki_check_number(context, "p", p, 0.0, 1.0));
    WKI_TRY(wki_module_new(context, WKI_DROPOUT, channels ? "Dropout2d" : "Dropout", out));
    (*out)->as.dropout = (wki_dropout){p, channels};
    return WICK_OK;
}

wick_status wick_dropout(wick_context *context, double p, wick_module **out)
{
    return new_dropout(context, p, false, out);
}

wick_status wick_dropout2d(wick_context *context, double p, wick_module **out)
{
    return new_dropout(context, p, true, out);
}

enum { P, INPLACE };

static const wki_signature signature[] = {
    [P] = {"p", WKI_ARGUMENT_FLOAT},
    [INPLACE] = {"inplace", WKI_ARGUMENT_BOOL},
    {NULL},
};

static wick_status make(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    return new_dropout(context, arguments[P].given ? arguments[P].number : 0.5, false, out);
}

static wick_status make_2d(wick_context *context, const wki_argument *arguments, wick_module **out)
{
    return new_dropout(context, arguments[P].given ? arguments[P].number : 0.5, true, out);
}

static const wki_layer_kind dropout2d_kind = {
    .class_name = "Dropout2d",
    .signature = signature,
    .make = make_2d,
    .format = format,
    .output_shape = output_shape_2d,
};

const wki_layer_kind wki_dropout_kind = {
    .class_name = "Dropout",
    .variant = &dropout2d_kind,
    .signature = signature,
    .make = make,
    .format = format,
    .output_shape = wki_same_shape,
};

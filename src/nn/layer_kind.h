/* The kinds of layers: what nn knows of a layer is a row of functions, one row a kind (layer_kinds.c).
 *
 * A new layer is one file (its constructor and its row), a value of wki_module_kind, and a line in the
 * table.
 */
#ifndef WKI_LAYER_KIND_H
#define WKI_LAYER_KIND_H

#include "nn/module_internal.h"
#include "tensor/tensor_internal.h"

enum {
    WKI_MAX_ARGUMENTS = 12, /* the longest signature, Conv2d's, has 11 */
    WKI_WANTED_TEXT = 160,
};
/* No size of a kernel, stride, padding or dilation, no channel and no feature count is larger: sums and
 * products of two of them then fit 64 bits. Nor is there a layer with more parameters. */
#define WKI_MAX_OPTION    INT64_C(0x7fffffff)
#define WKI_MAX_PARAMETER (INT64_C(1) << 31)
/* The largest size of a dimension of an input. */
#define WKI_MAX_EXTENT (INT64_C(1) << 48)

/* ---- constructor arguments, as text gives them ---- */

typedef enum wki_argument_type {
    WKI_ARGUMENT_INT,         /* 3 */
    WKI_ARGUMENT_FLOAT,       /* 0.5, 1e-05, 3 */
    WKI_ARGUMENT_BOOL,        /* True */
    WKI_ARGUMENT_SIZE,        /* 3 or (3, 2) */
    WKI_ARGUMENT_OUTPUT_SIZE, /* a size in which None stands for 0 */
    WKI_ARGUMENT_SHAPE,       /* 3, (3,) or (3, 2, 4) */
    WKI_ARGUMENT_PADDING,     /* a size, or one of the words */
    WKI_ARGUMENT_WORD,        /* one of the words */
    WKI_ARGUMENT_FIXED,       /* PyTorch has it; here only its default is supported */
} wki_argument_type;

/* One argument of a signature. */
typedef struct wki_signature {
    const char *name; /* NULL ends a signature */
    wki_argument_type type;
    bool required;
    bool none;                /* may be None, which is as if it were not given */
    int64_t least;            /* the smallest whole number allowed */
    const char *const *words; /* PADDING, WORD: what it may be, up to a NULL */
    const char *only;         /* FIXED: the default as Python writes it: "None", "-1", "'zeros'" */
} wki_signature;

/* What was given for it. */
typedef struct wki_argument {
    bool given;
    bool none; /* given as None */
    bool truth;
    int64_t integer;
    double number;
    wick_size2 size;
    int ndim; /* SHAPE */
    int64_t shape[WICK_MAX_DIMS];
    const char *word; /* PADDING, WORD: the signature's, else NULL. Static */
} wki_argument;

/* ---- the table ---- */

typedef struct wki_layer_kind {
    const char *class_name;
    bool container; /* has children; the functions below are then NULL */
    /* Another class of the same kind (BatchNorm2d's is BatchNorm1d), or NULL. */
    const struct wki_layer_kind *variant;
    /* For a lazy class (LazyLinear): the class that it becomes. Its first argument is missing here and is
     * taken from dimension lazy_dim, which may count from the end, of the lazy_ndim (0: any) that come. It
     * has nothing else. */
    const struct wki_layer_kind *lazy_of;
    int lazy_dim, lazy_ndim;

    /* The constructor's arguments in PyTorch's order and names, and the constructor called with them. */
    const wki_signature *signature;
    wick_status (*make)(wick_context *context, const wki_argument *arguments, wick_module **out);
    /* Appends what print(layer) has between the parentheses; NULL: nothing. */
    void (*format)(const wick_module *layer, wki_text *text);
    /* The shape after it. ndim and sizes are within limits; in and out are different arrays. */
    wick_status (*output_shape)(const wick_module *layer, const char *path, int ndim_in,
                                const int64_t *in, int *ndim_out, int64_t *out);
    /* How many multiply-adds one element of its output takes; NULL: none. */
    int64_t (*multiply_adds)(const wick_module *layer);
} wki_layer_kind;

extern const wki_layer_kind wki_sequential_kind, wki_flatten_kind, wki_linear_kind, wki_relu_kind,
    wki_conv2d_kind, wki_max_pool2d_kind, wki_batch_norm_kind, wki_dropout_kind, wki_avg_pool2d_kind,
    wki_adaptive_avg_pool2d_kind, wki_leaky_relu_kind, wki_gelu_kind, wki_silu_kind, wki_sigmoid_kind,
    wki_tanh_kind, wki_softmax_kind, wki_log_softmax_kind, wki_group_norm_kind, wki_layer_norm_kind,
    wki_identity_kind, wki_residual_kind;

/* The row of a kind, the first if it has variants. */
const wki_layer_kind *wki_layer_kind_of(wki_module_kind kind);
/* The row of a layer's own class. */
const wki_layer_kind *wki_layer_kind_for(const wick_module *layer);

/* ---- for constructors ---- */

/* WICK_EINVAL if there is no context or nowhere to put a result. */
wick_status wki_check_out(wick_context *context, const void *out);
/* A module without parameters. class_name NULL: the kind's. */
wick_status wki_module_new(wick_context *context, wki_module_kind kind, const char *class_name,
                           wick_module **out);
/* Makes parameter `index` with its gradient, both zero. */
wick_status wki_module_parameter(wick_module *module, int index, const char *name, int ndim,
                                 const int64_t *shape);
/* Makes buffer `index`, zero. */
wick_status wki_module_buffer(wick_module *module, int index, const char *name, wick_dtype dtype,
                              int ndim, const int64_t *shape);
/* Makes the weight, ones, and unless no_bias the bias, zeros, both of that shape: what a normalisation
 * learns. */
wick_status wki_module_affine(wick_module *module, int ndim, const int64_t *shape, bool no_bias);
/* WICK_ELIMIT if a layer of so many weights (the product of count factors) and biases is too large. */
wick_status wki_check_parameters(wick_context *context, const char *class_name, int count,
                                 const int64_t *factors, int64_t biases);
/* Draws parameter 0 from kaiming_uniform_(a=sqrt(5)), then parameter 1, where there is one, from
 * U(-1/sqrt(fan_in), 1/sqrt(fan_in)): reset_parameters() of nn.Linear and nn.Conv2d. */
wick_status wki_init_weight_bias(wick_module *module, int64_t fan_in);

/* A size as given with its defaults filled in: w 0 becomes h; both 0 becomes fallback. */
wick_size2 wki_size2_or(wick_size2 size, wick_size2 fallback);
/* WICK_EINVAL if h or w (or the count) is below least (1), WICK_ELIMIT if above WKI_MAX_OPTION. what
 * names the argument. */
wick_status wki_check_size2(wick_context *context, const char *what, wick_size2 size, int64_t least);
wick_status wki_check_count(wick_context *context, const char *what, int64_t count);
/* WICK_EINVAL if a number is not finite or not from least to most. */
wick_status wki_check_number(wick_context *context, const char *what, double number, double least,
                             double most);

/* ---- for formats and shapes ---- */

/* "(3, 2)" */
void wki_text_size2(wki_text *text, wick_size2 size);
/* "3" where both are alike, else "(3, 2)": a pooling layer keeps what it was given, 2 or (2, 2), and
 * PyTorch prints that; here a square size prints as one number. */
void wki_text_square(wki_text *text, wick_size2 size);
/* "1e-05", as Python prints a float. */
void wki_text_float(wki_text *text, double number);
/* "True" or "False" */
const char *wki_bool_text(bool truth);
/* The output shape of layers that keep the shape, whatever it is. */
wick_status wki_same_shape(const wick_module *layer, const char *path, int ndim_in, const int64_t *in,
                           int *ndim_out, int64_t *out);
/* How many windows of a pooling fit into `in` elements; 0: none. In ceil_mode a window may hang over the
 * end by less than a stride. And the smallest `in` that one fits into. */
int64_t wki_pool_size(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation,
                      bool ceil_mode);
int64_t wki_pool_least(int64_t kernel, int64_t stride, int64_t padding, int64_t dilation,
                       bool ceil_mode);
/* WICK_EINVAL if the padding is more than half of the kernel_size. */
wick_status wki_check_pool_padding(wick_context *context, wick_size2 padding, wick_size2 kernel);
/* WICK_ESHAPE: "path: WANTED but got [32, 1, 28, 28]". */
wick_status wki_shape_misfit(const wick_module *layer, const char *path, const char *wanted, int ndim,
                             const int64_t *got);
/* "[N, 3, H >= 5, W >= 2]"; the >= only where a least size is above 1. Returns out. */
const char *wki_wanted_image(const char *channels, int64_t least_h, int64_t least_w,
                             char out[WKI_WANTED_TEXT]);
/* How far a kernel reaches: dilation * (kernel - 1) + 1. */
static inline int64_t wki_reach(int64_t kernel, int64_t dilation)
{
    return dilation * (kernel - 1) + 1;
}

#endif

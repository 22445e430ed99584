/* Modules: layers and models (torch.nn).
 *
 * A module is made with its weights drawn as PyTorch draws them, from the context's default
 * generator, in the same order. In the options a zero field is PyTorch's default. Constructors
 * return an owned module: wick_module_free(), unless it is moved into another one.
 */
#ifndef WICK_MODULE_H
#define WICK_MODULE_H

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wick_module wick_module;

/* ---- layers ---- */

/* nn.Flatten(): [N, ...] -> [N, product]. */
WICK_API wick_status wick_flatten(wick_context *context, wick_module **out);
/* nn.ReLU(). */
WICK_API wick_status wick_relu(wick_context *context, wick_module **out);

typedef struct wick_linear_options {
    bool no_bias; /* bias=False */
} wick_linear_options;
/* nn.Linear(in_features, out_features): y = x W^T + b over the last dimension. options may be NULL.
 * Errors: WICK_EINVAL (a size below 1), WICK_ELIMIT, WICK_ENOMEM. */
WICK_API wick_status wick_linear(wick_context *context, int64_t in_features, int64_t out_features,
                                 const wick_linear_options *options, wick_module **out);

/* A size in height and width. Where a size of 0 means nothing (kernels, strides, dilations), a zero
 * w stands for "the same as h": {3} is (3, 3). Paddings are given in full: {1, 1}. */
typedef struct wick_size2 {
    int64_t h, w;
} wick_size2;

typedef struct wick_conv2d_options {
    wick_size2 stride;   /* 0: 1 */
    wick_size2 padding;  /* zeros on either side, above and below by h, left and right by w */
    wick_size2 dilation; /* 0: 1 */
    int64_t groups;      /* 0: 1 */
    bool no_bias;        /* bias=False */
} wick_conv2d_options;
/* nn.Conv2d(in_channels, out_channels, kernel_size): [N, C, H, W] -> [N, O, OH, OW], OH = (H + 2
 * padding - dilation (kernel - 1) - 1) / stride + 1. options may be NULL.
 * https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
 * Errors: WICK_EINVAL (a size below 1, channels that groups does not divide), WICK_ELIMIT,
 * WICK_ENOMEM. */
WICK_API wick_status wick_conv2d(wick_context *context, int64_t in_channels, int64_t out_channels,
                                 wick_size2 kernel_size, const wick_conv2d_options *options,
                                 wick_module **out);

typedef struct wick_max_pool2d_options {
    wick_size2 stride;   /* 0: the kernel_size */
    wick_size2 padding;  /* minus infinity on either side; at most half the kernel */
    wick_size2 dilation; /* 0: 1 */
    bool ceil_mode;
} wick_max_pool2d_options;
/* nn.MaxPool2d(kernel_size): [N, C, H, W] -> [N, C, OH, OW]. options may be NULL.
 * https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
 * Errors: WICK_EINVAL, WICK_ENOMEM. */
WICK_API wick_status wick_max_pool2d(wick_context *context, wick_size2 kernel_size,
                                     const wick_max_pool2d_options *options, wick_module **out);

typedef struct wick_avg_pool2d_options {
    wick_size2 stride;  /* 0: the kernel_size */
    wick_size2 padding; /* zeros on either side; at most half the kernel */
    bool ceil_mode;
    bool count_exclude_pad;   /* count_include_pad=False: zeros of the padding do not count */
    int64_t divisor_override; /* what sums are divided by; 0: how many numbers a window has */
} wick_avg_pool2d_options;
/* nn.AvgPool2d(kernel_size): [N, C, H, W] -> [N, C, OH, OW]. options may be NULL.
 * https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
 * Errors: WICK_EINVAL, WICK_ELIMIT, WICK_ENOMEM. */
WICK_API wick_status wick_avg_pool2d(wick_context *context, wick_size2 kernel_size,
                                     const wick_avg_pool2d_options *options, wick_module **out);
/* nn.AdaptiveAvgPool2d(output_size): [N, C, H, W] -> [N, C, h, w]; an h or w of 0 is that of the input
 * (None).
 * https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
 * Errors: WICK_EINVAL, WICK_ELIMIT, WICK_ENOMEM. */
WICK_API wick_status wick_adaptive_avg_pool2d(wick_context *context, wick_size2 output_size,
                                              wick_module **out);

typedef struct wick_batch_norm_options {
    double eps;            /* 0: 1e-5 */
    double momentum;       /* 0: 0.1; at most 1 */
    bool cumulative;       /* momentum=None: running statistics are the means of all batches */
    bool no_affine;        /* affine=False: no weight and bias */
    bool no_bias;          /* bias=False: a weight alone */
    bool no_running_stats; /* track_running_stats=False: the batch's statistics in evaluation too */
} wick_batch_norm_options;
/* nn.BatchNorm1d(num_features) for [N, C] and [N, C, L], nn.BatchNorm2d(num_features) for [N, C, H, W]:
 * each channel less its mean, divided by its standard deviation. In training mode these are the batch's,
 * and the running ones, which evaluation uses, move towards them. options may be NULL. weight is ones,
 * bias zeros, running_mean zeros, running_var ones; num_batches_tracked counts.
 * https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
 * Errors: WICK_EINVAL, WICK_ELIMIT, WICK_ENOMEM. */
WICK_API wick_status wick_batch_norm1d(wick_context *context, int64_t num_features,
                                       const wick_batch_norm_options *options, wick_module **out);
WICK_API wick_status wick_batch_norm2d(wick_context *context, int64_t num_features,
                                       const wick_batch_norm_options *options, wick_module **out);

typedef struct wick_group_norm_options {
    double eps;     /* 0: 1e-5 */
    bool no_affine; /* affine=False: no weight and bias */
    bool no_bias;   /* bias=False: a weight alone */
} wick_group_norm_options;
/* nn.GroupNorm(num_groups, num_channels): [N, C, ...], each image's groups of channels normalised on
 * their own. options may be NULL.
 * https://pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html
 * Errors: WICK_EINVAL (also channels that num_groups does not divide), WICK_ELIMIT, WICK_ENOMEM. */
WICK_API wick_status wick_group_norm(wick_context *context, int64_t num_groups, int64_t num_channels,
                                     const wick_group_norm_options *options, wick_module **out);

typedef struct wick_layer_norm_options {
    double eps;     /* 0: 1e-5 */
    bool no_affine; /* elementwise_affine=False: no weight and bias */
    bool no_bias;   /* bias=False: a weight alone */
} wick_layer_norm_options;
/* nn.LayerNorm(normalized_shape): normalises over the last ndim dimensions, which are of that shape.
 * options may be NULL.
 * https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
 * Errors: WICK_EINVAL, WICK_ELIMIT, WICK_ENOMEM. */
WICK_API wick_status wick_layer_norm(wick_context *context, int ndim, const int64_t *normalized_shape,
                                     const wick_layer_norm_options *options, wick_module **out);

/* nn.Dropout(p), nn.Dropout2d(p): in training mode numbers (channels of an image, [N, C, H, W]) are made
 * zero with probability p, from 0 to 1, and the others divided by 1 - p; in evaluation nothing happens.
 * PyTorch's default is 0.5.
 * Errors: WICK_EINVAL, WICK_ENOMEM. */
WICK_API wick_status wick_dropout(wick_context *context, double p, wick_module **out);
WICK_API wick_status wick_dropout2d(wick_context *context, double p, wick_module **out);

/* nn.LeakyReLU(negative_slope): x, or negative_slope * x below 0. PyTorch's default is 0.01. */
WICK_API wick_status wick_leaky_relu(wick_context *context, double negative_slope, wick_module **out);
/* nn.GELU(): x times the normal distribution's function of x, or its approximation with tanh
 * (approximate='tanh'). https://pytorch.org/docs/stable/generated/torch.nn.GELU.html */
WICK_API wick_status wick_gelu(wick_context *context, bool tanh_approximation, wick_module **out);
/* nn.SiLU(): x * sigmoid(x). */
WICK_API wick_status wick_silu(wick_context *context, wick_module **out);
/* nn.Sigmoid(). */
WICK_API wick_status wick_sigmoid(wick_context *context, wick_module **out);
/* nn.Tanh(). */
WICK_API wick_status wick_tanh(wick_context *context, wick_module **out);
/* nn.Softmax(dim), nn.LogSoftmax(dim) over the classes of [N, C]: dim is 1 or -1.
 * Errors: WICK_EINVAL, WICK_ENOMEM. */
WICK_API wick_status wick_softmax(wick_context *context, int dim, wick_module **out);
WICK_API wick_status wick_log_softmax(wick_context *context, int dim, wick_module **out);
/* nn.Identity(). */
WICK_API wick_status wick_identity(wick_context *context, wick_module **out);

/* nn.Sequential(): runs its children one after the other. */
WICK_API wick_status wick_sequential(wick_context *context, wick_module **out);
/* Adds a child at the end; name NULL is its position, "0", "1", ... The child is moved into the
 * parent on success and on failure freed, so that calls can be chained without a leak; a NULL child
 * is WICK_EINVAL.
 * Errors: WICK_EINVAL (not a container, the name is empty or has a dot), WICK_EEXIST (a child of
 * that name). */
WICK_API wick_status wick_sequential_append(wick_module *sequential, const char *name,
                                            wick_module *child);
/* y = x + children(x): a container that adds its input to what comes out of its children, which must be
 * of the input's shape. If its last child is named "shortcut", y = children but the last(x) +
 * shortcut(x). Children are added with wick_sequential_append(). */
WICK_API wick_status wick_residual(wick_context *context, wick_module **out);
/* A container printed under a class name of its own, such as "FashionMNISTModelV2". */
WICK_API wick_status wick_model(wick_context *context, const char *class_name, wick_module **out);

/* ---- the chapter's models ---- */

/* FashionMNISTModelV0, V1 and V2 as the chapter defines them. input_shape is the features of a
 * flattened image for V0 and V1 and the channels for V2, whose classifier expects 28x28 images (7x7
 * after two pools). */
WICK_API wick_status wick_fashion_mnist_model_v0(wick_context *context, int64_t input_shape,
                                                 int64_t hidden_units, int64_t output_shape,
                                                 wick_module **out);
WICK_API wick_status wick_fashion_mnist_model_v1(wick_context *context, int64_t input_shape,
                                                 int64_t hidden_units, int64_t output_shape,
                                                 wick_module **out);
WICK_API wick_status wick_fashion_mnist_model_v2(wick_context *context, int64_t input_shape,
                                                 int64_t hidden_units, int64_t output_shape,
                                                 wick_module **out);
/* Whether this is a model's text (there is a parenthesis in it) and not a name. NULL is not. */
WICK_API bool wick_model_is_text(const char *model);
/* A model by name, fitted to images [channels, height, width] and output_shape classes:
 * "FashionMNISTModelV0", "FashionMNISTModelV1", "FashionMNISTModelV2", "v0", "v1", "v2", "tinyvgg"
 * (any case); or from its text, as wick_model_parse() does, which must give [N, output_shape], and for
 * which hidden_units is nothing.
 * Errors: WICK_ENOENT, with the known names and the nearest; WICK_ESHAPE if the images are too
 * small or the text's model gives another shape; those of wick_model_parse(). */
WICK_API wick_status wick_model_by_name(wick_context *context, const char *name,
                                        const int64_t image_shape[3], int64_t hidden_units,
                                        int64_t output_shape, wick_module **out);
/* The full names, for index 0, 1, ...; NULL from the end on. Static. */
WICK_API const char *wick_model_known(int index);

/* One layer from PyTorch's constructor text, such as "Conv2d(3, 10, kernel_size=3, stride=(2, 1))"
 * or "nn.MaxPool2d(2)".
 * Errors: WICK_EINVAL with the column of what was not understood; the constructors'. */
WICK_API wick_status wick_layer_parse(wick_context *context, const char *text, wick_module **out);

/* A model from text: PyTorch's constructor calls, or what print(model) shows, which wick_module_format()
 * writes, such as
 *
 *     Sequential(Conv2d(1, 32, kernel_size=3, padding=1), BatchNorm2d(32), ReLU(), MaxPool2d(2),
 *                Flatten(), Linear(6272, 10))
 *
 * Children are named as in Python, Sequential(OrderedDict([('conv', Conv2d(...)), ...])), or as
 * conv=Conv2d(...). Residual(..., shortcut=Sequential(...)) is wick_residual(). A printed model may have a
 * class name of its own; its children are run one after the other. LazyLinear(out_features),
 * LazyConv2d(out_channels, ...), LazyBatchNorm1d() and LazyBatchNorm2d() take their first argument from
 * what comes into them and are then plain layers, whose weights are drawn after all others', as PyTorch
 * does when the model is first called. "nn." and "torch.nn." may stand before a class; a # starts a comment.
 * image_shape is [channels, height, width], of which each layer is tried, or NULL. At most 64 deep, 10000
 * layers and containers, and 2^31 parameters.
 * Errors: WICK_EINVAL, WICK_ESHAPE (a layer that does not fit), WICK_ELIMIT, WICK_EEXIST (a name twice),
 * WICK_ENOMEM, all with the column, and if there are several the line, of where it is. */
WICK_API wick_status wick_model_parse(wick_context *context, const char *text,
                                      const int64_t image_shape[3], wick_module **out);

/* ---- every module ---- */

/* NULL is fine. A module moved into another is freed with it. */
WICK_API void wick_module_free(wick_module *module);
/* model.__class__.__name__. Borrowed. */
WICK_API const char *wick_module_class_name(const wick_module *module);
/* Its children, and what they are called; NULL outside 0 .. count-1. Borrowed. */
WICK_API int64_t wick_module_child_count(const wick_module *module);
WICK_API wick_module *wick_module_child(const wick_module *module, int64_t index);
WICK_API const char *wick_module_child_name(const wick_module *module, int64_t index);
/* How many numbers are learned: sum(p.numel() for p in model.parameters()). */
WICK_API int64_t wick_module_parameter_count(const wick_module *module);
/* The shape that comes out for an input of shape in (ndim_in sizes, the batch first); out has room for
 * WICK_MAX_DIMS.
 * Errors: WICK_ESHAPE, naming the layer, the shape that came and the shape it wants. */
WICK_API wick_status wick_module_output_shape(const wick_module *module, int ndim_in, const int64_t *in,
                                              int *ndim_out, int64_t *out);
/* print(model). Owned text: wick_free(). */
WICK_API wick_status wick_module_format(const wick_module *module, char **text);

/* One line of a summary: a layer, in the order they run. */
typedef struct wick_layer_summary {
    char path[128];   /* "conv_block_1.0"; "" if the module is a single layer */
    const char *kind; /* "Conv2d". Static */
    int ndim;         /* the shape after it, batch first */
    int64_t shape[WICK_MAX_DIMS];
    int64_t parameters;    /* learned numbers */
    int64_t multiply_adds; /* for the whole batch */
} wick_layer_summary;
/* The layers for an input of shape in. *layers is owned, count long: wick_free().
 * Errors: as output_shape. */
WICK_API wick_status wick_module_summary(const wick_module *module, int ndim_in, const int64_t *in,
                                         wick_layer_summary **layers, int64_t *count);

/* Copies of the parameters (and buffers) by name, in PyTorch's order: module.state_dict(). Owned. */
WICK_API wick_status wick_module_state_dict(const wick_module *module, wick_state_dict **out);
/* Copies of the gradients by the same names; zeros before the first backward pass. Owned. */
WICK_API wick_status wick_module_gradients(const wick_module *module, wick_state_dict **out);
/* module.load_state_dict(dict): copies the values in. Nothing is changed unless every key and shape
 * fits.
 * Errors: WICK_EKEY, naming missing and unexpected keys; WICK_ESHAPE, naming the key and both
 * shapes. */
WICK_API wick_status wick_module_load_state_dict(wick_module *module, const wick_state_dict *dict);

/* Training or evaluation mode. A new module is in training mode. */
WICK_API void wick_module_train(wick_module *module);
WICK_API void wick_module_eval(wick_module *module);
WICK_API bool wick_module_training(const wick_module *module);

/* Test-time augmentation: what an output in evaluation mode is the mean of. */
typedef enum wick_tta {
    WICK_TTA_NONE,
    WICK_TTA_FLIP, /* the outputs for the image and for its mirror image, left and right exchanged */
} wick_tta;
/* For forwards of this very module, in evaluation mode, from now on. wick_module_forward(),
 * wick_eval_model(), wick_test_step() and wick_make_predictions() take inputs [N, C, H, W] alone then (else
 * WICK_ESHAPE), and no batch norm without running statistics (WICK_EINVAL). Training and
 * wick_module_activations() are as without. What the last forward kept for backward is forgotten.
 * It is what ttach's ClassificationTTAWrapper(model, flip_transform()) does with merge_mode "mean". */
WICK_API void wick_module_set_tta(wick_module *module, wick_tta tta);
WICK_API wick_tta wick_module_tta(const wick_module *module);

/* model(input): input is float32, its batch first; *output is owned. In training mode what backward
 * needs is kept until the next forward.
 * Errors: WICK_ESHAPE, WICK_EINVAL, WICK_ENOMEM. */
WICK_API wick_status wick_module_forward(wick_module *module, const wick_tensor *input,
                                         wick_tensor **output);
/* Called for every layer, and for a Residual once its sum is made, in the order they run: its path ("conv_block_1.0"; "" if the module is a
 * single layer) and what came out of it. All are borrowed for the call. What is not WICK_OK ends
 * the walk and is returned. */
typedef wick_status wick_activation_visit(void *user, const char *path, const wick_module *layer,
                                          const wick_tensor *output);
/* Runs the module in evaluation mode, layer by layer, and calls visit with each layer's output; the last is
 * that of wick_module_forward() without test-time augmentation, but for rounding. The module's mode and what
 * its last forward kept for backward stay.
 * Errors: as wick_module_forward(); visit's. */
WICK_API wick_status wick_module_activations(wick_module *module, const wick_tensor *input,
                                             wick_activation_visit *visit, void *user);
/* output.backward(gradient): adds to the parameters' gradients; *grad_input (owned) is the gradient
 * of the input, if grad_input is not NULL.
 * Errors: WICK_EINVAL without a forward in training mode before it; WICK_ESHAPE if gradient is not
 * of the output's shape. */
WICK_API wick_status wick_module_backward(wick_module *module, const wick_tensor *gradient,
                                          wick_tensor **grad_input);
/* Sets the gradients to zero. */
WICK_API void wick_module_zero_grad(wick_module *module);

#ifdef __cplusplus
}
#endif
#endif

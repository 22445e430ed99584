/* The inside of a module, for the layers above nn: the plan compiles it, the optimizer updates it. */
#ifndef WKI_MODULE_INTERNAL_H
#define WKI_MODULE_INTERNAL_H

#include "base/base.h"

#include <wick/module.h>

/* What a module is. Each kind has a row in nn/layer_kinds.c: all that nn knows of it. */
typedef enum wki_module_kind {
    WKI_SEQUENTIAL, /* also a model: a container with a class name of its own */
    WKI_FLATTEN,
    WKI_LINEAR,
    WKI_RELU,
    WKI_CONV2D,
    WKI_MAX_POOL2D,
    WKI_BATCH_NORM,
    WKI_DROPOUT,
    WKI_AVG_POOL2D,
    WKI_ADAPTIVE_AVG_POOL2D,
    WKI_LEAKY_RELU,
    WKI_GELU,
    WKI_SILU,
    WKI_SIGMOID,
    WKI_TANH,
    WKI_SOFTMAX,
    WKI_LOG_SOFTMAX,
    WKI_GROUP_NORM,
    WKI_LAYER_NORM,
    WKI_IDENTITY,
    WKI_RESIDUAL, /* a container that adds its input, or its shortcut's output, to its body's output */
    WKI_KIND_COUNT,
} wki_module_kind;

/* A tensor that is learned (weight, bias), or a buffer (running_mean). value and grad have one shape; grad
 * is made with it, and is NULL for a buffer. */
typedef struct wki_parameter {
    const char *name; /* "weight", "bias", "running_mean". Static */
    wick_tensor *value, *grad;
} wki_parameter;

typedef struct wki_linear {
    int64_t in_features, out_features;
} wki_linear;

/* Sizes with every default filled in. */
typedef struct wki_conv2d {
    int64_t in_channels, out_channels, groups;
    wick_size2 kernel, stride, padding, dilation;
    const char *padding_word; /* "same" or "valid" if padding was given so, else NULL. Static */
} wki_conv2d;

typedef struct wki_max_pool2d {
    wick_size2 kernel, stride, padding, dilation;
    bool ceil_mode;
} wki_max_pool2d;

/* Buffers: 0 running_mean and 1 running_var, float32 [features], 2 num_batches_tracked, int64 []; all absent
 * without track. */
typedef struct wki_batch_norm {
    int64_t features;
    double eps, momentum;
    bool cumulative; /* momentum=None: the running statistics are plain means of all batches */
    bool affine;     /* has weight and bias */
    bool track;      /* keeps running statistics */
    int spatial;     /* 1: BatchNorm1d, [N, C] or [N, C, L]; 2: BatchNorm2d, [N, C, H, W] */
} wki_batch_norm;

typedef struct wki_dropout {
    double p;      /* how likely a number becomes zero, from 0 to 1 */
    bool channels; /* Dropout2d: whole channels */
} wki_dropout;

typedef struct wki_avg_pool2d {
    wick_size2 kernel, stride, padding;
    bool ceil_mode, count_include_pad;
    int64_t divisor_override; /* 0: none */
} wki_avg_pool2d;

typedef struct wki_adaptive_avg_pool2d {
    wick_size2 output; /* 0: as the input's (None) */
} wki_adaptive_avg_pool2d;

/* LeakyReLU, GELU, SiLU, Sigmoid, Tanh, Softmax and LogSoftmax. */
typedef struct wki_activation {
    double slope;            /* LeakyReLU's negative_slope */
    bool tanh_approximation; /* GELU(approximate='tanh') */
    int dim;                 /* Softmax's and LogSoftmax's: 1 or -1, the classes of [N, C] */
} wki_activation;

typedef struct wki_group_norm {
    int64_t groups, channels;
    double eps;
    bool affine; /* has weight and bias, [channels] */
} wki_group_norm;

typedef struct wki_layer_norm {
    int ndim; /* of the shape that is normalised: the input's last dimensions */
    int64_t shape[WICK_MAX_DIMS];
    int64_t numel;
    double eps;
    bool affine; /* has a weight and, unless bias=False, a bias, both of that shape */
} wki_layer_norm;

enum { WKI_MAX_PARAMETERS = 2, WKI_MAX_BUFFERS = 3 };

struct wick_module {
    wick_context *context;
    wki_module_kind kind;
    char *class_name; /* "Sequential", "Conv2d", "FashionMNISTModelV2". Owned */
    bool training;
    wick_tta tta;

    struct wick_module *parent;    /* the container that it was moved into, or NULL */
    struct wick_module **children; /* containers only */
    char **child_names;
    size_t child_count, child_capacity, name_capacity;

    wki_parameter parameters[WKI_MAX_PARAMETERS]; /* value NULL: absent (bias=False) */
    wki_parameter buffers[WKI_MAX_BUFFERS];       /* not learned, but part of a state_dict */
    union {
        wki_linear linear;
        wki_conv2d conv2d;
        wki_max_pool2d max_pool2d;
        wki_batch_norm batch_norm;
        wki_dropout dropout;
        wki_avg_pool2d avg_pool2d;
        wki_adaptive_avg_pool2d adaptive_avg_pool2d;
        wki_activation activation;
        wki_group_norm group_norm;
        wki_layer_norm layer_norm;
    } as;

    /* The plan that runs it, cached on the module that forward was called on. The plan layer sets the
     * function that frees it, so that nn need not know it. */
    void *plan;
    void (*plan_free)(void *plan);
};

/* A plan made before a change runs the module as it was: forgets it, in the module and above. */
void wki_module_forget_plans(wick_module *module);

/* What a walk tells of. A Residual is y = body(x) + x, or body(x) + shortcut(x): its body is its children
 * but for the last if that is named "shortcut". */
typedef enum wki_visit_event {
    WKI_VISIT_LAYER,    /* a layer that is no container */
    WKI_VISIT_RESIDUAL, /* before a Residual's body */
    WKI_VISIT_SHORTCUT, /* between its body and its shortcut; also where there is no shortcut */
    WKI_VISIT_SUM,      /* after its shortcut */
} wki_visit_event;

/* Calls visit in running order: for every layer, and for a Residual three times more, with the module and
 * its dotted path ("" for the module itself). Stops at the first failure and returns it. */
typedef wick_status wki_layer_visit(void *user, wki_visit_event event, wick_module *module,
                                    const char *path);
wick_status wki_module_walk(wick_module *module, wki_layer_visit *visit, void *user);
/* How many of a Residual's children are its body: all, or all but the last. */
size_t wki_residual_body_count(const wick_module *residual);

/* The shape after one layer (no container). path is for the message. in and out may be one array. */
wick_status wki_layer_output_shape(const wick_module *layer, const char *path, int ndim_in,
                                   const int64_t *in, int *ndim_out, int64_t *out);

/* The shape that a walk has reached. */
typedef struct wki_shape_at {
    int ndim;
    int64_t sizes[WICK_MAX_DIMS];
} wki_shape_at;

/* Follows the shape through a walk: a visitor gives each event on to wki_shape_walk_visit() and finds in
 * `now` the shape after it: after RESIDUAL and SHORTCUT the Residual's input, after SUM its output. */
typedef struct wki_shape_walk {
    wki_shape_at now;
    wki_shape_at *kept; /* for each Residual around: its input, and from SHORTCUT on its body's output */
    size_t kept_count, kept_capacity;
} wki_shape_walk;

wick_status wki_shape_walk_init(wki_shape_walk *walk, const wick_module *module, int ndim,
                                const int64_t *shape);
/* Errors: WICK_ESHAPE, naming the layer, or the two shapes that a Residual cannot add. */
wick_status wki_shape_walk_visit(wki_shape_walk *walk, wki_visit_event event, const wick_module *module,
                                 const char *path);
void wki_shape_walk_release(wki_shape_walk *walk);

#endif

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
    WKI_KIND_COUNT,
} wki_module_kind;

/* A tensor that is learned (weight, bias). value and grad have one shape; grad is made with it. */
typedef struct wki_parameter {
    const char *name; /* "weight", "bias". Static */
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

enum { WKI_MAX_PARAMETERS = 2 };

struct wick_module {
    wick_context *context;
    wki_module_kind kind;
    char *class_name; /* "Sequential", "Conv2d", "FashionMNISTModelV2". Owned */
    bool training;

    struct wick_module *parent;    /* the container that it was moved into, or NULL */
    struct wick_module **children; /* containers only */
    char **child_names;
    size_t child_count, child_capacity, name_capacity;

    wki_parameter parameters[WKI_MAX_PARAMETERS]; /* value NULL: absent (bias=False) */
    union {
        wki_linear linear;
        wki_conv2d conv2d;
        wki_max_pool2d max_pool2d;
    } as;

    /* The plan that runs it, cached on the module that forward was called on. The plan layer sets the
     * function that frees it, so that nn need not know it. */
    void *plan;
    void (*plan_free)(void *plan);
};

/* Calls visit for every layer that is no container, in running order, with its dotted path ("" for a
 * module that is itself a layer). Stops at the first failure and returns it. */
typedef wick_status wki_layer_visit(void *user, wick_module *layer, const char *path);
wick_status wki_module_walk(wick_module *module, wki_layer_visit *visit, void *user);

/* The shape after one layer (no container). path is for the message. in and out may be one array. */
wick_status wki_layer_output_shape(const wick_module *layer, const char *path, int ndim_in,
                                   const int64_t *in, int *ndim_out, int64_t *out);

#endif

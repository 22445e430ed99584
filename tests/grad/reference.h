/* A model's forward pass in double, written out plainly, and what the gradient tests do with it. */
#ifndef GRAD_REFERENCE_H
#define GRAD_REFERENCE_H

#include "nn/module_internal.h"

#include <wick/wick.h>

/* ---- random numbers ---- */

/* Seeds from WICK_TEST_SEED or the clock, and prints it. A cmocka group setup. */
int ref_seed(void **state);
uint64_t ref_random(void);
/* low .. high, both included. */
int ref_int(int low, int high);
/* -1 .. 1. */
float ref_float(void);
/* A float32 tensor of them. */
wick_tensor *ref_tensor(wick_context *context, int ndim, const int64_t *shape);

/* ---- the model ---- */

enum { REF_MOST_LAYERS = 32 };

/* A layer with its parameters in double, to be changed freely; or where a Residual begins or ends. */
typedef struct ref_layer {
    const wick_module *layer;
    wki_visit_event event;
    char path[64];
    double *parameters[WKI_MAX_PARAMETERS]; /* weight, bias; NULL: absent */
} ref_layer;

typedef struct ref_model {
    ref_layer layers[REF_MOST_LAYERS];
    int count;
    bool coupled; /* what comes of an image depends on the others in its batch: BatchNorm */
} ref_model;

/* Copies the parameters as they are now. */
void ref_open(ref_model *model, wick_module *module);
void ref_close(ref_model *model);

/* What a forward pass came through: which ReLUs let pass and which element of each window was taken, and
 * how near the nearest decision was. */
typedef struct ref_decisions {
    uint64_t hash;
    double margin;
} ref_decisions;

/* Images one after the other through the model: shape is ndim sizes without the batch, and becomes the
 * output's. Returns the outputs, to be freed with free(). decisions, one an image, are added to. */
double *ref_forward(const ref_model *model, const double *images, int64_t batch, int *ndim,
                    int64_t *shape, ref_decisions *decisions);

/* ---- the check ---- */

/* The layer from PyTorch's text, moved into a Sequential; NULL texts end the list. */
wick_module *ref_sequential(wick_context *context, const char *const *texts);

/* Runs the module forward on a random batch of images of that shape (ndim sizes without the batch), and
 * backward from random gradients; compares the output, the input's gradient and every parameter's (a
 * random choice of them where there are many) with the reference and its central differences; then
 * backward once more, which must add up. Biases are moved if no images leave every decision clear. */
void ref_check_module(wick_context *context, wick_module *module, int64_t batch, int ndim,
                      const int64_t *shape);
/* The same for layers given as texts, for batches of 1, 5, 16, 17 and 33, or as many of these as are
 * asked for, with several numbers of threads and the instruction sets in turn. */
void ref_check_layers(const char *const *texts, int ndim, const int64_t *shape, int count);

/* Layers one after the other, and what goes in. */
typedef struct ref_case {
    const char *texts[9]; /* ended by NULL */
    int ndim;
    int64_t shape[4]; /* without the batch */
} ref_case;

/* ref_check_layers() for each of them, which it names as it goes. */
void ref_check_cases(const ref_case *cases, size_t count, int batches);

#endif

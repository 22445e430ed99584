/* A plan: a module compiled for one input shape. Every activation, gradient and scratch buffer is
 * laid out once and every kernel call prepared, so that a step allocates nothing.
 *
 * Images are worked on in blocks of WKI_LANES. A block goes through all layers on its own, forward
 * and backward, and leaves its share of the parameters' gradients in a part of its own; the parts
 * are then added up in order. So the result does not depend on which thread did what, nor on how
 * many there are.
 */
#ifndef WKI_PLAN_H
#define WKI_PLAN_H

#include "cpu/kernels.h"
#include "nn/module_internal.h"

typedef struct wki_plan wki_plan;

/* Where a batch comes from: pixels of each image (uint8, divided by 255 as they are read) or float
 * rows. */
typedef struct wki_batch {
    const uint8_t *const *pixels; /* of a step, [count], or NULL */
    const float *images;          /* [count][numel], if pixels and fetch are NULL */
    /* Instead of pixels, or NULL: writes the pixels of the batch's image number `at`. It is called by
     * the thread that runs the image's block. */
    void (*fetch)(void *user, int64_t at, uint8_t *pixels);
    void *user;
    /* The pixels of the batch after this, [ahead_count], which are brought nearer meanwhile: in a random
     * order each image is far from the last. May be NULL. */
    const uint8_t *const *ahead;
    int64_t ahead_count;
    const float *mean, *std; /* pixels / 255 become (x - mean) / std, a number a channel; or NULL */
    const int64_t *targets;  /* [count] class numbers, checked; for a step */
    int64_t count;           /* 1 .. the plan's capacity, or see wki_plan_batches_at_once() */
    /* For a step's cross entropy, as in wki_cross_entropy_call; scale 0: 1 / count. */
    const float *class_weights;
    float smoothing, scale;
} wki_batch;

/* Numbers begin .. end of a parameter. */
typedef struct wki_chunk {
    int parameter;
    size_t begin, end;
} wki_chunk;

/* Gradients that are clipped by their norm, all of them together, before any update: their squares are added up chunk
 * by chunk, each by one thread, and the sums in order, so that the norm does not depend on who did what. */
typedef struct wki_clip {
    double max_norm;
    const wki_chunk *chunks; /* all numbers of all parameters */
    size_t chunk_count;
    double *sums; /* [chunk_count] */
} wki_clip;

/* The norm of the gradients whose sums are known, and what they are to be multiplied by: 1 within max_norm. */
double wki_clip_norm(const wki_clip *clip);
float wki_clip_factor(const wki_clip *clip);

/* What the parameters are updated with: called for disjoint ranges of each parameter, from several
 * threads. */
typedef struct wki_updater {
    void (*update)(void *optimizer, int parameter, float *value, const float *gradient, size_t begin,
                   size_t end);
    void *optimizer;
    const wki_clip *clip; /* or NULL */
    /* If all that update() does to any parameter is value -= *sgd_lr * gradient; else NULL. Then it need not be called. */
    const float *sgd_lr;
} wki_updater;

/* The module's plan for inputs of that shape (the batch first): the one it has, if it fits, else a
 * new one, which the module then owns. Errors: WICK_ESHAPE, WICK_ELIMIT, WICK_ENOMEM. */
wick_status wki_module_plan(wick_module *module, int ndim, const int64_t *shape, wki_plan **out);

/* The output's shape for one image: ndim sizes without the batch. */
int wki_plan_output_shape(const wki_plan *plan, const int64_t **shape);
int64_t wki_plan_output_numel(const wki_plan *plan);
/* The module's parameters in state_dict order. */
int wki_plan_parameter_count(const wki_plan *plan);
wki_parameter *wki_plan_parameter(const wki_plan *plan, int index);

/* WICK_EINVAL if a batch of that many images cannot be trained on: a BatchNorm needs two numbers of each
 * channel. Forward does not ask. */
wick_status wki_plan_check_batch(const wki_plan *plan, int64_t count);

/* Runs the batch forward; output [count][output numel] may be NULL. What backward needs stays in
 * the plan. */
void wki_plan_forward(wki_plan *plan, const wki_batch *batch, float *output);
/* Runs the last forward's batch backward from gradient [count][output numel]: adds to the
 * parameters' gradients, and writes input_gradient [count][input numel] if it is not NULL. */
void wki_plan_backward(wki_plan *plan, const float *gradient, float *input_gradient);

/* One block at a time forward, cross entropy and, with an updater, backward, then the update: the
 * same numbers as the two above. losses and predictions have room for count rounded up to
 * WKI_LANES; logits may be NULL. */
void wki_plan_step(wki_plan *plan, const wki_batch *batch, const wki_updater *updater, float *losses,
                   int64_t *predictions, float *logits);

/* How many batches of `count` images a step without an updater may be given as one, with the same numbers for each
 * image: as many as are worth it for what threads need to begin and end a run. */
int64_t wki_plan_batches_at_once(const wki_plan *plan, int64_t count);

/* The mean of a batch's losses, as one float32: the value of nn.CrossEntropyLoss. */
float wki_mean_loss(const float *losses, int64_t count);

#endif

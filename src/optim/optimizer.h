/* The inside of an optimizer: what the training loop hands to a plan. */
#ifndef WKI_OPTIMIZER_H
#define WKI_OPTIMIZER_H

#include "cpu/kernels.h"
#include "nn/module_internal.h"
#include "plan/plan.h"

#include <wick/train.h>

typedef struct wki_optimizer_kind wki_optimizer_kind;

struct wick_optimizer {
    wick_context *context;
    wick_module *module;
    const wki_optimizer_kind *kind;
    wki_parameter **parameters; /* in state_dict order */
    size_t parameter_count, parameter_capacity;
    double lr, weight_decay;
    double momentum, dampening;
    bool nesterov;
    double beta1, beta2, eps;
    bool no_decay_bias;

    wki_clip clip; /* max_norm 0: none */
    bool scheduled;
    wick_schedule schedule;

    int64_t step;                /* how many were begun */
    double lr_now, momentum_now; /* of the step that was begun; the momentum is SGD's or Adam's beta1 */
    /* What is kept for each number, one array after another, each laid out as the parameters are. */
    float *state;
    size_t *state_at; /* where a parameter's numbers begin in an array */
    size_t state_floats;

    /* The exponential moving average, laid out as one array of the state; and of the modules' buffers. */
    wick_ema_options ema; /* decay 0: none */
    float *average;
    wki_parameter **buffers;
    wick_tensor **buffer_averages;
    size_t buffer_count, buffer_capacity;
    float ema_weight; /* of the step that was begun */
    bool swapped;     /* the average is in the module, and the weights here */

    /* Of the step that was begun; [1] for parameters that weight decay leaves alone. */
    wki_update_rates rates[2];
    bool plain; /* SGD without momentum and weight decay */
};

/* What one kind of optimizer has of its own. */
struct wki_optimizer_kind {
    const char *name;       /* "SGD" */
    const char *buffers[3]; /* the names of what it keeps for each number, ended by NULL */
    void (*begin)(wick_optimizer *optimizer, wki_update_rates rates[2]);
    void (*update)(const wick_optimizer *optimizer, const wki_kernels *kernels,
                   const wki_update_call *call);
};

/* Makes *out of the settings that given holds (kind, lr, ...), with zeros for what it keeps. Takes nothing of
 * given's memory. */
wick_status wki_optimizer_new(wick_module *module, const wick_optimizer *given, wick_optimizer **out);

/* How many numbers it keeps for each of a parameter's. */
int wki_optimizer_buffers(const wick_optimizer *optimizer);
/* Buffer `buffer` of parameter `index`. */
static inline float *wki_optimizer_buffer(const wick_optimizer *optimizer, int buffer, size_t index)
{
    return optimizer->state + (size_t)buffer * optimizer->state_floats + optimizer->state_at[index];
}

/* Before the updates of a step, by one thread: what is the same for all of them. */
void wki_optimizer_begin_step(wick_optimizer *optimizer);
/* After them, by one thread. */
void wki_optimizer_end_step(wick_optimizer *optimizer);
/* What a plan is to call, for a step that was begun. */
wki_updater wki_optimizer_updater(wick_optimizer *optimizer);
/* A walk's visit that adds a layer's parameters to the optimizer that is `user`. */
wick_status wki_optimizer_collect(void *user, wki_visit_event event, wick_module *layer,
                                  const char *path);
/* Sums the gradients' squares and clips them, by one thread. */
void wki_clip_gradients(const wki_kernels *kernels, const wki_clip *clip,
                        wki_parameter *const *parameters);
/* Fails while the average is in the module. */
wick_status wki_optimizer_check_weights(const wick_optimizer *optimizer);
void wki_optimizer_begin_average(wick_optimizer *optimizer);
void wki_optimizer_average_buffers(wick_optimizer *optimizer);
void wki_optimizer_free_average(wick_optimizer *optimizer);
/* Updates numbers begin .. end of parameter `index`. Disjoint ranges may be updated by several
 * threads at once. */
void wki_optimizer_update(void *pointer, int index, float *value, const float *gradient, size_t begin,
                          size_t end);

/* The learning rate of that step, counted from 0. */
double wki_schedule_lr(const wick_schedule *schedule, double lr, int64_t step);
/* The momentum likewise, `usual` if it does not cycle. */
double wki_schedule_momentum(const wick_schedule *schedule, double usual, int64_t step);

/* Fails unless min <= value < end (value is a number). */
wick_status wki_optimizer_check(wick_context *context, const char *name, double value, double min,
                                double end);

#endif

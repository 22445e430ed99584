/* What all optimizers share: the parameters, what is kept for them, the step. */
#include "optim/optimizer.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdlib.h>

enum { PIECE = 2048 };

wick_status wki_optimizer_collect(void *user, wki_visit_event event, wick_module *layer,
                                  const char *path)
{
    (void)path;
    wick_optimizer *optimizer = user;
    if (event != WKI_VISIT_LAYER)
        return WICK_OK;
    for (size_t i = 0; i < WKI_COUNT(layer->parameters); i++) {
        if (layer->parameters[i].value == NULL)
            continue;
        WKI_TRY(wki_grow(optimizer->context, (void **)&optimizer->parameters,
                         &optimizer->parameter_capacity, optimizer->parameter_count + 1,
                         sizeof(*optimizer->parameters), "an optimizer"));
        optimizer->parameters[optimizer->parameter_count++] = &layer->parameters[i];
    }
    return WICK_OK;
}

int wki_optimizer_buffers(const wick_optimizer *optimizer)
{
    int count = 0;
    while (optimizer->kind->buffers[count] != NULL)
        count++;
    return count;
}

/* Room for what is kept, each parameter's on cache lines of its own. */
static wick_status make_state(wick_optimizer *optimizer)
{
    void *memory;
    WKI_TRY(wki_alloc(optimizer->context, optimizer->parameter_count, sizeof(size_t), "an optimizer",
                      &memory));
    optimizer->state_at = memory;
    for (size_t i = 0; i < optimizer->parameter_count; i++) {
        optimizer->state_at[i] = optimizer->state_floats;
        size_t numel = (size_t)optimizer->parameters[i]->value->numel;
        optimizer->state_floats += (numel + WKI_LANES - 1) / WKI_LANES * WKI_LANES;
    }
    int buffers = wki_optimizer_buffers(optimizer);
    if (buffers == 0)
        return WICK_OK;
    WKI_TRY(wki_alloc(optimizer->context, optimizer->state_floats, (size_t)buffers * sizeof(float),
                      "an optimizer's state", &memory));
    optimizer->state = memory;
    return WICK_OK;
}

wick_status wki_optimizer_check(wick_context *context, const char *name, double value, double min,
                                double end)
{
    if (value >= min && value < end && isfinite(value))
        return WICK_OK;
    if (isinf(end))
        return wki_fail(context, WICK_EINVAL, "%s is %g; it must be %s", name, value,
                        isinf(min) ? "a finite number" : "0 or more");
    return wki_fail(context, WICK_EINVAL, "%s is %g; it must be from %g to below %g", name, value, min,
                    end);
}

wick_status wki_optimizer_new(wick_module *module, const wick_optimizer *given, wick_optimizer **out)
{
    wick_context *context = module->context;
    wick_status status;
    const wki_kernels *kernels;
    void *memory;
    double lr = given->lr != 0.0 ? given->lr : 1e-3;
    if (!isfinite(lr) || lr < 0.0)
        return wki_fail(context, WICK_EINVAL, "lr is %g; it must be a number above 0", lr);
    WKI_TRY(wki_context_kernels(context, &kernels)); /* so that an update always finds some */
    WKI_TRY(wki_alloc(context, 1, sizeof(wick_optimizer), "an optimizer", &memory));
    wick_optimizer *optimizer = memory;
    *optimizer = *given;
    optimizer->context = context;
    optimizer->module = module;
    optimizer->lr = lr;
    WKI_GOTO_OUT(wki_module_walk(module, wki_optimizer_collect, optimizer));
    WKI_GOTO_OUT(make_state(optimizer));
    *out = optimizer;
    return WICK_OK;
out:
    wick_optimizer_free(optimizer);
    return status;
}

void wick_optimizer_free(wick_optimizer *optimizer)
{
    if (optimizer == NULL)
        return;
    wki_optimizer_free_average(optimizer);
    free((void *)optimizer->clip.chunks);
    free(optimizer->clip.sums);
    free(optimizer->state);
    free(optimizer->state_at);
    free(optimizer->parameters);
    free(optimizer);
}

void wick_optimizer_zero_grad(wick_optimizer *optimizer)
{
    if (optimizer != NULL)
        wick_module_zero_grad(optimizer->module);
}

/* ---- a step ---- */

/* Biases and the weights of norm layers have one dimension, as in timm's param_groups_weight_decay(). */
static bool decays(const wick_optimizer *optimizer, size_t index)
{
    return !optimizer->no_decay_bias || optimizer->parameters[index]->value->ndim > 1;
}

void wki_optimizer_begin_step(wick_optimizer *optimizer)
{
    optimizer->lr_now = wick_optimizer_lr(optimizer);
    /* SGD has no beta1, and Adam no momentum. */
    double usual = optimizer->momentum != 0.0 ? optimizer->momentum : optimizer->beta1;
    optimizer->momentum_now = wki_schedule_momentum(&optimizer->schedule, usual, optimizer->step);
    optimizer->step++;
    optimizer->kind->begin(optimizer, optimizer->rates);
    wki_optimizer_begin_average(optimizer);
}

void wki_optimizer_end_step(wick_optimizer *optimizer)
{
    wki_optimizer_average_buffers(optimizer);
}

wki_updater wki_optimizer_updater(wick_optimizer *optimizer)
{
    const wki_clip *clip = optimizer->clip.max_norm > 0.0 ? &optimizer->clip : NULL;
    const bool plain = optimizer->plain && optimizer->average == NULL;
    return (wki_updater){wki_optimizer_update, optimizer, clip, plain ? &optimizer->rates[0].lr : NULL};
}

/* A piece that stays in the first cache between the update and its average. */
static void update_piece(const wick_optimizer *optimizer, size_t index, float *value,
                         const float *gradient, size_t begin, size_t end)
{
    const wki_kernels *kernels = optimizer->context->kernels;
    int buffers = wki_optimizer_buffers(optimizer);
    const wki_update_call call = {
        .weight = value + begin,
        .gradient = gradient + begin,
        .first = buffers > 0 ? wki_optimizer_buffer(optimizer, 0, index) + begin : NULL,
        .second = buffers > 1 ? wki_optimizer_buffer(optimizer, 1, index) + begin : NULL,
        .count = end - begin,
        .rates = &optimizer->rates[decays(optimizer, index) ? 0 : 1],
    };
    optimizer->kind->update(optimizer, kernels, &call);
    if (optimizer->average != NULL)
        kernels->lerp(optimizer->average + optimizer->state_at[index] + begin, value + begin,
                      end - begin, optimizer->ema_weight);
}

void wki_optimizer_update(void *pointer, int index, float *value, const float *gradient, size_t begin,
                          size_t end)
{
    const wick_optimizer *optimizer = pointer;
    const size_t most = optimizer->average != NULL ? PIECE : end - begin;
    for (size_t at = begin, to; at < end; at = to) {
        to = WKI_MIN(at + most, end);
        update_piece(optimizer, (size_t)index, value, gradient, at, to);
    }
}

wick_status wki_optimizer_check_weights(const wick_optimizer *optimizer)
{
    if (!optimizer->swapped)
        return WICK_OK;
    return wki_fail(
        optimizer->context, WICK_EINVAL,
        "the module holds the average of the weights; wick_optimizer_swap_average() puts them back");
}

wick_status wick_optimizer_step(wick_optimizer *optimizer)
{
    if (optimizer == NULL)
        return WICK_EINVAL;
    WKI_TRY(wki_optimizer_check_weights(optimizer));
    wki_optimizer_begin_step(optimizer);
    if (optimizer->clip.max_norm > 0.0)
        wki_clip_gradients(optimizer->context->kernels, &optimizer->clip, optimizer->parameters);
    for (size_t i = 0; i < optimizer->parameter_count; i++) {
        const wki_parameter *p = optimizer->parameters[i];
        wki_optimizer_update(optimizer, (int)i, p->value->data, p->grad->data, 0,
                             (size_t)p->value->numel);
    }
    wki_optimizer_end_step(optimizer);
    return WICK_OK;
}

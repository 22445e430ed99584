/* The exponential moving average of the weights, as timm's ModelEmaV3 and torch.optim.swa_utils make it. */
#include "optim/optimizer.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* timm's: nothing is kept of what was before the first step; then the decay goes up to its own. */
static double decay_of(const wick_ema_options *ema, int64_t step)
{
    if (step <= 1)
        return 0.0;
    if (ema->no_warmup)
        return ema->decay;
    double decay = 1.0 - pow((double)step, -2.0 / 3.0);
    return WKI_MIN(decay, ema->decay);
}

void wki_optimizer_begin_average(wick_optimizer *optimizer)
{
    if (optimizer->average != NULL)
        optimizer->ema_weight = (float)(1.0 - decay_of(&optimizer->ema, optimizer->step));
}

/* Those that are no float32, a count of batches, are copied. */
void wki_optimizer_average_buffers(wick_optimizer *optimizer)
{
    const wki_kernels *kernels = optimizer->context->kernels;
    for (size_t i = 0; i < optimizer->buffer_count; i++) {
        wick_tensor *average = optimizer->buffer_averages[i], *value = optimizer->buffers[i]->value;
        if (value->dtype == WICK_FLOAT32)
            kernels->lerp(average->data, value->data, (size_t)value->numel, optimizer->ema_weight);
        else
            memcpy(average->data, value->data, (size_t)value->numel * wick_dtype_size(value->dtype));
    }
}

void wki_optimizer_free_average(wick_optimizer *optimizer)
{
    for (size_t i = 0; optimizer->buffer_averages != NULL && i < optimizer->buffer_count; i++)
        wick_tensor_free(optimizer->buffer_averages[i]);
    free(optimizer->buffer_averages);
    free(optimizer->buffers);
    free(optimizer->average);
    optimizer->buffer_averages = NULL;
    optimizer->buffers = NULL;
    optimizer->average = NULL;
    optimizer->buffer_count = optimizer->buffer_capacity = 0;
    optimizer->ema = (wick_ema_options){0};
}

static wick_status collect_buffers(void *user, wki_visit_event event, wick_module *layer,
                                   const char *path)
{
    (void)path;
    wick_optimizer *optimizer = user;
    for (size_t i = 0; event == WKI_VISIT_LAYER && i < WKI_COUNT(layer->buffers); i++) {
        if (layer->buffers[i].value == NULL)
            continue;
        WKI_TRY(wki_grow(optimizer->context, (void **)&optimizer->buffers, &optimizer->buffer_capacity,
                         optimizer->buffer_count + 1, sizeof(*optimizer->buffers), "an average"));
        optimizer->buffers[optimizer->buffer_count++] = &layer->buffers[i];
    }
    return WICK_OK;
}

/* The average begins as what there is. */
static wick_status make_average(wick_optimizer *optimizer)
{
    void *memory;
    WKI_TRY(wki_module_walk(optimizer->module, collect_buffers, optimizer));
    WKI_TRY(wki_alloc(optimizer->context, optimizer->buffer_count, sizeof(wick_tensor *), "an average",
                      &memory));
    optimizer->buffer_averages = memory;
    for (size_t i = 0; i < optimizer->buffer_count; i++)
        WKI_TRY(wick_tensor_clone(optimizer->buffers[i]->value, &optimizer->buffer_averages[i]));
    WKI_TRY(
        wki_alloc(optimizer->context, optimizer->state_floats, sizeof(float), "an average", &memory));
    optimizer->average = memory;
    for (size_t i = 0; i < optimizer->parameter_count; i++) {
        const wick_tensor *value = optimizer->parameters[i]->value;
        memcpy(optimizer->average + optimizer->state_at[i], value->data,
               (size_t)value->numel * sizeof(float));
    }
    return WICK_OK;
}

wick_status wick_optimizer_set_ema(wick_optimizer *optimizer, const wick_ema_options *options)
{
    if (optimizer == NULL)
        return WICK_EINVAL;
    WKI_TRY(wki_optimizer_check_weights(optimizer));
    if (options != NULL && !(options->decay > 0.0 && options->decay < 1.0))
        return wki_fail(optimizer->context, WICK_EINVAL,
                        "the average's decay is %g; it must be between 0 and 1", options->decay);
    wki_optimizer_free_average(optimizer);
    if (options == NULL)
        return WICK_OK;
    wick_status status = make_average(optimizer);
    if (status == WICK_OK)
        optimizer->ema = *options;
    else
        wki_optimizer_free_average(optimizer);
    return status;
}

static void exchange(void *a, void *b, size_t bytes)
{
    char piece[1024], *x = a, *y = b;
    for (size_t at = 0, count; at < bytes; at += count) {
        count = WKI_MIN(bytes - at, sizeof(piece));
        memcpy(piece, x + at, count);
        memcpy(x + at, y + at, count);
        memcpy(y + at, piece, count);
    }
}

wick_status wick_optimizer_swap_average(wick_optimizer *optimizer)
{
    if (optimizer == NULL)
        return WICK_EINVAL;
    if (optimizer->average == NULL)
        return wki_fail(optimizer->context, WICK_EINVAL,
                        "there is no average; wick_optimizer_set_ema() begins one");
    for (size_t i = 0; i < optimizer->parameter_count; i++) {
        const wick_tensor *value = optimizer->parameters[i]->value;
        exchange(value->data, optimizer->average + optimizer->state_at[i],
                 (size_t)value->numel * sizeof(float));
    }
    for (size_t i = 0; i < optimizer->buffer_count; i++) {
        const wick_tensor *value = optimizer->buffers[i]->value;
        exchange(value->data, optimizer->buffer_averages[i]->data,
                 (size_t)value->numel * wick_dtype_size(value->dtype));
    }
    optimizer->swapped = !optimizer->swapped;
    return WICK_OK;
}

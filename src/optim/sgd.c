/* Stochastic gradient descent: torch.optim.SGD. */
#include "optim/optimizer.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static wick_status collect(void *user, wki_visit_event event, wick_module *layer, const char *path)
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

wick_status wick_sgd(wick_module *module, const wick_sgd_options *options, wick_optimizer **out)
{
    if (module == NULL || out == NULL)
        return WICK_EINVAL;
    wick_context *context = module->context;
    double lr = options != NULL && options->lr != 0.0 ? options->lr : 1e-3;
    if (!isfinite(lr) || lr < 0.0)
        return wki_fail(context, WICK_EINVAL, "lr is %g; it must be a number above 0", lr);
    const wki_kernels *kernels;
    WKI_TRY(wki_context_kernels(context, &kernels)); /* so that an update always finds some */
    void *memory;
    WKI_TRY(wki_alloc(context, 1, sizeof(wick_optimizer), "an optimizer", &memory));
    wick_optimizer *optimizer = memory;
    *optimizer = (wick_optimizer){.context = context, .module = module, .lr = lr};
    wick_status status = wki_module_walk(module, collect, optimizer);
    if (status != WICK_OK) {
        wick_optimizer_free(optimizer);
        return status;
    }
    *out = optimizer;
    return WICK_OK;
}

void wick_optimizer_free(wick_optimizer *optimizer)
{
    if (optimizer == NULL)
        return;
    free(optimizer->parameters);
    free(optimizer);
}

void wick_optimizer_zero_grad(wick_optimizer *optimizer)
{
    if (optimizer != NULL)
        wick_module_zero_grad(optimizer->module);
}

void wki_optimizer_update(void *pointer, int index, float *value, const float *gradient, size_t begin,
                          size_t end)
{
    const wick_optimizer *optimizer = pointer;
    const wki_kernels *kernels = optimizer->context->kernels;
    (void)index;
    kernels->sgd(value + begin, gradient + begin, end - begin, (float)optimizer->lr);
}

wick_status wick_optimizer_step(wick_optimizer *optimizer)
{
    if (optimizer == NULL)
        return WICK_EINVAL;
    for (size_t i = 0; i < optimizer->parameter_count; i++) {
        const wki_parameter *p = optimizer->parameters[i];
        wki_optimizer_update(optimizer, (int)i, p->value->data, p->grad->data, 0,
                             (size_t)p->value->numel);
    }
    return WICK_OK;
}

wick_status wick_optimizer_state_dict(const wick_optimizer *optimizer, wick_state_dict **out)
{
    wick_state_dict *dict;
    if (optimizer == NULL)
        return WICK_EINVAL;
    if (out == NULL)
        return wki_fail(optimizer->context, WICK_EINVAL, "the place for the optimizer's state is NULL");
    WKI_TRY(wick_state_dict_new(optimizer->context, &dict));
    wick_status status = wki_state_dict_add_f64(dict, "lr", optimizer->lr);
    if (status == WICK_OK)
        *out = dict;
    else
        wick_state_dict_free(dict);
    return status;
}

wick_status wick_optimizer_load_state_dict(wick_optimizer *optimizer, const wick_state_dict *dict)
{
    double lr = 0;
    if (optimizer == NULL)
        return WICK_EINVAL;
    if (dict == NULL)
        return wki_fail(optimizer->context, WICK_EINVAL, "the optimizer's state is NULL");
    for (int64_t i = 0; i < wick_state_dict_count(dict); i++)
        if (strcmp(wick_state_dict_key(dict, i), "lr") != 0)
            return wki_fail(optimizer->context, WICK_EKEY, "'%s' is no part of the state of SGD",
                            wick_state_dict_key(dict, i));
    WKI_TRY(wki_state_dict_get_f64(dict, "lr", &lr));
    if (!isfinite(lr) || lr < 0.0)
        return wki_fail(optimizer->context, WICK_EFORMAT, "lr is %g; it must be a number above 0", lr);
    optimizer->lr = lr;
    return WICK_OK;
}

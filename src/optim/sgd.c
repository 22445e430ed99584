/* Stochastic gradient descent: torch.optim.SGD. */
#include "optim/optimizer.h"

#include <math.h>

static void begin(wick_optimizer *optimizer, wki_update_rates rates[2])
{
    /* The first step's gradient becomes the momentum as it is. */
    bool first = optimizer->step == 1;
    const wki_update_rates common = {.lr = (float)optimizer->lr_now,
                                     .decay = (float)optimizer->weight_decay,
                                     .keep = first ? 0.0f : (float)optimizer->momentum_now,
                                     .add = first ? 1.0f : (float)(1.0 - optimizer->dampening),
                                     .momentum = (float)optimizer->momentum_now,
                                     .nesterov = optimizer->nesterov};
    rates[0] = rates[1] = common;
    rates[1].decay = 0.0f;
}

static void update(const wick_optimizer *optimizer, const wki_kernels *kernels,
                   const wki_update_call *call)
{
    if (optimizer->plain)
        kernels->sgd(call->weight, call->gradient, call->count, call->rates->lr);
    else if (call->first == NULL)
        kernels->sgd_decay(call);
    else
        kernels->sgd_momentum(call);
}

static const wki_optimizer_kind sgd = {"SGD", {NULL}, begin, update};
static const wki_optimizer_kind sgd_momentum = {"SGD", {"momentum_buffer"}, begin, update};

static wick_status check(wick_context *context, const wick_optimizer *o)
{
    WKI_TRY(wki_optimizer_check(context, "momentum", o->momentum, 0.0, INFINITY));
    WKI_TRY(wki_optimizer_check(context, "dampening", o->dampening, -INFINITY, INFINITY));
    WKI_TRY(wki_optimizer_check(context, "weight_decay", o->weight_decay, 0.0, INFINITY));
    if (o->nesterov && (o->momentum == 0.0 || o->dampening != 0.0))
        return wki_fail(
            context, WICK_EINVAL,
            "nesterov with momentum %g and dampening %g; it needs a momentum above 0 and no dampening",
            o->momentum, o->dampening);
    return WICK_OK;
}

wick_status wick_sgd(wick_module *module, const wick_sgd_options *options, wick_optimizer **out)
{
    static const wick_sgd_options none;
    if (module == NULL || out == NULL)
        return WICK_EINVAL;
    const wick_sgd_options *o = options != NULL ? options : &none;
    const wick_optimizer given = {.kind = o->momentum != 0.0 ? &sgd_momentum : &sgd,
                                  .lr = o->lr,
                                  .momentum = o->momentum,
                                  .dampening = o->dampening,
                                  .weight_decay = o->weight_decay,
                                  .nesterov = o->nesterov,
                                  .no_decay_bias = o->no_decay_bias,
                                  .plain = o->momentum == 0.0 && o->weight_decay == 0.0};
    WKI_TRY(check(module->context, &given));
    return wki_optimizer_new(module, &given, out);
}

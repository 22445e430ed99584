/* torch.optim.Adam and torch.optim.AdamW. */
#include "optim/optimizer.h"

#include <math.h>

/* Adam's steps are corrected for the means' having begun at 0. */
static void begin_common(const wick_optimizer *optimizer, wki_update_rates rates[2])
{
    double t = (double)optimizer->step;
    double correction1 = 1.0 - pow(optimizer->momentum_now, t),
           correction2 = 1.0 - pow(optimizer->beta2, t);
    rates[0] = rates[1] = (wki_update_rates){.lr = (float)(optimizer->lr_now / correction1),
                                             .add = (float)(1.0 - optimizer->momentum_now),
                                             .shrink = 1.0f,
                                             .keep_square = (float)optimizer->beta2,
                                             .add_square = (float)(1.0 - optimizer->beta2),
                                             .root_scale = (float)(1.0 / sqrt(correction2)),
                                             .epsilon = (float)optimizer->eps};
}

static void begin_adam(wick_optimizer *optimizer, wki_update_rates rates[2])
{
    begin_common(optimizer, rates);
    rates[0].decay = (float)optimizer->weight_decay;
}

static void begin_adamw(wick_optimizer *optimizer, wki_update_rates rates[2])
{
    begin_common(optimizer, rates);
    rates[0].shrink = (float)(1.0 - optimizer->lr_now * optimizer->weight_decay);
}

static void update(const wick_optimizer *optimizer, const wki_kernels *kernels,
                   const wki_update_call *call)
{
    (void)optimizer;
    kernels->adam(call);
}

static const wki_optimizer_kind adam = {"Adam", {"exp_avg", "exp_avg_sq"}, begin_adam, update};
static const wki_optimizer_kind adamw = {"AdamW", {"exp_avg", "exp_avg_sq"}, begin_adamw, update};

/* An option's number: its default for 0, and 0 for one below. */
static double option(double given, double usual)
{
    return given == 0.0 ? usual : given == WICK_ZERO ? 0.0 : given;
}

static wick_status new_adam(wick_module *module, const wick_adam_options *options,
                            const wki_optimizer_kind *kind, double usual_decay, wick_optimizer **out)
{
    static const wick_adam_options none;
    if (module == NULL || out == NULL)
        return WICK_EINVAL;
    wick_context *context = module->context;
    const wick_adam_options *o = options != NULL ? options : &none;
    const wick_optimizer given = {.kind = kind,
                                  .lr = o->lr,
                                  .beta1 = option(o->beta1, 0.9),
                                  .beta2 = option(o->beta2, 0.999),
                                  .eps = option(o->eps, 1e-8),
                                  .weight_decay = option(o->weight_decay, usual_decay),
                                  .no_decay_bias = o->no_decay_bias};
    WKI_TRY(wki_optimizer_check(context, "beta1", given.beta1, 0.0, 1.0));
    WKI_TRY(wki_optimizer_check(context, "beta2", given.beta2, 0.0, 1.0));
    WKI_TRY(wki_optimizer_check(context, "eps", given.eps, 0.0, INFINITY));
    WKI_TRY(wki_optimizer_check(context, "weight_decay", given.weight_decay, 0.0, INFINITY));
    return wki_optimizer_new(module, &given, out);
}

wick_status wick_adam(wick_module *module, const wick_adam_options *options, wick_optimizer **out)
{
    return new_adam(module, options, &adam, 0.0, out);
}

wick_status wick_adamw(wick_module *module, const wick_adam_options *options, wick_optimizer **out)
{
    return new_adam(module, options, &adamw, 1e-2, out);
}

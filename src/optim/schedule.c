/* torch.optim.lr_scheduler: the learning rate as a function of the step, so that a step is all the state there is. */
#include "optim/optimizer.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* From a to b along half a cosine. */
static double anneal(double a, double b, double part)
{
    return b + (a - b) / 2.0 * (cos(pi * part) + 1.0);
}

static double cosine(const wick_schedule *s, double lr, int64_t step, int64_t total)
{
    if (step >= total)
        return s->min_lr;
    return s->min_lr + (lr - s->min_lr) * (1.0 + cos(pi * (double)step / (double)total)) / 2.0;
}

static double or_default(double value, double usual)
{
    return value == 0.0 ? usual : value;
}

/* OneCycleLR's two phases: from `first` to `middle` until pct_start of the steps, and on to `last`. */
static double two_phases(const wick_schedule *s, int64_t step, int64_t total, double first,
                         double middle, double last)
{
    double top = or_default(s->pct_start, 0.3) * (double)total - 1.0, end = (double)total - 1.0,
           at = (double)step;
    if (at <= top)
        return top > 0.0 ? anneal(first, middle, at / top) : middle;
    return at >= end ? last : anneal(middle, last, (at - top) / (end - top));
}

static double one_cycle(const wick_schedule *s, double lr, int64_t step, int64_t total)
{
    double low = lr / or_default(s->div_factor, 25.0), last = low / or_default(s->final_div_factor, 1e4);
    return two_phases(s, step, total, low, lr, last);
}

static double after_warmup(const wick_schedule *s, double lr, int64_t step, int64_t total)
{
    double gamma = or_default(s->gamma, 0.1);
    int passed = 0;
    switch (s->kind) {
    case WICK_SCHEDULE_CONSTANT:
        break;
    case WICK_SCHEDULE_STEP:
        return lr * pow(gamma, (double)(step / s->step_size));
    case WICK_SCHEDULE_MULTISTEP:
        while (passed < s->milestone_count && step >= s->milestones[passed])
            passed++;
        return lr * pow(gamma, (double)passed);
    case WICK_SCHEDULE_COSINE:
        return cosine(s, lr, step, total);
    case WICK_SCHEDULE_ONECYCLE:
        return one_cycle(s, lr, step, total);
    }
    return lr;
}

double wki_schedule_lr(const wick_schedule *s, double lr, int64_t step)
{
    int64_t total = s->total_steps - s->warmup_steps;
    if (step >= s->warmup_steps)
        return after_warmup(s, lr, step - s->warmup_steps, total);
    double first = or_default(s->warmup_factor, 0.01);
    return after_warmup(s, lr, 0, total) *
           (first + (1.0 - first) * (double)step / (double)s->warmup_steps);
}

double wki_schedule_momentum(const wick_schedule *s, double usual, int64_t step)
{
    if (s->max_momentum == 0.0)
        return usual;
    return two_phases(s, WKI_MAX(0, step - s->warmup_steps), s->total_steps - s->warmup_steps,
                      s->max_momentum, s->base_momentum, s->max_momentum);
}

static wick_status check_momentum(const wick_optimizer *optimizer, const wick_schedule *s)
{
    wick_context *context = optimizer->context;
    if (s->base_momentum == 0.0 && s->max_momentum == 0.0)
        return WICK_OK;
    if (!(s->base_momentum > 0.0 && s->base_momentum < 1.0))
        return wki_fail(context, WICK_EINVAL, "base_momentum is %g; it must be above 0, and below 1",
                        s->base_momentum);
    WKI_TRY(wki_optimizer_check(context, "max_momentum", s->max_momentum, s->base_momentum, 1.0));
    if (s->kind != WICK_SCHEDULE_ONECYCLE)
        return wki_fail(context, WICK_EINVAL, "only a one-cycle schedule cycles the momentum");
    if (wki_optimizer_buffers(optimizer) == 0)
        return wki_fail(context, WICK_EINVAL,
                        "the momentum is to cycle, and SGD was made without one; it needs a momentum");
    return WICK_OK;
}

static wick_status check_numbers(wick_context *context, const wick_schedule *s)
{
    double first = or_default(s->warmup_factor, 0.01), start = or_default(s->pct_start, 0.3);
    if (!(first > 0.0 && first <= 1.0))
        return wki_fail(context, WICK_EINVAL,
                        "the warm-up's factor is %g; it must be above 0, and at most 1", first);
    if (!(start > 0.0 && start < 1.0))
        return wki_fail(context, WICK_EINVAL, "pct_start is %g; it must be between 0 and 1", start);
    const double positive[] = {or_default(s->gamma, 0.1), or_default(s->div_factor, 25.0),
                               or_default(s->final_div_factor, 1e4)};
    static const char *const names[] = {"gamma", "div_factor", "final_div_factor"};
    for (size_t i = 0; i < WKI_COUNT(positive); i++)
        if (!(positive[i] > 0.0 && isfinite(positive[i])))
            return wki_fail(context, WICK_EINVAL, "%s is %g; it must be above 0", names[i], positive[i]);
    return wki_optimizer_check(context, "min_lr", s->min_lr, 0.0, INFINITY);
}

static wick_status check_milestones(wick_context *context, const wick_schedule *s)
{
    if (s->milestone_count < 1 || s->milestone_count > WICK_MAX_MILESTONES)
        return wki_fail(context, WICK_EINVAL,
                        "a multistep schedule has %d milestones; it must have 1 to %d",
                        s->milestone_count, WICK_MAX_MILESTONES);
    for (int i = 0; i < s->milestone_count; i++)
        if (s->milestones[i] < (i == 0 ? 0 : s->milestones[i - 1]))
            return wki_fail(context, WICK_EINVAL,
                            "the milestones must go up from 0 on, and number %d does not", i);
    return WICK_OK;
}

static wick_status check(wick_context *context, const wick_schedule *s)
{
    bool counted = s->kind == WICK_SCHEDULE_COSINE || s->kind == WICK_SCHEDULE_ONECYCLE;
    WKI_TRY(check_numbers(context, s));
    if (s->warmup_steps < 0)
        return wki_fail(context, WICK_EINVAL, "a warm-up of %lld steps; it must be 0 or more",
                        (long long)s->warmup_steps);
    if (counted && s->total_steps <= s->warmup_steps)
        return wki_fail(context, WICK_EINVAL,
                        "a schedule over %lld steps, %lld of them a warm-up; some must be left",
                        (long long)s->total_steps, (long long)s->warmup_steps);
    if (s->kind == WICK_SCHEDULE_STEP && s->step_size < 1)
        return wki_fail(context, WICK_EINVAL,
                        "a step schedule's step_size is %lld; it must be 1 or more",
                        (long long)s->step_size);
    return s->kind == WICK_SCHEDULE_MULTISTEP ? check_milestones(context, s) : WICK_OK;
}

wick_status wick_optimizer_set_schedule(wick_optimizer *optimizer, const wick_schedule *schedule)
{
    if (optimizer == NULL)
        return WICK_EINVAL;
    if (schedule != NULL) {
        WKI_TRY(check(optimizer->context, schedule));
        WKI_TRY(check_momentum(optimizer, schedule));
    }
    optimizer->scheduled = schedule != NULL;
    optimizer->schedule = schedule != NULL ? *schedule : (wick_schedule){0};
    return WICK_OK;
}

double wick_optimizer_lr(const wick_optimizer *optimizer)
{
    return optimizer->scheduled ? wki_schedule_lr(&optimizer->schedule, optimizer->lr, optimizer->step)
                                : optimizer->lr;
}

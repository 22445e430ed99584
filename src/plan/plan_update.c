/* The parts of the gradients added up, clipped, and what the updater makes of them. */
#include "plan/plan_internal.h"
#include "tensor/tensor_internal.h"

/* Numbers from .. to of a parameter: a few at a time, so that each is still in the L1 cache when it is used for the last
 * time. */
static void reduce_parameter(const wki_update *u, int index, size_t from, size_t to)
{
    enum { AT_A_TIME = 1024 };
    const wki_plan *plan = u->plan;
    wki_parameter *parameter = plan->parameters[index];
    float *gradient = parameter->grad->data, *parts = plan->gradients + plan->parameter_at[index];
    for (size_t end; from < to; from = end) {
        end = WKI_MIN(to, from + AT_A_TIME);
        float *sum = u->updater != NULL ? gradient : parts;
        plan->kernels->sum_parts(sum + from, parts + from, u->parts, plan->parameter_floats, end - from);
        if (u->updater != NULL)
            u->updater->update(u->updater->optimizer, index, parameter->value->data, gradient, from,
                               end);
        else
            plan->kernels->add(gradient + from, parts + from, end - from);
    }
}

/* A thread's share of all numbers, in whole cache lines: the parts are added up; with an updater they become the gradient and
 * the parameter is updated, else they are added to the gradient. */
static void reduce(const wki_update *u)
{
    const wki_plan *plan = u->plan;
    const size_t lines = plan->parameter_floats / WKI_LANES, t = (size_t)u->thread,
                 n = (size_t)u->threads;
    const size_t begin = lines * t / n * WKI_LANES, end = lines * (t + 1) / n * WKI_LANES;
    for (int i = 0; i < plan->parameter_count; i++) {
        const size_t at = plan->parameter_at[i], count = (size_t)plan->parameters[i]->value->numel;
        const bool late = u->late != NULL && i == WKI_FIRST_WEIGHTS;
        if (at < end && at + count > begin && !late)
            reduce_parameter(u, i, begin > at ? begin - at : 0, WKI_MIN(end - at, count));
    }
}

/* The same with a clip: this thread's chunks become the gradient, then all threads meet, then it is updated with. */
static void reduce_clipped(const wki_update *u)
{
    const wki_plan *plan = u->plan;
    const wki_clip *clip = u->updater->clip;
    const size_t t = (size_t)u->thread, n = (size_t)u->threads;
    const size_t begin = clip->chunk_count * t / n, end = clip->chunk_count * (t + 1) / n;
    for (size_t i = begin; i < end; i++) {
        const wki_chunk *c = &clip->chunks[i];
        float *gradient = (float *)plan->parameters[c->parameter]->grad->data + c->begin;
        const float *parts = plan->gradients + plan->parameter_at[c->parameter] + c->begin;
        plan->kernels->sum_parts(gradient, parts, u->parts, plan->parameter_floats, c->end - c->begin);
        clip->sums[i] = plan->kernels->sum_squares(gradient, c->end - c->begin);
    }
    if (u->threads > 1)
        wki_team_barrier(plan->context->team);
    const float factor = wki_clip_factor(clip);
    for (size_t i = begin; i < end; i++) {
        const wki_chunk *c = &clip->chunks[i];
        const wki_parameter *parameter = plan->parameters[c->parameter];
        float *gradient = parameter->grad->data;
        if (factor < 1.0f)
            plan->kernels->scale(gradient + c->begin, c->end - c->begin, factor);
        u->updater->update(u->updater->optimizer, c->parameter, parameter->value->data, gradient,
                           c->begin, c->end);
    }
}

void wki_plan_update(const wki_update *u)
{
    if (u->updater != NULL && u->updater->clip != NULL) {
        reduce_clipped(u);
        return;
    }
    if (u->late != NULL)
        wki_linear_update(u);
    reduce(u);
}

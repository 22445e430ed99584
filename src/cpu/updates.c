/* The optimizers' updates that keep something between steps. One pass over memory each: the compiler makes the
 * loops into vectors, and with multiply_add() every number has the same bits wherever a range begins. */
#include "cpu/kernel_vector.h"

#include <math.h>

void WKI_KERNEL(sgd_momentum)(const wki_update_call *call)
{
    const wki_update_rates rates = *call->rates;
    float *restrict weight = call->weight;
    const float *restrict gradient = call->gradient;
    float *restrict buffer = call->first;
    for (size_t i = 0; i < call->count; i++) {
        float g = multiply_add(gradient[i], rates.decay, weight[i]);
        float kept = multiply_add(rates.add * g, rates.keep, buffer[i]);
        buffer[i] = kept;
        /* Nesterov's: where the next step would lead to. */
        float step = rates.nesterov ? multiply_add(g, rates.momentum, kept) : kept;
        weight[i] = multiply_add(weight[i], -rates.lr, step);
    }
}

void WKI_KERNEL(sgd_decay)(const wki_update_call *call)
{
    const wki_update_rates rates = *call->rates;
    float *restrict weight = call->weight;
    const float *restrict gradient = call->gradient;
    for (size_t i = 0; i < call->count; i++) {
        float g = multiply_add(gradient[i], rates.decay, weight[i]);
        weight[i] = multiply_add(weight[i], -rates.lr, g);
    }
}

void WKI_KERNEL(adam)(const wki_update_call *call)
{
    const wki_update_rates rates = *call->rates;
    float *restrict weight = call->weight;
    const float *restrict gradient = call->gradient;
    float *restrict mean = call->first;
    float *restrict square = call->second;
    for (size_t i = 0; i < call->count; i++) {
        float w = rates.shrink * weight[i];
        float g = multiply_add(gradient[i], rates.decay, weight[i]);
        float m = multiply_add(mean[i], rates.add, g - mean[i]);
        float v = multiply_add(rates.add_square * g * g, rates.keep_square, square[i]);
        mean[i] = m;
        square[i] = v;
        float root = multiply_add(rates.epsilon, rates.root_scale, sqrtf(v));
        weight[i] = multiply_add(w, -rates.lr, m / root);
    }
}

void WKI_KERNEL(lerp)(float *average, const float *values, size_t count, float weight)
{
    float *restrict to = average;
    const float *restrict from = values;
    /* PyTorch's two formulas: the end is met exactly with a weight of 1. */
    if (weight < 0.5f)
        for (size_t i = 0; i < count; i++)
            to[i] = multiply_add(to[i], weight, from[i] - to[i]);
    else
        for (size_t i = 0; i < count; i++)
            to[i] = multiply_add(from[i], -(1.0f - weight), from[i] - to[i]);
}

void WKI_KERNEL(scale)(float *values, size_t count, float factor)
{
    for (size_t i = 0; i < count; i++)
        values[i] *= factor;
}

double WKI_KERNEL(sum_squares)(const float *values, size_t count)
{
    double lanes[WKI_LANES] = {0.0}, sum = 0.0;
    size_t i = 0;
    for (; i + WKI_LANES <= count; i += WKI_LANES)
        for (int lane = 0; lane < WKI_LANES; lane++)
            lanes[lane] += (double)values[i + (size_t)lane] * (double)values[i + (size_t)lane];
    for (int lane = 0; i < count; i++, lane++)
        lanes[lane] += (double)values[i] * (double)values[i];
    for (int lane = 0; lane < WKI_LANES; lane++)
        sum += lanes[lane];
    return sum;
}

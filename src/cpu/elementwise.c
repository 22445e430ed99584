/* What goes over flat arrays: ReLU, sums, the optimizer's update. */
#include "cpu/kernel_vector.h"

void WKI_KERNEL(relu)(float *values, size_t count)
{
    size_t i = 0;
    for (; i + VW <= count; i += VW)
        store(values + i, relu_vec(load(values + i)));
    for (; i < count; i++)
        values[i] = values[i] < 0.0f ? 0.0f : values[i];
}

void WKI_KERNEL(relu_backward)(const float *values, float *gradient, size_t count)
{
    size_t i = 0;
    for (; i + VW <= count; i += VW)
        store(gradient + i, mask_vec(load(values + i), load(gradient + i)));
    for (; i < count; i++)
        gradient[i] = values[i] <= 0.0f ? 0.0f : gradient[i];
}

void WKI_KERNEL(sum_parts)(float *sum, const float *parts, int part_count, size_t stride, size_t count)
{
    size_t i = 0;
    for (; i + VW <= count; i += VW) {
        vec total = load(parts + i);
        for (int p = 1; p < part_count; p++)
            total += load(parts + (size_t)p * stride + i);
        store(sum + i, total);
    }
    for (; i < count; i++) {
        float total = parts[i];
        for (int p = 1; p < part_count; p++)
            total += parts[(size_t)p * stride + i];
        sum[i] = total;
    }
}

void WKI_KERNEL(add)(float *sum, const float *addend, size_t count)
{
    size_t i = 0;
    for (; i + VW <= count; i += VW)
        store(sum + i, load(sum + i) + load(addend + i));
    for (; i < count; i++)
        sum[i] += addend[i];
}

void WKI_KERNEL(sgd)(float *weight, const float *gradient, size_t count, float lr)
{
    size_t i = 0;
    for (; i + VW <= count; i += VW)
        store(weight + i, load(weight + i) - lr * load(gradient + i));
    for (; i < count; i++)
        weight[i] -= lr * gradient[i];
}

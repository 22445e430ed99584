#include "tensor/random_internal.h"

#include <float.h>
#include <math.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

enum { BLOCK = 512, NORMAL_GROUP = 16 };

static const double TWO_PI = 6.283185307179586476925286766559;

/* ---- uniform ---- */

/* at::transformation::uniform_real<float>: the low 24 bits. */
static void fill_unit(wick_generator *generator, float *numbers, int64_t count)
{
    uint32_t words[BLOCK];
    for (int64_t done = 0; done < count;) {
        int64_t some = WKI_MIN(count - done, BLOCK);
        wki_generator_words(generator, words, (size_t)some);
        for (int64_t i = 0; i < some; i++)
            numbers[done + i] = (float)(int32_t)(words[i] & 0xffffff) * 0x1p-24f;
        done += some;
    }
}

wick_status wick_tensor_uniform(wick_tensor *tensor, wick_generator *generator, double low, double high)
{
    if (tensor == NULL)
        return WICK_EINVAL;
    if (tensor->dtype != WICK_FLOAT32)
        return wki_fail(tensor->context, WICK_EINVAL,
                        "uniform numbers for a %s tensor; it must be torch.float32",
                        wick_dtype_name(tensor->dtype));
    if (!(low <= high) || !(high - low <= (double)FLT_MAX))
        return wki_fail(
            tensor->context, WICK_EINVAL,
            "uniform numbers from %g to %g; the first must not be above the second, nor further from it "
            "than a float reaches",
            low, high);
    fill_unit(wki_generator_or_default(generator, tensor->context), tensor->data, tensor->numel);
    wki_uniform_scale(tensor->data, (size_t)tensor->numel, (float)low, (float)high);
    return WICK_OK;
}

/* ---- normal ---- */

/* at::transformation::uniform_real<double>: the low 53 of 64 bits. */
static double unit_double(wick_generator *generator)
{
    return (double)(wick_generator_random64(generator) & ((UINT64_C(1) << 53) - 1)) * 0x1p-53;
}

/* at::normal_distribution<double>: Box and Muller's pair, the sine's half kept for the next call. (1.13
 * took log(1 - u2), which differs in the last bits of the double, hardly ever in the float.) */
static double next_normal(wick_generator *generator)
{
    if (generator->has_normal) {
        double kept = generator->normal;
        generator->has_normal = false;
        generator->normal = 0;
        return kept;
    }
    double u1 = unit_double(generator);
    double u2 = unit_double(generator);
    double radius = sqrt(-2.0 * log1p(-u2));
    double theta = TWO_PI * u1;
    generator->normal = radius * sin(theta);
    generator->has_normal = true;
    return radius * cos(theta);
}

/* at::normal_fill: whole groups of 16 are made in place; where some are left over, the last 16 are drawn
 * once more. */
static void fill_normal(wick_generator *generator, float *numbers, int64_t count, float mean, float std)
{
    fill_unit(generator, numbers, count);
    wki_normal_from_uniform(numbers, (size_t)(count / NORMAL_GROUP), mean, std);
    if (count % NORMAL_GROUP != 0) {
        float *last = numbers + count - NORMAL_GROUP;
        fill_unit(generator, last, NORMAL_GROUP);
        wki_normal_from_uniform(last, 1, mean, std);
    }
}

wick_status wick_tensor_normal(wick_tensor *tensor, wick_generator *generator, double mean, double std)
{
    if (tensor == NULL)
        return WICK_EINVAL;
    if (tensor->dtype != WICK_FLOAT32)
        return wki_fail(tensor->context, WICK_EINVAL,
                        "normal numbers for a %s tensor; it must be torch.float32",
                        wick_dtype_name(tensor->dtype));
    if (!(std >= 0))
        return wki_fail(tensor->context, WICK_EINVAL,
                        "the standard deviation is %g; it must be 0 or more", std);
    generator = wki_generator_or_default(generator, tensor->context);
    float *numbers = tensor->data;
    if (tensor->numel >= NORMAL_GROUP) {
        fill_normal(generator, numbers, tensor->numel, (float)mean, (float)std);
        return WICK_OK;
    }
    for (int64_t i = 0; i < tensor->numel; i++)
        numbers[i] = (float)(next_normal(generator) * std + mean);
    return WICK_OK;
}

/* ---- integers ---- */

/* From this range on PyTorch takes 64 bits a number (1.13 did so from 2^32 on). */
static const uint64_t WIDE_RANGE = UINT64_C(1) << 28;

static void fill_wide(wick_generator *generator, int64_t *numbers, int64_t count, int64_t low,
                      uint64_t range)
{
    for (int64_t i = 0; i < count; i++)
        numbers[i] = (int64_t)(wick_generator_random64(generator) % range + (uint64_t)low);
}

static void fill_i64(wick_generator *generator, int64_t *numbers, int64_t count, int64_t low,
                     uint32_t range)
{
    uint32_t words[BLOCK];
    for (int64_t done = 0; done < count;) {
        int64_t some = WKI_MIN(count - done, BLOCK);
        wki_generator_words(generator, words, (size_t)some);
        for (int64_t i = 0; i < some; i++)
            numbers[done + i] = low + (int64_t)(words[i] % range);
        done += some;
    }
}

static void fill_u8(wick_generator *generator, uint8_t *numbers, int64_t count, int64_t low,
                    uint32_t range)
{
    uint32_t words[BLOCK];
    for (int64_t done = 0; done < count;) {
        int64_t some = WKI_MIN(count - done, BLOCK);
        wki_generator_words(generator, words, (size_t)some);
        for (int64_t i = 0; i < some; i++)
            numbers[done + i] = (uint8_t)(low + (int64_t)(words[i] % range));
        done += some;
    }
}

wick_status wick_tensor_random(wick_tensor *tensor, wick_generator *generator, int64_t low, int64_t high)
{
    if (tensor == NULL)
        return WICK_EINVAL;
    wick_context *context = tensor->context;
    if (tensor->dtype == WICK_FLOAT32)
        return wki_fail(context, WICK_EINVAL,
                        "random integers for a torch.float32 tensor; it must be torch.int64 or "
                        "torch.uint8");
    if (low >= high)
        return wki_fail(context, WICK_EINVAL,
                        "random integers from %lld to %lld; the first must be below the second",
                        (long long)low, (long long)high);
    if (tensor->dtype == WICK_UINT8 && (low < 0 || high > UINT8_MAX + 1))
        return wki_fail(context, WICK_EINVAL, "random integers from %lld to %lld do not fit torch.uint8",
                        (long long)low, (long long)high);

    generator = wki_generator_or_default(generator, context);
    uint64_t range = (uint64_t)high - (uint64_t)low;
    if (tensor->dtype == WICK_UINT8)
        fill_u8(generator, tensor->data, tensor->numel, low, (uint32_t)range);
    else if (range >= WIDE_RANGE)
        fill_wide(generator, tensor->data, tensor->numel, low, range);
    else
        fill_i64(generator, tensor->data, tensor->numel, low, (uint32_t)range);
    return WICK_OK;
}

/* Fisher and Yates' shuffle, at::randperm's way: place i is swapped with one from i on. */
static void permute(wick_generator *generator, int64_t *places, int64_t n)
{
    uint32_t words[BLOCK];
    for (int64_t i = 0; i < n; i++)
        places[i] = i;
    for (int64_t done = 0; done < n - 1;) {
        int64_t some = WKI_MIN(n - 1 - done, BLOCK);
        wki_generator_words(generator, words, (size_t)some);
        for (int64_t i = 0; i < some; i++) {
            int64_t *here = places + done + i;
            int64_t pick = words[i] % (uint32_t)(n - done - i);
            int64_t moved = here[pick];
            here[pick] = *here;
            *here = moved;
        }
        done += some;
    }
}

/* The same where 32 bits would be too few to pick fairly: the shuffle from inside out. */
static void permute_many(wick_generator *generator, int64_t *places, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t pick = (int64_t)(wick_generator_random64(generator) % (uint64_t)(i + 1));
        places[i] = i;
        places[i] = places[pick];
        places[pick] = i;
    }
}

/* ---- new tensors ---- */

wick_status wick_rand(wick_context *context, wick_generator *generator, int ndim, const int64_t *shape,
                      wick_tensor **out)
{
    if (context == NULL || out == NULL)
        return WICK_EINVAL;
    wick_tensor *tensor;
    WKI_TRY(wick_tensor_new(context, WICK_FLOAT32, ndim, shape, &tensor));
    fill_unit(wki_generator_or_default(generator, context), tensor->data, tensor->numel);
    *out = tensor;
    return WICK_OK;
}

wick_status wick_randn(wick_context *context, wick_generator *generator, int ndim, const int64_t *shape,
                       wick_tensor **out)
{
    if (context == NULL || out == NULL)
        return WICK_EINVAL;
    wick_tensor *tensor;
    WKI_TRY(wick_tensor_new(context, WICK_FLOAT32, ndim, shape, &tensor));
    wick_status status = wick_tensor_normal(tensor, generator, 0, 1);
    if (status == WICK_OK)
        *out = tensor;
    else
        wick_tensor_free(tensor);
    return status;
}

wick_status wick_randint(wick_context *context, wick_generator *generator, int64_t low, int64_t high,
                         int ndim, const int64_t *shape, wick_tensor **out)
{
    if (context == NULL || out == NULL)
        return WICK_EINVAL;
    wick_tensor *tensor;
    WKI_TRY(wick_tensor_new(context, WICK_INT64, ndim, shape, &tensor));
    wick_status status = wick_tensor_random(tensor, generator, low, high);
    if (status == WICK_OK)
        *out = tensor;
    else
        wick_tensor_free(tensor);
    return status;
}

wick_status wick_randperm(wick_context *context, wick_generator *generator, int64_t n, wick_tensor **out)
{
    if (context == NULL || out == NULL)
        return WICK_EINVAL;
    if (n < 0)
        return wki_fail(context, WICK_EINVAL, "a permutation of %lld; it must be 0 or more",
                        (long long)n);
    wick_tensor *tensor;
    WKI_TRY(wick_tensor_new(context, WICK_INT64, 1, &n, &tensor));
    generator = wki_generator_or_default(generator, context);
    if (n < UINT32_MAX / 20)
        permute(generator, tensor->data, n);
    else
        permute_many(generator, tensor->data, n);
    *out = tensor;
    return WICK_OK;
}

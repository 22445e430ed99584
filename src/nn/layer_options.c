#include "nn/layer_kind.h"

#include <math.h>

wick_status wki_check_out(wick_context *context, const void *out)
{
    if (context == NULL)
        return WICK_EINVAL;
    if (out == NULL)
        return wki_fail(context, WICK_EINVAL, "out is NULL; it must point to where the result goes");
    return WICK_OK;
}

wick_size2 wki_size2_or(wick_size2 size, wick_size2 fallback)
{
    if (size.h == 0 && size.w == 0)
        return fallback;
    return size.w == 0 ? (wick_size2){size.h, size.h} : size;
}

wick_status wki_check_size2(wick_context *context, const char *what, wick_size2 size, int64_t least)
{
    if (size.h < least || size.w < least)
        return wki_fail(context, WICK_EINVAL, "%s must be at least %lld, but it is (%lld, %lld)", what,
                        (long long)least, (long long)size.h, (long long)size.w);
    if (size.h > WKI_MAX_OPTION || size.w > WKI_MAX_OPTION)
        return wki_fail(context, WICK_ELIMIT, "%s must be at most %lld, but it is (%lld, %lld)", what,
                        (long long)WKI_MAX_OPTION, (long long)size.h, (long long)size.w);
    return WICK_OK;
}

wick_status wki_check_count(wick_context *context, const char *what, int64_t count)
{
    if (count < 1)
        return wki_fail(context, WICK_EINVAL, "%s must be at least 1, but it is %lld", what,
                        (long long)count);
    if (count > WKI_MAX_OPTION)
        return wki_fail(context, WICK_ELIMIT, "%s must be at most %lld, but it is %lld", what,
                        (long long)WKI_MAX_OPTION, (long long)count);
    return WICK_OK;
}

wick_status wki_check_parameters(wick_context *context, const char *class_name, int count,
                                 const int64_t *factors, int64_t biases)
{
    int64_t weights = 1;
    bool fits = true;
    for (int i = 0; i < count && fits; i++)
        fits = wki_mul_i64(weights, factors[i], &weights) && weights <= WKI_MAX_PARAMETER;
    if (!fits || biases > WKI_MAX_PARAMETER - weights)
        return wki_fail(context, WICK_ELIMIT, "%s would have more than %lld parameters", class_name,
                        (long long)WKI_MAX_PARAMETER);
    return WICK_OK;
}

wick_status wki_check_number(wick_context *context, const char *what, double number, double least,
                             double most)
{
    char least_text[32], most_text[32], text[32];
    wki_repr(number, text);
    wki_repr(least, least_text);
    wki_repr(most, most_text);
    if (!isfinite(number))
        return wki_fail(context, WICK_EINVAL, "%s must be a finite number, but it is %s", what, text);
    if (number < least)
        return wki_fail(context, WICK_EINVAL, "%s must be at least %s, but it is %s", what, least_text,
                        text);
    if (number > most)
        return wki_fail(context, WICK_EINVAL, "%s must be at most %s, but it is %s", what, most_text,
                        text);
    return WICK_OK;
}

wick_status wki_check_pool_padding(wick_context *context, wick_size2 padding, wick_size2 kernel)
{
    if (padding.h <= kernel.h / 2 && padding.w <= kernel.w / 2)
        return WICK_OK;
    return wki_fail(
        context, WICK_EINVAL,
        "padding must be at most half of kernel_size, but they are (%lld, %lld) and (%lld, %lld)",
        (long long)padding.h, (long long)padding.w, (long long)kernel.h, (long long)kernel.w);
}

#include "tensor/tensor_internal.h"

#include <math.h>
#include <string.h>

wick_status wick_tensor_select(const wick_tensor *tensor, int64_t index, wick_tensor **out)
{
    if (tensor == NULL || out == NULL)
        return WICK_EINVAL;
    if (tensor->ndim == 0)
        return wki_fail(tensor->context, WICK_EINVAL, "a tensor of no dimensions cannot be indexed");
    int64_t size = tensor->shape[0];
    if (index < -size || index >= size)
        return wki_fail(tensor->context, WICK_EINVAL,
                        "index %lld is out of range for a first dimension of size %lld",
                        (long long)index, (long long)size);
    size_t bytes = (size_t)(tensor->numel / size) * wick_dtype_size(tensor->dtype);
    size_t place = (size_t)(index < 0 ? index + size : index);
    return wick_tensor_from(tensor->context, tensor->dtype, tensor->ndim - 1, tensor->shape + 1,
                            (const char *)tensor->data + place * bytes, out);
}

wick_status wick_tensor_unsqueeze(const wick_tensor *tensor, int dim, wick_tensor **out)
{
    if (tensor == NULL || out == NULL)
        return WICK_EINVAL;
    int ndim = tensor->ndim + 1;
    if (ndim > WICK_MAX_DIMS)
        return wki_fail(tensor->context, WICK_EINVAL, "a tensor has at most %d dimensions",
                        WICK_MAX_DIMS);
    if (dim < -ndim || dim >= ndim)
        return wki_fail(tensor->context, WICK_EINVAL,
                        "dimension %d is out of range; it must be %d to %d", dim, -ndim, ndim - 1);
    int place = dim < 0 ? dim + ndim : dim;
    int64_t shape[WICK_MAX_DIMS];
    for (int i = 0; i < ndim; i++)
        shape[i] = i == place ? 1 : tensor->shape[i < place ? i : i - 1];
    return wick_tensor_from(tensor->context, tensor->dtype, ndim, shape, tensor->data, out);
}

static bool same_shape(const wick_tensor *a, const wick_tensor *b)
{
    return a->ndim == b->ndim && memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof(a->shape[0])) == 0;
}

static wick_status check_stack(wick_tensor *const *tensors, int64_t count)
{
    const wick_tensor *first = tensors[0];
    char shape[WKI_SHAPE_TEXT], wanted[WKI_SHAPE_TEXT];
    if (first->ndim == WICK_MAX_DIMS)
        return wki_fail(first->context, WICK_EINVAL, "a tensor has at most %d dimensions",
                        WICK_MAX_DIMS);
    for (int64_t i = 1; i < count; i++) {
        const wick_tensor *tensor = tensors[i];
        if (tensor == NULL)
            return wki_fail(first->context, WICK_EINVAL, "tensor %lld to stack is NULL", (long long)i);
        if (tensor->dtype != first->dtype || !same_shape(tensor, first))
            return wki_fail(
                first->context, WICK_ESHAPE, "tensor %lld to stack is %s %s, the first %s %s",
                (long long)i, wick_dtype_name(tensor->dtype),
                wki_shape_text(tensor->ndim, tensor->shape, shape), wick_dtype_name(first->dtype),
                wki_shape_text(first->ndim, first->shape, wanted));
    }
    return WICK_OK;
}

wick_status wick_tensor_stack(wick_tensor *const *tensors, int64_t count, wick_tensor **out)
{
    if (tensors == NULL || count < 1 || tensors[0] == NULL || out == NULL)
        return WICK_EINVAL;
    WKI_TRY(check_stack(tensors, count));
    const wick_tensor *first = tensors[0];
    int64_t shape[WICK_MAX_DIMS] = {count};
    memcpy(shape + 1, first->shape, (size_t)first->ndim * sizeof(shape[0]));
    wick_tensor *stacked;
    WKI_TRY(wick_tensor_new(first->context, first->dtype, first->ndim + 1, shape, &stacked));
    size_t bytes = (size_t)first->numel * wick_dtype_size(first->dtype);
    for (int64_t i = 0; i < count; i++)
        memcpy((char *)stacked->data + (size_t)i * bytes, tensors[i]->data, bytes);
    *out = stacked;
    return WICK_OK;
}

static void softmax_row(const float *logits, int64_t count, float *out)
{
    float largest = -INFINITY;
    for (int64_t i = 0; i < count; i++)
        largest = logits[i] > largest ? logits[i] : largest;
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += exp((double)logits[i] - (double)largest);
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)(exp((double)logits[i] - (double)largest) / sum);
}

wick_status wick_tensor_softmax(const wick_tensor *logits, wick_tensor **out)
{
    if (logits == NULL || out == NULL)
        return WICK_EINVAL;
    if (logits->dtype != WICK_FLOAT32)
        return wki_fail(logits->context, WICK_EINVAL, "softmax of a %s tensor; it must be torch.float32",
                        wick_dtype_name(logits->dtype));
    if (logits->ndim == 0)
        return wki_fail(logits->context, WICK_ESHAPE,
                        "softmax of a tensor of no dimensions; it must have 1 or more");
    wick_tensor *probabilities;
    WKI_TRY(wick_tensor_new(logits->context, WICK_FLOAT32, logits->ndim, logits->shape, &probabilities));
    int64_t columns = logits->shape[logits->ndim - 1];
    const float *row = logits->data;
    float *result = probabilities->data;
    for (int64_t i = 0; i < logits->numel; i += columns)
        softmax_row(row + i, columns, result + i);
    *out = probabilities;
    return WICK_OK;
}

static int64_t argmax_f32(const float *row, int64_t count)
{
    int64_t best = 0;
    for (int64_t i = 1; i < count && !isnan(row[best]); i++)
        if (row[i] > row[best] || isnan(row[i]))
            best = i;
    return best;
}

static int64_t argmax_u8(const uint8_t *row, int64_t count)
{
    int64_t best = 0;
    for (int64_t i = 1; i < count; i++)
        best = row[i] > row[best] ? i : best;
    return best;
}

static int64_t argmax_i64(const int64_t *row, int64_t count)
{
    int64_t best = 0;
    for (int64_t i = 1; i < count; i++)
        best = row[i] > row[best] ? i : best;
    return best;
}

/* The place of the largest among the count elements from `first` on. */
static int64_t argmax_row(const wick_tensor *tensor, int64_t first, int64_t count)
{
    switch (tensor->dtype) {
    case WICK_FLOAT32:
        return argmax_f32((const float *)tensor->data + first, count);
    case WICK_UINT8:
        return argmax_u8((const uint8_t *)tensor->data + first, count);
    case WICK_INT64:
        break;
    }
    return argmax_i64((const int64_t *)tensor->data + first, count);
}

wick_status wick_tensor_argmax(const wick_tensor *tensor, wick_tensor **out)
{
    if (tensor == NULL || out == NULL)
        return WICK_EINVAL;
    if (tensor->ndim == 0 || tensor->shape[tensor->ndim - 1] == 0)
        return wki_fail(tensor->context, WICK_ESHAPE,
                        "argmax over a last dimension that has no elements");
    wick_tensor *places;
    WKI_TRY(wick_tensor_new(tensor->context, WICK_INT64, tensor->ndim - 1, tensor->shape, &places));
    int64_t columns = tensor->shape[tensor->ndim - 1];
    int64_t *result = places->data;
    for (int64_t i = 0; i < places->numel; i++)
        result[i] = argmax_row(tensor, i * columns, columns);
    *out = places;
    return WICK_OK;
}

bool wick_isclose(double a, double b, double rtol, double atol)
{
    if (a == b)
        return true;
    double error = fabs(a - b);
    return isfinite(error) && error <= atol + fabs(rtol * b);
}

#include "tensor/tensor_internal.h"

#include <stdlib.h>
#include <string.h>

size_t wick_dtype_size(wick_dtype dtype)
{
    switch (dtype) {
    case WICK_FLOAT32:
        return sizeof(float);
    case WICK_UINT8:
        return sizeof(uint8_t);
    case WICK_INT64:
        return sizeof(int64_t);
    }
    return 0;
}

const char *wick_dtype_name(wick_dtype dtype)
{
    switch (dtype) {
    case WICK_FLOAT32:
        return "torch.float32";
    case WICK_UINT8:
        return "torch.uint8";
    case WICK_INT64:
        return "torch.int64";
    }
    return "torch.?";
}

const char *wki_shape_text(int ndim, const int64_t *shape, char out[WKI_SHAPE_TEXT])
{
    size_t length = 0;
    out[length++] = '[';
    for (int i = 0; i < WKI_MIN(ndim, WICK_MAX_DIMS); i++)
        length += (size_t)snprintf(out + length, WKI_SHAPE_TEXT - length, i == 0 ? "%lld" : ", %lld",
                                   (long long)shape[i]);
    memcpy(out + length, "]", 2);
    return out;
}

wick_status wki_shape_numel(wick_context *context, wick_dtype dtype, int ndim, const int64_t *shape,
                            int64_t *numel)
{
    char text[WKI_SHAPE_TEXT];
    if (ndim < 0 || ndim > WICK_MAX_DIMS)
        return wki_fail(context, WICK_EINVAL, "a tensor of %d dimensions; it must be 0 to %d", ndim,
                        WICK_MAX_DIMS);
    if (shape == NULL && ndim > 0)
        return wki_fail(context, WICK_EINVAL, "the shape is NULL; it must point to %d sizes", ndim);
    if (wick_dtype_size(dtype) == 0)
        return wki_fail(context, WICK_EINVAL, "%d is no dtype; it must be float32, uint8 or int64",
                        (int)dtype);

    /* Empty dimensions count as 1 here, so that no product of some of the sizes can overflow either. */
    int64_t bytes = (int64_t)wick_dtype_size(dtype);
    int64_t product = 1;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 0)
            return wki_fail(context, WICK_EINVAL, "size %lld of dimension %d in %s is negative",
                            (long long)shape[i], i, wki_shape_text(ndim, shape, text));
        if (!wki_mul_i64(bytes, WKI_MAX(shape[i], 1), &bytes))
            return wki_fail(context, WICK_EINVAL, "a tensor of shape %s is larger than can be addressed",
                            wki_shape_text(ndim, shape, text));
        product *= shape[i];
    }
    *numel = product;
    return WICK_OK;
}

wick_status wick_tensor_new(wick_context *context, wick_dtype dtype, int ndim, const int64_t *shape,
                            wick_tensor **out)
{
    if (context == NULL || out == NULL)
        return WICK_EINVAL;
    int64_t numel;
    WKI_TRY(wki_shape_numel(context, dtype, ndim, shape, &numel));
    void *memory, *data;
    WKI_TRY(wki_alloc(context, 1, sizeof(wick_tensor), "a tensor", &memory));
    wick_status status =
        wki_alloc(context, (size_t)numel, wick_dtype_size(dtype), "a tensor's elements", &data);
    if (status != WICK_OK) {
        free(memory);
        return status;
    }
    wick_tensor *tensor = memory;
    *tensor =
        (wick_tensor){.context = context, .dtype = dtype, .ndim = ndim, .numel = numel, .data = data};
    for (int i = 0; i < ndim; i++)
        tensor->shape[i] = shape[i];
    *out = tensor;
    return WICK_OK;
}

wick_status wick_tensor_from(wick_context *context, wick_dtype dtype, int ndim, const int64_t *shape,
                             const void *data, wick_tensor **out)
{
    if (context == NULL || out == NULL)
        return WICK_EINVAL;
    wick_tensor *tensor;
    WKI_TRY(wick_tensor_new(context, dtype, ndim, shape, &tensor));
    if (data == NULL && tensor->numel > 0) {
        wick_tensor_free(tensor);
        return wki_fail(context, WICK_EINVAL,
                        "the data is NULL; it must point to the tensor's elements");
    }
    if (tensor->numel > 0)
        memcpy(tensor->data, data, (size_t)tensor->numel * wick_dtype_size(dtype));
    *out = tensor;
    return WICK_OK;
}

wick_status wick_tensor_clone(const wick_tensor *tensor, wick_tensor **out)
{
    if (tensor == NULL)
        return WICK_EINVAL;
    return wick_tensor_from(tensor->context, tensor->dtype, tensor->ndim, tensor->shape, tensor->data,
                            out);
}

void wick_tensor_free(wick_tensor *tensor)
{
    if (tensor == NULL)
        return;
    free(tensor->data);
    free(tensor);
}

wick_context *wki_tensor_context(const wick_tensor *tensor)
{
    return tensor->context;
}

wick_dtype wick_tensor_dtype(const wick_tensor *tensor)
{
    return tensor->dtype;
}

int wick_tensor_ndim(const wick_tensor *tensor)
{
    return tensor->ndim;
}

const int64_t *wick_tensor_shape(const wick_tensor *tensor)
{
    return tensor->shape;
}

int64_t wick_tensor_size(const wick_tensor *tensor, int dim)
{
    int place = dim < 0 ? dim + tensor->ndim : dim;
    return place >= 0 && place < tensor->ndim ? tensor->shape[place] : 0;
}

int64_t wick_tensor_numel(const wick_tensor *tensor)
{
    return tensor->numel;
}

void *wick_tensor_data(wick_tensor *tensor)
{
    return tensor->data;
}

const void *wick_tensor_cdata(const wick_tensor *tensor)
{
    return tensor->data;
}

float *wick_tensor_f32(wick_tensor *tensor)
{
    return tensor->dtype == WICK_FLOAT32 ? tensor->data : NULL;
}

uint8_t *wick_tensor_u8(wick_tensor *tensor)
{
    return tensor->dtype == WICK_UINT8 ? tensor->data : NULL;
}

int64_t *wick_tensor_i64(wick_tensor *tensor)
{
    return tensor->dtype == WICK_INT64 ? tensor->data : NULL;
}

/* Puts into sizes[unknown] what makes the product of the sizes numel. */
static wick_status infer_size(const wick_tensor *tensor, int ndim, int64_t *sizes, int unknown)
{
    char text[WKI_SHAPE_TEXT];
    int64_t known = 0;
    sizes[unknown] = 1;
    wick_status status = wki_shape_numel(tensor->context, tensor->dtype, ndim, sizes, &known);
    sizes[unknown] = -1;
    if (status != WICK_OK)
        return WICK_ESHAPE;
    if (known == 0)
        return wki_fail(tensor->context, WICK_ESHAPE, "size -1 in %s could be any, as another size is 0",
                        wki_shape_text(ndim, sizes, text));
    if (tensor->numel % known != 0)
        return wki_fail(tensor->context, WICK_ESHAPE, "%lld elements do not fit into shape %s",
                        (long long)tensor->numel, wki_shape_text(ndim, sizes, text));
    sizes[unknown] = tensor->numel / known;
    return WICK_OK;
}

wick_status wick_tensor_reshape(wick_tensor *tensor, int ndim, const int64_t *shape)
{
    if (tensor == NULL)
        return WICK_EINVAL;
    wick_context *context = tensor->context;
    char text[WKI_SHAPE_TEXT];
    if (ndim < 0 || ndim > WICK_MAX_DIMS || (shape == NULL && ndim > 0))
        return wki_fail(context, WICK_ESHAPE, "a shape of %d sizes; there must be 0 to %d", ndim,
                        WICK_MAX_DIMS);

    int64_t sizes[WICK_MAX_DIMS] = {0};
    int unknown = -1;
    for (int i = 0; i < ndim; i++) {
        sizes[i] = shape[i];
        if (shape[i] == -1 && unknown >= 0)
            return wki_fail(context, WICK_ESHAPE, "shape %s has more than one size -1",
                            wki_shape_text(ndim, shape, text));
        if (shape[i] == -1)
            unknown = i;
    }
    if (unknown >= 0)
        WKI_TRY(infer_size(tensor, ndim, sizes, unknown));

    int64_t numel = 0;
    if (wki_shape_numel(context, tensor->dtype, ndim, sizes, &numel) != WICK_OK)
        return WICK_ESHAPE;
    if (numel != tensor->numel)
        return wki_fail(context, WICK_ESHAPE, "%lld elements do not fit into shape %s",
                        (long long)tensor->numel, wki_shape_text(ndim, shape, text));
    tensor->ndim = ndim;
    memcpy(tensor->shape, sizes, sizeof(sizes));
    return WICK_OK;
}

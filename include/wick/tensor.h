/* Tensors: row-major arrays of float32, uint8 or int64, up to eight dimensions.
 *
 * A tensor owns its memory. Dimensions may be of size 0; a tensor of no dimensions holds one number.
 */
#ifndef WICK_TENSOR_H
#define WICK_TENSOR_H

#include <wick/context.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WICK_MAX_DIMS = 8 };

typedef enum wick_dtype { WICK_FLOAT32, WICK_UINT8, WICK_INT64 } wick_dtype;

typedef struct wick_tensor wick_tensor;

/* The size of one element in bytes: 4, 1, 8. */
WICK_API size_t wick_dtype_size(wick_dtype dtype);
/* PyTorch's name: "torch.float32", "torch.uint8", "torch.int64". Static. */
WICK_API const char *wick_dtype_name(wick_dtype dtype);

/* A tensor of zeros. shape has ndim sizes (it may be NULL where ndim is 0). Owned:
 * wick_tensor_free().
 * Errors: WICK_EINVAL (ndim outside 0..8, a negative size, more bytes than can be addressed),
 * WICK_ENOMEM. */
WICK_API wick_status wick_tensor_new(wick_context *context, wick_dtype dtype, int ndim,
                                     const int64_t *shape, wick_tensor **out);
/* The same, filled with a copy of data (numel elements of dtype). */
WICK_API wick_status wick_tensor_from(wick_context *context, wick_dtype dtype, int ndim,
                                      const int64_t *shape, const void *data, wick_tensor **out);
WICK_API wick_status wick_tensor_clone(const wick_tensor *tensor, wick_tensor **out);
/* Frees a tensor. NULL is fine. */
WICK_API void wick_tensor_free(wick_tensor *tensor);

WICK_API wick_dtype wick_tensor_dtype(const wick_tensor *tensor);
WICK_API int wick_tensor_ndim(const wick_tensor *tensor);
/* The sizes. Borrowed until the tensor is reshaped or freed. */
WICK_API const int64_t *wick_tensor_shape(const wick_tensor *tensor);
/* The size of dimension dim; a negative dim counts from the end, as in Python. 0 if there is none
 * such. */
WICK_API int64_t wick_tensor_size(const wick_tensor *tensor, int dim);
WICK_API int64_t wick_tensor_numel(const wick_tensor *tensor);
/* The elements, row-major. Borrowed until the tensor is freed. */
WICK_API void *wick_tensor_data(wick_tensor *tensor);
WICK_API const void *wick_tensor_cdata(const wick_tensor *tensor);
/* The same, typed; NULL if the tensor is of another dtype. */
WICK_API float *wick_tensor_f32(wick_tensor *tensor);
WICK_API uint8_t *wick_tensor_u8(wick_tensor *tensor);
WICK_API int64_t *wick_tensor_i64(wick_tensor *tensor);

/* Gives the same elements another shape; one size may be -1, to be worked out (torch.Tensor.view).
 * Errors: WICK_ESHAPE; the tensor stays as it was. */
WICK_API wick_status wick_tensor_reshape(wick_tensor *tensor, int ndim, const int64_t *shape);
/* A copy of tensor[index] along the first dimension, one dimension fewer; a negative index counts
 * from the end.
 * Errors: WICK_EINVAL if it is out of range or the tensor has no dimensions. */
WICK_API wick_status wick_tensor_select(const wick_tensor *tensor, int64_t index, wick_tensor **out);
/* A copy of a float32 tensor with a dimension of size 1 put in at dim (torch.unsqueeze). */
WICK_API wick_status wick_tensor_unsqueeze(const wick_tensor *tensor, int dim, wick_tensor **out);
/* Joins tensors of one shape and dtype along a new first dimension (torch.stack). count is 1 or more. */
WICK_API wick_status wick_tensor_stack(wick_tensor *const *tensors, int64_t count, wick_tensor **out);

/* softmax over the last dimension of a float32 tensor of one dimension or more
 * (torch.softmax(dim=-1)). */
WICK_API wick_status wick_tensor_softmax(const wick_tensor *logits, wick_tensor **out);
/* Where the largest element of the last dimension is, the first of equals, a NaN counting as the
 * largest (torch.argmax(dim=-1)): int64, one dimension fewer.
 * Errors: WICK_ESHAPE if the last dimension is empty. */
WICK_API wick_status wick_tensor_argmax(const wick_tensor *tensor, wick_tensor **out);
/* Whether |a - b| <= atol + rtol |b| (torch.isclose for numbers; its defaults are rtol 1e-5, atol
 * 1e-8). */
WICK_API bool wick_isclose(double a, double b, double rtol, double atol);

/* The tensor as PyTorch's print(tensor) writes it, "tensor([[ 0.0273, ..." with `precision 4`,
 * `threshold 1000` and `edgeitems 3`, each line after the first but for empty ones indented by
 * indent spaces more. text is owned by the caller: wick_free().
 * Errors: WICK_ENOMEM. */
WICK_API wick_status wick_tensor_format(const wick_tensor *tensor, int indent, char **text);

/* ---- state_dict: tensors by name, in order ---- */

typedef struct wick_state_dict wick_state_dict;

WICK_API wick_status wick_state_dict_new(wick_context *context, wick_state_dict **out);
/* Frees it and the tensors in it. NULL is fine. */
WICK_API void wick_state_dict_free(wick_state_dict *dict);
WICK_API int64_t wick_state_dict_count(const wick_state_dict *dict);
/* The key and the tensor at position index (0 .. count-1), in the order they were added; NULL outside.
 * Borrowed until the dict is freed. */
WICK_API const char *wick_state_dict_key(const wick_state_dict *dict, int64_t index);
WICK_API wick_tensor *wick_state_dict_tensor(const wick_state_dict *dict, int64_t index);
/* The tensor of that key, or NULL. */
WICK_API wick_tensor *wick_state_dict_get(const wick_state_dict *dict, const char *key);
/* Adds a tensor at the end; it is moved into the dict on success.
 * Errors: WICK_EEXIST if the key is there already, WICK_EINVAL if it is NULL, WICK_ENOMEM; the
 * tensor then stays the caller's. */
WICK_API wick_status wick_state_dict_add(wick_state_dict *dict, const char *key, wick_tensor *tensor);
/* The dict as a notebook shows an OrderedDict of tensors (IPython's layout, 79 columns). text is owned
 * by the caller: wick_free(). */
WICK_API wick_status wick_state_dict_format(const wick_state_dict *dict, char **text);

#ifdef __cplusplus
}
#endif
#endif

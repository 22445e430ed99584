/* What the other layers may know of tensors and generators. */
#ifndef WKI_TENSOR_INTERNAL_H
#define WKI_TENSOR_INTERNAL_H

#include "base/base.h"

#include <wick/random.h>

struct wick_tensor {
    wick_context *context;
    wick_dtype dtype;
    int ndim;
    int64_t shape[WICK_MAX_DIMS];
    int64_t numel;
    void *data; /* aligned to 64 */
};

enum { WKI_SHAPE_TEXT = 192 };

/* "[32, 1, 28, 28]". Returns out. */
const char *wki_shape_text(int ndim, const int64_t *shape, char out[WKI_SHAPE_TEXT]);
/* The product of the sizes; WICK_EINVAL for a bad ndim or size or a product whose bytes overflow. */
wick_status wki_shape_numel(wick_context *context, wick_dtype dtype, int ndim, const int64_t *shape,
                            int64_t *numel);
wick_context *wki_tensor_context(const wick_tensor *tensor);
/* The context that a state_dict was made in. */
wick_context *wki_state_dict_context(const wick_state_dict *dict);

#endif

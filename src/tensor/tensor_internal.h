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

/* How many entries are looked at, at most, to find one that is there; 0 if none is. For tests. */
int64_t wki_state_dict_longest_way(const wick_state_dict *dict);

/* Numbers in a state_dict, each a tensor of no dimensions: an int64, and a double as the int64 of
 * its bits. */
wick_status wki_state_dict_add_i64(wick_state_dict *dict, const char *key, int64_t number);
wick_status wki_state_dict_add_f64(wick_state_dict *dict, const char *key, double number);
/* Errors: WICK_EKEY if the key is not there, WICK_EFORMAT if it is no such number from min to max. */
wick_status wki_state_dict_get_i64(const wick_state_dict *dict, const char *key, int64_t min,
                                   int64_t max, int64_t *out);
wick_status wki_state_dict_get_f64(const wick_state_dict *dict, const char *key, double *out);
/* The same for a generator's state, as torch.get_rng_state() gives it. */
wick_status wki_state_dict_add_generator(wick_state_dict *dict, const char *key,
                                         const uint8_t state[WICK_GENERATOR_STATE_SIZE]);
wick_status wki_state_dict_get_generator(const wick_state_dict *dict, const char *key,
                                         const uint8_t **state);
/* Moves the tensors of part into dict, their keys behind the prefix, and frees part, also on failure. */
wick_status wki_state_dict_add_part(wick_state_dict *dict, const char *prefix, wick_state_dict *part);
/* Copies of those whose keys begin with the prefix, without it. *out is owned. */
wick_status wki_state_dict_part(const wick_state_dict *dict, const char *prefix, wick_state_dict **out);

#endif

/* The elements of stored tensors, and what they become. */
#ifndef WKI_SCALAR_H
#define WKI_SCALAR_H

#include "format/pickle.h"

#include <wick/tensor.h>

/* float32 for floating ones, int64 for integers with a sign, uint8 for uint8 and bool. */
wick_dtype wki_scalar_dtype(wki_scalar scalar);
/* Copies a stored tensor's elements, converted, into a new tensor of its sizes and wki_scalar_dtype().
 * */
void wki_scalar_gather(const wki_pickled_tensor *from, wick_tensor *to);

#endif

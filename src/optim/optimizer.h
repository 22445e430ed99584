/* The inside of an optimizer: what the training loop hands to a plan. */
#ifndef WKI_OPTIMIZER_H
#define WKI_OPTIMIZER_H

#include "cpu/kernels.h"
#include "nn/module_internal.h"

#include <wick/train.h>

struct wick_optimizer {
    wick_context *context;
    wick_module *module;
    wki_parameter **parameters; /* in state_dict order */
    size_t parameter_count, parameter_capacity;
    double lr;
};

/* Updates numbers begin .. end of parameter `index`. Disjoint ranges may be updated by several
 * threads at once. */
void wki_optimizer_update(void *pointer, int index, float *value, const float *gradient, size_t begin,
                          size_t end);

#endif

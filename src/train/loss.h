/* The inside of a loss. */
#ifndef WKI_LOSS_H
#define WKI_LOSS_H

#include "cpu/kernels.h"

#include <wick/train.h>

struct wick_loss {
    wick_context *context;
    wick_tensor *gradient; /* of the last forward; NULL before the first */
};

#endif

/* The inside of a loss. */
#ifndef WKI_LOSS_H
#define WKI_LOSS_H

#include "cpu/kernels.h"

#include <wick/train.h>

struct wick_loss {
    wick_context *context;
    wick_tensor *gradient; /* of the last forward; NULL before the first */
    float *weights;        /* [weight_count], or NULL: all 1 */
    int64_t weight_count;
    float smoothing;
};

/* Fails unless the loss can take logits of so many classes. */
wick_status wki_loss_check_classes(const wick_loss *loss, int64_t classes);
/* What the gradient of a batch's mean is scaled by. */
float wki_loss_scale(const wick_loss *loss, const int64_t *targets, int64_t count);
/* The mean of a batch's losses. */
float wki_loss_mean(const wick_loss *loss, const float *losses, const int64_t *targets, int64_t count);

#endif

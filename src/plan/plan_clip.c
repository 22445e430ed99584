/* From the sums of the gradients' squares to what the gradients are multiplied by. */
#include "plan/plan.h"

#include <math.h>

double wki_clip_norm(const wki_clip *clip)
{
    double sum = 0.0;
    for (size_t i = 0; i < clip->chunk_count; i++)
        sum += clip->sums[i];
    return sqrt(sum);
}

/* PyTorch's 1e-6 keeps a norm of 0 from dividing. */
float wki_clip_factor(const wki_clip *clip)
{
    double factor = clip->max_norm / (wki_clip_norm(clip) + 1e-6);
    return factor < 1.0 ? (float)factor : 1.0f;
}

/* Softmax and cross entropy on rows of logits. A block has 16 rows of a few classes, so the
 * exponentials are taken with a plain polynomial that the compiler turns into vectors, the same on
 * every instruction set. */
#include "cpu/kernel_vector.h"

#include <math.h>

/* e^x for x <= 0, to about one unit in the last place: x = n ln 2 + r, |r| <= ln 2 / 2, e^r by its
 * Taylor series to the 7th power. Below -87.3 the result is 0 rather than a denormal. A NaN gives a
 * NaN. */
ALWAYS_INLINE float exp_negative(float x)
{
    const float shift = 0x1.8p23f; /* adding and taking it away rounds to an integer */
    float clipped = x < -87.3f ? -87.3f : x;
    float n = (clipped * 0x1.715476p0f + shift) - shift;
    float r = clipped - n * 0x1.62e4p-1f; /* ln 2 in two parts, the first with few bits */
    r = r - n * 0x1.7f7d1cp-20f;
    float p = 1.0f / 5040.0f;
    p = p * r + 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    union {
        int32_t bits;
        float value;
    } power = {.bits = (int32_t)(((uint32_t)(int32_t)n + 127u) << 23)};
    float result = p * power.value;
    return x < -87.3f ? 0.0f : result;
}

static int64_t first_largest(const float *logits, int classes)
{
    int64_t at = 0;
    for (int c = 1; c < classes; c++)
        if (logits[c] > logits[at] || (isnan(logits[c]) && !isnan(logits[at])))
            at = c;
    return at;
}

/* With weights of the classes and label smoothing the target is a share of every class: 1 - smoothing of its own and
 * smoothing / classes of all, each times the class's weight. Gives the loss, and makes the exponentials in gradient,
 * whose sum is given, the gradient. */
static float weighted_row(const wki_cross_entropy_call *call, const float *logits, int64_t target,
                          float most, float sum, float *gradient)
{
    const float *weights = call->weights;
    const float every = call->smoothing / (float)call->classes;
    const float own = (1.0f - call->smoothing) * (weights != NULL ? weights[target] : 1.0f);
    const float log_sum = logf(sum);
    float all = 0.0f, away = 0.0f; /* of every class's share, what is alike and what is not */
    for (int c = 0; call->smoothing != 0.0f && c < call->classes; c++) {
        float share = every * (weights != NULL ? weights[c] : 1.0f);
        all += share;
        away = multiply_add(away, share, log_sum - (logits[c] - most));
    }
    if (gradient != NULL) {
        float factor = call->scale * (own + all) / sum;
        for (int c = 0; c < call->classes; c++)
            gradient[c] = multiply_add(-(call->scale * every * (weights != NULL ? weights[c] : 1.0f)),
                                       gradient[c], factor);
        gradient[target] -= call->scale * own;
    }
    return own * (log_sum - (logits[target] - most)) + away;
}

void WKI_KERNEL(cross_entropy)(const wki_cross_entropy_call *call)
{
    for (int row = 0; row < call->rows; row++) {
        const float *logits = call->logits + row * call->pitch;
        int64_t target = call->targets[row];
        int64_t largest = first_largest(logits, call->classes);
        float most = logits[largest];
        call->predictions[row] = largest;
        /* The exponentials are wanted twice; without a gradient to keep them in they are made in
         * pieces. */
        float piece[64];
        float *kept = call->gradient != NULL ? call->gradient + row * call->pitch : NULL;
        float sum = 0.0f;
        for (int begin = 0; begin < call->classes; begin += 64) {
            int end = WKI_MIN(begin + 64, call->classes);
            float *to = kept != NULL ? kept + begin : piece;
            for (int c = begin; c < end; c++)
                to[c - begin] = exp_negative(logits[c] - most);
            for (int c = begin; c < end; c++)
                sum += to[c - begin];
        }
        if (call->weights != NULL || call->smoothing != 0.0f) {
            call->losses[row] = weighted_row(call, logits, target, most, sum, kept);
        } else {
            call->losses[row] = logf(sum) - (logits[target] - most);
            float factor = call->scale / sum;
            for (int c = 0; kept != NULL && c < call->classes; c++)
                kept[c] *= factor;
            if (kept != NULL)
                kept[target] -= call->scale;
        }
        for (int c = 0; kept != NULL && call->mask && c < call->classes; c++)
            kept[c] = logits[c] <= 0.0f ? 0.0f : kept[c];
    }
}

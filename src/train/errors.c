/* What a model gets wrong, in the order in which one wants to look at it. */
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdlib.h>

#include <wick/train.h>

/* ---- wrong predictions ---- */

static wick_status check_labels(const wick_tensor *probabilities, const wick_tensor *labels)
{
    char shape[WKI_SHAPE_TEXT], label_shape[WKI_SHAPE_TEXT];
    wki_shape_text(probabilities->ndim, probabilities->shape, shape);
    wki_shape_text(labels->ndim, labels->shape, label_shape);
    if (probabilities->dtype != WICK_FLOAT32 || probabilities->ndim != 2 ||
        labels->dtype != WICK_INT64 || labels->ndim != 1 || labels->numel != probabilities->shape[0] ||
        probabilities->shape[1] == 0)
        return wki_fail(
            probabilities->context, WICK_ESHAPE,
            "probabilities are %s %s and labels %s %s; they must be torch.float32 [N, classes] and "
            "torch.int64 [N]",
            wick_dtype_name(probabilities->dtype), shape, wick_dtype_name(labels->dtype), label_shape);
    const int64_t *label = labels->data;
    for (int64_t i = 0; i < labels->numel; i++)
        if (label[i] < 0 || label[i] >= probabilities->shape[1])
            return wki_fail(probabilities->context, WICK_EINVAL,
                            "label %lld is %lld; it must be 0 to %lld", (long long)i,
                            (long long)label[i], (long long)probabilities->shape[1] - 1);
    return WICK_OK;
}

/* NaN comes last. */
static int by_probability(const void *left, const void *right)
{
    const wick_error *a = left, *b = right;
    if (isnan(a->probability) != isnan(b->probability))
        return isnan(a->probability) ? 1 : -1;
    if (a->probability != b->probability && !isnan(a->probability))
        return a->probability > b->probability ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* Fills errors, which has room for all if it is not NULL. Returns how many there are. */
static int64_t collect(const wick_tensor *probabilities, const wick_tensor *labels,
                       const int64_t *predictions, wick_error *errors)
{
    const int64_t *label = labels->data, classes = probabilities->shape[1];
    const float *rows = probabilities->data;
    int64_t count = 0;
    for (int64_t i = 0; i < labels->numel; i++) {
        if (predictions[i] == label[i])
            continue;
        if (errors != NULL)
            errors[count] =
                (wick_error){i, label[i], predictions[i], rows[i * classes + predictions[i]]};
        count++;
    }
    return count;
}

wick_status wick_wrong_predictions(const wick_tensor *probabilities, const wick_tensor *labels,
                                   wick_error **errors, int64_t *count)
{
    wick_tensor *predictions;
    if (probabilities == NULL || labels == NULL || errors == NULL || count == NULL)
        return WICK_EINVAL;
    WKI_TRY(check_labels(probabilities, labels));
    WKI_TRY(wick_tensor_argmax(probabilities, &predictions));
    void *memory;
    int64_t found = collect(probabilities, labels, predictions->data, NULL);
    wick_status status = wki_alloc(probabilities->context, (size_t)found, sizeof(wick_error),
                                   "the wrong predictions", &memory);
    if (status == WICK_OK) {
        *errors = memory;
        *count = collect(probabilities, labels, predictions->data, memory);
        qsort(memory, (size_t)found, sizeof(wick_error), by_probability);
    }
    wick_tensor_free(predictions);
    return status;
}

/* ---- confused pairs ---- */

static int by_how_often(const void *left, const void *right)
{
    const wick_confused_pair *x = left, *y = right;
    double often_x = (double)x->a_as_b + (double)x->b_as_a,
           often_y = (double)y->a_as_b + (double)y->b_as_a;
    if (often_x != often_y)
        return often_x > often_y ? -1 : 1;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return x->b < y->b ? -1 : x->b > y->b;
}

static int64_t collect_pairs(const wick_tensor *confusion, wick_confused_pair *pairs)
{
    const int64_t *counts = confusion->data, classes = confusion->shape[0];
    int64_t count = 0;
    for (int64_t a = 0; a < classes; a++)
        for (int64_t b = a + 1; b < classes; b++) {
            int64_t a_as_b = counts[a * classes + b], b_as_a = counts[b * classes + a];
            if (a_as_b == 0 && b_as_a == 0)
                continue;
            if (pairs != NULL)
                pairs[count] = (wick_confused_pair){a, b, a_as_b, b_as_a};
            count++;
        }
    return count;
}

wick_status wick_confused_pairs(const wick_tensor *confusion, wick_confused_pair **pairs, int64_t *count)
{
    char shape[WKI_SHAPE_TEXT];
    void *memory;
    if (confusion == NULL || pairs == NULL || count == NULL)
        return WICK_EINVAL;
    if (confusion->dtype != WICK_INT64 || confusion->ndim != 2 ||
        confusion->shape[0] != confusion->shape[1])
        return wki_fail(confusion->context, WICK_ESHAPE,
                        "a confusion matrix of %s %s; it must be torch.int64 and square",
                        wick_dtype_name(confusion->dtype),
                        wki_shape_text(confusion->ndim, confusion->shape, shape));
    int64_t found = collect_pairs(confusion, NULL);
    WKI_TRY(wki_alloc(confusion->context, (size_t)found, sizeof(wick_confused_pair),
                      "the pairs of classes", &memory));
    *count = collect_pairs(confusion, memory);
    *pairs = memory;
    qsort(memory, (size_t)found, sizeof(wick_confused_pair), by_how_often);
    return WICK_OK;
}

#include "tensor/tensor_internal.h"

#include <wick/train.h>

static bool are_classes(const wick_tensor *tensor)
{
    return tensor->dtype == WICK_INT64 && tensor->ndim == 1;
}

double wick_accuracy(const wick_tensor *labels, const wick_tensor *predictions)
{
    if (!are_classes(labels) || !are_classes(predictions) || labels->numel != predictions->numel ||
        labels->numel == 0)
        return 0;
    const int64_t *label = labels->data, *prediction = predictions->data;
    int64_t correct = 0;
    for (int64_t i = 0; i < labels->numel; i++)
        correct += label[i] == prediction[i];
    return (double)correct / (double)labels->numel * 100; /* in accuracy_fn's order, for its rounding */
}

/* Looks that all classes are 0 .. class_count - 1. what is "label" or "prediction". */
static wick_status check_classes(const wick_tensor *tensor, const char *what, int64_t class_count)
{
    const int64_t *classes = tensor->data;
    for (int64_t i = 0; i < tensor->numel; i++)
        if (classes[i] < 0 || classes[i] >= class_count)
            return wki_fail(tensor->context, WICK_EINVAL, "%s %lld is %lld; it must be 0 to %lld", what,
                            (long long)i, (long long)classes[i], (long long)class_count - 1);
    return WICK_OK;
}

static wick_status check_pair(const wick_tensor *labels, const wick_tensor *predictions)
{
    char label_shape[WKI_SHAPE_TEXT], prediction_shape[WKI_SHAPE_TEXT];
    wki_shape_text(labels->ndim, labels->shape, label_shape);
    wki_shape_text(predictions->ndim, predictions->shape, prediction_shape);
    if (labels->ndim != 1 || predictions->ndim != 1 || labels->numel != predictions->numel)
        return wki_fail(labels->context, WICK_ESHAPE,
                        "labels are %s and predictions %s; both must be of one dimension and one length",
                        label_shape, prediction_shape);
    if (!are_classes(labels) || !are_classes(predictions))
        return wki_fail(labels->context, WICK_EINVAL,
                        "labels are %s and predictions %s; both must be torch.int64",
                        wick_dtype_name(labels->dtype), wick_dtype_name(predictions->dtype));
    return WICK_OK;
}

wick_status wick_confusion_matrix(const wick_tensor *labels, const wick_tensor *predictions,
                                  int64_t class_count, wick_tensor **out)
{
    if (labels == NULL || predictions == NULL || out == NULL)
        return WICK_EINVAL;
    if (class_count < 1)
        return wki_fail(labels->context, WICK_EINVAL,
                        "a confusion matrix of %lld classes; there must be 1 or more",
                        (long long)class_count);
    WKI_TRY(check_pair(labels, predictions));
    WKI_TRY(check_classes(labels, "label", class_count));
    WKI_TRY(check_classes(predictions, "prediction", class_count));
    wick_tensor *confusion;
    int64_t shape[2] = {class_count, class_count};
    WKI_TRY(wick_tensor_new(labels->context, WICK_INT64, 2, shape, &confusion));
    const int64_t *label = labels->data, *prediction = predictions->data;
    int64_t *counts = confusion->data;
    for (int64_t i = 0; i < labels->numel; i++)
        counts[label[i] * class_count + prediction[i]]++;
    *out = confusion;
    return WICK_OK;
}

static double ratio(double part, double whole)
{
    return whole == 0 ? 0 : part / whole;
}

static wick_class_report report_class(const int64_t *counts, int64_t class_count, int64_t class)
{
    uint64_t support = 0, predicted = 0; /* wraps, where a made-up matrix would overflow */
    for (int64_t i = 0; i < class_count; i++) {
        support += (uint64_t)counts[class * class_count + i];
        predicted += (uint64_t)counts[i * class_count + class];
    }
    double correct = (double)counts[class * class_count + class];
    return (wick_class_report){
        .precision = ratio(correct, (double)predicted),
        .recall = ratio(correct, (double)support),
        .f1 = ratio(2 * correct, (double)support + (double)predicted),
        .support = (int64_t)support,
    };
}

wick_status wick_classification_report(const wick_tensor *confusion, wick_class_report *reports)
{
    if (confusion == NULL || reports == NULL)
        return WICK_EINVAL;
    char shape[WKI_SHAPE_TEXT];
    if (confusion->dtype != WICK_INT64 || confusion->ndim != 2 ||
        confusion->shape[0] != confusion->shape[1])
        return wki_fail(confusion->context, WICK_ESHAPE,
                        "a confusion matrix of %s %s; it must be torch.int64 and square",
                        wick_dtype_name(confusion->dtype),
                        wki_shape_text(confusion->ndim, confusion->shape, shape));
    for (int64_t i = 0; i < confusion->shape[0]; i++)
        reports[i] = report_class(confusion->data, confusion->shape[0], i);
    return WICK_OK;
}
